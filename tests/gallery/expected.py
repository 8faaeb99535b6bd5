"""What is right to say of each server of the gallery, worked out by hand from the document and the servers' code.

The causes are what a reader must be told, each under the rule that names it: no more and no fewer. What follows
from a cause may be listed under it. Where a server gives no answer that could have shown a rule broken, nothing
is known of the rule: it is undecided, or was not run.
"""

from dataclasses import dataclass

from . import servers

TIMERS = ("inactive-timer", "closed-timer")
SIDS = ("chat-service-sid", "messaging-service-sid")


def _of(names: tuple[str, ...], *aspects: str) -> frozenset[str]:
    return frozenset(f"{name}-{aspect}" for name in names for aspect in aspects)


ACCEPTANCE = (
    _of(TIMERS, "boundary", "accept", "notation") | _of(SIDS, "accept") | {"any-subset", "parameter-order"}
)
REFUSAL = _of(TIMERS, "syntax", "minimum", "strictness") | _of(
    SIDS, "prefix", "length", "alphabet", "anchoring", "strictness"
)
ECHO = _of(TIMERS, "echo") | _of(SIDS, "echo", "verbatim")
STATE = frozenset(
    {
        "omitted-parameters-kept",
        "rejected-update-changes-nothing",
        "last-write-wins",
        "read-after-write",
        "read-reflects-writes",
        "safe-methods",
        "idempotence",
        "accounts-apart",
        "concurrent-writers",
        "empty-update",
    }
)
# What is about a peculiar way to say what a plain form says, and shows only where a plain form is seen to be taken.
PECULIAR = frozenset(
    {"media-type-case", "charset-parameter", "chunked-body", "form-decoding", "repeated-parameters"}
)
DOCUMENT = frozenset(
    {
        "response-schema",
        "timer-representation",
        "account-sid",
        "account-sid-present",
        "resource-url",
        "resource-links",
    }
)
ERRORS = frozenset({"error-envelope", "error-status", "error-types"})
# What only a server that refuses can break.
REFUSALS = ERRORS | {"refusal-status", "challenge", "allow-header", "rejected-update-changes-nothing"}

# No value is checked: told once for both timers and once for both SIDs, under the most basic of the rules about values.
UNCHECKED = _of(TIMERS, "syntax") | _of(SIDS, "prefix")
# The other rules about values follow. What is kept unchecked also comes back with blanks, or is no duration.
UNCHECKED_BESIDES = (REFUSAL - UNCHECKED) | {"repeated-parameters"}
KEPT_UNCHECKED_BESIDES = (
    UNCHECKED_BESIDES
    | _of((*TIMERS, *SIDS), "echo")
    | {"timer-representation", "read-response", "openapi-response"}
)
# Nothing that is sent is kept, or shown: no value comes back, neither at once nor later. It is told once, for all four
# settings, under the echo of one of them: a constant answer is no value before.
NOT_SHOWN = frozenset({"inactive-timer-echo"})
NOT_KEPT_BESIDES = (
    (ECHO - NOT_SHOWN)
    | _of(TIMERS, "notation")
    | {
        "last-write-wins",
        "read-after-write",
        "read-reflects-writes",
        "concurrent-writers",
        "repeated-parameters",
    }
)
# Where nothing is kept, nothing can be lost, reset, mixed up or changed.
NOT_KEPT_UNDECIDED = (
    STATE - {"last-write-wins", "read-after-write", "read-reflects-writes", "concurrent-writers"}
) | (PECULIAR - {"repeated-parameters"} | {"unvalidated-write"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What is right to say of one server.

    Attributes:
        causes: The ids of the rules under which its differences are told. Those of two parallel settings, as the two
            timers are, may be told as one: under either of them, with the other listed.
        consequences: The ids of rules that may be listed under a cause; no other may.
        undecided: The ids of rules of which nothing is known.
        exit_code: The exit status of the run.
        profile: The shortest profile that reaches all of it.
        steady: Whether the server answers the same requests in the same way, so that no finding is unstable.
    """

    causes: frozenset[str] = frozenset()
    consequences: frozenset[str] = frozenset()
    undecided: frozenset[str] = frozenset()
    exit_code: int = 1
    steady: bool = True
    profile: str = "quick"


EXPECTED: dict[type[servers.Right], Expected] = {
    servers.Right: Expected(exit_code=0),
    servers.ServesOneConnection: Expected(exit_code=0),
    # The first account is judged. There is no second one to keep apart from it.
    servers.LacksTheSecondAccount: Expected(undecided=frozenset({"accounts-apart"}), exit_code=0),
    # The run ends early. An error neither takes nor refuses anything, and shows nothing.
    servers.AlwaysFails: Expected(
        causes=frozenset({"no-server-error"}),
        consequences=ACCEPTANCE | {"empty-update", "openapi-server-error"},
        undecided=REFUSAL
        | ECHO
        | (STATE - {"empty-update"})
        | PECULIAR
        | DOCUMENT
        | REFUSALS
        | {"unvalidated-write", "scheme-case", "accept-header", "accepted-status", "media-type", "json-body"},
    ),
    # 200 to a wrong password and to a wrong value is wrong whatever the body is. As nothing else is ever answered,
    # 200 to a right value says nothing, and a string shows nothing.
    servers.AnswersAString: Expected(
        causes=UNCHECKED | {"credentials-required", "json-body"},
        consequences=(REFUSAL - UNCHECKED) | {"credentials-status", "read-response", "openapi-response"},
        undecided=ACCEPTANCE
        | ECHO
        | STATE
        | PECULIAR
        | DOCUMENT
        | REFUSALS
        | {"unvalidated-write", "scheme-case"},
    ),
    # The example is a good document of another account.
    servers.AnswersTheExample: Expected(
        causes=UNCHECKED | NOT_SHOWN | {"credentials-required", "account-sid"},
        consequences=UNCHECKED_BESIDES | NOT_KEPT_BESIDES | {"credentials-status", "read-response"},
        undecided=NOT_KEPT_UNDECIDED | REFUSALS | {"scheme-case"},
    ),
    # The 401 shows that refusals and challenges are right, and that either case of the scheme is understood.
    servers.AnswersTheExampleToAccounts: Expected(
        causes=UNCHECKED | NOT_SHOWN | {"account-sid"},
        consequences=UNCHECKED_BESIDES | NOT_KEPT_BESIDES | {"read-response"},
        undecided=NOT_KEPT_UNDECIDED | {"allow-header"},
    ),
    servers.KeepsAnyText: Expected(causes=UNCHECKED, consequences=KEPT_UNCHECKED_BESIDES),
    servers.KeepsAnyTextButEmpty: Expected(causes=UNCHECKED, consequences=KEPT_UNCHECKED_BESIDES),
    # It refuses as it should: what needs only a status is decided.
    servers.AnswersPages: Expected(
        causes=frozenset({"json-body"}),
        consequences=frozenset({"read-response", "openapi-response"}),
        undecided=ECHO | STATE | DOCUMENT | {"repeated-parameters", "unvalidated-write"},
    ),
    # What is kept is right: only the answer to the update that changes it is old.
    servers.ShowsThePreviousSettings: Expected(
        causes=frozenset({"last-write-wins"}), consequences=ECHO | _of(TIMERS, "notation")
    ),
    # The next request on the connection begins with the body that was left: it is not at fault.
    servers.LeavesBodiesUnread: Expected(causes=frozenset({"stays-usable"})),
    # A 201 shows the settings as a 200 does: what is wrong with them does not hide behind the status.
    servers.CreatesAndReplaces: Expected(
        profile="standard",
        causes=UNCHECKED | {"credentials-required", "accepted-status", "omitted-parameters-kept"},
        consequences=KEPT_UNCHECKED_BESIDES
        | {"credentials-status", "unvalidated-write"}
        | {"read-after-write", "read-reflects-writes", "concurrent-writers", "empty-update"},
        undecided=REFUSALS | {"scheme-case"},
    ),
    # Nothing of the resource is ever shown, and nobody is refused: neither explains the other, nor the status.
    servers.AnswersWhatWasSent: Expected(
        causes=UNCHECKED
        | _of(TIMERS, "echo")
        | {"credentials-required", "accepted-status", "account-sid-present"},
        consequences=(UNCHECKED_BESIDES - {"repeated-parameters"})
        | (ECHO - _of(TIMERS, "echo"))
        | {"credentials-status", "read-response", "openapi-response", "empty-update"},
        undecided=DOCUMENT - {"account-sid-present"}
        | (STATE - {"empty-update"})
        | PECULIAR
        | REFUSALS
        | {"unvalidated-write", "scheme-case"},
    ),
    # Two reads without a write between them differ: nothing that is shown later says what was kept.
    servers.ShowsRandomSettings: Expected(
        causes=frozenset({"safe-methods"}),
        undecided=ECHO | (STATE - {"safe-methods"}),
        steady=False,
    ),
    # What is wrong is answered like what is right, though it is not kept.
    servers.NeverRefuses: Expected(
        causes=UNCHECKED | {"credentials-required"},
        consequences=UNCHECKED_BESIDES | _of((*TIMERS, *SIDS), "echo") | {"credentials-status"},
        undecided=REFUSALS | {"scheme-case"},
    ),
}

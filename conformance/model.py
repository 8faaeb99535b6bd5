"""
The values that the packages hand to each other: settings, rules, input classes, findings, the report.

They do no I/O and judge nothing. Requests and responses are in `conformance.http`.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from conformance.exceptions import NotJSON
from conformance.http import Exchange, Pairs, Request, json_of

if TYPE_CHECKING:  # its import costs more than the whole of this package
    from hypothesis.stateful import RuleBasedStateMachine
    from hypothesis.strategies import SearchStrategy


class Level(StrEnum):
    """How certain a rule is: MUST under every fair reading of its source, SHOULD under the literal one."""

    MUST = "must"
    SHOULD = "should"


class Verdict(StrEnum):
    """The result for one rule, or for a whole run."""

    CONFORMANT = "conformant"
    NON_STRICT = "non-strict"
    DEVIATION = "deviation"
    KNOWN = "known"
    FIXED = "fixed"
    UNSTABLE = "unstable"
    UNDECIDED = "undecided"
    UNIMPLEMENTED = "unimplemented"
    ERROR = "error"
    NOT_RUN = "not-run"


@dataclass(frozen=True, slots=True)
class Field:
    """One setting: a request parameter and the response attribute that shows it."""

    slug: str
    parameter: str
    attribute: str
    kind: Literal["timer", "sid"]
    prefix: str = ""
    minimum: int = 0
    """The shortest length that a timer may have, in seconds; 0 for a SID."""


CHAT = Field("chat-service-sid", "DefaultChatServiceSid", "default_chat_service_sid", "sid", prefix="IS")
MESSAGING = Field(
    "messaging-service-sid", "DefaultMessagingServiceSid", "default_messaging_service_sid", "sid", prefix="MG"
)
INACTIVE = Field("inactive-timer", "DefaultInactiveTimer", "default_inactive_timer", "timer", minimum=60)
CLOSED = Field("closed-timer", "DefaultClosedTimer", "default_closed_timer", "timer", minimum=600)

FIELDS = (CHAT, MESSAGING, INACTIVE, CLOSED)
TIMERS = (INACTIVE, CLOSED)
SIDS = (CHAT, MESSAGING)
BY_PARAMETER: Mapping[str, Field] = MappingProxyType({each.parameter: each for each in FIELDS})
BY_ATTRIBUTE: Mapping[str, Field] = MappingProxyType({each.attribute: each for each in FIELDS})


def settings_in(document: object) -> dict[str, str | None] | None:
    """
    Return the settings in a JSON document, by attribute; None where the document is not an object.

    An absent attribute counts as null. A value that is neither a string nor null is left out.
    """
    if not isinstance(document, dict):
        return None
    return {
        each.attribute: value
        for each in FIELDS
        if (value := document.get(each.attribute)) is None or isinstance(value, str)
    }


def shown_by(exchange: Exchange) -> dict[str, str | None] | None:
    """Return the settings in a 2xx answer, by attribute; None where the exchange shows none."""
    if exchange.response is None or not exchange.accepted:
        return None
    try:
        return settings_in(json_of(exchange.response))
    except NotJSON:
        return None


def shown_of(exchange: Exchange, about: Field) -> str | None:
    """Return the value of a setting in a 2xx answer; None where the exchange shows none."""
    return (shown_by(exchange) or {}).get(about.attribute)


PARAMETERS = tuple(BY_PARAMETER)
"""The names of all parameters, in the order of the document's table."""

EXAMPLE: Mapping[str, str] = MappingProxyType(
    {
        CLOSED.parameter: "PT10M",
        INACTIVE.parameter: "PT1M",
        CHAT.parameter: "IS" + "a" * 32,
        MESSAGING.parameter: "MG" + "a" * 32,
    }
)
"""The documented example request, in its documented order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One rule broken by one exchange. Every message about it is made from these fields."""

    rule: str
    outcome: str
    """The kind of deviation, as a slug: `accepted`, `refused`, `status-204`, `changed` ..."""
    field: str | None
    """The parameter, attribute or header that the violation is about; None where it is about none of them."""
    summary: str
    expected: str
    observed: str
    cls: str = ""
    related: tuple[Exchange, ...] = ()
    """Earlier exchanges without which the violation cannot be seen."""
    was_null: bool = False
    """Whether it shows a setting that was null before: that state does not come back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """The facts about a target that generation depends on."""

    sids: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """The SIDs that the target accepts, by parameter. An absent parameter accepts any well-formed SID."""
    accounts: int = 1
    """The number of accounts whose credentials are known."""
    account_sids: tuple[str, ...] = ()
    """The SIDs of the accounts, in their order; an empty string for an account whose SID is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One example of an input class: requests that are sent one after the other, or at the same moment."""

    steps: tuple[Request, ...]
    context: Pairs = ()
    """Settings that must be in force before the first step."""
    together: bool = False
    """Whether the steps are sent at the same moment, each on a connection of its own."""


@dataclass(frozen=True, slots=True)
class InputClass:
    """A named set of inputs."""

    id: str
    reason: str
    """What marks the inputs, or the mistake that they catch, in one line."""
    examples: Callable[[Situation], Sequence[Probe]]
    """Makes the explicit examples, simplest first."""
    _: KW_ONLY
    strategy: Callable[[Situation], "SearchStrategy[Probe]"] | None = None
    """Makes the strategy that draws further inputs; None where the examples are the whole class."""
    machine: Callable[[Situation, Callable[[Probe], None]], "type[RuleBasedStateMachine]"] | None = None
    """Makes a state machine, in place of a strategy; the machine hands each sequence it has drawn to the function."""
    rare: bool = False
    """Whether few implementers make this mistake: quick tests it on one of the parallel settings, or not at all."""
    whole: bool = False
    """Whether the standard profile sends every example: together they make a design, such as a Latin square."""


BY_HAND = "by hand"
"""The value of `Rule.needs` where requests are written by hand, as `conformance.http.ByHand` lists."""


class Aspect(IntEnum):
    """
    The subject of a rule's claim, from the most basic one to the last.

    As a rule a broken claim explains broken claims further down. A target that refuses the right credentials shows no
    settings; a target that asks for no credentials may still keep settings well.
    """

    WIRE = 1
    """The target is reached, answers every request, frames its answers, and stays usable."""
    CREDENTIALS = 2
    METHOD = 3
    """Methods, media types, and the other ways in which one form can be sent."""
    STATUS = 4
    REPRESENTATION = 5
    """The form of the answer to an accepted update."""
    SYNTAX = 6
    CONTENT = 7
    """What a well-formed value says: the minimum of a timer; the length and the digits of a SID."""
    ACCEPTANCE = 8
    """Whether values and forms are accepted, for any reason other than their syntax or the minimum."""
    ECHO = 9
    """The answer to an update shows the values that the update has set."""
    STATE = 10
    """Later answers show the values that were set."""
    CONSISTENCY = 11
    """Answers of other kinds, such as reads and refusals, agree with the answers to updates."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The exchange that a run must contain before it calls a rule kept: one that would have shown the rule broken."""

    missing: str
    """The reason to report for an undecided rule, where the run contains no such exchange."""
    seen: Callable[[Any], bool]
    """Says of a `conformance.rules.Reply` whether its exchange would have shown a broken rule."""
    given: tuple[str, ...] = ()
    """Ids of rules whose evidence is needed too. A refusal, say, means nothing where the target refuses everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A row of the catalogue: all data about one rule."""

    id: str
    group: str
    level: Level
    statement: str
    source: str
    aspect: Aspect
    evidence: Evidence
    field: Field | None = None
    """The setting that the rule is about; None where it is about none, or about all of them."""
    classes: tuple[InputClass, ...] = ()
    needs_accounts: int = 1
    """How many accounts it takes to exercise it."""
    package: str = ""
    """The package that exercises it. Without the package the rule is not run; empty where it takes none."""
    needs: str = ""
    """The feature that it needs and a target may lack: `connection`, `chunks` or `BY_HAND`; empty for none."""
    culprit: Callable[[Exchange, Exchange], bool] | None = None
    """
    For a rule about state: says whether an exchange is of the kind that must change nothing.

    It gets that exchange and the last one of the sequence. A minimized sequence that shows a change, and contains such
    an exchange, breaks this rule.
    """
    control: "Callable[[Request], Request | None] | None" = None
    """
    For a rule about an unusual way to send something: makes the same request, sent in the plain way.

    It returns None for a request that is not unusual in this way. Where the plain request fails alike, another rule is
    broken and not this one.
    """

    @property
    def family(self) -> str:
        """The id, with the kind of setting in place of the setting. Rules of one family make the same claim."""
        return self.id.replace(self.field.slug, self.field.kind, 1) if self.field is not None else self.id


def shortened(text: str, limit: int) -> str:
    """
    Return a text of at most `limit` characters, 10 or more. The middle of a longer text is left out, so both ends show.

    From 40 on, the result states the length of the whole.
    """
    if len(text) <= limit:
        return text
    length = f" ({len(text):,} characters)" if limit >= 40 else ""
    tail = (limit - len(length) - 1) // 2
    return f"{text[: limit - len(length) - 1 - tail]}…{text[-tail:]}{length}"


def described(error: Exception) -> str:
    """Return one line about an error: what the system says, or the kind of an error that is a bug of the suite."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    # Not the whole message: it may hold what the target sent.
    return shortened(f"a bug of the suite, {type(error).__name__}: {' '.join(str(error).split())}", 200)


def fingerprint(rule: str, cls: str, outcome: str) -> str:
    """Return the identity of a finding, which is the same in every run, for every target and seed: a SHA-256 in hex."""
    return hashlib.sha256(f"{rule}\n{cls}\n{outcome}".encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """
    One deviation: a rule, an input class and a kind of outcome, with a counterexample.

    A run has at most one finding for each such triple.
    """

    rule: str
    level: Level
    cls: str
    outcome: str
    field: str | None
    summary: str
    expected: str
    observed: str
    exchanges: tuple[Exchange, ...]
    """The counterexample: the shortest sequence found, in the order sent. Its last exchange shows the deviation."""
    stable: bool
    """Whether the counterexample showed the deviation every time it was re-sent."""
    count: int = 1
    """The number of exchanges of the run that showed the deviation."""
    numbers: frozenset[int] = frozenset()
    """The numbers of those exchanges' requests; empty where they were not kept."""
    first: int = 0
    """The number of the first of those requests."""
    sent_once: bool = False
    """Whether the counterexample was not sent again: nothing says that it shows the deviation by itself."""
    shared_connection: bool = False
    """Whether the requests must follow each other on one connection to show the deviation."""

    @property
    def fingerprint(self) -> str:
        """The identity of this finding; see `fingerprint()`."""
        return fingerprint(self.rule, self.cls, self.outcome)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassOutcome:
    """What one input class was tested with."""

    id: str
    reason: str
    examples: int
    statuses: Mapping[str, int]
    """The number of answers by status, and of failures by kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The verdict on one rule, with its findings."""

    rule: Rule
    verdict: Verdict
    examples: int = 0
    reason: str = ""
    """The reason for the verdict not-run, undecided or error; empty for any other verdict."""
    classes: tuple[ClassOutcome, ...] = ()
    findings: tuple[Finding, ...] = ()
    evidence: Exchange | None = None
    """An exchange that would have shown a broken rule (see `Evidence`); None where the run has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """A fact about the target on which the document is silent. It is described and not judged."""

    topic: str
    text: str


RestoreState = Literal["failed", "not-read", "restored", "unchanged"]
"""The states of the settings after a run, the worst first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restore:
    """The state, after the run, of the settings that were in force before it."""

    state: RestoreState = "unchanged"
    unrestorable: tuple[str, ...] = ()
    """Attributes that were null before the run, and have a value now that cannot be unset."""
    failed: tuple[str, ...] = ()
    """Attributes that had a value before the run, and do not have it again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The result of one run. Every report is made from it."""

    verdict: Verdict
    exit_code: int
    target: str
    profile: str
    seed: int
    requests: int
    started_at: str
    """The beginning of the run: UTC, ISO 8601."""
    duration: float
    """The length of the run in seconds."""
    outcomes: tuple[Outcome, ...]
    observations: tuple[Observation, ...] = ()
    restore: Restore = Restore()
    unanswered: tuple[Exchange, ...] = ()
    """The request, or those at the same time, after which the target could not be reached: it may have crashed."""
    stopped: str = ""
    """The reason why the run ended early; empty where it did not."""
    notices: tuple[str, ...] = ()
    timers: tuple[Exchange, ...] = ()
    """The exchanges that updated one timer alone. The picture of accepted timers is drawn from them."""
    settings: Mapping[str, object] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)

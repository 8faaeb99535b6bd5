"""What can be built into the emulator: faults, each of which breaks one rule, and legal variants.

A fault is as small as the mistake of an implementer: everything else stays right. A variant breaks no rule at
all; it decides otherwise where the document is silent. Either replaces stages of a `Behaviour`, and carries
requests that show it: at least one is answered otherwise than by the reference.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from conformance.emulator.behaviour import FORM, Behaviour

Install = Callable[[Behaviour], None]

# The accounts that send the requests which show an alteration. The first one sends a request that names none.
WITNESS_ACCOUNTS: Mapping[str, str] = {
    "AC" + "0123456789abcdef" * 2: "firstAccountsToken0123456789",
    "AC" + "fedcba9876543210" * 2: "secondAccountsToken987654321",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One request of those that show an alteration: a form posted with good credentials by default.

    Attributes:
        body: The body's text, sent as UTF-8.
        method: The method.
        path: The path, with its query.
        account: Which of `WITNESS_ACCOUNTS` sends it, from 0.
        credentials: User name and password, sent instead of the account's; empty for no Authorization header.
        headers: Fields sent besides, or instead of those of the same name.
        chunked: Whether the body is sent with chunked transfer coding.
        after: How many seconds to wait before.
        beside: Requests that are sent at the same time.
        connection: Which connection it is sent on.
        raw: What is sent over the connection instead of all that, byte for byte; nothing where there is none.
    """

    body: str = ""
    method: str = "POST"
    path: str = "/v1/Configuration"
    account: int = 0
    credentials: str | None = None
    headers: tuple[tuple[str, str], ...] = (("Content-Type", FORM),)
    chunked: bool = False
    after: float = 0.0
    beside: tuple["Step", ...] = ()
    connection: int = 0
    raw: bytes = b""


@dataclass(frozen=True, slots=True)
class Fault:
    """A mistake that can be built into the emulator.

    Attributes:
        name: Its name, in kebab-case.
        rule: The id of the rule that it breaks most directly.
        group: The area that it lies in.
        text: What an implementation with it does wrong, in one sentence.
        install: Builds it into a behaviour.
        witness: Requests of which at least one is answered otherwise than by the reference.
        consequences: The ids of other rules that every implementation with this mistake breaks as well.
    """

    name: str
    rule: str
    group: str
    text: str
    install: Install
    witness: tuple[Step, ...]
    consequences: tuple[str, ...] = ()

    @property
    def breaks(self) -> tuple[str, ...]:
        """The ids of all rules that it breaks, the most direct one first."""
        return (self.rule, *self.consequences)


@dataclass(frozen=True, slots=True)
class Variant:
    """A legal choice where the document is silent, otherwise described as a fault is.

    Attributes:
        accounts: The accounts that the self-test uses with it: SID and token of each; empty for the usual ones.
    """

    name: str
    group: str
    text: str
    install: Install
    witness: tuple[Step, ...]
    accounts: tuple[tuple[str, str], ...] = ()

    @property
    def breaks(self) -> tuple[str, ...]:
        """No rule is broken."""
        return ()


def steps(witness: Sequence[str | Step]) -> tuple[Step, ...]:
    """Return the requests; a plain text becomes a form that is posted."""
    return tuple(Step(item) if isinstance(item, str) else item for item in witness)


def fault(
    name: str, rules: str, group: str, text: str, install: Install, witness: Sequence[str | Step]
) -> Fault:
    """Return a fault; `rules` are ids with blanks between them, the rule that it breaks most directly first."""
    rule, *consequences = rules.split()
    return Fault(name, rule, group, text, install, steps(witness), tuple(consequences))


def rules_of(setting: str, aspects: str) -> str:
    """Return the ids of the rules of one setting about some aspects. A word with a hyphen is an id already."""
    return " ".join(each if "-" in each else f"{setting}-{each}" for each in aspects.split())

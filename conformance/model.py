"""
The nouns of the suite: values only, no I/O and no judgement.

Everything the rooms hand to each other is defined here, but for what HTTP itself has (`conformance.http`).
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from conformance.exceptions import NotJSON
from conformance.http import Exchange, Pairs, Request, json_of

if TYPE_CHECKING:  # its import costs more than the whole of this package
    from hypothesis.stateful import RuleBasedStateMachine
    from hypothesis.strategies import SearchStrategy


class Level(StrEnum):
    """How sure a rule may be, and so what a deviation from it means."""

    MUST = "must"
    SHOULD = "should"


class Verdict(StrEnum):
    """What is said of a rule, and of a whole run."""

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
    """Timers only: the least length, in seconds."""


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


def settings_in(document: object) -> dict[str, str | None] | None:
    """The settings that a JSON document shows, by attribute; None when it is no object. Absent ones are null."""
    if not isinstance(document, dict):
        return None
    return {
        each.attribute: value
        for each in FIELDS
        if (value := document.get(each.attribute)) is None or isinstance(value, str)
    }


def shown_by(exchange: Exchange) -> dict[str, str | None] | None:
    """The settings that an answer shows, by attribute; None when it shows none."""
    if exchange.response is None or not exchange.accepted:
        return None
    try:
        return settings_in(json_of(exchange.response))
    except NotJSON:
        return None


PARAMETERS = tuple(BY_PARAMETER)
"""In the order of the document's table."""

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
    """One rule broken by one exchange: fields, from which every message is made."""

    rule: str
    outcome: str
    """The kind of deviation, as a slug: `accepted`, `refused`, `status-204`, `changed` ..."""
    field: str | None
    """The parameter, attribute or header it is about."""
    summary: str
    expected: str
    observed: str
    cls: str = ""
    related: tuple[Exchange, ...] = ()
    """Earlier exchanges that are needed to see it."""
    was_null: bool = False
    """Whether it shows a setting that was null before: that state does not come back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What generation may know of a target: which SIDs it takes, by parameter; absent: any well-formed one."""

    sids: Mapping[str, frozenset[str]] = field(default_factory=dict)
    accounts: int = 1
    account_sids: tuple[str, ...] = ()
    """Of the accounts, in their order; empty where one is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One example of an input class: requests, sent in order or together."""

    steps: tuple[Request, ...]
    context: Pairs = ()
    """Settings to be in force before the first step."""
    together: bool = False
    """Whether the steps are sent at the same time, each on a connection of its own."""
    pause: float = 0.0
    """Seconds that must lie between the first steps and the last; other probes may be sent meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InputClass:
    """A named set of inputs: explicit examples, simplest first, and a way to draw more."""

    id: str
    reason: str
    examples: Callable[[Situation], Sequence[Probe]]
    strategy: Callable[[Situation], "SearchStrategy[Probe]"] | None = None
    """None where the examples are all there is."""
    machine: Callable[[Situation, Callable[[Probe], None]], "type[RuleBasedStateMachine]"] | None = None
    """In place of a strategy: a state machine that hands each sequence it has made to the function."""
    rare: bool = False
    """Whether few implementers make the mistake: the shortest run sends it for one of two twin settings only."""


class Aspect(IntEnum):
    """
    What a rule makes a claim about, the most basic first.

    A broken claim can explain a broken claim after it, never one before it: who cannot log in sees no settings, and
    whoever asks for no credentials may still keep settings well.
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
    MINIMUM = 7
    ACCEPTANCE = 8
    """Any other claim about whether a value, or a form, is accepted."""
    ECHO = 9
    """The answer to an update shows what it has set."""
    STATE = 10
    """What later answers show."""
    CONSISTENCY = 11
    """Answers of other kinds agree: reads, refusals."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What has to be seen before a rule is said to hold."""

    missing: str
    """Why the rule is undecided where nothing of the kind was seen."""
    seen: Callable[[Any], bool]
    """Whether an exchange would have shown the rule broken, had it been; given a `conformance.rules.Reply`."""
    given: tuple[str, ...] = ()
    """The ids of rules whose evidence has to be there, too: who refuses everything shows nothing by a refusal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A row of the catalogue: everything that the suite knows of one rule."""

    id: str
    group: str
    level: Level
    statement: str
    source: str
    aspect: Aspect
    evidence: Evidence
    field: Field | None = None
    """The setting that it is about; None where it is about none, or all."""
    classes: tuple[InputClass, ...] = ()
    needs_accounts: int = 1
    """How many accounts it takes to exercise it."""
    culprit: Callable[[Exchange, Exchange], bool] | None = None
    """
    For rules about state: whether an exchange is of the kind that must change nothing; given it, and the last one.

    Where the shortest sequence of requests that shows a change has such an exchange in it, this rule is broken.
    """
    control: "Callable[[Request], Request | None] | None" = None
    """
    For rules about a peculiar way of sending something: the same request, sent plainly.

    None where the request is not peculiar in this way. Where the plain one does the same, another rule is broken.
    """

    @property
    def family(self) -> str:
        """The id with the kind of setting in place of the setting: rules of one family make one claim."""
        return self.id.replace(self.field.slug, self.field.kind, 1) if self.field is not None else self.id


def shortened(text: str, limit: int) -> str:
    """
    A text in so many characters: of a longer one the middle is left out, so that both ends can be compared.

    Args:
        text: any text.
        limit: the greatest length in characters, 10 or more. From 40 on, the length of the whole is given too.
    """
    if len(text) <= limit:
        return text
    length = f" ({len(text):,} characters)" if limit >= 40 else ""
    tail = (limit - len(length) - 1) // 2
    return f"{text[: limit - len(length) - 1 - tail]}…{text[-tail:]}{length}"


def fingerprint(rule: str, cls: str, outcome: str) -> str:
    """The identity of a finding across runs, targets and seeds: no values in it."""
    return hashlib.sha256(f"{rule}\n{cls}\n{outcome}".encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One deviation, told once: a rule, an input class and a kind of outcome, with the witness that shows it."""

    rule: str
    level: Level
    cls: str
    outcome: str
    field: str | None
    summary: str
    expected: str
    observed: str
    exchanges: tuple[Exchange, ...]
    """The witness: the shortest sequence found that shows it, in the order sent; the last one shows it."""
    stable: bool
    """Whether the witness showed the same every time it was re-sent."""
    cause: str
    """Findings with the same cause are one difference seen from several sides."""
    consequence_of: str | None = None
    """The id of the rule whose finding explains this one; None where it is of the cause itself."""
    count: int = 1
    """How many exchanges of the run showed it."""
    numbers: frozenset[int] = frozenset()
    """The numbers of the requests that showed it; empty where they were not kept, and `count` says how many."""
    first: int = 0
    """The number of the request that showed it first."""
    shared_connection: bool = False
    """Whether it depends on requests that follow each other on one connection."""

    @property
    def fingerprint(self) -> str:
        """See `fingerprint()`."""
        return fingerprint(self.rule, self.cls, self.outcome)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassOutcome:
    """What was exercised of one input class."""

    id: str
    reason: str
    examples: int
    statuses: Mapping[str, int]
    """How often each status was seen; failures by their kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The verdict on one rule."""

    rule: Rule
    verdict: Verdict
    examples: int = 0
    reason: str = ""
    """Why it is not-run, undecided or error; empty otherwise."""
    classes: tuple[ClassOutcome, ...] = ()
    findings: tuple[Finding, ...] = ()
    evidence: Exchange | None = None
    """An exchange that would have shown the rule broken, had it been; None where there was none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """Something seen where the document is silent: described, never judged."""

    topic: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Restore:
    """What became of the settings that were in force before the run."""

    state: Literal["restored", "unchanged", "failed", "not-read"] = "unchanged"
    unrestorable: tuple[str, ...] = ()
    """Attributes that were null before and cannot be unset."""
    failed: tuple[str, ...] = ()
    """Attributes that had a value before and do not have it again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that is known of one run; every report is made from it."""

    verdict: Verdict
    exit_code: int
    target: str
    profile: str
    seed: int
    requests: int
    started_at: str
    """UTC, ISO 8601."""
    duration: float
    """Seconds."""
    outcomes: tuple[Outcome, ...]
    observations: tuple[Observation, ...] = ()
    restore: Restore = Restore()
    stopped: str = ""
    """Why the run ended early; empty when it did not."""
    notices: tuple[str, ...] = ()
    timers: tuple[Exchange, ...] = ()
    """Updates of one timer alone, for a picture of what it takes."""
    settings: Mapping[str, object] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)

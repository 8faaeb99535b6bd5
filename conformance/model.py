"""
The nouns of the suite: values only, no I/O and no judgement.

Everything the rooms hand to each other is defined here. A request says *how* it authenticates (a template),
never with which secret: the target fills the secret in, so a `Request` can be printed, stored and compared.
"""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:  # its import costs more than the whole of this package
    from hypothesis.stateful import RuleBasedStateMachine
    from hypothesis.strategies import SearchStrategy

PATH = "/v1/Configuration"
FORM_MEDIA_TYPE = "application/x-www-form-urlencoded"


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

_FORM = re.compile(rf"{FORM_MEDIA_TYPE}(\s*;\s*charset=(\"utf-8\"|utf-8))?", re.IGNORECASE)

Pairs = tuple[tuple[str, str], ...]


def encode_form(pairs: Sequence[tuple[str, str]]) -> bytes:
    """Serialise pairs as the WHATWG URL standard's application/x-www-form-urlencoded serialiser does."""
    return b"&".join(_encode(name) + b"=" + _encode(value) for name, value in pairs)


_UNESCAPED = frozenset(b"*-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz")
_ENCODED = tuple(
    bytes([byte]) if byte in _UNESCAPED else b"+" if byte == 0x20 else b"%%%02X" % byte for byte in range(256)
)


def _encode(text: str) -> bytes:
    return b"".join([_ENCODED[byte] for byte in text.encode("utf-8", "replace")])


# Who sends, who judges and who remembers an exchange all ask; few, since a body may have a megabyte.
@lru_cache(maxsize=8)
def decode_form(body: bytes) -> Pairs:
    """
    Parse a form body as the WHATWG URL standard's application/x-www-form-urlencoded parser does.

    `+` is a blank, broken escapes stand literally, bytes that are not UTF-8 become U+FFFD; nothing is refused.
    """
    return tuple(
        (_decode(name), _decode(value))
        for name, _, value in (part.partition(b"=") for part in body.split(b"&") if part)
    )


def _decode(raw: bytes) -> str:
    return unquote_to_bytes(raw.replace(b"+", b" ")).decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Auth:
    """
    How a request authenticates, as a template the target fills in.

    `user` and `secret` may hold `{sid}`, `{token}`, `{truncated}` (the token less its last character), `{swapped}`
    (the token with its letters in the other case), and `{other_sid}`, `{other_token}` (of the next account).
    `header` overrides the whole Authorization value and may also hold `{basic}`, the base64 of `user:secret`.
    `scheme=None` and no `header`: no credentials are sent.
    """

    scheme: str | None = "Basic"
    user: str = "{sid}"
    secret: str = "{token}"  # noqa: S105  # a placeholder
    header: str | None = None

    @property
    def valid(self) -> bool:
        """Whether these are the account's own credentials (RFC 7617: the scheme is case-insensitive)."""
        return (
            self.header is None
            and self.scheme is not None
            and self.scheme.lower() == "basic"
            and (self.user, self.secret) == ("{sid}", "{token}")
        )


BASIC = Auth()
NO_AUTH = Auth(scheme=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request to the resource, exact to the byte but for the secret."""

    method: str = "POST"
    body: bytes | None = None
    content_type: str | None = FORM_MEDIA_TYPE
    headers: tuple[tuple[str, str], ...] = ()
    query: str = ""
    auth: Auth = BASIC
    account: int = 0
    """Index into the target's accounts."""
    chunked: bool = False
    fresh: bool = False
    """Whether to open a connection of its own instead of reusing one."""
    intends: Pairs = ()
    """What a lenient target might read from it, where that is not said by a form in the body."""

    def form(self) -> Pairs | None:
        """
        The decoded parameters when the body is sent as a form, in UTF-8 if that is said at all; else None.

        No serialiser leaves bytes beyond ASCII as they are, and parsers differ on them: such a body is no form.
        """
        if not self.body:
            return ()
        is_form = _FORM.fullmatch(self.content_type or "") and self.body.isascii()
        return decode_form(self.body) if is_form else None


def update(*pairs: tuple[str, str], **options: object) -> Request:
    """A POST of the given parameters in the given order, encoded canonically."""
    return Request(body=encode_form(pairs), **options)  # type: ignore[arg-type]  # Request checks the names


READ = Request(method="GET", content_type=None)
EMPTY = Request(body=b"")


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """One response as it came; header values are decoded as ISO 8859-1."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    http_version: str = "HTTP/1.1"
    truncated: bool = False
    """Whether the body went past the size cap and was cut there."""
    undecoded: bool = False
    """Whether the body is in a content coding that was not asked for, or not what its coding says."""

    def header(self, name: str) -> str | None:
        """The first value of a header, by case-insensitive name."""
        return next((value for key, value in self.headers if key.lower() == name), None)


class FailureKind(StrEnum):
    """Why no response came."""

    CONNECT = "connect"
    TLS = "tls"
    TIMEOUT = "timeout"
    DISCONNECT = "disconnect"
    FRAMING = "framing"
    TOO_LARGE = "too-large"


@dataclass(frozen=True, slots=True)
class Failure:
    """What happened instead of a response."""

    kind: FailureKind
    detail: str
    partial: bool = False
    """Whether a part of an HTTP answer had come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A request and what came of it: a response, or a failure."""

    number: int
    request: Request
    response: Response | None = None
    failure: Failure | None = None
    started: float = 0.0
    """Seconds since the run began."""
    elapsed: float = 0.0
    url: str = ""
    sent_headers: tuple[tuple[str, str], ...] = ()
    """As sent, with credentials replaced by their shell spelling."""
    together: bool = False
    """Whether it went out at the same moment as those beside it that did, too."""

    @property
    def status(self) -> int | None:
        """The status code, or None when there was no response."""
        return self.response.status if self.response is not None else None

    @property
    def unwritten(self) -> bool:
        """Whether nothing may have been written: any 4xx."""
        return self.status is not None and 400 <= self.status < 500

    @property
    def refused(self) -> bool:
        """Whether the target refused the request for what it is: a 429 says nothing about that (RFC 6585 4)."""
        return self.unwritten and self.status != 429


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A row of the catalogue."""

    id: str
    group: str
    level: Level
    statement: str
    source: str
    classes: tuple[InputClass, ...] = ()


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
    count: int = 1
    """How many exchanges of the run showed it."""
    first: int = 0
    """The number of the request that showed it first."""

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

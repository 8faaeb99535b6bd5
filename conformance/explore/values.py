"""The findings of an exploration as frozen values: nothing here sends, judges or prints."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from conformance.model import RestoreState


class Taken(StrEnum):
    """The result of sending one value."""

    ACCEPTED = "accepted"
    """Status 200."""
    REFUSED = "refused"
    """A 4xx."""
    FAILED = "failed"
    """A 5xx, another status, or no answer at all: not accepted, but not refused properly either."""
    IGNORED = "ignored"
    """Status 200 to an empty value that is not shown afterwards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One value of one timer, and the answer to it."""

    field: str
    """Slug of the timer."""
    text: str
    taken: Taken
    status: int | None
    """None when there was no answer."""
    echo: str | None = None
    """The value that came back; None where null or nothing came back."""

    @property
    def accepted(self) -> bool:
        """Whether the value was taken: status 200, and not ignored."""
        return self.taken is Taken.ACCEPTED


@dataclass(frozen=True, slots=True)
class Point:
    """One mark of the picture."""

    field: str
    """Slug of the timer."""
    notation: str
    seconds: Decimal
    """Nominal length: a month of 30 days, a year of 365."""
    accepted: bool
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Boundary:
    """Two neighbours in one notation, one accepted and one not; None where there is no such neighbour."""

    notation: str
    end: Literal["least", "greatest"]
    refused: str | None
    """None: the notation's finest length is accepted, or the longest that was tried (5,000 digits)."""
    accepted: str | None
    """None: the search found nothing accepted."""
    exact: bool = True
    """Whether no length lies between `refused` and `accepted`; False after a search that was cut short, or uneven."""
    status: int | None = None
    """Of the neighbour that was not accepted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A range of refused lengths inside the accepted range."""

    notation: str
    before: str
    """The last accepted one below."""
    first: str
    last: str
    after: str
    """The first accepted one above."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Uneven:
    """A notation in which accepted and refused lengths alternate: no boundary and no gap describes it."""

    notation: str
    taken: tuple[str, ...]
    """The shortest texts that were accepted."""
    refused: tuple[str, ...]
    """The shortest texts that were not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table of notations."""

    cls: str
    """Named class of the text, such as `valid/weeks` or `invalid/missing-unit`."""
    answer: Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterExample:
    """An accepted value whose echo is not what the rule says."""

    sent: str
    echo: str | None
    expected: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalisation:
    """The rule behind the echoes, as far as the data show it."""

    rule: str
    """Such as `verbatim`, `total-seconds` or `hours, truncated to seconds`; `unknown` when nothing was accepted."""
    agreement: float
    """Share of the accepted values that it explains."""
    echoes: int
    counter_examples: tuple[CounterExample, ...] = ()
    """The shortest ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """A value on which the target departs from a dialect."""

    text: str
    predicted: bool
    accepted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Identification:
    """Which known dialect explains what the target takes."""

    name: str
    """One of `DIALECTS`' names; empty when nothing was learnt."""
    variant: str
    """Which of several published behaviours of that dialect; empty where there is one."""
    exact: bool
    """Whether it predicts every answer on which it has an opinion."""
    agreement: float
    """Share of those answers that it predicts, 0 to 1."""
    probes: int
    """How many answers it has an opinion on."""
    requests: int
    """How many of the probes that were chosen to tell the dialects apart were sent."""
    named_after: int
    """After how many of them this dialect led to the end."""
    disagreements: tuple[Disagreement, ...] = ()
    """The smallest ones first."""
    others: tuple[tuple[str, float], ...] = ()
    """The next best dialects with their agreement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One finding of the interplay, in words, with what shows it."""

    topic: str
    text: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerReading:
    """How the target reads one timer."""

    field: str
    minimum: int
    """The documented one, in seconds."""
    dialect: Identification
    boundaries: tuple[Boundary, ...]
    gaps: tuple[Gap, ...]
    normalisation: Normalisation
    notations: tuple[Row, ...]
    points: tuple[Point, ...]
    uneven: tuple[Uneven, ...] = ()
    """Notations that the boundaries and the gaps do not describe, whatever these say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exploration:
    """All that was learnt of one target."""

    target: str
    inactive: TimerReading
    closed: TimerReading
    same_dialect: bool
    interplay: tuple[Remark, ...]
    requests: int
    requests_by_stage: tuple[tuple[str, int], ...]
    complete: bool
    stopped: str = ""
    """Why it ended early; empty when it did not."""
    restore: RestoreState = "unchanged"
    notes: tuple[str, ...] = ()

    @property
    def timers(self) -> tuple[TimerReading, TimerReading]:
        """Both timers."""
        return self.inactive, self.closed

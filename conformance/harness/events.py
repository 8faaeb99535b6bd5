"""
What a run says while it goes on: one stream of typed events, the same for every listener.

    RunStarted, then for each phase PhaseStarted, then for each request RequestSent, ExchangeEnded, ExchangeJudged,
    now and then FindingConfirmed and Notice, and RunFinished at last

A listener is a function of one event. It is called at once, so a slow listener slows the run down; one that raises ends
the run, after the restore.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from conformance.http import Exchange
from conformance.model import Finding, Report, Violation


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """A run begins."""

    target: str
    """The base URL."""
    profile: str
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseStarted:
    """A run comes to its next part. The restore says nothing: no listener that fails may stand before it."""

    phase: str
    """`preflight`, `examples`, `generated`, `schemathesis` or `confirmation`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestSent:
    """A request, or several at the same time, goes out now."""

    phase: str
    cls: str
    """The input class that it is an example of; empty where a finding is shown again."""
    requests: int
    """How many requests the run has sent before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeEnded:
    """An answer came, or none; of every attempt, and those at the same time tell it each on a thread of its own."""

    exchange: Exchange


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeJudged:
    """The rules have looked at an exchange."""

    phase: str
    cls: str
    exchange: Exchange
    violations: tuple[Violation, ...]
    """What it violates of the rules that were asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingConfirmed:
    """A deviation was shown again and made small, or could not be; later ones of its kind are counted with it."""

    finding: Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """The user should know something at once."""

    line: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished:
    """A run has ended, and the settings were put back as far as they could be."""

    report: Report


Event = (
    RunStarted
    | PhaseStarted
    | RequestSent
    | ExchangeEnded
    | ExchangeJudged
    | FindingConfirmed
    | Notice
    | RunFinished
)

Listener = Callable[[Event], None]

_E = TypeVar("_E", bound=Event)


def ignore(event: Event) -> None:
    """Listen to nothing."""


def on(kind: type[_E], react: Callable[[_E], object]) -> Listener:
    """Make a listener that hears one kind of event."""

    def listen(event: Event) -> None:
        if isinstance(event, kind):
            react(event)

    return listen


def each_of(*listeners: Listener) -> Listener:
    """Make one listener of several, which hear every event in this order."""

    def listen(event: Event) -> None:
        for listener in listeners:
            listener(event)

    return listen

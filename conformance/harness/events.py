"""
The events of a run: one stream, the same for every listener.

    RunStarted, then for each phase PhaseStarted, then for each request RequestSent, ExchangeEnded, ExchangeJudged,
    sometimes FindingConfirmed and Notice, and RunFinished at the end

A listener is a function of one event. It is called at once, so a slow listener slows the run down; one that raises ends
the run, after the restore.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

from conformance.http import Exchange
from conformance.model import Finding, Report, Violation


class RunStarted(NamedTuple):
    target: str
    """The base URL."""
    profile: str
    seed: int


class PhaseStarted(NamedTuple):
    """A phase of a run has begun. The restore has no such event, so that a failing listener cannot prevent it."""

    phase: str
    """`preflight`, `examples`, `generated`, `schemathesis`, `sdk` or `confirmation`."""


class RequestSent(NamedTuple):
    """A request is sent now, or several at the same time."""

    phase: str
    cls: str
    """The id of its input class; empty where a finding is shown again."""
    requests: int
    """The number of requests that the run has sent before."""


class ExchangeEnded(NamedTuple):
    """
    An attempt to send a request has ended, with an answer or without.

    For requests at the same time, each event comes on a thread of its own.
    """

    exchange: Exchange


class ExchangeJudged(NamedTuple):
    phase: str
    cls: str
    exchange: Exchange
    violations: tuple[Violation, ...]
    """Its violations of selected rules."""


class FindingConfirmed(NamedTuple):
    """A finding was made of a candidate. Later equal ones are counted with it, and have no event."""

    finding: Finding


class Notice(NamedTuple):
    """A message that the user should see at once."""

    line: str


class RunFinished(NamedTuple):
    """A run has ended, and the settings were put back where this was possible."""

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


def on(kind: type[_E], react: Callable[[_E], object]) -> Listener:
    """Make a listener that reacts to one kind of event and ignores the others."""

    def listen(event: Event) -> None:
        if isinstance(event, kind):
            react(event)

    return listen


def each_of(*listeners: Listener) -> Listener:
    """Make one listener that calls several with every event, in this order."""

    def listen(event: Event) -> None:
        for listener in listeners:
            listener(event)

    return listen

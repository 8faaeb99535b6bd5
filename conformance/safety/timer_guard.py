"""
The timer guard: it keeps timers from staying shorter than they were before a run on a live target.

A shorter timer closes idle conversations, which cannot be opened again. So after each exchange that may have made a
timer shorter, the guard names the request that puts it back, to be sent next. Before a request is sent, the guard says
how many requests it may take, and it refuses probes that need a shorter timer to stay while another request is sent.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from conformance.http import Exchange, Request, update
from conformance.model import TIMERS, Field, Level, Probe
from conformance.oracle.decisions import BLANKS, Answer, decide_value, is_zero
from conformance.oracle.durations import read

LEAST = "P30D"
"""The value for a timer that was never set. It cannot be unset again, and a long timer does the least harm."""


class TimerGuard:
    """The shortest lengths that each account's timers may have, and what must be sent to keep them."""

    def __init__(self) -> None:
        self._floors: dict[int, dict[str, str]] = {}

    def protect(self, account: int, settings: Mapping[str, str | None]) -> None:
        """Set the shortest lengths of an account's timers: those of its settings before the run."""
        self._floors[account] = {each.parameter: settings.get(each.attribute) or LEAST for each in TIMERS}

    def shortens(self, request: Request) -> bool:
        """Whether a request may make a timer shorter. A value that a MUST rule has refused counts as harmless."""
        return any(
            self._is_shorter(request.account, each, value)
            for each, value in _timers_in(request)
            if (decision := decide_value(each, value)).answer is not Answer.REJECT
            or decision.level is Level.SHOULD
        )

    def cost(self, requests: Iterable[Request]) -> int:
        """Return the number of requests that sending these takes, with those that put timers back."""
        return sum(1 + self.shortens(request) for request in requests)

    def fits(self, probe: Probe) -> bool:
        """Whether no step but the last makes a timer shorter, and no steps are sent at the same moment."""
        return not probe.together and not any(self.shortens(step) for step in probe.steps[:-1])

    def owed(self, exchange: Exchange, shown: Mapping[str, str | None] | None) -> Request | None:
        """
        Return the update that puts back the timers that an exchange may have made shorter; None where there are none.

        Even an exchange without an answer may have written. `shown` are the settings in its answer, by attribute.
        """
        account = exchange.request.account
        now = [] if exchange.unwritten else list(_timers_in(exchange.request))
        now += [(each, value) for each in TIMERS if (value := (shown or {}).get(each.attribute)) is not None]
        short = {each.parameter for each, value in now if self._is_shorter(account, each, value)}
        floors = self._floors.get(account, {})
        # Both in one update: a target may refuse one of them beside the present value of the other.
        return (
            update(*((name, floors[name]) for name in floors if name in short), account=account)
            if short
            else None
        )

    def _is_shorter(self, account: int, about: Field, value: str) -> bool:
        floor = self._floors.get(account, {}).get(about.parameter)
        if floor is None or value == floor:
            return False
        return _least(value) < _least(floor.strip(BLANKS), of_zero=Decimal("Infinity"))


def _timers_in(request: Request) -> Iterable[tuple[Field, str]]:
    """Return the timers that a target may read in a request, each with its value."""
    pairs = (*((request.form() or ()) if request.method == "POST" else ()), *request.intends)
    return [(each, value) for name, value in pairs for each in TIMERS if each.parameter == name]


def _least(text: str, of_zero: Decimal = Decimal(0)) -> Decimal:
    """Return the shortest length of a text in any reading, in seconds; `of_zero` for zero, which may mean never."""
    if is_zero(text):
        return of_zero
    return min((length.low for length in read(text).values()), default=Decimal(0))

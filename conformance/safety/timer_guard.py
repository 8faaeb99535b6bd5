"""
Keeps timers from staying shorter than they were: an idle conversation that a shorter one closes is closed for good.

A run on a live target has one. It says, of every exchange, which request is owed next: the one that puts back a timer
that may be shorter now. It says beforehand what a request may cost, and which probes would need a shorter timer to
stay while another request is sent.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from conformance.http import Exchange, Request, update
from conformance.model import TIMERS, Field, Level, Probe
from conformance.oracle.decisions import BLANKS, Answer, decide_value, is_zero
from conformance.oracle.durations import read

LEAST = "P30D"
"""What a timer that was never set is kept at: it cannot be unset again, and a long one does least."""


class TimerGuard:
    """What each account's timers must not be shorter than, and what follows from it."""

    def __init__(self) -> None:
        self._floors: dict[int, dict[str, str]] = {}

    def protect(self, account: int, settings: Mapping[str, str | None]) -> None:
        """Take an account's settings as they were before the run for what its timers must not be shorter than."""
        self._floors[account] = {each.parameter: settings.get(each.attribute) or LEAST for each in TIMERS}

    def shortens(self, request: Request) -> bool:
        """Whether a timer may be shorter after a request, if the target accepts what it should or might."""
        return any(
            self._is_shorter(request.account, each, value)
            for each, value in _timers_in(request)
            if (decision := decide_value(each, value)).answer is not Answer.REJECT
            or decision.level is Level.SHOULD
        )

    def cost(self, requests: Iterable[Request]) -> int:
        """How many requests it takes to send these, those that put timers back included."""
        return sum(1 + self.shortens(request) for request in requests)

    def fits(self, probe: Probe) -> bool:
        """Whether no step needs a timer that an earlier one has made shorter, and nothing is sent at the same time."""
        return not probe.together and not any(self.shortens(step) for step in probe.steps[:-1])

    def owed(self, exchange: Exchange, shown: Mapping[str, str | None] | None) -> Request | None:
        """
        The update that puts back what an exchange may have made shorter; None when it has not.

        Args:
            exchange: what was sent and answered; no answer at all may still have written.
            shown: the settings that the answer shows.
        """
        account = exchange.request.account
        now = [] if exchange.unwritten else list(_timers_in(exchange.request))
        now += [(each, value) for each in TIMERS if (value := (shown or {}).get(each.attribute)) is not None]
        short = {each.parameter for each, value in now if self._is_shorter(account, each, value)}
        floors = self._floors.get(account, {})
        # Together: one alone may be refused beside what the other still is.
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
    pairs = (*((request.form() or ()) if request.method == "POST" else ()), *request.intends)
    return [(each, value) for name, value in pairs for each in TIMERS if each.parameter == name]


def _least(text: str, of_zero: Decimal = Decimal(0)) -> Decimal:
    """The shortest that any reading makes of a text, in seconds; a support article has zero as never."""
    if is_zero(text):
        return of_zero
    return min((length.low for length in read(text).values()), default=Decimal(0))

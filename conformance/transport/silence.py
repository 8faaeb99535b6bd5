"""The requests that a target has not answered since its last answer: the first of them may have crashed it."""

from dataclasses import replace

from conformance.http import OUT, Exchange

_KEPT = 16
"""Unanswered requests that are kept: more than are sent at the same moment."""


class Silence:
    """
    The requests of a run that were sent over an open connection, and got no answer, since the last one that did.

    A target that takes a request, closes the connection without an answer, and then takes no connection any more, may
    have crashed because of the request. It may also have been stopped at that moment: nothing tells these two cases
    apart. A target that is stopped between two requests, or a network that is down, cuts no request in this way.

    Where a proxy is still there, it answers instead that the target is out of service. This is no answer of the target.
    """

    def __init__(self) -> None:
        self.answered = 0
        """The number of the last request that was answered."""
        self.outages = 0
        """How often no connection could be opened after one had been."""
        self._unanswered: list[Exchange] = []
        self._shut = ""
        """The error of the last attempt to connect since then; empty where none failed."""

    @property
    def was_there(self) -> bool:
        """Whether the target has taken any request."""
        return bool(self.answered or self._unanswered)

    @property
    def suspects(self) -> tuple[Exchange, ...]:
        """The request after which the target was not there, or those that were under way together; else none."""
        if not (self._shut or self.is_out) or not any(each.is_lost for each in self._unanswered):
            return ()
        first = min(self._unanswered, key=lambda each: each.started)
        together = [each for each in self._unanswered if each is first or each.started < _end(first)]
        return tuple(replace(each, together=len(together) > 1) for each in together)

    def saw(self, exchange: Exchange) -> None:
        """Record an exchange; exchanges at the same time may come in any order."""
        if exchange.failure is not None and exchange.is_unreached:
            self.outages += self.was_there and not self._shut
            self._shut = exchange.failure.detail
        elif not exchange.is_lost and not exchange.is_timeout:
            self.answered = max(self.answered, exchange.number)
            self._unanswered = [each for each in self._unanswered if _end(each) > exchange.started]
            self._shut = ""
        elif exchange.connection:
            self._unanswered = [*self._unanswered, exchange][:_KEPT]
            self._shut = ""

    @property
    def is_out(self) -> bool:
        """Whether a target that was there has last been said to be out of service."""
        return bool(self.answered and self._unanswered) and self._unanswered[-1].status in OUT

    def line(self, url: str) -> str:
        """Return one line that says how the target went away; `url` is that of the resource."""
        if not self.was_there:
            return f"{url} cannot be reached: {self._shut}"
        until = f"answered until request {self.answered:,}" if self.answered else "never answered"
        if not (suspects := self.suspects):
            return f"{url} {until}, and cannot be reached since: {self._shut}"
        since = f"cannot be reached since: {self._shut}" if self._shut else "is out of service since"
        return f"{url} {until}; {without_answer(suspects)}, and it {since}"


def without_answer(suspects: tuple[Exchange, ...]) -> str:
    """Return the beginning of a sentence which says that these requests got no answer."""
    first, *others = suspects
    if others:
        numbers = ", ".join(f"{each.number:,}" for each in suspects)
        return f"requests {numbers}, sent at the same time, got no answer"
    detail = first.failure.detail if first.failure is not None else f"status {first.status}"
    return f"request {first.number:,} got no answer ({detail})"


def _end(exchange: Exchange) -> float:
    return exchange.started + exchange.elapsed

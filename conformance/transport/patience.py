"""How long a run waits for answers that do not come."""

from collections.abc import Callable

from conformance.http import Exchange

_WHOLE = 3
"""Timeouts that the run waits in full, added up; the shorter waits together may take as long once more."""

_LEAST, _SLOWER = 0.5, 3
"""The shorter wait: its minimum in seconds, and its length in multiples of the time of the slowest answer."""


class Patience:
    """
    Limits the time that a run waits for answers that do not come.

    After a few of them, the rule that every request is answered is surely broken. The run then waits less for each
    further answer, and a notice says so. Once these waits have taken as long again, the run sends no more inputs.
    """

    def __init__(self, timeout: float, notice: Callable[[str], None]) -> None:
        self._timeout = timeout
        self._notice = notice
        self._waited = 0.0
        self._slowest = 0.0
        self.cut_short = ""
        """The notice that the run waits less; empty until it does."""

    @property
    def seconds(self) -> float:
        """Seconds to wait for the next answer."""
        if self._waited < _WHOLE * self._timeout:
            return self._timeout
        return min(self._timeout, max(_LEAST, _SLOWER * self._slowest))

    @property
    def is_spent(self) -> bool:
        """Whether no more inputs should be sent."""
        return self._waited >= 2 * _WHOLE * self._timeout

    def saw(self, exchange: Exchange) -> None:
        """Record the time that an exchange took."""
        if exchange.response is not None:
            self._slowest = max(self._slowest, exchange.elapsed)
        elif exchange.is_timeout:
            self._waited += exchange.elapsed
            if not self.cut_short and self.seconds < self._timeout:
                self.cut_short = (
                    f"answers that do not come have taken {self._waited:.0f} s: after request {exchange.number:,} "
                    f"the run waits {self.seconds:.1f} s for each, and {_WHOLE * self._timeout:.0f} s for all"
                )
                self._notice(self.cut_short)

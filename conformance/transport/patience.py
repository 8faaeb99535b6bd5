"""How long a run waits for answers that do not come."""

from collections.abc import Callable

from conformance.http import Exchange, FailureKind

_WHOLE = 3
"""How often the whole timeout is waited, in seconds all together; as much is waited once more in shorter times."""

_LEAST, _SLOWER = 0.5, 3
"""The shorter time: seconds at least, and how many times as long as for the slowest answer that came."""


class Patience:
    """
    The time of a run for answers that do not come.

    After a few of them it is certain that the rule about answers is broken. The run then waits less for each further
    one, which a notice says, and when these have taken as long again, it sends no more inputs.
    """

    def __init__(self, timeout: float, notice: Callable[[str], None]) -> None:
        self._timeout = timeout
        self._notice = notice
        self._waited = 0.0
        self._slowest = 0.0
        self.cut_short = ""
        """One line that says so, once the run waits less; else empty."""

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
        """Take note of an exchange."""
        if exchange.response is not None:
            self._slowest = max(self._slowest, exchange.elapsed)
        elif exchange.failure is not None and exchange.failure.kind is FailureKind.TIMEOUT:
            self._waited += exchange.elapsed
            if not self.cut_short and self.seconds < self._timeout:
                self.cut_short = (
                    f"answers that do not come have taken {self._waited:.0f} s: after request {exchange.number:,} "
                    f"the run waits {self.seconds:.1f} s for each, and {_WHOLE * self._timeout:.0f} s for all"
                )
                self._notice(self.cut_short)

"""Prints the progress of a run: a live line on a terminal, elsewhere a plain line now and then."""

import math
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from conformance.reporting.text import plural, visible

if TYPE_CHECKING:
    from conformance.harness.events import RequestSent

INTERVAL = 10.0
"""Seconds between plain lines: a log is read later, by people who look for something else."""

_WINDOW = 10.0
"""Seconds over which speed is measured: a target can slow down, or ask to wait."""

_SETTLED = 2.0
"""Seconds after which the speed is used to estimate the time left."""


class Progress:
    """
    A context manager that shows how far a run is: of `limit` requests at most, and `within` seconds at most.

    A live line is drawn if the console is a terminal with escapes, see `console_for`.
    """

    def __init__(
        self,
        console: Console,
        *,
        limit: int | None = None,
        within: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._console = console
        self._limit = limit
        self._within = within
        self._clock = clock
        self._started = self._told = clock()
        self._phase = self._cls = ""
        self._requests = 0
        self._samples: deque[tuple[float, int]] = deque([(self._started, 0)])
        self._is_live = console.is_terminal and console.color_system is not None
        self._live = Live(
            console=console,
            get_renderable=self._line,
            refresh_per_second=5,
            transient=True,
            redirect_stdout=False,  # what a program reads there stays apart
        )

    def __enter__(self) -> Self:
        if self._is_live:
            self._live.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._live.stop()

    def update(self, sent: "RequestSent") -> None:
        """Record where the run is; this is cheap enough to be called for every request."""
        self._phase, self._cls, self._requests = sent.phase, sent.cls, sent.requests
        now = self._clock()
        if now - self._samples[-1][0] >= 1:
            self._samples.append((now, sent.requests))
            while now - self._samples[1][0] >= _WINDOW:
                self._samples.popleft()
        if not self._is_live and now - self._told >= INTERVAL:
            self._told = now
            self._console.print(self._line(), soft_wrap=True)

    def _line(self) -> Text:
        now = self._clock()
        elapsed = now - self._started
        since, before = self._samples[0]
        speed = (self._requests - before) / (now - since) if now > since else 0.0
        sent = (
            f"{self._requests:,} of at most {self._limit:,} requests"
            if self._limit
            else plural(self._requests, "request")
        )
        rate = f"{speed:,.0f}/s" if elapsed > 0.5 and speed >= 1 else ""
        taken = f"{elapsed:.0f} s"
        if self._within is not None and elapsed > self._within / 10:
            taken += f" of at most {self._within:.0f} s"
        left = ""
        if self._limit and self._requests < self._limit and elapsed >= _SETTLED and speed > 0:
            left = f"at most {_span((self._limit - self._requests) / speed)} left"
        parts = [visible(self._phase), sent, rate, taken, left, visible(self._cls)]
        return Text(" · ".join(part for part in parts if part), no_wrap=True, overflow="ellipsis")


def _span(seconds: float) -> str:
    """Return a length of time in words, no more exact than it can be known."""
    if seconds < 60:
        return f"{math.ceil(seconds / 5) * 5} s"
    return f"{math.ceil(seconds / 60):,} min" if seconds < 5400 else f"{math.ceil(seconds / 3600):,} h"

"""
The pace of a run: it keeps to the rate of the settings, and waits where the target asks for it.

A run has one pace. It waits after an answer 429, or 503 with Retry-After, before the request is repeated. After a 429
it also keeps a distance, in seconds, between all further requests. Each 429 doubles the distance, and any other answer
shrinks it.
"""

import math
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC
from email.utils import parsedate_to_datetime

from conformance.exceptions import OutOfTime, RateLimitedOut
from conformance.http import Response
from conformance.transport.settings import TIME_TO_PUT_BACK, TargetSettings

TRIES = 5
"""The greatest number of times that a request is sent where the target asks to wait."""

BACKOFF_START = 0.1
BACKOFF_CEILING = 30.0
"""The first and the longest wait, in seconds, where the target does not say how long, as Twilio recommends."""

_DISTANCE_START = 0.01
_DISTANCE_CEILING = 5.0
"""The first and the greatest distance between requests, in seconds."""

_RECOVERY = 0.9
"""The factor by which any answer but 429 shrinks the distance; below a tenth of the first it becomes 0."""


class Pace:
    """Waits until the next request may be sent; a notice says so whenever the target makes the run wait."""

    def __init__(self, settings: TargetSettings, notice: Callable[[str], None]) -> None:
        self._apart = 1 / settings.rate if settings.rate else 0.0
        # By whether a request is sent on the reserve: putting settings back has a patience of its own.
        self._patience = {False: settings.patience, True: min(settings.patience, TIME_TO_PUT_BACK)}
        self._refusals = settings.refusals
        self._random = random.Random(settings.seed)
        self._notice = notice
        self._lock = threading.Lock()
        self._next = 0.0
        self._distance = self._widest = 0.0
        self._pressure = 0
        self._waited = {False: 0.0, True: 0.0}
        self._stayed = {False: 0, True: 0}
        self._asked = Counter[int]()

    @property
    def until_turn(self) -> float:
        """Seconds until the next request may be sent."""
        return max(0.0, self._next - time.perf_counter())

    def turn(self, count: int) -> None:
        """Wait until `count` requests may be sent at the same moment."""
        with self._lock:
            apart = max(self._apart, self._distance)
            if not apart:
                return
            start = max(time.perf_counter(), self._next)
            self._next = start + count * apart
        time.sleep(max(0.0, start - time.perf_counter()))

    def wait(self, response: Response | None, reserve: bool, within: float = math.inf) -> bool:
        """
        Wait as long as a response asks for, and return whether it did; then the request must be repeated.

        A request on the reserve has a patience of its own. `within` seconds are left of the run.

        Raises:
            RateLimitedOut: The wait is longer than the time left of `patience`.
            OutOfTime: The wait is longer than the run may be.
        """
        pause = self._pause(response)
        if pause is None or response is None:
            return False
        left = self._patience[reserve] - self._waited[reserve]
        if pause > left:
            raise RateLimitedOut(
                f"status {response.status} asks to wait {pause:.1f} s; {max(left, 0):.1f} s are left of "
                f"the {self._patience[reserve]:g} s that may be spent waiting"
            )
        if pause > within:
            # After a row of such answers it is not the time that is missing.
            ended = RateLimitedOut if self._pressure > TRIES else OutOfTime
            raise ended(f"status {response.status} asks to wait {pause:.1f} s, longer than the run may be")
        self._asked[response.status] += 1
        self._waited[reserve] += pause
        self._notice(f"status {response.status}: waiting {pause:.1f} s before the next request")
        time.sleep(pause)
        return True

    def stayed_limited(self, reserve: bool) -> None:
        """
        Count a request that was answered 429 at its last try.

        Raises:
            RateLimitedOut: There were more than `refusals` of them.
        """
        self._stayed[reserve] += 1
        if self._stayed[reserve] > self._refusals:
            raise RateLimitedOut(f"{self._stayed[reserve]} requests stayed 429 after {TRIES} tries each")

    def slowed(self) -> str:
        """Return one line that says how the target has slowed the run down; empty where it has not."""
        if not self._asked:
            return ""
        times = ", ".join(
            f"{status} {'once' if count == 1 else f'{count} times'}"
            for status, count in sorted(self._asked.items())
        )
        line = f"the target asked to wait: {times}; {sum(self._waited.values()):.1f} s in all"
        if self._widest:
            line += f"; requests were up to {self._widest:.2g} s apart after that"
        return line

    def _pause(self, response: Response | None) -> float | None:
        """Adjust the distance, and return the seconds to wait before the request is repeated; None not to repeat it."""
        limited = response is not None and response.status == 429
        if limited:
            self._distance = min(_DISTANCE_CEILING, max(_DISTANCE_START, 2 * self._distance))
            self._widest = max(self._widest, self._distance)
        else:
            self._distance *= _RECOVERY
            if self._distance < _DISTANCE_START / 10:
                self._distance = 0.0
        if response is None or response.status not in (429, 503):
            self._pressure = 0
            return None
        asked = retry_after(response)
        if asked is None and limited:
            self._pressure += 1
            jitter = self._random.uniform(0.9, 1.1)
            asked = min(BACKOFF_CEILING, BACKOFF_START * 2 ** (self._pressure - 1)) * jitter
        return asked


def retry_after(response: Response) -> float | None:
    """Return the seconds that a Retry-After header asks for, in either form (RFC 9110 10.2.3); None without them."""
    value = (response.header("retry-after") or "").strip()
    if re.fullmatch("[0-9]{1,9}", value):
        return float(value)
    try:
        when = parsedate_to_datetime(value)
        # A date may have three forms, all in UTC; that of asctime names no zone (RFC 9110 5.6.7).
        seconds = (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() - time.time()
        return max(0.0, seconds)
    except (ValueError, OverflowError):  # OverflowError: a year of 30 digits
        return None

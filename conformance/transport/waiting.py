"""Waits for a target that is being started."""

import time
from dataclasses import replace

from conformance.http import NO_AUTH, READ
from conformance.transport.target import Target, TargetSettings

_PAUSE = 0.2
"""Seconds between two tries."""


def wait_for_answer(settings: TargetSettings, seconds: float) -> None:
    """
    Wait until a target answers a read over HTTP, whatever the answer is; after `seconds`, return all the same.

    A port that accepts connections is not enough: that of a container does so before its server has started. The read
    carries no credentials, and no report shows it.
    """
    deadline = time.monotonic() + seconds
    patient = replace(settings, max_requests=None, timeout=min(settings.timeout, seconds))
    with Target(patient) as target:
        while (
            target.send(replace(READ, auth=NO_AUTH)).response is None and time.monotonic() + _PAUSE < deadline
        ):
            time.sleep(_PAUSE)

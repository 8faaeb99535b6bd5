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

    def gets_an_answer(target: Target) -> bool:
        # On the reserve, so that a port which hangs up and then is closed is no target that has gone away.
        return target.send(replace(READ, auth=NO_AUTH), reserve=True).response is not None

    deadline = time.monotonic() + seconds
    patient = replace(settings, max_requests=None, timeout=min(settings.timeout, seconds))
    with Target(patient) as target:
        while not gets_an_answer(target) and time.monotonic() + _PAUSE < deadline:
            time.sleep(_PAUSE)

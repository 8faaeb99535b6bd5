"""A target of the suite at a server that gives a play."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import hostile
import pytest

from conformance.http import Exchange, update
from conformance.transport.target import Target, TargetSettings

UPDATE = update(("DefaultClosedTimer", "PT10M"))


@contextmanager
def playing(name: str | hostile.Play, **settings: object) -> Iterator[tuple[hostile.Hostile, Target]]:
    quick: dict[str, object] = {"timeout": 5.0} | settings
    with (
        hostile.Hostile(name) as server,
        Target(TargetSettings(url=server.url, **quick)) as target,  # type: ignore[arg-type]  # tests name them
    ):
        yield server, target


def sent_in_time(target: Target) -> Exchange:
    """The exchange of an update, which ends within its timeout and a second; a busy machine gets two more tries."""
    for _ in range(3):
        began = time.monotonic()
        exchange = target.send(UPDATE)
        if time.monotonic() - began < target.settings.timeout + 1.0:
            return exchange
    pytest.fail(f"{target.settings.timeout} s, and more than a second beyond")

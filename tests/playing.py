"""A target of the suite at a server that gives a play."""

from collections.abc import Iterator
from contextlib import contextmanager

import hostile

from conformance.http import update
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

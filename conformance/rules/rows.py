"""Makes rows of the catalogue."""

from functools import partial
from typing import Any

from conformance.model import Aspect, InputClass, Level, Rule
from conformance.rules.controls import Control, taken


def row(level: Level, rule_id: str, statement: str, source: str, *classes: InputClass, **more: Any) -> Rule:
    """
    Make a row of the catalogue, with other fields of the `Rule`, such as its aspect and its evidence.

    A rule about one setting is of the group of such settings.
    """
    if (about := more.get("field")) is not None:
        more["group"] = f"{about.kind}s"
    return Rule(id=rule_id, level=level, statement=statement, source=source, classes=classes, **more)


must, should = partial(row, Level.MUST), partial(row, Level.SHOULD)


def peculiar(
    level: Level,
    control: Control,
    rule_id: str,
    statement: str,
    source: str,
    *classes: InputClass,
    **more: Any,
) -> Rule:
    """Make a row of a rule that requests which are peculiar in one way are served as others are; see `row`."""
    common = {"group": "protocol", "aspect": Aspect.METHOD, "evidence": taken(control), "control": control}
    return row(level, rule_id, statement, source, *classes, **{**common, **more})

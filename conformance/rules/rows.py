"""Makes rows of the catalogue."""

from collections.abc import Callable
from functools import partial
from typing import TypedDict, Unpack

from conformance.http import Exchange
from conformance.model import Aspect, Evidence, Field, InputClass, Level, Rule
from conformance.rules.controls import Control, evidence_of


class Columns(TypedDict, total=False):
    """The fields of a `Rule` that are given by name; an aspect and evidence are always needed."""

    group: str
    aspect: Aspect
    evidence: Evidence
    field: Field | None
    needs_accounts: int
    package: str
    needs: str
    culprit: Callable[[Exchange, Exchange], bool]
    control: Control


def row(
    level: Level, rule_id: str, statement: str, source: str, *classes: InputClass, **columns: Unpack[Columns]
) -> Rule:
    """Make a row of the catalogue. A rule about one setting is of the group of such settings."""
    if (about := columns.get("field")) is not None:
        columns["group"] = f"{about.kind}s"
    return Rule(id=rule_id, level=level, statement=statement, source=source, classes=classes, **columns)


must, should = partial(row, Level.MUST), partial(row, Level.SHOULD)


def peculiar(
    level: Level,
    plain: Control,
    rule_id: str,
    statement: str,
    source: str,
    *classes: InputClass,
    **columns: Unpack[Columns],
) -> Rule:
    """
    Make a row of a rule that requests which are peculiar in one way are served as others are.

    `plain` makes the same request without the peculiarity; see `Rule.control`. For the rest see `row`.
    """
    common = Columns(group="protocol", aspect=Aspect.METHOD, evidence=evidence_of(plain), control=plain)
    return row(level, rule_id, statement, source, *classes, **(common | columns))

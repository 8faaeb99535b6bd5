"""A notation is uneven where an answer contradicts its boundaries and gaps, and only there."""

from decimal import Decimal
from typing import Literal

import pytest

from conformance.explore.notations import GRIDS, Grid, nominal_seconds
from conformance.explore.unevenness import uneven
from conformance.explore.values import Boundary, Gap, Point


def boundary(
    end: Literal["least", "greatest"], refused: int | None, accepted: int | None, *, exact: bool = True
) -> Boundary:
    texts = [None if number is None else f"PT{number}S" for number in (refused, accepted)]
    return Boundary(notation="seconds", end=end, refused=texts[0], accepted=texts[1], exact=exact)


def points(**asked: bool) -> list[Point]:
    return [
        Point("closed-timer", "seconds", nominal_seconds(text) or Decimal(0), accepted, text)
        for text, accepted in asked.items()
    ]


ENDS = (boundary("least", 599, 600), boundary("greatest", 10_001, 10_000))
GAP = Gap(notation="seconds", before="PT999S", first="PT1000S", last="PT1999S", after="PT2000S")
SEEN = {"PT599S": False, "PT600S": True, "PT10000S": True, "PT10001S": False}


@pytest.mark.parametrize(
    ("ends", "gaps", "asked", "expected"),
    [
        (ENDS, (), {}, False),
        (ENDS, (), {"PT700S": False}, True),
        (ENDS, (), {"PT300S": True}, True),
        (ENDS, (), {"PT20000S": True}, True),
        (ENDS, (), {"PT0300S": True, "PT300.0S": True}, False),
        (ENDS, (GAP,), {"PT1500S": False}, False),
        (ENDS, (GAP,), {"PT1500S": True}, True),
        (ENDS, (GAP,), {"PT2500S": False}, True),
        (ENDS, (GAP, GAP), {"PT2500S": False}, False),
        ((boundary("least", 300, 600, exact=False), ENDS[1]), (), {"PT400S": True}, False),
        ((boundary("least", 300, 600, exact=False), ENDS[1]), (), {"PT299S": True}, True),
        ((boundary("least", 599, 600),), (), {"PT20000S": False}, False),
        ((boundary("least", 599, None),), (), {"PT600S": False, "PT10000S": False}, False),
        ((boundary("least", 599, None),), (), {}, True),
        ((boundary("least", 599, None, exact=False),), (), {}, False),
        ((boundary("least", 599, None, exact=False),), (), {"PT300S": True}, True),
    ],
)
def test_only_an_answer_that_contradicts_makes_a_notation_uneven(
    ends: tuple[Boundary, ...], gaps: tuple[Gap, ...], asked: dict[str, bool], expected: bool
) -> None:
    found = uneven(ends, gaps, points(**{**SEEN, **asked}))
    assert [each.notation for each in found] == ["seconds"] * expected
    for each in found:
        assert each.taken[0] == min(
            (text for text, accepted in {**SEEN, **asked}.items() if accepted),
            key=lambda text: (len(text), text),
        )


@pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)
def test_a_grid_knows_the_number_of_what_it_has_written(grid: Grid) -> None:
    numbers = [1, 59, 12, 365, 10**9 + 1, 10**12 + 12_345_678_915]
    assert [grid.number_of(grid.write(number)) for number in numbers] == numbers


@pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)
def test_a_grid_reads_its_longest_text(grid: Grid) -> None:
    assert grid.number_of(grid.write(grid.longest)) == grid.longest


@pytest.mark.parametrize("text", ["banana", "PT01H", "PT1.50H", "P1DT36H", "PT0S"])
def test_a_text_that_no_grid_writes_has_no_number(text: str) -> None:
    assert {grid.number_of(text) for grid in GRIDS.values()} == {None}

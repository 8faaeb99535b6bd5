"""What the terminal shows fits on its lines, however long what was sent is."""

from io import StringIO

import pytest
from rich.console import Console

from conformance.explore import Exploration, explore, view
from conformance.explore.boundaries import Budget
from conformance.explore.describe import duration
from conformance.explore.values import Boundary
from conformance.model import shortened
from explore.doors import InProcess, Settings, both
from explore.settings import length


def lines_of(found: Exploration, width: int) -> list[str]:
    stream = StringIO()
    Console(width=width, file=stream).print(view(found))
    return [line.rstrip() for line in stream.getvalue().splitlines()]


@pytest.fixture(scope="module")
def capped() -> Exploration:
    def accepts(text: str) -> bool:
        return text[-1:] in ("S", "M") and text[:2] == "PT" and text[2:-1].isdecimal() and fits(text)

    def fits(text: str) -> bool:
        return len(text) < 4000 and 600 <= length(text) < 12 * 10**30

    return explore(InProcess(Settings(both(accepts))))


@pytest.mark.parametrize("width", [80, 100, 120, 200])
def test_no_line_is_cut(capped: Exploration, width: int) -> None:
    lines = lines_of(capped, width)
    assert max(map(len, lines)) <= width
    shown = "\n".join(lines)
    for text in ("PT599S", "PT600S", "minutes-seconds-point", duration("PT12" + 30 * "0" + "S", 20)):
        assert text in shown


def test_one_end_is_a_line_where_there_is_little_room(capped: Exploration) -> None:
    narrow, wide = (
        next(line for line in lines_of(capped, width) if line.lstrip().startswith("seconds "))
        for width in (80, 120)
    )
    assert narrow.split() == ["seconds", "from", "PT600S", "PT599S"]
    assert wide.split()[:3] == ["seconds", "PT599S", "PT600S"]


@pytest.mark.parametrize("room", [20, 44])
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("PT863999999999999999999999999949999S", "PT863999999999999999999999999950000S"),
        ("P" + 55 * "9" + "D", "P1" + 55 * "0" + "D"),
        ("PT" + "9" * 4999 + "M59S", "PT" + "9" * 5000 + "M0S"),
    ],
    ids=["36", "58", "5000"],
)
def test_neighbours_still_differ_when_they_are_shortened(one: str, other: str, room: int) -> None:
    assert len({duration(one, room), duration(other, room)}) == 2
    assert max(len(duration(text, room)) for text in (one, other)) <= room


@pytest.mark.parametrize("limit", [10, 20, 40, 100])
@pytest.mark.parametrize("length", [5, 10, 11, 99, 1_000_000])
def test_a_shortened_text_keeps_both_ends_and_the_limit(length: int, limit: int) -> None:
    text = "a" + "x" * (length - 2) + "z"
    short = shortened(text, limit)
    assert len(short) <= limit
    assert (short == text) == (length <= limit)
    assert short[0] == "a"
    assert "z" in short


@pytest.mark.slow
def test_an_end_that_was_cut_short_is_shown_as_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "conformance.explore.exploration.Budget", lambda searches: Budget(searches, limit=250)
    )
    found = explore(InProcess(Settings(both(lambda text: len(text) < 40 and text[:1] == "P"))))
    inexact: list[Boundary] = [each for each in found.closed.boundaries if not each.exact]
    assert inexact
    assert "≤ " in "\n".join(lines_of(found, 120))

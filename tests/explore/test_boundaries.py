"""What is found equals the truth, which is computed from the settings, not searched."""

import random
import re
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

import pytest

from conformance.explore.boundaries import Known, flip, search
from conformance.explore.notations import GRIDS, Grid, notation_of
from conformance.explore.values import Answer, Boundary, Taken

SETTINGS = 200
_PART = re.compile("([0-9]+)(?:[.,]([0-9]+))?([YMWDHS])")
_DATE = {"Y": 365 * 86400, "M": 30 * 86400, "W": 7 * 86400, "D": 86400}
_TIME = {"H": 3600, "M": 60, "S": 1}


def length(text: str) -> Fraction:
    """Of a well-formed duration, with months of 30 days and years of 365."""
    date, _, time = text[1:].partition("T")
    return sum(
        (
            Fraction(int(whole) * 10 ** len(fraction) + int(fraction or 0), 10 ** len(fraction)) * units[unit]
            for part, units in ((date, _DATE), (time, _TIME))
            for whole, fraction, unit in _PART.findall(part)
        ),
        Fraction(0),
    )


@dataclass(frozen=True)
class Drawn:
    """A target that reads lengths to a precision and takes those from a minimum up to a cap, in some notations."""

    minimum: Fraction
    cap: Fraction | None
    precision: Fraction | None
    rounds: bool
    notations: frozenset[str]

    def answer(self, text: str) -> Answer:
        if len(text) > 4000:  # more than Python's int reads: beyond every cap, within no cap
            taken = self.cap is None
        else:
            seconds = length(text)
            if self.precision is not None:
                steps = seconds / self.precision
                seconds = (floor(steps + Fraction(1, 2)) if self.rounds else floor(steps)) * self.precision
            taken = self.minimum <= seconds and (self.cap is None or seconds <= self.cap)
        taken = taken and self._of_a_known_notation(text)
        return Answer(
            field="closed-timer",
            text=text,
            taken=Taken.ACCEPTED if taken else Taken.REFUSED,
            status=200 if taken else 400,
        )

    def _of_a_known_notation(self, text: str) -> bool:
        return self.current in self.notations

    current: str = ""

    def least(self) -> Fraction:
        """The length from which on values are taken."""
        if self.precision is None:
            return self.minimum
        return (ceil(self.minimum / self.precision) - (Fraction(1, 2) if self.rounds else 0)) * self.precision

    def beyond(self) -> Fraction | None:
        """The length from which on values are not taken any more; itself taken only without precision."""
        if self.cap is None or self.precision is None:
            return self.cap
        return (floor(self.cap / self.precision) + (Fraction(1, 2) if self.rounds else 1)) * self.precision


def draw(number: int) -> Drawn:
    chosen = random.Random(number)
    minimum = Fraction(chosen.choice((1, 60, 600, 3600, chosen.randint(1, 10**7), chosen.randint(1, 10**4))))
    if chosen.random() < 0.3:
        minimum += Fraction(chosen.randint(1, 10**9 - 1), 10**9)
    cap = None if chosen.random() < 0.4 else minimum * chosen.randint(4, 100) ** chosen.randint(1, 6)
    precision = chosen.choice((None, None, Fraction(1, 10**6), Fraction(1, 1000), Fraction(1)))
    names = frozenset(chosen.sample(list(GRIDS), chosen.randint(3, len(GRIDS))))
    return Drawn(minimum, cap, precision, chosen.random() < 0.5, names)


def truth(grid: Grid, drawn: Drawn) -> tuple[int, int | None] | None:
    """The least and the greatest number of a grid that are taken; None as the latter where there is no cap."""
    least = max(1, first_reaching(grid, drawn.least()))
    beyond = drawn.beyond()
    if beyond is None:
        return least, None
    greatest = first_reaching(grid, beyond) - 1
    if drawn.precision is None and length(grid.write(greatest + 1)) == beyond:
        greatest += 1
    return (least, greatest) if greatest >= least else None


def first_reaching(grid: Grid, seconds: Fraction) -> int:
    """The first number of a grid that is so long: a division, but for years of 365 days with months of 30."""
    if grid.name == "years-months":
        years, rest = divmod(seconds, _DATE["Y"])
        return int(years) * 12 + min(12, ceil(rest / _DATE["M"]))
    first: int = ceil(seconds / (length(grid.write(10**grid.places)) / 10**grid.places))
    return first


@pytest.mark.parametrize("number", range(SETTINGS))
def test_boundaries_of_randomly_drawn_settings_are_found_exactly(number: int) -> None:
    drawn = draw(number)
    known, asked = Known(Fraction(600)), 0
    for name, grid in GRIDS.items():
        current = Drawn(drawn.minimum, drawn.cap, drawn.precision, drawn.rounds, drawn.notations, name)
        seen: dict[str, Answer] = {}

        def ask(text: str, current: Drawn = current, seen: dict[str, Answer] = seen) -> Answer:
            return seen.setdefault(text, current.answer(text))

        found = search(grid, ask, known).boundaries
        asked += len(seen)
        expected = truth(grid, drawn) if name in drawn.notations else None
        assert shown(found) == wanted(grid, expected), (name, drawn)
        assert all(each.exact for each in found), (name, drawn)
    assert asked <= 400


def shown(found: tuple[Boundary, ...]) -> list[tuple[str, str | None, str | None]]:
    return [(each.end, each.refused, each.accepted) for each in found if each.accepted is not None]


def wanted(grid: Grid, expected: tuple[int, int | None] | None) -> list[tuple[str, str | None, str | None]]:
    if expected is None:
        return []
    least, greatest = expected
    below = grid.write(least - 1) if least > 1 else None
    if greatest is None:
        return [("least", below, grid.write(least)), ("greatest", None, grid.write(grid.longest))]
    return [
        ("least", below, grid.write(least)),
        ("greatest", grid.write(greatest + 1), grid.write(greatest)),
    ]


def test_a_gap_is_reported_with_its_edges() -> None:
    def ask(text: str) -> Answer:
        seconds = length(text) if len(text) < 4000 else Fraction(10**9)
        taken = seconds >= 600 and not 30_000 <= seconds < 90_000
        return Answer(
            field="closed-timer",
            text=text,
            taken=Taken.ACCEPTED if taken else Taken.REFUSED,
            status=200 if taken else 400,
        )

    (gap,) = search(GRIDS["seconds"], ask, Known(Fraction(600))).gaps
    assert (gap.before, gap.first, gap.last, gap.after) == ("PT29999S", "PT30000S", "PT89999S", "PT90000S")


@pytest.mark.parametrize(
    "edge",
    [
        pytest.param(edge, id=name)
        for name, edge in (
            ("2", 2),
            ("3", 3),
            ("77", 77),
            ("1e9", 10**9),
            ("1e40", 10**40 + 1),
            ("1e4999", 10**4999),
        )
    ],
)
def test_flip_finds_the_neighbours_between_which_an_answer_changes(edge: int) -> None:
    low, high, exact = flip(lambda number: number >= edge, 1, 10**5000, [], late=[], steps=20_000)
    assert (low, high, exact) == (edge - 1, edge, True)


def test_flip_says_when_it_gave_up() -> None:
    low, high, exact = flip(lambda number: number >= 10**50 + 12345, 1, 10**5000, [], steps=5)
    assert low < 10**50 + 12345 <= high
    assert not exact


def test_texts_of_a_grid_grow_with_their_number() -> None:
    for name, grid in GRIDS.items():
        lengths = [length(grid.write(number)) for number in (1, 2, 59, 60, 61, 3600, 10**9, 10**12 + 1)]
        assert lengths == sorted(set(lengths)), name


def test_a_notation_is_recognised_by_its_shape() -> None:
    for name, grid in GRIDS.items():
        assert notation_of(grid.write(10**12 + 12_345_678_915)) == name
    assert notation_of("banana") is None

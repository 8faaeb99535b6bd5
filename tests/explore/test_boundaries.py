"""What is found equals the truth, which is computed from the settings, not searched."""

from fractions import Fraction
from math import isfinite

import pytest

from conformance.explore import explore
from conformance.explore.bisection import flip
from conformance.explore.boundaries import LIMIT, Budget, Known, search
from conformance.explore.notations import GRIDS, notation_of
from conformance.explore.values import Answer, Boundary, Taken
from conformance.model import CLOSED, INACTIVE
from conformance.transport.credentials import THROWAWAY
from conformance.transport.target import Target, TargetSettings
from explore.doors import over_http
from explore.settings import Drawn, both_timers, differences, emulated, length

pytestmark = pytest.mark.slow

SETTINGS = 60
"""`benchmarks/timers.py` tries two hundred, over HTTP."""
SERVED = (0, 122, 186)
"""Settings that are served over HTTP too: some of the costliest."""


@pytest.mark.parametrize("number", range(SETTINGS))
def test_boundaries_of_randomly_drawn_settings_are_found_exactly(number: int) -> None:
    settings = both_timers(number)
    known = {slug: Known(Fraction(minimum)) for slug, minimum in ((CLOSED.slug, 600), (INACTIVE.slug, 60))}
    known[CLOSED.slug].sibling, known[INACTIVE.slug].sibling = known[INACTIVE.slug], known[CLOSED.slug]
    budget = Budget(searches=2 * len(GRIDS))
    found: dict[str, list[Boundary]] = {slug: [] for slug in settings}
    for name, grid in GRIDS.items():
        for slug, drawn in settings.items():
            seen: dict[str, Answer] = {}

            def ask(
                text: str, drawn: Drawn = drawn, seen: dict[str, Answer] = seen, name: str = name
            ) -> Answer:
                budget.spent += text not in seen
                return seen.setdefault(text, drawn.answer(text, name))

            found[slug] += search(grid, ask, known[slug], budget).boundaries
    for slug, drawn in settings.items():
        assert differences(found[slug], drawn) == []
    assert budget.spent <= LIMIT


@pytest.mark.parametrize("number", SERVED)
def test_boundaries_of_an_emulator_with_drawn_settings_are_found_exactly(number: int) -> None:
    settings = both_timers(number, least=60)
    app = emulated(settings, {account.user: account.token for account in THROWAWAY})
    with over_http(app) as url, Target(TargetSettings(url=url, accounts=THROWAWAY)) as target:
        found = explore(target)
    for reading in found.timers:
        assert differences(reading.boundaries, settings[reading.field]) == []
    stages = dict(found.requests_by_stage)
    assert stages["first boundary"] + stages["boundaries"] <= LIMIT


def test_what_the_purse_does_not_reach_is_told_as_not_exact() -> None:
    budget = Budget(searches=1, limit=12)
    asked = set()

    def ask(text: str) -> Answer:
        asked.add(text)
        budget.spent = len(asked)
        taken = length(text) >= 123_457
        return Answer(
            field=CLOSED.slug,
            text=text,
            taken=Taken.ACCEPTED if taken else Taken.REFUSED,
            status=200 if taken else 400,
        )

    least = search(GRIDS["seconds"], ask, Known(Fraction(600)), budget).boundaries[0]
    assert len(asked) <= 12
    assert not least.exact
    assert least.refused is not None
    assert least.accepted is not None
    assert length(least.refused) < 123_457 <= length(least.accepted)


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

    (gap,) = search(GRIDS["seconds"], ask, Known(Fraction(600)), Budget(searches=1)).gaps
    assert (gap.before, gap.first, gap.last, gap.after) == ("PT29999S", "PT30000S", "PT89999S", "PT90000S")


@pytest.mark.parametrize("base", [2, 10])
@pytest.mark.parametrize(
    "edge",
    [
        pytest.param(edge, id=name)
        for name, edge in (
            ("1", 1),
            ("2", 2),
            ("3", 3),
            ("77", 77),
            ("1e9", 10**9),
            ("2^63", 2**63),
            ("1e40", 10**40 + 1),
            ("1e4999", 10**4999),
        )
    ],
)
def test_flip_finds_the_neighbours_between_which_an_answer_changes(edge: int, base: int) -> None:
    low, high, exact = flip(lambda number: number >= edge, 0, 10**5000, base=base)
    assert (low, high, exact) == (edge - 1, edge, True)


@pytest.mark.parametrize("factor", [1, 60, 3600, 1000])
def test_flip_finds_where_a_float_overflows(factor: int) -> None:
    def fits(number: int) -> bool:
        try:
            return isfinite(float(number) * factor)
        except OverflowError:
            return False

    low, high, exact = flip(fits, 1, 10**5000)
    assert exact
    assert fits(low)
    assert not fits(high)


def test_flip_says_when_it_gave_up() -> None:
    low, high, exact = flip(lambda number: number >= 10**50 + 12345, 1, 10**5000, steps=5)
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

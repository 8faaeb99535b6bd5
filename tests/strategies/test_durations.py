import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import isodate
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument

from conformance_strategies import NOTATIONS, durations, durations_near, near, spellings
from strategies.readings import length
from strategies.sampling import minimal, sample

DAY = 86_400
#: By the name of a notation, the shape of its members.
SHAPES = {
    "minutes": r"PT\d+M",
    "seconds": r"PT\d+S",
    "hours": r"PT\d+H",
    "days": r"P\d+D",
    "weeks": r"P\d+W",
    "mixed": r"P(?=.*\d[A-Z].*\d[A-Z])([1-9]\d*D)?(T([1-9]\d*H)?([1-9]\d*M)?([1-9]\d*S)?)?",
    "carry-over": r"PT\d+M([6-9]\d|\d{3,})S|PT\d+H([6-9]\d|\d{3,})M|P\d+DT(2[4-9]|[3-9]\d|\d{3,})H",
    "zero-components": r"(?=.*\d[A-Z].*\d[A-Z])(?=.*[A-Z]0[A-Z])"
    r"P(\d+Y)?(\d+M)?(\d+D)?(T(\d+H)?(\d+M)?(\d+S)?)?",
    "leading-zeros": r"PT?0\d+[WDHMS]",
    "fraction-point": r"P[^.,]*\d+\.\d+[A-Z]",
    "fraction-comma": r"P[^.,]*\d+,\d+[A-Z]",
    "months": r"P\d+M",
    "years": r"P\d+Y",
    "calendar": r"P(?=.*\d[A-Z].*\d[A-Z])(\d+Y)?(\d+M)?(\d+D)?(T(\d+H)?(\d+M)?(\d+S)?)?",
}


def bounds(text: str) -> tuple[Fraction, Fraction]:
    found = length(text)
    assert found is not None, f"{text} is no duration"
    return found


def test_every_notation_has_a_shape() -> None:
    assert set(SHAPES) == set(NOTATIONS)


@pytest.mark.slow
@pytest.mark.parametrize("notation", NOTATIONS)
@pytest.mark.parametrize(
    ("low", "high"),
    [(0, 3653 * DAY), (60, 30 * DAY), (600, 400 * DAY), (3 * DAY, 800 * DAY), (366 * DAY, 732 * DAY)],
)
def test_every_notation_keeps_to_its_shape_and_the_bounds(notation: str, low: int, high: int) -> None:
    if (notation == "years" and high < 366 * DAY) or (notation in ("months", "calendar") and high < 31 * DAY):
        pytest.skip("a month or year is longer")
    for text in sample(durations(min_value=low, max_value=high, notations=[notation]), 100):
        least, greatest = bounds(text)
        assert low <= least <= greatest <= high
        assert re.fullmatch(SHAPES[notation], text)


@pytest.mark.parametrize("notation", NOTATIONS)
def test_notations_have_distinct_examples_of_their_shape(notation: str) -> None:
    examples = NOTATIONS[notation].examples()
    assert len(set(examples)) == len(examples) > 1
    assert all(length(text) is not None for text in examples)
    assert re.fullmatch(SHAPES[notation], examples[0])


TABLES = {
    "PT1M", "PT60S", "PT59S", "PT0S", "PT0M", "P0D", "P0Y", "P0W", "PT10M", "PT600S", "PT9M60S",
    "PT0H10M",
    "PT010M", "P1D", "P1DT0H", "P1W", "P2W", "P1Y", "P1M", "P1Y2M3DT4H5M6S", "PT36H", "P1Y1D", "PT1H1S",
    "P1MT1M",
    "PT1.5M", "PT1,5M", "PT59.5S", "PT60.0S", "PT59.999999999S", "PT59.9999999999S", "P0.5D", "P0,5W",
    "P0.5Y",
    "PT1,000S", "PT99999999999999999999S", "PT9223372036854775807S", "PT9223372036854775808S",
    "P999999999D",
    "P1000000000D", "P99999999999Y", "PT" + "9" * 400 + "S", "PT" + "0" * 400 + "600S",
    "PT00000000000000000000600S",
}  # fmt: skip


def test_a_duration_of_the_dialect_tables_is_an_example() -> None:
    assert sorted(TABLES - {example for each in NOTATIONS.values() for example in each.examples()}) == []


@pytest.mark.slow
def test_isodate_agrees_where_it_is_exact() -> None:
    """Isodate is exact for whole numbers of fixed units that fit a timedelta."""
    whole = [
        name
        for name in NOTATIONS
        if not name.startswith("fraction") and name not in ("months", "years", "calendar")
    ]
    for text in sample(durations(max_value=timedelta(days=400), notations=whole), 500):
        parsed = isodate.parse_duration(text)
        seconds = parsed.total_seconds() if isinstance(parsed, timedelta) else parsed.tdelta.total_seconds()
        assert bounds(text) == (seconds, seconds)


@pytest.mark.slow
def test_durations_come_in_every_notation() -> None:
    drawn = sample(durations(), 1000)
    assert all(any(re.fullmatch(shape, text) for text in drawn) for shape in SHAPES.values())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("value", "seconds"),
    [(600, 600), (timedelta(minutes=10), 600), (Decimal(600), 600), (Decimal("0.000000001"), Fraction(1,
    10**9)),
     (timedelta(microseconds=1), Fraction(1, 10**6))],
)  # fmt: skip
def test_bounds_may_be_integers_decimals_or_timedeltas(
    value: int | Decimal | timedelta, seconds: Fraction
) -> None:
    assert all(
        bounds(text) == (seconds, seconds) for text in sample(durations(min_value=value, max_value=value), 50)
    )


@pytest.mark.slow
def test_both_bounds_are_drawn() -> None:
    drawn = [
        bounds(text)
        for text in sample(durations(min_value=60, max_value=7200, notations=["seconds", "mixed"]), 500)
    ]
    assert min(drawn)[0] == 60
    assert max(drawn)[0] == 7200


@pytest.mark.slow
@pytest.mark.parametrize(
    ("low", "expected"),
    [(0, "PT0M"), (1, "PT1M"), (60, "PT1M"), (600, "PT10M"), (DAY, "PT1440M"), (61, "PT2M")],
)
def test_durations_shrink_to_the_shortest_number_of_minutes(low: int, expected: str) -> None:
    assert minimal(durations(min_value=low)) == expected


@pytest.mark.slow
@pytest.mark.parametrize(
    ("notation", "expected"),
    [
        ("seconds", "PT600S"), ("hours", "PT1H"), ("days", "P1D"), ("weeks", "P1W"), ("mixed", "PT10M1S"),
        ("carry-over", "PT9M60S"), ("zero-components", "PT0H10M"), ("leading-zeros", "PT010M"),
        ("fraction-point", "PT600.0S"), ("fraction-comma", "PT600,0S"), ("months", "P1M"), ("years", "P1Y"),
        ("calendar", "P1MT1S"),
    ],
)  # fmt: skip
def test_notations_shrink_to_what_a_person_would_write(notation: str, expected: str) -> None:
    assert minimal(durations(min_value=600, notations=[notation])) == expected


@pytest.mark.slow
@pytest.mark.parametrize("limit", [601, 1234, 86_401, 999_999])
def test_a_length_shrinks_to_the_exact_second_of_a_condition(limit: int) -> None:
    assert minimal(durations(notations=["seconds"]), lambda text: bounds(text)[0] >= limit) == f"PT{limit}S"


# --------------------------------------------------------------------- boundaries

SIDES: dict[str, Callable[[Fraction, Fraction, int], bool]] = {
    "below": lambda _, greatest, minimum: 0 < greatest < minimum,
    "at": lambda least, greatest, minimum: least == greatest == minimum,
    "above": lambda least, _, minimum: least > minimum,
}


@pytest.mark.slow
@pytest.mark.parametrize("minimum", [1, 2, 59, 60, 61, 600, 3600, 86_400, 90_061, 604_800, 10**12])
@pytest.mark.parametrize("side", SIDES)
def test_near_keeps_to_its_side(minimum: int, side: str) -> None:
    texts = near(minimum, side)  # type: ignore[arg-type]  # a literal of the table
    assert texts
    assert len(set(texts)) == len(texts)
    drawn = sample(durations_near(minimum, side=side), 100)  # type: ignore[arg-type]  # a literal of the table
    for text in [*texts, *drawn]:
        assert SIDES[side](*bounds(text), minimum), text


@pytest.mark.parametrize(
    ("minimum", "side", "expected"),
    [
        (600, "below", {"PT599S", "PT9M59S", "PT9M", "PT599.999S", "PT599.999999999S", "PT599,999S",
        "PT8M119S",
                        "PT9.999M", "PT0.166H", "P0.006D", "PT9M59.999S", "PT0599S", "P0DT9M59S"}),
        (600, "at", {"PT10M", "PT600S", "PT9M60S", "PT0H10M", "PT010M", "P0DT10M", "PT600.0S", "PT10.0M",
        "PT10,0M"}),
        (600, "above", {"PT601S", "PT10M1S", "PT11M", "PT1H", "P1D", "P1M", "P1Y", "PT600.001S",
        "PT600.000000001S",
                        "PT9M61S", "PT0.167H", "PT10.001M"}),
        (60, "below", {"PT59S", "PT59.999S", "PT59.999999999S", "PT59,999S", "PT0.999M", "PT0M59S",
        "PT059S"}),
        (60, "at", {"PT1M", "PT60S", "PT0M60S", "PT0H1M", "PT01M", "PT1.0M", "PT60.0S"}),
        (60, "above", {"PT61S", "PT1M1S", "PT2M", "PT1H", "P1D", "PT60.000000001S", "PT1.001M", "P1M",
        "P1Y"}),
    ],
)  # fmt: skip
def test_near_lists_the_obvious_values(minimum: int, side: str, expected: set[str]) -> None:
    assert expected <= set(near(minimum, side))  # type: ignore[arg-type]  # a literal of the table


@pytest.mark.slow
@pytest.mark.parametrize(("side", "expected"), [("below", "PT599S"), ("at", "PT10M"), ("above", "PT601S")])
def test_durations_near_shrink_to_the_nearest_second(side: str, expected: str) -> None:
    assert minimal(durations_near(600, side=side)) == expected  # type: ignore[arg-type]  # a literal of the table


@pytest.mark.slow
def test_durations_near_a_boundary_vary() -> None:
    assert len(set(sample(durations_near(600, side="below"), 500))) > 150


@pytest.mark.slow
@settings(deadline=None)
@given(st.integers(0, 10**9))
def test_all_spellings_have_the_same_length(seconds: int) -> None:
    texts = spellings(seconds)
    assert len(set(texts)) == len(texts) >= 10
    assert {bounds(text) for text in texts} == {(Fraction(seconds), Fraction(seconds))}


def test_spellings_begin_with_the_plainest() -> None:
    assert spellings(600)[:6] == ("PT10M", "PT600S", "PT9M60S", "PT0H10M", "P0DT10M", "PT10M0S")
    assert spellings(0)[0] == "PT0S"
    assert spellings(90_061)[0] == "P1DT1H1M1S"
    assert spellings(604_800)[0] == "P7D"
    assert {"P1W", "PT168H", "PT10080M", "PT604800S", "P6DT24H"} <= set(spellings(604_800))


@pytest.mark.parametrize(
    ("function", "arguments", "options"),
    [
        (durations, [], {"min_value": -1}),
        (durations, [], {"min_value": 2, "max_value": 1}),
        (durations, [], {"min_value": 0.5}),
        (durations, [], {"min_value": True}),
        (durations, [], {"max_value": "PT1M"}),
        (durations, [], {"max_value": Decimal("NaN")}),
        (durations, [], {"max_value": Decimal("Infinity")}),
        (durations, [], {"max_value": timedelta(seconds=-1)}),
        (durations, [], {"notations": []}),
        (durations, [], {"notations": "minutes"}),
        (durations, [], {"notations": ["minute"]}),
        (durations, [], {"min_value": 61, "max_value": 119, "notations": ["minutes"]}),
        (durations, [], {"min_value": DAY * 365, "max_value": DAY * 365, "notations": ["years"]}),
        (durations_near, [0], {"side": "at"}),
        (durations_near, [60.0], {"side": "at"}),
        (durations_near, [60], {"side": "under"}),
        (durations_near, [60], {"side": "at", "notations": ["hours"]}),
        (near, [0, "at"], {}),
        (near, [60, "over"], {}),
        (spellings, [-1], {}),
        (spellings, [1.0], {}),
        (spellings, [True], {}),
    ],
)
def test_wrong_arguments_raise_at_once(
    function: Callable[..., object], arguments: list[object], options: dict[str, object]
) -> None:
    with pytest.raises(InvalidArgument):
        function(*arguments, **options)


def test_the_repr_is_the_call() -> None:
    assert repr(durations()) == "durations()"
    assert repr(durations(min_value=60)) == "durations(min_value=60)"
    assert repr(durations_near(60, side="at")) == "durations_near(60, side='at')"


@pytest.mark.slow
def test_the_same_seed_draws_the_same_values() -> None:
    assert sample(durations()) == sample(durations())
    assert sample(durations(), of_seed=1) != sample(durations(), of_seed=2)

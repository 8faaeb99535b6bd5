"""Strategies for ISO 8601 durations: in any notation, within any bounds, and around any boundary."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from itertools import combinations
from math import ceil, floor
from typing import Literal, get_args

from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument

from conformance_strategies._build import Digits, Recipe, check_names, strategy
from conformance_strategies._notations import (
    CARRIES,
    CLOCK,
    DAY,
    DURATION_SIZE,
    HOUR,
    LENGTHS,
    MINUTE,
    MONTH,
    NOTATIONS,
    PLACES,
    SECOND,
    WEEK,
    WHOLE_UNITS,
    YEAR,
    counts_within,
    fractional,
    one_of,
    split,
    write,
)

__all__ = ["Length", "Side", "durations", "durations_near", "near", "spellings"]

Length = int | Decimal | timedelta
Side = Literal["below", "at", "above"]
Bounds = tuple[Fraction, Fraction]


# ---------------------------------------------------------------------- strategies


def durations(
    *,
    min_value: Length = 0,
    max_value: Length = timedelta(days=3653),
    notations: Collection[str] | None = None,
) -> st.SearchStrategy[str]:
    """Generates durations in the designator form. They shrink to whole minutes where the bounds allow that.

    Args:
        min_value: The least length, in seconds or as a timedelta. The shortest month or year keeps to it too.
        max_value: The greatest length likewise.
        notations: Names from `NOTATIONS` to draw from; all of them by default. Notations that cannot express any length
            within the bounds are left out.

    Raises:
        InvalidArgument: When a bound is not an exact length, the bounds are reversed, or no notation fits them.
    """
    low, high = seconds_of("min_value", min_value), seconds_of("max_value", max_value)
    if low > high:
        raise InvalidArgument(f"{min_value=} is above {max_value=}")
    recipe = duration_recipe([(low, high)], check_names("notations", notations, NOTATIONS))
    if recipe is None:
        raise InvalidArgument(f"{notations=} can say no length from {min_value=} to {max_value=}")
    return strategy(
        durations, recipe, DURATION_SIZE, min_value=min_value, max_value=max_value, notations=notations
    )


def duration_recipe(ranges: Iterable[Bounds], notations: Iterable[str]) -> Recipe[str] | None:
    """Return a recipe for durations within any of the ranges, in seconds; None where no notation fits them."""
    return _recipe(tuple(ranges), tuple(notations))


@lru_cache(maxsize=64)  # several strategies have the same ranges
def _recipe(ranges: tuple[Bounds, ...], notations: tuple[str, ...]) -> Recipe[str] | None:
    per_range = [[NOTATIONS[name].plan(*bounds) for name in notations] for bounds in ranges]
    recipes = [one_of([recipe for recipe in recipes if recipe]) for recipes in per_range]
    return one_of([recipe for recipe in recipes if recipe])


def durations_near(
    minimum: int, *, side: Side, notations: Collection[str] | None = None
) -> st.SearchStrategy[str]:
    """Generates durations just below, exactly at or just above a boundary, in any notation that can express them.

    Args:
        minimum: The boundary in seconds, at least 1.
        side: "at" for the boundary itself. "below" and "above" are a second, or a thousandth, millionth or billionth of
            it, away from the boundary, or the nearest value in a larger unit, with and without a fraction.
        notations: Names from `NOTATIONS` to draw from; all of them by default.

    Raises:
        InvalidArgument: When an argument is none of these, or no notation can express any such length.
    """
    _check_boundary(minimum, side)
    recipe = duration_recipe(ranges_near(minimum, side), check_names("notations", notations, NOTATIONS))
    if recipe is None:
        raise InvalidArgument(f"{notations=} can say no length {side} {minimum=}")
    return strategy(durations_near, recipe, DURATION_SIZE, minimum, side=side, notations=notations)


def ranges_near(minimum: int, side: Side) -> list[Bounds]:
    """Return the lengths near a boundary, each as a range in seconds, the nearest whole second first."""
    if side == "at":
        return [(Fraction(minimum), Fraction(minimum))]
    sign = -1 if side == "below" else 1
    lengths = [minimum + sign * Fraction(1, 10**places) for places in (0, 3, 6, 9)]
    for unit in (MINUTE, HOUR, DAY, WEEK):
        for places in (0, 1, 3):
            step = Fraction(LENGTHS[unit][0], 10**places)
            lengths.append(step * (ceil(minimum / step) - 1 if sign < 0 else floor(minimum / step) + 1))
    ranges = [(length, length) for length in dict.fromkeys(lengths) if length > 0]
    if side == "above":
        calendar = (LENGTHS[MONTH], LENGTHS[YEAR])
        ranges += [(Fraction(least), Fraction(greatest)) for least, greatest in calendar if least > minimum]
    return ranges


# -------------------------------------------------------------------- enumerations


def spellings(seconds: int) -> tuple[str, ...]:
    """Return every plain spelling of a length, without fractions, months and years, simplest first.

    Args:
        seconds: The length in seconds, at least 0.

    Raises:
        InvalidArgument: When the length is negative or not an integer.
    """
    if not isinstance(seconds, int) or isinstance(seconds, bool) or seconds < 0:
        raise InvalidArgument(f"{seconds=} is not a whole number of seconds")
    return tuple(dict.fromkeys(_spell(seconds)))


def _spell(seconds: int) -> Iterator[str]:
    plain = split(seconds, CLOCK)
    yield write(plain)
    dividing = [unit for unit in WHOLE_UNITS if seconds % LENGTHS[unit][0] == 0]
    singles = [(unit, seconds // LENGTHS[unit][0]) for unit in dividing]
    yield from (write([(unit, str(count))]) for unit, count in singles)
    for larger, smaller in CARRIES:
        count, rest = divmod(seconds, LENGTHS[larger][0])
        step = LENGTHS[smaller][0]
        if count and rest % step == 0:
            yield write([(larger, str(count - 1)), (smaller, str((rest + LENGTHS[larger][0]) // step))])
    for size in (2, 3):
        for units in combinations(CLOCK, size):
            if seconds % LENGTHS[units[-1]][0] == 0:
                yield write(split(seconds, units))
    said = {unit for unit, _ in plain}
    absent = [(unit, "0") for unit in (HOUR, DAY, SECOND, MINUTE, MONTH, YEAR) if unit not in said]
    yield from (write([*plain, zero]) for zero in absent)
    yield write([*plain, *absent])
    for zeros in (1, 2):
        yield write([(unit, "0" * zeros + count) for unit, count in plain])
    yield from (write([(unit, f"0{count}")]) for unit, count in singles)
    yield write([(SECOND, str(seconds).zfill(23))])


def near(minimum: int, side: Side) -> tuple[str, ...]:
    """Return durations just below, exactly at or just above a boundary, the same every time, simplest first.

    Lengths at the boundary, and one second from it, come in every plain spelling; other whole seconds in two.

    Args:
        minimum: The boundary in seconds, at least 1.
        side: As in `durations_near`.

    Raises:
        InvalidArgument: When the boundary is not a positive integer or the side unknown.
    """
    _check_boundary(minimum, side)
    texts: list[str] = []
    later: list[str] = []
    for low, high in ranges_near(minimum, side):
        if low < high:
            plainest = (_plainest(notation, low, high) for notation in ("months", "years"))
            later += [text for text in plainest if text]
        elif abs(low - minimum) <= 1 and low.denominator == 1:
            texts += spellings(int(low))
            later += _fractions_of(low, places=(1, 3))
        elif low.denominator == 1:
            texts += spellings(int(low))[:2]
        else:
            later += _fractions_of(low, places=PLACES)
    return tuple(dict.fromkeys(texts + later))


def _plainest(notation: str, low: Fraction, high: Fraction) -> str | None:
    recipe = NOTATIONS[notation].plan(low, high)
    return recipe and recipe(Digits())


def _fractions_of(length: Fraction, places: Sequence[int]) -> Iterator[str]:
    """Yield a length with a fraction, in each unit that can express it, in the fewest of these places."""
    for unit in (SECOND, MINUTE, HOUR, DAY):
        for count in places:
            if counts := counts_within(unit, length * 10**count, length * 10**count):
                point, comma = (fractional(each, unit, count, *counts) for each in ".,")
                yield point(Digits())
                yield comma(Digits())
                yield point(Digits(b"\xff" * DURATION_SIZE))
                break


# ----------------------------------------------------------------------- arguments


def seconds_of(name: str, value: Length) -> Fraction:
    """Return the exact length, in seconds, of an argument; the name is for the message of InvalidArgument."""
    if isinstance(value, timedelta):
        seconds = Fraction(value // timedelta(microseconds=1), 10**6)
    elif isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise InvalidArgument(f"{name}={value!r} is neither seconds (int, Decimal) nor a timedelta")
    elif isinstance(value, Decimal) and not value.is_finite():
        raise InvalidArgument(f"{name}={value!r} is not finite")
    else:
        seconds = Fraction(value)
    if seconds < 0:
        raise InvalidArgument(f"{name}={value!r} is negative")
    return seconds


def _check_boundary(minimum: int, side: Side) -> None:
    if not isinstance(minimum, int) or isinstance(minimum, bool) or minimum < 1:
        raise InvalidArgument(f"{minimum=} is not a positive whole number of seconds")
    if side not in get_args(Side):
        raise InvalidArgument(f"{side=} is none of {', '.join(get_args(Side))}")

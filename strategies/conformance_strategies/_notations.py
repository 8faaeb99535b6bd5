"""The notations of ISO 8601-1:2019 5.5.2.2 and 5.5.2.3 (designator form), and the lengths that each can express.

Lengths are exact fractions of seconds. A day has 24 hours and a week seven days. A month has 28 to 31 days and a year
365 or 366, and both its shortest and its greatest length must keep to given bounds.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from math import ceil, floor
from types import MappingProxyType

from conformance_strategies._build import Digits, Recipe

__all__ = ["NOTATIONS", "DurationNotation"]

#: Returns a recipe for durations within two bounds; None where the notation cannot express any.
Plan = Callable[[Fraction, Fraction], Recipe[str] | None]

_DAY_LENGTH = 86_400
#: The units in the order in which they are written, as indices into `_LETTERS`.
YEAR, MONTH, WEEK, DAY, HOUR, MINUTE, SECOND = range(7)
_LETTERS = "YMWDHMS"
#: Least and greatest length of each unit, in seconds.
LENGTHS = (
    (365 * _DAY_LENGTH, 366 * _DAY_LENGTH), (28 * _DAY_LENGTH, 31 * _DAY_LENGTH), (7 * _DAY_LENGTH,
    7 * _DAY_LENGTH), (_DAY_LENGTH, _DAY_LENGTH), (3600, 3600), (60, 60), (1, 1),
)  # fmt: skip
CLOCK = (DAY, HOUR, MINUTE, SECOND)
#: Units, each with the next smaller one, in which a carry-over counts the larger.
CARRIES = ((MINUTE, SECOND), (HOUR, MINUTE), (DAY, HOUR))
#: Numbers of digits in a fraction. 9 are nanoseconds; more are beyond java.time.
PLACES = (1, 2, 3, 6, 9, 12)
#: Numbers of leading zeros: mostly few, at times more than a 32-bit or a 64-bit number has digits.
_ZEROS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 40)
#: The greatest number of bytes that one duration reads.
DURATION_SIZE = 12

#: A component of a duration: its unit and its number as text.
Part = tuple[int, str]


# ------------------------------------------------------------------------- writing


def write(parts: Iterable[Part]) -> str:
    """Return the duration of these parts, in the order of their units."""
    parts = sorted(parts)
    date = "".join(number + _LETTERS[unit] for unit, number in parts if unit < HOUR)
    time = "".join(number + _LETTERS[unit] for unit, number in parts if unit >= HOUR)
    return f"P{date}T{time}" if time else f"P{date}"


def split(seconds: int, units: Sequence[int]) -> list[Part]:
    """Return the parts of a length in these units, largest first, without zeros. The smallest unit must divide it."""
    parts = []
    for unit in units:
        count, seconds = divmod(seconds, LENGTHS[unit][0])
        if count:
            parts.append((unit, str(count)))
    return parts or [(units[-1], "0")]


def _decimal(scaled: int, places: int, separator: str) -> str:
    text = str(scaled).zfill(places + 1)
    return text[:-places] + separator + text[-places:]


# ----------------------------------------------------------------------- notations


def counts_within(unit: int, low: Fraction, high: Fraction) -> tuple[int, int] | None:
    """Return the least and the greatest count of a unit within the bounds, in seconds; None where none is."""
    least, greatest = LENGTHS[unit]
    first, last = ceil(low / least), floor(high / greatest)
    return (first, last) if first <= last else None


def _single(unit: int) -> Plan:
    def plan(low: Fraction, high: Fraction) -> Recipe[str] | None:
        counts = counts_within(unit, low, high)
        return counts and (lambda source: write([(unit, str(source.between(*counts)))]))

    return plan


def one_of(recipes: Sequence[Recipe[str]]) -> Recipe[str] | None:
    return (lambda source: source.choice(recipes)(source)) if recipes else None


def _mixed(low: Fraction, high: Fraction) -> Recipe[str] | None:
    recipes = []
    for size in (2, 3, 4):
        for units in reversed(list(combinations(CLOCK, size))):
            step, next_step = LENGTHS[units[-1]][0], LENGTHS[units[-2]][0]
            counts = counts_within(units[-1], max(low, Fraction(next_step + step)), high)
            if counts and (counts[0] < counts[1] or len(split(counts[0] * step, units)) > 1):
                recipes.append(_mix(units, *counts))
    return one_of(recipes)


def _mix(units: Sequence[int], first: int, last: int) -> Recipe[str]:
    step = LENGTHS[units[-1]][0]

    def recipe(source: Digits) -> str:
        count = source.between(first, last)
        parts = split(count * step, units)
        if len(parts) == 1:  # a round length takes one unit, its neighbours take several
            parts = split((count + 1 if count < last else count - 1) * step, units)
        return write(parts)

    return recipe


def _carry_over(low: Fraction, high: Fraction) -> Recipe[str] | None:
    recipes = []
    for large, small in CARRIES:
        ratio = LENGTHS[large][0] // LENGTHS[small][0]
        if counts := counts_within(small, max(low, Fraction(2 * LENGTHS[large][0])), high):
            recipes.append(_carry(large, small, ratio, *counts))
    return one_of(recipes)


def _carry(large: int, small: int, ratio: int, first: int, last: int) -> Recipe[str]:
    def recipe(source: Digits) -> str:
        count, rest = divmod(source.between(first, last), ratio)
        carried = 1 + source.below(min(count - 1, 9))
        return write([(large, str(count - carried)), (small, str(carried * ratio + rest))])

    return recipe


def _with_units(units: Sequence[int], recipe: Callable[[int, int, int], Recipe[str]]) -> Plan:
    """Return a plan that draws from those of the units that can express a length within the bounds."""

    def plan(low: Fraction, high: Fraction) -> Recipe[str] | None:
        return one_of([recipe(unit, *counts) for unit in units if (counts := counts_within(unit, low, high))])

    return plan


def _leading_zeros(unit: int, first: int, last: int) -> Recipe[str]:
    def recipe(source: Digits) -> str:
        return write([(unit, "0" * source.choice(_ZEROS) + str(source.between(first, last)))])

    return recipe


def _zero_components(unit: int, first: int, last: int) -> Recipe[str]:
    others = [other for other in (HOUR, DAY, SECOND, MINUTE, MONTH, YEAR) if other != unit]

    def recipe(source: Digits) -> str:
        chosen = source.below(2 ** len(others) - 1) + 1
        zeros = [(other, "0") for index, other in enumerate(others) if chosen >> index & 1]
        return write([(unit, str(source.between(first, last))), *zeros])

    return recipe


def _fraction(separator: str) -> Plan:
    def plan(low: Fraction, high: Fraction) -> Recipe[str] | None:
        return one_of(
            [
                fractional(separator, unit, places, *counts)
                for places in PLACES
                for unit in (SECOND, MINUTE, HOUR, DAY, WEEK)
                if (counts := counts_within(unit, low * 10**places, high * 10**places))
            ]
        )

    return plan


def fractional(separator: str, unit: int, places: int, first: int, last: int) -> Recipe[str]:
    carries = [pair for pair in CARRIES if pair[1] == unit]

    def recipe(source: Digits) -> str:
        scaled = source.between(first, last)
        parts = []
        if carries and source.below(2):  # as in PT9M59.5S: the larger unit takes what fills it
            larger = carries[0][0]
            count, scaled = divmod(scaled, 10**places * LENGTHS[larger][0] // LENGTHS[unit][0])
            parts = [(larger, str(count))] if count else []
        return write([*parts, (unit, _decimal(scaled, places, separator))])

    return recipe


def _calendar(low: Fraction, high: Fraction) -> Recipe[str] | None:
    recipes = []
    for years in range(10):
        for months in range(12):
            parts = [(unit, count) for unit, count in ((YEAR, years), (MONTH, months)) if count]
            least, greatest = (sum(LENGTHS[unit][end] * count for unit, count in parts) for end in (0, 1))
            first, last = max(ceil(low - least), 0 if len(parts) == 2 else 1), floor(high - greatest)
            if parts and first <= last:
                recipes.append(_dated([(unit, str(count)) for unit, count in parts], first, last))
    return one_of(recipes)


def _dated(parts: list[Part], first: int, last: int) -> Recipe[str]:
    def recipe(source: Digits) -> str:
        rest = source.between(first, last)
        return write([*parts, *(split(rest, CLOCK) if rest else [])])

    return recipe


@dataclass(frozen=True, slots=True, kw_only=True)
class DurationNotation:
    """A way to write durations that ISO 8601-1 allows.

    Attributes:
        name: Kebab-case, unique in `NOTATIONS`.
        reason: The mark of the notation, in one line.
        plan: Makes the recipe for durations within bounds.
        known: The examples.
    """

    name: str
    reason: str
    plan: Plan
    known: tuple[str, ...]

    def examples(self) -> tuple[str, ...]:
        """Return durations of any length, the same every time, simplest first."""
        return self.known


WHOLE_UNITS = (MINUTE, SECOND, HOUR, DAY, WEEK)
_NOTATIONS = (
    DurationNotation(
        name="minutes", reason="a whole number of minutes", plan=_single(MINUTE),
        known=("PT10M", "PT1M", "PT0M"),
    ),
    DurationNotation(
        name="seconds", reason="a whole number of seconds, also beyond a minute", plan=_single(SECOND),
        known=("PT600S", "PT60S", "PT59S", "PT0S", "PT9223372036854775807S", "PT9223372036854775808S",
               "PT99999999999999999999S", "PT" + "9" * 400 + "S"),
    ),
    DurationNotation(name="hours", reason="a whole number of hours", plan=_single(HOUR), known=("PT1H",
    "PT36H")),
    DurationNotation(
        name="days", reason="a whole number of days", plan=_single(DAY),
        known=("P1D", "P0D", "P30D", "P999999999D", "P1000000000D"),
    ),
    DurationNotation(
        name="weeks", reason="a whole number of weeks, which stand alone", plan=_single(WEEK), known=("P1W",
        "P2W", "P0W")
    ),
    DurationNotation(
        name="mixed", reason="several of days, hours, minutes and seconds, some perhaps skipped", plan=_mixed,
        known=("PT1H30M", "PT1M30S", "PT1H1S", "P1DT1H", "P1DT2H3M4S"),
    ),
    DurationNotation(
        name="carry-over", reason="a smaller unit reaches the next larger", plan=_carry_over,
        known=("PT9M60S", "PT1H60M", "P1DT24H", "PT1H90M"),
    ),
    DurationNotation(
        name="zero-components", reason="units of which there are none are written out",
        plan=_with_units(WHOLE_UNITS[:4], _zero_components),
        known=("PT0H10M", "P0DT10M", "PT10M0S", "P1DT0H", "P0Y0M0DT0H10M0S"),
    ),
    DurationNotation(
        name="leading-zeros", reason="a number begins with zeros", plan=_with_units(WHOLE_UNITS,
        _leading_zeros),
        known=("PT010M", "PT0600S", "P01D", "PT00000000000000000000600S", "PT" + "0" * 400 + "600S"),
    ),
    DurationNotation(
        name="fraction-point", reason="the last component has a fraction behind a full stop",
        plan=_fraction("."),
        known=("PT90.5S", "PT59.5S", "PT60.0S", "PT1.5M", "PT59.999999999S", "PT59.9999999999S", "P0.5D",
        "P0.5Y"),
    ),
    DurationNotation(
        name="fraction-comma", reason="the last component has a fraction behind a comma", plan=_fraction(","),
        known=("PT10,5M", "PT1,5M", "P0,5W", "PT1,000S"),
    ),
    DurationNotation(
        name="months", reason="a whole number of months, of 28 to 31 days", plan=_single(MONTH), known=("P1M",
        "P12M")
    ),
    DurationNotation(
        name="years", reason="a whole number of years, of 365 or 366 days", plan=_single(YEAR),
        known=("P1Y", "P0Y", "P99999999999Y"),
    ),
    DurationNotation(
        name="calendar", reason="years or months along with something else", plan=_calendar,
        known=("P1Y2M", "P1Y1D", "P1MT1M", "P1Y2M3DT4H5M6S"),
    ),
)  # fmt: skip

#: Every notation of `durations`, by name, in the order of preference.
NOTATIONS: Mapping[str, DurationNotation] = MappingProxyType({each.name: each for each in _NOTATIONS})

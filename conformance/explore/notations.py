"""
Ways to write durations: grids on which boundaries are searched, and a table of named texts.

A grid numbers the lengths of a notation, 1, 2, 3 ..., in steps of its finest unit. Fractions have nine digits: a
fraction of a second steps by a nanosecond.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import partial
from types import MappingProxyType

from conformance.oracle.durations import DAY, read
from conformance_strategies import INVALID_DURATION_CLASSES, NOTATIONS

PLACES = 9
MAX_DIGITS = 5_000


def digits(number: int) -> str:
    """Return the decimal digits of a whole number of any size; `str()` refuses more than 4,300."""
    return str(Decimal(number))


def longest_number(text: str) -> int:
    """Return how many digits the longest whole number in a text has."""
    return max(map(len, re.findall("(?<![.,0-9])[0-9]+", text)), default=0)


_MONTHS = (Fraction(30), Fraction(28), Fraction(365, 12), Fraction(31), Fraction(146_097, 4_800))
_YEARS = (Fraction(365), Fraction(1461, 4), Fraction(366), Fraction(146_097, 400), Fraction(360))
"""Days, the most common first, the means of the Julian and the Gregorian calendar among them."""


@dataclass(frozen=True, slots=True)
class Grid:
    """One notation as a grid of lengths, from 1 upwards."""

    name: str
    write: Callable[[int], str]
    low: Fraction
    """Least seconds of one step: a month of 28 days, a year of 365."""
    high: Fraction
    """Greatest seconds of one step: a month of 31 days, a year of 366."""
    places: int = 0
    lead: int = 1
    """How many whole steps the leading unit has, where there are several units."""

    @property
    def longest(self) -> int:
        """The greatest number that is tried, whose whole part has `MAX_DIGITS` digits."""
        return int(10 ** (MAX_DIGITS + self.places) - 10**self.places)

    def number_of(self, text: str) -> int | None:
        """Return the number that is written as a text; None where the grid writes no number so."""
        length = next(iter(read(text).values()), None)
        if length is None:
            return None
        if self.name == "years-months":
            years, rest = divmod(int(length.low), 365 * DAY)
            number = years * 12 + rest // (28 * DAY)
        else:
            number = int(Fraction(length.low) / self.low)
        return number if number > 0 and self.write(number) == text else None

    @property
    def steps(self) -> tuple[Fraction, ...]:
        """What one step may be taken to be, in seconds: years and months have several lengths, the usual one first."""
        if self.low == self.high:
            return (self.low,)
        days = _MONTHS if self.high * 10**self.places < 40 * DAY else _YEARS
        return tuple(each * DAY / 10**self.places for each in days)


_UNITS = (
    ("seconds", "PT{}S", 1, 1),
    ("minutes", "PT{}M", 60, 60),
    ("hours", "PT{}H", 3600, 3600),
    ("days", "P{}D", DAY, DAY),
    ("weeks", "P{}W", 7 * DAY, 7 * DAY),
    ("months", "P{}M", 28 * DAY, 31 * DAY),
    ("years", "P{}Y", 365 * DAY, 366 * DAY),
)


def _in_units(template: str, *sizes: int) -> Callable[[int], str]:
    """Return what writes a number in units, of which each has so many of the next one."""

    def write(number: int) -> str:
        parts: list[int] = []
        for size in reversed(sizes):
            number, rest = divmod(number, size)
            parts.insert(0, rest)
        return template.format(digits(number), *parts)

    return write


def _decimal(template: str, separator: str, number: int) -> str:
    whole, rest = divmod(number, 10**PLACES)
    return template.format(digits(whole) + separator + (str(rest).zfill(PLACES).rstrip("0") or "0"))


def _carry_over(number: int) -> str:
    minutes, seconds = divmod(number, 60)
    return f"PT{digits(minutes - 1)}M{seconds + 60}S" if minutes else f"PT0M{seconds}S"


def _minutes_fraction(number: int) -> str:
    minutes, rest = divmod(number, 60 * 10**PLACES)
    return f"PT{digits(minutes)}M{_decimal('{}S', '.', rest)}"


def _grids() -> tuple[Grid, ...]:
    one, nano = Fraction(1), Fraction(1, 10**PLACES)
    whole = [Grid(name, _in_units(text), one * low, one * high) for name, text, low, high in _UNITS]
    mixed = [
        Grid("minutes-seconds", _in_units("PT{}M{}S", 60), one, one, lead=60),
        Grid("carry-over", _carry_over, one, one, lead=60),
        Grid("leading-zeros", _in_units("PT0{}S"), one, one),
        Grid("hours-minutes", _in_units("PT{}H{}M", 60), one * 60, one * 60, lead=60),
        Grid("days-time", _in_units("P{}DT{}H{}M{}S", 24, 60, 60), one, one, lead=DAY),
        Grid("minutes-seconds-point", _minutes_fraction, nano, nano, PLACES, lead=60),
        Grid("weeks-days", _in_units("P{}W{}D", 7), one * DAY, one * DAY, lead=7),
        Grid("years-months", _in_units("P{}Y{}M", 12), one * 28 * DAY, one * 31 * DAY, lead=12),
    ]
    fractions = [
        Grid(f"{name}-{word}", partial(_decimal, text, separator), nano * low, nano * high, PLACES)
        for word, separator in (("point", "."), ("comma", ","))
        for name, text, low, high in _UNITS
    ]
    return (*whole, *mixed, *fractions)


GRIDS: Mapping[str, Grid] = MappingProxyType({grid.name: grid for grid in _grids()})
"""By name, the simplest first."""

_SHAPES = (
    ("weeks-days", "P[0-9]+W[0-9]+D"),
    ("years-months", "P[0-9]+Y[0-9]+M"),
    ("leading-zeros", "PT0[0-9]+S"),
    ("days-time", "P[0-9]+DT(?:[0-9]+H)?(?:[0-9]+M)?(?:[0-9]+S)?"),
    ("minutes-seconds-point", r"PT[0-9]+M[0-9]+[.,][0-9]+S"),
    ("carry-over", "PT[0-9]+M(?:[6-9][0-9]|[0-9]{3,})S"),
    ("minutes-seconds", "PT[0-9]+M[0-9]+S"),
    ("hours-minutes", "PT[0-9]+H[0-9]+M"),
    *((name, template.format("[0-9]+")) for name, template, _, _ in _UNITS),
    *((f"{name}-point", template.format(r"[0-9]+\.[0-9]+")) for name, template, _, _ in _UNITS),
    *((f"{name}-comma", template.format("[0-9]+,[0-9]+")) for name, template, _, _ in _UNITS),
)
_SHAPE = re.compile("|".join(f"({pattern})" for _, pattern in _SHAPES))


def notation_of(text: str) -> str | None:
    """Return the name of the grid that writes texts of this shape; None where none does."""
    match = _SHAPE.fullmatch(text)
    return None if match is None or match.lastindex is None else _SHAPES[match.lastindex - 1][0]


def nominal_seconds(text: str) -> Decimal | None:
    """
    Return the seconds that a text means, with months of 30 days and years of 365; None where no reading parses it.

    A reading may give a range, because years and months differ in length. Then the least length is taken where the
    text has years, and the length with months of 30 days where it has months alone.
    """
    lengths = read(text)
    if not lengths:
        return None
    length = lengths.get("iso8601-1") or next(iter(lengths.values()))
    months = (length.high - length.low) * Decimal(2) / Decimal(3)
    return length.low if length.low == length.high or "Y" in text else length.low + months


def table() -> tuple[tuple[str, str], ...]:
    """
    Return the texts of the table, each with its class: every named way to write or to miswrite a duration.

    A class gives its first examples. Digits of every other script, blanks and encodings are among them.
    """
    rows = [(f"valid/{each.name}", text) for each in NOTATIONS.values() for text in each.examples()[:4]]
    rows += [
        (f"invalid/{each.name}", text)
        for each in INVALID_DURATION_CLASSES.values()
        for text in each.examples()[: 1 if each.group in ("sizes", "digits", "encodings", "foreign") else 2]
    ]
    rows += [("valid/leading-zeros", "PT" + "0" * (MAX_DIGITS - 3) + "600S")]
    return tuple({text: (cls, text) for cls, text in reversed(rows)}.values())[::-1]

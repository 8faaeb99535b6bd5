"""The parts that models of dialects share: the record of a dialect, the lengths of units, patterns of components."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from types import MappingProxyType

from conformance.oracle.durations import UNITS, Length

Reader = Callable[[str], Length | None]
"""A model: it takes a text and returns its length in seconds, or None where it refuses the text."""

SECONDS: Mapping[str, tuple[int, int]] = MappingProxyType(dict(zip("YOWDHMS", UNITS.values(), strict=True)))
"""Least and greatest seconds of a unit; O is a month."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """A known way to read a duration."""

    name: str
    read: Reader
    source: str
    """The library, the function or the document that reads so."""
    variant: str = ""
    """The name of one of several published behaviours of a dialect; empty where there is only one."""


LEADING_NUMERAL = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)")
"""The start of a text that JavaScript and Go read as a number."""

EXACT = Context(prec=10_000)
"""More digits than any text that is asked about has."""


def total(numbers: Mapping[str, Decimal]) -> Length:
    """Return the length of so many of each unit."""
    with localcontext(EXACT):
        ends = [
            sum((number * SECONDS[unit][end] for unit, number in numbers.items()), Decimal(0))
            for end in (0, 1)
        ]
    return Length(min(ends), max(ends))


def numbers_in(match: re.Match[str]) -> dict[str, Decimal]:
    """Return the numbers that a pattern has found, by unit."""
    return {
        unit: Decimal(number.replace(",", "."))
        for unit, number in match.groupdict().items()
        if number is not None and unit in SECONDS
    }


def pattern(date: str, time: str, seconds: str, flags: re.RegexFlag = re.NOFLAG) -> re.Pattern[str]:
    """
    Return a pattern of components that may all be missing.

    Each number is a group with the name of its unit; the group `clock` begins with T where there is one.
    """
    days = "".join(f"(?:(?P<{unit}>{date}){'M' if unit == 'O' else unit})?" for unit in "YOWD")
    clock = "".join(f"(?:(?P<{unit}>{seconds if unit == 'S' else time}){unit})?" for unit in "HMS")
    return re.compile(f"P{days}(?P<clock>T{clock})?", flags)


def signed(length: Length, sign: str | None) -> Length:
    """Return a length with its sign turned where the sign is a minus."""
    return Length(-length.high, -length.low) if sign == "-" else length

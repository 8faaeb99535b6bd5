"""How Ruby's libraries read durations."""

import re
from decimal import Decimal, localcontext

from conformance.explore.dialects.base import EXACT
from conformance.oracle.durations import DAY, Length

# github.com/rails/rails activesupport/lib/active_support/duration/iso8601_parser.rb
_NUMBER = "-?[0-9]+(?:[.,][0-9]+)?"
_ACTIVESUPPORT = re.compile(f"([-+]?)P((?:{_NUMBER}[YMWD])*)((?:T(?:{_NUMBER}[HMS])+)?)")
_LENGTHS = {"Y": 31_556_952, "O": 2_629_746, "W": 7 * DAY, "D": DAY, "H": 3600, "M": 60, "S": 1}
"""Seconds of a unit: years and months have the mean length of the Gregorian calendar."""


def activesupport(text: str) -> Length | None:
    """Read a text as ActiveSupport::Duration.parse does: units have any order, and the last of each counts."""
    match = _ACTIVESUPPORT.fullmatch(text)
    if match is None:
        return None
    sign, date, clock = match.groups()
    numbers: dict[str, Decimal] = {}
    for half, months in ((date, "O"), (clock, "M")):
        for number, unit in re.findall(f"({_NUMBER})([A-Z])", half):
            numbers[months if unit == "M" else unit] = Decimal(number.replace(",", "."))
    counted = [number for number in numbers.values() if number]
    if not numbers or ("W" in numbers and numbers.keys() & {"Y", "O", "D"}):
        return None
    if any(float(number) % 1 for number in counted[:-1]):
        return None
    with localcontext(EXACT):
        seconds = sum((number * _LENGTHS[unit] for unit, number in numbers.items()), Decimal(0))
    seconds = -seconds if sign == "-" else seconds
    return Length(seconds, seconds)

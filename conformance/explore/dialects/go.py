"""How Go's github.com/sosodev/duration reads durations."""

from decimal import Decimal

from conformance.explore.dialects.base import EXACT, LEADING_NUMERAL, SECONDS, signed, total
from conformance.oracle.durations import DAY, Length

_GREATEST = Decimal("9223372036.854775808")
"""Seconds that a time.Duration, 64 bits of nanoseconds, does not hold any more: such a component comes out negative."""
_LENGTHS = {unit: Decimal(low) for unit, (low, _) in SECONDS.items()} | {"O": Decimal(365 * DAY // 12)}


def sosodev(text: str) -> Length | None:
    """Read a text by characters: any order, repeated components (the last counts), repeated P and T."""
    sign, body = ("-", text[1:]) if text.startswith("-P") else ("", text)
    if not body.startswith("P"):
        return None
    numbers: dict[str, Decimal] = {}
    number, in_time = "", False
    for character in body:
        if character in "0123456789.":
            number += character
        elif character == "T":
            in_time = True
        elif character == "P" and not in_time:
            pass
        elif character in ("HMS" if in_time else "YMWD"):
            if not LEADING_NUMERAL.fullmatch(number):
                return None
            numbers["O" if character == "M" and not in_time else character] = Decimal(number)
            number = ""
        else:
            return None
    if number:
        return None
    lengths = [EXACT.multiply(number, _LENGTHS[unit]) for unit, number in numbers.items()]
    if any(length >= _GREATEST for length in lengths) or sum(lengths) >= _GREATEST:
        held = (length if length < _GREATEST else -_GREATEST for length in lengths)
        least = sum(held, Decimal(0))
        least -= 2 * _GREATEST if least >= _GREATEST else 0
        return signed(Length(least, least), sign)
    return signed(total(numbers), sign)

"""ISO 8601 durations as the emulator reads them, exactly and in time linear in their length.

The governing notation is the designator form of ISO 8601-1:2019 5.5.2: `PnYnMnDTnHnMnS` or `PnW`, a decimal
fraction (comma or full stop) on the lowest component only, upper-case designators, no sign.
"""

import re
from collections.abc import Mapping
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal, Inexact

# Exact addition and multiplication whatever the number of digits; anything rounded would raise.
EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[Inexact])

# Seconds in one unit. A year and a month count with their least length: ISO 8601 does not fix it,
# and a minimum that is met by the shortest year is met by every year.
SECONDS: Mapping[str, int] = {
    "years": 365 * 86400,
    "months": 28 * 86400,
    "weeks": 7 * 86400,
    "days": 86400,
    "hours": 3600,
    "minutes": 60,
    "seconds": 1,
}

# Possessive quantifiers: no digit is read more than a fixed number of times. The ASCII class keeps out
# the digits of other scripts, which `\d` lets in.
_NUMBER = "[0-9]++(?:[.,][0-9]++)?+"


def _component(unit: str, designator: str) -> str:
    return f"(?:(?P<{unit}>{_NUMBER}){designator})?+"


DESIGNATOR_FORM = re.compile(
    "P(?:"
    f"(?P<weeks>{_NUMBER})W"
    "|"
    + _component("years", "Y")
    + _component("months", "M")
    + _component("days", "D")
    + "(?:T(?=[0-9])"
    + _component("hours", "H")
    + _component("minutes", "M")
    + _component("seconds", "S")
    + ")?+)"
)


class MalformedDuration(ValueError):
    """The text is not a duration in the notation that was asked for."""


def parse_duration(text: str) -> Decimal:
    """Return the least length of the duration in seconds, exactly.

    Args:
        text: The text as sent, after form decoding. Nothing is trimmed from it.

    Raises:
        MalformedDuration: It is not in the designator form of ISO 8601-1:2019 5.5.2.
    """
    match = DESIGNATOR_FORM.fullmatch(text)
    if match is None:
        raise MalformedDuration(text[:80])
    components = {unit: number for unit, number in match.groupdict().items() if number is not None}
    if not components or any(not number.isdigit() for number in _all_but_lowest(components)):
        raise MalformedDuration(text[:80])
    return total(components)


def total(components: Mapping[str, str]) -> Decimal:
    """Return the exact sum of components in seconds, given as decimal numerals by unit."""
    length = Decimal(0)
    for unit, number in components.items():
        seconds = EXACT.multiply(EXACT.create_decimal(number.replace(",", ".")), SECONDS[unit])
        length = EXACT.add(length, seconds)
    return length


def _all_but_lowest(components: Mapping[str, str]) -> list[str]:
    ordered = [components[unit] for unit in SECONDS if unit in components]
    return ordered[:-1]

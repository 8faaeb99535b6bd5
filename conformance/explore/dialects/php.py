"""How PHP's DateInterval reads durations, as its manual has it and as its scanner does."""

import re
from decimal import Decimal

from conformance.explore.dialects.base import numbers_in, pattern, total
from conformance.oracle.durations import Length

# www.php.net/manual/en/dateinterval.construct.php; github.com/derickr/timelib parse_iso_intervals.re
_DOCUMENTED = pattern("[0-9]+", "[0-9]+", "[0-9]+")
_COMBINED = re.compile(
    "P([0-9]{4})-(0[0-9]|1[0-2])-(0[0-9]|[12][0-9]|3[01])T([01][0-9]|2[0-4]):([0-5][0-9]):([0-5][0-9])"
)
_DIGITS = 12
"""The scanner reads numbers of so many digits at most."""


def documented(text: str) -> Length | None:
    """Read a text as the manual of DateInterval says."""
    if combined := _COMBINED.fullmatch(text):
        return total(
            {unit: Decimal(number) for unit, number in zip("YODHMS", combined.groups(), strict=True)}
        )
    match = _DOCUMENTED.fullmatch(text)
    return (
        None
        if match is None or match["clock"] == "T" or not (numbers := numbers_in(match))
        else total(numbers)
    )


_TOKEN = re.compile(rf"R[0-9]+|{_COMBINED.pattern}|P(?:[0-9]+[YMWD])*(?:T(?:[0-9]+[HMS])*)?|[ .,\t/\n\0]")


def scanned(text: str) -> Length | None:
    """Read a text as the scanner under DateInterval does: blanks around, separators, several periods in a row."""
    rest, length = text.strip(" \t\n\v\f\r"), None
    while rest:
        token = _TOKEN.match(rest)
        if token is None:
            return None
        if token[0].startswith("P"):
            length = documented(token[0])
            if length is None or any(len(number) > _DIGITS for number in re.findall("[0-9]+", token[0])):
                return None
        rest = rest[token.end() :]
    return length

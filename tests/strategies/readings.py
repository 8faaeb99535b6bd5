"""The published grammars of durations, written independently of the code under test."""

import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from types import MappingProxyType

_DIGITS = "[0-9]+"
_FRACTION = r"[0-9]+(?:[.,][0-9]+)?"
#: ISO 8601-1:2019 5.5.2.3, with a fraction in any component; `length` checks that it is in the last alone.
_DESIGNATORS = re.compile(
    rf"P(?=[0-9T])(?:(?P<W>{_FRACTION})W|(?:(?P<Y>{_FRACTION})Y)?(?:(?P<O>{_FRACTION})M)?(?:(?P<D>{_FRACTION})D)?"
    rf"(?:T(?=[0-9])(?:(?P<H>{_FRACTION})H)?(?:(?P<M>{_FRACTION})M)?(?:(?P<S>{_FRACTION})S)?)?)"
)
_DAY = 86_400
_LENGTHS = {"Y": (365 * _DAY, 366 * _DAY), "O": (28 * _DAY, 31 * _DAY), "W": (7 * _DAY,) * 2,
"D": (_DAY,) * 2,
            "H": (3600,) * 2, "M": (60,) * 2, "S": (1,) * 2}  # fmt: skip


def length(text: str) -> tuple[Fraction, Fraction] | None:
    """Return the least and the greatest length in seconds by ISO 8601-1; None where the text is not a duration."""
    match = _DESIGNATORS.fullmatch(text)
    if match is None:
        return None
    parts = {unit: number.replace(",", ".") for unit, number in match.groupdict().items() if number}
    if any("." in number for number in list(parts.values())[:-1]):
        return None
    least, greatest = (
        sum((Fraction(number) * _LENGTHS[unit][end] for unit, number in parts.items()), Fraction(0))
        for end in (0, 1)
    )
    return least, greatest


def _iso_8601_1(text: str) -> bool:
    return length(text) is not None


_SIGNED = r"-?[0-9]+(?:[.,][0-9]+)?"
_COMPOSITE = re.compile(
    rf"-?P(?=[-0-9T])(?:{_SIGNED}Y)?(?:{_SIGNED}M)?(?:{_SIGNED}W)?(?:{_SIGNED}D)?"
    rf"(?:T(?=[-0-9])(?:{_SIGNED}H)?(?:{_SIGNED}M)?(?:{_SIGNED}S)?)?"
)


def _iso_8601_2(text: str) -> bool:
    """ISO 8601-2:2019 4.4.1.9 and 11.3.2: signs, and weeks among other units."""
    return bool(_COMPOSITE.fullmatch(text)) and not re.search(r"[.,][0-9]+[A-Z].", text)


_XSD_SECONDS = r"[0-9]+(?:\.[0-9]+)?S"
_XSD = re.compile(
    rf"-?P(?=[0-9T])(?:{_DIGITS}Y)?(?:{_DIGITS}M)?(?:{_DIGITS}D)?"
    rf"(?:T(?=[0-9])(?:{_DIGITS}H)?(?:{_DIGITS}M)?(?:{_XSD_SECONDS})?)?"
)


def _xsd(text: str) -> bool:
    """XML Schema 1.1 part 2, 3.3.6, with its whiteSpace facet `collapse`."""
    return bool(_XSD.fullmatch(text.strip(" \t\r\n")))


_TIME = f"T(?:{_DIGITS}H(?:{_DIGITS}M(?:{_DIGITS}S)?)?|{_DIGITS}M(?:{_DIGITS}S)?|{_DIGITS}S)"
_DATE = f"(?:{_DIGITS}Y(?:{_DIGITS}M(?:{_DIGITS}D)?)?|{_DIGITS}M(?:{_DIGITS}D)?|{_DIGITS}D)(?:{_TIME})?"
_RFC_3339 = re.compile(f"P(?:{_DATE}|{_TIME}|{_DIGITS}W)", re.IGNORECASE | re.ASCII)


def _rfc_3339(text: str) -> bool:
    """RFC 3339 appendix A, whose ABNF is case-insensitive."""
    return bool(_RFC_3339.fullmatch(text))


_JAVA = re.compile(
    r"[-+]?P(?:[-+]?[0-9]+D)?(?:T(?=[-+0-9])(?:[-+]?[0-9]+H)?(?:[-+]?[0-9]+M)?(?:[-+]?[0-9]+(?:[.,][0-9]{0,9})?S)?)?",
    re.IGNORECASE | re.ASCII,
)


def _java(text: str) -> bool:
    """The pattern in the documentation of java.time.Duration.parse."""
    return bool(_JAVA.fullmatch(text)) and text.upper().lstrip("+-") != "P"


_CLOCK = r"(?:[01][0-9]|2[0-4]):[0-5][0-9]:[0-5][0-9]"
_ALTERNATIVE = re.compile(
    rf"P[0-9]{{4}}-(?:(?:0[0-9]|1[0-2])-[0-3][0-9]|[0-3][0-9]{{2}})T{_CLOCK}|P[0-9]{{7,8}}T[0-9]{{6}}"
)


def _alternative(text: str) -> bool:
    """ISO 8601-1:2019 5.5.2.4, by agreement of the parties only."""
    return bool(_ALTERNATIVE.fullmatch(text))


#: Every published reading, by name.
READINGS: Mapping[str, Callable[[str], bool]] = MappingProxyType(
    {
        "ISO 8601-1": _iso_8601_1,
        "ISO 8601-2": _iso_8601_2,
        "XML Schema": _xsd,
        "RFC 3339": _rfc_3339,
        "java.time.Duration": _java,
        "alternative format": _alternative,
    }
)

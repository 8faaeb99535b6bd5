"""
Reads durations by six readings, each a named interpretation of "ISO 8601 duration".

One permissive parser takes a text apart, and each reading is a predicate over the parts. So two readings differ only
where their predicates do. Lengths are exact decimals, never floats. The time is linear in the length of the text.
This module knows nothing of minima, settings or verdicts.

Sources: ISO 8601-1:2019 5.5.2; ISO 8601-2:2019 4.4.1.9 and 11.3.2; XML Schema 1.1 part 2, 3.3.6;
RFC 3339 appendix A; the documentation of java.time.Duration.parse.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal
from functools import lru_cache
from types import MappingProxyType

DAY = 86_400
"""Seconds."""

# Exact: only sums and products with small integers are computed, and these never need more digits than memory holds.
EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[])

UNITS: Mapping[str, tuple[int, int]] = MappingProxyType(
    {
        "Y": (365 * DAY, 366 * DAY),
        "M": (28 * DAY, 31 * DAY),
        "W": (7 * DAY, 7 * DAY),
        "D": (DAY, DAY),
        "TH": (3600, 3600),
        "TM": (60, 60),
        "TS": (1, 1),
    }
)
"""The least and the greatest number of seconds in one unit. Units of time have T before their letter."""
_ORDER = tuple(UNITS)


@dataclass(frozen=True, slots=True)
class Length:
    """The length of a duration in seconds: a range, since years and months differ in length."""

    low: Decimal
    high: Decimal
    fraction: bool = False
    """Whether the text has a decimal fraction."""

    def overlaps(self, other: "Length") -> bool:
        """Whether the two lengths may be the same."""
        return self.low <= other.high and other.low <= self.high


@dataclass(frozen=True, slots=True)
class _Parts:
    """The parts of a text in the form with designators, before any reading has judged them."""

    text: str
    sign: str
    components: tuple[tuple[str, str, str, str | None], ...]
    """For each component: unit, sign, whole digits, and the fraction with its separator, or None."""
    dangling: bool
    """Whether no component follows P, or none follows T."""

    @property
    def units(self) -> tuple[str, ...]:
        return tuple(component[0] for component in self.components)

    @property
    def signed(self) -> bool:
        return any(component[1] for component in self.components)

    @property
    def fraction_only_last(self) -> bool:
        return all(fraction is None for _, _, _, fraction in self.components[:-1]) and (
            self.components[-1][3] is None or len(self.components[-1][3]) > 1
        )

    @property
    def upper(self) -> bool:
        return self.text == self.text.upper()

    def length(self) -> Length:
        low = high = Decimal(0)
        for unit, sign, whole, fraction in self.components:
            number = Decimal(f"{sign}{whole}.{fraction[1:] if fraction else ''}")
            least, greatest = UNITS[unit]
            low = EXACT.add(low, EXACT.multiply(number, Decimal(least)))
            high = EXACT.add(high, EXACT.multiply(number, Decimal(greatest)))
        if self.sign == "-":
            low, high = EXACT.minus(low), EXACT.minus(high)
        return Length(min(low, high), max(low, high), any(part[3] is not None for part in self.components))


def _component(unit: str) -> str:
    return rf"(?:([+-]?)([0-9]++)([.,][0-9]*+)?{unit})?"


# ASCII keeps IGNORECASE from matching the long s (U+017F) and the Kelvin sign.
_DESIGNATORS = re.compile(
    "([+-]?)P" + "".join(map(_component, "YMWD")) + "(?:(T)" + "".join(map(_component, "HMS")) + ")?",
    re.IGNORECASE | re.ASCII,
)


def _take_apart(text: str) -> _Parts | None:
    match = _DESIGNATORS.fullmatch(text)
    if match is None:
        return None
    groups = match.groups()
    raw = [groups[1 + 3 * i : 4 + 3 * i] for i in range(4)] + [
        groups[14 + 3 * i : 17 + 3 * i] for i in range(3)
    ]
    components = tuple(
        (unit, sign or "", whole, fraction)
        for unit, (sign, whole, fraction) in zip(_ORDER, raw, strict=True)
        if whole is not None
    )
    time = any(unit.startswith("T") for unit, *_ in components)
    return _Parts(text, groups[0], components, not components or (groups[13] is not None and not time))


def _iso8601_1(parts: _Parts) -> bool:
    # 5.5.2.3: only the component of the lowest order may have a fraction. 5.5.2.1: weeks stand alone.
    # There is no sign, and designators are capitals.
    return (
        not parts.sign
        and not parts.signed
        and parts.upper
        and parts.fraction_only_last
        and ("W" not in parts.units or len(parts.units) == 1)
    )


def _iso8601_2(parts: _Parts) -> bool:
    # 4.4.1.9: a minus may lead. 11.3.2: weeks may stand beside other units, and components may have signs.
    return "+" not in parts.text and parts.upper and parts.fraction_only_last


def _xsd(parts: _Parts) -> bool:
    # 3.3.6: a minus may lead, there are no weeks, and only seconds have a fraction, with digits around a full stop.
    return (
        parts.sign != "+"
        and not parts.signed
        and parts.upper
        and "W" not in parts.units
        and all(
            fraction is None or (unit == "TS" and fraction[0] == "." and len(fraction) > 1)
            for unit, _, _, fraction in parts.components
        )
    )


def _rfc3339(parts: _Parts) -> bool:
    # Appendix A: numbers are whole and have no sign, weeks stand alone, and no unit between two others is left out.
    # ABNF strings are case-insensitive (RFC 5234 2.3).
    if parts.sign or parts.signed or any(fraction is not None for _, _, _, fraction in parts.components):
        return False
    if "W" in parts.units:
        return len(parts.units) == 1
    return all(
        "".join(unit for unit in parts.units if unit in family) in "".join(family)
        for family in (("Y", "M", "D"), ("TH", "TM", "TS"))
    )


_LONG = 2**63


def _java(parts: _Parts) -> bool:
    # There are no years, months or weeks. Signs may stand anywhere. A fraction has up to nine digits, or none.
    if any(
        unit in ("Y", "M", "W") or (fraction is not None and (unit != "TS" or len(fraction) > 10))
        for unit, _, _, fraction in parts.components
    ):
        return False
    length = parts.length()
    return -_LONG <= length.low < _LONG and all(Decimal(whole) < _LONG for _, _, whole, _ in parts.components)


_CALENDAR = re.compile(
    r"P([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})"
    r"|P([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{2})([0-9]{2})([0-9]{2})"
    r"|P([0-9]{4})-()([0-9]{3})T([0-9]{2}):([0-9]{2}):([0-9]{2})"
    r"|P([0-9]{4})()([0-9]{3})T([0-9]{2})([0-9]{2})([0-9]{2})"
)


def _alternative(text: str) -> Length | None:
    # ISO 8601-1 5.5.2.4, for partners that agree on it: no number exceeds its carry-over point.
    match = _CALENDAR.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(each or 0) for each in match.groups() if each is not None)
    ordinal = match.group(14) is not None or match.group(20) is not None
    if month > 12 or day > (366 if ordinal else 31) or hour > 24 or minute > 60 or second > 60:
        return None
    time = day * DAY + hour * 3600 + minute * 60 + second
    return Length(
        Decimal(year * 365 * DAY + month * 28 * DAY + time),
        Decimal(year * 366 * DAY + month * 31 * DAY + time),
    )


_DESIGNATOR_READINGS: Mapping[str, Callable[[_Parts], bool]] = MappingProxyType(
    {"iso8601-1": _iso8601_1, "xsd": _xsd, "java": _java, "iso8601-2": _iso8601_2, "rfc3339": _rfc3339}
)
READINGS = (*_DESIGNATOR_READINGS, "alternative")
"""The names of all readings. `iso8601-1` is the one that the document cites."""

_XSD_BLANKS = " \t\r\n"


def read(text: str) -> Mapping[str, Length]:
    """Return the readings that parse the text, each with the length in seconds that it gives."""
    # A run reads the same few texts again and again. A long text is not worth the memory of keeping it.
    return _read_again(text) if len(text) <= 64 else _read(text)


def _read(text: str) -> Mapping[str, Length]:
    lengths: dict[str, Length] = {}
    parts = _take_apart(text)
    if parts is not None and not parts.dangling:
        length = parts.length()
        lengths = {name: length for name, takes in _DESIGNATOR_READINGS.items() if takes(parts)}
    elif (alternative := _alternative(text)) is not None:
        lengths["alternative"] = alternative
    elif (collapsed := text.strip(_XSD_BLANKS)) != text and "xsd" in (inner := read(collapsed)):
        lengths["xsd"] = inner["xsd"]  # XML Schema 1.1 part 2, 3.3.6: whiteSpace=collapse
    return MappingProxyType(lengths)


_read_again = lru_cache(maxsize=4096)(_read)

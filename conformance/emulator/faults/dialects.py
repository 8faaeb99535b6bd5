"""How libraries and other notations read durations, leniencies and gaps included.

Patterns follow the grammars or the sources named beside them. `isodate` is the real library.
"""

import re
from decimal import Decimal
from typing import cast

from conformance.emulator.durations import MalformedDuration, total
from conformance.emulator.fields import TimerField

_DATE = ("years", "months", "weeks", "days")
_TIME = ("hours", "minutes", "seconds")
_LETTERS = {unit: unit[0].upper() for unit in (*_DATE, *_TIME)}


def _pattern(numbers: dict[str, str], *, flags: int = 0, empty: bool = False) -> re.Pattern[str]:
    """Return a pattern of optional components, each with its own notation of numbers.

    Args:
        numbers: The pattern of each known unit's number.
        flags: Flags of the pattern.
        empty: Whether the components may all be missing, also after a T.
    """
    date, time = (
        "".join(f"(?:(?P<{unit}>{numbers[unit]}){_LETTERS[unit]})?" for unit in units if unit in numbers)
        for units in (_DATE, _TIME)
    )
    return re.compile(f"P{date}(?:T{time})?" if empty else rf"P(?=.){date}(?:T(?=.){time})?", flags)


def _read(pattern: re.Pattern[str], text: str) -> Decimal:
    match = pattern.fullmatch(text)
    if match is None:
        raise MalformedDuration(text[:80])
    length = Decimal(0)
    for unit, number in match.groupdict().items():
        if number:
            sign = -1 if number.startswith("-") else 1
            length += sign * total({unit: number.lstrip("+-").rstrip(".,")})
    return length


_WHOLE = "[0-9]+"

# docs.oracle.com/en/java/javase/17/docs/api/java.base/java/time/Duration.html#parse(java.lang.CharSequence)
_JAVA = _pattern(
    {
        "days": "[-+]?[0-9]+",
        "hours": "[-+]?[0-9]+",
        "minutes": "[-+]?[0-9]+",
        "seconds": "[-+]?[0-9]+(?:[.,][0-9]{0,9})?",
    },
    flags=re.IGNORECASE | re.ASCII,
)


def java_seconds(text: str) -> Decimal:
    """Read as java.time.Duration.parse does."""
    sign = -1 if text.startswith("-") else 1
    return sign * _read(_JAVA, text[1:] if text[:1] in ("+", "-") else text)


# www.w3.org/TR/xmlschema11-2/#duration
_XSD = _pattern(
    dict.fromkeys(("years", "months", "days", "hours", "minutes"), _WHOLE)
    | {"seconds": r"[0-9]+(?:\.[0-9]+)?"}
)


def like_xsd(timer: TimerField) -> None:
    """Read as xsd:duration, whose white space is collapsed first."""

    def parse(text: str) -> Decimal:
        collapsed = text.strip(" \t\r\n")
        sign = -1 if collapsed.startswith("-") else 1
        return sign * _read(_XSD, collapsed.removeprefix("-"))

    timer.parse = parse
    timer.keep = lambda text, length: text.strip(" \t\r\n")


# www.php.net/manual/en/dateinterval.construct.php
_PHP = _pattern(dict.fromkeys((*_DATE, *_TIME), _WHOLE))


def php_seconds(text: str) -> Decimal:
    """Read as PHP's DateInterval does since 8.0."""
    return _read(_PHP, text)


# tc39.es/proposal-temporal, the polyfill's pattern: fractions of the lowest unit of time, up to nine digits
_FRACTIONAL = "[0-9]+(?:[.,][0-9]{1,9})?"
_TEMPORAL = _pattern(
    dict.fromkeys(_DATE, _WHOLE) | dict.fromkeys(_TIME, _FRACTIONAL), flags=re.IGNORECASE | re.ASCII
)


def temporal_seconds(text: str) -> Decimal:
    """Read as JavaScript's Temporal.Duration.from does."""
    if re.search("[.,][0-9]+[A-Za-z].", text):
        raise MalformedDuration(text[:80])
    sign = -1 if text.startswith("-") else 1
    return sign * _read(_TEMPORAL, text[1:] if text[:1] in ("+", "-") else text)


# RFC 3339 appendix A
_RFC3339 = re.compile(
    "P(?:(?P<weeks>[0-9]+)W|(?P<years>[0-9]+)Y(?:(?P<months>[0-9]+)M(?:(?P<days>[0-9]+)D)?)?{time}?"
    "|(?P<months2>[0-9]+)M(?:(?P<days2>[0-9]+)D)?{time}?|(?P<days3>[0-9]+)D{time}?|{time})".replace(
        "{time}", "(?:T(?:[0-9]+H(?:[0-9]+M(?:[0-9]+S)?)?|[0-9]+M(?:[0-9]+S)?|[0-9]+S))"
    )
)


def rfc3339_seconds(text: str) -> Decimal:
    """Read by the grammar of RFC 3339 appendix A, in which no unit can be skipped."""
    if _RFC3339.fullmatch(text) is None:
        raise MalformedDuration(text[:80])
    return php_seconds(text)


# github.com/moment/luxon src/impl/regexParser.js: any component may be missing, all of them too
_LUXON_NUMBER = r"-?[0-9]{1,20}(?:\.[0-9]{1,20})?"
_LUXON = _pattern(
    dict.fromkeys((*_DATE, "hours", "minutes"), _LUXON_NUMBER)
    | {"seconds": r"-?[0-9]{1,20}(?:[.,][0-9]{1,20})?"},
    empty=True,
)


def luxon_seconds(text: str) -> Decimal:
    """Read as luxon's Duration.fromISO does."""
    sign = -1 if text.startswith("-") else 1
    return sign * _read(_LUXON, text.removeprefix("-"))


def go_seconds(text: str) -> Decimal:
    """Read as github.com/sosodev/duration does: by characters, the last of a repeated component counting."""
    components: dict[str, str] = {}
    number, in_time, sign = "", False, 1
    for character in text:
        if character in "0123456789.":
            number += character
            continue
        if character == "-" and not number:
            sign = -1
        elif character in "PT":
            in_time = character == "T"
        else:
            unit = next((name for name in (_TIME if in_time else _DATE) if _LETTERS[name] == character), None)
            if unit is None or not re.fullmatch(r"[0-9]+(?:\.[0-9]+)?", number):
                raise MalformedDuration(text[:80])
            components[unit], number = number, ""
    if number or not text.lstrip("-").startswith("P"):
        raise MalformedDuration(text[:80])
    return sign * total(components)


def isodate_seconds(text: str) -> Decimal:
    """Read with isodate; a length in calendar units loses those, as `total_seconds` of its Duration does."""
    import isodate  # type: ignore[import-untyped] # ships no types; imported late, for a quick start

    try:
        return Decimal(repr(isodate.parse_duration(text).total_seconds()))
    except (isodate.ISO8601Error, ValueError, OverflowError):
        raise MalformedDuration(text[:80]) from None


def isodate_seconds_unguarded(text: str) -> Decimal:
    """Read with isodate, whose own error alone is expected."""
    import isodate

    try:
        return Decimal(repr(isodate.parse_duration(text).total_seconds()))
    except isodate.ISO8601Error:
        raise MalformedDuration(text[:80]) from None


# github.com/moment/moment src/lib/duration/create.js, without its signs
_MOMENT = re.compile(
    r"P(?:(?P<years>[0-9.,]*)Y)?(?:(?P<months>[0-9.,]*)M)?(?:(?P<weeks>[0-9.,]*)W)?(?:(?P<days>[0-9.,]*)D)?"
    r"(?:T(?:(?P<hours>[0-9.,]*)H)?(?:(?P<minutes>[0-9.,]*)M)?(?:(?P<seconds>[0-9.,]*)S)?)?"
)


def like_moment(timer: TimerField) -> None:
    """Read as moment.duration does: what cannot be read is a zero, and zero is kept as disabled."""

    def parse(text: str) -> Decimal:
        match = _MOMENT.fullmatch(text)
        components = cast("dict[str, str | None]", match.groupdict()) if match else {}
        readable = {unit: number for unit, number in components.items() if number}
        if not all(re.fullmatch("[0-9]+(?:[.,][0-9]+)?", number) for number in readable.values()):
            return Decimal(0)
        return total(readable)

    timer.parse = parse
    timer.exempt = lambda text: not parse(text)
    timer.keep = lambda text, length: text if length else "PT0S"

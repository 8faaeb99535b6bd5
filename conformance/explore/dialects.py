"""
Known ways to read a duration, as executable models.

A model gives the length of a text, or refuses it. It knows no minimum: a target that reads with a dialect accepts a
text that the model reads and that is long enough. Five models are readings of `conformance.oracle.durations`.
`isodate` is the library itself. The others follow the sources named beside them; `benchmarks/timers.py` runs them
beside the real parsers.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from types import MappingProxyType

import isodate  # type: ignore[import-untyped]  # ships no types

from conformance.oracle.durations import DAY, Length, read

Reader = Callable[[str], Length | None]

SECONDS: Mapping[str, tuple[int, int]] = MappingProxyType(
    {
        "Y": (365 * DAY, 366 * DAY),
        "O": (28 * DAY, 31 * DAY),
        "W": (7 * DAY, 7 * DAY),
        "D": (DAY, DAY),
        "H": (3600, 3600),
        "M": (60, 60),
        "S": (1, 1),
    }
)
"""Least and greatest seconds of a unit; O is a month."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """A known way to read a duration."""

    name: str
    read: Reader
    """Its length, or None where it is refused."""
    source: str
    variant: str = ""
    """The name of one of several published behaviours of a dialect; empty where there is only one."""


_EXACT = Context(prec=10_000)
"""More digits than any text that is asked about has."""


def _sum(components: Mapping[str, Decimal]) -> Length:
    with localcontext(_EXACT):
        ends = [
            sum((number * SECONDS[unit][end] for unit, number in components.items()), Decimal(0))
            for end in (0, 1)
        ]
    return Length(min(ends), max(ends))


def _numbers(match: re.Match[str]) -> dict[str, Decimal]:
    return {
        unit: Decimal(number.replace(",", "."))
        for unit, number in match.groupdict().items()
        if number is not None and unit in SECONDS
    }


def _pattern(date: str, time: str, seconds: str, flags: re.RegexFlag = re.NOFLAG) -> re.Pattern[str]:
    """Components that may all be missing; the group `clock` begins with T where there is one."""
    days = "".join(f"(?:(?P<{unit}>{date}){'M' if unit == 'O' else unit})?" for unit in "YOWD")
    clock = "".join(f"(?:(?P<{unit}>{seconds if unit == 'S' else time}){unit})?" for unit in "HMS")
    return re.compile(f"P{days}(?P<clock>T{clock})?", flags)


def _named(name: str) -> Reader:
    return lambda text: read(text).get(name)


def _upper_case(reader: Reader) -> Reader:
    return lambda text: reader(text) if text == text.upper() else None


def _isodate(text: str) -> Length | None:
    try:
        parsed = isodate.parse_duration(text)
    except (isodate.ISO8601Error, ValueError, OverflowError, ArithmeticError):
        return None  # ValueError and OverflowError leak from it; either way nothing is accepted
    rest = parsed if not isinstance(parsed, isodate.Duration) else parsed.tdelta
    seconds = Decimal(rest.days * DAY + rest.seconds) + Decimal(rest.microseconds) / 10**6
    if rest is parsed:
        return Length(seconds, seconds)
    # total_seconds() leaves years and months out, which counting them in does not: either may be compared.
    calendar = _sum({"Y": Decimal(parsed.years), "O": Decimal(parsed.months)})
    return Length(min(seconds, seconds + calendar.low), max(seconds, seconds + calendar.high))


# github.com/tc39/proposal-temporal, as its polyfills have it; bounds of IsValidDuration
_TEMPORAL = _pattern(
    "[0-9]+", "[0-9]+(?:[.,][0-9]{1,9})?", "[0-9]+(?:[.,][0-9]{1,9})?", re.IGNORECASE | re.ASCII
)
_CALENDAR_BOUND = 2**32
_SECONDS_BOUND = 2**53


def _temporal(text: str) -> Length | None:
    sign, body = (text[0], text[1:]) if text[:1] in ("+", "-") else ("", text)
    match = _TEMPORAL.fullmatch(body)
    if match is None or match["clock"] in ("T", "t") or re.search("[.,][0-9]+[A-Za-z].", body):
        return None
    numbers = _numbers(match)
    clock = _sum({unit: number for unit, number in numbers.items() if unit in "DHMS"})
    if not numbers or clock.high >= _SECONDS_BOUND:
        return None
    if any(numbers.get(unit, 0) >= _CALENDAR_BOUND for unit in "YOW"):
        return None
    return _signed(_sum(numbers), sign)


def _signed(length: Length, sign: str | None) -> Length:
    return Length(-length.high, -length.low) if sign == "-" else length


# github.com/moment/luxon src/impl/regexParser.js: all components may be missing, also after T
_LUXON_NUMBER = r"-?[0-9]{1,20}(?:\.[0-9]{1,20})?"
_LUXON = _pattern(_LUXON_NUMBER, _LUXON_NUMBER, "-?[0-9]{1,20}(?:[.,]-?[0-9]{1,20})?")


def _luxon(text: str) -> Length | None:
    sign, body = ("-", text[1:]) if text.startswith("-") else ("", text)
    match = _LUXON.fullmatch(body)
    if match is None or re.search("[.,]-", body):  # a sign within a fraction is taken, but of no known length
        return None
    return _signed(_sum(_numbers(match)), sign)


# github.com/moment/moment src/lib/duration/create.js and valid.js
_MOMENT_NUMBER = "[-+]?[0-9,.]*"
_MOMENT = _pattern(_MOMENT_NUMBER, _MOMENT_NUMBER, _MOMENT_NUMBER)
_ASP_NET = re.compile(r"([-+])?(?:([0-9]*)[. ])?([0-9]+):([0-9]+)(?::([0-9]+)(\.[0-9]*)?)?")
_NUMERAL = re.compile(
    r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?|0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+"
)
_LEADING_NUMERAL = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)")
_ZERO = Length(Decimal(0), Decimal(0))
_ECMASCRIPT_BLANKS = (
    "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)


def _moment(text: str) -> Length | None:
    """A text that cannot be read is a zero; only a fraction before the last component is refused."""
    number = text.strip(_ECMASCRIPT_BLANKS)
    if _NUMERAL.fullmatch(number):  # milliseconds
        prefixed = number[:2].lower() in ("0x", "0o", "0b")
        value = (Decimal(int(number, 0)) if prefixed else Decimal(number)) / 1000
        return Length(value, value)
    if match := _ASP_NET.fullmatch(text):
        sign, days, hours, minutes, seconds, fraction = match.groups()
        value = sum(
            (
                Decimal(part or 0) * scale
                for part, scale in ((days, DAY), (hours, 3600), (minutes, 60), (seconds, 1))
            ),
            Decimal(f"0{fraction}" if fraction and fraction != "." else 0),
        )
        return _signed(Length(value, value), sign)
    sign, body = (text[0], text[1:]) if text[:1] in ("+", "-") else ("", text)
    match = _MOMENT.fullmatch(body)
    if match is None:
        return _ZERO
    numbers: dict[str, Decimal] = {}
    for unit in SECONDS:
        leading = _LEADING_NUMERAL.match((match[unit] or "").replace(",", ".", 1))
        numbers[unit] = Decimal(leading[0]) if leading else Decimal(0)
    counted = [number for number in numbers.values() if number]
    if any(number != number.to_integral_value() for number in counted[:-1]):
        return None
    # Months and years become whole days of the Gregorian mean month.
    months = numbers.pop("O") + 12 * numbers.pop("Y")
    days = (months * 146_097 / 4_800).quantize(Decimal(1), ROUND_HALF_UP, _EXACT)
    return _signed(_sum({**numbers, "D": numbers["D"] + days}), sign)


_GO_GREATEST = Decimal("9223372036.854775808")
"""Seconds that a time.Duration, 64 bits of nanoseconds, does not hold any more: such a component comes out negative."""
_GO_LENGTHS = {unit: Decimal(low) for unit, (low, _) in SECONDS.items()} | {"O": Decimal(365 * DAY // 12)}


def _go_sosodev(text: str) -> Length | None:
    """By characters: any order, repeated components (the last counts), repeated P and T."""
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
            if not _LEADING_NUMERAL.fullmatch(number):
                return None
            numbers["O" if character == "M" and not in_time else character] = Decimal(number)
            number = ""
        else:
            return None
    if number:
        return None
    lengths = [_EXACT.multiply(number, _GO_LENGTHS[unit]) for unit, number in numbers.items()]
    if any(length >= _GO_GREATEST for length in lengths) or sum(lengths) >= _GO_GREATEST:
        held = (length if length < _GO_GREATEST else -_GO_GREATEST for length in lengths)
        least = sum(held, Decimal(0))
        least -= 2 * _GO_GREATEST if least >= _GO_GREATEST else 0
        return _signed(Length(least, least), sign)
    return _signed(_sum(numbers), sign)


# www.php.net/manual/en/dateinterval.construct.php; github.com/derickr/timelib parse_iso_intervals.re
_PHP = _pattern("[0-9]+", "[0-9]+", "[0-9]+")
_PHP_COMBINED = re.compile(
    "P([0-9]{4})-(0[0-9]|1[0-2])-(0[0-9]|[12][0-9]|3[01])T([01][0-9]|2[0-4]):([0-5][0-9]):([0-5][0-9])"
)
_PHP_DIGITS = 12


def _php(text: str) -> Length | None:
    if combined := _PHP_COMBINED.fullmatch(text):
        return _sum({unit: Decimal(number) for unit, number in zip("YODHMS", combined.groups(), strict=True)})
    match = _PHP.fullmatch(text)
    return None if match is None or match["clock"] == "T" or not _numbers(match) else _sum(_numbers(match))


_PHP_TOKEN = re.compile(
    rf"R[0-9]+|{_PHP_COMBINED.pattern}|P(?:[0-9]+[YMWD])*(?:T(?:[0-9]+[HMS])*)?|[ .,\t/\n\0]"
)


def _timelib(text: str) -> Length | None:
    """As the scanner under DateInterval has it: blanks around, separators, several periods in a row."""
    rest, length = text.strip(" \t\n\v\f\r"), None
    while rest:
        token = _PHP_TOKEN.match(rest)
        if token is None:
            return None
        if token[0].startswith("P"):
            length = _php(token[0])
            if length is None or any(len(number) > _PHP_DIGITS for number in re.findall("[0-9]+", token[0])):
                return None
        rest = rest[token.end() :]
    return length


# github.com/ajv-validator/ajv-formats src/formats.ts: the units of RFC 3339, any of which may be left out
_AJV = re.compile(
    "P(?=.)(?:(?:(?P<Y>[0-9]+)Y)?(?:(?P<O>[0-9]+)M)?(?:(?P<D>[0-9]+)D)?"
    "(?:T(?=.)(?:(?P<H>[0-9]+)H)?(?:(?P<M>[0-9]+)M)?(?:(?P<S>[0-9]+)S)?)?|(?P<W>[0-9]+)W)"
)


def _ajv(text: str) -> Length | None:
    match = _AJV.fullmatch(text)
    return None if match is None else _sum(_numbers(match))


# github.com/django/django django/utils/dateparse.py: days, ISO 8601 without larger units, PostgreSQL; the first that
# matches counts, and `$` matches before a line end
_DJANGO_NUMBER = r"\d+(?:[.,]\d+)?"
_DJANGO = (
    re.compile(
        r"(?:(?P<days>-?\d+) (?:days?, )?)?(?P<sign>-?)(?:(?P<hours>\d+):(?=\d+:\d+))?(?:(?P<minutes>\d+):)?"
        r"(?P<seconds>\d+)(?:[.,](?P<microseconds>\d{1,6})\d{0,6})?$"
    ),
    re.compile(
        rf"(?P<sign>[-+]?)P(?:(?P<days>{_DJANGO_NUMBER})D)?(?:T(?:(?P<hours>{_DJANGO_NUMBER})H)?"
        rf"(?:(?P<minutes>{_DJANGO_NUMBER})M)?(?:(?P<seconds>{_DJANGO_NUMBER})S)?)?$"
    ),
    re.compile(
        r"(?:(?P<days>-?\d+) days? ?)?(?:(?P<sign>[-+])?(?P<hours>\d+):(?P<minutes>\d\d):(?P<seconds>\d\d)"
        r"(?:\.(?P<microseconds>\d{1,6}))?)?$"
    ),
)


def _django(text: str) -> Length | None:
    match = next((found for pattern in _DJANGO if (found := pattern.match(text))), None)
    if match is None:
        return None
    texts = {name: number for name, number in match.groupdict().items() if number is not None}
    sign = -1 if texts.pop("sign", "") == "-" else 1
    if "microseconds" in texts:
        texts["microseconds"] = texts["microseconds"].ljust(6, "0")
    numbers = {name: float(number.replace(",", ".")) for name, number in texts.items()}
    try:
        days = timedelta(numbers.pop("days", 0.0)) * (sign if match.re is _DJANGO[1] else 1)
        length = days + sign * timedelta(**numbers)
    except OverflowError:  # it leaks; nothing is accepted
        return None
    seconds = Decimal(length // timedelta(microseconds=1)) / 10**6
    return Length(seconds, seconds)


# github.com/pydantic/speedate src/duration.rs, which pydantic reads with: units repeat in any order
_PYDANTIC = re.compile("P(?:[0-9]+(?:[.,][0-9]*)?[YMWD])*(?P<clock>T(?:[0-9]+(?:[.,][0-9]*)?[HMS])*)?")
_PYDANTIC_CLOCK = re.compile(
    "(?=.)(?:(?P<D>[0-9]+) ?d(?:ays?)?,? ?)?"
    "(?:(?P<H>[0-9]{1,9}):(?P<M>[0-5][0-9])(?::(?P<S>[0-5][0-9](?:[.,][0-9]+)?))?)?",
    re.IGNORECASE,
)
_PYDANTIC_LENGTHS = {"Y": 365 * DAY, "M": 30 * DAY, "W": 7 * DAY, "D": DAY}
_PYDANTIC_DAYS = 10**9
_PYDANTIC_SECONDS = 2**32


def _pydantic(text: str) -> Length | None:
    sign, body = (text[0], text[1:]) if text[:1] in ("+", "-") else ("", text)
    if match := _PYDANTIC_CLOCK.fullmatch(body):
        return None if Decimal(match["D"] or 0) >= _PYDANTIC_DAYS else _signed(_sum(_numbers(match)), sign)
    match = _PYDANTIC.fullmatch(body)
    if match is None or re.search("[.,][0-9]*[A-Z]T?[0-9]", body):
        return None
    date, _, clock = body.partition("T")
    parts = [
        [
            (Decimal(number.replace(",", ".")), lengths[unit])
            for number, unit in re.findall("([0-9.,]+)([A-Z])", half)
        ]
        for half, lengths in ((date, _PYDANTIC_LENGTHS), (clock, {"H": 3600, "M": 60, "S": 1}))
    ]
    with localcontext(_EXACT):
        of_date, of_clock = (sum((number * length for number, length in each), Decimal(0)) for each in parts)
        if not any(parts) or of_date >= _PYDANTIC_DAYS * DAY or of_clock >= _PYDANTIC_SECONDS:
            return None
        seconds = (of_date + of_clock).quantize(Decimal("0.000001"), ROUND_HALF_UP)
        return _signed(Length(seconds, seconds), sign)


_ENDLESS = Length(Decimal("Infinity"), Decimal("Infinity"))

_ISO = "ISO 8601-1:2019 5.5.2"
DIALECTS = (
    Dialect("iso8601-1", _named("iso8601-1"), _ISO),
    Dialect("iso8601-2", _named("iso8601-2"), "ISO 8601-2:2019 4.4.1.9 and 11.3.2"),
    Dialect("xsd", _named("xsd"), "XML Schema 1.1 part 2, 3.3.6"),
    Dialect("rfc3339", _named("rfc3339"), "RFC 3339 appendix A", "letters of either case"),
    Dialect(
        "rfc3339",
        _upper_case(_named("rfc3339")),
        "RFC 3339 appendix A, as jsonschema-rs checks JSON Schema's format",
        "capitals only",
    ),
    Dialect("ajv-formats", _ajv, "JSON Schema's format as ajv-formats checks it"),
    Dialect("java", _named("java"), "java.time.Duration.parse"),
    Dialect("isodate", _isodate, "isodate.parse_duration, called"),
    Dialect("temporal", _temporal, "Temporal.Duration.from"),
    Dialect("luxon", _luxon, "luxon's Duration.fromISO"),
    Dialect("moment", _moment, "moment.duration"),
    Dialect("go-sosodev", _go_sosodev, "github.com/sosodev/duration"),
    Dialect("php", _php, "the manual of DateInterval", "as documented"),
    Dialect("php", _timelib, "timelib, the scanner under DateInterval", "as scanned"),
    Dialect("django", _django, "django.utils.dateparse.parse_duration"),
    Dialect("pydantic", _pydantic, "pydantic's timedelta, read by speedate"),
    Dialect("none", lambda text: _ENDLESS, "no reading: every value is accepted"),
)
"""In the order in which they are preferred when two explain the answers as well."""

"""How libraries and other notations read durations, leniencies and gaps included.

Patterns follow the grammars or the sources named beside them. `isodate` is the real library. Every reader returns
the length in seconds and raises `MalformedDuration` for what it refuses.
"""

import re
from collections.abc import Mapping
from decimal import Decimal

from conformance.emulator.durations import EXACT, SECONDS, MalformedDuration
from conformance.emulator.fields import TimerField

_DATE = ("years", "months", "weeks", "days")
_TIME = ("hours", "minutes", "seconds")
_LETTERS = {unit: unit[0].upper() for unit in (*_DATE, *_TIME)}


def _pattern(numbers: Mapping[str, str], *, flags: int = 0, empty: bool = False) -> re.Pattern[str]:
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


def _components(pattern: re.Pattern[str], text: str) -> dict[str, Decimal]:
    match = pattern.fullmatch(text)
    if match is None:
        raise MalformedDuration(text[:80])
    return {unit: _number(number) for unit, number in match.groupdict().items() if number}


def _number(numeral: str) -> Decimal:
    return EXACT.create_decimal(numeral.replace(",", ".").rstrip("."))


def _sum(components: Mapping[str, Decimal]) -> Decimal:
    length = Decimal(0)
    for unit, number in components.items():
        length = EXACT.add(length, EXACT.multiply(number, SECONDS[unit]))
    return length


def _split(text: str, signs: str) -> tuple[bool, str]:
    """Return whether a text is negative, and the rest of it."""
    return (text[0] == "-", text[1:]) if text and text[0] in signs else (False, text)


def _signed(negative: bool, length: Decimal) -> Decimal:
    return EXACT.minus(length) if negative else length


_WHOLE = "[0-9]+"

# ISO 8601-2:2019 4.4.1.9 and 11.3.2: a minus before the whole or a component, weeks beside other units
_ISO8601_2 = _pattern(dict.fromkeys((*_DATE, *_TIME), "-?[0-9]+(?:[.,][0-9]+)?"))


def iso8601_2_seconds(text: str) -> Decimal:
    """Read the extended notation of ISO 8601-2."""
    negative, rest = _split(text, "-")
    components = _components(_ISO8601_2, rest)
    if re.search("[.,][0-9]+[A-Z].", rest):  # a fraction on the last component only
        raise MalformedDuration(text[:80])
    return _signed(negative, _sum(components))


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
_LONG = 2**63


def java_seconds(text: str) -> Decimal:
    """Read as java.time.Duration.parse does: numbers and seconds are integers of 64 bits."""
    negative, rest = _split(text, "+-")
    components = _components(_JAVA, rest)
    length = _sum(components)
    if any(not -_LONG <= number < _LONG for number in (*components.values(), length)):
        raise MalformedDuration(text[:80])
    return _signed(negative, length)


# www.w3.org/TR/xmlschema11-2/#duration
_XSD = _pattern(
    dict.fromkeys(("years", "months", "days", "hours", "minutes"), _WHOLE)
    | {"seconds": r"[0-9]+(?:\.[0-9]+)?"}
)
_XSD_BLANKS = " \t\r\n"


def like_xsd(timer: TimerField) -> None:
    """Read as xsd:duration, whose white space is collapsed first."""

    def parse(text: str) -> Decimal:
        negative, rest = _split(text.strip(_XSD_BLANKS), "-")
        return _signed(negative, _sum(_components(_XSD, rest)))

    timer.parse = parse
    timer.keep = lambda text, length: text.strip(_XSD_BLANKS)


# www.php.net/manual/en/dateinterval.construct.php
_PHP = _pattern(dict.fromkeys((*_DATE, *_TIME), _WHOLE))
_PHP_COMBINED = re.compile(
    "P(?P<years>[0-9]{4})-(?P<months>0[0-9]|1[0-2])-(?P<days>0[0-9]|[12][0-9]|3[01])"
    "T(?P<hours>[01][0-9]|2[0-4]):(?P<minutes>[0-5][0-9]):(?P<seconds>[0-5][0-9])"
)


def php_seconds(text: str) -> Decimal:
    """Read as the manual of PHP's DateInterval has it since 8.0."""
    return _sum(_components(_PHP_COMBINED if "-" in text else _PHP, text))


# github.com/derickr/timelib parse_iso_intervals.re, the scanner that PHP runs
_PHP_TOKEN = re.compile(
    r"(?P<period>P[0-9]{4}-[0-9:T-]*|P(?:[0-9]+[A-Z])*(?:T(?:[0-9]+[A-Z])*)?)|R[0-9]+|[ .,\t/\n\0]"
)
_PHP_DIGITS = 12


def timelib_seconds(text: str) -> Decimal:
    """Read as PHP runs: blanks around, separators, several periods of which the last counts, twelve digits."""
    rest = text.strip(" \t\n\v\f\r")
    length, position = None, 0
    while position < len(rest):
        token = _PHP_TOKEN.match(rest, position)
        if token is None:
            raise MalformedDuration(text[:80])
        if period := token["period"]:
            length = php_seconds(period)
            if re.search(f"[0-9]{{{_PHP_DIGITS + 1}}}", period):
                raise MalformedDuration(text[:80])
        position = token.end()
    if length is None:
        raise MalformedDuration(text[:80])
    return length


# tc39.es/proposal-temporal, the polyfill's pattern: fractions of the lowest unit of time, up to nine digits
_FRACTIONAL = "[0-9]+(?:[.,][0-9]{1,9})?"
_TEMPORAL = _pattern(
    dict.fromkeys(_DATE, _WHOLE) | dict.fromkeys(_TIME, _FRACTIONAL), flags=re.IGNORECASE | re.ASCII
)


def temporal_seconds(text: str) -> Decimal:
    """Read as JavaScript's Temporal.Duration.from does, within the bounds of IsValidDuration."""
    negative, rest = _split(text, "+-")
    components = _components(_TEMPORAL, rest)
    clock = {unit: number for unit, number in components.items() if unit in ("days", *_TIME)}
    calendar = (number for unit, number in components.items() if unit not in clock)
    if (
        re.search("[.,][0-9]+[A-Za-z].", rest)
        or _sum(clock) >= 2**53
        or any(number >= 2**32 for number in calendar)
    ):
        raise MalformedDuration(text[:80])
    return _signed(negative, _sum(components))


# RFC 3339 appendix A, whose literals are of either case (RFC 5234 2.3)
_RFC3339 = re.compile(
    "P(?:[0-9]+W|[0-9]+Y(?:[0-9]+M(?:[0-9]+D)?)?{time}?|[0-9]+M(?:[0-9]+D)?{time}?|[0-9]+D{time}?|{time})".replace(
        "{time}", "(?:T(?:[0-9]+H(?:[0-9]+M(?:[0-9]+S)?)?|[0-9]+M(?:[0-9]+S)?|[0-9]+S))"
    ),
    re.IGNORECASE | re.ASCII,
)


def rfc3339_seconds(text: str) -> Decimal:
    """Read by the grammar of RFC 3339 appendix A, in which no unit can be skipped."""
    if _RFC3339.fullmatch(text) is None:
        raise MalformedDuration(text[:80])
    return _sum(_components(_PHP, text.upper()))


# github.com/moment/luxon src/impl/regexParser.js: any component may be missing, all of them too
_LUXON_NUMBER = r"-?[0-9]{1,20}(?:\.[0-9]{1,20})?"
_LUXON = _pattern(
    dict.fromkeys((*_DATE, "hours", "minutes"), _LUXON_NUMBER)
    | {"seconds": r"-?[0-9]{1,20}(?:[.,][0-9]{1,20})?"},
    empty=True,
)


def luxon_seconds(text: str) -> Decimal:
    """Read as luxon's Duration.fromISO does."""
    negative, rest = _split(text, "-")
    return _signed(negative, _sum(_components(_LUXON, rest)))


_BY_LETTER = {("T" if unit in _TIME else "") + letter: unit for unit, letter in _LETTERS.items()}
_GO_LENGTHS = {**SECONDS, "months": 365 * 86400 // 12}
_GO_GREATEST = Decimal("9223372036.854775808")


def go_seconds(text: str) -> Decimal:
    """Read as github.com/sosodev/duration does: by characters, the last of a repeated component counting.

    A component that a time.Duration, 64 bits of nanoseconds, cannot hold comes out negative there.
    """
    negative, rest = _split(text, "-")
    components: dict[str, Decimal] = {}
    digits, clock = "", ""
    if not rest.startswith("P"):
        raise MalformedDuration(text[:80])
    for part in re.findall("[0-9.]+|[^0-9.]", rest):
        if part == "T":
            clock = "T"
        elif part[0] in "0123456789.":
            digits += part
        elif part != "P" or clock:
            unit = _BY_LETTER.get(clock + part)
            if unit is None or not re.fullmatch(r"[0-9]+\.?[0-9]*|\.[0-9]+", digits):
                raise MalformedDuration(text[:80])
            components[unit], digits = _number(digits), ""
    if digits or any(number.adjusted() > 308 for number in components.values()):  # of no float
        raise MalformedDuration(text[:80])
    length = Decimal(0)
    for unit, number in components.items():
        product = EXACT.multiply(number, _GO_LENGTHS[unit])
        length = EXACT.add(length, product if product < _GO_GREATEST else -_GO_GREATEST)
    return _signed(negative, length if length < _GO_GREATEST else length - 2 * _GO_GREATEST)


# github.com/ajv-validator/ajv-formats src/formats.ts: weeks stand alone, all other units may be skipped
_AJV = _pattern({unit: _WHOLE for unit in (*_DATE, *_TIME) if unit != "weeks"})
_AJV_WEEKS = _pattern({"weeks": _WHOLE})


def ajv_seconds(text: str) -> Decimal:
    """Read what ajv-formats finds a valid duration."""
    return _sum(_components(_AJV_WEEKS if "W" in text else _AJV, text))


# github.com/rails/rails activesupport/lib/active_support/duration/iso8601_parser.rb
_RAILS_NUMBER = "-?[0-9]+(?:[.,][0-9]+)?"
_RAILS = re.compile(f"P((?:{_RAILS_NUMBER}[YMWD])*)(?:T((?:{_RAILS_NUMBER}[HMS])+))?")
_RAILS_LENGTHS = {**SECONDS, "months": 2_629_746, "years": 31_556_952}


def rails_seconds(text: str) -> Decimal:
    """Read as ActiveSupport::Duration.parse does: units in any order, the last of a repeated one counting."""
    negative, rest = _split(text, "+-")
    halves = _RAILS.fullmatch(rest)
    numbers = {
        _BY_LETTER[clock + letter]: _number(number)
        for clock, half in zip(("", "T"), halves.groups("") if halves else (), strict=False)
        for number, letter in re.findall(f"({_RAILS_NUMBER})([A-Z])", half)
    }
    counted = [number for number in numbers.values() if number]
    if (
        not numbers
        or any(number != number.to_integral_value() for number in counted[:-1])
        or ("weeks" in numbers and numbers.keys() & {"years", "months", "days"})
    ):
        raise MalformedDuration(text[:80])
    length = Decimal(0)
    for unit, number in numbers.items():
        length = EXACT.add(length, EXACT.multiply(number, _RAILS_LENGTHS[unit]))
    return _signed(negative, length)


def isodate_seconds(text: str) -> Decimal:
    """Read with isodate; a length in calendar units loses those, as `total_seconds` of its Duration does."""
    import isodate

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


# github.com/moment/moment src/lib/duration/create.js and valid.js
_MOMENT = _pattern(dict.fromkeys((*_DATE, *_TIME), "[-+]?[0-9.,]*"), empty=True)
_MOMENT_CLOCK = re.compile(
    r"(?P<sign>[-+])?(?:(?P<days>[0-9]*)[. ])?(?P<hours>[0-9]+):(?P<minutes>[0-9]+)"
    r"(?::(?P<seconds>[0-9]+(?:\.[0-9]*)?))?"
)
_FLOAT = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)")
_NUMERAL = re.compile(rf"(?:{_FLOAT.pattern})(?:[eE][-+]?[0-9]{{1,3}})?")
_MOMENT_BLANKS = " \t\n\v\f\r\u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff" + "".join(
    map(chr, range(0x2000, 0x200B))
)


def moment_seconds(text: str) -> Decimal:
    """Read as moment.duration does: what cannot be read is a zero, a numeral is of milliseconds."""
    numeral = text.strip(_MOMENT_BLANKS)
    if _NUMERAL.fullmatch(numeral):
        return EXACT.scaleb(EXACT.create_decimal(numeral), -3)
    if re.fullmatch("0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+", numeral):
        return EXACT.scaleb(Decimal(int(numeral, 0)), -3)
    if clock := _MOMENT_CLOCK.fullmatch(text):
        parts = {unit: _number(part) for unit, part in clock.groupdict().items() if part and unit != "sign"}
        return _signed(clock["sign"] == "-", _sum(parts))
    negative, rest = _split(text, "+-")
    match = _MOMENT.fullmatch(rest)
    if match is None:
        return Decimal(0)
    numbers = {}
    for unit, part in match.groupdict().items():
        leading = _FLOAT.match((part or "").replace(",", ".", 1))
        numbers[unit] = _number(leading[0]) if leading else Decimal(0)
    counted = [number for number in numbers.values() if number]
    if any(number != number.to_integral_value() for number in counted[:-1]):
        raise MalformedDuration(text[:80])
    # Months and years become whole days of the Gregorian mean month: 4,800 of them have 146,097 days.
    months = EXACT.add(numbers.pop("months"), EXACT.multiply(numbers.pop("years"), 12))
    days = EXACT.divide_int(EXACT.add(EXACT.multiply(months, 146_097), 2_400), 4_800)
    return _signed(negative, EXACT.add(_sum(numbers), EXACT.multiply(days, 86_400)))


def like_moment(timer: TimerField) -> None:
    """Read as moment.duration does: a text that it cannot read is a zero, and a zero is kept as PT0S."""

    def disables(text: str) -> bool:
        return not moment_seconds(text)

    timer.parse = moment_seconds
    timer.exempt = disables
    timer.keep = lambda text, length: text if length else "PT0S"

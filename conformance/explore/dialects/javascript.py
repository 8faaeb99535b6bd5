"""How JavaScript's libraries read durations."""

import re
from decimal import ROUND_HALF_UP, Decimal

from conformance.explore.dialects.base import (
    EXACT,
    LEADING_NUMERAL,
    SECONDS,
    numbers_in,
    pattern,
    signed,
    total,
)
from conformance.oracle.durations import DAY, Length

# github.com/tc39/proposal-temporal, as its polyfills have it; bounds of IsValidDuration
_TEMPORAL = pattern(
    "[0-9]+", "[0-9]+(?:[.,][0-9]{1,9})?", "[0-9]+(?:[.,][0-9]{1,9})?", re.IGNORECASE | re.ASCII
)
_CALENDAR_BOUND = 2**32
_SECONDS_BOUND = 2**53


def temporal(text: str) -> Length | None:
    """Read a text as Temporal.Duration.from does."""
    sign, body = (text[0], text[1:]) if text[:1] in ("+", "-") else ("", text)
    match = _TEMPORAL.fullmatch(body)
    if match is None or match["clock"] in ("T", "t") or re.search("[.,][0-9]+[A-Za-z].", body):
        return None
    numbers = numbers_in(match)
    clock = total({unit: number for unit, number in numbers.items() if unit in "DHMS"})
    if not numbers or clock.high >= _SECONDS_BOUND:
        return None
    if any(numbers.get(unit, 0) >= _CALENDAR_BOUND for unit in "YOW"):
        return None
    return signed(total(numbers), sign)


# github.com/moment/luxon src/impl/regexParser.js: all components may be missing, also after T
_LUXON_NUMBER = r"-?[0-9]{1,20}(?:\.[0-9]{1,20})?"
_LUXON = pattern(_LUXON_NUMBER, _LUXON_NUMBER, "-?[0-9]{1,20}(?:[.,]-?[0-9]{1,20})?")


def luxon(text: str) -> Length | None:
    """Read a text as luxon's Duration.fromISO does."""
    sign, body = ("-", text[1:]) if text.startswith("-") else ("", text)
    match = _LUXON.fullmatch(body)
    if match is None or re.search("[.,]-", body):  # a sign within a fraction is taken, but of no known length
        return None
    return signed(total(numbers_in(match)), sign)


# github.com/moment/moment src/lib/duration/create.js and valid.js
_MOMENT_NUMBER = "[-+]?[0-9,.]*"
_MOMENT = pattern(_MOMENT_NUMBER, _MOMENT_NUMBER, _MOMENT_NUMBER)
_ASP_NET = re.compile(r"([-+])?(?:([0-9]*)[. ])?([0-9]+):([0-9]+)(?::([0-9]+)(\.[0-9]*)?)?")
_NUMERAL = re.compile(
    r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?|0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+"
)
_ZERO = Length(Decimal(0), Decimal(0))
_ECMASCRIPT_BLANKS = (
    "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)


def moment(text: str) -> Length | None:
    """
    Read a text as moment.duration does.

    What it cannot read is a zero; it refuses a fraction before the last component alone.
    """
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
        return signed(Length(value, value), sign)
    sign, body = (text[0], text[1:]) if text[:1] in ("+", "-") else ("", text)
    match = _MOMENT.fullmatch(body)
    if match is None:
        return _ZERO
    numbers: dict[str, Decimal] = {}
    for unit in SECONDS:
        leading = LEADING_NUMERAL.match((match[unit] or "").replace(",", ".", 1))
        numbers[unit] = Decimal(leading[0]) if leading else Decimal(0)
    counted = [number for number in numbers.values() if number]
    if any(number != number.to_integral_value() for number in counted[:-1]):
        return None
    # Months and years become whole days of the Gregorian mean month.
    months = numbers.pop("O") + 12 * numbers.pop("Y")
    days = (months * 146_097 / 4_800).quantize(Decimal(1), ROUND_HALF_UP, EXACT)
    return signed(total({**numbers, "D": numbers["D"] + days}), sign)


# github.com/ajv-validator/ajv-formats src/formats.ts: the units of RFC 3339, any of which may be left out
_AJV = re.compile(
    "P(?=.)(?:(?:(?P<Y>[0-9]+)Y)?(?:(?P<O>[0-9]+)M)?(?:(?P<D>[0-9]+)D)?"
    "(?:T(?=.)(?:(?P<H>[0-9]+)H)?(?:(?P<M>[0-9]+)M)?(?:(?P<S>[0-9]+)S)?)?|(?P<W>[0-9]+)W)"
)


def ajv(text: str) -> Length | None:
    """Read a text that ajv-formats finds a valid duration."""
    match = _AJV.fullmatch(text)
    return None if match is None else total(numbers_in(match))

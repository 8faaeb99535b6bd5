"""How PostgreSQL reads an `interval`: src/backend/utils/adt/datetime.c, of version 15 and later."""

import re
from dataclasses import dataclass
from decimal import Decimal

from conformance.oracle.durations import DAY, Length

_MICROSECONDS = {
    "microsecond": 1,
    "millisecond": 1000,
    "second": 10**6,
    "minute": 60 * 10**6,
    "hour": 3600 * 10**6,
}
_DAYS = {"day": 1, "week": 7}
_MONTHS = {"month": 1, "year": 12, "decade": 120, "century": 1200, "millennium": 12_000}
_WORDS = {
    word: unit
    for unit, words in (
        ("microsecond", "us usec usecs useconds microsecon"),
        ("millisecond", "ms msec msecs mseconds millisecon"),
        ("second", "s sec secs second seconds"),
        ("minute", "m min mins minute minutes"),
        ("hour", "h hr hrs hour hours"),
        ("day", "d day days"),
        ("week", "w week weeks"),
        ("month", "mon mons month months"),
        ("year", "y yr yrs year years"),
        ("decade", "dec decs decade decades"),
        ("century", "c cent century centuries"),
        ("millennium", "mil mils millennia millennium"),
    )
    for word in words.split()
}
_DATE = {"Y": "year", "M": "month", "W": "week", "D": "day"}
_TIME = {"H": "hour", "M": "minute", "S": "second"}
"""Units of ISO 8601, before and after T."""


class _BadFormat(Exception):
    """A text does not have the form that is tried."""


class _Overflow(Exception):
    """A text has the form, but a number is too great: no other form is tried."""


@dataclass(slots=True)
class _Interval:
    """What is kept of an interval: three numbers, each with bounds of its own."""

    months: int = 0
    days: int = 0
    microseconds: int = 0

    def add(self, number: Decimal, unit: str) -> None:
        """Add so many of a unit; a fraction goes to the smaller numbers."""
        whole = int(number)
        rest = number - whole
        if unit in _MICROSECONDS:
            self.microseconds += whole * _MICROSECONDS[unit] + round(rest * _MICROSECONDS[unit])
        elif unit in _DAYS or unit == "month":
            if unit == "month":
                self.months += _narrow(whole)
                rest *= 30
            else:
                self.days += _narrow(_narrow(whole) * _DAYS[unit])
                rest *= _DAYS[unit]
            self.days += int(rest)
            self.microseconds += round((rest - int(rest)) * DAY * 10**6)
        else:
            self.months += _narrow(whole) * _MONTHS[unit] + round(rest * _MONTHS[unit])
        if abs(self.microseconds) >= 2**63:
            raise _Overflow
        _narrow(self.days)

    def length(self) -> Length:
        """Its length: a year counts 360 days where intervals are compared, and 365.25 where seconds are extracted."""
        months = Decimal(_narrow(self.months))
        rest = Decimal(self.days * DAY) + Decimal(self.microseconds) / 10**6
        years = Decimal(int(months / 12))
        compared = months * 30 * DAY + rest
        extracted = compared + years * Decimal("5.25") * DAY
        return Length(min(compared, extracted), max(compared, extracted))


def _narrow(number: int) -> int:
    """Return a number that 32 bits hold."""
    if not -(2**31) <= number < 2**31:
        raise _Overflow
    return number


def interval(text: str) -> Length | None:
    """Read a text as PostgreSQL does: first as units in words, then as ISO 8601."""
    for form in (_in_words, _iso):
        try:
            return form(text).length()
        except _BadFormat:
            continue
        except _Overflow:
            return None
    return None


# Words, times and numbers; other punctuation only separates.
_FIELD = re.compile(
    r"(?P<time>[0-9]+:[0-9:.]*)"
    r"|(?P<months>[0-9]+-[0-9]+)"
    r"|(?P<number>[0-9]+(?:\.(?:[0-9]+|(?![0-9a-z])))?|\.[0-9]*)(?![-/.0-9])"
    r"|(?P<signed>[-+][ \t\n\r\f\v]*[0-9][0-9:.-]*)"
    r"|(?P<word>[a-z]+)(?![-/.a-z])"
    r"|[ \t\n\r\f\v]|[!-*,/:-@\[-`{-~]"
)
_BEFORE_DIGITS = {"d", "dec", "h", "m", "mm", "mon", "s", "t", "y"}
"""Words that a digit may follow at once; after others it makes a date of them."""
_CLOCK = re.compile(r"([0-9]+):([0-9]+)(?::([0-9]+))?(?:\.([0-9]*))?")


def _in_words(text: str) -> _Interval:
    """Read a text such as `10 min`, `1 day 00:10:00` or `600`, which are seconds."""
    fields, position = [], 0
    lowered = text.lower() if text.isascii() else ""
    while position < len(lowered):
        found = _FIELD.match(lowered, position)
        if found is None:
            raise _BadFormat
        position = found.end()
        if (kind := found.lastgroup) is None:
            continue
        if kind == "word" and found[0] not in _BEFORE_DIGITS and re.match("[0-9+]", lowered[position:]):
            raise _BadFormat
        fields.append((kind, re.sub(r"\s", "", found[0])))
    interval, unit, seen, before = _Interval(), "second", set[str](), False
    for index, (kind, value) in enumerate(reversed(fields)):
        if kind == "word":
            if value == "ago" and index == 0:
                before, unit = True, ""
            elif value[:10] in _WORDS:
                unit = _WORDS[value[:10]]
            elif value not in ("at", "on"):
                raise _BadFormat
            continue
        sign, digits = (-1, value[1:]) if value.startswith("-") else (1, value.removeprefix("+"))
        if clock := _CLOCK.fullmatch(digits):
            interval.microseconds = sign * _of_clock(clock)
            units, unit = {"hour", "minute", "second", "millisecond", "microsecond"}, "day"
        elif re.fullmatch("[0-9]+-[0-9]+", digits):
            years, months = map(int, digits.split("-"))
            if months > 11:
                raise _Overflow
            interval.add(Decimal(sign * (12 * years + months)), "month")
            units, unit = {"month"}, "month"
        elif unit and re.fullmatch(r"[0-9]*\.?[0-9]*", digits):
            number = sign * Decimal(f"0{digits}")
            if abs(number) >= 2**63:
                raise _Overflow
            interval.add(number, unit)
            units = {unit}
            if unit == "second" and number % 1:
                units |= {"millisecond", "microsecond"}
            unit = "day" if unit == "hour" else unit
        else:
            raise _BadFormat
        if units & seen:
            raise _BadFormat
        seen |= units
    if not seen:
        raise _BadFormat
    if before:
        interval = _Interval(-interval.months, -interval.days, -interval.microseconds)
    return interval


def _of_clock(clock: re.Match[str]) -> int:
    """Return the microseconds of hours, minutes and seconds; with a fraction and one colon, of minutes and seconds."""
    hours, minutes, seconds = (Decimal(each or 0) for each in clock.groups()[:3])
    if clock[3] is None and clock[4] is not None:
        hours, minutes, seconds = Decimal(0), hours, minutes
    if minutes > 59 or seconds > 60:
        raise _Overflow
    fraction = round(Decimal(f"0.{clock[4] or 0}") * 10**6)
    microseconds = ((hours * 60 + minutes) * 60 + seconds) * 10**6 + fraction
    if microseconds >= 2**63:
        raise _Overflow
    return int(microseconds)


_NUMBER = re.compile(r"-?0[xX][0-9a-fA-F]+|-?([0-9]*)(?:(?<=[0-9])\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_GREATEST = 10**15
"""The greatest number that is read in a text of ISO 8601."""


def _iso(text: str) -> _Interval:
    """Read a text of ISO 8601, with designators in any order or in the alternative format."""
    interval, position = _Interval(), 1
    if len(text) < 2 or text[0] != "P":
        raise _BadFormat

    def take() -> tuple[Decimal, int, str]:
        """Return the next number, how many digits it has before the point, and the character after it."""
        nonlocal position
        found = _NUMBER.match(text, position)
        if found is None:
            raise _BadFormat
        # A double, whose fraction is rough where the number is great.
        double = float.fromhex(found[0]) if "x" in found[0].lower() else float(found[0])
        if abs(double) > _GREATEST:
            raise _Overflow
        position = found.end() + 1
        return Decimal(double), len(found[1] or ""), text[found.end() : position]

    letters, is_first = _DATE, True
    while position < len(text):
        if text[position] == "T":
            letters, is_first, position = _TIME, True, position + 1
            continue
        number, width, after = take()
        if after in letters:
            interval.add(number, letters[after])
            is_first = False
            continue
        between, units = (
            ("-", ("year", "month", "day")) if letters is _DATE else (":", ("hour", "minute", "second"))
        )
        if not is_first or after not in ("", between, *("T" if letters is _DATE else "")):
            raise _BadFormat
        if after != between and width == (8 if letters is _DATE else 6):  # without delimiters
            high, low = divmod(int(number), 100)
            for each, unit in zip((*divmod(high, 100), low), units, strict=True):
                interval.add(Decimal(each), unit)
        else:
            interval.add(number, units[0])
            for unit in units[1:]:
                if after != between:
                    break
                number, _, after = take()
                interval.add(number, unit)
            if after not in ("", *("T" if letters is _DATE else "")):
                raise _BadFormat
        if not after:
            break
        letters, is_first = _TIME, True
    return interval

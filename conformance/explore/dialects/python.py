"""How Python's libraries read durations, other than pandas."""

import re
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal, localcontext

import isodate

from conformance.explore.dialects.base import EXACT, numbers_in, signed, total
from conformance.oracle.durations import DAY, Length


def isodate_itself(text: str) -> Length | None:
    """Read a text with isodate.parse_duration itself."""
    try:
        parsed = isodate.parse_duration(text)
    except (isodate.ISO8601Error, ValueError, OverflowError, ArithmeticError):
        return None  # ValueError and OverflowError leak from it; either way nothing is accepted
    rest = parsed if not isinstance(parsed, isodate.Duration) else parsed.tdelta
    seconds = Decimal(rest.days * DAY + rest.seconds) + Decimal(rest.microseconds) / 10**6
    if rest is parsed:
        return Length(seconds, seconds)
    # total_seconds() leaves years and months out, which counting them in does not: either may be compared.
    calendar = total({"Y": Decimal(parsed.years), "O": Decimal(parsed.months)})
    return Length(min(seconds, seconds + calendar.low), max(seconds, seconds + calendar.high))


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


def django(text: str) -> Length | None:
    """Read a text as django.utils.dateparse.parse_duration does."""
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
    "(?:(?=.{5})(?P<H>(?=[0-9]{1,10}:)(?(D)0*(?:1?[0-9]|2[0-3])|[0-9]+)):(?P<M>[0-5][0-9])"
    "(?::(?P<S>[0-5][0-9](?:[.,][0-9]+)?))?)?",
    re.IGNORECASE,
)
_PYDANTIC_LENGTHS = {"Y": 365 * DAY, "M": 30 * DAY, "W": 7 * DAY, "D": DAY}
_PYDANTIC_DAYS = 10**9
_PYDANTIC_SECONDS = 2**32


def pydantic(text: str) -> Length | None:
    """Read a text as pydantic reads a timedelta."""
    sign, body = (text[0], text[1:]) if text[:1] in ("+", "-") else ("", text)
    if match := _PYDANTIC_CLOCK.fullmatch(body):
        return None if Decimal(match["D"] or 0) >= _PYDANTIC_DAYS else signed(total(numbers_in(match)), sign)
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
    with localcontext(EXACT):
        of_date, of_clock = (sum((number * length for number, length in each), Decimal(0)) for each in parts)
        if not any(parts) or of_date >= _PYDANTIC_DAYS * DAY or of_clock >= _PYDANTIC_SECONDS:
            return None
        seconds = (of_date + of_clock).quantize(Decimal("0.000001"), ROUND_HALF_UP)
        return signed(Length(seconds, seconds), sign)

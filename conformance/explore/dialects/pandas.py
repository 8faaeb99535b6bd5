"""How pandas' Timedelta reads durations: pandas/_libs/tslibs/timedeltas.pyx."""

import re
from decimal import ROUND_DOWN, Decimal

from conformance.oracle.durations import DAY, Length

_NANOSECONDS = {
    name: scale
    for names, scale in (
        ("w", 7 * DAY * 10**9),
        ("d day days", DAY * 10**9),
        ("h hr hour hours", 3600 * 10**9),
        ("m min minute minutes", 60 * 10**9),
        ("s sec second seconds", 10**9),
        ("ms milli millis millisecond milliseconds", 10**6),
        ("us µs micro micros microsecond microseconds", 10**3),
        ("ns nano nanos nanosecond nanoseconds", 1),
    )
    for name in names.split()
}
_BOUND = 2**63
"""Nanoseconds that 64 bits do not hold any more."""
_NOT_A_TIME = ("", "NaT", "nat", "NAT", "nan", "NaN", "NAN")
"""Texts that are taken for no time at all, which is not longer than any minimum."""


def timedelta(text: str) -> Length | None:
    """Read a text as pandas.Timedelta does."""
    parts = _designated(text) if text.startswith(("P", "-P")) else _in_words(text)
    if parts is None or any(abs(part) >= _BOUND for part in (*parts, sum(parts, Decimal(0)))):
        return None
    seconds = sum(parts, Decimal(0)) / 10**9
    return Length(seconds, seconds)


def _designated(text: str) -> list[Decimal] | None:
    """
    Return the nanoseconds of each part of a text that begins with P; None where it is refused.

    The text is read by characters. P and T mean nothing, and units come in any order. A point turns the number before
    it into seconds, whatever unit follows: `PT1.5H` is a second and five hours.
    """
    sign, body = (-1, text[1:]) if text.startswith("-") else (1, text)
    parts: list[Decimal] = []
    number, negative, counts, after_point, places, finer = "", False, False, False, 0, ["ms", "us", "ns"]

    def add(unit: str) -> None:
        parts.append((-sign if negative else sign) * Decimal(number or 0) * _NANOSECONDS[unit])

    for character in body:
        if character in "0123456789":
            counts = True
            if after_point and places == 3 and len(finer) > 1:  # the next three digits are of a finer unit
                add(finer.pop(0))
                number, negative, places = "", False, 0
            places += after_point
            number += character
        elif character in "WDHM":
            if character in "HM" and len(number) > 2:
                return None
            add(character.lower())
            number, negative = "", False
        elif character == ".":
            add("s")
            number, after_point = "", True
        elif character == "S":
            if after_point:
                if not number or places > 3:
                    return None
                number += "0" * (3 - places)
            add(finer[0] if after_point else "s")
        elif character == "-" and not negative and not counts:
            negative = True
        elif character not in "PT+":
            return None
    return parts if counts else None


_PART = re.compile(r"([0-9]+)(?:\.([0-9]*))?([^-0-9.:]+)")
_CLOCK = re.compile(r"([0-9]+):([0-9]+):([0-9]+)(?:\.([0-9]+))?")


def _in_words(text: str) -> list[Decimal] | None:
    """Return the nanoseconds of each part of a text such as `1 days 00:10:00` or `10min`; None where it is refused."""
    rest = re.sub("[ ,+]", "", text)
    if text in _NOT_A_TIME or not rest:
        return None
    sign, rest = (-1, rest[1:]) if rest.startswith("-") else (1, rest)
    if re.fullmatch("[0-9]+", rest):
        return [sign * Decimal(rest)]
    parts: list[Decimal] = []
    while part := _PART.match(rest):
        whole, fraction, unit = part.groups()
        scale = _NANOSECONDS.get(unit.lower())
        if scale is None or unit in ("M", "Y", "y"):
            return None
        parts.append(sign * (Decimal(f"{whole}.{fraction or 0}") * scale).to_integral_value(ROUND_DOWN))
        rest = rest[part.end() :]
    if clock := _CLOCK.fullmatch(rest):
        sign = 1 if parts else sign  # a minus before a unit is that unit's alone
        scales = (3600 * 10**9, 60 * 10**9, 10**9)
        parts += [
            sign * Decimal(each) * scale for each, scale in zip(clock.groups()[:3], scales, strict=True)
        ]
        parts.append(sign * Decimal((clock[4] or "").ljust(9, "0")[:9]))
        rest = ""
    return parts if parts and not rest else None

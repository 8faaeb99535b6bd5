"""The mistakes of `timers`, as functions that make them in a timer."""

import re
from collections.abc import Callable
from decimal import Decimal
from math import ceil

from conformance.emulator.alterations import Install
from conformance.emulator.behaviour import Behaviour
from conformance.emulator.durations import SECONDS, MalformedDuration, total
from conformance.emulator.fields import TimerField
from conformance.emulator.messages import ApiError

Rewrite = Callable[[str], str]


def also_measures(timer: TimerField, measure: Callable[[str], Decimal | None]) -> None:
    """Accept a text that is no duration with the length that `measure` gives, unless it gives None."""
    inner = timer.parse

    def parse(text: str) -> Decimal:
        try:
            return inner(text)
        except MalformedDuration:
            length = measure(text)
            if length is None:
                raise
            return length

    timer.parse = parse


def also_reads(rewrite: Rewrite, *, keep_rewritten: bool = False) -> Callable[[TimerField], None]:
    """Return a mistake: texts that are not durations are read as if they had been rewritten."""

    def alter(timer: TimerField) -> None:
        inner = timer.parse
        also_measures(timer, lambda text: inner(rewrite(text)))
        if keep_rewritten:
            keep = timer.keep
            timer.keep = lambda text, length: keep(rewrite(text), length)

    return alter


def refuses(condition: Callable[[str], object]) -> Callable[[TimerField], None]:
    """Return a mistake: durations are called malformed where the condition holds."""

    def alter(timer: TimerField) -> None:
        inner = timer.parse

        def parse(text: str) -> Decimal:
            if condition(text):
                raise MalformedDuration(text[:80])
            return inner(text)

        timer.parse = parse

    return alter


def measures(change: Callable[[str, Decimal], Decimal]) -> Callable[[TimerField], None]:
    """Return a mistake: lengths are computed wrongly, from the text and the right length."""

    def alter(timer: TimerField) -> None:
        inner = timer.parse
        timer.parse = lambda text: change(text, inner(text))

    return alter


def keeps(change: Callable[[str, Decimal], str | None]) -> Callable[[TimerField], None]:
    """Return a mistake: something else is kept than what was sent."""

    def alter(timer: TimerField) -> None:
        timer.keep = change

    return alter


def at_least(least: Callable[[int], float]) -> Callable[[TimerField], None]:
    """Return a mistake: the minimum is another."""

    def alter(timer: TimerField) -> None:
        bound = Decimal(repr(least(timer.minimum)))
        timer.reaches = lambda length: length >= bound

    return alter


def reads_with(parse: Callable[[str], Decimal]) -> Callable[[TimerField], None]:
    """Return a mistake: another parser is used."""

    def alter(timer: TimerField) -> None:
        timer.parse = parse

    return alter


# What hand-written parsers look for.
# Only where a number begins: looking from each of its digits on would take the square of their count.
_TOKEN = re.compile(r"(?<![0-9])([0-9]+(?:[.,][0-9]+)?)([YMWDHS])")
_ORDER = "YMWDTHMS"
_DATE_UNITS = dict(zip("YMWD", ("years", "months", "weeks", "days"), strict=True))
_TIME_UNITS = dict(zip("HMS", ("hours", "minutes", "seconds"), strict=True))


def tokens(text: str) -> list[tuple[str, str]]:
    """Return number and unit of every component, in whatever order they stand."""
    date, _, time = text.partition("T")
    found = [(number, _DATE_UNITS[unit]) for number, unit in _TOKEN.findall(date) if unit in _DATE_UNITS]
    return found + [
        (number, _TIME_UNITS[unit]) for number, unit in _TOKEN.findall(time) if unit in _TIME_UNITS
    ]


def _made_of_tokens(text: str) -> bool:
    return re.fullmatch(rf"P(?:{_TOKEN.pattern})*(?:T(?:{_TOKEN.pattern})+)?", text) is not None


def _sum_of_tokens(text: str) -> Decimal | None:
    """Add the components up in whatever order they come."""
    if not _made_of_tokens(text) or not tokens(text):
        return None
    return sum((total({unit: number}) for number, unit in tokens(text)), Decimal(0))


def _distinct(text: str) -> bool:
    units = [unit for _, unit in tokens(text)]
    return len(units) == len(set(units))


def _ordered(text: str) -> bool:
    ranks = [list(SECONDS).index(unit) for _, unit in tokens(text)]
    return ranks == sorted(ranks)


def without_fractions(text: str) -> bool:
    return "." not in text and "," not in text


def any_order(text: str) -> Decimal | None:
    return _sum_of_tokens(text) if _distinct(text) and without_fractions(text) else None


def last_of_repeated(text: str) -> Decimal | None:
    if not _made_of_tokens(text) or not _ordered(text) or not without_fractions(text):
        return None
    return total({unit: number for number, unit in tokens(text)}) if tokens(text) else None


def fraction_anywhere(text: str) -> Decimal | None:
    return _sum_of_tokens(text) if _distinct(text) and _ordered(text) else None


def components(text: str) -> dict[str, str]:
    return {unit: number for number, unit in tokens(text)}


def unchecked(timer: TimerField) -> None:
    timer.validate = lambda text: text or None


def starts_with_p(timer: TimerField) -> None:
    also_measures(
        timer, lambda text: Decimal(timer.minimum) if text.startswith("P") and len(text) > 2 else None
    )


def bare_designators(timer: TimerField) -> None:
    also_measures(timer, lambda text: Decimal(0) if text in ("P", "PT") else None)
    exempt = timer.exempt
    timer.exempt = lambda text: text in ("P", "PT") or exempt(text)


def prefix(text: str) -> str:
    match = re.match(r"P(?:[0-9]+[YMWD])*(?:T(?:[0-9]+[HMS])+)?", text)
    return match[0] if match else text


def suffix(text: str) -> str:
    match = re.search(r"P(?:[0-9]+[YMWD])*(?:T(?:[0-9]+[HMS])+)?\Z", text)
    return match[0] if match else text


def clock(text: str) -> str:
    return re.sub(r"\A([0-9]{1,2}):([0-9]{2}):([0-9]{2})\Z", r"PT\1H\2M\3S", text)


def words(text: str) -> str:
    return re.sub(r"\A([0-9]+) ?(?:minutes|mins|min|m)\Z", r"PT\1M", text)


def exponent(text: str) -> str:
    return re.sub(
        r"([0-9]{1,9})[eE]([0-9]{1,2})", lambda match: str(int(match[1]) * 10 ** int(match[2])), text
    )


def hexadecimal(text: str) -> str:
    return re.sub(r"0x([0-9a-fA-F]{1,8})", lambda match: str(int(match[1], 16)), text)


def decimal_digits(text: str) -> str:
    return "".join(str(int(character)) if character.isdecimal() else character for character in text)


def zero_of_any_spelling(timer: TimerField) -> None:
    inner = timer.exempt
    timer.exempt = lambda text: inner(text) or not timer.parse(text)


def empty_is_null(timer: TimerField) -> None:
    inner = timer.validate
    timer.validate = lambda text: inner(text) if text else None


def too_short_is_null(timer: TimerField) -> None:
    timer.exempt = lambda text: True
    timer.keep = lambda text, length: text if timer.reaches(length) else None


def too_short_is_minimum(timer: TimerField) -> None:
    timer.exempt = lambda text: True
    timer.keep = lambda text, length: text if timer.reaches(length) else f"PT{timer.minimum // 60}M"


def _signed(number: int, bits: int) -> Decimal:
    """Return what is left of a number in a machine's signed integer."""
    return Decimal((number + (1 << bits - 1)) % (1 << bits) - (1 << bits - 1))


def milliseconds_in_32_bits(text: str, length: Decimal) -> Decimal:
    return _signed(int(length * 1000), 32) / 1000 if length < 10**12 else length


def seconds_in_16_bits(text: str, length: Decimal) -> Decimal:
    return _signed(int(length), 16) if length < 10**12 else length


def as_float(text: str, length: Decimal) -> Decimal:
    return Decimal(float(length)) if length < 10**9 else length


def microseconds(text: str, length: Decimal) -> Decimal:
    return round(length, 6) if length < 10**9 else length


def rounded(text: str, length: Decimal) -> Decimal:
    return Decimal(round(length)) if length < 10**9 else length


def rounded_up_to_minutes(text: str, length: Decimal) -> Decimal:
    return Decimal(ceil(length / 60) * 60) if length < 10**9 else length


def time_of_day_only(text: str, length: Decimal) -> Decimal:
    return length % 86400 if length < 10**12 else length


def largest_component_only(text: str, length: Decimal) -> Decimal:
    found = components(text)
    unit = next((unit for unit in SECONDS if unit in found), None)
    return total({unit: found[unit]}) if unit else length


def octal(text: str, length: Decimal) -> Decimal:
    if re.search(r"(?<![0-9])0[0-9]*[89]", text):
        raise MalformedDuration(text[:80])
    octal_read = {
        unit: str(int(number, 8)) if re.fullmatch("0[0-7]{1,20}", number) else number
        for unit, number in components(text).items()
    }
    return total(octal_read) if octal_read else length


def months_as_minutes(text: str, length: Decimal) -> Decimal:
    """Overlook the missing T."""
    return total({"minutes": components(text)["months"]}) if re.fullmatch("P[0-9.,]+M", text) else length


def weeks_as_days(text: str) -> str:
    """Turn weeks before days into days."""
    return re.sub(
        r"\AP([0-9]{1,9})W([0-9]{1,9})D", lambda match: f"P{int(match[1]) * 7 + int(match[2])}D", text
    )


def carries_over(text: str) -> bool:
    """Tell whether a component is large enough to be another's."""
    bounds = {"hours": 24, "minutes": 60, "seconds": 60}
    return any(
        unit in bounds and (len(number) > 9 or Decimal(number.replace(",", ".")) >= bounds[unit])
        for number, unit in tokens(text)
    )


def thousands(text: str, length: Decimal) -> Decimal:
    return total(components(re.sub(r"([0-9]),([0-9]{3})(?![0-9])", r"\1\2", text)))


def as_text(timer: TimerField) -> None:
    inner = timer.parse
    bound = f"PT{timer.minimum // 60}M"
    timer.parse = lambda text: Decimal(timer.minimum if inner(text) and text >= bound else 0)


def minutes_component(timer: TimerField) -> None:
    def parse(text: str) -> Decimal:
        length = inner(text)
        found = components(text)
        if not {"years", "months", "weeks", "days", "hours"} & found.keys():
            return total({"minutes": found.get("minutes", "0")})
        return length

    inner = timer.parse
    timer.parse = parse


def seconds_component_unchecked(timer: TimerField) -> None:
    def parse(text: str) -> Decimal:
        length = inner(text)
        return Decimal(timer.minimum) if length and "minutes" not in components(text) else length

    inner = timer.parse
    timer.parse = parse


def _whole_seconds(length: Decimal) -> int:
    return int(min(length, Decimal(10**12)))


def minutes_only(text: str, length: Decimal) -> str:
    return f"PT{_whole_seconds(length) // 60}M"


def without_days(text: str, length: Decimal) -> str:
    hours, rest = divmod(_whole_seconds(length) % 86400, 3600)
    return f"PT{hours}H{rest // 60}M{rest % 60}S"


def at_most_a_day(text: str, length: Decimal) -> str:
    return text if length <= 86400 else "P1D"


def whole_days(text: str, length: Decimal) -> str:
    return text if length < 86400 else f"P{_whole_seconds(length) // 86400}D"


def also_needs(timer: TimerField, condition: Callable[[Decimal], bool]) -> None:
    inner = timer.reaches
    timer.reaches = lambda length: inner(length) and condition(length)


def refused_with_200(parameter: str) -> Install:
    def install(behaviour: Behaviour) -> None:
        timer = behaviour.timers[parameter]
        timer.malformed = timer.too_short = lambda: ApiError(200, 20001, "refused")

    return install


def skips_when_set(parameter: str, check: str) -> Install:
    """Return a mistake: one check runs only while the timer has no value."""

    def install(behaviour: Behaviour) -> None:
        timer = behaviour.timers[parameter]
        inner = behaviour.validate

        def validate(account: str, values: dict[str, str]) -> dict[str, str | None]:
            if parameter not in values or behaviour.store.read(account)[timer.column] is None:
                return inner(account, values)
            saved = timer.parse, timer.reaches
            if check == "syntax":
                also_measures(timer, lambda text: Decimal(timer.minimum))
            else:
                timer.reaches = lambda length: True
            try:
                return inner(account, values)
            finally:
                timer.parse, timer.reaches = saved

        behaviour.validate = validate

    return install


def minimum_unchecked_beside_others(parameter: str) -> Install:
    def install(behaviour: Behaviour) -> None:
        timer = behaviour.timers[parameter]
        inner = behaviour.validate

        def validate(account: str, values: dict[str, str]) -> dict[str, str | None]:
            saved = timer.reaches
            if len(values) > 1:
                timer.reaches = lambda length: True
            try:
                return inner(account, values)
            finally:
                timer.reaches = saved

        behaviour.validate = validate

    return install

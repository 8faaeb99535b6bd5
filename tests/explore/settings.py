"""Targets whose boundaries are known: a drawn minimum, notations, cap and precision, and the truth about them."""

import random
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, floor

from conformance.emulator.app import Application, Endpoint
from conformance.emulator.behaviour import reference
from conformance.emulator.fields import TimerField
from conformance.emulator.store import Store
from conformance.explore.notations import GRIDS, Grid, notation_of
from conformance.explore.values import Answer, Boundary, Taken
from conformance.model import BY_PARAMETER, CLOSED, INACTIVE

_PART = re.compile("([0-9]+)(?:[.,]([0-9]+))?([YMWDHS])")
_DATE = {"Y": 365 * 86400, "M": 30 * 86400, "W": 7 * 86400, "D": 86400}
_TIME = {"H": 3600, "M": 60, "S": 1}


def length(text: str) -> Fraction:
    """Of a well-formed duration, with months of 30 days and years of 365."""
    date, _, time = text[1:].partition("T")
    return sum(
        (
            Fraction(int(whole) * 10 ** len(fraction) + int(fraction or 0), 10 ** len(fraction)) * units[unit]
            for part, units in ((date, _DATE), (time, _TIME))
            for whole, fraction, unit in _PART.findall(part)
        ),
        Fraction(0),
    )


@dataclass(frozen=True)
class Drawn:
    """A target that reads lengths to a precision and takes those from a minimum up to a cap, in some notations."""

    minimum: Fraction
    cap: Fraction | None
    precision: Fraction | None
    rounds: bool
    notations: frozenset[str]

    def answer(self, text: str, notation: str) -> Answer:
        """What becomes of a text of a notation."""
        if len(text) > 4000:  # more than Python's int reads: beyond every cap, within no cap
            taken = self.cap is None
        else:
            seconds = length(text)
            if self.precision is not None:
                steps = seconds / self.precision
                seconds = (floor(steps + Fraction(1, 2)) if self.rounds else floor(steps)) * self.precision
            taken = self.minimum <= seconds and (self.cap is None or seconds <= self.cap)
        taken = taken and notation in self.notations
        return Answer(
            field="closed-timer",
            text=text,
            taken=Taken.ACCEPTED if taken else Taken.REFUSED,
            status=200 if taken else 400,
        )

    def least(self) -> Fraction:
        """The length from which on values are taken."""
        if self.precision is None:
            return self.minimum
        return (ceil(self.minimum / self.precision) - (Fraction(1, 2) if self.rounds else 0)) * self.precision

    def beyond(self) -> Fraction | None:
        """The length from which on values are not taken any more; itself taken only without precision."""
        if self.cap is None or self.precision is None:
            return self.cap
        return (floor(self.cap / self.precision) + (Fraction(1, 2) if self.rounds else 1)) * self.precision


def draw(number: int, least: int) -> Drawn:
    """The setting of a number, always the same, with a minimum of so many seconds at least."""
    chosen = random.Random(number)
    minimum = Fraction(
        chosen.choice((least, 60, 600, 3600, chosen.randint(least, 10**7), chosen.randint(least, 10**4)))
    )
    if chosen.random() < 0.3:
        minimum += Fraction(chosen.randint(1, 10**9 - 1), 10**9)
    cap = None if chosen.random() < 0.4 else minimum * chosen.randint(4, 100) ** chosen.randint(1, 6)
    precision = chosen.choice((None, None, Fraction(1, 10**6), Fraction(1, 1000), Fraction(1)))
    names = frozenset(chosen.sample(list(GRIDS), chosen.randint(3, len(GRIDS))))
    return Drawn(minimum, cap, precision, chosen.random() < 0.5, names)


def truth(grid: Grid, drawn: Drawn) -> tuple[int, int | None] | None:
    """The least and the greatest number of a grid that are taken; None as the latter where there is no cap."""
    least = max(1, first_reaching(grid, drawn.least()))
    beyond = drawn.beyond()
    if beyond is None:
        return least, None
    greatest = first_reaching(grid, beyond) - 1
    if drawn.precision is None and length(grid.write(greatest + 1)) == beyond:
        greatest += 1
    return (least, greatest) if greatest >= least else None


def first_reaching(grid: Grid, seconds: Fraction) -> int:
    """The first number of a grid that is so long: a division, but for years of 365 days with months of 30."""
    if grid.name == "years-months":
        years, rest = divmod(seconds, _DATE["Y"])
        return int(years) * 12 + min(12, ceil(rest / _DATE["M"]))
    first: int = ceil(seconds / (length(grid.write(10**grid.places)) / 10**grid.places))
    return first


def both_timers(number: int, *, least: int = 1) -> dict[str, Drawn]:
    """By slug, a setting for the closed timer, and the same with a lower minimum for the inactive one."""
    closed = draw(number, least)
    lower = Fraction(random.Random(number).randint(least, int(closed.minimum)))
    return {CLOSED.slug: closed, INACTIVE.slug: replace(closed, minimum=lower)}


def differences(found: Iterable[Boundary], drawn: Drawn) -> list[str]:
    """How the boundaries that were found depart from the truth, or are not exact; one line for each notation."""
    by_notation: dict[str, list[Boundary]] = {name: [] for name in GRIDS}
    for boundary in found:
        by_notation[boundary.notation].append(boundary)
    lines = []
    for name, grid in GRIDS.items():
        expected = _wanted(grid, truth(grid, drawn) if name in drawn.notations else None)
        own = by_notation[name]
        seen = [(each.end, each.refused, each.accepted) for each in own if each.accepted is not None]
        if seen != expected or not own or not all(each.exact for each in own):
            lines.append(f"{name}: found {own}, wanted {expected}, of {drawn}")
    return lines


def _wanted(grid: Grid, expected: tuple[int, int | None] | None) -> list[tuple[str, str | None, str | None]]:
    if expected is None:
        return []
    least, greatest = expected
    below = grid.write(least - 1) if least > 1 else None
    if greatest is None:
        return [("least", below, grid.write(least)), ("greatest", None, grid.write(grid.longest))]
    return [
        ("least", below, grid.write(least)),
        ("greatest", grid.write(greatest + 1), grid.write(greatest)),
    ]


def emulated(settings: Mapping[str, Drawn], accounts: Mapping[str, str]) -> Application:
    """The emulator with timers that take what the settings take; of less than a minute notations are not told apart."""
    store = Store(None, accounts, {})
    behaviour = reference(accounts, store)
    for parameter, timer in behaviour.timers.items():
        timer.validate = _validating(timer, settings[BY_PARAMETER[parameter].slug])
    return Application(Endpoint(behaviour, log_crashes=True), store)


def _validating(timer: TimerField, drawn: Drawn) -> Callable[[str], str | None]:
    def validate(text: str) -> str | None:
        name = notation_of(text)
        if name is None or not drawn.answer(text, name).accepted:
            raise timer.malformed()
        return text

    return validate

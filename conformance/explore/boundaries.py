"""
Where acceptance begins and ends in each notation, and whether it holds in between.

A boundary that one notation shows is the first guess in the next, so that two requests confirm it there; where the
guess fails, an exponential and binary search finds the neighbours. What is reported was seen: guesses only choose
where to look.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from math import ceil, isqrt

from conformance.durations import DAY
from conformance.explore.notations import GRIDS, Grid
from conformance.explore.values import Answer, Boundary, Gap

Ask = Callable[[str], Answer]

STEPS = 140
"""Requests for one pair of neighbours at most; a nanosecond within a century takes 62."""

LADDER = tuple(Fraction(seconds) for seconds in (60, 3600, DAY, 600, 7 * DAY, 30 * DAY, 366 * DAY))
WIDE_LADDER = tuple(Fraction(4**power) for power in range(18))
"""Lengths, in seconds, at which something accepted is looked for: in any notation, and in the first."""

SUSPECTS = (2**15, 2**16, 2**31 // 1000, 2**32 // 1000, 2**31, 2**32)
"""Seconds after which a counter of 16 or 32 bits, of seconds or milliseconds, begins again."""

CAPS = tuple(
    Fraction(seconds)
    for seconds in (
        DAY, 7 * DAY, 30 * DAY, 365 * DAY, 366 * DAY, 2**31 - 1, 2**32 - 1, 2**31 // 1000, 2**53 - 1,
        2**63 - 1, (2**63 - 1) // 1000, (2**63 - 1) // 10**6, (2**63 - 1) // 10**9, 999_999_999 * DAY + DAY - 1,
    )
)  # fmt: skip
"""Greatest lengths that are common, in seconds: round ones, and what integers and libraries can hold."""

GAPS = 2
"""Gaps of one notation whose edges are searched, at most."""


@dataclass(slots=True)
class Known:
    """What other notations showed of one timer: guesses for the next."""

    minimum: Fraction
    """Seconds, as documented."""
    least: list[tuple[Fraction, Fraction]] = field(default_factory=list)
    """Around the least accepted length: greatest refused, least accepted; the newest first."""
    greatest: list[tuple[Fraction, Fraction]] = field(default_factory=list)
    """Around the greatest: greatest accepted, least refused."""
    numbers: list[int] = field(default_factory=list)
    """The greatest numbers, where a digit limit may be at work."""
    lengths: list[int] = field(default_factory=list)
    """The greatest numbers of characters, likewise."""
    endless: bool = False
    """Whether another notation has no greatest length."""


@dataclass(frozen=True, slots=True)
class Searched:
    """What was found of one notation."""

    boundaries: tuple[Boundary, ...]
    gaps: tuple[Gap, ...]


def search(grid: Grid, ask: Ask, known: Known) -> Searched:
    """
    Find the least and the greatest accepted length of a notation, and gaps between them.

    Args:
        grid: the notation.
        ask: sends one text of it.
        known: what other notations showed; what this one shows is added.
    """
    return _Search(grid, ask, known).run()


class _Search:
    def __init__(self, grid: Grid, ask: Ask, known: Known) -> None:
        self._grid = grid
        self._ask_text = ask
        self._known = known
        self._seen: dict[int, bool] = {}

    def run(self) -> Searched:
        grid, known = self._grid, self._known
        inside = self._first_accepted()
        if inside is None:
            return Searched((self._boundary("least", max(self._seen), None),), ())
        refused, least, least_exact = self._least(inside)
        greatest, beyond, greatest_exact = self._greatest(inside)
        if beyond is not None and self._seen.get(grid.longest):
            beyond = None
        if refused is not None or grid.nominal <= 1:
            below = refused if refused is not None else 0
            known.least.insert(0, (below * grid.high, least * grid.low))
        if beyond is None:
            known.endless = True
        else:
            known.greatest.insert(0, (greatest * grid.high, beyond * grid.low))
            known.numbers.insert(0, greatest // 10**grid.places)
            known.lengths.insert(0, len(grid.write(greatest)))
        gaps = self._gaps(least, greatest)
        return Searched(
            (
                self._boundary("least", refused, least, least_exact),
                self._boundary("greatest", beyond, greatest, greatest_exact),
            ),
            gaps,
        )

    def _accepts(self, number: int) -> bool:
        if number not in self._seen:
            self._seen[number] = self._ask_text(self._grid.write(number)).accepted
        return self._seen[number]

    def _boundary(self, end: str, refused: int | None, accepted: int | None, exact: bool = True) -> Boundary:
        text = self._grid.write(refused) if refused is not None else None
        return Boundary(
            notation=self._grid.name,
            end="least" if end == "least" else "greatest",
            refused=text,
            accepted=self._grid.write(accepted) if accepted is not None else None,
            exact=exact,
            status=self._ask_text(text).status if text is not None else None,
        )

    def _at_least(self, seconds: Fraction) -> int:
        """The first number whose least length reaches so many seconds."""
        return max(1, ceil(seconds / self._grid.low))

    def _first_accepted(self) -> int | None:
        """A number that is accepted: what others make likely first, then a ladder of lengths."""
        known, grid = self._known, self._grid
        likely = [self._at_least(accepted) for _, accepted in known.least[:2]]
        likely += [int(accepted // grid.high) for accepted, _ in known.greatest[:1] if accepted >= grid.high]
        ladder: Iterable[Fraction] = (known.minimum, *LADDER)
        if not known.least:
            ladder = (*ladder, *(WIDE_LADDER if grid.name == "seconds" else ()))
        elif not known.greatest:
            ladder = (known.least[0][1] * 10, Fraction(30 * DAY))
        else:
            ladder = ()
        for number in dict.fromkeys((*likely, *map(self._at_least, ladder))):
            if self._accepts(number):
                return number
        return None

    def _least(self, inside: int) -> tuple[int | None, int, bool]:
        """The greatest number below the least accepted one, if any, that one, and whether they are neighbours."""
        hints = [self._at_least(self._known.minimum)]
        for refused, accepted in self._known.least[:3]:
            hints = [self._at_least(accepted), int(refused // self._grid.high) + 1, *hints]
        # The guess itself first: what it refuses or accepts spares the way down to 1.
        for hint in dict.fromkeys(hints):
            if 1 < hint <= inside and not self._accepts(hint - 1):
                low, high, exact = flip(self._accepts, hint - 1, inside, [hint])
                return low, high, exact
        if self._accepts(1):
            return None, 1, True
        return flip(self._accepts, 1, inside, hints)

    def _greatest(self, inside: int) -> tuple[int, int | None, bool]:
        """The greatest accepted number, the least above it that is not, and whether they are neighbours."""
        grid, known = self._grid, self._known
        hints = []
        for accepted, refused in known.greatest[:3]:
            hints += [int(accepted // grid.high) + 1, self._at_least(refused), int(accepted // grid.nominal) + 1]
        if not known.endless or not known.greatest:
            for hint in hints:
                if hint > inside and not self._accepts(hint):
                    return flip(self._accepts, inside, hint, hints)
        if self._accepts(grid.longest):
            return grid.longest, None, True
        scale = 10**grid.places
        hints += [(number + 1) * scale for number in known.numbers[:3]]
        for length in known.lengths[:2]:
            spare = length - len(grid.write(scale))
            if spare >= 0:
                hints.append(10 ** (spare + 1) * scale)
        hints += [int(cap // grid.nominal) + 1 for cap in CAPS]
        return flip(self._accepts, inside, grid.longest, hints, powers=True)

    def _gaps(self, least: int, greatest: int) -> tuple[Gap, ...]:
        """Look between the ends; where something is not accepted there, find its edges."""
        top = min(greatest, max(least, int(Fraction(366 * DAY) // self._grid.low)))
        samples = [isqrt(least * isqrt(least * top)), isqrt(top * isqrt(least * top))]
        if self._grid.name == "seconds":
            samples += [suspect + 1 for suspect in SUSPECTS]
        for sample in samples:
            if least < sample < greatest:
                self._accepts(sample)
        found: list[Gap] = []
        while len(found) < GAPS:
            edge = found and self._number_of[found[-1].after] or least
            missing = next(
                (number for number in sorted(self._seen) if edge < number < greatest and not self._seen[number]), None
            )
            if missing is None:
                break
            below = max(number for number, taken in self._seen.items() if taken and number < missing)
            above = min(number for number, taken in self._seen.items() if taken and number > missing)
            before, first, _ = flip(self._accepts, below, missing, [])
            last, after, _ = flip(self._accepts, missing, above, [])
            found.append(self._gap(before, first, last, after))
        return tuple(found)

    @property
    def _number_of(self) -> dict[str, int]:
        return {self._grid.write(number): number for number in self._seen}

    def _gap(self, *numbers: int) -> Gap:
        before, first, last, after = map(self._grid.write, numbers)
        return Gap(notation=self._grid.name, before=before, first=first, last=last, after=after)


def flip(
    accepts: Callable[[int], bool], low: int, high: int, hints: Sequence[int], *, powers: bool = False
) -> tuple[int, int, bool]:
    """
    Neighbours between which acceptance changes, given two numbers that are answered differently.

    Args:
        accepts: the answer to a number.
        low: a number, at least 1.
        high: a greater one with the other answer.
        hints: numbers that are likely to be the first with the other answer.
        powers: whether powers of ten are likely too: a limit of digits.

    Returns:
        Two numbers with different answers, and whether nothing lies between them.
    """
    at_low = accepts(low)
    steps = 0
    pending = list(hints)
    while high - low > 1 and steps < STEPS:
        hint = next((each for each in pending if low < each < high or low < each - 1 < high), None)
        if hint is not None:
            middle = hint - 1 if low < hint - 1 else hint
            if middle == hint:
                pending.remove(hint)
        elif powers and 1 < len(_decimal(high)) - len(_decimal(low)) :
            middle = 10 ** ((len(_decimal(low)) + len(_decimal(high)) - 1) // 2)
        elif powers:
            powers, pending = False, [10 ** (len(_decimal(high)) - 1)]
            continue
        else:
            middle = isqrt(low * high) if high > 4 * low else (low + high) // 2
            middle = min(max(middle, low + 1), high - 1)
        steps += 1
        if accepts(middle) == at_low:
            low = middle
        else:
            high = middle
    return low, high, high - low == 1


def _decimal(number: int) -> str:
    return str(Decimal(number))


def order(first: str = "seconds") -> list[Grid]:
    """The grids in the order of searching, which begins with the finest whole one."""
    return sorted(GRIDS.values(), key=lambda grid: grid.name != first)

"""
Where acceptance begins and ends in each notation, and whether it holds in between.

A boundary that one notation shows is the first guess in the next, so that two requests confirm it there; where the
guess fails, an exponential and binary search finds the neighbours. What is reported was seen: guesses only choose
where to look.
"""

import sys
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor, inf, isfinite, isqrt, nextafter

from conformance.explore.notations import MAX_DIGITS, Grid, longest_number
from conformance.explore.values import Answer, Boundary, Gap
from conformance.oracle.durations import DAY

Ask = Callable[[str], Answer]

STEPS = 140
"""Requests for one pair of neighbours at most; a nanosecond within a century takes 62."""

LIMIT = 600
"""Requests for the boundaries of both timers."""

KEPT = 4
"""Requests that every search still to come may count on: what confirms right guesses at both ends."""

LADDER = tuple(Fraction(seconds) for seconds in (60, 3600, DAY, 600, 7 * DAY, 30 * DAY, 366 * DAY))
WIDE_LADDER = tuple(Fraction(4**power) for power in (6, 8, 10, 12, 4, 7, 9, 11, 13, 5, 3, 2, 1, 0))
"""Lengths, in seconds, at which something accepted is looked for: in any notation, and in those of whole seconds."""

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

FLOATS = tuple(Fraction(10) ** scale for scale in (0, 3, 6, 9))
"""Parts of a second that a float may count, until it overflows."""

NUMBERS = (2**31, 2**32, 2**53, 2**63)
"""Numbers that a component often has to stay below, whatever its unit."""

STRIDE = 16
"""Bits by which steps grow at least where an end is just beyond what others made likely, as where sums are rounded."""

GAPS = 2
"""Gaps of one notation whose edges are searched, at most."""


@dataclass(slots=True)
class Purse:
    """What the searches may cost together; whoever sends the requests counts them here."""

    searches: int
    """Still to come, the one under way among them."""
    limit: int = LIMIT - 3
    """The last answer may cost three more: a value that spoils the other timer is written over, this one put back."""
    spent: int = 0

    @property
    def left(self) -> int:
        """Requests that the search under way may still send."""
        return self.limit - self.spent - KEPT * (self.searches - 1)


class Spent(Exception):
    """Nothing is left for the search under way; may be raised by what sends the requests, too."""


@dataclass(slots=True)
class Known:
    """What other notations showed of one timer: guesses for the next."""

    minimum: Fraction
    """Seconds, as documented."""
    sibling: "Known | None" = None
    """The same of the other timer, which is likely to be read and capped alike."""
    least: set[tuple[Fraction, Fraction]] = field(default_factory=set)
    """Around the least accepted length: greatest refused, least accepted, in seconds."""
    greatest: set[tuple[Fraction, Fraction]] = field(default_factory=set)
    """Around the greatest: greatest accepted, least refused."""
    steps: list[Fraction] = field(default_factory=list)
    """Days in a month or a year that explained a boundary, the newest first."""
    twins: dict[str, tuple[int, int | None]] = field(default_factory=dict)
    """By notation, the least accepted number and the first beyond: what a comma changes is at most the separator."""
    digits: int | None = None
    """The most digits of a number, where the next text had more."""
    characters: int | None = None
    """The most characters of a text, where the next one had more."""
    endless: bool = False
    """Whether another notation has no greatest length."""

    @staticmethod
    def narrowest(around: set[tuple[Fraction, Fraction]]) -> list[tuple[Fraction, Fraction]]:
        """The two that leave least between them."""
        return sorted(around, key=lambda ends: (ends[1] - ends[0], ends))[:2]


@dataclass(frozen=True, slots=True)
class Searched:
    """What was found of one notation."""

    boundaries: tuple[Boundary, ...]
    gaps: tuple[Gap, ...]


def search(grid: Grid, ask: Ask, known: Known, purse: Purse) -> Searched:
    """
    Find the least and the greatest accepted length of a notation, and gaps between them.

    Args:
        grid: the notation.
        ask: sends one text of it.
        known: what other notations showed; what this one shows is added.
        purse: what it may cost. Where that does not do, what was seen is told, as not exact.
    """
    current = _Search(grid, ask, known, purse)
    try:
        return current.run()
    except Spent:
        return current.as_far_as_seen()
    finally:
        purse.searches -= 1


class _Search:
    def __init__(self, grid: Grid, ask: Ask, known: Known, purse: Purse) -> None:
        self._grid = grid
        self._ask_text = ask
        self._known = known
        self._purse = purse
        self._seen: dict[int, bool] = {}
        self._gaps_found: list[Gap] = []

    def run(self) -> Searched:
        grid, known = self._grid, self._known
        inside = self._first_accepted()
        if inside is None:
            return Searched((self._boundary("least", max(self._seen), None),), ())
        refused, least, least_exact = self._least(inside)
        greatest, beyond, greatest_exact = self._greatest(inside)
        if refused is not None and (lower := self._accepted_below(refused)) is not None:
            refused, least, least_exact = (None, 1, True) if self._accepts(1) else self._flip(1, lower, [])
        if grid.low == grid.high and (refused is not None or grid.nominal <= 1):
            known.least.add(((refused or 0) * grid.high, least * grid.low))
        known.twins[grid.name] = (least, beyond)
        self._learn_a_step(least, beyond)
        if beyond is None:
            known.endless = True
        else:
            self._learn_of_the_end(greatest, beyond)
        boundaries = (
            self._boundary("least", refused, least, least_exact),
            self._boundary("greatest", beyond, greatest, greatest_exact),
        )
        with suppress(Spent):  # the boundaries were found all the same
            self._find_gaps(least, greatest)
        return Searched(boundaries, tuple(self._gaps_found))

    def as_far_as_seen(self) -> Searched:
        """The boundaries that the answers leave, which more of them would narrow."""
        taken = self._taken()
        refused = [number for number, accepted in self._seen.items() if not accepted]
        if not taken:
            return Searched((self._boundary("least", max(refused, default=None), None, exact=False),), ())
        least, greatest = min(taken), max(taken)
        below = max((number for number in refused if number < least), default=None)
        above = min((number for number in refused if number > greatest), default=None)
        boundaries = [self._boundary("least", below, least, exact=least == 1 or below == least - 1)]
        if above is not None or greatest == self._grid.longest:
            boundaries.append(
                self._boundary("greatest", above, greatest, exact=above in (None, greatest + 1))
            )
        return Searched(tuple(boundaries), tuple(self._gaps_found))

    def _steps(self) -> list[Fraction]:
        """What a step may be, the likeliest first."""
        scale = DAY / Fraction(10**self._grid.places)
        known = self._known
        days_of = (*known.steps, *(known.sibling.steps if known.sibling is not None else ()))
        likely = [days * scale for days in days_of if days * scale in self._grid.steps]
        return list(dict.fromkeys((*likely, *self._grid.steps)))

    def _learn_a_step(self, least: int, beyond: int | None) -> None:
        grid, known = self._grid, self._known
        if grid.low == grid.high or grid.name == "years-months" or not known.least:
            return  # of years and months together no one step is learnt
        accepted = known.narrowest(known.least)[0][1]
        ended = known.narrowest(known.greatest)[0][0] if known.greatest else None
        for step in grid.steps:
            if ceil(accepted / step) == least and (
                beyond is None or ended is None or ended // step + 1 == beyond
            ):
                known.steps.insert(0, step * 10**grid.places / DAY)
                return

    def _twin(self) -> tuple[int, int | None] | None:
        return self._known.twins.get(self._grid.name.replace("-comma", "-point"))

    def _end_of_the_sibling(self) -> int | None:
        sibling = self._known.sibling
        return None if sibling is None else sibling.twins.get(self._grid.name, (1, None))[1]

    def _learn_of_the_end(self, greatest: int, beyond: int) -> None:
        grid, known = self._grid, self._known
        if grid.low == grid.high:
            known.greatest.add((greatest * grid.high, beyond * grid.low))
        last, next_one = grid.write(greatest), grid.write(beyond)
        if longest_number(next_one) > longest_number(last):
            known.digits = longest_number(last)
        if len(next_one) > len(last):
            known.characters = len(last)

    def _first_longer(self, measure: Callable[[str], int], limit: int) -> int:
        """The first number, one of its leading unit and zeros, whose text measures more; nothing is sent for it."""
        step = self._grid.lead * 10**self._grid.places
        zeros = bisect_right(
            range(MAX_DIGITS), limit, key=lambda count: measure(self._grid.write(step * 10**count + step))
        )
        number = int(step * 10**zeros)
        # Where a smaller unit takes over from the leading one, that comes one later.
        return number if measure(self._grid.write(number)) > limit else number + step

    def _rounding_to(self, seconds: Fraction) -> list[int]:
        """The first numbers that a parser of floats takes for a length: halfway up from the float below."""
        unit = self._grid.nominal * 10**self._grid.places
        try:
            beyond = float(seconds / unit)
        except OverflowError:
            return []
        middle = (Fraction(beyond) + Fraction(nextafter(beyond, 0))) / 2 * 10**self._grid.places
        return [ceil(middle), floor(middle) + 1]

    def _overflowing(self) -> list[int]:
        """The first numbers that a float of a second or a part of one cannot hold."""
        unit, hints = self._grid.nominal * 10**self._grid.places, [2**1024 - 2**970]
        for factor in (float(unit * scale) for scale in FLOATS if unit * scale > 1):
            beyond = sys.float_info.max / factor
            while isfinite(beyond * factor):
                beyond = nextafter(beyond, inf)
            hints.append(ceil((Fraction(beyond) + Fraction(nextafter(beyond, 0))) / 2))
        return [hint * 10**self._grid.places * self._grid.lead for hint in hints]

    def _refused_near(self, number: int) -> int | None:
        """The first number that is refused, going up from an accepted one by ever longer steps as far as its double."""
        step, stride = 1, max(STRIDE, number.bit_length() // 8)
        while number + step < min(2 * number, self._grid.longest):
            if not self._accepts(number + step):
                return number + step
            step <<= stride
        return None

    def _taken(self) -> list[int]:
        return [number for number, accepted in self._seen.items() if accepted]

    def _accepts(self, number: int) -> bool:
        if number not in self._seen:
            if self._purse.left <= 0:
                raise Spent
            self._seen[number] = self._ask_text(self._grid.write(number)).accepted
        return self._seen[number]

    def _flip(
        self, low: int, high: int, hints: Sequence[int], late: Sequence[int] | None = None
    ) -> tuple[int, int, bool]:
        return flip(self._accepts, low, high, hints, late=late, round_ones=self._grid.round_ones)

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
        twin = self._twin()
        likely = [] if twin is None else [twin[0]]
        likely += [self._at_least(accepted) for _, accepted in known.narrowest(known.least)]
        likely += [
            int(accepted // grid.high)
            for accepted, _ in known.narrowest(known.greatest)[:1]
            if accepted >= grid.high
        ]
        ladder: Iterable[Fraction]
        if not known.least and not known.greatest:
            ladder = (known.minimum, *(WIDE_LADDER if grid.nominal == 1 else LADDER))
        elif not known.greatest or not likely:
            ladder = (
                *(accepted * 10 for _, accepted in known.narrowest(known.least)[:1]),
                Fraction(30 * DAY),
            )
        else:
            ladder = ()
        for number in dict.fromkeys((*likely, *map(self._at_least, ladder))):
            if self._accepts(number):
                return number
        return None

    def _accepted_below(self, refused: int) -> int | None:
        """A number far below the least accepted one that is accepted again, which halving alone would miss."""
        lower = 1 if self._grid.places == 0 else max(1, refused // 2)
        if self._purse.left > 0 and lower < refused and self._accepts(lower):
            return lower
        return None

    def _least(self, inside: int) -> tuple[int | None, int, bool]:
        """The greatest number below the least accepted one, if any, that one, and whether they are neighbours."""
        twin = self._twin()
        hints = [twin[0]] if twin is not None else []
        for refused, accepted in self._known.narrowest(self._known.least):
            for step in self._steps():
                hints += [ceil(accepted / step), int(refused // step) + 1]
        hints.append(self._at_least(self._known.minimum))
        # The guess itself first: what it refuses or accepts spares the way down to 1.
        for hint in dict.fromkeys(hints):
            if 1 < hint <= inside and not self._accepts(hint - 1):
                refused_below = max(
                    number for number, taken in self._seen.items() if number < inside and not taken
                )
                return self._flip(refused_below, inside, [hint])
        if self._accepts(1):
            return None, 1, True
        refused_below = max(number for number, taken in self._seen.items() if number < inside and not taken)
        return self._flip(refused_below, inside, hints)

    def _greatest(self, inside: int) -> tuple[int, int | None, bool]:
        """The greatest accepted number, the least above it that is not, and whether they are neighbours."""
        grid, known = self._grid, self._known
        twin = self._twin()
        hints = [twin[1]] if twin is not None and twin[1] is not None else []
        if (end := self._end_of_the_sibling()) is not None:
            hints.append(end)
        if any(refused > 10**300 for _, refused in known.greatest):
            hints += self._overflowing()
        if known.digits is not None:
            hints.append(self._first_longer(longest_number, known.digits))
        for accepted, refused in known.narrowest(known.greatest):
            for step in self._steps():
                hints += [int(accepted // step) + 1, ceil(refused / step)]
        if grid.places and known.greatest:
            hints += self._rounding_to(min(refused for _, refused in known.greatest))
        if known.characters is not None:
            hints.append(self._first_longer(len, known.characters))
        caps = [int(cap // grid.nominal) + 1 for cap in CAPS]
        caps += [number * grid.lead * 10**grid.places for number in NUMBERS]
        caps += self._overflowing()
        if not known.endless or known.greatest or end is not None:
            for hint in hints:
                if inside < hint < grid.longest and not self._accepts(hint):
                    return self._flip(inside, hint, hints, late=caps)
            if known.greatest and (beyond := self._refused_near(max(self._taken()))) is not None:
                return self._flip(max(self._taken()), beyond, [])
        if self._accepts(grid.longest):
            return grid.longest, None, True
        return self._flip(inside, grid.longest, hints, late=caps)

    def _find_gaps(self, least: int, greatest: int) -> None:
        """Look between the ends; where something is not accepted there, find its edges."""
        top = min(greatest, max(least, int(Fraction(366 * DAY) // self._grid.low)))
        samples = [isqrt(least * top)]
        if self._grid.name == "seconds":
            samples = [isqrt(least * samples[0]), isqrt(top * samples[0])]
            samples += [suspect + 1 for suspect in SUSPECTS]
        for sample in samples:
            if least < sample < greatest:
                self._accepts(sample)
        edge = least
        while len(self._gaps_found) < GAPS:
            missing = next(
                (
                    number
                    for number in sorted(self._seen)
                    if edge < number < greatest and not self._seen[number]
                ),
                None,
            )
            if missing is None:
                break
            below = max(number for number, taken in self._seen.items() if taken and number < missing)
            above = min(number for number, taken in self._seen.items() if taken and number > missing)
            before, first, _ = self._flip(below, missing, [])
            last, edge, _ = self._flip(missing, above, [])
            self._gaps_found.append(self._gap(before, first, last, edge))

    def _gap(self, *numbers: int) -> Gap:
        before, first, last, after = map(self._grid.write, numbers)
        return Gap(notation=self._grid.name, before=before, first=first, last=last, after=after)


def flip(
    accepts: Callable[[int], bool],
    low: int,
    high: int,
    hints: Sequence[int],
    *,
    late: Sequence[int] | None = None,
    round_ones: Sequence[int] = (),
    steps: int = STEPS,
) -> tuple[int, int, bool]:
    """
    Neighbours between which acceptance changes, given two numbers that are answered differently.

    Args:
        accepts: the answer to a number.
        low: a number, at least 1.
        high: a greater one with the other answer.
        hints: numbers that are likely to be the first with the other answer.
        late: where given, the number of digits is found first, and these hints are for then.
        round_ones: a change is likely at a multiple of these, the greatest first.
        steps: how many numbers to try at most.

    Returns:
        Two numbers with different answers, and whether nothing lies between them.
    """
    at_low = accepts(low)
    pending = list(hints)
    for step in range(steps):
        if high - low == 1:
            break
        hint = next((each for each in pending if low < each < high or low < each - 1 < high), None)
        if hint is not None and low < hint - 1:
            middle = hint - 1
        elif hint is not None:
            middle = hint
        elif late is not None and magnitude(high) - magnitude(low) > 1:
            # The mean of the numbers of digits, but the geometric one: caps of few digits are likelier.
            between = isqrt(max(1, magnitude(low)) * magnitude(high))
            middle = 10 ** min(max(between, magnitude(low) + 1), magnitude(high) - 1)
        elif late is not None:
            # Within one power of ten: a limit of digits ends just below it.
            pending, late = [10 ** magnitude(high), *late], None
            continue
        elif high <= 2 * low and (high - low).bit_length() > steps - step:
            break  # of some hundred digits, as where floats overflow: the steps would not do
        else:
            middle = isqrt(low * high) if high > 4 * low else (low + high) // 2
            middle, alone = _rounded(min(max(middle, low + 1), high - 1), low, high, round_ones)
            if alone:  # the change is likely there: it is the first of the others, or the last of these
                pending = [middle + 1 if accepts(middle) == at_low else middle]
        if accepts(middle) == at_low:
            low = middle
        else:
            high = middle
    return low, high, high - low == 1


def _rounded(middle: int, low: int, high: int, round_ones: Sequence[int]) -> tuple[int, bool]:
    """The multiple of the greatest round number that lies between, near the middle, and whether it is the only one."""
    for unit in round_ones:
        first, last = low // unit + 1, (high - 1) // unit
        if first <= last:
            return min(max((middle + unit // 2) // unit, first), last) * unit, first == last
    return middle, False


def magnitude(number: int) -> int:
    """The greatest power of ten that a number reaches, as its exponent."""
    return Decimal(number).adjusted()

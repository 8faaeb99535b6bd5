"""
Finds the least and the greatest accepted length of each notation, and gaps between them.

The first guess is what another notation or the other timer has shown: two requests confirm it where it is right, and
halving does the rest. Guesses only say where to look: every boundary that is reported was seen.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, isqrt
from typing import Literal

from conformance.explore.bisection import flip
from conformance.explore.notations import MAX_DIGITS, Grid, longest_number
from conformance.explore.values import Answer, Boundary, Gap
from conformance.oracle.durations import DAY

Ask = Callable[[str], Answer]

LIMIT = 600
"""Requests for the boundaries of both timers."""

KEPT = 4
"""Requests that every later search may count on: they confirm right guesses at both ends."""

LADDER = tuple(Fraction(seconds) for seconds in (60, 3600, DAY, 600, 7 * DAY, 30 * DAY, 366 * DAY))
WIDE_LADDER = tuple(Fraction(4**power) for power in (6, 8, 10, 12, 4, 7, 9, 11, 13, 5, 3, 2, 1, 0))
"""Seconds at which something accepted is looked for: in any notation, and in those that count seconds."""

SUSPECTS = (2**15, 2**16, 2**31 // 1000, 2**32 // 1000, 2**31, 2**32)
"""Seconds after which a counter of 16 or 32 bits begins again, whether it counts seconds or milliseconds."""

GAPS = 2
"""Gaps of one notation whose edges are searched, at most."""


@dataclass(slots=True)
class Budget:
    """The requests that all searches together may send. The function that sends them counts them here."""

    searches: int
    """Searches that are not finished, the one under way among them."""
    limit: int = LIMIT - 3
    """The last answer may cost three more: a value that spoils the other timer is written over, this one put back."""
    spent: int = 0

    @property
    def left(self) -> int:
        """Requests that the search under way may still send."""
        return self.limit - self.spent - KEPT * (self.searches - 1)


class Spent(Exception):
    """No request is left for the search under way; the function that sends the requests may raise it too."""


Ends = tuple[Fraction, Fraction]
"""Two lengths in seconds between which acceptance changes."""


@dataclass(slots=True)
class Known:
    """What the notations searched so far have shown of one timer."""

    minimum: Fraction
    """The documented minimum, in seconds."""
    sibling: "Known | None" = None
    """What is known of the other timer, which is likely to be capped alike."""
    least: set[Ends] = field(default_factory=set)
    """Around the least accepted length: the greatest refused one, the least accepted one."""
    greatest: set[Ends] = field(default_factory=set)
    """Around the greatest accepted length: that one, the least refused one."""
    numbers: dict[str, tuple[int, int]] = field(default_factory=dict)
    """By notation, the least accepted number and the first beyond the greatest."""
    refused: set[str] = field(default_factory=set)
    """Notations of which nothing was accepted."""
    texts: tuple[str, str] | None = None
    """The last accepted text of a capped notation, and the next one, which is refused."""
    endless: bool = False
    """Whether some notation has no greatest length."""


def _narrowest(around: set[Ends]) -> list[Ends]:
    """Return the two that leave least between their ends."""
    return sorted(around, key=lambda ends: (ends[1] - ends[0], ends))[:2]


@dataclass(frozen=True, slots=True)
class Searched:
    """What was found of one notation."""

    boundaries: tuple[Boundary, ...]
    gaps: tuple[Gap, ...]


def search(grid: Grid, ask: Ask, known: Known, budget: Budget) -> Searched:
    """
    Find the least and the greatest accepted length of a notation, and gaps between them.

    What this notation shows is added to `known`. Where the budget does not suffice, the boundaries seen so far are
    returned as not exact.
    """
    current = _Search(grid, ask, budget)
    try:
        return current.run(known)
    except Spent:
        return current.as_far_as_seen()
    finally:
        budget.searches -= 1


class _Search:
    def __init__(self, grid: Grid, ask: Ask, budget: Budget) -> None:
        self._grid = grid
        self._ask_text = ask
        self._budget = budget
        self._seen: dict[int, bool] = {}
        self._gaps: list[Gap] = []

    def run(self, known: Known) -> Searched:
        grid = self._grid
        for number in _likely(grid, known):
            if self._accepts(number):
                break
        else:
            known.refused.add(grid.name)
            return Searched((self._boundary("least", max(self._seen), None),), ())
        low = max((each for each in self._seen if each < number), default=0)
        refused, least, least_exact = self._between(low, number, list(_guesses(grid, known, "least")))
        if self._budget.left > 0 and refused > 1 and self._accepts(lower := max(1, refused // 2)):
            refused, least, least_exact = self._flip(0, lower)  # below a gap
        greatest, beyond, greatest_exact = self._between(
            max(number, least), grid.longest + 1, list(_guesses(grid, known, "greatest"))
        )
        _learn(grid, known, (refused, least), (greatest, beyond))
        boundaries = (
            self._boundary("least", refused, least, least_exact),
            self._boundary("greatest", beyond, greatest, greatest_exact),
        )
        with suppress(Spent):  # the boundaries are known all the same
            self._find_gaps(least, greatest)
        return Searched(boundaries, tuple(self._gaps))

    def as_far_as_seen(self) -> Searched:
        """Return the boundaries that follow from the answers so far."""
        refused, taken = (
            [number for number, accepted in self._seen.items() if accepted is wanted]
            for wanted in (False, True)
        )
        if not taken:
            return Searched((self._boundary("least", max(refused, default=0), None, exact=False),), ())
        least, greatest = min(taken), max(taken)
        below = max((number for number in refused if number < least), default=0)
        above = min((number for number in refused if number > greatest), default=self._grid.longest + 1)
        boundaries = [self._boundary("least", below, least, exact=below == least - 1)]
        if above <= self._grid.longest or greatest == self._grid.longest:
            boundaries.append(self._boundary("greatest", above, greatest, exact=above == greatest + 1))
        return Searched(tuple(boundaries), tuple(self._gaps))

    def _accepts(self, number: int) -> bool:
        """Return whether a number is accepted; 0 and what is too long to be tried count as refused."""
        if not 0 < number <= self._grid.longest:
            return False
        if number not in self._seen:
            if self._budget.left <= 0:
                raise Spent
            self._seen[number] = self._ask_text(self._grid.write(number)).accepted
        return self._seen[number]

    def _between(self, low: int, high: int, guesses: Sequence[int]) -> tuple[int, int, bool]:
        """Find neighbours as `flip` does, given numbers that are likely to be the first with the other answer."""
        at_low = self._accepts(low)
        for guess in guesses:
            for number in (guess - 1, guess):
                if not low < number < high:
                    continue
                if self._accepts(number) == at_low:
                    low = number
                else:
                    high = number
        return self._flip(low, high)

    def _flip(self, low: int, high: int) -> tuple[int, int, bool]:
        return flip(self._accepts, low, high, base=10 if self._grid.places else 2)

    def _boundary(
        self, end: Literal["least", "greatest"], refused: int, accepted: int | None, exact: bool = True
    ) -> Boundary:
        text = self._grid.write(refused) if 0 < refused <= self._grid.longest else None
        return Boundary(
            notation=self._grid.name,
            end=end,
            refused=text,
            accepted=self._grid.write(accepted) if accepted is not None else None,
            exact=exact,
            status=self._ask_text(text).status if text is not None else None,
        )

    def _find_gaps(self, least: int, greatest: int) -> None:
        """Try lengths between the ends; where one is refused, find the edges of the gap around it."""
        top = min(greatest, max(least, int(Fraction(366 * DAY) // self._grid.low)))
        samples = [isqrt(least * top)]
        if self._grid.name == "seconds":
            samples = [isqrt(least * samples[0]), isqrt(top * samples[0])]
            samples += [suspect + 1 for suspect in SUSPECTS]
        for sample in samples:
            if least < sample < greatest:
                self._accepts(sample)
        edge = least
        while len(self._gaps) < GAPS:
            refused = (number for number in sorted(self._seen) if edge < number < greatest)
            missing = next((number for number in refused if not self._seen[number]), None)
            if missing is None:
                break
            below = max(number for number, taken in self._seen.items() if taken and number < missing)
            above = min(number for number, taken in self._seen.items() if taken and number > missing)
            before, first, _ = self._flip(below, missing)
            last, edge, _ = self._flip(missing, above)
            texts = map(self._grid.write, (before, first, last, edge))
            members = dict(zip(("before", "first", "last", "after"), texts, strict=True))
            self._gaps.append(Gap(notation=self._grid.name, **members))


def _likely(grid: Grid, known: Known) -> Iterator[int]:
    """Yield numbers that may be accepted: first what other notations make likely, then a ladder of lengths."""
    same = _same_with_point(grid, known)
    least, greatest = _narrowest(known.least), _narrowest(known.greatest)[:1]
    likely = [] if same is None else [same[0]]
    likely += [max(1, ceil(accepted / grid.low)) for _, accepted in least]
    likely += [int(accepted // grid.high) for accepted, _ in greatest if accepted >= grid.high]
    refused = known.sibling is not None and grid.name in known.sibling.refused
    ladder: tuple[Fraction, ...] = ()
    if not least and not greatest:
        ladder = (known.minimum, *(WIDE_LADDER if grid.steps[0] == 1 and not refused else LADDER))
    elif not greatest or not likely:
        ladder = (*(accepted * 10 for _, accepted in least[:1]), Fraction(30 * DAY))
    yield from likely
    yield from (max(1, ceil(length / grid.low)) for length in ladder)
    if grid.places and "-comma" not in grid.name:  # some parsers take few digits after the point
        unit = 10**grid.places
        yield from (ceil(accepted / (grid.low * unit)) * unit + unit // 2 for _, accepted in least[:1])


def _guesses(grid: Grid, known: Known, end: Literal["least", "greatest"]) -> Iterator[int]:
    """Yield numbers above which acceptance is likely to change: the first accepted one, or the first refused one."""
    is_least = end == "least"
    other_timer = known.sibling.numbers if known.sibling is not None else {}
    for each in (_same_with_point(grid, known), other_timer.get(grid.name)):
        if each is not None:
            yield each[not is_least]
    if not is_least and known.texts is not None:
        last, beyond = known.texts
        for measure in (longest_number, len):
            if measure(beyond) > measure(last):
                yield _first_longer(grid, measure, measure(last))
    for below, above in _narrowest(known.least if is_least else known.greatest):
        for step in grid.steps:
            yield int(below // step) + 1
            yield ceil(above / step)
    if is_least:
        yield max(1, ceil(known.minimum / grid.low))
    elif known.endless or not known.greatest:
        yield grid.longest + 1


def _same_with_point(grid: Grid, known: Known) -> tuple[int, int] | None:
    """Return what the same notation with a point has shown: a target that reads a comma reads it as a point."""
    return known.numbers.get(grid.name.replace("-comma", "-point"))


def _first_longer(grid: Grid, measure: Callable[[str], int], limit: int) -> int:
    """Return the first number, of one leading unit and zeros, whose text measures more; nothing is sent for it."""
    unit = int(grid.lead * 10**grid.places)
    zeros = bisect_right(
        range(MAX_DIGITS), limit, key=lambda count: measure(grid.write(unit * 10**count + unit))
    )
    number: int = unit * 10**zeros
    # Where a smaller unit takes over from the leading one, its text is longer one unit later.
    return number if measure(grid.write(number)) > limit else number + unit


def _learn(grid: Grid, known: Known, least: tuple[int, int], greatest: tuple[int, int]) -> None:
    """Add what one notation has shown."""
    known.numbers[grid.name] = (least[1], greatest[1])
    exact = grid.low == grid.high
    if exact and (least[0] or grid.steps[0] <= 1):
        known.least.add((least[0] * grid.high, least[1] * grid.low))
    if greatest[1] > grid.longest:
        known.endless = True
        return
    if exact:
        known.greatest.add((greatest[0] * grid.high, greatest[1] * grid.low))
    known.texts = (grid.write(greatest[0]), grid.write(greatest[1]))

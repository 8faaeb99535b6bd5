"""
Where acceptance begins and ends in each notation, and whether it holds in between.

A boundary that one notation shows is the first guess in the next, so that two requests confirm it there; where the
guess fails, an exponential and binary search finds the neighbours. What is reported was seen: guesses only choose
where to look.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor, isqrt, nextafter

from conformance.durations import DAY
from conformance.explore.notations import MAX_DIGITS, Grid, longest_number
from conformance.explore.values import Answer, Boundary, Gap

Ask = Callable[[str], Answer]

STEPS = 140
"""Requests for one pair of neighbours at most; a nanosecond within a century takes 62."""

ALLOWANCE = 330
"""Requests for one timer after which a pair of neighbours gets `FEW` only; 600 are meant to do for both timers."""

FEW = 6

LADDER = tuple(Fraction(seconds) for seconds in (60, 3600, DAY, 600, 7 * DAY, 30 * DAY, 366 * DAY))
WIDE_LADDER = tuple(Fraction(4**power) for power in range(14))
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

NUMBERS = (2**31, 2**32, 2**53, 2**63)
"""Numbers that a component often has to stay below, whatever its unit."""

GAPS = 2
"""Gaps of one notation whose edges are searched, at most."""


@dataclass(slots=True)
class Known:
    """What other notations showed of one timer: guesses for the next."""

    minimum: Fraction
    """Seconds, as documented."""
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
    spent: int = 0
    """Texts asked about so far."""

    @staticmethod
    def narrowest(around: set[tuple[Fraction, Fraction]]) -> list[tuple[Fraction, Fraction]]:
        """The two that leave least between them."""
        return sorted(around, key=lambda ends: (ends[1] - ends[0], ends))[:2]


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
        if grid.low == grid.high and (refused is not None or grid.nominal <= 1):
            known.least.add(((refused or 0) * grid.high, least * grid.low))
        known.twins[grid.name] = (least, beyond)
        self._learn_a_step(least, beyond)
        if beyond is None:
            known.endless = True
        else:
            self._learn_of_the_end(greatest, beyond)
        gaps = self._gaps(least, greatest)
        return Searched(
            (
                self._boundary("least", refused, least, least_exact),
                self._boundary("greatest", beyond, greatest, greatest_exact),
            ),
            gaps,
        )

    def _steps(self) -> list[Fraction]:
        """What a step may be, the likeliest first."""
        scale = DAY / Fraction(10**self._grid.places)
        likely = [days * scale for days in self._known.steps if days * scale in self._grid.steps]
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

    def _accepts(self, number: int) -> bool:
        if number not in self._seen:
            self._known.spent += 1
            self._seen[number] = self._ask_text(self._grid.write(number)).accepted
        return self._seen[number]

    def _flip(
        self, low: int, high: int, hints: Sequence[int], late: Sequence[int] | None = None
    ) -> tuple[int, int, bool]:
        steps = STEPS if self._known.spent < ALLOWANCE else FEW
        return flip(self._accepts, low, high, hints, late=late, steps=steps)

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
        if not known.least:
            ladder = (known.minimum, *(WIDE_LADDER if grid.nominal == 1 else LADDER))
        elif not known.greatest:
            ladder = (known.narrowest(known.least)[0][1] * 10, Fraction(30 * DAY))
        else:
            ladder = ()
        for number in dict.fromkeys((*likely, *map(self._at_least, ladder))):
            if self._accepts(number):
                return number
        return None

    def _least(self, inside: int) -> tuple[int | None, int, bool]:
        """The greatest number below the least accepted one, if any, that one, and whether they are neighbours."""
        refused, least, exact = self._guessed_least(inside)
        if refused is None:
            return None, least, exact
        # Acceptance below it again would be missed by halving alone.
        lower = 1 if self._grid.places == 0 else max(1, refused // 2)
        if lower < refused and self._accepts(lower):
            return (None, 1, True) if self._accepts(1) else self._flip(1, lower, [])
        return refused, least, exact

    def _guessed_least(self, inside: int) -> tuple[int | None, int, bool]:
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
        if known.digits is not None:
            hints.append(self._first_longer(longest_number, known.digits))
        for accepted, refused in known.narrowest(known.greatest):
            for step in self._steps():
                hints += [int(accepted // step) + 1, ceil(refused / step)]
        if grid.places and known.greatest:
            hints += self._rounding_to(min(refused for _, refused in known.greatest))
        if known.characters is not None:
            hints.append(self._first_longer(len, known.characters))
        if not known.endless or known.greatest:
            for hint in hints:
                if inside < hint < grid.longest and not self._accepts(hint):
                    return self._flip(inside, hint, hints)
        if self._accepts(grid.longest):
            return grid.longest, None, True
        caps = [int(cap // grid.nominal) + 1 for cap in CAPS]
        caps += [number * grid.lead * 10**grid.places for number in NUMBERS]
        return self._flip(inside, grid.longest, hints, late=caps)

    def _gaps(self, least: int, greatest: int) -> tuple[Gap, ...]:
        """Look between the ends; where something is not accepted there, find its edges."""
        top = min(greatest, max(least, int(Fraction(366 * DAY) // self._grid.low)))
        middle = isqrt(least * top)
        samples = [middle] if self._grid.places else [isqrt(least * middle), isqrt(top * middle)]
        if self._grid.name == "seconds":
            samples += [suspect + 1 for suspect in SUSPECTS]
        for sample in samples:
            if least < sample < greatest:
                self._accepts(sample)
        found: list[Gap] = []
        edge = least
        while len(found) < GAPS:
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
            found.append(self._gap(before, first, last, edge))
        return tuple(found)

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
        steps: how many numbers to try at most.

    Returns:
        Two numbers with different answers, and whether nothing lies between them.
    """
    at_low = accepts(low)
    pending = list(hints)
    for _ in range(steps):
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
        else:
            middle = isqrt(low * high) if high > 4 * low else (low + high) // 2
            middle = min(max(middle, low + 1), high - 1)
        if accepts(middle) == at_low:
            low = middle
        else:
            high = middle
    return low, high, high - low == 1


def magnitude(number: int) -> int:
    """The greatest power of ten that a number reaches, as its exponent."""
    return Decimal(number).adjusted()

"""What a run has seen so far: deviations that are not confirmed yet, and what was exercised of each input class."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from conformance.attribution.causes import cause_of
from conformance.http import Exchange, FailureKind, Pairs, Request
from conformance.model import Level, Violation
from conformance.rules import BY_ID
from conformance.rules.reply import remembered
from conformance.rules.state import is_concurrent

Key = tuple[str, str, str]
"""A rule, an input class and a kind of outcome."""

_LONGEST = 2_000
"""Characters that are kept of each text of a violation: an answer can hold a value of a million."""


class Past(NamedTuple):
    """What was sent before an exchange, and may be needed to show the same again."""

    before: tuple[Exchange, ...] = ()
    context: Pairs = ()
    """The settings that were put in force."""
    together: tuple[Request, ...] = ()
    """The requests that were last sent at the same time."""


@dataclass(slots=True)
class Candidate:
    """A deviation as first seen, before it is shown again and made small."""

    violation: Violation
    exchange: Exchange
    before: tuple[Exchange, ...]
    context: Pairs
    numbers: set[int]
    """The numbers of the requests that showed it."""
    confirmed: bool = False
    """Whether it has become a finding."""
    shows: Callable[[Exchange], bool] | None = None
    """Whether another exchange shows it too; None where the rules say so."""
    together: tuple[Request, ...] = ()
    """The requests that were sent at the same time before it, where that may be why."""

    @property
    def cause(self) -> str:
        """What it has in common with others that have the same cause."""
        return cause_of(self.violation.rule, self.violation.outcome, self.violation.field)


class Candidates(Mapping[Key, Candidate]):
    """
    The deviations of a run as first seen: one for each rule, input class and kind of outcome.

    Args:
        selected: The ids of the rules whose violations count.
    """

    def __init__(self, selected: Collection[str]) -> None:
        self._selected = frozenset(selected)
        self._all: dict[Key, Candidate] = {}

    def __getitem__(self, key: Key) -> Candidate:
        return self._all[key]

    def __iter__(self) -> Iterator[Key]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    def counted(self, violations: Iterable[Violation]) -> tuple[Violation, ...]:
        """Those violations whose rules were selected."""
        return tuple(violation for violation in violations if violation.rule in self._selected)

    def note(
        self,
        violation: Violation,
        exchange: Exchange,
        cls: str,
        past: Past,
        shows: Callable[[Exchange], bool] | None = None,
    ) -> None:
        """
        Record a violation of a selected rule; what is there already is counted.

        Args:
            violation: What was seen.
            exchange: The exchange that shows it.
            cls: The input class in hand, where the violation names none.
            past: What was sent before.
            shows: Tells whether another exchange shows it too, where the rules cannot.
        """
        if violation.rule not in self._selected:
            return
        violation = violation if violation.cls else replace(violation, cls=cls)
        key = (violation.rule, violation.cls, violation.outcome)
        if (candidate := self._all.get(key)) is not None:
            candidate.numbers.add(exchange.number)
            return
        self._all[key] = Candidate(
            shortened(violation),
            remembered(exchange),
            past.before,
            past.context,
            {exchange.number},
            shows=shows,
            together=past.together if is_concurrent(violation) else (),
        )

    def unconfirmed(self) -> list[Candidate]:
        """Those of MUST rules first; among them the first of every cause before the second of any."""
        turns = Counter[str]()
        new = []
        for candidate in self._all.values():
            if not candidate.confirmed:
                must = BY_ID[candidate.violation.rule].level is Level.MUST
                new.append((not must, turns[candidate.cause], candidate))
                turns[candidate.cause] += 1
        return [candidate for _, _, candidate in sorted(new, key=lambda each: each[:2])]

    def keep(self, is_kept: Callable[[Candidate], bool]) -> None:
        """Forget all others."""
        self._all = {key: candidate for key, candidate in self._all.items() if is_kept(candidate)}


@dataclass(slots=True)
class Tally:
    """What was exercised of one input class."""

    examples: int = 0
    decided: int = 0
    """Requests of which the oracle knows whether they are to be accepted."""
    statuses: Counter[str] = field(default_factory=Counter)


def shortened(violation: Violation) -> Violation:
    """Cut the texts of a violation, which may repeat a value of the target's, to a length that can be shown."""
    return replace(
        violation,
        summary=violation.summary[:_LONGEST],
        expected=violation.expected[:_LONGEST],
        observed=violation.observed[:_LONGEST],
    )


def is_broken(exchange: Exchange) -> bool:
    """Whether the target failed at once; where it does not answer at all, every try takes the whole timeout."""
    failure = exchange.failure
    return (exchange.status or 0) >= 500 if failure is None else failure.kind is not FailureKind.TIMEOUT


def status_of(exchange: Exchange) -> str:
    """The status as it is counted: of a failure, its kind."""
    if exchange.failure is not None:
        return str(exchange.failure.kind)
    return str(exchange.status)

"""Keeps the candidates of a run, and counts the examples that were sent of each input class."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from conformance.attribution.cause import CauseKey, cause_of
from conformance.http import Exchange, Pairs, Request, is_usual
from conformance.model import Finding, Level, Violation, shortened
from conformance.rules import BY_ID
from conformance.rules.questions import is_about_own
from conformance.rules.reply import remembered
from conformance.rules.robustness import is_trouble
from conformance.rules.state import is_concurrent

Key = tuple[str, str, str]
"""The id of a rule, the id of an input class, and an outcome."""

_LONGEST = 2_000
"""Characters that are kept of each text of a violation. An answer can hold a value of a million characters."""


class Past(NamedTuple):
    """The requests and settings before an exchange, which may be needed to show its violation again."""

    before: tuple[Exchange, ...] = ()
    """The last exchanges before it, the oldest first; before them the first one of its connection."""
    context: Pairs = ()
    """The settings that were put in force."""
    together: tuple[Request, ...] = ()
    """The requests that were last sent at the same time."""
    is_new: bool = False
    """Whether nothing had set the setting that the violation is about; where it is about none, any setting."""


@dataclass(slots=True)
class Candidate:
    """A deviation as first seen. It is mutable: it counts the requests that show it."""

    violation: Violation
    exchange: Exchange
    """The first exchange that showed it."""
    cls: str
    """The input class of its request; the violation may name another, such as the setting that it is about."""
    before: tuple[Exchange, ...]
    """The last exchanges before that one, the oldest first."""
    context: Pairs
    """The settings that were put in force before it."""
    numbers: set[int]
    """The numbers of the requests that showed it."""
    confirmed: bool = False
    """Whether it has become a finding; see `Candidates.confirm`."""
    shows: Callable[[Exchange], bool] | None = None
    """Decides whether another exchange shows it too; None where the rules decide."""
    together: tuple[Request, ...] = ()
    """The requests that were sent at the same time before it, where this may be the reason for it."""
    is_new: bool = False
    """Whether it showed each time before anything was set, or with the first update; see `Past`."""
    plainer: Request | None = None
    """The plainest of the later requests that showed it too; None where none is plainer than the first."""

    @property
    def cause(self) -> CauseKey:
        """The cause that its violation brings along."""
        return cause_of(self.violation)

    def separate(self, violation: Violation) -> None:
        """Record that the requests need not be sent at the same time; one after the other they show `violation`."""
        self.together, self.violation = (), violation


class Candidates(Mapping[Key, Candidate]):
    """The deviations of a run as first seen: one for each selected rule, input class and outcome."""

    def __init__(self, selected: Collection[str]) -> None:
        self._selected = frozenset(selected)
        self._all: dict[Key, Candidate] = {}
        self.causes: set[CauseKey] = set()
        """The causes that the candidates have, as they were first seen."""

    def __getitem__(self, key: Key) -> Candidate:
        return self._all[key]

    def __iter__(self) -> Iterator[Key]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    def selects(self, rule: str) -> bool:
        return rule in self._selected

    def counted(self, violations: Iterable[Violation]) -> tuple[Violation, ...]:
        """Return the violations whose rules were selected."""
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
        Record a violation of a selected rule. If its candidate exists already, the request is counted with it.

        The input class of the request counts where the violation names none. `shows` decides whether another exchange
        shows the violation too, where the rules cannot.
        """
        if violation.rule not in self._selected:
            return
        violation = violation if violation.cls else replace(violation, cls=cls)
        key = (violation.rule, violation.cls, violation.outcome)
        if (candidate := self._all.get(key)) is not None:
            candidate.numbers.add(exchange.number)
            candidate.is_new &= past.is_new
            if _oddity(exchange.request) < _oddity(candidate.plainer or candidate.exchange.request):
                candidate.plainer = exchange.request
            return
        self._all[key] = Candidate(
            cut(violation),
            remembered(exchange),
            cls,
            past.before,
            past.context,
            {exchange.number},
            shows=shows,
            together=past.together if exchange.together or is_concurrent(violation) else (),
            is_new=past.is_new,
        )
        self.causes.add(self._all[key].cause)

    def unconfirmed(self) -> list[Candidate]:
        """
        Return the candidates that are not confirmed.

        Candidates of MUST rules come first. Within a level, the first of every cause comes before the second of any.
        """
        turns = Counter[CauseKey]()
        new = []
        for candidate in self._all.values():
            if not candidate.confirmed:
                must = BY_ID[candidate.violation.rule].level is Level.MUST
                new.append((not must, turns[candidate.cause], candidate))
                turns[candidate.cause] += 1
        return [candidate for _, _, candidate in sorted(new, key=lambda each: each[:2])]

    def last_of(self, account: int) -> int:
        """Return the number of the last exchange with an account that brought a new candidate; 0 where none did."""
        exchanges = (each.exchange for each in self._all.values())
        return max((each.number for each in exchanges if each.request.account == account), default=0)

    def confirm(self, candidate: Candidate) -> None:
        """Record that a candidate has become a finding."""
        candidate.confirmed = True

    def keep(self, is_kept: Callable[[Candidate], bool]) -> None:
        """Forget the candidates for which `is_kept` is false."""
        self._all = {key: candidate for key, candidate in self._all.items() if is_kept(candidate)}
        self.causes = {candidate.cause for candidate in self._all.values()}


_AT_A_GLANCE = 64
"""Bytes of a body that a person can take in."""


def _oddity(request: Request) -> tuple[bool, bool, int, bool]:
    """The less a person would have to ask about a request, the smaller this is; one parameter is the least odd."""
    parameters, body = len(request.form() or ()), request.body or b""
    return bool(request.account), not is_usual(request), abs(parameters - 1), len(body) > _AT_A_GLANCE


@dataclass(slots=True)
class Tally:
    """Counts the examples of one input class that were sent for one rule."""

    examples: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    """How often each status came, by its name; see `status_of`."""


def finding_of(
    candidate: Candidate, violation: Violation, exchanges: tuple[Exchange, ...], is_stable: bool
) -> Finding:
    """Return the finding that a candidate becomes, with the violation and the exchanges that show it best."""
    rule = BY_ID[violation.rule]
    is_moved = rule.id != candidate.violation.rule
    # A connection of its own that is still in a minimal sequence is needed there.
    is_apart = any(each.request.fresh for each in exchanges[:-1])
    is_shared = len(exchanges) > 1 and (rule.culprit is is_trouble or is_apart)
    return Finding(
        rule=violation.rule,
        level=rule.level,
        # What a value comes back as depends on the request, whatever the rule that was named first goes by.
        cls=candidate.cls if is_moved and is_about_own(violation) else candidate.violation.cls,
        outcome=violation.outcome,
        field=violation.field,
        summary=violation.summary,
        expected=violation.expected,
        observed=violation.observed,
        exchanges=tuple(remembered(each) for each in exchanges),
        stable=is_stable,
        count=len(candidate.numbers),
        numbers=frozenset(candidate.numbers),
        first=candidate.exchange.number,
        shared_connection=is_shared,
    )


def cut(violation: Violation) -> Violation:
    """Cut the texts of a violation to a length that can be shown; they may repeat a value that the target sent."""
    return replace(
        violation,
        summary=shortened(violation.summary, _LONGEST),
        expected=shortened(violation.expected, _LONGEST),
        observed=shortened(violation.observed, _LONGEST),
    )


def is_broken(exchange: Exchange) -> bool:
    """Whether the target failed at once. A timeout is not counted: each further try would take the whole timeout."""
    return exchange.failed and not exchange.is_timeout


def status_of(exchange: Exchange) -> str:
    """Return the name under which an exchange is counted: its status, or the kind of its failure."""
    if exchange.failure is not None:
        return str(exchange.failure.kind)
    return str(exchange.status)

"""
Shows differences again at both ends, and finds the fewest requests that show each.

The requests that a report names must show the difference on targets that have just been started. So they set by
themselves what they need, and before each attempt the timers of both targets get the same values.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import islice

from conformance.exceptions import BudgetExhausted
from conformance.fidelity.comparing import Comparison, Difference, Kind, Pair, compare, disagreements
from conformance.fidelity.ends import script_of
from conformance.fidelity.grouping import Group
from conformance.fidelity.playing import Player
from conformance.fidelity.recording import Recording
from conformance.fidelity.script import Part, Script, Step
from conformance.harness.simpler import TRIED, smaller
from conformance.http import Exchange, FailureKind, Request, is_usual, parameters_of, update
from conformance.model import BY_ATTRIBUTE
from conformance.rules.acceptance import decided
from conformance.rules.case import Requests
from conformance.rules.probes import LONG_CLOSED, SHORT_INACTIVE

REQUESTS, FEW = 30, 8
"""The most requests to each end to show one group again: without a budget of requests, and with one."""

_TOLD = 3
"""The number of differences of a group that may be reported. They are tried in turn until one shows again."""

_SINCE = 12
"""The most steps since an answer that shows the settings that are all sent again."""

_SILENT = (FailureKind.CONNECT, FailureKind.TIMEOUT, FailureKind.DISCONNECT)
"""The failures that the way to a target may bring about."""

_ACCOUNTS = 2
"""The greatest number of accounts that the steps use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A difference, with the requests that show it and what each end answered to them."""

    difference: Difference
    """The difference as the script has shown it."""
    facts: tuple[str, str]
    """What the reference and the candidate show."""
    reference: tuple[Exchange, ...]
    candidate: tuple[Exchange, ...]
    again: bool
    """Whether the requests were sent again to each end that is a target, and showed the difference."""

    @classmethod
    def of(cls, difference: Difference, seen: Difference, pairs: Sequence[Pair], *, again: bool) -> "Example":
        """Return a difference with the pairs of steps that show it; `seen` is what they show."""
        return cls(
            difference=difference,
            facts=(seen.reference, seen.candidate),
            reference=tuple(each.reference.exchange for each in pairs),
            candidate=tuple(each.candidate.exchange for each in pairs),
            again=again,
        )


@dataclass(slots=True)
class _Search:
    """The search for the requests that show one group again."""

    left: int
    """The number of requests that each end may still be sent."""
    answers: list[bool] = field(default_factory=list)
    """For each attempt, whether the reference answered as it did the first time."""

    @property
    def is_contradicted(self) -> bool:
        """Whether the reference has answered an attempt in another way."""
        return not all(self.answers)


class Reproducer:
    """
    Shows the differences of a comparison again.

    Args:
        ends: The reference and the candidate: a recording, or a player.
        compared: The comparison.
        asked_twice: Whether the reference was sent the whole script twice, so that no doubt about its answers is left.
    """

    def __init__(
        self, ends: Sequence[Recording | Player], compared: Comparison, *, asked_twice: bool
    ) -> None:
        self._ends = ends
        self._asked_twice = asked_twice
        self._pairs = compared.pairs
        players = [each for each in ends if isinstance(each, Player)]
        budgeted = any(each.target.settings.max_requests is not None for each in players)
        self._requests = 0 if not players else FEW if budgeted else REQUESTS

    def reproduce(self, group: Group) -> list[Example]:
        """
        Return a few differences of a group, first the one that shows again.

        An accepted value in the lead breaks the rule in the heading.

        There are none where the reference contradicts itself, or where one answer of either end once did not come.
        """
        search = _Search(self._requests)
        identified = zip(group.differences, group.identities, strict=True)
        heading = {each for each, ((rule, *_), *_) in identified if rule in group.rules[:1]}
        # What is accepted shows by itself. What is kept may need much before it, so there the smallest request leads.
        is_first = group.kind is Kind.ACCEPT
        ordered = sorted(
            group.differences,
            key=lambda each: (each.kind, is_first and each not in heading, self._size(each), each.at),
        )
        silent = self._silent(ordered[0]) if len(ordered) == 1 else None
        if isinstance(silent, Recording):
            return []
        first, is_passing = None, False
        with suppress(BudgetExhausted):  # what was not sent again is reported as the script has shown it
            tried = (self._shown(search, each) for each in ordered[:_TOLD] if each.kind is group.kind)
            first = next((each for each in tried if each is not None), None)
            is_passing = silent is not None
        if first is None and (is_passing or (search.is_contradicted and not self._asked_twice)):
            return []
        shown = [] if first is None else [first]
        others = [each for each in ordered if first is None or each is not first.difference]
        return [*shown, *map(self._as_seen, others[: _TOLD - len(shown)])]

    def _silent(self, difference: Difference) -> Recording | Player | None:
        """Return the end that gave no answer, if one did: a connection may break once."""
        pair = self._pairs[difference.at]
        for end, taken in zip(self._ends, pair, strict=True):
            failure = taken.exchange.failure
            if failure is not None and failure.kind in _SILENT:
                return end
        return None

    def _size(self, difference: Difference) -> int:
        """Return the size of the request that makes a difference: the smallest request shows it best."""
        request = self._pairs[difference.culprit].step.request
        form = request.form()
        unusual = 0 if is_usual(request) else 10_000
        return unusual + (10_000 if form is None else len(form) * 1_000) + len(request.body or b"")

    def _as_seen(self, difference: Difference) -> Example:
        """Return a difference as the script has shown it; one of a setting comes with what was in force before."""
        pairs = [*self._sequences(difference)][: 1 + (difference.name in BY_ATTRIBUTE)][-1]
        return Example.of(difference, difference, pairs, again=False)

    def _sequences(self, difference: Difference) -> Iterator[tuple[Pair, ...]]:
        """
        Yield steps that may show a difference by themselves, the fewest first.

        They are the step that shows it and the one that explains it; these after an update that sets what was in force;
        and after that update all steps since it was in force, where these are few.
        """
        own = tuple(self._pairs[place] for place in sorted({difference.culprit, difference.at}))
        yield own
        account = own[-1].step.request.account
        before = [
            place
            for place, pair in enumerate(self._pairs[: difference.culprit])
            if pair.step.request.account == account and pair.reference.outcome.settings is not None
        ]
        if not before:
            return
        seen = self._pairs[before[-1]]
        shown = seen.reference.outcome.settings or {}
        known = [
            (each.parameter, shown[attribute])
            for attribute, each in BY_ATTRIBUTE.items()
            if isinstance(shown.get(attribute), str)
        ]
        context = update(*known, account=account)
        step = Step(cls="state/known", rule="", request=context)
        first = Pair(
            *(replace(each, step=step, exchange=replace(each.exchange, request=context)) for each in seen)
        )
        yield (first, *own)
        since = self._pairs[before[-1] + 1 : difference.at + 1]
        if len(own) < len(since) <= _SINCE:
            yield (first, *since)

    def _shown(self, search: _Search, difference: Difference) -> Example | None:
        for pairs in self._sequences(difference):
            steps = tuple(each.step for each in pairs)
            shown = self._attempt(search, difference, steps, pairs)
            if shown is not None and search.is_contradicted:  # it may depend on settings, or on chance
                shown = self._attempt(search, difference, steps, pairs)
            if shown is not None:
                return self._smallest(search, shown, steps)
        return None

    def _smallest(self, search: _Search, shown: Example, steps: Sequence[Step]) -> Example:
        """Return the difference with as few requests as show it; a file has no answers to other requests."""
        if search.left < self._requests // 2 or any(isinstance(each, Recording) for each in self._ends):
            return shown
        best = shown
        known = {each.request: each for each in steps}

        def first_shown(current: Requests, simpler: Iterable[Requests]) -> Requests | None:
            nonlocal best
            wanted = Counter(map(_claims, current))
            for requests in islice(simpler, TRIED):
                found = list(map(_claims, requests))
                if requests == current or found[-1] != _claims(current[-1]) or Counter(found) - wanted:
                    continue  # another kind of request could show another difference
                tried = [
                    known.get(each, replace(last, request=each))
                    for each, last in zip(requests, steps[-len(requests) :], strict=True)
                ]
                if (found_again := self._attempt(search, shown.difference, tried, None)) is not None:
                    best = found_again
                    return requests
            return None

        with suppress(BudgetExhausted):  # then the smallest so far is reported
            smaller(tuple(each.request for each in steps[: len(shown.reference)]), first_shown)
        return best

    def _attempt(
        self, search: _Search, difference: Difference, steps: Sequence[Step], pairs: Sequence[Pair] | None
    ) -> Example | None:
        """Send steps to each end that is a target; return the difference if the answers show it."""
        setting = BY_ATTRIBUTE.get(difference.name)
        sent = {name for step in steps for name, _ in parameters_of(step.request)}
        if setting is not None and setting.parameter not in sent:
            return None  # the answers may show what was set before, which other targets do not have
        search.left -= len(steps) + 1
        if search.left < 0:
            raise BudgetExhausted("enough was sent for one difference")
        known = update(SHORT_INACTIVE, LONG_CLOSED, account=steps[-1].request.account)
        start = Step(cls="state/known", rule="", request=known, part=Part.STATE)
        script = Script(profile="", seed=0, accounts=_ACCOUNTS, steps=(start, *steps))
        recordings: list[Recording] = []
        for place, end in enumerate(self._ends):
            if isinstance(end, Recording):
                recordings.append(replace(end, taken=tuple(pair[place] for pair in pairs or ())))
                continue
            if not end.affords(script.steps):
                raise BudgetExhausted("the budget is not enough to show a difference again")
            end.target.reconnect()
            recordings.append(end.play(script))
            # The candidate is sent the steps that have put timers back at the reference, too.
            script = script_of(recordings[0], _ACCOUNTS)
        if isinstance(self._ends[0], Player) and pairs is not None:
            first = replace(recordings[0], taken=tuple(each.reference for each in pairs))
            doubted = disagreements(first, recordings[0], tuple(Kind))
            search.answers.append((pairs[-1].reference.number, difference.name) not in doubted)
        return _found(difference, steps, *recordings)


def _found(
    difference: Difference, steps: Sequence[Step], reference: Recording, candidate: Recording
) -> Example | None:
    """Return the difference if it shows in two recordings of some steps, at the last one."""
    compared = compare(reference, candidate, kinds=tuple(Kind))
    own = [
        place
        for place, pair in enumerate(compared.pairs)
        if pair.step.part is not Part.GUARD and pair.step in steps
    ][-len(steps) :]
    for each in compared.differences:
        if (each.kind, each.name) != (difference.kind, difference.name) or each.at not in own:
            continue
        if each.at != own[-1] and each.name not in BY_ATTRIBUTE:
            continue  # a setting alone may show earlier: it stays wrong, and is reported once
        if each.kind in (Kind.ACCEPT, Kind.CODE) and _words(each) != _words(difference):
            continue
        pairs = [compared.pairs[place] for place in own if place <= each.at]
        return Example.of(difference, each, pairs, again=True)
    return None


def _words(difference: Difference) -> tuple[str, str]:
    """Return what both sides do, without the codes of their errors."""
    return difference.reference.partition(", code")[0], difference.candidate.partition(", code")[0]


def _claims(request: Request) -> Hashable:
    """Return what the document says of a request; a smaller request in its place must concern the same claims."""
    decision = decided(request)
    if decision is None:
        return request.method, request.auth
    return decision.answer, frozenset((each.field, each.claim) for each in decision.causes)

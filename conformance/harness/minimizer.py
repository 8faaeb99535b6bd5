"""
Makes a finding of what was seen: shows it again, makes the witness small, and says whether it is stable.

A witness is a sequence of requests. The request that showed the deviation is re-sent alone; if that does not show
the same, a baseline write is put before it, then what the ledger names, then up to ten of the exchanges that
really came before. Then whatever is not needed is left out. Every request counts against a budget.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from math import inf
from typing import TypeVar

from conformance.attribution.causes import cause_of
from conformance.attribution.sameness import is_about_state, is_same
from conformance.exceptions import BudgetExhausted
from conformance.harness.candidates import Candidate, is_broken
from conformance.harness.contrasts import attributed
from conformance.harness.session import Session
from conformance.http import Exchange, Pairs, Request, encode_form, update
from conformance.model import PARAMETERS, Aspect, Finding, Violation
from conformance.oracle.decisions import Answer
from conformance.oracle.durations import read
from conformance.rules import BY_ID, CATALOGUE
from conformance.rules.acceptance import decided
from conformance.rules.forms import pairs_for, several_refused
from conformance.rules.probes import LONG_CLOSED
from conformance.rules.questions import Case, Requests, Seen, is_about_own
from conformance.rules.reply import remembered
from conformance.rules.robustness import is_trouble

REQUESTS = 30
"""Requests at most to show one finding again and make it small."""

_TIMES = 2
"""How often the final witness must show the same for the finding to be stable."""

_TRIED = 64
"""Simpler requests that are thought of at a time: of a form with 10,000 parameters there are as many."""

_READABLE = 64
"""Characters of a text that may be a duration somebody wrote."""

_UNITS = re.compile("[0-9]+(?:[.,][0-9]+)?[A-Za-z]")


_Whole = TypeVar("_Whole", str, Pairs)


class Minimizer:
    """The search for the smallest sequence of requests that shows one candidate's violation."""

    def __init__(self, session: Session, candidate: Candidate, budget: int = REQUESTS) -> None:
        self._session = session
        self._candidate = candidate
        self._left = budget
        self.tried = False
        """Whether anything was sent to show it again."""
        self.asked = False
        """Whether the target was asked which rule it breaks."""
        self._spent = self._missed = False
        self._failed: set[Requests] = set()
        """Sequences that did not show it."""
        self._minimal = True
        """Whether there was budget to leave out whatever can be left out."""
        self.exchanges: tuple[Exchange, ...] = ()
        self.violation = candidate.violation

    def finding(self) -> Finding:
        """The finding, with the smallest witness that was seen within the budget."""
        try:
            return self._found()
        except BudgetExhausted:
            self._spent = True
            return self._unconfirmed()

    def as_seen(self) -> Finding:
        """The finding as it was first seen; it counts as unstable when it was tried again and did not show."""
        related = (*self._candidate.violation.related, self._candidate.exchange)
        return self._finished(related, stable=not self.tried)

    def _seen_once(self) -> Finding:
        """The finding as first seen, of a setting that was null before: it cannot be shown again here."""
        said = f"{self.violation.summary}; the setting was null before, which does not come back"
        self.violation = replace(self.violation, summary=said)
        related = (*self._candidate.violation.related, self._candidate.exchange)
        return self._finished(related, stable=True)

    def _found(self) -> Finding:
        if self._candidate.together:
            return self._concurrent()
        # What was sent before the search, or in it, may have counted: then another sequence shows it every time.
        for requests in self._sequences():
            repeats = list(self._repeated(requests))
            if repeats and all(repeats):
                before, self.violation = self.violation, attributed(self._case(), self._ask)
                self.asked = True
                if (before.outcome, self.violation.outcome) == ("previous-value", "changed"):
                    self.exchanges = self.exchanges[-1:]  # what is always shown needs nothing before it
                return self._finished(self.exchanges, stable=True)
        return self._unconfirmed()

    def _case(self) -> Case:
        session, account = self._session, self.exchanges[-1].request.account

        def first(rule: str) -> float:
            candidates = session.candidates.values()
            return min(
                (each.exchange.number for each in candidates if each.violation.rule == rule), default=inf
            )

        return Case(
            violation=self.violation,
            exchanges=self.exchanges,
            situation=session.situation,
            reader=session.reader,
            found=lambda about: session.states[account].settings[about.attribute].found,
            is_first=lambda rule, other: first(rule) < first(other),
            is_minimal=self._minimal,
            failed=self._failed,
            is_same=self._is_same,
        )

    def _unconfirmed(self) -> Finding:
        """What no sequence showed every time: unstable, unless it was the run's budget that was missing."""
        if not self.exchanges:
            if self._candidate.violation.was_null:
                return self._seen_once()
            return self.as_seen()
        self.violation = attributed(self._case(), lambda requests: None)
        return self._finished(self.exchanges, stable=self._spent and not self._missed)

    def _repeated(self, requests: Requests) -> Iterator[bool]:
        """Whether the requests show it, each time that the budget allows for."""
        for _ in range(_TIMES):
            if self._left >= self._cost(requests):
                yield self._shows_again(requests)
        if self._left > self._cost(requests) and self.exchanges and is_broken(self.exchanges[-1]):
            # After one more, of another kind: a target that fails every n-th time fails at every second of two.
            self._ask((self._ordinary(requests),))
            yield self._shows_again(requests)

    def _shows_again(self, requests: Requests) -> bool:
        shown = self._shows(requests)
        self._missed = self._missed or not (shown or self._spent)
        return shown

    def _sequences(self) -> Iterator[Requests]:
        """Sequences that have shown it once, or nearly the same ones, smallest first."""
        for candidate in self._candidates():
            if self._shows(candidate):
                small = self._smaller(candidate)
                yield self._prepared(small)
                yield (
                    candidate
                    if is_about_state(BY_ID[self.violation.rule])
                    else (self._other_than(small), *small)
                )

    def _cost(self, requests: Requests) -> int:
        """What it takes to send them: where something fails, one more that what was sent before them fails at."""
        return len(requests) + (len(requests) > 1 and is_broken(self._candidate.exchange))

    def _ordinary(self, requests: Requests) -> Request:
        return replace(update(LONG_CLOSED), account=requests[-1].account)

    def _prepared(self, requests: Requests) -> Requests:
        """With what has to be in force before: where it is shown again, something else may be."""
        if self._candidate.context and self._left > len(requests) and self._session.has_interplay():
            requests = (update(*self._candidate.context), *requests)
        if self.violation.outcome == "previous-value" and len(requests) == 1 and is_about_own(self.violation):
            requests = (self._other_than(requests), *requests)
        return requests

    def _other_than(self, requests: Requests) -> Request:
        """An ordinary update: of other values, where what is not shown is what was sent."""
        names = {name for name, _ in requests[-1].form() or ()} if is_about_own(self.violation) else set()
        other = [pair for pair in pairs_for(self._session.situation, 7) if pair[0] in names]
        return replace(update(*(other or [LONG_CLOSED])), account=requests[0].account)

    def _concurrent(self) -> Finding:
        """One after the other the same updates lose nothing, or it is not for being sent together that they do."""
        together, last = self._candidate.together, self._candidate.exchange.request
        if self._shows((*together, last)):
            self._candidate.together = ()
            return self.finding()
        if self._candidate.violation.outcome == "refused":
            if any(exchange.refused for exchange, _ in self._ask(together) or []):
                self._candidate.together = ()
                self._candidate.violation = several_refused(self._candidate.violation)
                return self.finding()
            shown = [self._refuses(together) for _ in range(3)]
        else:
            # What is written again loses nothing: other values go before.
            before = (update(*pairs_for(self._session.situation, 7), account=last.account),)
            shown = [self._shows((last,), together, before) for _ in range(3)]
        if any(shown):
            return self._finished(self.exchanges, stable=sum(shown) > 1)
        return self.as_seen()

    def _refuses(self, together: Requests) -> bool:
        """Whether one of several updates at the same time is refused, though each is good."""
        if seen := self._ask((), together):
            # The refused one last: a witness is told by its last answer.
            self.exchanges = tuple(sorted((exchange for exchange, _ in seen), key=lambda each: each.refused))
        return any(exchange.refused for exchange, _ in seen or ())

    def _ask(self, requests: Requests, together: Requests = (), before: Requests = ()) -> Seen | None:
        """
        Send requests, after others that go out at the same moment, and what comes before those.

        Returns:
            All exchanges; None when the budget does not allow for them.
        """
        cost = len(before) + len(together) + self._cost(requests)
        if self._left < cost:
            return None
        self._left -= cost
        try:
            # Whoever sends it elsewhere opens a connection; what an earlier one was left in is no part of it.
            self._session.target.reconnect()
            if is_broken(self._candidate.exchange) and len(requests) > 1:
                self._session.try_again([self._ordinary(requests)])
            if BY_ID[self._candidate.violation.rule].aspect < Aspect.ECHO:
                # What is in force belongs to the counterexample itself where it is about what is in force.
                self._session.establish(self._candidate.context, (*together, *requests)[-1].account)
            seen = self._session.try_again(requests, together, before)
        except BudgetExhausted:
            self._left, self._spent = 0, True
            return None
        self.tried = True
        return seen

    def _finished(self, exchanges: tuple[Exchange, ...], *, stable: bool) -> Finding:
        violation = self.violation
        return Finding(
            rule=violation.rule,
            level=BY_ID[violation.rule].level,
            cls=self._candidate.violation.cls,
            outcome=violation.outcome,
            field=violation.field,
            summary=violation.summary,
            expected=violation.expected,
            observed=violation.observed,
            exchanges=tuple(remembered(each) for each in exchanges),
            stable=stable,
            count=len(self._candidate.numbers),
            numbers=frozenset(self._candidate.numbers),
            first=self._candidate.exchange.number,
            shared_connection=len(exchanges) > 1 and BY_ID[violation.rule].culprit is is_trouble,
            cause=cause_of(violation.rule, violation.outcome, violation.field),
        )

    def _candidates(self) -> Iterator[Requests]:
        last = self._candidate.exchange.request
        related = tuple(each.request for each in self._candidate.violation.related)
        before = tuple(each.request for each in self._candidate.before)
        baseline = (update(*self._candidate.context),) if self._candidate.context else ()
        everything = replace(update(*pairs_for(self._session.situation, 7)), account=last.account)
        tails = [before[-size:] for size in (1, 2, 4, 10) if size <= len(before)]
        set_first = ((everything, *related, last), *((everything, *tail, last) for tail in tails[:3]))
        as_sent = ((*related, last), (last,), (*baseline, *related, last))
        rule = BY_ID[self.violation.rule]
        if is_about_state(rule):  # nothing is no longer the same unless it was set before
            order = ((*related, last), *set_first, *as_sent)
        elif rule.aspect is Aspect.ECHO:
            other = self._other_than((last,))
            previous = ((other, last),) if self.violation.outcome == "previous-value" else ()
            order = (*previous, *as_sent, (other, last), (other, last, last), *set_first)
        else:
            order = (*as_sent, *set_first)
        yield from dict.fromkeys((*order, *((*tail, last) for tail in tails)))

    def _shows(self, requests: Requests, together: Requests = (), before: Requests = ()) -> bool:
        """Whether sending these shows the violation, at the last of them."""
        seen = self._ask(requests, together, before)
        if seen is None:
            return False
        if self._candidate.shows is not None:
            self.exchanges = tuple(exchange for exchange, _ in seen)
            return self._candidate.shows(self.exchanges[-1])
        for violation in seen[-1][1]:
            if self._is_same(violation):
                self.exchanges = tuple(exchange for exchange, _ in seen)
                self.violation = violation
                return True
        self._failed.add(requests)
        return False

    def _is_same(self, violation: Violation) -> bool:
        several = len(self._candidate.exchange.request.form() or ()) > 1
        return is_same(
            self._candidate.violation, violation, several=several, together=bool(self._candidate.together)
        )

    def _smaller(self, requests: Requests) -> Requests:
        """Leave out requests, then parameters, then what is unusual, then parts of values, as long as it shows."""
        index = 0
        while index < len(requests) - 1:
            shorter = self._first(requests, [requests[:index] + requests[index + 1 :]])
            if shorter is None:
                index += 1
            else:
                requests = shorter
        for position in reversed(range(len(requests))):
            while True:
                simpler = self._first(
                    requests,
                    (
                        (*requests[:position], each, *requests[position + 1 :])
                        for each in _simpler(requests[position])
                    ),
                )
                if simpler is None:
                    break
                requests = simpler
        return requests

    def _first(self, current: Requests, candidates: Iterable[Requests]) -> Requests | None:
        wanted = [_answer(each) for each in current]
        for candidate in islice(candidates, _TRIED):
            if [_answer(each) for each in candidate] != wanted[-len(candidate) :]:
                continue  # another kind of request could show it for a reason of its own
            if self._left < self._cost(candidate) * (1 + _TIMES):
                self._minimal = False
                return None  # keep enough to show the final witness again
            if candidate != current and self._shows(candidate):
                return candidate
        return None


def _answer(request: Request) -> Answer | None:
    decision = decided(request)
    return None if decision is None else decision.answer


def _with(request: Request, pairs: Pairs) -> Request:
    return replace(request, body=encode_form(pairs))


def _simpler(request: Request) -> Iterator[Request]:
    """Requests that say less, boldest first."""
    if request.account:
        yield replace(request, account=0)
    if request.query and not request.intends:
        yield replace(request, query="")
    pairs = request.form() if request.method == "POST" else None
    if pairs is None:
        return
    plain = Request(
        body=encode_form(pairs), account=request.account, auth=request.auth, intends=request.intends
    )
    if plain != request and request.content_type is not None:
        yield plain
    for rule in CATALOGUE:
        if rule.control is not None and (control := rule.control(request)) is not None:
            yield control
    if request.fresh:
        yield replace(request, fresh=False)
    if request.headers:
        yield replace(request, headers=())
    if request.body != encode_form(pairs):
        return  # the bytes are the point
    if len(pairs) > 1:
        documented_first = sorted(dict.fromkeys(pairs), key=lambda pair: pair[0] not in PARAMETERS)
        for pair in documented_first[: _TRIED // 2]:
            yield _with(request, (pair,))
        if len(pairs) > 2:  # of two, what is left without one was just tried
            for fewer in _less(pairs):
                yield _with(request, fewer)
    else:
        for name, value in pairs:
            for shorter in _shorter(value):
                yield _with(request, ((name, shorter),))


def _shorter(value: str) -> Iterator[str]:
    """Texts without one of the duration's components, then, of what is no duration, without other parts."""
    if len(value) <= _READABLE:
        for match in _UNITS.finditer(value):
            yield value[: match.start()] + value[match.end() :]
        if read(value):
            return  # with less it would say something else: P1M is no smaller PT10M
    yield from _less(value)


def _less(whole: _Whole) -> Iterator[_Whole]:
    """What is left without the middle half, without a quarter, and so on down to one element."""
    size = len(whole) // 2
    while size:
        for start in range(size // 2, len(whole) - size + 1, size):
            yield whole[:start] + whole[start + size :]
        size //= 2

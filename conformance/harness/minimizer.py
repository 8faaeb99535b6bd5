"""
Makes a finding of a candidate: shows it again, minimizes the counterexample, and says whether the finding is stable.

A counterexample is a sequence of requests whose last one shows the violation. Every request counts against a budget.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, islice

from conformance.attribution.sameness import PREVIOUS, is_about_state, is_same
from conformance.exceptions import BudgetExhausted
from conformance.harness.attempts import (
    Attempts,
    depends_on_timers,
    good_beside,
    history,
    is_about_values,
    is_of_another,
    is_of_status,
    other_than,
    sequences,
)
from conformance.harness.candidates import Candidate, finding_of, is_broken
from conformance.harness.contrasts import attributed
from conformance.harness.session import Session
from conformance.harness.simpler import TRIED, smaller
from conformance.http import Exchange, Request, update
from conformance.model import BY_ATTRIBUTE, Aspect, Finding, Violation
from conformance.oracle.decisions import Answer
from conformance.rules import BY_ID
from conformance.rules.acceptance import decided, peculiarity
from conformance.rules.case import Case, Instead, Requests, Seen
from conformance.rules.forms import other_pairs, pairs_for, several_refused
from conformance.rules.probes import ordinary
from conformance.rules.questions import is_about_own
from conformance.rules.wording import describe

REQUESTS = 30
"""Requests to show one finding again and minimize it, as a rule. This bounds the time that a finding takes."""

_TIMES = 2
"""How often a counterexample is sent again. The finding is stable if every time shows the violation."""

_ASKED = 3
"""Requests that differ a little from the counterexample, for which the search leaves enough of its budget."""

SENT_ONCE = "the counterexample was sent only once"
ONLY_NULL = "it shows only where the setting is null, and null cannot be set again"
ONLY_FIRST = "it showed only until something was set, and nothing can be unset"
SET_BEFORE = "the value was in force before"
NOW_AND_THEN = "it showed in {} of {} attempts"
"""What is said of a counterexample that may not show its violation on a target that starts anew."""

_RACES = 12
"""How often requests are sent together again, at most. A race shows on some of the times only."""

_VAIN = 3
"""How often the same requests are sent together in vain, before more requests are sent together."""

_IN_A_ROW = 12
"""How often what shows on some of the times only is sent on one connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Progress:
    """
    How far the search for one counterexample has come.

    The search repeats three steps:

    1. It sends a sequence of requests. If the sequence does not show the violation, it takes the next one.
    2. It makes the sequence smaller, as long as the rest shows the violation.
    3. It sends the rest a few times more. If every time shows the violation, the target is asked which rule is broken,
       and the finding is stable. Otherwise the search goes on with another sequence.

    When no sequence is left, what first showed the violation is sent over and over, if the budget is large. If it shows
    twice more, the finding is stable, and says in how many attempts. Otherwise the finding has the last exchanges that
    showed the violation, or those of the candidate. It is unstable, unless the budget of the whole run was spent and no
    repetition had failed: then nothing speaks against it.
    """

    violation: Violation
    """The violation as it was last shown: by the candidate at first, then by `exchanges`."""
    exchanges: tuple[Exchange, ...] = ()
    """The last exchanges that showed the violation again; empty until a sequence does."""
    is_minimal: bool = True
    """Whether the budget allowed for every smaller sequence in step 2."""
    has_failed: bool = False
    """Whether the violation did not show again in step 3, or never in step 1."""
    is_attributed: bool = False
    """Whether the target was asked which rule is broken."""


class Minimizer:
    """
    The search for the smallest sequence of requests that shows a candidate's violation.

    Args:
        session: The run.
        candidate: The candidate.
        budget: The number of requests that the search may send.
    """

    def __init__(self, session: Session, candidate: Candidate, budget: int = REQUESTS) -> None:
        self._session = session
        self._candidate = candidate
        self._attempts = Attempts(session, candidate, budget)
        self._progress = _Progress(violation=candidate.violation)
        self._failed: set[Requests] = set()
        """The sequences that did not show the violation."""
        self._fickle: set[Requests] = set()
        """The sequences that showed it, and did not when they were sent again."""

    @property
    def was_tried(self) -> bool:
        """Whether any request was sent to show the violation again."""
        return self._attempts.are_made

    @property
    def is_cut_short(self) -> bool:
        """Whether the budget of the run was spent before the search ended."""
        return self._attempts.are_cut_short

    @property
    def is_attributed(self) -> bool:
        """Whether the target was asked which rule the counterexample breaks."""
        return self._progress.is_attributed

    def finding(self) -> Finding:
        """Search; return the finding, with the smallest counterexample that was seen within the budget."""
        try:
            return self._search_together() if self._candidate.together else self._search()
        except BudgetExhausted:
            self._attempts.cut_short()
            return self._unconfirmed()

    def as_seen(self) -> Finding:
        """Return the finding as it was first seen; it is unstable if attempts to show it again have failed."""
        candidate = self._candidate
        if is_about_own(candidate.violation):
            exchanges = (*candidate.violation.related, candidate.exchange)
            self._progress = replace(
                self._progress, exchanges=exchanges, is_minimal=False, has_failed=self.was_tried
            )
            self._guess()
        return self._first_seen(is_stable=not self.was_tried)

    def _first_seen(self, *, is_stable: bool) -> Finding:
        exchanges = history(self._candidate)
        needs_others = len(exchanges) > 1 or self._progress.violation.outcome == PREVIOUS
        if needs_others and not self.was_tried:
            self._say(SENT_ONCE)
        return replace(self._finding(exchanges, is_stable), sent_once=not self.was_tried)

    def _search(self, *first: Requests) -> Finding:
        """Search; `first` are sequences to try before those that the candidate suggests."""
        # An earlier request may have been needed for a sequence to show the violation. Then another sequence is stable.
        for requests in self._shown_sequences(first):
            repeats = [] if requests in self._fickle else list(self._repeat(requests))
            if repeats and all(repeats):
                before = self._progress
                (violation, exchanges), is_attributed = self._asked()
                # A value that is always shown needs no request before it.
                is_constant = (before.violation.outcome, violation.outcome) == (PREVIOUS, "changed")
                shown = tuple(exchanges[-1:] if is_constant else exchanges)
                self._progress = replace(before, violation=violation, is_attributed=is_attributed)
                return self._finding(shown, is_stable=True)
        return self._unconfirmed()

    def _where_set(self, exchanges: tuple[Exchange, ...]) -> tuple[Exchange, ...]:
        """Put an update of the setting before a value that is refused where the setting is null; say that it is."""
        violation, request = self._progress.violation, exchanges[-1].request
        decision = decided(request) if violation.outcome == "accepted" or is_about_own(violation) else None
        if decision is None or decision.answer is Answer.ACCEPT or request.account or len(exchanges) > 1:
            return exchanges
        for name, _ in request.form() or ():
            if (needed := self._session.needed_before(name, ask=self.was_tried)) is not None:
                before, refused = needed
                self._say(f"while the setting was null, {describe(refused)} was refused")
                return (before, *exchanges)
        return exchanges

    def _say(self, more: str) -> None:
        violation = self._progress.violation
        said = replace(violation, summary=f"{violation.summary}; {more}")
        self._progress = replace(self._progress, violation=said)

    def _asked(self) -> tuple[Instead, bool]:
        """Ask the target which rule is broken; return the counterexample, and whether the budget sufficed."""
        unanswered = []

        def ask(requests: Requests) -> Seen | None:
            seen = self._attempts.send(requests)
            if seen is None:
                unanswered.append(requests)
            return seen

        instead = self._attributed(ask, is_stable=True)
        return instead, not unanswered or instead.violation.rule != self._progress.violation.rule

    def _guess(self) -> None:
        """Attribute the violation by what its own exchanges say."""
        instead = self._attributed(lambda requests: None, is_stable=False)
        self._progress = replace(self._progress, violation=instead.violation)

    def _attributed(self, ask: Callable[[Requests], Seen | None], *, is_stable: bool) -> Instead:
        """The counterexample of the rule that is broken, if that rule was selected; else as it is."""
        instead = attributed(self._case(is_stable), ask)
        selected = self._session.candidates.selects(instead.violation.rule)
        return instead if selected else Instead(self._progress.violation, self._progress.exchanges)

    def _shown_sequences(self, first: Iterable[Requests]) -> Iterator[Requests]:
        """Yield sequences that have shown the violation once, or nearly so, each in its smallest form first."""
        for requests in chain(first, sequences(self._candidate, self._session.situation)):
            if self._shows(requests):
                small = smaller(requests, self._first_shown)
                prepared = self._prepared(small)
                yield prepared
                self._progress = replace(self._progress, is_minimal=False)
                if beside := good_beside(small[-1]):
                    yield (update(*beside, account=small[-1].account), *small)
                is_state = is_about_state(BY_ID[self._progress.violation.rule])
                if is_state or requests != small:
                    yield requests
                elif prepared != small:
                    yield small
                if not is_state:
                    yield (self._other_than(small), *small)

    def _repeat(self, requests: Requests) -> Iterator[bool]:
        """Send the requests a few times, if the budget allows; yield each time whether they show the violation."""
        cost = self._attempts.cost(requests) + len(self._baseline(requests))
        for turn in range(_TIMES):
            violation = self._progress.violation
            if (
                turn
                and violation.outcome != PREVIOUS
                and (is_about_values(violation) or good_beside(requests[-1]))
            ):
                # A target may harm nothing but the same update sent twice, or values that are in force already.
                self._attempts.send((self._other_than(requests),))
            if self._attempts.left >= cost:
                yield self._shows_again(requests)
        if self._progress.violation.outcome == "refused" and self._attempts.left > cost:
            # Nothing goes between. A target that refuses every second request would refuse both above.
            progress = self._progress
            if shows := self._shows_again(requests):
                self._progress = progress  # Here, the first request of several may be refused as well.
            yield shows
        exchanges = self._progress.exchanges
        if self._attempts.left > cost and exchanges and is_broken(exchanges[-1]):
            # One more request goes before. A target that fails every second request would fail both times above.
            self._attempts.send((ordinary(requests[-1]),))
            yield self._shows_again(requests)

    def _shows_again(self, requests: Requests) -> bool:
        shown = self._shows(requests)
        if not shown and not self._attempts.are_cut_short:
            self._fickle.add(requests)
            self._progress = replace(self._progress, has_failed=True)
        return shown

    def _unconfirmed(self) -> Finding:
        """Make a finding of a violation that no sequence showed every time."""
        candidate = self._candidate
        about_answers = BY_ID[candidate.violation.rule].aspect in (Aspect.STATUS, Aspect.REPRESENTATION)
        is_first = candidate.is_new and (about_answers or candidate.violation.outcome == "accepted")
        is_once = candidate.violation.was_null or is_first
        if not is_once and (often := self._sent_often()) is not None:
            return often
        progress = self._progress
        if progress.exchanges:
            # Some rules can be told from the exchanges alone.
            self._guess()
            is_stable = self._attempts.are_cut_short and not progress.has_failed
            return self._finding(progress.exchanges, is_stable=is_stable)
        if not self.was_tried or not is_once:
            return self.as_seen()
        # What is set cannot be unset, so this violation can be seen only once in a run.
        self._progress = replace(progress, exchanges=history(candidate), has_failed=True)
        self._guess()
        self._say(ONLY_NULL if candidate.violation.was_null else ONLY_FIRST)
        return self._first_seen(is_stable=True)

    def _sent_often(self) -> Finding | None:
        """Send what did not show the violation every time over and over; None unless it shows at least twice."""
        if not self.was_tried or self._attempts.are_cut_short:
            return None
        kept = self._attempts.release()
        related = tuple(each.request for each in self._candidate.violation.related)
        requests = (*related, self._candidate.exchange.request)
        cost = self._attempts.cost(requests)
        if kept >= _IN_A_ROW * len(requests):
            # Each attempt opens a connection; a target may count the requests of one.
            seen = self._attempts.send(requests * _IN_A_ROW) or []
            places = [place for place, (_, found) in enumerate(seen) if any(map(self._is_same, found))]
            if places and places[0] >= len(requests):
                return self._search(requests * (places[0] // len(requests) + 1))
        shown: list[bool] = []
        while self._attempts.left >= cost + len(self._baseline(requests)):
            shown.append(self._shows(requests))
        if sum(shown) < 2:
            return None
        self._guess()
        self._say(NOW_AND_THEN.format(sum(shown), len(shown)))
        return self._finding(self._progress.exchanges, is_stable=True)

    def _search_together(self) -> Finding:
        """Search for a violation that may need requests at the same time; first send them one after the other."""
        candidate, last = self._candidate, self._candidate.exchange.request
        is_among = candidate.exchange.together
        beside = candidate.together
        if is_among:
            place = beside.index(last)
            beside = (*beside[:place], *beside[place + 1 :])
        few = tuple(each for each in beside if self._matters(each))
        own = tuple(each for each in beside if each.account == last.account)
        # An update that is lost must differ from the values in force, so other values are set before.
        before = (update(*pairs_for(self._session.situation, 7), account=last.account),)
        # One after the other, each on a connection of its own, as they are when they are sent at the same time.
        apart = tuple(replace(each, fresh=True) for each in (*few, last))
        seen = self._attempts.send(apart, (), before) or []
        if candidate.violation.outcome == "refused" and any(each.refused for each, _ in seen[len(before) :]):
            candidate.separate(several_refused(candidate.violation))
            return self._search()
        lost = is_about_state(BY_ID[candidate.violation.rule])
        answers = [(place, violation) for place, (_, found) in enumerate(seen) for violation in found]
        for place, violation in answers:
            # Another setting may be lost each time, or sooner; and what seems to be lost may only not be shown.
            aspect = BY_ID[violation.rule].aspect
            if self._is_same(violation) or (lost and aspect in (Aspect.STATE, Aspect.CONSISTENCY)):
                candidate.separate(violation)
                self._progress = replace(self._progress, violation=violation)
                return self._search((*before, *apart)[: place + 1])
        self._attempts.release()
        for together in dict.fromkeys((few, own, beside)):
            shown = self._race(together, before, is_among=is_among)
            if any(shown):
                if not all(shown):
                    self._say(NOW_AND_THEN.format(sum(shown), len(shown)))
                return self._finding(self._progress.exchanges, is_stable=all(shown) or sum(shown) > 1)
        return self._unconfirmed()

    def _matters(self, request: Request) -> bool:
        """Whether a request that was sent beside the candidate's is likely to be needed: a good update, or a read."""
        if not request.auth.valid:
            return False
        last, rule = self._candidate.exchange.request, BY_ID[self._candidate.violation.rule]
        is_good = _answer(request) is Answer.ACCEPT or request.method == "GET"
        return is_good and (request.account == last.account or rule.needs_accounts > 1)

    def _race(self, together: Requests, before: Requests, *, is_among: bool) -> list[bool]:
        """Send requests at the same time until they have shown the violation twice; return when they did."""
        last = self._candidate.exchange.request
        shows = (
            partial(self._shows_among, (*together, last), before)
            if is_among
            else partial(self._shows, (last,), together, before)
        )
        shown: list[bool] = []
        while sum(shown) < 2 and len(shown) < _RACES:
            if self._attempts.left < len(before) + len(together) + 1 or (
                not any(shown) and len(shown) == _VAIN
            ):
                break
            shown.append(shows())
        return shown

    def _shows_among(self, together: Requests, before: Requests) -> bool:
        """Send requests at the same time; return whether the answer to one of them shows the violation."""
        seen = (self._attempts.send((), together, before) or [])[len(before) :]
        for place, (exchange, violations) in enumerate(seen):
            for violation in filter(self._is_same, violations):
                # It comes last, since the last answer of a counterexample shows the violation.
                others = (each for each, _ in (*seen[:place], *seen[place + 1 :]))
                self._progress = replace(self._progress, violation=violation, exchanges=(*others, exchange))
                return True
        return False

    def _prepared(self, requests: Requests) -> Requests:
        """Put before the requests what has to be in force: other settings may be, where a user sends them again."""
        context = self._candidate.context
        if (
            context
            and depends_on_timers(self._progress.exchanges[-1])
            and self._attempts.left > len(requests)
            and self._session.refuses_shorter()
        ):
            requests = (update(*context, account=requests[-1].account), *requests)
        violation = self._progress.violation
        alone = violation.outcome == PREVIOUS and len(requests) == 1
        related = self._candidate.violation.related and violation.outcome != "refused"
        if is_about_own(violation) and (alone or related):
            requests = (self._other_than(requests), *requests)
        elif is_of_another(violation, self._progress.exchanges):
            own = other_pairs(self._session.situation, [(BY_ATTRIBUTE[violation.field or ""].parameter, "")])
            requests = (update(*own, account=requests[-1].account), *requests)
        return requests

    def _other_than(self, requests: Requests) -> Request:
        return other_than(requests, self._progress.violation, self._session.situation)

    def _first_shown(self, current: Requests, simpler: Iterable[Requests]) -> Requests | None:
        """Return the first simpler sequence that shows the violation too; None if none does, or the budget ends."""
        wanted = [_answer(each) for each in current]
        for requests in islice(simpler, TRIED):
            if len(requests) == len(current) and [_answer(each) for each in requests] != wanted:
                continue  # Another kind of request could show the violation for another reason.
            if self._attempts.left < self._attempts.cost(requests) * (1 + _TIMES + _ASKED):
                # The rest of the budget is for sending the counterexample again, and for asking which rule it breaks.
                self._progress = replace(self._progress, is_minimal=False)
                return None
            if requests != current and self._shows(requests):
                return requests
        return None

    def _shows(self, requests: Requests, together: Requests = (), before: Requests = ()) -> bool:
        """Send a sequence as `Attempts.send` does; return whether the last answer shows the violation."""
        other = self._baseline(requests)
        seen = self._attempts.send(requests, together, (*other, *before))
        if seen is None:
            return False
        exchanges = tuple(exchange for exchange, _ in seen[len(other) :])
        if self._candidate.shows is not None and self._candidate.shows(exchanges[-1]):
            self._progress = replace(self._progress, exchanges=exchanges)
            return True
        for violation in seen[-1][1] if self._candidate.shows is None else ():
            if self._is_same(violation):
                self._progress = replace(self._progress, violation=violation, exchanges=exchanges)
                return True
        self._failed.add(requests)
        return False

    def _baseline(self, requests: Requests) -> Requests:
        """
        What is sent before a sequence, and is no part of it: an update with other values than those in force.

        What is answered otherwise for setting what is in force has to be set by the sequence itself. And a value that
        an earlier attempt has left in force cannot be seen to be lost.
        """
        wanted, situation = self._candidate.violation, self._session.situation
        if (wanted.related and wanted.outcome == "refused") or is_of_status(wanted):
            return (self._other_than(requests),)
        about = BY_ATTRIBUTE.get(wanted.field or "")
        if about is None or not is_about_state(BY_ID[wanted.rule]):
            return ()
        account = requests[-1].account
        sent = {dict(each.form() or ()).get(about.parameter) for each in requests[:-1]} - {None}
        if sent != {self._session.judge.states[account].current().get(about.attribute, "")}:
            return ()
        return (update(*pairs_for(situation, 8), account=account),)

    def _is_same(self, violation: Violation) -> bool:
        several = len(self._candidate.exchange.request.form() or ()) > 1
        return is_same(
            self._candidate.violation, violation, several=several, together=bool(self._candidate.together)
        )

    def _case(self, is_stable: bool) -> Case:
        session, exchanges = self._session, self._progress.exchanges
        state = session.judge.states[exchanges[-1].request.account]
        return Case(
            violation=self._progress.violation,
            exchanges=exchanges,
            situation=session.situation,
            reader=session.reader,
            found=lambda about: state.settings[about.attribute].found,
            comes_back=self._comes_back(),
            is_minimal=self._progress.is_minimal,
            is_stable=is_stable,
            has_failed=self._progress.has_failed,
            failed=self._failed,
            is_same=self._is_same,
        )

    def _comes_back(self) -> bool:
        violation, session = self._progress.violation, self._session
        return session.judge.evidence.of(BY_ID[violation.rule]) is not None and not any(
            each.violation.field == violation.field
            and is_about_own(each.violation)
            and peculiarity(each.exchange.request) is None
            for each in session.candidates.values()
        )

    def _finding(self, exchanges: tuple[Exchange, ...], is_stable: bool) -> Finding:
        exchanges = self._where_set(exchanges)
        if not self._candidate.is_new and is_of_another(self._progress.violation, exchanges):
            self._say(SET_BEFORE)
        return finding_of(self._candidate, self._progress.violation, exchanges, is_stable)


def _answer(request: Request) -> Answer | None:
    decision = decided(request)
    return None if decision is None else decision.answer

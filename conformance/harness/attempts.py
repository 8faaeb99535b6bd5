"""Attempts to show a candidate again: which sequences of requests may show it, and the budget for sending them."""

from collections.abc import Iterator, Sequence

from conformance.attribution.sameness import PREVIOUS, is_about_state
from conformance.exceptions import BudgetExhausted, NotJSON
from conformance.harness.candidates import Candidate, is_broken
from conformance.harness.session import Session
from conformance.http import OUT, Exchange, Pairs, Request, json_of, parameters_of, update
from conformance.model import BY_ATTRIBUTE, BY_PARAMETER, TIMERS, Aspect, Situation, Violation
from conformance.oracle.decisions import Answer, decide_value
from conformance.rules import BY_ID
from conformance.rules.acceptance import decided
from conformance.rules.case import Requests, Seen
from conformance.rules.forms import other_pairs, pairs_for
from conformance.rules.probes import LONG_CLOSED, ordinary
from conformance.rules.questions import is_about_own

_WAITS = 8
"""How often an answer is waited for in vain, or a request put off, to show one candidate again: that takes seconds."""

_OFTEN = 24
"""Requests, at most, that a large budget keeps for what shows on some of the times only: it is sent over and over."""

_LARGE = 45
"""A budget that is larger than this keeps some of them."""


class Attempts:
    """
    Sends requests to show one candidate again, as long as its budget lasts.

    Args:
        session: The run.
        candidate: The candidate to show again.
        budget: The number of requests that may be sent.
    """

    def __init__(self, session: Session, candidate: Candidate, budget: int) -> None:
        self._session = session
        self._candidate = candidate
        self._waits = _WAITS
        self._kept = max(0, min(_OFTEN, budget - _LARGE))
        self.left = budget - self._kept
        """How many requests may still be sent."""
        self.are_made = False
        """Whether any sequence was sent."""
        self.are_cut_short = False
        """Whether the budget of the whole run was spent before that of this candidate."""

    def release(self) -> int:
        """Allow for the requests that were kept for what shows now and then; return how many these were."""
        kept, self._kept = self._kept, 0
        self.left += kept
        return kept

    def cost(self, requests: Requests) -> int:
        """
        Count the requests that it takes to send a sequence.

        Where the target fails, an ordinary request goes before a sequence of several: it meets a failure that is left
        over from earlier requests.
        """
        return len(requests) + (len(requests) > 1 and is_broken(self._candidate.exchange))

    def send(self, requests: Requests, together: Requests = (), before: Requests = ()) -> Seen | None:
        """
        Send a sequence of requests, if the budget allows for it.

        Args:
            requests: Sent one after the other, after all others.
            together: Sent at the same time, before `requests`.
            before: Sent one after the other, before `together`.

        Returns:
            All exchanges with their violations; None when the budget does not allow for the sequence.
        """
        cost = len(before) + len(together) + self.cost(requests)
        if self.left < cost:
            return None
        self.left -= cost
        try:
            # A user who sends it elsewhere opens a connection; the state of an earlier one is no part of it.
            self._session.target.reconnect()
            if is_broken(self._candidate.exchange) and len(requests) > 1:
                self._session.conversation.try_again([ordinary(requests[-1])])
            if BY_ID[self._candidate.violation.rule].aspect < Aspect.ECHO:
                # A counterexample about the settings in force has to set them itself.
                sent = {name for each in requests for name, _ in each.form() or ()}
                context = tuple(pair for pair in self._candidate.context if pair[0] not in sent)
                self._session.conversation.establish(context, (*together, *requests)[-1].account)
            seen = self._session.conversation.try_again(requests, together, before)
            if (out := next((each for each, _ in seen if each.status in OUT), None)) is not None:
                self._session.conversation.ask_ordinary(out)
        except BudgetExhausted:
            self.cut_short()
            return None
        self.are_made = True
        self._waits -= sum(exchange.is_timeout or exchange.request.after > 0 for exchange, _ in seen)
        if self._waits <= 0:
            self.left = 0
        return seen

    def cut_short(self) -> None:
        """Send nothing more: the budget of the whole run is spent."""
        self.left, self.are_cut_short = 0, True


def history(candidate: Candidate) -> tuple[Exchange, ...]:
    """
    Return the exchanges that first showed a violation: those that it compares, and last the one that shows it.

    Further exchanges depend on the violation. If it is about state, all between these and the one before them are
    added, since any may be the reason; if it needs requests at the same time, all of these; if it is about a value in
    force, the update that set the value.
    """
    violation, last = candidate.violation, candidate.exchange
    related = {each.number: each for each in (*violation.related, last)}
    before = [each for each in candidate.before if each.number not in related]
    writers = [each for each in before if _sets(each.request, violation)][-1:]
    start = last.number
    if candidate.together:
        start = min((each.number for each in before if each.together), default=start)
    elif violation.outcome == PREVIOUS:
        start = min((each.number for each in writers), default=start) - 1
    elif is_about_state(BY_ID[violation.rule]):
        start = min(related) - 1
    needed = [each for each in before if each.number >= start]
    if is_of_another(violation, (last,)):
        needed = writers
    earlier = {each.number: each for each in (*violation.related, *needed)}
    return (*(earlier[number] for number in sorted(earlier) if number != last.number), last)


def is_of_another(violation: Violation, exchanges: Sequence[Exchange]) -> bool:
    """Whether a violation is about the form of a value in the last answer that none of the requests has set."""
    is_compared = violation.related or is_about_state(BY_ID[violation.rule]) or is_about_own(violation)
    response = exchanges[-1].response
    if is_compared or violation.field not in BY_ATTRIBUTE or response is None:
        return False
    try:
        document = json_of(response)
    except NotJSON:
        return False
    is_shown = isinstance(document, dict) and document.get(violation.field) is not None
    return is_shown and not any(_sets(each.request, violation) for each in exchanges)


def _sets(request: Request, violation: Violation) -> bool:
    about = BY_ATTRIBUTE.get(violation.field or "") or BY_ID[violation.rule].field
    return about is not None and about.parameter in dict(parameters_of(request))


def depends_on_timers(exchange: Exchange) -> bool:
    """Whether an answer may depend on how long the timer is that its request does not send."""
    request = exchange.request
    sent = dict(parameters_of(request))
    return (request.auth.valid or exchange.accepted) and any(timer.parameter in sent for timer in TIMERS)


def is_of_status(violation: Violation) -> bool:
    """Whether a violation is that an update got another status than 200, but was not refused."""
    return BY_ID[violation.rule].aspect is Aspect.STATUS


def is_about_values(violation: Violation) -> bool:
    """Whether a violation can depend on the values in force of the settings that the request sets."""
    return violation.outcome == "refused" or is_of_status(violation) or is_about_own(violation)


def other_than(requests: Requests, violation: Violation, situation: Situation) -> Request:
    """Make an ordinary update; it sets other values of the same settings, if the violation is about these."""
    last = requests[-1]
    about = (last.form() or ()) if is_about_values(violation) or good_beside(last) else ()
    return update(*(other_pairs(situation, about) or [LONG_CLOSED]), account=requests[0].account)


def good_beside(request: Request) -> Pairs:
    """Return the valid parameters of a form that has an invalid one; none of other forms."""
    pairs, decision = request.form() or (), decided(request)
    if decision is None or decision.answer is not Answer.REJECT:
        return ()
    return tuple(
        (name, value)
        for name, value in pairs
        if name in BY_PARAMETER and decide_value(BY_PARAMETER[name], value).answer is Answer.ACCEPT
    )


def sequences(candidate: Candidate, situation: Situation) -> Iterator[Requests]:
    """
    Yield the sequences of requests that may show a candidate again, in the order in which they should be tried.

    The request that showed it is the last of each. What comes before it depends on the rule: a setting can be lost only
    after it was set, and an answer can show the value before only if there was one.

    Args:
        candidate: The candidate.
        situation: The facts about the target that decide which values it accepts.
    """
    violation, last = candidate.violation, candidate.exchange.request
    related = tuple(each.request for each in violation.related)
    before = tuple(each.request for each in candidate.before)
    context = (update(*candidate.context, account=last.account),) if candidate.context else ()
    everything = update(*pairs_for(situation, 7), account=last.account)
    # What the first request of a connection leaves behind harms all that come after it there.
    first = tuple(
        (each.request, last)
        for each in candidate.before
        if each.place == 1 and each.connection == candidate.exchange.connection
    )
    tails = [before[-size:] for size in (1, 2, 4, 10) if size <= len(before)]
    set_first = ((everything, *related, last), *((everything, *tail, last) for tail in tails[:3]))
    as_sent = ((*related, last), (last,), (*context, *related, last))
    order: tuple[Requests, ...]
    if is_about_state(BY_ID[violation.rule]):
        # What is undone is seen only where other values were there before.
        other = update(*pairs_for(situation, 8), account=last.account)
        order = ((*related, last), *((other, *each) for each in set_first), *as_sent)
    elif is_about_own(violation):
        other = other_than((last,), violation, situation)
        previous = ((other, last),) if violation.outcome == "previous-value" else ()
        order = (*previous, *as_sent, (other, last), (other, last, last), *set_first)
    elif is_about_values(violation):
        order = (*as_sent, *first, (last, last), *set_first)
    else:
        order = (*as_sent, *first, *set_first)
    if candidate.plainer is not None and not (related or is_about_state(BY_ID[violation.rule])):
        plainer: Requests = (candidate.plainer,)
        if violation.outcome == PREVIOUS:
            plainer = (other_than(plainer, violation, situation), *plainer)
        order = (plainer, *order)
    yield from dict.fromkeys((*order, *first, *((*tail, last) for tail in tails)))

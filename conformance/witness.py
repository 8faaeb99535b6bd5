"""
Makes a finding of what was seen: shows it again, makes the witness small, and says whether it is stable.

A witness is a sequence of requests. The request that showed the deviation is re-sent alone; if that does not show
the same, a baseline write is put before it, then what the ledger names, then up to ten of the exchanges that
really came before. Then whatever is not needed is left out. Every request counts against a budget.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from conformance.blame import UNSET, Blame, Requests, Seen, is_about_own
from conformance.ledger import CONCURRENT, MALFORMED
from conformance.model import (
    BASIC,
    FORM_MEDIA_TYPE,
    Exchange,
    Finding,
    Pairs,
    Request,
    Violation,
    encode_form,
    update,
)
from conformance.oracle import Answer, decide
from conformance.rules import BY_ID
from conformance.rules.forms import pairs_for
from conformance.rules.probes import LONG_CLOSED, SHORT_INACTIVE
from conformance.session import Draft, Session, remembered
from conformance.target import BudgetExhausted

REQUESTS = 30
"""Requests at most to show one finding again and make it small."""

_TIMES = 2
"""How often the final witness must show the same for the finding to be stable."""

# A form that is refused may be so for what is unusual about the request, or for any of its values: the rule that
# is blamed is the one that still explains the smallest request.
_MOVABLE = frozenset(
    {
        "any-subset",
        "idempotence",
        "parameter-order",
        "form-decoding",
        "chunked-body",
        "scheme-case",
        "media-type-case",
        "charset-parameter",
        "accept-header",
    }
)
# So may a setting that is not what it was: the rule that is blamed is the one that the shortest sequence breaks.
_ABOUT_STATE = frozenset(
    {
        "omitted-parameters-kept",
        "read-after-write",
        "rejected-update-changes-nothing",
        "safe-methods",
        "accounts-apart",
        "unvalidated-write",
        "credentials-required",
        CONCURRENT,
    }
)
_UNITS = re.compile("[0-9]+(?:[.,][0-9]+)?[A-Za-z]")

_PATTERN = ("response-schema", "pattern")


class Witness:
    """The search for the smallest sequence of requests that shows one draft's violation."""

    def __init__(self, session: Session, draft: Draft, budget: int = REQUESTS) -> None:
        self._session = session
        self._draft = draft
        self._left = budget
        self._tried = self._spent = False
        self.exchanges: tuple[Exchange, ...] = ()
        self.violation = draft.violation

    def finding(self) -> Finding:
        """The finding, with the smallest witness that was seen within the budget."""
        try:
            return self._found()
        except BudgetExhausted:
            return self._finished(self.exchanges, stable=True) if self.exchanges else self.as_seen()

    def as_seen(self) -> Finding:
        """The finding as it was first seen; it counts as unstable when it was tried again and did not show."""
        related = (*self._draft.violation.related, self._draft.exchange)
        return self._finished(related, stable=not self._tried)

    def _found(self) -> Finding:
        if self._draft.together:
            return self._concurrent()
        shown = next((each for each in self._candidates() if self._shows(each)), None)
        if shown is None:
            return self.as_seen()
        small = self._smaller(shown)
        if self._draft.context and self._left > len(small) and self._session.has_interplay():
            small = (
                update(*self._draft.context),
                *small,
            )  # where it is shown again, something else may be in force
        if self.violation.outcome == "previous-value" and len(small) == 1 and is_about_own(self.violation):
            small = (self._other_than(small), *small)  # which it would show whatever was in force before
        repeats = self._repeated(small)
        if not all(repeats):  # what a longer witness had left may have counted; or what was sent just before
            small = shown if self.violation.rule in _ABOUT_STATE else (self._other_than(small), *small)
            repeats = self._repeated(small)
        if all(repeats):
            blame = Blame(self._session, self.violation, self.exchanges, self._ask, self._is_same)
            self.violation = blame.violation()
        return self._finished(self.exchanges, stable=self._spent or all(repeats))

    def _other_than(self, requests: Requests) -> Request:
        """An ordinary update: of other values, where what is not shown is what was sent."""
        names = {name for name, _ in requests[-1].form() or ()} if is_about_own(self.violation) else set()
        other = [pair for pair in pairs_for(self._session.situation, 7) if pair[0] in names]
        return replace(update(*(other or [LONG_CLOSED])), account=requests[0].account)

    def _repeated(self, requests: Requests) -> list[bool]:
        return [self._shows(requests) for _ in range(_TIMES) if self._left >= len(requests)]

    def _concurrent(self) -> Finding:
        """One after the other the same updates lose nothing, or it is not for being sent together that they do."""
        together, last = self._draft.together, self._draft.exchange.request
        if self._shows((*together, last)):
            self._draft.together = ()
            return self.finding()
        if self._draft.violation.outcome == "refused":
            alone = self._ask(together) or []
            if any(400 <= (exchange.status or 0) < 429 for exchange, _ in alone):
                self._draft.together = ()
                self._draft.violation = replace(self._draft.violation, rule="any-subset")
                return self.finding()
            shown = [self._refuses(together) for _ in range(3) if self._left >= len(together)]
        else:
            shown = [self._shows((last,), together) for _ in range(3) if self._left > len(together)]
        if any(shown):
            return self._finished(self.exchanges, stable=sum(shown) > 1)
        return self.as_seen()

    def _refuses(self, together: Requests) -> bool:
        """Whether one of several updates at the same time is refused, though each is good."""
        self._left -= len(together)
        self._tried = True
        self.exchanges = tuple(exchange for exchange, _ in self._session.try_again((), together))
        return any(400 <= (each.status or 0) < 429 for each in self.exchanges)

    def _ask(self, requests: Requests) -> Seen | None:
        """Send a question's requests, if the budget allows."""
        if self._left < len(requests):
            return None
        self._left -= len(requests)
        try:
            self._session.establish(self._draft.context, requests[-1].account)
            return self._session.try_again(requests)
        except BudgetExhausted:
            self._left, self._spent = 0, True
            return None

    def _finished(self, exchanges: tuple[Exchange, ...], *, stable: bool) -> Finding:
        violation = self.violation
        return Finding(
            rule=violation.rule,
            level=BY_ID[violation.rule].level,
            cls=self._draft.violation.cls,
            outcome=violation.outcome,
            field=violation.field,
            summary=violation.summary,
            expected=violation.expected,
            observed=violation.observed,
            exchanges=tuple(remembered(each) for each in exchanges),
            stable=stable,
            count=self._draft.count,
            first=self._draft.exchange.number,
            cause=cause_of(violation),
        )

    def _candidates(self) -> Iterator[Requests]:
        last = self._draft.exchange.request
        related = tuple(each.request for each in self._draft.violation.related)
        before = tuple(each.request for each in self._draft.before)
        seen = set()
        baseline = (update(*self._draft.context),) if self._draft.context else ()
        tails = [before[-size:] for size in (1, 2, 4, 10) if size <= len(before)]
        for candidate in (
            (*related, last),
            (last,),
            (*baseline, *related, last),
            (update(SHORT_INACTIVE), update(LONG_CLOSED), *related, last),
            *((*tail, last) for tail in tails),
        ):
            if candidate not in seen:
                seen.add(candidate)
                yield candidate

    def _shows(self, requests: Requests, together: Requests = ()) -> bool:
        """Whether sending these shows the violation, at the last of them."""
        cost = len(requests) + len(together)
        if self._left < cost:
            return False
        self._left -= cost
        try:
            self._session.establish(self._draft.context, requests[-1].account)
            seen = self._session.try_again(requests, together)
        except BudgetExhausted:
            self._left, self._spent = 0, True
            return False
        self._tried = True
        if self._draft.shows is not None:
            self.exchanges = tuple(exchange for exchange, _ in seen)
            return self._draft.shows(self.exchanges[-1])
        for violation in seen[-1][1]:
            if self._is_same(violation):
                self.exchanges = tuple(exchange for exchange, _ in seen)
                self.violation = violation
                return True
        return False

    def _is_same(self, violation: Violation) -> bool:
        wanted = self._draft.violation
        if wanted.rule in _ABOUT_STATE:
            return violation.rule in _ABOUT_STATE and wanted.field == violation.field
        if is_about_own(wanted) and wanted.field == violation.field:
            return is_about_own(violation)
        several = len(self._draft.exchange.request.form() or ()) > 1
        movable = several or not _MOVABLE.isdisjoint({wanted.rule, violation.rule})
        return violation.outcome == wanted.outcome and (
            violation.rule == wanted.rule or (movable and violation.outcome == "refused")
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
        for candidate in candidates:
            if [_answer(each) for each in candidate] != [
                _answer(each) for each in current[-len(candidate) :]
            ]:
                continue  # another kind of request could show it for a reason of its own
            if self._left < len(candidate) * (1 + _TIMES):
                return None  # keep enough to show the final witness again
            if candidate != current and self._shows(candidate):
                return candidate
        return None


def cause_of(violation: Violation) -> str:
    """What findings of one cause have in common: the rule less its field, and the outcome."""
    rule = violation.rule
    if rule == "read-response":  # as when the answer to an update shows it
        rule, _, outcome = violation.outcome.partition("/")
        return cause_of(replace(violation, rule=rule, outcome=outcome))
    if (
        violation.outcome == MALFORMED
        or rule == "timer-representation"
        or (rule, violation.outcome) == _PATTERN
    ):
        return f"representation: {violation.field}"
    for slug in ("inactive-timer-", "closed-timer-", "chat-service-sid-", "messaging-service-sid-"):
        if rule.startswith(slug):
            kind = "timer" if "timer" in slug else "sid"
            return f"{kind}-{rule.removeprefix(slug)}: {violation.outcome}"
    return f"{rule}: {violation.outcome}"


def _answer(request: Request) -> Answer | None:
    """What the target is to do with a request, whatever is set."""
    form = request.form() if request.method == "POST" and not request.query else None
    return None if form is None else decide(form, lengths=UNSET).answer


def _with(request: Request, pairs: Pairs) -> Request:
    return replace(request, body=encode_form(pairs))


def _simpler(request: Request) -> Iterator[Request]:
    """Requests that say less, boldest first."""
    pairs = request.form() if request.method == "POST" else None
    if pairs is None:
        return
    plain = Request(
        body=encode_form(pairs), account=request.account, auth=request.auth, intends=request.intends
    )
    if plain != request and request.content_type is not None:
        yield plain
    if request.auth.valid and request.auth != BASIC:
        yield replace(request, auth=BASIC)
    if request.chunked:
        yield replace(request, chunked=False)
    if request.fresh:
        yield replace(request, fresh=False)
    if request.headers:
        yield replace(request, headers=())
    if (request.content_type or "").lower().startswith(
        FORM_MEDIA_TYPE
    ) and request.content_type != FORM_MEDIA_TYPE:
        yield replace(request, content_type=FORM_MEDIA_TYPE)
    if request.body != encode_form(pairs):
        return  # the bytes are the point
    if len(pairs) > 1:
        for pair in pairs:
            yield _with(request, (pair,))
        if len(pairs) > 2:
            for index in range(len(pairs)):
                yield _with(request, pairs[:index] + pairs[index + 1 :])
    else:
        for name, value in pairs:
            for shorter in _shorter(value):
                yield _with(request, ((name, shorter),))


def _shorter(value: str) -> Iterator[str]:
    """Texts with something left out: halves of long ones, then duration components, then single characters."""
    size = len(value)
    if size > 64:
        for part in (2, 4, 8):
            chunk = size // part
            for start in range(size // 4, size - chunk + 1, chunk):
                yield value[:start] + value[start + chunk :]
        return
    for match in _UNITS.finditer(value):
        yield value[: match.start()] + value[match.end() :]
    if size > 12:
        for start in range(0, size - size // 2 + 1, max(1, size // 2)):
            yield value[:start] + value[start + size // 2 :]

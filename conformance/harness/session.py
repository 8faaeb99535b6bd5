"""
A run's live state: sends through the target, judges what comes back, and remembers what was found.

It decides nothing about what is sent next; that is the executor's business.
"""

import time
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from conformance.attribution.causes import cause_of
from conformance.attribution.evidence import Gathered
from conformance.exceptions import LeftShort
from conformance.harness.schedule import Item, carried
from conformance.http import EMPTY, Exchange, FailureKind, Pairs, Request, update
from conformance.model import (
    BY_PARAMETER,
    CLOSED,
    FIELDS,
    INACTIVE,
    TIMERS,
    Aspect,
    Probe,
    Situation,
    Violation,
    shown_by,
)
from conformance.oracle.decisions import Answer, FormDecision, decide
from conformance.oracle.expected_state import ExpectedState
from conformance.rules import BY_ID, Watched, judge
from conformance.rules.probes import CONTEXT_CLASSES, LONG_CLOSED, look
from conformance.rules.robustness import unusable
from conformance.rules.state import is_concurrent, locked_out, mixed_up
from conformance.safety.restore import Restorer
from conformance.safety.safeguard import Safeguard
from conformance.transport.target import Target

_REMEMBERED = 10
"""Exchanges before a violation that may be needed to show it again."""

_KEPT = 16 * 1024
"""Bytes of a body, and of a header section, that are remembered once they are judged; ordinary ones have 1,000."""

_TOLD = 2_000
"""Characters of each text of a violation: an answer can hold a value of a million."""

_UNSEEN = 32
"""Refusals in a row before an answer is looked at that would show if one of them had written."""

_TIMERS = frozenset(each.parameter for each in TIMERS)

_PICTURED = 2_000
"""Updates of one timer that are kept for a picture: more marks than that cannot be told apart."""

_INSISTED = 3
"""How often a timer is put back that was made shorter on a live target."""

_FRUITLESS = 3
"""How often a failing request is sent again that fails again: then it is what is sent that the target fails at."""

_IN_VAIN = 3
"""How often settings are put in force that do not come to be: then the target does not keep them."""


@dataclass(slots=True)
class Draft:
    """A deviation as first seen, before it was shown again and made small."""

    violation: Violation
    exchange: Exchange
    before: tuple[Exchange, ...]
    context: Pairs
    count: int = 1
    settled: bool = False
    """Whether it has become a finding."""
    shows: Callable[[Exchange], bool] | None = None
    """Whether another exchange shows it too; None where the rules tell."""
    together: tuple[Request, ...] = ()
    """The requests that were sent at the same time before it, where that may be why."""

    @property
    def cause(self) -> str:
        """What it has in common with others that have the same cause."""
        return cause_of(self.violation.rule, self.violation.outcome, self.violation.field)


@dataclass(slots=True)
class Tally:
    """What was exercised of one input class."""

    examples: int = 0
    decided: int = 0
    statuses: Counter[str] = field(default_factory=Counter)


class Session:
    """
    One run against one target.

    Args:
        target: where everything is sent.
        selected: ids of the rules whose violations count.
        settle: seconds within which a write must be seen.
        progress: called with the class in hand before every request.
        judged: called with the class in hand, an exchange, and its violations of the selected rules.
        safeguard: what the run promises about the settings it finds.
    """

    def __init__(
        self,
        target: Target,
        selected: Collection[str],
        *,
        settle: float = 0.0,
        progress: Callable[[str], None] = lambda name: None,
        judged: Callable[[str, Exchange, Sequence[Violation]], None] = lambda cls, exchange, violations: None,
        safeguard: Safeguard | None = None,
    ) -> None:
        self.target = target
        self.safeguard = safeguard or Safeguard()
        sids = tuple(account.sid or "" for account in target.settings.accounts)
        self.situation = Situation(accounts=len(sids), account_sids=sids if all(sids) else ())
        self.drafts: dict[tuple[str, str, str], Draft] = {}
        self.tallies: dict[tuple[str, str], Tally] = {}
        self.kinds: dict[str, Counter[str]] = {}
        self.ledgers = [ExpectedState() for _ in target.settings.accounts]
        for ledger in self.ledgers:
            ledger.others = tuple(other for other in self.ledgers if other is not ledger)
        self.evidence = Gathered()
        self._selected = frozenset(selected)
        self.settle = settle
        self._progress = progress
        self._judged = judged
        self._recent: deque[Exchange] = deque(maxlen=_REMEMBERED)
        self.open: dict[str, Exchange] = {}
        """By class, the answers to what is open."""
        self._refused: set[tuple[str, str]] = set()
        self._taken: set[tuple[str, str]] = set()
        self.reader: Request | None = None
        """The request that shows the settings without writing; None when there is none."""
        self.takes_empty = False
        """Whether an update without parameters is accepted: it shows the settings and leaves them alone."""
        self._together: tuple[Request, ...] = ()
        self.told = False
        """Whether the last exchange violated a selected rule."""
        self.timers: deque[Exchange] = deque(maxlen=_PICTURED)
        """The last updates of one timer alone."""
        self._unseen = 0
        self._context: Pairs = ()
        self._vain: Counter[Pairs] = Counter()
        self._interplay: bool | None = None
        self._in_trouble = False
        self._fruitless = 0

    @property
    def last(self) -> Exchange | None:
        """The last exchange, if there was any."""
        return self._recent[-1] if self._recent else None

    def run_probe(self, probe: Probe, rule: str, cls: str) -> list[Exchange]:
        """Send a probe's steps, after what puts its context in force, and judge every answer; returns them."""
        tally = self.tallies.setdefault((rule, cls), Tally())
        self.establish(probe.context)
        self._context = probe.context
        tally.examples += 1
        if probe.together:
            exchanges = self.send_together(probe.steps, cls)
        else:
            exchanges = [self.send(step, cls, tally) for step in probe.steps]
            if tally.examples == len(probe.steps) == 1 and self._is_worth_another_try(exchanges[-1]):
                exchanges.append(self.send(replace(probe.steps[-1], fresh=True), cls, tally))
                self._fruitless = self._fruitless + 1 if is_broken(exchanges[-1]) else 0
        tally.statuses.update(_status(exchange) for exchange in exchanges)
        if self._unseen >= _UNSEEN:
            self.look_again(cls)
            self._unseen = 0  # though nothing was shown: asking again at every turn shows no more
        return exchanges

    def _is_worth_another_try(self, exchange: Exchange) -> bool:
        """A failure may be what the request before has left: then nothing is known of this one's class yet."""
        return (
            is_broken(exchange)
            and self._fruitless < _FRUITLESS
            and self.last is not None
            and self.last.status == 200
        )

    def run_side_by_side(self, items: Sequence[Item]) -> list[bool]:
        """
        Send good values of several settings in one update; when it is refused, each by itself shows which was.

        Returns:
            For each item, whether it was accepted.
        """
        if len(items) == 1:
            return [self.run_probe(item.probe, *item.key)[-1].status == 200 for item in items]
        pairs, context = carried(items)
        self.establish(context)
        self._context = context
        classes = {field_name: item.cls.id for item in items for field_name in _names_of(item)}
        exchange, violations = self._exchange(update(*pairs), items[0].cls.id)
        taken = [exchange.status == 200] * len(items)
        if exchange.unwritten:
            taken = [self.run_probe(item.probe, *item.key)[-1].status == 200 for item in items]
        else:
            for item in items:
                tally = self.tallies.setdefault(item.key, Tally())
                tally.examples += 1
                tally.decided += 1
                tally.statuses[_status(exchange)] += 1
        if not exchange.unwritten or all(taken):
            for violation in violations:
                self.note(violation, exchange, classes.get(violation.field or "", "form/subset"))
        self._recent.append(remembered(exchange))
        self._check_health(exchange, items[0].cls.id)
        return taken

    def restorer(self) -> Restorer:
        """What puts back the settings that were in force before."""
        return Restorer(target=self.target, safeguard=self.safeguard, reader=self.reader, settle=self.settle)

    def look_again(self, cls: str) -> None:
        """Have the settings shown by the answer to an update that leaves alone what may have been written."""
        if self.takes_empty:
            self.send(EMPTY, cls)
        else:
            names = {each.parameter for each in FIELDS if self.ledgers[0].settings[each.attribute].suspects}
            self.send(look(CLOSED if CLOSED.parameter in names else INACTIVE), cls)

    def has_interplay(self) -> bool:
        """Whether the target refuses a closed timer shorter than the inactive one; asked once, when it matters."""
        if self._interplay is None:
            shorter = ((INACTIVE.parameter, "PT20M"), (CLOSED.parameter, "PT15M"))
            self._interplay = self.send(update(*shorter), "open/interplay").status != 200
        return self._interplay

    def forget_last_failures(self) -> None:
        """Drop what was only seen because the target went away: that is no verdict on it."""
        answered = max((each.number for each in self._recent if each.response is not None), default=0)
        for key, draft in list(self.drafts.items()):
            if draft.exchange.failure is not None and draft.exchange.number > answered:
                del self.drafts[key]

    def _note_mixed_up(self, watched: Watched, cls: str) -> None:
        """Note the answers that show another writer's value, unless answers are wrong without other writers, too."""
        found = {rule for rule, _, _ in self.drafts}
        for violation in mixed_up(watched):
            about = next(each for each in FIELDS if each.attribute == violation.field)
            if not any(
                BY_ID[rule].aspect is Aspect.ECHO and BY_ID[rule].field in (None, about) for rule in found
            ):
                self.note(violation, watched.exchange, cls)

    def establish(self, context: Pairs, account: int = 0) -> None:
        """Put settings in force, unless they are already."""
        now = self.ledgers[account].current()
        missing = tuple(
            pair
            for pair in context
            if now.get(BY_PARAMETER[pair[0]].attribute) != pair[1]
            and self.safeguard.may_stay(update(pair, account=account))
        )
        if not missing:
            self._vain[context] = 0
        elif self._vain[context] < _IN_VAIN:
            self._vain[context] += 1
            self.send(replace(update(*missing), account=account), CONTEXT_CLASSES[missing[0]])

    def send(
        self, request: Request, cls: str, tally: Tally | None = None, *, known_good: bool = False
    ) -> Exchange:
        """Send one request, judge the answer and record what it violates."""
        exchange, violations = self._exchange(request, cls, tally, known_good=known_good)
        for violation in violations:
            self.note(violation, exchange, cls)
        self._recent.append(remembered(exchange))
        self._check_health(exchange, cls)
        return exchange

    def _exchange(
        self, request: Request, cls: str, tally: Tally | None = None, *, known_good: bool = False
    ) -> tuple[Exchange, list[Violation]]:
        """Send one request and judge the answer."""
        self._progress(cls)
        decision = self._decide(request)
        exchange = self.target.send(request, known_good=known_good)
        if self.settle and self._is_early(exchange):
            time.sleep(self.settle)
            exchange = self.target.send(request)
        if tally is not None and decision is not None and decision.answer is not Answer.OPEN:
            tally.decided += 1
        violations = self.judge(exchange, decision)
        told = [violation for violation in violations if violation.rule in self._selected]
        self.told = bool(told)
        self._judged(cls, exchange, told)
        self._put_back(exchange, cls)
        return exchange, violations

    def send_together(self, requests: Sequence[Request], cls: str) -> list[Exchange]:
        """Send updates at the same time; each answer is judged but for what the others may have written."""
        self._progress(cls)
        decisions = [self._decide(request) for request in requests]
        self._together = tuple(requests)
        exchanges = self.target.send_together(requests)
        for exchange, decision in zip(exchanges, decisions, strict=True):
            violations = list(judge(self._watched(exchange, decision, ExpectedState())))
            self._judged(cls, exchange, [each for each in violations if each.rule in self._selected])
            for violation in violations:
                is_refused = violation.outcome == "refused"
                self.note(locked_out(violation) if is_refused else violation, exchange, cls)
            self._recent.append(remembered(exchange))
        shown = [shown_by(exchange) for exchange in exchanges]
        for exchange, decision in zip(exchanges, decisions, strict=True):
            self._note_mixed_up(self._watched(exchange, decision, ExpectedState()), cls)
        self.ledgers[requests[0].account].record_together([remembered(each) for each in exchanges], shown)
        for exchange in exchanges:
            self._put_back(exchange, cls)
            self._check_health(exchange, cls)
        return exchanges

    def judge(self, exchange: Exchange, decision: FormDecision | None) -> list[Violation]:
        """The violations that an exchange shows, given all that came before it."""
        request = exchange.request
        ledger = self.ledgers[request.account]
        watched = self._watched(exchange, decision, ledger)
        self.kinds.setdefault(watched.kind, Counter())[_status(exchange)] += 1
        if decision is not None and len(form := request.form() or ()) == 1 and form[0][0] in _TIMERS:
            self.timers.append(watched.exchange)
        ledger.record(watched.exchange, authorised=watched.authorised)
        if decision is not None and decision.answer is Answer.ACCEPT:
            pairs = request.form() or ()
            if exchange.status == 200 and len(pairs) > 1:
                self._taken.update(pairs)
            plain = request == replace(update(*pairs), account=request.account)
            if exchange.refused and len(pairs) == 1 and plain:
                self._refused.add(pairs[0])
        shows = watched.represents and request.method == "POST"
        self._unseen = 0 if shows else self._unseen + 1
        violations = [_told(violation) for violation in judge(watched)]
        self.evidence.see(watched)
        return violations

    def try_again(
        self, requests: Iterable[Request], together: Sequence[Request] = ()
    ) -> list[tuple[Exchange, list[Violation]]]:
        """Send requests and judge them without recording: for showing again what was seen before."""
        seen: list[tuple[Exchange, list[Violation]]] = []
        if together:
            exchanges = self.target.send_together(together)
            self.ledgers[together[0].account].record_together(
                [remembered(each) for each in exchanges], [shown_by(each) for each in exchanges]
            )
            for exchange in exchanges:
                self._put_back(exchange, "state/put-back")
            seen += [(exchange, []) for exchange in exchanges]
        for request in requests:
            decision = self._decide(request)
            exchange = self.target.send(request)
            seen.append((exchange, self.judge(exchange, decision)))
            self._put_back(exchange, "state/put-back")
        return seen

    def _put_back(self, exchange: Exchange, cls: str) -> None:
        """On a live target, write at once what an exchange may have made shorter."""
        guard = self.safeguard.guard
        owed = guard.owed(exchange, shown_by(exchange)) if guard is not None else None
        if owed is None:
            return
        for _ in range(_INSISTED):
            # The reserve: a spent budget must not leave a timer short.
            answer = self.target.send(owed, reserve=True)
            for violation in self.judge(answer, self._decide(owed)):
                self.note(violation, answer, cls)
            self._recent.append(remembered(answer))
            if answer.status == 200:
                return
        raise LeftShort(f"{(owed.body or b'').decode()} was in force and is not taken again")

    def note(
        self,
        violation: Violation,
        exchange: Exchange,
        cls: str,
        shows: Callable[[Exchange], bool] | None = None,
    ) -> None:
        """Record a violation, once for each rule, class and outcome."""
        if violation.rule not in self._selected:
            return
        if not violation.cls:
            violation = replace(violation, cls=cls)
        key = (violation.rule, violation.cls, violation.outcome)
        if (draft := self.drafts.get(key)) is not None:
            draft.count += 1
        else:
            before = tuple(self._recent)
            self.drafts[key] = Draft(
                _told(violation), remembered(exchange), before, self._context, shows=shows
            )
            if is_concurrent(violation):
                self.drafts[key].together = self._together

    def _decide(self, request: Request) -> FormDecision | None:
        form = request.form() if request.method == "POST" and not request.query else None
        if form is None:
            return None
        return decide(form, known_sids=self.situation.sids, lengths=self.ledgers[request.account].lengths())

    def _watched(self, exchange: Exchange, decision: FormDecision | None, ledger: ExpectedState) -> Watched:
        return Watched(
            exchange=remembered(exchange),
            whole=exchange.response,
            decision=decision,
            ledger=ledger,
            account_sid=self.target.settings.accounts[exchange.request.account].sid,
            refused=self._refused,
            taken=self._taken,
            leaks=self.target.leaks(exchange),
        )

    def _is_early(self, exchange: Exchange) -> bool:
        """Whether an answer shows something else than was written, though it may have come too early."""
        shown = shown_by(exchange)
        ledger = self.ledgers[exchange.request.account]
        sent = {name for name, _ in exchange.request.form() or ()}
        return shown is not None and any(
            not ledger.settings[name].matches(value)
            for name, value in shown.items()
            if ledger.settings[name].about.parameter not in sent
        )

    def _check_health(self, exchange: Exchange, cls: str) -> None:
        """After a failure or a 5xx the next ordinary request must work; when it cannot connect, the run ends."""
        if self._in_trouble or not (exchange.failure is not None or (exchange.status or 0) >= 500):
            return
        if self.safeguard.reading:
            return  # an ordinary request sets something
        self._in_trouble = True
        try:
            request = replace(update(LONG_CLOSED), account=exchange.request.account, fresh=True)
            canary = self.target.send(request, known_good=True)
            for violation in self.judge(canary, self._decide(request)):
                self.note(violation, canary, cls)
            self._put_back(canary, cls)
            if canary.status != 200:
                self.note(unusable(canary, exchange), canary, cls)
            self._recent.append(remembered(canary))
        finally:
            self._in_trouble = False


def remembered(exchange: Exchange) -> Exchange:
    """The exchange with what is kept of its answer, so that thousands of hostile ones fit into memory."""
    response = exchange.response
    if response is None:
        return exchange
    size, headers = 0, []
    for name, value in response.headers:
        size += len(name) + len(value)
        if size <= _KEPT:
            headers.append((name, value))
    if size <= _KEPT and len(response.body) <= _KEPT:
        return exchange
    return replace(
        exchange,
        response=replace(response, headers=tuple(headers), body=response.body[:_KEPT], truncated=True),
    )


def _told(violation: Violation) -> Violation:
    """The violation, whose texts may repeat a value of the target's, at a length that can be told."""
    return replace(
        violation,
        summary=violation.summary[:_TOLD],
        expected=violation.expected[:_TOLD],
        observed=violation.observed[:_TOLD],
    )


def is_broken(exchange: Exchange) -> bool:
    """Whether the target failed at once; where it does not answer at all, every try takes the whole timeout."""
    failure = exchange.failure
    return (exchange.status or 0) >= 500 if failure is None else failure.kind is not FailureKind.TIMEOUT


def _names_of(item: Item) -> Iterator[str]:
    """What violations call the setting of a probe of one value."""
    for name, _ in item.probe.steps[0].form() or ():
        yield from (name, BY_PARAMETER[name].attribute)


def _status(exchange: Exchange) -> str:
    if exchange.failure is not None:
        return str(exchange.failure.kind)
    return str(exchange.status)

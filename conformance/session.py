"""
A run's live state: sends through the target, judges what comes back, and remembers what was found.

It decides nothing about what is sent next; that is the executor's business.
"""

import time
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from conformance.ledger import CONCURRENT, Ledger, is_right
from conformance.model import (
    BY_PARAMETER,
    CLOSED,
    EMPTY,
    FIELDS,
    INACTIVE,
    TIMERS,
    Exchange,
    Pairs,
    Probe,
    Request,
    Situation,
    Violation,
    update,
)
from conformance.oracle import Answer, FormDecision, decide
from conformance.rules import NotJSON, Watched, judge
from conformance.rules.probes import CONTEXT_CLASSES, LONG_CLOSED, look
from conformance.target import Target

_REMEMBERED = 10
"""Exchanges before a violation that may be needed to show it again."""

_UNSEEN = 16
"""Refusals in a row before an answer is looked at that would show if one of them had written."""

_TIMERS = frozenset(each.parameter for each in TIMERS)

_PICTURED = 2_000
"""Updates of one timer that are kept for a picture: more marks than that cannot be told apart."""

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
    """

    def __init__(
        self,
        target: Target,
        selected: Collection[str],
        *,
        settle: float = 0.0,
        progress: Callable[[str], None] = lambda name: None,
    ) -> None:
        self.target = target
        self.situation = Situation(accounts=len(target.settings.accounts))
        self.drafts: dict[tuple[str, str, str], Draft] = {}
        self.tallies: dict[tuple[str, str], Tally] = {}
        self.kinds: dict[str, Counter[str]] = {}
        self.ledgers = [Ledger() for _ in target.settings.accounts]
        for ledger in self.ledgers:
            ledger.others = tuple(other for other in self.ledgers if other is not ledger)
        self._selected = frozenset(selected)
        self._settle = settle
        self._progress = progress
        self._recent: deque[Exchange] = deque(maxlen=_REMEMBERED)
        self.open: dict[str, Exchange] = {}
        """By class, the answers to what is open."""
        self._refused: set[tuple[str, str]] = set()
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
        tally.statuses.update(_status(exchange) for exchange in exchanges)
        if self._unseen >= _UNSEEN:
            self.look_again(cls)
            self._unseen = 0  # though nothing was shown: asking again at every turn shows no more
        return exchanges

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

    def _note_mixed_up(self, exchange: Exchange, shown: Mapping[str, str | None], cls: str) -> None:
        """The answer to one of several concurrent updates of different settings shows what it has just set."""
        told = {rule for rule, _, _ in self.drafts}
        for name, value in exchange.request.form() or ():
            about = BY_PARAMETER[name]
            if (
                exchange.status == 200
                and not told & {f"{about.slug}-echo", "last-write-wins"}
                and not is_right(about, value, shown.get(about.attribute))
            ):
                self.note(
                    Violation(
                        rule=CONCURRENT,
                        outcome="mixed-up",
                        cls=f"setting/{about.slug}",
                        field=about.attribute,
                        summary="the answer to one of several concurrent updates does not show what it has set",
                        expected=f"{about.attribute}: {value}",
                        observed=f"{about.attribute}: {shown.get(about.attribute)}",
                    ),
                    exchange,
                    cls,
                )

    def establish(self, context: Pairs, account: int = 0) -> None:
        """Put settings in force, unless they are already."""
        now = self.ledgers[account].current()
        missing = tuple(pair for pair in context if now.get(BY_PARAMETER[pair[0]].attribute) != pair[1])
        if not missing:
            self._vain[context] = 0
        elif self._vain[context] < _IN_VAIN:
            self._vain[context] += 1
            self.send(replace(update(*missing), account=account), CONTEXT_CLASSES[missing[0]])

    def send(
        self, request: Request, cls: str, tally: Tally | None = None, *, known_good: bool = False
    ) -> Exchange:
        """Send one request, judge the answer and record what it violates."""
        self._progress(cls)
        decision = self._decide(request)
        exchange = self.target.send(request, known_good=known_good)
        if self._settle and self._is_early(exchange):
            time.sleep(self._settle)
            exchange = self.target.send(request)
        if tally is not None and decision is not None and decision.answer is not Answer.OPEN:
            tally.decided += 1
        violations = self.judge(exchange, decision)
        self.told = any(violation.rule in self._selected for violation in violations)
        for violation in violations:
            self.note(violation, exchange, cls)
        self._recent.append(exchange)
        self._check_health(exchange, cls)
        return exchange

    def send_together(self, requests: Sequence[Request], cls: str) -> list[Exchange]:
        """Send updates at the same time; each answer is judged but for what the others may have written."""
        self._progress(cls)
        decisions = [self._decide(request) for request in requests]
        exchanges = self.target.send_together(requests)
        for exchange, decision in zip(exchanges, decisions, strict=True):
            for violation in judge(self._watched(exchange, decision, Ledger())):
                self.note(violation, exchange, cls)
            self._recent.append(exchange)
        shown = [self.shown(exchange) for exchange in exchanges]
        for exchange, own in zip(exchanges, shown, strict=True):
            self._note_mixed_up(exchange, own or {}, cls)
        self.ledgers[requests[0].account].record_together(exchanges, shown)
        self._together = tuple(requests)
        for exchange in exchanges:
            self._check_health(exchange, cls)
        return exchanges

    def judge(self, exchange: Exchange, decision: FormDecision | None) -> list[Violation]:
        """The violations that an exchange shows, given all that came before it."""
        request = exchange.request
        ledger = self.ledgers[request.account]
        watched = self._watched(exchange, decision, ledger)
        self.kinds.setdefault(watched.kind, Counter())[_status(exchange)] += 1
        if decision is not None and len(form := request.form() or ()) == 1 and form[0][0] in _TIMERS:
            self.timers.append(exchange)
        ledger.record(exchange, authorised=watched.authorised)
        if decision is not None and decision.answer is Answer.ACCEPT and 400 <= (exchange.status or 0) < 429:
            pairs = request.form() or ()
            if len(pairs) == 1 and request == replace(update(*pairs), account=request.account):
                self._refused.add(pairs[0])
        shows = watched.represents and request.method == "POST"
        self._unseen = 0 if shows else self._unseen + 1
        return list(judge(watched))

    def try_again(
        self, requests: Iterable[Request], together: Sequence[Request] = ()
    ) -> list[tuple[Exchange, list[Violation]]]:
        """Send requests and judge them without recording: for showing again what was seen before."""
        seen: list[tuple[Exchange, list[Violation]]] = []
        if together:
            exchanges = self.target.send_together(together)
            self.ledgers[together[0].account].record_together(
                exchanges, [self.shown(each) for each in exchanges]
            )
            seen += [(exchange, []) for exchange in exchanges]
        for request in requests:
            decision = self._decide(request)
            exchange = self.target.send(request)
            seen.append((exchange, self.judge(exchange, decision)))
        return seen

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
            self.drafts[key] = Draft(violation, exchange, tuple(self._recent), self._context, shows=shows)
            if violation.rule == CONCURRENT:
                self.drafts[key].together = self._together

    def shown(self, exchange: Exchange) -> dict[str, str | None] | None:
        """The settings that an answer shows, by attribute; None when it shows none."""
        if exchange.status != 200:
            return None
        try:
            document = self._watched(exchange, None, Ledger()).document
        except NotJSON:
            return None
        if not isinstance(document, dict):
            return None
        return {
            each.attribute: value
            for each in FIELDS
            if (value := document.get(each.attribute)) is None or isinstance(value, str)
        }

    def _decide(self, request: Request) -> FormDecision | None:
        form = request.form() if request.method == "POST" and not request.query else None
        if form is None:
            return None
        return decide(form, known_sids=self.situation.sids, lengths=self.ledgers[request.account].lengths())

    def _watched(self, exchange: Exchange, decision: FormDecision | None, ledger: Ledger) -> Watched:
        return Watched(
            exchange=exchange,
            decision=decision,
            ledger=ledger,
            account_sid=self.target.settings.accounts[exchange.request.account].sid,
            refused=self._refused,
            leaks=self.target.leaks(exchange),
        )

    def _is_early(self, exchange: Exchange) -> bool:
        """Whether an answer shows something else than was written, though it may have come too early."""
        shown = self.shown(exchange)
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
        self._in_trouble = True
        try:
            request = replace(update(LONG_CLOSED), account=exchange.request.account, fresh=True)
            canary = self.target.send(request, known_good=True)
            for violation in self.judge(canary, self._decide(request)):
                self.note(violation, canary, cls)
            if canary.status != 200:
                observed = f"status {canary.status}" if canary.failure is None else canary.failure.detail
                self.note(
                    Violation(
                        rule="stays-usable",
                        outcome="unusable",
                        field=None,
                        summary="an ordinary update fails after another request had failed",
                        expected="200",
                        observed=observed,
                        related=(exchange,),
                    ),
                    canary,
                    cls,
                )
            self._recent.append(canary)
        finally:
            self._in_trouble = False


def _status(exchange: Exchange) -> str:
    if exchange.failure is not None:
        return str(exchange.failure.kind)
    return str(exchange.status)

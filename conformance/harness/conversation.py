"""
Sends the requests of a run, has every answer judged, and keeps the target safe meanwhile.

The phases decide which requests are sent next; nothing here does.
"""

import time
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from conformance.exceptions import Gone, LeftShort
from conformance.harness.candidates import Candidates, Past
from conformance.harness.events import ExchangeJudged, Listener, PhaseStarted, RequestSent
from conformance.harness.instances import Failing, Wipes, is_mixed, likeness
from conformance.harness.judging import Judge, expect_together
from conformance.harness.presence import ROW, Presence
from conformance.http import OUT, Exchange, Pairs, Request, update
from conformance.model import BY_PARAMETER, Finding, Violation
from conformance.oracle.expected_state import ExpectedState, forget, record_together, states_of
from conformance.rules import CATALOGUE, Reply
from conformance.rules.acceptance import ACCEPTED_STATUS
from conformance.rules.probes import CONTEXT_CLASSES, ordinary
from conformance.rules.robustness import is_turned_away, is_turned_away_again, turned_away, unusable
from conformance.rules.state import beside_updates
from conformance.safety.safeguard import Safeguard
from conformance.transport.target import Target

_REMEMBERED = 10
"""Exchanges before a violation that are kept, since they may be needed to show it again."""

_INSISTED = 3
"""Tries to put back a timer that was made shorter on a live target. After them the run ends."""

_IN_VAIN = 3
"""Times that settings are put in force without effect. After them the target does not seem to keep them."""

_UNDONE = "state/put-back"
"""The input class of an update that puts a timer back after a deviation was shown again."""


class Judged(NamedTuple):
    """An exchange with its reply and its violations."""

    exchange: Exchange
    reply: Reply
    violations: Sequence[Violation]
    """The violations of selected rules."""


class Conversation:
    """
    Sends the requests of one run to its target, and records the violations of the answers.

    A read must show a write within `settle` seconds.
    """

    def __init__(
        self,
        target: Target,
        judge: Judge,
        candidates: Candidates,
        *,
        safeguard: Safeguard,
        settle: float,
        listener: Listener,
    ) -> None:
        self._target = target
        self._judge = judge
        self._candidates = candidates
        self._safeguard = safeguard
        self._settle = settle
        self._listener = listener
        self._phase = ""
        self._recent: deque[Exchange] = deque(maxlen=_REMEMBERED)
        self._opening: Exchange | None = None
        """The first exchange of the connection that is kept."""
        self._context: Pairs = ()
        self._together: tuple[Request, ...] = ()
        self._unauthorised: Exchange | None = None
        """The last exchange whose request had no good credentials."""
        self._vain: Counter[tuple[int, Pairs]] = Counter()
        """By account and context, how often it was put in force since it was last seen in force."""
        self._presence = Presence()
        self._failing = Failing()
        self._wipes = Wipes()
        self._outages = 0

    @property
    def recent(self) -> Sequence[Exchange]:
        """The last exchanges, the oldest first."""
        return self._recent

    def enter(self, phase: str) -> None:
        """Begin a phase of the run."""
        self._phase = phase
        self._listener(PhaseStarted(phase=phase))

    def begin(self, context: Pairs, account: int = 0) -> None:
        """Put the context of a probe in force; candidates that are noted from now on keep it."""
        self.establish(context, account)
        self._context = context

    def establish(self, context: Pairs, account: int = 0) -> None:
        """
        Put settings in force, unless they are in force already, or may not stay so.

        A target that does not keep the values that it accepts would be sent the same context before every probe. After
        a few times without effect the context is not sent again until it is seen in force.
        """
        now = self._judge.states[account].current()
        missing = tuple(
            (name, value)
            for name, value in context
            if now.get(BY_PARAMETER[name].attribute) != value
            and self._safeguard.may_stay(update((name, value), account=account))
        )
        if not missing:
            self._vain[account, context] = 0
        elif self._vain[account, context] < _IN_VAIN:
            self._vain[account, context] += 1
            self.send(update(*missing, account=account), CONTEXT_CLASSES[missing[0]])

    def send(self, request: Request, cls: str, *, known_good: bool = False) -> Judged:
        """Send one request, have the answer judged, and record its violations."""
        judged = self.ask(request, cls, known_good=known_good)
        if is_turned_away(judged.reply) and not known_good:
            judged = self._ask_anew(judged, cls)
        for violation in judged.violations:
            self.note(violation, judged.exchange, cls)
        self.conclude(judged.reply, cls)
        return judged

    def _ask_anew(self, judged: Judged, cls: str) -> Judged:
        """
        Find out why good credentials were refused: because of the update, of the request before it, or for good.

        The update is sent again on a new connection. If its credentials are refused again, the run makes sure that the
        target is not gone, and sends the update a third time. Its answer is judged only if it is refused each time.
        """
        before = self._unauthorised or (self._recent[-1] if self._recent else None)
        if before is None or self._judge.evidence.of(ACCEPTED_STATUS) is None:
            return judged
        self._recent.append(judged.exchange)
        for _ in range(2):
            self._target.reconnect()
            again = self.ask(judged.exchange.request, cls)
            if not is_turned_away(again.reply):
                self.note(
                    turned_away(judged.exchange, before), judged.exchange, cls, shows=is_turned_away_again
                )
                break
            self._ask_whether_gone(judged.exchange.request.account)
        return again

    def ask(self, request: Request, cls: str, *, known_good: bool = False) -> Judged:
        """Send one request and have the answer judged; the caller records its violations and then calls `conclude`."""
        exchange, reply = self._send(request, cls, known_good=known_good)
        if self._settle and _is_early(reply):
            time.sleep(self._settle)
            exchange, reply = self._send(request, cls)
        violations = self._candidates.counted(self._judge.violations(reply))
        self._tell(cls, exchange, violations)
        self._put_back(reply, cls)
        return Judged(exchange, reply, violations)

    def conclude(self, reply: Reply, cls: str) -> None:
        """Remember an exchange after its violations were recorded, and check that the target still works."""
        self._recent.append(reply.exchange)
        if not reply.authorised:
            self._unauthorised = reply.exchange
        self._check_health(reply.exchange, cls)
        self.check_presence()

    def check_presence(self) -> None:
        """
        Find out whether the target is gone, if some good updates in a row were not accepted.

        Raises:
            Gone: The target does not take either what it has taken before.
        """
        account = self._presence.doubtful(ROW)
        if account is not None:
            self._ask_whether_gone(account)
        if like := self._failing.doubtful():
            self._ask_whether_half_gone(like)

    def check_still_there(self) -> None:
        """
        Find out at the end of a run whether the target is gone, if it has given no sign of life since a deviation.

        Raises:
            Gone: It does not take either what it has taken before.
        """
        for account in range(self._judge.situation.accounts):
            last = self._candidates.last_of(account)
            if self._presence.is_unsure(account, last) or self._presence.doubtful(1) == account:
                self._ask_whether_gone(account, reserve=True)

    def check_not_replaced(self, findings: Collection[Finding]) -> None:
        """
        Find out at the end of a run whether another instance has taken the target's place.

        Raises:
            Gone: It has; `findings` has none that the target has shown again of what it lost then.
        """
        last = self._wipes.last_sign(self._candidates.values(), findings)
        if last is not None:
            raise Gone(
                f"{self._target.url} is not what it was: at one moment it had lost all that it was sent, as if another "
                f"instance had taken its place; what came after request {last:,} counts for nothing",
                last,
            )

    def _ask_whether_half_gone(self, like: str) -> None:
        """Find out whether an instance of the target is gone, since some requests fail in this way."""
        likenesses = []
        for request, _ in self._presence.questions(0):
            _, reply = self._send(replace(request, fresh=True), "", known_good=True)
            self._judge.violations(reply)
            self._put_back(reply, "answer/update")
            self._recent.append(reply.exchange)
            likenesses.append(likeness(reply))
            if is_mixed(like, likenesses):
                last = self._failing.since[like] - 1
                raise Gone(
                    f"{self._target.url} is not what it was: of several equal updates it takes some, and others fail "
                    f"({like}), as if one of its instances were gone; what came after request {last:,} counts for "
                    "nothing",
                    last,
                )

    def _ask_whether_gone(self, account: int, *, reserve: bool = False) -> None:
        presence = self._presence
        for request, pause in presence.questions(account):
            time.sleep(pause)
            exchange, reply = self._send(replace(request, fresh=True), "", known_good=True, reserve=reserve)
            # A refusal is what we are finding out: it is recorded only once the target is known to be there.
            found = self._judge.violations(reply)
            is_alive = presence.is_alive(account)
            for violation in found if is_alive else ():
                self.note(violation, exchange, "answer/update")
            self._put_back(reply, "answer/update")
            self._recent.append(reply.exchange)
            if is_alive:
                return
        if not presence.is_alive(account):
            suspects = self._target.silence.suspects
            since = f" since request {suspects[0].number:,}" if suspects else ""
            # An account that is shut out accuses the target of nothing; what others have seen meanwhile counts.
            whose = f" for {self._judge.states[account].sid or f'account {account + 1}'}" if account else ""
            signs = presence.signs()
            raise Gone(
                f"{self._target.url} is not what it was{whose}: {presence.described(account)}{since}; what came "
                f"after request {signs[account]:,}{whose} counts for nothing",
                signs[account],
                signs,
            )

    def send_together(self, requests: Sequence[Request], cls: str) -> list[Judged]:
        """Send updates at the same time; judge each answer, except for settings that other updates may have set."""
        self._say_sent(cls)
        self._together = tuple(requests)
        expect_together(self._judge.states, requests)
        judged = []
        for exchange in self._target.send_together(requests):
            reply, seen = self._judge.violations_together(exchange, self._judge.states)
            violations = self._candidates.counted(seen)
            self._tell(cls, exchange, violations)
            self._recent.append(reply.exchange)
            judged.append(Judged(exchange, reply, violations))
        for exchange, _, found in judged:
            for violation in found:
                self.note(violation, exchange, cls)
        exchanges = [each.exchange for each in judged]
        # Where one update alone was not seen to be shown, it may be that none ever is.
        doubtful = {rule for rule, _, _ in self._candidates}
        doubtful.update(rule.id for rule in CATALOGUE if self._judge.evidence.missing(rule))
        for exchange, reply, _ in judged if not self._judge.states[0].is_random else ():
            before = self._judge.states[reply.request.account]
            for violation in beside_updates(reply, before, exchanges, doubtful):
                self.note(violation, exchange, cls)
        self._judge.record_together([reply for _, reply, _ in judged])
        for _, reply, _ in judged:
            self._put_back(reply, cls)
            self._check_health(reply.exchange, cls)
        return judged

    def try_again(
        self, requests: Iterable[Request], together: Sequence[Request] = (), before: Iterable[Request] = ()
    ) -> list[tuple[Exchange, list[Violation]]]:
        """
        Send requests, judge them by themselves alone, and record no violation.

        A counterexample must show the violation to a reader who does not know the earlier requests of the run.

        Args:
            requests: Sent one after the other.
            together: Sent before them, at the same time.
            before: Sent before those, one after the other.

        Returns:
            All exchanges in the order of sending, each with its violations.
        """
        states = states_of([each.sid for each in self._judge.states], is_partial=True)
        seen = [self._try(request, states) for request in before]
        if together:
            self._say_sent("")
            expect_together(states, together)
            exchanges = self._target.send_together(together)
            judged = [self._judge.violations_together(exchange, states) for exchange in exchanges]
            for reply, found in judged:
                found.extend(beside_updates(reply, states[reply.request.account], exchanges, ()))
            replies = [reply for reply, _ in judged]
            self._judge.record_together(replies)
            record_together(states, [(reply.exchange, reply.shown) for reply in replies])
            for reply in replies:
                self._put_back(reply, _UNDONE)
            seen += [(reply.exchange, violations) for reply, violations in judged]
        seen += [self._try(request, states) for request in requests]
        self.check_presence()
        return seen

    def _try(self, request: Request, states: Sequence[ExpectedState]) -> tuple[Exchange, list[Violation]]:
        time.sleep(request.after)  # the wait is a part of the counterexample
        exchange, reply = self._send(request, "")
        self._judge.violations(reply)
        violations = self._judge.violations_alone(reply, states)
        self._put_back(reply, _UNDONE)
        return exchange, violations

    def note(
        self,
        violation: Violation,
        exchange: Exchange,
        cls: str,
        shows: Callable[[Exchange], bool] | None = None,
    ) -> None:
        """Record a violation with the requests before it; see `Candidates.note`."""
        before, first = tuple(self._recent), self._opening
        if first is not None and first.connection == exchange.connection and first not in before:
            before = (first, *before)
        state = self._judge.states[exchange.request.account]
        past = Past(before, self._context, self._together, state.is_new(violation.field, exchange))
        self._candidates.note(violation, exchange, cls, past, shows)

    def _send(
        self, request: Request, cls: str, *, known_good: bool = False, reserve: bool = False
    ) -> tuple[Exchange, Reply]:
        self._say_sent(cls)
        exchange = self._target.send(request, known_good=known_good, reserve=reserve)
        if self._outages != self._target.silence.outages:
            self._outages = self._target.silence.outages
            forget(*self._judge.states)
        if exchange.place == 1 and not request.fresh:
            self._opening = exchange
        reply = self._judge.reply(exchange)
        self._presence.see(reply, known_good=known_good)
        self._failing.see(reply)
        self._wipes.see(reply)
        return exchange, reply

    def _say_sent(self, cls: str) -> None:
        self._listener(RequestSent(phase=self._phase, cls=cls, requests=self._target.requests))

    def _tell(self, cls: str, exchange: Exchange, violations: tuple[Violation, ...]) -> None:
        self._listener(ExchangeJudged(phase=self._phase, cls=cls, exchange=exchange, violations=violations))

    def _record(self, exchange: Exchange, reply: Reply, cls: str) -> None:
        for violation in self._judge.violations(reply):
            self.note(violation, exchange, cls)

    def _put_back(self, reply: Reply, cls: str) -> None:
        """On a live target, put a timer back at once that an exchange may have made shorter."""
        guard = self._safeguard.guard
        owed = guard.owed(reply.exchange, reply.shown) if guard is not None else None
        if owed is None:
            return
        for _ in range(_INSISTED):
            # The reserve is used, since a spent budget must not leave a timer short.
            exchange, answer = self._send(owed, cls, reserve=True)
            self._record(exchange, answer, cls)
            self._recent.append(answer.exchange)
            if exchange.accepted:
                return
        raise LeftShort(f"{(owed.body or b'').decode()} was in force and is not taken again")

    def _check_health(self, exchange: Exchange, cls: str) -> None:
        """Send an ordinary request after a failure or a 5xx: it must be accepted. The run ends if it cannot connect."""
        if not exchange.failed or self._safeguard.reading:
            return  # While the run reads settings, nothing may be written, as an ordinary request would.
        canary, reply = self.ask_ordinary(exchange, cls)
        self._record(canary, reply, cls)
        self._put_back(reply, cls)
        if canary.failed or (reply.is_due and not canary.accepted):
            self.note(unusable(canary, exchange), canary, cls, shows=lambda again: not again.accepted)
        self._recent.append(reply.exchange)

    def ask_ordinary(self, exchange: Exchange, cls: str = "") -> tuple[Exchange, Reply]:
        """
        Send an ordinary request after one that failed.

        If the target is out of service, wait for it.

        Raises:
            Gone: It does not come back.
        """
        request = replace(ordinary(exchange.request), fresh=True)
        asked = self._send(request, cls, known_good=True)
        if asked[0].status not in OUT:
            return asked
        self._ask_whether_gone(0)
        return self._send(request, cls, known_good=True)


def _is_early(reply: Reply) -> bool:
    """Whether an answer shows an unexpected value of a setting that its request did not send: maybe an old one."""
    sent = {name for name, _ in reply.form or ()}
    return reply.shown is not None and any(
        not reply.state.settings[name].matches(value)
        for name, value in reply.shown.items()
        if reply.state.settings[name].about.parameter not in sent
    )

"""Judges each exchange of a run by all exchanges before it; sends nothing."""

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from conformance.attribution.evidence import Gathered
from conformance.harness.candidates import cut, status_of
from conformance.http import Exchange, Request, is_usual
from conformance.model import TIMERS, Situation, Violation
from conformance.oracle.decisions import UNSET, FormDecision, Lengths, decide
from conformance.oracle.expected_state import ExpectedState, record_together, states_of
from conformance.rules import Reply, judge
from conformance.rules.reply import remembered
from conformance.rules.state import locked_out
from conformance.transport.target import TargetSettings

_TIMERS = frozenset(each.parameter for each in TIMERS)

_PICTURED = 2_000
"""Updates of one timer that are kept for a picture, at most. More marks cannot be distinguished in it."""

_UNSEEN = 32
"""Answers in a row that show no settings, after which the run reads the settings back."""


class TargetView(Protocol):
    """What the judge has to know of a target, such as `conformance.transport.target.Target`."""

    @property
    def settings(self) -> TargetSettings:
        """The settings, which name the accounts."""

    def leaks(self, exchange: Exchange) -> bool:
        """Whether an answer holds a token that its request did not."""


class Judge:
    """Judges the exchanges of one run, and keeps what the run knows of its target."""

    def __init__(self, target: TargetView) -> None:
        self._target = target
        sids = tuple(account.sid or "" for account in target.settings.accounts)
        self.situation = Situation(accounts=len(sids), account_sids=sids if all(sids) else ())
        self.states = states_of(sids)
        self.kinds: dict[str, Counter[str]] = {}
        """How often each status was seen, by kind of answer."""
        self.timers: deque[Exchange] = deque(maxlen=_PICTURED)
        """The last exchanges whose request set one timer and nothing else."""
        self._before: Exchange | None = None
        self._unseen = Counter[int]()
        """By account, the answers since its settings were last shown."""
        self.bugs: list[Exception] = []
        """Errors of the suite in judging answers. After one, the run has no verdict on what was not found broken."""
        self.evidence = Gathered()
        self.takes_shorter = False
        """Whether the target has taken a closed timer shorter than the inactive one, and shown both as sent."""
        self.refuses_shorter: bool | None = None
        """Whether the target refuses such a timer; None where nobody has asked it."""
        self._refused: set[tuple[str, str]] = set()
        self._taken: set[tuple[str, str]] = set()
        """Good parameters with their values: refused alone, and accepted beside others."""

    def serve(self, accounts: int) -> None:
        """Record the number of accounts that the target serves."""
        self.situation = replace(self.situation, accounts=accounts)

    def distrust(self) -> None:
        """Record that two reads differ though nothing was written between them."""
        for state in self.states:
            state.is_random = True

    def know(self, parameter: str, sids: frozenset[str] | None) -> None:
        """Record the only SIDs that the target accepts for a parameter; None where it accepts any."""
        known = dict(self.situation.sids)
        known.pop(parameter, None)
        if sids is not None:
            known[parameter] = sids
        self.situation = replace(self.situation, sids=known)

    def learn_shorter(self, reply: Reply) -> None:
        """Record the answer to a closed timer shorter than the inactive one."""
        self.takes_shorter, self.refuses_shorter = not reply.wrong, reply.exchange.refused

    def is_read_due(self, account: int) -> bool:
        """
        Whether the run should read the settings of an account back now.

        A refused request must change nothing, and only an answer that shows the settings can show that it did. Most
        requests are refused.
        """
        return self._unseen[account] >= _UNSEEN

    def was_read(self, account: int) -> None:
        """Record that settings were read back; if none were shown, another request would show none either."""
        self._unseen[account] = 0

    def reply(self, exchange: Exchange, state: ExpectedState | None = None) -> Reply:
        """
        Make the reply of an exchange: the exchange with everything that the rules need to judge it.

        It is judged by the expected state of its account, or by another one. That state must not have recorded it yet.
        """
        request = exchange.request
        own = self.states[request.account]
        return Reply(
            exchange=remembered(exchange),
            whole=exchange.response,
            form=request.form(),
            decision=self._decision(request, own.lengths()),
            state=own if state is None else state,
            account_sid=self._target.settings.accounts[request.account].sid,
            refused=self._refused,
            taken=self._taken,
            leaks=self._target.leaks(exchange),
            after=self._before,
        )

    def _decision(self, request: Request, lengths: Lengths) -> FormDecision | None:
        form = request.form() if request.method == "POST" and not request.query else None
        if form is None:
            return None
        # A target that takes a closed timer shorter than the inactive one still may compare each with what is in force.
        ratio = 1 if self.takes_shorter else 2
        return decide(form, known_sids=self.situation.sids, lengths=lengths, least_ratio=ratio)

    def violations(self, reply: Reply) -> list[Violation]:
        """Record an exchange; return its violations, judged by all exchanges before it."""
        exchange, pairs = reply.exchange, reply.form or ()
        self.kinds.setdefault(reply.kind, Counter())[status_of(exchange)] += 1
        if reply.decision is not None and len(pairs) == 1 and pairs[0][0] in _TIMERS:
            self.timers.append(exchange)
        reply.state.record(exchange)
        if reply.is_acceptable:
            if exchange.accepted and len(pairs) > 1:
                self._taken.update(pairs)
            if exchange.refused and len(pairs) == 1 and is_usual(reply.request):
                self._refused.add(pairs[0])
        self._before = exchange
        self._unseen[reply.request.account] += 1
        if reply.represents and reply.request.method == "POST":
            self._unseen[reply.request.account] = 0
        return self._judged(reply, is_evidence=True)

    def _judged(self, reply: Reply, *, is_evidence: bool = False) -> list[Violation]:
        try:
            found = [cut(violation) for violation in judge(reply)]
            if is_evidence:
                self.evidence.see(reply)
            return found
        except Exception as error:  # noqa: BLE001  # an answer that cannot be judged costs this answer alone
            self.bugs.append(error)
            return []

    def violations_alone(self, reply: Reply, states: Sequence[ExpectedState]) -> list[Violation]:
        """
        Judge an exchange by the requests of one counterexample, and by nothing before them.

        Args:
            reply: The exchange; `violations` has recorded it already.
            states: The expected states after those requests, by account. The exchange is recorded in them.
        """
        account = reply.request.account
        state, known = states[account], {**self.states[account].lengths(), **states[account].lengths()}
        # Where a closed timer may be shorter than the inactive one, it makes no difference which are in force.
        lengths = UNSET if self.takes_shorter else known
        alone = replace(reply, state=state, decision=self._decision(reply.request, lengths))
        state.record(reply.exchange)
        return self._judged(alone)

    def violations_together(
        self, exchange: Exchange, states: Sequence[ExpectedState]
    ) -> tuple[Reply, list[Violation]]:
        """
        Judge one of several updates at the same time, except for the settings that the others may have written.

        `states` are the models of the accounts. `record_together` records afterwards what all of them may have written.
        """
        reply = self.reply(exchange, states[exchange.request.account].beside())
        return reply, [
            locked_out(violation) if violation.outcome == "refused" else violation
            for violation in self._judged(reply)
        ]

    def record_together(self, replies: Sequence[Reply]) -> None:
        """Record what several updates at the same time may have written."""
        record_together(self.states, [(reply.exchange, reply.shown) for reply in replies])


def expect_together(states: Sequence[ExpectedState], requests: Sequence[Request]) -> None:
    """Take note of requests that are sent at the same time: the answer to each may show the values of the others."""
    for request in requests:
        states[request.account].expect(request)

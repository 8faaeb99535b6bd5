"""The judgement of each exchange of a run, given all that came before it; nothing here sends anything."""

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import replace

from conformance.attribution.evidence import Gathered
from conformance.harness.candidates import shortened, status_of
from conformance.http import Exchange, update
from conformance.model import TIMERS, Situation, Violation
from conformance.oracle.decisions import Answer, decide
from conformance.oracle.expected_state import ExpectedState, states_of
from conformance.rules import Reply, judge
from conformance.rules.reply import remembered
from conformance.rules.state import locked_out
from conformance.transport.target import Target

_TIMERS = frozenset(each.parameter for each in TIMERS)

_PICTURED = 2_000
"""Updates of one timer that are kept for a picture: more marks than that cannot be told apart."""

_UNSEEN = 32
"""Answers in a row that show no settings, after which the run looks whether one of the requests had written."""


class Unseen:
    """
    Says when the run should look at the settings.

    A refusal must change nothing, and only an answer that shows the settings tells whether it did. Most requests are
    refused, so the run counts the answers since it last saw the settings, and looks when there are too many.
    """

    def __init__(self) -> None:
        self._answers = 0

    def count(self, reply: Reply) -> None:
        """Take note of an answer."""
        shows = reply.represents and reply.request.method == "POST"
        self._answers = 0 if shows else self._answers + 1

    @property
    def is_due(self) -> bool:
        """Whether the run should look now."""
        return self._answers >= _UNSEEN

    def looked(self) -> None:
        """Count from the beginning, even where nothing was shown: to ask at every turn shows no more."""
        self._answers = 0


class Judge:
    """
    What one run knows of its target, and what it makes of each exchange.

    Args:
        target: Says which accounts there are, and whether an answer holds a token.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        sids = tuple(account.sid or "" for account in target.settings.accounts)
        self.situation = Situation(accounts=len(sids), account_sids=sids if all(sids) else ())
        self.states = states_of(len(sids))
        self.kinds: dict[str, Counter[str]] = {}
        """By kind of answer, how often each status was seen."""
        self.timers: deque[Exchange] = deque(maxlen=_PICTURED)
        """The last updates of one timer alone."""
        self.unseen = Unseen()
        self.evidence = Gathered()
        self._refused: set[tuple[str, str]] = set()
        self._taken: set[tuple[str, str]] = set()

    def serve(self, accounts: int) -> None:
        """Take note of how many of the accounts the target serves."""
        self.situation = replace(self.situation, accounts=accounts)

    def distrust(self) -> None:
        """Take note that reads differ though nothing was written."""
        for state in self.states:
            state.is_random = True

    def know(self, parameter: str, sids: frozenset[str] | None) -> None:
        """Take note of the only SIDs that the target takes for a parameter; None: it takes any well-formed one."""
        known = dict(self.situation.sids)
        known.pop(parameter, None)
        if sids is not None:
            known[parameter] = sids
        self.situation = replace(self.situation, sids=known)

    def reply(self, exchange: Exchange, state: ExpectedState | None = None) -> Reply:
        """
        Put an exchange together with what is known about it.

        Args:
            exchange: As it came; what it may have written must not be recorded yet.
            state: The expected state that it is judged by; without it, that of the request's account.
        """
        request, decision = exchange.request, None
        own, form = self.states[request.account], request.form()
        if form is not None and request.method == "POST" and not request.query:
            decision = decide(form, known_sids=self.situation.sids, lengths=own.lengths())
        return Reply(
            exchange=remembered(exchange),
            whole=exchange.response,
            form=form,
            decision=decision,
            state=own if state is None else state,
            account_sid=self._target.settings.accounts[request.account].sid,
            refused=self._refused,
            taken=self._taken,
            leaks=self._target.leaks(exchange),
        )

    def violations(self, reply: Reply) -> list[Violation]:
        """Record an exchange; returns what it violates, given all that came before it."""
        exchange, pairs = reply.exchange, reply.form or ()
        self.kinds.setdefault(reply.kind, Counter())[status_of(exchange)] += 1
        if reply.decision is not None and len(pairs) == 1 and pairs[0][0] in _TIMERS:
            self.timers.append(exchange)
        reply.state.record(exchange, authorised=reply.authorised)
        if reply.decision is not None and reply.decision.answer is Answer.ACCEPT:
            if exchange.status == 200 and len(pairs) > 1:
                self._taken.update(pairs)
            plain = reply.request == replace(update(*pairs), account=reply.request.account)
            if exchange.refused and len(pairs) == 1 and plain:
                self._refused.add(pairs[0])
        self.unseen.count(reply)
        found = [shortened(violation) for violation in judge(reply)]
        self.evidence.see(reply)
        return found

    def violations_alone(self, reply: Reply, states: Sequence[ExpectedState]) -> list[Violation]:
        """
        What an exchange violates by what the requests of one counterexample establish, and nothing before them.

        Args:
            reply: The exchange, recorded already.
            states: By account, what those requests have established so far.
        """
        state = states[reply.request.account]
        state.record(reply.exchange, authorised=reply.authorised)
        return [shortened(violation) for violation in judge(replace(reply, state=state))]

    def violations_together(self, exchange: Exchange) -> tuple[Reply, list[Violation]]:
        """
        Judge one of several updates at the same time, but for what the others may have written.

        What all of them may have written is recorded afterwards, with `record_together`.
        """
        reply = self.reply(exchange, ExpectedState())
        return reply, [
            locked_out(violation) if violation.outcome == "refused" else violation
            for violation in judge(reply)
        ]

    def record_together(self, replies: Sequence[Reply]) -> None:
        """Record what several updates at the same time may have written."""
        state = self.states[replies[0].request.account]
        state.record_together([reply.exchange for reply in replies], [reply.shown for reply in replies])

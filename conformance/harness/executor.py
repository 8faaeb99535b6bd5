"""
Runs a catalogue of rules against a target and reports the verdicts.

A run has these parts:

    preflight, examples, generated, schemathesis, confirmation, restore, verdicts
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from conformance.exceptions import BudgetExhausted, Gone, NoVerdict, TargetDead, Unimplemented
from conformance.harness import observations, verdicts
from conformance.harness.budget import Budget
from conformance.harness.confirmation import Confirmation
from conformance.harness.events import Listener, RunFinished, RunStarted
from conformance.harness.packages import versions
from conformance.harness.phases import Phases
from conformance.harness.preflight import examine, learn_sids, look_at_others, probe_unset, write_first
from conformance.harness.schedule import Plan, of_other_shards, share
from conformance.harness.session import Session
from conformance.harness.verdicts import End, How, Results, end_by
from conformance.http import Exchange
from conformance.model import Outcome, Report, Restore, Rule
from conformance.rules.robustness import EVERY_ANSWERED, is_absence
from conformance.safety.journal import Settings
from conformance.safety.safeguard import Safeguard
from conformance.transport.silence import without_answer
from conformance.transport.target import Target

__all__ = ["Plan", "run"]

_UNSET = {"quick": (1,), "standard": (2, 1), "thorough": (4, 4)}
"""
By account, the values that must be rejected and are sent to each setting while it is null.

The quick profile has few requests to spare.
"""


def run(
    catalogue: Sequence[Rule],
    target: Target,
    plan: Plan,
    *,
    listener: Listener = lambda event: None,
    safeguard: Safeguard | None = None,
) -> Report:
    """
    Judge a target, which is open, by a catalogue of rules; others are neither exercised nor reported.

    The settings that were in force before are put back at the end. With a safeguard they are also kept meanwhile.

    Returns:
        A report, whatever the target does. An interrupt ends the run early, after the restore.
    """
    listener(RunStarted(target=target.settings.url, profile=plan.profile, seed=plan.seed))
    report = _Run(catalogue, target, plan, listener, safeguard or Safeguard()).report()
    listener(RunFinished(report=report))
    return report


class _Run:
    def __init__(
        self, catalogue: Sequence[Rule], target: Target, plan: Plan, listener: Listener, safeguard: Safeguard
    ) -> None:
        self._catalogue = catalogue
        self._plan = plan
        self._lacks = plan.lacks(target)
        able = [rule for rule in catalogue if rule.needs not in self._lacks]
        self._session = Session(
            target, [rule.id for rule in able], settle=plan.settle, listener=listener, safeguard=safeguard
        )
        budget = Budget(target, plan, self._session.candidates, safeguard)
        self._share = share(catalogue, plan)
        self._phases = Phases(catalogue, plan, self._session, budget, self._share)
        self._confirmation = Confirmation(self._session, budget, listener)
        self._before: Sequence[Settings | None] = ()

    def report(self) -> Report:
        """Send everything, put the settings back, and report the verdicts."""
        started, clock = datetime.now(UTC), time.perf_counter()
        end, restored = End(), Restore()
        silence = self._session.target.silence
        unanswered: tuple[Exchange, ...] = ()
        try:
            self._send_all()
        except (KeyboardInterrupt, Exception) as error:  # noqa: BLE001  # After a bug of the suite the report still has all findings.
            unanswered = silence.suspects if isinstance(error, TargetDead | Gone) else ()
            end = end_by(error, "" if unanswered else self._last_request())
            self._forget_after(error)
        finally:
            # The settings are put back whatever ended the run, even after a second interrupt.
            restored, is_interrupted = self._session.restorer().put_back()
            if is_interrupted:
                end = end.interrupted()
            elif not end.is_interrupted and not unanswered and (unanswered := silence.suspects):
                gone = silence.line(self._session.target.url)
                end = replace(end, reason="; ".join(filter(None, (end.reason, gone))))
                if silence.is_out:  # what a proxy has answered in its place accuses it of nothing
                    end = replace(end, how=How.WITHOUT_VERDICT)
                    self._forget_after(Gone(gone, silence.answered))
            self._confirmation.give_up()
        if self._session.judge.bugs and end == End():
            end = end_by(self._session.judge.bugs[0], self._last_request())
        if unanswered:
            self._session.judge.evidence.doubt(
                EVERY_ANSWERED, f"{without_answer(unanswered)}, nor did any after"
            )
        plan, target = self._plan, self._session.target
        outcomes = self._outcomes(end)
        return Report(
            verdict=verdicts.verdict(outcomes, end),
            exit_code=verdicts.exit_code(outcomes, end, restored, plan),
            target=target.settings.url,
            profile=plan.profile,
            seed=plan.seed,
            requests=target.requests,
            started_at=started.isoformat(timespec="seconds").replace("+00:00", "Z"),
            duration=time.perf_counter() - clock,
            outcomes=outcomes,
            observations=(
                *self._phases.open_inputs.described(),
                *observations.described(self._session.judge),
                *observations.dropped(self._confirmation.dropped, self._session.target.requests),
            ),
            restore=restored,
            timers=tuple(self._session.judge.timers),
            unanswered=unanswered,
            stopped=end.reason,
            notices=tuple(_notices(self._session.safeguard, end)),
            settings={
                "fail_on": str(plan.fail_on),
                "max_requests": target.settings.max_requests,
                "settle": plan.settle,
                "accounts": len(target.settings.accounts),
                **({"shard": "{}/{}".format(*plan.shard)} if plan.shard != (1, 1) else {}),
            },
            versions=versions(self._catalogue),
        )

    def _send_all(self) -> None:
        session, plan = self._session, self._plan
        session.conversation.enter("preflight")
        self._before = examine(session)
        try:
            if probe_unset(session, self._before, each_setting=_UNSET[plan.profile]):
                self._confirmation.confirm()
            if plan.profile != "quick":
                write_first(session, self._before)
            learn_sids(session, plan.provisioned)
            if plan.profile != "quick":
                look_at_others(session)
            self._phases.send_all()
        except BudgetExhausted:
            pass
        try:
            self._phases.catch_up()
        except BudgetExhausted:
            self._check_still_there()
            raise
        session.conversation.enter("confirmation")
        self._confirmation.confirm()
        self._check_still_there()

    def _check_still_there(self) -> None:
        """Make sure that the target is still there: one that went away a moment ago is not accused of it."""
        self._session.conversation.check_still_there()
        self._session.conversation.check_not_replaced(self._confirmation.findings)

    def _forget_after(self, error: BaseException) -> None:
        """Drop the candidates that are no deviations, since the error that ended the run explains them."""
        candidates = self._session.candidates
        match error:
            case NoVerdict():  # A target that is not there, or lets nobody in, deviates from nothing.
                candidates.keep(lambda each: False)
            case Unimplemented():
                candidates.keep(lambda each: is_absence(each.violation))
            case Gone() as gone:
                candidates.keep(lambda each: _counts(gone, each.exchange, each.exchange.number))
                self._confirmation.keep(lambda each: _counts(gone, each.exchanges[-1], each.first))
                self._session.judge.evidence.keep(lambda each: _counts(gone, each, each.number))
            case TargetDead():  # A failure after the last answer shows only that the target went away.
                answered = self._session.target.silence.answered
                candidates.keep(
                    lambda each: each.exchange.failure is None or each.exchange.number <= answered
                )

    def _last_request(self) -> str:
        recent = self._session.conversation.recent
        if not recent:
            return ""
        last = recent[-1]
        return f"; last request: {last.request.method} {(last.request.body or b'')[:120]!r}"

    def _outcomes(self, end: End) -> tuple[Outcome, ...]:
        session = self._session
        results = Results(
            catalogue=self._catalogue,
            findings=self._confirmation.findings,
            tallies=session.tallies,
            kinds=session.judge.kinds,
            evidence=session.judge.evidence,
            left_out=session.safeguard.left_out,
            accounts=session.situation.accounts,
            lacks=self._lacks,
            was_reached=bool(self._before),
            end=end,
            of_other_shards=of_other_shards(self._catalogue, self._share),
        )
        outcomes = (verdicts.outcome(results, rule) for rule in self._catalogue)
        return tuple(each for each in outcomes if each.reason != verdicts.OF_ANOTHER_SHARD)


def _counts(gone: Gone, exchange: Exchange, number: int) -> bool:
    return gone.counts(number, exchange.request.account)


def _notices(safeguard: Safeguard, end: End) -> Iterator[str]:
    yield from safeguard.notices
    if names := safeguard.left_out:
        yield f"left out, since a timer would have to stay shorter than it was: {', '.join(names)}"
    if end.bug:
        yield end.bug

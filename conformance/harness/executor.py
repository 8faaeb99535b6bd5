"""
The only executor: runs a catalogue against a target and says what held.

    preflight, breadth, depth, schema-driven layer, witnesses, restore, verdicts

Breadth sends explicit examples, the first of every class before the second of any; depth draws more with
Hypothesis; then each finding is shown again and made small. Nothing that is generated depends on an answer,
other than the SIDs that the target takes.
"""

import platform
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version

from conformance.exceptions import (
    BudgetExhausted,
    Garbled,
    LeftShort,
    NoVerdict,
    RateLimitedOut,
    TargetDead,
    Unimplemented,
    Unsafe,
)
from conformance.harness import observations as observe
from conformance.harness.generation import generate, run_machine
from conformance.harness.minimizer import REQUESTS, Witness
from conformance.harness.preflight import Findings, learn_sids, look_around, probe_unset
from conformance.harness.schedule import Item, owner_of, planned, side_by_side
from conformance.harness.session import Draft, Session
from conformance.http import Exchange, FailureKind, Request
from conformance.model import (
    ClassOutcome,
    Finding,
    InputClass,
    Level,
    Outcome,
    Probe,
    Report,
    Restore,
    Rule,
    Verdict,
    Violation,
)
from conformance.rules import BY_ID
from conformance.rules.openapi import GENERATED
from conformance.safety.safeguard import Safeguard
from conformance.transport.target import Target

_STEPS = 8
"""Requests in a sequence of the state machine, at most."""

_UNSET = {"quick": 1, "standard": 4, "thorough": 4}
"""Values to be rejected that are sent to each setting while it is null."""

_GENERATED = {"quick": 1, "standard": 30, "thorough": 1_000}
"""Cases of the schema-driven layer."""

_FOR_WITNESSES = {"quick": 16, "standard": REQUESTS, "thorough": REQUESTS}
"""Requests that breadth and depth leave for showing findings again, for each cause seen; a quarter of all at most."""

_HANGS = 2
"""Examples of a class that may go unanswered until the timeout: more of them cost minutes, and tell nothing new."""

_LEAST = 15
"""Requests that a finding may have in any case: to be shown again, made small, and asked about."""

_UNSTABLE = 3
"""Findings of a kind that do not show again, after which others of it are hardly tried."""

_TWICE = 3
"""Requests for those: once, and twice more."""

_WAITING = 8
"""Requests at most to show a finding again that takes the whole timeout each time."""

BUG = "a bug of the suite"
"""How the reason begins for which a run was ended by an error of ours."""

Judged = Callable[[str, str, Exchange, Sequence[Violation]], None]
"""Called with the phase, the class in hand, an exchange, and what it violates of the catalogue."""

Progress = Callable[[str, str, int], None]
"""Called with the phase, the class in hand and the requests sent so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run is to do."""

    profile: str = "standard"
    seed: int = 0
    fail_on: Level = Level.MUST
    settle: float = 0.0
    provisioned: Mapping[str, str | None] = field(default_factory=dict)
    """By parameter, the SID of a service that the account has."""
    first: tuple[tuple[str, tuple[Request, ...]], ...] = ()
    """Sent before all that is generated: the witnesses of known deviations, each as the input class it is of."""
    fail_fast: bool = False
    """Whether the first deviation at or above `fail_on` ends breadth and depth."""
    drawn: dict[str, list[Probe]] | None = None
    """Keeps what Hypothesis draws, for further runs in this process: it depends on the seed and the situation alone."""


class _Enough(Exception):
    """Breadth and depth have sent what they may, or found what was asked for."""


def run(
    catalogue: Sequence[Rule],
    target: Target,
    plan: Plan,
    *,
    progress: Progress = lambda phase, cls, requests: None,
    judged: Judged = lambda phase, cls, exchange, violations: None,
    safeguard: Safeguard | None = None,
) -> Report:
    """
    Judge a target by a catalogue of rules.

    Args:
        catalogue: the rules; others are neither exercised nor told.
        target: the target, open.
        plan: what to do.
        progress: told before every request.
        judged: told of every exchange that was judged.
        safeguard: what is promised about the settings found; without it they are put back, and no more.

    Returns:
        A report, whatever the target does; an interrupt ends the run early, after the restore.
    """
    return _Run(catalogue, target, plan, progress, judged, safeguard or Safeguard()).report()


class _Run:
    def __init__(
        self,
        catalogue: Sequence[Rule],
        target: Target,
        plan: Plan,
        progress: Progress,
        judged: Judged,
        safeguard: Safeguard,
    ) -> None:
        self._catalogue = catalogue
        self._target = target
        self._plan = plan
        self._phase = "preflight"
        self._session = Session(
            target,
            [rule.id for rule in catalogue],
            settle=plan.settle,
            progress=lambda cls: progress(self._phase, cls, target.requests),
            judged=lambda cls, exchange, violations: judged(self._phase, cls, exchange, violations),
            safeguard=safeguard,
        )
        self._safeguard = safeguard
        self._limit = target.settings.max_requests
        self._found = Findings()
        self._findings: list[Finding] = []
        self._rows: list[tuple[Rule, InputClass, Sequence[Probe], int]] = []
        self._later: list[tuple[float, str, Request]] = []
        self._steady, self._unstable = Counter[str](), Counter[str]()
        self._moved: dict[str, Finding | None] = {}
        self._stopped = self._bug = ""
        self._no_verdict = self._interrupted = False
        self._unimplemented = False

    def report(self) -> Report:
        started, clock = datetime.now(UTC), time.perf_counter()
        restored = Restore()
        try:
            self._judge()
        except KeyboardInterrupt:
            self._stopped, self._interrupted = "interrupted", True
        except Exception as error:  # noqa: BLE001  # a bug of ours is no verdict, and loses nothing
            self._stopped, self._no_verdict = f"{BUG}: {error!r}", True
            self._bug = "".join(traceback.format_exception(error))
        finally:
            # Whatever ended the run, a second interrupt included: what was changed is put back.
            self._phase = "restore"
            restored, interrupted = self._session.restorer().put_back()
            if interrupted:
                self._stopped, self._interrupted = "interrupted", True
            for draft in self._new_drafts():  # those that there was no time, or no target, to show again
                self._settle(draft, Witness(self._session, draft).as_seen())
        outcomes = tuple(self._outcome(rule) for rule in self._catalogue)
        verdict, code = self._verdict(outcomes, restored)
        return Report(
            verdict=verdict,
            exit_code=code,
            target=self._target.settings.url,
            profile=self._plan.profile,
            seed=self._plan.seed,
            requests=self._target.requests,
            started_at=started.isoformat(timespec="seconds").replace("+00:00", "Z"),
            duration=time.perf_counter() - clock,
            outcomes=outcomes,
            observations=tuple(observe.describe(self._session)),
            restore=restored,
            timers=tuple(self._session.timers),
            stopped=self._stopped,
            notices=(*self._safeguard.notices, *self._left_out(), *((self._bug,) if self._bug else ())),
            settings={
                "fail_on": str(self._plan.fail_on),
                "max_requests": self._limit,
                "settle": self._plan.settle,
                "accounts": len(self._target.settings.accounts),
            },
            versions=_versions(),
        )

    def _judge(self) -> None:
        try:
            self._found = look_around(self._session)
            try:
                if probe_unset(self._session, self._found, each_setting=_UNSET[self._plan.profile]):
                    self._confirm(self._new_drafts())
                learn_sids(self._session, self._plan.provisioned)
                for cls, requests in self._plan.first:
                    if self._is_spent(len(requests)):
                        raise _Enough
                    for request in requests:
                        self._session.send(request, cls)
                self._breadth()
                self._depth()
                self._schema_driven()
            except (_Enough, BudgetExhausted):
                pass
            self._catch_up()
            self._phase = "witnesses"
            self._confirm(self._new_drafts())
        except Garbled as error:
            self._stopped = str(error)
        except (NoVerdict, Unsafe) as error:
            self._stopped, self._no_verdict = str(error), True
            self._session.drafts.clear()  # what is not there, or lets nobody in, deviates from nothing
        except (TargetDead, RateLimitedOut, LeftShort) as error:
            self._stopped, self._no_verdict = f"{error}{self._last_request()}", True
            if isinstance(error, TargetDead):
                self._session.forget_last_failures()
        except Unimplemented as error:
            self._stopped, self._unimplemented = str(error), True
            for key in [key for key in self._session.drafts if key[0] != "implemented"]:
                del self._session.drafts[key]
        except BudgetExhausted as error:
            self._stopped = str(error)

    def _last_request(self) -> str:
        last = self._session.last
        if last is None:
            return ""
        return f"; last request: {last.request.method} {(last.request.body or b'')[:120]!r}"

    # Breadth

    def _breadth(self) -> None:
        self._phase = "breadth"
        # What must hold comes first: if the budget ends early, it is what only should hold that was not run.
        catalogue = sorted(self._catalogue, key=lambda rule: rule.level is not Level.MUST)
        self._rows = list(planned(catalogue, self._plan.profile, self._session.situation))
        for level in (Level.MUST, Level.SHOULD):
            self._send_first(
                [
                    Item(rule, cls, probe)
                    for rule, cls, probes, _ in self._rows
                    for probe in probes[:1]
                    if rule.level is level
                ]
            )
        if self._plan.profile != "quick":
            observe.probe(self._session)
        for rule, cls, probes, _ in self._rows:
            for probe in probes[1:]:
                self._send(Item(rule, cls, probe))

    def _send_first(self, items: Sequence[Item]) -> None:
        due = [item for item in items if self._is_due(item)]
        for group in side_by_side(due, self._session.situation.sids):
            self._go_on(1 + self._safeguard.cost([item.probe.steps[0] for item in group]))
            self._session.run_side_by_side(group)
        for item in items:
            if self._is_due(item):
                self._send(item)

    def _is_due(self, item: Item) -> bool:
        """Whether neither preflight has sent the class, nor others have brought such answers."""
        return item.key not in self._session.tallies and item.cls.id not in self._session.kinds

    def _send(self, item: Item) -> None:
        probe, tally = item.probe, self._session.tallies.get(item.key)
        if tally is not None and tally.statuses[FailureKind.TIMEOUT] >= _HANGS:
            return
        if not self._safeguard.admits(probe, item.cls.id):
            return
        self._go_on(self._safeguard.cost(probe.steps))
        if probe.pause:
            self._session.run_probe(replace(probe, steps=probe.steps[:-1], pause=0.0), *item.key)
            self._later.append((time.monotonic() + probe.pause, item.cls.id, probe.steps[-1]))
        else:
            self._session.run_probe(probe, *item.key)

    def _go_on(self, requests: int) -> None:
        """
        See whether so many requests may be sent.

        Raises:
            _Enough: the budget is spent, or the first deviation was asked for and is there.
        """
        failed = any(self._fails(BY_ID[rule].level) for rule, _, _ in self._session.drafts)
        if self._is_spent(requests) or (self._plan.fail_fast and failed):
            raise _Enough

    def _catch_up(self) -> None:
        """Send the last steps that had to wait."""
        for due, cls, step in self._later:
            time.sleep(max(0.0, due - time.monotonic()))
            self._session.send(step, cls)
        self._later.clear()

    def _is_spent(self, requests: int) -> bool:
        """Whether sending more would take from what is kept for the witnesses."""
        if self._limit is None:
            return False
        causes = len({draft.cause for draft in self._session.drafts.values()})
        kept = min(_FOR_WITNESSES[self._plan.profile] * causes, self._limit // 4)
        return self._target.requests + requests > self._limit - kept

    # Depth

    def _depth(self) -> None:
        self._phase = "depth"
        for rule, cls, probes, count in self._rows:
            if count:
                self._draw(rule, cls, {probe.steps for probe in probes}, count)

    def _draw(self, rule: Rule, cls: InputClass, seen: set[tuple[Request, ...]], count: int) -> None:
        key = f"{self._plan.seed}:{rule.id}:{cls.id}:{count}:{self._session.situation}"
        kept = self._plan.drawn if self._plan.drawn is not None else {}
        if key not in kept:
            kept[key] = self._drawn(rule, cls, count)
        for probe in kept[key]:
            if probe.steps not in seen:
                seen.add(probe.steps)
                self._send(Item(rule, cls, probe))

    def _drawn(self, rule: Rule, cls: InputClass, count: int) -> list[Probe]:
        seed, situation = f"{self._plan.seed}:{rule.id}:{cls.id}", self._session.situation
        if (machine := cls.machine) is not None:
            return run_machine(partial(machine, situation), seed=seed, count=count, steps=_STEPS)
        return [] if cls.strategy is None else generate(cls.strategy(situation), seed=seed, count=count)

    def _schema_driven(self) -> None:
        count = _GENERATED[self._plan.profile]
        if not count or not any(rule.group == "openapi" for rule in self._catalogue):
            return
        from conformance.harness.schemathesis_phase import (
            cases,  # imports schemathesis, which takes a second
        )

        self._phase = "openapi"
        owner = next(rule.id for rule in self._catalogue if rule.group == "openapi")
        for request, check in cases(self._session, count=count, seed=self._plan.seed):
            if self._is_spent(1):
                return
            check(self._session.run_probe(Probe(steps=(request,)), owner, GENERATED.id)[-1])

    # Witnesses

    def _new_drafts(self) -> list[Draft]:
        """Those of MUST rules first; among them the first of every cause before the second of any."""
        turns = Counter[str]()
        new = []
        for draft in self._session.drafts.values():
            if not draft.settled:
                new.append((BY_ID[draft.violation.rule].level is not Level.MUST, turns[draft.cause], draft))
                turns[draft.cause] += 1
        return [draft for _, _, draft in sorted(new, key=lambda each: each[:2])]

    def _confirm(self, drafts: Sequence[Draft]) -> None:
        to_come = Counter(draft.cause for draft in drafts)
        for draft in drafts:
            kind = f"{draft.violation.rule}: {draft.violation.outcome}"
            budget = self._share(len(to_come))
            to_come -= Counter([draft.cause])  # which drops a cause that none is left of
            # What comes and goes does so everywhere; what shows every time is something else.
            if self._unstable[kind] >= _UNSTABLE:
                budget = _TWICE
            if draft.exchange.failure is not None and draft.exchange.failure.kind is FailureKind.TIMEOUT:
                budget = min(budget, _WAITING)
            witness = Witness(self._session, draft, budget)
            finding = witness.finding()
            if witness.tried:
                (self._steady if finding.stable else self._unstable)[kind] += 1
            elif self._unstable[kind] > self._steady[kind]:
                finding = replace(finding, stable=False)  # as most of its kind that could be tried
            if witness.asked:
                moves = finding.rule != draft.violation.rule
                self._moved[draft.cause] = self._moved.get(draft.cause, finding) if moves else None
            elif (finding.stable or not witness.tried) and (same := self._moved.get(draft.cause)):
                # No request was left to ask which rule it breaks: the one that all others of its cause did.
                finding = replace(
                    finding, rule=same.rule, level=same.level, outcome=same.outcome, cause=same.cause
                )
            self._settle(draft, finding)

    def _share(self, causes: int) -> int:
        """The requests that one finding may have, so that those of other causes get theirs."""
        if self._limit is None:
            return REQUESTS
        return min(REQUESTS, max(_LEAST, (self._limit - self._target.requests) // causes))

    def _settle(self, draft: Draft, finding: Finding) -> None:
        """Keep a finding, or count it with the one that it turned out to be."""
        draft.settled = True
        moved = finding.rule != draft.violation.rule
        witness = [each.request for each in finding.exchanges]
        for index, other in enumerate(self._findings):
            if (other.rule, other.outcome) == (finding.rule, finding.outcome) and (
                moved or other.cls == finding.cls or [each.request for each in other.exchanges] == witness
            ):
                # The class that is the rule's own, and comes first there, names it: in every run the same.
                kept = other if moved else min(other, finding, key=_place)
                self._findings[index] = replace(
                    kept, count=other.count + finding.count, first=min(other.first, finding.first)
                )
                return
        self._findings.append(finding)

    # Verdicts

    def _outcome(self, rule: Rule) -> Outcome:
        findings = tuple(finding for finding in self._findings if finding.rule == rule.id)
        classes = tuple(self._class_outcome(rule, cls) for cls in rule.classes)
        examples = sum(each.examples for each in classes)
        verdict, reason = Verdict.CONFORMANT, ""
        if not self._found.before and not findings:  # nothing to judge: one odd answer decides no rule
            return Outcome(rule=rule, verdict=Verdict.NOT_RUN, reason=self._stopped)
        if self._unimplemented and findings:
            verdict = Verdict.UNIMPLEMENTED
        elif findings:
            if not any(finding.stable for finding in findings):
                verdict = Verdict.UNSTABLE
            else:
                verdict = Verdict.DEVIATION if rule.level is Level.MUST else Verdict.NON_STRICT
        elif not examples:
            verdict, reason = Verdict.NOT_RUN, self._why_not(rule)
        elif undecided := self._why_undecided(rule):
            verdict, reason = Verdict.UNDECIDED, undecided
        return Outcome(
            rule=rule, verdict=verdict, examples=examples, reason=reason, classes=classes, findings=findings
        )

    def _class_outcome(self, rule: Rule, cls: InputClass) -> ClassOutcome:
        if cls.id.startswith("answer/"):
            statuses = self._session.kinds.get(cls.id, Counter[str]())
            return ClassOutcome(
                id=cls.id, reason=cls.reason, examples=sum(statuses.values()), statuses=dict(statuses)
            )
        tally = self._session.tallies.get(owner_of(self._catalogue, rule, cls.id))
        return ClassOutcome(
            id=cls.id,
            reason=cls.reason,
            examples=tally.examples if tally else 0,
            statuses=dict(tally.statuses) if tally else {},
        )

    def _why_not(self, rule: Rule) -> str:
        left_out = self._safeguard.left_out
        if left_out and all(cls.id in left_out for cls in rule.classes):
            return "left out on a live target: a timer would have to stay shorter than it was"
        if self._stopped:
            return self._stopped
        if all(cls.id.startswith("answer/") for cls in rule.classes):
            return "no such answer was seen"
        if rule.id == "accounts-apart" and self._session.situation.accounts < 2:
            return "needs a second account: set CONFORMANCE_ACCOUNTS"
        return "the budget of requests was spent before"

    def _left_out(self) -> Iterator[str]:
        if names := self._safeguard.left_out:
            yield f"left out, since a timer would have to stay shorter than it was: {', '.join(names)}"

    def _why_undecided(self, rule: Rule) -> str:
        statuses = {status for kinds in self._session.kinds.values() for status in kinds}
        if rule.id == "challenge" and "401" not in statuses:
            return "no 401 was seen"
        if rule.id == "allow-header" and "405" not in statuses:
            return "no 405 was seen"
        owners = {owner_of(self._catalogue, rule, cls.id) for cls in rule.classes}
        if rule.group in ("timers", "sids") and not any(
            tally.decided for owner, tally in self._session.tallies.items() if owner in owners
        ):
            if rule.group == "sids":
                return "the target refuses SIDs of services it does not know: name one it knows"
            return "nothing that was sent decides it"
        return ""

    def _fails(self, level: Level) -> bool:
        return level is Level.MUST or self._plan.fail_on is Level.SHOULD

    def _verdict(self, outcomes: Sequence[Outcome], put_back: Restore) -> tuple[Verdict, int]:
        if self._unimplemented:
            return Verdict.UNIMPLEMENTED, 130 if self._interrupted else 1
        levels = [
            (outcome.rule.level, finding.stable) for outcome in outcomes for finding in outcome.findings
        ]
        failing = [level for level, _ in levels if self._fails(level)]
        exercised = any(outcome.examples for outcome in outcomes)
        if any(level is Level.MUST and stable for level, stable in levels):
            verdict = Verdict.DEVIATION
        elif any(level is Level.MUST for level, _ in levels):
            verdict = Verdict.UNSTABLE
        elif self._no_verdict or self._interrupted:
            verdict = Verdict.ERROR if self._no_verdict else Verdict.NOT_RUN
        elif levels:
            verdict = Verdict.NON_STRICT
        else:
            verdict = Verdict.CONFORMANT if exercised else Verdict.NOT_RUN
        code = next(
            code
            for code, applies in (
                (130, self._interrupted),
                (4, put_back.state == "failed"),
                (1, bool(failing)),
                (3, self._no_verdict),
                (5, not exercised),
                (0, True),
            )
            if applies
        )
        return verdict, code


def _place(finding: Finding) -> tuple[int, str]:
    classes = [cls.id for cls in BY_ID[finding.rule].classes]
    return (classes.index(finding.cls) if finding.cls in classes else len(classes), finding.cls)


def _versions() -> dict[str, str]:
    packages = ("twilio-configuration-conformance", "hypothesis", "httpcore", "jsonschema", "schemathesis")
    return {"python": platform.python_version(), **{name: version(name) for name in packages}}

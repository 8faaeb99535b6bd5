"""Decides the verdict on each rule and on the whole run, by pure functions of the results of the run."""

import traceback
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from conformance.attribution.evidence import Gathered
from conformance.exceptions import AlwaysFails, BudgetExhausted, Garbled, Lost, NoVerdict, Unimplemented
from conformance.harness.candidates import Tally
from conformance.harness.packages import is_exercisable
from conformance.harness.schedule import Plan, owner_of
from conformance.model import ClassOutcome, Finding, InputClass, Level, Outcome, Restore, Rule, Verdict
from conformance.rules.probes import ANSWERS

OF_ANOTHER_SHARD = "another shard sends its inputs"
"""The reason of a rule of which this run has nothing to say."""

BUG = "a bug of the suite"
"""The beginning of the reason of a run that an error of the suite ended."""


class How(StrEnum):
    """How a run ended."""

    JUDGED = "judged"
    """The exchanges are judged; the run may have sent a part of its requests only."""
    FAILING = "failing"
    """Every request failed with a server error."""
    UNIMPLEMENTED = "unimplemented"
    """The target does not have the resource."""
    WITHOUT_VERDICT = "without verdict"
    """Findings so far count. Rules without one have no verdict."""


@dataclass(frozen=True, slots=True)
class End:
    """How and why a run ended."""

    how: How = How.JUDGED
    reason: str = ""
    """The reason why it ended early; empty when it did not."""
    is_interrupted: bool = False
    bug: str = ""
    """The traceback of the error of the suite that ended it; otherwise empty."""

    def interrupted(self) -> "End":
        """Return this end with the change that the user has interrupted the run."""
        return replace(self, reason="interrupted", is_interrupted=True)


def end_by(error: BaseException, last_request: str) -> End:
    """
    Make the end of a run that an exception has stopped.

    An exception that is not of `conformance.exceptions` is a bug of the suite. Where the target was lost, the reason
    ends with a text that names the last request.
    """
    match error:
        case KeyboardInterrupt():
            return End().interrupted()
        case Garbled() | BudgetExhausted():
            return End(How.JUDGED, str(error))
        case AlwaysFails():
            return End(How.FAILING, str(error))
        case Unimplemented():
            return End(How.UNIMPLEMENTED, str(error))
        case NoVerdict():
            return End(How.WITHOUT_VERDICT, str(error))
        case Lost():
            return End(How.WITHOUT_VERDICT, f"{error}{last_request}")
    trace = "".join(traceback.format_exception(error))
    return End(How.WITHOUT_VERDICT, f"{BUG}: {error!r}", bug=trace)


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """The results of a run, from which the verdicts follow."""

    catalogue: Sequence[Rule]
    findings: Sequence[Finding]
    tallies: Mapping[tuple[str, str], Tally]
    """The examples sent, by the ids of rule and input class."""
    kinds: Mapping[str, Counter[str]]
    """How often each status was seen, by kind of answer."""
    evidence: Gathered
    left_out: Collection[str]
    """Input classes that were not sent, so that no timer of a live target stays short."""
    accounts: int
    lacks: Mapping[str, str] = field(default_factory=dict)
    """By what a rule may need, the reason why the target does not have it."""
    was_reached: bool
    """Whether preflight found that the target can be judged."""
    end: End
    of_other_shards: Collection[str] = ()
    """Ids of the rules whose inputs other shards send."""


def outcome(results: Results, rule: Rule) -> Outcome:
    findings = tuple(finding for finding in results.findings if finding.rule == rule.id)
    classes = tuple(_class_outcome(results, rule, cls) for cls in rule.classes)
    examples = sum(each.examples for each in classes)
    verdict, reason = Verdict.CONFORMANT, ""
    fails = results.end.how is How.FAILING
    if rule.needs in results.lacks:
        return Outcome(rule=rule, verdict=Verdict.NOT_RUN, reason=results.lacks[rule.needs])
    # One odd answer decides no rule, where preflight found that the target cannot be judged.
    if not results.was_reached and not findings and not fails:
        return Outcome(rule=rule, verdict=Verdict.NOT_RUN, reason=results.end.reason)
    if findings:
        verdict = broken(rule, any(each.stable for each in findings), results.end.how)
    elif not examples and not fails:
        verdict, reason = Verdict.NOT_RUN, _why_not(results, rule)
        if reason == OF_ANOTHER_SHARD and results.evidence.of(rule) is not None:
            verdict, reason = Verdict.CONFORMANT, ""  # other inputs of this run would have shown it
    elif undecided := results.evidence.missing(rule):
        verdict, reason = Verdict.UNDECIDED, undecided
    return Outcome(
        rule=rule,
        verdict=verdict,
        examples=examples,
        reason=reason,
        classes=classes,
        findings=findings,
        evidence=results.evidence.of(rule),
    )


def broken(rule: Rule, is_stable: bool, how: How) -> Verdict:
    """Decide the verdict on a rule that has findings, given whether any is stable and how the run ended."""
    if how is How.UNIMPLEMENTED:
        return Verdict.UNIMPLEMENTED
    if not is_stable:
        return Verdict.UNSTABLE
    return Verdict.DEVIATION if rule.level is Level.MUST else Verdict.NON_STRICT


def _class_outcome(results: Results, rule: Rule, cls: InputClass) -> ClassOutcome:
    if cls.id in ANSWERS:
        statuses = results.kinds.get(cls.id, Counter[str]())
        examples = statuses.total()
    else:
        tally = results.tallies.get(owner_of(results.catalogue, rule, cls.id), Tally())
        statuses, examples = tally.statuses, tally.examples
    return ClassOutcome(id=cls.id, reason=cls.reason, examples=examples, statuses=dict(statuses))


def _why_not(results: Results, rule: Rule) -> str:
    if rule.id in results.of_other_shards:
        return OF_ANOTHER_SHARD
    left_out = results.left_out
    if left_out and all(cls.id in left_out for cls in rule.classes):
        return "left out on a live target: a timer would have to stay shorter than it was"
    if results.end.reason:
        return results.end.reason
    if all(cls.id in ANSWERS for cls in rule.classes):
        return "no such answer was seen"
    if all(cls.rare for cls in rule.classes) and rule.field is None:
        return "not sent by this profile, or not reached: --only sends it"
    if rule.needs_accounts > results.accounts:
        return "needs a second account: set CONFORMANCE_ACCOUNTS"
    if not is_exercisable(rule):
        return f"needs the package {rule.package}: pip install {rule.package}"
    return "the budget of requests, or of time, was spent before"


def is_mostly_undecided(outcomes: Sequence[Outcome]) -> bool:
    """Whether more than half of the MUST rules have no evidence, though examples were sent; without any, of all."""
    must = [outcome for outcome in outcomes if outcome.rule.level is Level.MUST] or outcomes
    undecided = sum(each.verdict in (Verdict.UNDECIDED, Verdict.NOT_RUN) for each in must)
    return any(outcome.examples for outcome in outcomes) and 2 * undecided > len(must)


def verdict(outcomes: Sequence[Outcome], end: End) -> Verdict:
    if end.how is How.UNIMPLEMENTED:
        return Verdict.UNIMPLEMENTED
    found = [finding for outcome in outcomes for finding in outcome.findings]
    must = [finding for finding in found if finding.level is Level.MUST]
    if must:
        return Verdict.DEVIATION if any(finding.stable for finding in must) else Verdict.UNSTABLE
    if end.how is How.WITHOUT_VERDICT:
        return Verdict.ERROR
    if end.is_interrupted:
        return Verdict.NOT_RUN
    if is_mostly_undecided(outcomes):
        return Verdict.UNDECIDED
    if found:
        return Verdict.NON_STRICT
    return Verdict.CONFORMANT if _is_exercised(outcomes) else Verdict.NOT_RUN


def _is_exercised(outcomes: Sequence[Outcome]) -> bool:
    """Whether anything was; a shard may say that a rule holds whose examples another one sends."""
    return any(outcome.examples or outcome.verdict is Verdict.CONFORMANT for outcome in outcomes)


def exit_code(outcomes: Sequence[Outcome], end: End, put_back: Restore, plan: Plan) -> int:
    """
    Decide the exit status of the whole run.

    Where several apply, the first of these counts: 130, 4, 1, 3, 5, 0.
    """
    failing = any(plan.fails(finding.level) for outcome in outcomes for finding in outcome.findings)
    if end.is_interrupted:
        return 130
    if end.how is How.UNIMPLEMENTED:
        return 1
    if put_back.state == "failed":
        return 4
    if failing:
        return 1
    if end.how is How.WITHOUT_VERDICT or is_mostly_undecided(outcomes):
        return 3
    return 0 if _is_exercised(outcomes) else 5

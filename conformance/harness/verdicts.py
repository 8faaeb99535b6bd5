"""The verdict on each rule and on the whole run: pure functions of what was exercised, found, and how it ended."""

import traceback
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from conformance.attribution.evidence import Gathered
from conformance.exceptions import AlwaysFails, BudgetExhausted, Garbled, Lost, NoVerdict, Unimplemented
from conformance.harness.candidates import Tally
from conformance.harness.schedule import Plan, owner_of
from conformance.model import ClassOutcome, Finding, InputClass, Level, Outcome, Restore, Rule, Verdict

BUG = "a bug of the suite"
"""How the reason begins for which a run was ended by an error of ours."""


class How(StrEnum):
    """How a run ended."""

    JUDGED = "judged"
    """What was sent is judged, be it all or only a part."""
    FAILING = "failing"
    """Every request failed: nothing else was seen of the target."""
    UNIMPLEMENTED = "unimplemented"
    """The resource is not there."""
    WITHOUT_VERDICT = "without verdict"
    """Nothing can be said of what was not judged until then."""


@dataclass(frozen=True, slots=True)
class End:
    """How and why a run ended."""

    how: How = How.JUDGED
    reason: str = ""
    """Why it ended early; empty when it did not."""
    is_interrupted: bool = False
    bug: str = ""
    """The traceback of an error of ours that ended it."""

    def interrupted(self) -> "End":
        """The same, but that the user has ended it."""
        return replace(self, reason="interrupted", is_interrupted=True)


def end_by(error: BaseException, last_request: str) -> End:
    """
    How a run ends that an exception has stopped.

    Args:
        error: The exception; what is not in the tree of `conformance.exceptions` is a bug of ours.
        last_request: The last request, to be named where the target was lost.
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
    """What the verdicts are made of."""

    catalogue: Sequence[Rule]
    findings: Sequence[Finding]
    tallies: Mapping[tuple[str, str], Tally]
    """By rule and input class, what was exercised."""
    kinds: Mapping[str, Counter[str]]
    """By kind of answer, how often each status was seen."""
    evidence: Gathered
    left_out: Collection[str]
    """Input classes that were not sent, so that no timer of a live target stays short."""
    accounts: int
    was_reached: bool
    """Whether preflight found something to judge."""
    end: End


def outcome(results: Results, rule: Rule) -> Outcome:
    """The verdict on one rule."""
    findings = tuple(finding for finding in results.findings if finding.rule == rule.id)
    classes = tuple(_class_outcome(results, rule, cls) for cls in rule.classes)
    examples = sum(each.examples for each in classes)
    verdict, reason = Verdict.CONFORMANT, ""
    fails = results.end.how is How.FAILING
    if (
        not results.was_reached and not findings and not fails
    ):  # nothing to judge: one odd answer decides no rule
        return Outcome(rule=rule, verdict=Verdict.NOT_RUN, reason=results.end.reason)
    if findings:
        verdict = _verdict_of(rule, findings, results.end)
    elif not examples and not fails:
        verdict, reason = Verdict.NOT_RUN, _why_not(results, rule)
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


def _verdict_of(rule: Rule, findings: Sequence[Finding], end: End) -> Verdict:
    if end.how is How.UNIMPLEMENTED:
        return Verdict.UNIMPLEMENTED
    if not any(finding.stable for finding in findings):
        return Verdict.UNSTABLE
    return Verdict.DEVIATION if rule.level is Level.MUST else Verdict.NON_STRICT


def _class_outcome(results: Results, rule: Rule, cls: InputClass) -> ClassOutcome:
    if cls.id.startswith("answer/"):
        statuses = results.kinds.get(cls.id, Counter[str]())
        return ClassOutcome(
            id=cls.id, reason=cls.reason, examples=sum(statuses.values()), statuses=dict(statuses)
        )
    tally = results.tallies.get(owner_of(results.catalogue, rule, cls.id), Tally())
    return ClassOutcome(id=cls.id, reason=cls.reason, examples=tally.examples, statuses=dict(tally.statuses))


def _why_not(results: Results, rule: Rule) -> str:
    left_out = results.left_out
    if left_out and all(cls.id in left_out for cls in rule.classes):
        return "left out on a live target: a timer would have to stay shorter than it was"
    if results.end.reason:
        return results.end.reason
    if all(cls.id.startswith("answer/") for cls in rule.classes):
        return "no such answer was seen"
    if rule.needs_accounts > results.accounts:
        return "needs a second account: set CONFORMANCE_ACCOUNTS"
    return "the budget of requests was spent before"


def is_mostly_undecided(outcomes: Sequence[Outcome]) -> bool:
    """Whether there is no evidence for more than half of the MUST rules, though something was exercised."""
    must = [outcome for outcome in outcomes if outcome.rule.level is Level.MUST]
    undecided = sum(each.verdict in (Verdict.UNDECIDED, Verdict.NOT_RUN) for each in must)
    return any(outcome.examples for outcome in outcomes) and 2 * undecided > len(must)


def verdict(outcomes: Sequence[Outcome], end: End) -> Verdict:
    """The verdict on the whole run."""
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
    return Verdict.CONFORMANT if any(outcome.examples for outcome in outcomes) else Verdict.NOT_RUN


def exit_code(outcomes: Sequence[Outcome], end: End, put_back: Restore, plan: Plan) -> int:
    """The exit status of the whole run: 130 over 4 over 1 over 3 over 5 over 0."""
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
    return 0 if any(outcome.examples for outcome in outcomes) else 5

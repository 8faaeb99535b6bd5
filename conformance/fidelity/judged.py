"""Judges a recording by the catalogue of rules, as a run judges its exchanges; sends nothing."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace

from conformance.attribution.causes import Attribution, attribute
from conformance.fidelity.recording import ROLES, Recording
from conformance.fidelity.script import Step
from conformance.harness.candidates import Candidates, Past, Tally, finding_of
from conformance.harness.judging import Judge
from conformance.harness.verdicts import End, Results, outcome
from conformance.http import Exchange, is_usual
from conformance.model import BY_PARAMETER, EXAMPLE, SIDS, Rule, Violation
from conformance.oracle.decisions import Answer, FormDecision, decide_value
from conformance.rules import BY_ID, CATALOGUE
from conformance.transport.credentials import Account
from conformance.transport.target import TargetSettings

_RULES_OF: dict[str, list[Rule]] = defaultdict(list)
"""The rules that have an input class, by its id."""
for _rule in CATALOGUE:
    for _cls in _rule.classes:
        _RULES_OF[_cls.id].append(_rule)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the rules say of one step."""

    violations: tuple[Violation, ...]
    """The violations that its exchange shows, each with its input class."""
    decision: FormDecision | None
    """What the document says of its form; None where it updates by no form."""
    kind: str
    """The kind of answer, as `Reply.kind` has it."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A recording, judged."""

    steps: Mapping[int, Judgement]
    """By number of the step."""
    causes: Mapping[tuple[str, str, str], Attribution]
    """The attribution of each violation, by its rule, input class and outcome."""
    refused: Mapping[tuple[str, str], Violation]
    """The violations of a target that refuses one parameter, sent plainly and alone, by its name and value."""

    def attribution(self, violation: Violation) -> Attribution:
        """Return the attribution of a violation."""
        return self.causes[violation.rule, violation.cls, violation.outcome]


class _RecordedTarget:
    """Takes the place of a target before the judge. It knows the roles of accounts, and no token."""

    def __init__(self, recording: Recording) -> None:
        accounts = tuple(Account(sid, "") for sid in ROLES[: recording.accounts])
        self.settings = TargetSettings(url=recording.target, accounts=accounts)
        self._leaking = {each.number for each in recording.taken if each.leaks}

    def leaks(self, exchange: Exchange) -> bool:
        """Whether the recording says that the answer showed a token."""
        return exchange.number in self._leaking


def judge(recording: Recording) -> Judged:
    """Judge every exchange of a recording by all exchanges before it, and attribute the violations."""
    judge = Judge(_RecordedTarget(recording))
    for parameter, known in _services(recording).items():
        judge.know(parameter, known)
    steps: dict[int, Judgement] = {}
    candidates = Candidates(BY_ID)
    tallies: dict[tuple[str, str], Tally] = {}
    refused: dict[tuple[str, str], Violation] = {}
    for taken in recording.taken:
        reply = judge.reply(taken.exchange)
        violations = tuple(
            replace(each, cls=each.cls or class_of(taken.step, each.field))
            for each in judge.violations(reply)
        )
        steps[taken.number] = Judgement(violations, reply.decision, reply.kind)
        form = taken.step.request.form() or ()
        for violation in violations:
            if len(form) == 1 and taken.exchange.refused and is_usual(taken.step.request):
                refused.setdefault(form[0], violation)
            candidates.note(violation, reply.exchange, violation.cls, Past())
        for cls in taken.step.cls.split("+"):
            _count(tallies, taken.step, cls)
    results = Results(
        catalogue=CATALOGUE,
        findings=[finding_of(each, each.violation, (each.exchange,), True) for each in candidates.values()],
        tallies=tallies,
        kinds=judge.kinds,
        evidence=judge.evidence,
        left_out=(),
        accounts=recording.accounts,
        was_reached=True,
        end=End(),
    )
    outcomes = [outcome(results, rule) for rule in CATALOGUE]
    findings = [each for one in outcomes for each in one.findings]
    causes = {
        (finding.rule, finding.cls, finding.outcome): attribution
        for finding, attribution in zip(findings, attribute(outcomes), strict=True)
    }
    return Judged(steps, causes, refused)


def class_of(step: Step, field: str | None) -> str:
    """Return the input class that a violation about a field is of, where a step has several classes."""
    classes, form = step.cls.split("+"), step.request.form() or ()
    for (name, _), cls in zip(form, classes, strict=False):
        if len(classes) > 1 and name in BY_PARAMETER and field in (name, BY_PARAMETER[name].attribute):
            return cls
    return classes[-1 if len(classes) > len(form) > 1 else 0]


def _count(tallies: dict[tuple[str, str], Tally], step: Step, cls: str) -> None:
    names = {BY_PARAMETER[name] for name, _ in step.request.form() or () if name in BY_PARAMETER}
    for rule in _RULES_OF.get(cls, ()):
        if rule.field is None or rule.field in names:
            tallies.setdefault((rule.id, cls), Tally()).examples += 1


def _services(recording: Recording) -> dict[str, frozenset[str]]:
    """Return the SIDs that a target accepts, by parameter; only for parameters of which it refuses made-up SIDs."""
    good = {each.parameter: each for each in SIDS}
    taken: dict[str, Counter[bool]] = defaultdict(Counter)
    known: dict[str, set[str]] = defaultdict(set)
    for each in recording.taken:
        for name, value in each.step.request.form() or ():
            if name in good and decide_value(good[name], value).answer is Answer.ACCEPT:
                made_up = value != EXAMPLE[name]
                if each.exchange.accepted:
                    known[name].add(value)
                if made_up and each.step.request.auth.valid:
                    taken[name][each.exchange.accepted] += 1
    return {name: frozenset(known[name]) for name in good if taken[name][False] and not taken[name][True]}

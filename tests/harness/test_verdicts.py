"""The verdicts on rules and runs follow from the examples, the findings, the evidence and the end of the run."""

from collections import Counter
from typing import Any

import pytest
from fakes import FakeTarget, Resource

from conformance.attribution.evidence import Gathered
from conformance.exceptions import (
    AlwaysFails,
    BudgetExhausted,
    Garbled,
    LeftShort,
    NoVerdict,
    RateLimitedOut,
    RunEnded,
    Unimplemented,
    Unsafe,
)
from conformance.harness.candidates import Tally
from conformance.harness.schedule import Plan
from conformance.harness.session import Session
from conformance.harness.verdicts import End, How, Results, end_by, exit_code, outcome, verdict
from conformance.http import Pairs, update
from conformance.model import CLOSED, INACTIVE, Finding, Level, Outcome, Restore, Rule, Verdict
from conformance.rules import BY_ID

MUST, SHOULD = BY_ID["closed-timer-minimum"], BY_ID["closed-timer-strictness"]


def finding(rule: Rule, *, stable: bool = True) -> Finding:
    texts: dict[str, Any] = dict.fromkeys(("summary", "expected", "observed"), "")
    cls = rule.classes[0].id
    return Finding(
        rule=rule.id,
        level=rule.level,
        cls=cls,
        outcome="accepted",
        field=None,
        exchanges=(),
        stable=stable,
        **texts,
    )


def evidence_of(*forms: Pairs) -> Gathered:
    """What a right target shows when each form is sent to it."""
    session = Session(FakeTarget(Resource()), tuple(BY_ID))
    for form in forms:
        session.conversation.send(update(*form), "class")
    return session.judge.evidence


ACCEPTED = ((INACTIVE.parameter, "PT2M"), (CLOSED.parameter, "PT20M"))
TOO_SHORT, NOT_STRICT = ((CLOSED.parameter, "PT9M"),), ((CLOSED.parameter, "pt20m"),)
ALL_EVIDENCE = evidence_of(ACCEPTED, TOO_SHORT, NOT_STRICT)


def results(*findings: Finding, **changes: Any) -> Results:
    exercised = {
        (rule.id, cls.id): Tally(examples=1, statuses=Counter({"400": 1}))
        for rule in (MUST, SHOULD)
        for cls in rule.classes
    }
    given: dict[str, Any] = {
        "catalogue": (MUST, SHOULD),
        "findings": findings,
        "tallies": exercised,
        "kinds": {},
        "evidence": ALL_EVIDENCE,
        "left_out": (),
        "accounts": 2,
        "was_reached": True,
        "end": End(),
    }
    return Results(**given | changes)


def outcomes(*findings: Finding, **changes: Any) -> list[Outcome]:
    made = results(*findings, **changes)
    return [outcome(made, rule) for rule in made.catalogue]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([], [Verdict.CONFORMANT, Verdict.CONFORMANT]),
        ([finding(MUST)], [Verdict.DEVIATION, Verdict.CONFORMANT]),
        ([finding(SHOULD)], [Verdict.CONFORMANT, Verdict.NON_STRICT]),
        ([finding(MUST, stable=False)], [Verdict.UNSTABLE, Verdict.CONFORMANT]),
        ([finding(MUST, stable=False), finding(MUST)], [Verdict.DEVIATION, Verdict.CONFORMANT]),
    ],
)
def test_a_rule_is_judged_by_its_own_findings(found: list[Finding], expected: list[Verdict]) -> None:
    assert [each.verdict for each in outcomes(*found)] == expected


def test_a_rule_of_which_nothing_was_sent_says_why() -> None:
    classes = [cls.id for cls in MUST.classes]
    reasons = [
        outcomes(tallies={})[0].reason,
        outcomes(tallies={}, end=End(reason="interrupted"))[0].reason,
        outcomes(tallies={}, left_out=classes)[0].reason,
    ]
    assert reasons == [
        "the budget of requests, or of time, was spent before",
        "interrupted",
        "left out on a live target: a timer would have to stay shorter than it was",
    ]


@pytest.mark.parametrize(
    ("forms", "reason"),
    [
        ((), "no update was accepted"),
        ((TOO_SHORT,), "no update was accepted"),
        ((ACCEPTED,), "no such value was refused with a 4xx"),
        ((ACCEPTED, NOT_STRICT), "no such value was refused with a 4xx"),
    ],
)
def test_a_rule_without_evidence_is_undecided_and_says_what_was_not_seen(
    forms: tuple[Pairs, ...], reason: str
) -> None:
    (first, _) = outcomes(evidence=evidence_of(*forms))
    assert (first.verdict, first.reason, first.evidence) == (Verdict.UNDECIDED, reason, None)


def test_a_conformant_rule_has_the_exchange_that_would_have_shown_it_broken() -> None:
    shown = [each.evidence and each.evidence.request.form() for each in outcomes()]
    assert shown == [TOO_SHORT, NOT_STRICT]


def test_a_finding_decides_a_rule_for_which_there_is_no_evidence() -> None:
    assert [each.verdict for each in outcomes(finding(MUST), evidence=Gathered())] == [
        Verdict.DEVIATION,
        Verdict.UNDECIDED,
    ]


def test_no_rule_is_conformant_where_preflight_found_nothing_to_judge() -> None:
    made = outcomes(was_reached=False, end=End(How.WITHOUT_VERDICT, "nothing listens"))
    assert {(each.verdict, each.reason) for each in made} == {(Verdict.NOT_RUN, "nothing listens")}


LOST = End(How.WITHOUT_VERDICT, "the target went away")


@pytest.mark.parametrize(
    ("found", "end", "state", "fail_on", "expected"),
    [
        ([], End(), "restored", Level.MUST, (Verdict.CONFORMANT, 0)),
        ([finding(SHOULD)], End(), "restored", Level.MUST, (Verdict.NON_STRICT, 0)),
        ([finding(SHOULD)], End(), "restored", Level.SHOULD, (Verdict.NON_STRICT, 1)),
        ([finding(MUST)], End(), "restored", Level.MUST, (Verdict.DEVIATION, 1)),
        ([finding(MUST, stable=False)], End(), "restored", Level.MUST, (Verdict.UNSTABLE, 1)),
        ([], LOST, "restored", Level.MUST, (Verdict.ERROR, 3)),
        ([finding(MUST)], LOST, "restored", Level.MUST, (Verdict.DEVIATION, 1)),
        ([finding(MUST)], End(), "failed", Level.MUST, (Verdict.DEVIATION, 4)),
        ([], LOST, "failed", Level.MUST, (Verdict.ERROR, 4)),
        ([], End().interrupted(), "failed", Level.MUST, (Verdict.NOT_RUN, 130)),
        ([], LOST.interrupted(), "restored", Level.MUST, (Verdict.ERROR, 130)),
        ([finding(MUST)], End(How.UNIMPLEMENTED), "restored", Level.MUST, (Verdict.UNIMPLEMENTED, 1)),
    ],
)
def test_the_run_s_verdict_and_exit_code(
    found: list[Finding], end: End, state: Any, fail_on: Level, expected: tuple[Verdict, int]
) -> None:
    made = outcomes(*found, end=end)
    code = exit_code(made, end, Restore(state=state), Plan(fail_on=fail_on))
    assert (verdict(made, end), code) == expected


OTHER_MUST = BY_ID["closed-timer-syntax"]
"""A rule whose classes were not sent, so that it is not run."""


@pytest.mark.parametrize(
    ("catalogue", "found", "evidence", "fail_on", "expected"),
    [
        ((MUST, SHOULD), [], Gathered(), Level.MUST, (Verdict.UNDECIDED, 3)),
        ((MUST, OTHER_MUST, SHOULD), [], ALL_EVIDENCE, Level.MUST, (Verdict.CONFORMANT, 0)),
        ((MUST, OTHER_MUST, SHOULD), [], Gathered(), Level.MUST, (Verdict.UNDECIDED, 3)),
        ((MUST, SHOULD), [finding(SHOULD)], Gathered(), Level.MUST, (Verdict.UNDECIDED, 3)),
        ((MUST, SHOULD), [finding(SHOULD)], Gathered(), Level.SHOULD, (Verdict.UNDECIDED, 1)),
        ((MUST, OTHER_MUST), [finding(OTHER_MUST)], Gathered(), Level.MUST, (Verdict.DEVIATION, 1)),
    ],
)
def test_where_more_than_half_of_the_must_rules_have_no_verdict_the_run_has_none(
    catalogue: tuple[Rule, ...],
    found: list[Finding],
    evidence: Gathered,
    fail_on: Level,
    expected: tuple[Verdict, int],
) -> None:
    made = outcomes(*found, catalogue=catalogue, evidence=evidence)
    code = exit_code(made, End(), Restore(state="restored"), Plan(fail_on=fail_on))
    assert (verdict(made, End()), code) == expected


def test_where_every_request_failed_other_rules_are_undecided_and_none_is_not_run() -> None:
    made = outcomes(tallies={}, was_reached=False, evidence=Gathered(), end=End(How.FAILING, "all is lost"))
    assert [(each.verdict, each.reason) for each in made] == [
        (Verdict.UNDECIDED, "no update was accepted")
    ] * 2


@pytest.mark.parametrize(
    ("error", "how", "names_the_last_request"),
    [
        (BudgetExhausted("why"), How.JUDGED, False),
        (Garbled("why"), How.JUDGED, False),
        (AlwaysFails("why"), How.FAILING, False),
        (Unimplemented("why"), How.UNIMPLEMENTED, False),
        (NoVerdict("why"), How.WITHOUT_VERDICT, False),
        (Unsafe("why"), How.WITHOUT_VERDICT, False),
        (RateLimitedOut("why"), How.WITHOUT_VERDICT, True),
        (LeftShort("why"), How.WITHOUT_VERDICT, True),
    ],
)
def test_every_exception_that_ends_a_run_says_how(
    error: RunEnded, how: How, names_the_last_request: bool
) -> None:
    end = end_by(error, "; last request: GET")
    assert end == End(how, "why; last request: GET" if names_the_last_request else "why")


def test_any_other_exception_is_a_bug_of_the_suite_and_keeps_its_traceback() -> None:
    end = end_by(ZeroDivisionError("oh"), "")
    assert (end.how, end.reason) == (How.WITHOUT_VERDICT, "a bug of the suite: ZeroDivisionError('oh')")
    assert end.bug.endswith("ZeroDivisionError: oh\n")

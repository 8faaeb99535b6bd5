"""What is said of a rule and of a run, from what was exercised, found, and how the run ended."""

from collections import Counter
from typing import Any

import pytest

from conformance.exceptions import (
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
from conformance.harness.verdicts import End, How, Results, end_by, exit_code, outcome, verdict
from conformance.model import Finding, Level, Outcome, Restore, Rule, Verdict
from conformance.rules import BY_ID

MUST, SHOULD = BY_ID["closed-timer-minimum"], BY_ID["closed-timer-strictness"]


def finding(rule: Rule, *, stable: bool = True) -> Finding:
    texts: dict[str, Any] = dict.fromkeys(("summary", "expected", "observed", "cause"), "")
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


def results(*findings: Finding, **changes: Any) -> Results:
    exercised = {
        (rule.id, cls.id): Tally(examples=1, decided=1, statuses=Counter({"400": 1}))
        for rule in (MUST, SHOULD)
        for cls in rule.classes
    }
    given: dict[str, Any] = {
        "catalogue": (MUST, SHOULD),
        "findings": findings,
        "tallies": exercised,
        "kinds": {},
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
        "the budget of requests was spent before",
        "interrupted",
        "left out on a live target: a timer would have to stay shorter than it was",
    ]


def test_a_rule_of_which_nothing_was_decided_is_undecided() -> None:
    sent = {(MUST.id, cls.id): Tally(examples=1) for cls in MUST.classes}
    (first, _) = outcomes(tallies=sent)
    assert (first.verdict, first.reason) == (Verdict.UNDECIDED, "nothing that was sent decides it")


def test_where_nothing_was_reached_no_rule_holds() -> None:
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


@pytest.mark.parametrize(
    ("error", "how", "names_the_last_request"),
    [
        (BudgetExhausted("why"), How.JUDGED, False),
        (Garbled("why"), How.JUDGED, False),
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

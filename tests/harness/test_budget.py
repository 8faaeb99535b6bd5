"""The requests of a run, and its time, are divided between finding deviations and showing them again."""

import pytest
from conftest import Clock
from fakes import URL, FakeTarget, Resource

from conformance.harness.budget import Budget, Enough
from conformance.harness.candidates import Candidates, Past
from conformance.harness.schedule import Plan
from conformance.http import READ, Exchange, Failure, FailureKind, Response
from conformance.model import Level, Violation
from conformance.rules import BY_ID, CATALOGUE
from conformance.safety.safeguard import Safeguard
from conformance.transport.target import Target, TargetSettings

MUST = [rule.id for rule in CATALOGUE if rule.level is Level.MUST and rule.field is None]
SHOULD = next(rule.id for rule in CATALOGUE if rule.level is Level.SHOULD)


def seen(*rules: str) -> Candidates:
    """Candidates of rules, each with a cause of its own."""
    candidates = Candidates(tuple(BY_ID))
    for number, rule in enumerate(rules, 1):
        violation = Violation(
            rule=rule, outcome=f"outcome-{number}", field=None, summary="", expected="", observed=""
        )
        exchange = Exchange(number=number, request=READ, response=Response(status=200))
        candidates.note(violation, exchange, "class", Past())
    assert len(candidates.causes) == len(rules)
    return candidates


def divided(
    *rules: str, limit: int | None = 300, target: Target | None = None, plan: Plan | None = None
) -> Budget:
    target = target or FakeTarget(Resource(), max_requests=limit)
    return Budget(target, plan or Plan(profile="quick"), seen(*rules), Safeguard())


@pytest.mark.parametrize(
    ("causes", "limit", "free"),
    [
        (0, 300, 300),
        (1, 300, 272),  # 28 for each cause
        (2, 300, 244),
        (10, 300, 225),  # a quarter at most
        (1, 100, 75),
    ],
)
def test_the_phases_leave_requests_for_each_cause(causes: int, limit: int, free: int) -> None:
    budget = divided(*MUST[:causes], limit=limit)
    assert (budget.is_spent(free), budget.is_spent(free + 1)) == (False, True)


def test_a_run_without_a_limit_is_never_spent() -> None:
    assert not divided(*MUST[:5], limit=None).is_spent(1_000_000)


@pytest.mark.parametrize(("causes", "is_spent"), [(0, False), (1, True)])
def test_the_last_quarter_of_the_time_is_for_showing_findings_again(
    clock: Clock, causes: int, is_spent: bool
) -> None:
    target = Target(TargetSettings(url=URL, max_time=100.0))
    budget = divided(*MUST[:causes], target=target)
    clock.now += 74
    assert not budget.is_spent(1)
    clock.now += 2
    assert budget.is_spent(1) == is_spent


def test_no_more_is_sent_to_a_target_that_hangs_at_everything() -> None:
    target = FakeTarget(Resource())
    budget = divided(target=target)
    failure = Failure(FailureKind.TIMEOUT, "no answer")
    for number in range(6):
        assert not budget.is_spent(1)
        target.patience.saw(Exchange(number=number, request=READ, failure=failure, elapsed=10.0))
    assert budget.is_spent(1)


@pytest.mark.parametrize(
    ("rule", "plan", "ends"),
    [
        (MUST[0], Plan(fail_fast=True), True),
        (MUST[0], Plan(), False),
        (SHOULD, Plan(fail_fast=True), False),
        (SHOULD, Plan(fail_fast=True, fail_on=Level.SHOULD), True),
    ],
)
def test_the_first_deviation_ends_the_phases_if_no_more_are_wanted(rule: str, plan: Plan, ends: bool) -> None:
    budget = divided(rule, plan=plan)
    if ends:
        with pytest.raises(Enough):
            budget.claim([READ])
    else:
        budget.claim([READ])


def test_requests_that_go_with_others_are_claimed_too() -> None:
    divided().claim([READ], more=299)
    with pytest.raises(Enough):
        divided().claim([READ], more=300)


@pytest.mark.parametrize(
    ("limit", "causes", "findings", "is_first", "share"),
    [
        (None, 1, 1, True, 120),
        (None, 1, 20, False, 75),  # of 1,500
        (None, 1, 100, False, 30),
        (300, 1, 1, True, 120),
        (300, 4, 8, False, 37),  # a fair part of all
        (300, 2, 30, True, 75),  # half of all is for the first of each cause
        (300, 2, 30, False, 30),
        (40, 4, 40, False, 20),  # the least of each
    ],
)
def test_what_one_finding_may_have(
    limit: int | None, causes: int, findings: int, is_first: bool, share: int
) -> None:
    assert divided(limit=limit).share(causes, findings, is_first=is_first) == share

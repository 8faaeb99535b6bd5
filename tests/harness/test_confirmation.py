"""Findings that show one mistake of a setting are counted together, and named by a rule of that setting."""

from dataclasses import replace

import pytest
from attribution.findings import a_finding
from fakes import FakeTarget, Resource

from conformance.attribution.sameness import PREVIOUS
from conformance.harness.budget import Budget
from conformance.harness.confirmation import Confirmation, of_setting
from conformance.harness.schedule import Plan
from conformance.harness.session import Session
from conformance.model import CHAT, CLOSED, INACTIVE, Field, Finding
from conformance.rules import BY_ID


def put_together(*findings: Finding) -> list[Finding]:
    session = Session(FakeTarget(Resource()), tuple(BY_ID))
    budget = Budget(session.target, Plan(), session.candidates, session.safeguard)
    confirmation = Confirmation(session, budget, lambda event: None)
    confirmation._findings = list(findings)
    confirmation.confirm()
    return list(confirmation.findings)


def test_a_value_that_is_wrong_now_and_then_is_counted_with_the_value_before_that_is_always_shown() -> None:
    behind, other = (
        replace(
            a_finding(f"closed-timer-echo: {outcome}", "closed-timer"), numbers=numbers, first=min(numbers)
        )
        for outcome, numbers in ((PREVIOUS, frozenset({3, 4})), ("changed", frozenset({2, 4})))
    )
    unstable = replace(other, stable=False)
    assert put_together(behind, unstable) == [replace(behind, numbers=frozenset({2, 3, 4}), count=3, first=2)]
    assert put_together(behind, other) == [behind, other]
    assert put_together(replace(behind, stable=False), unstable) == [replace(behind, stable=False), unstable]
    elsewhere = replace(unstable, field="default_inactive_timer")
    assert put_together(behind, elsewhere) == [behind, elsewhere]


@pytest.mark.parametrize(
    ("rule", "about", "expected"),
    [
        ("closed-timer-echo", INACTIVE, "inactive-timer-echo"),
        ("closed-timer-echo", CHAT, "chat-service-sid-echo"),
        ("closed-timer-echo", CLOSED, "closed-timer-echo"),
        ("closed-timer-echo", None, "closed-timer-echo"),
        ("last-write-wins", INACTIVE, "last-write-wins"),
        (
            "closed-timer-boundary",
            INACTIVE,
            None,
        ),  # two rules say what an inactive timer must be accepted for
    ],
)
def test_what_a_setting_breaks_is_named_by_a_rule_of_its_own(
    rule: str, about: Field | None, expected: str | None
) -> None:
    named = of_setting(BY_ID[rule], about)
    assert (named.id if named is not None else None) == expected

"""A violation that is shown again may differ from the first one only where its rule allows for that."""

from dataclasses import replace

import pytest

from conformance.attribution.sameness import PREVIOUS, is_about_state, is_same
from conformance.http import READ, Exchange
from conformance.model import Violation
from conformance.rules import BY_ID

CLOSED, INACTIVE, CHAT = "default_closed_timer", "default_inactive_timer", "default_chat_service_sid"
BEFORE = (Exchange(number=1, request=READ),)
"""An earlier exchange, with which the violating one is compared."""


def a_violation(kind: str, field: str | None = CLOSED, related: tuple[Exchange, ...] = ()) -> Violation:
    rule, _, outcome = kind.partition(": ")
    return Violation(
        rule=rule, outcome=outcome, field=field, summary="", expected="", observed="", related=related
    )


def same(
    wanted: Violation | str, seen: Violation | str, *, several: bool = False, together: bool = False
) -> bool:
    one, other = (a_violation(each) if isinstance(each, str) else each for each in (wanted, seen))
    return is_same(one, other, several=several, together=together)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("omitted-parameters-kept", True),
        ("rejected-update-changes-nothing", True),
        ("credentials-required", True),  # a write without credentials
        ("stays-usable", False),  # it is about the connection
        ("closed-timer-echo", False),
        ("read-reflects-writes", False),
    ],
)
def test_rules_about_what_was_written(rule: str, expected: bool) -> None:
    assert is_about_state(BY_ID[rule]) is expected


def test_the_rule_and_the_outcome_must_be_the_same() -> None:
    assert same("closed-timer-syntax: accepted", "closed-timer-syntax: accepted")
    assert not same("closed-timer-syntax: accepted", "closed-timer-syntax: refused")
    assert not same("closed-timer-syntax: accepted", "closed-timer-minimum: accepted")
    assert not same("json-body: not-json", "media-type: not-json", several=True)


def test_a_form_of_several_parameters_may_be_refused_for_another_rule() -> None:
    assert same("closed-timer-boundary: refused", "inactive-timer-boundary: refused", several=True)
    assert not same("closed-timer-boundary: refused", "inactive-timer-boundary: refused")
    assert not same("closed-timer-boundary: accepted", "inactive-timer-boundary: accepted", several=True)
    # A rule about forms as such, on either side.
    assert same("any-subset: refused", "closed-timer-boundary: refused")
    assert same("closed-timer-boundary: refused", "any-subset: refused")


def test_at_the_same_moment_another_setting_may_be_lost_each_time() -> None:
    lost = a_violation("concurrent-writers: changed")
    elsewhere = a_violation("concurrent-writers: previous-value", INACTIVE)
    assert same(lost, elsewhere, together=True)
    assert not same(lost, elsewhere)
    assert not same(lost, a_violation("closed-timer-syntax: accepted", INACTIVE), together=True)


def test_what_is_lost_is_lost_again_in_the_same_setting_whichever_rule_about_state_says_so() -> None:
    lost = a_violation("omitted-parameters-kept: changed")
    assert same(lost, "read-after-write: previous-value")
    assert not same(lost, a_violation("read-after-write: changed", INACTIVE))
    assert not same(lost, "closed-timer-echo: changed")
    assert not same("closed-timer-syntax: accepted", "omitted-parameters-kept: changed")


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ("closed-timer-echo: changed", True),
        ("omitted-parameters-kept: changed", True),
        ("read-reflects-writes: changed", True),
        ("closed-timer-syntax: accepted", False),
    ],
)
def test_a_value_of_another_account_may_show_without_that_account(seen: str, expected: bool) -> None:
    foreign = a_violation("accounts-apart: foreign-value")
    assert same(foreign, seen) is expected
    assert not same(foreign, replace(a_violation(seen), field=INACTIVE))
    assert not same(
        replace(foreign, field=None), replace(a_violation("closed-timer-echo: changed"), field=None)
    )


def test_another_wrong_value_may_be_shown_each_time_but_the_value_before_is_that_one() -> None:
    wrong, before = "closed-timer-echo: changed", f"closed-timer-echo: {PREVIOUS}"
    assert same(wrong, "closed-timer-echo: below-minimum")
    assert same(wrong, before)
    assert same(before, before)
    assert not same(before, wrong)
    assert not same(wrong, a_violation("closed-timer-echo: below-minimum", INACTIVE))
    behind = f"last-write-wins: {PREVIOUS}"
    assert same(behind, behind)
    assert not same(behind, a_violation(behind, INACTIVE))
    assert not same(wrong, "timer-representation: changed")
    assert not same("closed-timer-echo: refused", "closed-timer-echo: changed")


def test_what_two_requests_show_together_is_shown_by_two_again() -> None:
    repeated = a_violation("idempotence: changed", related=BEFORE)
    assert same(repeated, "idempotence: changed")
    assert not same(repeated, "idempotence: below-minimum")
    assert not same(repeated, "closed-timer-echo: changed")
    refused = a_violation("idempotence: refused", related=BEFORE)
    assert same(refused, "closed-timer-boundary: refused", several=True)


def test_what_an_unusual_way_of_sending_does_to_a_value_may_be_named_by_the_value() -> None:
    decoded = a_violation("form-decoding: changed")
    assert same(decoded, "closed-timer-echo: below-minimum")
    assert same(decoded, "form-decoding: below-minimum")
    assert not same(decoded, "closed-timer-syntax: changed")
    assert not same(decoded, a_violation("closed-timer-echo: below-minimum", INACTIVE))
    assert same(replace(decoded, related=BEFORE), "closed-timer-echo: below-minimum")
    # To be accepted or refused is a matter of the form, and not of a value that comes back.
    assert not same("form-decoding: accepted", "closed-timer-echo: accepted")
    assert same("form-decoding: refused", "closed-timer-boundary: refused")

"""What belongs together is reported as one difference, and nothing else is."""

from dataclasses import replace

import pytest

from attribution.findings import ATTRIBUTES, a_finding, are_one, causes, outcomes
from conformance.attribution.causes import attribute
from conformance.model import Finding


def test_findings_of_one_rule_setting_and_outcome_are_one() -> None:
    syntax = "inactive-timer-syntax: accepted"

    assert are_one(a_finding(syntax, "inactive-timer", "a"), a_finding(syntax, "inactive-timer", "b"))


@pytest.mark.parametrize(
    ("inactive", "closed", "one"),
    [("ab", "ab", True), ("abc", "ab", True), ("ab", "cd", False), ("a", "abcd", False)],
)
def test_two_timers_are_one_where_they_are_wrong_in_the_same_inputs(
    inactive: str, closed: str, one: bool
) -> None:
    found = [
        *(a_finding("inactive-timer-syntax: accepted", "inactive-timer", cls) for cls in inactive),
        *(a_finding("closed-timer-syntax: accepted", "closed-timer", cls) for cls in closed),
    ]

    assert are_one(*found) is one


def test_inputs_that_one_of_them_was_never_sent_say_nothing() -> None:
    found = [
        a_finding("inactive-timer-syntax: accepted", "inactive-timer", "a"),
        a_finding("inactive-timer-syntax: accepted", "inactive-timer", "b"),
        a_finding("closed-timer-syntax: accepted", "closed-timer", "a"),
    ]

    assert are_one(*found, closed_timer_syntax="acd")


def test_a_timer_and_a_sid_are_never_one() -> None:
    assert not are_one(
        a_finding("inactive-timer-echo: missing", "inactive-timer"),
        a_finding("chat-service-sid-echo: missing", "chat-service-sid"),
    )


def test_another_outcome_of_the_same_rule_is_another_difference() -> None:
    assert not are_one(
        a_finding("inactive-timer-echo: missing", "inactive-timer"),
        a_finding("inactive-timer-echo: changed", "inactive-timer"),
    )


def test_values_of_one_shape_in_several_settings_are_one_and_of_others_are_not() -> None:
    def malformed(setting: str, value: str) -> Finding:
        return a_finding(
            "timer-representation: unparsable", setting, observed=f"{ATTRIBUTES[setting]}: '{value}'"
        )

    assert are_one(malformed("inactive-timer", "60"), malformed("closed-timer", "600"))
    assert not are_one(malformed("inactive-timer", "60"), malformed("closed-timer", "10 minutes"))


def test_sids_are_told_apart_by_the_kinds_of_their_digits() -> None:
    alone = a_finding(
        "chat-service-sid-accept: refused",
        "chat-service-sid",
        count=4,
        sent=f"DefaultChatServiceSid=IS{'A' * 32}",
    )

    several = "DefaultClosedTimer=P1D&DefaultChatServiceSid=IS"
    assert are_one(alone, a_finding("any-subset: refused", sent=several + "F" * 32))
    assert not are_one(alone, a_finding("any-subset: refused", sent=several + "f" * 32))


def test_findings_that_have_nothing_in_common_stay_as_they_are() -> None:
    found = [
        a_finding("challenge: missing"),
        a_finding("error-status: different"),
        a_finding("media-type: other"),
    ]

    assert causes(*found) == ["challenge: missing", "error-status: different", "media-type: other"]


def test_a_consequence_names_the_rule_that_explains_it() -> None:
    found = [a_finding("closed-timer-syntax: accepted", "closed-timer", cls) for cls in "abcd"]
    below = [a_finding("closed-timer-minimum: accepted", "closed-timer", cls) for cls in "abcd"]

    attributions = attribute(outcomes(*found, *below))

    assert [each.consequence_of for each in attributions] == [None] * 4 + ["closed-timer-syntax"] * 4


def test_settings_that_the_same_requests_alone_bring_back_wrong_are_one() -> None:
    def missing(setting: str, *numbers: int) -> Finding:
        return replace(a_finding(f"{setting}-echo: missing", setting), numbers=frozenset(numbers))

    assert are_one(missing("inactive-timer", 7, 8), missing("chat-service-sid", 7, 8))
    assert not are_one(missing("inactive-timer", 7), missing("chat-service-sid", 7, 8))


def test_a_malformed_header_is_no_matter_of_what_settings_come_back_as() -> None:
    challenge = a_finding("challenge: malformed")
    assert causes(challenge, a_finding("closed-timer-echo: malformed", "closed-timer")) == [
        "challenge: malformed",
        "representation: default_closed_timer",
    ]

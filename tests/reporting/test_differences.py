"""Findings of one cause are one difference, told by its simplest witness."""

import copy
from dataclasses import replace
from typing import Any

from conformance.http import ByHand, update
from conformance.model import CLOSED, Level, Verdict
from conformance.reporting import build, differences
from conformance.reporting.result import count

from .samples import REPORTS, exchange, finding, outcome, rule


def test_deviations_come_before_unstable_and_unstable_before_not_strict(deviating: dict[str, Any]) -> None:
    assert [each.kind for each in differences(deviating)] == ["must", "must", "must", "unstable", "should"]


def test_the_most_basic_claim_comes_first(deviating: dict[str, Any]) -> None:
    rules = [each.first["rule"] for each in differences(deviating) if each.kind == "must"]

    assert rules == ["every-request-answered", "no-leak", "closed-timer-syntax"]


def test_the_simplest_witness_is_the_first(deviating: dict[str, Any]) -> None:
    (timers,) = (each for each in differences(deviating) if each.first["rule"] == "closed-timer-syntax")

    sizes = [len(each["exchanges"][-1]["request"]["body"]) for each in timers.findings]
    assert sizes == sorted(sizes) and len(sizes) == 3


def test_a_difference_says_in_how_many_requests_it_showed_and_names_every_other_rule(
    deviating: dict[str, Any],
) -> None:
    (timers,) = (each for each in differences(deviating) if each.first["rule"] == "closed-timer-syntax")

    assert timers.seen == "in at least 40 requests"
    assert (timers.also, timers.consequences) == ((), ("inactive-timer-syntax",))


def test_other_classes_of_the_same_rule_are_named_without_it() -> None:
    syntax = rule("closed-timer-syntax", "timers")
    found = [finding(syntax, f"timer/{name}", exchange(update((CLOSED.parameter, name)))) for name in "ab"]
    document = build(replace(REPORTS["clean"], outcomes=(outcome(syntax, Verdict.DEVIATION, *found),)))

    (difference,) = differences(document)
    assert difference.also == ("timer/b",)


def test_at_most_three_further_inputs_are_shown_each_once() -> None:
    syntax = rule("closed-timer-syntax", "timers")
    values = ["1", "22", "22", "333", "4444", "55555", "666666"]
    found = [
        finding(syntax, f"timer/{number}", exchange(update((CLOSED.parameter, value))))
        for number, value in enumerate(values)
    ]
    document = build(replace(REPORTS["clean"], outcomes=(outcome(syntax, Verdict.DEVIATION, *found),)))

    (difference,) = differences(document)
    assert difference.further == tuple(f"DefaultClosedTimer={value}" for value in ("22", "333", "4444"))


def test_a_broken_must_leads_a_cause_it_shares_with_a_should() -> None:
    strict, loose = (
        rule("closed-timer-strictness", "timers", Level.SHOULD),
        rule("closed-timer-syntax", "timers"),
    )
    short, long = (exchange(update((CLOSED.parameter, value))) for value in ("P", "P1Z"))
    outcomes = (
        outcome(strict, Verdict.NON_STRICT, finding(strict, "timer/a", short)),
        outcome(loose, Verdict.DEVIATION, finding(loose, "timer/b", long)),
    )

    document = build(replace(REPORTS["clean"], outcomes=outcomes))
    for each in document["findings"]:
        each["cause"] = "same"

    (difference,) = differences(document)
    assert (difference.kind, difference.first["rule"]) == ("must", "closed-timer-syntax")


def test_what_was_known_before_comes_last() -> None:
    known, new = rule("challenge", "protocol"), rule("framing", "protocol", Level.SHOULD)
    outcomes = (
        outcome(known, Verdict.KNOWN, finding(known, "auth/none", exchange(update()))),
        outcome(new, Verdict.NON_STRICT, finding(new, "framing/any", exchange(update()))),
    )
    document = build(replace(REPORTS["clean"], outcomes=outcomes))
    document["findings"][0]["known"] = {"reason": "being mended", "link": "", "expires": ""}

    assert [each.kind for each in differences(document)] == ["should", "known"]
    assert count(document)["findings"] == {"must": 0, "should": 1, "unstable": 0, "known": 1}


def test_what_is_known_and_what_is_new_of_one_cause_are_told_apart(deviating: dict[str, Any]) -> None:
    document = copy.deepcopy(deviating)
    document["findings"][0]["known"] = {"reason": "being mended", "link": "", "expires": ""}

    kinds = [each.kind for each in differences(document) if each.first["cause"].endswith("-syntax: accepted")]
    assert kinds == ["must", "known"]


def test_no_findings_are_no_differences(clean: dict[str, Any]) -> None:
    assert differences(clean) == []


def test_of_counterexamples_of_about_one_size_that_of_the_plainest_input_leads() -> None:
    syntax = rule("closed-timer-syntax", "timers")

    def led_by(first: str, second: str) -> str:
        found = [
            finding(syntax, f"timer/{name}", exchange(update((CLOSED.parameter, value))))
            for name, value in (("a", first), ("b", second))
        ]
        document = build(replace(REPORTS["clean"], outcomes=(outcome(syntax, Verdict.DEVIATION, *found),)))
        (difference,) = differences(document)
        return str(difference.first["class"])

    assert led_by("PT10MINUTES", "x") == "timer/a"
    assert led_by("9" * 300, "x") == "timer/b"
    assert led_by("\x01", "banana") == "timer/b", "what nobody can type comes last"
    assert led_by("é", "banana") == "timer/b"


def test_two_plain_requests_are_shown_before_a_longer_one_written_by_hand() -> None:
    syntax = rule("closed-timer-syntax", "timers")
    banana, longer = (update((CLOSED.parameter, number * "banana")) for number in (1, 4))
    found = [
        finding(syntax, "timer/a", exchange(replace(longer, by_hand=ByHand.VERSION))),
        finding(syntax, "timer/b", exchange(update()), exchange(banana)),
    ]
    document = build(replace(REPORTS["clean"], outcomes=(outcome(syntax, Verdict.DEVIATION, *found),)))

    (difference,) = differences(document)
    assert (difference.first["class"], difference.also) == ("timer/b", ("timer/a",))

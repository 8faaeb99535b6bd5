"""The JUnit file is well-formed, adds up, and is red exactly when the run failed."""

import copy
from typing import Any
from xml.etree import ElementTree

from conformance.reporting import build
from conformance.reporting.junit import render

from .samples import DOCUMENTS, REPORTS


def _suite(document: dict[str, Any]) -> ElementTree.Element:
    suite = ElementTree.fromstring(render(document)).find("testsuite")
    assert suite is not None
    return suite


def _results(case: ElementTree.Element) -> list[str]:
    return [child.tag for child in case if child.tag != "system-out"]


def test_there_is_one_case_for_each_rule_by_its_id(deviating: dict[str, Any]) -> None:
    cases = [(case.get("classname"), case.get("name")) for case in _suite(deviating).iter("testcase")]

    package = "twilio.conversations.configuration"
    assert cases == [(f"{package}.{rule['group']}", rule["id"]) for rule in deviating["rules"]]


def test_a_case_has_at_most_one_result(document: dict[str, Any]) -> None:
    assert [case for case in _suite(document).iter("testcase") if len(_results(case)) > 1] == []


def test_counts_add_up(document: dict[str, Any]) -> None:
    root = ElementTree.fromstring(render(document))
    suite = _suite(document)

    for holder in (root, suite):
        assert holder.get("tests") == str(len(list(suite.iter("testcase"))))
        for plural, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            # The schema has a count of skipped cases for a suite alone.
            if (holder, plural) != (root, "skipped"):
                assert holder.get(plural) == str(len(list(suite.iter(tag))))


def test_the_suite_is_red_exactly_when_the_exit_status_is_not_0(document: dict[str, Any]) -> None:
    suite = _suite(document)

    red = suite.get("failures") != "0" or suite.get("errors") != "0"
    assert red == (document["exit_code"] != 0)


def test_every_verdict_has_its_result(deviating: dict[str, Any]) -> None:
    results = {str(case.get("name")): _results(case) for case in _suite(deviating).iter("testcase")}

    assert results == {
        "inactive-timer-syntax": ["failure"],
        "closed-timer-syntax": ["failure"],
        "closed-timer-notation": [],
        "no-leak": ["failure"],
        "every-request-answered": ["failure"],
        "omitted-parameters-kept": ["failure"],
        "challenge": ["skipped"],
        "accounts-apart": ["skipped"],
        "resource-links": ["skipped"],
        "resource-url": [],
        "framing": ["error"],
        "json-body": [],
    }


def test_a_broken_should_rule_fails_when_the_run_says_so(deviating: dict[str, Any]) -> None:
    suite = _suite({**deviating, "settings": {"fail_on": "should"}})

    (case,) = [case for case in suite.iter("testcase") if case.get("name") == "closed-timer-notation"]
    assert _results(case) == ["failure"]


def test_a_run_without_a_verdict_is_an_error_of_the_run() -> None:
    (error,) = _suite(DOCUMENTS["no-verdict"]).iter("error")

    assert error.get("message") == "no verdict: the target could not be judged: the target is unreachable"


def test_a_failure_tells_rule_source_input_expectation_and_curl(deviating: dict[str, Any]) -> None:
    failure = next(_suite(deviating).iter("failure"))

    assert failure.get("type") == "inactive-timer-syntax"
    assert "\n" not in str(failure.get("message"))
    text = str(failure.text)
    for part in (
        "Text that no reading parses",
        "Source: RFC",
        "expected: ",
        "observed: ",
        "=banana -> 200",
        "curl -sS -i",
    ):
        assert part in text


def test_characters_that_xml_forbids_are_replaced() -> None:
    document = build(REPORTS["deviating"])
    document["target"] = document["started_at"] = "\x00\x1b\ud800\ufffe\U0001f642"
    document["rules"][0]["group"] = "\x0c"

    root = ElementTree.fromstring(render(document).encode("utf-8"))
    assert root.find("testsuite").get("timestamp") == "����\U0001f642"  # type: ignore[union-attr]  # it is there


def test_a_rule_broken_in_many_ways_is_told_in_ten() -> None:
    document = build(REPORTS["deviating"])
    document["findings"] = [document["findings"][0]] * 25

    failure = next(_suite(document).iter("failure"))
    assert str(failure.text).count("curl -sS -i") == 10
    assert str(failure.text).endswith("15 more findings in result.json")
    assert str(failure.get("message")).endswith("(and 24 more findings)")


def test_a_case_says_its_verdict_level_and_source(deviating: dict[str, Any]) -> None:
    case = next(case for case in _suite(deviating).iter("testcase") if case.get("name") == "challenge")

    assert case.findtext("system-out") == (
        "verdict: undecided\nlevel: must\nsource: RFC 9110 15.5.6\nreason: no 401 was seen"
    )


def test_names_are_unique_stable_and_claim_no_place_in_the_readers_repository(
    deviating: dict[str, Any],
) -> None:
    cases = list(_suite(deviating).iter("testcase"))
    other = {
        **deviating,
        "seed": 7,
        "target": "http://elsewhere.example",
        "findings": deviating["findings"][:1],
    }

    names = [(case.get("classname"), case.get("name")) for case in cases]
    assert len(set(names)) == len(names)
    assert names == [(case.get("classname"), case.get("name")) for case in _suite(other).iter("testcase")]
    assert {name for case in cases for name in case.attrib} == {"classname", "name"}


def test_known_findings_are_no_part_of_a_failure(deviating: dict[str, Any]) -> None:
    document = copy.deepcopy(deviating)
    document["findings"][0]["known"] = {"reason": "being mended", "link": "", "expires": ""}
    case = next(_suite(document).iter("testcase"))

    failure = case.find("failure")
    assert failure is not None and failure.text is not None
    assert "timer/words: " in failure.text and "timer/long: " not in failure.text


def test_a_run_that_fails_for_stale_entries_alone_is_red(clean: dict[str, Any]) -> None:
    names = {"rule": "challenge", "class": "credentials/none", "outcome": "absent", "state": "fixed"}
    entry = dict.fromkeys(("fingerprint", "reason", "link", "expires"), "") | names
    (error,) = _suite({**clean, "exit_code": 1, "known": [entry]}).iter("error")

    assert error.get("message") == (
        "entries of known deviations are out of date: "
        "known deviation fixed: challenge credentials/none absent: it is gone, remove the entry"
    )


def test_an_undecided_rule_is_skipped_with_the_reason(deviating: dict[str, Any]) -> None:
    case = next(case for case in _suite(deviating).iter("testcase") if case.get("name") == "challenge")
    skipped = case.find("skipped")

    assert skipped is not None and skipped.get("message") == "undecided: no 401 was seen"


def test_properties_say_how_the_rules_stand() -> None:
    properties = {
        each.get("name"): each.get("value") for each in _suite(DOCUMENTS["undecided"]).iter("property")
    }

    assert [properties[f"must.{name}"] for name in ("hold", "broken", "undecided", "not_run")] == list("1011")
    assert properties["should.hold"] == "1"
    assert properties["headline"] == "No verdict on most rules: 2 of 3 MUST rules are undecided or not run"


def test_a_run_without_a_verdict_on_most_rules_says_so() -> None:
    (error,) = _suite(DOCUMENTS["undecided"]).iter("error")

    assert str(error.get("message")).endswith(": 2 of 3 MUST rules are undecided or not run")


def test_a_rule_that_holds_names_its_evidence() -> None:
    case = next(_suite(DOCUMENTS["undecided"]).iter("testcase"))

    assert "evidence: exchange 17: DefaultClosedTimer=10M -> 400 " in str(case.findtext("system-out"))


def test_what_follows_is_listed_on_both_sides(deviating: dict[str, Any]) -> None:
    texts = {each.get("type"): str(each.text) for each in _suite(deviating).iter("failure")}

    assert "follows: inactive-timer-syntax" in texts["closed-timer-syntax"]
    assert texts["inactive-timer-syntax"].count("follows from: closed-timer-syntax") == 2

"""The CTRF document tells every verdict, and is red exactly when the run failed on a rule."""

import copy
import json
from typing import Any

from conformance.reporting.ctrf import render


def _results(document: dict[str, Any]) -> dict[str, Any]:
    results: dict[str, Any] = json.loads(render(document))["results"]
    return results


def test_every_verdict_has_its_status_and_is_the_raw_status(deviating: dict[str, Any]) -> None:
    told = {test["name"]: (test["status"], test["rawStatus"]) for test in _results(deviating)["tests"]}

    assert told == {
        "inactive-timer-syntax": ("failed", "deviation"),
        "closed-timer-syntax": ("failed", "deviation"),
        "closed-timer-notation": ("passed", "non-strict"),
        "no-leak": ("failed", "deviation"),
        "every-request-answered": ("failed", "deviation"),
        "omitted-parameters-kept": ("failed", "unstable"),
        "challenge": ("other", "undecided"),
        "accounts-apart": ("pending", "not-run"),
        "resource-links": ("skipped", "known"),
        "resource-url": ("passed", "fixed"),
        "framing": ("other", "error"),
        "json-body": ("passed", "conformant"),
    }


def test_a_broken_should_rule_fails_when_the_run_says_so(deviating: dict[str, Any]) -> None:
    tests = _results({**deviating, "settings": {"fail_on": "should"}})["tests"]

    assert [each["status"] for each in tests if each["name"] == "closed-timer-notation"] == ["failed"]


def test_counts_add_up(document: dict[str, Any]) -> None:
    results = _results(document)
    summary = results["summary"]

    statuses = [test["status"] for test in results["tests"]]
    names = ("passed", "failed", "skipped", "pending", "other")
    assert {name: summary[name] for name in names} == {name: statuses.count(name) for name in names}
    assert summary["tests"] == len(document["rules"])


def test_times_are_those_of_the_run(clean: dict[str, Any]) -> None:
    summary = _results(clean)["summary"]

    assert (summary["start"], summary["stop"] - summary["start"]) == (1767323045000, 5100)


def test_a_failure_says_how_to_see_it_and_leaves_out_what_is_known(deviating: dict[str, Any]) -> None:
    document = copy.deepcopy(deviating)
    document["findings"][0]["known"] = {"reason": "being mended", "link": "", "expires": ""}
    first = _results(document)["tests"][0]

    assert first["trace"].count("curl -sS -i ") == 1
    assert "DefaultInactiveTimer=banana" in first["trace"]


def test_the_summary_says_how_the_rules_stand(deviating: dict[str, Any]) -> None:
    extra = _results(deviating)["summary"]["extra"]

    assert extra["must"] == {"hold": 2, "broken": 5, "undecided": 1, "not_run": 1, "errors": 1}
    assert (extra["should"]["broken"], extra["headline"]) == (2, "")


def test_a_trace_says_what_follows(deviating: dict[str, Any]) -> None:
    traces = {each["name"]: each.get("trace", "") for each in _results(deviating)["tests"]}

    assert "follows: inactive-timer-syntax" in traces["closed-timer-syntax"]
    assert "follows from: closed-timer-syntax" in traces["inactive-timer-syntax"]

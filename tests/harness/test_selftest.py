"""Every rule is shown to fail on an implementation that breaks it, and to be silent on one that does not."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from conformance import emulator
from conformance.emulator.demonstration import is_hidden
from conformance.harness.executor import Plan, run
from conformance.harness.selftest import Result, Subject, by_rule, combinations, examine, pairs, summary
from conformance.harness.verdicts import BUG
from conformance.model import Level, Report, Rule, Verdict
from conformance.rules import BY_ID, CATALOGUE
from conformance.settings import PROFILES
from conformance.transport.credentials import THROWAWAY
from conformance.transport.embedded import Embedded
from conformance.transport.target import Target, TargetSettings

# Rules of the schema-driven layer are broken by faults that other rules tell first.
SCHEMA_DRIVEN = {
    "openapi-server-error": "crash-on-unknown-parameters",
    "openapi-response": "account-sid-cut",
    "openapi-checks": "allow-credentials-null",
}
TRIES = 4
"""Faults of a rule that are tried at most: the quick profile has a few of them slip."""


def faults_of(rule: Rule) -> list[str]:
    if rule.id in SCHEMA_DRIVEN:
        return [SCHEMA_DRIVEN[rule.id]]
    return [fault.name for fault in emulator.FAULTS.values() if fault.rule == rule.id][:TRIES]


def judged(rules: Sequence[Rule], profile: str, *faults: str) -> Report:
    with Embedded(THROWAWAY, faults=faults) as embedded:
        limit = PROFILES[profile]
        settings = TargetSettings(url=embedded.url(), timeout=2, max_requests=limit)
        with Target(settings) as target:
            return run(rules, target, Plan(profile=profile, fail_on=Level.SHOULD))


@pytest.mark.parametrize("rule", CATALOGUE, ids=lambda rule: rule.id)
def test_a_rule_fails_on_a_fault(rule: Rule) -> None:
    for fault in faults_of(rule):
        alone = rule.id in SCHEMA_DRIVEN
        report = judged((rule,) if alone else CATALOGUE, "standard" if alone else "quick", fault)

        if report.exit_code == 1 and any(
            outcome.rule == rule and outcome.findings for outcome in report.outcomes
        ):
            return
    pytest.fail(f"none of {faults_of(rule)} was put down to {rule.id}")


def test_every_rule_is_silent_without() -> None:
    outcomes = judged(CATALOGUE, "standard").outcomes

    assert [finding for outcome in outcomes for finding in outcome.findings] == []
    assert {Verdict.CONFORMANT} == {outcome.verdict for outcome in outcomes}


@pytest.mark.parametrize("name", list(emulator.VARIANTS)[::6])
def test_a_variant_brings_no_finding(name: str) -> None:
    result = examine(Subject(variants=(name,)), profile="quick")

    assert result.ok, result.findings


def test_two_faults_are_both_reported() -> None:
    faults = ("closed-timer-minimum-halved", "messaging-service-sid-accepts-lower-case-prefix")
    rules = tuple(emulator.FAULTS[name].rule for name in faults)

    result = examine(Subject(faults=faults, rules=rules), profile="quick")

    assert set(rules) <= {finding.rule for finding in result.findings}


@pytest.mark.parametrize("fault", ["crash-on-every-2th", "crash-on-every-7th", "every-10th-update-forgotten"])
def test_what_comes_and_goes_is_called_unstable(fault: str) -> None:
    result = examine(Subject(faults=(fault,), rules=(emulator.FAULTS[fault].rule,)), profile="standard")

    assert result.ok
    assert not all(finding.stable for finding in result.findings)


@pytest.mark.parametrize("fault", ["refusal-breaks-next", "refusal-breaks-connection"])
def test_what_fails_after_a_refusal_alone_is_shown_after_one_every_time(fault: str) -> None:
    result = examine(Subject(faults=(fault,), rules=("stays-usable",)), profile="standard")

    assert result.attributed
    assert any(
        finding.stable and [each.status for each in finding.exchanges] == [400, 500]
        for finding in result.findings
        if finding.rule == "stays-usable"
    )


def test_random_sets_and_pairs_are_the_same_for_the_same_seed() -> None:
    faults = [Subject(faults=(name,), rules=(fault.rule,)) for name, fault in emulator.FAULTS.items()]

    assert list(combinations(emulator.VARIANTS, 5, 1)) == list(combinations(emulator.VARIANTS, 5, 1))
    assert list(pairs(faults, 5, 1, is_hidden)) == list(pairs(faults, 5, 1, is_hidden))
    assert list(pairs(faults, 5, 1, is_hidden)) != list(pairs(faults, 5, 2, is_hidden))


def test_no_pair_is_made_of_faults_that_hide_each_other() -> None:
    names = ("post-not-implemented", "closed-timer-minimum-unchecked", "inactive-timer-refuses-hours")
    faults = [Subject(faults=(name,), rules=(emulator.FAULTS[name].rule,)) for name in names]

    assert list(pairs(faults[:2], 3, 0, is_hidden)) == []
    assert {frozenset(each.faults) for each in pairs(faults, 3, 0, is_hidden)} == {frozenset(names[1:])}


def test_a_miss_and_a_false_alarm_count() -> None:
    caught = examine(
        Subject(faults=("media-type-html",), rules=("media-type",)), profile="quick", fail_fast=True
    )
    silent = examine(Subject(), profile="quick")

    figures = summary([caught, silent])

    assert (figures["faults"], figures["must_caught"], figures["false_alarms"]) == (1, 1, 0)
    assert caught.first is not None
    assert 0 < (caught.first_seconds or 0) < caught.seconds
    assert BY_ID["media-type"].id in {finding.rule for finding in caught.findings}


def test_a_run_that_an_error_of_ours_ended_is_no_success_whatever_it_found() -> None:
    for subject in (Subject(), Subject(faults=("media-type-html",), rules=("media-type",))):
        good = examine(subject, profile="quick", fail_fast=True)

        assert good.ok
        assert not replace(good, stopped=f"{BUG}: KeyError()").ok


def test_the_matrix_tells_of_every_rule_which_faults_slipped() -> None:
    fault = Subject(faults=("f",), rules=("media-type",))
    rows = by_rule(
        [Result(subject=fault, requests=3, seconds=1, verdict="conformant", findings=(), differences=0)]
    )

    ((row),) = rows
    assert (row["rule"], row["faults"], row["caught"], row["missed"]) == ("media-type", 1, 0, ["f"])


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "conformance.cli", "selftest", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_tells_what_was_caught(tmp_path: Path) -> None:
    done = command(
        "--fault", "media-type-html", "--profile", "quick", "--fail-fast", "--json", str(tmp_path / "m.json")
    )

    assert done.returncode == 0, done.stderr
    assert "media-type-html" in done.stdout
    assert (tmp_path / "m.json").exists()


def test_to_select_nothing_is_an_error() -> None:
    done = command("--fault", "no-such-fault")

    assert done.returncode == 2
    assert "nothing is selected" in done.stderr

"""Every rule fails on an implementation that breaks it, and is silent on one that does not."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path

import pytest
from click.testing import CliRunner
from command_line import conformance

from conformance import emulator
from conformance.cli import main
from conformance.emulator.demonstration import is_masked
from conformance.harness import selftest
from conformance.harness.executor import Plan, run
from conformance.harness.selftest import Result, Subject, by_rule, combinations, pairs, sample, summary
from conformance.harness.verdicts import BUG
from conformance.model import BY_HAND, Level, Report, Rule, Verdict
from conformance.rules import BY_ID, CATALOGUE
from conformance.settings import PROFILES
from conformance.transport.credentials import THROWAWAY
from conformance.transport.target import Target, TargetSettings

# Rules of the schema-driven layer are broken by faults that other rules tell first.
SCHEMA_DRIVEN = {
    "openapi-server-error": "crash-on-unknown-parameters",
    "openapi-response": "account-sid-cut",
    "openapi-checks": "allow-credentials-null",
}
ACCOUNTS = {account.sid or "": account.token for account in THROWAWAY}
examine = partial(selftest.examine, emulate=emulator.serving)
TRIES = 4
"""Faults of a rule that are tried, at most. The quick profile misses a few of them."""


def faults_of(rule: Rule) -> list[str]:
    if rule.id in SCHEMA_DRIVEN:
        return [SCHEMA_DRIVEN[rule.id]]
    return [fault.name for fault in emulator.FAULTS.values() if fault.rule == rule.id][:TRIES]


def judged(
    rules: Sequence[Rule], profile: str, *faults: str, fail_fast: bool = False, sdk: bool = False
) -> Report:
    with emulator.serving(accounts=ACCOUNTS, faults=faults) as url:
        settings = TargetSettings(url=url, timeout=2, max_requests=PROFILES[profile])
        with Target(settings) as target:
            plan = Plan(profile=profile, fail_on=Level.SHOULD, fail_fast=fail_fast, sdk=sdk)
            return run(rules, target, plan)


@pytest.mark.slow
@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize("rule", CATALOGUE, ids=lambda rule: rule.id)
def test_a_rule_fails_on_a_fault(rule: Rule) -> None:
    alone = rule.id in SCHEMA_DRIVEN or rule.needs == BY_HAND  # the quick profile leaves these out
    rules, profile = ((rule,), "standard") if alone else (CATALOGUE, "quick")
    # The first deviation of one of them mostly shows it; whole runs are made where it does not.
    for fail_fast, fault in product((True, False), faults_of(rule)):
        report = judged(rules, profile, fault, fail_fast=fail_fast, sdk=rule.package == "twilio")
        if report.exit_code == 1 and any(
            outcome.rule == rule and outcome.findings for outcome in report.outcomes
        ):
            return
    pytest.fail(f"none of {faults_of(rule)} was put down to {rule.id}")


@pytest.mark.slow
def test_every_rule_is_silent_without() -> None:
    outcomes = judged(CATALOGUE, "standard", sdk=True).outcomes

    assert [finding for outcome in outcomes for finding in outcome.findings] == []
    assert {Verdict.CONFORMANT} == {outcome.verdict for outcome in outcomes}


@pytest.mark.slow
@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize("name", list(emulator.VARIANTS)[::6])
def test_a_variant_brings_no_finding(name: str) -> None:
    accounts = emulator.VARIANTS[name].accounts
    result = examine(Subject(variants=(name,), accounts=accounts), profile="quick")

    assert result.ok, result.findings


@pytest.mark.slow
def test_two_faults_are_both_reported() -> None:
    faults = ("closed-timer-minimum-halved", "messaging-service-sid-accepts-lower-case-prefix")
    rules = tuple(emulator.FAULTS[name].rule for name in faults)

    result = examine(Subject(faults=faults, rules=rules), profile="quick")

    assert set(rules) <= {finding.rule for finding in result.findings}


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["crash-on-every-2th", "crash-on-every-7th", "every-10th-update-forgotten"])
def test_a_fault_that_comes_and_goes_is_unstable(fault: str) -> None:
    result = examine(Subject(faults=(fault,), rules=(emulator.FAULTS[fault].rule,)), profile="quick")

    assert result.ok
    assert not all(finding.stable for finding in result.findings)


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["refusal-breaks-next", "refusal-breaks-connection"])
def test_what_fails_after_a_refusal_alone_is_shown_after_one_every_time(fault: str) -> None:
    result = examine(Subject(faults=(fault,), rules=("stays-usable",)), profile="quick")

    assert result.attributed
    assert any(
        finding.stable and [each.status for each in finding.exchanges] == [400, 500]
        for finding in result.findings
        if finding.rule == "stays-usable"
    )


@pytest.mark.slow
def test_random_sets_and_pairs_are_the_same_for_the_same_seed() -> None:
    faults = [Subject(faults=(name,), rules=(fault.rule,)) for name, fault in emulator.FAULTS.items()]

    assert list(combinations(emulator.VARIANTS, 5, 1)) == list(combinations(emulator.VARIANTS, 5, 1))
    assert list(pairs(faults, 5, 1, is_masked)) == list(pairs(faults, 5, 1, is_masked))
    assert list(pairs(faults, 5, 1, is_masked)) != list(pairs(faults, 5, 2, is_masked))


@pytest.mark.slow
def test_no_pair_is_made_of_faults_that_hide_each_other() -> None:
    names = ("post-not-implemented", "closed-timer-minimum-unchecked", "inactive-timer-refuses-hours")
    faults = [Subject(faults=(name,), rules=(emulator.FAULTS[name].rule,)) for name in names]

    assert list(pairs(faults[:2], 3, 0, is_masked)) == []
    assert {frozenset(each.faults) for each in pairs(faults, 3, 0, is_masked)} == {frozenset(names[1:])}


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_run_that_a_bug_of_the_suite_ended_is_no_success_whatever_it_found() -> None:
    for subject in (Subject(), Subject(faults=("media-type-html",), rules=("media-type",))):
        good = examine(subject, profile="quick", fail_fast=True)

        assert good.ok
        assert not replace(good, stopped=f"{BUG}: KeyError()").ok


def test_the_matrix_has_for_every_rule_the_faults_that_were_missed() -> None:
    fault = Subject(faults=("f",), rules=("media-type",))
    rows = by_rule(
        [Result(subject=fault, requests=3, seconds=1, verdict="conformant", findings=(), headlines=())]
    )

    ((row),) = rows
    assert (row["rule"], row["faults"], row["caught"], row["missed"]) == ("media-type", 1, 0, ["f"])


def reported(*headlines: str) -> Result:
    fault = Subject(faults=("f",), rules=("media-type",), consequences=("json-body",))
    return Result(
        subject=fault, requests=3, seconds=1, verdict="deviations", findings=(), headlines=headlines
    )


@pytest.mark.parametrize(
    ("headlines", "alone"),
    [
        (["media-type"], True),
        (["media-type", "media-type", "json-body"], True),
        (["media-type", "challenge"], False),
        (["json-body"], False),
        ([], False),
    ],
)
def test_a_fault_is_reported_alone_under_its_rule_and_declared_consequences(
    headlines: list[str], alone: bool
) -> None:
    result = reported(*headlines)

    assert result.alone is alone
    assert result.as_json()["alone"] is alone
    assert summary([result])["alone"] == by_rule([result])[0]["alone"] == alone


@pytest.mark.slow
def test_a_sample_has_one_fault_of_every_kind_and_all_of_them_in_turn() -> None:
    kinds = {fault.name: (fault.rule, fault.group) for fault in emulator.FAULTS.values()}
    samples = [sample(kinds, seed) for seed in range(len(kinds))]

    assert all(sorted(kinds[name] for name in names) == sorted(set(kinds.values())) for names in samples)
    assert {name for names in samples for name in names} == set(kinds)
    assert samples[0] == sample(kinds, 0)


@pytest.mark.slow
def test_the_command_prints_how_many_faults_were_caught(tmp_path: Path) -> None:
    done = conformance(
        tmp_path,
        "selftest",
        "--fault",
        "media-type-html",
        "--profile",
        "quick",
        "--fail-fast",
        "--json",
        str(tmp_path / "m.json"),
    )

    assert done.returncode == 0, done.stderr
    assert "media-type-html" in done.stdout
    assert (tmp_path / "m.json").exists()


@pytest.mark.slow
def test_the_command_fails_where_too_few_faults_are_reported_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    fault = Subject(faults=("media-type-html",), rules=("media-type",))
    alone = examine(fault, profile="quick", fail_fast=True)
    beside = replace(alone, headlines=("media-type", "challenge"))
    monkeypatch.setattr(selftest, "examine_all", lambda *arguments, **options: iter([alone, beside]))

    half, more, not_asked = (
        CliRunner().invoke(main, ["selftest", *arguments])
        for arguments in (["--alone", "50"], ["--alone", "51"], [])
    )

    assert (half.exit_code, more.exit_code, not_asked.exit_code) == (0, 1, 0)
    assert "fewer than 51 % of the faults were reported alone" in more.stdout
    assert "alone 1" in half.stdout


@pytest.mark.slow
def test_the_command_fails_where_too_few_faults_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    fault = Subject(faults=("media-type-html",), rules=("media-type",))
    caught = examine(fault, profile="quick", fail_fast=True)
    missed = replace(caught, findings=(), headlines=())
    monkeypatch.setattr(selftest, "examine_all", lambda *arguments, **options: iter([caught, missed]))

    half, more, not_asked = (
        CliRunner().invoke(main, ["selftest", *arguments])
        for arguments in (["--caught", "50"], ["--caught", "51"], [])
    )

    assert (half.exit_code, more.exit_code, not_asked.exit_code) == (0, 1, 1)
    assert "fewer than 51 % of the must faults were caught" in more.stdout


@pytest.mark.slow
def test_the_sample_is_of_the_faults_that_were_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    examined: list[Subject] = []

    def examine_all(subjects: Sequence[Subject], **options: object) -> Sequence[Result]:
        examined.extend(subjects)
        return ()

    monkeypatch.setattr(selftest, "examine_all", examine_all)
    CliRunner().invoke(main, ["selftest", "--sample", "--rule", "media-type"])

    kinds = {
        fault.group
        for name, fault in emulator.FAULTS.items()
        if fault.rule == "media-type" and name not in emulator.HIDDEN
    }
    assert [each.rules for each in examined] == [("media-type",)] * len(kinds)


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [("--fault", "*"), ("--fault", "*", "--hidden"), ("--hidden",)])
def test_faults_that_hide_are_examined_where_they_are_asked_for(
    arguments: Sequence[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    examined: list[Subject] = []

    def examine_all(subjects: Sequence[Subject], **options: object) -> Sequence[Result]:
        examined.extend(subjects)
        return [replace(reported("media-type"), subject=each) for each in subjects[:1]]

    monkeypatch.setattr(selftest, "examine_all", examine_all)
    done = CliRunner().invoke(main, ["selftest", *arguments])

    hidden = "--hidden" in arguments
    assert {name for each in examined for name in each.faults} == {
        name for name in emulator.FAULTS if (name in emulator.HIDDEN) == hidden
    }
    assert ("kind" in done.stdout) == hidden


@pytest.mark.slow
def test_to_select_nothing_is_an_error(tmp_path: Path) -> None:
    done = conformance(tmp_path, "selftest", "--fault", "no-such-fault")

    assert done.returncode == 2
    assert "nothing is selected" in done.stderr

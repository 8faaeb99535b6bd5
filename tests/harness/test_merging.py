"""The shards of a run, put together, say what the run of the whole says."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from command_line import conformance, refused, result
from fakes import Resource
from whole_runs import Answering, Fault, judged

from conformance import emulator
from conformance.exceptions import ReportError, TargetDead
from conformance.harness.executor import Plan, run
from conformance.harness.merging import merged
from conformance.harness.schedule import share
from conformance.http import Failure, Request, Response
from conformance.model import Probe, Verdict
from conformance.reporting import ARCHIVE, build, differences, validate
from conformance.rules import CATALOGUE
from conformance.rules.robustness import EVERY_ANSWERED
from conformance.transport.credentials import THROWAWAY
from conformance.transport.target import BASE_URL, Target, TargetSettings

pytestmark = pytest.mark.usefixtures("no_waiting")

TODAY = date(2026, 11, 28)
TIMERS = ("closed-timer-minimum", "closed-timer-syntax", "concurrent-writers", "media-type")
Result = dict[str, Any]


def result_of(answering: Answering, number: int = 1, of: int = 1) -> Result:
    return build(
        judged(answering, *TIMERS, plan=Plan(profile="quick", shard=(number, of), rare=True), limit=None)[0]
    )


def shards(of: int) -> list[Result]:
    return [result_of(Fault(accepts=["PT599S"]), number, of) for number in range(1, of + 1)]


def standing(result: Result) -> dict[str, str]:
    return {each["id"]: each["verdict"] for each in result["rules"]}


def told(result: Result) -> set[str]:
    return {each.first["rule"] for each in differences(result)}


def test_every_input_class_is_sent_by_one_shard() -> None:
    every = [each for number in range(1, 6) for each in share(CATALOGUE, Plan(shard=(number, 5)))]
    assert sorted(every) == sorted(share(CATALOGUE, Plan()))
    assert len(set(every)) == len(every)


def test_shards_say_together_what_one_run_says() -> None:
    whole, parts = result_of(Fault(accepts=["PT599S"])), merged(shards(2), TODAY)

    validate(parts)
    assert standing(parts) == standing(whole)
    assert [each["rule"] for each in parts["findings"]] == [each["rule"] for each in whole["findings"]]
    assert told(parts) == told(whole) == {"closed-timer-minimum"}
    assert (parts["verdict"], parts["exit_code"]) == (whole["verdict"], whole["exit_code"])
    examples = [
        [cls["examples"] for rule in result["rules"] for cls in rule["classes"] if cls["id"][:6] == "timer/"]
        for result in (parts, whole)
    ]
    assert examples[0] == examples[1]


def test_a_shard_leaves_out_the_rules_of_which_it_has_nothing_to_say() -> None:
    parts = [result_of(Resource(), number, 3) for number in (1, 2, 3)]
    assert {each["id"] for part in parts for each in part["rules"]} == set(TIMERS)
    assert any(len(part["rules"]) < len(TIMERS) for part in parts)
    assert {part["exit_code"] for part in parts} == {0}
    # A rule may have its evidence in one of the shards alone.
    assert {each["verdict"] for part in parts for each in part["rules"]} <= {"conformant", "undecided"}
    assert set(standing(merged(parts, TODAY)).values()) == {"conformant"}


def test_a_shard_that_has_no_input_to_send_says_what_it_has_seen() -> None:
    plan = Plan(profile="quick", shard=(2, 2))
    report, _ = judged(Resource(), "empty-update", plan=plan, limit=None)
    assert [each.examples for each in report.outcomes] == [0]
    assert (report.verdict, report.exit_code) == (Verdict.CONFORMANT, 0)


def test_the_exchanges_of_all_shards_are_numbered_through() -> None:
    parts = shards(2)
    whole = merged(parts, TODAY)
    assert whole["requests"] == sum(each["requests"] for each in parts)
    for number, part in enumerate(parts):
        for finding in part["findings"]:
            (same,) = (each for each in whole["findings"] if each["fingerprint"] == finding["fingerprint"])
            offset = same["exchanges"][0]["number"] - finding["exchanges"][0]["number"]
            assert offset == number * parts[0]["requests"]


def test_a_shard_whose_target_went_away_leaves_the_run_without_a_verdict() -> None:
    right, sent = Resource(), 0

    def dying(request: Request) -> Response | Failure:
        nonlocal sent
        sent += 1
        if sent > 40:
            raise TargetDead("it cannot be reached")
        return right(request)

    whole = merged([result_of(Resource(), 1, 2), result_of(dying, 2, 2)], TODAY)
    assert (whole["verdict"], whole["exit_code"]) == (Verdict.ERROR, 3)
    assert whole["stopped"].startswith("shard 2: it cannot be reached")


def test_what_one_shard_left_unanswered_is_shown_and_no_other_shard_settles_it() -> None:
    reports = [
        judged(Resource(), EVERY_ANSWERED.id, plan=Plan(profile="quick", shard=(number, 2)), limit=None)[0]
        for number in (1, 2)
    ]
    lost = reports[1].outcomes[0].evidence
    assert lost is not None
    doubted = replace(reports[1].outcomes[0], verdict=Verdict.UNDECIDED, evidence=None)
    parts = [build(reports[0]), build(replace(reports[1], outcomes=(doubted,), unanswered=(lost,)))]

    whole = merged(parts, TODAY)
    assert standing(whole) == {EVERY_ANSWERED.id: "undecided"}
    (exchange,) = whole["unanswered"]["exchanges"]
    assert exchange["number"] == reports[0].requests + lost.number


def test_what_is_known_stays_known() -> None:
    parts = shards(2)
    finding = next(each for part in parts for each in part["findings"])
    entry = {
        **{name: finding[name] for name in ("fingerprint", "rule", "class", "outcome")},
        "reason": "soon",
        "link": "",
        "expires": "2026-12-01",
        "state": "known",
    }
    for part in parts:
        part["known"] = [entry]
    assert merged(parts, TODAY)["known"] == [entry]
    assert merged(parts, date(2026, 12, 2))["known"][0]["state"] == "expired"


REFUSED: dict[str, tuple[Callable[[list[Result]], list[Result]], str]] = {
    "no shard": (lambda parts: [result_of(Resource())], "not that of a shard: run with --shard K/N"),
    "twice": (lambda parts: [parts[0], {**parts[0]}], "two results are of shard 1/2"),
    "one missing": (lambda parts: parts[1:], "no result of shard 1/2: give the results of all 2"),
    "another seed": (lambda parts: [parts[0], {**parts[1], "seed": 7}], "shard 2/2 is of another run"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_are_not_the_shards_of_one_run_is_refused(case: str) -> None:
    choose, message = REFUSED[case]
    with pytest.raises(ReportError, match=message):
        merged(choose(shards(2)), TODAY)


# On the emulator's faults

DRAWN: dict[str, list[Probe]] = {}
FAULTS = (
    "closed-timer-minimum-one-second-less",
    "credentials-not-needed",
    "crash-on-unknown-parameters",
    "omitted-reset",
)


def on_an_emulator(shard: tuple[int, int], faults: Sequence[str]) -> Result:
    app = emulator.create_app(accounts={each.user: each.token for each in THROWAWAY}, faults=faults)
    with Target(TargetSettings(url=BASE_URL, timeout=3.0), app=app) as target:
        return build(run(CATALOGUE, target, Plan(profile="quick", shard=shard, drawn=DRAWN)))


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_shards_find_together_what_one_run_finds(fault: str) -> None:
    whole = on_an_emulator((1, 1), [fault])
    for count in (2, 3):
        parts = merged([on_an_emulator((k, count), [fault]) for k in range(1, count + 1)], TODAY)
        assert sorted(each["id"] for each in parts["rules"]) == sorted(each.id for each in CATALOGUE)
        assert told(parts) == told(whole)
        assert parts["exit_code"] == whole["exit_code"] == 1


# conformance merge


@pytest.mark.slow
def test_the_command_writes_one_report_with_all_exchanges(
    tmp_path: Path,
) -> None:
    parts = [f"shard-{number}" for number in (1, 2)]
    for number, part in enumerate(parts, 1):
        done = conformance(tmp_path, "run", "--profile=quick", f"--shard={number}/2", f"--report-dir={part}")
        assert done.returncode == 0, done.stderr
    assert refused(conformance(tmp_path, "merge", parts[0])) == (
        "conformance: no result of shard 2/2: give the results of all 2"
    )
    done = conformance(tmp_path, "merge", *parts)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(" · conformant\n")
    sent = json.loads((tmp_path / "conformance-report" / ARCHIVE).read_text())["log"]["entries"]
    numbers = {int(each["comment"].removeprefix("exchange ")) for each in sent}
    assert numbers == set(range(1, len(sent) + 1))
    assert len(sent) == result(tmp_path)["requests"]


@pytest.mark.slow
def test_the_share_for_several_accounts_sends_as_each_of_them_and_ends() -> None:
    """It is that of workers of pytest, which have one account each for the other shares."""
    report, target = judged(Resource(), plan=Plan(shard=(0, 2)), limit=None)
    assert (report.stopped, report.exit_code) == ("", 0)
    assert {each.account for each in target.sent} == {0, 1}

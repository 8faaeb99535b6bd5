"""What is printed: deviations first, totals last, safe and readable at any width."""

import copy
import io
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from conformance.harness.events import RequestSent
from conformance.http import READ
from conformance.model import Level, Verdict
from conformance.reporting import Progress, build, console_for, differences, print_result
from conformance.rules import CATALOGUE

from .samples import DOCUMENTS, REPORTS, exchange, finding, outcome, rule


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _printed(
    document: dict[str, Any], *, width: int = 80, colour: bool = False, terminal: bool = False
) -> str:
    output = io.StringIO()
    console = Console(
        file=output,
        width=width,
        color_system="truecolor" if colour else None,
        force_terminal=colour or terminal,
        highlight=False,
    )
    print_result(document, console)
    return output.getvalue()


_STYLE = re.compile(r"\x1b\[[0-9;]*m")


@pytest.mark.parametrize("width", [20, 80, 200])
@pytest.mark.parametrize("colour", [False, True])
def test_nothing_of_the_target_reaches_the_terminal_raw(
    document: dict[str, Any], width: int, colour: bool
) -> None:
    printed = (
        _STYLE.sub("", _printed(document, width=width, colour=colour))
        if colour
        else _printed(document, width=width)
    )

    assert [c for c in printed if not c.isprintable() and c != "\n"] == []


def test_colour_changes_nothing_but_colour(document: dict[str, Any]) -> None:
    assert _STYLE.sub("", _printed(document, colour=True)) == _printed(document, terminal=True)


def test_the_last_line_is_the_totals(deviating: dict[str, Any], clean: dict[str, Any]) -> None:
    assert _printed(clean).splitlines()[-1] == (
        "MUST 2 hold, 0 broken, 0 undecided · 2,874 requests in 5.1 s · seed 0 · conformant"
    )
    assert _printed(deviating).splitlines()[-1] == (
        "MUST 2 hold, 5 broken, 1 undecided, 1 not run, 1 in error · SHOULD 0 hold, 2 broken, 0 undecided · "
        "2,874 requests in 5.1 s · seed 0 · deviation"
    )


def test_a_target_that_could_not_be_judged_brings_no_table_of_zeros() -> None:
    assert _printed(DOCUMENTS["no-verdict"]).splitlines() == [
        "No verdict on most rules: 1 of 1 MUST rule is not run",
        "",
        "",
        "not-run: all rules: unreachable",
        "stopped early: the target is unreachable",
        "MUST 1 not run · 2,874 requests in 5.1 s · seed 0 · error",
    ]


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_no_line_is_a_command_to_the_runner_of_a_ci(deviating: dict[str, Any], width: int) -> None:
    document = copy.deepcopy(deviating)
    for each in document["findings"]:
        each["summary"] = each["expected"] = each["observed"] = "x ::error::owned ::add-mask::a " * 4
    printed = _printed(document, width=width).splitlines()

    assert [line for line in printed if line.strip().startswith("::")] == []
    assert any("\\x3a:" in line for line in printed) or width > 40


def test_where_the_page_is_is_told_before_the_totals(clean: dict[str, Any]) -> None:
    output = io.StringIO()
    print_result(clean, console_for(output, {}), page=Path("conformance-report", "report.html"))

    assert output.getvalue().splitlines()[-2] == "report: conformance-report/report.html"


def test_why_a_run_was_stopped_is_told_once() -> None:
    document = copy.deepcopy(DOCUMENTS["no-verdict"])
    document["rules"][0]["reason"] = document["stopped"]

    assert _printed(document).count(document["stopped"]) == 1


def test_a_notice_that_was_told_when_the_run_began_is_not_told_again(deviating: dict[str, Any]) -> None:
    output = io.StringIO()
    print_result(deviating, console_for(output, {}), printed=deviating["notices"])

    assert "note:" not in output.getvalue()


def test_a_rule_that_its_findings_summary_repeats_is_not_told_twice(deviating: dict[str, Any]) -> None:
    document = copy.deepcopy(deviating)
    document["findings"][0]["summary"] = f"Does not hold: {document['rules'][0]['statement']}"
    document["findings"] = document["findings"][:1]

    assert _printed(document).count(document["rules"][0]["statement"]) == 1


def test_on_a_narrow_terminal_lines_break_between_words(deviating: dict[str, Any]) -> None:
    assert _printed(deviating, terminal=True).splitlines()[-2:] == [
        "MUST 2 hold, 5 broken, 1 undecided, 1 not run, 1 in error · SHOULD 0 hold, 2 ",
        "broken, 0 undecided · 2,874 requests in 5.1 s · seed 0 · deviation",
    ]


@pytest.mark.parametrize("width", [40, 80, 200])
def test_curl_lines_can_be_copied_whole(deviating: dict[str, Any], width: int) -> None:
    printed = _printed(deviating, width=width).splitlines()

    shown = [line for each in differences(deviating) for line in each.first["curl"].splitlines()]
    assert len(shown) == 6 and set(shown) <= set(printed)


def test_a_deviation_is_told_with_all_that_is_needed_to_judge_it(deviating: dict[str, Any]) -> None:
    lines = _printed(deviating, width=200).splitlines()

    begin = next(number for number, line in enumerate(lines) if line.startswith("MUST closed-timer-syntax"))
    end = lines.index("Unstable: the same requests were answered differently")
    assert lines[begin:end] == [
        f"MUST closed-timer-syntax  timer/words  {deviating['findings'][2]['fingerprint'][:12]}",
        "  DefaultInactiveTimer: a text that is no duration was accepted",
        "  rule      It holds.",
        "  field     DefaultClosedTimer",
        '  sent      DefaultClosedTimer="10 M"',
        "  expected  a 4xx answer",
        "  observed  200",
        "  seen      in at least 40 requests",
        "  also for  DefaultInactiveTimer=banana",
        f"  also for  DefaultInactiveTimer=PT{'9' * 136}… (424 characters)",
        "  follows   inactive-timer-syntax",
        "",
        deviating["findings"][2]["curl"],
        "",
    ]


def test_all_that_follows_is_listed_and_other_classes_are_those_of_the_rule_itself() -> None:
    first = rule("implemented", "robustness")
    others = [each for each in CATALOGUE if each.level is Level.MUST and each.id != first.id][:30]
    found = [finding(first, f"answer/{name}", exchange(READ)) for name in "abcdefgh"]
    outcomes = [outcome(first, Verdict.DEVIATION, *found)]
    outcomes += [outcome(each, Verdict.DEVIATION, finding(each, "x/y", exchange(READ))) for each in others]
    document = build(replace(REPORTS["clean"], outcomes=tuple(outcomes)))
    for each in document["findings"]:
        follows = None if each["rule"] == first.id else first.id
        each |= {"cause": "same", "consequence_of": follows}
    lines = _printed(document, width=2000).splitlines()

    assert "  also      answer/b, answer/c, answer/d, answer/e, answer/f and 2 more" in lines
    assert f"  follows   {', '.join(each.id for each in others)}" in lines


def test_no_verdict_on_most_rules_is_said_before_anything_else() -> None:
    assert _printed(DOCUMENTS["undecided"]).splitlines()[0] == (
        "No verdict on most rules: 2 of 3 MUST rules are undecided or not run"
    )


def test_deviations_then_unstable_then_not_strict_then_groups(deviating: dict[str, Any]) -> None:
    printed = _printed(deviating)

    places = [
        printed.index(each)
        for each in ("Deviations", "Unstable", "Not strict", "group ", "undecided:", "note:")
    ]
    assert places == sorted(places)


def test_what_was_not_decided_is_told_with_the_reason(deviating: dict[str, Any]) -> None:
    lines = _printed(deviating, width=200).splitlines()

    assert "undecided: challenge: no 401 was seen" in lines
    assert "not-run: accounts-apart: there is one account only" in lines
    assert "stopped early: the budget of 3,000 requests is used up" in lines
    assert "restored: the settings that had a value before the run" in lines
    assert "settings that were null before and cannot be made null again: default_closed_timer" in lines


@pytest.mark.parametrize(
    ("state", "failed", "line"),
    [
        ("failed", ["default_closed_timer"], "NOT RESTORED: default_closed_timer"),
        ("failed", [], "NOT RESTORED: the settings before the run"),
        ("not-read", [], "not restored: the settings could not be read"),
        ("restored", [], "restored: the settings that were in force before the run"),
    ],
)
def test_what_became_of_the_settings_is_told(
    clean: dict[str, Any], state: str, failed: list[str], line: str
) -> None:
    restore = {"state": state, "failed": failed, "unrestorable": []}
    assert line in _printed({**clean, "restore": restore}, width=200).splitlines()


def test_groups_say_how_their_rules_stand(deviating: dict[str, Any]) -> None:
    rows = [re.split("  +", line) for line in _printed(deviating, width=120).splitlines()]

    assert ["timers", "2 broken", "1 broken", "12"] in rows
    assert ["response", "2 hold", "1 broken", "0"] in rows
    assert ["protocol", "1 undecided, 1 in error", "-", "0"] in rows


def test_long_observations_are_cut(deviating: dict[str, Any]) -> None:
    (line,) = [
        line for line in _printed(deviating, width=1000).splitlines() if line.startswith("  observed  \\x1b")
    ]

    assert len(line) < 260 and line.endswith("… (1,080 characters)")


def test_a_pipe_gets_plain_text_whatever_the_environment_says() -> None:
    console = console_for(io.StringIO(), {"FORCE_COLOR": "1", "TERM": "xterm-256color"})

    assert (console.is_terminal, console.color_system) == (False, None)


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_a_terminal_gets_plain_text_when_asked_for(
    deviating: dict[str, Any], environ: dict[str, str]
) -> None:
    terminal = _Terminal()
    print_result(deviating, console_for(terminal, environ))

    assert "\x1b" not in terminal.getvalue()


def test_a_terminal_gets_colour(deviating: dict[str, Any]) -> None:
    terminal = _Terminal()
    print_result(deviating, console_for(terminal, {"TERM": "xterm-256color"}))

    assert "\x1b[1;31mMUST\x1b[0m" in terminal.getvalue()


def test_every_hand_made_verdict_is_covered() -> None:
    seen = {outcome.verdict for report in REPORTS.values() for outcome in report.outcomes}

    assert len(seen) == 10


class _Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_progress_in_a_log_is_a_plain_line_every_ten_seconds() -> None:
    output, clock = io.StringIO(), _Clock()
    with Progress(console_for(output, {}), limit=3000, clock=clock) as progress:
        for second in range(25):
            clock.now = float(second)
            progress.update(RequestSent(phase="examples", cls="timer/weeks", requests=100 * second))

    assert output.getvalue().splitlines() == [
        "examples · 1,000 of at most 3,000 requests · 100/s · 10 s · at most 20 s left · timer/weeks",
        "examples · 2,000 of at most 3,000 requests · 100/s · 20 s · at most 10 s left · timer/weeks",
    ]


def test_the_estimate_follows_the_speed_of_the_last_seconds_and_is_not_made_too_soon() -> None:
    clock = _Clock()
    progress = Progress(console_for(io.StringIO(), {}), limit=3000, clock=clock)
    lines = []
    # A hundred requests a second for a minute and a half would be all; after ten seconds they become one.
    for second in range(1, 41):
        clock.now = float(second)
        requests = 100 * min(second, 10) + max(0, second - 10)
        progress.update(RequestSent(phase="examples", cls="", requests=requests))
        lines.append(progress._line().plain)

    assert lines[0].endswith(" · 100/s · 1 s")
    assert lines[4].endswith(" · 100/s · 5 s · at most 25 s left")
    assert lines[39].endswith(" · 1/s · 40 s · at most 33 min left")


def test_a_target_that_no_longer_answers_brings_no_estimate() -> None:
    clock = _Clock()
    progress = Progress(console_for(io.StringIO(), {}), limit=3000, clock=clock)
    for second in range(1, 40):
        clock.now = float(second)
        progress.update(RequestSent(phase="examples", cls="", requests=7))

    assert progress._line().plain == "examples · 7 of at most 3,000 requests · 39 s"


def test_progress_of_a_short_run_leaves_nothing_in_a_log() -> None:
    output = io.StringIO()
    with Progress(console_for(output, {})) as progress:
        progress.update(RequestSent(phase="examples", cls="", requests=1))

    assert output.getvalue() == ""


def test_progress_on_a_terminal_is_one_line_that_goes_away() -> None:
    terminal = _Terminal()
    with Progress(console_for(terminal, {"TERM": "xterm"})) as progress:
        progress.update(RequestSent(phase="examples \x1b]0;owned\x07", cls="timer/weeks", requests=7))

    written = terminal.getvalue()
    assert "7 requests" in written and "\x1b]0;" not in written
    assert written.endswith("\x1b[2K")


def test_progress_on_a_terminal_without_colour_moves_no_cursor() -> None:
    terminal = _Terminal()
    with Progress(console_for(terminal, {"NO_COLOR": "1"})) as progress:
        progress.update(RequestSent(phase="examples", cls="", requests=7))

    assert "\x1b" not in terminal.getvalue()

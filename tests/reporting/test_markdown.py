"""The summary is inert Markdown that fits GitHub's limit with whole tables only."""

import re
from dataclasses import replace
from hashlib import shake_256
from html import unescape
from typing import Any

from conformance.http import update
from conformance.model import CLOSED, Verdict
from conformance.reporting import build
from conformance.reporting.markdown import LIMIT, render

from .samples import DOCUMENTS, REPORTS, exchange, finding, outcome, rule


def _outside_code(markdown: str) -> str:
    return re.sub(r"^(`{3,})\w*\n.*?\n\1$", "", markdown, flags=re.DOTALL | re.MULTILINE)


def test_the_totals_come_first(clean: dict[str, Any]) -> None:
    assert render(clean).splitlines()[:5] == [
        "### Twilio Conversations configuration: conformance",
        "",
        "**conformant** · <code>http&#58;//127.0.0.1:4010</code>",
        "",
        "MUST 2 hold, 0 broken, 0 undecided · 2,874 requests in 5.1 s · seed 0 · conformant",
    ]


def test_nothing_of_the_target_is_markup(document: dict[str, Any]) -> None:
    told = _outside_code(render(document))

    assert set(re.findall(r"<[^>]*>", told)) <= {
        "<code>", "</code>", "<details>", "</details>", "<summary>", "</summary>",
    }  # fmt: skip
    assert [c for c in told if not c.isprintable() and c != "\n"] == []
    assert (
        re.findall(
            r"https?://|www\.|!\[|\]\(|`", told.replace("`report.html`", "").replace("`result.json`", "")
        )
        == []
    )


def test_code_blocks_end_where_they_should(deviating: dict[str, Any]) -> None:
    markdown = render(deviating)

    assert "````text\n" in markdown  # a body with three backticks
    assert (
        markdown.count("<details>")
        == markdown.count("</details>")
        == _outside_code(markdown).count("</details>")
    )


def test_tables_have_as_many_cells_in_every_row(deviating: dict[str, Any]) -> None:
    tables = re.findall(r"(?:^\|.*\|\n?)+", _outside_code(render(deviating)), flags=re.MULTILINE)

    assert len(tables) == 4
    for table in tables:
        assert len({line.count("|") for line in table.splitlines()}) == 1


def test_a_deviation_is_told_with_its_request_and_curl(deviating: dict[str, Any]) -> None:
    markdown = render(deviating)

    assert 'DefaultClosedTimer="10 M"\n    -> 200 {"account_sid": null}' in markdown
    assert all(
        each["curl"] in markdown
        for each in deviating["findings"]
        if each["class"] in ("state/pair", "wire/bytes")
    )


def test_text_reads_the_same_after_rendering(deviating: dict[str, Any]) -> None:
    assert "| <code>closed-timer-syntax</code> |" in render(deviating)
    assert "default_closed_timer" in unescape(render(deviating))


def test_a_summary_too_large_loses_whole_sections_and_says_so() -> None:
    syntax = rule("closed-timer-syntax", "timers")
    one = finding(syntax, "timer/long", exchange(update((CLOSED.parameter, shake_256(b"1").hexdigest(1200)))))
    document = build(replace(REPORTS["clean"], outcomes=(outcome(syntax, Verdict.DEVIATION, one),)))
    document["findings"] = [{**document["findings"][0], "cause": f"cause {n}"} for n in range(600)]

    markdown = render(document)
    assert 0.8 * LIMIT < len(markdown.encode()) <= LIMIT
    assert markdown.count("<details>") == markdown.count("</details>") > 100
    assert "100 more differences: see `report.html`." in markdown
    assert markdown.splitlines()[-1].endswith(" sections left out for size: see `report.html`.")


def test_a_small_limit_is_kept(deviating: dict[str, Any]) -> None:
    for limit in (400, 1000, 3000):
        assert len(render(deviating, limit).encode()) <= limit


def test_a_target_that_could_not_be_judged_is_told_so_first_and_without_zeros() -> None:
    text = render(DOCUMENTS["no-verdict"])

    assert text.splitlines()[2] == "**No verdict on most rules: 1 of 1 MUST rule is not run**"
    assert text.splitlines()[8] == "Stopped early: the target is unreachable"
    assert "0 hold" not in text and "| group |" not in text


def test_no_verdict_on_most_rules_is_said_before_the_verdict() -> None:
    lines = render(DOCUMENTS["undecided"]).splitlines()

    assert lines[2] == "**No verdict on most rules: 2 of 3 MUST rules are undecided or not run**"
    assert lines[6].startswith("MUST 1 hold, 0 broken, 1 undecided, 1 not run · SHOULD 1 hold, 0 broken")


def test_a_setting_that_was_not_put_back_is_told(clean: dict[str, Any]) -> None:
    restore = {
        "state": "failed",
        "failed": ["default_closed_timer"],
        "unrestorable": ["default_inactive_timer"],
    }
    text = unescape(render({**clean, "restore": restore}))
    assert "- Not restored: default_closed_timer\n" in text
    assert "- Settings that were null before and cannot be made null again: default_inactive_timer\n" in text


def test_what_follows_is_listed_by_rule(deviating: dict[str, Any]) -> None:
    assert "Follows: <code>inactive-timer-syntax</code>" in render(deviating)


def test_rules_that_were_not_decided_are_listed_by_their_reason() -> None:
    left = [rule(name, "state") for name in ("idempotence", "safe-methods", "read-after-write")]
    reasons = ("no update was accepted", "no update was accepted", "no value was shown")
    outcomes = [
        outcome(each, Verdict.UNDECIDED, reason=reason) for each, reason in zip(left, reasons, strict=True)
    ]
    text = render(build(replace(REPORTS["clean"], outcomes=tuple(outcomes))))
    rows = [line for line in text.splitlines() if line.startswith("| undecided")]

    assert rows == [
        "| undecided | no update was accepted | <code>idempotence</code>, <code>safe-methods</code> |",
        "| undecided | no value was shown | <code>read-after-write</code> |",
    ]

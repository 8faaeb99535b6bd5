"""The matrix has a line for every rule and a column for every target, and says it in words and signs."""

import copy
import html
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

from conformance.reporting.matrix import Column, rules, to_html, to_markdown

from .samples import DOCUMENTS, HOSTILE


def _columns(*names: str, link: str = "") -> list[Column]:
    return [Column(name=name, result=DOCUMENTS[name], link=link and f"{name}/{link}") for name in names]


class _Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("href", "src") and value]


def test_every_rule_of_any_result_is_there_once_by_groups() -> None:
    found = [rule["id"] for rule in rules(_columns("clean", "deviating"))]

    assert sorted(found) == sorted(
        {rule["id"] for name in ("clean", "deviating") for rule in DOCUMENTS[name]["rules"]}
    )
    groups = [rule["group"] for rule in rules(_columns("clean", "deviating"))]
    assert [group for number, group in enumerate(groups) if group not in groups[:number]] == list(
        dict.fromkeys(groups)
    )
    assert groups == sorted(groups, key=groups.index)


def test_the_newest_result_states_the_rule() -> None:
    newer = copy.deepcopy(DOCUMENTS["clean"])
    newer["started_at"] = "2027-01-01T00:00:00Z"
    newer["rules"][0]["statement"] = "It holds now."
    columns = [*_columns("clean"), Column(name="newer", result=newer)]

    assert rules(columns)[0]["statement"] == "It holds now."


def test_markdown_has_a_sign_for_each_target_and_says_what_it_means() -> None:
    lines = to_markdown(_columns("clean", "deviating")).splitlines()

    assert "| <code>inactive-timer-syntax</code> | MUST | ✓ | ✗ |" in lines
    assert "| <code>framing</code> | MUST | – | ! |" in lines
    assert "✗ deviation" in lines[-1]


def test_markdown_sums_up_each_target_with_version_and_date() -> None:
    assert (
        "| deviating | deviation | 2 hold, 5 broken, 1 undecided, 1 not run, 1 in error | "
        "0 hold, 2 broken, 0 undecided | "
    ) in to_markdown(_columns("deviating"))
    assert "026-01-02" in to_markdown(_columns("deviating"))


def test_kinds_of_differences_from_a_reference_are_counted_by_cause() -> None:
    comparison = {
        "kinds": ["ACCEPT", "STATE", "CODE"],
        "groups": [{"kind": kind} for kind in ("CODE", "ACCEPT", "CODE")],
    }
    first, second = _columns("clean", "deviating")
    columns = [first, replace(second, comparison=comparison)]

    assert "| – |" in html.unescape(to_markdown(columns))
    for text in (to_markdown(columns), to_html(columns)):
        assert "ACCEPT 1, CODE 2" in text
        assert "beside the reference" in text.lower()
    assert "beside the reference" not in to_html([first]).lower()


def test_the_page_loads_nothing_and_links_only_where_it_is_told() -> None:
    assert _Page(to_html(_columns("clean", "deviating"))).links == []
    links = _Page(to_html(_columns("clean", link="report.html"))).links

    assert set(links) == {
        "clean/report.html",
        *(f"clean/report.html#rule-{rule['id']}" for rule in DOCUMENTS["clean"]["rules"]),
    }


def test_hostile_names_are_no_markup() -> None:
    result: Any = DOCUMENTS["deviating"]
    column = Column(name=HOSTILE, result={**result, "target": HOSTILE}, link='"><script>')

    assert _Page(to_html([column])).tags.count("script") == 1
    assert "<script" not in to_markdown([Column(name=HOSTILE, result=result)])


def test_groups_and_targets_say_how_their_rules_stand() -> None:
    page = " ".join(re.sub("<[^>]*>", " ", to_html(_columns("deviating", "undecided"))).split())

    assert "2 hold , 5 broken , 1 undecided , 1 not run , 1 in error" in page
    assert "1 undecided , 1 in error" in page
    assert "No verdict on most rules: 2 of 3 MUST rules are undecided or not run." in page
    assert "No verdict on most rules: 2 of 3 MUST rules are undecided or not run. undecided" in to_markdown(
        _columns("undecided")
    )

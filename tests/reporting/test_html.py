"""The page is one file that loads nothing, links only within itself, and shows hostile bytes as text."""

import base64
import copy
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from conformance.http import update
from conformance.model import CLOSED, Verdict
from conformance.reporting import build, differences
from conformance.reporting.html import linked, render

from .samples import DOCUMENTS, HOSTILE, REPORTS, exchange, finding, outcome, rule


class _Page(HTMLParser):
    """The elements of a page and the text that is neither script nor style."""

    def __init__(self, document: dict[str, Any]) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.sources: dict[str, str] = {}
        self.text = ""
        self.feed(render(document))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.text += " "

    def handle_data(self, data: str) -> None:
        if self.cdata_elem is not None:
            self.sources[self.cdata_elem] = data
        else:
            self.text += data

    def values(self, attribute: str) -> list[str]:
        return [value for _, attributes in self.elements if (value := attributes.get(attribute)) is not None]


def test_nothing_is_loaded(document: dict[str, Any]) -> None:
    page = _Page(document)

    assert {tag for tag, _ in page.elements} & {
        "link",
        "img",
        "iframe",
        "object",
        "embed",
        "base",
        "video",
    } == set()
    assert page.values("src") + page.values("srcset") + page.values("action") + page.values("style") == []
    assert re.findall(r"url\(|@import", page.sources["style"]) == []
    assert re.findall(r"fetch|XMLHttp|import", page.sources["script"]) == []


def test_every_link_leads_to_the_page_itself_or_to_a_source(document: dict[str, Any]) -> None:
    page = _Page(document)

    ids = page.values("id")
    within = {link[1:] for link in page.values("href") if link.startswith("#")}
    beyond = [each for _, each in page.elements if not (each.get("href") or "#").startswith("#")]
    assert within and within <= set(ids)
    assert {each["href"] for each in beyond} <= {"https://www.rfc-editor.org/rfc/rfc9110#section-15.5.6"}
    assert {each["rel"] for each in beyond} <= {"noreferrer"}


def test_addresses_and_sections_of_rfcs_become_links_and_nothing_else_does() -> None:
    assert linked("https://a.example/b?c=1: RFC 9110 15.4 and <b>; javascript:alert(1)") == (
        '<a rel="noreferrer" href="https://a.example/b?c=1">https://a.example/b?c=1</a>: '
        '<a rel="noreferrer" href="https://www.rfc-editor.org/rfc/rfc9110#section-15.4">RFC 9110 15.4</a> and '
        "&lt;b&gt;; javascript:alert(1)"
    )
    assert linked('https://a.example/"onclick="x') == (
        '<a rel="noreferrer" href="https://a.example/">https://a.example/</a>&#34;onclick=&#34;x'
    )


def test_several_differences_are_listed_before_they_are_told(deviating: dict[str, Any]) -> None:
    page = _Page(deviating)
    first = {f"#finding-{each.first['fingerprint'][:12]}" for each in differences(deviating)}

    (start,) = [n for n, (_, each) in enumerate(page.elements) if each.get("class") == "glance"]
    listed = [each["href"] for tag, each in page.elements[start : start + 5 * 5 + 1] if tag == "a"]
    assert len(listed) == 5 and set(listed) == first


def test_what_a_rule_demands_is_not_told_as_if_it_held() -> None:
    media_type = rule("media-type", "response", statement="It is JSON.")
    found = finding(media_type, "answer/update", exchange(update()), summary="It is JSON.")
    page = _Page(build(replace(REPORTS["clean"], outcomes=(outcome(media_type, Verdict.DEVIATION, found),))))

    assert "Does not hold: It is JSON." in page.text
    assert "Rule It is JSON." not in re.sub(r"\s+", " ", page.text)


def test_no_id_is_there_twice(document: dict[str, Any]) -> None:
    ids = _Page(document).values("id")

    assert len(ids) == len(set(ids))


def test_hostile_bytes_are_no_markup(document: dict[str, Any]) -> None:
    page = _Page(document)

    assert [tag for tag, _ in page.elements].count("script") == 1
    assert [name for _, attributes in page.elements for name in attributes if name.startswith("on")] == []
    assert [c for c in page.text if not c.isprintable() and c != "\n"] == []


def test_hostile_bytes_are_shown_exactly(deviating: dict[str, Any]) -> None:
    text = _Page(deviating).text

    assert HOSTILE.encode("unicode_escape").decode().replace("\\\\", "\\") in text
    assert "\\x1b]0;owned\\x07<script>alert(document.domain)</script>\\x00\\xff\\xfe```\\n| a | b |" in text


def test_the_policy_allows_this_script_and_this_style_alone(deviating: dict[str, Any]) -> None:
    page = _Page(deviating)

    (policy,) = [attributes["content"] for _, attributes in page.elements if "http-equiv" in attributes]
    style, script = (
        f"'sha256-{base64.b64encode(hashlib.sha256(page.sources[name].encode()).digest()).decode()}'"
        for name in ("style", "script")
    )
    assert policy == f"default-src 'none'; style-src {style}; script-src {script}"


def test_every_rule_and_every_finding_has_a_link_of_its_own(deviating: dict[str, Any]) -> None:
    ids = set(_Page(deviating).values("id"))

    assert {f"rule-{rule['id']}" for rule in deviating["rules"]} <= ids
    assert {f"finding-{each['fingerprint'][:12]}" for each in deviating["findings"]} <= ids


def test_controls_that_need_a_script_are_hidden_without_one(deviating: dict[str, Any]) -> None:
    controls = [
        attributes
        for tag, attributes in _Page(deviating).elements
        if tag == "form" or "data-copy" in attributes
    ]

    assert len(controls) == 1 + 3 * 5 + 1, "the filters, three copies for each difference, and the command"
    assert all("hidden" in attributes for attributes in controls)


def test_a_difference_is_told_in_full(deviating: dict[str, Any]) -> None:
    text = re.sub(r"\s+", " ", _Page(deviating).text)

    for part in (
        "Expected a 4xx answer",
        "Observed 200",
        "Request 2 of 2",
        "POST http://127.0.0.1:4010/v1/Configuration Accept: */*",
        "HTTP/1.1 200 Content-Type: application/json",
        "2 more findings of the same cause",
        "no answer (timeout): no answer in 10 s",
        deviating["findings"][2]["curl"],
    ):
        assert part in text


def test_rules_that_were_not_exercised_say_so_and_why(deviating: dict[str, Any]) -> None:
    text = _Page(deviating).text

    assert "Not-run: there is one account only" in text
    assert "not exercised" in text


def test_the_run_can_be_made_again(clean: dict[str, Any]) -> None:
    embedded = {**clean, "settings": {"target": None}}

    assert "conformance run --target http://127.0.0.1:4010 --profile standard --seed 0" in _Page(clean).text
    assert "conformance run --profile standard --seed 0" in _Page(embedded).text


@pytest.mark.slow
def test_three_thousand_witnesses_make_a_page_below_two_mebibytes() -> None:
    syntax = rule("closed-timer-syntax", "timers")
    found = [
        finding(
            syntax,
            f"timer/{n}",
            exchange(update((CLOSED.parameter, "9" * 300)), number=n),
            outcome=f"{n % 300}",
        )
        for n in range(3000)
    ]
    document = build(replace(REPORTS["clean"], outcomes=(outcome(syntax, Verdict.DEVIATION, *found),)))

    page = render(document)
    assert len(page.encode()) < 2 * 1024 * 1024
    assert "200 more differences in <code>result.json</code>" in page


def test_a_body_too_large_to_read_is_cut_and_says_so() -> None:
    syntax = rule("closed-timer-syntax", "timers")
    random = hashlib.shake_256(b"any").hexdigest(50_000)
    long = finding(syntax, "timer/long", exchange(update((CLOSED.parameter, random)), b"x" * 100_000))
    page = _Page(build(replace(REPORTS["clean"], outcomes=(outcome(syntax, Verdict.DEVIATION, long),))))

    assert "… (100,019 characters; the whole is in result.json)" in page.text
    assert "characters of curl: in result.json, finding " in page.text
    assert len(page.text) < 30_000


def test_a_picture_of_the_timers_is_an_image_in_which_no_script_runs(clean: dict[str, Any]) -> None:
    hostile = (
        "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>\"><script>alert(2)</script>"
    )
    page = render(clean, timer_svg=hostile)

    assert page.count("<script>") == 1
    assert "img-src data:;" in page
    assert base64.b64encode(hostile.encode()).decode() in page


def test_each_panel_of_a_picture_is_an_image_of_its_own_with_the_style(clean: dict[str, Any]) -> None:
    panel = '<svg x="{}" width="2" height="1"><text class="small">{}</text></svg>'
    panels = panel.format(0, "a") + panel.format(3, "b")
    drawn = f"<svg xmlns='http://www.w3.org/2000/svg'><style>.small {{}}</style>{panels}</svg>"
    page = render(clean, timer_svg=drawn)

    images = [base64.b64decode(each).decode() for each in re.findall(r"svg\+xml;base64,([\w+/=]+)", page)]
    assert [re.findall("<text[^>]*>(.)", each) for each in images] == [["a"], ["b"]]
    assert all(".small {}" in each and ' x="' not in each for each in images)


def test_a_known_finding_says_why_it_was_accepted(deviating: dict[str, Any]) -> None:
    document = copy.deepcopy(deviating)
    known = {"reason": "<b>being mended", "link": "https://example.org/1", "expires": "2030-01-31"}
    document["findings"][0]["known"] = known

    page = _Page(document)
    assert "<b>being mended,  https://example.org/1, until 2030-01-31" in page.text
    assert "https://example.org/1" in page.values("href")


def test_the_same_in_python_is_there_for_every_difference(deviating: dict[str, Any]) -> None:
    assert _Page(deviating).text.count("import httpx") == 5


def test_the_command_makes_the_same_run_again(clean: dict[str, Any]) -> None:
    settings = {
        "target": None,
        "only": ["*-timer-*", "challenge"],
        "fail_on": "should",
        "settle": 0.5,
        "max_requests": 50,
        "known": "known deviations.toml",
        "timeout": 2.5,
        "chat_service_sid": "IS" + "0" * 32,
        "live": True,
        "mask_accounts": False,
    }

    assert (
        "conformance run --profile standard --seed 0 --only '*-timer-*' --only challenge --fail-on should --settle 0.5 "
        f"--max-requests 50 --known 'known deviations.toml' --timeout 2.5 --chat-service-sid IS{'0' * 32} --live"
        in _Page({**clean, "settings": settings}).text
    )


def test_a_target_that_could_not_be_judged_is_not_said_to_be_without_differences() -> None:
    text = re.sub(r"\s+", " ", _Page(DOCUMENTS["no-verdict"]).text)

    assert "Nothing was judged." in text and "None were found." not in text
    assert "0/0" not in text


def test_a_rule_that_holds_shows_the_exchange_that_would_have_shown_it_broken() -> None:
    text = re.sub(r"\s+", " ", _Page(DOCUMENTS["undecided"]).text)

    assert "Evidence exchange 17: DefaultClosedTimer=10M -> 400 \\" in text
    assert text.count("Had the rule been broken") == 1


def test_the_totals_are_in_words(deviating: dict[str, Any]) -> None:
    text = re.sub(r"\s+", " ", _Page(deviating).text)

    assert "2 hold, 5 broken, 1 undecided, 1 not run, 1 in error MUST rules" in text
    assert "0 hold, 2 broken, 0 undecided SHOULD rules" in text


def test_no_verdict_on_most_rules_is_said_before_the_verdict() -> None:
    text = re.sub(r"\s+", " ", _Page(DOCUMENTS["undecided"]).text)

    words = "No verdict on most rules: 2 of 3 MUST rules are undecided or not run"
    assert f"conformance report {words} Undecided" in text


def test_what_follows_from_a_difference_is_listed_by_rule(deviating: dict[str, Any]) -> None:
    page = _Page(deviating)

    assert "Follows inactive-timer-syntax" in re.sub(r"\s+", " ", page.text)
    assert page.values("href").count("#rule-inactive-timer-syntax") == 3, "two findings, and the consequence"


def test_no_headline_is_longer_than_200_characters() -> None:
    syntax = rule("closed-timer-syntax", "timers")
    long = finding(syntax, "timer/long", exchange(update()), summary="9" * 5000, expected="x" * 9000)
    page = render(build(replace(REPORTS["clean"], outcomes=(outcome(syntax, Verdict.DEVIATION, long),))))

    assert max(len(each) for each in re.findall("<h3>(.*)</h3>", page)) <= 200
    assert "x" * 501 not in page

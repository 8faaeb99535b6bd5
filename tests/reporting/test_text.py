"""What reports say about requests and answers fits one line and cannot do anything."""

import copy
from dataclasses import replace
from typing import Any

import pytest

from conformance.exceptions import NotJSON
from conformance.http import EMPTY, READ, Auth, Exchange, Request, Response, json_of, update
from conformance.model import Finding, Verdict
from conformance.reporting import build, differences, record
from conformance.reporting.text import (
    answer_line,
    headline,
    request_line,
    request_lines,
    sequence_line,
    standing,
    visible,
    visible_bytes,
)

from .samples import DOCUMENTS, REPORTS, exchange, finding, outcome, rule


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("PT10M", "PT10M"),
        ("\x1b[31m", "\\x1b[31m"),
        ("a\nb\t\r\x00", "a\\nb\\t\\r\\x00"),
        ("\u202e\u2066\ud800\x9b\u00a0", "\\u202e\\u2066\\ud800\\x9b\\xa0"),
        ("ü € 🙂", "ü € 🙂"),
    ],
)
def test_what_is_not_printable_is_escaped(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_long_text_is_cut_and_says_how_long_it_was() -> None:
    assert visible("9" * 5000, 200) == "9" * 199 + "… (5,000 characters)"
    assert visible("9" * 200, 200) == "9" * 200


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"a\xff\x00\n", "a\\xff\\x00\\n"),
        (b"\\xff", "\\\\xff"),
        ("ä".encode(), "ä"),
        ("\x80".encode(), "\\xc2\\x80"),
    ],
)
def test_bytes_are_shown_without_loss(raw: bytes, shown: str) -> None:
    assert visible_bytes(raw) == shown


@pytest.mark.parametrize(
    ("request_", "line"),
    [
        (update(("DefaultClosedTimer", "PT10M"), ("A", "1")), "DefaultClosedTimer=PT10M A=1"),
        (update(("DefaultClosedTimer", " PT10M\n")), 'DefaultClosedTimer=" PT10M\\n"'),
        (update(("DefaultClosedTimer", "")), 'DefaultClosedTimer=""'),
        (Request(body=b""), "(empty)"),
        (Request(), "(empty)"),
        (Request(body=b"", content_type=None), "(empty) [Content-Type: none]"),
        (Request(content_type=None), "(empty) [Content-Type: none]"),
        (replace(READ, content_type="text/plain"), "GET [Content-Type: text/plain]"),
        (Request(body=b"&&"), "&&"),
        (READ, "GET"),
        (replace(READ, query="A=1"), "GET ?A=1"),
        (Request(method="PUT", body=b"A=1"), "PUT A=1"),
        (
            Request(body=b'{"a": 1}', content_type="application/json"),
            '{"a": 1} [Content-Type: application/json]',
        ),
        (Request(body=b"A=1", content_type=None), "A=1 [Content-Type: none]"),
        (replace(READ, auth=Auth(scheme=None)), "GET [no credentials]"),
        (replace(READ, auth=Auth(secret="{truncated}")), "GET [credentials: Basic {sid}:{truncated}]"),
        (replace(READ, auth=Auth(header="Bearer x")), "GET [Authorization: Bearer x]"),
        (replace(READ, account=1), "[account 2] GET"),
        (replace(EMPTY, body=b"A"), "A"),
        (replace(EMPTY, body=b"A=1&&B=%32"), "A=1&&B=%32"),
        (replace(EMPTY, body=b"A=1+2"), 'A="1 2"'),
        (Request(body=b"A=1", chunked=True, headers=(("Accept", "a/b"),)), "A=1 [Accept: a/b] [chunked]"),
    ],
)
def test_a_request_line_says_what_is_unlike_an_ordinary_update(request_: Request, line: str) -> None:
    report = REPORTS["unimplemented"]
    first, *rest = report.outcomes
    found = replace(first.findings[0], exchanges=(exchange(request_),))
    document = build(replace(report, outcomes=(replace(first, findings=(found,)), *rest)))

    assert request_line(document["findings"][0]["exchanges"][0]) == line


def test_an_answer_line_tells_the_status_and_the_body_or_why_there_is_none(deviating: dict[str, Any]) -> None:
    lines = {each["rule"]: answer_line(each["exchanges"][-1], 60) for each in deviating["findings"]}

    assert lines["inactive-timer-syntax"] == '200 {"account_sid": null}'
    assert lines["every-request-answered"].startswith("no answer (timeout): no answer in 10 s \\x1b[31m")


def test_an_answer_that_was_cut_says_so(deviating: dict[str, Any]) -> None:
    shown = copy.deepcopy(deviating["findings"][0]["exchanges"][-1])
    shown["response"]["truncated"] = True

    assert answer_line(shown) == '200 (the body is longer than the suite reads) {"account_sid": null}'


@pytest.mark.parametrize(
    ("response", "why"),
    [
        (Response(status=200), "the body is empty"),
        (Response(status=200, body=b"{", truncated=True), "the body is longer than the suite reads"),
        (Response(status=200, body=b"\xff"), "the body is not UTF-8: invalid start byte at byte 0"),
    ],
)
def test_why_a_body_is_not_json_is_said_in_words(response: Response, why: str) -> None:
    with pytest.raises(NotJSON, match=why):
        json_of(response)


def test_how_rules_stand_is_said_in_the_same_words_for_any_rules() -> None:
    rules = [{"verdict": verdict} for verdict in Verdict]

    assert standing(rules) == "2 hold, 5 broken, 1 undecided, 1 not run, 1 in error"
    assert standing(rules[:1]) == "1 hold"
    assert standing(rules[:1], zeros=True) == "1 hold, 0 broken, 0 undecided"
    assert standing([], zeros=True) == ""


def _with_verdicts(*verdicts: str) -> dict[str, Any]:
    return {"rules": [{"verdict": each, "level": "must"} for each in verdicts]}


def test_most_rules_without_a_verdict_are_said_first_and_half_of_them_are_not() -> None:
    assert headline(_with_verdicts("conformant", "undecided")) == ""
    assert headline(_with_verdicts("known", "undecided", "undecided", "error")) == (
        "No verdict on most rules: 3 of 4 MUST rules are undecided or in error"
    )
    assert headline(_with_verdicts()) == headline(DOCUMENTS["deviating"]) == ""


def _counted(*found: Finding, requests: int = 100, **fields: Any) -> str:
    report = replace(REPORTS["clean"], requests=requests)
    judged = outcome(rule("json-body", "x"), Verdict.DEVIATION, *found, **fields)
    document = build(replace(report, outcomes=(judged,)))
    (difference,) = differences(document)
    return difference.seen


def test_a_difference_is_seen_in_as_many_requests_as_showed_it() -> None:
    json_body = rule("json-body", "x")
    twice = finding(json_body, "a/a", exchange(READ), numbers=frozenset({1, 2, 3}), count=9)
    again = finding(json_body, "a/b", exchange(READ), numbers=frozenset({2, 3, 4}), count=9)
    uncounted = [replace(each, numbers=frozenset()) for each in (twice, again)]

    assert _counted(twice, again) == "in 4 requests"
    assert _counted(*uncounted) == "in at least 9 requests"
    assert _counted(uncounted[0]) == "in 9 requests"
    assert _counted(uncounted[0], requests=5) == "in 5 requests"
    assert _counted(replace(uncounted[0], count=1)) == ""


def test_a_difference_says_where_its_rule_was_never_seen_to_hold() -> None:
    found = finding(rule("json-body", "x"), "a/a", exchange(READ), count=9)

    assert _counted(found, evidence=None) == "in 9 requests; the rule was never seen to hold"
    assert _counted(found, evidence=exchange(READ)) == "in 9 requests"


def test_requests_are_told_with_their_connections_where_these_matter() -> None:
    sent = [(1, READ), (1, update(("a", "b"))), (2, READ), (1, READ)]
    exchanges = [Exchange(number=at, request=each, connection=at) for at, each in sent]
    document = {"exchanges": [record(each) for each in exchanges]}
    assert request_lines(document) == ["GET", "a=b", "GET", "GET"]
    assert sequence_line({**document, "shared_connection": True}) == (
        "GET, then on the same connection a=b, then on another connection GET, "
        "then on the first connection again GET"
    )

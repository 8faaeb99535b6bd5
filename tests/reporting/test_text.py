"""What reports say about requests and answers fits one line and cannot do anything."""

from dataclasses import replace
from typing import Any

import pytest

from conformance.http import READ, Auth, Request, update
from conformance.reporting import build
from conformance.reporting.text import answer_line, request_line, visible, visible_bytes

from .samples import REPORTS, exchange


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
        (replace(READ, account=1), "GET [account 2]"),
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

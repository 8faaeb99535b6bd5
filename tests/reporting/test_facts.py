"""Two answers are the same when what the finding is about is the same, whatever else has changed."""

import json
from typing import Any

import pytest

from conformance.http import Exchange, Failure, FailureKind, Request, Response, update
from conformance.model import CHAT, CLOSED, INACTIVE
from conformance.reporting import record
from conformance.reporting.facts import differing, facts

BASE = "http://127.0.0.1:4010"
SET = update((INACTIVE.parameter, "banana"))


def _answer(content: Any, status: int = 200, request: Request = SET, **headers: str) -> dict[str, Any]:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    sent = {
        "Content-Type": "application/json",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    response = Response(status=status, headers=tuple(sent.items()), body=raw)
    return record(Exchange(number=1, request=request, response=response))


def _compared(old: Any, new: Any, field: str | None = None, base: str = BASE) -> list[str]:
    return differing(facts([old], field, base=BASE), facts([new], field, base=base))


SHOWN = {"default_inactive_timer": "banana", "default_closed_timer": None, "account_sid": "AC1"}


@pytest.mark.parametrize(
    "content",
    [
        {**SHOWN, "default_closed_timer": "PT1H"},
        {**SHOWN, "default_chat_service_sid": None},
    ],
    ids=["another setting", "one more setting"],
)
def test_settings_that_are_not_at_issue_may_differ(content: Any) -> None:
    assert _compared(_answer(SHOWN), _answer(content)) == []


def test_settings_that_were_sent_are_compared() -> None:
    now = _answer({**SHOWN, "default_inactive_timer": "PT1M"})

    assert _compared(_answer(SHOWN), now) == ['default_inactive_timer: "PT1M", was "banana"']


@pytest.mark.parametrize("field", [CLOSED.parameter, CLOSED.attribute])
def test_the_setting_that_the_finding_is_about_is_compared(field: str) -> None:
    now = _answer({**SHOWN, "default_closed_timer": "PT1H"})

    assert _compared(_answer(SHOWN), now, field) == ['default_closed_timer: "PT1H", was null']


def test_settings_of_earlier_requests_of_a_sequence_are_compared() -> None:
    first = _answer({}, request=update((CHAT.parameter, "IS")))
    before, now = ([first, _answer({"default_chat_service_sid": value})] for value in ("IS", None))

    told = differing(facts(before, None, base=BASE), facts(now, None, base=BASE))
    assert told == ['default_chat_service_sid: null, was "IS"']


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (_answer({}, 200), _answer({}, 400), "HTTP status: 400, was 200"),
        (_answer({}), _answer({}, Content_Type="text/html"), "content-type: text/html, was application/json"),
        (_answer({}, 401), _answer({}, 401, WWW_Authenticate="Basic"), "www-authenticate: Basic, was absent"),
        (_answer({}), _answer(b"{,}"), "body: not JSON, was an object"),
        (_answer({}), _answer(b'{"a": NaN}'), "body: not JSON, was an object"),
        (_answer({}), _answer(b""), "body: empty, was an object"),
        (_answer({}), _answer([]), "body: a list, was an object"),
        (_answer({"status": 400}), _answer({"status": 200}), "status: 200, was 400"),
        (_answer({"message": "a"}), _answer({"message": 1}), "message: a number, was a text"),
    ],
)
def test_what_rules_are_about_is_compared(old: Any, new: Any, told: str) -> None:
    assert _compared(old, new) == [told]


def test_texts_for_people_and_dates_may_differ() -> None:
    old, new = (_answer({"message": text, "date_updated": text}, 400, Date=text) for text in ("a", "b"))

    assert _compared(old, new) == []


def test_the_address_of_the_target_may_differ() -> None:
    old, new = (_answer({"url": f"{base}/v1/Configuration"}) for base in (BASE, "http://localhost:1"))

    assert _compared(old, new, base="http://localhost:1") == []


def test_no_answer_is_told_by_its_kind() -> None:
    silent = record(Exchange(number=1, request=SET, failure=Failure(FailureKind.TIMEOUT, "10 s")))
    closed = record(Exchange(number=1, request=SET, failure=Failure(FailureKind.DISCONNECT, "")))

    assert _compared(silent, silent) == []
    assert _compared(silent, closed) == ["failure: disconnect, was timeout"]


def test_what_is_wrong_beside_an_answer_is_a_fact() -> None:
    response = Response(status=200, body=b"{}")
    exchange = Exchange(
        number=1, request=SET, response=response, failure=Failure(FailureKind.FRAMING, "3 more")
    )

    assert facts([record(exchange)], None, base=BASE) == {
        "failure": "framing",
        "HTTP status": "200",
        "body": "an object",
    }

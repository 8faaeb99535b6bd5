"""Two answers are the same when what counts in them is the same, whatever else has changed."""

import json
from typing import Any

import pytest

from conformance.fidelity.outcome import changes, outcome_of
from conformance.http import Exchange, Failure, FailureKind, Response, update
from conformance.model import CLOSED, INACTIVE

SET = update((INACTIVE.parameter, "banana"))


def _answer(content: Any, status: int = 200, **headers: str) -> Exchange:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    sent = {
        "Content-Type": "application/json",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    response = Response(status=status, headers=tuple(sent.items()), body=raw)
    return Exchange(number=1, request=SET, response=response)


def _compared(old: Exchange, new: Exchange, *settings: str) -> list[str]:
    before, now = (outcome_of(each, ["AC1"]) for each in (old, new))
    return changes(before, now, settings or (INACTIVE.attribute,))


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


def test_every_setting_that_counts_is_compared() -> None:
    now = _answer({**SHOWN, "default_closed_timer": "PT1H"})

    assert _compared(_answer(SHOWN), now, CLOSED.attribute) == ['default_closed_timer: "PT1H", was null']


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
        (
            _answer({"status": 200}),
            _answer({"status": 400}),
            "member status: another than the HTTP status, was the HTTP status",
        ),
        (_answer({"message": "a"}), _answer({"message": 1}), "message: a number, was a text"),
        (_answer({}), _answer(b'{"\\ud800": 1}'), r"member \ud800: a number, was absent"),
    ],
)
def test_what_rules_are_about_is_compared(old: Any, new: Any, told: str) -> None:
    assert _compared(old, new) == [told]


def test_texts_for_people_and_dates_may_differ() -> None:
    old, new = (_answer({"message": text, "date_updated": text}, 400, Date=text) for text in ("a", "b"))

    assert _compared(old, new) == []


def test_the_address_of_the_target_may_differ() -> None:
    old, new = (_answer({"url": f"http://{host}/v1/Configuration"}) for host in ("127.0.0.1:1", "localhost"))

    assert _compared(old, new) == []


def test_no_answer_is_told_by_its_kind() -> None:
    silent = Exchange(number=1, request=SET, failure=Failure(FailureKind.TIMEOUT, "10 s"))
    closed = Exchange(number=1, request=SET, failure=Failure(FailureKind.DISCONNECT, ""))

    assert _compared(silent, silent) == []
    assert _compared(silent, closed) == ["HTTP status: disconnect, was timeout"]

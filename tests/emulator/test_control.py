"""What a test asks of the emulator over HTTP: its state, what it was sent, a failure to come."""

import json
from typing import Any

import httpx
import pytest

from conformance.emulator import Step
from conformance.emulator.app import Application
from conformance.emulator.errors import BadSeed

from .serving import ACCOUNTS, ask, emulator

SID = ACCOUNTS[0][0]


@pytest.fixture
def app() -> Application:
    return emulator(controlled=True)


def control(app: Application, name: str, sent: object = None) -> Any:
    """The answer of the control; `sent` is posted as JSON."""
    body = "" if sent is None else json.dumps(sent)
    answer = ask(app, Step(body, "GET" if sent is None else "POST", f"/__emulator/{name}", credentials=""))
    assert answer.status_code == 200, answer.text
    return answer.json()


def refusal(app: Application, name: str, sent: object) -> str:
    answer = ask(app, Step(json.dumps(sent), path=f"/__emulator/{name}"))
    assert answer.status_code == 400
    return str(answer.json()["message"])


def shown(app: Application) -> Any:
    return ask(app, Step(method="GET")).json()


def test_it_is_healthy_and_says_for_whom(app: Application) -> None:
    assert control(app, "health") == {"status": "ok", "accounts": [sid for sid, _ in ACCOUNTS]}


def test_what_is_seeded_is_in_force_and_the_rest_stays(app: Application) -> None:
    ask(app, "DefaultClosedTimer=PT20M")
    control(app, "state", {SID: {"default_inactive_timer": "PT5M"}})
    assert (shown(app)["default_inactive_timer"], shown(app)["default_closed_timer"]) == ("PT5M", "PT20M")
    assert control(app, "state")[SID]["default_inactive_timer"] == "PT5M"


@pytest.mark.parametrize(
    ("seed", "message"),
    [
        ({"AC1": {}}, "'AC1' with its values is none of the accounts: "),
        ({SID: {"timer": "PT5M"}}, "'timer' is no attribute; there are default_chat_service_sid, "),
        ({SID: {"default_closed_timer": "PT9M"}}, "default_closed_timer cannot be 'PT9M': "),
        ({SID: {"default_closed_timer": 600}}, "default_closed_timer cannot be 600: "),
        ({SID: "PT5M"}, f"'{SID}' with its values is none of the accounts: "),
        ([SID], "must be an object"),
    ],
)
def test_a_seed_that_no_account_can_have_is_refused_whole(
    app: Application, seed: object, message: str
) -> None:
    before = control(app, "state")
    assert message in refusal(app, "state", seed)
    assert control(app, "state") == before


def test_requests_are_remembered_without_their_tokens(app: Application) -> None:
    ask(app, "DefaultClosedTimer=PT20M&DefaultClosedTimer=PT9M", Step(method="GET", path="/elsewhere?a=b"))
    first, second = control(app, "requests")
    assert first == {
        "method": "POST",
        "path": "/v1/Configuration",
        "query": "",
        "account_sid": SID,
        "form": [["DefaultClosedTimer", "PT20M"], ["DefaultClosedTimer", "PT9M"]],
        "status": 400,
    }
    assert (second["path"], second["query"], second["status"]) == ("/elsewhere", "a=b", 404)
    assert ACCOUNTS[0][1] not in json.dumps([first, second])


@pytest.mark.parametrize("status", [400, 429, 500, 503])
def test_an_error_that_was_asked_for_comes_as_often_as_asked(app: Application, status: int) -> None:
    control(app, "fail-next", {"status": status, "times": 2})
    answers = [ask(app, "DefaultClosedTimer=PT20M") for _ in range(3)]
    assert [each.status_code for each in answers] == [status, status, 200]
    assert answers[0].json()["status"] == status
    assert ("Retry-After" in answers[0].headers) == (status in (429, 503))
    assert [each["status"] for each in control(app, "requests")] == [status, status, 200]


def test_a_fault_that_was_asked_for_is_in_the_next_answer_alone(app: Application) -> None:
    control(app, "fail-next", {"fault": "closed-timer-minimum-halved"})
    assert [ask(app, "DefaultClosedTimer=PT5M").status_code for _ in range(2)] == [200, 400]
    assert shown(app)["default_closed_timer"] == "PT5M"


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ({}, "give either the name of a fault or a status"),
        ({"status": 503, "fault": "errors-plain"}, "give either the name of a fault or a status"),
        ({"status": 200}, "the status is from 400 to 599"),
        ({"status": 503, "times": 0}, "times is 1 or more"),
        ({"fault": "errors-plane"}, "did you mean errors-plain"),
        ({"status": "503"}, 'status cannot be "503"; there are status (int)'),
        ({"code": 1}, "code cannot be 1; there are status (int), fault (str), times (int)"),
        ([503], "the body must be an object of JSON"),
    ],
)
def test_a_failure_that_cannot_be_is_refused(app: Application, sent: object, message: str) -> None:
    assert message in refusal(app, "fail-next", sent)


def test_reset_puts_back_the_beginning_and_forgets_the_rest() -> None:
    app = emulator(controlled=True, seed={SID: {"default_closed_timer": "PT30M"}})
    control(app, "fail-next", {"status": 503, "times": 9})
    ask(app, "DefaultInactiveTimer=PT20M", "DefaultClosedTimer=PT20M")
    assert control(app, "reset", {}) == {"status": "ok"}
    assert control(app, "requests") == []
    assert shown(app)["default_closed_timer"] == "PT30M"
    assert shown(app)["default_inactive_timer"] is None


def test_it_can_be_switched_off() -> None:
    assert ask(emulator(), Step(path="/__emulator/reset")).status_code == 404


def test_what_is_not_there_says_what_is(app: Application) -> None:
    answer: httpx.Response = ask(app, Step(path="/__emulator/requests"))
    assert answer.status_code == 404
    assert "GET /__emulator/requests, POST /__emulator/fail-next" in answer.json()["message"]


def test_a_wrong_seed_ends_the_start() -> None:
    with pytest.raises(BadSeed):
        emulator(seed={SID: {"default_closed_timer": "banana"}})


def test_links_say_that_this_emulator_does_not_have_them(app: Application) -> None:
    for link in shown(app)["links"].values():
        answer = ask(app, Step(method="GET", path=httpx.URL(link).path))
        assert answer.status_code == 404
        assert answer.json()["message"].endswith("this emulator has /v1/Configuration alone")

"""The reference without a fault, as its clients see it."""

import asyncio
import base64
import hmac
import json

import httpx
import pytest

from conformance.emulator import BadAccounts, Step, UnknownName, create_app
from conformance.emulator.alterations import WITNESS_ACCOUNTS

from .serving import ACCOUNTS, ask, emulator

(SID, TOKEN), (OTHER_SID, OTHER_TOKEN) = ACCOUNTS
READ = Step(method="GET")
FORM = "application/x-www-form-urlencoded"
IS, MG = "IS" + "aB0" * 10 + "ff", "MG" + "Cd1" * 10 + "00"
TIMERS = ("default_inactive_timer", "default_closed_timer")
SIDS = ("default_chat_service_sid", "default_messaging_service_sid")


def state(response: httpx.Response) -> dict[str, str | None]:
    assert response.status_code == 200, response.text
    return {name: response.json()[name] for name in (*TIMERS, *SIDS)}


def with_header(name: str, value: str, body: str = "DefaultInactiveTimer=PT1H") -> Step:
    return Step(body, headers=(("Content-Type", FORM), (name, value)))


def of_type(media_type: str, body: str = "DefaultInactiveTimer=PT1H") -> Step:
    return Step(body, headers=(("Content-Type", media_type),))


def test_the_documented_example_is_answered_with_the_documented_attributes() -> None:
    chat, messaging = "IS" + "a" * 32, "MG" + "a" * 32
    response = ask(
        emulator(),
        "DefaultClosedTimer=PT10M&DefaultInactiveTimer=PT1M"
        f"&DefaultChatServiceSid={chat}&DefaultMessagingServiceSid={messaging}",
    )
    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
    assert response.json() == {
        "account_sid": SID,
        "default_chat_service_sid": chat,
        "default_messaging_service_sid": messaging,
        "default_inactive_timer": "PT1M",
        "default_closed_timer": "PT10M",
        "url": "http://emulator.test/v1/Configuration",
        "links": {
            "service": f"http://emulator.test/v1/Services/{chat}/Configuration",
            "webhooks": "http://emulator.test/v1/Configuration/Webhooks",
        },
    }


def test_what_was_never_set_is_null() -> None:
    assert set(state(ask(emulator(), READ)).values()) == {None}


def test_an_update_keeps_what_it_does_not_send() -> None:
    app = emulator()
    ask(app, f"DefaultInactiveTimer=PT1H&DefaultChatServiceSid={IS}")
    updated = state(ask(app, f"DefaultClosedTimer=P1D&DefaultMessagingServiceSid={MG}"))
    assert updated == dict(zip((*TIMERS, *SIDS), ("PT1H", "P1D", IS, MG), strict=True))
    assert state(ask(app, READ)) == state(ask(app, "")) == updated


@pytest.mark.parametrize("refused", ["DefaultInactiveTimer=banana", "DefaultMessagingServiceSid=IS12"])
@pytest.mark.parametrize("form", ["{good}&{refused}", "{refused}&{good}"])
def test_a_refused_update_changes_nothing(refused: str, form: str) -> None:
    app = emulator()
    before = state(ask(app, "DefaultClosedTimer=P1D"))
    response = ask(app, form.format(good="DefaultClosedTimer=P2D", refused=refused))
    assert response.status_code == 400
    assert state(ask(app, READ)) == before


@pytest.mark.parametrize(
    "text", ["PT1H", "PT3600S", "PT90M", "P1D", "P1W", "P1M", "P1Y", "PT90,5M", "PT1H0.5S", "PT0010M"]
)
@pytest.mark.parametrize("timer", ["DefaultInactiveTimer", "DefaultClosedTimer"])
def test_timers_come_back_as_they_were_sent(timer: str, text: str) -> None:
    column = "default_" + timer[7:-5].lower() + "_timer"
    assert state(ask(emulator(), f"{timer}={text}"))[column] == text


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ("DefaultInactiveTimer=PT59S", 50375),
        ("DefaultInactiveTimer=PT59.9999999999999999999S", 50375),
        ("DefaultInactiveTimer=P0D", 50375),
        ("DefaultClosedTimer=PT599S", 50376),
        ("DefaultClosedTimer=PT0S", 50376),
        ("DefaultInactiveTimer=", 50379),
        ("DefaultInactiveTimer=PT1M%0A", 50379),
        ("DefaultClosedTimer=10M", 50380),
        ("DefaultClosedTimer=P1DT", 50380),
        ("DefaultChatServiceSid=", 20001),
        (f"DefaultChatServiceSid={MG}", 20001),
        (f"DefaultChatServiceSid={IS}%0A", 20001),
        (f"DefaultMessagingServiceSid={IS}", 50341),
        (f"DefaultMessagingServiceSid={MG[:-1]}", 50341),
        (f"DefaultMessagingServiceSid={MG[:-1]}g", 50341),
        (f"DefaultMessagingServiceSid={MG}0", 50341),
        ("DefaultInactiveTimer=PT1H&DefaultInactiveTimer=PT1H", 20001),
    ],
)
def test_refusals_carry_the_vendors_envelope(form: str, code: int) -> None:
    response = ask(emulator(), form)
    error = response.json()
    assert (response.status_code, error["status"], error["code"]) == (400, 400, code)
    assert error["more_info"] == f"https://www.twilio.com/docs/errors/{code}"
    assert isinstance(error["message"], str)


def test_pt0s_disables_the_inactive_timer() -> None:
    assert state(ask(emulator(), "DefaultInactiveTimer=PT0S"))["default_inactive_timer"] == "PT0S"


def test_unknown_parameters_and_queries_are_ignored() -> None:
    app = emulator()
    step = Step("x=y&defaultinactivetimer=PT1H", path="/v1/Configuration?DefaultInactiveTimer=PT1H")
    assert set(state(ask(app, step)).values()) == {None}


@pytest.mark.parametrize(
    "credentials",
    [
        "",
        SID,
        f"{SID}:",
        f":{TOKEN}",
        f"{SID}:{TOKEN}x",
        f"{SID}:{TOKEN[:-1]}",
        f"{SID}:{TOKEN.upper()}",
        f"{SID}:{OTHER_TOKEN}",
        f"{SID.upper()}:{TOKEN}",
        f"{SID} :{TOKEN}",
        f"{SID}:{TOKEN} ",
        f"{SID}:é",
        "AC" + "0" * 32 + ":",
    ],
)
def test_wrong_credentials_are_challenged_and_write_nothing(credentials: str) -> None:
    app = emulator()
    response = ask(app, Step("DefaultInactiveTimer=PT1H", credentials=credentials))
    assert (response.status_code, response.json()["code"]) == (401, 20003)
    assert response.headers["www-authenticate"] == 'Basic realm="Twilio API"'
    assert set(state(ask(app, READ)).values()) == {None}


@pytest.mark.parametrize(
    "value", ["Basic", "Basic !!!", "Basic QUI", "Bearer x", "Basic /w==", "Basic QQ==, Basic QQ=="]
)
def test_malformed_credentials_are_challenged(value: str) -> None:
    assert ask(emulator(), with_header("Authorization", value)).status_code == 401


@pytest.mark.parametrize(
    "credentials", [f"{SID}:{TOKEN}", f"{OTHER_SID}:x", f"{SID}:", "x:y", f"{SID[:-1]}:{TOKEN}"]
)
def test_the_same_comparisons_are_made_whatever_the_credentials(
    credentials: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def compare(sent: bytes, known: bytes) -> bool:
        compared.append((sent, known))
        return sent == known

    monkeypatch.setattr(hmac, "compare_digest", compare)
    ask(emulator(), Step(method="GET", credentials=credentials))
    name, _, token = credentials.encode().partition(b":")
    assert compared == [
        pair
        for account, secret in WITNESS_ACCOUNTS.items()
        for pair in ((name, account.encode()), (token, secret.encode()))
    ]


@pytest.mark.parametrize("scheme", ["basic", "BASIC", "bAsIc"])
def test_the_scheme_is_case_insensitive(scheme: str) -> None:
    encoded = base64.b64encode(f"{SID}:{TOKEN}".encode()).decode()
    assert ask(emulator(), with_header("Authorization", f"{scheme} {encoded}")).status_code == 200


@pytest.mark.parametrize(
    "media_type", ["Application/X-WWW-Form-URLencoded", FORM + ";charset=utf-8", FORM + ' ; charset="UTF-8"']
)
def test_media_types_are_read_as_rfc_9110_has_it(media_type: str) -> None:
    assert state(ask(emulator(), of_type(media_type)))["default_inactive_timer"] == "PT1H"


@pytest.mark.parametrize(
    "media_type", ["application/json", "multipart/form-data; boundary=x", "text/plain", "", "x"]
)
def test_other_media_types_are_refused_and_write_nothing(media_type: str) -> None:
    app = emulator()
    response = ask(app, of_type(media_type))
    assert (response.status_code, response.json()["code"]) == (415, 19056)
    assert set(state(ask(app, READ)).values()) == {None}


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"])
def test_other_methods_are_not_allowed(method: str) -> None:
    response = ask(emulator(), Step("DefaultInactiveTimer=PT1H", method=method))
    assert (response.status_code, response.json()["code"]) == (405, 20004)
    assert response.headers["allow"] == "GET, HEAD, POST, OPTIONS"


@pytest.mark.parametrize("path", ["/", "/v1/configuration", "/v1/Configuration/", "/v2/Configuration"])
def test_other_paths_are_not_found(path: str) -> None:
    response = ask(emulator(), Step(method="GET", path=path))
    assert (response.status_code, response.json()["code"]) == (404, 20404)


def test_options_needs_no_credentials() -> None:
    response = ask(emulator(), Step(method="OPTIONS", credentials=""))
    assert (response.status_code, response.content) == (204, b"")
    assert response.headers["allow"] == "GET, HEAD, POST, OPTIONS"


def test_head_has_the_headers_of_get_and_no_body() -> None:
    app = emulator()
    got, head = ask(app, READ), ask(app, Step(method="HEAD"))
    assert (head.status_code, head.content, head.headers) == (200, b"", got.headers)


@pytest.mark.parametrize(
    "step",
    [
        READ,
        Step(""),
        Step("DefaultInactiveTimer=x"),
        Step("x" * 2_000_000),
        Step(method="PUT"),
        Step(method="OPTIONS"),
        Step(path="/x"),
        Step(credentials=""),
        of_type("text/plain"),
    ],
)
def test_every_answer_carries_the_documented_headers(step: Step) -> None:
    headers = ask(emulator(), step).headers
    assert headers["access-control-allow-origin"] == "*"
    assert headers["access-control-allow-methods"] == "GET, POST, OPTIONS"
    assert "Authorization" in headers["access-control-allow-headers"]
    assert headers["access-control-allow-credentials"] == "true"
    assert headers["access-control-expose-headers"] == "ETag"


@pytest.mark.parametrize(
    "value",
    [
        "9" * 100_000,
        "PT" + "9" * 100_000 + "S",
        "PT0." + "9" * 99_000 + "S",
        "%00",
        "%FF%FE",
        "%ED%A0%80",
        "%F0%9F%98%80",
        "PT1%C2%B2M",
        "'",
        '"',
        "%25s",
        "{0}",
        "%5C",
        "<",
        "%0D%0A",
        "%E2%80%AE",
        "P1Y" * 9000,
        "%",
        "=",
        "=&=",
        "+" * 9000,
    ],
)
@pytest.mark.parametrize(
    "parameter", ["DefaultInactiveTimer", "DefaultClosedTimer", "DefaultChatServiceSid", "x"]
)
def test_no_value_brings_a_server_error(parameter: str, value: str) -> None:
    assert ask(emulator(), f"{parameter}={value}").status_code in (200, 400)


def test_a_body_that_is_too_large_is_refused_as_such() -> None:
    response = ask(emulator(), "DefaultInactiveTimer=" + "9" * 2_000_000)
    assert (response.status_code, response.json()["code"]) == (413, 20413)


def test_accounts_are_apart() -> None:
    app = emulator()
    ask(app, "DefaultInactiveTimer=PT1H", Step("DefaultInactiveTimer=PT2H", account=1))
    first, second = ask(app, READ).json(), ask(app, Step(method="GET", account=1)).json()
    assert (first["account_sid"], first["default_inactive_timer"]) == (SID, "PT1H")
    assert (second["account_sid"], second["default_inactive_timer"]) == (OTHER_SID, "PT2H")


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("localhost:8080", "http://localhost:8080"),
        ("[::1]:80", "http://[::1]:80"),
        ("evil host", "http://emulator.test"),
        ('x"y', "http://emulator.test"),
    ],
)
def test_urls_name_the_host_that_was_asked(host: str, origin: str) -> None:
    assert ask(emulator(), with_header("Host", host)).json()["url"] == f"{origin}/v1/Configuration"


def test_no_answer_holds_a_token() -> None:
    steps = [
        READ,
        Step("DefaultInactiveTimer=x"),
        Step(credentials=f"{SID}:wrong"),
        Step(method="PUT"),
        Step(path="/x"),
    ]
    for step in steps:
        response = ask(emulator(), step)
        encoded = base64.b64encode(f"{SID}:{TOKEN}".encode()).decode()
        whole = f"{response.headers!r}{response.text}"
        assert TOKEN not in whole
        assert encoded not in whole


def test_a_configuration_can_begin_with_values() -> None:
    app = create_app(accounts=WITNESS_ACCOUNTS, initial={"default_closed_timer": "P1D"})
    assert state(ask(app, READ))["default_closed_timer"] == "P1D"


@pytest.mark.parametrize(
    "accounts", [{}, {"AC123": "token"}, {"SK" + "0" * 32: "token"}, {"AC" + "0" * 32: ""}]
)
def test_accounts_that_cannot_be_are_refused(accounts: dict[str, str]) -> None:
    with pytest.raises(BadAccounts):
        create_app(accounts=accounts)


def test_unknown_names_are_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match="did you mean credentials-not-needed"):
        emulator(faults=["credentials-not-neded"])
    with pytest.raises(UnknownName, match="no variant named 'zzzzzz'"):
        emulator(variants=["zzzzzz"])


def test_everything_that_comes_back_is_json() -> None:
    async def run() -> list[httpx.Response]:
        transport = httpx.ASGITransport(emulator())
        async with httpx.AsyncClient(transport=transport, base_url="http://emulator.test") as client:
            return [
                await client.request(method, path)
                for method in ("GET", "POST", "PUT")
                for path in ("/", "/%ff", "/v1/Configuration")
            ]

    for response in asyncio.run(run()):
        assert response.headers["content-type"] == "application/json"
        assert json.loads(response.content)["status"] == response.status_code

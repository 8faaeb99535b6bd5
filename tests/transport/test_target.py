"""Tests of the target: the bytes it sends, its waits, its budget, and the secrets in its answers."""

import base64
import re
import time

import hostile
import pytest
from playing import UPDATE, playing

from conformance.exceptions import BudgetExhausted, RateLimitedOut
from conformance.http import EMPTY, NO_AUTH, READ, Auth, Request
from conformance.transport.credentials import THROWAWAY, Account
from conformance.transport.target import Target, TargetSettings


class TestWhatGoesOut:
    """The bytes on the wire are exactly those of the request."""

    def test_an_update_is_sent_byte_by_byte(self) -> None:
        with playing("good") as (server, target):
            target.send(UPDATE)
        host = server.url.removeprefix("http://")
        user = base64.b64encode(f"{THROWAWAY[0].sid}:{THROWAWAY[0].token}".encode()).decode()
        lines = server.received[0].decode().split("\r\n")
        assert [line for line in lines if not line.startswith("User-Agent: ")] == [
            "POST /v1/Configuration HTTP/1.1",
            f"Host: {host}",
            "Accept: */*",
            "Accept-Encoding: gzip, identity",
            f"Authorization: Basic {user}",
            "Content-Type: application/x-www-form-urlencoded",
            "Content-Length: 24",
            "",
            "DefaultClosedTimer=PT10M",
        ]
        agent = next(line for line in lines if line.startswith("User-Agent: "))
        assert re.fullmatch(r"User-Agent: [a-z-]+/[0-9.]+", agent)

    @pytest.mark.parametrize(
        ("request_", "present", "absent"),
        [
            (READ, b"GET /v1/Configuration HTTP/1.1\r\n", b"content-"),
            (EMPTY, b"content-length: 0\r\n", b"transfer-encoding"),
            (Request(), b"content-length: 0\r\n", b"transfer-encoding"),
            (Request(body=b"a=b", content_type=None), b"\r\n\r\na=b", b"content-type"),
            (
                Request(query="DefaultClosedTimer=%zz&&"),
                b"configuration?defaultclosedtimer=%zz&& http",
                b"??",
            ),
            (Request(auth=NO_AUTH), b"host:", b"authorization"),
            (Request(headers=(("accept", "text/x"),)), b"accept: text/x\r\n", b"*/*"),
            (Request(body=b"abcd", chunked=True), b"2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n", b"content-length"),
            (Request(auth=Auth(header="bAsIc")), b"authorization: basic\r\n", b"basic "),
            (
                Request(auth=Auth(header="Bearer {token}")),
                b"bearer " + THROWAWAY[0].token.encode(),
                b"basic ",
            ),
        ],
    )
    def test_each_part_of_a_request_can_be_chosen(
        self, request_: Request, present: bytes, absent: bytes
    ) -> None:
        with playing("good") as (server, target):
            assert target.send(request_).status == 200
        assert present.lower() in server.received[0].lower()
        assert absent not in server.received[0].lower()

    @pytest.mark.parametrize(
        ("auth", "account", "pair"),
        [
            (Auth(), 1, f"{THROWAWAY[1].sid}:{THROWAWAY[1].token}"),
            (Auth(secret="{truncated}"), 0, f"{THROWAWAY[0].sid}:{THROWAWAY[0].token[:-1]}"),
            (Auth(secret="{token}x"), 0, f"{THROWAWAY[0].sid}:{THROWAWAY[0].token}x"),
            (Auth(secret="{other_token}"), 1, f"{THROWAWAY[1].sid}:{THROWAWAY[0].token}"),
            (Auth(user=""), 0, f":{THROWAWAY[0].token}"),
        ],
    )
    def test_templates_are_filled_in_from_the_accounts(self, auth: Auth, account: int, pair: str) -> None:
        with playing("good") as (server, target):
            target.send(Request(auth=auth, account=account))
        assert b"Authorization: Basic " + base64.b64encode(pair.encode()) + b"\r\n" in server.received[0]

    def test_an_api_key_is_sent_as_the_user_name(self) -> None:
        key = Account(None, "secret-of-the-key", "SK" + "0" * 32)
        with playing("good", accounts=(key,)) as (server, target):
            target.send(UPDATE)
        assert base64.b64encode(f"SK{'0' * 32}:secret-of-the-key".encode()) in server.received[0]

    def test_headers_are_shown_with_placeholders_in_place_of_secrets(self) -> None:
        with playing("good") as (_, target):
            shown = dict(target.send(Request(auth=Auth(scheme="bAsIc", secret="{token}x"))).sent_headers)
            bearer = dict(target.send(Request(auth=Auth(header="Bearer {basic}"))).sent_headers)
        assert shown["Authorization"] == "bAsIc {sid}:{token}x"
        assert bearer["Authorization"] == "Bearer {sid}:{token}"

    def test_credentials_are_not_in_the_repr_of_anything(self) -> None:
        settings = TargetSettings(url="http://127.0.0.1:1")
        with Target(settings) as target:
            assert THROWAWAY[0].token not in repr((settings, target, target.send(UPDATE)))

    def test_a_base_path_is_kept(self) -> None:
        with (
            hostile.Hostile("good") as server,
            Target(TargetSettings(url=server.url + "/conversations/")) as target,
        ):
            exchange = target.send(Request(method="GET", query="a=b"))
        assert server.received[0].startswith(b"GET /conversations/v1/Configuration?a=b HTTP/1.1\r\n")
        assert exchange.url == server.url + "/conversations/v1/Configuration?a=b"

    @pytest.mark.parametrize(
        "request_",
        [
            Request(method="TRACE"),
            Request(method="CONNECT"),
            Request(method="post"),
            Request(headers=(("Host", "example.org"),)),
            Request(headers=(("X-A", "1\r\nX-B: 2"),)),
            Request(query="a b"),
        ],
    )
    def test_a_request_that_may_not_or_cannot_be_sent_raises_value_error(self, request_: Request) -> None:
        with playing("good") as (server, target):
            with pytest.raises(ValueError, match=r"must not|cannot|could reach"):
                target.send(request_)
            assert server.received == []

    def test_a_template_that_needs_a_second_account_raises_without_one(self) -> None:
        with (
            playing("good", accounts=THROWAWAY[:1]) as (_, target),
            pytest.raises(ValueError, match="second account"),
        ):
            target.send(Request(auth=Auth(secret="{other_token}")))

    def test_cookies_are_not_kept(self) -> None:
        with playing("cookie") as (server, target):
            target.send(UPDATE)
            target.send(UPDATE)
        assert b"session" not in server.received[1]

    def test_redirects_are_not_followed(self) -> None:
        with playing("redirect") as (server, target):
            assert target.send(UPDATE).status == 302
        assert len(server.received) == 1

    def test_a_proxy_in_the_environment_is_ignored(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        with playing("good") as (_, target):
            assert target.send(UPDATE).status == 200

    def test_a_proxy_in_the_settings_is_used(self) -> None:
        with (
            hostile.Hostile("good") as proxy,
            Target(
                TargetSettings(url="http://10.0.0.1:81/x", proxy=proxy.url.replace("//", "//me:pw@"))
            ) as target,
        ):
            assert target.send(UPDATE).status == 200
        assert proxy.received[0].startswith(b"POST http://10.0.0.1:81/x/v1/Configuration HTTP/1.1\r\n")
        assert b"Proxy-Authorization: Basic " + base64.b64encode(b"me:pw") in proxy.received[0]


class TestWaiting:
    """A target may ask to wait, within the bounds of the settings."""

    def test_a_rate_limited_request_is_repeated(self) -> None:
        notices: list[str] = []
        with (
            hostile.Hostile("rate-limited-at-first") as server,
            Target(TargetSettings(url=server.url), notices.append) as target,
        ):
            exchange = target.send(UPDATE)
        assert (exchange.status, exchange.number) == (200, 5)
        assert len(notices) == 4
        assert "status 429: waiting 0.0 s" in notices[0]
        assert re.search("waiting 0.1 s", notices[2])

    def test_a_429_is_returned_after_the_last_try(self) -> None:
        with playing("rate-limited") as (_, target):
            assert target.send(UPDATE).status == 429
            assert target.requests == 5

    @pytest.mark.usefixtures("no_waiting")
    def test_too_many_requests_that_stay_429_end_the_run(self) -> None:
        with playing("rate-limited", refusals=1) as (_, target):
            target.send(UPDATE)
            with pytest.raises(RateLimitedOut, match="429"):
                target.send(UPDATE)

    def test_a_wait_beyond_the_patience_ends_the_run_at_once(self) -> None:
        with playing("rate-limited-for-an-hour", patience=2.0) as (_, target):
            began = time.monotonic()
            with pytest.raises(RateLimitedOut, match=r"3600\.0 s"):
                target.send(UPDATE)
            assert time.monotonic() - began < 60

    def test_a_503_is_repeated_only_with_retry_after(self) -> None:
        with playing("unavailable") as (_, target):
            assert target.send(UPDATE).status == 503
            assert target.requests == 5
        with playing("failing") as (_, target):
            assert target.send(UPDATE).status == 503
            assert target.requests == 1

    def test_requests_sent_together_are_repeated_after_a_429_too(self) -> None:
        with playing("rate-limited-at-first") as (_, target):
            assert [exchange.status for exchange in target.send_together([UPDATE] * 3)] == [200] * 3


class TestBudget:
    """Every request counts against the budget, which is never exceeded."""

    def test_the_budget_ends_the_run_before_the_next_request(self) -> None:
        with playing("good", max_requests=3) as (server, target):
            for _ in range(3):
                target.send(UPDATE)
            with pytest.raises(BudgetExhausted, match="3 requests"):
                target.send(UPDATE)
            with pytest.raises(BudgetExhausted):
                target.send_together([UPDATE, UPDATE])
        assert len(server.received) == target.requests == 3

    def test_only_requests_that_ask_for_the_reserve_get_it(self) -> None:
        with playing("good", max_requests=2, reserve=1) as (server, target):
            target.send(UPDATE, reserve=True)
            target.send(UPDATE)
            with pytest.raises(BudgetExhausted):
                target.send(UPDATE)
            assert target.send(UPDATE, reserve=True).status == 200
            with pytest.raises(BudgetExhausted):
                target.send(UPDATE, reserve=True)
        assert len(server.received) == 3

    def test_repetitions_keep_to_the_budget(self) -> None:
        with playing("rate-limited", max_requests=3) as (server, target), pytest.raises(BudgetExhausted):
            target.send(UPDATE)
        assert len(server.received) == 3

    def test_the_rate_is_kept(self) -> None:
        with playing("good", rate=50.0) as (_, target):
            began = time.perf_counter()
            for _ in range(5):
                target.send(UPDATE)
            assert time.perf_counter() - began >= 4 / 50
            target.send_together([UPDATE] * 5)
            target.send(UPDATE)
            assert time.perf_counter() - began >= 10 / 50

    def test_an_exchange_says_when_it_was_sent_in_the_run(self) -> None:
        with playing("good") as (_, target):
            first, second = target.send(UPDATE), target.send(UPDATE)
        assert 0 < first.started < first.started + first.elapsed <= second.started


class TestSecrets:
    """A token in an answer is recognised."""

    def test_an_answer_that_contains_the_token_is_a_leak(self) -> None:
        with playing("echo") as (_, target):
            assert target.leaks(target.send(UPDATE))
            assert target.leaks(target.send(Request(auth=Auth(header="Bearer {token}"))))

    def test_an_answer_without_the_token_is_no_leak(self) -> None:
        with playing("good") as (_, target):
            assert not target.leaks(target.send(UPDATE))
        with playing("echo") as (_, target):
            assert not target.leaks(target.send(Request(auth=NO_AUTH)))
            assert not target.leaks(target.send(Request(auth=Auth(secret="{truncated}"))))

    def test_a_token_that_the_request_contained_is_no_leak(self) -> None:
        token = THROWAWAY[0].token
        with playing("echo") as (_, target):
            for request in (
                Request(auth=NO_AUTH, body=token.encode()),
                Request(auth=NO_AUTH, query=f"a={token}"),
                Request(auth=NO_AUTH, body=b"%66" + token[1:].encode()),
            ):
                assert not target.leaks(target.send(request))

    def test_a_token_that_occurs_in_ordinary_text_is_never_taken_for_a_leak(self) -> None:
        for token in ("secret", "AC" + "1" * 32):
            account = Account("AC" + "1" * 32, token)
            with playing("echo", accounts=(account,)) as (_, target):
                assert not target.leaks(target.send(UPDATE))

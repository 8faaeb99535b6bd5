"""The door to the network: what goes out, what comes in, and that no target can break or hold up a run."""

import base64
import re
import shutil
import socket
import ssl
import subprocess
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import hostile
import httpcore
import pytest

from conformance.model import EMPTY, NO_AUTH, READ, Auth, Exchange, FailureKind, Request, update
from conformance.network import addresses_of, are_loopback, are_private
from conformance.target import (
    THROWAWAY,
    Account,
    BudgetExhausted,
    RateLimitedOut,
    Target,
    TargetDead,
    TargetSettings,
)

UPDATE = update(("DefaultClosedTimer", "PT10M"))


@contextmanager
def playing(name: str, **settings: object) -> Iterator[tuple[hostile.Hostile, Target]]:
    quick: dict[str, object] = {"timeout": 5.0} | settings
    with (
        hostile.Hostile(name) as server,
        Target(TargetSettings(url=server.url, **quick)) as target,  # type: ignore[arg-type]  # tests name them
    ):
        yield server, target


def sent_in_time(target: Target) -> Exchange:
    """The exchange of an update, which ends within its timeout and a second; a busy machine gets two more tries."""
    for _ in range(3):
        began = time.monotonic()
        exchange = target.send(UPDATE)
        if time.monotonic() - began < target.settings.timeout + 1.0:
            return exchange
    pytest.fail(f"{target.settings.timeout} s, and more than a second beyond")


class TestWhatGoesOut:
    """The bytes of a request are exactly those that were asked for."""

    def test_an_update_is_sent_to_the_byte(self) -> None:
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

    def test_an_api_key_is_the_user_name(self) -> None:
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
    def test_what_must_not_or_cannot_be_sent_is_an_error_of_the_caller(self, request_: Request) -> None:
        with playing("good") as (server, target):
            with pytest.raises(ValueError, match=r"must not|cannot|could reach"):
                target.send(request_)
            assert server.received == []

    def test_another_account_is_never_made_up(self) -> None:
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

    def test_the_environment_names_no_proxy(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        with playing("good") as (_, target):
            assert target.send(UPDATE).status == 200

    def test_a_proxy_is_used_when_asked_for(self) -> None:
        with (
            hostile.Hostile("good") as proxy,
            Target(
                TargetSettings(url="http://10.0.0.1:81/x", proxy=proxy.url.replace("//", "//me:pw@"))
            ) as target,
        ):
            assert target.send(UPDATE).status == 200
        assert proxy.received[0].startswith(b"POST http://10.0.0.1:81/x/v1/Configuration HTTP/1.1\r\n")
        assert b"Proxy-Authorization: Basic " + base64.b64encode(b"me:pw") in proxy.received[0]


class TestPeer:
    """Connections go to the target, at the addresses that were checked, and nowhere else."""

    def test_a_name_is_not_looked_up_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        looked_up = []
        lookup = socket.getaddrinfo

        def rebound(host: str, *rest: object, **named: object) -> object:
            looked_up.append(host)
            return lookup(host, *rest, **named)  # type: ignore[arg-type]  # as it was called

        monkeypatch.setattr(socket, "getaddrinfo", rebound)
        with hostile.Hostile("good") as server:
            url = server.url.replace("127.0.0.1", "rebinding.invalid")
            settings = TargetSettings(url=url, addresses=("127.0.0.2", "127.0.0.1"), timeout=2.0)
            with Target(settings) as target:
                assert target.send(UPDATE).status == 200
            assert b"Host: rebinding.invalid:" in server.received[0]
        assert set(looked_up) <= {"127.0.0.1", "127.0.0.2"}

    def test_a_name_without_an_address_is_not_reached(self) -> None:
        with Target(TargetSettings(url="http://nowhere.invalid", addresses=())) as target:
            failure = target.send(UPDATE).failure
        assert failure is not None
        assert failure.kind is FailureKind.CONNECT

    def test_another_peer_is_refused_below_the_client(self) -> None:
        with hostile.Hostile("good") as server, hostile.Hostile("good") as other:
            with Target(TargetSettings(url=server.url)) as target:
                with pytest.raises(httpcore.LocalProtocolError, match="is not the target"):
                    target._fresh.request("GET", other.url)
                assert target.send(UPDATE).status == 200
            assert other.connections == 0


class TestConnections:
    """Reuse is the rule, a connection of one's own on request, and a closed idle one is nobody's fault."""

    def test_connections_are_reused(self) -> None:
        with playing("good") as (server, target):
            assert [target.send(UPDATE).status for _ in range(5)] == [200] * 5
            assert server.connections == 1

    def test_fresh_opens_one_of_its_own(self) -> None:
        with playing("good") as (server, target):
            for _ in range(3):
                target.send(Request(fresh=True))
            assert server.connections == 3

    @pytest.mark.parametrize("name", ["closed-silently", "closed-on-reuse", "timed-out-on-reuse"])
    def test_closing_an_idle_connection_is_legal(self, name: str) -> None:
        with playing(name) as (_, target):
            assert [target.send(UPDATE).status for _ in range(6)] == [200] * 6

    def test_a_repetition_counts_as_a_request(self) -> None:
        with playing("closed-on-reuse") as (_, target):
            assert [target.send(UPDATE).number for _ in range(3)] == [1, 3, 4]
            assert target.requests == 4

    def test_a_hang_on_a_reused_connection_is_a_hang(self) -> None:
        with playing("hangs-on-reuse", timeout=1.0) as (_, target):
            assert target.send(UPDATE).status == 200
            failure = target.send(UPDATE).failure
        assert failure is not None
        assert failure.kind is FailureKind.TIMEOUT

    @pytest.mark.skipif(not hasattr(socket, "TCP_QUICKACK"), reason="an option of Linux")
    def test_an_answer_in_two_segments_is_not_held_up(self) -> None:
        with playing("two-segments") as (_, target):
            elapsed = sorted(target.send(UPDATE).elapsed for _ in range(20))
        assert elapsed[10] < 0.02

    def test_requests_sent_together_have_a_connection_each_and_keep_their_order(self) -> None:
        requests = [update(("DefaultClosedTimer", f"PT{minutes}M")) for minutes in range(10, 18)]
        with playing("echo") as (server, target):
            exchanges = target.send_together(requests)
            assert server.connections == 8
        assert [exchange.request for exchange in exchanges] == requests
        assert [exchange.number for exchange in exchanges] == list(range(1, 9))
        for exchange, request in zip(exchanges, requests, strict=True):
            assert exchange.response is not None
            assert exchange.response.body.endswith(request.body or b"?")

    def test_requests_sent_together_overlap(self) -> None:
        with playing("silent", timeout=0.5) as (_, target):
            began = time.monotonic()
            exchanges = target.send_together([UPDATE] * 6)
            assert time.monotonic() - began < 1.5
        assert {exchange.failure.kind for exchange in exchanges if exchange.failure} == {FailureKind.TIMEOUT}


FAILURES = {
    "banner": FailureKind.FRAMING,
    "blank-lines-first": FailureKind.FRAMING,
    "body-then-silence": FailureKind.TIMEOUT,
    "chunk-of-sixteen-exabytes": FailureKind.DISCONNECT,
    "chunk-too-long": FailureKind.FRAMING,
    "content-length-long": FailureKind.DISCONNECT,
    "content-length-negative": FailureKind.FRAMING,
    "content-length-too-long-to-count": FailureKind.FRAMING,
    "content-length-twice": FailureKind.FRAMING,
    "deaf": FailureKind.TIMEOUT,
    "drip": FailureKind.TIMEOUT,
    "drip-body": FailureKind.TIMEOUT,
    "empty-reply": FailureKind.DISCONNECT,
    "endless-chunk-extension": FailureKind.TOO_LARGE,
    "endless-headers": FailureKind.TOO_LARGE,
    "endless-status-line": FailureKind.TOO_LARGE,
    "endless-trailers": FailureKind.TOO_LARGE,
    "half-close": FailureKind.DISCONNECT,
    "head-then-silence": FailureKind.TIMEOUT,
    "header-injection": FailureKind.FRAMING,
    "header-without-name": FailureKind.FRAMING,
    "http-0.9": FailureKind.FRAMING,
    "http-2": FailureKind.FRAMING,
    "interim-drip": FailureKind.TIMEOUT,
    "interim-flood": FailureKind.TOO_LARGE,
    "invalid-chunking": FailureKind.FRAMING,
    "invalid-status-line": FailureKind.FRAMING,
    "midway": FailureKind.DISCONNECT,
    "nul-in-header": FailureKind.FRAMING,
    "reset": FailureKind.DISCONNECT,
    "reset-midway": FailureKind.DISCONNECT,
    "silent": FailureKind.TIMEOUT,
    "status-000": FailureKind.FRAMING,
    "status-1000": FailureKind.FRAMING,
    "switched-to-websocket": FailureKind.FRAMING,
    "tls-alert": FailureKind.FRAMING,
    "unknown-transfer-coding": FailureKind.FRAMING,
    "upgrade": FailureKind.FRAMING,
}

ANSWERS = {
    "brotli": b"\x0b\x02\x80{}\x03",
    "duplicate-keys": b'{"url": "a", "url": "b"}',
    "early-hints": b"{}",
    "gzip": hostile.GOOD,
    "http-1.0": hostile.GOOD,
    "invalid-json": b'{"account_sid": ',
    "not-gzip": hostile.GOOD,
    "terminal-escapes": b'"\x1b]0;owned\x07\x1b[2J\x00"',
}


class TestHostileTargets:
    """What a target does never raises, never takes long, and has a name."""

    @pytest.mark.parametrize("name", FAILURES)
    def test_a_failure_is_named_and_comes_in_bounded_time(self, name: str) -> None:
        # How long a flood takes is a matter of the machine: only what never ends has to be cut short.
        timeout = 5.0 if FAILURES[name] is FailureKind.TOO_LARGE else 0.5
        with playing(name, max_body=1 << 16, timeout=timeout) as (_, target):
            for _ in range(2):
                exchange = sent_in_time(target)
                assert exchange.response is None
                assert exchange.failure is not None
                assert exchange.failure.kind is FAILURES[name]
                assert exchange.failure.detail

    @pytest.mark.parametrize("name", ANSWERS)
    def test_a_well_framed_answer_is_handed_on_as_it_came(self, name: str) -> None:
        with playing(name) as (_, target):
            for _ in range(2):
                response = target.send(UPDATE).response
                assert response is not None
                assert response.body == ANSWERS[name]
                assert not response.truncated

    @pytest.mark.parametrize("name", ["huge-json", "deep-nesting", "million-digits", "invalid-utf8"])
    def test_large_and_odd_bodies_come_through_whole(self, name: str) -> None:
        with playing(name) as (_, target):
            response = target.send(UPDATE).response
        assert response is not None
        assert len(response.body) == int(response.header("content-length") or 0)

    @pytest.mark.parametrize("name", ["endless-body", "gzip-bomb"])
    def test_a_body_is_cut_at_the_cap(self, name: str) -> None:
        hostile.bomb()
        with playing(name) as (_, target):
            tracemalloc.start()
            try:
                response = target.send(UPDATE).response
                peak = tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()
        assert response is not None
        assert response.truncated
        assert len(response.body) == 1 << 20
        assert peak < 16 << 20

    @pytest.mark.parametrize(
        "name", ["broken-gzip", "gzip-and-more", "not-gzip", "many-gzip-members", "brotli", "brotli-bomb"]
    )
    def test_a_body_that_cannot_be_decoded_to_its_end_stays_encoded_and_is_said_to_be(
        self, name: str
    ) -> None:
        with playing(name) as (_, target):
            response = target.send(UPDATE).response
        assert response is not None
        assert response.undecoded
        assert len(response.body) == int(response.header("content-length") or 0)

    def test_a_gzip_file_may_have_members(self) -> None:
        with playing("gzip-in-two-members") as (_, target):
            response = target.send(UPDATE).response
        assert response is not None
        assert (response.body, response.undecoded) == (hostile.GOOD, False)

    @pytest.mark.parametrize("name", ["answers-twice", "answers-twice-in-chunks", "length-and-chunked"])
    def test_an_answer_that_hides_another_is_a_failure_beside_the_response(self, name: str) -> None:
        with playing(name) as (_, target):
            failures = [target.send(UPDATE).failure for _ in range(2)]
        assert FailureKind.FRAMING in {failure.kind for failure in failures if failure is not None}

    @pytest.mark.parametrize(
        ("name", "request_"), [("content-length-short", UPDATE), ("body-to-head", Request(method="HEAD"))]
    )
    def test_bytes_after_the_end_of_an_answer_are_a_failure_beside_the_response(
        self, name: str, request_: Request
    ) -> None:
        with playing(name) as (server, target):
            for _ in range(3):
                exchange = target.send(request_)
                assert exchange.status == 200
                assert exchange.failure is not None
                assert exchange.failure.kind is FailureKind.FRAMING
                assert "follow the end" in exchange.failure.detail
            assert server.connections == 3

    def test_a_target_that_is_not_http_is_told_by_what_it_says(self) -> None:
        with playing("banner") as (_, target):
            failure = target.send(UPDATE).failure
        assert failure is not None
        assert "SSH-2.0" in failure.detail

    def test_a_large_request_to_a_deaf_target_ends_in_time(self) -> None:
        with playing("deaf", timeout=0.5) as (_, target):
            began = time.monotonic()
            failure = target.send(Request(body=bytes(20_000_000))).failure
            assert time.monotonic() - began < 2.0
        assert failure is not None
        assert failure.kind is FailureKind.TIMEOUT

    def test_a_connection_that_is_never_accepted_is_a_failure_to_connect(self) -> None:
        with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, ExitStack() as waiting:
            for _ in range(4):  # more than the queue of those who wait to be accepted holds
                stream = waiting.enter_context(socket.socket())
                stream.setblocking(False)
                stream.connect_ex(listener.getsockname())
            port = listener.getsockname()[1]
            with Target(TargetSettings(url=f"http://127.0.0.1:{port}", timeout=0.5)) as target:
                failure = sent_in_time(target).failure
        assert failure is not None
        assert failure.kind in (FailureKind.CONNECT, FailureKind.TIMEOUT)

    def test_nobody_listening_is_a_failure_to_connect(self) -> None:
        with Target(TargetSettings(url="http://127.0.0.1:1")) as target:
            failure = target.send(UPDATE).failure
        assert failure is not None
        assert failure.kind is FailureKind.CONNECT

    def test_a_known_good_request_that_cannot_connect_three_times_means_a_dead_target(self) -> None:
        with Target(TargetSettings(url="http://127.0.0.1:1")) as target:
            with pytest.raises(TargetDead, match="cannot be reached") as caught:
                target.send(UPDATE, known_good=True)
            assert target.requests == 3
        assert caught.value.exchange.failure is not None

    def test_a_known_good_request_that_is_answered_badly_does_not_mean_a_dead_target(self) -> None:
        with playing("reset") as (_, target):
            assert target.send(UPDATE, known_good=True).failure is not None


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate of 127.0.0.1, with its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs the openssl command")
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    options = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test -addext subjectAltName=IP:127.0.0.1"
    command = [openssl, *options.split(), "-keyout", str(path) + ".key", "-out", str(path)]
    subprocess.run(command, check=True, capture_output=True)
    path.write_text(path.read_text() + Path(str(path) + ".key").read_text())
    return path


class TestTLS:
    """TLS is checked, and its failures have a kind of their own."""

    def test_a_certificate_of_an_unknown_authority_is_refused(self, certificate: Path) -> None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
        with hostile.Hostile("good", context) as server, Target(TargetSettings(url=server.url)) as target:
            failure = target.send(UPDATE).failure
        assert failure is not None
        assert failure.kind is FailureKind.TLS
        assert "certificate" in failure.detail

    def test_the_ca_file_is_trusted(self, certificate: Path) -> None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
        with (
            hostile.Hostile("good", context) as server,
            Target(TargetSettings(url=server.url, ca_file=str(certificate))) as target,
        ):
            assert [target.send(UPDATE).status for _ in range(2)] == [200, 200]
            assert server.connections == 1

    def test_a_certificate_of_another_host_is_refused(self, certificate: Path) -> None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
        with hostile.Hostile("good", context) as server:
            url = server.url.replace("127.0.0.1", "localhost")
            with Target(TargetSettings(url=url, ca_file=str(certificate))) as target:
                failure = target.send(UPDATE).failure
        assert failure is not None
        assert failure.kind is FailureKind.TLS
        assert "localhost" in failure.detail

    def test_a_proxy_opens_a_tunnel_and_its_own_answer_is_not_the_targets(self, certificate: Path) -> None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
        with hostile.Hostile("good", context) as server, hostile.Hostile(hostile.tunnel) as proxy:
            settings = TargetSettings(url=server.url, ca_file=str(certificate), proxy=proxy.url)
            with Target(settings) as target:
                exchanges = [target.send(UPDATE) for _ in range(3)]
        assert [(each.status, each.failure) for each in exchanges] == [(200, None)] * 3
        assert proxy.received[0].startswith(b"CONNECT 127.0.0.1:")

    @pytest.mark.parametrize(
        ("name", "kind"),
        [
            ("silent", FailureKind.TIMEOUT),
            ("drip-body", FailureKind.TIMEOUT),
            ("reset-midway", FailureKind.DISCONNECT),
            ("empty-reply", FailureKind.DISCONNECT),
            ("endless-headers", FailureKind.TOO_LARGE),
        ],
    )
    def test_failures_under_tls_are_those_without(
        self, name: str, kind: FailureKind, certificate: Path
    ) -> None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
        with (
            hostile.Hostile(name, context) as server,
            Target(TargetSettings(url=server.url, timeout=0.5, ca_file=str(certificate))) as target,
        ):
            failure = sent_in_time(target).failure
        assert failure is not None
        assert failure.kind is kind

    @pytest.mark.parametrize("name", ["banner", "tls-alert", "tls-drip", "silent", "reset", "empty-reply"])
    def test_a_target_that_does_not_speak_tls_fails_with_it(self, name: str) -> None:
        with hostile.Hostile(name) as server:
            url = server.url.replace("http:", "https:")
            with Target(TargetSettings(url=url, timeout=0.5)) as target:
                failure = sent_in_time(target).failure
        assert failure is not None
        assert failure.kind is FailureKind.TLS


class TestWaiting:
    """A target may ask to wait; how long and how often is bounded."""

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

    def test_a_429_is_returned_when_the_tries_have_run_out(self) -> None:
        with playing("rate-limited") as (_, target):
            assert target.send(UPDATE).status == 429
            assert target.requests == 5

    def test_being_refused_again_and_again_ends_the_run(self) -> None:
        with playing("rate-limited", refusals=1) as (_, target):
            target.send(UPDATE)
            with pytest.raises(RateLimitedOut, match="429"):
                target.send(UPDATE)

    def test_no_more_is_waited_than_the_patience(self) -> None:
        with playing("rate-limited-for-an-hour", patience=2.0) as (_, target):
            began = time.monotonic()
            with pytest.raises(RateLimitedOut, match=r"3600\.0 s"):
                target.send(UPDATE)
            assert time.monotonic() - began < 1.0

    def test_503_is_repeated_only_when_it_says_when(self) -> None:
        with playing("unavailable") as (_, target):
            assert target.send(UPDATE).status == 503
            assert target.requests == 5
        with playing("failing") as (_, target):
            assert target.send(UPDATE).status == 503
            assert target.requests == 1

    def test_requests_sent_together_heed_429_too(self) -> None:
        with playing("rate-limited-at-first") as (_, target):
            assert [exchange.status for exchange in target.send_together([UPDATE] * 3)] == [200] * 3


class TestBudget:
    """What is sent is counted, and never more than was allowed."""

    def test_the_budget_ends_the_run_before_the_next_request(self) -> None:
        with playing("good", max_requests=3) as (server, target):
            for _ in range(3):
                target.send(UPDATE)
            with pytest.raises(BudgetExhausted, match="3 requests"):
                target.send(UPDATE)
            with pytest.raises(BudgetExhausted):
                target.send_together([UPDATE, UPDATE])
        assert len(server.received) == target.requests == 3

    def test_the_reserve_is_for_those_who_ask(self) -> None:
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

    def test_times_run_from_the_beginning_of_the_run(self) -> None:
        with playing("good") as (_, target):
            first, second = target.send(UPDATE), target.send(UPDATE)
        assert 0 < first.started < first.started + first.elapsed <= second.started


ODD = Account("AC" + "1" * 32, 'p"ss/w%rd+é')
"""Its token is spelled differently in a URL, in JSON and in base64."""


class TestSecrets:
    """A token is recognised in every spelling, and shown in none."""

    @pytest.mark.parametrize("account", [*THROWAWAY, ODD])
    @pytest.mark.parametrize("prefix", ["", "a", "ab", "AC" + "f" * 32 + ":"])
    def test_tokens_are_redacted_however_they_are_encoded(self, account: Account, prefix: str) -> None:
        with Target(TargetSettings(url="http://127.0.0.1:1", accounts=(account,))) as target:
            encoded = base64.b64encode(f"{prefix}{account.token}".encode()).decode()
            redacted = target.redact(f"x {account.token} {encoded} y")
            assert account.token not in redacted
            assert encoded[len(prefix) * 4 // 3 + 3 : -6] not in redacted
            assert redacted.startswith("x {token} ")
            assert target.redact(account.token.encode()) == b"{token}"
            assert target.tokens() == (account.token,)

    def test_a_token_that_is_a_word_is_redacted_as_a_word(self) -> None:
        account = Account("AC" + "1" * 32, "test")
        with Target(TargetSettings(url="http://127.0.0.1:1", accounts=(account,))) as target:
            assert target.redact("the latest test") == "the latest {token}"

    def test_an_answer_that_holds_the_token_leaks(self) -> None:
        with playing("echo") as (_, target):
            assert target.leaks(target.send(UPDATE))
            assert target.leaks(target.send(Request(auth=Auth(header="Bearer {token}"))))

    def test_an_answer_that_holds_no_token_does_not_leak(self) -> None:
        with playing("good") as (_, target):
            assert not target.leaks(target.send(UPDATE))
        with playing("echo") as (_, target):
            assert not target.leaks(target.send(Request(auth=NO_AUTH)))
            assert not target.leaks(target.send(Request(auth=Auth(secret="{truncated}"))))

    def test_a_token_that_the_request_held_in_the_open_is_no_leak(self) -> None:
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


class TestAddresses:
    """Where a target is, by the addresses its name stands for."""

    @pytest.mark.parametrize(
        ("url", "loopback", "private"),
        [
            ("http://127.0.0.1:4007/x", True, True),
            ("http://[::1]:4007", True, True),
            ("http://localhost", True, True),
            ("http://10.1.2.3", False, True),
            ("http://192.168.0.1", False, True),
            ("http://[fd00::1]", False, True),
            ("http://[::ffff:127.0.0.1]", True, True),
            ("http://[::ffff:8.8.8.8]", False, False),
            ("http://8.8.8.8", False, False),
            ("http://100.64.0.1", False, False),
            ("http://" + "x" * 64 + ".invalid", False, False),
        ],
    )
    def test_an_address_is_loopback_private_or_neither(self, url: str, loopback: bool, private: bool) -> None:
        addresses = addresses_of(url)
        assert (are_loopback(addresses), are_private(addresses)) == (loopback, private)

"""Tests of connections: their reuse, servers that break the protocol, TLS, and the addresses of a name."""

import errno
import os
import shutil
import socket
import ssl
import subprocess
import threading
import tracemalloc
from contextlib import ExitStack
from pathlib import Path

import hostile
import httpcore
import pytest
from playing import UPDATE, playing

from conformance.exceptions import TargetDead
from conformance.http import FailureKind, Request, update
from conformance.transport.connections import (
    Watch,
    _Stream,
    addresses_of,
    are_loopback,
    are_private,
)
from conformance.transport.target import Target, TargetSettings

pytestmark = pytest.mark.slow


class TestPeer:
    """Connections go to the target alone, at the addresses that were checked."""

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

    def test_a_connection_to_another_peer_is_refused(self) -> None:
        with hostile.Hostile("good") as server, hostile.Hostile("good") as other:
            with Target(TargetSettings(url=server.url)) as target:
                with pytest.raises(httpcore.LocalProtocolError, match="is not the target"):
                    target._fresh.request("GET", other.url)
                assert target.send(UPDATE).status == 200
            assert other.connections == 0


class TestConnections:
    """Connections are reused unless a request asks for a fresh one; a server may close an idle one."""

    def test_connections_are_reused(self) -> None:
        with playing("good") as (server, target):
            assert [target.send(UPDATE).status for _ in range(5)] == [200] * 5
            assert server.connections == 1

    def test_reconnecting_closes_the_kept_connection(self) -> None:
        with playing("good") as (server, target):
            for _ in range(2):
                target.send(UPDATE)
                target.send(UPDATE)
                target.reconnect()
            assert server.connections == 2

    def test_a_fresh_request_opens_a_connection(self) -> None:
        with playing("good") as (server, target):
            for _ in range(3):
                target.send(Request(fresh=True))
            assert server.connections == 3

    @pytest.mark.parametrize("name", ["closed-silently", "closed-on-reuse", "timed-out-on-reuse"])
    def test_a_closed_idle_connection_is_no_failure(self, name: str) -> None:
        with playing(name) as (_, target):
            assert [target.send(UPDATE).status for _ in range(6)] == [200] * 6

    def test_a_repetition_counts_as_a_request(self) -> None:
        with playing("closed-on-reuse") as (_, target):
            assert [target.send(UPDATE).number for _ in range(3)] == [1, 3, 4]
            assert target.requests == 4

    def test_silence_on_a_reused_connection_is_a_timeout(self) -> None:
        with playing("hangs-on-reuse", timeout=1.0) as (_, target):
            assert target.send(UPDATE).status == 200
            failure = target.send(UPDATE).failure
        assert failure is not None
        assert failure.kind is FailureKind.TIMEOUT

    @pytest.mark.skipif(not hasattr(socket, "TCP_QUICKACK"), reason="an option of Linux")
    def test_every_read_has_what_came_before_it_acknowledged_at_once(self) -> None:
        """Small servers send the body when the head is acknowledged, which Linux would delay by 40 ms."""
        calls: list[object] = []

        class Stream(httpcore.NetworkStream):
            """The stream of httpcore; it is its own socket, too."""

            def get_extra_info(self, info: str) -> object:
                return self

            def setsockopt(self, *option: int) -> None:
                calls.append(option)

            def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
                calls.append("read")
                return b"x"

        stream = _Stream(Stream(), Watch(5.0, 100), 1)
        assert [stream.read(1), stream.read(1)] == [b"x", b"x"]
        assert calls == [(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1), "read"] * 2

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
        all_here = threading.Barrier(6)

        def play(connection: hostile.Connection) -> None:
            for _ in connection.requests():
                all_here.wait()
                connection.answer()

        with playing(play) as (_, target):
            assert [each.status for each in target.send_together([UPDATE] * 6)] == [200] * 6

    def test_an_interim_answer_alone_is_no_part_of_an_answer(self) -> None:
        with playing("continues-for-ever", timeout=0.5) as (_, target):
            failure = target.send(UPDATE).failure
        assert failure is not None
        assert (failure.kind, failure.partial) == (FailureKind.TIMEOUT, False)


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
    """Whatever a target does ends in time, as a response or as a failure of a known kind."""

    @pytest.mark.parametrize("name", FAILURES)
    def test_a_failure_has_its_kind_and_ends_in_time(self, name: str) -> None:
        # A slow machine takes long for a flood of bytes; a silent target must end with the timeout.
        timeout = 5.0 if FAILURES[name] is FailureKind.TOO_LARGE else 0.5
        with playing(name, max_body=1 << 16, timeout=timeout) as (_, target):
            for _ in range(2):
                exchange = target.send(UPDATE)
                assert exchange.response is None
                assert exchange.failure is not None
                assert exchange.failure.kind is FAILURES[name]
                assert exchange.failure.detail

    @pytest.mark.parametrize("name", ANSWERS)
    def test_a_well_framed_answer_is_returned_as_it_came(self, name: str) -> None:
        with playing(name) as (_, target):
            for _ in range(2):
                response = target.send(UPDATE).response
                assert response is not None
                assert response.body == ANSWERS[name]
                assert not response.truncated

    @pytest.mark.parametrize("name", ["huge-json", "deep-nesting", "million-digits", "invalid-utf8"])
    def test_large_and_odd_bodies_are_returned_whole(self, name: str) -> None:
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
    def test_a_body_that_cannot_be_decoded_to_its_end_stays_encoded_and_is_marked(self, name: str) -> None:
        with playing(name) as (_, target):
            response = target.send(UPDATE).response
        assert response is not None
        assert response.undecoded
        assert len(response.body) == int(response.header("content-length") or 0)

    def test_a_gzip_body_with_several_members_is_decoded(self) -> None:
        with playing("gzip-in-two-members") as (_, target):
            response = target.send(UPDATE).response
        assert response is not None
        assert (response.body, response.undecoded) == (hostile.GOOD, False)

    @pytest.mark.parametrize("name", ["answers-twice", "answers-twice-in-chunks", "length-and-chunked"])
    def test_a_second_answer_behind_the_first_is_a_failure_beside_the_response(self, name: str) -> None:
        with playing(name) as (_, target):
            failures = [target.send(UPDATE).failure for _ in range(2)]
        assert FailureKind.FRAMING in {failure.kind for failure in failures if failure is not None}

    def test_bytes_after_the_end_of_an_answer_are_a_failure_beside_the_response(self) -> None:
        with playing("content-length-short") as (server, target):
            for _ in range(3):
                exchange = target.send(UPDATE)
                assert exchange.status == 200
                assert exchange.failure is not None
                assert exchange.failure.kind is FailureKind.FRAMING
                assert "follow the end" in exchange.failure.detail
            assert server.connections == 3

    def test_a_body_for_head_in_a_segment_of_its_own_is_a_failure_beside_the_response(self) -> None:
        # The body is awaited for a moment, which a busy machine may use up: it need not be seen each time.
        with playing("body-to-head") as (_, target):
            exchanges = [target.send(Request(method="HEAD")) for _ in range(3)]
        seen = [exchange for exchange in exchanges if exchange.status == 200 and exchange.failure is not None]
        assert seen
        for exchange in seen:
            assert exchange.failure is not None
            assert exchange.failure.kind is FailureKind.FRAMING
            assert "follow the end" in exchange.failure.detail

    def test_the_failure_of_a_target_that_is_not_http_quotes_its_answer(self) -> None:
        with playing("banner") as (_, target):
            failure = target.send(UPDATE).failure
        assert failure is not None
        assert "SSH-2.0" in failure.detail

    def test_a_large_request_to_a_deaf_target_ends_in_time(self) -> None:
        with playing("deaf", timeout=0.5) as (_, target):
            failure = target.send(Request(body=bytes(20_000_000))).failure
        assert failure is not None
        assert failure.kind is FailureKind.TIMEOUT

    def test_a_connection_that_is_never_accepted_fails(self) -> None:
        with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, ExitStack() as waiting:
            for _ in range(4):  # more than the queue of the listener has room for
                stream = waiting.enter_context(socket.socket())
                stream.setblocking(False)
                stream.connect_ex(listener.getsockname())
            port = listener.getsockname()[1]
            with Target(TargetSettings(url=f"http://127.0.0.1:{port}", timeout=0.5)) as target:
                failure = target.send(UPDATE).failure
        assert failure is not None
        assert failure.kind in (FailureKind.CONNECT, FailureKind.TIMEOUT)

    def test_a_port_on_which_nothing_listens_is_a_failure_to_connect(self) -> None:
        with Target(TargetSettings(url="http://127.0.0.1:1")) as target:
            failure = target.send(UPDATE).failure
        assert failure is not None
        assert failure.kind is FailureKind.CONNECT

    def test_a_known_good_request_that_cannot_connect_three_times_means_a_dead_target(self) -> None:
        with Target(TargetSettings(url="http://127.0.0.1:1")) as target:
            with pytest.raises(TargetDead, match=r"cannot be reached: .+"):
                target.send(UPDATE, known_good=True)
            assert target.requests == 3

    @pytest.mark.parametrize("number", [errno.ENETDOWN, errno.EHOSTUNREACH, errno.ETIMEDOUT])
    def test_a_network_that_goes_down_is_not_taken_for_a_closed_connection(self, number: int) -> None:
        error = httpcore.ReadError()
        error.__cause__ = OSError(number, os.strerror(number))
        assert Watch(1.0, 1).failure(error).kind is FailureKind.CONNECT

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


@pytest.fixture(scope="module")
def context(certificate: Path) -> ssl.SSLContext:
    """The TLS context of a server with that certificate."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    return context


class TestTLS:
    """Certificates are checked, and failures of TLS have a kind of their own."""

    def test_a_certificate_of_an_unknown_authority_is_refused(self, context: ssl.SSLContext) -> None:
        with hostile.Hostile("good", context) as server, Target(TargetSettings(url=server.url)) as target:
            failure = target.send(UPDATE).failure
        assert failure is not None
        assert failure.kind is FailureKind.TLS
        assert "certificate" in failure.detail

    def test_the_flag_that_trusts_it_is_named(self, context: ssl.SSLContext) -> None:
        with hostile.Hostile("good", context) as server, Target(TargetSettings(url=server.url)) as target:
            failure = target.send(UPDATE).failure
        assert failure is not None
        assert failure.detail.endswith("name it or its issuer's with --ca-file")

    def test_the_ca_file_is_trusted(self, certificate: Path, context: ssl.SSLContext) -> None:
        with (
            hostile.Hostile("good", context) as server,
            Target(TargetSettings(url=server.url, ca_file=str(certificate))) as target,
        ):
            assert [target.send(UPDATE).status for _ in range(2)] == [200, 200]
            assert server.connections == 1

    def test_a_certificate_of_another_host_is_refused(
        self, certificate: Path, context: ssl.SSLContext
    ) -> None:
        with hostile.Hostile("good", context) as server:
            url = server.url.replace("127.0.0.1", "localhost")
            with Target(TargetSettings(url=url, ca_file=str(certificate))) as target:
                failure = target.send(UPDATE).failure
        assert failure is not None
        assert failure.kind is FailureKind.TLS
        assert "localhost" in failure.detail

    def test_a_proxy_opens_a_tunnel_and_its_own_answer_is_not_the_targets(
        self, certificate: Path, context: ssl.SSLContext
    ) -> None:
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
    def test_failures_behind_tls_have_the_same_kind_as_without(
        self, name: str, kind: FailureKind, certificate: Path, context: ssl.SSLContext
    ) -> None:
        with (
            hostile.Hostile(name, context) as server,
            Target(TargetSettings(url=server.url, timeout=0.5, ca_file=str(certificate))) as target,
        ):
            failure = target.send(UPDATE).failure
        assert failure is not None
        assert failure.kind is kind

    @pytest.mark.parametrize("name", ["banner", "tls-alert", "tls-drip", "silent", "reset", "empty-reply"])
    def test_a_target_that_does_not_speak_tls_is_a_failure_of_tls(self, name: str) -> None:
        with hostile.Hostile(name) as server:
            url = server.url.replace("http:", "https:")
            with Target(TargetSettings(url=url, timeout=0.5)) as target:
                failure = target.send(UPDATE).failure
        assert failure is not None
        assert failure.kind is FailureKind.TLS


class TestAddresses:
    """The addresses of a target decide whether it is on loopback, private or public."""

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
            ("http://169.254.1.1", False, False),
            ("http://192.0.2.1", False, False),
            ("http://198.18.0.1", False, False),
            ("http://240.0.0.1", False, False),
            ("http://0.0.0.0", False, False),
            ("http://[fe80::1]", False, False),
            ("http://[2001:db8::1]", False, False),
            ("http://172.31.0.1", False, True),
            ("http://172.32.0.1", False, False),
            ("http://" + "x" * 64 + ".invalid", False, False),
        ],
    )
    def test_an_address_is_loopback_private_or_neither(self, url: str, loopback: bool, private: bool) -> None:
        addresses = addresses_of(url)
        assert (are_loopback(addresses), are_private(addresses)) == (loopback, private)

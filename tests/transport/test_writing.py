"""A request that no library writes goes out byte for byte, and its own answer is what comes back."""

import re
from dataclasses import replace

import hostile
import pytest
from playing import UPDATE, playing

from conformance.http import ByHand, FailureKind, Request

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("way", "body", "plain", "written"),
    [
        (ByHand.VERSION, None, b"HTTP/1.1", b"HTTP/1.0"),
        (ByHand.ABSOLUTE, None, b"POST /v1/", b"POST {url}/v1/"),
        (ByHand.ASTERISK, None, b"POST /v1/Configuration ", b"POST * "),
        (ByHand.ELSEWHERE, None, b"POST /v1/Configuration ", b"POST /v1/Configuration/none "),
        (ByHand.ESCAPED, None, b"POST /v1/Configuration ", b"POST /v1/%43onfiguration "),
        (ByHand.SEGMENTS, b"abcd", b"", b""),
        (ByHand.NAMES, None, b"Content-Length: 0", b"CONTENT-LENGTH: 0"),
        (ByHand.CODING, b"abcd", b": chunked", b": Chunked"),
        # What looks like a size within a chunk is none.
        (ByHand.EXTENSIONS, b"2\r\n2", b"\r\n2\r\n2\r\r\n2\r\n", b"\r\n2{x}\r\n2\r\r\n2{x}\r\n"),
        (ByHand.BYTES, b"abcd", b"2\r\nab\r\n2\r\ncd\r\n", b"1\r\na\r\n1\r\nb\r\n1\r\nc\r\n1\r\nd\r\n"),
        (
            ByHand.SIZES,
            b"a" * 22,
            b"b\r\naaaaaaaaaaa\r\nb\r\naaaaaaaaaaa\r\n0\r\n",
            b"00B\r\naaaaaaaaaaa\r\n00B\r\naaaaaaaaaaa\r\n000\r\n",
        ),
        (ByHand.TRAILERS, b"abcd", b"cd\r\n0\r\n", b"cd\r\n0\r\nX-Checksum: 1\r\nX-Count: 1\r\n"),
    ],
)
def test_a_request_differs_from_the_plain_one_in_what_the_way_says(
    way: ByHand, body: bytes | None, plain: bytes, written: bytes
) -> None:
    request = Request(body=body, chunked=body is not None)
    with playing(hostile.verbatim) as (server, target):
        target.send(request)
        target.send(replace(request, by_hand=way))
    written = written.replace(b"{url}", server.url.encode()).replace(b"{x}", b";conformance=1")
    ordinary, by_hand = server.received
    if way is ByHand.NAMES:
        ordinary = re.sub(rb"(?m)^[A-Za-z-]+(?=: )", lambda name: name[0].upper(), ordinary)
        plain = written
    assert by_hand == ordinary.replace(plain, written)
    assert written in by_hand


def test_a_request_right_behind_a_read_is_written_with_it_and_gets_its_own_answer() -> None:
    with playing("echo") as (server, target):
        exchange = target.send(replace(UPDATE, by_hand=ByHand.PIPELINED))
        assert target.send(UPDATE).status == 200
        assert server.connections == 1
    assert [each.split(b" ")[0] for each in server.received] == [b"GET", b"POST", b"POST"]
    assert exchange.response is not None
    assert exchange.response.body.endswith(UPDATE.body or b"?")
    assert exchange.number == 2


@pytest.mark.parametrize("name", ["closed-silently", "closed-in-words"])
def test_a_server_may_answer_the_read_alone_and_close(name: str) -> None:
    with playing(name, timeout=2.0) as (_, target):
        exchange = target.send(replace(UPDATE, by_hand=ByHand.PIPELINED))
        assert target.drops == 0
    assert exchange.status == 200
    assert exchange.request.by_hand is None


def test_silence_after_the_answer_to_the_read_is_no_answer() -> None:
    with playing("hangs-on-reuse", timeout=0.5) as (_, target):
        failure = target.send(replace(UPDATE, by_hand=ByHand.PIPELINED)).failure
    assert failure is not None
    assert (failure.kind, failure.partial) == (FailureKind.TIMEOUT, False)

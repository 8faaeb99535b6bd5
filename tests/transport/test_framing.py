"""What is wrong with the framing of an answer that could be read all the same, worked out by hand from RFC 9112."""

import httpcore
import pytest

from conformance.transport.connections import Watch
from conformance.transport.framing import misframing


class Stream:
    """Stands for the connection of an answer; nothing more comes over it."""

    def __init__(self) -> None:
        self.closed = False

    def close(self) -> None:
        self.closed = True

    def get_extra_info(self, info: str) -> "Stream":
        return self

    def settimeout(self, seconds: float) -> None:
        """Wait for nothing."""

    def recv(self, size: int, flags: int) -> bytes:
        return b""


def framed(came: bytes, method: bytes = b"POST", *, more: int = 0) -> tuple[str, bool]:
    """What is said of bytes that came, of which `more` are not kept; and whether the connection was closed."""
    stream, watch = Stream(), Watch(1.0, 1 << 20)
    watch.saw(came)
    watch.received += more
    head = came.split(b"\r\n\r\n")[0].split(b"\r\n")
    headers = [(name, value.strip()) for name, _, value in (line.partition(b":") for line in head[1:])]
    status = int(came[9:12].strip() or b"200")
    answer = httpcore.Response(status, headers=headers, extensions={"network_stream": stream})
    return misframing(answer, method, watch), stream.closed


OK = b"HTTP/1.1 200 OK\r\n"
LENGTH, CHUNKED = b"Content-Length: 2\r\n", b"Transfer-Encoding: chunked\r\n"


@pytest.mark.parametrize(
    "came",
    [
        OK + LENGTH + b"\r\n{}",
        b"HTTP/1.1 200\r\n" + LENGTH + b"\r\n{}",  # many servers leave the blank off, with the phrase
        b"HTTP/1.1 100 Continue\r\n\r\n" + OK + LENGTH + b"\r\n{}",
        OK + b"\r\nas long as it goes",
        OK + CHUNKED + b"\r\n2\r\n{}\r\n0\r\n\r\n",
        OK + CHUNKED + b"\r\n2;a=b\r\n{}\r\n0\r\nX-Sum: 1\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
    ],
)
def test_an_answer_as_the_rfc_has_it_is_framed_well(came: bytes) -> None:
    assert framed(came) == ("", False)


@pytest.mark.parametrize(
    ("came", "said"),
    [
        (b"", "before its request was sent"),
        (OK + LENGTH + CHUNKED + b"\r\n2\r\n{}\r\n0\r\n\r\n", "beside Transfer-Encoding"),
        (OK + b"Content-Length : 2\r\n\r\n{}", "not spelled as RFC 9112 4 and 5"),
        (b"HTTP/1.1 200 OK\n" + LENGTH + b"\r\n{}", "not spelled as RFC 9112 4 and 5"),
        (OK + LENGTH + b"\n\n{}", "not spelled as RFC 9112 4 and 5"),
        (OK + CHUNKED + b"\r\n2\n{}\r\n0\r\n\n", "chunks are not spelled"),
    ],
)
def test_what_is_spelled_otherwise_is_said(came: bytes, said: str) -> None:
    assert said in framed(came)[0]


@pytest.mark.parametrize(
    ("came", "method", "extra"),
    [
        (OK + LENGTH + b"\r\n{}more", b"POST", 4),
        (OK + CHUNKED + b"\r\n2\r\n{}\r\n0\r\n\r\nx", b"POST", 1),
        (OK + LENGTH + b"\r\n{}", b"HEAD", 2),
        (b"HTTP/1.1 304 Not Modified\r\n\r\nabc", b"GET", 3),
    ],
)
def test_bytes_behind_the_end_are_counted_and_the_connection_is_not_used_again(
    came: bytes, method: bytes, extra: int
) -> None:
    assert framed(came, method) == (f"{extra} or more bytes follow the end of the answer", True)


def test_of_what_is_not_kept_nothing_is_said() -> None:
    assert framed(OK + b"X: " + b"a" * 100, more=1) == ("", False)
    assert framed(OK + CHUNKED + b"\r\n2\r\n{}\r\n", more=1) == ("", False)

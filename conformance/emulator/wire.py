"""Treatments of an answer's bytes on the connection, for what no ASGI application can say.

An answer names its treatment in `Answer.wire`. The name travels in a header that is taken out here. In the other
direction, an application is told what it cannot see of a request (`messages.Arrival`).
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from conformance.emulator.app import RECEIVED

# How much of a request is kept as it came, in bytes.
_KEPT = 64 * 1024
_MARK = re.compile(rb"emulator-wire: ([a-z0-9-]+);([0-9]+)\r\n", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Written:
    """The bytes that are sent instead of an answer, and whether the connection ends after them."""

    data: bytes
    close: bool = False
    abort: bool = False


Treatment = Callable[[bytes, bytes], Written]


def _length(head: bytes, change: Callable[[int], int]) -> bytes:
    def changed(match: re.Match[bytes]) -> bytes:
        return b"%s%d" % (match[1], change(int(match[2])))

    return re.sub(rb"(content-length: )([0-9]+)", changed, head, flags=re.IGNORECASE)


def _chunk(body: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(body), body)


def _as_chunked(head: bytes) -> bytes:
    return re.sub(rb"content-length: [0-9]+", b"transfer-encoding: chunked", head, flags=re.IGNORECASE)


def _in_chunks(
    head: bytes, body: bytes, *, size: int = 65536, form: bytes = b"%x", trailers: bytes = b""
) -> Written:
    """Write a body in chunks; `form` is the format of their sizes, with what follows them."""
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    chunks = b"".join(form % len(part) + b"\r\n" + part + b"\r\n" for part in parts)
    return Written(_as_chunked(head) + chunks + b"0\r\n" + trailers + b"\r\n" if body else head)


def _until_closed(head: bytes, body: bytes) -> Written:
    """Write a body that ends with its connection (RFC 9112 6.3, the last case)."""
    closing = re.sub(rb"content-length: [0-9]+", b"Connection: close", head, flags=re.IGNORECASE)
    return Written(closing + body, close=True)


def _fields(head: bytes, change: Callable[[bytes, bytes], bytes]) -> bytes:
    """Write every field line anew, from its name and value."""
    return re.sub(rb"(?m)^([^:\r\n ]+): ([^\r\n]*)", lambda match: change(match[1], match[2]), head)


def _odd_case(name: bytes, value: bytes) -> bytes:
    letters = name.decode().lower()
    odd = "".join(letter.upper() if at % 2 else letter for at, letter in enumerate(letters))
    return odd.encode() + b": " + value


# By name: a treatment takes the head, with its empty line, and the body; it returns the bytes to write.
TREATMENTS: Mapping[str, Treatment] = {
    "drop": lambda head, body: Written(b"", abort=True),
    "drop-half-way": lambda head, body: Written(head + body[: len(body) // 2], close=True),
    "length-too-large": lambda head, body: Written(_length(head, lambda n: n + 7) + body, close=True),
    "length-too-small": lambda head, body: Written(_length(head, lambda n: n - 1) + body),
    "two-lengths": lambda head, body: Written(
        head[:-2] + b"Content-Length: %d\r\n\r\n" % (len(body) + 1) + body, close=True
    ),
    "length-and-chunked": lambda head, body: Written(
        head[:-2] + b"Transfer-Encoding: chunked\r\n\r\n" + body
    ),
    "no-last-chunk": lambda head, body: Written(_as_chunked(head) + _chunk(body), close=True),
    "decimal-chunk-size": lambda head, body: Written(
        _as_chunked(head) + b"%d\r\n%s\r\n0\r\n\r\n" % (len(body), body), close=True
    ),
    "blank-before-colon": lambda head, body: Written(
        re.sub(rb"content-type:", b"Content-Type :", head, flags=re.IGNORECASE) + body
    ),
    "extra-bytes": lambda head, body: Written(head + body + b"\n\n"),
    "body-on-head": lambda head, body: Written(head + b'{"code":20500}'),
    "upper-case": lambda head, body: Written(
        re.sub(rb"(?m)^[^:\r\n]+(?=:)", lambda match: match[0].upper(), head) + body
    ),
    "http-1-0": lambda head, body: Written(head.replace(b"HTTP/1.1", b"HTTP/1.0", 1) + body, close=True),
    "no-reason": lambda head, body: Written(re.sub(rb"\A(HTTP/1\.1 [0-9]{3} )[^\r]*", rb"\1", head) + body),
    "chunked": lambda head, body: Written(_as_chunked(head) + _chunk(body) + b"0\r\n\r\n"),
    "close-after": lambda head, body: Written(head + body, close=True),
    "chunked-with-trailers": lambda head, body: _in_chunks(
        head, body, trailers=b"Server-Timing: db;dur=1\r\n"
    ),
    "chunked-in-bytes": lambda head, body: _in_chunks(head, body, size=1),
    "chunked-with-extensions": lambda head, body: _in_chunks(head, body, size=100, form=b'%x;a="1;2";b'),
    "chunked-in-odd-sizes": lambda head, body: _in_chunks(head, body, size=171, form=b"%08X"),
    "until-closed": _until_closed,
    "http-1-0-until-closed": lambda head, body: replace(
        _until_closed(head, body), data=_until_closed(head, body).data.replace(b"HTTP/1.1", b"HTTP/1.0", 1)
    ),
    "odd-case": lambda head, body: Written(_fields(head, _odd_case) + body),
    "no-blanks": lambda head, body: Written(_fields(head, lambda name, value: name + b":" + value) + body),
    "more-blanks": lambda head, body: Written(
        _fields(head, lambda name, value: name + b": \t " + value + b" \t") + body
    ),
    "odd-reason": lambda head, body: Written(
        re.sub(rb"\A(HTTP/1\.1 [0-9]{3} )[^\r]*", b"\\1Alles prima: sch\xf6n! \t(0)", head) + body
    ),
    "early-hints": lambda head, body: Written(
        b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n" + head + body
    ),
    "no-length": lambda head, body: Written(
        re.sub(rb"content-length: [0-9]+\r\n", b"", head, flags=re.IGNORECASE) + body
    ),
    "chunked-head": lambda head, body: Written(_as_chunked(head) + body),
}


class PatientProtocol(H11Protocol):
    """uvicorn's protocol, on a connection that is closed when a request that it waits for does not come whole.

    uvicorn itself closes connections that are idle after an answer, and no others. The time is the same.
    """

    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's own
        """Wait for the first request."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Wait for the rest of the request, if this is not all of it."""
        if self._waiting is None:
            self._wait()
        super().data_received(data)
        if self.conn.their_state not in (h11.IDLE, h11.SEND_BODY):
            self._stop_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._waiting = self.loop.call_later(self.timeout_keep_alive, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None


class TreatingProtocol(PatientProtocol):
    """uvicorn's protocol, on a connection that alters answers, and that tells how a request came."""

    _fresh = False
    """Whether something was received since the last request was handed on."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's own
        """Wrap the connection."""
        super().connection_made(cast("asyncio.Transport", _TreatingTransport(transport)))
        self._received = bytearray()
        self._segments = 0
        inner = self.app

        async def told(scope: Any, receive: Any, send: Any) -> None:
            scope[RECEIVED] = (not self._fresh, lambda: bytes(self._received), lambda: self._segments)
            self._fresh = False
            await inner(scope, receive, send)

        self.app = told

    def data_received(self, data: bytes) -> None:
        """Take note of what comes."""
        self._fresh = True
        self._segments += 1
        self._received += data[: _KEPT - len(self._received)]
        super().data_received(data)

    def on_response_complete(self) -> None:
        """Begin anew."""
        self._received.clear()
        self._segments = 0
        super().on_response_complete()


class _TreatingTransport:
    """Holds an answer back until it is whole, where it names a treatment; passes all other bytes on."""

    def __init__(self, inner: asyncio.Transport) -> None:
        self._inner = inner
        self._held = b""
        self._treatment: Treatment | None = None
        self._expected = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def write(self, data: bytes) -> None:
        """Write the bytes, or hold them back."""
        if self._treatment is None:
            mark = _MARK.search(data)
            if mark is None:
                self._inner.write(data)
                return
            self._treatment = TREATMENTS[mark[1].decode()]
            data = data[: mark.start()] + data[mark.end() :]
            self._expected = len(data) + int(mark[2])
        self._held += data
        if len(self._held) >= self._expected:
            self._write_treated()

    def _write_treated(self) -> None:
        head, gap, body = self._held.partition(b"\r\n\r\n")
        treatment, self._treatment, self._held = self._treatment, None, b""
        if treatment is None:
            return
        written = treatment(head + gap, body)
        self._inner.write(written.data)
        if written.abort:
            self._inner.abort()
        elif written.close:
            self._inner.close()

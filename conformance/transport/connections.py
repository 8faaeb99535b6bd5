"""Connections that can be watched: whether one was reused, how much came, and when it has taken too long."""

import contextlib
import ipaddress
import re
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import urlsplit

import httpcore

from conformance.http import Failure, FailureKind, Response

FAILURES = (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, httpcore.ProxyError)
"""What the engine raises for what a target does."""

_QUICK_ACK: int | None = getattr(socket, "TCP_QUICKACK", None)

_WIRE_FACTOR = 4
"""Bytes read for one answer, framing and interim responses included: at most this times the body cap."""

_PIECE = 1 << 16
"""Bytes that are written at a time."""

_SAID = 300
"""Characters of an error's message that are told."""

_MEMBERS = 16
"""Members of a gzip file that are decoded at most; those who compress an answer write one."""

_BEGINNING = 1 << 16
"""Bytes of an answer that are kept as they came, at least, for a look at its framing."""

_HEADS = re.compile(
    rb"(HTTP/1\.[01] [0-9]{3}( [\t -~\x80-\xff]*)?\r\n([!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t -~\x80-\xff]*\r\n)*\r\n)+"
)
"""Interim responses and the head of the final one (RFC 9112 4 and 5), the blank of an absent reason left off too."""


class _TLSError(httpcore.ConnectError):
    """The TLS handshake failed."""


class _TooLarge(httpcore.ReadError):
    """More bytes came for one answer than are read at most."""


class Watch(threading.local):
    """What is seen on the wire of the exchange that the current thread has in hand."""

    def __init__(self, timeout: float, max_body: int) -> None:
        self._timeout = timeout
        self._size = _WIRE_FACTOR * max_body
        self.begin()

    def begin(self) -> None:
        """Start the clock of a new exchange."""
        self._deadline = time.perf_counter() + self._timeout
        self.connected = False
        """Whether the exchange opened its connection, and did not reuse one."""
        self.received = 0
        self.beginning = b""
        """The first of the bytes that came; most answers are all there."""
        self.ended = False

    def limit(self) -> float:
        """The seconds that the next step may take, so that many small steps do not add up to for ever."""
        left = self._deadline - time.perf_counter()
        if left <= 0:
            raise httpcore.ReadTimeout
        return left

    def saw(self, data: bytes) -> None:
        """Take note of what a read returned."""
        if len(self.beginning) < _BEGINNING:
            self.beginning += data
        self.received += len(data)
        self.ended = not data
        if self.received > self._size:
            raise _TooLarge

    def failure(self, error: Exception) -> Failure:
        """Name what happened; the kinds are told by what was seen on the wire, not by a message."""
        head = self.beginning[:40]
        if head and not (head.startswith(b"HTTP/") or b"HTTP/".startswith(head)):
            return Failure(FailureKind.FRAMING, f"not HTTP: the answer begins with {head!r}")
        if isinstance(error, _TLSError):
            return Failure(FailureKind.TLS, str(error))
        if isinstance(error, httpcore.ConnectTimeout):
            return Failure(FailureKind.CONNECT, f"no connection within {self._timeout:g} s")
        if isinstance(error, httpcore.ConnectError | httpcore.ProxyError):
            return Failure(FailureKind.CONNECT, str(error))
        if isinstance(error, httpcore.TimeoutException):
            what = "no whole answer" if self.received else "no answer"
            detail = f"{what} within {self._timeout:g} s; {self.received} bytes came"
            return Failure(FailureKind.TIMEOUT, detail, partial=self.received > 0)
        # h11 gives up on a header section, or a line, that outgrows its buffer.
        if isinstance(error, _TooLarge) or "buffer too long" in str(error):
            detail = f"no end of the answer after {self.received} bytes"
            return Failure(FailureKind.TOO_LARGE, detail, partial=True)
        if isinstance(error, httpcore.NetworkError) or self.ended:
            detail = f"closed after {self.received} bytes of an answer"
            return Failure(FailureKind.DISCONNECT, detail, partial=self.received > 0)
        if not self.received:
            return Failure(FailureKind.FRAMING, f"bytes after the end of the previous answer: {_said(error)}")
        return Failure(FailureKind.FRAMING, _said(error))


def _said(error: Exception) -> str:
    """The message of an error, which may repeat a line of the target's, however long."""
    return str(error)[:_SAID]


class Network(httpcore.NetworkBackend):
    """
    Opens connections that report to a watch and keep to its deadline, to one peer and to no other.

    Args:
        timeout: Seconds for one exchange.
        max_body: Bytes of a body that are read at most.
        peer: Host and port; whoever asks for another, a library included, is refused.
        addresses: Which were checked to be what the host stands for, and are not looked up again, since a name can
            stand for others a moment later; None where nothing depends on it.
    """

    def __init__(
        self, timeout: float, max_body: int, peer: tuple[str, int], addresses: Sequence[str] | None = None
    ) -> None:
        self.watch = Watch(timeout, max_body)
        self._peer = peer
        self._addresses = (peer[0],) if addresses is None else tuple(addresses)
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        self.watch.connected = True
        if (host, port) != self._peer:
            raise httpcore.LocalProtocolError(f"{host}:{port} is not the target")
        failed: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in self._addresses:
            limit = self.watch.limit()
            try:
                opened = self._inner.connect_tcp(address, port, limit, local_address, socket_options)
                return _Stream(opened, self.watch)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
        raise failed


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream, watch: Watch) -> None:
        self._inner = inner
        self._watch = watch
        self._socket: socket.socket = inner.get_extra_info("socket")
        self._held = b""

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        # As httpcore has it for its own writes: who closed early may have said why.
        with contextlib.suppress(httpcore.WriteError):
            self._flush()
        # Many small servers write head and body apart and wait for the first to be acknowledged, which Linux
        # puts off for 40 ms; the option has to be set again for each read (tcp(7)).
        if _QUICK_ACK is not None:
            self._socket.setsockopt(socket.IPPROTO_TCP, _QUICK_ACK, 1)
        data = self._inner.read(max_bytes, self._watch.limit())
        self._watch.saw(data)
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        # Head and body leave together when the answer is asked for, as from most clients: a write of each is what
        # costs most of a request.
        self._held += buffer
        if len(self._held) >= _PIECE:
            self._flush()

    def _flush(self) -> None:
        held, self._held = self._held, b""
        # Piece by piece, so that a peer that reads slowly meets the deadline too.
        for start in range(0, len(held), _PIECE):
            self._inner.write(held[start : start + _PIECE], self._watch.limit())

    def close(self) -> None:
        self._inner.close()

    def get_extra_info(self, info: str) -> object:
        return self._inner.get_extra_info(info)

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        try:
            inner = self._inner.start_tls(ssl_context, server_hostname, self._watch.limit())
        except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
            raise _TLSError(str(error) or "the handshake timed out") from error
        # What a proxy has answered to CONNECT is no part of the target's answer.
        self._watch.received, self._watch.beginning = 0, b""
        return _Stream(inner, self._watch)


def receive(answer: httpcore.Response, cap: int) -> Response:
    """Read a body, up to a number of bytes; what cannot be decoded to its end stays as it came."""
    chunks = []
    size = 0
    assert isinstance(answer.stream, Iterable)  # as every response of a synchronous pool is
    for chunk in answer.stream:
        chunks.append(chunk)
        size += len(chunk)
        if size > cap:
            break
    body = b"".join(chunks)[:cap]
    truncated = size > cap
    headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.headers)
    coding = ", ".join(value.strip() for name, value in headers if name.lower() == "content-encoding").lower()
    undecoded = coding not in ("", "identity")
    if coding in ("gzip", "x-gzip") and not truncated and (plain := _gunzip(body, cap + 1)) is not None:
        truncated, undecoded = len(plain) > cap, False
        body = plain[:cap]
    return Response(
        status=answer.status,
        headers=headers,
        body=body,
        http_version=answer.extensions["http_version"].decode("ascii"),
        truncated=truncated,
        undecoded=undecoded,
    )


def _gunzip(data: bytes, limit: int) -> bytes | None:
    """The content, up to a number of bytes; None when the data are not gzip to their end (RFC 1952)."""
    plain, rest = b"", data
    for _ in range(_MEMBERS):
        decoder = zlib.decompressobj(zlib.MAX_WBITS | 16)
        try:
            plain += decoder.decompress(rest, limit - len(plain))
        except zlib.error:
            return None
        if len(plain) == limit:
            return plain
        if not decoder.eof:
            return None
        rest = decoder.unused_data
        if not rest:
            return plain
    return None


def misframing(answer: httpcore.Response, method: bytes, watch: Watch) -> str:
    """What is wrong with where a response that could be read begins and ends; empty when nothing is."""
    headers = {name.lower(): value for name, value in answer.headers}
    if not watch.received:
        return "the answer came before its request was sent, after the end of the previous one"
    if b"transfer-encoding" in headers and b"content-length" in headers:
        return "Content-Length beside Transfer-Encoding (RFC 9112 6.2)"
    end = _end_of_head(watch.beginning)
    if end == 0 and watch.received > len(watch.beginning):
        return ""  # interim responses, or a header section, beyond what is looked at
    if not _HEADS.fullmatch(watch.beginning, 0, end):
        return "a status or header line is not spelled as RFC 9112 4 and 5 have it"
    try:
        extra = _surplus(answer, method, headers, watch, end)
    except ValueError:
        return "the chunks are not spelled as RFC 9112 7.1 has it"
    if extra > 0:
        # What follows would be taken for the next answer.
        answer.extensions["network_stream"].close()
        return f"{extra} or more bytes follow the end of the answer"
    return ""


def _end_of_head(data: bytes) -> int:
    """Where the header section of the final response ends, after those of interim ones; 0 when it is not there."""
    end = 0
    while True:
        interim = data[end + 9 : end + 10] == b"1"
        end = data.find(b"\r\n\r\n", end) + 4
        if end < 4:
            return 0
        if not interim:
            return end


def _surplus(
    answer: httpcore.Response, method: bytes, headers: Mapping[bytes, bytes], watch: Watch, end: int
) -> int:
    """The bytes seen after the end of a response (RFC 9112 6.3), as far as where it is can be told."""
    if method == b"HEAD" or answer.status in (204, 304):
        return watch.received - end or _waiting(
            # The body that must not be there may come a little later; HEAD is rare enough to wait for it.
            answer.extensions["network_stream"].get_extra_info("socket"),
            0.1 if method == b"HEAD" else 0.0,
        )
    if b"content-length" in headers:
        return watch.received - end - int(headers[b"content-length"])
    if b"transfer-encoding" in headers and watch.received == len(watch.beginning):
        return watch.received - _end_of_chunks(watch.beginning, end)
    return 0


def _end_of_chunks(data: bytes, position: int) -> int:
    """
    Where a chunked body ends that was read to its end (RFC 9112 7.1).

    Raises:
        ValueError: a recipient has to be lenient to find it.
    """
    while True:
        start = data.index(b"\n", position) + 1
        size = int(data[position:start].partition(b";")[0], 16)
        if size == 0:
            # The line of the last chunk counts: without trailers the empty line follows it at once.
            return data.index(b"\r\n\r\n", start - 2) + 4
        position = start + size + 2


def _waiting(connection: socket.socket, timeout: float) -> int:
    """How many bytes can be read within so many seconds, at most 1."""
    if isinstance(connection, ssl.SSLSocket):  # which cannot be read without taking
        return 0
    try:
        connection.settimeout(timeout)
        return len(connection.recv(1, socket.MSG_PEEK))
    except OSError:  # nothing came in time, or the connection was closed with the answer
        return 0


def addresses_of(url: str) -> tuple[str, ...]:
    """The addresses that the host of a URL stands for, as far as can be told from here."""
    try:
        found = socket.getaddrinfo(urlsplit(url).hostname, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):  # UnicodeError: a label of more than 63 characters
        return ()
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


def are_loopback(addresses: Sequence[str]) -> bool:
    """Whether there are addresses, and all are loopback ones."""
    return bool(addresses) and all(_plain(address).is_loopback for address in addresses)


def are_private(addresses: Sequence[str]) -> bool:
    """Whether there are addresses, and all are loopback or private ones (RFC 1918, 4193)."""
    plain = [_plain(address) for address in addresses]
    return bool(plain) and all(address.is_loopback or address.is_private for address in plain)


def is_loopback(url: str) -> bool:
    """Whether every address that the host of a URL stands for is a loopback one."""
    return are_loopback(addresses_of(url))


def _plain(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    found = ipaddress.ip_address(address)
    # An IPv4 address within IPv6 is as private as itself.
    return getattr(found, "ipv4_mapped", None) or found

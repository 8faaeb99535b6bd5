"""
Connections to a target: opening them, watching what comes over them, and reading responses.

A watch sees whether an exchange reused its connection, how many bytes came, and when the exchange takes too long.
"""

import contextlib
import errno
import ipaddress
import re
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Sequence
from itertools import count
from urllib.parse import urlsplit

import h11
import httpcore

from conformance.http import ByHand, Failure, FailureKind, Response, segments_of
from conformance.model import shortened

FAILURES = (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, httpcore.ProxyError)
"""The exceptions that httpcore raises for faults of the target, and not for those of the caller."""

_QUICK_ACK: int | None = getattr(socket, "TCP_QUICKACK", None)
"""An option of Linux's sockets; None elsewhere."""

_WIRE_FACTOR = 4
"""The greatest number of bytes read for one answer, with framing and interim responses, in multiples of `max_body`."""

_PIECE = 1 << 16
"""The greatest number of bytes that one write sends."""

_APART = 0.02
"""Seconds between the segments of a request that comes in several."""

_MESSAGE = 300
"""The greatest number of characters of an error's message that a failure repeats."""

_MEMBERS = 16
"""The greatest number of members of a gzip file that are decoded; servers that compress an answer write one."""

_BEGINNING = 1 << 16
"""The number of bytes from the beginning of an answer that are kept, to check how it is framed."""


_CONTINUE = re.compile(rb"\AHTTP/1\.1 100[^\r\n]*\r\n([^\r\n]+\r\n)*\r\n")


class _TLSError(httpcore.ConnectError):
    """The TLS handshake failed."""


class _TooLarge(httpcore.ReadError):
    """More bytes came for one answer than may be read."""


class Watch(threading.local):
    """The deadline of the current thread's exchange, and the bytes that came in it."""

    def __init__(self, timeout: float, max_body: int) -> None:
        self._max_body = max_body
        self.begin(timeout)

    def begin(
        self,
        timeout: float,
        rewrite: Callable[[bytes], bytes] = lambda plain: plain,
        way: ByHand | None = None,
    ) -> None:
        """
        Begin a new exchange, which may take so many seconds: forget the last one, and set the deadline.

        `rewrite` turns the bytes that a library writes into the bytes to send. `way` is the way of writing by hand;
        where it is `PIPELINED`, `rewrite` puts a GET before the request, and the answer to that comes first.
        """
        self._timeout = timeout
        self._deadline = time.perf_counter() + timeout
        self.rewrite = rewrite
        self.segmented = way is ByHand.SEGMENTS
        """Whether the network brings the request in pieces."""
        self.ahead = Ahead(self._max_body) if way is ByHand.PIPELINED else None
        """The answer that comes first; None where none does."""
        self.connected = False
        """Whether the exchange opened a connection and reused none."""
        self.connection, self.place = 0, 0
        """The number of the connection that was used, counted from 1, and how many requests it had; 0 without one."""
        self._forget()

    def _forget(self) -> None:
        self.received = 0
        """The number of bytes that came."""
        self.beginning = b""
        """The first `_BEGINNING` bytes that came, or a few more; most answers are no longer."""
        self.ended = False
        """Whether the peer has closed the connection."""

    def limit(self) -> float:
        """
        Return the seconds left until the deadline, so that many small steps together keep to it.

        Raises:
            httpcore.ReadTimeout: The deadline has passed.
        """
        left = self._deadline - time.perf_counter()
        if left <= 0:
            raise httpcore.ReadTimeout
        return left

    def taken(self) -> float:
        """Return the seconds since the exchange began."""
        return time.perf_counter() - self._deadline + self._timeout

    def saw(self, data: bytes) -> None:
        """
        Record the bytes that a read returned; no bytes mean that the peer has closed the connection.

        Raises:
            httpcore.ReadError: More bytes came for this answer than may be read.
        """
        if len(self.beginning) < _BEGINNING:
            self.beginning += data
        self.received += len(data)
        self.ended = not data
        if self.received > _WIRE_FACTOR * self._max_body:
            raise _TooLarge

    def saw_ahead(self, data: bytes) -> bytes:
        """
        Record bytes of the answer that comes first; return those that follow its end.

        Raises:
            httpcore.RemoteProtocolError: It is no HTTP.
        """
        assert self.ahead is not None
        rest = self.ahead.rest(data)
        if self.ahead.response is not None:
            ended = self.ended or not self.ahead.stays_open
            self._forget()
            self.saw(rest)
            self.ended = ended and not rest
        return rest

    @property
    def _has_begun(self) -> bool:
        """Whether a part of an answer came; a 100 Continue does not count, since servers write that by themselves."""
        return bool(_CONTINUE.sub(b"", self.beginning, count=1))

    def failure(self, error: Exception) -> Failure:
        """Return the failure that an error stands for. Its kind follows from the bytes seen, not from a message."""
        head = self.beginning[:40]
        if head and not (head.startswith(b"HTTP/") or b"HTTP/".startswith(head)):
            tls = "; the port seems to serve TLS: write https://" if head.startswith(b"\x15\x03") else ""
            return Failure(FailureKind.FRAMING, f"not HTTP: the answer begins with {head!r}{tls}")
        if isinstance(error, _TLSError):
            return Failure(FailureKind.TLS, f"{error}{_advice(str(error))}")
        if isinstance(error, httpcore.ConnectTimeout):
            return Failure(FailureKind.CONNECT, f"no connection within {self._timeout:g} s")
        if isinstance(error, httpcore.ConnectError | httpcore.ProxyError) or _is_of_the_network(error):
            return Failure(FailureKind.CONNECT, str(error))
        if isinstance(error, httpcore.TimeoutException):
            what = "no whole answer" if self._has_begun else "no answer"
            detail = f"{what} within {self._timeout:g} s; {self.received} bytes came"
            return Failure(FailureKind.TIMEOUT, detail, partial=self._has_begun)
        # h11 gives up on a header section, or a line, that outgrows its buffer.
        if isinstance(error, _TooLarge) or "buffer too long" in str(error):
            detail = f"no end of the answer after {self.received} bytes"
            return Failure(FailureKind.TOO_LARGE, detail, partial=True)
        if isinstance(error, httpcore.NetworkError) or self.ended:
            detail = f"closed after {self.received} bytes of an answer"
            return Failure(FailureKind.DISCONNECT, detail, partial=self._has_begun)
        if not self.received:
            return Failure(
                FailureKind.FRAMING, f"bytes after the end of the previous answer: {_message(error)}"
            )
        return Failure(FailureKind.FRAMING, _message(error))


_NETWORK = frozenset(
    (errno.ENETDOWN, errno.ENETUNREACH, errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ETIMEDOUT)
)
"""Errors of the network on an open connection, which the peer did not close."""


def _is_of_the_network(error: Exception) -> bool:
    cause = error.__cause__ or error.__context__
    return isinstance(error, httpcore.NetworkError) and isinstance(cause, OSError) and cause.errno in _NETWORK


_ADVICE = (
    ("MISMATCH", "the certificate is for another name: use that name in the target's URL"),
    ("CERTIFICATE_VERIFY_FAILED", "to trust the certificate, name it or its issuer's with --ca-file"),
    ("WRONG_VERSION_NUMBER", "the port seems to serve plain HTTP: write http://"),
    ("RECORD LAYER FAILURE", "the port seems to serve plain HTTP: write http://"),
    ("TIMED OUT", "if the port serves plain HTTP, write http://"),
    ("EOF", "if the port serves plain HTTP, write http://"),
)
"""By a part of OpenSSL's message about a handshake, what the user may do."""


def _advice(message: str) -> str:
    """Return what to do about a TLS handshake that failed; empty where nothing is known."""
    said = message.upper().replace("_", " ")
    return next((f"; {advice}" for part, advice in _ADVICE if part.replace("_", " ") in said), "")


def _message(error: Exception) -> str:
    """Return the message of an error, shortened: it may repeat a line of the target's, however long."""
    return shortened(str(error), _MESSAGE)


class Ahead:
    """The answer to a GET that was written before a request, on the same connection."""

    def __init__(self, cap: int) -> None:
        self._parser = h11.Connection(h11.CLIENT)
        for event in (h11.Request(method="GET", target="/", headers=[("Host", "")]), h11.EndOfMessage()):
            self._parser.send(event)
        self._cap = cap
        self._body: list[bytes] = []
        self.response: Response | None = None
        """The answer; None until all of it came."""

    @property
    def stays_open(self) -> bool:
        """Whether the answer leaves the connection open."""
        return self._parser.their_state is h11.DONE

    def rest(self, data: bytes) -> bytes:
        """Take the next bytes, none where the peer has closed; see `Watch.saw_ahead`."""
        try:
            self._parser.receive_data(data)
            while (event := self._parser.next_event()) is not h11.NEED_DATA:
                if isinstance(event, h11.Response):
                    self._head = event
                elif isinstance(event, h11.Data):
                    self._body.append(bytes(event.data))
                elif isinstance(event, h11.EndOfMessage):
                    head, version = self._head, f"HTTP/{self._head.http_version.decode()}"
                    self.response = decoded(
                        head.status_code, head.headers.raw_items(), self._body, version, self._cap
                    )
                    return self._parser.trailing_data[0]
        except h11.RemoteProtocolError as error:
            raise httpcore.RemoteProtocolError(str(error)) from error
        return b""


class Network(httpcore.NetworkBackend):
    """
    Opens connections to one peer, a host and port, and to no other, even when a library asks for it.

    They report to a watch and keep to its deadline. With `addresses` the name of the host is not looked up again,
    because it could stand for other addresses than those that were checked.
    """

    def __init__(
        self, timeout: float, max_body: int, peer: tuple[str, int], addresses: Sequence[str] | None = None
    ) -> None:
        self.watch = Watch(timeout, max_body)
        self._peer = peer
        self._addresses = (peer[0],) if addresses is None else tuple(addresses)
        self._inner = httpcore.SyncBackend()
        self._numbers = count(1)

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
                return _Stream(opened, self.watch, next(self._numbers))
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
        raise failed


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream, watch: Watch, number: int) -> None:
        self._number = number
        self._requests = 0
        self._inner = inner
        self._watch = watch
        self._socket: socket.socket = inner.get_extra_info("socket")
        self._held = b""

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        # A peer that closed early may have sent the reason, so the answer is read all the same, as httpcore does.
        with contextlib.suppress(httpcore.WriteError):
            self._flush()
        data = self._received(max_bytes)
        while (ahead := self._watch.ahead) is not None and ahead.response is None:
            data = self._watch.saw_ahead(data)
            if not data and not self._watch.ended:  # else the first answer has closed the connection
                data = self._received(max_bytes)
        return data

    def _received(self, max_bytes: int) -> bytes:
        # Many small servers write the head, and then wait for its acknowledgement before they write the body. Linux
        # delays acknowledgements by 40 ms unless this option is set, again before each read (tcp(7)).
        if _QUICK_ACK is not None:
            self._socket.setsockopt(socket.IPPROTO_TCP, _QUICK_ACK, 1)
        data = self._inner.read(max_bytes, self._watch.limit())
        self._watch.saw(data)
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        # Head and body are sent together, just before the answer is read, as most clients do: the writes are the most
        # costly part of a request.
        self._held += buffer
        if len(self._held) >= _PIECE:
            self._flush()

    def _flush(self) -> None:
        if self._held and not self._watch.connection:
            self._requests += 1
            self._watch.connection, self._watch.place = self._number, self._requests
        held, self._held = self._watch.rewrite(self._held) if self._held else b"", b""
        for number, segment in enumerate(segments_of(held) if self._watch.segmented else (held,)):
            if number:
                time.sleep(_APART)  # else the network joins them
            # In pieces, so that the deadline is checked between them where the peer reads slowly.
            for start in range(0, len(segment), _PIECE):
                self._inner.write(segment[start : start + _PIECE], self._watch.limit())

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
        # The proxy's answer to CONNECT is not part of the target's answer.
        self._watch.received, self._watch.beginning, self._watch.connection = 0, b"", 0
        return _Stream(inner, self._watch, self._number)


def receive(answer: httpcore.Response, cap: int) -> Response:
    """
    Read and decode the body of an answer, of which the head was read.

    A body that cannot be decoded to its end stays encoded, and the response is marked `undecoded`. A body of more than
    `cap` bytes, before or after decoding, is cut there, and the response is marked `truncated`.
    """
    assert isinstance(answer.stream, Iterable)  # as every response of a synchronous pool is
    version = answer.extensions["http_version"].decode("ascii")
    return decoded(answer.status, answer.headers, answer.stream, version, cap)


def decoded(
    status: int, fields: Iterable[tuple[bytes, bytes]], body_chunks: Iterable[bytes], version: str, cap: int
) -> Response:
    """Return a response with its body decoded; see `receive`."""
    chunks = []
    size = 0
    for chunk in body_chunks:
        chunks.append(chunk)
        size += len(chunk)
        if size > cap:
            break
    body = b"".join(chunks)[:cap]
    truncated = size > cap
    headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in fields)
    coding = ", ".join(value.strip() for name, value in headers if name.lower() == "content-encoding").lower()
    undecoded = coding not in ("", "identity")
    if coding in ("gzip", "x-gzip") and not truncated and (plain := _gunzip(body, cap + 1)) is not None:
        truncated, undecoded = len(plain) > cap, False
        body = plain[:cap]
    return Response(
        status=status,
        headers=headers,
        body=body,
        http_version=version,
        truncated=truncated,
        undecoded=undecoded,
    )


def _gunzip(data: bytes, limit: int) -> bytes | None:
    """Return the first `limit` bytes of the content; None where the data are not whole gzip members (RFC 1952)."""
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


def addresses_of(url: str) -> tuple[str, ...]:
    """Return the IP addresses of the host of a URL; none where the name cannot be looked up."""
    host = urlsplit(url).hostname
    if host_of(url) == "localhost":
        host = "localhost"  # not every resolver knows `localhost.`, which is the same (RFC 6761 6.3)
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):  # UnicodeError: a label of more than 63 characters
        return ()
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


def are_loopback(addresses: Sequence[str]) -> bool:
    """Whether there are addresses, and all of them are loopback addresses."""
    return bool(addresses) and all(_plain(address).is_loopback for address in addresses)


_PRIVATE = tuple(
    ipaddress.ip_network(network) for network in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
)
"""The private networks (RFC 1918 3, RFC 4193 3.1). The module `ipaddress` counts link-local and reserved ones too."""


def are_private(addresses: Sequence[str]) -> bool:
    """Whether there are addresses, and all of them are loopback or private ones (RFC 1918, RFC 4193)."""
    plain = [_plain(address) for address in addresses]
    return bool(plain) and all(
        address.is_loopback or any(address in network for network in _PRIVATE) for address in plain
    )


def host_of(url: str) -> str:
    """Return the host of a URL in the one spelling that names are compared in; empty where there is none."""
    host = urlsplit(url).hostname or ""
    with contextlib.suppress(UnicodeError):  # it has no such spelling, and no address
        host = host.encode("idna").decode()
    return host.lower().rstrip(".")


def is_loopback(url: str) -> bool:
    """Whether the host of a URL has addresses, and all of them are loopback addresses."""
    return are_loopback(addresses_of(url))


def _plain(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    found = ipaddress.ip_address(address)
    # An IPv4 address may be written as an IPv6 one (RFC 4291 2.5.5.2), which is private where the IPv4 address is.
    return getattr(found, "ipv4_mapped", None) or found

"""Turns a `Request` into the bytes to send, and into the headers that reports may show."""

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from urllib.parse import urlsplit

import httpcore

from conformance.contract import SUITE, version_of
from conformance.http import (
    BASIC,
    CONTENT_METHODS,
    PATH,
    Auth,
    ByHand,
    Request,
    by_hand,
    chunks_of,
    read_before,
)
from conformance.transport.credentials import Account, authorization

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""The methods that may be sent. TRACE would echo the credentials, and CONNECT is for proxies (RFC 9110 9.3)."""

Headers = tuple[tuple[str, str], ...]
Prepared = tuple[httpcore.Request, Headers]


class Writer:
    """Writes the requests to the target at one base URL, with the credentials of some accounts."""

    def __init__(self, url: str, accounts: Sequence[Account]) -> None:
        parts = urlsplit(url)
        self._accounts = accounts
        self._origin = (parts.scheme.encode(), (parts.hostname or "").encode(), parts.port)
        self._authority = f"{parts.scheme}://{parts.netloc}"
        self._path = (parts.path.rstrip("/") + PATH).encode()
        self._always = (
            ("Host", parts.netloc),
            ("Accept", "*/*"),
            ("Accept-Encoding", "gzip, identity"),
            ("User-Agent", f"{SUITE}/{version_of(SUITE)}"),
        )
        self._common_headers = lru_cache(256)(self._make_common_headers)

    def prepare(self, request: Request) -> Prepared:
        """
        Return the request as httpcore takes it, and its headers as reports may show them.

        Raises:
            ValueError: It may not be sent, because of a method outside `METHODS`, say.
        """
        if request.method not in METHODS:
            raise ValueError(f"{request.method!r} must not be sent; these may: {', '.join(sorted(METHODS))}")
        wire, shown = self._common_headers(request.auth, request.account)
        body = request.body or b""
        own = []
        if request.content_type is not None:
            own.append(("Content-Type", request.content_type))
        if request.chunked:
            own.append(("Transfer-Encoding", "Chunked" if request.by_hand is ByHand.CODING else "chunked"))
        elif request.body is not None or request.method in CONTENT_METHODS:
            own.append(("Content-Length", str(len(body))))
        if request.headers:
            named = {name.lower() for name, _ in request.headers}
            if "host" in named:
                raise ValueError("a Host header of its own could reach another origin")
            wire = tuple(pair for pair in wire if pair[0].decode().lower() not in named)
            shown = tuple(pair for pair in shown if pair[0].lower() not in named)
            own = [pair for pair in own if pair[0].lower() not in named]
            own.extend(request.headers)
        path = self._path + b"?" + request.query.encode() if request.query else self._path
        scheme, host, port = self._origin
        prepared = httpcore.Request(
            request.method,
            httpcore.URL(scheme=scheme, host=host, port=port, target=path),
            headers=[*wire, *((name.encode(), value.encode()) for name, value in own)],
            content=chunks_of(body) if request.chunked else body,
        )
        shown = (*shown, *own)
        if request.by_hand is ByHand.NAMES:
            shown = tuple((name.upper(), value) for name, value in shown)
        return prepared, shown

    def rewrite(self, request: Request) -> Callable[[bytes], bytes]:
        """Return the function that turns the bytes that a library writes for a request into those to send."""
        if request.by_hand is None:
            return lambda plain: plain
        if request.by_hand is not ByHand.PIPELINED:
            return partial(by_hand, way=request.by_hand, origin=self._authority)
        before, _ = self.prepare(read_before(request))
        line = b" ".join((before.method, before.url.target, b"HTTP/1.1"))
        head = b"\r\n".join((line, *(b": ".join(each) for each in before.headers), b"", b""))
        return lambda plain: head + plain

    def lets_in(self, request: Request) -> bool:
        """Whether a request that should carry wrong credentials carries good ones by chance."""
        right = {authorization(BASIC, each, None) for each in self._accounts}
        sent = self._common_headers(request.auth, request.account)[0]
        values = {value for name, value in sent if name == b"Authorization"}
        return any(each is not None and each[0].encode() in values for each in right)

    def _make_common_headers(self, auth: Auth, index: int) -> tuple[tuple[tuple[bytes, bytes], ...], Headers]:
        """Return the headers that one account and template always get, as sent and as reports may show them."""
        accounts = self._accounts
        other = accounts[(index + 1) % len(accounts)] if len(accounts) > 1 else None
        credentials = authorization(auth, accounts[index], other)
        sent, shown = ((("Authorization", each),) for each in credentials) if credentials else ((), ())
        wire = tuple((name.encode(), value.encode()) for name, value in (*self._always, *sent))
        return wire, (*self._always, *shown)

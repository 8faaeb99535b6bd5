"""The bytes of requests, without their credentials, for code that sends what no client library can write."""

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlsplit, urlunsplit

from conformance.http import NO_AUTH, ByHand, Exchange, Request, by_hand, chunks_of, read_before

NOT_BY_CURL = frozenset(
    {
        ByHand.NAMES,
        ByHand.BYTES,
        ByHand.EXTENSIONS,
        ByHand.SIZES,
        ByHand.TRAILERS,
        ByHand.PIPELINED,
        ByHand.SEGMENTS,
    }
)
"""The ways of writing by hand that curl does not have."""

_OF_CLIENT = ("host", "accept", "accept-encoding", "user-agent")


def login_name(request: Request) -> str:
    """Return the name of the Authorization header as the request writes it."""
    return "AUTHORIZATION" if request.by_hand is ByHand.NAMES else "Authorization"


def raw_parts(exchange: Exchange, target: str) -> Iterator[tuple[bytes, bytes, Request]]:
    """
    Yield each part to write: its bytes before and after the Authorization header, and the request with that header.

    Before a pipelined request comes the read that goes with it. One in several segments comes in three.
    """
    request, at = exchange.request, urlsplit(target)
    sent = exchange.sent_headers or (("Host", at.netloc), *request.headers)
    path = urlunsplit(("", "", *at[2:]))
    if request.by_hand is ByHand.PIPELINED:
        usual = [each for each in sent if each[0].lower() in _OF_CLIENT]
        yield (_head(f"GET {urlsplit(path).path}", usual), b"\r\n", read_before(request))
    own = [each for each in sent if each[0].lower() != "authorization"]
    body = request.body or b""
    if request.chunked:
        chunks = (*filter(None, chunks_of(body)), b"")
        body = b"".join(b"%x\r\n%b\r\n" % (len(each), each) for each in chunks)
    plain = _head(f"{request.method} {path}", own) + b"\r\n" + body
    if request.by_hand is not None:
        plain = by_hand(plain, request.by_hand, f"{at.scheme}://{at.netloc}")
    head, end, body = plain.partition(b"\r\n\r\n")
    if request.by_hand is ByHand.SEGMENTS:
        without = replace(request, auth=NO_AUTH)
        yield head + b"\r\n", b"", without
        yield b"", end[2:], request
        yield body, b"", without
    else:
        yield head + b"\r\n", end[2:] + body, request


def _head(line: str, headers: list[tuple[str, str]]) -> bytes:
    lines = [f"{line} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join([*lines, ""]).encode()

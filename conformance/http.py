"""
Requests, responses and exchanges as values, and the codec of forms. Nothing here does I/O.

A request holds a template of its credentials and no secret; the target fills the secret in when it sends the request.
So a `Request` can be printed, stored and compared.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote_to_bytes, urlencode

from conformance.exceptions import NotJSON

PATH = "/v1/Configuration"
FORM_MEDIA_TYPE = "application/x-www-form-urlencoded"

_FORM = re.compile(rf"{FORM_MEDIA_TYPE}(\s*;\s*charset=(\"utf-8\"|utf-8))?", re.IGNORECASE)

Pairs = tuple[tuple[str, str], ...]

ABSENT = frozenset({404, 405, 501})
"""Statuses of a resource that is not implemented (RFC 9110 15.5.5, 15.5.6, 15.6.2)."""

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
"""Methods of the suite that ask for no change (RFC 9110 9.2.1)."""

CONTENT_METHODS = ("POST", "PUT", "PATCH")
"""Methods that anticipate content, so that its absence is said by `Content-Length: 0` (RFC 9110 8.6)."""

TURNED_AWAY = frozenset({401, 403})
"""Statuses that are about who sends a request (RFC 9110 15.5.2 and 15.5.4)."""

NOT_ACCEPTABLE = 406
"""The status that is about the Accept header alone (RFC 9110 15.5.7)."""

OUT = frozenset({502, 503, 504})
"""Statuses of a target that is out of service; a proxy says so of the server behind it (RFC 9110 15.6.3 to 15.6.5)."""


def encode_form(pairs: Sequence[tuple[str, str]]) -> bytes:
    """Serialise pairs as the WHATWG URL standard's application/x-www-form-urlencoded serialiser does."""
    # Python escapes `*` and leaves `~` alone; the standard has it the other way round.
    return urlencode(pairs, safe="*", errors="replace").replace("~", "%7E").encode("ascii")


def decode_form(body: bytes) -> Pairs:
    """
    Parse a form body as the WHATWG URL standard's application/x-www-form-urlencoded parser does.

    It refuses nothing: `+` is a blank, a broken escape stands for itself, and bytes that are not UTF-8 become U+FFFD.
    """
    return (_pairs_again if len(body) <= _SHORT else _pairs_of_long_again)(body)


def _pairs(body: bytes) -> Pairs:
    return tuple(
        (_decode(name), _decode(value))
        for name, _, value in (part.partition(b"=") for part in body.split(b"&") if part)
    )


# Several rooms decode the same body in turn, and a comparison those of a whole script. Some have a megabyte.
_SHORT = 4 * 1024
_pairs_again, _pairs_of_long_again = lru_cache(1_000)(_pairs), lru_cache(4)(_pairs)


def _decode(raw: bytes) -> str:
    return unquote_to_bytes(raw.replace(b"+", b" ")).decode("utf-8", "replace")


PLACEHOLDER = (
    "(?:sid|token)(?:~[0-9]+)?|digits_of_sid|short_sid|other_sid|other_token"
    "|truncated|swapped|reversed|escaped|full_width"
)
"""A pattern of the names of all placeholders in an `Auth` but `basic`."""


@dataclass(frozen=True, slots=True)
class Auth:
    """
    A template of the Authorization header, which the target fills in when it sends the request.

    Args:
        scheme: The authentication scheme. With None here and in `header`, no credentials are sent.
        user: The user name. It may hold the placeholders `{sid}`, `{digits_of_sid}` (what follows its two letters),
            `{short_sid}` (without its last character), `{token}`, `{other_sid}` and `{other_token}`, which are those of
            the next account, and `{sid~7}` and `{token~7}`, in which one character is another: the one at this place,
            counted from 0. Of the token, there are `{truncated}` (without its last character), `{swapped}` (letters in
            the other case), `{reversed}`, `{escaped}` (each character as `%66`), and `{full_width}` (hexadecimal digits
            as full-width characters).
        secret: The password, with the same placeholders.
        header: The whole value of the header, in place of all the above. It may hold `{basic}` too, which stands for
            the base64 of `user:secret`.
    """

    scheme: str | None = "Basic"
    user: str = "{sid}"
    secret: str = "{token}"  # noqa: S105  # a placeholder
    header: str | None = None

    @property
    def valid(self) -> bool:
        """Whether this sends the account's own credentials. The scheme is case-insensitive (RFC 7617 2)."""
        return (
            self.header is None
            and self.scheme is not None
            and self.scheme.lower() == "basic"
            and (self.user, self.secret) == ("{sid}", "{token}")
        )


BASIC = Auth()
NO_AUTH = Auth(scheme=None)


class ByHand(StrEnum):
    """A way to write a request that HTTP allows and hardly any client library offers. The value describes it."""

    VERSION = "HTTP/1.0"
    ABSOLUTE = "target in absolute form"
    ASTERISK = "target *"
    NAMES = "header names in capitals"
    CODING = "transfer coding in capitals"
    BYTES = "a chunk for each byte"
    EXTENSIONS = "chunk extensions"
    SIZES = "chunk sizes in capitals"
    TRAILERS = "trailers"
    PIPELINED = "right behind a read"
    """The request is written together with a GET of its account, before the answer to that."""
    ELSEWHERE = "another path"
    """The request is for a path below that of the resource, where nothing is."""
    SLASH = "a slash behind the path"
    DOUBLED = "a doubled slash in the path"
    DOT = "a dot in the path"
    ESCAPED = "an escaped letter in the path"
    SMALL = "the path in small letters"
    PARAMETER = "a parameter behind the path"
    SUFFIX = "a suffix behind the path"
    SEGMENTS = "in several segments"
    """The network brings the head in two pieces, and the body after them."""


PATHS: Mapping[ByHand, str] = MappingProxyType(
    {
        ByHand.ELSEWHERE: f"{PATH}/none",
        ByHand.SLASH: f"{PATH}/",
        ByHand.DOUBLED: "/v1//Configuration",
        ByHand.DOT: "/v1/./Configuration",
        ByHand.ESCAPED: "/v1/%43onfiguration",
        ByHand.SMALL: PATH.lower(),
        ByHand.PARAMETER: f"{PATH};v=1",
        ByHand.SUFFIX: f"{PATH}.json",
    }
)
"""
By way of writing, the path in place of the resource's.

A target may have nothing at such a path, or another resource, or the same one. All rules hold for the same one.
"""


def with_path(target: str, way: ByHand | None) -> str:
    """Return a target, or a URL, with the path that a way of writing has."""
    base, path, query = target.rpartition(PATH)
    return base + PATHS[way] + query if path and way is not None and way in PATHS else target


def chunks_of(body: bytes) -> tuple[bytes, bytes]:
    """Return the chunks in which a chunked body is sent: its halves."""
    half = len(body) // 2
    return body[:half], body[half:]


def segments_of(written: bytes) -> tuple[bytes, ...]:
    """Return a request in the pieces in which `ByHand.SEGMENTS` sends it."""
    head, end, body = written.partition(b"\r\n\r\n")
    half = len(head) // 2
    return tuple(filter(None, (head[:half], head[half:] + end, body)))


def by_hand(plain: bytes, way: ByHand, origin: str) -> bytes:
    """
    Write a whole request in another way.

    Args:
        plain: The request as libraries write it: chunk sizes in small letters, no trailers.
        way: The way. `ByHand.PIPELINED` and `ByHand.SEGMENTS` change nothing about the bytes of the request.
        origin: Scheme and authority of its URL, such as `http://localhost:4007`.
    """
    line, rest = plain.split(b"\r\n", 1)
    method, target, version = line.split(b" ")
    match way:
        case ByHand.VERSION:
            version = b"HTTP/1.0"
        case ByHand.ABSOLUTE:
            target = origin.encode() + target
        case ByHand.ASTERISK:
            target = b"*"
        case _ if way in PATHS:
            target = with_path(target.decode("latin-1"), way).encode("latin-1")
        case ByHand.NAMES:
            head, end, body = rest.partition(b"\r\n\r\n")
            rest = re.sub(rb"(?m)^[^:\r\n]+(?=:)", lambda name: name[0].upper(), head) + end + body
        case ByHand.CODING:
            rest = re.sub(rb"(?i)\b(transfer-encoding: )chunked\r\n", rb"\1Chunked\r\n", rest, count=1)
        case ByHand.BYTES | ByHand.EXTENSIONS | ByHand.SIZES | ByHand.TRAILERS:
            rest = _in_other_chunks(rest, way)
    return b" ".join((method, target, version)) + b"\r\n" + rest


def _in_other_chunks(rest: bytes, way: ByHand) -> bytes:
    head, end, body = rest.partition(b"\r\n\r\n")
    if not re.search(rb"(?i)^transfer-encoding: chunked", head, re.MULTILINE):
        return rest
    written, rest = head + end, body
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size, 16)
        if way is ByHand.SIZES:
            size = b"00" + size.upper()
        elif way is ByHand.EXTENSIONS and length:
            size += b";conformance=1"
        elif way is ByHand.TRAILERS and not length:
            size += b"\r\nX-Checksum: 1\r\nX-Count: 1"
        if way is ByHand.BYTES and length:
            written += b"".join(b"1\r\n%c\r\n" % byte for byte in rest[:length])
        else:
            written += size + b"\r\n" + rest[: length + 2]
        rest = rest[length + 2 :]
    return written


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request to the resource. Every byte that is sent follows from it, except the secret."""

    method: str = "POST"
    body: bytes | None = None
    content_type: str | None = FORM_MEDIA_TYPE
    headers: tuple[tuple[str, str], ...] = ()
    query: str = ""
    auth: Auth = BASIC
    account: int = 0
    """The account whose credentials are sent: an index into the target's accounts."""
    chunked: bool = False
    by_hand: ByHand | None = None
    """The way in which it is written by hand; None where a library can write it."""
    fresh: bool = False
    """Whether the request opens a connection of its own and reuses none."""
    after: float = 0.0
    """Seconds that must pass before it is sent."""
    intends: Pairs = ()
    """The parameters that a lenient target might read elsewhere in the request than from a form in the body."""

    @property
    def is_elsewhere(self) -> bool:
        """Whether its path is another one than the resource's, or another spelling of that."""
        return self.by_hand in PATHS

    @property
    def takes_json(self) -> bool:
        """Whether it asks for JSON, or says nothing about what it asks for (RFC 9110 12.5.1)."""
        asked = [value for name, value in self.headers if name.lower() == "accept"]
        ranges = {each.partition(";")[0].strip().lower() for value in asked for each in value.split(",")}
        return not asked or not ranges.isdisjoint(("*/*", "application/*", "application/json"))

    def form(self) -> Pairs | None:
        """
        Return the decoded parameters of the body; None where the body is not a form, or is for another path.

        It is a form where its media type says so and names no charset but UTF-8. A body with bytes beyond ASCII is not
        one: serialisers escape such bytes, and parsers differ on them.
        """
        if not self.body:
            return ()
        is_form = not self.is_elsewhere and _FORM.fullmatch(self.content_type or "") and self.body.isascii()
        return decode_form(self.body) if is_form else None


def parameters_of(request: Request) -> Pairs:
    """Return the parameters that a request sends, whether in a form or elsewhere."""
    return (*(request.form() or ()), *request.intends)


def update(*pairs: tuple[str, str], **options: object) -> Request:
    """Return a POST of parameters in their order, in the canonical encoding; `options` are fields of a `Request`."""
    return Request(body=encode_form(pairs), **options)  # type: ignore[arg-type]  # Request checks the names


def as_usual(request: Request) -> Request:
    """Return an update of the same parameters and account, on the same connection, as most clients send it."""
    return update(*(request.form() or ()), account=request.account, fresh=request.fresh)


def is_usual(request: Request) -> bool:
    """Whether a request is an update as most clients send it, on a connection that may be reused."""
    return request == as_usual(request) and not request.fresh


READ = Request(method="GET", content_type=None)
EMPTY = Request(body=b"")


def read_before(request: Request) -> Request:
    """Return the read that is written before a pipelined request, and together with it."""
    return replace(READ, account=request.account)


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """One response as it came. Header values are decoded as ISO 8859-1."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    http_version: str = "HTTP/1.1"
    reason: str = ""
    """The text after the status."""
    truncated: bool = False
    """Whether the body was longer than the target's `max_body` and was cut there."""
    undecoded: bool = False
    """Whether the body is still encoded: the coding was not asked for, or the body is not in the coding it names."""

    def header(self, name: str) -> str | None:
        """Return the first value of a header; None where there is none. The name is given in lower case."""
        return next((value for key, value in self.headers if key.lower() == name), None)


class FailureKind(StrEnum):
    """The reason why a response did not come, or came wrongly framed."""

    CONNECT = "connect"
    TLS = "tls"
    TIMEOUT = "timeout"
    DISCONNECT = "disconnect"
    FRAMING = "framing"
    TOO_LARGE = "too-large"


@dataclass(frozen=True, slots=True)
class Failure:
    """A failure to get a well-framed response."""

    kind: FailureKind
    detail: str
    partial: bool = False
    """Whether a part of a response had come by then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A request with its response or its failure. It has both where bytes followed the end of the response."""

    number: int
    request: Request
    response: Response | None = None
    failure: Failure | None = None
    started: float = 0.0
    """The moment when it was sent: seconds since the run began."""
    elapsed: float = 0.0
    """Seconds from sending the request to the end of the response or the failure."""
    url: str = ""
    sent_headers: tuple[tuple[str, str], ...] = ()
    """The headers of the request as sent, with placeholders such as `{sid}:{token}` in place of credentials."""
    connection: int = 0
    """The number of the connection that it went over, counted from 1 in a run; 0 where there was none."""
    place: int = 0
    """Its place among the requests of that connection, counted from 1."""
    together: bool = False
    """Whether it was sent at the same moment as its neighbours with this mark."""
    traceback: str = ""
    """The traceback of the exception that the application raised; empty where it is a server, or raised none."""

    @property
    def status(self) -> int | None:
        """The status code, or None when there was no response."""
        return self.response.status if self.response is not None else None

    @property
    def is_cut(self) -> bool:
        """Whether the connection was closed before the end of an answer."""
        return self.failure is not None and self.failure.kind is FailureKind.DISCONNECT

    @property
    def is_timeout(self) -> bool:
        """Whether no whole answer came in time."""
        return self.failure is not None and self.failure.kind is FailureKind.TIMEOUT

    @property
    def is_unreached(self) -> bool:
        """Whether no connection to the target could be opened."""
        return self.failure is not None and self.failure.kind in (FailureKind.CONNECT, FailureKind.TLS)

    @property
    def is_lost(self) -> bool:
        """Whether the target may have ended at the request: it was cut, or a proxy says that it is out of service."""
        return self.is_cut or self.status in OUT

    @property
    def failed(self) -> bool:
        """Whether no whole and well-framed answer came, or a server error."""
        return self.failure is not None or (self.status or 0) >= 500

    @property
    def accepted(self) -> bool:
        """Whether the target took the request: any 2xx, though only 200 is right."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def unwritten(self) -> bool:
        """Whether the status, any 4xx, says that the request wrote nothing."""
        return self.status is not None and 400 <= self.status < 500

    @property
    def refused(self) -> bool:
        """Whether the target refused what the request says: a 4xx other than 429, which is about pace (RFC 6585 4)."""
        return self.unwritten and self.status != 429


def json_of(
    response: Response, object_pairs_hook: Callable[[list[tuple[str, Any]]], Any] | None = None
) -> Any:
    """
    Return the body of a response, parsed as JSON; `object_pairs_hook` is that of `json.loads`.

    Raises:
        NotJSON: The body is not a JSON text, or was not read to its end.
    """
    if response.truncated:
        raise NotJSON("the body is longer than the suite reads")
    if response.undecoded:
        coding = response.header("content-encoding")
        raise NotJSON(f"the body cannot be decoded from its Content-Encoding, {coding}")
    if not response.body:
        raise NotJSON("the body is empty")
    try:
        return json.loads(
            response.body.decode("utf-8"),
            parse_int=_integer,
            parse_constant=refuse_constant,
            object_pairs_hook=object_pairs_hook,
        )
    except UnicodeDecodeError as error:
        raise NotJSON(f"the body is not UTF-8: {error.reason} at byte {error.start}") from error
    except RecursionError as error:
        raise NotJSON("the body is nested too deep") from error
    except ValueError as error:
        at_once = isinstance(error, json.JSONDecodeError) and error.pos == 0
        why = "it does not begin with a JSON value" if at_once else error
        raise NotJSON(f"the body is not JSON: {why}") from error


def _integer(digits: str) -> int | float:
    # int() refuses more than 4,300 digits. No attribute is a number, so the value of a long one does not matter.
    return int(digits) if len(digits) <= 400 else float("inf")


def refuse_constant(constant: str) -> object:
    """Refuse `NaN` and the infinities, which Python takes for JSON; for `json.loads`."""
    raise ValueError(f"{constant} is no JSON value")

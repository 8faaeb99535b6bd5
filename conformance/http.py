"""
One exchange over HTTP, and the form codec: values only, no I/O.

A request says *how* it authenticates (a template), never with which secret: the target fills the secret in, so a
`Request` can be printed, stored and compared.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_to_bytes

from conformance.exceptions import NotJSON

PATH = "/v1/Configuration"
FORM_MEDIA_TYPE = "application/x-www-form-urlencoded"

_FORM = re.compile(rf"{FORM_MEDIA_TYPE}(\s*;\s*charset=(\"utf-8\"|utf-8))?", re.IGNORECASE)

Pairs = tuple[tuple[str, str], ...]


def encode_form(pairs: Sequence[tuple[str, str]]) -> bytes:
    """Serialise pairs as the WHATWG URL standard's application/x-www-form-urlencoded serialiser does."""
    return b"&".join(_encode(name) + b"=" + _encode(value) for name, value in pairs)


_UNESCAPED = frozenset(b"*-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz")
_ENCODED = tuple(
    bytes([byte]) if byte in _UNESCAPED else b"+" if byte == 0x20 else b"%%%02X" % byte for byte in range(256)
)


def _encode(text: str) -> bytes:
    return b"".join([_ENCODED[byte] for byte in text.encode("utf-8", "replace")])


# Who sends, who judges and who remembers an exchange all ask; few, since a body may have a megabyte.
@lru_cache(maxsize=8)
def decode_form(body: bytes) -> Pairs:
    """
    Parse a form body as the WHATWG URL standard's application/x-www-form-urlencoded parser does.

    `+` is a blank, broken escapes stand literally, bytes that are not UTF-8 become U+FFFD; nothing is refused.
    """
    return tuple(
        (_decode(name), _decode(value))
        for name, _, value in (part.partition(b"=") for part in body.split(b"&") if part)
    )


def _decode(raw: bytes) -> str:
    return unquote_to_bytes(raw.replace(b"+", b" ")).decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Auth:
    """
    How a request authenticates, as a template the target fills in.

    `user` and `secret` may hold `{sid}`, `{token}`, `{truncated}` (the token less its last character), `{swapped}`
    (the token with its letters in the other case), and `{other_sid}`, `{other_token}` (of the next account).
    `header` overrides the whole Authorization value and may also hold `{basic}`, the base64 of `user:secret`.
    `scheme=None` and no `header`: no credentials are sent.
    """

    scheme: str | None = "Basic"
    user: str = "{sid}"
    secret: str = "{token}"  # noqa: S105  # a placeholder
    header: str | None = None

    @property
    def valid(self) -> bool:
        """Whether these are the account's own credentials (RFC 7617: the scheme is case-insensitive)."""
        return (
            self.header is None
            and self.scheme is not None
            and self.scheme.lower() == "basic"
            and (self.user, self.secret) == ("{sid}", "{token}")
        )


BASIC = Auth()
NO_AUTH = Auth(scheme=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request to the resource, exact to the byte but for the secret."""

    method: str = "POST"
    body: bytes | None = None
    content_type: str | None = FORM_MEDIA_TYPE
    headers: tuple[tuple[str, str], ...] = ()
    query: str = ""
    auth: Auth = BASIC
    account: int = 0
    """Index into the target's accounts."""
    chunked: bool = False
    fresh: bool = False
    """Whether to open a connection of its own instead of reusing one."""
    intends: Pairs = ()
    """What a lenient target might read from it, where that is not said by a form in the body."""

    def form(self) -> Pairs | None:
        """
        The decoded parameters when the body is sent as a form, in UTF-8 if that is said at all; else None.

        No serialiser leaves bytes beyond ASCII as they are, and parsers differ on them: such a body is no form.
        """
        if not self.body:
            return ()
        is_form = _FORM.fullmatch(self.content_type or "") and self.body.isascii()
        return decode_form(self.body) if is_form else None


def update(*pairs: tuple[str, str], **options: object) -> Request:
    """A POST of the given parameters in the given order, encoded canonically."""
    return Request(body=encode_form(pairs), **options)  # type: ignore[arg-type]  # Request checks the names


READ = Request(method="GET", content_type=None)
EMPTY = Request(body=b"")


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """One response as it came; header values are decoded as ISO 8859-1."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    http_version: str = "HTTP/1.1"
    truncated: bool = False
    """Whether the body went past the size cap and was cut there."""
    undecoded: bool = False
    """Whether the body is in a content coding that was not asked for, or not what its coding says."""

    def header(self, name: str) -> str | None:
        """The first value of a header, by case-insensitive name."""
        return next((value for key, value in self.headers if key.lower() == name), None)


class FailureKind(StrEnum):
    """Why no response came."""

    CONNECT = "connect"
    TLS = "tls"
    TIMEOUT = "timeout"
    DISCONNECT = "disconnect"
    FRAMING = "framing"
    TOO_LARGE = "too-large"


@dataclass(frozen=True, slots=True)
class Failure:
    """What happened instead of a response."""

    kind: FailureKind
    detail: str
    partial: bool = False
    """Whether a part of an HTTP answer had come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A request and what came of it: a response, or a failure."""

    number: int
    request: Request
    response: Response | None = None
    failure: Failure | None = None
    started: float = 0.0
    """Seconds since the run began."""
    elapsed: float = 0.0
    url: str = ""
    sent_headers: tuple[tuple[str, str], ...] = ()
    """As sent, with credentials replaced by their shell spelling."""
    together: bool = False
    """Whether it went out at the same moment as those beside it that did, too."""

    @property
    def status(self) -> int | None:
        """The status code, or None when there was no response."""
        return self.response.status if self.response is not None else None

    @property
    def accepted(self) -> bool:
        """Whether the target took the request: any 2xx, though only 200 is right."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def unwritten(self) -> bool:
        """Whether nothing may have been written: any 4xx."""
        return self.status is not None and 400 <= self.status < 500

    @property
    def refused(self) -> bool:
        """Whether the target refused the request for what it is: a 429 says nothing about that (RFC 6585 4)."""
        return self.unwritten and self.status != 429


def json_of(response: Response) -> Any:
    """
    The body of a response as JSON.

    Raises:
        NotJSON: it is none.
    """
    if response.truncated:
        raise NotJSON("the body is longer than is read")
    if response.undecoded:
        coding = response.header("content-encoding")
        raise NotJSON(f"the body cannot be decoded from its Content-Encoding, {coding}")
    if not response.body:
        raise NotJSON("the body is empty")
    try:
        return json.loads(response.body.decode("utf-8"), parse_int=_integer, parse_constant=_refuse)
    except UnicodeDecodeError as error:
        raise NotJSON(f"the body is not UTF-8: {error.reason} at byte {error.start}") from error
    except RecursionError as error:
        raise NotJSON("the body is nested too deep") from error
    except ValueError as error:
        raise NotJSON(f"the body is not JSON: {error}") from error


def _integer(digits: str) -> int | float:
    # int() refuses more than 4,300 digits; no attribute is a number, so its size is of no interest.
    return int(digits) if len(digits) <= 400 else float("inf")


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is no JSON value")

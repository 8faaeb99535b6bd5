"""Mutated responses, the real way in, and a judgement of its own of what they are worth."""

import copy
import json
import random
import re
import socket
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import httpcore
from fuzz_bytes import changed
from jsonschema import Draft202012Validator

from conformance.contract import load
from conformance.exceptions import RateLimitedOut
from conformance.harness.session import Session
from conformance.http import Request, update
from conformance.model import EXAMPLE
from conformance.rules import BY_ID
from conformance.transport.credentials import THROWAWAY
from conformance.transport.target import Target, TargetSettings

ACCOUNT = THROWAWAY[0].sid or ""
GOOD = update(*EXAMPLE.items())
BAD = update(("DefaultInactiveTimer", "PT59S"))

SHOWN = {
    "account_sid": ACCOUNT,
    "default_chat_service_sid": EXAMPLE["DefaultChatServiceSid"],
    "default_messaging_service_sid": EXAMPLE["DefaultMessagingServiceSid"],
    "default_inactive_timer": EXAMPLE["DefaultInactiveTimer"],
    "default_closed_timer": EXAMPLE["DefaultClosedTimer"],
    "url": "http://127.0.0.1/v1/Configuration",
    "links": {"webhooks": "http://127.0.0.1/v1/Configuration/Webhooks"},
}
REFUSAL = {
    "code": 50375,
    "message": "no",
    "more_info": "https://www.twilio.com/docs/errors/50375",
    "status": 400,
}


@dataclass
class Draft:
    """A response before it is written as bytes."""

    status: bytes = b"HTTP/1.1 200 OK"
    headers: list[tuple[bytes, bytes]] = field(
        default_factory=lambda: [(b"Content-Type", b"application/json")]
    )
    document: Any = None
    body: bytes | None = None
    """In place of the document."""
    framing: str = "length"
    before: bytes = b""

    def bytes(self) -> bytes:
        """The response as it goes out."""
        body = self.body
        if body is None:
            body = json.dumps(self.document, ensure_ascii=bool(self.headers)).encode("utf-8", "surrogatepass")
        headers = list(self.headers)
        if self.framing == "gzip":
            packer = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
            body = packer.compress(body) + packer.flush()
            headers.append((b"Content-Encoding", b"gzip"))
        if self.framing == "chunked":
            half = len(body) // 2
            parts = [part for part in (body[:half], body[half:]) if part]
            body = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
            headers.append((b"Transfer-Encoding", b"chunked"))
        elif self.framing == "close":
            headers.append((b"Connection", b"close"))
        else:
            headers.append((b"Content-Length", b"%d" % len(body)))
        lines = b"".join(b"%s: %s\r\n" % header for header in headers)
        return self.before + self.status + b"\r\n" + lines + b"\r\n" + body


_CORS = [(b"Access-Control-Allow-Origin", b"*"), (b"access-control-allow-credentials", b"true")]
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n"


def corpus() -> list[tuple[Request, Draft]]:
    """Good responses, each with the request that it answers."""
    json_type = (b"Content-Type", b"application/json; charset=utf-8")
    taken = [Draft(document=SHOWN, framing=framing) for framing in ("length", "chunked", "gzip", "close")]
    taken += [
        Draft(document=SHOWN, headers=[json_type, *_CORS]),
        Draft(document=SHOWN, before=HINTS),
        Draft(document=SHOWN, status=b"HTTP/1.0 200 OK", framing="close"),
        Draft(document={**SHOWN, "default_closed_timer": "PT600S", "links": None}),
    ]
    refused = [
        Draft(status=b"HTTP/1.1 400 Bad Request", document=REFUSAL, framing=framing)
        for framing in ("length", "chunked")
    ]
    return [(GOOD, draft) for draft in taken] + [(BAD, draft) for draft in refused]


# Mutations

_ODD: tuple[Any, ...] = (
    None, True, 0, -1, 10**30, 1.5, float("nan"), "", " ", "PT59S", "PT10M\n", "\ud800", "\x00", "\u202e", "banana",
    "PT1M ", "P1Y", "PT" + "9" * 5000 + "S", [], {}, ["PT1M"], {"a": 1}, "IS" + "b" * 32, "AC" + "0" * 32, "é" * 34,
)  # fmt: skip
_STATUSES = (
    100,
    101,
    199,
    200,
    201,
    202,
    204,
    205,
    206,
    226,
    300,
    301,
    304,
    400,
    401,
    404,
    409,
    418,
    429,
    451,
    499,
)
_TOKENS = (
    b"\r", b"\n", b"\r\n", b"\x00", b"\x1b[2J", b"\xff", b" ", b"\t", b":", b",", b'"', b"{", b"}", b"\\u0000",
    b"\r\n\r\n", b"0\r\n\r\n", b"HTTP/1.1 200 OK\r\n", b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n",
)  # fmt: skip
_LENGTHS = (
    b"0",
    b"1",
    b"-1",
    b"+5",
    b"0x10",
    b"5, 5",
    b"5, 6",
    b"99999",
    b"9" * 30,
    b"",
    b" 7",
    b"7 ",
    b"\xb2",
)


def _change_document(draft: Draft, rng: random.Random) -> None:
    document = copy.deepcopy(draft.document)
    draft.document = document
    if not isinstance(document, dict) or not document:
        return
    name = rng.choice(list(document))
    kind = rng.randrange(6)
    if kind == 0:
        del document[name]
    elif kind == 1:
        draft.document = rng.choice((*_ODD, [document]))
    elif kind == 2:
        document[rng.choice(("extra", name.upper(), name + " ", "\u202e"))] = document.pop(name)
    elif kind == 3 and isinstance(document[name], str) and document[name]:
        text = document[name]
        at = rng.randrange(len(text))
        document[name] = text[:at] + rng.choice("aFgG0 \n\x00/é") + text[at + rng.randrange(2) :]
    elif kind == 4:
        document[name] = rng.choice(list(document.values()))
    else:
        document[name] = rng.choice(_ODD)


def _change_text(draft: Draft, rng: random.Random) -> None:
    body = json.dumps(draft.document).encode() if draft.body is None else draft.body
    name = rng.choice((b'"default_closed_timer"', b'"url"', b'"status"', b'"account_sid"'))
    changed: Callable[[], bytes] = rng.choice(
        (
            lambda: b"\xef\xbb\xbf" + body,
            lambda: body.decode("utf-8", "replace").encode("utf-16"),
            lambda: body + body,
            lambda: body + b"\n\n",
            lambda: body.replace(b'"', b"'"),
            lambda: body.replace(b"}", b",}"),
            lambda: body.replace(b"{", b"{" + name + b': "PT12M", ', 1),
            lambda: body[:-1] + b", " + name + b": null}",
            lambda: b"[" * 100_000,
            lambda: body.replace(b"null", b"NaN").replace(b"400", b"1e400"),
            lambda: body.replace(b"400", b"9" * 5000),
            lambda: body[: rng.randrange(len(body) + 1)],
            lambda: b"",
        )
    )
    draft.body = changed()


def _change_headers(draft: Draft, rng: random.Random) -> None:
    headers = list(draft.headers)
    at = rng.randrange(len(headers)) if headers else 0
    kind = rng.randrange(7)
    if kind == 0 and headers:
        headers.append(headers[at])
    elif kind == 1 and headers:
        del headers[at]
    elif kind == 2 and headers:
        headers[at] = (
            headers[at][0],
            rng.choice((b"text/html", b"", b"application/jsonx", b"no", b"\x1b[2J", b"*")),
        )
    elif kind == 3:
        headers.append((b"Content-Length", rng.choice(_LENGTHS)))
    elif kind == 4:
        headers.append(
            (b"Transfer-Encoding", rng.choice((b"chunked", b"gzip, chunked", b"identity", b"zstd")))
        )
    elif kind == 5:
        headers.append((b"Content-Encoding", rng.choice((b"gzip", b"br", b"identity", b"deflate"))))
    else:
        headers.append(
            (rng.choice((b"Retry-After", b"X A", b"", b"X\x00", b"Content-Type")), rng.choice(_LENGTHS))
        )
    draft.headers = headers


def _change_status(draft: Draft, rng: random.Random) -> None:
    code = rng.choice((*_STATUSES, 500, 501, 503, 599, 600, 999, 99, 1000, 0))
    draft.status = b"%s %03d %s" % (
        rng.choice((b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0")),
        code,
        b"Odd",
    )


def _change_bytes(raw: bytes, rng: random.Random) -> bytes:
    return changed(raw, rng, sizes=(1, 1, 2, 8, 64), tokens=_TOKENS, others=(_renumbered, _extended))


def _renumbered(raw: bytes, rng: random.Random, at: int, size: int) -> bytes:
    """Where a number is, another one: lengths, sizes of chunks, status."""
    numbers = list(re.finditer(rb"[0-9a-f]+(?=\r\n)", raw))
    if not numbers:
        return raw
    match = rng.choice(numbers)
    return raw[: match.start()] + rng.choice(_LENGTHS) + raw[match.end() :]


def _extended(raw: bytes, rng: random.Random, at: int, size: int) -> bytes:
    return raw + rng.choice((raw, b"\n", b"x", b"\r\n\r\n"))


def mutations(count: int, seed: int) -> Iterator[tuple[Request, bytes]]:
    """So many mutated responses, each with the request that it answers; the same for the same seed."""
    rng = random.Random(seed)
    good = corpus()
    for _ in range(count):
        request, draft = copy.deepcopy(rng.choice(good))
        for _ in range(rng.choice((0, 1, 1, 1, 2))):
            rng.choice((_change_document, _change_document, _change_text, _change_headers, _change_status))(
                draft, rng
            )
        raw = draft.bytes()
        for _ in range(rng.choice((0, 0, 1, 1, 2))):
            raw = _change_bytes(raw, rng)
        yield request, raw


# The way in


class Served(httpcore.SyncBackend):
    """Connections over real sockets to a peer that answers with given bytes and then ends."""

    def __init__(self) -> None:
        super().__init__()
        self.raw = b""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._peer: socket.socket | None = None

    def connect_tcp(self, *arguments: Any, **options: Any) -> httpcore.NetworkStream:
        """Connect, and have the answer written already."""
        host, port = self._listener.getsockname()
        stream = super().connect_tcp(host, port, 5.0)
        self.close_peer()
        self._peer, _ = self._listener.accept()
        self._peer.settimeout(5.0)
        self._peer.sendall(self.raw)
        self._peer.shutdown(socket.SHUT_WR)
        return stream

    def close_peer(self) -> None:
        """Close what was open for the exchange before."""
        if self._peer is not None:
            self._peer.close()

    def close(self) -> None:
        """Stop to listen."""
        self.close_peer()
        self._listener.close()


class Harness:
    """A target whose answers are given, and sessions that judge one answer each; a context manager."""

    def __init__(self) -> None:
        self._served = Served()
        settings = TargetSettings(url="http://127.0.0.1", timeout=5.0, patience=0.0, refusals=0)
        self._target = Target(settings)
        self._target._network._inner = self._served  # the only place that is not the real one

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._target.close()
        self._served.close()

    def judge(self, request: Request, raw: bytes) -> list[str]:
        """The rules that an answer breaks, after a good answer to a good request."""
        session = Session(self._target, tuple(BY_ID))
        self._served.raw = raw
        try:
            session.conversation.send(request, "fuzz/response")
        except RateLimitedOut:
            return ["rate-limited"]
        return sorted({rule for rule, _, _ in session.candidates})


# The judgement

_LINE = re.compile(rb"HTTP/1\.[01] ([0-9]{3})(?: [\t\x20-\x7e\x80-\xff]*)?\r\n")
_FIELD = re.compile(
    rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\x21-\x7e\x80-\xff]?[\t\x20-\x7e\x80-\xff]*?)[ \t]*\r\n"
)
_SCHEMA = Draft202012Validator(load("response.schema.json"))


class Broken(Exception):
    """The response breaks the contract; why."""


def contract(request: Request, raw: bytes) -> None:
    """
    Judge a response by RFC 9112, RFC 8259 and the document alone.

    Raises:
        Broken: it is not what the document, or HTTP, has it be.
    """
    status, headers, body = _read(raw)
    if request == BAD:
        if not 400 <= status < 500:
            raise Broken(f"status {status}")
        if status == 401 and b"www-authenticate" not in dict(headers):
            raise Broken("401 without a challenge")
        return
    if status != 200:
        raise Broken(f"status {status}")
    types = [value for name, value in headers if name == b"content-type"]
    if not types or any(value.partition(b";")[0].strip().lower() != b"application/json" for value in types):
        raise Broken("not application/json")
    if any(
        name == b"access-control-allow-credentials" and value.lower() not in (b"true", b"false")
        for name, value in headers
    ):
        raise Broken("Access-Control-Allow-Credentials is no boolean")
    document = _document(body)
    if (wrong := next(_SCHEMA.iter_errors({**document, "links": None}), None)) is not None:
        raise Broken(wrong.message[:100])
    for name, value in SHOWN.items():
        shown = document.get(name)
        if name.startswith("default_") and not _is_same(str(value), shown):
            raise Broken(f"{name}: {shown!r}"[:100])
    if str(document.get("account_sid") or ACCOUNT).lower() != ACCOUNT.lower():
        raise Broken("another account")
    url = document.get("url")
    if url is not None and not re.fullmatch(
        r"(?i:https?)://[^/?#\x00-\x20\x7f]+/(?:[^?#\x00-\x20\x7f]*/)?v1/Configuration", url
    ):
        raise Broken(f"url {url!r}"[:100])


_SPELLINGS = {"PT10M": ("PT10M", "PT600S"), "PT1M": ("PT1M", "PT60S")}


def _is_same(sent: str, shown: object) -> bool:
    if not isinstance(shown, str):
        return False
    if sent in _SPELLINGS:
        return re.sub("(?<=T)0+", "", shown.upper()) in _SPELLINGS[sent]
    return shown.lower() == sent.lower()


def _read(raw: bytes) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Status, fields with names in lower case, and content of the first final response, which is to be all there is."""
    while True:
        line = _LINE.match(raw)
        if line is None:
            raise Broken("no status line")
        status, position, headers = int(line[1]), line.end(), []
        while raw[position : position + 2] != b"\r\n":
            if (match := _FIELD.match(raw, position)) is None:
                raise Broken("no header line")
            headers.append((match[1].lower(), match[2]))
            position = match.end()
        raw = raw[position + 2 :]
        if not 100 <= status < 200 or status == 101:
            break
    lengths = {value for name, value in headers if name == b"content-length"}
    codings = [value.lower() for name, value in headers if name == b"transfer-encoding"]
    if codings and lengths:
        raise Broken("both framings")
    if codings:
        if codings != [b"chunked"]:
            raise Broken("an unknown transfer coding")
        raw = _unchunked(raw)
    elif lengths:
        (length, *more) = lengths
        if more or not re.fullmatch(rb"[0-9]{1,18}", length) or int(length) != len(raw):
            raise Broken("Content-Length")
    coding = b", ".join(value for name, value in headers if name == b"content-encoding").lower()
    if coding not in (b"", b"identity"):
        decoder = zlib.decompressobj(zlib.MAX_WBITS | 16)
        try:
            raw = decoder.decompress(raw) if coding == b"gzip" else b""
        except zlib.error:
            raise Broken("Content-Encoding") from None
        if not decoder.eof or decoder.unused_data:
            raise Broken("Content-Encoding")
    return status, headers, raw


def _unchunked(raw: bytes) -> bytes:
    content = b""
    while True:
        match = re.match(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[\t\x20-\x7e\x80-\xff]*)?\r\n", raw)
        if match is None:
            raise Broken("chunk size")
        size, raw = int(match[1], 16), raw[match.end() :]
        if size == 0:
            break
        if raw[size : size + 2] != b"\r\n":
            raise Broken("chunk")
        content, raw = content + raw[:size], raw[size + 2 :]
    while (match := _FIELD.match(raw)) is not None:
        raw = raw[match.end() :]
    if raw != b"\r\n":
        raise Broken("end of chunks")
    return content


def _document(body: bytes) -> dict[str, Any]:
    def refuse(constant: str) -> None:
        raise ValueError(constant)

    try:
        document = json.loads(body.decode("utf-8"), parse_constant=refuse, parse_int=len)
    except (ValueError, RecursionError):
        raise Broken("not JSON") from None
    if not isinstance(document, dict):
        raise Broken("no object")
    return document


def fuzz(count: int, seed: int) -> Iterable[str]:
    """What went wrong with mutated responses, one line each: judged conformant though broken, or the reverse."""
    with Harness() as harness:
        for number, (request, raw) in enumerate(mutations(count, seed)):
            rules = harness.judge(request, raw)
            try:
                contract(request, raw)
            except Broken as broken:
                if not rules:
                    yield f"{number}: judged conformant, though: {broken}: {raw[:1500]!r}"
            else:
                told = [rule for rule in rules if rule in BY_ID and BY_ID[rule].level == "must"]
                if told:
                    yield f"{number}: a false alarm of {', '.join(told)}: {raw[:1500]!r}"

"""
Reads recordings that other programs have made: HTTP archives (HAR 1.2), and cassettes of VCR.py and schemathesis.

Only requests to the resource are read from a file, with their answers. No credentials are taken from it: a request that
had some is sent with those of the environment. In place of an Account SID stands the role of its account.
"""

import base64
import contextlib
import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import yaml

from conformance.exceptions import RecordingError
from conformance.fidelity.outcome import outcome_of
from conformance.fidelity.recording import ROLES, Recording, Taken
from conformance.fidelity.script import Part, Step
from conformance.http import (
    BASIC,
    FORM_MEDIA_TYPE,
    NO_AUTH,
    PATH,
    PLACEHOLDER,
    Auth,
    Exchange,
    Failure,
    FailureKind,
    Request,
    Response,
    encode_form,
)
from conformance.model import BY_PARAMETER
from conformance.reporting.text import plural, visible
from conformance.transport.writing import METHODS

_LARGEST = 4 << 20
"""Most bytes of a body after decoding."""

_ACCOUNT = re.compile(rb"AC[0-9a-fA-F]{32}")
_PLACEHOLDER = re.compile(rf"\{{(?:{PLACEHOLDER})\}}")

_WRONG = (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError)
"""The errors of reading a member that is not there, or is of another type."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """One request with its answer, as any of the formats has it."""

    method: str
    url: str
    headers: Mapping[str, str]
    """The request's headers, by name in lower case."""
    body: bytes | None
    response: Response | None
    failure: Failure | None = None
    at: str = ""


def read(data: bytes, name: str) -> Recording:
    """
    Return the recording in the bytes of a HAR or a cassette; messages name the file.

    Raises:
        RecordingError: It is neither, or has no request to the resource that can be used.
    """
    document = _parsed(data, name)
    source, entries, convert = _kind(document, name)
    found: list[_Entry] = []
    for number, entry in enumerate(entries, 1):
        try:
            one = convert(entry)
            path = urlsplit(one.url).path
        except _WRONG as error:
            raise RecordingError(
                f"{name}: entry {number} is not as a {source} has it: {visible(repr(error), 100)}"
            ) from None
        if path.endswith(PATH):
            found.append(one)
    taken, notes = _taken(found, source)
    if not taken:
        raise RecordingError(
            f"{name}: has no request that can be sent again and whose path ends in {PATH}; record some, "
            "or use `conformance record`"
        )
    return Recording(
        target=found[0].url.partition("?")[0].removesuffix(PATH),
        recorded_at=found[0].at,
        profile="",
        seed=0,
        accounts=1 + max(each.step.request.account for each in taken),
        taken=taken,
        source=source,
        notes=notes,
    )


def _parsed(data: bytes, name: str) -> Any:
    try:
        text = data.decode("utf-8-sig")
        if text.lstrip()[:1] == "{":
            with contextlib.suppress(ValueError):  # YAML may begin so, too
                return json.loads(text)
        return yaml.safe_load(text)
    except UnicodeDecodeError as error:
        raise RecordingError(f"{name}: not UTF-8 at byte {error.start}: {_EXPECTED}") from None
    except RecursionError:
        raise RecordingError(f"{name}: nested too deep: {_EXPECTED}") from None
    except (yaml.YAMLError, *_WRONG) as error:
        problem = visible(str(error).partition("\n")[0], 100)
        raise RecordingError(f"{name}: neither JSON nor YAML ({problem}): {_EXPECTED}") from None


_EXPECTED = "give a file of `conformance record`, a HAR, or a cassette of VCR"


def _kind(document: Any, name: str) -> tuple[str, Sequence[Any], Callable[[Any], _Entry]]:
    if isinstance(document, dict):
        log = document.get("log")
        if isinstance(log, dict) and isinstance(log.get("entries"), list):
            return "HAR", log["entries"], _of_har
        for member in ("interactions", "http_interactions"):
            if isinstance(document.get(member), list):
                return "VCR", document[member], _of_vcr
    raise RecordingError(f"{name}: neither a HAR nor a cassette of VCR: {_EXPECTED}")


# The formats


def _of_har(entry: Any) -> _Entry:
    request, came = entry["request"], entry["response"]
    posted = request.get("postData")
    body = None
    if posted is not None:
        pairs = [(each["name"], each.get("value", "")) for each in posted.get("params") or ()]
        text = posted.get("text")
        body = _bytes(text) if text or not pairs else encode_form(pairs)
    headers = {each["name"].lower(): str(each["value"]) for each in request["headers"]}
    if posted is not None and isinstance(posted.get("mimeType"), str) and posted["mimeType"]:
        headers.setdefault("content-type", posted["mimeType"])
    response = failure = None
    if came["status"] == 0:
        kind = str(came.get("comment", "")).partition(":")[0]
        failure = Failure(
            FailureKind(kind) if kind in list(FailureKind) else FailureKind.DISCONNECT, "as recorded"
        )
    else:
        content = came["content"]
        text = content.get("text")
        raw = base64.b64decode(text) if content.get("encoding") == "base64" else _bytes(text)
        cut = "comment" in content and str(content["comment"]).startswith("the first")
        response = _response(
            came["status"],
            [(each["name"], each["value"]) for each in came["headers"]],
            raw or b"",
            cut=cut or (raw is None and bool(content.get("size"))),
            decode=False,  # a HAR has bodies as they are after decoding
        )
    return _Entry(
        method=_text(request["method"]).upper(), url=_text(request["url"]), headers=headers, body=body,
        response=response, failure=failure, at=str(entry.get("startedDateTime", "")),
    )  # fmt: skip


def _of_vcr(entry: Any) -> _Entry:
    request, came = entry["request"], entry["response"]
    code = came["status"]["code"] if isinstance(came.get("status"), dict) else came.get("status_code")
    response = failure = None
    if code is None:
        failure = Failure(FailureKind.DISCONNECT, "as recorded")
    else:
        headers = [
            (_text(name), _text(value))
            for name, values in (came.get("headers") or {}).items()
            for value in (values if isinstance(values, list) else [values])
        ]
        response = _response(int(code), headers, _body(came.get("body")) or b"", cut=False, decode=True)
    return _Entry(
        method=_text(request["method"]).upper(),
        url=_text(request.get("uri", request.get("url"))),
        headers={
            _text(name).lower(): _text(values[0] if isinstance(values, list) else values)
            for name, values in (request.get("headers") or {}).items()
        },
        body=_body(request.get("body")),
        response=response,
        failure=failure,
        at=str(entry.get("recorded_at", "")) or _dated(response),
    )


def _dated(response: Response | None) -> str:
    """Return the date of an answer as ISO 8601 has it; nothing where there is none."""
    dates = [value for name, value in (response.headers if response else ()) if name.lower() == "date"]
    with contextlib.suppress(ValueError):
        return parsedate_to_datetime(dates[0]).isoformat() if dates else ""
    return ""


def _body(body: Any) -> bytes | None:
    """Return a body of a cassette: a text, bytes, or a mapping that has it as a text or in base64."""
    if isinstance(body, dict):
        encoded = body.get("base64_string")
        return base64.b64decode(encoded) if encoded is not None else _bytes(body.get("string"))
    return _bytes(body)


def _bytes(text: Any) -> bytes | None:
    return text if isinstance(text, bytes) or text is None else _text(text).encode("utf-8", "surrogatepass")


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} in place of a text")
    return value


def _response(
    status: Any, headers: Sequence[tuple[Any, Any]], body: bytes, *, cut: bool, decode: bool
) -> Response:
    if not isinstance(status, int) or not 100 <= status <= 999:
        raise ValueError("a status that is none")
    pairs = tuple((_text(name), _text(value)) for name, value in headers)
    coding = next((value.strip().lower() for name, value in pairs if name.lower() == "content-encoding"), "")
    undecoded = False
    if decode and coding not in ("", "identity") and not body.lstrip().startswith((b"{", b"[")):
        undecoded = True
        if coding in ("gzip", "x-gzip", "deflate"):
            with contextlib.suppress(zlib.error):
                body, undecoded = zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(body, _LARGEST), False
    return Response(
        status=status,
        headers=pairs,
        body=body[:_LARGEST],
        truncated=cut or len(body) >= _LARGEST,
        undecoded=undecoded,
    )


# What is made of them


def _taken(entries: Sequence[_Entry], source: str) -> tuple[tuple[Taken, ...], tuple[str, ...]]:
    """Return the entries as steps, and a line for each reason why others were left out."""
    roles = dict(zip(_owners(entries), ROLES, strict=False))
    taken: list[Taken] = []
    left_out: list[str] = []
    for entry in entries:
        request = _request(entry)
        if isinstance(request, str):
            left_out.append(request)
            continue
        response = entry.response
        if response is not None:
            owner = _ACCOUNT.search(response.body)
            role = roles.get(owner[0].decode()) if owner and 200 <= response.status < 300 else None
            request = replace(request, account=ROLES.index(role) if role else 0)
            response = replace(response, body=_in_roles(response.body, roles))
        number = len(taken) + 1
        exchange = Exchange(number=number, request=request, response=response, failure=entry.failure)
        step = Step(cls=f"{source.lower()}/request", rule="", request=request, part=Part.PROBE)
        taken.append(Taken(number=number, step=step, exchange=exchange, outcome=outcome_of(exchange, ROLES)))
    notes = tuple(
        f"{plural(left_out.count(why), 'request')} left out: {why}" for why in dict.fromkeys(left_out)
    )
    return tuple(taken), notes


def _owners(entries: Sequence[_Entry]) -> Iterator[str]:
    """Yield the SIDs of the accounts whose settings were answered, the first one first."""
    answers = [each.response for each in entries if each.response and 200 <= each.response.status < 300]
    owned = rb'"account_sid"\s*:\s*"(AC[0-9a-fA-F]{32})"'
    yield from dict.fromkeys(sid.decode() for answer in answers for sid in re.findall(owned, answer.body))


def _in_roles(body: bytes, roles: Mapping[str, str]) -> bytes:
    return _ACCOUNT.sub(lambda match: roles.get(match[0].decode(), match[0].decode()).encode(), body)


def _request(entry: _Entry) -> Request | str:
    """Return the request to send again; where it cannot be sent, the reason in words."""
    content_type = entry.headers.get("content-type")
    query = urlsplit(entry.url).query
    if entry.method not in METHODS:
        return "the method is none that is ever sent"
    if not re.fullmatch("[!-~]*", query) or not re.fullmatch(r"[ -~\t]*", content_type or ""):
        return "no request can carry the query or the media type"
    if entry.body is not None and "\ufffd".encode() in entry.body:
        return "the file does not have every byte of the body"
    auth = _auth(entry)
    if auth is None:
        return "the answer refuses credentials, and none are ever taken from a file"
    body = entry.body
    if body is None and entry.method == "POST":
        body = b""
    if not entry.headers and any(name.encode() in (body or b"") for name in BY_PARAMETER):
        content_type = FORM_MEDIA_TYPE  # some programs write no header at all
    return Request(method=entry.method, body=body, content_type=content_type, query=query, auth=auth)


def _auth(entry: _Entry) -> Auth | None:
    """Return how to authenticate; None where that takes credentials that only the file has."""
    sent = entry.headers.get("authorization")
    refused = entry.response is not None and entry.response.status == 401
    if sent is None:
        return NO_AUTH if refused else BASIC  # most programs leave the header out of what they write
    scheme, _, pair = sent.partition(" ")
    user, _, secret = pair.partition(":")
    if _PLACEHOLDER.search(sent):  # as our own archives have it
        basic = scheme.lower() == "basic"
        return Auth(scheme=scheme, user=user, secret=secret) if basic else Auth(header=sent)
    return None if refused else BASIC

"""Mistakes in HTTP itself, which show where a client spells a request in another way that HTTP has."""

import re
from base64 import b64encode
from dataclasses import replace

from conformance.emulator.alterations import WITNESS_ACCOUNTS, Fault, Install, Step, fault
from conformance.emulator.behaviour import FORM, PATH, Behaviour
from conformance.emulator.faults import protocol_mistakes as forms
from conformance.emulator.faults import response
from conformance.emulator.faults.hidden.combinations import any_password, chunked, unread
from conformance.emulator.faults.hidden.occasions import After, connection, on, only
from conformance.emulator.faults.robustness_mistakes import crash, hang, header
from conformance.emulator.faults.robustness_mistakes import on as instead
from conformance.emulator.messages import Answer, ApiError, Call

SID, TOKEN = next(iter(WITNESS_ACCOUNTS.items()))
A = b"DefaultInactiveTimer=PT1H"


def _raw(
    body: bytes = A,
    *headers: str,
    line: str = f"POST {PATH} HTTP/1.1",
    password: str = TOKEN,
    names: str = "Authorization Content-Type",
) -> bytes:
    """Return a request byte for byte, framed by its length unless a header says otherwise."""
    login, kind = names.split()
    lines = [
        line,
        "Host: emulator.test",
        f"{login}: Basic {b64encode(f'{SID}:{password}'.encode()).decode()}",
        f"{kind}: {FORM}",
        *headers,
        *([] if any("Transfer-Encoding" in each for each in headers) else [f"Content-Length: {len(body)}"]),
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _in_chunks(
    *chunks: bytes, extension: bytes = b"", trailers: bytes = b"", sizes: str = "x", coding: str = "chunked"
) -> bytes:
    """Return a chunked request; `sizes` is the format of the sizes."""
    written = [
        f"{len(chunk):{sizes}}".encode() + extension + b"\r\n" + chunk + b"\r\n"
        for chunk in (*chunks, b"")[:-1]
    ]
    return _raw(b"".join(written) + b"0\r\n" + trailers + b"\r\n", f"Transfer-Encoding: {coding}")


def _refused_where(pattern: bytes) -> Install:
    """Return a mistake: a chunked request is refused where what came matches a pattern."""
    return forms.refuses_call(lambda call: chunked(call) and _came(call, pattern), 400)


def _came(call: Call, pattern: bytes) -> bool:
    return re.search(pattern, call.arrival.received()) is not None


def _first_chunk(call: Call) -> Call:
    """Read the first chunk alone."""
    size = re.search(rb"\r\n\r\n([0-9a-fA-F]{1,8})", call.arrival.received())
    return replace(call, body=call.body[: int(size[1], 16)]) if chunked(call) and size else call


def _trailers(call: Call, answer: Answer) -> bool:
    return chunked(call) and _came(call, TRAILERS)


def _next_refused(behaviour: Behaviour) -> None:
    def find(call: Call) -> None:
        raise ApiError(400, 20001, "Bad Request")

    behaviour.find = find


def _in_http_1_0(call: Call) -> bool:
    return call.arrival.version == "1.0"


def _pipelined(call: Call) -> bool:
    return call.arrival.pipelined


def _fault(name: str, rules: str, text: str, install: Install, *witness: bytes | Step) -> Fault:
    steps = [Step(raw=each) if isinstance(each, bytes) else each for each in witness]
    return fault(name, rules, "http", text, install, steps)


def _in_segments(call: Call) -> bool:
    """Tell whether an update comes in pieces though it would fit into one."""
    return call.method == "POST" and len(call.body) < 1000 and call.arrival.segments() > 1


def _segments_of(request: bytes) -> tuple[bytes, bytes]:
    """Divide a request between its head and its body."""
    head, end, body = request.partition(b"\r\n\r\n")
    return head + end, body


def _at(pattern: str, mistake: Install) -> Install:
    """Return a mistake that is made where the path matches a pattern; the resource is there, too."""

    def install(behaviour: Behaviour) -> None:
        behaviour.find = lambda call: None
        mistake(behaviour)

    return only(lambda call: re.search(pattern, call.path), install)


def _kept_unread(behaviour: Behaviour) -> None:
    unread(behaviour, *behaviour.fields)


TRAILERS = rb"\r\n0+\r\n[^\r\n]+:"
EXTENSION = rb"\r\n[0-9a-fA-F]+[ \t]*;[^\r\n]*\r\n"
CAPITALS = rb"\r\n(?=[0-9]*[A-F])[0-9A-F]+\r\n"
LONG = b"DefaultInactiveTimer=PT1H&x=" + b"y" * 150

# fmt: off
ALL: tuple[Fault, ...] = (
    _fault("crash-on-absolute-target", "no-server-error",
      "A server error comes on a target in absolute form (RFC 9112 3.2.2: to be accepted).",
      instead(lambda call: call.arrival.absolute), _raw(line=f"POST http://emulator.test{PATH} HTTP/1.1")),
    _fault("crash-on-asterisk", "no-server-error", "A server error comes on OPTIONS *.",
      instead(lambda call: call.path == "*"), _raw(b"", line="OPTIONS * HTTP/1.1")),
    _fault("crash-on-http-1-0", "no-server-error", "A server error comes on a request of HTTP/1.0.",
      instead(_in_http_1_0), _raw(line=f"POST {PATH} HTTP/1.0")),
    _fault("http-1-0-answered-in-chunks", "framing",
      "The answer to a request of HTTP/1.0 is chunked (RFC 9112 6.1: it must not be).",
      only(_in_http_1_0, response.answers(lambda answer: replace(answer, wire="chunked"), when=lambda answer: True)),
      _raw(line=f"POST {PATH} HTTP/1.0")),
    _fault("chunk-extensions-refused", "chunked-body",
      "A chunk with an extension is refused (RFC 9112 7.1.1: it is to be ignored).", _refused_where(EXTENSION),
      _in_chunks(A, extension=b";x=y")),
    _fault("chunk-sizes-in-capitals-refused", "chunked-body",
      "A size of a chunk whose digits are capitals is refused.", _refused_where(CAPITALS),
      _in_chunks(LONG, sizes="X")),
    _fault("trailers-refused", "chunked-body", "A chunked body with a trailer is refused.",
      _refused_where(TRAILERS), _in_chunks(A, trailers=b"X-Checksum: 1\r\n")),
    _fault("trailers-break-next", "stays-usable",
      "After a chunked body with a trailer the next request on its connection is refused.",
      on(lambda: After(_trailers, of=connection), _next_refused),
      _in_chunks(A, trailers=b"X-Checksum: 1\r\n"), _raw()),
    _fault("first-chunk-only", "chunked-body", "Of a chunked body the first chunk alone is read.",
      forms.posts_as(_first_chunk), _in_chunks(b"DefaultClosedTimer=P1D", b"&" + A)),
    _fault("capitalised-coding-ignored", "chunked-body",
      "Where the transfer coding is written Chunked, the body is taken for empty.",
      forms.ignores_body(lambda call: _came(call, rb"(?i:\r\ntransfer-encoding: )C")), _in_chunks(A, coding="Chunked")),
    _fault("expectation-unanswered", "every-request-answered",
      "A request with Expect: 100-continue is never answered.", instead(header(b"expect", "(?i)100-continue"), hang),
      Step(A.decode(), headers=(("Content-Type", FORM), ("Expect", "100-continue")))),
    _fault("crash-on-expectation", "no-server-error", "A server error comes on Expect: 100-continue.",
      instead(header(b"expect", "(?i)100-continue"), crash),
      Step(A.decode(), headers=(("Content-Type", FORM), ("Expect", "100-continue")))),
    _fault("pipelined-unanswered", "every-request-answered",
      "A request that was sent before the answer to the one before it is never answered.",
      instead(_pipelined, hang), _raw() + _raw()),
    _fault("pipelined-unauthenticated", "credentials-required",
      "The password of a request that was sent before the answer to the one before it is not checked.",
      only(_pipelined, any_password), _raw() + _raw(password="wrong")),  # noqa: S106  # a password that is wrong on purpose
    _fault("crash-on-header-names-in-capitals", "no-server-error",
      "A server error comes where the name of a header is written in capitals.",
      instead(lambda call: _came(call, rb"\r\n(?:AUTHORIZATION|CONTENT-TYPE):")),
      _raw(names="AUTHORIZATION CONTENT-TYPE")),
    _fault("absolute-target-not-found", "absolute-target", "A target in absolute form is not found.",
      forms.refuses_call(lambda call: call.arrival.absolute, 404),
      _raw(line=f"POST http://emulator.test{PATH} HTTP/1.1")),
    _fault("content-type-in-capitals-unread", "header-name-case",
      "A Content-Type whose name is written in capitals is not read.",
      forms.refuses_call(lambda call: _came(call, rb"\r\nCONTENT-TYPE:"), 415),
      _raw(names="Authorization CONTENT-TYPE")),
    _fault("pipelined-refused", "pipelining",
      "A request that was sent before the answer to the one before it is refused.",
      forms.refuses_call(_pipelined, 400), _raw() + _raw()),
    _fault("absolute-target-unauthenticated", "credentials-required",
      "The password of a request whose target has the absolute form is not checked.",
      only(lambda call: call.arrival.absolute, any_password),
      _raw(line=f"POST http://emulator.test{PATH} HTTP/1.1", password="wrong")),  # noqa: S106  # wrong on purpose
    # In several segments
    _fault("segments-refused", "request-in-segments", "A request that does not come in one piece is refused.",
      forms.refuses_call(_in_segments, 400), *_segments_of(_raw())),
    _fault("body-of-later-segment-lost", "request-in-segments",
      "A body that does not come in one piece with the head is taken for empty.", forms.ignores_body(_in_segments),
      *_segments_of(_raw())),
    _fault("crash-on-segments", "no-server-error", "A server error comes on a request that does not come in one piece.",
      instead(_in_segments), *_segments_of(_raw())),
    # Another spelling of the path
    _fault("unauthenticated-behind-slash", "credentials-required",
      "Where a slash ends the path the password is not checked.", _at(r"n/\Z", any_password),
      Step(A.decode(), path=f"{PATH}/", credentials=f"{SID}:wrong")),
    _fault("unauthenticated-with-suffix", "credentials-required",
      "Where the path names a format the password is not checked.", _at(r"\.json\Z", any_password),
      Step(A.decode(), path=f"{PATH}.json", credentials=f"{SID}:wrong")),
    _fault("unauthenticated-at-escaped-path", "credentials-required",
      "The path is compared before it is decoded: where it is escaped the password is not checked.",
      only(lambda call: _came(call, rb"\A[^\r\n?]*%"), any_password),
      _raw(line="POST /v1/%43onfiguration HTTP/1.1", password="wrong")),  # noqa: S106  # a password that is wrong on purpose
    _fault("unread-at-doubled-slash", "unvalidated-write", "Where a slash in the path is doubled no value is read.",
      _at("//", _kept_unread), Step("DefaultInactiveTimer=banana", path="/v1//Configuration")),
    _fault("unread-at-path-in-small-letters", "unvalidated-write",
      "Where the path is in small letters no value is read.", _at(r"/configuration\Z", _kept_unread),
      Step("DefaultInactiveTimer=banana", path=PATH.lower())),
    _fault("unread-at-path-with-parameter", "unvalidated-write",
      "Where a parameter follows the path no value is read.", _at(";", _kept_unread),
      Step("DefaultInactiveTimer=banana", path=f"{PATH};v=1")),
    _fault("http-1-0-refused", "older-version", "A request of HTTP/1.0 is refused.",
      forms.refuses_call(_in_http_1_0, 426), _raw(line=f"POST {PATH} HTTP/1.0")),
)
# fmt: on

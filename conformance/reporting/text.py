"""What reports say about parts of a result document, as plain text that is safe to show anywhere."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from conformance.http import BASIC, FORM_MEDIA_TYPE, decode_form
from conformance.model import Level, Verdict

UNJUDGED = frozenset({Verdict.UNDECIDED, Verdict.NOT_RUN, Verdict.ERROR})
"""Verdicts that say nothing of whether a rule holds."""
HOLD = frozenset({Verdict.CONFORMANT, Verdict.FIXED})
"""Verdicts of rules that hold."""

SUITE = "twilio-configuration-conformance"
"""The name of the suite's distribution, by which results say what version it was."""

Document = Mapping[str, Any]
"""A result document, or a part of one: `schemas/result.schema.json`."""


def visible(text: str, limit: int | None = None) -> str:
    """
    The text on one line, with all that is not a printable character or a space escaped as Python does it.

    Args:
        text: anything, hostile or not.
        limit: the greatest length in characters; what goes past it is cut and said to be.
    """
    head = text if limit is None else text[: limit + 1]
    shown = head if head.isprintable() else "".join([c if c.isprintable() else _escape(c) for c in head])
    if limit is None or len(shown) <= limit:
        return shown
    return f"{shown[: limit - 1]}… ({len(text):,} characters)"


CLIP = 4_000
"""Most characters of a body or of curl lines in a report that people read."""


def clipped(text: str) -> str:
    """The text, cut where it would bury the rest of a report; no byte of it is escaped."""
    if len(text) <= CLIP:
        return text
    return f"{text[:CLIP]}… ({len(text):,} characters; the whole is in result.json)"


def shown_curl(finding: Document) -> str:
    """The curl lines of a finding, or a comment that says where they are: cut ones would do something else."""
    return _shown(finding, "curl")


def shown_httpx(finding: Document) -> str:
    """The Python lines of a finding, or a comment that says where they are."""
    return _shown(finding, "httpx")


def _shown(finding: Document, member: str) -> str:
    lines: str = finding[member]
    if len(lines) <= CLIP:
        return lines
    return f"# {len(lines):,} characters of {member}: in result.json, finding {finding['fingerprint'][:12]}"


def _escape(character: str) -> str:
    return repr(character)[1:-1]


def visible_bytes(raw: bytes) -> str:
    """The bytes as text without loss: printable UTF-8 as it is, a backslash doubled, any other byte in hexadecimal."""
    text = raw.decode("utf-8", "surrogateescape")
    return (
        text
        if text.isprintable() and "\\" not in text
        else "".join([_exact(character) for character in text])
    )


def _exact(character: str) -> str:
    if character.isprintable():
        return "\\\\" if character == "\\" else character
    if character in "\t\r\n":
        return _escape(character)
    return "".join([f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogateescape")])


def body(message: Document) -> bytes | None:
    """The bytes of a recorded request's or response's body, or None when it has none."""
    if "body_base64" in message:
        return base64.b64decode(message["body_base64"])
    return message["body"].encode("utf-8", "surrogatepass") if "body" in message else None


def request_line(exchange: Document, limit: int | None = 160) -> str:
    """A recorded request on one line: the decoded parameters, and whatever is unlike an ordinary update."""
    request = exchange["request"]
    raw = body(request)
    essence = (request["content_type"] or "").partition(";")[0].strip().lower()
    if raw and essence == FORM_MEDIA_TYPE and (pairs := decode_form(raw)):
        content = " ".join(f"{name}={_value(value)}" for name, value in pairs)
    else:
        content = visible_bytes(raw) if raw else "(empty)" if request["method"] == "POST" else ""
    parts = [
        *([request["method"]] if request["method"] != "POST" else []),
        *([f"?{request['query']}"] if request["query"] else []),
        *([content] if content else []),
        *(f"[{mark}]" for mark in _marks(request, raw is not None)),
    ]
    return visible(" ".join(parts), limit)


def sequence_line(finding: Document, limit: int = 160) -> str:
    """The requests of a finding on one line, each as `request_line` has it."""
    return visible(", then ".join(request_line(each, None) for each in finding["exchanges"]), limit)


def _marks(request: Document, has_body: bool) -> Iterator[str]:
    auth = request["auth"]
    if auth["header"] is not None:
        yield f"Authorization: {auth['header']}"
    elif auth["scheme"] is None:
        yield "no credentials"
    elif auth["scheme"] != BASIC.scheme or auth["user"] != BASIC.user or auth["secret"] != BASIC.secret:
        yield f"credentials: {auth['scheme']} {auth['user']}:{auth['secret']}"
    if request["account"]:
        yield f"account {request['account'] + 1}"
    if has_body and request["content_type"] != FORM_MEDIA_TYPE:
        yield f"Content-Type: {request['content_type'] or 'none'}"
    yield from (f"{name}: {value}" for name, value in request["own_headers"])
    if request["chunked"]:
        yield "chunked"


def _value(value: str) -> str:
    bare = value and value.isprintable() and not set(value) & set(' "')
    return value if bare else f'"{visible(value)}"'


def answer_line(exchange: Document, limit: int = 160) -> str:
    """A recorded answer on one line: status and body, or why there was none, or what was wrong besides."""
    response, failure = exchange.get("response"), exchange.get("failure")
    parts = []
    if failure is not None:
        parts.append(f"{'' if response else 'no answer '}({failure['kind']}): {failure['detail']}")
    if response is not None:
        parts.append(f"{response['status']} {visible_bytes(body(response) or b'')}".strip())
    return visible(" ".join(reversed(parts)), limit)


def why_known(finding: Document) -> str:
    """Why a known finding was accepted, where that is dealt with, and until when it counts."""
    known = finding["known"]
    until = f"until {known['expires']}" if known["expires"] else ""
    return ", ".join(part for part in (known["reason"], known["link"], until) if part)


def stale(document: Document) -> Iterator[str]:
    """A line for each entry of known deviations that should be looked at: expired, fixed or unused."""
    for entry in document.get("known", ()):
        advice = {
            "expired": f"it was accepted until {entry['expires']}, for: {entry['reason']}",
            "fixed": "it is gone, remove the entry",
            "unused": "there is no such rule or input, remove the entry",
        }.get(entry["state"])
        if advice:
            name = f"{entry['rule']} {entry['class']} {entry['outcome']}"
            yield f"known deviation {entry['state']}: {name}: {advice}"


def plural(count: int, noun: str) -> str:
    """The count, with thousands marked, and the noun in the number it needs."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}{'es' if noun.endswith('ss') else 's'}"


def statement_beside(finding: Document, rule: Document) -> str:
    """The rule's statement, to be told beside a finding's summary; empty where the summary says it already."""
    statement: str = rule["statement"]
    return "" if statement in finding["summary"] else statement


def was_judged(document: Document) -> bool:
    """Whether there was evidence of any rule at all."""
    counts = document["counts"]
    return bool(counts["must"]["judged"] + counts["should"]["judged"] + counts["undecided"])


def group_totals(rules: Sequence[Document]) -> str:
    """How many rules of a group hold, out of those that were judged, and on how many examples."""
    parts = []
    for level in Level:
        judged = [
            each["verdict"] for each in rules if each["level"] == level and each["verdict"] not in UNJUDGED
        ]
        if judged:
            parts.append(f"{level.upper()} {sum(verdict in HOLD for verdict in judged)}/{len(judged)}")
    return " · ".join([*parts, plural(sum(each["examples"] for each in rules), "example")])


def totals(document: Document) -> str:
    """The line of totals: three numbers first, never a single percentage."""
    counts = document["counts"]
    holding = [
        f"{level.upper()} {counts[level]['conformant']}/{counts[level]['judged']}"
        for level in ("must", "should")
    ]
    parts = [
        *([*holding, f"undecided {counts['undecided']}"] if was_judged(document) else []),
        *([f"not run {counts['not_run']}"] if counts["not_run"] else []),
        *([f"errors {counts['errors']}"] if counts["errors"] else []),
        f"{plural(document['requests'], 'request')} in {document['duration_s']:.1f} s",
        f"seed {document['seed']}",
        document["verdict"],
    ]
    return " · ".join(parts)

"""The result of a run as one JSON document, from which every other report is rendered."""

import base64
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import Any, AnyStr, Protocol

from conformance.attribution.causes import Attribution, attribute
from conformance.http import PATH, Exchange, Request, Response
from conformance.model import Finding, Level, Outcome, Report, Verdict
from conformance.reporting.curl import ShellAccount, curl, target_of
from conformance.reporting.differences import differences
from conformance.reporting.reading import SCHEMA_VERSION
from conformance.reporting.snippet import httpx_snippet
from conformance.reporting.text import Document, answer_line, request_line, tallies


class Redact(Protocol):
    """Replaces secrets in text or bytes."""

    def __call__(self, data: AnyStr, /) -> AnyStr:
        """Return the data with a placeholder for every secret."""


_AS_IT_IS = ("verdict", "exit_code", "target", "profile", "seed", "requests", "started_at")
"""Members of a report that the result document has by the same names."""


def build(
    report: Report,
    *,
    accounts: Sequence[ShellAccount] = (),
    curl_options: Sequence[str] = (),
    redact: Redact | None = None,
) -> dict[str, Any]:
    """
    Return the result document of a run, as `schemas/result.schema.json` describes it.

    Args:
        report: The outcome of the run.
        accounts: How curl lines spell the credentials of each of the target's accounts.
        curl_options: Pairs of curl arguments that are needed to reach the target: `--cacert` and an absolute path,
            `--proxy` and a URL.
        redact: Takes secrets out of every text and body; None where there are none, as with throw-away tokens.
    """
    url = report.target.rstrip("/") + PATH
    statements = frozenset(outcome.rule.statement for outcome in report.outcomes)
    findings = [finding for outcome in report.outcomes for finding in outcome.findings]
    attributions = attribute(report.outcomes)
    shell: dict[str, Any] = {"url": url, "accounts": accounts, "options": curl_options}
    document: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        **{name: getattr(report, name) for name in _AS_IT_IS},
        "duration_s": round(report.duration, 3),
        "stopped": report.stopped,
        "notices": list(report.notices),
        "rules": [_rule(outcome, url, redact) for outcome in report.outcomes],
        "findings": [
            _finding(finding, attribution, report.requests, statements)
            | ({"sent_once": True} if finding.sent_once else {})
            | _to_send(finding.exchanges, finding.shared_connection, **shell)
            for finding, attribution in zip(findings, attributions, strict=True)
        ],
        "observations": list(map(asdict, report.observations)),
        "restore": asdict(report.restore),
        "settings": report.settings,
        "versions": report.versions,
    }
    if report.unanswered:
        document["unanswered"] = _to_send(report.unanswered, **shell)
    by_cause: defaultdict[str, set[int]] = defaultdict(set)
    for finding, attribution in zip(findings, attributions, strict=True):
        by_cause[attribution.cause] |= finding.numbers
    if all(finding.numbers for finding in findings):
        for entry in document["findings"]:
            entry["cause_requests"] = len(by_cause[entry["cause"]])
    document["counts"] = count(document)
    said: dict[str, Any] = plain(document, redact)
    return said


def count(document: Document) -> dict[str, Any]:
    """Return the totals of a result document, from its rules and findings."""
    verdicts = Counter(rule["verdict"] for rule in document["rules"])
    new = [each for each in document["findings"] if "known" not in each]
    return {
        **{level: _with_older_names(counts) for level, counts in tallies(document).items()},
        "undecided": verdicts[Verdict.UNDECIDED],
        "not_run": verdicts[Verdict.NOT_RUN],
        "errors": verdicts[Verdict.ERROR],
        "findings": {
            **{level: sum(each["stable"] and each["level"] == level for each in new) for level in Level},
            "unstable": sum(not each["stable"] for each in new),
            "known": len(document["findings"]) - len(new),
        },
        "differences": len(differences(document)),
    }


def _with_older_names(counts: dict[str, int]) -> dict[str, int]:
    judged = counts["hold"] + counts["broken"]
    return {"conformant": counts["hold"], "judged": judged, "total": sum(counts.values()), **counts}


def _rule(outcome: Outcome, url: str, redact: Redact | None) -> dict[str, Any]:
    rule = outcome.rule
    return {
        **{name: getattr(rule, name) for name in ("id", "group", "level", "statement", "source")},
        "verdict": outcome.verdict,
        "reason": outcome.reason,
        "examples": outcome.examples,
        "evidence": outcome.evidence and _evidence(plain(record(outcome.evidence, url), redact)),
        "classes": list(map(asdict, outcome.classes)),
    }


def _evidence(exchange: Document) -> dict[str, Any]:
    """Return a summary of an exchange. It must be redacted before, since a piece of a secret is not recognised."""
    return {
        "number": exchange["number"],
        "request": request_line(exchange),
        "status": exchange.get("response", {}).get("status"),
        "answer": answer_line(exchange),
    }


def _finding(
    finding: Finding, attribution: Attribution, requests: int, statements: Collection[str]
) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "level": finding.level,
        "class": finding.cls,
        "outcome": finding.outcome,
        "field": finding.field,
        # The statement of a rule alone would read as if the rule held.
        "summary": f"Does not hold: {finding.summary}" if finding.summary in statements else finding.summary,
        "expected": finding.expected,
        "observed": finding.observed,
        "fingerprint": finding.fingerprint,
        "cause": attribution.cause,
        "consequence_of": attribution.consequence_of,
        "rank": attribution.rank,
        # Several violations by one exchange may have been counted each; no more requests can show it than were sent.
        "count": len(finding.numbers) or min(finding.count, requests),
        "stable": finding.stable,
    }


def _to_send(
    exchanges: Sequence[Exchange],
    shared: bool = False,
    *,
    url: str,
    accounts: Sequence[ShellAccount],
    options: Sequence[str],
) -> dict[str, Any]:
    """Return exchanges, with the lines that send their requests again; `shared`: over one connection."""
    return {
        "exchanges": [record(each, url) for each in exchanges],
        **({"shared_connection": True} if shared else {}),
        "curl": curl(exchanges, url=url, accounts=accounts, options=options, shared=shared),
        "httpx": httpx_snippet(exchanges, url=url, accounts=accounts, options=options),
    }


def record(exchange: Exchange, url: str = "") -> dict[str, Any]:
    """
    Return an exchange as a result document holds it.

    `url` is the URL of the resource, for an exchange that does not say where it was sent.
    """
    request = exchange.request
    document: dict[str, Any] = {
        "number": exchange.number,
        "started_s": round(exchange.started, 4),
        "elapsed_s": round(exchange.elapsed, 4),
        **({"together": True} if exchange.together else {}),
        **({"connection": exchange.connection, "place": exchange.place} if exchange.connection else {}),
        "request": {
            "method": request.method,
            "url": target_of(exchange, url),
            "headers": [list(each) for each in exchange.sent_headers or request.headers],
            **(_body(request.body) if request.body is not None else {}),
            **_template(request),
        },
    }
    if exchange.response is not None:
        document["response"] = _response(exchange.response)
    if exchange.failure is not None:
        document["failure"] = {"kind": exchange.failure.kind, "detail": exchange.failure.detail}
    if exchange.traceback:
        document["traceback"] = exchange.traceback
    return document


def _template(request: Request) -> dict[str, Any]:
    """Return all that is needed to send the request to another target with other credentials."""
    return {
        "content_type": request.content_type,
        "query": request.query,
        "own_headers": [list(each) for each in request.headers],
        "auth": asdict(request.auth),
        "account": request.account,
        "chunked": request.chunked,
        "fresh": request.fresh,
        **({"by_hand": request.by_hand} if request.by_hand is not None else {}),
        **({"after_s": request.after} if request.after else {}),
    }


def _response(response: Response) -> dict[str, Any]:
    return {
        "status": response.status,
        "http_version": response.http_version,
        "headers": [list(each) for each in response.headers],
        **_body_of(response),
        "truncated": response.truncated,
    }


_ODD = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffd]")
"""Characters that text does not contain: control characters, and the replacement of bytes that are not UTF-8."""


_SHORTEST = 8
"""Bytes from which a body may hold a token that was drawn at random."""


def _body_of(response: Response) -> dict[str, str]:
    """Return the body of an answer; where it is no text, a line in its place, since no token can be found in it."""
    body = _body(response.body)
    if "body" not in body and len(response.body) >= _SHORTEST:
        text = response.body.replace(b"\0", b"").decode(
            "utf-8", "replace"
        )  # every second byte of a text in UTF-16
        if len(_ODD.findall(text)) > (0 if response.undecoded else len(text) // 8):
            return {"body": f"{{left out: {len(response.body):,} bytes that are no text}}"}
    return body


_LINES = dict.fromkeys(map(ord, "\t\r\n"))
"""A table for `str.translate` that removes tabs and line ends."""


def _body(raw: bytes) -> dict[str, str]:
    """Return the body as text if all of it is printable, else as base64."""
    with suppress(UnicodeDecodeError):  # what is not UTF-8 is not printable
        if (text := raw.decode("utf-8")).translate(_LINES).isprintable():
            return {"body": text}
    return {"body_base64": base64.b64encode(raw).decode("ascii")}


def plain(value: Any, redact: Redact | None) -> Any:
    """
    Return a value as JSON has it; a value of a type that JSON does not have becomes text.

    `redact` takes secrets out of every text, and out of bodies that are kept as base64; None where there are none.
    """
    if isinstance(value, str | bytes):  # before all else, as most values are texts
        return redact(str(value)) if redact else str(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {
            str(key): _redacted_base64(each, redact)
            if key == "body_base64" and redact
            else plain(each, redact)
            for key, each in value.items()
        }
    if isinstance(value, Sequence | set | frozenset):
        return [plain(each, redact) for each in value]
    return redact(str(value)) if redact else str(value)


def _redacted_base64(text: str, redact: Redact) -> str:
    return base64.b64encode(redact(base64.b64decode(text))).decode("ascii")

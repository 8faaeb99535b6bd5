"""Rules about the body of a refusal: the vendor's error envelope, a convention of its other documents."""

from collections.abc import Iterator

from conformance.exceptions import NotJSON
from conformance.model import Aspect, Evidence, Level, Rule, Violation
from conformance.rules.evidence import object_in
from conformance.rules.reply import Reply

_SOURCE = "https://www.twilio.com/docs/usage/twilios-response: code, message, more_info, status"

_BY_THE_SERVER = frozenset({404, 405, 408, 411, 413, 414, 415, 417, 421, 426, 429, 431})
"""Statuses that a server in front of the resource may send by itself: nothing is said of their bodies."""


def _is_judged(reply: Reply) -> bool:
    """Whether an answer is a refusal of the resource's own."""
    response = reply.response
    return (
        response is not None
        and 400 <= response.status < 500
        and response.status not in _BY_THE_SERVER
        and reply.request.method in ("GET", "POST")
    )


def _holds(*names: str) -> Evidence:
    """A refusal that has one of these members."""

    def seen(reply: Reply) -> bool:
        document = object_in(reply) if _is_judged(reply) else None
        return document is not None and any(document.get(each) is not None for each in names)

    return Evidence(f"no refusal with {' or '.join(names)} was seen", seen)


RULES = (
    Rule(
        id="error-envelope",
        group="errors",
        level=Level.SHOULD,
        aspect=Aspect.CONSISTENCY,
        evidence=Evidence("no refusal of the resource's own was seen", _is_judged),
        statement="A refusal's body is a JSON object with a message and a status.",
        source=_SOURCE,
    ),
    Rule(
        id="error-status",
        group="errors",
        level=Level.SHOULD,
        aspect=Aspect.CONSISTENCY,
        evidence=_holds("status"),
        statement="The status in a refusal's body equals the HTTP status.",
        source=_SOURCE,
    ),
    Rule(
        id="error-types",
        group="errors",
        level=Level.SHOULD,
        aspect=Aspect.CONSISTENCY,
        evidence=_holds("code", "more_info"),
        statement="In a refusal's body code is an integer and more_info a URL, where they are present.",
        source=f"{_SOURCE}; https://www.twilio.com/docs/api/errors/400: code and more_info when available",
    ),
)


def check_errors(reply: Reply) -> Iterator[Violation]:
    """Judge the body of a 4xx to GET and POST."""
    response = reply.response
    if response is None or response.truncated or not _is_judged(reply):
        return
    expected = f"a JSON object with message and status {response.status}"
    try:
        document = reply.document
    except NotJSON as error:
        yield _violation(reply, "error-envelope", "not-json", None, expected, str(error))
        return
    if not isinstance(document, dict):
        yield _violation(reply, "error-envelope", "not-object", None, expected, type(document).__name__)
        return
    message, status = document.get("message"), document.get("status")
    if not isinstance(message, str) or status is None:
        missing = "message" if not isinstance(message, str) else "status"
        yield _violation(
            reply,
            "error-envelope",
            f"no-{missing}",
            missing,
            expected,
            f"{missing}: {document.get(missing)!r:.80}",
        )
    if status is not None and (isinstance(status, bool) or status != response.status):
        yield _violation(
            reply,
            "error-status",
            "different",
            "status",
            f"status: {response.status}",
            f"status: {status!r:.80}",
        )
    code, more_info = document.get("code"), document.get("more_info")
    if code is not None and (isinstance(code, bool) or not isinstance(code, int)):
        yield _violation(reply, "error-types", "code", "code", "code: an integer", f"code: {code!r:.80}")
    if more_info is not None and not (
        isinstance(more_info, str) and more_info.startswith(("http://", "https://"))
    ):
        yield _violation(
            reply,
            "error-types",
            "more-info",
            "more_info",
            "more_info: a URL",
            f"more_info: {more_info!r:.80}",
        )


def _violation(
    reply: Reply, rule: str, outcome: str, field: str | None, expected: str, observed: str
) -> Violation:
    return Violation(
        rule=rule,
        outcome=outcome,
        field=field,
        summary=next(each.statement for each in RULES if each.id == rule),
        expected=expected,
        observed=observed,
        cls=reply.kind,
    )

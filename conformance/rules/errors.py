"""Rules about the body of a refusal: the vendor's error envelope, a convention of its other documents."""

from collections.abc import Iterator

from conformance.exceptions import NotJSON
from conformance.model import Aspect, Evidence
from conformance.rules.checks import Broken, Checks
from conformance.rules.evidence import object_in
from conformance.rules.probes import answers
from conformance.rules.reply import Reply

_SOURCE = "https://www.twilio.com/docs/usage/twilios-response: code, message, more_info, status"

_BY_THE_SERVER = frozenset({404, 405, 408, 411, 413, 414, 415, 417, 421, 426, 429, 431})
"""Statuses that a server in front of the resource may send by itself, with a body of its own."""


def _is_judged(reply: Reply) -> bool:
    """Whether an answer is a refusal that the resource itself has written."""
    response = reply.response
    return (
        response is not None
        and not response.truncated
        and 400 <= response.status < 500
        and reply.request.method in ("GET", "POST")
        and not reply.request.is_elsewhere
        and reply.request.takes_json
        and (
            response.status not in _BY_THE_SERVER
            or {"code", "message", "status"} <= (object_in(reply) or {}).keys()
        )
    )


check_errors = Checks(_is_judged, group="errors", aspect=Aspect.CONSISTENCY)
"""Judges the body of a 4xx to GET and POST."""


def _holds(*names: str) -> Evidence:
    """Return the evidence that a refusal had one of these members."""

    def seen(reply: Reply) -> bool:
        document = object_in(reply) if _is_judged(reply) else None
        return document is not None and any(document.get(each) is not None for each in names)

    return Evidence(f"no refusal with {' or '.join(names)} was seen", seen)


@check_errors.should(
    "error-envelope",
    "A refusal's body is a JSON object with a message and a status.",
    _SOURCE,
    *answers("refusal", "unauthorised"),
    evidence=Evidence("no refusal of the resource's own was seen", _is_judged),
)
def _envelope(reply: Reply) -> Iterator[Broken]:
    expected = f"a JSON object with message and status {reply.exchange.status}"
    try:
        document = reply.document
    except NotJSON as error:
        yield Broken("not-json", None, expected, str(error))
        return
    if not isinstance(document, dict):
        yield Broken("not-object", None, expected, type(document).__name__)
    elif not isinstance(message := document.get("message"), str):
        shown = "null or absent" if message is None else f"{message!r:.80}"
        yield Broken("no-message", "message", expected, f"message: {shown}")
    elif document.get("status") is None:
        yield Broken("no-status", "status", expected, "status: null or absent")


@check_errors.should(
    "error-status",
    "The status in a refusal's body equals the HTTP status.",
    _SOURCE,
    *answers("refusal", "unauthorised"),
    evidence=_holds("status"),
)
def _status(reply: Reply) -> Iterator[Broken]:
    sent, said = reply.exchange.status, (object_in(reply) or {}).get("status")
    if said is not None and (isinstance(said, bool) or said != sent):
        yield Broken("different", "status", f"status: {sent}", f"status: {said!r:.80}")


@check_errors.should(
    "error-types",
    "In a refusal's body code is an integer and more_info a URL, where they are present.",
    f"{_SOURCE}; https://www.twilio.com/docs/api/errors/400: code and more_info when available",
    *answers("refusal", "unauthorised"),
    evidence=_holds("code", "more_info"),
)
def _types(reply: Reply) -> Iterator[Broken]:
    document = object_in(reply) or {}
    code, more_info = document.get("code"), document.get("more_info")
    if code is not None and (isinstance(code, bool) or not isinstance(code, int)):
        yield Broken("code", "code", "code: an integer", f"code: {code!r:.80}")
    is_url = isinstance(more_info, str) and more_info.startswith(("http://", "https://"))
    if more_info is not None and not is_url:
        yield Broken("more-info", "more_info", "more_info: a URL", f"more_info: {more_info!r:.80}")


RULES = tuple(check_errors.rules)

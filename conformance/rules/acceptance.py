"""Judges whether an update was accepted or refused as the oracle says, and names the rule that was broken."""

from collections.abc import Iterator

from conformance.http import BASIC, FORM_MEDIA_TYPE, Request, encode_form
from conformance.model import BY_PARAMETER, Level, Violation
from conformance.oracle.decisions import Answer, FormDecision, decide_value
from conformance.rules.watching import Watched

_PARTS = 100
"""Parts of a form that must be taken: express, Django and PHP refuse, or cut off, what is beyond 1,000."""

_SIZE = 8 * 1024
"""Bytes of a body that must be taken: beyond some size any server may answer 413 (RFC 9110 15.5.14)."""


def watch_acceptance(watched: Watched) -> Iterator[Violation]:
    """A must-reject form gets a 4xx; a must-accept form gets exactly 200."""
    status, decision = watched.exchange.status, watched.decision
    if status is None or decision is None or not watched.authorised or status == 429 or status >= 500:
        return
    sent = describe(watched.request)
    if decision.answer is Answer.REJECT:
        cause = decision.causes[0]
        expected = f"4xx, for {cause.reason}"
        if 200 <= status < 300:
            yield Violation(
                rule=cause.rule_id,
                outcome="accepted",
                field=cause.field.parameter if cause.field else None,
                summary=f"{sent} was accepted",
                expected=expected,
                observed=f"status {status}",
            )
        elif 300 <= status < 400 and decision.level is Level.MUST:
            yield Violation(
                rule="refusal-status",
                outcome="redirect",
                field=None,
                summary=f"{sent} was answered by a redirect",
                expected=expected,
                observed=f"status {status}",
            )
    elif decision.answer is Answer.ACCEPT and status != 200:
        if (watched.request.chunked and status == 411) or _is_bulky(watched.request):
            return
        cause = decision.causes[0]
        several = len(watched.request.form() or ()) > 1
        expected = "200, for every parameter is valid" if several else f"200, for {cause.reason}"
        if status < 400:
            if decision.level is Level.MUST:
                yield Violation(
                    rule="accepted-status",
                    outcome=f"status-{status}",
                    field=None,
                    summary=f"{sent} was answered with {status}, not with 200",
                    expected=expected,
                    observed=f"status {status}",
                )
            return
        before = watched.ledger.last_update
        again = before is not None and before.request == watched.request and bool(watched.request.form())
        rule = "idempotence" if again else _blame(watched, decision)
        yield Violation(
            rule=rule,
            cls=_WHOSE_CLASS.get(rule, ""),
            related=(before,) if again and before is not None else (),
            outcome="refused",
            field=cause.field.parameter if cause.field and not several else None,
            summary=f"{sent} was refused",
            expected=expected,
            observed=f"status {status}",
        )


def _is_bulky(request: Request) -> bool:
    """Whether a form may be refused for its size alone, however little it says."""
    body = request.body or b""
    return body.count(b"&") >= _PARTS or len(body) > _SIZE


def _is_in_force(watched: Watched) -> bool:
    """Whether every value that was sent is there already, word for word."""
    pairs, now = watched.request.form() or (), watched.ledger.current()
    return bool(pairs) and all(now.get(BY_PARAMETER[name].attribute) == value for name, value in pairs)


_WHOSE_CLASS = {"empty-update": "state/empty-update", "idempotence": "state/same-twice"}
"""Rules about a whole request, whatever input class brought it."""


def _blame(watched: Watched, decision: FormDecision) -> str:
    """The rule to which the refusal of a good form is put down: its value, or what is unusual about the request."""
    request = watched.request
    pairs = request.form() or ()
    for name, value in pairs:
        if (name, value) in watched.refused:  # by itself it was refused too
            return decide_value(BY_PARAMETER[name], value).rule_id
    if (rule := peculiarity(request)) is not None:
        return rule
    if decision.level is Level.MUST and (len(pairs) > 1 or watched.taken.issuperset(pairs)):
        return "any-subset"  # together, or not together, with others
    if _is_in_force(watched):
        return "idempotence"
    return decision.causes[0].rule_id


def peculiarity(request: Request) -> str | None:
    """The rule about what is unusual in the way a form is sent; None when most clients would send it so."""
    pairs = request.form() or ()
    essence, _, parameters = (request.content_type or "").partition(";")
    if request.chunked:
        return "chunked-body"
    if essence.strip() != FORM_MEDIA_TYPE and pairs:
        return "media-type-case"
    if parameters:
        return "charset-parameter"
    if request.auth.scheme != BASIC.scheme:
        return "scheme-case"
    if any(name.lower() == "accept" for name, _ in request.headers):
        return "accept-header"
    if request.body is not None and request.body != encode_form(pairs):
        return "form-decoding"
    return None


def describe(request: Request) -> str:
    """A request in a few words: its parameters, shortened."""
    pairs = request.form() or request.intends
    if not pairs:
        return "an empty update" if request.method == "POST" else request.method
    shown = "&".join(f"{name}={_short(value)}" for name, value in pairs[:4])
    return shown + (f" and {len(pairs) - 4} more parameters" if len(pairs) > 4 else "")


def _short(text: str) -> str:
    plain = text if text.isascii() and text.isprintable() else ascii(text)[1:-1]
    return plain if len(plain) <= 60 else f"{plain[:48]}… ({len(text):,} characters)"

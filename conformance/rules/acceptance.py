"""Judges whether an update was accepted or refused as the oracle says, and names the rule that was broken."""

from collections.abc import Iterator, Mapping, Sequence

from conformance.http import FORM_MEDIA_TYPE, Request, encode_form
from conformance.model import BY_PARAMETER, TIMERS, Level, Violation
from conformance.oracle.decisions import Answer, Decision, FormDecision, decide, decide_value
from conformance.oracle.durations import Length
from conformance.rules import protocol
from conformance.rules.reply import Reply

_PARTS = 100
"""Parts of a form that must be taken: express, Django and PHP refuse, or cut off, what is beyond 1,000."""

_SIZE = 8 * 1024
"""Bytes of a body that must be taken: beyond some size any server may answer 413 (RFC 9110 15.5.14)."""


def check_acceptance(reply: Reply) -> Iterator[Violation]:
    """A must-reject form gets a 4xx; a must-accept form gets exactly 200."""
    status, decision = reply.exchange.status, reply.decision
    if status is None or decision is None or not reply.authorised or status == 429 or status >= 500:
        return
    sent = describe(reply.request)
    if decision.answer is Answer.REJECT:
        cause = decision.causes[0]
        expected = f"4xx, for {cause.reason}"
        if 200 <= status < 300:
            yield Violation(
                rule=rule_of(cause),
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
        if (reply.request.chunked and status == 411) or _is_bulky(reply.request):
            return
        cause = decision.causes[0]
        several = len(reply.request.form() or ()) > 1
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
        before = reply.state.last_update
        again = before is not None and before.request == reply.request and bool(reply.request.form())
        rule = "idempotence" if again else _blame(reply, decision)
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


def _is_in_force(reply: Reply) -> bool:
    """Whether every value that was sent is there already, word for word."""
    pairs, now = reply.request.form() or (), reply.state.current()
    return bool(pairs) and all(now.get(BY_PARAMETER[name].attribute) == value for name, value in pairs)


_WHOSE_CLASS = {"empty-update": "state/empty-update", "idempotence": "state/same-twice"}
"""Rules about a whole request, whatever input class brought it."""


def _blame(reply: Reply, decision: FormDecision) -> str:
    """The rule to which the refusal of a good form is put down: its value, or what is unusual about the request."""
    request = reply.request
    pairs = request.form() or ()
    for name, value in pairs:
        if (name, value) in reply.refused:  # by itself it was refused too
            return rule_of(decide_value(BY_PARAMETER[name], value))
    if (rule := peculiarity(request)) is not None:
        return rule
    if decision.level is Level.MUST and (len(pairs) > 1 or reply.taken.issuperset(pairs)):
        return "any-subset"  # together, or not together, with others
    if _is_in_force(reply):
        return "idempotence"
    return rule_of(decision.causes[0])


def peculiarity(request: Request) -> str | None:
    """The rule about the peculiar way in which a form is sent; None where most clients would send it so."""
    return next(
        (
            rule.id
            for rule in protocol.RULES
            if rule.control is not None and rule.control(request) is not None
        ),
        None,
    )


_OF_A_FORM = {"empty": "empty-update", "repeated": "repeated-parameters", "unknown": "unvalidated-write"}


def rule_of(decision: Decision) -> str:
    """The rule that a decision on an input follows from."""
    if decision.claim in _OF_A_FORM:
        return _OF_A_FORM[decision.claim]
    return f"{decision.field.slug}-{decision.claim}" if decision.field is not None else decision.claim


def decided(request: Request) -> FormDecision | None:
    """What a target is to do with an update, whatever is set; None for what is no update by a form."""
    form = request.form() if request.method == "POST" and not request.query else None
    return None if form is None else decide(form, lengths=_UNSET)


_UNSET: Mapping[str, Sequence[Length | None]] = {each.parameter: [None] for each in TIMERS}
"""No timer that another could be too short for."""


def is_acceptable(request: Request) -> bool:
    """Whether a request is an update that must, or should, be accepted."""
    decision = decided(request) if request.auth.valid else None
    return decision is not None and decision.answer is Answer.ACCEPT


def is_good(request: Request) -> bool:
    """Whether a request is an update that must be accepted."""
    decision = decided(request)
    return is_acceptable(request) and decision is not None and decision.level is Level.MUST


def describe(request: Request) -> str:
    """A request in a few words: its parameters, and what is peculiar about the way they are sent."""
    pairs = request.form() or request.intends
    peculiar = "".join(f" ({each})" for each in _peculiarities(request))
    if not pairs:
        return ("an empty update" if request.method == "POST" else request.method) + peculiar
    shown = "&".join(f"{name}={_short(value)}" for name, value in pairs[:4])
    more = f" and {len(pairs) - 4} more parameters" if len(pairs) > 4 else ""
    method = "" if request.method == "POST" else f"{request.method} "
    return method + shown + more + peculiar


def _peculiarities(request: Request) -> Iterator[str]:
    if request.method not in ("GET", "HEAD", "OPTIONS") and request.content_type != FORM_MEDIA_TYPE:
        yield f"as {request.content_type}" if request.content_type else "without a Content-Type"
    if request.chunked:
        yield "chunked"
    body, plain = request.body or b"", encode_form(request.form() or ())
    if request.form() and body.replace(b"+", b"%20") != plain.replace(b"+", b"%20"):
        if len(body) > _SPELLED:
            yield f"in {len(body):,} bytes, where {len(plain):,} would say the same"
        else:
            yield f"spelled {body.decode('latin-1')}"
    yield from (f"{name}: {value}" for name, value in request.headers)


_SPELLED = 80
"""Bytes of a body that are shown as they are."""


def _short(text: str) -> str:
    plain = text if text.isascii() and text.isprintable() else ascii(text)[1:-1]
    return plain if len(plain) <= 60 else f"{plain[:48]}… ({len(text):,} characters)"

"""
Rules about whether a form is accepted or refused, and with which status.

The oracle decides on each form. A form that is answered otherwise breaks the rule that the decision follows from, or
the rule about whatever is unusual in the way it is sent. Those rules stand in the modules of their inputs.
"""

from collections.abc import Iterator
from typing import Any

from conformance.http import Request
from conformance.model import BY_ATTRIBUTE, BY_PARAMETER, Aspect, Level, Violation
from conformance.oracle.decisions import UNSET, Answer, Decision, FormDecision, decide, decide_value
from conformance.rules import credentials, protocol, sdk
from conformance.rules.controls import IDEMPOTENT, MALFORMED_HEADERS
from conformance.rules.evidence import ACCEPTED, REFUSED, object_in
from conformance.rules.probes import DOCUMENT, answers
from conformance.rules.reply import Reply
from conformance.rules.rows import must, should
from conformance.rules.wording import describe

_PARTS = 100
"""Parts that a form must be able to have: Express, Django and PHP refuse or cut off those beyond 1,000."""

_SIZE = 8 * 1024
"""Bytes that a body must be able to have: a server may answer a larger one with 413 (RFC 9110 15.5.14)."""

_HEADERS, _FIELDS = 512, 16
"""Characters and number of a request's own headers; a server may answer more of them with 431 (RFC 6585 5)."""

ACCEPTED_STATUS = must(
    "accepted-status",
    "An accepted update is answered with exactly 200.",
    f"{DOCUMENT}: 200 is the only status documented for success",
    *answers("update"),
    group="response",
    aspect=Aspect.STATUS,
    evidence=ACCEPTED,
)
REFUSAL_STATUS = should(
    "refusal-status",
    "A refused update is answered with a 4xx, not with a redirect.",
    "RFC 9110 15.4 and 15.5: the fault is in the request, and no other resource has the answer",
    *answers("refusal"),
    group="response",
    aspect=Aspect.STATUS,
    evidence=REFUSED,
)
RULES = (ACCEPTED_STATUS, REFUSAL_STATUS)


def check_acceptance(reply: Reply) -> Iterator[Violation]:
    """Judge the status of an update: a must-reject form gets a 4xx, a must-accept form gets exactly 200."""
    status, decision = reply.exchange.status, reply.decision
    if status is None or decision is None or not reply.authorised or status == 429 or status >= 500:
        return
    if decision.answer is Answer.REJECT and status < 400:
        yield from _not_refused(reply, status, decision)
    elif decision.answer is Answer.ACCEPT and status != 200:
        tolerated = (
            (reply.request.chunked and status == 411)
            or not reply.request.takes_json
            or _is_bulky(reply.request)
            or not {*MALFORMED_HEADERS, IDEMPOTENT}.isdisjoint(reply.request.headers)
        )
        if not tolerated:
            yield from _not_accepted(reply, status, decision)


def _not_refused(reply: Reply, status: int, decision: FormDecision) -> Iterator[Violation]:
    cause = decision.causes[0]
    expected = f"4xx, for {cause.reason}"
    if 200 <= status < 300:
        shows = not BY_ATTRIBUTE.keys().isdisjoint(object_in(reply) or ())
        said = "was accepted" if shows else f"was answered with {status}, and without any setting"
        yield _violation(reply, rule_of(cause), "accepted", said, expected, field=_parameter_of(cause))
    elif 300 <= status < 400 and decision.level is Level.MUST:
        yield _violation(reply, REFUSAL_STATUS.id, "redirect", "was answered by a redirect", expected)


def _not_accepted(reply: Reply, status: int, decision: FormDecision) -> Iterator[Violation]:
    cause, pairs = decision.causes[0], reply.form or ()
    several = len(pairs) > 1
    expected = "200, for every parameter is valid" if several else f"200, for {cause.reason}"
    if status < 400:
        # A notation that only should be accepted is hardly ever answered with a status of its own.
        if decision.level is Level.MUST or not pairs:
            rule = ACCEPTED_STATUS.id if pairs else rule_of(cause)
            said = f"was answered with {status}, not with 200"
            yield _violation(reply, rule, f"status-{status}", said, expected)
        return
    before = reply.state.last_update
    again = before is not None and before.request == reply.request and bool(pairs)
    rule = "idempotence" if again else _rule_of_refusal(reply, decision)
    yield _violation(
        reply,
        rule,
        "refused",
        "was refused",
        expected,
        field=None if several else _parameter_of(cause),
        cls=_CLASS_OF_RULE.get(rule, ""),
        related=(before,) if again and before is not None else (),
    )


def _violation(
    reply: Reply, rule: str, outcome: str, said: str, expected: str, *, field: str | None = None, **more: Any
) -> Violation:
    """Return the violation that a form was answered with the wrong status; `said` says how, behind the form."""
    return Violation(
        rule=rule,
        outcome=outcome,
        field=field,
        summary=f"{describe(reply.request)} {said}",
        expected=expected,
        observed=f"status {reply.exchange.status}",
        **more,
    )


def _parameter_of(cause: Decision) -> str | None:
    return cause.field.parameter if cause.field else None


def _is_bulky(request: Request) -> bool:
    """Whether a target may refuse the form for its size alone."""
    body = request.body or b""
    headers = sum(len(name) + len(value) for name, value in request.headers)
    return (
        body.count(b"&") >= _PARTS
        or len(body) > _SIZE
        or headers > _HEADERS
        or len(request.headers) > _FIELDS
    )


def _is_in_force(reply: Reply) -> bool:
    """Whether every setting already has the value that was sent for it, in the same spelling."""
    pairs, now = reply.form or (), reply.state.current()
    return bool(pairs) and all(now.get(BY_PARAMETER[name].attribute) == value for name, value in pairs)


_CLASS_OF_RULE = {"empty-update": "state/empty-update", "idempotence": "state/same-twice"}
"""The input class to report for a rule about a whole request, whichever class the request came from."""


def _rule_of_refusal(reply: Reply, decision: FormDecision) -> str:
    """Return the rule that the refusal of a good form breaks: one about its values, or about how it is sent."""
    request = reply.request
    if _is_in_force(reply):
        return "idempotence"
    pairs = reply.form or ()
    for name, value in pairs:
        if (name, value) in reply.refused:  # the target refused this value when it was sent alone, too
            return rule_of(decide_value(BY_PARAMETER[name], value))
    if (rule := peculiarity(request)) is not None:
        return rule
    if decision.level is Level.MUST and (len(pairs) > 1 or reply.taken.issuperset(pairs)):
        # The values are good beside others, or apart: the target refuses them in this combination.
        return "any-subset"
    return rule_of(decision.causes[0])


def peculiarity(request: Request) -> str | None:
    """Return the rule about the peculiar way in which a form is sent; None where it is sent as most clients do."""
    return next(
        (
            rule.id
            for rule in (*sdk.RULES, *credentials.RULES, *protocol.RULES)
            if rule.control is not None and rule.control(request) is not None
        ),
        None,
    )


_OF_A_FORM = {"empty": "empty-update", "repeated": "repeated-parameters", "unknown": "unvalidated-write"}
"""The rule that each claim about a form follows from."""


def rule_of(decision: Decision) -> str:
    """Return the rule that a decision on an input follows from."""
    if decision.claim in _OF_A_FORM:
        return _OF_A_FORM[decision.claim]
    return f"{decision.field.slug}-{decision.claim}" if decision.field is not None else decision.claim


def decided(request: Request) -> FormDecision | None:
    """Return what a target must do with an update, whatever its settings are; None where no form updates."""
    form = request.form() if request.method == "POST" and not request.query else None
    return None if form is None else decide(form, lengths=UNSET)


def is_acceptable(request: Request) -> bool:
    """Whether a request is an update that must, or should, be accepted."""
    decision = decided(request) if request.auth.valid else None
    return decision is not None and decision.answer is Answer.ACCEPT


def must_be_accepted(request: Request) -> bool:
    """Whether a request is an update that must be accepted."""
    decision = decided(request)
    return is_acceptable(request) and decision is not None and decision.level is Level.MUST

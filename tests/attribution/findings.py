"""Findings and outcomes of a run, and what they are put down to."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from conformance.attribution.causes import attribute
from conformance.http import Exchange, Request, Response
from conformance.model import FIELDS, ClassOutcome, Finding, Outcome, Verdict
from conformance.rules import BY_ID

HELD = Exchange(number=1, request=Request(), response=Response(status=200))


"""Somewhere in the run each rule was seen to hold."""


ATTRIBUTES = {each.slug: each.attribute for each in FIELDS}


def a_finding(cause: str, setting: str = "", cls: str = "a", **fields: Any) -> Finding:
    """A finding of a rule and an outcome, `rule: outcome`; `setting` is the slug of the one that it is about."""
    rule, _, outcome = cause.partition(": ")
    body = fields.pop("sent", "").encode()
    response = Response(status=200, body=fields.pop("answer", "").encode())
    field = ATTRIBUTES.get(setting)
    return Finding(
        rule=rule,
        level=BY_ID[rule].level,
        cls=cls,
        outcome=outcome,
        field=field,
        summary="",
        expected="",
        observed=fields.pop("observed", "status 200"),
        exchanges=(Exchange(number=1, request=Request(body=body), response=response),),
        stable=True,
        count=fields.pop("count", 1),
    )


def answered_with(finding: Finding, status: int, answer: str = "", **request: Any) -> Finding:
    """The finding with another status, and with an update that has further features."""
    exchange = Exchange(
        number=1,
        request=Request(**request),
        response=Response(status=status, body=answer.encode()),
    )
    return replace(finding, exchanges=(exchange,))


def outcomes(*findings: Finding, **sent: Sequence[str]) -> list[Outcome]:
    """A run in which the classes `a` to `d` of every rule were sent, or those given by rule."""
    rules = dict.fromkeys(each.rule for each in findings)
    return [
        Outcome(
            rule=BY_ID[rule],
            verdict=Verdict.DEVIATION,
            classes=tuple(
                ClassOutcome(id=cls, reason="", examples=3, statuses={})
                for cls in sent.get(rule.replace("-", "_"), "abcd")
            ),
            findings=tuple(each for each in findings if each.rule == rule),
            evidence=HELD,
        )
        for rule in rules
    ]


def causes(*findings: Finding, **sent: Sequence[str]) -> list[str]:
    """The causes of findings, in the order of the rules that they break."""
    return [each.cause for each in attribute(outcomes(*findings, **sent))]


def are_one(*findings: Finding, **sent: Sequence[str]) -> bool:
    return len(set(causes(*findings, **sent))) == 1

"""Judges one exchange by every watching rule, in the order in which one explanation makes another superfluous."""

from collections.abc import Iterator
from dataclasses import replace

from conformance.model import Violation
from conformance.rules import response
from conformance.rules.acceptance import check_acceptance
from conformance.rules.errors import check_errors
from conformance.rules.protocol import check_protocol
from conformance.rules.reply import Check, Reply
from conformance.rules.response import check_response
from conformance.rules.robustness import check_robustness
from conformance.rules.state import check_state

CHECKS: tuple[Check, ...] = (
    check_acceptance,
    check_response,
    check_state,
    check_protocol,
    check_robustness,
    check_errors,
)

_ABOUT_ANSWERS = frozenset(rule.id for rule in response.RULES) - {"accepted-status", "refusal-status"}


def judge(reply: Reply) -> Iterator[Violation]:
    """All violations that one exchange shows."""
    by_get = reply.request.method == "GET"
    for check in CHECKS:
        for violation in check(reply):
            if by_get and violation.rule in _ABOUT_ANSWERS:
                # The document describes POST alone: what only GET shows is a SHOULD.
                yield replace(
                    violation, rule="read-response", outcome=f"{violation.rule}/{violation.outcome}"
                )
            else:
                yield violation

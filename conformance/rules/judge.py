"""Judges one exchange: runs the response checks of every module."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from conformance.model import Violation
from conformance.rules import response
from conformance.rules.acceptance import check_acceptance
from conformance.rules.credentials import check_credentials
from conformance.rules.errors import check_errors
from conformance.rules.protocol import check_protocol
from conformance.rules.reply import Reply
from conformance.rules.response import check_refused_headers, check_response
from conformance.rules.robustness import check_robustness
from conformance.rules.state import check_apart, check_state

CHECKS: tuple[Callable[[Reply], Iterator[Violation]], ...] = (
    check_acceptance,
    check_response,
    check_refused_headers,
    check_state,
    check_apart,
    check_credentials,
    check_protocol,
    check_robustness,
    check_errors,
)
"""The response checks, in the order in which they judge: the first violation of an exchange explains most others."""

_ABOUT_UPDATES = frozenset(rule.id for rule in response.RULES)
"""The rules about the answer to an update. The document describes POST alone, so no GET can break them."""


def judge(reply: Reply) -> Iterator[Violation]:
    """
    Yield every violation that one exchange shows.

    A GET whose answer has another form than that of an update breaks `read-response`, which is a SHOULD.
    """
    by_get = reply.request.method == "GET"
    for check in CHECKS:
        for violation in check(reply):
            if by_get and violation.rule in _ABOUT_UPDATES:
                outcome = f"{violation.rule}/{violation.outcome}"
                yield replace(violation, rule="read-response", outcome=outcome)
            else:
                yield violation

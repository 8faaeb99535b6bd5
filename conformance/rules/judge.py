"""Judges one exchange by every watching rule, in the order in which one explanation makes another superfluous."""

from collections.abc import Iterator
from dataclasses import replace

from conformance.model import Violation
from conformance.rules import response
from conformance.rules.acceptance import watch_acceptance
from conformance.rules.errors import watch_errors
from conformance.rules.protocol import watch_protocol
from conformance.rules.response import watch_response
from conformance.rules.robustness import watch_robustness
from conformance.rules.state import watch_state
from conformance.rules.watching import Watched, Watcher

WATCHERS: tuple[Watcher, ...] = (
    watch_acceptance,
    watch_response,
    watch_state,
    watch_protocol,
    watch_robustness,
    watch_errors,
)

_ABOUT_ANSWERS = frozenset(rule.id for rule in response.RULES) - {"accepted-status", "refusal-status"}


def judge(watched: Watched) -> Iterator[Violation]:
    """All violations that one exchange shows."""
    by_get = watched.request.method == "GET"
    for watcher in WATCHERS:
        for violation in watcher(watched):
            if by_get and violation.rule in _ABOUT_ANSWERS:
                # The document describes POST alone: what only GET shows is a SHOULD.
                yield replace(
                    violation, rule="read-response", outcome=f"{violation.rule}/{violation.outcome}"
                )
            else:
                yield violation

"""How many requests of a run may still go out, and for what."""

from collections.abc import Sequence

from conformance.harness.candidates import Candidates
from conformance.harness.minimizer import REQUESTS
from conformance.harness.schedule import Plan
from conformance.http import Request
from conformance.rules import BY_ID
from conformance.safety.safeguard import Safeguard
from conformance.transport.target import Target

_FOR_COUNTEREXAMPLES = {"quick": 28, "standard": REQUESTS, "thorough": REQUESTS}
"""Requests that all phases leave for showing findings again, for each cause seen; a quarter of all at most."""

_LEAST = 15
"""Requests that a finding may have in any case: to be shown again, made small, and asked about."""


class Enough(Exception):
    """The phases have sent what they may, or found what was asked for."""


class Budget:
    """
    Divides the requests of a run between looking for deviations and showing them again.

    Args:
        target: Counts the requests, and says how many there may be.
        plan: What the run is to do.
        candidates: What was seen so far.
        safeguard: Says what requests cost.
    """

    def __init__(self, target: Target, plan: Plan, candidates: Candidates, safeguard: Safeguard) -> None:
        self._target = target
        self._plan = plan
        self._candidates = candidates
        self._safeguard = safeguard
        self._limit = target.settings.max_requests

    def claim(self, requests: Sequence[Request], more: int = 0) -> None:
        """
        See whether requests may be sent, and so many more beside them.

        Raises:
            Enough: The budget is spent, or the first deviation was asked for and is there.
        """
        failed = any(self._plan.fails(BY_ID[rule].level) for rule, _, _ in self._candidates)
        if self.is_spent(more + self._safeguard.cost(requests)) or (self._plan.fail_fast and failed):
            raise Enough

    def is_spent(self, requests: int) -> bool:
        """Whether to send so many more would take from what is kept for showing findings again."""
        if self._limit is None:
            return False
        causes = len({candidate.cause for candidate in self._candidates.values()})
        kept = min(_FOR_COUNTEREXAMPLES[self._plan.profile] * causes, self._limit // 4)
        return self._target.requests + requests > self._limit - kept

    def share(self, causes: int) -> int:
        """The requests that one finding may have, so that those of other causes get theirs."""
        if self._limit is None:
            return REQUESTS
        return min(REQUESTS, max(_LEAST, (self._limit - self._target.requests) // causes))

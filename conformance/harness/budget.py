"""Divides the requests of a run between the phases and the confirmation of their candidates."""

from collections.abc import Sequence

from conformance.harness.candidates import Candidates
from conformance.harness.minimizer import REQUESTS
from conformance.harness.schedule import Plan
from conformance.http import Request
from conformance.rules import BY_ID
from conformance.safety.safeguard import Safeguard
from conformance.transport.target import Target

_FOR_COUNTEREXAMPLES = {"quick": 28, "standard": REQUESTS, "thorough": REQUESTS}
"""Requests that the phases leave for each cause seen, by profile. Together they leave a quarter of all at most."""

_FOR_RARE = {"quick": 0, "standard": 90, "thorough": 90}
"""Requests that generated examples leave besides, once a cause was seen: what shows now and then takes many tries."""

_LEAST = 20
"""Requests that each finding may have in any case. They suffice to show it again, minimize and attribute it."""

_MOST = 120
"""Requests for one finding, at most: a long history takes that many to be minimized."""

_UNLIMITED = 1500
"""Requests that a run without a limit divides between its findings, beside those that each may have in any case."""


class Enough(Exception):
    """The phases have to end: the budget is spent, or the first deviation was found and no more are wanted."""


class Budget:
    """Divides the requests of a run, which its target counts, between finding deviations and showing them again."""

    def __init__(self, target: Target, plan: Plan, candidates: Candidates, safeguard: Safeguard) -> None:
        self._target = target
        self._plan = plan
        self._candidates = candidates
        self._safeguard = safeguard
        self._limit = target.settings.max_requests

    def claim(self, requests: Sequence[Request], more: int = 0) -> None:
        """
        Check that the phases may send some requests.

        Args:
            requests: The requests to send.
            more: The number of further requests that go with them.

        Raises:
            Enough: The budget is spent, or the plan has `fail_fast` and a deviation was seen.
        """
        failed = any(self._plan.fails(BY_ID[rule].level) for rule, _, _ in self._candidates)
        if self.is_spent(more + self._safeguard.cost(requests)) or (self._plan.fail_fast and failed):
            raise Enough

    def is_spent(self, requests: int) -> bool:
        """Whether this number of requests would leave too few, or too little time, for showing findings again."""
        if self._target.patience.is_spent:
            return True
        limit = self._target.settings.max_time
        if limit is not None and self._candidates and self._target.time_left() < limit / 4:
            return True  # the rest of the time is for showing findings again
        if self._limit is None:
            return False
        kept = min(_FOR_COUNTEREXAMPLES[self._plan.profile] * len(self._candidates.causes), self._limit // 4)
        return self._target.requests + requests > self._limit - kept

    def ends_generation(self, to_come: int) -> bool:
        """Whether no more examples are generated, since the phases that follow send so many requests."""
        return bool(self._candidates) and self.is_spent(to_come + _FOR_RARE[self._plan.profile])

    def share(self, causes: int, findings: int, *, is_first: bool) -> int:
        """
        Return the number of requests that one finding may have.

        Args:
            causes: The number of causes whose findings are to come, that of this one included.
            findings: The number of all findings that are to come.
            is_first: Whether it is the first of its cause. Half of the requests are for those: each names its cause.
        """
        if self._limit is None:
            return min(_MOST, max(REQUESTS, _UNLIMITED // findings))
        left = self._limit - self._target.requests
        fair = max(_LEAST, min(REQUESTS, left // causes), left // findings)
        return min(_MOST, max(fair, left // (2 * causes)) if is_first else fair)

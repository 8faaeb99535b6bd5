"""Makes findings of candidates: each is shown again and made small, and equal ones are counted together."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from conformance.attribution.sameness import is_about_state
from conformance.harness.budget import Budget
from conformance.harness.candidates import Candidate
from conformance.harness.events import FindingConfirmed, Listener
from conformance.harness.minimizer import Minimizer
from conformance.harness.session import Session
from conformance.http import Exchange, FailureKind
from conformance.model import Finding
from conformance.rules import BY_ID

_UNSTABLE = 3
"""Findings of a kind that do not show again, after which others of it are hardly tried."""

_TWICE = 3
"""Requests for those: once, and twice more."""

_WAITING = 8
"""Requests at most to show a finding again that takes the whole timeout each time."""


class Confirmation:
    """
    The findings of a run.

    Args:
        session: The run.
        budget: Says how many requests each finding may have.
        listener: Hears of every finding.
    """

    def __init__(self, session: Session, budget: Budget, listener: Listener) -> None:
        self._session = session
        self._budget = budget
        self._listener = listener
        self._findings: list[Finding] = []
        self.dropped: Exchange | None = None
        """The one exchange of the run whose connection closed without an answer, where that never came again."""
        self._steady, self._unstable = Counter[str](), Counter[str]()
        self._moved: dict[str, Finding | None] = {}
        """By family of candidates, the finding of another rule that one turned out to be; None where one did not."""

    @property
    def findings(self) -> Sequence[Finding]:
        """All that there are so far."""
        return self._findings

    def confirm(self) -> None:
        """Show every candidate again that is not confirmed yet."""
        candidates = self._session.candidates.unconfirmed()
        to_come = Counter(candidate.cause for candidate in candidates)
        for candidate in candidates:
            budget = self._budget.share(len(to_come))
            to_come -= Counter([candidate.cause])  # which drops a cause that none is left of
            self._keep(candidate, self._shown_again(candidate, budget))

    def give_up(self) -> None:
        """Make findings of the candidates as first seen: there is no time, or no target, to show them again."""
        for candidate in self._session.candidates.unconfirmed():
            self._keep(candidate, Minimizer(self._session, candidate).as_seen())

    def _shown_again(self, candidate: Candidate, budget: int) -> Finding:
        kind = f"{candidate.violation.rule}: {candidate.violation.outcome}"
        # What comes and goes does so everywhere; what shows every time is something else.
        if self._unstable[kind] >= _UNSTABLE:
            budget = _TWICE
        failure = candidate.exchange.failure
        if failure is not None and failure.kind is FailureKind.TIMEOUT:
            budget = min(budget, _WAITING)
        minimizer = Minimizer(self._session, candidate, budget)
        finding = minimizer.finding()
        if minimizer.tried:
            (self._steady if finding.stable else self._unstable)[kind] += 1
        elif self._unstable[kind] > self._steady[kind]:
            finding = replace(finding, stable=False)  # as most of its kind that could be tried
        family = _family(candidate)
        if minimizer.asked:
            moves = finding.rule != candidate.violation.rule
            self._moved[family] = self._moved.get(family, finding) if moves else None
        elif (finding.stable or not minimizer.tried) and (same := self._moved.get(family)):
            # No request was left to ask which rule it breaks: the one that all others of its cause did.
            finding = replace(
                finding, rule=same.rule, level=same.level, outcome=same.outcome, cause=same.cause
            )
        return finding

    def _is_a_single_drop(self, candidate: Candidate, finding: Finding) -> bool:
        """Whether it is the one connection of a run that closed without an answer, and never again."""
        numbers = {
            number
            for each in self._session.candidates.values()
            if each.exchange.failure is not None
            for number in each.numbers
        }
        failure = candidate.exchange.failure
        closed = failure is not None and failure.kind is FailureKind.DISCONNECT and not failure.partial
        return closed and not finding.stable and len(numbers) == 1

    def _keep(self, candidate: Candidate, finding: Finding) -> None:
        """Keep a finding, or count it with the one that it turned out to be."""
        candidate.confirmed = True
        if self._is_a_single_drop(candidate, finding):
            self.dropped = candidate.exchange
            return
        moved = finding.rule != candidate.violation.rule
        requests = [each.request for each in finding.exchanges]
        for index, other in enumerate(self._findings):
            if (other.rule, other.outcome) == (finding.rule, finding.outcome) and (
                moved or other.cls == finding.cls or [each.request for each in other.exchanges] == requests
            ):
                # The class that is the rule's own, and comes first there, names it: in every run the same.
                kept = other if moved else min(other, finding, key=_place)
                numbers = other.numbers | finding.numbers
                self._findings[index] = replace(
                    kept, numbers=numbers, count=len(numbers), first=min(other.first, finding.first)
                )
                return
        self._findings.append(finding)
        self._listener(FindingConfirmed(finding=finding))


def _family(candidate: Candidate) -> str:
    """What candidates have in common that are likely to break one rule: their cause, or that state was lost alike."""
    violation = candidate.violation
    state = is_about_state(BY_ID[violation.rule])
    return f"state: {violation.outcome}" if state else candidate.cause


def _place(finding: Finding) -> tuple[int, str]:
    classes = [cls.id for cls in BY_ID[finding.rule].classes]
    return (classes.index(finding.cls) if finding.cls in classes else len(classes), finding.cls)

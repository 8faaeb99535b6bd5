"""Makes findings of candidates: shows each again, minimizes it, and counts equal findings together."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace

from conformance.attribution.cause import CauseKey
from conformance.attribution.sameness import PREVIOUS, is_about_state
from conformance.harness.budget import Budget
from conformance.harness.candidates import Candidate
from conformance.harness.events import FindingConfirmed, Listener
from conformance.harness.minimizer import Minimizer
from conformance.harness.session import Session
from conformance.http import Exchange
from conformance.model import BY_ATTRIBUTE, Aspect, Field, Finding, Level, Rule
from conformance.rules import BY_ID, CATALOGUE

_UNSTABLE = 3
"""Unstable findings of one rule and outcome, after which others of these get `_FEW` as their budget."""

_FEW = 3
"""Requests for such a finding: one to show it again, and two to repeat that."""


class Confirmation:
    """
    Confirms the candidates of a run, and keeps the findings.

    Args:
        session: The run.
        budget: Decides how many requests may be sent for each finding.
        listener: Is called with every new finding.
    """

    def __init__(self, session: Session, budget: Budget, listener: Listener) -> None:
        self._session = session
        self._budget = budget
        self._listener = listener
        self._findings: list[Finding] = []
        self.dropped: Exchange | None = None
        """The exchange that got no answer, but a closed connection, or 502, if there was one in the run; else None."""
        self._stable, self._unstable = Counter[str](), Counter[str]()
        """How many findings were tried again, by rule and outcome: those that were stable, and those that were not."""
        self._attributed: defaultdict[tuple[CauseKey, Field | None], dict[str, Finding]] = defaultdict(dict)
        """By family and setting of candidates, and by the rule that the target was seen to break: its first finding."""

    @property
    def findings(self) -> Sequence[Finding]:
        """All findings so far."""
        return self._findings

    def keep(self, is_kept: Callable[[Finding], bool]) -> None:
        """Forget the findings for which `is_kept` is false."""
        self._findings = [finding for finding in self._findings if is_kept(finding)]

    def confirm(self) -> None:
        """Show every candidate again that is not confirmed yet, and make a finding of it."""
        candidates = self._session.candidates.unconfirmed()
        to_come = Counter(candidate.cause for candidate in candidates)
        begun: set[CauseKey] = set()
        for done, candidate in enumerate(candidates):
            is_first = candidate.cause not in begun
            begun.add(candidate.cause)
            budget = self._budget.share(len(to_come), len(candidates) - done, is_first=is_first)
            to_come -= Counter([candidate.cause])  # Subtraction drops a cause whose count is 0.
            self._keep(candidate, self._shown_again(candidate, budget))
        self._put_together()

    def give_up(self) -> None:
        """Make findings of the other candidates as first seen: there is no time or no target to show them again."""
        for candidate in self._session.candidates.unconfirmed():
            self._keep(candidate, Minimizer(self._session, candidate).as_seen())

    def _shown_again(self, candidate: Candidate, budget: int) -> Finding:
        kind = f"{candidate.violation.rule}: {candidate.violation.outcome}"
        # If several were unstable, the rest of the kind probably is; a few requests show one that is stable.
        if self._unstable[kind] >= _UNSTABLE:
            budget = _FEW
        exchange = candidate.exchange
        if exchange.is_timeout or exchange.request.after:
            is_known = self._stable[kind] and (
                exchange.request.after or self._session.target.patience.is_spent
            )
            budget = 0 if is_known else budget
        minimizer = Minimizer(self._session, candidate, budget)
        finding = minimizer.finding()
        if minimizer.was_tried and not minimizer.is_cut_short:
            (self._stable if finding.stable else self._unstable)[kind] += 1
        elif self._unstable[kind] > self._stable[kind]:
            finding = replace(finding, stable=False)  # Most of its kind that were tried are unstable.
        family = _family(candidate), BY_ID[candidate.violation.rule].field
        attributed = self._attributed[family]
        if minimizer.is_attributed:
            attributed.setdefault(finding.rule, finding)
        elif (finding.stable or not minimizer.was_tried) and len(attributed) == 1:
            # The target was not asked which rule this breaks. All others of its family break the same one.
            (same,) = attributed.values()
            rule = of_setting(BY_ID[same.rule], BY_ATTRIBUTE.get(finding.field or ""))
            if rule is not None and (finding.level is Level.MUST or rule.level is Level.SHOULD):
                finding = replace(finding, rule=rule.id, level=rule.level, outcome=same.outcome)
        return finding

    def _put_together(self) -> None:
        """Count unstable findings of a wrong value with the stable one that the setting's value before is shown."""
        behind: dict[str | None, int] = {
            each.field: index
            for index, each in enumerate(self._findings)
            if each.stable and each.outcome == PREVIOUS and each.field is not None
        }
        once = [
            each
            for each in self._findings
            if not each.stable and each.field in behind and BY_ID[each.rule].aspect is Aspect.ECHO
        ]
        for finding in once:
            index = behind[finding.field]
            self._findings[index] = _counted(self._findings[index], finding)
        self._findings = [each for each in self._findings if each not in once]

    def _is_a_single_drop(self, candidate: Candidate, finding: Finding) -> bool:
        """Whether the candidate is a request that the target did not answer, and the only failure of the run."""
        failure = candidate.exchange.failure
        if finding.stable or not candidate.exchange.is_lost or (failure is not None and failure.partial):
            return False
        numbers = {
            number
            for each in self._session.candidates.values()
            if each.exchange.failed
            for number in each.numbers
        }
        return len(numbers) == 1 and self._session.target.drops <= 1

    def _keep(self, candidate: Candidate, finding: Finding) -> None:
        """Confirm a candidate, and keep its finding or count it with an equal one."""
        self._session.candidates.confirm(candidate)
        if self._is_a_single_drop(candidate, finding):
            self.dropped = candidate.exchange
            return
        moved = finding.rule != candidate.violation.rule
        requests = [each.request for each in finding.exchanges]
        for index, other in enumerate(self._findings):
            if (other.rule, other.outcome) == (finding.rule, finding.outcome) and (
                (moved and other.field == finding.field)
                or other.cls == finding.cls
                or [each.request for each in other.exchanges] == requests
            ):
                # The finding gets the class that comes first in its rule, so that it has the same name in every run.
                kept = other if moved else min(other, finding, key=_place)
                self._findings[index] = _counted(_counted(kept, other), finding)
                return
        self._findings.append(finding)
        self._listener(FindingConfirmed(finding=finding))


def _place(finding: Finding) -> tuple[bool, int, str]:
    return (finding.sent_once, *place(finding.rule, finding.cls))


def of_setting(rule: Rule, about: Field | None) -> Rule | None:
    """The rule that claims the same of a setting as another claims of its own; None where not just one does."""
    if rule.field in (None, about) or about is None:
        return rule
    alike = [
        each
        for each in CATALOGUE
        if each.field is about and (each.aspect, each.level) == (rule.aspect, rule.level)
    ]
    return alike[0] if len(alike) == 1 else None


def _counted(kept: Finding, other: Finding) -> Finding:
    """The first finding, with the requests of the second counted."""
    numbers = kept.numbers | other.numbers
    return replace(kept, numbers=numbers, count=len(numbers), first=min(kept.first, other.first))


def _family(candidate: Candidate) -> CauseKey:
    """What candidates have in common that are likely to break one rule: their cause, or that state was lost alike."""
    cause = candidate.cause
    return cause._replace(family="state") if is_about_state(BY_ID[candidate.violation.rule]) else cause


def place(rule: str, cls: str) -> tuple[int, str]:
    """Return the place of a class among those of a rule; other classes come after them, by name."""
    classes = [each.id for each in BY_ID[rule].classes]
    return (classes.index(cls) if cls in classes else len(classes), cls)

"""
Which findings have one cause, and which of them follow from another.

By itself, a finding has its rule's family, the setting and the outcome as its cause (`cause_of`). `attribute` compares
all findings of a run, in two steps.

1. Settings that are wrong in the same way share a cause: the same family and outcome, in the same input classes.
2. A cause that a more basic one explains follows from it; `conformance.attribution.explanations` says how.

Where nothing in the run says that findings belong together they stay apart: of two mistakes reported as one, one is
hidden.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from conformance.attribution.cause import HALF, Cause, CauseKey, cause_of
from conformance.attribution.explanations import explains
from conformance.model import Aspect, Field, Finding, Outcome
from conformance.rules import BY_ID


@dataclass(frozen=True, slots=True)
class Attribution:
    """The cause that a finding is attributed to."""

    cause: str
    """Findings with the same cause are one difference."""
    consequence_of: str | None = None
    """The id of the rule whose finding explains it; None where it shows the cause itself."""
    rank: int = 0
    """The place of the cause among those of the run, the most basic claim first."""


def attribute(outcomes: Sequence[Outcome]) -> list[Attribution]:
    """
    Attribute each finding of a run to a cause.

    Args:
        outcomes: the verdicts of the run, with their findings.

    Returns:
        As many as there are findings, in their order.
    """
    findings = [finding for outcome in outcomes for finding in outcome.findings]
    by_rule = {outcome.rule.id: outcome for outcome in outcomes}
    members: defaultdict[tuple[CauseKey, Field | None], list[Finding]] = defaultdict(list)
    for finding in findings:
        members[_key(finding)].append(finding)
    everything: list[Cause] = []
    causes = {key: Cause(key[0], found, by_rule, everything) for key, found in members.items()}
    everything += causes.values()
    # The most basic claim first; of one aspect, the one that shows most often.
    ordered = sorted(causes.values(), key=lambda each: (each.aspect, not each.is_must, -each.counts.total()))
    parents: dict[Cause, tuple[Cause, bool]] = {}
    for place, cause in enumerate(ordered):
        for index, root in enumerate(ordered):
            if root is cause or _root(root, parents) is _root(cause, parents):
                continue
            is_before = index < place
            alike = is_before and _is_alike(root, cause)
            # Of two that explain each other the more basic one is first.
            explained = explains(root, cause) and (is_before or not explains(cause, root))
            if alike or explained:
                parents[cause] = (root, not alike)
                break
    ranks = {cause: rank for rank, cause in enumerate(ordered)}
    return [
        replace(_attribution(finding, causes[_key(finding)], parents), rank=ranks[root])
        for finding in findings
        for root in [_root(causes[_key(finding)], parents)]
    ]


def _key(finding: Finding) -> tuple[CauseKey, Field | None]:
    """The cause that a finding has by itself, with the setting that its rule is about; None where it is about none."""
    key = cause_of(finding)
    return key, None if key.is_malformed else BY_ID[finding.rule].field


def _root(cause: Cause, parents: Mapping[Cause, tuple[Cause, bool]]) -> Cause:
    while cause in parents:
        cause, _ = parents[cause]
    return cause


def _attribution(finding: Finding, cause: Cause, parents: Mapping[Cause, tuple[Cause, bool]]) -> Attribution:
    root, follows = cause, False
    while root in parents:
        root, explained = parents[root]
        follows = follows or explained
    # Of several rules that one cause breaks, the most basic names it.
    follows = follows or BY_ID[finding.rule].family != root.rules[0].family
    rule = root.rules[0]
    is_of_family = root.key.is_malformed or rule.field is None
    name = str(root.key) if is_of_family else f"{rule.id}: {root.outcome}"
    return Attribution(name, rule.id if follows else None)


def _is_alike(one: Cause, other: Cause) -> bool:
    """Whether settings are wrong in one way: the same family in the same inputs, or values of the same shape."""
    malformed = [cause.key.is_malformed for cause in (one, other)]
    if any(malformed):
        return all(malformed) and not one.shapes.isdisjoint(other.shapes)
    if _is_everywhere_alike(one, other) or _is_shown_by_the_same(one, other):
        return True
    rule = one.rules[0]
    is_of_requests = one.aspect is Aspect.STATE or rule.control is not None or rule.culprit is not None
    if one.rules == other.rules and is_of_requests:
        return True  # one such mistake has different outcomes for different settings
    if one.key != other.key or len(one.counts) > 1 or len(other.counts) > 1:
        return False
    common = one.own & other.own
    broken, also = one.classes & common, other.classes & common
    if not broken | also:
        # Neither shows in an input of the rule's own, so only the outcome can be compared.
        return one.own.isdisjoint(one.classes) and other.own.isdisjoint(other.classes)
    return len(broken & also) >= HALF * len(broken | also)


def _is_shown_by_the_same(one: Cause, other: Cause) -> bool:
    """Settings that come back wrong in the same way from the same requests, and from no others."""
    alike = one.aspect is other.aspect is Aspect.ECHO and one.outcome == other.outcome
    return alike and bool(one.numbers) and one.numbers == other.numbers


def _is_everywhere_alike(one: Cause, other: Cause) -> bool:
    """A target that shows no setting as it was sent makes one mistake, not one for each kind of setting."""
    both = (one, other)
    return one.outcome == other.outcome and all(
        each.aspect is Aspect.ECHO and each.rules[0].field is not None and each.is_everywhere for each in both
    )

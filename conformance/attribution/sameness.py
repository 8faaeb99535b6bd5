"""Whether two violations are the same one, seen twice: what a rule claims says how much may differ."""

from conformance.model import Aspect, Rule, Violation
from conformance.rules import BY_ID

PREVIOUS = "previous-value"
"""The outcome of an answer that shows the value that was to be replaced: only two requests can show it."""


def is_about_state(rule: Rule) -> bool:
    """Whether a rule is about what was, or was not, written: only what was sent in between tells these rules apart."""
    return rule.aspect is Aspect.STATE or (rule.culprit is not None and rule.aspect is not Aspect.WIRE)


def is_same(wanted: Violation, seen: Violation, *, several: bool, together: bool) -> bool:
    """
    Return whether a violation is the wanted one.

    Args:
        wanted: as it was first seen.
        seen: in the answer to the same requests, or to fewer.
        several: whether the request sends several parameters: any of them may be why it is refused.
        together: whether requests were sent at the same moment: another setting may be lost each time.
    """
    rules = BY_ID[wanted.rule], BY_ID[seen.rule]
    if together and wanted.rule == seen.rule:
        return True
    if wanted.outcome == "foreign-value" and wanted.field is not None:
        # A value may be that of another account by chance: then the same shows without that account, too.
        by_chance = wanted.observed == seen.observed and rules[1].aspect in (
            Aspect.ECHO,
            Aspect.STATE,
            Aspect.CONSISTENCY,
        )
        return wanted.field == seen.field and (by_chance or seen.outcome == "foreign-value")
    if is_about_state(rules[0]):
        return is_about_state(rules[1]) and wanted.field == seen.field
    if rules[0].aspect is Aspect.ECHO and wanted.related and wanted.outcome != "refused":
        # What it says, it says of two requests.
        return (wanted.rule, wanted.outcome) == (seen.rule, seen.outcome)
    if rules[0].aspect is Aspect.ECHO and wanted.outcome != "refused":
        # Another value can be shown each time; only the one before takes two requests to be seen.
        alike = rules[1].aspect is Aspect.ECHO and wanted.field == seen.field
        return alike and (wanted.outcome != PREVIOUS or seen.outcome == PREVIOUS)
    shown = wanted.outcome not in ("refused", "accepted")
    if rules[0].control is not None and shown and wanted.field == seen.field:
        return wanted.rule == seen.rule or rules[1].aspect is Aspect.ECHO
    if wanted.outcome != seen.outcome:
        return False
    # A form may be refused for its values, or for itself: the rule is the one that explains the smallest request.
    movable = wanted.outcome == "refused" and (several or any(rule.field is None for rule in rules))
    return wanted.rule == seen.rule or movable

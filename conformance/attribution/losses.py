"""Explanations of settings that come back wrong, or that are no longer what they were."""

from conformance.attribution.cause import HALF, Cause, settings_of
from conformance.attribution.sameness import PREVIOUS, is_about_state
from conformance.model import Aspect
from conformance.oracle.durations import read

_LOST = ("cleared", "reset", "changed", "lost", "previous-value")
"""Outcomes of a setting that is no longer what it was."""

_READ_LOST = (*_LOST, "stale", "never-in-force")
"""Outcomes of a read that shows such a setting."""


def _is_shown_wrong(root: Cause, cause: Cause) -> bool:
    """The answer to an update shows something else than what was set, in one way or another."""
    return (
        root.is_about_shown
        and cause.is_about_shown
        and not cause.settings.isdisjoint(root.settings)
        and all(
            any(
                other.is_about_shown
                and other is not cause
                and cause.counts[each] <= HALF * other.counts[each]
                for other in cause.all
            )
            for each in cause.settings
        )
    )


def _shows_another_length(root: Cause, cause: Cause) -> bool:
    """Timers come back with another length: for the one with the longer minimum, also with one that is too short."""
    fields = (root.rules[0].field, next(iter(cause.settings), None))
    own = cause.classes & root.own
    return (
        all(each is not None and each.kind == "timer" for each in fields)
        and (root.outcome, root.aspect, cause.key.is_malformed) == ("changed", Aspect.ECHO, True)
        and all(read(each.observed.partition(": ")[2].strip("'")) for each in cause.findings)
        and bool(own)
        and len(own & root.classes) >= HALF * len(own)
    )


def _shows_what_was_before(root: Cause, cause: Cause) -> bool:
    """A target whose answers show the value before shows none for a setting that had none."""
    alike = (root.outcome, cause.outcome) == (PREVIOUS, "missing")
    return alike and root.is_stable and cause.is_rarer_than(root)


def _comes_a_step_late(root: Cause, cause: Cause) -> bool:
    """Answers show the value before: what an update has set is seen to change with the answer after that, too."""
    return (
        root.outcome == PREVIOUS
        and root.is_stable
        and is_about_state(cause.rules[0])
        and cause.is_within(root)
        and cause.is_rarer_than(root)
        and cause.shows_a_step_late
    )


def _is_never_shown(root: Cause, cause: Cause) -> bool:
    """Where what an update sets is never shown, later answers say nothing about it."""
    return (
        _is_unshown(root)
        and cause.aspect in (Aspect.STATE, Aspect.CONSISTENCY)
        and cause.is_within(root)
        and cause.is_rarer_than(root)
    )


def _does_so_when_sent_plainly(root: Cause, cause: Cause) -> bool:
    """A rule about a peculiar way of sending says nothing where the plain way does no better."""
    return (
        _is_unshown(root)
        and cause.rules[0].control is not None
        and cause.outcome not in ("refused", "accepted")
        and not cause.settings.isdisjoint(root.settings)
        and cause.settings <= settings_of(filter(_is_unshown, cause.all))
    )


def _is_unshown(cause: Cause) -> bool:
    return cause.aspect is Aspect.ECHO and cause.is_never_right


def _is_not_kept(root: Cause, cause: Cause) -> bool:
    """All these rules say that a setting is no longer the same; only how much was sent in between tells them apart."""
    kept = [each.aspect is Aspect.STATE and each.rules[0].culprit is None for each in (root, cause)]
    return all(kept) and not root.settings.isdisjoint(cause.settings) and cause.is_rarer_than(root)


def _is_understood(root: Cause, cause: Cause) -> bool:
    """Where one kind of request changes settings that are otherwise kept, it explains other changes, too."""
    return (
        root.aspect is cause.aspect is Aspect.STATE
        and root.rules[0].culprit is not None
        and cause.rules[0].culprit is None
        and root.is_stable
        and {each.outcome for each in cause.findings} <= {each.outcome for each in root.findings}
        and all(cause.outcomes[rule.id].evidence is not None for rule in cause.rules)
    )


def _changes_what_is_read(root: Cause, cause: Cause) -> bool:
    """Where a request changes what it must not, later reads show the change."""
    rule = root.rules[0]
    return (
        rule.culprit is not None
        and is_about_state(rule)
        and cause.aspect is Aspect.CONSISTENCY
        and not cause.settings.isdisjoint(root.settings)
    )


def _loses_what_is_read(root: Cause, cause: Cause) -> bool:
    """What an update sets is lost later, or any setting now and then: reads show it too, no more often."""
    return (
        root.aspect is Aspect.STATE
        and root.rules[0].culprit is None
        and cause.aspect is Aspect.CONSISTENCY
        and cause.outcome in _READ_LOST
        and cause.is_rarer_than(root)
        and (not root.is_stable or not cause.settings.isdisjoint(root.settings))
    )


def _is_lost_whatever_came_before(root: Cause, cause: Cause) -> bool:
    """Where settings are lost now and then, requests that must change nothing do not cause a loss after them."""
    return (
        not (root.is_stable or cause.is_stable)
        and root.aspect is Aspect.STATE
        and root.rules[0].culprit is None
        and is_about_state(cause.rules[0])
        and cause.outcome in _LOST
        and (cause.rules[0].culprit is not None or cause.is_rarer_than(root))
    )


def _is_what_was_refused(root: Cause, cause: Cause) -> bool:
    """A refused update writes: the value that it has sent is shown in place of one that is sent later, too."""
    return (
        root.is_stable
        and root.aspect is Aspect.STATE
        and root.rules[0].culprit is not None
        and cause.is_about_shown
        and cause.is_within(root)
        and cause.shows_what_was_refused
    )


def _is_the_answer_of_another(root: Cause, cause: Cause) -> bool:
    """An answer that shows the settings of another account names it, too; and what is written there is missing here."""
    follows = cause.outcome.endswith("other-account") or cause.outcome in ("lost", "mixed-up")
    return root.outcome == "foreign-value" and follows


def _comes_and_goes(root: Cause, cause: Cause) -> bool:
    """What shows now and then is attributed to what shows every time, of the same setting or connection."""
    if cause.is_stable or not root.is_stable:
        return False
    if root.rules[0].culprit is not None and root.aspect is Aspect.WIRE:
        return all(status is None or status >= 400 for status in cause.statuses)
    aspects = {root.aspect, cause.aspect}
    alike = not cause.settings.isdisjoint(root.settings) or aspects <= {Aspect.STATE, Aspect.CONSISTENCY}
    return alike and min(aspects) >= Aspect.ECHO


WHERE_MORE_BASIC = (
    _is_shown_wrong,
    _shows_another_length,
    _shows_what_was_before,
    _comes_a_step_late,
    _is_never_shown,
    _is_not_kept,
    _is_understood,
    _changes_what_is_read,
    _loses_what_is_read,
)
"""Explanations that hold where the first cause makes the more basic claim."""

ANYWHERE = (
    _does_so_when_sent_plainly,
    _is_lost_whatever_came_before,
    _is_what_was_refused,
    _is_the_answer_of_another,
    _comes_and_goes,
)
"""Explanations that hold whatever the first cause claims."""

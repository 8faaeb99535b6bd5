"""
How a cause can follow from another.

Each function takes two causes, of which the first makes the more basic claim (`conformance.model.Aspect`), and says
whether it explains the second. Where nothing in the run says so, two causes stay apart: two mistakes told as one hide
one of them.
"""

from collections import defaultdict
from collections.abc import Iterable

from conformance.attribution.cause import HALF, Cause
from conformance.attribution.sameness import PREVIOUS, is_about_state
from conformance.attribution.shapes import features, shape
from conformance.http import NOT_ACCEPTABLE
from conformance.model import BY_PARAMETER, Aspect, Field
from conformance.oracle.decisions import Answer, contains_sid, decide_sid, decide_value, is_zero
from conformance.rules.acceptance import ACCEPTED_STATUS
from conformance.rules.controls import canonical, without_accept

_LOST = ("cleared", "reset", "changed", "lost", "previous-value")
"""Outcomes of a setting that is no longer what it was."""

_READ_LOST = (*_LOST, "stale", "never-in-force")
"""Outcomes of a read that shows such a setting."""

_UNREAD = (PREVIOUS, "missing", "changed")
"""Outcomes of a parameter that was not read."""

_NEARLY = 2
"""How many times the minimum a timer may be, to be refused for a minimum that is too high."""


_LOOKED_AT = 64
"""Characters of a value that are looked at for a duration in it."""


def explains(root: Cause, cause: Cause) -> bool:
    """Whether a cause with the more basic claim explains another; one that only should hold never a MUST."""
    if cause.is_must and not root.is_must:
        return False
    is_basic = root.aspect <= cause.aspect
    return any(
        holds(root, cause) for holds in (*(_EXPLANATIONS if is_basic else ()), *_WHATEVER_IS_MORE_BASIC)
    )


def _fails_and_stays_so(root: Cause, cause: Cause) -> bool:
    """After a failure an ordinary update is sent, which may fail as well."""
    return root.aspect is Aspect.WIRE and cause.outcome == "unusable" and root.outcome != "unusable"


def _harms_what_comes_after(root: Cause, cause: Cause) -> bool:
    """Ordinary requests are refused after certain others: a good value is refused with the same status after those."""
    culprit = root.rules[0].culprit
    return (
        culprit is not None
        and root.aspect is Aspect.WIRE
        and root.outcome == cause.outcome == "refused"
        and root.statuses >= cause.statuses
        and all(
            any(culprit(each, seen[-1]) for each in seen[:-1])
            for seen in (finding.exchanges for finding in cause.findings)
        )
    )


def _lets_anybody_in(root: Cause, cause: Cause) -> bool:
    """Who asks for no credentials also writes, and reads, without."""
    is_the_same = root.is_must == cause.is_must and root.outcome == cause.outcome
    return (
        root.aspect is cause.aspect is Aspect.CREDENTIALS
        and root.outcome == "accepted"
        and cause.outcome in ("accepted", "written", "cleared")
        and not is_the_same
    )


def _refuses_a_value(root: Cause, cause: Cause) -> bool:
    """A form is refused for a value in it that is refused by itself."""
    alone = root.outcome == "refused" and root.aspect is Aspect.ACCEPTANCE and root.rules[0].field is not None
    return alone and cause.outcome == "refused" and _is_rarer(cause, root) and _is_refused_alone(root, cause)


def _is_refused_for_its_length(root: Cause, cause: Cause) -> bool:
    """Where a timer of just the minimum is refused, and else only timers that are hardly longer, so are those."""
    timer = root.rules[0].field
    values = {value for sent in root.sent for _, value in sent}
    return (
        timer is not None
        and timer is cause.rules[0].field
        and root.outcome == cause.outcome == "refused"
        and root.aspect is cause.aspect is Aspect.ACCEPTANCE
        and not values.isdisjoint({f"PT{timer.minimum}S", f"PT{timer.minimum // 60}M"})
        and bool(cause.lengths)
        and all(each is not None and each < _NEARLY * timer.minimum for each in cause.lengths)
    )


def _is_refused_by_itself(root: Cause, cause: Cause) -> bool:
    """A parameter is refused where it is sent without the others, whatever its value is."""
    needy = {name for sent in root.sent if len(sent) == 1 for name, _ in sent}
    return (
        root.outcome == cause.outcome == "refused"
        and root.aspect is cause.aspect is Aspect.ACCEPTANCE
        and root.rules[0].field is None
        and all(len(sent) == 1 and needy.issuperset(dict(sent)) for sent in cause.sent)
    )


def _is_not_read_beside_others(root: Cause, cause: Cause) -> bool:
    """A parameter is not read in some forms of several: then they do not set it, and it is not validated."""
    unread = root.aspect is Aspect.ACCEPTANCE and root.rules[0].field is None and root.outcome != "refused"
    unvalidated = cause.outcome == "accepted" and root.outcome in _UNREAD and root.rules[0].control is None
    return unread and (cause.is_about_shown or unvalidated) and all(len(sent) > 1 for sent in cause.sent)


def _is_not_validated_there(root: Cause, cause: Cause) -> bool:
    """Bad values are taken at some places of a form: there it is not looked at a repeated or an empty one either."""
    rule = root.rules[0]
    unread = root.outcome == "accepted" and root.aspect is Aspect.ACCEPTANCE
    return (
        unread
        and (rule.field, rule.control) == (None, None)
        and cause.outcome in ("accepted", "invalid-value", "neither-value")
        and all(len(sent) > 1 for sent in cause.sent)
    )


def _is_not_decoded(root: Cause, cause: Cause) -> bool:
    """A value that cannot be sent without an escape is refused where no escape is decoded."""
    both = root.outcome == cause.outcome == "refused" and root.rules[0].control is canonical
    return both and all(b"%" in (each.exchanges[-1].request.body or b"") for each in cause.findings)


def _is_not_acceptable(root: Cause, cause: Cause) -> bool:
    """A 406 is about the Accept header, whatever else is wrong with the request."""
    return root.statuses == cause.statuses == {NOT_ACCEPTABLE} and root.rules[0].control is without_accept


def _answers_nothing(root: Cause, cause: Cause) -> bool:
    """An answer that has nothing of the resource shows no setting either."""
    basic = root.aspect is Aspect.REPRESENTATION
    return basic and cause.aspect >= Aspect.ECHO and root.says_nothing and cause.says_nothing


def _is_as_unreadable(root: Cause, cause: Cause) -> bool:
    """Refusals are no JSON for the reason for which no other answer is."""
    alike = root.outcome == cause.outcome == "not-json" and root.aspect is Aspect.REPRESENTATION
    return alike and not {each.observed for each in root.findings}.isdisjoint(
        each.observed for each in cause.findings
    )


def _is_refused_with_a_200(root: Cause, cause: Cause) -> bool:
    """Settings are shown where values are taken; an answer without any of them is a refusal, and lacks them all."""
    shows = any(
        each.evidence is not None and each.rule.aspect is Aspect.ECHO for each in cause.outcomes.values()
    )
    return shows and root.outcome == "accepted" and root.says_nothing and cause.rests_on_nothing


def _is_not_kept(root: Cause, cause: Cause) -> bool:
    """A setting is no longer the same: only how much was sent in between tells these rules apart."""
    kept = [each.aspect is Aspect.STATE and each.rules[0].culprit is None for each in (root, cause)]
    return all(kept) and not root.settings.isdisjoint(cause.settings) and _is_rarer(cause, root)


def _is_rarer(cause: Cause, root: Cause) -> bool:
    return cause.counts.total() <= root.counts.total()


def _is_within(cause: Cause, root: Cause) -> bool:
    """Whether a cause is about settings, and about none but those of another."""
    return bool(cause.settings) and cause.settings <= root.settings


def _is_shown_wrong(root: Cause, cause: Cause) -> bool:
    """The answer to an update shows something else than what was set, in one way or another."""
    return (
        root.is_about_shown
        and cause.is_about_shown
        and _is_within(cause, root)
        and all(cause.counts[each] <= HALF * root.counts[each] for each in cause.settings)
    )


def _shows_what_was_before(root: Cause, cause: Cause) -> bool:
    """Answers show the value before, and of a setting without one they show none."""
    alike = (root.outcome, cause.outcome) == (PREVIOUS, "missing")
    return alike and root.is_stable and _is_rarer(cause, root)


def _is_never_shown(root: Cause, cause: Cause) -> bool:
    """What an update sets is never shown: nothing can be said of what later answers show of it."""
    return (
        _is_unshown(root)
        and cause.aspect in (Aspect.STATE, Aspect.CONSISTENCY)
        and _is_within(cause, root)
        and _is_rarer(cause, root)
    )


def _takes_blanks(root: Cause, cause: Cause) -> bool:
    """A value is taken with its blanks, and comes back with them."""
    return root.outcome == "accepted" and cause.outcome == "blank" and cause.classes <= root.classes


def _is_a_sid_and_more(root: Cause, cause: Cause) -> bool:
    """What only contains a SID is taken: so is one that is too long, or has blanks around it and comes back so."""
    about = root.rules[0].field
    if about is None or about.kind != "sid" or about is not cause.rules[0].field:
        return False
    whole = [decide_sid(value, about.prefix).claim for sent in root.sent for _, value in sent]
    return (
        root.outcome == "accepted"
        and set(whole) == {"anchoring"}
        and cause.outcome in ("accepted", "blank")
        and all(contains_sid(value, about.prefix) for sent in cause.sent for _, value in sent)
    )


def _is_a_timer_and_more(root: Cause, cause: Cause) -> bool:
    """What only begins or ends with a duration is taken: so is one with blanks around it, and comes back so."""
    about = root.rules[0].field
    return (
        about is not None
        and about.kind == "timer"
        and about is cause.rules[0].field
        and (root.outcome, cause.outcome) == ("accepted", "blank")
        and any(_has_more(about, value) for sent in root.sent for _, value in sent)
    )


def _has_more(about: Field, value: str) -> bool:
    """Whether a value is a good one, and something else before or behind it."""
    parts = (
        part for place in range(1, min(len(value), _LOOKED_AT)) for part in (value[:place], value[place:])
    )
    return any(decide_value(about, part).answer is Answer.ACCEPT for part in parts)


def _takes_no_update(root: Cause, cause: Cause) -> bool:
    """No good update was ever accepted: that it is refused says nothing about what is peculiar to it."""
    none = root.outcomes.get(ACCEPTED_STATUS.id)
    refused = root.outcome == cause.outcome == "refused"
    return refused and root.aspect is Aspect.ACCEPTANCE and none is not None and none.evidence is None


def _shows_its_blanks(root: Cause, cause: Cause) -> bool:
    """A value that only should be refused is taken, and comes back with its blanks, which it must not."""
    blank = root.outcome == "blank" and root.aspect is Aspect.ECHO
    return blank and cause.outcome == "accepted" and not cause.is_must and root.classes <= cause.classes


def _checks_nothing(root: Cause, cause: Cause) -> bool:
    """A target that does not look at the syntax of a value looks at nothing else in it either."""
    if not _is_unchecked(root) or not _is_within(cause, root):
        return False
    shown = cause.is_about_shown and (cause.outcome == "blank" or cause.key.is_malformed)
    unchecked = cause.rules[0].field is not None and cause.outcome == "accepted" and cause.is_everywhere
    return shown or unchecked


def _does_so_when_sent_plainly(root: Cause, cause: Cause) -> bool:
    """A rule about a peculiar way of sending says nothing where the plain way does no better."""
    return (
        _is_unshown(root)
        and cause.rules[0].control is not None
        and cause.outcome not in ("refused", "accepted")
        and not cause.settings.isdisjoint(root.settings)
        and cause.settings <= _settings_of(filter(_is_unshown, cause.all))
    )


def _is_unshown(cause: Cause) -> bool:
    return cause.aspect is Aspect.ECHO and cause.is_never_right


def _settings_of(causes: Iterable[Cause]) -> frozenset[Field]:
    return frozenset().union(*(each.settings for each in causes))


def _is_understood(root: Cause, cause: Cause) -> bool:
    """Settings are kept as a rule, and are changed by one kind of request: other changes are put down to it, too."""
    return (
        root.aspect is cause.aspect is Aspect.STATE
        and root.rules[0].culprit is not None
        and cause.rules[0].culprit is None
        and root.is_stable
        and {each.outcome for each in cause.findings} <= {each.outcome for each in root.findings}
        and all(cause.outcomes[rule.id].evidence is not None for rule in cause.rules)
    )


def _changes_what_is_read(root: Cause, cause: Cause) -> bool:
    """A request that must change nothing does: what is read later shows it."""
    return (
        root.aspect is Aspect.STATE
        and root.rules[0].culprit is not None
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
        and _is_rarer(cause, root)
        and (not root.is_stable or not cause.settings.isdisjoint(root.settings))
    )


def _is_answered_alike(root: Cause, cause: Cause) -> bool:
    """A way of sending that is not understood brings one status, whatever is sent so, or is not validated."""
    control = root.rules[0].control
    unvalidated = root.outcome == cause.outcome == "accepted"
    return (
        control is not None
        and root.statuses == cause.statuses
        and (unvalidated or all(status is not None and status >= 300 for status in root.statuses))
        and all(control(each.exchanges[-1].request) is not None for each in cause.findings)
    )


def _keeps_anything(root: Cause, cause: Cause) -> bool:
    """A target that does not look at the syntax of a value does not look at it in other forms either."""
    return (
        _is_unchecked(root)
        and cause.outcome in ("invalid-value", "written")
        and not cause.settings.isdisjoint(root.settings)
        and cause.settings <= _settings_of(filter(_is_unchecked, cause.all))
    )


def _reads_other_bytes(root: Cause, cause: Cause) -> bool:
    """A form that is decoded in a way of its own is not looked at; the same bytes as another body are not, either."""
    names = {name for sent in root.sent for name, _ in sent}
    lenient = root.rules[0].control is canonical and root.outcome == "accepted"
    return lenient and cause.outcome == "written" and names >= {each.parameter for each in cause.settings}


def _is_unread_beside_others(root: Cause, cause: Cause) -> bool:
    """Bad values are taken in a form of several parameters only: it is that form which is not looked at."""
    return (
        root.outcome == "accepted"
        and root.aspect in (Aspect.SYNTAX, Aspect.CONTENT)
        and (cause.outcome in ("accepted", "blank") or (cause.is_about_shown and cause.shows_what_was_sent))
        and root.rules[0].field is cause.rules[0].field is not None
        and all(len(sent) > 1 for sent in (*root.sent, *cause.sent))
    )


def _pass_together(root: Cause, cause: Cause) -> bool:
    """Bad values of two settings are taken only where both are bad."""
    if not root.outcome == cause.outcome == "accepted":
        return False
    both = {each.parameter for each in (root.rules[0].field, cause.rules[0].field) if each is not None}
    return len(both) > 1 and all(both <= _bad(sent) for sent in (*root.sent, *cause.sent))


def _bad(sent: Iterable[tuple[str, str]]) -> set[str]:
    """The parameters of a form whose values are to be refused."""
    return {
        name
        for name, value in sent
        if name in BY_PARAMETER and decide_value(BY_PARAMETER[name], value).answer is Answer.REJECT
    }


def _is_unchecked(cause: Cause) -> bool:
    return cause.aspect is Aspect.SYNTAX and cause.outcome == "accepted" and cause.is_everywhere


def _is_as_short(root: Cause, cause: Cause) -> bool:
    """A timer without a minimum takes zero as well, whatever it shows then."""
    values = {value for sent in cause.sent for _, value in sent}
    return (
        root.aspect is Aspect.CONTENT
        and root.outcome == "accepted"
        and (cause.outcome == "accepted" or cause.is_about_shown)
        and _is_within(cause, root)
        and bool(values)
        and all(map(is_zero, values))
    )


def _is_the_answer_of_another(root: Cause, cause: Cause) -> bool:
    """An answer that shows the settings of another account says so, too; and what is written there is lost here."""
    follows = cause.outcome.endswith("other-account") or cause.outcome in ("lost", "mixed-up")
    return root.outcome == "foreign-value" and follows


def _is_lost_whatever_came_before(root: Cause, cause: Cause) -> bool:
    """Settings are lost now and then: after requests that must change nothing, too, so these are not to blame."""
    return (
        not (root.is_stable or cause.is_stable)
        and root.aspect is Aspect.STATE
        and root.rules[0].culprit is None
        and is_about_state(cause.rules[0])
        and cause.outcome in _LOST
        and (cause.rules[0].culprit is not None or _is_rarer(cause, root))
    )


def _comes_and_goes(root: Cause, cause: Cause) -> bool:
    """What does not show every time is put down to what shows every time of the same setting, or connection."""
    if cause.is_stable or not root.is_stable:
        return False
    if root.rules[0].culprit is not None and root.aspect is Aspect.WIRE:
        return all(status is None or status >= 400 for status in cause.statuses)
    aspects = {root.aspect, cause.aspect}
    alike = not cause.settings.isdisjoint(root.settings) or aspects <= {Aspect.STATE, Aspect.CONSISTENCY}
    return alike and min(aspects) >= Aspect.ECHO


_EXPLANATIONS = (
    _fails_and_stays_so,
    _harms_what_comes_after,
    _lets_anybody_in,
    _checks_nothing,
    _is_as_short,
    _is_unread_beside_others,
    _pass_together,
    _is_refused_for_its_length,
    _takes_blanks,
    _answers_nothing,
    _is_as_unreadable,
    _shows_what_was_before,
    _is_never_shown,
    _is_shown_wrong,
    _is_not_kept,
    _is_understood,
    _changes_what_is_read,
    _loses_what_is_read,
)
_WHATEVER_IS_MORE_BASIC = (
    _comes_and_goes,
    _is_lost_whatever_came_before,
    _keeps_anything,
    _reads_other_bytes,
    _is_the_answer_of_another,
    _refuses_a_value,
    _is_refused_by_itself,
    _is_not_read_beside_others,
    _is_not_validated_there,
    _is_not_decoded,
    _is_not_acceptable,
    _is_answered_alike,
    _shows_its_blanks,
    _is_a_sid_and_more,
    _is_a_timer_and_more,
    _takes_no_update,
    _is_refused_with_a_200,
    _does_so_when_sent_plainly,
)
"""Explanations that hold though the rule explained makes the more basic claim: about how the value was sent."""


def _is_refused_alone(root: Cause, cause: Cause) -> bool:
    """Whether each request of a cause holds a value that is refused by itself, or shares what all those have."""
    alone = {pair for sent in root.sent if len(sent) == 1 for pair in sent}
    shapes = {(name, shape(value)) for name, value in alone}
    seen: defaultdict[str, list[set[str]]] = defaultdict(list)
    for name, value in alone:
        seen[name].append(set(features(value)))
    common = {name: set.intersection(*found) for name, found in seen.items() if len(found) > 1}

    def is_alike(name: str, value: str) -> bool:
        shared = common.get(name, set())
        return (name, shape(value)) in shapes or (bool(shared) and shared <= set(features(value)))

    return all(any(is_alike(name, value) for name, value in sent) for sent in cause.sent)

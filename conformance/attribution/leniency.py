"""Explanations of accepted values that must be refused: what else a target accepts that accepts some values."""

from collections.abc import Iterable

from conformance.attribution.cause import Cause, settings_of
from conformance.attribution.sameness import PREVIOUS
from conformance.model import BY_PARAMETER, Aspect, Field
from conformance.oracle.decisions import Answer, contains_sid, decide_sid, decide_value, is_zero
from conformance.rules.controls import canonical
from conformance.rules.questions import is_decoded_good

_UNREAD = (PREVIOUS, "missing", "changed")
"""Outcomes of a parameter that was not read."""

_LOOKED_AT = 64
"""The number of characters of a value in which a duration is searched for."""


def _checks_nothing(root: Cause, cause: Cause) -> bool:
    """A target that does not check the syntax of a value checks nothing else about it."""
    if not _is_unchecked(root) or not cause.is_within(root):
        return False
    shown = cause.is_about_shown and (cause.outcome == "blank" or cause.key.is_malformed)
    unchecked = cause.rules[0].field is not None and cause.outcome == "accepted" and cause.is_everywhere
    return shown or unchecked


def _keeps_anything(root: Cause, cause: Cause) -> bool:
    """A target that does not check the syntax of a value does not check it in other forms either."""
    return (
        _is_unchecked(root)
        and cause.outcome in ("invalid-value", "written")
        and not cause.settings.isdisjoint(root.settings)
        and cause.settings <= settings_of(filter(_is_unchecked, cause.all))
    )


def _is_unchecked(cause: Cause) -> bool:
    return cause.aspect is Aspect.SYNTAX and cause.outcome == "accepted" and cause.is_everywhere


def _is_as_short(root: Cause, cause: Cause) -> bool:
    """A timer without a minimum takes zero as well, whatever it shows then."""
    return (
        root.aspect is Aspect.CONTENT
        and root.outcome == "accepted"
        and (cause.outcome == "accepted" or cause.is_about_shown)
        and cause.is_within(root)
        and bool(cause.values)
        and all(map(is_zero, cause.values))
    )


def _is_not_read_beside_others(root: Cause, cause: Cause) -> bool:
    """A target that does not read a parameter in some forms of several neither sets nor validates it there."""
    unread = root.aspect is Aspect.ACCEPTANCE and root.rules[0].field is None and root.outcome != "refused"
    unvalidated = cause.outcome == "accepted" and root.outcome in _UNREAD and root.rules[0].control is None
    return unread and (cause.is_about_shown or unvalidated) and all(len(sent) > 1 for sent in cause.sent)


def _is_not_validated_there(root: Cause, cause: Cause) -> bool:
    """A target that accepts bad values at some places of a form checks no repeated or empty parameter there."""
    rule = root.rules[0]
    unread = root.outcome == "accepted" and root.aspect is Aspect.ACCEPTANCE
    return (
        unread
        and (rule.field, rule.control) == (None, None)
        and cause.outcome in ("accepted", "invalid-value", "neither-value")
        and all(len(sent) > 1 for sent in cause.sent)
    )


def _is_unread_beside_others(root: Cause, cause: Cause) -> bool:
    """A target that accepts bad values only in forms of several parameters checks no such form."""
    return (
        root.outcome == "accepted"
        and root.aspect in (Aspect.SYNTAX, Aspect.CONTENT)
        and (cause.outcome in ("accepted", "blank") or (cause.is_about_shown and cause.shows_what_was_sent))
        and root.rules[0].field is cause.rules[0].field is not None
        and all(len(sent) > 1 for sent in (*root.sent, *cause.sent))
    )


def _pass_together(root: Cause, cause: Cause) -> bool:
    """A target accepts bad values of two settings only where both are bad."""
    if not root.outcome == cause.outcome == "accepted":
        return False
    both = {each.parameter for each in (root.rules[0].field, cause.rules[0].field) if each is not None}
    return len(both) > 1 and all(both <= _bad(sent) for sent in (*root.sent, *cause.sent))


def _bad(sent: Iterable[tuple[str, str]]) -> set[str]:
    """Return the parameters of a form whose values must be refused."""
    return {
        name
        for name, value in sent
        if name in BY_PARAMETER and decide_value(BY_PARAMETER[name], value).answer is Answer.REJECT
    }


def _is_decoded_again(root: Cause, cause: Cause) -> bool:
    """A target that resolves escapes of another language, or ends a text at a NUL, takes bad values for good ones."""
    decoded = root.rules[0].control is canonical and root.outcome == cause.outcome == "accepted"
    return decoded and all(
        any(is_decoded_good(name, value) or _is_good_before_nul(name, value) for name, value in sent)
        for sent in cause.sent
        if sent
    )


def _reads_other_bytes(root: Cause, cause: Cause) -> bool:
    """A target that does not validate an oddly encoded form does not validate the same bytes as another body either."""
    names = {name for sent in root.sent for name, _ in sent}
    lenient = root.rules[0].control is canonical and root.outcome == "accepted"
    return lenient and cause.outcome == "written" and names >= {each.parameter for each in cause.settings}


def _is_good_before_nul(name: str, value: str) -> bool:
    about, (beginning, nul, _) = BY_PARAMETER.get(name), value.partition("\0")
    return about is not None and bool(nul) and decide_value(about, beginning).answer is Answer.ACCEPT


def _takes_blanks(root: Cause, cause: Cause) -> bool:
    """A target that accepts a value with its blanks also shows it with them."""
    return root.outcome == "accepted" and cause.outcome == "blank" and cause.classes <= root.classes


def _shows_its_blanks(root: Cause, cause: Cause) -> bool:
    """A target that accepts blanks around a value, which it should refuse, shows them, which it must not."""
    blank = root.outcome == "blank" and root.aspect is Aspect.ECHO
    return blank and cause.outcome == "accepted" and not cause.is_must and root.classes <= cause.classes


def _is_a_sid_and_more(root: Cause, cause: Cause) -> bool:
    """A target that accepts what only contains a SID accepts one that is too long, or one with blanks, and shows it."""
    about = root.rules[0].field
    if about is None or about.kind != "sid" or about is not cause.rules[0].field:
        return False
    return (
        root.outcome == "accepted"
        and {decide_sid(value, about.prefix).claim for value in root.values} == {"anchoring"}
        and cause.outcome in ("accepted", "blank")
        and all(contains_sid(value, about.prefix) for value in cause.values)
    )


def _is_a_timer_and_more(root: Cause, cause: Cause) -> bool:
    """A target that accepts whatever begins or ends with a duration accepts one with blanks, and shows them."""
    about = root.rules[0].field
    return (
        about is not None
        and about.kind == "timer"
        and about is cause.rules[0].field
        and (root.outcome, cause.outcome) == ("accepted", "blank")
        and any(_has_more(about, value) for value in root.values)
    )


def _has_more(about: Field, value: str) -> bool:
    """Whether a value is a good one, and something else before or behind it."""
    parts = (
        part for place in range(1, min(len(value), _LOOKED_AT)) for part in (value[:place], value[place:])
    )
    return any(decide_value(about, part).answer is Answer.ACCEPT for part in parts)


WHERE_MORE_BASIC = (
    _checks_nothing,
    _is_as_short,
    _is_unread_beside_others,
    _pass_together,
    _takes_blanks,
)
"""Explanations that hold where the first cause makes the more basic claim."""

ANYWHERE = (
    _keeps_anything,
    _is_not_read_beside_others,
    _is_not_validated_there,
    _is_decoded_again,
    _reads_other_bytes,
    _shows_its_blanks,
    _is_a_sid_and_more,
    _is_a_timer_and_more,
)
"""Explanations that hold whatever the first cause claims."""

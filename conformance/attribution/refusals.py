"""Explanations of requests that are refused, or get an answer that has nothing to do with them."""

from collections import defaultdict

from conformance.attribution.cause import Cause
from conformance.attribution.shapes import features, shape
from conformance.http import NOT_ACCEPTABLE, FailureKind
from conformance.model import Aspect
from conformance.rules.acceptance import ACCEPTED_STATUS
from conformance.rules.controls import canonical, without_accept

_NEARLY = 2
"""How many times as long a timer may be as another, to be refused for its length where that is the limit."""

_UNUSUAL = {"leading zero", "fraction"}
"""Features of durations that people seldom write."""


def _fails_and_stays_so(root: Cause, cause: Cause) -> bool:
    """An ordinary update is sent after each failure, and may fail as well."""
    return root.aspect is Aspect.WIRE and cause.outcome == "unusable" and root.outcome != "unusable"


def _is_framed_wrong(root: Cause, cause: Cause) -> bool:
    """What an answer holds is read from its framing: where that is wrong, so is what was read."""
    return root.outcome == FailureKind.FRAMING and bool(cause.numbers) and cause.numbers <= root.numbers


def _harms_what_comes_after(root: Cause, cause: Cause) -> bool:
    """Where ordinary requests are refused after certain others, a good value after those gets the same status."""
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
    """A target that asks for no credentials also writes, and reads, without them."""
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
    return (
        alone and cause.outcome == "refused" and cause.is_rarer_than(root) and _is_refused_alone(root, cause)
    )


def _is_refused_alone(root: Cause, cause: Cause) -> bool:
    """Whether each request of a cause holds a value that is refused by itself, or shares what all those have."""
    alone = {pair for sent in root.sent if len(sent) == 1 for pair in sent}
    shapes = {(name, shape(value)) for name, value in alone}
    seen: defaultdict[str, list[set[str]]] = defaultdict(list)
    for name, value in alone:
        seen[name].append(set(features(value)))
    # One value says only what is unusual about it, and only of what is asked for less firmly.
    of_one = _UNUSUAL if root.is_must and not cause.is_must else set()
    common = {
        name: set.intersection(*found) if len(found) > 1 else found[0] & of_one
        for name, found in seen.items()
    }

    def is_alike(name: str, value: str) -> bool:
        shared = common.get(name, set())
        return (name, shape(value)) in shapes or (bool(shared) and shared <= set(features(value)))

    return all(any(is_alike(name, value) for name, value in sent) for sent in cause.sent)


def _is_refused_for_its_length(root: Cause, cause: Cause) -> bool:
    """Where a timer of exactly the minimum is refused, it explains refused timers that are hardly longer."""
    timer = root.rules[0].field
    return (
        timer is not None
        and timer is cause.rules[0].field
        and root.outcome == cause.outcome == "refused"
        and root.aspect is cause.aspect is Aspect.ACCEPTANCE
        and not root.values.isdisjoint({f"PT{timer.minimum}S", f"PT{timer.minimum // 60}M"})
        and bool(cause.lengths)
        and all(each is not None and each < _NEARLY * timer.minimum for each in cause.lengths)
    )


def _is_refused_as_too_long(root: Cause, cause: Cause) -> bool:
    """Where long timers are refused in several notations, so are others that are as long, or nearly."""
    timer, lengths = root.rules[0].field, [each for each in root.lengths if each is not None]
    return (
        timer is not None
        and timer is cause.rules[0].field
        and root.outcome == cause.outcome == "refused"
        and root.aspect is cause.aspect is Aspect.ACCEPTANCE
        and len(set(map(shape, root.values))) > 1
        and min(lengths, default=0) > _NEARLY * timer.minimum
        and bool(cause.lengths)
        and all(each is not None and _NEARLY * each >= min(lengths) for each in cause.lengths)
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


def _is_refused_with_a_200(root: Cause, cause: Cause) -> bool:
    """A target shows settings where it accepts values; an answer without any is a refusal, and lacks them all."""
    shows = any(
        each.evidence is not None and each.rule.aspect is Aspect.ECHO for each in cause.outcomes.values()
    )
    # Who is let in, and what is taken, are most often decided in two places.
    is_of_one = (root.aspect is Aspect.CREDENTIALS) == (cause.aspect is Aspect.CREDENTIALS)
    alike = root.says_nothing and cause.rests_on_nothing
    return shows and is_of_one and root.outcome == "accepted" and alike


def _is_refused_now_and_then(root: Cause, cause: Cause) -> bool:
    """A value that is refused every time explains other refusals of that parameter that come and go."""
    about = root.rules[0].field
    return (
        about is not None
        and root.is_stable
        and not cause.is_stable
        and root.outcome == cause.outcome == "refused"
        and root.aspect is Aspect.ACCEPTANCE
        and all(about.parameter in dict(sent) for sent in cause.sent)
    )


def _takes_no_update(root: Cause, cause: Cause) -> bool:
    """Where no good update was ever accepted, a refusal says nothing about what is peculiar to the update."""
    none = root.outcomes.get(ACCEPTED_STATUS.id)
    refused = root.outcome == cause.outcome == "refused"
    return refused and root.aspect is Aspect.ACCEPTANCE and none is not None and none.evidence is None


def _is_not_decoded(root: Cause, cause: Cause) -> bool:
    """A value that cannot be sent without an escape is refused where no escape is decoded."""
    both = root.outcome == cause.outcome == "refused" and root.rules[0].control is canonical
    return both and all(b"%" in (each.exchanges[-1].request.body or b"") for each in cause.findings)


def _is_not_acceptable(root: Cause, cause: Cause) -> bool:
    """A 406 is about the Accept header, whatever else is wrong with the request."""
    return root.statuses == cause.statuses == {NOT_ACCEPTABLE} and root.rules[0].control is without_accept


def _is_answered_alike(root: Cause, cause: Cause) -> bool:
    """A target that does not understand a way of sending answers it with one status, or validates nothing sent so."""
    control = root.rules[0].control
    unvalidated = root.outcome == cause.outcome == "accepted"
    return (
        control is not None
        and root.statuses == cause.statuses
        and (unvalidated or all(status is not None and status >= 300 for status in root.statuses))
        and all(control(each.exchanges[-1].request) is not None for each in cause.findings)
    )


def _has_the_same_status(root: Cause, cause: Cause) -> bool:
    """Every update is answered with another 2xx than 200, one without parameters too."""
    return root.rules == (ACCEPTED_STATUS,) and root.outcome == cause.outcome


def _is_as_unreadable(root: Cause, cause: Cause) -> bool:
    """Refusals are not JSON for the same reason as all other answers."""
    alike = root.outcome == cause.outcome == "not-json" and root.aspect is Aspect.REPRESENTATION
    return alike and not {each.observed for each in root.findings}.isdisjoint(
        each.observed for each in cause.findings
    )


def _answers_nothing(root: Cause, cause: Cause) -> bool:
    """An answer that has nothing of the resource shows no setting either."""
    basic = root.aspect is Aspect.REPRESENTATION
    return basic and cause.aspect >= Aspect.ECHO and root.says_nothing and cause.says_nothing


WHERE_MORE_BASIC = (
    _fails_and_stays_so,
    _is_framed_wrong,
    _harms_what_comes_after,
    _lets_anybody_in,
    _is_refused_for_its_length,
    _is_refused_as_too_long,
    _has_the_same_status,
    _is_as_unreadable,
    _answers_nothing,
)
"""Explanations that hold where the first cause makes the more basic claim."""

ANYWHERE = (
    _refuses_a_value,
    _is_refused_by_itself,
    _is_refused_now_and_then,
    _is_refused_with_a_200,
    _takes_no_update,
    _is_not_decoded,
    _is_not_acceptable,
    _is_answered_alike,
)
"""Explanations that hold whatever the first cause claims."""

"""Builds the probes of input classes from values: the one place that knows how a value is put into a request."""

from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial

from hypothesis.strategies import SearchStrategy

from conformance.http import NO_AUTH, READ, Pairs, Request, update
from conformance.model import CLOSED, EXAMPLE, INACTIVE, Field, InputClass, Probe, Situation

DOCUMENT = "https://www.twilio.com/docs/conversations-classic/api/configuration-resource"
"""The page that describes the resource: the source of most rules."""

LONG_CLOSED = (CLOSED.parameter, "P30D")
SHORT_INACTIVE = (INACTIVE.parameter, "PT1M")
CONTEXT_CLASSES = {LONG_CLOSED: "timer/days", SHORT_INACTIVE: "timer/minimum-minutes"}
"""The input classes that the settings beside which others are judged belong to themselves."""


def context_of(target_field: Field) -> Pairs:
    """The settings beside which a value is judged: no rule that closed must outlast inactive bites."""
    return (LONG_CLOSED,) if target_field is INACTIVE else (SHORT_INACTIVE,) if target_field is CLOSED else ()


def look(target_field: Field) -> Request:
    """A harmless update of a setting that is not under test: its answer shows the one that is."""
    return update(SHORT_INACTIVE if target_field is CLOSED else LONG_CLOSED)


def sid_for(target_field: Field, situation: Situation, digits: str) -> str | None:
    """A SID the target is to take: of the given hexadecimal digits, or the one it knows; None if it knows none."""
    known = situation.sids.get(target_field.parameter)
    if known is None:
        return target_field.prefix + digits.rjust(32, "0")
    return min(known, default=None)


def value_probe(target_field: Field, value: str) -> Probe:
    """A probe of one value of one setting."""
    return Probe(steps=(update((target_field.parameter, value)),), context=context_of(target_field))


def value_class(
    target_field: Field,
    name: str,
    reason: str,
    values: Iterable[str] | Callable[[], Iterable[str]],
    strategy: Callable[[], SearchStrategy[str]] | None = None,
    *,
    rare: bool = False,
) -> InputClass:
    """An input class of values of one setting."""

    def examples(situation: Situation) -> Sequence[Probe]:
        return _probes(target_field, tuple(values() if callable(values) else values))

    def drawn(situation: Situation) -> SearchStrategy[Probe]:
        assert strategy is not None
        return strategy().map(partial(value_probe, target_field))

    return InputClass(
        id=name, reason=reason, examples=examples, strategy=drawn if strategy else None, rare=rare
    )


@cache
def _probes(target_field: Field, values: tuple[str, ...]) -> tuple[Probe, ...]:
    return tuple(value_probe(target_field, value) for value in values)


def fixed_class(name: str, reason: str, *probes: Probe) -> InputClass:
    """An input class whose examples do not depend on the target."""
    return InputClass(id=name, reason=reason, examples=lambda situation: probes)


def request_class(name: str, reason: str, *requests: Request) -> InputClass:
    """An input class of which each example is one request."""
    return fixed_class(name, reason, *(single(request) for request in requests))


def own_pair(seconds: int) -> tuple[str, str]:
    """
    A good inactive timer for a request that is unusual in the way it is sent alone.

    Each such request has a number of seconds of its own, so that its value is never in force before.
    """
    return INACTIVE.parameter, f"PT4M{seconds}S"


def single(*steps: Request, context: Pairs = ()) -> Probe:
    """A probe of steps sent in order."""
    return Probe(steps=steps, context=context)


def example_probes(situation: Situation) -> Sequence[Probe]:
    """The documented example request, less the SIDs that the target does not take."""
    known = [(name, value) for name, value in EXAMPLE.items() if value in situation.sids.get(name, {value})]
    return [single(update(*known))]


ANSWERS = {
    each.id: each
    for each in (
        InputClass(
            id="answer/update",
            reason="the answer to an accepted update, here of the documented example",
            examples=example_probes,
        ),
        fixed_class(
            "answer/refusal",
            "the answer to a refused update",
            value_probe(INACTIVE, "banana"),
            value_probe(CLOSED, "PT1S"),
        ),
        fixed_class("answer/read", "the answer to GET", single(READ)),
        fixed_class(
            "answer/unauthorised",
            "the answer to a request without credentials",
            single(update(LONG_CLOSED, auth=NO_AUTH)),
        ),
    )
}
"""Classes of answers, for the rules that watch them."""


def answers(*kinds: str) -> tuple[InputClass, ...]:
    """The classes of answers of these kinds."""
    return tuple(ANSWERS[f"answer/{kind}"] for kind in kinds)

"""Makes input classes and their probes from values. No other module puts a value into a request."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, partial
from itertools import zip_longest
from typing import TypeVar

from hypothesis.strategies import SearchStrategy

from conformance.http import NO_AUTH, READ, Pairs, Request, update
from conformance.model import CLOSED, EXAMPLE, INACTIVE, Field, InputClass, Probe, Situation

T = TypeVar("T")

DOCUMENT = "https://www.twilio.com/docs/conversations-classic/api/configuration-resource"
"""The page that describes the resource: the source of most rules."""

LONG_CLOSED = (CLOSED.parameter, "P30D")
SHORT_INACTIVE = (INACTIVE.parameter, "PT1M")
CONTEXT_CLASSES = {LONG_CLOSED: "timer/days", SHORT_INACTIVE: "timer/minimum-minutes"}
"""The input class of each of these two settings, which are put in force before other values are tried."""


def context_of(target_field: Field) -> Pairs:
    """
    Return the setting that must be in force before a value of another is tried.

    Beside it no target has a reason to refuse the value for a closed timer that does not outlast the inactive one.
    """
    return (LONG_CLOSED,) if target_field is INACTIVE else (SHORT_INACTIVE,) if target_field is CLOSED else ()


def look(target_field: Field) -> Request:
    """Return a good update of one timer, whose answer shows all other settings, the one under test among them."""
    return update(SHORT_INACTIVE if target_field is CLOSED else LONG_CLOSED)


def sid_for(target_field: Field, situation: Situation, digits: str) -> str | None:
    """
    Return a SID that the target should accept, made of the given hexadecimal digits.

    It is one of the target's own where the target accepts only those; None where it has none.
    """
    known = situation.sids.get(target_field.parameter)
    if known is None:
        return target_field.prefix + digits.rjust(32, "0")
    return min(known, default=None)


def ordinary(request: Request) -> Request:
    """Return an update that every target should accept, of the account of another request."""
    return update(LONG_CLOSED, account=request.account)


def value_probe(target_field: Field, value: str) -> Probe:
    """Return a probe of one value of one setting."""
    return Probe(steps=(update((target_field.parameter, value)),), context=context_of(target_field))


def value_class(
    target_field: Field,
    name: str,
    reason: str,
    values: Iterable[str] | Callable[[], Iterable[str]],
    strategy: Callable[[], SearchStrategy[str]] | None = None,
    *,
    rare: bool = False,
    whole: bool = False,
) -> InputClass:
    """
    Return an input class of values of one setting, simplest first; see `InputClass` for the rest.

    A function may make the values. Without a strategy they are the whole class.
    """

    def examples(situation: Situation) -> Sequence[Probe]:
        return _probes(target_field, tuple(values() if callable(values) else values))

    def drawn(situation: Situation) -> SearchStrategy[Probe]:
        assert strategy is not None
        return strategy().map(partial(value_probe, target_field))

    return InputClass(name, reason, examples, strategy=drawn if strategy else None, rare=rare, whole=whole)


def joined(names: Iterable[str], together: Mapping[str, Sequence[str]]) -> dict[str, Sequence[str]]:
    """
    Return the input classes that some of the strategies' classes make up, each with the names of those.

    `together` has, by input class, those that it joins: a target gets all of them wrong, or none. Each other one is an
    input class by itself.
    """
    grouped = {name: group for group, parts in together.items() for name in parts}
    groups = dict.fromkeys(grouped.get(name, name) for name in names)
    return {group: together.get(group, (group,)) for group in groups}


def by_turns(rows: Iterable[Iterable[T]]) -> list[T]:
    """Return the first element of each row, then the second of each, and so on."""
    return [each for turn in zip_longest(*rows) for each in turn if each is not None]


@cache
def _probes(target_field: Field, values: tuple[str, ...]) -> tuple[Probe, ...]:
    return tuple(value_probe(target_field, value) for value in values)


def fixed_class(
    name: str, reason: str, *probes: Probe, whole: bool = False, rare: bool = False
) -> InputClass:
    """Return an input class whose examples do not depend on the target."""
    return InputClass(name, reason, lambda situation: probes, whole=whole, rare=rare)


def request_class(name: str, reason: str, *requests: Request, whole: bool = False) -> InputClass:
    """Return an input class with one request in each example; a closed timer is in force that is long enough for it."""
    return fixed_class(name, reason, *map(_beside_long, requests), whole=whole)


def _beside_long(request: Request) -> Probe:
    names = dict(request.form() or ())
    needed = request.auth.valid and INACTIVE.parameter in names and CLOSED.parameter not in names
    return single(request, context=(LONG_CLOSED,) if needed else ())


def own_pair(number: int) -> tuple[str, str]:
    """
    Return a good inactive timer, for a request that is unusual only in the way it is sent.

    Each such request has a number of its own, so that its value is never in force before. It has one component, which
    the narrowest parsers take, of four digits, which a formatter may group.
    """
    return INACTIVE.parameter, f"PT{1_000 + number}M"


def single(*steps: Request, context: Pairs = ()) -> Probe:
    """Return a probe of requests that are sent one after the other."""
    return Probe(steps=steps, context=context)


def example_probes(situation: Situation) -> Sequence[Probe]:
    """Return the documented example request, without the SIDs that the target refuses as unknown."""
    known = [(name, value) for name, value in EXAMPLE.items() if value in situation.sids.get(name, {value})]
    return [single(update(*known))]


ANSWERS = {
    each.id: each
    for each in (
        InputClass(
            "answer/update",
            "the answer to an accepted update, here of the documented example",
            example_probes,
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
"""The input classes that bring the kinds of answers, for rules about answers, by id."""


def answers(*kinds: str) -> tuple[InputClass, ...]:
    """Return the input classes that bring answers of these kinds, such as `update` or `refusal`."""
    return tuple(ANSWERS[f"answer/{kind}"] for kind in kinds)


_ORDINARY = ((INACTIVE.parameter, "P10D"), LONG_CLOSED)
BRINGING_EVIDENCE = {
    "accepted-status": update(*_ORDINARY),
    "credentials-required": update(*_ORDINARY, auth=NO_AUTH),
    "concurrent-writers": update(*_ORDINARY),
}
"""
By rule, an update to send where no input class of the selected rules has brought evidence for the rule.

None of them can shorten a timer.
"""

"""
Plans the probes of a run and their order.

Every class is sent once before any is sent twice. Values that must be accepted, one of each setting, share an update
where it can carry them.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from conformance.harness.order import FIRST, VARIED
from conformance.http import Pairs, Request, update
from conformance.model import (
    CHAT,
    CLOSED,
    INACTIVE,
    MESSAGING,
    Field,
    InputClass,
    Level,
    Probe,
    Rule,
    Situation,
)
from conformance.oracle.decisions import Answer, decide, length_of
from conformance.rules import sdk
from conformance.rules.acceptance import is_acceptable
from conformance.rules.forms import GOOD_FORMS
from conformance.rules.openapi import GENERATED
from conformance.rules.probes import LONG_CLOSED
from conformance.transport.target import Target

_EXPLICIT = {"quick": 1, "standard": 5, "thorough": 1_000}
"""Explicit examples of a class, by profile, at most; `_explicit` makes exceptions."""

_DRAWN = {"quick": 0, "standard": 1, "thorough": 100}
"""Drawn examples of a class, by profile, at most; `_WEIGHTS` multiplies them."""

_WEIGHTS = {GOOD_FORMS: 4, "form/one-invalid": 4, "state/sequence": 2}
"""Factors for `_DRAWN`: forms and sequences vary more than single values."""

CASES = {"quick": 1, "standard": 30, "thorough": 1_000}
"""Cases of the schemathesis phase, by profile, at most."""

_CASE = 6
"""The number of probes that take as long as one case of the schemathesis phase."""

STEPS = 8
"""Requests in one sequence of a state machine, at most."""

_PARALLEL = ((INACTIVE, CHAT), (CLOSED, MESSAGING))
"""
Parallel settings: the timers, and the SIDs.

They share the rare classes, so that each sends every second one. The quick profile shares the explicit examples in this
way, and the standard profile the drawn ones.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The options of a run."""

    profile: str = "standard"
    seed: int = 0
    fail_on: Level = Level.MUST
    settle: float = 0.0
    """Seconds within which a read must show a write."""
    provisioned: Mapping[str, str | None] = field(default_factory=dict)
    """The SID of a service that the account has, by parameter; None where the user named none."""
    shard: tuple[int, int] = (1, 1)
    """Which share of the input classes this run sends, and how many shares there are; see `share`."""
    first: tuple[tuple[str, tuple[Request, ...]], ...] = ()
    """Requests that are sent before all phases, by input class: the counterexamples of known deviations."""
    fail_fast: bool = False
    """Whether the first deviation at or above `fail_on` ends the examples phase and the generated phase."""
    sdk: bool = False
    """Whether the official Python client takes part, where it is installed."""
    rare: bool = False
    """Whether every rule sends its rare classes in every profile, as where the user has asked for some rules alone."""
    drawn: dict[str, list[Probe]] | None = None
    """Keeps the drawn probes for more runs in this process. They depend on the seed and the situation alone."""

    def fails(self, level: Level) -> bool:
        """Whether a deviation of this level fails the run."""
        return level is Level.MUST or self.fail_on is Level.SHOULD

    def lacks(self, target: Target) -> Mapping[str, str]:
        """Return by what a rule may need (`Rule.needs`) the reason why this run on a target does not have it."""
        return target.lacks if self.sdk else {**target.lacks, sdk.NEED: sdk.NOT_ASKED}


_ALONE = Situation(accounts=1)


class Item(NamedTuple):
    """One probe, with its input class and the rule that sends it."""

    rule: Rule
    cls: InputClass
    probe: Probe

    @property
    def key(self) -> tuple[str, str]:
        """The ids of the rule and the class."""
        return self.rule.id, self.cls.id


def must_first(catalogue: Sequence[Rule]) -> Sequence[Rule]:
    """Return the rules in the order in which they are sent: a budget that ends early leaves out SHOULD rules only."""
    return sorted(catalogue, key=lambda rule: rule.level is not Level.MUST)


Row = tuple[Rule, InputClass, Sequence[Probe], int]
"""A rule, a class of it, the explicit probes of that, and the number of probes to draw, at most."""

_FIRST = {name: place for place, name in enumerate(FIRST)}


def by_yield(item: Item) -> int:
    """Return the place of the first example of a class: a number, which may be that of others."""
    return _FIRST.get(item.cls.id, len(_FIRST))


def is_early(item: Item) -> bool:
    """Whether a class is among those that find most."""
    return item.cls.id in _FIRST


def planned(
    catalogue: Sequence[Rule], profile: str, situation: Situation, *, rare: bool = False
) -> Iterator[Row]:
    """Yield for each rule and class the explicit probes, and the number of probes to draw, at most; see `Plan`."""
    for rule, cls in _owned(catalogue):
        turn = rare or not cls.rare or _has_turn(rule, cls)
        probes = cls.examples(situation)[: _explicit(rule, cls, profile, turn=turn)]
        draws = (cls.strategy or cls.machine) and (turn or profile == "thorough")
        yield rule, cls, probes, _DRAWN[profile] * _WEIGHTS.get(cls.id, 1) if draws else 0


def _owned(catalogue: Sequence[Rule]) -> Iterator[tuple[Rule, InputClass]]:
    """Yield each rule with each class that it sends: of several rules with one class, the first; see `owner_of`."""
    sent: set[tuple[str, Field | None]] = set()
    for rule in catalogue:
        for cls in rule.classes:
            if (cls.id, rule.field) not in sent:
                yield rule, cls
            sent |= {(cls.id, rule.field), (cls.id, None)}


def _explicit(rule: Rule, cls: InputClass, profile: str, *, turn: bool) -> int | None:
    """Return how many explicit examples of a class a rule sends, at most; None for all."""
    if profile == "quick":
        return _EXPLICIT[profile] if turn else 0
    if cls.whole or cls.id in VARIED:
        return None
    # Parallel settings have the same classes; of rare ones most is sent for the setting whose turn it is.
    is_parallel = rule.field is not None and profile == "standard"
    return _EXPLICIT[profile] - is_parallel - 2 * (is_parallel and not turn)


def share(catalogue: Sequence[Rule], plan: Plan) -> frozenset[tuple[str, str]]:
    """
    Return one share of a run that is divided: the ids of rules, each with the id of an input class to send for it.

    Every class is in one share. All shares take about as long, and depend on nothing that a target answers. Share 0 is
    for parts of a run that have one account each: it has the classes that take several accounts.
    """
    number, count = plan.shard
    if plan.shard == (1, 1):
        return frozenset((rule.id, cls.id) for rule, cls in _owned(must_first(catalogue)))
    rows = [*planned(must_first(catalogue), plan.profile, Situation(accounts=2), rare=plan.rare)]
    if number == 0:
        return frozenset(
            (rule.id, cls.id) for rule, cls, probes, _ in rows if probes and not cls.examples(_ALONE)
        )
    cost = {
        (rule.id, cls.id): CASES[plan.profile] * _CASE
        if cls is GENERATED
        else len(probes) + drawn * (STEPS if cls.machine else 1)
        for rule, cls, probes, drawn in rows
    }
    load, shares = [0] * count, [set[tuple[str, str]]() for _ in range(count)]
    for key in sorted(cost, key=lambda key: -cost[key]):
        least = load.index(min(load))
        load[least] += cost[key] + 1
        shares[least].add(key)
    return frozenset(shares[number - 1])


def of_other_shards(catalogue: Sequence[Rule], sent: Collection[tuple[str, str]]) -> frozenset[str]:
    """Return the ids of the rules that have no input class in a share."""
    ordered = must_first(catalogue)
    return frozenset(
        rule.id
        for rule in catalogue
        if all(owner_of(ordered, rule, cls.id) not in sent for cls in rule.classes)
    )


def owner_of(catalogue: Sequence[Rule], rule: Rule, name: str) -> tuple[str, str]:
    """Return the ids of the rule that sends a class and of the class; rules about one setting may share a class."""
    return next(
        (other.id, name)
        for other in catalogue
        if rule.field is None or rule.field is other.field
        for cls in other.classes
        if cls.id == name
    )


def _has_turn(rule: Rule, cls: InputClass) -> bool:
    """Whether this rule sends a rare class, which one of the rules about parallel settings does."""
    rare = [each.id for each in rule.classes if each.rare]
    return rule.field in _PARALLEL[rare.index(cls.id) % 2]


def in_turns(
    rows: Sequence[Row],
    known_sids: Mapping[str, frozenset[str] | None],
) -> Iterator[tuple[int, tuple[Item, ...]]]:
    """
    Yield the explicit probes after the first of each class: the second of every class, then the third, and so on.

    So the kinds of requests take turns, and an update soon shows what a refused one has written. Within a turn those
    come together that need the same settings in force. From the third turn on, one update carries several good values:
    by then each class was seen by itself. Each group comes with the number of its turn.

    Args:
        rows: The rules and classes with their probes, as `planned` yields them.
        known_sids: As `side_by_side` takes them.
    """
    for turn in range(1, max((len(probes) for _, _, probes, _ in rows), default=0)):
        items = [Item(rule, cls, probes[turn]) for rule, cls, probes, _ in rows if turn < len(probes)]
        groups = list(side_by_side(items, known_sids)) if turn > 1 else []
        carried_along = {id(item) for group in groups for item in group}
        alone: list[tuple[Item, ...]] = [(item,) for item in items if id(item) not in carried_along]
        yield from ((turn, each) for each in sorted((*alone, *groups), key=by_context))


def by_context(items: Sequence[Item]) -> tuple[bool, Pairs, bool]:
    """
    Return the place of a group among those that need other settings in force: each change takes a request.

    What must be refused comes first. One look then shows all that it may have written, before an update writes over it.
    """
    context = items[0].probe.context if len(items) == 1 else carried(items).context
    return context != (LONG_CLOSED,), context, is_acceptable(items[0].probe.steps[0])


def side_by_side(
    items: Iterable[Item], known_sids: Mapping[str, frozenset[str] | None]
) -> Iterator[tuple[Item, ...]]:
    """
    Yield groups of single values that must be accepted; one update can carry each group.

    Args:
        items: The items to send, of rules of one level. Items that are not a single good value are left out.
        known_sids: The only SIDs that the target accepts, by parameter; None or absent where it accepts all well-formed
            ones.
    """
    # The longest come first, since a long inactive timer needs a longer closed timer beside it.
    waiting = sorted((item for item in items if _fit_one_update((item,), known_sids)), key=_shortness)
    while waiting:
        group: tuple[Item, ...] = (waiting.pop(0),)
        for item in list(waiting):
            apart = all(item.rule.field is not each.rule.field for each in group)
            if apart and _fit_one_update((*group, item), known_sids):
                group = (*group, item)
                waiting.remove(item)
        if len(group) > 1:
            yield group


def _shortness(item: Item) -> Decimal:
    ((_, value),) = item.probe.steps[0].form() or ()
    length = length_of(value)
    return -length.low if length else Decimal(0)


def carried(items: Sequence[Item]) -> Probe:
    """Return one update that carries the values of several probes, with the settings to put in force before."""
    pairs = tuple(pair for item in items for pair in item.probe.steps[0].form() or ())
    names = {name for name, _ in pairs}
    context = dict(pair for item in items for pair in item.probe.context if pair[0] not in names)
    return Probe(steps=(update(*pairs),), context=tuple(context.items()))


def _fit_one_update(items: Sequence[Item], known_sids: Mapping[str, frozenset[str] | None]) -> bool:
    """Whether the items are single values that one update can carry, and that must be accepted."""
    if any(len(item.probe.steps) > 1 or item.rule.group not in ("timers", "sids") for item in items):
        return False
    probe = carried(items)
    pairs, context = probe.steps[0].form() or (), probe.context
    if not len(pairs) == len(items) == len(dict(pairs)):
        return False
    lengths = {name: [length_of(value)] for name, value in context}
    return decide(pairs, known_sids=known_sids, lengths=lengths).answer is Answer.ACCEPT

"""
What a run sends on purpose, and in which order.

Every class is sent once before any is sent twice, and values that are to be accepted side by side, one for each
setting, where one update can carry them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from conformance.http import Pairs, Request
from conformance.model import CHAT, CLOSED, INACTIVE, MESSAGING, InputClass, Level, Probe, Rule, Situation
from conformance.oracle.decisions import Answer, decide, length_of
from conformance.rules import CATALOGUE

_EXPLICIT = {"quick": 1, "standard": 12, "thorough": 1_000}
"""Examples of a class that are sent as they stand, at most."""

_DRAWN = {"quick": 0, "standard": 3, "thorough": 100}
"""Examples of a class that are drawn, at most; forms and sequences weigh more."""

_WEIGHTS = {"form/subset": 5, "form/one-invalid": 5, "state/sequence": 5}

_PARALLEL = ((INACTIVE, CHAT), (CLOSED, MESSAGING))
"""Settings of one kind. They share the rare classes, each sending every second one: in the quick profile the
examples, in the standard one what is drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run is to do."""

    profile: str = "standard"
    seed: int = 0
    fail_on: Level = Level.MUST
    settle: float = 0.0
    """Seconds within which a write must be seen."""
    provisioned: Mapping[str, str | None] = field(default_factory=dict)
    """By parameter, the SID of a service that the account has."""
    first: tuple[tuple[str, tuple[Request, ...]], ...] = ()
    """By input class, what is sent before all that is generated: the counterexamples of known deviations."""
    fail_fast: bool = False
    """Whether the first deviation at or above `fail_on` ends the examples phase and the generated phase."""
    drawn: dict[str, list[Probe]] | None = None
    """Keeps what Hypothesis draws, for more runs in this process: it depends on the seed and the situation alone."""

    def fails(self, level: Level) -> bool:
        """Whether a deviation of this level fails the run."""
        return level is Level.MUST or self.fail_on is Level.SHOULD


class Item(NamedTuple):
    """One probe, and the class of which rule it is an example of."""

    rule: Rule
    cls: InputClass
    probe: Probe

    @property
    def key(self) -> tuple[str, str]:
        """The ids of the rule and the class."""
        return self.rule.id, self.cls.id


def planned(
    catalogue: Sequence[Rule], profile: str, situation: Situation
) -> Iterator[tuple[Rule, InputClass, Sequence[Probe], int]]:
    """What a run sends on purpose: by rule and class, the explicit probes, and how many are drawn at most."""
    for rule in catalogue:
        for cls in rule.classes:
            # Where one class serves several rules, the first of them has it made.
            if owner_of(catalogue, rule, cls.id) == (rule.id, cls.id):
                turn = _has_turn(rule, cls, catalogue)
                probes = cls.examples(situation)[: _EXPLICIT[profile]] if turn or profile != "quick" else ()
                draws = (cls.strategy or cls.machine) and (turn or profile == "thorough")
                yield rule, cls, probes, _DRAWN[profile] * _WEIGHTS.get(cls.id, 1) if draws else 0


def owner_of(catalogue: Sequence[Rule], rule: Rule, name: str) -> tuple[str, str]:
    """The rule that sends a class: one class can serve several rules about one setting, or about none."""
    return next(
        (other.id, name)
        for other in catalogue
        for cls in other.classes
        if cls.id == name and rule.field in (None, other.field)
    )


def _has_turn(rule: Rule, cls: InputClass, catalogue: Sequence[Rule]) -> bool:
    """Whether it is this rule's turn, of parallel settings that share a rare class."""
    if not cls.rare or len(catalogue) < len(CATALOGUE):
        return True
    rare = [each.id for each in rule.classes if each.rare]
    return rule.field in _PARALLEL[rare.index(cls.id) % 2]


def side_by_side(
    items: Iterable[Item], known_sids: Mapping[str, frozenset[str] | None]
) -> Iterator[tuple[Item, ...]]:
    """
    Single values that are to be accepted, one of each setting: those that one update can carry.

    Args:
        items: what there is to send, of one level; what is no single value to be accepted is left out.
        known_sids: by parameter, the only SIDs that the target takes; None or absent: any well-formed one.
    """
    # The longest first: beside a long inactive timer there must be a closed one that is longer still.
    waiting = sorted((item for item in items if _is_good((item,), known_sids)), key=_shortness)
    while waiting:
        group: tuple[Item, ...] = (waiting.pop(0),)
        for item in list(waiting):
            if _is_good((*group, item), known_sids):
                group = (*group, item)
                waiting.remove(item)
        if len(group) > 1:
            yield group


def _shortness(item: Item) -> Decimal:
    ((_, value),) = item.probe.steps[0].form() or ()
    length = length_of(value)
    return -length.low if length else Decimal(0)


def carried(items: Sequence[Item]) -> tuple[Pairs, Pairs]:
    """The parameters of one update that carries several probes, and the settings to be in force before it."""
    pairs = tuple(pair for item in items for pair in item.probe.steps[0].form() or ())
    names = {name for name, _ in pairs}
    context = dict(pair for item in items for pair in item.probe.context if pair[0] not in names)
    return pairs, tuple(context.items())


def _is_good(items: Sequence[Item], known_sids: Mapping[str, frozenset[str] | None]) -> bool:
    """Whether one update of these single values is to be accepted."""
    if any(len(item.probe.steps) > 1 or item.rule.group not in ("timers", "sids") for item in items):
        return False
    pairs, context = carried(items)
    if not len(pairs) == len(items) == len(dict(pairs)):
        return False
    lengths = {name: [length_of(value)] for name, value in context}
    return decide(pairs, known_sids=known_sids, lengths=lengths).answer is Answer.ACCEPT

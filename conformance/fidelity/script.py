"""
Draws the script: the requests that are sent, in this order, to every target that is compared or recorded.

A script depends on the profile, the seed and the services that the user names, and on no answer. It brings each setting
into force by itself before the part that needs it. It sends nothing at the same moment, so that every answer depends on
the requests before it alone.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from conformance.harness.generation import generate
from conformance.harness.observations import OPEN
from conformance.harness.schedule import Item, carried, planned, side_by_side
from conformance.http import READ, Pairs, Request, parameters_of, update
from conformance.model import (
    CHAT,
    CLOSED,
    EXAMPLE,
    INACTIVE,
    MESSAGING,
    Aspect,
    Level,
    Probe,
    Situation,
)
from conformance.oracle.decisions import Answer, decide
from conformance.rules import CATALOGUE
from conformance.rules.probes import CONTEXT_CLASSES, LONG_CLOSED, SHORT_INACTIVE

PROFILES = ("quick", "standard")
"""The profiles of a script, shortest first: a live account is sent the quick one within 300 requests."""

_LOOK, _LONGEST = 5, 12
"""Requests in a row that must be refused, after which the settings should be looked at, and are in any case."""

_COVERED = frozenset({"open/unknown-parameter", "open/json"})
"""Open inputs that are like those of classes of the catalogue."""

_INVALID = {INACTIVE: "PT59S", CLOSED: "PT9M59S", CHAT: "IS0", MESSAGING: "MG0"}


class Part(StrEnum):
    """The purpose of a step."""

    UNSET = "unset"
    """It is sent while settings are still as they were found; it means something only where they are null."""
    STATE = "state"
    """It brings the settings into the known state, or back into it."""
    PROBE = "probe"
    """It is an input of its class."""
    GUARD = "guard"
    """It puts a timer of a live target back; the script does not have it, a recording may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One request of a script."""

    cls: str
    """The id of the input class."""
    rule: str
    """The id of the rule that the class belongs to; empty for an input that the document leaves open."""
    request: Request
    part: Part = Part.PROBE
    pause: float = 0.0
    """Seconds to wait before it is sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """The steps in their order, and what they were drawn from."""

    profile: str
    seed: int
    accounts: int
    """The number of accounts whose credentials the steps use."""
    steps: tuple[Step, ...]


def draw(
    *,
    profile: str = "quick",
    seed: int = 0,
    accounts: int = 1,
    sids: Iterable[tuple[str, str]] = (),
    live: bool = False,
) -> Script:
    """
    Draw the script.

    Args:
        profile: One of `PROFILES`.
        seed: Of what Hypothesis draws beside the explicit examples.
        accounts: The number of accounts whose credentials are known; of more than two, two are used.
        sids: Services that the account has, by parameter. The settings begin with them.
        live: Whether a timer that gets shorter is put back at once. That takes further requests, so there are fewer
            steps: of two settings of a kind each gets every second input class that both have, and the first
            one of the minimum.
    """
    accounts = min(accounts, 2)
    known = dict(sids)
    situation = Situation(accounts=accounts, sids={name: frozenset([sid]) for name, sid in known.items()})
    writer = _Writer({**EXAMPLE, **known})
    writer.begin()
    items = list(_items(profile, seed, situation, live))
    shown = deque(_joined(items))
    alone = [item for item in items if not any(item in group for group in shown)]
    for item in sorted(alone, key=_order):
        # A good update of settings of the other kind shows what came of the inputs before it.
        others = (each for each in shown if each[0].rule.group != item.rule.group)
        if writer.is_due and (group := next(others, None)) is not None:
            shown.remove(group)
            writer.together(group)
        writer.probe(item.probe, item.cls.id, item.rule.id)
    for group in shown:
        writer.together(group)
    for cls, (_, request, _) in OPEN.items():
        if cls not in _COVERED:
            writer.probe(Probe(steps=(request,)), cls, "")
    writer.end()
    return Script(profile=profile, seed=seed, accounts=accounts, steps=tuple(writer.steps))


def _items(profile: str, seed: int, situation: Situation, live: bool) -> Iterator[Item]:
    """Yield the probes of every class; a seed other than 0 draws those of which the classes have a strategy."""
    for rule, cls, explicit, count in planned(CATALOGUE, profile, situation):
        if rule.needs_accounts > situation.accounts or cls.machine is not None or not explicit:
            continue
        # One reader of durations serves both timers as a rule: each gets every second notation that only should hold.
        is_first = rule.aspect is Aspect.CONTENT and cls is rule.classes[0]  # the values next to the minimum
        halved = live and rule.field is not None and not is_first
        is_shared = halved or rule.family == "timer-notation"
        turn = rule.classes.index(cls) + seed + (rule.field in (CLOSED, MESSAGING))
        if is_shared and profile == "quick" and turn % 2:
            continue
        probes = list(explicit)
        if cls.strategy is not None and (seed or count):
            drawn = generate(
                cls.strategy(situation), seed=f"script/{seed}/{rule.id}/{cls.id}", count=count or 1
            )
            probes = drawn[: len(probes)] if seed and profile == "quick" else [*probes, *drawn]
        yield from (Item(rule, cls, probe) for probe in probes)


def _joined(items: Sequence[Item]) -> list[tuple[Item, ...]]:
    """
    Return the good values in groups that one update can carry.

    Timers and SIDs stay apart: a target refuses SIDs of services that it does not have. So do values that only should
    be accepted.
    """
    good = [item for item in items if item.rule.level is Level.MUST]
    kinds = [[item for item in good if item.rule.group == group] for group in ("sids", "timers")]
    return [group for kind in kinds for group in side_by_side(kind, {})]


def _order(item: Item) -> tuple[Pairs, bool]:
    """Probes that need the same settings in force follow each other, and those that change them come last."""
    needed = {name for name, _ in item.probe.context}
    sent = {name for step in item.probe.steps for name, _ in parameters_of(step)}
    return item.probe.context[:1], not needed.isdisjoint(sent)


class _Writer:
    """Writes steps, and before them those that put in force what they need, beside the known values."""

    def __init__(self, known: dict[str, str]) -> None:
        self.steps: list[Step] = []
        self._known = known
        self._in_force: dict[str, str] = {}
        """By parameter, the values that every target has in force that takes what it must take."""
        self._unseen = 0
        self._sent: set[tuple[tuple[Request, ...], Pairs]] = set()

    def begin(self) -> None:
        """Look at the settings as they are, send invalid values to them, and bring them into the known state."""
        self._add(READ, "answer/read", part=Part.UNSET)
        for each, value in _INVALID.items():
            self._add(update((each.parameter, value)), "state/unset", part=Part.UNSET)
        self._add(READ, "state/unset", part=Part.UNSET)
        # A target that does not have the services refuses the whole: the timers come first, and alone.
        for names in ([INACTIVE, CLOSED], [CHAT], [MESSAGING]):
            pairs = [(each.parameter, self._known[each.parameter]) for each in names]
            self._add(update(*pairs), "form/documented", part=Part.STATE)

    @property
    def is_due(self) -> bool:
        """Whether the settings should be looked at."""
        return self._unseen >= _LOOK

    def together(self, items: Sequence[Item]) -> None:
        """Write one update of several good values, one of each setting."""
        probe = carried(items)
        self._establish(probe.context)
        self._add(probe.steps[0], "+".join(item.cls.id for item in items), items[0].rule.id)

    def probe(self, probe: Probe, cls: str, rule: str) -> None:
        """Write the steps of a probe of a class and a rule, unless the same ones were written before."""
        key = (probe.steps, probe.context)
        # Requests written by hand are no part of a script, which is for live accounts, too.
        if probe.together or key in self._sent or any(step.by_hand for step in probe.steps):
            return
        self._sent.add(key)
        own = {name for name, _ in probe.steps[0].form() or ()}
        self._establish(tuple(pair for pair in probe.context if pair[0] not in own))
        for step in probe.steps:
            last = step is probe.steps[-1]
            self._add(step, cls, rule, pause=probe.pause if last else 0.0)
        if self._unseen >= _LONGEST:
            self.end()

    def end(self) -> None:
        """Look at the settings, by an update that leaves them in the known state."""
        if self.steps[-1].part is not Part.STATE:
            self._put(SHORT_INACTIVE, LONG_CLOSED)

    def _establish(self, context: Pairs) -> None:
        missing = [pair for pair in context if self._in_force.get(pair[0]) != pair[1]]
        if missing:
            self._put(*missing)

    def _put(self, *pairs: tuple[str, str]) -> None:
        self._add(update(*pairs), CONTEXT_CLASSES[pairs[0]], part=Part.STATE)
        self._in_force.update(pairs)

    def _add(
        self, request: Request, cls: str, rule: str = "", *, part: Part = Part.PROBE, pause: float = 0.0
    ) -> None:
        self.steps.append(Step(cls=cls, rule=rule, request=request, part=part, pause=pause))
        form = request.form() or ()
        for name, _ in parameters_of(request):
            self._in_force.pop(name, None)
        shows = request.account == 0 and request.auth.valid and request.method == "POST"
        accepted = shows and bool(form) and decide(form).answer is not Answer.REJECT
        self._unseen = 0 if accepted else self._unseen + 1

"""
Draws the script: the requests that are sent, in this order, to every target that is compared or recorded.

A script depends on the profile, the seed and the services that the user names, and on no answer. It brings each setting
into force by itself before the part that needs it. It sends nothing at the same moment, so that every answer depends on
the requests before it alone.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from conformance.harness.generation import generate
from conformance.harness.observations import OPEN
from conformance.harness.order import FIRST
from conformance.harness.schedule import Item, carried, planned, side_by_side
from conformance.http import READ, Pairs, Request, encode_form, parameters_of, update
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
from conformance.rules.acceptance import must_be_accepted
from conformance.rules.probes import CONTEXT_CLASSES, LONG_CLOSED, SHORT_INACTIVE

PROFILES = ("quick", "standard")
"""The profiles of a script, shortest first: a live account is sent the quick one within 300 requests."""

_DUE, _OVERDUE = 5, 14
"""Requests in a row that must be refused, after which a step should show the settings, and one does in any case."""

_COVERED = frozenset({"open/unknown-parameter", "open/json"})
"""Open inputs that are like those of classes of the catalogue."""

IMPLIED = frozenset({"state/omitted", "state/a-b-a", "form/documented", "answer/read"})
"""Classes that the quick script does not need, since all answers are compared: it has reads, updates of one setting, of
all, and back to an earlier value in any case."""

_HEADERS = frozenset({"header/ignored", "header/unknown", "header/malformed"})
"""Classes of headers that can be sent together: the quick script sends many in one request."""

_FIELDS, _CHARACTERS = 16, 500
"""The most headers in one request, and the most characters in them: a server may refuse more."""

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
    groups, spare = _joined(items)
    shown = deque(groups)
    alone = [item for item in items if item not in spare and not any(item in group for group in shown)]
    for item in sorted(alone, key=_order):
        # A good update of settings of the other kind shows what came of the inputs before it.
        others = (
            each
            for each in shown
            if each[0].rule.group != item.rule.group
            and (not item.probe.context or each[0].rule.group != "timers")
        )
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
    rows = zip(
        planned(CATALOGUE, profile, situation), planned(CATALOGUE, profile, situation, rare=True), strict=True
    )
    for (rule, cls, turn_explicit, count), (*_, every_explicit, _) in rows:
        is_early = cls.id in FIRST and rule.field is not None and rule.level is Level.MUST
        explicit = every_explicit if is_early and not live else turn_explicit
        if rule.needs_accounts > situation.accounts or cls.machine is not None or not explicit:
            continue
        if profile == "quick" and cls.id in IMPLIED:
            continue
        if profile == "quick" and cls.id in _HEADERS:
            explicit = list(_packed(cls.examples(situation)))
        elif profile == "quick" and all(_is_way(Item(rule, cls, probe)) for probe in explicit):
            explicit = cls.examples(situation)
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


def _packed(probes: Iterable[Probe]) -> Iterator[Probe]:
    """Yield probes that send the headers of several probes in one request, as far as their names differ."""
    waiting = [probe.steps[0] for probe in probes]
    while waiting:
        request = waiting.pop(0)
        for other in list(waiting):
            headers = (*request.headers, *other.headers)
            names = {name.lower() for name, _ in headers}
            characters = sum(len(name) + len(value) for name, value in headers)
            if len(names) == len(headers) <= _FIELDS and characters <= _CHARACTERS:
                request = replace(request, headers=headers)
                waiting.remove(other)
        yield Probe(steps=(request,))


def _joined(items: Sequence[Item]) -> tuple[list[tuple[Item, ...]], list[Item]]:
    """
    Return the good values in groups that one update can carry, and items that need not be sent.

    Timers and SIDs stay apart: a target refuses SIDs of services that it does not have. So do values that only should
    be accepted. The timers are sent in the ways that must be accepted, the first of each class before any other; which
    ways are then left over, and are no first ones, need not be sent.
    """
    good = [item for item in items if item.rule.level is Level.MUST]
    kinds = [[item for item in good if item.rule.group == group] for group in ("sids", "timers")]
    sids, timers = (list(side_by_side(kind, {})) for kind in kinds)
    ways = [item for item in items if _is_way(item)]
    firsts = list({way.cls.id: way for way in reversed(ways)}.values())
    others = [way for way in ways if way not in firsts]
    joined = [(*group, way) for group, way in zip(timers, [*firsts, *others], strict=False)]
    return [*sids, *joined, *timers[len(joined) :]], others[max(0, len(joined) - len(firsts)) :]


def _is_way(item: Item) -> bool:
    """Whether an item is a way of sending that must be taken, whatever the good values are."""
    first, *others = item.probe.steps
    is_plain = not others and len(first.form() or ()) == 1 and first.body == encode_form(first.form() or ())
    is_way = item.rule.level is Level.MUST and item.rule.control is not None
    return is_way and is_plain and must_be_accepted(first)


_KINDS = ("sids", "timers")
"""The groups of rules about values."""


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
        """Read the settings as they are, send invalid values to them, and bring them into the known state."""
        self._add(READ, "answer/read", part=Part.UNSET)
        for each, value in _INVALID.items():
            self._add(update((each.parameter, value)), "state/unset", part=Part.UNSET)
        self._add(READ, "state/unset", part=Part.UNSET)
        # A target that does not have the services refuses the whole: the timers come first, and alone.
        for names in ([INACTIVE, CLOSED], [MESSAGING], [CHAT]):
            pairs = [(each.parameter, self._known[each.parameter]) for each in names]
            self._add(update(*pairs), "form/documented", part=Part.STATE)

    @property
    def is_due(self) -> bool:
        """Whether a step should show the settings."""
        return self._unseen >= _DUE

    def together(self, items: Sequence[Item]) -> None:
        """Write one update of several good values, one of each setting, in the way that may come behind them."""
        probe = carried([item for item in items if item.rule.group in _KINDS])
        self._establish(probe.context)
        request = replace(items[-1].probe.steps[0], body=probe.steps[0].body)
        self._add(request, "+".join(item.cls.id for item in items), items[-1].rule.id)

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
            self._add(step, cls, rule)
        if self._unseen >= _OVERDUE:
            self.end()

    def end(self) -> None:
        """Have the settings shown, by an update that leaves them in the known state."""
        if self.steps[-1].part is not Part.STATE:
            self._put(SHORT_INACTIVE, LONG_CLOSED)

    def _establish(self, context: Pairs) -> None:
        missing = [pair for pair in context if self._in_force.get(pair[0]) != pair[1]]
        if missing:
            self._put(*missing)

    def _put(self, *pairs: tuple[str, str]) -> None:
        self._add(update(*pairs), CONTEXT_CLASSES[pairs[0]], part=Part.STATE)
        self._in_force.update(pairs)

    def _add(self, request: Request, cls: str, rule: str = "", *, part: Part = Part.PROBE) -> None:
        self.steps.append(Step(cls=cls, rule=rule, request=request, part=part))
        form = request.form() or ()
        for name, _ in parameters_of(request):
            self._in_force.pop(name, None)
        shows = request.account == 0 and request.auth.valid and request.method == "POST"
        accepted = shows and bool(form) and decide(form).answer is not Answer.REJECT
        self._unseen = 0 if accepted else self._unseen + 1

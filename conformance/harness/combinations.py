"""
Sends requests in manners that together cover every pair, after each kind of request was sent plainly.

A request is sent in a manner only if the target answered it rightly when it was sent plainly. If it then shows a
violation, the plain request is sent again. Only if that does not show the violation, the manner is the reason. The run
then finds out which values of the manner are needed for it. No later request has these values together again: it would
show the same mistake once more, under another name.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import cycle, islice, zip_longest
from typing import NamedTuple

from conformance import model
from conformance.attribution.sameness import is_about_state
from conformance.harness.conversation import Judged
from conformance.harness.covering import rows
from conformance.harness.schedule import Item
from conformance.harness.session import Session
from conformance.http import Request, update
from conformance.model import BY_PARAMETER, FIELDS, Probe, Situation, Violation
from conformance.rules import BY_ID, CATALOGUE
from conformance.rules.acceptance import ACCEPTED_STATUS
from conformance.rules.forms import GOOD_FORMS, pairs_for
from conformance.rules.manners import (
    ACCOUNT,
    BY_HAND,
    DESIGNS,
    PLACE,
    PLAIN,
    VALUE,
    Carrier,
    Manner,
    carrier_of,
    in_manner,
    value_of,
)
from conformance.rules.probes import LONG_CLOSED, by_turns, single

_ENOUGH = 12
"""Manners that bring violations about. After so many, the next one would say nothing new about the target."""

_FIRST, _MOST = 300, 900
"""
The index of the first values that are put beside a request's own, and how many there are.

Smaller ones are those of input classes. The values of a request that is refused are those of no other request: where
they are shown, it is known from where they come.
"""

_GOOD = next((rule, cls) for rule in CATALOGUE for cls in rule.classes if cls.id == GOOD_FORMS)
"""The rule and the input class that good updates are counted for."""


class _Row(NamedTuple):
    """One request to send, and its manner."""

    carrier: Carrier
    item: Item
    manner: Manner
    number: int
    """Which values are put beside its own; each number gives others."""

    def request(self, situation: Situation, manner: Manner | None = None) -> Request:
        """Return the request in its manner, or in another one."""
        chosen = self.manner if manner is None else manner
        return in_manner(self.item.probe.steps[0], chosen, situation, self.number)


class Combinations:
    """
    Keeps the plain requests that were answered rightly, and sends them in manners.

    Args:
        session: The run.
        strength: 2 for every pair of values, 3 for every triple.
        shard: Which part of the rows to send, counted from 1, and of how many. Part 0 has those of another account.
    """

    def __init__(self, session: Session, *, strength: int, shard: tuple[int, int]) -> None:
        self._session = session
        self._shard = shard
        self._strength = strength
        self._kept: dict[Carrier, dict[str, list[Item]]] = {Carrier.BAD: {}, Carrier.INTRUDER: {}}
        """By carrier and by what they are about."""
        self._understood: list[tuple[Carrier, frozenset[tuple[str, str]]]] = []
        """The values of manners that suffice to cause a violation, the fewest that do."""
        self._harmless: dict[tuple[str, str], bool] = {}
        """By dimension and value, whether the target accepts a good update that is sent so."""

    def keep(self, item: Item, judged: list[Judged]) -> None:
        """Keep a probe that was sent plainly, if it was refused rightly."""
        if len(judged) == 1 and not judged[0].violations and judged[0].exchange.refused:
            request = replace(item.probe.steps[0], account=0)
            if (carrier := carrier_of(request)) in self._kept:
                kept = self._kept[carrier].setdefault(value_of(carrier, request), [])
                kept.append(item._replace(probe=replace(item.probe, steps=(request,))))

    def send(self, claim: Callable[[Probe, str], bool]) -> None:
        """
        Send every row.

        Args:
            claim: Says whether a probe of an input class may be sent; raises an exception when the phase has to end.
        """
        for planned in self._rows():
            if len(self._understood) >= _ENOUGH:
                return
            row = planned._replace(manner=self._sensible(planned))
            is_plain = all(value == PLAIN for name, value in row.manner.items() if name != VALUE)
            if not is_plain and row.manner.get(PLACE) == planned.manner.get(PLACE):
                request = row.request(self._session.situation)
                if claim(replace(row.item.probe, steps=(request,)), row.item.cls.id):
                    self._send(row, request)

    def _rows(self) -> Iterator[_Row]:
        """Yield the rows of the carriers in turns, so that an update soon shows what a refused one has written."""
        shares = {carrier: self._share(self._rows_of(carrier)) for carrier in Carrier}
        good = list(shares.pop(Carrier.GOOD))
        for turn in zip_longest(*shares.values()):
            yield from (row for row in turn if row is not None)
            if good:
                yield good.pop(next((at for at, row in enumerate(good) if self._shows(row)), 0))
        yield from good

    def _share(self, rows: Iterator[_Row]) -> Iterator[_Row]:
        part, parts = self._shard
        if part == 0:
            return (row for row in rows if row.manner.get(ACCOUNT, PLAIN) != PLAIN)
        return islice(rows, part - 1, None, parts)

    def _shows(self, row: _Row) -> bool:
        """Whether a good update leaves alone what refused ones may have written, so that its answer shows it."""
        request = row.request(self._session.situation)
        return not self._session.hides(replace(row.item.probe, steps=(request,)))

    def _rows_of(self, carrier: Carrier) -> Iterator[_Row]:
        kept = {value: cycle(self._items(carrier, value)) for value in DESIGNS[carrier].factors[VALUE]}
        for number, manner in enumerate(rows(carrier, self._strength)):
            index, value = _index(carrier, number), manner[VALUE]
            item = self._good(value, index) if carrier is Carrier.GOOD else next(kept[value], None)
            if item is not None:
                yield _Row(carrier, item, manner, index)

    def _items(self, carrier: Carrier, value: str) -> list[Item]:
        """Return the plain requests for a value; what is sent elsewhere was refused in a form."""
        kept = self._kept.get(Carrier.BAD if carrier is Carrier.DISGUISED else carrier, {})
        return _in_turns(item for about, items in kept.items() if about.startswith(value) for item in items)

    def _good(self, slug: str, index: int) -> Item | None:
        """Return a good value of a setting; each is another one, so an update that is ignored shows."""
        if self._session.judge.evidence.of(ACCEPTED_STATUS) is not None:
            for name, value in pairs_for(self._session.situation, index):
                if BY_PARAMETER[name].slug == slug:
                    return Item(*_GOOD, single(update((name, value)), context=(LONG_CLOSED,)))
        return None

    def _sensible(self, row: _Row) -> Manner:
        """Return the row's manner without values that caused a violation before, or that a target may refuse alone."""
        manner = dict(row.manner)
        if self._session.situation.accounts < 2:
            manner[ACCOUNT] = PLAIN
        if model.BY_HAND in self._session.target.lacks:
            manner[BY_HAND] = PLAIN
        for carrier, values in self._understood:
            if carrier is row.carrier and values <= manner.items():
                manner[max(values)[0]] = PLAIN
        return {
            name: value if self._is_harmless(name, value, row.number) else PLAIN
            for name, value in manner.items()
        }

    def _is_harmless(self, dimension: str, value: str, number: int) -> bool:
        """Whether a good update is accepted in one manner, as far as the document leaves that to the target."""
        if dimension == VALUE or value in (PLAIN, *DESIGNS[Carrier.GOOD].factors.get(dimension, ())):
            return True
        if (dimension, value) not in self._harmless:
            is_accepted = True
            if (item := self._good(FIELDS[0].slug, number)) is not None:
                sent = {dimension: value}
                request = in_manner(item.probe.steps[0], sent, self._session.situation, number)
                is_accepted = self._session.conversation.send(request, item.cls.id).exchange.accepted
            self._harmless[dimension, value] = is_accepted
        return self._harmless[dimension, value]

    def _send(self, row: _Row, request: Request) -> None:
        judged = self._ask(row, request)
        self._note(row, judged, [each for each in judged.violations if _is_elsewhere(each)])
        wrong = {each.outcome for each in judged.violations if not _is_elsewhere(each)}
        if not wrong:
            return
        plain = replace(row.item.probe.steps[0], account=judged.exchange.request.account)
        wrong -= {each.outcome for each in self._session.conversation.send(plain, row.item.cls.id).violations}
        if not wrong:
            return
        manner = row.manner
        for dimension in (each for each in row.manner if each != VALUE):
            simpler = {**manner, dimension: PLAIN}
            if simpler != manner:
                again = self._ask(row, row.request(self._session.situation, simpler))
                if wrong & {each.outcome for each in again.violations}:
                    judged, manner = again, simpler
        self._note(row, judged, [each for each in judged.violations if each.outcome in wrong])
        if needed := frozenset(each for each in manner.items() if each[0] != VALUE and each[1] != PLAIN):
            self._understood.append((row.carrier, needed))

    def _note(self, row: _Row, judged: Judged, violations: Iterable[Violation]) -> None:
        for violation in violations:
            self._session.conversation.note(violation, judged.exchange, row.item.cls.id)

    def _ask(self, row: _Row, request: Request) -> Judged:
        """Send a request and have it judged; the caller records its violations."""
        self._session.begin(replace(row.item.probe, steps=(request,)), row.item.cls.id)
        judged = self._session.conversation.ask(request, row.item.cls.id)
        self._session.conversation.conclude(judged.reply, row.item.cls.id)
        return judged


def _index(carrier: Carrier, number: int) -> int:
    """The index of the values of a carrier's row; no two carriers have the same."""
    return _FIRST + (len(Carrier) * number + list(Carrier).index(carrier)) % _MOST


def _in_turns(items: Iterable[Item]) -> list[Item]:
    """Return the items so that the rules that send them take turns: there are fewer manners than items."""
    by_rule: dict[str, list[Item]] = {}
    for item in items:
        by_rule.setdefault(item.rule.id, []).append(item)
    return by_turns(by_rule.values())


def _is_elsewhere(violation: Violation) -> bool:
    """Whether an earlier request may have brought a violation about."""
    return bool(violation.related) or is_about_state(BY_ID[violation.rule])

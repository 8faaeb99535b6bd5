"""
Gives each probe a row of a covering array, so that together they cover every pair of manners, or every triple.

The rows depend on the plan alone: the n-th probe of a carrier gets the n-th row, and after the last comes the first.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import combinations, product
from typing import NamedTuple

from covertable import make

from conformance.model import Probe, Situation
from conformance.rules.manners import DESIGNS, PLAIN, Carrier, Manner, carrier_of, with_manner

_OTHERS = 100
"""The index of the first values that are put beside a probe's own. Smaller ones are those of input classes."""


class Coverage(NamedTuple):
    """How many of the sensible combinations of manners some probes have."""

    covered: int
    possible: int


@cache
def rows(carrier: Carrier, strength: int) -> tuple[Manner, ...]:
    """
    Return manners of a carrier that cover every sensible combination of `strength` values of different dimensions.

    They are in the order in which the library found them, so the first ones cover most.
    """
    design = DESIGNS[carrier]
    factors = {name: list(values) for name, values in design.factors.items()}
    if len(factors) < strength:
        return tuple(dict(zip(factors, each, strict=True)) for each in product(*factors.values()))
    constraints = [
        {
            "operator": "or",
            "conditions": [
                {
                    "operator": "not",
                    "condition": {"operator": "in", "left": each.dimension, "values": list(each.values)},
                },
                {"operator": "eq", "left": each.other, "value": PLAIN},
            ],
        }
        for each in design.constraints
    ]
    return tuple(dict(row) for row in make(factors, strength=strength, constraints=constraints))


class Manners:
    """
    Hands out the rows to the probes of a run, in the order in which they are planned.

    Args:
        situation: The facts about the target.
        strength: 2 for every pair, 3 for every triple.
    """

    def __init__(self, situation: Situation, strength: int) -> None:
        self._situation = situation
        self._strength = strength
        self._used = Counter[Carrier]()
        self.given: dict[Carrier, list[Manner]] = {}
        """The rows handed out so far, by carrier."""

    def dressed(self, probe: Probe, *, first: bool = False) -> Probe:
        """
        Return the probe with the next manner of its carrier; the probe itself where it can have none.

        Args:
            probe: The probe.
            first: Whether it is the first of its input class.
        """
        carrier = carrier_of(probe)
        if carrier is Carrier.BAD and first:
            carrier = Carrier.FIRST_BAD
        if first and any(step.intends for step in probe.steps):
            return probe  # what it must not write can be seen only where this run has set another value
        if carrier is None:
            return probe
        every = rows(carrier, self._strength)
        number = self._used[carrier]
        self._used[carrier] += 1
        manner = every[number % len(every)]
        if "beside" in manner and len(probe.steps[0].form() or ()) > 1:
            manner = {**manner, "beside": PLAIN}
        self.given.setdefault(carrier, []).append(manner)
        return with_manner(probe, manner, self._situation, _OTHERS + number % _OTHERS)


def coverage(carrier: Carrier, manners: Iterable[Manner], strength: int = 2) -> Coverage:
    """Count the combinations of values that some manners cover, and those that the design calls sensible."""
    possible = set[frozenset[tuple[str, str]]]()
    for row in rows(carrier, strength):
        possible |= _combinations(row, strength)
    covered = set[frozenset[tuple[str, str]]]()
    for manner in manners:
        covered |= _combinations(manner, strength)
    return Coverage(len(covered & possible), len(possible))


def _combinations(manner: Mapping[str, str], strength: int) -> set[frozenset[tuple[str, str]]]:
    chosen: Sequence[tuple[str, str]] = list(manner.items())
    return {frozenset(each) for each in combinations(chosen, min(strength, len(chosen)))}

"""Covering arrays of manners: the fewest that together have every pair of values, or every triple."""

from collections.abc import Iterable
from functools import cache
from itertools import combinations
from typing import NamedTuple

from covertable import criteria, make

from conformance.rules.manners import DESIGNS, PLAIN, Carrier, Manner


class Coverage(NamedTuple):
    """How many of the sensible combinations of manners some probes have."""

    covered: int
    possible: int


@cache
def rows(carrier: Carrier, strength: int) -> tuple[Manner, ...]:
    """
    Return manners of a carrier that cover every sensible combination of `strength` values of different dimensions.

    They are in the order in which the library found them, so the first ones of pairs cover most. Of triples a simpler
    search finds an eighth more, in half the time.
    """
    design = DESIGNS[carrier]
    factors = {name: list(values) for name, values in design.factors.items()}
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
    criterion = criteria.greedy if strength == 2 else criteria.simple
    found = make(factors, strength=strength, criterion=criterion, constraints=constraints)
    return tuple(dict(row) for row in found)


def coverage(carrier: Carrier, manners: Iterable[Manner]) -> Coverage:
    """Count the pairs of values that some manners cover, and those that the design calls sensible."""
    design = DESIGNS[carrier]
    possible = {
        frozenset(((one, value), (other, another)))
        for (one, values), (other, others) in combinations(design.factors.items(), 2)
        for value in values
        for another in others
        if not any(each.forbids({one: value, other: another}) for each in design.constraints)
    }
    covered = {frozenset(pair) for manner in manners for pair in combinations(manner.items(), 2)}
    return Coverage(len(covered & possible), len(possible))

"""
Covering arrays of manners: the fewest that together have every pair of values, or every triple.

It takes seconds to find those of pairs, and half a minute those of triples. So `docs/generate.py` finds them, and
writes them to `covering.json`.
"""

import hashlib
import json
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from itertools import combinations
from typing import Any, NamedTuple

from conformance.rules.manners import DESIGNS, Carrier, Design, Manner

FILE = "covering.json"
"""
The file has, by carrier, the digest of its design, and by strength its rows. A row is a text of pairs of digits: the
place of a dimension, and the place of a value of it.
"""

PLACES = "0123456789abcdefghijklmnopqrstuvwxyz"
"""The digits of places."""


class Coverage(NamedTuple):
    """How many of the sensible combinations of manners some probes have."""

    covered: int
    possible: int


@cache
def rows(carrier: Carrier, strength: int) -> tuple[Manner, ...]:
    """
    Return manners of a carrier that cover every sensible combination of `strength` values of different dimensions.

    They are in the order in which the library found them, so the first ones of pairs cover most.
    """
    factors = {
        f"{PLACES[at]}{PLACES[place]}": (name, value)
        for at, (name, values) in enumerate(DESIGNS[carrier].factors.items())
        for place, value in enumerate(values)
    }
    return tuple(
        dict(factors[row[at : at + 2]] for at in range(0, len(row), 2))
        for row in kept()[carrier][str(strength)]
    )


@cache
def kept() -> Any:
    """Return the content of the file: see `FILE`."""
    return json.loads(files(__package__).joinpath(FILE).read_text(encoding="ascii"))


def digest(design: Design) -> str:
    """Return what tells one design from another."""
    return hashlib.sha256(repr((*design.factors.items(), *design.constraints)).encode()).hexdigest()


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

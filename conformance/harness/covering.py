"""
Covering arrays of manners: the fewest that together have every pair of values, or every triple.

It takes seconds to find those of pairs, and half a minute those of triples. So they are kept in `covering.json`, which
`docs/generate.py` writes; where a design has changed since, they are found anew.
"""

import hashlib
import json
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from itertools import combinations
from typing import Any, NamedTuple

from covertable import criteria, make

from conformance.rules.manners import DESIGNS, PLAIN, Carrier, Design, Manner

FILE = "covering.json"
"""
The file has, by carrier, the digest of its design, and by strength its rows. A row is a text of pairs of digits: the
place of a dimension, and the place of a value of it.
"""

_PLACES = "0123456789abcdefghijklmnopqrstuvwxyz"


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
    design, kept = DESIGNS[carrier], _kept()[carrier]
    if kept["design"] != digest(design):
        return _found(carrier, strength)
    factors = {
        f"{_PLACES[at]}{_PLACES[place]}": (name, value)
        for at, (name, values) in enumerate(design.factors.items())
        for place, value in enumerate(values)
    }
    return tuple(
        dict(factors[row[at : at + 2]] for at in range(0, len(row), 2)) for row in kept[str(strength)]
    )


@cache
def _kept() -> Any:
    return json.loads(files(__package__).joinpath(FILE).read_text(encoding="ascii"))


def digest(design: Design) -> str:
    """Return what tells one design from another."""
    return hashlib.sha256(repr((*design.factors.items(), *design.constraints)).encode()).hexdigest()


def to_keep() -> str:
    """Return the text of the file in which the rows are kept; those of a design that has not changed stay."""
    kept = _kept()
    content = {
        str(carrier): kept[carrier] if kept[carrier]["design"] == digest(design) else _new(carrier)
        for carrier, design in DESIGNS.items()
    }
    return json.dumps(content, indent=0) + "\n"


def _new(carrier: Carrier) -> dict[str, str | list[str]]:
    design = DESIGNS[carrier]
    names = list(design.factors)
    return {"design": digest(design)} | {
        str(strength): [
            "".join(
                _PLACES[names.index(name)] + _PLACES[design.factors[name].index(value)]
                for name, value in manner.items()
            )
            for manner in _found(carrier, strength)
        ]
        for strength in (2, 3)
    }


def _found(carrier: Carrier, strength: int) -> tuple[Manner, ...]:
    """Find the rows; of triples a simpler search finds an eighth more than the thorough one, in half the time."""
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

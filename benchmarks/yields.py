"""
Orders the input classes by what they find: the class first that finds most faults per request, of those still unfound.

    conformance selftest --profile quick --json matrix.json
    python benchmarks/yields.py matrix.json

It prints `FIRST` of `conformance/harness/order.py`, down to the classes that find one fault per request.
"""

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from conformance.harness.schedule import planned
from conformance.model import Level, Situation
from conformance.rules import CATALOGUE

_TWO = Situation(accounts=2)


def costs() -> Counter[str]:
    """
    Count the requests that the first example of each class takes, where a rule that must hold sends it.

    A peculiar way of sending is left out: what it shows is told apart by what was sent plainly before.
    """
    cost: Counter[str] = Counter()
    for rule, cls, probes, _ in planned(CATALOGUE, "quick", _TWO):
        if probes and rule.level is Level.MUST and rule.control is None:
            cost[cls.id] += len(probes[0].steps)
    return cost


def ordered(
    finders: dict[str, set[str]], cost: Counter[str], preflight: int
) -> Iterator[tuple[str, int, int, int]]:
    """Yield each class with the faults that it finds first, its requests, and all requests up to then."""
    found: set[str] = set()
    left, sent = set(cost), preflight
    while left:
        best = max(sorted(left), key=lambda each: len(finders[each] - found) / cost[each])
        new = finders[best] - found
        if len(new) <= cost[best]:
            return
        left.remove(best)
        found |= new
        sent += cost[best]
        yield best, len(new), cost[best], sent


def main() -> None:
    """Print the order that a matrix gives."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("matrix", type=Path, help="written by `conformance selftest --profile quick --json`")
    parser.add_argument("--preflight", type=int, default=13, help="requests before the examples")
    options = parser.parse_args()
    finders: defaultdict[str, set[str]] = defaultdict(set)
    for result in json.loads(options.matrix.read_text(encoding="utf-8"))["results"]:
        if len(result["faults"]) == 1 and (result["first"] or 0) > options.preflight:
            for finding in result["findings"]:
                finders[finding["class"]].add(result["name"])
    for name, new, cost, sent in ordered(finders, costs(), options.preflight):
        print(f'    "{name}",  # {new} faults in {cost}, {sent} sent')


if __name__ == "__main__":
    main()

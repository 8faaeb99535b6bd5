"""Measures the speed of the strategies: forms per second, and SIDs beside those of `hypothesis.strategies.from_regex`.

    python benchmarks/strategies.py [EXAMPLES]

A figure is values per second of processor time in a `@given` test that does nothing, generating only, on one
core. Rounds of all candidates alternate. Forms are held against their goal in the fastest round, which other
work on the machine disturbed least; the ratio is the median of the ratios within each round.
"""

import statistics
import sys
import time

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from conformance_strategies import durations, forms, invalid_durations, invalid_sids, sids, wire_forms

ROUNDS = 15
FORMS_GOAL = 1_500
RATIO_GOAL = 5.0
REGEX = "from_regex, the same SIDs"

CANDIDATES: dict[str, st.SearchStrategy[object]] = {
    "forms()": forms(),
    "forms(valid=True)": forms(valid=True),
    "forms(valid=False)": forms(valid=False),
    "forms(min_size=4)": forms(min_size=4),
    "durations()": durations(),
    "invalid_durations()": invalid_durations(),
    "invalid_sids('IS')": invalid_sids("IS"),
    "wire_forms()": wire_forms(),
    "sids('IS')": sids("IS"),
    REGEX: st.from_regex("IS[0-9a-fA-F]{32}", fullmatch=True),
    "from_regex, with an alphabet": st.from_regex(
        "IS[0-9a-fA-F]{32}", fullmatch=True, alphabet=st.characters(codec="ascii")
    ),
}


def rate(strategy: st.SearchStrategy[object], examples: int, of_seed: int) -> float:
    """Return the values per second of processor time."""
    drawn = 0

    @seed(of_seed)
    @settings(
        max_examples=examples,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def draw(_: object) -> None:
        nonlocal drawn
        drawn += 1

    start = time.process_time()
    draw()
    return drawn / (time.process_time() - start)


def main() -> int:
    """Measure and print; the exit status is 0 if both goals are met."""
    examples = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    for strategy in CANDIDATES.values():
        rate(strategy, 50, 0)  # the first use of a strategy builds it
    rounds = [
        {name: rate(strategy, examples, of_round) for name, strategy in CANDIDATES.items()}
        for of_round in range(ROUNDS)
    ]
    fastest = {name: max(each[name] for each in rounds) for name in CANDIDATES}
    for name, best in fastest.items():
        print(
            f"{name:30} {best:7.0f} a second, median {statistics.median(each[name] for each in rounds):.0f}"
        )
    ratio = statistics.median(each["sids('IS')"] / each[REGEX] for each in rounds)
    slowest_forms = min(best for name, best in fastest.items() if name.startswith("forms"))
    print(f"\nslowest forms: {slowest_forms:.0f} a second, goal {FORMS_GOAL}")
    print(f"SIDs beside from_regex: {ratio:.1f} times as fast, goal {RATIO_GOAL}")
    return 0 if slowest_forms >= FORMS_GOAL and ratio >= RATIO_GOAL else 1


if __name__ == "__main__":
    sys.exit(main())

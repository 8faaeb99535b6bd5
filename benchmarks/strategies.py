"""How fast the strategies are: forms per second, and SIDs beside those of `hypothesis.strategies.from_regex`.

    python benchmarks/strategies.py [EXAMPLES]

Each figure is the median of several runs of a `@given` test that does nothing, on one core, generating only. The
runs of what is compared alternate, so that a machine that slows down slows both.
"""

import statistics
import sys
import time

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from conformance_strategies import durations, forms, invalid_durations, invalid_sids, sids, wire_forms

ROUNDS = 5
FORMS_GOAL = 1_500
RATIO_GOAL = 5.0

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
    "from_regex, the same SIDs": st.from_regex("IS[0-9a-fA-F]{32}", fullmatch=True),
    "from_regex, with an alphabet": st.from_regex(
        "IS[0-9a-fA-F]{32}", fullmatch=True, alphabet=st.characters(codec="ascii")
    ),
}


def rate(strategy: st.SearchStrategy[object], examples: int, of_seed: int) -> float:
    """Values per second."""
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

    start = time.perf_counter()
    draw()
    return drawn / (time.perf_counter() - start)


def main() -> int:
    """Measure, print, and tell by the exit status whether both goals are met."""
    examples = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    for strategy in CANDIDATES.values():
        rate(strategy, 50, 0)  # the first use of a strategy builds it
    rounds = [
        {name: rate(strategy, examples, of_round) for name, strategy in CANDIDATES.items()}
        for of_round in range(ROUNDS)
    ]
    medians = {name: statistics.median(each[name] for each in rounds) for name in rounds[0]}
    for name, median in medians.items():
        slowest, fastest = min(each[name] for each in rounds), max(each[name] for each in rounds)
        print(f"{name:30} {median:7.0f} a second   ({slowest:.0f} to {fastest:.0f})")
    ratio = statistics.median(each["sids('IS')"] / each["from_regex, the same SIDs"] for each in rounds)
    slowest_forms = min(median for name, median in medians.items() if name.startswith("forms"))
    print(f"\nslowest forms: {slowest_forms:.0f} a second, goal {FORMS_GOAL}")
    print(f"SIDs beside from_regex: {ratio:.1f} times as fast, goal {RATIO_GOAL}")
    return 0 if slowest_forms >= FORMS_GOAL and ratio >= RATIO_GOAL else 1


if __name__ == "__main__":
    sys.exit(main())

"""
Drives Hypothesis: draws values from a strategy and hands each to a function that records.

The function never raises, so Hypothesis neither shrinks nor replays anything: what is found is made small by
re-sending, within a budget (`conformance.harness.minimizer`). The draws depend on the seed alone.
"""

from collections.abc import Callable
from typing import TypeVar

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS, HypothesisProvider
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test
from hypothesis.strategies import SearchStrategy

T = TypeVar("T")


class PlainProvider(HypothesisProvider):
    """
    Hypothesis' own provider, less the constants it finds in the modules that happen to be loaded.

    With them the same seed would draw other values from a checkout than from an installed wheel.
    """

    def _maybe_draw_constant(self, *args: object, **kwargs: object) -> None:
        return None


_BACKEND = "conformance-plain"
AVAILABLE_PROVIDERS[_BACKEND] = f"{__name__}.{PlainProvider.__name__}"


def generate(strategy: SearchStrategy[T], *, seed: str, count: int, receive: Callable[[T], None]) -> None:
    """
    Draw values.

    Args:
        strategy: of what.
        seed: the draws are a function of this text.
        count: how many are drawn; the same value may come more than once.
        receive: called with each; must not raise, other than to end the process.
    """

    @seeded(seed)
    @_settings(count)
    @given(strategy)
    def each(value: T) -> None:
        receive(value)

    # Of its own for each class, as the seed is; Hypothesis would hash the source of `each`, ever the same.
    key = "_hypothesis_internal_database_key"
    setattr(each, key, seed.encode())
    each()


def run_machine(machine: type[RuleBasedStateMachine], *, seed: str, count: int, steps: int) -> None:
    """
    Run a state machine, which hands over what it makes.

    Args:
        machine: whose rules must not raise, other than to end the process.
        seed: the runs are a function of this text.
        count: how many runs.
        steps: rules in one run at most.
    """
    run_state_machine_as_test(seeded(seed)(machine), settings=_settings(count, steps))


def _settings(count: int, steps: int = 1) -> settings:
    return settings(
        max_examples=count,
        stateful_step_count=steps,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        backend=_BACKEND,
        suppress_health_check=list(HealthCheck),
    )

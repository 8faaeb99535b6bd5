"""
Draws values from Hypothesis strategies; all values of a class are drawn before the first is sent.

Nothing is sent inside a draw, and no test fails there. So Hypothesis neither shrinks nor replays anything: a
counterexample is minimized by sending requests again, within a budget (`conformance.harness.minimizer`). The draws
depend on the seed alone.
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
    Hypothesis' own provider, except that it draws no constants from the modules that are loaded.

    With these constants the same seed would draw other values from a checkout than from an installed wheel.
    """

    def _maybe_draw_constant(self, *args: object, **kwargs: object) -> None:
        return None


_BACKEND = "conformance-plain"
AVAILABLE_PROVIDERS[_BACKEND] = f"{__name__}.{PlainProvider.__name__}"


def generate(strategy: SearchStrategy[T], *, seed: str, count: int) -> list[T]:
    """
    Draw `count` values, and return them in the order drawn; a value may occur more than once.

    They are a function of the strategy and the seed.
    """
    drawn: list[T] = []
    same: dict[T, T] = {}  # equal values share the memory of one: some have a megabyte

    @seeded(seed)
    @_settings(count)
    @given(strategy)
    def each(value: T) -> None:
        drawn.append(same.setdefault(value, value))

    # Each class has a key of its own, as it has a seed. Hypothesis would hash the source of `each`, always the same.
    key = "_hypothesis_internal_database_key"
    setattr(each, key, seed.encode())
    each()
    return drawn


def run_machine(
    machine: Callable[[Callable[[T], None]], type[RuleBasedStateMachine]],
    *,
    seed: str,
    count: int,
    steps: int,
) -> list[T]:
    """
    Run a state machine `count` times, and return the values that it made, in their order.

    The state machine is made with a function that it calls with each value. One run applies `steps` rules at most.
    """
    drawn: list[T] = []
    run_state_machine_as_test(seeded(seed)(machine(drawn.append)), settings=_settings(count, steps))
    return drawn


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

"""Draws values from a strategy outside a test: many of them, or the simplest."""

from collections.abc import Callable
from typing import TypeVar

from hypothesis import HealthCheck, Phase, find, given, seed, settings
from hypothesis.strategies import SearchStrategy

T = TypeVar("T")

_SETTINGS = settings(
    max_examples=1,
    phases=[Phase.generate],
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


def sample(strategy: SearchStrategy[T], count: int = 200, *, of_seed: int = 1) -> list[T]:
    """Draw `count` values, the same every time."""
    values: list[T] = []

    @seed(of_seed)
    @settings(_SETTINGS, max_examples=count)
    @given(strategy)
    def collect(value: T) -> None:
        values.append(value)

    collect()
    return values


def minimal(strategy: SearchStrategy[T], condition: Callable[[T], bool] = lambda _: True) -> T:
    """Return the value that Hypothesis would show for a test that fails on this condition."""
    return find(strategy, condition, settings=settings(_SETTINGS, max_examples=5000, phases=list(Phase)))

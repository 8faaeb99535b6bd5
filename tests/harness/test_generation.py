"""Draws depend on the seed alone."""

import subprocess
import sys

import pytest
from hypothesis import strategies as st

from conformance.harness.generation import generate

INTEGERS = st.integers(0, 10**9)


def drawn(seed: str, count: int = 20) -> list[int]:
    return generate(INTEGERS, seed=seed, count=count)


def test_the_same_seed_draws_the_same() -> None:
    assert drawn("0:rule:class") == drawn("0:rule:class")


def test_another_seed_or_class_draws_something_else() -> None:
    assert len({tuple(drawn(seed)) for seed in ("0:rule:a", "0:rule:b", "1:rule:a")}) == 3


def test_as_many_are_drawn_as_asked() -> None:
    assert len(drawn("x", 7)) == 7


@pytest.mark.slow
def test_draws_do_not_depend_on_what_else_is_imported() -> None:
    """Hypothesis takes constants from loaded modules, which differ from one installation to another."""
    program = (
        "{}from hypothesis import strategies as st\n"
        "from conformance.harness.generation import generate\n"
        "print(generate(st.integers() | st.text(), seed='s', count=60))"
    )
    plain, loaded = (
        subprocess.run(
            [sys.executable, "-c", program.format(extra)],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout
        for extra in ("", "import conformance.rules, conformance.emulator, json, http.server\n")
    )
    assert plain == loaded

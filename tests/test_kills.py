"""A run that is killed, whenever, leaves nothing that `conformance restore` does not put back."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

BENCHMARK = Path(__file__).parents[1] / "benchmarks" / "kills.py"


@pytest.mark.skipif(not BENCHMARK.exists(), reason="the benchmarks are not part of what is tested here")
def test_after_kills_at_random_moments_everything_is_as_it_was() -> None:
    done = subprocess.run(
        [sys.executable, str(BENCHMARK), "--kills", "8"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("as before: 8 of 8\n")

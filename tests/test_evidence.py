"""Evidence is evidence: had its answer been another, the rule would have been seen broken."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

BENCHMARK = Path(__file__).parents[1] / "benchmarks" / "evidence.py"
# Other spellings come back, reads are not there, and null is all that comes back of a zero.
VARIANTS = ("echo-of-hours", "read-not-allowed", "zero-as-null")


@pytest.mark.skipif(not BENCHMARK.exists(), reason="the benchmarks are not part of what is tested here")
def test_every_rule_is_broken_by_another_answer_to_its_evidence() -> None:
    chosen = [word for name in VARIANTS for word in ("--variant", name)]
    done = subprocess.run(
        [sys.executable, str(BENCHMARK), *chosen], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert {line.split()[0] for line in done.stdout.splitlines()[:-1]} == set(VARIANTS)

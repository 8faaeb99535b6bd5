"""
Measures the updates that an emulator with a database loses when it is killed in the midst of writes.

    python benchmarks/durability.py [--writes 10000] [--kills 20] [--seed 0]

Each of four clients updates all four settings of its own account without a pause. Meanwhile the emulator is killed at
random moments, by SIGKILL, and started again. The exit status is 1 where an acknowledged update is gone, or any update
is half-written.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from emulator.durability import write_through_kills


def main() -> int:
    """Write through the kills, compare, and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--writes", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as directory:
        problems = write_through_kills(
            Path(directory, "state.db"), writes=options.writes, kills=options.kills, seed=options.seed
        )
    print(*problems, sep="\n", end="\n" if problems else "")
    seconds = time.monotonic() - began
    print(
        f"{options.writes} acknowledged updates, {options.kills} kills, {seconds:.0f} s: {len(problems)} problems"
    )
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

"""
Measures how many updates an emulator with a database loses when it is killed while it writes.

    python benchmarks/durability.py [--writes 10000] [--kills 20] [--seed 0]

Four clients update all four settings of one account each, all the time. The emulator is sent SIGKILL at random moments
and started again. Exits with 1 when an acknowledged update is lost, or an update is half-written.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from emulator.durability import write_through_kills


def main() -> int:
    """Write, kill the emulator, and count the lost updates."""
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

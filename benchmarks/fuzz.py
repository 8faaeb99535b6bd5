"""
Gives mutated responses and files to the suite, and counts its mistakes.

    python benchmarks/fuzz.py responses [--count 20000] [--seed 0]
    python benchmarks/fuzz.py files [--count 10000] [--seed 0]

Responses come over real sockets and are judged by all rules; a judgement of its own, from RFC 9112, RFC 8259 and the
document, says which of them break the contract, and none of those may be judged conformant. Files are results, known
deviations, settings and journals, handed to the commands that read them; each is read for what it says, or refused
with one line. Exits with 1 when anything else was seen.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import fuzz_files
import fuzz_responses

_COUNTS = {"responses": 20_000, "files": 10_000}


def main() -> int:
    """Mutate, give the results to the suite, and print its mistakes."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=_COUNTS)
    parser.add_argument("--count", type=int)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    count = options.count or _COUNTS[options.what]
    began = time.monotonic()
    if options.what == "responses":
        wrong = list(fuzz_responses.fuzz(count, options.seed))
    else:
        directory = tempfile.mkdtemp(prefix="fuzz-")
        wrong = list(fuzz_files.fuzz(count, options.seed, Path(directory)))
        print(f"files in {directory}")
    print(*wrong, sep="\n", end="\n" if wrong else "")
    print(
        f"{count} {options.what}, seed {options.seed}, {time.monotonic() - began:.0f} s: {len(wrong)} wrong"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

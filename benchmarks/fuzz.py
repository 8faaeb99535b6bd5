"""
Feeds mutated responses and files to the suite, and checks what it makes of them.

    python benchmarks/fuzz.py responses [--count 20000] [--seed 0]
    python benchmarks/fuzz.py files [--count 10000] [--seed 0]
    python benchmarks/fuzz.py recordings [--count 5000] [--seed 0]

Responses come over real sockets, and all rules judge them. An independent judgement, by RFC 9112, RFC 8259 and the
document, says which of them break the contract; the suite must call none of those conformant. Files are results, known
deviations, settings and journals; recordings are those of `conformance record`, HTTP archives and cassettes. What reads
them must read exactly what a file says, or refuse it with one line. The exit status is 1 where anything else was seen.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import fuzz_files
import fuzz_responses

_COUNTS = {"responses": 20_000, "files": 10_000, "recordings": 5_000}


def main() -> int:
    """Mutate responses or files, check what the suite makes of them, and print each mistake."""
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
        kinds = fuzz_files.RECORDINGS if options.what == "recordings" else fuzz_files.REPORTS
        wrong = list(fuzz_files.fuzz(count, options.seed, Path(directory), kinds))
        print(f"files in {directory}")
    print(*wrong, sep="\n", end="\n" if wrong else "")
    print(
        f"{count} {options.what}, seed {options.seed}, {time.monotonic() - began:.0f} s: {len(wrong)} wrong"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

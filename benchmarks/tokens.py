"""
Plants tokens in all that the commands read, in some 150 spellings, and looks for them in all that they print and write.

    python benchmarks/tokens.py [--tokens 10] [--seed 0]

Each token is drawn anew. Every command of the group is run, against a target that says the token in every answer and on
files that hold it. A token counts as readable where 12 characters of it in a row can be had from a text, however they
are encoded. The exit status is 1 where one can.
"""

import argparse
import random
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from planting import everything, readable
from spellings import SID, spellings

from conformance.transport.credentials import Account


def main() -> int:
    """Plant tokens, and print where they can be read."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tokens", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng, bad = random.Random(options.seed), 0
    for _ in range(options.tokens):
        token = "".join(rng.choices("0123456789abcdef", k=32))
        texts = spellings(token)
        with tempfile.TemporaryDirectory() as name:
            found = everything(Path(name), Account(SID, token), texts)
        shown = readable(found, token)
        bad += len(shown)
        where = f"{len(found)} commands, {sum(map(len, found.values()))} texts"
        print(f"{token}: {len(texts)} spellings, {where}: readable in {shown or 'none'}", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

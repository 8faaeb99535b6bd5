"""
Measures what it costs to take a token out of an answer.

    python benchmarks/redaction.py

Prints, for answers of several kinds, the processor time for 2 MiB as a multiple of that for 1 MiB, and that with a
token in the answer as a multiple of that without. All are medians of five.
"""

import random
import statistics
import time

from conformance.transport.credentials import Account
from conformance.transport.redaction import Secrets

TOKEN = "9f1c07e3b5d84a62" + "c8d1704fe93ab26d"  # of nobody
MEBIBYTE = 2**20


def answers(size: int) -> dict[str, str]:
    """Return an answer of about this many characters, of each kind."""
    rng = random.Random(0)
    words = ["".join(rng.choices("abcdefghij0123", k=6)) for _ in range(1000)]
    units = {
        "prose": " ".join(rng.choices(words, k=size // 7)),
        "digits": "".join(rng.choices("0123456789abcdef", k=size)),
        "percent-encoded": "%41" * (size // 3),
        "tokens": f"{TOKEN}," * (size // 33),
        "pieces of the token": f"{TOKEN[3:15]}," * (size // 13),
    }
    return {name: unit[:size] for name, unit in units.items()}


def seconds(secrets: Secrets, text: str) -> float:
    """Return the processor time, in seconds, to redact a text."""
    spent = []
    for _ in range(5):
        began = time.process_time()
        assert TOKEN not in secrets.redact(text)
        spent.append(time.process_time() - began)
    return statistics.median(spent)


def main() -> None:
    """Measure and print."""
    secrets = Secrets([Account("AC" + "a" * 32, TOKEN)], "")
    large = answers(2 * MEBIBYTE)
    for name, text in answers(MEBIBYTE).items():
        once, twice, shown = (seconds(secrets, each) for each in (text, large[name], f"{text} {TOKEN}"))
        print(
            f"{name}: 1 MiB {once:.2f} s; 2 MiB / 1 MiB {twice / once:.2f} (goal: 2); "
            f"with a token / without {shown / once:.2f}"
        )


if __name__ == "__main__":
    main()

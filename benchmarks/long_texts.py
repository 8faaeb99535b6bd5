"""
Measures what it costs to read long durations.

    python benchmarks/long_texts.py

Prints, for the oracle and for the emulator, the processor time for 100,000 digits as a multiple of that for 10,000:
the greatest of all shapes of a duration. Ten is linear; quadratic work would take a hundred times as long.
"""

import time
from collections.abc import Callable
from contextlib import suppress

from conformance.emulator.durations import MalformedDuration, parse_duration
from conformance.oracle.durations import read

SHAPES = (
    "PT{}S",
    "PT{}",
    "P{}Y",
    "PT1.{}S",
    "PT0.{}H",
    "P{}.",
    "PT{}M1S",
    "P{0}Y{0}M",
    "PT{}900S",
    "P{}",
    "{}",
)


def seconds(reader: Callable[[str], object], text: str) -> float:
    """Return the least processor time, in seconds, of nine readings of a text."""
    spent = []
    for _ in range(9):
        began = time.process_time()
        with suppress(MalformedDuration):
            reader(text)
        spent.append(time.process_time() - began)
    return min(spent)


def main() -> None:
    """Measure and print."""
    readers: dict[str, Callable[[str], object]] = {"oracle": read, "emulator": parse_duration}
    for name, reader in readers.items():
        times = {
            shape: [seconds(reader, shape.format("7" * size)) for size in (10_000, 100_000)]
            for shape in SHAPES
        }
        shape = max(times, key=lambda shape: times[shape][1] / times[shape][0])
        few, many = times[shape]
        slowest = max(many for _, many in times.values())
        print(
            f"{name}: {many / few:.1f} times ({shape}; goal: 10); at most {slowest * 1000:.1f} ms for 100,000 digits"
        )


if __name__ == "__main__":
    main()

"""
Has whole runs meet answers with any bytes in any place, and checks that each ends with a verdict and all reports.

    python benchmarks/hostile_bytes.py [--answers 20000] [--seed 0]

A right emulator answers, and a server before it changes some answers: in the status line, the headers, the framing or
the body, by bytes of all values. It closes the connection after most of these, so that few of them take the timeout.
Each run meets many, and writes every report. The exit status is 1 where
a run shows a traceback, ends by a bug of the suite, lacks a report, or prints a line about a part that has failed.
"""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from between import Ask, Last, between
from click.testing import CliRunner
from fuzz_bytes import changed

from conformance.cli import main as command
from conformance.reporting import RENDERERS
from conformance.transport.credentials import THROWAWAY
from conformance.transport.embedded import Embedded

RATES = (0.02, 0.1, 0.5, 0.9)
"""The share of the answers that are changed, by turns; where many are, few rules get evidence."""

_OPTIONS = (
    ("--profile", "quick"),
    ("--profile", "standard", "--max-requests", "600"),
    ("--profile", "standard", "--only", "openapi-*"),
)
"""The runs, by turns: all rules, and the schema-driven layer, of which the others send little."""

_TOKENS = (
    b"\r", b"\n", b"\r\n", b"\x00", b"\x1b[31m", b"\xff", b"\xc3\xa9", b"\xed\xa0\x80", b"\xe2\x80\xae", b" ", b"\t",
    b":", b",", b'"', b"{", b"[", b"\\ud800", b"<script>", b"]]>", b"&#0;", b"%s", b"{token}", b"[/bold]",
    b"\r\nX-\xe9: \xff\r\n", b"\r\nContent-Type: \xa0;charset=\xff\r\n", b"\r\nLocation: \xff://\r\n",
    b"\r\nRetry-After: \xb2\r\n", b"\r\nDate: \x85\r\n", b"\r\nContent-Encoding: gzip\r\n",
)  # fmt: skip


def mutated(raw: bytes, rng: random.Random) -> bytes:
    """Return an answer with other bytes in one of its parts."""
    head, _, body = raw.partition(b"\r\n\r\n")
    status, _, headers = head.partition(b"\r\n")
    parts = [status, headers, body]
    at = rng.randrange(3)
    for _ in range(rng.choice((1, 1, 3))):
        if rng.random() < 0.5:
            place = rng.randrange(len(parts[at]) + 1)
            parts[at] = parts[at][:place] + rng.randbytes(rng.choice((1, 2, 16))) + parts[at][place:]
        else:
            parts[at] = changed(parts[at], rng, sizes=(1, 2, 8, 64), tokens=_TOKENS, others=())
    if rng.random() < 0.5:  # else the body is longer or shorter than the head says
        length = b"content-length: %d" % len(body)
        parts[1] = parts[1].replace(length, b"content-length: %d" % len(parts[2]))
    return b"%s\r\n%s\r\n\r\n%s" % tuple(parts)


class Bench:
    """Whole runs against an emulator whose answers are changed."""

    def __init__(self, url: str, seed: int) -> None:
        self._url = url
        self._random = random.Random(seed)
        self.changed = 0
        self.codes = Counter[int]()

    def run(self, rate: float, *options: str) -> list[str]:
        """Make one run, and return what is wrong about it."""

        def answer(number: int, request: bytes, ask: Ask) -> bytes:
            raw = ask()
            if self._random.random() >= rate:
                return raw
            self.changed += 1
            said = mutated(raw, self._random)
            return said if self._random.random() < 0.1 else Last(said)

        with tempfile.TemporaryDirectory() as name, between(self._url, answer) as server:
            arguments = ["--target", server.url, *options, "--timeout", "0.5", "--observability"]
            arguments += ["--seed", str(self._random.randrange(1 << 16)), "--report-dir", name]
            done = CliRunner().invoke(command, ["run", *arguments])
            missing = {*RENDERERS, "testcases.jsonl"} - {path.name for path in Path(name).iterdir()}
        self.codes[done.exit_code] += 1
        wrong = [f"no {name}" for name in sorted(missing)]
        wrong += [
            line
            for line in done.output.splitlines()
            if "Traceback" in line or "a bug of the suite" in line or "the run goes on without" in line
        ]
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            wrong.append(repr(done.exception))
        return wrong


def main() -> int:
    """Run until enough answers were changed, and print what is wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--answers", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    began, runs, wrong = time.monotonic(), 0, Counter[str]()
    with Embedded(THROWAWAY) as emulator:
        bench = Bench(emulator.url(), options.seed)
        while bench.changed < options.answers:
            found = bench.run(RATES[runs % len(RATES)], *_OPTIONS[runs // len(RATES) % len(_OPTIONS)])
            wrong.update(found)
            runs += 1
            print(*found, sep="\n", end="\n" if found else "", flush=True)
    print(
        f"{bench.changed} changed answers in {runs} runs, seed {options.seed}, {time.monotonic() - began:.0f} s; "
        f"exit statuses {dict(sorted(bench.codes.items()))}: {sum(wrong.values())} wrong"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

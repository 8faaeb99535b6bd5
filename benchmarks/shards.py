"""
Measures whether the shards of a run find together what one run finds, and how much sooner.

    python benchmarks/shards.py faults [--sample 60] [--profile standard] [--shards 2 3 8] [--hidden GLOB]
    python benchmarks/shards.py speed [--rounds 3]

`faults` judges the emulator with each of a random sample of faults: once whole, and once by each number of shards. A
line names each fault where they differ. `--hidden` takes the faults that hide, of the kinds that a glob names, which
show in few combinations of manners alone. `speed` takes the time of thorough runs of two processes
at once beside that of one, each on an emulator of its own; processor time depends less on other work of the machine.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from conformance import emulator
from conformance.harness.executor import Plan, run
from conformance.harness.merging import merged
from conformance.model import Probe
from conformance.reporting import build, differences
from conformance.rules import CATALOGUE
from conformance.settings import PROFILES
from conformance.transport.credentials import THROWAWAY
from conformance.transport.target import Target, TargetSettings

_ACCOUNTS = {account.user: account.token for account in THROWAWAY}
_DRAWN: dict[str, list[Probe]] = {}
_SEED = 14


def judged(fault: str, profile: str, shard: tuple[int, int]) -> dict[str, Any]:
    """Return the result of a run, or of a shard of one, on the emulator with a fault."""
    with emulator.serving(accounts=_ACCOUNTS, faults=[fault]) as url:
        settings = TargetSettings(url=url, timeout=2.0, max_requests=PROFILES[profile])
        with Target(settings) as target:
            report = run(CATALOGUE, target, Plan(profile=profile, drawn=_DRAWN, shard=shard))
    return build(report)


def sharded(fault: str, profile: str, count: int) -> dict[str, Any]:
    """Return the result of all shards of a run together."""
    parts = [judged(fault, profile, (number, count)) for number in range(1, count + 1)]
    return merged(parts, datetime.now(UTC).date())


def _parts(result: dict[str, Any]) -> dict[str, object]:
    """Return what is compared of a result, by name."""
    found = result["findings"]
    return {
        "exit status": result["exit_code"],
        "rules told": {each.first["rule"] for each in differences(result)},
        "rules broken": {each["rule"] for each in found},
        "findings": {each["fingerprint"] for each in found},
    }


def compared(fault: str, profile: str, counts: list[int]) -> tuple[dict[tuple[int, str], bool], list[str]]:
    """Return, for a fault and each number of shards, what is the same as in one run, and lines about what is not."""
    same, lines, whole = {}, [], _parts(judged(fault, profile, (1, 1)))
    for count in counts:
        result = sharded(fault, profile, count)
        assert [each["id"] for each in result["rules"]] == [each.id for each in CATALOGUE]
        for what, value in _parts(result).items():
            same[count, what] = value == whole[what]
            if not same[count, what] and what != "findings":
                lines.append(f"{fault}, {count} shards: {what} {value}, and by one run {whole[what]}")
    return same, lines


def compare(names: list[str], profile: str, counts: list[int], jobs: int) -> None:
    """Judge each fault whole and by shards, and print where they differ."""
    figures: Counter[tuple[int, str]] = Counter()
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        for same, lines in pool.map(partial(compared, profile=profile, counts=counts), names):
            figures.update({key: int(is_same) for key, is_same in same.items()})
            print(*lines, sep="\n", end="\n" if lines else "", flush=True)
    for (count, what), number in figures.items():
        print(f"{count} shards: {what} the same for {number} of {len(names)} faults")


def speed(rounds: int) -> None:
    """Print the time of thorough runs, whole and by two processes at once."""
    command = [sys.executable, "-m", "conformance.cli", "run", "--profile", "thorough", "--report-dir"]
    for _ in range(rounds):
        seconds, processor = [], []
        for count in (1, 2):
            with tempfile.TemporaryDirectory() as directory:
                began = time.perf_counter()
                shards = [
                    subprocess.Popen(
                        [*command, str(Path(directory, str(k))), "--shard", f"{k}/{count}"],
                        stdout=subprocess.DEVNULL,
                    )
                    for k in range(1, count + 1)
                ]
                used = [os.wait4(each.pid, 0)[2] for each in shards]
                seconds.append(time.perf_counter() - began)
                processor.append(max(each.ru_utime + each.ru_stime for each in used))
        for what, (whole, half) in (("wall", seconds), ("processor", processor)):
            print(
                f"{what} time: whole {whole:.1f} s, the longer of two shards {half:.1f} s, {whole / half:.2f} times"
            )


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description="Compare the shards of runs with whole runs.")
    parser.add_argument("what", choices=["faults", "speed"])
    parser.add_argument("--sample", type=int, default=60, help="faults to examine")
    parser.add_argument("--profile", choices=["quick", "standard"], default="standard")
    parser.add_argument("--shards", type=int, nargs="+", default=[2, 3, 8])
    parser.add_argument(
        "--hidden", default="", metavar="GLOB", help="of the faults that hide, those of these kinds"
    )
    parser.add_argument("--jobs", type=int, default=4, help="faults at a time")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    if options.what == "speed":
        speed(options.rounds)
        return
    faults = sorted(
        name
        for name, fault in emulator.FAULTS.items()
        if (name in emulator.HIDDEN and fnmatchcase(fault.group, options.hidden))
        or (name not in emulator.HIDDEN and not options.hidden)
    )
    compare(
        random.Random(_SEED).sample(faults, options.sample), options.profile, options.shards, options.jobs
    )


if __name__ == "__main__":
    main()

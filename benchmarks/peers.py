"""
Compares the faults that schemathesis' own command line finds with those that this suite finds.

    python benchmarks/peers.py --vendor FILE [--sample 25] [--large 5] [--variants 5] [--tool GLOB]... [--jobs 2]

FILE is the vendor's OpenAPI document, or the part of it that describes the one path. Every tool judges a random
sample of the emulator's faults, some conformant variants, and the emulator without either, each a new process. The
runs of 1,000 examples, which take minutes, get the first faults of the sample and the first variant alone.

schemathesis gets the options by which, as its documentation says, it finds most: all checks, both generation modes,
every phase but the stateful one (there is one path, and no links), going on after a failure, valid credentials, no
health checks; its waits for an answer are as short as ours. What it reports is read from its NDJSON report: operation,
check, kind of failure, status and, of a schema, the place.

A fault counts as found where the report is not what the emulator without faults gets. It is judged with two seeds:
what only one of them shows is noise, and ignored. The same is asked of our own reports. A false alarm is a conformant
implementation of which a failure is reported; `unlike clean` are those whose report would count as a fault found.
"""

import argparse
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from conformance import emulator
from conformance.http import PATH
from conformance.transport.credentials import THROWAWAY
from conformance.transport.embedded import Embedded

_OURS = Path(__file__).resolve().parents[1] / "schemas" / "openapi.json"

_PATIENCE = 900
"""Seconds after which a run is ended; what it has reported until then counts."""

Kinds = frozenset[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Said:
    """What a run has reported."""

    kinds: Kinds
    requests: int
    seconds: float = 0.0
    """Of the processor, which depends less on what else it has to do."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A command that judges an implementation."""

    name: str
    command: Callable[[str, Path, int], list[str]]
    """The command line for a base URL, a directory to report to, and a seed."""
    read: Callable[[Path], Said]
    """What has been reported there."""
    slow: bool = False

    def judge(self, faults: Sequence[str] = (), variants: Sequence[str] = (), *, seed: int = 0) -> Said:
        """Judge an emulator of its own."""
        with (
            tempfile.TemporaryDirectory() as name,
            Embedded(THROWAWAY, faults=faults, variants=variants) as embedded,
        ):
            directory = Path(name)
            command = [sys.executable, "-m", *self.command(embedded.url(), directory, seed)]
            # In a directory of its own, no settings of the developer's take part.
            process = subprocess.Popen(
                command, cwd=directory, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            limit = threading.Timer(_PATIENCE, process.kill)
            limit.start()
            _, _, usage = os.wait4(process.pid, 0)
            limit.cancel()
            process.wait()
            said = self.read(directory)
            return Said(said.kinds, said.requests, usage.ru_utime + usage.ru_stime)


# This suite


def _conformance(profile: str) -> Tool:
    def command(url: str, directory: Path, seed: int) -> list[str]:
        options = {"target": url, "profile": profile, "seed": seed, "timeout": 2, "fail-on": "should"}
        options |= {"report-dir": directory, "state-dir": directory / "state"}
        return ["conformance.cli", "run", *_options(options)]

    return Tool(f"conformance, {profile}", command, _read_result)


def _read_result(directory: Path) -> Said:
    result = json.loads((directory / "result.json").read_text(encoding="utf-8"))
    kinds = frozenset((each["rule"], each["class"], each["outcome"]) for each in result["findings"])
    return Said(kinds, result["requests"])


# schemathesis


def _schemathesis(name: str, document: Path, examples: int | None = None) -> Tool:
    def command(url: str, directory: Path, seed: int) -> list[str]:
        account = THROWAWAY[0]
        options = {"url": url, "auth": f"{account.sid}:{account.token}", "include-path": PATH, "seed": seed}
        options |= {"checks": "all", "mode": "all", "phases": "examples,coverage,fuzzing"}
        options |= {"suppress-health-check": "all", "generation-database": "none", "request-timeout": 2}
        options |= {"report": "ndjson", "report-ndjson-path": directory / "report"}
        options |= {} if examples is None else {"max-examples": examples}
        return ["schemathesis.cli", "run", str(document), "--continue-on-failure", *_options(options)]

    title = f"schemathesis, {name}" + (f", {examples:,} examples" if examples else "")
    return Tool(title, command, _read_events, slow=examples is not None)


def _options(values: dict[str, Any]) -> list[str]:
    return [word for name, value in values.items() for word in (f"--{name}", str(value))]


def _read_events(directory: Path) -> Said:
    kinds: set[tuple[str, ...]] = set()
    requests = 0
    for line in (directory / "report").read_text(encoding="utf-8").splitlines():
        try:
            ((event, body),) = json.loads(line).items()
        except ValueError:
            break  # the last line of a run that was ended
        if event == "ScenarioFinished":
            recorder = body["recorder"]
            requests += len(recorder.get("interactions", ()))
            kinds.update(_failures(recorder))
        elif event.endswith("FatalError"):
            kinds.add((str(body.get("label")), "error", body.get("value", {}).get("type", "")))
    return Said(frozenset(kinds), requests)


def _failures(recorder: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    for case, checks in recorder.get("checks", {}).items():
        response = recorder.get("interactions", {}).get(case, {}).get("response") or {}
        for check in checks:
            if check["status"] == "failure":
                failure = check["failure_info"]["failure"]
                place = re.search(r"^Schema at (\S+):$", failure["message"], re.MULTILINE)
                yield (
                    recorder["label"],
                    check["name"],
                    failure["type"],
                    str(response.get("status_code")),
                    place[1] if place else "",
                )


# The table


def _row(tool: Tool, faults: Sequence[str], variants: Sequence[str], jobs: int) -> Iterator[str]:
    """Yield the row of a tool, after a line for each kind of failure that it reports of a conformant implementation."""
    with ThreadPoolExecutor(jobs) as pool:
        runs = [
            pool.submit(tool.judge, seed=1),
            pool.submit(tool.judge),
            *(pool.submit(tool.judge, variants=[name]) for name in variants),
            *(pool.submit(tool.judge, faults=[name]) for name in faults),
        ]
    again, *reports = (each.result() for each in runs)
    conformant, faulty = reports[: len(variants) + 1], reports[len(variants) + 1 :]
    clean = conformant[0]
    always, ever = clean.kinds & again.kinds, clean.kinds | again.kinds
    found = [name for name, said in zip(faults, faulty, strict=True) if not always <= said.kinds <= ever]
    new = [said for said in faulty if not said.kinds <= ever]
    unlike = [said for said in conformant if not always <= said.kinds <= ever]
    alarms = [said for said in conformant if said.kinds]
    for kind in sorted(ever):
        yield f"  reported of the emulator without faults: {' '.join(kind)}"
    yield f"  found: {', '.join(found) or 'nothing'}"
    cells = [
        tool.name,
        f"{len(found)} of {len(faults)}",
        f"{len(new)}",
        f"{len(alarms)} of {len(conformant)}",
        f"{len(unlike)}",
        f"{statistics.median(said.requests for said in faulty):,.0f}",
        f"{statistics.median(said.seconds for said in faulty):.1f}",
    ]
    yield f"| {' | '.join(cells)} |"


_HEAD = "| tool | faults found | by something new | false alarms | unlike clean | median requests | median CPU s |"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--vendor", type=Path, required=True, metavar="FILE")
    parser.add_argument("--sample", type=int, default=25, help="faults")
    parser.add_argument("--large", type=int, default=5, help="faults for runs of 1,000 examples")
    parser.add_argument("--variants", type=int, default=5, help="conformant variants")
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    parser.add_argument("--tool", action="append", metavar="GLOB", help="rows of the table (default: all)")
    parser.add_argument("--jobs", type=int, default=2)
    chosen = parser.parse_args()
    chance = random.Random(chosen.seed)
    faults = chance.sample(sorted(emulator.FAULTS), chosen.sample)
    variants = chance.sample(sorted(emulator.VARIANTS), chosen.variants)
    documents = {"the vendor's OpenAPI": chosen.vendor.resolve(), "our OpenAPI": _OURS}
    tools = [
        *(_conformance(profile) for profile in ("quick", "standard")),
        *(_schemathesis(*each) for each in documents.items()),
        *(_schemathesis(*each, examples=1000) for each in documents.items()),
    ]
    rows = []
    for tool in tools:
        if not any(fnmatchcase(tool.name, glob) for glob in chosen.tool or ["*"]):
            continue
        some = (faults[: chosen.large], variants[:1]) if tool.slow else (faults, variants)
        print(tool.name, flush=True)
        *lines, row = _row(tool, *some, chosen.jobs)
        print(*lines, row, sep="\n", flush=True)
        rows.append(row)
    print("", _HEAD, "|---" * (_HEAD.count("|") - 1) + "|", *rows, sep="\n")


if __name__ == "__main__":
    main()

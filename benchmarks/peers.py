"""
Compares this suite with schemathesis' command line, by the faults of the emulator that each of them finds.

    python benchmarks/peers.py --vendor FILE [--sample 25] [--large 5] [--variants 5] [--tool GLOB]... [--jobs 2]

FILE is the vendor's OpenAPI document, or the part of it that describes the one path. Every tool judges emulators with a
random sample of the faults, emulators with some conformant variants, and the emulator without either. Each of them is a
new process. The runs of 1,000 examples take minutes, so they get the first faults of the sample and one variant alone.

schemathesis runs as its documentation advises for finding most: all checks, both generation modes, every phase but the
stateful one (there is one path, and no links), going on after a failure, with valid credentials and without health
checks. It waits for an answer as long as this suite does. Its NDJSON report says what it found: operation, check, kind
of failure, status, and the place in a schema.

A fault counts as found where the report differs from that on the emulator without faults. That emulator is judged with
two seeds, and a failure that only one of them shows is ignored as noise. Both tools are measured in this way. A false
alarm is a failure reported of a conformant implementation. `unlike clean` counts the conformant implementations whose
report would count as a fault found.
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
"""Seconds after which a run is ended. The failures that it has reported until then count."""

Kinds = frozenset[tuple[str, ...]]
"""Reported failures; those that are alike count once."""


@dataclass(frozen=True, slots=True)
class Summary:
    """The report of one run, in short."""

    kinds: Kinds
    requests: int
    seconds: float = 0.0
    """Processor time, which depends less on other work of the machine than wall time."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A command that judges an implementation."""

    name: str
    command: Callable[[str, Path, int], list[str]]
    """Makes the command line from a base URL, a directory for reports, and a seed."""
    read: Callable[[Path], Summary]
    """Reads the report in that directory."""
    slow: bool = False
    """Whether a run takes minutes, so that it gets a part of the sample alone."""

    def judge(self, faults: Sequence[str] = (), variants: Sequence[str] = (), *, seed: int = 0) -> Summary:
        """Judge a new emulator with these faults and variants."""
        with (
            tempfile.TemporaryDirectory() as name,
            Embedded(THROWAWAY, faults=faults, variants=variants) as embedded,
        ):
            directory = Path(name)
            command = [sys.executable, "-m", *self.command(embedded.url(), directory, seed)]
            # In a new directory, so that no settings of the developer are read.
            process = subprocess.Popen(
                command, cwd=directory, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            limit = threading.Timer(_PATIENCE, process.kill)
            limit.start()
            _, _, usage = os.wait4(process.pid, 0)
            limit.cancel()
            process.wait()
            read = self.read(directory)
            return Summary(read.kinds, read.requests, usage.ru_utime + usage.ru_stime)


# This suite


def _conformance(profile: str) -> Tool:
    def command(url: str, directory: Path, seed: int) -> list[str]:
        options = {"target": url, "profile": profile, "seed": seed, "timeout": 2, "fail-on": "should"}
        options |= {"report-dir": directory, "state-dir": directory / "state"}
        return ["conformance.cli", "run", *_options(options)]

    return Tool(f"conformance, {profile}", command, _read_result)


def _read_result(directory: Path) -> Summary:
    result = json.loads((directory / "result.json").read_text(encoding="utf-8"))
    kinds = frozenset((each["rule"], each["class"], each["outcome"]) for each in result["findings"])
    return Summary(kinds, result["requests"])


# schemathesis


def _schemathesis(name: str, document: Path, examples: int | None = None, hooks: str = "") -> Tool:
    def command(url: str, directory: Path, seed: int) -> list[str]:
        if hooks:
            (directory / "schemathesis.toml").write_text(f'hooks = "{hooks}"\n', encoding="utf-8")
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


def _read_events(directory: Path) -> Summary:
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
    return Summary(frozenset(kinds), requests)


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
    """Yield lines on the false alarms and the faults found, and then the table row of a tool."""
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
    found = [
        name for name, summary in zip(faults, faulty, strict=True) if not always <= summary.kinds <= ever
    ]
    new = [summary for summary in faulty if not summary.kinds <= ever]
    unlike = [summary for summary in conformant if not always <= summary.kinds <= ever]
    alarms = [summary for summary in conformant if summary.kinds]
    for kind in sorted(ever):
        yield f"  reported of the emulator without faults: {' '.join(kind)}"
    yield f"  found: {', '.join(found) or 'nothing'}"
    cells = [
        tool.name,
        f"{len(found)} of {len(faults)}",
        f"{len(new)}",
        f"{len(alarms)} of {len(conformant)}",
        f"{len(unlike)}",
        f"{statistics.median(summary.requests for summary in faulty):,.0f}",
        f"{statistics.median(summary.seconds for summary in faulty):.1f}",
    ]
    yield f"| {' | '.join(cells)} |"


_HEAD = "| tool | faults found | by something new | false alarms | unlike clean | median requests | median CPU s |"


def main() -> None:
    """Run every tool, and print the table."""
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
        _schemathesis("our OpenAPI with our hooks", _OURS, hooks="conformance_strategies.hooks"),
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

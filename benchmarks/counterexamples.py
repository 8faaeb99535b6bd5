"""
Measures counterexamples: whether plain curl shows the same, and whether any part of them could be left out.

    python benchmarks/counterexamples.py [--fault GLOB]... [--every N] [--max-requests N] [--json FILE]

Runs the suite against the emulator with each fault selected. While that emulator still runs, `sh` runs the curl lines
of every stable finding. The last answer is compared with the recorded one as `conformance replay` does, except for
settings that the finding is not about. Where no answer came, or one that was wrongly framed, curl has to fail too. The
parameters of the last request are counted. A counterexample of one value that should have been refused is 1-minimal if
no character can be left out: without any one of them, the rule no longer refuses the text, or the target no longer
accepts it.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from fnmatch import fnmatchcase
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from conformance import emulator
from conformance.harness.executor import Plan, run
from conformance.http import Exchange, Response, encode_form
from conformance.model import BY_PARAMETER, FIELDS, Finding, Level
from conformance.oracle.decisions import Answer, decide_value
from conformance.reporting import ShellAccount, build, record
from conformance.reporting.facts import differing, facts
from conformance.reporting.text import visible
from conformance.rules import CATALOGUE
from conformance.rules.acceptance import rule_of
from conformance.settings import PROFILES
from conformance.transport.credentials import THROWAWAY
from conformance.transport.embedded import Embedded
from conformance.transport.target import Target, TargetSettings

_ACCOUNTS = [ShellAccount(user=account.user, throwaway=account.token) for account in THROWAWAY]

_TIMEOUT = 2.0
"""Seconds within which an answer must be whole, as in `conformance selftest`."""

_HUNG = 60.0
"""Seconds within which curl must end by itself."""

_MOST = 100
"""Characters of a value that are left out in turn, at most. Each costs a request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The measurements of one stable finding."""

    fault: str
    rule: str
    cls: str
    outcome: str
    parameters: int
    differs: str
    """The differences of the answer to curl; empty where it shows the same."""
    value: str | None
    """The one value that was accepted though it should have been refused; None for other findings."""
    shorter: str | None
    """The value without one character, if the rule refuses it and the target accepts it; None if there is none."""
    curl: str
    """The curl lines."""


def measure(fault: str, *, profile: str, max_requests: int | None, seed: int) -> list[Measured]:
    """Run the suite against the emulator with a fault, and measure every stable finding."""
    with Embedded(THROWAWAY, faults=[fault]) as embedded:
        settings = TargetSettings(url=embedded.url(), timeout=_TIMEOUT, max_requests=max_requests, seed=seed)
        with Target(settings) as target:
            report = run(CATALOGUE, target, Plan(profile=profile, seed=seed, fail_on=Level.SHOULD))
        findings = [finding for outcome in report.outcomes for finding in outcome.findings]
        lines = [each["curl"] for each in build(report, accounts=_ACCOUNTS)["findings"]]
        with Target(replace(settings, max_requests=None)) as target:
            return [
                _measured(fault, finding, curl, target)
                for finding, curl in zip(findings, lines, strict=True)
                if finding.stable
            ]


def _measured(fault: str, finding: Finding, curl: str, target: Target) -> Measured:
    request = finding.exchanges[-1].request
    value = _wrongly_accepted(finding)
    return Measured(
        fault=fault,
        rule=finding.rule,
        cls=finding.cls,
        outcome=finding.outcome,
        parameters=len(request.form() or request.intends),
        differs=_differs(finding, curl, target.settings.url),
        value=value,
        shorter=None if value is None else _shorter(finding, value, target),
        curl=curl,
    )


def _differs(finding: Finding, lines: str, base: str) -> str:
    """Name the differences between the last answer to curl and the recorded one."""
    recorded = finding.exchanges[-1]
    *earlier, final = lines.splitlines()
    # Requests at the same time have no last line; the answer that comes first is compared.
    scripts = [lines] if final == "wait" else ["\n".join(earlier), final]
    try:
        done = [
            subprocess.run(
                ["sh"],
                check=False,
                input=script.encode(),
                capture_output=True,
                timeout=_HUNG,
                env={"PATH": os.defpath},
            )
            for script in scripts
        ][-1]
    except subprocess.TimeoutExpired:
        return "curl does not end"
    failed = f"curl ended with {done.returncode}: {done.stderr.decode(errors='replace').strip()}"
    if recorded.failure is not None:
        return "" if done.returncode else f"curl does not fail; {recorded.failure.kind} was recorded"
    response = _response(done.stdout, recorded)
    if response is None:
        return failed
    before, now = (
        _facts(replace(finding, exchanges=(*finding.exchanges[:-1], last)), base)
        for last in (recorded, replace(recorded, response=response))
    )
    return "; ".join([*differing(before, now), *([failed] if done.returncode else [])])


def _facts(finding: Finding, base: str) -> dict[str, str]:
    """Return the facts of the last answer, except for settings that the finding is not about."""
    others = {each.attribute for each in FIELDS if finding.field not in (each.attribute, each.parameter)}
    known = facts([record(each) for each in finding.exchanges], finding.field, base=base)
    return {name: value for name, value in known.items() if name not in others}


def _response(shown: bytes, recorded: Exchange) -> Response | None:
    """Parse the final answer from the output of `curl -i`; None when there is none."""
    while match := re.match(rb"HTTP/[\d.]+ (\d{3})[^\n]*\n(.*?\n)??\r?\n", shown, re.DOTALL):
        shown = shown[match.end() :]
        status = int(match[1])
        if status >= 200:
            fields = (line.partition(":") for line in (match[2] or b"").decode("latin-1").splitlines())
            cut = recorded.response is not None and recorded.response.truncated
            return Response(
                status=status,
                headers=tuple((name, value.strip()) for name, _, value in fields),
                body=shown[: len(recorded.response.body)] if cut and recorded.response else shown,
            )
    return None


# The parts that could be left out


def _wrongly_accepted(finding: Finding) -> str | None:
    pairs = finding.exchanges[-1].request.form() or ()
    if finding.outcome != "accepted" or len(pairs) != 1:
        return None
    ((name, value),) = pairs
    return value if _refused_for(name, value) == finding.rule else None


def _refused_for(name: str, value: str) -> str | None:
    """Return the id of the rule by which a value must be refused; None if it need not be."""
    if name not in BY_PARAMETER:
        return None
    decision = decide_value(BY_PARAMETER[name], value)
    return rule_of(decision) if decision.answer is Answer.REJECT else None


def _shorter(finding: Finding, value: str, target: Target) -> str | None:
    """Return the value without one character, if the rule refuses it and the target accepts it; otherwise None."""
    *before, last = (each.request for each in finding.exchanges)
    ((name, _),) = last.form() or ()
    for shorter in dict.fromkeys(
        value[:index] + value[index + 1 :] for index in range(min(len(value), _MOST))
    ):
        if _refused_for(name, shorter) == finding.rule:
            for request in before:
                target.send(request)
            if target.send(replace(last, body=encode_form([(name, shorter)]))).status == 200:
                return shorter
    return None


# The figures


def _share(part: int, whole: int) -> str:
    return f"{part:,} of {whole:,} ({part / whole:.1%})" if whole else "none"


def _figures(measured: Sequence[Measured]) -> Iterator[str]:
    counts = [each.parameters for each in measured] or [0]
    values = [each for each in measured if each.value is not None]
    yield f"stable findings: {len(measured):,}"
    yield f"curl shows the same: {_share(sum(not each.differs for each in measured), len(measured))}"
    yield f"parameters of the last request: median {statistics.median(counts):g}, at most {max(counts)}"
    yield f"accepted values that are 1-minimal: {_share(sum(each.shorter is None for each in values), len(values))}"
    lengths = [len(each.value or "") for each in values] or [0]
    yield f"their length in characters: median {statistics.median(lengths):g}, at most {max(lengths):,}"


def _exceptions(measured: Sequence[Measured]) -> Iterator[str]:
    for each in measured:
        name = f"{each.fault}: {each.rule} {each.cls} {each.outcome}"
        if each.differs:
            yield f"{name}: {visible(each.differs, 300)}"
        if each.shorter is not None:
            yield f"{name}: {visible(repr(each.shorter), 80)} would do for {visible(repr(each.value), 80)}"


def main() -> None:
    """Measure the counterexamples and print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--fault", action="append", metavar="GLOB", help="faults to take (default: all)")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="take each Nth of them")
    parser.add_argument("--profile", choices=("quick", "standard"), default="quick")
    parser.add_argument(
        "--max-requests", type=int, metavar="N", help="default: as many as the profile may send"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was measured here")
    chosen = parser.parse_args()
    names = [
        name for name in emulator.FAULTS if any(fnmatchcase(name, glob) for glob in chosen.fault or ["*"])
    ][:: chosen.every]
    limit = chosen.max_requests or PROFILES[chosen.profile]
    one = partial(measure, profile=chosen.profile, max_requests=limit, seed=chosen.seed)
    measured: list[Measured] = []
    with ProcessPoolExecutor(chosen.jobs, mp_context=get_context("spawn")) as pool:
        for found in pool.map(one, names):
            measured += found
            for line in _exceptions(found):
                print(line, flush=True)
    print(f"\nfaults: {len(names):,}", *_figures(measured), sep="\n")
    if chosen.json is not None:
        rows = [asdict(each) for each in measured]
        chosen.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

"""
Measures whether plain curl shows the same as a counterexample, and whether anything in it could be left out.

    python benchmarks/counterexamples.py [--fault GLOB]... [--every N] [--max-requests N] [--json FILE]

The suite runs against the emulator with each selected fault. `sh` runs the curl lines of every stable finding against a
fresh emulator with the same fault. Their last answer is compared with the recorded one, as `conformance replay` does,
but without the settings that the finding is not about. Where no answer came, or a wrongly framed one, curl must fail
too. Where the answers differ, the requests are sent to another fresh emulator, and the answers are judged: what the
finding says may show though the rest of the answer differs.

The parameters of the last request are counted. A counterexample of one wrongly accepted value is 1-minimal if,
whichever character is left out, the same rule no longer refuses the text or the target no longer accepts it.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from fnmatch import fnmatchcase
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from conformance import emulator
from conformance.attribution.sameness import is_about_state
from conformance.fidelity.outcome import changes, outcome_of
from conformance.harness.executor import Plan, run
from conformance.harness.minimizer import NOW_AND_THEN, ONLY_FIRST, ONLY_NULL, SENT_ONCE, SET_BEFORE
from conformance.harness.session import Session
from conformance.http import Exchange, Request, Response, encode_form
from conformance.model import BY_PARAMETER, FIELDS, Finding, Level, Violation
from conformance.oracle.decisions import Answer, decide_value
from conformance.reporting import ShellAccount, build
from conformance.reporting.text import visible
from conformance.rules import BY_ID, CATALOGUE
from conformance.rules.acceptance import rule_of
from conformance.rules.robustness import is_trouble
from conformance.settings import PROFILES
from conformance.transport.credentials import THROWAWAY
from conformance.transport.embedded import Embedded
from conformance.transport.target import Target, TargetSettings

_ACCOUNTS = [ShellAccount(user=account.user, throwaway=account.token) for account in THROWAWAY]

_TIMEOUT = 2.0
"""Seconds within which a response must have come whole, as in `conformance selftest`."""

_HUNG = 60.0
"""Seconds within which curl must end by itself."""

_SAID = (SENT_ONCE, ONLY_NULL, ONLY_FIRST, SET_BEFORE, NOW_AND_THEN.partition("{")[0])
"""What the text of a finding says where its counterexample may not show."""

_RACES = 3
"""How often requests are sent at the same time. A race shows on some of the times only."""

_MOST = 100
"""The number of characters, from the beginning of a value, that are left out one at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The measurements of one stable finding."""

    fault: str
    rule: str
    cls: str
    outcome: str
    parameters: int
    differs: str
    """The differences between the answer to curl and the recorded one; empty where there are none."""
    value: str | None
    """The value that was wrongly accepted; None where the finding is of another kind."""
    shorter: str | None
    """The value without one character, where it shows the same finding; None where no such value does."""
    curl: str
    says_so: bool
    """Whether the text says that it may not show again."""


def measure(fault: str, *, profile: str, max_requests: int | None, seed: int) -> list[Measured]:
    """Run the suite against the emulator with a fault, and measure every stable finding."""
    with Embedded(THROWAWAY, faults=[fault]) as embedded:
        settings = TargetSettings(url=embedded.url(), timeout=_TIMEOUT, max_requests=max_requests, seed=seed)
        with Target(settings) as target:
            report = run(CATALOGUE, target, Plan(profile=profile, seed=seed, fail_on=Level.SHOULD))
        findings = [finding for outcome in report.outcomes for finding in outcome.findings]
        lines = [each["curl"] for each in build(report, accounts=_ACCOUNTS)["findings"]]
    measured = []
    for finding, curl in zip(findings, lines, strict=True):
        if finding.stable:
            with _fresh(fault, settings) as target:
                found = _measured(fault, finding, curl, settings.url, target)
            if found.differs and _is_shown_again(finding, fault, settings):
                found = replace(found, differs="")
            measured.append(found)
    return measured


@contextmanager
def _fresh(fault: str, settings: TargetSettings) -> Iterator[Target]:
    with (
        Embedded(THROWAWAY, faults=[fault]) as embedded,
        Target(replace(settings, url=embedded.url(), max_requests=None)) as target,
    ):
        yield target


def _is_shown_again(finding: Finding, fault: str, settings: TargetSettings) -> bool:
    """Whether the last answer to the requests of a finding breaks its rule, or shows the same of the same setting."""
    group = [index for index, each in enumerate(finding.exchanges) if each.together]
    first, after = (group[0], group[-1] + 1) if group else (0, 0)
    requests = [each.request for each in finding.exchanges]
    return any(
        _shows(
            finding, *_answered(fault, settings, requests[after:], requests[first:after], requests[:first])
        )
        for _ in range(_RACES if group else 1)
    )


def _answered(
    fault: str, settings: TargetSettings, *requests: Sequence[Request]
) -> tuple[Exchange, list[Violation]]:
    """Send a counterexample to another emulator, as `Conversation.try_again` does; return the last answer."""
    with _fresh(fault, settings) as target:
        return Session(target, [each.id for each in CATALOGUE]).conversation.try_again(*requests)[-1]


def _shows(finding: Finding, last: Exchange, violations: Sequence[Violation]) -> bool:
    """Whether an answer breaks the rule of a finding, or shows the same of the same setting."""
    if last.together:
        return last.status == finding.exchanges[-1].status
    if BY_ID[finding.rule].culprit is is_trouble:
        return not last.accepted
    state = is_about_state(BY_ID[finding.rule])
    return any(
        each.rule == finding.rule
        or (each.outcome, each.field) == (finding.outcome, finding.field)
        or (state and each.field == finding.field and is_about_state(BY_ID[each.rule]))
        for each in violations
    )


def _measured(fault: str, finding: Finding, curl: str, url: str, target: Target) -> Measured:
    """Measure a finding of a run against the target at `url`, on another target that has not been sent anything."""
    curl = curl.replace(url, target.settings.url)
    request = finding.exchanges[-1].request
    value = _wrongly_accepted(finding)
    return Measured(
        fault=fault,
        rule=finding.rule,
        cls=finding.cls,
        outcome=finding.outcome,
        parameters=len(request.form() or request.intends),
        differs=_differs(finding, curl),
        value=value,
        shorter=None if value is None else _shorter(finding, value, target),
        curl=curl,
        says_so=any(each in finding.summary for each in _SAID),
    )


def _differs(finding: Finding, lines: str) -> str:
    """Return the differences between the last answer to curl and the recorded one; empty where there are none."""
    recorded = finding.exchanges[-1]
    *earlier, final = lines.splitlines()
    # Requests that were sent at the same moment have no last line: the answer that comes first is compared.
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
    accounts = [account.sid or "" for account in THROWAWAY]
    before, now = (outcome_of(each, accounts) for each in (recorded, replace(recorded, response=response)))
    about = {each.attribute for each in FIELDS if finding.field in (each.attribute, each.parameter)}
    # What the links are depends on a setting.
    is_about_links = "links" in (finding.field or "")
    seen = [each for each in changes(before, now, about) if is_about_links or not each.startswith("links:")]
    return "; ".join([*seen, *([failed] if done.returncode else [])])


def _response(shown: bytes, recorded: Exchange) -> Response | None:
    """Return the final response in the output of `curl -i`; None where there is none."""
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


# Characters that could be left out


def _wrongly_accepted(finding: Finding) -> str | None:
    """Return the one value that a finding shows to be wrongly accepted; None where it is of another kind."""
    pairs = finding.exchanges[-1].request.form() or ()
    if finding.outcome != "accepted" or len(pairs) != 1:
        return None
    ((name, value),) = pairs
    return value if _refused_for(name, value) == finding.rule else None


def _refused_for(name: str, value: str) -> str | None:
    """Return the id of the rule by which a value must be refused; None where it must not."""
    if name not in BY_PARAMETER:
        return None
    decision = decide_value(BY_PARAMETER[name], value)
    return rule_of(decision) if decision.answer is Answer.REJECT else None


def _shorter(finding: Finding, value: str, target: Target) -> str | None:
    """Return the value without one character, where it shows the same finding; None where no such value does."""
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
    others = [each for each in measured if not each.says_so]
    yield f"where the text promises it: {_share(sum(not each.differs for each in others), len(others))}"
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
    """Measure every selected fault, and print the figures."""
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

"""
Measures the cost of reports: time, memory and page size for runs of 3,000 and of 10,000 exchanges.

    python benchmarks/reports.py [EXCHANGES...]

Each exchange is the counterexample of another finding. That is more than any run keeps in memory, since a run writes
all other exchanges to disk at once. Each number of exchanges is measured in a new process, so that the peaks of memory
are independent. Times are processor times. Where playwright and Chromium are installed, the page is opened, and the
times until it is laid out and until a filter is applied are printed too.
"""

import importlib.util
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from memory import peak

from conformance.http import Exchange, Response, update
from conformance.model import INACTIVE, ClassOutcome, Finding, Outcome, Report, Rule, Verdict
from conformance.reporting import ARCHIVE, Archive, ShellAccount, build, write_all
from conformance.reporting.html import render
from conformance.rules import CATALOGUE


def made_up(exchanges: int) -> Report:
    """Return the report of a made-up run, in which every exchange shows another finding."""
    outcomes = []
    for number, rule in enumerate(CATALOGUE):
        count = exchanges // len(CATALOGUE) + (number < exchanges % len(CATALOGUE))
        findings = tuple(_finding(rule, each) for each in range(count))
        classes = tuple(
            ClassOutcome(id=each.cls, reason="a slip", examples=9, statuses={"200": 9}) for each in findings
        )
        verdict = Verdict.DEVIATION if findings else Verdict.CONFORMANT
        outcomes.append(Outcome(rule=rule, verdict=verdict, examples=9, findings=findings, classes=classes))
    return Report(
        verdict=Verdict.DEVIATION,
        exit_code=1,
        target="http://127.0.0.1:4007",
        profile="thorough",
        seed=0,
        requests=exchanges,
        started_at="2026-01-01T00:00:00Z",
        duration=60.0,
        outcomes=tuple(outcomes),
    )


def _finding(rule: Rule, number: int) -> Finding:
    body = json.dumps(
        {"default_inactive_timer": "P", "account_sid": "AC" + "0" * 32, "url": "http://127.0.0.1/"}
    )
    headers = (("Content-Type", "application/json"), ("Date", "Thu, 01 Jan 2026 00:00:00 GMT"))
    exchange = Exchange(
        number=number,
        request=update((INACTIVE.parameter, f"P{number}")),
        response=Response(status=200, headers=headers, body=body.encode()),
        sent_headers=(("Accept", "*/*"), ("Authorization", "Basic {sid}:{token}")),
    )
    return Finding(
        rule=rule.id,
        level=rule.level,
        cls=f"timer/class-{number}",
        outcome="accepted",
        field=INACTIVE.parameter,
        summary=f"DefaultInactiveTimer=P{number} was accepted",
        expected="4xx, for no reading of ISO 8601 durations parses it",
        observed="status 200",
        exchanges=(exchange,),
        stable=True,
    )


def measure(exchanges: int) -> None:
    """Make the reports of a run with this number of exchanges, and print one line of figures."""
    report = made_up(exchanges)
    with (
        tempfile.TemporaryDirectory() as directory,
        Archive(Path(directory), target=report.target) as archive,
    ):
        began = time.process_time()
        for outcome in report.outcomes:
            for finding in outcome.findings:
                archive.add(finding.exchanges[0])
        archived = time.process_time()
        document = build(report, accounts=[ShellAccount("AC" + "0" * 32)])
        built = time.process_time()
        page = len(render(document).encode())
        rendered = time.process_time()
        _, path, *_ = write_all(document, Path(directory), copies={ARCHIVE: archive.copy})
        written = time.process_time()
        print(
            f"{exchanges:>6,} exchanges: archived {archived - began:5.2f} s, document {built - archived:5.2f} s, "
            f"page {rendered - built:5.2f} s ({page / 2**20:4.2f} MiB), all reports {written - rendered:5.2f} s, "
            f"peak {peak():4.0f} MiB{_in_a_browser(path)}"
        )


def _in_a_browser(path: Path) -> str:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None or importlib.util.find_spec("playwright") is None:
        return ""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # Chromium's sandbox refuses the superuser, and is not needed for a page of our own.
        page = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"]).new_page()
        page.goto(path.as_uri())
        laid_out = page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
        filtered = page.evaluate(
            """() => {
                const began = performance.now();
                const select = document.querySelector("select[name=group]");
                select.value = select.options[1].value;
                select.dispatchEvent(new Event("change", {bubbles: true}));
                document.body.getBoundingClientRect();
                return performance.now() - began;
            }"""
        )
    return f", opened {laid_out:4.0f} ms, filtered {filtered:3.0f} ms"


def main() -> None:
    """Measure each number of exchanges in a new process."""
    if len(sys.argv) == 3 and sys.argv[1] == "--one":
        measure(int(sys.argv[2]))
        return
    for count in sys.argv[1:] or ("3000", "10000"):
        subprocess.run([sys.executable, __file__, "--one", count], check=True)  # this very file


if __name__ == "__main__":
    main()

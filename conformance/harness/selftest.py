"""
Proves that the suite can fail: runs it against implementations with known faults, and against conformant variants.

A fault is caught when the run reports a deviation. It is attributed when one of the findings is of the rule that the
fault breaks. It is reported alone when every difference of the report has that rule, or a consequence that the fault
declares. A deviation of any level that is reported for a conformant variant is a false alarm.
"""

import json
import random
import signal
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import active_children, get_context
from pathlib import Path
from threading import current_thread, main_thread
from typing import Any

from conformance.attribution.cause import cause_of
from conformance.harness.events import Event, ExchangeJudged, RunStarted
from conformance.harness.executor import Plan, run
from conformance.harness.verdicts import BUG
from conformance.model import Finding, Level, Probe, Verdict
from conformance.reporting import build, differences
from conformance.rules import BY_ID, CATALOGUE
from conformance.rules.sdk import NEED
from conformance.settings import PROFILES
from conformance.transport.credentials import THROWAWAY, Account
from conformance.transport.target import Target, TargetSettings

Emulate = Callable[..., AbstractContextManager[str]]
"""Serves an implementation with `faults` and `variants` to some `accounts`; the context gives its base URL."""

_DRAWN: dict[str, list[Probe]] = {}
"""The probes drawn in the first run of this process; later runs with the same accounts send the same."""

_DRAWS = 50
"""Pairs that are drawn to find a suitable one, at most: among few faults there may be none."""

_TIMEOUT = 2.0
"""Seconds within which an answer must be whole. The emulator is on this machine, and some faults never answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One implementation: the emulator with some faults and variants built in."""

    faults: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    """The ids of the rules that the faults break."""
    consequences: tuple[str, ...] = ()
    """The ids of other rules that the faults declare to be broken in consequence."""
    level: Level = Level.MUST
    """The level of the rule that the fault breaks; of several faults, the highest."""
    kind: str = ""
    """The area in which the fault lies; empty for several faults."""
    accounts: tuple[tuple[str, str], ...] = ()
    """The SIDs and tokens of the accounts that it asks for; empty for the usual ones."""

    @property
    def name(self) -> str:
        """The name of the implementation in the matrix."""
        return " + ".join((*self.faults, *self.variants)) or "reference"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The results of a run against one implementation."""

    subject: Subject
    requests: int
    seconds: float
    first_seconds: float | None = None
    """Seconds from the beginning of the run to the first deviation; None when there is none."""
    verdict: str
    findings: tuple[Finding, ...] = field(repr=False)
    headlines: tuple[str, ...]
    """The id of the rule under which the report shows each difference; consequences are left out."""
    stopped: str = ""
    """The reason why the run ended early; empty when it did not."""

    @property
    def caught(self) -> bool:
        """Whether any deviation was reported."""
        return bool(self.findings)

    @property
    def attributed(self) -> bool:
        """Whether every broken rule is among those reported."""
        return set(self.subject.rules) <= {finding.rule for finding in self.findings}

    @property
    def alone(self) -> bool:
        """Whether every broken rule is reported, and no difference stands under any other but their consequences."""
        reported = {*self.headlines, *(finding.rule for finding in self.findings)}
        broken = set(self.subject.rules)
        return broken <= reported and set(self.headlines) <= broken | set(self.subject.consequences)

    @property
    def first(self) -> int | None:
        """The number of the request that first showed a deviation; None when none did."""
        return min((finding.first for finding in self.findings), default=None)

    @property
    def broken(self) -> bool:
        """Whether a bug of the suite ended the run."""
        return self.stopped.startswith(BUG)

    @property
    def ok(self) -> bool:
        """Whether the suite was right: it reports a deviation of a fault, and none of a variant."""
        if self.broken:
            return False
        return self.caught if self.subject.faults else self.verdict == Verdict.CONFORMANT

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.subject.name,
            "faults": list(self.subject.faults),
            "variants": list(self.subject.variants),
            "rules": list(self.subject.rules),
            "level": self.subject.level,
            "ok": self.ok,
            "attributed": self.attributed,
            "alone": self.alone,
            "requests": self.requests,
            "first": self.first,
            "seconds": round(self.seconds, 2),
            "first_seconds": self.first_seconds and round(self.first_seconds, 3),
            "verdict": self.verdict,
            "differences": len(self.headlines),
            "headlines": list(self.headlines),
            "stopped": self.stopped,
            "findings": [
                {
                    "rule": each.rule,
                    "class": each.cls,
                    "outcome": each.outcome,
                    "stable": each.stable,
                    "cause": str(cause_of(each)),
                    "witness": each.summary,
                    "observed": each.observed,
                }
                for each in self.findings
            ],
        }


def examine(
    subject: Subject, *, emulate: Emulate, profile: str, seed: int = 0, fail_fast: bool = False
) -> Result:
    """Run the suite against one implementation, served by `emulate`; it ends early with `fail_fast`."""
    began = time.perf_counter()
    ready: list[float] = []
    seen: list[float] = []

    def time_events(event: Event) -> None:
        if isinstance(event, RunStarted):
            ready.append(time.perf_counter())
        elif isinstance(event, ExchangeJudged) and event.violations and not seen:
            seen.append(time.perf_counter() - ready[0])

    accounts = tuple(Account(sid, token) for sid, token in subject.accounts) or THROWAWAY
    known = {account.sid or "": account.token for account in accounts}
    plan = Plan(
        profile=profile,
        seed=seed,
        fail_fast=fail_fast,
        fail_on=Level.SHOULD,
        sdk=any(BY_ID[rule].needs == NEED for rule in subject.rules),
        drawn=_DRAWN if accounts == THROWAWAY else {},
    )
    with emulate(accounts=known, faults=subject.faults, variants=subject.variants) as url:
        settings = TargetSettings(
            url=url, accounts=accounts, timeout=_TIMEOUT, max_requests=PROFILES[profile], seed=seed
        )
        with Target(settings) as target:
            report = run(CATALOGUE, target, plan, listener=time_events)
    return Result(
        subject=subject,
        requests=report.requests,
        seconds=time.perf_counter() - began,
        first_seconds=min(seen, default=None),
        verdict=report.verdict,
        findings=tuple(finding for outcome in report.outcomes for finding in outcome.findings),
        headlines=tuple(each.first["rule"] for each in differences(build(report))),
        stopped=report.stopped,
    )


def examine_all(subjects: Sequence[Subject], *, jobs: int, **options: Any) -> Iterator[Result]:
    """Examine implementations in `jobs` processes, with `options` of `examine`; yield results in the order given."""
    if jobs == 1:
        yield from (examine(subject, **options) for subject in subjects)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        with _signals_ignored():  # Ctrl-C reaches every process of a terminal: this one alone answers to it
            results = [pool.submit(partial(examine, **options), subject) for subject in subjects]
        try:
            for each in results:
                yield each.result()
        except BaseException:
            for process in active_children():
                process.kill()
            raise


@contextmanager
def _signals_ignored() -> Iterator[None]:
    """Ignore Ctrl-C, and have processes that are started now ignore it for good."""
    if current_thread() is not main_thread():  # no other thread may choose handlers
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def combinations(variants: Iterable[str], count: int, seed: int) -> Iterator[Subject]:
    """Yield random sets of two to five variants."""
    names, chance = sorted(variants), random.Random(seed)
    for _ in range(count):
        yield Subject(variants=tuple(chance.sample(names, chance.randint(2, 5))))


def sample(kinds: Mapping[str, Hashable], seed: int) -> list[str]:
    """
    Choose one fault of every kind, given the kinds by the names of the faults.

    The seed is the place of the fault among those of its kind; after the last comes the first again.
    """
    names = defaultdict(list)
    for name, kind in kinds.items():
        names[kind].append(name)
    return [same[seed % len(same)] for same in names.values()]


def pairs(
    faults: Sequence[Subject], count: int, seed: int, is_masked: Callable[[str, Sequence[str]], bool]
) -> Iterator[Subject]:
    """
    Yield random pairs of faults that break different rules, where neither fault masks the other.

    A fault masks another if both change the same place of the emulator, or if no answer is left that could show the
    other. The suite could not report a masked fault. Where few faults can be combined, there are fewer than `count`.
    """
    chance = random.Random(seed)
    made = 0
    for _ in range(count * _DRAWS):
        if made == count:
            return
        one, other = chance.sample(faults, 2)
        both = (*one.faults, *other.faults)
        if one.rules != other.rules and not any(is_masked(name, both) for name in both):
            made += 1
            yield Subject(
                faults=both,
                rules=(*one.rules, *other.rules),
                consequences=(*one.consequences, *other.consequences),
                level=Level.MUST if Level.MUST in (one.level, other.level) else Level.SHOULD,
            )


def summary(results: Sequence[Result]) -> dict[str, Any]:
    faulty = [result for result in results if len(result.subject.faults) == 1]
    two = [result for result in results if len(result.subject.faults) > 1]
    must = [result for result in faulty if result.subject.level is Level.MUST]
    clean = [result for result in results if not result.subject.faults]
    counted = _counted(faulty)
    return {
        "faults": counted["faults"],
        "caught": counted["caught"],
        "must_faults": len(must),
        "must_caught": sum(result.ok for result in must),
        "attributed": counted["attributed"],
        "alone": counted["alone"],
        "pairs": len(two),
        "pairs_both_reported": sum(result.attributed for result in two),
        "variants": len(clean),
        "false_alarms": sum(not result.ok for result in clean),
        "median_requests_to_first": counted["median_requests_to_first"],
        "median_differences": _median(len(result.headlines) or None for result in faulty),
    }


def by_rule(results: Sequence[Result]) -> list[dict[str, Any]]:
    """Count for each rule how many of the faults that break this rule alone were caught, and by which rules."""
    rows = []
    for rule in CATALOGUE:
        own = [result for result in results if result.subject.faults and result.subject.rules == (rule.id,)]
        if own:
            by_others = [result.subject.name for result in own if result.ok and not result.attributed]
            rows.append(
                {"rule": rule.id, "level": rule.level, **_counted(own), "caught_by_others": by_others}
            )
    return rows


def by_kind(results: Sequence[Result]) -> list[dict[str, Any]]:
    kinds = dict.fromkeys(result.subject.kind for result in results if result.subject.kind)
    return [
        {"kind": kind, **_counted([result for result in results if result.subject.kind == kind])}
        for kind in kinds
    ]


def _counted(results: Sequence[Result]) -> dict[str, Any]:
    return {
        "faults": len(results),
        "caught": sum(result.ok for result in results),
        "attributed": sum(result.attributed for result in results),
        "alone": sum(result.alone for result in results),
        "median_requests_to_first": _median(result.first for result in results),
        "missed": [result.subject.name for result in results if not result.ok],
    }


def _median(numbers: Iterable[int | None]) -> float | None:
    known = [number for number in numbers if number is not None]
    return statistics.median(known) if known else None


def write(path: Path, results: Sequence[Result]) -> None:
    document = {
        "summary": summary(results),
        "rules": by_rule(results),
        "kinds": by_kind(results),
        "results": [result.as_json() for result in results],
    }
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")

"""Whole runs against hostile targets end in time, fit into memory, report the truth, and print it harmlessly."""

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import hostile
import pytest
from command_line import clean_environment
from forks import fork, run_main

from conformance.transport.credentials import THROWAWAY
from conformance.transport.embedded import Embedded

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="measures memory as Linux tells it"),
]

TIMEOUT = 0.5
PATIENCE = 5.0
"""Seconds to wait for targets that answer: on a busy machine they must not seem to be silent."""

NO_VERDICT = frozenset(
    {
        "banner",
        "blank-lines-first",
        "continues-for-ever",
        "deaf",
        "empty-reply",
        "half-close",
        "http-0.9",
        "http-2",
        "rate-limited",
        "rate-limited-for-an-hour",
        "reset",
        "silent",
        "tls-alert",
        "tls-drip",
    }
)
"""Plays without HTTP, without an answer, or with a request to come back later: the run has no verdict."""

UNREADABLE = frozenset(
    {
        "body-then-silence",
        "chunk-of-sixteen-exabytes",
        "chunk-too-long",
        "content-length-long",
        "content-length-negative",
        "content-length-too-long-to-count",
        "content-length-twice",
        "drip",
        "drip-body",
        "endless-chunk-extension",
        "endless-headers",
        "endless-status-line",
        "endless-trailers",
        "head-then-silence",
        "header-injection",
        "header-without-name",
        "interim-drip",
        "interim-flood",
        "invalid-chunking",
        "invalid-status-line",
        "midway",
        "nul-in-header",
        "one-byte-chunks",
        "reset-midway",
        "status-000",
        "status-1000",
        "switched-to-websocket",
        "unknown-transfer-coding",
        "upgrade",
    }
)
"""Plays that begin as HTTP and cannot be read to the end: the run reports one deviation from RFC 9112 and ends."""

BROKEN_RULES = {
    "answers-twice": "framing",
    "answers-twice-in-chunks": "framing",
    "broken-gzip": "json-body",
    "brotli": "json-body",
    "brotli-bomb": "json-body",
    "content-length-short": "framing",
    "deep-nesting": "json-body",
    "echo": "json-body",
    "endless-body": "json-body",
    "endless-chunks": "json-body",
    "escapes-in-a-refusal": "any-subset",
    "escapes-in-media-type": "media-type",
    "escapes-in-the-reason": "framing",
    "escapes-in-values": "timer-representation",
    "folded-header": "framing",
    "gzip-and-more": "json-body",
    "gzip-bomb": "json-body",
    "hangs-on-reuse": "every-request-answered",
    "hundred-megabytes": "credentials-required",  # longer than is read, and an object as far as that goes
    "invalid-json": "json-body",
    "invalid-utf8": "json-body",
    "length-and-chunked": "framing",
    "many-gzip-members": "json-body",
    "many-numbers": "json-body",
    "no-content": "accepted-status",
    "not-gzip": "json-body",
    "redirect": "accepted-status",
    "redirect-with-escapes": "accepted-status",
    "refuses-unread": "any-subset",
    "speaks-first": "every-request-answered",
    "terminal-escapes": "json-body",
    "unavailable": "no-server-error",
}
"""By play, a rule that it breaks. The run reports the rule and goes on."""

FAILS_ALWAYS = frozenset({"failing", "status-999"})
"""A run finds nothing but that, and asks no more."""

STATIC = frozenset(
    {
        "body-to-head",
        "closed-in-words",
        "closed-on-reuse",
        "closed-silently",
        "cookie",
        "duplicate-keys",
        "early-hints",
        "escapes-in-names",
        "good",
        "gzip",
        "gzip-in-two-members",
        "header-flood",
        "http-1.0",
        "huge-header",
        "huge-json",
        "huge-values",
        "million-digits",
        "rate-limited-at-first",
        "timed-out-on-reuse",
        "two-segments",
    }
)
"""Plays of legal HTTP and JSON that accept any value and always show the same: the run reports just that."""

HANGS = frozenset({"hangs-on-reuse", "speaks-first"})
"""Plays that take the whole timeout again and again."""

TAKES_ANYTHING = re.compile("(timer|sid)-(syntax|minimum|prefix|length|alphabet)$")

HARMLESS = re.compile(r"[\n\x20-\x7e\xa0-\u200f\u2010-\u2029\u2030-\u2065\u2070-\ud7ff\ue000-\U0010ffff]*")
"""A text without characters of control, other than the line feed, and without changes of the writing direction."""


def measured(*arguments: str) -> None:
    """Run the command, and write its memory to a file."""
    try:
        run_main(*arguments)
    finally:
        Path("memory").write_text(Path("/proc/self/status").read_text(encoding="ascii"), encoding="ascii")


@dataclass(frozen=True)
class Ran:
    """The results of one run of the command, as a user sees them."""

    status: int
    output: str
    seconds: float
    peak: int
    """The peak of resident memory, in KiB."""
    document: Mapping[str, Any]

    @property
    def rules(self) -> set[str]:
        return {finding["rule"] for finding in self.document["findings"]}


def run(url: str, where: Path, *arguments: str, timeout: float = TIMEOUT) -> Ran:
    """Run the command in a process of its own, as one that measures it."""
    output = where / "output"
    began = time.monotonic()
    options = ("--target", url, "--timeout", str(timeout), "--report-dir", str(where / "report"), *arguments)
    status = fork(
        measured,
        *("run", *options),
        where=where,
        environment=clean_environment(),
        output=output,
        errors=output,
        timeout=300,
    )
    seconds = time.monotonic() - began
    text = output.read_text(encoding="utf-8")
    document = json.loads((where / "report" / "result.json").read_text(encoding="utf-8"))
    peak = int((where / "memory").read_text().partition("VmHWM:")[2].split()[0])
    return Ran(status, text, seconds, peak, document)


@pytest.fixture(scope="module")
def idle(tmp_path_factory: pytest.TempPathFactory) -> int:
    """The peak memory of a run against a target that is not hostile, in KiB."""
    with hostile.Hostile("good") as server:
        return run(server.url, tmp_path_factory.mktemp("idle"), "--max-requests", "25").peak


def test_every_play_is_expected_to_end_in_one_way() -> None:
    ways = (NO_VERDICT, UNREADABLE, BROKEN_RULES.keys(), FAILS_ALWAYS, STATIC)
    assert sorted(name for way in ways for name in way) == sorted(hostile.PLAYS)


@pytest.mark.parametrize("name", sorted(hostile.PLAYS))
def test_a_run_ends_in_time_within_memory_and_reports_the_truth(name: str, tmp_path: Path, idle: int) -> None:
    hostile.bomb()  # to pack it takes as long as a run waits for an answer
    with hostile.Hostile(name) as server:
        timeout = TIMEOUT if name in NO_VERDICT | UNREADABLE | HANGS else PATIENCE
        ran = run(server.url, tmp_path, "--max-requests", "40", timeout=timeout)
    # Each request within its timeout and a second; the rest is the start, and the reports.
    assert ran.seconds < 30 + ran.document["requests"] * (timeout + 1)
    assert ran.peak - idle < 100 * 1024
    assert "Traceback" not in ran.output
    assert "a bug of the suite" not in ran.output
    assert_harmless(ran.output, tmp_path / "report")
    if name in NO_VERDICT:
        assert (ran.status, ran.document["verdict"], ran.rules) == (3, "error", set())
        assert ran.document["stopped"]
        return
    assert (ran.status, ran.document["verdict"]) == (1, "deviation")
    if name in UNREADABLE:
        assert "framing" in ran.rules
        assert "no answer could be read" in ran.document["stopped"]
    elif name in FAILS_ALWAYS:
        assert ran.rules == {"no-server-error"}
        assert "answers every request with a server error" in ran.document["stopped"]
        assert ran.document["requests"] < 12
    elif name in BROKEN_RULES:
        assert BROKEN_RULES[name] in ran.rules
        assert ran.document["requests"] >= 20
    else:
        assert any(TAKES_ANYTHING.search(rule) for rule in ran.rules)
        assert ran.rules.isdisjoint({"framing", "json-body", "media-type", "every-request-answered"})
        assert ran.document["requests"] >= 20


def assert_harmless(output: str, reports: Path) -> None:
    """Every byte of a target reaches a terminal, a browser or a log as a printed character."""
    assert HARMLESS.fullmatch(output)
    for path in reports.rglob("*"):
        if path.suffix in (".html", ".md", ".xml", ".json", ".har", ".svg"):
            text = path.read_text(encoding="utf-8")
            assert HARMLESS.fullmatch(text), (path.name, HARMLESS.match(text))


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("silent", "every-request-answered"),
        ("reset", "every-request-answered"),
        ("empty-reply", "every-request-answered"),
        ("endless-headers", "framing"),
        ("drip-body", "framing"),
        ("interim-flood", "framing"),
        ("switched-to-websocket", "framing"),
        ("invalid-chunking", "framing"),
        ("answers-twice-in-chunks", "framing"),
        ("banner", "framing"),
        ("gzip-bomb", "json-body"),
    ],
)
def test_a_target_that_is_hostile_to_one_request_is_judged_by_all_others(
    name: str, rule: str, tmp_path: Path
) -> None:
    """One ordinary value starts the play; the reference answers everything else."""
    hostile.bomb()  # to pack it takes as long as a run waits for an answer
    with Embedded(THROWAWAY) as emulator:
        parts = urlsplit(emulator.url())
        behind = (parts.hostname or "", parts.port or 0)
        with hostile.Hostile(name, behind=behind, trigger=b"PT30M") as server:
            ran = run(server.url, tmp_path, "--max-requests", "300", "--profile", "quick")
    assert (ran.status, ran.document["stopped"]) == (1, "")
    assert rule in ran.rules
    judged = [each for each in ran.document["rules"] if each["verdict"] == "conformant"]
    assert len(judged) > 30

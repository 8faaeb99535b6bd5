"""The result as CTRF (ctrf.io), the Common Test Report Format: one test per rule, its verdict as the raw status."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from conformance.model import Verdict
from conformance.reporting.junit import MOST, PACKAGE, in_full, related
from conformance.reporting.text import HEADLINE, Document, fails, headline, tallies, visible

_STATUSES = {
    Verdict.CONFORMANT: "passed",
    Verdict.FIXED: "passed",
    Verdict.KNOWN: "skipped",
    Verdict.NOT_RUN: "pending",
    Verdict.UNDECIDED: "other",
    Verdict.ERROR: "other",
}


def render(document: Document) -> str:
    """Return the CTRF document of a result document."""
    about = related(document)
    tests = [_test(rule, document, about) for rule in document["rules"]]
    start = round(datetime.fromisoformat(document["started_at"]).timestamp() * 1000)
    statuses = [test["status"] for test in tests]
    summary = {
        "tests": len(tests),
        **{name: statuses.count(name) for name in ("passed", "failed", "skipped", "pending", "other")},
        "start": start,
        "stop": start + round(document["duration_s"] * 1000),
        "extra": {
            "verdict": document["verdict"],
            "exitCode": document["exit_code"],
            "stopped": document["stopped"],
            "headline": headline(document),
            **tallies(document),
        },
    }
    names = ("target", "profile", "seed", "requests", "versions")
    report = {
        "reportFormat": "CTRF",
        "specVersion": "1.0.0",
        "generatedBy": "conformance",
        "results": {
            "tool": {"name": "conformance"},
            "summary": summary,
            "tests": tests,
            "extra": {name: document[name] for name in names},
        },
    }
    return json.dumps(report, indent=1) + "\n"


def _test(rule: Document, document: Document, about: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    new = [each for each in document["findings"] if each["rule"] == rule["id"] and "known" not in each]
    verdict = Verdict(rule["verdict"])
    test: dict[str, Any] = {
        "name": rule["id"],
        "status": _STATUSES.get(verdict, "failed" if fails(document, rule["level"]) else "passed"),
        # A rule is judged by the answers of the whole run: it has no time of its own.
        "duration": 0,
        "rawStatus": rule["verdict"],
        "suite": [PACKAGE, rule["group"]],
        "tags": [rule["level"]],
        "extra": {"statement": rule["statement"], "source": rule["source"], "examples": rule["examples"]},
    }
    if verdict is Verdict.UNSTABLE:
        test["flaky"] = True
    if new:
        test["message"] = visible(new[0]["summary"], HEADLINE)
        test["trace"] = "\n\n".join(in_full(each, about.get(each["fingerprint"], ())) for each in new[:MOST])
    elif rule["reason"]:
        test["message"] = visible(rule["reason"], 300)
    return test

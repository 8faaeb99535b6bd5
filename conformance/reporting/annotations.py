"""Deviations as workflow commands of GitHub Actions, which shows them beside the change."""

import re
from collections.abc import Iterator

from conformance.reporting.differences import differences
from conformance.reporting.text import CLAIM, HEADLINE, Document, fails, headline, snippet, visible

_SHOWN = 10
"""GitHub shows ten errors and ten warnings of a step, and drops the others."""


def annotations(document: Document) -> Iterator[str]:
    """
    Yield a line for each difference: an error where it fails the run, else a warning or a notice.

    What a target has said is escaped everywhere, so that no line of it begins a command.
    """
    if no_verdict := headline(document):
        yield command("error", "conformance", no_verdict)
    for difference in differences(document)[:_SHOWN]:
        finding = difference.first
        kind = "error" if fails(document, finding["level"]) else "warning"
        kind = "notice" if difference.kind == "known" else kind
        lines = (
            visible(finding["summary"], HEADLINE),
            f"expected {visible(finding['expected'], CLAIM)}",
            f"observed {visible(finding['observed'], CLAIM)}",
            snippet(finding),
        )
        yield command(kind, f"{finding['level'].upper()} {finding['rule']}", "\n".join(lines))


def command(name: str, title: str, message: str) -> str:
    """Return a workflow command, escaped as GitHub's toolkit does (actions/toolkit, packages/core/src/command.ts)."""
    return f"::{name} title={_TITLE.sub(_escape, title)}::{_MESSAGE.sub(_escape, message)}"


_TITLE, _MESSAGE = re.compile(r"[%\r\n:,]"), re.compile(r"[%\r\n]")


def _escape(match: re.Match[str]) -> str:
    return f"%{ord(match[0]):02X}"

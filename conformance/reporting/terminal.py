"""Prints a result when the run ends: deviations first, one line of totals last. Bytes of the target are escaped."""

import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from conformance.model import Level, Verdict
from conformance.reporting import text
from conformance.reporting.differences import Difference, differences
from conformance.reporting.text import Document

OBSERVED_LIMIT = 200

_STYLES = {"must": "bold red", "unstable": "bold magenta", "should": "bold yellow", "known": "bold"}
_HEADINGS = {
    "must": "Deviations: what the document or an RFC demands does not hold",
    "unstable": "Unstable: the same requests were answered differently",
    "should": "Not strict: the literal reading does not hold",
    "known": "Known: listed as deviations before",
}


def console_for(stream: TextIO, environ: Mapping[str, str] = os.environ) -> Console:
    """Return a console that writes plain text unless the stream is a terminal without NO_COLOR (no-color.org)."""
    terminal = stream.isatty()
    coloured = terminal and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"
    return Console(
        file=stream, color_system="auto" if coloured else None, highlight=False, force_terminal=terminal
    )


def print_result(
    document: Document, console: Console, *, printed: Collection[str] = (), page: Path | None = None
) -> None:
    """
    Print a result document: whether there is a verdict, deviations, groups, rules left open, notices, totals.

    `printed` are the notices that were printed when the run began, and `page` is the path of the report page.
    """
    if no_verdict := text.headline(document):
        console.print(Text(no_verdict, "bold yellow"), soft_wrap=not console.is_terminal, end="\n\n")
    kind = ""
    for difference in differences(document):
        if difference.kind != kind:
            kind = difference.kind
            console.print(Text(_HEADINGS[kind], _STYLES[kind]), end="\n\n")
        _difference(difference, document, console)
    if "unanswered" in document:
        _unanswered(document["unanswered"], console)
    if text.was_judged(document):
        console.print(_groups(document))
    where = [Text(f"report: {text.visible(str(page))}", "dim")] if page is not None else []
    for line in [
        *_remarks(document, printed),
        *where,
        Text(text.totals(document), _verdict_style(document["verdict"])),
    ]:
        # In a log one line each, to be found by search; on a terminal wrapped between words.
        console.print(line, soft_wrap=not console.is_terminal)


def _difference(difference: Difference, document: Document, console: Console) -> None:
    finding = difference.first
    rule = text.rule_of(finding, document)
    head = Text.assemble(
        (finding["level"].upper(), _STYLES[difference.kind]), " ", (text.visible(finding["rule"]), "bold")
    )
    unstable = "" if finding["stable"] else ", unstable"
    head.append(f"  {text.visible(finding['class'])}{unstable}  {finding['fingerprint'][:12]}", "dim")
    console.print(head, soft_wrap=True)
    _row(console, "", text.visible(finding["summary"], text.HEADLINE))
    rows = [
        ("rule", text.statement_beside(finding, rule)),
        ("field", finding["field"] or ""),
        *(("sent", line) for line in text.request_lines(finding)),
        ("expected", finding["expected"]),
        ("observed", finding["observed"]),
        ("seen", difference.seen),
        *(("also for", line) for line in difference.further),
    ]
    # A known deviation is named; its counterexample is left out.
    for label, words in [("known", text.why_known(finding))] if "known" in finding else rows:
        _row(console, label, text.visible(words, OBSERVED_LIMIT))
    _row(console, "also", text.visible(text.some(difference.also, 5)))
    _row(console, "follows", text.visible(", ".join(difference.consequences)))
    console.print()
    if "known" not in finding:
        _curl(finding, console)


def _unanswered(shown: Document, console: Console) -> None:
    console.print(Text(text.UNANSWERED, "bold yellow"), soft_wrap=not console.is_terminal)
    for line in text.request_lines(shown):
        _row(console, "sent", line)
    console.print()
    _curl(shown, console)


def _curl(shown: Document, console: Console) -> None:
    for line in text.snippet(shown).split("\n"):
        # Unwrapped, at the margin: so that it can be copied.
        console.print(Text(text.visible(line)), soft_wrap=True)
    console.print()


def _row(console: Console, label: str, words: str) -> None:
    if not words:
        return
    indent = f"  {label:<10}" if label else "  "
    for line in Text(words).wrap(console, max(20, console.width - len(indent))):
        line.rstrip()
        # In a log GitHub's runner takes a line that begins so for a command.
        shown = Text("\\x3a").append(line[1:]) if line.plain.startswith("::") else line
        console.print(Text.assemble((indent, "dim"), shown), soft_wrap=True)
        indent = " " * len(indent)


def _groups(document: Document) -> Table:
    table = Table("group", "MUST", "SHOULD", box=None, pad_edge=False, header_style="dim")
    table.add_column("examples", justify="right")
    for name, rules in text.by_group(document).items():
        table.add_row(
            Text(text.visible(name)),
            *(_standing(text.of_level(rules, level)) for level in Level),
            Text(f"{sum(rule['examples'] for rule in rules):,}"),
        )
    return table


def _standing(rules: list[Document]) -> Text:
    counts = text.tally(rules)
    good = counts["hold"] == len(rules)
    return Text(
        text.standing(rules) or "-",
        "dim" if not rules else "green" if good else "red" if counts["broken"] else "yellow",
    )


def _remarks(document: Document, printed: Collection[str]) -> Iterator[Text]:
    """Yield the lines between the table and the totals; each begins with its kind."""
    yield Text()
    for (verdict, reason), rules in text.reasons(document).items():
        names = "all rules" if len(rules) == len(document["rules"]) else text.some(rules, 4)
        yield Text(
            text.visible(f"{verdict}: {names}{f': {reason}' if reason else ''}"),
            "red" if verdict == "error" else "",
        )
    for observation in document["observations"]:
        yield Text.assemble(
            ("observed ", "dim"), text.visible(f"{observation['topic']}: {observation['text']}", 300)
        )
    for notice in document["notices"]:
        if notice not in printed:
            yield Text(text.visible(f"note: {notice}"), "yellow")
    for line in text.stale(document):
        yield Text(text.visible(line), "yellow")
    if document["stopped"]:
        yield Text(text.visible(f"stopped early: {document['stopped']}"), "bold yellow")
    yield from _restore(document["restore"])


def _restore(restore: Document) -> Iterator[Text]:
    if restore["state"] == "failed":
        yield Text(
            text.visible(f"NOT RESTORED: {', '.join(restore['failed']) or 'the settings before the run'}"),
            "bold red",
        )
    elif restore["state"] == "restored":
        which = "had a value" if restore["unrestorable"] else "were in force"
        yield Text(f"restored: the settings that {which} before the run", "dim")
    elif restore["state"] == "not-read":
        yield Text("not restored: the settings could not be read", "yellow")
    if restore["unrestorable"]:
        yield Text(
            text.visible(
                f"settings that were null before and cannot be made null again: {', '.join(restore['unrestorable'])}"
            ),
            "yellow",
        )


def _verdict_style(verdict: str) -> str:
    if verdict == Verdict.CONFORMANT:
        return "bold green"
    return (
        "bold red" if verdict in (Verdict.DEVIATION, Verdict.UNIMPLEMENTED, Verdict.ERROR) else "bold yellow"
    )

"""
The result as Markdown, for a pull request or a job's summary page.

GitHub drops a step summary beyond 1,024 KiB altogether, so whole sections are left out before that.
"""

import re
from collections.abc import Iterator

from conformance.model import Level
from conformance.reporting import text
from conformance.reporting.differences import Difference, differences
from conformance.reporting.text import Document

LIMIT = 900 * 1024
"""Most bytes of a summary."""
_TABLE_ROWS = 500


def render(document: Document, limit: int = LIMIT) -> str:
    """
    Return the Markdown of a result document.

    Sections that do not fit within the limit, in bytes, are left out whole, and the last line says how many.
    """
    reserve = 200
    kept: list[str] = []
    size = left_out = 0
    for section in _sections(document):
        length = len(section.encode("utf-8", "replace")) + 2
        if size + length > limit - reserve:
            left_out += 1
        else:
            kept.append(section)
            size += length
    if left_out:
        kept.append(f"{text.plural(left_out, 'section')} left out for size: see `report.html`.")
    return "\n\n".join(kept) + "\n"


def _sections(document: Document) -> Iterator[str]:
    found = differences(document)
    yield "### Twilio Conversations configuration: conformance"
    if no_verdict := text.headline(document):
        yield f"**{escaped(no_verdict)}**"
    yield f"**{document['verdict']}** · {monospaced(document['target'])}"
    yield escaped(text.totals(document))
    if document["stopped"]:
        yield escaped(f"Stopped early: {document['stopped']}")
    if "unanswered" in document:
        yield escaped(f"{text.UNANSWERED}:")
        yield from _counterexample(document["unanswered"])
    if found:
        yield table(
            ["", "rule", "sent", "expected", "observed", "seen"],
            [_difference_row(each) for each in found[:_TABLE_ROWS]],
        )
        if len(found) > _TABLE_ROWS:
            yield f"{text.plural(len(found) - _TABLE_ROWS, 'more difference')}: see `report.html`."
        for difference in found:
            yield _details(difference, document)
    if text.was_judged(document):
        yield table(["group", "MUST", "SHOULD", "examples"], _group_rows(document))
    open_rules = [
        [verdict, escaped(reason), ", ".join(map(monospaced, rules))]
        for (verdict, reason), rules in text.reasons(document).items()
    ]
    if open_rules:
        yield _folded("Rules that were not decided", table(["verdict", "reason", "rules"], open_rules))
    if document["observations"]:
        rows = [
            [escaped(each["topic"]), escaped(text.visible(each["text"], 1_000))]
            for each in document["observations"]
        ]
        yield _folded("Observations where the document is silent", table(["topic", "seen"], rows))
    if remarks := list(_remarks(document)):
        yield "\n".join(f"- {escaped(remark)}" for remark in remarks)


def _difference_row(difference: Difference) -> list[str]:
    finding = difference.first
    return [
        difference.kind if difference.kind in ("unstable", "known") else finding["level"].upper(),
        monospaced(finding["rule"]),
        monospaced(text.sequence_line(finding, 120)),
        escaped(text.visible(finding["expected"], 120)),
        monospaced(text.visible(finding["observed"], 120)),
        difference.seen or "once",
    ]


def _details(difference: Difference, document: Document) -> str:
    finding = difference.first
    rule = text.rule_of(finding, document)
    statement = text.statement_beside(finding, rule)
    parts = [
        escaped(text.visible(finding["summary"], text.HEADLINE)),
        escaped(f"Expected: {text.visible(finding['expected'], text.CLAIM)}"),
        escaped(f"Observed: {text.visible(finding['observed'], text.CLAIM)}"),
        f"{escaped(f'Rule: {statement} ') if statement else ''}Source: {escaped(rule['source'])}",
    ]
    if "known" in finding:
        parts.append(f"Known: {escaped(text.visible(text.why_known(finding), 1_000))}")
    for label, names in (("Also", difference.also), ("Follows", difference.consequences)):
        if names:
            parts.append(f"{label}: {', '.join(map(monospaced, names))}")
    parts += _counterexample(finding)
    return _folded(f"{finding['rule']}: {text.visible(finding['summary'], 120)}", "\n\n".join(parts))


def _counterexample(shown: Document) -> Iterator[str]:
    lines = [
        f"{line}\n    -> {text.answer_line(each)}"
        for line, each in zip(text.request_lines(shown), shown["exchanges"], strict=True)
    ]
    yield _block("\n".join(lines))
    yield _block(text.snippet(shown), "sh")


def _group_rows(document: Document) -> list[list[str]]:
    return [
        [
            escaped(name),
            *(text.standing(text.of_level(rules, level)) or "–" for level in Level),
            f"{sum(rule['examples'] for rule in rules):,}",
        ]
        for name, rules in text.by_group(document).items()
    ]


def _remarks(document: Document) -> Iterator[str]:
    yield from document["notices"]
    yield from text.stale(document)
    restore = document["restore"]
    if restore["state"] == "failed":
        yield f"Not restored: {', '.join(restore['failed'])}"
    if restore["unrestorable"]:
        yield f"Settings that were null before and cannot be made null again: {', '.join(restore['unrestorable'])}"


def escaped(words: str) -> str:
    """Return a text in which every character that could mean something in Markdown or HTML is a character reference."""
    # CommonMark 0.31.2 2.5: a reference stands for its character, never for the structure that could begin.
    return _STRUCTURE.sub(lambda match: f"&#{ord(match[0])};", text.visible(words))


_STRUCTURE = re.compile(
    r"^[^\w(]|^\d(?=\d*[.)])|_|:(?=//)|(?<=www)\.|[^\w ·,()=+%.:;/'\"?{}-]", re.IGNORECASE
)
"""What could begin a block, emphasis, a link, code, markup or a table's cell."""


def monospaced(text: str) -> str:
    """Return a text as code, in an element that stands anywhere in Markdown."""
    # An HTML element and not backticks: those cannot hold every text, and a table splits them at a pipe.
    return f"<code>{escaped(text)}</code>" if text else ""


def table(head: list[str], rows: list[list[str]]) -> str:
    """Return a table of cells that are Markdown already."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _block(text: str, language: str = "text") -> str:
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def _folded(summary: str, content: str) -> str:
    return f"<details><summary>{escaped(summary)}</summary>\n\n{content}\n\n</details>"

"""
The result as Markdown, for a pull request or a job's summary page.

GitHub drops a step summary beyond 1,024 KiB altogether, so whole sections are left out before that.
"""

import re
from collections.abc import Iterator

from conformance.model import Verdict
from conformance.reporting.differences import Difference, differences
from conformance.reporting.text import (
    Document,
    answer_line,
    plural,
    request_line,
    shown_curl,
    totals,
    visible,
)

LIMIT = 900 * 1024
"""Most bytes of a summary."""
_TABLE_ROWS = 500


def render(document: Document, limit: int = LIMIT) -> str:
    """
    The Markdown of a result document.

    Args:
        document: a valid result document.
        limit: most bytes; sections that do not fit are left out whole, and the last line says how many.
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
        kept.append(f"{plural(left_out, 'section')} left out for size: see `report.html`.")
    return "\n\n".join(kept) + "\n"


def _sections(document: Document) -> Iterator[str]:
    found = differences(document)
    yield "### Twilio Conversations configuration: conformance"
    yield f"**{document['verdict']}** · {_code(document['target'])}"
    yield _text(totals(document))
    if found:
        yield _table(
            ["", "rule", "sent", "expected", "observed", "seen"],
            [_difference_row(each) for each in found[:_TABLE_ROWS]],
        )
        if len(found) > _TABLE_ROWS:
            yield f"{plural(len(found) - _TABLE_ROWS, 'more difference')}: see `report.html`."
        for difference in found:
            yield _details(difference, document)
    yield _table(["group", "rules that hold", "examples"], _group_rows(document))
    open_rules = [
        [_code(rule["id"]), rule["level"].upper(), rule["verdict"], _text(rule["reason"])]
        for rule in document["rules"]
        if rule["verdict"]
        not in (Verdict.CONFORMANT, Verdict.DEVIATION, Verdict.NON_STRICT, Verdict.UNSTABLE)
    ]
    if open_rules:
        yield _folded(
            "Rules that were not decided", _table(["rule", "level", "verdict", "reason"], open_rules)
        )
    if document["observations"]:
        rows = [
            [_text(each["topic"]), _text(visible(each["text"], 1_000))] for each in document["observations"]
        ]
        yield _folded("Observations where the document is silent", _table(["topic", "seen"], rows))
    remarks = list(_remarks(document))
    if remarks:
        yield "\n".join(f"- {_text(remark)}" for remark in remarks)


def _difference_row(difference: Difference) -> list[str]:
    finding = difference.first
    return [
        difference.kind if difference.kind in ("unstable", "known") else finding["level"].upper(),
        _code(finding["rule"]),
        _code(request_line(finding["exchanges"][-1], 80)),
        _text(visible(finding["expected"], 120)),
        _code(visible(finding["observed"], 120)),
        f"{difference.count:,}",
    ]


def _details(difference: Difference, document: Document) -> str:
    finding = difference.first
    rule = next(each for each in document["rules"] if each["id"] == finding["rule"])
    parts = [
        _text(visible(finding["summary"], 1_000)),
        f"Rule: {_text(rule['statement'])} Source: {_text(rule['source'])}",
    ]
    if difference.also:
        parts.append(f"Also, {len(difference.also)} more: " + ", ".join(map(_code, difference.also[:20])))
    shown = [f"{request_line(each)}\n    -> {answer_line(each)}" for each in finding["exchanges"]]
    parts.append(_block("\n".join(shown)))
    parts.append(_block(shown_curl(finding), "sh"))
    return _folded(f"{finding['rule']}: {visible(finding['summary'], 120)}", "\n\n".join(parts))


def _group_rows(document: Document) -> list[list[str]]:
    groups: dict[str, list[Document]] = {}
    for rule in document["rules"]:
        groups.setdefault(rule["group"], []).append(rule)
    return [
        [
            _text(name),
            f"{sum(rule['verdict'] in (Verdict.CONFORMANT, Verdict.FIXED) for rule in rules)} of {len(rules)}",
            f"{sum(rule['examples'] for rule in rules):,}",
        ]
        for name, rules in groups.items()
    ]


def _remarks(document: Document) -> Iterator[str]:
    yield from document["notices"]
    if document["stopped"]:
        yield f"Stopped early: {document['stopped']}"
    restore = document["restore"]
    if restore["state"] == "failed":
        yield f"Not restored: {', '.join(restore['failed'])}"
    if restore["unrestorable"]:
        yield f"Null before, and cannot be unset: {', '.join(restore['unrestorable'])}"


def _text(text: str) -> str:
    """The text, with every character that could mean something in Markdown or HTML as a character reference."""
    # CommonMark 0.31.2 2.5: a reference stands for its character, never for the structure that could begin.
    return _STRUCTURE.sub(lambda match: f"&#{ord(match[0])};", visible(text))


_STRUCTURE = re.compile(r"^[^A-Za-z(]|_|:(?=//)|(?<=www)\.|[^\w ·,()=+%.:;/'\"?{}-]", re.IGNORECASE)
"""What could begin a block, emphasis, a link, code, markup or a table's cell."""


def _code(text: str) -> str:
    # An HTML element and not backticks: those cannot hold every text, and a table splits them at a pipe.
    return f"<code>{_text(text)}</code>" if text else ""


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _block(text: str, language: str = "text") -> str:
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def _folded(summary: str, content: str) -> str:
    return f"<details><summary>{_text(summary)}</summary>\n\n{content}\n\n</details>"

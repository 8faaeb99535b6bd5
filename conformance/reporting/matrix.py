"""Several targets side by side: a table of rules and targets, as Markdown or as one page that loads nothing."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from conformance.contract import SUITE
from conformance.model import Level, Verdict
from conformance.reporting.html import make_page
from conformance.reporting.markdown import escaped, monospaced, table
from conformance.reporting.text import Document, headline, of_level, standing

SIGNS = {
    Verdict.CONFORMANT: "✓",
    Verdict.FIXED: "✓",
    Verdict.NON_STRICT: "◐",
    Verdict.KNOWN: "◐",
    Verdict.DEVIATION: "✗",
    Verdict.UNIMPLEMENTED: "✗",
    Verdict.UNSTABLE: "↯",
    Verdict.UNDECIDED: "?",
    Verdict.ERROR: "!",
    Verdict.NOT_RUN: "·",
}
"""A sign for each verdict, for those who see no colours."""

BESIDE = "beside the reference"
"""The heading of the column about comparisons, which is left out where no target has one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One target of the matrix."""

    name: str
    result: Document
    link: str = ""
    """The address of its own report; empty where it has none."""
    comparison: Document | None = None
    """How it differs from a reference, as `schemas/comparison.schema.json` has it; None where that is not known."""

    @property
    def differs(self) -> str:
        """The kinds of differences from the reference, each with how many causes there are."""
        if self.comparison is None:
            return "–"
        counts = Counter(group["kind"] for group in self.comparison["groups"])
        found = [f"{kind} {counts[kind]}" for kind in self.comparison["kinds"] if counts[kind]]
        return ", ".join(found) or "alike"

    def rule(self, name: str) -> Document | None:
        """Return the rule of that id in the result; None where the result does not have it."""
        return next((each for each in self.result["rules"] if each["id"] == name), None)

    @property
    def versions(self) -> str:
        """The day of the run and the version of the suite."""
        version = self.result["versions"].get(SUITE, "")
        return " ".join(
            part for part in (self.result["started_at"][:10], version and f"suite {version}") if part
        )


def rules(columns: Sequence[Column]) -> list[Document]:
    """Return the rules of all results by group, each in the words of the newest result that has it."""
    found: dict[str, Document] = {}
    for column in sorted(columns, key=lambda column: str(column.result["started_at"]), reverse=True):
        for rule in column.result["rules"]:
            found.setdefault(rule["id"], rule)
    groups = list(dict.fromkeys(rule["group"] for rule in found.values()))
    return sorted(found.values(), key=lambda rule: groups.index(rule["group"]))


def totals(column: Column) -> list[str]:
    """Return how many MUST rules hold, are broken and are undecided, and how many SHOULD rules."""
    return [standing(of_level(column.result["rules"], level), zeros=True) or "–" for level in Level]


def verdict(column: Column) -> str:
    """Return the verdict on a target, after a sentence that most rules have no verdict where that is so."""
    words = headline(column.result)
    return f"{words}. {column.result['verdict']}" if words else str(column.result["verdict"])


def to_markdown(columns: Sequence[Column]) -> str:
    """Return the matrix as Markdown: totals, then every rule with a sign for each target."""
    heads = [
        f"[{escaped(each.name)}](<{each.link}>)" if each.link else escaped(each.name) for each in columns
    ]
    is_compared = any(each.comparison for each in columns)
    sums = [
        [
            *(head, escaped(verdict(column)), *totals(column)),
            *([escaped(column.differs)] if is_compared else ()),
            escaped(column.versions),
        ]
        for head, column in zip(heads, columns, strict=True)
    ]
    names = ["target", "verdict", "MUST", "SHOULD", *([BESIDE] if is_compared else ()), "judged"]
    rows = [
        [
            monospaced(rule["id"]),
            rule["level"].upper(),
            *(SIGNS[Verdict(own["verdict"])] if (own := each.rule(rule["id"])) else "–" for each in columns),
        ]
        for rule in rules(columns)
    ]
    used = dict.fromkeys(rule["verdict"] for column in columns for rule in column.result["rules"])
    return (
        "\n\n".join(
            [
                "### Twilio Conversations configuration: how emulators conform",
                table(names, sums),
                table(["rule", "level", *heads], rows),
                ", ".join(f"{SIGNS[Verdict(name)]} {name}" for name in used),
            ]
        )
        + "\n"
    )


def _hold(column: Column, group: str) -> str:
    """Return how many rules of a group hold, are broken and so on."""
    return standing([rule for rule in column.result["rules"] if rule["group"] == group]) or "–"


def to_html(columns: Sequence[Column]) -> str:
    """Return the matrix as a page that loads nothing."""
    return make_page(
        "matrix.html.j2",
        columns=columns,
        rules=rules(columns),
        groups=list(dict.fromkeys(rule["group"] for rule in rules(columns))),
        signs={str(verdict): sign for verdict, sign in SIGNS.items()},
        verdicts={rule["verdict"] for column in columns for rule in column.result["rules"]},
        totals=totals,
        beside=BESIDE if any(each.comparison for each in columns) else "",
        headline=headline,
        hold=_hold,
    )

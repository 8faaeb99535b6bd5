"""Compares an earlier and a later result, and shows what changed: as terminal text, Markdown, JSON or a page."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from conformance.model import Level
from conformance.reporting import text
from conformance.reporting.html import make_page
from conformance.reporting.markdown import escaped, monospaced, table
from conformance.reporting.text import Document


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The changes from an earlier result to a later one; a finding of both is the later one's."""

    old: Document
    new_result: Document
    new: tuple[Document, ...]
    """Stable findings that the earlier result does not have."""
    changed: tuple[tuple[Document, Document], ...]
    """Earlier and later findings of one rule and input class that differ in their outcome."""
    unstable: tuple[Document, ...]
    """Unstable findings of the later result."""
    fixed: tuple[Document, ...]
    """Findings of the earlier result alone, whose rule the later result judged."""
    not_judged: tuple[Document, ...]
    """Findings of the earlier result alone, whose rule the later result did not judge."""
    rules_added: tuple[str, ...]
    rules_gone: tuple[str, ...]
    verdicts: tuple[tuple[str, str, str], ...]
    """Rules whose verdict changed: id, earlier verdict, later verdict."""

    @property
    def sections(self) -> Mapping[str, tuple[Document, ...]]:
        """The findings by kind of change, the gravest first."""
        later = tuple(later for _, later in self.changed)
        return {
            "new": self.new,
            "changed": later,
            "unstable": self.unstable,
            "fixed": self.fixed,
            "not judged": self.not_judged,
        }

    @property
    def as_before(self) -> tuple[Document, ...]:
        """Stable findings that both results have, those of the later."""
        before = {each["fingerprint"] for each in self.old["findings"]}
        return tuple(
            each for each in self.new_result["findings"] if each["stable"] and each["fingerprint"] in before
        )

    def fails(self, level: Level = Level.MUST) -> bool:
        """Whether the later result has a deviation, of that level or above, that the earlier one does not have."""
        before = {each["fingerprint"] for each in self.old["findings"]}
        return any(
            (level is Level.SHOULD or each["level"] == Level.MUST)
            and "known" not in each
            and each["fingerprint"] not in before
            for each in self.new_result["findings"]
        )


def compare(old: Document, new: Document) -> Comparison:
    """Compare two results; two findings are the same if their fingerprints are."""
    before, after = ({each["fingerprint"]: each for each in result["findings"]} for result in (old, new))
    rules_before, rules_after = ({each["id"]: each for each in result["rules"]} for result in (old, new))
    gone = [each for name, each in before.items() if name not in after]
    come = [each for name, each in after.items() if name not in before]
    places = {(each["rule"], each["class"]): each for each in gone}
    changed = [
        (places[place], each)
        for each in come
        if each["stable"] and (place := (each["rule"], each["class"])) in places
    ]
    moved = {each["fingerprint"] for pair in changed for each in pair}
    judged = {name for name, rule in rules_after.items() if rule["verdict"] not in text.UNJUDGED}
    left = [each for each in gone if each["fingerprint"] not in moved]
    return Comparison(
        old=old,
        new_result=new,
        new=tuple(each for each in come if each["stable"] and each["fingerprint"] not in moved),
        changed=tuple(changed),
        unstable=tuple(each for each in after.values() if not each["stable"]),
        fixed=tuple(each for each in left if each["rule"] in judged),
        not_judged=tuple(each for each in left if each["rule"] not in judged),
        rules_added=tuple(name for name in rules_after if name not in rules_before),
        rules_gone=tuple(name for name in rules_before if name not in rules_after),
        verdicts=tuple(
            (name, rules_before[name]["verdict"], rule["verdict"])
            for name, rule in rules_after.items()
            if name in rules_before and rules_before[name]["verdict"] != rule["verdict"]
        ),
    )


def grouped(found: Sequence[Document]) -> list[tuple[Document, int]]:
    """Return the first finding of each cause, and how many more there are of it."""
    causes: dict[str, list[Document]] = {}
    for each in found:
        causes.setdefault(each["cause"], []).append(each)
    return [(first, len(others)) for first, *others in causes.values()]


def to_json(comparison: Comparison) -> str:
    """Return the comparison for programs: findings by kind of change, each as in its result."""
    was = {later["fingerprint"]: earlier for earlier, later in comparison.changed}
    content: dict[str, Any] = {
        "old": _run(comparison.old),
        "new_run": _run(comparison.new_result),
        "fails": {level: comparison.fails(level) for level in Level},
        **{name.replace(" ", "_"): found for name, found in comparison.sections.items()},
        "changed": [
            {**each, "was": was[each["fingerprint"]]["outcome"]} for each in comparison.sections["changed"]
        ],
        "rules_added": comparison.rules_added,
        "rules_gone": comparison.rules_gone,
        "verdicts": [{"rule": name, "old": old, "new": new} for name, old, new in comparison.verdicts],
    }
    return json.dumps(content, indent=1) + "\n"


def _run(document: Document) -> dict[str, Any]:
    return {
        **{name: document[name] for name in ("target", "started_at", "verdict", "profile", "seed")},
        "counts": text.tallies(document),
    }


def standings(comparison: Comparison) -> list[tuple[str, str]]:
    """Return, for the earlier and the later result, how many rules hold and so on, in words; see `headline`."""
    return [
        (
            name,
            " · ".join(
                [*filter(None, [text.headline(run)]), *text.levels(run["rules"], zeros=True), run["verdict"]]
            ),
        )
        for name, run in (("earlier", comparison.old), ("later", comparison.new_result))
    ]


def to_text(comparison: Comparison) -> str:
    """Return the comparison as plain text, three lines for each cause."""
    lines = [f"{name:<10} {words}" for name, words in standings(comparison)]
    for name, found in comparison.sections.items():
        for each, more in grouped(found):
            place = f"{each['rule']}  {each['class']}  {each['fingerprint'][:12]}"
            lines.append(f"{name:<10} {each['level'].upper()} {place}{_more(more)}")
            lines.append(f"{'':<10} {text.visible(each['summary'], text.HEADLINE)}")
            lines.append(f"{'':<10} {text.sequence_line(each)}: {_observed(each, comparison)}")
    lines += [text.visible(line) for line in _about_rules(comparison)]
    return "\n".join([*lines, summary(comparison)]) + "\n"


def summary(comparison: Comparison) -> str:
    """Return one line: how many causes are new, changed, unstable, fixed, not judged and as before."""
    sections = {**comparison.sections, "as before": comparison.as_before}
    return " · ".join(f"{name} {len(grouped(found))}" for name, found in sections.items())


def _more(count: int) -> str:
    return f" and {text.plural(count, 'more finding')} of the same cause" if count else ""


def _observed(finding: Document, comparison: Comparison) -> str:
    was = next((earlier for earlier, later in comparison.changed if later is finding), None)
    observed = text.visible(finding["observed"], 120)
    return observed if was is None else f"{observed}, was {text.visible(was['observed'], 120)}"


def _about_rules(comparison: Comparison) -> list[str]:
    return [
        *(f"verdict    {name}: {new}, was {old}" for name, old, new in comparison.verdicts),
        *(f"rule added {name}" for name in comparison.rules_added),
        *(f"rule gone  {name}" for name in comparison.rules_gone),
    ]


def to_markdown(comparison: Comparison) -> str:
    """Return the comparison for a pull request."""
    parts = ["### Twilio Conversations configuration: what changed"]
    parts.append("\n".join(f"- {name}: {escaped(words)}" for name, words in standings(comparison)))
    parts.append(escaped(summary(comparison)))
    rows = [
        [
            name,
            each["level"].upper(),
            monospaced(each["rule"]),
            monospaced(text.sequence_line(each, 120)),
            escaped(text.visible(each["expected"], 120)),
            escaped(f"{_observed(each, comparison)}{_more(more)}"),
        ]
        for name, found in comparison.sections.items()
        for each, more in grouped(found)
    ]
    if rows:
        parts.append(table(["", "level", "rule", "sent", "expected", "observed"], rows))
    if comparison.verdicts:
        parts.append(
            table(
                ["rule", "was", "is"],
                [[monospaced(name), old, new] for name, old, new in comparison.verdicts],
            )
        )
    for label, names in (("added", comparison.rules_added), ("gone", comparison.rules_gone)):
        if names:
            parts.append(f"Rules {label}: {', '.join(map(monospaced, names))}")
    return "\n\n".join(parts) + "\n"


def to_html(comparison: Comparison) -> str:
    """Return the comparison as a page that loads nothing."""
    return make_page(
        "compare.html.j2",
        comparison=comparison,
        grouped=grouped,
        standings=dict(standings(comparison)),
        observed=lambda finding: _observed(finding, comparison),
    )


FORMATS: Mapping[str, Callable[[Comparison], str]] = MappingProxyType(
    {"terminal": to_text, "markdown": to_markdown, "json": to_json, "html": to_html}
)
"""The formats of a comparison, by name."""

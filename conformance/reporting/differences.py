"""Puts the findings of one cause together: one difference between target and document, reported once."""

from collections import defaultdict
from dataclasses import dataclass
from math import inf

from conformance.model import Level
from conformance.reporting.text import Document, body, plural, sequence_line

_ALIKE = 16
"""Bytes of requests within which one counterexample is as small as another."""

_FURTHER = 3
"""Most further counterexamples of a difference that are shown."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One cause, seen in one finding or several."""

    kind: str
    """One of `KINDS`; it decides where the difference stands among others."""
    first: Document
    """The finding of the cause itself with the smallest counterexample among the gravest."""
    others: tuple[Document, ...]
    ever_held: bool = True
    """Whether the rule of the first finding was ever seen to hold."""

    @property
    def findings(self) -> tuple[Document, ...]:
        """All findings of the cause, the one to show first."""
        return (self.first, *self.others)

    @property
    def seen(self) -> str:
        """In how many requests of the run it showed, in words; empty where it was one."""
        counts = [each["count"] for each in self.findings]
        distinct = self.first.get("cause_requests")
        # One answer may show several findings: without the numbers of the requests only a lower bound is known.
        at_least = "" if distinct or len(counts) == 1 else "at least "
        number = min(distinct, sum(counts)) if distinct else max(counts)
        never = "" if self.ever_held else "; the rule was never seen to hold"
        return f"in {at_least}{plural(number, 'request')}{never}" if number > 1 else ""

    @property
    def also(self) -> tuple[str, ...]:
        """The other input classes that break the same rule, each once."""
        rule, name = self.first["rule"], self.first["class"]
        classes = dict.fromkeys(each["class"] for each in self.others if each["rule"] == rule)
        return tuple(each for each in classes if each != name)

    @property
    def consequences(self) -> tuple[str, ...]:
        """The ids of other rules whose findings follow from the first one, each once."""
        rule = self.first["rule"]
        return tuple(dict.fromkeys(each["rule"] for each in self.others if each["rule"] != rule))

    @property
    def further(self) -> tuple[str, ...]:
        """What was sent in up to three further counterexamples, each on one line."""
        _, *others = dict.fromkeys(map(sequence_line, self.findings))
        return tuple(others[:_FURTHER])


def differences(document: Document) -> list[Difference]:
    """
    Return the differences of a run, each with its smallest counterexample first.

    Broken MUST rules come first, then unstable ones, then SHOULD rules, then what was known before; within each kind,
    the most basic claim comes first.
    """
    causes: defaultdict[tuple[str, bool], list[tuple[bool, int, Document]]] = defaultdict(list)
    for finding in document["findings"]:
        # The known findings of a cause and the new ones are two differences.
        causes[finding["cause"], "known" in finding].append(
            (finding.get("consequence_of") is not None, KINDS.index(_kind(finding)), finding)
        )
    never = {rule["id"] for rule in document["rules"] if rule.get("evidence", True) is None}
    places = {
        (rule["id"], each["id"]): place
        for rule in document["rules"]
        for place, each in enumerate(rule["classes"])
    }

    def simplest(finding: Document) -> tuple[bool, int, bool, int, float]:
        # What was sent again is sure to show it. A request written by hand is as hard to follow as two others. What
        # nobody can type comes after the rest. Of those of one size, what the catalogue names first is the plainest.
        exchanges = finding["exchanges"]
        size = sum(len(body(each["request"]) or b"") for each in exchanges)
        place = places.get((finding["rule"], finding["class"]), inf)
        length = len(exchanges) + sum("by_hand" in each["request"] for each in exchanges)
        line = sequence_line(finding)
        return "sent_once" in finding, length, "\\" in line or not line.isascii(), size // _ALIKE, place

    grouped = []
    for members in causes.values():
        # The cause itself comes before what follows from it.
        members.sort(key=lambda member: (*member[:2], *simplest(member[2])))
        rank = min(rank for _, rank, _ in members)
        first, *others = (finding for _, _, finding in members)
        grouped.append(Difference(KINDS[rank], first, tuple(others), first["rule"] not in never))
    return sorted(grouped, key=lambda each: (KINDS.index(each.kind), each.first.get("rank", 0)))


KINDS = ("must", "unstable", "should", "known")
"""The kinds of differences, in the order in which reports show them."""


def _kind(finding: Document) -> str:
    if "known" in finding:
        return "known"
    if finding["level"] == Level.SHOULD:
        return "should"
    return "must" if finding["stable"] else "unstable"

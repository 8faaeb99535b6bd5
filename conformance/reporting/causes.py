"""
Which findings are one difference seen from several sides.

A finding brings a cause of its own along: its rule, less the setting, and the outcome. Here the causes of a whole
result are looked at together. Those of settings of one kind stay apart unless they show in the same inputs, and what
follows from another difference is told with it. Where nothing in the result says that findings belong together they
stay apart: two mistakes told as one would hide one of them.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from conformance.http import decode_form
from conformance.model import FIELDS
from conformance.reporting.text import Document, body

_SETTINGS = {name: each.slug for each in FIELDS for name in (each.parameter, each.attribute)}
_KINDS = {each.slug: each.kind for each in FIELDS}

_ATTRIBUTES = frozenset({*(each.attribute for each in FIELDS), "account_sid", "url", "links"})

_TROUBLE = frozenset({"framing", "no-server-error", "every-request-answered"})
"""After these an ordinary update is sent, which tells whether the target stays usable."""

_KEPT = frozenset({"omitted-parameters-kept", "read-after-write"})
"""A setting is not what it was: only how much was sent in between tells these rules apart."""

_SHOWN = re.compile(
    r"representation: .*|.*-(echo|verbatim): .*|.*-notation: (changed|fraction-lost)|last-write-wins: .*"
)
"""The answer to an update shows something else than what was set."""

_UNCHECKED = re.compile(r".*-(syntax|prefix): accepted")
_CHECKED_TOO = re.compile(r".*-(minimum|strictness|length|alphabet|anchoring|echo): (accepted|blank)")
"""What is looked at first in a value, and what else is wrong with values that nobody looks at."""

_REFUSED_ALONE = re.compile(r".*-(accept|boundary): refused")
"""A value that must be accepted is refused, with nothing else in the request that could be why."""

_ALL, _HALF = 0.75, 0.5
"""How much of something is as good as all of it, and most of it."""


@dataclass(frozen=True)
class _Group:
    """The findings of one cause."""

    cause: str
    findings: Sequence[Document]
    exercised: Mapping[str, frozenset[str]]
    """By rule, its input classes that were sent."""

    @cached_property
    def counts(self) -> Counter[str]:
        """By setting, how many exchanges showed it."""
        found: Counter[str] = Counter()
        for each in self.findings:
            found[_setting(each)] += each["count"]
        return found

    @cached_property
    def classes(self) -> frozenset[str]:
        """The input classes that show it."""
        return frozenset(each["class"] for each in self.findings)

    @cached_property
    def rules(self) -> frozenset[str]:
        """The rules that it breaks."""
        return frozenset(each["rule"] for each in self.findings)

    @cached_property
    def own(self) -> frozenset[str]:
        """The input classes of these rules that were sent."""
        return frozenset().union(*(self.exercised[rule] for rule in self.rules))

    @property
    def outcome(self) -> str:
        """The kind of deviation."""
        return self.cause.partition(": ")[2]

    @property
    def is_everywhere(self) -> bool:
        """Whether nearly all input classes of its rules show it."""
        return len(self.classes & self.own) >= _ALL * len(self.own)

    @cached_property
    def says_nothing(self) -> bool:
        """Whether the answers that show it have not one attribute of the resource."""
        return all(map(_says_nothing, self.findings))

    @cached_property
    def sent(self) -> Sequence[frozenset[tuple[str, str]]]:
        """By finding, the parameters of the request that shows it."""
        return [
            frozenset(decode_form(body(each["exchanges"][-1]["request"]) or b"")) for each in self.findings
        ]


def causes(document: Document) -> list[str]:
    """The cause of each finding of a result document, in the order of its findings."""
    exercised = {
        rule["id"]: frozenset(
            each["id"]
            for each in rule["classes"]
            if each["examples"] and not each["id"].startswith("answer/")
        )
        for rule in document["rules"]
    }
    members: defaultdict[str, list[Document]] = defaultdict(list)
    for finding in document["findings"]:
        members[_own_cause(finding)].append(finding)
    groups = [_Group(cause, found, exercised) for cause, found in members.items()]
    groups.sort(key=lambda group: -group.counts.total())
    roots: dict[str, str] = {}
    for place, group in enumerate(groups):
        # What shows more often is told as what it is, and what shows less is told with it.
        before = [root for root in groups[:place] if _is_alike(root, group)]
        for root in [*(root for root in groups if _follows(root, group)), *before]:
            if group.cause not in roots and _root(root.cause, roots) != group.cause:
                roots[group.cause] = root.cause
    return [_root(_own_cause(finding), roots) for finding in document["findings"]]


def _root(cause: str, roots: Mapping[str, str]) -> str:
    while cause in roots:
        cause = roots[cause]
    return cause


def _setting(finding: Document) -> str:
    """The slug of the setting that a finding is about; empty when it is about none."""
    slug = next((each for each in _KINDS if finding["rule"].startswith(f"{each}-")), "")
    return slug or _SETTINGS.get(finding["field"] or "", "")


def _own_cause(finding: Document) -> str:
    """The cause that a finding brings along, and where settings of a kind share it, of which one."""
    cause: str = finding["cause"]
    setting = _setting(finding)
    kind = _KINDS.get(setting, "")
    return f"{setting}{cause.removeprefix(kind)}" if kind and cause.startswith(f"{kind}-") else cause


def _is_alike(one: _Group, other: _Group) -> bool:
    """Whether settings are wrong in the same way: the same rule in the same inputs, or by values of the same shape."""
    if one.cause.startswith("representation: ") and other.cause.startswith("representation: "):
        return not _shapes(one).isdisjoint(_shapes(other))
    if len(one.counts) > 1 or len(other.counts) > 1:
        return False
    (here,), (there,) = one.counts, other.counts
    if _KINDS.get(here, "") != _KINDS.get(there, "-") or one.cause.removeprefix(
        here
    ) != other.cause.removeprefix(there):
        return False
    common = one.own & other.own
    broken, also = one.classes & common, other.classes & common
    if (
        not broken | also
    ):  # no input of the rule's own shows it for either: then all there is to go by is the outcome
        return one.own.isdisjoint(one.classes) and other.own.isdisjoint(other.classes)
    return len(broken & also) >= _HALF * len(broken | also)


def _says_nothing(finding: Document) -> bool:
    response = finding["exchanges"][-1].get("response")
    try:
        content = json.loads((response and body(response)) or b"")
    except (ValueError, RecursionError):
        return False
    return isinstance(content, dict) and _ATTRIBUTES.isdisjoint(content)


def _shapes(group: _Group) -> frozenset[str]:
    """What the values look like that came back, whatever their digits and letters are."""
    return frozenset(_shape(each["observed"].partition(": ")[2]) for each in group.findings)


def _shape(value: str) -> str:
    """What a value looks like, whatever its digits are; of a SID, which kinds of hexadecimal digits it has."""
    if re.fullmatch("[A-Z]{2}[0-9a-fA-F]{32}", value):
        return value[:2] + "".join(
            kind for kind in ("0-9", "a-f", "A-F") if re.search(f"[{kind}]", value[2:])
        )
    return re.sub("[0-9]+", "0", value)


_COMPONENT = re.compile("([0-9]+)([.,]?)[0-9]*([A-Z])")


def _features(value: str) -> Iterator[str]:
    """What there is about a duration that a parser may not know."""
    date, _, time = value.partition("T")
    for part, text in (("", date.removeprefix("P")), ("T", time)):
        for number, fraction, unit in _COMPONENT.findall(text):
            yield f"{part}{unit}"
            yield (
                "zero"
                if not number.strip("0")
                else "leading zero"
                if number[0] == "0"
                else f"{len(number)} digits"
            )
            if fraction:
                yield "fraction"
    if len(_COMPONENT.findall(value)) > 1:
        yield "several components"


def _is_refused_alone(root: _Group, group: _Group) -> bool:
    """Whether each request of a group holds a value that is refused by itself, or has what all those have."""
    alone = {pair for sent in root.sent if len(sent) == 1 for pair in sent}
    shapes = {(name, _shape(value)) for name, value in alone}
    features: defaultdict[str, list[set[str]]] = defaultdict(list)
    for name, value in alone:
        features[name].append(set(_features(value)))
    common = {name: set.intersection(*found) for name, found in features.items() if len(found) > 1}

    def explains(name: str, value: str) -> bool:
        shared = common.get(name, set())
        return (name, _shape(value)) in shapes or (bool(shared) and shared <= set(_features(value)))

    return all(any(explains(name, value) for name, value in sent) for sent in group.sent)


def _follows(root: _Group, group: _Group) -> bool:
    """Whether whatever has the one must have the other, or can hardly be told to have it."""
    if root is group:
        return False
    if group.rules == {"stays-usable"}:
        return not root.rules.isdisjoint(_TROUBLE)
    if group.cause == "credentials-required: written":
        return root.cause == "credentials-required: accepted"
    if group.outcome == "refused" and _REFUSED_ALONE.fullmatch(root.cause):
        return group.counts.total() <= root.counts.total() and _is_refused_alone(root, group)
    if root.outcome == "accepted" and root.says_nothing:
        return group.says_nothing
    shared = [setting for setting in group.counts if setting and setting in root.counts]
    if not shared:
        return False
    if group.rules <= _KEPT and root.rules <= _KEPT:
        return group.counts.total() <= root.counts.total()
    if len(shared) < len(group.counts):
        return False
    if _SHOWN.fullmatch(root.cause) and _SHOWN.fullmatch(group.cause):
        return all(group.counts[each] <= _HALF * root.counts[each] for each in shared)
    if group.outcome == "blank" and root.outcome == "accepted" and group.classes <= root.classes:
        return True
    if _UNCHECKED.fullmatch(root.cause) and root.is_everywhere and _CHECKED_TOO.fullmatch(group.cause):
        return group.outcome == "blank" or group.is_everywhere
    return False

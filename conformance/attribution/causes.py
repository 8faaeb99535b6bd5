"""
Which findings have one cause, and which of them follow from another.

A finding brings a cause of its own along: its rule's family, the setting, and the outcome. Here all findings of a run
are looked at together, in two steps.

1. Settings that are wrong in the same way share a cause: the same family and outcome, in the same input classes.
2. A cause that a more basic one explains follows from it. `_EXPLANATIONS` lists how: each entry takes two causes, of
   which the first makes the more basic claim (`conformance.model.Aspect`), and says whether it explains the second.

Where nothing in the run says that findings belong together they stay apart: two mistakes told as one hide one of them.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from conformance.attribution.shapes import features, shape
from conformance.http import Pairs
from conformance.model import FIELDS, Aspect, Field, Finding, Level, Outcome, Rule
from conformance.oracle.decisions import is_zero
from conformance.rules import BY_ID

_BY_NAME = {name: each for each in FIELDS for name in (each.parameter, each.attribute)}
_ATTRIBUTES = frozenset({*(each.attribute for each in FIELDS), "account_sid", "url", "links"})

MALFORMED = "malformed"
"""The outcome of an echo that is no value of the setting at all."""

_NO_VALUE = frozenset({"pattern", "unparsable", "below-minimum"})
"""The outcomes of a setting that comes back as a value it can never have."""

_ALL, _HALF = 0.75, 0.5
"""The share of something that counts as all of it, and as most of it."""


@dataclass(frozen=True, slots=True)
class Attribution:
    """What a finding is put down to."""

    cause: str
    """Findings with the same cause are one difference."""
    consequence_of: str | None = None
    """The id of the rule whose finding explains it; None where it is of the cause itself."""
    rank: int = 0
    """The place of the cause among those of the run, the most basic claim first."""


def cause_of(rule: str, outcome: str, field: str | None) -> str:
    """The cause that a violation brings along: its rule's family, which leaves the setting out, and the outcome."""
    row = BY_ID[rule]
    if (
        row.aspect is Aspect.CONSISTENCY and "/" in outcome
    ):  # a read that is wrong as an update's answer can be
        shown, _, outcome = outcome.partition("/")
        return cause_of(shown, outcome, field)
    malformed = outcome == MALFORMED or (row.aspect is Aspect.REPRESENTATION and outcome in _NO_VALUE)
    return f"representation: {field}" if malformed else f"{row.family}: {outcome}"


def _setting(finding: Finding) -> Field | None:
    return BY_ID[finding.rule].field or _BY_NAME.get(finding.field or "")


@dataclass(frozen=True, eq=False)
class _Cause:
    """The findings that bring one cause along, of one setting where the rule is about one."""

    findings: Sequence[Finding]
    outcomes: Mapping[str, Outcome]
    """By rule, what the run says of it."""
    all: "Sequence[_Cause]"
    """The causes of the run, this one included."""

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """The rules that it breaks, each once, in the order of the catalogue's aspects."""
        rows = {finding.rule: BY_ID[finding.rule] for finding in self.findings}
        return tuple(sorted(rows.values(), key=lambda rule: rule.aspect))

    @property
    def aspect(self) -> Aspect:
        """The most basic claim that it breaks; a value that comes back wrong is a matter of echo by any rule."""
        return Aspect.ECHO if self.is_about_shown else self.rules[0].aspect

    @property
    def is_about_shown(self) -> bool:
        """Whether the answer to an update shows something else than what was set."""
        if self.name.startswith("representation: ") or self.outcome == "case-changed":
            return True
        rule = self.rules[0]
        notation = rule.aspect is Aspect.ACCEPTANCE and self.outcome in ("changed", "fraction-lost")
        return notation or rule.aspect is Aspect.ECHO

    @property
    def is_must(self) -> bool:
        """Whether any of the rules is one that must hold."""
        return any(rule.level is Level.MUST for rule in self.rules)

    @cached_property
    def name(self) -> str:
        """What the findings are grouped by."""
        return self.findings[0].cause

    @property
    def is_stable(self) -> bool:
        """Whether any finding of it shows every time."""
        return any(finding.stable for finding in self.findings)

    @property
    def outcome(self) -> str:
        """The kind of deviation."""
        return self.name.partition(": ")[2]

    @cached_property
    def counts(self) -> Counter[Field | None]:
        """By setting, how many exchanges showed it."""
        found: Counter[Field | None] = Counter()
        for each in self.findings:
            found[_setting(each)] += each.count
        return found

    @cached_property
    def settings(self) -> frozenset[Field]:
        """The settings that it is about."""
        return frozenset(each for each in self.counts if each is not None)

    @cached_property
    def classes(self) -> frozenset[str]:
        """The input classes that show it."""
        return frozenset(each.cls for each in self.findings)

    @cached_property
    def own(self) -> frozenset[str]:
        """The input classes of its rules that were sent."""
        return frozenset(
            each.id
            for rule in self.rules
            for each in self.outcomes[rule.id].classes
            if each.examples and not each.id.startswith("answer/")
        )

    @property
    def is_everywhere(self) -> bool:
        """Whether the rule was never seen to hold, or nearly all input classes of its rules show it."""
        never = all(self.outcomes[rule.id].evidence is None for rule in self.rules)
        return never or len(self.classes & self.own) >= _ALL * len(self.own)

    @cached_property
    def says_nothing(self) -> bool:
        """Whether the answers that show it have not one attribute of the resource."""
        return all(map(_says_nothing, self.findings))

    @cached_property
    def sent(self) -> Sequence[frozenset[tuple[str, str]]]:
        """By finding, the parameters of the request that shows it."""
        return [frozenset(_form(each)) for each in self.findings]

    @cached_property
    def shapes(self) -> frozenset[str]:
        """The shapes of the values that came back, whatever their digits and letters are."""
        return frozenset(shape(each.observed.partition(": ")[2]) for each in self.findings)


def attribute(outcomes: Sequence[Outcome]) -> list[Attribution]:
    """
    What each finding of a run is put down to.

    Args:
        outcomes: the verdicts of the run, with their findings.

    Returns:
        As many as there are findings, in their order.
    """
    findings = [finding for outcome in outcomes for finding in outcome.findings]
    by_rule = {outcome.rule.id: outcome for outcome in outcomes}
    members: defaultdict[tuple[str, Field | None], list[Finding]] = defaultdict(list)
    for finding in findings:
        members[_key(finding)].append(finding)
    everything: list[_Cause] = []
    causes = {key: _Cause(found, by_rule, everything) for key, found in members.items()}
    everything += causes.values()
    # The most basic claim first; of one aspect, the one that shows most often.
    ordered = sorted(causes.values(), key=lambda each: (each.aspect, not each.is_must, -each.counts.total()))
    parents: dict[_Cause, tuple[_Cause, bool]] = {}
    for place, cause in enumerate(ordered):
        for root in ordered:
            if root is cause or _root(root, parents) is _root(cause, parents):
                continue
            alike = ordered.index(root) < place and _is_alike(root, cause)
            if alike or _explains(root, cause):
                parents[cause] = (root, not alike)
                break
    return [
        replace(_attribution(finding, causes[_key(finding)], parents), rank=ordered.index(root))
        for finding in findings
        for root in [_root(causes[_key(finding)], parents)]
    ]


def _key(finding: Finding) -> tuple[str, Field | None]:
    """The own cause of a finding, and of rules about one setting, which."""
    return finding.cause, BY_ID[finding.rule].field if not finding.cause.startswith(
        "representation: "
    ) else None


def _root(cause: _Cause, parents: Mapping[_Cause, tuple[_Cause, bool]]) -> _Cause:
    while cause in parents:
        cause, _ = parents[cause]
    return cause


def _attribution(
    finding: Finding, cause: _Cause, parents: Mapping[_Cause, tuple[_Cause, bool]]
) -> Attribution:
    root, follows = cause, False
    while root in parents:
        root, explained = parents[root]
        follows = follows or explained
    # Of several rules that one cause breaks, the most basic names it.
    follows = follows or BY_ID[finding.rule].family != root.rules[0].family
    setting = root.rules[0].field
    kind = f"{setting.kind}-" if setting else ""
    name = (
        f"{setting.slug}-{root.name.removeprefix(kind)}"
        if setting and root.name.startswith(kind)
        else root.name
    )
    return Attribution(name, root.rules[0].id if follows else None)


def _is_alike(one: _Cause, other: _Cause) -> bool:
    """Whether settings are wrong in one way: the same family in the same inputs, or values of the same shape."""
    malformed = [cause.name.startswith("representation: ") for cause in (one, other)]
    if any(malformed):
        return all(malformed) and not one.shapes.isdisjoint(other.shapes)
    if _is_everywhere_alike(one, other):
        return True
    if one.rules == other.rules and (one.aspect is Aspect.STATE or one.rules[0].control is not None):
        return True  # what comes of it differs from one setting, or value, to the next
    if one.name != other.name or len(one.counts) > 1 or len(other.counts) > 1:
        return False
    common = one.own & other.own
    broken, also = one.classes & common, other.classes & common
    if not broken | also:
        # No input of the rule's own shows it for either: then the outcome is all that there is to go by.
        return one.own.isdisjoint(one.classes) and other.own.isdisjoint(other.classes)
    return len(broken & also) >= _HALF * len(broken | also)


def _is_everywhere_alike(one: _Cause, other: _Cause) -> bool:
    """A target that shows no setting as it was sent makes one mistake, not one for each kind of setting."""
    both = (one, other)
    return one.outcome == other.outcome and all(
        each.aspect is Aspect.ECHO and each.rules[0].field is not None and each.is_everywhere for each in both
    )


def _explains(root: _Cause, cause: _Cause) -> bool:
    """Whether a cause with the more basic claim explains another; one that only should hold never a MUST."""
    if cause.is_must and not root.is_must:
        return False
    basic = root.aspect <= cause.aspect and any(explains(root, cause) for explains in _EXPLANATIONS)
    return basic or any(explains(root, cause) for explains in _WHATEVER_IS_MORE_BASIC)


def _fails_and_stays_so(root: _Cause, cause: _Cause) -> bool:
    """After a failure an ordinary update is sent, which may fail as well."""
    return root.aspect is Aspect.WIRE and root.outcome != "unusable" == cause.outcome


def _lets_anybody_in(root: _Cause, cause: _Cause) -> bool:
    """Who asks for no credentials also writes, and reads, without."""
    return (
        root.aspect is cause.aspect is Aspect.CREDENTIALS
        and root.outcome == "accepted"
        and cause.outcome in ("accepted", "written", "cleared")
        and (root.is_must, cause.outcome) != (cause.is_must, root.outcome)
    )


def _refuses_a_value(root: _Cause, cause: _Cause) -> bool:
    """A form is refused for a value in it that is refused by itself."""
    alone = root.outcome == "refused" and root.aspect is Aspect.ACCEPTANCE and root.rules[0].field is not None
    return alone and cause.outcome == "refused" and _is_rarer(cause, root) and _is_refused_alone(root, cause)


def _answers_nothing(root: _Cause, cause: _Cause) -> bool:
    """Whatever is sent is answered by nothing of the resource."""
    return root.outcome == "accepted" and root.says_nothing and cause.says_nothing


def _is_not_kept(root: _Cause, cause: _Cause) -> bool:
    """A setting is no longer the same: only how much was sent in between tells these rules apart."""
    kept = [each.aspect is Aspect.STATE and each.rules[0].culprit is None for each in (root, cause)]
    return all(kept) and not root.settings.isdisjoint(cause.settings) and _is_rarer(cause, root)


def _is_rarer(cause: _Cause, root: _Cause) -> bool:
    return cause.counts.total() <= root.counts.total()


def _is_within(cause: _Cause, root: _Cause) -> bool:
    """Whether a cause is about settings, and about none but those of another."""
    return bool(cause.settings) and cause.settings <= root.settings


def _is_shown_wrong(root: _Cause, cause: _Cause) -> bool:
    """The answer to an update shows something else than what was set, in one way or another."""
    return (
        root.is_about_shown
        and cause.is_about_shown
        and _is_within(cause, root)
        and all(cause.counts[each] <= _HALF * root.counts[each] for each in cause.settings)
    )


def _is_never_shown(root: _Cause, cause: _Cause) -> bool:
    """What an update sets is never shown: nothing can be said of what later answers show of it."""
    return (
        _is_unshown(root)
        and cause.aspect in (Aspect.STATE, Aspect.CONSISTENCY)
        and _is_within(cause, root)
        and _is_rarer(cause, root)
    )


def _takes_blanks(root: _Cause, cause: _Cause) -> bool:
    """A value is taken with its blanks, and comes back with them."""
    return root.outcome == "accepted" and cause.outcome == "blank" and cause.classes <= root.classes


def _shows_its_blanks(root: _Cause, cause: _Cause) -> bool:
    """A value that only should be refused is taken, and comes back with its blanks, which it must not."""
    blank = root.outcome == "blank" and root.aspect is Aspect.ECHO
    return blank and cause.outcome == "accepted" and not cause.is_must and root.classes <= cause.classes


def _checks_nothing(root: _Cause, cause: _Cause) -> bool:
    """A target that does not look at the syntax of a value looks at nothing else in it either."""
    if not _is_unchecked(root) or not _is_within(cause, root):
        return False
    shown = cause.is_about_shown and (
        cause.outcome in ("blank", MALFORMED) or cause.name.startswith("representation: ")
    )
    unchecked = cause.rules[0].field is not None and cause.outcome == "accepted" and cause.is_everywhere
    return shown or unchecked


def _does_so_when_sent_plainly(root: _Cause, cause: _Cause) -> bool:
    """A rule about a peculiar way of sending says nothing where the plain way does no better."""
    return (
        _is_unshown(root)
        and cause.rules[0].control is not None
        and cause.outcome not in ("refused", "accepted")
        and not cause.settings.isdisjoint(root.settings)
        and cause.settings <= _settings_of(filter(_is_unshown, cause.all))
    )


def _is_unshown(cause: _Cause) -> bool:
    return cause.aspect is Aspect.ECHO and cause.is_everywhere


def _settings_of(causes: Iterable[_Cause]) -> frozenset[Field]:
    return frozenset().union(*(each.settings for each in causes))


def _is_understood(root: _Cause, cause: _Cause) -> bool:
    """Settings are kept as a rule, and are changed by one kind of request: other changes are put down to it, too."""
    return (
        root.aspect is cause.aspect is Aspect.STATE
        and root.rules[0].culprit is not None
        and cause.rules[0].culprit is None
        and root.is_stable
        and {each.outcome for each in cause.findings} <= {each.outcome for each in root.findings}
        and all(cause.outcomes[rule.id].evidence is not None for rule in cause.rules)
    )


def _changes_what_is_read(root: _Cause, cause: _Cause) -> bool:
    """A request that must change nothing does: what is read later shows it."""
    return (
        root.aspect is Aspect.STATE
        and root.rules[0].culprit is not None
        and cause.aspect is Aspect.CONSISTENCY
        and _is_within(cause, root)
    )


def _keeps_anything(root: _Cause, cause: _Cause) -> bool:
    """A target that does not look at the syntax of a value does not look at it in other forms either."""
    return (
        _is_unchecked(root)
        and cause.outcome in ("invalid-value", "written")
        and not cause.settings.isdisjoint(root.settings)
        and cause.settings <= _settings_of(filter(_is_unchecked, cause.all))
    )


def _is_unchecked(cause: _Cause) -> bool:
    return cause.aspect is Aspect.SYNTAX and cause.outcome == "accepted" and cause.is_everywhere


def _is_as_short(root: _Cause, cause: _Cause) -> bool:
    """A timer without a minimum takes zero as well."""
    values = {value for sent in cause.sent for _, value in sent}
    return (
        root.aspect is Aspect.MINIMUM
        and root.outcome == cause.outcome == "accepted"
        and _is_within(cause, root)
        and bool(values)
        and all(map(is_zero, values))
    )


def _comes_and_goes(root: _Cause, cause: _Cause) -> bool:
    """What does not show every time is put down to what shows every time of the same setting, or connection."""
    if cause.is_stable or not root.is_stable:
        return False
    if root.rules[0].culprit is not None and root.aspect is Aspect.WIRE:
        return cause.outcome == "refused"
    both = all(each.aspect >= Aspect.ECHO for each in (root, cause))
    return both and not cause.settings.isdisjoint(root.settings)


_EXPLANATIONS = (
    _fails_and_stays_so,
    _lets_anybody_in,
    _checks_nothing,
    _is_as_short,
    _takes_blanks,
    _answers_nothing,
    _is_never_shown,
    _is_shown_wrong,
    _is_not_kept,
    _is_understood,
    _changes_what_is_read,
)
_WHATEVER_IS_MORE_BASIC = (
    _comes_and_goes,
    _keeps_anything,
    _refuses_a_value,
    _shows_its_blanks,
    _does_so_when_sent_plainly,
)
"""Explanations that hold though the rule explained makes the more basic claim: about how the value was sent."""


def _form(finding: Finding) -> Pairs:
    return (finding.exchanges[-1].request.form() or ()) if finding.exchanges else ()


def _says_nothing(finding: Finding) -> bool:
    response = finding.exchanges[-1].response if finding.exchanges else None
    try:
        content = json.loads(response.body if response is not None else b"")
    except (ValueError, RecursionError):
        return False
    return isinstance(content, dict) and _ATTRIBUTES.isdisjoint(content)


def _is_refused_alone(root: _Cause, cause: _Cause) -> bool:
    """Whether each request of a cause holds a value that is refused by itself, or shares what all those have."""
    alone = {pair for sent in root.sent if len(sent) == 1 for pair in sent}
    shapes = {(name, shape(value)) for name, value in alone}
    seen: defaultdict[str, list[set[str]]] = defaultdict(list)
    for name, value in alone:
        seen[name].append(set(features(value)))
    common = {name: set.intersection(*found) for name, found in seen.items() if len(found) > 1}

    def explains(name: str, value: str) -> bool:
        shared = common.get(name, set())
        return (name, shape(value)) in shapes or (bool(shared) and shared <= set(features(value)))

    return all(any(explains(name, value) for name, value in sent) for sent in cause.sent)

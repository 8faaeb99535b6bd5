"""A cause: the findings of a run that share it, and what they have in common."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple

from conformance.attribution.shapes import shape
from conformance.exceptions import NotJSON
from conformance.http import Exchange, Pairs, json_of
from conformance.model import FIELDS, Aspect, Field, Finding, Level, Outcome, Rule, Violation, shown_of
from conformance.oracle.decisions import length_of
from conformance.rules import BY_ID
from conformance.rules.probes import ANSWERS

_BY_NAME = {name: each for each in FIELDS for name in (each.parameter, each.attribute)}
_ATTRIBUTES = frozenset({*(each.attribute for each in FIELDS), "account_sid", "url", "links"})

_MALFORMED = "malformed"
"""The outcome of an echo that is no value of the setting at all."""

_NO_VALUE = frozenset({"pattern", "unparsable", "below-minimum"})
"""The outcomes of a setting that comes back as a value it can never have."""

ALL, HALF = 0.75, 0.5
"""The share of something that counts as all of it, and as most of it."""


class CauseKey(NamedTuple):
    """The cause that a finding has by itself. Findings with equal ones always have one cause."""

    family: str
    """The rule, with the kind of setting in place of the setting; empty where a setting comes back as no value."""
    outcome: str
    field: str | None = None
    """The setting that comes back as no value of its kind, whatever rule says so; otherwise None."""

    @property
    def is_malformed(self) -> bool:
        """Whether a setting comes back as something that is no value of its kind."""
        return not self.family

    def __str__(self) -> str:
        return f"representation: {self.field}" if self.is_malformed else f"{self.family}: {self.outcome}"


def cause_of(found: Violation | Finding) -> CauseKey:
    """Return the cause that a violation or a finding has by itself."""
    rule, outcome = BY_ID[found.rule], found.outcome
    if rule.aspect is Aspect.CONSISTENCY and "/" in outcome:
        # A read can be wrong in the same way as the answer to an update.
        shown, _, outcome = outcome.partition("/")
        rule = BY_ID[shown]
    if (rule.aspect is Aspect.ECHO and outcome == _MALFORMED) or (
        rule.aspect is Aspect.REPRESENTATION and outcome in _NO_VALUE
    ):
        return CauseKey("", _MALFORMED, found.field)
    return CauseKey(rule.family, outcome)


@dataclass(frozen=True, eq=False)
class Cause:
    """Findings that have the same cause by themselves: of one setting, where the rule is about one."""

    key: CauseKey
    findings: Sequence[Finding]
    outcomes: Mapping[str, Outcome]
    """By rule, what the run says of it."""
    all: "Sequence[Cause]"
    """The causes of the run, this one included."""

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """The rules that it breaks, each once, in the order of the catalogue's aspects."""
        rows = {finding.rule: BY_ID[finding.rule] for finding in self.findings}
        return tuple(sorted(rows.values(), key=lambda rule: rule.aspect))

    @cached_property
    def aspect(self) -> Aspect:
        """The most basic claim that the cause breaks. It is echo, by whatever rule, where a value comes back wrong."""
        return Aspect.ECHO if self.is_about_shown else self.rules[0].aspect

    @cached_property
    def is_about_shown(self) -> bool:
        """Whether the answer to an update shows something else than what was set."""
        if self.key.is_malformed or self.key.outcome == "case-changed":
            return True
        rule = self.rules[0]
        notation = rule.aspect is Aspect.ACCEPTANCE and self.outcome in ("changed", "fraction-lost")
        return notation or rule.aspect is Aspect.ECHO

    @cached_property
    def is_must(self) -> bool:
        """Whether any of the rules is one that must hold."""
        return any(rule.level is Level.MUST for rule in self.rules)

    @cached_property
    def is_stable(self) -> bool:
        """Whether any of its findings shows every time."""
        return any(finding.stable for finding in self.findings)

    @property
    def outcome(self) -> str:
        """The kind of deviation."""
        return self.key.outcome

    @cached_property
    def counts(self) -> Counter[Field | None]:
        """By setting, how many exchanges showed it."""
        found: Counter[Field | None] = Counter()
        for each in self.findings:
            found[_setting(each)] += each.count
        return found

    @cached_property
    def numbers(self) -> frozenset[int]:
        """The numbers of the requests that showed it; empty where they were not kept."""
        return frozenset().union(*(each.numbers for each in self.findings))

    @cached_property
    def settings(self) -> frozenset[Field]:
        """The settings that it is about."""
        return frozenset(each for each in self.counts if each is not None)

    def is_within(self, other: "Cause") -> bool:
        """Whether it is about settings, and about none but those of another cause."""
        return bool(self.settings) and self.settings <= other.settings

    def is_rarer_than(self, other: "Cause") -> bool:
        """Whether no more exchanges showed it than another cause."""
        return self.counts.total() <= other.counts.total()

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
            if each.examples and each.id not in ANSWERS
        )

    @cached_property
    def is_everywhere(self) -> bool:
        """Whether the rule was never seen to hold, or nearly all input classes of its rules show it."""
        return self.is_never_right or len(self.classes & self.own) >= ALL * len(self.own)

    @cached_property
    def is_never_right(self) -> bool:
        """Whether none of its rules was ever seen to hold."""
        return all(self.outcomes[rule.id].evidence is None for rule in self.rules)

    @cached_property
    def says_nothing(self) -> bool:
        """Whether the 2xx answers that show it have not one attribute of the resource."""
        return all(map(_says_nothing, (each for finding in self.findings for each in finding.exchanges[-1:])))

    @cached_property
    def rests_on_nothing(self) -> bool:
        """Whether some 2xx answer has not one attribute of the resource, wherever it shows."""
        return all(any(map(_says_nothing, finding.exchanges)) for finding in self.findings)

    @cached_property
    def shows_what_was_sent(self) -> bool:
        """Whether every value that comes back wrong is the one that was sent: it should have been refused."""
        return all(map(_is_as_sent, self.findings))

    @cached_property
    def shows_a_step_late(self) -> bool:
        """Whether every value that a setting was found to be was sent before, and not shown by the answer to that."""
        return all(any(shown is not None for _, shown in _unshown(each)) for each in self.findings)

    @cached_property
    def shows_what_was_refused(self) -> bool:
        """Whether every value that comes back wrong is one that a refused request of its exchanges has sent."""
        return all(any(each.refused for each, _ in _unshown(finding)) for finding in self.findings)

    @cached_property
    def sent(self) -> Sequence[frozenset[tuple[str, str]]]:
        """By finding, the parameters of the request that shows it."""
        return [frozenset(_form(each)) for each in self.findings]

    @cached_property
    def values(self) -> frozenset[str]:
        """The values that its requests send for the settings that it is about; for any where it is about none."""
        names = {each.parameter for each in self.settings}
        return frozenset(value for sent in self.sent for name, value in sent if not names or name in names)

    @cached_property
    def lengths(self) -> frozenset[Decimal | None]:
        """The lengths in seconds of the values that show it, by the shorter reading; None for a value without one."""
        lengths = map(length_of, self.values)
        return frozenset(None if each is None else each.low for each in lengths)

    @cached_property
    def statuses(self) -> frozenset[int | None]:
        """The statuses of the answers that show it."""
        return frozenset(each.exchanges[-1].status if each.exchanges else None for each in self.findings)

    @cached_property
    def shapes(self) -> frozenset[str]:
        """The shapes of the values that came back, whatever their digits and letters are."""
        return frozenset(shape(each.observed.partition(": ")[2]) for each in self.findings)


def settings_of(causes: Iterable[Cause]) -> frozenset[Field]:
    """The settings that any of the causes is about."""
    return frozenset().union(*(each.settings for each in causes))


def _setting(finding: Finding) -> Field | None:
    return BY_ID[finding.rule].field or _BY_NAME.get(finding.field or "")


def _form(finding: Finding) -> Pairs:
    return (finding.exchanges[-1].request.form() or ()) if finding.exchanges else ()


def _is_as_sent(finding: Finding) -> bool:
    about = _setting(finding)
    if about is None or not finding.exchanges:
        return False
    shown = shown_of(finding.exchanges[-1], about)
    return shown is not None and shown == dict(_form(finding)).get(about.parameter)


def _unshown(finding: Finding) -> list[tuple[Exchange, str | None]]:
    """
    The earlier exchanges that sent the value which a setting was found to be, and do not show it.

    Each comes with the value that its answer shows; None without one.
    """
    about = _setting(finding)
    if about is None or not finding.exchanges:
        return []
    *before, last = finding.exchanges
    value = shown_of(last, about)
    answers = (
        (each, shown_of(each, about))
        for each in before
        if (about.parameter, value) in (each.request.form() or ())
    )
    return [(each, shown) for each, shown in answers if shown != value]


def _says_nothing(exchange: Exchange) -> bool:
    try:
        content = json_of(exchange.response) if exchange.response is not None and exchange.accepted else None
    except NotJSON:
        return False
    return isinstance(content, dict) and _ATTRIBUTES.isdisjoint(content)

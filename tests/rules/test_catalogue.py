"""The catalogue as a whole: ids, sources and classes, and whether the classes send what their rules judge."""

import ast
import re
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

import conformance
from conformance.http import Request
from conformance.model import BY_PARAMETER, FIELDS, TIMERS, Level, Rule, Situation
from conformance.oracle.decisions import Answer, decide_value
from conformance.rules import BY_ID, CATALOGUE, sequences

SITUATIONS = (Situation(accounts=2), Situation(accounts=1, sids={"DefaultChatServiceSid": frozenset()}))


def test_ids_are_kebab_case_and_unique() -> None:
    assert all(re.fullmatch("[a-z]+(-[a-z]+)*", rule.id) for rule in CATALOGUE)
    assert len(BY_ID) == len(CATALOGUE)


@pytest.mark.parametrize("rule", CATALOGUE, ids=lambda rule: rule.id)
def test_every_rule_is_complete(rule: Rule) -> None:
    assert rule.statement.endswith(".")
    assert rule.source
    assert rule.classes
    assert len({cls.id for cls in rule.classes}) == len(rule.classes)
    for cls in rule.classes:
        assert re.fullmatch("[a-z]+/[a-z0-9-]+", cls.id)
        assert cls.reason


@pytest.mark.parametrize("situation", SITUATIONS, ids=["two-accounts", "one-account-no-sids"])
def test_every_class_gives_probes_or_nothing_for_a_reason(situation: Situation) -> None:
    for rule in CATALOGUE:
        for cls in rule.classes:
            for probe in cls.examples(situation):
                assert probe.steps
                assert all(step.account < situation.accounts for step in probe.steps), (rule.id, cls.id)


def test_settings_of_one_kind_have_rules_and_classes_of_one_kind() -> None:
    for one, other in (("inactive-timer", "closed-timer"), ("chat-service-sid", "messaging-service-sid")):
        mine, theirs = (
            {
                rule.id.removeprefix(slug): (rule.level, [cls.id for cls in rule.classes])
                for rule in CATALOGUE
                if rule.id.startswith(slug)
            }
            for slug in (one, other)
        )
        assert mine == theirs


@pytest.mark.parametrize("timer", TIMERS, ids=lambda timer: timer.slug)
def test_what_the_classes_of_a_timer_send_is_decided_as_their_rule_says(timer: object) -> None:
    """Acceptance rules send nothing that may be refused, refusal rules nothing that must be accepted."""
    accepting, levels = {"boundary", "accept", "echo"}, Counter[Level]()
    for rule in CATALOGUE:
        kind = rule.id.removeprefix(timer.slug + "-")  # type: ignore[attr-defined]  # a Field
        if kind == rule.id:
            continue
        for cls in rule.classes:
            for probe in cls.examples(SITUATIONS[0]):
                ((_, value),) = probe.steps[-1].form() or ()
                decision = decide_value(timer, value)  # type: ignore[arg-type]  # a Field
                levels[decision.level] += 1
                if kind in accepting:
                    assert (decision.answer, decision.level) == (Answer.ACCEPT, Level.MUST), (
                        rule.id,
                        cls.id,
                        value,
                    )
                elif kind in ("syntax", "minimum", "strictness"):
                    assert decision.answer is not Answer.ACCEPT or decision.level is Level.SHOULD, (
                        rule.id,
                        cls.id,
                        value,
                    )
    assert levels[Level.MUST] > 100
    assert levels[Level.SHOULD] > 20


@pytest.mark.parametrize(
    "value",
    [
        "PT60S",
        "P1D",
        "PT9M60S",
        "PT1H1S",
        "PT0H10M",
        "PT59S",
        "PT59.999999999S",
        "P",
        "PT",
        "P1DT",
        "PT10M10M",
        "-PT10M",
        "P1W",
        "P1Y",
        "PT10,5M",
        "+PT10M",
        "P1W1D",
        "PT0M",
        "P0D",
    ],
)
def test_each_value_decided_by_name_is_sent_or_one_like_it(value: str) -> None:
    """A decision on a value helps nobody where no input class sends such a value."""
    kind = re.sub("[0-9]+", "9", value)
    sent = {
        re.sub("[0-9]+", "9", each)
        for rule in CATALOGUE
        if rule.group == "timers"
        for cls in rule.classes
        for probe in cls.examples(SITUATIONS[0])
        for _, each in probe.steps[-1].form() or ()
    }
    assert kind in sent


def test_no_rule_is_named_outside_the_catalogue() -> None:
    """Other rooms read the rows: an id in their code would be a second place that knows of the rule."""
    package = Path(conformance.__file__ or "").parent
    named = {
        (str(path.relative_to(package)), node.value)
        for path in package.rglob("*.py")
        if path.relative_to(package).parts[0] not in ("rules", "emulator")
        and any(rule in (text := path.read_text(encoding="utf-8")) for rule in BY_ID)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Constant) and node.value in BY_ID
    }
    assert named == {("http.py", "framing")}  # a kind of failure has the name, too


def test_every_rule_says_what_its_evidence_is() -> None:
    for rule in CATALOGUE:
        assert re.match("[a-z]", rule.evidence.missing), rule.id  # it goes on after "undecided: "
        assert set(rule.evidence.given) <= BY_ID.keys(), rule.id


def test_only_rules_about_one_setting_have_its_slug() -> None:
    slugs = {each.slug: each for each in FIELDS}
    for rule in CATALOGUE:
        slug = next((each for each in slugs if rule.id.startswith(f"{each}-")), None)
        assert rule.field == (slugs[slug] if slug else None), rule.id


def test_every_kind_of_request_comes_right_after_every_kind() -> None:
    def kind(request: Request) -> str:
        refused = any(
            decide_value(BY_PARAMETER[name], value).answer is Answer.REJECT
            for name, value in request.form() or ()
        )
        return f"{request.method} {request.form() if refused or not request.form() else 'good'} {request.auth.valid}"

    probes = sequences.tour(SITUATIONS[0])
    seen = {pair for probe in probes for pair in pairwise(map(kind, probe.steps))}
    assert len(seen) == len({one for one, _ in seen}) ** 2 == 81

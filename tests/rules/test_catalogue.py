"""The catalogue as a whole: ids, sources and classes, and whether the classes send what their rules judge."""

import ast
import re
from collections import Counter
from collections.abc import Callable, Sequence
from inspect import getsource
from itertools import pairwise, product
from pathlib import Path

import pytest

import conformance
from conformance.http import Request, update
from conformance.model import (
    BY_HAND,
    BY_PARAMETER,
    CHAT,
    FIELDS,
    INACTIVE,
    MESSAGING,
    TIMERS,
    Field,
    Level,
    Rule,
    Situation,
)
from conformance.oracle.decisions import Answer, Decision, decide_sid, decide_timer, decide_value
from conformance.rules import BY_ID, CATALOGUE, sequences
from conformance.rules.acceptance import decided, peculiarity, rule_of
from conformance.rules.manners import DESIGNS, Carrier, in_manner
from conformance.rules.wording import describe

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


PECULIAR = {
    rule: [
        (step, plain)
        for cls in rule.classes
        for probe in cls.examples(SITUATIONS[0])
        for step in probe.steps
        if (plain := rule.control(step)) is not None
    ]
    for rule in CATALOGUE
    if rule.control is not None and rule.package != "twilio"
}
"""What the rules about peculiar ways of sending send in these ways, each beside its plain form."""


@pytest.mark.parametrize("rule", PECULIAR, ids=lambda rule: rule.id)
class TestPeculiarWaysOfSending:
    def test_something_is_sent_in_it(self, rule: Rule) -> None:
        assert PECULIAR[rule]

    def test_a_failure_is_put_down_to_the_rule(self, rule: Rule) -> None:
        """The control of another rule that changes the request as well would take it over."""
        assert {peculiarity(request) for request, _ in PECULIAR[rule]} == {rule.id}

    def test_the_oracle_reads_the_request(self, rule: Rule) -> None:
        """Else whatever the target does is right, and a change of a setting is a surprise: a false alarm."""
        for request, _ in PECULIAR[rule]:
            assert decided(request) is not None, "Request.form() does not take the body for a form"

    def test_reports_say_what_is_peculiar(self, rule: Rule) -> None:
        for request, plain in PECULIAR[rule]:
            # A blank is usual as a plus sign, and as an escape.
            if request.auth != plain.auth or request.body != (plain.body or b"").replace(b"%20", b"+"):
                assert describe(request) != describe(plain)

    def test_it_is_tried_beside_other_ways(self, rule: Rule) -> None:
        """`manners` sends two ways at once; what a request written by hand alone can carry stays out."""
        bad = update((INACTIVE.parameter, "PT7S"))
        tried = [
            in_manner(bad, {dimension: value}, SITUATIONS[0], 0)
            for dimension, values in DESIGNS[Carrier.BAD].factors.items()
            for value in values
        ]
        assert rule.control is not None
        assert rule.needs == BY_HAND or any(map(rule.control, tried)), (
            "no value of `DESIGNS` in manners.py has it"
        )


@pytest.mark.parametrize(
    ("decide", "settings"), [(decide_timer, TIMERS), (decide_sid, [CHAT, MESSAGING])], ids=["timer", "sid"]
)
def test_every_claim_of_the_oracle_is_that_of_a_rule(
    decide: Callable[..., Decision], settings: Sequence[Field]
) -> None:
    """A rule about a setting is named by the setting and the claim: see `rule_of`."""
    calls = [each for each in ast.walk(ast.parse(getsource(decide))) if isinstance(each, ast.Call)]
    place = {"_accept": 1, "_reject": 1, "_open": 0}
    claims = {
        ast.literal_eval(each.args[place[each.func.id]])
        for each in calls
        if isinstance(each.func, ast.Name) and each.func.id in place
    }
    assert len(claims) > 4
    for claim, each in product(claims, settings):
        assert rule_of(Decision(Answer.REJECT, Level.MUST, claim, "", each)) in BY_ID


def test_no_rule_is_named_outside_the_catalogue() -> None:
    """Other rooms read the rows: an id in their code would be a second place that knows of the rule."""
    package = Path(conformance.__file__ or "").parent
    literal = re.compile(f"""(["'])({"|".join(BY_ID)})\\1""")
    named = {
        (str(path.relative_to(package)), rule)
        for path in package.rglob("*.py")
        if path.relative_to(package).parts[0] not in ("rules", "emulator")
        for _, rule in literal.findall(path.read_text(encoding="utf-8"))
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

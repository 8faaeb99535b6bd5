"""The plan has every class, and one update carries several good values."""

from collections.abc import Sequence

from conformance.harness.order import FIRST, VARIED
from conformance.harness.schedule import Item, carried, planned, side_by_side
from conformance.http import Pairs
from conformance.model import CHAT, CLOSED, INACTIVE, Level, Probe, Situation
from conformance.oracle.decisions import Answer, decide
from conformance.rules import CATALOGUE

HERE = Situation(accounts=2)


def first(level: Level, profile: str = "quick", situation: Situation = HERE) -> list[Item]:
    return [
        Item(rule, cls, probe)
        for rule, cls, probes, _ in planned(CATALOGUE, profile, situation)
        for probe in probes[:1]
        if rule.level is level
    ]


def _pairs(probe: Probe) -> Pairs:
    return probe.steps[0].form() or ()


def test_values_that_share_an_update_must_be_accepted_whatever_is_set() -> None:
    for level in Level.MUST, Level.SHOULD:
        groups = list(side_by_side(first(level), {}))
        assert groups
        for group in groups:
            probe = carried(group)
            pairs, context = _pairs(probe), probe.context
            assert decide((*context, *pairs), lengths={}).answer is Answer.ACCEPT
            assert len({name for name, _ in pairs}) == len(group) > 1


def test_each_value_is_carried_once_and_probes_of_several_values_are_not() -> None:
    items = [item for group in side_by_side(first(Level.MUST), {}) for item in group]
    assert len({item.key for item in items}) == len(items)
    assert all(len(item.probe.steps) == 1 and len(item.probe.steps[0].form() or ()) == 1 for item in items)


def test_a_sid_that_the_target_may_refuse_is_not_put_beside_what_it_must_accept() -> None:
    groups = side_by_side(first(Level.MUST), {CHAT.parameter: frozenset()})
    assert CHAT.parameter not in {name for group in groups for name, _ in _pairs(carried(group))}


def test_a_timer_without_its_like_has_the_setting_beside_which_it_is_judged() -> None:
    ((item, *_), *_) = ([each] for each in first(Level.MUST) if each.rule.id == f"{INACTIVE.slug}-accept")
    probe = carried([item])
    assert [name for name, _ in _pairs(probe)] == [INACTIVE.parameter]
    assert [name for name, _ in probe.context] == [CLOSED.parameter]


def test_the_quick_profile_sends_every_class_for_at_least_one_of_two_parallel_settings() -> None:
    def sent(profile: str) -> dict[str, Sequence[Probe]]:
        return {cls.id: probes for _, cls, probes, _ in planned(CATALOGUE, profile, HERE) if probes}

    only_longer = sent("standard").keys() - sent("quick").keys()
    assert only_longer
    steps = [probe.steps[0] for name in only_longer for probe in sent("standard")[name]]
    assert all(step.by_hand or step.fresh for step in steps)


def test_a_rule_that_is_left_out_takes_nothing_but_its_own_classes_along() -> None:
    left_out = "error-types"
    rows = planned([rule for rule in CATALOGUE if rule.id != left_out], "quick", HERE)
    assert [(rule.id, cls.id, len(probes)) for rule, cls, probes, _ in rows] == [
        (rule.id, cls.id, len(probes))
        for rule, cls, probes, _ in planned(CATALOGUE, "quick", HERE)
        if rule.id != left_out
    ]


def test_only_longer_profiles_draw() -> None:
    drawn = {
        name: sum(row[3] for row in planned(CATALOGUE, name, HERE))
        for name in ("quick", "standard", "thorough")
    }
    assert 0 == drawn["quick"] < drawn["standard"] < drawn["thorough"]


def test_what_is_sent_first_is_planned_and_what_is_varied_has_all_its_examples() -> None:
    rows = {cls.id: (cls, probes) for _, cls, probes, _ in planned(CATALOGUE, "standard", HERE) if probes}
    assert {*FIRST, *VARIED} <= rows.keys()
    assert not {*FIRST} & {*VARIED}
    assert all(len(rows[name][1]) == len(rows[name][0].examples(HERE)) for name in VARIED)

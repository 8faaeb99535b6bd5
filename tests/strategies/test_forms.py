from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from itertools import product
from typing import Any

import pytest
from hypothesis.errors import InvalidArgument

from conformance_strategies import (
    INVALID_DURATION_CLASSES,
    INVALID_SID_CLASSES,
    NOTATIONS,
    PARAMETERS,
    FormDraw,
    forms,
)
from strategies.readings import length
from strategies.sampling import minimal, sample

pytestmark = pytest.mark.slow

MINIMA = {"DefaultInactiveTimer": 60, "DefaultClosedTimer": 600}
PREFIXES = {"DefaultChatServiceSid": "IS", "DefaultMessagingServiceSid": "MG"}
NAMES = {*MINIMA, *PREFIXES}


@cache
def drawn_forms() -> list[FormDraw]:
    return sample(forms(), 2500)


def is_valid(name: str, value: str) -> bool:
    if name in PREFIXES:
        return (
            len(value) == 34
            and value.startswith(PREFIXES[name])
            and set(value[2:]) <= set("0123456789abcdefABCDEF")
        )
    found = length(value)
    return found is not None and found[0] >= MINIMA[name]


def is_ordered(form: dict[str, str]) -> bool:
    inactive, closed = length(form["DefaultInactiveTimer"]), length(form["DefaultClosedTimer"])
    return inactive is not None and closed is not None and inactive[1] <= closed[0]


def test_the_parameters_are_those_of_the_document() -> None:
    """The example values are those of the documented request."""
    assert {name: each.minimum for name, each in PARAMETERS.items() if each.minimum} == MINIMA
    assert {name: each.prefix for name, each in PARAMETERS.items() if each.prefix} == PREFIXES
    assert all(is_valid(name, each.example) for name, each in PARAMETERS.items())


@pytest.mark.parametrize("valid", [None, True, False])
def test_each_pair_says_whether_it_is_valid(valid: bool | None) -> None:
    for form in drawn_forms() if valid is None else sample(forms(valid=valid), 500):
        assert len(form.pairs) == len(form.classes) == len(form.valid)
        for (name, value), of_class, claimed in zip(form.pairs, form.classes, form.valid, strict=True):
            assert is_valid(name, value) == claimed
            assert ("valid" in of_class.partition("/")[2]) == claimed
            assert of_class.startswith("sid/" if name in PREFIXES else "timer/")


def test_names_occur_once_at_most() -> None:
    for form in sample(forms()):
        names = [name for name, _ in form.pairs]
        assert len(set(names)) == len(names)
        assert set(names) <= NAMES


def test_every_subset_and_every_order_occurs() -> None:
    drawn = drawn_forms()
    orders = {tuple(name for name, _ in form.pairs) for form in drawn}
    assert len({frozenset(order) for order in orders}) == 16
    assert len(orders) >= 60  # of 65


def test_every_combination_of_valid_and_invalid_occurs() -> None:
    drawn = {
        frozenset(zip((name for name, _ in form.pairs), form.valid, strict=True)) for form in drawn_forms()
    }
    for combination in product((None, True, False), repeat=4):
        states = zip(PARAMETERS, combination, strict=True)
        assert frozenset((name, state) for name, state in states if state is not None) in drawn


def test_every_class_occurs() -> None:
    drawn = Counter(of_class for form in drawn_forms() for of_class in form.classes)
    expected = {"sid/valid", "timer/below-minimum"}
    expected |= {f"sid/{name}" for name in INVALID_SID_CLASSES} | {
        f"timer/{name}" for name in INVALID_DURATION_CLASSES
    }
    expected |= {f"timer/valid-{name}" for name in NOTATIONS if name not in ("months", "years", "calendar")}
    assert set(drawn) == expected


@pytest.mark.parametrize(
    ("options", "holds"),
    [
        ({"valid": True}, lambda form: all(form.valid)),
        ({"valid": False}, lambda form: not all(form.valid)),
        ({"valid": False, "max_invalid": 1}, lambda form: form.valid.count(False) == 1),
        ({"max_invalid": 2}, lambda form: form.valid.count(False) <= 2),
        ({"min_size": 4}, lambda form: len(form.pairs) == 4),
        ({"min_size": 1, "max_size": 1}, lambda form: len(form.pairs) == 1),
        ({"max_size": 2, "valid": False}, lambda form: 1 <= len(form.pairs) <= 2 and not all(form.valid)),
        ({"min_size": 3, "valid": False, "max_invalid": 1}, lambda form: form.valid.count(False) == 1),
        ({"parameters": ["DefaultClosedTimer"]}, lambda form: {name for name,
        _ in form.pairs} <= {"DefaultClosedTimer"}),
        (
            {"classes": ["timer/empty"], "valid": False},
            lambda form: {of for of, valid in zip(form.classes, form.valid,
            strict=True) if not valid} == {"timer/empty"},
        ),
        ({"classes": ["sid/empty"], "parameters": ["DefaultClosedTimer"]}, lambda form: all(form.valid)),
        (
            {"lengths": {"DefaultInactiveTimer": (60, 600), "DefaultClosedTimer": (600, timedelta(days=400))},
             "valid": True, "min_size": 4},
            lambda form: is_ordered(dict(form.pairs)),
        ),
    ],
)  # fmt: skip
def test_options_hold_for_every_form(options: dict[str, Any], holds: Callable[[FormDraw], bool]) -> None:
    drawn = sample(forms(**options), 200)
    assert all(holds(form) for form in drawn)


@pytest.mark.parametrize(
    "options", [{"max_size": 1}, {"valid": False, "max_invalid": 1}, {"min_size": 2, "max_size": 2}]
)
def test_bounds_draw_all_parameters_about_as_often(options: dict[str, Any]) -> None:
    counts = Counter(name for form in sample(forms(**options), 500) for name, _ in form.pairs)
    assert min(counts[name] for name in NAMES) > max(counts.values()) / 2


def test_forms_rarely_repeat() -> None:
    assert len(set(drawn_forms()[:1000])) > 900


def test_forms_shrink_to_nothing_and_the_plainest_values() -> None:
    assert minimal(forms()) == FormDraw((), (), ())
    assert minimal(forms(valid=True, min_size=4)).pairs == tuple(
        (name, each.example) for name, each in PARAMETERS.items()
    )
    assert minimal(forms(valid=False)).pairs == (("DefaultClosedTimer", "PT599S"),)


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_form_shrinks_to_the_parameter_that_matters(name: str) -> None:
    """The parameter keeps its plainest value, and no other stays."""
    expected = (name, PARAMETERS[name].example)
    assert minimal(forms(valid=True), lambda form: name in dict(form.pairs)).pairs == (expected,)


@pytest.mark.parametrize(
    ("of_class", "pair"),
    [
        ("timer/lower-case", ("DefaultClosedTimer", "pt10m")),
        ("timer/repeated-unit", ("DefaultClosedTimer", "PT10M10M")),
        ("timer/valid-weeks", ("DefaultClosedTimer", "P1W")),
        ("sid/one-short", ("DefaultChatServiceSid", "IS" + "a" * 31)),
    ],
)
def test_a_form_shrinks_to_one_value_of_the_class_that_matters(of_class: str, pair: tuple[str, str]) -> None:
    found = minimal(forms(), lambda form: of_class in form.classes)
    assert len(found.pairs) == 1
    assert found.pairs[0][1] == pair[1].replace("IS", PREFIXES.get(found.pairs[0][0], ""))


@pytest.mark.parametrize(
    "options",
    [
        {"parameters": []},
        {"parameters": ["defaultClosedTimer"]},
        {"parameters": "DefaultClosedTimer"},
        {"min_size": -1},
        {"min_size": 5},
        {"max_size": 5},
        {"min_size": 2, "max_size": 1},
        {"parameters": ["DefaultClosedTimer"], "min_size": 2},
        {"valid": False, "max_size": 0},
        {"valid": False, "max_invalid": 0},
        {"classes": ["sid/none"]},
        {"classes": []},
        {"classes": ["sid/empty"], "parameters": ["DefaultClosedTimer"], "valid": False},
        {"lengths": {"DefaultClosedTimer": (-1, 5)}},
        {"lengths": {"DefaultClosedTimer": (700, 600)}},
        {"lengths": {"DefaultChatServiceSid": (1, 2)}},
    ],
)
def test_wrong_arguments_raise_at_once(options: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument):
        forms(**options)


def test_the_repr_is_the_call() -> None:
    assert repr(forms()) == "forms()"
    assert repr(forms(valid=False, max_invalid=1)) == "forms(valid=False, max_invalid=1)"


def test_the_same_seed_draws_the_same_values() -> None:
    assert sample(forms()) == sample(forms())
    assert sample(forms(), of_seed=1) != sample(forms(), of_seed=2)

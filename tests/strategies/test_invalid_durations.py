import re
from collections.abc import Callable
from itertools import chain

import pytest
from hypothesis.errors import InvalidArgument

from conformance_strategies import INVALID_DURATION_CLASSES, InvalidDurationClass, invalid_durations
from strategies.readings import READINGS
from strategies.sampling import minimal, sample

CLASSES = pytest.mark.parametrize(
    "duration_class", INVALID_DURATION_CLASSES.values(), ids=lambda each: each.name
)
#: The groups whose members no reading accepts, but forms that trim values or ignore empty ones.
OF_FORMS = ("blanks", "empty")
#: Characters that some forms trim like blanks.
CONTROLS = "".join(map(chr, range(0x21))) + "\ufeff"


@pytest.mark.slow
@CLASSES
def test_no_member_is_a_duration(duration_class: InvalidDurationClass) -> None:
    """No published reading accepts a member of a class that is not looser."""
    readings = ["ISO 8601-1"] if duration_class.looser else list(READINGS)
    for text in [*duration_class.examples(), *sample(duration_class.strategy(), 60)]:
        assert not [name for name in readings if READINGS[name](text)], text
        if not duration_class.looser:
            assert not READINGS["ISO 8601-1"](text.strip().strip(CONTROLS))


def test_some_reading_accepts_each_example_of_a_looser_class() -> None:
    for each in INVALID_DURATION_CLASSES.values():
        if each.looser and each.group not in OF_FORMS:
            assert all(any(takes(text) for takes in READINGS.values()) for text in each.examples()), each.name


def test_a_member_of_the_group_blanks_is_valid_without_them() -> None:
    examples = [each.examples() for each in INVALID_DURATION_CLASSES.values() if each.group == "blanks"]
    for text in chain.from_iterable(examples):
        assert READINGS["ISO 8601-1"](text.strip().strip("\0\ufeff"))


@CLASSES
def test_a_class_has_distinct_examples(duration_class: InvalidDurationClass) -> None:
    examples = duration_class.examples()
    assert len(set(examples)) == len(examples) >= 1
    assert examples == duration_class.examples()


@pytest.mark.slow
@CLASSES
def test_members_shrink_to_the_first_example(duration_class: InvalidDurationClass) -> None:
    assert minimal(duration_class.strategy()) == duration_class.examples()[0]


def test_class_names_are_their_keys_in_kebab_case_with_one_line_reasons() -> None:
    for name, duration_class in INVALID_DURATION_CLASSES.items():
        assert duration_class.name == name
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name)
        assert re.fullmatch(r".+", duration_class.reason)


def test_every_group_has_a_class() -> None:
    groups = {each.group for each in INVALID_DURATION_CLASSES.values()}
    assert groups == {
        "structure", "order", "repeated-designator", "designators", "digits", "signs", "fractions", "case",
        "inner-blanks", "anchoring", "blanks", "foreign", "encodings", "sizes", "empty",
    }  # fmt: skip


TABLES = {
    # refused by every standard, java.time, isodate and Temporal
    "--PT10M", "PT10-M", "", "P", "T10M", "10M", "PT10", "P10", "P10S", "P10H", "PT1D", "P1H", "PT1Y",
    "PT10M10M",
    "PT10S10M", "P1D1Y", "PT1S1H", "P1DT1DT1H", "PT10MT", "P1D1W", "PP1D", "PTT10M", "P1 D", "P T10M",
    "\xa0PT10M", "PT10M\0", "PT\uff11\uff10M", "PT\u0661\u0660M", "P\uff34\uff11M", "PT1\xb2M", "PT1e3S",
    "PT1E3S", "PT0x10S", "PT1_000S", "PT1'000S", "PTNaNS", "PTInfinityS", "PT1/2H", "R3/PT10M",
    "PT10M/PT20M",
    "10 minutes", "PT10Minutes", "P10MIN", "PT10M0", "\ufeffPT10M", "P600S",
    # refused by ISO 8601-1, taken by some other reader
    "PT", "P1DT", "PT1.5H30M", "PT.5S", "PT5.S", "PT1.M", "P1.5DT1H", "pt10m", "Pt10M", "PT10m", "p1d",
    "-PT10M",
    "+PT10M", "PT-10M", "PT+10M", "P1DT-1H", "-P1D", "-PT-10M", "P1WT1H", "P1W1D", "P1Y1W", "PT10M ",
    " PT10M",
    "PT10M\n", "\nPT10M", "PT10M\r\n", "PT10M\t", "P0000-00-00T00:10:00", "P0000-00-01T00:00:00",
    "P00000000T001000", "P0003-06-04T12:30:05", "P0000-00-00T00:10", "P0000-000T00:10:00",
    "P0000-13-00T00:00:00", "P0001-01-01T00:10:00", "600", "00:10:00", "P10T10", "P2003T10", "P99T23",
}  # fmt: skip


def test_an_entry_of_the_dialect_tables_is_an_example() -> None:
    examples = {example for each in INVALID_DURATION_CLASSES.values() for example in each.examples()}
    assert sorted(TABLES - examples) == []


@pytest.mark.slow
def test_invalid_durations_come_of_every_class() -> None:
    """Two thousand draws have an example of each class that has few members."""
    drawn = set(sample(invalid_durations(), 2000))
    for name in ("no-components", "text", "cron", "not-finite", "empty", "other-numerals", "sizes"):
        if name in INVALID_DURATION_CLASSES:
            assert drawn & set(INVALID_DURATION_CLASSES[name].examples()), name
    assert max(map(len, drawn)) >= 10_000
    assert len(drawn) > 1000


def test_invalid_durations_come_of_the_chosen_classes_only() -> None:
    chosen = sample(invalid_durations(classes={"no-components", "empty"}))
    assert set(chosen) == {"P", "PT", ""}


@pytest.mark.slow
def test_invalid_durations_shrink_to_an_example() -> None:
    assert minimal(invalid_durations()) == "P1H"
    assert minimal(invalid_durations(), lambda text: text.endswith("\n")) == "PT10M\n"


@pytest.mark.parametrize(
    ("function", "arguments", "options"),
    [
        (invalid_durations, [], {"classes": []}),
        (invalid_durations, [], {"classes": "empty"}),
        (invalid_durations, [], {"classes": ["order"]}),
        (invalid_durations, [], {"classes": [None]}),
        (invalid_durations, [], {"classes": 1}),
    ],
)
def test_wrong_arguments_raise_at_once(
    function: Callable[..., object], arguments: list[object], options: dict[str, object]
) -> None:
    with pytest.raises(InvalidArgument):
        function(*arguments, **options)


def test_the_repr_is_the_call() -> None:
    assert repr(invalid_durations()) == "invalid_durations()"
    assert repr(INVALID_DURATION_CLASSES["empty"].strategy()) == "invalid_durations(classes=('empty',))"


@pytest.mark.slow
def test_the_same_seed_draws_the_same_values() -> None:
    assert sample(invalid_durations()) == sample(invalid_durations())

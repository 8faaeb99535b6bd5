import re
import string
from collections.abc import Callable
from functools import cache
from itertools import chain

import pytest
from hypothesis.errors import InvalidArgument

from conformance_strategies import INVALID_SID_CLASSES, InvalidSidClass, invalid_sids, sids
from strategies.sampling import minimal, sample

#: IS and MG are ordinary. AC and FA consist of hexadecimal digits. MM has one letter twice.
PREFIXES = ("IS", "MG", "AC", "FA", "MM")
CLASSES = pytest.mark.parametrize("sid_class", INVALID_SID_CLASSES.values(), ids=lambda each: each.name)
HEX = set(string.hexdigits)


@cache
def drawn_sids() -> list[str]:
    return sample(sids("IS"), 500)


def is_sid(text: str, prefix: str) -> bool:
    return len(text) == 34 and text.startswith(prefix) and set(text[2:]) <= HEX


@pytest.mark.slow
@pytest.mark.parametrize("prefix", PREFIXES)
def test_sids_are_well_formed(prefix: str) -> None:
    assert all(is_sid(sid, prefix) for sid in sample(sids(prefix)))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shape", "pattern"),
    [
        ("lower case", r"(?=.*\d)(?=.*[a-f])[0-9a-f]{32}"),
        ("upper case", r"(?=.*\d)(?=.*[A-F])[0-9A-F]{32}"),
        ("mixed case", r"(?=.*[a-f])(?=.*[A-F])[0-9a-fA-F]{32}"),
        ("digits only", r"(?!0{32}|9{32})\d{32}"),
        ("letters only", r"[a-fA-F]{32}"),
        ("all 0", "0{32}"),
        ("all 9", "9{32}"),
        ("all f", "f{32}"),
        ("all F", "F{32}"),
    ],
)
def test_every_shape_occurs(shape: str, pattern: str) -> None:
    assert any(re.fullmatch("IS" + pattern, sid) for sid in drawn_sids()), shape


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "pattern"),
    [
        ({"case": "lower"}, r"IS[0-9a-f]{32}"),
        ({"case": "upper"}, r"IS[0-9A-F]{32}"),
        ({"case": "mixed"}, r"IS(?=.*[a-f])(?=.*[A-F])[0-9a-fA-F]{32}"),
        ({"case": "mixed", "hex_digits": "letters"}, r"IS(?=.*[a-f])(?=.*[A-F])[a-fA-F]{32}"),
        ({"hex_digits": "digits"}, r"IS\d{32}"),
        ({"hex_digits": "letters"}, r"IS[a-fA-F]{32}"),
        ({"case": "upper", "hex_digits": "letters"}, r"IS[A-F]{32}"),
        ({"case": "lower", "hex_digits": "digits"}, r"IS\d{32}"),
    ],
)
def test_options_hold_for_every_sid(options: dict[str, str], pattern: str) -> None:
    assert all(re.fullmatch(pattern, sid) for sid in sample(sids("IS", **options)))  # type: ignore[arg-type]  # literals


@pytest.mark.slow
def test_sids_rarely_repeat() -> None:
    assert len(set(drawn_sids())) > 400


@pytest.mark.slow
def test_sids_shrink_to_the_documented_example() -> None:
    assert minimal(sids("IS")) == "IS" + "a" * 32


@pytest.mark.slow
def test_a_sid_shrinks_to_the_characters_that_matter() -> None:
    """All other digits are `a`, or `A` where capitals matter."""
    assert minimal(sids("IS", case="lower"), lambda sid: sid[9] == "c") == "ISaaaaaaac" + "a" * 24
    assert minimal(sids("IS"), lambda sid: any(char.isupper() for char in sid[2:])) == "IS" + "A" * 32


@pytest.mark.slow
@pytest.mark.parametrize("prefix", PREFIXES)
@CLASSES
def test_no_invalid_sid_is_a_sid(sid_class: InvalidSidClass, prefix: str) -> None:
    """Trimming blanks makes a SID of no member either, except in the groups about blanks."""
    for text in [*sid_class.examples(prefix), *sample(sid_class.strategy(prefix), 40)]:
        assert not is_sid(text, prefix)
        if sid_class.group not in ("blanks", "empty"):
            assert not is_sid(text.strip(), prefix)
            assert not is_sid(text.strip("".join(map(chr, range(0x21))) + "\ufeff"), prefix)


def test_a_member_of_the_group_blanks_is_valid_without_them() -> None:
    examples = [each.examples("IS") for each in INVALID_SID_CLASSES.values() if each.group == "blanks"]
    for text in chain.from_iterable(examples):
        assert is_sid(text.strip().strip("\0\ufeff"), "IS")


@CLASSES
def test_a_class_has_one_to_forty_distinct_examples(sid_class: InvalidSidClass) -> None:
    for prefix in PREFIXES:
        examples = sid_class.examples(prefix)
        assert 1 <= len(examples) <= 40
        assert len(set(examples)) == len(examples)
        assert examples == sid_class.examples(prefix)


@pytest.mark.slow
@CLASSES
def test_members_shrink_to_the_first_example(sid_class: InvalidSidClass) -> None:
    assert minimal(sid_class.strategy("IS")) == sid_class.examples("IS")[0]


def test_class_names_are_their_keys_in_kebab_case_with_one_line_reasons() -> None:
    for name, sid_class in INVALID_SID_CLASSES.items():
        assert sid_class.name == name
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name)
        assert re.fullmatch(r".+", sid_class.reason)


def test_every_group_has_a_class() -> None:
    groups = {each.group for each in INVALID_SID_CLASSES.values()}
    assert groups == {"prefix", "length", "alphabet", "anchoring", "blanks", "empty"}


@pytest.mark.parametrize(
    "text",
    [
        "", "IS", "is" + "a" * 32, "MG" + "a" * 32, "SI" + "a" * 32, "a" * 32, "IS" + "a" * 31,
        "IS" + "a" * 33,
        "IS" + "a" * 31 + "g", "ISg" + "a" * 31, "IS" + "a" * 32 + "\n", " IS" + "a" * 32, "xIS" + "a" * 32,
        "\u0406S" + "a" * 32, "IS" + "a" * 32 + "\nx", "ISaaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa",
        "IS" + "\uff11" * 32, "IS" + "\u0661" * 32, "IS%61" + "a" * 31, "0IS" + "a" * 31,
    ],
)  # fmt: skip
def test_an_obvious_mistake_is_an_example(text: str) -> None:
    assert text in {example for each in INVALID_SID_CLASSES.values() for example in each.examples("IS")}


@pytest.mark.slow
def test_invalid_sids_come_of_every_class() -> None:
    """Two thousand draws hold at least one example of nearly every class."""
    drawn = set(sample(invalid_sids("IS"), 2000))
    fixed = [each for each in INVALID_SID_CLASSES.values() if each.name in ("empty", "bare-prefix")]
    assert all(drawn & set(each.examples("IS")) for each in fixed)
    assert len({len(text) for text in drawn}) > 30


def test_invalid_sids_come_of_the_chosen_classes_only() -> None:
    assert {len(text) for text in sample(invalid_sids("IS", classes=["one-long", "one-short"]))} == {33, 35}


@pytest.mark.parametrize(
    ("function", "arguments", "options"),
    [
        (sids, ["is"], {}),
        (sids, ["I"], {}),
        (sids, ["ISX"], {}),
        (sids, ["\u0406S"], {}),
        (sids, ["IS\n"], {}),
        (sids, [None], {}),
        (sids, ["IS"], {"case": "title"}),
        (sids, ["IS"], {"hex_digits": "hex"}),
        (sids, ["IS"], {"case": "mixed", "hex_digits": "digits"}),
        (invalid_sids, ["is"], {}),
        (invalid_sids, ["IS"], {"classes": []}),
        (invalid_sids, ["IS"], {"classes": ["one-shrot"]}),
        (invalid_sids, ["IS"], {"classes": "empty"}),
        (INVALID_SID_CLASSES["empty"].examples, ["is"], {}),
    ],
)
def test_wrong_arguments_raise_at_once(
    function: Callable[..., object], arguments: list[object], options: dict[str, object]
) -> None:
    with pytest.raises(InvalidArgument):
        function(*arguments, **options)


def test_the_repr_is_the_call() -> None:
    assert repr(sids("IS")) == "sids('IS')"
    assert repr(sids("IS", case="upper")) == "sids('IS', case='upper')"
    assert repr(INVALID_SID_CLASSES["empty"].strategy("MG")) == "invalid_sids('MG', classes=('empty',))"


@pytest.mark.slow
def test_the_same_seed_draws_the_same_values() -> None:
    assert sample(sids("IS")) == sample(sids("IS"))
    assert sample(invalid_sids("IS")) == sample(invalid_sids("IS"))
    assert sample(sids("IS"), of_seed=1) != sample(sids("IS"), of_seed=2)

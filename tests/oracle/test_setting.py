"""What is known of one setting: which values are right, and which must not be shown."""

import pytest
from fakes import answer, refusal, representation

from conformance.http import Exchange, update
from conformance.model import INACTIVE
from conformance.oracle.mismatches import Kind, Suspect
from conformance.oracle.setting import REMEMBERED, Setting

ODD = "PT1M "
"""A value that no target must show, whatever was sent."""


def exchanged(number: int, *, is_accepted: bool = False) -> Exchange:
    response = answer(200, representation({})) if is_accepted else refusal()
    return Exchange(number=number, request=update((INACTIVE.parameter, "PT1S")), response=response)


def suspected(setting: Setting, *values: str, accepted: int = 0) -> list[str]:
    """The values that must not be shown, after these were suspected; the first ones were accepted."""
    for number, value in enumerate(values, 1):
        setting.suspect(value, Kind.REFUSED, exchanged(number, is_accepted=number <= accepted))
    return [each.value for each in setting.suspects]


def test_every_value_matches_while_nothing_is_known() -> None:
    assert Setting(INACTIVE).matches("banana")
    assert Setting(INACTIVE).matches(None)


def test_another_spelling_of_the_length_matches() -> None:
    setting = Setting(INACTIVE, right=("PT5M", "PT7M"))
    assert [setting.matches(value) for value in ("PT300S", "PT7M", "PT6M", None)] == [
        True,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        (Setting(INACTIVE, right=(ODD,)), False),
        (Setting(INACTIVE, right=(ODD,), shown="PT1M"), False),
        (Setting(INACTIVE, right=(ODD,), seen=True), True),
        (Setting(INACTIVE, right=(ODD,), shown=ODD), True),
        (Setting(INACTIVE, right=("PT1M",), seen=True, shown=ODD), False),
    ],
)
def test_a_value_that_is_wrong_by_itself_matches_once_it_was_reported(
    setting: Setting, expected: bool
) -> None:
    assert setting.matches(ODD) is expected


def test_a_value_is_suspected_unless_it_is_right() -> None:
    setting = Setting(INACTIVE)
    setting.suspect("PT5M", Kind.REFUSED, exchanged(1))
    assert setting.suspects == [Suspect("PT5M", Kind.REFUSED, exchanged(1))]
    assert suspected(Setting(INACTIVE, right=("PT5M",)), "PT300S", "PT1S") == ["PT1S"]


def test_of_many_suspects_the_oldest_is_forgotten_but_no_value_that_was_answered_as_if_written() -> None:
    values = [f"PT{number}S" for number in range(REMEMBERED + 3)]
    assert suspected(Setting(INACTIVE), *values[:-2]) == values[:-2]
    assert suspected(Setting(INACTIVE), *values) == values[2:]
    assert suspected(Setting(INACTIVE), *values, accepted=1) == [values[0], *values[3:]]
    assert suspected(Setting(INACTIVE), *values, accepted=len(values)) == values[2:]

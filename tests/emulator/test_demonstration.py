"""Which fault masks which."""

import pytest

from conformance.emulator.demonstration import is_masked

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    "masked", ["inactive-timer-refuses-hours", "omitted-reset", "chat-service-sid-echo-null"]
)
def test_where_no_update_is_answered_nothing_of_an_update_shows(masked: str) -> None:
    both = ["post-not-implemented", masked]
    assert is_masked(masked, both)
    assert not is_masked("post-not-implemented", both)


def test_a_parser_that_is_replaced_by_another_is_masked() -> None:
    both = ["closed-timer-at-most-30-characters", "closed-timer-accepts-leading-p"]
    assert [is_masked(name, both) for name in both] == [True, False]


def test_two_faults_that_touch_different_things_both_show() -> None:
    both = ["inactive-timer-refuses-hours", "closed-timer-minimum-unchecked"]
    assert not any(is_masked(name, both) for name in both)

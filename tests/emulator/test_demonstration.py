"""Which fault hides which."""

import pytest

from conformance.emulator.demonstration import is_hidden

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    "hidden", ["inactive-timer-refuses-hours", "omitted-reset", "chat-service-sid-echo-null"]
)
def test_where_no_update_is_answered_nothing_of_an_update_shows(hidden: str) -> None:
    both = ["post-not-implemented", hidden]
    assert is_hidden(hidden, both)
    assert not is_hidden("post-not-implemented", both)


def test_a_parser_that_is_replaced_by_another_is_hidden() -> None:
    both = ["closed-timer-at-most-30-characters", "closed-timer-accepts-leading-p"]
    assert [is_hidden(name, both) for name in both] == [True, False]


def test_two_faults_that_touch_different_things_both_show() -> None:
    both = ["inactive-timer-refuses-hours", "closed-timer-minimum-unchecked"]
    assert not any(is_hidden(name, both) for name in both)

"""How the workers of pytest-xdist divide a run."""

from pathlib import Path
from typing import Any

import pytest

from conformance.exceptions import ConfigurationError
from conformance.pytest_plugin import _was_stopped
from conformance.pytest_results import _shares
from conformance.settings import RunSettings, resolve

NOWHERE = Path("none.toml")
TARGET = "http://localhost:4007"


def settings(target: str | None = TARGET, **given: Any) -> RunSettings:
    return resolve({"target": target, **given}, {}, NOWHERE)


def shares(of: RunSettings, workers: int, *, is_shared: bool = True) -> list[tuple[tuple[int, int], int]]:
    """The shard of each share, and its number of accounts."""
    return [(each.shard, len(each.accounts)) for each in _shares(of, workers, is_shared=is_shared)]


def test_each_share_has_an_account_of_its_own_and_what_takes_several_comes_last() -> None:
    made = [*_shares(settings(), 2, is_shared=True)]
    assert [each.shard for each in made] == [(1, 2), (2, 2), (0, 2)]
    assert [each.accounts for each in made[:2]] == [(each,) for each in made[2].accounts]


def test_each_share_has_an_embedded_emulator_of_its_own_with_all_accounts() -> None:
    assert shares(settings(None), 3) == [((number, 3), 2) for number in (1, 2, 3)]


def test_workers_without_accounts_are_refused_in_one_line() -> None:
    with pytest.raises(ConfigurationError) as refused:
        shares(settings(), 3)
    assert str(refused.value) == (
        "3 workers need 3 accounts, and there are 2: set CONFORMANCE_ACCOUNTS, or run pytest with -n 2"
    )


def test_targets_that_fixtures_start_have_as_many_shares_as_accounts() -> None:
    assert shares(settings(), 3, is_shared=False) == [((1, 2), 1), ((2, 2), 1), ((0, 2), 2)]


def test_the_shares_send_together_no_faster_than_the_rate() -> None:
    assert [each.rate for each in _shares(settings(rate="4"), 2, is_shared=True)] == [2.0] * 3


@pytest.mark.parametrize(
    ("given", "workers"), [({}, 1), ({"profile": "quick"}, 2), ({"shard": "1/2"}, 2)], ids=str
)
def test_what_is_not_to_be_divided_is_one_run(given: dict[str, Any], workers: int) -> None:
    assert [*_shares(settings(**given), workers, is_shared=True)] == [settings(**given)]


def test_a_rule_that_was_not_run_for_a_reason_of_its_own_is_no_error_of_a_run_that_stopped() -> None:
    stopped = {"exit_code": 3, "stopped": "shard 2: the target cannot be reached"}
    rule = {"verdict": "not-run", "reason": "the target cannot be reached"}
    assert _was_stopped(rule, stopped)
    assert not _was_stopped(rule, {"exit_code": 0, "stopped": ""})
    assert not _was_stopped({**rule, "reason": "needs the package schemathesis"}, stopped)

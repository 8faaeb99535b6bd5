"""An exploration leaves a timer shorter than it was for one request at most, and puts it back however it ends."""

import contextlib

import pytest

from conformance.exceptions import BudgetExhausted, NoVerdict, TargetDead, Unimplemented
from conformance.explore import explore
from conformance.http import Exchange, Request, decode_form
from conformance.model import CLOSED, INACTIVE, TIMERS
from conformance.safety.safeguard import Safeguard
from explore.doors import (
    BEFORE,
    InProcess,
    Settings,
    both,
    explored,
    of_reference,
    reference,
    seconds,
    text_of,
)

pytestmark = pytest.mark.slow


def test_a_timer_is_never_left_shorter_than_it_was_for_longer_than_one_request() -> None:
    found, settings = of_reference(**BEFORE)
    for field in TIMERS:
        shorter = [
            number
            for number, values in enumerate(settings.history)
            if seconds(values[field.attribute]) < seconds(BEFORE[field.slug])
        ]
        assert shorter
        assert all(
            seconds(settings.history[number + 1][field.attribute]) >= seconds(BEFORE[field.slug])
            for number in shorter
        )
        assert settings.values[field.attribute] == BEFORE[field.slug]
    assert found.restore == "restored"


def test_a_spent_budget_gives_a_partial_answer_and_puts_the_timers_back() -> None:
    settings = Settings(reference(), before=BEFORE)
    found = explored(settings, budget=90)
    assert not found.complete
    assert found.requests <= 98
    assert found.closed.dialect.name == "iso8601-1"
    assert next(each for each in found.closed.boundaries if each.end == "least").accepted == "PT600S"
    assert {field.slug: settings.values[field.attribute] for field in TIMERS} == BEFORE


def test_a_budget_that_ends_within_a_search_leaves_what_was_seen() -> None:
    found = explored(Settings(reference()), budget=12)
    least = next(each for each in found.closed.boundaries if each.end == "least")
    assert (least.refused, least.accepted) == ("PT599S", "PT600S")
    assert "as well" in text_of(found)


@pytest.mark.parametrize("budget", [1, 2, 3, 10, 40])
def test_any_budget_ends_in_a_restore(budget: int) -> None:
    settings = Settings(reference(), before=BEFORE)
    with contextlib.suppress(BudgetExhausted):  # raised where nothing was changed yet
        explored(settings, budget=budget)
    assert {field.slug: settings.values[field.attribute] for field in TIMERS} == BEFORE


class Ending(InProcess):
    """A door at which an error comes with one request, and with all that follow it where the target is dead."""

    def __init__(self, settings: Settings, at: int, error: BaseException) -> None:
        super().__init__(settings)
        self._at, self._error = at, error

    def send(self, request: Request, *, known_good: bool = False, reserve: bool = False) -> Exchange:
        is_dead = isinstance(self._error, TargetDead)
        if self.requests == self._at or (is_dead and self.requests > self._at):
            self.requests += 1
            raise self._error
        return super().send(request, known_good=known_good, reserve=reserve)


@pytest.mark.parametrize(
    ("error", "restore", "stopped"),
    [
        (KeyboardInterrupt(), "restored", "interrupted"),
        (TargetDead("the target is gone"), "failed", "the target is gone"),
    ],
)
def test_an_exploration_that_is_ended_says_why_and_what_became_of_the_timers(
    error: BaseException, restore: str, stopped: str
) -> None:
    settings = Settings(reference(), before=BEFORE)
    found = explore(Ending(settings, 60, error))
    assert (found.restore, found.stopped, found.complete) == (restore, stopped, False)
    is_back = {field.slug: settings.values[field.attribute] for field in TIMERS} == BEFORE
    assert is_back or restore != "restored"


def test_a_timer_that_was_never_set_is_left_long_and_that_is_said() -> None:
    found, settings = of_reference()
    assert all(seconds(settings.values[field.attribute]) >= 30 * 86400 for field in TIMERS)
    assert any("was never set" in note for note in found.notes)


def test_on_a_live_target_a_timer_that_was_never_set_is_put_back_to_30_days_at_once() -> None:
    settings = Settings(reference())
    explore(InProcess(settings, budget=150), safeguard=Safeguard(live=True, accept_unrestorable=True))
    for field in TIMERS:
        lengths = [seconds(values[field.attribute]) for values in settings.history]
        short = [number for number, length in enumerate(lengths) if length < 30 * 86400]
        assert short
        assert all(lengths[number + 1] >= 30 * 86400 for number in short)


def test_an_exploration_of_a_live_target_ends_when_it_does_not_take_a_timer_back() -> None:
    class OneWay(Settings):
        """Takes shorter timers alone from its tenth request on."""

        def answer(self, method: str, body: bytes) -> tuple[int, dict[str, object]]:
            longer = any(seconds(text) >= 3 * 86400 for _, text in decode_form(body or b""))
            if len(self.history) > 10 and longer:
                self.history.append(dict(self.values))
                return 400, {}
            return super().answer(method, body)

    settings = OneWay(reference(), before={INACTIVE.slug: "P4D", CLOSED.slug: "P5D"})
    found = explore(InProcess(settings), safeguard=Safeguard(live=True))
    assert not found.complete
    assert "cannot be put back" in found.stopped
    assert found.restore == "failed"
    assert any("default_closed_timer was 'P5D' and is" in note for note in found.notes)


class Blind(Settings):
    """Refuses whatever would show the settings and write none."""

    def answer(self, method: str, body: bytes) -> tuple[int, dict[str, object]]:
        status, document = super().answer(method, body)
        return (status, document) if body else (400, {})


def test_settings_that_cannot_be_read_are_not_touched_where_they_must_be_put_back() -> None:
    settings = Blind(reference())
    with pytest.raises(NoVerdict, match="could not be put back"):
        explored(settings)
    assert set(settings.values.values()) == {None}


def test_settings_that_cannot_be_read_are_explored_where_they_need_not_be_put_back() -> None:
    safeguard = Safeguard()
    found = explore(InProcess(Blind(reference())), must_restore=False, safeguard=safeguard)
    assert found.complete
    assert found.closed.dialect.name == "iso8601-1"
    assert safeguard.notices == ["the settings of account 1 cannot be read: they will not be put back"]


@pytest.mark.parametrize(("status", "kind"), [(404, Unimplemented), (401, NoVerdict)])
def test_a_target_without_the_resource_or_with_other_credentials_is_not_explored(
    status: int, kind: type[Exception]
) -> None:
    class Absent(Settings):
        def answer(self, method: str, body: bytes) -> tuple[int, dict[str, object]]:
            self.history.append({})
            return status, {}

    settings = Absent(reference())
    with pytest.raises(kind, match=str(status)):
        explored(settings)
    assert len(settings.history) == 2


def test_a_target_that_refuses_the_value_that_it_has_is_left_alone() -> None:
    settings = Settings(both(lambda text: text != "PT1H"), before={INACTIVE.slug: "PT1H"})
    with pytest.raises(
        NoVerdict, match=r"^the target refuses its own default_inactive_timer, 'PT1H', so it could"
    ):
        explored(settings)
    assert settings.values[INACTIVE.attribute] == "PT1H"

"""Tests of the restore: the settings of before a run are put back, or reported."""

import math
from collections.abc import Mapping
from pathlib import Path

import pytest
from conftest import Clock
from fakes import FakeTarget, PacedTarget, Resource, answer, refusal, representation

from conformance.exceptions import TargetDead
from conformance.harness.session import Session
from conformance.http import READ, Failure, FailureKind, Request, Response, update
from conformance.model import CHAT, CLOSED, FIELDS, INACTIVE, Restore
from conformance.rules import BY_ID
from conformance.safety.journal import Journal, entries
from conformance.safety.restore import REQUESTS, Restorer
from conformance.safety.safeguard import Safeguard
from conformance.transport.credentials import THROWAWAY

pytestmark = pytest.mark.usefixtures("no_waiting")

BEFORE: Mapping[str, str | None] = {
    CHAT.attribute: "IS" + "7" * 32,
    INACTIVE.attribute: "PT7M",
    CLOSED.attribute: "PT77M",
}
NOTHING: Mapping[str, str | None] = {each.attribute: None for each in FIELDS}


def session_with(resource: Resource, **options: object) -> Session:
    return Session(FakeTarget(resource, **options), tuple(BY_ID))  # type: ignore[arg-type]  # options of FakeTarget


def restored(session: Session, before: Mapping[str, str | None]) -> Restore:
    """Restore the settings of an account that was changed, and return the result."""
    session.safeguard.before[0] = before
    session.safeguard.changed.add(0)
    session.learn(reader=READ, takes_empty=False)
    return session.restorer().restore()


class ShowsTheSame(Resource):
    """Accepts everything, and shows the same settings for ever."""

    def __init__(self, shown: dict[str, str | None]) -> None:
        super().__init__()
        self.shown = shown

    def __call__(self, request: Request) -> Response | Failure:
        return answer(200, representation(self.shown))


def changed() -> Resource:
    resource = Resource()
    resource.states[0] = {
        each.attribute: "P15D" if each.kind == "timer" else each.prefix + "0" * 32 for each in FIELDS
    }
    return resource


def test_the_values_are_written_back_in_one_update_and_read_again() -> None:
    resource = changed()
    session = session_with(resource)
    put_back = restored(session, BEFORE)
    assert (put_back.state, put_back.failed) == ("restored", ())
    assert {name: resource.states[0][name] for name in BEFORE} == BEFORE
    assert session.target.requests == 2


def test_a_field_that_was_null_and_has_a_value_now_is_listed() -> None:
    put_back = restored(session_with(changed()), NOTHING)
    assert put_back.state == "restored"
    assert put_back.unrestorable == tuple(each.attribute for each in FIELDS)
    assert put_back.failed == ()


def test_a_target_that_shows_the_same_whatever_is_written_keeps_nothing_of_the_run() -> None:
    """As a mock does that is made of a document: nothing of the run is in the place of what it has shown before."""
    shown: dict[str, str | None] = {each.attribute: "" for each in FIELDS}
    session = session_with(ShowsTheSame(shown))
    put_back = restored(session, shown)
    assert (put_back.unrestorable, put_back.failed) == ((), ())
    assert not session.safeguard.notices


def test_an_invalid_value_that_a_target_keeps_gives_way_to_a_valid_one() -> None:
    resource = changed()
    resource.states[0][CLOSED.attribute] = "banana"
    session = session_with(resource)
    restored(session, NOTHING)
    (notice,) = session.safeguard.notices
    assert notice.endswith("in place of invalid values there is now DefaultClosedTimer=P30D")


def test_the_reserve_is_enough_for_a_restore() -> None:
    resource = changed()
    session = session_with(resource, max_requests=1)
    session.target.requests = 1
    assert restored(session, BEFORE).state == "restored"


def test_settings_that_are_refused_together_are_written_one_by_one() -> None:
    class OneByOne(Resource):
        def __call__(self, request: Request) -> Response | Failure:
            return refusal() if len(request.form() or ()) > 1 else super().__call__(request)

    resource = OneByOne()
    resource.states = changed().states
    assert restored(session_with(resource), BEFORE).state == "restored"
    assert {name: resource.states[0][name] for name in BEFORE} == BEFORE


def test_settings_of_which_one_is_lost_together_are_written_one_by_one() -> None:
    class LosesTheLast(Resource):
        def __call__(self, request: Request) -> Response | Failure:
            pairs = (request.form() or ()) if request.method == "POST" else ()
            return super().__call__(update(*pairs[:2]) if len(pairs) > 2 else request)

    resource = LosesTheLast()
    resource.states = changed().states
    assert restored(session_with(resource), BEFORE).state == "restored"
    assert {name: resource.states[0][name] for name in BEFORE} == BEFORE


def test_a_field_that_does_not_get_its_value_back_is_a_failure() -> None:
    class Sticky(Resource):
        def write(self, request: Request, values: Mapping[str, str]) -> None:
            super().write(
                request, {name: value for name, value in values.items() if name != CLOSED.attribute}
            )

    resource = Sticky()
    resource.states = changed().states
    put_back = restored(session_with(resource), BEFORE)
    assert (put_back.state, put_back.failed) == ("failed", (CLOSED.attribute,))


def test_another_spelling_of_the_value_counts_as_put_back() -> None:
    class Normalising(Resource):
        def write(self, request: Request, values: Mapping[str, str]) -> None:
            super().write(
                request, {name: "PT420S" if value == "PT7M" else value for name, value in values.items()}
            )

    resource = Normalising()
    assert restored(session_with(resource), BEFORE).state == "restored"


def test_a_restore_fails_where_the_target_is_gone() -> None:
    resource = changed()
    session = session_with(resource)

    def dead(request: Request) -> Response | Failure:
        FakeTarget(resource).send(READ)
        raise TargetDead("it cannot be reached")

    session.target.answering = dead  # type: ignore[attr-defined]  # a FakeTarget
    put_back = restored(session, BEFORE)
    assert put_back.state == "failed"
    assert set(put_back.failed) == set(BEFORE)


def test_a_target_that_is_gone_is_not_restored_even_where_all_was_null() -> None:
    resource = changed()
    session = session_with(resource)

    def dead(request: Request) -> Response | Failure:
        raise TargetDead("it cannot be reached")

    session.target.answering = dead  # type: ignore[attr-defined]  # a FakeTarget
    assert restored(session, NOTHING).state != "restored"


def test_settings_that_were_never_read_are_not_written() -> None:
    session = session_with(changed())
    session.safeguard.changed |= {0, 1}
    assert session.restorer().restore().state == "not-read"
    assert session.target.requests == 0


class Interrupted(Resource):
    """A resource at which the first writes are interrupted, as by Ctrl-C."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.states = changed().states
        self.times = times

    def write(self, request: Request, values: Mapping[str, str]) -> None:
        if self.times:
            self.times -= 1
            raise KeyboardInterrupt
        super().write(request, values)


@pytest.mark.parametrize(("times", "state"), [(0, "restored"), (1, "restored"), (2, "failed")])
def test_a_first_interrupt_begins_the_restore_again_and_a_second_one_ends_it(times: int, state: str) -> None:
    session = session_with(Interrupted(times))
    session.safeguard.before[0] = BEFORE
    session.safeguard.changed.add(0)
    put, interrupted = session.restorer().put_back()
    assert (put.state, interrupted) == (state, times > 0)
    assert set(put.failed) == (set(BEFORE) if state == "failed" else set())
    assert len(session.safeguard.notices) == min(times, 1)  # the same line is said once


def test_a_failed_restore_is_tried_once_more() -> None:
    class Resetting(Resource):
        """A resource at which the first requests fail."""

        resets = 1

        def __call__(self, request: Request) -> Response | Failure:
            self.resets -= 1
            return (
                Failure(FailureKind.DISCONNECT, "closed") if self.resets >= -4 else super().__call__(request)
            )

    resource = Resetting()
    resource.states = changed().states
    assert restored(session_with(resource), BEFORE).state == "restored"


class TestPatience:
    """A target that is out of service for a while, by a clock that moves where the suite waits and nowhere else."""

    MANNERS: Mapping[str, Response | Failure] = {
        "503": Response(status=503),
        "502": Response(status=502),
        "503, with a time": Response(status=503, headers=(("Retry-After", "12"),)),
        "429": Response(status=429),
        "429, with a time": Response(status=429, headers=(("Retry-After", "20"),)),
        "refuses connections": Failure(FailureKind.CONNECT, "refused"),
        "closes connections": Failure(FailureKind.DISCONNECT, "closed"),
    }

    def restored(self, clock: Clock, name: str, seconds: float) -> tuple[Restore, float, int]:
        """Put settings back on a target that is out so long; the result, the seconds it took, and the requests."""
        resource, began = changed(), clock.now

        def answering(request: Request) -> Response | Failure:
            return resource(request) if clock.now - began >= seconds else self.MANNERS[name]

        with PacedTarget(answering, max_requests=0, reserve=REQUESTS, accounts=THROWAWAY[:1]) as target:
            safeguard = Safeguard()
            safeguard.adopt(0, BEFORE)
            put_back = Restorer(target=target, safeguard=safeguard, reader=READ).restore()
        return put_back, clock.now - began, target.requests

    @pytest.mark.parametrize("name", MANNERS)
    def test_an_outage_of_30_s_loses_nothing(self, clock: Clock, name: str) -> None:
        put_back, took, _ = self.restored(clock, name, 30)
        assert (put_back.state, put_back.failed) == ("restored", ())
        assert took < 90

    @pytest.mark.parametrize("name", MANNERS)
    def test_a_target_that_stays_out_is_given_up_in_time(self, clock: Clock, name: str) -> None:
        put_back, took, requests = self.restored(clock, name, math.inf)
        assert (put_back.state, put_back.failed) == ("failed", tuple(BEFORE))
        assert 30 < took < 180
        assert requests <= REQUESTS

    def test_a_target_that_asks_for_an_hour_is_given_up_at_once(self, clock: Clock) -> None:
        asking = Response(status=503, headers=(("Retry-After", "3600"),))
        with PacedTarget(lambda request: asking, accounts=THROWAWAY[:1]) as target:
            safeguard = Safeguard()
            safeguard.adopt(0, BEFORE)
            began = clock.now
            assert Restorer(target=target, safeguard=safeguard, reader=READ).restore().state == "failed"
        assert (clock.now - began, target.requests) == (0, 1)


class TestJournal:
    """A journal is removed when its settings are in force again, and stays otherwise."""

    def kept(self, directory: Path, resource: Resource, before: Mapping[str, str | None]) -> list[Path]:
        with Journal(directory, "http://a.test", ["AC1"]) as journal:
            session = Session(FakeTarget(resource), (), safeguard=Safeguard(journal=journal))
            session.safeguard.snapshot(0, before)
            session.safeguard.changed.add(0)
            session.learn(reader=READ, takes_empty=False)
            session.restorer().restore()
        return entries(directory)

    def test_the_journal_of_restored_settings_is_removed(self, tmp_path: Path) -> None:
        assert self.kept(tmp_path, changed(), BEFORE) == []

    def test_the_journal_stays_where_the_restore_failed(self, tmp_path: Path) -> None:
        class Stuck(Resource):
            def write(self, request: Request, values: Mapping[str, str]) -> None:
                """Write nothing."""

        assert len(self.kept(tmp_path, Stuck(), BEFORE)) == 1

    def test_the_settings_of_an_earlier_run_are_put_back(self, tmp_path: Path) -> None:
        with Journal(tmp_path, "http://a.test", ["AC1"]) as journal:
            journal.keep(0, BEFORE)
        resource = changed()
        assert self.kept(tmp_path, resource, {**BEFORE, CLOSED.attribute: "PT1H"}) == []
        assert resource.states[0][CLOSED.attribute] == BEFORE[CLOSED.attribute]


def test_an_account_that_was_not_written_to_is_left_alone() -> None:
    resource = changed()
    session = session_with(resource)
    session.safeguard.before[0] = BEFORE
    assert session.restorer().restore().state == "unchanged"
    assert session.target.requests == 0

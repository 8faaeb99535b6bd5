"""What was in force before a run is put back, and what could not be is said."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from fakes import FakeTarget, Resource, refusal

from conformance.exceptions import TargetDead
from conformance.harness.session import Session
from conformance.http import READ, Failure, FailureKind, Request, Response
from conformance.model import CHAT, CLOSED, FIELDS, INACTIVE, Restore
from conformance.rules import BY_ID
from conformance.safety.journal import Journal, entries
from conformance.safety.safeguard import Safeguard

BEFORE: Mapping[str, str | None] = {
    CHAT.attribute: "IS" + "7" * 32,
    INACTIVE.attribute: "PT7M",
    CLOSED.attribute: "PT77M",
}
NOTHING: Mapping[str, str | None] = {each.attribute: None for each in FIELDS}


def session_with(resource: Resource, **options: object) -> Session:
    return Session(FakeTarget(resource, **options), tuple(BY_ID))  # type: ignore[arg-type]  # options of FakeTarget


def restored(session: Session, before: Mapping[str, str | None]) -> Restore:
    """What becomes of the settings of before, after the first account was written to."""
    session.safeguard.before[0] = before
    session.safeguard.changed.add(0)
    session.learn(reader=READ, takes_empty=False)
    return session.restorer().restore()


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


def test_a_field_that_was_null_and_no_longer_is_cannot_be_unset_and_is_listed() -> None:
    put_back = restored(session_with(changed()), NOTHING)
    assert put_back.state == "restored"
    assert put_back.unrestorable == tuple(each.attribute for each in FIELDS)
    assert put_back.failed == ()


def test_the_budget_s_reserve_is_enough() -> None:
    resource = changed()
    session = session_with(resource, max_requests=1)
    session.target.requests = 1
    assert restored(session, BEFORE).state == "restored"


def test_where_all_together_are_refused_each_is_written_by_itself() -> None:
    class OneByOne(Resource):
        def __call__(self, request: Request) -> Response | Failure:
            return refusal() if len(request.form() or ()) > 1 else super().__call__(request)

    resource = OneByOne()
    resource.states = changed().states
    assert restored(session_with(resource), BEFORE).state == "restored"
    assert {name: resource.states[0][name] for name in BEFORE} == BEFORE


def test_a_field_that_had_a_value_and_does_not_have_it_again_is_a_failure() -> None:
    class Sticky(Resource):
        def write(self, request: Request, values: Mapping[str, str]) -> None:
            super().write(
                request, {name: value for name, value in values.items() if name != CLOSED.attribute}
            )

    resource = Sticky()
    resource.states = changed().states
    put_back = restored(session_with(resource), BEFORE)
    assert (put_back.state, put_back.failed) == ("failed", (CLOSED.attribute,))


def test_another_spelling_of_a_value_is_that_value() -> None:
    class Normalising(Resource):
        def write(self, request: Request, values: Mapping[str, str]) -> None:
            super().write(
                request, {name: "PT420S" if value == "PT7M" else value for name, value in values.items()}
            )

    resource = Normalising()
    assert restored(session_with(resource), BEFORE).state == "restored"


def test_a_target_that_is_gone_has_nothing_put_back() -> None:
    resource = changed()
    session = session_with(resource)

    def dead(request: Request) -> Response | Failure:
        exchange = FakeTarget(resource).send(READ)
        raise TargetDead(exchange)

    session.target.answering = dead  # type: ignore[attr-defined]  # a FakeTarget
    put_back = restored(session, BEFORE)
    assert put_back.state == "failed"
    assert set(put_back.failed) == set(BEFORE)


def test_a_target_that_is_gone_is_not_said_to_be_restored_even_if_all_was_null() -> None:
    resource = changed()
    session = session_with(resource)

    def dead(request: Request) -> Response | Failure:
        raise TargetDead(FakeTarget(resource).send(READ))

    session.target.answering = dead  # type: ignore[attr-defined]  # a FakeTarget
    assert restored(session, NOTHING).state != "restored"


def test_settings_that_were_never_read_are_not_touched() -> None:
    session = session_with(changed())
    session.safeguard.changed |= {0, 1}
    assert session.restorer().restore().state == "not-read"
    assert session.target.requests == 0


class Interrupted(Resource):
    """Somebody presses Ctrl-C while the settings are put back, so many times."""

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
def test_an_interrupt_makes_it_begin_again_and_a_second_one_leaves_it(times: int, state: str) -> None:
    session = session_with(Interrupted(times))
    session.safeguard.before[0] = BEFORE
    session.safeguard.changed.add(0)
    put, interrupted = session.restorer().put_back()
    assert (put.state, interrupted) == (state, times > 0)
    assert set(put.failed) == (set(BEFORE) if state == "failed" else set())
    assert len(session.safeguard.notices) == times


def test_what_failed_is_tried_once_more() -> None:
    class Resetting(Resource):
        """The first connection is reset."""

        resets = 1

        def __call__(self, request: Request) -> Response | Failure:
            self.resets -= 1
            return (
                Failure(FailureKind.DISCONNECT, "closed") if self.resets >= -4 else super().__call__(request)
            )

    resource = Resetting()
    resource.states = changed().states
    assert restored(session_with(resource), BEFORE).state == "restored"


class TestJournal:
    """What is kept on disk goes when it is seen to be back, and stays otherwise."""

    def kept(self, directory: Path, resource: Resource, before: Mapping[str, str | None]) -> list[Path]:
        with Journal(directory, "http://a.test", ["AC1"]) as journal:
            session = Session(FakeTarget(resource), (), safeguard=Safeguard(journal=journal))
            session.safeguard.snapshot(0, before)
            session.safeguard.changed.add(0)
            session.learn(reader=READ, takes_empty=False)
            session.restorer().restore()
        return entries(directory)

    def test_what_is_back_is_forgotten(self, tmp_path: Path) -> None:
        assert self.kept(tmp_path, changed(), BEFORE) == []

    def test_what_is_not_is_kept(self, tmp_path: Path) -> None:
        class Stuck(Resource):
            def write(self, request: Request, values: Mapping[str, str]) -> None:
                """Nothing is written."""

        assert len(self.kept(tmp_path, Stuck(), BEFORE)) == 1

    def test_an_earlier_run_s_settings_are_what_is_put_back(self, tmp_path: Path) -> None:
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

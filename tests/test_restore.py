"""What was in force before a run is put back, and what could not be is said."""

from collections.abc import Mapping

from fakes import FakeTarget, Resource, refusal

from conformance.model import CHAT, CLOSED, FIELDS, INACTIVE, READ, Failure, Request, Response
from conformance.restore import restore
from conformance.rules import BY_ID
from conformance.session import Session
from conformance.target import TargetDead

BEFORE: Mapping[str, str | None] = {
    CHAT.attribute: "IS" + "7" * 32,
    INACTIVE.attribute: "PT7M",
    CLOSED.attribute: "PT77M",
}
NOTHING: Mapping[str, str | None] = {each.attribute: None for each in FIELDS}


def session_with(resource: Resource, **options: object) -> Session:
    return Session(FakeTarget(resource, **options), tuple(BY_ID))  # type: ignore[arg-type]  # options of FakeTarget


def changed() -> Resource:
    resource = Resource()
    resource.states[0] = {
        each.attribute: "P15D" if each.kind == "timer" else each.prefix + "0" * 32 for each in FIELDS
    }
    return resource


def test_the_values_are_written_back_in_one_update_and_read_again() -> None:
    resource = changed()
    session = session_with(resource)
    put_back = restore(session, [BEFORE], READ)
    assert (put_back.state, put_back.failed) == ("restored", ())
    assert {name: resource.states[0][name] for name in BEFORE} == BEFORE
    assert session.target.requests == 2


def test_a_field_that_was_null_and_no_longer_is_cannot_be_unset_and_is_listed() -> None:
    put_back = restore(session_with(changed()), [NOTHING], READ)
    assert put_back.state == "restored"
    assert put_back.unrestorable == tuple(each.attribute for each in FIELDS)
    assert put_back.failed == ()


def test_the_budget_s_reserve_is_enough() -> None:
    resource = changed()
    session = session_with(resource, max_requests=1)
    session.target.requests = 1
    assert restore(session, [BEFORE], READ).state == "restored"


def test_where_all_together_are_refused_each_is_written_by_itself() -> None:
    class OneByOne(Resource):
        def __call__(self, request: Request) -> Response | Failure:
            return refusal() if len(request.form() or ()) > 1 else super().__call__(request)

    resource = OneByOne()
    resource.states = changed().states
    assert restore(session_with(resource), [BEFORE], READ).state == "restored"
    assert {name: resource.states[0][name] for name in BEFORE} == BEFORE


def test_a_field_that_had_a_value_and_does_not_have_it_again_is_a_failure() -> None:
    class Sticky(Resource):
        def write(self, request: Request, values: Mapping[str, str]) -> None:
            super().write(
                request, {name: value for name, value in values.items() if name != CLOSED.attribute}
            )

    resource = Sticky()
    resource.states = changed().states
    put_back = restore(session_with(resource), [BEFORE], READ)
    assert (put_back.state, put_back.failed) == ("failed", (CLOSED.attribute,))


def test_another_spelling_of_a_value_is_that_value() -> None:
    class Normalising(Resource):
        def write(self, request: Request, values: Mapping[str, str]) -> None:
            super().write(
                request, {name: "PT420S" if value == "PT7M" else value for name, value in values.items()}
            )

    resource = Normalising()
    assert restore(session_with(resource), [BEFORE], READ).state == "restored"


def test_a_target_that_is_gone_has_nothing_put_back() -> None:
    resource = changed()
    session = session_with(resource)

    def dead(request: Request) -> Response | Failure:
        exchange = FakeTarget(resource).send(READ)
        raise TargetDead(exchange)

    session.target.answering = dead  # type: ignore[attr-defined]  # a FakeTarget
    put_back = restore(session, [BEFORE], READ)
    assert put_back.state == "failed"
    assert set(put_back.failed) == set(BEFORE)


def test_a_target_that_is_gone_is_not_said_to_be_restored_even_if_all_was_null() -> None:
    resource = changed()
    session = session_with(resource)

    def dead(request: Request) -> Response | Failure:
        raise TargetDead(FakeTarget(resource).send(READ))

    session.target.answering = dead  # type: ignore[attr-defined]  # a FakeTarget
    assert restore(session, [NOTHING], READ).state != "restored"


def test_settings_that_were_never_read_are_not_touched() -> None:
    session = session_with(changed())
    assert restore(session, [None, None], None).state == "not-read"
    assert session.target.requests == 0

"""A session judges answers, counts candidates, and puts settings in force."""

from dataclasses import replace

import pytest
from fakes import FakeTarget, Resource, answer, refusal, representation

from conformance.harness.session import Session
from conformance.http import EMPTY, NO_AUTH, Failure, FailureKind, Request, Response, update
from conformance.model import CLOSED, INACTIVE, Probe
from conformance.rules import BY_ID
from conformance.rules.probes import LONG_CLOSED, SHORT_INACTIVE


def session_with(answering: object, rules: tuple[str, ...] = tuple(BY_ID)) -> tuple[Session, FakeTarget]:
    target = FakeTarget(answering)  # type: ignore[arg-type]  # tests hand over functions of several types
    return Session(target, rules), target


def violated(session: Session) -> set[tuple[str, str]]:
    return {(rule, outcome) for rule, _, outcome in session.candidates}


GOOD = update((INACTIVE.parameter, "PT20M"))
BAD = update((INACTIVE.parameter, "banana"))


def test_a_conformant_resource_gives_no_candidate() -> None:
    session, _ = session_with(Resource())
    for request in (
        GOOD,
        BAD,
        GOOD,
        update(),
        update((CLOSED.parameter, "P30D"), (INACTIVE.parameter, "PT1M")),
    ):
        session.conversation.send(request, "class")
    assert not session.candidates


def test_a_violation_is_one_candidate_for_each_rule_class_and_outcome_and_counted() -> None:
    session, _ = session_with(lambda request: answer(200, representation()))
    for _ in range(3):
        session.conversation.send(BAD, "class")
    (candidate,) = [each for key, each in session.candidates.items() if key[0] == "inactive-timer-syntax"]
    assert len(candidate.numbers) == 3
    assert candidate.exchange.number == 1


def test_rules_that_were_not_selected_give_no_candidate() -> None:
    session, _ = session_with(lambda request: answer(200, representation()), ("media-type",))
    session.conversation.send(BAD, "class")
    assert not session.candidates


def test_a_probe_has_its_context_put_in_force_once() -> None:
    session, target = session_with(Resource())
    for value in ("PT2M", "PT3M"):
        session.run_probe(
            Probe(steps=(update((INACTIVE.parameter, value)),), context=(LONG_CLOSED,)), "rule", "class"
        )
    assert [request.form() for request in target.sent] == [
        (LONG_CLOSED,),
        ((INACTIVE.parameter, "PT2M"),),
        ((INACTIVE.parameter, "PT3M"),),
    ]


def test_a_context_that_never_comes_into_force_is_given_up() -> None:
    session, target = session_with(
        lambda request: answer(200, representation({"default_closed_timer": "PT10M"}))
    )
    for _ in range(20):
        session.run_probe(Probe(steps=(GOOD,), context=(LONG_CLOSED,)), "rule", "class")
    assert sum(request.form() == (LONG_CLOSED,) for request in target.sent) < 6


def test_each_kind_of_answer_is_counted() -> None:
    session, _ = session_with(Resource())
    session.conversation.send(GOOD, "class")
    session.conversation.send(BAD, "class")
    assert session.judge.kinds["answer/update"] == {"200": 1}
    assert session.judge.kinds["answer/refusal"] == {"400": 1}


def test_after_a_server_error_an_ordinary_update_on_a_fresh_connection_must_work() -> None:
    right = Resource()
    broken = False

    def breaks(request: Request) -> Response | Failure:
        nonlocal broken
        broken = broken or request == BAD
        return refusal(503) if broken else right(request)

    session, target = session_with(breaks)
    session.conversation.send(BAD, "class")
    assert target.sent[-1] == replace(update(LONG_CLOSED), fresh=True)
    assert {("no-server-error", "server-error"), ("stays-usable", "unusable")} <= violated(session)


def test_a_server_error_alone_does_not_make_the_target_unusable() -> None:
    right = Resource()
    session, _ = session_with(lambda request: refusal(500) if request == BAD else right(request))
    session.conversation.send(BAD, "class")
    assert violated(session) == {("no-server-error", "server-error")}


def test_a_request_without_an_answer_is_a_violation_and_the_run_goes_on() -> None:
    right = Resource()
    silent = Failure(FailureKind.TIMEOUT, "no byte for 10 s")
    session, _ = session_with(lambda request: silent if request == BAD else right(request))
    session.conversation.send(BAD, "class")
    session.conversation.send(GOOD, "class")
    assert violated(session) == {("every-request-answered", "timeout")}


def test_an_answer_that_may_have_come_too_early_is_asked_for_again_within_the_settle_time() -> None:
    right = Resource()
    stale = iter([True])

    def late(request: Request) -> Response | Failure:
        shown = right(request)
        if request.form() == (LONG_CLOSED,) and next(stale, False):
            return answer(200, representation({"default_closed_timer": "P30D"}))
        return shown

    for settle, expected in ((0.0, {"omitted-parameters-kept"}), (0.01, set())):
        stale = iter([True])
        session = Session(FakeTarget(late), tuple(BY_ID), settle=settle)
        session.conversation.send(GOOD, "class")
        session.conversation.send(update(LONG_CLOSED), "class")
        assert {rule for rule, _ in violated(session)} == expected


def test_settings_are_read_back_after_many_refusals_to_see_what_these_have_written() -> None:
    session, target = session_with(Resource())
    session.conversation.send(GOOD, "class")
    for _ in range(80):
        session.run_probe(Probe(steps=(BAD,)), "rule", "class")
    assert sum(request != BAD for request in target.sent[1:]) >= 2


class Sulks(Resource):
    """Refuses the next good credentials after bad ones."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times
        self.left = 0

    def __call__(self, request: Request) -> Response | Failure:
        if request.auth == NO_AUTH:
            self.left = self.times
            return refusal(401, ("WWW-Authenticate", 'Basic realm="t"'))
        if self.left:
            self.left -= 1
            return refusal(403)
        return super().__call__(request)


@pytest.mark.parametrize("times", [1, 3])
def test_good_credentials_that_an_earlier_request_spoils_are_no_matter_of_the_value(times: int) -> None:
    session, _ = session_with(Sulks(times))
    good = update(SHORT_INACTIVE, LONG_CLOSED)
    for request in (good, replace(EMPTY, auth=NO_AUTH), update(LONG_CLOSED)):
        session.conversation.send(request, "class")
    assert {rule for rule, _, _ in session.candidates} == {"stays-usable"}


def test_credentials_that_one_value_alone_spoils_are_a_matter_of_that_value() -> None:
    class Forbids(Resource):
        def __call__(self, request: Request) -> Response | Failure:
            return refusal(403) if b"P30D" in (request.body or b"") else super().__call__(request)

    session, _ = session_with(Forbids())
    for request in (update(SHORT_INACTIVE, (CLOSED.parameter, "PT30M")), update(LONG_CLOSED)):
        session.conversation.send(request, "class")
    assert "closed-timer-accept" in {rule for rule, _, _ in session.candidates}

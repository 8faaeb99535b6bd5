"""A recording that is served in place of the target."""

import json

import pytest
from fakes import Resource, refusal

from conformance.fidelity.recording import Recording
from conformance.fidelity.running import run
from conformance.fidelity.serving import Answered, Replay
from conformance.http import Failure, Request, Response
from conformance.transport.credentials import THROWAWAY, authorization
from fidelity.played import player, recorded, recorded_once

BASE = "http://localhost:4007"
OWN = authorization(Request().auth, THROWAWAY[0], THROWAWAY[1])
FORM = "application/x-www-form-urlencoded"


def served(recording: Recording) -> "tuple[Replay, type[Resource]]":
    """A replay of a recording, and a resource that answers by it."""
    replay = Replay(recording, THROWAWAY)

    class Like(Resource):
        def __call__(self, request: Request) -> Response | Failure:
            other = THROWAWAY[1 - request.account]
            sent = authorization(request.auth, THROWAWAY[request.account], other)
            header = sent[0] if sent is not None else None
            came = replay.answer(
                request.method,
                request.query,
                request.body or b"",
                request.content_type,
                header,
                "http://fake.test",
            )
            return Response(status=came.status, headers=tuple(came.headers), body=came.body)

    return replay, Like


def posted(replay: Replay, body: bytes) -> Answered:
    assert OWN is not None
    return replay.answer("POST", "", body, FORM, OWN[0], BASE)


class TestReplay:
    @pytest.fixture(scope="class")
    @staticmethod
    def recording() -> Recording:
        return recorded_once()[0]

    def test_it_answers_the_script_as_the_target_did(self, recording: Recording) -> None:
        _, like = served(recording)
        found = run((recording, player(like())), None)
        assert found.groups == ()
        assert found.comparison.not_comparable == 0

    def test_it_keeps_what_was_set(self, recording: Recording) -> None:
        replay, _ = served(recording)
        assert json.loads(posted(replay, b"DefaultClosedTimer=P30D").body)["default_closed_timer"] == "P30D"
        shown = json.loads(posted(replay, b"DefaultInactiveTimer=PT1M").body)
        assert (shown["default_inactive_timer"], shown["default_closed_timer"]) == ("PT1M", "P30D")

    def test_the_order_of_parameters_does_not_matter(self, recording: Recording) -> None:
        replay, _ = served(recording)
        assert posted(replay, b"DefaultClosedTimer=P30D&DefaultInactiveTimer=PT1M").status == 200

    def test_what_was_refused_is_refused(self, recording: Recording) -> None:
        replay, _ = served(recording)
        assert posted(replay, b"DefaultClosedTimer=PT599S").status == 400

    def test_what_was_not_recorded_gets_a_501_that_names_it(self, recording: Recording) -> None:
        replay, _ = served(recording)
        answer = posted(replay, b"DefaultClosedTimer=PT61M")
        assert answer.status == 501
        assert "DefaultClosedTimer=PT61M" in json.loads(answer.body)["message"]

    def test_other_credentials_are_refused_as_they_were(self, recording: Recording) -> None:
        replay, _ = served(recording)
        assert replay.answer("POST", "", b"DefaultClosedTimer=PT600S", FORM, "Basic eDp5", BASE).status == 401

    def test_what_depended_on_a_state_that_is_not_now_is_not_guessed(self) -> None:
        class Moody(Resource):
            """Refuses the closed timer of 30 days every second time."""

            asked = 0

            def __call__(self, request: Request) -> Response | Failure:
                self.asked += request.body == b"DefaultClosedTimer=P30D"
                if request.body == b"DefaultClosedTimer=P30D" and self.asked % 2:
                    return refusal()
                return super().__call__(request)

        replay, _ = served(recorded(Moody())[0])
        answer = posted(replay, b"DefaultClosedTimer=P30D")
        assert answer.status == 501
        assert "in other states only" in json.loads(answer.body)["message"]

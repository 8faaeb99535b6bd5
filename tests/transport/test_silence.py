"""What the last answers of a target say about a request that may have ended it."""

import time
from dataclasses import replace

import hostile
import pytest
from playing import UPDATE, playing

from conformance.exceptions import TargetDead
from conformance.http import READ, ByHand, Exchange, Failure, FailureKind, Response
from conformance.transport.silence import Silence, without_answer


def answered(number: int, **times: float) -> Exchange:
    return Exchange(number=number, request=READ, response=Response(status=200), connection=1, **times)  # type: ignore[arg-type]  # of started and elapsed


def failed(number: int, kind: FailureKind, **times: float) -> Exchange:
    exchange = replace(answered(number, **times), response=None, failure=Failure(kind, str(kind)))
    return replace(exchange, connection=0) if kind is FailureKind.CONNECT else exchange


def after(*exchanges: Exchange) -> Silence:
    silence = Silence()
    for exchange in exchanges:
        silence.saw(exchange)
    return silence


CUT, HUNG, SHUT = FailureKind.DISCONNECT, FailureKind.TIMEOUT, FailureKind.CONNECT


@pytest.mark.parametrize(
    ("seen", "suspects"),
    [
        ([answered(1), failed(2, CUT), failed(3, SHUT)], [2]),
        ([failed(1, CUT), failed(2, SHUT)], [1]),
        ([answered(1), failed(2, HUNG), failed(3, CUT), failed(4, SHUT)], [2]),
        ([answered(1), failed(2, SHUT)], []),  # it was stopped between two requests
        ([answered(1), failed(2, HUNG), failed(3, SHUT)], []),  # the network is down
        ([answered(1), failed(2, CUT)], []),
        ([answered(1), failed(2, CUT), answered(3), failed(4, SHUT)], []),
        ([failed(1, SHUT)], []),
    ],
)
def test_the_first_request_that_was_cut_is_suspect_where_no_connection_can_be_opened_after_it(
    seen: list[Exchange], suspects: list[int]
) -> None:
    seen = [replace(each, started=float(each.number)) for each in seen]
    assert [each.number for each in after(*seen).suspects] == suspects


def test_all_requests_under_way_at_the_same_time_are_suspect_though_one_of_them_was_answered() -> None:
    silence = after(
        failed(2, CUT, started=1.0, elapsed=0.3),
        answered(1, started=1.0, elapsed=0.4),
        failed(3, CUT, started=1.1, elapsed=0.3),
        failed(4, CUT, started=2.0, elapsed=0.1),
        failed(5, SHUT, started=3.0),
    )
    assert [(each.number, each.together) for each in silence.suspects] == [(2, True), (3, True)]
    assert without_answer(silence.suspects) == "requests 2, 3, sent at the same time, got no answer"


@pytest.mark.parametrize(
    ("seen", "line"),
    [
        ([failed(1, SHUT)], "cannot be reached: connect"),
        (
            [answered(1), failed(2, SHUT)],
            "answered until request 1, and cannot be reached since: connect",
        ),
        (
            [answered(1), failed(2, CUT), failed(3, SHUT)],
            "answered until request 1; request 2 got no answer (disconnect), and it cannot be reached since: connect",
        ),
    ],
)
def test_one_line_says_how_the_target_went_away(seen: list[Exchange], line: str) -> None:
    assert after(*seen).line("http://fake.test") == f"http://fake.test {line}"


def test_an_outage_is_counted_once_and_only_of_a_target_that_was_there() -> None:
    assert after(failed(1, SHUT), failed(2, SHUT)).outages == 0
    seen = [answered(1), failed(2, SHUT), failed(3, SHUT), answered(4), failed(5, SHUT)]
    assert after(*seen).outages == 2


@pytest.mark.slow
class TestServers:
    """A server on loopback that goes away, and may be started again."""

    @staticmethod
    def _dies_of(part: bytes) -> hostile.Play:
        """A server that stops at a request which holds some bytes."""

        def play(connection: hostile.Connection) -> None:
            for request in connection.requests():
                if part in request:
                    connection.server.stop()
                    return
                connection.answer()

        return play

    def test_a_server_that_dies_of_a_request_and_is_started_again_is_asked_once_more(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The request went over a kept connection first, so that alone it would prove nothing."""
        with playing(self._dies_of(b"PT10M")) as (server, target):
            monkeypatch.setattr(time, "sleep", lambda seconds: server.start())
            assert target.send(READ).status == 200
            exchange = target.send(UPDATE)
            assert exchange.failure is not None
            assert (exchange.failure.kind, exchange.place) == (FailureKind.DISCONNECT, 1)
            assert target.send(READ).status == 200
            assert (target.silence.suspects, target.silence.outages) == ((), 2)

    def test_a_server_that_dies_of_the_read_before_a_request_answers_that_request_by_itself(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with playing(self._dies_of(b"GET ")) as (server, target):
            monkeypatch.setattr(time, "sleep", lambda seconds: server.start())
            assert target.send(replace(UPDATE, by_hand=ByHand.PIPELINED)).status == 200

    def test_a_server_that_dies_of_a_request_for_good_is_dead_and_the_request_is_suspect(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(time, "sleep", lambda seconds: None)
        with playing(self._dies_of(b"PT10M")) as (_, target):
            assert target.send(READ).status == 200
            with pytest.raises(TargetDead, match="answered until request 1; request 2 got no answer"):
                target.send(UPDATE)
            assert [each.request for each in target.silence.suspects] == [UPDATE]

    def test_a_server_that_is_stopped_between_two_requests_is_dead_and_no_request_is_suspect(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(time, "sleep", lambda seconds: None)
        with playing("good") as (server, target):
            assert target.send(READ).status == 200
            server.stop()
            with pytest.raises(TargetDead, match="answered until request 1, and cannot be reached since"):
                target.send(UPDATE)
            assert target.silence.suspects == ()

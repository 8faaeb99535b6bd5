"""A run waits for a target that is being started, whatever it answers."""

import socket
import threading
from collections.abc import Iterator

import pytest
from conftest import Clock
from hostile import Connection, Hostile

from conformance.transport.credentials import THROWAWAY
from conformance.transport.target import TargetSettings
from conformance.transport.waiting import wait_for_answer

ANSWER = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@pytest.fixture
def port() -> Iterator[int]:
    """A port that hangs up on the first two connections, as that of a container does, and then answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        received: list[bytes] = []

        def serve() -> None:
            for number in range(3):
                connection, _ = listener.accept()
                with connection:
                    received.append(connection.recv(65536))
                    if number == 2:
                        connection.sendall(ANSWER)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(timeout=10)
        assert not thread.is_alive()
        assert all(b"authorization" not in each.lower() for each in received)


def settings(port: int) -> TargetSettings:
    return TargetSettings(url=f"http://127.0.0.1:{port}", accounts=THROWAWAY, max_requests=1)


def test_it_waits_until_there_is_an_answer_and_sends_no_credentials(port: int) -> None:
    wait_for_answer(settings(port), 60)


def test_it_waits_for_a_port_that_hangs_up_and_then_is_closed_for_a_while(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sleep(seconds: float) -> None:
        clock.now += seconds
        if clock.now > 1_010.0:
            server.start()
        else:
            server.stop()

    answers = iter([False, True])

    def play(connection: Connection) -> None:
        for _ in connection.requests():
            if not next(answers):
                return
            connection.answer()

    with Hostile(play) as server:
        monkeypatch.setattr(clock, "sleep", sleep)
        wait_for_answer(TargetSettings(url=server.url), 60)
        assert len(server.received) == 2


def test_it_ends_without_an_answer_when_the_time_is_over(clock: Clock) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        began = clock.now
        wait_for_answer(settings(nobody.getsockname()[1]), 60)
    assert 59 <= clock.now - began < 60

"""A server on loopback between a run and a right emulator: it changes answers, or gives some of its own."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from server_side import Connection, Hostile

Ask = Callable[[], bytes]
"""Has the emulator answer the request, and returns the bytes of the answer."""


class Last(bytes):
    """An answer after which the connection is closed, whatever it says."""


Answer = Callable[[int, bytes, Ask], bytes | None]
"""Returns the bytes to answer a request with, by its number in the run; None to close the connection instead."""


@contextmanager
def between(url: str, answer: Answer, idle: float | None = None) -> Iterator[Hostile]:
    """
    Serve with the help of the emulator at a base URL; a body that is framed by its length alone is understood.

    A connection on which no further request comes for `idle` seconds is closed.
    """
    parts, lock, count = urlsplit(url), threading.Lock(), 0

    def play(connection: Connection) -> None:
        nonlocal count
        with socket.create_connection((parts.hostname or "", parts.port or 80)) as upstream:
            emulator = Connection(upstream, connection.server)
            for request in connection.requests():
                with lock:
                    count += 1
                    number = count

                def ask(request: bytes = request) -> bytes:
                    upstream.sendall(request)
                    with_body = not request.startswith(b"HEAD ")
                    while (said := emulator.message(with_body=with_body)).startswith(b"HTTP/1.1 100 "):
                        pass  # the server goes on, as a request has asked: that is no answer yet
                    return said

                said = answer(number, request, ask)
                if said is None:
                    return
                connection.send(said)
                connection.stream.settimeout(idle)
                if isinstance(said, Last):
                    return

    with Hostile(play) as server:
        yield server

"""One server on loopback and its connections, from the server's side; `hostile.py` has what it plays."""

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

GOOD = (
    b'{"account_sid": "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "default_chat_service_sid": null, '
    b'"default_messaging_service_sid": null, "default_inactive_timer": "PT1M", '
    b'"default_closed_timer": "PT10M", "url": "http://127.0.0.1/v1/Configuration"}'
)


class Connection:
    """One accepted connection, from the server's side."""

    def __init__(self, stream: socket.socket, server: "Hostile") -> None:
        self.stream = stream
        self.server = server
        self._buffer = b""

    def send(self, *parts: bytes) -> None:
        """Write bytes as they are."""
        self.stream.sendall(b"".join(parts))

    def answer(self, body: bytes = GOOD, *headers: bytes, status: bytes = b"200 OK") -> None:
        """Write a well-formed response."""
        lines = [b"HTTP/1.1 " + status, b"Content-Type: application/json", *headers]
        if not any(line.lower().startswith((b"content-length:", b"transfer-encoding:")) for line in headers):
            lines.append(b"Content-Length: %d" % len(body))
        self.send(b"\r\n".join(lines), b"\r\n\r\n", body)

    def requests(self) -> Iterator[bytes]:
        """Yield the bytes of every request until the client closes."""
        while True:
            head = self._until(b"\r\n\r\n")
            if head is None:
                return
            lower = head.lower()
            body = b""
            if b"\r\ntransfer-encoding: chunked" in lower:
                size = 1
                while size and (line := self._until(b"\r\n")) is not None:
                    size = int(line.partition(b";")[0], 16)
                    body += line + (self._exactly(size + 2) if size else b"")
                while (line := self._until(b"\r\n")) is not None:  # trailers, if any, and an empty line
                    body += line
                    if line == b"\r\n":
                        break
            elif b"\r\ncontent-length:" in lower:
                body = self._exactly(int(lower.partition(b"\r\ncontent-length:")[2].split(b"\r\n")[0]))
            with self.server.lock:
                self.server.received.append(head + body)
            yield head + body

    def message(self, *, with_body: bool) -> bytes:
        """Read one whole message that has a Content-Length or no body."""
        head = self._until(b"\r\n\r\n") or b""
        length = head.lower().partition(b"\r\ncontent-length:")[2].split(b"\r\n")[0]
        return head + self._exactly(int(length) if length and with_body else 0)

    def unread(self, request: bytes) -> None:
        """Put a request back, so that it is read again."""
        self._buffer = request + self._buffer

    def reset(self) -> None:
        """Close with a TCP reset."""
        self.stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.stream.close()

    def wait(self) -> None:
        """Do nothing until the client closes."""
        while self.stream.recv(1 << 16):
            pass

    def _until(self, end: bytes) -> bytes | None:
        while end not in self._buffer:
            data = self.stream.recv(1 << 16)
            if not data:
                return None
            self._buffer += data
        head, _, self._buffer = self._buffer.partition(end)
        return head + end

    def _exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            data = self.stream.recv(1 << 16)
            if not data:
                break
            self._buffer += data
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken


Play = Callable[[Connection], None]
PLAYS: dict[str, Play] = {}
"""The plays by name; `hostile.py` enters them."""


class Hostile:
    """
    A server that gives one play to every connection, on a free port of 127.0.0.1.

    Args:
        play: A key of `PLAYS`, or a play of the caller's own.
        context: The TLS context; without it the server speaks plain HTTP.
        port: The TCP port; 0 for any free one.
        behind: Host and port of a server that answers all requests without `trigger`.
        trigger: Bytes in a request that start the play.
    """

    def __init__(
        self,
        play: str | Play,
        context: ssl.SSLContext | None = None,
        port: int = 0,
        behind: tuple[str, int] | None = None,
        trigger: bytes = b"",
    ) -> None:
        self._play = PLAYS[play] if isinstance(play, str) else play
        self._behind = behind
        self._trigger = trigger
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", port), backlog=64)
        self._streams: list[socket.socket] = []
        self.lock = threading.Lock()
        self.stopped = threading.Event()
        self.received: list[bytes] = []
        """The bytes of every request."""
        self.connections = 0
        scheme = "https" if context else "http"
        self.url = f"{scheme}://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Close all connections, and take no others."""
        if self.stopped.is_set():
            return
        self.stopped.set()
        streams, self._streams = self._streams, []  # those of a server that is started again are others
        # Closing alone does not wake the thread that accepts.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for stream in streams:
            with contextlib.suppress(OSError):
                stream.shutdown(socket.SHUT_RDWR)

    def start(self) -> None:
        """Take connections again, on the same port."""
        self._listener = socket.create_server(("127.0.0.1", int(self.url.rpartition(":")[2])), backlog=64)
        self.stopped.clear()
        self.__enter__()

    def _accept(self) -> None:
        while not self.stopped.is_set():
            try:
                stream, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._streams.append(stream)
            threading.Thread(target=self._serve, args=(stream,), daemon=True).start()

    def _serve(self, stream: socket.socket) -> None:
        # The client may go away, or close before its request is complete, at any point of a play.
        with contextlib.suppress(OSError, StopIteration), stream:
            if self._context:
                stream = self._context.wrap_socket(stream, server_side=True)
            with stream:
                connection = Connection(stream, self)
                if self._behind is None or self._forward(connection, self._behind):
                    self._play(connection)

    def _forward(self, connection: Connection, behind: tuple[str, int]) -> bool:
        """Have another server answer; return whether a request came that starts the play."""
        with socket.create_connection(behind) as upstream:
            answers = Connection(upstream, self)
            for request in connection.requests():
                if self._trigger in request:
                    connection.unread(request)
                    return True
                upstream.sendall(request)
                connection.send(answers.message(with_body=not request.startswith(b"HEAD ")))
        return False

"""A server that remembers every request to the byte, for what is pasted or run by a reader of a report."""

import base64
import itertools
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Received:
    """One request as it came in."""

    method: str = ""
    path: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    connection: int = 0
    """The number of its connection, from 1."""

    def values(self, name: str) -> list[str]:
        """The values of a header, by case-insensitive name."""
        return [value for key, value in self.headers if key.lower() == name]

    def credentials(self) -> tuple[str, str, str]:
        """Scheme, user name and password (RFC 7617)."""
        scheme, _, encoded = self.values("authorization")[0].partition(" ")
        user, _, secret = base64.b64decode(encoded).decode().partition(":")
        return scheme, user, secret


class Recorder(socketserver.ThreadingTCPServer):
    """Answers 200 to everything and keeps it in `received`; none of `together` requests before all have come."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, together: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.received: list[Received] = []
        self.connections = itertools.count(1)
        self.all_have_come = threading.Barrier(together, timeout=20)

    @property
    def url(self) -> str:
        """The resource's URL."""
        return f"http://127.0.0.1:{self.server_address[1]}/v1/Configuration"


class _Handler(socketserver.StreamRequestHandler):
    server: Recorder

    def handle(self) -> None:
        connection = next(self.server.connections)
        while line := self.rfile.readline():
            received = self._read(line.decode("latin-1"))
            received.connection = connection
            self.server.received.append(received)
            self.server.all_have_come.wait()
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    def _read(self, first: str) -> Received:
        method, path, _ = first.split(" ")
        headers = []
        while line := self.rfile.readline().rstrip(b"\r\n"):
            name, _, value = line.partition(b":")
            headers.append((name.decode("latin-1"), value.strip().decode("utf-8")))
        received = Received(method, path, headers)
        if received.values("transfer-encoding") == ["chunked"]:
            while size := int(self.rfile.readline(), 16):
                received.body += self.rfile.read(size + 2)[:-2]
            self.rfile.readline()
        else:
            received.body = self.rfile.read(int((received.values("content-length") or ["0"])[0]))
        return received


@contextmanager
def serving(together: int = 1) -> Iterator[Recorder]:
    """A recorder that listens on a free loopback port."""
    with Recorder(together) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()

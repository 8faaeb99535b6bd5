"""All traffic of a run goes to the one origin and path, whatever the target and the libraries try."""

import json
import subprocess
import sys
import threading
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import hostile
import pytest

from conformance.http import PATH
from conformance.transport.writing import METHODS

pytestmark = pytest.mark.slow

# Every connection, and every name that is looked up, of a process and its libraries: nothing in it can connect
# without these events (docs.python.org/3/library/audit_events.html).
AUDITED = """
import json, sys
seen = []
def audit(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname"):
        seen.append([event, repr(arguments[1] if event in ("socket.connect", "socket.sendto") else arguments[0])])
    if event in ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork"):
        seen.append([event, ""])
sys.addaudithook(audit)
from conformance.cli import main
try:
    main(sys.argv[2:])
except SystemExit as ended:
    with open(sys.argv[1], "w") as file:
        json.dump({"code": ended.code, "seen": seen}, file)
"""


class Recorder:
    """A proxy that records the first line of every request, and forwards it."""

    def __init__(self, origin: str) -> None:
        self.lines: list[tuple[str, str, str | None]] = []
        """Method, target and Host of every request."""
        peer, lines = urlsplit(origin).netloc, self.lines

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def __getattr__(self, name: str) -> object:
                if name.startswith("do_"):
                    return self.forward
                raise AttributeError(name)

            def forward(self) -> None:
                lines.append((self.command, self.path, self.headers["Host"]))
                body = b""
                if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
                    while size := int(self.rfile.readline(), 16):
                        body += self.rfile.read(size)
                        self.rfile.readline()
                    self.rfile.readline()
                else:
                    body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                parts = urlsplit(self.path)
                upstream = HTTPConnection(peer, timeout=10)
                wanted = {name: value for name, value in self.headers.items() if name != "Transfer-Encoding"}
                path = f"{parts.path}?{parts.query}" if parts.query else parts.path
                upstream.request(self.command, path, body, {**wanted, "Content-Length": str(len(body))})
                answer = upstream.getresponse()
                content = answer.read()
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
                upstream.close()

            def log_message(self, *arguments: object) -> None:
                """Nobody reads it."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def audited(where: Path, *arguments: str) -> tuple[int, list[list[str]]]:
    """The exit status of a command, and every connection that its process made or tried to make."""
    log = where / "audit.json"
    done = subprocess.run(
        [sys.executable, "-c", AUDITED, str(log), *arguments],
        cwd=where,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert log.exists(), done.stderr
    document = json.loads(log.read_text())
    return document["code"], document["seen"]


@pytest.mark.parametrize("profile", ["quick", "standard"])
def test_through_a_recording_proxy_there_is_one_origin_one_path_and_no_other_method(
    tmp_path: Path, emulator_url: str, profile: str
) -> None:
    with Recorder(emulator_url) as proxy:
        arguments = [
            "--target",
            emulator_url,
            "--proxy",
            proxy.url,
            "--profile",
            profile,
            "--max-requests",
            "900",
        ]
        code, seen = audited(tmp_path, "run", *arguments)
    assert code in (0, 1)
    assert len(proxy.lines) > 200
    assert {target.partition("?")[0] for _, target, _ in proxy.lines} == {emulator_url + PATH}
    assert {host for _, _, host in proxy.lines} == {urlsplit(emulator_url).netloc}
    assert {method for method, _, _ in proxy.lines} <= METHODS
    assert len({method for method, _, _ in proxy.lines}) > 4
    # And past the proxy there was nothing.
    peer = urlsplit(proxy.url).port
    assert {what for event, what in seen if event == "socket.connect"} == {f"('127.0.0.1', {peer})"}
    assert {event for event, _ in seen} <= {"socket.connect", "socket.getaddrinfo"}
    assert {what for event, what in seen if event == "socket.getaddrinfo"} <= {"'127.0.0.1'"}


def elsewhere(connection: hostile.Connection) -> None:
    """Answers good requests, and sends whoever asks anything else to a server of its own."""
    other = connection.server.url.replace("127.0.0.1", "127.0.0.2").encode()
    for number, _ in enumerate(connection.requests()):
        status = (b"301 Moved", b"302 Found", b"303 See Other", b"307 Temporary", b"308 Permanent")[
            number % 5
        ]
        headers = (
            b"Location: " + other + b"/stolen",
            b'Alt-Svc: h2="127.0.0.2:443"',
            b"Refresh: 0;url=" + other,
        )
        if len(connection.server.received) < 4 or number % 7 == 0:
            connection.answer(hostile.GOOD, *headers[1:])
        else:
            connection.answer(b"", *headers, status=status)


def test_a_target_that_redirects_is_not_followed(tmp_path: Path) -> None:
    with hostile.Hostile(elsewhere) as server:
        code, seen = audited(tmp_path, "run", "--target", server.url, "--profile", "quick")
    assert code == 1
    assert len(server.received) > 100
    peer = urlsplit(server.url).port
    assert {what for event, what in seen if event == "socket.connect"} == {f"('127.0.0.1', {peer})"}
    assert {request.split(b" ")[1].partition(b"?")[0] for request in server.received} == {PATH.encode()}
    assert {event for event, _ in seen} <= {"socket.connect", "socket.getaddrinfo"}


def test_planning_connects_to_nothing(tmp_path: Path) -> None:
    assert audited(tmp_path, "plan", "--json") == (0, [])
    assert audited(tmp_path, "plan", "--profile", "quick") == (0, [])

"""The emulator as a process of its own."""

import asyncio
import re
import signal
import socket
import subprocess
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from conformance.emulator import Step, server
from conformance.emulator.alterations import WITNESS_ACCOUNTS

from .durability import write_through_kills
from .serving import ACCOUNTS, CLOSED, PATH, raw, raw_request, running, start

pytestmark = pytest.mark.slow

AUTH = ACCOUNTS[0]
READ = Step(method="GET")


def test_the_port_file_holds_the_port_once_the_emulator_listens(tmp_path: Path) -> None:
    file = tmp_path / "port"
    with running("--port-file", str(file)) as emulator:
        assert emulator.url == f"http://127.0.0.1:{int(file.read_text())}"
        assert httpx.get(emulator.url + PATH, auth=AUTH).status_code == 200
        assert [item.name for item in tmp_path.iterdir()] == ["port"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it_cleanly_and_quietly(number: signal.Signals) -> None:
    with running() as emulator:
        httpx.post(emulator.url + PATH, auth=AUTH, data={"DefaultInactiveTimer": "PT1H"})
        emulator.process.send_signal(number)
        assert emulator.process.wait(timeout=5) == 0
        assert emulator.process.stdout is not None
        assert emulator.process.stdout.read() == ""


def test_a_request_that_is_never_answered_does_not_keep_it_alive() -> None:
    with running("--fault", "hang-on-nul") as emulator:
        assert raw(emulator.url, raw_request(Step("DefaultInactiveTimer=%00"))) == b""
        emulator.process.terminate()
        assert emulator.process.wait(timeout=5) == 0


def test_it_ends_with_the_program_that_started_it() -> None:
    process = start("--exit-with-parent", stdin=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stdout.readline().startswith("Listening on ")
    process.stdin.close()
    assert process.wait(timeout=5) == 0
    process.stdout.close()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--fault", "nonsense-of-mine"], "there is no fault named"),
        (["--fault", "qqqq"], "`conformance serve --list-faults` lists them"),
        (["--variant", "chunke"], "did you mean chunked"),
        (["--database", "/"], "it is a directory"),
        (["--host", "192.0.2.1"], "Cannot assign requested address"),
        (["--port-file", "/nonexistent/port"], "No such file or directory"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(arguments: list[str], told: str) -> None:
    process = start(*arguments)
    output, _ = process.communicate(timeout=10)
    assert process.returncode == 2
    assert told in output.splitlines()[-1]
    assert "Traceback" not in output


def test_a_port_in_use_is_told_in_one_line() -> None:
    with running() as emulator:
        process = start("--port", emulator.url.rpartition(":")[2])
        output, _ = process.communicate(timeout=10)
    assert (process.returncode, len(output.splitlines())) == (2, 1)
    assert "in use" in output


def test_no_account_is_told_in_one_line() -> None:
    process = start(accounts={})
    output, _ = process.communicate(timeout=10)
    assert (process.returncode, len(output.splitlines())) == (2, 1)
    assert "no account was given" in output


def test_answers_to_what_is_hardly_http_are_client_errors() -> None:
    with running() as emulator:
        for data in (
            b"\r\n\r\n\r\n",
            b"nonsense\r\n\r\n",
            b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 1_000_000 + b"\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
            b"GET / HTTP/1.1\r\n\r\n",
        ):
            assert raw(emulator.url, data).startswith((b"HTTP/1.1 400", CLOSED))
        assert httpx.get(emulator.url + PATH, auth=AUTH).status_code == 200


def test_the_absolute_form_of_a_target_is_taken() -> None:
    with running() as emulator:
        answer = raw(emulator.url, raw_request(Step(method="GET", path=f"http://emulator.test{PATH}")))
        assert answer.startswith(b"HTTP/1.1 200 OK")
        assert b'"url": "http://emulator.test/v1/Configuration"' in answer


def test_requests_in_one_packet_are_answered_in_order() -> None:
    with running() as emulator:
        requests = [raw_request(Step(f"DefaultInactiveTimer=PT{hours}H")) for hours in range(1, 6)]
        answers = raw(emulator.url, b"".join(requests))
        assert answers.count(b"HTTP/1.1 200 OK") == 5
        positions = [answers.index(f'"PT{hours}H"'.encode()) for hours in range(1, 6)]
        assert positions == sorted(positions)


def test_200_clients_at_once_lose_no_update() -> None:
    accounts = {f"AC{number:032x}": f"token{number}" for number in range(50)}
    values = {
        "DefaultInactiveTimer": "PT1H",
        "DefaultClosedTimer": "P1D",
        "DefaultChatServiceSid": "IS" + "0" * 32,
        "DefaultMessagingServiceSid": "MG" + "0" * 32,
    }

    attributes = {name: re.sub("(?<!^)(?=[A-Z])", "_", name).lower() for name in values}

    async def update(url: str, account: tuple[str, str], name: str) -> None:
        # Nothing is encrypted here, and loading certificates 200 times is slow.
        async with httpx.AsyncClient(auth=account, timeout=30, verify=False) as client:  # noqa: S501 - as said
            for _ in range(3):
                response = await client.post(url, data={name: values[name]})
                assert response.status_code == 200, response.text
                assert response.json()[attributes[name]] == values[name]

    async def run(url: str) -> None:
        await asyncio.gather(*(update(url, account, name) for account in accounts.items() for name in values))
        async with httpx.AsyncClient() as client:
            for account in accounts.items():
                shown = (await client.get(url, auth=account)).json()
                assert values == {name: shown[attributes[name]] for name in values}

    with running(accounts=accounts) as emulator:
        asyncio.run(run(emulator.url + PATH))


def test_kills_in_the_midst_of_writes_lose_no_acknowledged_update(tmp_path: Path) -> None:
    assert write_through_kills(tmp_path / "state.db", writes=600, kills=3, seed=0) == []


def test_it_listens_on_loopback_alone_unless_told() -> None:
    with running() as emulator:
        port = int(emulator.url.rpartition(":")[2])
        # All of 127.0.0.0/8 is this machine: a socket bound to every address would answer here too.
        with socket.socket() as stream:
            assert stream.connect_ex(("127.0.0.2", port)) != 0
    with running("--host", "0.0.0.0") as emulator:  # noqa: S104  # the opposite, for a moment
        assert httpx.get(f"http://127.0.0.2:{emulator.url.rpartition(':')[2]}/").status_code == 404


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the memory of a process from /proc")
@pytest.mark.parametrize(
    ("head", "block", "blocks", "answer"),
    [
        (b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 41943040\r\n\r\n", b"x" * 65536, 640, b"413"),
        (b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999999\r\n\r\n", b"x" * 65536, 1200, b"413"),
        (
            b"POST %s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"10000\r\n" + b"x" * 65536 + b"\r\n",
            1200,
            b"413",
        ),
        (b"GET %s HTTP/1.1\r\nHost: x\r\n", b"X-More: and more\r\n" * 1000, 1000, b"400"),
        (b"GET %s", b"x" * 65536, 500, b"400"),
        (
            b"POST %s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;",
            b"x" * 65536,
            500,
            b"400",
        ),
    ],
)
def test_bodies_and_headers_are_bounded(head: bytes, block: bytes, blocks: int, answer: bytes) -> None:
    """Whatever is sent, the emulator answers or closes, keeps none of it, and goes on to serve."""

    def peak(process: subprocess.Popen[str]) -> int:
        status = Path(f"/proc/{process.pid}/status").read_text()
        return int(re.findall(r"VmHWM:\s+([0-9]+) kB", status)[0])

    with running() as emulator:
        assert httpx.get(emulator.url + PATH, auth=AUTH).status_code == 200
        before = peak(emulator.process)
        received = b""
        with socket.create_connection(("127.0.0.1", int(emulator.url.rpartition(":")[2]))) as stream:
            stream.settimeout(20)
            with suppress(ConnectionError):
                stream.sendall(head % PATH.encode())
                for _ in range(blocks):
                    stream.sendall(block)
            with suppress(ConnectionError):
                received = stream.recv(65536)
        # What was sent after the connection had been closed may have reset it before the answer was read.
        assert received[9:12] in (answer, b"")
        assert peak(emulator.process) - before < 16 * 1024
        assert httpx.get(emulator.url + PATH, auth=AUTH).status_code == 200


def _address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or 0


_WHOLE = raw_request(Step("DefaultInactiveTimer=PT1H"))


@pytest.mark.parametrize(
    "sent",
    [b"", b"POST ", _WHOLE[:-3], _WHOLE + b"POST /v1"],
    ids=["nothing", "half a line", "half a body", "one request and half another"],
)
def test_a_connection_whose_request_does_not_come_is_closed(
    sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "KEEP_ALIVE_SECONDS", 0.1)
    accounts = dict(WITNESS_ACCOUNTS)
    with server.serving(accounts=accounts) as url, socket.create_connection(_address(url), 10) as client:
        client.sendall(sent)
        received = b"".join(iter(lambda: client.recv(65536), b""))
    assert received.count(b"HTTP/1.1 200") == (sent.endswith(b"POST /v1"))

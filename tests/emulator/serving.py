"""Ways to talk to an emulator: in this process, or over a connection to a process of its own."""

import asyncio
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from conformance.emulator import Step, create_app
from conformance.emulator.alterations import WITNESS_ACCOUNTS
from conformance.emulator.app import Application
from conformance.emulator.demonstration import request_of

ACCOUNTS = list(WITNESS_ACCOUNTS.items())
PATH = "/v1/Configuration"
# Seconds: longer than an emulator on a busy machine takes to answer, shorter than one that never does.
PATIENCE = 0.5

COMMAND = (sys.executable, "-m", "conformance.emulator")
# Stands for the end of a connection.
CLOSED = b"<closed>"


def emulator(**options: object) -> Application:
    """Return an emulator that knows the two accounts."""
    return create_app(accounts=WITNESS_ACCOUNTS, **options)  # type: ignore[arg-type] # options of create_app


def ask(app: Application, *steps: Step | str) -> httpx.Response:
    """Return the answer to the last of several requests; a text is a form to post."""

    async def run() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://emulator.test") as client:
            for step in steps:
                method, path, headers, body = request_of(Step(step) if isinstance(step, str) else step)
                response = await client.request(method, path, headers=headers, content=body)
            return response

    return asyncio.run(run())


@dataclass(frozen=True, slots=True)
class Running:
    """An emulator in a process of its own."""

    url: str
    process: subprocess.Popen[str]


@contextmanager
def running(
    *arguments: str, accounts: Mapping[str, str] = WITNESS_ACCOUNTS, command: Sequence[str] = COMMAND
) -> Iterator[Running]:
    """Run an emulator in a process of its own, and end it."""
    process = start(*arguments, accounts=accounts, command=command)
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line.startswith("Listening on http://"), line
        yield Running(line.removeprefix("Listening on ").strip(), process)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def start(
    *arguments: str,
    accounts: Mapping[str, str] = WITNESS_ACCOUNTS,
    stdin: int | None = subprocess.DEVNULL,
    command: Sequence[str] = COMMAND,
) -> subprocess.Popen[str]:
    """Start the emulator's program."""
    environment = os.environ | {
        "CONFORMANCE_ACCOUNTS": ",".join(f"{sid}:{token}" for sid, token in accounts.items())
    }
    return subprocess.Popen(
        [*command, *arguments],
        env=environment,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def raw(url: str, *data: bytes) -> bytes:
    """
    Return what comes back on a connection for some bytes, but for the values of dates; CLOSED if it ends.

    Several pieces are sent one after the other, with time between them for the peer to read each.
    """
    parts = urlsplit(url)
    received = b""
    with socket.create_connection((parts.hostname, parts.port), timeout=PATIENCE) as connection:
        try:
            for number, piece in enumerate(data):
                time.sleep(0.1 if number else 0)  # else the network joins the pieces
                connection.sendall(piece)
            while block := connection.recv(65536):
                received += block
            received += CLOSED
        except TimeoutError:
            pass
        except ConnectionError:
            received += CLOSED
    return re.sub(rb"(?im)^(date:).*", rb"\1", received)


def raw_request(step: Step) -> bytes:
    """Return a step's request as it goes over a connection that stays open."""
    if step.raw:
        return step.raw
    method, path, headers, body = request_of(step)
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: emulator.test",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body

"""Ways to talk to an emulator: in this process, or over a connection to a process of its own."""

import asyncio
import base64
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx
from starlette.applications import Starlette

from conformance.emulator import Step, create_app
from conformance.emulator.alterations import WITNESS_ACCOUNTS

ACCOUNTS = list(WITNESS_ACCOUNTS.items())
PATH = "/v1/Configuration"
# Longer than an emulator on a busy machine takes to answer, shorter than one that never does.
PATIENCE = 0.5

NO_ANSWER = "no answer"
# Stands for the end of a connection.
CLOSED = b"<closed>"
# Status, raw headers and body; or that there was no answer.
Observed = tuple[int, tuple[tuple[bytes, bytes], ...], bytes] | str


def emulator(**options: object) -> Starlette:
    """Return an emulator that knows the two accounts."""
    return create_app(accounts=WITNESS_ACCOUNTS, **options)  # type: ignore[arg-type] # options of create_app


def request_of(step: Step) -> tuple[str, str, dict[str, str], bytes]:
    """Return method, path, headers and body of a step."""
    account, token = ACCOUNTS[step.account]
    credentials = f"{account}:{token}" if step.credentials is None else step.credentials
    headers = dict(step.headers)
    if credentials:
        headers.setdefault("Authorization", "Basic " + base64.b64encode(credentials.encode()).decode())
    return step.method, step.path, headers, step.body.encode()


async def _observe(client: httpx.AsyncClient, step: Step) -> list[Observed]:
    await asyncio.sleep(step.after)

    async def send() -> Observed:
        method, path, headers, body = request_of(step)

        async def chunks() -> AsyncIterator[bytes]:
            yield body

        content = chunks() if step.chunked else body
        try:
            async with asyncio.timeout(PATIENCE):
                response = await client.request(method, path, headers=headers, content=content)
        except (TimeoutError, httpx.HTTPError):
            return NO_ANSWER
        return response.status_code, tuple(sorted(response.headers.raw)), await response.aread()

    others = asyncio.gather(*(_observe(client, other) for other in step.beside))
    first = asyncio.ensure_future(send())
    return [item for other in [[await first], *await others] for item in other]


def observe(app: Starlette, steps: Sequence[Step]) -> list[Observed]:
    """Return what each request of a sequence is answered by an emulator in this process."""

    async def run() -> list[Observed]:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://emulator.test") as client:
            return [item for step in steps for item in await _observe(client, step)]

    return asyncio.run(run())


def ask(app: Starlette, *steps: Step | str) -> httpx.Response:
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
def running(*arguments: str, accounts: Mapping[str, str] = WITNESS_ACCOUNTS) -> Iterator[Running]:
    """Run an emulator in a process of its own, and end it."""
    process = start(*arguments, accounts=accounts)
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
    *arguments: str, accounts: Mapping[str, str] = WITNESS_ACCOUNTS, stdin: int | None = subprocess.DEVNULL
) -> subprocess.Popen[str]:
    """Start the emulator's program."""
    environment = os.environ | {
        "CONFORMANCE_ACCOUNTS": ",".join(f"{sid}:{token}" for sid, token in accounts.items())
    }
    return subprocess.Popen(
        [sys.executable, "-m", "conformance.emulator", *arguments],
        env=environment,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def raw(url: str, data: bytes) -> bytes:
    """Return what comes back on a connection for some bytes, but for dates; CLOSED if it ends."""
    parts = urlsplit(url)
    received = b""
    with socket.create_connection((parts.hostname, parts.port), timeout=PATIENCE) as connection:
        try:
            connection.sendall(data)
            while block := connection.recv(65536):
                received += block
            received += CLOSED
        except TimeoutError:
            pass
        except ConnectionError:
            received += CLOSED
    return b"\n".join(line for line in received.split(b"\n") if not line.lower().startswith(b"date:"))


def raw_request(step: Step) -> bytes:
    """Return a step's request as it goes over a connection that stays open."""
    method, path, headers, body = request_of(step)
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: emulator.test",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body

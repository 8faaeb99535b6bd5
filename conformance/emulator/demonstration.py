"""Sends the requests that show an alteration to an emulator in this process."""

import asyncio
import base64
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from conformance.emulator.alterations import WITNESS_ACCOUNTS, Step
from conformance.emulator.app import Application, create_app
from conformance.emulator.catalogue import FAULTS

_ACCOUNTS = list(WITNESS_ACCOUNTS.items())

_PATIENCE = 0.5
"""Seconds: longer than an emulator on a busy machine takes to answer, shorter than one that never does."""

# What a usual client sends besides.
_DEFAULTS = {"host": "emulator.test", "accept": "*/*", "accept-encoding": "gzip"}

NO_ANSWER = "no answer"

Observed = tuple[int, tuple[tuple[bytes, bytes], ...], bytes] | str
"""Status, raw headers and body of an answer; `NO_ANSWER` where there was none."""


def request_of(step: Step) -> tuple[str, str, dict[str, str], bytes]:
    """Return method, path, headers and body of a step."""
    account, token = _ACCOUNTS[step.account]
    credentials = f"{account}:{token}" if step.credentials is None else step.credentials
    headers = dict(step.headers)
    if credentials:
        headers.setdefault("Authorization", "Basic " + base64.b64encode(credentials.encode()).decode())
    return step.method, step.path, headers, step.body.encode()


def observe(app: Application, steps: Sequence[Step]) -> list[Observed]:
    """Return what each request of a sequence is answered."""

    async def run() -> list[Observed]:
        return [item for step in steps for item in await _observe(app, step)]

    return asyncio.run(run())


def is_masked(fault: str, faults: Sequence[str]) -> bool:
    """Whether others mask a fault: its own requests are answered in the same way without it."""
    without, all_of_them = (
        observe(create_app(accounts=WITNESS_ACCOUNTS, faults=names), FAULTS[fault].witness)
        for names in ([name for name in faults if name != fault], faults)
    )
    return without == all_of_them


async def _observe(app: Application, step: Step) -> list[Observed]:
    if step.raw:
        return []  # there is no connection to send it over
    await asyncio.sleep(step.after)  # some faults show only after a time, which the step names
    others = asyncio.gather(*(_observe(app, other) for other in step.beside))
    first = asyncio.ensure_future(_send(app, step))
    return [item for other in [[await first], *await others] for item in other]


async def _send(app: Application, step: Step) -> Observed:
    method, path, headers, body = request_of(step)
    target = urlsplit(path)
    framing = {"Transfer-Encoding": "chunked"} if step.chunked else {"Content-Length": str(len(body))}
    sent = _DEFAULTS | {name.lower(): value for name, value in (framing | headers).items()}
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": target.path,
        "query_string": target.query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
        "client": ("127.0.0.1", 49152 + step.connection),
    }
    messages: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    async def send(message: Any) -> None:
        messages.append(message)

    try:
        async with asyncio.timeout(_PATIENCE):
            await app(scope, receive, send)
    except TimeoutError:
        return NO_ANSWER
    start, *parts = messages
    return start["status"], tuple(sorted(start["headers"])), b"".join(part["body"] for part in parts)

"""Sends the requests that show an alteration to an emulator in this process."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from functools import cache

import httpx

from conformance.emulator.alterations import WITNESS_ACCOUNTS, Step
from conformance.emulator.app import Application, create_app
from conformance.emulator.catalogue import FAULTS

_ACCOUNTS = list(WITNESS_ACCOUNTS.items())

_PATIENCE = 0.5
"""Seconds: longer than an emulator on a busy machine takes to answer, shorter than one that never does."""

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
        async with AsyncExitStack() as stack:

            @cache
            def client(connection: int) -> httpx.AsyncClient:
                transport = httpx.ASGITransport(
                    app, raise_app_exceptions=False, client=("127.0.0.1", 49152 + connection)
                )
                opened = httpx.AsyncClient(transport=transport, base_url="http://emulator.test")
                stack.push_async_callback(opened.aclose)
                return opened

            return [item for step in steps for item in await _observe(client, step)]

    return asyncio.run(run())


def is_masked(fault: str, faults: Sequence[str]) -> bool:
    """Whether others mask a fault: its own requests are answered in the same way without it."""
    without, all_of_them = (
        observe(create_app(accounts=WITNESS_ACCOUNTS, faults=names), FAULTS[fault].witness)
        for names in ([name for name in faults if name != fault], faults)
    )
    return without == all_of_them


async def _observe(client: Callable[[int], httpx.AsyncClient], step: Step) -> list[Observed]:
    if step.raw:
        return []  # there is no connection to send it over
    await asyncio.sleep(step.after)  # what takes time to show is asked for after that time

    async def send() -> Observed:
        method, path, headers, body = request_of(step)

        async def chunks() -> AsyncIterator[bytes]:
            yield body

        content = chunks() if step.chunked else body
        try:
            async with asyncio.timeout(_PATIENCE):
                response = await client(step.connection).request(
                    method, path, headers=headers, content=content
                )
        except (TimeoutError, httpx.HTTPError):
            return NO_ANSWER
        return response.status_code, tuple(sorted(response.headers.raw)), await response.aread()

    others = asyncio.gather(*(_observe(client, other) for other in step.beside))
    first = asyncio.ensure_future(send())
    return [item for other in [[await first], *await others] for item in other]

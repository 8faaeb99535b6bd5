"""The emulator as an ASGI application."""

import logging
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from conformance.emulator.behaviour import Behaviour, reference
from conformance.emulator.control import PREFIX, Control, Received, Seed
from conformance.emulator.errors import BadAccounts
from conformance.emulator.messages import Answer, ApiError, Arrival, Call
from conformance.emulator.store import Store

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_LOG = logging.getLogger(__name__)

# The largest form that a value of 100,000 characters in every parameter, each percent-encoded, can fill.
MAX_BODY = 4 * 100_000 * 3 + 1024
# A larger body is read and dropped up to this size, so that its sender gets to read the answer.
MAX_DISCARDED = 64 * 1024 * 1024

ACCOUNT_SID = re.compile("AC[0-9a-fA-F]{32}")
_HOST = re.compile(r"[A-Za-z0-9._~-]+(?::[0-9]+)?|\[[0-9A-Fa-f:.]+\](?::[0-9]+)?")
# The name of the header that carries `Answer.wire` to the connection, which takes it out again.
WIRE_HEADER = b"emulator-wire"
# The key of a scope under which an altered emulator's connection says whether a request was pipelined, and what
# it has received of it.
RECEIVED = "emulator.received"


def create_app(
    *,
    accounts: Mapping[str, str],
    database: str | Path | None = None,
    faults: Sequence[str] = (),
    variants: Sequence[str] = (),
    initial: Mapping[str, str] | None = None,
    controlled: bool = False,
    seed: Seed | None = None,
    log: Callable[[Received], None] | None = None,
) -> "Application":
    """Return an emulator of the resource as an ASGI application.

    Args:
        accounts: The token of each Account SID.
        database: A file to keep the configurations in; in memory without one.
        faults: Names of `FAULTS` to build in, in this order.
        variants: Names of `VARIANTS` to build in, before the faults.
        initial: What an account holds that was never written, by attribute; null where it has no value.
        controlled: Whether `control` is there, and is served under `/__emulator/`.
        seed: Values that accounts begin with.
        log: Called with each request.

    Raises:
        BadAccounts: There is no account, or one is not an Account SID and a token.
        BadDatabase: The file is not one of the emulator's. It was not touched.
        BadSeed: A value cannot be one of the account's.
        UnknownName: There is no such fault or variant.
    """
    if not accounts:
        raise BadAccounts("no account was given; give at least one Account SID and its token")
    for account, token in accounts.items():
        if not ACCOUNT_SID.fullmatch(account) or not token:
            raise BadAccounts(
                f"{account!r} with its token is not an account: AC, 32 hexadecimal digits, some token"
            )
    alterations = []
    if faults or variants:
        # Imported here: an emulator without alterations starts faster.
        from conformance.emulator.catalogue import alterations_named

        alterations = alterations_named(variants=variants, faults=faults)
    store = Store(Path(database) if database is not None else None, accounts, initial or {})
    behaviour = reference(accounts, store)
    for alteration in alterations:
        alteration.install(behaviour)

    control = Control(accounts, store, seed or {}, log) if controlled or seed or log else None
    endpoint = Endpoint(behaviour, log_crashes=not alterations, control=control, serves_control=controlled)
    return Application(endpoint, store, control)


class Application:
    """The emulator as an ASGI application: an endpoint for HTTP, and a store that is closed at the end."""

    def __init__(self, endpoint: "Endpoint", store: Store, control: Control | None = None) -> None:
        self._endpoint = endpoint
        self._store = store
        self.control = control

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the start and the end of the server (ASGI lifespan protocol 2.0)."""
        if scope["type"] != "lifespan":
            await self._endpoint(scope, receive, send)
            return
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self._store.close()
        await send({"type": "lifespan.shutdown.complete"})


class Endpoint:
    """
    One ASGI endpoint for all paths and methods: reads the request, asks the behaviour, answers.

    It looks at the path itself, because a request's target may have its absolute form.

    Args:
        behaviour: Answers requests.
        log_crashes: Whether its exceptions are logged.
        control: Is told of every request; may have another behaviour answer it.
        serves_control: Whether the control answers requests to paths of its own.
    """

    def __init__(
        self,
        behaviour: Behaviour,
        *,
        log_crashes: bool,
        control: Control | None = None,
        serves_control: bool = False,
    ) -> None:
        self._behaviour = behaviour
        self._log_crashes = log_crashes
        self._control = control
        self._serves_control = serves_control

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        body, too_large = await _read_body(receive)
        if body is None:
            return
        call = _call(scope, body)
        control, behaviour = self._control, self._behaviour
        if control is not None:
            if self._serves_control and call.path.startswith(PREFIX):
                await _send(call, control.answer(call), send)
                return
            behaviour = control.behaviour_for(behaviour)
        try:
            if too_large:
                error = ApiError(
                    413, 20413, f"The request is larger than {MAX_BODY} bytes", ("Connection", "close")
                )
                answer = behaviour.finish(call, behaviour.refuse(call, error))
            else:
                answer = await behaviour.answer(call)
        except Exception:  # noqa: BLE001  # a mistake built in may raise anything, and the client gets an answer
            if self._log_crashes:
                _LOG.exception("the emulator failed to answer %s %s", call.method, call.path)
            error = ApiError(500, 20500, "Internal Server Error")
            answer = behaviour.finish(call, behaviour.refuse(call, error))
        if control is not None:
            control.record(call, answer)
        await _send(call, answer, send)


async def _read_body(receive: Receive) -> tuple[bytes | None, bool]:
    """Return the body, or None when the client has gone; and whether it was too large to be kept."""
    kept = bytearray()  # not a list of parts: a byte for itself would cost forty
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None, False
        chunk = message.get("body", b"")
        size += len(chunk)
        if size <= MAX_BODY:
            kept += chunk
        if not message.get("more_body", False) or size > MAX_DISCARDED:
            return bytes(kept), size > MAX_BODY


def _call(scope: Scope, body: bytes) -> Call:
    headers = tuple(scope["headers"])
    path = scope["path"]
    absolute = not path.startswith("/")
    if absolute:
        # The absolute form of a request's target, which a server has to take (RFC 9112 3.2.2).
        path = urlsplit(path).path
    return Call(
        method=scope["method"],
        path=path,
        query=scope["query_string"],
        headers=headers,
        body=body,
        base_url=f"{scope['scheme']}://{_authority(scope, headers)}",
        client=tuple(scope["client"]) if scope.get("client") else None,
        arrival=Arrival(scope["http_version"], absolute, *scope.get(RECEIVED, ())),
    )


def _authority(scope: Scope, headers: tuple[tuple[bytes, bytes], ...]) -> str:
    """Return the Host header where it is a host, otherwise the address the request came in on."""
    host = next((value.decode("latin-1") for name, value in headers if name == b"host"), "")
    if _HOST.fullmatch(host):
        return host
    name, port = scope.get("server") or ("localhost", None)
    return f"{name}:{port}" if port else str(name)


async def _send(call: Call, answer: Answer, send: Send) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
    # The connection needs the body's length to know when the answer is whole.
    chunked = answer.chunked and not answer.wire
    if not chunked and answer.status != 204:
        headers.append((b"Content-Length", str(len(answer.body)).encode()))
    body = b"" if call.method == "HEAD" or answer.status == 204 else answer.body
    if answer.wire:
        headers.append((WIRE_HEADER, f"{answer.wire};{len(body)}".encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    if chunked:
        middle = len(body) // 2
        await send({"type": "http.response.body", "body": body[:middle], "more_body": True})
        body = body[middle:]
    await send({"type": "http.response.body", "body": body})

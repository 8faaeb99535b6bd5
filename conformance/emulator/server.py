"""Serves the emulator over HTTP."""

import errno
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import uvicorn

from conformance.emulator.app import Application, create_app
from conformance.emulator.control import Control, Received, Seed
from conformance.emulator.errors import BadAddress
from conformance.emulator.wire import PatientProtocol, TreatingProtocol

# Request line and headers together, in bytes.
MAX_HEADERS = 64 * 1024
# Longer than any client keeps an idle connection, or takes to send a request: the emulator closes none in use.
KEEP_ALIVE_SECONDS = 75
# Characters of a request that a line shows.
_LINE = 400
_LAST_PORT = 65535


def serve(
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    port_file: str | Path | None = None,
    database: str | Path | None = None,
    accounts: Mapping[str, str],
    faults: Sequence[str] = (),
    variants: Sequence[str] = (),
    controlled: bool = False,
    seed: Seed | None = None,
    verbose: bool = False,
) -> None:
    """Serve the emulator until SIGINT or SIGTERM.

    One line on the standard output tells the address once it is listening.

    Args:
        host: The address to listen on.
        port: The port to listen on; 0 for a free one.
        port_file: A file that the port is written to, in one step, once the emulator is listening.
        database: A file to keep the configurations in; in memory without one.
        accounts: The token of each Account SID.
        faults: Names of `FAULTS` to build in.
        variants: Names of `VARIANTS` to build in.
        controlled: Whether tests can control it under `/__emulator/`.
        seed: Values that accounts begin with.
        verbose: Whether each request is a line on the standard error.

    Raises:
        EmulatorError: The emulator cannot start so; the message says why.
        OSError: The port file cannot be written.
    """
    app = create_app(
        accounts=accounts,
        database=database,
        faults=faults,
        variants=variants,
        controlled=controlled,
        seed=seed,
        log=_print if verbose else None,
    )
    serve_app(app, host=host, port=port, port_file=port_file, altered=bool(faults or variants or controlled))


def serve_app(
    app: Callable[..., Any],
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    port_file: str | Path | None = None,
    altered: bool = False,
) -> None:
    """Serve any application as `serve` does the emulator.

    Args:
        app: The application.
        host: The address to listen on.
        port: The port to listen on; 0 for a free one.
        port_file: A file that the port is written to, in one step, once the application is served.
        altered: Whether answers may ask for a treatment of their connection.

    Raises:
        BadAddress: The address cannot be listened on.
        OSError: The port file cannot be written.
    """
    config = _config(app, altered=altered)
    server = _Server(config, port_file=Path(port_file) if port_file is not None else None)
    with _listen(host, port) as listener, _terminable(), suppress(KeyboardInterrupt):
        server.run(sockets=[listener])


@contextmanager
def serving(
    *, accounts: Mapping[str, str], faults: Sequence[str] = (), variants: Sequence[str] = ()
) -> Iterator[str]:
    """Serve the emulator from a thread of this process, which costs less than a process for each emulator.

    Args:
        accounts: The token of each Account SID.
        faults: Names of `FAULTS` to build in.
        variants: Names of `VARIANTS` to build in.

    Yields:
        The base URL, on a free port of loopback. It is listened on already.

    Raises:
        EmulatorError: The emulator cannot start so; the message says why.
    """
    app = create_app(accounts=accounts, faults=faults, variants=variants)
    with _serving(app, altered=bool(faults or variants)) as url:
        yield url


@contextmanager
def controlled(accounts: Mapping[str, str]) -> Iterator[tuple[str, Control]]:
    """Serve the emulator as `serving` does, with a control; yield the base URL and the control."""
    app = create_app(accounts=accounts, controlled=True)
    assert app.control is not None
    with _serving(app, altered=True) as url:
        yield url, app.control


@contextmanager
def _serving(app: Application, *, altered: bool) -> Iterator[str]:
    server = uvicorn.Server(_config(app, altered=altered))
    with _listen("127.0.0.1", 0) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = server.force_exit = True
            thread.join()


def _print(received: Received) -> None:
    form = " ".join(f"{name}={value}" for name, value in received.form)
    query = f"?{received.query}" if received.query else ""
    line = f"{received.method} {received.path}{query} {form}".rstrip()
    # As a literal of Python: a value may hold line breaks, or what moves the cursor.
    shown = line if line.isprintable() else ascii(line)
    sys.stderr.write(f"{received.status} {received.account_sid or 'no account'} {shown[:_LINE]}\n")
    sys.stderr.flush()


def _config(app: Callable[..., Any], *, altered: bool) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=TreatingProtocol if altered else PatientProtocol,
        ws="none",
        loop="asyncio",
        log_level="critical",
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=1,
        h11_max_incomplete_event_size=MAX_HEADERS,
    )


class _Server(uvicorn.Server):
    """Prints its address as soon as it listens."""

    def __init__(self, config: uvicorn.Config, *, port_file: Path | None) -> None:
        super().__init__(config)
        self._port_file = port_file

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        await super().startup(sockets=sockets)
        for listener in sockets or []:
            host, port = listener.getsockname()[:2]
            if self._port_file is not None:
                draft = self._port_file.with_name(f"{self._port_file.name}.{os.getpid()}.new")
                draft.write_text(f"{port}\n")
                draft.replace(self._port_file)
            sys.stdout.write(f"Listening on http://{f'[{host}]' if ':' in host else host}:{port}\n")
            sys.stdout.flush()


def _listen(host: str, port: int) -> socket.socket:
    if not 0 <= port <= _LAST_PORT:
        raise BadAddress(
            f"port {port} is out of range; choose one from 1 to {_LAST_PORT}, or 0 for a free one"
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sets TCP_NODELAY only on sockets that name their protocol; without it each answer waits 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        if isinstance(error, socket.gaierror):
            raise BadAddress(f"host {host} is not known: {error.strerror}; choose another --host") from None
        reason = (
            "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used: {error.strerror or error}"
        )
        raise BadAddress(f"port {port} of {host} {reason}; choose another, or 0 for a free one") from None
    return listener


@contextmanager
def _terminable() -> Iterator[None]:
    """Let SIGTERM and SIGINT end the process. uvicorn raises either again once it has shut down."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = (signal.SIGTERM, signal.SIGINT)
    previous = {number: signal.signal(number, signal.default_int_handler) for number in numbers}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)

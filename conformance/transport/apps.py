"""
ASGI and WSGI applications as targets, without a socket: httpx's own transports call them in this process.

An ASGI application runs in an event loop of its own, on a thread of its own, so that a run may be started from any
thread, and inside a running loop. A WSGI application is called on a thread for each request. An exception of the
application has the effect that it has in a server: status 500, or an answer that breaks off. Its traceback is kept.
"""

import asyncio
import contextlib
import inspect
import sys
import threading
import traceback
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from concurrent.futures import Future
from importlib import import_module
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NamedTuple, Protocol

import httpcore
import httpx

from conformance.exceptions import ConfigurationError
from conformance.http import Failure, FailureKind, Response
from conformance.model import BY_HAND
from conformance.transport.connections import decoded

_STARTUP = 30.0
"""Seconds within which an application must have started, or ended."""

_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]


class Answer(NamedTuple):
    """The answer of an application: a response or a failure, and the traceback of an exception that it raised."""

    response: Response | None = None
    failure: Failure | None = None
    traceback: str = ""


class Application(Protocol):
    """An application that was started."""

    lacks: dict[str, str]
    """The reason for each part of HTTP that no request to the application has; see `Rule.needs`."""

    def ask(self, request: httpcore.Request, timeout: float) -> Answer:
        """Send a request, and return the answer; without one within `timeout` seconds, a failure."""

    def close(self) -> None:
        """Let the application shut down."""


def load(name: str) -> object:
    """
    Return the application that a name such as `package.module:app` stands for.

    Raises:
        ConfigurationError: There is none; the message says why.
    """
    module, _, path = name.partition(":")
    if (here := str(Path.cwd())) not in sys.path:  # a program is started without it, unlike `python -m`
        sys.path.insert(0, here)
    try:
        found: object = import_module(module)
        for part in path.split("."):
            found = getattr(found, part)
    except (AttributeError, ImportError) as error:
        raise ConfigurationError(f"no application {name}: {error}") from None
    except Exception as error:  # noqa: BLE001  # a module may raise anything
        trace = traceback.format_exception_only(error)[-1].strip()
        raise ConfigurationError(f"no application {name}: importing {module} raised {trace}") from None
    return found


def started(app: object, max_body: int) -> Application:
    """
    Start an ASGI application, which takes scope, receive and send, or a WSGI one. `max_body` bytes of a body are read.

    Raises:
        ConfigurationError: It is neither, or it did not start.
    """
    if not callable(app):
        raise ConfigurationError(f"{app!r:.60} is no application: it cannot be called")
    if _takes(app, 3) and (_is_coroutine(app) or not _takes(app, 2)):
        return _ASGI(app, max_body)
    if _takes(app, 2):
        return _WSGI(app, max_body)
    advice = "; if it returns one, name a variable that holds it" if _takes(app, 0) else ""
    raise ConfigurationError(
        f"{app!r:.60} is no application: it takes neither environ and start_response (WSGI), "
        f"nor scope, receive and send (ASGI){advice}"
    )


def _is_coroutine(app: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(app) or inspect.iscoroutinefunction(getattr(app, "__call__", None))  # noqa: B004


def _takes(app: Callable[..., Any], count: int) -> bool:
    """Whether an application can be called with so many arguments, as far as it says."""
    try:
        inspect.signature(app).bind(*range(count))
    except TypeError:
        return False
    except ValueError:  # written in C, say
        return True
    return True


_CONNECTION = "needs a connection: a server makes it, and the target is an application"


class _WSGI:
    def __init__(self, app: Callable[..., Any], max_body: int) -> None:
        self._app = app
        self._max_body = max_body
        self.lacks = {
            "connection": _CONNECTION,
            BY_HAND: _CONNECTION,
            "chunks": "needs a chunked body: a server decodes it, and the target is a WSGI application",
        }

    def ask(self, request: httpcore.Request, timeout: float) -> Answer:
        """Send a request on a thread of its own, and return the answer."""
        answers: SimpleQueue[Answer] = SimpleQueue()
        thread = threading.Thread(target=lambda: answers.put(self._ask(request)), daemon=True)
        thread.start()
        thread.join(timeout)
        return _late(timeout) if answers.empty() else answers.get()

    def _ask(self, request: httpcore.Request) -> Answer:
        raised: list[BaseException] = []

        def recorded(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
            def start(status: str, headers: Any, exc_info: Any = None) -> Any:
                if exc_info and exc_info[1]:
                    raised.append(exc_info[1])
                return start_response(status, headers, exc_info)

            return self._app(environ, start)

        body = b"".join(_chunks(request))
        headers = [pair for pair in request.headers if pair[0].lower() != b"transfer-encoding"]
        if len(headers) < len(request.headers):
            headers.append((b"Content-Length", str(len(body)).encode()))
        sent = httpx.Request(
            request.method.decode(), _url(request), headers=headers, stream=httpx.ByteStream(body)
        )
        received = bytearray()
        try:
            head = httpx.WSGITransport(recorded, raise_app_exceptions=False).handle_request(sent)
            with contextlib.closing(
                head
            ):  # an application must hear of the end, also after an exception (PEP 3333)
                for part in head.stream:  # type: ignore[union-attr]  # this transport has a synchronous one
                    received += part
                    if len(received) > self._max_body:
                        break
        except Exception as error:  # noqa: BLE001  # whatever the application raises is an answer
            return _broken(_trace(error)) if received else Answer(_server_error(), traceback=_trace(error))
        trace = _trace(raised[0]) if raised else ""
        return Answer(_response(head, bytes(received), request, self._max_body), traceback=trace)

    def close(self) -> None:
        """Do nothing: a WSGI application is told nothing at the end."""


class _ASGI:
    def __init__(self, app: Callable[..., Any], max_body: int) -> None:
        self._app = app
        self._max_body = max_body
        self.lacks = {"connection": _CONNECTION, BY_HAND: _CONNECTION}
        self._ready = threading.Event()
        self._thread = threading.Thread(target=asyncio.run, args=[self._serve()], daemon=True)
        self._thread.start()
        self._ready.wait()
        self._state: dict[str, Any] = {}
        self._lifespan = _Lifespan(app, self._state)
        try:
            self._run(self._lifespan.start()).result(_STARTUP)
        except Exception as error:  # noqa: BLE001  # so may an application that starts
            self._end()
            why = str(error) or f"it was not ready after {_STARTUP:g} s"
            raise ConfigurationError(f"the application did not start: {why}") from None

    async def _serve(self) -> None:
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        self._ready.set()
        await self._ended.wait()

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(_STARTUP)

    def _run(self, coroutine: Coroutine[Any, Any, Any]) -> "Future[Any]":
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def ask(self, request: httpcore.Request, timeout: float) -> Answer:
        """Send a request, and return the answer."""
        future = self._run(self._ask(request))
        try:
            answer: Answer = future.result(timeout)
        except TimeoutError:
            future.cancel()
            return _late(timeout)
        return answer

    async def _ask(self, request: httpcore.Request) -> Answer:
        began = ended = False
        size = 0
        trace = ""

        async def recorded(scope: _Message, receive: _Receive, send: _Send) -> None:
            nonlocal trace

            async def seen(message: _Message) -> None:
                nonlocal began, ended, size
                await send(message)
                began = True
                ended = message["type"] == "http.response.body" and not message.get("more_body", False)
                size += len(message.get("body", b""))
                if size > self._max_body:
                    raise _Enough

            if self._state:
                scope["state"] = self._state.copy()
            try:
                await self._app(scope, receive, seen)
            except _Enough:
                pass
            except Exception as error:  # noqa: BLE001  # whatever the application raises is an answer
                trace = _trace(error)
            if not began:
                await send({"type": "http.response.start", "status": 500, "headers": []})
            if not ended:
                await send({"type": "http.response.body"})

        sent = httpx.Request(
            request.method.decode(), _url(request), headers=request.headers, stream=_Chunks(request)
        )
        try:
            head = await httpx.ASGITransport(recorded).handle_async_request(sent)
            body = await head.aread()
        except Exception as error:  # noqa: BLE001  # an answer that httpx cannot read
            return Answer(_server_error(), traceback=_trace(error))
        if not began:
            return Answer(_server_error(), traceback=trace)
        if not ended and size <= self._max_body:
            return _broken(trace)
        return Answer(_response(head, body, request, self._max_body), traceback=trace)

    def close(self) -> None:
        """Let the application shut down, and end its loop."""
        with contextlib.suppress(TimeoutError):  # one that hangs is left alone
            self._run(self._lifespan.stop()).result(_STARTUP)
        self._end()


class _Enough(Exception):
    """The body is longer than is read."""


class _Chunks(httpx.AsyncByteStream):
    def __init__(self, request: httpcore.Request) -> None:
        self._chunks = _chunks(request)

    async def __aiter__(self) -> Any:
        for chunk in self._chunks:
            yield chunk


class _Lifespan:
    """The lifespan of an ASGI application: it starts before the first request, and ends after the last one."""

    def __init__(self, app: Callable[..., Any], state: dict[str, Any]) -> None:
        self._app = app
        self._state = state
        self._told: asyncio.Queue[_Message] = asyncio.Queue()
        self._said: asyncio.Queue[_Message] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start the application. One that knows no lifespan, and raises for it, is started as it is."""
        self._task = asyncio.create_task(self._live())
        said = await self._ask("lifespan.startup")
        if said.get("type") == "lifespan.startup.failed":
            lines = str(said.get("message", "")).strip().splitlines()
            raise RuntimeError(lines[-1] if lines else "its startup failed")

    async def stop(self) -> None:
        """Let the application shut down."""
        await self._ask("lifespan.shutdown")

    async def _ask(self, kind: str) -> _Message:
        if self._task is None or self._task.done():
            return {}
        await self._told.put({"type": kind})
        return await self._said.get()

    async def _live(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self._state}
        try:
            await self._app(scope, self._told.get, self._said.put)
        except Exception:  # noqa: BLE001  # the specification has it raise where it knows no lifespan
            self._state.clear()
        finally:
            await self._said.put({})


def _chunks(request: httpcore.Request) -> list[bytes]:
    return list(request.stream)  # type: ignore[arg-type]  # every request of ours has a synchronous one


def _url(request: httpcore.Request) -> httpx.URL:
    url = request.url
    return httpx.URL(scheme=url.scheme.decode(), host=url.host.decode(), port=url.port, raw_path=url.target)


def _response(head: httpx.Response, body: bytes, request: httpcore.Request, max_body: int) -> Response:
    # A server sends no body where there must be none, whatever the application returns.
    is_bare = request.method == b"HEAD" or head.status_code in (204, 304)
    return decoded(head.status_code, head.headers.raw, [] if is_bare else [body], "HTTP/1.1", max_body)


def _server_error() -> Response:
    """Return what servers answer where an application raises before it has answered."""
    return Response(status=500, headers=(("Content-Type", "text/plain"),), body=b"Internal Server Error")


def _broken(trace: str) -> Answer:
    failure = Failure(FailureKind.DISCONNECT, "the application ended in the middle of its answer")
    return Answer(failure=failure, traceback=trace)


def _late(timeout: float) -> Answer:
    return Answer(failure=Failure(FailureKind.TIMEOUT, f"no whole answer within {timeout:g} s"))


def _trace(error: BaseException) -> str:
    """Return the traceback of an exception, without the frames that lead to the application."""
    frame = within = error.__traceback__
    while frame is not None:
        if frame.tb_frame.f_code.co_filename == __file__:
            within = frame.tb_next
        frame = frame.tb_next
    return "".join(traceback.format_exception(type(error), error, within or error.__traceback__))

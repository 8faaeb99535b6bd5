"""Small targets for the tests: settings that take what a function takes, within the process or over HTTP."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from functools import cache
from io import StringIO
from typing import Any

import uvicorn
from rich.console import Console
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse
from starlette.responses import Response as HttpResponse
from starlette.routing import Route

from conformance.emulator.app import Application
from conformance.exceptions import BudgetExhausted
from conformance.explore import Exploration, explore, view
from conformance.explore.dialects import DIALECTS, Dialect
from conformance.explore.notations import nominal_seconds
from conformance.http import PATH, Exchange, Request, Response, decode_form
from conformance.model import BY_PARAMETER, CLOSED, INACTIVE, TIMERS

Accepts = Callable[[str], bool]


class Settings:
    """
    The two timers of one account.

    Args:
        accepts: by slug, whether a value is taken.
        echo: what is kept of an accepted value.
        before: by slug, what is set at the start.
    """

    def __init__(
        self,
        accepts: dict[str, Accepts],
        *,
        echo: Callable[[str], str | None] = lambda text: text,
        before: dict[str, str] | None = None,
    ) -> None:
        self._accepts = accepts
        self._echo = echo
        self.values: dict[str, str | None] = {
            each.attribute: (before or {}).get(each.slug) for each in TIMERS
        }
        self.history: list[dict[str, str | None]] = []
        """The values after every request."""

    def answer(self, method: str, body: bytes) -> tuple[int, dict[str, object]]:
        """Status and document of a request."""
        status = 200
        if method == "POST":
            pairs = [(BY_PARAMETER[name], text) for name, text in decode_form(body)]
            if all(self._accepts[field.slug](text) for field, text in pairs):
                self.values.update({field.attribute: self._echo(text) for field, text in pairs})
            else:
                status = 400
        self.history.append(dict(self.values))
        return status, dict(self.values) if status == 200 else {"status": 400, "message": "no"}


class InProcess:
    """A door to settings that needs no network."""

    def __init__(self, settings: Settings, budget: int | None = None) -> None:
        self.settings = settings
        self.requests = 0
        self._budget = budget

    def send(self, request: Request, *, known_good: bool = False, reserve: bool = False) -> Exchange:
        """Answer a request."""
        if self._budget is not None and self.requests >= self._budget and not reserve:
            raise BudgetExhausted("spent")
        self.requests += 1
        status, document = self.settings.answer(request.method, request.body or b"")
        response = Response(status=status, body=json.dumps(document).encode())
        return Exchange(number=self.requests, request=request, response=response)


def application(settings: Settings) -> Starlette:
    """Settings as an application of their own."""

    async def resource(request: HttpRequest) -> HttpResponse:
        status, document = settings.answer(request.method, await request.body())
        return JSONResponse(document, status)

    return Starlette(routes=[Route(PATH, resource, methods=["GET", "POST"])])


@contextmanager
def over_http(target: Settings | Application) -> Iterator[str]:
    """Serve settings or an application on loopback; the base URL."""
    app: Any = application(target) if isinstance(target, Settings) else target
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            pass
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


def both(accepts: Accepts) -> dict[str, Accepts]:
    """The same for both timers."""
    return {each.slug: accepts for each in TIMERS}


def at_least(seconds: int, read: Callable[[str], Decimal | None]) -> Accepts:
    """Takes what a function reads as at least so many seconds."""
    return lambda text: (length := read(text)) is not None and length >= seconds


def reads_with(dialect: Dialect, minimum: int) -> Accepts:
    def accepts(text: str) -> bool:
        length = dialect.read(text)
        return length is not None and (
            length.low >= minimum or (dialect.name == "moment" and length.low == 0)
        )

    return accepts


def explored(settings: Settings, **options: int) -> Exploration:
    return explore(InProcess(settings, **options))


def reference() -> dict[str, Accepts]:
    return {each.slug: reads_with(DIALECTS[0], each.minimum) for each in TIMERS}


@cache
def of_reference(**before: str) -> tuple[Exploration, Settings]:
    """One exploration for all tests that look at what it found; by slug, what was set before."""
    settings = Settings(reference(), before=before)
    return explored(settings), settings


BEFORE = {INACTIVE.slug: "PT24H", CLOSED.slug: "P3D"}


def seconds(text: str | None) -> Decimal:
    length = None if text is None else nominal_seconds(text)
    return Decimal("Infinity") if length is None else length


def text_of(found: Exploration) -> str:
    stream = StringIO()
    Console(width=160, file=stream).print(view(found))
    return stream.getvalue()

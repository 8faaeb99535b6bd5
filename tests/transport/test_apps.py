"""Applications as targets: what a server would do with them, done in this process."""

import asyncio
import itertools
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

import conformance
from conformance.emulator import create_app, serving
from conformance.exceptions import ConfigurationError
from conformance.harness.executor import Plan, run
from conformance.http import Exchange, FailureKind, Request, update
from conformance.rules import CATALOGUE
from conformance.transport.apps import load
from conformance.transport.credentials import THROWAWAY
from conformance.transport.target import BASE_URL, Target, TargetSettings

ACCOUNTS = {account.user: account.token for account in THROWAWAY}
UPDATE = update(("DefaultClosedTimer", "PT1H"))

Send = Callable[[dict[str, Any]], Awaitable[None]]


def asking(app: object, request: Request = UPDATE, timeout: float = 10.0) -> Exchange:
    with Target(TargetSettings(url=BASE_URL, timeout=timeout), app=app) as target:
        return target.send(request)


def answering(*, body: bytes = b"{}", then: Exception | None = None, ends: bool = True) -> object:
    """An ASGI application that answers 200, and may break off or raise."""

    async def app(scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body, "more_body": not ends})
        if then is not None:
            raise then

    return app


def test_the_emulator_is_an_application() -> None:
    exchange = asking(create_app(accounts=ACCOUNTS))
    assert exchange.status == 200
    assert exchange.response is not None
    assert b'"url": "http://localhost:8000/v1/Configuration"' in exchange.response.body
    assert not exchange.traceback


def test_the_lifespan_is_run_and_its_state_reaches_requests() -> None:
    seen = []

    async def app(scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Send) -> None:
        if scope["type"] == "http":
            seen.append(scope["state"]["pool"])
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body"})
            return
        while (message := await receive())["type"] != "lifespan.shutdown":
            seen.append(message["type"])
            scope["state"]["pool"] = "open"
            await send({"type": "lifespan.startup.complete"})
        seen.append("lifespan.shutdown")
        await send({"type": "lifespan.shutdown.complete"})

    assert asking(app).status == 204
    assert seen == ["lifespan.startup", "open", "lifespan.shutdown"]


def test_an_asgi_application_need_not_be_a_coroutine_function() -> None:
    async def answer(send: Send) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    def app(scope: object, receive: object, send: Send) -> Awaitable[None]:
        return answer(send)

    assert asking(app).status == 204


def test_an_application_that_does_not_start_is_told_in_one_line() -> None:
    async def app(scope: object, receive: object, send: Send) -> None:
        await send({"type": "lifespan.startup.failed", "message": "Traceback\nOSError: no database"})

    with pytest.raises(ConfigurationError, match="the application did not start: OSError: no database"):
        Target(app=app)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("no_such_module:app", "no application no_such_module:app: No module named 'no_such_module'"),
        ("conformance.http:no_such_name", "has no attribute 'no_such_name'"),
        ("conformance.http:PATH", "'/v1/Configuration' is no application: it cannot be called"),
        ("json:dumps", "is no application: it takes neither environ and start_response .* \\(ASGI\\)$"),
        (
            "locale:localeconv",
            "is no application: it takes .*; if it returns one, name a variable that holds it",
        ),
    ],
)
def test_an_application_that_is_not_there(name: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        conformance.run(app=name)


def test_an_application_whose_module_raises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.joinpath("broken_web.py").write_text("raise LookupError('no database')", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    says = "^no application broken_web:app: importing broken_web raised LookupError: no database$"
    with pytest.raises(ConfigurationError, match=says):
        load("broken_web:app")


class TestExceptions:
    """An exception is what a server makes of it, and its traceback is kept."""

    async def _asgi(self, scope: object, receive: object, send: object) -> None:
        raise LookupError("no such account")

    @staticmethod
    def _wsgi(environ: object, start_response: object) -> Iterable[bytes]:
        raise LookupError("no such account")

    @staticmethod
    def _late(environ: object, start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "application/json")])
        yield b""
        raise LookupError("no such account")

    @pytest.mark.parametrize("name", ["_asgi", "_wsgi", "_late"])
    def test_it_is_a_server_error(self, name: str) -> None:
        exchange = asking(getattr(self, name))
        assert exchange.status == 500
        assert exchange.traceback.rstrip().endswith("LookupError: no such account")
        assert f"in {name}\n" in exchange.traceback
        assert "in recorded" not in exchange.traceback

    def test_after_the_answer_it_changes_nothing_for_the_client(self) -> None:
        exchange = asking(answering(then=LookupError("late")))
        assert (exchange.status, exchange.failure) == (200, None)
        assert "LookupError: late" in exchange.traceback

    def test_in_the_middle_of_an_answer_it_breaks_off(self) -> None:
        for app in (answering(then=LookupError("early"), ends=False), answering(ends=False)):
            failure = asking(app).failure
            assert failure is not None
            assert failure.kind is FailureKind.DISCONNECT


def test_an_application_that_hangs_is_given_up() -> None:
    async def hangs(scope: dict[str, Any], receive: object, send: object) -> None:
        if scope["type"] == "http":
            await asyncio.sleep(60)
        else:
            raise NotImplementedError

    def blocks(environ: object, start_response: object) -> Iterable[bytes]:
        time.sleep(2)
        return []

    for app in (hangs, blocks):
        failure = asking(app, timeout=0.05).failure
        assert failure is not None
        assert failure.kind is FailureKind.TIMEOUT


def test_an_exception_that_a_wsgi_application_hands_over_is_kept_beside_its_own_answer() -> None:
    def app(environ: object, start_response: Callable[..., Any]) -> Iterable[bytes]:
        try:
            raise LookupError("no such account")
        except LookupError:
            start_response("503 Service Unavailable", [], sys.exc_info())
        return [b"later"]

    exchange = asking(app)
    assert exchange.status == 503
    assert exchange.traceback.rstrip().endswith("LookupError: no such account")


def test_no_more_of_an_answer_is_kept_than_is_read() -> None:
    async def endless(scope: dict[str, Any], receive: object, send: Send) -> None:
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            while True:
                await send({"type": "http.response.body", "body": b"x" * 100_000, "more_body": True})

    def endless_too(environ: object, start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", [])
        return itertools.repeat(b"x" * 100_000)

    for app in (endless, endless_too):
        response = asking(app).response
        assert response is not None
        assert response.truncated


@pytest.mark.parametrize("then", [None, RuntimeError("broken")])
def test_a_wsgi_application_hears_of_the_end_of_its_answer(then: Exception | None) -> None:
    heard = []

    class Body:
        def __iter__(self) -> Iterator[bytes]:
            yield b"{}"
            if then is not None:
                raise then

        def close(self) -> None:
            heard.append("closed")

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", [])
        return Body()

    exchange = asking(app)
    assert heard == ["closed"]
    assert (exchange.failure is None) == (then is None)


def test_a_wsgi_application_gets_a_chunked_body_as_servers_hand_it_over() -> None:
    def echo(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", [])
        return [environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))]

    response = asking(echo, Request(body=b"a=b", chunked=True)).response
    assert response is not None
    assert response.body == b"a=b"


def as_wsgi(app: Any) -> Callable[..., Iterable[bytes]]:
    """The emulator as a WSGI application."""

    def wsgi(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        names = {
            name: name.removeprefix("HTTP_") for name in environ if name.startswith(("HTTP_", "CONTENT_"))
        }
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": environ["REQUEST_METHOD"],
            "path": environ["PATH_INFO"],
            "query_string": environ["QUERY_STRING"].encode(),
            "headers": [
                (to.replace("_", "-").lower().encode(), environ[name].encode()) for name, to in names.items()
            ],
            "scheme": environ["wsgi.url_scheme"],
        }
        messages: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": environ["wsgi.input"].read()}

        async def send(message: dict[str, Any]) -> None:
            messages.append(message)

        asyncio.run(app(scope, receive, send))
        head, *bodies = messages
        fields = [(name.decode(), value.decode()) for name, value in head["headers"]]
        start_response(f"{head['status']} Answer", fields)
        return [message.get("body", b"") for message in bodies]

    return wsgi


def findings(url: str, app: object | None = None) -> dict[str, set[tuple[str, str]]]:
    with Target(TargetSettings(url=url, timeout=3.0, max_requests=300), app=app) as target:
        report = run(CATALOGUE, target, Plan(profile="quick"))
    not_run = {each.rule.id for each in report.outcomes if each.verdict == "not-run"}
    assert ("framing" in not_run) == (app is not None)
    return {
        each.rule.id: {(finding.cls, finding.outcome) for finding in each.findings}
        for each in report.outcomes
        if each.findings
    }


@pytest.mark.slow
@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize("fault", [None, "closed-timer-minimum-one-second-less", "errors-code-as-object"])
def test_the_findings_are_those_over_a_socket(fault: str | None) -> None:
    faults = [fault] if fault else []
    with serving(accounts=ACCOUNTS, faults=faults) as url:
        over_a_socket = findings(url)
    assert findings(BASE_URL, create_app(accounts=ACCOUNTS, faults=faults)) == over_a_socket
    assert findings(BASE_URL, as_wsgi(create_app(accounts=ACCOUNTS, faults=faults))) == over_a_socket
    assert bool(over_a_socket) == bool(fault)

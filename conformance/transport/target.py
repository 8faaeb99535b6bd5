"""
The only way to the network: the suite sends every request and reads every answer through a `Target`.

A target uses httpcore, the engine under httpx, and not `httpx.Client`, for three reasons. A client keeps cookies, adds
headers and follows the environment, but a conformance suite needs exact bytes. A client hides its connections, but the
suite has to see whether one was reused, how much of an answer came, and when an exchange takes too long. And httpcore
costs less time.

Nothing that the target does raises an exception: every request ends as an `Exchange`, with a response or a failure.
"""

import logging
import math
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Self
from urllib.parse import unquote, urlsplit

import httpcore

from conformance.exceptions import BudgetExhausted, OutOfTime, TargetDead
from conformance.http import PATH, ByHand, Exchange, Failure, FailureKind, Request, Response, read_before
from conformance.model import BY_HAND
from conformance.transport.connections import FAILURES, Network, receive
from conformance.transport.framing import misframing
from conformance.transport.pacing import TRIES, Pace
from conformance.transport.patience import Patience
from conformance.transport.redaction import Secrets
from conformance.transport.settings import TIME_TO_PUT_BACK, TargetSettings
from conformance.transport.silence import Silence
from conformance.transport.writing import Prepared, Writer

if TYPE_CHECKING:
    from conformance.transport.apps import Application

__all__ = ["Target", "TargetSettings"]

BASE_URL = "http://localhost:8000"
"""The base URL that an application is told. Servers of applications listen there, so that curl lines work with them."""

_OF_APPLICATIONS = TargetSettings(url=BASE_URL)

_PAUSES = (0.5, 1.0)
"""Seconds before each further try to connect to a target that was never there; after the last one it counts as dead."""

_LONGER = (*_PAUSES, 2.0, 4.0)
"""The same for one that was there: something may start it again."""

_LEAST = 1.0
"""Seconds that an exchange may take at least, though the time of the run is spent by then."""

_LOGGERS = ("httpcore.connection", "httpcore.http11", "httpcore.proxy")
"""The loggers of httpcore, which write headers of requests and answers where logging is set up."""


class Target:
    """
    Sends requests to a target. It is a context manager, and closes its connections at the end.

    Args:
        settings: How to reach the target, and how many requests to send.
        notice: Called with one line whenever the target makes the run wait.
        seen: Called with every exchange at its end, repetitions too, on the thread that made it.
        app: An ASGI or WSGI application, which is called in this process; None to send over a connection.

    Raises:
        ConfigurationError: The application did not start.
        OSError: The file of trusted certificates cannot be loaded.
    """

    lacks: Mapping[str, str] = MappingProxyType({})
    """By what a rule may need (`Rule.needs`), the reason why the target does not have it."""

    def __init__(
        self,
        settings: TargetSettings = _OF_APPLICATIONS,
        notice: Callable[[str], None] = lambda line: None,
        seen: Callable[[Exchange], None] = lambda exchange: None,
        *,
        app: object | None = None,
    ) -> None:
        parts = urlsplit(settings.url)
        self.settings = settings
        self.url = settings.url.rstrip("/") + PATH
        self.requests = 0
        """The number of requests sent so far, repetitions included."""
        self._seen = seen
        self._writer = Writer(settings.url, settings.accounts)
        self._began = time.perf_counter()
        self._lock = threading.Lock()
        self.drops = 0
        """How many connections closed without an answer, idle ones included."""
        self.patience = Patience(settings.timeout, notice)
        self.silence = Silence()
        self._reserve_used = 0
        self._notice = notice
        self.out_of_time = ""
        """The notice that the time of the run is spent; empty until it is."""
        self._serves_one = False
        """Whether the target was seen to serve one connection at a time."""
        self.pace = Pace(settings, notice)
        self._secrets = Secrets(settings.accounts, self.url)
        self._logged = _Redacting(self._secrets)
        for name in _LOGGERS:
            logging.getLogger(name).addFilter(self._logged)
        proxy = _proxy(settings.proxy) if settings.proxy else None
        self._network = Network(
            settings.timeout,
            settings.max_body,
            _peer(settings.proxy or settings.url),
            None if proxy else settings.addresses,  # a proxy looks up the target's name itself
        )
        context = None
        if parts.scheme == "https":
            file = settings.ca_file
            context = ssl.create_default_context(cafile=file) if file else httpcore.default_ssl_context()
        self._kept, self._fresh = (
            httpcore.ConnectionPool(
                ssl_context=context,
                proxy=proxy,
                max_connections=None,
                max_keepalive_connections=keep,
                network_backend=self._network,
            )
            for keep in (None, 0)
        )
        self._app: Application | None = None
        if app is not None:
            from conformance.transport.apps import started  # httpx is not always there

            self._app = started(app, settings.max_body)
            self.lacks = self._app.lacks
        elif not settings.by_hand:
            self.lacks = {BY_HAND: "written by hand, which a live target is sent where --only names its rule"}
        elif settings.proxy:
            self.lacks = {BY_HAND: "written by hand: the proxy would write it anew"}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def reconnect(self) -> None:
        """Close the kept connections, so that the next request opens one: an answer may have left them in any state."""
        self._kept.close()

    def close(self) -> None:
        """Close every connection, and stop redacting logs."""
        for name in _LOGGERS:
            logging.getLogger(name).removeFilter(self._logged)
        self._kept.close()
        self._fresh.close()
        if self._app is not None:
            self._app.close()

    def send(self, request: Request, *, known_good: bool = False, reserve: bool = False) -> Exchange:
        """
        Send one request, repeat it where the protocol allows that, and return the last exchange.

        The request is repeated on a fresh connection where a reused one closed before any byte of an answer (RFC 9112
        9.5), and after a wait where the answer is 429, or 503 with Retry-After (RFC 6585 4, RFC 9110 10.2.3). Every
        repetition counts as a request. A 429 is returned only after the last try.

        The exchange has a response or a failure. It has both where bytes came after the end of the response.

        Args:
            request: The request.
            known_good: Whether to raise `TargetDead` even if the target was never there, or with the reserve.
            reserve: Whether the request may use the reserve of the budget.

        Raises:
            BudgetExhausted: `max_requests` or `max_time` is reached; nothing was sent.
            RateLimitedOut: `patience` or `refusals` is used up.
            TargetDead: No connection could be opened, several times in a row, to a target that was there before.
            ValueError: The request may not or cannot be sent, because of a method outside `METHODS`, say, or an
                illegal header.
        """
        exchange = self._attempt(request, reserve)
        was_there = self.silence.was_there
        if known_good or (was_there and not reserve):
            for pause in _LONGER if was_there else _PAUSES:
                if not exchange.is_unreached:
                    break
                time.sleep(pause)
                # The last request alone: not the read that was pipelined before it, which may have ended the target.
                exchange = self._attempt(exchange.request, reserve)
            if exchange.is_unreached:
                raise TargetDead(self.silence.line(exchange.url))
        return self._heed(exchange, reserve)

    def send_together(self, requests: Sequence[Request]) -> list[Exchange]:
        """
        Send requests at the same moment, each on a connection of its own; return the exchanges in the same order.

        Requests that are answered 429 are repeated afterwards, one by one.

        Raises:
            BudgetExhausted: The budget is too small for all of them; none was sent.
            RateLimitedOut: As in `send`.
            ValueError: As in `send`; none was sent.
        """
        prepared = [self._writer.prepare(request) for request in requests]
        self.reconnect()  # our own idle connection would block a target that serves one at a time
        first = self._take(len(requests), reserve=False)
        barrier = threading.Barrier(len(requests))

        def work(index: int) -> Exchange:
            barrier.wait()
            return self._exchange(requests[index], prepared[index], first + index, self._fresh, reserve=False)

        with ThreadPoolExecutor(len(requests)) as threads:
            exchanges = list(threads.map(work, range(len(requests))))
        heeded = [self._heed(exchange, reserve=False) for exchange in exchanges]
        # Each had a connection of its own, numbered by chance.
        return [replace(exchange, together=True, connection=0, place=0) for exchange in heeded]

    def lets_in(self, request: Request) -> bool:
        """
        Whether a request that should carry wrong credentials carries good ones by chance.

        A token without letters, for one, is the same in the other case.
        """
        return self._writer.lets_in(request)

    def leaks(self, exchange: Exchange) -> bool:
        """Whether the response contains a token that the body, path and parameters of the request did not."""
        return self._secrets.leaks(exchange)

    # Budget and pace

    def _take(self, count: int, reserve: bool) -> int:
        """Take `count` requests from the budget, wait for their turn, and return the number of the first."""
        settings = self.settings
        if self.time_left(reserve=reserve) <= self.pace.until_turn:
            raise self._out_of_time()
        with self._lock:
            spent = self.requests - self._reserve_used + count
            if settings.max_requests is not None and spent > settings.max_requests:
                if not reserve or self._reserve_used + count > settings.reserve:
                    raise BudgetExhausted(f"the budget of {settings.max_requests} requests is spent")
                self._reserve_used += count
            self.requests += count
            number = self.requests - count + 1
        self.pace.turn(count)
        return number

    def time_left(self, *, reserve: bool = False) -> float:
        """Return the seconds within which requests may still be sent; infinity where there is no limit."""
        settings, limit = self.settings, self.settings.max_time
        if limit is None:
            return math.inf
        if reserve:
            limit += TIME_TO_PUT_BACK + settings.reserve / (settings.rate or math.inf)
        return limit - (time.perf_counter() - self._began)

    def _out_of_time(self) -> OutOfTime:
        """Give notice that the time of the run is spent, and return the error that ends it."""
        if not self.out_of_time:
            self.out_of_time = (
                f"the run has taken the {self.settings.max_time:g} s that it may take, and sent {self.requests:,} "
                "requests: --max-time gives it more"
            )
            self._notice(self.out_of_time)
        return OutOfTime(self.out_of_time)

    def _heed(self, exchange: Exchange, reserve: bool) -> Exchange:
        """Repeat a request as long as the target asks to wait and tries are left; return the last exchange."""
        for _ in range(1, TRIES):
            try:
                if not self.pace.wait(exchange.response, reserve, self.time_left(reserve=reserve)):
                    return exchange
            except OutOfTime:
                self._out_of_time()
                raise
            exchange = self._attempt(exchange.request, reserve)
        if exchange.status == 429:
            self.pace.stayed_limited(reserve)
        return exchange

    # One exchange

    def _attempt(self, request: Request, reserve: bool) -> Exchange:
        """Send a request once, or twice where a reused connection turns out to be closed."""
        prepared = self._writer.prepare(request)
        pipelined = request.by_hand is ByHand.PIPELINED
        number = self._take(1 + pipelined, reserve) + pipelined
        if self._app is not None:
            return self._exchange(request, prepared, number, self._kept, reserve)
        if request.fresh and self._serves_one:
            self.reconnect()
        exchange = self._exchange(
            request, prepared, number, self._fresh if request.fresh else self._kept, reserve
        )
        # A server may answer one request only and close (RFC 9112 9.3.2, 9.6).
        if pipelined and exchange.is_cut:
            return self._attempt(replace(request, by_hand=None, fresh=True), reserve)
        watch = self._network.watch
        if request.fresh and exchange.is_timeout and not watch.received and self._kept.connections:
            # It may serve one connection at a time, which is legal: our own idle one then keeps this one waiting.
            self.reconnect()
            exchange = self._exchange(request, prepared, self._take(1, reserve), self._fresh, reserve)
            self._serves_one = self._serves_one or exchange.failure is None
            return exchange
        if watch.connected:
            return exchange
        # A server may close an idle connection; then no byte of an answer has come. It may also send a 408 first
        # (RFC 9110 15.5.9). Any other way of closing is a failure of the target.
        if (exchange.is_cut and not watch.received) or exchange.status == 408:
            return self._exchange(request, prepared, self._take(1, reserve), self._fresh, reserve)
        return exchange

    def _exchange(
        self, request: Request, prepared: Prepared, number: int, pool: httpcore.ConnectionPool, reserve: bool
    ) -> Exchange:
        wire, shown = prepared
        response: Response | None = None
        failure: Failure | None = None
        trace = ""
        began = time.perf_counter()
        timeout = self.settings.timeout if reserve else self.patience.seconds
        within = max(_LEAST, self.time_left(reserve=reserve))
        timeout, is_last = min(timeout, within), timeout > within
        self._network.watch.begin(timeout, self._writer.rewrite(request), request.by_hand)
        try:
            if self._app is not None:
                response, failure, trace = self._app.ask(wire, timeout)
            else:
                response, failure = self._over_connection(wire, pool)
        except httpcore.LocalProtocolError as error:
            raise ValueError(f"the request cannot be sent: {error}") from error
        except FAILURES as error:
            failure = self._network.watch.failure(error)
            if self.settings.proxy and failure.kind is FailureKind.CONNECT:
                proxy = ":".join(map(str, _peer(self.settings.proxy)))
                failure = replace(
                    failure, detail=f"the proxy {proxy} does not let the run through: {failure.detail}"
                )
            is_drop = failure.kind is FailureKind.DISCONNECT and not failure.partial
            if is_drop and request.by_hand is not ByHand.PIPELINED:
                with self._lock:
                    self.drops += 1
        exchange = Exchange(
            number=number,
            request=request,
            response=response,
            failure=failure,
            started=began - self._began,
            elapsed=time.perf_counter() - began,
            url=f"{self.url}?{request.query}" if request.query else self.url,
            sent_headers=shown,
            connection=self._network.watch.connection,
            place=self._network.watch.place,
            traceback=trace,
        )
        if (ahead := self._network.watch.ahead) is not None:
            before = read_before(request)
            first = replace(
                exchange, number=number - 1, request=before, response=ahead.response, url=self.url
            )
            failed = failure if ahead.response is None else None
            self._seen(replace(first, failure=failed, sent_headers=self._writer.prepare(before)[1]))
        self._seen(exchange)
        self.patience.saw(exchange)
        with self._lock:
            self.silence.saw(exchange)
        if is_last and exchange.is_timeout:
            raise self._out_of_time()  # we have waited less than an answer may take: it is not late
        return exchange

    def _over_connection(
        self, wire: httpcore.Request, pool: httpcore.ConnectionPool
    ) -> tuple[Response, Failure | None]:
        answer = pool.handle_request(wire)
        try:
            response = receive(answer, self.settings.max_body)
            reason = answer.extensions.get("reason_phrase", b"").decode("latin-1")
        finally:
            answer.close()
        wrong = "" if response.truncated else misframing(answer, wire.method, self._network.watch)
        return replace(response, reason=reason), Failure(FailureKind.FRAMING, wrong) if wrong else None


class _Redacting(logging.Filter):
    """Takes the tokens out of log records."""

    def __init__(self, secrets: Secrets) -> None:
        super().__init__()
        self._secrets = secrets

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = self._secrets.redact(record.getMessage()), ()
        return True


def _peer(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def _proxy(url: str) -> httpcore.Proxy:
    parts = urlsplit(url)
    auth = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
    return httpcore.Proxy(parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl(), auth=auth)

"""Targets without a network: a Python function answers, so that a whole run is fast."""

import json
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from conformance.exceptions import BudgetExhausted
from conformance.harness.minimizer import REQUESTS, Minimizer
from conformance.harness.session import Session
from conformance.http import BASIC, PATH, Exchange, Failure, FailureKind, Request, Response
from conformance.model import BY_PARAMETER, FIELDS, Finding
from conformance.rules import BY_ID
from conformance.rules.probes import LONG_CLOSED
from conformance.transport.credentials import THROWAWAY
from conformance.transport.target import Target, TargetSettings

URL = "http://fake.test"
ACCOUNT = THROWAWAY[0].sid or ""

_NUMBER = r"([0-9]+(?:[.,][0-9]+(?=.\Z))?)"  # only the last number has a fraction
_DURATION = re.compile(
    rf"P(?!\Z)(?:{_NUMBER}W|(?:{_NUMBER}Y)?(?:{_NUMBER}M)?(?:{_NUMBER}D)?"
    rf"(?:T(?!\Z)(?:{_NUMBER}H)?(?:{_NUMBER}M)?(?:{_NUMBER}S)?)?)"
)
_SECONDS = (7 * 86400, 365 * 86400, 30 * 86400, 86400, 3600, 60, 1)
_MINIMUM = {"DefaultInactiveTimer": 60, "DefaultClosedTimer": 600}
_PREFIX = {"DefaultChatServiceSid": "IS", "DefaultMessagingServiceSid": "MG"}
"""The prefixes of SIDs. These rules are apart from the oracle, so that the tests can see a mistake of it."""

EVERYTHING = (
    LONG_CLOSED,
    ("DefaultChatServiceSid", "IS" + "a" * 32),
    ("DefaultMessagingServiceSid", "MG" + "a" * 32),
)
"""Valid parameters, all but the inactive timer."""

Answering = Callable[[Request], Response | Failure]


def answer(status: int, document: object, *headers: tuple[str, str]) -> Response:
    """Make a response with a JSON document."""
    return Response(
        status=status,
        headers=(("Content-Type", "application/json"), *headers),
        body=json.dumps(document).encode(),
    )


def refusal(status: int = 400, *headers: tuple[str, str]) -> Response:
    """Make a refusal as the vendor writes it."""
    return answer(status, {"code": 20001, "message": "no", "status": status}, *headers)


def representation(values: Mapping[str, str | None] | None = None, account: int = 0) -> dict[str, object]:
    """Make the document of a configuration; settings that are not given are null."""
    settings: dict[str, str | None] = {each.attribute: None for each in FIELDS}
    return {"account_sid": THROWAWAY[account].sid, "url": URL + PATH, **settings, **(values or {})}


class Resource:
    """A conformant resource; tests override a method to build in a fault."""

    def __init__(self) -> None:
        self.states: list[dict[str, str | None]] = [
            {each.attribute: None for each in FIELDS} for _ in THROWAWAY
        ]

    def __call__(self, request: Request) -> Response | Failure:
        if not request.auth.valid and request.auth != BASIC:
            return refusal(401, ("WWW-Authenticate", 'Basic realm="t"'))
        if request.method not in ("GET", "HEAD", "POST"):
            return refusal(405, ("Allow", "GET, HEAD, POST"))
        if request.method != "POST":
            return self.show(request)
        form = request.form()
        if form is None:
            return refusal(415)
        names = [name for name, _ in form]
        known = {name: value for name, value in form if name in BY_PARAMETER}
        if len(names) != len(set(names)) or any(not self.takes(name, value) for name, value in known.items()):
            return refusal()
        self.write(request, {BY_PARAMETER[name].attribute: value for name, value in known.items()})
        return self.show(request)

    def takes(self, parameter: str, value: str) -> bool:
        """Whether a value is accepted: a SID of the right form, or a duration that is long enough."""
        if parameter in _PREFIX:
            return re.fullmatch(_PREFIX[parameter] + "[0-9a-fA-F]{32}", value) is not None
        parts = _DURATION.fullmatch(value)
        if parts is None:
            return False
        numbers = (Decimal((number or "0").replace(",", ".")) for number in parts.groups())
        seconds: Decimal = sum(map(operator.mul, numbers, _SECONDS), Decimal())
        return seconds >= _MINIMUM[parameter]

    def write(self, request: Request, values: Mapping[str, str]) -> None:
        """Store values, by attribute."""
        self.states[request.account].update(values)

    def show(self, request: Request) -> Response:
        """Make the answer to a request that is served."""
        return answer(200, representation(self.states[request.account], request.account))


class FakeTarget(Target):
    """A target whose requests never leave the process."""

    def __init__(self, answering: Answering, *, max_requests: int | None = None, accounts: int = 2) -> None:
        super().__init__(TargetSettings(url=URL, accounts=THROWAWAY[:accounts], max_requests=max_requests))
        self.answering = answering
        self.sent: list[Request] = []

    def send(self, request: Request, *, known_good: bool = False, reserve: bool = False) -> Exchange:
        """Return the answer of the function, within the budget."""
        limit = self.settings.max_requests
        if limit is not None and self.requests >= limit and not reserve:
            raise BudgetExhausted(f"the budget of {limit} requests is spent")
        self.requests += 1
        self.sent.append(request)
        return _exchanged(self, request, self.requests)

    def send_together(self, requests: Sequence[Request]) -> list[Exchange]:
        """Send the requests one after the other; tests with real servers send them at the same time."""
        return [replace(self.send(request), together=True) for request in requests]


class PacedTarget(Target):
    """A target whose requests never leave the process; it waits, repeats and gives up as a real one does."""

    def __init__(self, answering: Answering, **settings: object) -> None:
        super().__init__(TargetSettings(url=URL, **settings))  # type: ignore[arg-type]  # tests name them
        self.answering = answering
        self._is_open = False

    def _exchange(
        self, request: Request, prepared: object, number: int, pool: object, reserve: bool = False
    ) -> Exchange:
        self._network.watch.connected = pool is self._fresh or not self._is_open
        exchange = _exchanged(self, request, number)
        self._is_open = exchange.failure is None
        return exchange


def _exchanged(target: FakeTarget | PacedTarget, request: Request, number: int) -> Exchange:
    """Have the function of a target answer; no request takes any time."""
    came = target.answering(request)
    failure, response = (came, None) if isinstance(came, Failure) else (None, came)
    exchange = Exchange(
        number=number,
        request=request,
        failure=failure,
        response=response,
        url=target.url,
        connection=1,
        place=1,
    )
    target.silence.saw(exchange)
    return exchange


class Mortal:
    """
    Answers as a resource does until a request that it dies of; it may be started again, with nothing set.

    Args:
        dies: Whether it dies of a request.
        is_supervised: Whether it is started again; see `start`.
        resource: Makes the resource that answers.
    """

    def __init__(
        self,
        dies: Callable[[Request], bool],
        *,
        is_supervised: bool = False,
        resource: Callable[[], Resource] = Resource,
    ) -> None:
        self._dies, self._is_supervised, self._made = dies, is_supervised, resource
        self._resource: Resource | None = resource()

    def __call__(self, request: Request) -> Response | Failure:
        if self._resource is None:
            return Failure(FailureKind.CONNECT, "Connection refused")
        if self._dies(request):
            self._resource = None
            return Failure(FailureKind.DISCONNECT, "closed after 0 bytes of an answer")
        return self._resource(request)

    def stop(self) -> None:
        """Stop it between two requests."""
        self._resource = None

    def start(self, seconds: float) -> None:
        """Start it again where it is supervised; in place of `time.sleep`, any wait is long enough."""
        if self._is_supervised and self._resource is None:
            self._resource = self._made()


def found(
    answering: Answering, *requests: Request, rule: str, budget: int = REQUESTS, reader: Request | None = None
) -> tuple[Finding, int]:
    """Send requests and minimize the candidate of a rule; return its finding, and the requests that this took."""
    session = Session(FakeTarget(answering), tuple(BY_ID))
    session.learn(reader=reader, takes_empty=False)
    for request in requests:
        session.conversation.send(request, "class")
    candidate = next(each for (name, _, _), each in session.candidates.items() if name == rule)
    before = session.target.requests
    finding = Minimizer(session, candidate, budget).finding()
    return finding, session.target.requests - before

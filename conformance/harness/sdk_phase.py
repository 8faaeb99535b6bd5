"""
Updates and reads the settings with the official Python client, and compares what it reads with what was answered.

The client hands each request to an adapter of ours in place of a socket, so it sends nothing itself. Our client sends
the request, and the adapter answers the official client with what came.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from requests import PreparedRequest, RequestException, Response
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers
from twilio.base.exceptions import TwilioException
from twilio.rest import Client

from conformance.harness.conversation import Judged
from conformance.harness.session import Session
from conformance.http import Exchange, Request
from conformance.model import BY_PARAMETER, FIELDS, Rule, Violation, shown_by
from conformance.rules.forms import pairs_for
from conformance.rules.sdk import FETCH, UPDATE

_OURS = frozenset({"accept-encoding", "authorization", "connection", "content-length", "content-type"})
"""Headers that our client makes itself: those of the connection, those of the body, and the credentials."""

_INDEX = 9
"""Which of the valid values are sent; those of the combinations are others."""


class _Asked(RequestException):
    """The client has made this request, and wants its answer."""

    def __init__(self, request: PreparedRequest) -> None:
        super().__init__(request=request)
        self.made = request


class _Adapter(BaseAdapter):
    def __init__(self, exchange: Exchange | None) -> None:
        super().__init__()
        self._exchange = exchange

    def send(self, request: PreparedRequest, *args: Any, **options: Any) -> Response:
        if self._exchange is None or self._exchange.response is None:
            raise _Asked(request)
        answer, came = Response(), self._exchange.response
        answer.status_code, answer.request = came.status, request
        answer.headers = CaseInsensitiveDict(came.headers)
        answer.encoding = get_encoding_from_headers(answer.headers)
        answer._content = came.body  # noqa: SLF001  # as requests' own adapters do, it has no other way in
        return answer

    def close(self) -> None:
        """Close nothing."""


class Call:
    """One call of the client, and the rule that it can break: an update of settings, by attribute, or a read."""

    def __init__(self, rule: Rule, **values: str) -> None:
        self.rule = rule
        self._values = values

    @property
    def request(self) -> Request:
        """The request that the client makes."""
        try:
            self._made(None)
        except _Asked as asked:
            sent = asked.made
        headers = {name: str(value) for name, value in sent.headers.items()}
        return Request(
            method=str(sent.method),
            body=sent.body.encode("ascii") if isinstance(sent.body, str) else None,
            content_type=headers.get("Content-Type"),
            headers=tuple((name, value) for name, value in headers.items() if name.lower() not in _OURS),
        )

    def check(self, session: Session, judged: Judged) -> None:
        """Record what goes wrong with an answer that violates no other rule."""
        if judged.violations or not (wrong := self._wrong(judged.exchange)):
            return
        outcome, observed = wrong
        session.conversation.note(
            Violation(
                rule=self.rule.id,
                outcome=outcome,
                field=None,
                summary=f"the official Python client cannot {self.rule.id.removeprefix('sdk-')} the settings",
                expected="the settings, as the answer has them",
                observed=observed,
            ),
            judged.exchange,
            self.rule.classes[0].id,
            shows=lambda again: self._wrong(again) is not None,
        )

    def _wrong(self, exchange: Exchange) -> tuple[str, str] | None:
        """Return the outcome, and what was observed, where the client does not read what an answer shows."""
        shown = shown_by(exchange)
        if shown is None:
            return None  # It shows no settings: other rules say whether it should.
        try:
            instance = self._made(exchange)
        except (TwilioException, ValueError) as error:  # a text that is not JSON is a ValueError
            return "unreadable", f"{type(error).__name__}: {error}"[:200]
        read = {each.attribute: getattr(instance, each.attribute) for each in FIELDS}
        wrong = [f"{name}: {read[name]!r}" for name, value in shown.items() if read[name] != value]
        return ("misread", ", ".join(wrong)) if wrong else None

    def _made(self, exchange: Exchange | None) -> Any:
        client = Client("{sid}", "{token}")
        # Neither the environment's region nor its proxies: the address is never used.
        client.region = client.edge = None
        client.conversations.base_url = "http://127.0.0.1"
        client.http_client.session.trust_env = False
        client.http_client.session.mount("http://", _Adapter(exchange))
        configuration = client.conversations.v1.configuration()
        made: Callable[[], Any] = (
            partial(configuration.update, **self._values) if self.rule is UPDATE else configuration.fetch
        )
        return made()


def calls(session: Session) -> list[Call]:
    """Return the calls to make: an update of everything, a read, an update of one setting."""
    values = {BY_PARAMETER[name].attribute: value for name, value in pairs_for(session.situation, _INDEX)}
    one = {"default_closed_timer": "P29DT9M"}
    return [Call(UPDATE, **values), Call(FETCH), Call(UPDATE, **one)]

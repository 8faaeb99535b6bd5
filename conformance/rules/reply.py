"""
The reply: one exchange of the run, with everything that a response check may know about it.

Response checks judge every exchange, and send nothing. Each judges by its own rule and yields violations. None knows
which rules the user selected.
"""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from conformance.exceptions import NotJSON
from conformance.http import Exchange, Pairs, Request, Response, json_of
from conformance.model import BY_PARAMETER, Field, settings_in
from conformance.oracle.decisions import Answer, FormDecision, is_right
from conformance.oracle.expected_state import ExpectedState
from conformance.oracle.mismatches import Kind, Proof

_KEPT = 16 * 1024
"""Bytes of a body, and of a header section, that are kept after judging. Ordinary ones have some 1,000 bytes."""

_REPRESENTING = (200, 201)
"""Statuses whose answers show a resource; a 201 is wrong here, and shows it all the same (RFC 9110 15.3.2)."""


def remembered(exchange: Exchange) -> Exchange:
    """Return the exchange with a long answer cut, so that thousands of hostile answers fit into memory."""
    response = exchange.response
    if response is None:
        return exchange
    size, headers = 0, []
    for name, value in response.headers:
        size += len(name) + len(value)
        if size <= _KEPT:
            headers.append((name, value))
    if size <= _KEPT and len(response.body) <= _KEPT:
        return exchange
    return replace(
        exchange,
        response=replace(response, headers=tuple(headers), body=response.body[:_KEPT], truncated=True),
    )


@dataclass(frozen=True, kw_only=True)
class Reply:
    """
    One exchange and what the run knows about it.

    The run makes one when the answer is there, and hands it on. The answer is parsed once.
    """

    exchange: Exchange
    """The exchange with its answer as it is kept; see `remembered`."""
    form: Pairs | None
    """The parameters that were sent; None where the body is no form."""
    decision: FormDecision | None
    """The oracle's decision on the form; None where the request updates by no form."""
    state: ExpectedState
    account_sid: str | None
    """The SID of the account whose credentials were sent; None with an API key."""
    refused: Collection[tuple[str, str]] = ()
    """Good parameters, with their values, that the target refused when they were sent alone."""
    taken: frozenset[tuple[str, str]] | set[tuple[str, str]] = frozenset()
    """Parameters, with their values, that the target accepted beside others."""
    whole: Response | None = None
    """The answer as it came; None where `exchange` holds it uncut."""
    leaks: bool = False
    """Whether the answer holds an auth token that the request's body, path and parameters do not hold."""
    after: Exchange | None = None
    """The exchange before it in the run; None where that is not known."""
    proofs: set[tuple[Proof | Kind, Field]] = field(default_factory=set)
    """The predictions of the expected state that the answer has borne out. `check_state` adds them."""

    @property
    def request(self) -> Request:
        return self.exchange.request

    @property
    def response(self) -> Response | None:
        """The answer as it came; None where none came."""
        return self.whole or self.exchange.response

    def header(self, name: str) -> str | None:
        """Return the first value of a header of the answer, its name in any case; None where there is none."""
        return self.response.header(name.lower()) if self.response is not None else None

    @property
    def authorised(self) -> bool:
        """Whether the request carried the account's own credentials."""
        return self.request.auth.valid

    @property
    def is_acceptable(self) -> bool:
        """Whether it is an update that must, or should, be accepted with the account's own credentials."""
        return self.decision is not None and self.decision.answer is Answer.ACCEPT

    @property
    def is_due(self) -> bool:
        """Whether it is an update that must, or should, be accepted."""
        return self.is_acceptable and self.authorised

    @property
    def kind(self) -> str:
        """The kind of answer, which is the input class of a violation of a rule about answers."""
        if not self.authorised:
            return "answer/unauthorised"
        if self.request.method == "GET":
            return "answer/read"
        if self.request.method != "POST":
            return "answer/other-method"
        return "answer/update" if self.exchange.accepted else "answer/refusal"

    @property
    def represents(self) -> bool:
        """
        Whether the answer must hold the resource's representation in JSON.

        Another path may have another resource, and who asks for something else than JSON may get that.
        """
        shows = self.exchange.status in _REPRESENTING
        is_own = self.authorised and not self.request.is_elsewhere and self.request.takes_json
        return is_own and self.request.method in ("POST", "GET") and shows

    @cached_property
    def _parsed(self) -> Any:
        assert self.response is not None
        try:
            return json_of(self.response)
        except NotJSON as error:
            return error

    @property
    def document(self) -> Any:
        """
        The body as JSON.

        Raises:
            NotJSON: The body is no JSON text.
        """
        if isinstance(self._parsed, NotJSON):
            raise self._parsed
        return self._parsed

    @property
    def owner(self) -> object:
        """The SID of the account that the answer says it is about; None where it says nothing."""
        return self._parsed.get("account_sid") if self.response and isinstance(self._parsed, dict) else None

    @cached_property
    def shown(self) -> dict[str, str | None] | None:
        """The settings that the answer shows, by attribute; None where it shows none."""
        # A 2xx other than 200 breaks a rule of its own, and still shows the settings.
        if not self.exchange.accepted or isinstance(self._parsed, NotJSON):
            return None
        shown = settings_in(self._parsed)
        # What a refusal does not show is not null, though it comes with a 200.
        is_refusal = self.decision is not None and self.decision.answer is Answer.REJECT
        return None if is_refusal and shown is not None and not any(shown.values()) else shown

    @cached_property
    def wrong(self) -> frozenset[str]:
        """The attributes of the settings that its form sends, and that its answer does not show as sent."""
        sent = {BY_PARAMETER[name]: value for name, value in self.form or () if name in BY_PARAMETER}
        shown = self.shown or {}
        return frozenset(
            each.attribute
            for each, value in sent.items()
            if not is_right(each, value, shown.get(each.attribute))
        )

"""
What a response check sees: one exchange of the run, with what is known about it.

Response checks judge every exchange and cost no request. Each judges its own claim only and yields violations; none
of them sends anything, and none knows which rules were selected.
"""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from conformance.exceptions import NotJSON
from conformance.http import Exchange, Pairs, Request, Response, json_of
from conformance.model import Field, settings_in
from conformance.oracle.decisions import FormDecision
from conformance.oracle.expected_state import ExpectedState, Kind, Proof

_KEPT = 16 * 1024
"""Bytes of a body, and of a header section, that are remembered once they are judged; ordinary ones have 1,000."""


def remembered(exchange: Exchange) -> Exchange:
    """Cut an exchange down to what is kept of its answer, so that thousands of hostile ones fit into memory."""
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

    The run makes it once, when the exchange has come back, and hands it on. What has to be parsed is parsed once.
    """

    exchange: Exchange
    """As it is remembered."""
    form: Pairs | None
    """The parameters that were sent; None where the body is no form."""
    decision: FormDecision | None
    """What the oracle says of the form; None when the request is no form update."""
    state: ExpectedState
    account_sid: str | None
    """Of the account whose credentials were sent; None with an API key."""
    refused: Collection[tuple[str, str]] = ()
    """Parameters that were refused when sent by themselves, with their good values."""
    taken: frozenset[tuple[str, str]] | set[tuple[str, str]] = frozenset()
    """Parameters that were accepted beside others, with their values."""
    whole: Response | None = None
    """The answer as it came, where `exchange` holds what is remembered of it; None where that is all of it."""
    leaks: bool = False
    """Whether the answer holds a token that the request's body, path and parameters did not."""

    proofs: set[tuple[Proof | Kind, Field]] = field(default_factory=set)
    """What comparing the answer with the expected state has shown to hold."""

    @property
    def request(self) -> Request:
        """What was sent."""
        return self.exchange.request

    @property
    def response(self) -> Response | None:
        """What came back, if anything."""
        return self.whole or self.exchange.response

    def header(self, name: str) -> str | None:
        """Return the first value of a header of the answer, its name in any case; None where there is none."""
        return self.response.header(name.lower()) if self.response is not None else None

    @property
    def authorised(self) -> bool:
        """Whether the request carried the account's own credentials."""
        return self.request.auth.valid

    @property
    def kind(self) -> str:
        """The class of answer, for rules about answers rather than inputs."""
        if not self.authorised:
            return "answer/unauthorised"
        if self.request.method == "GET":
            return "answer/read"
        if self.request.method != "POST":
            return "answer/other-method"
        return "answer/update" if self.exchange.status == 200 else "answer/refusal"

    @property
    def represents(self) -> bool:
        """Whether the answer is to hold the resource's representation."""
        return self.authorised and self.request.method in ("POST", "GET") and self.exchange.status == 200

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

    @cached_property
    def shown(self) -> dict[str, str | None] | None:
        """The settings that the answer shows, by attribute; None when it shows none."""
        # Another 2xx than 200 is wrong by itself, and shows the settings all the same.
        if not self.exchange.accepted or isinstance(self._parsed, NotJSON):
            return None
        return settings_in(self._parsed)

"""
What a watching rule sees: one exchange of the run, with what is known about it.

Watching rules judge every exchange at no extra request. Each judges its own claim only and yields violations;
none of them sends anything, and none knows which rules were selected.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from conformance.http import Exchange, Request, Response, json_of
from conformance.model import Field, Violation
from conformance.oracle.decisions import FormDecision
from conformance.oracle.expected_state import ExpectedState, Kind, Proof


@dataclass(frozen=True, kw_only=True)
class Watched:
    """One exchange and what the run knows about it."""

    exchange: Exchange
    decision: FormDecision | None
    """What the oracle says of the form; None when the request is no form update."""
    ledger: ExpectedState
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
    def document(self) -> Any:
        """
        The body as JSON.

        Raises:
            NotJSON: it is none.
        """
        assert self.response is not None
        return json_of(self.response)


Watcher = Callable[[Watched], Iterator[Violation]]

"""
The usual kinds of evidence: exchanges that would have shown a rule broken, had it been.

A run calls a rule kept only when it has seen one. The text of each kind is what a report says where it saw none.
"""

from collections.abc import Callable

from conformance.exceptions import NotJSON
from conformance.http import as_usual
from conformance.model import Evidence, Field
from conformance.oracle.decisions import Answer
from conformance.oracle.mismatches import Kind, Proof
from conformance.rules.reply import Reply

_GIVEN = ("accepted-status",)
"""A refusal is evidence only where this rule has evidence, too: an update that was accepted."""


def is_accepted(reply: Reply, claim: str = "", about: Field | None = None) -> bool:
    """Whether an update was rightly accepted; with a claim, whether one of its values about which it is made was."""
    if not (reply.is_due and reply.exchange.accepted) or reply.decision is None:
        return False
    return not claim or any(each.claim == claim and each.field is about for each in reply.decision.causes)


def accepts(claim: str, about: Field, missing: str) -> Evidence:
    """Return the evidence that a value which must or should be accepted was accepted."""
    return Evidence(missing, lambda reply: is_accepted(reply, claim, about) and object_in(reply) is not None)


def refuses(claim: str, about: Field) -> Evidence:
    """Return the evidence that a value which must or should be refused was refused, with a 4xx."""

    def seen(reply: Reply) -> bool:
        decision = reply.decision
        return (
            decision is not None
            and REFUSED.seen(reply)
            # Of several values that must be refused, nobody knows for which one it was.
            and [(each.claim, each.field) for each in decision.causes] == [(claim, about)]
            and len(reply.form or ()) == 1
            # Nor whether it was for the way in which it was sent.
            and reply.request == as_usual(reply.request)
        )

    return Evidence("no such value was refused with a 4xx", seen, given=_GIVEN)


def proved(proof: Proof | Kind, missing: str, about: Field | None = None) -> Evidence:
    """Return the evidence that an answer has borne out a prediction: a wrong target would have shown another value."""
    return Evidence(
        missing, lambda reply: any(each == proof and about in (None, field) for each, field in reply.proofs)
    )


def update_shows(
    missing: str, shows: Callable[[dict[str, object]], bool] = lambda document: True
) -> Evidence:
    """Return the evidence that the answer to an accepted update was a JSON object with the given property."""
    return Evidence(missing, lambda reply: reply.request.method == "POST" and _shows(reply, shows))


SHOWS_OBJECT = update_shows("no answer to an accepted update was a JSON object")


def read_shows(missing: str) -> Evidence:
    """Return the evidence that a GET was answered with 200 and a JSON object."""
    return Evidence(
        missing, lambda reply: reply.request.method == "GET" and _shows(reply, lambda document: True)
    )


def _shows(reply: Reply, shows: Callable[[dict[str, object]], bool]) -> bool:
    document = object_in(reply) if reply.represents else None
    return document is not None and shows(document)


def object_in(reply: Reply) -> dict[str, object] | None:
    """Return the JSON object in an answer; None where the answer holds none."""
    if reply.response is None:
        return None
    try:
        document = reply.document
    except NotJSON:
        return None
    return document if isinstance(document, dict) else None


ANSWERED = Evidence("no request was answered", lambda reply: reply.response is not None)
ACCEPTED = Evidence("no update was accepted", lambda reply: is_accepted(reply) and bool(reply.form))
REFUSED = Evidence(
    "no update was refused with a 4xx",
    lambda reply: (
        reply.authorised
        and reply.exchange.refused
        and reply.decision is not None
        and reply.decision.answer is Answer.REJECT
    ),
)
NOT_SHOWN = "no value that was sent was ever shown"

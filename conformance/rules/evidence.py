"""
What has to be seen before a rule is said to hold: an exchange that would have shown it broken, had it been.

Each kind is given in words, which a report says where nothing of the kind was seen.
"""

from collections.abc import Callable

from conformance.exceptions import NotJSON
from conformance.model import Evidence, Field
from conformance.oracle.decisions import Answer
from conformance.oracle.expected_state import Kind, Proof
from conformance.rules.reply import Reply

_GIVEN = ("accepted-status",)
"""Its evidence is an update that was accepted."""


def is_accepted(reply: Reply, claim: str = "", about: Field | None = None) -> bool:
    """Whether an update was rightly accepted; given a claim, for a value of which that is claimed."""
    decision = reply.decision
    if reply.exchange.status != 200 or not reply.authorised or decision is None:
        return False
    if decision.answer is not Answer.ACCEPT:
        return False
    return not claim or any(each.claim == claim and each.field is about for each in decision.causes)


def accepts(claim: str, about: Field, missing: str) -> Evidence:
    """A value that is to be accepted, and was."""
    return Evidence(missing, lambda reply: is_accepted(reply, claim, about) and object_in(reply) is not None)


def refuses(claim: str, about: Field) -> Evidence:
    """A value that is to be refused, and was, by a 4xx that says so of this request."""

    def seen(reply: Reply) -> bool:
        decision = reply.decision
        return (
            reply.authorised
            and reply.exchange.refused
            and decision is not None
            and decision.answer is Answer.REJECT
            and any(each.claim == claim and each.field is about for each in decision.causes)
        )

    return Evidence("no such value was refused with a 4xx", seen, given=_GIVEN)


def answered_with(missing: str, *statuses: int) -> Evidence:
    """An answer with one of these statuses."""
    return Evidence(missing, lambda reply: reply.exchange.status in statuses)


def proved(proof: Proof | Kind, missing: str, about: Field | None = None) -> Evidence:
    """An answer that shows what the expected state predicts, where something else could have been shown."""
    return Evidence(
        missing, lambda reply: any(each == proof and about in (None, field) for each, field in reply.proofs)
    )


def update_shows(
    missing: str, shows: Callable[[dict[str, object]], bool] = lambda document: True
) -> Evidence:
    """The 200 answer to an update is a JSON object, of which something holds."""
    return Evidence(missing, lambda reply: reply.request.method == "POST" and _shows(reply, shows))


def read_shows(missing: str) -> Evidence:
    """The 200 answer to GET is a JSON object."""
    return Evidence(
        missing, lambda reply: reply.request.method == "GET" and _shows(reply, lambda document: True)
    )


def _shows(reply: Reply, shows: Callable[[dict[str, object]], bool]) -> bool:
    document = object_in(reply) if reply.represents else None
    return document is not None and shows(document)


def object_in(reply: Reply) -> dict[str, object] | None:
    """The JSON object in an answer; None where it holds none."""
    if reply.response is None:
        return None
    try:
        document = reply.document
    except NotJSON:
        return None
    return document if isinstance(document, dict) else None


ANSWERED = Evidence("no request was answered", lambda reply: reply.response is not None)
ACCEPTED = Evidence(
    "no update was accepted",
    lambda reply: is_accepted(reply) and bool(reply.request.form()),
)
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

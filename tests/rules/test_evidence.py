"""Which exchanges count as evidence that a rule holds: those that would have shown it broken."""

import pytest

from conformance.http import NO_AUTH, READ, Failure, FailureKind, Request, Response, update
from conformance.rules import BY_ID
from rules.seeing import error, response, seen

SHORT = ("DefaultClosedTimer", "PT9M")
LONG = ("DefaultClosedTimer", "PT20M")
SID = ("DefaultChatServiceSid", "IS" + "a" * 32)


@pytest.mark.parametrize(
    ("rule", "request_", "answer", "counts"),
    [
        # A refusal is evidence about a value only where nothing else can be why.
        ("closed-timer-minimum", update(SHORT), error(400), True),
        ("closed-timer-minimum", update(SHORT), error(500), False),
        ("closed-timer-minimum", update(SHORT), response(200), False),
        ("closed-timer-minimum", update(SHORT, auth=NO_AUTH), error(401), False),
        ("closed-timer-minimum", update(SHORT, SID), error(400), False),
        ("closed-timer-minimum", update(SHORT, chunked=True), error(400), False),
        ("closed-timer-minimum", update(("DefaultInactiveTimer", "PT9S")), error(400), False),
        ("closed-timer-minimum", update(("DefaultClosedTimer", "PT")), error(400), False),
        # A value is accepted where the answer shows settings.
        ("closed-timer-accept", update(LONG), response(200), True),
        ("closed-timer-accept", update(LONG), response(200, body=b"OK"), False),
        ("closed-timer-accept", update(LONG), response(200, []), False),
        ("closed-timer-accept", update(LONG), error(400), False),
        ("closed-timer-accept", update(SID), response(200), False),
        ("accepted-status", update(LONG), response(200), True),
        ("accepted-status", update(), response(200), False),
        ("accepted-status", update(LONG), error(400), False),
        ("refusal-status", update(SHORT), error(400), True),
        ("refusal-status", update(LONG), error(400), False),
        ("refusal-status", update(SHORT, auth=NO_AUTH), error(401), False),
        ("error-envelope", update(SHORT), response(200), False),
        ("error-envelope", update(LONG), error(400), True),
        # Nobody knows for what an intruder was refused, but where the answer says so.
        ("credentials-required", update(LONG, auth=NO_AUTH), error(401), True),
        ("credentials-required", update(LONG, auth=NO_AUTH), error(403), True),
        ("credentials-required", update(LONG, auth=NO_AUTH), error(400), False),
        ("credentials-required", update(LONG, auth=NO_AUTH), error(429), False),
        ("credentials-required", update(LONG), error(401), False),
        ("json-body", update(LONG), response(200), True),
        ("json-body", READ, response(200), False),
        ("read-response", READ, response(200), True),
        ("read-response", update(LONG), response(200), False),
        ("framing", READ, error(404), True),
        ("framing", READ, Failure(FailureKind.TIMEOUT, "nothing came"), False),
    ],
)
def test_an_exchange_is_evidence_where_it_would_have_shown_the_rule_broken(
    rule: str, request_: Request, answer: Response | Failure, counts: bool
) -> None:
    assert BY_ID[rule].evidence.seen(seen(request_, answer)) is counts

"""
Rules that schemathesis judges: it generates requests from our OpenAPI document and has response checks of its own.

This phase runs last. Its requests go through our client, count in the budget, and are judged by our response checks as
well. A failed check of schemathesis breaks a rule here only where the same exchange breaks no other rule.
"""

from functools import partial

from conformance.model import Aspect, Evidence, InputClass, Level
from conformance.rules.evidence import SHOWS_OBJECT
from conformance.rules.rows import row

GENERATED = InputClass(
    "openapi/generated",
    "valid and invalid requests that schemathesis generates from the OpenAPI document",
    lambda situation: (),
)

_WORKS = Evidence(
    "no update was answered other than with a server error",
    lambda reply: reply.request.method == "POST" and (reply.exchange.status or 500) < 500,
)

RULE_OF_CHECK = {
    "not_a_server_error": "openapi-server-error",
    "response_schema_conformance": "openapi-response",
    "content_type_conformance": "openapi-response",
    "response_headers_conformance": "openapi-checks",
}
"""The rule that a failed response check of schemathesis breaks."""

_judged = partial(row, group="openapi", package="schemathesis")

RULES = (
    _judged(
        Level.MUST,
        "openapi-server-error",
        "No request generated from the OpenAPI document is answered with a 5xx.",
        "schemathesis: not_a_server_error",
        GENERATED,
        aspect=Aspect.WIRE,
        evidence=_WORKS,
    ),
    _judged(
        Level.MUST,
        "openapi-response",
        "A 200 answer to a generated request has the documented schema and media type.",
        "schemathesis: response_schema_conformance, content_type_conformance",
        GENERATED,
        aspect=Aspect.REPRESENTATION,
        evidence=SHOWS_OBJECT,
    ),
    _judged(
        Level.SHOULD,
        "openapi-checks",
        "An answer to a generated request passes the other response checks of schemathesis.",
        "schemathesis: response_headers_conformance",
        GENERATED,
        aspect=Aspect.REPRESENTATION,
        evidence=SHOWS_OBJECT,
    ),
)

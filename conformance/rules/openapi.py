"""
The schema-driven layer: schemathesis generates from our OpenAPI document and judges with its response checks.

It runs last, and schemathesis is imported when it is reached: that import costs more than all of ours. What it
generates is sent through our own client, within the budget, and judged by the watching rules as well; a failed
check is told here only where no other rule has told it.
"""

from conformance.model import Aspect, Evidence, InputClass, Level, Rule
from conformance.rules.evidence import update_shows

GENERATED = InputClass(
    id="openapi/generated",
    reason="what schemathesis makes of the OpenAPI document, valid and not",
    examples=lambda situation: (),
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
"""The rule that each response check of schemathesis is about."""

RULES = (
    Rule(
        id="openapi-server-error",
        group="openapi",
        level=Level.MUST,
        aspect=Aspect.WIRE,
        evidence=_WORKS,
        statement="Nothing generated from the OpenAPI document brings a 5xx.",
        source="schemathesis: not_a_server_error",
        classes=(GENERATED,),
    ),
    Rule(
        id="openapi-response",
        group="openapi",
        level=Level.MUST,
        aspect=Aspect.REPRESENTATION,
        evidence=update_shows("no answer to an accepted update was a JSON object"),
        statement="The 200 answers to what is generated have the documented schema and media type.",
        source="schemathesis: response_schema_conformance, content_type_conformance",
        classes=(GENERATED,),
    ),
    Rule(
        id="openapi-checks",
        group="openapi",
        level=Level.SHOULD,
        aspect=Aspect.REPRESENTATION,
        evidence=update_shows("no answer to an accepted update was a JSON object"),
        statement="The other response checks of schemathesis hold.",
        source="schemathesis: response_headers_conformance",
        classes=(GENERATED,),
    ),
)

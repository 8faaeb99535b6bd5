"""
Rules about the official Python client: its requests are taken, and it reads from an answer what the answer holds.

A run has them where `--sdk` asks for them. The client makes the requests and reads the answers; our own client sends
them, so that they count in the budget and are judged by all response checks.
"""

from dataclasses import replace

from conformance.http import Request
from conformance.model import Aspect, Evidence, InputClass, Level, Rule
from conformance.rules.controls import taken
from conformance.rules.evidence import read_shows

NEED = "sdk"
NOT_ASKED = "sent with --sdk only"

_HEADER = "X-Twilio-Client"


def without_client(request: Request) -> Request | None:
    """The request without the headers of the official client."""
    is_its = any(name == _HEADER for name, _ in request.headers)
    return replace(request, headers=()) if is_its else None


_read = read_shows("no answer to a read by the client was a JSON object")

UPDATE = Rule(
    id="sdk-update",
    group="sdk",
    level=Level.SHOULD,
    aspect=Aspect.METHOD,
    evidence=taken(without_client),
    control=without_client,
    statement="An update by the official Python client is accepted, and the client reads the settings from the answer.",
    source="the package twilio: ConfigurationContext.update; RFC 9110 5.1: unrecognized headers should be ignored",
    classes=(
        InputClass(
            id="sdk/update",
            reason="updates of all settings and of one, as the official Python client sends them",
            examples=lambda situation: (),
        ),
    ),
    package="twilio",
    needs=NEED,
)
FETCH = Rule(
    id="sdk-fetch",
    group="sdk",
    level=Level.SHOULD,
    aspect=Aspect.CONSISTENCY,
    evidence=Evidence(
        _read.missing, lambda reply: without_client(reply.request) is not None and _read.seen(reply)
    ),
    statement="The official Python client reads from the answer to a GET what the answer holds.",
    source="the package twilio: ConfigurationContext.fetch",
    classes=(
        InputClass(
            id="sdk/fetch",
            reason="a read, as the official Python client sends it",
            examples=lambda situation: (),
        ),
    ),
    package="twilio",
    needs=NEED,
)
RULES = (UPDATE, FETCH)

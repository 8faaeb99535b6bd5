"""
Rules about the official Python client: its requests are taken, and it reads from an answer what the answer holds.

A run has them where `--sdk` asks for them. The client makes the requests and reads the answers; our own client sends
them, so that they count in the budget and are judged by all response checks.
"""

from dataclasses import replace

from conformance.http import Request
from conformance.model import Aspect, Evidence, InputClass, Level
from conformance.rules.evidence import read_shows
from conformance.rules.rows import peculiar, should

NEED = "sdk"
NOT_ASKED = "sent with --sdk only"

_HEADER = "X-Twilio-Client"


def without_client(request: Request) -> Request | None:
    """Return the request without the headers of the official client."""
    is_its = any(name == _HEADER for name, _ in request.headers)
    return replace(request, headers=()) if is_its else None


_read = read_shows("no answer to a read by the client was a JSON object")

UPDATE = peculiar(
    Level.SHOULD,
    without_client,
    "sdk-update",
    "An update by the official Python client is accepted, and the client reads the settings from the answer.",
    "the package twilio: ConfigurationContext.update; RFC 9110 5.1: unrecognized headers should be ignored",
    InputClass(
        "sdk/update",
        "updates of all settings and of one, as the official Python client sends them",
        lambda situation: (),
    ),
    group="sdk",
    package="twilio",
    needs=NEED,
)
FETCH = should(
    "sdk-fetch",
    "The official Python client reads from the answer to a GET what the answer holds.",
    "the package twilio: ConfigurationContext.fetch",
    InputClass("sdk/fetch", "a read, as the official Python client sends it", lambda situation: ()),
    group="sdk",
    aspect=Aspect.CONSISTENCY,
    evidence=Evidence(
        _read.missing, lambda reply: without_client(reply.request) is not None and _read.seen(reply)
    ),
    package="twilio",
    needs=NEED,
)
RULES = (UPDATE, FETCH)

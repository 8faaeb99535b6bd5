"""Says in a few words what a request is."""

from collections.abc import Iterator

from conformance.http import BASIC, FORM_MEDIA_TYPE, NO_AUTH, SAFE_METHODS, Request, encode_form
from conformance.model import shortened


def describe(request: Request) -> str:
    """Return a request in a few words: its parameters, and what is peculiar about the way they are sent."""
    pairs = request.form() or request.intends
    shown = "&".join(f"{name}={_quoted(value)}" for name, value in pairs[:4])
    peculiar = "".join(f" ({each})" for each in _peculiarities(request, shown))
    if not pairs:
        return ("an empty update" if request.method == "POST" else request.method) + peculiar
    more = f" and {len(pairs) - 4} more" if len(pairs) > 4 else ""
    method = "" if request.method == "POST" else f"{request.method} "
    return method + shown + more + peculiar


def _peculiarities(request: Request, shown: str) -> Iterator[str]:
    if request.method not in SAFE_METHODS and request.content_type != FORM_MEDIA_TYPE:
        yield f"as {request.content_type}" if request.content_type else "without a Content-Type"
    if request.auth.valid and request.auth != BASIC:
        yield f"scheme {request.auth.scheme}"
    if not request.auth.valid:
        yield "without credentials" if request.auth == NO_AUTH else "with other credentials"
    if request.chunked:
        yield "chunked"
    if request.by_hand is not None:
        yield request.by_hand
    body, plain = request.body or b"", encode_form(request.form() or ())
    if request.form() and body.replace(b"+", b"%20") != plain.replace(b"+", b"%20"):
        if len(body) > _SPELLED:
            yield f"in {len(body):,} bytes, where {len(plain):,} would say the same"
        elif len(request.form() or ()) == 1 and body + b"=" == shown.encode("latin-1", "replace"):
            yield "sent without the ="
        else:
            spelled = body.decode("latin-1")
            yield "unescaped" if spelled == shown else f"spelled {spelled}"
    yield from (f"{name}: {value}" for name, value in request.headers)


_SPELLED = 80
"""Bytes of a body that are shown as they are."""


def _quoted(text: str) -> str:
    return shortened(text if text.isascii() and text.isprintable() else ascii(text)[1:-1], 60)

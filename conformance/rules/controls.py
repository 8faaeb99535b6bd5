"""
Controls: each function makes the plain request that is sent beside a request that is peculiar in one way.

A target breaks a rule about a peculiar way of sending only if it treats the plain request better. A function returns
None for a request that is not peculiar in its way.
"""

from collections.abc import Callable
from dataclasses import replace

from conformance.http import BASIC, FORM_MEDIA_TYPE, ByHand, Pairs, Request, encode_form
from conformance.model import BY_PARAMETER, Evidence
from conformance.oracle.decisions import Answer
from conformance.oracle.mismatches import Kind, Proof
from conformance.rules.evidence import object_in, proved
from conformance.rules.reply import Reply

Control = Callable[[Request], Request | None]


def plain_scheme(request: Request) -> Request | None:
    """Return the request with the scheme spelled `Basic`, as nearly all clients spell it."""
    return replace(request, auth=BASIC) if request.auth.valid and request.auth != BASIC else None


def unchunked(request: Request) -> Request | None:
    """Return the request with a Content-Length in place of a chunked body."""
    return replace(request, chunked=False, by_hand=None) if request.chunked else None


def written_by_library(way: ByHand) -> Control:
    """Return the control that leaves out one way of writing by hand: the request as a library writes it."""
    return lambda request: replace(request, by_hand=None) if request.by_hand is way else None


def plain_media_type(request: Request) -> Request | None:
    """Return the request with the form's media type in lower case."""
    essence, semicolon, parameters = (request.content_type or "").partition(";")
    if essence == FORM_MEDIA_TYPE or essence.strip().lower() != FORM_MEDIA_TYPE:
        return None
    return replace(request, content_type=FORM_MEDIA_TYPE + semicolon + parameters)


def without_charset(request: Request) -> Request | None:
    """Return the request with the form's media type alone, without parameters."""
    essence, semicolon, _ = (request.content_type or "").partition(";")
    form = essence.strip().lower() == FORM_MEDIA_TYPE
    return replace(request, content_type=essence.strip()) if semicolon and form else None


def without_accept(request: Request) -> Request | None:
    """Return the request without its Accept header."""
    headers = tuple(each for each in request.headers if each[0].lower() != "accept")
    return replace(request, headers=headers) if headers != request.headers else None


IGNORED_HEADERS = (
    ("Accept", "application/json"),
    ("Accept-Language", "de, *;q=0.5"),
    ("Connection", "close"),
    ("Expect", "100-continue"),
    ("If-Modified-Since", "Sat, 29 Oct 1994 19:43:31 GMT"),
    ("If-None-Match", '"conformance-never-seen"'),
    ("Prefer", "return=representation"),
    ("Range", "bytes=0-0"),
)
"""
Headers that change nothing about an update, by RFC 9110 7.6.1, 10.1.1, 12.5, 13.1.2, 13.1.3 and 14.2, and RFC 7240 2.

If-Modified-Since and Range are for GET alone; If-None-Match names no representation that there is; a preference is what
the server does anyway, or one that it may ignore.
"""

BROWSER = ("Accept", "text/html, */*;q=0.1")
"""What a browser would rather have; it takes anything."""

ODD_HEADERS = (
    ("Connection", "Close"),
    ("Expect", "100-Continue"),
    ("If-Modified-Since", "yesterday"),
    ("Prefer", "handling=lenient, wait=1"),
    ("Range", "bytes=-5"),
)
"""
Further values of such headers: a date that is none is ignored (RFC 9110 13.1.3), and options and
expectations are written in any case (7.6.1 and 10.1.1).
"""

OVERRIDE = "X-HTTP-Method-Override"
"""The header by which some frameworks take another method than that of the request line."""

UNKNOWN_HEADERS = (
    ("Cookie", "theme=light; lang=en"),
    ("Origin", "https://example.com"),
    (OVERRIDE, "POST"),
    ("X-Request-Id", "conformance"),
)
"""Headers that mean nothing to the resource, or say what the request says anyway: RFC 9110 5.1 has them ignored."""

IDEMPOTENT = ("Idempotency-Key", "conformance")
"""
A key of requests that are sent again. A target that knows such keys may refuse one that comes with another body
(draft-ietf-httpapi-idempotency-key-header-07 2.7), but it must not answer for the earlier body.
"""

ODD_UNKNOWN_HEADERS = (("Cookie", "theme"), IDEMPOTENT, ("Origin", "null"), IDEMPOTENT)
"""
Further such headers: a cookie without a value, the origin of a page that has none (RFC 6454 7.3), and a key of
requests that are sent again. The key comes twice, and accounts take turns: so it comes with two updates of one account.
"""

FROM_WITHIN = (
    ("X-Forwarded-For", "127.0.0.1"),
    ("X-Real-IP", "127.0.0.1"),
    ("X-Client-IP", "127.0.0.1"),
    ("Forwarded", "for=127.0.0.1"),
    ("X-Forwarded-Proto", "https"),
    ("Via", "1.1 localhost"),
)
"""What proxies add to a request from the machine itself."""

BUNDLES = (
    FROM_WITHIN,
    (
        ("Cache-Control", "no-cache"),
        ("Pragma", "no-cache"),
        ("DNT", "1"),
        ("Sec-Fetch-Mode", "cors"),
        ("Sec-Fetch-Site", "cross-site"),
        ("Upgrade-Insecure-Requests", "1"),
        ("X-Requested-With", "XMLHttpRequest"),
        ("Referer", "https://example.com/settings?tab=1"),
    ),
    (
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ("baggage", "tenant=1"),
        ("Content-Language", "en"),
        ("From", "conformance@example.com"),
        ("Accept-Charset", "utf-8"),
        ("X-Correlation-Id", "1"),
    ),
)
"""Unknown headers that come together: what proxies, browsers, and tools of tracing add."""


def is_overridden(request: Request) -> bool:
    """Whether a header asks for a method, the request's own or another one."""
    return any(name == OVERRIDE for name, _ in request.headers)


MALFORMED_HEADERS = (
    ("X-Forwarded-Host", "a.example, b.example"),
    ("If-None-Match", "0"),
    ("Accept", "json"),
    ("Accept-Language", "de;q=high,,"),
    ("Cookie", '=;; "'),
    ("Forwarded", "for=;;host"),
    ("If-Unmodified-Since", "0"),
    ("Origin", "://"),
    ("Prefer", ";=,"),
    ("Range", "bytes=5-2"),
    ("Referer", "::"),
    ("User-Agent", ""),
    ("Date", "yesterday"),
    ("X-Forwarded-For", "unknown, _hidden"),
)
"""Values that break the grammar of their header, or that proxies add: a server may ignore, use or refuse them."""


def without_ignored(request: Request) -> Request | None:
    """Return an update without the headers that must be ignored."""
    return _without(request, (*IGNORED_HEADERS[1:], *ODD_HEADERS))  # another rule is about Accept


def without_unknown(request: Request) -> Request | None:
    """Return an update without the headers that should be ignored."""
    bundled = [each for bundle in BUNDLES for each in bundle]
    overrides = [each for each in request.headers if each[0] == OVERRIDE]
    return _without(request, (*UNKNOWN_HEADERS, *ODD_UNKNOWN_HEADERS, *bundled, *overrides))


def _without(request: Request, left_out: Pairs) -> Request | None:
    headers = tuple(each for each in request.headers if each not in left_out)
    found = request.method == "POST" and headers != request.headers
    return replace(request, headers=headers) if found else None


def once(request: Request) -> Request | None:
    """Return the form with each known parameter once, with the last of its values."""
    pairs = request.form() or ()
    names = [name for name, _ in pairs if name in BY_PARAMETER]
    if request.method != "POST" or len(names) == len(set(names)):
        return None
    last = dict(pairs)
    return replace(request, body=encode_form(tuple((name, last[name]) for name in dict.fromkeys(names))))


def canonical(request: Request) -> Request | None:
    """Return the same parameters as the WHATWG serialiser writes them, but with `%20` for a blank."""
    pairs = request.form() if request.method == "POST" else None
    if not pairs or request.body is None:
        return None
    plain = encode_form(pairs).replace(b"+", b"%20")
    return replace(request, body=plain) if plain != request.body else None


def evidence_of(control: Control, *given: str) -> Evidence:
    """Return the evidence that a request which is peculiar in one way was accepted, and its new value shown."""
    shown = proved(Proof.ECHOED, "no value that was sent in this way was ever shown")
    return Evidence(
        shown.missing, lambda reply: control(reply.request) is not None and shown.seen(reply), given
    )


def _is_served(reply: Reply) -> bool:
    return reply.represents and without_accept(reply.request) is not None and object_in(reply) is not None


SERVED_AS_ASKED = Evidence("no request with an Accept header was answered with a JSON object", _is_served)


def _is_repeat_decided(reply: Reply) -> bool:
    repeated = once(reply.request) is not None
    rejected = reply.decision is not None and reply.decision.answer is not Answer.ACCEPT
    return repeated and (
        (rejected and reply.authorised and reply.exchange.refused)
        or any(kind == Kind.REPEATED for kind, _ in reply.proofs)
    )


REPEAT_DECIDED = Evidence(
    "no repeated parameter was refused, or shown", _is_repeat_decided, given=("last-write-wins",)
)

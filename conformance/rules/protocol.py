"""Rules about HTTP: the ways to send one form, other methods and media types, and the framing of answers."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import cycle

from conformance.http import (
    FORM_MEDIA_TYPE,
    PATHS,
    SAFE_METHODS,
    ByHand,
    Exchange,
    FailureKind,
    Pairs,
    Request,
    encode_form,
    update,
)
from conformance.model import (
    BY_PARAMETER,
    CLOSED,
    INACTIVE,
    MESSAGING,
    Aspect,
    Evidence,
    InputClass,
    Level,
    Probe,
)
from conformance.oracle.mismatches import Kind
from conformance.rules import by_hand, controls
from conformance.rules.checks import Broken, Checks
from conformance.rules.evidence import ANSWERED, proved
from conformance.rules.probes import (
    DOCUMENT,
    LONG_CLOSED,
    answers,
    fixed_class,
    look,
    own_pair,
    request_class,
    single,
)
from conformance.rules.reply import Reply
from conformance.rules.rows import must, peculiar
from conformance.rules.wire import wire_class, wire_classes
from conformance.rules.wording import describe

Pair = tuple[str, str]

check_protocol = Checks(group="protocol")
"""Judges Allow headers and framing."""


def _method(method: str, *, bad: bool) -> Probe:
    """Return a form sent by another method than POST. After a bad one comes an update that shows the settings."""
    pairs = ((INACTIVE.parameter, "PT7S" if bad else "PT311M"),)
    request = Request(method=method, body=encode_form(pairs), intends=pairs)
    return single(request, *([look(INACTIVE)] if bad else []), context=(LONG_CLOSED,))


def _attempt(content_type: str | None, body: bytes, pairs: Pairs, query: str = "") -> Probe:
    """Return a probe that writes these pairs only where the target reads more than a form of known parameters."""
    return single(
        Request(body=body, content_type=content_type, query=query, intends=pairs), context=(LONG_CLOSED,)
    )


_INVALID: Pairs = (
    (INACTIVE.parameter, "PT11S"),
    (INACTIVE.parameter, "PT10Q"),
    (CLOSED.parameter, "PT8M8S"),
    (MESSAGING.parameter, "MG1"),
)
"""Values that an update must refuse, and that another way of sending may write unchecked."""


def _json(pair: Pair) -> Iterator[Probe]:
    name, value = pair
    for key in (name, BY_PARAMETER[name].attribute):
        yield _attempt("application/json", json.dumps({key: value}).encode(), (pair,))


def _multipart(pair: Pair) -> Probe:
    name, value = pair
    body = f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n--b--\r\n'
    return _attempt("multipart/form-data; boundary=b", body.encode(), (pair,))


def _plain(pair: Pair) -> Probe:
    return _attempt("text/plain", encode_form((pair,)), (pair,))


def _query(pair: Pair, *form: Pair) -> Probe:
    return _attempt(FORM_MEDIA_TYPE, encode_form(form), (pair,), query=encode_form((pair,)).decode())


def _query_beside(pair: Pair) -> Probe:
    """Return a probe of a parameter in the query, and of the same one in a form, where it is good."""
    good = (pair[0], "P29D" if pair[0] == CLOSED.parameter else "PT659M")
    return _query(pair, good)


def _query_beside_other(pair: Pair) -> Probe:
    """Return a probe of a parameter in the query, and of another one in a form, where it is good."""
    return _query(pair, (INACTIVE.parameter, "PT661M"))


def _by_attribute(pair: Pair) -> Probe:
    """Return a probe of a parameter under the name of its attribute."""
    return _attempt(FORM_MEDIA_TYPE, encode_form(((BY_PARAMETER[pair[0]].attribute, pair[1]),)), (pair,))


def in_other_places(pair: Pair) -> Mapping[str, Request]:
    """Return, by name of the place, requests that send a parameter elsewhere than in a form, or by another method."""
    probes = {
        "query": _query(pair),
        "query-beside-form": _query_beside(pair),
        "form-beside-query": _attempt(FORM_MEDIA_TYPE, encode_form((pair,)), (pair,), query="PageSize=1"),
        "other-name": _by_attribute(pair),
        "json": next(_json(pair)),
        "text": _plain(pair),
        "multipart": _multipart(pair),
    }
    methods = {
        name: Request(method=name, body=encode_form((pair,)), intends=(pair,)) for name in ("PUT", "PATCH")
    }
    return {name: probe.steps[0] for name, probe in probes.items()} | methods


def _renamed() -> Iterator[Probe]:
    """Yield a probe of each other spelling of a name; the settings take turns."""
    spellings: Sequence[Callable[[str], str]] = (
        lambda name: BY_PARAMETER[name].attribute,
        str.lower,
        str.upper,
        lambda name: name[0].lower() + name[1:],
        lambda name: f"{name}[]",
        lambda name: f" {name}",
        lambda name: f"{name}\0",
    )
    for (name, value), spelled in zip(cycle(_INVALID), spellings, strict=False):
        yield _attempt(FORM_MEDIA_TYPE, encode_form(((spelled(name), value),)), ((name, value),))


def _unvalidated(name: str, reason: str, *probes: Probe, whole: bool = False) -> InputClass:
    return fixed_class(f"unvalidated/{name}", reason, *probes, whole=whole)


def _is_disguised_update(exchange: Exchange, last: Exchange) -> bool:
    """Whether a request with good credentials carries values in another way than as a form of known parameters."""
    request = exchange.request
    if request.method == "POST" and exchange.refused:
        return False  # It is a refused update, and of these another rule says that they change nothing.
    return bool(request.intends) and request.auth.valid and request.method not in SAFE_METHODS


def _with_headers(name: str, reason: str, first: int, *bundles: Pairs) -> InputClass:
    """Return the input class of an ordinary update with each of some bundles of headers, and with values of its own."""
    updates = (update(own_pair(number), headers=each) for number, each in enumerate(bundles, start=first))
    return request_class(name, reason, *updates, whole=True)


_HTTP = "RFC 9110"
_WHATWG = "https://url.spec.whatwg.org/#application/x-www-form-urlencoded"


@check_protocol.must(
    "allow-header",
    "A 405 says in Allow which methods are allowed: among them POST, and not the one that was refused.",
    f"{_HTTP} 15.5.6 and 10.2.1",
    *(
        fixed_class(f"method/{each.lower()}", f"{each}, which nothing documents", _method(each, bad=False))
        for each in ("PUT", "PATCH", "DELETE")
    ),
    aspect=Aspect.METHOD,
    evidence=Evidence(
        "no 405 with an Allow header was seen",
        lambda reply: (
            reply.exchange.status == 405
            and reply.request.method != "POST"
            and bool((reply.header("Allow") or "").strip())
        ),
    ),
)
def _allow(reply: Reply) -> Iterator[Broken]:
    method, allow = reply.request.method, reply.header("Allow")
    if reply.exchange.status != 405:
        return
    allowed = {each.strip() for each in (allow or "").split(",")}
    outcome, expected = "", "POST, and not the method that was refused"
    summary = f"the Allow of a 405 to {method} names {method}"
    if allow is None:
        outcome, expected = "missing", "an Allow header"
        summary = f"a 405 to {method} does not say which methods are allowed"
    elif method == "POST" or not allow.strip():
        return  # An empty one is right where a resource is switched off for a time (RFC 9110 10.2.1).
    elif method in allowed:
        outcome = "names-refused"
    elif "POST" not in allowed:
        outcome, summary = "leaves-out", f"the Allow of a 405 to {method} leaves POST out"
    if outcome:
        yield Broken(
            outcome,
            "Allow",
            expected,
            "none" if allow is None else f"Allow: {allow}",
            summary=summary,
            cls=f"method/{method.lower()}",
        )


@check_protocol.must(
    "framing",
    "Every answer is framed as HTTP requires.",
    "RFC 9112 6; RFC 9110 8.6: the Content-Length of an answer to HEAD is that of the answer to GET",
    *answers("update", "refusal", "read", "unauthorised"),
    aspect=Aspect.WIRE,
    evidence=ANSWERED,
    needs="connection",
)
def _framing(reply: Reply) -> Iterator[Broken]:
    failure = reply.exchange.failure
    is_chunked = reply.header("Transfer-Encoding") is not None
    # An answer to HEAD has no body, so a header that says how one would come does no harm.
    if reply.request.by_hand is ByHand.VERSION and is_chunked and reply.request.method != "HEAD":
        summary = f"{describe(reply.request)}: the answer is chunked"
        yield Broken("framing", None, "no transfer coding (RFC 9112 6.1)", "Transfer-Encoding", summary)
    if failure is not None and (failure.kind is FailureKind.FRAMING or failure.partial):
        summary = f"{describe(reply.request)}: the answer's framing is wrong"
        yield Broken("framing", None, "a message framed as RFC 9112 6 requires", failure.detail, summary)
    said, size = reply.header("Content-Length") or "", _size_of_read(reply)
    # What is shown may vary a little from one answer to the next: a number, a time.
    if said.isdecimal() and int(said[:9]) < size / 2:
        summary = (
            f"{describe(reply.request)}: the answer does not have the Content-Length of an answer to GET"
        )
        yield Broken(
            "length-of-head", "Content-Length", f"Content-Length: {size}", f"Content-Length: {said}", summary
        )


def _size_of_read(reply: Reply) -> int:
    """Return the length of the answer to the same GET just before a HEAD, answered alike; 0 where there was none."""
    read = reply.state.last_read  # It had good credentials.
    if (
        reply.request.method != "HEAD"
        or not reply.request.auth.valid
        or read is None
        or read.request.query != reply.request.query
        or read.response is None
        or read.status != reply.exchange.status
    ):
        return 0
    size = read.response.header("content-length") or ""
    return int(size[:9]) if size.isdecimal() else 0


RULES = (
    peculiar(
        Level.MUST,
        controls.plain_media_type,
        "media-type-case",
        "The media type of the body is understood in any case.",
        f"{_HTTP} 8.3.1: type and subtype are case-insensitive",
        wire_class("media-type-in-other-case"),
    ),
    peculiar(
        Level.SHOULD,
        controls.without_charset,
        "charset-parameter",
        "A charset parameter of UTF-8 on the body's media type does no harm.",
        f"{_HTTP} 8.3.1; many clients send one",
        wire_class("charset-parameter"),
    ),
    peculiar(
        Level.MUST,
        controls.without_accept,
        "accept-header",
        "A request with Accept: */* or Accept: application/json is served.",
        f"{_HTTP} 12.5.1",
        request_class(
            "accept/json",
            "media ranges that hold application/json",
            *(
                update(own_pair(number), headers=(("Accept", each),))
                for number, each in enumerate(
                    (
                        "*/*",
                        "application/json",
                        "application/*",
                        "text/html, */*;q=0.1",
                        "application/json;q=0.9, text/html;q=0.5",
                        "APPLICATION/JSON",
                    ),
                    start=4,
                )
            ),
        ),
        evidence=controls.SERVED_AS_ASKED,
    ),
    peculiar(
        Level.MUST,
        controls.without_ignored,
        "ignored-headers",
        "A header that is not about updates, or asks for what is done anyway, changes nothing about one.",
        f"{_HTTP} 12.5.4, 13.1.2, 13.1.3 and 14.2; 10.1.1 on Expect; 7.6.1 on Connection; RFC 7240 2 on Prefer",
        _with_headers(
            "header/ignored",
            "headers that an update must ignore, or that ask for what is done anyway",
            200,
            *((each,) for each in (*controls.IGNORED_HEADERS[1:], *controls.ODD_HEADERS)),
        ),
    ),
    peculiar(
        Level.SHOULD,
        controls.without_unknown,
        "unknown-headers",
        "A header that means nothing to the resource changes nothing.",
        f"{_HTTP} 5.1: unrecognized header fields should be ignored",
        _with_headers(
            "header/unknown",
            "Origin, Cookie, and headers that the resource does not know",
            300,
            *((each,) for each in controls.UNKNOWN_HEADERS),
            *controls.BUNDLES,
            *((each,) for each in controls.ODD_UNKNOWN_HEADERS),
        ),
    ),
    peculiar(
        Level.MUST,
        controls.unchunked,
        "chunked-body",
        "A chunked body is understood (411 is tolerated).",
        "RFC 9112 6.1 and 7.1: a recipient must be able to parse chunked",
        request_class("body/chunked", "the same form, chunked", update(own_pair(8), chunked=True)),
        fixed_class(
            "body/chunked-invalid",
            "an invalid form, chunked",
            single(update((INACTIVE.parameter, "PT13S"), chunked=True), context=(LONG_CLOSED,)),
        ),
        by_hand.written(
            ByHand.EXTENSIONS, "body/chunk-extensions", "chunks with an extension, to be ignored (7.1.1)"
        ),
        by_hand.written(ByHand.SIZES, "body/chunk-sizes", "sizes of chunks in capital letters, after zeros"),
        by_hand.written(ByHand.BYTES, "body/chunk-of-a-byte", "a chunk for each byte"),
        fixed_class(
            "body/many-chunks",
            "a chunk for each byte, hundreds of them, and the parameter in the last ones",
            single(
                update(("Unknown", "a" * 520), own_pair(58), chunked=True, by_hand=ByHand.BYTES),
                context=(LONG_CLOSED,),
            ),
            rare=True,
        ),
        by_hand.written(
            ByHand.TRAILERS, "body/trailers", "chunks with a trailer, to be kept or discarded (7.1.2)"
        ),
        by_hand.written(
            ByHand.CODING, "body/coding-case", "the coding named Chunked (RFC 9112 7: in any case)"
        ),
        needs="chunks",
    ),
    *by_hand.RULES,
    peculiar(
        Level.MUST,
        controls.canonical,
        "form-decoding",
        "A form means the same however its bytes are spelled.",
        f"{_WHATWG}-parsing; RFC 3986 2.1",
        *wire_classes("encoding", "empty-pairs"),
    ),
    *check_protocol.rules,
    peculiar(
        Level.MUST,
        controls.once,
        "repeated-parameters",
        "A repeated parameter is refused, or one of its valid values is taken.",
        f"{_WHATWG}-parsing keeps every pair; nothing documents which one counts",
        *wire_classes("repeated"),
        evidence=controls.REPEAT_DECIDED,
    ),
    must(
        "unvalidated-write",
        "A value that an update must refuse is not written by sending it in another way.",
        f"{DOCUMENT}: the parameters' rules",
        _unvalidated(
            "json", "an invalid value in a JSON body", *(p for each in _INVALID for p in _json(each))
        ),
        _unvalidated(
            "media-type",
            "an invalid value in multipart/form-data, or under a media type that is not a form's",
            *(p for each in _INVALID for p in (_plain(each), _multipart(each))),
        ),
        _unvalidated(
            "query",
            "an invalid value in the query string, beside an empty form or a good one",
            *map(_query, _INVALID),
            *map(_query_beside, _INVALID[1:3]),
            *map(_query_beside_other, _INVALID[2:]),
            whole=True,
        ),
        _unvalidated(
            "renamed",
            "an invalid value under another spelling of the parameter's name",
            *_renamed(),
            whole=True,
        ),
        _unvalidated(
            "method",
            "an invalid value by PUT and PATCH",
            single(
                *_method("PATCH", bad=True).steps[:1],
                *_method("PUT", bad=True).steps,
                context=(LONG_CLOSED,),
            ),
            _method("PUT", bad=True),
            _method("PATCH", bad=True),
        ),
        fixed_class(
            "unvalidated/path",
            "an invalid value where a lenient router may find the resource, too",
            *(
                single(update(pair, by_hand=way, intends=(pair,)), context=(LONG_CLOSED,))
                for way, pair in zip(PATHS, cycle(_INVALID), strict=False)
            ),
            whole=True,
            rare=True,
        ),
        *wire_classes("unknown"),
        group="protocol",
        aspect=Aspect.STATE,
        evidence=proved(Kind.UNVALIDATED, "no setting that this run had set was shown after such a request"),
        culprit=_is_disguised_update,
    ),
)

"""Rules that HTTP itself sets, and the ways of saying one thing that must all be understood."""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import zip_longest

from hypothesis.strategies import SearchStrategy

from conformance.http import (
    EMPTY,
    FORM_MEDIA_TYPE,
    NO_AUTH,
    Auth,
    Exchange,
    Pairs,
    Request,
    decode_form,
    encode_form,
    update,
)
from conformance.model import (
    BY_PARAMETER,
    CLOSED,
    FIELDS,
    INACTIVE,
    MESSAGING,
    Aspect,
    Evidence,
    InputClass,
    Level,
    Probe,
    Rule,
    Situation,
    Violation,
)
from conformance.oracle.expected_state import Kind
from conformance.rules.controls import (
    REPEATED_SETTLED,
    SERVED_AS_ASKED,
    canonical,
    once,
    plain_media_type,
    plain_scheme,
    taken,
    whole,
    without_accept,
    without_charset,
)
from conformance.rules.evidence import ANSWERED, proved
from conformance.rules.probes import DOCUMENT, LONG_CLOSED, SHORT_INACTIVE, answers, fixed_class, look, single
from conformance.rules.reply import Reply
from conformance_strategies import WIRE_CLASSES, WireForm, wire_forms

_WRITE = ((INACTIVE.parameter, "PT3M7S"),)


def check_protocol(reply: Reply) -> Iterator[Violation]:
    """Judge credentials, challenges and Allow."""
    response = reply.response
    if response is None:
        return
    status = response.status
    if not reply.authorised:
        reads = (
            reply.request.method == "GET"
        )  # the document describes POST alone: what only GET shows is a SHOULD
        if 200 <= status < 300 and reply.request.method in ("GET", "POST"):
            yield Violation(
                rule="credentials-status" if reads else "credentials-required",
                outcome="accepted",
                field="Authorization",
                summary=f"{'a read' if reads else 'an update'} without the account's own credentials was accepted",
                expected="401",
                observed=f"status {status}",
            )
        elif 300 <= status < 500 and status not in (401, 403, 429) and reply.request.method == "POST":
            yield Violation(
                rule="credentials-status",
                outcome=f"status-{status}",
                field="Authorization",
                summary="an update without the account's own credentials was not refused for that",
                expected="401",
                observed=f"status {status}",
            )
    if status == 401 and not (response.header("www-authenticate") or "").strip():
        yield Violation(
            rule="challenge",
            outcome="missing",
            field="WWW-Authenticate",
            summary="a 401 carries no challenge",
            expected="a WWW-Authenticate header",
            observed="none",
            cls="answer/unauthorised",
        )
    if status == 405 and response.header("allow") is None:
        yield Violation(
            rule="allow-header",
            outcome="missing",
            field="Allow",
            summary=f"a 405 to {reply.request.method} does not say which methods are allowed",
            expected="an Allow header",
            observed="none",
            cls=f"method/{reply.request.method.lower()}",
        )


def _intruder(name: str, reason: str, *auths: Auth) -> InputClass:
    return fixed_class(
        f"credentials/{name}",
        reason,
        *(single(update(*_WRITE, auth=auth), context=(LONG_CLOSED,)) for auth in auths),
    )


_INTRUDERS = (
    _intruder("missing", "no Authorization header", Auth(scheme=None)),
    _intruder(
        "malformed",
        "an Authorization header that is no Basic credentials",
        Auth(header="Basic !!!"),
        Auth(header="Basic"),
        Auth(header="Basic {sid}:{token}"),
        Auth(header="{basic}"),
    ),
    _intruder(
        "odd-user",
        "a user that is no account, of no Latin letters, or too short",
        Auth(user="AC\u00e9", secret="\u00e9"),
        Auth(user="AC123", secret=""),
        Auth(user="\u00e9", secret="{token}"),
    ),
    _intruder("no-colon", "credentials without a colon", Auth(header="Basic eA==")),
    _intruder(
        "other-scheme",
        "another scheme than Basic",
        Auth(header="Bearer {sid}"),
        Auth(header="Bearer {basic}"),
    ),
    _intruder("wrong-token", "another token", Auth(secret="0123456789abcdef0123456789abcdef")),
    _intruder("empty-token", "no token after the colon", Auth(secret="")),
    _intruder("truncated-token", "the token less its last character", Auth(secret="{truncated}")),
    _intruder("extended-token", "the token and one more character", Auth(secret="{token}0")),
    _intruder("blank-after-token", "the token and a blank", Auth(secret="{token} ")),
    _intruder("colon-after-token", "the token, a colon and one more character", Auth(secret="{token}:x")),
    _intruder("other-case-token", "the token with its letters in the other case", Auth(secret="{swapped}")),
    _intruder(
        "wrong-user",
        "an account that does not exist, or no account, with the token",
        Auth(user="AC" + "0" * 31 + "f"),
        Auth(user=""),
    ),
    _intruder(
        "unknown-account",
        "an account that does not exist, without a token",
        Auth(user="AC" + "0" * 31 + "f", secret=""),
    ),
    _intruder(
        "swapped", "the token as the user, and the account as the token", Auth(user="{token}", secret="{sid}")
    ),
)


def _others_token(situation: Situation) -> Sequence[Probe]:
    if situation.accounts < 2:
        return ()
    return [
        single(update(*_WRITE, auth=auth), context=(LONG_CLOSED,))
        for auth in (Auth(secret="{other_token}"), Auth(user="{other_sid}"))
    ]


_OTHERS = InputClass(
    id="credentials/other-account", reason="one account's SID with another's token", examples=_others_token
)


_AFTERWARDS = fixed_class(
    "credentials/afterwards",
    "an update without parameters, which shows what the refused ones have left",
    single(EMPTY),
)


def _good(seconds: int) -> tuple[str, str]:
    """A parameter of its own for each request that only its form makes unusual: nobody else has it in force."""
    return INACTIVE.parameter, f"PT4M{seconds}S"


def _same(name: str, reason: str, *requests: Request) -> InputClass:
    return fixed_class(name, reason, *(single(request) for request in requests))


def _method(method: str, *, bad: bool) -> Probe:
    pairs = ((INACTIVE.parameter, "PT7S" if bad else "PT5M11S"),)
    request = Request(method=method, body=encode_form(pairs), intends=pairs)
    return single(request, *([look(INACTIVE)] if bad else []), context=(LONG_CLOSED,))


def _attempt(content_type: str | None, body: bytes, pairs: Pairs, query: str = "") -> Probe:
    return single(
        Request(body=body, content_type=content_type, query=query, intends=pairs), context=(LONG_CLOSED,)
    )


_UNVALIDATED: Pairs = (
    (INACTIVE.parameter, "PT11S"),
    (INACTIVE.parameter, "PT10Q"),
    (CLOSED.parameter, "PT8M8S"),
    (MESSAGING.parameter, "MG1"),
)


def _json(pair: tuple[str, str]) -> Iterator[Probe]:
    name, value = pair
    for key in (name, BY_PARAMETER[name].attribute):
        yield _attempt("application/json", json.dumps({key: value}).encode(), (pair,))


def _multipart(pair: tuple[str, str]) -> Probe:
    name, value = pair
    body = f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n--b--\r\n'
    return _attempt("multipart/form-data; boundary=b", body.encode(), (pair,))


def _plain(pair: tuple[str, str]) -> Probe:
    return _attempt("text/plain", encode_form((pair,)), (pair,))


def _query(pair: tuple[str, str]) -> Probe:
    return _attempt(FORM_MEDIA_TYPE, b"", (pair,), query=encode_form((pair,)).decode())


def _renamed(pair: tuple[str, str]) -> Iterator[Probe]:
    name, value = pair
    snake = BY_PARAMETER[name].attribute
    for other in (snake, name.lower(), name.upper(), name[0].lower() + name[1:], f"{name}[]", f" {name}"):
        yield _attempt(FORM_MEDIA_TYPE, encode_form(((other, value),)), (pair,))


def _attempts(name: str, reason: str, *probes: Probe) -> InputClass:
    return fixed_class(f"unvalidated/{name}", reason, *probes)


def wire_probe(wire: WireForm, context: Pairs = (LONG_CLOSED,)) -> Probe:
    """A probe of a body as it stands."""
    request = Request(body=wire.body, content_type=wire.content_type)
    return single(replace(request, intends=tuple(_intended(request))), context=context)


_LOOSE = {re.sub("[^a-z]", "", each.parameter.lower()): each.parameter for each in FIELDS}


def _intended(request: Request) -> Iterator[tuple[str, str]]:
    """What a lenient target might read from a body that is no form, or whose names are not quite the known ones."""
    form, body = request.form(), request.body or b""
    pairs: list[tuple[str, object]] = list(form if form is not None else decode_form(body[:10_000]))
    if form is None:
        with suppress(ValueError, AttributeError):
            pairs += json.loads(body).items()
        pairs += re.findall(r'name="([^"]*)"\r\n\r\n(.*?)\r\n', body.decode("utf-8", "replace"))
    for name, value in pairs:
        known = _LOOSE.get(re.sub("[^a-z]", "", name.lower()))
        if known is not None and not (form is not None and name == known):
            yield known, str(value)


_TOGETHER = {
    "percent-encoded": ("percent-encoded", "partly-percent-encoded"),
    "empty-pairs": ("empty-pairs", "empty-body"),
    "missing-parts": ("no-equals-sign", "no-name"),
    "repeated-with-another": ("repeated-valid-and-invalid", "repeated-valid-and-empty"),
    "body-edges": ("line-breaks", "byte-order-mark"),
    "escapes": ("broken-escape", "double-encoded"),
    "separators": ("semicolon-separator", "escaped-ampersand"),
    "unknown": ("unknown-beside-known", "unknown-alone", "reserved-name"),
    "raw-bytes": ("raw-invalid-utf-8", "raw-utf-8"),
    "many-parameters": ("many-parameters", "large-name"),
    "name-spelling": ("name-in-other-case", "name-with-brackets", "name-with-blank"),
}
"""What one parser gets wrong together: one input class each."""


def wire_class(name: str) -> InputClass:
    """The input class of that name: one of the strategies' classes, or several together."""
    parts = _TOGETHER.get(name, (name,))
    sources = [WIRE_CLASSES[part] for part in parts]
    # Where a parameter may be ignored, it shows only where its value is another than what is in force.
    ignored = {source.group for source in sources} & {"repeated", "unknown"}
    context = (LONG_CLOSED, SHORT_INACTIVE) if ignored else (LONG_CLOSED,)

    def examples(situation: Situation) -> Sequence[Probe]:
        rows = zip_longest(*(source.examples() for source in sources))
        return [wire_probe(each, context) for row in rows for each in row if each is not None]

    def drawn(situation: Situation) -> SearchStrategy[Probe]:
        return wire_forms(classes=parts).map(lambda each: wire_probe(each, context))

    return InputClass(
        id=f"wire/{name}",
        reason="; ".join(source.reason for source in sources),
        examples=examples,
        strategy=drawn,
    )


def wire_classes(*groups: str) -> tuple[InputClass, ...]:
    """The wire-level input classes of some groups."""
    grouped = {name: group for group, names in _TOGETHER.items() for name in names}
    names = [grouped.get(name, name) for name, each in WIRE_CLASSES.items() if each.group in groups]
    return tuple(wire_class(name) for name in dict.fromkeys(names))


def _status_seen(missing: str, *statuses: int) -> Evidence:
    return Evidence(missing, lambda reply: reply.exchange.status in statuses)


_LOCKED = Evidence(
    "no update without the account's own credentials was refused",
    lambda reply: not reply.authorised and reply.request.method == "POST" and reply.exchange.refused,
    given=("accepted-status",),
)


def _is_unauthorised(exchange: Exchange, last: Exchange) -> bool:
    return not exchange.request.auth.valid


def _is_no_plain_update(exchange: Exchange, last: Exchange) -> bool:
    request = exchange.request
    return bool(request.intends) and request.auth.valid and request.method not in ("GET", "HEAD", "OPTIONS")


_HTTP = "RFC 9110"
_WHATWG = "https://url.spec.whatwg.org/#application/x-www-form-urlencoded"

RULES = (
    Rule(
        id="credentials-required",
        group="protocol",
        level=Level.MUST,
        aspect=Aspect.CREDENTIALS,
        evidence=_LOCKED,
        culprit=_is_unauthorised,
        statement="Without the account's own credentials nothing is answered with 200, and nothing is written.",
        source="https://www.twilio.com/docs/usage/requests-to-twilio: HTTP Basic, Account SID and Auth Token; RFC 7617",
        classes=(*_INTRUDERS, _OTHERS, _AFTERWARDS),
    ),
    Rule(
        id="credentials-status",
        group="protocol",
        level=Level.SHOULD,
        aspect=Aspect.CREDENTIALS,
        evidence=_status_seen("no request without good credentials was answered with 401 or 403", 401, 403),
        statement="Missing or wrong credentials are answered with 401 (403 is tolerated).",
        source=f"{_HTTP} 15.5.2; https://www.twilio.com/docs/api/errors/20003",
        classes=(
            fixed_class(
                "credentials/read",
                "GET without credentials",
                single(Request(method="GET", content_type=None, auth=NO_AUTH)),
            ),
            *answers("unauthorised"),
        ),
    ),
    Rule(
        id="challenge",
        group="protocol",
        level=Level.MUST,
        aspect=Aspect.CREDENTIALS,
        evidence=_status_seen("no 401 was seen", 401),
        statement="A 401 carries a WWW-Authenticate challenge.",
        source=f"{_HTTP} 15.5.2 and 11.6.1",
        classes=answers("unauthorised"),
    ),
    Rule(
        id="scheme-case",
        group="protocol",
        level=Level.MUST,
        aspect=Aspect.CREDENTIALS,
        evidence=taken(plain_scheme, "credentials-required"),
        control=plain_scheme,
        statement="The authentication scheme is understood in any case.",
        source=f"{_HTTP} 11.1: a case-insensitive token",
        classes=(
            _same(
                "credentials/scheme-case",
                "basic, and a mixture",
                update(_good(1), auth=Auth(scheme="basic")),
                update(_good(2), auth=Auth(scheme="bAsIc")),
            ),
            _same("credentials/scheme-upper-case", "BASIC", update(_good(3), auth=Auth(scheme="BASIC"))),
        ),
    ),
    Rule(
        id="media-type-case",
        group="protocol",
        level=Level.MUST,
        aspect=Aspect.METHOD,
        evidence=taken(plain_media_type),
        control=plain_media_type,
        statement="The media type of the body is understood in any case.",
        source=f"{_HTTP} 8.3.1: type and subtype are case-insensitive",
        classes=(wire_class("media-type-in-other-case"),),
    ),
    Rule(
        id="charset-parameter",
        group="protocol",
        level=Level.SHOULD,
        aspect=Aspect.METHOD,
        evidence=taken(without_charset),
        control=without_charset,
        statement="A charset parameter of UTF-8 on the body's media type does no harm.",
        source=f"{_HTTP} 8.3.1; many clients send one",
        classes=(wire_class("charset-parameter"),),
    ),
    Rule(
        id="accept-header",
        group="protocol",
        level=Level.MUST,
        aspect=Aspect.METHOD,
        evidence=SERVED_AS_ASKED,
        control=without_accept,
        statement="Accept: */* and Accept: application/json are served.",
        source=f"{_HTTP} 12.5.1",
        classes=(
            _same(
                "accept/json",
                "media ranges that hold application/json",
                *(
                    update(_good(number), headers=(("Accept", each),))
                    for number, each in enumerate(
                        ("*/*", "application/json", "application/*", "text/html, */*;q=0.1"), start=4
                    )
                ),
            ),
        ),
    ),
    Rule(
        id="chunked-body",
        group="protocol",
        level=Level.MUST,
        aspect=Aspect.METHOD,
        evidence=taken(whole),
        control=whole,
        statement="A chunked body is understood (411 is tolerated).",
        source="RFC 9112 6.1 and 7.1: a recipient must be able to parse chunked",
        classes=(
            _same("body/chunked", "the same form, chunked", update(_good(8), chunked=True)),
            fixed_class(
                "body/chunked-invalid",
                "an invalid form, chunked",
                single(update((INACTIVE.parameter, "PT13S"), chunked=True), context=(LONG_CLOSED,)),
            ),
        ),
    ),
    Rule(
        id="form-decoding",
        group="protocol",
        level=Level.MUST,
        aspect=Aspect.METHOD,
        evidence=taken(canonical),
        control=canonical,
        statement="A form means the same however its bytes are spelled.",
        source=f"{_WHATWG}-parsing; RFC 3986 2.1",
        classes=wire_classes("encoding", "empty-pairs"),
    ),
    Rule(
        id="allow-header",
        group="protocol",
        level=Level.MUST,
        aspect=Aspect.METHOD,
        evidence=_status_seen("no 405 was seen", 405),
        statement="A 405 says in Allow which methods are allowed.",
        source=f"{_HTTP} 15.5.6 and 10.2.1",
        classes=tuple(
            fixed_class(
                f"method/{each.lower()}", f"{each}, which nothing documents", _method(each, bad=False)
            )
            for each in ("PUT", "PATCH", "DELETE")
        ),
    ),
    Rule(
        id="framing",
        group="protocol",
        level=Level.MUST,
        aspect=Aspect.WIRE,
        evidence=ANSWERED,
        statement="Every answer is framed as HTTP has it.",
        source="RFC 9112 6",
        classes=answers("update", "refusal", "read", "unauthorised"),
    ),
    Rule(
        id="repeated-parameters",
        group="protocol",
        level=Level.MUST,
        aspect=Aspect.METHOD,
        evidence=REPEATED_SETTLED,
        control=once,
        statement="A repeated parameter is refused, or one of its valid values is taken.",
        source=f"{_WHATWG}-parsing keeps every pair; nothing documents which one counts",
        classes=wire_classes("repeated"),
    ),
    Rule(
        id="unvalidated-write",
        group="protocol",
        level=Level.MUST,
        aspect=Aspect.STATE,
        evidence=proved(Kind.UNVALIDATED, "no setting that this run had set was shown after such a request"),
        culprit=_is_no_plain_update,
        statement="No other way of sending a value writes one that an update would have to refuse.",
        source=f"{DOCUMENT}: the parameters' rules",
        classes=(
            _attempts(
                "json", "an invalid value in a JSON body", *(p for each in _UNVALIDATED for p in _json(each))
            ),
            _attempts(
                "media-type",
                "an invalid value in multipart/form-data, or under a media type that is not a form's",
                *(p for each in _UNVALIDATED for p in (_plain(each), _multipart(each))),
            ),
            _attempts("query", "an invalid value in the query string", *map(_query, _UNVALIDATED)),
            _attempts(
                "renamed",
                "an invalid value under another spelling of the parameter's name",
                *(p for each in _UNVALIDATED for p in _renamed(each)),
            ),
            _attempts(
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
            *wire_classes("unknown"),
        ),
    ),
)

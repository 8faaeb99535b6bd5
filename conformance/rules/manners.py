"""
Manners: the ways in which one request can be sent, none of which changes how it must be answered.

A request without good credentials is refused whatever its shape; an invalid value is refused whatever stands beside
it; a good one is accepted whatever harmless header comes along. Which manners are sent is for
`conformance.harness.covering` to say, and when for `conformance.harness.combinations`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from conformance.http import FORM_MEDIA_TYPE, ByHand, Pairs, Request, as_usual, encode_form
from conformance.model import BY_PARAMETER, CHAT, FIELDS, INACTIVE, MESSAGING, Situation
from conformance.oracle.decisions import Answer, decide_value
from conformance.rules.acceptance import decided
from conformance.rules.controls import BROWSER, FROM_WITHIN, IGNORED_HEADERS, OVERRIDE, UNKNOWN_HEADERS
from conformance.rules.forms import pairs_for
from conformance.rules.protocol import in_other_places

PLAIN = "plain"
"""The value of every dimension that leaves a request as it is."""

VALUE = "value"
"""The dimension that says what the plain request is about: see `value_of`."""

BY_HAND = "by-hand"
"""The dimension that says in which way a request is written by hand, if not by a library."""

ACCOUNT = "account"
"""The dimension that says whose credentials a request has."""

PLACE = "place"
"""The dimension that says where a value is sent, if not in a form."""


class Carrier(StrEnum):
    """The kind of a request, which decides which manners it can have."""

    GOOD = "good"
    """An update that must be accepted."""
    BAD = "bad"
    """An update with a value that must, or should, be refused."""
    DISGUISED = "disguised"
    """An update with such a value elsewhere than in its form."""
    INTRUDER = "intruder"
    """An update without the account's own credentials."""


Manner = Mapping[str, str]
"""A value for each dimension, by name."""


class Alone(NamedTuple):
    """Says that some values of one dimension make sense only where another dimension is plain."""

    dimension: str
    values: tuple[str, ...]
    other: str

    def forbids(self, manner: Manner) -> bool:
        """Whether the values of some dimensions make no sense together."""
        return manner.get(self.dimension) in self.values and manner.get(self.other, PLAIN) != PLAIN


class Design(NamedTuple):
    """The dimensions of one carrier with their values, and which values make no sense together."""

    factors: Mapping[str, tuple[str, ...]]
    constraints: Sequence[Alone] = ()


_ENCODINGS: Mapping[str, Callable[[str, str], bytes]] = MappingProxyType(
    {
        "value": lambda name, value: encode_form(((name, ""),)) + _escaped(value),
        "value-in-lower-case": lambda name, value: encode_form(((name, ""),)) + _escaped(value).lower(),
        "first-character": lambda name, value: (
            encode_form(((name, ""),)) + _escaped(value[:1]) + encode_form((("", value[1:]),))[1:]
        ),
        "name": lambda name, value: _escaped(name) + encode_form((("", value),)),
    }
)
"""Other spellings of a pair that mean the same."""


def _as_usual(name: str, value: str) -> bytes:
    return encode_form(((name, value),))


def _escaped(text: str) -> bytes:
    return b"".join(b"%%%02X" % byte for byte in text.encode("utf-8", "replace"))


_WITHIN = "from within"
_HEADERS: Mapping[str, Pairs] = MappingProxyType(
    {
        **{
            f"{name}: {value}": ((name, value),)
            for name, value in (*IGNORED_HEADERS, BROWSER, *UNKNOWN_HEADERS)
        },
        **{f"override by {method}": ((OVERRIDE, method),) for method in ("PUT", "PATCH", "GET", "OPTIONS")},
        _WITHIN: FROM_WITHIN,
    }
)
_CLIENTS: Mapping[str, Pairs] = MappingProxyType(
    {
        "of-xml": (("Accept", "application/xml"),),
        "shell": (("Accept", "text/plain"), ("User-Agent", "curl/8.5.0")),
        "browser": (("Accept", "text/event-stream, image/*"), ("User-Agent", "Mozilla/5.0")),
        "probe": (("Accept", "application/health+json"), ("User-Agent", "kube-probe/1.31")),
        "vendor": (("Accept", "application/vnd.api+json"), ("User-Agent", "twilio-python/9.3.0")),
    }
)
"""Clients that would have other answers than JSON, and say who they are. A target may refuse each, or serve it."""

_HARMLESS = tuple(f"{name}: {value}" for name, value in (*IGNORED_HEADERS, BROWSER))
_UNKNOWN = tuple(f"{name}: {value}" for name, value in UNKNOWN_HEADERS)
_MEDIA_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "upper-case": FORM_MEDIA_TYPE.upper(),
        "mixed-case": "Application/X-WWW-Form-URLEncoded",
        "charset": f"{FORM_MEDIA_TYPE}; charset=UTF-8",
    }
)

_ODDITIES: Mapping[str, bytes] = MappingProxyType(
    {
        "broken-escape": b"Unknown=100%&",
        "no-equals-sign": b"Unknown&",
        "nul": b"Unknown%00=1&",
        "not-utf-8": b"Unknown=%FF&",
        "large": b"Unknown=" + b"a" * 9_000 + b"&",
    }
)
"""Parameters before all others that another parser may be chosen for, or a shorter way through the target."""

_BARE = ("GET", "HEAD", "DELETE")
"""Methods of requests without a body."""

_SID_CLAIMS = ("prefix", "length", "alphabet", "anchoring")

_PLACES = tuple(in_other_places((INACTIVE.parameter, "")))

_VALUES: Mapping[Carrier, tuple[str, ...]] = MappingProxyType(
    {
        Carrier.GOOD: tuple(each.slug for each in FIELDS),
        Carrier.BAD: tuple(
            f"{each.slug} {claim}"
            for each in FIELDS
            for claim in (("syntax", "minimum") if each.kind == "timer" else _SID_CLAIMS)
        ),
        Carrier.DISGUISED: tuple(each.slug for each in FIELDS),
        Carrier.INTRUDER: ("no-pair", "user", "token"),
    }
)
"""What the plain requests are about: a request with each of them is sent in every manner."""

_COMMON: Mapping[str, tuple[str, ...]] = {
    ACCOUNT: (PLAIN, "second"),
    "connection": (PLAIN, "fresh"),
    "framing": (PLAIN, "chunked"),
}
_UPDATE: Mapping[str, tuple[str, ...]] = {
    **_COMMON,
    "scheme": (PLAIN, "basic", "BASIC"),
    "media-type": (PLAIN, *_MEDIA_TYPES),
    "encoding": (PLAIN, *_ENCODINGS),
}


_BY_CLIENT: Mapping[str, tuple[str, ...]] = {
    "client": (PLAIN, *_CLIENTS),
    BY_HAND: (PLAIN, ByHand.ABSOLUTE, ByHand.NAMES, ByHand.VERSION),
}
_NOT_TOGETHER = (
    Alone(BY_HAND, (ByHand.VERSION,), "framing"),  # HTTP/1.0 has no chunks
    Alone("header", ("Expect: 100-continue",), BY_HAND),
    Alone("header", tuple(each for each in _HARMLESS if each.startswith("Accept: ")), "client"),
)

DESIGNS: Mapping[Carrier, Design] = MappingProxyType(
    {
        Carrier.GOOD: Design(
            {
                VALUE: _VALUES[Carrier.GOOD],
                **_UPDATE,
                # What a target only should understand is no part of it: beside another feature nobody knows which of
                # the two it refused.
                "media-type": (PLAIN, "upper-case", "mixed-case"),
                "header": (PLAIN, *_HARMLESS),
                "beside": (PLAIN, "before", "after", "around"),
                BY_HAND: (PLAIN, ByHand.ABSOLUTE, ByHand.NAMES),
            }
        ),
        Carrier.BAD: Design(
            {
                VALUE: _VALUES[Carrier.BAD],
                **_UPDATE,
                "header": (PLAIN, *_HARMLESS, *_UNKNOWN, "override by PUT", "override by PATCH", _WITHIN),
                "beside": (PLAIN, "before", "after", "around", "repeated", "unknown-before", "unknown-after"),
                "oddity": (PLAIN, "empty-pairs", *_ODDITIES),
                **_BY_CLIENT,
            },
            _NOT_TOGETHER,
        ),
        Carrier.DISGUISED: Design(
            {
                VALUE: _VALUES[Carrier.DISGUISED],
                PLACE: _PLACES,
                **_COMMON,
                "scheme": (PLAIN, "basic", "BASIC"),
                "header": (PLAIN, *_UNKNOWN[:2], _WITHIN),
            }
        ),
        Carrier.INTRUDER: Design(
            {
                VALUE: _VALUES[Carrier.INTRUDER],
                **_COMMON,
                "scheme": (PLAIN, "basic", "BASIC"),
                "media-type": (PLAIN, "upper-case", "charset"),
                # With good credentials all of them would be accepted: else another refusal would hide a missing one.
                "header": (PLAIN, *_HARMLESS, *_UNKNOWN, "override by GET", "override by OPTIONS", _WITHIN),
                "method": (PLAIN, *_BARE),
                PLACE: (PLAIN, *_PLACES),
                "body": (PLAIN, "all", "large", "empty", "none"),
                "query": (PLAIN, "parameter", "unknown"),
                **_BY_CLIENT,
            },
            [
                *_NOT_TOGETHER,
                Alone(VALUE, ("no-pair",), "scheme"),
                Alone("body", ("none",), "framing"),
                Alone("body", ("none",), "media-type"),
                # No client may send this without content (RFC 9110 10.1.1), and waitress then waits for it.
                Alone("header", ("Expect: 100-continue",), "method"),
                Alone("header", ("Expect: 100-continue",), "body"),
                *(Alone("method", _BARE, other) for other in ("framing", "media-type", "body")),
                *(
                    Alone(PLACE, _PLACES, other)
                    for other in ("method", "media-type", "body", "query", "header", "client")
                ),
            ],
        ),
    }
)
"""The dimensions by carrier."""


def carrier_of(request: Request) -> Carrier | None:
    """Return the kind of a request; None where it is sent in a way of its own, which no manner may change."""
    form = request.form()
    usual = replace(as_usual(request), auth=request.auth, intends=request.intends)
    if not form or request != usual or request.account or request.fresh:
        return None
    if not request.auth.valid:
        return Carrier.INTRUDER
    decision = decided(request)
    if decision is None or decision.answer is Answer.OPEN or request.intends or len(form) > 1:
        return None
    return Carrier.GOOD if decision.answer is Answer.ACCEPT else Carrier.BAD


def value_of(carrier: Carrier, request: Request) -> str:
    """Return what a plain request is about: one of the values of the dimension `value` of its carrier."""
    if carrier is Carrier.INTRUDER:
        auth = request.auth
        has_pair = auth.header is None and auth.scheme is not None
        return ("token" if auth.user == "{sid}" else "user") if has_pair else "no-pair"
    ((name, value),) = request.form() or ()
    about = BY_PARAMETER[name]
    if carrier is Carrier.GOOD:
        return about.slug
    claim = decide_value(about, value).claim
    if about.kind == "timer":
        return f"{about.slug} {'minimum' if claim == 'minimum' else 'syntax'}"
    return f"{about.slug} {claim if claim in _SID_CLAIMS else 'prefix'}"


def in_manner(request: Request, manner: Manner, situation: Situation, number: int) -> Request:
    """
    Return a request, of which `carrier_of` says what it is, in a manner of its carrier.

    The situation and the number decide which values are put beside its own; each number gives others.
    """

    def chosen(dimension: str) -> str:
        return manner.get(dimension, PLAIN)

    if chosen(ACCOUNT) != PLAIN and situation.accounts > 1:
        request = replace(request, account=1)
    for dimension, change in _CHANGES.items():
        if chosen(dimension) != PLAIN:
            request = change(request, chosen(dimension))
    if any(chosen(each) != PLAIN for each in ("beside", "encoding", "oddity")):
        pairs = _beside(request.form() or (), chosen("beside"), situation, number)
        request = replace(request, body=_encoded(pairs, chosen("encoding"), chosen("oddity")))
    if chosen(PLACE) != PLAIN:
        other = in_other_places((request.form() or ())[0])[chosen(PLACE)]
        content = {
            name: getattr(other, name) for name in ("method", "body", "content_type", "query", "intends")
        }
        return replace(request, **content)
    return _disguised(request, chosen, situation, number)


_CHANGES: Mapping[str, Callable[[Request, str], Request]] = MappingProxyType(
    {
        "connection": lambda request, value: replace(request, fresh=True),
        "framing": lambda request, value: replace(request, chunked=True),
        "scheme": lambda request, value: (
            replace(request, auth=replace(request.auth, scheme=value)) if request.auth.scheme else request
        ),
        "media-type": lambda request, value: replace(request, content_type=_MEDIA_TYPES[value]),
        "header": lambda request, value: replace(request, headers=(*request.headers, *_HEADERS[value])),
        "client": lambda request, value: replace(request, headers=(*request.headers, *_CLIENTS[value])),
        BY_HAND: lambda request, value: replace(request, by_hand=ByHand(value)),
    }
)
"""By dimension, the change that a value of it makes to a request."""


def _disguised(request: Request, chosen: Callable[[str], str], situation: Situation, number: int) -> Request:
    """Return the request with another body or another query, or as a read."""
    method, body, query = chosen("method"), chosen("body"), chosen("query")
    pair = (request.form() or ())[:1]
    if method in _BARE:
        request = replace(request, method=method, body=None, content_type=None)
    elif body == "all":
        request = replace(request, body=encode_form(pairs_for(situation, number)))
    elif body == "large":
        request = replace(request, body=_ODDITIES["large"] + encode_form(pair))
    elif body == "empty":
        request = replace(request, body=b"")
    elif body == "none":
        request = replace(request, body=None, content_type=None)
    if query == "parameter":
        request = replace(request, query=encode_form(pair).decode(), intends=pair)
    elif query == "unknown":
        request = replace(request, query="PageSize=1")
    return request


def _beside(form: Pairs, beside: str, situation: Situation, number: int) -> Pairs:
    """Return the one pair of a form with good pairs of other settings before it, after it or around it."""
    others = _companions(form, situation, number)
    unknown = ("FriendlyName", "x")
    return {
        PLAIN: form,
        "before": (*others, *form),
        "after": (*form, *others),
        "around": (*others[:1], *form, *others[1:]),
        "repeated": (*others[:1], *others[:1], *form),
        "unknown-before": (unknown, *form),
        "unknown-after": (*form, unknown),
    }[beside]


def _companions(form: Pairs, situation: Situation, number: int) -> Pairs:
    """Return good values of settings of the other kind, and of the other SID: beside the value none is too short."""
    names = {name for name, _ in form}
    kinds = {BY_PARAMETER[name].kind for name in names if name in BY_PARAMETER}
    wanted = (CHAT, MESSAGING) if "timer" in kinds else FIELDS
    if kinds == {"timer", "sid"}:
        return ()
    values = dict(pairs_for(situation, number))
    return tuple(
        (each.parameter, values[each.parameter])
        for each in wanted
        if each.parameter in values and each.parameter not in names
    )


def _encoded(pairs: Pairs, encoding: str, oddity: str) -> bytes:
    spelled = _ENCODINGS.get(encoding, _as_usual)
    body = b"&".join(spelled(name, value) for name, value in pairs)
    if oddity == "empty-pairs":
        return b"&" + body.replace(b"&", b"&&") + b"&"
    return _ODDITIES.get(oddity, b"") + body

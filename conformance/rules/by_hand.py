"""Rules about requests that are written by hand, byte for byte, in ways that HTTP allows and few clients use."""

from conformance.http import BASIC, Auth, ByHand, Request, update
from conformance.model import BY_HAND, INACTIVE, InputClass, Level, Rule
from conformance.rules.controls import written_by_library
from conformance.rules.probes import LONG_CLOSED, fixed_class, own_pair, single
from conformance.rules.rows import peculiar

_TRUNCATED = Auth(secret="{truncated}")  # noqa: S106  # a placeholder
_WAYS = tuple(ByHand)


def written(way: ByHand, name: str, reason: str) -> InputClass:
    """
    Return the input class of requests written in one way by hand: a good update, a refused one, and one of an intruder.

    An ordinary update follows the first on its connection.
    """
    chunked = way in (ByHand.BYTES, ByHand.CODING, ByHand.EXTENSIONS, ByHand.SIZES, ByHand.TRAILERS)
    number = 20 + 2 * _WAYS.index(way)

    def request(pair: tuple[str, str], auth: Auth = BASIC) -> Request:
        return update(pair, auth=auth, by_hand=way, chunked=chunked)

    return fixed_class(
        name,
        reason,
        single(request(own_pair(400 + number)), update(LONG_CLOSED), context=(LONG_CLOSED,)),
        single(request((INACTIVE.parameter, f"PT{number}S")), context=(LONG_CLOSED,)),
        single(request(own_pair(401 + number), _TRUNCATED)),
        whole=True,
        rare=True,
    )


def _rule(
    level: Level,
    way: ByHand,
    rule_id: str,
    statement: str,
    source: str,
    name: str,
    reason: str,
    *further: InputClass,
) -> Rule:
    """Make the row of a way, with the input class of requests written in it and further ones."""
    plain, cls = written_by_library(way), written(way, name, reason)
    return peculiar(level, plain, rule_id, statement, source, cls, *further, needs=BY_HAND)


RULES = (
    _rule(
        Level.MUST,
        ByHand.ABSOLUTE,
        "absolute-target",
        "A request whose target is in absolute form is understood.",
        "RFC 9112 3.2.2: a server must accept the absolute form",
        "http/absolute-target",
        "the whole URL in the request line",
        fixed_class(
            "http/asterisk",
            "OPTIONS *, which is about the server and no resource",
            single(
                Request(method="OPTIONS", content_type=None, by_hand=ByHand.ASTERISK), update(LONG_CLOSED)
            ),
            rare=True,
        ),
        fixed_class(
            "http/elsewhere",
            "HEAD of a path where nothing is",
            single(Request(method="HEAD", content_type=None, by_hand=ByHand.ELSEWHERE), update(LONG_CLOSED)),
            rare=True,
        ),
    ),
    _rule(
        Level.MUST,
        ByHand.NAMES,
        "header-name-case",
        "The names of headers are understood in any case.",
        "RFC 9110 5.1: field names are case-insensitive",
        "http/header-names",
        "the names of all headers in capitals",
    ),
    _rule(
        Level.MUST,
        ByHand.PIPELINED,
        "pipelining",
        "A request that comes before the one before it is answered is answered as by itself.",
        "RFC 9112 9.3.2: responses in the order of the requests; a server may answer the first and close (9.6)",
        "http/pipelined",
        "an update right behind a read",
    ),
    _rule(
        Level.MUST,
        ByHand.SEGMENTS,
        "request-in-segments",
        "A request is understood however the network divides it.",
        "RFC 9112 2.2: a message is parsed as a sequence of octets; RFC 9293 3.7: TCP may divide them anywhere",
        "http/segments",
        "the head in two segments, and the body in another",
    ),
    _rule(
        Level.SHOULD,
        ByHand.VERSION,
        "older-version",
        "A request of HTTP/1.0 is served.",
        "RFC 9110 2.5: a message of a lower minor version of the same major version is understood",
        "http/version-1-0",
        "HTTP/1.0, with a Host",
    ),
)

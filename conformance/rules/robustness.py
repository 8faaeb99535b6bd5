"""Rules about every answer, whatever the request was."""

from collections.abc import Iterable, Iterator

from conformance.http import ABSENT, TURNED_AWAY, Auth, ByHand, Exchange, FailureKind, Request, update
from conformance.model import CLOSED, INACTIVE, SIDS, Aspect, Evidence, Violation
from conformance.rules import probes
from conformance.rules.acceptance import must_be_accepted
from conformance.rules.checks import Broken, Checks
from conformance.rules.controls import MALFORMED_HEADERS
from conformance.rules.evidence import ANSWERED, is_accepted
from conformance.rules.probes import DOCUMENT, LONG_CLOSED
from conformance.rules.reply import Reply
from conformance.rules.rows import must
from conformance.rules.wire import wire_classes
from conformance.rules.wording import describe

_LARGE_BODY = 64 * 1024
"""Bytes. A server may answer a larger body before it has read it, and close: the answer can get lost."""


check_robustness = Checks(group="robustness", aspect=Aspect.WIRE)
"""Judges that every request brings an answer, that no answer is a 5xx, and that none leaks a token."""


_SIZES = (5_000, 4_301, 20_000, 100_000)
"""Digits: beyond the 4,300 that Python's int() takes, beyond 64-bit and double range, beyond a header's size."""

_ODD = ("'", '"', "\\", "{}", "%s", "<b>", "$x", "`", "\x1b", "\u00e9", "\U0001f4a5")
"""Characters that mean something to a shell, a template, a query or a terminal, or that take two or four bytes."""


def _of_size(size: int) -> Request:
    """Return an update whose body has so many bytes: a reader of blocks may end with one of them, or lose the last."""
    pair, filler = probes.own_pair(size.bit_length()), ("Unknown", "")
    request = update(filler, pair)
    assert request.body is not None
    return update((filler[0], "a" * (size - len(request.body))), pair)


def is_trouble(exchange: Exchange, last: Exchange) -> bool:
    """Whether a request was refused, written by hand, or no ordinary update: a target may let it affect the next."""
    # The answer to a HEAD is compared with that to the GET before it, so without the GET nothing would show.
    other = exchange.status != 200 or last.request.method != "HEAD"
    return exchange.request.by_hand is not None or (other and not must_be_accepted(exchange.request))


_POSTED = Evidence(
    "no update was answered other than with 404, 405 or 501",
    lambda reply: reply.request.method == "POST" and reply.exchange.status not in (None, *ABSENT),
)

IMPLEMENTED = must(
    "implemented",
    "The resource exists: POST to it is not always answered with 404, 405 or 501.",
    DOCUMENT,
    *probes.answers("update"),
    group="robustness",
    aspect=Aspect.WIRE,
    evidence=_POSTED,
)


@check_robustness.must(
    "no-server-error",
    "No request is answered with a 5xx.",
    "RFC 9110 15.6: the server is aware that it has erred",
    probes.fixed_class(
        "size/timer-digits",
        "durations of thousands of digits",
        *(
            probes.value_probe(timer, text)
            for size in _SIZES
            for timer in (INACTIVE, CLOSED)
            for text in (f"PT{'9' * size}S", f"PT{'0' * size}900S", f"PT900.{'1' * size}S", f"P{'9' * size}Y")
        ),
    ),
    probes.fixed_class(
        "size/timer-overflow",
        "durations beyond the range of common number types",
        *(
            probes.value_probe(timer, text)
            for timer in (INACTIVE, CLOSED)
            for text in (
                "P1000000000D",
                "PT9223372036854775808S",
                "PT99999999999999999999S",
                "P99999999999Y",
                "PT9223372036854775807S",
                "P999999999D",
                "P106751992D",
                "P9999-12-30T23:59:59",
                "PT2147483648S",
                "PT4294967296S",
            )
        ),
    ),
    probes.fixed_class(
        "text/odd-characters",
        "characters that mean something to other languages, or take several bytes",
        *(probes.value_probe(INACTIVE, f"PT10M{text}") for text in ("".join(_ODD), *_ODD)),
    ),
    probes.fixed_class(
        "size/sid",
        "SIDs of thousands of characters",
        *(probes.value_probe(each, each.prefix + "a" * size) for each in SIDS for size in (1_000, 70_000)),
    ),
    probes.request_class(
        "header/malformed",
        "a header whose value breaks its grammar, or that only proxies send",
        *(
            update(probes.own_pair(number), headers=(each,))
            for number, each in enumerate(MALFORMED_HEADERS, start=31)
        ),
        whole=True,
    ),
    *wire_classes("escapes", "invalid-utf-8", "nul"),
    *wire_classes("other-media-type"),
    evidence=ANSWERED,
)
def _server_error(reply: Reply) -> Iterator[Broken]:
    request, response = reply.request, reply.response
    if response is None or response.status < 500:
        return
    if response.status == 505 and request.by_hand is ByHand.VERSION:
        return  # It refuses the version (RFC 9110 15.6.6), and is judged for that alone.
    # 501 is the RFC 9110 15.6.2 answer to a method that the server does not know at all.
    if response.status != 501 or request.method in ("GET", "POST"):
        summary = f"{describe(request)} brought a server error"
        yield Broken("server-error", None, "no 5xx", f"status {response.status}", summary)


EVERY_ANSWERED = must(
    "every-request-answered",
    "Every request is answered: the target neither hangs nor drops the connection.",
    "RFC 9110 3.4: a request brings a response; RFC 9112 9.6 on closing",
    *wire_classes("size"),
    probes.request_class(
        "size/request",
        "many or long headers, long credentials, a long query, an empty chunked body, large forms",
        update(probes.own_pair(21), headers=(("X-Filler", "a" * 7_000),)),
        update(LONG_CLOSED, auth=Auth(user="A" * 2_000)),
        Request(body=b"", chunked=True),
        update(probes.own_pair(22), query=f"Unknown={'a' * 2_000}"),
        update(LONG_CLOSED, auth=Auth(secret="{token}" + "0" * 2_000)),
        update(probes.own_pair(23), headers=tuple((f"X-Filler-{number}", "a") for number in range(60))),
        update(probes.own_pair(24), headers=(("Cookie", "; ".join(f"c{n}={n}" for n in range(300))),)),
        update(LONG_CLOSED, auth=Auth(header=f"Basic {'A' * 6_000}")),
        update(probes.own_pair(25), headers=(("X-Filler", "a" * 8_200),)),
        *map(_of_size, (1_024, 4_096, 8_192, 16_384, 32_768)),
        # A target that refuses it must not have written its beginning. What follows sets the other timer.
        update((CLOSED.parameter, "P31D"), ("Unknown", "a" * (_LARGE_BODY + 2_000))),
        whole=True,
    ),
    group="robustness",
    aspect=Aspect.WIRE,
    evidence=ANSWERED,
)


@check_robustness.add(EVERY_ANSWERED)
def _no_answer(reply: Reply) -> Iterator[Broken]:
    request, failure = reply.request, reply.exchange.failure
    if failure is None or failure.partial:  # a partial answer is a matter of framing
        return
    # RFC 9110 9.3.1 and 9.3.2 allow for closing the connection on content that GET and HEAD do not have.
    may_close = len(request.body or b"") > _LARGE_BODY or (request.method in ("GET", "HEAD") and request.body)
    if failure.kind is FailureKind.TIMEOUT or (failure.kind is FailureKind.DISCONNECT and not may_close):
        summary = f"{describe(request)} got no answer"
        yield Broken(str(failure.kind), None, "an answer", failure.detail, summary)


@check_robustness.must(
    "no-leak",
    "No answer holds an auth token that its request's body, path and parameters do not hold.",
    "https://www.twilio.com/docs/usage/secure-credentials; CWE-209",
    *probes.answers("update", "refusal", "read", "unauthorised"),
    aspect=Aspect.REPRESENTATION,
    evidence=ANSWERED,
)
def _leak(reply: Reply) -> Iterator[Broken]:
    if reply.leaks and reply.response is not None:
        yield Broken(
            "leaked",
            None,
            "no secret in an answer",
            "the token, in the answer's status line, header or body",
            summary=f"the answer to {describe(reply.request)} holds an auth token",
        )


STAYS_USABLE = must(
    "stays-usable",
    "An ordinary request works after any other request.",
    "RFC 9110 9.2.2 and 3.3: HTTP is stateless, one request's fault is not the next one's",
    *probes.answers("update"),
    group="robustness",
    aspect=Aspect.WIRE,
    evidence=Evidence(
        "no update was accepted right after a request of another kind",
        lambda reply: (
            is_accepted(reply) and reply.after is not None and is_trouble(reply.after, reply.exchange)
        ),
    ),
    culprit=is_trouble,
)

RULES = (IMPLEMENTED, *check_robustness.rules, STAYS_USABLE)


def is_turned_away(reply: Reply) -> bool:
    """Whether an update that must be accepted was refused for its credentials, though they are good."""
    return reply.is_due and is_turned_away_again(reply.exchange)


def is_turned_away_again(exchange: Exchange) -> bool:
    """Whether the same update is refused for its credentials once more."""
    return exchange.status in TURNED_AWAY


def turned_away(exchange: Exchange, after: Exchange) -> Violation:
    """Return the violation that good credentials are refused because of an earlier request."""
    return Violation(
        rule=STAYS_USABLE.id,
        cls=STAYS_USABLE.classes[0].id,
        outcome="turned-away",
        field=None,
        summary="good credentials are refused because of an earlier request",
        expected="200",
        observed=f"status {exchange.status}",
        related=(after,),
    )


def unusable(canary: Exchange, after: Exchange) -> Violation:
    """Return the violation that an ordinary update fails after another request had failed."""
    return Violation(
        rule=STAYS_USABLE.id,
        outcome="unusable",
        field=None,
        summary="an ordinary update fails after another request had failed",
        expected="200",
        observed=f"status {canary.status}" if canary.failure is None else canary.failure.detail,
        related=(after,),
    )


def is_absence(violation: Violation) -> bool:
    """Whether a violation says that the resource does not exist."""
    return violation.rule == IMPLEMENTED.id


def absent(statuses: Iterable[int | None]) -> Violation:
    """Return the violation that the resource does not exist, as shown by the statuses of the answers to POST."""
    return Violation(
        rule=IMPLEMENTED.id,
        outcome="absent",
        field=None,
        summary="the resource does not exist",
        expected="an answer to POST other than 404, 405 and 501",
        observed=f"status {' and '.join(str(status) for status in dict.fromkeys(statuses))} to POST",
    )

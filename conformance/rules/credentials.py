"""Rules about credentials: who is let in, and how anybody else is refused."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from conformance.http import (
    EMPTY,
    NO_AUTH,
    PATHS,
    READ,
    TURNED_AWAY,
    Auth,
    Request,
    as_usual,
    update,
)
from conformance.model import INACTIVE, Aspect, Evidence, InputClass, Level, Probe, Situation
from conformance.rules.checks import Broken, Checks
from conformance.rules.controls import FROM_WITHIN, evidence_of, is_overridden, plain_scheme
from conformance.rules.probes import LONG_CLOSED, answers, fixed_class, own_pair, request_class, single
from conformance.rules.reply import Reply
from conformance.rules.rows import peculiar

_WRITE = ((INACTIVE.parameter, "PT187M"),)
"""One component, and far above the minimum: a target that takes few notations should not refuse it for its value."""

_WORD = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_PARAMETER = rf"{_WORD}[ \t]*=[ \t]*(?:{_WORD}|\"(?:[^\"\\]|\\.)*\")"
_CHALLENGE = rf"{_WORD}(?: +(?:[A-Za-z0-9\-._~+/]+=*|{_PARAMETER}))?"
_CHALLENGES = re.compile(rf"[ \t,]*{_CHALLENGE}(?:[ \t]*,[ \t]*(?:{_PARAMETER}|{_CHALLENGE})?)*[ \t]*")
"""The value of WWW-Authenticate by RFC 9110 11.6.1: challenges, each a scheme with a token or with parameters."""
_BASIC = re.compile(r"(?:^|,)[ \t]*basic(?: |,|$)", re.IGNORECASE)
_REALM = re.compile(rf"(?:^|[ ,\t])realm[ \t]*=[ \t]*(?:{_WORD}|\")", re.IGNORECASE)

check_credentials = Checks(group="protocol", aspect=Aspect.CREDENTIALS)
"""Judges what is answered without the account's own credentials."""


def _intrusion(auth: Auth, **more: Any) -> Probe:
    """Return an update without the account's own credentials; `more` are further fields of its request."""
    return single(update(*_WRITE, auth=auth, **more), context=(LONG_CLOSED,))


def _intruder(name: str, reason: str, *auths: Auth, whole: bool = False) -> InputClass:
    return fixed_class(f"credentials/{name}", reason, *map(_intrusion, auths), whole=whole)


_FIRST = fixed_class(
    "credentials/first",
    "no credentials and wrong ones in the first request of a connection",
    _intrusion(NO_AUTH, fresh=True),
    _intrusion(Auth(secret="{token}1"), fresh=True),
    rare=True,
)

_INTRUDERS = (
    _intruder("missing", "no Authorization header", Auth(scheme=None)),
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
        "a user that is no account SID: not ASCII, or too short",
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
)


def _others_token(situation: Situation) -> Sequence[Probe]:
    if situation.accounts < 2:
        return ()
    auths = (Auth(secret="{other_token}"), Auth(user="{other_sid}"))
    return [
        *map(_intrusion, auths),
        *(single(replace(EMPTY, auth=auth)) for auth in auths),
        single(replace(READ, auth=auths[0])),
    ]


def _from_within(situation: Situation) -> Sequence[Probe]:
    """Return requests with headers by which proxies and tools say that a request comes from within, or from whom."""
    sid = next(iter(situation.account_sids), "admin")
    who = (
        "X-Forwarded-User",
        "X-Remote-User",
        "Remote-User",
        "X-User",
        "X-Auth-Request-User",
        "X-Account-Sid",
    )
    bundles = (
        (*FROM_WITHIN, ("User-Agent", "kube-probe/1.31"), ("Origin", "http://localhost")),
        tuple((name, sid) for name in who),
        (("Cookie", "session=1; sid=1; auth=1"), ("X-Api-Key", "1"), ("X-Auth-Token", "1"), *_INTERNAL),
    )
    return [
        _intrusion(auth, headers=headers)
        for headers in bundles
        for auth in (NO_AUTH, Auth(secret="{token~30}"))
    ]


_INTERNAL = (
    *(("X-Internal", "1"), ("X-Admin", "1"), ("X-Debug", "1"), ("X-Test", "1")),
    ("X-Requested-With", "XMLHttpRequest"),
    ("Referer", "https://www.twilio.com/console"),
)
"""What a tool of the operator may add, and a page of the vendor's own console."""


_NEAR_MISSES = _intruder(
    "near-miss",
    "the token or the user name, but for one character: at every position once",
    *(
        auth
        # One in the middle, the ends, and the edges of the token's blocks come first.
        for place in dict.fromkeys((13, 31, 0, 16, 15, 8, 7, *range(32)))
        for auth in (Auth(secret=f"{{token~{place}}}"), Auth(user=f"{{sid~{place + 2}}}"))
    ),
    whole=True,
)
_PIECES = _intruder(
    "pieces",
    "the right user name and token, but for something added, moved or spelled otherwise; other kinds of user name",
    Auth(secret=" {token}"),
    Auth(secret="{token}\n"),
    Auth(secret="{token}\0"),
    Auth(secret="{token}{token}"),
    Auth(secret="0{token}"),
    Auth(secret=":{token}"),
    Auth(secret="{token}:"),
    Auth(secret="{sid}:{token}"),
    Auth(secret="{reversed}"),
    Auth(secret="{escaped}"),
    Auth(secret="{full_width}"),
    Auth(user="SK{digits_of_sid}"),
    Auth(user="{digits_of_sid}"),
    Auth(user="{short_sid}"),
    Auth(user="{sid}0"),
    Auth(user="{sid} "),
    Auth(user=" {sid}"),
    Auth(user="{sid}{sid}"),
    Auth(user="{sid}{token}", secret=""),
    Auth(user="", secret="{sid}{token}"),
    Auth(user="{sid}@example.com"),
    Auth(user="{sid~0}"),
    Auth(user="{sid~1}"),
    Auth(user="{sid}", secret="{sid}"),
    Auth(user="{token}"),
    Auth(user="IS" + "a" * 32),
    Auth(user="SK" + "a" * 32),
    Auth(user="admin"),
    Auth(user="*"),
    Auth(user="%"),
    Auth(header="BasicX {basic}"),
    Auth(header="Digest {basic}"),
    whole=True,
)
_TRUSTED = InputClass(
    "credentials/from-within",
    "headers that say that a request comes from within, or who sends it, in place of credentials",
    _from_within,
    whole=True,
)
_OTHER_PATHS = fixed_class(
    "credentials/other-path",
    "wrong credentials where a lenient router may find the resource, too",
    *(_intrusion(Auth(secret="{truncated}"), by_hand=way, intends=_WRITE) for way in PATHS),
    whole=True,
    rare=True,
)
_OTHERS = InputClass("credentials/other-account", "one account's SID with another's token", _others_token)


_AFTERWARDS = fixed_class(
    "credentials/afterwards",
    "an update without parameters, whose answer shows whether a refused one has written",
    single(EMPTY),
)

_LOCKED = Evidence(
    "no update without the account's own credentials was refused with 401 or 403",
    # Any other refusal may be for the update's value: a target that looks at no credentials refuses such ones, too.
    lambda reply: (
        not reply.authorised and reply.request.method == "POST" and reply.exchange.status in TURNED_AWAY
    ),
    given=("accepted-status",),
)


@check_credentials.must(
    "credentials-required",
    "A request without the account's own credentials is not answered with 200, and writes nothing.",
    "https://www.twilio.com/docs/usage/requests-to-twilio: HTTP Basic, Account SID and Auth Token; RFC 7617",
    *_INTRUDERS,
    _FIRST,
    _OTHERS,
    _NEAR_MISSES,
    _PIECES,
    _TRUSTED,
    _OTHER_PATHS,
    _AFTERWARDS,
    evidence=_LOCKED,
    culprit=lambda exchange, last: not exchange.request.auth.valid,
)
def _required(reply: Reply) -> Iterator[Broken]:
    # The document describes POST alone: a GET that is let in breaks credentials-status, a SHOULD.
    is_update = reply.exchange.accepted and reply.request.method == "POST"
    # What says that it is another method, or is for another path, may be served as that: with no settings.
    is_other = is_overridden(reply.request) or reply.request.is_elsewhere
    is_served = not is_other or any((reply.shown or {}).values())
    if not reply.authorised and is_update and is_served:
        yield _let_in(reply, "an update")


def _is_usual(reply: Reply) -> bool:
    """Whether nothing but its credentials is wrong, or unusual, in an update."""
    return reply.is_acceptable and replace(as_usual(reply.request), auth=reply.request.auth) == reply.request


def _let_in(reply: Reply, what: str) -> Broken:
    summary = f"{what} without the account's own credentials was accepted"
    return Broken("accepted", "Authorization", "401", f"status {reply.exchange.status}", summary)


@check_credentials.should(
    "credentials-status",
    "Missing or wrong credentials are answered with 401 (403 is tolerated).",
    "RFC 9110 15.5.2; https://www.twilio.com/docs/api/errors/20003",
    fixed_class(
        "credentials/read",
        "GET and HEAD without credentials, or with wrong ones",
        *(
            single(Request(method=method, content_type=None, auth=auth))
            for auth in (NO_AUTH, Auth(secret="{token~30}"), Auth(user="{sid~30}"), Auth(secret=""))
            for method in ("GET", "HEAD")
        ),
    ),
    *answers("unauthorised"),
    evidence=Evidence(
        "no request without good credentials was answered with 401 or 403",
        lambda reply: not reply.authorised and reply.exchange.status in TURNED_AWAY,
    ),
)
def _status(reply: Reply) -> Iterator[Broken]:
    status = reply.exchange.status
    if reply.authorised or status is None:
        return
    if reply.request.method in ("GET", "HEAD") and reply.exchange.accepted:
        yield _let_in(reply, "a read")
    # What is unusual may be refused for that; but there is no reason to send anybody elsewhere.
    elif (reply.is_acceptable and 300 <= status < 400) or (
        _is_usual(reply) and 400 <= status < 500 and status not in (*TURNED_AWAY, 429, 431)
    ):
        summary = "an update without the account's own credentials was not refused for that"
        yield Broken(f"status-{status}", "Authorization", "401", f"status {status}", summary)


def _challenges_of(reply: Reply) -> list[str]:
    headers = reply.response.headers if reply.response is not None else ()
    return [value for name, value in headers if name.lower() == "www-authenticate"]


@check_credentials.must(
    "challenge",
    "A 401 carries a well-formed WWW-Authenticate challenge; one of the scheme Basic has a realm.",
    "RFC 9110 15.5.2, 11.3 and 11.6.1; RFC 7617 2: the realm is required",
    *answers("unauthorised"),
    evidence=Evidence("no 401 was seen", lambda reply: reply.exchange.status == 401),
)
def _challenge(reply: Reply) -> Iterator[Broken]:
    if reply.exchange.status != 401:
        return
    sent = _challenges_of(reply)
    outcome, expected = "", "a scheme with its parameters"
    if not "".join(sent).strip():
        outcome, expected = "missing", "a WWW-Authenticate header"
    elif not all(_CHALLENGES.fullmatch(each) for each in sent):
        outcome = "malformed"
    elif any(re.match("basic( |$)", each, re.IGNORECASE) and not _REALM.search(each) for each in sent):
        outcome, expected = "no-realm", "Basic with a realm"
    if outcome:
        yield Broken(
            outcome,
            "WWW-Authenticate",
            expected,
            ", ".join(sent) or "none",
            summary="a 401 carries no challenge" if outcome == "missing" else "a 401's challenge is wrong",
            cls="answer/unauthorised",
        )


def _is_challenge(reply: Reply) -> bool:
    """Whether an answer has a challenge that can be read; without one, `challenge` is broken."""
    return reply.exchange.status == 401 and bool(_CHALLENGES.fullmatch(", ".join(_challenges_of(reply))))


@check_credentials.should(
    "challenge-scheme",
    "One of the challenges of a 401 is for Basic, the scheme that is documented.",
    "RFC 9110 15.5.2: one of the challenges applies; https://www.twilio.com/docs/usage/requests-to-twilio",
    *answers("unauthorised"),
    evidence=Evidence("no 401 with a well-formed challenge was seen", _is_challenge),
)
def _challenge_scheme(reply: Reply) -> Iterator[Broken]:
    sent = ", ".join(_challenges_of(reply))
    if _is_challenge(reply) and not _BASIC.search(sent):
        yield Broken("other-scheme", "WWW-Authenticate", "a challenge of the scheme Basic", sent)


RULES = (
    *check_credentials.rules,
    peculiar(
        Level.MUST,
        plain_scheme,
        "scheme-case",
        "The authentication scheme is understood in any case.",
        "RFC 9110 11.1: a case-insensitive token",
        request_class(
            "credentials/scheme-case",
            "the scheme spelled basic, or in mixed case",
            update(own_pair(1), auth=Auth(scheme="basic")),
            update(own_pair(2), auth=Auth(scheme="bAsIc")),
        ),
        request_class(
            "credentials/scheme-upper-case",
            "the scheme spelled BASIC",
            update(own_pair(3), auth=Auth(scheme="BASIC")),
        ),
        aspect=Aspect.CREDENTIALS,
        evidence=evidence_of(plain_scheme, "credentials-required"),
    ),
)

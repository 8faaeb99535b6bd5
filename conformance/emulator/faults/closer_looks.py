"""Mistakes that only a close look at an answer shows, and headers of a request that are taken too seriously."""

import re
from collections.abc import Callable
from dataclasses import replace

from conformance.emulator.alterations import Fault, Install, Step, fault
from conformance.emulator.behaviour import FORM, Behaviour
from conformance.emulator.faults import credential_mistakes as logins
from conformance.emulator.faults import protocol_mistakes as mistakes
from conformance.emulator.faults.response import header, rewrites_body, sets_header
from conformance.emulator.messages import Answer, Call

A = "DefaultInactiveTimer=PT1H"
CHAT = "DefaultChatServiceSid=IS" + "a" * 32


def _with(name: str, value: str) -> Step:
    return Step(A, headers=(("Content-Type", FORM), (name, value)))


def _refuses(name: bytes, status: int, *, when: Callable[[str], bool] = bool) -> Install:
    """Return a mistake: an update with a header is refused."""
    return mistakes.refuses_call(lambda call: call.method == "POST" and when(call.header(name) or ""), status)


def _tells_of_others(change: Callable[[Answer, str], Answer]) -> Install:
    """Return a mistake: an answer tells the service that another account has set last."""

    def install(behaviour: Behaviour) -> None:
        last: dict[str, str] = {}
        inner = behaviour.answer

        async def answer(call: Call) -> Answer:
            sent = re.search(rb"DefaultChatServiceSid=(IS[0-9a-fA-F]{32})", call.body)
            who = call.header(b"authorization") or ""
            theirs = next((sid for name, sid in last.items() if name != who), "")
            answered = await inner(call)
            if sent and answered.status == 200:
                last[who] = sent[1].decode()
            return change(answered, theirs) if theirs else answered

        behaviour.answer = answer

    return install


def _in_message(answer: Answer, sid: str) -> Answer:
    if answer.status != 400:
        return answer
    body = re.sub(rb'"message": "', b'"message": "after %s: ' % sid.encode(), answer.body, count=1)
    return replace(answer, body=body)


def _fault(name: str, rules: str, text: str, install: Install, *witness: str | Step) -> Fault:
    return fault(name, rules, "closer-look", text, install, witness)


_BOTH_ACCOUNTS = (CHAT, Step("DefaultChatServiceSid=IS" + "b" * 32, account=1), "DefaultInactiveTimer=x")

# fmt: off
ALL: tuple[Fault, ...] = (
    _fault("range-refused", "ignored-headers", "A POST with Range is refused.", _refuses(b"range", 416),
      _with("Range", "bytes=0-0")),
    _fault("if-none-match-refused", "ignored-headers",
      "A POST with If-None-Match is refused, though it names no representation that there is.",
      _refuses(b"if-none-match", 412), _with("If-None-Match", '"x"')),
    _fault("foreign-language-refused", "ignored-headers",
      "A request that prefers a language other than English is refused.",
      _refuses(b"accept-language", 406, when=lambda value: bool(value) and not value.startswith("en")),
      _with("Accept-Language", "de, *;q=0.5")),
    _fault("if-modified-since-empties", "ignored-headers",
      "The form of a request with If-Modified-Since is taken for empty.",
      mistakes.ignores_body(lambda call: call.header(b"if-modified-since")),
      _with("If-Modified-Since", "Sat, 29 Oct 1994 19:43:31 GMT")),
    _fault("expectation-refused", "ignored-headers", "Expect: 100-continue is refused with 417.",
      _refuses(b"expect", 417), _with("Expect", "100-continue")),
    _fault("origin-refused", "unknown-headers", "A request with an Origin is refused.", _refuses(b"origin", 403),
      _with("Origin", "https://example.com")),
    _fault("official-client-refused", "sdk-update", "A POST by the official Python client is refused.",
      _refuses(b"user-agent", 403, when=lambda value: value.startswith("twilio-python/")),
      _with("User-Agent", "twilio-python/9.6.0")),
    _fault("cookie-empties", "unknown-headers", "The form of a request with a Cookie is taken for empty.",
      mistakes.ignores_body(lambda call: call.header(b"cookie")), _with("Cookie", "theme=light; lang=en")),
    _fault("allow-leaves-out-post", "allow-header", "The Allow of a 405 names GET alone.",
      sets_header("Allow", "GET", when=lambda answer: answer.status == 405), Step(method="PUT")),
    _fault("allow-names-everything", "allow-header", "The Allow of a 405 names every method that HTTP has.",
      sets_header("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE", when=lambda answer: answer.status == 405),
      Step(method="PUT")),
    _fault("challenge-malformed", "challenge", "The challenge's realm has an opening quotation mark alone.",
      logins.unauthorized_as(401, ("WWW-Authenticate", 'Basic realm="Twilio API')), Step(A, credentials="")),
    _fault("head-without-credentials", "credentials-status", "HEAD needs no credentials.",
      logins.unauthenticated("HEAD"), Step(method="HEAD", credentials="")),
    _fault("allow-credentials-of-refusals-not-boolean", "documented-headers",
      "Access-Control-Allow-Credentials of a refusal is 1.",
      sets_header("Access-Control-Allow-Credentials", "1", when=lambda answer: answer.status == 400),
      "DefaultInactiveTimer=x"),
    _fault("timer-twice-in-answer", "unique-names read-response", "An attribute is there twice, first as it was.",
      rewrites_body(lambda body: body.replace(b"{", b'{"default_closed_timer": "PT1H", ', 1)),
      "DefaultClosedTimer=P1D"),
    _fault("service-of-others-in-header", "accounts-apart", "A header names the service that another account has set.",
      _tells_of_others(lambda answer, sid: header("X-Last-Service", sid, answer)), *_BOTH_ACCOUNTS),
    _fault("service-of-others-in-message", "accounts-apart",
      "The message of a refusal names the service that another account has set.", _tells_of_others(_in_message),
      *_BOTH_ACCOUNTS),
)
# fmt: on

"""Mistakes that odd input brings to light: server errors, silence, leaks, requests that break the next."""

import re
from dataclasses import replace
from urllib.parse import quote_plus

from conformance.emulator.alterations import WITNESS_ACCOUNTS, Fault, Install, Step, fault
from conformance.emulator.behaviour import FORM
from conformance.emulator.faults import aftermath_mistakes as aftermath
from conformance.emulator.faults import robustness_mistakes as mistakes
from conformance.emulator.faults.robustness_mistakes import Crash, header, on, pairs, value
from conformance.emulator.messages import Answer

SID, TOKEN = next(iter(WITNESS_ACCOUNTS.items()))
A = "DefaultInactiveTimer=PT1H"
READ = Step(method="GET")
BANANA = "DefaultInactiveTimer=banana"
FORM_TYPE = ("Content-Type", FORM)
WRONG = Step(A, credentials=f"{SID}:wrong")


def _timer(text: str) -> str:
    return "DefaultInactiveTimer=" + quote_plus(text)


def _authorized(credentials: str) -> Step:
    return Step(A, headers=(FORM_TYPE, ("Authorization", credentials)))


def _typed(*media_type: str) -> Step:
    return Step(A, headers=tuple(("Content-Type", value) for value in media_type))


def _fault(name: str, rules: str, text: str, install: Install, *witness: str | Step) -> Fault:
    return fault(name, rules, "robustness", text, install, witness)


def _crash(name: str, text: str, install: Install, *witness: str | Step) -> Fault:
    return _fault(f"crash-{name}", "no-server-error", f"A server error comes {text}.", install, *witness)


def _shown(answer: Answer) -> bool:
    """Tell whether an answer shows the configuration."""
    return answer.status == 200


def _refused(answer: Answer) -> bool:
    """Tell whether an answer refuses a form."""
    return answer.status == 400


def _erroneous(answer: Answer) -> bool:
    """Tell whether an answer carries an error."""
    return answer.status >= 400


def _every(n: int) -> Fault:
    return _crash(f"on-every-{n}th", f"on every {n}th POST", mistakes.every(n, mistakes.then_crash), *[A] * n)


# fmt: off
ALL: tuple[Fault, ...] = (
    _fault("post-not-found", "implemented", "POST is not found.", mistakes.posts_refused(404, 20404), A),
    _fault("post-not-allowed", "implemented", "POST is not allowed.",
      mistakes.posts_refused(405, 20004, ("Allow", "GET")), A),
    _fault("post-not-implemented", "implemented", "POST is not implemented.",
      mistakes.posts_refused(501, 20501), A),
    # Server errors
    _crash("on-superscripts", "on digits that isdigit() takes and int() does not",
      on(value("[\u00b2\u00b3\u00b9]")), _timer("PT1\u00b2M")),
    _crash("on-long-numbers", "on more than 4,300 digits, which int() refuses", on(value("[0-9]{4301}")),
      _timer("PT" + "0" * 4400 + "600S")),
    _crash("on-twenty-digits", "on numbers of twenty digits, which no 64 bits hold", on(value("[0-9]{20}")),
      _timer("PT" + "9" * 20 + "S")),
    _crash("on-timedelta-overflow", "on lengths that no timedelta holds", mistakes.timedeltas,
      _timer("P1000000000D")),
    _crash("on-64-bit-overflow", "on lengths that 64 bits do not hold", mistakes.machine_integers,
      _timer("PT9223372036854775808S")),
    _crash("in-isodate", "where isodate raises another error than its own", mistakes.isodate_unguarded,
      _timer("P0000-00-00T00:10:00"), _timer("P1000000000D")),
    _crash("on-nul", "on a NUL, which PostgreSQL refuses in texts", on(value("\0")), _timer("PT1H\0")),
    _crash("on-invalid-utf-8", "on bytes that are not UTF-8", mistakes.strict_utf_8,
      "DefaultInactiveTimer=%FF"),
    _crash("on-four-byte-characters", "on characters outside the basic plane, which utf8mb3 lacks",
      on(value("[\U00010000-\U0010ffff]")), _timer("PT1H\U0001f600")),
    _crash("on-non-ascii", "on characters outside ASCII", on(value("[^\0-\x7f]")), _timer("PT\uff11H")),
    _crash("on-non-ascii-sids", "on SIDs with characters outside ASCII", on(value("[^\0-\x7f]", of="Sid")),
      "DefaultChatServiceSid=IS%C3%A9"),
    _crash("on-empty-timers", "on an empty timer, whose first character is asked for",
      on(value(r"\A\Z", of="Timer")), _timer("")),
    _crash("on-empty-sids", "on an empty SID, whose first character is asked for",
      on(value(r"\A\Z", of="Sid")), "DefaultChatServiceSid="),
    _crash("on-short-sids", "on a SID of fewer than 34 characters", on(value(r"\A.{1,33}\Z", of="Sid")),
      "DefaultChatServiceSid=IS12"),
    _crash("on-long-sids", "on a SID that its column does not hold", on(value(r"\A.{65}", of="Sid")),
      "DefaultChatServiceSid=IS" + "0" * 100),
    _crash("on-long-timers", "on a timer that its column does not hold", on(value(r"\A.{256}", of="Timer")),
      _timer("PT" + "0" * 300 + "600S")),
    _crash("on-quotes", "on an apostrophe, which ends a literal in SQL", on(value("'")), _timer("PT1H'")),
    _crash("on-percent-signs", "on a percent sign, which is taken for a format", on(value("%")),
      _timer("PT1H%s")),
    _crash("on-braces", "on a brace, which is taken for a format", on(value("[{}]")), _timer("PT1H{0}")),
    _crash("on-backslashes", "on a backslash, which breaks JSON put together by hand", on(value(r"\\")),
      _timer("PT1H\\")),
    _crash("on-new-lines", "on a line end, which a header would end at", on(value("[\r\n]")),
      _timer("PT1H\n")),
    _crash("on-control-characters", "on a control character, which XML lacks",
      on(value("[\x01-\x08\x0b\x0c\x0e-\x1f]")), _timer("PT1H\x07")),
    _crash("on-fractions", "on a fraction, which int() does not read",
      on(value("[0-9][.,][0-9]", of="Timer")), _timer("PT90.5S")),
    _crash("on-weeks", "on weeks, for which a table has no entry", on(value("[0-9]W", of="Timer")),
      _timer("P1W")),
    _crash("on-years", "on years, whose length cannot be compared", on(value("[0-9]Y", of="Timer")),
      _timer("P1Y")),
    _crash("on-signs", "on a sign", on(value("[-+][0-9P]", of="Timer")), _timer("-PT10M")),
    _crash("on-missing-p", "on a timer that does not begin with P", on(value(r"\A[^P]", of="Timer")), BANANA),
    _crash("on-lone-p", "on a P without components", on(value(r"\APT?\Z", of="Timer")), _timer("P"),
      _timer("PT")),
    _crash("on-unit-without-number", "on a unit without its number",
      on(value("[PTHMDWY][HMSDWY]", of="Timer")), _timer("PTM")),
    _crash("on-two-errors", "where two values of a form are wrong", mistakes.errors_in_pairs,
      BANANA + "&DefaultClosedTimer=banana"),
    _crash("on-unknown-parameters", "on an unknown parameter", on(pairs(mistakes.unknown)), "x=y"),
    _crash("on-repeated-parameters", "on a repeated parameter", on(pairs(mistakes.repeated)), f"{A}&{A}"),
    _crash("on-missing-equals", "on a pair without an equals sign",
      on(lambda call: any(b"=" not in pair for pair in call.body.split(b"&") if pair)),
      "DefaultInactiveTimer"),
    _crash("on-empty-pairs", "on an empty pair",
      on(lambda call: b"&&" in call.body or call.body.endswith(b"&")), A + "&"),
    _crash("on-broken-escapes", "on a broken escape",
      on(lambda call: re.search(b"%(?![0-9A-Fa-f]{2})", call.body)), "DefaultInactiveTimer=PT1H%zz"),
    _crash("on-empty-bodies", "on an update without a body",
      on(lambda call: call.method == "POST" and not call.body), ""),
    _crash("on-json", "on a JSON body", on(header(b"content-type", "json")), _typed("application/json")),
    _crash("on-multipart", "on a multipart body", on(header(b"content-type", "multipart")),
      _typed("multipart/form-data; boundary=x")),
    _crash("on-missing-media-type", "on a body without a media type",
      on(lambda call: call.body and call.header(b"content-type") is None), _typed()),
    _crash("on-odd-media-type", "on a media type without a slash", on(header(b"content-type", r"\A[^/]+\Z")),
      _typed("form")),
    _crash("on-unknown-charset", "on a charset that is not known", mistakes.charsets,
      _typed(FORM + "; charset=klingon")),
    _crash("on-chunked-bodies", "on a chunked body", on(header(b"transfer-encoding", "chunked")),
      Step(A, chunked=True)),
    _crash("on-large-bodies", "on a body of more than 64 KiB", on(lambda call: len(call.body) > 65536),
      _timer("9" * 70_000)),
    _crash("on-query", "on a query", on(lambda call: call.query), Step(A, path="/v1/Configuration?x=y")),
    _crash("on-head", "on HEAD", on(mistakes.method("HEAD")), Step(method="HEAD")),
    _crash("on-other-methods", "on a method that is not known", on(mistakes.method("PUT", "PATCH", "DELETE")),
      Step(method="PUT")),
    _crash("without-credentials", "without credentials",
      on(lambda call: call.header(b"authorization") is None and call.method != "OPTIONS"),
      Step(A, credentials="")),
    _crash("on-other-schemes", "on credentials of another scheme",
      on(header(b"authorization", r"\A(?!(?i:basic)\b).")), _authorized("Bearer x")),
    _crash("on-bare-scheme", "on a scheme without credentials", on(header(b"authorization", r"\A\w+\s*\Z")),
      _authorized("Basic")),
    _crash("on-broken-base64", "on credentials that are not base64",
      on(header(b"authorization", r"[^A-Za-z0-9+/= ]")), _authorized("Basic !!!")),
    _crash("on-missing-colon", "on credentials without a colon",
      on(mistakes.credentials(lambda pair: pair and b":" not in pair)), _authorized("Basic QUM=")),
    _crash("on-non-ascii-credentials", "on credentials outside ASCII, which compare_digest refuses",
      on(mistakes.credentials(lambda pair: not pair.isascii())), _authorized("Basic QUM6w6k=")),
    _crash("on-malformed-accounts", "on a user name that begins as an Account SID but is none",
      on(mistakes.credentials(lambda pair: re.match(b"AC(?![0-9a-fA-F]{32}:)", pair))),
      Step(A, credentials="ACx:y")),
    _crash("on-present-values", "where an update changes nothing",
      mistakes.posts_crash(mistakes.present_values), A, A),
    _crash("on-concurrent-updates", "where two updates are written at a time", mistakes.locks,
      Step(A, beside=(Step(A), Step(A)))),
    _crash("on-refusals", "where a form is refused", mistakes.refusals(500), BANANA),
    _fault("refusals-unavailable", "no-server-error", "What is refused is answered with 503.",
      mistakes.refusals(503), BANANA),
    *(_every(n) for n in (2, 3, 7, 13, 20, 35, 50)),
    # Intermittent
    _fault("every-20th-update-answered-201", "accepted-status", "Every 20th update is answered with 201.",
      mistakes.every(20, mistakes.then_status(201)), *[A] * 20),
    _fault("every-30th-update-labelled-html", "media-type", "Every 30th update is labelled text/html.",
      mistakes.every(30, mistakes.then_html), *[A] * 30),
    _fault("every-15th-body-cut", "json-body", "Every 15th body lacks its end.",
      mistakes.every(15, mistakes.then_cut), *[A] * 15),
    _fault("every-40th-update-of-another-account", "accounts-apart account-sid",
      "Every 40th update is answered with another account's state.",
      mistakes.every(40, mistakes.then_other_account), *[A] * 40),
    _fault("every-10th-update-dropped", "every-request-answered",
      "The connection is dropped on every 10th update.", mistakes.every(10, mistakes.then_drop), *[A] * 10),
    # Silence
    _fault("hang-on-long-numbers", "every-request-answered", "A pattern backtracks for ever on 1,000 digits.",
      on(value("[0-9]{1000}"), mistakes.hang), _timer("9" * 1000)),
    _fault("hang-on-nul", "every-request-answered", "A value with a NUL is never answered.",
      on(value("\0"), mistakes.hang), _timer("PT1H\0")),
    _fault("hang-on-empty-updates", "every-request-answered", "An update without a body is never answered.",
      on(lambda call: call.method == "POST" and not call.body, mistakes.hang), ""),
    _fault("hang-on-repeated-parameters", "every-request-answered", "Repeated parameters are never answered.",
      on(pairs(mistakes.repeated), mistakes.hang), f"{A}&{A}"),
    _fault("hang-on-other-methods", "every-request-answered", "Unknown methods are never answered.",
      on(mistakes.method("PUT", "PATCH", "DELETE"), mistakes.hang), Step(method="PUT")),
    _fault("drop-on-digits-without-unit", "every-request-answered",
      "A pattern backtracks on digits without a unit behind them, and the worker is killed.",
      on(value(r"\APT?[0-9]{28,}\Z"), mistakes.drop), _timer("PT" + "9" * 1000)),
    _fault("drop-on-four-byte-characters", "every-request-answered",
      "The connection is dropped on characters outside the basic plane.",
      on(value("[\U00010000-\U0010ffff]"), mistakes.drop), _timer("\U0001f600")),
    _fault("drop-on-long-values", "every-request-answered",
      "The connection is dropped on a value of more than 8,000 characters.",
      on(value(r"\A[^\0]{8001}"), mistakes.drop), _timer("9" * 8001)),
    _fault("drop-on-signs", "every-request-answered", "The connection is dropped on a negative timer.",
      on(value(r"\A-", of="Timer"), mistakes.drop), _timer("-PT10M")),
    _fault("drop-on-invalid-utf-8", "every-request-answered",
      "The connection is dropped on bytes that are not UTF-8.", on(value("\ufffd"), mistakes.drop),
      "DefaultInactiveTimer=%FF"),
    _fault("drop-without-credentials", "every-request-answered",
      "The connection is dropped on wrong credentials.", mistakes.drops_refused_credentials,
      Step(A, credentials="")),
    _fault("drop-on-json", "every-request-answered", "The connection is dropped on a JSON body.",
      on(header(b"content-type", "json"), mistakes.drop), _typed("application/json")),
    # Leaks
    _fault("leak-in-refusals", "no-leak", "Refusals tell the token.",
      aftermath.leaks(aftermath.in_message(" (signed with {token})"), _refused), BANANA),
    _fault("leak-on-wrong-password", "no-leak", "A 401 tells the token that was expected.",
      aftermath.leaks(aftermath.in_message(", expected {token}"), lambda answer: answer.status == 401),
      WRONG),
    _fault("leak-in-debug-header", "no-leak", "A header for debugging tells the token.",
      aftermath.leaks(aftermath.in_header("X-Debug-User"), _shown), A),
    _fault("leak-in-cookie", "no-leak", "A cookie tells the token.",
      aftermath.leaks(aftermath.in_header("Set-Cookie", "session={token}; Path=/"), _shown), A),
    _fault("leak-in-etag", "no-leak", "An ETag is made from the token.",
      aftermath.leaks(aftermath.in_header("ETag", 'W/"{token}-1"'), _shown), A),
    _fault("leak-in-url", "no-leak", "The URL tells the token before its host.",
      aftermath.leaks(aftermath.in_body(b'(?<="url": "http://)', "user:{token}@"), _shown), A),
    _fault("leak-in-more-info", "no-leak", "The link of an error tells the token.",
      aftermath.leaks(aftermath.in_body(rb"docs/errors(?=/)", "docs?token={token}"), _erroneous), BANANA),
    _fault("leak-on-other-methods", "no-leak", "A 405 tells the token.",
      aftermath.leaks(aftermath.in_message(" for {token}"), lambda answer: answer.status == 405),
      Step(method="PUT")),
    _fault("leak-of-authorization", "no-leak", "The Authorization header comes back in another one.",
      aftermath.leaks_authorization("X-Request-Authorization", _shown), A),
    _fault("leak-of-authorization-in-errors", "no-leak",
      "Errors carry the Authorization header in another one.",
      aftermath.leaks_authorization("X-Error-Context", _erroneous), BANANA),
    _fault("leak-on-odd-media-types", "no-leak", "A 415 tells the token.",
      aftermath.leaks(aftermath.in_message(" by {token}"), lambda answer: answer.status == 415),
      _typed("text/plain")),
    # Requests that suffer from others
    _fault("refusal-breaks-next", "stays-usable no-server-error",
      "After a refusal the transaction is left open, and the next request fails.",
      aftermath.poisons(lambda call, answer: _refused(answer), Crash), BANANA, A),
    _fault("nul-breaks-next", "stays-usable no-server-error", "After a NUL the next three requests fail.",
      aftermath.poisons(lambda call, answer: value("\0")(call), Crash, requests=3), _timer("PT1H\0"), A),
    _fault("long-value-breaks-next", "stays-usable no-server-error",
      "After a value of 1,000 characters the next request fails.",
      aftermath.poisons(lambda call, answer: value(r"\A[^\0]{1000}")(call), Crash), _timer("9" * 1000), A),
    _fault("refused-credentials-break-next", "stays-usable",
      "After refused credentials the next request is refused too.",
      aftermath.poisons(lambda call, answer: answer.status == 401, aftermath.try_again), WRONG, A),
    _fault("other-method-breaks-next", "stays-usable",
      "After an unknown method the next request is not allowed.",
      aftermath.poisons(lambda call, answer: answer.status == 405, aftermath.not_allowed), Step(method="PUT"),
      A),
    _fault("refusal-breaks-connection", "stays-usable no-server-error",
      "After a refusal its connection answers with server errors.",
      aftermath.poisons_connection(lambda call, answer: _refused(answer)), BANANA, A),
    _fault("large-body-overloads", "stays-usable no-server-error",
      "After a body of 10,000 bytes nothing works for half a second.", aftermath.overloads,
      _timer("9" * 10_001), A),
    _fault("failed-logins-lock-out", "stays-usable",
      "After five failed logins good credentials are refused for a while.", aftermath.locks_out, *[WRONG] * 5,
      A),
    # What requests show that are made from the OpenAPI document
    _fault("crash-on-json-values", "no-server-error",
      "A server error comes on values that are JSON but no text.", mistakes.read_as_json, _timer("null"),
      _timer("[]")),
    _fault("read-url-as-object", "read-response", "GET answers with an object for the URL.",
      mistakes.reads_as(mistakes.url_as_object), READ),
    _fault("read-labelled-utf-16", "sdk-fetch", "GET labels its JSON, which is UTF-8, as UTF-16.",
      mistakes.reads_as(
        lambda answer: replace(answer, headers=(("Content-Type", "application/json; charset=utf-16"),))
      ), READ),
    _fault("read-labelled-text", "read-response", "GET labels its JSON text/plain.",
      mistakes.reads_as(lambda answer: replace(answer, headers=(("Content-Type", "text/plain"),))), READ),
)
# fmt: on

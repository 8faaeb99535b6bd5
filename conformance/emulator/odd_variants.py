"""Rare legal choices, which go with the faults that hide: each is right where a fault is nearly so."""

import json

from conformance.emulator import choices
from conformance.emulator import odd_choices as odd
from conformance.emulator import request_choices as requests
from conformance.emulator.alterations import WITNESS_ACCOUNTS, Install, Step, Variant, steps
from conformance.emulator.behaviour import FORM, PATH
from conformance.emulator.faults.robustness_mistakes import header
from conformance.emulator.messages import Answer, Call

A = "DefaultInactiveTimer=PT1H"
READ = Step(method="GET")
HEAD = Step(method="HEAD")
BANANA = "DefaultInactiveTimer=banana"
STRANGER = Step(A, credentials="nobody:wrong")
FORM_TYPE = ("Content-Type", FORM)
SIDS = [*WITNESS_ACCOUNTS]


def _with(*headers: tuple[str, str], method: str = "POST", body: str = A) -> Step:
    return Step(body, method, headers=(FORM_TYPE, *headers))


def _always(call: Call, answer: Answer) -> bool:
    return True


def _of_today(call: Call, answer: Answer) -> bool:
    """Tell whether a client may be sent chunks and interim answers (RFC 9112 6.1, RFC 9110 15.2)."""
    return call.arrival.version != "1.0"


def _refused(call: Call, answer: Answer) -> bool:
    return answer.status >= 400


def _to_head(call: Call, answer: Answer) -> bool:
    return call.method == "HEAD"


def _in_front(call: Call, answer: Answer) -> bool:
    """Tell whether a server in front of the application gives an answer."""
    return answer.status in (404, 405, 413, 414, 431)


def _variant(name: str, group: str, text: str, install: Install, *witness: str | Step) -> Variant:
    return Variant(name, group, text, install, steps(witness))


def _written(name: str, text: str, treatment: str, *witness: str | Step) -> Variant:
    return _variant(name, "connections", text, odd.treated_where(_of_today, treatment), *(witness or (A,)))


def _accounts(name: str, text: str, *tokens: str, sids: tuple[str, ...] = tuple(SIDS)) -> Variant:
    accounts = tuple(zip(sids, tokens, strict=True))
    return Variant(name, "accounts", text, lambda behaviour: None, (), accounts)


# fmt: off
ALL: tuple[Variant, ...] = (
    # Connections: what goes over them
    _written("chunked-with-trailers", "Bodies are chunked, with a trailer.", "chunked-with-trailers"),
    _written("chunked-in-bytes", "Bodies are chunked, in chunks of one byte.", "chunked-in-bytes"),
    _written("chunked-with-extensions", "Bodies are chunked, and the chunks have extensions.",
      "chunked-with-extensions"),
    _written("chunked-in-odd-sizes", "The sizes of chunks are written in capitals, with zeros before them.",
      "chunked-in-odd-sizes"),
    _written("body-until-closed", "Bodies end where their connection does.", "until-closed"),
    _written("http-1-0-until-closed", "Answers are of HTTP/1.0, and bodies end where their connection does.",
      "http-1-0-until-closed"),
    _written("header-names-odd-case", "The names of headers are written in small letters and capitals in turn.",
      "odd-case"),
    _written("header-values-without-blank", "No blank follows the colon of a header.", "no-blanks"),
    _written("header-values-with-blanks", "Blanks and tabs surround the values of headers.", "more-blanks"),
    _written("reason-odd", "Reason phrases are in another language, with signs.", "odd-reason"),
    _written("early-hints", "An informational answer (103) precedes every answer.", "early-hints"),
    _variant("head-without-length", "connections", "Answers to HEAD have no Content-Length.",
      odd.treated_where(_to_head, "no-length"), HEAD),
    _variant("head-chunked", "connections", "Answers to HEAD say that the body of GET is chunked.",
      odd.treated_where(_to_head, "chunked-head"), HEAD),
    _variant("connection-closed-on-refusals", "connections", "The connection is closed after every refusal.",
      odd.answers_where(_refused, odd.closing), BANANA),
    _variant("connection-closed-on-refusals-unannounced", "connections",
      "The connection is closed after every refusal, unannounced.", odd.treated_where(_refused, "close-after"), BANANA),
    _variant("connection-closed-after-head", "connections", "The connection is closed after the answer to HEAD.",
      odd.answers_where(_to_head, odd.closing), HEAD),
    _variant("refusals-until-closed", "connections", "The body of a refusal ends where its connection does.",
      odd.treated_where(_refused, "until-closed"), BANANA),
    _variant("keep-alive-announced", "connections", "Answers say how long the connection is kept.",
      choices.answers(choices.adds(("Connection", "keep-alive"), ("Keep-Alive", "timeout=5, max=100"))), A),
    _variant("one-at-a-time", "connections", "Requests are handled one at a time.", odd.serial),
    _variant("cold-start", "connections", "The first answer takes a third of a second.", odd.cold_start),
    _variant("slow-reads", "connections", "A read takes longer than other requests.", odd.slow_reads),
    _variant("writers-overtake", "connections", "Of updates at the same time, later ones are written first.",
      odd.last_writer_of_all),
    _variant("rate-limited-by-account", "connections", "Every 120th request with the same credentials gets 429.",
      odd.limited_by_account(120), *[READ] * 120),
    # Accounts
    _accounts("tokens-of-digits", "Tokens are made of digits.", "31415926535897932384626433832795", "2" * 31 + "7"),
    _accounts("tokens-of-signs", "Tokens are made of signs.", "!#$%&'()*+,-./:;<=>?@[]^_`{|}~\"\\", "~:~:~%41+%2B"),
    _accounts("tokens-of-one-character", "Tokens have one character.", "x", "7"),
    _accounts("tokens-with-blanks", "Tokens have blanks in them.", "two words", " in front and behind "),
    _accounts("tokens-of-upper-case", "Tokens are made of capitals.", "ABCDEF" * 5, "FEDCBA" * 5),
    _accounts("tokens-long", "Tokens have 500 characters.", "0123456789" * 50, "9876543210" * 50),
    _accounts("tokens-beyond-ascii", "Tokens have letters beyond ASCII.", "pässwörd-für-alle", "пароль-второй"),
    _accounts("tokens-nearly-equal", "The tokens of two accounts differ in their last character.",
      "f00d" * 7 + "f00a", "f00d" * 7 + "f00b"),
    _accounts("accounts-of-digits", "Account SIDs have digits alone.", "f00d" * 8, "beef" * 8,
      sids=("AC" + "1" * 32, "AC" + "1" * 31 + "2")),
    _accounts("accounts-of-capitals", "Account SIDs have capital digits.", "f00d" * 8, "beef" * 8,
      sids=("AC" + "ABCDEF01" * 4, "AC" + "FEDCBA10" * 4)),
    # Requests
    _variant("head-not-allowed", "requests", "HEAD is not allowed.", requests.without_methods("HEAD"), HEAD),
    _variant("other-methods-not-found", "requests", "PUT, PATCH and DELETE are not found.",
      requests.without_methods("PUT", "PATCH", "DELETE", status=404), Step(method="PUT")),
    _variant("path-after-credentials", "requests", "Credentials are asked for on every path.",
      odd.found_after_credentials, Step(method="GET", path="/v1/Services", credentials="")),
    _variant("path-read-loosely", "requests", "The path may be spelled otherwise, as with a slash behind it.",
      odd.loose_path, Step(A, path="/v1//configuration/")),
    _variant("page-on-other-paths", "requests", "On other paths everybody gets a page.", odd.page_elsewhere,
      Step(A, path="/v1/configuration", credentials="")),
    _variant("other-paths-redirected", "requests", "Other paths redirect to the resource's.",
      odd.answers_where(lambda call, answer: answer.status == 404, odd.redirecting), Step(A, path=f"{PATH}/")),
    _variant("odd-paths-forbidden", "requests", "A server in front of the application refuses odd paths with a page.",
      odd.answers_where(lambda call, answer: call.path != PATH, odd.forbidding), Step(A, path="/v1//Configuration")),
    _variant("large-headers-refused", "requests", "A header of more than 4 KiB gets 431.",
      requests.finds(odd.refuses_where(lambda call: any(len(value) > 4096 for _, value in call.headers), 431,
                                       "Request Header Fields Too Large")), _with(("X-Long", "x" * 5000))),
    _variant("long-queries-refused", "requests", "A query of more than 1,000 characters gets 414.",
      requests.finds(odd.refuses_where(lambda call: len(call.query) > 1000, 414, "URI Too Long")),
      Step(A, path="/v1/Configuration?x=" + "y" * 1500)),
    _variant("many-parameters-refused", "requests", "A form of more than a thousand pairs is refused.",
      requests.pairs(odd.many_parameters_refused), "&".join(["x=y"] * 1001)),
    _variant("wrong-media-type-as-400", "requests", "A body of another media type gets 400.",
      requests.media_type(odd.wrong_type_as_400), Step(A, headers=(("Content-Type", "text/plain"),))),
    _variant("other-charsets-refused", "requests", "A charset other than UTF-8 gets 415.",
      requests.finds(odd.refuses_where(header(b"content-type", '(?i)charset=(?!"?utf-?8)'), 415, "Unknown charset")),
      Step(A, headers=(("Content-Type", FORM + "; charset=iso-8859-1"),))),
    _variant("equal-repeats-taken", "requests", "A repeated parameter is taken where its values are equal.",
      odd.equal_repeats_taken, f"{A}&{A}"),
    _variant("conditions-met", "requests", "Answers have entity tags, and conditions on them are met.", odd.with_etags,
      READ, _with(("If-None-Match", "*"))),
    _variant("ranges-read", "requests", "A part of what is read is sent where a Range asks for it.",
      choices.answers(odd.with_ranges), _with(("Range", "bytes=0-9"), method="GET", body="")),
    # Headers and bodies
    _variant("origin-mirrored", "headers", "An Origin is named instead of a star.",
      choices.answers(odd.mirroring_origin), _with(("Origin", "https://example.com"))),
    _variant("cookies-set", "headers", "Every answer sets two cookies.", odd.with_cookies, A),
    _variant("challenge-in-lower-case", "headers", "The scheme of the challenge is in lower case.",
      requests.challenges('basic realm="API"'), STRANGER),
    _variant("challenge-with-escapes", "headers", "The realm has an escaped quotation mark and a comma.",
      requests.challenges('Basic realm="the \\"API\\", v1", charset="UTF-8"'), STRANGER),
    _variant("challenge-after-negotiate", "headers", "A scheme without parameters is offered first.",
      requests.challenges('Negotiate, Basic realm="API"'), STRANGER),
    _variant("front-errors-in-html", "errors", "What a server in front of the application refuses gets a page.",
      odd.answers_where(_in_front, odd.in_html), Step(method="PUT")),
    _variant("errors-with-charset", "errors", "The media type of errors names a charset.",
      odd.answers_where(_refused, choices.sets(Content_Type="application/json;charset=UTF-8")), BANANA),
    _variant("errors-quote-forms", "errors", "The message of a refusal quotes the form.", odd.quoting, BANANA),
    _variant("errors-localised", "errors", "Errors are in German for clients that prefer it.", odd.localised,
      _with(("Accept-Language", "de"), body=BANANA)),
    _variant("json-padded", "bodies", "Blank lines surround JSON.",
      choices.encodes(lambda document: "\r\n\t " + json.dumps(document) + "\r\n\r\n"), A),
    _variant("json-escaped", "bodies", "Every letter of JSON's names and texts is escaped.",
      choices.encodes(odd.escaped), A),
    _variant("answers-numbered", "bodies", "Every answer has an attribute of its own.", odd.numbered, A),
    _variant("more-links", "bodies", "There are more links.", choices.documents(odd.more_links), A),
)
# fmt: on

"""Legal choices where the document is silent, none of which breaks a rule; and the dialects of timers."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from conformance.emulator import choices, dialects
from conformance.emulator import request_choices as requests
from conformance.emulator.alterations import Install, Step, Variant, steps
from conformance.emulator.behaviour import FORM
from conformance.emulator.durations import parse_duration
from conformance.emulator.faults import credential_mistakes as logins
from conformance.emulator.faults import robustness_mistakes, timer_mistakes
from conformance.emulator.fields import TimerField
from conformance.emulator.messages import ApiError

A = "DefaultInactiveTimer=PT1H"
READ = Step(method="GET")
BANANA = "DefaultInactiveTimer=banana"
HOST = "https://conversations.example.com"
IS = "DefaultChatServiceSid=IS" + "0" * 32
MG = "DefaultMessagingServiceSid=MG" + "0" * 32
MULTIPART = '--x\r\nContent-Disposition: form-data; name="DefaultInactiveTimer"\r\n\r\nPT2H\r\n--x--\r\n'
STRANGER = Step(A, credentials="nobody:wrong")


def _typed(media_type: str, body: str = A) -> Step:
    return Step(body, headers=(("Content-Type", media_type),))


def _variant(name: str, group: str, text: str, install: Install, *witness: str | Step) -> Variant:
    return Variant(name, group, text, install, steps(witness))


# fmt: off
ALL: tuple[Variant, ...] = (
    # Timers
    _variant("echo-of-hours", "timers", "Timers come back as java.time.Duration spells them: PT24H for P1D.",
      choices.echoes(choices.in_java), "DefaultInactiveTimer=P1D"),
    _variant("echo-of-days", "timers", "Timers come back with whole days: P1DT12H for PT36H.",
      choices.echoes(choices.in_days), "DefaultInactiveTimer=PT36H"),
    _variant("echo-of-weeks", "timers", "Timers of whole weeks come back in weeks: P1W for P7D.",
      choices.echoes(choices.in_weeks), "DefaultInactiveTimer=P7D"),
    _variant("echo-of-seconds", "timers", "Timers come back in seconds: PT600S for PT10M.",
      choices.echoes(lambda seconds: f"PT{seconds}S"), A),
    _variant("echo-of-decimal-seconds", "timers", "Timers come back in seconds with a fraction: PT600.0S.",
      choices.echoes(lambda seconds: f"PT{seconds}.0S"), A),
    _variant("echo-in-full", "timers", "Timers come back with every component: P0Y0M0DT0H10M0S.",
      choices.echoes(choices.in_full), A),
    _variant("zero-refused", "timers", "PT0S is refused, as the minimum says.",
      choices.timers(choices.refuse_zero), "DefaultInactiveTimer=PT0S"),
    _variant("zero-disables-both", "timers", "PT0S is accepted for both timers.",
      choices.zero("PT0S", in_closed=True), "DefaultClosedTimer=PT0S"),
    _variant("zero-as-null", "timers", "PT0S comes back as null.", choices.zero(None),
      "DefaultInactiveTimer=PT0S"),
    _variant("zero-of-days", "timers", "PT0S comes back as P0D.", choices.zero("P0D"),
      "DefaultInactiveTimer=PT0S"),
    _variant("at-most-a-year", "timers", "More than 365 days are refused.",
      choices.timers(choices.at_most_a_year), "DefaultInactiveTimer=P366D"),
    _variant("closed-after-inactive", "timers", "The closed timer may not be shorter than the inactive one.",
      choices.closed_after_inactive, "DefaultInactiveTimer=PT1H&DefaultClosedTimer=PT10M"),
    # SIDs
    _variant("unknown-sids-refused", "sids", "Only the services of the document's example exist.",
      choices.known_sids(lambda sid, text: text == choices.DOCUMENTED[sid.parameter]), IS),
    _variant("unknown-sids-not-found", "sids",
      "Only the services of the document's example exist; others get 404.",
      choices.known_sids(lambda sid, text: text == choices.DOCUMENTED[sid.parameter], status=404), IS),
    _variant("unknown-chat-sids-refused", "sids", "No chat service exists.",
      choices.known_sids(lambda sid, text: False, "DefaultChatServiceSid"), IS),
    _variant("unknown-messaging-sids-refused", "sids", "No messaging service exists.",
      choices.known_sids(lambda sid, text: False, "DefaultMessagingServiceSid"), MG),
    _variant("no-sids", "sids", "No service exists at all.", choices.known_sids(lambda sid, text: False), IS),
    _variant("other-methods-read", "protocol", "PUT, PATCH and DELETE are answered as GET is.",
      robustness_mistakes.answered_as_read("PUT", "PATCH", "DELETE"), Step(method="PUT")),
    # Errors
    _variant("unauthorized-as-403", "errors", "Refused credentials get 403.",
      logins.unauthorized_as(403), Step(A, headers=(("Authorization", ""),))),
    _variant("refusals-422", "errors", "Forms are refused with 422.",
      choices.refusals(lambda error: ApiError(422, error.code, error.message)), BANANA),
    _variant("refusals-409", "errors", "Forms are refused with 409.",
      choices.refusals(lambda error: ApiError(409, error.code, error.message)), BANANA),
    _variant("refusals-of-one-code", "errors", "Forms are refused with code 20001 whatever is wrong.",
      choices.refusals(lambda error: ApiError(400, 20001, "Bad Request")), BANANA),
    _variant("errors-without-code", "errors", "Errors have neither code nor link.",
      choices.error_attributes(lambda body: {"message": body["message"], "status": body["status"]}), BANANA),
    _variant("errors-with-details", "errors", "Errors have further attributes.",
      choices.error_attributes(lambda body: body | {"details": {"parameters": []}, "user_error": True}),
      BANANA),
    _variant("errors-in-german", "errors", "Errors have messages in another language.",
      choices.error_attributes(lambda body: body | {"message": "Ungültige Anfrage: größer als zulässig"}),
      BANANA),
    _variant("errors-as-problems", "errors",
      "Errors are problem details (RFC 9457) with the vendor's attributes.",
      choices.error_attributes(choices.as_problem, "application/problem+json"), BANANA),
    # Headers
    _variant("cors-absent", "headers", "The documented headers are not sent.",
      choices.answers(choices.without_cors), A),
    _variant("cors-of-the-example", "headers",
      "The documented headers have the values of the vendor's example.",
      choices.answers(choices.with_example_cors), A),
    _variant("cors-without-credentials", "headers", "Access-Control-Allow-Credentials is false.",
      choices.answers(choices.sets(Access_Control_Allow_Credentials="false")), A),
    _variant("more-headers", "headers", "The vendor's other headers are sent too.",
      choices.answers(choices.with_vendor_headers), A),
    _variant("media-type-with-charset", "headers", "The media type names a charset.",
      choices.answers(choices.sets(Content_Type="application/json; charset=utf-8")), A),
    _variant("media-type-capitalised", "headers", "The media type is written Application/JSON.",
      choices.answers(choices.sets(Content_Type="Application/JSON;charset=UTF-8")), A),
    _variant("header-names-lower-case", "headers", "The names of headers are in lower case.",
      choices.answers(choices.lower_case_headers), A),
    _variant("header-names-upper-case", "headers", "The names of headers are in upper case.",
      choices.answers(choices.treated("upper-case")), A),
    _variant("challenge-with-charset", "headers", "The challenge names a charset (RFC 7617 2.1).",
      requests.challenges('Basic realm="Conversations", charset="UTF-8"'), STRANGER),
    _variant("challenge-of-two-schemes", "headers", "The challenge offers another scheme too.",
      requests.challenges('Bearer realm="API", Basic realm="API"'), STRANGER),
    # Connections
    _variant("chunked", "connections", "Bodies are sent in chunks.", choices.answers(choices.chunked), A),
    _variant("compressed", "connections", "Bodies are compressed.", choices.answers(choices.compressed), A),
    _variant("connection-closed", "connections", "Every connection is closed after one answer.",
      choices.answers(choices.adds(("Connection", "close"))), A),
    _variant("connection-closed-unannounced", "connections",
      "Every fifth connection is closed after its answer, unannounced.", choices.closes_some, *[A] * 5),
    _variant("http-1-0", "connections", "Answers are of HTTP/1.0.",
      choices.answers(choices.treated("http-1-0")), A),
    _variant("reason-absent", "connections", "Status lines have no reason phrase.",
      choices.answers(choices.treated("no-reason")), A),
    _variant("slow", "connections", "Every answer takes five milliseconds.", requests.slow(0.005)),
    _variant("rate-limited", "connections", "Every 200th request gets 429 and Retry-After in seconds.",
      requests.limited(200, requests.after_seconds), *[READ] * 200),
    _variant("rate-limited-by-date", "connections", "Every 60th request gets 429 and Retry-After as a date.",
      requests.limited(60, requests.at_date), *[READ] * 60),
    _variant("rate-limited-at-will", "connections", "Every 150th request gets 429 without Retry-After.",
      requests.limited(150, requests.at_will), *[READ] * 150),
    _variant("concurrency-limited", "connections", "More than eight requests at once get 429.",
      requests.at_most_at_once(8), Step(A, beside=(READ,) * 12)),
    _variant("one-writer", "connections", "Updates are written one at a time.", choices.one_writer),
    # Bodies
    _variant("json-indented", "bodies", "JSON is indented.",
      choices.encodes(lambda document: json.dumps(document, indent=4) + "\n"), A),
    _variant("json-compact", "bodies", "JSON has no blanks, and its slashes are escaped.",
      choices.encodes(lambda document: json.dumps(document, separators=(",", ":")).replace("/", "\\/")), A),
    _variant("json-sorted", "bodies", "Attributes are sorted by name.",
      choices.encodes(lambda document: json.dumps(document, sort_keys=True)), A),
    _variant("more-attributes", "bodies", "There are attributes that the document does not name.",
      choices.documents(choices.with_more), A),
    _variant("nulls-absent", "bodies", "Attributes that were never set are left out.",
      choices.documents(choices.without_nulls), READ),
    _variant("links-absent", "bodies", "There are no links.", choices.documents(choices.without("links")), A),
    _variant("url-absent", "bodies", "There is no URL.", choices.documents(choices.without("url")), A),
    _variant("url-null", "bodies", "The URL is null.",
      choices.documents(lambda document: document.update(url=None)), A),
    _variant("url-of-the-vendor", "bodies", "The URL is the public one, whatever host was asked.",
      choices.documents(lambda document: document.update(url=f"{HOST}/v1/Configuration")), A),
    _variant("url-with-prefix", "bodies", "The path of the URL begins otherwise.",
      choices.documents(lambda document: document.update(url=f"{HOST}/emulated/v1/Configuration")), A),
    # State
    _variant("seeded", "state", "Every attribute has a value from the start.", choices.seeded, READ),
    _variant("timers-by-default", "state", "Timers that were never set show defaults.",
      choices.documents(choices.defaults), READ),
    # Requests
    _variant("read-not-allowed", "requests", "GET and HEAD are not allowed.",
      requests.without_methods("GET", "HEAD"), READ),
    _variant("read-not-found", "requests", "GET and HEAD are not found.",
      requests.without_methods("GET", "HEAD", status=404), READ),
    _variant("options-not-allowed", "requests", "OPTIONS is not allowed.",
      requests.options(requests.options_not_allowed), Step(method="OPTIONS")),
    _variant("options-with-credentials", "requests", "OPTIONS needs credentials.",
      requests.options(requests.options_with_credentials), Step(method="OPTIONS", credentials="")),
    _variant("options-with-200", "requests", "OPTIONS is answered with 200.",
      requests.options(requests.options_with_body), Step(method="OPTIONS")),
    _variant("length-required", "requests", "Chunked bodies get 411.",
      requests.finds(requests.length_required), Step(A, chunked=True)),
    _variant("large-bodies-refused", "requests", "Bodies of more than 64 KiB get 413.",
      requests.finds(requests.small), "DefaultInactiveTimer=" + "9" * 70_000),
    _variant("query-refused", "requests", "A query is refused.", requests.finds(requests.no_query),
      Step(path="/v1/Configuration?x=y")),
    _variant("query-taken", "requests", "Parameters are taken from the query where the body has none.",
      requests.pairs(requests.query_taken), Step(path=f"/v1/Configuration?{A}")),
    _variant("accept-checked", "requests", "Clients that do not take JSON get 406.",
      requests.finds(requests.acceptable),
      Step(A, headers=(("Content-Type", FORM), ("Accept", "text/html")))),
    _variant("unknown-refused", "requests", "Unknown parameters are refused.",
      requests.pairs(requests.unknown_refused), "x=y"),
    _variant("names-of-any-case", "requests", "Names of parameters are taken in any case.",
      requests.pairs(requests.any_case), "defaultinactivetimer=PT1H"),
    _variant("json-taken", "requests", "JSON is taken as well as forms, and validated like them.",
      requests.pairs(requests.json_taken), _typed("application/json", '{"DefaultInactiveTimer": "PT2H"}')),
    _variant("multipart-taken", "requests", "Multipart forms are taken too, and validated like others.",
      requests.pairs(requests.multipart_taken), _typed("multipart/form-data; boundary=x", MULTIPART)),
    _variant("form-by-default", "requests", "A body without a media type is taken for a form.",
      requests.media_type(requests.form_by_default), Step(A, headers=())),
    _variant("any-media-type", "requests", "Every body is taken for a form, and validated as one.",
      requests.media_type(requests.any_media_type), _typed("text/plain")),
    _variant("repeated-first", "requests", "Of repeated parameters the first counts.", requests.repeated(0),
      f"{A}&DefaultInactiveTimer=PT2H"),
    _variant("repeated-last", "requests", "Of repeated parameters the last counts.", requests.repeated(1),
      f"{A}&DefaultInactiveTimer=PT2H"),
    _variant("method-before-credentials", "requests", "The method is judged before the credentials.",
      requests.method_first, Step(method="PUT", credentials="")),
)


@dataclass(frozen=True, slots=True)
class Dialect:
    """A known way to read durations, built into both timers, for `conformance timers` to recognise.

    It is built in by name as a variant is. It is no variant: most dialects take what a rule forbids, or refuse
    what a rule demands.

    Attributes:
        name: Its name, `dialect-` and that of the dialect.
        text: Which software reads durations in this way, in one sentence.
        breaks: The ids of the rules that it breaks most directly; empty where it breaks none.
        install: Builds it into a behaviour.
        witness: Requests that it answers otherwise than the reference, unless it breaks no rule.
    """

    name: str
    text: str
    breaks: tuple[str, ...]
    install: Install
    witness: tuple[Step, ...]

    @property
    def group(self) -> str:
        """The area of all dialects."""
        return "dialects"


def _dialect(
    name: str,
    aspect: str | None,
    text: str,
    alter: Callable[[TimerField], None],
    *values: str,
) -> Dialect:
    timers = ("DefaultInactiveTimer", "DefaultClosedTimer")
    witness = [f"{timer}={value}" for value in values for timer in timers]
    breaks = (f"inactive-timer-{aspect}", f"closed-timer-{aspect}") if aspect else ()
    return Dialect(f"dialect-{name}", text, breaks, choices.timers(alter), steps(witness))


_reads = timer_mistakes.reads_with
DIALECTS: tuple[Dialect, ...] = (
    _dialect("iso8601-1", None, "Timers are read as ISO 8601-1 has it, as the reference does.",
      _reads(parse_duration), "PT1H"),
    _dialect("iso8601-2", "strictness", "Timers are read as ISO 8601-2 has it: minus signs, weeks beside other units.",
      _reads(dialects.iso8601_2_seconds), "P1W1D", "P1DT-1H"),
    _dialect("xsd", "notation", "Timers are read as xsd:duration: no weeks, fractions of seconds only, blanks around.",
      dialects.like_xsd, "P1W", "PT20.5M"),
    _dialect("rfc3339", "accept", "Timers are read as RFC 3339 has them: no skipped units, no fractions, any case.",
      _reads(dialects.rfc3339_seconds), "PT1H1S", "pt10m"),
    _dialect("java", "notation", "Timers are read as java.time.Duration does: days and less, any case, signs.",
      _reads(dialects.java_seconds), "P1W", "pt10m"),
    _dialect("isodate", "syntax", "Timers are read by isodate, the library itself.",
      _reads(dialects.isodate_seconds), "P1DT", "PT1.5H30M"),
    _dialect("temporal", "notation", "Timers are read as JavaScript's Temporal.Duration does.",
      _reads(dialects.temporal_seconds), "P1.5D", "pt10m"),
    _dialect("luxon", "syntax", "Timers are read as JavaScript's luxon does.",
      _reads(dialects.luxon_seconds), "P1DT", "PT1.5H30M"),
    _dialect("moment", "syntax",
      "Timers are read as JavaScript's moment does: what it cannot read is a zero, kept as PT0S.",
      dialects.like_moment, "banana", "P1DT"),
    _dialect("go-sosodev", "syntax", "Timers are read as Go's github.com/sosodev/duration does.",
      _reads(dialects.go_seconds), "PT10M10M", "PTT10M"),
    _dialect("php", "syntax", "Timers are read as PHP's DateInterval does.",
      _reads(dialects.timelib_seconds), "PT20.5M", "P1W1D"),
    _dialect("ajv-formats", "notation", "Timers are read as ajv-formats checks JSON Schema's format: no fractions.",
      _reads(dialects.ajv_seconds), "PT20.5M", "PT90.5S"),
    _dialect("activesupport", "syntax", "Timers are read as Ruby's ActiveSupport::Duration does: units in any order.",
      _reads(dialects.rails_seconds), "PT600S10M", "PT10M10M"),
)
# fmt: on

"""Mistakes in answers: status, media type, body, attributes, headers, and the bodies of errors."""

import json
import re
from collections.abc import Callable
from dataclasses import replace

from conformance.emulator.alterations import Fault, Install, Step, fault
from conformance.emulator.behaviour import Behaviour, envelope, refusal
from conformance.emulator.messages import JSON, Answer, ApiError, Call
from conformance.emulator.store import Row

READ = Step(method="GET")
# What is answered with an error, in the most ordinary ways.
REFUSED = "DefaultInactiveTimer=PT1S"
STRANGER = Step(credentials="AC00000000000000000000000000000000:wrong")
# Updates and reads are answered by the same code: a fault that breaks one of these rules breaks read-response too.
READ_TOO = {
    "media-type",
    "json-body",
    "response-schema",
    "timer-representation",
    "account-sid",
    "account-sid-present",
    "resource-url",
    "resource-links",
    "documented-headers",
}
# The rules about timers that are broken besides `inactive-timer-echo` where neither timer comes back as it was sent.
NOT_SEEN_AGAIN = "closed-timer-echo inactive-timer-notation closed-timer-notation"
SET = "DefaultInactiveTimer=PT1H&DefaultClosedTimer=P1D"
FULL = SET + "&DefaultChatServiceSid=IS" + "a" * 32 + "&DefaultMessagingServiceSid=MG" + "B" * 32


def answers(change: Callable[[Answer], Answer], *, when: Callable[[Answer], bool] | None = None) -> Install:
    """Return a mistake: answers are changed, by default those with status 200."""

    def install(behaviour: Behaviour) -> None:
        inner = behaviour.finish
        chosen = when or (lambda answer: answer.status == 200)

        def finish(call: Call, answer: Answer) -> Answer:
            finished = inner(call, answer)
            return change(finished) if chosen(finished) else finished

        behaviour.finish = finish

    return install


def refused(answer: Answer) -> bool:
    """Tell whether an answer refuses a form."""
    return answer.status == 400


def header(name: str, value: str | None, answer: Answer) -> Answer:
    """Return the answer with another value of a header, or without it."""
    others = tuple(item for item in answer.headers if item[0].lower() != name.lower())
    return replace(answer, headers=others if value is None else (*others, (name, value)))


def redirected(answer: Answer, status: int) -> Answer:
    """Return the answer as a redirection to the resource."""
    return header("Location", "/v1/Configuration", replace(answer, status=status))


def sets_header(name: str, value: str | None, *, when: Callable[[Answer], bool] | None = None) -> Install:
    """Return a mistake: a header has another value, or is missing."""
    return answers(lambda answer: header(name, value, answer), when=when)


def sets_status(status: int, *, when: Callable[[Answer], bool] | None = None) -> Install:
    """Return a mistake: the status is another."""
    return answers(lambda answer: replace(answer, status=status), when=when)


def rewrites_body(
    change: Callable[[bytes], bytes], *, when: Callable[[Answer], bool] | None = None
) -> Install:
    """Return a mistake: the body's bytes are changed."""
    return answers(lambda answer: replace(answer, body=change(answer.body)), when=when)


def represents(change: Callable[[dict[str, object], Call], JSON]) -> Install:
    """Return a mistake: the attributes are changed."""

    def install(behaviour: Behaviour) -> None:
        inner = behaviour.represent

        def represent(call: Call, account: str, row: Row) -> JSON:
            return change(dict(inner(call, account, row)), call)

        behaviour.represent = represent

    return install


def attribute(name: str, change: Callable[[str], object], *, even_null: bool = False) -> Install:
    """Return a mistake: one attribute is changed where it is not null."""

    def changed(document: dict[str, object], call: Call) -> JSON:
        value = document[name]
        if isinstance(value, str) or even_null:
            document[name] = change(str(value))
        return document

    return represents(changed)


def each_null(value: object) -> Install:
    """Return a mistake: what was never set comes as something else than null."""
    return represents(lambda document, call: {k: value if v is None else v for k, v in document.items()})


def without(name: str) -> Install:
    """Return a mistake: an attribute is missing."""
    return represents(lambda document, call: {key: value for key, value in document.items() if key != name})


def errors(change: Callable[[dict[str, object]], object]) -> Install:
    """Return a mistake: the JSON of error bodies is changed."""

    def install(behaviour: Behaviour) -> None:
        def refuse(call: Call, error: ApiError) -> Answer:
            return refusal(error, json.dumps(change(envelope(error))).encode())

        behaviour.refuse = refuse

    return install


def error_bodies(body: Callable[[ApiError], str], content_type: str) -> Install:
    """Return a mistake: error bodies are not JSON."""

    def install(behaviour: Behaviour) -> None:
        behaviour.refuse = lambda call, error: refusal(error, body(error).encode(), content_type)

    return install


def _first_update_created(behaviour: Behaviour) -> None:
    seen: set[str] = set()
    inner = behaviour.methods["POST"]

    async def post(call: Call, account: str) -> Answer:
        answer = await inner(call, account)
        status = answer.status if account in seen else 201
        seen.add(account)
        return replace(answer, status=status)

    behaviour.methods["POST"] = post


def _seconds(text: str) -> int:
    numbers: dict[str, int] = dict.fromkeys("DHMS", 0)
    numbers |= {unit: int(number) for number, unit in re.findall("([0-9]{1,9})([DHMS])", text)}
    return numbers["D"] * 86400 + numbers["H"] * 3600 + numbers["M"] * 60 + numbers["S"]


def _clock(text: str) -> str:
    seconds = _seconds(text)
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _both_timers(change: Callable[[str], object], *, even_null: bool = False) -> Install:
    def install(behaviour: Behaviour) -> None:
        for name in ("default_inactive_timer", "default_closed_timer"):
            attribute(name, change, even_null=even_null)(behaviour)

    return install


def _null_timers(value: str) -> Install:
    return _both_timers(lambda text: value if text == "None" else text, even_null=True)


def _swapped(first: str, second: str) -> Install:
    return represents(lambda document, call: document | {first: document[second], second: document[first]})


def _links(change: Callable[[dict[str, str]], object]) -> Install:
    def changed(document: dict[str, object], call: Call) -> JSON:
        links = document["links"]
        return document | {"links": change(dict(links) if isinstance(links, dict) else {})}

    return represents(changed)


def _python_repr(body: bytes) -> bytes:
    return repr(json.loads(body)).encode()


def _fault(name: str, rules: str, text: str, install: Install, *witness: str | Step) -> Fault:
    if rules.split(maxsplit=1)[0] in READ_TOO:
        rules += " read-response"
    return fault(name, rules, "errors" if rules.startswith("error-") else "response", text, install, witness)


def _missing(field: str) -> Fault:
    attribute = f"default_{field.replace('-', '_')}"
    return _fault(
        f"{field}-missing",
        f"{field}-echo",
        f"The attribute {attribute} is missing.",
        without(attribute),
        FULL,
    )


def _not_boolean(value: str) -> Fault:
    return _fault(
        f"allow-credentials-{value}",
        "documented-headers",
        f"Access-Control-Allow-Credentials is {value}.",
        sets_header("Access-Control-Allow-Credentials", value),
        SET,
    )


# fmt: off
ALL: tuple[Fault, ...] = (
    _fault("updates-answered-201", "accepted-status", "An update is answered with 201.", sets_status(201),
      SET),
    _fault("updates-answered-202", "accepted-status", "An update is answered with 202.", sets_status(202),
      SET),
    _fault("updates-answered-204", "accepted-status", "An update is answered with 204 and no body.",
      answers(lambda answer: Answer(204)), SET),
    _fault("updates-redirected", "accepted-status", "An update is answered with 303 and a place to read it.",
      answers(lambda answer: redirected(answer, 303)), SET),
    _fault("first-update-answered-201", "accepted-status",
      "The first update of an account is answered with 201.", _first_update_created, SET, SET),
    _fault("refusals-redirected", "refusal-status", "What is refused is answered with 302 to a page of help.",
      answers(lambda answer: redirected(answer, 302), when=refused), REFUSED),
    _fault("refusals-answered-303", "refusal-status", "What is refused is answered with 303.",
      sets_status(303, when=refused), REFUSED),
    _fault("media-type-html", "media-type", "JSON is labelled text/html.",
      sets_header("Content-Type", "text/html; charset=utf-8"), SET),
    _fault("media-type-text", "media-type", "JSON is labelled text/plain.",
      sets_header("Content-Type", "text/plain"), SET),
    _fault("media-type-javascript", "media-type", "JSON is labelled text/javascript.",
      sets_header("Content-Type", "text/javascript"), SET),
    _fault("media-type-missing", "media-type", "JSON is not labelled.", sets_header("Content-Type", None),
      SET),
    _fault("media-type-octets", "media-type", "JSON is labelled application/octet-stream.",
      sets_header("Content-Type", "application/octet-stream"), SET),
    _fault("body-python-repr", "json-body", "The body is the repr of a dict.", rewrites_body(_python_repr),
      SET),
    _fault("body-trailing-comma", "json-body", "A comma follows the last attribute.",
      rewrites_body(lambda body: body[:-1] + b",}"), SET),
    _fault("body-nan", "json-body", "Null is written as NaN.",
      rewrites_body(lambda body: body.replace(b": null", b": NaN")), "DefaultInactiveTimer=PT1H"),
    _fault("body-array", "json-body", "The object is wrapped in an array.",
      rewrites_body(lambda body: b"[" + body + b"]"), SET),
    _fault("body-encoded-twice", "json-body", "The JSON is encoded as a JSON string.",
      rewrites_body(lambda body: json.dumps(body.decode()).encode()), SET),
    _fault("body-empty", "json-body", "The body is empty.", rewrites_body(lambda body: b""), SET),
    _fault("body-utf-16", "json-body", "The body is in UTF-16.",
      rewrites_body(lambda body: body.decode().encode("utf-16")), SET),
    _fault("body-byte-order-mark", "json-body", "A byte order mark precedes the JSON (RFC 8259 8.1).",
      rewrites_body(lambda body: b"\xef\xbb\xbf" + body), SET),
    _fault("body-with-notice", "json-body", "A notice of the runtime precedes the JSON.",
      rewrites_body(lambda body: b"<b>Notice</b>: undefined index\n" + body), SET),
    _fault("body-guarded", "json-body", "A guard against hijacking precedes the JSON.",
      rewrites_body(lambda body: b")]}',\n" + body), SET),
    _fault("body-twice", "json-body", "The object is written twice.", rewrites_body(lambda body: body + body),
      SET),
    _fault("body-cut", "json-body", "The body lacks its last character.",
      rewrites_body(lambda body: body[:-1]), SET),
    _fault("null-as-empty-text", "response-schema timer-representation",
      "What was never set comes as an empty text.",
      each_null(""), ""),
    _fault("null-as-text", "response-schema timer-representation",
      "What was never set comes as the text null.", each_null("null"),
      ""),
    _fault("null-as-none", "response-schema timer-representation",
      "What was never set comes as the text None.", each_null("None"),
      ""),
    _fault("null-as-false", "response-schema", "What was never set comes as false.", each_null(False), ""),
    _fault("null-as-object", "response-schema", "What was never set comes as an empty object.", each_null({}),
      ""),
    _fault("timers-as-seconds", "response-schema", "Timers come as numbers of seconds.",
      _both_timers(_seconds), SET),
    _fault("timers-as-objects", "response-schema", "Timers come as objects.",
      _both_timers(lambda text: {"iso8601": text}), SET),
    _fault("sids-as-objects", "response-schema", "The chat service comes as an object that holds its SID.",
      attribute("default_chat_service_sid", lambda text: {"sid": text}), FULL),
    _fault("sids-as-lists", "response-schema", "The messaging service comes as a list of SIDs.",
      attribute("default_messaging_service_sid", lambda text: [text]), FULL),
    _fault("account-sid-lower-case", "response-schema",
      "The account's SID comes in lower case, its prefix too.", attribute("account_sid", str.lower), SET),
    _fault("account-sid-cut", "response-schema", "The account's SID comes without its last digit.",
      attribute("account_sid", lambda text: text[:-1]), SET),
    _fault("account-sid-number", "response-schema", "The account's SID comes as a number.",
      attribute("account_sid", lambda text: int(text[2:], 16)), SET),
    _fault("timers-as-bare-seconds", f"timer-representation inactive-timer-echo {NOT_SEEN_AGAIN}",
      "Timers come as texts of seconds.",
      _both_timers(lambda text: str(_seconds(text))), SET),
    _fault("timers-as-clock-times", f"timer-representation inactive-timer-echo {NOT_SEEN_AGAIN}",
      "Timers come as hours:minutes:seconds.",
      _both_timers(_clock), SET),
    _fault("timers-with-blanks", f"timer-representation inactive-timer-echo {NOT_SEEN_AGAIN}",
      "Timers come with a blank after the P.",
      _both_timers(lambda text: text.replace("P", "P ", 1)), SET),
    _fault("timers-in-words", f"timer-representation inactive-timer-echo {NOT_SEEN_AGAIN}",
      "Timers come in words.",
      _both_timers(lambda text: f"{_seconds(text) // 60} minutes"), SET),
    _fault("unset-timers-default-low", "timer-representation",
      "A timer that was never set comes as ten seconds.", _null_timers("PT10S"), ""),
    _fault("unset-timers-default-zero", "timer-representation", "A timer that was never set comes as P0D.",
      _null_timers("P0D"), ""),
    _fault("unset-timers-default-p", "timer-representation", "A timer that was never set comes as a bare PT.",
      _null_timers("PT"), ""),
    _fault("inactive-timer-echo-swapped", f"inactive-timer-echo {NOT_SEEN_AGAIN} timer-representation",
      "The timers come under each other's names.",
      _swapped("default_inactive_timer", "default_closed_timer"), SET),
    _fault("chat-service-sid-echo-swapped",
      "chat-service-sid-echo messaging-service-sid-echo response-schema",
      "The SIDs come under each other's names.",
      _swapped("default_chat_service_sid", "default_messaging_service_sid"), FULL),
    *(_missing(field) for field in ("inactive-timer", "closed-timer")),
    *(_missing(field) for field in ("chat-service-sid", "messaging-service-sid")),
    _fault("account-sid-constant", "account-sid", "The account's SID is that of the documentation.",
      attribute("account_sid", lambda text: "AC" + "a" * 32), SET),
    _fault("account-sid-of-the-first", "account-sid",
      "The account's SID is always that of the first account.",
      lambda behaviour: attribute("account_sid", lambda text: next(iter(behaviour.accounts)))(behaviour),
      Step(SET, account=1)),
    _fault("account-sid-missing", "account-sid-present", "The account's SID is missing.",
      without("account_sid"), SET),
    _fault("url-relative", "resource-url", "The URL is a path.",
      attribute("url", lambda text: "/v1/Configuration"), SET),
    _fault("url-without-scheme", "resource-url", "The URL lacks its scheme.",
      attribute("url", lambda text: text.partition(":")[2]), SET),
    _fault("url-of-another-version", "resource-url", "The URL is that of version 2.",
      attribute("url", lambda text: text.replace("/v1/", "/v2/")), SET),
    _fault("url-of-the-service", "resource-url", "The URL is that of the service's configuration.",
      attribute("url", lambda text: text.replace("/v1/", "/v1/Services/IS" + "a" * 32 + "/")), SET),
    _fault("url-lower-case", "resource-url", "The path of the URL is in lower case.",
      attribute("url", str.lower), SET),
    _fault("url-with-template", "resource-url", "A placeholder is left in the URL.",
      attribute("url", lambda text: text + "/{Sid}"), SET),
    _fault("links-list", "resource-links", "The links come as a list.",
      _links(lambda links: [*links.values()]), SET),
    _fault("links-text", "resource-links", "The links come as a text.",
      _links(json.dumps), SET),
    _fault("links-relative", "resource-links", "The links are paths.",
      _links(lambda links: {name: "/" + url.split("/", 3)[3] for name, url in links.items()}), SET),
    _fault("links-objects", "resource-links", "Each link is an object.",
      _links(lambda links: {name: {"href": url} for name, url in links.items()}), SET),
    _fault("links-numbers", "resource-links", "Each link is a number.",
      _links(lambda links: dict.fromkeys(links, 1)), SET),
    *(_not_boolean(value) for value in ("null", "yes", "1", "none")),
    # The bodies of errors
    _fault("errors-plain", "error-envelope", "Errors are plain text.",
      error_bodies(lambda error: error.message, "text/plain"), REFUSED),
    _fault("errors-html", "error-envelope", "Errors are pages.",
      error_bodies(lambda error: f"<h1>{error.status}</h1>", "text/html"), REFUSED),
    _fault("errors-xml", "error-envelope", "Errors are XML.",
      error_bodies(lambda error: f"<Error><Code>{error.code}</Code></Error>", "application/xml"), REFUSED),
    _fault("errors-empty", "error-envelope", "Errors have no body.",
      error_bodies(lambda error: "", "application/json"), REFUSED),
    _fault("errors-without-message", "error-envelope", "Errors lack their message.",
      errors(lambda body: {key: value for key, value in body.items() if key != "message"}), REFUSED),
    _fault("errors-without-status", "error-envelope", "Errors lack their status.",
      errors(lambda body: {key: value for key, value in body.items() if key != "status"}), REFUSED),
    _fault("errors-in-a-list", "error-envelope", "Errors come in a list.", errors(lambda body: [body]),
      REFUSED),
    _fault("errors-nested", "error-envelope", "Errors come under another name.",
      errors(lambda body: {"error": body}), REFUSED),
    _fault("errors-as-detail", "error-envelope", "Errors are those of a framework: a detail alone.",
      errors(lambda body: {"detail": body["message"]}), REFUSED),
    _fault("errors-status-constant", "error-status", "The status in an error's body is always 400.",
      errors(lambda body: body | {"status": 400}), STRANGER),
    _fault("errors-status-as-text", "error-status", "The status in an error's body is a text.",
      errors(lambda body: body | {"status": str(body["status"])}), REFUSED),
    _fault("errors-status-200", "error-status", "The status in an error's body is 200.",
      errors(lambda body: body | {"status": 200}), REFUSED),
    _fault("errors-code-as-text", "error-types", "The code of an error is a text.",
      errors(lambda body: body | {"code": str(body["code"])}), REFUSED),
    _fault("errors-code-as-object", "error-types", "The code of an error is an object.",
      errors(lambda body: body | {"code": {"value": body["code"]}}), REFUSED),
    _fault("errors-more-info-relative", "error-types", "The link of an error is a path.",
      errors(lambda body: body | {"more_info": f"/docs/errors/{body['code']}"}), REFUSED),
    _fault("errors-more-info-prose", "error-types", "The link of an error is a sentence.",
      errors(lambda body: body | {"more_info": "see the documentation"}), REFUSED),
    _fault("errors-more-info-object", "error-types", "The link of an error is an object.",
      errors(lambda body: body | {"more_info": {"href": body["more_info"]}}), REFUSED),
)
# fmt: on

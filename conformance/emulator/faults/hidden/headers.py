"""Mistakes that show where a client sends a header that must change nothing."""

import json
from dataclasses import replace

from conformance.emulator.alterations import Fault, Install, Step, fault
from conformance.emulator.behaviour import FORM, Behaviour
from conformance.emulator.faults import protocol_mistakes as forms
from conformance.emulator.faults import response
from conformance.emulator.faults.hidden.occasions import only, post
from conformance.emulator.faults.robustness_mistakes import header, on
from conformance.emulator.messages import JSON, Answer, ApiError, Call
from conformance.emulator.store import Row

A = "DefaultInactiveTimer=PT1H"
FORM_TYPE = ("Content-Type", FORM)


def _with(name: str, value: str, body: str = A, method: str = "POST") -> Step:
    return Step(body, method, headers=(FORM_TYPE, (name, value)))


def _not_modified(behaviour: Behaviour) -> None:
    """Answer an update as if it were a read of what has not changed."""
    response.answers(lambda answer: Answer(304, answer.headers))(behaviour)


def _ranged(behaviour: Behaviour) -> None:
    response.answers(
        lambda answer: response.header(
            "Content-Range",
            f"bytes 0-9/{len(answer.body)}",
            replace(answer, status=206, body=answer.body[:10]),
        )
    )(behaviour)


def _origin_as_boolean(behaviour: Behaviour) -> None:
    """Confuse two of the headers that answer an Origin."""
    inner = behaviour.finish

    def finish(call: Call, answer: Answer) -> Answer:
        name = "Access-Control-Allow-Credentials"
        return response.header(name, call.header(b"origin"), inner(call, answer))

    behaviour.finish = finish


def _without_translation(behaviour: Behaviour) -> None:
    """Leave out the message of an error, for which there is no translation."""
    inner = behaviour.refuse

    def refuse(call: Call, error: ApiError) -> Answer:
        answer = inner(call, error)
        document = json.loads(answer.body)
        del document["message"]
        return replace(answer, body=json.dumps(document).encode())

    behaviour.refuse = refuse


def _forwarded_host(behaviour: Behaviour) -> None:
    """Build the URL with the whole list of hosts that proxies have added."""
    inner = behaviour.represent

    def represent(call: Call, account: str, row: Row) -> JSON:
        return inner(replace(call, base_url=f"http://{call.header(b'x-forwarded-host')}"), account, row)

    behaviour.represent = represent


def _patched(behaviour: Behaviour) -> None:
    forms.unvalidated(forms.form_unchecked, "POST")(behaviour)


def _get_as_post(behaviour: Behaviour) -> None:
    behaviour.methods["GET"] = behaviour.methods["POST"]


def _json_in_capitals(behaviour: Behaviour) -> None:
    forms.refuses_call(header(b"accept", r"\AAPPLICATION/JSON"), 406)(behaviour)


def _json_by_weight(behaviour: Behaviour) -> None:
    forms.refuses_call(header(b"accept", r"\Aapplication/json *;q="), 406)(behaviour)


def _fault(name: str, rules: str, text: str, install: Install, *witness: str | Step) -> Fault:
    return fault(name, rules, "headers", text, install, witness)


def _crash(name: str, text: str, condition: str, header_name: bytes, step: Step) -> Fault:
    return _fault(f"crash-on-{name}", "no-server-error", f"A server error comes {text}.",
                  on(header(header_name, condition)), step)  # fmt: skip


# fmt: off
ALL: tuple[Fault, ...] = (
    _fault("update-with-if-none-match-304", "ignored-headers",
      "An update with If-None-Match is answered with 304, as a read would be.",
      only(lambda call: post(call) and header(b"if-none-match", ".")(call), _not_modified),
      _with("If-None-Match", '"0"')),
    _fault("update-with-if-modified-since-304", "ignored-headers",
      "An update with If-Modified-Since is answered with 304 (RFC 9110 13.1.3: to be ignored but for GET and HEAD).",
      only(lambda call: post(call) and header(b"if-modified-since", ".")(call), _not_modified),
      _with("If-Modified-Since", "Thu, 01 Jan 2026 00:00:00 GMT")),
    _fault("update-with-range-206", "ignored-headers accepted-status json-body",
      "A part of the answer to an update is sent where a Range is asked for (RFC 9110 14.2: GET alone has one).",
      only(lambda call: post(call) and header(b"range", "bytes=")(call), _ranged), _with("Range", "bytes=0-9")),
    _fault("origin-as-allow-credentials", "documented-headers",
      "Access-Control-Allow-Credentials repeats the Origin, where there is one.",
      only(header(b"origin", "."), _origin_as_boolean), _with("Origin", "https://example.com")),
    _fault("override-to-patch-unvalidated", "unvalidated-write",
      "A POST whose X-HTTP-Method-Override says PATCH writes unchecked.",
      only(lambda call: post(call) and header(b"x-http-method-override", "(?i)patch")(call), _patched),
      _with("X-HTTP-Method-Override", "PATCH", "DefaultInactiveTimer=banana")),
    _fault("read-with-override-updates", "safe-methods",
      "GET whose X-HTTP-Method-Override says POST is handled as an update.",
      only(lambda call: call.method == "GET" and header(b"x-http-method-override", "(?i)post")(call), _get_as_post),
      _with("X-HTTP-Method-Override", "POST", method="GET"), Step(method="GET")),
    _fault("language-without-messages", "error-envelope",
      "In a language without translations errors lack their message.",
      only(header(b"accept-language", r"\A(?!en|\*)[a-z]"), _without_translation),
      _with("Accept-Language", "de", "DefaultInactiveTimer=banana")),
    _fault("forwarded-hosts-in-url", "resource-url resource-links read-response",
      "The URL is built with the whole list of hosts that proxies have added.",
      only(header(b"x-forwarded-host", ","), _forwarded_host), _with("X-Forwarded-Host", "a.example, b.example")),
    _fault("accept-in-capitals-refused", "accept-header",
      "Accept: APPLICATION/JSON is refused, though media types have no case.", _json_in_capitals,
      _with("Accept", "APPLICATION/JSON")),
    _fault("weighted-accept-refused", "accept-header",
      "Accept: application/json;q=0.9 is refused, since only ranges without a weight are compared.", _json_by_weight,
      _with("Accept", "application/json;q=0.9, text/html;q=0.5")),
    _crash("weighted-languages", "on weights in Accept-Language", "q=", b"accept-language",
      _with("Accept-Language", "de;q=0.8, en;q=0.5")),
    _crash("cookies-without-equals", "on a cookie without an equals sign", r"\A[^=]+\Z", b"cookie",
      _with("Cookie", "banana")),
    _crash("two-preferences", "on two preferences in Prefer", ",", b"prefer",
      _with("Prefer", "respond-async, wait=10")),
    _crash("unquoted-etag", "on an entity tag without quotes in If-None-Match", r"\A[^\"*]+\Z",
      b"if-none-match", _with("If-None-Match", "0")),
    _crash("broken-dates", "on a date in If-Modified-Since that cannot be read", r"\A(?!\w{3}, \d\d \w{3} \d{4}).",
      b"if-modified-since", _with("If-Modified-Since", "yesterday")),
    _crash("range-suffix", "on a Range from the end", "bytes=-", b"range", _with("Range", "bytes=-5")),
    _crash("origin-null", "on an Origin of null, which is no URL", r"\Anull\Z", b"origin", _with("Origin", "null")),
)
# fmt: on

"""Mistakes in what a required part of an answer says, and in answers of one kind alone."""

import re
from collections.abc import Callable
from dataclasses import replace

from conformance.emulator.alterations import WITNESS_ACCOUNTS, Fault, Install, Step, fault
from conformance.emulator.behaviour import Behaviour, Changes
from conformance.emulator.faults import aftermath_mistakes as aftermath
from conformance.emulator.faults import credential_mistakes as logins
from conformance.emulator.faults import response, state_mistakes
from conformance.emulator.messages import JSON, Answer, ApiError, Call
from conformance.emulator.store import COLUMNS, Row

SID = next(iter(WITNESS_ACCOUNTS))
CHAT = COLUMNS[0]
A = "DefaultInactiveTimer=PT1H"
IS, OTHER_IS = "DefaultChatServiceSid=IS" + "a" * 32, "DefaultChatServiceSid=IS" + "b" * 32
BAD_MG = "DefaultMessagingServiceSid=banana"
READ = Step(method="GET")
WRONG = Step(A, credentials=f"{SID}:wrong")
PUT = Step(A, "PUT")


def _allows(methods: str) -> Install:
    return response.sets_header("Allow", methods, when=lambda answer: answer.status == 405)


def _challenges(challenge: str) -> Install:
    return logins.unauthorized_as(401, ("WWW-Authenticate", challenge))


def _link_one_behind(behaviour: Behaviour) -> None:
    """Build the links of an update's answer before it is written."""
    inner_write, inner_represent = behaviour.write, behaviour.represent
    before: list[str | None] = []

    async def write(account: str, changes: Changes) -> Row:
        before[:] = [behaviour.store.read(account)[CHAT]]
        return await inner_write(account, changes)

    def represent(call: Call, account: str, row: Row) -> JSON:
        document = dict(inner_represent(call, account, row))
        if call.method == "POST" and before and before[0]:
            document["links"] = inner_represent(call, account, row | {CHAT: before[0]})["links"]
        return document

    behaviour.write, behaviour.represent = write, represent


def _link_of_nothing(behaviour: Behaviour) -> None:
    inner = behaviour.represent

    def represent(call: Call, account: str, row: Row) -> JSON:
        document = inner(call, account, row)
        links = inner(call, account, row | {CHAT: row[CHAT] or "None"})["links"]
        return dict(document) | {"links": links}

    behaviour.represent = represent


def _webhooks_need_chat(behaviour: Behaviour) -> None:
    """Link webhooks where there is a chat service."""
    inner = behaviour.represent

    def represent(call: Call, account: str, row: Row) -> JSON:
        document = inner(call, account, row)
        return document if row[CHAT] else dict(document) | {"links": {"service": None, "webhooks": None}}

    behaviour.represent = represent


def _name_twice(body: bytes) -> bytes:
    """Write the chat service as null, and then as it is."""
    return body.replace(
        b'"default_chat_service_sid": "', b'"default_chat_service_sid": null, "default_chat_service_sid": "'
    )


def _head_without_length(behaviour: Behaviour) -> None:
    inner = behaviour.methods["HEAD"]

    async def head(call: Call, account: str) -> Answer:
        return replace(await inner(call, account), body=b"")

    behaviour.methods["HEAD"] = head


def _errors_where(
    condition: Callable[[ApiError], object], change: Callable[[dict[str, object]], object]
) -> Install:
    """Return a mistake: the JSON of some errors is changed."""

    def install(behaviour: Behaviour) -> None:
        inner = behaviour.refuse
        response.errors(change)(behaviour)
        changed = behaviour.refuse
        behaviour.refuse = lambda call, error: (changed if condition(error) else inner)(call, error)

    return install


def _whole_minutes(text: str | None) -> str | None:
    return text and re.sub(r"(?<=M)[0-9]+S\Z", "", text)


def _read_in_whole_minutes(row: Row) -> Row:
    return {column: _whole_minutes(value) if "timer" in column else value for column, value in row.items()}


def _fault(name: str, rules: str, text: str, install: Install, *witness: str | Step) -> Fault:
    return fault(name, rules, "answers", text, install, witness)


# fmt: off
ALL: tuple[Fault, ...] = (
    _fault("allow-names-the-refused-method", "allow-header", "The Allow of a 405 names the method that was refused.",
      _allows("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"), PUT),
    _fault("allow-lacks-post", "allow-header", "The Allow of a 405 lacks POST.", _allows("GET, HEAD, OPTIONS"), PUT),
    _fault("allow-in-prose", "allow-header", "The Allow of a 405 is a sentence.",
      _allows("use GET or POST instead"), PUT),
    _fault("challenge-without-realm", "challenge", "The challenge lacks its realm (RFC 7617 2: required).",
      _challenges("Basic"), WRONG),
    _fault("challenge-without-scheme", "challenge", "The challenge lacks its scheme.",
      _challenges('realm="Twilio API"'), WRONG),
    _fault("challenge-with-unquoted-blank", "challenge", "The realm of the challenge has a blank, but no quotes.",
      _challenges("Basic realm=Twilio API"), WRONG),
    _fault("challenge-of-another-scheme", "challenge-scheme", "The challenge asks for Bearer, which is not understood.",
      _challenges('Bearer realm="Twilio API"'), WRONG),
    _fault("allow-credentials-on-refusals", "documented-headers",
      "Refusals carry Access-Control-Allow-Credentials: *, which is no boolean.",
      response.sets_header("Access-Control-Allow-Credentials", "*", when=lambda answer: answer.status >= 400),
      "DefaultInactiveTimer=banana"),
    _fault("service-link-one-behind", "resource-links",
      "The link to the chat service is that of the service before the update.", _link_one_behind, IS, OTHER_IS),
    _fault("service-link-of-nothing", "resource-links read-response",
      "Without a chat service there is a link to the service None.", _link_of_nothing, A),
    _fault("webhooks-link-needs-chat-service", "resource-links read-response",
      "Without a chat service the links are null.", _webhooks_need_chat, A),
    _fault("json-name-twice", "unique-names read-response",
      "The chat service is written twice: as null, and as it is (RFC 8259 4: names are to be unique).",
      response.rewrites_body(_name_twice), IS),
    _fault("head-announces-empty-body", "framing",
      "The Content-Length of an answer to HEAD is 0 (RFC 9110 8.6: it is that of the answer to GET, if it is there).",
      _head_without_length, Step(method="HEAD")),
    _fault("messaging-refusals-without-message", "error-envelope",
      "The refusal of a messaging service lacks its message.",
      _errors_where(lambda error: error.code == 50341,
                    lambda body: {name: value for name, value in body.items() if name != "message"}), BAD_MG),
    _fault("wrong-media-type-says-400", "error-status", "The status in the body of a 415 is 400.",
      _errors_where(lambda error: error.status == 415, lambda body: body | {"status": 400}),
      Step(A, headers=(("Content-Type", "text/plain"),))),
    _fault("short-timer-code-as-text", "error-types", "The code of a timer that is too short is a text.",
      _errors_where(lambda error: error.code in (50375, 50376), lambda body: body | {"code": str(body["code"])}),
      "DefaultInactiveTimer=PT1S"),
    _fault("read-in-whole-minutes", "read-reflects-writes", "A read shows timers without the seconds behind minutes.",
      state_mistakes.reads(_read_in_whole_minutes), "DefaultInactiveTimer=PT10M30S", READ),
    _fault("leak-on-unknown-paths", "no-leak", "A 404 for another path tells the token.",
      aftermath.leaks(aftermath.in_message(" for {token}"), lambda answer: answer.status == 404),
      Step(method="GET", path="/v1/Services")),
)
# fmt: on

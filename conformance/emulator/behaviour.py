"""The stages that a request passes in the emulator. An alteration replaces one or more of them.

    find, authenticate, methods -> pairs, collect, validate, combine, write -> represent, encode, finish

Every stage is a function held in a `Behaviour`. `reference` fills in the right ones; a fault or a variant
replaces or wraps one, and calls the one it found there for everything it does not change itself. A stage
ends the request early by raising `ApiError`, which `refuse` turns into the vendor's error body.
"""

import base64
import binascii
import hmac
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from conformance.emulator.fields import SidField, TimerField, reference_fields
from conformance.emulator.forms import Pairs, decode_form
from conformance.emulator.messages import JSON, Answer, ApiError, Call
from conformance.emulator.store import Row, Store

PATH = "/v1/Configuration"
FORM = "application/x-www-form-urlencoded"
CHALLENGE = ("WWW-Authenticate", 'Basic realm="Twilio API"')

# The documented headers, with the values seen on the vendor's answers, errors included.
CORS = (
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Allow-Methods", "GET, POST, OPTIONS"),
    (
        "Access-Control-Allow-Headers",
        (
            "Accept, Authorization, Content-Type, If-Match, If-Modified-Since, If-None-Match, "
            "If-Unmodified-Since, Idempotency-Key"
        ),
    ),
    ("Access-Control-Allow-Credentials", "true"),
    ("Access-Control-Expose-Headers", "ETag"),
)

Handler = Callable[[Call, str], Awaitable[Answer]]
Changes = dict[str, str | None]


@dataclass(slots=True)
class Behaviour:
    """The stages that a request passes, with the accounts and the store that they work on."""

    accounts: Mapping[str, str]
    store: Store
    timers: dict[str, TimerField]
    sids: dict[str, SidField]
    # Whole requests: by default, `answer` calls the stages below one after the other.
    answer: Callable[[Call], Awaitable[Answer]] = field(init=False)
    find: Callable[[Call], None] = field(init=False)
    authenticate: Callable[[Call], str] = field(init=False)
    methods: dict[str, Handler] = field(init=False)
    # Form
    media_type: Callable[[Call], None] = field(init=False)
    decode: Callable[[bytes], Pairs] = field(init=False)
    pairs: Callable[[Call], Pairs] = field(init=False)
    collect: Callable[[Pairs], dict[str, str]] = field(init=False)
    # Values
    validate: Callable[[str, dict[str, str]], Changes] = field(init=False)
    combine: Callable[[str, Changes], Changes] = field(init=False)
    # State
    write: Callable[[str, Changes], Awaitable[Row]] = field(init=False)
    read: Callable[[str], Awaitable[Row]] = field(init=False)
    # Answers
    represent: Callable[[Call, str, Row], JSON] = field(init=False)
    encode: Callable[[JSON], bytes] = field(init=False)
    show: Callable[[Call, str, Row], Answer] = field(init=False)
    refuse: Callable[[Call, ApiError], Answer] = field(init=False)
    finish: Callable[[Call, Answer], Answer] = field(init=False)

    @property
    def fields(self) -> dict[str, TimerField | SidField]:
        """The four parameters by name, in the order in which they are validated."""
        return {**self.sids, **self.timers}


def reference(accounts: Mapping[str, str], store: Store) -> Behaviour:
    """Return the behaviour without a fault."""
    timers, sids = reference_fields()
    behaviour = Behaviour(accounts=dict(accounts), store=store, timers=timers, sids=sids)
    behaviour.answer = partial(answer, behaviour)
    behaviour.find = find
    behaviour.authenticate = partial(authenticate, behaviour.accounts)
    get = partial(handle_get, behaviour)
    behaviour.methods = {"GET": get, "HEAD": get, "POST": partial(handle_post, behaviour)}
    behaviour.media_type = check_media_type
    behaviour.decode = decode_form
    behaviour.pairs = partial(read_pairs, behaviour)
    behaviour.collect = partial(collect, behaviour)
    behaviour.validate = partial(validate, behaviour)
    behaviour.combine = lambda account, changes: changes
    behaviour.write = partial(write, store)
    behaviour.read = partial(read, store)
    behaviour.represent = represent
    behaviour.encode = encode
    behaviour.show = partial(show, behaviour)
    behaviour.refuse = partial(refuse, behaviour)
    behaviour.finish = finish
    return behaviour


async def answer(behaviour: Behaviour, call: Call) -> Answer:
    """Take a request through the stages."""
    try:
        behaviour.find(call)
        if call.method == "OPTIONS":
            # A preflight request carries no credentials (Fetch standard, 3.3.5).
            return behaviour.finish(call, Answer(204, (("Allow", allow(behaviour)),)))
        account = behaviour.authenticate(call)
        handler = behaviour.methods.get(call.method)
        if handler is None:
            raise ApiError(405, 20004, "Method not allowed", ("Allow", allow(behaviour)))
        return behaviour.finish(call, await handler(call, account))
    except ApiError as error:
        return behaviour.finish(call, behaviour.refuse(call, error))


def allow(behaviour: Behaviour) -> str:
    """Return the value of the Allow header (RFC 9110 10.2.1)."""
    return ", ".join([*behaviour.methods, "OPTIONS"])


def find(call: Call) -> None:
    """Refuse every path but the resource's, those of its links too."""
    if call.path != PATH:
        raise ApiError(
            404, 20404, f"The requested resource {call.path} was not found; this emulator has {PATH} alone"
        )


def authenticate(accounts: Mapping[str, str], call: Call) -> str:
    """Return the account of a request's credentials (RFC 7617), or refuse them."""
    credentials = parse_credentials(call)
    if credentials is None:
        raise unauthorized("Authentication Error - No credentials provided")
    name, token = (part.encode() for part in credentials)
    found = None
    # Every account is compared to the end, even after a match: the time that it takes must reveal nothing.
    for account, expected in accounts.items():
        if hmac.compare_digest(name, account.encode()) & hmac.compare_digest(token, expected.encode()):
            found = account
    if found is None:
        raise unauthorized("Authenticate")
    return found


def parse_credentials(call: Call) -> tuple[str, str] | None:
    """Return user name and password of Basic credentials, or None where there are none."""
    scheme, _, encoded = (call.header(b"authorization") or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        decoded = base64.b64decode(encoded.strip(" "), validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    name, colon, password = decoded.partition(":")
    return (name, password) if colon else None


def unauthorized(message: str) -> ApiError:
    """Return the refusal of credentials, with the challenge that it has to carry (RFC 9110 15.5.2)."""
    return ApiError(401, 20003, message, CHALLENGE)


async def handle_get(behaviour: Behaviour, call: Call, account: str) -> Answer:
    """Answer with the configuration as it is."""
    return behaviour.show(call, account, await behaviour.read(account))


async def handle_post(behaviour: Behaviour, call: Call, account: str) -> Answer:
    """Update what was sent and answer with the whole configuration."""
    values = behaviour.collect(behaviour.pairs(call))
    changes = behaviour.combine(account, behaviour.validate(account, values))
    return behaviour.show(call, account, await behaviour.write(account, changes))


def read_pairs(behaviour: Behaviour, call: Call) -> Pairs:
    """Return the form's pairs. A request without a body has none, whatever its media type is."""
    if not call.body:
        return []
    behaviour.media_type(call)
    return behaviour.decode(call.body)


def check_media_type(call: Call) -> None:
    """Refuse bodies that are not forms. Type and subtype are case-insensitive (RFC 9110 8.3.1)."""
    essence = (call.header(b"content-type") or "").partition(";")[0].strip(" \t").lower()
    if essence != FORM:
        raise ApiError(415, 19056, f"The content type of the request must be {FORM}")


def collect(behaviour: Behaviour, pairs: Pairs) -> dict[str, str]:
    """Return the values of the known parameters. Unknown parameters are ignored; repeated ones are refused."""
    fields = behaviour.fields
    values: dict[str, str] = {}
    for name, value in pairs:
        if name in values:
            raise ApiError(400, 20001, f"{name} was given more than once")
        if name in fields:
            values[name] = value
    return values


def validate(behaviour: Behaviour, account: str, values: dict[str, str]) -> Changes:
    """Return the values to store, by column. One wrong value refuses the whole update."""
    return {
        field.column: field.validate(values[parameter])
        for parameter, field in behaviour.fields.items()
        if parameter in values
    }


async def write(store: Store, account: str, changes: Changes) -> Row:
    """Store the changes and return the whole configuration."""
    return store.update(account, changes)


async def read(store: Store, account: str) -> Row:
    """Return the whole configuration."""
    return store.read(account)


def represent(call: Call, account: str, row: Row) -> JSON:
    """Return the configuration as its attributes; what was never set is null."""
    links = {"webhooks": f"{call.base_url}{PATH}/Webhooks"}
    if row["default_chat_service_sid"]:
        links["service"] = f"{call.base_url}/v1/Services/{row['default_chat_service_sid']}/Configuration"
    return {"account_sid": account, **row, "url": call.base_url + PATH, "links": links}


def encode(document: JSON) -> bytes:
    """Return a document as JSON in UTF-8."""
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")


def show(behaviour: Behaviour, call: Call, account: str, row: Row) -> Answer:
    """Answer with a configuration."""
    body = behaviour.encode(behaviour.represent(call, account, row))
    return Answer(200, (("Content-Type", "application/json"),), body)


def refuse(behaviour: Behaviour, call: Call, error: ApiError) -> Answer:
    """Answer with the vendor's error body (twilio.com/docs/usage/twilios-response)."""
    return refusal(error, encode(envelope(error)))


def envelope(error: ApiError) -> dict[str, object]:
    """Return the attributes of the vendor's error body."""
    return {
        "code": error.code,
        "message": error.message,
        "more_info": f"https://www.twilio.com/docs/errors/{error.code}",
        "status": error.status,
    }


def refusal(error: ApiError, body: bytes, content_type: str = "application/json") -> Answer:
    """Return the answer that carries an error's body."""
    return Answer(error.status, (("Content-Type", content_type), *error.headers), body)


def finish(call: Call, answer: Answer) -> Answer:
    """Add what every answer carries."""
    return Answer(answer.status, answer.headers + CORS, answer.body, answer.chunked, answer.wire)

"""The mistakes of `robustness`, as functions that build them in."""

import asyncio
import base64
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from urllib.parse import unquote_to_bytes

from conformance.emulator import dialects
from conformance.emulator.alterations import Install
from conformance.emulator.behaviour import Behaviour, Handler
from conformance.emulator.forms import Pairs, decode_form
from conformance.emulator.messages import Answer, ApiError, Call

Condition = Callable[[Call], object]

# Longer than any client waits for an answer, in seconds.
FOREVER = 3600.0


class Crash(Exception):
    """What a real implementation raises where this mistake is made."""


async def crash(call: Call) -> Answer:
    """End in a server error."""
    raise Crash


async def hang(call: Call) -> Answer:
    """Do not answer."""
    await asyncio.sleep(FOREVER)  # the fault itself: a hang
    raise Crash


async def drop(call: Call) -> Answer:
    """Drop the connection."""
    return Answer(500, wire="drop")


def on(condition: Condition, instead: Callable[[Call], Awaitable[Answer]] = crash) -> Install:
    """Return a mistake: requests that meet a condition end in another way, by default in a server error."""

    def install(behaviour: Behaviour) -> None:
        inner = behaviour.answer

        async def answer(call: Call) -> Answer:
            return await (instead if condition(call) else inner)(call)

        behaviour.answer = answer

    return install


def every(n: int, then: Callable[[Behaviour, Call, Answer], Awaitable[Answer]]) -> Install:
    """Return a mistake: the answer to every n-th POST is changed."""

    def install(behaviour: Behaviour) -> None:
        inner = behaviour.methods["POST"]
        count = 0

        async def post(call: Call, account: str) -> Answer:
            nonlocal count
            count += 1
            at = count
            answer = await inner(call, account)
            return await then(behaviour, call, answer) if at % n == 0 else answer

        behaviour.methods["POST"] = post

    return install


async def then_crash(behaviour: Behaviour, call: Call, answer: Answer) -> Answer:
    """End in a server error."""
    raise Crash


async def then_drop(behaviour: Behaviour, call: Call, answer: Answer) -> Answer:
    """Drop the connection."""
    return replace(answer, wire="drop")


def then_status(status: int) -> Callable[[Behaviour, Call, Answer], Awaitable[Answer]]:
    """Return a change: another status."""

    async def change(behaviour: Behaviour, call: Call, answer: Answer) -> Answer:
        return replace(answer, status=status)

    return change


async def then_html(behaviour: Behaviour, call: Call, answer: Answer) -> Answer:
    """Label the answer as a page."""
    return replace(answer, headers=(("Content-Type", "text/html"),))


async def then_cut(behaviour: Behaviour, call: Call, answer: Answer) -> Answer:
    """Lose the end of the JSON."""
    return replace(answer, body=answer.body[:-10])


async def then_other_account(behaviour: Behaviour, call: Call, answer: Answer) -> Answer:
    """Show the configuration of the last account."""
    account = list(behaviour.accounts)[-1]
    return behaviour.show(call, account, behaviour.store.read(account))


def value(pattern: str, *, of: str = "") -> Condition:
    """Return a condition: a parameter whose name ends in `of` has a value in which the pattern is found."""
    compiled = re.compile(pattern)
    return lambda call: any(
        compiled.search(text)
        for name, text in decode_form(call.body)
        if name.startswith("Default") and name.endswith(of)
    )


def pairs(condition: Callable[[Pairs], object]) -> Condition:
    """Return a condition on the pairs of a form."""
    return lambda call: condition(decode_form(call.body))


def repeated(found: Pairs) -> bool:
    """Tell whether a name comes twice."""
    return len({name for name, _ in found}) < len(found)


def unknown(found: Pairs) -> bool:
    """Tell whether a name is not one of the resource's."""
    return any(not name.startswith("Default") for name, _ in found)


def header(name: bytes, pattern: str) -> Condition:
    """Return a condition: a header has a value in which the pattern is found."""
    compiled = re.compile(pattern)
    return lambda call: compiled.search(call.header(name) or "") is not None


def method(*methods: str) -> Condition:
    """Return a condition on the method."""
    return lambda call: call.method in methods


def credentials(condition: Callable[[bytes], object]) -> Condition:
    """Return a condition on the decoded credentials, empty where they cannot be decoded."""

    def holds(call: Call) -> object:
        try:
            return condition(base64.b64decode((call.header(b"authorization") or "").partition(" ")[2]))
        except ValueError:
            return condition(b"")

    return holds


def timedeltas(behaviour: Behaviour) -> None:
    """Hold timers in timedeltas, which overflow."""
    for timer in behaviour.timers.values():
        inner = timer.parse

        def parse(text: str, inner: Callable[[str], Decimal] = inner) -> Decimal:
            length = inner(text)
            timedelta(seconds=float(length))
            return length

        timer.parse = parse


def machine_integers(behaviour: Behaviour) -> None:
    """Hold timers in 64 bits, which are checked for overflow but not caught."""
    for timer in behaviour.timers.values():
        inner = timer.parse

        def parse(text: str, inner: Callable[[str], Decimal] = inner) -> Decimal:
            length = inner(text)
            if length >= 2**63:
                raise Crash
            return length

        timer.parse = parse


def isodate_unguarded(behaviour: Behaviour) -> None:
    """Read timers by isodate and expect no error but its own."""
    for timer in behaviour.timers.values():
        inner = timer.parse

        def parse(text: str, inner: Callable[[str], Decimal] = inner) -> Decimal:
            dialects.isodate_seconds_unguarded(text)
            return inner(text)

        timer.parse = parse


def strict_utf_8(behaviour: Behaviour) -> None:
    """Decode forms strictly."""
    inner = behaviour.decode

    def decode(body: bytes) -> Pairs:
        unquote_to_bytes(body).decode()
        return inner(body)

    behaviour.decode = decode


def charsets(behaviour: Behaviour) -> None:
    """Look the charset up that a media type names."""
    inner = behaviour.media_type

    def media_type(call: Call) -> None:
        inner(call)
        named = re.search('charset="?([^";]+)', call.header(b"content-type") or "")
        if named:
            "".encode(named[1])

    behaviour.media_type = media_type


def read_as_json(behaviour: Behaviour) -> None:
    """Read each value as JSON first, and assume that the result is a text."""
    inner = behaviour.collect

    def collect(found: Pairs) -> dict[str, str]:
        for name, text in found:
            if name in behaviour.fields:
                try:
                    document = json.loads(text)
                except (ValueError, RecursionError):
                    continue
                if not isinstance(document, str):
                    raise Crash
        return inner(found)

    behaviour.collect = collect


def errors_in_pairs(behaviour: Behaviour) -> None:
    """Crash where two values of one form are wrong."""
    inner = behaviour.validate

    def validate(account: str, values: dict[str, str]) -> dict[str, str | None]:
        wrong = 0
        for name, text in values.items():
            try:
                behaviour.fields[name].validate(text)
            except ApiError:
                wrong += 1
        if wrong > 1:
            raise Crash
        return inner(account, values)

    behaviour.validate = validate


def posts_crash(condition: Callable[[Behaviour, Call, str], bool]) -> Install:
    """Return a mistake: POST ends in a server error where a condition holds."""

    def install(behaviour: Behaviour) -> None:
        inner = behaviour.methods["POST"]

        async def post(call: Call, account: str) -> Answer:
            if condition(behaviour, call, account):
                raise Crash
            return await inner(call, account)

        behaviour.methods["POST"] = post

    return install


def present_values(behaviour: Behaviour, call: Call, account: str) -> bool:
    """Tell whether a form changes nothing: an ORM that counts changed rows sees a failure there."""
    row = behaviour.store.read(account)
    fields = behaviour.fields
    sent = [(fields[name].column, text) for name, text in decode_form(call.body) if name in fields]
    return bool(sent) and all(row[column] == text for column, text in sent)


def locks(behaviour: Behaviour) -> None:
    """Crash where two updates are written at a time, as on a database that is locked."""
    inner = behaviour.write
    busy = False

    async def write(account: str, changes: dict[str, str | None]) -> dict[str, str | None]:
        nonlocal busy
        if busy:
            raise Crash
        busy = True
        try:
            await asyncio.sleep(0.002)  # long enough for another to meet it
            return await inner(account, changes)
        finally:
            busy = False

    behaviour.write = write


def refusals(status: int) -> Install:
    """Return a mistake: refused forms are answered with a 5xx."""

    def install(behaviour: Behaviour) -> None:
        inner = behaviour.refuse

        def refuse(call: Call, error: ApiError) -> Answer:
            return inner(call, ApiError(status, error.code, error.message) if error.status == 400 else error)

        behaviour.refuse = refuse

    return install


def posts_refused(status: int, code: int, *headers: tuple[str, str]) -> Install:
    """Return a mistake: POST is not there."""

    def install(behaviour: Behaviour) -> None:
        async def post(call: Call, account: str) -> Answer:
            raise ApiError(status, code, "The requested resource was not found", *headers)

        behaviour.methods["POST"] = post

    return install


def drops_refused_credentials(behaviour: Behaviour) -> None:
    """Drop the connection where credentials are refused."""
    inner = behaviour.answer

    async def answer(call: Call) -> Answer:
        answer = await inner(call)
        return replace(answer, wire="drop") if answer.status == 401 else answer

    behaviour.answer = answer


def answered_as_read(*methods: str) -> Install:
    """Return a mistake: some methods are answered as GET is."""

    def install(behaviour: Behaviour) -> None:
        for name in methods:
            behaviour.methods[name] = behaviour.methods["GET"]

    return install


def url_as_object(answer: Answer) -> Answer:
    """Put the URL into an object."""
    document = json.loads(answer.body)
    return replace(answer, body=json.dumps(document | {"url": {"href": document["url"]}}).encode())


def reads_as(change: Callable[[Answer], Answer]) -> Install:
    """Return a mistake: what GET answers is changed."""

    def install(behaviour: Behaviour) -> None:
        inner: Handler = behaviour.methods["GET"]

        async def get(call: Call, account: str) -> Answer:
            return change(await inner(call, account))

        behaviour.methods["GET"] = get

    return install

"""The choices of `variants` that concern requests and connections, as functions."""

import asyncio
import json
import re
import time
from collections.abc import Callable, Iterator
from email.utils import formatdate

from conformance.emulator.alterations import Install
from conformance.emulator.behaviour import Behaviour, allow, check_media_type
from conformance.emulator.forms import Pairs, decode_form
from conformance.emulator.messages import Answer, ApiError, Call


def slow(seconds: float) -> Install:
    """Return a choice: every answer takes a while."""

    def install(behaviour: Behaviour) -> None:
        inner = behaviour.answer

        async def delayed(call: Call) -> Answer:
            await asyncio.sleep(seconds)  # the variant itself: slow answers
            return await inner(call)

        behaviour.answer = delayed

    return install


def limited(n: int, retry_after: Callable[[], Iterator[tuple[str, str]]]) -> Install:
    """Return a choice: every n-th request is refused with 429, unprocessed."""

    def install(behaviour: Behaviour) -> None:
        inner = behaviour.answer
        count = 0

        async def limit(call: Call) -> Answer:
            nonlocal count
            count += 1
            if count % n:
                return await inner(call)
            return _too_many(behaviour, call, *retry_after())

        behaviour.answer = limit

    return install


def _too_many(behaviour: Behaviour, call: Call, *headers: tuple[str, str]) -> Answer:
    return behaviour.finish(call, behaviour.refuse(call, ApiError(429, 20429, "Too Many Requests", *headers)))


def after_seconds() -> Iterator[tuple[str, str]]:
    """Tell to come again in a second."""
    yield ("Retry-After", "1")


def at_date() -> Iterator[tuple[str, str]]:
    """Tell to come again at a time, which is now."""
    yield ("Retry-After", formatdate(time.time(), usegmt=True))


def at_will() -> Iterator[tuple[str, str]]:
    """Do not tell when to come again."""
    return iter(())


def at_most_at_once(n: int) -> Install:
    """Return a choice: more requests at once are refused with 429, as by the vendor."""

    def install(behaviour: Behaviour) -> None:
        inner = behaviour.answer
        running = 0

        async def limit(call: Call) -> Answer:
            nonlocal running
            if running >= n:
                return _too_many(behaviour, call)
            running += 1
            try:
                await asyncio.sleep(0.001)  # long enough for others to count as concurrent
                return await inner(call)
            finally:
                running -= 1

        behaviour.answer = limit

    return install


def without_methods(*methods: str, status: int = 405) -> Install:
    """Return a choice: some methods are not there."""

    def install(behaviour: Behaviour) -> None:
        for method in methods:
            behaviour.methods.pop(method, None)
            if status == 404:
                behaviour.methods[method] = _not_found

    return install


async def _not_found(call: Call, account: str) -> Answer:
    raise ApiError(404, 20404, f"The requested resource {call.path} was not found")


def options(respond: Callable[[Behaviour, Call], Answer]) -> Install:
    """Return a choice: OPTIONS is answered otherwise."""

    def install(behaviour: Behaviour) -> None:
        inner = behaviour.answer

        async def answered(call: Call) -> Answer:
            if call.method != "OPTIONS":
                return await inner(call)
            try:
                return behaviour.finish(call, respond(behaviour, call))
            except ApiError as error:
                return behaviour.finish(call, behaviour.refuse(call, error))

        behaviour.answer = answered

    return install


def options_not_allowed(behaviour: Behaviour, call: Call) -> Answer:
    """Refuse OPTIONS as a method."""
    raise ApiError(405, 20004, "Method not allowed", ("Allow", ", ".join(behaviour.methods)))


def options_with_credentials(behaviour: Behaviour, call: Call) -> Answer:
    """Ask for credentials first."""
    behaviour.authenticate(call)
    return Answer(204, (("Allow", allow(behaviour)),))


def options_with_body(behaviour: Behaviour, call: Call) -> Answer:
    """Answer with 200 and an empty text."""
    return Answer(200, (("Allow", allow(behaviour)), ("Content-Type", "text/plain")))


def finds(check: Callable[[Call], None]) -> Install:
    """Return a choice: requests have to pass another check first."""

    def install(behaviour: Behaviour) -> None:
        inner = behaviour.find

        def find(call: Call) -> None:
            inner(call)
            check(call)

        behaviour.find = find

    return install


def length_required(call: Call) -> None:
    """Refuse chunked bodies, as RFC 9110 15.5.12 allows."""
    if call.header(b"transfer-encoding"):
        raise ApiError(411, 20001, "Length Required")


def small(call: Call) -> None:
    """Refuse bodies of more than 64 KiB."""
    if len(call.body) > 65536:
        raise ApiError(413, 20413, "Payload Too Large")


def no_query(call: Call) -> None:
    """Refuse a query."""
    if call.query:
        raise ApiError(400, 20001, "The query is not understood")


def acceptable(call: Call) -> None:
    """Refuse clients that do not take JSON."""
    accepted = call.header(b"accept") or "*/*"
    if not re.search(r"\*/\*|application/(?:\*|json)", accepted, re.IGNORECASE):
        raise ApiError(406, 20406, "Not Acceptable")


def pairs(change: Callable[[Behaviour, Call, Callable[[Call], Pairs]], Pairs]) -> Install:
    """Return a choice: the pairs of a request are found otherwise."""

    def install(behaviour: Behaviour) -> None:
        inner = behaviour.pairs
        behaviour.pairs = lambda call: change(behaviour, call, inner)

    return install


def unknown_refused(behaviour: Behaviour, call: Call, inner: Callable[[Call], Pairs]) -> Pairs:
    """Refuse unknown parameters."""
    found = inner(call)
    for name, _ in found:
        if name not in behaviour.fields:
            raise ApiError(400, 20001, "There is an unknown parameter")
    return found


def query_taken(behaviour: Behaviour, call: Call, inner: Callable[[Call], Pairs]) -> Pairs:
    """Take parameters from the query where the body has none."""
    return inner(call) or decode_form(call.query)


def any_case(behaviour: Behaviour, call: Call, inner: Callable[[Call], Pairs]) -> Pairs:
    """Take the names of parameters in any case."""
    names = {name.lower(): name for name in behaviour.fields}
    return [(names.get(name.lower(), name), value) for name, value in inner(call)]


def json_taken(behaviour: Behaviour, call: Call, inner: Callable[[Call], Pairs]) -> Pairs:
    """Take JSON objects of texts as well as forms."""
    if not (call.header(b"content-type") or "").lower().startswith("application/json"):
        return inner(call)
    try:
        document = json.loads(call.body)
    except (ValueError, RecursionError):
        raise ApiError(400, 20001, "The body is not JSON") from None
    if not isinstance(document, dict) or not all(isinstance(value, str) for value in document.values()):
        raise ApiError(400, 20001, "The body is not an object of texts")
    return list(document.items())


def multipart_taken(behaviour: Behaviour, call: Call, inner: Callable[[Call], Pairs]) -> Pairs:
    """Take multipart/form-data as well as forms."""
    content_type = call.header(b"content-type") or ""
    if not content_type.lower().startswith("multipart/form-data"):
        return inner(call)
    boundary = re.search('boundary="?([^";]+)', content_type)
    found: Pairs = []
    for part in call.body.split(b"--" + (boundary[1] if boundary else "").encode("latin-1")):
        head, _, value = part.partition(b"\r\n\r\n")
        name = re.search(rb'name="([^"]*)"', head)
        if name:
            found.append(
                (name[1].decode("utf-8", "replace"), value.removesuffix(b"\r\n").decode("utf-8", "replace"))
            )
    return found


def form_by_default(call: Call) -> None:
    """Take a body without a media type for a form."""
    if call.header(b"content-type") is not None:
        check_media_type(call)


def any_media_type(call: Call) -> None:
    """Take every body for a form, whatever it is called."""


def media_type(check: Callable[[Call], None]) -> Install:
    """Return a choice: other media types are taken for forms."""

    def install(behaviour: Behaviour) -> None:
        behaviour.media_type = check

    return install


def repeated(position: int) -> Install:
    """Return a choice: of repeated values one counts, the first or the last."""

    def install(behaviour: Behaviour) -> None:
        def collect(found: Pairs) -> dict[str, str]:
            ordered = found if position else found[::-1]
            return {name: value for name, value in ordered if name in behaviour.fields}

        behaviour.collect = collect

    return install


def method_first(behaviour: Behaviour) -> None:
    """Judge the method before the credentials."""
    inner = behaviour.answer

    async def answered(call: Call) -> Answer:
        if call.method in behaviour.methods or call.method == "OPTIONS":
            return await inner(call)
        error = ApiError(405, 20004, "Method not allowed", ("Allow", allow(behaviour)))
        return behaviour.finish(call, behaviour.refuse(call, error))

    behaviour.answer = answered


def challenges(challenge: str) -> Install:
    """Return a choice: refused credentials are challenged otherwise."""

    def install(behaviour: Behaviour) -> None:
        inner = behaviour.authenticate

        def authenticate(call: Call) -> str:
            try:
                return inner(call)
            except ApiError as error:
                raise ApiError(
                    error.status, error.code, error.message, ("WWW-Authenticate", challenge)
                ) from None

        behaviour.authenticate = authenticate

    return install

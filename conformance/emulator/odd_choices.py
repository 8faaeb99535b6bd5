"""The choices of `odd_variants`, as functions that build them in."""

import asyncio
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import replace
from itertools import count

from conformance.emulator.alterations import Install
from conformance.emulator.behaviour import FORM, PATH, Behaviour, Changes, authenticate, find
from conformance.emulator.forms import Pairs
from conformance.emulator.messages import Answer, ApiError, Call
from conformance.emulator.store import Row


def answers_where(
    condition: Callable[[Call, Answer], object], change: Callable[[Call, Answer], Answer]
) -> Install:
    """Return a choice: some answers are changed."""

    def install(behaviour: Behaviour) -> None:
        inner = behaviour.finish

        def finish(call: Call, answer: Answer) -> Answer:
            finished = inner(call, answer)
            return change(call, finished) if condition(call, finished) else finished

        behaviour.finish = finish

    return install


def treated_where(condition: Callable[[Call, Answer], object], treatment: str) -> Install:
    """Return a choice: the connection alters the bytes of some answers."""
    return answers_where(condition, lambda call, answer: replace(answer, wire=treatment))


def closing(call: Call, answer: Answer) -> Answer:
    """Announce the end of the connection."""
    return replace(answer, headers=(*answer.headers, ("Connection", "close")))


def in_html(call: Call, answer: Answer) -> Answer:
    """Answer with a page, as the server in front of an application does."""
    headers = tuple(item for item in answer.headers if item[0] != "Content-Type")
    page = f"<html><head><title>{answer.status}</title></head><body><h1>{answer.status}</h1></body></html>"
    return replace(answer, headers=(*headers, ("Content-Type", "text/html")), body=page.encode())


def forbidding(call: Call, answer: Answer) -> Answer:
    """Refuse a request with a page, as a firewall does."""
    return in_html(call, replace(answer, status=400))


def redirecting(call: Call, answer: Answer) -> Answer:
    """Send a client on to the resource's own path."""
    return Answer(308, (("Location", PATH),))


def serial(behaviour: Behaviour) -> None:
    """Handle one request at a time."""
    inner = behaviour.answer
    lock = asyncio.Lock()

    async def answer(call: Call) -> Answer:
        async with lock:
            return await inner(call)

    behaviour.answer = answer


def cold_start(behaviour: Behaviour) -> None:
    """Take a third of a second for the first request."""
    inner = behaviour.answer
    started = False

    async def answer(call: Call) -> Answer:
        nonlocal started
        if not started:
            started = True
            await asyncio.sleep(0.3)  # the variant itself: a slow start
        return await inner(call)

    behaviour.answer = answer


def limited_by_account(n: int) -> Install:
    """Return a choice: every n-th request of each user name gets 429."""

    def install(behaviour: Behaviour) -> None:
        inner = behaviour.answer
        seen: dict[str | None, int] = {}

        async def answer(call: Call) -> Answer:
            name = call.header(b"authorization")
            seen[name] = seen.get(name, 0) + 1
            if seen[name] % n:
                return await inner(call)
            error = ApiError(429, 20429, "Too Many Requests", ("Retry-After", "0"))
            return behaviour.finish(call, behaviour.refuse(call, error))

        behaviour.answer = answer

    return install


def found_after_credentials(behaviour: Behaviour) -> None:
    """Ask for credentials on every path, before it is looked up."""

    def checked(call: Call) -> None:
        if call.method != "OPTIONS":
            authenticate(behaviour.accounts, call)
        find(call)

    behaviour.find = checked


def loose_path(behaviour: Behaviour) -> None:
    """Serve the resource under other spellings of its path, too."""
    inner = behaviour.find

    def found(call: Call) -> None:
        spelled = re.sub("//+|/\\./", "/", call.path.partition(";")[0]).rstrip("/").removesuffix(".json")
        inner(replace(call, path=PATH) if spelled.lower() == PATH.lower() else call)

    behaviour.find = found


def page_elsewhere(behaviour: Behaviour) -> None:
    """Answer requests for other paths with the page of an application that finds its way by itself."""
    inner = behaviour.answer

    async def answer(call: Call) -> Answer:
        page = Answer(200, (("Content-Type", "text/html"),), b"<!doctype html><title>Console</title>")
        return await inner(call) if call.path == PATH else behaviour.finish(call, page)

    behaviour.answer = answer


def refuses_where(condition: Callable[[Call], object], status: int, message: str) -> Callable[[Call], None]:
    """Return a check that refuses some requests."""

    def check(call: Call) -> None:
        if condition(call):
            raise ApiError(status, 20001, message)

    return check


def many_parameters_refused(behaviour: Behaviour, call: Call, inner: Callable[[Call], Pairs]) -> Pairs:
    """Refuse a form of more than a thousand pairs."""
    found = inner(call)
    if len(found) > 1000:
        raise ApiError(400, 20001, "Too many parameters")
    return found


def wrong_type_as_400(call: Call) -> None:
    """Refuse what is no form as a bad request."""
    if (call.header(b"content-type") or "").partition(";")[0].strip(" \t").lower() != FORM:
        raise ApiError(400, 20001, "The body is not a form")


def equal_repeats_taken(behaviour: Behaviour) -> None:
    """Take a repeated parameter whose values are equal, and refuse one whose values differ."""
    inner = behaviour.collect
    behaviour.collect = lambda pairs: inner(list(dict.fromkeys(pairs)))


def localised(behaviour: Behaviour) -> None:
    """Tell errors in German to clients that prefer it."""
    inner = behaviour.refuse

    def refuse(call: Call, error: ApiError) -> Answer:
        answer = inner(call, error)
        if not (call.header(b"accept-language") or "").startswith("de"):
            return answer
        body = json.dumps(json.loads(answer.body) | {"message": "Ungültige Anfrage"}).encode()
        return replace(answer, headers=(*answer.headers, ("Content-Language", "de")), body=body)

    behaviour.refuse = refuse


def quoting(behaviour: Behaviour) -> None:
    """Quote the form in the message of a refusal, up to 2,000 characters."""
    inner = behaviour.refuse

    def refuse(call: Call, error: ApiError) -> Answer:
        if error.status != 400:
            return inner(call, error)
        sent = call.body[:2000].decode("utf-8", "replace")
        return inner(
            call, ApiError(400, error.code, f"{error.message}.\nThe form was:\n{sent}", *error.headers)
        )

    behaviour.refuse = refuse


def with_etags(behaviour: Behaviour) -> None:
    """Send entity tags, and meet the conditions of RFC 9110 13 that name them."""
    inner_finish = behaviour.finish

    def tag(answer: Answer) -> str:
        return f'"{hashlib.sha256(answer.body).hexdigest()[:16]}"'

    def finish(call: Call, answer: Answer) -> Answer:
        finished = inner_finish(call, answer)
        if answer.status != 200 or not answer.body:
            return finished
        tagged = replace(finished, headers=(*finished.headers, ("ETag", tag(answer))))
        if call.method in ("GET", "HEAD") and tag(answer) in (call.header(b"if-none-match") or ""):
            return Answer(304, (("ETag", tag(answer)),))
        return tagged

    inner = behaviour.methods["POST"]

    async def handle(call: Call, account: str) -> Answer:
        present = tag(behaviour.show(call, account, behaviour.store.read(account)))
        matches, differs = call.header(b"if-match"), call.header(b"if-none-match")
        if (matches is not None and matches != "*" and present not in matches) or (
            differs is not None and (differs == "*" or present in differs)
        ):
            raise ApiError(412, 20412, "Precondition Failed")
        return await inner(call, account)

    behaviour.methods["POST"] = handle
    behaviour.finish = finish


def with_ranges(call: Call, answer: Answer) -> Answer:
    """Send a part of what is read where one is asked for (RFC 9110 14)."""
    wanted = re.fullmatch("bytes=([0-9]{1,9})-([0-9]{1,9})", call.header(b"range") or "")
    if call.method != "GET" or answer.status != 200 or not wanted or int(wanted[1]) >= len(answer.body):
        return answer
    first, last = int(wanted[1]), min(int(wanted[2]), len(answer.body) - 1)
    span = ("Content-Range", f"bytes {first}-{last}/{len(answer.body)}")
    return replace(answer, status=206, headers=(*answer.headers, span), body=answer.body[first : last + 1])


def mirroring_origin(call: Call, answer: Answer) -> Answer:
    """Name the origin that asks instead of a star (Fetch standard, 3.3.3)."""
    origin = call.header(b"origin")
    if origin is None:
        return answer
    headers = tuple(
        (name, origin if name == "Access-Control-Allow-Origin" else value) for name, value in answer.headers
    )
    return replace(answer, headers=(*headers, ("Vary", "Origin")))


def with_cookies(behaviour: Behaviour) -> None:
    """Set two cookies with every answer, one of them anew each time."""
    numbers = count(1)
    inner = behaviour.finish

    def finish(call: Call, answer: Answer) -> Answer:
        cookies = (("Set-Cookie", f"request={next(numbers)}; Path=/"), ("Set-Cookie", "region=eu; HttpOnly"))
        finished = inner(call, answer)
        return replace(finished, headers=(*finished.headers, *cookies))

    behaviour.finish = finish


def numbered(behaviour: Behaviour) -> None:
    """Show further attributes that differ with every answer."""
    numbers = count(1)
    inner = behaviour.represent

    def represent(call: Call, account: str, row: Row) -> dict[str, object]:
        return {"request_number": next(numbers), "etag": None, **inner(call, account, row)}

    behaviour.represent = represent


def more_links(document: dict[str, object]) -> None:
    """Link other resources too."""
    links = document["links"]
    if isinstance(links, dict):
        document["links"] = links | {"roles": "https://conversations.example.com/v1/Roles"}


def slow_reads(behaviour: Behaviour) -> None:
    """Take as long for a read as another update may take."""
    inner = behaviour.read

    async def read(account: str) -> Row:
        await asyncio.sleep(0.002)  # the variant itself: a slow read
        return await inner(account)

    behaviour.read = read


def last_writer_of_all(behaviour: Behaviour) -> None:
    """Write in the order in which updates end, each after a pause that shrinks with every other one."""
    inner = behaviour.write
    running = 0

    async def write(account: str, changes: Changes) -> Row:
        nonlocal running
        running += 1
        try:
            await asyncio.sleep(0.004 / running)  # the variant itself: later requests overtake earlier ones
            return await inner(account, changes)
        finally:
            running -= 1

    behaviour.write = write


def escaped(document: object) -> str:
    """Write JSON in which every letter of a name or text is an escape."""

    def text(match: re.Match[str]) -> str:
        return re.sub("[A-Za-z]", lambda letter: f"\\u{ord(letter[0]):04x}", match[0])

    return re.sub('"[^"]*"', text, json.dumps(document))

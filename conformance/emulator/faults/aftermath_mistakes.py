"""The mistakes of `robustness` that leak tokens or break later requests, as functions."""

import json
import re
import time
from collections.abc import Callable
from dataclasses import replace

from conformance.emulator.alterations import Install
from conformance.emulator.behaviour import Behaviour, parse_credentials
from conformance.emulator.faults.robustness_mistakes import Crash
from conformance.emulator.messages import Answer, ApiError, Call


def poisons(
    trigger: Callable[[Call, Answer], object], then: Callable[[], Exception], *, requests: int = 1
) -> Install:
    """Return a mistake: after some requests the next ones fail, whoever sends them."""

    def install(behaviour: Behaviour) -> None:
        inner = behaviour.answer
        left = 0

        async def answer(call: Call) -> Answer:
            nonlocal left
            if left:
                left -= 1
                error = then()
                if isinstance(error, ApiError):
                    return behaviour.finish(call, behaviour.refuse(call, error))
                raise error
            result = await inner(call)
            if trigger(call, result):
                left = requests
            return result

        behaviour.answer = answer

    return install


def try_again() -> ApiError:
    """Return the refusal of good credentials."""
    return ApiError(403, 20403, "Try again later")


def not_allowed() -> ApiError:
    """Return the refusal of POST."""
    return ApiError(405, 20004, "Method not allowed", ("Allow", "GET"))


def poisons_connection(trigger: Callable[[Call, Answer], object]) -> Install:
    """Return a mistake: after some requests, their connection answers with server errors only."""

    def install(behaviour: Behaviour) -> None:
        inner = behaviour.answer
        poisoned: set[tuple[str, int] | None] = set()

        async def answer(call: Call) -> Answer:
            if call.client in poisoned:
                raise Crash
            result = await inner(call)
            if trigger(call, result):
                poisoned.add(call.client)
            return result

        behaviour.answer = answer

    return install


def overloads(behaviour: Behaviour) -> None:
    """Answer 500 for half a second after a body of more than 10,000 bytes."""
    inner = behaviour.answer
    until = 0.0

    async def answer(call: Call) -> Answer:
        nonlocal until
        if time.monotonic() < until:
            raise Crash
        if len(call.body) > 10_000:
            until = time.monotonic() + 0.5
        return await inner(call)

    behaviour.answer = answer


def locks_out(behaviour: Behaviour) -> None:
    """Refuse good credentials five times after five bad ones in a row."""
    inner = behaviour.authenticate
    failures = 0

    def authenticate(call: Call) -> str:
        nonlocal failures
        if failures >= 5:
            failures = failures + 1 if failures < 9 else 0
            raise ApiError(403, 20403, "Too many failed logins")
        try:
            account = inner(call)
        except ApiError:
            failures += 1
            raise
        failures = 0
        return account

    behaviour.authenticate = authenticate


def leaks(add: Callable[[Answer, str], Answer], when: Callable[[Answer], bool]) -> Install:
    """Return a mistake: the token of the account that a request names is added to some answers."""

    def install(behaviour: Behaviour) -> None:
        inner = behaviour.finish

        def finish(call: Call, answer: Answer) -> Answer:
            name, _ = parse_credentials(call) or ("", "")
            finished = inner(call, answer)
            token = behaviour.accounts.get(name)
            return add(finished, token) if token and when(finished) else finished

        behaviour.finish = finish

    return install


def leaks_authorization(name: str, when: Callable[[Answer], bool]) -> Install:
    """Return a mistake: the Authorization header comes back in another one."""

    def install(behaviour: Behaviour) -> None:
        inner = behaviour.finish

        def finish(call: Call, answer: Answer) -> Answer:
            finished = inner(call, answer)
            sent = call.header(b"authorization")
            if not sent or not when(finished):
                return finished
            return replace(finished, headers=(*finished.headers, (name, sent)))

        behaviour.finish = finish

    return install


def in_message(text: str) -> Callable[[Answer, str], Answer]:
    """Return a leak: the token stands in the message of an error."""

    def add(answer: Answer, token: str) -> Answer:
        document = json.loads(answer.body)
        document["message"] += text.format(token=token)
        return replace(answer, body=json.dumps(document).encode())

    return add


def in_header(name: str, text: str = "{token}") -> Callable[[Answer, str], Answer]:
    """Return a leak: the token stands in a header."""
    return lambda answer, token: replace(answer, headers=(*answer.headers, (name, text.format(token=token))))


def in_body(pattern: bytes, replacement: str) -> Callable[[Answer, str], Answer]:
    """Return a leak: the token is written into the body."""
    return lambda answer, token: replace(
        answer, body=re.sub(pattern, replacement.format(token=token).encode(), answer.body, count=1)
    )

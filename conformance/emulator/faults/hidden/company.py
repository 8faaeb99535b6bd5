"""Mistakes that show in company: what comes along with a request, what is written beside it, what others hold."""

import asyncio
from collections.abc import Callable
from urllib.parse import parse_qsl

from conformance.emulator.alterations import WITNESS_ACCOUNTS, Fault, Install, Step, fault
from conformance.emulator.behaviour import FORM, Behaviour, Changes
from conformance.emulator.faults import protocol_mistakes as forms
from conformance.emulator.faults.hidden import concurrency
from conformance.emulator.faults.hidden.combinations import any_password, anybody, chunked
from conformance.emulator.faults.hidden.occasions import only, post, user
from conformance.emulator.faults.robustness_mistakes import Crash, header, on
from conformance.emulator.forms import Pairs, decode_form
from conformance.emulator.messages import JSON, Answer, ApiError, Call
from conformance.emulator.store import Row

SID = next(iter(WITNESS_ACCOUNTS))
CHAT = "DefaultChatServiceSid"
A, D = "DefaultInactiveTimer=PT1H", "DefaultClosedTimer=P1D"
READ = Step(method="GET")

_PAUSE = 5 * concurrency.PAUSE
"""Seconds that a request takes: long enough for many others to come."""


def _with(name: str, value: str, credentials: str | None = None) -> Step:
    return Step(A, credentials=credentials, headers=(("Content-Type", FORM), (name, value)))


def _query_merged(behaviour: Behaviour) -> None:
    """Keep what the query says beside the form, unread."""
    inner_pairs, inner_write = behaviour.pairs, behaviour.write
    merged: list[Changes] = []

    def pairs(call: Call) -> Pairs:
        query = parse_qsl(call.query.decode("latin-1"))
        merged[:] = [{behaviour.fields[name].column: v for name, v in query if name in behaviour.fields}]
        return inner_pairs(call)

    async def write(account: str, changes: Changes) -> Row:
        return await inner_write(account, {**merged[0], **changes})

    behaviour.pairs, behaviour.write = pairs, write


def _written_first(behaviour: Behaviour) -> None:
    """Handle the form before the password is looked at."""
    inner = behaviour.authenticate

    def authenticate(call: Call) -> str:
        try:
            return inner(call)
        except ApiError:
            if post(call) and user(call) in behaviour.accounts:
                values = behaviour.collect(behaviour.pairs(call))
                behaviour.store.update(user(call), behaviour.validate(user(call), values))
            raise

    behaviour.authenticate = authenticate


def _put_by_anybody(behaviour: Behaviour) -> None:
    behaviour.methods["PUT"] = behaviour.methods["POST"]
    anybody(behaviour)


def _inherited(behaviour: Behaviour) -> None:
    """Show the first account's value where an account has none."""
    inner = behaviour.represent

    def represent(call: Call, account: str, row: Row) -> JSON:
        first = behaviour.store.read(next(iter(behaviour.accounts)))
        return inner(call, account, {name: value or first[name] for name, value in row.items()})

    behaviour.represent = represent


def _second_lost(behaviour: Behaviour) -> None:
    """Keep the first of two updates that are written at the same time; a third one finds the first one done."""
    inner = behaviour.write
    running: list[str] = []

    async def write(account: str, changes: Changes) -> Row:
        is_second = running.count(account) == 1
        running.append(account)
        await asyncio.sleep(_PAUSE)  # requests sent at the same time overlap only in a write that takes time
        running.remove(account)
        return behaviour.store.read(account) | changes if is_second else await inner(account, changes)

    behaviour.write = write


def _busy(behaviour: Behaviour) -> None:
    """Refuse to read what is being written."""
    inner_write, inner_read = behaviour.write, behaviour.read
    running: list[str] = []

    async def write(account: str, changes: Changes) -> Row:
        running.append(account)
        await asyncio.sleep(_PAUSE)  # requests sent at the same time overlap only in a write that takes time
        running.remove(account)
        return await inner_write(account, changes)

    async def read(account: str) -> Row:
        if account in running:
            raise ApiError(409, 20409, "The configuration is being updated")
        return await inner_read(account)

    behaviour.write, behaviour.read = write, read


def _sixteen_at_once(behaviour: Behaviour) -> None:
    """Have a pool of sixteen workers, and nobody who waits."""
    inner = behaviour.answer
    running: list[Call] = []

    async def answer(call: Call) -> Answer:
        if len(running) >= 16:
            raise Crash
        running.append(call)
        await asyncio.sleep(_PAUSE)  # requests sent at the same time overlap only in a write that takes time
        running.remove(call)
        return await inner(call)

    behaviour.answer = answer


def _last_of_blocks_lost(body: bytes) -> Pairs:
    """Take a form that ends with a block of 1 KiB for cut off, and drop its last pair."""
    pairs = decode_form(body)
    return pairs[:-1] if len(body) > 1 and len(body) % 1024 == 0 else pairs


def _two_wrong_pass(behaviour: Behaviour) -> None:
    """Let a second wrong character of a SID turn the result of the first one over."""
    sid = behaviour.sids[CHAT]
    inner = sid.validate

    def validate(text: str) -> str | None:
        wrong = [each for each in text[2:] if each not in "0123456789abcdefABCDEF"]
        return text if len(text) == 34 and text.startswith("IS") and len(wrong) == 2 else inner(text)

    sid.validate = validate


def _header_size(call: Call) -> int:
    return sum(len(name) + len(value) for name, value in call.headers)


def _expects_in_capitals(call: Call) -> bool:
    said = call.header(b"expect") or ""
    return said.lower() == "100-continue" != said


def _fault(name: str, rules: str, text: str, install: Install, *witness: str | Step) -> Fault:
    return fault(name, rules, "company", text, install, witness)


def _open(
    name: str, text: str, when: Callable[[Call], object], step: Step, install: Install = anybody
) -> Fault:
    return _fault(name, "credentials-required", text, only(when, install), step)


# fmt: off
ALL: tuple[Fault, ...] = (
    _open("loopback-trusted", "Who comes from the machine itself, as X-Forwarded-For says, needs no credentials.",
      header(b"x-forwarded-for", r"\A127\."), _with("X-Forwarded-For", "127.0.0.1", "")),
    _open("remote-user-trusted", "Who has an X-Remote-User was let in by a proxy, and needs no password.",
      header(b"x-remote-user", "."), _with("X-Remote-User", SID, f"{SID}:wrong"), any_password),
    _open("put-open-to-anybody", "PUT updates too, and asks for no credentials.",
      lambda call: call.method == "PUT", Step(A, "PUT", credentials=""), _put_by_anybody),
    _fault("written-before-401-where-expected", "credentials-required",
      "With Expect: 100-continue a form is written before its password is looked at.",
      only(header(b"expect", "."), _written_first), _with("Expect", "100-continue", f"{SID}:wrong"), READ),
    _fault("expectation-in-capitals-refused", "ignored-headers",
      "Expect: 100-Continue is refused with 417, though expectations have no case.",
      forms.refuses_call(_expects_in_capitals, 417), _with("Expect", "100-Continue")),
    _fault("query-kept-in-chunks", "unvalidated-write",
      "Where a form comes in chunks, what the query says beside it is kept unread.",
      only(chunked, _query_merged), Step(A, path="/v1/Configuration?DefaultClosedTimer=PT1S", chunked=True)),
    _fault("unset-inherited-from-first", "accounts-apart",
      "An account without a setting shows that of the first account.", _inherited, A, Step(account=1)),
    _fault("second-of-two-writers-lost", "concurrent-writers read-after-write read-reflects-writes",
      "The second of two updates at the same time is answered, and lost.", _second_lost,
      Step(A, beside=(Step(D),)), READ),
    _fault("read-beside-writer-refused", "read-reflects-writes",
      "While an update is being written, a read of the account gets 409.", _busy, Step(A, beside=(READ,))),
    _fault("seventeen-at-once-crash", "no-server-error", "More than sixteen requests at a time end in a server error.",
      _sixteen_at_once, Step(A, beside=(READ,) * 20)),
    _fault("last-pair-of-full-blocks-lost", "parameter-order last-write-wins",
      "A form that fills its last block of 1 KiB loses its last pair.", forms.decodes(_last_of_blocks_lost),
      f"x={'y' * (1024 - len(A) - 3)}&{A}"),
    _fault("crash-on-headers-of-eight-kilobytes", "no-server-error",
      "A server error comes where all headers have more than 8 KiB.", on(lambda call: _header_size(call) > 8192),
      _with("X-Long", "x" * 8200)),
    _fault("two-wrong-characters-pass", "chat-service-sid-alphabet",
      "A second wrong character of a SID turns the result of the first one over.", _two_wrong_pass,
      f"{CHAT}=IS{'a' * 30}gg"),
)
# fmt: on

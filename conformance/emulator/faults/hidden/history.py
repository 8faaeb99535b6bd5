"""Mistakes that show after certain requests, or at a certain count of them."""

import time
from collections.abc import Callable

from conformance.emulator.alterations import WITNESS_ACCOUNTS, Fault, Install, Step, fault
from conformance.emulator.behaviour import Behaviour, Changes
from conformance.emulator.faults import aftermath_mistakes as aftermath
from conformance.emulator.faults import state_mistakes, timer_mistakes
from conformance.emulator.faults.hidden.occasions import After, Counted, on, post, user
from conformance.emulator.faults.robustness_mistakes import Crash
from conformance.emulator.messages import Answer, ApiError, Call
from conformance.emulator.store import COLUMNS, Row

SID = next(iter(WITNESS_ACCOUNTS))
CHAT, MESSAGING, INACTIVE, CLOSED = COLUMNS
A, B, D = "DefaultInactiveTimer=PT1H", "DefaultInactiveTimer=PT2H", "DefaultClosedTimer=P1D"
IS = "DefaultChatServiceSid=IS" + "a" * 32
BANANA = "DefaultInactiveTimer=banana"
READ = Step(method="GET")
EMPTY = Step()
WRONG = Step(A, credentials=f"{SID}:wrong")
ELSEWHERE = Step(method="GET", path="/v1/Services")

_forgets = state_mistakes.shows_but_forgets(lambda count, changes: True)
_resets = state_mistakes.resets(*COLUMNS)


def with_form(call: Call) -> bool:
    """Tell whether a request is an update that has a body."""
    return post(call) and bool(call.body)


def _closed_minimum_unchecked(behaviour: Behaviour) -> None:
    timer_mistakes.at_least(lambda minimum: -1e99)(behaviour.timers["DefaultClosedTimer"])


def _next_update(after: Callable[[Call, Answer], object], install: Install) -> Install:
    """Return a mistake that is made in the next update with a body, of the same user, after a request."""
    return on(lambda: After(after, of=user, among=with_form), install)


def _raises(error: Callable[[], ApiError]) -> Install:
    def install(behaviour: Behaviour) -> None:
        async def refused(call: Call) -> Answer:
            return behaviour.finish(call, behaviour.refuse(call, error()))

        behaviour.answer = refused

    return install


def _shows_null_first(behaviour: Behaviour) -> None:
    """Show the state from before where a setting gets its first value."""
    inner = behaviour.write

    async def write(account: str, changes: Changes) -> Row:
        before = behaviour.store.read(account)
        row = await inner(account, changes)
        return row | {column: None for column in changes if before[column] is None}

    behaviour.write = write


def _unchecked_beside_unchanged(behaviour: Behaviour) -> None:
    """Take a form whose inactive timer is the one in force for one that leaves the timers as they are."""
    inner = behaviour.validate

    def validate(account: str, values: dict[str, str]) -> Changes:
        if values.get("DefaultInactiveTimer") != behaviour.store.read(account)[INACTIVE] or len(values) < 2:
            return inner(account, values)
        others = {name: value for name, value in values.items() if name != "DefaultClosedTimer"}
        unchecked = {CLOSED: values["DefaultClosedTimer"]} if len(others) < len(values) else {}
        return {**inner(account, others), **unchecked}

    behaviour.validate = validate


def _never_longer_than_closed(behaviour: Behaviour) -> None:
    """Shorten the inactive timer where the closed one becomes shorter than it."""
    inner, length = behaviour.write, behaviour.timers["DefaultClosedTimer"].parse

    async def write(account: str, changes: Changes) -> Row:
        closed, inactive = changes.get(CLOSED), behaviour.store.read(account)[INACTIVE]
        if closed is not None and inactive is not None and INACTIVE not in changes:
            changes = {**changes, INACTIVE: closed} if length(closed) < length(inactive) else changes
        return await inner(account, changes)

    behaviour.write = write


def _longer_of_a_second(behaviour: Behaviour) -> None:
    """Order writes by whole seconds, and those of one second by their text."""
    written: dict[tuple[str, str], tuple[int, str]] = {}
    inner = behaviour.write

    async def write(account: str, changes: Changes) -> Row:
        now, kept = int(time.monotonic()), dict(changes)
        for column, value in changes.items():
            stamp = (now, value or "")
            if stamp < written.get((account, column), stamp):
                del kept[column]
            else:
                written[account, column] = stamp
        return await inner(account, kept)

    behaviour.write = write


def _third_in_a_row_refused(behaviour: Behaviour) -> None:
    """Take a third equal body in a row for a loop of the client."""
    inner = behaviour.methods["POST"]
    latest: dict[str, list[bytes]] = {}

    async def handle(call: Call, account: str) -> Answer:
        bodies = [*latest.get(account, []), call.body][-3:]
        if call.body and bodies == [call.body] * 3:
            raise ApiError(409, 20409, "The same update was made three times")
        latest[account] = bodies
        return await inner(call, account)

    behaviour.methods["POST"] = handle


def _pool_leaks(behaviour: Behaviour) -> None:
    """Lose one of a hundred connections to the database with every refused form."""
    inner = behaviour.answer
    lost = 0

    async def answer(call: Call) -> Answer:
        nonlocal lost
        if lost >= 100:
            raise Crash
        answered = await inner(call)
        lost += answered.status == 400
        return answered

    behaviour.answer = answer


def _undone_by_refusal(behaviour: Behaviour) -> None:
    """Roll the account's last update back with a refused one."""
    inner_write, inner_validate = behaviour.write, behaviour.validate
    before: dict[str, Row] = {}

    async def write(account: str, changes: Changes) -> Row:
        if len(changes) > 1:
            before[account] = behaviour.store.read(account)
        else:
            before.pop(account, None)
        return await inner_write(account, changes)

    def validate(account: str, values: dict[str, str]) -> Changes:
        try:
            return inner_validate(account, values)
        except ApiError:
            if account in before:
                behaviour.store.update(account, before.pop(account))
            raise

    behaviour.write, behaviour.validate = write, validate


def _refusal(call: Call, answer: Answer) -> bool:
    return answer.status == 400


def _at(place: Callable[[int], object], install: Install) -> Install:
    """Return a mistake that is made in the updates with a body whose place meets a condition."""
    return on(lambda: Counted(place, among=with_form), install)


def _alternately(count: int) -> list[str | Step]:
    return [(A, B)[number % 2] for number in range(count)]


def _five_in_a_row(behaviour: Behaviour) -> None:
    inner = behaviour.answer
    refused = 0

    async def answer(call: Call) -> Answer:
        nonlocal refused
        if refused == 5:
            refused = 0
            return behaviour.finish(call, behaviour.refuse(call, aftermath.try_again()))
        answered = await inner(call)
        refused = refused + 1 if answered.status == 400 else 0
        return answered

    behaviour.answer = answer


def _fault(name: str, rules: str, text: str, install: Install, *witness: str | Step) -> Fault:
    return fault(name, rules, "history", text, install, witness)


# fmt: off
ALL: tuple[Fault, ...] = (
    _fault("first-update-of-all-lost", "read-after-write read-reflects-writes",
      "The first update after the start is answered before the database is open, and lost.",
      _at(lambda count: count == 1, _forgets), A, EMPTY),
    _fault("first-value-shown-as-null", "last-write-wins inactive-timer-echo closed-timer-echo chat-service-sid-echo"
      " messaging-service-sid-echo",
      "Where a setting gets its first value, the answer shows null.", _shows_null_first, A),
    _fault("closed-timer-unchecked-beside-unchanged", "closed-timer-syntax closed-timer-minimum",
      "Where a form sends the inactive timer that is in force already, its closed timer is not checked.",
      _unchecked_beside_unchanged, A, f"{A}&DefaultClosedTimer=banana"),
    _fault("closed-timer-shortens-inactive", "omitted-parameters-kept",
      "A closed timer that is shorter than the inactive one shortens that, too.", _never_longer_than_closed,
      "DefaultInactiveTimer=P1D&DefaultClosedTimer=P2D", "DefaultClosedTimer=PT1H"),
    _fault("update-after-refusal-lost", "read-after-write read-reflects-writes",
      "The update after a refused one is answered, and rolled back with it.", _next_update(_refusal, _forgets),
      BANANA, A, EMPTY),
    _fault("update-after-401-lost", "read-after-write read-reflects-writes",
      "After a 401, the next update with the same user name is answered, but not committed.",
      _next_update(lambda call, answer: answer.status == 401, _forgets), WRONG, A, EMPTY),
    _fault("update-after-401-resets-omitted", "omitted-parameters-kept",
      "After a 401, the next update with the same user name replaces the whole configuration.",
      _next_update(lambda call, answer: answer.status == 401, _resets), IS, WRONG, A),
    _fault("unknown-path-breaks-next-update", "stays-usable",
      "After a 404 elsewhere the next update is not found either.",
      _next_update(lambda call, answer: answer.status == 404 and not post(call),
                   _raises(lambda: ApiError(404, 20404, "The requested resource was not found"))), ELSEWHERE, A),
    _fault("update-after-empty-resets-omitted", "omitted-parameters-kept",
      "The update after one without parameters replaces the whole configuration.",
      _next_update(lambda call, answer: post(call) and not call.body, _resets), IS, EMPTY, A),
    _fault("update-after-read-unchecked", "closed-timer-minimum closed-timer-strictness",
      "In the update after a read the minimum of the closed timer is not checked.",
      _next_update(lambda call, answer: call.method == "GET" and answer.status == 200, _closed_minimum_unchecked),
      READ, "DefaultClosedTimer=PT1M"),
    _fault("update-after-head-lost", "read-after-write read-reflects-writes",
      "The update after a HEAD is answered, but made in a transaction that only reads.",
      _next_update(lambda call, answer: call.method == "HEAD", _forgets), Step(method="HEAD"), A, EMPTY),
    _fault("second-refusal-writes", "rejected-update-changes-nothing",
      "Of two refusals in a row, the second writes what is refused.",
      on(lambda: After(_refusal, of=user, among=with_form),
         state_mistakes.writes_what_it_refuses("DefaultInactiveTimer")), BANANA, BANANA, READ),
    _fault("refusal-undoes-previous", "rejected-update-changes-nothing",
      "A refused update undoes the update before it, where that had several parameters.", _undone_by_refusal,
      f"{A}&{D}", BANANA, READ),
    _fault("update-resets-omitted-at-128th", "omitted-parameters-kept",
      "Every 128th update of the whole service writes a snapshot, in which what it omits is null.",
      _at(lambda count: count % 128 == 0, _resets), IS, *_alternately(127), READ),
    _fault("update-lost-at-257th", "read-after-write read-reflects-writes",
      "The counter of updates is a byte, and one is overwritten where it comes round.",
      _at(lambda count: count % 256 == 1 and count > 1, _forgets), *_alternately(257), EMPTY),
    _fault("minimum-unchecked-from-257th-update", "closed-timer-minimum closed-timer-strictness",
      "From the 257th update on, the cache of checks is full, and the minimum of the closed timer is not checked.",
      _at(lambda count: count > 256, _closed_minimum_unchecked), *_alternately(256), "DefaultClosedTimer=PT1M"),
    _fault("pool-leaks-on-refusals", "no-server-error stays-usable",
      "Every refused form loses one of a hundred connections to the database.", _pool_leaks, *[BANANA] * 100, A),
    _fault("later-text-of-a-second-wins", "last-write-wins",
      "Writes are ordered by whole seconds, and those of one second by their text.", _longer_of_a_second, *[B, A] * 2),
    _fault("third-repeat-refused", "idempotence", "The same body three times in a row is refused.",
      _third_in_a_row_refused, A, A, A),
    _fault("five-refusals-break-next", "stays-usable",
      "After five refused forms in a row the next request is refused too.",
      _five_in_a_row, *[BANANA] * 5, A),
)
# fmt: on

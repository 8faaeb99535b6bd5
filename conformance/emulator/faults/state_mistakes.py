"""The mistakes of `state`, as functions that build them in."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from decimal import Decimal

from conformance.emulator.alterations import Install
from conformance.emulator.behaviour import Behaviour, Changes, Handler, collect
from conformance.emulator.fields import SidField, TimerField
from conformance.emulator.messages import Answer, ApiError, Call
from conformance.emulator.store import COLUMNS, Row

CHAT, MESSAGING, INACTIVE, CLOSED = COLUMNS


def falls_back(behaviour: Behaviour, account: str, changes: Changes, row: Row) -> Changes:
    """Add a day for each timer that was not sent."""
    fallen: Changes = {INACTIVE: "P1D", CLOSED: "P1D"}
    return fallen | changes if changes else changes


def writes(change: Callable[[Behaviour, str, Changes, Row], Changes]) -> Install:
    """Return a mistake: a function of the sent changes and the present state gives the changes to write."""

    def install(behaviour: Behaviour) -> None:
        inner = behaviour.write

        async def write(account: str, changes: Changes) -> Row:
            return await inner(account, change(behaviour, account, changes, behaviour.store.read(account)))

        behaviour.write = write

    return install


def resets(*columns: str, beside: Iterable[str] = COLUMNS) -> Install:
    """Return a mistake: an update of certain columns sets other columns, which were not sent, to null."""
    triggers = set(beside)
    return writes(
        lambda behaviour, account, changes, row: (
            dict.fromkeys(columns) | changes if triggers & changes.keys() else changes
        )
    )


def posts(around: Callable[[Behaviour, Handler], Handler]) -> Install:
    """Return a mistake: POST is handled by a function around the right one."""

    def install(behaviour: Behaviour) -> None:
        behaviour.methods["POST"] = around(behaviour, behaviour.methods["POST"])

    return install


def reads(change: Callable[[Row], Row]) -> Install:
    """Return a mistake: GET and HEAD show something else than what is stored."""

    def install(behaviour: Behaviour) -> None:
        async def read(account: str) -> Row:
            return change(behaviour.store.read(account))

        behaviour.read = read

    return install


def writes_before_it_refuses(
    order: Callable[[list[TimerField | SidField]], list[TimerField | SidField]],
) -> Install:
    """Return a mistake: each value is written as soon as it has passed."""

    def install(behaviour: Behaviour) -> None:
        def validate(account: str, values: dict[str, str]) -> Changes:
            changes: Changes = {}
            for field in order([behaviour.fields[parameter] for parameter in values]):
                changes[field.column] = field.validate(values[field.parameter])
                behaviour.store.update(account, {field.column: changes[field.column]})
            return changes

        behaviour.validate = validate

    return install


def sids_first(fields: list[TimerField | SidField]) -> list[TimerField | SidField]:
    """Return the SIDs before the timers."""
    return sorted(fields, key=lambda field: isinstance(field, TimerField))


def writes_what_it_refuses(parameter: str) -> Install:
    """Return a mistake: a refused value of one parameter is written."""

    def install(behaviour: Behaviour) -> None:
        inner = behaviour.validate

        def validate(account: str, values: dict[str, str]) -> Changes:
            try:
                return inner(account, values)
            except ApiError:
                if parameter in values:
                    behaviour.store.update(account, {behaviour.fields[parameter].column: values[parameter]})
                raise

        behaviour.validate = validate

    return install


def refusal_clears(behaviour: Behaviour, inner: Handler) -> Handler:
    async def post(call: Call, account: str) -> Answer:
        try:
            return await inner(call, account)
        except ApiError:
            fields = behaviour.fields
            named = {fields[name].column for name, _ in behaviour.decode(call.body) if name in fields}
            behaviour.store.update(account, dict.fromkeys(named))
            raise

    return post


def shows_previous(behaviour: Behaviour, inner: Handler) -> Handler:
    async def post(call: Call, account: str) -> Answer:
        before = behaviour.store.read(account)
        await inner(call, account)
        return behaviour.show(call, account, before)

    return post


def shows_what_was_sent_only(behaviour: Behaviour, inner: Handler) -> Handler:
    async def post(call: Call, account: str) -> Answer:
        values = collect(behaviour, behaviour.pairs(call))
        await inner(call, account)
        sent: Row = {behaviour.fields[name].column: text for name, text in values.items()}
        return behaviour.show(call, account, dict.fromkeys(COLUMNS) | sent)

    return post


def shows_but_forgets(condition: Callable[[int, Changes], bool]) -> Install:
    """Return a mistake: some updates are answered as they should be, but not written."""

    def install(behaviour: Behaviour) -> None:
        inner = behaviour.write
        count = 0

        async def write(account: str, changes: Changes) -> Row:
            nonlocal count
            count += bool(changes)
            if changes and condition(count, changes):
                return behaviour.store.read(account) | changes
            return await inner(account, changes)

        behaviour.write = write

    return install


def keeps_first(behaviour: Behaviour, account: str, changes: Changes, row: Row) -> Changes:
    return {column: value for column, value in changes.items() if row[column] is None}


def keeps_same_length(behaviour: Behaviour, account: str, changes: Changes, row: Row) -> Changes:
    """Leave out a text that is as long as the present one."""
    return {column: value for column, value in changes.items() if len(value or "") != len(row[column] or "")}


def keeps_longer_text(behaviour: Behaviour, account: str, changes: Changes, row: Row) -> Changes:
    return {column: value for column, value in changes.items() if len(value or "") >= len(row[column] or "")}


def timers_only(compare: Callable[[Decimal, Decimal], bool]) -> Install:
    """Return a mistake: a timer is written only where a comparison of its new and its present length holds."""

    def change(behaviour: Behaviour, account: str, changes: Changes, row: Row) -> Changes:
        written = dict(changes)
        for timer in behaviour.timers.values():
            new, old = changes.get(timer.column), row[timer.column]
            if new and old and not compare(timer.parse(new), timer.parse(old)):
                del written[timer.column]
        return written

    return writes(change)


def ignores_seen_values(behaviour: Behaviour) -> None:
    seen: set[tuple[str, str, str | None]] = set()
    inner = behaviour.write

    async def write(account: str, changes: Changes) -> Row:
        new = {column: value for column, value in changes.items() if (account, column, value) not in seen}
        seen.update((account, column, value) for column, value in changes.items())
        return await inner(account, new)

    behaviour.write = write


def debounces(behaviour: Behaviour) -> None:
    latest: dict[tuple[str, str], float] = {}
    inner = behaviour.write

    async def write(account: str, changes: Changes) -> Row:
        now = time.monotonic()
        new = {
            column: value
            for column, value in changes.items()
            if now - latest.get((account, column), 0.0) > 0.05
        }
        latest.update(dict.fromkeys(((account, column) for column in new), now))
        return await inner(account, new)

    behaviour.write = write


def expires(behaviour: Behaviour) -> None:
    written: dict[tuple[str, str], float] = {}
    inner = behaviour.write

    def forget(account: str) -> None:
        old = [key for key, at in written.items() if key[0] == account and time.monotonic() - at > 1.0]
        behaviour.store.update(account, {written_column: None for _, written_column in old})
        for key in old:
            del written[key]

    async def write(account: str, changes: Changes) -> Row:
        forget(account)
        written.update(dict.fromkeys(((account, column) for column in changes), time.monotonic()))
        return await inner(account, changes)

    async def read(account: str) -> Row:
        forget(account)
        return behaviour.store.read(account)

    behaviour.write, behaviour.read = write, read


def two_workers(behaviour: Behaviour) -> None:
    """Keep the state in the memory of two workers, which take requests in turn."""
    workers: list[dict[str, Row]] = [{}, {}]
    count = 0

    def state(account: str) -> Row:
        return workers[count % 2].setdefault(account, behaviour.store.read(account))

    async def write(account: str, changes: Changes) -> Row:
        nonlocal count
        count += 1
        state(account).update(changes)
        return dict(state(account))

    async def read(account: str) -> Row:
        nonlocal count
        count += 1
        return dict(state(account))

    behaviour.write, behaviour.read = write, read


def cached_answer(seconds: float, method: str) -> Install:
    """Return a mistake: an answer is cached by account, and sent again for a while."""

    def install(behaviour: Behaviour) -> None:
        cache: dict[str, tuple[float, Row]] = {}

        async def read(account: str) -> Row:
            now = time.monotonic()
            if account not in cache or now - cache[account][0] > seconds:
                cache[account] = (now, behaviour.store.read(account))
            return cache[account][1]

        inner = behaviour.write

        async def write(account: str, changes: Changes) -> Row:
            row = await inner(account, changes)
            if method == "GET":
                return row
            shown = await read(account)
            return shown | changes

        if method == "GET":
            behaviour.read = read
        else:
            behaviour.write = write

    return install


def one_behind(behaviour: Behaviour) -> None:
    previous: dict[str, Row] = {}
    inner = behaviour.write

    async def write(account: str, changes: Changes) -> Row:
        if changes:
            previous[account] = behaviour.store.read(account)
        return await inner(account, changes)

    async def read(account: str) -> Row:
        return previous.get(account) or behaviour.store.read(account)

    behaviour.write, behaviour.read = write, read


def same_body_again(answer: Callable[[Behaviour, Call, str], Answer]) -> Install:
    """Return a mistake: the same body twice in a row is handled by another function the second time."""

    def around(behaviour: Behaviour, inner: Handler) -> Handler:
        latest: dict[str, bytes] = {}

        async def post(call: Call, account: str) -> Answer:
            if call.body and latest.get(account) == call.body:
                return answer(behaviour, call, account)
            result = await inner(call, account)
            latest[account] = call.body
            return result

        return post

    return posts(around)


def conflict(behaviour: Behaviour, call: Call, account: str) -> Answer:
    raise ApiError(409, 20409, "Nothing to change")


def unchanged(behaviour: Behaviour, call: Call, account: str) -> Answer:
    raise ApiError(400, 20001, "The value is the present one")


def toggled(behaviour: Behaviour, call: Call, account: str) -> Answer:
    fields = behaviour.fields
    sent = [fields[name].column for name, _ in behaviour.decode(call.body) if name in fields]
    return behaviour.show(call, account, behaviour.store.update(account, dict.fromkeys(sent)))


def same_value_refused(behaviour: Behaviour) -> None:
    def combine(account: str, changes: Changes) -> Changes:
        row = behaviour.store.read(account)
        if changes and all(row[column] == value for column, value in changes.items()):
            raise ApiError(400, 20001, "Nothing to change")
        return changes

    behaviour.combine = combine


def reading(change: Callable[[Behaviour, str], None], *methods: str) -> Install:
    """Return a mistake: reading by these methods changes the state, after it was shown."""

    def install(behaviour: Behaviour) -> None:
        for method in methods:
            inner = behaviour.methods[method]

            async def handle(call: Call, account: str, inner: Handler = inner) -> Answer:
                answer = await inner(call, account)
                change(behaviour, account)
                return answer

            behaviour.methods[method] = handle

    return install


def reset_all(behaviour: Behaviour, account: str) -> None:
    behaviour.store.update(account, dict.fromkeys(COLUMNS))


def reset_timers(behaviour: Behaviour, account: str) -> None:
    behaviour.store.update(account, {INACTIVE: None, CLOSED: None})


def lengthen(behaviour: Behaviour, account: str) -> None:
    """Touch the closed timer on reading, as a sliding expiry does."""
    if behaviour.store.read(account)[CLOSED] is not None:
        behaviour.store.update(account, {CLOSED: "P30D"})


def handled_as_post(*methods: str) -> Install:
    def install(behaviour: Behaviour) -> None:
        for method in methods:
            behaviour.methods[method] = behaviour.methods["POST"]

    return install


def get_with_query_writes(behaviour: Behaviour) -> None:
    inner = behaviour.methods["GET"]

    async def get(call: Call, account: str) -> Answer:
        fields = behaviour.fields
        sent = {fields[name].column: text for name, text in behaviour.decode(call.query) if name in fields}
        behaviour.store.update(account, dict(sent))
        return await inner(call, account)

    behaviour.methods["GET"] = get


def empty_refused(status: int, code: int) -> Install:
    def around(behaviour: Behaviour, inner: Handler) -> Handler:
        async def post(call: Call, account: str) -> Answer:
            if not call.body:
                raise ApiError(status, code, "The update does not contain any parameters")
            return await inner(call, account)

        return post

    return posts(around)


def empty_resets(behaviour: Behaviour, inner: Handler) -> Handler:
    async def post(call: Call, account: str) -> Answer:
        if not call.body:
            reset_all(behaviour, account)
        return await inner(call, account)

    return post


def counted(condition: Callable[[int], bool], change: Callable[[Changes, Row], Changes]) -> Install:
    def install(behaviour: Behaviour) -> None:
        count: defaultdict[str, int] = defaultdict(int)

        def changed(behaviour: Behaviour, account: str, changes: Changes, row: Row) -> Changes:
            count[account] += 1
            return change(changes, row) if condition(count[account]) else changes

        writes(changed)(behaviour)

    return install

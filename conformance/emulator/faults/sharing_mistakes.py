"""The mistakes of `state` that concern several accounts or writers, as functions."""

import asyncio
from collections.abc import Callable

from conformance.emulator.alterations import Install
from conformance.emulator.behaviour import Behaviour, Changes
from conformance.emulator.messages import ApiError, Call
from conformance.emulator.store import Row


def under_key(key: Callable[[Behaviour, str], str]) -> Install:
    """Return a mistake: the state of an account is that of another one, found by `key`."""

    def install(behaviour: Behaviour) -> None:
        inner_write, inner_read = behaviour.write, behaviour.read
        behaviour.write = lambda account, changes: inner_write(key(behaviour, account), changes)
        behaviour.read = lambda account: inner_read(key(behaviour, account))

    return install


def remembers_connection(behaviour: Behaviour) -> None:
    """Authenticate a connection once, and take its account for every later request on it."""
    known: dict[tuple[str, int], str] = {}
    inner = behaviour.authenticate

    def authenticate(call: Call) -> str:
        account = inner(call)
        return known.setdefault(call.client, account) if call.client else account

    behaviour.authenticate = authenticate


def last_writer(behaviour: Behaviour) -> None:
    """Read the account that wrote last, whoever asks."""
    latest: list[str] = []
    inner_write, inner_read = behaviour.write, behaviour.read

    async def write(account: str, changes: Changes) -> Row:
        latest[:] = [account]
        return await inner_write(account, changes)

    behaviour.write = write
    behaviour.read = lambda account: inner_read(latest[0] if latest else account)


def shared_after(column: str) -> Install:
    """Return a mistake: one column is kept once for all accounts."""

    def install(behaviour: Behaviour) -> None:
        inner = behaviour.write

        async def write(account: str, changes: Changes) -> Row:
            if column in changes:
                for other in behaviour.accounts:
                    behaviour.store.update(other, {column: changes[column]})
            return await inner(account, changes)

        behaviour.write = write

    return install


def read_modify_write(columns: tuple[str, ...], pause: float) -> Install:
    """Return a mistake: the whole row is read, changed and written back, with a pause in between."""

    def install(behaviour: Behaviour) -> None:
        async def write(account: str, changes: Changes) -> Row:
            row = behaviour.store.read(account)
            await asyncio.sleep(pause)  # between read and write: the race
            kept = {column: row[column] for column in columns}
            return behaviour.store.update(account, kept | changes)

        behaviour.write = write

    return install


def answers_another(behaviour: Behaviour) -> None:
    """Keep what is to be answered in one place for all requests."""
    current: dict[str, tuple[str, Changes]] = {}

    async def write(account: str, changes: Changes) -> Row:
        current["request"] = (account, changes)
        await asyncio.sleep(0.002)  # long enough for another to mix in
        _, latest = current["request"]
        return behaviour.store.update(account, latest)

    behaviour.write = write


def locked(behaviour: Behaviour) -> None:
    """Fail while another update is being written, as with a database lock that nobody waits for."""
    busy: set[str] = set()
    inner = behaviour.write

    async def write(account: str, changes: Changes) -> Row:
        if busy:
            raise ApiError(409, 20409, "Another update is being made")
        busy.add(account)
        try:
            await asyncio.sleep(0.002)  # long enough for another to be locked out
            return await inner(account, changes)
        finally:
            busy.discard(account)

    behaviour.write = write

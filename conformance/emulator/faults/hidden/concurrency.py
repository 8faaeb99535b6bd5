"""Mistakes that show where requests are handled at the same time.

What is written takes two milliseconds here, which is long enough for another request to come in between.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from conformance.emulator.alterations import WITNESS_ACCOUNTS, Fault, Install, Step, fault
from conformance.emulator.behaviour import Behaviour, Changes, parse_credentials
from conformance.emulator.faults import credential_mistakes as logins
from conformance.emulator.faults.robustness_mistakes import Crash
from conformance.emulator.forms import decode_form
from conformance.emulator.messages import Answer, ApiError, Call
from conformance.emulator.store import COLUMNS, Row

SID = next(iter(WITNESS_ACCOUNTS))
A, D = "DefaultInactiveTimer=PT1H", "DefaultClosedTimer=P1D"
IS, MG = "DefaultChatServiceSid=IS" + "a" * 32, "DefaultMessagingServiceSid=MG" + "b" * 32
READ = Step(method="GET")
OTHER_READ = Step(method="GET", account=1)
BANANA = Step("DefaultInactiveTimer=banana")
WRONG = Step(A, credentials=f"{SID}:wrong")

PAUSE = 0.002
"""Seconds that a write takes."""


async def _take_a_while() -> None:
    await asyncio.sleep(PAUSE)  # requests sent at the same time overlap only in a write that takes time


@contextmanager
def _among(running: list[str], account: str) -> Iterator[None]:
    running.append(account)
    try:
        yield
    finally:
        running.remove(account)


def _fifth_writer_dropped(behaviour: Behaviour) -> None:
    """Keep four updates in a queue, and drop others."""
    inner = behaviour.write
    running: list[str] = []

    async def write(account: str, changes: Changes) -> Row:
        if len(running) >= 4:
            return behaviour.store.read(account) | changes
        with _among(running, account):
            await _take_a_while()
            return await inner(account, changes)

    behaviour.write = write


def _account_in_one_place(behaviour: Behaviour) -> None:
    """Keep the account at hand in one variable for all requests."""
    inner = behaviour.write
    current: list[str] = []

    async def write(account: str, changes: Changes) -> Row:
        current[:] = [account]
        await _take_a_while()
        return await inner(current[0], changes)

    behaviour.write = write


def _deleted_first(behaviour: Behaviour) -> None:
    """Delete a row before it is inserted anew; a read in between finds none."""
    inner = behaviour.write
    running: list[str] = []

    async def write(account: str, changes: Changes) -> Row:
        with _among(running, account):
            await _take_a_while()
            return await inner(account, changes)

    async def read(account: str) -> Row:
        return dict.fromkeys(COLUMNS) if account in running else behaviour.store.read(account)

    behaviour.write, behaviour.read = write, read


def _rolled_back_together(behaviour: Behaviour) -> None:
    """Roll back what is being written where another form is refused."""
    inner_write, inner_refuse = behaviour.write, behaviour.refuse
    running: list[str] = []
    undone: list[str] = []

    async def write(account: str, changes: Changes) -> Row:
        with _among(running, account):
            await _take_a_while()
            if account in undone:
                undone.remove(account)
                return behaviour.store.read(account) | changes
            return await inner_write(account, changes)

    def refuse(call: Call, error: ApiError) -> Answer:
        if error.status == 400:
            undone[:] = running
        return inner_refuse(call, error)

    behaviour.write, behaviour.refuse = write, refuse


def _lost_with_401(behaviour: Behaviour) -> None:
    """Close the session of the database that is in use where credentials are refused."""
    inner_write, inner_authenticate = behaviour.write, behaviour.authenticate
    lost: list[str] = []
    running: list[str] = []

    async def write(account: str, changes: Changes) -> Row:
        with _among(running, account):
            await _take_a_while()
            if account in lost:
                lost.remove(account)
                return behaviour.store.read(account) | changes
            return await inner_write(account, changes)

    def authenticate(call: Call) -> str:
        try:
            return inner_authenticate(call)
        except ApiError:
            lost[:] = running
            raise

    behaviour.write, behaviour.authenticate = write, authenticate


def _locked_in_order(behaviour: Behaviour) -> None:
    """Lock the settings in the order in which they come; two orders make a deadlock, which ends one update."""
    inner = behaviour.methods["POST"]
    held: list[list[str]] = []

    async def handle(call: Call, account: str) -> Answer:
        names = [name for name, _ in decode_form(call.body) if name in behaviour.fields]
        for others in held:
            common = [name for name in names if name in others]
            if common != [name for name in others if name in names]:
                raise Crash
        held.append(names)
        try:
            await _take_a_while()
            return await inner(call, account)
        finally:
            held.remove(names)

    behaviour.methods["POST"] = handle


def _inserted_twice(behaviour: Behaviour) -> None:
    """Insert the row of an account with its first update; of two at once, one finds it taken and is dropped."""
    inner = behaviour.write
    running: list[str] = []

    async def write(account: str, changes: Changes) -> Row:
        row = behaviour.store.read(account)
        if any(row.values()):
            return await inner(account, changes)
        if account in running:
            return row | changes
        with _among(running, account):
            await _take_a_while()
            return await inner(account, changes)

    behaviour.write = write


def _same_at_once(behaviour: Behaviour) -> None:
    """Use account and values as the key of a job, which cannot be there twice."""
    inner = behaviour.write
    running: list[str] = []

    async def write(account: str, changes: Changes) -> Row:
        key = f"{account} {sorted(changes.items())}"
        if key in running:
            raise Crash
        with _among(running, key):
            await _take_a_while()
            return await inner(account, changes)

    behaviour.write = write


def _shown_before(behaviour: Behaviour) -> None:
    """Show the state that was there when an update came, where others are being written."""
    inner = behaviour.write
    running: list[str] = []

    async def write(account: str, changes: Changes) -> Row:
        before, beside = behaviour.store.read(account), account in running
        with _among(running, account):
            await _take_a_while()
            row = await inner(account, changes)
        return before if beside else row

    behaviour.write = write


def _answer_in_one_place(behaviour: Behaviour) -> None:
    """Keep the answer at hand in one variable for all requests."""
    inner = behaviour.methods["POST"]
    current: list[Answer] = []

    async def handle(call: Call, account: str) -> Answer:
        current[:] = [await inner(call, account)]
        await _take_a_while()
        return current[0]

    behaviour.methods["POST"] = handle


def _six_at_once(behaviour: Behaviour) -> None:
    """Have a pool of six connections to the database, and nobody who waits."""
    inner = behaviour.answer
    running: list[str] = []

    async def answer(call: Call) -> Answer:
        if len(running) >= 6:
            raise Crash
        with _among(running, ""):
            await _take_a_while()
            return await inner(call)

    behaviour.answer = answer


def _login_in_one_place(behaviour: Behaviour) -> None:
    """Keep in one variable for all requests whether the credentials at hand are right."""
    inner_answer, inner_authenticate = behaviour.answer, behaviour.authenticate
    right: list[bool] = []
    running: list[str] = []

    def authenticate(call: Call) -> str:
        if right[0]:
            name, _ = parse_credentials(call) or ("", "")
            return name if name in behaviour.accounts else logins.first_account(behaviour)
        return inner_authenticate(call)

    async def answer(call: Call) -> Answer:
        try:
            inner_authenticate(call)
            right[:] = [True]
        except ApiError:
            right[:] = right or [False]
        with _among(running, ""):
            await _take_a_while()
            answered = await inner_answer(call)
        right[:] = right if running else [False]
        return answered

    behaviour.answer, behaviour.authenticate = answer, authenticate


def _read_written_back(behaviour: Behaviour) -> None:
    """Refresh what is stored with what was read."""

    async def read(account: str) -> Row:
        row = behaviour.store.read(account)
        await _take_a_while()
        return behaviour.store.update(account, row)

    behaviour.read = read


def _other_account_lost(behaviour: Behaviour) -> None:
    """Commit one transaction of the service at a time, and forget others."""
    inner = behaviour.write
    running: list[str] = []

    async def write(account: str, changes: Changes) -> Row:
        if any(other != account for other in running):
            return behaviour.store.read(account) | changes
        with _among(running, account):
            await _take_a_while()
            return await inner(account, changes)

    behaviour.write = write


def _fault(name: str, rules: str, text: str, install: Install, *witness: str | Step) -> Fault:
    return fault(name, rules, "concurrency", text, install, witness)


def _other(body: str) -> Step:
    return Step(body, account=1)


# fmt: off
ALL: tuple[Fault, ...] = (
    _fault("fifth-writer-dropped", "concurrent-writers", "Four updates at a time are kept, and others are dropped.",
      _fifth_writer_dropped, Step(IS, beside=(Step(MG), Step(A), Step(IS), Step(D))), READ),
    _fault("writers-of-two-accounts-mixed-up", "accounts-apart",
      "Of updates at the same time, all are written to the account of the last one.", _account_in_one_place,
      Step(A, beside=(_other(D),)), READ, OTHER_READ),
    _fault("read-beside-writer-empty", "read-reflects-writes",
      "While an update is being written, a read of the account shows null.", _deleted_first,
      A, Step(D, beside=(READ,))),
    _fault("refusal-rolls-writers-back", "concurrent-writers rejected-update-changes-nothing read-after-write"
      " read-reflects-writes",
      "A refusal rolls back what is being written at the same time.", _rolled_back_together,
      Step(A, beside=(BANANA,)), READ),
    _fault("refused-login-ends-writers", "read-after-write read-reflects-writes concurrent-writers",
      "A 401 ends what is being written at the same time, though it is answered.", _lost_with_401,
      Step(A, beside=(WRONG,)), READ),
    _fault("writers-in-opposite-order-deadlock", "no-server-error",
      "Two updates at the same time that name two settings in opposite order end in a deadlock.", _locked_in_order,
      Step(f"{A}&{D}", beside=(Step(f"{D}&{A}"),))),
    _fault("first-writers-collide", "concurrent-writers",
      "Of the first updates of an account that come at the same time one is kept.", _inserted_twice,
      Step(A, beside=(Step(D),)), READ),
    _fault("same-update-at-once-crashes", "no-server-error",
      "A server error comes where the same update is made twice at the same time.", _same_at_once,
      Step(A, beside=(Step(A),))),
    _fault("answers-beside-writers-one-behind", "concurrent-writers last-write-wins",
      "While another update of the account is being written, an update is answered with the state before it.",
      _shown_before, Step(A, beside=(Step(D),))),
    _fault("answers-at-once-mixed-up", "accounts-apart account-sid",
      "Updates at the same time get the answer to the last of them, whoever made it.", _answer_in_one_place,
      Step(A, beside=(_other(D),))),
    _fault("seven-at-once-crash", "no-server-error", "More than six requests at a time end in a server error.",
      _six_at_once, Step(A, beside=(READ,) * 7)),
    _fault("logins-at-once-mixed-up", "credentials-required",
      "Wrong credentials pass while right ones are being checked.", _login_in_one_place,
      Step(A, beside=(WRONG,))),
    _fault("read-beside-writer-writes-back", "concurrent-writers safe-methods read-after-write read-reflects-writes",
      "A read writes back what it has read, over what was written meanwhile.", _read_written_back,
      A, Step(method="GET", beside=(Step("DefaultInactiveTimer=PT2H"),)), READ),
    _fault("writer-beside-other-account-lost",
      "concurrent-writers read-after-write read-reflects-writes accounts-apart",
      "While another account's update is being written, an update is answered, but not committed.",
      _other_account_lost, Step(A, beside=(_other(D),)), OTHER_READ),
)
# fmt: on

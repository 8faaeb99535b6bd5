"""What a test asks of the emulator beside its requests: its state, what it was sent, a failure to come.

The same is served over HTTP under `/__emulator/`, without credentials.
"""

import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from conformance.emulator.behaviour import Behaviour, parse_credentials, reference
from conformance.emulator.errors import BadSeed, EmulatorError
from conformance.emulator.fields import SidField, TimerField, reference_fields
from conformance.emulator.forms import decode_form
from conformance.emulator.messages import Answer, ApiError, Call
from conformance.emulator.store import COLUMNS, Row, Store

PREFIX = "/__emulator/"

Seed = Mapping[str, Mapping[str, str | None]]
"""By Account SID, values of attributes; null where there is none. What is left out stays as it is."""

_KEPT = 1_000
"""The number of requests that are remembered; older ones are forgotten first."""


@dataclass(frozen=True, slots=True)
class Received:
    """One request that the emulator got, and the status of the answer. A token is in none of it."""

    method: str
    path: str
    query: str
    account_sid: str | None
    """The user name of the credentials; None where there were none."""
    form: tuple[tuple[str, str], ...]
    """The decoded names and values of the body, in the order sent."""
    status: int


class Control:
    """
    The state of an emulator, the requests it got, and the failures to come.

    Args:
        accounts: The token of each Account SID.
        store: Their configurations.
        seed: The values that they begin with, and have again after `reset`.
        log: Called with each request.

    Raises:
        BadSeed: A value cannot be one of the account's.
    """

    def __init__(
        self,
        accounts: Mapping[str, str],
        store: Store,
        seed: Seed,
        log: Callable[[Received], None] | None = None,
    ) -> None:
        self._accounts = accounts
        self._store = store
        self._log = log
        self._failures: deque[Behaviour] = deque()
        self.requests: deque[Received] = deque(maxlen=_KEPT)
        self.seed(seed)
        self._before = self.state()

    def state(self) -> dict[str, Row]:
        """Return every account's values, by attribute."""
        return {account: self._store.read(account) for account in self._accounts}

    def seed(self, seed: Seed) -> None:
        """
        Set values of accounts. Nothing is set where one of them is wrong.

        Raises:
            BadSeed: An account or an attribute is unknown, or a value would be refused.
        """
        timers, sids = reference_fields()
        fields: dict[str, TimerField | SidField] = {each.column: each for each in timers.values()}
        fields |= {each.column: each for each in sids.values()}
        for account, values in seed.items():
            if account not in self._accounts or not isinstance(values, Mapping):
                raise BadSeed(
                    f"{account!r} with its values is none of the accounts: {', '.join(self._accounts)}"
                )
            for name, value in values.items():
                if name not in fields:
                    raise BadSeed(f"{name!r} is no attribute; there are {', '.join(COLUMNS)}")
                if value is None:
                    continue
                try:
                    fields[name].validate(str(value))
                except ApiError as error:
                    raise BadSeed(f"{name} cannot be {value!r}: {error.message}") from None
        for account, values in seed.items():
            self._store.update(
                account, {name: None if value is None else str(value) for name, value in values.items()}
            )

    def reset(self) -> None:
        """Put back the values of the beginning; forget the requests, and the failures to come."""
        for account, row in self._before.items():
            self._store.update(account, row)
        self.requests.clear()
        self._failures.clear()

    def fail_next(self, fault: str | None = None, *, status: int | None = None, times: int = 1) -> None:
        """
        Answer the next requests as an implementation with a mistake would, or with an error.

        Args:
            fault: The name of a fault; `conformance serve --list-faults` has them.
            status: The status of an error, from 400 to 599, given instead of a fault.
            times: The number of requests.

        Raises:
            UnknownName: There is no such fault.
            EmulatorError: Neither or both were given, or a number is out of range.
        """
        from conformance.emulator.catalogue import alterations_named

        if (fault is None) == (status is None):
            raise EmulatorError("give either the name of a fault or a status from 400 to 599")
        if (status is not None and not 400 <= status < 600) or times < 1:
            raise EmulatorError("the status is from 400 to 599, and times is 1 or more")
        behaviour = reference(self._accounts, self._store)
        if status is not None:
            behaviour.answer = partial(_fail, behaviour, status)
        else:
            for alteration in alterations_named(variants=(), faults=(str(fault),)):
                alteration.install(behaviour)
        self._failures.extend([behaviour] * times)

    def behaviour_for(self, ordinary: Behaviour) -> Behaviour:
        """Return the behaviour that answers the next request."""
        return self._failures.popleft() if self._failures else ordinary

    def record(self, call: Call, answer: Answer) -> None:
        """Remember a request."""
        credentials = parse_credentials(call)
        received = Received(
            method=call.method,
            path=call.path,
            query=call.query.decode("latin-1"),
            account_sid=credentials[0] if credentials else None,
            form=tuple(decode_form(call.body)),
            status=answer.status,
        )
        self.requests.append(received)
        if self._log is not None:
            self._log(received)

    def answer(self, call: Call) -> Answer:
        """Answer a request to a path under `/__emulator/`."""
        endpoints: dict[tuple[str, str], Callable[[Any], object]] = {
            ("GET", "health"): lambda sent: {"status": "ok", "accounts": [*self._accounts]},
            ("POST", "reset"): lambda sent: self.reset(),
            ("GET", "state"): lambda sent: self.state(),
            ("POST", "state"): self.seed,
            ("GET", "requests"): lambda sent: [asdict(each) for each in self.requests],
            ("POST", "fail-next"): self._fail_next,
        }
        endpoint = endpoints.get((call.method, call.path.removeprefix(PREFIX)))
        if endpoint is None:
            known = ", ".join(f"{method} {PREFIX}{name}" for method, name in endpoints)
            return _json(404, {"message": f"there are {known}"})
        try:
            sent = _object(call.body)
            result = endpoint(sent)
            return _json(200, {"status": "ok"} if result is None else result)
        except EmulatorError as error:
            return _json(400, {"message": str(error)})

    def _fail_next(self, sent: Mapping[str, Any]) -> None:
        types = {"status": int, "fault": str, "times": int}
        for name, value in sent.items():
            if type(value) is not types.get(name):
                known = ", ".join(f"{each} ({kind.__name__})" for each, kind in types.items())
                raise EmulatorError(f"{name} cannot be {json.dumps(value)}; there are {known}")
        self.fail_next(**sent)


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        sent = json.loads(body or b"{}")
    except ValueError:
        sent = None
    if not isinstance(sent, dict):
        raise EmulatorError('the body must be an object of JSON, such as {"status": 503}')
    return sent


async def _fail(behaviour: Behaviour, status: int, call: Call) -> Answer:
    headers = [("Retry-After", "1")] if status in (429, 503) else []
    error = ApiError(status, 20000 + status, "A failure that was asked for", *headers)
    return behaviour.finish(call, behaviour.refuse(call, error))


def _json(status: int, document: object) -> Answer:
    return Answer(status, (("Content-Type", "application/json"),), json.dumps(document).encode())

"""The occasions on which a mistake is made: in some requests alone, after others, or at a certain count.

A mistake that is made on an occasion has a behaviour of its own, which takes the requests of that occasion. Faults
and variants that were built in before are not part of it.
"""

from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Protocol

from conformance.emulator.alterations import Install
from conformance.emulator.behaviour import Behaviour, parse_credentials, reference
from conformance.emulator.messages import Answer, Call

Key = Callable[[Call], Hashable]


def everyone(call: Call) -> Hashable:
    """Take all requests together."""
    return None


def connection(call: Call) -> Hashable:
    """Take the requests of a connection together."""
    return call.client


def user(call: Call) -> str:
    """Take the requests of a user name together; it is empty without credentials."""
    return (parse_credentials(call) or ("", ""))[0]


def post(call: Call) -> bool:
    """Tell whether a request is an update."""
    return call.method == "POST"


class Occasion(Protocol):
    """What a mistake depends on. It is told of every request, and then of its answer."""

    def arises(self, call: Call) -> bool:
        """Tell whether the mistake is made in a request."""

    def saw(self, call: Call, answer: Answer) -> None:
        """Take note of an answer."""


@dataclass(slots=True)
class After:
    """The requests that follow on one that meets a condition, of those that have the same key."""

    trigger: Callable[[Call, Answer], object]
    requests: float = 1
    of: Key = everyone
    among: Callable[[Call], object] = bool
    left: dict[Hashable, float] = field(default_factory=dict)

    def arises(self, call: Call) -> bool:
        """Count down from the request that met the condition."""
        key = self.of(call)
        if not self.left.get(key) or not self.among(call):
            return False
        self.left[key] -= 1
        return True

    def saw(self, call: Call, answer: Answer) -> None:
        """Begin to count."""
        if self.trigger(call, answer):
            self.left[self.of(call)] = self.requests


@dataclass(slots=True)
class Counted:
    """The requests whose place meets a condition, counted from 1 among those that have the same key."""

    place: Callable[[int], object]
    of: Key = everyone
    among: Callable[[Call], object] = bool
    count: Counter[Hashable] = field(default_factory=Counter)

    def arises(self, call: Call) -> bool:
        """Count the request."""
        if not self.among(call):
            return False
        self.count[self.of(call)] += 1
        return bool(self.place(self.count[self.of(call)]))

    def saw(self, call: Call, answer: Answer) -> None:
        """Take no note."""


def on(start: Callable[[], Occasion], install: Install) -> Install:
    """Return a mistake that is made on an occasion; each emulator starts with a new one."""

    def installed(behaviour: Behaviour) -> None:
        occasion, mistaken = start(), reference(behaviour.accounts, behaviour.store)
        install(mistaken)
        inner = behaviour.answer

        async def answer(call: Call) -> Answer:
            answered = await (mistaken.answer if occasion.arises(call) else inner)(call)
            occasion.saw(call, answered)
            return answered

        behaviour.answer = answer

    return installed


def only(condition: Callable[[Call], object], install: Install) -> Install:
    """Return a mistake that is made in requests that meet a condition."""
    return on(lambda: Counted(bool, among=condition), install)


def beyond_first(install: Install) -> Install:
    """Return a mistake that is made in requests of every account but the first."""

    def installed(behaviour: Behaviour) -> None:
        others = [*behaviour.accounts][1:]
        only(lambda call: user(call) in others, install)(behaviour)

    return installed

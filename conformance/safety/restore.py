"""Puts back the settings that were in force before a run, and reports those that could not be put back."""

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Protocol

from conformance.exceptions import BudgetExhausted, RateLimitedOut, TargetDead
from conformance.http import READ, Exchange, Request, update
from conformance.model import BY_PARAMETER, CLOSED, EXAMPLE, FIELDS, INACTIVE, Field, Restore, shown_by
from conformance.oracle.decisions import Answer, decide_value, is_right
from conformance.safety.journal import Settings
from conformance.safety.safeguard import Safeguard

PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0, 15.0)
"""Seconds before each further try while the target is out of service: together more than an outage of 30 s."""

REQUESTS = 2 * (2 + len(FIELDS)) + len(PAUSES)
"""
The greatest number of requests to put one account's settings back: two tries of all together, each alone, and a read,
and the further tries while the target is out of service.
"""

_TRIES = 2
_PAUSE = 0.5
"""Seconds before the second try: the first may have failed by a lost connection."""

_NEUTRAL = {INACTIVE.parameter: "P15D", CLOSED.parameter: "P30D"}
"""By parameter, the timer to leave where null cannot be set again: a long one, which closes no conversation early."""

_GONE = (BudgetExhausted, RateLimitedOut, TargetDead)
"""The errors after which nothing more can be sent."""


class Sender(Protocol):
    """An object that sends requests, such as `conformance.transport.target.Target`."""

    def send(self, request: Request, *, reserve: bool = False) -> Exchange:
        """Send one request and return the exchange."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restorer:
    """Puts the settings of one target's accounts back."""

    target: Sender
    safeguard: Safeguard
    reader: Request | None = None
    """The request that shows the settings and writes nothing; None where the target has none."""
    settle: float = 0.0
    """Seconds after which a read must show what was written."""
    is_legible: bool = True
    """Whether answers show the settings in force; False for a target that shows others in every answer."""
    _pauses: Iterator[float] = field(default_factory=lambda: iter(PAUSES))

    def put_back(self) -> tuple[Restore, bool]:
        """
        Put the settings back; begin again after one interrupt, and leave the rest to the journal after a second one.

        Return the result, and whether there was an interrupt.
        """
        safeguard, interrupted = self.safeguard, False
        for _ in range(2):
            try:
                restored = self.restore()
                break
            except KeyboardInterrupt:
                interrupted = True
                safeguard.tell(
                    "putting the settings back; another interrupt leaves that to `conformance restore`"
                )
        else:
            failed = {
                name for settings in safeguard.before.values() for name, value in settings.items() if value
            }
            restored = Restore(state="failed", failed=tuple(sorted(failed)))
        if restored.state == "failed" and safeguard.keeps:
            safeguard.tell(
                "settings that could not be put back stay in the journal: `conformance restore` tries again"
            )
        return restored, interrupted

    def restore(self) -> Restore:
        """Write the old settings to every account that the run has changed, read them again, and compare."""
        safeguard = self.safeguard
        failed: list[str] = []
        unrestorable: list[str] = []
        unseen = False
        for account, settings in safeguard.before.items():
            if account not in safeguard.changed:
                safeguard.restored(account)
                continue
            # A value that must be refused in every update cannot be put back.
            had = {
                each: value
                for each in FIELDS
                if (value := settings.get(each.attribute)) is not None
                and decide_value(each, value).answer is not Answer.REJECT
            }
            shown = self._written(account, had)
            if not self.is_legible and shown is not None:
                shown, had = None, {}  # it was written, but no answer tells whether it is in force
            lost = [each.attribute for each in FIELDS if each in had and not _has(shown, each, had[each])]
            failed += lost
            unseen = unseen or shown is None
            if not lost and self.is_legible:
                safeguard.restored(account)
            if shown is not None:
                self._neutralize(account, [each for each in FIELDS if each not in had], shown)
                unrestorable += [
                    each.attribute
                    for each in FIELDS
                    if each not in had
                    and shown.get(each.attribute) not in (None, settings.get(each.attribute))
                ]
        if not safeguard.changed:
            return Restore()
        return Restore(
            state="failed" if failed else "not-read" if unseen or not safeguard.before else "restored",
            unrestorable=tuple(dict.fromkeys(unrestorable)),
            failed=tuple(dict.fromkeys(failed)),
        )

    def _neutralize(self, account: int, fields: Iterable[Field], shown: Settings) -> None:
        """Leave valid values where null does not come back and a faulty target has kept an invalid one of ours."""
        pairs = [
            (each.parameter, _NEUTRAL.get(each.parameter, EXAMPLE[each.parameter]))
            for each in fields
            if (value := shown.get(each.attribute)) is not None
            and decide_value(each, value).answer is Answer.REJECT
        ]
        if not pairs:
            return
        with suppress(*_GONE):
            now = shown_by(self._send(account, update(*pairs))) or {}
            kept = [
                (name, value)
                for name, value in pairs
                if is_right(BY_PARAMETER[name], value, now.get(BY_PARAMETER[name].attribute))
            ]
            if kept:
                said = ", ".join(f"{name}={value}" for name, value in kept)
                self.safeguard.tell(
                    f"null cannot be set again; in place of invalid values there is now {said}"
                )

    def _written(self, account: int, had: Mapping[Field, str]) -> Settings | None:
        """Write settings until an answer shows them, twice at most; return the settings last shown."""
        shown: Settings | None = None
        for attempt in range(_TRIES):
            time.sleep(_PAUSE * attempt)
            try:
                shown = self._write(account, had)
            except _GONE:
                return None
            if _has_all(shown, had):
                break
        return shown

    def _write(self, account: int, had: Mapping[Field, str]) -> Settings | None:
        """Write settings in one update, or one by one where it does not set all; return the settings shown then."""
        exchange: Exchange | None = None
        if had:
            pairs = [(each.parameter, value) for each, value in had.items()]
            exchange = self._send(account, update(*pairs), is_patient=True)
            if exchange.status != 200 or not _has_all(shown_by(exchange), had):
                for pair in pairs:
                    exchange = self._send(account, update(pair), is_patient=True)
        if self.reader is not None or exchange is None or exchange.status != 200:
            time.sleep(self.settle)
            exchange = self._send(account, self.reader or READ, is_patient=bool(had))
        return shown_by(exchange)

    def _send(self, account: int, request: Request, *, is_patient: bool = False) -> Exchange:
        """Send a request, and with patience again while the target is out of service."""
        request = replace(request, account=account, fresh=True)
        exchange = self.target.send(request, reserve=True)
        while is_patient and (exchange.is_unreached or exchange.is_lost):
            if (pause := next(self._pauses, None)) is None:
                break
            self.safeguard.tell(f"the target is out of service: the settings are put back in {pause:g} s")
            time.sleep(pause)
            exchange = self.target.send(request, reserve=True)
        return exchange


def _has(shown: Settings | None, about: Field, value: str) -> bool:
    return shown is not None and is_right(about, value, shown.get(about.attribute))


def _has_all(shown: Settings | None, had: Mapping[Field, str]) -> bool:
    return shown is not None and all(_has(shown, each, value) for each, value in had.items())

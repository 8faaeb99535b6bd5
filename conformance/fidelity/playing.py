"""
Sends steps to one target, records the answers, and puts back the settings that were in force before.

No other module of this room sends anything. The safeguards are those of every run: journal, lock, and on a live target
the timer guard.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from conformance.contract import SUITE, version_of
from conformance.exceptions import (
    BudgetExhausted,
    Garbled,
    NoVerdict,
    RecordingError,
    TargetDead,
    Unimplemented,
)
from conformance.fidelity.recording import (
    ROLES,
    Recording,
    Taken,
    contract_digest,
    dump,
    taken_from,
    written,
)
from conformance.fidelity.script import Part, Script, Step
from conformance.harness.reachable import is_absent, refuse_to_judge
from conformance.http import EMPTY, OUT, READ, Exchange, Request, encode_form
from conformance.model import Restore, shown_by
from conformance.reporting import Redact
from conformance.safety.journal import now
from conformance.safety.restore import Restorer
from conformance.safety.safeguard import Safeguard
from conformance.transport.credentials import Account, secret
from conformance.transport.redaction import Secrets
from conformance.transport.target import Target

_ROW = 3
"""Steps in a row that are answered so that the target may be out of service, after which its settings are read."""

Progress = Callable[[str, int], None]
"""Called before each step with its input class, and with the number of requests that were sent."""


@dataclass(slots=True)
class Player:
    """One target that steps are sent to."""

    target: Target
    """The target, open."""
    safeguard: Safeguard
    reader: Request | None = None
    """The request that shows the settings and writes nothing; None where the target has none."""
    lines: list[dict[str, Any]] = field(default_factory=list)
    """What a recording of the steps sent so far holds."""
    is_gone: bool = False
    """Whether the target went away in the middle of a script."""
    _row: int = 0
    """The last steps in a row that were answered with 502, 503 or 504."""

    def read_settings(self, accounts: int) -> None:
        """
        Read the settings that are to be put back, before any request that might write.

        Raises:
            NoVerdict: The target is not reached, refuses the credentials, could not be put back, or shows other
                settings each time.
            Unimplemented: The resource is not there.
            TargetDead: Nothing listens at the address of the target.
        """
        for account in range(accounts):
            exchanges: list[Exchange] = []
            for request in (READ, EMPTY):
                exchange = self.target.send(replace(request, account=account), known_good=request is READ)
                exchanges.append(exchange)
                if (shown := shown_by(exchange)) is not None:
                    self.reader = self.reader or request
                    again = shown_by(self.target.send(exchange.request))
                    if again not in (None, shown):
                        raise NoVerdict(
                            f"{self.target.url} shows other settings each time that it is asked: "
                            "nothing can be compared with them, and nothing was changed"
                        )
                    self.safeguard.snapshot(account, shown)
                    break
            else:
                user = self.target.settings.accounts[account].user
                with suppress(Garbled):  # broken framing is a difference to tell, and no reason to give up
                    refuse_to_judge(exchanges, url=self.target.url, user=user)
                if account == 0 and is_absent(exchanges):
                    raise Unimplemented(f"{self.target.url} answers {exchanges[-1].status}")
                self.safeguard.unreadable(account)
        self.safeguard.begin()

    def affords(self, steps: Sequence[Step]) -> bool:
        """Whether the budget is enough for steps, and for putting back each timer that they may make shorter."""
        limit = self.target.settings.max_requests
        cost = self.safeguard.cost([step.request for step in steps])
        return limit is None or self.target.requests + cost <= limit

    def play(
        self, script: Script, progress: Progress = lambda cls, requests: None, *, whole: bool = True
    ) -> Recording:
        """
        Send the steps of a script, and return the recording of the answers.

        Where the budget is not enough, or the target goes away, a note of the recording says that steps are missing.

        Raises:
            BudgetExhausted: The budget is not enough, and the whole script was asked for, or nothing was sent at all.
            TargetDead: Likewise, where the target cannot be reached any more, or does not show its settings any more.
        """
        redact = masking(self.target.settings.accounts)
        begun = now()
        taken: list[Taken] = []
        notes: tuple[str, ...] = ()
        try:
            for step in script.steps:
                progress(step.cls, self.target.requests)
                for sent, exchange in self._sent(step):
                    line = written(sent, exchange, leaks=self.target.leaks(exchange), redact=redact)
                    self.lines.append(line)
                    taken.append(taken_from(len(self.lines), line))
        except BudgetExhausted as error:
            if whole or not taken:
                raise
            notes = (f"{error}: the last steps, from {step.cls} on, were not sent",)
        except TargetDead as error:
            # What came of the requests at its end says nothing of it.
            while taken and (taken[-1].exchange.response is None or taken[-1].exchange.status in OUT):
                taken.pop()
            if whole or not taken:
                raise
            self.is_gone = True
            notes = (f"{error}; what came before is compared",)
        return Recording(
            target=self.target.settings.url,
            recorded_at=begun,
            profile=script.profile,
            seed=script.seed,
            accounts=script.accounts,
            suite=version_of(SUITE),
            contract=contract_digest(),
            taken=tuple(taken),
            notes=notes,
        )

    def _sent(self, step: Step) -> Iterator[tuple[Step, Exchange]]:
        """Send a step; on a live target, also what puts a timer back that it may have made shorter."""
        guard = self.safeguard.guard
        if step.part is Part.STATE and guard is not None:
            pairs = [
                pair
                for pair in step.request.form() or ()
                if self.safeguard.may_stay(replace(step.request, body=encode_form([pair])))
            ]
            if not pairs:
                return
            step = replace(step, request=replace(step.request, body=encode_form(pairs)))
        time.sleep(step.request.after)
        exchange = self.target.send(step.request, known_good=step.part is Part.STATE)
        yield step, exchange
        self._row = self._row + 1 if exchange.status in OUT else 0
        if self._row == _ROW and self.reader is not None and self.target.send(self.reader).status in OUT:
            raise TargetDead(self.target.silence.line(self.target.url))
        owed = guard.owed(exchange, shown_by(exchange)) if guard is not None else None
        if owed is not None:
            back = Step(cls=step.cls, rule=step.rule, request=owed, part=Part.GUARD)
            yield back, self.target.send(owed, known_good=True, reserve=True)

    def put_back(self, settle: float) -> tuple[Restore, bool]:
        """Put the settings back; return the result, and whether there was an interrupt."""
        return Restorer(
            target=self.target, safeguard=self.safeguard, reader=self.reader, settle=settle
        ).put_back()


def masking(accounts: Sequence[Account]) -> Redact | None:
    """
    Return the function that takes tokens out of a recording, and writes roles in place of the SIDs of accounts.

    None where there is nothing to take out: throw-away accounts are public, and their SIDs are the roles.
    """
    if not secret(accounts):
        return None
    secrets = Secrets(secret(accounts), "", accounts[: len(ROLES)])

    def redact(data: Any, /) -> Any:
        redacted = secrets.redact(data)
        for number, role in enumerate(ROLES, 1):
            pair = (f"AC{number:x>32}", role)
            redacted = redacted.replace(*(pair if isinstance(redacted, str) else map(str.encode, pair)))
        return redacted

    return redact


def file_of(recording: Recording, player: Player) -> bytes:
    """
    Return the file of a recording, after a second search for tokens.

    Raises:
        RecordingError: There is one in it.
    """
    data = dump(recording, player.lines)
    if hidden := secret(player.target.settings.accounts):
        secrets = Secrets(hidden, "")
        for number, line in enumerate(data.decode("ascii").splitlines(), 1):
            if secrets.redact(line) != line:
                raise RecordingError(
                    f"the recording holds a part of an auth token in line {number}: nothing was written; "
                    "use an account with a token that occurs nowhere else"
                )
    return data

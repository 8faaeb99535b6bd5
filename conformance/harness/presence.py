"""
Notices that a target is gone though it still answers: its credentials are revoked, or another server is in its place.

An update that must be accepted, with good credentials, is a sign of life where it is accepted as earlier ones were. A
few of them in a row that are not, all in the same way, may have two reasons: the target deviates, or it is gone. Then
updates that it has accepted before decide, or the read of an account that was sent no update before. This costs no
request as long as good updates are accepted.

An answer 500 is no sign of a target that is gone: it is a deviation, whatever the reason.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import responses

from conformance.http import OUT, FailureKind, Request, update
from conformance.model import BY_PARAMETER, CLOSED, INACTIVE, shortened
from conformance.rules import Reply

ROW = 3
"""Good updates in a row that are not accepted, and all in the same way, after which the target is asked."""

_PAUSES = (0.0, 0.0, 0.0, 0.2, 0.5, 1.0, 2.0)
"""Seconds before each update that decides: some targets only refuse everything for a moment, or a few times."""

_HANGS = 3
"""Updates that decide where the target does not answer in time, at most: each of them takes the whole timeout."""

_KEPT = 3
"""Accepted updates that are kept: a target may refuse the same one twice in a row."""

_LONG, _SHORT = 1_234_567, 4_321
"""The lengths in seconds of the first such closed and inactive timers; no other part of a run sends them."""

_STALE = "it shows the same settings whatever good updates set"

_SAID = {
    401: "it refuses the credentials that it took before",
    403: "it forbids what it took before",
    405: "it takes no updates any more",
    423: "it is locked",
    429: "it only asks to wait",
    **dict.fromkeys(OUT, "it is out of service"),
}
"""What an answer of a status to every good update says about the target."""


@dataclass(slots=True)
class _Known:
    """What is known about the updates of one account."""

    taken: dict[bytes | None, Request] = field(default_factory=dict)
    """The last updates that were accepted, by their bodies."""
    read: Request | None = None
    """The last request that showed the settings and wrote none; it stands in for updates where none was accepted."""
    shown: Mapping[str, str | None] | None = None
    """The settings that the last answer showed."""
    moved: set[str] = field(default_factory=set)
    """The attributes that were seen to change as an update said."""
    change: int = 0
    """The number of the last exchange that showed such a change."""
    last: int = 0
    """The number of the last exchange that was a sign of life."""
    owner: object = None
    """The SID of the account in the first answers."""
    like: str = ""
    """What the good updates since then had in common; empty where there were none."""
    row: int = 0
    asked: set[str] = field(default_factory=set)
    """What they had in common each time the target was asked."""


class Presence:
    """The signs of life of one target."""

    def __init__(self) -> None:
        self._accounts: dict[int, _Known] = {}

    def see(self, reply: Reply, *, known_good: bool = False) -> None:
        """Record an exchange; `known_good` says that its update is one which the target has to take at any time."""
        request, exchange = reply.request, reply.exchange
        known = self._accounts.setdefault(request.account, _Known())
        before = known.shown
        if reply.authorised and reply.shown is not None:
            known.shown = reply.shown
        if not request.body:
            # The first account is sent updates before all others; whether it takes any is what the run finds out.
            if request.account and not known.taken and reply.authorised and reply.shown is not None:
                known.read, known.last, known.like, known.row = request, exchange.number, "", 0
            return
        # What it took before need not be due again: whether it is may depend on the settings in force.
        is_lost = exchange.response is None or exchange.status in OUT
        again = (known_good or request.body in known.taken) and (exchange.accepted or is_lost)
        if not (reply.is_due or again):
            return
        like = _likeness(reply, known, before)
        if like == "" and known.like == _STALE and reply.shown == before:
            return  # what is in force already is shown by one that is frozen, too
        if like is None:
            known.like, known.row = "", 0
        elif not like:
            known.last, known.like, known.row = exchange.number, "", 0
            if not request.headers and not request.chunked and request.by_hand is None:
                known.taken.pop(request.body, None)
                known.taken[request.body] = request
                if len(known.taken) > _KEPT:
                    del known.taken[next(iter(known.taken))]
        elif known.taken or known.read is not None:
            # A target that was asked, and does so none the less, may always do so.
            is_habit = like in known.asked and (like == _STALE or not known.taken)
            known.row = 0 if is_habit else known.row + 1 if like == known.like else 1
            known.like = like

    def doubtful(self, row: int) -> int | None:
        """Return the index of an account of which so many good updates in a row were not accepted; None without one."""
        return next((index for index, known in self._accounts.items() if known.row >= row), None)

    def questions(self, account: int) -> Iterator[tuple[Request, float]]:
        """Yield the updates that decide whether the target is gone, each with the seconds to wait before it."""
        known = self._accounts.get(account, _Known())
        taken = list(known.taken.values())[::-1]
        known.asked.add(known.like)
        count = _HANGS if known.like == FailureKind.TIMEOUT else len(_PAUSES)
        for number, pause in enumerate(_PAUSES[:count]):
            # By turns one that was never sent, and one that was accepted: a target may refuse whatever comes again.
            new = (INACTIVE, _SHORT) if number % 4 and INACTIVE.attribute in known.moved else (CLOSED, _LONG)
            again = update((new[0].parameter, f"PT{new[1] + number}S"), account=account)
            if taken:
                yield (taken[number // 2 % len(taken)] if number % 2 else again), pause
            elif known.read is not None:
                yield known.read, pause

    def is_alive(self, account: int) -> bool:
        """Whether the last good update of an account was accepted, or tells nothing."""
        return account not in self._accounts or not self._accounts[account].like

    def is_unsure(self, account: int, number: int) -> bool:
        """Whether an account that has given a sign of life has given none since the exchange of a number."""
        known = self._accounts.get(account, _Known())
        return 0 < (known.change or known.last) < number

    def signs(self) -> dict[int, int]:
        """Return by account the number of the last exchange that was a sign of life."""
        return {
            account: known.change if known.like == _STALE else known.last
            for account, known in self._accounts.items()
        }

    def described(self, account: int) -> str:
        """Return what the target does instead, in words."""
        like = self._accounts[account].like
        if not like.isdigit():
            return like if " " in like else f"its answers fail: {like}"
        status = int(like)
        name = responses.get(status, "")
        said = _SAID.get(status, "it does not take what it took before")
        return f"{said} (status {status}{f' {name}' if name else ''})"


def _likeness(reply: Reply, known: _Known, before: Mapping[str, str | None] | None) -> str | None:
    """
    Return how a good update was answered: empty where it was accepted as before, None where that tells nothing.

    Other texts are equal where the answers are alike.
    """
    exchange = reply.exchange
    if exchange.response is None:
        return str(exchange.failure.kind) if exchange.failure is not None else None
    if exchange.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return None
    if not exchange.accepted:
        return str(exchange.status)
    if known.owner is None:
        known.owner = reply.owner
    if not known.taken and known.read is None:
        return ""
    if reply.shown is None:
        return "another server answers in its place, without the settings" if known.owner is not None else ""
    # A target that mixes up the accounts of the run is still there.
    ours = [known.owner, reply.account_sid, *(other.sid for other in reply.state.others)]
    if reply.owner is None and None not in ours:
        return "it names no account any more"
    if reply.owner not in ours:
        return f"it answers for another account, {shortened(str(reply.owner), 40)}"
    if reply.shown == before:
        return _STALE if reply.wrong and reply.wrong <= known.moved else ""
    if before is not None and not reply.wrong:
        names = {BY_PARAMETER[name].attribute for name, _ in reply.form or () if name in BY_PARAMETER}
        known.moved |= {name for name in names if reply.shown.get(name) != before.get(name)}
        known.change = reply.exchange.number
    return ""

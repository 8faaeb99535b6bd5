"""
Notices that a target is gone though it still answers: its credentials are revoked, or another server is in its place.

A good update is one that must be accepted, with good credentials, or that was accepted before. Its answer is a sign:

    sign      the answer                                                what follows
    LIFE      is accepted as earlier ones were                          the row ends; the update is kept, to ask with
    CHANGE    so too, and shows other settings, as the update says      the same; the target is not frozen
    NOTHING   is an error 500: a deviation, whatever the reason         the row ends
    a text    is anything else, such as a status or a failure           the row of the same text grows

A row has two possible reasons: the target deviates, or it is gone. Then updates that it has accepted before decide, or
the read of an account that was sent no update before. The target is gone if all of them go on with the row. This costs
no request as long as good updates are accepted.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from http import HTTPStatus
from http.client import responses

from conformance.http import OUT, Exchange, FailureKind, Request, update
from conformance.model import BY_PARAMETER, CLOSED, INACTIVE, shortened
from conformance.rules import Reply

ROW = 3
"""The length of a row after which the target is asked."""

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

_Sign = Enum("_Sign", ["LIFE", "CHANGE", "NOTHING"])


@dataclass(slots=True)
class _Known:
    """What is known about one account."""

    taken: dict[bytes | None, Request] = field(default_factory=dict)
    """The last updates that were accepted, by their bodies."""
    read: Request | None = None
    """The last request that showed the settings and wrote none; it stands in for updates where none was accepted."""
    shown: Mapping[str, str | None] | None = None
    """The settings that the last answer showed."""
    owner: object = None
    """The SID of the account in the first answers."""
    moved: set[str] = field(default_factory=set)
    """The attributes that were seen to change as an update said."""
    last: dict[_Sign, int] = field(default_factory=dict)
    """By sign, the number of the last exchange that gave it."""
    like: str = ""
    row: int = 0
    """The last text, and the length of its row; it ends with the row."""
    asked: set[str] = field(default_factory=set)
    """The texts about which the target was asked."""

    def sees(self, sign: _Sign, exchange: Exchange) -> None:
        """Record a sign that is no text."""
        self.like, self.row = "", 0
        if sign is _Sign.NOTHING:
            return
        self.last |= {sign: exchange.number, _Sign.LIFE: exchange.number}
        request = exchange.request
        if request.body and not request.headers and not request.chunked and request.by_hand is None:
            others = [each for each in self.taken.values() if each.body != request.body]
            self.taken = {each.body: each for each in [*others, request][-_KEPT:]}


class Presence:
    """The signs of life of one target."""

    def __init__(self) -> None:
        self._accounts: dict[int, _Known] = {}

    def see(self, reply: Reply, *, known_good: bool = False) -> None:
        """Record an exchange; `known_good` says that its update is one which the target has to take at any time."""
        request, exchange = reply.request, reply.exchange
        known = self._accounts.setdefault(request.account, _Known())
        before = known.shown
        if shows := reply.authorised and reply.shown is not None:
            known.shown = reply.shown
        if not request.body:
            # The first account is sent updates before all others; whether it takes any is what the run finds out.
            if request.account and not known.taken and shows:
                known.read = request
                known.sees(_Sign.LIFE, exchange)
            return
        # What it took before need not be due again: whether it is may depend on the settings in force.
        is_lost = exchange.response is None or exchange.status in OUT
        again = (known_good or request.body in known.taken) and (exchange.accepted or is_lost)
        if not (reply.is_due or again):
            return
        sign = _sign(reply, known, before)
        if sign is _Sign.LIFE and known.like == _STALE and reply.shown == before:
            return  # what is in force already is shown by one that is frozen, too
        if isinstance(sign, _Sign):
            known.sees(sign, exchange)
        elif known.taken or known.read is not None:
            # A target that was asked, and does so none the less, may always do so.
            is_habit = sign in known.asked and (sign == _STALE or not known.taken)
            known.row = 0 if is_habit else known.row + 1 if sign == known.like else 1
            known.like = sign

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
        return 0 < known.last.get(_Sign.CHANGE, known.last.get(_Sign.LIFE, 0)) < number

    def signs(self) -> dict[int, int]:
        """Return by account the number of the last exchange that was a sign of life."""
        return {
            account: known.last.get(_Sign.CHANGE if known.like == _STALE else _Sign.LIFE, 0)
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


def _sign(reply: Reply, known: _Known, before: Mapping[str, str | None] | None) -> _Sign | str:
    """Return what the answer to a good update says; `before` are the settings that the last answer showed."""
    exchange = reply.exchange
    if exchange.failure is not None and exchange.response is None:
        return str(exchange.failure.kind)
    if exchange.response is None or exchange.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return _Sign.NOTHING
    if not exchange.accepted:
        return str(exchange.status)
    if known.owner is None:
        known.owner = reply.owner
    if not known.taken and known.read is None:
        return _Sign.LIFE
    if reply.shown is None:
        is_other = known.owner is not None
        return "another server answers in its place, without the settings" if is_other else _Sign.LIFE
    # A target that mixes up the accounts of the run is still there.
    ours = [known.owner, reply.account_sid, *(other.sid for other in reply.state.others)]
    if reply.owner is None and None not in ours:
        return "it names no account any more"
    if reply.owner not in ours:
        return f"it answers for another account, {shortened(str(reply.owner), 40)}"
    if reply.shown == before:
        return _STALE if reply.wrong and reply.wrong <= known.moved else _Sign.LIFE
    if before is None or reply.wrong:
        return _Sign.LIFE
    names = {BY_PARAMETER[name].attribute for name, _ in reply.form or () if name in BY_PARAMETER}
    known.moved |= {name for name in names if reply.shown.get(name) != before.get(name)}
    return _Sign.CHANGE

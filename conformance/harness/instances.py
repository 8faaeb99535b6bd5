"""
Notices that there are several instances behind the URL of a target: one is gone, or has taken the place of another.

                      what is seen                             what decides
    one of several    after a clean beginning, some of the     updates that were accepted before: some are accepted
    is gone           last requests fail, all alike            again, and some fail in the same way
    another one has   all settings of an account, at once, as  no account has kept its settings, and the run could not
    taken the place   they were found before the first update  make the target do it again

A target that deviates fails from the beginning, or at requests of some kind. It loses settings again and again, or
those of one account alone.
"""

from collections import Counter, deque
from collections.abc import Collection, Iterable
from http import HTTPStatus

from conformance.attribution.sameness import is_about_state
from conformance.harness.candidates import Candidate
from conformance.http import OUT
from conformance.model import BY_PARAMETER, Finding
from conformance.rules import BY_ID, Reply

_CLEAN = 20
"""Requests at the beginning of a run that must not have failed so: a target that always did has lost no instance."""

_LAST, _SOME = 12, 3
"""How many of the last requests must have failed alike."""

_TIMES = 3
"""How often is asked about one kind of failure."""

_BOTH = 2
"""Updates that must be accepted, and that must fail, of those that decide."""

_SHUT = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)
"""Statuses to good updates that tell of an instance which does not know the account."""

_WHOLE = 2
"""Settings that must be lost at once: one alone may be lost in other ways."""


class Failing:
    """The requests of a run that fail as they do where an instance is gone."""

    def __init__(self) -> None:
        self._first: dict[str, int] = {}
        self.since: dict[str, int] = {}
        """By likeness, the number of the first request that failed in this way."""
        self._last: deque[tuple[str, str, int]] = deque(maxlen=_LAST)
        """Of the last exchanges: the likeness, the answer in words, and the number."""
        self._asked: Counter[str] = Counter()

    def see(self, reply: Reply) -> None:
        """Record an exchange."""
        like, number = likeness(reply), reply.exchange.number
        self._last.append((like, like or f"status {reply.exchange.status}", number))
        if like not in self._first:
            self._first[like] = number
            # Requests that need not be accepted may have met it before the first good update.
            self.since[like] = min((at for _, said, at in self._last if said == like), default=number)

    def doubtful(self) -> str:
        """Return the failure which some of the last requests have in common, and ask about it; else an empty text."""
        (like, count), *_ = (*Counter(like for like, _, _ in self._last if like).most_common(1), ("", 0))
        if count < _SOME or self._first[like] <= _CLEAN or self._asked[like] == _TIMES:
            return ""
        self._asked[like] += 1
        return like


def likeness(reply: Reply) -> str:
    """Return how a request failed, where an instance may be gone; an empty text where nothing says so."""
    exchange = reply.exchange
    if exchange.is_cut and exchange.failure is not None and not exchange.failure.partial:
        return "no answer"
    is_shut = reply.is_due and exchange.status in _SHUT
    return f"status {exchange.status}" if exchange.status in OUT or is_shut else ""


def is_mixed(like: str, likenesses: Collection[str]) -> bool:
    """Whether some of the updates that decide failed in this way, and others did not fail."""
    counted = Counter(likenesses)
    return min(counted[like], counted[""]) >= _BOTH


class Wipes:
    """The answers of a run that showed an account as it was found, though the run had set something since."""

    def __init__(self) -> None:
        self._kept: dict[int, int] = {}
        """By account, the number of the last exchange that showed a setting which the run had set before."""
        self._wiped: dict[int, list[tuple[int, int]]] = {}
        """By account, the numbers of the last exchange that showed a setting kept, and of the one that showed none."""
        self._disproved = False

    def see(self, reply: Reply) -> None:
        """Record an exchange, before the expected state takes it in."""
        shown, state, account = reply.shown, reply.state, reply.request.account
        if shown is None or not reply.authorised:
            return
        number = reply.exchange.number
        sent = {BY_PARAMETER[name].attribute for name, _ in reply.form or () if name in BY_PARAMETER}
        set_before = {
            name: value
            for name, value in state.current().items()
            if name not in sent and value not in (None, state.settings[name].found)
        }
        lost = [name for name in set_before if shown.get(name) in (None, state.settings[name].found)]
        if not set_before:
            return
        if len(lost) < len(set_before):
            self._kept[account] = number
            writers = [state.settings[name].writer for name in set_before if name not in lost]
            first = min((wipe for wipes in self._wiped.values() for _, wipe in wipes), default=0)
            # One that has kept what it was sent before any account lost all is the same instance as ever.
            self._disproved |= any(each is not None and each.number < first for each in writers)
        elif len(lost) >= _WHOLE:
            self._wiped.setdefault(account, []).append((self._kept.get(account, 0), number))

    def last_sign(self, candidates: Iterable[Candidate], findings: Iterable[Finding]) -> int | None:
        """
        Return the number of the last exchange before the target was replaced; None where it was not.

        `findings` are those that the run has tried to show again.
        """
        # What has kept nothing had nothing to lose.
        wipes = [each for wipes in self._wiped.values() for each in wipes if each[0]]
        if not wipes or self._disproved or any(len(each) > 1 for each in self._wiped.values()):
            return None
        numbers = {number for _, number in wipes}
        about = [each for each in candidates if is_about_state(BY_ID[each.violation.rule])]
        again = [each for each in findings if is_about_state(BY_ID[each.rule]) and not each.sent_once]
        if not any(each.numbers & numbers for each in about):
            return None
        is_shown_again = any(each.stable and each.numbers & numbers for each in again)
        return None if is_shown_again else min(kept for kept, _ in wipes)

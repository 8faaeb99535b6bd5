"""The sequences of requests that the rules about state send."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations, count

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from conformance.http import EMPTY, READ, SAFE_METHODS, Auth, Pairs, Request, encode_form, update
from conformance.model import CHAT, CLOSED, INACTIVE, MESSAGING, SIDS, Probe, Situation
from conformance.rules.controls import OVERRIDE
from conformance.rules.forms import pairs_for
from conformance.rules.probes import LONG_CLOSED, SHORT_INACTIVE, single


def each_setting(situation: Situation, index: int) -> tuple[Request, ...]:
    """Return an update of each setting by itself, all with values not seen before."""
    return tuple(update(pair) for pair in pairs_for(situation, index))


def omitted(situation: Situation) -> Sequence[Probe]:
    everything = update(*pairs_for(situation, 20))
    return [
        single(everything, *each_setting(situation, 21)),
        single(everything, *reversed(each_setting(situation, 22)), *each_setting(situation, 23)),
        *(
            single(everything, one, another)
            for one in each_setting(situation, 24)
            for another in each_setting(situation, 25)
        ),
    ]


def at_odds() -> Sequence[Probe]:
    """Return timers at odds, closed before inactive or the reverse: they may be refused, but shift no other setting."""
    closed, inactive = update((CLOSED.parameter, "PT10M")), update((INACTIVE.parameter, "P2D"))
    long, short = ((INACTIVE.parameter, "P1D"), LONG_CLOSED), (SHORT_INACTIVE, (CLOSED.parameter, "PT11M"))
    return [single(update(*long), closed), single(update(*short), inactive)]


_ALIKE = (
    ("0e" + "1" * 30, "0e" + "2" * 30),
    ("12345678" * 4, "12345678" * 3 + "12345679"),
    ("a" + "12345678" * 3 + "1234567", "b" + "12345678" * 3 + "1234567"),
)
"""Pairs of SIDs' digits: both are zero as floats; only the last digit differs, which no float holds; only the first."""


def last_wins(situation: Situation) -> Sequence[Probe]:
    one, other = update(*pairs_for(situation, 26)), update(*pairs_for(situation, 27))
    free = [each for each in SIDS if each.parameter not in situation.sids]
    return [
        single(one, other, one),
        *(
            single(*(update(*((each.parameter, each.prefix + digits) for each in free)) for digits in both))
            for both in _ALIKE
            if free
        ),
        *(
            single(first, second, first)
            for first, second in zip(each_setting(situation, 28), each_setting(situation, 29), strict=True)
        ),
        single(
            *(update((INACTIVE.parameter, f"PT{seconds}S")) for seconds in (61, 3600, 62, 5999, 63)),
            context=(LONG_CLOSED,),
        ),
    ]


def fresh(situation: Situation) -> Sequence[Probe]:
    """Return updates on one connection, each read back on another one."""
    everything = Request(body=encode_form(pairs_for(situation, 30)))
    looks = [Request(body=encode_form((pair,)), fresh=True) for pair in pairs_for(situation, 31)]
    return [
        single(everything, looks[-1]),
        single(everything, *looks),
        single(Request(body=everything.body, fresh=True), update(SHORT_INACTIVE)),
    ]


def kept(situation: Situation) -> Sequence[Probe]:
    """Return an update, read back some seconds later, in the last account: other probes use that one least."""
    account = situation.accounts - 1
    before = Request(body=encode_form(pairs_for(situation, 32)), account=account)
    return [single(before, update(SHORT_INACTIVE, account=account, after=2.0))]


def reads(situation: Situation) -> Sequence[Probe]:
    return [
        single(update(*pairs_for(situation, 33)), READ, READ),
        # What one connection writes shows on another one that has read before.
        single(READ, update(*pairs_for(situation, 149), fresh=True), READ),
        *(single(each, READ) for each in each_setting(situation, 34)),
        single(update(*pairs_for(situation, 35)), Request(method="GET", content_type=None, fresh=True)),
    ]


def safe(situation: Situation) -> Sequence[Probe]:
    """Return requests by safe methods, some with parameters for careless routers; then the settings are read."""
    wanted: Pairs = ((INACTIVE.parameter, "PT33M3S"),)
    query = encode_form(wanted).decode()
    before = update(*pairs_for(situation, 36))
    plain = [Request(method=method, content_type=None) for method in SAFE_METHODS]
    queried = [replace(request, query=query, intends=wanted) for request in plain]
    # These have connections of their own: a server that leaves the content unread may take it for the next request.
    filled = [
        replace(update(*wanted), method=request.method, intends=wanted, fresh=True) for request in plain[:2]
    ]
    overridden = [replace(each, headers=((OVERRIDE, "POST"),)) for each in filled]
    return [
        single(before, *queried[:1], *overridden, update(LONG_CLOSED)),
        single(
            before, queried[1], *filled, replace(plain[0], headers=overridden[0].headers), update(LONG_CLOSED)
        ),
        *(single(before, request, update(LONG_CLOSED)) for request in (*plain, *queried, *filled)),
    ]


def twice(situation: Situation) -> Sequence[Probe]:
    return [
        single(update(*pairs_for(situation, 37)), update(*pairs_for(situation, 37)), update(SHORT_INACTIVE)),
        *(single(each, each, each) for each in each_setting(situation, 38)),
    ]


def two_accounts(situation: Situation) -> Sequence[Probe]:
    if situation.accounts < 2:
        return ()

    def of(account: int, *pairs: tuple[str, str]) -> Request:
        return Request(body=encode_form(pairs), account=account)

    theirs_read = replace(READ, account=1)
    mine, theirs = pairs_for(situation, 39), pairs_for(situation, 40)
    # A form that names the other account has an unknown parameter, or is a way to write to that account.
    named = [
        of(0, (INACTIVE.parameter, "PT17M17S"), ("AccountSid", sid)) for sid in situation.account_sids[1:2]
    ]
    return [
        single(of(0, *mine), of(1, *theirs), READ, of(0, SHORT_INACTIVE), *named, of(1, LONG_CLOSED)),
        single(
            *(
                each
                for pairs in (
                    (SHORT_INACTIVE, ("DefaultClosedTimer", "P29D")),
                    *zip(pairs_for(situation, 47)),
                )
                for each in (of(0, *pairs), of(1, *pairs))
            )
        ),
        single(of(1, *_BAD[:1]), of(0, *_BAD[:1]), of(1, LONG_CLOSED), of(0, LONG_CLOSED)),
        single(theirs_read, of(0, *pairs_for(situation, 48)), theirs_read, READ, of(1, LONG_CLOSED), READ),
        *(
            single(of(0, *mine), of(1, *theirs), of(0, *mine), of(1, other), of(0, one), of(1, LONG_CLOSED))
            for one, other in zip(pairs_for(situation, 41), pairs_for(situation, 42), strict=True)
        ),
    ]


def concurrent(situation: Situation) -> Sequence[Probe]:
    """Return one concurrent writer for each setting, or for two of them, with readers beside them."""
    everybody, again, *others = (each_setting(situation, 43 + turn) for turn in range(5))
    places = [*combinations(range(len(everybody)), 2)][::-1]
    two = [(each[one], each[other], READ) for each, (one, other) in zip(others, places, strict=False)]
    return [Probe(steps=each, together=True) for each in (everybody, (*again, READ, READ), *two)]


def crowded(situation: Situation) -> Sequence[Probe]:
    """Yield writers with readers and refused updates beside them, in one account or in several."""
    accounts = range(situation.accounts)

    def of(account: int, *requests: Request) -> tuple[Request, ...]:
        return tuple(replace(each, account=account) for each in requests)

    def many(turn: int) -> Iterator[Request]:
        """Each account writes each setting, beside two refused updates, an intruder and a reader."""
        for account in accounts:
            intruder = update((INACTIVE.parameter, f"PT3M{40 + turn}S"), auth=_WRONG)
            refused = (update(_BAD[turn % 4]), intruder, update(_BAD[(turn + 1) % 4]))
            yield from of(account, *each_setting(situation, 150 + 10 * turn + account), *refused, READ)

    def alike(turn: int) -> Iterator[Request]:
        """Each account writes the same values three times, in opposite orders."""
        for account in accounts:
            whole = pairs_for(situation, 190 + 10 * turn + account)
            yield from of(account, update(*whole), update(*reversed(whole)), update(*whole))

    first = [
        request
        for account in accounts
        for request in of(account, update(*pairs_for(situation, 230 + account)))
    ]
    # With two accounts the last crowd has more requests than many a pool of connections has places.
    crowds = (first, many(0), alike(0), many(1), (*alike(1), *many(2)))
    return [Probe(steps=tuple(crowd), together=True) for crowd in crowds]


_PIECE = 16
"""Requests in one piece of the tour: a counterexample is looked for among the last ten before it."""


def tour(situation: Situation) -> Sequence[Probe]:
    """
    Return sequences in which each kind of request comes right after each kind, itself among them, once.

    The kinds come in the order of a de Bruijn sequence, cut into pieces that overlap in one request. Each good update
    sets another setting than the one before, to a value of its own.
    """
    fixed = (*map(update, _BAD), READ, Request(method="HEAD", content_type=None), EMPTY)
    kinds = range(2 + len(fixed))
    pairs = (
        kind
        for one in kinds
        for kind in (one, *(each for other in kinds[one + 1 :] for each in (one, other)))
    )
    # Beside a short inactive timer no closed one is too short for another reason than its own.
    good = (
        update((name, f"PT1M{number}S" if name == INACTIVE.parameter else value))
        for number in count(1)
        for name, value in pairs_for(situation, 250 + number)
    )
    steps, last = list[Request](), next(good)
    for kind in (*pairs, 0):
        last = next(good) if kind == 0 else last
        # The same update by somebody who knows no token must not be taken for a repetition.
        again = replace(last, auth=_WRONG)
        steps.append((last, again, *fixed)[kind])
    return [single(*steps[at : at + _PIECE + 1]) for at in range(0, len(steps) - 1, _PIECE)]


def empty(situation: Situation) -> Sequence[Probe]:
    before = update(*pairs_for(situation, 50))
    return [single(before, EMPTY), single(before, Request(body=None, content_type=None))]


_WRONG = Auth(secret="{token}0")  # noqa: S106  # a placeholder
"""Credentials that are refused."""

_BAD = (
    (INACTIVE.parameter, "PT59S"),
    (CLOSED.parameter, "PT9M"),
    (CHAT.parameter, "IS0"),
    (MESSAGING.parameter, "x"),
)


def machine(situation: Situation, receive: Callable[[Probe], None]) -> type[RuleBasedStateMachine]:
    """
    Return a Hypothesis state machine of updates, refusals, reads and repetitions, on one or several connections.

    It hands over each sequence when it is complete, since the requests must not depend on the answers.
    """

    class Updates(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.steps: list[Request] = []

        @rule(index=st.integers(51, 147), subset=st.integers(1, 15), fresh=st.booleans())
        def update(self, index: int, subset: int, fresh: bool) -> None:
            pairs = pairs_for(situation, index)
            chosen = tuple(pair for bit, pair in enumerate(pairs) if subset >> bit & 1) or pairs[:1]
            self.steps.append(Request(body=encode_form(chosen), fresh=fresh))

        @rule(bad=st.sampled_from(_BAD), index=st.integers(51, 147), first=st.booleans())
        def refused(self, bad: tuple[str, str], index: int, first: bool) -> None:
            valid = tuple(pair for pair in pairs_for(situation, index) if pair[0] != bad[0])[:2]
            self.steps.append(update(*((bad, *valid) if first else (*valid, bad))))

        @rule()
        def empty(self) -> None:
            self.steps.append(EMPTY)

        @rule()
        def read(self) -> None:
            self.steps.append(READ)

        @precondition(lambda self: bool(self.steps))
        @rule()
        def repeat(self) -> None:
            self.steps.append(self.steps[-1])

        def teardown(self) -> None:
            if self.steps:
                receive(single(*self.steps, update(SHORT_INACTIVE)))

    return Updates

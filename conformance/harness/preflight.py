"""
Sends the first requests of a run: they show whether the resource exists, what is set, and which SIDs are accepted.

They are judged like all others. No SID is sent before it is known that the resource exists. Values that must be
rejected are sent to null settings before the first accepted write, because a setting cannot be made null again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain

from conformance.exceptions import AlwaysFails, NoVerdict, Unimplemented, Unsafe
from conformance.harness.reachable import advice_on_path, is_absent, refuse_to_judge
from conformance.harness.schedule import Item
from conformance.harness.session import Session
from conformance.http import ABSENT, EMPTY, NO_AUTH, READ, TURNED_AWAY, Exchange, Request, update
from conformance.model import CLOSED, EXAMPLE, FIELDS, INACTIVE, SIDS, Aspect, Field, Probe, shown_by
from conformance.rules import BY_ID, Reply
from conformance.rules.forms import REFUSED_WRITES
from conformance.rules.probes import LONG_CLOSED, SHORT_INACTIVE, value_probe
from conformance.rules.robustness import absent
from conformance.rules.sids import FIVE, unprovisioned
from conformance.rules.state import CONCURRENT, unsteady
from conformance.safety.journal import Settings


def examine(session: Session) -> tuple[Settings | None, ...]:
    """
    Find out whether the target can be judged, and what is set.

    Returns:
        The settings before the run, by account; None where they could not be read.

    Raises:
        NoVerdict: The target is not reached, or refuses the credentials.
        Garbled: No answer of the target is framed right.
        AlwaysFails: The target answers every request with a server error.
        Unimplemented: The target answers every update with 404, 405 or 501.
        TargetDead: Nothing listens at the address of the target.
        Unsafe: The target is live, and its settings could not be put back.
    """
    safeguard = session.safeguard
    safeguard.look()
    before: list[Settings | None] = []
    for account in range(session.situation.accounts):
        try:
            before.append(_examine_account(session, account))
        except (NoVerdict, Unimplemented, AlwaysFails) as error:
            if account == 0 or isinstance(error, Unsafe):
                raise
            # The run goes on with fewer accounts. It then tests less of whether accounts are kept apart.
            session.leave_out(account, str(error))
            break
    safeguard.begin()
    return tuple(before)


def _examine_account(session: Session, account: int) -> Settings | None:
    """Send the first requests to one account; return the settings that they show, if they show any."""
    replies = [_send(session, READ, account, "answer/read")]
    looked: Reply | None = None
    shows = _show(session, account, replies[0])
    if account == 0 or replies[0].exchange.status != 200:
        # The update without parameters may change settings, by mistake.
        session.safeguard.touch(account)
        looked = _send(session, EMPTY, account, "state/empty-update")
        replies.append(looked)
        shows = shows or _show(session, account, looked)
    if account == 0 and len({str(each.shown) for each in replies if each.shown}) > 1:
        _read_again(session, replies[0])
    if not shows:
        _say_unreadable(session, replies, account)
    # Neither request was accepted, or the resource may serve reads alone: a real update decides.
    statuses = [reply.exchange.status for reply in replies]
    if 200 not in statuses or statuses[-1] in ABSENT:
        both = update(SHORT_INACTIVE, LONG_CLOSED)
        replies.append(_send(session, both, account, "answer/update"))
    _refuse_to_judge(session, replies, account)
    showing = next((reply for reply in replies[:2] if reply.shown is not None), None)
    session.learn(
        reader=showing.request if account == 0 and showing is not None else None,
        takes_empty=looked.exchange.accepted if looked is not None else None,
    )
    return showing.shown if showing is not None else None


def _read_again(session: Session, first: Reply) -> None:
    """Read three times in a row; if each answer differs from the one before, judge no setting that the target shows."""
    replies = [_send(session, READ, first.request.account, "answer/read") for _ in range(3)]
    shown = [reply.shown for reply in replies]
    if None in shown or shown[0] == shown[1] or shown[1] == shown[2]:
        return
    session.candidates.keep(lambda each: BY_ID[each.violation.rule].aspect < Aspect.ECHO)
    session.conversation.note(
        unsteady(replies[1].exchange),
        replies[2].exchange,
        "state/read",
        shows=lambda again: shown_by(again) not in (None, *shown),
    )
    session.judge.distrust()


def _send(session: Session, request: Request, account: int, cls: str) -> Reply:
    known_good = request is READ
    return session.conversation.send(replace(request, account=account), cls, known_good=known_good).reply


def _show(session: Session, account: int, reply: Reply) -> bool:
    """Keep the settings that an answer shows, for the restore; return whether it shows any."""
    if reply.shown is None:
        return False
    owner = reply.owner if isinstance(reply.owner, str) else None
    session.safeguard.snapshot(account, reply.shown, owner)
    return True


def _say_unreadable(session: Session, replies: list[Reply], account: int) -> None:
    """Say before the first write that settings cannot be read, so not put back; except where no write can succeed."""
    if session.safeguard.guard is not None:
        _refuse_to_judge(session, replies, account)
    exchanges = [reply.exchange for reply in replies]
    if any(each.response is not None and each.status not in TURNED_AWAY for each in exchanges):
        session.safeguard.unreadable(account)


def _refuse_to_judge(session: Session, replies: list[Reply], account: int) -> None:
    exchanges = [reply.exchange for reply in replies]
    user = session.target.settings.accounts[account].user
    refuse_to_judge(exchanges, url=session.target.url, user=user)
    if len(exchanges) < 3:
        return  # A write must wait until it is known whether settings can be put back.
    if is_absent(exchanges):
        statuses = [exchange.status for exchange in exchanges if exchange.request.method == "POST"]
        session.conversation.note(absent(statuses), exchanges[-1], "answer/update")
        url = session.target.url
        raise Unimplemented(f"{url} answers {statuses[-1]}{advice_on_path(url)}")
    if all(_fails(exchange) for exchange in exchanges):
        _give_up_if_all_fail(session, account)


def _fails(exchange: Exchange) -> bool:
    return exchange.status is not None and exchange.status >= 500


_LAST_TRIES = (
    update(*EXAMPLE.items(), fresh=True),
    update(SHORT_INACTIVE, fresh=True),
    update((INACTIVE.parameter, "banana"), fresh=True),
    update(LONG_CLOSED, auth=NO_AUTH, fresh=True),
    replace(READ, fresh=True),
)
"""Requests of many kinds, each on a connection of its own. A target that fails at all of them fails at everything."""


def _give_up_if_all_fail(session: Session, account: int) -> None:
    for request in _LAST_TRIES:
        reply = session.conversation.send(replace(request, account=account), "answer/update").reply
        if not _fails(reply.exchange):
            return
    raise AlwaysFails(f"{session.target.url} answers every request with a server error")


_REJECTED = {
    INACTIVE: ("PT59S", "banana", "PT10S10M", "600"),
    CLOSED: ("PT9M59S", "banana", "PT10S10M", "600"),
    SIDS[0]: ("IS0", "MG" + "e" * 32, "IS" + "z" * 32),
    SIDS[1]: ("MG0", "IS" + "e" * 32, "MG" + "z" * 32),
}


def probe_unset(session: Session, before: Sequence[Settings | None], *, each_setting: Sequence[int]) -> bool:
    """
    Send values that must be rejected to each setting that is null, and then read the settings back.

    Each setting of an account is sent the number of values in `each_setting`, at most. Return whether any was sent.
    """
    sent = False
    # The first update of all must be accepted, and is read back: a target may lose it before it is ready.
    for account, (own, most) in reversed([*enumerate(zip(before, each_setting, strict=False))]):
        unset = [each for each in FIELDS if own is not None and own.get(each.attribute) is None]
        if unset and account:
            # The value is one that nothing else sends: if the first account shows it, it comes from here.
            session.conversation.send(
                update((INACTIVE.parameter, "PT2M9S"), account=account), "answer/update"
            )
            session.read_back("answer/update", account)
            unset = [each for each in unset if each is not INACTIVE]
        steps = [
            update((each.parameter, value), account=account)
            for each in unset
            for value in _REJECTED[each][:most]
        ]
        for step in steps:
            seen = session.run_probe(Probe(steps=(step,)), REFUSED_WRITES, "state/unset")
            if seen[-1].exchange.refused and not account:
                session.learn_unset(step)
        if steps:
            session.read_back("state/unset", account)
        sent = sent or bool(steps)
    return sent


def write_first(session: Session, before: Sequence[Settings | None]) -> None:
    """
    Make the first two updates of the first account at the same time, where it has no setting yet.

    Another account has written before, so that only the other update can harm either of them.
    """
    probe = Probe(steps=(update(SHORT_INACTIVE), update(LONG_CLOSED)), together=True)
    is_new = before[0] is not None and not any(before[0].values())
    if is_new and session.situation.accounts > 1 and session.safeguard.admits(probe, "state/concurrent"):
        session.run_probe(probe, CONCURRENT, "state/concurrent")


def look_at_others(session: Session) -> None:
    """Read the settings of the other accounts: where they have none, those of the first account must not show."""
    for account in range(1, session.situation.accounts):
        session.read_back("state/two-accounts", account)


def learn_sids(session: Session, provisioned: Mapping[str, str | None]) -> None:
    """
    Find out which SIDs the target accepts: all that are well-formed, some, or none of those tried.

    `provisioned` has, by parameter, the SID of a service that the account has, where the user named one.
    """
    for each in SIDS:
        # Until more is known, the target may refuse any SID, since no service may have it.
        session.judge.know(each.parameter, frozenset())
    five: dict[Field, dict[str, bool]] = {each: {} for each in SIDS}
    for name in FIVE:
        items = [_item(each, name) for each in SIDS]
        together = all(all(taken.values()) for taken in five.values())
        answers = (
            [session.run_side_by_side(items)]
            if together
            else [session.run_side_by_side([item]) for item in items]
        )
        for each, taken in zip(SIDS, chain(*answers), strict=True):
            five[each][name] = taken
    for each, known in five.items():
        if any(known.values()):
            session.judge.know(each.parameter, None)
            for name, taken in known.items():
                if not taken:  # Others were accepted, so this refusal is judged as wrong now.
                    session.run_side_by_side([_item(each, name)])
            continue
        own = provisioned.get(each.parameter)
        value = own if own is not None else EXAMPLE[each.parameter]
        judged = session.run_probe(value_probe(each, value), f"{each.slug}-accept", "sid/any")
        is_known = own is not None or judged[-1].exchange.accepted
        session.judge.know(each.parameter, frozenset([value] if is_known else ()))


def _item(target_field: Field, name: str) -> Item:
    rule = BY_ID[f"{target_field.slug}-accept"]
    (cls,) = [cls for cls in rule.classes if cls.id == f"sid/{name}"]
    return Item(rule, cls, value_probe(target_field, unprovisioned(target_field)[name]))

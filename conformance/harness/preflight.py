"""
The first requests of a run: is the resource there, are the credentials good, what is set, which SIDs are taken.

They are judged like all others. No SID is sent before it is known that the resource exists, and what a rejected
update does to a setting that was never set is looked at before the first accepted write: that state does not
come back.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import chain

from conformance.exceptions import AlwaysFails, NoVerdict, Unimplemented, Unsafe
from conformance.harness.reachable import ABSENT, is_absent, refuse_to_judge
from conformance.harness.schedule import Item
from conformance.harness.session import Session
from conformance.http import EMPTY, NO_AUTH, READ, Exchange, Request, update
from conformance.model import CLOSED, EXAMPLE, FIELDS, INACTIVE, SIDS, Aspect, Field, Probe, shown_by
from conformance.rules import BY_ID, Reply
from conformance.rules.forms import REFUSED_WRITES
from conformance.rules.probes import LONG_CLOSED, SHORT_INACTIVE, value_probe
from conformance.rules.robustness import absent
from conformance.rules.sids import FIVE, unprovisioned
from conformance.rules.state import unsteady
from conformance.safety.journal import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Preflight:
    """What the first requests of a run show of the target."""

    before: tuple[Settings | None, ...] = ()
    """By account, the settings before the run; None where they could not be read."""
    reader: Request | None = None
    """The request that shows the settings without writing; None when there is none."""
    takes_empty: bool = False
    """Whether an update without parameters is accepted."""


def look_around(session: Session) -> Preflight:
    """
    Find out whether there is something to judge, and what is set.

    Raises:
        NoVerdict: The target is not reached, or refuses the credentials.
        Garbled: The target answers nothing that is framed right.
        Unimplemented: The target answers 404, 405 or 501 to whatever it is asked.
        TargetDead: Nothing listens.
        Unsafe: The target is live, and what is set could not be put back.
    """
    safeguard = session.safeguard
    safeguard.reading = True
    found = Preflight()
    for account in range(session.situation.accounts):
        try:
            found = _look_at(session, account, found)
        except (NoVerdict, Unimplemented, AlwaysFails) as error:
            if account == 0 or isinstance(error, Unsafe):
                raise
            # The others will do: with fewer of them, less can be seen of whether accounts are kept apart.
            session.leave_out(account, str(error))
            break
    safeguard.begin()
    return found


def _look_at(session: Session, account: int, found: Preflight) -> Preflight:
    """Look at one account, and add to what was found."""
    replies = [_send(session, READ, account, "answer/read")]
    shows = _show(session, account, replies[0])
    if account == 0 or replies[0].exchange.status != 200:
        session.safeguard.changed.add(account)  # an update without parameters changes nothing, if all is well
        replies.append(_send(session, EMPTY, account, "state/empty-update"))
        found = replace(found, takes_empty=replies[1].exchange.accepted)
        shows = shows or _show(session, account, replies[1])
    if account == 0 and len({str(each.shown) for each in replies if each.shown}) > 1:
        _look_twice(session, replies[0])
    if not shows:
        _say_unreadable(session, replies, account)
    # Neither showed it, or it may be for reading alone: ask for a real update.
    statuses = [reply.exchange.status for reply in replies]
    if 200 not in statuses or statuses[-1] in ABSENT:
        both = update(SHORT_INACTIVE, LONG_CLOSED)
        replies.append(_send(session, both, account, "answer/update"))
    _refuse_to_judge(session, replies, account)
    showing = next((reply for reply in replies[:2] if reply.shown is not None), None)
    found = replace(found, before=(*found.before, showing.shown if showing else None))
    if account == 0 and showing is not None:
        found = replace(found, reader=showing.request)
    session.learn(reader=found.reader, takes_empty=found.takes_empty)
    return found


def _look_twice(session: Session, first: Reply) -> None:
    """Read again where two answers differ: of a target that answers at random, nothing that is shown says anything."""
    second = _send(session, READ, first.request.account, "answer/read")
    if None not in (first.shown, second.shown) and first.shown != second.shown:
        session.candidates.keep(lambda each: BY_ID[each.violation.rule].aspect < Aspect.ECHO)
        session.conversation.note(
            unsteady(first.exchange),
            second.exchange,
            "state/read",
            shows=lambda again: shown_by(again) not in (None, first.shown),
        )
        session.judge.distrust()


def _send(session: Session, request: Request, account: int, cls: str) -> Reply:
    known_good = request is READ
    return session.conversation.send(replace(request, account=account), cls, known_good=known_good).reply


def _show(session: Session, account: int, reply: Reply) -> bool:
    """Whether an answer shows the settings; they are kept."""
    if reply.shown is None:
        return False
    owner = reply.document.get("account_sid")
    session.safeguard.snapshot(account, reply.shown, owner if isinstance(owner, str) else None)
    return True


def _say_unreadable(session: Session, replies: list[Reply], account: int) -> None:
    """Before the first write: what cannot be read cannot be put back; unless there is nobody to write to anyway."""
    if session.safeguard.guard is not None:
        _refuse_to_judge(session, replies, account)
    exchanges = [reply.exchange for reply in replies]
    if any(each.response is not None and each.status not in (401, 403) for each in exchanges):
        session.safeguard.unreadable(account)


def _refuse_to_judge(session: Session, replies: list[Reply], account: int) -> None:
    exchanges = [reply.exchange for reply in replies]
    user = session.target.settings.accounts[account].user
    refuse_to_judge(exchanges, url=session.target.url, user=user)
    if len(exchanges) < 3:
        return  # no setting was written yet, and nothing is until it is known whether settings can be put back
    if is_absent(exchanges):
        statuses = [exchange.status for exchange in exchanges if exchange.request.method == "POST"]
        session.conversation.note(absent(statuses), exchanges[-1], "answer/update")
        raise Unimplemented(f"{session.target.url} answers {statuses[-1]}")
    if all(_fails(exchange) for exchange in exchanges):
        _give_up_if_all_fail(session, account)


def _fails(exchange: Exchange) -> bool:
    return exchange.status is not None and exchange.status >= 500


_LAST_TRIES = (
    replace(update(*EXAMPLE.items()), fresh=True),
    replace(update(SHORT_INACTIVE), fresh=True),
    replace(update((INACTIVE.parameter, "banana")), fresh=True),
    replace(update(LONG_CLOSED, auth=NO_AUTH), fresh=True),
    replace(READ, fresh=True),
)
"""Requests of many kinds, each on a connection of its own: where all of them fail, so does everything."""


def _give_up_if_all_fail(session: Session, account: int) -> None:
    for request in _LAST_TRIES:
        reply = session.conversation.send(replace(request, account=account), "answer/update").reply
        if not _fails(reply.exchange):
            return
    raise AlwaysFails(f"{session.target.url} answers every request with a server error")


_UNSET = {
    INACTIVE: ("PT59S", "banana", "PT10S10M", "600"),
    CLOSED: ("PT9M59S", "banana", "PT10S10M", "600"),
    SIDS[0]: ("IS0", "MG" + "e" * 32, "IS" + "z" * 32),
    SIDS[1]: ("MG0", "IS" + "e" * 32, "MG" + "z" * 32),
}


def probe_unset(session: Session, found: Preflight, *, each_setting: int) -> bool:
    """
    Send values that must be rejected to each setting that is null, and then look.

    Args:
        session: The run.
        found: What is set.
        each_setting: How many values are sent to each setting at most.

    Returns:
        Whether any was sent.
    """
    before = found.before[0]
    unset = [each for each in FIELDS if before is not None and before.get(each.attribute) is None]
    for each in unset:
        for value in _UNSET[each][:each_setting]:
            session.run_probe(
                Probe(steps=(update((each.parameter, value)),)),
                REFUSED_WRITES,
                "state/unset",
            )
    if unset:
        session.look_again("state/unset")
    return bool(unset)


def learn_sids(session: Session, provisioned: Mapping[str, str | None]) -> None:
    """
    Find out which SIDs the target takes: any well-formed one, only those it knows, or none that we know.

    Args:
        session: The run; its judge takes note of them.
        provisioned: By parameter, a SID of a service that the account has, where the user named one.
    """
    for each in SIDS:
        # While nothing is known of it, refusing a SID that no service has is nobody's fault.
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
                if not taken:  # judged now that it is known to be wrong
                    session.run_side_by_side([_item(each, name)])
            continue
        own = provisioned.get(each.parameter)
        likely = [own] if own is not None else [EXAMPLE[each.parameter]]
        taken_alone = [value for value in likely if _is_taken(session, each, "any", value)]
        session.judge.know(each.parameter, frozenset([own] if own is not None else taken_alone))


def _item(target_field: Field, name: str) -> Item:
    rule = BY_ID[f"{target_field.slug}-accept"]
    (cls,) = [cls for cls in rule.classes if cls.id == f"sid/{name}"]
    return Item(rule, cls, value_probe(target_field, unprovisioned(target_field)[name]))


def _is_taken(session: Session, target_field: Field, name: str, value: str) -> bool:
    probe = value_probe(target_field, value)
    return session.run_probe(probe, f"{target_field.slug}-accept", f"sid/{name}")[-1].exchange.accepted

"""
The first requests of a run: is the resource there, are the credentials good, what is set, which SIDs are taken.

They are judged like all others. No SID is sent before it is known that the resource exists, and what a rejected
update does to a setting that was never set is looked at before the first accepted write: that state does not
come back.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import chain

from conformance.exceptions import Garbled, NoVerdict, Unimplemented
from conformance.harness.schedule import Item
from conformance.harness.session import Session
from conformance.http import EMPTY, READ, Exchange, FailureKind, json_of, update
from conformance.model import CLOSED, EXAMPLE, FIELDS, INACTIVE, SIDS, Field, Probe, shown_by
from conformance.rules import BY_ID
from conformance.rules.probes import LONG_CLOSED, SHORT_INACTIVE, value_probe
from conformance.rules.robustness import absent
from conformance.rules.sids import FIVE, unprovisioned

_ABSENT = frozenset({404, 405, 501})


@dataclass(slots=True)
class Findings:
    """What preflight found out."""

    before: list[Mapping[str, str | None] | None] = field(default_factory=list)
    """By account, the settings before the run; None where they could not be read."""


def look_around(session: Session) -> Findings:
    """
    Find out whether there is something to judge, and what is set.

    Raises:
        NoVerdict: it is not reached, or refuses the credentials.
        Garbled: it answers nothing that is framed right.
        Unimplemented: it answers 404, 405 or 501 to whatever it is asked.
        TargetDead: nothing listens.
        Unsafe: it is live, and what is set could not be put back.
    """
    found = Findings()
    safeguard = session.safeguard
    safeguard.reading = True
    for account in range(session.situation.accounts):
        exchanges = [session.send(replace(READ, account=account), "answer/read", known_good=True)]
        if (settings := shown_by(exchanges[0])) is not None:
            safeguard.snapshot(account, settings, _owner(exchanges[0]))
        if account == 0 or exchanges[0].status != 200:
            safeguard.changed.add(account)  # an update without parameters changes nothing, if all is well
            exchanges.append(session.send(replace(EMPTY, account=account), "state/empty-update"))
            session.takes_empty = exchanges[-1].status == 200
            if settings is None and (settings := shown_by(exchanges[-1])) is not None:
                safeguard.snapshot(account, settings, _owner(exchanges[-1]))
        if settings is None:
            _say_unreadable(session, exchanges, account)
        # Neither showed it, or it may be for reading alone: ask for a real update.
        if all(exchange.status != 200 for exchange in exchanges) or exchanges[-1].status in _ABSENT:
            exchanges.append(
                session.send(replace(update(SHORT_INACTIVE, LONG_CLOSED), account=account), "answer/update")
            )
        _refuse_to_judge(session, exchanges, account)
        found.before.append(settings)
        if account == 0 and settings is not None:
            session.reader = exchanges[0 if shown_by(exchanges[0]) is not None else 1].request
    safeguard.begin()
    return found


def _owner(exchange: Exchange) -> str | None:
    """The account that an answer, which shows settings, says they are of."""
    assert exchange.response is not None
    owner = json_of(exchange.response).get("account_sid")
    return owner if isinstance(owner, str) else None


def _say_unreadable(session: Session, exchanges: list[Exchange], account: int) -> None:
    """Before the first write: what cannot be read cannot be put back; unless there is nobody to write to anyway."""
    if session.safeguard.guard is not None:
        _refuse_to_judge(session, exchanges, account)
    if any(each.response is not None and each.status not in (401, 403) for each in exchanges):
        session.safeguard.unreadable(account)


def _refuse_to_judge(session: Session, exchanges: list[Exchange], account: int) -> None:
    if all(exchange.response is None for exchange in exchanges):
        failure = exchanges[0].failure
        assert failure is not None
        framing = failure.kind is FailureKind.FRAMING and not failure.detail.startswith("not HTTP")
        if framing or failure.partial:
            raise Garbled(f"no answer could be read: {failure.detail}")
        raise NoVerdict(f"{session.target.url} gave no answer over HTTP: {failure.detail}")
    statuses = [exchange.status for exchange in exchanges]
    if all(status in (401, 403) for status in statuses):
        user = session.target.settings.accounts[account].user
        raise NoVerdict(
            f"the target refused the credentials of {user} (status {statuses[-1]}): "
            "set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN, or CONFORMANCE_ACCOUNTS"
        )
    # The document describes POST alone: what only reads does not implement it.
    if len(statuses) > 2 and all(status in _ABSENT for status in statuses[1:]):
        session.note(absent(statuses[1:]), exchanges[-1], "answer/update")
        raise Unimplemented(f"{session.target.url} answers {statuses[-1]}")


_UNSET = {
    INACTIVE: ("PT59S", "banana", "PT10S10M", "600"),
    CLOSED: ("PT9M59S", "banana", "PT10S10M", "600"),
    SIDS[0]: ("IS0", "MG" + "e" * 32, "IS" + "z" * 32),
    SIDS[1]: ("MG0", "IS" + "e" * 32, "MG" + "z" * 32),
}


def probe_unset(session: Session, found: Findings, *, each_setting: int) -> bool:
    """Send up to so many values that must be rejected to each null setting, then look; returns whether any was sent."""
    before = found.before[0]
    unset = [each for each in FIELDS if before is not None and before.get(each.attribute) is None]
    for each in unset:
        for value in _UNSET[each][:each_setting]:
            session.run_probe(
                Probe(steps=(update((each.parameter, value)),)),
                "rejected-update-changes-nothing",
                "state/unset",
            )
    if unset:
        session.look_again("state/unset")
    return bool(unset)


def learn_sids(session: Session, provisioned: Mapping[str, str | None]) -> None:
    """
    Find out which SIDs the target takes: any well-formed one, only those it knows, or none that we know.

    Args:
        session: the run; its situation is set.
        provisioned: by parameter, a SID of a service that the account has, where the user named one.
    """
    for each in SIDS:
        # While nothing is known of it, refusing a SID that no service has is nobody's fault.
        _know(session, each, frozenset())
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
            _know(session, each, None)
            for name, taken in known.items():
                if not taken:  # judged now that it is known to be wrong
                    session.run_side_by_side([_item(each, name)])
            continue
        own = provisioned.get(each.parameter)
        likely = [own] if own is not None else [EXAMPLE[each.parameter]]
        taken_alone = [value for value in likely if _is_taken(session, each, "any", value)]
        _know(session, each, frozenset([own] if own is not None else taken_alone))


def _item(target_field: Field, name: str) -> Item:
    rule = BY_ID[f"{target_field.slug}-accept"]
    (cls,) = [cls for cls in rule.classes if cls.id == f"sid/{name}"]
    return Item(rule, cls, value_probe(target_field, unprovisioned(target_field)[name]))


def _is_taken(session: Session, target_field: Field, name: str, value: str) -> bool:
    probe = value_probe(target_field, value)
    return session.run_probe(probe, f"{target_field.slug}-accept", f"sid/{name}")[-1].status == 200


def _know(session: Session, target_field: Field, sids: frozenset[str] | None) -> None:
    known = dict(session.situation.sids)
    known.pop(target_field.parameter, None)
    if sids is not None:
        known[target_field.parameter] = sids
    session.situation = replace(session.situation, sids=known)

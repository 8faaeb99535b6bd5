"""
The first requests of a run: is the resource there, are the credentials good, what is set, which SIDs are taken.

They are judged like all others. No SID is sent before it is known that the resource exists, and what a rejected
update does to a setting that was never set is looked at before the first accepted write: that state does not
come back.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from conformance.model import (
    CLOSED,
    EMPTY,
    EXAMPLE,
    FIELDS,
    INACTIVE,
    READ,
    SIDS,
    Exchange,
    FailureKind,
    Field,
    Probe,
    Request,
    Violation,
    update,
)
from conformance.rules.probes import LONG_CLOSED, SHORT_INACTIVE, value_probe
from conformance.rules.sids import unprovisioned
from conformance.session import Session

_ABSENT = frozenset({404, 405, 501})


class NoVerdict(Exception):
    """The target cannot be judged: it is not reached, or refuses the credentials."""


class Garbled(Exception):
    """It is HTTP, but no answer is framed so that it can be read."""


class Unimplemented(Exception):
    """The resource is not there."""


@dataclass(slots=True)
class Findings:
    """What preflight found out."""

    before: list[Mapping[str, str | None] | None] = field(default_factory=list)
    """By account, the settings before the run; None where they could not be read."""
    reader: Request | None = None
    """The request that reads without writing; None when there is none."""


def look_around(session: Session) -> Findings:
    """
    Find out whether there is something to judge, and what is set.

    Raises:
        NoVerdict: it is not reached, or refuses the credentials.
        Garbled: it answers nothing that is framed right.
        Unimplemented: it answers 404, 405 or 501 to whatever it is asked.
        TargetDead: nothing listens.
    """
    found = Findings()
    for account in range(session.situation.accounts):
        exchanges = [session.send(replace(READ, account=account), "answer/read", known_good=True)]
        if account == 0 or exchanges[0].status != 200:
            exchanges.append(session.send(replace(EMPTY, account=account), "state/empty-update"))
            session.takes_empty = exchanges[-1].status == 200
        # Neither showed it, or it may be for reading alone: ask for a real update.
        if all(exchange.status != 200 for exchange in exchanges) or exchanges[-1].status in _ABSENT:
            exchanges.append(
                session.send(replace(update(SHORT_INACTIVE, LONG_CLOSED), account=account), "answer/update")
            )
        _refuse_to_judge(session, exchanges, account)
        # The first that shows the settings; the last of three has written.
        shows = next((each for each in exchanges[:2] if session.shown(each) is not None), None)
        found.before.append(session.shown(shows) if shows is not None else None)
        if account == 0 and shows is not None:
            found.reader = session.reader = shows.request
    return found


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
        session.note(
            Violation(
                rule="implemented",
                outcome="absent",
                field=None,
                summary="the resource is not there",
                expected="an answer to POST other than 404, 405 and 501",
                observed=f"status {' and '.join(str(status) for status in dict.fromkeys(statuses[1:]))} to POST",
            ),
            exchanges[-1],
            "answer/update",
        )
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
        five = [_is_taken(session, each, name, value) for name, value in unprovisioned(each).items()]
        if any(five):
            _know(session, each, None)
            for (name, value), taken in zip(unprovisioned(each).items(), five, strict=True):
                if not taken:  # judged now that it is known to be wrong
                    _is_taken(session, each, name, value)
            continue
        own = provisioned.get(each.parameter)
        likely = [own] if own is not None else [EXAMPLE[each.parameter]]
        known = [value for value in likely if _is_taken(session, each, "any", value)]
        _know(session, each, frozenset([own] if own is not None else known))


def _is_taken(session: Session, target_field: Field, name: str, value: str) -> bool:
    probe = value_probe(target_field, value)
    return session.run_probe(probe, f"{target_field.slug}-accept", f"sid/{name}")[-1].status == 200


def _know(session: Session, target_field: Field, sids: frozenset[str] | None) -> None:
    known = dict(session.situation.sids)
    known.pop(target_field.parameter, None)
    if sids is not None:
        known[target_field.parameter] = sids
    session.situation = replace(session.situation, sids=known)

"""Puts the settings back that were in force before a run, and says what could not be put back."""

from collections.abc import Mapping
from dataclasses import replace

from conformance.ledger import is_right
from conformance.model import FIELDS, READ, Exchange, Field, Request, Restore, update
from conformance.oracle import Answer, decide_value
from conformance.session import Session
from conformance.target import BudgetExhausted, RateLimitedOut, TargetDead

_GONE = (BudgetExhausted, RateLimitedOut, TargetDead)


def restore(
    session: Session, before: list[Mapping[str, str | None] | None], reader: Request | None
) -> Restore:
    """
    Write back what was there, read it again, and compare.

    Args:
        session: the run; only its target is used, and the reserve of its budget.
        before: by account, the settings before the run; None where they could not be read.
        reader: the request that reads without writing; None when the answer to the write must do.
    """
    if all(each is None for each in before):
        return Restore(state="not-read")
    failed: list[str] = []
    unrestorable: list[str] = []
    unseen = False
    for account, settings in enumerate(before):
        if settings is None:
            continue
        # What no update may set cannot be put back.
        had = [
            (each, value)
            for each in FIELDS
            if (value := settings.get(each.attribute)) is not None
            and decide_value(each, value).answer is not Answer.REJECT
        ]
        shown = _write(session, account, had, reader)
        unseen = unseen or shown is None
        for each in FIELDS:
            value = dict(had).get(each)
            if value is not None and (shown is None or not is_right(each, value, shown.get(each.attribute))):
                failed.append(each.attribute)
            elif value is None and shown is not None and shown.get(each.attribute) is not None:
                unrestorable.append(each.attribute)
    return Restore(
        state="failed" if failed else "not-read" if unseen else "restored",
        unrestorable=tuple(dict.fromkeys(unrestorable)),
        failed=tuple(dict.fromkeys(failed)),
    )


def _write(
    session: Session, account: int, had: list[tuple[Field, str]], reader: Request | None
) -> Mapping[str, str | None] | None:
    """Write settings together, one by one where that is refused; the settings as shown afterwards."""
    try:
        exchange: Exchange | None = None
        if had:
            exchange = _send(session, account, update(*((each.parameter, value) for each, value in had)))
            if exchange.status != 200:
                for each, value in had:
                    exchange = _send(session, account, update((each.parameter, value)))
        if reader is not None or exchange is None or exchange.status != 200:
            exchange = _send(session, account, reader or READ)
        return session.shown(exchange)
    except _GONE:
        return None


def _send(session: Session, account: int, request: Request) -> Exchange:
    return session.target.send(replace(request, account=account, fresh=True), reserve=True)

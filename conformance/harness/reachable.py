"""Whether the first answers of a target allow it to be judged at all."""

from collections.abc import Sequence

from conformance.exceptions import Garbled, NoVerdict
from conformance.http import Exchange, FailureKind

ABSENT = frozenset({404, 405, 501})
"""Statuses of a resource that is not implemented (RFC 9110 15.5.5, 15.5.6, 15.6.2)."""


def refuse_to_judge(exchanges: Sequence[Exchange], *, url: str, user: str = "") -> None:
    """
    Give up on a target that cannot be judged.

    Args:
        exchanges: the first requests to one account with their answers; at least one.
        url: the target, for the message.
        user: the account, for the message; empty where it is not known.

    Raises:
        Garbled: no answer is framed so that it can be read.
        NoVerdict: there is no answer over HTTP, or the credentials are refused.
    """
    if all(exchange.response is None for exchange in exchanges):
        failure = exchanges[0].failure
        assert failure is not None
        framing = failure.kind is FailureKind.FRAMING and not failure.detail.startswith("not HTTP")
        if framing or failure.partial:
            raise Garbled(f"no answer could be read: {failure.detail}")
        raise NoVerdict(f"{url} gave no answer over HTTP: {failure.detail}")
    if all(exchange.status in (401, 403) for exchange in exchanges):
        of_user = f" of {user}" if user else ""
        raise NoVerdict(
            f"the target refused the credentials{of_user} (status {exchanges[-1].status}): "
            "set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN, or CONFORMANCE_ACCOUNTS"
        )


def is_absent(exchanges: Sequence[Exchange]) -> bool:
    """
    Whether every update was answered as if the resource were not there.

    The document describes POST alone: a target that only reads does not implement it.
    """
    updates = [exchange for exchange in exchanges if exchange.request.method == "POST"]
    return bool(updates) and all(exchange.status in ABSENT for exchange in updates)

"""Decides from the first answers of a target whether it can be judged at all."""

from collections.abc import Sequence

from conformance.exceptions import Garbled, NoVerdict
from conformance.http import ABSENT, PATH, TURNED_AWAY, Exchange, FailureKind


def refuse_to_judge(exchanges: Sequence[Exchange], *, url: str, user: str = "") -> None:
    """
    Give up on a target that cannot be judged, given its first exchanges with one account.

    The URL and the user name of the account, which may be empty, are for the message.

    Raises:
        Garbled: No answer is framed so that it can be read.
        NoVerdict: No answer came over HTTP, or the target refuses the credentials.
    """
    if all(exchange.response is None for exchange in exchanges):
        failure = exchanges[0].failure
        assert failure is not None
        framing = failure.kind is FailureKind.FRAMING and not failure.detail.startswith("not HTTP")
        if framing or failure.partial:
            raise Garbled(f"no answer could be read: {failure.detail}")
        closed = url.startswith("http:") and all(exchange.is_cut for exchange in exchanges)
        hint = "; if the port serves TLS, write https://" if closed else ""
        raise NoVerdict(f"{url} gave no answer over HTTP: {failure.detail}{hint}")
    if url.startswith("http:") and all(_asks_for_tls(exchange) for exchange in exchanges):
        raise NoVerdict(f"{url}: the port serves TLS: write https://")
    if all(exchange.status in TURNED_AWAY for exchange in exchanges):
        of_user = f" of {user}" if user else ""
        raise NoVerdict(
            f"{url} refused the credentials{of_user} (status {exchanges[-1].status}): "
            "set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN, or CONFORMANCE_ACCOUNTS"
        )


def _asks_for_tls(exchange: Exchange) -> bool:
    """Whether the answer is one of those that nginx and Go's server give to HTTP on a port for TLS."""
    said = exchange.response.body[:500].lower() if exchange.response is not None else b""
    return exchange.status == 400 and b"http request" in said and b"https" in said


def advice_on_path(url: str) -> str:
    """Return what to do about a base URL that ends like the resource's own path; empty where it does not."""
    base = url.removesuffix(PATH)
    return f"; the run adds {PATH} to the target: leave out its /v1" if base.endswith("/v1") else ""


def is_absent(exchanges: Sequence[Exchange]) -> bool:
    """
    Whether every update was answered as if the resource did not exist.

    The document describes POST alone, so a target that serves only reads does not implement the resource.
    """
    updates = [exchange for exchange in exchanges if exchange.request.method == "POST"]
    return bool(updates) and all(exchange.status in ABSENT for exchange in updates)

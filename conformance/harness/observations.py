"""Sends inputs that the document leaves open, and describes the answers. They are not judged."""

from collections import Counter
from collections.abc import Iterator, Mapping

from conformance.harness.judging import Judge
from conformance.harness.session import Session
from conformance.http import Exchange, Pairs, Request, encode_form, update
from conformance.model import CLOSED, INACTIVE, SIDS, TIMERS, Observation
from conformance.rules import Reply
from conformance.rules.probes import LONG_CLOSED, SHORT_INACTIVE

_WRITTEN = ((INACTIVE.parameter, "PT6M"),)
_JSON = Request(body=b'{"DefaultInactiveTimer": "PT6M"}', content_type="application/json", intends=_WRITTEN)
_QUERY = Request(body=b"", query=encode_form(_WRITTEN).decode(), intends=_WRITTEN)

OPEN: Mapping[str, tuple[str, Request, Pairs]] = {
    "open/zero-inactive": (
        "DefaultInactiveTimer=PT0S",
        update((INACTIVE.parameter, "PT0S")),
        (SHORT_INACTIVE,),
    ),
    "open/zero-closed": ("DefaultClosedTimer=PT0S", update((CLOSED.parameter, "PT0S")), (LONG_CLOSED,)),
    "open/closed-shorter": (
        "a closed timer shorter than the inactive one",
        update((INACTIVE.parameter, "P1D"), (CLOSED.parameter, "PT10M")),
        (SHORT_INACTIVE, LONG_CLOSED),
    ),
    "open/ten-years": ("DefaultClosedTimer=P10Y", update((CLOSED.parameter, "P10Y")), (LONG_CLOSED,)),
    "open/unknown-parameter": (
        "an unknown parameter beside a known one",
        update(SHORT_INACTIVE, ("FriendlyName", "x")),
        (),
    ),
    "open/json": ("a JSON body", _JSON, (SHORT_INACTIVE,)),
    "open/query": ("a parameter in the query string", _QUERY, (SHORT_INACTIVE,)),
}
"""By input class, an input in words and as a request, and what an update puts in force after it."""


class OpenInputs:
    """Sends the inputs that the document leaves open, and keeps the answers."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._replies: dict[str, Reply] = {}

    def send(self) -> None:
        """
        Send each input, and then an update that overwrites the settings it may have written.

        Where a closed timer shorter than the inactive one was taken, longer inactive timers are judged from then on.
        """
        for cls, (_, request, after) in OPEN.items():
            self._replies[cls] = self._session.conversation.send(request, cls).reply
            if after:
                self._session.conversation.send(update(*after), cls)
        self._session.judge.learn_shorter(self._replies["open/closed-shorter"])

    def described(self) -> Iterator[Observation]:
        """Yield an observation of each input that was sent."""
        for cls, (what, _, _) in OPEN.items():
            if (reply := self._replies.get(cls)) is None:
                continue
            exchange, shown = reply.exchange, reply.shown or {}
            timer = next((each.attribute for each in TIMERS if each.slug.split("-")[0] in cls), None)
            echo = f", shown as {shown.get(timer)!r}" if timer and exchange.status == 200 else ""
            failure = exchange.failure
            answer = f"status {exchange.status}" if failure is None else f"no answer ({failure.kind})"
            yield Observation(topic=cls, text=f"{what}: {answer}{echo}")


def described(judge: Judge) -> Iterator[Observation]:
    """Yield the observations that all answers of a run allow: of unknown SIDs, of reads, and of refusals."""
    for each in SIDS:
        known = judge.situation.sids.get(each.parameter)
        if known is not None:
            which = "none that was tried" if not known else f"only SIDs it knows, such as {min(known)}"
            yield Observation(topic="open/unknown-sids", text=f"{each.parameter}: the target takes {which}")
    reads = judge.kinds.get("answer/read", Counter())
    if reads:
        yield Observation(topic="open/get", text=f"GET is answered with {_counts(reads)}")
    refusals = judge.kinds.get("answer/refusal", Counter())
    if refusals:
        yield Observation(
            topic="open/refusals", text=f"refused updates are answered with {_counts(refusals)}"
        )


def _counts(statuses: Counter[str]) -> str:
    return ", ".join(
        f"{status} ({'once' if count == 1 else f'{count} times'})"
        for status, count in sorted(statuses.items())
    )


def dropped(exchange: Exchange | None, requests: int) -> Iterator[Observation]:
    """Yield an observation of the one exchange of a run that ended without an answer, where there is one."""
    if exchange is not None:
        what = f"was answered with {exchange.status}" if exchange.response else "got no answer"
        text = f"one request {what} (1 of {requests:,} requests), and never again"
        yield Observation(topic="open/dropped", text=text)

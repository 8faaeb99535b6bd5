"""Uses SIDs as canaries: no answer to one account may hold a SID that another account has sent."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from conformance.http import Exchange, Request, parameters_of
from conformance.model import BY_PARAMETER

_SID = re.compile("(?:IS|MG)[0-9a-fA-F]{32}")


@dataclass(slots=True)
class Canaries:
    """The SIDs of one account; `others` are those of the other accounts of the run. All are in lower case."""

    others: tuple["Canaries", ...] = ()
    sent: dict[str, Exchange | None] = field(default_factory=dict)
    """The SIDs that the account has sent, with the last exchange that did; None before there is one."""
    seen: set[str] = field(default_factory=set)
    """The SIDs that answers to the account held before another account sent them, and those that were reported."""

    def expect(self, request: Request, exchange: Exchange | None = None) -> None:
        """Record the SIDs in an update: from now on an answer may hold them."""
        for name, value in parameters_of(request):
            # One inside another value counts, too: where that one is taken, answers hold it.
            for sid in _SID.findall(value) if name in BY_PARAMETER else ():
                self.sent[sid.lower()] = exchange

    def foreign(self, exchange: Exchange) -> Iterator[tuple[str, Exchange]]:
        """
        Yield each SID in an answer that another account alone has sent, and the exchange that did.

        A SID that the request itself holds is left out, since an answer may repeat it. So is one that was in an answer
        before the other account sent it. Each is yielded once.
        """
        response, request = exchange.response, exchange.request
        if response is None or not self.others:
            return
        answer = "\n".join((*(value for _, value in response.headers), response.body.decode("latin-1")))
        asked = f"{(request.body or b'').decode('latin-1')} {request.query}".lower()
        for shown in _SID.findall(answer):
            sid = shown.lower()
            if sid not in self.sent and sid not in self.seen and sid not in asked:
                writers = [other.sent[sid] for other in self.others if sid in other.sent]
                self.seen.add(sid)
                yield from ((shown, writer) for writer in writers[:1] if writer is not None)

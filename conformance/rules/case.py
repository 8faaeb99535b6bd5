"""A counterexample, as the questions about it see it: its requests, its answers, and what is known of the target."""

from collections.abc import Callable, Collection, Generator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from conformance.http import Exchange, Pairs, Request
from conformance.model import BY_ATTRIBUTE, Aspect, Field, Situation, Violation, shown_by, shown_of
from conformance.oracle.decisions import is_right
from conformance.rules.catalogue import BY_ID

Requests = tuple[Request, ...]
Seen = list[tuple[Exchange, list[Violation]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A counterexample that shows the same every time."""

    violation: Violation
    exchanges: Sequence[Exchange]
    """The last one shows the violation."""
    situation: Situation
    reader: Request | None
    """The request that shows the settings without writing."""
    found: Callable[[Field], str | None]
    """Returns the value that a setting had before the run."""
    comes_back: bool
    """Whether the setting was shown rightly, and never wrongly, where it was sent as most clients send it."""
    is_minimal: bool
    """Whether it was seen that no request can be left out."""
    is_stable: bool
    """Whether it was sent again and showed the violation every time."""
    has_failed: bool
    """Whether it was sent again and did not show the violation."""
    failed: Collection[Requests]
    """Sequences that were sent and did not show it."""
    is_same: Callable[[Violation], bool]
    """Says whether a violation is the one in question."""

    @property
    def requests(self) -> Requests:
        """All requests, the one that shows it last."""
        return tuple(each.request for each in self.exchanges)

    @property
    def last(self) -> Request:
        """The request that shows it."""
        return self.exchanges[-1].request

    @property
    def pairs(self) -> Pairs:
        """The parameters of the request that shows it."""
        return (self.last.form() or ()) if self.last.method == "POST" else ()

    @property
    def aspect(self) -> Aspect:
        """What the violated rule makes a claim about."""
        return BY_ID[self.violation.rule].aspect

    @property
    def about(self) -> Field | None:
        """The setting that the violation is about."""
        return BY_ATTRIBUTE.get(self.violation.field or "") or BY_ID[self.violation.rule].field

    @property
    def written(self) -> int:
        """The index of the latest earlier update whose answer shows this setting of the account; -1 for none."""
        places = (
            index
            for index, each in enumerate(self.exchanges[:-1])
            if each.request.method == "POST" and each.request.account == self.last.account
            if self.about is not None and self.about.attribute in (shown_by(each) or {})
        )
        return max(places, default=-1)

    @property
    def read(self) -> Request | None:
        """A GET that shows the settings of the account; None where there is none."""
        if self.reader is None or self.reader.method != "GET":
            return None
        return replace(self.reader, account=self.last.account)

    def is_kept(self, exchange: Exchange) -> bool:
        """Whether an answer shows the value of the setting that the last update before has set, or has shown."""
        assert self.about is not None
        before, now = self.exchanges[self.written], shown_of(exchange, self.about)
        sent = dict(before.request.form() or ()).get(self.about.parameter)
        return now == shown_of(before, self.about) if sent is None else is_right(self.about, sent, now)

    def instead(self, last: Request) -> Requests:
        """Return the same requests, but for the last one."""
        return (*self.requests[:-1], last)

    def is_gone(self, seen: Seen | None) -> bool:
        """Whether a target did better: it answered, and not with the violation. False where nothing could be sent."""
        if seen is None or any(self.is_same(each) for each in seen[-1][1]):
            return False
        last = seen[-1][0]
        is_refusal = self.violation.outcome == "refused"
        is_failure = last.status is None or last.status >= 500 or last.status == 429
        return last.accepted if is_refusal else not is_failure


class Instead(NamedTuple):
    """Another counterexample, which shows what the one in question follows from."""

    violation: Violation
    exchanges: Sequence[Exchange]


Asking = Generator[Requests, Seen | None, str | Instead]
Question = Callable[[Case], Asking]

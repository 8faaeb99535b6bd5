"""
Sends values of one timer, remembers the answers, and never leaves a timer shorter than it was.

Each value is sent once. After an accepted value that is shorter than what was there before, that is written again
at once. What got neither 200 nor a 4xx may have been kept, and spoil every answer: before the other timer is asked
about, a value known to be good is written over it. At the end every timer is written back, whatever ended the
exploration.
"""

import json
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from decimal import Decimal
from typing import Literal, Protocol

from conformance.exceptions import NoVerdict, Unimplemented
from conformance.explore.notations import nominal_seconds
from conformance.explore.values import Answer, Taken
from conformance.http import EMPTY, READ, Exchange, Pairs, Request, update
from conformance.model import BY_PARAMETER, TIMERS, Field
from conformance.oracle.durations import DAY
from conformance.oracle.expected_state import is_right

LONG = "P30D"
"""What a timer that was never set is left at: it cannot be unset, and a long one does least."""

_ABSENT = frozenset({404, 405, 501})


class Door(Protocol):
    """What is asked of a target; `conformance.transport.target.Target` has it."""

    @property
    def requests(self) -> int:
        """Requests sent so far."""

    def send(self, request: Request, *, known_good: bool = False, reserve: bool = False) -> Exchange:
        """Send one request and return what came of it."""


def settings_shown(exchange: Exchange) -> Mapping[str, object] | None:
    """The representation that an answer with status 200 holds; None when it holds none."""
    if exchange.status != 200 or exchange.response is None:
        return None
    try:
        document = json.loads(exchange.response.body)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


class Prober:
    """
    The conversation with one target about its two timers.

    Args:
        door: where requests go.
        progress: called with the value in hand before every request.
    """

    def __init__(self, door: Door, progress: Callable[[str], None] = lambda text: None) -> None:
        self._door = door
        self._progress = progress
        self._answers: dict[tuple[str, str], Answer] = {}
        self._before: dict[str, str | None] | None = None
        self._reader: Request | None = None
        self._touched: set[str] = set()
        self._spoilt: set[Field] = set()
        self._longest: dict[str, tuple[Decimal, str]] = {}
        self._companions: dict[str, Pairs] = {}
        self.read_back: dict[str, object] = {}

    @property
    def requests(self) -> int:
        """Requests sent so far."""
        return self._door.requests

    def look_around(self, *, must_read: bool) -> None:
        """
        Read the settings, and make sure that what is set can be written back.

        Args:
            must_read: whether to give up where they cannot be read, or not be written back.

        Raises:
            NoVerdict: it is not reached, refuses the credentials, or could not be put back.
            Unimplemented: the resource is not there.
        """
        exchanges = [self._send(READ, known_good=True)]
        if settings_shown(exchanges[0]) is None:
            exchanges.append(self._send(EMPTY))
        shown = settings_shown(exchanges[-1])
        if shown is None:
            self._give_up(exchanges)
            if must_read:
                raise NoVerdict(
                    "the settings cannot be read, so they could not be put back; nothing was changed"
                )
            return
        self._reader = exchanges[-1].request
        self._before = {
            each.slug: value if isinstance(value := shown.get(each.attribute), str) else None
            for each in TIMERS
        }
        for each in TIMERS:
            value = self._before[each.slug]
            if value is not None and self._send(update((each.parameter, value))).status != 200 and must_read:
                raise NoVerdict(
                    f"the target refuses its own {each.attribute}, {value!r}, so it could not be put back; "
                    "nothing was changed"
                )

    @staticmethod
    def _give_up(exchanges: list[Exchange]) -> None:
        if all(exchange.failure is not None for exchange in exchanges):
            assert exchanges[0].failure is not None
            raise NoVerdict(f"no answer over HTTP: {exchanges[0].failure.detail}")
        statuses = [exchange.status for exchange in exchanges]
        if all(status in (401, 403) for status in statuses):
            raise NoVerdict(
                f"the target refused the credentials (status {statuses[-1]}): "
                "set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN, or CONFORMANCE_ACCOUNTS"
            )
        if all(status in _ABSENT for status in statuses):
            raise Unimplemented(f"the target answers {statuses[-1]}")

    def ask(self, field: Field, text: str) -> Answer:
        """What becomes of one value; the answer that is remembered where it was sent before."""
        known = self._answers.get((field.slug, text))
        if known is not None:
            return known
        pairs = ((field.parameter, text), *self._companions.get(field.slug, ()))
        answer = self._answers[field.slug, text] = self.submit(pairs)[field.slug]
        return answer

    def submit(self, pairs: Pairs) -> dict[str, Answer]:
        """What becomes of a form of timers, by slug; anything that was made shorter is put back at once."""
        fields = {BY_PARAMETER[name] for name, _ in pairs}
        self._put_back(self._spoilt - fields, reserve=False)
        self._touched |= {field.slug for field in fields}
        self._progress(pairs[0][1])
        exchange = self._send(update(*pairs))
        shown = settings_shown(exchange)
        taken = _taken(exchange)
        answers = {}
        for name, text in pairs:
            field = BY_PARAMETER[name]
            echo = shown.get(field.attribute) if shown is not None else None
            answers[field.slug] = Answer(
                field=field.slug,
                text=text,
                taken=taken,
                status=exchange.status,
                echo=echo if isinstance(echo, str) else None,
            )
        self.read_back = dict(shown or {})
        if taken is Taken.ACCEPTED:
            self._spoilt -= fields
        elif taken is Taken.FAILED:
            self._spoilt |= fields
        if taken is not Taken.REFUSED:
            self._put_back_if_shorter(pairs, certain=taken is Taken.ACCEPTED)
        return answers

    def before(self, field: Field) -> str | None:
        """What a timer was set to before the exploration; None where it was not set, or could not be read."""
        return self._before.get(field.slug) if self._before is not None else None

    def beside(self, field: Field, pairs: Pairs) -> None:
        """Send these along with every value of a timer from now on."""
        self._companions[field.slug] = pairs

    def answers(self, field: Field) -> list[Answer]:
        """All answers about one timer, in the order of asking."""
        return [answer for (slug, _), answer in self._answers.items() if slug == field.slug]

    def _put_back_if_shorter(self, pairs: Pairs, *, certain: bool) -> None:
        shorter = set()
        for name, text in pairs:
            field = BY_PARAMETER[name]
            length = nominal_seconds(text)
            if certain and length is not None and length <= 366 * DAY:
                self._longest[field.slug] = max(
                    self._longest.get(field.slug, (Decimal(-1), "")), (length, text)
                )
            guard = self.before(field)
            if guard is not None and text != guard:
                wanted = nominal_seconds(guard)
                if length is None or wanted is None or length < wanted:
                    shorter.add(field)
        # The reserve: a spent budget must not leave a timer short.
        self._put_back(shorter, reserve=True)

    def _put_back(self, fields: AbstractSet[Field], *, reserve: bool) -> None:
        """Write what was there before, or the longest of what was accepted, where there is any."""
        # Together, since one alone may be refused beside what the other still is; else one by one.
        good = tuple((field.parameter, text) for field in TIMERS if (text := self._good(field)))
        alone = tuple((pair,) for pair in good if BY_PARAMETER[pair[0]] in fields)
        for pairs in (good, *alone) if len(good) > 1 else alone:
            if alone and self._send(update(*pairs), reserve=reserve).status == 200:
                self._spoilt -= {BY_PARAMETER[name] for name, _ in pairs}
                if pairs is good:
                    break

    def _good(self, field: Field) -> str:
        return self.before(field) or self._longest.get(field.slug, (Decimal(0), ""))[1]

    def restore(self) -> tuple[Literal["restored", "unchanged", "failed", "not-read"], tuple[str, ...]]:
        """Write back what was there, read it, and say what became of it, with notes."""
        if not self._touched:
            return "unchanged", ()
        wanted = {field: self._good(field) or LONG for field in TIMERS if field.slug in self._touched}
        # Together, since one alone may be refused beside what the other still is; else one by one.
        exchange = self._send(
            update(*((field.parameter, text) for field, text in wanted.items())), reserve=True
        )
        if exchange.status != 200:
            for field, text in wanted.items():
                exchange = self._send(update((field.parameter, text)), reserve=True)
        if self._reader is not None:
            exchange = self._send(self._reader, reserve=True)
        shown = settings_shown(exchange) or {}
        notes, failed = [], False
        for field in wanted:
            guard, now = self.before(field), shown.get(field.attribute)
            if guard is None:
                notes.append(f"{field.attribute} was never set and cannot be unset; it is left at {now}")
            elif not (isinstance(now, str) and is_right(field, guard, now)):
                failed = True
                notes.append(f"{field.attribute} was {guard!r} and is {now!r} now")
        if self._before is None:
            return "not-read", tuple(notes)
        return "failed" if failed else "restored", tuple(notes)

    def _send(self, request: Request, *, known_good: bool = False, reserve: bool = False) -> Exchange:
        return self._door.send(replace(request, fresh=reserve), known_good=known_good, reserve=reserve)


def _taken(exchange: Exchange) -> Taken:
    if exchange.status == 200:
        return Taken.ACCEPTED
    return Taken.REFUSED if exchange.refused else Taken.FAILED

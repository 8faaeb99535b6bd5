"""
Sends values of one timer, remembers the answers, and never leaves a timer shorter than it was.

Each value is sent once. After an accepted value that is shorter than the timer was before, the earlier value is
written again at once. An update that got neither 200 nor a 4xx may have been kept and spoil every later answer:
before the other timer is asked about, a value known to be good is written over it. At the end every timer is written
back, however the exploration ended.
"""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import replace
from decimal import Decimal
from typing import Protocol

from conformance.exceptions import LeftShort, NoVerdict, Unimplemented, Unsafe
from conformance.explore.notations import nominal_seconds
from conformance.explore.values import Answer, Taken
from conformance.harness.reachable import is_absent, refuse_to_judge
from conformance.http import EMPTY, READ, Exchange, Pairs, Request, update
from conformance.model import BY_PARAMETER, TIMERS, Field, Restore, shown_by
from conformance.oracle.durations import DAY
from conformance.safety.restore import Restorer
from conformance.safety.safeguard import Safeguard
from conformance.safety.timer_guard import LEAST, TimerGuard


class Explored(Protocol):
    """The part of a `conformance.transport.target.Target` that an exploration uses."""

    @property
    def requests(self) -> int:
        """Requests sent so far."""

    def send(self, request: Request, *, known_good: bool = False, reserve: bool = False) -> Exchange:
        """Send one request and return what came of it."""


class Prober:
    """
    The conversation with one target about its two timers.

    Args:
        target: Sends the requests.
        safeguard: Keeps the timers as they were. On a live target it has a guard, and a timer that was never set is
            put back to a long one after every shorter value.
        progress: Called with the value in hand before every request.
    """

    def __init__(
        self, target: Explored, safeguard: Safeguard, progress: Callable[[str], None] = lambda text: None
    ) -> None:
        self._target = target
        self._progress = progress
        self._safeguard = safeguard
        self._guard = safeguard.guard or TimerGuard()
        self._answers: dict[tuple[str, str], Answer] = {}
        self._reader: Request | None = None
        self._touched: set[Field] = set()
        self._spoilt: set[Field] = set()
        self._longest: dict[str, tuple[Decimal, str]] = {}
        self._companions: dict[str, Pairs] = {}

    @property
    def requests(self) -> int:
        """Requests sent so far."""
        return self._target.requests

    def read_settings(self, *, url: str, must_read: bool) -> None:
        """
        Read the settings, and make sure that they can be written back.

        Args:
            url: The target, for messages.
            must_read: Whether to give up where they cannot be read, or not be written back.

        Raises:
            NoVerdict: The target is not reached, refuses the credentials, or its timers could not be put back.
            Garbled: No answer is framed so that it can be read.
            Unimplemented: The resource is not there.
        """
        exchanges = [self._send(READ, known_good=True)]
        if shown_by(exchanges[0]) is None:
            exchanges.append(self._send(EMPTY))
        shown = shown_by(exchanges[-1])
        if shown is None:
            refuse_to_judge(exchanges, url=url)
            if is_absent(exchanges):
                raise Unimplemented(f"the target answers {exchanges[-1].status}")
            if must_read:
                raise Unsafe(
                    "the settings cannot be read, so they could not be put back; nothing was changed"
                )
            self._safeguard.unreadable(0)
            return
        self._reader = exchanges[-1].request
        timers = {each.attribute: shown.get(each.attribute) for each in TIMERS}
        self._safeguard.snapshot(0, timers)
        self._guard.protect(0, timers)
        for each in TIMERS:
            value = timers[each.attribute]
            if value is not None and self._send(update((each.parameter, value))).status != 200 and must_read:
                raise NoVerdict(
                    f"the target refuses its own {each.attribute}, {value!r}, so it could not be put back; "
                    "nothing was changed"
                )

    def ask(self, field: Field, text: str) -> Answer:
        """Return the answer to one value; the remembered answer where it was sent before."""
        known = self._answers.get((field.slug, text))
        if known is not None:
            return known
        pairs = ((field.parameter, text), *self._companions.get(field.slug, ()))
        answer = self._answers[field.slug, text] = self.submit(pairs)[field.slug]
        return answer

    def submit(self, pairs: Pairs) -> dict[str, Answer]:
        """Return the answers to a form of timers, by slug. A timer that was made shorter is put back at once."""
        fields = {BY_PARAMETER[name] for name, _ in pairs}
        self._put_back(self._spoilt - fields, reserve=False)
        self._safeguard.touch(0)
        self._touched |= fields
        self._progress(pairs[0][1])
        exchange = self._send(update(*pairs))
        shown = shown_by(exchange) or {}
        answers = {}
        for name, text in pairs:
            field = BY_PARAMETER[name]
            echo = shown.get(field.attribute)
            taken = _taken(exchange, text, echo)
            answers[field.slug] = Answer(
                field=field.slug, text=text, taken=taken, status=exchange.status, echo=echo
            )
            length = nominal_seconds(text)
            if taken is Taken.ACCEPTED and length is not None and length <= 366 * DAY:
                longest = self._longest.get(field.slug, (Decimal(-1), ""))
                self._longest[field.slug] = max(longest, (length, text))
        if exchange.status == 200:
            self._spoilt -= fields
        elif not exchange.refused:
            self._spoilt |= fields
        self._put_back_if_shorter(exchange)
        return answers

    def before(self, field: Field) -> str | None:
        """Return the value of a timer before the exploration; None where it was not set, or could not be read."""
        return self._safeguard.before.get(0, {}).get(field.attribute)

    def beside(self, field: Field, pairs: Pairs) -> None:
        """From now on, send these pairs along with every value of a timer."""
        self._companions[field.slug] = pairs

    def answers(self, field: Field) -> list[Answer]:
        """Return all answers about one timer, in the order of asking."""
        return [answer for (slug, _), answer in self._answers.items() if slug == field.slug]

    def _put_back_if_shorter(self, exchange: Exchange) -> None:
        owed = self._guard.owed(exchange, shown_by(exchange))
        fields = {BY_PARAMETER[name] for name, _ in (owed.form() if owed is not None else None) or ()}
        live = self._safeguard.guard is not None
        if not live:  # nobody misses a timer that was never set
            fields = {field for field in fields if self.before(field)}
        # The reserve: a spent budget must not leave a timer short.
        if not self._put_back(fields, reserve=True) and live:
            raise LeftShort(f"{(exchange.request.body or b'').decode()} was in force and cannot be put back")

    def _put_back(self, fields: AbstractSet[Field], *, reserve: bool) -> bool:
        """Write good values over those of these timers; return whether they are accepted, if there are any."""
        good = tuple((field.parameter, text) for field in TIMERS if (text := self._good(field)))
        alone = tuple((pair,) for pair in good if BY_PARAMETER[pair[0]] in fields)
        done = not alone
        # Together first: one alone may be refused beside the value that the other still has.
        for pairs in ((good, *alone) if len(good) > 1 else alone) if alone else ():
            done = self._send(update(*pairs), reserve=reserve).status == 200
            if done:
                self._spoilt -= {BY_PARAMETER[name] for name, _ in pairs}
                if pairs is good:
                    break
        return done

    def _good(self, field: Field) -> str:
        """Return the value before the exploration; else a long one on a live target, else the longest accepted."""
        known = LEAST if self._safeguard.guard is not None else self._longest.get(field.slug, ("", ""))[1]
        return self.before(field) or known

    def restore(self) -> tuple[Restore, tuple[str, ...]]:
        """Write the timers back, read them, and say what became of those that are not as they were."""
        unset = {each for each in self._touched if not self.before(each)}
        for each in unset:  # it cannot be unset again, and a long timer does least
            self._longest.setdefault(each.slug, (Decimal(0), LEAST))
        self._put_back(unset, reserve=True)
        restorer = Restorer(target=self._target, safeguard=self._safeguard, reader=self._reader)
        restored, _ = restorer.put_back()
        other = [each for each in TIMERS if each in unset or each.attribute in restored.failed]
        if not other:
            return restored, ()
        shown = shown_by(self._send(self._reader or READ, reserve=True)) or {}
        return restored, tuple(self._note(each, shown.get(each.attribute)) for each in other)

    def _note(self, field: Field, now: str | None) -> str:
        if (before := self.before(field)) is not None:
            return f"{field.attribute} was {before!r} and is {now!r} now"
        why = "was never set and cannot be unset" if self._reader is not None else "could not be read before"
        return f"{field.attribute} {why}; it is left at {now}"

    def _send(self, request: Request, *, known_good: bool = False, reserve: bool = False) -> Exchange:
        return self._target.send(replace(request, fresh=reserve), known_good=known_good, reserve=reserve)


def _taken(exchange: Exchange, text: str, echo: str | None) -> Taken:
    """Return what became of a value: an empty one that is answered 200 and not shown afterwards was ignored."""
    if exchange.status == 200:
        return Taken.IGNORED if not text and echo != text else Taken.ACCEPTED
    return Taken.REFUSED if exchange.refused else Taken.FAILED

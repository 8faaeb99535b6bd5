"""One exploration from beginning to end: it asks in order of importance and makes readings of the answers."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from dataclasses import field as made_by
from decimal import Decimal
from fractions import Fraction

from conformance.exceptions import BudgetExhausted, Lost
from conformance.explore import interplay
from conformance.explore.boundaries import Known, Purse, Spent, search
from conformance.explore.identification import Course, Window, identify, probe
from conformance.explore.normalisation import normalisation
from conformance.explore.notations import GRIDS, nominal_seconds, table
from conformance.explore.picture import point_of
from conformance.explore.prober import Door, Prober
from conformance.explore.unevenness import uneven
from conformance.explore.values import (
    Answer,
    Boundary,
    Exploration,
    Gap,
    Point,
    Remark,
    Row,
    TimerReading,
)
from conformance.model import CLOSED, INACTIVE, TIMERS, Field, Restore
from conformance.safety.safeguard import Safeguard
from conformance.safety.timer_guard import LEAST

Progress = Callable[[str, str, int], None]
"""Called with the stage, the value in hand and the requests sent so far."""

STAGES = ("first look", "first boundary", "dialect", "boundaries", "notations", "interplay", "restore")

_ENDS = (BudgetExhausted, Lost)
"""Errors that end an exploration early; its answers so far are kept."""


@dataclass(slots=True)
class _Timer:
    """What is known of one timer so far."""

    field: Field
    known: Known
    boundaries: list[Boundary] = made_by(default_factory=list)
    gaps: list[Gap] = made_by(default_factory=list)
    rows: list[Row] = made_by(default_factory=list)
    course: Course = made_by(default_factory=lambda: Course(0, 0))

    def boundary(self, end: str) -> Boundary | None:
        """The first boundary found at one end."""
        return next((each for each in self.boundaries if each.end == end and each.accepted is not None), None)


def explore(
    door: Door,
    *,
    url: str = "",
    must_restore: bool = True,
    safeguard: Safeguard | None = None,
    progress: Progress = lambda stage, text, requests: None,
) -> Exploration:
    """
    Find out how a target reads its timers; nothing is printed, and the timers are put back at the end.

    Args:
        door: the target, open; `conformance.transport.target.Target` or anything that sends the same way.
        url: how to call the target in the result.
        must_restore: whether to give up, before anything is changed, where the settings cannot be read.
        safeguard: keeps what was set before; by default in memory alone.
        progress: called before every request.

    Raises:
        NoVerdict: it is not reached, refuses the credentials, or could not be put back.
        Garbled: it answers nothing that is framed right.
        Unimplemented: the resource is not there.
        TargetDead: nothing listens.
    """
    return _Exploration(door, url, safeguard or Safeguard(), progress).result(must_restore)


class _Exploration:
    def __init__(self, door: Door, url: str, safeguard: Safeguard, progress: Progress) -> None:
        self._url = url
        self._stage = STAGES[0]
        self._prober = Prober(door, safeguard, lambda text: progress(self._stage, text, door.requests))
        self._timers = {each.slug: _Timer(each, Known(Fraction(each.minimum))) for each in TIMERS}
        inactive, closed = (timer.known for timer in self._timers.values())
        inactive.sibling, closed.sibling = closed, inactive
        self._purse = Purse(searches=len(TIMERS) * len(GRIDS))
        self._interplay: list[Remark] = []
        self._spent: dict[str, int] = {}
        self._stopped = ""
        self._complete = False

    def result(self, must_restore: bool) -> Exploration:
        try:
            with self._at("first look"):
                self._prober.look_around(url=self._url or "the target", must_read=must_restore)
        except BaseException:
            self._prober.forget()
            raise
        try:
            self._ask_all()
            self._complete = True
        except _ENDS as error:
            self._stopped = str(error)
        except KeyboardInterrupt:
            self._stopped = "interrupted"
        finally:
            with self._at("restore"):
                try:
                    restored, notes = self._prober.restore()
                except _ENDS as error:
                    restored = Restore(state="failed")
                    notes = (f"the timers could not be put back: {error}",)
        inactive, closed = (self._reading(self._timers[each.slug]) for each in (INACTIVE, CLOSED))
        alike, remark = self._compared(inactive, closed)
        return Exploration(
            target=self._url,
            inactive=inactive,
            closed=closed,
            same_dialect=alike,
            interplay=(*self._interplay, *([remark] if remark else [])),
            requests=self._prober.requests,
            requests_by_stage=tuple(self._spent.items()),
            complete=self._complete,
            stopped=self._stopped,
            restore=restored.state,
            notes=notes,
        )

    def _compared(self, *readings: TimerReading) -> tuple[bool, Remark | None]:
        """Whether the timers are read alike: they are, unless an answer shows that they are not."""
        timers = [self._timers[each.field] for each in readings]
        windows = [window for timer in timers if (window := self._window(timer)) is not None]
        if len(windows) == len(timers):
            answers = [self._prober.answers(timer.field) for timer in timers]
            if (found := interplay.compare(answers, windows)) is not None:
                return found
        return True, None

    @contextmanager
    def _at(self, stage: str) -> Iterator[None]:
        self._stage = stage
        before = self._prober.requests
        try:
            yield
        finally:
            self._spent[stage] = self._spent.get(stage, 0) + self._prober.requests - before

    def _ask_all(self) -> None:
        """Ask for the most important things first, so that a spent budget leaves a good partial answer."""
        timers = [self._timers[CLOSED.slug], self._timers[INACTIVE.slug]]
        with self._at("interplay"):
            ordered, remark = interplay.order_matters(self._prober)
            needs = interplay.needs_company(self._prober) if ordered is False else []
            self._interplay += [remark, *needs]
        if ordered:
            # Beside a short inactive timer no closed one is too short, and beside a long closed one no inactive one
            # too long: years of the most digits outlast whatever is asked in other units.
            self._prober.beside(CLOSED, ((INACTIVE.parameter, "PT1M"),))
            ages = GRIDS["years"].write(GRIDS["years"].longest)
            longest = ages if self._prober.ask(CLOSED, ages).accepted else LEAST
            self._prober.beside(INACTIVE, ((CLOSED.parameter, longest),))
        grids = tuple(GRIDS.values())
        with self._at("first boundary"):
            for timer in timers:
                remaining = iter(grids)
                while timer.boundary("least") is None and (grid := next(remaining, None)) is not None:
                    self._search(timer, grid.name)
                top = timer.boundary("greatest")
                if ordered and timer.field is CLOSED and top is not None and top.accepted and top.refused:
                    self._prober.beside(INACTIVE, ((CLOSED.parameter, top.accepted),))
        with self._at("interplay"):
            self._interplay += [interplay.zeros(self._prober, timer.field) for timer in reversed(timers)]
        with self._at("dialect"):
            for timer in timers:
                window = self._window(timer)
                if window is not None:
                    timer.course = probe(lambda text, timer=timer: self._ask(timer, text), window)  # type: ignore[misc]  # mypy cannot infer a lambda with a default
        with self._at("boundaries"):
            for grid in grids:
                for timer in timers:
                    if not any(each.notation == grid.name for each in timer.boundaries):
                        self._search(timer, grid.name)
        with self._at("notations"):
            for cls, text in table():
                for timer in timers:
                    timer.rows.append(Row(cls=cls, answer=self._ask(timer, text)))
        with self._at("interplay"):
            for timer in () if ordered or needs else reversed(timers):
                least = timer.boundary("least")
                if least is not None and (found := interplay.dependence(self._prober, timer.field, least)):
                    self._interplay.append(found)

    def _ask(self, timer: _Timer, text: str) -> Answer:
        return self._prober.ask(timer.field, text)

    def _search(self, timer: _Timer, name: str) -> None:
        ended: list[Exception] = []

        def ask(text: str) -> Answer:
            before = self._prober.requests
            try:
                return self._ask(timer, text)
            except _ENDS as error:
                ended.append(error)
                raise Spent from error
            finally:
                self._purse.spent += self._prober.requests - before

        found = search(GRIDS[name], ask, timer.known, self._purse)
        timer.boundaries += found.boundaries
        timer.gaps += found.gaps
        if ended:  # what was seen until then is kept
            raise ended[0]

    def _window(self, timer: _Timer) -> Window | None:
        """The accepted lengths as the first notation shows them; None when nothing is accepted."""
        least, greatest = timer.boundary("least"), timer.boundary("greatest")
        if least is None or greatest is None or least.accepted is None or greatest.accepted is None:
            return None
        asked = {answer.text: answer for answer in self._prober.answers(timer.field)}
        answers = [asked[text] for text in interplay.ZEROS[1:] if text in asked]
        refused = [
            (nominal_seconds(each.refused) or Decimal(0))
            for each in timer.boundaries
            if each.refused and each.end == "least" and each.accepted
        ]
        shortest = nominal_seconds(least.accepted) or Decimal(0)
        ends = [each.accepted for each in timer.boundaries if each.end == "greatest" and each.accepted]
        ends += [each.before for each in timer.gaps]
        lengths = (length for text in ends if (length := nominal_seconds(text)) and length >= shortest)
        return Window(
            refused_below=min(refused, default=Decimal(0)),
            least=max(
                (nominal_seconds(each.accepted) or Decimal(0))
                for each in timer.boundaries
                if each.end == "least" and each.accepted and each.notation == least.notation
            ),
            greatest=min(lengths, default=shortest),
            zero=any(answer.accepted for answer in answers) if answers else None,
        )

    def _reading(self, timer: _Timer) -> TimerReading:
        answers = self._prober.answers(timer.field)
        window = self._window(timer) or Window(
            Decimal(0), Decimal(timer.field.minimum), Decimal(timer.field.minimum)
        )
        dialect = identify(answers, window, timer.course)
        points = tuple(
            point
            for answer in answers
            if (point := point_of(answer.field, answer.text, answer.accepted)) is not None
        )
        found = uneven(timer.boundaries, timer.gaps, points)
        names = {each.notation for each in found}
        shortest = {each.notation: each.text for each in sorted(points, key=_longest_first) if each.accepted}
        return TimerReading(
            field=timer.field.slug,
            minimum=timer.field.minimum,
            dialect=dialect,
            boundaries=tuple(
                _as_known(each, each.notation in names, shortest.get(each.notation))
                for each in timer.boundaries
            ),
            gaps=tuple(each for each in timer.gaps if each.notation not in names),
            normalisation=normalisation(answers),
            notations=tuple(timer.rows),
            points=points,
            uneven=found,
        )


def _longest_first(point: Point) -> Decimal:
    return -point.seconds


def _as_known(boundary: Boundary, is_uneven: bool, shortest: str | None) -> Boundary:
    """A boundary with what other questions have shown; `shortest` is the shortest value of the notation accepted."""
    if boundary.accepted is None and not boundary.exact and not is_uneven:
        return replace(boundary, accepted=shortest)
    return replace(boundary, exact=False) if is_uneven else boundary

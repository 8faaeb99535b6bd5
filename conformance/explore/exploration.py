"""One exploration from beginning to end: it asks the most important things first, and makes readings of the answers."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from dataclasses import field as made_by
from decimal import Decimal
from fractions import Fraction
from functools import partial

from conformance.exceptions import BudgetExhausted, Lost
from conformance.explore import interplay, values
from conformance.explore.boundaries import Budget, Known, Spent, search
from conformance.explore.identification import Course, Window, identify, probe
from conformance.explore.normalisation import normalisation
from conformance.explore.notations import GRIDS, nominal_seconds, table
from conformance.explore.picture import point_of
from conformance.explore.prober import Explored, Prober
from conformance.explore.unevenness import uneven
from conformance.explore.values import Answer, Exploration
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
    boundaries: list[values.Boundary] = made_by(default_factory=list)
    gaps: list[values.Gap] = made_by(default_factory=list)
    rows: list[values.Row] = made_by(default_factory=list)
    course: Course = made_by(default_factory=lambda: Course(0, 0))

    def boundary(self, end: str) -> values.Boundary | None:
        """The first boundary found at one end."""
        return next((each for each in self.boundaries if each.end == end and each.accepted is not None), None)


def explore(
    target: Explored,
    *,
    url: str = "",
    must_restore: bool = True,
    safeguard: Safeguard | None = None,
    progress: Progress = lambda stage, text, requests: None,
) -> Exploration:
    """
    Find out how a target reads its timers; nothing is printed, and the timers are put back at the end.

    Args:
        target: The target, open: a `conformance.transport.target.Target`, or anything that sends the same way.
        url: The name of the target in the result.
        must_restore: Whether to give up, before anything is changed, where the settings cannot be read.
        safeguard: Keeps what was set before; without it, memory does.
        progress: Called before every request.

    Raises:
        NoVerdict: The target is not reached, refuses the credentials, or could not be put back.
        Garbled: No answer is framed so that it can be read.
        Unimplemented: The resource is not there.
        TargetDead: Nothing listens at the address of the target.
    """
    return _Exploration(target, url, safeguard or Safeguard(), progress).result(must_restore)


class _Exploration:
    def __init__(self, target: Explored, url: str, safeguard: Safeguard, progress: Progress) -> None:
        self._url = url
        self._safeguard = safeguard
        self._stage = STAGES[0]
        self._prober = Prober(target, safeguard, lambda text: progress(self._stage, text, target.requests))
        self._timers = {each.slug: _Timer(each, Known(Fraction(each.minimum))) for each in TIMERS}
        inactive, closed = (timer.known for timer in self._timers.values())
        inactive.sibling, closed.sibling = closed, inactive
        self._budget = Budget(searches=len(TIMERS) * len(GRIDS))
        self._interplay: list[values.Remark] = []
        self._spent: dict[str, int] = {}
        self._stopped = ""
        self._complete = False

    def result(self, must_restore: bool) -> Exploration:
        try:
            with self._at("first look"):
                self._prober.read_settings(url=self._url or "the target", must_read=must_restore)
        except BaseException:
            self._safeguard.restored(0)  # nothing was changed
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
        timers = list(self._timers.values())
        windows = list(filter(None, map(self._window, timers)))
        alike, remark = True, None
        if len(windows) == len(timers):
            alike, remark = interplay.compare([self._prober.answers(each.field) for each in timers], windows)
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
                    timer.course = probe(partial(self._prober.ask, timer.field), window)
        with self._at("boundaries"):
            for grid in grids:
                for timer in timers:
                    if not any(each.notation == grid.name for each in timer.boundaries):
                        self._search(timer, grid.name)
        with self._at("notations"):
            for cls, text in table():
                for timer in timers:
                    timer.rows.append(values.Row(cls=cls, answer=self._prober.ask(timer.field, text)))
        with self._at("interplay"):
            for timer in () if ordered or needs else reversed(timers):
                least = timer.boundary("least")
                if least is not None and (found := interplay.dependence(self._prober, timer.field, least)):
                    self._interplay.append(found)

    def _search(self, timer: _Timer, name: str) -> None:
        ended: list[Exception] = []

        def ask(text: str) -> Answer:
            before = self._prober.requests
            try:
                return self._prober.ask(timer.field, text)
            except _ENDS as error:
                ended.append(error)
                raise Spent from error
            finally:
                self._budget.spent += self._prober.requests - before

        found = search(GRIDS[name], ask, timer.known, self._budget)
        timer.boundaries += found.boundaries
        timer.gaps += found.gaps
        if ended:  # what was seen until then is kept
            raise ended[0]

    def _window(self, timer: _Timer) -> Window | None:
        """Return the accepted lengths as the first notation shows them; None where nothing is accepted."""
        least, greatest = timer.boundary("least"), timer.boundary("greatest")
        if least is None or greatest is None or least.accepted is None or greatest.accepted is None:
            return None
        asked = {answer.text: answer for answer in self._prober.answers(timer.field)}
        answers = [asked[text] for text in interplay.ZEROS[1:] if text in asked]
        refused = [
            nominal_seconds(each.refused) or Decimal(0)
            for each in timer.boundaries
            if each.refused and each.end == "least" and each.accepted
        ]
        shortest = nominal_seconds(least.accepted) or Decimal(0)
        ends = [each.accepted for each in timer.boundaries if each.end == "greatest" and each.accepted]
        ends += [each.before for each in timer.gaps]
        lengths = (length for text in ends if (length := nominal_seconds(text)) and length >= shortest)
        return Window(
            refused_below=min(refused, default=Decimal(0)),
            least=shortest,
            greatest=min(lengths, default=shortest),
            zero=any(answer.accepted for answer in answers) if answers else None,
        )

    def _reading(self, timer: _Timer) -> values.TimerReading:
        answers, minimum = self._prober.answers(timer.field), Decimal(timer.field.minimum)
        window = self._window(timer) or Window(Decimal(0), minimum, minimum)
        marks = (point_of(answer.field, answer.text, answer.accepted) for answer in answers)
        points = tuple(filter(None, marks))
        found = uneven(timer.boundaries, timer.gaps, points)
        names = {each.notation for each in found}
        longest_first = sorted(points, key=lambda each: -each.seconds)
        shortest = {each.notation: each.text for each in longest_first if each.accepted}
        return values.TimerReading(
            field=timer.field.slug,
            minimum=timer.field.minimum,
            dialect=identify(answers, window, timer.course),
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


def _as_known(boundary: values.Boundary, is_uneven: bool, shortest: str | None) -> values.Boundary:
    """Return a boundary with what other answers have shown; `shortest` is the shortest accepted text of it."""
    if boundary.accepted is None and not boundary.exact and not is_uneven:
        return replace(boundary, accepted=shortest)
    return replace(boundary, exact=False) if is_uneven else boundary

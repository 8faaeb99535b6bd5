"""The view of an exploration on a terminal, as an object that `rich` prints; nothing is printed here."""

from collections import Counter, defaultdict

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from conformance.explore import describe
from conformance.explore.values import Boundary, Exploration, Row, Taken, TimerReading
from conformance.model import TIMERS

_STYLES = {
    Taken.ACCEPTED: "cyan",
    Taken.IGNORED: "dim",
    Taken.REFUSED: "yellow",
    Taken.FAILED: "bold magenta",
}
_WIDE = 118
"""Characters of a line that holds both ends of a row."""
_ROOM = 20
"""Characters of a duration in a table."""
_SHOWN = 6
"""Disagreements and remarkable texts that are listed of a timer."""


def view(found: Exploration) -> RenderableType:
    """Return the view of an exploration, the most important things first."""
    parts: list[RenderableType] = []
    if all(describe.takes_everything(each) and describe.echoes_one(each) for each in found.timers):
        parts.append(
            Text("This target accepts everything and echoes an example: it reads no timer.\n", "bold")
        )
    elif not found.same_dialect and all(each.dialect.name for each in found.timers):
        parts.append(Text("The two timers are read differently.\n", "bold"))
    for reading in found.timers:
        parts += _summary(reading)
    if not all(map(describe.takes_everything, found.timers)):
        parts.append(Text("The two together", "bold"))
        parts += [Text.assemble("  ", _slug(remark.topic), remark.text) for remark in found.interplay]
    for reading in found.timers:
        if not describe.takes_everything(reading):
            parts += _details(reading)
    stages = ", ".join(f"{stage} {count}" for stage, count in found.requests_by_stage if count)
    parts.append(Text(f"\n{found.requests} requests ({stages}). Settings: {found.restore}."))
    parts += [Text(f"  {note}") for note in found.notes]
    if not found.complete:
        parts.append(
            Text(f"Incomplete: {found.stopped}. The above is what was learnt until then.", "bold red")
        )
    return Group(*parts)


def _slug(topic: str) -> str:
    timer = next((each.parameter for each in TIMERS if topic.endswith(each.slug)), "")
    return f"{timer}: " if timer else ""


def _parameter(reading: TimerReading) -> str:
    return next(each.parameter for each in TIMERS if each.slug == reading.field)


def _summary(reading: TimerReading) -> list[RenderableType]:
    parts: list[RenderableType] = [Text(_parameter(reading), "bold")]
    lines = (describe.verdict(reading), describe.limits(reading), describe.echo_rule(reading))
    parts += [Text(f"  {line}") for line in lines]
    dialect = reading.dialect
    disagreements = dialect.disagreements if describe.is_near(dialect) else ()
    for each in disagreements[:_SHOWN]:
        says, does = ("accepted" if one else "refused" for one in (each.predicted, each.accepted))
        parts.append(Text(f"    {each.text!r}: {dialect.name} would have it {says}, it is {does}"))
    if (more := len(disagreements) - _SHOWN) > 0:
        parts.append(Text(f"    … and {more} more"))
    parts += [
        Text(
            f"  Gap in {gap.notation}: {describe.duration(gap.first)} to {describe.duration(gap.last)} are refused, "
            f"{describe.duration(gap.before)} and {describe.duration(gap.after)} accepted"
        )
        for gap in reading.gaps[:_SHOWN]
    ]
    return parts


def _details(reading: TimerReading) -> list[RenderableType]:
    parts: list[RenderableType] = [Text("")]
    if reading.boundaries:
        parts += [Text(f"{_parameter(reading)}, by notation", "bold"), _Boundaries(reading), Text("")]
    if reading.notations:
        parts.append(_notations(reading.notations))
    return parts


class _Boundaries:
    """The neighbours at both ends in each notation: side by side where there is room, else one end a line."""

    def __init__(self, reading: TimerReading) -> None:
        self._asked = Counter(each.notation for each in reading.points)
        self._uneven = {each.notation: each for each in reading.uneven}
        self._ends: dict[str, dict[str, Boundary]] = defaultdict(dict)
        for each in reading.boundaries:
            self._ends[each.notation][each.end] = each

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        wide = options.max_width >= _WIDE
        table = Table(box=None, pad_edge=False, padding=(0, 2 if wide else 1, 0, 0), header_style="dim")
        table.add_column("  notation", no_wrap=True)
        heads = ("refused", "least accepted", "greatest accepted", "refused")
        for head in heads if wide else ("accepted", "refused"):
            table.add_column(head, no_wrap=True)
        for notation, own in self._ends.items():
            least, greatest = own["least"], own.get("greatest")
            if notation in self._uneven or least.accepted is None:
                taken, refused = self._instead(notation)
                table.add_row(f"  {notation}", *(("", taken, "", refused) if wide else (taken, refused)))
                continue
            cells = [_neighbour(least, accepted=accepted) for accepted in (False, True)]
            cells += [_neighbour(greatest, accepted=accepted) for accepted in (True, False)]
            if wide:
                table.add_row(f"  {notation}", *cells)
            else:
                table.add_row(f"  {notation}", Text("from ", "dim") + cells[1], cells[0])
                table.add_row("", Text("to   ", "dim") + cells[2], cells[3])
        yield table

    def _instead(self, notation: str) -> tuple[Text, Text]:
        """Return the two cells of a notation without boundaries: some values of each kind, or how many were sent."""
        uneven = self._uneven.get(notation)
        if uneven is None:
            asked = self._asked[notation]
            return Text(f"none of {asked}" if asked else "not searched", "dim"), Text()
        taken, refused = (
            Text(describe.duration(texts[0], _ROOM) + (", …" if len(texts) > 1 else ""), _STYLES[kind])
            for texts, kind in ((uneven.taken, Taken.ACCEPTED), (uneven.refused, Taken.REFUSED))
        )
        return Text("unevenly ", "dim") + taken, refused


def _neighbour(boundary: Boundary | None, *, accepted: bool) -> Text:
    if boundary is None:
        return Text("not searched" if accepted else "", "dim")
    text = boundary.accepted if accepted else boundary.refused
    if accepted and boundary.end == "greatest" and boundary.refused is None:
        return Text("no cap", "dim")
    if text is None:
        return Text("–", "dim")
    shown = describe.duration(text, _ROOM)
    if not boundary.exact:
        shown = f"{'≥' if accepted == (boundary.end == 'greatest') else '≤'} {shown}"
    if not accepted and not (boundary.status is not None and 400 <= boundary.status < 500):
        return Text(f"{shown} ({boundary.status or 'no answer'})", _STYLES[Taken.FAILED])
    return Text(shown, _STYLES[Taken.ACCEPTED if accepted else Taken.REFUSED])


def _notations(rows: tuple[Row, ...]) -> RenderableType:
    """Return the miswritten texts that were not refused, and the texts that failed; the others are only counted."""
    by_class: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_class[row.cls].append(row)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("  remarkable", no_wrap=True)
    table.add_column("what happens")
    for cls, own in by_class.items():
        odd = [
            row
            for row in own
            if row.answer.taken is Taken.FAILED or (cls.startswith("invalid/") and row.answer.accepted)
        ]
        if odd:
            table.add_row(f"  {cls}", Text("; ".join(map(_row, odd[:3]))))
    counts = {taken: sum(row.answer.taken is taken for row in rows) for taken in Taken}
    head = Text(
        f"  {len(rows)} notations: "
        + ", ".join(f"{count} {taken}" for taken, count in counts.items() if count)
    )
    return Group(head, table) if table.row_count else head


def _row(row: Row) -> str:
    answer = row.answer
    shown = repr(describe.duration(answer.text))
    if answer.taken is Taken.FAILED:
        return f"{shown} → {answer.status or 'no answer'}"
    return f"{shown} accepted" if answer.echo == answer.text else f"{shown} accepted, back as {answer.echo!r}"

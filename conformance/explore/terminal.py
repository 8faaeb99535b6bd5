"""What the terminal shows of an exploration, as something that `rich` prints; nothing is printed here."""

from collections import defaultdict

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from conformance.explore import describe
from conformance.explore.values import Boundary, Exploration, Row, Taken, TimerReading
from conformance.model import TIMERS

_STYLES = {Taken.ACCEPTED: "cyan", Taken.REFUSED: "yellow", Taken.FAILED: "bold magenta"}
_SHOWN = 6
"""Disagreements and remarkable texts that are listed of a timer."""


def view(found: Exploration) -> RenderableType:
    """The whole of an exploration, most telling first."""
    parts: list[RenderableType] = []
    if all(describe.takes_everything(each) and describe.echoes_one(each) for each in found.timers):
        parts.append(
            Text("This target accepts everything and echoes an example: it reads no timer.\n", "bold")
        )
    elif found.inactive.dialect.name and found.closed.dialect.name and not found.same_dialect:
        parts.append(Text("The two timers are read differently.\n", "bold"))
    for reading in found.timers:
        parts += _summary(reading)
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
    for each in dialect.disagreements[:_SHOWN]:
        says, does = ("accepted" if one else "refused" for one in (each.predicted, each.accepted))
        parts.append(Text(f"    {each.text!r}: {dialect.name} would have it {says}, it is {does}"))
    if (more := len(dialect.disagreements) - _SHOWN) > 0:
        parts.append(Text(f"    … and {more} more"))
    parts += [
        Text(
            f"  Gap in {gap.notation}: {describe.shortened(gap.first)} to {describe.shortened(gap.last)} are refused, "
            f"{describe.shortened(gap.before)} and {describe.shortened(gap.after)} accepted"
        )
        for gap in reading.gaps[:_SHOWN]
    ]
    return parts


def _details(reading: TimerReading) -> list[RenderableType]:
    parts: list[RenderableType] = [Text("")]
    if reading.boundaries:
        parts += [Text(f"{_parameter(reading)}, by notation", "bold"), _boundaries(reading), Text("")]
    if reading.notations:
        parts.append(_notations(reading.notations))
    return parts


def _boundaries(reading: TimerReading) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("  notation", no_wrap=True)
    for head in ("refused", "least accepted", "greatest accepted", "refused"):
        table.add_column(head, no_wrap=True)
    ends: dict[str, dict[str, Boundary]] = defaultdict(dict)
    for each in reading.boundaries:
        ends[each.notation][each.end] = each
    for notation, own in ends.items():
        least, greatest = own["least"], own.get("greatest")
        if least.accepted is None:
            table.add_row(f"  {notation}", Text("nothing is accepted", _STYLES[Taken.REFUSED]))
            continue
        table.add_row(
            f"  {notation}",
            _neighbour(least, accepted=False),
            _neighbour(least, accepted=True),
            _neighbour(greatest, accepted=True),
            _neighbour(greatest, accepted=False),
        )
    return table


def _neighbour(boundary: Boundary | None, *, accepted: bool) -> Text:
    text = None if boundary is None else boundary.accepted if accepted else boundary.refused
    if boundary is None or text is None:
        return Text("–", "dim")
    if accepted and boundary.end == "greatest" and boundary.refused is None:
        return Text("no cap", "dim")
    shown = text if len(text) <= 24 else f"{text[:6]}… {len(text):,} characters"
    if not boundary.exact:
        shown = f"about {shown}"
    if not accepted and not (boundary.status is not None and 400 <= boundary.status < 500):
        return Text(f"{shown} ({boundary.status or 'no answer'})", _STYLES[Taken.FAILED])
    return Text(shown, _STYLES[Taken.ACCEPTED if accepted else Taken.REFUSED])


def _notations(rows: tuple[Row, ...]) -> RenderableType:
    """Valid classes that are not all accepted, and invalid ones that are not all refused: the others are as usual."""
    by_class: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_class[row.cls].append(row)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("  remarkable", no_wrap=True)
    table.add_column("what happens")
    for cls, own in by_class.items():
        odd = [row for row in own if cls.startswith("invalid/") and row.answer.taken is not Taken.REFUSED]
        if odd:
            table.add_row(f"  {cls}", Text(", ".join(map(_row, odd[:3]))))
    counts = {taken: sum(row.answer.taken is taken for row in rows) for taken in Taken}
    head = Text(
        f"  {len(rows)} notations: "
        + ", ".join(f"{count} {taken}" for taken, count in counts.items() if count)
    )
    return Group(head, table) if table.row_count else head


def _row(row: Row) -> str:
    answer = row.answer
    shown = repr(describe.shortened(answer.text))
    if answer.taken is Taken.FAILED:
        return f"{shown} → {answer.status or 'no answer'}"
    return f"{shown} accepted" if answer.echo == answer.text else f"{shown} accepted, back as {answer.echo!r}"

"""
The picture: for each timer a number line of logarithmic time, with one row for each notation.

Matplotlib draws it: it renders offline and gives SVG and PNG from one description. It is large, so it is imported when
something is drawn.
"""

import io
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from conformance.explore import describe
from conformance.explore.notations import GRIDS, nominal_seconds, notation_of
from conformance.explore.values import Point
from conformance.http import Exchange
from conformance.model import BY_PARAMETER, TIMERS, Field

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ACCEPTED = "#0072B2"
REFUSED = "#D55E00"
"""Blue and vermilion of Okabe and Ito's palette, which all common kinds of colour vision tell apart."""
_BAND = "#cfe3f1"
"""Pale blue: from the least to the greatest accepted length."""

_INK = "#333333"
_PALE = "#e4e4e4"

_TICKS = (
    (1e-3, "1 ms"), (1, "1 s"), (60, "1 min"), (3600, "1 h"), (86_400, "1 day"), (30 * 86_400, "30 d"),
    (365 * 86_400, "1 year"), (100 * 365 * 86_400, "100 years"), (10**12, "longer"),
)  # fmt: skip
_EARLIEST, _LATEST = 1e-3, 1e12
"""Seconds at which the number line ends; what lies beyond is drawn at its end."""

_LABEL = 20
"""Characters of a duration beside a row."""

_WIDTH, _LEFT, _LINE, _ROW, _TOP, _BETWEEN = 14.9, 1.75, 6.2, 0.27, 1.0, 1.05
"""Inches: of the whole, left of the number line, of the line, of a row, above the panels, and after each."""

_COLUMNS = (0.15, 1.75, 3.4, 5.1)
"""Inches right of the number line at which the neighbours of a row's boundaries are written."""


def from_exchanges(exchanges: Iterable[Exchange]) -> tuple[Point, ...]:
    """The points that a run has seen: updates of one timer alone, in a known notation, answered 200 or 4xx."""
    points: dict[tuple[str, str], Point] = {}
    for exchange in exchanges:
        request = exchange.request
        form = (
            request.form() if request.method == "POST" and not request.query and request.auth.valid else None
        )
        accepted = exchange.status == 200
        if form is None or len(form) != 1 or not (accepted or exchange.refused):
            continue
        name, text = form[0]
        field = BY_PARAMETER.get(name)
        point = None if field is None or field.kind != "timer" else point_of(field.slug, text, accepted)
        if point is not None:
            points[point.field, text] = point
    return tuple(points.values())


def point_of(slug: str, text: str, accepted: bool) -> Point | None:
    """The mark of one value; None where it is in no known notation, or of no length."""
    notation = notation_of(text)
    seconds = nominal_seconds(text) if notation is not None else None
    return None if notation is None or not seconds else Point(slug, notation, seconds, accepted, text)


def picture(points: Sequence[Point]) -> str:
    """The picture as an SVG document, the same for the same points."""
    return _render(points, "svg").decode()


def picture_png(points: Sequence[Point]) -> bytes:
    """The picture as a PNG file."""
    return _render(points, "png")


def _render(points: Sequence[Point], kind: str) -> bytes:
    import matplotlib
    from matplotlib.figure import Figure

    rows = {each.slug: _rows(points, each) for each in TIMERS}
    heights = [max(len(rows[each.slug]), 2) for each in TIMERS]
    settings: dict[Any, object] = {  # Any: Matplotlib types every key as a literal
        "svg.fonttype": "none",  # text stays text: smaller, and found by a search in the page
        "svg.hashsalt": "timers",
        "font.family": "sans-serif",
        "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial", "sans-serif"],
        "font.size": 9.0,
    }
    with matplotlib.rc_context(settings):
        height = _TOP + sum(_ROW * count + _BETWEEN for count in heights)
        figure = Figure(figsize=(_WIDTH, height))
        top = height - _TOP
        earliest = max(_EARLIEST, min([float(point.seconds) for point in points] + [1]))
        for count, field in zip(heights, TIMERS, strict=True):
            bottom = top - _ROW * count
            box = (_LEFT / _WIDTH, bottom / height, _LINE / _WIDTH, _ROW * count / height)
            _panel(figure.add_axes(box), field, rows[field.slug], earliest)
            top = bottom - _BETWEEN
        _legend(figure, height)
        buffer = io.BytesIO()
        metadata = {"Date": None, "Title": "How the timers are read"} if kind == "svg" else None
        figure.savefig(buffer, format=kind, dpi=110, metadata=metadata)
    return buffer.getvalue()


_Rows = list[tuple[str, list[Point]]]


def _rows(points: Sequence[Point], field: Field) -> _Rows:
    own: dict[str, list[Point]] = {}
    for point in points:
        if point.field == field.slug:
            own.setdefault(point.notation, []).append(point)
    return [(name, sorted(own[name], key=lambda point: point.seconds)) for name in GRIDS if name in own]


def _panel(axes: "Axes", field: Field, rows: _Rows, earliest: float) -> None:
    from matplotlib.ticker import FixedLocator, NullLocator

    axes.set_title(field.parameter, loc="left", fontweight="bold", pad=18)
    axes.set_xscale("log")
    axes.set_xlim(earliest / 2, _LATEST * 2)
    ticks = [tick for tick in _TICKS if tick[0] >= earliest]
    axes.xaxis.set_major_locator(FixedLocator([seconds for seconds, _ in ticks]))
    axes.set_xticklabels([label for _, label in ticks])
    axes.set_xlabel("length, on a logarithmic scale", fontsize=8, color=_INK)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_yticks(range(len(rows)), [name for name, _ in rows])
    axes.tick_params(length=0)
    axes.grid(axis="x", color=_PALE, linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.axvline(field.minimum, color=_INK, linewidth=1.2, linestyle=(0, (5, 3)), zorder=1)
    axes.annotate(
        f"documented minimum: {field.minimum // 60} min",
        (field.minimum, 1),
        xycoords=("data", "axes fraction"),
        xytext=(0, 3),
        textcoords="offset points",
        ha="center",
        fontsize=8,
        color=_INK,
    )
    if not rows:
        axes.text(0.5, 0.5, "nothing was sent", transform=axes.transAxes, ha="center", color=_INK)
        return
    for column, head in ((0, "least length"), (2, "greatest length")):
        x = 1 + _COLUMNS[column] / _LINE
        axes.text(
            x, 1, head, transform=axes.transAxes, fontsize=8, fontweight="bold", va="bottom", color=_INK
        )
    for number, (_, points) in enumerate(rows):
        axes.axhline(number, color=_PALE, linewidth=0.8, zorder=0)
        if accepted := [_place(point.seconds, earliest) for point in points if point.accepted]:
            axes.plot(
                [accepted[0], accepted[-1]],
                [number] * 2,
                color=_BAND,
                linewidth=9,
                solid_capstyle="round",
                zorder=0.5,
            )
        for taken in (False, True):
            places = [_place(point.seconds, earliest) for point in points if point.accepted == taken]
            _marks(axes, number, places, accepted=taken)
        for column, (text, colour) in _labels(points, field.minimum):
            axes.annotate(
                text,
                (1 + _COLUMNS[column] / _LINE, number),
                xycoords=("axes fraction", "data"),
                fontsize=7.5,
                va="center",
                color=colour,
                annotation_clip=False,
            )


def _marks(axes: "Axes", row: int, places: Sequence[float], *, accepted: bool) -> None:
    # Refused above the line and accepted below it: neighbours lie at the same place of a logarithmic axis.
    axes.scatter(
        places,
        [row + (0.13 if accepted else -0.13)] * len(places),
        marker="o" if accepted else "x",
        s=24 if accepted else 26,
        linewidths=0.6 if accepted else 1.5,
        color=ACCEPTED if accepted else REFUSED,
        edgecolors="white" if accepted else None,
        zorder=3,
        clip_on=False,
    )


def _place(seconds: Decimal, earliest: float) -> float:
    return float(min(max(seconds, Decimal(earliest)), Decimal(_LATEST)))


def _labels(points: Sequence[Point], minimum: int) -> list[tuple[int, tuple[str, str]]]:
    """Column, text and colour of what is written beside a row: the neighbours at both ends of what is accepted."""
    accepted = [point for point in points if point.accepted]
    if not accepted:
        only_short = all(point.seconds < minimum for point in points)
        return [(0, (f"× {_short(points[-1])}" if only_short else "nothing was accepted", REFUSED))]
    least, greatest = accepted[0], accepted[-1]
    below = [point for point in points if not point.accepted and point.seconds < least.seconds]
    above = [point for point in points if not point.accepted and point.seconds > greatest.seconds]
    labels = [(0, (f"× {_short(below[-1])}", REFUSED))] if below else []
    labels += [(1, (f"● {_short(least)}", ACCEPTED)), (2, (f"● {_short(greatest)}", ACCEPTED))]
    return labels + ([(3, (f"× {_short(above[0])}", REFUSED))] if above else [])


def _short(point: Point) -> str:
    return describe.duration(point.text or f"{point.seconds:g} s", _LABEL)


def _legend(figure: "Figure", height: float) -> None:
    from matplotlib.lines import Line2D

    figure.legend(
        handles=[
            Line2D([], [], marker="o", linestyle="", color=ACCEPTED, label="accepted"),
            Line2D(
                [], [], marker="x", linestyle="", color=REFUSED, markeredgewidth=1.6, label="not accepted"
            ),
            Line2D([], [], color=_BAND, linewidth=9, label="from the least to the greatest accepted"),
            Line2D([], [], color=_INK, linestyle=(0, (5, 3)), label="documented minimum"),
        ],
        loc="upper left",
        bbox_to_anchor=(_LEFT / _WIDTH - 0.02, 1 - 0.08 / height),
        ncols=4,
        frameon=False,
    )

"""
The picture: for each timer a number line of logarithmic time, with one row for each notation.

A template of Jinja draws it as SVG. Both panels are SVG documents inside the picture, so that a page can put them one
below the other on a narrow screen.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any

from conformance.explore import describe
from conformance.explore.notations import GRIDS, nominal_seconds, notation_of
from conformance.explore.values import Point
from conformance.http import Exchange
from conformance.model import BY_PARAMETER, TIMERS, Field

_TICKS = (
    (1e-3, "1 ms"), (1, "1 s"), (60, "1 min"), (3600, "1 h"), (86_400, "1 day"), (30 * 86_400, "30 d"),
    (365 * 86_400, "1 y"), (100 * 365 * 86_400, "100 y"), (10**12, "longer"),
)  # fmt: skip
_EARLIEST, _LATEST = 1e-3, 1e12
"""Seconds at which the number line ends; what lies beyond is drawn at its end."""

_LABEL, _FITS = 20, 29
"""Characters of a duration beside a row; of the two durations at one end of what is accepted."""

_WIDTH, _MARGIN, _BETWEEN, _TOP, _ROW, _BOTTOM = 480, 16, 20, 52, 36, 24
"""Of a panel, in pixels: its width, the ends of its line, to the next panel, above its rows, of a row, below them."""


def from_exchanges(exchanges: Iterable[Exchange]) -> tuple[Point, ...]:
    """Return the points that a run has seen: updates of one timer alone, in a known notation, answered 200 or 4xx."""
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
    """Return the mark of one value; None where it is in no known notation, or of no length."""
    notation = notation_of(text)
    seconds = nominal_seconds(text) if notation is not None else None
    return None if notation is None or not seconds else Point(slug, notation, seconds, accepted, text)


def picture(points: Sequence[Point], deviating: Iterable[Point] = ()) -> str:
    """
    Return the picture as an SVG document, the same for the same points.

    A ring marks the points that show a deviation.
    """
    from conformance.reporting.pages import templates_of

    wrong = frozenset((point.field, point.text) for point in deviating)
    panels = [
        _panel(field, points, wrong, number * (_WIDTH + _BETWEEN)) for number, field in enumerate(TIMERS)
    ]
    for above, below in pairwise(panels):
        below["above"] = above["above"] + above["height"]
    return (
        templates_of("conformance.explore")
        .get_template("picture.svg.j2")
        .render(
            panels=panels, width=panels[-1]["x"] + _WIDTH, height=max(panel["height"] for panel in panels)
        )
    )


def picture_png(points: Sequence[Point]) -> bytes:
    """Return the picture as a PNG file; resvg-py, of the extra `png`, makes it."""
    import resvg_py

    return bytes(resvg_py.svg_to_bytes(svg_string=picture(points), zoom=2))


def _panel(
    field: Field, points: Sequence[Point], wrong: frozenset[tuple[str, str]], x: int
) -> dict[str, Any]:
    """Return the variables of one panel, for the template."""
    earliest = max(_EARLIEST, min([float(point.seconds) for point in points] + [1]))
    rows = _rows(points, field)
    bottom = _TOP + _ROW * max(len(rows), 2)

    def place(seconds: Decimal | float) -> float:
        share = math.log(min(max(float(seconds), earliest), _LATEST) / earliest) / math.log(
            _LATEST / earliest
        )
        return round(_MARGIN + share * (_WIDTH - 2 * _MARGIN), 1)

    return {
        "x": x,
        "above": 0,
        "width": _WIDTH,
        "height": bottom + _BOTTOM,
        "bottom": bottom,
        "title": field.parameter,
        "ticks": [(place(seconds), label) for seconds, label in _TICKS if seconds >= earliest],
        "minimum": place(field.minimum),
        "minimum_label": f"documented minimum: {field.minimum // 60} min",
        "rows": [
            {
                "name": name,
                "y": (y := _TOP + _ROW * number - 10),
                "labels": list(_labels(own, field.minimum, wrong)),
                "accepted": (accepted := [place(point.seconds) for point in own if point.accepted]),
                "refused": [place(point.seconds) for point in own if not point.accepted],
                "band": (accepted[0], accepted[-1]) if accepted else None,
                # The marks of what is refused are above the line, those of what is accepted below it.
                "deviating": [
                    (place(point.seconds), y + (3 if point.accepted else -3))
                    for point in own
                    if (point.field, point.text) in wrong
                ],
            }
            for number, (name, own) in enumerate(rows, 1)
        ],
    }


def _rows(points: Sequence[Point], field: Field) -> list[tuple[str, list[Point]]]:
    own: dict[str, list[Point]] = {}
    for point in points:
        if point.field == field.slug:
            own.setdefault(point.notation, []).append(point)
    return [(name, sorted(own[name], key=lambda point: point.seconds)) for name in GRIDS if name in own]


def _labels(
    points: Sequence[Point], minimum: int, wrong: frozenset[tuple[str, str]]
) -> Iterator[tuple[int, str, list[tuple[str, str]]]]:
    """Yield place, alignment and words of what is written above a row: the neighbours at both ends of the accepted."""

    def label(point: Point) -> tuple[str, str]:
        kind = "accepted" if point.accepted else "refused"
        text = describe.duration(point.text or f"{point.seconds:g} s", _LABEL)
        deviates = (point.field, point.text) in wrong
        return "deviates" if deviates else kind, f"{'●' if point.accepted else '×'} {text}"

    def fitting(first: tuple[str, str] | None, second: tuple[str, str] | None) -> list[tuple[str, str]]:
        """Return both labels; where they are too long together, the one that tells more."""
        both = [each for each in (first, second) if each is not None]
        if sum(len(words) for _, words in both) > _FITS:
            both = [next((each for each in both if each[0] == "deviates"), second or both[0])]
        return both

    left, right = 152, _WIDTH - _MARGIN // 2
    accepted = [point for point in points if point.accepted]
    if not accepted:
        only_short = all(point.seconds < minimum for point in points)
        yield left, "", [label(points[-1]) if only_short else ("refused", "nothing was accepted")]
        return
    least, greatest = accepted[0], accepted[-1]
    below = [point for point in points if not point.accepted and point.seconds < least.seconds]
    above = [point for point in points if not point.accepted and point.seconds > greatest.seconds]
    yield left, "", fitting(label(below[-1]) if below else None, label(least))
    last = label(greatest) if greatest is not least else None
    ends = fitting(label(above[0]), last)[::-1] if above else fitting(None, last)
    if ends:
        yield right, "end", ends

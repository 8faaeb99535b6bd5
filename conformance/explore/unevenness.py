"""Finds the notations in which accepted and refused lengths alternate, so that no boundary describes them."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from conformance.explore.boundaries import GAPS
from conformance.explore.notations import GRIDS, Grid
from conformance.explore.values import Boundary, Gap, Point, Uneven

SHOWN = 3
"""Values of each kind that are kept, the shortest texts first."""


def uneven(
    boundaries: Iterable[Boundary], gaps: Sequence[Gap], points: Iterable[Point]
) -> tuple[Uneven, ...]:
    """
    Return the notations whose boundaries and gaps some answers contradict.

    Args:
        boundaries: Those of one timer. A value between the two neighbours of one that is not exact contradicts nothing.
        gaps: Those of the same timer. Where there are as many as are searched, more may follow.
        points: All answers about the timer. Only values that the search itself would write are compared.
    """
    asked: dict[str, dict[int, Point]] = defaultdict(dict)
    for point in points:
        if (number := GRIDS[point.notation].number_of(point.text)) is not None:
            asked[point.notation][number] = point
    ends: dict[str, list[Boundary]] = defaultdict(list)
    for boundary in boundaries:
        ends[boundary.notation].append(boundary)
    found = []
    for name, own in ends.items():
        says = _claims(GRIDS[name], own, [each for each in gaps if each.notation == name])
        if any(says(number) not in (None, point.accepted) for number, point in asked[name].items()):
            texts = sorted((point.text for point in asked[name].values()), key=lambda text: (len(text), text))
            by_text = {point.text: point.accepted for point in asked[name].values()}
            taken, refused = (
                tuple(text for text in texts if by_text[text] is accepted)[:SHOWN]
                for accepted in (True, False)
            )
            found.append(Uneven(notation=name, taken=taken, refused=refused))
    return tuple(found)


def _claims(grid: Grid, ends: Sequence[Boundary], gaps: Sequence[Gap]) -> Callable[[int], bool | None]:
    """Return what the boundaries and gaps of a notation say of a number: taken, refused, or nothing."""

    def number(text: str | None) -> int | None:
        return None if text is None else grid.number_of(text)

    least = next(each for each in ends if each.end == "least")
    greatest = next((each for each in ends if each.end == "greatest"), least)
    below, first, last, beyond = map(
        number, (least.refused, least.accepted, greatest.accepted, greatest.refused)
    )
    missing = [(number(each.first), number(each.last)) for each in gaps]

    def says(asked: int) -> bool | None:
        if first is None or last is None:
            return False if least.exact or asked <= (below or 0) else None
        if not first <= asked <= last:
            near = greatest is least or (below or 0) < asked < first or last < asked < (beyond or asked + 1)
            return None if near else False
        if any(start is not None and end is not None and start <= asked <= end for start, end in missing):
            return False
        return True if len(missing) < GAPS else None

    return says

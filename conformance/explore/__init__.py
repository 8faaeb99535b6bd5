"""
Finds out how a target reads its timers: boundaries, notations, normalisation, and the dialect that explains them.

`explore` asks the target and returns values. The other functions render these values. Nothing here prints.
"""

from conformance.explore.document import document
from conformance.explore.exploration import explore
from conformance.explore.picture import from_exchanges, picture, picture_png
from conformance.explore.terminal import view
from conformance.explore.values import (
    Answer,
    Boundary,
    CounterExample,
    Disagreement,
    Exploration,
    Gap,
    Identification,
    Normalisation,
    Point,
    Remark,
    Row,
    Taken,
    TimerReading,
    Uneven,
)

__all__ = [
    "Answer",
    "Boundary",
    "CounterExample",
    "Disagreement",
    "Exploration",
    "Gap",
    "Identification",
    "Normalisation",
    "Point",
    "Remark",
    "Row",
    "Taken",
    "TimerReading",
    "Uneven",
    "document",
    "explore",
    "from_exchanges",
    "picture",
    "picture_png",
    "view",
]

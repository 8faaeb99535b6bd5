"""
How a target reads its timers: boundaries, notations, normalisation, and which known dialect explains it.

`explore` asks and returns values; everything else makes something of them. Nothing here prints.
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
    "document",
    "explore",
    "from_exchanges",
    "picture",
    "picture_png",
    "view",
]

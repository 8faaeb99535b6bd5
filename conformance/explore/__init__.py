"""
Finds out how a target reads its timers: boundaries, notations, normalisation, and the dialect that explains them.

`explore` asks the target and returns values. The other functions render these values. Nothing here prints.
"""

from conformance.explore.document import document as document
from conformance.explore.exploration import explore as explore
from conformance.explore.picture import from_exchanges as from_exchanges
from conformance.explore.picture import picture as picture
from conformance.explore.picture import picture_png as picture_png
from conformance.explore.terminal import view as view
from conformance.explore.values import Exploration as Exploration

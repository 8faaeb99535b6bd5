"""Templates: texts with holes, such as `PT{M}M`. An example fills them plainly, and a strategy fills them at random."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from conformance_strategies._build import Digits

__all__ = ["Field", "Template", "number"]

_HOLE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Field:
    """The texts that may fill a hole: the plainest one, and a function that makes one of drawn digits."""

    example: str
    fill: Callable[[Digits], str]


def number(low: int, high: int, digits: str = "0123456789") -> Field:
    """Return a field of whole numbers in [low, high], written in the given ten digits. Its example is `low`."""
    table = str.maketrans("0123456789", digits)
    return Field(
        str(low).translate(table), lambda source: str(low + source.below(high - low + 1)).translate(table)
    )


class Template:
    """A text whose holes, such as `{M}`, are filled by the fields of that name."""

    __slots__ = ("_pieces",)

    def __init__(self, text: str, fields: Mapping[str, Field]) -> None:
        literals_and_names = _HOLE.split(text)
        self._pieces: Sequence[str | Field] = [
            fields[piece] if index % 2 else piece for index, piece in enumerate(literals_and_names)
        ]

    def example(self) -> str:
        """Return the text with the example of each field."""
        return "".join(piece if isinstance(piece, str) else piece.example for piece in self._pieces)

    def fill(self, source: Digits) -> str:
        """Return a text filled from drawn digits. Zeros make the example."""
        return "".join(piece if isinstance(piece, str) else piece.fill(source) for piece in self._pieces)

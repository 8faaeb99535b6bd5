"""Texts with holes: each names what a person would write, and a strategy fills the holes otherwise."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from conformance_strategies._build import Digits

__all__ = ["Field", "Template", "number"]

_HOLE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Field:
    """What may fill a hole: the plainest text, and how to make any other."""

    example: str
    fill: Callable[[Digits], str]


def number(low: int, high: int, digits: str = "0123456789") -> Field:
    """A whole number in [low, high], written in the given ten digits; the example is `low`."""
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
        """The plainest text."""
        return "".join(piece if isinstance(piece, str) else piece.example for piece in self._pieces)

    def fill(self, source: Digits) -> str:
        """A text filled from drawn digits; zeros fill in the example."""
        return "".join(piece if isinstance(piece, str) else piece.fill(source) for piece in self._pieces)

"""Makes each value of this package from one draw of bytes, which are read as the digits of a mixed-radix number.

One draw costs Hypothesis less than dozens of choices, and no drawn value is filtered away. The draw is of bytes and not
of a wide integer: Hypothesis draws integers mostly small, but bytes uniformly, and it shrinks each byte by itself. A
number whose exact size matters, such as a duration's, is drawn besides as an integer, because bytes do not shrink past
a carry. Zero must always stand for the simplest choice, so that shrinking the bytes makes the value plainer.
"""

import inspect
from collections.abc import Callable, Collection, Sequence
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument

__all__ = ["Digits", "Recipe", "check_names", "strategy"]

T = TypeVar("T")


class Digits:
    """Reads digits from drawn bytes. Past their end every digit is 0, the simplest choice."""

    __slots__ = ("_data", "_draw", "_position")

    def __init__(self, data: bytes = b"", draw: st.DrawFn | None = None) -> None:
        self._data = data
        self._draw = draw
        self._position = 0

    def take(self, size: int) -> bytes:
        """Return the next `size` bytes, padded with zeros."""
        start = self._position
        self._position = start + size
        return self._data[start : start + size].ljust(size, b"\0")

    def part(self, size: int) -> "Digits":
        """Return a reader of the next `size` bytes. What follows them stays the same, however many of them it reads."""
        return Digits(self.take(size), self._draw)

    def below(self, limit: int) -> int:
        """Return a number in [0, limit), drawn almost uniformly. It gets smaller as the bytes do."""
        size = 1 if limit <= 16 else (limit.bit_length() + 15) // 8
        return int.from_bytes(self.take(size), "big") * limit >> 8 * size

    def between(self, low: int, high: int) -> int:
        """Return a number in [low, high], as `st.integers` draws it; `low` where nothing was drawn."""
        return self._draw(st.integers(low, high)) if self._draw and low < high else low

    def choice(self, options: Sequence[T]) -> T:
        """Return one of the options, which must be ordered simplest first."""
        return options[self.below(len(options))]


#: Builds a value from drawn digits.
Recipe = Callable[[Digits], T]


def strategy(
    function: Callable[..., st.SearchStrategy[T]], recipe: Recipe[T], size: int, *args: Any, **kwargs: Any
) -> st.SearchStrategy[T]:
    """Return the strategy that `function` returns for these arguments. Its repr is that call.

    Args:
        function: The public function, whose name and defaults the repr shows.
        recipe: Builds one value from drawn digits.
        size: The number of bytes to draw: at least as many as the recipe reads for its longest value.
        *args: Arguments of the call.
        **kwargs: Keyword arguments of the call.
    """
    data = st.binary(min_size=size, max_size=size)

    def draw_one(draw: st.DrawFn, *_: Any, **__: Any) -> T:
        return recipe(Digits(draw(data), draw))

    signature = inspect.signature(function)
    draw = inspect.Parameter("draw", inspect.Parameter.POSITIONAL_ONLY)
    parameters = [draw, *(p for name, p in signature.parameters.items() if name != "self")]
    draw_one.__name__ = function.__name__
    draw_one.__qualname__ = function.__qualname__
    draw_one.__signature__ = signature.replace(  # type: ignore[attr-defined]  # PEP 362
        parameters=parameters, return_annotation=inspect.Signature.empty
    )
    return st.composite(draw_one)(*args, **kwargs)


def check_names(argument: str, names: object, known: Collection[str]) -> tuple[str, ...]:
    """Return the names in the order of `known`; all known names where `names` is None.

    Raises:
        InvalidArgument: When a name is unknown, there is no name, or `names` is a string or no collection.
    """
    if names is None:
        return tuple(known)
    if isinstance(names, str) or not isinstance(names, Collection):
        raise InvalidArgument(f"{argument}={names!r} is not a collection of names")
    wanted = set(names)
    if unknown := sorted(map(str, wanted - set(known))):
        raise InvalidArgument(f"{argument}={names!r} has {', '.join(unknown)}; known are {', '.join(known)}")
    if not wanted:
        raise InvalidArgument(f"{argument}={names!r} names nothing to draw from")
    return tuple(name for name in known if name in wanted)

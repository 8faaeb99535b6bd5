"""How every value here is made: one draw of bytes, read from the left as the digits of a mixed-radix number.

Nothing is filtered, so nothing is thrown away, and what would be dozens of choices costs Hypothesis one.
Bytes rather than a wide integer, because Hypothesis draws those mostly small, with low bits all zero, while
bytes of a fixed size come uniform and each shrinks by itself. Only a number whose exact size matters, as a
duration's does, is an integer drawn besides: bytes cannot shrink past a carry.
Zero must always stand for the simplest choice: then whatever the shrinker lowers makes the value plainer.
"""

import inspect
from collections.abc import Callable, Collection, Sequence
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument

__all__ = ["Digits", "Recipe", "check_names", "strategy"]

T = TypeVar("T")


class Digits:
    """A reader of drawn bytes; past their end every digit is 0, the simplest choice."""

    __slots__ = ("_data", "_draw", "_position")

    def __init__(self, data: bytes = b"", draw: st.DrawFn | None = None) -> None:
        self._data = data
        self._draw = draw
        self._position = 0

    def take(self, size: int) -> bytes:
        """The next `size` bytes, padded with zeros."""
        start = self._position
        self._position = start + size
        return self._data[start : start + size].ljust(size, b"\0")

    def part(self, size: int) -> "Digits":
        """A reader of the next `size` bytes, so that what it reads of them moves nothing that follows."""
        return Digits(self.take(size), self._draw)

    def below(self, limit: int) -> int:
        """A number in [0, limit), close to uniform, that falls as the bytes fall."""
        size = 1 if limit <= 16 else (limit.bit_length() + 15) // 8
        return int.from_bytes(self.take(size), "big") * limit >> 8 * size

    def between(self, low: int, high: int) -> int:
        """A number in [low, high], of every magnitude, and now and then `high` itself."""
        return self._draw(st.integers(low, high)) if self._draw and low < high else low

    def choice(self, options: Sequence[T]) -> T:
        """One of the options, which are ordered simplest first."""
        return options[self.below(len(options))]


Recipe = Callable[[Digits], T]


def strategy(
    function: Callable[..., st.SearchStrategy[T]], recipe: Recipe[T], size: int, *args: Any, **kwargs: Any
) -> st.SearchStrategy[T]:
    """The strategy that `function` returns for these arguments, whose repr is that call.

    Args:
        function: The public function; its name and defaults make the repr.
        recipe: Builds one value from drawn digits.
        size: How many bytes to draw, at least what the recipe reads for its longest value.
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
    """The names in the order of `known`; all of them when `names` is None.

    Raises:
        InvalidArgument: When a name is unknown, none is given, or a lone string stands for a collection.
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

"""Finds two neighbouring whole numbers with different answers, by halving what lies between two others."""

from collections.abc import Callable
from decimal import Decimal
from math import isqrt

STEPS = 140
"""Requests for one pair of neighbours at most. A nanosecond within a century takes 62."""

HUGGED = 3
"""After so many halvings that have left an end where it is, the number beside it is tried."""


def flip(
    accepts: Callable[[int], bool], low: int, high: int, *, base: int = 2, steps: int = STEPS
) -> tuple[int, int, bool]:
    """
    Find neighbours between which the answer changes.

    While the ends differ in their number of digits, that number is halved. Then the middle is a round number: the
    change often lies at one. An end that stays while the other comes near is likely to be beside the change; the
    number beside it is tried once.

    Args:
        accepts: Returns the answer to a number.
        low: A number, 0 or more.
        high: A greater number with the other answer.
        base: The base of round numbers, which are multiples of its great powers.
        steps: How many numbers to try at most.

    Returns:
        Two numbers with different answers, and whether nothing lies between them.
    """
    at_low = accepts(low)
    stays = {low: 0, high: 0}  # by end, how many halvings have left it where it is
    for _ in range(steps):
        if high - low == 1:
            break
        if stays[low] == HUGGED:
            middle = low + 1
        elif stays[high] == HUGGED:
            middle = high - 1
        else:
            middle = _middle(low, high, base)
        beside = middle in (low + 1, high - 1)
        if accepts(middle) == at_low:
            stays = {middle: HUGGED + 1 if beside else 0, high: stays[high] + 1}
            low = middle
        else:
            stays = {low: stays[low] + 1, middle: HUGGED + 1 if beside else 0}
            high = middle
    return low, high, high - low == 1


def _middle(low: int, high: int, base: int) -> int:
    """Return a round number between two that are no neighbours."""
    if high > 10 * max(1, low):  # a power of ten lies between
        fewest, most = _magnitude(max(1, low)) + 1, _magnitude(high - 1)
        # The geometric mean of the numbers of digits: few digits are likelier than many.
        return int(10 ** min(max(isqrt(fewest * most), fewest), most))
    quarter = (high - low) // 4
    return _roundest(max(low + quarter, low + 1), min(high - quarter, high - 1), base)


def _roundest(first: int, last: int, base: int) -> int:
    """Return, of the numbers from one to another, a multiple of the greatest power of the base."""
    width = max(1, last - first)
    scale: int = base ** (width.bit_length() - 1 if base == 2 else _magnitude(width))
    while last // (scale * base) * scale * base >= first:
        scale *= base
    return last // scale * scale


def _magnitude(number: int) -> int:
    """Return the exponent of the greatest power of ten that a number reaches."""
    return Decimal(number).adjusted()

"""One change in a text of bytes, of the kinds that any reader of bytes has to live with."""

import random
from collections.abc import Callable, Sequence

Change = Callable[[bytes, random.Random, int, int], bytes]
"""Changes bytes at a place, by a number of them."""


def changed(
    raw: bytes, rng: random.Random, *, sizes: Sequence[int], tokens: Sequence[bytes], others: Sequence[Change]
) -> bytes:
    """
    The bytes with one change.

    Args:
        raw: what is changed.
        rng: chooses place, size and kind.
        sizes: how many bytes may be changed at a time.
        tokens: what may be put in.
        others: further kinds of changes.
    """

    def put_in(raw: bytes, rng: random.Random, at: int, size: int) -> bytes:
        return raw[:at] + rng.choice(tokens) + raw[at:]

    at, size = rng.randrange(len(raw) + 1), rng.choice(sizes)
    change: Change = rng.choice((_flipped, _left_out, _repeated, _cut_off, put_in, *others))
    return change(raw, rng, at, size)


def _flipped(raw: bytes, rng: random.Random, at: int, size: int) -> bytes:
    return raw[:at] + bytes(byte ^ (1 << rng.randrange(8)) for byte in raw[at : at + 1]) + raw[at + 1 :]


def _left_out(raw: bytes, rng: random.Random, at: int, size: int) -> bytes:
    return raw[:at] + raw[at + size :]


def _repeated(raw: bytes, rng: random.Random, at: int, size: int) -> bytes:
    return raw[:at] + raw[at : at + size] + raw[at:]


def _cut_off(raw: bytes, rng: random.Random, at: int, size: int) -> bytes:
    return raw[:at]

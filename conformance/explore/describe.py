"""An exploration in words: the sentences that the terminal shows and `timers.json` repeats."""

import re

from conformance.explore.dialects import DIALECTS
from conformance.explore.notations import MAX_DIGITS, longest_number
from conformance.explore.values import Boundary, Identification, TimerReading

_LABEL = 44
_COUNTED = 60
"""Digits of a number from which on it is counted, not shown."""


def shortened(text: str, room: int = _LABEL) -> str:
    """
    A duration that fits on a line: the middle of what is too long is left out, so that neighbours still differ.

    Args:
        text: the duration.
        room: characters that it may have, at least 20.
    """
    if len(text) <= room:
        return text
    if (digits := longest_number(text)) > _COUNTED:
        before, after = re.split("[0-9].*[0-9]", text, maxsplit=1)
        return f"{before}…{after} of {digits:,} digits"
    tail = (room - 1) // 2
    return f"{text[: room - 1 - tail]}…{text[-tail:]}"


def dialect_named(found: Identification) -> str:
    """The dialect with its variant."""
    return f"{found.name} ({found.variant})" if found.variant else found.name


def takes_everything(reading: TimerReading) -> bool:
    """Whether no value at all was refused."""
    return reading.dialect.name == "none" and reading.dialect.exact


def echoes_one(reading: TimerReading) -> bool:
    """Whether the same value comes back whatever was sent."""
    return reading.normalisation.rule.startswith("always ")


def verdict(reading: TimerReading) -> str:
    """One sentence on which dialect the timer is read with."""
    found = reading.dialect
    if takes_everything(reading):
        if echoes_one(reading):
            echo = reading.normalisation.rule.removeprefix("always ")
            return f"It accepts everything and echoes an example: {echo} comes back whatever is sent."
        return "It accepts everything: values are not read at all."
    if not found.name:
        return "Nothing was accepted, so no dialect can be told."
    source = next(
        each.source for each in DIALECTS if (each.name, each.variant) == (found.name, found.variant)
    )
    if found.exact:
        rivals = " or ".join(name for name, share in found.others if share == 1)
        told = f", which does not tell it from {rivals}" if rivals else ""
        agree = f"all of {found.probes} answers agree{told}"
        return f"It reads durations as {dialect_named(found)} does ({source}): {agree}."
    share = f"{found.agreement:.1%}"
    return (
        f"It reads durations as none of the known dialects does; nearest is {dialect_named(found)} ({source}), "
        f"which {share} of {found.probes} answers agree with."
    )


def limits(reading: TimerReading) -> str:
    """One sentence on the least and the greatest length, in the finest notations that show them."""
    least = _telling(reading.boundaries, "least")
    greatest = _telling(reading.boundaries, "greatest")
    if not reading.boundaries:
        return "No boundary was searched."
    if least is None or least.accepted is None:
        return "No notation of a length is accepted."
    if least.refused is None:
        start = f"No minimum is enforced: even {least.accepted} is accepted"
    else:
        start = f"At least {least.accepted}: {least.refused} is refused" + _unless_exact(least)
    if greatest is None:
        return f"{start}."
    if greatest.refused is None:
        return f"{start}; no cap up to {MAX_DIGITS:,} digits."
    return f"{start}; at most {shortened(greatest.accepted or '')}: {_failing(greatest)}{_unless_exact(greatest)}."


def _unless_exact(boundary: Boundary) -> str:
    return "" if boundary.exact else " (the search between them was cut short)"


def _failing(boundary: Boundary) -> str:
    text = shortened(boundary.refused or "")
    if boundary.status is None:
        return f"{text} gets no answer"
    return f"{text} is refused" if 400 <= boundary.status < 500 else f"{text} gets status {boundary.status}"


def _telling(boundaries: tuple[Boundary, ...], end: str) -> Boundary | None:
    """The boundary in seconds, else the first one that has both neighbours, else the first."""
    own = [each for each in boundaries if each.end == end and each.accepted is not None]
    return next(
        (each for each in own if each.notation == "seconds"),
        next((each for each in own if each.refused is not None), own[0] if own else None),
    )


def echo_rule(reading: TimerReading) -> str:
    """One sentence on what comes back of an accepted value."""
    found = reading.normalisation
    if found.rule == "unknown":
        return "No echo was seen."
    if found.agreement <= 0.5:
        first = found.counter_examples[0]
        return f"Echo: no known rule; {shortened(first.sent)!r} comes back as {first.echo!r}."
    rule = f"Echo: {found.rule}, for {found.agreement:.0%} of {found.echoes} accepted values"
    if not found.counter_examples:
        return rule + "."
    first = found.counter_examples[0]
    return f"{rule}; but {shortened(first.sent)!r} comes back as {first.echo!r}."

"""The sentences on an exploration that the terminal shows and `timers.json` repeats."""

import re

from conformance.explore.dialects import DIALECTS
from conformance.explore.notations import MAX_DIGITS, longest_number
from conformance.explore.values import Boundary, Identification, TimerReading
from conformance.model import shortened

_LABEL = 44
_COUNTED = 60
"""A number of more digits than that is not shown: its digits are counted."""

NEAR = 0.95
"""The share of answers from which on a target that departs from a dialect is said to be near it."""


def duration(text: str, room: int = _LABEL) -> str:
    """
    Return a duration that fits on a line of so many characters, 20 or more.

    Of a number of more than 60 digits, only the count of digits is shown.
    """
    if len(text) > room and (digits := longest_number(text)) > _COUNTED:
        before, after = re.split("[0-9].*[0-9]", text, maxsplit=1)
        return f"{before}…{after} of {digits:,} digits"
    return shortened(text, room)


def dialect_named(found: Identification) -> str:
    """Return the name of the dialect with its variant."""
    return f"{found.name} ({found.variant})" if found.variant else found.name


def takes_everything(reading: TimerReading) -> bool:
    """Whether no value at all was refused."""
    return reading.dialect.name == "none" and reading.dialect.exact


def echoes_one(reading: TimerReading) -> bool:
    """Whether the same value comes back whatever was sent."""
    return reading.normalisation.rule.startswith("always ")


def verdict(reading: TimerReading) -> str:
    """Return a sentence that names the dialect with which the timer is read."""
    found = reading.dialect
    if takes_everything(reading):
        if echoes_one(reading):
            echo = reading.normalisation.rule.removeprefix("always ")
            return f"It accepts everything and echoes an example: {echo} comes back whatever is sent."
        return "It accepts everything: values are not read at all."
    if not found.name:
        return "Nothing was accepted, so no dialect can be named."
    source = next(
        each.source for each in DIALECTS if (each.name, each.variant) == (found.name, found.variant)
    )
    if found.exact:
        rivals = " or ".join(name for name, share in found.others if share == 1)
        also = f", with {rivals} as well" if rivals else ""
        agree = f"all of {found.probes} answers agree{also}"
        return f"It reads durations as {dialect_named(found)} does ({source}): {agree}."
    if not is_near(found):
        return (
            "It reads durations as none of the known dialects does: "
            f"none agrees with {NEAR:.0%} or more of its answers."
        )
    return (
        f"It reads durations as none of the known dialects does; nearest is {dialect_named(found)} ({source}), "
        f"which {found.agreement:.1%} of {found.probes} answers agree with."
    )


def is_near(found: Identification) -> bool:
    """Whether enough answers agree with the dialect to name it."""
    return found.agreement >= NEAR


def limits(reading: TimerReading) -> str:
    """Return a sentence on the least and the greatest length, in the finest notations that show them."""
    names = {each.notation for each in reading.uneven}
    even = tuple(each for each in reading.boundaries if each.notation not in names)
    least, greatest = _telling(even, "least"), _telling(even, "greatest")
    if not reading.boundaries:
        return "No boundary was searched."
    if names and (least is None or least.accepted is None):
        return "No least length holds: values are taken unevenly in every notation of which any is."
    if least is None or least.accepted is None:
        return "No notation of a length is accepted."
    if least.refused is None and not least.exact:
        start = f"{least.accepted} is accepted (the search for the least length was cut short)"
    elif least.refused is None:
        start = f"No minimum is enforced: even {least.accepted} is accepted"
    else:
        start = f"At least {least.accepted}: {least.refused} is refused" + _unless_exact(least)
    if greatest is None:
        return f"{start}."
    if greatest.refused is None:
        return f"{start}; no cap up to {MAX_DIGITS:,} digits."
    return f"{start}; at most {duration(greatest.accepted or '')}: {_failing(greatest)}{_unless_exact(greatest)}."


def _unless_exact(boundary: Boundary) -> str:
    return "" if boundary.exact else " (the search between them was cut short)"


def _failing(boundary: Boundary) -> str:
    text = duration(boundary.refused or "")
    if boundary.status is None:
        return f"{text} gets no answer"
    return f"{text} is refused" if 400 <= boundary.status < 500 else f"{text} gets status {boundary.status}"


def _telling(boundaries: tuple[Boundary, ...], end: str) -> Boundary | None:
    """Return the boundary in seconds, else the first one that has both neighbours, else the first."""
    own = [each for each in boundaries if each.end == end and each.accepted is not None]
    return next(
        (each for each in own if each.notation == "seconds"),
        next((each for each in own if each.refused is not None), own[0] if own else None),
    )


def echo_rule(reading: TimerReading) -> str:
    """Return a sentence on what comes back of an accepted value."""
    found = reading.normalisation
    if found.rule == "unknown":
        return "No echo was seen."
    if found.agreement <= 0.5:
        first = found.counter_examples[0]
        return f"Echo: no known rule; {duration(first.sent)!r} comes back as {first.echo!r}."
    rule = f"Echo: {found.rule}, for {found.agreement:.0%} of {found.echoes} accepted values"
    if not found.counter_examples:
        return rule + "."
    first = found.counter_examples[0]
    return f"{rule}; but {duration(first.sent)!r} comes back as {first.echo!r}."

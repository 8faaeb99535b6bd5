"""The shapes of values, and the features that a parser of durations may lack: what values of one mistake share."""

import re
from collections.abc import Iterator


def shape(value: str) -> str:
    """Return the shape of a value, whatever its digits are; of a SID, which kinds of hexadecimal digits it has."""
    if re.fullmatch("[A-Z]{2}[0-9a-fA-F]{32}", value):
        return value[:2] + "".join(
            kind for kind in ("0-9", "a-f", "A-F") if re.search(f"[{kind}]", value[2:])
        )
    return re.sub("[0-9]+", "0", value)


_COMPONENT = re.compile("([0-9]+)([.,]?)[0-9]*([A-Z])")


def features(value: str) -> Iterator[str]:
    """Return what a parser may not know of a duration."""
    date, _, time = value.partition("T")
    for part, prefix in ((date, ""), (time, "T")):
        for number, fraction, unit in _COMPONENT.findall(part):
            yield prefix + unit
            if not number.strip("0"):
                yield "zero"
            elif number[0] == "0":
                yield "leading zero"
            else:
                yield f"{len(number)} digits"
            if fraction:
                yield "fraction"
    if len(_COMPONENT.findall(value)) > 1:
        yield "several components"

"""The four parameters, each with the checks that its value has to pass.

A check is a function held in a field, so that a fault or a variant can replace that one check.
Error codes are those of the vendor's error dictionary (twilio.com/docs/api/errors/50375 and so on). It has
none for a malformed chat service SID; 20001 stands for a bad request in general.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from conformance.emulator.durations import MalformedDuration, parse_duration
from conformance.emulator.messages import ApiError


@dataclass(slots=True)
class TimerField:
    """A timer parameter: it reads a text, compares the length with the minimum, and gives the text to keep."""

    parameter: str
    column: str
    minimum: int
    malformed: Callable[[], ApiError]
    too_short: Callable[[], ApiError]
    parse: Callable[[str], Decimal]
    reaches: Callable[[Decimal], bool]
    exempt: Callable[[str], bool]
    keep: Callable[[str, Decimal], str | None]
    validate: Callable[[str], str | None]


@dataclass(slots=True)
class SidField:
    """A SID parameter: it matches a text with the pattern, and gives the text to keep."""

    parameter: str
    column: str
    prefix: str
    malformed: Callable[[], ApiError]
    matches: Callable[[str], bool]
    keep: Callable[[str], str | None]
    validate: Callable[[str], str | None]


def timer_field(
    parameter: str,
    column: str,
    *,
    minimum: int,
    name: str,
    codes: tuple[int, int],
    exempt: Callable[[str], bool],
) -> TimerField:
    """Return the reference's timer parameter.

    Args:
        parameter: Its name in the form.
        column: Its name in the representation and in the store.
        minimum: The least length in seconds.
        name: What the vendor's messages call it.
        codes: The vendor's codes of a value that is not a duration, and of one that is too short.
        exempt: Tells the texts that are kept although they do not reach the minimum.
    """
    malformed, too_short = codes
    field = TimerField(
        parameter=parameter,
        column=column,
        minimum=minimum,
        malformed=partial(ApiError, 400, malformed, f"{name} is not a valid ISO 8601 duration"),
        too_short=partial(
            ApiError, 400, too_short, f"{name} must be greater or equal to {minimum // 60} minute(s)"
        ),
        parse=parse_duration,
        reaches=lambda length: length >= minimum,
        exempt=exempt,
        keep=lambda text, length: text,
        validate=lambda text: validate_timer(field, text),
    )
    return field


def validate_timer(field: TimerField, text: str) -> str | None:
    """Return what is kept of a timer's text.

    Raises:
        ApiError: The text is not a duration, or a shorter one than the minimum.
    """
    try:
        length = field.parse(text)
    except MalformedDuration:
        raise field.malformed() from None
    if not field.exempt(text) and not field.reaches(length):
        raise field.too_short()
    return field.keep(text, length)


def sid_field(parameter: str, column: str, *, prefix: str, code: int) -> SidField:
    """Return the reference's SID parameter: its prefix and 32 hexadecimal digits in any case.

    Args:
        parameter: Its name in the form.
        column: Its name in the representation and in the store.
        prefix: The two letters that the SID begins with.
        code: The vendor's code of a malformed value.
    """
    pattern = re.compile(f"{prefix}[0-9a-fA-F]{{32}}")
    field = SidField(
        parameter=parameter,
        column=column,
        prefix=prefix,
        malformed=partial(ApiError, 400, code, f"{parameter} does not match ^{prefix}[0-9a-fA-F]{{32}}$"),
        matches=lambda text: pattern.fullmatch(text) is not None,
        keep=lambda text: text,
        validate=lambda text: validate_sid(field, text),
    )
    return field


def validate_sid(field: SidField, text: str) -> str | None:
    """Return what is kept of a SID's text.

    Raises:
        ApiError: The text does not match the pattern.
    """
    if not field.matches(text):
        raise field.malformed()
    return field.keep(text)


def reference_fields() -> tuple[dict[str, TimerField], dict[str, SidField]]:
    """Return the four parameters of the resource by what they hold: timers, then SIDs."""
    timers = [
        timer_field(
            "DefaultInactiveTimer",
            "default_inactive_timer",
            minimum=60,
            name="TimeToInactive",
            codes=(50379, 50375),
            # PT0S disables the timer (support.twilio.com/hc/en-us/articles/46619837838235).
            exempt=lambda text: text == "PT0S",
        ),
        timer_field(
            "DefaultClosedTimer",
            "default_closed_timer",
            minimum=600,
            name="TimeToClosed",
            codes=(50380, 50376),
            # Nothing says that the closed timer can be disabled in that way.
            exempt=lambda text: False,
        ),
    ]
    sids = [
        sid_field("DefaultChatServiceSid", "default_chat_service_sid", prefix="IS", code=20001),
        sid_field("DefaultMessagingServiceSid", "default_messaging_service_sid", prefix="MG", code=50341),
    ]
    return {field.parameter: field for field in timers}, {field.parameter: field for field in sids}

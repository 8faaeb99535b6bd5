"""The values that the rules about timers send, by notation: at the minimum, below it, and long enough."""

from conformance.model import CLOSED, INACTIVE, Field

# Each notation is a class of its own, so that even the shortest run sends one of each. The value that catches most
# mistakes comes first, and then the values that a person would write.
AT_MINIMUM = {
    "minutes": ("PT1M", "PT10M"),
    "seconds": ("PT60S", "PT600S"),
    "carry-over": ("PT0M60S", "PT9M60S"),
    "leading-zeros": ("PT01M", "PT010M"),
    "zero-components": ("PT0H1M", "P0DT10M"),
}
"""By notation, the minimum of the inactive timer and that of the closed one."""

BELOW = {
    "seconds": (("PT59S", "PT1S", "PT30S", "PT9S"), ("PT599S", "PT60S", "PT59S", "PT1S", "PT99S", "PT540S")),
    "minutes": (("PT0M59S", "PT0M1S"), ("PT9M", "PT1M", "PT5M", "PT2M", "PT09M")),
    "mixed": (
        ("PT0H0M59S", "PT0H59S", "P0DT59S"),
        ("PT9M59S", "PT5M30S", "PT8M119S", "PT0H9M59S", "P0DT9M59S"),
    ),
    "long-fraction": (
        ("PT59.99999999999999999999S",),
        ("PT9M59.99999999999999999999S", "PT599.9999999999999999S"),
    ),
    "fraction": (
        (
            "PT59.999999999S",
            "PT59.9999999S",
            "PT59.9S",
            "PT59,999999999S",
            "PT0.99M",
            "PT59.9999999999S",
            "PT0.016H",
        ),
        (
            "PT599.999999999S",
            "PT599.9999999S",
            "PT9M59.9S",
            "PT9.99M",
            "PT9,99M",
            "PT9M59.9999999999S",
            "PT0.166H",
            "P0.0069D",
        ),
    ),
    "leading-zeros": (("PT059S", "PT0000000059S"), ("PT09M59S", "PT0000000599S", "PT009M")),
    "seconds-of-all-digits": (
        tuple(f"PT{each}S" for each in (48, 57, 36, 25, 14, 53, 42, 31, 20, 59, 7, 3)),
        tuple(f"PT{each}S" for each in (587, 498, 376, 265, 154, 543, 432, 321, 210, 109, 76, 8)),
    ),
    "padded": (
        tuple(f"PT{'0' * (length - 5)}59S" for length in (17, 16, 32, 33, 64, 65, 128, 129, 256, 257)),
        tuple(f"PT{'0' * (length - 6)}599S" for length in (17, 16, 32, 33, 64, 65, 128, 129, 256, 257)),
    ),
    "long-fraction-of-a-unit": (
        ("PT0.9999999999999999999M", "PT0.016666666666666666666H", "P0.000694444444444444444D"),
        ("PT9.9999999999999999999M", "PT0.166666666666666666666H", "P0.006944444444444444444D"),
    ),
    "tiny": (("PT1,000S", "PT0.0000001S", "PT0.5S"), ("PT1,000S", "PT0.0000001S", "PT0.5M")),
}
"""By notation, values below the minimum of the inactive timer, and below that of the closed one."""


def accepted(timer: Field) -> dict[str, tuple[str, ...]]:
    """Return, by notation, values that are long enough by every reading."""
    ceiling = "P15D" if timer is INACTIVE else "P30D"
    seconds = "PT1296000S" if timer is INACTIVE else "PT2592000S"
    return {
        "minutes": (
            *(["PT10M"] if timer is INACTIVE else []),
            "PT15M",
            "PT11M",
            "PT12M",
            "PT20M",
            "PT30M",
            "PT59M",
            "PT45M",
            "PT100M",
            "PT1440M",
        ),
        "seconds": (seconds, "PT900S", "PT3600S", "PT601S", "PT1000S", "PT86400S", "PT100000S"),
        "hours": ("PT100H", "PT1H", "PT2H", "PT24H", "PT36H", "PT72H", "PT10H", "PT360H"),
        "days": (ceiling, "P1D", "P2D", "P7D", "P10D", "P14D", "P8D"),
        "mixed": (
            "P1DT12H30M5S",
            "PT1H30M",
            "P1DT1H",
            "PT1H30M15S",
            "P1DT1M",
            "P1DT1S",
            "PT20M30S",
            "P9DT23H59M59S",
        ),
        "seconds-of-all-digits": tuple(
            f"PT{each + (0 if timer is INACTIVE else 540)}S"
            # The last digits of the longest ones say less than the minimum.
            for each in (
                68,
                73,
                85,
                97,
                104,
                116,
                62,
                79,
                121,
                132,
                143,
                157,
                169,
                180,
                198,
                214,
                10_059,
                100_059,
            )
        ),
        "powers-of-two": (
            *(("PT2147483S", "PT2147484S", "PT32767M", "PT32768M") if timer is CLOSED else ()),
            *(f"PT{each}S" for each in (32768, 65536, 1024, 4096, 32767, 65535, 16384)),
            *(f"PT{each}M" for each in (256, 255, 1024, 4096)),
            # An inactive timer as long as this is judged once it is known that no rule ties the timers together.
            *(("PT256H", "PT2147484S") if timer is INACTIVE else ("PT512H",)),
        ),
        "carry-over-of-all-units": (
            "PT179M60S",
            "PT1H59M60S",
            "PT23H59M60S",
            "P1DT23H60M",
            "PT12M300S",
            "PT47H60M",
            "PT15M3600S",
            "P1DT48H",
            "PT1H121M",
            "P1DT86400S",
        ),
        "skipping": ("PT1H1S", "P1DT30M", "P1DT900S", "P2DT5S", "PT24H30S"),
        "carry-over": ("PT90M", "PT61M", "PT59M60S", "PT20M120S", "PT23H60M", "PT25H", "PT1H90M", "P1DT24H"),
        "leading-zeros": (
            "PT019M",
            "PT015M",
            "P01D",
            "PT01H",
            "PT0900S",
            "PT0000000000000900S",
            "P007D",
            "PT00015M",
        ),
        "zero-components": (
            "PT0H15M",
            "P0DT15M",
            "P1DT0H",
            "PT1H0M0S",
            "PT15M0S",
            "P0DT0H15M0S",
            "P1DT0H0M0S",
        ),
    }


OVERFLOWING = {
    60: ("PT1M" + "x" * 65_536, "PT1M" + "x" * 256),
    600: ("PT10M" + "x" * 256, "PT10M" + "x" * 65_536),
}
"""By minimum, a good value with so much behind it that a length kept in one byte or two is the good value's."""


def notations(timer: Field) -> dict[str, tuple[str, ...]]:
    """Return, by notation, values that not every reading takes. A target that takes one must keep its length."""
    # An inactive timer of more would need a closed one that is longer than all must accept.
    long: tuple[str, ...] = ("P14DT0.5S", "P2W", "PT335.5H")
    if timer is CLOSED:
        long = ("PT4294968S", "P60D", "PT65537M", "PT1025H", "P365D", "PT8589935S")
    return {**_NOTATIONS, "very-long": long}


_NOTATIONS = {
    "weeks": ("P1W", "P2W", "P01W"),
    # An inactive timer of a month or a year would need a closed one that is longer than all must accept.
    "months": ("P0M1D", "P1M", "P1MT10M", "P1M1D"),
    "years": ("P0Y1D", "P1Y", "P1Y1D"),
    "fraction-point": (
        "PT900.5S",
        "PT1.5H",
        "PT10.5M",
        "P0.5D",
        "P1.5D",
        "PT900.0S",
        "P0.5W",
        "PT900.000000001S",
    ),
    "fraction-comma": ("PT10,5M", "PT1,5H", "PT900,5S", "P0,5D", "PT1,000H"),
    "many-zeros": (
        "PT00000000000000000000000000000015M",
        "PT0000000000000000000900S",
        "P00000000000000000000001D",
    ),
}

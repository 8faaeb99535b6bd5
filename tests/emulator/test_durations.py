"""The emulator's own reading of ISO 8601 durations."""

from decimal import Decimal

import pytest

from conformance.emulator.durations import MalformedDuration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("PT1M", 60),
        ("PT60S", 60),
        ("PT9M60S", 600),
        ("PT0H10M", 600),
        ("PT010M", 600),
        ("P1D", 86400),
        ("P1DT0H", 86400),
        ("P1W", 604800),
        ("P1Y", 365 * 86400),
        ("P1M", 28 * 86400),
        ("P1Y2M3DT4H5M6S", 365 * 86400 + 2 * 28 * 86400 + 3 * 86400 + 4 * 3600 + 5 * 60 + 6),
        ("P1Y1D", 366 * 86400),
        ("PT1H1S", 3601),
        ("PT1.5M", 90),
        ("PT1,5M", 90),
        ("PT59.999999999S", Decimal("59.999999999")),
        ("P0.5D", 43200),
        ("P0,5W", 302400),
        ("PT1,000S", 1),
        ("PT0S", 0),
        ("P0W", 0),
        ("PT99999999999999999999S", Decimal(99999999999999999999)),
    ],
)
def test_designator_form_is_read_exactly(text: str, seconds: int | Decimal) -> None:
    assert parse_duration(text) == seconds


MALFORMED = (
    *("", "P", "PT", "P1DT", "P1WT", "T10M", "10M", "PT10", "P10", "P10S", "P10H", "PT1D", "PT1Y", "600"),
    *("PT10M10M", "PT10S10M", "P1D1Y", "PT1S1H", "P1DT1DT1H", "PT10MT", "P1D1W", "P1W1D", "P1Y1W", "P1WT1H"),
    *(
        "PP1D",
        "PTT10M",
        "P1 D",
        "P T10M",
        "\xa0PT10M",
        "PT10M\x00",
        "PT10M\n",
        "PT10M ",
        " PT10M",
        "\ufeffPT10M",
    ),
    *("PT\uff11\uff10M", "PT\u0661\u0660M", "P\uff34\uff11M", "PT1\xb2M", "PT1e3S", "PT0x10S", "PT1_000S"),
    *("PT.5S", "PT5.S", "PT1.M", "PT1.5H30M", "P1.5DT1H", "PT1.2.3S", "PTNaNS", "PTInfinityS", "PT1/2H"),
    *("pt10m", "PT10m", "Pt10M", "p1d", "-PT10M", "+PT10M", "PT-10M", "--PT10M", "PT10-M", "P-1D"),
    *("R3/PT10M", "PT10M/PT20M", "10 minutes", "PT10Minutes", "P0000-00-00T00:10:00", "00:10:00"),
)


def test_anything_else_is_malformed() -> None:
    for text in MALFORMED:
        with pytest.raises(MalformedDuration):
            parse_duration(text)


def test_lengths_are_exact_to_the_last_of_100_000_digits() -> None:
    assert parse_duration("PT59." + "9" * 100_000 + "S") < 60
    assert parse_duration("PT" + "0" * 100_000 + "600S") == 600
    assert parse_duration("PT0," + "9" * 100_000 + "M") < 60
    assert parse_duration("PT1" + "0" * 100_000 + "S") > 10**12


@pytest.mark.parametrize("shape", ["PT{}S", "PT{}", "P{}Y", "PT1.{}S", "P{}.", "PT{}M1S", "{}"])
def test_100_000_digits_are_read_as_any_others_are(shape: str) -> None:
    """How long that takes, `benchmarks/long_texts.py` measures."""

    def is_read(digits: int) -> bool:
        try:
            parse_duration(shape.format("9" * digits))
        except MalformedDuration:
            return False
        return True

    assert is_read(100_000) == is_read(3)

"""The readings, compared with tables from other projects and tested for properties of their own."""

import json
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import isodate
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.oracle.durations import READINGS, read
from conformance_strategies import durations

DATA = Path(__file__).parents[1] / "data"
TABLE = json.loads((DATA / "durations.json").read_text())["cases"]
RFC3339 = json.loads((DATA / "rfc3339_durations.json").read_text())


def test_every_reading_takes_what_its_grammar_takes() -> None:
    takes = {case["text"]: set(read(case["text"])) for case in TABLE}
    assert takes == {case["text"]: set(case["readings"]) for case in TABLE}


def test_java_gives_the_length_that_the_jdk_gave() -> None:
    jdk = {case["text"]: Decimal(case["java_seconds"]) for case in TABLE if case["java_seconds"] is not None}
    read_as_java = {text: read(text)["java"] for text in jdk}
    assert {text: length.low for text, length in read_as_java.items()} == jdk
    assert {text: length.high for text, length in read_as_java.items()} == jdk


@pytest.mark.parametrize(
    ("text", "is_read"),
    [
        ("PT9223372036854775807S", True),
        ("PT9223372036854775808S", False),
        ("PT153722867280912930M7S", True),
        ("PT153722867280912930M8S", False),  # together 2 to the 63 seconds
        ("PT-153722867280912930M-8S", True),
        ("PT-153722867280912930M-9S", False),
        ("PT-1H9223372036854775808S", False),  # one number is beyond 64 bits, though the sum is not
    ],
)
def test_java_reads_what_64_bits_hold(text: str, is_read: bool) -> None:
    assert ("java" in read(text)) is is_read


@pytest.mark.parametrize("text", ["P0001-200T01:00:02", "P0001200T010002"])
def test_the_alternative_format_may_count_the_days_of_a_year(text: str) -> None:
    rest = Decimal(200 * 86400 + 3600 + 2)
    length = read(text)["alternative"]
    assert (length.low, length.high) == (365 * 86400 + rest, 366 * 86400 + rest)
    assert read(text.replace("200T", "366T"))
    assert not read(text.replace("200T", "367T"))


@pytest.mark.parametrize(
    "text",
    ["P0001-13-01T00:00:00", "P0001-01-32T00:00:00", "P00010132T000000"]
    + [f"P0001-01-01T{time}" for time in ("25:00:00", "00:61:00", "00:00:61")],
)
def test_no_number_of_the_alternative_format_exceeds_its_carry_over_point(text: str) -> None:
    assert read("P0001-12-31T24:60:60")
    assert not read(text)


@pytest.mark.parametrize("text", RFC3339["valid"])
def test_rfc3339_takes_what_the_json_schema_test_suite_calls_valid(text: str) -> None:
    assert "rfc3339" in read(text)


@pytest.mark.parametrize("text", RFC3339["invalid"])
def test_rfc3339_refuses_what_the_json_schema_test_suite_calls_invalid(text: str) -> None:
    assert "rfc3339" not in read(text)


@given(
    durations(
        min_value=1, max_value=10**8, notations=("seconds", "minutes", "hours", "days", "weeks", "mixed")
    )
)
def test_the_length_is_the_one_isodate_computes(text: str) -> None:
    seconds = isodate.parse_duration(text) / timedelta(seconds=1)

    assert Decimal(seconds) == read(text)["iso8601-1"].low


@given(st.integers(0, 10**30), st.integers(0, 10**12 - 1), st.sampled_from("WDHMS"))
def test_lengths_are_exact_whatever_their_size(whole: int, fraction: int, unit: str) -> None:
    time_unit = "T" if unit in "HMS" else ""
    seconds = {"W": 604800, "D": 86400, "H": 3600, "M": 60, "S": 1}[unit]
    digits = f"{fraction:012}"

    length = read(f"P{time_unit}{whole}.{digits}{unit}")["iso8601-1"]

    assert (whole + Fraction(int(digits), 10**12)) * seconds == Fraction(length.low) == Fraction(length.high)


@pytest.mark.parametrize(("text", "low", "high"), [("P1Y", 365, 366), ("P1M", 28, 31), ("P1Y1M1D", 394, 398)])
def test_years_and_months_are_ranges(text: str, low: int, high: int) -> None:
    length = read(text)["iso8601-1"]

    assert (Decimal(low * 86400), Decimal(high * 86400)) == (length.low, length.high)


@pytest.mark.parametrize(
    "pattern", ["PT{}S", "P{}Y", "PT0.{}H", "{}", "P{}", "PT{}", "P{0}Y{0}M", "PT{}900S"]
)
def test_100_000_digits_are_read_as_any_others_are(pattern: str) -> None:
    """How long that takes, `benchmarks/long_texts.py` measures."""
    assert read(pattern.format("7" * 100_000)).keys() == read(pattern.format("7" * 30)).keys()


@given(st.text(alphabet="PTYMWDHS0123456789.,+-: \n", max_size=24))
def test_any_text_is_read_without_an_error(text: str) -> None:
    assert set(read(text)) <= set(READINGS)


def test_case_folding_is_that_of_ascii() -> None:
    assert not read("PT60\u017f")  # the long s, which is an S when Unicode folds case

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

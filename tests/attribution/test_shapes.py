"""Values have one shape where only their numbers differ; features are what a parser may not know of a duration."""

import pytest

from conformance.attribution.shapes import features, shape


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("PT10M", "PT0M"),
        ("P1DT12H", "P0DT0H"),
        ("banana", "banana"),
        ("", ""),
        ("IS" + "1" * 32, "IS0-9"),
        ("MG" + "f" * 31 + "0", "MG0-9a-f"),
        ("IS" + "0" * 30 + "aF", "IS0-9a-fA-F"),
        ("IS" + "A" * 32, "ISA-F"),
        ("CA" + "a" * 32, "CAa-f"),
        ("IS" + "F" + "a" * 31, "ISa-fA-F"),
        ("is" + "1" * 32, "is0"),
        ("IS" + "1" * 31, "IS0"),
        ("IS" + "g" * 32, "IS" + "g" * 32),
    ],
)
def test_the_shape_of_a_value(value: str, expected: str) -> None:
    assert shape(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("PT10M", ["TM", "2 digits"]),
        ("P1M", ["M", "1 digits"]),
        ("P1DT0H", ["D", "1 digits", "TH", "zero", "several components"]),
        ("PT007M", ["TM", "leading zero"]),
        ("PT000M", ["TM", "zero"]),
        ("PT600.5S", ["TS", "3 digits", "fraction"]),
        ("PT1,5H30M", ["TH", "1 digits", "fraction", "TM", "2 digits", "several components"]),
        ("PT1HT2M", ["TH", "1 digits", "TM", "1 digits", "several components"]),
        ("banana", []),
    ],
)
def test_the_features_of_a_duration(value: str, expected: list[str]) -> None:
    assert list(features(value)) == expected

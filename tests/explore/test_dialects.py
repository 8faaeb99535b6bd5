"""The models say what the parsers said; `test_parsers.py` runs the parsers themselves, where they are installed."""

from datetime import timedelta
from decimal import Decimal

import isodate
import pytest

from conformance.explore.dialects import DIALECTS
from conformance.explore.identification import pool
from conformance.explore.notations import table

READERS = {f"{each.name} {each.variant}".strip(): each.read for each in DIALECTS}

# Lengths that the parsers themselves gave; "x" is refused: OpenJDK 17, temporal-polyfill 1.0.8, luxon 3, moment 2.30.1,
# Django 5.2, pydantic 2.14. ajv-formats 3 only says whether a text is valid. The columns of sosodev and PHP follow
# their sources.
MEASURED = """
PT60S           60      60      60      60      60      60      60  60  60  60
P1D             86400   86400   86400   86400   86400   86400   86400  86400  86400  86400
P1W             x       604800  604800  604800  604800  604800  604800  604800  x  604800
PT1.5M          x       90      90      90      90      x       x  x  90  90
PT1,5M          x       90      x       90      x       x       x  x  90  90
PT59.999999999S 59.999999999 59.999999999 59.999999999 59.999999999 59.999999999 x x  x  60  60
PT59.9999999999S x      x       59.9999999999 59.9999999999 59.9999999999 x x  x  60  60
PT1.5H30M       x       x       7200    x       7200    x       x  x  7200  x
P0.5D           x       x       43200   43200   43200   x       x  x  43200  43200
PT.5S           x       x       x       0.5     0.5     x       x  x  x  x
PT5.S           5       x       x       5       5       x       x  x  x  5
pt10m           600     600     x       0       x       x       x  x  x  x
+PT10M          600     600     x       600     x       x       x  x  600  600
-PT10M          -600    -600    -600    -600    -600    x       x  x  -600  -600
PT-10M          -600    x       -600    -600    x       x       x  x  x  x
-PT-10M         600     x       600     600     x       x       x  x  x  x
P1DT-1H         82800   x       82800   82800   x       x       x  x  x  x
PT              x       x       0       0       0       x       x  x  0  x
P1DT            x       x       86400   86400   86400   x       x  x  86400  86400
P1W1D           x       691200  691200  691200  691200  691200  691200  x  x  691200
PT10M10M        x       x       x       0       600     x       x  x  x  1200
PT10S10M        x       x       x       0       610     x       x  x  x  610
10M             x       x       x       0       x       x       x  x  x  x
600             x       x       x       0.6     x       x       x  x  600  x
00:10:00        x       x       x       600     x       x       x  x  600  600
PT10MPT10M      x       x       x       0       x       x       600  x  x  x
R3/PT10M        x       x       x       0       x       x       600  x  x  x
PT1e3S          x       x       x       0       x       x       x  x  x  x
"""
COLUMNS = (
    "java",
    "temporal",
    "luxon",
    "moment",
    "go-sosodev",
    "php as documented",
    "php as scanned",
    "ajv-formats",
    "django",
    "pydantic",
)


@pytest.mark.parametrize("column", range(len(COLUMNS)), ids=COLUMNS)
def test_a_model_reads_as_its_parser_does(column: int) -> None:
    rows = [line.split() for line in MEASURED.strip().splitlines()]
    measured = {text: None if cells[column] == "x" else Decimal(cells[column]) for text, *cells in rows}
    read = {text: READERS[COLUMNS[column]](text) for text in measured}
    assert {text: length and length.low for text, length in read.items()} == measured


def test_isodate_is_called_as_it_is() -> None:
    for text in (*pool(Decimal(600)), *(text for _, text in table() if len(text) < 400)):
        length = READERS["isodate"](text)
        try:
            parsed = isodate.parse_duration(text)
        except (isodate.ISO8601Error, ValueError, OverflowError):
            assert length is None, text
        else:
            assert length is not None, text
            if isinstance(parsed, timedelta):
                exact = Decimal(parsed // timedelta(microseconds=1)) / 10**6
                assert (length.low, length.high) == (exact, exact), text


def test_every_pair_of_dialects_differs_on_some_probe() -> None:
    texts = pool(Decimal(600))
    read = {
        name: tuple((length := reader(text)) is not None and length.low >= 600 for text in texts)
        for name, reader in READERS.items()
    }
    assert len(set(read.values())) == len(read)


@pytest.mark.parametrize("name", READERS)
def test_no_text_breaks_a_model(name: str) -> None:
    for text in (*(text for _, text in table()), "P" + "9" * 400 + "Y", "PT0." + "9" * 400 + "S", "\ud800"):
        READERS[name](text)

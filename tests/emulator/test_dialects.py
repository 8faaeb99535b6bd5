"""The dialects are built into both timers, read as they say, and withstand any text."""

from contextlib import suppress
from decimal import Decimal
from types import SimpleNamespace

import pytest

from conformance.emulator import DIALECTS, VARIANTS, Step
from conformance.emulator.demonstration import observe
from conformance.emulator.durations import MalformedDuration
from conformance.emulator.fields import reference_fields

from .serving import ask, emulator

TIMERS = ("DefaultInactiveTimer", "DefaultClosedTimer")
NAMES = "iso8601-1 iso8601-2 xsd rfc3339 java isodate temporal luxon moment go-sosodev php ajv-formats activesupport"


def test_there_is_one_for_every_known_dialect_and_none_is_among_the_conformant_variants() -> None:
    assert " ".join(DIALECTS).replace("dialect-", "") == NAMES
    assert not DIALECTS.keys() & VARIANTS.keys()


@pytest.mark.parametrize("name", [name for name, dialect in DIALECTS.items() if dialect.breaks])
def test_a_dialect_shows_in_its_witness_for_either_timer(name: str) -> None:
    witness = DIALECTS[name].witness
    for timer in TIMERS:
        own = [step for step in witness if step.body.startswith(timer)]
        assert observe(emulator(variants=[name]), own) != observe(emulator(), own), timer


# What the parsers themselves take, of what is long enough for either timer.
TAKEN = {
    "PT1H": NAMES,
    "P1W": "iso8601-1 iso8601-2 rfc3339 isodate temporal luxon moment go-sosodev php ajv-formats activesupport",
    "P1W1D": "iso8601-2 isodate temporal luxon moment go-sosodev php",
    "PT1H1S": "iso8601-1 iso8601-2 xsd java isodate temporal luxon moment go-sosodev php ajv-formats activesupport",
    "PT90.5M": "iso8601-1 iso8601-2 isodate temporal luxon moment go-sosodev activesupport",
    "PT90,5M": "iso8601-1 iso8601-2 isodate temporal moment activesupport",
    "pt60m": "rfc3339 java temporal moment",
    "+PT60M": "java isodate temporal moment activesupport",
    "-PT-60M": "iso8601-2 java luxon moment activesupport",
    "P1DT": "isodate luxon moment go-sosodev",
    "PT60M60M": "moment go-sosodev activesupport",
    " PT60M": "xsd moment php",
    "PT60MPT60M": "moment php",
    "P0001-00-04T00:00:00": "isodate moment php",
    "banana": "moment",
    "PT59S": "",
}


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize("timer", TIMERS)
def test_a_dialect_takes_what_its_parser_takes(name: str, timer: str) -> None:
    app = emulator(variants=[name])
    for text, takers in TAKEN.items():
        body = f"{timer}={text.replace('+', '%2B')}"
        expected = name.removeprefix("dialect-") in takers.split()
        assert (ask(app, Step(body)).status_code == 200) == expected, text


ENDLESS = (
    *(text * 100_000 for text in ("9", "P", " ", ".")),
    *(f"P{digits * 100_000}{unit}" for digits in "09" for unit in "YMWD"),
    *("PT" + "9" * 100_000 + "S", "PT0." + "9" * 100_000 + "S", "PT" + "1S" * 50_000, "P1D" * 30_000),
    *("0x" + "f" * 100_000, "P" + "1.," * 30_000 + "D", "\ud800", ""),
)


@pytest.mark.slow
@pytest.mark.parametrize("name", DIALECTS)
def test_no_text_breaks_a_reader(name: str) -> None:
    timer = reference_fields()[0][TIMERS[1]]
    DIALECTS[name].install(SimpleNamespace(timers={timer.parameter: timer}))  # type: ignore[arg-type]  # all it needs
    for text in ENDLESS:
        with suppress(MalformedDuration):
            assert isinstance(timer.parse(text), Decimal)

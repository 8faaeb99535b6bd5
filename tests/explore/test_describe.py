"""The sentences on what was found, each from values that are written by hand."""

from dataclasses import replace

import pytest

from conformance.explore import describe
from conformance.explore.values import Boundary, CounterExample, Identification, Normalisation, TimerReading

LEAST = Boundary(notation="seconds", end="least", refused="PT59S", accepted="PT60S", status=400)
GREATEST = Boundary(notation="seconds", end="greatest", refused="PT101S", accepted="PT100S", status=400)
DIALECT = Identification(
    name="xsd", variant="", exact=True, agreement=1.0, probes=9, requests=5, named_after=3
)
ECHO = Normalisation(rule="verbatim", agreement=1.0, echoes=8)


def reading(
    *boundaries: Boundary, dialect: Identification = DIALECT, echo: Normalisation = ECHO
) -> TimerReading:
    return TimerReading(
        field="inactive-timer",
        minimum=60,
        dialect=dialect,
        boundaries=boundaries,
        gaps=(),
        normalisation=echo,
        notations=(),
        points=(),
    )


@pytest.mark.parametrize(
    ("boundaries", "said"),
    [
        ((), "No boundary was searched."),
        ((replace(LEAST, accepted=None),), "No notation of a length is accepted."),
        ((LEAST,), "At least PT60S: PT59S is refused."),
        (
            (LEAST, GREATEST),
            "At least PT60S: PT59S is refused; at most PT100S: PT101S is refused.",
        ),
        (
            (replace(LEAST, exact=False), replace(GREATEST, status=500)),
            (
                "At least PT60S: PT59S is refused (the search between them was cut short); "
                "at most PT100S: PT101S gets status 500."
            ),
        ),
        (
            (replace(LEAST, refused=None), replace(GREATEST, status=None)),
            "No minimum is enforced: even PT60S is accepted; at most PT100S: PT101S gets no answer.",
        ),
        (
            (replace(LEAST, refused=None, exact=False), replace(GREATEST, refused=None)),
            "PT60S is accepted (the search for the least length was cut short); no cap up to 5,000 digits.",
        ),
        # Seconds tell most, whichever came first.
        ((replace(LEAST, notation="days", accepted="P1D"), LEAST), "At least PT60S: PT59S is refused."),
    ],
)
def test_the_limits_are_said_in_one_sentence(boundaries: tuple[Boundary, ...], said: str) -> None:
    assert describe.limits(reading(*boundaries)) == said


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (DIALECT, "as xsd does"),
        (replace(DIALECT, others=(("java", 1.0), ("go", 0.9))), "answers agree, with java as well."),
        (replace(DIALECT, exact=False, agreement=0.96), "nearest is xsd"),
        (replace(DIALECT, exact=False, agreement=0.5), "none agrees with 95% or more of its answers."),
        (replace(DIALECT, name="", exact=False), "Nothing was accepted, so no dialect can be named."),
        (replace(DIALECT, name="none"), "It accepts everything: values are not read at all."),
    ],
)
def test_the_dialect_is_named(found: Identification, said: str) -> None:
    assert said in describe.verdict(reading(LEAST, dialect=found))


@pytest.mark.parametrize(
    ("echo", "said"),
    [
        (ECHO, "Echo: verbatim, for 100% of 8 accepted values."),
        (replace(ECHO, rule="unknown", echoes=0), "No echo was seen."),
        (
            replace(
                ECHO,
                agreement=0.75,
                counter_examples=(CounterExample(sent="P1D", echo="PT24H", expected="P1D"),),
            ),
            "Echo: verbatim, for 75% of 8 accepted values; but 'P1D' comes back as 'PT24H'.",
        ),
        (
            replace(
                ECHO, agreement=0.5, counter_examples=(CounterExample(sent="P1D", echo=None, expected="P1D"),)
            ),
            "Echo: no known rule; 'P1D' comes back as None.",
        ),
    ],
)
def test_the_rule_of_the_echoes_is_said_with_the_first_value_that_breaks_it(
    echo: Normalisation, said: str
) -> None:
    assert describe.echo_rule(reading(echo=echo)) == said

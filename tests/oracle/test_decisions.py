"""The decisions on timers, SIDs and forms, each by its examples."""

from typing import Any

import pytest
from hypothesis import given

from conformance.http import Pairs
from conformance.model import CHAT, CLOSED, FIELDS, INACTIVE, MESSAGING, Field, Level
from conformance.oracle.decisions import (
    Answer,
    Decision,
    decide,
    decide_sid,
    decide_timer,
    decide_value,
    is_right,
    length_of,
    lost_fraction,
    same_length,
)
from conformance.oracle.durations import read
from conformance_strategies import INVALID_DURATION_CLASSES, INVALID_SID_CLASSES, durations, sids

MUST_ACCEPT = [
    "PT60S",
    "P1D",
    "PT9M60S",
    "PT1H1S",
    "PT0H10M",
    "PT1M",
    "PT10M",
    "P30D",
    "PT00000000000000600S",
]
MUST_REJECT = [
    "PT59S", "PT59.999999999S", "P", "PT", "P1DT", "PT1.5H30M", "10M", "P600S", "PT10M10M", "-PT10M",
    "PT\uff11\uff10M", "PT10\x00M", "banana", "600", "00:10:00",
]  # fmt: skip
SHOULD_ACCEPT = ["P1W", "PT90.5S", "PT10,5M", "P1Y", "PT" + "0" * 40 + "600S"]
SHOULD_REJECT = [
    "pt10m",
    "+PT10M",
    "P1W1D",
    "P0000-00-00T00:10:00",
    "P0D",
    "PT0M",
    "",
    " ",
    "PT10M\n",
    " PT10M",
    "\ufeffPT10M",
    "PT10M\x00",
]
OPEN = ["PT0S", "P400D", "P2Y", "PT99999999999999999999S", "PT" + "0" * 400 + "600S", "p400d"]


@pytest.mark.parametrize(
    ("text", "answer", "level"),
    [
        *((text, Answer.ACCEPT, Level.MUST) for text in MUST_ACCEPT),
        *((text, Answer.REJECT, Level.MUST) for text in MUST_REJECT),
        *((text, Answer.ACCEPT, Level.SHOULD) for text in SHOULD_ACCEPT),
        *((text, Answer.REJECT, Level.SHOULD) for text in SHOULD_REJECT),
    ],
)
def test_a_timer_that_must_or_should_be_accepted_or_refused(text: str, answer: Answer, level: Level) -> None:
    minimum = 60 if text in ("PT60S", "PT1M", "PT59S", "PT90.5S", "PT59.999999999S") else 600

    decision = decide_timer(text, minimum)

    assert (answer, level) == (decision.answer, decision.level)


@pytest.mark.parametrize("text", OPEN)
def test_a_timer_that_may_be_accepted_or_refused(text: str) -> None:
    assert decide_timer(text, 600).answer is Answer.OPEN


ACCEPT, REJECT, EITHER, MUST, SHOULD = Answer.ACCEPT, Answer.REJECT, Answer.OPEN, Level.MUST, Level.SHOULD


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", (REJECT, SHOULD, "strictness", "an empty value is no duration")),
        (" PT10M", (REJECT, SHOULD, "strictness", "blanks around a duration are no part of it")),
        (" x", (REJECT, MUST, "syntax", "no reading of ISO 8601 durations parses it")),
        (
            "PT0S",
            (EITHER, MUST, "minimum", "below the minimum, yet a support article says it disables the timer"),
        ),
        ("P0D", (REJECT, SHOULD, "strictness", "a zero other than PT0S is below the minimum")),
        ("PT599S", (REJECT, MUST, "minimum", "shorter than the minimum of 600 s by every reading")),
        ("x", (REJECT, MUST, "syntax", "no reading of ISO 8601 durations parses it")),
        ("p400d", (EITHER, MUST, "strictness", "a looser reading takes it, for over a year")),
        ("P1W1D", (REJECT, SHOULD, "strictness", "not ISO 8601-1, though iso8601-2 parses it")),
        ("pt10m", (REJECT, SHOULD, "strictness", "not ISO 8601-1, though java, rfc3339 parses it")),
        ("PT10M", (ACCEPT, MUST, "boundary", "it reaches the minimum of 600 s by every reading")),
        ("PT601S", (ACCEPT, MUST, "boundary", "it reaches the minimum of 600 s by every reading")),
        ("PT602S", (ACCEPT, MUST, "accept", "every reading parses it and it is long enough")),
        ("P30D", (ACCEPT, MUST, "accept", "every reading parses it and it is long enough")),
        ("P31D", (ACCEPT, SHOULD, "notation", "ISO 8601-1 has this notation, though some readings do not")),
        ("P366D", (ACCEPT, SHOULD, "notation", "ISO 8601-1 has this notation, though some readings do not")),
        ("P367D", (EITHER, MUST, "notation", "no maximum is documented, and none is excluded")),
        ("P1W", (ACCEPT, SHOULD, "notation", "ISO 8601-1 has this notation, though some readings do not")),
        ("PT" + "0" * 15 + "20M", (ACCEPT, MUST, "accept", "every reading parses it and it is long enough")),
        (
            "PT" + "0" * 16 + "20M",
            (ACCEPT, SHOULD, "notation", "ISO 8601-1 has this notation, though some readings do not"),
        ),
        (
            "PT" + "0" * 59 + "20M",
            (ACCEPT, SHOULD, "notation", "ISO 8601-1 has this notation, though some readings do not"),
        ),
        (
            "PT" + "0" * 60 + "20M",
            (EITHER, MUST, "notation", "no maximum is documented, and none is excluded"),
        ),
    ],
)
def test_a_decision_on_a_timer_says_its_rule_and_why(
    text: str, expected: tuple[Answer, Level, str, str]
) -> None:
    assert decide_timer(text, 600) == Decision(*expected)
    assert decide_value(CLOSED, text) == Decision(*expected, CLOSED)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\n", (REJECT, SHOULD, "strictness", "an empty value is no SID")),
        ("IS" + "aF" * 16 + " ", (REJECT, SHOULD, "strictness", "blanks around a SID are no part of it")),
        ("IS" + "aF" * 16, (ACCEPT, MUST, "accept", "it matches ^IS[0-9a-fA-F]{32}$")),
        ("IS" + "aF" * 16 + "x", (REJECT, MUST, "anchoring", "a SID is all of the value, not a part of it")),
        ("x" + "IS" + "aF" * 16, (REJECT, MUST, "anchoring", "a SID is all of the value, not a part of it")),
        ("MG" + "aF" * 16, (REJECT, MUST, "prefix", "it does not begin with IS")),
        ("IS" + "aF" * 16 + "0", (REJECT, MUST, "length", "it has 35 characters, not 34")),
        (
            "IS" + "g" * 32,
            (REJECT, MUST, "alphabet", "it has a character that is no ASCII hexadecimal digit"),
        ),
    ],
)
def test_a_decision_on_a_sid_says_its_rule_and_why(
    text: str, expected: tuple[Answer, Level, str, str]
) -> None:
    assert decide_sid(text, "IS") == Decision(*expected)
    assert decide_value(CHAT, text) == Decision(*expected, CHAT)


INACTIVE_GOOD, CLOSED_GOOD = (INACTIVE.parameter, "PT2M"), (CLOSED.parameter, "PT20M")
ACCEPTABLE = "every reading parses it and it is long enough"


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ((), (ACCEPT, SHOULD, ("empty", "every parameter is optional, so none need be sent", None))),
        (
            (INACTIVE_GOOD, CLOSED_GOOD),
            (ACCEPT, MUST, ("accept", ACCEPTABLE, INACTIVE), ("accept", ACCEPTABLE, CLOSED)),
        ),
        (
            (INACTIVE_GOOD, (CLOSED.parameter, "P1W")),
            (ACCEPT, SHOULD, ("notation", "ISO 8601-1 has this notation, though some readings do not", CLOSED)),
        ),
        ((("Other", "x"), CLOSED_GOOD), (EITHER, MUST, ("unknown", "an unknown parameter", None))),
        (
            (CLOSED_GOOD, CLOSED_GOOD, INACTIVE_GOOD),
            (EITHER, MUST, ("repeated", "a repeated parameter", CLOSED)),
        ),
        (
            (CLOSED_GOOD, CLOSED_GOOD, (INACTIVE.parameter, "x")),
            (REJECT, MUST, ("syntax", "no reading of ISO 8601 durations parses it", INACTIVE)),
        ),
        (
            ((CLOSED.parameter, ""), (CLOSED.parameter, "x")),
            (EITHER, MUST, ("repeated", "a repeated parameter", CLOSED)),
        ),
        (
            ((CLOSED.parameter, "x"), (CLOSED.parameter, "PT1S")),
            (REJECT, MUST, ("syntax", "no reading of ISO 8601 durations parses it", CLOSED)),
        ),
        (
            ((CHAT.parameter, "IS" + "b" * 32),),
            (EITHER, MUST, ("accept", "the target may refuse SIDs of services it does not know", CHAT)),
        ),
        (
            ((INACTIVE.parameter, "PT20M"), CLOSED_GOOD),
            (EITHER, MUST, ("interplay", "some would refuse a closed timer shorter than inactive", None)),
        ),
    ],
)  # fmt: skip
def test_a_decision_on_a_form_says_its_causes(form: Pairs, expected: tuple[Any, ...]) -> None:
    answer, level, *causes = expected
    decision = decide(form, known_sids={CHAT.parameter: frozenset()})

    assert (decision.answer, decision.level) == (answer, level)
    assert [(each.claim, each.reason, each.field) for each in decision.causes] == causes
    assert {(each.answer, each.level) for each in decision.causes} == {(answer, level)}


@pytest.mark.parametrize(
    ("sent", "shown", "lost"),
    [
        ("PT10.5S", "PT10S", True),
        ("PT10.5S", "PT11S", True),
        ("PT10.5S", "PT9.5S", False),
        ("PT10S", "PT10.5S", False),
        ("PT10.5S", "x", False),
        ("x", "PT10S", False),
        ("P1Y", "PT10S", False),
    ],
)
def test_a_fraction_of_a_second_may_be_lost(sent: str, shown: str, lost: bool) -> None:
    assert lost_fraction(sent, shown) is lost


@pytest.mark.parametrize(
    ("text", "same"), [("\x00PT10M\n", "PT10M"), ("x", None), ("PT0S", None), ("P0D", None)]
)
def test_the_length_of_a_value(text: str, same: str | None) -> None:
    assert length_of(text) == (None if same is None else read(same)["iso8601-1"])


def test_the_minimum_is_exact() -> None:
    assert decide_timer("PT9M59." + "9" * 50 + "S", 600).claim == "minimum"
    assert decide_timer("PT600S", 600).claim == "boundary"


@given(durations(min_value=600, max_value=30 * 86400))
def test_valid_durations_are_never_to_be_refused(text: str) -> None:
    assert decide_timer(text, 600).answer is not Answer.REJECT


@pytest.mark.parametrize("name", INVALID_DURATION_CLASSES)
def test_a_value_that_no_looser_reading_parses_must_be_refused(name: str) -> None:
    cls = INVALID_DURATION_CLASSES[name]

    decisions = [decide_timer(text, 60) for text in cls.examples()]

    assert not any(decision.answer is Answer.ACCEPT for decision in decisions)
    if not cls.looser:
        assert {(Answer.REJECT, Level.MUST)} == {(decision.answer, decision.level) for decision in decisions}


@pytest.mark.parametrize("field", [CHAT, MESSAGING], ids=lambda field: field.slug)
@pytest.mark.parametrize("name", INVALID_SID_CLASSES)
def test_classes_of_invalid_sids_are_refused_for_their_group(name: str, field: Field) -> None:
    cls = INVALID_SID_CLASSES[name]

    for text in cls.examples(field.prefix):
        decision = decide_sid(text, field.prefix)

        assert decision.answer is Answer.REJECT
        assert (decision.level is Level.SHOULD) == (cls.group in ("blanks", "empty"))


@given(sids("IS"))
def test_every_spelling_of_hex_is_to_be_accepted(text: str) -> None:
    decision = decide_sid(text, "IS")

    assert (decision.answer, decision.level) == (Answer.ACCEPT, Level.MUST)


def test_an_unknown_sid_may_be_refused_where_the_target_accepts_known_ones_only() -> None:
    form = ((CHAT.parameter, "IS" + "b" * 32),)

    assert decide(form).answer is Answer.ACCEPT
    assert decide(form, known_sids={CHAT.parameter: frozenset()}).answer is Answer.OPEN
    assert decide(form, known_sids={CHAT.parameter: frozenset({form[0][1]})}).answer is Answer.ACCEPT


@pytest.mark.parametrize(
    ("inactive", "closed", "answer"),
    [("PT1M", "PT10M", Answer.ACCEPT), ("PT10M", "PT10M", Answer.OPEN), ("P1D", "PT10M", Answer.OPEN)],
)
def test_acceptance_is_judged_where_closed_outlasts_inactive(
    inactive: str, closed: str, answer: Answer
) -> None:
    assert decide(((INACTIVE.parameter, inactive), (CLOSED.parameter, closed))).answer is answer


def test_acceptance_is_judged_of_longer_timers_where_any_two_go_together() -> None:
    for closed, answer in (("PT10M", Answer.ACCEPT), ("PT9M60S", Answer.ACCEPT), ("PT11M", Answer.ACCEPT)):
        form = ((INACTIVE.parameter, "PT10M"), (CLOSED.parameter, closed))
        assert decide(form, least_ratio=1).answer is answer
    shorter = ((INACTIVE.parameter, "PT11M"), (CLOSED.parameter, "PT10M"))
    assert decide(shorter, least_ratio=1).answer is Answer.OPEN


def test_the_current_value_counts_for_the_timer_that_is_not_sent() -> None:
    form = ((INACTIVE.parameter, "P15D"),)
    lengths = {text: {CLOSED.parameter: [read(text)["iso8601-1"]]} for text in ("P30D", "P10D")}

    assert decide(form, lengths=lengths["P30D"]).answer is Answer.ACCEPT
    assert decide(form, lengths=lengths["P10D"]).answer is Answer.OPEN
    assert decide(form, lengths={CLOSED.parameter: [None]}).answer is Answer.ACCEPT
    assert decide(form).answer is Answer.OPEN


def test_one_bad_parameter_decides_for_all() -> None:
    valid = {CHAT: "IS" + "a" * 32, MESSAGING: "MG" + "a" * 32, INACTIVE: "PT5M", CLOSED: "PT1H"}
    for bad in FIELDS:
        form = tuple((each.parameter, "x" if each is bad else value) for each, value in valid.items())

        decision = decide(form)

        assert (decision.answer, decision.level) == (Answer.REJECT, Level.MUST)
        assert [bad] == [cause.field for cause in decision.causes]


def test_a_repeated_parameter_is_open_unless_all_its_values_are_bad() -> None:
    name = INACTIVE.parameter

    assert decide(((name, "PT5M"), (name, "x"))).answer is Answer.OPEN
    assert decide(((name, "y"), (name, "x"))).answer is Answer.REJECT


def test_an_empty_form_should_be_accepted() -> None:
    assert (decide(()).answer, decide(()).level) == (Answer.ACCEPT, Level.SHOULD)


@pytest.mark.parametrize(
    ("sent", "shown", "same"),
    [
        ("PT60S", "PT1M", True), ("P1D", "PT24H", True), ("P1W", "P7D", True), ("P1M", "P30D", True),
        ("P1Y", "P12M", True), ("P1Y", "P360D", True), ("pt10m", "PT10M", True), (" PT10M", "PT10M", True),
        ("P1W1D", "P8D", True), ("PT60S", "PT61S", False), ("P1D", "PT25H", False), ("P1M", "PT1M", False),
        ("P1Y", "P1M", False), ("PT10M", "600", False), ("\x00PT10M", "PT10M", True), ("P1Y", "P359D", False),
        ("P1D", "PT23H50M", False), ("PT100M", "PT99M", False), ("P30D", "P1M", False), ("P365D", "P1Y", False),
        ("P30D", "P0M30D", True),
    ],
)  # fmt: skip
def test_two_spellings_of_one_length(sent: str, shown: str, same: bool) -> None:
    assert same is same_length(sent, shown)


def test_lengths_of_any_size_are_compared() -> None:
    """A target may show a timer of a million digits: arithmetic on it must not overflow."""
    huge = f"P{'9' * 999_999}D"
    lengths = {INACTIVE.parameter: [length_of(huge)]}

    decision = decide(((CLOSED.parameter, "P30D"),), lengths=lengths)

    assert decision.answer is Answer.OPEN
    assert not lost_fraction("PT1.5H", huge)
    assert not same_length("P1Y", huge)


@pytest.mark.parametrize(
    ("sent", "same"), [("P12M", True), ("p12m", True), ("P365D", False), ("PT525600M", False)]
)
def test_a_year_comes_back_only_for_years_or_months(sent: str, same: bool) -> None:
    assert same_length(sent, "P1Y") is same


@pytest.mark.parametrize(("shown", "right"), [("P", True), ("PT", True), (None, True), ("PT1S", False)])
def test_a_zero_may_come_back_without_a_component(shown: str | None, right: bool) -> None:
    assert is_right(INACTIVE, "PT0M", shown) is right

"""The decisions that are settled, each by its example."""

import pytest
from hypothesis import given

from conformance.model import CHAT, CLOSED, FIELDS, INACTIVE, MESSAGING, Field, Level
from conformance.oracle.decisions import Answer, decide, decide_sid, decide_timer, same_length
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
def test_timers_that_are_decided(text: str, answer: Answer, level: Level) -> None:
    minimum = 60 if text in ("PT60S", "PT1M", "PT59S", "PT90.5S", "PT59.999999999S") else 600

    decision = decide_timer(text, minimum)

    assert (answer, level) == (decision.answer, decision.level)


@pytest.mark.parametrize("text", OPEN)
def test_timers_that_are_open(text: str) -> None:
    assert decide_timer(text, 600).answer is Answer.OPEN


def test_the_minimum_is_exact() -> None:
    assert decide_timer("PT9M59." + "9" * 50 + "S", 600).claim == "minimum"
    assert decide_timer("PT600S", 600).claim == "boundary"


@given(durations(min_value=600, max_value=30 * 86400))
def test_valid_durations_are_never_to_be_refused(text: str) -> None:
    assert decide_timer(text, 600).answer is not Answer.REJECT


@pytest.mark.parametrize("name", INVALID_DURATION_CLASSES)
def test_what_no_looser_reading_takes_must_be_refused(name: str) -> None:
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


def test_an_unknown_sid_may_be_refused_where_the_target_takes_only_known_ones() -> None:
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
        ("P1Y", "P1M", False), ("PT10M", "600", False),
    ],
)  # fmt: skip
def test_two_spellings_of_one_length(sent: str, shown: str, same: bool) -> None:
    assert same is same_length(sent, shown)

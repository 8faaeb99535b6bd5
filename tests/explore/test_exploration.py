"""A whole exploration: the dialect is named, the timers are safe, and what was not asked is said."""

import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from itertools import pairwise

import jsonschema
import pytest

from conformance import contract, emulator
from conformance.emulator import DIALECTS as DIALECT_VARIANTS
from conformance.explore import Exploration, document, explore, view
from conformance.explore.dialects import DIALECTS
from conformance.explore.notations import GRIDS, notation_of
from conformance.http import decode_form, encode_form
from conformance.model import CLOSED, INACTIVE, TIMERS
from conformance.oracle.durations import Length, read
from conformance.transport.credentials import THROWAWAY
from conformance.transport.target import Target, TargetSettings
from explore.doors import (
    BEFORE,
    InProcess,
    Settings,
    both,
    explored,
    of_reference,
    over_http,
    reads_with,
    reference,
    seconds,
    text_of,
)

pytestmark = pytest.mark.slow

BY_NAME = {(each.name, each.variant): each for each in DIALECTS}


def emulated(
    faults: Sequence[str] = (), variants: Sequence[str] = (), budget: int | None = None
) -> Exploration:
    accounts = {account.sid or "": account.token for account in THROWAWAY}
    with (
        emulator.serving(accounts=accounts, faults=faults, variants=variants) as url,
        Target(TargetSettings(url=url, accounts=THROWAWAY, max_requests=budget)) as target,
    ):
        return explore(target)


@pytest.mark.parametrize("key", BY_NAME, ids=lambda key: " ".join(key).strip())
def test_a_target_that_is_exactly_one_dialect_is_named_in_25_requests(key: tuple[str, str]) -> None:
    found = explored(Settings({each.slug: reads_with(BY_NAME[key], each.minimum) for each in TIMERS}))
    for reading in found.timers:
        assert (reading.dialect.name, reading.dialect.variant) == key
        assert reading.dialect.exact, reading.dialect.disagreements
        assert reading.dialect.requests <= 25
    assert found.same_dialect
    stages = dict(found.requests_by_stage)
    assert stages["first boundary"] + stages["boundaries"] <= 600


def test_two_timers_that_are_read_differently_are_said_to_be() -> None:
    found = explored(
        Settings(
            {
                INACTIVE.slug: reads_with(BY_NAME["java", ""], 60),
                CLOSED.slug: reads_with(BY_NAME["temporal", ""], 600),
            }
        )
    )
    assert (found.inactive.dialect.name, found.closed.dialect.name) == ("java", "temporal")
    assert not found.same_dialect
    assert "The two timers are read differently." in text_of(found)


def test_timers_that_differ_in_their_minimum_alone_are_read_alike() -> None:
    found = explored(
        Settings({INACTIVE.slug: trims, CLOSED.slug: lambda text: trims(text) and long_enough(text)})
    )
    assert found.same_dialect
    assert "The two timers are read differently." not in text_of(found)
    (remark,) = (each for each in found.interplay if each.topic == "reading")
    assert "each is answered alike" in remark.text


def trims(text: str) -> bool:
    return reads_with(DIALECTS[0], 60)(text.strip(" "))


def long_enough(text: str) -> bool:
    return reads_with(DIALECTS[0], 600)(text.strip(" "))


def test_one_value_that_one_timer_alone_takes_is_told() -> None:
    found = explored(Settings({INACTIVE.slug: reads_with(DIALECTS[0], 60), CLOSED.slug: long_enough}))
    (remark,) = (each for each in found.interplay if each.topic == "reading")
    assert not found.same_dialect
    assert "(DefaultClosedTimer)" in remark.text
    assert {each.strip() != each for each in remark.evidence} == {True}


def test_no_dialect_is_called_nearest_with_which_less_than_95_of_100_answers_agree() -> None:
    found = explored(Settings(both(lambda text: len(text) % 2 == 0)))
    assert not found.inactive.dialect.exact
    assert found.inactive.dialect.agreement < 0.95
    text = text_of(found)
    assert "none of the known dialects" in text
    assert "nearest" not in text
    assert "would have it" not in text


def test_an_empty_value_that_is_answered_200_and_not_kept_is_ignored() -> None:
    class Ignoring(Settings):
        def answer(self, method: str, body: bytes) -> tuple[int, dict[str, object]]:
            kept = [pair for pair in decode_form(body or b"") if pair[1]]
            return super().answer(method, encode_form(kept))

    found = explored(Ignoring(reference()))
    (row,) = (row for row in found.closed.notations if not row.answer.text)
    assert row.answer.taken == "ignored"
    assert found.closed.dialect.exact


def test_values_that_a_notation_takes_here_and_there_are_shown() -> None:
    odd = "P12M"

    def accepts(text: str) -> bool:
        return text == odd or (reads_with(DIALECTS[0], 60)(text) and notation_of(text) != "months")

    found = explored(Settings(both(accepts)))
    boundary = next(each for each in found.closed.boundaries if each.notation == "months")
    assert not boundary.exact
    _, of_closed = text_of(found).split("DefaultClosedTimer, by notation")
    line = next(line for line in of_closed.splitlines() if line.split()[:1] == ["months"])
    assert "unevenly P12M" in line
    assert "none of" not in line


def test_of_no_notation_with_an_accepted_value_it_is_said_that_none_was_taken() -> None:
    pandas = BY_NAME["pandas", ""]
    found = explored(Settings({each.slug: reads_with(pandas, each.minimum) for each in TIMERS}))
    for reading, table in zip(found.timers, text_of(found).split(", by notation")[1:], strict=True):
        taken = {point.notation for point in reading.points if point.accepted}
        lines = {line.split()[0]: line for line in table.splitlines() if line.split()[:1]}
        assert "hours-point" in taken
        assert {name for name in GRIDS if "none of" in lines[name]} == set(GRIDS) - taken
    made = json.loads(json.dumps(document(found)))
    jsonschema.validate(made, contract.load("timers.schema.json"), jsonschema.Draft202012Validator)
    (uneven,) = (each for each in made["inactive"]["uneven"] if each["notation"] == "minutes-point")
    assert "PT1.1M" in uneven["taken"]
    assert not any(
        each["exact"] for each in made["inactive"]["boundaries"] if each["notation"] == "minutes-point"
    )


def test_timers_of_which_no_value_can_be_compared_are_not_said_to_be_read_differently() -> None:
    found = explored(Settings({INACTIVE.slug: reads_with(DIALECTS[0], 60), CLOSED.slug: lambda text: False}))
    assert found.closed.dialect.name == ""
    assert found.same_dialect
    assert "differently" not in text_of(found)


def test_a_fraction_of_few_digits_is_tried_where_others_are_refused() -> None:
    def accepts(text: str) -> bool:
        return reads_with(DIALECTS[0], 60)(text) and len(text.partition(".")[2]) <= 3

    found = explored(Settings(both(accepts)))
    accepted = [each.accepted for each in found.closed.boundaries if each.notation == "hours-point"]
    assert None not in accepted


def test_a_target_that_departs_from_a_dialect_is_placed_next_to_it_with_the_smallest_inputs_that_differ() -> (
    None
):
    def accepts(text: str) -> bool:
        return reads_with(DIALECTS[0], 60)(text.strip(" "))

    found = explored(Settings(both(accepts)))
    dialect = found.inactive.dialect
    assert (dialect.name, dialect.exact) == ("iso8601-1", False)
    assert 0.9 < dialect.agreement < 1
    assert {each.text.strip(" ") != each.text for each in dialect.disagreements} == {True}
    assert [len(each.text) for each in dialect.disagreements] == sorted(
        len(each.text) for each in dialect.disagreements
    )


@pytest.mark.parametrize("name", DIALECT_VARIANTS)
def test_an_emulated_dialect_is_named_exactly_for_both_timers(name: str) -> None:
    found = emulated(variants=[name])
    for reading in found.timers:
        assert f"dialect-{reading.dialect.name}" == name
        assert reading.dialect.exact, reading.dialect.disagreements
        assert reading.dialect.requests <= 25
        assert all(each.exact for each in reading.boundaries)
    stages = dict(found.requests_by_stage)
    assert stages["first boundary"] + stages["boundaries"] <= 600


def test_a_dialect_of_one_timer_is_not_taken_for_that_of_the_other() -> None:
    found = emulated(faults=[f"{CLOSED.slug}-dialect-java"])
    assert (found.closed.dialect.name, found.closed.dialect.exact) == ("java", True)
    assert (found.inactive.dialect.name, found.inactive.dialect.exact) == ("iso8601-1", True)


def test_a_value_that_is_kept_and_cannot_be_shown_does_not_spoil_what_is_said_of_the_other_timer() -> None:
    class Spoilt(Settings):
        """Keeps what it cannot show: as long as it does, every representation is a server error."""

        def answer(self, method: str, body: bytes) -> tuple[int, dict[str, object]]:
            status, document = super().answer(method, body)
            unshowable = any(len(value or "") > 40 for value in self.values.values())
            return (500, {}) if status == 200 and unshowable else (status, document)

    found = explored(Spoilt(reference()))
    for reading, minimum in ((found.inactive, "PT60S"), (found.closed, "PT600S")):
        assert reading.dialect.exact
        least, greatest = (each for each in reading.boundaries if each.notation == "seconds")
        assert (least.accepted, greatest.status) == (minimum, 500)


def test_what_accepts_everything_and_echoes_an_example_is_called_that() -> None:
    found = explored(Settings(both(lambda text: True), echo=lambda text: "PT1M"))
    assert "This target accepts everything and echoes an example" in text_of(found)
    assert found.inactive.dialect.name == "none"


def test_what_refuses_everything_is_not_given_a_dialect() -> None:
    found = explored(Settings(both(lambda text: False)))
    assert found.complete
    assert found.inactive.dialect.name == ""
    assert "Nothing was accepted" in text_of(found)


def test_a_closed_timer_that_must_outlast_the_inactive_one_does_not_spoil_the_boundaries() -> None:
    class Ordered(Settings):
        def answer(self, method: str, body: bytes) -> tuple[int, dict[str, object]]:
            values = dict(self.values)
            status, document = super().answer(method, body)
            inactive, closed = (longest(self.values[each.attribute]) for each in TIMERS)
            if inactive is not None and closed is not None and closed < inactive:
                self.values, status = values, 400
            return status, document

    found = explored(Ordered(reference(), before={INACTIVE.slug: "PT1H", CLOSED.slug: "P9D"}))
    assert "may not be shorter" in found.interplay[0].text
    for reading, minimum in ((found.inactive, "PT60S"), (found.closed, "PT600S")):
        least, greatest = (each for each in reading.boundaries if each.notation == "seconds")
        assert (least.accepted, greatest.refused) == (minimum, None)
        assert reading.dialect.exact
    assert found.restore == "restored"


@pytest.mark.parametrize(
    ("alteration", "topic", "expected"),
    [
        ({"variants": ["closed-after-inactive"]}, "order", "may not be shorter"),
        ({"variants": ["echo-of-days"]}, "order", "may be shorter"),
        ({"faults": ["one-parameter-only"]}, "order", "It is unknown"),
        ({"variants": ["zero-refused"]}, "zero-inactive-timer", "No zero is accepted"),
        ({"variants": ["zero-as-null"]}, "zero-inactive-timer", "PT0S reads back as null; PT0M, P0D refused"),
        ({"variants": ["zero-of-days"]}, "zero-inactive-timer", "PT0S reads back as P0D"),
        ({"variants": ["zero-disables-both"]}, "zero-closed-timer", "PT0S reads back as PT0S"),
        ({"faults": ["inactive-timer-accepts-any-zero"]}, "zero-inactive-timer", "P0D reads back as P0D"),
        ({"faults": ["timers-need-each-other"]}, "company-closed-timer", "Alone it is refused"),
        (
            {"faults": ["closed-timer-needed"]},
            "company-inactive-timer",
            "DefaultClosedTimer=P1D was sent along",
        ),
        (
            {"faults": ["one-parameter-only"]},
            "dependence-closed-timer",
            "PT600S is accepted alone and refused beside",
        ),
        (
            {"faults": ["closed-timer-minimum-unchecked-beside-others"]},
            "dependence-closed-timer",
            "PT599S is refused alone and accepted beside",
        ),
        ({"variants": ["echo-of-days"]}, "dependence-closed-timer", "It does not matter"),
    ],
    ids=lambda value: next(iter(value.values()))[0] if isinstance(value, dict) else None,
)
def test_how_the_timers_depend_on_each_other_is_told(
    alteration: dict[str, list[str]], topic: str, expected: str
) -> None:
    # What a timer does beside the other is asked last, the rest before the boundaries.
    budget = 900 if topic.startswith("dependence") else 120
    found = emulated(**alteration, budget=budget)
    assert expected in {remark.topic: remark.text for remark in found.interplay}[topic]


def test_a_timer_that_is_refused_alone_is_put_back_in_company() -> None:
    class Together(Settings):
        def answer(self, method: str, body: bytes) -> tuple[int, dict[str, object]]:
            if method == "POST" and len(decode_form(body)) == 1:
                self.history.append(dict(self.values))
                return 400, {}
            return super().answer(method, body)

    settings = Together(reference(), before=BEFORE)
    found = explore(InProcess(settings), must_restore=False)
    assert found.restore == "restored"
    assert all(reading.dialect.exact for reading in found.timers)
    for field in TIMERS:
        shorter = [
            seconds(values[field.attribute]) < seconds(BEFORE[field.slug]) for values in settings.history
        ]
        assert any(shorter)
        assert not any(one and other for one, other in pairwise(shorter))


def longest(text: str | None) -> Decimal | None:
    length: Length | None = None if text is None else read(text).get("iso8601-1")
    return None if length is None else length.high


ECHOES: dict[str, tuple[Callable[[str], str | None], str]] = {
    "verbatim": (lambda text: text, "verbatim"),
    "seconds": (
        lambda text: f"PT{seconds(text).to_integral_value():f}S",
        "total-seconds, rounded to seconds",
    ),
    "null": (lambda text: None, "nothing comes back"),
    "cut": (lambda text: text[:7], "cut after 7 characters"),
}


@pytest.mark.parametrize("name", ECHOES)
def test_the_rule_of_the_echoes_is_found(name: str) -> None:
    echo, rule = ECHOES[name]
    found = explored(Settings(reference(), echo=echo))
    assert found.inactive.normalisation.rule == rule


def test_the_document_follows_its_schema_and_the_table_has_120_texts() -> None:
    found, _ = of_reference()
    made = json.loads(json.dumps(document(found)))
    jsonschema.validate(made, contract.load("timers.schema.json"), jsonschema.Draft202012Validator)
    assert len({row["text"] for row in made["closed"]["notations"]}) >= 120
    assert {
        "notation": "minutes-seconds-point",
        "end": "least",
        "refused": "PT9M59.999999999S",
        "accepted": "PT10M0.0S",
        "exact": True,
        "status": 400,
    } in made["closed"]["boundaries"]


def test_the_library_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    view(explored(Settings(reference())))
    assert capsys.readouterr() == ("", "")


def test_it_takes_600_requests_for_the_boundaries_of_both_timers_at_most() -> None:
    stages = dict(of_reference(**BEFORE)[0].requests_by_stage)
    assert stages["first boundary"] + stages["boundaries"] <= 600


def test_it_works_over_http() -> None:
    with over_http(Settings(reference())) as url, Target(TargetSettings(url=url)) as target:
        found = explore(target, url=url)
    assert found.complete
    assert found.closed.dialect.exact

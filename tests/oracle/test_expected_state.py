"""The expected state: what it predicts after updates, and the rule that another value breaks."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from fakes import answer, refusal, representation

from conformance.http import NO_AUTH, READ, Exchange, Failure, FailureKind, Request, Response, update
from conformance.model import BY_PARAMETER, CHAT, CLOSED, FIELDS, INACTIVE, Violation
from conformance.oracle.decisions import is_right
from conformance.oracle.expected_state import ExpectedState, states_of
from conformance.oracle.mismatches import Kind, Mismatch, Proof
from conformance.rules.state import violation_of

T = INACTIVE.attribute
SEEN = {T: "PT5M"}


class Account:
    """An account's expected state, with methods that record an exchange and compare its answer."""

    def __init__(self, *others: "Account") -> None:
        self.state = ExpectedState()
        self.number = 0
        for other in others:
            self.state.others = (*self.state.others, other.state)
            other.state.others = (*other.state.others, self.state)

    def exchange(
        self, request: Request, shown: Mapping[str, str | None] | None, status: int = 200
    ) -> Exchange:
        self.number += 1
        response = answer(200, representation(shown)) if shown is not None else refusal(status)
        return Exchange(number=self.number, request=request, response=response)

    def takes(self, request: Request, shown: Mapping[str, str | None]) -> list[tuple[str, str]]:
        """Record an accepted request whose answer shows settings; return the rules that it breaks, with outcomes."""
        return [(each.rule, each.outcome) for each in self.violations(request, shown)]

    def violations(self, request: Request, shown: Mapping[str, str | None]) -> list[Violation]:
        exchange = self.exchange(request, shown)
        self.state.record(exchange)
        settings = {name: shown.get(name) for name in self.state.settings}
        return [violation_of(each) for each in self.state.compare(exchange, settings).mismatches]

    def refuses(self, request: Request, *, status: int = 400) -> None:
        self.state.record(self.exchange(request, None, status))

    def gets_no_answer(self, request: Request) -> None:
        self.number += 1
        failure = Failure(FailureKind.TIMEOUT, "")
        self.state.record(Exchange(number=self.number, request=request, failure=failure))

    def proves(self, request: Request, shown: Mapping[str, str | None]) -> set[Proof | Kind]:
        """Record an accepted request whose answer shows settings; return what the answer proves."""
        exchange = self.exchange(request, shown)
        self.state.record(exchange)
        settings = {name: shown.get(name) for name in self.state.settings}
        return {proof for proof, _ in self.state.compare(exchange, settings).proofs}


def inactive(value: str, **options: object) -> Request:
    return update((INACTIVE.parameter, value), **options)


OTHER = update((CLOSED.parameter, "P30D"))


@pytest.mark.parametrize(
    ("parameter", "sent", "shown", "right"),
    [
        (INACTIVE.parameter, "PT60S", "PT1M", True),
        (INACTIVE.parameter, "P1D", "PT24H", True),
        (INACTIVE.parameter, "PT60S", "PT61S", False),
        (INACTIVE.parameter, "PT60S", "PT1M\n", False),
        (INACTIVE.parameter, " PT1M ", "PT1M", True),
        (INACTIVE.parameter, "PT0S", None, True),
        (INACTIVE.parameter, "PT0S", "P0D", True),
        (INACTIVE.parameter, "PT0S", "PT1M", False),
        (INACTIVE.parameter, "PT1M", None, False),
        (INACTIVE.parameter, "P1Y", "P365D", True),
        (INACTIVE.parameter, "P1M", "P30D", True),
        (INACTIVE.parameter, "P1M", "P32D", False),
        (CHAT.parameter, "IS" + "aB" * 16, "IS" + "Ab" * 16, True),
        (CHAT.parameter, "IS" + "a" * 32, "IS" + "a" * 31 + "b", False),
        (CHAT.parameter, "IS" + "a" * 32, None, False),
    ],
)
def test_another_spelling_of_what_was_sent_is_right(
    parameter: str, sent: str, shown: str | None, right: bool
) -> None:
    assert is_right(BY_PARAMETER[parameter], sent, shown) is right


def test_values_that_were_sent_or_were_there_are_expected() -> None:
    account = Account()
    assert account.takes(READ, SEEN) == []
    assert account.takes(inactive("PT1H"), {T: "PT60M"}) == []
    assert account.takes(OTHER, {T: "PT1H", CLOSED.attribute: "P30D"}) == []


def test_a_mismatch_is_reported_once_and_then_adopted() -> None:
    account = Account()
    assert account.takes(inactive("PT7M"), {T: "PT8M"}) == [("inactive-timer-echo", "changed")]
    assert account.takes(OTHER, {T: "PT8M", CLOSED.attribute: "P30D"}) == []


@pytest.mark.parametrize(
    ("value", "outcome"),
    [(None, "missing"), ("PT7M ", "blank"), ("PT8M", "changed")],
)
def test_an_accepted_value_that_does_not_come_back_breaks_its_echo(value: str | None, outcome: str) -> None:
    assert Account().takes(inactive("PT7M"), {T: value}) == [("inactive-timer-echo", outcome)]


def test_an_answer_that_shows_the_value_before_the_update_breaks_last_write_wins() -> None:
    account = Account()
    account.takes(inactive("PT7M"), {T: "PT7M"})
    assert account.takes(inactive("PT8M"), {T: "PT7M"}) == [("last-write-wins", "previous-value")]


def test_the_same_update_twice_that_shows_something_else_breaks_idempotence() -> None:
    account = Account()
    account.takes(inactive("PT7M"), {T: "PT7M"})
    assert account.takes(inactive("PT7M"), {T: "PT14M"}) == [("idempotence", "changed")]


def test_the_same_wrong_answer_to_the_same_update_does_not_break_idempotence() -> None:
    """A mock that always answers its example does not change anything by being asked twice."""
    account = Account()
    account.takes(READ, SEEN)
    account.takes(inactive("PT7M"), SEEN)
    assert account.takes(inactive("PT7M"), SEEN) == [("inactive-timer-echo", "changed")]


def test_a_value_that_may_come_back_otherwise_is_not_another_setting_s_by_chance() -> None:
    account = Account()
    both = update((CLOSED.parameter, "P30D"), (INACTIVE.parameter, "PT1M"))
    account.takes(both, {CLOSED.attribute: "P30D", T: "PT1M"})
    changed = account.takes(inactive("P1000000000D"), {CLOSED.attribute: "P30D", T: "P30D"})
    assert changed == [("inactive-timer-notation", "changed")]


def test_a_value_that_no_update_replaces_is_the_value_before_where_it_was_right_once() -> None:
    account = Account()
    account.takes(inactive("PT7M"), {T: "PT7M"})
    for value in ("PT8M", "PT9M"):
        assert account.takes(inactive(value), {T: "PT7M"}) == [("last-write-wins", "previous-value")]


def test_a_value_that_is_shown_in_place_of_every_other_is_no_value_before() -> None:
    account = Account()
    for value in ("PT8M", "PT9M"):
        assert account.takes(inactive(value), {T: "PT7M"}) == [("inactive-timer-echo", "changed")]


def test_a_parameter_that_was_not_sent_keeps_its_value() -> None:
    account = Account()
    account.takes(inactive("PT7M"), {T: "PT7M"})
    (reset,) = account.violations(OTHER, {T: None, CLOSED.attribute: "P30D"})
    assert (reset.rule, reset.outcome, reset.field) == ("omitted-parameters-kept", "reset", T)
    assert [each.request for each in reset.related] == [inactive("PT7M")]


def test_a_value_that_falls_back_to_an_earlier_one_was_lost() -> None:
    account = Account()
    account.takes(inactive("PT7M"), {T: "PT7M"})
    account.takes(inactive("PT8M"), {T: "PT8M"})
    assert account.takes(OTHER, {T: "PT7M", CLOSED.attribute: "P30D"}) == [
        ("read-after-write", "previous-value")
    ]


@pytest.mark.parametrize("status", [400, 429])
def test_a_refused_update_that_wrote_is_named_with_its_request(status: int) -> None:
    account = Account()
    account.takes(inactive("PT7M"), {T: "PT7M"})
    account.refuses(inactive("PT17S"), status=status)
    (written,) = account.violations(OTHER, {T: "PT17S", CLOSED.attribute: "P30D"})
    assert written.rule == "rejected-update-changes-nothing"
    assert inactive("PT17S") in [each.request for each in written.related]


def test_a_refused_value_that_is_shown_in_place_of_one_that_is_sent_later_was_written() -> None:
    account = Account()
    account.takes(inactive("PT7M"), {T: "PT7M"})
    account.refuses(inactive("PT17S"))
    (written,) = account.violations(inactive("PT8M"), {T: "PT17S"})
    assert (written.rule, written.outcome) == ("rejected-update-changes-nothing", "written")
    assert inactive("PT17S") in [each.request for each in written.related]


def test_a_value_that_another_setting_is_rightly_set_to_is_wrong_all_the_same() -> None:
    account = Account()
    account.takes(inactive("P1D"), {T: "P1D"})
    closed = update((CLOSED.parameter, "PT10M"))
    assert account.takes(closed, {T: "PT10M", CLOSED.attribute: "PT10M"}) == [
        ("omitted-parameters-kept", "changed")
    ]


def test_a_value_that_another_setting_was_to_be_set_to_is_reported_of_that_one_alone() -> None:
    account = Account()
    account.takes(inactive("P1D"), {T: "P1D"})
    closed = update((CLOSED.parameter, "PT10M"))
    assert account.takes(closed, {T: "PT10M"}) == [("closed-timer-echo", "missing")]


def test_a_write_without_credentials_is_reported_when_an_answer_shows_it() -> None:
    account = Account()
    account.takes(inactive("PT7M"), {T: "PT7M"})
    account.refuses(inactive("PT9M", auth=NO_AUTH))
    assert account.takes(OTHER, {T: "PT9M", CLOSED.attribute: "P30D"}) == [
        ("credentials-required", "written")
    ]


@pytest.mark.parametrize("status", [200, 401])
def test_what_an_intruder_among_writers_sends_is_never_right(status: int) -> None:
    account = Account()
    writer, intruder = inactive("PT5M"), inactive("PT6M", auth=NO_AUTH)
    account.state.record_together(
        [
            (account.exchange(writer, SEEN), SEEN),
            (account.exchange(intruder, SEEN if status == 200 else None, status), None),
        ]
    )
    assert account.takes(OTHER, {T: "PT6M", CLOSED.attribute: "P30D"}) == [
        ("credentials-required", "written")
    ]


def test_a_get_that_writes_breaks_safe_methods() -> None:
    account = Account()
    pairs = ((INACTIVE.parameter, "PT33M"),)
    account.takes(inactive("PT7M"), {T: "PT7M"})
    account.takes(Request(method="GET", content_type=None, query="x", intends=pairs), {T: "PT7M"})
    assert account.takes(OTHER, {T: "PT33M", CLOSED.attribute: "P30D"}) == [("safe-methods", "written")]


def test_a_bad_value_of_the_query_that_takes_the_place_of_the_form_s_was_written_unvalidated() -> None:
    account = Account()
    account.takes(inactive("PT5M"), SEEN)
    query = ((INACTIVE.parameter, "PT10Q"),)
    beside = replace(inactive("PT7M"), query="DefaultInactiveTimer=PT10Q", intends=query)
    assert account.takes(beside, {T: "PT10Q"}) == [("unvalidated-write", "written")]


def test_the_first_value_that_is_lost_is_known_to_have_been_null_before() -> None:
    account = Account()
    account.takes(READ, {T: None})
    account.takes(inactive("PT7M"), {T: "PT7M"})
    (lost,) = account.violations(OTHER, {CLOSED.attribute: "P30D"})
    account.takes(inactive("PT8M"), {T: "PT8M", CLOSED.attribute: "P30D"})
    (again,) = account.violations(OTHER, {CLOSED.attribute: "P30D"})

    assert (lost.rule, lost.was_null) == ("omitted-parameters-kept", True)
    assert (again.rule, again.was_null) == ("omitted-parameters-kept", False)


def test_a_value_that_only_get_shows_breaks_a_should() -> None:
    account = Account()
    account.takes(inactive("PT7M"), {T: "PT7M"})
    assert account.takes(READ, {T: "PT9M"}) == [("read-reflects-writes", "different")]
    assert account.takes(OTHER, {T: "PT7M", CLOSED.attribute: "P30D"}) == []


def test_after_no_answer_the_old_and_the_new_value_are_both_right() -> None:
    for shown in ("PT7M", "PT8M"):
        account = Account()
        account.takes(inactive("PT7M"), {T: "PT7M"})
        account.gets_no_answer(inactive("PT8M"))
        assert account.takes(OTHER, {T: shown, CLOSED.attribute: "P30D"}) == []


def test_any_sent_value_of_a_repeated_parameter_is_right_and_another_is_not() -> None:
    twice = update((INACTIVE.parameter, "PT7M"), (INACTIVE.parameter, "PT8M"))
    assert Account().takes(twice, {T: "PT7M"}) == []
    assert Account().takes(twice, {T: "PT8M"}) == []
    assert Account().takes(twice, {T: "PT9M"}) == [("repeated-parameters", "neither-value")]


def test_a_value_repeated_a_thousand_times_is_expected_once() -> None:
    (violation,) = Account().violations(update(*[(INACTIVE.parameter, "PT7M")] * 1000), {T: "PT9M"})
    assert violation.expected.count("PT7M") == 1


def test_an_accepted_empty_value_may_clear_the_setting_or_change_nothing() -> None:
    for shown in ("PT7M", None):
        account = Account()
        account.takes(inactive("PT7M"), {T: "PT7M"})
        assert account.takes(inactive(""), {T: shown}) == []


def test_an_accepted_zero_may_come_back_as_null_or_as_any_zero() -> None:
    for shown in (None, "PT0S", "P0D", "PT0M"):
        assert Account().takes(inactive("PT0S"), {T: shown}) == []


def test_an_other_account_s_value_is_recognised() -> None:
    mine = Account()
    theirs = Account(mine)
    mine.takes(inactive("PT7M"), {T: "PT7M"})
    theirs.takes(inactive("PT41M"), {T: "PT41M"})
    assert mine.takes(OTHER, {T: "PT41M", CLOSED.attribute: "P30D"}) == [("accounts-apart", "foreign-value")]


def test_a_read_that_shows_a_refused_value_is_wrong_though_no_update_shows_it() -> None:
    account = Account()
    account.takes(inactive("PT7M"), {T: "PT7M"})
    account.refuses(inactive("PT41M"))
    assert account.takes(READ, {T: "PT41M"}) == [("read-reflects-writes", "different")]
    assert account.takes(OTHER, {T: "PT7M", CLOSED.attribute: "P30D"}) == []


def test_what_a_refused_update_of_another_account_has_written_is_that_account_s() -> None:
    mine = Account()
    theirs = Account(mine)
    mine.takes(inactive("PT7M"), {T: "PT7M"})
    theirs.refuses(inactive("PT41M"))
    theirs.takes(OTHER, {CLOSED.attribute: "P30D"})
    assert mine.takes(OTHER, {T: "PT41M", CLOSED.attribute: "P30D"}) == [("accounts-apart", "foreign-value")]


def test_without_good_credentials_a_request_is_of_no_account() -> None:
    mine = Account()
    theirs = Account(mine)
    mine.takes(inactive("PT7M"), {T: "PT7M"})
    theirs.refuses(replace(inactive("PT41M"), auth=NO_AUTH), status=401)
    theirs.takes(OTHER, {CLOSED.attribute: "P30D"})
    assert mine.takes(OTHER, {T: "PT41M", CLOSED.attribute: "P30D"}) == [("credentials-required", "written")]


def test_an_intruder_that_was_let_in_is_remembered_for_longer_than_those_that_were_not() -> None:
    account = Account()
    account.takes(inactive("PT7M"), {T: "PT7M"})
    intruder = replace(inactive("PT41M"), auth=NO_AUTH)
    account.state.record(account.exchange(intruder, {T: "PT41M"}))
    for seconds in range(100):
        account.refuses(inactive(f"PT{seconds}S"))
    shown = {T: "PT41M", CLOSED.attribute: "P30D"}
    assert account.takes(OTHER, shown) == [("credentials-required", "written")]


def test_another_account_s_refused_update_does_not_explain_a_setting_that_is_lost() -> None:
    mine = Account()
    theirs = Account(mine)
    mine.takes(inactive("PT7M"), {T: "PT7M"})
    theirs.refuses(replace(inactive("PT41M"), account=1))
    lost = {T: None, CLOSED.attribute: "P30D"}
    assert mine.takes(OTHER, lost) == [("omitted-parameters-kept", "reset")]


def test_an_answer_of_another_account_is_that_and_no_wrong_value() -> None:
    mine, theirs = states_of(["ACa", "ACb"])
    shown: dict[str, str | None] = {each.attribute: None for each in FIELDS}

    def took(state: ExpectedState, value: str, back: str | None) -> tuple[Mismatch, ...]:
        exchange = Exchange(number=1, request=inactive(value), response=Response(status=200))
        state.record(exchange)
        return state.compare(exchange, {**shown, T: back}, "ACb").mismatches

    for value in ("PT8M", "PT9M"):
        assert took(theirs, value, value) == ()
    assert [(each.kind, each.about) for each in took(mine, "PT7M", "PT9M")] == [(Kind.FOREIGN, INACTIVE)]


def test_an_example_that_every_account_is_shown_is_no_answer_of_another() -> None:
    mine, theirs = states_of(["ACa", "ACb"])
    for state in (theirs, mine):
        exchange = Exchange(number=1, request=inactive("PT7M"), response=Response(status=200))
        state.record(exchange)
        (mismatch,) = state.compare(exchange, {T: "PT5M"}, "ACb").mismatches
        assert mismatch.kind is Kind.ECHO


def test_that_nothing_is_shown_is_no_answer_of_another_account() -> None:
    """A mock that keeps nothing names one account to all, and shows null."""
    mine, theirs = states_of(["ACa", "ACb"])
    read = Exchange(number=1, request=READ, response=Response(status=200))
    theirs.record(read)
    theirs.compare(read, {T: None}, "ACb")
    mine.record(Exchange(number=2, request=inactive("PT7M"), response=Response(status=200)))
    (mismatch,) = mine.compare(replace(read, number=3), {T: None}, "ACb").mismatches
    assert mismatch.kind is Kind.READ


def test_a_value_that_no_account_wrote_is_not_another_account_s() -> None:
    """Two accounts that are both shown one example do not see each other."""
    mine = Account()
    theirs = Account(mine)
    mine.takes(READ, SEEN)
    theirs.takes(READ, SEEN)
    theirs.takes(inactive("P1W"), SEEN)
    assert "accounts-apart" not in {rule for rule, _ in mine.takes(inactive("P2W"), SEEN)}


def test_a_returned_value_below_the_minimum_is_wrong_unless_it_was_sent_in_this_run() -> None:
    assert Account().takes(READ, {T: "PT30S"}) == [("timer-representation", "below-minimum")]
    account = Account()
    account.refuses(inactive("PT30S"))
    assert account.takes(READ, {T: "PT30S"}) == []


def test_a_wrong_value_that_was_sent_for_another_account_has_its_reason_there() -> None:
    mine = Account()
    theirs = Account(mine)
    theirs.takes(inactive("banana"), {T: "banana"})
    assert ("timer-representation", "unparsable") not in mine.takes(READ, {T: "banana"})
    assert ("timer-representation", "unparsable") in mine.takes(READ, {T: "apple"})


@pytest.mark.parametrize("value", ["banana", "10 minutes", "600"])
def test_a_value_that_no_reading_parses_is_no_timer(value: str) -> None:
    assert Account().takes(READ, {T: value}) == [("timer-representation", "unparsable")]


def test_a_returned_sid_must_match_its_pattern() -> None:
    assert Account().takes(READ, {CHAT.attribute: "CH" + "a" * 32}) == [("response-schema", "pattern")]


def test_a_calendar_year_may_come_back_as_a_fixed_number_of_days() -> None:
    assert Account().takes(update((CLOSED.parameter, "P1Y")), {CLOSED.attribute: "PT8760H"}) == []


def test_a_value_proves_nothing_where_the_value_before_is_right_too() -> None:
    account = Account()
    account.takes(inactive("PT60M"), {T: "PT60M"})
    written = {Proof.ECHOED, Proof.REPLACED}
    assert not account.proves(inactive("PT1H"), {T: "PT1H"}) & written
    assert account.proves(inactive("PT2H"), {T: "PT2H"}) >= written

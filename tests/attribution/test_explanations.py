"""A cause is put down to another where something in the run says so, and stays apart where nothing does."""

from dataclasses import replace

import pytest

from attribution.findings import a_finding, answered_with, are_one, causes, outcomes
from conformance.attribution.cause import cause_of
from conformance.attribution.causes import attribute
from conformance.http import Exchange, Request, Response
from conformance.model import Finding
from conformance.rules import BY_ID


@pytest.mark.parametrize(
    "trouble",
    ["framing: framing", "no-server-error: server-error", "every-request-answered: timeout"],
)
def test_a_target_that_stays_unusable_is_so_after_what_broke_it(trouble: str) -> None:
    assert causes(a_finding(trouble), a_finding("stays-usable: unusable", count=9)) == [trouble] * 2


def test_what_was_written_without_credentials_was_accepted_without_them() -> None:
    accepted, written = "credentials-required: accepted", "credentials-required: written"

    assert causes(a_finding(accepted), a_finding(written, "closed-timer")) == [accepted] * 2
    assert not are_one(a_finding("no-leak: leaked"), a_finding(written, "closed-timer"))


@pytest.mark.parametrize(("broken", "one"), [("abcd", True), ("abc", True), ("ab", False)])
def test_a_setting_in_which_nothing_is_checked_is_one_difference(broken: str, one: bool) -> None:
    found = [
        *(a_finding("closed-timer-syntax: accepted", "closed-timer", cls) for cls in broken),
        *(a_finding("closed-timer-minimum: accepted", "closed-timer", cls) for cls in "abcd"),
        a_finding("closed-timer-echo: blank", "closed-timer", "z"),
    ]

    assert are_one(*found) is one


def test_a_minimum_that_is_checked_in_places_is_wrong_by_itself() -> None:
    found = [
        *(a_finding("closed-timer-syntax: accepted", "closed-timer", cls) for cls in "abcd"),
        a_finding("closed-timer-minimum: accepted", "closed-timer", "a"),
    ]

    assert not are_one(*found)


@pytest.mark.parametrize(
    ("sent", "one"),
    [
        ("DefaultInactiveTimer=PT7H", True),
        ("DefaultClosedTimer=P1D&DefaultInactiveTimer=PT7H", True),
        ("DefaultInactiveTimer=PT90M", False),
        ("DefaultClosedTimer=PT7H", False),
        ("", False),
    ],
)
def test_a_request_is_refused_for_a_value_that_is_refused_by_itself(sent: str, one: bool) -> None:
    alone = a_finding(
        "inactive-timer-accept: refused", "inactive-timer", count=4, sent="DefaultInactiveTimer=PT24H"
    )

    assert are_one(alone, a_finding("scheme-case: refused", sent=sent)) is one


@pytest.mark.parametrize(
    ("alone", "sent", "one"),
    [
        (("PT1H", "PT25H"), "PT1.5H", True),
        (("PT1H", "PT25H"), "P1DT2H", True),
        (("PT1H", "PT25H"), "P2W", False),
        (("PT0H10M", "P0DT600S"), "PT0M700S", True),
        (("PT0H10M", "P0DT600S"), "PT10M", False),
        (("P10D", "PT900S"), "PT1.5H", False),  # they have nothing in common that could be why
        (("PT1H30M",), "PT2H5M", True),
        (("PT1H30M",), "PT2H5.5M", False),  # of a single value nobody knows what it is refused for
    ],
)
def test_so_is_one_for_what_all_those_values_have(alone: tuple[str, ...], sent: str, one: bool) -> None:
    found = [
        a_finding("closed-timer-accept: refused", "closed-timer", value, sent=f"DefaultClosedTimer={value}")
        for value in alone
    ]
    other = a_finding("closed-timer-notation: refused", "closed-timer", sent=f"DefaultClosedTimer={sent}")

    assert are_one(*found, other) is one


def test_a_refusal_that_is_a_200_is_told_with_all_that_its_body_lacks() -> None:
    error, representation = '{"code": 50375}', '{"default_closed_timer": null}'
    accepted = a_finding("closed-timer-syntax: accepted", "closed-timer", count=9, answer=error)

    assert are_one(accepted, a_finding("chat-service-sid-echo: missing", "chat-service-sid", answer=error))
    assert not are_one(
        accepted, a_finding("chat-service-sid-echo: missing", "chat-service-sid", answer=representation)
    )
    assert not are_one(
        a_finding("closed-timer-syntax: accepted", "closed-timer", count=9, answer=representation),
        a_finding("account-sid-present: absent", answer=error),
    )


def test_a_refusal_that_is_a_200_hides_no_refusal_of_what_is_right() -> None:
    error = '{"success": false}'
    accepted = a_finding("closed-timer-syntax: accepted", "closed-timer", count=9, answer=error)
    shown = a_finding("chat-service-sid-echo: missing", "chat-service-sid", answer=error)
    refused = answered_with(a_finding("scheme-case: refused"), 401, error)

    assert len(set(causes(accepted, shown, refused))) == 2


def test_a_header_that_is_not_ignored_brings_its_status_whatever_is_sent() -> None:
    header = ("If-Modified-Since", "Sat, 29 Oct 1994 19:43:31 GMT")
    ignored = answered_with(a_finding("ignored-headers: status-304"), 304, headers=(header,))
    refusal = a_finding("refusal-status: redirect")

    assert are_one(ignored, answered_with(refusal, 304, headers=(header,)))
    assert not are_one(ignored, answered_with(refusal, 304))
    assert not are_one(ignored, answered_with(refusal, 302, headers=(header,)))


def test_what_is_taken_behind_a_duration_takes_blanks_as_well() -> None:
    syntax, blank = "inactive-timer-syntax: accepted", "inactive-timer-echo: blank"
    echo = a_finding(blank, "inactive-timer", "b", sent="DefaultInactiveTimer=PT10M%0A")

    assert are_one(a_finding(syntax, "inactive-timer", sent="DefaultInactiveTimer=PT10Mx"), echo)
    assert not are_one(a_finding(syntax, "inactive-timer", sent="DefaultInactiveTimer=banana"), echo)


def test_where_no_update_was_ever_accepted_refusals_are_one() -> None:
    one, other = a_finding("closed-timer-accept: refused"), a_finding("inactive-timer-boundary: refused")
    unseen = replace(outcomes(a_finding("accepted-status: status-202"))[0], findings=(), evidence=None)

    assert not are_one(one, other)
    assert len({each.cause for each in attribute([*outcomes(one, other), unseen])}) == 1


def test_what_is_lost_later_is_lost_to_reads_as_well() -> None:
    lost = replace(a_finding("read-after-write: previous-value", "closed-timer", count=9), stable=False)

    assert are_one(lost, a_finding("read-reflects-writes: stale", "inactive-timer"))
    assert not are_one(lost, a_finding("read-reflects-writes: stale", "inactive-timer", count=99))
    always = replace(lost, stable=True)
    assert not are_one(always, a_finding("read-reflects-writes: stale", "inactive-timer"))
    assert are_one(always, a_finding("read-reflects-writes: stale", "closed-timer"))


def test_values_that_are_shown_wrong_are_one_with_what_they_seldom_look_like_besides() -> None:
    shown = a_finding("closed-timer-echo: changed", "closed-timer", count=40)

    assert are_one(shown, a_finding("last-write-wins: previous-value", "closed-timer", count=3))
    assert not are_one(shown, a_finding("last-write-wins: previous-value", "closed-timer", count=30))
    other = a_finding("last-write-wins: previous-value", "inactive-timer", count=3)
    assert not are_one(shown, other)
    of_both = [a_finding("last-write-wins: previous-value", "closed-timer", count=3), other]
    also = a_finding("inactive-timer-echo: changed", "inactive-timer", count=40)
    assert are_one(shown, also, *of_both)
    assert not are_one(shown, *of_both)


def test_a_blank_that_comes_back_was_accepted() -> None:
    accepted = a_finding("closed-timer-strictness: accepted", "closed-timer", "timer/blank-around")

    assert are_one(accepted, a_finding("closed-timer-echo: blank", "closed-timer", "timer/blank-around"))
    assert not are_one(accepted, a_finding("closed-timer-echo: blank", "closed-timer", "timer/minutes"))


def test_a_setting_that_is_not_kept_is_one_difference_and_two_are_two() -> None:
    kept = a_finding("omitted-parameters-kept: reset", "closed-timer", count=5)

    assert are_one(kept, a_finding("read-after-write: previous-value", "closed-timer"))
    assert not are_one(kept, a_finding("read-after-write: previous-value", "inactive-timer"))


@pytest.mark.parametrize(
    ("root", "other"),
    [
        ("closed-timer-syntax: accepted", "credentials-required: accepted"),
        ("closed-timer-syntax: accepted", "accepted-status: status-201"),
        ("closed-timer-echo: missing", "json-body: not-json"),
        ("closed-timer-accept: refused", "no-server-error: server-error"),
    ],
)
def test_a_more_basic_claim_is_never_told_under_a_rule_about_a_value(root: str, other: str) -> None:
    found = [a_finding(root, "closed-timer", cls, count=99) for cls in "abcd"]
    basic = a_finding(other)
    attributions = attribute(outcomes(*found, basic))

    assert attributions[-1].consequence_of is None
    assert attributions[-1].cause == str(cause_of(basic))


def test_a_rule_that_must_hold_is_no_consequence_of_one_that_should() -> None:
    strict = a_finding("closed-timer-strictness: accepted", "closed-timer", "timer/blank-around", count=9)
    blank = a_finding("closed-timer-echo: blank", "closed-timer", "timer/blank-around")

    assert [each.consequence_of for each in attribute(outcomes(strict, blank))] == [
        "closed-timer-echo",
        None,
    ]


def test_a_setting_that_is_never_shown_as_it_was_sent_explains_what_reads_show() -> None:
    echo = [a_finding("closed-timer-echo: changed", "closed-timer", cls, count=9) for cls in "abcd"]
    read = a_finding("read-reflects-writes: different", "closed-timer")
    found = outcomes(*echo, read)
    never = [replace(each, evidence=None) for each in found]

    assert len({each.cause for each in attribute(never)}) == 1
    # Where it was shown rightly, too, what a read shows may be a mistake of its own.
    assert len({each.cause for each in attribute(found)}) == 2
    assert not are_one(*echo, a_finding("read-reflects-writes: different", "inactive-timer"))


def test_a_change_that_is_understood_explains_the_same_change_seen_elsewhere() -> None:
    apart = a_finding("accounts-apart: reset", "chat-service-sid")
    kept = a_finding("omitted-parameters-kept: reset", "closed-timer")
    found = outcomes(apart, kept)

    assert {each.cause for each in attribute(found)} == {"accounts-apart: reset"}
    never = [replace(each, evidence=None) for each in found]
    assert len({each.cause for each in attribute(never)}) == 2


def test_a_pattern_without_an_end_takes_what_is_too_long_and_shows_its_blanks() -> None:
    def taken(cause: str, value: str) -> Finding:
        return a_finding(cause, "chat-service-sid", sent=f"DefaultChatServiceSid=IS{value}")

    unanchored = taken("chat-service-sid-anchoring: accepted", "a" * 32 + "X")
    too_long = taken("chat-service-sid-length: accepted", "a" * 33)

    assert are_one(unanchored, too_long)
    assert are_one(unanchored, taken("chat-service-sid-echo: blank", "a" * 32 + "+"))
    assert not are_one(unanchored, taken("chat-service-sid-length: accepted", "a" * 31))
    assert not are_one(unanchored, taken("chat-service-sid-echo: changed", "a" * 32))


def test_a_timer_without_a_minimum_takes_zero_as_well() -> None:
    below = a_finding("closed-timer-minimum: accepted", "closed-timer", sent="DefaultClosedTimer=PT59S")
    zero = a_finding("closed-timer-strictness: accepted", "closed-timer", sent="DefaultClosedTimer=PT0M")
    other = a_finding("closed-timer-strictness: accepted", "closed-timer", sent="DefaultClosedTimer=pt10m")

    assert are_one(below, zero)
    assert not are_one(below, other)


def test_a_finding_that_comes_and_goes_is_put_down_to_one_of_its_setting_that_stays() -> None:
    stays = a_finding("last-write-wins: previous-value", "closed-timer")
    goes = replace(a_finding("closed-timer-echo: missing", "closed-timer"), stable=False)

    assert are_one(stays, goes)
    assert not are_one(replace(stays, stable=False), goes)


def test_a_parameter_that_is_refused_without_the_others_is_so_whatever_its_value_is() -> None:
    alone = a_finding("any-subset: refused", sent="DefaultClosedTimer=P1D")

    assert are_one(
        alone, a_finding("closed-timer-accept: refused", "closed-timer", sent="DefaultClosedTimer=PT1H")
    )
    assert not are_one(
        alone, a_finding("inactive-timer-accept: refused", "inactive-timer", sent="DefaultInactiveTimer=PT1H")
    )


def test_what_is_not_read_beside_others_is_not_shown_beside_others() -> None:
    unread = a_finding("any-subset: accepted", sent="DefaultClosedTimer=P1D&DefaultInactiveTimer=PT1S")
    several, one = "DefaultClosedTimer=P2D&DefaultInactiveTimer=PT1H", "DefaultClosedTimer=P2D"

    assert are_one(unread, a_finding("closed-timer-echo: changed", "closed-timer", sent=several))
    assert not are_one(unread, a_finding("closed-timer-echo: changed", "closed-timer", sent=one))


def test_what_is_not_read_beside_others_is_not_validated_beside_others() -> None:
    unread = a_finding("parameter-order: previous-value", "closed-timer", sent="x=y&DefaultClosedTimer=P1D")

    for sent, one in (("x=y&DefaultInactiveTimer=PT1S", True), ("DefaultInactiveTimer=PT1S", False)):
        taken = a_finding("inactive-timer-minimum: accepted", "inactive-timer", sent=sent)
        assert are_one(unread, taken) is one


def test_bad_values_that_are_taken_beside_others_come_back_as_they_were_sent() -> None:
    both = "DefaultInactiveTimer=&DefaultClosedTimer=x"
    syntax = a_finding("inactive-timer-syntax: accepted", "inactive-timer", sent="DefaultInactiveTimer=x&a=b")
    strict = a_finding("inactive-timer-strictness: accepted", "inactive-timer", sent=both)
    as_sent, other = (
        a_finding("inactive-timer-echo: changed", "inactive-timer", sent=both, answer=answer)
        for answer in ('{"default_inactive_timer": ""}', '{"default_inactive_timer": "PT5M"}')
    )

    assert causes(syntax, strict, as_sent) == ["inactive-timer-syntax: accepted"] * 3
    assert not are_one(syntax, other)


def test_bad_values_of_two_settings_that_pass_only_together_are_one_difference() -> None:
    def taken(closed: str) -> Finding:
        sent = f"DefaultInactiveTimer=PT1S&DefaultClosedTimer={closed}"
        return a_finding("closed-timer-syntax: accepted", "closed-timer", cls="c", sent=sent)

    short = a_finding(
        "inactive-timer-minimum: accepted",
        "inactive-timer",
        sent="DefaultClosedTimer=x&DefaultInactiveTimer=PT1S",
    )

    assert are_one(taken("x"), short)
    assert not are_one(taken("P1D"), short)


@pytest.mark.parametrize(
    ("decoding", "sent", "rule", "value", "one"),
    [
        ("accepted", "DefaultInactiveTimer=%26%2380%3BT4M", "closed-timer-syntax", "%26%2380%3BT10M", True),
        ("accepted", "DefaultInactiveTimer=%26%2380%3BT4M", "closed-timer-syntax", "%26T10M", False),
        ("refused", "%44efaultClosedTimer=P1D", "inactive-timer-notation", "PT10%2C5M", True),
        ("refused", "%44efaultClosedTimer=P1D", "inactive-timer-notation", "PT10.5M", False),
    ],
)
def test_how_escapes_are_decoded_explains_the_values_that_need_them(
    decoding: str, sent: str, rule: str, value: str, one: bool
) -> None:
    timer = rule.rpartition("-")[0]
    parameter = BY_ID[rule].field
    assert parameter is not None
    decoded = a_finding(f"form-decoding: {decoding}", sent=sent)
    other = a_finding(f"{rule}: {decoding}", timer, sent=f"{parameter.parameter}={value}")

    assert are_one(decoded, other) is one


def test_timers_of_another_length_may_be_too_short() -> None:
    changed = a_finding("inactive-timer-echo: changed", "inactive-timer", cls="timer/seconds")

    def malformed(shown: str, cls: str = "timer/seconds") -> Finding:
        observed = f"default_closed_timer: {shown!r}"
        return a_finding("closed-timer-echo: malformed", "closed-timer", cls=cls, observed=observed)

    sent = {"inactive_timer_echo": ("timer/seconds", "timer/hours")}
    for found, one in ((malformed("PT0S"), True), (malformed("none"), False)):
        assert are_one(changed, found, **sent) is one
    assert not are_one(changed, malformed("PT0S", "timer/hours"), **sent)


def test_a_body_that_is_not_read_in_chunks_is_not_validated_in_chunks() -> None:
    chunked, plain = (
        answered_with(
            a_finding("inactive-timer-minimum: accepted", "inactive-timer"),
            200,
            body=b"DefaultInactiveTimer=PT1S",
            chunked=chunked,
        )
        for chunked in (True, False)
    )
    unread = answered_with(
        a_finding("chunked-body: accepted", "closed-timer"),
        200,
        body=b"DefaultClosedTimer=PT1S",
        chunked=True,
    )

    assert are_one(unread, chunked)
    assert not are_one(unread, plain)


def test_a_good_value_that_is_refused_after_what_breaks_a_connection_is_no_mistake_of_its_own() -> None:
    broken = Exchange(
        number=1,
        request=Request(content_type="application/json", body=b"{}"),
        response=Response(status=415),
    )
    after = answered_with(a_finding("stays-usable: refused"), 405)
    refused = answered_with(a_finding("inactive-timer-boundary: refused", "inactive-timer"), 405)
    alone, then = refused, replace(refused, exchanges=(broken, *refused.exchanges))

    assert are_one(after, then)
    assert not are_one(after, alone)
    assert not are_one(after, replace(then, exchanges=(broken, *answered_with(then, 400).exchanges)))


def test_a_form_whose_parameters_are_looked_at_in_places_is_one_difference() -> None:
    order = a_finding("parameter-order: accepted", sent="DefaultClosedTimer=P1D&DefaultInactiveTimer=x")
    twice = "DefaultInactiveTimer=PT2M&DefaultInactiveTimer=x"
    repeated = a_finding("repeated-parameters: invalid-value", "inactive-timer", sent=twice)
    alone = a_finding("inactive-timer-syntax: accepted", "inactive-timer", sent="DefaultInactiveTimer=x")

    assert are_one(order, repeated)
    assert not are_one(order, alone)


def test_refusals_that_come_and_go_after_trouble_are_put_down_to_it() -> None:
    trouble = a_finding("stays-usable: refused")
    refusal = replace(a_finding("error-envelope: not-json"), stable=False)
    lost = replace(refusal, exchanges=(replace(refusal.exchanges[0], response=Response(status=400)),))

    assert causes(trouble, lost) == ["stays-usable: refused"] * 2
    assert not are_one(trouble, refusal)  # a 200


def test_what_is_lost_now_and_then_is_lost_whatever_came_before() -> None:
    lost = replace(a_finding("omitted-parameters-kept: reset", "closed-timer"), stable=False)
    refused = replace(a_finding("rejected-update-changes-nothing: cleared", "closed-timer"), stable=False)

    assert causes(lost, refused) == ["omitted-parameters-kept: reset"] * 2
    always = replace(refused, stable=True)
    assert causes(lost, always) == ["rejected-update-changes-nothing: cleared"] * 2


def test_refusals_that_cannot_be_read_as_no_answer_can_are_no_mistake_of_their_own() -> None:
    page, zipped = (
        "Expecting value: line 1 column 1 (char 0)",
        "the body is not UTF-8: invalid start byte at byte 1",
    )
    answers = a_finding("json-body: not-json", observed=zipped)

    assert are_one(answers, a_finding("error-envelope: not-json", observed=zipped))
    assert not are_one(answers, a_finding("error-envelope: not-json", observed=page))


def test_refusals_that_come_with_a_200_are_one_difference_apart_from_who_is_let_in() -> None:
    nothing = '{"message": "no", "status": 400}'
    found = [
        answered_with(a_finding("credentials-required: accepted"), 200, nothing),
        answered_with(a_finding("credentials-required: written", "closed-timer"), 200, nothing),
        answered_with(a_finding("chat-service-sid-prefix: accepted", count=9), 200, nothing),
        answered_with(a_finding("closed-timer-syntax: accepted", "closed-timer"), 200, nothing),
    ]
    shown = a_finding("inactive-timer-echo: changed", "inactive-timer")

    assert causes(*found, shown)[:4] == [
        "credentials-required: accepted",
        "credentials-required: accepted",
        "chat-service-sid-prefix: accepted",
        "chat-service-sid-prefix: accepted",
    ]


@pytest.mark.parametrize(("status", "one"), [(201, True), (204, False)])
def test_an_empty_update_with_the_status_of_all_others_is_one_difference(status: int, one: bool) -> None:
    others = answered_with(a_finding("accepted-status: status-201"), 201)
    empty = answered_with(a_finding(f"empty-update: status-{status}"), status)

    assert are_one(others, empty) is one


@pytest.mark.parametrize(
    ("cause", "setting", "follows"),
    [
        ("account-sid: other-account", "", True),
        ("concurrent-writers: lost", "closed-timer", True),
        ("concurrent-writers: mixed-up", "closed-timer", True),
        ("concurrent-writers: changed", "closed-timer", False),
    ],
)
def test_an_answer_of_another_account_says_so_too_and_what_is_written_there_is_lost_here(
    cause: str, setting: str, follows: bool
) -> None:
    foreign = a_finding("accounts-apart: foreign-value", "closed-timer")
    assert are_one(foreign, a_finding(cause, setting)) is follows
    if follows:
        changed = a_finding("accounts-apart: changed", "closed-timer")
        assert not are_one(changed, a_finding(cause, setting))

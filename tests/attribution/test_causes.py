"""What belongs together is reported as one difference, and nothing else is."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from conformance.attribution.cause import cause_of
from conformance.attribution.causes import attribute
from conformance.http import Exchange, Request, Response
from conformance.model import FIELDS, ClassOutcome, Finding, Outcome, Verdict
from conformance.rules import BY_ID

HELD = Exchange(number=1, request=Request(), response=Response(status=200))
"""Somewhere in the run each rule was seen to hold."""

ATTRIBUTES = {each.slug: each.attribute for each in FIELDS}


def _finding(cause: str, setting: str = "", cls: str = "a", **fields: Any) -> Finding:
    """A finding of a rule and an outcome, `rule: outcome`; `setting` is the slug of the one that it is about."""
    rule, _, outcome = cause.partition(": ")
    body = fields.pop("sent", "").encode()
    response = Response(status=200, body=fields.pop("answer", "").encode())
    field = ATTRIBUTES.get(setting)
    return Finding(
        rule=rule,
        level=BY_ID[rule].level,
        cls=cls,
        outcome=outcome,
        field=field,
        summary="",
        expected="",
        observed=fields.pop("observed", "status 200"),
        exchanges=(Exchange(number=1, request=Request(body=body), response=response),),
        stable=True,
        count=fields.pop("count", 1),
    )


def _answered_with(finding: Finding, status: int, answer: str = "", **request: Any) -> Finding:
    """The finding with another status, and with an update that has further features."""
    exchange = Exchange(
        number=1,
        request=Request(**request),
        response=Response(status=status, body=answer.encode()),
    )
    return replace(finding, exchanges=(exchange,))


def _outcomes(*findings: Finding, **sent: Sequence[str]) -> list[Outcome]:
    """A run in which the classes `a` to `d` of every rule were sent, or those given by rule."""
    rules = dict.fromkeys(each.rule for each in findings)
    return [
        Outcome(
            rule=BY_ID[rule],
            verdict=Verdict.DEVIATION,
            classes=tuple(
                ClassOutcome(id=cls, reason="", examples=3, statuses={})
                for cls in sent.get(rule.replace("-", "_"), "abcd")
            ),
            findings=tuple(each for each in findings if each.rule == rule),
            evidence=HELD,
        )
        for rule in rules
    ]


def _causes(*findings: Finding, **sent: Sequence[str]) -> list[str]:
    """The causes of findings, in the order of the rules that they break."""
    return [each.cause for each in attribute(_outcomes(*findings, **sent))]


def _are_one(*findings: Finding, **sent: Sequence[str]) -> bool:
    return len(set(_causes(*findings, **sent))) == 1


def test_findings_of_one_rule_setting_and_outcome_are_one() -> None:
    syntax = "inactive-timer-syntax: accepted"

    assert _are_one(_finding(syntax, "inactive-timer", "a"), _finding(syntax, "inactive-timer", "b"))


@pytest.mark.parametrize(
    ("inactive", "closed", "one"),
    [("ab", "ab", True), ("abc", "ab", True), ("ab", "cd", False), ("a", "abcd", False)],
)
def test_two_timers_are_one_where_they_are_wrong_in_the_same_inputs(
    inactive: str, closed: str, one: bool
) -> None:
    found = [
        *(_finding("inactive-timer-syntax: accepted", "inactive-timer", cls) for cls in inactive),
        *(_finding("closed-timer-syntax: accepted", "closed-timer", cls) for cls in closed),
    ]

    assert _are_one(*found) is one


def test_inputs_that_one_of_them_was_never_sent_say_nothing() -> None:
    found = [
        _finding("inactive-timer-syntax: accepted", "inactive-timer", "a"),
        _finding("inactive-timer-syntax: accepted", "inactive-timer", "b"),
        _finding("closed-timer-syntax: accepted", "closed-timer", "a"),
    ]

    assert _are_one(*found, closed_timer_syntax="acd")


def test_a_timer_and_a_sid_are_never_one() -> None:
    assert not _are_one(
        _finding("inactive-timer-echo: missing", "inactive-timer"),
        _finding("chat-service-sid-echo: missing", "chat-service-sid"),
    )


def test_another_outcome_of_the_same_rule_is_another_difference() -> None:
    assert not _are_one(
        _finding("inactive-timer-echo: missing", "inactive-timer"),
        _finding("inactive-timer-echo: changed", "inactive-timer"),
    )


def test_values_of_one_shape_in_several_settings_are_one_and_of_others_are_not() -> None:
    def malformed(setting: str, value: str) -> Finding:
        return _finding(
            "timer-representation: unparsable", setting, observed=f"{ATTRIBUTES[setting]}: '{value}'"
        )

    assert _are_one(malformed("inactive-timer", "60"), malformed("closed-timer", "600"))
    assert not _are_one(malformed("inactive-timer", "60"), malformed("closed-timer", "10 minutes"))


@pytest.mark.parametrize(
    "trouble",
    ["framing: framing", "no-server-error: server-error", "every-request-answered: timeout"],
)
def test_a_target_that_stays_unusable_is_so_after_what_broke_it(trouble: str) -> None:
    assert _causes(_finding(trouble), _finding("stays-usable: unusable", count=9)) == [trouble] * 2


def test_what_was_written_without_credentials_was_accepted_without_them() -> None:
    accepted, written = "credentials-required: accepted", "credentials-required: written"

    assert _causes(_finding(accepted), _finding(written, "closed-timer")) == [accepted] * 2
    assert not _are_one(_finding("no-leak: leaked"), _finding(written, "closed-timer"))


@pytest.mark.parametrize(("broken", "one"), [("abcd", True), ("abc", True), ("ab", False)])
def test_a_setting_in_which_nothing_is_checked_is_one_difference(broken: str, one: bool) -> None:
    found = [
        *(_finding("closed-timer-syntax: accepted", "closed-timer", cls) for cls in broken),
        *(_finding("closed-timer-minimum: accepted", "closed-timer", cls) for cls in "abcd"),
        _finding("closed-timer-echo: blank", "closed-timer", "z"),
    ]

    assert _are_one(*found) is one


def test_a_minimum_that_is_checked_in_places_is_wrong_by_itself() -> None:
    found = [
        *(_finding("closed-timer-syntax: accepted", "closed-timer", cls) for cls in "abcd"),
        _finding("closed-timer-minimum: accepted", "closed-timer", "a"),
    ]

    assert not _are_one(*found)


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
    alone = _finding(
        "inactive-timer-accept: refused", "inactive-timer", count=4, sent="DefaultInactiveTimer=PT24H"
    )

    assert _are_one(alone, _finding("scheme-case: refused", sent=sent)) is one


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
        _finding("closed-timer-accept: refused", "closed-timer", value, sent=f"DefaultClosedTimer={value}")
        for value in alone
    ]
    other = _finding("closed-timer-notation: refused", "closed-timer", sent=f"DefaultClosedTimer={sent}")

    assert _are_one(*found, other) is one


def test_a_refusal_that_is_a_200_is_told_with_all_that_its_body_lacks() -> None:
    error, representation = '{"code": 50375}', '{"default_closed_timer": null}'
    accepted = _finding("closed-timer-syntax: accepted", "closed-timer", count=9, answer=error)

    assert _are_one(accepted, _finding("chat-service-sid-echo: missing", "chat-service-sid", answer=error))
    assert not _are_one(
        accepted, _finding("chat-service-sid-echo: missing", "chat-service-sid", answer=representation)
    )
    assert not _are_one(
        _finding("closed-timer-syntax: accepted", "closed-timer", count=9, answer=representation),
        _finding("account-sid-present: absent", answer=error),
    )


def test_a_refusal_that_is_a_200_hides_no_refusal_of_what_is_right() -> None:
    error = '{"success": false}'
    accepted = _finding("closed-timer-syntax: accepted", "closed-timer", count=9, answer=error)
    shown = _finding("chat-service-sid-echo: missing", "chat-service-sid", answer=error)
    refused = _answered_with(_finding("scheme-case: refused"), 401, error)

    assert len(set(_causes(accepted, shown, refused))) == 2


def test_a_header_that_is_not_ignored_brings_its_status_whatever_is_sent() -> None:
    header = ("If-Modified-Since", "Sat, 29 Oct 1994 19:43:31 GMT")
    ignored = _answered_with(_finding("ignored-headers: status-304"), 304, headers=(header,))
    refusal = _finding("refusal-status: redirect")

    assert _are_one(ignored, _answered_with(refusal, 304, headers=(header,)))
    assert not _are_one(ignored, _answered_with(refusal, 304))
    assert not _are_one(ignored, _answered_with(refusal, 302, headers=(header,)))


def test_what_is_taken_behind_a_duration_takes_blanks_as_well() -> None:
    syntax, blank = "inactive-timer-syntax: accepted", "inactive-timer-echo: blank"
    echo = _finding(blank, "inactive-timer", "b", sent="DefaultInactiveTimer=PT10M%0A")

    assert _are_one(_finding(syntax, "inactive-timer", sent="DefaultInactiveTimer=PT10Mx"), echo)
    assert not _are_one(_finding(syntax, "inactive-timer", sent="DefaultInactiveTimer=banana"), echo)


def test_where_no_update_was_ever_accepted_refusals_are_one() -> None:
    one, other = _finding("closed-timer-accept: refused"), _finding("inactive-timer-boundary: refused")
    unseen = replace(_outcomes(_finding("accepted-status: status-202"))[0], findings=(), evidence=None)

    assert not _are_one(one, other)
    assert len({each.cause for each in attribute([*_outcomes(one, other), unseen])}) == 1


def test_what_is_lost_later_is_lost_to_reads_as_well() -> None:
    lost = replace(_finding("read-after-write: previous-value", "closed-timer", count=9), stable=False)

    assert _are_one(lost, _finding("read-reflects-writes: stale", "inactive-timer"))
    assert not _are_one(lost, _finding("read-reflects-writes: stale", "inactive-timer", count=99))
    always = replace(lost, stable=True)
    assert not _are_one(always, _finding("read-reflects-writes: stale", "inactive-timer"))
    assert _are_one(always, _finding("read-reflects-writes: stale", "closed-timer"))


def test_sids_are_told_apart_by_the_kinds_of_their_digits() -> None:
    alone = _finding(
        "chat-service-sid-accept: refused",
        "chat-service-sid",
        count=4,
        sent=f"DefaultChatServiceSid=IS{'A' * 32}",
    )

    several = "DefaultClosedTimer=P1D&DefaultChatServiceSid=IS"
    assert _are_one(alone, _finding("any-subset: refused", sent=several + "F" * 32))
    assert not _are_one(alone, _finding("any-subset: refused", sent=several + "f" * 32))


def test_values_that_are_shown_wrong_are_one_with_what_they_seldom_look_like_besides() -> None:
    shown = _finding("closed-timer-echo: changed", "closed-timer", count=40)

    assert _are_one(shown, _finding("last-write-wins: previous-value", "closed-timer", count=3))
    assert not _are_one(shown, _finding("last-write-wins: previous-value", "closed-timer", count=30))
    assert not _are_one(shown, _finding("last-write-wins: previous-value", "inactive-timer", count=3))


def test_a_blank_that_comes_back_was_accepted() -> None:
    accepted = _finding("closed-timer-strictness: accepted", "closed-timer", "timer/blank-around")

    assert _are_one(accepted, _finding("closed-timer-echo: blank", "closed-timer", "timer/blank-around"))
    assert not _are_one(accepted, _finding("closed-timer-echo: blank", "closed-timer", "timer/minutes"))


def test_a_setting_that_is_not_kept_is_one_difference_and_two_are_two() -> None:
    kept = _finding("omitted-parameters-kept: reset", "closed-timer", count=5)

    assert _are_one(kept, _finding("read-after-write: previous-value", "closed-timer"))
    assert not _are_one(kept, _finding("read-after-write: previous-value", "inactive-timer"))


def test_findings_that_have_nothing_in_common_stay_as_they_are() -> None:
    found = [
        _finding("challenge: missing"),
        _finding("error-status: different"),
        _finding("media-type: other"),
    ]

    assert _causes(*found) == ["challenge: missing", "error-status: different", "media-type: other"]


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
    found = [_finding(root, "closed-timer", cls, count=99) for cls in "abcd"]
    basic = _finding(other)
    attributions = attribute(_outcomes(*found, basic))

    assert attributions[-1].consequence_of is None
    assert attributions[-1].cause == str(cause_of(basic))


def test_a_consequence_names_the_rule_that_explains_it() -> None:
    found = [_finding("closed-timer-syntax: accepted", "closed-timer", cls) for cls in "abcd"]
    below = [_finding("closed-timer-minimum: accepted", "closed-timer", cls) for cls in "abcd"]

    attributions = attribute(_outcomes(*found, *below))

    assert [each.consequence_of for each in attributions] == [None] * 4 + ["closed-timer-syntax"] * 4


def test_a_rule_that_must_hold_is_no_consequence_of_one_that_should() -> None:
    strict = _finding("closed-timer-strictness: accepted", "closed-timer", "timer/blank-around", count=9)
    blank = _finding("closed-timer-echo: blank", "closed-timer", "timer/blank-around")

    assert [each.consequence_of for each in attribute(_outcomes(strict, blank))] == [
        "closed-timer-echo",
        None,
    ]


def test_a_setting_that_is_never_shown_as_it_was_sent_explains_what_reads_show() -> None:
    echo = [_finding("closed-timer-echo: changed", "closed-timer", cls, count=9) for cls in "abcd"]
    read = _finding("read-reflects-writes: different", "closed-timer")
    outcomes = _outcomes(*echo, read)
    never = [replace(each, evidence=None) for each in outcomes]

    assert len({each.cause for each in attribute(never)}) == 1
    # Where it was shown rightly, too, what a read shows may be a mistake of its own.
    assert len({each.cause for each in attribute(outcomes)}) == 2
    assert not _are_one(*echo, _finding("read-reflects-writes: different", "inactive-timer"))


def test_a_change_that_is_understood_explains_the_same_change_seen_elsewhere() -> None:
    apart = _finding("accounts-apart: reset", "chat-service-sid")
    kept = _finding("omitted-parameters-kept: reset", "closed-timer")
    outcomes = _outcomes(apart, kept)

    assert {each.cause for each in attribute(outcomes)} == {"accounts-apart: reset"}
    never = [replace(each, evidence=None) for each in outcomes]
    assert len({each.cause for each in attribute(never)}) == 2


def test_a_pattern_without_an_end_takes_what_is_too_long_and_shows_its_blanks() -> None:
    def taken(cause: str, value: str) -> Finding:
        return _finding(cause, "chat-service-sid", sent=f"DefaultChatServiceSid=IS{value}")

    unanchored = taken("chat-service-sid-anchoring: accepted", "a" * 32 + "X")
    too_long = taken("chat-service-sid-length: accepted", "a" * 33)

    assert _are_one(unanchored, too_long)
    assert _are_one(unanchored, taken("chat-service-sid-echo: blank", "a" * 32 + "+"))
    assert not _are_one(unanchored, taken("chat-service-sid-length: accepted", "a" * 31))
    assert not _are_one(unanchored, taken("chat-service-sid-echo: changed", "a" * 32))


def test_a_timer_without_a_minimum_takes_zero_as_well() -> None:
    below = _finding("closed-timer-minimum: accepted", "closed-timer", sent="DefaultClosedTimer=PT59S")
    zero = _finding("closed-timer-strictness: accepted", "closed-timer", sent="DefaultClosedTimer=PT0M")
    other = _finding("closed-timer-strictness: accepted", "closed-timer", sent="DefaultClosedTimer=pt10m")

    assert _are_one(below, zero)
    assert not _are_one(below, other)


def test_a_finding_that_comes_and_goes_is_put_down_to_one_of_its_setting_that_stays() -> None:
    stays = _finding("last-write-wins: previous-value", "closed-timer")
    goes = replace(_finding("closed-timer-echo: missing", "closed-timer"), stable=False)

    assert _are_one(stays, goes)
    assert not _are_one(replace(stays, stable=False), goes)


def test_a_parameter_that_is_refused_without_the_others_is_so_whatever_its_value_is() -> None:
    alone = _finding("any-subset: refused", sent="DefaultClosedTimer=P1D")

    assert _are_one(
        alone, _finding("closed-timer-accept: refused", "closed-timer", sent="DefaultClosedTimer=PT1H")
    )
    assert not _are_one(
        alone, _finding("inactive-timer-accept: refused", "inactive-timer", sent="DefaultInactiveTimer=PT1H")
    )


def test_what_is_not_read_beside_others_is_not_shown_beside_others() -> None:
    unread = _finding("any-subset: accepted", sent="DefaultClosedTimer=P1D&DefaultInactiveTimer=PT1S")
    several, one = "DefaultClosedTimer=P2D&DefaultInactiveTimer=PT1H", "DefaultClosedTimer=P2D"

    assert _are_one(unread, _finding("closed-timer-echo: changed", "closed-timer", sent=several))
    assert not _are_one(unread, _finding("closed-timer-echo: changed", "closed-timer", sent=one))


def test_what_is_not_read_beside_others_is_not_validated_beside_others() -> None:
    unread = _finding("parameter-order: previous-value", "closed-timer", sent="x=y&DefaultClosedTimer=P1D")

    for sent, one in (("x=y&DefaultInactiveTimer=PT1S", True), ("DefaultInactiveTimer=PT1S", False)):
        taken = _finding("inactive-timer-minimum: accepted", "inactive-timer", sent=sent)
        assert _are_one(unread, taken) is one


def test_bad_values_that_are_taken_beside_others_come_back_as_they_were_sent() -> None:
    both = "DefaultInactiveTimer=&DefaultClosedTimer=x"
    syntax = _finding("inactive-timer-syntax: accepted", "inactive-timer", sent="DefaultInactiveTimer=x&a=b")
    strict = _finding("inactive-timer-strictness: accepted", "inactive-timer", sent=both)
    as_sent, other = (
        _finding("inactive-timer-echo: changed", "inactive-timer", sent=both, answer=answer)
        for answer in ('{"default_inactive_timer": ""}', '{"default_inactive_timer": "PT5M"}')
    )

    assert _causes(syntax, strict, as_sent) == ["inactive-timer-syntax: accepted"] * 3
    assert not _are_one(syntax, other)


def test_bad_values_of_two_settings_that_pass_only_together_are_one_difference() -> None:
    def taken(closed: str) -> Finding:
        sent = f"DefaultInactiveTimer=PT1S&DefaultClosedTimer={closed}"
        return _finding("closed-timer-syntax: accepted", "closed-timer", cls="c", sent=sent)

    short = _finding(
        "inactive-timer-minimum: accepted",
        "inactive-timer",
        sent="DefaultClosedTimer=x&DefaultInactiveTimer=PT1S",
    )

    assert _are_one(taken("x"), short)
    assert not _are_one(taken("P1D"), short)


def test_an_escape_that_is_resolved_makes_good_values_of_bad_ones() -> None:
    decoded = _finding("form-decoding: accepted", sent="DefaultInactiveTimer=%26%2380%3BT4M")

    for value, one in (("%26%2380%3BT10M", True), ("%26T10M", False)):
        sent = f"DefaultClosedTimer={value}"
        taken = _finding("closed-timer-syntax: accepted", "closed-timer", sent=sent)
        assert _are_one(decoded, taken) is one


def test_timers_of_another_length_may_be_too_short() -> None:
    changed = _finding("inactive-timer-echo: changed", "inactive-timer", cls="timer/seconds")

    def malformed(shown: str, cls: str = "timer/seconds") -> Finding:
        observed = f"default_closed_timer: {shown!r}"
        return _finding("closed-timer-echo: malformed", "closed-timer", cls=cls, observed=observed)

    sent = {"inactive_timer_echo": ("timer/seconds", "timer/hours")}
    for found, one in ((malformed("PT0S"), True), (malformed("none"), False)):
        assert _are_one(changed, found, **sent) is one
    assert not _are_one(changed, malformed("PT0S", "timer/hours"), **sent)


def test_a_body_that_is_not_read_in_chunks_is_not_validated_in_chunks() -> None:
    chunked, plain = (
        _answered_with(
            _finding("inactive-timer-minimum: accepted", "inactive-timer"),
            200,
            body=b"DefaultInactiveTimer=PT1S",
            chunked=chunked,
        )
        for chunked in (True, False)
    )
    unread = _answered_with(
        _finding("chunked-body: accepted", "closed-timer"),
        200,
        body=b"DefaultClosedTimer=PT1S",
        chunked=True,
    )

    assert _are_one(unread, chunked)
    assert not _are_one(unread, plain)


def test_a_good_value_that_is_refused_after_what_breaks_a_connection_is_no_mistake_of_its_own() -> None:
    broken = Exchange(
        number=1,
        request=Request(content_type="application/json", body=b"{}"),
        response=Response(status=415),
    )
    after = _answered_with(_finding("stays-usable: refused"), 405)
    refused = _answered_with(_finding("inactive-timer-boundary: refused", "inactive-timer"), 405)
    alone, then = refused, replace(refused, exchanges=(broken, *refused.exchanges))

    assert _are_one(after, then)
    assert not _are_one(after, alone)
    assert not _are_one(after, replace(then, exchanges=(broken, *_answered_with(then, 400).exchanges)))


def test_a_value_that_needs_an_escape_is_refused_where_none_is_decoded() -> None:
    undecoded = _finding("form-decoding: refused", sent="%44efaultClosedTimer=P1D")

    for value, one in (("PT10%2C5M", True), ("PT10.5M", False)):
        sent = f"DefaultInactiveTimer={value}"
        refused = _finding("inactive-timer-notation: refused", "inactive-timer", sent=sent)
        assert _are_one(undecoded, refused) is one


def test_settings_that_the_same_requests_alone_bring_back_wrong_are_one() -> None:
    def missing(setting: str, *numbers: int) -> Finding:
        return replace(_finding(f"{setting}-echo: missing", setting), numbers=frozenset(numbers))

    assert _are_one(missing("inactive-timer", 7, 8), missing("chat-service-sid", 7, 8))
    assert not _are_one(missing("inactive-timer", 7), missing("chat-service-sid", 7, 8))


def test_a_form_whose_parameters_are_looked_at_in_places_is_one_difference() -> None:
    order = _finding("parameter-order: accepted", sent="DefaultClosedTimer=P1D&DefaultInactiveTimer=x")
    twice = "DefaultInactiveTimer=PT2M&DefaultInactiveTimer=x"
    repeated = _finding("repeated-parameters: invalid-value", "inactive-timer", sent=twice)
    alone = _finding("inactive-timer-syntax: accepted", "inactive-timer", sent="DefaultInactiveTimer=x")

    assert _are_one(order, repeated)
    assert not _are_one(order, alone)


def test_a_malformed_header_is_no_matter_of_what_settings_come_back_as() -> None:
    challenge = _finding("challenge: malformed")
    assert _causes(challenge, _finding("closed-timer-echo: malformed", "closed-timer")) == [
        "challenge: malformed",
        "representation: default_closed_timer",
    ]


def test_refusals_that_come_and_go_after_trouble_are_put_down_to_it() -> None:
    trouble = _finding("stays-usable: refused")
    refusal = replace(_finding("error-envelope: not-json"), stable=False)
    lost = replace(refusal, exchanges=(replace(refusal.exchanges[0], response=Response(status=400)),))

    assert _causes(trouble, lost) == ["stays-usable: refused"] * 2
    assert not _are_one(trouble, refusal)  # a 200


def test_what_is_lost_now_and_then_is_lost_whatever_came_before() -> None:
    lost = replace(_finding("omitted-parameters-kept: reset", "closed-timer"), stable=False)
    refused = replace(_finding("rejected-update-changes-nothing: cleared", "closed-timer"), stable=False)

    assert _causes(lost, refused) == ["omitted-parameters-kept: reset"] * 2
    always = replace(refused, stable=True)
    assert _causes(lost, always) == ["rejected-update-changes-nothing: cleared"] * 2


def test_refusals_that_cannot_be_read_as_no_answer_can_are_no_mistake_of_their_own() -> None:
    page, zipped = (
        "Expecting value: line 1 column 1 (char 0)",
        "the body is not UTF-8: invalid start byte at byte 1",
    )
    answers = _finding("json-body: not-json", observed=zipped)

    assert _are_one(answers, _finding("error-envelope: not-json", observed=zipped))
    assert not _are_one(answers, _finding("error-envelope: not-json", observed=page))

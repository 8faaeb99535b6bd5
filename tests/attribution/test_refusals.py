"""What follows from a request that is refused, or from an answer that cannot be read."""

from dataclasses import replace

from attribution.findings import a_finding, are_one


def test_a_value_that_should_be_taken_is_refused_for_what_is_unusual_about_one_that_must_be() -> None:
    must = a_finding("inactive-timer-accept: refused", "inactive-timer", sent="DefaultInactiveTimer=PT019M")
    for value, one in (("PT0000000900S", True), ("PT900.5S", False)):
        sent = f"DefaultInactiveTimer={value}"
        should = a_finding("inactive-timer-notation: refused", "inactive-timer", sent=sent)
        assert are_one(must, should) is one


def test_long_timers_that_are_refused_in_several_notations_are_refused_for_their_length() -> None:
    days, seconds = (
        a_finding("closed-timer-accept: refused", "closed-timer", cls, sent=f"DefaultClosedTimer={value}")
        for cls, value in (("a", "P30D"), ("b", "PT2592000S"))
    )
    for value, one in (("P1M", True), ("P1Y", True), ("PT168H", False)):
        sent = f"DefaultClosedTimer={value}"
        other = a_finding("closed-timer-notation: refused", "closed-timer", sent=sent)
        assert are_one(days, seconds, other) is one
        assert not are_one(seconds, other)


def test_what_is_read_of_an_answer_that_is_framed_wrong_is_wrong_for_that() -> None:
    framed = replace(a_finding("framing: framing"), numbers=frozenset({1, 2}))
    envelope = a_finding("error-envelope: not-json")

    assert are_one(framed, replace(envelope, numbers=frozenset({2})))
    assert not are_one(framed, replace(envelope, numbers=frozenset({2, 3})))
    assert not are_one(framed, envelope)


def test_refusals_of_a_parameter_that_come_and_go_are_one_with_those_that_come_every_time() -> None:
    every = a_finding(
        "chat-service-sid-accept: refused", "chat-service-sid", sent="DefaultChatServiceSid=IS1"
    )
    forms = (f"{name}=x&DefaultClosedTimer=P1D" for name in ("DefaultChatServiceSid", "Unknown"))
    with_it, without = (a_finding("any-subset: refused", sent=sent, count=99) for sent in forms)

    assert are_one(every, replace(with_it, stable=False))
    assert not are_one(every, with_it)
    assert not are_one(every, replace(without, stable=False))
    assert not are_one(replace(every, stable=False), replace(with_it, stable=False))

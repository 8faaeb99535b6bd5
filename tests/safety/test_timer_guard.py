"""Tests of the timer guard: on a live target the next request puts a shorter timer back."""

import pytest

from conformance.http import READ, Exchange, Failure, FailureKind, Request, Response, update
from conformance.model import CLOSED, INACTIVE, Probe
from conformance.safety.timer_guard import LEAST, TimerGuard

IN, OUT = INACTIVE.parameter, CLOSED.parameter
BEFORE = {INACTIVE.attribute: "PT7M", CLOSED.attribute: "PT77M"}


def guard(**settings: str | None) -> TimerGuard:
    made = TimerGuard()
    made.protect(0, {**BEFORE, **settings})
    return made


def answered(request: Request, status: int | None = 200) -> Exchange:
    if status is None:
        return Exchange(number=1, request=request, failure=Failure(FailureKind.TIMEOUT, "no answer"))
    return Exchange(number=1, request=request, response=Response(status=status))


class TestOwed:
    @pytest.mark.parametrize("value", ["PT6M", "PT1M", "PT6M59.9S", "PT0S", "banana", "", " PT1M ", "P0D"])
    def test_an_accepted_shorter_or_unreadable_timer_is_put_back(self, value: str) -> None:
        assert guard().owed(answered(update((IN, value))), None) == update((IN, "PT7M"))

    @pytest.mark.parametrize("value", ["PT7M", "PT420S", "PT8M", "P30D", "P1Y"])
    def test_a_timer_that_is_not_shorter_stays(self, value: str) -> None:
        assert guard().owed(answered(update((IN, value))), None) is None

    @pytest.mark.parametrize("status", [201, 302, 500, 503, None])
    def test_a_shorter_timer_that_may_have_been_written_is_put_back(self, status: int | None) -> None:
        assert guard().owed(answered(update((OUT, "PT10M")), status), None) == update((OUT, "PT77M"))

    @pytest.mark.parametrize("status", [400, 401, 415, 429])
    def test_a_refused_timer_is_not_put_back(self, status: int) -> None:
        assert guard().owed(answered(update((OUT, "PT10M")), status), None) is None

    def test_both_timers_are_put_back_in_one_update(self) -> None:
        request = update((OUT, "PT10M"), (IN, "PT1M"))
        assert guard().owed(answered(request), None) == update((IN, "PT7M"), (OUT, "PT77M"))

    def test_a_shorter_timer_in_an_answer_is_put_back_whatever_was_sent(self) -> None:
        shown = {INACTIVE.attribute: "PT1M", CLOSED.attribute: None}
        assert guard().owed(answered(READ), shown) == update((IN, "PT7M"))

    def test_a_timer_that_a_lenient_target_may_have_read_is_put_back(self) -> None:
        request = Request(body=b"{}", content_type="application/json", intends=((IN, "PT1M"),))
        assert guard().owed(answered(request), None) == update((IN, "PT7M"))

    def test_a_timer_that_was_never_set_is_put_back_to_30_days(self) -> None:
        assert guard(default_closed_timer=None).owed(answered(update((OUT, "P1D"))), None) == update(
            (OUT, LEAST)
        )

    def test_every_length_is_shorter_than_zero_which_means_never(self) -> None:
        never = guard(default_inactive_timer="PT0S")
        assert never.owed(answered(update((IN, "P30D"))), None) == update((IN, "PT0S"))
        assert never.owed(answered(update((IN, "PT0S"))), None) is None

    def test_an_account_that_is_not_protected_owes_nothing(self) -> None:
        assert guard().owed(answered(update((IN, "PT1M"), account=1)), None) is None


class TestBeforehand:
    def test_a_value_that_must_be_refused_takes_no_further_request(self) -> None:
        one = guard()
        assert not one.shortens(update((IN, "banana")))
        assert not one.shortens(update((IN, "PT59S")))
        assert one.shortens(update((IN, "PT1M")))
        assert one.shortens(update((IN, "PT0S")))
        assert one.cost([update((IN, "PT1M")), update((IN, "P1D")), READ]) == 4

    def test_a_probe_fits_unless_a_step_before_the_last_shortens_a_timer(self) -> None:
        short, long = update((IN, "PT1M")), update((IN, "P1D"))
        one = guard()
        assert one.fits(Probe(steps=(short,)))
        assert one.fits(Probe(steps=(long, READ, short)))
        assert not one.fits(Probe(steps=(short, READ)))

    def test_a_probe_that_is_sent_together_does_not_fit(self) -> None:
        assert not guard().fits(Probe(steps=(READ, READ), together=True))

"""On a live target no timer stays shorter than it was for longer than a request needs."""

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
    def test_one_that_is_no_shorter_stays(self, value: str) -> None:
        assert guard().owed(answered(update((IN, value))), None) is None

    @pytest.mark.parametrize("status", [201, 302, 500, 503, None])
    def test_so_is_one_that_may_have_been_written(self, status: int | None) -> None:
        assert guard().owed(answered(update((OUT, "PT10M")), status), None) == update((OUT, "PT77M"))

    @pytest.mark.parametrize("status", [400, 401, 415, 429])
    def test_a_refused_one_is_not(self, status: int) -> None:
        assert guard().owed(answered(update((OUT, "PT10M")), status), None) is None

    def test_both_are_put_back_together(self) -> None:
        request = update((OUT, "PT10M"), (IN, "PT1M"))
        assert guard().owed(answered(request), None) == update((IN, "PT7M"), (OUT, "PT77M"))

    def test_what_an_answer_shows_counts_whatever_was_sent(self) -> None:
        shown = {INACTIVE.attribute: "PT1M", CLOSED.attribute: None}
        assert guard().owed(answered(READ), shown) == update((IN, "PT7M"))

    def test_what_a_lenient_target_may_have_read_counts(self) -> None:
        request = Request(body=b"{}", content_type="application/json", intends=((IN, "PT1M"),))
        assert guard().owed(answered(request), None) == update((IN, "PT7M"))

    def test_a_timer_that_was_never_set_is_kept_long(self) -> None:
        assert guard(default_closed_timer=None).owed(answered(update((OUT, "P1D"))), None) == update(
            (OUT, LEAST)
        )

    def test_zero_is_never_so_everything_is_shorter(self) -> None:
        never = guard(default_inactive_timer="PT0S")
        assert never.owed(answered(update((IN, "P30D"))), None) == update((IN, "PT0S"))
        assert never.owed(answered(update((IN, "PT0S"))), None) is None

    def test_an_account_that_is_not_protected_owes_nothing(self) -> None:
        assert guard().owed(answered(update((IN, "PT1M"), account=1)), None) is None


class TestBeforehand:
    def test_what_is_to_be_refused_costs_nothing_more(self) -> None:
        one = guard()
        assert not one.shortens(update((IN, "banana")))
        assert not one.shortens(update((IN, "PT59S")))
        assert one.shortens(update((IN, "PT1M")))
        assert one.shortens(update((IN, "PT0S")))
        assert one.cost([update((IN, "PT1M")), update((IN, "P1D")), READ]) == 4

    def test_a_sequence_fits_unless_a_later_step_needs_a_shorter_timer(self) -> None:
        short, long = update((IN, "PT1M")), update((IN, "P1D"))
        one = guard()
        assert one.fits(Probe(steps=(short,)))
        assert one.fits(Probe(steps=(long, READ, short)))
        assert not one.fits(Probe(steps=(short, READ)))

    def test_nothing_is_sent_at_the_same_time(self) -> None:
        assert not guard().fits(Probe(steps=(READ, READ), together=True))

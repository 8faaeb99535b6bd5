"""Tests of the pace: a run keeps to its rate, and waits where the target asks for it."""

import time
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from conftest import Clock
from fakes import PacedTarget, Resource
from hostile import Hostile
from whole_runs import findings, with_values

from conformance.exceptions import OutOfTime, RateLimitedOut
from conformance.harness.executor import Plan, run
from conformance.http import EMPTY, Failure, Request, Response
from conformance.rules import CATALOGUE
from conformance.transport.pacing import BACKOFF_CEILING, Pace, retry_after
from conformance.transport.settings import TargetSettings
from conformance.transport.target import Target


def answer(status: int, after: str | None = None) -> Response:
    return Response(status=status, headers=(("Retry-After", after),) if after is not None else ())


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds of every sleep. Nothing really sleeps."""
    seconds: list[float] = []
    monkeypatch.setattr(time, "sleep", seconds.append)
    return seconds


def made(**options: float) -> Pace:
    named: dict[str, float] = {"patience": 1e6, **options}
    settings = TargetSettings(url="", **named)  # type: ignore[arg-type]  # tests name them
    return Pace(settings, notice=lambda line: None)


class TestRetryAfter:
    def test_a_number_is_seconds(self) -> None:
        assert retry_after(answer(429, "120")) == 120

    @pytest.mark.parametrize(
        "form", ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y"]
    )
    def test_a_date_may_have_three_forms(self, form: str, clock: Clock) -> None:
        when = datetime.fromtimestamp(clock.now + 90, UTC)
        assert retry_after(answer(503, when.strftime(form))) == 90

    def test_a_date_in_the_past_asks_for_no_wait(self, clock: Clock) -> None:
        past = format_datetime(datetime.fromtimestamp(clock.now - 1, UTC), usegmt=True)
        assert retry_after(answer(503, past)) == 0

    @pytest.mark.parametrize(
        "value", ["", "soon", "-1", "1.5", "9" * 30, "Mon, 01 Jan " + "9" * 30 + " 00:00:00 GMT"]
    )
    def test_any_other_value_asks_for_nothing(self, value: str) -> None:
        assert retry_after(answer(429, value)) is None


class TestWaiting:
    def test_the_wait_is_as_long_as_the_target_asks(self, slept: list[float]) -> None:
        assert made().wait(answer(429, "7"), reserve=False)
        assert made().wait(answer(503, "8"), reserve=False)
        assert slept == [7, 8]

    def test_without_a_time_waits_double_up_to_a_ceiling_with_jitter(self, slept: list[float]) -> None:
        pace = made()
        for _ in range(14):
            pace.wait(answer(429), reserve=False)
        wanted = [min(BACKOFF_CEILING, 0.1 * 2**turn) for turn in range(14)]
        assert all(0.9 * each <= seconds <= 1.1 * each for each, seconds in zip(wanted, slept, strict=True))
        assert len({round(seconds / each, 6) for each, seconds in zip(wanted, slept, strict=True)}) > 10

    def test_a_503_without_a_time_is_not_repeated(self, slept: list[float]) -> None:
        assert not made().wait(answer(503), reserve=False)
        assert slept == []

    def test_putting_settings_back_has_a_patience_of_its_own(self, slept: list[float]) -> None:
        pace = made(patience=10)
        assert pace.wait(answer(429, "9"), reserve=False)
        with pytest.raises(RateLimitedOut):
            pace.wait(answer(429, "9"), reserve=False)
        assert pace.wait(answer(429, "9"), reserve=True)
        for _ in range(3):
            pace.stayed_limited(reserve=False)
        with pytest.raises(RateLimitedOut):
            pace.stayed_limited(reserve=False)
        pace.stayed_limited(reserve=True)


class TestMaxTime:
    """Seconds within which requests may be sent, by a clock that the test controls."""

    def test_after_it_only_the_reserve_sends(self, clock: Clock) -> None:
        def answering(request: Request) -> Response:
            clock.now += 7
            return answer(200)

        with PacedTarget(answering, max_time=100) as target:
            began = clock.now
            for _ in range(15):
                target.send(EMPTY)
            with pytest.raises(
                OutOfTime, match="the 100 s that it may take, and sent 15 requests: --max-time"
            ):
                target.send(EMPTY)
            assert clock.now - began == 15 * 7
            assert target.send(EMPTY, reserve=True).status == 200

    def test_the_reserve_has_a_minute_more(self, clock: Clock) -> None:
        with PacedTarget(lambda request: answer(200), max_time=100) as target:
            clock.now += 159
            target.send(EMPTY, reserve=True)
            clock.now += 2
            with pytest.raises(OutOfTime):
                target.send(EMPTY, reserve=True)

    def test_an_answer_is_not_awaited_longer_than_the_run_may_be_nor_called_late(self) -> None:
        with (
            Hostile("silent") as server,
            Target(TargetSettings(url=server.url, max_time=0.5)) as target,
            pytest.raises(OutOfTime),
        ):
            target.send(EMPTY)
        assert target.requests == 1

    def test_a_turn_that_comes_too_late_is_not_awaited(self, clock: Clock) -> None:
        with PacedTarget(lambda request: answer(200), max_time=5, rate=0.1) as target:
            began = clock.now
            target.send(EMPTY)
            with pytest.raises(OutOfTime):
                target.send(EMPTY)
            assert (clock.now, target.requests) == (began, 1)

    def test_a_wait_that_is_longer_ends_the_run_at_once(self, clock: Clock) -> None:
        with PacedTarget(lambda request: answer(503, "200"), max_time=100) as target:
            began = clock.now
            with pytest.raises(OutOfTime, match="asks to wait"):
                target.send(EMPTY)
            assert (clock.now, target.requests) == (began, 1)
            assert target.out_of_time

    def test_a_target_that_only_asks_to_wait_has_limited_the_run_out(self, clock: Clock) -> None:
        with PacedTarget(lambda request: answer(429), max_time=20) as target:
            assert target.send(EMPTY).status == 429
            with pytest.raises(RateLimitedOut):
                target.send(EMPTY)

    def test_a_run_on_a_slow_target_ends_in_time_with_the_settings_of_before(self, clock: Clock) -> None:
        resource = with_values(Resource())
        before = [dict(each) for each in resource.states]

        def answering(request: Request) -> Response | Failure:
            clock.now += 9
            return resource(request)

        with PacedTarget(answering, max_requests=300, max_time=600) as target:
            began = clock.now
            report = run(CATALOGUE, target, Plan(profile="quick"))
        assert 600 <= clock.now - began < 660
        assert report.restore.state == "restored"
        assert resource.states == before
        assert findings(report) == set()


class TestSlowing:
    def test_requests_keep_a_distance_after_a_429_until_it_has_shrunk_away(self, clock: Clock) -> None:
        pace = made()
        pace.wait(answer(429, "0"), reserve=False)
        pace.wait(answer(429, "0"), reserve=False)
        began = clock.now
        for _ in range(5):
            pace.turn(1)
        assert clock.now - began == pytest.approx(4 * 0.02)
        for _ in range(60):
            pace.wait(answer(200), reserve=False)
        began = clock.now
        for _ in range(100):
            pace.turn(1)
        assert clock.now == began

    def test_one_line_sums_up_the_waits(self, slept: list[float]) -> None:
        pace = made()
        assert pace.slowed() == ""
        pace.wait(answer(429, "2"), reserve=False)
        pace.wait(answer(503, "3"), reserve=True)
        line = pace.slowed()
        assert "429 once, 503 once; 5.0 s in all" in line
        assert "0.01 s apart" in line

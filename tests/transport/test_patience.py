"""How long a run waits for answers that do not come."""

from conformance.http import READ, Exchange, Failure, FailureKind, Response
from conformance.transport.patience import Patience


def _unanswered(seconds: float) -> Exchange:
    return Exchange(
        number=9, request=READ, elapsed=seconds, failure=Failure(FailureKind.TIMEOUT, "no answer")
    )


def test_after_three_whole_waits_the_others_are_short_and_the_user_is_told_once() -> None:
    told: list[str] = []
    patience = Patience(10.0, told.append)
    for _ in range(3):
        assert patience.seconds == 10.0
        patience.saw(_unanswered(10.0))
    assert patience.seconds == 0.5
    patience.saw(_unanswered(0.5))
    assert told == [patience.cut_short]
    assert "after request 9 the run waits 0.5 s for each, and 30 s for all" in patience.cut_short


def test_a_slow_target_is_waited_for_longer_than_for_its_slowest_answer() -> None:
    patience = Patience(10.0, print)
    patience.saw(Exchange(number=1, request=READ, elapsed=1.5, response=Response(status=200)))
    patience.saw(_unanswered(30.0))
    assert patience.seconds == 4.5
    patience.saw(Exchange(number=1, request=READ, elapsed=9.0, response=Response(status=200)))
    assert patience.seconds == 10.0


def test_the_time_is_spent_when_the_short_waits_have_taken_as_long_again() -> None:
    patience = Patience(10.0, print)
    for _ in range(59):
        patience.saw(_unanswered(1.0))
        assert not patience.is_spent
    patience.saw(_unanswered(1.0))
    assert patience.is_spent

"""References that nothing can be compared with: each ends with one line, and accuses nobody."""

from collections import Counter
from itertools import count

import pytest
from fakes import Resource, refusal

from conformance.exceptions import NoVerdict
from conformance.http import Failure, Request, Response
from fidelity.played import run_both


class Numbered(Resource):
    """Counts the requests that it is sent."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers = count(1)


class Restless(Numbered):
    """Shows another timer each time."""

    def __call__(self, request: Request) -> Response | Failure:
        self.write(request, {"default_inactive_timer": f"PT{next(self.numbers)}M"})
        return super().__call__(request)


class Unwilling(Numbered):
    """Refuses all requests but the first ones, which find out what is set."""

    def __call__(self, request: Request) -> Response | Failure:
        return super().__call__(request) if next(self.numbers) <= 4 else refusal(400)


class Moody(Numbered):
    """Refuses a request every second time that it comes."""

    def __init__(self) -> None:
        super().__init__()
        self.times = Counter[Request]()

    def __call__(self, request: Request) -> Response | Failure:
        self.times[request] += 1
        return (
            super().__call__(request) if next(self.numbers) <= 4 or self.times[request] % 2 else refusal(400)
        )


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        (Restless, "shows other settings each time"),
        (Unwilling, "accepts none of the requests"),
        (Moody, "otherwise when they are sent again"),
    ],
)
def test_a_reference_without_a_will_of_its_own_gives_no_verdict(reference: type[Resource], says: str) -> None:
    with pytest.raises(NoVerdict, match=says):
        run_both(reference(), Resource())


class Crashes(Resource):
    """Takes a timer that is too short, and is out of service after an update."""

    def __init__(self, at: bytes) -> None:
        super().__init__()
        self.at, self.is_there = at, True

    def __call__(self, request: Request) -> Response | Failure:
        self.is_there = self.is_there and self.at not in (request.body or b"")
        return super().__call__(request) if self.is_there else Response(status=502)

    def takes(self, parameter: str, value: str) -> bool:
        return super().takes(parameter, value) or value == "PT9M59S"


def test_of_a_candidate_that_goes_away_what_came_before_is_compared() -> None:
    found = run_both(Resource(), Crashes(b"banana"))
    assert [each.cause for each in found.groups] == ["closed-timer-minimum: accepted"]
    (note,) = found.candidate.notes
    assert "got no answer (status 502), and it is out of service since" in note
    assert found.comparison.not_comparable > 0


def test_a_candidate_that_goes_away_at_once_is_accused_of_nothing() -> None:
    assert run_both(Resource(), Crashes(b"=PT59S")).groups == ()

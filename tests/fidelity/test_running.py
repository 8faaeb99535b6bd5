"""References that nothing can be compared with: each ends with one line, and accuses nobody."""

from collections import Counter
from itertools import count

import pytest
from fakes import Resource, refusal

from conformance.exceptions import NoVerdict, TargetDead
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


def test_a_candidate_that_a_proxy_says_is_out_of_service_gives_no_verdict() -> None:
    class Crashes(Resource):
        is_there = True

        def __call__(self, request: Request) -> Response | Failure:
            self.is_there = self.is_there and b"banana" not in (request.body or b"")
            return super().__call__(request) if self.is_there else Response(status=502)

    with pytest.raises(TargetDead, match=r"got no answer \(status 502\), and it is out of service since"):
        run_both(Resource(), Crashes())

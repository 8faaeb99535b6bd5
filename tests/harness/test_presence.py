"""A target that is gone, and still answers, is accused of nothing that it does then."""

from collections.abc import Callable

import pytest
from fakes import Resource, answer, refusal, representation
from whole_runs import Fault, findings, judged

from conformance.http import Failure, FailureKind, Request, Response
from conformance.model import Verdict

pytestmark = pytest.mark.usefixtures("no_waiting")

Manner = Callable[[Request, Resource], Response | Failure]


def leaving(resource: Resource, since: int, manner: Manner) -> Callable[[Request], Response | Failure]:
    """Answer as a resource does, and from one request on in another manner."""
    count = 0

    def answering(request: Request) -> Response | Failure:
        nonlocal count
        count += 1
        return resource(request) if count < since else manner(request, resource)

    return answering


MANNERS: dict[str, Manner] = {
    "revoked": lambda request, resource: refusal(401),
    "moved": lambda request, resource: answer(404, {}),
    "out of service": lambda request, resource: Response(status=503),
    "read-only": lambda request, resource: refusal(403) if request.method == "POST" else resource(request),
    "replaced": lambda request, resource: answer(200, {"status": "ok"}),
    "another account": lambda request, resource: answer(
        200, {**representation(), "account_sid": "AC" + "5" * 32}
    ),
    "silent": lambda request, resource: Failure(FailureKind.DISCONNECT, "closed"),
}


@pytest.mark.parametrize("since", [40, 130])
@pytest.mark.parametrize("name", MANNERS)
def test_a_target_that_went_away_is_not_accused(name: str, since: int) -> None:
    report, target = judged(leaving(Resource(), since, MANNERS[name]))
    assert findings(report) == set()
    assert (report.verdict, report.exit_code) == (Verdict.ERROR, 3)
    assert "is not what it was" in report.stopped
    assert len(target.sent) < since + 120


def test_what_was_found_before_counts() -> None:
    faulty = Fault(accepts=["PT59S"])
    report, _ = judged(leaving(faulty, 150, MANNERS["revoked"]))
    assert {rule for rule, _ in findings(report)} == {"inactive-timer-minimum"}
    assert report.exit_code == 1
    assert "refuses the credentials that it took before" in report.stopped


def test_a_target_that_refuses_a_few_good_updates_is_judged() -> None:
    class Locks(Resource):
        refusing = 0

        def __call__(self, request: Request) -> Response | Failure:
            if not request.auth.valid:
                self.refusing = 5
            elif self.refusing:
                self.refusing -= 1
                return refusal(403)
            return super().__call__(request)

    report, _ = judged(Locks())
    assert report.exit_code == 1
    assert report.stopped == ""

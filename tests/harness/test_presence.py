"""A target that is gone, and still answers, is accused of nothing that it does then."""

from collections.abc import Callable, Mapping

import pytest
from fakes import Resource, answer, refusal, representation
from whole_runs import Fault, findings, judged

from conformance.http import Failure, FailureKind, Request, Response
from conformance.model import CLOSED, INACTIVE, Verdict
from conformance.transport.credentials import THROWAWAY

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


def frozen(request: Request, resource: Resource) -> Response | Failure:
    """Accept what comes, and show the settings that were in force."""
    return answer(200, {**representation(), **resource.states[request.account]})


def shut_out(account: int, status: int) -> Manner:
    """Refuse one of the accounts."""
    return lambda request, resource: refusal(status) if request.account == account else resource(request)


MANNERS: dict[str, Manner] = {
    "revoked": lambda request, resource: refusal(401),
    "moved": lambda request, resource: answer(404, {}),
    "out of service": lambda request, resource: Response(status=503),
    "read-only": lambda request, resource: refusal(403) if request.method == "POST" else resource(request),
    "replaced": lambda request, resource: answer(200, {"status": "ok"}),
    "another account": lambda request, resource: answer(
        200, {**representation(), "account_sid": "AC" + "5" * 32}
    ),
    "frozen": frozen,
    "read-only with 200": lambda request, resource: (
        frozen(request, resource) if request.method == "POST" else resource(request)
    ),
    "revoked for the first account": shut_out(0, 401),
    "revoked for the second account": shut_out(1, 401),
    "suspended for the second account": shut_out(1, 403),
    "no account": lambda request, resource: answer(200, {}),
    "silent": lambda request, resource: Failure(FailureKind.DISCONNECT, "closed"),
}


@pytest.mark.parametrize("since", [40, 130])
@pytest.mark.parametrize("name", MANNERS)
def test_a_target_that_went_away_is_not_accused(name: str, since: int) -> None:
    report, target = judged(leaving(Resource(), since, MANNERS[name]))
    assert findings(report) == set()
    assert (report.verdict, report.exit_code) == (Verdict.ERROR, 3)
    assert "is not what it was" in report.stopped
    assert len(target.sent) < since + 160  # the second account has its turn later


def test_what_was_found_before_counts() -> None:
    faulty = Fault(accepts=["PT59S"])
    report, _ = judged(leaving(faulty, 150, MANNERS["revoked"]))
    assert {rule for rule, _ in findings(report)} == {"inactive-timer-minimum"}
    assert report.exit_code == 1
    assert "refuses the credentials that it took before" in report.stopped


def test_what_one_account_showed_counts_though_another_is_shut_out() -> None:
    faulty = Fault(accepts=["PT59S"])
    report, _ = judged(leaving(faulty, 40, shut_out(1, 401)))
    assert {rule for rule, _ in findings(report)} == {"inactive-timer-minimum"}
    assert f"is not what it was for {THROWAWAY[1].sid}" in report.stopped


def test_a_target_that_stores_some_settings_only_is_judged() -> None:
    class Forgets(Resource):
        """Accepts closed timers and does not store them."""

        def write(self, request: Request, values: Mapping[str, str]) -> None:
            super().write(
                request, {name: value for name, value in values.items() if name != CLOSED.attribute}
            )

    report, _ = judged(Forgets())
    assert report.exit_code == 1
    assert report.stopped == ""


def test_a_target_that_stops_storing_one_setting_is_judged() -> None:
    class Stops(Resource):
        """Stores inactive timers a few times."""

        stored = 0

        def write(self, request: Request, values: Mapping[str, str]) -> None:
            self.stored += INACTIVE.attribute in values
            kept = {name: value for name, value in values.items() if name != INACTIVE.attribute}
            super().write(request, values if self.stored < 20 else kept)

    report, _ = judged(Stops())
    assert report.exit_code == 1
    assert report.stopped == ""


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

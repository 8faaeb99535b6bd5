"""A target of which an instance is gone, or replaced by an empty one, is not accused; one that deviates so is."""

from collections.abc import Callable

import pytest
from fakes import Resource, answer, refusal, representation
from whole_runs import findings, judged

from conformance.harness.executor import Plan
from conformance.http import Failure, FailureKind, Request, Response
from conformance.model import Verdict

pytestmark = pytest.mark.usefixtures("no_waiting")

DEAD: dict[str, Response | Failure] = {
    "out of service": Response(status=502),
    "unknown account": refusal(401),
    "closed": Failure(FailureKind.DISCONNECT, "closed"),
}


class Sometimes(Resource):
    """Does something else at some of its requests."""

    def __init__(self, due: Callable[[int], bool], said: Response | Failure | None = None) -> None:
        super().__init__()
        self.due, self.said, self.count = due, said, 0

    def __call__(self, request: Request) -> Response | Failure:
        self.count += 1
        if self.due(self.count):
            if self.said is not None:
                return self.said
            for state in self.states:
                state.update(dict.fromkeys(state))
        return super().__call__(request)


@pytest.mark.parametrize("since", [50, 150])
@pytest.mark.parametrize("name", DEAD)
def test_one_of_two_instances_that_is_gone(name: str, since: int) -> None:
    report, target = judged(Sometimes(lambda number: number >= since and number % 2 == 0, DEAD[name]))
    assert findings(report) == set()
    assert report.exit_code == 3
    assert "as if one of its instances were gone" in report.stopped
    assert len(target.sent) < since + 60


@pytest.mark.parametrize("name", DEAD)
def test_a_target_that_fails_so_from_the_beginning_deviates(name: str) -> None:
    report, _ = judged(Sometimes(lambda number: number % 5 == 0, DEAD[name]))
    assert report.exit_code == 1


@pytest.mark.parametrize("since", [40, 80, 110, 200, 260])
def test_an_instance_that_is_replaced_by_an_empty_one(since: int) -> None:
    report, _ = judged(Sometimes(lambda number: number == since))
    assert findings(report) == set()
    assert (report.verdict, report.exit_code) == (Verdict.ERROR, 3)
    assert "as if another instance had taken its place" in report.stopped


@pytest.mark.parametrize("every", [40, 60, 90])
def test_a_target_that_loses_everything_again_and_again_deviates(every: int) -> None:
    report, _ = judged(Sometimes(lambda number: number % every == 0))
    assert report.exit_code == 1
    assert findings(report)


def test_a_target_that_loses_the_settings_of_one_account_alone_deviates() -> None:
    class Loses(Sometimes):
        def __call__(self, request: Request) -> Response | Failure:
            if self.count == 200:
                self.states[0].update(dict.fromkeys(self.states[0]))
            return super().__call__(request)

    report, _ = judged(Loses(lambda number: False))
    assert findings(report)


class Silent(Resource):
    """A mock: it answers everything with the same texts, all of which are empty."""

    def __call__(self, request: Request) -> Response | Failure:
        shown = representation(dict.fromkeys(self.states[0], ""), request.account)
        return answer(200, {**shown, "account_sid": "", "url": ""})


@pytest.mark.parametrize(
    ("profile", "limit"), [("quick", 300), pytest.param("standard", 3_000, marks=pytest.mark.slow)]
)
def test_a_target_that_keeps_nothing_has_nothing_to_lose(profile: str, limit: int) -> None:
    report, _ = judged(Silent(), plan=Plan(profile=profile), limit=limit)
    assert report.stopped == ""
    assert report.exit_code == 1

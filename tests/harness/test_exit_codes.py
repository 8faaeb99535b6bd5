"""A run ends with the exit code that its worst event asks for, and keeps what it found before."""

import itertools
from collections.abc import Mapping

import pytest
from fakes import Resource, refusal
from whole_runs import Answering, Fault, findings, judged, outcome, with_values

from conformance.exceptions import TargetDead
from conformance.harness.executor import Plan
from conformance.http import Failure, FailureKind, Request, Response
from conformance.model import (
    Level,
    Verdict,
)

pytestmark = pytest.mark.usefixtures("no_waiting")


def dying(after: int, resource: Answering) -> Answering:
    """A target that goes away after so many requests."""
    count = itertools.count()

    def answering(request: Request) -> Response | Failure:
        if next(count) >= after:
            raise TargetDead("it cannot be reached")
        return resource(request)

    return answering


def interrupted(after: int, resource: Answering) -> Answering:
    """Interrupts one request, as Ctrl-C would."""
    count = itertools.count()

    def answering(request: Request) -> Response | Failure:
        if next(count) == after:
            raise KeyboardInterrupt
        return resource(request)

    return answering


class Forgetful(Resource):
    """Loses one setting for good when it is written as a restore would."""

    def write(self, request: Request, values: Mapping[str, str]) -> None:
        super().write(
            request, {name: "PT45M" if value == "PT30M" else value for name, value in values.items()}
        )


class TestExitCodes:
    """Where several exit codes apply, the first of these counts: 130, 4, 1, 3, 5, 0."""

    def test_0_with_only_should_broken(self) -> None:
        report, _ = judged(Fault(accepts=["pt10m"]))
        assert findings(report) == {("inactive-timer-strictness", "accepted")} or findings(report) == {
            ("closed-timer-strictness", "accepted")
        }
        assert (report.verdict, report.exit_code) == (Verdict.NON_STRICT, 0)

    def test_1_with_only_should_broken_when_asked_for(self) -> None:
        report, _ = judged(Fault(accepts=["pt10m"]), plan=Plan(profile="quick", fail_on=Level.SHOULD))
        assert (report.verdict, report.exit_code) == (Verdict.NON_STRICT, 1)

    @pytest.mark.parametrize("status", [404, 405, 501])
    def test_1_for_a_resource_that_is_not_there_with_one_finding(self, status: int) -> None:
        report, target = judged(lambda request: refusal(status, ("Allow", "OPTIONS")))
        assert findings(report) == {("implemented", "absent")}
        assert (report.verdict, report.exit_code) == (Verdict.UNIMPLEMENTED, 1)
        assert outcome(report, "implemented").verdict is Verdict.UNIMPLEMENTED
        others = {each.verdict for each in report.outcomes if each.rule.id != "implemented"}
        assert others == {Verdict.NOT_RUN}
        assert len(target.sent) <= 6

    @pytest.mark.parametrize("status", [400, 409, 302, 500])
    def test_1_for_a_resource_that_refuses_everything_good(self, status: int) -> None:
        report, _ = judged(lambda request: refusal(status))
        assert (report.verdict, report.exit_code) == (Verdict.DEVIATION, 1)

    @pytest.mark.parametrize(
        "nothing",
        [
            lambda request: refusal(401, ("WWW-Authenticate", "Basic")),
            lambda request: Failure(FailureKind.FRAMING, "not HTTP"),
            lambda request: Failure(FailureKind.TIMEOUT, "no byte"),
            dying(0, Resource()),
        ],
        ids=["credentials", "not-http", "silent", "dead"],
    )
    def test_3_without_a_verdict_and_no_rule_is_said_to_hold(self, nothing: Answering) -> None:
        report, _ = judged(nothing)
        assert (report.verdict, report.exit_code) == (Verdict.ERROR, 3)
        assert {each.verdict for each in report.outcomes} == {Verdict.NOT_RUN}
        assert report.stopped

    def test_3_when_the_target_goes_away_and_the_report_names_the_last_request(self) -> None:
        report, _ = judged(dying(60, Resource()))
        assert (report.verdict, report.exit_code) == (Verdict.ERROR, 3)
        assert "last request: POST b'Default" in report.stopped

    def test_a_connection_that_drops_because_the_target_goes_away_is_no_deviation(self) -> None:
        resource = Resource()
        count = itertools.count()

        def killed(request: Request) -> Response | Failure:
            number = next(count)
            if number > 60:
                raise TargetDead("it cannot be reached")
            return Failure(FailureKind.DISCONNECT, "closed") if number == 60 else resource(request)

        report, _ = judged(killed)
        assert (findings(report), report.exit_code) == (set(), 3)

    def test_1_when_the_target_goes_away_after_a_deviation(self) -> None:
        """A found MUST deviation never turns into "no verdict"."""
        fault = Fault(accepts=["PT0M59S", "PT9M", "PT599S"])
        report, _ = judged(dying(240, fault))
        assert report.exit_code == 1
        assert ("inactive-timer-minimum", "accepted") in findings(report)
        assert "last request" in report.stopped

    def test_4_when_a_setting_that_had_a_value_does_not_have_it_again(self) -> None:
        report, _ = judged(with_values(Forgetful()), "media-type")
        assert report.restore.state == "failed"
        assert report.exit_code == 4

    def test_4_also_with_deviations(self) -> None:
        class Both(Forgetful, Fault):
            pass

        report, _ = judged(with_values(Both(accepts=["PT59S"])))
        assert ("inactive-timer-minimum", "accepted") in findings(report)
        assert report.exit_code == 4

    def test_never_4_for_settings_that_were_null(self) -> None:
        report, _ = judged(Resource(), "last-write-wins")
        assert report.restore.unrestorable
        assert report.exit_code == 0

    def test_5_when_nothing_was_exercised(self) -> None:
        report, _ = judged(Resource(), "accounts-apart", accounts=1)
        assert report.exit_code == 5
        assert outcome(report, "accounts-apart").reason == "needs a second account: set CONFORMANCE_ACCOUNTS"

    def test_130_when_interrupted_and_the_settings_are_put_back(self) -> None:
        resource = with_values(Resource())
        before = [dict(each) for each in resource.states]
        report, _ = judged(interrupted(100, resource))
        assert (report.stopped, report.exit_code) == ("interrupted", 130)
        assert resource.states == before

    def test_130_keeps_what_was_found_before(self) -> None:
        report, _ = judged(interrupted(240, Fault(accepts=["PT0M59S", "PT9M", "PT599S"])))
        assert report.exit_code == 130
        assert ("inactive-timer-minimum", "accepted") in findings(report)

    def test_130_over_4(self) -> None:
        report, _ = judged(interrupted(100, with_values(Forgetful())))
        assert (report.restore.state, report.exit_code) == ("failed", 130)

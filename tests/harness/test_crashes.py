"""A target that crashes at a request: the request is named, and accused where it ends the target each time."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from fakes import Mortal, PacedTarget, Resource
from whole_runs import findings, outcome, with_values

from conformance.harness.executor import Plan, run
from conformance.http import ByHand, Failure, Request, Response
from conformance.model import Report, Rule, Verdict
from conformance.reporting import build
from conformance.rules import BY_ID, CATALOGUE
from conformance.rules.robustness import EVERY_ANSWERED

pytestmark = pytest.mark.slow

Dies = Callable[[Request], bool]


def judged(
    mortal: Mortal,
    monkeypatch: pytest.MonkeyPatch,
    profile: str = "quick",
    catalogue: Sequence[Rule] = CATALOGUE,
) -> Report:
    """A run in which every wait is long enough for a supervised target to come back."""
    monkeypatch.setattr(time, "sleep", mortal.start)
    limit = 300 if profile == "quick" else 3_000
    return run(catalogue, PacedTarget(mortal, max_requests=limit), Plan(profile=profile))


def once(number: int) -> Dies:
    """Dies of the request of this number, whatever it is."""
    count = iter(range(1, 1 << 30))
    return lambda request: next(count) == number


def has_header(name: str) -> Dies:
    return lambda request: any(each.lower() == name for each, _ in request.headers)


class TestATargetThatStaysAway:
    """Nobody knows whether it crashed or was stopped: it is not accused, and the request is shown."""

    @pytest.mark.parametrize(
        "dies",
        [
            lambda request: request.method == "GET",
            lambda request: request.body == b"",
            lambda request: bool(request.form()),
            lambda request: request.chunked,
            once(60),
            once(290),
        ],
        ids=["read", "empty-update", "first-write", "chunked", "early", "late"],
    )
    def test_the_request_is_named_with_a_curl_line_and_accused_of_nothing(
        self, dies: Dies, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        report = judged(Mortal(dies), monkeypatch)
        assert (findings(report), report.exit_code, report.verdict) == (set(), 3, Verdict.ERROR)
        (suspect,) = report.unanswered
        assert f"request {suspect.number} got no answer (closed after 0 bytes of an answer)" in report.stopped
        assert "cannot be reached since: Connection refused" in report.stopped
        assert outcome(report, "every-request-answered").verdict in (Verdict.UNDECIDED, Verdict.NOT_RUN)
        assert suspect.failure is not None

    def test_the_curl_line_has_every_header_of_the_request(self, monkeypatch: pytest.MonkeyPatch) -> None:
        report = judged(Mortal(has_header("accept")), monkeypatch)
        name, value = report.unanswered[0].request.headers[0]
        assert f"-H '{name}: {value}'" in build(report)["unanswered"]["curl"]

    def test_a_rule_that_was_broken_before_stays_broken(self, monkeypatch: pytest.MonkeyPatch) -> None:
        class Fails(Resource):
            def takes(self, parameter: str, value: str) -> bool:
                return value == "PT59S" or super().takes(parameter, value)

        report = judged(Mortal(once(280), resource=Fails), monkeypatch)
        assert ("inactive-timer-minimum", "accepted") in findings(report)
        assert (report.exit_code, len(report.unanswered)) == (1, 1)

    def test_a_crash_at_the_restore_is_told_beside_the_settings_that_are_lost(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        old = [(name, value) for name, value in with_values(Resource()).states[0].items() if value]

        def is_restore(request: Request) -> bool:
            return len(request.form() or ()) == len(old) and {each for _, each in request.form() or ()} == {
                value for _, value in old
            }

        report = judged(Mortal(is_restore, resource=lambda: with_values(Resource())), monkeypatch)
        assert (findings(report), report.exit_code, report.restore.state) == (set(), 4, "failed")
        assert is_restore(report.unanswered[0].request)
        assert f"request {report.unanswered[0].number:,} got no answer" in report.stopped

    def test_a_target_that_is_stopped_between_two_requests_is_suspected_of_nothing(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        mortal = Mortal(lambda request: False)
        monkeypatch.setattr(time, "sleep", mortal.start)
        stop = once(280)

        def answering(request: Request) -> Response | Failure:
            if stop(request):
                mortal.stop()
            return mortal(request)

        report = run(CATALOGUE, PacedTarget(answering, max_requests=300), Plan(profile="quick"))
        assert (findings(report), report.exit_code, report.unanswered) == (set(), 3, ())
        assert "answered until request 279, and cannot be reached since" in report.stopped
        assert outcome(report, "every-request-answered").verdict is Verdict.CONFORMANT


class Proxy:
    """Answers 502 in place of a target that is not there, and so to the request that has ended it."""

    def __init__(self, target: Mortal) -> None:
        self._target = target

    def __call__(self, request: Request) -> Response:
        came = self._target(request)
        return came if isinstance(came, Response) else Response(status=502, body=b"<h1>Bad Gateway</h1>")


class TestATargetBehindAProxy:
    """The proxy answers that the target is out of service, and that is put down to nothing else."""

    @pytest.mark.parametrize(
        ("dies", "nobody_knows"),
        [
            (lambda request: request.chunked, False),
            (lambda request: b"banana" in (request.body or b""), False),
            (60, True),
            (290, True),
        ],
        ids=["chunked", "value", "early", "late"],
    )
    @pytest.mark.parametrize("is_supervised", [False, True], ids=["stays-away", "comes-back"])
    def test_the_request_is_named_or_accused_and_nothing_after_it_is(
        self, dies: Dies | int, nobody_knows: bool, is_supervised: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        dies = once(dies) if isinstance(dies, int) else dies
        mortal = Mortal(dies, is_supervised=is_supervised)
        monkeypatch.setattr(time, "sleep", mortal.start)
        report = run(CATALOGUE, PacedTarget(Proxy(mortal), max_requests=300), Plan(profile="quick"))
        if not is_supervised:
            (suspect,) = report.unanswered
            assert (findings(report), report.exit_code) == (set(), 3)
            assert "it is out of service" in report.stopped
            assert f"request {suspect.number}" in report.stopped
        elif nobody_knows:
            assert (findings(report), report.exit_code) == (set(), 0)
            assert "one request was answered with 502" in " ".join(each.text for each in report.observations)
        else:
            assert findings(report) == {("no-server-error", "server-error")}
            (finding, *_) = outcome(report, "no-server-error").findings
            assert [dies(each.request) for each in finding.exchanges] == [True]

    def test_one_that_goes_before_it_has_taken_an_update_is_not_accused(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(time, "sleep", lambda seconds: None)
        mortal = Mortal(lambda request: request.method == "POST")
        report = run(CATALOGUE, PacedTarget(Proxy(mortal), max_requests=300), Plan(profile="quick"))
        assert (findings(report), report.exit_code) == (set(), 3)
        assert "answered until request 1; request 2 got no answer (status 502)" in report.stopped


class TestATargetThatComesBack:
    """It is asked again: what ends it every time is accused, and what its restart has lost is not."""

    @pytest.mark.parametrize(
        "dies",
        [
            lambda request: request.method == "GET",
            lambda request: request.body == b"",
            lambda request: request.chunked,
            has_header("accept"),
            lambda request: b"banana" in (request.body or b""),
        ],
        ids=["read", "empty-update", "chunked", "header", "value"],
    )
    def test_the_request_that_ends_it_every_time_is_a_deviation(
        self, dies: Dies, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        report = judged(Mortal(dies, is_supervised=True), monkeypatch)
        assert findings(report) == {("every-request-answered", "disconnect")}
        assert (report.exit_code, report.stopped, report.unanswered) == (1, "", ())
        (finding, *_) = outcome(report, "every-request-answered").findings
        assert finding.stable
        assert [dies(each.request) for each in finding.exchanges] == [True]

    @pytest.mark.parametrize(
        "dies", [lambda request: request.method == "GET", has_header("accept")], ids=["read", "header"]
    )
    def test_one_that_is_started_again_at_once_is_accused_of_no_more(
        self, dies: Dies, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A supervisor that holds the port starts another process, which has nothing set; no connection is refused."""

        class AtOnce(Mortal):
            def __call__(self, request: Request) -> Response | Failure:
                came = super().__call__(request)
                self.start(0.0)
                return came

        report = judged(AtOnce(dies, is_supervised=True), monkeypatch)
        assert findings(report) == {("every-request-answered", "disconnect")}

    def test_one_restart_is_no_deviation_whatever_it_has_lost(self, monkeypatch: pytest.MonkeyPatch) -> None:
        report = judged(Mortal(once(150), is_supervised=True), monkeypatch)
        assert (findings(report), report.exit_code) == (set(), 0)

    @pytest.mark.parametrize(
        ("dies", "catalogue"),
        [
            (
                lambda request: request.by_hand is ByHand.TRAILERS,
                [BY_ID["chunked-body"], replace(EVERY_ANSWERED, classes=())],
            ),
            (lambda request: request.chunked and request.fresh, CATALOGUE),
        ],
        ids=["by-hand", "combination"],
    )
    def test_a_request_of_the_longer_profiles_too(
        self, dies: Dies, catalogue: Sequence[Rule], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        report = judged(Mortal(dies, is_supervised=True), monkeypatch, "standard", catalogue)
        assert findings(report) == {("every-request-answered", "disconnect")}

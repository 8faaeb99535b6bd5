"""A whole run sends what its plan says, reports its findings, and ends with the right exit code."""

import itertools
from collections import Counter

import pytest
from fakes import FakeTarget, Resource, answer, refusal, representation
from whole_runs import QUICK, Fault, findings, judged, outcome, with_values

from conformance.contract import version_of
from conformance.emulator import FAULTS
from conformance.harness import packages
from conformance.harness.events import (
    Event,
    ExchangeJudged,
    FindingConfirmed,
    PhaseStarted,
    RequestSent,
    RunFinished,
    RunStarted,
)
from conformance.harness.executor import Plan, run
from conformance.http import Failure, Request, Response
from conformance.model import (
    BY_HAND,
    CHAT,
    CLOSED,
    EXAMPLE,
    INACTIVE,
    MESSAGING,
    PARAMETERS,
    Level,
    Report,
    Verdict,
)
from conformance.oracle.decisions import length_of
from conformance.rules import BY_ID, CATALOGUE
from conformance.rules.sdk import NEED
from conformance.transport.credentials import THROWAWAY
from conformance.transport.embedded import Embedded
from conformance.transport.target import Target, TargetSettings

pytestmark = pytest.mark.usefixtures("no_waiting")


@pytest.mark.slow
class TestAConformantTarget:
    """A quick run against a target that does everything right."""

    @pytest.fixture(scope="class")
    @classmethod
    def quick(cls) -> tuple[Report, FakeTarget]:
        return judged(Resource())

    def test_comes_out_as_conformant_with_exit_code_0(self, quick: tuple[Report, FakeTarget]) -> None:
        report, _ = quick
        assert findings(report) == set()
        assert (report.verdict, report.exit_code) == (Verdict.CONFORMANT, 0)

    def test_is_sent_at_most_300_requests(self, quick: tuple[Report, FakeTarget]) -> None:
        report, target = quick
        assert report.requests == len(target.sent) <= 300

    def test_every_input_class_is_sent_for_at_least_one_of_two_parallel_settings(
        self, quick: tuple[Report, FakeTarget]
    ) -> None:
        report, _ = quick
        sent = Counter[str]()
        for each in report.outcomes:
            for cls in each.classes:
                parallel = each.rule.id.replace("closed", "inactive").replace("messaging", "chat")
                sent[f"{parallel} {cls.id}"] += cls.examples
        # Those that need no 405, no second account and no answer of some kind have no excuse.
        by_hand = {cls.id for rule in CATALOGUE for cls in rule.classes if cls.rare and rule.field is None}
        assert {name.split()[1] for name, count in sent.items() if not count} == by_hand

    def test_every_rule_is_exercised(self, quick: tuple[Report, FakeTarget]) -> None:
        report, _ = quick
        # These are asked for, or are for longer profiles.
        others = [each for each in report.outcomes if each.rule.needs != BY_HAND and each.rule.group != "sdk"]
        open_to_it = {each.rule.id: each.reason for each in others if each.verdict != Verdict.CONFORMANT}
        assert open_to_it == {
            "documented-headers": "no Access-Control-Allow-Credentials header was sent with the answer to an update",
            "resource-links": "links were never shown",
        }
        assert all(each.evidence is not None for each in others if each.rule.id not in open_to_it)
        assert all(each.examples for each in others)


@pytest.mark.slow
@pytest.mark.parametrize(
    "only",
    [
        each.id
        for each in CATALOGUE
        if each.group not in ("openapi", "sdk") and each.id not in ("documented-headers", "resource-links")
    ],
)
def test_a_rule_by_itself_has_its_evidence_too(only: str) -> None:
    report, _ = judged(Resource(), only, plan=Plan(profile="quick", rare=True))
    assert (outcome(report, only).verdict, outcome(report, only).reason) == (Verdict.CONFORMANT, "")
    assert report.exit_code == 0


@pytest.mark.slow
def test_the_same_seed_sends_the_same_requests() -> None:
    first, second = (judged(Resource(), plan=Plan(seed=7), limit=1200)[1].sent for _ in range(2))
    assert first == second


@pytest.mark.slow
def test_probes_drawn_for_one_run_are_sent_by_another_and_not_drawn_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plan = Plan(seed=7, drawn={})
    rules = ("inactive-timer-syntax", "omitted-parameters-kept")
    fresh, first = (
        judged(Resource(), *rules, plan=each, limit=1200)[1].sent for each in (Plan(seed=7), plan)
    )
    monkeypatch.setattr("conformance.harness.phases.generate", None)
    monkeypatch.setattr("conformance.harness.phases.run_machine", None)
    again = judged(Resource(), *rules, plan=plan, limit=1200)[1].sent

    assert fresh == first == again


@pytest.mark.slow
def test_a_target_that_fails_at_every_seventh_request_is_unstable_and_ends_no_phase() -> None:
    class Failing(Resource):
        count = itertools.count(1)

        def __call__(self, request: Request) -> Response | Failure:
            return super().__call__(request) if next(self.count) % 7 else answer(500, {"status": 500})

    report, _ = judged(Failing(), plan=Plan(), limit=6000)
    found = outcome(report, "no-server-error").findings
    assert report.stopped == ""
    assert sum(each.stable for each in found) < len(found) / 4
    assert outcome(report, "openapi-response").examples > 0


def test_another_seed_sends_others() -> None:
    plans = (Plan(seed=1), Plan(seed=2))
    first, second = (judged(Resource(), "inactive-timer-echo", plan=plan)[1].sent for plan in plans)
    assert first != second


@pytest.mark.slow
def test_a_real_target_receives_the_same_bytes_twice() -> None:
    """Two fresh emulators, one seed: every request the same, to the byte."""
    runs = []
    for _ in range(2):
        with (
            Embedded(THROWAWAY) as embedded,
            Target(TargetSettings(url=embedded.url(), max_requests=600)) as target,
        ):
            sent: list[Request] = []
            send = target.send

            def record(
                request: Request, _sent: list[Request] = sent, _send: object = send, **how: bool
            ) -> object:
                _sent.append(request)
                return _send(request, **how)  # type: ignore[operator]  # Target.send

            target.send = record  # type: ignore[method-assign, assignment]  # listens in
            report = run(CATALOGUE, target, Plan(seed=3))
        assert findings(report) == set()
        runs.append(sent)
    assert len(runs[0]) > 500
    assert runs[0] == runs[1]


class TestBudget:
    """`max_requests` counts everything but the restore."""

    @pytest.mark.parametrize("limit", [1, 2, 5, 20, 100])
    def test_is_kept_whatever_it_is(self, limit: int) -> None:
        report, target = judged(Resource(), limit=limit)
        assert len(target.sent) <= limit + target.settings.reserve
        assert report.exit_code in (0, 3, 5)

    def test_a_rule_that_was_not_run_has_a_reason(self) -> None:
        report, _ = judged(Resource(), limit=40)
        unsent = [each for each in report.outcomes if each.verdict is Verdict.NOT_RUN]
        assert unsent
        assert "the budget of requests, or of time, was spent before" in {each.reason for each in unsent}
        assert all(each.reason for each in unsent)

    def test_must_rules_come_before_should_rules(self) -> None:
        report, _ = judged(Resource(), limit=150)
        unsent = Counter(each.rule.level for each in report.outcomes if each.verdict is Verdict.NOT_RUN)
        of_must = {cls.id for rule in CATALOGUE if rule.level is Level.MUST for cls in rule.classes}
        sent = {
            cls.id
            for each in report.outcomes
            if each.rule.level is Level.SHOULD
            for cls in each.classes
            # The answers to what MUST rules send exercise some SHOULD rules, too.
            if cls.examples and cls.id not in of_must and not cls.id.startswith("answer/")
        }
        assert unsent[Level.SHOULD] > 0
        assert unsent[Level.MUST] == 0 or sent == set()

    @pytest.mark.slow
    def test_one_common_fault_does_not_keep_the_other_rules_from_being_run(self) -> None:
        """A mock that always answers its example breaks many rules; the run gets through them."""
        document = representation({"default_inactive_timer": "PT1M", "default_closed_timer": "PT10M"})
        report, _ = judged(lambda request: answer(200, document), plan=Plan(), limit=3000)
        unsent = {each.rule.id: each.reason for each in report.outcomes if each.verdict is Verdict.NOT_RUN}
        assert unsent.pop("refusal-status") == "no such answer was seen"
        assert {BY_ID[each].group for each in unsent} <= {"openapi", "sdk"}  # which come last

    def test_running_out_of_requests_makes_no_finding_unstable(self) -> None:
        report, _ = judged(lambda request: answer(200, representation()), limit=150)
        assert all(each.stable for outcome in report.outcomes for each in outcome.findings)


class TestFindings:
    def test_two_faults_are_both_reported(self) -> None:
        report, _ = judged(Fault(accepts=["PT59S"], loses=[CLOSED.attribute]))
        found = {rule for rule, _ in findings(report, Level.MUST)}
        assert "inactive-timer-minimum" in found
        assert found & {"last-write-wins", "closed-timer-echo"}
        assert (report.verdict, report.exit_code) == (Verdict.DEVIATION, 1)

    def test_a_fault_in_one_setting_is_not_reported_of_its_parallel_setting(self) -> None:
        report, _ = judged(Fault(accepts=["PT59S"]))
        assert findings(report) == {("inactive-timer-minimum", "accepted")}

    def test_a_finding_names_the_field_and_ends_in_the_request_that_shows_it(self) -> None:
        report, _ = judged(Fault(accepts=["PT59S"]))
        (finding,) = outcome(report, "inactive-timer-minimum").findings
        assert finding.field == INACTIVE.parameter
        assert finding.exchanges[-1].request.form() == ((INACTIVE.parameter, "PT59S"),)
        assert finding.exchanges[-1].status == 200
        assert finding.stable

    def test_a_fingerprint_does_not_depend_on_the_seed_or_the_profile(self) -> None:
        plans = (QUICK, Plan(profile="quick", seed=5))
        reports = [judged(Fault(accepts=["PT59S"]), plan=plan)[0] for plan in plans]
        one, other = ({f.fingerprint for o in report.outcomes for f in o.findings} for report in reports)
        assert one == other != set()

    def test_a_deviation_that_comes_and_goes_is_unstable_and_fails_the_run_if_a_must_was_broken(self) -> None:
        class Moody(Resource):
            turns = itertools.count()

            def takes(self, parameter: str, value: str) -> bool:
                return (value == "PT59S" and next(self.turns) == 1) or super().takes(parameter, value)

        report, _ = judged(Moody(), "inactive-timer-minimum")
        (finding,) = outcome(report, "inactive-timer-minimum").findings
        assert not finding.stable
        assert outcome(report, "inactive-timer-minimum").verdict is Verdict.UNSTABLE
        assert (report.verdict, report.exit_code) == (Verdict.UNSTABLE, 1)

    def test_rules_that_were_not_selected_are_neither_run_nor_reported(self) -> None:
        report, target = judged(Fault(accepts=["PT59S"]), "media-type")
        assert [each.rule.id for each in report.outcomes] == ["media-type"]
        assert report.exit_code == 0
        assert len(target.sent) < 40

    def test_fail_fast_ends_the_run_soon_after_the_first_deviation(self) -> None:
        slow, fast = (
            judged(Fault(accepts=["PT59S", "PT1S", "P"]), plan=Plan(profile="quick", fail_fast=fast))[
                1
            ].requests
            for fast in (False, True)
        )
        assert fast < slow / 2

    @pytest.mark.slow
    def test_a_closed_timer_that_must_outlast_the_inactive_one_is_nobody_s_fault(self) -> None:
        """The document leaves this open; some targets would refuse it."""

        class Ordered(Resource):
            def __call__(self, request: Request) -> Response | Failure:
                before = [dict(state) for state in self.states]
                came = super().__call__(request)
                now = self.states[request.account]
                lengths = [length_of(now[each.attribute] or "") for each in (INACTIVE, CLOSED)]
                if all(lengths) and lengths[1].low <= lengths[0].low:  # type: ignore[union-attr]  # all() says so
                    self.states = before
                    return refusal()
                return came

        report, _ = judged(Ordered(), plan=Plan(), limit=3000)
        assert findings(report) == set()

    @pytest.mark.slow
    def test_an_example_mock_is_reported_for_the_rules_that_it_breaks_only(self) -> None:
        """It lets no account see another, loses no concurrent write, and is idempotent."""
        document = representation(
            {
                CHAT.attribute: EXAMPLE[CHAT.parameter],
                INACTIVE.attribute: "PT1M",
                CLOSED.attribute: "PT10M",
                MESSAGING.attribute: EXAMPLE[MESSAGING.parameter],
            }
        )

        def mock(request: Request) -> Response:
            return (
                answer(200, document)
                if request.auth.valid
                else refusal(401, ("WWW-Authenticate", 'Basic realm="x"'))
            )

        report, _ = judged(mock, plan=Plan(), limit=3000)
        found = {rule for rule, _ in findings(report, Level.MUST)}
        assert {
            "inactive-timer-syntax",
            "closed-timer-minimum",
            "inactive-timer-echo",
            "account-sid",
        } <= found
        assert not found & {
            "accounts-apart",
            "concurrent-writers",
            "idempotence",
            "safe-methods",
            "credentials-required",
        }


def test_a_run_puts_back_the_settings_of_before() -> None:
    resource = with_values(Resource())
    before = [dict(each) for each in resource.states]
    report, _ = judged(resource)
    assert resource.states == before
    assert report.restore.state == "restored"


def test_with_one_account_the_isolation_rule_is_not_run_and_everything_else_is() -> None:
    report, _ = judged(Resource(), accounts=1)
    not_run = [each.rule for each in report.outcomes if each.verdict is Verdict.NOT_RUN]
    assert [rule.id for rule in not_run if rule.needs not in (BY_HAND, NEED)] == ["accounts-apart"]
    assert report.exit_code == 0


def test_the_quick_profile_says_that_it_leaves_out_what_is_written_by_hand() -> None:
    outcomes = [each for each in judged(Resource())[0].outcomes if each.rule.needs == BY_HAND]
    assert {each.reason for each in outcomes} == {"not sent by this profile, or not reached: --only sends it"}
    assert {each.verdict for each in outcomes} == {Verdict.NOT_RUN}


def test_rules_whose_package_is_not_installed_are_not_run_and_say_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    installed = version_of
    monkeypatch.setattr(
        packages, "version_of", lambda name: "" if name == "schemathesis" else installed(name)
    )
    report, _ = judged(Resource())
    own = [each for each in report.outcomes if each.rule.package == "schemathesis"]
    assert own
    assert {(each.verdict, each.reason) for each in own} == {
        (Verdict.NOT_RUN, "needs the package schemathesis: pip install schemathesis")
    }
    assert report.exit_code == 0
    assert "schemathesis" not in report.versions


def test_a_target_that_knows_no_sid_leaves_their_acceptance_undecided() -> None:
    class KnowsNone(Resource):
        def takes(self, parameter: str, value: str) -> bool:
            return parameter in (INACTIVE.parameter, CLOSED.parameter) and super().takes(parameter, value)

    report, _ = judged(KnowsNone())
    assert findings(report) == set()
    undecided = {each.rule.id for each in report.outcomes if each.verdict is Verdict.UNDECIDED}
    assert {"chat-service-sid-accept", "messaging-service-sid-accept"} <= undecided
    assert report.exit_code == 0


class TestEvents:
    """A listener is called with the events of a run in their order."""

    @pytest.fixture(scope="class")
    @classmethod
    def heard(cls) -> list[Event]:
        events: list[Event] = []
        target = FakeTarget(Fault(accepts=["PT59S"]), max_requests=300)
        run([BY_ID["inactive-timer-minimum"]], target, QUICK, listener=events.append)
        return events

    def test_the_first_says_what_is_judged_and_the_last_holds_the_report(self, heard: list[Event]) -> None:
        assert heard[0] == RunStarted(target="http://fake.test", profile="quick", seed=0)
        assert isinstance(heard[-1], RunFinished)
        assert heard[-1].report.exit_code == 1

    def test_every_request_of_a_phase_has_an_event_before_it_is_sent(self, heard: list[Event]) -> None:
        sent = [event for event in heard if isinstance(event, RequestSent)]
        assert sent[0] == RequestSent(phase="preflight", cls="answer/read", requests=0)
        assert [event.requests for event in sent] == list(range(len(sent)))

    def test_phases_come_one_after_the_other(self, heard: list[Event]) -> None:
        phases = [event.phase for event in heard if isinstance(event, PhaseStarted)]
        assert phases == ["preflight", "examples", "generated", "confirmation"]

    def test_the_violations_of_an_exchange_come_when_it_was_judged(self, heard: list[Event]) -> None:
        violating = [event for event in heard if isinstance(event, ExchangeJudged) and event.violations]
        assert {each.rule for event in violating for each in event.violations} == {"inactive-timer-minimum"}
        assert violating[0].exchange.request.form() == ((INACTIVE.parameter, "PT59S"),)

    def test_a_listener_that_fails_ends_the_run_and_the_settings_are_put_back(self) -> None:
        def listen(event: Event) -> None:
            if isinstance(event, RequestSent) and event.requests == 50:
                raise OSError("nobody reads this any more")

        resource = with_values(Resource())
        before = [dict(each) for each in resource.states]
        report = run(CATALOGUE, FakeTarget(resource, max_requests=300), QUICK, listener=listen)
        assert (report.verdict, report.exit_code) == (Verdict.ERROR, 3)
        assert "nobody reads this any more" in report.stopped
        assert resource.states == before

    def test_a_finding_has_one_event(self, heard: list[Event]) -> None:
        assert isinstance(heard[-1], RunFinished)
        confirmed = [event.finding for event in heard if isinstance(event, FindingConfirmed)]
        assert [(each.rule, each.outcome) for each in confirmed] == [
            (each.rule, each.outcome) for outcome in heard[-1].report.outcomes for each in outcome.findings
        ]


@pytest.mark.slow
@pytest.mark.parametrize("rule", ["inactive-timer-minimum", "media-type"])
def test_the_embedded_emulator_with_a_fault_fails_its_rule(rule: str) -> None:
    name = next(each for each, built in FAULTS.items() if built.rule == rule)
    with (
        Embedded(THROWAWAY, faults=[name]) as embedded,
        Target(TargetSettings(url=embedded.url(), max_requests=300)) as target,
    ):
        report = run(CATALOGUE, target, QUICK)
    assert report.exit_code == 1
    assert rule in {found for found, _ in findings(report)}


def test_every_parameter_was_exercised_in_every_run() -> None:
    _, target = judged(Resource())
    names = {name for request in target.sent for name, _ in request.form() or ()}
    assert set(PARAMETERS) <= names

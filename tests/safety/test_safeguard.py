"""Tests of the safeguard: a run on a live account changes nothing for good, and lists the classes it left out."""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest
from fakes import FakeTarget, Resource, answer, representation

from conformance.exceptions import Unsafe
from conformance.harness.executor import Plan, run
from conformance.http import Exchange, Failure, Request, Response
from conformance.model import CLOSED, FIELDS, INACTIVE, TIMERS, Report, Verdict
from conformance.oracle.durations import read
from conformance.rules import CATALOGUE
from conformance.safety.journal import Journal, entries
from conformance.safety.safeguard import Safeguard
from conformance.transport.credentials import THROWAWAY

pytestmark = pytest.mark.usefixtures("no_waiting")

BEFORE: Mapping[str, str | None] = {
    "default_chat_service_sid": "IS" + "7" * 32,
    "default_messaging_service_sid": "MG" + "7" * 32,
    "default_inactive_timer": "PT7M",
    "default_closed_timer": "PT77M",
}


class Recorded(FakeTarget):
    """Records the settings in force after every request."""

    def __init__(self, resource: Resource, *, max_requests: int | None = None) -> None:
        super().__init__(resource, accounts=1, max_requests=max_requests)
        self.resource = resource
        self.seen: list[tuple[Request, dict[str, str | None]]] = []

    def send(self, request: Request, *, known_good: bool = False, reserve: bool = False) -> Exchange:
        exchange = super().send(request, known_good=known_good, reserve=reserve)
        self.seen.append((request, dict(self.resource.states[0])))
        return exchange

    def short(self) -> list[int]:
        """The numbers of the requests after which a timer was shorter than it had been."""
        return [
            number
            for number, (_, settings) in enumerate(self.seen)
            if any(_seconds(settings[each.attribute]) < _seconds(BEFORE[each.attribute]) for each in TIMERS)
        ]


def _seconds(text: str | None) -> Decimal:
    return min((length.low for length in read(text or "").values()), default=Decimal(0))


def resource(kind: type[Resource] = Resource) -> Resource:
    made = kind()
    made.states[0] = dict(BEFORE)
    return made


def live(target: FakeTarget, profile: str = "standard", *, accept: bool = False) -> tuple[Report, Safeguard]:
    safeguard = Safeguard(live=True, accept_unrestorable=accept)
    return run(CATALOGUE, target, Plan(profile=profile), safeguard=safeguard), safeguard


class Careless(Resource):
    """A resource that accepts every value of a timer in a form."""

    def takes(self, parameter: str, value: str) -> bool:
        return parameter in (INACTIVE.parameter, CLOSED.parameter) or super().takes(parameter, value)


class Failing(Resource):
    """A resource that writes a timer and answers 500."""

    def __call__(self, request: Request) -> Response | Failure:
        came = super().__call__(request)
        form = dict(request.form() or ())
        if request.method == "POST" and form.get(INACTIVE.parameter, "PT7M") != "PT7M":
            return answer(500, {})
        return came


@pytest.mark.slow
class TestTimers:
    @pytest.mark.parametrize("kind", [Resource, Careless, Failing])
    @pytest.mark.parametrize("profile", ["quick", "standard"])
    def test_a_shorter_timer_is_put_back_by_the_very_next_request(
        self, kind: type[Resource], profile: str
    ) -> None:
        target = Recorded(resource(kind), max_requests={"quick": 300, "standard": 1_000}[profile])
        live(target, profile)
        short = target.short()
        assert len(short) > 5
        assert not [number for number in short if number + 1 in short]
        assert target.resource.states[0] == BEFORE

    def test_requests_that_put_timers_back_count_against_the_budget(self) -> None:
        target = Recorded(resource(), max_requests=100)
        report, _ = live(target)
        assert report.requests == target.requests <= 100 + 4

    def test_a_conformant_target_is_found_conformant_with_the_guard(self) -> None:
        report, safeguard = live(Recorded(resource()))
        assert (report.verdict, report.exit_code) == (Verdict.CONFORMANT, 0)
        assert "state/concurrent" in safeguard.left_out

    def test_classes_that_were_left_out_are_listed(self) -> None:
        report, safeguard = live(Recorded(resource()), "quick")
        (line,) = [each for each in report.notices if each.startswith("left out")]
        assert all(name in line for name in safeguard.left_out)
        (outcome,) = [each for each in report.outcomes if each.rule.id == "concurrent-writers"]
        assert (outcome.verdict, outcome.reason.split(":")[0]) == (
            Verdict.NOT_RUN,
            "left out on a live target",
        )

    def test_a_timer_that_cannot_be_put_back_ends_the_run(self) -> None:
        class Forgetful(Resource):
            """A resource that accepts PT7M never again."""

            def takes(self, parameter: str, value: str) -> bool:
                return value != "PT7M" and super().takes(parameter, value)

        report, _ = live(Recorded(resource(Forgetful)))
        assert "was in force and is not taken again" in report.stopped
        assert report.exit_code == 4
        assert report.restore.failed == (INACTIVE.attribute,)

    def test_a_run_that_is_not_live_leaves_nothing_out(self) -> None:
        target = Recorded(resource(), max_requests=300)
        safeguard = Safeguard()
        run(CATALOGUE, target, Plan(profile="quick"), safeguard=safeguard)
        assert safeguard.left_out == {}
        assert len(target.short()) > 20


class TestUnrestorable:
    """A setting that was null cannot be made null again."""

    def test_a_live_run_does_not_begin(self) -> None:
        target = FakeTarget(Resource(), accounts=1)
        report, _ = live(target)
        assert report.exit_code == 3
        assert all(each.attribute in report.stopped for each in FIELDS)
        assert "--accept-unrestorable" in report.stopped
        assert [request.method for request in target.sent] == ["GET"]

    def test_a_live_run_does_not_begin_where_a_value_could_not_be_set_again(self) -> None:
        made = resource()
        made.states[0][INACTIVE.attribute] = "PT30S"  # set before there was a minimum
        target = FakeTarget(made, accounts=1)
        report, _ = live(target)
        assert report.exit_code == 3
        assert "default_inactive_timer PT30S, which cannot be put back" in report.stopped
        assert [request.method for request in target.sent] == ["GET"]

    @pytest.mark.slow
    def test_a_live_run_that_may_set_null_settings_leaves_timers_long(self) -> None:
        made = Resource()
        report, _ = live(FakeTarget(made, accounts=1), "quick", accept=True)
        assert report.exit_code == 0
        assert made.states[0][CLOSED.attribute] == made.states[0][INACTIVE.attribute] == "P30D"
        assert set(report.restore.unrestorable) == {each.attribute for each in FIELDS}

    @pytest.mark.slow
    def test_a_run_that_is_not_live_names_them_before_it_writes(self) -> None:
        target = FakeTarget(Resource(), accounts=2)
        lines: list[tuple[str, int]] = []
        safeguard = Safeguard(tell=lambda line: lines.append((line, len(target.sent))))
        run(CATALOGUE, target, Plan(profile="quick"), safeguard=safeguard)
        ((line, sent),) = lines
        assert all(each.attribute in line for each in FIELDS)
        assert not any(request.body for request in target.sent[:sent])


def test_a_live_run_does_not_begin_on_another_account_than_was_named() -> None:
    """The user states the account of an API key, and may be wrong."""
    target = FakeTarget(resource(), accounts=1)
    safeguard = Safeguard(live=True, names=["AC" + "9" * 32])
    report = run(CATALOGUE, target, Plan(profile="quick"), safeguard=safeguard)
    assert report.exit_code == 3
    assert f"not of AC{'9' * 32}, but of {THROWAWAY[0].sid}" in report.stopped
    assert [request.method for request in target.sent] == ["GET"]


class TestUnreadable:
    """Settings that cannot be read cannot be put back."""

    def blind(self, request: Request) -> Response | Failure:
        if request.method == "POST" and request.body:
            return answer(200, representation())
        return answer(500, {})

    def test_a_live_run_does_not_begin(self) -> None:
        target = FakeTarget(self.blind, accounts=1)
        report, _ = live(target)
        assert report.exit_code == 3
        assert "cannot be read" in report.stopped
        assert not any(request.body for request in target.sent)

    def test_a_run_that_is_not_live_warns_before_it_writes(self) -> None:
        target = FakeTarget(self.blind, accounts=1, max_requests=20)
        lines: list[tuple[str, bool]] = []
        safeguard = Safeguard(
            tell=lambda line: lines.append((line, any(request.body for request in target.sent)))
        )
        report = run(CATALOGUE, target, Plan(profile="quick"), safeguard=safeguard)
        assert [(("cannot be read" in line), written) for line, written in lines] == [(True, False)]
        assert report.restore.state == "not-read"


class TestJournal:
    def test_settings_are_on_disk_before_any_request_but_get(self, tmp_path: Path) -> None:
        made = resource()
        kept: list[bool] = []

        def recording(request: Request) -> Response | Failure:
            kept.append(bool(entries(tmp_path)) or request.method == "GET")
            return made(request)

        with Journal(tmp_path, "http://fake.test", ["AC1"]) as journal:
            target = FakeTarget(recording, accounts=1, max_requests=60)
            run(CATALOGUE, target, Plan(profile="quick"), safeguard=Safeguard(journal=journal))
        assert all(kept)
        assert entries(tmp_path) == []

    def test_a_value_that_could_not_be_put_back_is_not_kept_since_it_might_be_a_token(
        self, tmp_path: Path
    ) -> None:
        with Journal(tmp_path, "http://fake.test", ["AC1"]) as journal:
            Safeguard(journal=journal).snapshot(0, {**BEFORE, CLOSED.attribute: THROWAWAY[0].token})
            entry = journal.pending(0)
        assert entry is not None
        assert entry.settings == {name: value for name, value in BEFORE.items() if name != CLOSED.attribute}
        assert THROWAWAY[0].token not in entries(tmp_path)[0].read_text()

    def test_a_setting_that_shows_a_token_is_put_back_and_not_kept(self, tmp_path: Path) -> None:
        with Journal(tmp_path, "http://fake.test", ["AC1"]) as journal:
            safeguard = Safeguard(journal=journal, shown=lambda text: text.replace("7" * 32, "{token}"))
            safeguard.snapshot(0, BEFORE)
            entry = journal.pending(0)
        assert entry is not None
        assert entry.settings.keys() == {each.attribute for each in TIMERS}
        assert safeguard.before[0] == BEFORE

    def test_null_settings_make_no_journal(self, tmp_path: Path) -> None:
        with Journal(tmp_path, "http://fake.test", ["AC1"]) as journal:
            Safeguard(journal=journal).snapshot(0, dict.fromkeys(BEFORE))
        assert entries(tmp_path) == []

    def test_a_live_run_does_not_begin_without_a_journal(self, tmp_path: Path) -> None:
        with Journal(tmp_path / "gone", "http://fake.test", ["AC1"]) as journal:
            for path in (tmp_path / "gone").iterdir():
                path.unlink()
            (tmp_path / "gone").rmdir()
            with pytest.raises(Unsafe, match="cannot be written"):
                Safeguard(journal=journal, live=True).snapshot(0, BEFORE)
            elsewhere = Safeguard(journal=journal)
            elsewhere.snapshot(0, BEFORE)
            assert "if this run is killed, nothing can be put back" in elsewhere.notices[0]


def test_a_lost_terminal_raises_nothing() -> None:
    def gone(line: str) -> None:
        raise OSError(5, "Input/output error")

    safeguard = Safeguard(tell=gone)
    safeguard.tell("a line")
    assert safeguard.notices == ["a line"]


def test_the_same_line_is_said_once_of_all_accounts() -> None:
    lines: list[str] = []
    safeguard = Safeguard(tell=lines.append)
    for line in ("a line", "another", "a line"):
        safeguard.tell(line)
    assert lines == safeguard.notices == ["a line", "another"]

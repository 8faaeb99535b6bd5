"""Requests in manners find what shows in a combination alone, and tell it in the smallest manner that shows it."""

from collections import Counter
from collections.abc import Mapping

import pytest
from fakes import Resource, answer, representation
from whole_runs import findings, judged

from conformance.harness.executor import Plan
from conformance.http import Failure, Request, Response, decode_form
from conformance.model import BY_PARAMETER, Finding, Level, Report

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_waiting")]

COOKIE = "Cookie"


class LetsInChunked(Resource):
    """Serves who has no good credentials, where the body comes in chunks with a cookie."""

    def __call__(self, request: Request) -> Response | Failure:
        if request.chunked and COOKIE in dict(request.headers) and not request.auth.valid:
            return answer(200, representation())
        return super().__call__(request)


class SkipsValidation(Resource):
    """Takes any value of an update that says Prefer and comes on a new connection."""

    def __call__(self, request: Request) -> Response | Failure:
        self.trusts = request.fresh and "Prefer" in dict(request.headers)
        return super().__call__(request)

    def takes(self, parameter: str, value: str) -> bool:
        return self.trusts or super().takes(parameter, value)


class MergesQueries(Resource):
    """Writes what the query says beside the form, unread, where the body comes in chunks."""

    def write(self, request: Request, values: Mapping[str, str]) -> None:
        unread = decode_form(request.query.encode()) if request.chunked else ()
        merged = {BY_PARAMETER[name].attribute: value for name, value in unread if name in BY_PARAMETER}
        super().write(request, {**merged, **values})


class WritesBeforeItTurnsAway(Resource):
    """Writes the timers of an update that says Expect, and then looks at its credentials."""

    def __call__(self, request: Request) -> Response | Failure:
        knows_user = request.auth.user == "{sid}" and not request.auth.valid
        if request.method == "POST" and knows_user and "Expect" in dict(request.headers):
            for name, value in request.form() or ():
                if name in BY_PARAMETER and self.takes(name, value):
                    self.write(request, {BY_PARAMETER[name].attribute: value})
        return super().__call__(request)


class TakesShortTimers(Resource):
    """Does so however the update is sent."""

    def takes(self, parameter: str, value: str) -> bool:
        return value == "PT59S" or super().takes(parameter, value)


class LearnsToCrash(Resource):
    """Crashes on an update in chunks with a header, and from then on, the next time excepted, on the same values."""

    def __init__(self) -> None:
        super().__init__()
        self.times: Counter[str] = Counter()

    def write(self, request: Request, values: Mapping[str, str]) -> None:
        key = str(sorted(values.items()))
        if self.times[key] or (request.chunked and request.headers):
            self.times[key] += 1
        if self.times[key] not in (0, 2):
            raise ZeroDivisionError
        super().write(request, values)

    def __call__(self, request: Request) -> Response | Failure:
        try:
            return super().__call__(request)
        except ZeroDivisionError:
            return answer(500, {})


def told(report: Report) -> list[Finding]:
    return [each for outcome in report.outcomes for each in outcome.findings]


def test_credentials_that_are_not_asked_for_in_one_manner() -> None:
    report, _ = judged(LetsInChunked(), plan=Plan(), limit=3000)
    assert findings(report, Level.MUST) == {("credentials-required", "accepted")}
    last = told(report)[0].exchanges[-1].request
    assert (last.chunked, COOKIE in dict(last.headers), last.auth.valid) == (True, True, False)


@pytest.mark.parametrize(
    ("resource", "rule"),
    [(MergesQueries, "unvalidated-write"), (WritesBeforeItTurnsAway, "credentials-required")],
)
def test_what_must_not_be_written_is_looked_at_before_another_update_hides_it(
    resource: type[Resource], rule: str
) -> None:
    report, _ = judged(resource(), plan=Plan(), limit=3000)
    assert findings(report, Level.MUST) == {(rule, "written")}


def test_values_that_are_not_looked_at_in_one_manner_are_shown_in_the_smallest_one() -> None:
    report, _ = judged(SkipsValidation(), plan=Plan(), limit=3000)
    shown = [each.exchanges[-1].request for each in told(report)]
    assert shown
    assert all(each.fresh and [name for name, _ in each.headers] == ["Prefer"] for each in shown)
    assert not any(each.chunked or each.query or each.account for each in shown)
    assert len({(each.fresh, each.headers) for each in shown}) == 1


def test_what_shows_in_a_plain_request_is_told_of_that_one() -> None:
    report, _ = judged(TakesShortTimers(), plan=Plan(), limit=3000)
    assert findings(report, Level.MUST) == {
        ("inactive-timer-minimum", "accepted"),
        ("closed-timer-minimum", "accepted"),
    }
    assert all(not each.exchanges[-1].request.headers for each in told(report))


def test_with_one_account_no_request_is_that_of_a_second() -> None:
    _, target = judged(Resource(), plan=Plan(), limit=3000, accounts=1)
    assert {each.account for each in target.sent} == {0}
    assert any(each.chunked and not each.auth.valid for each in target.sent)


def test_what_shows_without_any_manner_in_the_end_ends_no_run() -> None:
    report, _ = judged(LearnsToCrash(), plan=Plan(), limit=3000)
    assert not report.stopped
    assert any(rule == "no-server-error" for rule, _ in findings(report, Level.MUST))

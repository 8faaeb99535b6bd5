"""What a target sends costs a part of a run at most, and never the verdict."""

from collections.abc import Callable

import pytest
from fakes import Resource
from whole_runs import judged

from conformance.harness import judging
from conformance.harness.containment import Parts
from conformance.http import Request, Response
from conformance.model import Verdict


def test_a_part_that_fails_says_so_once_and_does_nothing_more() -> None:
    told: list[str] = []
    done: list[int] = []

    def work(number: int) -> int:
        done.append(number)
        if number == 2:
            raise ValueError("\u00e9\nof the target")
        return number

    contained = Parts(told.append).contain("the picture", work)
    assert [contained(number) for number in (1, 2, 3)] == [1, None, None]
    assert done == [1, 2]
    assert told == [
        "the run goes on without the picture: a bug of the suite, ValueError: \u00e9 of the target"
    ]


def test_an_interrupt_is_not_contained() -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Parts(print).contain("the picture", interrupted)()


class Odd(Resource):
    """Sends bytes above ASCII in the headers of every answer."""

    def show(self, request: Request) -> Response:
        answer = super().show(request)
        odd = (("Server", "Caf\xe9"), ("X-\xff", "\x80"), ("Content-Type", 'application/json; x="\xa0"'))
        return Response(status=200, headers=(*answer.headers, *odd), body=answer.body)


@pytest.mark.slow  # schemathesis is imported
def test_bytes_above_ascii_in_headers_reach_the_schema_driven_layer_unharmed() -> None:
    report, _ = judged(Odd(), "openapi-server-error", "openapi-response", "openapi-checks")
    assert (report.stopped, report.notices) == ("", ())


@pytest.mark.slow  # schemathesis is imported
def test_an_error_of_the_schema_driven_layer_costs_that_layer_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*arguments: object) -> None:
        raise UnicodeEncodeError("ascii", "\xe9", 0, 1, "no")

    monkeypatch.setattr("conformance.harness.schemathesis_phase.Case.check", failing)
    report, _ = judged(Resource(), "openapi-server-error", "closed-timer-minimum")
    (line,) = report.notices
    assert line.startswith("the run goes on without the checks of schemathesis: a bug of the suite")
    assert (report.verdict, report.exit_code, report.stopped) == (Verdict.CONFORMANT, 0, "")


@pytest.mark.parametrize(("resource", "code"), [(Resource, 3), (Odd, 3)])
def test_an_answer_that_cannot_be_judged_ends_no_run_and_leaves_no_verdict(
    monkeypatch: pytest.MonkeyPatch, resource: Callable[[], Resource], code: int
) -> None:
    def failing(reply: object) -> list[object]:
        raise LookupError

    _, whole = judged(resource(), "closed-timer-minimum")
    monkeypatch.setattr(judging, "judge", failing)
    report, target = judged(resource(), "closed-timer-minimum")
    assert report.exit_code == code
    assert "a bug of the suite: LookupError()" in report.stopped
    assert len(target.sent) >= len(whole.sent)

"""What follows from a setting that comes back wrong: a value that comes late, or that was to be refused."""

from dataclasses import replace

from attribution.findings import a_finding, are_one
from conformance.http import READ, Response
from conformance.model import Finding


def _after(finding: Finding, status: int, answer: str) -> Finding:
    """The finding, with the same parameters sent before it, and answered otherwise then."""
    (last,) = finding.exchanges
    earlier = replace(last, number=0, response=Response(status=status, body=answer.encode()))
    return replace(finding, exchanges=(earlier, replace(last, request=READ)))


LATE = {"sent": "DefaultClosedTimer=P1D", "answer": '{"default_closed_timer": "P1D"}'}
BEFORE = '{"default_closed_timer": "P2D"}'


def test_what_is_shown_a_step_late_is_one_with_answers_that_show_the_value_before() -> None:
    behind = a_finding("last-write-wins: previous-value", "closed-timer", count=9)
    lost = a_finding("read-after-write: previous-value", "closed-timer", **LATE)

    assert are_one(behind, _after(lost, 200, BEFORE))
    assert not are_one(behind, _after(lost, 200, LATE["answer"]))
    assert not are_one(behind, lost)
    assert not are_one(behind, _after(replace(lost, count=99), 200, BEFORE))


def test_a_refused_value_that_is_shown_in_place_of_another_was_written_by_the_refused_update() -> None:
    written = a_finding("rejected-update-changes-nothing: written", "closed-timer")
    shown = a_finding("closed-timer-echo: changed", "closed-timer", **LATE)

    assert are_one(written, _after(shown, 400, "{}"))
    assert not are_one(written, _after(shown, 200, BEFORE))
    assert not are_one(written, shown)


def test_what_is_read_after_a_request_without_credentials_has_written_is_what_it_wrote() -> None:
    written = a_finding("credentials-required: written", "closed-timer")
    read = a_finding("read-reflects-writes: changed", "closed-timer")

    assert are_one(written, read)
    assert not are_one(written, a_finding("read-reflects-writes: changed", "inactive-timer"))
    assert not are_one(a_finding("last-write-wins: changed", "closed-timer"), replace(read, count=99))

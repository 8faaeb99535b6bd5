"""What shows only where requests are sent at the same moment is shown by these, and by as few as possible."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from fakes import EVERYTHING, FakeTarget, Resource, refusal

from conformance.harness.minimizer import REQUESTS, Minimizer
from conformance.harness.session import Session
from conformance.http import Exchange, Failure, Request, Response, update
from conformance.model import CLOSED, INACTIVE, Probe
from conformance.rules import BY_ID
from conformance.rules.probes import SHORT_INACTIVE
from conformance.rules.state import CONCURRENT


def test_values_that_are_refused_only_while_they_are_in_force_are_attributed_to_repeats() -> None:
    class NothingToDo(Resource):
        def __call__(self, request: Request) -> Response | Failure:
            before = [dict(state) for state in self.states]
            came = super().__call__(request)
            return refusal() if request.method == "POST" and before == self.states else came

    session = Session(FakeTarget(NothingToDo()), tuple(BY_ID))
    session.run_probe(
        Probe(steps=(update(*EVERYTHING, SHORT_INACTIVE),) * 2, together=True), "concurrent-writers", "class"
    )
    ((rule, _, _), candidate), *_ = session.candidates.items()
    finding = Minimizer(session, candidate, budget=2 * REQUESTS).finding()
    assert (rule, finding.rule, finding.stable) == ("concurrent-writers", "idempotence", True)
    assert [each.status for each in finding.exchanges] == [200, 400]


class OneAtATime(FakeTarget):
    """Refuses, so many times, all but the first of the requests that come at the same moment."""

    def __init__(self, times: int) -> None:
        super().__init__(Resource())
        self._times = times

    def send_together(self, requests: Sequence[Request]) -> list[Exchange]:
        first, others = super().send_together(requests[:1]), requests[1:]
        self._times -= 1
        if self._times >= 0:
            right, self.answering = self.answering, lambda request: refusal(409)
            refused = super().send_together(others)
            self.answering = right
            return [*first, *refused]
        return [*first, *super().send_together(others)]


@pytest.mark.parametrize(("times", "is_stable"), [(100, True), (2, False), (1, False)])
def test_a_refusal_at_the_same_moment_is_stable_if_it_comes_more_than_once_again(
    times: int, is_stable: bool
) -> None:
    session = Session(OneAtATime(times), tuple(BY_ID))
    probe = Probe(steps=(update(*EVERYTHING, SHORT_INACTIVE),) * 2, together=True)
    session.run_probe(probe, CONCURRENT, "state/concurrent")
    ((rule, _, outcome), candidate), *others = session.candidates.items()
    assert (rule, outcome, others) == (CONCURRENT, "refused", [])
    finding = Minimizer(session, candidate, budget=2 * REQUESTS).finding()
    assert (finding.rule, finding.outcome, finding.stable) == (CONCURRENT, "refused", is_stable)
    assert [(each.status, each.together) for each in finding.exchanges] == [(200, True), (409, True)]


class MixesUp(FakeTarget):
    """Answers each of several requests at the same moment with the last one's answer; one by one it is right."""

    def send_together(self, requests: Sequence[Request]) -> list[Exchange]:
        came = super().send_together(requests)
        return [replace(each, response=came[-1].response) for each in came]


def test_an_answer_that_another_update_at_the_same_moment_spoils_is_shown_by_those_that_race() -> None:
    session = Session(MixesUp(Resource()), tuple(BY_ID))
    for day in (17, 18, 19):  # evidence that a value is shown, and another after it
        session.conversation.send(update((CLOSED.parameter, f"P{day}D")), "class")
    good = [update((CLOSED.parameter, f"P{day}D")) for day in (20, 21, 22)]
    bad = update((INACTIVE.parameter, "banana"))
    session.run_probe(Probe(steps=(bad, *good), together=True), CONCURRENT, "state/crowd")
    (candidate,) = (each for (rule, *_), each in session.candidates.items() if rule == CONCURRENT)
    finding = Minimizer(session, candidate).finding()
    assert (finding.rule, finding.outcome, finding.stable) == (CONCURRENT, "mixed-up", True)
    assert {each.request for each in finding.exchanges} == set(good)  # the refused one is not needed
    assert (finding.exchanges[-1].request.body or b"").decode() not in finding.observed
    assert all(each.together for each in finding.exchanges)


def test_a_race_that_never_shows_again_takes_no_more_requests_than_its_budget() -> None:
    session = Session(OneAtATime(1), tuple(BY_ID))
    probe = Probe(steps=(update(*EVERYTHING, SHORT_INACTIVE),) * 2, together=True)
    session.run_probe(probe, CONCURRENT, "state/concurrent")
    (candidate,) = session.candidates.values()
    before = session.target.requests
    finding = Minimizer(session, candidate, budget=100).finding()
    assert not finding.stable
    assert session.target.requests - before <= 100

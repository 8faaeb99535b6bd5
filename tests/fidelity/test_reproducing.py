"""Differences that are shown again: on targets that were just started, within the budget, and only if they stand."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import count

import pytest
from fakes import FakeTarget, Resource, answer, refusal, representation

from conformance.fidelity.comparing import Kind
from conformance.fidelity.outcome import outcome_of
from conformance.fidelity.playing import Player
from conformance.fidelity.recording import ROLES
from conformance.fidelity.running import Compared, run
from conformance.fidelity.script import draw
from conformance.http import Exchange, Failure, FailureKind, Request, Response, update
from conformance.safety.safeguard import Safeguard
from fidelity.played import player, recorded, run_both
from fidelity.test_comparing import InSeconds, Keeping, Shorter


class Resetting(Resource):
    """Takes what an update leaves out for null."""

    def write(self, request: Request, values: object) -> None:
        for name in self.states[request.account] if values else ():
            self.states[request.account][name] = None
        super().write(request, values)  # type: ignore[arg-type]  # as the method above it has it


class Lower(Resource):
    """Shows SIDs in lower case, where a timer is sent beside them."""

    def show(self, request: Request) -> Response:
        values = dict(self.states[request.account])
        if b"Timer" in (request.body or b"") and values["default_chat_service_sid"]:
            values["default_chat_service_sid"] = values["default_chat_service_sid"].lower()
        return answer(200, representation(values, request.account))


def last(target: Resource, exchanges: tuple[Exchange, ...]) -> object:
    """What a target answers to the last of some requests, in terms that hold for any target."""
    for each in exchanges:
        came = target(each.request)
    assert isinstance(came, Response)
    found = outcome_of(Exchange(number=1, request=each.request, response=came), ROLES)
    return found.answer, found.status, found.code, found.settings


@pytest.mark.slow
@pytest.mark.parametrize("candidate", [Shorter, Keeping, InSeconds, Resetting, Lower])
def test_the_requests_that_are_told_show_the_difference_on_targets_that_were_just_started(
    candidate: type[Resource],
) -> None:
    found = run_both(Resource(), candidate())
    assert found.examples
    for first, *_ in found.examples:
        assert first.again
        assert last(Resource(), first.reference) != last(candidate(), first.candidate)


def test_nothing_is_told_that_can_be_left_out() -> None:
    class Picky(Resource):
        """Refuses forms with more than one parameter that have a closed timer in days."""

        def __call__(self, request: Request) -> Response | Failure:
            form = dict(request.form() or ())
            if len(form) > 1 and "D" in form.get("DefaultClosedTimer", ""):
                return refusal()
            return super().__call__(request)

    ((first, *_), *_) = run_both(Resource(), Picky()).examples
    (exchange,) = first.reference
    assert len(exchange.request.form() or ()) == 2


class Silent(Resource):
    """Gives no answer to some requests, by number."""

    def __init__(self, silences: Sequence[int]) -> None:
        super().__init__()
        self._silences = silences
        self._numbers = count(1)

    def __call__(self, request: Request) -> Response | Failure:
        came = super().__call__(request)
        silent = next(self._numbers) in self._silences
        return Failure(FailureKind.DISCONNECT, "closed") if silent else came


@pytest.mark.parametrize(("silences", "reported"), [([100], 0), ([100, 150, 200], 1)])
def test_one_answer_that_never_came_accuses_nobody_if_it_comes_the_next_time(
    silences: list[int], reported: int
) -> None:
    reference, _ = recorded(Silent(silences))
    for found in (run_both(Resource(), Silent(silences)), run((reference, player(Resource())), None)):
        assert (len(found.groups), found.comparison.unsettled) == (reported, 1 - reported)


def live(reference: Resource, candidate: Resource, budget: int) -> tuple[Compared, list[FakeTarget]]:
    """Two live targets with settings and a budget, compared."""
    targets, players = [], []
    for resource in (reference, candidate):
        resource.write(update(), {"default_inactive_timer": "PT30M", "default_closed_timer": "P7D"})
        targets.append(FakeTarget(resource, max_requests=budget, accounts=1))
        players.append(Player(targets[-1], Safeguard(live=True, accept_unrestorable=True)))
        players[-1].read_settings(1)
    drawn = draw(accounts=1, live=True)
    steps = tuple(replace(step, request=replace(step.request, after=0.0)) for step in drawn.steps)
    return run(players, replace(drawn, steps=steps)), targets


class Fickle(Resource):
    """Refuses what it should, every second time with another status."""

    turn = 0

    def __call__(self, request: Request) -> Response | Failure:
        came = super().__call__(request)
        if isinstance(came, Response) and came.status == 405:
            self.turn += 1
            return refusal(405 - self.turn % 2, ("Allow", "GET, HEAD, POST"))
        return came


class TestLive:
    """A live target is sent 300 requests at most, those included that put timers back."""

    def test_the_whole_script_fits(self) -> None:
        found, targets = live(Resource(), Shorter(), 300)
        assert found.comparison.not_comparable == 0
        assert [group.kind for group in found.groups] == [Kind.ACCEPT]
        assert found.examples[0][0].again
        assert all(target.requests <= 300 for target in targets)

    def test_a_reference_that_contradicts_itself_is_unsettled(self) -> None:
        found, targets = live(Fickle(), Resource(), 300)
        assert found.groups == ()
        assert found.comparison.unsettled > 0
        assert targets[0].requests <= 300

    def test_with_a_larger_budget_the_reference_is_asked_everything_twice(self) -> None:
        found, targets = live(Fickle(), Resource(), 700)
        assert found.groups == ()
        assert targets[0].requests > 400

    def test_what_the_budget_is_too_small_for_is_not_comparable(self) -> None:
        found, _ = live(Resource(), Resource(), 150)
        assert found.comparison.alike > 50
        assert "were not sent" in found.reference.notes[0]


@pytest.mark.slow
def test_the_wording_of_messages_is_compared_where_it_is_asked_for() -> None:
    class Polite(Resource):
        """Says more about what it refuses."""

        def __call__(self, request: Request) -> Response | Failure:
            came = super().__call__(request)
            said = isinstance(came, Response) and came.status == 400
            document = {"code": 20001, "message": "no, sorry", "status": 400}
            return answer(400, document) if said else came

    assert run_both(Resource(), Polite()).groups == ()
    reported = run_both(Resource(), Polite(), kinds=tuple(Kind)).groups
    assert {group.kind for group in reported} == {Kind.MESSAGE}
    assert {each.candidate for group in reported for each in group.differences} == {"no, sorry"}

"""Inputs that the document leaves open are sent; what their answers say of the target is learnt."""

import pytest
from fakes import FakeTarget, Resource

from conformance.harness.observations import OpenInputs
from conformance.harness.session import Session
from conformance.http import Failure, Request, Response, update
from conformance.model import CLOSED, INACTIVE
from conformance.rules import BY_ID
from conformance.rules.probes import LONG_CLOSED


class Capped(Resource):
    """Refuses inactive timers of 25 days; may keep a closed timer no shorter than the inactive one, or refuse that."""

    def __init__(self, shorter: str) -> None:
        super().__init__()
        self.shorter = shorter

    def takes(self, parameter: str, value: str) -> bool:
        return value != "P25D" and super().takes(parameter, value)

    def __call__(self, request: Request) -> Response | Failure:
        sent = dict(request.form() or ())
        if sent.get(CLOSED.parameter) == "PT10M" and self.shorter != "taken":
            changed = {**sent, CLOSED.parameter: "P1D" if self.shorter == "raised" else "x"}
            return super().__call__(update(*changed.items()))
        return super().__call__(request)


@pytest.mark.parametrize(
    ("shorter", "broken"),
    [("taken", {"inactive-timer-accept"}), ("raised", set()), ("refused", set())],
)
def test_long_inactive_timers_are_judged_where_a_shorter_closed_timer_is_taken(
    shorter: str, broken: set[str]
) -> None:
    session = Session(FakeTarget(Capped(shorter)), tuple(BY_ID))
    long = update((INACTIVE.parameter, "P25D"))
    session.conversation.send(update(LONG_CLOSED), "class")
    session.conversation.send(long, "class")
    assert not session.candidates

    OpenInputs(session).send()
    before = set(session.candidates)
    session.conversation.send(update(LONG_CLOSED), "class")
    session.conversation.send(long, "class")

    assert {rule for rule, *_ in set(session.candidates) - before} == broken

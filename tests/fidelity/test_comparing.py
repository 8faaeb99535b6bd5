"""What two recordings of one script differ in."""

from dataclasses import replace

import pytest
from fakes import Resource, answer, refusal, representation

from conformance.fidelity.comparing import Kind, compare
from conformance.http import Failure, FailureKind, Request, Response
from fidelity.played import compared, recorded, recorded_once, script


class TestAlike:
    def test_a_target_does_not_differ_from_itself(self) -> None:
        found = compared(Resource())
        assert found.differences == ()
        assert (found.different, found.not_comparable, found.unserved) == (0, 0, 0)
        assert found.alike == len(found.pairs)

    def test_what_was_set_before_does_not_matter(self) -> None:
        used = Resource()
        for state in used.states:
            state.update(default_inactive_timer="P3D", default_closed_timer="P9D")
        found = compared(Resource(), reference=used)
        assert found.differences == ()
        assert found.not_comparable > 0  # what was set cannot be compared before both have set it

    def test_what_only_one_side_was_sent_makes_no_difference_later(self) -> None:
        whole, _ = recorded_once()
        steps = [step for at, step in enumerate(script().steps) if at % 3]
        some, _ = recorded(Resource(), replace(script(), steps=tuple(steps)))
        for found in (compare(whole, some), compare(some, whole)):
            assert found.differences == ()
            assert found.alike > found.not_comparable > 0


class Shorter(Resource):
    """Takes closed timers of 599 seconds."""

    def takes(self, parameter: str, value: str) -> bool:
        return super().takes(parameter, value) or value == "PT599S"


class Keeping(Resource):
    """Writes what it refuses."""

    def __call__(self, request: Request) -> Response | Failure:
        came = super().__call__(request)
        if (
            isinstance(came, Response)
            and came.status == 400
            and b"InactiveTimer=PT59S" in (request.body or b"")
        ):
            self.states[request.account]["default_inactive_timer"] = "PT59S"
        return came


class InSeconds(Resource):
    """Shows P30D in seconds."""

    def show(self, request: Request) -> Response:
        shown = {
            name: "PT2592000S" if value == "P30D" else value
            for name, value in self.states[request.account].items()
        }
        return answer(200, representation(shown, request.account))


class OtherCode(Resource):
    """Refuses with 422."""

    def __call__(self, request: Request) -> Response | Failure:
        came = super().__call__(request)
        return refusal(422) if isinstance(came, Response) and came.status == 400 else came


class Hanging(Resource):
    """Does not answer PUT."""

    def __call__(self, request: Request) -> Response | Failure:
        if request.method == "PUT":
            return Failure(FailureKind.TIMEOUT, "nothing came")
        return super().__call__(request)


class TestDifferent:
    @pytest.mark.parametrize(
        ("candidate", "kind", "name", "cls"),
        [
            (Shorter, Kind.ACCEPT, "answer", "timer/below-seconds"),
            (Keeping, Kind.STATE, "default_inactive_timer", "timer/below-seconds"),
            (InSeconds, Kind.SPELLING, "default_closed_timer", "timer/days"),
            (OtherCode, Kind.CODE, "status", "timer/bare-number"),
            (Hanging, Kind.CODE, "answer", "method/put"),
        ],
    )
    def test_a_difference_is_told_by_its_kind_at_the_input_that_makes_it(
        self, candidate: type[Resource], kind: Kind, name: str, cls: str
    ) -> None:
        found = compared(candidate())
        assert {(each.kind, each.name) for each in found.differences} == {(kind, name)}
        assert cls in {found.pairs[each.culprit].step.cls for each in found.differences}

    def test_steps_that_only_one_recording_has_are_counted_apart(self) -> None:
        whole, _ = recorded_once()
        found = compare(whole, whole)
        assert found.alike == len(whole.taken)

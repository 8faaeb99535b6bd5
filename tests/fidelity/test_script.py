"""The script: what it covers by design, and what it depends on."""

from collections import Counter

from conformance.fidelity.script import IMPLIED, Part, Script, draw
from conformance.harness.schedule import planned
from conformance.model import BY_PARAMETER, Situation
from conformance.rules import CATALOGUE
from conformance.rules.acceptance import must_be_accepted
from conformance.safety.timer_guard import TimerGuard
from fidelity.played import script


def classes(drawn: Script) -> set[str]:
    return {name for step in drawn.steps for name in step.cls.split("+")}


class TestScript:
    def test_quick_fits_the_budget_of_a_live_account(self) -> None:
        """Six more requests find out what is set."""
        for seed in range(2):
            assert len(script(seed).steps) + 6 <= 300

    def test_a_live_account_has_requests_left_for_its_timers_and_for_doubts(self) -> None:
        """An ordinary target accepts what it may accept, and refuses what it is sent with wrong credentials."""
        guard = TimerGuard()
        guard.protect(0, {"default_inactive_timer": "PT30M", "default_closed_timer": "P7D"})
        requests = [step.request for step in draw(live=True).steps]
        assert guard.cost([each for each in requests if each.auth.valid]) < 270

    def test_it_depends_on_the_seed_and_on_nothing_else(self) -> None:
        assert script().steps == script.__wrapped__().steps  # drawn anew
        assert script().steps != script(1).steps

    def test_every_input_class_is_in_it_but_those_that_are_sent_at_the_same_moment(self) -> None:
        """Of classes that share a request, one sends it; some are implied by the others."""
        sent = {step.request for step in script().steps}
        for rule, cls, probes, _ in planned(CATALOGUE, "quick", Situation(accounts=2)):
            halved = rule.family == "timer-notation"
            for probe in probes:
                if (
                    cls.machine is None
                    and cls.id not in IMPLIED
                    and not probe.together
                    and not halved
                    and cls.id not in classes(script())
                ):
                    assert sent >= set(probe.steps), cls.id

    def test_every_notation_is_tried_on_one_timer(self) -> None:
        notations = {cls.id for rule in CATALOGUE if rule.family == "timer-notation" for cls in rule.classes}
        assert notations <= classes(script())

    def test_one_account_is_enough(self) -> None:
        assert all(step.request.account == 0 for step in script(0, 1).steps)

    def test_the_settings_are_brought_into_a_known_state_before_anything_is_probed(self) -> None:
        parts = [step.part for step in script().steps]
        assert parts[: parts.index(Part.PROBE)] == [Part.UNSET] * 6 + [Part.STATE] * 3
        assert parts[-1] is Part.STATE

    def test_refused_inputs_are_followed_by_a_look_at_the_settings(self) -> None:
        assert Counter(step.part for step in script().steps)[Part.STATE] >= 10

    def test_every_setting_is_sent_alone_while_the_others_are_set(self) -> None:
        """So an update that resets others is seen, and `state/omitted` need not be sent."""
        in_force: set[str] = set()
        alone: set[str] = set()
        for step in script().steps:
            form = step.request.form() if step.request.method == "POST" and step.request.auth.valid else None
            names = {name for name, _ in form or ()} & BY_PARAMETER.keys()
            if step.request.account or not form or not must_be_accepted(step.request):
                continue
            if len(form) == 1 and in_force >= BY_PARAMETER.keys() - names:
                alone |= names
            in_force |= names
        assert alone == BY_PARAMETER.keys()

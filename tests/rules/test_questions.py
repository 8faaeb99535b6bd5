"""What an answer shows is told apart: the value before, always the same one, another account's, or a lost one."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from fakes import Resource, answer, found, representation

from conformance.attribution.sameness import PREVIOUS
from conformance.http import READ, Exchange, Failure, Request, Response, update
from conformance.model import CLOSED, INACTIVE, Situation, Violation
from conformance.rules.case import Case
from conformance.rules.probes import LONG_CLOSED, SHORT_INACTIVE
from conformance.rules.questions import stale


class Partial(Resource):
    """Shows in an answer only the settings that its request sent."""

    def __init__(self, *, resets: bool) -> None:
        super().__init__()
        self.resets = resets

    def write(self, request: Request, values: Mapping[str, str]) -> None:
        if self.resets:
            self.states[request.account] = dict.fromkeys(self.states[request.account])
        super().write(request, values)

    def show(self, request: Request) -> Response:
        kept = self.states[request.account]
        sent = {name for name, _ in request.form() or ()} if request.method == "POST" else None
        if sent is not None:
            of = {INACTIVE.attribute: INACTIVE.parameter, CLOSED.attribute: CLOSED.parameter}
            self.states[request.account] = {
                name: value if of.get(name) in sent else None for name, value in kept.items()
            }
        response = super().show(request)
        self.states[request.account] = kept
        return response


def test_an_echo_that_is_always_the_same_is_not_reported_as_the_value_before() -> None:
    class Constant(Resource):
        def show(self, request: Request) -> Response:
            self.states[request.account][INACTIVE.attribute] = "PT7M"
            return super().show(request)

    before = update(LONG_CLOSED), update((INACTIVE.parameter, "PT7M"))
    finding, _ = found(Constant(), *before, update(SHORT_INACTIVE), rule="last-write-wins")
    assert (finding.rule, finding.outcome) == ("inactive-timer-echo", "changed")


def test_a_value_that_no_other_replaces_is_reported_as_the_value_before() -> None:
    class FirstWins(Resource):
        def __call__(self, request: Request) -> Response | Failure:
            first = self.states[request.account][INACTIVE.attribute]
            came = super().__call__(request)
            if first is None:
                return came
            self.states[request.account][INACTIVE.attribute] = first
            return self.show(request)

    before = update(LONG_CLOSED), update((INACTIVE.parameter, "PT7M"))
    finding, _ = found(FirstWins(), *before, update(SHORT_INACTIVE), rule="last-write-wins")
    assert finding.rule == "last-write-wins"


def test_a_wrong_echo_that_is_the_value_before_by_chance_is_a_wrong_echo() -> None:
    class WithoutDays(Resource):
        def write(self, request: Request, values: Mapping[str, str]) -> None:
            super().write(request, {name: value.replace("P1D", "P") for name, value in values.items()})

    requests = (update((CLOSED.parameter, "PT20M")), update((CLOSED.parameter, "P1DT20M")))
    finding, _ = found(WithoutDays(), *requests, rule="last-write-wins")
    assert finding.rule == "closed-timer-echo"


def test_another_setting_that_comes_back_wrong_says_nothing_of_this_one() -> None:
    last = update((CLOSED.parameter, "PT11H"), (INACTIVE.parameter, "PT11M"))
    shown = Exchange(
        number=2, request=last, response=answer(200, representation({INACTIVE.attribute: "PT11M"}))
    )
    wrong = Violation(
        rule="last-write-wins",
        outcome=PREVIOUS,
        field=INACTIVE.attribute,
        summary="",
        expected="",
        observed="",
    )
    case = Case(
        violation=wrong,
        exchanges=[shown],
        situation=Situation(accounts=1),
        reader=None,
        found=lambda about: None,
        comes_back=False,
        is_minimal=True,
        is_stable=True,
        has_failed=False,
        failed=(),
        is_same=lambda violation: False,
    )
    for field, named in ((CLOSED.attribute, ""), (INACTIVE.attribute, "inactive-timer-echo")):
        asking = stale(case)
        other, again = next(asking)
        answers = [
            answer(200, representation({INACTIVE.attribute: dict(other.form() or ())[INACTIVE.parameter]}))
        ]
        seen = [
            (Exchange(number=3, request=other, response=answers[0]), []),
            (replace(shown, request=again), [replace(wrong, field=field)]),
        ]
        with pytest.raises(StopIteration) as ended:
            asking.send(seen)
        assert ended.value.value == named


def test_an_echo_of_the_value_before_is_found() -> None:
    class Stale(Resource):
        def __call__(self, request: Request) -> Response | Failure:
            before = dict(self.states[request.account])
            super().__call__(request)
            return answer(200, {"account_sid": None, "url": None, **before})

    before = [update(LONG_CLOSED, (INACTIVE.parameter, f"PT{minutes}M")) for minutes in (7, 7)]
    finding, _ = found(Stale(), *before, update(SHORT_INACTIVE), rule="last-write-wins")
    assert finding.rule == "last-write-wins"


def test_a_read_that_only_shows_what_is_in_force_has_not_changed_it() -> None:
    class StoresAnswers(Resource):
        """Answers an update that comes again as it did the first time, whatever was set since."""

        def __init__(self) -> None:
            super().__init__()
            self.answers: dict[bytes | None, Response | Failure] = {}

        def __call__(self, request: Request) -> Response | Failure:
            came = super().__call__(request)
            return self.answers.setdefault(request.body, came) if request.method == "POST" else came

    requests = update(LONG_CLOSED), update((INACTIVE.parameter, "PT7M")), READ, update(LONG_CLOSED)
    finding, _ = found(StoresAnswers(), *requests, rule="safe-methods", reader=READ)
    assert finding.rule == "omitted-parameters-kept"


def test_a_setting_that_is_kept_but_not_shown_is_not_reported_as_reset() -> None:
    for resets, rule in ((False, "read-after-write"), (True, "omitted-parameters-kept")):
        finding, _ = found(
            Partial(resets=resets),
            update(LONG_CLOSED),
            update(SHORT_INACTIVE),
            rule="omitted-parameters-kept",
            reader=READ,
        )
        assert finding.rule == rule


def test_a_wrong_read_that_shows_another_account_s_value_by_chance_is_a_wrong_read() -> None:
    class WholeMinutes(Resource):
        def show(self, request: Request) -> Response:
            settings = dict(self.states[request.account])
            timer = settings[INACTIVE.attribute]
            if request.method == "GET" and timer:
                settings[INACTIVE.attribute] = timer.partition("M")[0] + "M"
            return answer(200, representation(settings, request.account))

    requests = (update((INACTIVE.parameter, "PT1M")), update((INACTIVE.parameter, "PT1M2S"), account=1))
    finding, _ = found(WholeMinutes(), *requests, replace(READ, account=1), rule="accounts-apart")
    assert finding.rule == "read-reflects-writes"
    assert [each.request.account for each in finding.exchanges] == [1, 1]

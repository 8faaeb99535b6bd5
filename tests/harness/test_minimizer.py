"""A candidate is minimized to the shortest sequence that shows it; its finding is stable if every repetition does."""

import itertools
import re
import time
from collections.abc import Mapping
from dataclasses import replace

import pytest
from fakes import EVERYTHING, FakeTarget, Resource, answer, found, refusal, representation

from conformance.attribution.cause import CauseKey
from conformance.harness.minimizer import Minimizer
from conformance.harness.session import Session
from conformance.http import FORM_MEDIA_TYPE, READ, Exchange, Failure, Request, Response, encode_form, update
from conformance.model import BY_PARAMETER, CLOSED, INACTIVE, Probe
from conformance.oracle.decisions import length_of
from conformance.rules import BY_ID
from conformance.rules.acceptance import is_acceptable
from conformance.rules.probes import LONG_CLOSED, SHORT_INACTIVE


class Takes(Resource):
    """Accepts every value that contains a text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    def takes(self, parameter: str, value: str) -> bool:
        return self.text in value or super().takes(parameter, value)


def test_parameters_that_do_not_matter_are_left_out() -> None:
    request = update(*EVERYTHING, (INACTIVE.parameter, "b"))
    finding, _ = found(Takes("b"), request, rule="inactive-timer-syntax")
    assert finding.exchanges[-1].request == update((INACTIVE.parameter, "b"))


def test_the_plainest_request_that_showed_it_is_tried_first() -> None:
    odd = Request(body=encode_form((*EVERYTHING, (INACTIVE.parameter, "xb"))), chunked=True)
    plain = update((INACTIVE.parameter, "bbb"))
    finding, sent = found(Takes("b"), odd, plain, odd, rule="inactive-timer-syntax", budget=4)
    assert finding.exchanges[-1].request == plain
    assert finding.stable
    assert sent <= 4


@pytest.mark.slow
def test_a_form_with_thousands_of_parameters_is_minimized_to_the_one_that_matters() -> None:
    request = update(*((f"Name{number}", "x") for number in range(5_000)), (INACTIVE.parameter, "b"))
    finding, _ = found(Takes("b"), request, rule="inactive-timer-syntax")
    assert finding.exchanges[-1].request == update((INACTIVE.parameter, "b"))


def test_unusual_features_of_a_request_that_do_not_matter_are_left_out() -> None:
    request = Request(body=encode_form(((INACTIVE.parameter, "b"),)), chunked=True, fresh=True)
    finding, _ = found(Takes("b"), request, rule="inactive-timer-syntax")
    assert finding.exchanges[-1].request == update((INACTIVE.parameter, "b"))


def test_characters_that_do_not_matter_are_left_out() -> None:
    finding, _ = found(Takes("b"), update((INACTIVE.parameter, "banana")), rule="inactive-timer-syntax")
    assert finding.exchanges[-1].request == update((INACTIVE.parameter, "b"))


def test_a_duration_that_somebody_could_mean_is_not_cut_into_another() -> None:
    finding, _ = found(Takes("PT1M"), update((CLOSED.parameter, "PT1M")), rule="closed-timer-minimum")
    assert finding.exchanges[-1].request == update((CLOSED.parameter, "PT1M"))


def test_a_long_value_is_cut_as_long_as_it_shows_the_violation() -> None:
    value = "PT" + "9" * 500 + "Q"
    finding, _ = found(Takes("Q"), update((INACTIVE.parameter, value)), rule="inactive-timer-syntax")
    ((_, shown),) = finding.exchanges[-1].request.form() or ()
    assert "Q" in shown
    assert len(shown) < 100


def test_a_counterexample_of_two_requests_keeps_both() -> None:
    class Forgets(Resource):
        """Loses the inactive timer when the closed one is updated."""

        def write(self, request: Request, values: Mapping[str, str]) -> None:
            if CLOSED.attribute in values:
                self.states[request.account][INACTIVE.attribute] = None
            super().write(request, values)

    requests = (update(SHORT_INACTIVE), update(EVERYTHING[1]), update(LONG_CLOSED))
    finding, _ = found(Forgets(), *requests, rule="omitted-parameters-kept")
    assert [each.request for each in finding.exchanges] == [update(SHORT_INACTIVE), update(LONG_CLOSED)]
    assert finding.field == INACTIVE.attribute
    assert finding.stable


def test_a_lost_setting_that_is_not_tried_again_keeps_what_came_between() -> None:
    class Forgets(Resource):
        """Loses the closed timer when a value is refused."""

        def __call__(self, request: Request) -> Response | Failure:
            answer = super().__call__(request)
            if isinstance(answer, Response) and answer.status == 400:
                self.states[request.account][CLOSED.attribute] = None
            return answer

    requests = (
        update(EVERYTHING[2]),
        update(EVERYTHING[1]),
        update(LONG_CLOSED),
        update((INACTIVE.parameter, "x")),
        update(SHORT_INACTIVE),
    )
    finding, _ = found(Forgets(), *requests, rule="omitted-parameters-kept", budget=0)
    assert [each.request for each in finding.exchanges] == list(requests[1:])
    assert finding.summary.endswith("the counterexample was sent only once")


def test_a_wrong_value_that_is_refused_while_the_setting_is_null_has_an_update_before_it() -> None:
    class Lenient(Resource):
        """Takes any timer once there is one."""

        def takes(self, parameter: str, value: str) -> bool:
            about = BY_PARAMETER[parameter]
            return self.states[0][about.attribute] is not None or super().takes(parameter, value)

    wrong = update((INACTIVE.parameter, "banana"))
    session = Session(FakeTarget(Lenient()), tuple(BY_ID))
    for request in (wrong, update(SHORT_INACTIVE), wrong):
        exchange = session.conversation.send(request, "class").exchange
        if exchange.refused:
            session.learn_unset(request)
    candidate = next(
        each for (rule, _, _), each in session.candidates.items() if rule == "inactive-timer-syntax"
    )
    finding = Minimizer(session, candidate).finding()
    first, last = (each.request for each in finding.exchanges)
    assert last.form() == ((INACTIVE.parameter, "a"),)
    assert is_acceptable(first)
    assert dict(first.form() or ()).keys() == {INACTIVE.parameter}
    assert finding.summary.endswith("while the setting was null, DefaultInactiveTimer=banana was refused")


def test_a_malformed_value_in_a_read_has_the_update_before_it_that_sets_it() -> None:
    class Numbers(Resource):
        """Shows timers as numbers to those who read."""

        def show(self, request: Request) -> Response:
            shown = dict(representation(self.states[request.account], request.account))
            if request.method == "GET" and shown[INACTIVE.attribute] is not None:
                shown[INACTIVE.attribute] = 60
            return answer(200, shown)

    finding, _ = found(Numbers(), update(SHORT_INACTIVE), READ, rule="read-response", reader=READ)
    first, last = (each.request for each in finding.exchanges)
    assert last == READ
    assert dict(first.form() or ()).keys() == {INACTIVE.parameter}
    assert finding.stable


def test_what_the_first_request_of_a_connection_leaves_behind_is_found_long_after_it() -> None:
    class Sticky(Resource):
        """Refuses all updates of a connection that has begun with another media type."""

        def __call__(self, request: Request) -> Response | Failure:
            self.is_spoilt = request.content_type == "text/plain" or (self.is_spoilt and not request.fresh)
            return refusal(415) if self.is_spoilt else super().__call__(request)

        is_spoilt = False

    class Connected(FakeTarget):
        place = 0

        def reconnect(self) -> None:
            self.place, sticky.is_spoilt = 0, False

        def send(self, request: Request, **options: bool) -> Exchange:
            self.place += 1
            return replace(super().send(request, **options), place=self.place)

    spoils = replace(update(SHORT_INACTIVE), content_type="text/plain")
    sticky = Sticky()
    session = Session(Connected(sticky), tuple(BY_ID))
    session.conversation.send(READ, "class")
    session.target.reconnect()
    for number, request in enumerate([spoils, *[update(LONG_CLOSED)] * 15]):
        session.conversation.send(request, f"class {number}")
    candidate = next(each for (_, cls, _), each in session.candidates.items() if cls == "class 15")
    finding = Minimizer(session, candidate).finding()
    assert [each.request.content_type for each in finding.exchanges] == ["text/plain", FORM_MEDIA_TYPE]
    assert (finding.rule, finding.stable) == ("stays-usable", True)


def test_an_answer_that_only_the_first_update_gets_is_stable_and_says_so() -> None:
    class Creates(Resource):
        """Answers the first update of all with 201."""

        is_new = True

        def __call__(self, request: Request) -> Response | Failure:
            came = super().__call__(request)
            if self.is_new and isinstance(came, Response) and came.status == 200 and request.method == "POST":
                self.is_new = False
                return replace(came, status=201)
            return came

    finding, _ = found(Creates(), READ, update(SHORT_INACTIVE), update(LONG_CLOSED), rule="accepted-status")
    assert finding.stable
    assert finding.summary.endswith("it showed only until something was set, and nothing can be unset")


def test_a_bad_value_that_only_the_first_update_gets_in_is_no_matter_of_chance() -> None:
    class InsertsUnchecked(Resource):
        def takes(self, parameter: str, value: str) -> bool:
            is_first = not any(self.states[0].values())
            return super().takes(parameter, value) or (is_first and value == "PT59S")

    finding, _ = found(
        InsertsUnchecked(), update((INACTIVE.parameter, "PT59S")), rule="inactive-timer-minimum"
    )
    assert finding.stable
    assert finding.summary.endswith("it showed only until something was set, and nothing can be unset")


def test_a_status_that_only_values_in_force_bring_shows_with_the_update_that_sets_them() -> None:
    class SaysUnchanged(Resource):
        def __call__(self, request: Request) -> Response | Failure:
            before = dict(self.states[request.account])
            answer = super().__call__(request)
            assert isinstance(answer, Response)
            return replace(answer, status=204) if before == self.states[request.account] else answer

    requests = (update(SHORT_INACTIVE), update(SHORT_INACTIVE))
    finding, _ = found(SaysUnchanged(), *requests, rule="accepted-status")
    assert [each.request for each in finding.exchanges] == list(requests)
    assert finding.stable


def test_a_counterexample_keeps_an_earlier_request_that_it_needs() -> None:
    class AfterGarbage(Resource):
        """Accepts a short timer right after a refusal."""

        last = 200

        def __call__(self, request: Request) -> Response | Failure:
            answer = super().__call__(request)
            assert isinstance(answer, Response)
            self.last = answer.status
            return answer

        def takes(self, parameter: str, value: str) -> bool:
            return (value == "PT59S" and self.last == 400) or super().takes(parameter, value)

    garbage, short = update((INACTIVE.parameter, "x")), update((INACTIVE.parameter, "PT59S"))
    finding, _ = found(AfterGarbage(), update(SHORT_INACTIVE), garbage, short, rule="inactive-timer-minimum")
    assert [each.request for each in finding.exchanges] == [garbage, short]
    assert finding.stable


def test_a_deviation_that_does_not_show_again_is_unstable_and_keeps_its_first_exchanges() -> None:
    class Once(Resource):
        turns = itertools.count()

        def takes(self, parameter: str, value: str) -> bool:
            return (value == "banana" and next(self.turns) == 0) or super().takes(parameter, value)

    request = update((INACTIVE.parameter, "banana"))
    finding, _ = found(Once(), update(SHORT_INACTIVE), request, rule="inactive-timer-syntax")
    assert not finding.stable
    assert [each.request for each in finding.exchanges] == [request]
    assert finding.exchanges[-1].status == 200


def test_a_deviation_that_shows_every_other_time_is_unstable() -> None:
    class Moody(Resource):
        turns = itertools.count()

        def takes(self, parameter: str, value: str) -> bool:
            return (value == "PX" and next(self.turns) % 2 == 0) or super().takes(parameter, value)

    finding, _ = found(Moody(), update((INACTIVE.parameter, "PX")), rule="inactive-timer-syntax")
    assert not finding.stable


def test_what_shows_now_and_then_is_sent_over_and_over_where_the_budget_is_large() -> None:
    class OneOfEight(Resource):
        turns = itertools.count()

        def takes(self, parameter: str, value: str) -> bool:
            return (value == "PT59S" and next(self.turns) % 8 == 0) or super().takes(parameter, value)

    request = update((INACTIVE.parameter, "PT59S"))
    finding, _ = found(
        OneOfEight(), update(SHORT_INACTIVE), request, rule="inactive-timer-minimum", budget=70
    )
    shown = re.search("it showed in ([0-9]+) of ([0-9]+) attempts", finding.summary)
    assert shown is not None
    assert 2 <= int(shown[1]) < int(shown[2])
    assert finding.stable
    assert [each.request for each in finding.exchanges] == [request]


def test_what_shows_from_the_nth_request_of_a_connection_on_is_sent_in_a_row() -> None:
    class Tires(Resource):
        served = 0

        def takes(self, parameter: str, value: str) -> bool:
            self.served += 1
            return (value == "PT59S" and self.served > 11) or super().takes(parameter, value)

    resource = Tires()

    class Reconnected(FakeTarget):
        def reconnect(self) -> None:
            resource.served = 0

    session = Session(Reconnected(resource), tuple(BY_ID))
    short = update((INACTIVE.parameter, "PT59S"))
    for request in (*[update(SHORT_INACTIVE)] * 12, short):
        session.conversation.send(request, "class")
    (candidate,) = (
        each for (rule, *_), each in session.candidates.items() if rule == "inactive-timer-minimum"
    )
    finding = Minimizer(session, candidate, budget=120).finding()
    assert finding.stable
    assert [each.request for each in finding.exchanges] == [short] * 12


def test_a_setting_that_expires_is_shown_after_as_long_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(time, "sleep", lambda seconds: clock.__setitem__(0, clock[0] + seconds))

    class Expires(Resource):
        written = 0.0

        def __call__(self, request: Request) -> Response | Failure:
            if clock[0] > self.written:
                self.states[0][INACTIVE.attribute] = "PT30M"
            self.written = clock[0]
            return super().__call__(request)

    first, writer = (update((INACTIVE.parameter, value)) for value in ("PT31M", "PT32M"))
    later = update(LONG_CLOSED, after=2.0)
    resource = Expires()
    session = Session(FakeTarget(resource), tuple(BY_ID))
    for request in (first, writer):
        session.conversation.send(request, "class")
    time.sleep(later.after)  # as a run does, which sends other requests meanwhile
    session.conversation.send(later, "class")
    ((_, candidate),) = session.candidates.items()
    finding = Minimizer(session, candidate).finding()
    assert finding.stable
    assert [each.request.after for each in finding.exchanges] == [0.0, 2.0]


def test_a_lost_setting_shows_again_although_an_attempt_has_left_its_value_in_force() -> None:
    class ForgetsOnClose(Resource):
        def __call__(self, request: Request) -> Response | Failure:
            before = [dict(state) for state in self.states]
            came = super().__call__(request)
            if dict(request.headers).get("Connection") == "close":
                self.states = before
            return came

    first, *later = (update((INACTIVE.parameter, value)) for value in ("PT30M", "PT31M", "PT32M"))
    writer = replace(later[-1], headers=(("Connection", "close"),))
    others = (first, later[0], writer, update(LONG_CLOSED))
    finding, _ = found(ForgetsOnClose(), *others, rule="read-after-write")
    assert finding.stable
    assert "Connection" in dict(finding.exchanges[0].request.headers)


@pytest.mark.parametrize("budget", [0, 1, 3, 10, 30])
def test_the_budget_is_kept_but_for_putting_the_context_in_force(budget: int) -> None:
    request = update(*EVERYTHING, (INACTIVE.parameter, "banana"))
    finding, spent = found(Takes("b"), request, rule="inactive-timer-syntax", budget=budget)
    assert spent <= budget + 2
    assert finding.stable == (budget != 1)  # shown once more is not yet every time
    assert finding.exchanges[-1].status == 200


def test_a_refused_form_is_attributed_to_the_rule_of_the_value_that_is_refused_alone() -> None:
    class NoDays(Resource):
        def takes(self, parameter: str, value: str) -> bool:
            return value != "P2D" and super().takes(parameter, value)

    request = update((INACTIVE.parameter, "P2D"), LONG_CLOSED, EVERYTHING[1])
    finding, _ = found(NoDays(), request, rule="any-subset")
    assert finding.rule == "inactive-timer-accept"
    assert finding.exchanges[-1].request == update((INACTIVE.parameter, "P2D"))


def test_a_value_that_is_refused_every_second_time_is_not_said_to_be_refused_by_itself() -> None:
    class EverySecond(Resource):
        refuses = True

        def takes(self, parameter: str, value: str) -> bool:
            if parameter != INACTIVE.parameter:
                return super().takes(parameter, value)
            self.refuses = not self.refuses
            return not self.refuses

    odd = Request(body=encode_form(((INACTIVE.parameter, "PT4M"),)), chunked=True)
    good = update(SHORT_INACTIVE)
    finding, _ = found(EverySecond(), good, odd, good, rule="chunked-body")
    assert len(finding.exchanges) > 1 or not finding.stable


def test_what_the_same_requests_keep_later_was_not_lost_by_the_update_that_did_not_send_it() -> None:
    right, sent = Resource(), itertools.count()

    def first_lost(request: Request) -> Response | Failure:
        before = [dict(state) for state in right.states]
        came = right(request)
        if request.body and not next(sent):
            right.states = before
        return came

    requests = READ, update(SHORT_INACTIVE), update()
    finding, _ = found(first_lost, *requests, rule="omitted-parameters-kept")
    assert finding.rule == "read-after-write"


def test_a_form_that_is_refused_in_one_order_only_is_attributed_to_the_order() -> None:
    right = Resource()

    def ordered(request: Request) -> Response | Failure:
        names = [name for name, _ in request.form() or ()]
        return refusal() if names[:1] == [CLOSED.parameter] and len(names) > 1 else right(request)

    finding, _ = found(ordered, update(LONG_CLOSED, SHORT_INACTIVE), rule="any-subset")
    assert finding.rule == "parameter-order"


def test_the_counterexample_has_the_context_if_the_target_compares_the_timers() -> None:
    """The counterexample must show the violation later too, when other settings are in force."""

    class Ordered(Takes):
        def __call__(self, request: Request) -> Response | Failure:
            before = [dict(state) for state in self.states]
            came = super().__call__(request)
            state = self.states[request.account]
            inactive, closed = (length_of(state[each.attribute] or "") for each in (INACTIVE, CLOSED))
            if inactive and closed and closed.low <= inactive.low:
                self.states = before
                return refusal()
            return came

    session = Session(FakeTarget(Ordered(" ")), tuple(BY_ID))
    session.run_probe(
        Probe(steps=(update((CLOSED.parameter, "PT10M ")),), context=(SHORT_INACTIVE,)),
        "closed-timer-strictness",
        "class",
    )
    candidate = next(
        each for (rule, _, _), each in session.candidates.items() if rule == "closed-timer-strictness"
    )
    finding = Minimizer(session, candidate).finding()
    assert [each.request.form() for each in finding.exchanges] == [
        (SHORT_INACTIVE,),
        ((CLOSED.parameter, "PT10M "),),
    ]
    assert finding.stable


def test_candidates_of_parallel_settings_have_one_cause() -> None:
    causes = set()
    for name in (INACTIVE, CLOSED):
        session = Session(FakeTarget(Takes("banana")), tuple(BY_ID))
        session.conversation.send(update((name.parameter, "banana")), "class")
        causes |= {each.cause for each in session.candidates.values()}
    assert causes == {CauseKey("timer-syntax", "accepted")}

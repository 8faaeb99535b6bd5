"""A counterexample that several rules would explain is attributed to one of them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from fakes import Resource, answer, found, refusal

from conformance.http import (
    BASIC,
    FORM_MEDIA_TYPE,
    NO_AUTH,
    READ,
    Exchange,
    Failure,
    Request,
    Response,
    encode_form,
    update,
)
from conformance.model import CHAT, CLOSED, INACTIVE
from conformance.rules.probes import LONG_CLOSED, SHORT_INACTIVE

SID = (CHAT.parameter, "IS" + "a" * 32)


def test_a_value_that_is_refused_only_alone_is_attributed_to_subsets() -> None:
    class NeedsClosed(Resource):
        def __call__(self, request: Request) -> Response | Failure:
            names = {name for name, _ in request.form() or ()}
            return refusal() if names == {INACTIVE.parameter} else super().__call__(request)

    finding, _ = found(
        NeedsClosed(), update(LONG_CLOSED), update(SHORT_INACTIVE), rule="inactive-timer-boundary"
    )
    assert finding.rule == "any-subset"


def test_parameters_that_are_refused_in_one_order_only_are_attributed_to_order() -> None:
    class TimersFirst(Resource):
        def __call__(self, request: Request) -> Response | Failure:
            names = [name for name, _ in request.form() or ()]
            return refusal() if names[:1] == [SID[0]] and len(names) > 1 else super().__call__(request)

    finding, _ = found(TimersFirst(), READ, update(SID, LONG_CLOSED), rule="any-subset")
    assert finding.rule == "parameter-order"


@pytest.mark.parametrize(("budget", "rule"), [(0, "chunked-body"), (12, "last-write-wins")])
def test_a_peculiar_way_of_sending_is_blamed_untried_only(budget: int, rule: str) -> None:
    class LosesOneUpdate(Resource):
        """Loses the third update that it gets, whatever it is."""

        updates = 0

        def write(self, request: Request, values: Mapping[str, str]) -> None:
            self.updates += 1
            if self.updates != 3:
                super().write(request, values)

    requests = update(SHORT_INACTIVE), update((INACTIVE.parameter, "PT3M"))
    odd = replace(update((INACTIVE.parameter, "PT4M")), chunked=True)
    finding, _ = found(LosesOneUpdate(), *requests, odd, rule="last-write-wins", budget=budget)
    assert finding.rule == rule


def test_a_value_that_is_accepted_in_an_unusual_spelling_only_is_attributed_to_decoding() -> None:
    class DropsBrokenEscapes(Resource):
        def __call__(self, request: Request) -> Response | Failure:
            body = (request.body or b"").replace(b"%x", b"")
            return super().__call__(replace(request, body=body) if request.method == "POST" else request)

    request = Request(body=b"DefaultInactiveTimer=P%xT10M")
    finding, _ = found(DropsBrokenEscapes(), update(LONG_CLOSED), request, rule="inactive-timer-syntax")
    assert finding.rule == "form-decoding"


def test_a_value_that_is_taken_for_what_a_foreign_escape_stands_for_is_attributed_to_decoding() -> None:
    class ReadsEscapes(Resource):
        def takes(self, parameter: str, value: str) -> bool:
            return super().takes(parameter, value.replace("\\u0050", "P"))

    request = update((INACTIVE.parameter, r"\u0050T10M"))
    finding, _ = found(ReadsEscapes(), update(LONG_CLOSED), request, rule="inactive-timer-syntax")
    assert finding.rule == "form-decoding"


def test_a_value_with_an_escape_that_is_taken_like_any_text_is_attributed_to_its_syntax() -> None:
    class TakesAnything(Resource):
        def takes(self, parameter: str, value: str) -> bool:
            return True

    request = update((INACTIVE.parameter, r"\u0050T10M"))
    finding, _ = found(TakesAnything(), update(LONG_CLOSED), request, rule="inactive-timer-syntax")
    assert finding.rule == "inactive-timer-syntax"


def test_a_setting_that_is_lost_behind_an_odd_name_only_is_attributed_to_decoding() -> None:
    class EndsAtNul(Resource):
        def __call__(self, request: Request) -> Response | Failure:
            body = (request.body or b"").partition(b"%00")[0]
            return super().__call__(replace(request, body=body) if request.method == "POST" else request)

    request = Request(body=b"Odd%00=1&DefaultInactiveTimer=PT1M")
    before = update(LONG_CLOSED, (INACTIVE.parameter, "PT7M"))
    finding, _ = found(EndsAtNul(), before, request, rule="last-write-wins")
    assert finding.rule == "form-decoding"


def test_answers_that_are_broken_after_another_method_only_are_attributed_to_that() -> None:
    class StripsAfterHead(Resource):
        stripped = False

        def __call__(self, request: Request) -> Response | Failure:
            came, stripped = super().__call__(request), self.stripped
            self.stripped = request.method == "HEAD"
            return replace(came, body=b"") if stripped and isinstance(came, Response) else came

    head = replace(READ, method="HEAD")
    finding, _ = found(StripsAfterHead(), head, update(LONG_CLOSED), rule="json-body")
    assert finding.rule == "stays-usable"
    assert [each.request.method for each in finding.exchanges] == ["HEAD", "POST"]


def test_a_bad_value_that_only_an_overridden_method_writes_is_attributed_to_the_other_way_of_writing() -> (
    None
):
    class TrustsOverridden(Resource):
        def takes(self, parameter: str, value: str) -> bool:
            return self.overridden or super().takes(parameter, value)

        def __call__(self, request: Request) -> Response | Failure:
            self.overridden = bool(request.headers)
            return super().__call__(request)

    headers = (("X-HTTP-Method-Override", "PATCH"),)
    request = update((INACTIVE.parameter, "banana"), headers=headers)
    finding, _ = found(TrustsOverridden(), update(LONG_CLOSED), request, rule="inactive-timer-syntax")
    assert finding.rule == "unvalidated-write"


def test_an_overridden_method_that_needs_no_credentials_is_a_matter_of_credentials() -> None:
    class Unlocked(Resource):
        def __call__(self, request: Request) -> Response | Failure:
            return super().__call__(replace(request, auth=BASIC) if request.headers else request)

    headers = (("X-HTTP-Method-Override", "OPTIONS"),)
    request = replace(update(SHORT_INACTIVE, headers=headers), auth=NO_AUTH)
    finding, _ = found(Unlocked(), update(LONG_CLOSED), request, rule="credentials-required")
    assert finding.rule == "credentials-required"


@pytest.mark.parametrize(
    ("way", "rule"),
    [
        ({"content_type": f"{FORM_MEDIA_TYPE}; charset=UTF-8"}, "inactive-timer-syntax"),
        ({"chunked": True}, "chunked-body"),
    ],
)
def test_no_way_of_sending_makes_less_of_a_bad_value_that_is_taken(way: dict[str, Any], rule: str) -> None:
    class Lenient(Resource):
        def takes(self, parameter: str, value: str) -> bool:
            return self.is_odd or super().takes(parameter, value)

        def __call__(self, request: Request) -> Response | Failure:
            self.is_odd = any(getattr(request, name) == value for name, value in way.items())
            return super().__call__(request)

    request = update((INACTIVE.parameter, "banana"), **way)
    finding, _ = found(Lenient(), update(LONG_CLOSED), request, rule="inactive-timer-syntax")
    assert finding.rule == rule


def test_a_body_that_is_not_read_for_its_media_type_is_attributed_to_the_media_type() -> None:
    class ExactMediaType(Resource):
        def __call__(self, request: Request) -> Response | Failure:
            unread = request.method == "POST" and (request.content_type or "").startswith("APP")
            return super().__call__(replace(request, body=b"") if unread else request)

    request = replace(update(SHORT_INACTIVE), content_type="APPLICATION/X-WWW-FORM-URLENCODED")
    before = update(LONG_CLOSED, (INACTIVE.parameter, "PT7M"))
    finding, _ = found(ExactMediaType(), before, request, rule="last-write-wins")
    assert finding.rule == "media-type-case"


def test_a_good_update_that_fails_only_after_a_refused_one_is_attributed_to_staying_usable() -> None:
    class Sulks(Resource):
        sulking = False

        def __call__(self, request: Request) -> Response | Failure:
            if self.sulking:
                self.sulking = False
                return refusal()
            response = super().__call__(request)
            self.sulking = isinstance(response, Response) and response.status == 400
            return response

    bad = update((INACTIVE.parameter, "banana"))
    finding, _ = found(Sulks(), READ, bad, update(LONG_CLOSED), rule="closed-timer-accept")
    assert finding.rule == "stays-usable"
    assert [each.status for each in finding.exchanges] == [400, 400]


def test_an_escaped_escape_that_comes_back_resolved_is_attributed_to_decoding() -> None:
    class DecodesTwice(Resource):
        def __call__(self, request: Request) -> Response | Failure:
            body = (request.body or b"").replace(b"%2531", b"1")
            return super().__call__(replace(request, body=body) if request.method == "POST" else request)

    request = update((INACTIVE.parameter, "PT%310M"))
    finding, _ = found(DecodesTwice(), update(LONG_CLOSED), request, rule="inactive-timer-syntax")
    assert finding.rule == "form-decoding"


def test_accept_anything_is_attributed_only_where_json_is_served_when_it_is_asked_for() -> None:
    class Picky(Resource):
        never: bool

        def __call__(self, request: Request) -> Response | Failure:
            asked = ("Accept", "application/json") in request.headers
            served = request.method == "GET" or (asked and not self.never)
            return super().__call__(request) if served else refusal(406)

    for never, rule in ((False, "accept-header"), (True, "closed-timer-accept")):
        Picky.never = never
        finding, _ = found(Picky(), READ, update(LONG_CLOSED), rule="closed-timer-accept")
        assert finding.rule == rule


def shown(finding_exchanges: tuple[Exchange, ...]) -> list[bytes]:
    return [each.request.body or b"" for each in finding_exchanges]


def test_questions_do_not_change_the_counterexample() -> None:
    """The requests that attribution sends do not become part of it."""

    class TimersFirst(Resource):
        def __call__(self, request: Request) -> Response | Failure:
            names = [name for name, _ in request.form() or ()]
            return refusal() if names[:1] == [SID[0]] and len(names) > 1 else super().__call__(request)

    finding, _ = found(TimersFirst(), READ, update(SID, LONG_CLOSED), rule="any-subset")
    assert shown(finding.exchanges) == [encode_form((SID, LONG_CLOSED))]


def test_a_parameter_that_the_last_place_of_a_form_loses_is_attributed_to_subsets() -> None:
    class LosesTheLast(Resource):
        def __call__(self, request: Request) -> Response | Failure:
            pairs = request.form() if request.method == "POST" else None
            lost = request if not pairs or len(pairs) < 3 else replace(request, body=encode_form(pairs[:-1]))
            return super().__call__(lost)

    timers = (LONG_CLOSED, (INACTIVE.parameter, "PT17S"))
    finding, _ = found(LosesTheLast(), READ, update(SID, *timers), rule="inactive-timer-minimum")
    assert finding.rule == "any-subset"


def test_an_update_that_is_harmed_by_being_sent_twice_is_attributed_to_idempotence() -> None:
    class ClearsARepeat(Resource):
        last = b""

        def __call__(self, request: Request) -> Response | Failure:
            if request.method == "POST" and request.body == self.last:
                self.states[request.account] = dict.fromkeys(self.states[request.account])
                return self.show(request)
            self.last = request.body or b""
            return super().__call__(request)

    class RefusesARepeat(Resource):
        def __call__(self, request: Request) -> Response | Failure:
            before = dict(self.states[request.account])
            response = super().__call__(request)
            changed = request.method != "POST" or before != self.states[request.account]
            return response if changed else refusal(409)

    for resource in (ClearsARepeat(), RefusesARepeat()):
        finding, _ = found(
            resource, update(SHORT_INACTIVE), update(LONG_CLOSED), update(LONG_CLOSED), rule="idempotence"
        )
        assert (finding.rule, finding.stable) == ("idempotence", True)
        assert shown(finding.exchanges)[-2:] == [encode_form((LONG_CLOSED,))] * 2


def test_an_answer_that_is_broken_only_on_a_used_connection_is_attributed_to_staying_usable() -> None:
    class Mumbles(Resource):
        mumbling = False

        def __call__(self, request: Request) -> Response | Failure:
            if self.mumbling:
                self.mumbling = False
                return Response(status=400, body=b"?")
            response = super().__call__(request)
            self.mumbling = isinstance(response, Response) and response.status == 415
            return response

    other = replace(update(LONG_CLOSED), content_type="text/plain")
    finding, _ = found(Mumbles(), READ, other, update((INACTIVE.parameter, "x")), rule="error-envelope")
    assert finding.rule == "stays-usable"


def test_a_refusal_that_changed_nothing_is_not_blamed_for_the_update_after_it() -> None:
    class ResetsAfterRefusals(Resource):
        refused = False

        def __call__(self, request: Request) -> Response | Failure:
            came = super().__call__(request)
            if request.method == "POST":
                self.refused = isinstance(came, Response) and came.status == 400
            return came

        def write(self, request: Request, values: Mapping[str, str]) -> None:
            if self.refused:
                self.states[request.account] = dict.fromkeys(self.states[request.account])
            super().write(request, values)

    banana = update((INACTIVE.parameter, "banana"))
    requests = READ, update(LONG_CLOSED, SID), banana, update(SHORT_INACTIVE)
    finding, _ = found(ResetsAfterRefusals(), *requests, rule="omitted-parameters-kept", reader=READ)
    assert finding.rule == "omitted-parameters-kept"
    finding, _ = found(WritesRefused(), *requests, rule="omitted-parameters-kept", reader=READ)
    assert finding.rule == "rejected-update-changes-nothing"


class WritesRefused(Resource):
    """A refused update clears every setting."""

    def __call__(self, request: Request) -> Response | Failure:
        came = super().__call__(request)
        if isinstance(came, Response) and came.status == 400:
            self.states[request.account] = dict.fromkeys(self.states[request.account])
        return came


def test_a_failure_after_any_request_is_not_put_down_to_a_refused_one() -> None:
    class FailsEverySecondTime(Resource):
        calls = 0

        def __call__(self, request: Request) -> Response | Failure:
            self.calls += request.method == "POST"
            return answer(500, {}) if self.calls % 2 == 0 else super().__call__(request)

    banana = update((INACTIVE.parameter, "banana"))
    finding, _ = found(FailsEverySecondTime(), banana, update(SHORT_INACTIVE), rule="no-server-error")
    assert finding.rule == "no-server-error"


def test_a_notation_is_not_to_blame_where_the_length_is_refused_in_any() -> None:
    class ElevenMinutes(Resource):
        def takes(self, parameter: str, value: str) -> bool:
            return value not in ("PT10.5M", "PT10M30S", "PT630S") and super().takes(parameter, value)

    half = update((CLOSED.parameter, "PT10.5M"))
    finding, _ = found(ElevenMinutes(), update(SHORT_INACTIVE), half, rule="closed-timer-notation")
    assert (finding.rule, finding.exchanges[-1].request) == (
        "closed-timer-accept",
        update((CLOSED.parameter, "PT630S")),
    )


def test_a_value_that_a_plain_update_writes_too_is_told_as_that() -> None:
    class TakesAnything(Resource):
        def __call__(self, request: Request) -> Response | Failure:
            if request.intends and request.method == "PUT":
                request = update(*request.intends, account=request.account)
            return super().__call__(request)

        def takes(self, parameter: str, value: str) -> bool:
            return True

    banana = replace(
        update((CLOSED.parameter, "banana")), method="PUT", intends=((CLOSED.parameter, "banana"),)
    )
    finding, _ = found(TakesAnything(), update(LONG_CLOSED), banana, update(SID), rule="unvalidated-write")
    assert (finding.rule, len(finding.exchanges)) == ("closed-timer-syntax", 1)


def test_a_nul_that_is_taken_like_any_other_character_is_attributed_to_the_syntax() -> None:
    class LooksAtTheBeginning(Resource):
        def takes(self, parameter: str, value: str) -> bool:
            return any(super(LooksAtTheBeginning, self).takes(parameter, value[:end]) for end in range(99))

    request = update((INACTIVE.parameter, "PT10M\0x"))
    finding, _ = found(LooksAtTheBeginning(), update(LONG_CLOSED), request, rule="inactive-timer-syntax")
    assert finding.rule == "inactive-timer-syntax"


def test_a_status_that_only_a_header_brings_is_attributed_to_that() -> None:
    class ServesRanges(Resource):
        def __call__(self, request: Request) -> Response | Failure:
            came = super().__call__(request)
            if isinstance(came, Response) and ("Range", "bytes=0-0") in request.headers:
                return replace(came, status=206)
            return came

    request = update(SHORT_INACTIVE, headers=(("Range", "bytes=0-0"),))
    finding, _ = found(ServesRanges(), update(LONG_CLOSED), request, rule="accepted-status")
    assert finding.rule == "ignored-headers"


def test_a_bad_value_in_a_form_that_is_not_read_is_attributed_to_the_way_it_is_sent() -> None:
    class ReadsNoCharset(Resource):
        def __call__(self, request: Request) -> Response | Failure:
            is_read = "charset" not in (request.content_type or "")
            return super().__call__(request if is_read else update(account=request.account))

    request = replace(update((CLOSED.parameter, "banana")), content_type=f"{FORM_MEDIA_TYPE}; charset=utf-8")
    finding, _ = found(ReadsNoCharset(), update(LONG_CLOSED), request, rule="closed-timer-syntax")
    assert finding.rule == "charset-parameter"


def test_a_good_update_that_an_overridden_method_makes_a_read_is_attributed_to_the_header() -> None:
    class Overridden(Resource):
        def __call__(self, request: Request) -> Response | Failure:
            is_read = any(value == "GET" for _, value in request.headers)
            return super().__call__(replace(request, method="GET", body=b"") if is_read else request)

    request = update((INACTIVE.parameter, "PT3M"), headers=(("X-HTTP-Method-Override", "GET"),))
    finding, _ = found(Overridden(), update(SHORT_INACTIVE), request, rule="last-write-wins")
    assert finding.rule == "unknown-headers"

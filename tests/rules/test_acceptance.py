"""The statuses that a form may be answered with, and the rule that any other status breaks."""

import pytest

from conformance.http import Auth, Request, Response, encode_form, update
from conformance.model import FIELDS
from rules.seeing import broken, error, response

GOOD = (("DefaultInactiveTimer", "PT20M"),)


def shown(*pairs: tuple[str, str], status: int = 200) -> dict[str, str]:
    """The rules that an update breaks whose answer shows what it wrote."""
    attributes = {each.parameter: each.attribute for each in FIELDS}
    document = {
        "account_sid": None,
        **{attributes[name]: value for name, value in pairs if name in attributes},
    }
    found = broken(pairs, response(status, document))
    found.pop("account-sid-present", None)
    return found


def test_a_must_accept_form_with_200_is_right() -> None:
    assert shown(*GOOD) == {}


@pytest.mark.parametrize("status", [201, 202, 204, 301, 302, 307])
def test_another_2xx_or_3xx_to_a_must_accept_form_is_a_must_deviation(status: int) -> None:
    assert shown(*GOOD, status=status) == {"accepted-status": f"status-{status}"}


@pytest.mark.parametrize("status", [400, 404, 409, 422])
def test_a_4xx_to_a_must_accept_form_breaks_the_rule_about_its_value(status: int) -> None:
    assert broken(GOOD, error(status)) == {"inactive-timer-accept": "refused"}


def test_a_4xx_to_a_value_at_the_minimum_breaks_the_boundary_rule() -> None:
    for value in ("PT1M", "PT60S", "PT0H1M", "PT1M1S"):
        assert broken((("DefaultInactiveTimer", value),), error(400)) == {
            "inactive-timer-boundary": "refused"
        }


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422])
def test_any_4xx_is_a_right_refusal(status: int) -> None:
    headers = (("WWW-Authenticate", 'Basic realm="x"'),)
    assert broken((("DefaultInactiveTimer", "banana"),), error(status, *headers)) == {}


@pytest.mark.parametrize(
    ("parameter", "value", "rule"),
    [
        ("DefaultInactiveTimer", "banana", "inactive-timer-syntax"),
        ("DefaultInactiveTimer", "PT59S", "inactive-timer-minimum"),
        ("DefaultInactiveTimer", "PT59.999999999S", "inactive-timer-minimum"),
        ("DefaultInactiveTimer", "PT1.5H30M", "inactive-timer-syntax"),
        ("DefaultInactiveTimer", "PT10M10M", "inactive-timer-syntax"),
        ("DefaultInactiveTimer", "PT\uff11\uff10M", "inactive-timer-syntax"),
        ("DefaultClosedTimer", "PT9M59S", "closed-timer-minimum"),
        ("DefaultClosedTimer", "P1DT", "closed-timer-syntax"),
        ("DefaultChatServiceSid", "MG" + "a" * 32, "chat-service-sid-prefix"),
        ("DefaultChatServiceSid", "IS" + "a" * 31, "chat-service-sid-length"),
        ("DefaultChatServiceSid", "IS" + "g" * 32, "chat-service-sid-alphabet"),
        ("DefaultMessagingServiceSid", "xMG" + "a" * 32, "messaging-service-sid-anchoring"),
    ],
)
def test_an_accepted_must_reject_value_breaks_the_rule_about_its_mistake(
    parameter: str, value: str, rule: str
) -> None:
    assert broken(((parameter, value),), response())[rule] == "accepted"
    assert broken(((parameter, value),), error(400)) == {}


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("DefaultInactiveTimer", ""),
        ("DefaultInactiveTimer", " PT10M"),
        ("DefaultInactiveTimer", "PT10M\n"),
        ("DefaultInactiveTimer", "pt10m"),
        ("DefaultInactiveTimer", "+PT10M"),
        ("DefaultInactiveTimer", "P1W1D"),
        ("DefaultInactiveTimer", "P0000-00-00T00:10:00"),
        ("DefaultInactiveTimer", "PT0M"),
        ("DefaultInactiveTimer", "P0D"),
        ("DefaultChatServiceSid", ""),
        ("DefaultChatServiceSid", "IS" + "a" * 32 + "\n"),
    ],
)
def test_blanks_empty_values_other_zeros_and_looser_readings_should_be_refused(
    parameter: str, value: str
) -> None:
    slug = "inactive-timer" if "Timer" in parameter else "chat-service-sid"
    assert f"{slug}-strictness" in broken(((parameter, value),), response())
    assert broken(((parameter, value),), error(400)) == {}


@pytest.mark.parametrize("value", ["PT0S", "P10Y", "PT" + "0" * 80 + "600S"])
def test_an_open_value_may_be_accepted_or_refused(value: str) -> None:
    assert shown(("DefaultClosedTimer", value)) == {}
    assert broken((("DefaultClosedTimer", value),), error(400)) == {}


@pytest.mark.parametrize("value", ["P1W", "P1M", "PT900.5S", "PT10,5M"])
def test_a_notation_that_some_readings_lack_should_be_accepted(value: str) -> None:
    assert broken((("DefaultClosedTimer", value),), error(400)) == {"closed-timer-notation": "refused"}
    assert shown(("DefaultClosedTimer", value)) == {}


def test_a_closed_timer_shorter_than_the_inactive_one_may_be_accepted_or_refused() -> None:
    form = (("DefaultInactiveTimer", "P1D"), ("DefaultClosedTimer", "PT10M"))
    assert broken(form, error(400)) == {}
    assert shown(*form) == {}


def test_a_3xx_to_a_must_reject_form_is_a_should() -> None:
    assert broken((("DefaultInactiveTimer", "banana"),), response(302)) == {"refusal-status": "redirect"}


@pytest.mark.parametrize("form", [GOOD, (("DefaultInactiveTimer", "banana"),), (), (("Other", "x"),)])
@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_5xx_to_anything_is_a_must_deviation(form: tuple[tuple[str, str], ...], status: int) -> None:
    assert broken(form, response(status)) == {"no-server-error": "server-error"}


def test_a_501_is_right_for_an_unknown_method_only() -> None:
    assert broken(Request(method="PATCH", body=b""), response(501)) == {}
    assert broken(Request(body=b""), response(501)) == {"no-server-error": "server-error"}


def test_a_429_breaks_no_rule() -> None:
    assert broken(GOOD, response(429)) == {}
    assert broken((("DefaultInactiveTimer", "banana"),), response(429)) == {}


def test_an_empty_update_should_be_accepted() -> None:
    assert broken((), error(400)) == {"empty-update": "refused"}
    assert broken((), response()) == {}
    assert broken((), Response(status=204)) == {"empty-update": "status-204"}


@pytest.mark.parametrize("extra", [("FriendlyName", "x"), ("defaultinactivetimer", "PT20M")])
def test_unknown_parameters_are_open(extra: tuple[str, str]) -> None:
    assert broken((*GOOD, extra), error(400)) == {}


def test_repeated_parameters_may_be_refused_or_one_of_them_taken() -> None:
    twice = (("DefaultInactiveTimer", "PT20M"), ("DefaultInactiveTimer", "PT30M"))
    assert broken(twice, error(400)) == {}
    for value, expected in (("PT20M", set()), ("PT30M", set()), ("PT40M", {"repeated-parameters"})):
        assert (
            broken(twice, response(200, {"account_sid": None, "default_inactive_timer": value})).keys()
            - {"account-sid-present"}
            == expected
        )


def test_a_sid_that_the_target_may_not_know_may_be_refused() -> None:
    form = (("DefaultChatServiceSid", "IS" + "b" * 32),)
    known = {"DefaultChatServiceSid": frozenset({"IS" + "a" * 32})}
    assert broken(form, error(404), known_sids=known) == {}
    assert broken(form, error(404)) == {"chat-service-sid-accept": "refused"}


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ({"chunked": True}, "chunked-body"),
        ({"content_type": "Application/X-WWW-Form-Urlencoded"}, "media-type-case"),
        ({"content_type": "application/x-www-form-urlencoded; charset=utf-8"}, "charset-parameter"),
        ({"auth": Auth(scheme="bAsIc")}, "scheme-case"),
        ({"headers": (("Accept", "*/*"),)}, "accept-header"),
        ({"body": b"%44efaultInactiveTimer=PT20M"}, "form-decoding"),
    ],
)
def test_a_4xx_to_an_unusual_request_breaks_the_rule_about_that_and_not_about_its_value(
    options: dict[str, object], rule: str
) -> None:
    request = Request(**{"body": encode_form(GOOD), **options})  # type: ignore[arg-type]  # names of Request
    assert broken(request, error(415)) == {rule: "refused"}


def test_411_to_a_chunked_body_is_tolerated() -> None:
    assert broken(update(*GOOD, chunked=True), response(411)) == {}


def test_a_key_that_came_with_another_body_may_be_refused() -> None:
    assert broken(update(*GOOD, headers=(("Idempotency-Key", "conformance"),)), error(422)) == {}
    assert broken(update(*GOOD, headers=(("Origin", "null"),)), error(422)) == {"unknown-headers": "refused"}


@pytest.mark.parametrize(
    "body", [b"&" * 1_000 + b"DefaultInactiveTimer=PT20M", b"DefaultInactiveTimer=PT" + b"0" * 9_000 + b"20M"]
)
@pytest.mark.parametrize("status", [400, 413])
def test_a_form_of_a_size_that_frameworks_limit_may_be_refused(body: bytes, status: int) -> None:
    assert broken(Request(body=body), error(status)) == {}


def test_a_wrong_value_in_such_a_form_must_still_be_refused() -> None:
    request = Request(body=b"&" * 1_000 + b"DefaultInactiveTimer=banana")
    assert broken(request, response()) == {"inactive-timer-syntax": "accepted"}


def test_several_good_parameters_refused_together_break_any_subset() -> None:
    form = (("DefaultInactiveTimer", "PT20M"), ("DefaultChatServiceSid", "IS" + "a" * 32))
    assert broken(form, error(400)) == {"any-subset": "refused"}


@pytest.mark.parametrize(
    "content_type", ["application/json", "text/plain", "multipart/form-data; boundary=b", None]
)
@pytest.mark.parametrize("status", [200, 400, 415])
def test_other_media_types_are_open(content_type: str | None, status: int) -> None:
    answer = response() if status == 200 else error(status)
    assert broken(Request(body=b'{"DefaultInactiveTimer": "PT20M"}', content_type=content_type), answer) == {}

"""The form that answers must have: representation, headers, errors, credentials, methods."""

from dataclasses import replace

import pytest
from fakes import ACCOUNT, representation

from conformance.http import (
    BASIC,
    NO_AUTH,
    READ,
    Auth,
    ByHand,
    Exchange,
    Failure,
    FailureKind,
    Request,
    Response,
    update,
)
from conformance.rules import BY_ID, judge
from rules.seeing import broken, error, response, seen

UPDATE = update()
INTRUDER = update(auth=NO_AUTH)


def of(document: object, *headers: tuple[str, str]) -> dict[str, str]:
    return broken(UPDATE, response(200, document, *headers))


def with_(**changes: object) -> dict[str, object]:
    return representation() | changes


class TestRepresentation:
    def test_never_set_fields_may_be_null_or_absent(self) -> None:
        assert of(representation()) == {}
        assert of({"account_sid": ACCOUNT}) == {}

    def test_an_absent_account_is_a_should_and_another_one_a_must(self) -> None:
        assert of({}) == {"account-sid-present": "absent"}
        assert of(with_(account_sid=None)) == {"account-sid-present": "absent"}
        assert of(with_(account_sid="AC" + "0" * 32)) == {"account-sid": "other-account"}
        assert of(with_(account_sid=ACCOUNT.upper().replace("AC", "AC", 1))) == {}

    def test_every_attribute_is_a_string_or_null(self) -> None:
        for name, value in (("default_inactive_timer", 60), ("default_chat_service_sid", []), ("url", False)):
            assert of(with_(**{name: value})) == {"response-schema": "type"}

    def test_an_account_that_matches_no_pattern_is_no_account(self) -> None:
        assert of(with_(account_sid="me")) == {"response-schema": "pattern"}

    @pytest.mark.parametrize(
        ("url", "right"),
        [
            ("https://conversations.twilio.com/v1/Configuration", True),
            ("http://localhost:4007/conversations/v1/Configuration", True),
            (None, True),
            ("/v1/Configuration", False),
            ("https://conversations.twilio.com/v1/Configurations", False),
        ],
    )
    def test_url_is_absolute_and_ends_in_the_path_its_host_is_not_compared(
        self, url: str | None, right: bool
    ) -> None:
        assert ("resource-url" not in of(with_(url=url))) is right

    @pytest.mark.parametrize(
        ("links", "right"),
        [
            (None, True),
            ({}, True),
            ({"webhooks": "http://h/v1/Configuration/Webhooks"}, True),
            ({"service": "http://h/v1/Services/IS" + "a" * 32 + "/Configuration"}, True),
            ({"service": None}, True),
            ({"webhooks": "/v1/Configuration/Webhooks"}, False),
            (["x"], False),
        ],
    )
    def test_links_may_be_absent_and_their_shape_is_a_should(self, links: object, right: bool) -> None:
        shown = with_(links=links, default_chat_service_sid="IS" + "a" * 32)
        assert of(shown) == ({} if right else {"resource-links": "other"})

    @pytest.mark.parametrize(
        ("value", "right"),
        [("true", True), ("false", True), ("True", True), ("null", False), ("1", False), ("", False)],
    )
    def test_documented_headers_are_typed_when_present(self, value: str, right: bool) -> None:
        found = of(representation(), ("Access-Control-Allow-Credentials", value))
        assert found == ({} if right else {"documented-headers": "not-boolean"})

    def test_the_examples_of_the_documented_headers_are_not_values(self) -> None:
        headers = (("Access-Control-Allow-Origin", "*"), ("Access-Control-Allow-Credentials", "true"))
        assert of(representation(), *headers) == {}

    @pytest.mark.parametrize(
        ("media_type", "right"),
        [
            ("application/json", True),
            ("application/json; charset=utf-8", True),
            ("Application/JSON", True),
            ("text/html", False),
            ("application/problem+json", False),
        ],
    )
    def test_a_200_is_application_json(self, media_type: str, right: bool) -> None:
        assert of(representation(), ("Content-Type", media_type)) == (
            {} if right else {"media-type": "other"}
        )

    @pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"NaN", b'{"a": NaN}', b"[" * 100_000])
    def test_a_200_is_one_json_text_in_utf_8(self, body: bytes) -> None:
        assert broken(UPDATE, response(body=body)) == {"json-body": "not-json"}

    @pytest.mark.parametrize("body", [b"[]", b"null", b'"x"', b"1"])
    def test_a_200_is_an_object(self, body: bytes) -> None:
        assert broken(UPDATE, response(body=body)) == {"json-body": "not-object"}

    def test_a_number_of_thousands_of_digits_is_read(self) -> None:
        assert broken(UPDATE, response(body=b'{"account_sid": null, "x": ' + b"9" * 5000 + b"}")) == {
            "account-sid-present": "absent"
        }

    def test_a_wrong_form_that_only_get_shows_breaks_a_should(self) -> None:
        assert broken(READ, response(200, representation(), ("Content-Type", "text/html"))) == {
            "read-response": "media-type/other"
        }

    def test_a_sid_in_another_case_is_right_but_not_verbatim(self) -> None:
        form = (("DefaultChatServiceSid", "IS" + "aB" * 16),)
        assert broken(form, response(200, with_(default_chat_service_sid="IS" + "ab" * 16))) == {
            "chat-service-sid-verbatim": "case-changed"
        }

    def test_a_blank_that_comes_back_is_a_must_deviation(self) -> None:
        form = (("DefaultInactiveTimer", "PT10M\n"),)
        assert broken(form, response(200, with_(default_inactive_timer="PT10M\n"))) == {
            "inactive-timer-strictness": "accepted",
            "inactive-timer-echo": "blank",
        }
        assert broken(form, response(200, with_(default_inactive_timer="PT10M"))) == {
            "inactive-timer-strictness": "accepted"
        }


BAD = (("DefaultInactiveTimer", "banana"),)


class TestErrors:
    """The vendor's envelope is a convention of its other documents: its form is a SHOULD, its values are not judged."""

    def test_message_and_status_are_enough(self) -> None:
        assert broken(BAD, response(400, {"message": "no", "status": 400})) == {}

    @pytest.mark.parametrize(
        ("changes", "rule", "outcome"),
        [
            ({"message": ...}, "error-envelope", "no-message"),
            ({"status": ...}, "error-envelope", "no-status"),
            ({"status": 422}, "error-status", "different"),
            ({"status": True}, "error-status", "different"),
            ({"code": "20001"}, "error-types", "code"),
            ({"code": True}, "error-types", "code"),
            ({"more_info": "see the docs"}, "error-types", "more-info"),
        ],
    )
    def test_each_part_is_judged_by_itself(self, changes: dict[str, object], rule: str, outcome: str) -> None:
        assert broken(BAD, error(400, **changes)) == {rule: outcome}

    @pytest.mark.parametrize("changes", [{"code": ...}, {"code": None}, {"more_info": ...}, {"details": {}}])
    def test_code_and_more_info_come_when_available(self, changes: dict[str, object]) -> None:
        assert broken(BAD, error(400, **changes)) == {}

    @pytest.mark.parametrize("status", [404, 405, 411, 413, 414, 415, 429, 431])
    def test_a_server_in_front_may_refuse_in_its_own_words(self, status: int) -> None:
        assert broken(BAD, response(status, None, ("Allow", "POST"), body=b"<html>")) == {}

    def test_html_is_no_envelope(self) -> None:
        assert broken(BAD, response(400, body=b"<html>")) == {"error-envelope": "not-json"}


INTRUDER = update(("DefaultInactiveTimer", "PT20M"), auth=Auth(secret="{truncated}"))
CHALLENGE = ("WWW-Authenticate", 'Basic realm="Twilio API"')


class TestCredentials:
    def test_401_with_a_challenge_is_right_and_403_is_tolerated(self) -> None:
        assert broken(INTRUDER, error(401, CHALLENGE)) == {}
        assert broken(INTRUDER, error(403)) == {}

    @pytest.mark.parametrize("status", [200, 204])
    def test_wrong_credentials_are_never_accepted(self, status: int) -> None:
        assert broken(INTRUDER, response(status))["credentials-required"] == "accepted"

    @pytest.mark.parametrize("status", [302, 400, 404])
    def test_another_refusal_is_a_should(self, status: int) -> None:
        assert broken(INTRUDER, error(status)) == {"credentials-status": f"status-{status}"}

    def test_a_401_carries_a_challenge(self) -> None:
        assert broken(update(auth=NO_AUTH), error(401)) == {"challenge": "missing"}

    def test_a_5xx_for_wrong_credentials_is_a_server_error(self) -> None:
        assert broken(INTRUDER, error(500)) == {"no-server-error": "server-error"}


class TestMethods:
    def test_a_405_carries_allow_which_may_be_empty(self) -> None:
        put = Request(method="PUT", body=b"")
        assert broken(put, error(405)) == {"allow-header": "missing"}
        assert broken(put, error(405, ("Allow", ""))) == {}
        assert broken(put, error(405, ("allow", "GET, POST"))) == {}
        assert broken(put, error(405, ("Allow", "GET, HEAD"))) == {"allow-header": "leaves-out"}
        assert broken(put, error(405, ("Allow", "POST, PUT"))) == {"allow-header": "names-refused"}

    @pytest.mark.parametrize("status", [200, 204, 404, 405, 501])
    def test_any_answer_to_another_method_is_right(self, status: int) -> None:
        assert broken(Request(method="PUT", body=b""), response(status, None, ("Allow", "POST"))) == {}

    @pytest.mark.parametrize("status", [200, 404, 405])
    def test_get_is_not_demanded(self, status: int) -> None:
        assert broken(READ, response(status, None, ("Allow", "POST"))) == {}


class TestFailures:
    @pytest.mark.parametrize("kind", [FailureKind.TIMEOUT, FailureKind.DISCONNECT])
    def test_a_request_without_an_answer_is_a_must_deviation(self, kind: FailureKind) -> None:
        assert broken(BAD, Failure(kind, "")) == {"every-request-answered": str(kind)}

    def test_a_refused_connection_breaks_no_rule(self) -> None:
        assert broken(BAD, Failure(FailureKind.CONNECT, "")) == {}

    def test_a_server_may_close_on_a_large_body_before_it_has_read_it(self) -> None:
        large = Request(body=b"DefaultInactiveTimer=" + b"9" * 100_000)
        assert broken(large, Failure(FailureKind.DISCONNECT, "")) == {}
        assert broken(large, Failure(FailureKind.TIMEOUT, "")) == {"every-request-answered": "timeout"}

    def test_wrong_framing_is_a_deviation_of_its_own(self) -> None:
        assert broken(BAD, Failure(FailureKind.FRAMING, "two lengths")) == {"framing": "framing"}


def test_who_asks_for_something_else_than_json_may_be_refused_or_get_it() -> None:
    pair = ("DefaultClosedTimer", "P30D")
    for accept, may in (("application/xml", True), ("text/html, */*;q=0.1", False)):
        asking = update(pair, headers=(("Accept", accept),))
        xml = Response(status=200, headers=(("Content-Type", "application/xml"),), body=b"<a/>")
        assert (broken(asking, error(406)) == broken(asking, xml) == {}) is may


class TestByHand:
    """What is written by hand is judged by what HTTP says about it."""

    def test_an_answer_to_http_1_0_is_not_chunked(self) -> None:
        older = update(("DefaultClosedTimer", "P30D"), by_hand=ByHand.VERSION)
        chunked = response(200, None, ("Transfer-Encoding", "chunked"))
        assert broken(older, chunked)["framing"] == "framing"
        assert "framing" not in broken(replace(older, by_hand=None), chunked)

    @pytest.mark.parametrize("auth", [Auth(), Auth(secret="x")])
    def test_another_path_may_have_a_page_or_a_refusal_of_its_own(self, auth: Auth) -> None:
        pair = ("DefaultClosedTimer", "PT1S")
        elsewhere = update(pair, by_hand=ByHand.SLASH, intends=(pair,), auth=auth)
        for status in (200, 308, 400):
            page = Response(status=status, headers=(("Content-Type", "text/html"),), body=b"<p>")
            assert broken(elsewhere, page) == {}
        shows = response(200, with_(default_closed_timer="P1D"))
        assert ("credentials-required" in broken(elsewhere, shows)) is not auth.valid

    def test_another_version_may_be_refused_for_itself(self) -> None:
        pair = ("DefaultClosedTimer", "P30D")
        assert "no-server-error" not in broken(update(pair, by_hand=ByHand.VERSION), error(505))
        assert broken(update(pair), error(505)) == {"no-server-error": "server-error"}

    def test_a_refusal_is_put_down_to_the_way_in_which_the_request_is_written(self) -> None:
        rules = {
            ByHand.VERSION: "older-version",
            ByHand.ABSOLUTE: "absolute-target",
            ByHand.NAMES: "header-name-case",
            ByHand.PIPELINED: "pipelining",
            ByHand.SEGMENTS: "request-in-segments",
        }
        for way, rule in rules.items():
            assert broken(update(("DefaultClosedTimer", "P30D"), by_hand=way), error(400)) == {
                rule: "refused"
            }
        for way in (ByHand.CODING, ByHand.EXTENSIONS, ByHand.SIZES, ByHand.TRAILERS):
            request = update(("DefaultClosedTimer", "P30D"), by_hand=way, chunked=True)
            assert broken(request, error(400)) == {"chunked-body": "refused"}
            assert broken(request, error(411)) == {}


@pytest.mark.parametrize(
    ("rule", "request_", "came", "is_evidence"),
    [
        ("challenge-scheme", INTRUDER, error(401), False),
        ("challenge-scheme", INTRUDER, error(401, ("WWW-Authenticate", "Basic realm=x")), True),
        ("credentials-status", UPDATE, error(403), False),
        ("credentials-status", INTRUDER, error(403), True),
        ("account-sid", UPDATE, response(200, with_(account_sid="foo")), False),
        ("account-sid", UPDATE, response(200), True),
        ("resource-url", UPDATE, response(200, with_(url=5)), False),
        ("resource-links", UPDATE, response(200, with_(links={})), False),
        ("allow-header", Request(method="PUT"), error(405, ("Allow", "")), False),
        ("allow-header", UPDATE, error(405, ("Allow", "GET")), False),
        ("allow-header", Request(method="PUT"), error(405, ("Allow", "POST")), True),
    ],
)
def test_an_answer_that_could_not_show_a_rule_broken_is_no_evidence_for_it(
    rule: str, request_: Request, came: Response, is_evidence: bool
) -> None:
    assert BY_ID[rule].evidence.seen(seen(request_, came)) is is_evidence


def test_one_order_is_no_evidence_that_the_order_does_not_matter() -> None:
    pairs = (("DefaultInactiveTimer", "PT2M"), ("DefaultClosedTimer", "P30D"))
    order = BY_ID["parameter-order"].evidence
    assert not order.seen(seen(pairs, response()))
    assert order.seen(seen(pairs[::-1], response()))


def test_an_update_shows_that_a_target_stays_usable_only_after_another_kind_of_request() -> None:
    usable = BY_ID["stays-usable"].evidence
    plain = update(("DefaultClosedTimer", "P30D"))
    before = [seen(request, response(status)).exchange for request, status in ((plain, 200), (BAD, 400))]
    assert [usable.seen(seen(UPDATE, response(), after=each)) for each in (None, *before)] == [
        False,
        False,
        True,
    ]


def test_no_account_is_known_of_an_api_key_so_its_answers_are_no_evidence() -> None:
    assert not BY_ID["account-sid"].evidence.seen(seen(UPDATE, response(), account_sid=None))


def test_a_name_that_stands_twice_is_told_whatever_else_the_answer_holds() -> None:
    body = b'{"account_sid": null, "account_sid": "%s", "long": %s}' % (ACCOUNT.encode(), b"9" * 5_000)
    assert broken(UPDATE, response(body=body)) == {"unique-names": "repeated"}


@pytest.mark.parametrize(
    ("auth", "query", "wrong"), [(BASIC, "", True), (NO_AUTH, "", False), (BASIC, "PageSize=1", False)]
)
def test_an_answer_to_head_is_compared_with_one_to_the_same_get(auth: Auth, query: str, wrong: bool) -> None:
    read, empty = (
        Response(status=200, headers=(("Content-Length", size),), body=b"{}") for size in ("300", "2")
    )
    reply = seen(Request(method="HEAD", content_type=None, auth=auth, query=query), empty)
    reply.state.last_read = Exchange(number=1, request=READ, response=read)
    assert ("length-of-head" in {each.outcome for each in judge(reply)}) is wrong

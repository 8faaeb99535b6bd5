"""The first requests of a run show whether the target can be judged, and which SIDs it accepts."""

from collections.abc import Callable

import pytest
from fakes import FakeTarget, Resource, answer, refusal, representation

from conformance.exceptions import AlwaysFails, NoVerdict, Unimplemented
from conformance.harness.preflight import examine, learn_sids, probe_unset
from conformance.harness.session import Session
from conformance.http import EMPTY, READ, Failure, FailureKind, Request, Response
from conformance.model import CHAT, CLOSED, INACTIVE, SIDS
from conformance.rules import BY_ID
from conformance.transport.credentials import THROWAWAY


def session_with(answering: Callable[[Request], Response | Failure], accounts: int = 1) -> Session:
    return Session(FakeTarget(answering, accounts=accounts), tuple(BY_ID))


def sent(session: Session) -> list[Request]:
    assert isinstance(session.target, FakeTarget)
    return session.target.sent


@pytest.mark.parametrize("status", [404, 405, 501])
def test_a_resource_that_is_not_there_is_unimplemented_and_no_sid_was_sent(status: int) -> None:
    session = session_with(lambda request: refusal(status, ("Allow", "OPTIONS")))
    with pytest.raises(Unimplemented):
        examine(session)
    assert ("implemented", "answer/update", "absent") in session.candidates
    names = {name for request in sent(session) for name, _ in request.form() or ()}
    assert not names & {each.parameter for each in SIDS}


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_are_no_verdict_and_name_the_account_but_not_the_token(status: int) -> None:
    session = session_with(lambda request: refusal(status, ("WWW-Authenticate", "Basic")))
    with pytest.raises(NoVerdict, match="refused the credentials of AC") as caught:
        examine(session)
    assert f"status {status}" in str(caught.value)
    assert not any(
        token in str(caught.value) for token in (each.token for each in session.target.settings.accounts)
    )


def test_a_target_that_is_not_http_is_no_verdict() -> None:
    session = session_with(lambda request: Failure(FailureKind.FRAMING, "not HTTP: b'SSH-2.0'"))
    with pytest.raises(NoVerdict, match=r"SSH-2\.0"):
        examine(session)


@pytest.mark.parametrize(
    ("answering", "says"),
    [
        (Failure(FailureKind.DISCONNECT, "closed"), "if the port serves TLS, write https://"),
        (
            Response(status=400, body=b"Client sent an HTTP request to an HTTPS server."),
            "serves TLS: write https://",
        ),
    ],
)
def test_http_on_a_port_for_tls_is_no_verdict_and_says_so(answering: Response | Failure, says: str) -> None:
    session = session_with(lambda request: answering)
    with pytest.raises(NoVerdict, match=says):
        examine(session)


@pytest.mark.parametrize("status", [400, 409, 302])
def test_any_other_status_is_for_the_rules_to_judge(status: int) -> None:
    session = session_with(lambda request: refusal(status))
    assert (examine(session), session.reader) == ((None,), None)


@pytest.mark.parametrize("status", [500, 503])
def test_a_target_that_fails_at_every_request_is_judged_no_further(status: int) -> None:
    session = session_with(lambda request: refusal(status))
    with pytest.raises(AlwaysFails, match="answers every request with a server error"):
        examine(session)
    assert {rule for rule, _, _ in session.candidates} >= {"no-server-error"}
    assert len(sent(session)) < 12


@pytest.mark.parametrize("status", [500, 503])
def test_a_target_that_fails_at_all_but_one_kind_of_request_is_for_the_rules_to_judge(status: int) -> None:
    session = session_with(lambda request: refusal(status if request.auth.valid else 401))
    assert (examine(session), session.reader) == ((None,), None)


def test_an_account_that_is_not_served_is_left_out_with_a_notice() -> None:
    right = Resource()
    session = session_with(lambda request: refusal(401) if request.account else right(request), accounts=2)
    assert len(examine(session)) == 1
    assert session.situation.accounts == 1
    (notice,) = [each for each in session.safeguard.notices if "judged without" in each]
    assert THROWAWAY[1].user in notice


def test_post_alone_is_enough_the_document_has_no_get() -> None:
    right = Resource()
    session = session_with(
        lambda request: refusal(405, ("Allow", "POST")) if request.method == "GET" else right(request)
    )
    found = examine(session)
    assert session.reader is not None
    assert session.reader.method == "POST"
    assert found == (dict.fromkeys(Resource().states[0]),)
    assert not any(BY_ID[rule].level == "must" for rule, _, _ in session.candidates)


def test_the_settings_of_every_account_are_read_before_the_first_write() -> None:
    resource = Resource()
    resource.states[0][INACTIVE.attribute] = "PT5M"
    resource.states[1][INACTIVE.attribute] = "PT6M"
    session = session_with(resource, accounts=2)
    found = examine(session)
    assert [each and each[INACTIVE.attribute] for each in found] == ["PT5M", "PT6M"]
    assert all(request.method == "GET" or not request.form() for request in sent(session))


def test_garbage_is_sent_to_a_null_setting_before_the_first_accepted_write() -> None:
    resource = Resource()
    session = session_with(resource)
    found = examine(session)
    assert probe_unset(session, found, each_setting=(2,))
    updates = [request.form() for request in sent(session) if request.method == "POST" and request.body]
    assert len(updates) == 8
    assert all(value is None for value in resource.states[0].values())


def test_the_first_update_of_all_is_accepted_and_looked_at() -> None:
    class Unready(Resource):
        """Answers the first update rightly, and loses it."""

        ready = False

        def __call__(self, request: Request) -> Response | Failure:
            before = dict(self.states[request.account])
            came = super().__call__(request)
            if request.form() and not self.ready:
                self.states[request.account], self.ready = before, True
            return came

    session = session_with(Unready(), accounts=2)
    probe_unset(session, examine(session), each_setting=(1, 1))
    assert {rule for rule, _, _ in session.candidates} == {"omitted-parameters-kept"}


def test_a_refusal_that_writes_into_a_null_setting_is_found() -> None:
    class Careless(Resource):
        def takes(self, parameter: str, value: str) -> bool:
            self.states[0][CLOSED.attribute] = value if parameter == CLOSED.parameter else None
            return super().takes(parameter, value)

    session = session_with(Careless())
    probe_unset(session, examine(session), each_setting=(1,))
    assert "rejected-update-changes-nothing" in {rule for rule, _, _ in session.candidates}


def test_settings_that_have_a_value_are_not_probed_for_null() -> None:
    resource = Resource()
    resource.states[0] = {
        "default_chat_service_sid": "IS" + "1" * 32,
        "default_messaging_service_sid": "MG" + "1" * 32,
        "default_inactive_timer": "PT5M",
        "default_closed_timer": "PT50M",
    }
    session = session_with(resource)
    assert not probe_unset(session, examine(session), each_setting=(2,))


def knowing(*sids: str) -> Resource:
    class Knowing(Resource):
        def takes(self, parameter: str, value: str) -> bool:
            return super().takes(parameter, value) and (
                parameter in (INACTIVE.parameter, CLOSED.parameter) or value in sids
            )

    return Knowing()


class TestLearningSids:
    """Preflight finds out for each parameter whether the target accepts SIDs of services that it does not know."""

    def test_any_taken_means_all_well_formed_ones_must_be(self) -> None:
        session = session_with(Resource())
        learn_sids(session, {})
        assert session.situation.sids == {}
        assert not session.candidates

    def test_one_spelling_refused_by_a_target_that_takes_unknown_sids_is_a_deviation(self) -> None:
        class LowerCaseOnly(Resource):
            def takes(self, parameter: str, value: str) -> bool:
                return super().takes(parameter, value) and not any(c in "ABCDEF" for c in value[2:])

        session = session_with(LowerCaseOnly())
        learn_sids(session, {})
        assert {rule for rule, _, _ in session.candidates} == {
            "chat-service-sid-accept",
            "messaging-service-sid-accept",
        }

    def test_a_target_that_knows_the_example_alone_is_asked_for_no_other(self) -> None:
        example = "IS" + "a" * 32
        session = session_with(knowing(example))
        learn_sids(session, {})
        assert session.situation.sids[CHAT.parameter] == {example}
        assert not session.candidates

    def test_a_target_that_knows_none_is_nobody_s_fault(self) -> None:
        session = session_with(knowing())
        learn_sids(session, {})
        assert session.situation.sids[CHAT.parameter] == frozenset()
        assert not session.candidates

    def test_a_provisioned_sid_must_be_taken(self) -> None:
        own = "IS" + "9" * 32
        session = session_with(knowing(own))
        learn_sids(session, {CHAT.parameter: own})
        assert session.situation.sids[CHAT.parameter] == {own}
        refusing = session_with(knowing())
        learn_sids(refusing, {CHAT.parameter: own})
        assert refusing.situation.sids[CHAT.parameter] == {own}

    def test_the_parameters_are_independent(self) -> None:
        class ChatOnly(Resource):
            def takes(self, parameter: str, value: str) -> bool:
                return super().takes(parameter, value) and parameter != "DefaultMessagingServiceSid"

        session = session_with(ChatOnly())
        learn_sids(session, {})
        assert list(session.situation.sids) == ["DefaultMessagingServiceSid"]


def test_an_empty_update_is_the_reader_where_get_is_not_served() -> None:
    session = session_with(lambda request: answer(200, representation()) if request == EMPTY else refusal())
    examine(session)
    assert session.reader == EMPTY
    served = session_with(Resource())
    examine(served)
    assert served.reader == READ

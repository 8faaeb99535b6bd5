"""Differences beside the document, and in groups of one cause."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import cache

import pytest
from fakes import Resource, answer, refusal, representation
from jsonschema import Draft202012Validator

from conformance.contract import load
from conformance.fidelity import report
from conformance.fidelity.comparing import USUAL, Kind
from conformance.fidelity.grouping import Document
from conformance.fidelity.running import Compared
from conformance.http import Auth, Failure, Request, Response
from conformance.model import Level
from conformance.reporting.baseline import Known
from fidelity.played import run_both


class Shorter(Resource):
    """Takes closed timers of 599 seconds, however they are written."""

    def takes(self, parameter: str, value: str) -> bool:
        return super().takes(parameter, value) or value in ("PT599S", "PT9M59S", "PT599.999999999S")


class WithoutSeconds(Resource):
    """Refuses every inactive timer with seconds."""

    def takes(self, parameter: str, value: str) -> bool:
        return super().takes(parameter, value) and not (parameter == "DefaultInactiveTimer" and "S" in value)


class OtherStatus(Resource):
    """Refuses with 422."""

    def __call__(self, request: Request) -> Response | Failure:
        came = super().__call__(request)
        return refusal(422) if isinstance(came, Response) and came.status == 400 else came


class Open(Resource):
    """Takes any credentials, and has a header of another type than the documented one."""

    def __call__(self, request: Request) -> Response | Failure:
        return super().__call__(replace(request, auth=Auth()))

    def show(self, request: Request) -> Response:
        came = super().show(request)
        return replace(came, headers=(*came.headers, ("Access-Control-Allow-Credentials", "maybe")))


class Lenient(Resource):
    """Takes any timer, the empty one too."""

    def takes(self, parameter: str, value: str) -> bool:
        return super().takes(parameter, value) or "Timer" in parameter


class Both(OtherStatus, Shorter):
    """Has two peculiarities."""


class Created(Resource):
    """Answers 201 wherever another answers 200."""

    def __call__(self, request: Request) -> Response | Failure:
        came = super().__call__(request)
        return replace(came, status=201) if isinstance(came, Response) and came.status == 200 else came


class ReadOnly(Resource):
    """Refuses every update."""

    def __call__(self, request: Request) -> Response | Failure:
        return refusal(422) if request.method == "POST" else super().__call__(request)


class WithoutUrl(Resource):
    """Shows no URL."""

    def show(self, request: Request) -> Response:
        document = representation(self.states[request.account], request.account)
        del document["url"]
        return answer(200, document)


class Bare(Created):
    """Answers 201, without the account's SID, and with a header of CORS."""

    def show(self, request: Request) -> Response:
        document = representation(self.states[request.account], request.account)
        del document["account_sid"]
        return answer(200, document, ("Access-Control-Allow-Origin", "*"))


class Contradicting(Resource):
    """Refuses with 422, and says 400 in the body."""

    def __call__(self, request: Request) -> Response | Failure:
        came = super().__call__(request)
        return replace(came, status=422) if isinstance(came, Response) and came.status == 400 else came


class Unreadable(Resource):
    """Refuses reads, with a challenge that lacks the realm."""

    def __call__(self, request: Request) -> Response | Failure:
        if request.method != "POST" and request.auth.valid:
            return refusal(401, ("WWW-Authenticate", "Basic"))
        return super().__call__(request)


class Empty(Resource):
    """Shows an empty text where nothing is set."""

    def show(self, request: Request) -> Response:
        document = representation(self.states[request.account], request.account)
        return answer(200, {name: "" if value is None else value for name, value in document.items()})


@cache
def beside_a_right_one(candidate: Callable[[], Resource]) -> Compared:
    """A resource, compared with one that is right."""
    return run_both(Resource(), candidate())


class TestGroups:
    @pytest.mark.parametrize(
        ("candidate", "kinds", "document", "rule"),
        [
            (Shorter, [Kind.ACCEPT], Document.REFERENCE, "closed-timer-minimum"),
            (WithoutSeconds, [Kind.ACCEPT], Document.REFERENCE, "inactive-timer-accept"),
            (OtherStatus, [Kind.CODE], Document.BOTH, None),
            (ReadOnly, [Kind.ACCEPT], Document.REFERENCE, "closed-timer-accept"),
            (Created, [Kind.CODE], Document.REFERENCE, "accepted-status"),
            (WithoutUrl, [Kind.SPELLING], Document.BOTH, None),
        ],
    )
    def test_one_peculiarity_is_one_group_beside_the_document(
        self, candidate: Callable[[], Resource], kinds: list[Kind], document: Document, rule: str | None
    ) -> None:
        groups = beside_a_right_one(candidate).groups
        assert [each.kind for each in groups] == kinds
        assert groups[0].document is document
        assert groups[0].level is (Level.MUST if rule else None)
        assert [*groups[0].rules, None][0] == rule
        assert groups[0].cause.startswith(rule or "")

    def test_of_two_mistakes_neither_hides_the_other(self) -> None:
        groups = beside_a_right_one(Both).groups
        assert [each.kind for each in groups] == [Kind.ACCEPT, Kind.CODE]

    def test_what_is_accepted_is_not_put_down_to_the_form_of_the_answer(self) -> None:
        groups = beside_a_right_one(Open).groups
        rules = [(each.kind, each.rules[0]) for each in groups]
        assert rules == [(Kind.ACCEPT, "credentials-required"), (Kind.SPELLING, "documented-headers")]

    @pytest.mark.parametrize(
        ("candidate", "causes"),
        [
            (
                Bare,
                [
                    "accepted-status: status-201",
                    "account-sid-present: absent",
                    "access-control headers: added",
                ],
            ),
            (Contradicting, ["status: another one, of answer/refusal", "error-status: different"]),
            (Unreadable, ["reads: refused", "status: another one, of answer/other-method"]),
        ],
    )
    def test_a_difference_has_the_name_of_a_rule_that_speaks_of_it(
        self, candidate: Callable[[], Resource], causes: list[str]
    ) -> None:
        assert [each.cause for each in beside_a_right_one(candidate).groups] == causes

    def test_the_difference_that_is_told_first_breaks_the_rule_in_the_heading(self) -> None:
        found = beside_a_right_one(Lenient)
        reported = report.document(found, scope="documented", kinds=USUAL, today=date(2026, 11, 29))["groups"]
        assert reported
        assert [each["deviation"]["rule"] for each in reported] == [each["rules"][0] for each in reported]

    def test_a_reference_that_is_wrong_is_said_to_be(self) -> None:
        (group,) = run_both(Shorter(), Resource()).groups
        assert group.document is Document.CANDIDATE

    def test_what_the_reference_answers_differently_each_time_is_unsettled_and_no_difference(self) -> None:
        class Fickle(Resource):
            """Refuses with one of two statuses in turn."""

            def __init__(self) -> None:
                super().__init__()
                self.turn = 0

            def __call__(self, request: Request) -> Response | Failure:
                came = super().__call__(request)
                if isinstance(came, Response) and came.status == 405:
                    self.turn += 1
                    return Response(
                        status=(405, 404)[self.turn % 3 == 0], headers=came.headers, body=came.body
                    )
                return came

        found = run_both(Fickle(), Resource())
        assert found.groups == ()
        assert found.comparison.unsettled > 0


class TestTold:
    def reported(self, candidate: Callable[[], Resource], **options: object) -> dict[str, object]:
        chosen: dict[str, object] = {"scope": "all", "kinds": list(Kind), "today": date(2030, 1, 1)} | options
        return report.document(beside_a_right_one(candidate), **chosen)  # type: ignore[arg-type]  # tests name them

    def test_the_document_has_its_schema_and_two_curl_lines(self) -> None:
        reported = self.reported(Shorter)
        assert not list(Draft202012Validator(load("comparison.schema.json")).iter_errors(reported))
        text = "\n".join(report.text(reported, dated=False))
        assert (
            "DefaultClosedTimer=PT599S is refused (400, code 20001) by the reference, and accepted (200)"
            in text
        )
        assert text.count("curl -sS") == 2
        assert report.fails(reported)

    def test_an_empty_value_and_a_fact_that_is_no_setting_are_told_in_words(self) -> None:
        texts = {
            each: "\n".join(report.text(self.reported(each), dated=False)) for each in (Empty, WithoutUrl)
        }
        assert 'the reference shows default_chat_service_sid null, and the candidate "".' in texts[Empty]
        assert (
            "url is of the resource from the reference, and absent from the candidate." in texts[WithoutUrl]
        )

    def test_between_two_dates_it_says_what_has_changed(self) -> None:
        text = "\n".join(report.text(self.reported(Shorter), dated=True))
        assert "DefaultClosedTimer=PT599S was refused (400, code 20001), and is accepted (200) now." in text

    def test_the_scope_documented_leaves_out_what_the_document_allows(self) -> None:
        assert not report.fails(self.reported(OtherStatus, scope="documented"))
        assert report.fails(self.reported(OtherStatus))

    def test_only_the_chosen_kinds_are_told(self) -> None:
        assert not report.fails(self.reported(OtherStatus, kinds=[Kind.ACCEPT]))

    def test_known_deviations_of_a_run_are_known_here_too(self) -> None:
        known = Known(rule="closed-timer-minimum", cls="*", outcome="accepted", reason="to be mended")
        reported = self.reported(Shorter, known=[known])
        assert not report.fails(reported)
        assert "(known)" in "\n".join(report.text(reported, dated=False))

    def test_a_difference_that_the_document_allows_can_be_known(self) -> None:
        known = Known(rule="compare-code", cls="*", outcome="status", reason="agreed")
        assert not report.fails(self.reported(OtherStatus, known=[known]))

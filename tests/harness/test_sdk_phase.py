"""The official Python client, the real package, takes part in a run that asks for it."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from fakes import Resource
from whole_runs import QUICK, judged, outcome

from conformance.harness import packages
from conformance.http import Failure, Request, Response
from conformance.model import Verdict

pytestmark = pytest.mark.slow

RULES = ("sdk-update", "sdk-fetch")
ASKED = replace(QUICK, sdk=True)


def verdicts(resource: Resource) -> dict[str, Verdict]:
    report, _ = judged(resource, *RULES, plan=ASKED)
    return {rule: outcome(report, rule).verdict for rule in RULES}


class Labelled(Resource):
    """Labels its answers as text in another charset."""

    def show(self, request: Request) -> Response:
        answer = super().show(request)
        label = ("Content-Type", "application/json; charset=utf-16")
        return replace(
            answer,
            headers=tuple(label if name == label[0] else (name, value) for name, value in answer.headers),
        )


class Refusing(Resource):
    """Refuses the official client."""

    def __call__(self, request: Request) -> Response | Failure:
        headers: Mapping[str, str] = dict(request.headers)
        if headers.get("User-Agent", "").startswith("twilio-python/"):
            return Response(status=403, headers=(("Content-Type", "application/json"),), body=b"{}")
        return super().__call__(request)


def test_the_client_updates_reads_and_understands_a_right_target() -> None:
    report, target = judged(Resource(), *RULES, plan=ASKED)
    assert {each.verdict for each in report.outcomes} == {Verdict.CONFORMANT}
    sent = [each for each in target.sent if dict(each.headers).get("X-Twilio-Client")]
    assert [(each.method, len(each.form() or ())) for each in sent] == [("POST", 4), ("GET", 0), ("POST", 1)]
    assert not any("Authorization" in dict(each.headers) for each in sent)


def test_nothing_is_sent_by_it_where_it_is_not_asked_for() -> None:
    report, target = judged(Resource(), *RULES)
    assert {(each.verdict, each.reason) for each in report.outcomes} == {
        (Verdict.NOT_RUN, "sent with --sdk only")
    }
    assert not any(each.headers for each in target.sent)


def test_without_the_package_the_rules_are_not_run_and_say_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(packages, "version_of", lambda name: "")
    report, _ = judged(Resource(), *RULES, plan=ASKED)
    assert {(each.verdict, each.reason) for each in report.outcomes} == {
        (Verdict.NOT_RUN, "needs the package twilio: pip install twilio")
    }


def test_an_answer_that_the_client_cannot_read_is_told() -> None:
    assert verdicts(Labelled()) == dict.fromkeys(RULES, Verdict.NON_STRICT)


def test_a_target_that_refuses_the_client_is_told() -> None:
    assert verdicts(Refusing())["sdk-update"] is Verdict.NON_STRICT

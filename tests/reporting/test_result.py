"""The result document is complete, valid, exact to the byte and free of secrets."""

import base64
import copy
import html
import io
import json
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conformance.exceptions import ReportError
from conformance.http import FORM_MEDIA_TYPE, Auth, Failure, FailureKind, Request, update
from conformance.reporting import (
    RENDERERS,
    ShellAccount,
    build,
    console_for,
    load,
    print_result,
    validate,
)
from conformance.reporting.result import record
from conformance.reporting.text import body, visible_bytes
from conformance.transport.credentials import Account
from conformance.transport.redaction import Secrets

from .samples import HOSTILE, HOSTILE_BODY, REPORTS, SID, exchange


def test_every_run_makes_a_valid_document(document: dict[str, Any]) -> None:
    validate(document)


def test_a_document_survives_its_own_file(document: dict[str, Any]) -> None:
    assert json.loads(json.dumps(document)) == document


def test_every_text_is_kept_exactly(deviating: dict[str, Any]) -> None:
    leak = next(each for each in deviating["findings"] if each["rule"] == "no-leak")

    assert (leak["summary"], leak["expected"], leak["observed"]) == (
        f"Does not hold: {HOSTILE}",
        HOSTILE,
        HOSTILE * 20,
    )


def test_bodies_that_are_no_text_are_kept_exactly(deviating: dict[str, Any]) -> None:
    leak = next(each for each in deviating["findings"] if each["rule"] == "no-leak")

    assert body(leak["exchanges"][0]["response"]) == HOSTILE_BODY
    assert body(leak["exchanges"][0]["request"]) == b"Default=\x00\xff'%\n"
    assert "body" not in leak["exchanges"][0]["response"]


@pytest.mark.parametrize(
    "raw", [b"", b'{\n\t"a": "\xc3\xa4"\r\n}', b"\x00", b"\xff", b"\x1b[0m", "\u202e".encode()]
)
def test_any_body_can_be_had_back(raw: bytes) -> None:
    report = _with_witness(Request(body=raw), raw)
    witness = build(report)["findings"][0]["exchanges"][0]

    assert (body(witness["request"]), body(witness["response"])) == (raw, raw)


@pytest.mark.parametrize("undecoded", [False, True])
def test_a_body_that_is_no_text_is_left_out_with_a_line(undecoded: bool) -> None:
    def kept(raw: bytes) -> Any:
        answer = exchange(Request(), raw)
        assert answer.response is not None
        return record(replace(answer, response=replace(answer.response, undecoded=undecoded)))["response"]

    packed = zlib.compress(b"s3cret-t0ken of a target")
    assert kept(packed)["body"] == f"{{left out: {len(packed)} bytes that are no text}}"
    wide = "UTF-16".encode("utf-16-le")
    assert body(kept(wide)) == wide
    odd = b"some bytes of \xe9 and some \x1b[0m"
    assert (body(kept(odd)) == odd) is not undecoded


def test_a_request_without_a_body_is_told_from_an_empty_one() -> None:
    none, empty = (build(_with_witness(Request(body=each)))["findings"][0] for each in (None, b""))

    assert body(none["exchanges"][0]["request"]) is None
    assert body(empty["exchanges"][0]["request"]) == b""


@pytest.mark.parametrize(
    "request_",
    [
        Request(),
        Request(method="PUT", body=b"\xff", content_type=None, headers=(("Accept", "a/b"),), query="a=b"),
        Request(auth=Auth(header="Bearer {token}"), account=1, chunked=True, fresh=True),
    ],
)
def test_a_recorded_request_can_be_made_again(request_: Request) -> None:
    recorded = build(_with_witness(request_))["findings"][0]["exchanges"][0]["request"]

    again = Request(
        method=recorded["method"],
        body=body(recorded),
        content_type=recorded["content_type"],
        headers=tuple((name, value) for name, value in recorded["own_headers"]),
        query=recorded["query"],
        auth=Auth(**recorded["auth"]),
        account=recorded["account"],
        chunked=recorded["chunked"],
        fresh=recorded["fresh"],
    )
    assert again == request_


def test_counts_tell_apart_what_holds_what_was_judged_and_what_there_is(deviating: dict[str, Any]) -> None:
    assert deviating["counts"] == {
        "must": {
            "conformant": 2,
            "judged": 7,
            "total": 10,
            "hold": 2,
            "broken": 5,
            "undecided": 1,
            "not_run": 1,
            "errors": 1,
        },
        "should": {
            "conformant": 0,
            "judged": 2,
            "total": 2,
            "hold": 0,
            "broken": 2,
            "undecided": 0,
            "not_run": 0,
            "errors": 0,
        },
        "undecided": 1,
        "not_run": 1,
        "errors": 1,
        "findings": {"must": 5, "should": 1, "unstable": 1, "known": 0},
        "differences": 5,
    }


def test_the_same_fault_in_two_fields_has_one_cause(deviating: dict[str, Any]) -> None:
    causes = {each["rule"]: each["cause"] for each in deviating["findings"]}

    assert causes["inactive-timer-syntax"] == causes["closed-timer-syntax"]
    assert causes["closed-timer-notation"] == "closed-timer-notation: refused"
    assert causes["no-leak"] == "no-leak: leaked"


def test_no_secret_is_left_in_any_text_or_body() -> None:
    report = replace(
        _with_witness(update(("DefaultClosedTimer", "s3cret-t0ken")), b"\x00s3cret-t0ken"),
        notices=("s3cret-t0ken",),
        settings={"a": ["s3cret-t0ken"], "path": Path("s3cret-t0ken")},
    )
    document = build(
        report, accounts=[ShellAccount(SID)], redact=Secrets([Account(SID, "s3cret-t0ken")], "").redact
    )

    validate(document)
    assert "s3cret-t0ken" not in json.dumps(document)
    assert base64.b64encode(b"s3cret-t0ken").decode()[:6] not in json.dumps(document)
    assert body(document["findings"][0]["exchanges"][0]["response"]) == b"\x00{token}"


def test_a_rule_that_holds_names_its_evidence() -> None:
    by_id = {each["id"]: each["evidence"] for each in build(REPORTS["undecided"])["rules"]}

    assert by_id["idempotence"] is None
    assert by_id["rejected-update-changes-nothing"] == {
        "number": 17,
        "request": "DefaultClosedTimer=10M",
        "status": 400,
        "answer": f"400 {visible_bytes(HOSTILE_BODY)}",
    }


def test_no_piece_of_a_secret_is_left_in_evidence_that_is_cut() -> None:
    secret = "5f0a7c3b9d" * 4
    report = REPORTS["undecided"]
    first, *rest = report.outcomes
    answer = b'{"message": "' + b"x" * 120 + secret.encode() + b'"}'
    shown = exchange(update(("A", f"{'x' * 140}{secret}")), answer)
    redact = Secrets([Account(SID, secret)], "").redact
    told = build(replace(report, outcomes=(replace(first, evidence=shown), *rest)), redact=redact)

    assert secret[:8] not in json.dumps(told["rules"][0]["evidence"])


def test_a_result_that_was_made_before_evidence_was_named_is_read_and_shown(
    tmp_path: Path, deviating: dict[str, Any]
) -> None:
    old = copy.deepcopy(deviating)
    for rule in old["rules"]:
        del rule["evidence"]
    for level in ("must", "should"):
        old["counts"][level] = {
            name: old["counts"][level][name] for name in ("conformant", "judged", "total")
        }
    path = tmp_path / "result.json"
    path.write_text(json.dumps(old))

    read = load(path)
    for name, renderer in RENDERERS.items():
        assert name == "result.json" or renderer(read) == renderer(deviating)


def test_settings_become_plain_json() -> None:
    settings = {
        "only": ("a", "b"),
        "ca_file": Path("/etc/ca.pem"),
        "seed": 1,
        "rate": 0.5,
        "known": None,
        "live": True,
    }

    assert build(replace(REPORTS["clean"], settings=settings))["settings"] == {
        "only": ["a", "b"],
        "ca_file": "/etc/ca.pem",
        "seed": 1,
        "rate": 0.5,
        "known": None,
        "live": True,
    }


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("schema_version",), 2),
        (("exit_code",), 7),
        (("verdict",), "passed"),
        (("started_at",), "yesterday"),
        (("findings", 0, "fingerprint"), "abc"),
        (("findings", 0, "exchanges"), []),
        (("findings", 0, "curl"), "curl \x1b[0m"),
        (("rules", 0, "id"), "Not Kebab"),
        (("restore", "state"), "maybe"),
        (("unknown",), 1),
    ],
)
def test_what_is_no_result_is_refused_with_the_member_that_is_wrong(
    deviating: dict[str, Any], path: tuple[str | int, ...], value: object
) -> None:
    document = copy.deepcopy(deviating)
    holder: Any = document
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = value

    with pytest.raises(ReportError, match=str(path[-1])) as error:
        validate(document)
    assert "\n" not in str(error.value)


def test_a_document_is_loaded_from_its_file(tmp_path: Path, deviating: dict[str, Any]) -> None:
    path = tmp_path / "result.json"
    path.write_text(json.dumps(deviating))

    assert load(path) == deviating


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot read"),
        (b"{", "is not JSON"),
        (b"\xff", "is not JSON"),
        (b"{}", "is not a result document"),
    ],
)
def test_a_file_that_is_no_result_is_refused_in_one_line(
    tmp_path: Path, content: bytes | None, message: str
) -> None:
    path = tmp_path / "result.json"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(ReportError, match=message) as error:
        load(path)
    assert str(path) in str(error.value) and "\n" not in str(error.value)


def test_the_headers_shown_are_those_sent() -> None:
    witness = build(_with_witness(update(("DefaultClosedTimer", "PT1H"))))["findings"][0]["exchanges"][0]

    assert ["Content-Type", FORM_MEDIA_TYPE] in witness["request"]["headers"]
    assert ["Authorization", "Basic $(...)"] in witness["request"]["headers"]


def test_the_request_after_which_the_target_was_gone_is_in_every_report_for_people() -> None:
    lost = exchange(update(("DefaultInactiveTimer", "PT2M"), headers=(("Accept", "json"),)))
    failure = Failure(FailureKind.DISCONNECT, "closed")
    report = replace(REPORTS["no-verdict"], unanswered=(replace(lost, response=None, failure=failure),))
    document = build(report)
    terminal = io.StringIO()

    validate(document)
    print_result(document, console_for(terminal, {}))
    shown = [RENDERERS[name](document) for name in ("report.html", "summary.md", "junit.xml")]
    for text in (*map(html.unescape, shown), terminal.getvalue()):
        assert "-H 'Accept: json' --data-raw 'DefaultInactiveTimer=PT2M'" in text
    for text in (*shown[:2], terminal.getvalue()):
        assert "whether it crashed because of it is not known" in text


def _with_witness(request: Request, answer: bytes = b"{}") -> Any:
    report = REPORTS["deviating"]
    first, *rest = report.outcomes
    found = replace(first.findings[0], exchanges=(exchange(request, answer),))
    return replace(report, outcomes=(replace(first, findings=(found,)), *rest))

"""The HTTP Archive holds every witness once, or every exchange of a run, as HAR 1.2 has it."""

import base64
import copy
import io
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from conformance.http import update
from conformance.model import CLOSED
from conformance.reporting.har import LARGEST, Archive, render
from conformance.transport.credentials import Account
from conformance.transport.redaction import Secrets

from .samples import HOSTILE_BODY, REPORTS, SID, exchange


def _entries(document: dict[str, Any]) -> list[dict[str, Any]]:
    log = json.loads(render(document))["log"]
    assert log["version"] == "1.2"
    assert log["creator"] == {"name": "twilio-configuration-conformance", "version": "0.1.0"}
    entries: list[dict[str, Any]] = log["entries"]
    return entries


def test_every_run_makes_an_archive_with_the_members_har_demands(document: dict[str, Any]) -> None:
    for entry in _entries(document):
        assert {"startedDateTime", "time", "request", "response", "cache", "timings"} <= entry.keys()
        assert datetime.fromisoformat(entry["startedDateTime"]).tzinfo is not None
        assert {
            "method",
            "url",
            "httpVersion",
            "cookies",
            "headers",
            "queryString",
            "headersSize",
            "bodySize",
        } <= (entry["request"].keys())
        assert {"status", "statusText", "httpVersion", "cookies", "headers", "content", "redirectURL"} <= (
            entry["response"].keys()
        )
        assert {"send", "wait", "receive"} <= entry["timings"].keys()


def test_each_exchange_is_there_once_in_the_order_sent(deviating: dict[str, Any]) -> None:
    bodies = [entry["request"].get("postData", {}).get("text") for entry in _entries(deviating)]

    assert len(bodies) == 7
    assert bodies[0] == "DefaultInactiveTimer=banana"
    assert bodies[-1] is None


def test_bodies_that_are_no_text_are_base64(deviating: dict[str, Any]) -> None:
    (content,) = [e["response"]["content"] for e in _entries(deviating) if e["response"]["status"] == 500]

    assert content["encoding"] == "base64"
    assert base64.b64decode(content["text"]) == HOSTILE_BODY
    assert content["size"] == len(HOSTILE_BODY)


def test_a_request_without_an_answer_has_status_0_and_says_why(deviating: dict[str, Any]) -> None:
    (response,) = [e["response"] for e in _entries(deviating) if e["response"]["status"] == 0]

    assert response["comment"].startswith("timeout: no answer in 10 s")


def test_a_document_need_not_say_why(deviating: dict[str, Any]) -> None:
    document = copy.deepcopy(deviating)
    for finding in document["findings"]:
        for each in finding["exchanges"]:
            each.pop("response", None)
            each.pop("failure", None)
    entries = json.loads(render(document))["log"]["entries"]

    assert {(each["response"]["status"], each["response"].get("comment", "")) for each in entries} == {
        (0, "")
    }


def test_times_are_counted_from_the_start_of_the_run(deviating: dict[str, Any]) -> None:
    first = _entries(deviating)[0]

    assert (first["startedDateTime"], first["time"]) == ("2026-01-02T03:04:05.250000+00:00", 3.1)


def test_no_credentials_are_in_the_archive(deviating: dict[str, Any]) -> None:
    assert "t0ken" not in render(deviating)
    assert base64.b64encode(f"{SID}:t0ken".encode()).decode() not in render(deviating)


# The archive of a run

EXCHANGES = [
    each
    for outcome in REPORTS["deviating"].outcomes
    for finding in outcome.findings
    for each in finding.exchanges
]


def _copied(archive: Archive) -> list[dict[str, Any]]:
    file = io.BytesIO()
    archive.copy(file)
    entries: list[dict[str, Any]] = json.loads(file.getvalue())["log"]["entries"]
    return entries


def test_an_archive_has_every_exchange_as_the_evidence_has_it(
    tmp_path: Path, deviating: dict[str, Any]
) -> None:
    with Archive(tmp_path, target="http://127.0.0.1:4010") as archive:
        for each in EXCHANGES:
            archive.add(each)
        entries = _copied(archive)

    assert [entry["comment"] for entry in entries] == [f"exchange {each.number}" for each in EXCHANGES]
    evidence = {entry["comment"].partition(";")[0]: entry for entry in _entries(deviating)}
    for entry in entries:
        told = evidence[entry["comment"]]
        assert {**entry, "comment": "", "startedDateTime": ""} == {
            **told,
            "comment": "",
            "startedDateTime": "",
        }


def test_an_archive_holds_no_token(tmp_path: Path) -> None:
    token = "5ecret/of-the-target"
    leak = exchange(update((CLOSED.parameter, token)), f'{{"message": "{token}"}}'.encode() + HOSTILE_BODY)
    redact = Secrets([Account(SID, token)], "http://127.0.0.1:4010").redact
    with Archive(tmp_path, target="http://127.0.0.1:4010", redact=redact) as archive:
        archive.add(leak)
        (entry,) = _copied(archive)

    assert token not in json.dumps(entry) and "5ecret%2Fof" not in json.dumps(entry)
    body = base64.b64decode(entry["response"]["content"]["text"])
    assert body == b'{"message": "{token}"}' + HOSTILE_BODY
    assert entry["request"]["postData"]["text"] == "DefaultClosedTimer={token}"


@pytest.mark.parametrize("start", [b"", b"\xff"])
def test_a_large_body_is_cut_and_its_size_told(tmp_path: Path, start: bytes) -> None:
    with Archive(tmp_path, target="") as archive:
        archive.add(exchange(update(), start + b"x" * 2 * LARGEST))
        (entry,) = _copied(archive)

    content = entry["response"]["content"]
    kept = base64.b64decode(content["text"]) if start else content["text"].encode()
    assert kept == (start + b"x" * 2 * LARGEST)[:LARGEST]
    assert content["size"] == 2 * LARGEST + len(start)
    assert content["comment"] == "the first 65,536 bytes"


def test_exchanges_of_several_threads_are_all_there(tmp_path: Path) -> None:
    with Archive(tmp_path, target="") as archive:
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda number: archive.add(replace(EXCHANGES[0], number=number)), range(400)))
        entries = _copied(archive)

    assert sorted(int(entry["comment"].split()[1]) for entry in entries) == list(range(400))


def test_a_run_that_is_killed_leaves_no_scrap_of_an_archive(tmp_path: Path) -> None:
    with Archive(tmp_path, target="") as archive:
        archive.add(EXCHANGES[0])

        assert list(tmp_path.iterdir()) == []


def test_a_disk_that_was_full_is_told_when_the_archive_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(28, "No space left on device")

    with Archive(tmp_path, target="") as archive:
        monkeypatch.setattr(archive._har, "_fd", Full())
        for each in EXCHANGES:
            archive.add(each)

        with pytest.raises(OSError, match="No space left"):
            _copied(archive)


def test_an_archive_without_exchanges_is_one(tmp_path: Path) -> None:
    with Archive(tmp_path, target="") as archive:
        assert _copied(archive) == []

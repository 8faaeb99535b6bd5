"""The HTTP Archive holds every witness once, as HAR 1.2 has it."""

import base64
import json
from datetime import datetime
from typing import Any

from conformance.reporting.har import render

from .samples import HOSTILE_BODY, SID


def _entries(document: dict[str, Any]) -> list[dict[str, Any]]:
    log = json.loads(render(document))["log"]
    assert log["version"] == "1.2"
    assert log["creator"] == {"name": "conformance", "version": "0.1.0"}
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


def test_times_are_counted_from_the_start_of_the_run(deviating: dict[str, Any]) -> None:
    first = _entries(deviating)[0]

    assert (first["startedDateTime"], first["time"]) == ("2026-01-02T03:04:05.250000+00:00", 3.1)


def test_no_credentials_are_in_the_archive(deviating: dict[str, Any]) -> None:
    assert "t0ken" not in render(deviating)
    assert base64.b64encode(f"{SID}:t0ken".encode()).decode() not in render(deviating)

"""What was sent comes in the format that Hypothesis itself writes, and Tyche reads."""

import io
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conformance.harness.events import ExchangeJudged
from conformance.http import READ, Exchange, Failure, FailureKind, update
from conformance.model import CLOSED, INACTIVE, Violation
from conformance.reporting import Observations
from conformance.transport.credentials import Account
from conformance.transport.redaction import Secrets

from .samples import HOSTILE, SID, exchange

pytestmark = pytest.mark.slow

SCRIPT = """
from hypothesis import given, settings, strategies as st

@settings(max_examples=20, database=None, deadline=None, derandomize=True)
@given(st.integers())
def check(n):
    assert n < 1

try:
    check()
except AssertionError:
    pass
"""


def _violation(**fields: Any) -> Violation:
    given: dict[str, Any] = {
        "rule": "closed-timer-minimum",
        "outcome": "accepted",
        "field": CLOSED.parameter,
        "summary": "DefaultClosedTimer=PT9M was accepted",
        "expected": "4xx",
        "observed": "200",
    }
    return Violation(**given | fields)


def _lines(directory: Path, *told: tuple[Exchange, list[Violation]], **options: Any) -> list[dict[str, Any]]:
    file = io.BytesIO()
    with Observations(directory, **options) as observations:
        for each, violations in told:
            observations.add(
                ExchangeJudged(
                    phase="examples", cls="timer/below", exchange=each, violations=tuple(violations)
                )
            )
        observations.copy(file)
    return [json.loads(line) for line in file.getvalue().decode("ascii").splitlines()]


SILENT = replace(exchange(READ), response=None, failure=Failure(FailureKind.TIMEOUT, f"no answer {HOSTILE}"))
TOLD = [
    (exchange(update((CLOSED.parameter, "PT9M"))), [_violation()]),
    (exchange(update((INACTIVE.parameter, HOSTILE.encode(errors="replace").decode()))), []),
    (exchange(update((INACTIVE.parameter, "PT1M"), (INACTIVE.parameter, "PT2M"), ("Other", "x"))), []),
    (exchange(update(), status=429), []),
    (SILENT, []),
]


def _kind(value: Any) -> str:
    return "number" if isinstance(value, int | float) else type(value).__name__


@pytest.fixture(scope="module")
def of_hypothesis(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The test cases that Hypothesis itself writes."""
    directory = tmp_path_factory.mktemp("hypothesis")
    environment = {
        **os.environ,
        "HYPOTHESIS_EXPERIMENTAL_OBSERVABILITY_NOCOVER": "1",
        # Our own command has set another one for this process, where a test has called it before.
        "HYPOTHESIS_STORAGE_DIRECTORY": str(directory / ".hypothesis"),
    }
    command = [sys.executable, "-W", "ignore", "-c", SCRIPT]
    subprocess.run(command, cwd=directory, env=environment, check=True, capture_output=True)
    (path,) = (directory / ".hypothesis" / "observed").glob("*_testcases.jsonl")
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if line["type"] == "test_case"]


def test_lines_have_the_members_and_types_of_those_of_hypothesis(
    tmp_path: Path, of_hypothesis: list[dict[str, Any]]
) -> None:
    kinds = {name: _kind(value) for name, value in of_hypothesis[0].items()}
    statuses = {line["status"] for line in of_hypothesis}

    assert {"passed", "failed"} <= statuses
    for line in _lines(tmp_path, *TOLD):
        assert {name: _kind(value) for name, value in line.items()} == {**kinds, "coverage": "NoneType"}
        assert line["status"] in {"passed", "failed", "gave_up"}
        assert all(_kind(value) == "number" and value >= 0 for value in line["timing"].values())


def test_a_line_tells_input_answer_and_what_was_violated(tmp_path: Path) -> None:
    line = _lines(tmp_path, TOLD[0])[0]

    assert line["property"] == "timer/below DefaultClosedTimer"
    assert (line["status"], line["status_reason"]) == (
        "failed",
        "closed-timer-minimum: DefaultClosedTimer=PT9M was accepted",
    )
    assert (line["representation"], line["arguments"]) == (
        "DefaultClosedTimer=PT9M",
        {"DefaultClosedTimer": "PT9M"},
    )
    assert line["features"]["status"] == "200"
    assert line["how_generated"] == "sent during examples"


def test_requests_without_an_answer_that_counts_gave_up(tmp_path: Path) -> None:
    assert [line["status"] for line in _lines(tmp_path, *TOLD)] == [
        "failed",
        "passed",
        "passed",
        "gave_up",
        "gave_up",
    ]


def test_repeated_parameters_are_all_there(tmp_path: Path) -> None:
    (line,) = _lines(tmp_path, TOLD[2])

    assert line["arguments"] == {"DefaultInactiveTimer": ["PT1M", "PT2M"], "Other": "x"}
    assert line["property"] == "timer/below"


def test_lines_hold_no_token(tmp_path: Path) -> None:
    token = "5ecret/of-the-target"
    redact = Secrets([Account(SID, token)], "http://127.0.0.1:4010").redact
    told = (exchange(update((CLOSED.parameter, token))), [_violation(summary=f"{token} was accepted")])

    assert token not in json.dumps(_lines(tmp_path, told, redact=redact))

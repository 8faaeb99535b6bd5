"""The hooks for the command line of schemathesis, in a process of their own: hooks are for the whole process."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from conformance.transport.credentials import THROWAWAY
from conformance.transport.embedded import Embedded

pytestmark = pytest.mark.slow

DOCUMENT = Path(__file__).parents[2] / "schemas" / "openapi.json"
PAGE = (Path(__file__).parents[2] / "docs" / "strategies.md").read_text(encoding="utf-8")


def test_a_near_miss_that_is_accepted_is_the_one_failure(tmp_path: Path) -> None:
    """No right value is told as wrong, though schemathesis alone takes any text in a timer for right."""
    (settings,) = (block.partition("```")[0] for block in PAGE.split("```toml\n")[1:])
    (tmp_path / "schemathesis.toml").write_text(settings)
    with Embedded(THROWAWAY, faults=["closed-timer-minimum-one-second-less"]) as embedded:
        command = [sys.executable, "-m", "schemathesis.cli", "run", str(DOCUMENT), "--url", embedded.url()]
        command += [
            "--auth",
            f"{THROWAWAY[0].user}:{THROWAWAY[0].token}",
            "--phases",
            "fuzzing",
            "--seed",
            "1",
        ]
        command += ["--mode", "all", "--include-method", "POST", "--generation-database", "none"]
        command += ["--continue-on-failure", "--report", "ndjson", "--report-ndjson-path", "report"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    failed = {
        check["name"]
        for line in (tmp_path / "report").read_text(encoding="utf-8").splitlines()
        for event, body in json.loads(line).items()
        if event == "ScenarioFinished"
        for checks in body["recorder"].get("checks", {}).values()
        for check in checks
        if check["status"] == "failure"
    }
    assert failed == {"near_misses_are_refused"}
    assert (
        "accepted, though one of these values must be refused: {'DefaultClosedTimer': 'PT599S'}"
        in done.stdout
    )

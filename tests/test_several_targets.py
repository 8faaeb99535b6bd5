"""The page on several targets, followed step by step with two emulators, of which one deviates."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import clean_environment

from conformance.transport.credentials import THROWAWAY
from conformance.transport.embedded import Embedded

pytestmark = pytest.mark.slow

PAGE = (Path(__file__).parents[1] / "docs" / "how-to-judge-several.md").read_text(encoding="utf-8")
RULE = "closed-timer-minimum"
ENVIRONMENT = {"CONFORMANCE_PROFILE": "quick", "CONFORMANCE_ONLY": f"{RULE},media-type"}


@pytest.fixture(scope="module")
def page() -> Iterator[str]:
    """The page, with the ports of the two emulators."""
    with Embedded(THROWAWAY) as old, Embedded(THROWAWAY, faults=[f"{RULE}-one-second-less"]) as new:
        urls = {"http://localhost:4007": old.url(), "http://localhost:4008": new.url()}
        yield re.sub("http://localhost:400[78]", lambda match: urls[match[0]], PAGE)


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def run(command: list[str], where: Path) -> subprocess.CompletedProcess[str]:
    environment = clean_environment(**ENVIRONMENT)
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    return subprocess.run(
        command, cwd=where, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def test_from_the_shell(page: str, tmp_path: Path) -> None:
    (script,) = blocks(page, "sh")
    done = run(["bash", "-c", script], tmp_path)
    assert done.returncode == 1, done.stderr
    assert RULE in done.stdout.rpartition("matrix.md")[2]
    (row,) = re.findall(rf"^\|.*{RULE}.*$", (tmp_path / "reports" / "matrix.md").read_text(), re.MULTILINE)
    assert row.endswith("| MUST | ✓ | ✗ |")


def test_from_pytest(page: str, tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(blocks(page, "python")[0])
    (tmp_path / "test_api.py").write_text(blocks(page, "python")[1])
    done = run([sys.executable, "-m", "pytest", "-v", "-p", "no:randomly", "-p", "no:asyncio"], tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    verdicts = dict(re.findall(r"test_conformance\[(\S+)\] (PASSED|FAILED)", done.stdout))
    assert verdicts == {
        f"old-{RULE}": "PASSED",
        f"new-{RULE}": "FAILED",
        "old-media-type": "PASSED",
        "new-media-type": "PASSED",
    }
    for name in ("old", "new"):
        assert (tmp_path / "conformance-report" / name / "report.html").exists()

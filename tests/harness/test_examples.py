"""What one run finds, every run that shares the database tries first."""

import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from fakes import Resource
from hypothesis.configuration import set_hypothesis_home_dir
from whole_runs import Answering, Fault, judged

from conformance.exceptions import ConfigurationError
from conformance.harness.examples import Examples
from conformance.harness.executor import Plan
from conformance.http import Request
from conformance.reporting import build

pytestmark = pytest.mark.usefixtures("no_waiting")

TODAY = date(2026, 11, 28)
RULE = "closed-timer-minimum"


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[str]:
    """The URL of a Redis server."""
    if shutil.which("redis-server") is None:
        pytest.skip("no redis-server here: apt-get install redis-server")
    path = tmp_path / "redis.sock"
    command = ["redis-server", "--port", "0", "--unixsocket", str(path), "--save", "", "--dir", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert any("ready to accept" in line.lower() for line in server.stdout)
        yield f"unix://{path}"
        server.terminate()


@pytest.fixture(params=["directory", pytest.param("redis", marks=pytest.mark.slow)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "examples" if request.param == "directory" else request.getfixturevalue("redis"))


def run(answering: Answering, url: str) -> tuple[dict[str, Any], list[Request]]:
    """Judge by one rule, with a database; the result, and what the database had to be tried first."""
    examples = Examples(url)
    first = examples.first(accounts=1)
    report, _ = judged(answering, RULE, plan=Plan(profile="quick", first=tuple(first)), accounts=1)
    result = build(report)
    assert examples.learn(result, TODAY) == ""
    return result, [request for _, requests in first for request in requests]


def test_what_one_run_finds_the_next_one_tries_first_until_it_is_mended(url: str) -> None:
    wrong = Fault(accepts=["PT599S"])
    found, tried = run(wrong, url)
    assert not tried
    again, tried = run(wrong, url)
    assert b"DefaultClosedTimer=PT599S" in {request.body for request in tried}
    assert [each["fingerprint"] for each in again["findings"]] == [
        each["fingerprint"] for each in found["findings"]
    ]
    mended, tried = run(Resource(), url)
    assert tried
    assert mended["verdict"] == "conformant"
    assert not run(Resource(), url)[1]


def test_a_rule_that_was_not_judged_keeps_its_examples(tmp_path: Path) -> None:
    found, _ = run(Fault(accepts=["PT599S"]), str(tmp_path))
    other = build(judged(Resource(), "media-type", plan=Plan(profile="quick"))[0])
    Examples(str(tmp_path)).learn(other, TODAY)
    assert found["findings"] and Examples(str(tmp_path)).first(accounts=1)


def test_values_that_are_no_examples_are_left_alone(tmp_path: Path) -> None:
    run(Fault(accepts=["PT599S"]), str(tmp_path))
    for path in tmp_path.rglob("*"):
        if path.is_file():
            path.write_bytes(b"\xff[[deviation")
    assert Examples(str(tmp_path)).first(accounts=1) == []


@pytest.fixture
def artifacts(tmp_path: Path) -> Iterator[Path]:
    """Where Hypothesis keeps the artifacts that it has fetched from GitHub."""
    home = tmp_path / "home"
    set_hypothesis_home_dir(home)
    yield home / "github-artifacts" / "found"
    set_hypothesis_home_dir(None)


def test_an_artifact_of_github_is_read_and_never_written(artifacts: Path, tmp_path: Path) -> None:
    run(Fault(accepts=["PT599S"]), str(tmp_path / "kept"))
    artifacts.mkdir(parents=True)
    name = artifacts / datetime.now(UTC).isoformat().replace(":", "_")
    archive = Path(shutil.make_archive(str(name), "zip", tmp_path / "kept"))
    before = archive.read_bytes()
    _, tried = run(Resource(), "github:owner/repository/found")
    assert b"DefaultClosedTimer=PT599S" in {request.body for request in tried}
    assert archive.read_bytes() == before
    archive.write_bytes(b"no archive")
    with pytest.raises(ConfigurationError, match="cannot be read: The downloaded artifact"):
        Examples("github:owner/repository/found")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("github:repository", "the database of examples: write it like github:owner/repository/artifact"),
        ("unix:///nowhere/redis.sock", "the database of examples cannot be read: .*"),
        (
            "redis://:s3cret@localhost:port/0",
            "the database of examples: write it like redis://localhost:6379/0",
        ),
    ],
)
def test_a_server_that_is_not_there_is_refused_in_one_line(url: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{message}$"):
        Examples(url)

"""The emulator as a test double: the examples of the documentation, run with the official clients."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from emulator.serving import running

from conformance.testing import emulator
from conformance.transport.credentials import THROWAWAY

pytestmark = pytest.mark.slow

pytest_plugins = "pytester"

COMMAND = (sys.executable, "-m", "conformance.cli")
PAGE = Path(__file__).parents[1] / "docs" / "test-your-application.md"


def example(language: str, number: int = 0) -> str:
    """One of the page's examples."""
    found = re.findall(
        rf"^```{language}\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    return str(found[number])


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("CONFORMANCE_", "TWILIO_", "PYTEST_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


def test_the_python_example_passes_with_an_emulator_for_each_worker(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_application=example("python"))
    pytester.makeini("[pytest]\nfilterwarnings = error")
    pytester.runpytest_subprocess("-n", "2", "-p", "no:schemathesis", "-p", "no:asyncio").assert_outcomes(
        passed=4
    )


def test_the_example_without_pytest_prints_where_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    exec(example("python", 1), {})  # noqa: S102  # the page's own example
    assert re.fullmatch(
        rf"http://127.0.0.1:\d+ {THROWAWAY[0].user} {THROWAWAY[0].token}\n", capsys.readouterr().out
    )


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is missing")
def test_the_node_example_passes(tmp_path: Path) -> None:
    install = [
        "npm",
        "install",
        "--no-audit",
        "--no-fund",
        "--prefer-offline",
        "--prefix",
        str(tmp_path),
        "twilio@6",
    ]
    done = subprocess.run(install, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"npm cannot install twilio: {done.stderr.splitlines()[-1:]}")
    test = tmp_path / "configuration.test.mjs"
    test.write_text(example("js"), encoding="utf-8")
    with emulator() as double:
        environment = {**os.environ, "EMULATOR_URL": double.url}
        done = subprocess.run(
            ["node", "--test", str(test)],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert re.search(r"pass 2$", done.stdout, re.MULTILINE), done.stdout


def test_state_requests_and_failures_are_its_own() -> None:
    with emulator() as one, emulator() as other:
        one.seed(default_closed_timer="PT10M")
        one.seed([*one.accounts][1], default_closed_timer="PT20M")
        assert one.state["default_closed_timer"] == "PT10M"
        assert other.state["default_closed_timer"] is None
        one.reset()
        assert set(one.state.values()) == {None}


def test_the_command_takes_a_seed_and_prints_a_line_for_each_request(tmp_path: Path) -> None:
    sid, token = THROWAWAY[0].user, THROWAWAY[0].token
    seed = tmp_path / "seed.json"
    seed.write_text(json.dumps({sid: {"default_closed_timer": "PT30M"}}))
    command = [*COMMAND, "serve", "--port", "0", "--seed", str(seed), "--verbose"]
    with running(command=command, accounts={sid: token}) as served:
        curl = ["curl", "-s", "--noproxy", "*", "-u", f"{sid}:{token}", f"{served.url}/v1/Configuration"]
        shown = json.loads(subprocess.check_output([*curl, "-d", "DefaultInactiveTimer=PT5M"]))
        subprocess.check_output([*curl, "--data-binary", "x=%0A%1b"])
        assert served.process.stdout is not None
        lines = [served.process.stdout.readline() for _ in range(2)]
    assert shown["default_closed_timer"] == "PT30M"
    assert lines == [
        f"200 {sid} POST /v1/Configuration DefaultInactiveTimer=PT5M\n",
        f"200 {sid} 'POST /v1/Configuration x=\\n\\x1b'\n",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--port", "99999"), "port 99999 is out of range; choose one from 1 to 65535, or 0 for a free one"),
        (("--seed", "absent.json"), "cannot read absent.json: No such file"),
        (("--seed", "list.json"), "list.json must be a JSON object such as "),
        (("--seed", "short.json"), "default_closed_timer cannot be 'PT1M': "),
    ],
)
def test_what_cannot_be_served_is_told_in_one_line(
    tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    (tmp_path / "list.json").write_text("[]")
    (tmp_path / "short.json").write_text(json.dumps({THROWAWAY[0].user: {"default_closed_timer": "PT1M"}}))
    done = subprocess.run(
        [*COMMAND, "serve", *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert message in line


def test_a_port_in_use_is_told_with_its_number() -> None:
    with emulator() as double:
        port = double.url.rpartition(":")[2]
        done = subprocess.run(
            [*COMMAND, "serve", "--port", port], capture_output=True, text=True, check=False
        )
    assert done.returncode == 2
    assert f"port {port} of 127.0.0.1 is in use; choose another, or 0 for a free one" in done.stderr

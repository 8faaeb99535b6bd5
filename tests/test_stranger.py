"""
The pytest front in a stranger's project, which has folders and modules named like ours, and plugins that change much.

Every session is one of a project with `filterwarnings = error`, and its plugins reorder, time and share out the tests.
"""

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from forks import session

from conformance.model import fingerprint
from conformance.transport.credentials import THROWAWAY
from conformance.transport.embedded import Embedded

pytestmark = pytest.mark.slow

pytest_plugins = "pytester"

RULES = ("closed-timer-minimum", "inactive-timer-minimum", "media-type")
BROKEN = "closed-timer-minimum"
INI = """
[pytest]
addopts = --strict-markers --strict-config -p no:schemathesis --html=report.html --self-contained-html
asyncio_default_fixture_loop_scope = function
asyncio_mode = auto
filterwarnings = error
timeout = 300
"""
TARGETS = """
import pytest

URLS = {{"right": "{right}", "wrong": "{wrong}"}}


@pytest.fixture(scope="{scope}", params=["right", "wrong"])
def conformance_target(request):
    return URLS[request.param]
"""
LINE = "from conformance.pytest_plugin import test_conformance\n"


@pytest.fixture(scope="module")
def urls() -> Iterator[dict[str, str]]:
    """The base URLs of a right emulator, and of one that takes closed timers of one second less than the minimum."""
    with Embedded(THROWAWAY) as right, Embedded(THROWAWAY, faults=[f"{BROKEN}-one-second-less"]) as wrong:
        yield {"right": right.url(), "wrong": wrong.url()}


@pytest.fixture
def stranger(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project with folders and a module named like ours, and with settings of its own."""
    for name in list(os.environ):
        if name.startswith(("CONFORMANCE_", "TWILIO_", "PYTEST_")):
            monkeypatch.delenv(name)
    for folder in ("schemas", "reports", "strategies", "tests"):
        pytester.mkdir(folder)
    for module in ("schemas/__init__", "strategies/__init__", "tests/strategies"):
        (pytester.path / f"{module}.py").write_text("raise RuntimeError('not meant for you')\n")
    pytester.makeini(INI)
    rules = ", ".join(f'"{rule}"' for rule in RULES)
    (pytester.path / "conformance.toml").write_text(f'profile = "quick"\nonly = [{rules}]\n')
    return pytester


def write(project: pytest.Pytester, **texts: str) -> None:
    """Write modules of the project's tests: two underscores in a name stand for a folder."""
    for name, text in texts.items():
        path = project.path / "tests" / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


def failures(result: pytest.RunResult) -> list[str]:
    """The ids of the tests that failed, without their folder."""
    lines = [line for line in result.outlines if line.startswith("FAILED ")]
    return sorted(line.split(" - ")[0].removeprefix("FAILED tests/") for line in lines)


def verdicts(project: pytest.Pytester) -> dict[str, Any]:
    """The verdict of each report, by the name of its folder."""
    reports = project.path.joinpath("conformance-report").rglob("result.json")
    return {path.parent.name: json.loads(path.read_text())["verdict"] for path in reports}


@pytest.mark.parametrize(
    ("scope", "arguments"),
    [("session", ["-n2"]), ("function", ["-p", "no:xdist"])],
)
def test_two_targets_are_two_results(
    stranger: pytest.Pytester, urls: dict[str, str], scope: str, arguments: list[str]
) -> None:
    write(stranger, conftest=TARGETS.format(scope=scope, **urls), test_api=LINE)
    result = session(stranger, "-ra", *arguments)
    result.assert_outcomes(passed=5, failed=1)
    assert failures(result) in (
        [f"test_api.py::test_conformance[wrong-{BROKEN}]"],
        [f"test_api.py::test_conformance[{BROKEN}-wrong]"],
    )
    by_name = verdicts(stranger)
    assert {name.rpartition("-")[2]: verdict for name, verdict in by_name.items()} == {
        "right": "conformant",
        "wrong": "deviation",
    }


@pytest.mark.parametrize("arguments", [["tests/b", "tests/a"], ["-n2", "tests/a", "tests/b"]])
def test_folders_name_targets_of_their_own(
    stranger: pytest.Pytester, urls: dict[str, str], arguments: list[str]
) -> None:
    for folder, url in (("a", urls["right"]), ("b", urls["wrong"])):
        fixture = f"@pytest.fixture(scope='session')\ndef conformance_target():\n    return {url!r}\n"
        write(
            stranger, **{f"{folder}__conftest": f"import pytest\n{fixture}", f"{folder}__test_{folder}": LINE}
        )
    result = session(stranger, "-ra", "-p", "no:randomly", *arguments)
    result.assert_outcomes(passed=5, failed=1)
    assert failures(result) == [f"b/test_b.py::test_conformance[{BROKEN}]"]
    assert verdicts(stranger) == {"tests-a": "conformant", "tests-b": "deviation"}
    result.stdout.fnmatch_lines(["conformance: *conformance-report/tests-a/report.html"])


def test_servers_on_one_port_in_turn_are_two_targets(stranger: pytest.Pytester) -> None:
    """A fixture of a narrower scope than the session may start another server where the last one was."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    conftest = f"""
import threading, time
import pytest, uvicorn
from conformance.emulator import create_app
from conformance.transport.credentials import THROWAWAY

@pytest.fixture(scope="module")
def conformance_target(request):
    faults = [] if request.module.__name__.endswith("right") else ["{BROKEN}-one-second-less"]
    app = create_app(accounts={{a.sid: a.token for a in THROWAWAY}}, faults=faults)
    server = uvicorn.Server(uvicorn.Config(app, port={port}, log_level="critical"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield "http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()
"""
    write(stranger, conftest=conftest, test_right=LINE, test_wrong=LINE)
    result = session(stranger, "-ra", "-p", "no:xdist")
    result.assert_outcomes(passed=5, failed=1)
    assert failures(result) == [f"test_wrong.py::test_conformance[{BROKEN}]"]


def test_an_application_needs_no_server(stranger: pytest.Pytester) -> None:
    """A fixture names it; an exception is a server error, and its traceback is in the failure and in the report."""
    conftest = f"""
import pytest
from conformance.emulator import create_app
from conformance.transport.credentials import THROWAWAY

class Broken:
    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http" and scope["method"] == "GET":
            raise LookupError("nobody reads here")
        await self.app(scope, receive, send)

@pytest.fixture(scope="module", params=["right", "wrong", "broken"])
def conformance_app(request):
    faults = ["{BROKEN}-one-second-less"] if request.param == "wrong" else []
    app = create_app(accounts={{each.sid: each.token for each in THROWAWAY}}, faults=faults)
    return Broken(app) if request.param == "broken" else app
"""
    rules = 'only = ["closed-timer-minimum", "no-server-error", "framing"]\n'
    (stranger.path / "conformance.toml").write_text(f'profile = "quick"\n{rules}')
    write(stranger, conftest=conftest, test_api=LINE)
    result = session(stranger, "-ra", "-p", "no:randomly", "-n2")
    result.assert_outcomes(passed=4, failed=2, skipped=3)
    assert failures(result) == [
        "test_api.py::test_conformance[broken-no-server-error]",
        f"test_api.py::test_conformance[wrong-{BROKEN}]",
    ]
    result.stdout.fnmatch_lines(["*not-run: needs a connection: a server makes it*"])
    result.stdout.fnmatch_lines(['    raise LookupError("nobody reads here")'])
    (report,) = (stranger.path / "conformance-report").glob("*broken/report.html")
    assert "LookupError: nobody reads here" in report.read_text()


def known(
    where: Path, expires: str = "", cls: str = "timer/below-seconds", outcome: str = "accepted"
) -> Path:
    """A file with one known deviation."""
    lines = {"rule": BROKEN, "class": cls, "outcome": outcome, "reason": "being mended"}
    lines["fingerprint"] = fingerprint(BROKEN, cls, outcome)
    text = "".join(f'{name} = "{value}"\n' for name, value in lines.items())
    where.write_text(f"[[deviation]]\n{text}{f'expires = {expires}' if expires else ''}\n")
    return where


def test_decorated_tests_have_settings_of_their_own(stranger: pytest.Pytester, urls: dict[str, str]) -> None:
    """Rules, profile, target and known deviations, several in one module; a known one is xfailed."""
    everything = stranger.path / "known.toml"
    known(everything, cls="*")
    known(stranger.path / "expired.toml", expires="2020-01-31", cls="*")
    module = f"""
import conformance

right = conformance.parametrize(target={urls["right"]!r}, only=["closed-timer-m*"])
wrong = conformance.parametrize(target={urls["wrong"]!r}, only=["{BROKEN}"])

@right
def test_right(conformance_check):
    conformance_check()

@wrong
def test_wrong(conformance_check):
    conformance_check()

@wrong
@conformance.parametrize(known="known.toml")
def test_known(conformance_check):
    conformance_check()

@wrong
@conformance.parametrize(known="expired.toml")
def test_expired(conformance_check):
    conformance_check()

@right
@conformance.parametrize(known="known.toml")
def test_fixed(conformance_check):
    conformance_check()

@conformance.parametrize(target={urls["wrong"]!r}, known="known.toml")
def test_whole(conformance_result):
    assert {{rule["id"] for rule in conformance_result["rules"]}} == {set(RULES)!r}
    assert conformance_result["verdict"] == "known"
"""
    write(stranger, test_api=module)
    result = session(stranger, "-ra", "-n2")
    result.assert_outcomes(passed=2, failed=2, xfailed=1, xpassed=1)
    assert failures(result) == [
        f"test_api.py::test_expired[{BROKEN}]",
        f"test_api.py::test_wrong[{BROKEN}]",
    ]
    result.stdout.fnmatch_lines(["This was known, until 2020-01-31: being mended"])
    result.stdout.fnmatch_lines(["XFAIL *known: being mended*"])
    strict = session(stranger, "-ra", "-o", "xfail_strict=true", "-k", "fixed or known")
    strict.assert_outcomes(failed=1, xfailed=1)
    strict.stdout.fnmatch_lines(["*XPASS(strict)*was known: being mended*"])


def test_known_deviations_come_from_the_settings_file_of_the_rootdir(
    stranger: pytest.Pytester, urls: dict[str, str]
) -> None:
    known(stranger.path / "known.toml", cls="*")
    with (stranger.path / "conformance.toml").open("a") as file:
        file.write(f'known = "known.toml"\ntarget = "{urls["wrong"]}"\n')
    write(stranger, test_api=LINE)
    os.chdir(stranger.path / "tests")
    result = session(stranger, "-p", "no:xdist", f"--rootdir={stranger.path}")
    result.assert_outcomes(passed=2, xfailed=1)


def test_a_plain_call_works_on_threads_and_inside_an_event_loop(
    stranger: pytest.Pytester, urls: dict[str, str]
) -> None:
    module = f"""
from concurrent.futures import ThreadPoolExecutor
import conformance

URLS = [{urls["right"]!r}, {urls["wrong"]!r}]
OPTIONS = {{"profile": "standard", "only": ["{BROKEN}"]}}

def judged(url):
    report = conformance.run(target=url, **OPTIONS)
    return report.verdict, report.exit_code

async def test_inside_an_event_loop():
    assert judged(URLS[1]) == ("deviation", 1)

def test_on_threads():
    with ThreadPoolExecutor(2) as threads:
        assert [*threads.map(judged, URLS)] == [("conformant", 0), ("deviation", 1)]
"""
    write(stranger, test_call=module)
    session(stranger, "-p", "no:xdist").assert_outcomes(passed=2)

"""The pytest front, in sessions of a user who has nothing but the one line."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import pytest
from forks import session

from conformance.rules import BY_ID
from conformance.transport.credentials import THROWAWAY
from conformance.transport.embedded import Embedded

pytestmark = pytest.mark.slow

pytest_plugins = "pytester"

LINE = "from conformance.pytest_plugin import test_conformance\n"
ORDER = [*BY_ID]
FAULT = "closed-timer-minimum-one-second-less"


@pytest.fixture
def user(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A user's empty project with the one line, whose warnings are errors."""
    for name in list(os.environ):
        if name.startswith(("CONFORMANCE_", "TWILIO_", "PYTEST_")):
            monkeypatch.delenv(name)
    pytester.makepyfile(test_api=LINE)
    others = "-p no:asyncio -p no:html -p no:randomly -p no:timeout"
    pytester.makeini(f"[pytest]\nfilterwarnings = error\naddopts = --strict-markers --strict-config {others}")
    return pytester


def run(user: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    """A session that makes a run; without the plugin of schemathesis, which takes a second to load."""
    return session(user, "--conformance-profile=quick", "-pno:schemathesis", *arguments)


@pytest.fixture(scope="module")
def faulty() -> Iterator[str]:
    """The base URL of an emulator that takes closed timers of one second less than the minimum."""
    with Embedded(THROWAWAY, faults=[FAULT]) as emulator:
        yield emulator.url()


@pytest.fixture
def closed_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def test_every_rule_is_an_item(user: pytest.Pytester) -> None:
    from conformance.rules import CATALOGUE

    result = session(user, "--collect-only", "-q")
    items = [line for line in result.outlines if "::" in line]
    assert items == [f"test_api.py::test_conformance[{rule.id}]" for rule in CATALOGUE if rule.group != "sdk"]


def test_a_session_that_does_not_use_the_suite_loads_nothing_heavy(user: pytest.Pytester) -> None:
    user.makepyfile(test_api="def test_unrelated(): pass")
    user.makeconftest("""
        import sys
        def pytest_unconfigure():
            print("LOADED", *(each for each in sys.modules if "." not in each))
    """)
    result = user.runpytest_subprocess("-s", "-p", "no:schemathesis", "-p", "no:anyio")
    loaded = next(line for line in result.outlines if line.startswith("LOADED")).split()
    assert "conformance" in loaded
    assert not {"anyio", "click", "httpcore", "hypothesis", "jinja2", "schemathesis", "uvicorn"} & set(loaded)


def test_hypothesis_sums_up_as_ever_where_it_was_used(user: pytest.Pytester) -> None:
    user.makepyfile(
        test_api="""
        from hypothesis import given, strategies
        @given(strategies.integers())
        def test_drawn(number): pass
    """
    )
    result = session(user, "--hypothesis-show-statistics")
    result.stdout.fnmatch_lines(["*Hypothesis Statistics*", "*test_drawn*"])


def test_the_embedded_emulator_passes_without_a_target(user: pytest.Pytester) -> None:
    result = run(user, "-k", "inactive-timer")
    outcomes = result.parseoutcomes()
    assert outcomes["passed"] >= 5
    assert not {"failed", "errors"} & outcomes.keys()
    assert result.ret == 0


def test_a_deviation_fails_its_item_and_tells_what_was_sent(user: pytest.Pytester, faulty: str) -> None:
    result = run(user, "-k", "closed-timer-minimum or media-type", f"--conformance-target={faulty}")
    result.assert_outcomes(failed=1, passed=2)
    result.stdout.fnmatch_lines(
        [
            "closed-timer-minimum (MUST): A DefaultClosedTimer shorter than 10 minutes is refused, *",
            "*DefaultClosedTimer=* was accepted",
            "expected: 4xx, *",
            "observed: status 200",
            f"curl * {faulty}/v1/Configuration",
            f"{faulty}, profile quick, seed 0",
        ]
    )


def test_only_the_rules_that_were_selected_are_run(user: pytest.Pytester, faulty: str) -> None:
    result = run(
        user, f"--conformance-target={faulty}", "test_api.py::test_conformance[inactive-timer-syntax]"
    )
    result.assert_outcomes(passed=1)
    report = (user.path / "conformance-report" / "junit.xml").read_text()
    assert [case.get("name") for case in ElementTree.fromstring(report).iter("testcase")] == [
        "inactive-timer-syntax"
    ]


def test_the_first_failure_ends_the_session_with_x(user: pytest.Pytester, faulty: str) -> None:
    result = run(user, "-x", "-k", "closed-timer", f"--conformance-target={faulty}")
    assert result.parseoutcomes()["failed"] == 1
    result.stdout.fnmatch_lines(["*stopping after 1 failures*"])


def test_junit_xml_holds_verdicts_as_properties(user: pytest.Pytester, faulty: str) -> None:
    run(user, "-k", "closed-timer-minimum", f"--conformance-target={faulty}", "--junitxml=junit.xml")
    (case,) = ElementTree.parse(user.path / "junit.xml").iter("testcase")
    assert case.get("name") == "test_conformance[closed-timer-minimum]"
    properties = {each.get("name"): each.get("value") for each in case.iter("property")}
    assert properties["verdict"] == "deviation"
    assert properties["level"] == "must"
    assert "curl" in (case.findtext("failure") or "")


def test_a_broken_should_rule_passes_unless_it_is_to_fail(user: pytest.Pytester) -> None:
    with Embedded(THROWAWAY, faults=["errors-plain"]) as emulator:
        arguments = ["-k", "error-envelope", f"--conformance-target={emulator.url()}"]
        lenient = run(user, *arguments, "-rP", "--junitxml=junit.xml")
        strict = run(user, *arguments, "--conformance-fail-on=should")
    lenient.assert_outcomes(passed=1)
    lenient.stdout.fnmatch_lines(["error-envelope (SHOULD): *"])
    (case,) = ElementTree.parse(user.path / "junit.xml").iter("testcase")
    assert "deviation" in {each.get("name") for each in case.iter("property")}
    strict.assert_outcomes(failed=1)


def test_a_rule_that_could_not_be_run_is_skipped_with_the_reason(
    user: pytest.Pytester, faulty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = THROWAWAY[0]
    monkeypatch.setenv("CONFORMANCE_ACCOUNTS", f"{account.sid}:{account.token}")
    result = run(user, "-rs", "-k", "accounts-apart or media-type", f"--conformance-target={faulty}")
    result.assert_outcomes(skipped=1, passed=2)
    result.stdout.fnmatch_lines(["*needs a second account: set CONFORMANCE_ACCOUNTS"])


def test_a_target_that_is_not_there_makes_errors_not_failures(
    user: pytest.Pytester, closed_port: int
) -> None:
    target = f"http://127.0.0.1:{closed_port}"
    result = run(user, "-k", "inactive-timer-syntax", f"--conformance-target={target}")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*cannot be reached*"])


def test_settings_that_cannot_be_followed_are_one_line_of_an_error(user: pytest.Pytester) -> None:
    result = run(user, "--conformance-target=ftp://localhost")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["conformance: target 'ftp://localhost' is not an http:// or https:// URL: *"]
    )
    result.stdout.no_fnmatch_line("*Traceback*")


def test_environment_and_settings_file_are_read_and_options_win(
    user: pytest.Pytester, faulty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONFORMANCE_TARGET", faulty)
    (user.path / "conformance.toml").write_text('only = ["closed-timer-minimum"]\nseed = 3\n')
    result = run(user, "--conformance-seed=4")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"{faulty}, profile quick, seed 4"])


def test_a_fixture_of_the_user_can_name_the_target(user: pytest.Pytester, faulty: str) -> None:
    user.makeconftest(
        f"""
        import pytest

        @pytest.fixture(scope="session")
        def conformance_target():
            return {faulty!r}
        """
    )
    run(user, "-k", "closed-timer-minimum").assert_outcomes(failed=1)


def test_workers_share_one_run(user: pytest.Pytester) -> None:
    """With pytest-xdist, however it distributes the items, no two workers write to one account."""
    user.makeconftest(
        """
        from conformance import api as running

        judge = running.judge

        def counted(*arguments, **named):
            with open("runs.txt", "a") as file:
                file.write("run\\n")
            return judge(*arguments, **named)

        running.judge = counted
        """
    )
    result = run(user, "-n2", "-v", "-k", "timer")
    assert not {"failed", "errors"} & result.parseoutcomes().keys()
    told = result.stdout.str()
    assert "[gw0]" in told
    assert "[gw1]" in told
    assert (user.path / "runs.txt").read_text() == "run\n"


ACCOUNTS = ("accounts-apart", "closed-timer-minimum", "media-type")


@pytest.fixture
def dividing(user: pytest.Pytester) -> pytest.Pytester:
    """A project whose run is one that workers divide: it has a few rules, one of which takes two accounts."""
    user.makefile(".toml", conformance=f"profile = 'standard'\nonly = {list(ACCOUNTS)}\n")
    return user


def whole(user: pytest.Pytester) -> dict[str, Any]:
    """The one result of the session."""
    (path,) = user.path.joinpath("conformance-report").rglob("result.json")
    result: dict[str, Any] = json.loads(path.read_text())
    return result


def test_workers_divide_a_run_each_on_an_account_of_its_own(dividing: pytest.Pytester, faulty: str) -> None:
    done = session(dividing, "-n2", "--conformance-target", faulty)
    done.assert_outcomes(passed=2, failed=1)
    assert "closed-timer-minimum" in next(line for line in done.outlines if line.startswith("FAILED"))
    result = whole(dividing)
    assert [each["id"] for each in result["rules"]] == [*sorted(ACCOUNTS, key=ORDER.index)]
    assert (result["settings"]["shards"], result["settings"]["accounts"]) == (3, 2)
    sent = json.loads((dividing.path / "conformance-report" / "exchanges.har").read_text())["log"]["entries"]
    assert len(sent) == result["requests"]


def test_the_plugin_costs_next_to_nothing_where_it_is_not_used() -> None:
    """It is loaded in every session of pytest: it imports nothing but itself."""
    script = """
import sys, pytest
before = set(sys.modules)
import conformance.pytest_plugin
print(*sorted(set(sys.modules) - before))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["conformance", "conformance.pytest_plugin"]

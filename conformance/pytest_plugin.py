"""
The pytest plugin: one line in a test module adds one test for each rule of the catalogue.

    from conformance.pytest_plugin import test_conformance

A test of one's own asks for the fixture `conformance_check`, and becomes one test for each rule as well. The first test
that starts makes the run, by the rules whose tests were selected; the other tests read its result.
`conformance.pytest_results` keeps the results. pytest loads this module in every session, so slow modules are imported
inside functions.
"""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conformance.pytest_results import Result, Results
    from conformance.testing import Double

_WORKER_DIRECTORY = "conformance_directory"
"""The member of a worker's input, in pytest-xdist, that names the directory of the session's results."""


_OPTIONS = (
    ("target", "URL", "base URL to judge; without it, the embedded emulator"),
    ("profile", ("quick", "standard", "thorough"), "how much to send (default: standard)"),
    ("seed", "N", "seed of all that is drawn at random (default: 0)"),
    ("fail-on", ("must", "should"), "lowest level at which a deviation fails its test (default: must)"),
    ("known", "FILE", "known deviations, TOML: their tests are xfailed"),
)
"""By the setting's name, what it takes, and the help of pytest's option."""


def parametrize(**settings: object) -> pytest.MarkDecorator:
    """
    Return a decorator for a test that asks for `conformance_check`, `conformance_outcome` or `conformance_result`.

    The test becomes one test for each rule, unless it asks for the whole result alone. A module's `pytestmark` takes
    the decorator too.

    Args:
        **settings: Settings of a run by name, such as `target`, `profile`, `only`, `seed` or `known`. They go before
            the fixture `conformance_target` and before pytest's command line.
    """
    return pytest.mark.conformance(**settings)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker that `parametrize` makes."""
    config.addinivalue_line(
        "markers", "conformance(**settings): settings of the run that a conformance test reads"
    )


def pytest_addoption(parser: pytest.Parser) -> None:
    """
    Add the options to pytest's command line.

    An option that is left out is taken from the environment, and else from conformance.toml in pytest's rootdir.
    """
    group = parser.getgroup("conformance", "conformance of Twilio Conversations' Configuration resource")
    for name, values, text in _OPTIONS:
        given = {"metavar": values} if isinstance(values, str) else {"choices": values}
        group.addoption(f"--conformance-{name}", help=text, **given)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make a test that asks for a rule one test for each rule."""
    if "conformance_rule" not in metafunc.fixturenames:
        return
    if any("conformance_rule" in each.args[0] for each in metafunc.definition.iter_markers("parametrize")):
        return
    from conformance.api import select
    from conformance.exceptions import ConfigurationError
    from conformance.pytest_results import given_to, settings_of

    try:
        settings = settings_of(metafunc.config, given_to(metafunc.definition), os.environ)
        rules = [rule.id for rule in select(settings.only, sdk=settings.sdk)]
    except ConfigurationError:
        # One test, which fails with the reason: an error here would come with a traceback.
        rules = ["settings"]
    metafunc.parametrize("conformance_rule", rules)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """
    Spare a session without Hypothesis the import of Hypothesis, which takes more than half a second.

    The plugin of Hypothesis imports it in its summary, to say where it wrote observations. Where nothing imported it
    before, there are none. The controller of pytest-xdist is left alone: its workers may have used Hypothesis.
    """
    plugins = session.config.pluginmanager
    if "hypothesis" not in sys.modules and not plugins.hasplugin("dsession"):
        plugins.unregister(name="hypothesispytest")


@pytest.fixture(scope="session")
def _conformance_emulator() -> "Iterator[Double]":
    from conformance.testing import emulator

    with emulator() as double:
        yield double


@pytest.fixture
def conformance_emulator(_conformance_emulator: "Double") -> "Double":
    """Return the reference emulator as a test double. One serves the whole session; each test finds it reset."""
    _conformance_emulator.reset()
    return _conformance_emulator


@pytest.fixture(scope="session")
def conformance_target() -> str | None:
    """
    Return the base URL to judge; None for that of the settings.

    Override it to start the server in a fixture, of any scope, with parameters or without.
    """
    return None


@pytest.fixture(scope="session")
def conformance_app() -> object | None:
    """
    Return an ASGI or WSGI application to judge in this process, or its name, such as `package.module:app`.

    None for the target of `conformance_target`, or that of the settings. Override it as that one.
    """
    return None


@pytest.fixture
def conformance_result(
    request: pytest.FixtureRequest, conformance_target: str | None, conformance_app: object | None
) -> Iterator[dict[str, Any]]:
    """
    Return the result document of the run on the target, as in result.json. The first test to ask for it makes the run.

    A test that asks for it alone, and for no rule, has all rules judged.
    """
    result = _results(request.session).of(request.node, os.environ, conformance_target, conformance_app)
    if result.error:
        pytest.fail(f"conformance: {result.error}", pytrace=False)
    if result.document["exit_code"] == 130:
        raise KeyboardInterrupt
    yield result.document
    _report_once(result)


def _report_once(result: "Result") -> None:
    """Fail where there is no verdict, once for each result."""
    from conformance.reporting.text import NO_VERDICT, headline

    document = result.document
    # The tests of rules that were not run because of it have already failed with the reason.
    failed = any(_was_stopped(rule, document) for rule in document["rules"])
    if not (result.is_reported or failed) and (reason := NO_VERDICT.get(document["exit_code"])):
        result.is_reported = True
        detail = document["stopped"] or ", ".join(document["restore"]["failed"]) or headline(document)
        pytest.fail(f"conformance: {reason}{f': {detail}' if detail else ''}", pytrace=False)


def _was_stopped(rule: Mapping[str, Any], document: Mapping[str, Any]) -> bool:
    """Whether a rule was not run for the reason that left the run without a verdict, and for no reason of its own."""
    without_verdict = document["exit_code"] == 3 and bool(document["stopped"])
    return without_verdict and rule["verdict"] == "not-run" and rule["reason"] in document["stopped"]


@pytest.fixture
def conformance_outcome(
    request: pytest.FixtureRequest, conformance_rule: str, conformance_result: dict[str, Any]
) -> dict[str, Any]:
    """
    Return the outcome for one rule, as in result.json.

    Where there is no verdict on the rule, the test ends here: failed or skipped. Where a deviation from it is known,
    the test is expected to fail.
    """
    rule: dict[str, Any] = next(
        each for each in conformance_result["rules"] if each["id"] == conformance_rule
    )
    request.node.user_properties += [(name, rule[name]) for name in ("level", "verdict", "examples")]
    match rule["verdict"]:
        case "error":
            pytest.fail(rule["reason"], pytrace=False)
        case "not-run" if _was_stopped(rule, conformance_result):
            pytest.fail(f"not run: {rule['reason']}", pytrace=False)
        case "not-run" | "undecided" as verdict:
            pytest.skip(f"{verdict}: {rule['reason']}")
        case "known" | "fixed" as verdict:
            # A test that passes all the same is XPASS, or fails: as the user has set xfail_strict.
            reason = f"known: {rule['reason']}" if verdict == "known" else rule["reason"]
            request.node.add_marker(pytest.mark.xfail(reason=reason))
    return rule


@pytest.fixture
def conformance_check(
    request: pytest.FixtureRequest, conformance_outcome: dict[str, Any], conformance_result: dict[str, Any]
) -> Callable[[], None]:
    """Return a function that fails the test where the target breaks its rule."""
    return lambda: _check(request.node, conformance_outcome, conformance_result)


def _check(node: pytest.Item, rule: Mapping[str, Any], document: Mapping[str, Any]) -> None:
    from conformance.reporting.text import fails

    known = rule["verdict"] == "known"
    findings = [
        each for each in document["findings"] if each["rule"] == rule["id"] and (known or "known" not in each)
    ]
    if not findings:
        return
    message = _message(rule, findings, document)
    # Entries of several input classes may say the same.
    expired = {
        f"This was known, until {each['expires']}: {each['reason']}": None
        for each in document.get("known", ())
        if (each["rule"], each["state"]) == (rule["id"], "expired")
    }
    message = "\n\n".join((message, *expired))
    if known or expired or fails(document, rule["level"]):
        pytest.fail(message, pytrace=False)
    print(message)  # pytest shows this with -rP, and writes it to JUnit XML
    node.user_properties += [("deviation", finding["summary"]) for finding in findings]


def test_conformance(conformance_check: Callable[[], None]) -> None:
    """The target keeps one rule of the catalogue."""
    conformance_check()


# The results of the session

_RESULTS = pytest.StashKey["Results"]()
_DIRECTORY = pytest.StashKey["tempfile.TemporaryDirectory[str]"]()


def _results(session: pytest.Session) -> "Results":
    from pathlib import Path

    from conformance.pytest_results import Results

    stash = session.config.stash
    if _RESULTS not in stash:
        worker: Mapping[str, Any] = getattr(session.config, "workerinput", {})
        directory = worker.get(_WORKER_DIRECTORY) or _directory(session.config)
        stash[_RESULTS] = Results(session.items, Path(directory), worker.get("workercount", 1))
    return stash[_RESULTS]


def _directory(config: pytest.Config) -> str:
    """Return the directory of the session's results. It is removed when pytest ends."""
    if _DIRECTORY not in config.stash:
        made = tempfile.TemporaryDirectory(prefix="conformance-")
        config.stash[_DIRECTORY] = made
        config.add_cleanup(made.cleanup)
    return config.stash[_DIRECTORY].name


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist where the workers share their results."""
    node.workerinput[_WORKER_DIRECTORY] = _directory(node.config)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Write the reports, and say where they are."""
    if _DIRECTORY in config.stash:
        from pathlib import Path

        from conformance.pytest_results import write_reports

        for line in write_reports(Path(_directory(config))):
            terminalreporter.write_line(f"conformance: {line}")


def _message(
    rule: Mapping[str, Any], findings: Sequence[Mapping[str, Any]], document: Mapping[str, Any]
) -> str:
    """Return a test's failure message: the rule, its source, and each finding with its requests and related rules."""
    from conformance.reporting import differences
    from conformance.reporting.junit import in_full, related

    about = related(document)
    paragraphs = [f"{rule['id']} ({rule['level'].upper()}): {rule['statement']}\nSource: {rule['source']}"]
    for difference in differences({**document, "findings": findings}):
        further = [f"also for: {line}" for line in difference.further]
        paragraphs.append(
            in_full(difference.first, [*further, *about.get(difference.first["fingerprint"], ())])
        )
    paragraphs.append(f"{document['target']}, profile {document['profile']}, seed {document['seed']}")
    return "\n\n".join(paragraphs)

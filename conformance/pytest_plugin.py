"""
The pytest plugin: one line in a test module adds one test for each rule of the catalogue.

    from conformance.pytest_plugin import test_conformance

The first test that starts makes the run, by the rules whose tests were selected; the other tests read its result.
Under pytest-xdist one worker makes the run for all of them, so that no two ever write to one account. pytest loads
this module in every session, so slow modules are imported inside functions.
"""

import json
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conformance.settings import RunSettings
    from conformance.testing import Double

_OPTIONS = ("target", "profile", "seed", "fail_on")

_NO_VERDICT = {
    3: "no verdict: the target could not be judged",
    4: "the settings before the run could not be restored",
    5: "nothing was exercised",
}
"""Failures that belong to no single rule, by the exit status of the command line that stands for them."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """
    Add the options to pytest's command line.

    An option that is left out is taken from the environment, and else from conformance.toml in pytest's rootdir.
    """
    group = parser.getgroup("conformance", "conformance of Twilio Conversations' Configuration resource")
    group.addoption(
        "--conformance-target", metavar="URL", help="base URL to judge; without it, the embedded emulator"
    )
    group.addoption(
        "--conformance-profile",
        choices=("quick", "standard", "thorough"),
        help="how much to send (default: standard)",
    )
    group.addoption(
        "--conformance-seed", metavar="N", help="seed of all that is drawn at random (default: 0)"
    )
    group.addoption(
        "--conformance-fail-on",
        choices=("must", "should"),
        help="lowest level at which a deviation fails its test (default: must)",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make `test_conformance` one test for each rule."""
    if metafunc.function is test_conformance:
        from conformance.api import select
        from conformance.exceptions import ConfigurationError

        try:
            rules = select(_settings(metafunc.config).only)
        except ConfigurationError as error:
            raise pytest.Collector.CollectError(f"conformance: {error}") from None
        metafunc.parametrize("conformance_rule", [rule.id for rule in rules])


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
    """Return the base URL to judge; None for that of the settings. Override it to start the server in a fixture."""
    return None


@pytest.fixture(scope="session")
def conformance_result(
    request: pytest.FixtureRequest,
    conformance_target: str | None,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, Any]]:
    """Return the result document of the run, as in result.json. The first test to ask for it makes the run."""
    from conformance.exceptions import ConfigurationError, EmulatorFailed, ReportError

    selected = frozenset(
        str(item.callspec.params["conformance_rule"])
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.function is test_conformance
    )
    try:
        settings = _settings(request.config, conformance_target)
        document = _once(request.config, tmp_path_factory, lambda: _run(settings, selected))
    except (ConfigurationError, EmulatorFailed, ReportError) as error:
        pytest.fail(f"conformance: {error}", pytrace=False)
    if document["exit_code"] == 130:
        raise KeyboardInterrupt
    yield document
    # The tests of rules that were not run have already failed with the reason.
    not_run = any(rule["verdict"] == "not-run" for rule in document["rules"])
    reported = document["exit_code"] == 3 and document["stopped"] and not_run
    if not reported and (reason := _NO_VERDICT.get(document["exit_code"])):
        from conformance.reporting.text import headline

        detail = document["stopped"] or ", ".join(document["restore"]["failed"]) or headline(document)
        pytest.fail(f"conformance: {reason}{f': {detail}' if detail else ''}", pytrace=False)


@pytest.fixture
def conformance_outcome(
    request: pytest.FixtureRequest, conformance_rule: str, conformance_result: dict[str, Any]
) -> dict[str, Any]:
    """
    Return the outcome for one rule, as in result.json.

    Where there is no verdict on the target, the test ends here: failed, skipped, or expected to fail.
    """
    rule: dict[str, Any] = next(
        each for each in conformance_result["rules"] if each["id"] == conformance_rule
    )
    request.node.user_properties += [(name, rule[name]) for name in ("level", "verdict", "examples")]
    match rule["verdict"]:
        case "error":
            pytest.fail(rule["reason"], pytrace=False)
        case "not-run" if conformance_result["exit_code"] == 3 and conformance_result["stopped"]:
            pytest.fail(f"not run: {rule['reason']}", pytrace=False)
        case "not-run" | "undecided" as verdict:
            pytest.skip(f"{verdict}: {rule['reason']}")
        case "known":
            pytest.xfail(f"known: {rule['reason']}")
    return rule


def test_conformance(
    request: pytest.FixtureRequest, conformance_outcome: dict[str, Any], conformance_result: dict[str, Any]
) -> None:
    """The target keeps one rule of the catalogue."""
    rule = conformance_outcome
    findings = [
        each for each in conformance_result["findings"] if each["rule"] == rule["id"] and "known" not in each
    ]
    if not findings:
        return
    message = _message(rule, findings, conformance_result)
    if rule["level"] == "must" or conformance_result["settings"]["fail_on"] == "should":
        pytest.fail(message, pytrace=False)
    print(message)  # pytest shows this with -rP, and writes it to JUnit XML
    request.node.user_properties += [("deviation", finding["summary"]) for finding in findings]


def _settings(config: pytest.Config, target: str | None = None) -> "RunSettings":
    """Return the settings of the run; a target given here goes before all others."""
    from conformance.settings import resolve

    given = {name: config.getoption(f"conformance_{name}") for name in _OPTIONS}
    if target is not None:
        given["target"] = target
    options = {f"CONFORMANCE_{name.upper()}": value for name, value in given.items() if value is not None}
    return resolve({}, {**os.environ, **options}, config.rootpath / "conformance.toml")


def _run(settings: "RunSettings", selected: frozenset[str]) -> dict[str, Any]:
    """Run the rules with these ids, write the reports, and return the result document."""
    from contextlib import ExitStack

    from conformance.api import archive_of, document_of, judge, select
    from conformance.harness.containment import Parts
    from conformance.harness.events import ExchangeEnded, on
    from conformance.reporting import ARCHIVE, check_writable, not_written, write_each
    from conformance.transport.embedded import Embedded

    check_writable(settings.report_dir)
    # The user's filters are meant for the user's code, and these warnings would come from the suite.
    with warnings.catch_warnings(action="ignore"), ExitStack() as stack:
        url = settings.target or stack.enter_context(Embedded(settings.accounts)).url()
        rules = [rule for rule in select(settings.only) if rule.id in selected]
        archive = stack.enter_context(archive_of(settings, url))
        parts = Parts(_warn)
        archived = on(ExchangeEnded, parts.contain(ARCHIVE, lambda event: archive.add(event.exchange)))
        document = document_of(settings, judge(settings, url, rules, archived))
        failed = not_written(dict(write_each(document, settings.report_dir, copies={ARCHIVE: archive.copy})))
    if failed:  # the verdict stays what it is
        _warn(failed)
    return document


def _warn(line: str) -> None:
    """Have pytest show a line among its warnings, even where the user has it fail at any."""
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(f"conformance: {line}", stacklevel=2)


def _once(
    config: pytest.Config, paths: pytest.TempPathFactory, run: Callable[[], dict[str, Any]]
) -> dict[str, Any]:
    """Make the run and return its result. Under pytest-xdist the first worker makes it, and the others wait for it."""
    if not hasattr(config, "workerinput"):
        return run()
    from filelock import FileLock

    # pytest-xdist gives each worker a directory of its own; all of them are in one directory of the session.
    shared = paths.getbasetemp().parent / "conformance-result.json"
    with FileLock(shared.with_suffix(".lock")):
        if not shared.exists():
            shared.write_text(json.dumps(run()), encoding="ascii")
        document: dict[str, Any] = json.loads(shared.read_text(encoding="ascii"))
    return document


def _message(
    rule: Mapping[str, Any], findings: Sequence[Mapping[str, Any]], document: Mapping[str, Any]
) -> str:
    """Return a test's failure message: the rule, its source, and each finding with its requests and related rules."""
    from conformance.reporting import differences
    from conformance.reporting import text as shown
    from conformance.reporting.junit import related

    about = related(document)
    paragraphs = [f"{rule['id']} ({rule['level'].upper()}): {rule['statement']}\nSource: {rule['source']}"]
    for difference in differences({**document, "findings": findings}):
        finding = difference.first
        summary = shown.visible(finding["summary"], shown.HEADLINE)
        lines = [
            f"{finding['class']}{'' if finding['stable'] else ', unstable'}: {summary}",
            *(f"  sent      {shown.request_line(each)}" for each in finding["exchanges"]),
            f"  expected  {shown.visible(finding['expected'], shown.CLAIM)}",
            f"  observed  {shown.visible(finding['observed'], shown.CLAIM)}",
            *(f"  answered  {shown.answer_line(each)}" for each in finding["exchanges"][-1:]),
            *(f"  also for  {line}" for line in difference.further),
            *(f"  {line}" for line in about.get(finding["fingerprint"], ())),
        ]
        paragraphs.append("\n".join([*map(shown.visible, lines), shown.shown_curl(finding)]))
    paragraphs.append(f"{document['target']}, profile {document['profile']}, seed {document['seed']}")
    return "\n\n".join(paragraphs)

"""What `import conformance` offers, and what it costs."""

import subprocess
import sys

import pytest

import conformance
from conformance.transport.credentials import THROWAWAY
from conformance.transport.embedded import Embedded

pytestmark = pytest.mark.slow

NAMES = {
    "CATALOGUE",
    "Account",
    "Finding",
    "Level",
    "Observation",
    "Outcome",
    "Plan",
    "Report",
    "Rule",
    "Target",
    "TargetSettings",
    "Verdict",
    "parametrize",
    "run",
}


def test_the_public_names_are_these() -> None:
    """Whoever adds or removes one says so here, and in the changelog."""
    assert set(conformance.__all__) == NAMES


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_public_name_is_documented_and_comes_from_a_module_of_ours(name: str) -> None:
    value = getattr(conformance, name)
    assert name in dir(conformance)
    if name != "CATALOGUE":
        assert value.__module__.startswith("conformance.")
        assert value.__doc__


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'conformance' has no attribute 'nonsense'"):
        conformance.nonsense  # type: ignore[attr-defined]  # noqa: B018  # which is the point


def test_importing_the_package_imports_nothing_else() -> None:
    script = "import sys; import conformance; print([name for name in sys.modules if 'conformance.' in name])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_run_takes_a_few_lines_of_python() -> None:
    """As docs/how-to-judge.md has it."""
    rules = [rule for rule in conformance.CATALOGUE if rule.id == "closed-timer-minimum"]
    with Embedded(THROWAWAY, faults=["closed-timer-minimum-one-second-less"]) as emulator:
        settings = conformance.TargetSettings(url=emulator.url(), accounts=THROWAWAY, max_requests=300)
        with conformance.Target(settings) as target:
            report = conformance.run(rules, target, conformance.Plan(profile="quick"))
    assert report.verdict is conformance.Verdict.DEVIATION
    assert [finding.rule for outcome in report.outcomes for finding in outcome.findings]

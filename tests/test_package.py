"""The distributions, opened: what a user installs."""

import subprocess
import sys
import tarfile
import zipfile
from configparser import ConfigParser
from email.parser import Parser
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a source distribution, and the wheel that was built from it."""
    directory = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(directory), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return directory


@pytest.fixture(scope="module")
def wheel(distributions: Path) -> zipfile.ZipFile:
    (path,) = distributions.glob("*.whl")
    return zipfile.ZipFile(path)


def _sources(directory: str, pattern: str = "*") -> set[str]:
    return {
        path.relative_to(ROOT / directory).as_posix()
        for path in (ROOT / directory).rglob(pattern)
        if path.is_file() and not any(part.startswith((".", "__pycache__")) for part in path.parts)
    }


def test_the_wheel_has_two_names_that_collide_with_nobodys(wheel: zipfile.ZipFile) -> None:
    names = {name.partition("/")[0] for name in wheel.namelist()}
    assert {name for name in names if not name.endswith(".dist-info")} == {
        "conformance",
        "conformance_strategies",
    }


def test_the_wheel_holds_every_module_schema_template_and_marker(wheel: zipfile.ZipFile) -> None:
    expected = {f"conformance/{name}" for name in _sources("conformance")}
    expected |= {f"conformance/schemas/{name}" for name in _sources("schemas")}
    expected |= {f"conformance_strategies/{name}" for name in _sources("strategies/conformance_strategies")}
    assert {name for name in wheel.namelist() if ".dist-info/" not in name} == expected
    assert {"conformance/py.typed", "conformance_strategies/py.typed"} <= expected
    assert "conformance/schemas/result.schema.json" in expected
    assert "conformance/reporting/templates/report.html.j2" in expected
    assert "conformance/explore/templates/picture.svg.j2" in expected


def test_the_wheel_says_what_it_offers(wheel: zipfile.ZipFile) -> None:
    (path,) = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    entries = ConfigParser()
    entries.read_string(wheel.read(path).decode())
    assert dict(entries["console_scripts"]) == {"conformance": "conformance.cli:main"}
    assert dict(entries["pytest11"]) == {"conformance": "conformance.pytest_plugin"}


def test_the_wheel_carries_licence_and_readme(wheel: zipfile.ZipFile) -> None:
    (path,) = (name for name in wheel.namelist() if name.endswith("METADATA"))
    metadata = Parser().parsestr(wheel.read(path).decode())
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata.get_payload() == (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_source_distribution_can_be_tested(distributions: Path) -> None:
    (path,) = distributions.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {f"tests/{name}" for name in _sources("tests", "*.py")} <= names
    assert {f"docs/{name}" for name in _sources("docs", "*.md")} <= names
    assert {"README.md", "CHANGELOG.md", "LICENSE", "tox.ini", "schemas/openapi.json"} <= names

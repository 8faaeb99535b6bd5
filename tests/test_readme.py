"""What the README and the docs say is so: commands exist, output is what is printed, links lead somewhere."""

import doctest
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.shell_completion import BashComplete

from conformance.api import select
from conformance.cli import main
from conformance.model import Level
from conformance.transport.credentials import THROWAWAY
from conformance.transport.embedded import Embedded

pytest_plugins = "pytester"

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / "tests" / "README.md"]


def _blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^[ ]*```{language}\n(.*?)^[ ]*```$", text, re.MULTILINE | re.DOTALL)


COMMANDS = sorted(
    {
        (page.name, command)
        for page in PAGES
        for block in _blocks(page.read_text(encoding="utf-8"), "(?:sh|yaml)")
        for command in re.findall(r"(?:^|/| )conformance (\w[^\n#&|>]*)", block)
    }
)


def test_two_lines_set_everything_up() -> None:
    lines = [line for line in _blocks(README, "sh")[0].splitlines() if line]
    assert len(lines) == 2
    assert all(line.startswith("python3 -m venv .venv && .venv/bin/pip install -q ") for line in lines)
    assert lines[0].endswith("/conformance run")
    assert lines[1].endswith("/tox")


def test_ci_runs_the_second_line_as_it_stands() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    (extraction,) = re.findall(r"^line=\$\((.*)\)$", script, re.MULTILINE)
    found = subprocess.run(["bash", "-c", extraction], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout == _blocks(README, "sh")[0].splitlines()[1] + "\n"
    assert 'eval "$line"' in script


@pytest.mark.parametrize(("page", "line"), COMMANDS)
def test_commands_and_their_options_exist(page: str, line: str) -> None:
    name, *words = line.split()
    command = main.commands.get(name)
    assert command is not None, f"{page}: conformance {name}"
    options = {spelling for option in command.params for spelling in option.opts} | {"--help"}
    assert {word.partition("=")[0] for word in words if word.startswith("--")} <= options


def test_the_totals_have_the_form_and_the_counts_that_are_printed() -> None:
    count = {level: sum(rule.level is level for rule in select(())) for level in Level}
    must, should = (f"{level.upper()} {count[level]} hold, 0 broken, 0 undecided" for level in Level)
    totals = rf"{must} · {should} · [\d,]+ requests in [\d.]+ s · seed 0 · conformant"
    assert re.search(f"^{totals}$", README, re.MULTILINE)


@pytest.mark.slow
def test_the_deviation_is_what_the_command_prints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """But for what depends on how much was sent besides."""
    (told,) = (block for block in _blocks(README, "text") if block.startswith("Deviations"))
    monkeypatch.setenv("COLUMNS", "100")
    with Embedded(THROWAWAY, faults=["closed-timer-minimum-one-second-less"]) as emulator:
        command = [sys.executable, "-m", "conformance.cli", "run", "--target", emulator.url()]
        command += ["--only", "closed-timer-minimum"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        printed = done.stdout.replace(emulator.url(), "http://localhost:4007")
    assert done.returncode == 1
    varying = re.compile(r"^  (seen|also|also for|follows|) {3,}.*$\n", re.MULTILINE)
    assert varying.sub("", told) in varying.sub("", printed)


@pytest.mark.slow
def test_the_page_on_adding_a_rule_adds_one(tmp_path: Path) -> None:
    for name in ("conformance", "schemas", "strategies", "tests", "pyproject.toml"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    page = (ROOT / "docs" / "adding-a-rule.md").read_text(encoding="utf-8")
    for block in re.finditer(r"^```diff\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
        name = re.findall(r"`([\w/]+/\w+\.py)`", page[: block.start()])[-1]
        text = (tmp_path / name).read_text(encoding="utf-8")
        before, after = (
            "".join(re.findall(f"^[{kept} ](.*\n)", block[1], re.MULTILINE)) for kept in ("-", "+")
        )
        assert text.count(before) == 1, f"{name} does not have these lines once:\n{before}"
        (tmp_path / name).write_text(text.replace(before, after), encoding="utf-8")
    path = os.pathsep.join([str(tmp_path), str(tmp_path / "strategies"), str(tmp_path / "tests")])
    chosen = ["tests/rules", "tests/harness/test_selftest.py", "-k", "caches or complete"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *chosen],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "test_a_rule_fails_on_a_fault[shared-caches]" in page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files_and_headings_that_are_there(page: Path) -> None:
    for link in re.findall(r"\]\(((?!https?:)[^)]+)\)", page.read_text(encoding="utf-8")):
        name, _, heading = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), link
        if heading:
            text = target.read_text(encoding="utf-8")
            headings = {
                each.lower().replace(" ", "-") for each in re.findall(r"^#+ (.*)$", text, re.MULTILINE)
            }
            assert heading in headings, link


def test_the_site_has_every_page() -> None:
    text = (ROOT / "zensical.toml").read_text(encoding="utf-8")
    assert set(re.findall(r'"([\w-]+\.md)"', text)) == {page.name for page in ROOT.glob("docs/*.md")}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_examples_compile(page: Path) -> None:
    blocks = _blocks(page.read_text(encoding="utf-8"), "python")
    assert all(compile(block, page.name, "exec") for block in blocks)


@pytest.mark.slow
def test_the_examples_of_the_strategies_pass(pytester: pytest.Pytester) -> None:
    page = (ROOT / "docs" / "strategies.md").read_text(encoding="utf-8")
    pytester.makepyfile(test_page=_blocks(page, "python")[0])
    pytester.inline_run("-p", "no:randomly", "-p", "no:asyncio").assertoutcome(passed=4)


@pytest.mark.slow
@pytest.mark.parametrize(
    "block", _blocks((ROOT / "docs" / "strategies.md").read_text(encoding="utf-8"), "pycon")
)
def test_the_strategies_give_what_the_page_shows(block: str) -> None:
    parsed = doctest.DocTestParser().get_doctest(block, {}, "strategies.md", None, None)
    assert doctest.DocTestRunner(verbose=False).run(parsed).failed == 0


def _commands(group: click.Group) -> Iterator[click.Command]:
    for command in group.commands.values():
        yield command
        if isinstance(command, click.Group):
            yield from _commands(command)


@pytest.mark.parametrize("command", [main, *_commands(main)], ids=lambda command: str(command.name))
def test_help_fits_80_columns_cuts_no_summary_and_tells_every_option(command: click.Command) -> None:
    lines = command.get_help(
        click.Context(command, info_name="conformance", max_content_width=80)
    ).splitlines()
    assert all(len(line) <= 80 for line in lines)
    assert not any(line.endswith("...") for line in lines if not line.startswith("Usage:"))
    assert all(option.help for option in command.params if isinstance(option, click.Option))


def test_a_shell_completes_commands() -> None:
    completion = BashComplete(main, {}, "conformance", "_CONFORMANCE_COMPLETE")
    assert {"replay", "report", "restore"} <= {each.value for each in completion.get_completions([], "re")}


@pytest.mark.slow
def test_the_generated_reference_is_up_to_date() -> None:
    command = [sys.executable, str(ROOT / "docs" / "generate.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

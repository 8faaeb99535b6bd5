"""Commands that work on results alone: report, diff, matrix and baseline."""

import copy
import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from reporting.samples import DOCUMENTS

from conformance.cli import main
from conformance.reporting import ARCHIVE, RENDERERS, TIMER_PICTURE, write_all
from conformance.reporting.baseline import read
from conformance.reporting.compare import FORMATS

pytestmark = pytest.mark.slow


def _run(*arguments: object) -> Result:
    result = CliRunner().invoke(main, [str(each) for each in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.fixture
def results(tmp_path: Path) -> Path:
    for name, document in DOCUMENTS.items():
        write_all(document, tmp_path / name)
    return tmp_path


COMMANDS = {"report": 1, "diff": 2, "matrix": 1, "baseline": 1, "merge": 1}


@pytest.mark.parametrize("path", ["none", "n" * 300])
@pytest.mark.parametrize("name", COMMANDS)
def test_what_is_no_result_is_refused_in_one_line(tmp_path: Path, name: str, path: str) -> None:
    result = _run(name, *[tmp_path / path] * COMMANDS[name])

    assert result.exit_code == 2
    assert result.stderr.startswith("conformance: cannot read ") and result.stderr.count("\n") == 1


# report


def test_reports_are_rendered_again_from_the_result_alone(results: Path) -> None:
    directory = results / "deviating"
    before = {name: (directory / name).read_bytes() for name in RENDERERS}
    for name in before:
        if name != "result.json":
            (directory / name).unlink()
    result = _run("report", directory)

    assert result.exit_code == 0
    assert result.stdout.splitlines() == [str(directory / name) for name in before]
    assert {name: (directory / name).read_bytes() for name in before} == before


def test_reports_may_go_elsewhere_and_keep_the_picture(results: Path) -> None:
    (results / "clean" / TIMER_PICTURE).write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    _run("report", results / "clean", "-o", results / "new")

    assert "data:image/svg+xml" in (results / "new" / "report.html").read_text()
    assert (results / "new" / TIMER_PICTURE).exists()


def test_the_archive_of_all_exchanges_is_kept(results: Path) -> None:
    (results / "clean" / ARCHIVE).write_bytes(b"all of them")
    _run("report", results / "clean")
    _run("report", results / "clean", "-o", results / "new")

    assert [(results / name / ARCHIVE).read_bytes() for name in ("clean", "new")] == [b"all of them"] * 2


def test_reports_that_cannot_be_written_are_refused_in_one_line(results: Path) -> None:
    (results / "file").write_text("")
    result = _run("report", results / "clean", "-o", results / "file")

    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)


# diff


def test_a_new_deviation_fails(results: Path) -> None:
    result = _run("diff", results / "clean", results / "deviating")

    assert result.exit_code == 1
    assert (
        result.stdout.splitlines()[-1]
        == "new 4 · changed 0 · unstable 1 · fixed 0 · not judged 0 · as before 0"
    )


@pytest.mark.parametrize("name", ["clean", "deviating"])
def test_the_same_result_does_not_fail(results: Path, name: str) -> None:
    assert _run("diff", results / name, results / name / "result.json", "--fail-on", "should").exit_code == 0


def test_what_is_gone_does_not_fail(results: Path) -> None:
    assert _run("diff", results / "deviating", results / "clean").exit_code == 0


def test_every_format_there_is_can_be_asked_for() -> None:
    (option,) = [each for each in main.commands["diff"].params if each.name == "name"]

    assert isinstance(option.type, click.Choice) and list(option.type.choices) == list(FORMATS)


@pytest.mark.parametrize("name", ["terminal", "markdown", "json", "html"])
def test_every_format_is_printed_and_has_the_same_exit_status(results: Path, name: str) -> None:
    result = _run("diff", results / "clean", results / "deviating", "--format", name)

    assert result.exit_code == 1
    assert result.stdout.startswith(
        {"terminal": "earlier ", "markdown": "### ", "json": "{", "html": "<!doctype"}[name]
    )


# matrix


def test_markdown_is_printed_with_names(results: Path) -> None:
    result = _run("matrix", f"ours={results / 'clean'}", results / "deviating" / "result.json")

    assert result.exit_code == 0
    assert "| rule | level | ours | http" in result.stdout


@pytest.mark.parametrize("name", ["all.html", "all.md"])
def test_a_file_links_to_the_reports_beside_the_results(results: Path, name: str) -> None:
    result = _run("matrix", results / "clean", results / "deviating", "-o", results / name)

    assert (result.exit_code, result.stdout) == (0, f"{results / name}\n")
    text = (results / name).read_text()
    assert "clean/report.html" in text and "deviating/report.html" in text


def test_a_comparison_beside_a_result_says_how_the_target_differs_from_the_reference(results: Path) -> None:
    end = {"target": "t", "recorded_at": "", "source": "HAR", "suite": ""}
    comparison: dict[str, object] = {
        "schema_version": 1,
        "scope": "all",
        "kinds": ["ACCEPT", "STATE", "CODE"],
        "groups": [],
        "reference": end,
        "candidate": end,
        "counts": dict.fromkeys(("alike", "different", "not_comparable", "unserved", "unsettled"), 0),
    }
    file = results / "deviating" / "comparison.json"
    file.write_text(json.dumps(comparison))
    assert "| alike |" in _run("matrix", results / "clean", results / "deviating").stdout
    file.write_text(json.dumps({**comparison, "groups": 1}))
    refused = _run("matrix", results / "clean", results / "deviating")
    assert (refused.exit_code, refused.stderr.count("\n")) == (2, 1)
    assert "is not a comparison: $.groups" in refused.stderr


def test_a_path_with_an_equals_sign_is_a_path(results: Path) -> None:
    (results / "clean").rename(results / "a=b")

    assert _run("matrix", results / "a=b").exit_code == 0


def test_a_file_of_another_kind_is_refused(results: Path) -> None:
    result = _run("matrix", results / "clean", "-o", results / "all.pdf")

    assert (result.exit_code, result.stderr) == (
        2,
        f"conformance: {results / 'all.pdf'}: name it .html or .md\n",
    )


# baseline


def test_a_baseline_says_what_it_added_and_what_it_left_out(results: Path) -> None:
    file = results / "known.toml"
    result = _run("baseline", results / "deviating", "-o", file, "--reason", "as it was")

    known = read(file)
    assert [each.reason for each in known] == ["as it was"] * 6
    lines = result.stdout.splitlines()
    assert [line.split()[1] for line in lines[:6]] == [each.fingerprint[:12] for each in known]
    assert lines[6:] == [
        "left out, unstable: omitted-parameters-kept state/pair changed",
        "left out, error: framing",
        f"{file}: 6 deviations added, 0 already there",
    ]


def test_a_second_baseline_adds_only_what_is_new(results: Path) -> None:
    file = results / "known.toml"
    _run("baseline", results / "deviating", "-o", file)
    before = file.read_text()
    document = copy.deepcopy(DOCUMENTS["unimplemented"])
    (results / "unimplemented" / "result.json").write_text(json.dumps(document))

    assert _run("baseline", results / "deviating", "-o", file).stdout.endswith(
        "0 deviations added, 6 already there\n"
    )
    last = _run("baseline", results / "unimplemented", "-o", file).stdout.splitlines()
    assert last == ["left out, unimplemented: implemented", f"{file}: 0 deviations added, 6 already there"]
    assert file.read_text() == before


def test_what_no_file_can_hold_leaves_the_file_as_it_was(results: Path) -> None:
    file, result = results / "known.toml", results / "deviating" / "result.json"
    file.write_text("# ours\n")
    document = json.loads(result.read_text())
    for finding in document["findings"]:
        for exchange in finding["exchanges"]:
            exchange["request"]["auth"]["scheme"] = "\ud800"
    result.write_text(json.dumps(document))
    refused = _run("baseline", results / "deviating", "-o", file)

    assert refused.exit_code == 2
    assert refused.stderr.startswith(f"conformance: {file}: ") and refused.stderr.count("\n") == 1
    assert file.read_text() == "# ours\n"


def test_one_entry_may_stand_for_all_input_classes(results: Path) -> None:
    _run("baseline", results / "deviating", "-o", results / "known.toml", "--any-class")

    assert {each.cls for each in read(results / "known.toml")} == {"*"}


def test_a_baseline_of_nothing_is_a_file_that_a_run_takes(results: Path) -> None:
    result = _run("baseline", results / "clean", "-o", results / "known.toml")

    assert result.stdout == f"{results / 'known.toml'}: 0 deviations added, 0 already there\n"
    assert read(results / "known.toml") == ()


def test_a_malformed_file_is_left_as_it_is(results: Path) -> None:
    file = results / "known.toml"
    file.write_text("[[deviation]]\n")
    result = _run("baseline", results / "deviating", "-o", file)

    assert result.exit_code == 2
    assert result.stderr.startswith(f"conformance: {file}:1: ")
    assert file.read_text() == "[[deviation]]\n"

"""Reports are written whole, for their owner alone, or refused in one line."""

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from conformance.exceptions import ReportError
from conformance.reporting import (
    ARCHIVE,
    RENDERERS,
    TIMER_PICTURE,
    Archive,
    check_writable,
    load,
    write,
    write_all,
)

NAMES = ["result.json", "report.html", "junit.xml", "ctrf.json", "summary.md", "exchanges.har", "badge.json"]


def test_every_report_is_written_into_a_new_directory(tmp_path: Path, document: dict[str, Any]) -> None:
    directory = tmp_path / "a" / "b"

    assert write_all(document, directory) == [directory / name for name in NAMES]
    assert sorted(path.name for path in directory.iterdir()) == sorted(NAMES)


def test_reports_are_for_their_owner_alone(tmp_path: Path, clean: dict[str, Any]) -> None:
    for path in write_all(clean, tmp_path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_is_written_can_be_loaded_and_rendered_again(tmp_path: Path, document: dict[str, Any]) -> None:
    again = load(write_all(document, tmp_path)[0])

    assert again == document
    assert {name: render(again) for name, render in RENDERERS.items()} == {
        name: render(document) for name, render in RENDERERS.items()
    }


def test_a_picture_of_the_timers_is_kept_for_the_page_to_be_rendered_again(
    tmp_path: Path, clean: dict[str, Any]
) -> None:
    picture = "<svg xmlns='http://www.w3.org/2000/svg'/>"

    assert tmp_path / TIMER_PICTURE in write_all(clean, tmp_path, timer_svg=picture)
    assert (tmp_path / TIMER_PICTURE).read_text() == picture
    assert "data:image/svg+xml;base64," in (tmp_path / "report.html").read_text()


@pytest.mark.slow
def test_the_page_of_three_thousand_exchanges_is_smaller_than_two_mebibytes() -> None:
    script = Path(__file__).parents[2] / "benchmarks" / "reports.py"
    command = [sys.executable, str(script), "--one", "3000"]
    line = subprocess.run(command, capture_output=True, text=True, check=True, env={"PATH": ""}).stdout
    size = re.search(r"page +[\d.]+ s \(([\d.]+) MiB\)", line)

    assert size is not None, line
    assert float(size[1]) < 2


def test_old_reports_are_replaced_and_other_files_left(tmp_path: Path, clean: dict[str, Any]) -> None:
    (tmp_path / "result.json").write_text("old")
    (tmp_path / "mine.txt").write_text("kept")
    write_all(clean, tmp_path)

    assert json.loads((tmp_path / "result.json").read_text())["schema_version"] == 1
    assert (tmp_path / "mine.txt").read_text() == "kept"


def _file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_text("")
    return path


def test_a_directory_that_cannot_be_is_refused_in_one_line(tmp_path: Path, clean: dict[str, Any]) -> None:
    for directory in (_file(tmp_path), _file(tmp_path) / "below"):
        with pytest.raises(
            ReportError, match=r"cannot write reports to .*choose another --report-dir"
        ) as error:
            check_writable(directory)
        assert "\n" not in str(error.value)
        with pytest.raises(ReportError):
            write_all(clean, directory)


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_directory_without_permission_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)

    with pytest.raises(ReportError, match="Permission denied"):
        check_writable(tmp_path)


def test_checking_leaves_nothing_but_the_directory(tmp_path: Path) -> None:
    check_writable(tmp_path / "new")

    assert list((tmp_path / "new").iterdir()) == []


def test_a_report_that_cannot_be_put_in_place_costs_no_other_and_leaves_no_scrap(
    tmp_path: Path, clean: dict[str, Any]
) -> None:
    (tmp_path / "result.json").mkdir()

    with pytest.raises(ReportError, match=r"result\.json") as error:
        write_all(clean, tmp_path)
    assert "\n" not in str(error.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(NAMES)
    assert list((tmp_path / "result.json").iterdir()) == []


def test_a_report_that_cannot_be_rendered_costs_no_other(
    tmp_path: Path, clean: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(document: object) -> str:
        raise ValueError("a\n" * 1_000)

    monkeypatch.setattr(write, "RENDERERS", {**RENDERERS, "junit.xml": failing})
    with pytest.raises(ReportError, match=r"a bug of the suite, ValueError.*\(junit\.xml\)") as error:
        write_all(clean, tmp_path)
    assert len(str(error.value)) < 1_000
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted({*NAMES} - {"junit.xml"})


def test_where_the_archive_of_all_exchanges_fails_that_of_the_counterexamples_is_written(
    tmp_path: Path, document: dict[str, Any]
) -> None:
    with Archive(tmp_path, target="http://a.test") as archive:
        archive.discard()
        write_all(document, tmp_path, copies={ARCHIVE: archive.copy})
    assert (tmp_path / ARCHIVE).read_text() == RENDERERS[ARCHIVE](document)

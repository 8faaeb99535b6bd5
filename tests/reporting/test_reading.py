"""Results are read; what is none, or of a later version, is refused in one line."""

import json
from pathlib import Path
from typing import Any

import pytest

from conformance.exceptions import ReportError
from conformance.reporting import load
from conformance.reporting.reading import SCHEMA_VERSION


def test_a_later_version_is_refused_with_what_to_do(tmp_path: Path, clean: dict[str, Any]) -> None:
    path = tmp_path / "result.json"
    path.write_text(json.dumps({**clean, "schema_version": SCHEMA_VERSION + 1}))

    with pytest.raises(ReportError, match="install a later one") as error:
        load(path)
    assert str(path) in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("version", [None, "1", True, 0, -1, 1.5])
def test_what_has_no_version_is_no_result(tmp_path: Path, clean: dict[str, Any], version: object) -> None:
    path = tmp_path / "result.json"
    path.write_text(json.dumps({**clean, "schema_version": version}))

    with pytest.raises(ReportError, match="not a result document"):
        load(path)


def test_a_directory_stands_for_the_result_in_it(tmp_path: Path, clean: dict[str, Any]) -> None:
    (tmp_path / "result.json").write_text(json.dumps(clean))

    assert load(tmp_path) == clean


def test_nesting_without_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_text("[" * 200_000)

    with pytest.raises(ReportError, match="is not JSON"):
        load(path)

"""Documents of earlier versions are read, those of later ones are refused in one line."""

import json
from pathlib import Path
from typing import Any

import pytest

from conformance.exceptions import ReportError
from conformance.reporting import load
from conformance.reporting.reading import MIGRATIONS, SCHEMA_VERSION, migrate


def test_every_earlier_version_has_a_migration() -> None:
    assert sorted(MIGRATIONS) == list(range(1, SCHEMA_VERSION))


def test_migrations_are_made_one_after_the_other_and_leave_the_document_alone() -> None:
    migrations = {
        1: lambda document: {**document, "rules": document["checks"]},
        2: lambda document: {name: value for name, value in document.items() if name != "checks"},
    }
    old = {"schema_version": 1, "checks": []}

    assert migrate(old, migrations, current=3) == {"schema_version": 3, "rules": []}
    assert migrate({**old, "schema_version": 2}, migrations, current=3) == {"schema_version": 3}
    assert old == {"schema_version": 1, "checks": []}


def test_the_current_version_stays_as_it_is(document: dict[str, Any]) -> None:
    assert migrate(document) is document


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

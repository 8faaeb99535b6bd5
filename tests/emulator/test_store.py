"""Where the emulator keeps its state: files that can be used, and files that are refused untouched."""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from conformance.emulator import BadDatabase, Step
from conformance.emulator.store import APPLICATION_ID, COLUMNS, Store

from .serving import ask, emulator

pytestmark = pytest.mark.slow

READ = Step(method="GET")


def sqlite_file(path: Path, *statements: str) -> Path:
    connection = sqlite3.connect(path)
    for statement in ("CREATE TABLE users (id)", *statements):
        connection.execute(statement)
    connection.commit()
    connection.close()
    return path


def test_a_file_keeps_the_configurations_of_all_accounts(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    ask(emulator(database=path), "DefaultInactiveTimer=PT1H", Step("DefaultClosedTimer=P1D", account=1))
    again = emulator(database=str(path))
    assert ask(again, READ).json()["default_inactive_timer"] == "PT1H"
    assert ask(again, Step(method="GET", account=1)).json()["default_closed_timer"] == "P1D"


def test_two_emulators_share_a_file(tmp_path: Path) -> None:
    one, other = emulator(database=tmp_path / "state.db"), emulator(database=tmp_path / "state.db")
    ask(one, "DefaultInactiveTimer=PT1H")
    ask(other, "DefaultClosedTimer=P1D")
    assert ask(one, READ).json()["default_closed_timer"] == "P1D"
    assert ask(other, READ).json()["default_inactive_timer"] == "PT1H"


def test_without_a_file_nothing_is_kept() -> None:
    ask(emulator(), "DefaultInactiveTimer=PT1H")
    assert ask(emulator(), READ).json()["default_inactive_timer"] is None


def _text(path: Path) -> None:
    path.write_text("not a database\n" * 100)


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _header_only(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\0")


def _foreign(path: Path) -> None:
    sqlite_file(path)


def _foreign_in_wal_mode(path: Path) -> None:
    sqlite_file(path, "PRAGMA journal_mode = WAL")


def _newer(path: Path) -> None:
    sqlite_file(path, f"PRAGMA application_id = {APPLICATION_ID}", "PRAGMA user_version = 99")


def _other_tables(path: Path) -> None:
    sqlite_file(path, f"PRAGMA application_id = {APPLICATION_ID}", "PRAGMA user_version = 1")


def _damaged(path: Path) -> None:
    Store(path, ["AC" + "0" * 32], {}).close()
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * len(content[4096:])
    path.write_bytes(content)


def _truncated(path: Path) -> None:
    Store(path, ["AC" + "0" * 32], {}).close()
    path.write_bytes(path.read_bytes()[:5000])


def _header_of_ours(path: Path) -> None:
    Store(path, ["AC" + "0" * 32], {}).close()
    path.write_bytes(path.read_bytes()[:100])


def _other_columns(path: Path) -> None:
    sqlite_file(
        path,
        "CREATE TABLE configuration (account_sid TEXT, default_closed_timer TEXT)",
        f"PRAGMA application_id = {APPLICATION_ID}",
        "PRAGMA user_version = 1",
    )


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (_text, "not an SQLite database"),
        (_empty, "not an SQLite database"),
        (_header_only, "another application's"),
        (_foreign, "another application's"),
        (_foreign_in_wal_mode, "another application's"),
        (_newer, "version 99"),
        (_other_tables, "no such table"),
        (_other_columns, "no such column"),
        (_damaged, ""),
        (_truncated, ""),
        (_header_of_ours, ""),
    ],
)
def test_bad_files_are_refused_untouched(make: Callable[[Path], None], reason: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.db"
    make(path)
    before = path.read_bytes(), path.stat().st_mtime_ns
    with pytest.raises(BadDatabase) as refusal:
        emulator(database=path)
    assert reason in str(refusal.value)
    assert str(path) in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    assert [item.name for item in tmp_path.iterdir()] == ["bad.db"]


def test_a_damaged_file_with_a_log_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    _damaged(path)
    log = tmp_path / "state.db-wal"
    log.write_bytes(b"what a killed emulator has left")
    before = {item: (item.read_bytes(), item.stat().st_mtime_ns) for item in (path, log)}
    with pytest.raises(BadDatabase):
        emulator(database=path)
    assert {item: (item.read_bytes(), item.stat().st_mtime_ns) for item in tmp_path.iterdir()} == before


def test_a_name_that_sqlite_knows_is_a_file_like_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ask(emulator(database=":memory:"), "DefaultInactiveTimer=PT1H")
    assert ask(emulator(database=":memory:"), READ).json()["default_inactive_timer"] == "PT1H"


def test_places_that_cannot_hold_a_file_are_refused(tmp_path: Path) -> None:
    for place, reason in (
        (tmp_path, "directory"),
        (tmp_path / "missing" / "state.db", "directory does not exist"),
        (Path(os.devnull), "not a regular file"),
    ):
        with pytest.raises(BadDatabase, match=reason):
            emulator(database=place)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="permissions do not bind this user")
def test_files_that_cannot_be_read_or_written_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    emulator(database=path)
    path.chmod(0)
    with pytest.raises(BadDatabase, match="Permission denied"):
        emulator(database=path)
    path.chmod(0o444)
    before = path.read_bytes(), path.stat().st_mtime_ns
    with pytest.raises(BadDatabase, match="cannot be written to"):
        emulator(database=path)
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


def test_an_update_touches_only_the_columns_that_were_sent(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    ask(emulator(database=path), "DefaultInactiveTimer=PT1H")
    connection = sqlite3.connect(path)
    rows = connection.execute(f"SELECT {', '.join(COLUMNS)} FROM configuration").fetchall()  # noqa: S608 - constants
    connection.close()
    assert (None, None, "PT1H", None) in rows

"""The configurations of all accounts, in SQLite.

An update is one statement that touches only the columns that were sent, so no writer can undo another's
update. A file is kept in WAL mode with full synchronisation: an acknowledged update is on disk.
"""

import os
import shutil
import sqlite3
import weakref
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from conformance.emulator.errors import BadDatabase

Row = dict[str, str | None]

COLUMNS = (
    "default_chat_service_sid",
    "default_messaging_service_sid",
    "default_inactive_timer",
    "default_closed_timer",
)

# Marks a file as ours in the header of an SQLite file, at byte 68 (sqlite.org/fileformat.html 1.3.18).
APPLICATION_ID = 0x54434543
SCHEMA_VERSION = 1
_HEADER = b"SQLite format 3\0"

_CREATE = f"""
CREATE TABLE configuration (
    account_sid TEXT PRIMARY KEY, {", ".join(f"{column} TEXT" for column in COLUMNS)}
) WITHOUT ROWID
"""
_SELECTED = ", ".join(COLUMNS)
_ADD = f"INSERT OR IGNORE INTO configuration VALUES ({', '.join('?' * (1 + len(COLUMNS)))})"  # noqa: S608 - constants only
_READ = f"SELECT {_SELECTED} FROM configuration WHERE account_sid = ?"  # noqa: S608 - constants only


class Store:
    """The configurations of all accounts.

    Args:
        database: A file that survives the process, or None for memory.
        accounts: The Account SIDs to hold a configuration for.
        initial: What a configuration holds that was never written.

    Raises:
        BadDatabase: The file is not one of the emulator's. It was not touched.
    """

    def __init__(self, database: Path | None, accounts: Iterable[str], initial: Mapping[str, str]) -> None:
        rows = [(account, *(initial.get(column) for column in COLUMNS)) for account in accounts]
        if database is None:
            self._connection = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
            self._connection.execute(_CREATE)
            self._connection.executemany(_ADD, rows)
        else:
            self._connection = _open(database, rows)
        # An application that is not told to end, as in tests, drops its store without closing it.
        self.close = weakref.finalize(self, self._connection.close)

    def read(self, account: str) -> Row:
        """Return an account's configuration."""
        return _row(self._connection.execute(_READ, (account,)).fetchone())

    def update(self, account: str, changes: Mapping[str, str | None]) -> Row:
        """Set the named columns and return the account's whole configuration, in one atomic statement."""
        if not changes:
            return self.read(account)
        assignments = ", ".join(f"{column} = ?" for column in COLUMNS if column in changes)
        values = [changes[column] for column in COLUMNS if column in changes]
        cursor = self._connection.execute(
            f"UPDATE configuration SET {assignments} WHERE account_sid = ? RETURNING {_SELECTED}",  # noqa: S608 - ours
            (*values, account),
        )
        return _row(cursor.fetchall()[0])


def _row(values: tuple[str | None, ...]) -> Row:
    return dict(zip(COLUMNS, values, strict=True))


def _open(path: Path, rows: list[tuple[str | None, ...]]) -> sqlite3.Connection:
    try:
        if path.exists():
            _recognise(path)
            _check(path)
        else:
            _create(path)
        # Absolute, since SQLite takes names such as :memory: for something else than files.
        connection = sqlite3.connect(path.absolute(), check_same_thread=False, isolation_level=None)
        try:
            connection.execute("PRAGMA busy_timeout = 5000")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.executemany(_ADD, rows)
        except BaseException:
            connection.close()
            raise
    except OSError as error:
        raise BadDatabase(path, error.strerror or str(error)) from error
    except sqlite3.Error as error:
        raise BadDatabase(path, str(error)) from error
    return connection


def _recognise(path: Path) -> None:
    """Read the file's header without SQLite, which might write to it."""
    if path.is_dir():
        raise BadDatabase(path, "it is a directory")
    if not path.is_file():
        raise BadDatabase(path, "it is not a regular file")
    with path.open("rb") as file:
        header = file.read(100)
    # SQLite would find out only after it had made files beside it.
    if not (os.access(path, os.W_OK) and os.access(path.absolute().parent, os.W_OK)):
        raise BadDatabase(path, "it, or its directory, cannot be written to")
    if not header.startswith(_HEADER):
        raise BadDatabase(path, "it is not an SQLite database")
    if int.from_bytes(header[68:72], "big") != APPLICATION_ID:
        raise BadDatabase(path, "it is another application's SQLite database")
    version = int.from_bytes(header[60:64], "big")
    if version != SCHEMA_VERSION:
        raise BadDatabase(path, f"its schema has version {version}, this emulator writes {SCHEMA_VERSION}")


def _check(path: Path) -> None:
    """Read the whole file; where SQLite would recover a log, read a copy. Nothing is written beside the file."""
    log = path.with_name(f"{path.name}-wal")
    with TemporaryDirectory() as directory:
        uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
        if log.exists():
            copy = Path(directory, "copy")
            shutil.copyfile(path, copy)
            shutil.copyfile(log, copy.with_name("copy-wal"))
            uri = copy.as_uri()
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            if connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
                raise BadDatabase(path, "it is damaged")
            connection.execute(_READ, ("",))


def _create(path: Path) -> None:
    """Create the file under another name, and rename it: a process that is killed leaves no broken file."""
    if not path.parent.is_dir():
        raise BadDatabase(path, "its directory does not exist")
    draft = path.absolute().with_name(f"{path.name}.{os.getpid()}.new")
    try:
        with closing(sqlite3.connect(draft, isolation_level=None)) as connection:
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            connection.execute(_CREATE)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)

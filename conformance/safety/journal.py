"""
The journal keeps the settings of before a run on disk until they are put back; a lock keeps two runs off an account.

The journal has one file for each target and account, in a directory that outlives the process. A file is on the disk
before the run sends its first write, and it is never there in part. It contains no token. It is removed only after an
answer has shown its settings in force again. The locks are the operating system's, which end with the process.
"""

import contextlib
import hashlib
import json
import os
import re
import socket
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from conformance.exceptions import JournalError, Locked
from conformance.model import FIELDS, shortened

Settings = Mapping[str, str | None]
"""Values by attribute: null where nothing is set, absent where the target does not show the attribute."""

_VERSION = 1
_LIMIT = 1 << 20
"""The greatest size of a journal in bytes. Answers are cut at the same size, so settings always fit."""

_ATTRIBUTES = frozenset(each.attribute for each in FIELDS)
_MEMBERS = {"version": int, "target": str, "account": str, "settings": dict, "taken": str, "process": str}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """
    The settings of one account before a run.

    Args:
        target: The base URL.
        account: The Account SID, or the SID of the API key where the account's is not known.
        settings: The settings as they were read.
        taken: The time when they were read: UTC, ISO 8601.
        process: The process that had to put them back: its number and host.
    """

    target: str
    account: str
    settings: Settings
    taken: str
    process: str


def state_directory(given: Path | None) -> Path:
    """Return the directory of the journals: the given one, else the user's directory for state."""
    if given is not None:
        return given
    from platformdirs import user_state_path

    return user_state_path("twilio-configuration-conformance", appauthor=False)


def entries(directory: Path) -> list[Path]:
    """Return the files of all journals in a directory, oldest first."""
    return sorted(directory.glob("*.json"), key=lambda path: (path.stat().st_mtime, path.name))


def tidy(directory: Path) -> None:
    """Remove the files that ended processes have left in a directory: locks, and journals that were not whole yet."""
    for path in (*directory.glob("*.lock"), *directory.glob(".*.json.*")):
        kept = directory / f"{path.name.strip('.').partition('.')[0]}.json"
        with contextlib.suppress(Locked), _locked(kept, ""):  # the lock file goes when the lock is released
            path.unlink(missing_ok=True)


def read(path: Path) -> Entry:
    """
    Return the entry in a file.

    Raises:
        JournalError: The file cannot be read, or its content is not the content that was written.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(_LIMIT + 1)
        document = json.loads(raw.decode("ascii"))
        return _entry(document, path)
    except OSError as error:
        raise JournalError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise JournalError(
            f"{path}: damaged, its settings are lost; `conformance restore --discard` removes it"
        ) from None


def _entry(document: Any, path: Path) -> Entry:
    """Return the entry in a JSON document, or raise ValueError where it is damaged or does not belong to the path."""
    if not isinstance(document, dict) or document.keys() != {*_MEMBERS, "sha256"}:
        raise ValueError
    digest = document.pop("sha256")
    if any(type(document[name]) is not kind for name, kind in _MEMBERS.items()):
        raise ValueError
    settings = document["settings"]
    if not settings.keys() <= _ATTRIBUTES or not all(
        value is None or isinstance(value, str) for value in settings.values()
    ):
        raise ValueError
    if (
        document.pop("version") != _VERSION
        or digest != _digest(document)
        or path.stem != _key(document["target"], document["account"])
    ):
        raise ValueError
    return Entry(**document)


def _digest(document: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode("ascii")).hexdigest()


def _key(target: str, account: str) -> str:
    """Return the name of the file for a target and an account, the same with and without the default port."""
    plain = re.sub(r"^(http://[^/]*):80(?=/|$)|^(https://[^/]*):443(?=/|$)", r"\1\2", target.rstrip("/"))
    return hashlib.sha256(f"{plain}\n{account}".encode()).hexdigest()[:32]


class Journal:
    """
    The journal of one target's accounts. It is a context manager, and locks the accounts while it is entered.

    Args:
        directory: The directory of the journals. Entering creates it, for its owner alone.
        target: The base URL.
        accounts: The Account SIDs, or the SIDs of API keys.

    Raises:
        Locked: On entering, another process is using one of the accounts.
        JournalError: On entering, the directory cannot be written.
    """

    def __init__(self, directory: Path, target: str, accounts: Sequence[str]) -> None:
        self._directory = directory
        self._target = target
        self._accounts = accounts
        self._paths = [directory / f"{_key(target, account)}.json" for account in accounts]
        self._locks = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as locks:
            try:
                self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
                # All processes lock in the same order, so that no two wait for each other.
                for account, path in sorted(zip(self._accounts, self._paths, strict=True)):
                    locks.enter_context(_locked(path, account))
            except OSError as error:
                raise JournalError(
                    f"no journal can be kept in {self._directory}: {error.strerror or error}; "
                    "--state-dir names another directory"
                ) from None
            self._locks = locks.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._locks.close()

    def pending(self, account: int) -> Entry | None:
        """
        Return the entry of an earlier run that has not put the settings back; None where there is none.

        Args:
            account: The index of the account.

        Raises:
            JournalError: The entry cannot be read.
        """
        path = self._paths[account]
        return read(path) if path.exists() else None

    def keep(self, account: int, settings: Settings) -> None:
        """
        Write an account's settings to the disk, unless an earlier run's are still there.

        Args:
            account: The index of the account.
            settings: The settings as they were read.

        Raises:
            JournalError: The settings cannot be written.
        """
        path = self._paths[account]
        document = {
            "target": self._target,
            "account": self._accounts[account],
            "settings": {name: value for name, value in settings.items() if name in _ATTRIBUTES},
            "taken": _now(),
            "process": f"process {os.getpid()} on {socket.gethostname()}",
        }
        text = json.dumps({**document, "version": _VERSION, "sha256": _digest(document)})
        try:
            if not path.exists():
                _write(path, text.encode("ascii"))
        except OSError as error:
            raise JournalError(f"{path}: cannot be written: {error.strerror or error}") from None

    def drop(self, account: int) -> None:
        """Remove the entry of an account, whose settings are in force again."""
        self._paths[account].unlink(missing_ok=True)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _write(path: Path, content: bytes) -> None:
    """Write a file so that it is on the disk as a whole, or not there."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # with mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    if os.name == "posix":  # Windows cannot open a directory
        directory = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


@contextlib.contextmanager
def _locked(path: Path, account: str) -> Iterator[None]:
    """
    Hold the lock of an account, whose journal is at a path.

    Raises:
        Locked: Another process holds it; the message names that process.
    """
    from filelock import FileLock, Timeout

    lock, owner = path.with_suffix(".lock"), path.with_suffix(".owner")
    file_lock = FileLock(lock, timeout=0, mode=0o600)
    try:
        file_lock.acquire()
    except Timeout:
        try:
            who = shortened(owner.read_text(encoding="utf-8").strip(), 200)
        except (OSError, UnicodeDecodeError):  # it has the lock, but has not written its name yet
            who = "another process"
        raise Locked(f"{who} is at work on the settings of {account}: let it end, or end it, first") from None
    try:
        since = f"process {os.getpid()} on {socket.gethostname()}, since {_now()},"
        owner.write_text(since, encoding="utf-8")
        yield
    finally:
        with contextlib.suppress(OSError):  # Windows does not remove open files
            owner.unlink(missing_ok=True)
            # The lock is still held: a process that has just opened the file sees that it is gone, and begins again.
            lock.unlink(missing_ok=True)
        file_lock.release()

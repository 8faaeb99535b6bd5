"""
The settings of before a run, on disk until they are back, and the lock that keeps two runs off one account.

There is one file for each target and account, in a directory that outlives the process. It is whole or not there,
on the disk before the first write of the run is sent, holds no token, and is removed only when its settings have been
seen to be in force again. Locks are the operating system's: they end with the process, however that ends.
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
from conformance.model import FIELDS

Settings = Mapping[str, str | None]
"""By attribute; null where nothing is set, absent where the target does not show it."""

_VERSION = 1
_LIMIT = 1 << 20
"""Bytes of a journal that are read at most: what a target may have answered is cut there too."""

_ATTRIBUTES = frozenset(each.attribute for each in FIELDS)
_MEMBERS = {"version": int, "target": str, "account": str, "settings": dict, "taken": str, "process": str}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """
    What one account's settings were.

    Args:
        target: Base URL.
        account: Account SID, or the SID of the API key where that is all that is known.
        settings: As they were read.
        taken: When, in UTC, ISO 8601.
        process: Whose they are to put back.
    """

    target: str
    account: str
    settings: Settings
    taken: str
    process: str


def state_directory(given: Path | None) -> Path:
    """Where journals are kept: the directory that was named, else the user's directory for state."""
    if given is not None:
        return given
    from platformdirs import user_state_path

    return user_state_path("twilio-configuration-conformance", appauthor=False)


def entries(directory: Path) -> list[Path]:
    """The files of all journals in a directory, oldest first."""
    return sorted(directory.glob("*.json"), key=lambda path: (path.stat().st_mtime, path.name))


def tidy(directory: Path) -> None:
    """Remove what processes have left that are gone: locks, and journals that were not whole yet."""
    for path in (*directory.glob("*.lock"), *directory.glob(".*.json.*")):
        kept = directory / f"{path.name.strip('.').partition('.')[0]}.json"
        with contextlib.suppress(Locked), _locked(kept, ""):  # which removes the lock
            path.unlink(missing_ok=True)


def read(path: Path) -> Entry:
    """
    The entry in a file.

    Raises:
        JournalError: It cannot be read, or is not what was written there.
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
            f"{path}: damaged, its settings cannot be told; `conformance restore --discard` removes it"
        ) from None


def _entry(document: Any, path: Path) -> Entry:
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
    plain = re.sub(r"^(http://[^/]*):80(?=/|$)|^(https://[^/]*):443(?=/|$)", r"\1\2", target.rstrip("/"))
    return hashlib.sha256(f"{plain}\n{account}".encode()).hexdigest()[:32]


class Journal:
    """
    The entries of one target's accounts, and the locks on them; a context manager.

    Args:
        directory: Where; created when entered, for its owner alone.
        target: Base URL.
        accounts: Account SIDs, or those of API keys.

    Raises:
        Locked: On entering: another process is at work on one of the accounts.
        JournalError: On entering: nothing can be written there.
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
                # In one order, whoever asks.
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
        What an earlier run has left to be put back.

        Raises:
            JournalError: There is something, and it cannot be read.
        """
        path = self._paths[account]
        return read(path) if path.exists() else None

    def keep(self, account: int, settings: Settings) -> None:
        """
        Write an account's settings to the disk; what an earlier run has left there stays.

        Raises:
            JournalError: They cannot be written.
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
        """Remove what is kept of an account: its settings are in force again."""
        self._paths[account].unlink(missing_ok=True)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _write(path: Path, content: bytes) -> None:
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # which has mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    if os.name == "posix":  # elsewhere a directory cannot be opened
        directory = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


@contextlib.contextmanager
def _locked(path: Path, account: str) -> Iterator[None]:
    from filelock import FileLock, Timeout

    lock, owner = path.with_suffix(".lock"), path.with_suffix(".owner")
    held = FileLock(lock, timeout=0, mode=0o600)
    try:
        held.acquire()
    except Timeout:
        try:
            who = owner.read_text(encoding="utf-8").strip()[:200]
        except (OSError, UnicodeDecodeError):  # it has the lock, and has not yet said who it is
            who = "another process"
        raise Locked(f"{who} is at work on the settings of {account}: let it end, or end it, first") from None
    try:
        since = f"process {os.getpid()} on {socket.gethostname()}, since {_now()},"
        owner.write_text(since, encoding="utf-8")
        yield
    finally:
        with contextlib.suppress(OSError):  # Windows removes nothing that is open
            owner.unlink(missing_ok=True)
            # While it is held: whoever has opened it meanwhile sees that it is gone, and begins again.
            lock.unlink(missing_ok=True)
        held.release()

"""
The journal keeps the settings of before a run on disk until they are put back; a lock keeps two runs off an account.

The journal has one file for each target and account, in a directory that outlives the process. A file is on the disk
before the run sends its first write, and it is never there in part. It contains no token. It is removed only after an
answer has shown its settings in force again. The locks are the operating system's, which end with the process.

A target may have many names. So a file also says which places its URL led to, and a run locks these places, and the
account wherever it is. Throw-away accounts are public, and many targets have them: they are locked by place alone.
"""

import contextlib
import errno
import hashlib
import json
import os
import re
import socket
import stat
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from conformance.contract import SUITE
from conformance.exceptions import JournalError, Locked
from conformance.model import FIELDS, shortened
from conformance.safety.places import places
from conformance.transport.credentials import THROWAWAY

Settings = Mapping[str, str | None]
"""Values by attribute: null where nothing is set, absent where the target does not show the attribute."""

_VERSION = 2
_WITHOUT_PLACES = 1
"""The version of journals that older releases wrote. They name no places; those of the URL alone count."""

_LIMIT = 1 << 20
"""The greatest size of a journal in bytes. Answers are cut at the same size, so settings always fit."""

_PUBLIC = frozenset(account.user.lower() for account in THROWAWAY)

_ATTRIBUTES = frozenset(each.attribute for each in FIELDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """
    The settings of one account before a run.

    Args:
        target: The base URL.
        places: The places that the URL led to; see `conformance.safety.places`.
        account: The Account SID, or the SID of the API key where the account's is not known.
        settings: The settings as they were read.
        taken: The time when they were read: UTC, ISO 8601.
        process: The process that had to put them back: its number and host.
    """

    target: str
    places: tuple[str, ...]
    account: str
    settings: Settings
    taken: str
    process: str

    def is_of(self, target: str, at: Collection[str]) -> bool:
        """Whether the settings may be those of the target at a base URL, which leads to the places `at`."""
        return _plain(self.target) == _plain(target) or not set(at).isdisjoint(self.places)


def state_directory(given: Path | None) -> Path:
    """Return the directory of the journals: the given one, else the user's directory for state."""
    if given is not None:
        return given
    from platformdirs import user_state_path

    return user_state_path(SUITE, appauthor=False)


def entries(directory: Path) -> list[Path]:
    """
    Return the files of all journals in a directory, oldest first; none where there is no directory.

    Raises:
        JournalError: It cannot be told which files the directory has.
    """
    try:
        # `Path.glob` would hide that a directory cannot be read.
        with os.scandir(directory) as found:
            aged = [
                (each.stat().st_mtime, each.name)
                for each in found
                if each.name.endswith(".json") and not each.name.startswith(".")
            ]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise JournalError(
            f"{directory}: whether settings are kept there cannot be seen: {error.strerror}"
        ) from None
    return [directory / name for _, name in sorted(aged)]


def tidy(directory: Path) -> None:
    """Remove the files that ended processes have left in a directory: locks, and journals that were not whole yet."""
    for path in (*directory.glob("*.lock"), *directory.glob(".*.json.*")):
        lock = directory / f"{path.name.strip('.').partition('.')[0]}.lock"
        # The lock file goes when the lock is released. A directory that cannot be written stays as it is.
        with contextlib.suppress(Locked, OSError), _locked(lock, ""):
            path.unlink(missing_ok=True)


def read(path: Path) -> Entry:
    """
    Return the entry in a file.

    Raises:
        JournalError: The file cannot be read, or its content is not the content that was written.
    """
    try:
        # Opening a pipe would wait for somebody who writes to it.
        if not stat.S_ISREG(path.stat().st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file")
        with path.open("rb") as file:
            raw = file.read(_LIMIT + 1)
        document = json.loads(raw.decode("ascii"))
        return _entry(document, path)
    except OSError as error:
        raise JournalError(f"{path}: cannot be read: {error.strerror}") from None
    except (AttributeError, LookupError, TypeError, ValueError, RecursionError):
        raise JournalError(
            f"{path}: damaged, its settings are lost; `conformance restore --discard` removes it"
        ) from None


def _entry(document: Any, path: Path) -> Entry:
    """Return the entry in a JSON document; raise ValueError where its digest is wrong, or it is of another file."""
    version, digest = document.pop("version"), document.pop("sha256")
    if (
        version not in (_WITHOUT_PLACES, _VERSION)
        or digest != _digest(document)
        or path.stem != _key(document["target"], document["account"])
    ):
        raise ValueError
    is_older = version == _WITHOUT_PLACES
    led_to = places(document["target"], ()) if is_older else tuple(document.pop("places"))
    return Entry(**document, places=led_to)


def _digest(document: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode("ascii")).hexdigest()


def _plain(target: str) -> str:
    """Return a base URL in the spelling without the default port."""
    return re.sub(r"^(http://[^/]*):80(?=/|$)|^(https://[^/]*):443(?=/|$)", r"\1\2", target.rstrip("/"))


def _key(target: str, account: str) -> str:
    """Return the name of the file for a target and an account, the same with and without the default port."""
    return hashlib.sha256(f"{_plain(target)}\n{account}".encode()).hexdigest()[:32]


class Journal:
    """
    The journal of one target's accounts. It is a context manager, and locks the accounts while it is entered.

    One process may have journals of an account at several places, as when it compares two targets.

    Args:
        directory: The directory of the journals. Entering creates it, for its owner alone.
        target: The base URL.
        accounts: The Account SIDs, or the SIDs of API keys.
        at: The places that the URL leads to; None to take them from the URL alone.

    Raises:
        Locked: On entering, another process is using one of the accounts.
        JournalError: On entering, the directory cannot be written.
    """

    def __init__(
        self, directory: Path, target: str, accounts: Sequence[str], at: Sequence[str] | None = None
    ) -> None:
        self._directory = directory
        self._target = target
        self._places = places(target, ()) if at is None else tuple(at)
        self._accounts = accounts
        self._paths = [directory / f"{_key(target, account)}.json" for account in accounts]
        self._locks = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as locks:
            try:
                self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
                # All processes lock in the same order, so that no two wait for each other.
                for name, account, is_shared in sorted(self._locked_names()):
                    locks.enter_context(_locked(self._directory / f"{name}.lock", account, is_shared))
            except OSError as error:
                raise JournalError(
                    f"no journal can be kept in {self._directory}: {error.strerror or error}; "
                    "--state-dir names another directory"
                ) from None
            self._locks = locks.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._locks.close()

    def _locked_names(self) -> Iterator[tuple[str, str, bool]]:
        """Yield the names of the locks, each with its account and whether this process may hold it twice."""
        for account in self._accounts:
            plain = account.lower()
            yield _key(self._target, account), account, False
            yield from ((_key(place, plain), account, False) for place in self._places)
            if plain not in _PUBLIC:
                yield _key("", plain), account, True

    def _kept(self, account: int) -> Iterator[tuple[Path, Entry]]:
        """Yield the files that may keep the settings of an account, oldest first, each with its entry."""
        for path in entries(self._directory):
            try:
                entry = read(path)
            except JournalError:
                if path == self._paths[account]:
                    raise
                continue  # a damaged file of another target or account: `conformance restore` names it
            is_same = entry.account.lower() == self._accounts[account].lower()
            if is_same and entry.is_of(self._target, self._places):
                yield path, entry

    def pending(self, account: int) -> Entry | None:
        """
        Return the entry of an earlier run that has not put an account's settings back; None where there is none.

        Raises:
            JournalError: The entry cannot be read.
        """
        return next((entry for _, entry in self._kept(account)), None)

    def keep(self, account: int, settings: Settings) -> None:
        """
        Write an account's settings, as they were read, to the disk, unless an earlier run's are still there.

        Raises:
            JournalError: The settings cannot be written.
        """
        path = self._paths[account]
        document = {
            "target": self._target,
            "places": self._places,
            "account": self._accounts[account],
            "settings": {name: value for name, value in settings.items() if name in _ATTRIBUTES},
            "taken": now(),
            "process": f"process {os.getpid()} on {socket.gethostname()}",
        }
        text = json.dumps({**document, "version": _VERSION, "sha256": _digest(document)})
        try:
            if self.pending(account) is None:
                _write(path, text.encode("ascii"))
        except OSError as error:
            raise JournalError(f"{path}: cannot be written: {error.strerror or error}") from None

    def drop(self, account: int) -> None:
        """Remove the entries of an account, whose settings are in force again."""
        for path, _ in list(self._kept(account)):
            path.unlink(missing_ok=True)


def now() -> str:
    """Return the present time in UTC, ISO 8601, to the second."""
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
def _locked(lock: Path, account: str, is_shared: bool = False) -> Iterator[None]:
    """
    Hold a lock of an account, which this process may hold several times if it is shared.

    Raises:
        Locked: Another process holds it; the message names that process.
    """
    from filelock import FileLock, Timeout

    owner = lock.with_suffix(".owner")
    file_lock = FileLock(lock, timeout=0, mode=0o600, thread_local=False, is_singleton=is_shared)
    try:
        file_lock.acquire()
    except Timeout:
        try:
            who = shortened(owner.read_text(encoding="utf-8").strip(), 200)
        except (OSError, UnicodeDecodeError):  # it has the lock, but has not written its name yet
            who = "another process"
        raise Locked(f"{who} is at work on the settings of {account}: let it end, or end it, first") from None
    try:
        since = f"process {os.getpid()} on {socket.gethostname()}, since {now()},"
        owner.write_text(since, encoding="utf-8")
        yield
    finally:
        if file_lock.lock_counter == 1:
            with contextlib.suppress(OSError):  # Windows does not remove open files
                owner.unlink(missing_ok=True)
                # The lock is still held: a process that has just opened the file sees that it is gone, and begins
                # again.
                lock.unlink(missing_ok=True)
        file_lock.release()

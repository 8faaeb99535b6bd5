"""Text that grows while a run goes on: it is on disk, not in memory, and is copied to its place when the run ends."""

import contextlib
import errno
import os
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO, BinaryIO, Self


class Spool:
    """A file without a name, as a context manager, in a directory: a run that is killed leaves no trace of it."""

    def __init__(self, directory: Path) -> None:
        self._lock = threading.Lock()
        self._failure: OSError | None = None
        # ASCII, since JSON escapes the rest. In large pieces: few are under way when an interrupt comes.
        self.file: IO[str] = tempfile.TemporaryFile(  # noqa: SIM115  # __exit__ closes it
            "w+", dir=directory, encoding="ascii", buffering=1 << 20
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        with contextlib.suppress(OSError):  # what could not be written before cannot be written now
            self.file.close()

    def write(self, write: Callable[[], object]) -> None:
        """Call a function that writes to the file, one thread at a time; after an error nothing more is written."""
        with self._lock:
            try:
                if self._failure is None:
                    write()
            except OSError as error:
                self._fail(error)

    def discard(self) -> None:
        """Give up the text, so that the disk has room for something else."""
        self._fail(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))

    def _fail(self, error: OSError) -> None:
        self._failure = self._failure or error
        with contextlib.suppress(OSError):
            os.ftruncate(self.file.fileno(), 0)

    def copy(self, file: BinaryIO) -> None:
        """
        Write all of the text to another file.

        Raises:
            OSError: This fails, or a write failed while the run went on.
        """
        self.write(self.file.flush)
        if self._failure is not None:
            raise self._failure
        self.file.seek(0)
        while piece := self.file.read(1 << 20):
            file.write(piece.encode("ascii"))

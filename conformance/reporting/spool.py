"""Text that grows while a run goes on: kept on disk, not in memory, and copied to where it stays when the run ends."""

import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO, BinaryIO, Self


class Spool:
    """
    A file without a name, which a run that is killed leaves no trace of; a context manager.

    Args:
        directory: where there is room for it.
    """

    def __init__(self, directory: Path) -> None:
        self._lock = threading.Lock()
        self._failure: OSError | None = None
        # ASCII, since JSON escapes the rest. In large pieces: few are under way when an interrupt comes.
        self.file: IO[str] = tempfile.TemporaryFile(  # noqa: SIM115  # __exit__ closes it
            "w+", dir=directory, encoding="ascii", buffering=1 << 20
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.file.close()

    def write(self, write: Callable[[], object]) -> None:
        """Calls what writes to the file, one thread at a time; a full disk is told by `copy`, and ends it."""
        with self._lock:
            try:
                if self._failure is None:
                    write()
            except OSError as error:
                self._failure = error

    def copy(self, file: BinaryIO) -> None:
        """
        Writes all of it to another file.

        Raises:
            OSError: it cannot be written, or could not be while the run went on.
        """
        if self._failure is not None:
            raise self._failure
        self.file.seek(0)
        while piece := self.file.read(1 << 20):
            file.write(piece.encode("ascii"))

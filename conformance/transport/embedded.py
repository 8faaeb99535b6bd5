"""Starts the reference emulator as a process of its own on a free loopback port, and ends it."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from conformance.exceptions import EmulatorFailed
from conformance.transport.credentials import Account

_PATIENCE = 30.0
"""Seconds in which the process must be listening."""


class Embedded:
    """
    The emulator as a process, from construction on; a context manager that ends it.

    Args:
        accounts: that it knows; handed over in the environment, so that no token shows in a list of processes.
        faults: names of faults to build in.
        variants: names of variants to build in.
        database: file to keep the settings in; None for memory.
    """

    def __init__(
        self,
        accounts: Iterable[Account],
        *,
        faults: Iterable[str] = (),
        variants: Iterable[str] = (),
        database: Path | None = None,
    ) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="conformance-")
        self._port_file = Path(self._directory.name, "port")
        command = [sys.executable, "-m", "conformance.emulator", "--exit-with-parent"]
        command += ["--port", "0", "--port-file", str(self._port_file)]
        for flag, names in (("--fault", faults), ("--variant", variants)):
            for name in names:
                command += [flag, name]
        if database is not None:
            command += ["--database", str(database)]
        known = ",".join(f"{account.sid}:{account.token}" for account in accounts)
        self.process = subprocess.Popen(  # noqa: S603  # our own interpreter, our own arguments
            command,
            env={**os.environ, "CONFORMANCE_ACCOUNTS": known},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )

    def url(self) -> str:
        """
        The base URL, as soon as the emulator listens.

        Raises:
            EmulatorFailed: it does not.
        """
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            if self._port_file.exists():
                return f"http://127.0.0.1:{self._port_file.read_text().strip()}"
            if self.process.poll() is not None:
                assert self.process.stderr is not None
                raise EmulatorFailed(self.process.stderr.read().decode(errors="replace").strip())
            time.sleep(0.005)  # between looks for the port file
        raise EmulatorFailed(f"the emulator does not listen after {_PATIENCE:g} s")

    def close(self) -> None:
        """End the process."""
        self.process.terminate()
        self.process.communicate()
        self._directory.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

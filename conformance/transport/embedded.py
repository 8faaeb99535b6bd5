"""Starts and ends the reference emulator: a process of its own, on a free port of loopback."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Self

from conformance.exceptions import EmulatorFailed
from conformance.transport.credentials import Account

_PATIENCE = 30.0
"""Seconds within which the process must listen."""


class Embedded:
    """
    The process of an emulator. The constructor starts it; used as a context manager, it ends the process.

    The accounts are handed over in the environment, since a list of processes would show tokens in arguments. Without a
    database the settings are kept in memory.
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
        Wait until the emulator listens, and return its base URL.

        Raises:
            EmulatorFailed: The process has ended, or does not listen in time.
        """
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            if self._port_file.exists():
                return f"http://127.0.0.1:{self._port_file.read_text().strip()}"
            if self.process.poll() is not None:
                assert self.process.stderr is not None
                raise EmulatorFailed(self.process.stderr.read().decode(errors="replace").strip())
            time.sleep(0.005)  # then check for the port file again
        raise EmulatorFailed(f"the emulator does not listen after {_PATIENCE:g} s")

    def close(self) -> None:
        """End the process."""
        self.process.terminate()
        self.process.communicate()
        self._directory.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

"""`conformance serve --like`: serves a recording in place of the emulator."""

from collections.abc import Mapping
from pathlib import Path


def serve_like(file: str, accounts: Mapping[str, str], host: str, port: int, port_file: str | None) -> None:
    """
    Serve a recording until SIGINT or SIGTERM.

    Raises:
        RecordingError: The file cannot be served.
        EmulatorError: The address cannot be listened on.
        OSError: The same, or the file for the port cannot be written.
    """
    from conformance import emulator
    from conformance.fidelity.ends import read
    from conformance.fidelity.serving import Application, Replay
    from conformance.transport.credentials import Account

    replay = Replay(read(Path(file)), [Account(sid, token) for sid, token in accounts.items()])
    emulator.serve_app(Application(replay), host=host, port=port, port_file=port_file)

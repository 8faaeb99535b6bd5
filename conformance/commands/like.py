"""`conformance serve --like`: serves a recording in place of the emulator."""

from collections.abc import Mapping
from pathlib import Path

from conformance.commands.refused import Refused


def serve_like(file: str, accounts: Mapping[str, str], host: str, port: int, port_file: str | None) -> None:
    """
    Serve a recording until SIGINT or SIGTERM.

    Raises:
        RecordingError: The file cannot be served.
        Refused: The address cannot be listened on.
    """
    from conformance import emulator
    from conformance.fidelity.ends import read
    from conformance.fidelity.serving import Application, Replay
    from conformance.transport.credentials import Account

    replay = Replay(read(Path(file)), [Account(sid, token) for sid, token in accounts.items()])
    try:
        emulator.serve_app(Application(replay), host=host, port=port, port_file=port_file)
    except (emulator.EmulatorError, OSError) as error:
        raise Refused(str(error)) from None

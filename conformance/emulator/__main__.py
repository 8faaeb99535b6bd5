"""`python -m conformance.emulator`: the emulator as a process, started by a program rather than a person.

The accounts come from the environment, CONFORMANCE_ACCOUNTS="AC…:token,AC…:token", so that no token shows in
the list of processes.
"""

import argparse
import os
import signal
import sys
import threading

from conformance.emulator.errors import EmulatorError
from conformance.emulator.server import serve


def main() -> int:
    """Serve until told to end; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m conformance.emulator", description="Serve the reference emulator."
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 (default) for a free one")
    parser.add_argument("--port-file", metavar="FILE", help="write the port to FILE once listening")
    parser.add_argument(
        "--database", metavar="FILE", help="keep the configurations in FILE (default: in memory)"
    )
    parser.add_argument("--fault", action="append", default=[], metavar="NAME", help="build this fault in")
    parser.add_argument(
        "--variant", action="append", default=[], metavar="NAME", help="build this variant in"
    )
    parser.add_argument("--exit-with-parent", action="store_true", help="end when the standard input ends")
    options = parser.parse_args()
    if options.exit_with_parent:
        threading.Thread(target=_end_with_standard_input, daemon=True).start()
    try:
        serve(
            host=options.host,
            port=options.port,
            port_file=options.port_file,
            database=options.database,
            accounts=parse_accounts(os.environ.get("CONFORMANCE_ACCOUNTS", "")),
            faults=options.fault,
            variants=options.variant,
        )
    except (EmulatorError, OSError) as error:
        sys.stderr.write(f"{parser.prog}: {error}\n")
        return 2
    return 0


def parse_accounts(text: str) -> dict[str, str]:
    """Return the token of each account of a list `SID:TOKEN,SID:TOKEN`."""
    pairs = [entry.partition(":") for entry in text.split(",") if entry.strip()]
    return {account.strip(): token.strip() for account, _, token in pairs}


def _end_with_standard_input() -> None:
    # A parent that dies, however it dies, closes its end of the pipe.
    # Unbuffered: a lock of sys.stdin held at exit would be fatal.
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())

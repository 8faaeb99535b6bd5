"""
Rebuilds the published results: starts each emulator on loopback, judges it, and makes the matrix of all results.

The archive of exchanges is removed, since it takes several megabytes for each emulator.

    npm install --prefix /some/where @stoplight/prism-cli@5.14.2 emulate@0.12.2
    python benchmarks/rebuild_reports.py --npm /some/where --vendor-openapi twilio_conversations_v1.json

This needs Node 22.15 or later, because `emulate` does. The vendor's OpenAPI document is in
github.com/twilio/twilio-oai, spec/json; without it, the emulator that is made from it is left out. After npm's
installation nothing leaves the machine.
"""

import argparse
import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parents[1] / "reports"
OURS = HERE.parent / "schemas" / "openapi.json"
PATIENCE = 60.0
"""Seconds within which an emulator must listen."""


@dataclass(frozen=True, slots=True)
class Emulator:
    """An emulator: the command that starts it, the path of its resource, and the exit status of a run."""

    package: str
    folder: str
    arguments: Sequence[str]
    prefix: str = ""
    expected: int = 1
    credentials: dict[str, str] = field(default_factory=dict)


def emulators(vendor_openapi: Path | None) -> Iterator[Emulator]:
    """Yield the emulators to judge. In their arguments `{port}` stands for the port."""
    mock = ("@stoplight/prism-cli/dist/index.js", "mock", "-h", "127.0.0.1", "-p", "{port}")
    yield Emulator("@stoplight/prism-cli", "prism-{version}-own-openapi", (*mock, str(OURS)))
    if vendor_openapi is not None:
        yield Emulator("@stoplight/prism-cli", "prism-{version}-vendor-openapi", (*mock, str(vendor_openapi)))
    yield Emulator(
        "emulate",
        "emulate-{version}-twilio",
        ("emulate/dist/index.js", "--service", "twilio", "--port", "{port}"),
        prefix="/conversations",
        # These are in its README, and open nothing.
        credentials={
            "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
            "TWILIO_AUTH_TOKEN": "twilio_test_auth_token",
        },
    )


def free_port() -> int:
    """Return a port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def listening(command: Sequence[str], port: int) -> Iterator[None]:
    """Start a server, wait until it listens, run the `with` block, and end the server."""
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )  # the commands above
    try:
        deadline = time.monotonic() + PATIENCE
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{' '.join(command)} does not listen on port {port}")
            time.sleep(0.1)  # nothing tells when another process listens, so it is tried
        yield
    finally:
        process.terminate()
        process.wait()


def folder_of(emulator: Emulator, modules: Path) -> Path:
    """Return the folder for the results of an emulator, whose name has its version."""
    version = json.loads((modules / emulator.package / "package.json").read_text())["version"]
    return HERE / emulator.folder.format(version=version)


def conformance(*arguments: str) -> list[str]:
    """Return the command line of the suite's own command."""
    return [sys.executable, "-m", "conformance.cli", *arguments]


def judge(emulator: Emulator, modules: Path, node: str) -> bool:
    """Judge one emulator, and return whether the run ended with the expected exit status."""
    port = free_port()
    folder = folder_of(emulator, modules)
    script, *arguments = (each.format(port=port) for each in emulator.arguments)
    with listening([node, str(modules / script), *arguments], port):
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("TWILIO_", "CONFORMANCE_"))
        }
        done = subprocess.run(  # our own command
            [
                *conformance("run", "--report-dir", str(folder)),
                *("--target", f"http://127.0.0.1:{port}{emulator.prefix}"),
            ],
            env={**environment, **emulator.credentials},
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
    (folder / "exchanges.har").unlink()
    subprocess.run(conformance("report", str(folder)), stdout=subprocess.DEVNULL, check=True)
    print(f"{folder.name}: exit {done.returncode}: {done.stdout.strip().splitlines()[-1]}")
    return done.returncode == emulator.expected


def main() -> int:
    """Judge all emulators, make the matrix, and return the exit status: 1 where a run did not end as expected."""
    parser = argparse.ArgumentParser(description="Rebuild the published results.")
    parser.add_argument(
        "--npm", type=Path, required=True, help="where npm installed the packages (its --prefix)"
    )
    parser.add_argument(
        "--vendor-openapi", type=Path, help="the vendor's OpenAPI document of Conversations v1"
    )
    parser.add_argument("--node", default="node", help="the node to run them with (default: node)")
    options = parser.parse_args()
    modules = options.npm / "node_modules"
    judged = list(emulators(options.vendor_openapi))
    right = [judge(each, modules, options.node) for each in judged]
    columns = [f"{folder.name}={folder}" for each in judged for folder in [folder_of(each, modules)]]
    subprocess.run(conformance("matrix", *columns, "-o", str(HERE / "matrix.html")), check=True)
    return 0 if all(right) else 1


if __name__ == "__main__":
    sys.exit(main())

"""
Rebuilds the published results: judges each emulator on loopback, compares it with the reference, makes the matrix.

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
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from conformance.commands.compare import NO_VERDICT
from conformance.fidelity import telling

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
            time.sleep(0.1)  # between two tries to connect: nothing tells when another process listens
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


@contextlib.contextmanager
def served(emulator: Emulator, modules: Path, node: str) -> Iterator[str]:
    """Start one emulator, and return its base URL."""
    port = free_port()
    script, *arguments = (each.format(port=port) for each in emulator.arguments)
    with listening([node, str(modules / script), *arguments], port):
        yield f"http://127.0.0.1:{port}{emulator.prefix}"


def done(emulator: Emulator, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the suite's own command with the emulator's credentials."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("TWILIO_", "CONFORMANCE_"))
    }
    return subprocess.run(
        conformance(*arguments),
        env={**environment, **emulator.credentials},
        capture_output=True,
        text=True,
        check=False,
    )


def compare(emulator: Emulator, modules: Path, node: str) -> bool:
    """Compare one emulator with the reference emulator, and return whether there was a verdict."""
    folder = folder_of(emulator, modules)
    with tempfile.TemporaryDirectory() as directory:
        recording = Path(directory, "reference.jsonl")
        subprocess.run(conformance("record", "--out", str(recording)), stdout=subprocess.DEVNULL, check=True)
        with served(emulator, modules, node) as url:
            told = done(emulator, "compare", str(recording), url, "--json")
    if not told.stdout:  # it does not have the resource, for one
        (folder / "comparison.txt").write_text(told.stderr.splitlines()[-1] + "\n", encoding="utf-8")
        print(f"{folder.name}: {told.stderr.splitlines()[-1]}")
        return told.returncode == NO_VERDICT
    document = json.loads(told.stdout)
    (folder / "comparison.json").write_text(told.stdout, encoding="utf-8")
    text = "\n".join(telling.text(document, dated=False))
    (folder / "comparison.txt").write_text(f"{text}\n", encoding="utf-8")
    counts = ", ".join(f"{count} {name}" for name, count in document["counts"].items())
    print(f"{folder.name}: {counts}; {len(document['groups'])} differences")
    return told.returncode in (0, 1)


def judge(emulator: Emulator, modules: Path, node: str) -> bool:
    """Judge one emulator, and return whether the run ended with the expected exit status."""
    folder = folder_of(emulator, modules)
    with served(emulator, modules, node) as url:
        run = done(emulator, "run", "--report-dir", str(folder), "--target", url)
    (folder / "exchanges.har").unlink()
    subprocess.run(conformance("report", str(folder)), stdout=subprocess.DEVNULL, check=True)
    print(f"{folder.name}: exit {run.returncode}: {run.stdout.strip().splitlines()[-1]}")
    return run.returncode == emulator.expected


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
    parser.add_argument(
        "--comparisons", action="store_true", help="only compare each with the reference emulator"
    )
    options = parser.parse_args()
    modules = options.npm / "node_modules"
    judged = list(emulators(options.vendor_openapi))
    compared = [compare(each, modules, options.node) for each in judged]
    if options.comparisons:
        return 0 if all(compared) else 1
    right = [judge(each, modules, options.node) for each in judged]
    columns = [f"{folder.name}={folder}" for each in judged for folder in [folder_of(each, modules)]]
    subprocess.run(conformance("matrix", *columns, "-o", str(HERE / "matrix.html")), check=True)
    return 0 if all((*right, *compared)) else 1


if __name__ == "__main__":
    sys.exit(main())

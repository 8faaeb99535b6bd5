r"""
Rebuilds the published results: judges each emulator on loopback, compares it with the reference, makes the matrix.

    cp benchmarks/gallery/package.json /some/where && npm install --prefix /some/where
    python -m venv /some/where/venv && /some/where/venv/bin/pip install -r benchmarks/gallery/requirements.txt
    python benchmarks/rebuild_reports.py --npm /some/where --python /some/where/venv/bin/python \
        --vendor-openapi twilio_conversations_v1.json

This needs Node 22.15 or later, because `emulate` does, and Java for WireMock and openapi-generator. The document of the
vendor is in github.com/twilio/twilio-oai, spec/json. Emulators for which something is missing are left out.
`benchmarks/gallery` has what some of them are told, such as handlers and stubs. After the installation nothing leaves
the machine.
"""

import argparse
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase
from pathlib import Path

from conformance.commands.refused import NO_VERDICT, NOT_RESTORED
from conformance.fidelity import report

HERE = Path(__file__).parents[1] / "reports"
OURS = HERE.parent / "schemas" / "openapi.json"
GALLERY = Path(__file__).with_name("gallery")
LEFT_OUT = ("exchanges.har", "ctrf.json", "junit.xml")
"""Reports that are not published: they take megabytes, and `conformance report` makes the last two again."""

PATIENCE = 60.0
"""Seconds within which an emulator must listen."""


@dataclass(frozen=True, slots=True)
class Emulator:
    """
    An emulator.

    Args:
        package: The package of npm, or of Python's index, that it is of.
        folder: The name of the folder of its results; `{version}` stands for the version.
        command: Its command. `{port}` stands for the port, `{other}` for another free one, `{modules}` and `{gallery}`
            for the folders of npm's packages and of what it is told, `{ours}` and `{vendors}` for OpenAPI documents.
        prefix: The path of its resource.
        expected: The exit status of a run: 4 where it ends, or keeps what it should refuse, and so is not put back.
        credentials: Variables with credentials that it knows; empty for throw-away ones.
    """

    package: str
    folder: str
    command: Sequence[str]
    prefix: str = ""
    expected: int = 1
    credentials: dict[str, str] = field(default_factory=dict)


_PRISM = ("{node}", "{modules}/@stoplight/prism-cli/dist/index.js", "mock", "-h", "127.0.0.1", "-p", "{port}")

EMULATORS = (
    Emulator("@stoplight/prism-cli", "prism-{version}-own-openapi", (*_PRISM, "{ours}"), expected=4),
    Emulator("@stoplight/prism-cli", "prism-{version}-vendor-openapi", (*_PRISM, "{vendors}"), expected=4),
    Emulator("@stoplight/prism-cli", "prism-{version}-dynamic", (*_PRISM, "-d", "{vendors}"), expected=4),
    Emulator(
        "emulate",
        "emulate-{version}-twilio",
        ("{node}", "{modules}/emulate/dist/index.js", "--service", "twilio", "--port", "{port}"),
        prefix="/conversations",
        # These are in its README, and open nothing.
        credentials={
            "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
            "TWILIO_AUTH_TOKEN": "twilio_test_auth_token",
        },
    ),
    Emulator(
        "@mockoon/cli",
        "mockoon-{version}",
        (
            *("{node}", "{modules}/@mockoon/cli/bin/run.js", "start", "--disable-log-to-file"),
            *("--data", "{vendors}", "--port", "{port}"),
        ),
    ),
    Emulator(
        "@scalar/mock-server", "scalar-{version}", ("{node}", "{gallery}/scalar.mjs", "{vendors}", "{port}")
    ),
    Emulator(
        "openapi-backend",
        "openapi-backend-{version}",
        ("{node}", "{gallery}/openapi-backend.mjs", "{vendors}", "{port}"),
    ),
    Emulator(
        "express-openapi-validator",
        "express-openapi-validator-{version}",
        ("{node}", "{gallery}/express-openapi-validator.mjs", "{vendors}", "{port}"),
    ),
    Emulator("msw", "msw-{version}", ("{node}", "{gallery}/msw.mjs", "{vendors}", "{port}")),
    Emulator(
        "connexion", "connexion-{version}", ("{python}", "{gallery}/connexion_mock.py", "{vendors}", "{port}")
    ),
    Emulator(
        "openapi-generator-cli",
        "openapi-generator-{version}-fastapi",
        ("{python}", "{gallery}/generated_fastapi.py", "{java}", "{vendors}", "{port}"),
    ),
    Emulator(
        "json-server",
        "json-server-{version}",
        (
            *("{node}", "{modules}/json-server/lib/cli/bin.js", "{gallery}/json-server.json"),
            *("--routes", "{gallery}/json-server-routes.json", "--host", "127.0.0.1", "--port", "{port}"),
        ),
        expected=4,
    ),
    Emulator(
        "mountebank",
        "mountebank-{version}",
        (
            *(
                "{node}",
                "{modules}/mountebank/bin/mb",
                "--configfile",
                "{gallery}/mountebank.json",
                "--nologfile",
            ),
            *("--host", "127.0.0.1", "--port", "{other}", "--pidfile", "{gallery}/mountebank.pid"),
        ),
    ),
    Emulator(
        "wiremock",
        "wiremock-{version}",
        (
            *("{java}", "-jar", "{modules}/wiremock/build/wiremock-standalone-{version}.jar"),
            *("--bind-address", "127.0.0.1", "--port", "{port}", "--root-dir", "{gallery}/wiremock"),
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Tools:
    """What starts the emulators, by the names in their commands; None where it is not there."""

    node: str | None
    python: str | None
    java: str | None
    modules: Path
    ours: str
    vendors: str | None

    def has(self, emulator: Emulator) -> bool:
        """Whether all that an emulator's command names is there."""
        return not any(f"{{{name}}}" in emulator.command and getattr(self, name) is None for name in _NAMES)

    def version(self, emulator: Emulator) -> str:
        """Return the version of an emulator's package."""
        package = self.modules / emulator.package / "package.json"
        if package.exists():
            return str(json.loads(package.read_text(encoding="utf-8"))["version"])
        asked = f"import importlib.metadata as m; print(m.version({emulator.package!r}))"
        done = subprocess.run([str(self.python), "-c", asked], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def folder(self, emulator: Emulator) -> Path:
        """Return the folder for the results of an emulator, whose name has its version."""
        return HERE / emulator.folder.format(version=self.version(emulator))

    @contextlib.contextmanager
    def served(self, emulator: Emulator) -> Iterator[str]:
        """Start one emulator, and return its base URL."""
        port, other = free_port(), free_port()
        # Among the packages: there node finds what a script imports.
        with tempfile.TemporaryDirectory(dir=self.modules) as directory:
            gallery = shutil.copytree(GALLERY, Path(directory, "gallery"))
            (told := gallery / "mountebank.json").write_text(
                told.read_text(encoding="utf-8").replace('"{port}"', str(port)), encoding="utf-8"
            )
            names = {name: getattr(self, name) for name in _NAMES}
            names |= {"version": self.version(emulator), "gallery": str(gallery)}
            command = [each.format(port=port, other=other, **names) for each in emulator.command]
            with listening(command, port):
                yield f"http://127.0.0.1:{port}{emulator.prefix}"


_NAMES = tuple(each.name for each in fields(Tools))


def free_port() -> int:
    """Return a port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def listening(command: Sequence[str], port: int) -> Iterator[None]:
    """Start a server, wait until it listens, run the `with` block, and end the server."""
    # Otherwise Express answers with a stack trace, which has paths of this machine.
    environment = {**os.environ, "NODE_ENV": "production"}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
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


def conformance(*arguments: str) -> list[str]:
    """Return the command line of the suite's own command."""
    return [sys.executable, "-m", "conformance.cli", *arguments]


def done(emulator: Emulator, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the suite's own command with the emulator's credentials, and with no settings that another run has left."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("TWILIO_", "CONFORMANCE_"))
    }
    with tempfile.TemporaryDirectory() as state:
        return subprocess.run(
            conformance(*arguments),
            env={**environment, **emulator.credentials, "CONFORMANCE_STATE_DIR": state},
            capture_output=True,
            text=True,
            check=False,
        )


def compare(emulator: Emulator, tools: Tools) -> bool:
    """Compare one emulator with the reference emulator, and return whether there was a verdict."""
    folder = tools.folder(emulator)
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as directory:
        recording = Path(directory, "reference.jsonl")
        subprocess.run(conformance("record", "--out", str(recording)), stdout=subprocess.DEVNULL, check=True)
        with tools.served(emulator) as url:
            told = done(emulator, "compare", str(recording), url, "--json")
    if not told.stdout:  # it does not have the resource, shows values at random, or has ended
        lines = told.stderr.splitlines()
        reason = next((line for line in lines if "no verdict: " in line), lines[-1])
        reason = reason.replace(url, emulator.package)
        (folder / "comparison.json").unlink(missing_ok=True)
        (folder / "comparison.txt").write_text(f"{reason}\n", encoding="utf-8")
        print(f"{folder.name}: {reason}")
        return told.returncode in (NO_VERDICT, NOT_RESTORED)
    document = json.loads(told.stdout)
    (folder / "comparison.json").write_text(told.stdout, encoding="utf-8")
    text = "\n".join(report.text(document, dated=False))
    (folder / "comparison.txt").write_text(f"{text}\n", encoding="utf-8")
    counts = ", ".join(f"{count} {name}" for name, count in document["counts"].items())
    print(f"{folder.name}: {counts}; {len(document['groups'])} differences")
    return told.returncode in (0, 1, NOT_RESTORED)


def judge(emulator: Emulator, tools: Tools, profile: str) -> bool:
    """Judge one emulator, and return whether the run ended with the expected exit status."""
    folder = tools.folder(emulator)
    folder.mkdir(exist_ok=True)
    with tools.served(emulator) as url:
        run = done(emulator, "run", "--profile", profile, "--report-dir", str(folder), "--target", url)
    subprocess.run(conformance("report", str(folder)), stdout=subprocess.DEVNULL, check=True)
    for name in LEFT_OUT:
        (folder / name).unlink(missing_ok=True)
    print(f"{folder.name}: exit {run.returncode}: {run.stdout.strip().splitlines()[-1]}")
    return run.returncode == emulator.expected


def make_matrix(folders: Sequence[Path]) -> None:
    """Make the page with all emulators side by side, the reference emulator first."""
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run(conformance("run", "--report-dir", directory), stdout=subprocess.DEVNULL, check=True)
        Path(
            directory, "report.html"
        ).unlink()  # whoever wants it types `conformance run`: no link leads to it
        columns = [
            f"reference emulator={directory}",
            *(f"{folder.name}={folder}" for folder in folders),
        ]
        subprocess.run(conformance("matrix", *columns, "-o", str(HERE / "matrix.html")), check=True)


def main() -> int:
    """Judge all emulators, make the matrix, and return the exit status: 1 where a run did not end as expected."""
    parser = argparse.ArgumentParser(description="Rebuild the published results.")
    parser.add_argument(
        "--npm", type=Path, required=True, help="where npm installed the packages (its --prefix)"
    )
    parser.add_argument("--python", help="the Python that has connexion")
    parser.add_argument("--vendor-openapi", help="the vendor's OpenAPI document of Conversations v1")
    parser.add_argument("--node", default="node", help="the node to run them with (default: node)")
    parser.add_argument("--only", default="*", help="judge those alone whose folder's name matches a glob")
    parser.add_argument("--profile", default="standard", help="the profile of the runs (default: standard)")
    parser.add_argument(
        "--comparisons", action="store_true", help="only compare each with the reference emulator"
    )
    parser.add_argument("--no-comparisons", action="store_true", help="only judge each")
    options = parser.parse_args()
    tools = Tools(
        node=options.node,
        python=options.python,
        java=shutil.which("java"),
        modules=(options.npm / "node_modules").resolve(),
        ours=str(OURS),
        vendors=options.vendor_openapi,
    )
    judged = [each for each in EMULATORS if tools.has(each) and fnmatchcase(each.folder, options.only)]
    compared = [] if options.no_comparisons else [compare(each, tools) for each in judged]
    if options.comparisons:
        return 0 if all(compared) else 1
    right = [judge(each, tools, options.profile) for each in judged]
    folders = [folder for each in EMULATORS if tools.has(each) and (folder := tools.folder(each)).is_dir()]
    make_matrix(folders)
    return 0 if all((*right, *compared)) else 1


if __name__ == "__main__":
    sys.exit(main())

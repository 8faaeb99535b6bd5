"""The command in a process of its own, as a user runs it."""

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from forks import fork, run_main

from conformance.transport.credentials import THROWAWAY

SECRET = "s3cret-t0ken-of-the-user"  # of nobody
SID = THROWAWAY[0].sid or ""
GOOD = {"TWILIO_ACCOUNT_SID": SID, "TWILIO_AUTH_TOKEN": SECRET}
REPORTS = {"result.json", "report.html", "junit.xml", "summary.md", "exchanges.har", "badge.json"}


def clean_environment(**added: str) -> dict[str, str]:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("TWILIO_", "CONFORMANCE_"))
    }
    return {**kept, "NO_COLOR": "1", **added}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "conformance.cli", *arguments]


def conformance(where: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a directory of its own."""
    with tempfile.TemporaryDirectory() as directory:
        output, errors = Path(directory, "output"), Path(directory, "errors")
        status = fork(
            run_main,
            *arguments,
            where=where,
            environment=clean_environment(**environment),
            output=output,
            errors=errors,
            timeout=120,
        )
        texts = [path.read_text(encoding="utf-8") for path in (output, errors)]
    done = subprocess.CompletedProcess(arguments, status, *texts)
    assert "Traceback" not in done.stdout + done.stderr
    assert SECRET not in done.stdout + done.stderr
    return done


def refused(done: subprocess.CompletedProcess[str]) -> str:
    """The one line with which the command refused to begin."""
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    return done.stderr.strip()


def result(where: Path) -> dict[str, object]:
    document = json.loads((where / "conformance-report" / "result.json").read_text())
    assert isinstance(document, dict)
    return document


@contextmanager
def free_port() -> Iterator[int]:
    """A port that nothing listens on, kept for as long."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]

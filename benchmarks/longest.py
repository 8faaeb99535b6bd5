"""
Measures how long runs take against hostile targets, with the settings that a user has who sets none but the time.

    python benchmarks/longest.py [--every 1] [--jobs 8] [--max-time 600]

Each play of `tests/hostile.py`, and each way of asking to wait for ever, is met twice by a standard run: from the first
request on, and from request 300 on, after a right emulator. Several runs go on at once, since they mostly wait. Prints
the seconds of each run. The exit status is 1 where one takes longer than the time that a run and putting settings back
may take, or shows a traceback.
"""

import argparse
import itertools
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from hostile import PLAYS as HOSTILE
from hostile import Connection, Hostile, Play, bomb

from conformance.transport.credentials import THROWAWAY
from conformance.transport.embedded import Embedded
from conformance.transport.settings import TIME_TO_PUT_BACK

SINCE = 300
"""The request from which on a target is hostile that was right before."""

MORE = TIME_TO_PUT_BACK + 15
"""Seconds more than `--max-time`: for putting settings back, for start and reports, and for a busy machine."""


def _asks_to_wait(status: str, *headers: str) -> Play:
    """Answer every request alike."""
    said = "\r\n".join((f"HTTP/1.1 {status}", *headers, "Content-Length: 0", "", "")).encode()

    def play(connection: Connection) -> None:
        for _ in connection.requests():
            connection.send(said)

    return play


ASKING = {
    f"{status}, {header or 'no Retry-After'}": _asks_to_wait(status, *filter(None, (header,)))
    for status in ("429 Too Many Requests", "503 Service Unavailable")
    for header in (
        "",
        "Retry-After: soon",
        "Retry-After: 1",
        "Retry-After: 99999999999999",
        "Retry-After: Wed, 21 Oct 2015 07:28:00 GMT",
    )
}
PLAYS = {**HOSTILE, **ASKING}


def after(url: str, name: str) -> Play:
    """Return a play that has an emulator answer the first requests."""
    parts, numbers = urlsplit(url), itertools.count(1)

    def play(connection: Connection) -> None:
        with socket.create_connection((parts.hostname or "", parts.port or 80)) as upstream:
            emulator = Connection(upstream, connection.server)
            for request in connection.requests():
                if next(numbers) >= SINCE:
                    connection.unread(request)
                    break
                upstream.sendall(request)
                connection.send(emulator.message(with_body=not request.startswith(b"HEAD ")))
            else:
                return
        PLAYS[name](connection)

    return play


def measured(name: str, max_time: float, *, later: bool) -> tuple[float, str]:
    """Run once; return the seconds, and a line about the run."""
    with (
        tempfile.TemporaryDirectory() as directory,
        Embedded(THROWAWAY) as emulator,
        Hostile(after(emulator.url(), name) if later else PLAYS[name]) as server,
    ):
        began = time.monotonic()
        command = [sys.executable, "-m", "conformance", "run", "--target", server.url]
        command += ["--max-time", str(max_time)]
        done = subprocess.run(
            [*command, "--report-dir", directory, "--state-dir", f"{directory}/state"],
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = time.monotonic() - began
    when = f"from {SINCE} on" if later else "from the first on"
    line = (
        f"{seconds:6.1f} s  {name}, {when}: exit status {done.returncode}, {len(server.received):,} requests"
    )
    if "Traceback" in done.stdout + done.stderr:
        line += ", a traceback"
    print(line, flush=True)
    return seconds, line


def main() -> int:
    """Measure, and print the longest runs."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--every", type=int, default=1, help="one play of so many")
    parser.add_argument("--jobs", type=int, default=8)
    parser.add_argument("--max-time", type=float, default=600)
    options = parser.parse_args()
    bomb()  # packed before a run waits for it
    names = sorted(PLAYS)[:: options.every]
    with ThreadPoolExecutor(options.jobs) as threads:
        work = [(name, later) for name in names for later in (False, True)]
        ran = threads.map(lambda each: measured(each[0], options.max_time, later=each[1]), work)
        found = sorted(ran, reverse=True)
    print(f"\nthe longest of {len(found)}:", *(line for _, line in found[:5]), sep="\n")
    return (
        1 if any(seconds > options.max_time + MORE or "traceback" in line for seconds, line in found) else 0
    )


if __name__ == "__main__":
    sys.exit(main())

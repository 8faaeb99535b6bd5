"""
Sends signals to runs and restores in every phase, and checks that each ends with 130 and loses no setting.

    python benchmarks/signals.py [--signals 60] [--seed 0]

The phases: start-up, the requests of a run to the last one that puts settings back, the reports, the start-up of
`conformance restore`, and its requests. Start-up begins where the command heeds signals, some 30 ms after Python was
started: before that, nothing of ours runs. Each has SIGINT, SIGTERM and SIGHUP by turns, at a moment that is drawn. The
exit status is 1 where a command ends with another status than 130 (or, where it had done its work, 0), prints a
traceback, or where the settings of before are not in force after it and a `conformance restore`.
"""

import argparse
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from between import Ask, between

from conformance.commands.signals import ENDED
from conformance.http import READ, update
from conformance.model import FIELDS, shown_by
from conformance.safety.journal import entries
from conformance.transport.credentials import THROWAWAY
from conformance.transport.embedded import Embedded
from conformance.transport.target import Target, TargetSettings

PHASES = ("start-up", "requests", "reports", "start-up of restore", "requests of restore")
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
BEFORE = {
    each.attribute: f"{each.prefix}{'7' * 32}" if each.prefix else f"P{12 + number}D"
    for number, each in enumerate(FIELDS)
}


class Bench:
    """Commands on an emulator, and a server before it that sends a signal with a request."""

    def __init__(self, url: str, directory: Path, seed: int) -> None:
        self.url = ""
        """The base URL of the server before the emulator."""
        self._directory = directory
        self._state = directory / "state"
        self._random = random.Random(seed)
        self._target = Target(TargetSettings(url=url))
        self._process: subprocess.Popen[str] | None = None
        self._count, self._at, self._number, self._pause = 0, 0, 0, 0.0
        self._began = self._first = 0.0
        self._is_late = False
        self._sizes: dict[str, int] = {}
        self._starts: dict[str, float] = {}

    def answer(self, number: int, request: bytes, ask: Ask) -> bytes:
        """Answer as the emulator does; send the signal where this is its request."""
        self._count += 1
        if self._count == 1:
            self._first = time.monotonic() - self._began
        if self._count == self._at and self._process is not None:
            threading.Timer(self._pause, self._process.send_signal, (self._number,)).start()
        return ask()

    def end(self, name: str, number: int = 0, *, at: int = 0, pause: float = 0.0) -> tuple[int, str]:
        """
        Start a command and send it a signal; return its exit status and its output.

        Args:
            name: The name of the command.
            number: The signal; 0 for none.
            at: The request that the signal comes with; 0 where it comes with the start.
            pause: Seconds from the request or the start to the signal.
        """
        self._count, self._at, self._number, self._pause, self._is_late = 0, at, number, pause, False
        command = [sys.executable, "-m", "conformance", name, "--state-dir", str(self._state)]
        command += ["--target", self.url]
        if name == "run":
            command += ["--profile", "quick", "--report-dir", str(self._directory / "report")]
        self._began = time.monotonic()
        self._process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=heed_sigint,  # noqa: PLW1509  # no thread of ours holds a lock by then
        )
        if number and not at:
            while not heeds(self._process):
                time.sleep(0.001)  # no event tells when the process heeds signals; a pause leaves it its core
            time.sleep(pause)  # the moment of the signal is what varies
            self._is_late = self._count >= self._sizes.get(name, 0)  # it has done its work
            self._process.send_signal(number)
        output, _ = self._process.communicate(timeout=600)
        return self._process.returncode, output

    def measure(self) -> None:
        """Learn how long the commands take to start, and how many requests they send."""
        self.put(BEFORE)
        self.end("run", signal.SIGKILL, at=150)
        for name in ("restore", "run"):
            code, output = self.end(name)
            assert code == 0, output
            self._sizes[name], self._starts[name] = self._count, self._first
        print(f"requests {self._sizes}; seconds to the first one {self._starts}", flush=True)

    def wrong(self, phase: str, number: int) -> list[str]:
        """Send a signal in a phase; return what is wrong about what came of it."""
        self.put(BEFORE)
        name = "restore" if "restore" in phase else "run"
        if name == "restore":
            self.end("run", signal.SIGKILL, at=self._random.randrange(60, 200))
        size, start = self._sizes[name], self._starts[name]
        if "start-up" in phase:
            code, output = self.end(name, number, pause=self._random.uniform(0, start))
        elif phase == "reports":
            code, output = self.end(name, number, at=size, pause=self._random.uniform(0, start / 2))
        else:
            code, output = self.end(name, number, at=self._random.randrange(1, size))
        found = (
            []
            if code == ENDED or (code == 0 and (phase == "reports" or self._is_late))
            else [f"exit status {code}: {output[-300:]}"]
        )
        found += [word for word in ("Traceback", "Aborted") if word in output]
        if name == "run" and not self.is_as_before():
            found.append("the run did not put the settings back")
        again, output = self.end("restore")
        if again or not self.is_as_before() or entries(self._state):
            found.append(f"restore ended with {again}: {output[-300:]}")
        return found

    def put(self, settings: Mapping[str, str]) -> None:
        """Set the settings of all accounts."""
        for account in range(len(THROWAWAY)):
            pairs = ((each.parameter, settings[each.attribute]) for each in FIELDS)
            assert self._target.send(update(*pairs, account=account)).status == 200

    def is_as_before(self) -> bool:
        """Whether all accounts have the settings of before."""
        accounts = range(len(THROWAWAY))
        return all(shown_by(self._target.send(replace(READ, account=each))) == BEFORE for each in accounts)


def heeds(process: "subprocess.Popen[str]") -> bool:
    """Whether a process catches SIGTERM, or has ended; where there is no /proc, nobody knows, and it counts as true."""
    try:
        status = Path(f"/proc/{process.pid}/status").read_text()
    except OSError:
        return True
    caught = re.search(r"^SigCgt:\s*([0-9a-f]+)", status, re.MULTILINE)
    return (
        caught is None or bool(int(caught[1], 16) >> (signal.SIGTERM - 1) & 1) or process.poll() is not None
    )


def heed_sigint() -> None:
    """Undo what a shell does to what it runs in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def main() -> int:
    """Send the signals, and print what is wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--signals", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    bad = 0
    with tempfile.TemporaryDirectory() as name, Embedded(THROWAWAY) as emulator:
        bench = Bench(emulator.url(), Path(name), options.seed)
        with between(emulator.url(), bench.answer) as server:
            bench.url = server.url
            bench.measure()
            for index in range(options.signals):
                phase, number = PHASES[index % len(PHASES)], SIGNALS[index // len(PHASES) % len(SIGNALS)]
                found = bench.wrong(phase, number)
                bad += bool(found)
                print(f"{number.name} in {phase}: {'; '.join(found) or 'right'}", flush=True)
    print(f"{options.signals} signals: {bad} wrong")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

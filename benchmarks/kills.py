"""
Kills runs at random moments, and checks that `conformance restore` puts all settings back.

    python benchmarks/kills.py [--kills 500] [--seed 0]

The emulator keeps its settings in a file, and runs as a process of its own. Each round sets random settings in two of
its accounts, starts a quick run, and sends it SIGKILL at a random moment before it has put everything back. Meanwhile a
second run is begun and killed. Every run and every restore goes to a name of the emulator that is drawn, `127.0.0.1` or
`localhost`. In every fifth round a `conformance restore` is killed too. Then `conformance restore` must leave exactly
the settings of before, and no journal. Runs that end before they are killed are not counted. The exit status is 1 where
an account has other settings than before, or a command ends with an exception.
"""

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from conformance.cli import main as command
from conformance.http import READ, update
from conformance.model import FIELDS, TIMERS, shown_by
from conformance.safety.journal import entries
from conformance.transport.credentials import THROWAWAY
from conformance.transport.embedded import Embedded
from conformance.transport.target import Target, TargetSettings

Settings = Mapping[str, str]

_BROKEN = 70
"""The exit status of a command that has ended with an exception."""


class Bench:
    """Runs against an emulator that keeps its settings in a file, under two names, and kills them."""

    def __init__(self, url: str, directory: Path, seed: int) -> None:
        self._names = url, url.replace("127.0.0.1", "localhost")
        self._random = random.Random(seed)
        self._directory = directory
        self._state = directory / "state"
        self._target = Target(TargetSettings(url=url))
        self._duration = 0.0
        self.seen = Counter[str]()

    def measure(self) -> float:
        """Let one run end by itself, and return the seconds until it has put everything back."""
        for account in range(len(THROWAWAY)):
            self._set(account, self._drawn())
        began = time.perf_counter()
        process = self._start("run")
        for kept in (True, False):
            while (self._state.exists() and bool(entries(self._state))) is not kept:
                assert time.perf_counter() - began < 60, "the run keeps no journal, or does not remove it"
                time.sleep(0.001)  # no event tells of a journal; a pause leaves the run its core
        self._duration = time.perf_counter() - began
        code = self._wait(process)
        assert code == 0, f"the run ended with {code}"
        return self._duration

    def kill(self, *, restore_too: bool) -> bool | None:
        """Kill a run; return whether all settings could be put back, or None where the run ended before the kill."""
        before = [self._drawn() for _ in THROWAWAY]
        for account, settings in enumerate(before):
            self._set(account, settings)
        moments = sorted(self._random.uniform(0, self._duration) for _ in range(2))
        runs = []
        for pause in (moments[0], moments[1] - moments[0]):
            runs.append(self._start("run"))
            time.sleep(pause)  # the moment of the kill is what varies
        for process in runs:
            os.kill(process, signal.SIGKILL)
        codes = [self._wait(process) for process in runs]
        self.seen[f"the second run: {codes[1] if codes[1] >= 0 else 'killed'}"] += 1
        if not {-signal.SIGKILL, _BROKEN} & set(codes):
            self._duration *= 0.9
            return None
        self._duration *= 1.02  # a run takes longer on a busy machine
        journals = len(entries(self._state)) if self._state.exists() else 0
        changed = [self._shown(account) for account in range(len(before))] != before
        self.seen[f"when killed: {journals} journals, {'changed' if changed else 'unchanged'}"] += 1
        if restore_too:
            process = self._start("restore")
            time.sleep(self._random.uniform(0, 0.1))  # the kill of the restore comes at a random moment, too
            os.kill(process, signal.SIGKILL)
            self._wait(process)
        code = self._wait(self._start("restore"))
        after = [self._shown(account) for account in range(len(before))]
        good = code == 0 and after == before and not entries(self._state) and _BROKEN not in codes
        if not good:
            print(f"exit status {code}; before {before}; after {after}", file=sys.stderr)
            shutil.rmtree(self._state)
        return good

    def close(self) -> None:
        """Close the connections."""
        self._target.close()

    def _drawn(self) -> Settings:
        timer = self._random.randrange(601, 2_000_000)
        return {
            each.attribute: f"PT{timer}S"
            if each in TIMERS
            else f"{each.prefix}{self._random.getrandbits(128):032x}"
            for each in FIELDS
        }

    def _set(self, account: int, settings: Settings) -> None:
        pairs = ((each.parameter, settings[each.attribute]) for each in FIELDS)
        assert self._target.send(update(*pairs, account=account)).status == 200

    def _shown(self, account: int) -> Settings:
        exchange = self._target.send(replace(READ, account=account))
        shown = shown_by(exchange)
        assert shown is not None
        return {name: value or "" for name, value in shown.items()}

    def _start(self, name: str) -> int:
        """Start a command as a process of its own."""
        target = self._random.choice(self._names)
        process = os.fork()
        if process:
            return process
        silence, told = os.open(os.devnull, os.O_WRONLY), os.dup(2)
        os.dup2(silence, 1)
        arguments = [name, "--target", target, "--state-dir", str(self._state)]
        if name == "run":
            os.dup2(silence, 2)  # the second of two is told of the first
            arguments += ["--profile", "quick", "--report-dir", str(self._directory / "report")]
        code = _BROKEN
        try:
            command(arguments)
        except SystemExit as ended:
            code = int(ended.code or 0)
        except BaseException:  # noqa: BLE001  # whatever it is, it is told and counted
            os.write(told, traceback.format_exc().encode())
        finally:
            os._exit(code)  # the parent closes the files that it has opened
        raise AssertionError

    @staticmethod
    def _wait(process: int) -> int:
        return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def main() -> None:
    """Kill runs, put the settings back, and print how often that succeeded."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    good = bad = ended = 0
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        with Embedded(THROWAWAY, database=directory / "settings.sqlite") as emulator:
            bench = Bench(emulator.url(), directory, arguments.seed)
            print(f"a run takes {bench.measure():.2f} s until everything is put back")
            while good + bad < arguments.kills:
                whole = bench.kill(restore_too=(good + bad) % 5 == 0)
                good, bad, ended = good + (whole is True), bad + (whole is False), ended + (whole is None)
                if whole is not None and (good + bad) % 50 == 0:
                    print(f"{good} of {good + bad}", flush=True)
            bench.close()
    for what, count in sorted(bench.seen.items()):
        print(f"{what}: {count}")
    print(f"runs that ended before the kill, not counted: {ended}")
    print(f"rounds with all settings as before: {good} of {arguments.kills}")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()

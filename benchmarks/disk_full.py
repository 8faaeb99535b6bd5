"""
Runs against a disk of every size from 4 KiB on, and checks that a full one costs reports and never the verdict.

    python benchmarks/disk_full.py [--from 4] [--to 4096]

The sizes, in KiB, double. As root on Linux, the reports go to a file system of that size; elsewhere no file may grow
beyond it. A right emulator and one with a fault are judged. The exit status of each run must be that of an empty disk,
without a traceback, and whatever is not written must be named in one line. The exit status is 1 where that is not so.
"""

import argparse
import contextlib
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from conformance.reporting import RENDERERS, TIMER_PICTURE
from conformance.transport.credentials import THROWAWAY
from conformance.transport.embedded import Embedded

_FAULT = "closed-timer-minimum-one-second-less"


@contextlib.contextmanager
def disk(kibibytes: int) -> Iterator[tuple[Path, bool]]:
    """Make a directory on a disk of a size; yield it, and whether the size is the disk's and not each file's."""
    with tempfile.TemporaryDirectory() as name:
        mounted = (
            os.name == "posix"
            and not subprocess.run(
                ["mount", "-t", "tmpfs", "-o", f"size={kibibytes}k", "tmpfs", name], check=False
            ).returncode
        )
        try:
            yield Path(name), mounted
        finally:
            if mounted:
                subprocess.run(["umount", name], check=True)


def wrong(url: str, kibibytes: int, expected: int) -> list[str]:
    """Judge a target with its reports on a disk of a size; return what is wrong about the run."""
    with disk(kibibytes) as (directory, mounted):
        limit = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (kibibytes << 10, kibibytes << 10))
        command = [sys.executable, "-m", "conformance", "run", "--target", url, "--profile", "quick"]
        done = subprocess.run(
            [*command, "--report-dir", str(directory / "report")],
            capture_output=True,
            text=True,
            check=False,
            preexec_fn=None if mounted else limit,
        )
        there = {path.name for path in (directory / "report").glob("[!.]*")}
        scraps = list((directory / "report").glob(".*"))
    missing = {*RENDERERS, TIMER_PICTURE} - there
    said = [line for line in done.stderr.splitlines() if "cannot write reports" in line]
    found = []
    if done.returncode != expected:
        found.append(f"exit status {done.returncode} in place of {expected}")
    if "Traceback" in done.stdout + done.stderr:
        found.append("a traceback")
    if len(said) != bool(missing) or not all(name in said[0] for name in missing):
        found.append(f"{len(missing)} missing, told in {len(said)} lines")
    if scraps:
        found.append(f"{len(scraps)} scraps")
    kind = "disk" if mounted else "file"
    print(
        f"{kibibytes:6} KiB a {kind}: exit status {done.returncode}, {len(there)} reports", *found, sep="; "
    )
    return found


def main() -> int:
    """Judge both targets at every size."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--from", type=int, default=4, dest="least")
    parser.add_argument("--to", type=int, default=4096)
    options = parser.parse_args()
    bad = []
    with Embedded(THROWAWAY) as right, Embedded(THROWAWAY, faults=[_FAULT]) as faulty:
        size = options.least
        while size <= options.to:
            bad += wrong(right.url(), size, 0) + wrong(faulty.url(), size, 1)
            size *= 2
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

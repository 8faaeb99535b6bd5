"""
Compares the cost of a run with that of a bare httpx loop, which re-sends the same requests to the same server.

    python benchmarks/run.py [--rounds 5]

Prints the wall time of a standard run as a multiple of the loop's (paired, median), the time from the command to
the first request as a multiple of importing hypothesis and httpx, and the peak memory of runs of 3,000 and 30,000
requests.
"""

import argparse
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

from conformance.harness.executor import Plan, run
from conformance.http import Exchange, Request
from conformance.rules import CATALOGUE
from conformance.transport.credentials import THROWAWAY, authorization
from conformance.transport.embedded import Embedded
from conformance.transport.target import Target, TargetSettings


class Recording(Target):
    """A target that keeps the requests it sends."""

    def __init__(self, settings: TargetSettings) -> None:
        super().__init__(settings)
        self.sent: list[Request] = []

    def send(self, request: Request, *, known_good: bool = False, reserve: bool = False) -> Exchange:
        """Keep the request, then send it."""
        self.sent.append(request)
        return super().send(request, known_good=known_good, reserve=reserve)


def judge(requests: int, profile: str) -> tuple[float, list[Request]]:
    """Run the suite against a new emulator; return the seconds that took, and the requests."""
    with Embedded(THROWAWAY) as emulator:
        url = emulator.url()
        began = time.perf_counter()
        with Recording(TargetSettings(url=url, max_requests=requests)) as target:
            report = run(CATALOGUE, target, Plan(profile=profile))
            seconds = time.perf_counter() - began
            assert report.exit_code == 0, report.verdict
            return seconds, target.sent


def replay(sent: list[Request]) -> float:
    """Send the same requests to a new emulator by a bare client; return the seconds that took."""
    with Embedded(THROWAWAY) as emulator, httpx.Client(trust_env=False, timeout=10) as client:
        url = emulator.url() + "/v1/Configuration"
        prepared = []
        for request in sent:
            headers = dict(request.headers)
            account, other = THROWAWAY[request.account], THROWAWAY[1 - request.account]
            if (sent_as := authorization(request.auth, account, other)) is not None:
                headers["Authorization"] = sent_as[0]
            if request.content_type is not None:
                headers["Content-Type"] = request.content_type
            full = f"{url}?{request.query}" if request.query else url
            prepared.append((request.method, full, headers, request.body))
        began = time.perf_counter()
        for method, full, headers, body in prepared:
            client.request(method, full, headers=headers, content=body)
        return time.perf_counter() - began


def start() -> float:
    """Return the time from the command to the first request, as a multiple of importing hypothesis and httpx."""
    ratios = []
    for _ in range(5):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", "import hypothesis, httpx"], check=True)
        importing = time.perf_counter() - began
        with socket.create_server(("127.0.0.1", 0)) as listener, tempfile.TemporaryDirectory() as directory:
            target = f"http://127.0.0.1:{listener.getsockname()[1]}"
            command = [sys.executable, "-m", "conformance.cli", "run", "--target", target]
            began = time.perf_counter()
            process = subprocess.Popen([*command, "--report-dir", directory], stdout=subprocess.DEVNULL)
            connection, _ = listener.accept()
            connection.recv(1)
            ratios.append((time.perf_counter() - began) / importing)
            process.kill()
            process.wait()
            connection.close()
    return statistics.median(ratios)


def memory(requests: int) -> float:
    """Return the peak memory, in MiB, of a run with this number of requests."""
    code = (
        "import sys; sys.path.insert(0, 'benchmarks'); import memory, run; "
        f"run.judge({requests}, 'standard' if {requests} <= 3000 else 'thorough'); "
        "print(memory.peak())"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return float(done.stdout)


def first(profile: str) -> float:
    """Return the peak memory, in MiB, of the first run on a machine: in an empty folder, with an empty cache."""
    with tempfile.TemporaryDirectory() as folder:
        # The command writes its peak itself: what the system counts for it includes this process, before it began.
        code = (
            f"import atexit, sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import memory; "
            "atexit.register(lambda: print(memory.peak())); "
            f"from conformance.cli import main; main(['run', '--profile', '{profile}'])"
        )
        own = {**os.environ, "XDG_CACHE_HOME": f"{folder}/cache", "HOME": folder}
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=folder, env=own, check=True, capture_output=True, text=True
        )
    return float(done.stdout.splitlines()[-1])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    ratios = []
    for _ in range(rounds):
        seconds, sent = judge(3000, "standard")
        bare = replay(sent)
        ratios.append(seconds / bare)
        print(f"standard run: {len(sent):,} requests in {seconds:.2f} s; bare httpx loop {bare:.2f} s")
    print(f"standard run / bare httpx loop: {statistics.median(ratios):.2f} (goal: 1.8)")
    print(f"command to first request / importing hypothesis and httpx: {start():.2f} (goal: 3)")
    for requests in (3_000, 30_000):
        print(f"peak memory, {requests:,} requests: {memory(requests):.0f} MiB (goal: 200)")
    print(f"peak memory, first run on a machine: {first('standard'):.0f} MiB (goal: 150)")


if __name__ == "__main__":
    os.chdir(Path(__file__).parents[1])
    main()

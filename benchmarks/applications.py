"""
Measures whether a run on an application finds what a run over a socket finds, with the faults of the emulator.

    python benchmarks/applications.py [--every N]

For every fault the emulator is judged twice by the quick profile: served over HTTP, and as an application in this
process. A line names each fault of which the findings differ, and what only one of the runs has found. The faults that
are about the connection must differ.
"""

import argparse

from conformance import emulator
from conformance.harness.executor import Plan, run
from conformance.model import Probe
from conformance.rules import CATALOGUE
from conformance.settings import PROFILES
from conformance.transport.credentials import THROWAWAY
from conformance.transport.target import BASE_URL, Target, TargetSettings

_ACCOUNTS = {account.user: account.token for account in THROWAWAY}
_PROFILE = "quick"
_DRAWN: dict[str, list[Probe]] = {}


def findings(url: str, app: object | None = None) -> set[tuple[str, str, str]]:
    """Return rule, input class and outcome of every finding of a run."""
    settings = TargetSettings(url=url, timeout=3.0, max_requests=PROFILES[_PROFILE])
    with Target(settings, app=app) as target:
        report = run(CATALOGUE, target, Plan(profile=_PROFILE, drawn=_DRAWN))
    return {(each.rule, each.cls, each.outcome) for outcome in report.outcomes for each in outcome.findings}


def main() -> None:
    """Compare, and print the figures."""
    parser = argparse.ArgumentParser(description="Compare runs on applications with runs over a socket.")
    parser.add_argument("--every", type=int, default=1, help="examine every Nth fault")
    names = [*emulator.FAULTS][:: parser.parse_args().every]
    same = 0
    for name in names:
        with emulator.serving(accounts=_ACCOUNTS, faults=[name]) as url:
            over_a_socket = findings(url)
        in_process = findings(BASE_URL, emulator.create_app(accounts=_ACCOUNTS, faults=[name]))
        same += over_a_socket == in_process
        if over_a_socket != in_process:
            print(f"{name}\n  socket alone       {sorted(over_a_socket - in_process)}")
            print(f"  application alone  {sorted(in_process - over_a_socket)}")
    print(f"the same findings: {same} of {len(names)}")


if __name__ == "__main__":
    main()

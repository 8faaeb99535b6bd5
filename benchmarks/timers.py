"""
Measures the cost and the findings of `conformance timers`, and compares its models with the real parsers.

    python benchmarks/timers.py [--packages DIR] [--settings N]

Four tables: every dialect that the emulator has; the models beside the real parsers, each of which then reads the
timers of a target that is explored; an emulator with randomly drawn settings, whose boundaries are known, over HTTP;
and how long a picture takes. DIR holds the parsers that no registry of Python has:

    npm install --prefix DIR moment luxon @js-temporal/polyfill
    git clone https://github.com/sosodev/duration DIR/sosodev-duration

Parsers that are not installed are left out, with the reason. The exit status is 1 when a dialect was not named
exactly, a model differs from its parser, or a boundary from the truth.
"""

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from explore import parsers, settings
from explore.doors import InProcess, Settings, over_http

from conformance.emulator import DIALECTS
from conformance.explore import Exploration, explore, picture
from conformance.model import TIMERS
from conformance.transport.credentials import THROWAWAY
from conformance.transport.embedded import Embedded
from conformance.transport.target import Target, TargetSettings


def main() -> int:
    """Measure, print, and tell by the exit status whether everything was as it is to be."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--packages", type=Path, metavar="DIR", help="where npm and git have put the parsers")
    parser.add_argument(
        "--settings", type=int, default=40, metavar="N", help="settings to draw (default: 40)"
    )
    options = parser.parse_args()
    print(_HEAD)
    wrong = sum(not emulated(name) for name in DIALECTS)
    wrapping()
    print()
    wrong += sum(not real(each, options.packages) for each in parsers.PARSERS)
    print()
    wrong += drawn(options.settings)
    print()
    draw()
    return 1 if wrong else 0


_HEAD = f"{'reads as':30} {'exactly':8} dialect  boundaries  inexact  in all  seconds"


def emulated(name: str) -> bool:
    """Explore an emulator that reads both timers in one dialect; whether it was named exactly."""
    with Embedded(THROWAWAY, variants=[name]) as emulator:
        return _line(name, name.removeprefix("dialect-"), emulator.url())


def wrapping() -> None:
    """Explore an emulator whose seconds overflow 16 bits: the costliest one known, and of one dialect but for gaps."""
    with Embedded(THROWAWAY, faults=[f"{each.slug}-overflows-seconds" for each in TIMERS]) as emulator:
        _line("seconds overflow 16 bits", "iso8601-1", emulator.url())


def _line(label: str, name: str, target: str | InProcess) -> bool:
    began = time.perf_counter()
    if isinstance(target, InProcess):
        found = explore(target)
    else:
        with Target(TargetSettings(url=target, accounts=THROWAWAY)) as door:
            found = explore(door)
    took = time.perf_counter() - began
    exact = all(each.dialect.name == name and each.dialect.exact for each in found.timers)
    inexact = sum(not boundary.exact for each in found.timers for boundary in each.boundaries)
    print(
        f"{label:30} {'yes' if exact else 'NO':8} {max(each.dialect.requests for each in found.timers):7} "
        f"{boundary_requests(found):11} {inexact:8} {found.requests:7} {took:8.1f}"
    )
    return exact


def boundary_requests(found: Exploration) -> int:
    """Requests for the boundaries of both timers."""
    stages = dict(found.requests_by_stage)
    return stages["first boundary"] + stages["boundaries"]


def real(parser: parsers.Parser, packages: Path | None) -> bool:
    """Run a model beside its parser, and explore a target that reads with it."""
    try:
        with parser.running(packages) as parse:
            wrong = parsers.differences(parser.dialect, parse)
            accepts = {each.slug: parsers.takes(parser.dialect, parse, each.minimum) for each in TIMERS}
            named = _line(parser.package, parser.dialect.name, InProcess(Settings(accepts)))
    except parsers.NotInstalled as error:
        print(f"{parser.package:30} left out: {error}")
        return True
    print(f"{'':30} {len(wrong)} of {len(parsers.texts_to_compare())} texts read otherwise than by the model")
    print("".join(f"    {line}\n" for line in wrong[:10]), end="")
    return named and not wrong


def drawn(count: int) -> int:
    """Explore emulators whose boundaries are known; how many were not found exactly."""
    accounts = {account.user: account.token for account in THROWAWAY}
    requests, wrong = [], 0
    for number in range(count):
        truth = settings.both_timers(number, least=60)
        with (
            over_http(settings.emulated(truth, accounts)) as url,
            Target(TargetSettings(url=url, accounts=THROWAWAY)) as target,
        ):
            found = explore(target)
        requests.append(boundary_requests(found))
        lines = [
            line for each in found.timers for line in settings.differences(each.boundaries, truth[each.field])
        ]
        wrong += bool(lines)
        print("".join(f"    {number}: {line[:200]}\n" for line in lines[:3]), end="")
    print(
        f"{count} drawn settings: {count - wrong} with every boundary of both timers exactly the truth, "
        f"{sum(requests) / count:.0f} requests on average, {max(requests)} at most"
    )
    return wrong


def draw() -> None:
    """Time one picture."""
    with (
        Embedded(THROWAWAY) as emulator,
        Target(TargetSettings(url=emulator.url(), accounts=THROWAWAY)) as target,
    ):
        found = explore(target)
    points = (*found.inactive.points, *found.closed.points)
    began = time.perf_counter()
    svg = picture(points)
    print(f"picture: {len(points)} points, {len(svg) / 1024:.0f} KiB, {time.perf_counter() - began:.1f} s")


if __name__ == "__main__":
    sys.exit(main())

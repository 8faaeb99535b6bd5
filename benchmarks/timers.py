"""
Measures the cost and the results of `conformance timers`, and compares its dialects with the real parsers.

    python benchmarks/timers.py [--packages DIR] [--settings N]

It prints four tables. The first explores the emulator in each of its dialects. The second compares each dialect with
its real parser, and explores a target that reads timers with that parser. The third explores emulators with random
settings, whose boundaries are known, over HTTP. The fourth times a picture. DIR has the parsers that the suite does not
depend on; those of PHP, Java, Ruby and PostgreSQL come with the system:

    npm install --prefix DIR moment luxon @js-temporal/polyfill ajv ajv-formats
    pip install --target DIR django pandas
    git clone https://github.com/sosodev/duration DIR/sosodev-duration

A parser that is not installed is left out, with the reason. The exit status is 1 where a dialect was not named exactly,
differs from its parser, or a boundary was found wrong.
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
    """Measure, print, and return the exit status: 1 where anything was found wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--packages", type=Path, metavar="DIR", help="where npm, pip and git have put the parsers"
    )
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
    """Explore an emulator that reads both timers in one dialect; return whether that dialect was named exactly."""
    with Embedded(THROWAWAY, variants=[name]) as emulator:
        return _line(name, name.removeprefix("dialect-"), emulator.url())


def wrapping() -> None:
    """Explore an emulator whose seconds overflow 16 bits, which has gaps in its dialect: the costliest one known."""
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
    """Return the number of requests spent on the boundaries of both timers."""
    stages = dict(found.requests_by_stage)
    return stages["first boundary"] + stages["boundaries"]


def real(parser: parsers.Parser, packages: Path | None) -> bool:
    """Compare a dialect with its parser, and explore a target that reads with it; return whether all was right."""
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
    """Explore emulators whose boundaries are known; return the number of those found wrong."""
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
    """Time the drawing of one picture."""
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

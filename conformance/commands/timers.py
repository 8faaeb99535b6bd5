"""`conformance timers`: finds out how a target reads its timers."""

import json
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from conformance.commands import options
from conformance.commands.refused import NO_VERDICT, NOT_RESTORED, Refused
from conformance.commands.signals import ENDED, end_if_left, finish, heed, interrupt

if TYPE_CHECKING:
    from conformance.explore import Exploration
    from conformance.settings import RunSettings


@click.command(short_help="Find out how a target reads its timers.")
@options.settings(
    "target",
    "max-requests",
    "report-dir",
    max_requests="Requests at most; putting the timers back is not counted (default: 3000).",
    report_dir="Write timers.json and timers.svg here.",
)
@click.option("--png", is_flag=True, help="Write timers.png too.")
@click.option("--json", "as_json", is_flag=True, help="Print timers.json instead of the view.")
@options.settings("rate", *options.CONNECTION, *options.SAFETY)
def timers(png: bool, as_json: bool, **flags: object) -> None:
    """
    Find out how a target reads its timers: boundaries, notations, and the known dialect that explains them.

    Exit status 0: the exploration is complete, whatever it found. 3: it ended early. 4: a timer could not be put back.
    """
    from conformance.api import redaction, serving

    heed(interrupt)
    settings = options.resolved(flags)
    directory = settings.report_dir if "report_dir" in settings.given else None
    if png and directory is None:
        raise Refused("--png writes a file; add --report-dir DIR")
    if png and find_spec("resvg_py") is None:
        raise Refused("--png needs the package resvg-py: pip install resvg-py")
    with ExitStack() as stack:
        url_of = stack.enter_context(serving(replace(settings, app=None)))
        from conformance import explore, reporting
        from conformance.harness.events import RequestSent
        from conformance.reporting.result import plain

        if directory is not None:
            reporting.check_writable(directory)
        console = reporting.console_for(sys.stderr if as_json else sys.stdout)
        for notice in settings.notices:
            console.print(notice, soft_wrap=True)
        url = url_of()
        with reporting.Progress(console, limit=settings.max_requests) as shown:
            found = _explore(
                settings,
                url,
                lambda stage, text, requests: shown.update(
                    RequestSent(phase=stage, cls=text[:40], requests=requests)
                ),
                lambda line: console.print(line, soft_wrap=True, markup=False),
            )
        heed(finish)
        document = plain(explore.document(found), redaction(settings, url))
        if as_json:
            click.echo(json.dumps(document, indent=1))
        else:
            console.print(explore.view(found), soft_wrap=not console.is_terminal)
        if directory is not None:
            _write(directory, document, found, png=png)
    end_if_left()
    sys.exit(_status(found))


def _explore(
    settings: "RunSettings",
    url: str,
    progress: Callable[[str, str, int], None],
    tell: Callable[[str], None],
) -> "Exploration":
    from conformance.api import safe
    from conformance.exceptions import RunEnded
    from conformance.explore import explore
    from conformance.transport.connections import is_loopback
    from conformance.transport.target import Target

    waits: list[str] = []
    with ExitStack() as stack:
        safeguard = stack.enter_context(safe(settings, tell, adopts=False))
        target = stack.enter_context(Target(settings.for_target(url), waits.append))
        try:
            return explore(
                target,
                url=url,
                must_restore=settings.live or not is_loopback(url),
                safeguard=safeguard,
                progress=progress,
            )
        except RunEnded as error:
            click.echo(f"conformance: nothing was learnt of {url}: {error}", err=True)
            sys.exit(NO_VERDICT)
        finally:
            for line in dict.fromkeys(waits):
                click.echo(line, err=True)


def _write(directory: Path, document: dict[str, Any], found: "Exploration", *, png: bool) -> None:
    from conformance.explore import picture, picture_png
    from conformance.reporting import replacing

    points = (*found.inactive.points, *found.closed.points)
    # ASCII: what a target sent may hold lone surrogates, which UTF-8 has no bytes for.
    files = {"timers.json": (json.dumps(document, indent=1) + "\n").encode("ascii")}
    files["timers.svg"] = picture(points).encode("utf-8")
    if png:
        files["timers.png"] = picture_png(points)
    try:
        for name, content in files.items():
            with replacing(directory / name) as file:
                file.write(content)
    except OSError as error:
        click.echo(f"conformance: cannot write reports to {directory}: {error.strerror or error}", err=True)


def _status(found: "Exploration") -> int:
    if found.stopped == "interrupted":
        return ENDED
    if found.restore == "failed":
        return NOT_RESTORED
    return 0 if found.complete else NO_VERDICT

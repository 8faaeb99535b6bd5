"""The command `conformance timers`: how a target reads its timers."""

import json
import os
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from conformance.commands.refused import Refused

if TYPE_CHECKING:
    from conformance.configuration import RunSettings
    from conformance.explore import Exploration

_SETTINGS_FILE = Path("conformance.toml")

COMPLETED, NO_VERDICT, NOT_RESTORED, INTERRUPTED = 0, 3, 4, 130
"""Exit statuses; 2 is a usage error."""


@click.command()
@click.option("--target", metavar="URL", help="Base URL to explore; without it, the embedded emulator.")
@click.option("--max-requests", metavar="N", help="Requests at most, but for the restore (default: 3000).")
@click.option("--report-dir", metavar="DIR", help="Write timers.json and timers.svg here.")
@click.option("--png", is_flag=True, help="Write timers.png too.")
@click.option("--json", "as_json", is_flag=True, help="Print timers.json instead of the view.")
@click.option("--rate", metavar="N", help="Requests per second at most.")
@click.option("--timeout", metavar="S", help="Seconds without a byte that count as no answer (default: 10).")
@click.option("--ca-file", metavar="FILE", help="Certificates to trust, PEM.")
@click.option("--proxy", metavar="URL", help="Proxy to send through; the environment's are never used.")
@click.option("--live", is_flag=True, help="Explore a target that is neither loopback nor private.")
def timers(png: bool, as_json: bool, report_dir: str | None, **flags: object) -> None:
    """
    Tell how a target reads its timers: boundaries, notations, and which known dialect explains it.

    The exit status is 0 when everything was asked, whatever was found; 3 when not; 4 when a timer could not be put
    back.
    """
    from conformance.configuration import ConfigurationError, resolve
    from conformance.explore.picture import available

    if png and report_dir is None:
        raise Refused("--png writes a file; add --report-dir DIR")
    if png and not available():
        raise Refused("--png needs Matplotlib: pip install 'twilio-configuration-conformance[plot]'")
    try:
        settings = resolve({**flags, "report_dir": report_dir}, os.environ, _SETTINGS_FILE)
    except ConfigurationError as error:
        raise Refused(str(error)) from None
    signal.signal(signal.SIGTERM, _interrupt)
    with ExitStack() as stack:
        embedded = None
        if settings.target is None:
            from conformance.embedded import Embedded

            embedded = stack.enter_context(Embedded(settings.accounts))
        from conformance import explore, reporting

        directory = settings.report_dir if report_dir is not None else None
        try:
            if directory is not None:
                reporting.check_writable(directory)
        except reporting.ReportError as error:
            raise Refused(str(error)) from None
        console = reporting.console_for(sys.stderr if as_json else sys.stdout)
        for notice in settings.notices:
            console.print(notice, soft_wrap=True)
        url = settings.target or (embedded.url() if embedded else "")
        with reporting.Progress(console, limit=settings.max_requests) as shown:
            found = _explore(
                settings,
                url,
                lambda stage, text, requests: shown.update(phase=stage, rule=text[:40], requests=requests),
            )
        document = explore.document(found)
        if as_json:
            click.echo(json.dumps(document, indent=1))
        else:
            console.print(explore.view(found), soft_wrap=not console.is_terminal)
        if directory is not None:
            _write(directory, document, found, png=png)
    sys.exit(_status(found))


def _explore(settings: "RunSettings", url: str, progress: Callable[[str, str, int], None]) -> "Exploration":
    from conformance.explore import explore
    from conformance.network import is_loopback
    from conformance.preflight import NoVerdict, Unimplemented
    from conformance.target import BudgetExhausted, RateLimitedOut, Target, TargetDead

    waits: list[str] = []
    with Target(settings.for_target(url), waits.append) as target:
        try:
            return explore(target, url=url, must_restore=not is_loopback(url), progress=progress)
        except (NoVerdict, Unimplemented, TargetDead, RateLimitedOut, BudgetExhausted) as error:
            click.echo(f"conformance: nothing was learnt of {url}: {error}", err=True)
            sys.exit(NO_VERDICT)
        finally:
            for line in dict.fromkeys(waits):
                click.echo(line, err=True)


def _write(directory: Path, document: dict[str, Any], found: "Exploration", *, png: bool) -> None:
    from conformance.explore import PlottingMissing, picture, picture_png

    points = (*found.inactive.points, *found.closed.points)
    try:
        # ASCII: what a target sent may hold lone surrogates, which UTF-8 has no bytes for.
        (directory / "timers.json").write_text(json.dumps(document, indent=1) + "\n", encoding="ascii")
        (directory / "timers.svg").write_text(picture(points), encoding="utf-8")
        if png:
            (directory / "timers.png").write_bytes(picture_png(points))
    except PlottingMissing as error:
        click.echo(f"conformance: timers.svg is left out: {error}", err=True)
    except OSError as error:
        click.echo(f"conformance: cannot write reports to {directory}: {error.strerror or error}", err=True)


def _status(found: "Exploration") -> int:
    if found.stopped == "interrupted":
        return INTERRUPTED
    if found.restore == "failed":
        return NOT_RESTORED
    return COMPLETED if found.complete else NO_VERDICT


def _interrupt(number: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt

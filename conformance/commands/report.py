"""`conformance report`: renders the reports of a run again from its `result.json` alone."""

from operator import methodcaller
from pathlib import Path

import click

from conformance.commands import options
from conformance.commands.output import redact
from conformance.commands.refused import Refused, result_in


@click.command()
@click.argument("directory", metavar="DIR", type=options.PATH)
@options.output("DIR", "Where reports go (default: DIR itself).")
def report(directory: Path, output: Path | None) -> None:
    """
    Render the reports in DIR again, from its result.json alone.

    An exchanges.har is kept, since it may hold more than result.json. Where there is none, one is made from the
    evidence in result.json.
    """
    from conformance.reporting import ARCHIVE, OBSERVATIONS, TIMER_PICTURE, write_all

    document = result_in(directory)
    source = directory if directory.is_dir() else directory.parent
    try:
        picture = source / TIMER_PICTURE
        timer_svg = redact(picture.read_text(encoding="utf-8")) if picture.is_file() else None
        kept = {
            name: redact((source / name).read_bytes())
            for name in (ARCHIVE, OBSERVATIONS)
            if (source / name).is_file()
        }
        copies = {name: methodcaller("write", content) for name, content in kept.items()}
        for path in write_all(document, output or source, timer_svg=timer_svg, copies=copies):
            click.echo(path)
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"{source}: cannot be read: {error}") from None

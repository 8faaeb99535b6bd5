"""`conformance diff`: lists the differences between two results."""

import sys
from pathlib import Path

import click

from conformance.commands import options
from conformance.commands.refused import result_in
from conformance.model import Level


@click.command()
@click.argument("old", type=options.PATH)
@click.argument("new", type=options.PATH)
@click.option(
    "--format",
    "name",
    type=click.Choice(("terminal", "markdown", "json", "html")),
    default="terminal",
    show_default=True,
    help="Format of the list.",
)
@click.option(
    "--fail-on",
    type=click.Choice([str(level) for level in Level]),
    default=str(Level.MUST),
    show_default=True,
    help="Level from which a new deviation gives exit status 1.",
)
def diff(old: Path, new: Path, name: str, fail_on: str) -> None:
    """
    List the differences between two results. OLD and NEW are each a result.json or its directory.

    Exit status 1: NEW has a deviation that OLD does not have.
    """
    from conformance.reporting.compare import FORMATS, compare

    comparison = compare(result_in(old), result_in(new))
    # Bytes: what a target sent may hold lone surrogates, which UTF-8 has no bytes for.
    click.echo(FORMATS[name](comparison).encode("utf-8", "backslashreplace"), nl=False)
    sys.exit(int(comparison.fails(Level(fail_on))))

"""`conformance matrix`: several targets side by side."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from conformance.commands.refused import Refused, result_in

if TYPE_CHECKING:
    from conformance.reporting.matrix import Column


@click.command()
@click.argument("results", metavar="[NAME=]RESULT...", nargs=-1, required=True)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Page (.html) or Markdown (.md) to write; without it, Markdown is printed.",
)
def matrix(results: tuple[str, ...], output: Path | None) -> None:
    """
    Show results side by side, targets by rules.

    Each RESULT is a result.json or its directory. It may have a NAME, as in "prism 5.14=reports/prism".
    The page links to the report.html beside each result. A comparison.json beside it, of `conformance compare --json`,
    adds how the target differs from a reference.
    """
    from conformance.reporting.matrix import to_html, to_markdown

    if output is not None and output.suffix not in (".html", ".md"):
        raise Refused(f"{output}: name it .html or .md")
    columns = [_column(each, output) for each in results]
    if output is None:
        click.echo(to_markdown(columns).encode("utf-8", "backslashreplace"), nl=False)
        return
    text = to_html(columns) if output.suffix == ".html" else to_markdown(columns)
    try:
        output.write_bytes(text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise Refused(f"{output}: cannot be written: {error.strerror}") from None
    click.echo(output)


def _column(text: str, output: Path | None) -> "Column":
    from conformance.reporting.matrix import Column
    from conformance.reporting.reading import comparison_in

    name, _, rest = text.rpartition("=")
    if Path(text).exists():  # an equals sign may be part of the path
        name, rest = "", text
    path = Path(rest)
    result = result_in(path)
    page = (path if path.is_dir() else path.parent) / "report.html"
    comparison = comparison_in(page.with_name("comparison.json"))
    link = ""
    if output is not None and page.is_file():
        link = Path(os.path.relpath(page, output.parent)).as_posix()
    return Column(name=name or result["target"], result=result, link=link, comparison=comparison)

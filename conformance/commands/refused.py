"""The error of a command that cannot be followed."""

from pathlib import Path
from typing import Any

import click


class Refused(click.ClickException):
    """The command cannot be followed: one line, exit status 2."""

    exit_code = 2

    def show(self, file: Any = None) -> None:
        """Print the line to the standard error."""
        click.echo(f"conformance: {self.message}", err=True)


def result_in(path: Path) -> dict[str, Any]:
    """
    The result document in a file or a report directory, without the tokens of the environment.

    Raises:
        Refused: there is no result document.
    """
    from conformance.commands.door import redact
    from conformance.exceptions import ReportError
    from conformance.reporting import load  # costs what `conformance serve` need not pay
    from conformance.reporting.result import plain

    try:
        document: dict[str, Any] = plain(load(path), redact)
    except ReportError as error:
        raise Refused(str(error)) from None
    except ValueError as error:
        raise Refused(f"{path} is not a result document: {error}") from None
    return document

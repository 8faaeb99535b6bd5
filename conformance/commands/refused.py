"""How commands end early: the error of one that cannot be followed, and the exit statuses that several share."""

from pathlib import Path
from typing import Any

import click

from conformance.exceptions import (
    BaselineError,
    ConfigurationError,
    EmulatorFailed,
    RecordingError,
    ReportError,
)

NO_VERDICT, NOT_RESTORED = 3, 4
"""Exit statuses: the target could not be judged; a setting that had a value does not have it again."""

REFUSALS = (BaselineError, ConfigurationError, EmulatorFailed, RecordingError, ReportError)
"""Errors of the rooms that say why a command cannot be followed; `conformance.cli` makes each a `Refused`."""


class Refused(click.ClickException):
    """The command cannot be followed: one line on the standard error, and exit status 2."""

    exit_code = 2

    def show(self, file: Any = None) -> None:
        """Print the line to the standard error."""
        click.echo(f"conformance: {self.message}", err=True)


def result_in(path: Path) -> dict[str, Any]:
    """
    Return the result document in a file or a report directory, without the tokens of the environment.

    Raises:
        ReportError: There is none.
        Refused: It holds a body that is not what it says.
    """
    from conformance.commands.door import redact
    from conformance.reporting import load  # costs what `conformance serve` need not pay
    from conformance.reporting.result import plain

    try:
        document: dict[str, Any] = plain(load(path), redact)
    except ValueError as error:
        raise Refused(f"{path} is not a result document: {error}") from None
    return document

"""How commands end: the error of a command that cannot be carried out, and what several commands print and return."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from conformance.commands.signals import ENDED
from conformance.exceptions import (
    BaselineError,
    ConfigurationError,
    EmulatorFailed,
    RecordingError,
    ReportError,
)

if TYPE_CHECKING:
    from conformance.model import Restore

NO_VERDICT, NOT_RESTORED = 3, 4
"""Exit statuses: the target could not be judged; a setting that had a value does not have it again."""

REFUSALS = (BaselineError, ConfigurationError, EmulatorFailed, RecordingError, ReportError)
"""Errors that say why a command cannot be carried out; `conformance.cli` turns each into a `Refused`."""


class Refused(click.ClickException):
    """The command cannot be carried out: one line on the standard error, and exit status 2."""

    exit_code = 2

    def show(self, file: Any = None) -> None:
        """Print the line to the standard error."""
        click.echo(f"conformance: {self.message}", err=True)


def ended(restored: "Restore", is_interrupted: bool, tell: Callable[[str], None], url: str | None) -> int:
    """
    Print what happened to the settings of a target, and return an exit status; 0 where nothing went wrong.

    `url` is None for the embedded emulator. Nothing is printed where the settings were put back as usual.
    """
    if url is None:
        if is_interrupted:
            tell("conformance: interrupted")
    elif restored.state == "failed":
        tell(f"conformance: NOT RESTORED at {url}: {', '.join(restored.failed)}")
    elif restored.state == "not-read":
        tell(f"conformance: not restored at {url}: the settings could not be read")
    elif is_interrupted:
        what = "nothing was changed" if restored.state == "unchanged" else "the settings are as before"
        tell(f"conformance: interrupted: {what} at {url}")
    return ENDED if is_interrupted else NOT_RESTORED if restored.state == "failed" else 0


def result_in(path: Path) -> dict[str, Any]:
    """
    Return the result document in a file or a report directory, without the tokens of the environment.

    Raises:
        ReportError: There is none.
        Refused: It holds a body that is not what it says.
    """
    from conformance.commands.output import redact
    from conformance.reporting import load  # costs what `conformance serve` need not pay
    from conformance.reporting.result import plain

    try:
        document: dict[str, Any] = plain(load(path), redact)
    except ValueError as error:
        raise Refused(f"{path} is not a result document: {error}") from None
    return document

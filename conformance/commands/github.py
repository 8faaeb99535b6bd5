"""The output of a run in GitHub Actions, which reads commands from what a step prints."""

import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click


@contextmanager
def annotated(*, err: bool) -> Iterator[dict[str, Any]]:
    """
    Stop GitHub from reading commands in the output, and print annotations at the end; for use in a `with` statement.

    Yields:
        A dictionary for the caller to put the result document in. Outside of GitHub Actions nothing is printed.
    """
    document: dict[str, Any] = {}
    if os.environ.get("GITHUB_ACTIONS") != "true":
        yield document
        return
    token = secrets.token_hex(16)
    click.echo(f"::stop-commands::{token}", err=err)
    try:
        yield document
    finally:
        click.echo(f"::{token}::", err=err)
        if document:
            from conformance.reporting.annotations import annotations

            for line in annotations(document):
                click.echo(line, err=err)
            if output := os.environ.get("GITHUB_OUTPUT"):
                with Path(output).open("a", encoding="utf-8") as file:
                    file.write(f"verdict={document['verdict']}\nexit-code={document['exit_code']}\n")


def summarize(document: Mapping[str, Any]) -> None:
    """Add the summary of a result document to the summary page of the job's step, if there is one."""
    from conformance.reporting import RENDERERS

    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        try:
            with Path(summary).open("a", encoding="utf-8", errors="backslashreplace") as file:
                file.write(RENDERERS["summary.md"](document))
        except OSError as error:
            click.echo(f"conformance: GITHUB_STEP_SUMMARY cannot be written: {error.strerror}", err=True)

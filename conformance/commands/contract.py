"""`conformance contract`: prints the OpenAPI document that the rules rest on, or compares another one with it."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from conformance.commands.refused import Refused


@click.group()
def contract() -> None:
    """Show the contract that the rules rest on, or compare it."""


@contract.command()
def show() -> None:
    """Print the OpenAPI document."""
    from conformance.contract import load

    click.echo(json.dumps(load("openapi.json"), indent=1))


@contract.command(short_help="List what a document of the vendor says differently.")
@click.argument("document", metavar="FILE|URL")
@click.option("--json", "as_json", is_flag=True, help="Print an array of objects.")
def diff(document: str, as_json: bool) -> None:
    """
    List what an OpenAPI document of the vendor says differently from ours.

    Exit status 1: a rule rests on what changed.
    """
    from dataclasses import asdict

    from conformance.contract import load
    from conformance.exceptions import ConfigurationError
    from conformance.fidelity.contract_drift import drift
    from conformance.reporting.text import plural
    from conformance.rules import CATALOGUE

    try:
        changes = drift(load("openapi.json"), _read(document), CATALOGUE)
    except ConfigurationError as error:
        raise Refused(f"{document}: {error}") from None
    if as_json:
        click.echo(json.dumps([asdict(change) for change in changes], indent=1))
    else:
        for change in changes:
            click.echo(change.sentence)
            click.echo(f"  rules    {', '.join(change.rules) or 'none'}")
        resting = sum(bool(change.rules) for change in changes)
        click.echo(
            f"{plural(len(changes), 'change')}, {resting} of them under a rule"
            if changes
            else "nothing changed"
        )
    sys.exit(int(any(change.rules for change in changes)))


def _read(name: str) -> Any:
    """Return the JSON document of a file or an address."""
    try:
        if name.startswith(("http://", "https://")):
            from conformance.transport.download import download

            return json.loads(download(name))
        return json.loads(Path(name).read_bytes())
    except OSError as error:
        raise Refused(f"cannot read {name}: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:
        raise Refused(f"cannot read {name} as JSON: {error}") from None

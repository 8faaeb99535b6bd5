"""`conformance plan`: prints what a run would send, and sends nothing."""

import json

import click

from conformance.commands import options


@click.command()
@click.option(
    "--profile",
    type=click.Choice(["quick", "standard", "thorough"]),
    default="standard",
    show_default=True,
    help="How much a run would send.",
)
@options.settings("only")
@click.option("--json", "as_json", is_flag=True, help="Print every request, as an array of objects.")
def plan(profile: str, only: tuple[str, ...], as_json: bool) -> None:
    """
    Print what a run would send, without sending it.

    The table counts the explicit requests of each rule and input class, and the probes that are drawn at random. --json
    prints every explicit request. The SIDs are for a target that takes any well-formed one.
    """
    from conformance.api import names_some, select
    from conformance.harness.schedule import planned
    from conformance.model import Situation

    rows = list(planned(select(only), profile, Situation(accounts=2), rare=names_some(only)))
    if as_json:
        listed = [
            {
                "rule": rule.id,
                "class": cls.id,
                "method": step.method,
                "content_type": step.content_type,
                "query": step.query,
                "body": (step.body or b"").decode("ascii", "backslashreplace"),
                "account": step.account,
            }
            for rule, cls, probes, _ in rows
            for probe in probes
            for step in probe.steps
        ]
        click.echo(json.dumps(listed, indent=1))
        return
    click.echo(f"{'rule':34} {'class':36} {'explicit':>8} {'drawn':>6}")
    total = 0
    for rule, cls, probes, drawn in rows:
        steps = sum(len(probe.steps) for probe in probes)
        total += steps
        click.echo(f"{rule.id:34} {cls.id:36} {steps:8} {drawn or '':>6}")
    click.echo(f"\n{total:,} explicit requests, and up to {sum(row[3] for row in rows):,} probes drawn.")

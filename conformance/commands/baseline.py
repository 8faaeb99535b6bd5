"""`conformance baseline`: adds the deviations of a result to a file of known deviations."""

from datetime import UTC, datetime
from pathlib import Path

import click

from conformance.commands import options
from conformance.commands.refused import Refused, result_in


@click.command(short_help="Add the deviations of a result to the known ones.")
@click.argument("result", type=options.PATH)
@options.output("FILE", "File to add entries to; entries that are there stay.", "known-deviations.toml")
@click.option("--reason", metavar="TEXT", help="Why the deviations are accepted.")
@click.option("--any-class", is_flag=True, help="One entry for all input classes of a rule and outcome.")
def baseline(result: Path, output: Path, reason: str | None, any_class: bool) -> None:
    """Add the deviations of RESULT (result.json, or its directory) to a file of known deviations."""
    from conformance.reporting.baseline import additions, merged, parse
    from conformance.reporting.text import plural

    document = result_in(result)
    today = datetime.now(UTC).date().isoformat()
    try:
        text = output.read_text(encoding="utf-8") if output.exists() else ""
        known = parse(text, str(output))
        entries = additions(
            document,
            known,
            reason=reason or f"accepted by conformance baseline on {today}",
            any_class=any_class,
        )
        if entries or not output.exists():
            # Encoded before the file is opened: a text that cannot be encoded leaves the file as it was.
            output.write_bytes(merged(text, entries, str(output)).encode())
    except (OSError, UnicodeError) as error:
        raise Refused(f"{output}: cannot be read or written: {error}") from None
    for entry in entries:
        click.echo(f"added {entry['fingerprint'][:12]} {entry['rule']} {entry['class']} {entry['outcome']}")
    for finding in document["findings"]:
        if not finding["stable"]:
            click.echo(f"left out, unstable: {finding['rule']} {finding['class']} {finding['outcome']}")
    for rule in document["rules"]:
        if rule["verdict"] in ("error", "unimplemented"):
            click.echo(f"left out, {rule['verdict']}: {rule['id']}")
    click.echo(f"{output}: {plural(len(entries), 'deviation')} added, {len(known)} already there")

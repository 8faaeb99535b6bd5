"""`conformance merge`: merges the results of the shards of a run."""

import json
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click

from conformance.commands import github, options
from conformance.commands.output import redact
from conformance.commands.refused import result_in


@click.command(short_help="Make one result of the shards of a run.")
@click.argument("shards", metavar="SHARD...", nargs=-1, required=True, type=options.PATH)
@options.output("DIR", "Where reports are written.", "conformance-report")
@options.STRICT_KNOWN
@click.option("--json", "as_json", is_flag=True, help="Print result.json instead of the summary.")
def merge(shards: tuple[Path, ...], output: Path, strict_known: bool, as_json: bool) -> None:
    """
    Merge the results of the shards of a run, and exit with the status of the whole run.

    Each SHARD is a result.json or its directory, from `conformance run --shard K/N`. All N are needed.
    """
    from conformance import reporting
    from conformance.harness.merging import merged

    with github.annotated(err=as_json) as result:
        document = merged(list(map(result_in, shards)), datetime.now(UTC).date(), strict=strict_known)
        place = reporting.place_of(document, output)
        archives = [(path if path.is_dir() else path.parent) / reporting.ARCHIVE for path in shards]
        whole = all(map(Path.is_file, archives))
        join = partial(reporting.join_archives, archives, redact=redact)
        copies = {reporting.ARCHIVE: join} if whole else {}
        paths = reporting.write_all(document, place, copies=copies)
        github.summarize(document)
        if as_json:
            click.echo(json.dumps(document, indent=1))
        else:
            page = next(path for path in paths if path.suffix == ".html")
            reporting.print_result(document, reporting.console_for(sys.stdout), page=page)
        result.update(document)
    sys.exit(document["exit_code"])

"""
The command `conformance`: a group of commands, of which the short ones are defined here.

Each command imports the slow modules inside its function. Those that need the embedded emulator start its process
first: the imports and the start take about the same time, and so run side by side.
"""

from conformance.commands.signals import (  # first: it has signals heeded
    ENDED,
    Interrupted,
    end_if_left,
    finish,
    heed,
    leave,
)

# isort: split
import json
import os
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

import click
from platformdirs import user_cache_path

from conformance.commands import github, options
from conformance.commands.baseline import baseline
from conformance.commands.compare import compare
from conformance.commands.contract import contract
from conformance.commands.diff import diff
from conformance.commands.matrix import matrix
from conformance.commands.merge import merge
from conformance.commands.output import guarded
from conformance.commands.plan import plan
from conformance.commands.record import record
from conformance.commands.refused import REFUSALS, Refused
from conformance.commands.replay import replay
from conformance.commands.report import report
from conformance.commands.restore import restore
from conformance.commands.selftest import selftest
from conformance.commands.timers import timers
from conformance.contract import SUITE

if TYPE_CHECKING:
    from conformance.http import Exchange
    from conformance.model import Report
    from conformance.reporting.spool import Spool


class _Program(click.Group):
    """The group of all commands. It decides how a command ends that is interrupted, or cannot be carried out."""

    def main(self, *arguments: Any, **options: Any) -> Any:
        with guarded():
            return super().main(*arguments, **options)

    def invoke(self, ctx: click.Context) -> Any:
        ctx.call_on_close(heed(leave))
        # Hypothesis would write its tables to the current directory, whichever that is.
        tables = user_cache_path(SUITE, appauthor=False) / "hypothesis"
        os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", str(tables))
        try:
            return super().invoke(ctx)
        except REFUSALS as error:
            raise Refused(options.shown(ctx, str(error))) from None
        except OSError as error:
            if error.strerror is None:
                raise
            # A path that cannot even be looked at, since its name is too long; or there is no room for any file.
            where = f"cannot read {error.filename}: " if error.filename is not None else ""
            raise Refused(options.shown(ctx, f"{where}{error.strerror}")) from None
        except (KeyboardInterrupt, RuntimeError) as error:
            # Python raises a RuntimeError from an interrupt that comes while an imported module makes a class.
            if isinstance(error, RuntimeError) and not isinstance(
                error.__cause__, KeyboardInterrupt | SystemExit
            ):
                raise
            sys.exit(ENDED)


@click.group(cls=_Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name=SUITE, prog_name="conformance")
def main() -> None:
    """Judge an implementation of Twilio Conversations' account-level Configuration resource."""


@main.command()
@click.argument("url", required=False)
@options.settings(*options.ALL, report_dir="Where reports are written (default: conformance-report).")
@options.STRICT_KNOWN
@click.option(
    "--observability",
    is_flag=True,
    help="Also write testcases.jsonl, a list of the requests by class, which Tyche reads.",
)
@click.option("--json", "as_json", is_flag=True, help="Print result.json instead of the summary.")
def run(url: str | None, as_json: bool, strict_known: bool, observability: bool, **flags: object) -> None:
    """
    Judge a target by the catalogue of rules.

    URL is the base URL of the target, as with --target. Exit status 0: it is conformant. 1: it deviates. 2: the command
    or a setting is wrong. 3: there is no verdict. 4: settings could not be put back. 5: nothing was exercised.
    130: it was interrupted.
    """
    from conformance.api import archive_of, document_of, judge, redaction, select, serving
    from conformance.reporting.baseline import apply, read, witnesses

    if url is not None:
        if flags["target"] is not None:
            raise Refused(f"two targets, {url} and {flags['target']}: give one of them")
        flags["target"] = url
    settings = options.resolved(flags)
    known = read(settings.known) if settings.known is not None else ()
    with ExitStack() as stack:
        result = stack.enter_context(github.annotated(err=as_json))
        url_of = stack.enter_context(serving(settings))
        from conformance import reporting
        from conformance.harness.containment import Parts
        from conformance.harness.events import (
            ExchangeEnded,
            ExchangeJudged,
            Notice,
            RequestSent,
            each_of,
            on,
        )
        from conformance.rules import BY_ID

        rules = select(settings.only, sdk=settings.sdk)
        reporting.check_writable(settings.report_dir)
        url = url_of()
        archive = stack.enter_context(archive_of(settings, url))
        kept = reporting.Observations(settings.report_dir, redact=redaction(settings, url))
        observations = stack.enter_context(kept)
        console = reporting.console_for(sys.stderr if as_json else sys.stdout)
        printed: list[str] = []

        def print_line(line: str) -> None:
            line = settings.shown(line)
            printed.append(line)
            console.print(line, soft_wrap=True, markup=False)

        parts = Parts(print_line)
        first = witnesses(known, len(settings.accounts))
        with reporting.Progress(console, limit=settings.max_requests, within=settings.max_time) as progress:
            listeners = [
                on(RequestSent, _stop_if_interrupted),
                on(RequestSent, parts.contain("the progress", progress.update)),
                on(
                    ExchangeEnded, parts.contain(reporting.ARCHIVE, lambda event: archive.add(event.exchange))
                ),
                on(Notice, parts.contain("notices", lambda notice: print_line(notice.line))),
            ]
            if observability:
                listeners.append(on(ExchangeJudged, parts.contain(reporting.OBSERVATIONS, observations.add)))
            end_if_left()
            _INTERRUPTED.clear()
            heed(_interrupt)
            try:
                outcome = judge(settings, url, rules, each_of(*listeners), first)
            except KeyboardInterrupt:  # it came before the first request: nothing has to be put back
                sys.exit(ENDED)
        heed(finish)
        document = document_of(settings, outcome)
        if settings.known is not None:
            today = datetime.now(UTC).date()
            document = apply(document, known, today, catalogue=BY_ID, strict=strict_known)
        picture = parts.contain(reporting.TIMER_PICTURE, _timer_picture)(outcome)
        spools: dict[str, Spool] = {reporting.ARCHIVE: archive}
        if observability:
            spools[reporting.OBSERVATIONS] = observations
        place = reporting.place_of(document, settings.report_dir)
        if place != settings.report_dir:
            print_line(f"no verdict: the report in {settings.report_dir} has one, so it stays; see {place}")
        page = _write(document, place, picture, spools)

        def show() -> None:
            if as_json:
                click.echo(json.dumps(document, indent=1))
            else:
                reporting.print_result(document, console, printed=printed, page=page)
            sys.stdout.flush()

        Parts(lambda line: click.echo(f"conformance: {line}", err=True)).contain("the summary", show)()
        _silence_if_broken()
        result.update(document)
    end_if_left()
    sys.exit(document["exit_code"])


def _write(
    document: dict[str, Any], directory: Path, picture: str | None, spools: "Mapping[str, Spool]"
) -> Path | None:
    """Write all reports that can be written, and name the others in one line; return the path of the page."""
    from conformance import reporting

    def written() -> dict[Path, str]:
        copies = {name: spool.copy for name, spool in spools.items()}
        return dict(reporting.write_each(document, directory, timer_svg=picture, copies=copies))

    done = written()
    if done[directory / "result.json"]:
        for spool in spools.values():  # the smallest report is worth more than all exchanges
            spool.discard()
        done = written()
    failed = reporting.not_written(done)
    if failed:
        click.echo(f"conformance: {failed}", err=True)
    github.summarize(document)
    page = directory / "report.html"
    return None if done[page] else page


def _silence_if_broken() -> None:
    """Discard what the standard output no longer accepts: else Python would exit with a status of its own."""
    try:
        sys.stdout.flush()
    except OSError:
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _timer_picture(outcome: "Report") -> str | None:
    """Return a picture, in SVG, of the timers that a target accepted; None where the run sent none."""
    from conformance.explore import from_exchanges, picture

    points = from_exchanges(outcome.timers)
    own = [each for each in outcome.outcomes if each.rule.group == "timers"]
    shown = [finding.exchanges[-1] for each in own for finding in each.findings]
    # A finding shows one value of several.
    shown += filter(_is_wrongly_taken, outcome.timers)
    return picture(points, from_exchanges(shown)) if points else None


def _is_wrongly_taken(exchange: "Exchange") -> bool:
    """Whether an update was accepted that has to be refused."""
    from conformance.model import Level
    from conformance.oracle.decisions import Answer
    from conformance.rules.acceptance import decided

    decision = decided(exchange.request)
    must_be_refused = decision is not None and (decision.answer, decision.level) == (
        Answer.REJECT,
        Level.MUST,
    )
    return exchange.accepted and must_be_refused


_INTERRUPTED = threading.Event()
"""Set when a signal has interrupted the run."""


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    """Handle a signal during a run: interrupt it, so that it puts the settings back."""
    _INTERRUPTED.set()
    raise Interrupted


def _stop_if_interrupted(event: object) -> None:
    """
    Raise the interrupt once more.

    The first one is lost where it comes in a callback of the garbage collector, which ignores exceptions; Hypothesis
    registers such a callback.
    """
    if _INTERRUPTED.is_set():
        raise Interrupted


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print an array of objects.")
def rules(as_json: bool) -> None:
    """List the rules."""
    from conformance.rules import CATALOGUE

    if as_json:
        listed = [
            {name: getattr(rule, name) for name in ("id", "group", "level", "statement", "source")}
            | {"classes": [cls.id for cls in rule.classes]}
            for rule in CATALOGUE
        ]
        click.echo(json.dumps(listed, indent=1))
        return
    for group in dict.fromkeys(rule.group for rule in CATALOGUE):
        click.echo(f"\n{group}")
        for rule in CATALOGUE:
            if rule.group == group:
                click.echo(f"  {rule.id:34} {rule.level.upper():6} {rule.statement}")


@main.command()
@click.argument("rule_id", metavar="ID")
def explain(rule_id: str) -> None:
    """Print one rule in full, with an example request."""
    from conformance import reporting
    from conformance.api import select
    from conformance.http import PATH, Exchange
    from conformance.model import Situation
    from conformance.transport.credentials import THROWAWAY

    rule, *_ = select([rule_id])
    click.echo(
        f"{rule.id} ({rule.level.upper()}, {rule.group})\n\n{rule.statement}\n\nSource: {rule.source}\n"
    )
    table = click.HelpFormatter()
    with table.section("Input classes"):
        table.write_dl([(cls.id, cls.reason) for cls in rule.classes], col_max=36)
    click.echo(table.getvalue(), nl=False)
    probe = next((probe for cls in rule.classes for probe in cls.examples(Situation(accounts=2))[:1]), None)
    if probe is not None:
        exchanges = [Exchange(number=number, request=step) for number, step in enumerate(probe.steps, 1)]
        account = reporting.ShellAccount(user=THROWAWAY[0].user, throwaway=THROWAWAY[0].token)
        click.echo("\nExample, for a target on port 4007:")
        click.echo(reporting.curl(exchanges, url=f"http://localhost:4007{PATH}", accounts=[account]))


@main.command(short_help="Serve the reference emulator.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=4007, show_default=True, help="Port to listen on; 0 for a free one.")
@click.option("--port-file", metavar="FILE", help="File to write the port to once the emulator listens.")
@click.option("--database", metavar="FILE", help="File to keep the settings in; they survive a kill.")
@click.option(
    "--account", "accounts", multiple=True, metavar="SID:TOKEN", help="An account; may be repeated."
)
@click.option("--fault", "faults", multiple=True, metavar="NAME", help="Build in a fault; may be repeated.")
@click.option(
    "--variant", "variants", multiple=True, metavar="NAME", help="Build in a variant; may be repeated."
)
@click.option(
    "--seed", metavar="FILE", help="JSON file of values to begin with, as /__emulator/state shows them."
)
@click.option(
    "--like", metavar="FILE", help="Serve a recording, a HAR or a cassette of VCR in place of the emulator."
)
@click.option("--verbose", is_flag=True, help="Print a line for each request.")
@click.option(
    "--control/--no-control",
    "controlled",
    default=True,
    help="Whether tests can control it under /__emulator/.",
)
@click.option("--list-faults", is_flag=True, help="List the faults.")
@click.option("--list-variants", is_flag=True, help="List the variants.")
@click.option("--json", "as_json", is_flag=True, help="List as an array of objects.")
def serve(
    accounts: tuple[str, ...],
    seed: str | None,
    like: str | None,
    list_faults: bool,
    list_variants: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Serve the reference emulator, with the faults and variants that are named."""
    from conformance import emulator

    if list_faults or list_variants:
        alternatives = (*emulator.VARIANTS.values(), *emulator.DIALECTS.values())
        _list_alterations(list(emulator.FAULTS.values()) if list_faults else list(alternatives), as_json)
        return
    if like is not None and (seed or given["faults"] or given["variants"] or given["database"]):
        raise Refused("--like serves a recording as it is: leave out --fault, --variant, --database, --seed")
    values = _read_seed(seed) if seed is not None else None
    try:
        if like is not None:
            from conformance.fidelity.ends import read
            from conformance.fidelity.serving import Replay, served
            from conformance.transport.credentials import Account

            replay = Replay(
                read(Path(like)), [Account(*each) for each in _emulated_accounts(accounts).items()]
            )
            at = {name: given[name] for name in ("host", "port", "port_file")}
            emulator.serve_app(served(replay), **at)
        else:
            emulator.serve(accounts=_emulated_accounts(accounts), seed=values, **given)
    except (emulator.EmulatorError, OSError) as error:
        raise Refused(str(error)) from None


def _read_seed(name: str) -> dict[str, Any]:
    """Return the values that a file gives to accounts."""
    try:
        seed = json.loads(Path(name).read_bytes())
    except OSError as error:
        raise Refused(f"cannot read {name}: {error.strerror or error}") from None
    except ValueError as error:
        raise Refused(f"cannot read {name} as JSON: {error}") from None
    if not isinstance(seed, dict):
        raise Refused(f'{name} must be a JSON object such as {{"AC…": {{"default_closed_timer": "PT10M"}}}}')
    return seed


def _list_alterations(known: Sequence[Any], as_json: bool) -> None:
    """Print faults or variants, one a line or as JSON, each with the rule that it breaks."""
    from conformance.rules import BY_ID

    rows = [
        {
            "name": each.name,
            "level": BY_ID[each.breaks[0]].level.upper() if each.breaks else "open",
            "rule": getattr(each, "rule", None),
            "group": each.group,
            "text": each.text,
        }
        for each in known
    ]
    if as_json:
        click.echo(json.dumps(rows, indent=1))
        return
    for row in rows:
        rule = f"{row['level']} {row['rule'] or ''}"
        click.echo(f"{row['name']:44} {rule:42} {row['text']}")


def _emulated_accounts(given: Sequence[str]) -> dict[str, str]:
    """Return tokens by SID: from the flags, else from the environment, else the throw-away ones that `run` sends."""
    from conformance.transport.credentials import THROWAWAY, accounts_from

    found = accounts_from({"CONFORMANCE_ACCOUNTS": ",".join(given)} if given else os.environ)
    return {account.user: account.token for account in found or THROWAWAY}


for command in (
    compare,
    contract,
    record,
    plan,
    timers,
    replay,
    diff,
    report,
    restore,
    matrix,
    merge,
    baseline,
    selftest,
):
    main.add_command(command)

if __name__ == "__main__":
    main()

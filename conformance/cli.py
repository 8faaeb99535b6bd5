"""
The command `conformance`: a thin front over the executor and the reports.

What costs time to import is imported by the command that needs it, and only after the emulator's process, which
takes as long, has been started.
"""

import json
import os
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

import click

from conformance.commands.baseline import baseline
from conformance.commands.diff import diff
from conformance.commands.matrix import matrix
from conformance.commands.plan import plan
from conformance.commands.refused import Refused
from conformance.commands.replay import replay
from conformance.commands.report import report
from conformance.commands.restore import restore
from conformance.commands.selftest import selftest
from conformance.commands.signals import heed
from conformance.commands.timers import timers

if TYPE_CHECKING:
    from conformance.http import Exchange
    from conformance.model import Rule

_SETTINGS_FILE = Path("conformance.toml")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="twilio-configuration-conformance", prog_name="conformance")
def main() -> None:
    """Judge an implementation of Twilio Conversations' account-level Configuration resource."""


def _options(function: Callable[..., None]) -> Callable[..., None]:
    """The settings of a run as flags; unset ones are taken from the environment, then from conformance.toml."""
    flags = (
        click.option("--target", metavar="URL", help="Base URL to judge; without it, the embedded emulator."),
        click.option(
            "--profile", metavar="quick|standard|thorough", help="How much to send (default: standard)."
        ),
        click.option("--only", multiple=True, metavar="GLOB", help="Rules to judge, by id; may be repeated."),
        click.option("--fail-on", metavar="must|should", help="Level from which a deviation fails the run."),
        click.option("--seed", metavar="N", help="Seeds everything that is drawn (default: 0)."),
        click.option("--max-requests", metavar="N", help="Requests at most, but for the restore."),
        click.option("--report-dir", metavar="DIR", help="Where reports go (default: conformance-report)."),
        click.option("--known", metavar="FILE", help="Known deviations, TOML: they do not fail the run."),
        click.option("--settle", metavar="S", help="Seconds within which a write must be seen (default: 0)."),
        click.option("--ca-file", metavar="FILE", help="Certificates to trust, PEM."),
        click.option(
            "--proxy", metavar="URL", help="Proxy to send through; the environment's are never used."
        ),
        click.option("--rate", metavar="N", help="Requests per second at most."),
        click.option(
            "--timeout", metavar="S", help="Seconds within which an answer must be whole (default: 10)."
        ),
        click.option("--live", is_flag=True, help="Judge a target that is neither loopback nor private."),
        click.option(
            "--i-own", multiple=True, metavar="SID", help="An account that is yours; twilio.com needs each."
        ),
        click.option(
            "--accept-unrestorable",
            is_flag=True,
            help="Set what is null and cannot be unset, with --live too.",
        ),
        click.option("--state-dir", metavar="DIR", help="Where settings are kept until they are put back."),
        click.option("--mask-accounts", is_flag=True, help="Show no Account SID in any output."),
        click.option(
            "--chat-service-sid", metavar="SID", help="A Conversation Service that the account has."
        ),
        click.option(
            "--messaging-service-sid", metavar="SID", help="A Messaging Service that the account has."
        ),
    )
    for flag in reversed(flags):
        function = flag(function)
    return function


@main.command()
@_options
@click.option(
    "--strict-known", is_flag=True, help="Fail on known deviations that expired, or no longer show."
)
@click.option(
    "--observability",
    is_flag=True,
    help="Write testcases.jsonl too, which Tyche reads: what was sent, by class.",
)
@click.option("--json", "as_json", is_flag=True, help="Print result.json instead of the summary.")
def run(as_json: bool, strict_known: bool, observability: bool, **flags: object) -> None:
    """Judge a target by the catalogue of rules."""
    from conformance.exceptions import BaselineError, ConfigurationError
    from conformance.reporting.baseline import apply, read, witnesses
    from conformance.settings import resolve

    try:
        settings = resolve(flags, os.environ, _SETTINGS_FILE)
        known = read(settings.known) if settings.known is not None else ()
    except (ConfigurationError, BaselineError) as error:
        raise Refused(str(error)) from None
    heed(_leave)
    with ExitStack() as stack:
        embedded = None
        if settings.target is None:
            from conformance.transport.embedded import Embedded

            embedded = stack.enter_context(Embedded(settings.accounts))
        from conformance import reporting
        from conformance.api import archive_of, document_of, judge, observations_of

        rules = _select(settings.only)
        try:
            reporting.check_writable(settings.report_dir)
            url = settings.target or (embedded.url() if embedded else "")
        except reporting.ReportError as error:
            raise Refused(str(error)) from None
        archive = stack.enter_context(archive_of(settings, url))
        observations = stack.enter_context(observations_of(settings, url))
        console = reporting.console_for(sys.stderr if as_json else sys.stdout)
        told: list[str] = []

        def tell(line: str) -> None:
            line = settings.shown(line)
            told.append(line)
            console.print(line, soft_wrap=True, markup=False)

        first = [(each.witness_class, sent) for each, sent in witnesses(known, len(settings.accounts))]
        with reporting.Progress(console, limit=settings.max_requests) as shown:
            progress = _unless_interrupted(shown.update)
            heed(_interrupt)
            try:
                judged = {"judged": observations.add} if observability else {}
                outcome = judge(settings, url, rules, progress, first, archive.add, tell, **judged)
            except ConfigurationError as error:
                raise Refused(settings.shown(str(error))) from None
            except KeyboardInterrupt:  # before the run has begun
                sys.exit(_ENDED)
        heed(_leave)
        document = document_of(settings, outcome)
        if settings.known is not None:
            everything = [rule.id for rule in _select(())]
            document = apply(
                document, known, datetime.now(UTC).date(), catalogue=everything, strict=strict_known
            )
        try:
            page = None
            picture = _timer_picture(outcome.timers)
            copies = {reporting.ARCHIVE: archive.copy}
            if observability:
                copies[reporting.OBSERVATIONS] = observations.copy
            _, page, *_ = reporting.write_all(document, settings.report_dir, timer_svg=picture, copies=copies)
            if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
                with Path(summary).open("a", encoding="utf-8") as file:
                    file.write(reporting.RENDERERS["summary.md"](document))
        except (reporting.ReportError, OSError) as error:
            click.echo(f"conformance: {error}", err=True)
        if as_json:
            click.echo(json.dumps(document, indent=1))
        else:
            reporting.print_result(document, console, told=told, page=page)
    sys.exit(document["exit_code"])


def _timer_picture(exchanges: "Sequence[Exchange]") -> str | None:
    """What the run has seen of the timers, as SVG."""
    from conformance.explore import from_exchanges, picture

    points = from_exchanges(exchanges)
    return picture(points) if points else None


def _select(globs: Sequence[str]) -> "tuple[Rule, ...]":
    from conformance.api import select
    from conformance.exceptions import ConfigurationError

    try:
        return select(globs)
    except ConfigurationError as error:
        raise Refused(str(error)) from None


_ENDED = 130
_INTERRUPTED = threading.Event()


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    """Before a run and after it there is nothing to put back."""
    raise SystemExit(_ENDED)


def _interrupt(number: int, frame: FrameType | None) -> None:
    _INTERRUPTED.set()
    # What is raised in the callback that Hypothesis has the garbage collector call is lost: the next request asks.
    if frame is None or frame.f_code.co_name != "gc_callback":
        raise KeyboardInterrupt


def _unless_interrupted(update: Callable[..., None]) -> Callable[..., None]:
    def progress(**told: Any) -> None:
        if _INTERRUPTED.is_set():
            raise KeyboardInterrupt
        update(**told)

    return progress


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print an array of objects.")
def rules(as_json: bool) -> None:
    """List the rules."""
    from conformance.rules import CATALOGUE

    if as_json:
        listed = [
            {
                "id": rule.id,
                "group": rule.group,
                "level": rule.level,
                "statement": rule.statement,
                "source": rule.source,
                "classes": [cls.id for cls in rule.classes],
            }
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
    """Tell one rule in full, with an example request."""
    from conformance import reporting
    from conformance.http import PATH, Exchange
    from conformance.model import Situation
    from conformance.transport.credentials import THROWAWAY

    (rule,) = [rule for rule in _select([rule_id]) if rule.id == rule_id] or [_select([rule_id])[0]]
    click.echo(
        f"{rule.id} ({rule.level.upper()}, {rule.group})\n\n{rule.statement}\n\nSource: {rule.source}\n"
    )
    click.echo("Input classes:")
    for cls in rule.classes:
        click.echo(f"  {cls.id:32} {cls.reason}")
    probe = next((probe for cls in rule.classes for probe in cls.examples(Situation(accounts=2))[:1]), None)
    if probe is not None:
        exchanges = [Exchange(number=number, request=step) for number, step in enumerate(probe.steps, 1)]
        account = reporting.ShellAccount(user=THROWAWAY[0].user, throwaway=THROWAWAY[0].token)
        click.echo("\nExample, for a target on port 4007:")
        click.echo(reporting.curl(exchanges, url=f"http://localhost:4007{PATH}", accounts=[account]))


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=4007, show_default=True, help="Port to listen on; 0 for a free one.")
@click.option("--port-file", metavar="FILE", help="Write the port here once listening.")
@click.option("--database", metavar="FILE", help="Keep the settings here; they survive a kill.")
@click.option(
    "--account", "accounts", multiple=True, metavar="SID:TOKEN", help="An account; may be repeated."
)
@click.option("--fault", "faults", multiple=True, metavar="NAME", help="Build in a fault; may be repeated.")
@click.option(
    "--variant", "variants", multiple=True, metavar="NAME", help="Build in a variant; may be repeated."
)
@click.option("--list-faults", is_flag=True, help="List the faults.")
@click.option("--list-variants", is_flag=True, help="List the variants.")
@click.option("--json", "as_json", is_flag=True, help="List as an array of objects.")
def serve(
    host: str,
    port: int,
    port_file: str | None,
    database: str | None,
    accounts: tuple[str, ...],
    faults: tuple[str, ...],
    variants: tuple[str, ...],
    list_faults: bool,
    list_variants: bool,
    as_json: bool,
) -> None:
    """Serve the reference emulator, right or with faults."""
    from conformance import emulator

    if list_faults or list_variants:
        alternatives = (*emulator.VARIANTS.values(), *emulator.DIALECTS.values())
        _list_alterations(list(emulator.FAULTS.values()) if list_faults else list(alternatives), as_json)
        return
    try:
        emulator.serve(
            host=host,
            port=port,
            port_file=port_file,
            database=database,
            accounts=_emulated_accounts(accounts),
            faults=faults,
            variants=variants,
        )
    except (emulator.EmulatorError, OSError) as error:
        raise Refused(str(error)) from None


def _list_alterations(known: Sequence[Any], as_json: bool) -> None:
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
    """The accounts from the flags, else from the environment, else the throw-away ones that `run` sends."""
    from conformance.exceptions import ConfigurationError
    from conformance.settings import accounts_from
    from conformance.transport.credentials import THROWAWAY

    environ = {"CONFORMANCE_ACCOUNTS": ",".join(given)} if given else os.environ
    try:
        found = accounts_from(environ)
    except ConfigurationError as error:
        raise Refused(str(error)) from None
    return {account.user: account.token for account in found or THROWAWAY}


for command in (plan, timers, replay, diff, report, restore, matrix, baseline, selftest):
    main.add_command(command)

if __name__ == "__main__":
    main()

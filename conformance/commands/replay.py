"""`conformance replay`: sends the recorded requests of a finding again and compares the answer."""

import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from conformance.commands.refused import Refused, result_in

if TYPE_CHECKING:
    from conformance.configuration import RunSettings


@click.command()
@click.argument("finding")
@click.option(
    "--report",
    type=click.Path(path_type=Path),
    default=Path("conformance-report"),
    show_default=True,
    metavar="DIR",
    help="Report that has the finding.",
)
@click.option("--target", metavar="URL", help="Base URL to send to (default: the one in the report).")
@click.option("--live", is_flag=True, help="Send to a target that is neither loopback nor private.")
@click.option("--ca-file", metavar="FILE", help="Certificates to trust, PEM.")
@click.option("--proxy", metavar="URL", help="Proxy to send through.")
@click.option("--timeout", metavar="S", help="Seconds within which an answer must be whole (default: 10).")
def replay(finding: str, report: Path, **flags: object) -> None:
    """
    Send the recorded requests of FINDING again, a fingerprint or its beginning, and compare the answer.

    Exit status 1: it is the same, so it still deviates. 0: it is another one. 3: it could not be reached.
    """
    document = result_in(report)
    chosen = choose(document, finding)
    embedded = flags["target"] is None and document["settings"].get("target", "") is None
    if flags["target"] is None and not embedded:
        flags["target"] = document["target"]
    settings = _settings(flags)
    with ExitStack() as stack:
        url = settings.target or ""
        if embedded:
            from conformance.embedded import Embedded, EmulatorFailed

            try:
                url = stack.enter_context(Embedded(settings.accounts)).url()
            except EmulatorFailed as error:
                raise Refused(str(error)) from None
        sys.exit(_replay(chosen, document["target"], settings, url))


def choose(document: dict[str, Any], prefix: str) -> dict[str, Any]:
    """
    The finding whose fingerprint begins so; for several rules' findings the whole fingerprint tells them apart.

    Raises:
        Refused: there is none, or there are several.
    """
    from conformance.reporting.text import visible

    found = [
        each for each in document["findings"] if prefix and each["fingerprint"].startswith(prefix.lower())
    ]
    if len(found) == 1:
        one: dict[str, Any] = found[0]
        return one
    if found:
        names = ", ".join(
            f"{each['fingerprint'][: len(prefix) + 6]} ({each['rule']} {each['class']})" for each in found
        )
        raise Refused(visible(f"{prefix} is ambiguous: {names}"))
    if not document["findings"]:
        raise Refused("the report has no findings")
    some = ", ".join(each["fingerprint"][:12] for each in document["findings"][:10])
    raise Refused(visible(f"no finding begins with {prefix!r}; there are: {some}", 400))


def _settings(flags: dict[str, object]) -> "RunSettings":
    from conformance.configuration import ConfigurationError, resolve

    try:
        return resolve(flags, os.environ, Path("conformance.toml"))
    except ConfigurationError as error:
        raise Refused(str(error)) from None


def _replay(finding: dict[str, Any], recorded_base: str, settings: "RunSettings", url: str) -> int:
    from conformance.reporting import record, request_of
    from conformance.reporting.facts import differing, facts
    from conformance.reporting.text import answer_line, request_line
    from conformance.target import BudgetExhausted, RateLimitedOut, Target

    for notice in settings.notices:
        click.echo(notice, err=True)
    exchanges = []
    with Target(settings.for_target(url), lambda line: click.echo(line, err=True)) as target:
        for recorded in finding["exchanges"]:
            request = request_of(recorded["request"])
            if request.account >= len(settings.accounts):
                raise Refused(f"this takes {request.account + 1} accounts: set CONFORMANCE_ACCOUNTS")
            try:
                exchange = target.send(request)
            except (BudgetExhausted, RateLimitedOut) as error:
                click.echo(f"conformance: {error}", err=True)
                return 3
            except ValueError as error:  # it names another account, and there is none
                raise Refused(str(error)) from None
            exchanges.append(record(exchange, target.url))
            click.echo(f"sent      {request_line(exchanges[-1])}")
            click.echo(f"answered  {target.redact(answer_line(exchanges[-1]))}")
        redact = target.redact
        before = facts(finding["exchanges"], finding["field"], base=recorded_base, redact=redact)
        now = facts(exchanges, finding["field"], base=url.rstrip("/"), redact=redact)
    click.echo(f"recorded  {answer_line(finding['exchanges'][-1])}")
    if now.get("failure") in ("connect", "tls") and now != before:
        click.echo(f"conformance: {url} cannot be reached", err=True)
        return 3
    other = differing(before, now)
    name = f"{finding['fingerprint'][:12]} {finding['rule']}"
    if not other:
        click.echo(f"same: {name} still deviates")
        return 1
    click.echo(f"different: {name}: {'; '.join(other)}")
    return 0

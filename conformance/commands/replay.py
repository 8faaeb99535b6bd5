"""`conformance replay`: sends the recorded requests of a finding again and compares the answer."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from conformance.commands import options
from conformance.commands.refused import NO_VERDICT, Refused, ended, result_in
from conformance.commands.signals import heed, interrupt

if TYPE_CHECKING:
    from conformance.harness.session import Session
    from conformance.http import Request
    from conformance.settings import RunSettings


@click.command(short_help="Send the requests of a finding again.")
@click.argument("finding")
@click.option(
    "--report",
    type=options.PATH,
    default="conformance-report",
    show_default=True,
    metavar="DIR",
    help="Report that has the finding.",
)
@options.settings(
    "target",
    *options.SAFETY,
    *options.CONNECTION,
    target="Base URL of the target (default: the one in the report).",
)
def replay(finding: str, report: Path, **flags: object) -> None:
    """
    Send the recorded requests of a finding again, and compare the answer with the recorded one.

    FINDING is a fingerprint or its beginning. Exit status 1: the answer is the same, so the target still deviates. 0:
    the answer differs. 3: the target cannot be reached, or it is live and its settings could not be put back later, so
    nothing was sent. 4: settings could not be put back.
    """
    document = result_in(report)
    chosen = choose(document, finding)
    if document["settings"].get("mask_accounts"):
        flags["mask_accounts"] = True  # the recorded answers are masked, so the new ones must be too
    if flags["target"] is None and document["settings"].get("target", "") is not None:
        flags["target"] = document["target"]
    settings = options.resolved(flags)
    heed(interrupt)
    sys.exit(_replay(chosen, settings))


def choose(document: dict[str, Any], prefix: str) -> dict[str, Any]:
    """
    Return the one finding whose fingerprint begins with a prefix.

    Raises:
        Refused: No finding or several findings begin so.
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


def _take_snapshots(session: "Session", accounts: list[int]) -> None:
    """Read the settings that are to be put back, before any request that might write."""
    from conformance.http import READ
    from conformance.model import shown_by

    for account in accounts:
        exchange = session.target.send(replace(READ, account=account))
        if (shown := shown_by(exchange)) is not None:
            session.learn(reader=READ, takes_empty=False)
            session.safeguard.snapshot(account, shown)
        elif exchange.response is not None:
            session.safeguard.unreadable(account)
    session.safeguard.begin()


def _moments(recorded: list[dict[str, Any]]) -> Iterator[list["Request"]]:
    """Yield the recorded requests in order; those that were sent at the same moment are one list."""
    from conformance.reporting import request_of

    for together, group in groupby(recorded, key=lambda each: each.get("together", False)):
        requests = [request_of(each["request"]) for each in group]
        yield from [requests] if together else ([request] for request in requests)


def _at_issue(finding: dict[str, Any], moments: list[list["Request"]]) -> set[str]:
    """Return the attributes of the settings that the requests name, or that the finding is about."""
    from conformance.http import parameters_of
    from conformance.model import FIELDS

    named = {name for requests in moments for request in requests for name, _ in parameters_of(request)}
    return {
        each.attribute
        for each in FIELDS
        if each.parameter in named or finding["field"] in (each.parameter, each.attribute)
    }


def _replay(finding: dict[str, Any], settings: "RunSettings") -> int:
    from conformance.api import redaction
    from conformance.exceptions import RunEnded
    from conformance.fidelity.ends import opened
    from conformance.fidelity.outcome import changes, outcome_of
    from conformance.harness.session import Session
    from conformance.reporting import record
    from conformance.reporting.recorded import exchange_of
    from conformance.reporting.result import plain
    from conformance.reporting.text import answer_line, request_line

    tell = options.teller(settings)
    moments = list(_moments(finding["exchanges"]))
    accounts = sorted({request.account for requests in moments for request in requests})
    if accounts and accounts[-1] >= len(settings.accounts):
        raise Refused(f"this takes {accounts[-1] + 1} accounts: set CONFORMANCE_ACCOUNTS")
    exchanges, is_interrupted, failed = [], False, 0
    with opened(settings, tell) as player:
        target, url = player.target, player.target.settings.url
        redact = redaction(settings, url)
        session = Session(target, (), settle=settings.settle, safeguard=player.safeguard)
        try:
            if settings.target is not None:
                _take_snapshots(session, accounts)
            for requests in moments:
                send = session.conversation.try_again
                seen = send((), requests) if len(requests) > 1 else send(requests)
                # The target may refuse another one of them each time: the refused ones are compared last.
                for exchange, _ in sorted(seen, key=lambda each: each[0].refused):
                    exchanges.append(plain(record(exchange, target.url), redact))
                    click.echo(f"sent      {request_line(exchanges[-1])}")
                    click.echo(f"answered  {answer_line(exchanges[-1])}")
        except RunEnded as error:
            tell(f"conformance: {error}")
            failed = NO_VERDICT
        except ValueError as error:  # it names another account, and there is none
            raise Refused(str(error)) from None
        except KeyboardInterrupt:
            is_interrupted = True
        finally:
            restored, again = session.restorer().put_back()
            status = ended(restored, is_interrupted or again, tell, settings.target)
        if status or failed:
            return status or failed
        accounts_shown = [plain(account.sid or "", redact) for account in settings.accounts]
    click.echo(f"recorded  {answer_line(finding['exchanges'][-1])}")
    recorded = plain(finding["exchanges"][-1], redact)
    before, now = (
        outcome_of(exchange_of(1, moments[-1][-1], each), accounts_shown)
        for each in (recorded, exchanges[-1])
    )
    if now.status in ("connect", "tls") and now != before:
        click.echo(f"conformance: {url} cannot be reached", err=True)
        return NO_VERDICT
    other = changes(before, now, _at_issue(finding, moments))
    name = f"{finding['fingerprint'][:12]} {finding['rule']}"
    if not other:
        click.echo(f"same: {name} still deviates")
        return 1
    click.echo(f"different: {name}: {'; '.join(other)}")
    return 0

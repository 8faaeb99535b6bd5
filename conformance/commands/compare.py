"""`conformance compare`: compares a target with another one, with a recording, or with its own past."""

import json
import sys
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from conformance.commands import options
from conformance.commands.refused import NO_VERDICT, ended
from conformance.commands.signals import ENDED, heed, interrupt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.fidelity.comparing import Kind
    from conformance.fidelity.playing import Player
    from conformance.fidelity.recording import Recording
    from conformance.fidelity.running import Compared
    from conformance.fidelity.script import Script
    from conformance.settings import RunSettings

ALIKE, DIFFERENT = 0, 1
"""Exit statuses of a comparison."""

_KINDS = ("accept", "state", "code", "spelling")
_MESSAGE = "message"


@click.command()
@click.argument("reference")
@click.argument("candidate")
@click.option(
    "--scope",
    type=click.Choice(["documented", "all"]),
    default="all",
    show_default=True,
    help="`documented` leaves out differences that the document allows.",
)
@click.option(
    "--only",
    "kinds",
    multiple=True,
    type=click.Choice((*_KINDS, _MESSAGE)),
    help="Kind of difference to report and to fail on; may be repeated (default: all but message).",
)
@click.option(
    "--max-age",
    type=click.IntRange(0),
    metavar="DAYS",
    help="Give no verdict on a recording older than this.",
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document instead of the text.")
@options.settings(
    "known",
    "profile",
    "seed",
    "max-requests",
    "rate",
    "settle",
    *options.CONNECTION,
    *options.SAFETY,
    "chat-service-sid",
    "messaging-service-sid",
    known="Known deviations, TOML: they do not fail the comparison.",
    profile="How much to send: quick or standard (default: quick).",
    max_requests="Requests to each target at most; putting the settings back is not counted.",
)
def compare(
    reference: str,
    candidate: str,
    scope: str,
    kinds: tuple[str, ...],
    max_age: int | None,
    as_json: bool,
    **flags: object,
) -> None:
    """
    Compare what two targets answer to the same script.

    REFERENCE and CANDIDATE are each a base URL, `emulator`, or a file: a recording, an HTTP archive (HAR), or a
    cassette of VCR. Exit status 0: they are alike. 1: they differ. 3: there is no verdict. 4: settings could not be put
    back.
    """
    from conformance.fidelity import report
    from conformance.fidelity.comparing import Kind
    from conformance.fidelity.ends import is_file, read, script_for
    from conformance.reporting.baseline import read as read_known

    heed(interrupt)
    flags["profile"] = flags["profile"] or "quick"
    names = (reference, candidate)
    settings = {place: _settings(name, flags) for place, name in enumerate(names) if not is_file(name)}
    moment = datetime.now(UTC)
    files = {place: read(Path(name)) for place, name in enumerate(names) if is_file(name)}
    path = flags["known"] or next((each.known for each in settings.values() if each.known), None)
    known = read_known(Path(str(path))) if path else ()
    if not all(
        _is_fresh(name, files[place], moment, max_age) for place, name in enumerate(names) if place in files
    ):
        sys.exit(NO_VERDICT)
    script = None if files else script_for(settings.values(), str(flags["profile"]))
    chosen = tuple(Kind[each.upper()] for each in kinds or _KINDS)
    compared, accounts, status = _compared(files, settings, script, chosen)
    if compared is None:
        sys.exit(status or NO_VERDICT)
    document = report.document(
        compared,
        scope=scope,
        kinds=chosen,
        known=known,
        today=moment.date(),
        accounts=accounts,
    )
    # The past of one target; recordings of two targets differ, and nothing has become of either.
    dated = len(files) == len(names) and compared.reference.target == compared.candidate.target
    click.echo(json.dumps(document, indent=1) if as_json else "\n".join(report.text(document, dated=dated)))
    if status in (ALIKE, NO_VERDICT) and report.fails(document):
        sys.exit(DIFFERENT)
    if status:
        sys.exit(status)
    if not document["counts"]["alike"] + document["counts"]["different"]:
        click.echo("conformance: no verdict: nothing could be compared", err=True)
        sys.exit(NO_VERDICT)


def _settings(name: str, flags: dict[str, object]) -> "RunSettings":
    """Return the settings of one target, without the flags that do not apply to it."""
    own: dict[str, Any] = dict(flags)
    if name == "emulator":
        own |= dict.fromkeys(("live", "proxy", "ca_file"))
    elif not name.lower().startswith("https:"):
        own["ca_file"] = None
    own["target"] = None if name == "emulator" else name
    settings = options.resolved(own)
    # A live target gets no more than the script. Any other may be sent a step with a doubtful answer again.
    return (
        settings
        if settings.live or "max_requests" in settings.given
        else replace(settings, max_requests=None)
    )


def _is_fresh(name: str, recording: "Recording", moment: datetime, max_age: int | None) -> bool:
    """Print the age of a file, and return whether --max-age allows for it."""
    from conformance.fidelity.report import age
    from conformance.reporting.text import plural

    days = age(recording, moment)
    known = (
        f"was recorded {recording.recorded_at}, {plural(days, 'day')} ago"
        if days is not None
        else "has no date"
    )
    click.echo(f"{name} {known}", err=True)
    for note in recording.notes:
        click.echo(f"{name}: {note}", err=True)
    if max_age is None or (days is not None and days <= max_age):
        return True
    click.echo(f"conformance: no verdict: --max-age allows {max_age} days; record again", err=True)
    return False


def _compared(
    files: dict[int, "Recording"],
    settings: dict[int, "RunSettings"],
    script: "Script | None",
    kinds: "Sequence[Kind]",
) -> tuple["Compared | None", list[Any], int]:
    """
    Open the targets, compare the two sides, and put the settings back.

    Return the comparison, None where there is none, the accounts of each side, and an exit status.
    """
    from conformance.api import shell_accounts
    from conformance.exceptions import RunEnded
    from conformance.fidelity.ends import opened
    from conformance.fidelity.running import run
    from conformance.harness.events import RequestSent
    from conformance.reporting import Progress, console_for

    def tell(line: str) -> None:
        click.echo(line, err=True)

    compared, status, is_interrupted = None, ALIKE, False
    ends: dict[int, Recording | Player] = dict(files)
    players: list[Player] = []
    with ExitStack() as stack:
        for place, own in settings.items():
            ends[place] = player = stack.enter_context(opened(own, tell))
            players.append(player)
        try:
            for player in players:
                player.read_settings(min(2, *(len(each.target.settings.accounts) for each in players), 2))
            with Progress(console_for(sys.stderr)) as shown:
                compared = run(
                    [ends[0], ends[1]],
                    script,
                    lambda cls, sent: shown.update(RequestSent(phase="comparing", cls=cls, requests=sent)),
                    kinds,
                )
            for place in settings:
                for note in (compared.reference, compared.candidate)[place].notes:
                    tell(f"conformance: {note}")
            if any(player.is_gone for player in players):
                status = NO_VERDICT
        except RunEnded as error:
            tell(f"conformance: no verdict: {error}")
        except KeyboardInterrupt:
            is_interrupted = True
        finally:
            for player, own in zip(players, settings.values(), strict=True):
                restored, again = player.put_back(0.0)
                is_interrupted = is_interrupted or again
                if own.target is not None:
                    status = max(status, ended(restored, is_interrupted, tell, own.target))
        if is_interrupted and status != ENDED:
            tell("conformance: interrupted")
            status = ENDED
    return (
        compared,
        [shell_accounts(settings[place]) if place in settings else [] for place in (0, 1)],
        status,
    )

"""`conformance compare`: holds one target against another, against a recording, or against its past."""

import json
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from conformance.commands import options
from conformance.commands.refused import Refused
from conformance.commands.signals import heed, interrupt

if TYPE_CHECKING:
    from conformance.fidelity.playing import Player
    from conformance.fidelity.recording import Recording
    from conformance.settings import RunSettings

ALIKE, DIFFERENT, NO_VERDICT, NOT_RESTORED, INTERRUPTED = 0, 1, 3, 4, 130
"""Exit statuses; 2 is a usage error."""

_KINDS = ("accept", "state", "code", "spelling")


@click.command()
@click.argument("reference")
@click.argument("candidate")
@click.option(
    "--only",
    "kinds",
    multiple=True,
    type=click.Choice(_KINDS),
    help="Kind of difference to tell and to fail on; may be repeated (default: all).",
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document instead of the text.")
@options.settings(
    "profile",
    "seed",
    "rate",
    "settle",
    *options.CONNECTION,
    *options.SAFETY,
    "chat-service-sid",
    "messaging-service-sid",
    profile="How much to send: quick or standard (default: quick).",
)
def compare(reference: str, candidate: str, kinds: tuple[str, ...], as_json: bool, **flags: object) -> None:
    """
    Compare what two targets answer to the same script.

    REFERENCE and CANDIDATE are each a base URL, `emulator`, or a file: a recording, an HTTP archive (HAR), or a
    cassette of VCR. Exit status 0: they are alike. 1: they differ. 3: there is no verdict. 4: settings could not be put
    back.
    """
    heed(interrupt)
    flags["profile"] = flags["profile"] or "quick"
    try:
        sys.exit(_compare((reference, candidate), kinds or _KINDS, as_json, flags))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def _compare(ends: tuple[str, str], kinds: Sequence[str], as_json: bool, flags: dict[str, object]) -> int:
    from conformance.exceptions import ConfigurationError, EmulatorFailed, RecordingError, RunEnded
    from conformance.fidelity import telling
    from conformance.fidelity.comparing import Kind, compare
    from conformance.fidelity.ends import is_file, opened, read, script_for, script_of

    def tell(line: str) -> None:
        click.echo(line, err=True)

    players: list[Player] = []
    failed: list[str] = []
    interrupted = False
    recordings: dict[int, Recording] = {}
    settings = {place: _settings(end, flags) for place, end in enumerate(ends) if not is_file(end)}
    try:
        for place, end in enumerate(ends):
            if is_file(end):
                recordings[place] = read(Path(end))
    except RecordingError as error:
        raise Refused(str(error)) from None
    try:
        with ExitStack() as stack:
            script = None if recordings else script_for(settings.values(), str(flags["profile"]))
            try:
                for place, own in settings.items():
                    steps = script or script_of(next(iter(recordings.values())), len(own.accounts))
                    player = stack.enter_context(opened(own, tell))
                    players.append(player)
                    player.look(steps.accounts)
                    recordings[place] = player.play(steps)
                    if script is not None:
                        script = script_of(recordings[place], script.accounts)
            except RunEnded as error:
                tell(f"conformance: no verdict: {error}")
            finally:
                for player in players:
                    restored, was = player.put_back(0.0)
                    interrupted = interrupted or was
                    failed += restored.failed if restored.state == "failed" else ()
    except (ConfigurationError, EmulatorFailed) as error:
        raise Refused(str(error)) from None
    if interrupted:
        return INTERRUPTED
    if failed:
        tell(f"conformance: NOT RESTORED: {', '.join(failed)}")
        return NOT_RESTORED
    if len(recordings) < len(ends):
        return NO_VERDICT
    chosen = [Kind[each.upper()] for each in kinds]
    told = telling.document(recordings[0], recordings[1], compare(recordings[0], recordings[1]), kinds=chosen)
    click.echo(json.dumps(told, indent=1) if as_json else "\n".join(telling.text(told)))
    return DIFFERENT if told["groups"] else ALIKE


def _settings(end: str, flags: dict[str, object]) -> "RunSettings":
    """Return the settings of one target; what says nothing about it is left out."""
    own: dict[str, Any] = dict(flags)
    if end == "emulator":
        own |= dict.fromkeys(("live", "proxy", "ca_file"))
    elif not end.lower().startswith("https:"):
        own["ca_file"] = None
    own["target"] = None if end == "emulator" else end
    return options.resolved(own)

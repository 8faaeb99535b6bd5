"""`conformance record`: records what a target answers to the script."""

import sys
from pathlib import Path

import click

from conformance.commands import options
from conformance.commands.refused import NO_VERDICT, Refused, ended
from conformance.commands.signals import ENDED, heed, interrupt


@click.command(short_help="Record what a target answers, as a file to compare with.")
@options.settings("target")
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="File to write.",
)
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
def record(out: Path, **flags: object) -> None:
    """
    Record what a target answers to the script, as a file of JSON lines without tokens and Account SIDs.

    Exit status 0: the file is written. 3: the target cannot be recorded. 4: settings could not be put back.
    """
    from conformance.exceptions import RecordingError, RunEnded
    from conformance.fidelity.ends import opened, script_for
    from conformance.fidelity.playing import file_of
    from conformance.harness.events import RequestSent
    from conformance.reporting import Progress, console_for, replacing

    heed(interrupt)
    flags["profile"] = flags["profile"] or "quick"
    settings = options.resolved(flags)
    tell = options.teller(settings)
    data, is_interrupted = b"", False
    with opened(settings, tell) as player:
        script = script_for([settings], settings.profile)
        try:
            player.read_settings(script.accounts)
            with Progress(console_for(sys.stderr), limit=settings.max_requests) as shown:
                recording = player.play(
                    script,
                    lambda cls, sent: shown.update(RequestSent(phase="recording", cls=cls, requests=sent)),
                )
            data = file_of(recording, player)
        except (RunEnded, RecordingError) as error:
            tell(f"conformance: nothing was recorded: {error}")
        except KeyboardInterrupt:
            is_interrupted = True
        finally:
            restored, again = player.put_back(settings.settle)
            status = ended(restored, is_interrupted or again, tell, settings.target)
    if data and status != ENDED:
        try:
            with replacing(out) as file:
                file.write(data)
        except OSError as error:
            raise Refused(f"cannot write {out}: {error.strerror}; choose another --out") from None
        click.echo(f"{len(recording.taken)} steps of {recording.target} are in {out}")
    sys.exit(status or (0 if data else NO_VERDICT))

"""`conformance restore`: puts back settings that a run has changed and did not put back."""

import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from conformance.commands import options
from conformance.commands.refused import NO_VERDICT, NOT_RESTORED, Refused
from conformance.commands.signals import ENDED, heed, interrupt

if TYPE_CHECKING:
    from conformance.safety.journal import Entry, Journal
    from conformance.settings import RunSettings

RESTORED, USAGE = 0, 2
"""Further exit statuses; of several accounts the highest one is given."""


@click.command(short_help="Put back settings that a run left changed.")
@options.settings("target", target="Put back only what was left at this target (default: everywhere).")
@click.option("--list", "only_list", is_flag=True, help="Only list what there is to put back.")
@click.option("--discard", is_flag=True, help="List what there is to put back, and forget it.")
@options.settings("state-dir", "mask-accounts", *options.CONNECTION)
def restore(only_list: bool, discard: bool, **flags: object) -> None:
    """
    Put back the settings that a run has changed and did not put back, because it was killed or the target was gone.

    The command writes the settings, reads them again and compares. Exit status 0: all have their values again, or there
    was nothing to do. 4: some do not, or the file that keeps them cannot be read. 3: a target cannot be reached, or
    refuses the credentials. 2: credentials or the directory are missing, or another run is at work on the account.
    """
    from conformance.exceptions import ConfigurationError, JournalError, Locked
    from conformance.safety.journal import Journal, entries, read, state_directory, tidy
    from conformance.safety.places import places

    heed(interrupt)
    settings = _settings(flags)
    directory = state_directory(settings.state_dir)
    if settings.state_dir is not None and _is_missing(directory):
        # An empty directory has nothing to put back; of a mistyped one this cannot be said.
        raise Refused(f"{directory}: there is no such directory; --state-dir names the one of the run")
    at = places(settings.target, settings.addresses) if settings.target is not None else ()
    codes = [RESTORED]
    found = 0
    try:
        for path in entries(directory):
            try:
                if not path.exists():  # it kept the same settings as an earlier one, which are in force again
                    continue
                entry = read(path)
                if settings.target is not None and not entry.is_of(settings.target, at):
                    continue
                found += 1
                click.echo(settings.shown(_described(entry)))
                if not only_list:
                    with Journal(directory, entry.target, [entry.account], entry.places) as journal:
                        if discard:
                            journal.drop(0)
                            click.echo("  forgotten")
                        else:
                            codes.append(_put_back(journal, entry, flags))
            except (Locked, ConfigurationError) as error:
                codes.append(_failed(USAGE, settings.shown(str(error))))
            except JournalError as error:
                if discard and settings.target is None and not isinstance(error.__context__, OSError):
                    path.unlink(missing_ok=True)
                    click.echo(f"{path}: removed, it was damaged")
                else:
                    codes.append(_failed(NOT_RESTORED, str(error)))
            except OSError as error:
                codes.append(_failed(NOT_RESTORED, f"{path}: {error.strerror or error}"))
        tidy(directory)
    except JournalError as error:
        codes.append(_failed(NOT_RESTORED, f"{error}; make it readable, or name another --state-dir"))
    except KeyboardInterrupt:
        codes.append(ENDED)
    if not found and codes == [RESTORED]:
        click.echo(f"there is nothing to put back{f' at {settings.target}' if settings.target else ''}")
    sys.exit(max(codes))


def _is_missing(directory: Path) -> bool:
    try:
        directory.stat()
    except FileNotFoundError:
        return True
    except OSError:  # to list its files says what is wrong
        return False
    return False


def _settings(flags: Mapping[str, object]) -> "RunSettings":
    """Return settings with every permission: the run that changed the target had them, and this undoes it."""
    from conformance.settings import resolve
    from conformance.transport.credentials import accounts_from

    environ = dict(os.environ)
    found = accounts_from(environ)
    own = [account.sid for account in found if account.sid is not None]
    allowed = {"LIVE": "1", "I_OWN": ",".join(own), "PROFILE": "quick"}
    environ |= {f"CONFORMANCE_{name}": value for name, value in allowed.items()}
    settings = resolve(flags, environ, options.SETTINGS_FILE)
    # Without a target the settings are those for the emulator; what is put back, and shown, is the user's.
    return replace(settings, accounts=found or settings.accounts)


def _described(entry: "Entry") -> str:
    from conformance.reporting.text import visible

    values = ", ".join(f"{name} {value or 'null'}" for name, value in entry.settings.items())
    return visible(f"{entry.account} at {entry.target}, {entry.taken}, {entry.process}: {values}", 1_000)


def _put_back(journal: "Journal", entry: "Entry", flags: Mapping[str, object]) -> int:
    """Write one account's settings, read them again and compare; return the exit status."""
    settings = _settings({**flags, "target": entry.target})
    name = entry.account.lower()
    account = next((each for each in settings.accounts if (each.sid or each.user).lower() == name), None)
    if account is None:
        return _failed(USAGE, settings.shown(f"no credentials for {entry.account} are set"))
    if journal.pending(0) is None:  # another process has put them back meanwhile
        return RESTORED
    from conformance.exceptions import RateLimitedOut, TargetDead
    from conformance.http import READ, TURNED_AWAY
    from conformance.model import shown_by
    from conformance.safety.restore import Restorer
    from conformance.safety.safeguard import Safeguard
    from conformance.transport.target import Target

    with Target(replace(settings.for_target(entry.target), accounts=(account,))) as target:
        safeguard = Safeguard(
            journal=journal,
            tell=lambda line: click.echo(f"  {settings.shown(line)}"),
            names=[entry.account],
        )
        try:
            exchange = target.send(READ, known_good=True)
        except (TargetDead, RateLimitedOut) as error:
            return _failed(NO_VERDICT, str(error))
        if exchange.failure is not None and exchange.response is None:
            return _failed(NO_VERDICT, f"{target.url} gave no answer over HTTP: {exchange.failure.detail}")
        if exchange.status in TURNED_AWAY:
            line = f"the target refused the credentials of {entry.account}"
            return _failed(NO_VERDICT, settings.shown(line))
        safeguard.adopt(0, entry.settings)
        reader = READ if shown_by(exchange) is not None else None
        restorer = Restorer(target=target, safeguard=safeguard, reader=reader, settle=settings.settle)
        restored, interrupted = restorer.put_back()
    if restored.unrestorable:
        click.echo(
            f"  settings that were null before and cannot be made null again: {', '.join(restored.unrestorable)}"
        )
    if restored.state == "restored":
        click.echo("  restored")
        code = RESTORED
    else:
        names = ", ".join(restored.failed) or "they cannot be read again"
        gone = f"; {target.silence.line(target.url)}" if target.silence.suspects else ""
        code = _failed(NOT_RESTORED, f"not restored: {names}{gone}")
    if interrupted:
        raise KeyboardInterrupt
    return code


def _failed(code: int, line: str) -> int:
    click.echo(f"conformance: {line}", err=True)
    return code

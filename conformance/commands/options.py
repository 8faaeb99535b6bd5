"""The command-line options for the settings of a run: each is defined once, and a command names those it takes."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from conformance.settings import RunSettings

_RUN: dict[str, tuple[str, str]] = {
    "target": ("URL", "Base URL of the target. Without it, the embedded emulator is the target."),
    "app": ("MODULE:NAME", "ASGI or WSGI application to judge in this process, without a socket."),
    "profile": ("NAME", "How much to send: quick, standard or thorough (default: standard)."),
    "only": ("GLOB", "Rules to judge, by id or group; may be repeated."),
    "fail-on": ("must|should", "Level from which a deviation fails the run (default: must)."),
    "sdk": ("", "Update and read with the official Python client too (it needs the package twilio)."),
    "seed": ("N", "Seed of everything that is drawn (default: 0)."),
    "shard": ("K/N", "Send only the Kth of N shares; `conformance merge` puts the results together."),
    "max-requests": ("N", "Requests at most; putting the settings back is not counted."),
    "max-time": (
        "S",
        "Seconds at most; putting the settings back may take a minute more (default: 600, plus what --rate costs).",
    ),
    "report-dir": ("DIR", "Where reports are written."),
    "known": ("FILE", "Known deviations, TOML: they do not fail the run."),
    "examples": (
        "URL",
        "Directory, redis:// or github:owner/repository/artifact: examples that broke a rule, tried first.",
    ),
    "settle": ("S", "Seconds within which a write must be seen (default: 0)."),
    "ca-file": ("FILE", "Certificates to trust, PEM."),
    "proxy": ("URL", "Proxy to send through. The environment's proxies are never used."),
    "rate": ("N", "Requests per second at most."),
    "timeout": ("S", "Seconds within which an answer must be complete (default: 10)."),
    "wait": ("S", "Seconds to wait until a target that is being started answers (default: 0)."),
    "live": ("", "Allow a target that is neither loopback nor private."),
    "i-own": ("SID", "An account that is yours; may be repeated. twilio.com needs one for each account."),
    "accept-unrestorable": ("", "With --live: also set settings that are null now, which cannot be undone."),
    "state-dir": ("DIR", "Where settings are kept until they are put back."),
    "mask-accounts": ("", "Show no Account SID in any output."),
    "chat-service-sid": ("SID", "A Conversation Service that the account has."),
    "messaging-service-sid": ("SID", "A Messaging Service that the account has."),
}
"""By name, the metavar, which is empty for a switch, and the help."""

_REPEATED = ("only", "i-own")

SETTINGS_FILE = Path("conformance.toml")

SAFETY = ("live", "i-own", "accept-unrestorable", "state-dir")
CONNECTION = ("ca-file", "proxy", "timeout")
ALL = tuple(_RUN)

PATH = click.Path(path_type=Path)
"""The type of an option or argument that takes the path of a file or a directory."""

STRICT_KNOWN = click.option(
    "--strict-known", is_flag=True, help="Fail on known deviations that have expired or no longer show."
)

Command = Callable[..., Any]


def output(metavar: str, text: str, default: str | None = None) -> Callable[[Command], Command]:
    """Return the option that says where a command writes: a path, by default `default`."""
    return click.option(
        "-o", "--output", type=PATH, metavar=metavar, default=default, show_default=bool(default), help=text
    )


def settings(*names: str, **other_help: str) -> Callable[[Command], Command]:
    """
    Add settings of a run to a command as options.

    An option that is not given is None, false or an empty tuple: `conformance.settings.resolve` then takes the value
    from the environment or from conformance.toml.

    Args:
        names: The options without their dashes, in the order of the help.
        other_help: By name with underscores, a help text that says what the option does in this command.
    """

    def decorate(command: Command) -> Command:
        for name in reversed(names):
            metavar, text = _RUN[name]
            text = other_help.get(name.replace("-", "_"), text)
            kind: dict[str, Any] = (
                {"metavar": metavar, "multiple": name in _REPEATED} if metavar else {"is_flag": True}
            )
            command = click.option(f"--{name}", help=text, **kind)(command)
        return command

    return decorate


def resolved(flags: Mapping[str, object]) -> "RunSettings":
    """
    Return the settings of a run from the options, the environment and conformance.toml.

    Raises:
        ConfigurationError: A setting is malformed, missing, or contradicts another one.
    """
    from conformance.settings import resolve

    settings = resolve(flags, os.environ, SETTINGS_FILE)
    click.get_current_context().find_root().ensure_object(list).append(settings)
    return settings


def teller(settings: "RunSettings") -> Callable[[str], None]:
    """Return a function that prints a line to standard error, as the settings allow it to be shown."""
    return lambda line: click.echo(settings.shown(line), err=True)


def shown(context: click.Context, line: str) -> str:
    """Return a line as it may be shown, by all settings that were resolved within a context."""
    for settings in context.ensure_object(list):
        line = settings.shown(line)
    return line

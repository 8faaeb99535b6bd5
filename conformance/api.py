"""A run from settings to result document: what every front does, in one place."""

import difflib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from fnmatch import fnmatchcase
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from conformance.exceptions import ConfigurationError, JournalError
from conformance.http import Exchange, Request
from conformance.model import CHAT, MESSAGING, Report, Rule
from conformance.safety.journal import state_directory
from conformance.safety.safeguard import Safeguard, safeguarded
from conformance.settings import RunSettings

if TYPE_CHECKING:  # its import costs more than what is here
    from conformance.harness.events import Listener
    from conformance.reporting import Archive, Observations, Redact

_QUIET = 10.0
"""Seconds after a line on waiting in which there is no other."""

_AGAIN = (
    "rate",
    "timeout",
    "ca_file",
    "chat_service_sid",
    "messaging_service_sid",
    "live",
    "accept_unrestorable",
)
"""Settings that a report tells where they were given, since the same run takes them."""

_SUITE = "twilio-configuration-conformance"


def select(globs: Sequence[str]) -> tuple[Rule, ...]:
    """
    The rules whose ids match any of the globs; all of them without globs.

    Raises:
        ConfigurationError: a glob matches nothing.
    """
    # It imports Hypothesis: only once there is something to run, and an emulator has been started.
    from conformance.rules import BY_ID, CATALOGUE

    for glob in globs:
        if not any(fnmatchcase(name, glob) for name in BY_ID):
            near = difflib.get_close_matches(glob, BY_ID, n=1)
            hint = f"did you mean {near[0]}?" if near else "`conformance rules` lists them"
            raise ConfigurationError(f"no rule matches {glob!r}; {hint}")
    return tuple(rule for rule in CATALOGUE if not globs or any(fnmatchcase(rule.id, glob) for glob in globs))


def judge(
    settings: RunSettings,
    url: str,
    rules: Sequence[Rule],
    listener: "Listener" = lambda event: None,
    first: Sequence[tuple[str, tuple[Request, ...]]] = (),
) -> Report:
    """
    Run the catalogue's rules against a base URL.

    Args:
        settings: Settings of the run.
        url: The base URL.
        rules: The rules to judge by.
        listener: Hears what happens meanwhile; of `ExchangeEnded` on several threads.
        first: By input class, requests that are sent before anything else that is drawn.

    Raises:
        ConfigurationError: Another run is at work there, or an earlier one has left something to put back first.
    """
    from conformance.harness.events import ExchangeEnded, Notice
    from conformance.harness.executor import Plan, run
    from conformance.transport.target import Target

    def tell(line: str) -> None:
        listener(Notice(line=line))

    def seen(exchange: Exchange) -> None:
        listener(ExchangeEnded(exchange=exchange))

    plan = Plan(
        profile=settings.profile,
        seed=settings.seed,
        fail_on=settings.fail_on,
        settle=settings.settle,
        provisioned={
            CHAT.parameter: settings.chat_service_sid,
            MESSAGING.parameter: settings.messaging_service_sid,
        },
        first=tuple(first),
    )
    with (
        safe(settings, tell) as safeguard,
        Target(settings.for_target(url), _now_and_then(tell), seen) as target,
    ):
        for notice in settings.notices:
            tell(notice)
        report = run(rules, target, plan, listener=listener, safeguard=safeguard)
    return replace(
        report, notices=(*settings.notices, *report.notices, *filter(None, [target.pace.slowed()]))
    )


def _now_and_then(tell: Callable[[str], None]) -> Callable[[str], None]:
    """Tell one line of many: a target that is rate-limited makes a run wait again and again."""
    told = -_QUIET

    def some(line: str) -> None:
        nonlocal told
        if (now := time.monotonic()) - told >= _QUIET:
            told = now
            tell(line)

    return some


@contextmanager
def safe(settings: RunSettings, tell: Callable[[str], None], *, adopts: bool = True) -> Iterator[Safeguard]:
    """
    What is promised about the settings that a run finds, with its journal and the lock on its accounts.

    Args:
        settings: of the run.
        tell: called with what the user should know at once, one line each.
        adopts: whether the run may put back, at its end, what an earlier one has left; never a live one.

    Raises:
        ConfigurationError: another run is at work there, or an earlier one has left something to put back first.
    """
    if settings.target is None:  # nobody misses what the embedded emulator held
        yield Safeguard()
        return
    try:
        with safeguarded(
            settings.target,
            [account.sid or account.user for account in settings.accounts],
            state_directory(settings.state_dir),
            live=settings.live,
            adopts=adopts and not settings.live,
            accept_unrestorable=settings.accept_unrestorable,
            tell=tell,
        ) as safeguard:
            yield safeguard
    except JournalError as error:
        raise ConfigurationError(str(error)) from None


def archive_of(settings: RunSettings, url: str) -> "Archive":
    """Where every exchange of a run goes; it is read for `exchanges.har` when the run has ended."""
    from conformance.reporting import Archive

    return Archive(settings.report_dir, target=url, version=version(_SUITE), redact=_redaction(settings, url))


def observations_of(settings: RunSettings, url: str) -> "Observations":
    """Where what is sent goes in Hypothesis' observability format; it is read for `testcases.jsonl`."""
    from conformance.reporting import Observations

    return Observations(settings.report_dir, redact=_redaction(settings, url))


def _redaction(settings: RunSettings, url: str) -> "Redact | None":
    """What takes tokens out of reports, and SIDs that are to be masked; throw-away tokens are public."""
    from conformance.transport.credentials import THROWAWAY
    from conformance.transport.redaction import Secrets

    secret = [account for account in settings.accounts if account not in THROWAWAY]
    hidden = settings.accounts if settings.mask_accounts else ()
    return Secrets(secret, url, hidden).redact if secret or hidden else None


def document_of(settings: RunSettings, report: Report) -> dict[str, Any]:
    """The result document of a report, in which credentials are spelled as a shell has them."""
    from conformance import reporting
    from conformance.transport.credentials import THROWAWAY

    accounts = [
        reporting.ShellAccount(user=account.user, throwaway=account.token if account in THROWAWAY else "")
        for account in (() if settings.mask_accounts else settings.accounts)
    ]
    # What it takes to run the same again; null: the embedded emulator was judged.
    again = {
        "target": settings.target,
        "only": settings.only,
        "known": settings.known and str(settings.known),
        "mask_accounts": settings.mask_accounts,
        **{name: getattr(settings, name) for name in _AGAIN if name in settings.given},
    }
    report = replace(report, settings={**report.settings, **again})
    options = ["--cacert", str(Path(settings.ca_file).absolute())] if settings.ca_file else []
    if settings.proxy:
        parts = urlsplit(settings.proxy)
        # Its user and password are secrets: they are left out.
        options += ["--proxy", parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()]
    redact = _redaction(settings, report.target)
    return reporting.build(report, accounts=accounts, curl_options=options, redact=redact)

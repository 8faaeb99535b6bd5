"""A run from settings to result document: what every front does, in one place."""

import difflib
from collections.abc import Callable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

from conformance.configuration import ConfigurationError, RunSettings
from conformance.model import CHAT, MESSAGING, Report, Request, Rule


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
    progress: Callable[..., None] | None = None,
    first: Sequence[tuple[str, tuple[Request, ...]]] = (),
) -> Report:
    """Run the catalogue's rules against a base URL; `first` is sent before anything else that is drawn."""
    from conformance.executor import Plan, run
    from conformance.target import Target

    waits: list[str] = []
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
    with Target(settings.for_target(url), waits.append) as target:
        report = run(
            rules,
            target,
            plan,
            progress=lambda phase, cls, requests: (
                progress(phase=phase, rule=cls, requests=requests) if progress else None
            ),
        )
    return replace(report, notices=(*settings.notices, *report.notices, *dict.fromkeys(waits)))


def document_of(settings: RunSettings, report: Report) -> dict[str, Any]:
    """The result document of a report, in which credentials are spelled as a shell has them."""
    from conformance import reporting
    from conformance.credentials import THROWAWAY, Secrets

    secret = [account for account in settings.accounts if account not in THROWAWAY]
    accounts = [
        reporting.ShellAccount(user=account.user, throwaway=account.token if account in THROWAWAY else "")
        for account in settings.accounts
    ]
    # What it takes to run the same again; null: the embedded emulator was judged.
    again = {
        "target": settings.target,
        "only": settings.only,
        "known": settings.known and str(settings.known),
    }
    report = replace(report, settings={**report.settings, **again})
    options = ["--cacert", settings.ca_file] if settings.ca_file else []
    redact = Secrets(secret, report.target).redact if secret else None
    return reporting.build(report, accounts=accounts, curl_options=options, redact=redact)

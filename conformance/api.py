"""The parts of a run that the command line and the pytest plugin share: from settings to the result document."""

import difflib
import os
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, overload
from urllib.parse import urlsplit

from conformance.contract import SUITE, version_of
from conformance.exceptions import ConfigurationError, JournalError
from conformance.http import Exchange, Request
from conformance.model import CHAT, MESSAGING, Report, Rule
from conformance.safety.journal import state_directory
from conformance.safety.places import places
from conformance.safety.safeguard import Safeguard, safeguarded
from conformance.settings import RunSettings, resolve

if TYPE_CHECKING:  # the import costs more than this whole module
    from conformance.harness.events import Listener
    from conformance.harness.executor import Plan
    from conformance.reporting import Archive, Redact, ShellAccount
    from conformance.transport.target import Target

_QUIET = 10.0
"""Seconds between two notices that the target makes the run wait; those in between are dropped."""

_REPEATED = (
    "sdk",
    "rate",
    "timeout",
    "ca_file",
    "chat_service_sid",
    "messaging_service_sid",
    "live",
    "accept_unrestorable",
)
"""Settings that a report states where the user gave them, because whoever repeats the run needs them."""


def select(globs: Sequence[str], *, sdk: bool = False) -> tuple[Rule, ...]:
    """
    Return the rules whose ids match any of the globs, or whose group is one of them.

    Where there are no globs all rules are meant, those about the official client only with `sdk`.

    Raises:
        ConfigurationError: A glob matches no rule.
    """
    # This imports Hypothesis, which takes long: the emulator's process starts meanwhile.
    from conformance.rules import BY_ID, CATALOGUE
    from conformance.rules.sdk import NEED

    def matches(rule: Rule, glob: str) -> bool:
        return rule.group == glob or fnmatchcase(rule.id, glob)

    for glob in globs:
        if not any(matches(rule, glob) for rule in CATALOGUE):
            near = difflib.get_close_matches(glob, [*BY_ID, *{rule.group for rule in CATALOGUE}], n=1)
            hint = f"did you mean {near[0]}?" if near else "`conformance rules` lists them"
            raise ConfigurationError(f"no rule matches {glob!r}; {hint}")
    if not globs:
        return tuple(rule for rule in CATALOGUE if sdk or rule.needs != NEED)
    return tuple(rule for rule in CATALOGUE if any(matches(rule, glob) for glob in globs))


def names_some(globs: Sequence[str]) -> bool:
    """Whether globs name some of the rules, half of them at most: such a run sends their rare classes, too."""
    from conformance.rules import CATALOGUE

    return bool(globs) and 2 * len(select(globs)) <= len(CATALOGUE)


@overload
def run(
    catalogue: Sequence[Rule],
    target: "Target",
    plan: "Plan",
    *,
    listener: "Listener" = ...,
    safeguard: Safeguard | None = ...,
) -> Report: ...


@overload
def run(*, listener: "Listener" = ..., **settings: object) -> Report: ...


def run(*given: Any, listener: "Listener" = lambda event: None, **named: Any) -> Report:
    """
    Judge a target, and return the report. Nothing is printed or written.

    It may be called from any thread, and inside a running event loop, which waits meanwhile.

        run(target="http://localhost:4007", profile="quick", only=["closed-timer-*"])
        run(CATALOGUE, target, Plan(profile="quick"))

    Args:
        *given: The rules, an open `Target`, and the options of the run.
        listener: Called with each event of the run, on several threads.
        **named: Without `given`, settings of a run by name; the environment and `conformance.toml` count too. With
            `given`, `safeguard`, which protects the settings of before the run.

    Raises:
        ConfigurationError: A setting is wrong, or another run is using one of the accounts.
        EmulatorFailed: The embedded emulator did not start.
    """
    from conformance.harness import executor

    if given or "catalogue" in named:
        return executor.run(*given, listener=listener, **named)
    settings = resolve(named, os.environ, Path("conformance.toml"), spelled="{}=")
    with serving(settings) as url_of:
        rules = select(settings.only, sdk=settings.sdk)
        return judge(settings, url_of(), rules, listener)


@contextmanager
def serving(settings: RunSettings) -> Iterator[Callable[[], str]]:
    """
    Start the embedded emulator where the settings name no other target, for use in a `with` statement.

    Yields:
        A function that returns the base URL of the target. It waits for the emulator: import meanwhile what takes long.
    """
    if settings.target is None and settings.app is None:
        from conformance.transport.embedded import Embedded

        with Embedded(settings.accounts) as embedded:
            yield embedded.url
        return
    from conformance.transport.target import BASE_URL

    yield lambda: settings.target or BASE_URL


def judge(
    settings: RunSettings,
    url: str,
    rules: Sequence[Rule],
    listener: "Listener" = lambda event: None,
    first: Sequence[tuple[str, tuple[Request, ...]]] = (),
) -> Report:
    """
    Judge the target at a base URL by the given rules.

    Args:
        settings: The settings of the run.
        url: The base URL, without `/v1/Configuration`.
        rules: The rules to judge by.
        listener: Called with each event of the run; with `ExchangeEnded` it may be called on several threads.
        first: Ids of input classes, each with requests that are sent before any drawn input.

    Raises:
        ConfigurationError: Another run is using one of the accounts, the settings that an earlier run found have to be
            put back first, the application of the settings is not there or did not start, or the database of examples
            cannot be read.
    """
    from conformance.harness.events import ExchangeEnded, Notice
    from conformance.harness.examples import Examples
    from conformance.harness.executor import Plan, run
    from conformance.transport.target import Target
    from conformance.transport.waiting import wait_for_answer

    def tell(line: str) -> None:
        listener(Notice(line=line))

    def seen(exchange: Exchange) -> None:
        listener(ExchangeEnded(exchange=exchange))

    examples = Examples(settings.examples) if settings.examples is not None else None
    tried = examples.first(len(settings.accounts)) if examples is not None else ()
    plan = Plan(
        profile=settings.profile,
        seed=settings.seed,
        shard=settings.shard,
        fail_on=settings.fail_on,
        sdk=settings.sdk,
        settle=settings.settle,
        provisioned={
            CHAT.parameter: settings.chat_service_sid,
            MESSAGING.parameter: settings.messaging_service_sid,
        },
        first=(*first, *tried),
        rare=names_some(settings.only),
    )
    with (
        safe(settings, tell) as safeguard,
        Target(settings.for_target(url), _now_and_then(tell), seen, app=_loaded(settings.app)) as target,
    ):
        notices = list(settings.notices)
        if settings.app is not None:
            served = _named(settings.app)
            notices.append(f"the target is an application: serve {served} on port 8000 for the curl lines")
        for notice in notices:
            tell(notice)
        if settings.wait:
            wait_for_answer(target.settings, settings.wait)
        report = run(rules, target, plan, listener=listener, safeguard=safeguard)
    lost = (
        examples.learn(document_of(settings, report), datetime.now(UTC).date())
        if examples is not None
        else ""
    )
    starting = not (target.silence.was_there or settings.wait or settings.proxy or settings.app)
    hint = "the target was never there: --wait 60 waits for one that is being started" if starting else ""
    said = filter(None, [hint, target.out_of_time, target.patience.cut_short, target.pace.slowed(), lost])
    return replace(report, notices=(*notices, *report.notices, *said))


def _loaded(app: object | None) -> object | None:
    """Return an application, given it or its name."""
    if not isinstance(app, str):
        return app
    from conformance.transport.apps import load

    return load(app)


def _named(app: object) -> str:
    """Return the name of an application for a person; an object is named by its module and its name, or its type."""
    if isinstance(app, str):
        return app
    name = getattr(app, "__qualname__", None)
    module = getattr(app, "__module__", type(app).__module__)
    return f"{module}:{name}" if name else f"{type(app).__module__}.{type(app).__qualname__}"


def judged(
    settings: RunSettings, rules: Collection[str], archive: BinaryIO, tell: Callable[[str], None]
) -> dict[str, Any]:
    """
    Judge a target, apply the known deviations of the settings, and return the result document.

    Args:
        settings: The settings of the run.
        rules: The ids of the rules to judge by, among those of the settings.
        archive: Gets every exchange, as an HTTP Archive; nothing, where they could not be kept.
        tell: Called with a line where a part of the result is lost.

    Raises:
        BaselineError: The file of known deviations cannot be used.
        ConfigurationError: As in `judge`.
        EmulatorFailed: The embedded emulator did not start.
    """
    from conformance.harness.containment import Parts
    from conformance.harness.events import ExchangeEnded, on
    from conformance.reporting import ARCHIVE
    from conformance.reporting.baseline import apply, read, witnesses
    from conformance.rules import BY_ID

    known = read(settings.known) if settings.known is not None else ()
    with ExitStack() as stack:
        url = stack.enter_context(serving(settings))()
        exchanges = stack.enter_context(archive_of(settings, url))
        parts = Parts(tell)
        archived = on(ExchangeEnded, parts.contain(ARCHIVE, lambda event: exchanges.add(event.exchange)))
        first = witnesses(known, len(settings.accounts))
        chosen = [rule for rule in select(settings.only, sdk=settings.sdk) if rule.id in rules]
        document = document_of(settings, judge(settings, url, chosen, archived, first))
        try:
            exchanges.copy(archive)
        except OSError as error:
            tell(f"{ARCHIVE} has no exchanges but those of the counterexamples: {error.strerror}")
            archive.truncate(0)
    if settings.known is None:
        return document
    return apply(document, known, datetime.now(UTC).date(), catalogue=BY_ID)


def _now_and_then(tell: Callable[[str], None]) -> Callable[[str], None]:
    """Return a function that passes on one line in `_QUIET` seconds: behind a rate limit a run waits often."""
    silent_until = 0.0

    def tell_some(line: str) -> None:
        nonlocal silent_until
        if (now := time.monotonic()) >= silent_until:
            silent_until = now + _QUIET
            tell(line)

    return tell_some


@contextmanager
def safe(settings: RunSettings, tell: Callable[[str], None], *, adopts: bool = True) -> Iterator[Safeguard]:
    """
    Return the safeguard of a run, with its journal open and its accounts locked, for use in a `with` statement.

    `adopts` says whether this run may put back, at its end, the settings that an earlier run left changed. A live run
    never does.

    Raises:
        ConfigurationError: Another run is using one of the accounts, or the settings that an earlier run found have
            to be put back first.
    """
    if settings.target is None:  # what is in this process, or ends with it, is not worth a journal
        yield Safeguard()
        return
    try:
        with safeguarded(
            settings.target,
            [account.sid or account.user for account in settings.accounts],
            state_directory(settings.state_dir),
            at=places(settings.target, settings.addresses),
            live=settings.live,
            adopts=adopts and not settings.live,
            accept_unrestorable=settings.accept_unrestorable,
            tell=tell,
            shown=redaction(settings, settings.target) or str,
        ) as safeguard:
            yield safeguard
    except JournalError as error:
        raise ConfigurationError(str(error)) from None


def archive_of(settings: RunSettings, url: str) -> "Archive":
    """Return the archive that keeps every exchange of a run on disk, and from which `exchanges.har` is written."""
    from conformance.reporting import Archive

    return Archive(
        settings.report_dir, target=url, version=version_of(SUITE), redact=redaction(settings, url)
    )


def redaction(settings: RunSettings, url: str) -> "Redact | None":
    """
    Return the function that takes tokens out of reports on a target, and SIDs where the settings mask them.

    None where there is nothing to take out: throw-away tokens are public.
    """
    from conformance.transport.credentials import secret
    from conformance.transport.redaction import Secrets

    tokens = secret(settings.accounts)
    hidden = settings.accounts if settings.mask_accounts else ()
    return Secrets(tokens, url, hidden).redact if tokens or hidden else None


def shell_accounts(settings: RunSettings) -> "list[ShellAccount]":
    """Return how curl lines spell the credentials of the accounts; where these are masked, by variables alone."""
    from conformance.reporting import ShellAccount
    from conformance.transport.credentials import THROWAWAY

    return [
        ShellAccount(user=account.user, throwaway=account.token if account in THROWAWAY else "")
        for account in (() if settings.mask_accounts else settings.accounts)
    ]


def document_of(settings: RunSettings, report: Report) -> dict[str, Any]:
    """Return the result document of a report. Its curl lines name credentials by their shell variables."""
    from conformance import reporting

    # Whoever repeats the run needs these. The target is null where the embedded emulator was judged.
    repeated = {
        "target": settings.target,
        **({"app": _named(settings.app)} if settings.app is not None else {}),
        "only": settings.only,
        "known": settings.known and str(settings.known),
        "mask_accounts": settings.mask_accounts,
        **{name: getattr(settings, name) for name in _REPEATED if name in settings.given},
    }
    report = replace(report, settings={**report.settings, **repeated})
    options = ["--cacert", str(Path(settings.ca_file).absolute())] if settings.ca_file else []
    if settings.proxy:
        parts = urlsplit(settings.proxy)
        # The proxy's user name and password are secrets, and are left out.
        options += ["--proxy", parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()]
    redact = redaction(settings, report.target)
    return reporting.build(report, accounts=shell_accounts(settings), curl_options=options, redact=redact)

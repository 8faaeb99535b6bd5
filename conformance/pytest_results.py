"""
The results of a pytest session: each target is judged once for all tests that ask for it, and reported once.

With pytest-xdist the workers divide the run: each takes a share that no other has taken, and waits for the rest.

A result belongs to a target and its settings. A fixture that names the target may start a server, so each instance of
the fixture counts as a target of its own, even where two of them use the same port in turn.
"""

import json
import os
import re
import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from conformance.exceptions import BaselineError, ConfigurationError, EmulatorFailed, ReportError
from conformance.settings import RunSettings, resolve

OPTIONS = ("target", "profile", "seed", "fail_on", "known")
"""The settings that pytest's command line has options for."""

MARK = "conformance"
RULE = "conformance_rule"
RESULT = "conformance_result"
NAMING = ("conformance_app", "conformance_target")
"""The fixtures that name what is judged."""

WHOLE = ""
"""Stands for all rules, for a test that asks for no single one."""

_SLUG = re.compile(r"[^A-Za-z0-9._]+")


def settings_of(
    config: pytest.Config, given: Mapping[str, object], environ: Mapping[str, str], target: str | None = None
) -> RunSettings:
    """
    Return the settings of a run. What a decorator names goes before all others; options of pytest count as variables.

    Raises:
        ConfigurationError: One of them is wrong.
    """
    options = {f"CONFORMANCE_{name.upper()}": config.getoption(f"conformance_{name}") for name in OPTIONS}
    if target is not None:
        options["CONFORMANCE_TARGET"] = target
    chosen = {name: value for name, value in options.items() if value is not None}
    return resolve(given, {**environ, **chosen}, config.rootpath / "conformance.toml", spelled="{}=")


def given_to(node: pytest.Item) -> dict[str, object]:
    """Return the settings that decorators give a test, the closest one last."""
    return {
        name: value for mark in reversed([*node.iter_markers(MARK)]) for name, value in mark.kwargs.items()
    }


@dataclass(frozen=True)
class Asking:
    """The tests that ask for one result: those with the same settings and the same instance of the target's fixture."""

    given: str
    """The settings that decorators give them, as text."""
    instance: tuple[str, ...]
    """What identifies the instance of the fixture: its file, its place among the tests, and its parameters."""
    has_fixture: bool
    """Whether a fixture of the user names what is judged, and no decorator does."""
    is_fresh: bool
    """Whether every test has an instance of the fixture to itself."""
    names: tuple[str, ...] = field(compare=False)
    """The parts of `instance` by which a person recognises a result."""


def asking(item: pytest.Function) -> Asking:
    """Return which tests a test asks together with."""
    # No public way leads to a fixture's definition. There is none where a test asks by `getfixturevalue`.
    scope, place = "function", ""
    for name in NAMING:
        definitions = item._fixtureinfo.name2fixturedefs.get(name, ())  # noqa: SLF001
        if definitions and not place:
            scope, place = definitions[-1].scope, _place(definitions[-1].func, item.config.rootpath)
    given = given_to(item)
    function = item.nodeid.partition("[")[0]
    path = function.partition("::")[0]
    homes = {"package": str(Path(path).parent), "module": path, "class": function.rpartition("::")[0]}
    home = homes.get(scope, function if scope == "function" else "")
    parameters = []
    for name, value in item.callspec.params.items() if hasattr(item, "callspec") else ():
        if name != RULE:
            is_plain = isinstance(value, str | int | float | None)
            parameters.append(str(value) if is_plain else f"{function}-{name}-{item.callspec.indices[name]}")
    instance = (place, home, *parameters) if place else tuple(parameters)
    names = (str(Path(place).parent).strip("."), home, *parameters, function if given else "")
    return Asking(
        given=repr(sorted(given.items())),
        instance=instance,
        has_fixture=bool(place) and not given.keys() & {"app", "target"},
        is_fresh=bool(place) and scope == "function",
        names=tuple(dict.fromkeys(filter(None, names if place else names[2:]))),
    )


def _place(function: object, root: Path) -> str:
    """Return the file of a fixture's function, relative to pytest's rootdir; empty for the plugin's own."""
    code = getattr(function, "__code__", None)
    if code is None or getattr(function, "__module__", "").partition(".")[0] == "conformance":
        return ""
    return os.path.relpath(code.co_filename, root)


def _rule_of(item: pytest.Function) -> str:
    return str(item.callspec.params[RULE]) if RULE in item.fixturenames else WHOLE


@dataclass
class Result:
    """What a run found, or why there was none."""

    document: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    is_reported: bool = False
    """Whether a failure that belongs to no single rule was reported."""


class Results:
    """The results of a session; with pytest-xdist, of all its workers, which find each other's in a directory."""

    def __init__(self, items: Iterable[pytest.Item], directory: Path, workers: int) -> None:
        self._directory = directory
        self._workers = workers
        self._kept: dict[tuple[object, ...], Result] = {}
        self._targets: dict[Asking, RunSettings] = {}
        self._wanted: defaultdict[Asking, set[str]] = defaultdict(set)
        """The ids of the rules that tests ask for, or `WHOLE`."""
        for item in items:
            if isinstance(item, pytest.Function) and RESULT in item.fixturenames:
                self._wanted[asking(item)].add(_rule_of(item))

    def of(
        self, item: pytest.Function, environ: Mapping[str, str], target: str | None, app: object | None
    ) -> Result:
        """Return the result that a test asks for; the first such test makes the run. A fixture may name a target."""
        from conformance.api import select

        who = asking(item)
        try:
            given = given_to(item)
            if app is not None and not given.keys() & {"app", "target"}:
                given["app"] = app
            settings = settings_of(item.config, given, environ, target)
            ids = [rule.id for rule in select(settings.only, sdk=settings.sdk)]
            # Where every test has a server of its own, one test's answers say nothing of the other's.
            alone = who.is_fresh and self._targets.setdefault(who, settings) != settings
            wanted = {_rule_of(item)} if alone else self._wanted[who] or {WHOLE}
            rules = tuple(rule for rule in ids if rule in wanted or WHOLE in wanted)
            key = (who, settings, rules)
            if key not in self._kept:
                self._kept[key] = self._once(who, settings, rules, alone=alone)
        except ConfigurationError as error:
            return Result(error=str(error))
        return self._kept[key]

    def _once(self, who: Asking, settings: RunSettings, rules: tuple[str, ...], *, alone: bool) -> Result:
        """Make the parts of a run that no other worker makes, wait for the others, and put all of them together."""
        from filelock import FileLock, Timeout

        shown = replace(settings, given=frozenset())  # a set is spelled in any order
        if who.has_fixture and not who.is_fresh:
            # Each worker has its own instance of the fixture.
            shown = replace(shown, target=None, addresses=(), app=None)
        # Two applications may be spelled alike; those of another process are others.
        own = () if shown.app is None or isinstance(shown.app, str) else (os.getpid(), id(shown.app))
        name = sha256(repr((who, shown, rules, own)).encode()).hexdigest()
        workers = 1 if who.is_fresh or own else self._workers
        shares = [*_shares(settings, workers, is_shared=not who.has_fixture)]
        parts = [self._directory / f"{name}-{place}.part" for place in range(len(shares))]
        for waits in (False, True):
            for share, part in zip(shares, parts, strict=True):
                with suppress(Timeout), FileLock(part.with_suffix(".lock"), blocking=waits):
                    if not part.exists():
                        part.write_text(json.dumps(self._run(share, rules, part)), encoding="ascii")
        path = self._directory / f"{name}.json"
        with FileLock(path.with_suffix(".lock")):
            if not path.exists():
                kept = {
                    **_together([json.loads(part.read_text(encoding="ascii")) for part in parts]),
                    "names": who.names or (settings.target or "embedded emulator",),
                    "report_dir": str(settings.report_dir),
                    "alone": alone,
                    "archives": [str(part.with_suffix(".har")) for part in parts],
                }
                path.write_text(json.dumps(kept), encoding="ascii")
            kept = json.loads(path.read_text(encoding="ascii"))
        # One rule alone may well be without a verdict, and the test says so.
        return Result(kept["document"], kept["error"], is_reported=alone)

    def _run(self, settings: RunSettings, rules: tuple[str, ...], part: Path) -> dict[str, Any]:
        """Judge a target, and return what comes of it: a result document, or why there is none, and what was lost."""
        from filelock import FileLock

        from conformance.api import judged
        from conformance.reporting import check_writable

        lost: list[str] = []
        document: dict[str, Any] = {}
        error = ""
        with ExitStack() as stack:
            if not _is_embedded(settings):
                # Of several runs on one account, each waits for the one before it.
                for user in sorted(account.user for account in settings.accounts):
                    account = sha256(f"{settings.target} {user}".encode()).hexdigest()
                    stack.enter_context(FileLock(self._directory / f"{account}.account"))
            try:
                check_writable(settings.report_dir)
                # The user's filters are meant for the user's code, and these warnings would come from the suite.
                stack.enter_context(warnings.catch_warnings(action="ignore"))
                with part.with_suffix(".har").open("wb") as file:
                    document = judged(settings, rules, file, lost.append)
            except (BaselineError, ConfigurationError, EmulatorFailed, ReportError) as failed:
                error = str(failed)
        return {"document": document, "error": error, "lost": lost}


def _is_embedded(settings: RunSettings) -> bool:
    """Whether the target is an emulator that the run starts for itself."""
    return settings.target is None and settings.app is None


def _shares(settings: RunSettings, workers: int, *, is_shared: bool) -> Iterator[RunSettings]:
    """
    Yield the settings of the runs that workers make side by side, each on an account of its own.

    They share one target, or each has a target that its own fixture has started.

    Raises:
        ConfigurationError: There are fewer accounts than workers.
    """
    accounts = settings.accounts
    # The quick profile is for a target that is not to be sent more than its few requests.
    if workers == 1 or settings.profile == "quick" or settings.shard != (1, 1):
        yield settings
        return
    if _is_embedded(settings):
        yield from (replace(settings, shard=(number, workers)) for number in range(1, workers + 1))
        return
    if is_shared and len(accounts) < workers:
        raise ConfigurationError(
            f"{workers} workers need {workers} accounts, and there are {len(accounts)}: set CONFORMANCE_ACCOUNTS, or "
            f"run pytest with -n {len(accounts)}"
        )
    count = min(workers, len(accounts))
    share = replace(settings, rate=settings.rate and settings.rate / count)
    for number, account in enumerate(accounts[:count], 1):
        yield replace(share, shard=(number, count), accounts=(account,))
    if len(accounts) > 1:
        yield replace(share, shard=(0, count))


def _together(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the whole of which these are the parts."""
    error = next((part["error"] for part in parts if part["error"]), "")
    document: dict[str, Any] = {} if error else parts[0]["document"]
    if len(parts) > 1 and not error:
        from conformance.harness.merging import together

        document = together([part["document"] for part in parts], datetime.now(UTC).date())
    return {"document": document, "error": error, "lost": [line for part in parts for line in part["lost"]]}


def write_reports(results: Path) -> Iterator[str]:
    """
    Write a report of each result in a directory; yield for each a line that says where it is.

    A run by the rule of one test alone has a report only if it found a deviation.
    """
    from conformance import reporting

    kept = [json.loads(path.read_text(encoding="ascii")) for path in results.glob("*.json")]
    found = [
        each
        for each in kept
        if each["document"] and (not each["alone"] or each["document"]["exit_code"] == 1)
    ]
    taken: set[Path] = set()
    for each in sorted(found, key=lambda each: (each["alone"], each["names"])):
        directory = Path(each["report_dir"])
        if len(found) > 1:
            slug = _SLUG.sub("-", "-".join(each["names"])).strip("-.")
            numbers = (f"-{number}" if number > 1 else "" for number in range(1, len(found) + 1))
            places = (directory / f"{slug}{number}" for number in numbers)
            directory = next(place for place in places if place not in taken)
        taken.add(directory)
        directory = reporting.place_of(each["document"], directory)
        yield from each["lost"]
        archives = [Path(name) for name in each["archives"]]
        whole = all(path.stat().st_size for path in archives)
        copies = {reporting.ARCHIVE: partial(reporting.join_archives, archives)} if whole else {}
        try:
            paths = reporting.write_all(each["document"], directory, copies=copies)
        except ReportError as error:
            yield str(error)
        else:
            yield f"{each['document']['target']}: {paths[1]}"

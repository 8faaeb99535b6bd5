"""
The results of a pytest session: each target is judged once for all tests that ask for it, and reported once.

A result belongs to a target and its settings. A fixture that names the target may start a server, so each instance of
the fixture counts as a target of its own, even where two of them use the same port in turn.
"""

import json
import os
import re
import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

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
"""What a test asks for that asks for no single rule."""

_SLUG = re.compile(r"[^A-Za-z0-9._]+")


def settings_of(
    config: pytest.Config, given: Mapping[str, object], environ: Mapping[str, str], target: str | None = None
) -> RunSettings:
    """
    Return the settings of a run.

    Args:
        config: pytest's configuration; its options count as variables of the environment do.
        given: Settings that a decorator names, which go before all others.
        environ: The environment.
        target: The base URL that a fixture names; None where none does.

    Raises:
        ConfigurationError: They cannot be followed.
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
    """What tells the instance of the fixture from others: its file, the place in the tests, and the parameters."""
    has_fixture: bool
    """Whether a fixture of the user names what is judged, and no decorator does."""
    is_fresh: bool
    """Whether every test has an instance of its own."""
    names: tuple[str, ...] = field(compare=False)
    """The parts of `instance` that a person can tell results apart by."""


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
    lost: list[str] = field(default_factory=list)
    """Lines about parts of the result that are lost."""
    told: bool = False
    """Whether a failure that belongs to no single rule was reported."""


class Results:
    """
    The results of a session; with pytest-xdist, of all its workers.

    Args:
        items: All tests of the session.
        directory: Where workers find each other's results, and where they are kept until the session ends.
    """

    def __init__(self, items: Iterable[pytest.Item], directory: Path) -> None:
        self._directory = directory
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
        """
        Return the result that a test asks for; the first test that asks makes the run.

        Args:
            item: The test.
            environ: The environment.
            target: The base URL that a fixture names; None where none does.
            app: The application that a fixture names; None where none does.
        """
        from conformance.api import select

        who = asking(item)
        try:
            given = given_to(item)
            if app is not None and not given.keys() & {"app", "target"}:
                given["app"] = app
            settings = settings_of(item.config, given, environ, target)
            ids = [rule.id for rule in select(settings.only)]
        except ConfigurationError as error:
            return Result(error=str(error))
        # Where every test has a server of its own, one test's answers say nothing of the other's.
        alone = who.is_fresh and self._targets.setdefault(who, settings) != settings
        wanted = {_rule_of(item)} if alone else self._wanted[who] or {WHOLE}
        rules = tuple(rule for rule in ids if rule in wanted or WHOLE in wanted)
        key = (who, settings, rules)
        if key not in self._kept:
            self._kept[key] = self._once(who, settings, rules, alone=alone)
        return self._kept[key]

    def _once(self, who: Asking, settings: RunSettings, rules: tuple[str, ...], *, alone: bool) -> Result:
        """Make a run and keep its result. Of several workers one makes it, and the others wait for it."""
        from filelock import FileLock

        shown = replace(settings, given=frozenset())  # a set is spelled in any order
        if who.has_fixture and not who.is_fresh:
            # Each worker has its own instance of the fixture.
            shown = replace(shown, target=None, addresses=(), app=None)
        # Two applications may be spelled alike; those of another process are others.
        own = () if shown.app is None or isinstance(shown.app, str) else (os.getpid(), id(shown.app))
        name = sha256(repr((who, shown, rules, own)).encode()).hexdigest()
        path = self._directory / f"{name}.json"
        with FileLock(path.with_suffix(".lock")):
            if not path.exists():
                # Of several runs on one target, each waits for the one before it: they write to the same account.
                target = sha256(str(settings.target).encode()).hexdigest()
                with FileLock(self._directory / f"{target}.target"):
                    result = self._run(settings, rules, path.with_suffix(".har"))
                kept = {
                    "document": result.document,
                    "error": result.error,
                    "names": who.names or (settings.target or "embedded emulator",),
                    "report_dir": str(settings.report_dir),
                    "lost": result.lost,
                    "alone": alone,
                }
                path.write_text(json.dumps(kept), encoding="ascii")
            kept = json.loads(path.read_text(encoding="ascii"))
        # One rule alone may well be without a verdict, and the test says so.
        return Result(kept["document"], kept["error"], told=alone)

    @staticmethod
    def _run(settings: RunSettings, rules: tuple[str, ...], har: Path) -> Result:
        from conformance.api import judged
        from conformance.reporting import check_writable

        lost: list[str] = []
        try:
            check_writable(settings.report_dir)
            # The user's filters are meant for the user's code, and these warnings would come from the suite.
            with warnings.catch_warnings(action="ignore"), har.open("wb") as file:
                return Result(judged(settings, rules, file, lost.append), lost=lost)
        except (BaselineError, ConfigurationError, EmulatorFailed, ReportError) as error:
            return Result(error=str(error))


def write_reports(results: Path) -> Iterator[str]:
    """
    Write a report of each result in a directory; yield for each a line that says where it is.

    A run by the rule of one test alone has a report only if it found a deviation.
    """
    from conformance import reporting

    kept = [(path, json.loads(path.read_text(encoding="ascii"))) for path in results.glob("*.json")]
    told = [(path, each) for path, each in kept if each["document"] and not each["alone"]]
    told += [(path, each) for path, each in kept if each["alone"] and each["document"].get("exit_code") == 1]
    found = sorted(told, key=lambda pair: pair[1]["names"])
    taken: set[Path] = set()
    for path, each in found:
        directory = Path(each["report_dir"])
        if len(found) > 1:
            slug = _SLUG.sub("-", "-".join(each["names"])).strip("-.")
            numbers = (f"-{number}" if number > 1 else "" for number in range(1, len(found) + 1))
            places = (directory / f"{slug}{number}" for number in numbers)
            directory = next(place for place in places if place not in taken)
        taken.add(directory)
        directory = reporting.place_of(each["document"], directory)
        yield from each["lost"]
        har = path.with_suffix(".har").read_bytes()
        copies = {reporting.ARCHIVE: partial(_write, har)} if har else {}
        try:
            paths = reporting.write_all(each["document"], directory, copies=copies)
        except ReportError as error:
            yield str(error)
        else:
            yield f"{each['document']['target']}: {paths[1]}"


def _write(data: bytes, file: BinaryIO) -> None:
    file.write(data)

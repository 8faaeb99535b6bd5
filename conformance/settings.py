"""
The settings of a run. A flag goes before the environment, and the environment before `conformance.toml`.

Every setting has one name: `max_requests` is the flag `--max-requests`, the variable `CONFORMANCE_MAX_REQUESTS` and the
TOML key `max-requests`. Credentials come from the environment alone, and no message repeats them.
"""

import difflib
import math
import re
import ssl
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from conformance.exceptions import ConfigurationError
from conformance.http import PATH
from conformance.model import CHAT, MESSAGING, Field, Level, shortened
from conformance.safety.permissions import is_vendor, limit_vendor, refuse_public
from conformance.safety.restore import REQUESTS
from conformance.transport.connections import addresses_of, are_loopback, host_of
from conformance.transport.credentials import (
    ACCOUNT_SID,
    SET_BOTH,
    SET_KEY,
    THROWAWAY,
    Account,
    accounts_from,
)
from conformance.transport.redaction import masked
from conformance.transport.target import TargetSettings

PROFILES: Mapping[str, int | None] = {"quick": 300, "standard": 3000, "thorough": None}
"""The number of requests that each profile may send; None for no limit."""

_MAX_TIME = 600.0
"""Seconds that a run with a limit of requests may take, beside what its rate takes, unless the user says otherwise."""

_RESERVE = REQUESTS + 8
"""Requests beyond the budget for each account: to put its settings back, and to see whether the target is there."""


# Checks of values; flags and the environment give text, TOML gives typed values


def _setting(
    default: object, expected: str, read: Callable[[object], object], *, printable: bool = True
) -> Any:
    """
    Return a field of `RunSettings`.

    Args:
        default: Its value where nothing gives another.
        expected: A description of right values, for the message about a wrong one.
        read: Converts a given value, and checks it. It raises TypeError or ValueError for a wrong one, or
            ConfigurationError where `expected` does not say enough.
        printable: Whether messages may repeat a value.
    """
    return field(repr=printable, metadata={"default": default, "expected": expected, "read": read})


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError
    return value


def _typed(kind: "click.ParamType[Any]", *types: type) -> Callable[[object], Any]:
    """Return a reader that converts text by a click type; it takes values of the given types too, as TOML has them."""

    def read(value: object) -> Any:
        if type(value) not in (str, *types) or value == "":  # `isinstance` would take True for an integer
            raise TypeError
        return kind.convert(value, None, None)

    return read


def _seconds(*, zero: bool) -> Callable[[object], float]:
    number = _typed(click.FloatRange(0, min_open=not zero), int, float)

    def read(value: object) -> float:
        seconds: float = number(value)
        if not math.isfinite(seconds):
            raise ValueError
        return seconds

    return read


def _globs(value: object) -> tuple[str, ...]:
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list | tuple):
        raise TypeError
    return tuple(_text(part) for part in parts)


def _shard(value: object) -> tuple[int, int]:
    number, count = (int(part) for part in _text(value).split("/"))
    if not 1 <= number <= count:
        raise ValueError
    return number, count


def _account_sids(value: object) -> tuple[str, ...]:
    sids = _globs(value)
    if not all(re.fullmatch(ACCOUNT_SID, sid) for sid in sids):
        raise ValueError
    return sids


def _certificates(value: object) -> str:
    try:
        ssl.create_default_context(cafile=_text(value))
    except OSError:
        raise ValueError from None
    return _text(value)


def _sid(field: Field) -> Callable[[object], str]:
    def read(value: object) -> str:
        if not re.fullmatch(f"{field.prefix}[0-9a-fA-F]{{32}}", _text(value)):
            raise ValueError
        return _text(value)

    return read


def _proxy(value: object) -> str:
    parts = urlsplit(_text(value))
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
        raise ValueError
    return _text(value)


def _app(value: object) -> object:
    if isinstance(value, str) and not re.fullmatch(r"[\w.]+:[\w.]+", value):
        raise ValueError
    if not isinstance(value, str) and not callable(value):
        raise TypeError
    return value


def _url(value: object) -> str:
    """Return a base URL in normal form: host and scheme in lower case, no `/v1/Configuration` at the end."""
    text = _text(value)
    if "@" in text:
        raise ConfigurationError(f"the target URL holds a user name or a password: leave it out, {SET_BOTH}")
    if "?" in text or "#" in text:
        raise ConfigurationError("the target URL holds a query or a fragment: give the base URL alone")
    if not text.lower().startswith(("http://", "https://")):
        raise ConfigurationError(f"target {_shown(text)} is not an http:// or https:// URL: {_SUCH_AS}")
    authority, _, path = text.partition("://")[2].partition("/")
    if re.search(r"[\x00-\x20\x7f]", authority) or not re.fullmatch("[!-~]*", path):
        raise ConfigurationError(
            f"target {_shown(text)} holds a character that a URL must spell as %20 and the like"
        )
    try:
        parts = urlsplit(text)
        host = (parts.hostname or "").encode("idna").decode()
        port = parts.port
    except ValueError as error:
        raise ConfigurationError(f"target {_shown(text)} is not a URL ({error}): {_SUCH_AS}") from None
    if not host or port == 0:
        raise ConfigurationError(f"target {_shown(text)} names no {'port' if host else 'host'}: {_SUCH_AS}")
    # A proxy may read conversations%2etwilio.com otherwise than the guards of live accounts do.
    if not re.fullmatch(r"[\w.-]+|[0-9A-Fa-f:.]+(%[\w.%-]+)?", host, re.ASCII):
        raise ConfigurationError(f"target {_shown(text)} is not a URL (no host has such a name): {_SUCH_AS}")
    path = parts.path.rstrip("/").removesuffix(PATH).rstrip("/")
    netloc = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{netloc}{'' if port is None else f':{port}'}{path}"


_SUCH_AS = "write it like http://localhost:4007"

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettings:
    """
    All settings of a run, after `resolve` has checked them. `conformance.commands.options` says what each is for.

    A setting that may be None is not set then, or has no limit.

    Args:
        accounts: The accounts whose settings the run changes, the main one first.
        addresses: The IP addresses of the target's host.
        notices: Lines to show to the user.
        given: The names of the settings that a flag, a variable or the file has given.
    """

    target: str | None = _setting(None, "a URL", _url)
    app: object | None = _setting(None, "an application as package.module:name", _app)
    profile: str = _setting("standard", f"one of {', '.join(PROFILES)}", _typed(click.Choice(list(PROFILES))))
    only: tuple[str, ...] = _setting((), "a list of rule ids", _globs)
    fail_on: Level = _setting(Level.MUST, "one of must, should", lambda value: Level(_text(value)))
    sdk: bool = _setting(False, "true or false", _typed(click.BOOL, bool))
    seed: int = _setting(0, "a whole number, 0 or more", _typed(click.IntRange(0), int))
    shard: tuple[int, int] = _setting((1, 1), "K/N, such as 2/3 for the second of three shares", _shard)
    max_requests: int | None = _setting(None, "a whole number, 1 or more", _typed(click.IntRange(1), int))
    max_time: float | None = _setting(None, "seconds, above 0", _seconds(zero=False))
    report_dir: Path = _setting(Path("conformance-report"), "a path", lambda value: Path(_text(value)))
    known: Path | None = _setting(None, "a file that is there", _typed(_FILE))
    examples: str | None = _setting(
        None, "a directory, a redis:// URL or github:owner/repository/artifact", _text, printable=False
    )  # it may hold a password
    settle: float = _setting(0.0, "seconds, 0 or more", _seconds(zero=True))
    ca_file: str | None = _setting(None, "a file of certificates in PEM", _certificates)
    proxy: str | None = _setting(
        None, "an http:// or https:// URL of a proxy", _proxy, printable=False
    )  # it may hold a password
    rate: float | None = _setting(None, "requests per second, above 0", _seconds(zero=False))
    timeout: float = _setting(10.0, "seconds, above 0", _seconds(zero=False))
    wait: float = _setting(0.0, "seconds, 0 or more", _seconds(zero=True))
    live: bool = _setting(False, "true or false", _typed(click.BOOL, bool))
    i_own: tuple[str, ...] = _setting((), "Account SIDs, each AC and 32 hexadecimal digits", _account_sids)
    accept_unrestorable: bool = _setting(False, "true or false", _typed(click.BOOL, bool))
    state_dir: Path | None = _setting(None, "a path", lambda value: Path(_text(value)))
    mask_accounts: bool = _setting(False, "true or false", _typed(click.BOOL, bool))
    chat_service_sid: str | None = _setting(None, "IS and 32 hexadecimal digits", _sid(CHAT))
    messaging_service_sid: str | None = _setting(None, "MG and 32 hexadecimal digits", _sid(MESSAGING))
    accounts: tuple[Account, ...]
    addresses: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    given: frozenset[str] = frozenset()

    def for_target(self, url: str) -> TargetSettings:
        """Return the settings of a `Target` at a base URL."""
        return TargetSettings(
            url=url,
            accounts=self.accounts,
            timeout=self.timeout,
            max_requests=self.max_requests,
            max_time=self.max_time,
            rate=self.rate,
            seed=self.seed,
            ca_file=self.ca_file,
            addresses=self.addresses if url == self.target else None,
            proxy=self.proxy,
            reserve=_RESERVE * len(self.accounts),
            by_hand=not self.live or bool(self.only),
        )

    def shown(self, line: str) -> str:
        """Return a line of the suite's own output, with Account SIDs masked where that is asked for."""
        return masked(line, self.accounts) if self.mask_accounts else line


_SETTINGS = {each.name: each for each in fields(RunSettings) if each.metadata}
"""The fields that a flag, a variable or the file may give, by name."""


def resolve(
    flags: Mapping[str, object], environ: Mapping[str, str], toml_path: Path, *, spelled: str = "--{}"
) -> RunSettings:
    """
    Merge the settings from all sources, check them, and return them.

    Args:
        flags: The flags by name of their setting. None, False and an empty tuple count as not given.
        environ: The environment. An empty variable counts as not given.
        toml_path: The path of the settings file, which may be absent. Paths in it are relative to its directory.
        spelled: How messages spell a flag, with `{}` for the name; a name in Python has an underscore.

    Raises:
        ConfigurationError: A setting is malformed, missing, or contradicts another one.
    """
    values = {name: setting.metadata["default"] for name, setting in _SETTINGS.items()}
    sources = (_from_toml(toml_path), _from_environment(environ), _from_flags(flags, spelled))
    given: dict[str, str] = {}
    for source in sources:
        for name, where, value in source:
            setting = _SETTINGS[name]
            try:
                values[name] = setting.metadata["read"](value)
            except (TypeError, ValueError, OverflowError, click.BadParameter):
                got = f", got {_shown(value)}" if setting.repr else ""
                raise ConfigurationError(f"{where}: expected {setting.metadata['expected']}{got}") from None
            if name in _TARGETS:  # the other one came from a source that this one goes before
                values[_TARGETS[name]] = None
            given[name] = where
    _contradictions(values, flags, environ)
    ignored = _not_settings(environ)
    target = values["target"]
    # The name is looked up once, so that the run connects to the addresses that are checked here.
    addresses = addresses_of(target) if target is not None else ()
    accounts, notices = _choose_accounts(values, addresses, accounts_from(environ))
    if target is not None:
        if is_vendor(target) and target.startswith("http:"):
            raise ConfigurationError(
                f"{host_of(target)} must not be sent a token in the clear: write https:// in place of http://"
            )
        if not values["live"]:
            refuse_public(target, addresses, proxied=values["proxy"] is not None)
        try:
            limit_vendor(
                target,
                values,
                given,
                accounts,
                endless=[name for name, most in PROFILES.items() if most is None],
            )
        except ConfigurationError as error:
            line = str(error)
            raise ConfigurationError(masked(line, accounts) if values["mask_accounts"] else line) from None
    if values["mask_accounts"] and any(account.sid is None for account in accounts):
        raise ConfigurationError("to mask the account of an API key, set TWILIO_ACCOUNT_SID too")
    if "max_requests" not in given:
        values["max_requests"] = PROFILES[values["profile"]]
    if "max_time" not in given and values["max_requests"] is not None:
        values["max_time"] = _MAX_TIME + values["max_requests"] / (values["rate"] or math.inf)
    return RunSettings(
        **values, accounts=accounts, addresses=addresses, notices=(*ignored, *notices), given=frozenset(given)
    )


# Where values come from

_Source = Iterator[tuple[str, str, object]]
"""The settings of one source, each as name, place where it was given, and value."""


def _from_flags(flags: Mapping[str, object], spelled: str) -> _Source:
    for name, value in flags.items():
        if name not in _SETTINGS:
            raise ConfigurationError(f"{shortened(name, 60)} is not a setting; {_hint(name, _SETTINGS)}")
        if value is not None and value is not False and value != ():
            yield name, spelled.format(_dashed(name) if spelled.startswith("-") else name), value


def _from_environment(environ: Mapping[str, str]) -> _Source:
    for name in _SETTINGS:
        variable = f"CONFORMANCE_{name.upper()}"
        if value := environ.get(variable):
            yield name, variable, value


def _not_settings(environ: Mapping[str, str]) -> tuple[str, ...]:
    """
    Return a notice for each variable that is named like a setting and is none.

    Raises:
        ConfigurationError: A variable has almost the name of a setting, and so was meant for one.
    """
    names = {f"CONFORMANCE_{name.upper()}" for name in (*_SETTINGS, "accounts")}
    other = [name for name in environ if name.startswith("CONFORMANCE_") and name not in names]
    for name in other:
        if near := difflib.get_close_matches(name, names, n=1, cutoff=0.85):
            raise ConfigurationError(f"{shortened(name, 60)} is not a setting; did you mean {near[0]}?")
    there = ", ".join(sorted(names))
    return tuple(
        f"{shortened(name, 60)} is not a setting, and is ignored; there are: {there}" for name in other
    )


def _from_toml(path: Path) -> _Source:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return
    except (ValueError, RecursionError) as error:  # ValueError: integers of thousands of digits too
        raise ConfigurationError(f"{path}: not TOML: {error}") from None
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror}") from None
    names = {_dashed(name): name for name in _SETTINGS}
    for key, value in document.items():
        if key in names:
            is_path = key in _PATHS and isinstance(value, str) and value
            yield names[key], f"{path}: {key}", str(path.parent / value) if is_path else value
            continue
        shown = key if re.fullmatch("[A-Za-z0-9_-]{1,60}", key) else _shown(key)
        if re.search("account|token|secret|api|credential", key, re.IGNORECASE):
            raise ConfigurationError(
                f"{path}: {shown}: credentials are read from the environment only; {SET_BOTH}"
            )
        raise ConfigurationError(f"{path}: {shown} is not a setting; {_hint(key.replace('_', '-'), names)}")


def _hint(name: str, names: Iterable[str]) -> str:
    """Return advice on what to write instead of an unknown name."""
    near = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {near[0]}?" if near else f"there are: {', '.join(names)}"


_PATHS = ("known", "ca-file", "report-dir", "state-dir")


_TARGETS = {"target": "app", "app": "target"}
"""Settings that name what is judged, each with the other one."""


def _dashed(name: str) -> str:
    return name.replace("_", "-")


def _shown(value: object) -> str:
    """Return a value as messages repeat it: as a literal, on one line of limited length."""
    return shortened(repr(value), 120)


def _contradictions(
    values: Mapping[str, Any], flags: Mapping[str, object], environ: Mapping[str, str]
) -> None:
    """
    Refuse flags that have no effect together.

    Settings from the file or the environment are not refused: they may be meant for other runs.
    """
    for given in (flags, {name: environ.get(f"CONFORMANCE_{name.upper()}") for name in _TARGETS}):
        if given.get("app") and given.get("target"):
            raise ConfigurationError("both a target and an application are named: leave one of them out")
    where = "an application" if values["app"] is not None else "the embedded emulator"
    for name in ("live", "proxy", "ca_file"):
        if flags.get(name) and values["target"] is None:
            raise ConfigurationError(f"--{_dashed(name)} says nothing about {where}; add --target URL")
    if flags.get("ca_file") and not values["target"].startswith("https:"):
        raise ConfigurationError("--ca-file is for https:// targets, and this one is http://; leave it out")


# Credentials


def _choose_accounts(
    values: Mapping[str, Any], addresses: Sequence[str], found: tuple[Account, ...]
) -> tuple[tuple[Account, ...], tuple[str, ...]]:
    target = values["target"]
    if target is None and values["app"] is None:  # the embedded emulator knows the throw-away accounts alone
        return THROWAWAY, ()
    if found:
        return found, ()
    if target is None:
        return THROWAWAY, ("no credentials are set: the application is sent throw-away ones",)
    if are_loopback(addresses):
        return THROWAWAY, ("no credentials are set: the target is on loopback, so throw-away ones are sent",)
    raise ConfigurationError(f"no credentials for {urlsplit(target).hostname}: {SET_BOTH}, or {SET_KEY}")

"""The errors that starting the emulator can raise.

EmulatorError
├── BadAccounts    the accounts cannot be served
├── BadAddress     the port cannot be listened on
├── BadDatabase    the database file cannot be used; it was not touched
├── BadSeed        the values to begin with cannot be an account's
└── UnknownName    there is no such fault or variant
"""

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path


class EmulatorError(Exception):
    """The emulator cannot start as it was asked to."""


class BadAccounts(EmulatorError):
    """The accounts are missing, or one is not an Account SID and a token."""


class BadAddress(EmulatorError):
    """The port cannot be listened on; the message names it."""


class BadSeed(EmulatorError):
    """An account or an attribute is unknown, or a value would be refused. Nothing was set."""


class BadDatabase(EmulatorError):
    """The database file cannot be used. It was not touched."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"cannot use {path} as the emulator's database: {reason}")
        self.path = path
        self.reason = reason


class UnknownName(EmulatorError):
    """There is no fault or no variant of that name; the nearest names are in `nearest`."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.nearest = tuple(get_close_matches(name, list(known), n=3, cutoff=0.4))
        hint = f"; `conformance serve --list-{kind}s` lists them"
        if self.nearest:
            hint = f"; did you mean {' or '.join(self.nearest)}?"
        super().__init__(f"there is no {kind} named {name!r}{hint}")
        self.kind = kind
        self.name = name

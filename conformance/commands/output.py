"""Keeps the tokens of the environment out of all output of a command, whatever prints it."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, AnyStr, TextIO, cast

if TYPE_CHECKING:
    from conformance.transport.redaction import Secrets

_VARIABLES = ("TWILIO_AUTH_TOKEN", "TWILIO_API_SECRET", "CONFORMANCE_ACCOUNTS")
"""The variables that hold tokens."""


class _Guarded:
    """Wraps a stream of text or bytes, and removes tokens from everything that is written to it."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, data: AnyStr) -> int:
        """Write text or bytes."""
        self._stream.write(redact(data))
        return len(data)

    @property
    def buffer(self) -> "_Guarded":
        """The stream of bytes under this stream of text."""
        return _Guarded(self._stream.buffer)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def guarded() -> Iterator[None]:
    """Guard the standard output and the standard error, for use in a `with` statement."""
    before = sys.stdout, sys.stderr
    if any(_values()):
        sys.stdout, sys.stderr = (cast("TextIO", _Guarded(stream)) for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def redact(data: AnyStr) -> AnyStr:
    """Return text or bytes without the tokens of the environment."""
    values = _values()
    return _secrets(values).redact(data) if any(values) else data


def _values() -> tuple[str, ...]:
    return tuple(os.environ.get(name, "") for name in _VARIABLES)


@lru_cache(1)
def _secrets(values: tuple[str, ...]) -> "Secrets":
    from conformance.exceptions import ConfigurationError
    from conformance.transport.credentials import Account, accounts_from, secret
    from conformance.transport.redaction import Secrets

    try:
        accounts = accounts_from(os.environ)
    except ConfigurationError:  # a malformed variable may contain tokens, too
        *tokens, several = values
        tokens += [each.rpartition(":")[2].strip() for each in several.split(",")]
        accounts = tuple(Account(None, each) for each in tokens)
    return Secrets(secret(accounts), "")

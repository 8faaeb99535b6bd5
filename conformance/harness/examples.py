"""
Examples that broke a rule, in a database of Hypothesis: what one run finds, all that share the database try first.

A value of the database is an entry as a file of known deviations has it, and so has no values of an account.
"""

import warnings
from contextlib import suppress
from datetime import date

from hypothesis.database import (
    DirectoryBasedExampleDatabase,
    ExampleDatabase,
    GitHubArtifactDatabase,
    ReadOnlyDatabase,
)
from hypothesis.errors import HypothesisWarning

from conformance.contract import SUITE
from conformance.exceptions import BaselineError, ConfigurationError
from conformance.http import Request
from conformance.reporting.baseline import Known, State, additions, apply, merged, parse, witnesses
from conformance.reporting.text import Document
from conformance.rules import BY_ID

_KEY = SUITE.encode()


class Examples:
    """
    The examples in a database, as they are when the run begins.

    Args:
        url: `redis://`, `rediss://` or `unix://` for a Redis server; `github:owner/repository/artifact` for the newest
            artifact of that name, which is read and never written; else a directory, which need not be there.

    Raises:
        ConfigurationError: The package redis is missing, the URL is none, or the server cannot be reached.
    """

    def __init__(self, url: str) -> None:
        self._database, self._error = _opened(url)
        self._kept: dict[bytes, Known] = {}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter(
                    "error", HypothesisWarning
                )  # an artifact that cannot be read is only that
                values = sorted(self._database.fetch(_KEY))
        except self._error as error:
            raise ConfigurationError(f"the database of examples cannot be read: {error}") from None
        for value in values:
            with suppress(BaselineError, ValueError):  # another version of the suite may read it
                (self._kept[value],) = parse(value.decode())

    def first(self, accounts: int) -> list[tuple[str, tuple[Request, ...]]]:
        """Return the requests to send before all others, each list with its input class, for so many accounts."""
        return witnesses(self._kept.values(), accounts)

    def learn(self, result: Document, today: date) -> str:
        """
        Keep what a run has found, and drop what no longer breaks its rule.

        Returns:
            Why they could not be kept, in a line; empty where they were.
        """
        known = apply(result, self._kept.values(), today, catalogue=BY_ID)["known"]
        gone = {each["fingerprint"] for each in known if each["state"] == State.FIXED}
        try:
            for value, each in self._kept.items():
                if each.fingerprint in gone:
                    self._database.delete(_KEY, value)
            for entry in additions(result, self._kept.values(), reason="found by a run"):
                self._database.save(_KEY, merged("", [entry]).encode())
        except self._error as error:
            return f"the examples of this run were not kept: {error}"
        return ""


def _opened(url: str) -> tuple[ExampleDatabase, type[Exception]]:
    """Return a database, and the kind of error that it raises where it cannot be reached."""
    if url.startswith("github:"):
        try:
            owner, repository, artifact = url.removeprefix("github:").split("/")
        except ValueError:
            raise ConfigurationError(
                "the database of examples: write it like github:owner/repository/artifact"
            ) from None
        return ReadOnlyDatabase(GitHubArtifactDatabase(owner, repository, artifact)), HypothesisWarning
    if not url.startswith(("redis://", "rediss://", "unix://")):
        return DirectoryBasedExampleDatabase(url), OSError
    try:
        from hypothesis.extra.redis import RedisExampleDatabase
        from redis import Redis, RedisError
    except ImportError:
        raise ConfigurationError(
            "a database of examples in Redis needs the package redis: pip install redis"
        ) from None
    try:
        return RedisExampleDatabase(Redis.from_url(url)), RedisError
    except ValueError:  # its message may hold a piece of the password
        raise ConfigurationError("the database of examples: write it like redis://localhost:6379/0") from None

"""
Names the ways in which an answer can differ from the expected state, and what it can prove.

Which rule a mismatch breaks is for `conformance.rules.state` to say.
"""

from dataclasses import dataclass
from enum import StrEnum

from conformance.http import Exchange
from conformance.model import Field


class Kind(StrEnum):
    """How the value shown can differ from the value expected. For a suspect: the kind of request that sent it."""

    # The setting was sent in this update, and the answer shows another value.
    ECHO = "echo"
    PREVIOUS = "previous"
    """The answer shows the value that the update was to replace."""
    NOTATION = "notation"
    """The value is in a notation that a target need not know, and came back with another length."""
    REPEATED = "repeated"
    """The parameter was sent more than once; the answer shows none of its valid values."""
    IDEMPOTENCE = "again"
    """The same update was sent twice, and the second answer differs."""
    # The setting was not sent, and is no longer what it was.
    LOST = "lost"
    """It shows an older value."""
    OMITTED = "omitted"
    """It shows null, or a value that it never had."""
    READ = "read"
    """Only a GET shows something else."""
    # Something wrote that must not write.
    FOREIGN = "foreign"
    """The value is that of another account."""
    CONCURRENT = "concurrent"
    """The value is none of those that concurrent updates have sent."""
    SAFE = "safe"
    """A request with a safe method, such as GET."""
    REFUSED = "refused"
    """An update that was answered with a 4xx."""
    UNAUTHORISED = "unauthorised"
    """A request without the account's own credentials."""
    UNVALIDATED = "unvalidated"
    """A request that is no plain update."""
    # The value can be no value of the setting, whatever was sent.
    PATTERN = "pattern"
    LENGTH = "length"


class Proof(StrEnum):
    """
    What an answer proves of the expected state: had the target been wrong, the answer would have shown another value.

    The `Kind` of a suspect is a proof too: its value is not shown.
    """

    ECHOED = "echoed"
    """The answer shows the value that was sent, and the value before was another one, or null."""
    REPLACED = "replaced"
    """The answer shows the value that was sent, and the value before was another one."""
    KEPT = "kept"
    """A value that this run has set is still shown by the answer to an update of something else."""
    READ_BACK = "read-back"
    """A read shows a value that this run has set."""
    REPEATED = "repeated"
    """The same update a second time shows the same value."""
    APART = "apart"
    """A value that this run has set is still shown after another account has accepted another value."""
    TOGETHER = "together"
    """The answer shows a value that one of several concurrent updates has sent."""
    AFTER_SAFE = "after-safe"
    """A value that this run has set is still shown after a request with a safe method."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """A value that must not be there, and what would have written it."""

    value: str
    kind: Kind
    exchange: Exchange


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """A setting that an answer shows to be something else than expected."""

    kind: Kind
    outcome: str
    """The kind of deviation, as a slug: `changed`, `reset`, `missing` ..."""
    about: Field
    shown: str | None
    expected: tuple[str | None, ...] = ()
    sent: str | None = None
    """The value of this update's own parameter; None where it has none."""
    related: tuple[Exchange, ...] = ()
    """Earlier exchanges that are needed to see it, oldest first."""
    was_null: bool = False
    """Whether the setting was null before: that state does not come back."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What comparing an answer with the expected state has shown."""

    mismatches: tuple[Mismatch, ...] = ()
    proofs: frozenset[tuple[Proof | Kind, Field]] = frozenset()

"""
Every error that a room hands to another, in one tree.

The emulator has errors of its own: it shares nothing with the suite that judges it.
"""

from collections.abc import Mapping
from types import MappingProxyType


class ConformanceError(Exception):
    """The base of all; its message is one line for a person."""


class ConfigurationError(ConformanceError):
    """A setting is wrong, or contradicts another one: exit status 2. The message says what to do."""


class BaselineError(ConformanceError):
    """A file of known deviations cannot be used; the message names the file, the line, what is wrong, what to do."""


class ReportError(ConformanceError):
    """A report cannot be read or written; the message says which and why."""


class RecordingError(ConformanceError):
    """A recording cannot be read or written; the message names the file, what is wrong, and what to do."""


class JournalError(ConformanceError):
    """The journal cannot be kept, or not be read."""


class Locked(JournalError):
    """Another process is at work on the account."""


class EmulatorFailed(ConformanceError):
    """The emulator's process ended, or did not begin to listen; the message is what it printed."""


class NotJSON(ConformanceError, ValueError):
    """The body is no JSON text in UTF-8 (RFC 8259)."""


class RunEnded(ConformanceError):
    """Nothing more is sent in this run."""


class BudgetExhausted(RunEnded):
    """The budget of requests is spent; nothing was sent."""


class OutOfTime(BudgetExhausted):
    """The time of the run is spent; nothing was sent."""


class Unimplemented(RunEnded):
    """The resource is not there: one finding, exit status 1."""


class Garbled(RunEnded):
    """The target speaks HTTP, but frames no answer so that it can be read."""


class AlwaysFails(RunEnded):
    """Every request is answered with a server error: one finding, exit status 1."""


class NoVerdict(RunEnded):
    """The target cannot be judged: it is not reached, or refuses the credentials. Exit status 3."""


class Unsafe(NoVerdict):
    """A live target is left alone, since its settings could not be put back."""


class Lost(RunEnded):
    """The target was there, and is gone or limits the run now: exit status 3."""


class TargetDead(Lost):
    """No connection could be opened, several times in a row, to a target that was there or must be."""


class Gone(Lost):
    """
    The target still answers, but accepts nothing any more of what it accepted before.

    Args:
        message: One line for a person.
        last_sign: The number of the last exchange that showed it as it was.
        signs: The same for the other accounts of the run, by index: the target may be gone for one of them alone.
    """

    def __init__(self, message: str, last_sign: int, signs: Mapping[int, int] = MappingProxyType({})) -> None:
        super().__init__(message)
        self._last_sign = last_sign
        self._signs = signs

    def counts(self, number: int, account: int) -> bool:
        """Whether an account was asked while the target was there, given the number of the exchange."""
        return number <= max(self._last_sign, self._signs.get(account, 0))


class RateLimitedOut(Lost):
    """The target asks the run to wait longer, or more often, than the settings allow."""


class LeftShort(Lost):
    """A timer is shorter than before the run, and the target does not accept its earlier value."""

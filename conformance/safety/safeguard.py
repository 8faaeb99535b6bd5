"""
The safeguard of a run: it keeps the settings that the run finds, so that they can be put back, or refuses to begin.

With the journal, they can be put back even when the run is killed. On a live target the run writes nothing that cannot
be put back, unless the user allows it, and leaves no timer shorter than it was.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from conformance.exceptions import JournalError, Locked, Unsafe
from conformance.http import Request
from conformance.model import BY_ATTRIBUTE, Probe, shortened
from conformance.oracle.decisions import Answer, decide_value
from conformance.safety.journal import Entry, Journal, Settings, entries
from conformance.safety.timer_guard import TimerGuard


class Safeguard:
    """
    The settings of before one run, and the rules about what the run may write.

    Args:
        journal: The journal that keeps the settings on disk, entered; None to keep them in memory.
        live: Whether the target is live, so that a lost setting does harm.
        accept_unrestorable: Whether a live run may set a null setting, which cannot be made null again.
        tell: Called with each line that the user should see at once.
        names: The names of the accounts in messages: their SIDs.
        shown: Returns a text as it may be shown. The journal keeps no setting that may not: a target can show a token
            as the digits of a SID.
    """

    def __init__(
        self,
        *,
        journal: Journal | None = None,
        live: bool = False,
        accept_unrestorable: bool = False,
        tell: Callable[[str], None] | None = None,
        names: Sequence[str] = (),
        shown: Callable[[str], str] = str,
    ) -> None:
        self._journal = journal
        self._live = live
        self._accept = accept_unrestorable
        self._tell = tell
        self._names = names
        self._shown = shown
        self.guard = TimerGuard() if live else None
        self.before: dict[int, Settings] = {}
        """The settings to put back, by index of their account."""
        self.changed: set[int] = set()
        """The indices of the accounts to which the run may have written."""
        self.reading = False
        """Whether the run is still reading settings, and may write none; see `look`."""
        self._lost: dict[str, str | None] = {}
        """Attributes whose values of before the run cannot be put back."""
        self.left_out: dict[str, None] = {}
        """Ids of the input classes that were left out because of the timer guard."""
        self.notices: list[str] = []

    @property
    def keeps(self) -> bool:
        """Whether a journal keeps the settings on disk."""
        return self._journal is not None

    def tell(self, line: str) -> None:
        """Show a line to the user at once, and add it to the notices of the report; the same line is said once."""
        if line in self.notices:
            return
        self.notices.append(line)
        if self._tell is not None:
            with suppress(OSError):  # the terminal may be gone
                self._tell(line)

    def snapshot(self, account: int, settings: Settings, owner: str | None = None) -> None:
        """
        Keep the settings of an account, before the first write to it.

        `owner` is the Account SID in the answer that shows them; None where it shows none.

        Raises:
            Unsafe: The target is live, and the settings are another account's, or one of them could not be put back,
                or the journal cannot be written.
        """
        name = self._name(account)
        if self._live and owner is not None and name.startswith("AC") and owner.lower() != name.lower():
            raise Unsafe(
                f"the credentials are not of {name}, but of {shortened(owner, 34)}; nothing was written"
            )
        # A value that must be refused in every update cannot be put back. The journal does not keep it either: it may
        # be anything, even a token.
        restorable = {
            attribute: value
            for attribute, value in settings.items()
            if value is None or decide_value(BY_ATTRIBUTE[attribute], value).answer is not Answer.REJECT
        }
        lost = {
            attribute: value for attribute, value in settings.items() if restorable.get(attribute) is None
        }
        if lost and self._live and not self._accept:
            values = ", ".join(f"{attribute} {value or 'null'}" for attribute, value in lost.items())
            raise Unsafe(
                f"{name} has {values}, which cannot be put back after a change; nothing was written "
                "(--accept-unrestorable changes it all the same)"
            )
        if self.guard is not None:
            self.guard.protect(account, settings)
        self._lost |= lost
        if self._journal is None:
            self.before[account] = settings
            return
        try:
            earlier = self._journal.pending(account)
            if any(restorable.values()):
                public = {
                    name: value
                    for name, value in restorable.items()
                    if value is None or self._shown(value) == value
                }
                self._journal.keep(account, public)
        except JournalError as error:
            if self._live:
                raise Unsafe(f"{error}; nothing was written") from None
            self.tell(f"if this run is killed, nothing can be put back: {error}")
            self.before[account] = settings
            return
        self.before[account] = settings if earlier is None else earlier.settings
        if earlier is not None:
            self.changed.add(account)

    def adopt(self, account: int, settings: Settings) -> None:
        """Take over the settings that an earlier run found and has not put back."""
        self.before[account] = settings
        self.changed.add(account)

    def touch(self, account: int) -> None:
        """Record that a request may have written to an account."""
        self.changed.add(account)

    def leave_out(self, account: int) -> None:
        """Record that an account is left out of the run, before any request has changed it."""
        self.changed.discard(account)

    def look(self) -> None:
        """Begin to read settings. Until `begin` is called, the run writes none."""
        self.reading = True

    def begin(self) -> None:
        """End the reading of settings: print those that cannot be put back, and count every account as changed."""
        self.reading = False
        self.changed.update(self.before)
        if self._lost and self._tell is not None:
            # The report says at the end which of them are not null any more.
            kinds = {
                "are null, and the run cannot make them null again": [
                    name for name, value in self._lost.items() if value is None
                ],
                "have values that must be refused, so they cannot be put back": [
                    name for name, value in self._lost.items() if value is not None
                ],
            }
            with suppress(OSError):  # the terminal may be gone
                for said, names in kinds.items():
                    if names:
                        self._tell(f"these settings {said}: {', '.join(names)}")

    def unreadable(self, account: int) -> None:
        """
        Report that the settings of an account cannot be read.

        Raises:
            Unsafe: The target is live.
        """
        line = f"the settings of {self._name(account)} cannot be read"
        if self._live:
            raise Unsafe(f"{line}, so they could not be put back; nothing was written")
        self.tell(f"{line}: they will not be put back")

    def restored(self, account: int) -> None:
        """Remove an account's journal: its settings are in force again, or were never changed."""
        if self._journal is not None:
            try:
                self._journal.drop(account)
            except OSError as error:
                self.tell(f"the journal of {self._name(account)} cannot be removed: {error}")

    def admits(self, probe: Probe, cls: str) -> bool:
        """Whether a probe may be sent. Where it may not, its input class is added to `left_out`."""
        if self.guard is None or self.guard.fits(probe):
            return True
        self.left_out[cls] = None
        return False

    def cost(self, requests: Sequence[Request]) -> int:
        """Return the number of requests that sending these takes, with those that put timers back."""
        return len(requests) if self.guard is None else self.guard.cost(requests)

    def may_stay(self, request: Request) -> bool:
        """Whether the values that a request sets may stay in force while other requests are sent."""
        return self.guard is None or not self.guard.shortens(request)

    def _name(self, account: int) -> str:
        return self._names[account] if account < len(self._names) else f"account {account + 1}"


@contextmanager
def safeguarded(
    target: str,
    names: Sequence[str],
    directory: Path,
    *,
    at: Sequence[str],
    adopts: bool,
    live: bool,
    **options: Any,
) -> Iterator[Safeguard]:
    """
    Return the safeguard of a run, with its journal open and its accounts locked, for use in a `with` statement.

    `at` are the places that the URL leads to (see `conformance.safety.places`). `adopts` says whether this run puts
    back, at its end, the settings that an earlier run left changed. For the other options see `Safeguard`.

    Raises:
        JournalError: Another run is using one of the accounts, or the settings that an earlier run found have to be
            put back first.
    """
    with ExitStack() as stack:
        journal: Journal | None = None
        lines: list[str] = []
        earlier: list[Entry | None] = []
        try:
            journal = stack.enter_context(Journal(directory, target, names, at))
            earlier = [journal.pending(account) for account in range(len(names))]
        except Locked:
            raise
        except JournalError as error:
            if live or journal is not None:
                raise
            lines.append(f"if this run is killed, nothing can be put back: {error}")
            lines += _unseen(directory)
        for entry in filter(None, earlier):
            left = f"{entry.process}, begun {entry.taken}, did not put back the settings of {entry.account}"
            now = f"`conformance restore --target {entry.target}`"
            if entry.target != target:
                left += f" at {entry.target}, which may be the same target"
            # Settings are put back only where they were found: two names of one machine may be two targets.
            if not adopts or entry.target != target:
                raise JournalError(f"{left}: {now} does it; then run again")
            lines.append(f"{left}: this run will, at its end; {now} does it now")
        safeguard = Safeguard(journal=journal, names=names, live=live, **options)
        for line in lines:
            safeguard.tell(line)
        yield safeguard


def _unseen(directory: Path) -> Iterator[str]:
    """Yield a line on what earlier runs may have left in a directory in which no journal can be kept."""
    try:
        if kept := entries(directory):
            yield f"{directory} keeps settings of {len(kept)} earlier runs: `conformance restore` puts them back"
    except JournalError as error:
        yield str(error)

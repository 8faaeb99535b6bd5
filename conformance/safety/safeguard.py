"""
What a run promises about the settings that it finds: to keep them safe, to put them back, or not to begin.

The journal makes the promise hold when the run itself is killed. On a live target nothing is written that could not be
put back, unless the user has said so, and no timer stays shorter than it was.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from conformance.exceptions import JournalError, Locked, Unsafe
from conformance.http import Request
from conformance.model import FIELDS, Probe
from conformance.oracle.decisions import Answer, decide_value
from conformance.safety.journal import Journal, Settings
from conformance.safety.timer_guard import TimerGuard

_BY_ATTRIBUTE = {each.attribute: each for each in FIELDS}


class Safeguard:
    """
    The safety of one run.

    Args:
        journal: Where settings are kept on disk, entered; None where nothing is worth it.
        live: Whether harm would be real.
        accept_unrestorable: Whether a live run may set what is null and cannot be unset.
        tell: Called with one line, at once.
        names: How to call the accounts.
    """

    def __init__(
        self,
        *,
        journal: Journal | None = None,
        live: bool = False,
        accept_unrestorable: bool = False,
        tell: Callable[[str], None] | None = None,
        names: Sequence[str] = (),
    ) -> None:
        self._journal = journal
        self._live = live
        self._accept = accept_unrestorable
        self._tell = tell
        self._names = names
        self.guard = TimerGuard() if live else None
        self.before: dict[int, Settings] = {}
        """By account, what is to be put back."""
        self.changed: set[int] = set()
        """Accounts to which something was sent that may have written."""
        self.reading = False
        """Whether settings are still being read, and nothing may be set."""
        self._for_good: dict[str, None] = {}
        self.left_out: dict[str, None] = {}
        """Input classes that were not sent because of the guard."""
        self.notices: list[str] = []

    @property
    def keeps(self) -> bool:
        """Whether settings are kept on disk."""
        return self._journal is not None

    def tell(self, line: str) -> None:
        """Say a line at once, and in the report."""
        self.notices.append(line)
        if self._tell is not None:
            with suppress(OSError):  # nobody may be listening any more
                self._tell(line)

    def snapshot(self, account: int, settings: Settings, owner: str | None = None) -> None:
        """
        Keep an account's settings as they are before the first write.

        Args:
            account: Its index.
            settings: As they were read.
            owner: The account that the answer says they are of.

        Raises:
            Unsafe: On a live target, they are another account's, what is null could not be unset, or nothing can be
                kept.
        """
        name = self._name(account)
        if self._live and owner is not None and name.startswith("AC") and owner.lower() != name.lower():
            raise Unsafe(f"the credentials are not of {name}, but of {owner[:34]}; nothing was written")
        # What no update may set cannot be put back, and might be anything: a token, of all things.
        worth = {
            attribute: value
            for attribute, value in settings.items()
            if value is None or decide_value(_BY_ATTRIBUTE[attribute], value).answer is not Answer.REJECT
        }
        for_good = {attribute: value for attribute, value in settings.items() if worth.get(attribute) is None}
        if for_good and self._live and not self._accept:
            values = ", ".join(f"{attribute} {value or 'null'}" for attribute, value in for_good.items())
            raise Unsafe(
                f"{name} has {values}, which cannot be put back once it is something else; nothing was written "
                "(--accept-unrestorable goes on)"
            )
        if self.guard is not None:
            self.guard.protect(account, settings)
        self._for_good |= dict.fromkeys(for_good)
        if self._journal is None:
            self.before[account] = settings
            return
        try:
            earlier = self._journal.pending(account)
            if any(worth.values()):
                self._journal.keep(account, worth)
        except JournalError as error:
            if self._live:
                raise Unsafe(f"{error}; nothing was written") from None
            self.tell(f"a run that is killed could not be made good: {error}")
            self.before[account] = settings
            return
        self.before[account] = settings if earlier is None else earlier.settings
        if earlier is not None:
            self.changed.add(account)

    def adopt(self, account: int, settings: Settings) -> None:
        """Take over settings that an earlier run has left to be put back."""
        self.before[account] = settings
        self.changed.add(account)

    def begin(self) -> None:
        """Say what cannot be undone, all settings having been read: from now on every account is written to."""
        self.reading = False
        self.changed.update(self.before)
        if self._for_good and self._tell is not None:
            self.tell(f"cannot be put back once they are something else: {', '.join(self._for_good)}")

    def unreadable(self, account: int) -> None:
        """
        Note that an account's settings cannot be read.

        Raises:
            Unsafe: On a live target.
        """
        line = f"the settings of {self._name(account)} cannot be read"
        if self._live:
            raise Unsafe(f"{line}, so they could not be put back; nothing was written")
        self.tell(f"{line}: they will not be put back")

    def restored(self, account: int) -> None:
        """Forget an account's settings: they are in force again, or were never touched."""
        if self._journal is not None:
            try:
                self._journal.drop(account)
            except OSError as error:
                self.tell(f"the journal of {self._name(account)} cannot be removed: {error}")

    def admits(self, probe: Probe, cls: str) -> bool:
        """Whether a probe may be sent; the class of one that may not is listed."""
        if self.guard is None or self.guard.fits(probe):
            return True
        self.left_out[cls] = None
        return False

    def cost(self, requests: Sequence[Request]) -> int:
        """How many requests it takes to send these."""
        return len(requests) if self.guard is None else self.guard.cost(requests)

    def may_stay(self, request: Request) -> bool:
        """Whether what a request sets may stay in force while others are sent."""
        return self.guard is None or not self.guard.shortens(request)

    def _name(self, account: int) -> str:
        return self._names[account] if account < len(self._names) else f"account {account + 1}"


@contextmanager
def safeguarded(
    target: str,
    names: Sequence[str],
    directory: Path,
    *,
    live: bool,
    adopts: bool,
    accept_unrestorable: bool,
    tell: Callable[[str], None],
) -> Iterator[Safeguard]:
    """
    The safeguard of a run, with its journal and the lock on its accounts.

    Args:
        target: Base URL.
        names: The accounts, by SID.
        directory: Where journals are kept.
        live: See `Safeguard`.
        adopts: Whether the run puts back, at its end, what an earlier one has left.
        accept_unrestorable: See `Safeguard`.
        tell: See `Safeguard`.

    Raises:
        JournalError: Another run is at work there, or an earlier one has left something that must be put back first.
    """
    with ExitStack() as stack:
        journal: Journal | None = None
        lines: list[str] = []
        try:
            journal = stack.enter_context(Journal(directory, target, names))
        except Locked:
            raise
        except JournalError as error:
            if live:
                raise
            lines.append(f"if this run is killed, nothing can be put back: {error}")
        earlier = [journal.pending(account) for account in range(len(names))] if journal is not None else []
        for entry in earlier:
            if entry is not None:
                left = (
                    f"{entry.process}, begun {entry.taken}, did not put back the settings of {entry.account}"
                )
                now = f"`conformance restore --target {target}`"
                if not adopts:
                    raise JournalError(f"{left}: {now} does; then run again")
                lines.append(f"{left}: this run will at its end; {now} does now")
        safeguard = Safeguard(
            journal=journal, live=live, accept_unrestorable=accept_unrestorable, tell=tell, names=names
        )
        for line in lines:
            safeguard.tell(line)
        yield safeguard

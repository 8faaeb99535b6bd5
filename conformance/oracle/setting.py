"""What is known of one setting of an account."""

from dataclasses import dataclass, field

from conformance.http import Exchange
from conformance.model import Field
from conformance.oracle.decisions import is_right
from conformance.oracle.mismatches import Kind, Suspect

REMEMBERED = 32
"""How many former values, and suspects, are kept of a setting before the latest: older ones explain nothing."""


@dataclass(slots=True)
class Setting:
    """
    What is known of one setting.

        nothing known      right is None
        sent and accepted  right holds what was sent; writer is the update
        shown              right holds what was shown, to the letter (seen)
        shown as sent      ours holds the value: this run wrote it, and the target keeps it
    """

    about: Field
    right: tuple[str | None, ...] | None = None
    """The values that would be right; None while nothing is known."""
    seen: bool = False
    """Whether an answer has shown the value of `right`: then that text is right from now on, to the letter."""
    looked: bool = False
    """Whether any answer has shown it, null included."""
    last: str | None = None
    """The value that was shown last."""
    shown: str | None = None
    """The value last shown by the answer to a POST."""
    found: str | None = None
    """The value shown before this run had sent any."""
    kept: str | None = None
    """The value last shown that was right for what had been sent."""
    wrong: str | None = None
    """The value that was last shown in place of the one that was sent, and that no answer had shown before."""
    ours: str | None = None
    """The value now in force, where this run has set it and has seen it set."""
    former: list[str] = field(default_factory=list)
    """The values shown before the present one, oldest first."""
    suspects: list[Suspect] = field(default_factory=list)
    """The values that must not be shown, oldest first."""
    writer: Exchange | None = None
    """The update that `right` comes from."""
    first: int | None = None
    """The number of the first update that may have set it; None where there was none."""
    contested: bool = False
    """Whether the value in force is one of those that concurrent updates have sent."""
    explained: set[Kind] = field(default_factory=set)
    """The kinds of mismatch that were reported of this setting."""
    sent: str | None = None
    """The value of the last update that was accepted, before the present one."""

    def matches(self, value: str | None) -> bool:
        """Whether a value that an answer shows is a right one. While nothing is known, any value is."""
        if self.right is None or (value in self.right and (self.seen or value == self.shown)):
            return True
        return any(is_right(self.about, sent, value) for sent in self.right)

    def write(self, exchange: Exchange) -> None:
        """Record an update that may have set it."""
        self.writer, self.first = exchange, exchange.number if self.first is None else self.first

    def suspect(self, value: str, kind: Kind, exchange: Exchange) -> None:
        """Remember a value that must not be shown, unless it is right anyway."""
        if self.right is not None and self.matches(value):
            return
        if len(self.suspects) > REMEMBERED:
            # What was answered as if it had written is the likeliest, however long ago that was.
            refused = (each for each in self.suspects if not each.exchange.accepted)
            forgotten = next(refused, self.suspects[0])
            self.suspects = [each for each in self.suspects if each is not forgotten]
        self.suspects = [*self.suspects, Suspect(value, kind, exchange)]

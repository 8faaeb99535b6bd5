"""Gathers, for each rule, an exchange that would have shown it broken, had it been: without one nothing is decided."""

from collections.abc import Callable

from conformance.http import Exchange
from conformance.model import Rule
from conformance.rules import BY_ID, CATALOGUE, Reply


class Gathered:
    """The evidence of one run: by rule, the first exchange that is evidence for it."""

    def __init__(self) -> None:
        self._wanted = list(CATALOGUE)
        self._found: dict[str, Exchange] = {}
        self._doubts: dict[str, str] = {}

    def see(self, reply: Reply) -> None:
        """Take in one exchange, after it was judged."""
        found = [rule for rule in self._wanted if rule.evidence.seen(reply)]
        for rule in found:
            self._found[rule.id] = reply.exchange
            self._wanted.remove(rule)

    def keep(self, is_kept: Callable[[Exchange], bool]) -> None:
        """Forget the evidence for which `is_kept` is false: the target was gone then."""
        self._found = {name: found for name, found in self._found.items() if is_kept(found)}

    def doubt(self, rule: Rule, reason: str) -> None:
        """Take note of a reason why nobody knows whether a rule holds, whatever else was seen."""
        self._doubts[rule.id] = reason

    def of(self, rule: Rule) -> Exchange | None:
        """Return the evidence for a rule; None where there is none, or what it rests on was not seen."""
        return None if self.missing(rule) else self._found[rule.id]

    def missing(self, rule: Rule) -> str:
        """Return in words why a rule is undecided; an empty text where it is not."""
        if doubt := self._doubts.get(rule.id):
            return doubt
        for given in rule.evidence.given:
            if reason := self.missing(BY_ID[given]):
                return reason
        return "" if rule.id in self._found else rule.evidence.missing

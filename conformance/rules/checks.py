"""The response checks of one module: each rule's row, with the function that judges an answer by it."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple, Unpack

from conformance.model import InputClass, Level, Rule, Violation
from conformance.rules.probes import ANSWERS
from conformance.rules.reply import Reply
from conformance.rules.rows import Columns, row


class Broken(NamedTuple):
    """The way in which an answer breaks a rule. `Checks` makes a `Violation` of it."""

    outcome: str
    field: str | None
    expected: str
    observed: str
    summary: str = ""
    """Empty where the rule's statement says it."""
    cls: str = ""
    """Empty for the kind of the answer, where the rule is about kinds of answers; else for the input class sent."""


Check = Callable[[Reply], Iterator[Broken]]


class Checks:
    """
    Judges a reply by every rule that was added, in the order in which they were added.

    Args:
        applies: Says whether these rules are about a reply at all.
        **common: Columns that the rows of all these rules have in common.
    """

    def __init__(
        self, applies: Callable[[Reply], bool] = lambda reply: True, **common: Unpack[Columns]
    ) -> None:
        self.rules: list[Rule] = []
        self._common = common
        self._applies = applies
        self._checks: list[tuple[Rule, bool, Check]] = []
        """The rules, whether each is about kinds of answers, and what judges by them."""
        self.must, self.should = partial(self.row, Level.MUST), partial(self.row, Level.SHOULD)

    def row(
        self,
        level: Level,
        rule_id: str,
        statement: str,
        source: str,
        *classes: InputClass,
        **columns: Unpack[Columns],
    ) -> Callable[[Check], Check]:
        """Add a rule, given its row; see `rows.row`."""
        return self.add(row(level, rule_id, statement, source, *classes, **(self._common | columns)))

    def add(self, rule: Rule) -> Callable[[Check], Check]:
        """Add a rule. The result decorates the function that judges by it; a rule judged elsewhere needs none."""
        self.rules.append(rule)

        def decorate(check: Check) -> Check:
            of_answers = all(each.id in ANSWERS for each in rule.classes)
            self._checks.append((rule, of_answers, check))
            return check

        return decorate

    def __call__(self, reply: Reply) -> Iterator[Violation]:
        """Yield a violation for each way in which the reply breaks a rule."""
        if not self._applies(reply):
            return
        for rule, of_answers, check in self._checks:
            for broken in check(reply):
                yield Violation(
                    rule=rule.id,
                    outcome=broken.outcome,
                    field=broken.field,
                    summary=broken.summary or rule.statement,
                    expected=broken.expected,
                    observed=broken.observed,
                    cls=broken.cls or (reply.kind if of_answers else ""),
                )

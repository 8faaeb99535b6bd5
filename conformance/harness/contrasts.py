"""Asks the target which rule a counterexample breaks, by the questions of the rules."""

from collections.abc import Callable
from dataclasses import replace

from conformance.http import NOT_ACCEPTABLE
from conformance.model import Aspect, Level, Violation
from conformance.rules import BY_ID
from conformance.rules.case import Case, Instead, Requests, Seen
from conformance.rules.questions import QUESTIONS, is_about_own


def attributed(case: Case, ask: Callable[[Requests], Seen | None]) -> Instead:
    """
    Ask which rule is broken, and attribute the violation to it.

    Args:
        case: A counterexample that shows the violation every time.
        ask: Sends requests; returns the exchanges with their violations, or None when the budget does not allow it.

    Returns:
        The violation of the rule that is broken with the exchanges that show it; the given ones, where no answer speaks
        for another rule.
    """
    for question in QUESTIONS:
        asking, seen = question(case), None
        try:
            requests = next(asking)
            while True:
                seen = ask(requests)
                requests = asking.send(seen)
        except StopIteration as answer:
            found: str | Instead = answer.value
        if isinstance(found, Instead):
            return found
        if found:
            return Instead(_moved(case, found), case.exchanges)
    return Instead(case.violation, case.exchanges)


def _moved(case: Case, rule: str) -> Violation:
    """Return the violation as one of another rule; a violation of a SHOULD rule never becomes one of a MUST rule."""
    violation = case.violation
    before, after = BY_ID[violation.rule], BY_ID[rule]
    # Two rules are excepted: another request may have left the connection in a bad state, or a 406 names its reason.
    elsewhere = after.aspect is Aspect.WIRE or case.exchanges[-1].status == NOT_ACCEPTABLE
    raised = before.level is Level.SHOULD and after.level is Level.MUST and not elsewhere
    if rule == violation.rule or raised:
        return violation
    moved = replace(violation, rule=rule)
    return replace(moved, outcome="changed") if is_about_own(moved) and after.field else moved

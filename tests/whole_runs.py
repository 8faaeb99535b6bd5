"""Whole runs of the catalogue, or of some rules, against a function that answers."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from fakes import FakeTarget, Resource

from conformance.harness.executor import Plan, run
from conformance.http import Failure, Request, Response
from conformance.model import Level, Outcome, Report, Rule
from conformance.rules import BY_ID, CATALOGUE

QUICK = Plan(profile="quick")
Answering = Callable[[Request], Response | Failure]


def judged(
    answering: Answering, *only: str, plan: Plan = QUICK, limit: int | None = 300, accounts: int = 2
) -> tuple[Report, FakeTarget]:
    """Run the catalogue, or some rules of it, against a function that answers."""
    target = FakeTarget(answering, max_requests=limit, accounts=accounts)
    catalogue: Sequence[Rule] = [BY_ID[each] for each in only] or CATALOGUE
    return run(catalogue, target, plan), target


def outcome(report: Report, rule: str) -> Outcome:
    """The outcome of one rule."""
    return next(each for each in report.outcomes if each.rule.id == rule)


def findings(report: Report, level: Level | None = None) -> set[tuple[str, str]]:
    """The rule and the kind of every finding, or of those at one level."""
    return {
        (each.rule, each.outcome)
        for outcome in report.outcomes
        for each in outcome.findings
        if level in (None, each.level)
    }


class Fault(Resource):
    """Takes some values that must be refused, and loses some that were accepted."""

    def __init__(self, accepts: Iterable[str] = (), loses: Iterable[str] = ()) -> None:
        super().__init__()
        self.accepts, self.loses = set(accepts), set(loses)

    def takes(self, parameter: str, value: str) -> bool:
        return value in self.accepts or super().takes(parameter, value)

    def write(self, request: Request, values: Mapping[str, str]) -> None:
        super().write(request, {name: value for name, value in values.items() if name not in self.loses})


def with_values(resource: Resource) -> Resource:
    """A resource that has a value in every setting."""
    resource.states = [
        {
            each: "IS" + "1" * 32 if "chat" in each else "MG" + "1" * 32 if "messaging" in each else "PT30M"
            for each in state
        }
        for state in resource.states
    ]
    return resource

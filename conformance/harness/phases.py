"""
Sends the phases that find deviations: explicit examples, then draws of Hypothesis, then cases of schemathesis.

The examples phase sends the first example of every class before the second of any. Of all answers, only those that show
which SIDs the target accepts change what is generated.
"""

import time
from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from conformance.harness import schedule
from conformance.harness.budget import Budget, Enough
from conformance.harness.combinations import Combinations
from conformance.harness.containment import Parts
from conformance.harness.generation import generate, run_machine
from conformance.harness.observations import OpenInputs
from conformance.harness.order import VARIED
from conformance.harness.packages import is_exercisable
from conformance.harness.schedule import Item, Plan, Row
from conformance.harness.session import Session
from conformance.http import FailureKind, Request
from conformance.model import BY_HAND, Aspect, InputClass, Level, Probe, Rule
from conformance.rules import BY_ID, sdk
from conformance.rules.openapi import GENERATED
from conformance.rules.probes import BRINGING_EVIDENCE

_HANGS = 2
"""Examples of a class that may time out, at most. More of them would cost minutes and show nothing new."""


def _place(item: Item) -> tuple[bool, int]:
    """
    Return the place of a first example among the others: credentials come first, and then what finds most.

    The claim that credentials are required is the most basic one, so it is never left out.
    """
    rule = item.rule
    is_basic = rule.aspect is Aspect.CREDENTIALS and rule.control is None
    return not (is_basic and (item.cls is rule.classes[0] or schedule.is_early(item))), schedule.by_yield(
        item
    )


class Phases:
    """Sends the probes of a run that find deviations: those of its share, until the budget is spent."""

    def __init__(
        self,
        catalogue: Sequence[Rule],
        plan: Plan,
        session: Session,
        budget: Budget,
        share: Collection[tuple[str, str]],
    ) -> None:
        self._catalogue = catalogue
        self._plan = plan
        self._session = session
        self._budget = budget
        self._share = share
        self._rows: list[Row] = []
        self._parts = Parts(session.safeguard.tell)
        self._combinations = Combinations(
            session, strength=3 if plan.profile == "thorough" else 2, shard=plan.shard
        )
        self._later: list[tuple[float, str, Request]] = []
        """Last steps that have to wait: the time of `time.monotonic` in seconds, the input class, and the request."""
        self.open_inputs = OpenInputs(session)

    def send_all(self) -> None:
        """Send the counterexamples of known deviations and then every phase, until the budget is spent."""
        try:
            for cls, requests in self._plan.first:
                if self._budget.is_spent(len(requests)):
                    return
                for request in requests:
                    time.sleep(request.after)  # the wait is a part of the counterexample
                    self._session.conversation.send(request, cls)
            self._plan_examples()
            self._send_calls()
            self._send_examples()
            self._send_ordinary()
            self._send_generated()
            self._send_cases()
        except Enough:
            pass

    def catch_up(self) -> None:
        """Wait for the time of each last step that was put off, and send it."""
        for due, cls, step in self._later:
            time.sleep(max(0.0, due - time.monotonic()))
            self._session.conversation.send(step, cls)
        self._later.clear()

    def _plan_examples(self) -> None:
        # The whole catalogue is planned, and then left out what the target lacks: the other requests stay the same.
        rows = schedule.planned(
            schedule.must_first(self._catalogue),
            self._plan.profile,
            self._session.situation,
            rare=self._plan.rare,
        )
        self._rows = [row for row in rows if self._is_able(row[0]) and (row[0].id, row[1].id) in self._share]

    def _send_calls(self) -> None:
        rules = {rule.id for rule, *_ in self._rows if rule.needs == sdk.NEED and is_exercisable(rule)}
        if not rules:
            return
        # This imports the official client, which takes a fifth of a second.
        from conformance.harness.sdk_phase import calls

        self._session.conversation.enter("sdk")
        for call in calls(self._session):
            if call.rule.id in rules:
                self._send_checked(call, call.rule, call.rule.classes[0], "the official Python client")

    def _send_checked(self, case: Any, rule: Rule, cls: InputClass, checker: str) -> None:
        """Send the request of a case, and have it check the answer too; the run goes on where that fails."""
        probe = Probe(steps=(case.request,))
        self._budget.claim(probe.steps)
        judged = self._session.run_probe(probe, rule.id, cls.id)[-1]
        self._parts.contain(checker, case.check)(self._session, judged)

    def _send_examples(self) -> None:
        self._session.conversation.enter("examples")
        rows: Sequence[Row] = self._rows
        firsts = [Item(rule, cls, probe) for rule, cls, probes, _ in self._rows for probe in probes[:1]]
        firsts.sort(key=_place)
        must = [item for item in firsts if item.rule.level is Level.MUST]
        if self._plan.profile != "quick":
            self._send_first([item for item in must if schedule.is_early(item)])
            self._session.looks = True
            self._send_first([item for item in must if item.rule.field is None])
            rows = self._send_varied()
            self._combinations.send(self._may_send)
        self._send_first(must)
        should = [item for item in firsts if item.rule.level is Level.SHOULD]
        self._send_first(sorted(should, key=lambda item: schedule.by_context((item,))))
        if self._plan.profile != "quick" and self._plan.shard[0] == 1:
            self.open_inputs.send()
        for turn, group in schedule.in_turns(rows, self._session.situation.sids):
            if len(group) > 1:
                self._send_group(group)
            else:
                self._send(group[0]._replace(probe=self._of_account(group[0].probe, turn)))

    def _send_varied(self) -> Sequence[Row]:
        """Send the other examples of the classes of which each tries another thing; return the rows without them."""
        for rule, cls, probes, _ in self._rows:
            for turn, probe in enumerate(probes[1:], start=1) if cls.id in VARIED else ():
                self._send(Item(rule, cls, self._of_account(probe, turn)))
        return [
            (rule, cls, probes[:1] if cls.id in VARIED else probes, drawn)
            for rule, cls, probes, drawn in self._rows
        ]

    def _of_account(self, probe: Probe, turn: int) -> Probe:
        """Return a probe as of the account whose turn it is, unless it is about several accounts."""
        if any(step.account for step in probe.steps):
            return probe
        account = turn % self._session.situation.accounts
        return replace(probe, steps=tuple(replace(step, account=account) for step in probe.steps))

    def _is_able(self, rule: Rule) -> bool:
        return rule.needs not in self._plan.lacks(self._session.target)

    def _send_ordinary(self) -> None:
        """Send ordinary requests if a rule lacks evidence: where few rules are exercised, nothing else may give it."""
        missing = self._session.judge.evidence.missing
        for basis, request in BRINGING_EVIDENCE.items():
            if missing(BY_ID[basis]) and any(
                missing(rule) for rule in self._catalogue if self._is_able(rule)
            ):
                self._budget.claim((request,))
                self._session.conversation.send(request, "answer/update")

    def _send_first(self, items: Sequence[Item]) -> None:
        due = [item for item in items if self._is_due(item)]
        for group in schedule.side_by_side(due, self._session.situation.sids):
            self._send_group(group)
        for item in items:
            if self._is_due(item):
                self._send(item)

    def _send_group(self, items: Sequence[Item]) -> None:
        self._budget.claim([item.probe.steps[0] for item in items], more=1)
        self._session.run_side_by_side(items)

    def _is_due(self, item: Item) -> bool:
        """Whether the class was not sent yet, and no answer of its kind was seen."""
        return item.key not in self._session.tallies and item.cls.id not in self._session.judge.kinds

    def _send(self, item: Item) -> None:
        probe, tally = item.probe, self._session.tallies.get(item.key)
        if tally is not None and tally.statuses[FailureKind.TIMEOUT] >= _HANGS:
            return
        if not self._may_send(probe, item.cls.id):
            return
        *first, last = probe.steps
        if last.after:  # other probes are sent meanwhile
            self._session.run_probe(replace(probe, steps=tuple(first)), *item.key)
            self._later.append((time.monotonic() + last.after, item.cls.id, last))
        else:
            self._combinations.keep(item, self._session.run_probe(probe, *item.key))

    def _may_send(self, probe: Probe, cls: str) -> bool:
        """Whether a probe is safe, and says something; raises `Enough` when the phases have to end."""
        if not self._session.safeguard.admits(probe, cls):
            return False
        if any(step.by_hand for step in probe.steps) and BY_HAND in self._session.target.lacks:
            return False
        if any(not step.auth.valid and self._session.target.lets_in(step) for step in probe.steps):
            return False
        self._budget.claim(probe.steps)
        return True

    def _send_generated(self) -> None:
        self._session.conversation.enter("generated")
        for rule, cls, probes, count in self._rows:
            if self._budget.ends_generation(schedule.CASES[self._plan.profile]):
                return
            seen = {probe.steps for probe in probes}
            for probe in self._drawn(rule, cls, count) if count else ():
                if probe.steps not in seen:
                    seen.add(probe.steps)
                    self._send(Item(rule, cls, probe))

    def _drawn(self, rule: Rule, cls: InputClass, count: int) -> list[Probe]:
        key = f"{self._plan.seed}:{rule.id}:{cls.id}:{count}:{self._session.situation}"
        kept = self._plan.drawn if self._plan.drawn is not None else {}
        if key not in kept:
            kept[key] = self._draw(rule, cls, count)
        return kept[key]

    def _draw(self, rule: Rule, cls: InputClass, count: int) -> list[Probe]:
        seed, situation = f"{self._plan.seed}:{rule.id}:{cls.id}", self._session.situation
        if (machine := cls.machine) is not None:
            return run_machine(partial(machine, situation), seed=seed, count=count, steps=schedule.STEPS)
        if cls.strategy is None:
            return []
        # The simplest value comes first, whatever the seed is; the examples have it.
        return generate(cls.strategy(situation), seed=seed, count=count + 1)[1:]

    def _send_cases(self) -> None:
        count = schedule.CASES[self._plan.profile]
        owner = next((rule for rule, cls, *_ in self._rows if cls is GENERATED), None)
        if owner is None or not is_exercisable(owner):
            return
        # This imports schemathesis, which takes a second.
        from conformance.harness.schemathesis_phase import cases

        self._session.conversation.enter("schemathesis")
        for case in cases(count=count, seed=self._plan.seed):
            self._send_checked(case, owner, GENERATED, "the checks of schemathesis")

"""One run against one target: sends probes, and keeps what the run knows of the target."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

from conformance.exceptions import BudgetExhausted
from conformance.harness.candidates import Candidates, Tally, is_broken, status_of
from conformance.harness.conversation import Conversation, Judged
from conformance.harness.events import Listener
from conformance.harness.judging import Judge
from conformance.harness.schedule import Item, carried
from conformance.http import EMPTY, Exchange, Request, update
from conformance.model import BY_PARAMETER, CLOSED, FIELDS, INACTIVE, Probe, Situation
from conformance.rules.acceptance import is_acceptable
from conformance.rules.forms import GOOD_FORMS, other_pairs
from conformance.rules.probes import look
from conformance.safety.restore import Restorer
from conformance.safety.safeguard import Safeguard
from conformance.transport.target import Target

_FRUITLESS = 3
"""Second tries in a row that fail, after which no other is made: the target then fails at the requests themselves."""


class Session:
    """One run against one target, by the selected rules. A read must show a write within `settle` seconds."""

    def __init__(
        self,
        target: Target,
        selected: Collection[str],
        *,
        settle: float = 0.0,
        listener: Listener = lambda event: None,
        safeguard: Safeguard | None = None,
    ) -> None:
        self.target = target
        self.safeguard = safeguard or Safeguard()
        self.candidates = Candidates(selected)
        self.judge = Judge(target)
        self.tallies: dict[tuple[str, str], Tally] = {}
        """The examples sent, by the ids of rule and input class."""
        self.conversation = Conversation(
            target, self.judge, self.candidates, safeguard=self.safeguard, settle=settle, listener=listener
        )
        self.looks = False
        """Whether to read the settings before a probe that hides some; see `hides`. Each read takes a request."""
        self._settle = settle
        self._fruitless = 0
        """Second tries in a row that have failed."""
        self._reader: Request | None = None
        self._takes_empty = False
        self._refused_unset: defaultdict[str, list[Request]] = defaultdict(list)
        self._needed_before: dict[str, tuple[Exchange, Request]] = {}

    @property
    def situation(self) -> Situation:
        """The facts about the target that input classes may use."""
        return self.judge.situation

    @property
    def reader(self) -> Request | None:
        """The request that shows the settings without writing; None when there is none."""
        return self._reader

    def learn(self, *, reader: Request | None = None, takes_empty: bool | None = None) -> None:
        """Record the request that shows the settings, and whether an update without parameters does."""
        self._reader = reader or self._reader
        self._takes_empty = self._takes_empty if takes_empty is None else takes_empty

    def leave_out(self, account: int, reason: str) -> None:
        """Go on without an account that the target does not serve, and without the accounts after it."""
        name = self.target.settings.accounts[account].user
        self.safeguard.tell(f"judged without {name}: {reason}")
        self.safeguard.leave_out(account)
        self.candidates.keep(lambda each: each.exchange.request.account < account)
        self.judge.serve(account)

    def restorer(self) -> Restorer:
        """Make the object that puts back the settings that were in force before the run."""
        return Restorer(
            target=self.target,
            safeguard=self.safeguard,
            reader=self.reader,
            settle=self._settle,
            is_legible=not self.judge.states[0].is_random,
        )

    def hides(self, probe: Probe) -> bool:
        """Whether a probe overwrites a setting that may have a value which had to be refused, before it is shown."""
        request = probe.steps[0]
        state = self.judge.states[request.account]
        now = state.current()
        written = [pair for pair in probe.context if now.get(BY_PARAMETER[pair[0]].attribute) != pair[1]]
        written += (request.form() or ()) if is_acceptable(request) else ()
        return any(state.settings[BY_PARAMETER[name].attribute].suspects for name, _ in written)

    def begin(self, probe: Probe, cls: str) -> None:
        """Read the settings if a probe would hide some; then put its context in force."""
        account = probe.steps[0].account
        if self.looks and self.hides(probe):
            self.read_back(cls, account)
        self.conversation.begin(probe.context, account)

    def run_probe(self, probe: Probe, rule: str, cls: str) -> list[Judged]:
        """Put a probe's context in force, send its steps, and have every answer judged."""
        tally = self.tallies.setdefault((rule, cls), Tally())
        self.begin(probe, cls)
        tally.examples += 1
        if probe.together:
            seen = self.conversation.send_together(probe.steps, cls)
            for account in sorted({step.account for step in probe.steps}):
                self.read_back(cls, account)  # only now can what is lost be put down to these requests
        else:
            seen = [self.conversation.send(step, cls) for step in probe.steps]
            is_first = tally.examples == len(probe.steps) == 1
            if is_first and self._is_to_be_tried_again(seen[-1].exchange):
                seen.append(self.conversation.send(replace(probe.steps[-1], fresh=True), cls))
                self._fruitless = self._fruitless + 1 if is_broken(seen[-1].exchange) else 0
        tally.statuses.update(status_of(each.exchange) for each in seen)
        for account in range(self.situation.accounts):
            if self.judge.is_read_due(account):
                self.read_back(cls, account)
        return seen

    def _is_to_be_tried_again(self, failed: Exchange) -> bool:
        """
        Whether to send a request that failed once more.

        The request before it may have caused the failure; then the failure says nothing about the input class of the
        failed request.
        """
        last = self.conversation.recent[-1]
        return is_broken(failed) and self._fruitless < _FRUITLESS and last.accepted

    def run_side_by_side(self, items: Sequence[Item]) -> list[bool]:
        """
        Send good values of several settings in one update; if it is refused, send each value by itself.

        Return whether each was accepted.
        """
        if len(items) == 1:
            return self._run_alone(items)
        probe = carried(items)
        request = probe.steps[0]
        first = items[0].cls.id
        self.begin(probe, first)
        exchange, reply, violations = self.conversation.ask(request, first)
        taken = [exchange.accepted] * len(items)
        if exchange.unwritten:
            taken = self._run_alone(items)
        else:
            for item in items:
                tally = self.tallies.setdefault(item.key, Tally())
                tally.examples += 1
                tally.statuses[status_of(exchange)] += 1
        if not exchange.unwritten or all(taken):
            classes = {field_name: item.cls.id for item in items for field_name in _names_of(item)}
            for violation in violations:
                self.conversation.note(violation, exchange, classes.get(violation.field or "", GOOD_FORMS))
        self.conversation.conclude(reply, first)
        return taken

    def _run_alone(self, items: Sequence[Item]) -> list[bool]:
        return [self.run_probe(item.probe, *item.key)[-1].exchange.accepted for item in items]

    def read_back(self, cls: str, account: int) -> None:
        """
        Send an update whose answer shows the settings, to see what requests of an input class have written.

        The update itself leaves alone the settings that they sent.
        """
        settings = self.judge.states[account].settings
        names = {each.parameter for each in FIELDS if settings[each.attribute].suspects}
        shown = EMPTY if self._takes_empty else look(CLOSED if CLOSED.parameter in names else INACTIVE)
        self.conversation.send(replace(shown, account=account), cls)
        self.judge.was_read(account)

    def refuses_shorter(self) -> bool:
        """Whether the target refuses a closed timer shorter than the inactive one; the first call asks the target."""
        if self.judge.refuses_shorter is None:
            shorter = ((INACTIVE.parameter, "PT20M"), (CLOSED.parameter, "PT15M"))
            self.judge.learn_shorter(self.conversation.send(update(*shorter), "open/interplay").reply)
        return bool(self.judge.refuses_shorter)

    def learn_unset(self, refused: Request) -> None:
        """Record an update with one wrong value that was refused where the setting was null."""
        ((name, _),) = refused.form() or ()
        self._refused_unset[name].append(refused)

    def needed_before(self, name: str, *, ask: bool) -> tuple[Exchange, Request] | None:
        """
        Return an update after which the target accepts a wrong value of a parameter, and a request with such a value.

        None where the target is not known to need one. It needs one where it refused a wrong value while the setting
        was null, and accepts the value once another one is set. With `ask`, the first call asks the target.
        """
        asked = self._refused_unset.pop(name, ()) if ask else ()
        if asked:
            first = update(*other_pairs(self.situation, asked[0].form() or ()))
            with suppress(BudgetExhausted):  # what could not be asked is not said
                (before, _), *seen = self.conversation.try_again([first, *asked])
                for taken in (each.request for each, _ in seen if each.accepted):
                    self._needed_before[name] = before, taken
        return self._needed_before.get(name)


def _names_of(item: Item) -> Iterator[str]:
    """Yield the names that violations use for the setting of a probe of one value."""
    for name, _ in item.probe.steps[0].form() or ():
        yield from (name, BY_PARAMETER[name].attribute)

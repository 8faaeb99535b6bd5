"""Runs a comparison: sends the same steps to each end that is a target, and once more those that leave a doubt."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from conformance.exceptions import BudgetExhausted, NoVerdict
from conformance.fidelity import comparing
from conformance.fidelity.comparing import Comparison, Facts, Kind
from conformance.fidelity.ends import script_of
from conformance.fidelity.grouping import Group, group
from conformance.fidelity.judged import class_of, judge
from conformance.fidelity.outcome import Answer
from conformance.fidelity.playing import Player, Progress
from conformance.fidelity.recording import FORMAT, Recording, Taken
from conformance.fidelity.reproducing import Example, Reproducer
from conformance.fidelity.script import Part, Script, Step, draw
from conformance.http import Pairs, update
from conformance.model import BY_PARAMETER, CLOSED
from conformance.rules.probes import CONTEXT_CLASSES, LONG_CLOSED, SHORT_INACTIVE

_FICKLE = 1 / 4
"""The greatest share of requests that a reference may take at one time and not at another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A reference and a candidate, compared."""

    reference: Recording
    candidate: Recording
    comparison: Comparison
    groups: tuple[Group, ...]
    examples: tuple[tuple[Example, ...], ...]
    """By group, a few differences with the requests that show them, the one to report first."""


def run(
    ends: Sequence[Recording | Player],
    script: Script | None,
    progress: Progress = lambda cls, requests: None,
    kinds: Collection[Kind] = comparing.USUAL,
) -> Compared:
    """
    Send the script to each end that is a target, and compare.

    The reference is sent the script twice, where its budget is enough. Where it is not, it is asked again what each
    group of differences rests on.

    Args:
        ends: The reference and the candidate: a recording, or a player that has read the settings of its target.
        script: The steps, where neither end is a recording.
        progress: Called before each step.
        kinds: The kinds of differences to find.

    Raises:
        NoVerdict: The reference accepts nothing, or accepts a request at one time and not at another, over and over.
        RunEnded: A target went away before anything could be compared, asked to wait too long, or its budget was spent.
    """
    recordings = reference, candidate = _recorded(ends, script, progress)
    # Of a target that has gone away there is what was recorded.
    ends = [
        recording if isinstance(end, Player) and end.is_gone else end
        for end, recording in zip(ends, recordings, strict=True)
    ]
    if reference.source == FORMAT and all(
        each.outcome.answer is not Answer.ACCEPTED for each in reference.taken
    ):
        raise NoVerdict("the reference accepts none of the requests: nothing can be compared with it")
    doubted: Facts = frozenset()
    first = ends[0]
    again = script_of(reference, reference.accounts)
    asked_twice = isinstance(first, Player) and first.affords(again.steps)
    if isinstance(first, Player) and asked_twice:
        doubted = comparing.disagreements(reference, first.play(again, progress), kinds)
        changed = {number for number, name in doubted if name == "answer"}
        if len(changed) > len(reference.taken) * _FICKLE:
            raise NoVerdict(
                f"the reference answers {len(changed)} of {len(reference.taken)} requests otherwise when they are "
                "sent again: nothing can be compared with it"
            )
    # Of two recordings, what the other one has beyond this one is counted in any case.
    is_replayed = isinstance(first, Recording) and isinstance(ends[1], Player)
    unserved = _unserved(reference) if is_replayed else 0
    compared = comparing.compare(reference, candidate, doubted, kinds=kinds, unserved=unserved)
    extras = _extras(ends, compared)
    if len(extras) == len(ends):
        # Both sides have answered these, so they are compared like all other steps.
        reference, candidate = _with(reference, extras[0]), _with(candidate, extras[1])
        extras = {}
        compared = comparing.compare(reference, candidate, doubted, kinds=kinds, unserved=unserved)
    groups: list[Group] = []
    if compared.differences:
        judged = [
            judge(_with(recording, extras.get(place, ())))
            for place, recording in enumerate((reference, candidate))
        ]
        groups = group(compared, *judged)
    reproducer = Reproducer(ends, compared, asked_twice=asked_twice)
    shown = [(each, reproducer.reproduce(each)) for each in groups]
    for each, seen in shown:
        if not seen:
            doubted = doubted.union(*(comparing.facts_of(compared.pairs, one) for one in each.differences))
    reported = [(each, seen) for each, seen in shown if seen]
    return Compared(
        reference=reference,
        candidate=candidate,
        comparison=comparing.compare(reference, candidate, doubted, kinds=kinds, unserved=unserved),
        groups=tuple(each for each, _ in reported),
        examples=tuple(tuple(seen) for _, seen in reported),
    )


def _recorded(
    ends: Sequence[Recording | Player], script: Script | None, progress: Progress
) -> tuple[Recording, Recording]:
    """Return a recording of each end, made now where it is a target."""
    recordings = {place: end for place, end in enumerate(ends) if isinstance(end, Recording)}
    for place, end in enumerate(ends):
        if isinstance(end, Player):
            # A live reference is sent steps of its own that put timers back.
            known = recordings.get(1 - place)
            steps = script if known is None else script_of(known, len(end.target.settings.accounts))
            assert steps is not None
            recordings[place] = end.play(steps, progress, whole=False)
    return recordings[0], recordings[1]


def _unserved(reference: Recording) -> int:
    """Return how many steps of the script a recording does not have."""
    profile = reference.profile if reference.source == FORMAT else "quick"
    script = draw(profile=profile, seed=reference.seed, accounts=reference.accounts)
    served = {comparing.key_of(step) for step in reference.steps}
    return sum(step.part is Part.PROBE and comparing.key_of(step) not in served for step in script.steps)


def _with(recording: Recording, extra: Sequence[Taken]) -> Recording:
    start = len(recording.taken)
    renumbered = [
        replace(each, number=number, exchange=replace(each.exchange, number=number))
        for number, each in enumerate(extra, start + 1)
    ]
    return replace(recording, taken=(*recording.taken, *renumbered))


def _extras(ends: Sequence[Recording | Player], compared: Comparison) -> Mapping[int, Sequence[Taken]]:
    """Send each value by itself of an update that one side refuses as a whole; return the answers of each end."""
    script = Script(profile="", seed=0, accounts=1, steps=singles(compared))
    found: dict[int, Sequence[Taken]] = {}
    for place, end in enumerate(ends):
        if script.steps and isinstance(end, Player):
            with suppress(BudgetExhausted):  # then the update as a whole has to do
                found[place] = end.play(script).taken
    return found


def singles(compared: Comparison) -> tuple[Step, ...]:
    """
    Return steps for the updates that one side accepts and the other refuses: each sends one of the values by itself.

    The other timer has a value meanwhile beside which no target has a reason to refuse the one under test. It is set by
    itself: a target may refuse either timer.
    """
    alone = {
        comparing.key_of(pair.step) for pair in compared.pairs if len(pair.step.request.form() or ()) == 1
    }
    wanted: dict[tuple[str, str], Step] = {}
    for difference in compared.differences:
        if difference.kind is not Kind.ACCEPT:
            continue
        pair = compared.pairs[difference.at]
        refused = any(taken.outcome.answer is Answer.REFUSED for taken in pair)
        form: Pairs = pair.step.request.form() or ()
        if not refused or len(form) < 2 or len(dict(form)) < len(form) or not pair.step.request.auth.valid:
            continue
        for name, value in form:
            step = Step(
                cls=class_of(pair.step, name),
                rule=pair.step.rule,
                request=update((name, value), account=pair.step.request.account),
            )
            if name in BY_PARAMETER and comparing.key_of(step) not in alone:
                wanted.setdefault((name, value), step)
    if not wanted:
        return ()
    closed, inactive = (
        Step(cls=CONTEXT_CLASSES[pair], rule="", request=update(pair), part=Part.STATE)
        for pair in (LONG_CLOSED, SHORT_INACTIVE)
    )
    parts = [
        [step for (name, _), step in wanted.items() if (name == CLOSED.parameter) is last]
        for last in (False, True)
    ]
    return (closed, *parts[0], inactive, *parts[1], closed)

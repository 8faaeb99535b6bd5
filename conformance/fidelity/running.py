"""Runs a comparison: sends the same steps to each end that is a target, and asks once more what leaves a doubt."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from conformance.exceptions import BudgetExhausted
from conformance.fidelity.comparing import Comparison, Kind, compare, key_of
from conformance.fidelity.ends import script_of
from conformance.fidelity.grouping import Group, group
from conformance.fidelity.judged import class_of, judge
from conformance.fidelity.outcome import Answer
from conformance.fidelity.playing import Player, Progress
from conformance.fidelity.recording import FORMAT, Recording, Taken
from conformance.fidelity.script import Part, Script, Step, draw
from conformance.http import Pairs, update
from conformance.model import BY_PARAMETER, CLOSED
from conformance.rules.probes import CONTEXT_CLASSES, LONG_CLOSED, SHORT_INACTIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A reference and a candidate, held against each other."""

    reference: Recording
    candidate: Recording
    compared: Comparison
    groups: tuple[Group, ...]


def hold(
    ends: Sequence[Recording | Player],
    script: Script | None,
    progress: Progress = lambda cls, requests: None,
) -> Held:
    """
    Send the script to each end that is a target, and compare.

    Args:
        ends: The reference and the candidate: a recording, or a player that has looked at its target.
        script: The steps, where neither end is a recording.
        progress: Called before each step.

    Raises:
        RunEnded: A target went away, asked to wait too long, or its budget was spent.
    """
    recordings: dict[int, Recording] = {
        place: end for place, end in enumerate(ends) if isinstance(end, Recording)
    }
    for place, end in enumerate(ends):
        if isinstance(end, Player):
            accounts = len(end.target.settings.accounts)
            # A live reference is sent fewer steps, and steps of its own that put timers back.
            known = recordings.get(1 - place)
            steps = script if known is None else script_of(known, accounts)
            assert steps is not None
            recordings[place] = end.play(steps, progress)
    reference, candidate = recordings[0], recordings[1]
    again = None
    first = ends[0]
    if isinstance(first, Player) and first.safeguard.guard is None:
        again = first.play(script_of(reference, reference.accounts), progress)
    unserved = _unserved(reference) if isinstance(first, Recording) else 0
    compared = compare(reference, candidate, again, unserved=unserved)
    if not compared.differences:
        return Held(reference=reference, candidate=candidate, compared=compared, groups=())
    extras = _extras(ends, compared)
    if len(extras) == len(ends):
        # Both were asked, so that these are steps like all others.
        reference, candidate = (_with(recordings[place], extras[place]) for place in (0, 1))
        compared = compare(reference, candidate, again, unserved=unserved)
        extras = {}
    judged = [
        judge(_with(recording, extras.get(place, ())))
        for place, recording in enumerate((reference, candidate))
    ]
    return Held(
        reference=reference,
        candidate=candidate,
        compared=compared,
        groups=tuple(group(compared, *judged)),
    )


def _unserved(reference: Recording) -> int:
    """Return how many steps of the script a recording does not have."""
    profile = reference.profile if reference.source == FORMAT else "quick"
    script = draw(profile=profile, seed=reference.seed, accounts=reference.accounts)
    served = {key_of(step) for step in reference.steps}
    return sum(step.part is Part.PROBE and key_of(step) not in served for step in script.steps)


def _with(recording: Recording, extra: Sequence[Taken]) -> Recording:
    start = len(recording.taken)
    renumbered = [
        replace(each, number=number, exchange=replace(each.exchange, number=number))
        for number, each in enumerate(extra, start + 1)
    ]
    return replace(recording, taken=(*recording.taken, *renumbered))


def _extras(ends: Sequence[Recording | Player], compared: Comparison) -> Mapping[int, Sequence[Taken]]:
    """Ask for each value of the updates by itself that one side refuses as a whole."""
    steps = singles(compared)
    found: dict[int, Sequence[Taken]] = {}
    for place, end in enumerate(ends):
        if not steps or not isinstance(end, Player):
            continue
        script = Script(profile="", seed=0, accounts=1, steps=steps)
        try:
            found[place] = end.play(script).taken
        except BudgetExhausted:
            continue
    return found


def singles(compared: Comparison) -> tuple[Step, ...]:
    """
    Return the steps that send each value by itself of the updates that one side accepts and the other refuses.

    The timer that is not under test has a value beside which no target has a reason to refuse the other one.
    """
    alone = {key_of(pair.step) for pair in compared.pairs if len(pair.step.request.form() or ()) == 1}
    wanted: dict[tuple[str, str], Step] = {}
    for difference in compared.differences:
        if difference.kind is not Kind.ACCEPT:
            continue
        pair = compared.pairs[difference.at]
        refused = Answer.REFUSED in (pair.reference.outcome.answer, pair.candidate.outcome.answer)
        form: Pairs = pair.step.request.form() or ()
        if not refused or len(form) < 2 or len(dict(form)) < len(form) or not pair.step.request.auth.valid:
            continue
        for name, value in form:
            step = Step(
                cls=class_of(pair.step, name),
                rule=pair.step.rule,
                request=replace(update((name, value)), account=pair.step.request.account),
            )
            if name in BY_PARAMETER and key_of(step) not in alone:
                wanted.setdefault((name, value), step)
    if not wanted:
        return ()
    known = Step(
        cls=CONTEXT_CLASSES[SHORT_INACTIVE],
        rule="",
        request=update(SHORT_INACTIVE, LONG_CLOSED),
        part=Part.STATE,
    )
    parts = [
        [step for (name, _), step in wanted.items() if (name == CLOSED.parameter) is last]
        for last in (False, True)
    ]
    return (known, *parts[0], known, *parts[1], known)

"""Recordings of functions that answer, so that a whole comparison is fast."""

from collections.abc import Collection
from dataclasses import replace
from functools import cache

from fakes import Answering, FakeTarget, Resource

from conformance.fidelity.comparing import USUAL, Comparison, Kind, compare
from conformance.fidelity.ends import script_of
from conformance.fidelity.playing import Player, file_of
from conformance.fidelity.recording import Recording
from conformance.fidelity.running import Compared, run
from conformance.fidelity.script import Script, draw
from conformance.safety.safeguard import Safeguard


@cache
def script(seed: int = 0, accounts: int = 2) -> Script:
    """The quick script, without its pauses."""
    drawn = draw(seed=seed, accounts=accounts)
    steps = tuple(replace(step, request=replace(step.request, after=0.0)) for step in drawn.steps)
    return replace(drawn, steps=steps)


def recorded(answering: Answering, steps: Script | None = None) -> tuple[Recording, bytes]:
    """What a function answers to a script, and the file of it."""
    target = FakeTarget(answering)
    player = Player(target, Safeguard())
    player.read_settings((steps or script()).accounts)
    recording = player.play(steps or script())
    return recording, file_of(recording, player)


@cache
def recorded_once() -> tuple[Recording, bytes]:
    """What a right resource answers to the script, and the file of it."""
    return recorded(Resource())


def player(answering: Answering) -> Player:
    """A player of a function, which has read its settings."""
    found = Player(FakeTarget(answering), Safeguard())
    found.read_settings(2)
    return found


def run_both(
    reference: Answering,
    candidate: Answering,
    steps: Script | None = None,
    kinds: Collection[Kind] = USUAL,
) -> Compared:
    """Two functions, compared, and asked again where there is a doubt."""
    return run((player(reference), player(candidate)), steps or script(), kinds=kinds)


def compared(candidate: Answering, reference: Answering | None = None) -> Comparison:
    """What a right resource, or another reference, and a candidate differ in."""
    first, _ = recorded(reference) if reference is not None else recorded_once()
    second, _ = recorded(candidate, script_of(first, 2))
    return compare(first, second)

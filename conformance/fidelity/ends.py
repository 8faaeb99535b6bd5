"""Opens the ends of a comparison: a target, the embedded emulator, or a file."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from conformance.api import safe, serving
from conformance.exceptions import ConfigurationError
from conformance.fidelity import foreign
from conformance.fidelity.playing import Player
from conformance.fidelity.recording import FORMAT, Recording, bytes_of, load
from conformance.fidelity.script import PROFILES, Part, Script, Step, draw
from conformance.http import update
from conformance.model import CHAT, FIELDS, MESSAGING
from conformance.settings import RunSettings
from conformance.transport.target import Target

EMULATOR = "emulator"
"""What an end is called that is the embedded emulator."""


def is_file(end: str) -> bool:
    """Whether an end is a file, and neither a target nor the embedded emulator."""
    return end != EMULATOR and not end.lower().startswith(("http://", "https://"))


def read(path: Path) -> Recording:
    """
    Return what a file holds: a recording of the suite, a HAR or a cassette of VCR.

    Raises:
        RecordingError: It is none of them, or cannot be used.
    """
    data = bytes_of(path)
    return load(data, str(path)) if FORMAT.encode() in data[:200] else foreign.read(data, str(path))


@contextmanager
def opened(settings: RunSettings, tell: Callable[[str], None]) -> Iterator[Player]:
    """
    Return a player of the target that settings name, or of the embedded emulator, for use in a `with` statement.

    Raises:
        ConfigurationError: Another run is at work on the account, or has to be put back first.
        EmulatorFailed: The embedded emulator did not start.
    """
    with ExitStack() as stack:
        for notice in settings.notices:
            tell(notice)
        url = stack.enter_context(serving(replace(settings, app=None)))()
        safeguard = stack.enter_context(safe(settings, tell, adopts=False))
        yield Player(stack.enter_context(Target(settings.for_target(url), tell)), safeguard)


def script_for(every: Iterable[RunSettings], profile: str) -> Script:
    """
    Draw the script that all of some targets can be sent.

    Raises:
        ConfigurationError: There is no script of that profile.
    """
    if profile not in PROFILES:
        raise ConfigurationError(f"--profile: a script is {' or '.join(PROFILES)}, not {profile}")
    some = list(every)
    sids = {
        each.parameter: sid
        for settings in some
        for each, sid in ((CHAT, settings.chat_service_sid), (MESSAGING, settings.messaging_service_sid))
        if sid is not None
    }
    return draw(
        profile=profile,
        seed=some[0].seed,
        accounts=min(len(settings.accounts) for settings in some),
        sids=sids.items(),
        live=any(each.live for each in some),
    )


def _before(recording: Recording) -> Iterator[Step]:
    """Yield the update that sets what a file of another program shows to have been set before its first request."""
    shows = next((each for each in recording.taken if each.outcome.settings is not None), None)
    if recording.source == FORMAT or shows is None:
        return
    own = {name for name, _ in shows.step.request.form() or ()}
    pairs = [
        (each.parameter, value)
        for each in FIELDS
        if each.parameter not in own
        and isinstance(value := (shows.outcome.settings or {}).get(each.attribute), str)
    ]
    if pairs:
        yield Step(cls="state/known", rule="", request=update(*pairs), part=Part.STATE)


def script_of(recording: Recording, accounts: int) -> Script:
    """Return the script that a recording holds, without the steps that need more accounts than there are."""
    steps = [
        step
        for step in recording.steps
        if step.request.account < accounts and not (accounts < 2 and "{other_" in str(step.request.auth))
    ]
    return Script(
        profile=recording.profile,
        seed=recording.seed,
        accounts=min(recording.accounts, accounts),
        steps=(*_before(recording), *steps),
    )

"""A sample of what `benchmarks/fidelity.py` measures over all faults and variants of the emulator."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from conformance import emulator
from conformance.fidelity.comparing import Kind
from conformance.fidelity.grouping import Document
from conformance.fidelity.playing import Player
from conformance.fidelity.recording import Recording
from conformance.fidelity.running import run
from conformance.safety.safeguard import Safeguard
from conformance.transport.credentials import THROWAWAY
from conformance.transport.target import Target, TargetSettings
from fidelity.played import script

pytestmark = pytest.mark.slow

ACCOUNTS = {account.sid or "": account.token for account in THROWAWAY}


@contextmanager
def served(**alterations: list[str]) -> Iterator[Player]:
    """The emulator with faults or variants, with its settings read."""
    with (
        emulator.serving(accounts=ACCOUNTS, **alterations) as url,
        Target(TargetSettings(url=url, accounts=THROWAWAY)) as target,
    ):
        player = Player(target, Safeguard())
        player.read_settings(2)
        yield player


@pytest.fixture(scope="module")
def reference() -> Recording:
    with served() as player:
        return player.play(script())


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("inactive-timer-refuses-days", Kind.ACCEPT),
        ("omitted-timers-reset", Kind.STATE),
        ("closed-timer-echo-constant", Kind.STATE),
        ("any-password", Kind.ACCEPT),
    ],
)
def test_a_fault_is_told_by_its_kind_and_rule(fault: str, kind: Kind, reference: Recording) -> None:
    with served(faults=[fault]) as player:
        groups = run((reference, player), None).groups
    assert groups[0].kind is kind
    assert emulator.FAULTS[fault].rule in {rule for group in groups for rule in group.rules}
    assert len(groups) <= 3


@pytest.mark.parametrize("variant", ["rate-limited-at-will", "connection-closed-unannounced", "refusals-422"])
def test_a_variant_is_like_itself_and_never_wrong(variant: str, reference: Recording) -> None:
    with served(variants=[variant]) as player:
        recording = player.play(script())
        assert run((recording, player), None).groups == ()
    with served(variants=[variant]) as player:
        assert all(each.document is Document.BOTH for each in run((reference, player), None).groups)

"""Probes carry manners that cover every pair, and that change nothing about how a request must be answered."""

from functools import cache

import pytest

from conformance.harness.covering import Manners, rows
from conformance.harness.figures import Figures, figures
from conformance.http import NO_AUTH, update
from conformance.model import CHAT, CLOSED, INACTIVE, Field, Probe, Situation
from conformance.oracle.decisions import decide
from conformance.rules.manners import Carrier, carrier_of

TWO = Situation(accounts=2)


@cache
def standard() -> Figures:
    return figures("standard")


@pytest.mark.parametrize("carrier", Carrier)
def test_the_standard_profile_covers_every_pair_of_manners(carrier: Carrier) -> None:
    covered, possible = standard().pairs[carrier]
    assert covered == possible > 0


def test_it_has_every_position_of_a_sid_and_of_the_credentials() -> None:
    positions = standard().positions
    assert len(positions) == 6
    assert {name: each for name, each in positions.items() if each.covered < each.possible} == {}


def test_the_quick_profile_refuses_values_in_both_accounts_and_beside_others() -> None:
    covered, possible = figures("quick").pairs[Carrier.FIRST_BAD]
    assert covered == possible


@pytest.mark.parametrize(
    ("about", "value"),
    [
        (INACTIVE, "PT59S"),
        (CLOSED, "PT9M"),
        (CHAT, "IS1"),
        (INACTIVE, "PT\u0661M"),
        (INACTIVE, "PT17M"),
        (CHAT, "IS" + "5e" * 16),
    ],
)
def test_no_manner_changes_how_a_value_must_be_answered(about: Field, value: str) -> None:
    plain = Probe(steps=(update((about.parameter, value)),))
    carrier = carrier_of(plain)
    assert carrier is not None
    wanted = decide(((about.parameter, value),), lengths={CLOSED.parameter: [], INACTIVE.parameter: []})
    manners, seen = Manners(TWO, 2), set()
    for _ in rows(carrier, 2):
        (step,) = manners.dressed(plain).steps
        form = step.form()
        assert form is not None and (about.parameter, value) in form
        assert step.auth.valid
        decision = decide(form, lengths={CLOSED.parameter: [], INACTIVE.parameter: []})
        assert (decision.answer, decision.level) == (wanted.answer, wanted.level)
        seen.add(step)
    assert len(seen) > 20


def test_a_request_without_credentials_has_none_in_any_manner() -> None:
    plain = Probe(steps=(update((INACTIVE.parameter, "PT3M"), auth=NO_AUTH),))
    manners = Manners(TWO, 2)
    sent = [manners.dressed(plain).steps[0] for _ in rows(Carrier.INTRUDER, 2)]
    assert not any(step.auth.valid for step in sent)
    assert {step.account for step in sent} == {0, 1}
    assert {step.body for step in sent} >= {None, b""}


def test_with_one_account_no_probe_goes_to_a_second() -> None:
    manners = Manners(Situation(accounts=1), 2)
    plain = Probe(steps=(update((INACTIVE.parameter, "PT59S")),))
    assert {manners.dressed(plain).steps[0].account for _ in range(20)} == {0}


def test_what_is_sent_in_a_way_of_its_own_keeps_it() -> None:
    together = Probe(steps=(update(), update()), together=True)
    assert carrier_of(together) is None
    assert carrier_of(Probe(steps=(update(), update(account=1)))) is None

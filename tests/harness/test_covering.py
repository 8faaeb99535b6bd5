"""Requests are sent in manners that cover every pair, and that change nothing about how they must be answered."""

import json
from functools import cache
from importlib.resources import files

import pytest

from conformance.harness.covering import FILE, coverage, digest, rows
from conformance.harness.figures import Figures, figures
from conformance.http import NO_AUTH, Auth, Request, update
from conformance.model import CHAT, CLOSED, INACTIVE, Field, Situation
from conformance.oracle.decisions import UNSET, decide
from conformance.rules.manners import DESIGNS, Carrier, carrier_of, in_manner

TWO = Situation(accounts=2)


@cache
def standard() -> Figures:
    return figures("standard")


def in_every_manner(request: Request) -> list[Request]:
    carrier = carrier_of(request)
    assert carrier is not None
    return [in_manner(request, manner, TWO, 100 + number) for number, manner in enumerate(rows(carrier, 2))]


@pytest.mark.parametrize("carrier", Carrier)
def test_every_pair_of_manners_is_sent(carrier: Carrier) -> None:
    covered, possible = standard().pairs[carrier]
    assert covered == possible > 0


@pytest.mark.parametrize("carrier", Carrier)
def test_the_rows_that_are_kept_are_of_the_present_design(carrier: Carrier) -> None:
    kept = json.loads(files("conformance.harness").joinpath(FILE).read_text(encoding="ascii"))
    assert kept[carrier]["design"] == digest(DESIGNS[carrier]), "run python docs/generate.py"


@pytest.mark.parametrize("strength", [2, 3])
@pytest.mark.parametrize("carrier", Carrier)
def test_no_request_expects_to_be_told_to_go_on_where_there_is_no_content(
    carrier: Carrier, strength: int
) -> None:
    """RFC 9110 10.1.1 forbids it to clients; some servers then wait for the content."""
    auth = Auth(secret="wrong") if carrier is Carrier.INTRUDER else Auth()
    value = "banana" if carrier is Carrier.BAD else "PT5M"
    plain = update((INACTIVE.parameter, value), auth=auth)
    sent = [in_manner(plain, manner, TWO, 100) for manner in rows(carrier, strength)]
    assert all(each.body for each in sent if "Expect" in dict(each.headers))


@pytest.mark.parametrize("carrier", Carrier)
def test_no_manner_has_values_that_make_no_sense_together(carrier: Carrier) -> None:
    constraints = DESIGNS[carrier].constraints
    assert not any(each.forbids(manner) for manner in rows(carrier, 2) for each in constraints)


def test_a_pair_that_is_left_out_is_counted_as_such() -> None:
    every = rows(Carrier.GOOD, 2)
    assert coverage(Carrier.GOOD, every[:-1]).covered < coverage(Carrier.GOOD, every).covered


def test_the_standard_profile_has_every_position_of_a_sid_and_of_the_credentials() -> None:
    positions = standard().positions
    assert len(positions) == 6
    assert {name: each for name, each in positions.items() if each.covered < each.possible} == {}


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
    wanted = decide(((about.parameter, value),), lengths=UNSET)
    sent = in_every_manner(update((about.parameter, value)))
    for request in sent:
        form = request.form()
        assert form is not None and (about.parameter, value) in form
        assert request.auth.valid
        decision = decide(form, lengths=UNSET)
        assert (decision.answer, decision.level) == (wanted.answer, wanted.level)
    assert len(set(sent)) > 20


def test_a_request_without_credentials_has_none_in_any_manner() -> None:
    sent = in_every_manner(update((INACTIVE.parameter, "PT3M"), auth=NO_AUTH))
    assert not any(request.auth.valid for request in sent)
    assert {request.account for request in sent} == {0, 1}
    assert {request.body for request in sent} >= {None, b""}
    assert {request.method for request in sent} == {"GET", "HEAD", "POST", "DELETE", "PUT", "PATCH"}


def test_what_is_sent_in_a_way_of_its_own_has_no_manner() -> None:
    assert carrier_of(update((INACTIVE.parameter, "PT3M"), account=1)) is None
    assert carrier_of(update((INACTIVE.parameter, "PT3M"), chunked=True)) is None
    assert carrier_of(Request(method="GET", content_type=None)) is None

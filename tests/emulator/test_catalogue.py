"""Faults and variants: each shows, none is more than it says."""

import random
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import httpx
import pytest

from conformance.emulator import FAULTS, HIDDEN, VARIANTS, Dialect, Fault, Step, Variant, serving
from conformance.emulator.alterations import WITNESS_ACCOUNTS
from conformance.emulator.app import WIRE_HEADER, Application
from conformance.emulator.catalogue import ALL_DIALECTS, ALL_FAULTS, ALL_VARIANTS
from conformance.emulator.demonstration import Observed, observe
from conformance.rules import BY_ID, CATALOGUE

from .serving import ACCOUNTS, PATH, ask, emulator, raw, raw_request, running

pytestmark = pytest.mark.slow

READ = Step(method="GET")
GOOD = "DefaultInactiveTimer=PT1H&DefaultClosedTimer=P1D"
# What these change is the time that answers take, and nothing in them.
TIMING = {"slow", "one-writer", "one-at-a-time", "cold-start", "slow-reads", "writers-overtake"}
# What a client sends byte for byte, since no library sends it so.
RAW_FAULTS = {fault.name for fault in ALL_FAULTS if any(step.raw for step in fault.witness)}


def marked(observed: list[Observed]) -> bool:
    headers = (item[1] for item in observed if not isinstance(item, str))
    return any(name == WIRE_HEADER for fields in headers for name, _ in fields)


def test_there_are_enough_faults_and_variants() -> None:
    assert len(FAULTS) - len(HIDDEN) >= 150
    assert len(HIDDEN) >= 120
    assert len(VARIANTS) >= 40


EVERYTHING: tuple[Fault | Variant, ...] = (*ALL_FAULTS, *ALL_VARIANTS)


def test_every_name_is_in_kebab_case_and_every_text_a_sentence() -> None:
    for item in EVERYTHING:
        assert re.fullmatch("[a-z0-9]+(?:-[a-z0-9]+)*", item.name), item.name
        assert re.fullmatch(r"[A-Z][^\n]*\.", item.text), item.name


def test_no_name_is_given_twice() -> None:
    names = Counter(item.name for item in EVERYTHING)
    assert [name for name, count in names.items() if count > 1] == []


def test_every_fault_breaks_a_rule_and_no_variant_does() -> None:
    assert {fault.rule for fault in FAULTS.values()} == {
        rule.id for rule in CATALOGUE if rule.group != "openapi"
    }
    assert not any(variant.breaks for variant in VARIANTS.values())


def test_a_fault_that_hides_shows_nothing_in_an_ordinary_update() -> None:
    ordinary = (Step("DefaultInactiveTimer=PT1H"), Step("DefaultInactiveTimer=PT2H"))
    expected = reference(ordinary)[1:]
    # What is wrong with a part of every answer is hard to see, rather than hidden.
    names = [name for name in HIDDEN if FAULTS[name].group != "answers"]
    assert [name for name in names if observe(emulator(faults=[name]), ordinary)[1:] != expected] == []


def test_every_rule_that_is_named_as_broken_is_in_the_catalogue_and_named_once() -> None:
    named: tuple[Fault | Dialect, ...] = (*ALL_FAULTS, *ALL_DIALECTS)
    for item in named:
        assert set(item.breaks) <= BY_ID.keys(), item.name
        assert len(set(item.breaks)) == len(item.breaks), item.name


@cache
def reference(witness: tuple[Step, ...]) -> list[Observed]:
    return observe(emulator(), witness)


@pytest.fixture(scope="module")
def reference_url() -> Iterator[str]:
    with serving(accounts=WITNESS_ACCOUNTS) as url:
        yield url


def assert_shows(item: Fault | Variant, reference_url: str, **built_in: list[str]) -> None:
    """In this process, and on a connection where the difference is one that no ASGI application can make."""
    observed = observe(emulator(**built_in), item.witness)
    sent_raw = item.name in RAW_FAULTS
    assert sent_raw or observed != reference(item.witness)
    if sent_raw or marked(observed):
        data = [raw_request(step) for step in item.witness]
        with serving(accounts=WITNESS_ACCOUNTS, **built_in) as url:
            shown = raw(url, *data)
        assert b"emulator-wire" not in shown.lower()
        assert shown != raw(reference_url, *data)


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_shows_in_its_witness(name: str, reference_url: str) -> None:
    assert_shows(FAULTS[name], reference_url, faults=[name])


@pytest.mark.parametrize(
    "name", [name for name in VARIANTS if name not in TIMING and not VARIANTS[name].accounts]
)
def test_a_variant_shows_in_its_witness(name: str, reference_url: str) -> None:
    assert_shows(VARIANTS[name], reference_url, variants=[name])


def test_what_no_application_can_send_is_marked_in_process() -> None:
    assert marked(observe(emulator(faults=["length-too-large"]), FAULTS["length-too-large"].witness))


def answered(app: Application, step: Step | str) -> httpx.Response:
    """Return an answer other than that there were too many requests."""
    while (response := ask(app, step)).status_code == 429:
        continue
    return response


def assert_serves_the_ordinary(variants: list[str]) -> None:
    app = emulator(variants=variants)
    shown = answered(app, GOOD)
    assert shown.status_code == 200
    assert shown.headers["content-type"].lower().startswith("application/json")
    document = shown.json()
    assert document["account_sid"] == ACCOUNTS[0][0]
    for step in ("DefaultInactiveTimer=banana", "DefaultClosedTimer=PT9M", "DefaultChatServiceSid=MG12"):
        refused = answered(app, step)
        assert 400 <= refused.status_code < 500
        assert refused.json()["status"] == refused.status_code
    assert answered(app, Step(GOOD, credentials="nobody:wrong")).status_code in (401, 403)
    again = answered(app, "DefaultInactiveTimer=PT2H").json()
    assert again["default_closed_timer"] == document["default_closed_timer"]
    assert again["default_inactive_timer"] != document["default_inactive_timer"]
    read = answered(app, READ)
    assert read.status_code in (200, 404, 405)
    assert read.status_code != 200 or read.json()["default_closed_timer"] == document["default_closed_timer"]


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_serves_the_ordinary(name: str) -> None:
    assert_serves_the_ordinary([name])


@pytest.mark.parametrize("seed", range(25))
def test_variants_together_serve_the_ordinary(seed: int) -> None:
    drawn = random.Random(seed)
    assert_serves_the_ordinary(drawn.sample([*VARIANTS], drawn.randint(2, 8)))


@pytest.mark.parametrize("seed", range(25))
def test_faults_can_be_combined(seed: int) -> None:
    drawn = random.Random(seed).sample([*FAULTS], 3)
    answer = observe(emulator(faults=drawn), [Step(GOOD)])
    assert len(answer) == 1


def test_two_faults_in_different_places_both_show() -> None:
    app = emulator(faults=["inactive-timer-minimum-exclusive", "errors-plain"])
    response = ask(app, "DefaultInactiveTimer=PT1M")
    assert (response.status_code, response.headers["content-type"]) == (400, "text/plain")


def test_altered_emulators_are_apart() -> None:
    """What a fault remembers is remembered by one emulator only."""
    name = "repeat-refused"
    first, second = emulator(faults=[name]), emulator(faults=[name])
    assert ask(first, GOOD).status_code == 200
    assert ask(second, GOOD).status_code == 200
    assert ask(first, GOOD).status_code == 400


def test_an_entry_cannot_be_changed() -> None:
    fault = next(iter(FAULTS.values()))
    with pytest.raises(AttributeError):
        fault.name = "other"  # type: ignore[misc] # the point
    assert replace(fault, name="other").name == "other"


def test_an_altered_emulator_is_served_over_http() -> None:
    with running("--fault", "state-shared", "--fault", "url-relative", "--variant", "chunked") as emulated:
        httpx.post(emulated.url + PATH, auth=ACCOUNTS[0], data={"DefaultInactiveTimer": "PT1H"})
        shown = httpx.get(emulated.url + PATH, auth=ACCOUNTS[1])
    assert shown.headers["transfer-encoding"] == "chunked"
    assert shown.json()["default_inactive_timer"] == "PT1H"
    assert shown.json()["url"] == "/v1/Configuration"

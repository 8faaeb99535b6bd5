"""Faults and variants: each shows, none is more than it says."""

import random
import re
from dataclasses import replace

import httpx
import pytest

from conformance.emulator import FAULTS, VARIANTS, Fault, Step, Variant
from conformance.emulator.alterations import RULES

from .serving import ACCOUNTS, PATH, Observed, ask, emulator, observe, raw, raw_request, running

READ = Step(method="GET")
GOOD = "DefaultInactiveTimer=PT1H&DefaultClosedTimer=P1D"
# What these change is the time that answers take, and nothing in them.
TIMING = {"slow", "one-writer"}
# Seen on a connection only, since no ASGI application can say them.
ON_THE_WIRE = ("framing", "every-request-answered")


def on_the_wire(observed: list[Observed]) -> bool:
    return any(not isinstance(item, str) and any(b"emulator-wire" == name for name, _ in item[1]) for item in observed)


def test_there_are_enough_faults_and_variants() -> None:
    assert len(FAULTS) >= 150
    assert len(VARIANTS) >= 40


@pytest.mark.parametrize("item", [*FAULTS.values(), *VARIANTS.values()], ids=lambda item: item.name)
def test_entries_are_well_formed(item: Fault | Variant) -> None:
    assert re.fullmatch("[a-z0-9]+(?:[-.][a-z0-9]+)*", item.name)
    assert re.fullmatch(r"[A-Z][^\n]*\.", item.text)
    assert item.group
    if isinstance(item, Fault):
        assert item.rule in RULES
        assert item.level == RULES[item.rule]


def test_no_name_means_both_a_fault_and_a_variant() -> None:
    assert not FAULTS.keys() & VARIANTS.keys()


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_is_broken_by_a_fault(rule: str) -> None:
    assert any(fault.rule == rule for fault in FAULTS.values())


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_shows_in_its_witness(name: str) -> None:
    witness = FAULTS[name].witness
    assert observe(emulator(faults=[name]), witness) != observe(emulator(), witness)


@pytest.mark.parametrize("name", [name for name in VARIANTS if name not in TIMING])
def test_a_variant_shows_in_its_witness(name: str) -> None:
    witness = VARIANTS[name].witness
    assert observe(emulator(variants=[name]), witness) != observe(emulator(), witness)


WIRED = [
    ("--fault", name)
    for name, fault in FAULTS.items()
    if on_the_wire(observe(emulator(faults=[name]), fault.witness[-1:] if fault.rule in ON_THE_WIRE else ()))
] + [
    ("--variant", name)
    for name in ("header-names-upper-case", "http-1.0", "reason-absent", "connection-closed-unannounced")
]


@pytest.fixture(scope="module")
def reference_url() -> "Iterator[str]":  # noqa: F821
    with running() as reference:
        yield reference.url


@pytest.mark.parametrize(("option", "name"), WIRED)
def test_what_happens_on_the_wire_shows_there(option: str, name: str, reference_url: str) -> None:
    witness = FAULTS[name].witness if option == "--fault" else VARIANTS[name].witness
    data = b"".join(raw_request(step) for step in witness)
    with running(option, name) as altered:
        shown = raw(altered.url, data)
        assert b"emulator-wire" not in shown.lower()
        assert shown != raw(reference_url, data)


def answered(app: object, step: Step | str) -> httpx.Response:
    """Return an answer other than that there were too many requests."""
    while (response := ask(app, step)).status_code == 429:  # type: ignore[arg-type] # an ASGI application
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
    assert answered(app, Step(GOOD, credentials="nobody:wrong")).status_code == 401
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

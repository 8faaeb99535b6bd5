"""The badge is what shields.io asks of an endpoint."""

import json
from typing import Any

from conformance.reporting.badge import render

from .samples import DOCUMENTS


def test_a_conformant_target_gets_a_green_badge(clean: dict[str, Any]) -> None:
    assert json.loads(render(clean)) == {
        "schemaVersion": 1,
        "label": "Twilio Conversations config",
        "message": "MUST 2 hold, 0 broken, 0 undecided",
        "color": "brightgreen",
    }


def test_a_deviating_target_gets_a_red_badge(deviating: dict[str, Any]) -> None:
    badge = json.loads(render(deviating))

    assert (badge["message"], badge["color"]) == (
        "MUST 2 hold, 5 broken, 1 undecided, 1 not run, 1 in error · SHOULD 0 hold, 2 broken, 0 undecided",
        "red",
    )


def test_no_verdict_is_an_error() -> None:
    badge = json.loads(render(DOCUMENTS["empty"]))

    assert (badge["message"], badge["color"], badge["isError"]) == ("no verdict", "lightgrey", True)


def test_no_verdict_on_most_rules_is_said_in_place_of_the_totals() -> None:
    badge = json.loads(render(DOCUMENTS["undecided"]))

    assert badge["message"] == "No verdict on most rules: 2 of 3 MUST rules are undecided or not run"
    assert (badge["color"], badge["isError"]) == ("lightgrey", True)

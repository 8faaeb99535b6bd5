"""The badge is what shields.io asks of an endpoint."""

import json
from typing import Any

from conformance.reporting.badge import render

from .samples import DOCUMENTS


def test_a_conformant_target_gets_a_green_badge(clean: dict[str, Any]) -> None:
    assert json.loads(render(clean)) == {
        "schemaVersion": 1,
        "label": "Twilio Conversations config",
        "message": "MUST 2/2 · SHOULD 0/0",
        "color": "brightgreen",
    }


def test_a_deviating_target_gets_a_red_badge(deviating: dict[str, Any]) -> None:
    badge = json.loads(render(deviating))

    assert (badge["message"], badge["color"]) == ("MUST 2/7 · SHOULD 0/2", "red")


def test_no_verdict_is_an_error() -> None:
    for name in ("no-verdict", "empty"):
        badge = json.loads(render(DOCUMENTS[name]))

        assert (badge["message"], badge["isError"]) == ("no verdict", True)

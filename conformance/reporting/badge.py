"""The result as a shields.io endpoint badge (shields.io/badges/endpoint-badge)."""

import json

from conformance.model import Verdict
from conformance.reporting.text import Document

_COLORS = {
    Verdict.CONFORMANT: "brightgreen",
    Verdict.FIXED: "brightgreen",
    Verdict.KNOWN: "green",
    Verdict.NON_STRICT: "yellowgreen",
    Verdict.UNSTABLE: "orange",
    Verdict.DEVIATION: "red",
    Verdict.UNIMPLEMENTED: "red",
}


def render(document: Document) -> str:
    """The badge's JSON: rules that hold out of those judged; an error where there is no verdict."""
    color = _COLORS.get(Verdict(document["verdict"]))
    counts = document["counts"]
    badge: dict[str, object] = {
        "schemaVersion": 1,
        "label": "Twilio Conversations config",
        "message": " · ".join(
            f"{level.upper()} {counts[level]['conformant']}/{counts[level]['judged']}"
            for level in ("must", "should")
        ),
        "color": color or "lightgrey",
    }
    if color is None:
        badge |= {"message": "no verdict", "isError": True}
    return json.dumps(badge, ensure_ascii=False, indent=2) + "\n"

"""The result as a shields.io endpoint badge (shields.io/badges/endpoint-badge)."""

import json

from conformance.model import Verdict
from conformance.reporting.text import Document, headline, levels

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
    """Return the badge as JSON: how many rules hold, are broken and are undecided; without a verdict, an error."""
    color = _COLORS.get(Verdict(document["verdict"]))
    badge: dict[str, object] = {
        "schemaVersion": 1,
        "label": "Twilio Conversations config",
        "message": " · ".join(levels(document["rules"], zeros=True)),
        "color": color or "lightgrey",
    }
    if color is None or headline(document):
        badge |= {"message": headline(document) or "no verdict", "color": "lightgrey", "isError": True}
    return json.dumps(badge, ensure_ascii=False, indent=2) + "\n"

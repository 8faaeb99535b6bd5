"""`timers.json`: an exploration as plain data, in the shape of `schemas/timers.schema.json`."""

from collections.abc import Mapping
from typing import Any

from conformance.explore import describe
from conformance.explore.values import Exploration, TimerReading

SCHEMA_VERSION = 1

_LONGEST = 300
"""Characters of a text that is kept whole; of longer ones the beginning and the length are."""


def document(found: Exploration) -> dict[str, Any]:
    """The exploration as JSON-ready data."""
    return {
        "schema_version": SCHEMA_VERSION,
        "target": found.target,
        "complete": found.complete,
        "stopped": found.stopped,
        "requests": found.requests,
        "requests_by_stage": dict(found.requests_by_stage),
        "same_dialect": found.same_dialect,
        "inactive": _timer(found.inactive),
        "closed": _timer(found.closed),
        "interplay": [
            {"topic": each.topic, "text": each.text, "evidence": [_text(text) for text in each.evidence]}
            for each in found.interplay
        ],
        "restore": {"state": found.restore, "notes": list(found.notes)},
    }


def _timer(reading: TimerReading) -> Mapping[str, Any]:
    dialect, echoes = reading.dialect, reading.normalisation
    return {
        "minimum": reading.minimum,
        "summary": [describe.verdict(reading), describe.limits(reading), describe.echo_rule(reading)],
        "dialect": {
            "name": dialect.name,
            "variant": dialect.variant,
            "exact": dialect.exact,
            "agreement": round(dialect.agreement, 4),
            "answers": dialect.probes,
            "requests": dialect.requests,
            "named_after": dialect.named_after,
            "disagreements": [
                {"text": each.text, "predicted": each.predicted, "accepted": each.accepted}
                for each in dialect.disagreements
            ],
            "others": [{"name": name, "agreement": round(share, 4)} for name, share in dialect.others],
        },
        "boundaries": [
            {
                "notation": each.notation,
                "end": each.end,
                "refused": _text(each.refused),
                "accepted": _text(each.accepted),
                "exact": each.exact,
                "status": each.status,
            }
            for each in reading.boundaries
        ],
        "gaps": [
            {
                "notation": each.notation,
                "before": _text(each.before),
                "first": _text(each.first),
                "last": _text(each.last),
                "after": _text(each.after),
            }
            for each in reading.gaps
        ],
        "uneven": [
            {
                "notation": each.notation,
                "taken": [_text(text) for text in each.taken],
                "refused": [_text(text) for text in each.refused],
            }
            for each in reading.uneven
        ],
        "normalisation": {
            "rule": echoes.rule,
            "agreement": round(echoes.agreement, 4),
            "echoes": echoes.echoes,
            "counter_examples": [
                {"sent": _text(each.sent), "echo": _text(each.echo), "expected": _text(each.expected)}
                for each in echoes.counter_examples
            ],
        },
        "notations": [
            {
                "class": row.cls,
                "text": _text(row.answer.text),
                "result": str(row.answer.taken),
                "status": row.answer.status,
                "echo": _text(row.answer.echo),
            }
            for row in reading.notations
        ],
    }


def _text(text: str | None) -> str | None:
    return text if text is None or len(text) <= _LONGEST else f"{text[:40]}… ({len(text):,} characters)"

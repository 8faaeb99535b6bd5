"""`timers.json`: an exploration as plain data, in the shape of `schemas/timers.schema.json`."""

from dataclasses import fields, is_dataclass
from typing import Any

from conformance.explore import describe
from conformance.explore.values import Exploration, TimerReading

SCHEMA_VERSION = 1

_LONGEST = 300
"""Characters of a text that is kept whole; of longer ones the beginning and the length are."""


def document(found: Exploration) -> dict[str, Any]:
    """Return the exploration as JSON-ready data."""
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
            {"topic": each.topic, "text": each.text, "evidence": _plain(each.evidence)}
            for each in found.interplay
        ],
        "restore": {"state": found.restore, "notes": list(found.notes)},
    }


def _timer(reading: TimerReading) -> dict[str, Any]:
    dialect = _plain(reading.dialect)
    dialect["others"] = [{"name": name, "agreement": share} for name, share in dialect["others"]]
    return {
        "minimum": reading.minimum,
        "summary": [describe.verdict(reading), describe.limits(reading), describe.echo_rule(reading)],
        "dialect": {"answers" if name == "probes" else name: value for name, value in dialect.items()},
        "boundaries": _plain(reading.boundaries),
        "gaps": _plain(reading.gaps),
        "uneven": _plain(reading.uneven),
        "normalisation": _plain(reading.normalisation),
        "notations": [
            {
                "class": row.cls,
                "text": _plain(row.answer.text),
                "result": str(row.answer.taken),
                "status": row.answer.status,
                "echo": _plain(row.answer.echo),
            }
            for row in reading.notations
        ],
    }


def _plain(value: Any) -> Any:
    """Return values, and all that they hold, as JSON has them: long texts are cut, and shares are rounded."""
    if is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if isinstance(value, str) and len(value) > _LONGEST:
        return f"{value[:40]}… ({len(value):,} characters)"
    return round(value, 4) if isinstance(value, float) else value

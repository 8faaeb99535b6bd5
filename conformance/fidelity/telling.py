"""The words of a comparison: one JSON document, and the text that is made of it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from conformance.fidelity.comparing import Comparison, Difference, Kind
from conformance.fidelity.recording import Recording
from conformance.reporting.text import plural, visible


def document(
    reference: Recording, candidate: Recording, compared: Comparison, *, kinds: Collection[Kind]
) -> dict[str, Any]:
    """Return a comparison as a JSON document."""
    groups: dict[tuple[Kind, str], list[Difference]] = {}
    for each in compared.differences:
        if each.kind in kinds:
            groups.setdefault((each.kind, each.name), []).append(each)
    return {
        "reference": {"target": reference.target, "recorded_at": reference.recorded_at},
        "candidate": {"target": candidate.target, "recorded_at": candidate.recorded_at},
        "counts": {
            "alike": compared.alike,
            "different": compared.different,
            "not_comparable": compared.not_comparable,
            "unserved": compared.unserved,
        },
        "groups": [_group(kind, name, found, compared) for (kind, name), found in sorted(groups.items())],
    }


def _group(kind: Kind, name: str, found: Sequence[Difference], compared: Comparison) -> dict[str, Any]:
    first = found[0]
    return {
        "kind": kind.name,
        "cause": name,
        "classes": list(dict.fromkeys(compared.pairs[each.culprit].step.cls for each in found)),
        "reference": first.reference,
        "candidate": first.candidate,
        "count": len(found),
        "at": first.culprit,
    }


def text(told: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of a comparison for a terminal."""
    for group in told["groups"]:
        yield f"{group['kind']}  {visible(group['cause'], 80)}  {visible(', '.join(group['classes']), 80)}"
        yield f"  reference  {visible(group['reference'], 120)}"
        yield f"  candidate  {visible(group['candidate'], 120)}"
        yield ""
    counts = told["counts"]
    yield (
        f"{plural(counts['alike'], 'step')} alike, {counts['different']:,} different, "
        f"{counts['not_comparable']:,} not comparable, {counts['unserved']:,} unserved"
    )

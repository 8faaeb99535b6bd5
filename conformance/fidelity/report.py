"""The words of a comparison: one JSON document, and the text that is made of it."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from conformance.fidelity.comparing import Kind
from conformance.fidelity.grouping import Document, Group
from conformance.fidelity.recording import Recording
from conformance.fidelity.reproducing import Example
from conformance.fidelity.running import Compared
from conformance.model import BY_ATTRIBUTE, fingerprint
from conformance.reporting import ShellAccount, curl, record
from conformance.reporting.baseline import ANY_CLASS, Known
from conformance.reporting.text import clipped, plural, request_line, some, visible

SCHEMA_VERSION = 1


def document(
    run: Compared,
    *,
    scope: str,
    kinds: Collection[Kind],
    known: Iterable[Known] = (),
    today: date,
    accounts: Sequence[Sequence[ShellAccount]] = ((), ()),
) -> dict[str, Any]:
    """
    Return a comparison as `schemas/comparison.schema.json` describes it.

    Args:
        run: The comparison.
        scope: `all`, or `documented` for no difference that the document allows.
        kinds: The kinds of differences to tell.
        known: The known deviations.
        today: Those that expire before this day have expired.
        accounts: How curl lines spell the credentials of the accounts, of the reference and of the candidate.
    """
    counted = frozenset(each.fingerprint for each in known if each.expires is None or each.expires >= today)
    groups = [
        _group(each, shown, run, counted, accounts)
        for each, shown in zip(run.groups, run.examples, strict=True)
        if each.kind in kinds and (scope == "all" or each.document is not Document.BOTH)
    ]
    return {
        "schema_version": SCHEMA_VERSION,
        "scope": scope,
        "kinds": [kind.name for kind in Kind if kind in kinds],
        "reference": _end(run.reference),
        "candidate": _end(run.candidate),
        "counts": {
            name: getattr(run.comparison, name)
            for name in ("alike", "different", "not_comparable", "unserved", "unsettled")
        },
        "groups": groups,
    }


def fails(comparison: Mapping[str, Any]) -> bool:
    """Whether a comparison has a difference in its scope that is not known."""
    return any(not each["known"] for each in comparison["groups"])


def _end(recording: Recording) -> dict[str, Any]:
    return {name: getattr(recording, name) for name in ("target", "recorded_at", "source", "suite")}


def _group(
    found: Group,
    shown: Sequence[Example],
    run: Compared,
    known: frozenset[str],
    accounts: Sequence[Sequence[ShellAccount]],
) -> dict[str, Any]:
    pairs = run.comparison.pairs
    identity = found.identities[found.differences.index(shown[0].difference)][0]
    prints = [
        {fingerprint(rule, cls, outcome) for rule, own, outcome in each for cls in (own, ANY_CLASS)}
        for each in found.identities
    ]
    return {
        "kind": found.kind.name,
        "cause": found.cause,
        "document": str(found.document),
        "level": found.level,
        "rules": list(found.rules),
        "deviation": dict(zip(("rule", "class", "outcome"), identity, strict=True)),
        "fingerprint": fingerprint(*identity),
        "known": all(not known.isdisjoint(each) for each in prints),
        "steps": len({each.culprit for each in found.differences}),
        "classes": list(dict.fromkeys(pairs[each.culprit].step.cls for each in found.differences)),
        "differences": [_difference(each, run, accounts) for each in shown],
    }


def _difference(shown: Example, run: Compared, accounts: Sequence[Sequence[ShellAccount]]) -> dict[str, Any]:
    lines = [
        curl(
            [replace(each, url="") for each in exchanges],
            url=f"{recording.target.rstrip('/')}/v1/Configuration",
            accounts=own,
        )
        for recording, exchanges, own in zip(
            (run.reference, run.candidate), (shown.reference, shown.candidate), accounts, strict=True
        )
    ]
    reference, candidate = (each[:500] for each in shown.facts)
    return {
        "kind": shown.difference.kind.name,
        "fact": shown.difference.name,
        "class": run.comparison.pairs[shown.difference.culprit].step.cls,
        "sent": [request_line(record(each)) for each in shown.reference],
        "reference": reference,
        "candidate": candidate,
        "again": shown.again,
        "curl_reference": lines[0],
        "curl_candidate": lines[1],
    }


# Text


def age(recording: Recording, now: datetime) -> int | None:
    """Return the age of a recording in whole days; None where it does not say when it was made."""
    try:
        made = datetime.fromisoformat(recording.recorded_at)
    except ValueError:
        return None
    return (now - (made if made.tzinfo else made.replace(tzinfo=UTC))).days


def text(comparison: Mapping[str, Any], *, dated: bool) -> Iterator[str]:
    """
    Yield the lines of a comparison for a terminal, given its document.

    It is dated where both ends are recordings: then the differences are changes in the course of time.
    """
    for group in comparison["groups"]:
        level = f"{group['level']} " if group["level"] else ""
        mark = "  (known)" if group["known"] else ""
        yield f"{group['kind']}  {level.upper()}{visible(group['cause'], 100)}  {group['fingerprint'][:12]}{mark}"
        first = group["differences"][0]
        yield f"  {_sentence(first, dated=dated)}"
        yield f"  sent       {_sent(first)}"
        yield f"  reference  {visible(first['reference'], 160)}"
        yield f"  candidate  {visible(first['candidate'], 160)}"
        rules = f" ({', '.join(group['rules'][:3])})" if group["rules"] else ""
        yield f"  document   {group['document']}{rules}"
        yield f"  seen       in {plural(group['steps'], 'step')}: {visible(some(group['classes'], 5), 400)}"
        yield f"\n# reference\n{clipped(first['curl_reference'])}\n# candidate\n{clipped(first['curl_candidate'])}\n"
    counts = comparison["counts"]
    yield (
        f"{plural(counts['alike'], 'step')} alike · {counts['different']:,} different · "
        f"{counts['not_comparable']:,} not comparable · {counts['unserved']:,} unserved · "
        f"{counts['unsettled']:,} unsettled"
    )
    new = sum(not each["known"] for each in comparison["groups"])
    scope = ", beyond what the document allows" if comparison["scope"] == "documented" else ""
    yield f"{plural(new, 'difference') if new else 'alike'}{scope}"


_SENTENCES = {
    "answer": (
        "{sent} is {one} by the reference, and {other} by the candidate.",
        "{sent} was {one}, and is {other} now.",
    ),
    "setting": (
        "After {sent} the reference shows {fact} {one}, and the candidate {other}.",
        "After {sent} {fact} was {one}, and is {other} now.",
    ),
    "other": (
        "In the answer to {sent} {fact} is {one} from the reference, and {other} from the candidate.",
        "In the answer to {sent} {fact} was {one}, and is {other} now.",
    ),
}
"""By kind of fact, what is said of two targets, and of one target that has changed in the course of time."""


def _sentence(difference: Mapping[str, Any], *, dated: bool) -> str:
    fact = difference["fact"]
    kind = "answer" if fact == "answer" else "setting" if fact in BY_ATTRIBUTE else "other"
    one, other = (
        visible(difference[side], 160).replace("failed (", "not served (")
        for side in ("reference", "candidate")
    )
    return _SENTENCES[kind][dated].format(
        sent=_sent(difference), fact=visible(fact, 80), one=one, other=other
    )


def _sent(difference: Mapping[str, Any]) -> str:
    """Return the requests of a difference, each as far as a line can have it."""
    requests = difference["sent"]
    return ", then ".join(visible(each, 200 if len(requests) == 1 else 100) for each in requests)

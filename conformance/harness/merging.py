"""Puts the results of the shards of a run together into the result of the whole."""

import copy
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from itertools import accumulate
from typing import Any, get_args

from conformance.attribution.causes import attribute
from conformance.contract import SUITE
from conformance.exceptions import ReportError
from conformance.harness import verdicts
from conformance.harness.confirmation import place
from conformance.harness.schedule import Plan
from conformance.harness.verdicts import End, How
from conformance.http import Exchange, Request
from conformance.model import ClassOutcome, Finding, Level, Outcome, Restore, RestoreState, Rule, Verdict
from conformance.reporting.baseline import apply, known_in
from conformance.reporting.recorded import exchange_of, request_of
from conformance.reporting.result import count, plain
from conformance.reporting.text import Document, body
from conformance.rules import BY_ID, CATALOGUE
from conformance.rules.robustness import EVERY_ANSWERED

_ALIKE = ("profile", "seed")
"""Members that are the same in the results of all shards; `_SET` are settings of which this is true as well."""

_SET = ("target", "app", "only", "fail_on")


def merged(results: Sequence[Document], today: date, *, strict: bool = False) -> dict[str, Any]:
    """
    Return the result of a run, given the results of all its shards in any order.

    A rule is broken if any shard has a finding of it; else it holds if any shard has evidence for it. Attribution is
    done anew, since it looks at the findings of all shards.

    Args:
        results: The result documents.
        today: A known deviation that expires before this day has expired.
        strict: Whether a known deviation that is expired, unused or fixed fails the run.

    Raises:
        ReportError: They are not the shards of one run, each once; the message says which is missing, or too much.
    """
    return together(_in_order(results), today, strict=strict)


def together(results: Sequence[Document], today: date, *, strict: bool = False) -> dict[str, Any]:
    """Do as `merged`, for results that are known to be those of one run, and stand in the order of the shards."""
    shards = _renumbered(results)
    first = shards[0]
    found = _findings(shards)
    rules = [
        _rule(rule, rows, [each for each in found if each["rule"] == rule.id])
        for rule in CATALOGUE
        if (rows := [row for shard in shards for row in shard["rules"] if row["id"] == rule.id])
    ]
    outcomes = [_outcome(row, found) for row in rules]
    for finding, put_down in zip(found, attribute(outcomes), strict=True):
        finding |= {"cause": put_down.cause, "consequence_of": put_down.consequence_of, "rank": put_down.rank}
    end, restore = _end(shards), _restore(shards)
    plan = Plan(fail_on=Level(first["settings"]["fail_on"]))
    observations = {(each["topic"], each["text"]): each for shard in shards for each in shard["observations"]}
    limit = first["settings"]["max_requests"]
    document: dict[str, Any] = {
        **first,
        "verdict": str(verdicts.verdict(outcomes, end)),
        "exit_code": verdicts.exit_code(outcomes, end, restore, plan),
        "requests": sum(shard["requests"] for shard in shards),
        "started_at": min(shard["started_at"] for shard in shards),
        "duration_s": max(shard["duration_s"] for shard in shards),
        "stopped": end.reason,
        "notices": list(dict.fromkeys(line for shard in shards for line in shard["notices"])),
        "rules": rules,
        "findings": found,
        "observations": list(observations.values()),
        **next(({"unanswered": each["unanswered"]} for each in shards if "unanswered" in each), {}),
        "restore": plain(asdict(restore), None),
        "settings": {
            **{name: value for name, value in first["settings"].items() if name != "shard"},
            "shards": len(shards),
            "accounts": max(shard["settings"]["accounts"] for shard in shards),
            "max_requests": limit and limit * len(shards),
        },
    }
    known = document.pop("known", None)
    document["counts"] = count(document)
    if known is None:
        return document
    return apply(document, map(known_in, known), today, catalogue=BY_ID, strict=strict)


def _in_order(results: Sequence[Document]) -> list[Document]:
    """Return the results in the order of their shards."""
    by_shard: dict[tuple[int, int], Document] = {}
    for result in results:
        if "shard" not in (settings := result["settings"]):
            raise ReportError(
                f"the result of {result['target']} is not that of a shard: run with --shard K/N"
            )
        number, of = map(int, settings["shard"].split("/"))
        if by_shard.setdefault((number, of), result) is not result:
            raise ReportError(f"two results are of shard {number}/{of}: give each shard once")
    ((_, total), first), *others = by_shard.items()
    for (number, of), each in others:
        alike = all(each[name] == first[name] for name in _ALIKE)
        same = all(each["settings"].get(name) == first["settings"].get(name) for name in _SET)
        if (
            of != total
            or not alike
            or not same
            or each["versions"].get(SUITE) != first["versions"].get(SUITE)
        ):
            raise ReportError(
                f"shard {number}/{of} is of another run: run all shards with one version and one set of settings"
            )
    missing = [f"{number}/{total}" for number in range(1, total + 1) if (number, total) not in by_shard]
    if missing:
        raise ReportError(f"no result of shard {', '.join(missing)}: give the results of all {total}")
    return [by_shard[number, total] for number in range(1, total + 1)]


def _renumbered(shards: Sequence[Document]) -> list[dict[str, Any]]:
    """Return the results with new numbers of exchanges: each shard counts on from where the one before it ended."""
    before = accumulate((shard["requests"] for shard in shards), initial=0)
    numbered = []
    for shard, offset in zip(copy.deepcopy([*map(dict, shards)]), before, strict=False):
        counterexamples = [*shard["findings"], *([shard["unanswered"]] if "unanswered" in shard else [])]
        shown = [exchange for each in counterexamples for exchange in each["exchanges"]]
        for exchange in [*shown, *(row["evidence"] for row in shard["rules"] if row["evidence"])]:
            exchange["number"] += offset
        numbered.append(shard)
    return numbered


def _findings(shards: Sequence[Document]) -> list[dict[str, Any]]:
    """
    Return the findings in the order of the rules, each once.

    Of equal findings the stable one is taken, and of several of these the one with the shortest counterexample.
    """
    found: list[dict[str, Any]] = []
    for each in (each for shard in shards for each in shard["findings"]):
        each.pop("cause_requests", None)
        each.pop("known", None)
        same = next((other for other in found if _is_same(each, other)), None)
        if same is None:
            found.append(each)
            continue
        kept = min(same, each, key=_size)
        kept["count"] = same["count"] + each["count"]
        found[found.index(same)] = kept
    places = {rule.id: place for place, rule in enumerate(CATALOGUE)}
    return sorted(found, key=lambda each: places[each["rule"]])


def _is_same(one: Document, other: Document) -> bool:
    """Whether two findings would be one in a run of the whole: they share the class, or the counterexample."""
    if (one["rule"], one["outcome"]) != (other["rule"], other["outcome"]):
        return False
    first, second = ([request_of(each["request"]) for each in found["exchanges"]] for found in (one, other))
    return bool(one["class"] == other["class"] or first == second)


def _size(finding: Document) -> tuple[bool, int, int, tuple[int, str]]:
    exchanges = finding["exchanges"]
    size = sum(len(body(each["request"]) or b"") for each in exchanges)
    return not finding["stable"], len(exchanges), size, place(finding["rule"], finding["class"])


def _rule(rule: Rule, rows: Sequence[Document], findings: Sequence[Document]) -> dict[str, Any]:
    """Return the entry of a rule in the result of the whole; `rows` are its entries in the results of the shards."""
    classes = [
        {
            "id": cls.id,
            "reason": cls.reason,
            "examples": sum(each["examples"] for each in same),
            "statuses": dict(sum((Counter(each["statuses"]) for each in same), Counter[str]())),
        }
        for cls in rule.classes
        for same in [[each for row in rows for each in row["classes"] if each["id"] == cls.id]]
    ]
    evidence = next((row["evidence"] for row in rows if row["evidence"]), None)
    # Evidence of one shard does not settle what another one doubts.
    if rule is EVERY_ANSWERED and any(row["verdict"] == Verdict.UNDECIDED for row in rows):
        evidence = None
    examples = sum(each["examples"] for each in classes)
    by_verdict = {row["verdict"]: row for row in rows}
    verdict, reason = Verdict.CONFORMANT, ""
    if findings:
        how = How.UNIMPLEMENTED if Verdict.UNIMPLEMENTED in by_verdict else How.JUDGED
        verdict = verdicts.broken(rule, any(each["stable"] for each in findings), how)
    elif not examples or evidence is None:
        verdict = Verdict.UNDECIDED if examples and Verdict.UNDECIDED in by_verdict else Verdict.NOT_RUN
        reason = by_verdict.get(verdict, rows[0])["reason"]
    return {
        **rows[0],
        "verdict": str(verdict),
        "reason": reason,
        "examples": examples,
        "evidence": evidence,
        "classes": classes,
    }


def _outcome(row: Document, findings: Sequence[Document]) -> Outcome:
    return Outcome(
        rule=BY_ID[row["id"]],
        verdict=Verdict(row["verdict"]),
        examples=row["examples"],
        classes=tuple(ClassOutcome(**each) for each in row["classes"]),
        findings=tuple(_finding(each) for each in findings if each["rule"] == row["id"]),
        evidence=Exchange(number=row["evidence"]["number"], request=Request()) if row["evidence"] else None,
    )


def _finding(recorded: Document) -> Finding:
    """Return a recorded finding as a value, with all that attribution looks at."""
    same = ("rule", "outcome", "field", "summary", "expected", "observed", "stable", "count")
    return Finding(
        **{name: recorded[name] for name in same},
        level=Level(recorded["level"]),
        cls=recorded["class"],
        exchanges=tuple(
            exchange_of(each["number"], request_of(each["request"]), each) for each in recorded["exchanges"]
        ),
    )


def _end(shards: Sequence[Document]) -> End:
    found = {shard["verdict"] for shard in shards}
    how = How.WITHOUT_VERDICT if Verdict.ERROR in found else How.JUDGED
    how = How.UNIMPLEMENTED if Verdict.UNIMPLEMENTED in found else how
    early = [f"shard {place}: {each['stopped']}" for place, each in enumerate(shards, 1) if each["stopped"]]
    return End(how, "; ".join(early), is_interrupted=any(each["exit_code"] == 130 for each in shards))


def _restore(shards: Sequence[Document]) -> Restore:
    said = [shard["restore"] for shard in shards]
    names = {
        kind: tuple(dict.fromkeys(name for each in said for name in each[kind]))
        for kind in ("unrestorable", "failed")
    }
    return Restore(state=min((each["state"] for each in said), key=get_args(RestoreState).index), **names)

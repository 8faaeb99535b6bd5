"""
The baseline: `known-deviations.toml` lists deviations that are known, and a result is compared with it.

An entry explains the findings of its rule, input class and outcome. Another outcome of the same rule is new. An entry
hides nothing: its findings are reported as known, and no longer fail the run.
"""

import base64
import binascii
import re
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any

import tomli_w

from conformance.contract import error_in
from conformance.exceptions import BaselineError
from conformance.http import Request
from conformance.model import Aspect, Level, Rule, Verdict, fingerprint
from conformance.reporting.recorded import pinned, request_of
from conformance.reporting.result import count, plain
from conformance.reporting.text import UNJUDGED, Document, fails, headline, visible


class State(StrEnum):
    """The state of an entry after a run."""

    KNOWN = "known"
    EXPIRED = "expired"
    FIXED = "fixed"
    UNUSED = "unused"
    NOT_RUN = "not-run"


ANY_CLASS = "*"
"""The class of an entry that explains an outcome of its rule for every input class."""

STALE = frozenset({State.EXPIRED, State.FIXED, State.UNUSED})
"""States of entries that should be removed; a strict run fails if there are any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One entry of the baseline."""

    rule: str
    cls: str
    """The input class; `ANY_CLASS` for all of them."""
    outcome: str
    reason: str
    link: str = ""
    expires: date | None = None
    """The last day on which it counts; None: for good."""
    witness: tuple[Request, ...] = ()
    """The counterexample: requests that show it."""

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the finding that it explains."""
        return fingerprint(self.rule, self.cls, self.outcome)


# Reading


def read(path: Path) -> tuple[Known, ...]:
    """
    Return the entries of a file.

    Raises:
        BaselineError: The file cannot be read, is not TOML, or an entry is malformed.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise BaselineError(f"{path}: not UTF-8 at byte {error.start}: save it as UTF-8") from None
    except OSError as error:
        raise BaselineError(f"{path}: cannot be read: {error.strerror}") from None
    return parse(text, str(path))


def parse(text: str, name: str = "known-deviations.toml") -> tuple[Known, ...]:
    """
    Return the entries in TOML, as `schemas/known-deviations.schema.json` describes it; messages name the file.

    Raises:
        BaselineError: The text is not TOML, or an entry is malformed.
    """
    try:
        document = plain(tomllib.loads(text), None)  # JSON has no dates
    except RecursionError:
        raise BaselineError(
            f"{name}: nested too deep: have entries written by `conformance baseline`"
        ) from None
    except ValueError as error:  # not only TOMLDecodeError: integers of thousands of digits
        where = re.search(r"at line (\d+)", str(error))
        line = where[1] if where else str(text.rstrip().count("\n") + 1)
        problem = re.sub(r" \(at (line \d+, column \d+|end of document)\)$", "", str(error))
        raise BaselineError(
            f"{name}:{line}: not TOML: {visible(problem)}: have entries written by `conformance baseline`"
        ) from None
    invalid = error_in(document, "known-deviations.schema.json")
    if invalid is not None:
        path = list(invalid.absolute_path)
        problem = _problem(invalid.message, str(path[2]) if len(path) > 2 else "")
        raise BaselineError(f"{name}:{_line(text, path)}: {problem}")
    found: dict[str, int] = {}
    for index, entry in enumerate(document.get("deviation", ())):
        identity = fingerprint(entry["rule"], entry["class"], entry["outcome"])
        if entry["fingerprint"] != identity:
            raise BaselineError(
                f"{name}:{_line(text, ['deviation', index, 'fingerprint'])}: the fingerprint is not that of rule, "
                f"class and outcome, which is {identity}: correct whichever is wrong"
            )
        if identity in found:
            other = _line(text, ["deviation", found[identity]])
            raise BaselineError(
                f"{name}:{_line(text, ['deviation', index])}: the same deviation is in line {other}: remove one"
            )
        found[identity] = index
    return tuple(
        _entry(entry, f"{name}:{_line(text, ['deviation', index, 'witness'])}")
        for index, entry in enumerate(document.get("deviation", ()))
    )


def _problem(message: str, key: str) -> str:
    advice = {
        "expires": "write it as a TOML date, such as 2030-01-31",
        "link": "write an http:// or https:// URL",
        "fingerprint": "copy the 64 hexadecimal digits of the finding from result.json",
        "reason": "say why the deviation is accepted",
    }.get(key, "have entries written by `conformance baseline`")
    return f"{f'{key}: ' if key else ''}{visible(message, 200)}: {advice}"


def _line(text: str, path: Sequence[str | int]) -> int:
    """Return the line, from 1, of an entry or of one of its members; 1 where the text does not show it."""
    starts = [
        match.start() for match in re.finditer(r"^[ \t]*\[\[[ \t]*deviation[ \t]*\]\]", text, re.MULTILINE)
    ]
    index = path[1] if len(path) > 1 else 0
    if not isinstance(index, int) or index >= len(starts):
        return 1
    start, end = starts[index], [*starts, len(text)][index + 1]
    if len(path) > 2:
        member = re.compile(rf"^[ \t]*(\[\[[ \t]*deviation\.)?{re.escape(str(path[2]))}\b", re.MULTILINE)
        if match := member.search(text, start, end):
            start = match.start()
    return text.count("\n", 0, start) + 1


def _entry(entry: Mapping[str, Any], where: str) -> Known:
    try:
        for each in entry.get("witness", ()):
            base64.b64decode(each.get("body_base64", ""), validate=True)
    except binascii.Error as error:
        raise BaselineError(
            f"{where}: body_base64 is not base64: {error}: copy it from result.json"
        ) from None
    return known_in(entry)


def known_in(entry: Mapping[str, Any]) -> Known:
    """Return an entry that a file has, or the member `known` of a result document."""
    return Known(
        rule=entry["rule"],
        cls=entry["class"],
        outcome=entry["outcome"],
        reason=entry["reason"],
        link=entry.get("link", ""),
        expires=date.fromisoformat(entry["expires"]) if entry.get("expires") else None,
        witness=tuple(map(request_of, entry.get("witness", ()))),
    )


# Applying


def witnesses(known: Iterable[Known], accounts: int) -> list[tuple[str, tuple[Request, ...]]]:
    """
    Return the counterexamples of entries, each with the input class that it is sent as.

    A run sends them first, so that it finds every known deviation again. Counterexamples that need more accounts than
    the run has are left out.
    """
    return [
        ("known/witness" if each.cls == ANY_CLASS else each.cls, each.witness)
        for each in known
        if each.witness and _needs(each.witness) <= accounts
    ]


def _needs(requests: Iterable[Request]) -> int:
    return max(
        2 if "{other_" in f"{each.auth.user}{each.auth.secret}{each.auth.header}" else each.account + 1
        for each in requests
    )


def apply(
    document: Document,
    known: Iterable[Known],
    today: date,
    *,
    catalogue: Mapping[str, Rule],
    strict: bool = False,
) -> dict[str, Any]:
    """
    Return a result document with its known deviations marked, and with verdicts, counts and exit status to match.

    Args:
        document: A result document; it is not changed.
        known: The entries.
        today: An entry that expires before this day has expired.
        catalogue: All rules by id, also those that were not run.
        strict: Whether an entry that is expired, unused or fixed fails the run.
    """
    entries = {each.fingerprint: each for each in known}
    states = {name: _state(each, document, today, catalogue) for name, each in entries.items()}
    applied = {**document}
    explained = [_explaining(finding, entries) for finding in document["findings"]]
    valid = [name if name and states[name] is State.KNOWN else None for name in explained]
    if document["profile"] == "quick":
        valid = list(_by_cause(document["findings"], explained, valid, catalogue))
    applied["findings"] = [
        {**finding, "known": _why(entries[name])} if name else finding
        for finding, name in zip(document["findings"], valid, strict=True)
    ]
    fixed = {each.rule: each for name, each in entries.items() if states[name] is State.FIXED}
    applied["rules"] = [_rule(rule, applied["findings"], fixed.get(rule["id"])) for rule in document["rules"]]
    applied["known"] = [
        {
            "fingerprint": name,
            "rule": each.rule,
            "class": each.cls,
            "outcome": each.outcome,
            **_why(each),
            "state": str(states[name]),
        }
        for name, each in entries.items()
    ]
    applied["verdict"] = _verdict(applied, bool(fixed))
    applied["exit_code"] = _exit_code(applied, strict and not STALE.isdisjoint(states.values()))
    applied["counts"] = count(applied)
    return applied


def _explaining(finding: Document, fingerprints: Collection[str]) -> str | None:
    """Return the fingerprint of the entry that explains a finding: one of its class, else one of any class."""
    both = (finding["fingerprint"], fingerprint(finding["rule"], ANY_CLASS, finding["outcome"]))
    return next((each for each in both if each in fingerprints), None)


def _by_cause(
    findings: Sequence[Document],
    explained: Sequence[str | None],
    valid: Sequence[str | None],
    catalogue: Mapping[str, Rule],
) -> Iterator[str | None]:
    """
    Yield for each finding the fingerprint of the entry that explains it, or that explains another one of its cause.

    A quick run has too few requests to show every finding of a cause, and which of them it shows depends on the
    settings that it finds. So an entry for one of them explains the others, and those consequences that are about
    values shown later. Any other consequence may be a mistake of its own. An entry that has expired explains nothing.
    """
    roots = {
        finding["cause"]: name
        for finding, name in zip(findings, valid, strict=True)
        if name and finding["consequence_of"] is None
    }
    for finding, entry, name in zip(findings, explained, valid, strict=True):
        rule = catalogue.get(finding["rule"])
        is_part = finding["consequence_of"] is None or (rule is not None and rule.aspect >= Aspect.ECHO)
        yield name if entry or not is_part else roots.get(finding["cause"])


def _state(known: Known, document: Document, today: date, catalogue: Collection[str]) -> State:
    expired = known.expires is not None and known.expires < today
    if any(_explaining(finding, {known.fingerprint}) for finding in document["findings"]):
        return State.EXPIRED if expired else State.KNOWN
    rule = next((each for each in document["rules"] if each["id"] == known.rule), None)
    if rule is None and known.rule not in catalogue:
        return State.UNUSED
    unjudged = {*UNJUDGED, Verdict.UNIMPLEMENTED}
    if rule is not None and rule["verdict"] not in unjudged and not _cut_short(document):
        sent = any(
            known.cls in (cls["id"], ANY_CLASS) and cls["examples"]
            for each in document["rules"]
            for cls in each["classes"]
        )
        return State.FIXED if known.witness or sent else State.UNUSED
    return State.EXPIRED if expired else State.NOT_RUN


def _cut_short(document: Document) -> bool:
    """Whether the run ended early for any reason but its budget of requests."""
    limit = document["settings"].get("max_requests")
    return bool(document["stopped"]) and (limit is None or document["requests"] < limit)


def _why(known: Known) -> dict[str, str]:
    expires = known.expires.isoformat() if known.expires else ""
    return {"reason": known.reason, "link": known.link, "expires": expires}


def _rule(rule: Document, findings: Sequence[Document], fixed: Known | None) -> Document:
    own = [finding for finding in findings if finding["rule"] == rule["id"]]
    if own and all("known" in finding for finding in own):
        reasons = dict.fromkeys(finding["known"]["reason"] for finding in own)
        return {**rule, "verdict": str(Verdict.KNOWN), "reason": "; ".join(reasons)}
    new = [finding for finding in own if "known" not in finding]
    if new and len(new) < len(own) and not any(finding["stable"] for finding in new):
        return {**rule, "verdict": str(Verdict.UNSTABLE)}
    if not own and fixed is not None and rule["verdict"] == Verdict.CONFORMANT:
        return {**rule, "verdict": str(Verdict.FIXED), "reason": f"was known: {fixed.reason}"}
    return rule


def _verdict(document: Document, fixed: bool) -> str:
    before: str = document["verdict"]
    findings = document["findings"]
    if before not in (Verdict.DEVIATION, Verdict.UNSTABLE, Verdict.NON_STRICT, Verdict.CONFORMANT):
        return before
    new = [finding for finding in findings if "known" not in finding]
    must = [finding for finding in new if finding["level"] == Level.MUST]
    if len(new) == len(findings):
        return str(Verdict.FIXED) if fixed and before == Verdict.CONFORMANT else before
    if must:
        return str(Verdict.DEVIATION if any(finding["stable"] for finding in must) else Verdict.UNSTABLE)
    if _cut_short(document):
        return str(Verdict.ERROR)
    if headline(document):
        return str(Verdict.UNDECIDED)
    return str(Verdict.NON_STRICT if new else Verdict.KNOWN)


def _exit_code(document: Document, stale: bool) -> int:
    before: int = document["exit_code"]
    new = [finding for finding in document["findings"] if "known" not in finding]
    if before == 1 and not any(fails(document, finding["level"]) for finding in new):
        # No finding is left that fails the run, but that is not enough for a verdict.
        before = 3 if _cut_short(document) or headline(document) else 0
    return 1 if stale and before == 0 else before


# Writing


def additions(
    document: Document, known: Iterable[Known], *, reason: str, any_class: bool = False
) -> list[dict[str, Any]]:
    """
    Return new entries, as TOML tables, for the findings that none of the known entries explains.

    Unstable findings are left out, and so are those of a target that does not have the endpoint. With `any_class`, one
    entry explains all input classes of its rule and outcome.
    """
    there = {each.fingerprint for each in known}
    verdicts = {rule["id"]: rule["verdict"] for rule in document["rules"]}
    entries: dict[str, dict[str, Any]] = {}
    for finding in document["findings"]:
        unexplained = finding["stable"] and _explaining(finding, there) is None
        if not unexplained or verdicts[finding["rule"]] in (Verdict.UNIMPLEMENTED, Verdict.ERROR):
            continue
        cls = ANY_CLASS if any_class else finding["class"]
        name = fingerprint(finding["rule"], cls, finding["outcome"])
        entry = {
            "fingerprint": name,
            "rule": finding["rule"],
            "class": cls,
            "outcome": finding["outcome"],
            "reason": reason,
            "witness": [pinned(exchange["request"]) for exchange in finding["exchanges"]],
        }
        entries.setdefault(name, entry)
    return list(entries.values())


def merged(text: str, entries: Sequence[Mapping[str, Any]], name: str = "known-deviations.toml") -> str:
    """
    Return the text of a file with entries added at its end; the rest stays as it was, comments too.

    Raises:
        BaselineError: The new text cannot be read as a baseline.
    """
    if not entries:
        return text or "# Written by `conformance baseline`: no deviation is known.\n"
    added = "\n".join(tomli_w.dumps({"deviation": [entry]}) for entry in entries)
    whole = f"{text.rstrip()}\n\n{added}" if text.strip() else added
    parse(whole, name)
    return whole

"""The words of all reports: parts of a result document as plain text that is safe to show anywhere."""

import base64
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from conformance.http import BASIC, FORM_MEDIA_TYPE, decode_form, encode_form
from conformance.model import Level, Verdict

UNJUDGED = frozenset({Verdict.UNDECIDED, Verdict.NOT_RUN, Verdict.ERROR})
"""Verdicts that do not say whether a rule holds."""
HOLD = frozenset({Verdict.CONFORMANT, Verdict.FIXED})
"""Verdicts of rules that hold."""

HEADLINE = 170
"""Most characters of a summary that is a headline; with the note that it was cut it stays below 200."""
CLAIM = 500
"""Most characters of a text that says what was expected or observed, in a report that people read."""

Document = Mapping[str, Any]
"""A result document, or a part of one: `schemas/result.schema.json`."""


def visible(text: str, limit: int | None = None) -> str:
    """
    Return any text, hostile or not, on one line: characters that are not printable are escaped as in Python.

    A text of more characters than the limit is cut, and its length is added.
    """
    head = text if limit is None else text[: limit + 1]
    shown = head if head.isprintable() else "".join([c if c.isprintable() else _escape(c) for c in head])
    if limit is None or len(shown) <= limit:
        return shown
    return f"{shown[: limit - 1]}… ({len(text):,} characters)"


CLIP = 4_000
"""Most characters of a body or of curl lines in a report that people read."""


def clipped(text: str) -> str:
    """Return the text, cut where it is too long for a report; no character is escaped."""
    if len(text) <= CLIP:
        return text
    return f"{text[:CLIP]}… ({len(text):,} characters; the whole is in result.json)"


def snippet(finding: Document, member: Literal["curl", "httpx"] = "curl") -> str:
    """
    Return the lines that send the requests of a finding again: curl commands, or Python with httpx.

    Where they are too long for a report, a comment says where they are: lines that were cut would do harm.
    """
    lines: str = finding[member]
    if len(lines) <= CLIP:
        return lines
    name = f"finding {finding['fingerprint'][:12]}" if "fingerprint" in finding else "unanswered"
    return f"# {len(lines):,} characters of {member}: in result.json, {name}"


UNANSWERED = "After this the target was not there any more; whether it crashed because of it is not known"
"""What is said of the requests in the member `unanswered`."""


def _escape(character: str) -> str:
    return repr(character)[1:-1]


def visible_bytes(raw: bytes) -> str:
    """Return bytes as text without loss: printable UTF-8 as it is, a backslash doubled, other bytes in hexadecimal."""
    text = raw.decode("utf-8", "surrogateescape")
    return text if text.isprintable() and "\\" not in text else "".join(map(_exact, text))


def _exact(character: str) -> str:
    if character.isprintable():
        return "\\\\" if character == "\\" else character
    if character in "\t\r\n":
        return _escape(character)
    return "".join([f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogateescape")])


def body(message: Document) -> bytes | None:
    """Return the bytes of a recorded request's or response's body, or None where it has none."""
    if "body_base64" in message:
        return base64.b64decode(message["body_base64"])
    return message["body"].encode("utf-8", "surrogatepass") if "body" in message else None


def request_line(exchange: Document, limit: int | None = 160) -> str:
    """Return a recorded request on one line: its parameters, and everything that an ordinary update does not have."""
    request = exchange["request"]
    raw = body(request)
    essence = (request["content_type"] or "").partition(";")[0].strip().lower()
    pairs = decode_form(raw) if raw and essence == FORM_MEDIA_TYPE else None
    # Where the bytes are not the usual ones for these parameters, they are the point.
    if raw and pairs and raw.replace(b"+", b"%20") == encode_form(pairs).replace(b"+", b"%20"):
        content = " ".join(f"{name}={_value(value)}" for name, value in pairs)
    else:
        content = visible_bytes(raw) if raw else "(empty)" if request["method"] == "POST" else ""
    parts = [
        # First, as a long line is cut at its end.
        f"[account {request['account'] + 1}]" if request["account"] else "",
        request["method"] if request["method"] != "POST" else "",
        f"?{request['query']}" if request["query"] else "",
        content,
        *(f"[{mark}]" for mark in _marks(request, has_form=raw is not None or request["method"] == "POST")),
    ]
    return visible(" ".join(filter(None, parts)), limit)


def sequence_line(finding: Document, limit: int = 160) -> str:
    """Return the requests of a finding on one line, each as `request_line` has it."""
    return visible(", then ".join(request_lines(finding, None)), limit)


def request_lines(finding: Document, limit: int | None = 160) -> list[str]:
    """Return each request of a finding as `request_line` has it, with its connection where that matters."""
    lines: list[str] = []
    used: list[int | None] = []
    for each in finding["exchanges"]:
        number = each.get("connection")
        where = _where(number, used) if finding.get("shared_connection") and number and used else ""
        lines.append(where + request_line(each, limit))
        used.append(number)
    return lines


def _where(number: int, used: Sequence[int | None]) -> str:
    """Say which connection a request went over, where those before it went over the `used` ones."""
    if number == used[-1]:
        return "on the same connection "
    if number not in used:
        return "on another connection "
    return "on the first connection again " if number == used[0] else "on an earlier connection again "


def _marks(request: Document, *, has_form: bool) -> Iterator[str]:
    auth = request["auth"]
    if auth["header"] is not None:
        yield f"Authorization: {auth['header']}"
    elif auth["scheme"] is None:
        yield "no credentials"
    elif auth["scheme"] != BASIC.scheme or auth["user"] != BASIC.user or auth["secret"] != BASIC.secret:
        yield f"credentials: {auth['scheme']} {auth['user']}:{auth['secret']}"
    if request["content_type"] != (FORM_MEDIA_TYPE if has_form else None):
        yield f"Content-Type: {request['content_type'] or 'none'}"
    yield from (f"{name}: {value}" for name, value in request["own_headers"])
    if request["chunked"]:
        yield "chunked"
    if request.get("by_hand"):
        yield f"by hand: {request['by_hand']}"
    if request.get("after_s"):
        yield f"{request['after_s']:g} s later"


def _value(value: str) -> str:
    bare = value and value.isprintable() and not set(value) & set(' "')
    return value if bare else f'"{visible(value)}"'


def answer_line(exchange: Document, limit: int = 160) -> str:
    """Return a recorded answer on one line: its status and body, and the failure if there was one."""
    response, failure = exchange.get("response"), exchange.get("failure")
    parts = []
    if failure is not None:
        parts.append(f"{'' if response else 'no answer '}({failure['kind']}): {failure['detail']}")
    if response is not None:
        cut = " (the body is longer than the suite reads)" if response["truncated"] else ""
        parts.append(f"{response['status']}{cut} {visible_bytes(body(response) or b'')}".strip())
    if exchange.get("traceback"):
        parts.insert(0, f"(raised {exchange['traceback'].strip().rpartition(chr(10))[2]})")
    return visible(" ".join(reversed(parts)), limit)


def traceback_lines(exchange: Document) -> list[str]:
    """Return the traceback of the exception that an application raised, line by line; none where it raised none."""
    return [visible(line) for line in clipped(exchange.get("traceback", "")).splitlines()]


def why_known(finding: Document) -> str:
    """Return the reason, the link and the last day of a known deviation."""
    known = finding["known"]
    until = f"until {known['expires']}" if known["expires"] else ""
    return ", ".join(part for part in (known["reason"], known["link"], until) if part)


def stale(document: Document) -> Iterator[str]:
    """Yield a line for each entry of the baseline that should be removed or renewed: it is expired, fixed or unused."""
    for entry in document.get("known", ()):
        advice = {
            "expired": f"it was accepted until {entry['expires']}, for: {entry['reason']}",
            "fixed": "it is gone, remove the entry",
            "unused": "there is no such rule or input, remove the entry",
        }.get(entry["state"])
        if advice:
            name = f"{entry['rule']} {entry['class']} {entry['outcome']}"
            yield f"known deviation {entry['state']}: {name}: {advice}"


def plural(count: int, noun: str) -> str:
    """Return the count, with commas at thousands, and the noun in singular or plural."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}{'es' if noun.endswith('ss') else 's'}"


def some(names: Sequence[str], most: int) -> str:
    """Return the first names, `most` of them, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


NO_VERDICT = {
    3: "no verdict: the target could not be judged",
    4: "the settings before the run could not be restored",
    5: "nothing was exercised",
}
"""By exit status, what is said where something other than a deviation from a rule fails the run."""


def fails(document: Document, level: str) -> bool:
    """Whether a deviation from a rule of this level fails the run; of a SHOULD rule, a setting says so."""
    return level == Level.MUST or document["settings"].get("fail_on") == Level.SHOULD


def rule_of(finding: Document, document: Document) -> Document:
    """Return the rule that a finding is about."""
    found: Document = next(each for each in document["rules"] if each["id"] == finding["rule"])
    return found


def statement_beside(finding: Document, rule: Document) -> str:
    """Return the statement of a rule, to stand beside a finding's summary; empty where the summary repeats it."""
    statement: str = rule["statement"]
    return "" if statement in finding["summary"] else statement


_STANDING = {
    **dict.fromkeys(Verdict, "broken"),
    **dict.fromkeys(HOLD, "hold"),
    Verdict.UNDECIDED: "undecided",
    Verdict.NOT_RUN: "not_run",
    Verdict.ERROR: "errors",
}
_WORDS = {
    "hold": "hold",
    "broken": "broken",
    "undecided": "undecided",
    "not_run": "not run",
    "errors": "in error",
}


def tally(rules: Iterable[Document]) -> dict[str, int]:
    """Return how many rules hold, are broken, undecided, not run and in error; each rule is counted once."""
    counts = Counter(_STANDING[Verdict(rule["verdict"])] for rule in rules)
    return {name: counts[name] for name in _WORDS}


def tallies(document: Document) -> dict[str, dict[str, int]]:
    """Return the tally of the rules of each level, by level."""
    return {str(level): tally(of_level(document["rules"], level)) for level in Level}


def reasons(document: Document) -> dict[tuple[str, str], list[str]]:
    """By verdict and reason, the ids of the rules that were not decided, or whose deviation was known before."""
    found: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for rule in document["rules"]:
        if rule["verdict"] in {*UNJUDGED, Verdict.KNOWN, Verdict.FIXED}:
            # What stopped the run has a line of its own.
            reason = rule["reason"] if rule["reason"] != document["stopped"] else ""
            found[rule["verdict"], reason].append(rule["id"])
    return found


def by_group(document: Document) -> dict[str, list[Document]]:
    """Return the rules of a result document by their groups."""
    groups: dict[str, list[Document]] = {}
    for rule in document["rules"]:
        groups.setdefault(rule["group"], []).append(rule)
    return groups


def of_level(rules: Iterable[Document], level: str) -> list[Document]:
    """Return the rules of one level."""
    return [rule for rule in rules if rule["level"] == level]


def standing(rules: Sequence[Document], *, zeros: bool = False) -> str:
    """
    Return how many rules hold, are broken and so on, in words; empty where there are no rules.

    With `zeros`, the first three numbers are there even where they are 0, if any rule was exercised.
    """
    counts = tally(rules)
    always = 3 if zeros and any(list(counts.values())[:3]) else 0
    return ", ".join(
        f"{counts[name]:,} {word}"
        for place, (name, word) in enumerate(_WORDS.items())
        if counts[name] or place < always
    )


def levels(rules: Sequence[Document], *, zeros: bool = False) -> list[str]:
    """Return, for each level that has rules, its name and how they stand: see `standing`."""
    found = {level: standing(of_level(rules, level), zeros=zeros) for level in Level}
    return [f"{level.upper()} {words}" for level, words in found.items() if words]


def headline(document: Document) -> str:
    """Return the first line of a report where most MUST rules have no verdict; empty elsewhere."""
    counts = tallies(document)[Level.MUST]
    total, judged = sum(counts.values()), counts["hold"] + counts["broken"]
    if 2 * judged >= total:
        return ""
    words = " or ".join(_WORDS[name] for name in ("undecided", "not_run", "errors") if counts[name])
    be = "is" if total == 1 else "are"
    return f"No verdict on most rules: {total - judged} of {plural(total, 'MUST rule')} {be} {words}"


def was_judged(document: Document) -> bool:
    """Whether any rule was exercised at all."""
    return any(rule["verdict"] not in (Verdict.NOT_RUN, Verdict.ERROR) for rule in document["rules"])


def group_totals(rules: Sequence[Document]) -> str:
    """Return how the rules of a group stand, and on how many examples."""
    return " · ".join([*levels(rules), plural(sum(each["examples"] for each in rules), "example")])


def totals(document: Document) -> str:
    """Return the line of totals: by level how many rules hold, are broken and are undecided, and no percentage."""
    parts = [
        *levels(document["rules"], zeros=True),
        f"{plural(document['requests'], 'request')} in {document['duration_s']:.1f} s",
        f"seed {document['seed']}",
        document["verdict"],
    ]
    return " · ".join(parts)


def evidence_line(rule: Document) -> str:
    """Return the exchange that shows that a rule holds, on one line; empty without one, or if the rule is broken."""
    shown = rule.get("evidence")
    if not shown or rule["verdict"] not in HOLD:
        return ""
    return visible(f"exchange {shown['number']}: {shown['request']} -> {shown['answer']}", 300)


def type_of(value: Any) -> str:
    """Return the type of a JSON value, in words."""
    if isinstance(value, bool):
        return "a boolean"
    kinds = {dict: "an object", list: "a list", str: "a text", type(None): "null"}
    return kinds.get(type(value), "a number")

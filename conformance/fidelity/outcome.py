"""
The outcome of a step: what of its answer can be compared with the answer of another target.

Dates, hosts, request ids and the wording of messages are left out. In place of the SID of an account stands the role of
that account.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from conformance.exceptions import NotJSON
from conformance.http import PATH, Exchange, Response, json_of
from conformance.model import BY_ATTRIBUTE
from conformance.reporting.text import type_of, visible

ABSENT = "absent"
"""What stands for a member or a header that is not there."""

ERROR_MEMBERS = ("message", "more_info")
"""Members of an error whose wording is the target's own: only their type counts."""

_OWN = frozenset({*BY_ATTRIBUTE, "account_sid", "url", "links", "code", "status"})


class Answer(StrEnum):
    """What became of a request."""

    ACCEPTED = "accepted"
    """Any 2xx."""
    REFUSED = "refused"
    """Any 4xx."""
    FAILED = "failed"
    """Any other status, or no answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What an answer says, in terms that hold for any target."""

    answer: Answer
    status: str
    """The status code, or the kind of failure."""
    code: str = ABSENT
    """The error's code as JSON."""
    settings: Mapping[str, Any] | None = None
    """The settings that the answer shows, by attribute; an absent one is left out. None where it shows none."""
    form: Mapping[str, str] = field(default_factory=dict)
    """The types and roles of other members, and of documented headers, by name."""
    message: str = ABSENT
    """The wording of an error. It is a tier of its own, and the exchange in a recording has it."""
    masked: bool = False
    """Whether a part of the answer was masked or cut, so that the rest says nothing."""

    def as_json(self) -> dict[str, Any]:
        """Return the outcome as a JSON object, without what the exchange in a recording says already."""
        members = asdict(self)
        return {name: members[name] for name in ("answer", "status", "code", "settings", "form")}


def outcome_of(exchange: Exchange, accounts: Sequence[str], *, leaks: bool = False) -> Outcome:
    """Return the outcome of an exchange, given the SIDs of the accounts; `leaks` says that the answer shows a token."""
    response = exchange.response
    if exchange.failure is not None or response is None:
        kind = exchange.failure.kind if exchange.failure is not None else "no answer"
        return Outcome(answer=Answer.FAILED, status=str(kind))
    answer = Answer.ACCEPTED if exchange.accepted else Answer.REFUSED if exchange.unwritten else Answer.FAILED
    form = dict(_headers(response))
    if leaks:
        form["auth token"] = "shown"
    document: Any = None
    if exchange.request.method != "HEAD":
        form["body"], document = _content(response)
    plain = Outcome(answer=answer, status=str(response.status), form=form, masked=response.truncated)
    if not isinstance(document, dict):
        return plain
    own = accounts[exchange.request.account] if exchange.request.account < len(accounts) else ""
    shown = {name: document[name] for name in BY_ATTRIBUTE if name in document}
    text = document.get("message")
    return replace(
        plain,
        code=_code(document),
        message=text if isinstance(text, str) and not exchange.accepted else ABSENT,
        settings=shown if exchange.accepted and shown else None,
        form={**form, **dict(_members(document, accounts, own, response.status))},
    )


def changes(recorded: Outcome, now: Outcome, settings: Collection[str]) -> list[str]:
    """Return a line for each fact in which an answer differs from a recorded one; of settings, the named ones count."""
    before, after = (_facts(each, settings) for each in (recorded, now))
    return [
        f"{name}: {visible(after.get(name, ABSENT), 200)}, was {visible(before.get(name, ABSENT), 200)}"
        for name in dict.fromkeys([*before, *after])
        if before.get(name) != after.get(name)
    ]


def _facts(outcome: Outcome, settings: Collection[str]) -> dict[str, str]:
    shown = {name: json.dumps(value) for name, value in (outcome.settings or {}).items() if name in settings}
    return {"HTTP status": outcome.status, "code": outcome.code, **outcome.form, **shown}


def _content(response: Response) -> tuple[str, Any]:
    """Return what a body is, in words, and the document in it; None where there is none."""
    if response.truncated or response.undecoded:
        return "cut" if response.truncated else "in another coding", None
    try:
        document = json_of(response)
    except NotJSON:
        return "not JSON" if response.body else "empty", None
    return type_of(document), document


def _code(document: Mapping[str, Any]) -> str:
    code = document.get("code", ABSENT)
    is_number = isinstance(code, int) and not isinstance(code, bool)
    return str(code) if is_number or code == ABSENT else type_of(code)


def _headers(response: Response) -> Iterator[tuple[str, str]]:
    """Yield the headers that the document or an RFC speaks of, by type."""
    seen: dict[str, str] = {}
    for name, value in response.headers:
        lower = name.lower()
        seen[lower] = f"{seen[lower]}, {value}" if lower in seen else value
    for name, value in seen.items():
        if name == "content-type":
            yield name, value.partition(";")[0].strip().lower()
        elif name == "www-authenticate":
            yield name, "Basic" if re.search(r"(?:^|,)\s*basic\b", value, re.IGNORECASE) else "another scheme"
        elif name.startswith("access-control-allow-cred"):
            yield name, "a boolean" if value.strip().lower() in ("true", "false") else "a text"
        elif name.startswith("access-control-"):
            yield name, "a text" if value.strip() else "empty"
        elif name == "allow":
            yield name, ", ".join(sorted({each.strip().upper() for each in value.split(",") if each.strip()}))
        elif name == "location":
            yield name, "a text"


def _members(
    document: Mapping[str, Any], accounts: Sequence[str], own: str, status: int
) -> Iterator[tuple[str, str]]:
    for name, value in document.items():
        if name in _OWN or name in ERROR_MEMBERS:
            continue
        yield f"member {visible(name, 80)}", type_of(value)
    if "account_sid" in document:
        yield "account_sid", _role(document["account_sid"], accounts, own)
    if "url" in document:
        yield "url", _address(document["url"])
    links = document.get("links", ABSENT)
    if isinstance(links, dict):
        yield "links", ", ".join(sorted(visible(str(name), 80) for name in links)) or "none"
    elif links != ABSENT:
        yield "links", type_of(links)
    if "status" in document:
        is_same = document["status"] == status
        yield "member status", "the HTTP status" if is_same else "another than the HTTP status"
    for name in ERROR_MEMBERS:
        if name in document:
            yield name, type_of(document[name])


def _role(value: Any, accounts: Sequence[str], own: str) -> str:
    if not isinstance(value, str):
        return type_of(value)
    if own and value.lower() == own.lower():
        return "the account" if value == own else "the account in another case"
    return "another account" if value.lower() in map(str.lower, accounts) else "an unknown account"


def _address(value: Any) -> str:
    if not isinstance(value, str):
        return type_of(value)
    try:
        parts = urlsplit(value)
    except ValueError:
        return "no URL"
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return "no URL"
    return "of the resource" if parts.path.endswith(PATH) else "of another resource"

"""
Facts about an answer, which can be compared with those of a later run or of another target.

Facts are what a finding can be about: the status, the headers that rules look at, the settings that its requests or
its field name, and the other documented members. Of any other member, only the type is a fact. Values that may differ
from run to run, such as dates and other settings, are no facts.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from conformance.http import decode_form
from conformance.model import BY_ATTRIBUTE, BY_PARAMETER
from conformance.reporting.reading import parsed
from conformance.reporting.text import Document, body, type_of, visible

Facts = dict[str, str]
"""Texts of one line, by name."""

_HEADERS = ("content-type", "www-authenticate", "allow", "location")
_EXACT = frozenset({"account_sid", "url", "status", "code", "more_info"})


def facts(exchanges: Sequence[Document], field: str | None, *, base: str) -> Facts:
    """
    Return the facts of the last answer of a sequence, about what a finding is about.

    Values are shown without the base URL of the target.
    """
    found = _facts(exchanges[-1], _named(exchanges, field))
    return {name: visible(value.replace(base, ""), 200) for name, value in found}


def differing(recorded: Facts, now: Facts) -> list[str]:
    """Return a line for each fact that has changed."""
    names = dict.fromkeys([*recorded, *now])
    return [
        f"{name}: {now.get(name, 'absent')}, was {recorded.get(name, 'absent')}"
        for name in names
        if recorded.get(name) != now.get(name)
    ]


def _named(exchanges: Sequence[Document], field: str | None) -> frozenset[str]:
    """Return the attributes that the requests set, or that the finding is about."""
    names = {name for each in exchanges for name, _ in decode_form(body(each["request"]) or b"")}
    about = {each.attribute for name, each in BY_PARAMETER.items() if name in names or name == field}
    return frozenset({*about, *([field] if field else [])})


def _facts(exchange: Document, named: frozenset[str]) -> Iterator[tuple[str, str]]:
    if "failure" in exchange:
        yield "failure", exchange["failure"]["kind"]
    response = exchange.get("response")
    if response is None:
        return
    yield "HTTP status", str(response["status"])
    for name, value in response["headers"]:
        lower = name.lower()
        if lower in _HEADERS or lower.startswith("access-control-"):
            yield lower, value
    raw = body(response) or b""
    if response["truncated"]:
        yield "body", "longer than is read"
        return
    try:
        content = parsed(raw.decode("utf-8"))
    except (ValueError, RecursionError):
        yield "body", "empty" if not raw else "not JSON"
        return
    yield "body", _kind(content)
    if isinstance(content, dict):
        for name, value in content.items():
            if name in named or name in _EXACT:
                yield name, json.dumps(value)
            elif name not in BY_ATTRIBUTE:
                yield name, _kind(value)


def _kind(value: Any) -> str:
    return json.dumps(value) if isinstance(value, bool) else type_of(value)

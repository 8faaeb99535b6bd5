"""A short script, and what a resource answers to it as files of every kind that can be a reference."""

import json
from dataclasses import replace
from functools import cache
from typing import Any

import yaml
from fakes import Answering, Resource

from conformance.fidelity.recording import FORMAT, Recording, _digest
from conformance.fidelity.script import Script
from conformance.http import Exchange
from conformance.reporting import record
from fidelity.played import recorded, script


@cache
def short() -> Script:
    """Steps of every part of the script."""
    return replace(script(), steps=(*script().steps[:14], *script().steps[-30:]))


def recording(answering: Answering | None = None, steps: Script | None = None) -> tuple[Recording, bytes]:
    """A recording of a resource, and its file."""
    return recorded(answering or Resource(), steps or short())


def signed(lines: list[Any]) -> bytes:
    """The file of a recording whose lines were changed, with a digest that fits again."""
    text = "".join(f"{json.dumps(line)}\n" for line in lines[1:])
    head = lines[0]
    if isinstance(head, dict) and head.get("format") == FORMAT:
        head = {**head, "steps": len(lines) - 1, "sha256": _digest(head, text)}
    return f"{json.dumps(head)}\n{text}".encode()


def har(of: Recording) -> dict[str, Any]:
    """A recording as an HTTP archive, as browsers and proxies write it."""
    return {
        "log": {
            "version": "1.2",
            "creator": {"name": "t", "version": "1"},
            "entries": [*map(_entry, _sent(of))],
        }
    }


def _sent(of: Recording) -> list[Exchange]:
    return [each.exchange for each in of.taken if each.step.request.auth.valid and each.exchange.response]


def _entry(exchange: Exchange) -> dict[str, Any]:
    document = record(exchange)
    request, response = document["request"], document["response"]
    raw = exchange.request.body
    posted = (
        {"postData": {"mimeType": request["content_type"] or "", "text": raw.decode("latin-1")}}
        if raw
        else {}
    )
    return {
        "startedDateTime": "2026-01-02T03:04:05.678Z",
        "time": 1,
        "request": {
            "method": request["method"],
            "url": request["url"],
            "httpVersion": "HTTP/1.1",
            "headers": [{"name": "Authorization", "value": "Basic b2Y6bm9ib2R5"}],
            **posted,
        },
        "response": {
            "status": response["status"],
            "headers": [{"name": name, "value": value} for name, value in response["headers"]],
            "content": {"size": 1, "mimeType": "application/json", "text": response.get("body", "")},
        },
    }


def cassette(of: Recording, member: str = "interactions") -> str:
    """A recording as a cassette: of VCR.py, or with `http_interactions` of schemathesis."""
    return yaml.safe_dump({member: [_interaction(each, member) for each in _sent(of)], "version": 1})


def _interaction(exchange: Exchange, member: str) -> dict[str, Any]:
    document = record(exchange)
    request, response = document["request"], document["response"]
    wrapped = member == "http_interactions"
    raw, text = exchange.request.body, response.get("body", "")
    sent: Any = raw.decode("latin-1") if raw is not None else None
    content_type = {"Content-Type": [request["content_type"]]} if request["content_type"] else {}
    return {
        "request": {
            "method": request["method"],
            "uri": request["url"],
            "headers": {**content_type, "authorization": ["REDACTED"]},
            "body": {"encoding": "utf-8", "string": sent} if wrapped else sent,
        },
        "response": {
            "status": {"code": response["status"], "message": "m"},
            "headers": {name: [value] for name, value in response["headers"]},
            "body": {"encoding": "utf-8", "string": text} if wrapped else {"string": text},
        },
    }

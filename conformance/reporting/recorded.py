"""Requests and exchanges as members of JSON and TOML tables: all that is needed to send the same bytes elsewhere."""

from typing import Any

from conformance.http import BASIC, Auth, ByHand, Exchange, Failure, FailureKind, Request, Response
from conformance.reporting.text import Document, body


def request_of(recorded: Document) -> Request:
    """
    Return the request that was recorded, for any target and any credentials.

    That of a known deviation has only the members that an ordinary update does not have.
    """
    return Request(
        method=recorded.get("method", "POST"),
        body=body(recorded),
        content_type=recorded.get("content_type"),
        headers=tuple((name, value) for name, value in recorded.get("own_headers", ())),
        query=recorded.get("query", ""),
        auth=Auth(**{"scheme": None, **recorded["auth"]}) if "auth" in recorded else BASIC,
        account=recorded.get("account", 0),
        chunked=recorded.get("chunked", False),
        fresh=recorded.get("fresh", False),
        by_hand=ByHand(recorded["by_hand"]) if "by_hand" in recorded else None,
        after=recorded.get("after_s", 0.0),
    )


def exchange_of(number: int, request: Request, recorded: Document) -> Exchange:
    """Return an exchange as a recording or a result document has it."""
    came, failed = recorded.get("response"), recorded.get("failure")
    response = came and Response(
        status=came["status"],
        headers=tuple((name, value) for name, value in came["headers"]),
        body=body(came) or b"",
        http_version=came["http_version"],
        truncated=came["truncated"],
        undecoded=came.get("undecoded", False),
    )
    failure = failed and Failure(FailureKind(failed["kind"]), failed["kind"], failed.get("partial", False))
    return Exchange(
        number=number, request=request, response=response or None, failure=failure or None,
        url=recorded["request"]["url"],
        sent_headers=tuple((name, value) for name, value in recorded["request"]["headers"]),
    )  # fmt: skip


def pinned(recorded: Document) -> dict[str, Any]:
    """Return a recorded request without the members that are as in an ordinary update, or null: TOML has no null."""
    usual = {"own_headers": [], "query": "", "account": 0, "chunked": False, "fresh": False}
    request: dict[str, Any] = {"method": recorded["method"]}
    for name in ("body", "body_base64", "content_type", "by_hand", "after_s", *usual):
        value = recorded.get(name)
        if value is not None and value != usual.get(name):
            request[name] = value
    auth = {name: value for name, value in recorded["auth"].items() if value is not None}
    if Auth(**{"scheme": None, **auth}) != BASIC:
        request["auth"] = auth
    return request

"""Rules about the answer to an accepted update: media type, JSON, attributes, headers."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from jsonschema import Draft202012Validator

from conformance.contract import load
from conformance.exceptions import NotJSON
from conformance.http import PATH
from conformance.model import CHAT, FIELDS, TIMERS, Aspect, Evidence, Level, Rule, Violation
from conformance.oracle.decisions import Answer, decide_sid
from conformance.rules.evidence import ACCEPTED, REFUSED, read_shows, update_shows
from conformance.rules.probes import DOCUMENT
from conformance.rules.reply import Reply

_ATTRIBUTES = frozenset({*(each.attribute for each in FIELDS), "account_sid", "url", "links"})
_NO_ATTRIBUTE = "no attribute of the resource was ever shown"

_TIMERS = tuple(each.attribute for each in TIMERS)


def _has(document: Mapping[str, object], *names: str) -> bool:
    return any(document.get(each) is not None for each in names)


_ALLOW_CREDENTIALS = "Access-Control-Allow-Credentials"
_WITH_CREDENTIALS_HEADER = Evidence(
    f"no {_ALLOW_CREDENTIALS} header was ever sent, the one that has a type",
    lambda reply: (
        reply.represents
        and reply.response is not None
        and reply.response.header(_ALLOW_CREDENTIALS.lower()) is not None
    ),
)

RULES = (
    Rule(
        id="accepted-status",
        group="response",
        level=Level.MUST,
        aspect=Aspect.STATUS,
        evidence=ACCEPTED,
        statement="An accepted update is answered with exactly 200.",
        source=f"{DOCUMENT}: 200 is the only status documented for success",
    ),
    Rule(
        id="refusal-status",
        group="response",
        level=Level.SHOULD,
        aspect=Aspect.STATUS,
        evidence=REFUSED,
        statement="A refused update is answered with a 4xx, not with a redirect.",
        source="RFC 9110 15.4 and 15.5: the fault is in the request, and no other resource has the answer",
    ),
    Rule(
        id="media-type",
        group="response",
        level=Level.MUST,
        aspect=Aspect.REPRESENTATION,
        evidence=Evidence(
            ACCEPTED.missing, lambda reply: reply.represents and reply.request.method == "POST"
        ),
        statement="The 200 answer to an update has the media type application/json.",
        source=DOCUMENT,
    ),
    Rule(
        id="json-body",
        group="response",
        level=Level.MUST,
        aspect=Aspect.REPRESENTATION,
        evidence=update_shows("no answer to an accepted update was a JSON object"),
        statement="The body of the 200 answer to an update is one JSON object in UTF-8.",
        source=f"{DOCUMENT}; RFC 8259 8.1",
    ),
    Rule(
        id="response-schema",
        group="response",
        level=Level.MUST,
        aspect=Aspect.REPRESENTATION,
        evidence=update_shows(
            _NO_ATTRIBUTE, lambda document: any(document.get(each) is not None for each in _ATTRIBUTES)
        ),
        statement="Every attribute is a string or null, and SIDs match their documented patterns.",
        source=DOCUMENT,
    ),
    Rule(
        id="timer-representation",
        group="response",
        level=Level.MUST,
        aspect=Aspect.REPRESENTATION,
        evidence=update_shows(
            "no timer was ever shown",
            lambda document: any(isinstance(document.get(each.attribute), str) for each in TIMERS),
        ),
        statement="A timer that comes back is a duration, and not below its minimum unless that was sent in this run.",
        source=f"{DOCUMENT}: ISO8601 duration, minimum 1 minute (inactive) and 10 minutes (closed)",
    ),
    Rule(
        id="account-sid",
        group="response",
        level=Level.MUST,
        aspect=Aspect.REPRESENTATION,
        evidence=update_shows(
            "account_sid was never shown", lambda document: document.get("account_sid") is not None
        ),
        statement="account_sid, when present, is the account whose credentials were sent.",
        source=DOCUMENT,
    ),
    Rule(
        id="account-sid-present",
        group="response",
        level=Level.SHOULD,
        aspect=Aspect.REPRESENTATION,
        evidence=update_shows(_NO_ATTRIBUTE, lambda document: not _ATTRIBUTES.isdisjoint(document)),
        statement="account_sid is present.",
        source=f"{DOCUMENT}: the example shows it, no attribute is marked as required",
    ),
    Rule(
        id="resource-url",
        group="response",
        level=Level.MUST,
        aspect=Aspect.REPRESENTATION,
        evidence=update_shows("url was never shown", lambda document: _has(document, "url")),
        statement="url, when present and not null, is absolute and its path ends in /v1/Configuration.",
        source=DOCUMENT,
    ),
    Rule(
        id="resource-links",
        group="response",
        level=Level.SHOULD,
        aspect=Aspect.REPRESENTATION,
        evidence=update_shows("links were never shown", lambda document: _has(document, "links")),
        statement="links, when present, maps service and webhooks to their absolute URLs.",
        source=f"{DOCUMENT}: the example response",
    ),
    Rule(
        id="documented-headers",
        group="response",
        level=Level.MUST,
        aspect=Aspect.REPRESENTATION,
        evidence=Evidence(
            "no Access-Control-Allow-Credentials header was ever sent",
            lambda reply: (
                reply.represents
                and reply.response is not None
                and reply.response.header(_ALLOW_CREDENTIALS.lower()) is not None
            ),
        ),
        statement="The documented Access-Control headers, when present, have their documented types.",
        source="The vendor's OpenAPI: Access-Control-Allow-Credentials is a boolean, the others are strings",
    ),
    Rule(
        id="read-response",
        group="response",
        level=Level.SHOULD,
        aspect=Aspect.CONSISTENCY,
        evidence=read_shows("no GET was answered with a JSON object"),
        statement="The 200 answer to GET has the form that the answer to an update has.",
        source="The vendor's OpenAPI, FetchConfiguration; the resource's document describes POST alone",
    ),
)

_VALIDATOR = Draft202012Validator(load("response.schema.json"))


def check_response(reply: Reply) -> Iterator[Violation]:
    """Judge the form of a representation."""
    if reply.represents:
        for violation in _judge(reply):
            yield replace(violation, cls=reply.kind)


def _judge(reply: Reply) -> Iterator[Violation]:
    response = reply.response
    assert response is not None
    content_types = [value for name, value in response.headers if name.lower() == "content-type"] or [""]
    # Of several no recipient can tell which is meant; they must not be sent (RFC 9110 5.3).
    for content_type in content_types:
        if content_type.partition(";")[0].strip(" \t").lower() != "application/json":
            observed = content_type or "no Content-Type"
            yield _violation("media-type", "Content-Type", "other", "application/json", observed)
            break
    credentials = response.header(_ALLOW_CREDENTIALS.lower())
    if credentials is not None and credentials.strip().lower() not in ("true", "false"):
        yield _violation(
            "documented-headers", _ALLOW_CREDENTIALS, "not-boolean", "true or false", repr(credentials)
        )
    if response.truncated:
        return  # the suite itself has cut it: nothing is known of the rest
    try:
        document = reply.document
    except NotJSON as error:
        yield _violation("json-body", None, "not-json", "one JSON object", str(error))
        return
    if not isinstance(document, dict):
        yield _violation("json-body", None, "not-object", "one JSON object", f"a JSON {_kind(document)}")
        return
    yield from _attributes(reply, document)


def _attributes(reply: Reply, document: Mapping[str, Any]) -> Iterator[Violation]:
    settings = {each.attribute for each in FIELDS}
    wrong = set()
    for error in _VALIDATOR.iter_errors(document):
        name = str(error.absolute_path[0]) if error.absolute_path else None
        # The settings' values are compared with what was sent, by the expected state; links are a SHOULD of their own.
        if name == "links" or name in wrong or (name in settings and error.validator != "type"):
            continue
        wrong.add(name)
        yield _violation(
            "response-schema",
            name,
            "type" if error.validator == "type" else "pattern",
            f"{name}: {_wanted(name)}",
            f"{name}: {_shorten(document.get(name or ''))}",
        )
    account = document.get("account_sid")
    if account is None:
        yield _violation("account-sid-present", "account_sid", "absent", "account_sid", "null or absent")
    elif (
        reply.account_sid is not None
        and "account_sid" not in wrong
        and str(account).lower() != reply.account_sid.lower()
    ):
        yield _violation(
            "account-sid",
            "account_sid",
            "other-account",
            reply.account_sid,
            f"account_sid: {_shorten(account)}",
        )
    url = document.get("url")
    if isinstance(url, str) and not _is_url(url, PATH):
        yield _violation(
            "resource-url", "url", "other", f"an absolute URL ending in {PATH}", f"url: {_shorten(url)}"
        )
    links = document.get("links")
    chat = document.get(CHAT.attribute)
    well_formed = isinstance(chat, str) and decide_sid(chat, CHAT.prefix).answer is Answer.ACCEPT
    if links is not None and (not _are_links(links) or (well_formed and _names_another(links, chat))):
        expected = f"service: …/v1/Services/IS…/Configuration, webhooks: …{PATH}/Webhooks"
        yield _violation("resource-links", "links", "other", expected, f"links: {_shorten(links)}")


def _wanted(name: str | None) -> str:
    if name is None:
        return "an object"
    return str(load("response.schema.json")["properties"].get(name, {}).get("title", "a string or null"))


def _is_url(text: str, ending: str) -> bool:
    if re.search(r"[\x00-\x20\x7f]", text):  # which urlsplit takes out
        return False
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc) and parts.path.endswith(ending)


def _are_links(links: object) -> bool:
    if not isinstance(links, dict) or not all(
        value is None or (isinstance(value, str) and _is_url(value, "")) for value in links.values()
    ):
        return False
    webhooks, service = links.get("webhooks"), links.get("service")
    return (webhooks is None or _is_url(webhooks, f"{PATH}/Webhooks")) and (
        service is None or ("/v1/Services/" in service and _is_url(service, "/Configuration"))
    )


def _names_another(links: object, chat: object) -> bool:
    """Whether the link to the service's own configuration names another service than the settings do."""
    service = links.get("service") if isinstance(links, dict) else None
    named = re.search("/Services/(IS[0-9a-fA-F]{32})/", service) if isinstance(service, str) else None
    return named is not None and isinstance(chat, str) and named[1].lower() != chat.lower()


def _violation(rule: str, name: str | None, outcome: str, expected: str, observed: str) -> Violation:
    statement = next(each.statement for each in RULES if each.id == rule)
    return Violation(
        rule=rule, outcome=outcome, field=name, summary=statement, expected=expected, observed=observed
    )


def _shorten(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:100]}… ({len(text):,} characters)"


def _kind(value: object) -> str:
    names = {list: "array", str: "string", bool: "boolean", type(None): "null"}
    return names.get(type(value), "number")

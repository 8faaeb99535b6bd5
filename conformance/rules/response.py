"""Rules about the answer to an accepted update: media type, JSON, attributes, headers."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from jsonschema import Draft202012Validator, ValidationError

from conformance.contract import load
from conformance.exceptions import NotJSON
from conformance.http import PATH, json_of
from conformance.model import CHAT, FIELDS, TIMERS, Aspect, Evidence, shortened
from conformance.oracle.decisions import Answer, decide_sid
from conformance.rules.checks import Broken, Checks
from conformance.rules.evidence import ACCEPTED, SHOWS_OBJECT, object_in, read_shows, update_shows
from conformance.rules.probes import DOCUMENT, answers
from conformance.rules.reply import Reply

_SETTINGS = frozenset(each.attribute for each in FIELDS)
_ATTRIBUTES = _SETTINGS | {"account_sid", "url", "links"}
_NO_ATTRIBUTE = "no attribute of the resource was ever shown"
_ALLOW_CREDENTIALS = "Access-Control-Allow-Credentials"

check_response = Checks(lambda reply: reply.represents, group="response", aspect=Aspect.REPRESENTATION)
"""Judges the form of a representation. `judge` turns what a GET shows into violations of `read-response`."""


def _object(reply: Reply) -> Mapping[str, Any]:
    """Return the JSON object in an answer; empty where it is none, or where the suite has cut its body."""
    return {} if _is_cut(reply) else object_in(reply) or {}


def _is_cut(reply: Reply) -> bool:
    return reply.response is not None and reply.response.truncated


def _quoted(name: str, value: object) -> str:
    return f"{name}: {shortened(repr(value), 120)}"


@check_response.must(
    "media-type",
    "The answer to an accepted update has the media type application/json.",
    DOCUMENT,
    *answers("update"),
    evidence=Evidence(ACCEPTED.missing, lambda reply: reply.represents and reply.request.method == "POST"),
)
def _media_type(reply: Reply) -> Iterator[Broken]:
    headers = reply.response.headers if reply.response is not None else ()
    # Every one of several must be right: they must not be sent, and a recipient may take any (RFC 9110 5.3).
    for each in [value for name, value in headers if name.lower() == "content-type"] or [""]:
        if each.partition(";")[0].strip(" \t").lower() != "application/json":
            yield Broken("other", "Content-Type", "application/json", each or "no Content-Type")
            return


@check_response.must(
    "json-body",
    "The body of the answer to an accepted update is one JSON object in UTF-8.",
    f"{DOCUMENT}; RFC 8259 8.1",
    *answers("update"),
    evidence=SHOWS_OBJECT,
)
def _json_body(reply: Reply) -> Iterator[Broken]:
    if _is_cut(reply):
        # Of the rest nothing is known; but an object begins with a brace.
        begins = reply.response.body.lstrip(b" \t\r\n")[:1] if reply.response is not None else b""
        if begins != b"{":
            yield Broken("not-object", None, "one JSON object", "a long body that begins as none")
        return
    try:
        document = reply.document
    except NotJSON as error:
        yield Broken("not-json", None, "one JSON object", str(error))
        return
    if not isinstance(document, dict):
        names = {list: "array", str: "string", bool: "boolean", type(None): "null"}
        yield Broken("not-object", None, "one JSON object", f"a JSON {names.get(type(document), 'number')}")


@check_response.should(
    "unique-names",
    "The members of the JSON object in the answer to an accepted update have different names.",
    "RFC 8259 4: otherwise nobody knows which of the values counts",
    *answers("update"),
    evidence=SHOWS_OBJECT,
)
def _unique_names(reply: Reply) -> Iterator[Broken]:
    if reply.response is not None and _object(reply):
        pairs: list[tuple[str, Any]] = json_of(reply.response, object_pairs_hook=list)
        for name, times in Counter(name for name, _ in pairs).items():
            if times > 1:
                yield Broken("repeated", name, f"{name} once", f"{name} {times} times")


@check_response.must(
    "response-schema",
    "Every attribute is a string or null, and SIDs match their documented patterns.",
    DOCUMENT,
    *answers("update"),
    evidence=update_shows(
        _NO_ATTRIBUTE, lambda document: any(document.get(each) is not None for each in _ATTRIBUTES)
    ),
)
def _schema(reply: Reply) -> Iterator[Broken]:
    document = _object(reply)
    properties = load("response.schema.json")["properties"]
    for name, error in _schema_errors(document).items():
        wanted = properties.get(name, {}).get("title", "a string or null")
        outcome = "type" if error.validator == "type" else "pattern"
        yield Broken(outcome, name, f"{name}: {wanted}", _quoted(name, document.get(name)))


_VALIDATOR = Draft202012Validator(load("response.schema.json"))
_ACCOUNT_SID = Draft202012Validator(load("response.schema.json")["properties"]["account_sid"])


def _schema_errors(document: Mapping[str, Any]) -> dict[str, ValidationError]:
    """Return the first error of each attribute that is wrong."""
    errors: dict[str, ValidationError] = {}
    for error in _VALIDATOR.iter_errors(document):
        name = str(error.absolute_path[0])
        # The expected state compares the values of settings with those sent; resource-links judges the links.
        if name != "links" and (name not in _SETTINGS or error.validator == "type"):
            errors.setdefault(name, error)
    return errors


def _shows_account(reply: Reply) -> bool:
    """Whether the answer to an update shows a well-formed account_sid, and the run knows which one it must be."""
    document = object_in(reply) if reply.represents and reply.request.method == "POST" else None
    return (
        document is not None
        and document.get("account_sid") is not None
        and reply.account_sid is not None
        and _ACCOUNT_SID.is_valid(document["account_sid"])
    )


# The expected state judges by this rule, since it knows which values were sent: see `rules/state.py`.
check_response.must(
    "timer-representation",
    "A timer that comes back is a duration, not below its minimum unless this run has sent that value.",
    f"{DOCUMENT}: ISO8601 duration, minimum 1 minute (inactive) and 10 minutes (closed)",
    *answers("update"),
    evidence=update_shows(
        "no timer was ever shown",
        lambda document: any(isinstance(document.get(each.attribute), str) for each in TIMERS),
    ),
)


@check_response.must(
    "account-sid",
    "account_sid, when present, is the SID of the account whose credentials were sent.",
    DOCUMENT,
    *answers("update"),
    evidence=Evidence(
        "account_sid was never shown, or the account of the credentials is not known", _shows_account
    ),
)
def _account(reply: Reply) -> Iterator[Broken]:
    shown, own = _object(reply).get("account_sid"), reply.account_sid
    if own is not None and _shows_account(reply) and str(shown).lower() != own.lower():
        yield Broken("other-account", "account_sid", own, _quoted("account_sid", shown))


@check_response.should(
    "account-sid-present",
    "account_sid is present.",
    f"{DOCUMENT}: the example shows it, no attribute is marked as required",
    *answers("update"),
    evidence=update_shows(_NO_ATTRIBUTE, lambda document: not _ATTRIBUTES.isdisjoint(document)),
)
def _account_present(reply: Reply) -> Iterator[Broken]:
    document = None if _is_cut(reply) else object_in(reply)
    if document is not None and document.get("account_sid") is None:
        yield Broken("absent", "account_sid", "account_sid", "null or absent")


@check_response.must(
    "resource-url",
    "url, when present and not null, is absolute and its path ends in /v1/Configuration.",
    DOCUMENT,
    *answers("update"),
    evidence=update_shows("url was never shown", lambda document: isinstance(document.get("url"), str)),
)
def _url(reply: Reply) -> Iterator[Broken]:
    url = _object(reply).get("url")
    if isinstance(url, str) and not _is_url(url, PATH):
        yield Broken("other", "url", f"an absolute URL ending in {PATH}", _quoted("url", url))


@check_response.should(
    "resource-links",
    "links, when present, maps service and webhooks to their absolute URLs.",
    f"{DOCUMENT}: the example response",
    *answers("update"),
    evidence=update_shows("links were never shown", lambda document: bool(document.get("links"))),
)
def _links(reply: Reply) -> Iterator[Broken]:
    document = _object(reply)
    links, chat = document.get("links"), document.get(CHAT.attribute)
    well_formed = isinstance(chat, str) and decide_sid(chat, CHAT.prefix).answer is Answer.ACCEPT
    if isinstance(links, dict) and chat is not None and not well_formed:
        # The setting is wrong, so the link that is made of it is no mistake of its own.
        links = {name: value for name, value in links.items() if name != "service"}
    if links is not None and (
        not _are_links(links)
        or (well_formed and _names_another(links, chat))
        or (CHAT.attribute in document and chat is None and _names_another(links, ""))
    ):
        expected = f"service: …/v1/Services/IS…/Configuration, webhooks: …{PATH}/Webhooks"
        yield Broken("other", "links", expected, _quoted("links", links))


@check_response.must(
    "documented-headers",
    "The documented Access-Control headers, when present, have their documented types.",
    "The vendor's OpenAPI: Access-Control-Allow-Credentials is a boolean, the others are strings",
    *answers("update"),
    evidence=Evidence(
        f"no {_ALLOW_CREDENTIALS} header was sent with the answer to an update",
        lambda reply: (
            reply.represents
            and reply.request.method == "POST"
            and reply.header(_ALLOW_CREDENTIALS) is not None
        ),
    ),
)
def _headers(reply: Reply) -> Iterator[Broken]:
    value = reply.header(_ALLOW_CREDENTIALS)
    if value is not None and value.strip().lower() not in ("true", "false"):
        refusal = "" if reply.represents else "a refusal's Access-Control header has not its documented type"
        yield Broken("not-boolean", _ALLOW_CREDENTIALS, "true or false", repr(value), refusal)


check_refused_headers = Checks(lambda reply: not reply.represents and reply.request.method == "POST")
"""Judges the documented headers of an update's answer that is no representation."""
check_refused_headers.add(check_response.rules[-1])(_headers)


# `judge` names this rule for what the checks above find in the answer to a GET.
check_response.should(
    "read-response",
    "The 200 answer to GET has the form that the answer to an update has.",
    "The vendor's OpenAPI, FetchConfiguration; the resource's document describes POST alone",
    *answers("read"),
    aspect=Aspect.CONSISTENCY,
    evidence=read_shows("no GET was answered with a JSON object"),
)

RULES = tuple(check_response.rules)


def _is_url(text: str, ending: str) -> bool:
    if re.search(r"[\x00-\x20\x7f]", text):  # urlsplit would take these characters out
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
    webhooks, service = links.get("webhooks", f"https://host{PATH}/Webhooks"), links.get("service")
    # There are webhooks of every account, and a service only where one is set.
    return (isinstance(webhooks, str) and _is_url(webhooks, f"{PATH}/Webhooks")) and (
        service is None or ("/v1/Services/" in service and _is_url(service, "/Configuration"))
    )


def _names_another(links: object, chat: object) -> bool:
    """Whether the link to the service's own configuration names another service than the settings do."""
    service = links.get("service") if isinstance(links, dict) else None
    named = re.search("/Services/([^/]+)/", service) if isinstance(service, str) else None
    return named is not None and isinstance(chat, str) and named[1].lower() != chat.lower()

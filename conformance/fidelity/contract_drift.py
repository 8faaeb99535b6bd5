"""
Holds the contract that the rules rest on against an OpenAPI document of the vendor's.

Both documents become facts: a place, such as `parameter DefaultClosedTimer: pattern`, and what is said there. Wording
is no fact, but for a minimum that a description states.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from conformance.exceptions import ConfigurationError
from conformance.http import PATH
from conformance.model import BY_ATTRIBUTE, BY_PARAMETER, Aspect, Rule
from conformance.reporting.text import plural

Facts = dict[tuple[str, str, str], str]
"""By kind of the place (a key of `_ASPECTS`, or `parameter`), its name and what is said of it."""

_THERE = "there"
"""What is said of a place that a document has."""

_SAID = ("type", "pattern", "minLength", "maxLength", "enum", "minimum", "maximum")
_STATED = re.compile(r"\b(\d+) (second|minute|hour|day)s?\b")

_ASPECTS: Mapping[str, Aspect] = {
    "method": Aspect.METHOD,
    "media type": Aspect.METHOD,
    "body": Aspect.ACCEPTANCE,
    "security": Aspect.CREDENTIALS,
    "status": Aspect.STATUS,
    "attribute": Aspect.REPRESENTATION,
    "header": Aspect.REPRESENTATION,
}
"""What the rules claim that rest on a place of this kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One fact that the two documents do not share."""

    place: str
    ours: str | None
    """None where only the vendor's document has it."""
    theirs: str | None
    """None where the vendor's document does not have it."""
    rules: tuple[str, ...]
    """The ids of the rules that rest on our fact."""

    @property
    def sentence(self) -> str:
        """The change in words."""
        if self.ours is None:
            return f"{self.place} is new" + ("" if self.theirs == _THERE else f": {self.theirs}")
        if self.theirs is None:
            return f"{self.place} is gone" + ("" if self.ours == _THERE else f"; it was {self.ours}")
        return f"{self.place} is {self.theirs}; it was {self.ours}"


def drift(ours: Any, theirs: Any, catalogue: tuple[Rule, ...]) -> list[Change]:
    """
    Return what changed between the OpenAPI document that the suite ships and one of the vendor's, in their order.

    Of a parameter, an attribute and the like that only one of them has, nothing else is said.

    Raises:
        ConfigurationError: A document does not describe the resource.
    """
    before, after = facts(ours), facts(theirs)
    places = {key[:2] for key in before}
    return [
        Change(
            place=": ".join(filter(None, (f"{key[0]} {key[1]}".strip(), key[2]))),
            ours=before.get(key),
            theirs=after.get(key),
            # No rule rests on a parameter, an attribute and the like that our document does not have.
            rules=tuple(rule.id for rule in catalogue if key[:2] in places and _rests(rule, key)),
        )
        for key in dict.fromkeys([*before, *after])
        if before.get(key) != after.get(key)
        and not (key[2] and ((place := (*key[:2], "")) in before) != (place in after))
    ]


def _rests(rule: Rule, key: tuple[str, str, str]) -> bool:
    kind, name, _ = key
    if kind == "parameter":
        return rule.field is not None and rule.field is BY_PARAMETER.get(name)
    if kind == "attribute" and name in BY_ATTRIBUTE:
        return rule.field is BY_ATTRIBUTE[name] and rule.aspect is Aspect.ECHO
    return rule.aspect is _ASPECTS[kind]


def facts(document: Any) -> Facts:
    """
    Return what an OpenAPI document says about the resource, as far as a rule could rest on it.

    Raises:
        ConfigurationError: It is no OpenAPI document, or does not describe an update of the resource.
    """
    try:
        return dict(_facts(document))
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ConfigurationError(
            f"no OpenAPI document with POST {PATH}: {error!r} is missing or wrong"
        ) from None


def _facts(document: Any) -> Iterator[tuple[tuple[str, str, str], str]]:
    def resolved(node: Any) -> Any:
        seen = 0
        while "$ref" in node:
            found = document
            for part in node["$ref"].removeprefix("#/").split("/"):
                found = found[part.replace("~1", "/").replace("~0", "~")]
            node, seen = found, seen + 1
            if seen > 20:
                raise KeyError(node["$ref"])
        return node

    path = document["paths"][PATH]
    post = path["post"]
    for method in ("get", "post", "put", "patch", "delete"):
        if method in path:
            yield ("method", method.upper(), ""), _THERE
    schemes = document.get("components", {}).get("securitySchemes", {})
    for choice in post.get("security", document.get("security", [])):
        for name in choice:
            scheme = resolved(schemes[name])
            yield ("security", " ".join(filter(None, (scheme["type"], scheme.get("scheme")))), ""), "accepted"
    body = resolved(post["requestBody"])
    yield ("body", "", "required"), str(bool(body.get("required"))).lower()
    for media_type, content in body["content"].items():
        yield ("media type", media_type, "of a request"), "accepted"
        yield from _members("parameter", resolved(content["schema"]), resolved)
    for status, answer in post["responses"].items():
        if not str(status).startswith("2"):  # the rules allow any other, with or without an entry
            continue
        yield ("status", str(status), ""), _THERE
        response = resolved(answer)
        for name, header in response.get("headers", {}).items():
            yield ("header", name, "type"), str(resolved(resolved(header)["schema"]).get("type"))
        for media_type, content in response.get("content", {}).items():
            yield ("media type", media_type, "of an answer"), "sent"
            yield from _members("attribute", resolved(content["schema"]), resolved)


def _members(kind: str, schema: Any, resolved: Any) -> Iterator[tuple[tuple[str, str, str], str]]:
    required = schema.get("required", ())
    for name, given in schema["properties"].items():
        member = resolved(given)
        yield (kind, name, ""), _THERE
        if name in required:
            yield (kind, name, "required"), "true"
        types = member.get("type", [])
        types = [types] if isinstance(types, str) else types
        if member.get("nullable") or "null" in types:
            yield (kind, name, "null"), "allowed"
        said = {**member, "type": " or ".join(each for each in types if each != "null")}
        for word in _SAID:
            if word in said:
                yield (kind, name, word), str(said[word])
        if kind == "parameter" and (stated := _STATED.search(member.get("description", ""))):
            yield (kind, name, "stated minimum"), plural(int(stated[1]), stated[2])

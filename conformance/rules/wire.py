"""Input classes of whole request bodies: forms in unusual spellings, and bodies that are almost forms."""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache, partial

from hypothesis.strategies import SearchStrategy

from conformance.http import Pairs, Request, decode_form
from conformance.model import FIELDS, INACTIVE, InputClass, Probe, Situation
from conformance.rules.probes import LONG_CLOSED, by_turns, joined, single
from conformance_strategies import WIRE_CLASSES, WireForm, wire_forms


def wire_probe(wire: WireForm) -> Probe:
    """Return a probe that sends a body byte for byte."""
    request = Request(body=wire.body, content_type=wire.content_type)
    return single(replace(request, intends=tuple(_intended(request))), context=(LONG_CLOSED,))


_LOOSE_NAMES = {re.sub("[^a-z]", "", each.parameter.lower()): each.parameter for each in FIELDS}
"""The parameters by their names in lower case and without punctuation, as a lenient target may compare them."""


def _intended(request: Request) -> Iterator[tuple[str, str]]:
    """Return the parameters that a lenient target might read from a body that is no form, or has other names."""
    form, body = request.form(), request.body or b""
    pairs: list[tuple[str, object]] = list(form if form is not None else decode_form(body[:10_000]))
    if form is None:
        with suppress(ValueError, AttributeError):
            pairs += json.loads(body).items()
        pairs += re.findall(r'name="([^"]*)"\r\n\r\n(.*?)\r\n', body.decode("utf-8", "replace"))
    for name, value in pairs:
        known = _LOOSE_NAMES.get(re.sub("[^a-z]", "", name.lower()))
        if known is not None and not (form is not None and name == known):
            yield known, str(value)


_TOGETHER = {
    "percent-encoded": ("percent-encoded", "partly-percent-encoded"),
    "empty-pairs": ("empty-pairs", "empty-body"),
    "missing-parts": ("no-equals-sign", "no-name"),
    "repeated-with-another": ("repeated-valid-and-invalid", "repeated-valid-and-empty"),
    "body-edges": ("line-breaks", "byte-order-mark"),
    "escapes": ("broken-escape", "double-encoded"),
    "separators": ("semicolon-separator", "escaped-ampersand"),
    "unknown": ("unknown-beside-known", "unknown-alone", "reserved-name"),
    "raw-bytes": ("raw-invalid-utf-8", "raw-utf-8"),
    "many-parameters": ("many-parameters", "large-name"),
    "name-spelling": ("name-in-other-case", "name-with-brackets", "name-with-blank"),
}
"""By input class, the strategies' classes that it joins: a parser gets all of them wrong, or none."""


def wire_class(name: str) -> InputClass:
    """Return the input class of that name, made from one or several of the strategies' classes; see `_TOGETHER`."""
    parts = _TOGETHER.get(name, (name,))
    sources = [WIRE_CLASSES[part] for part in parts]

    @cache
    def probes() -> Sequence[Probe]:
        rows = (source.examples(partial(_own, source.name)) for source in sources)
        return tuple(map(wire_probe, by_turns(rows)))

    def drawn(situation: Situation) -> SearchStrategy[Probe]:
        return wire_forms(classes=parts).map(wire_probe)

    return InputClass(
        f"wire/{name}",
        "; ".join(source.reason for source in sources),
        lambda situation: probes(),
        strategy=drawn,
        whole=name == "foreign-escape",
    )


def _own(name: str, place: int) -> Pairs:
    """
    Return a good pair that no other wire form has.

    A target may ignore what is sent in such a way. To tell, the value in force before must be another.
    """
    return ((INACTIVE.parameter, f"PT{100 + list(WIRE_CLASSES).index(name)}M{place}S"),)


def wire_classes(*groups: str) -> tuple[InputClass, ...]:
    """Return the input classes whose strategies are of these groups, such as `encoding` or `size`."""
    names = [name for name, each in WIRE_CLASSES.items() if each.group in groups]
    return tuple(map(wire_class, joined(names, _TOGETHER)))

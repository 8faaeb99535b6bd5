"""Strategies for request bodies: forms in unusual encodings, in broken ones, and under other media types."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from hypothesis import strategies as st

from conformance_strategies._build import Digits, Recipe, check_names, strategy
from conformance_strategies._wire_variants import (
    BOUNDARY,
    FOREIGN_ESCAPES,
    FORM_MEDIA_TYPE,
    PAIRS_SIZE,
    Variant,
    WireForm,
    beside_known,
    body_changed,
    companions,
    encode_form,
    escape,
    escaped,
    fixed,
    form,
    in_place,
    inserted,
    joined,
    json_text,
    large,
    many,
    mistyped,
    multipart,
    name_changed,
    no_value,
    other_value,
    quote,
    renamed,
    repeated,
    some_escaped,
    split_words,
    typed,
    valid_pairs,
    valid_value,
    value_changed,
    wrong_value,
)
from conformance_strategies.forms import Pair

__all__ = ["WIRE_CLASSES", "WireClass", "wire_forms"]

WireGroup = Literal[
    "encoding",
    "repeated",
    "unknown",
    "empty-pairs",
    "escapes",
    "invalid-utf-8",
    "nul",
    "size",
    "media-type",
    "other-media-type",
]
#: The greatest number of bytes that one wire form reads.
_SIZE = 4 + PAIRS_SIZE + 8


@dataclass(frozen=True, slots=True, kw_only=True)
class WireClass:
    """A class of request bodies that write a form in the same unusual way.

    Attributes:
        name: Kebab-case, unique in `WIRE_CLASSES`.
        group: The part of the encoding that is unusual.
        reason: A description, in one line.
        variants: Functions that make a member each, simplest first.
    """

    name: str
    group: WireGroup
    reason: str
    variants: tuple[Variant, ...]

    def examples(self, pairs: Callable[[int], Sequence[Pair]] | None = None) -> tuple[WireForm, ...]:
        """Return one member for each variant, the same every time, simplest first. Each call builds them anew.

        Args:
            pairs: Makes the valid pairs that a variant writes, from its place among the variants; one pair by default.
        """
        plain = valid_pairs(Digits())
        return tuple(
            variant(plain if pairs is None else pairs(place), Digits())
            for place, variant in enumerate(self.variants)
        )

    def strategy(self) -> st.SearchStrategy[WireForm]:
        """Generates members with valid values, which shrink to the first example."""
        return wire_forms(classes=(self.name,))

    def recipe(self) -> Recipe[WireForm]:
        """Return the recipe of `strategy`."""
        return lambda source: source.choice(self.variants)(valid_pairs(source.part(PAIRS_SIZE)), source)


def wire_forms(*, classes: Collection[str] | None = None) -> st.SearchStrategy[WireForm]:
    """Generates bodies that write a valid form in an unusual way, or that are almost a form.

    Args:
        classes: Names from `WIRE_CLASSES` to draw from; all of them by default.

    Raises:
        InvalidArgument: When a class is unknown or there is none.
    """
    names = check_names("classes", classes, WIRE_CLASSES)
    recipes = [WIRE_CLASSES[name].recipe() for name in names]
    return strategy(wire_forms, lambda source: source.choice(recipes)(source), _SIZE, classes=classes)


# ------------------------------------------------------------------------- classes


def _row(group: WireGroup, name: str, reason: str, *variants: Variant) -> WireClass:
    return WireClass(name=name, group=group, reason=reason, variants=variants)


_KIB = 1024
_CLASSES = (
    # encoding
    _row("encoding", "percent-encoded",
         "every character of names or values is escaped, which changes nothing",
         escaped(names=True, values=True, lower=True), escaped(names=False, values=True),
         escaped(names=False, values=True, lower=True), escaped(names=True, values=False),
         escaped(names=True, values=True)),
    _row("encoding", "partly-percent-encoded", "any characters are escaped, which changes nothing",
         some_escaped),
    _row("encoding", "plus-sign", "a plus sign means a blank, and an escaped one a plus sign",
         value_changed(lambda value: value[:1] + b"+" + value[1:]), *inserted(b"+")[:2],
         *inserted(b"%2B", b"%2b", b"%20")),
    _row("encoding", "byte-order-mark",
         "the body begins with the UTF-8 byte order mark, which is part of the first name",
         body_changed(lambda body: b"\xef\xbb\xbf" + body), body_changed(lambda body: b"%EF%BB%BF" + body)),
    _row("encoding", "line-breaks", "line breaks around the body are part of it, though many clients add one",
         body_changed(lambda body: body + b"\n"), body_changed(lambda body: body + b"\r\n"),
         body_changed(lambda body: b"\r\n" + body)),
    _row("encoding", "semicolon-separator", "pairs are joined by a semicolon, which has no meaning",
         lambda pairs, _: form(encode_form([pairs[0], *companions(pairs)]).replace(b"&", b";"))),
    _row("encoding", "escaped-ampersand", "an ampersand escaped as in HTML or as in a form",
         body_changed(lambda body: body + b"&amp;" + body), body_changed(lambda body: body + b"%26" + body)),
    # repeated parameters
    _row("repeated", "repeated-same-value", "a parameter twice with one value",
         repeated(valid_value, valid_value), repeated(valid_value, valid_value, beside=True),
         repeated(valid_value, valid_value,
         valid_value)),
    _row("repeated", "repeated-different-values", "a parameter twice with two valid values",
         repeated(valid_value, other_value), repeated(other_value, valid_value), repeated(valid_value,
         other_value, beside=True),
         repeated(valid_value, other_value, valid_value)),
    _row("repeated", "repeated-valid-and-invalid", "a parameter twice, once with an invalid value",
         repeated(valid_value, wrong_value), repeated(wrong_value, valid_value), repeated(valid_value,
         wrong_value, beside=True),
         repeated(wrong_value, valid_value, beside=True), repeated(valid_value, wrong_value, valid_value)),
    _row("repeated", "repeated-valid-and-empty", "a parameter twice, once without a value",
         repeated(valid_value, no_value), repeated(no_value, valid_value)),
    # unknown parameters
    _row("unknown", "unknown-alone", "no known parameter at all",
         *(fixed(text) for text in ("Unknown=1", "DefaultTimer=PT10M", "FriendlyName=x",
         "DefaultInactiveTimers=banana",
                                    "AccountSid=ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"))),
    _row("unknown", "unknown-beside-known", "an unknown parameter beside known ones",
         *beside_known("Unknown", "1"), *beside_known("Url", "http://example.com"), *beside_known("", "x")),
    _row("unknown", "name-in-other-case", "a name differs from a known one in case or joints only",
         *renamed(str.lower), *renamed(str.upper), *renamed(lambda name: name[0].lower() + name[1:]),
         *renamed(lambda name: split_words(name, "_")), *renamed(lambda name: split_words(name, "_").lower()),
         *renamed(lambda name: split_words(name, "-").lower())),
    _row("unknown", "name-with-blank", "a blank stands around or within a known name",
         *renamed(lambda name: name + " "), *renamed(lambda name: " " + name),
         *renamed(lambda name: split_words(name, " "))),
    _row("unknown", "name-with-brackets", "the notation of arrays and objects of PHP, Rails and qs",
         *renamed(lambda name: name + "[]"), *renamed(lambda name: name + "[0]"),
         *renamed(lambda name: name + "[value]"), *renamed(lambda name: name + "[$ne]"),
         *renamed(lambda name: f"[{name}]"), *renamed(lambda name: name + ".0")),
    _row("unknown", "reserved-name", "a name that means something to a programming language",
         *(variant for name in ("__proto__", "constructor", "__class__", "_method", "self", "null")
           for variant in beside_known(name, "x"))),
    # empty pairs
    _row("empty-pairs", "empty-body", "no parameters", fixed(""), fixed("&"), fixed("&&&")),
    _row("empty-pairs", "empty-pairs", "ampersands with nothing between them, which mean nothing",
         lambda pairs, _: form(encode_form([pairs[0], *companions(pairs)]).replace(b"&", b"&&")),
         body_changed(lambda body: body + b"&"), body_changed(lambda body: b"&" + body),
         body_changed(lambda body: b"&&" + body + b"&&")),
    _row("empty-pairs", "no-name", "a pair without a name",
         fixed("="), fixed("=PT10M"), body_changed(lambda body: body + b"&="),
         body_changed(lambda body: b"=x&" + body)),
    _row("empty-pairs", "no-equals-sign", "a name alone, whose value is empty",
         lambda pairs, _: form(quote(pairs[0][0])),
         lambda pairs, _: form(joined(quote(pairs[0][0]), companions(pairs))),
         body_changed(lambda body: b"Unknown&" + body)),
    _row("empty-pairs", "second-equals-sign", "an equals sign in a value belongs to it",
         value_changed(lambda value: value + b"=" + value), value_changed(lambda value: b"=" + value),
         value_changed(lambda value: value + b"="),
         value_changed(lambda value: b"x=" + value)),
    # escapes
    _row("escapes", "broken-escape", "a percent sign that begins no escape stands for itself",
         *inserted(b"%", b"%2", b"%zz", b"%%", b"%u0050", b"%0x41"), name_changed(lambda name: name + b"%"),
         name_changed(lambda name: name + b"%4")),
    _row("escapes", "double-encoded", "decoding once leaves an escape standing",
         value_changed(lambda value: escape(value[:1]).replace(b"%", b"%25") + value[1:]),
         value_changed(lambda value: escape(value).replace(b"%", b"%25")),
         name_changed(lambda name: escape(name[:1]).replace(b"%", b"%25") + name[1:])),
    _row("escapes", "foreign-escape",
         "an escape of another notation, or of an overlong length, stands for a character that is needed",
         *(variant for escape_of in FOREIGN_ESCAPES for variant in in_place(escape_of))),
    # invalid UTF-8
    _row("invalid-utf-8", "escaped-invalid-utf-8",
         "escapes that are no UTF-8: stray, overlong, surrogate, cut off, too high",
         *inserted(b"%FF", b"%80", b"%C0%AF", b"%C1%8D", b"%ED%A0%80", b"%E2%82", b"%F4%90%80%80"),
         name_changed(lambda name: name + b"%FF"),
         value_changed(lambda value: b"%C1%90" + value[1:])),
    _row("invalid-utf-8", "raw-invalid-utf-8", "unescaped bytes that are no UTF-8", *inserted(b"\xff",
         b"\x80",
         b"\xc0\xaf", b"\xed\xa0\x80"),
         name_changed(lambda name: name + b"\xff")),
    _row("invalid-utf-8", "raw-utf-8", "unescaped UTF-8 beyond ASCII, which is legible",
         *inserted("\u00e9".encode(), "\uff11".encode()),
         name_changed(lambda name: name + "\u00e9".encode())),
    # NUL
    _row("nul", "nul", "a NUL, escaped or raw, in a value or name", *inserted(b"%00"),
         body_changed(lambda body: b"Unknown%00=1&" + body), *inserted(b"\0"),
         name_changed(lambda name: name + b"%00"), name_changed(lambda name: name + b"\0"), fixed("\0"),
         fixed("%00=%00")),
    # sizes
    _row("size", "large-value", "a value of 1 KiB to 1 MiB",
         large(16 * _KIB, "A"), large(_KIB, "A"), large(64 * _KIB, "A"), large(_KIB * _KIB, "A"), large(64 * _KIB, "9"),
         large(64 * _KIB, "A", "Unknown"), large(_KIB * _KIB, "A", "Unknown")),
    _row("size", "large-name", "a name of 1 to 64 KiB",
         name_changed(lambda name: name * 64), name_changed(lambda name: name * 4096),
         name_changed(lambda name: name + b"A" * 64 * _KIB)),
    _row("size", "many-parameters", "a thousand pairs, or more",
         many(1000, lambda index, _: (f"Unknown{index}", "1")), many(1000, lambda _, pair: pair),
         many(1100, lambda index, pair: pair if index == 1099 else (f"Unknown{index}", "1")),
         body_changed(lambda body: b"&" * 10_000 + body)),
    # media types
    _row("media-type", "media-type-in-other-case", "media types are case-insensitive (RFC 9110 8.3.1)",
         typed("Application/X-WWW-Form-Urlencoded"), typed("APPLICATION/X-WWW-FORM-URLENCODED")),
    _row("media-type", "charset-parameter", "the charset UTF-8 is named, in any spelling",
         *(typed(f"{FORM_MEDIA_TYPE}{parameter}")
           for parameter in ("; charset=utf-8", ";charset=UTF-8", '; charset="utf-8"', "; Charset=UTF-8"))),
    _row("other-media-type", "other-charset", "another charset is named",
         *(mistyped(f"{FORM_MEDIA_TYPE}; charset={charset}")
           for charset in ("unknown", "iso-8859-1", "us-ascii", "utf-16", "utf-7", ""))),
    _row("other-media-type", "no-media-type", "no Content-Type", mistyped(None)),
    _row("other-media-type", "other-media-type", "a form under a media type that is not a form's",
         *(mistyped(each) for each in ("text/plain", "application/json", "application/octet-stream",
         "application/xml",
                                        "multipart/form-data"))),
    _row("other-media-type", "json-body", "JSON, under its own media type and as a form",
         mistyped("application/json", json_text), mistyped("application/json; charset=utf-8", json_text),
         mistyped("application/json", lambda pairs: json.dumps([dict(pairs)]).encode()),
         mistyped("application/json", lambda pairs: json.dumps({pairs[0][0]: [pairs[0][1]]}).encode()),
         mistyped("application/json", lambda pairs: json.dumps({pairs[0][0]: 600}).encode()),
         mistyped("application/json", lambda _: b"{"), lambda pairs, _: form(json_text(pairs))),
    _row("other-media-type", "multipart-body", "the other encoding of forms (RFC 7578), whole and broken",
         mistyped(f"multipart/form-data; boundary={BOUNDARY}", multipart),
         mistyped("multipart/form-data", multipart), mistyped("multipart/form-data; boundary=other",
         multipart),
         mistyped(f"multipart/form-data; boundary={BOUNDARY}", lambda pairs: multipart(pairs)[:-4])),
    _row("other-media-type", "malformed-media-type", "what is no media type, or more than one",
         *(mistyped(each) for each in ("garbage", "", "/", "application/", "*/*",
         f"{FORM_MEDIA_TYPE}, text/plain",
                                        f"{FORM_MEDIA_TYPE};", f"{FORM_MEDIA_TYPE}; charset",
                                        "a/" + "b" * 1000))),
)  # fmt: skip

#: Every class of request bodies, by name, in the order of the groups.
WIRE_CLASSES: Mapping[str, WireClass] = MappingProxyType({each.name: each for each in _CLASSES})

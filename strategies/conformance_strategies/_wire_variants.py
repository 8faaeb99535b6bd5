"""The encoding of forms as bytes, the decoding, and functions that change the encoding.

Forms are those of the WHATWG URL Standard, section 5 (application/x-www-form-urlencoded). Its parser gives a meaning to
any bytes, and its serializer makes the canonical encoding.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote_plus, unquote_to_bytes

from hypothesis.vendor.pretty import RepresentationPrinter

from conformance_strategies._build import Digits
from conformance_strategies.forms import PARAMETERS, Pair
from conformance_strategies.sids import SID_SIZE, sid_recipe

__all__ = ["FORM_MEDIA_TYPE", "WireForm", "decode_form", "encode_form"]

FORM_MEDIA_TYPE = "application/x-www-form-urlencoded"

#: The number of bytes that `valid_pairs` reads.
PAIRS_SIZE = 2 * SID_SIZE + 8


def encode_form(pairs: Iterable[Pair]) -> bytes:
    """Return the canonical encoding of pairs, that of the WHATWG serializer."""
    return b"&".join(b"%b=%b" % (quote(name), quote(value)) for name, value in pairs)


def quote(text: str) -> bytes:
    """Return the canonical encoding of a name or a value."""
    # Python leaves "~" alone and escapes "*"; the standard has it the other way round.
    return quote_plus(text, safe="*").replace("~", "%7E").encode("ascii")


def decode_form(body: bytes) -> tuple[Pair, ...]:
    """Return the pairs that the WHATWG parser reads in any bytes."""
    sequences = (sequence.partition(b"=") for sequence in body.split(b"&") if sequence)
    return tuple((_unquote(name), _unquote(value)) for name, _, value in sequences)


def _unquote(text: bytes) -> str:
    return unquote_to_bytes(text.replace(b"+", b" ")).decode("utf-8", "replace")


#: The number of bytes from which a repr cuts a body.
_LEGIBLE = 1000


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class WireForm:
    """A request body with its media type.

    Attributes:
        body: The exact bytes.
        content_type: The value of Content-Type, or None for no such header.
        equivalent_to: The pairs that the body means; None where its media type leaves that open.
    """

    body: bytes
    content_type: str | None
    equivalent_to: tuple[Pair, ...] | None

    def __repr__(self) -> str:
        size = len(self.body)
        body = f"{self.body!r}" if size <= _LEGIBLE else f"<{size} bytes {self.body[:40]!r}...>"
        return f"WireForm(body={body}, content_type={self.content_type!r})"

    def _repr_pretty_(self, printer: RepresentationPrinter, _: bool) -> None:
        printer.text(repr(self))


#: Makes a body of valid pairs. It may spoil the first pair, and draws its own choices from the digits.
Variant = Callable[[Sequence[Pair], Digits], WireForm]


_INACTIVE, _CLOSED = "DefaultInactiveTimer", "DefaultClosedTimer"


def valid_pairs(source: Digits) -> tuple[Pair, ...]:
    """Return one or more valid pairs. The closed timer is never shorter than the inactive one."""
    pairs = []
    for name, shortest, longest in ((_INACTIVE, 10, 999), (_CLOSED, 1000, 9999)):
        chosen, minutes = source.below(2), shortest + source.below(longest - shortest + 1)
        pairs += [(name, f"PT{minutes}M")] if chosen else []
    for parameter in PARAMETERS.values():
        if parameter.prefix:
            chosen, digits = source.below(2), source.part(SID_SIZE)
            pairs += [(parameter.name, sid_recipe(parameter.prefix)(digits))] if chosen else []
    return tuple(pairs) or ((_INACTIVE, "PT10M"),)


def companions(pairs: Sequence[Pair]) -> list[Pair]:
    """Return the pairs behind the first; a valid pair where there are none."""
    return list(pairs[1:]) or [(_CLOSED, "PT1000M")]


def other_value(name: str, _: str = "") -> str:
    """Return a second valid value of a parameter."""
    prefix = PARAMETERS[name].prefix
    return prefix + "b" * 32 if prefix else "PT999M" if name == _INACTIVE else "PT9999M"


def wrong_value(name: str, _: str = "") -> str:
    """Return a value of a parameter that no reading accepts."""
    prefix = PARAMETERS[name].prefix
    return prefix + "a" * 31 if prefix else "banana"


def form(body: bytes, content_type: str = FORM_MEDIA_TYPE) -> WireForm:
    """Return a body whose media type makes it a form."""
    return WireForm(body=body, content_type=content_type, equivalent_to=decode_form(body))


def open_form(body: bytes, content_type: str | None) -> WireForm:
    """Return a body whose media type leaves open what it means."""
    return WireForm(body=body, content_type=content_type, equivalent_to=None)


def joined(first: bytes, rest: Sequence[Pair]) -> bytes:
    """Return an encoded pair, followed by the others."""
    return b"&".join([first, encode_form(rest)] if rest else [first])


def value_changed(change: Callable[[bytes], bytes]) -> Variant:
    """Return a variant with the first value changed after encoding."""

    def variant(pairs: Sequence[Pair], _: Digits) -> WireForm:
        name, value = pairs[0]
        return form(joined(quote(name) + b"=" + change(quote(value)), pairs[1:]))

    return variant


def name_changed(change: Callable[[bytes], bytes]) -> Variant:
    """Return a variant with the first name changed after encoding."""

    def variant(pairs: Sequence[Pair], _: Digits) -> WireForm:
        name, value = pairs[0]
        return form(joined(change(quote(name)) + b"=" + quote(value), pairs[1:]))

    return variant


def body_changed(change: Callable[[bytes], bytes]) -> Variant:
    """Return a variant with the whole canonical body changed."""
    return lambda pairs, _: form(change(encode_form(pairs)))


def fixed(text: str) -> Variant:
    """Return a variant with a fixed body, whatever the pairs."""
    return lambda _, __: form(text.encode())


def inserted(*insertions: bytes) -> tuple[Variant, ...]:
    """Return variants with bytes behind, before and within the first value."""

    def variants(insertion: bytes) -> Iterator[Variant]:
        yield value_changed(lambda value: value + insertion)
        yield value_changed(lambda value: insertion + value)
        yield value_changed(lambda value: value[:1] + insertion + value[1:])

    return tuple(variant for insertion in insertions for variant in variants(insertion))


#: Spellings of an ASCII character that the form's decoder leaves as they are, or does not take for UTF-8.
FOREIGN_ESCAPES: tuple[Callable[[int], bytes], ...] = (
    lambda code: b"%%u%04X" % code,
    lambda code: b"%%%02X%%%02X" % (0xC0 | code >> 6, 0x80 | code & 0x3F),
    lambda code: b"%%26%%23%d%%3B" % code,
    lambda code: b"%%5Cu%04x" % code,
    lambda code: b"%%E0%%%02X%%%02X" % (0x80 | code >> 6, 0x80 | code & 0x3F),
    lambda code: b"%%3D%02X" % code,
    lambda code: b"%%5Cx%02x" % code,
    lambda code: b"%%EF%%BC%%%02X" % (code + 0x60),
)


def in_place(escape_of: Callable[[int], bytes]) -> tuple[Variant, Variant]:
    """Return variants with another spelling in place of the first character of a timer, and of a SID."""

    def variant(pairs: Sequence[Pair]) -> WireForm:
        name, value = pairs[0]
        return form(joined(quote(name) + b"=" + escape_of(ord(value[0])) + quote(value[1:]), pairs[1:]))

    sid = ("DefaultChatServiceSid", "IS" + "5e" * 16)
    return lambda pairs, _: variant(pairs), lambda _, __: variant([sid])


def escape(text: bytes, *, lower: bool = False) -> bytes:
    """Return a text with every byte percent-encoded, in upper or lower hexadecimal digits."""
    return b"".join(b"%%%02x" % byte if lower else b"%%%02X" % byte for byte in text)


def escaped(*, names: bool, values: bool, lower: bool = False) -> Variant:
    """Return a variant with every character escaped, in names, in values or in both."""

    def variant(pairs: Sequence[Pair], _: Digits) -> WireForm:
        return form(
            b"&".join(
                b"%b=%b" % tuple(
                    escape(text.encode(), lower=lower) if chosen else quote(text)
                    for text, chosen in ((name, names), (value, values))
                )
                for name, value in pairs
            )
        )  # fmt: skip

    return variant


def some_escaped(pairs: Sequence[Pair], source: Digits) -> WireForm:
    """Escape some characters of the first pair, one or more, in upper or lower hexadecimal digits."""
    name, value = (text.encode() for text in pairs[0])
    chosen = 1 + source.below(2**24 - 1)
    lower = source.below(2) == 1
    # The mask repeats over the value and, shifted, over the name: 1 escapes the first character of the value.
    mixed = [
        b"".join(
            escape(bytes([byte]), lower=lower) if chosen >> (index + shift) % 24 & 1 else bytes([byte])
            for index, byte in enumerate(text)
        )
        for text, shift in ((name, 1), (value, 0))
    ]
    return form(joined(b"=".join(mixed), pairs[1:]))


def repeated(*values: Callable[[str, str], str], beside: bool = False) -> Variant:
    """Return a variant that repeats the first parameter, once for each value; `beside` puts the others in between."""

    def variant(pairs: Sequence[Pair], _: Digits) -> WireForm:
        name, value = pairs[0]
        again = [(name, each(name, value)) for each in values]
        between = companions(pairs) if beside else []
        return form(encode_form([again[0], *between, *again[1:]]))

    return variant


def valid_value(_: str, value: str) -> str:
    """Return the valid value of a parameter itself."""
    return value


def no_value(_: str, __: str) -> str:
    """Return an empty value."""
    return ""


def renamed(change: Callable[[str], str]) -> tuple[Variant, Variant]:
    """Return variants with the first name changed, beside an invalid value and beside the valid one."""

    def valid(pairs: Sequence[Pair], _: Digits) -> WireForm:
        return form(encode_form([(change(pairs[0][0]), pairs[0][1]), *pairs[1:]]))

    def invalid(pairs: Sequence[Pair], _: Digits) -> WireForm:
        return form(encode_form([(change(pairs[0][0]), wrong_value(pairs[0][0]))]))

    return invalid, valid


def split_words(name: str, joint: str) -> str:
    """Return a name in camel case with a joint between its words."""
    return re.sub(r"(?<=.)(?=[A-Z])", joint, name)


def beside_known(name: str, value: str) -> tuple[Variant, Variant]:
    """Return variants with a pair before and behind the valid ones."""
    return (
        lambda pairs, _: form(encode_form([(name, value), *pairs])),
        lambda pairs, _: form(encode_form([*pairs, (name, value)])),
    )


def large(size: int, unit: str, name: str | None = None) -> Variant:
    """Return a variant with a value of `size` units, of the first parameter or of the named one."""
    return lambda pairs, _: form(encode_form([(name or pairs[0][0], unit * size)]))


def many(count: int, pair: Callable[[int, Pair], Pair]) -> Variant:
    """Return a variant with `count` pairs, each made of its index and the first pair."""
    return lambda pairs, _: form(encode_form(pair(index, pairs[0]) for index in range(count)))


def typed(content_type: str) -> Variant:
    """Return a variant with the canonical form, under another spelling of its own media type."""
    return lambda pairs, _: form(encode_form(pairs), content_type)


def mistyped(content_type: str | None, body: Callable[[Sequence[Pair]], bytes] = encode_form) -> Variant:
    """Return a variant with a body under a media type that does not make it a form."""
    return lambda pairs, _: open_form(body(pairs), content_type)


def json_text(pairs: Sequence[Pair]) -> bytes:
    """Return the pairs as a JSON object."""
    return json.dumps(dict(pairs)).encode()


BOUNDARY = "boundary"


def multipart(pairs: Sequence[Pair]) -> bytes:
    """Return the pairs as multipart/form-data (RFC 7578)."""
    parts = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in pairs
    )
    return ("".join(parts) + f"--{BOUNDARY}--\r\n").encode()

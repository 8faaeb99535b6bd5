"""Strategies for SIDs, which are two capital letters and 32 hexadecimal digits, and for texts that are not SIDs.

The published pattern is `^XX[0-9a-fA-F]{32}$` with length 34 (twilio.com/docs/glossary/what-is-a-sid).
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from types import MappingProxyType
from typing import Literal, get_args

from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument

from conformance_strategies._build import Digits, Recipe, check_names, strategy
from conformance_strategies._templates import Field, Template

__all__ = ["INVALID_SID_CLASSES", "InvalidSidClass", "invalid_sids", "sids"]

Case = Literal["lower", "upper", "mixed", "any"]
HexDigits = Literal["digits", "letters", "any"]
SidGroup = Literal["prefix", "length", "alphabet", "anchoring", "blanks", "empty"]

_LENGTH = 32
#: The digit that each drawn nibble stands for. Zero is `a`, as in the examples of the documentation.
_NIBBLES = {
    "any": str.maketrans("0123456789abcdef", "abcdef0123456789"),
    "letters": str.maketrans("0123456789abcdef", "abcdefabcdefabcd"),
    "digits": str.maketrans("0123456789abcdef", "0123456789012345"),
}
#: The greatest number of bytes that one valid SID reads, and one invalid SID.
SID_SIZE = 28
INVALID_SID_SIZE = 26


# --------------------------------------------------------------------------- valid


def sids(prefix: str, *, case: Case = "any", hex_digits: HexDigits = "any") -> st.SearchStrategy[str]:
    """Generates well-formed SIDs. They shrink to the prefix and 32 times `a`.

    Args:
        prefix: Two capital ASCII letters, such as "IS".
        case: The case of the hexadecimal letters; "mixed" has both an upper and a lower one.
        hex_digits: "digits" for 0 to 9 only, "letters" for a to f only.

    Raises:
        InvalidArgument: When an argument is none of these.
    """
    _check_prefix(prefix)
    _check_option("case", case, Case)
    _check_option("hex_digits", hex_digits, HexDigits)
    if case == "mixed" and hex_digits == "digits":
        raise InvalidArgument(f"{case=} does not fit {hex_digits=}")
    return strategy(
        sids, sid_recipe(prefix, case, hex_digits), SID_SIZE, prefix, case=case, hex_digits=hex_digits
    )


def sid_recipe(prefix: str, case: Case = "any", hex_digits: HexDigits = "any") -> Recipe[str]:
    """Return the recipe of `sids`."""
    cases: tuple[Case, ...] = ("lower", "upper", "mixed") if case == "any" else (case,)
    kinds: tuple[HexDigits, ...] = ("any", "letters") if hex_digits == "any" else (hex_digits,)
    shapes = [_SHAPES[kind, each] for kind in kinds for each in cases if kind != "digits"]
    extremes = [letter * _LENGTH for letter, of_case in (("f", "lower"), ("F", "upper")) if of_case in cases]
    if hex_digits == "digits":
        extremes = []
    if hex_digits != "letters" and case != "mixed":
        shapes.append(lambda source: _hex(source, "digits"))
        extremes += ["0" * _LENGTH, "9" * _LENGTH]

    def recipe(source: Digits) -> str:
        # One SID in twelve is extreme: a short run has some, and no run has the same few all the time.
        extreme = source.below(12) == 11 and extremes
        return prefix + (source.choice(extreme) if extreme else source.choice(shapes)(source))

    return recipe


def _hex(source: Digits, kind: HexDigits, length: int = _LENGTH) -> str:
    return source.take((length + 1) // 2).hex()[:length].translate(_NIBBLES[kind])


def _mixed(source: Digits, kind: HexDigits) -> str:
    text = _hex(source, kind)
    capitals = int.from_bytes(source.take(4), "big")
    letters = [char.upper() if capitals >> index & 1 else char for index, char in enumerate(text)]
    capital = source.below(_LENGTH)
    small = (capital + 1 + source.below(_LENGTH - 1)) % _LENGTH
    letters[capital] = "A" if letters[capital].isdigit() else letters[capital].upper()
    letters[small] = "a" if letters[small].isdigit() else letters[small].lower()
    return "".join(letters)


_SHAPES: Mapping[tuple[HexDigits, Case], Callable[[Digits], str]] = {
    ("any", "lower"): lambda source: _hex(source, "any"),
    ("any", "upper"): lambda source: _hex(source, "any").upper(),
    ("any", "mixed"): lambda source: _mixed(source, "any"),
    ("letters", "lower"): lambda source: _hex(source, "letters"),
    ("letters", "upper"): lambda source: _hex(source, "letters").upper(),
    ("letters", "mixed"): lambda source: _mixed(source, "letters"),
}


# ------------------------------------------------------------------------- invalid


def _hex_run(length: int) -> Field:
    """Return a field of `length` hexadecimal digits. Beyond 16 they repeat, which shrinks sooner."""

    def fill(source: Digits) -> str:
        run = _hex(source, "any", min(length, 16))
        return (run.upper() if source.below(2) else run) * (length // len(run)) + run[: length % len(run)]

    return Field("a" * length, fill)


_HEX_RUNS = {str(length): _hex_run(length) for length in [*range(1, 35), 48, 64, 94, 222, 998]}


@dataclass(frozen=True, slots=True, kw_only=True)
class InvalidSidClass:
    """A class of texts that make the same mistake, and so are not SIDs.

    Attributes:
        name: Kebab-case, unique in `INVALID_SID_CLASSES`.
        group: The part that is wrong: "prefix", "length", "alphabet" or "anchoring". Values of "blanks" (around a SID)
            and "empty" may be accepted where a form trims its values, or takes an empty one for absent.
        reason: The reason why such a text is not a SID, or the mistake of a validator that it catches, in one line.
        templates: The texts for a prefix, simplest first. `{32}` stands for 32 hexadecimal digits.
    """

    name: str
    group: SidGroup
    reason: str
    templates: Callable[[str], Iterable[str]]

    def examples(self, prefix: str) -> tuple[str, ...]:
        """Return 40 members at most, the same every time, simplest first, with `a` for every free digit."""
        _check_prefix(prefix)
        return tuple(Template(text, _HEX_RUNS).example() for text in self._texts(prefix)[:40])

    def strategy(self, prefix: str) -> st.SearchStrategy[str]:
        """Generates members, which shrink to the first example."""
        return invalid_sids(prefix, classes=(self.name,))

    def recipe(self, prefix: str) -> Recipe[str]:
        """Return the recipe of `strategy`."""
        templates = [Template(text, _HEX_RUNS) for text in self._texts(prefix)]
        return lambda source: source.choice(templates).fill(source)

    def _texts(self, prefix: str) -> list[str]:
        return list(dict.fromkeys(self.templates(prefix)))


def invalid_sids(prefix: str, *, classes: Collection[str] | None = None) -> st.SearchStrategy[str]:
    """Generates texts that are not SIDs of a prefix.

    Args:
        prefix: Two capital ASCII letters, such as "IS".
        classes: Names from `INVALID_SID_CLASSES` to draw from; all of them by default.

    Raises:
        InvalidArgument: When the prefix is malformed, a class unknown, or there is no class.
    """
    _check_prefix(prefix)
    names = check_names("classes", classes, INVALID_SID_CLASSES)
    recipes = [INVALID_SID_CLASSES[name].recipe(prefix) for name in names]
    return strategy(
        invalid_sids, lambda source: source.choice(recipes)(source), INVALID_SID_SIZE, prefix, classes=classes
    )


def _other_prefixes(prefix: str, *others: str) -> list[str]:
    return [other + "{32}" for other in others if other != prefix]


#: Characters that look like a capital letter: Cyrillic and Greek letters, and digits.
_LOOK_ALIKES = {
    "A": "\u0410\u0391", "B": "\u0412\u0392", "C": "\u0421", "E": "\u0415\u0395", "G": "\u050c",
    "H": "\u041d\u0397",
    "I": "\u0406\u0399\u2160l1|", "K": "\u041a\u039a", "M": "\u041c\u039c", "N": "\u039d",
    "O": "\u041e\u039f0",
    "P": "\u0420\u03a1", "S": "\u04055$", "T": "\u0422\u03a4", "X": "\u0425\u03a7", "Y": "\u0423\u03a5",
    "Z": "\u03962",
}  # fmt: skip


def _look_alike_prefixes(prefix: str) -> Iterable[str]:
    first, second = prefix[0], prefix[1]
    yield from (other + second + "{32}" for other in _LOOK_ALIKES.get(first, ""))
    yield from (first + other + "{32}" for other in _LOOK_ALIKES.get(second, ""))
    wide = "".join(chr(ord(letter) + 0xFEE0) for letter in prefix)  # FULLWIDTH LATIN CAPITAL LETTER
    yield from (pair + "{32}" for pair in (wide, wide[0] + second, first + wide[1]))
    bold = "".join(chr(ord(letter) - 0x41 + 0x1D400) for letter in prefix)  # MATHEMATICAL BOLD CAPITAL
    yield bold + "{32}"
    yield f"{first}\u0301{second}{{32}}"


def _inside(characters: Iterable[str]) -> Callable[[str], Iterable[str]]:
    """Return templates with each character in place of the first, the middle and the last digit."""

    def texts(prefix: str) -> Iterable[str]:
        for char in characters:
            yield from (prefix + char + "{31}", prefix + "{15}" + char + "{16}", prefix + "{31}" + char)

    return texts


def _within(characters: Iterable[str]) -> Callable[[str], Iterable[str]]:
    """Return templates with each character in place of the middle digit, then before all digits, then among them."""

    def texts(prefix: str) -> Iterable[str]:
        for before, after in (("{15}", "{16}"), ("", "{32}"), ("{16}", "{16}")):
            yield from (prefix + before + char + after for char in characters)

    return texts


def _around(characters: Iterable[str]) -> Callable[[str], Iterable[str]]:
    """Return templates with each character behind a SID, before it, and on both sides."""

    def texts(prefix: str) -> Iterable[str]:
        for char in characters:
            yield from (prefix + "{32}" + char, char + prefix + "{32}", char + prefix + "{32}" + char)

    return texts


def _of(*texts: str) -> Callable[[str], Iterable[str]]:
    """Return templates in which `<P>` stands for the prefix, and `<A>` and `<B>` for its letters."""
    return lambda prefix: (
        text.replace("<P>", prefix).replace("<A>", prefix[0]).replace("<B>", prefix[1]) for text in texts
    )


#: The digits 1, 0 and 9 in Arabic-Indic, full-width and Devanagari.
_SCRIPTS = [chr(zero + digit) for zero, digit in product((0x0660, 0xFF10, 0x0966), (1, 0, 9))]

# Digits in place of a prefix begin with 0, because they could make a prefix such as `AC` otherwise.
_CLASSES = (
    InvalidSidClass(
        name="other-service-prefix", group="prefix",
        reason="the prefix names a resource of another type",
        templates=lambda prefix: _other_prefixes(prefix, "MG", "IS", "AC", "SK", "CH", "SM", "PN", "US"),
    ),
    InvalidSidClass(
        name="wrong-letters", group="prefix",
        reason="the prefix is no prefix of anything, or right in one letter only",
        templates=lambda prefix: _other_prefixes(
            prefix, "XX", prefix[0] + "X", "X" + prefix[1], prefix[0] * 2, prefix[1] * 2, "00",
            prefix[0] + "0", "--"
        ),
    ),
    InvalidSidClass(
        name="lower-case-prefix", group="prefix",
        reason="the prefix is capital letters; only the digits come in either case",
        templates=lambda prefix: (
            prefix.lower() + "{32}", prefix[0] + prefix[1].lower() + "{32}",
            prefix[0].lower() + prefix[1] + "{32}"
        ),
    ),
    InvalidSidClass(
        name="misplaced-prefix", group="prefix",
        reason="the letters of the prefix are swapped, apart, or behind the digits",
        templates=lambda prefix: (
            *_other_prefixes(prefix, prefix[::-1]),
            *_of("0{31}<P>", "<A>0{31}<B>", "0{31}<B><A>")(prefix),
        ),
    ),
    InvalidSidClass(
        name="missing-prefix", group="prefix",
        reason="digits alone, 32 or 34 of them, or one letter of the prefix",
        templates=_of("{32}", "0{33}", "<A>0{32}", "0<B>{32}", "<A>0{31}", "<B>0{31}"),
    ),
    InvalidSidClass(
        name="look-alike-prefix", group="prefix",
        reason="a letter of the prefix is another character that looks like it",
        templates=_look_alike_prefixes,
    ),
    InvalidSidClass(name="one-short", group="length", reason="31 digits", templates=_of("<P>{31}")),
    InvalidSidClass(name="one-long", group="length", reason="33 digits", templates=_of("<P>{33}")),
    InvalidSidClass(
        name="bare-prefix", group="length", reason="no digits at all", templates=_of("<P>", "<A>")
    ),
    InvalidSidClass(
        name="short", group="length", reason="far fewer than 32 digits",
        templates=_of("<P>{1}", *(f"<P>{{{length}}}" for length in range(30, 1, -1))),
    ),
    InvalidSidClass(
        name="long", group="length", reason="more than 33 digits; 34 of them and the prefix too",
        templates=_of("<P>{34}", "<P>{48}", "<P>{64}", "<P>{94}", "<P>{222}", "<P>{998}"),
    ),
    InvalidSidClass(
        name="letter-beyond-f", group="alphabet", reason="g to z are no hexadecimal digits",
        templates=_inside("GgzZoOlIxXhstSuUnNpPqQrRvVwWyYiLjJkKmMtTH"),
    ),
    InvalidSidClass(
        name="punctuation", group="alphabet",
        reason="a printable ASCII character that is no digit and no letter",
        templates=_inside("-_.:/,;@#$&*+=?!~'\"\\|<>()[]{}^`%"),
    ),
    InvalidSidClass(
        name="uuid", group="alphabet", reason="the hyphens of a UUID stand among the digits",
        templates=_of(
            "<P>{8}-{4}-{4}-{4}-{12}", "<P>{7}-{4}-{4}-{4}-{9}", "{8}-{4}-{4}-{4}-{12}", "<P>-{32}",
            "<P>-{31}"
        ),
    ),
    InvalidSidClass(
        name="number-syntax", group="alphabet",
        reason="signs and marks that readers of hexadecimal numbers pass over",
        templates=_of(
            "<P>0x{30}", "<P>0X{30}", "<P>0x{32}", "<P>+{31}", "<P>-{31}", "<P>{15}_{16}", "<P>#{31}",
            "<P>{31}h"
        ),
    ),
    InvalidSidClass(
        name="blank-inside", group="alphabet", reason="a blank, tab or line break among the digits",
        templates=_within((" ", "\t", "\n", "\r\n", "\u00a0", "\u2028", "\u3000")),
    ),
    InvalidSidClass(
        name="non-ascii-digits", group="alphabet",
        reason="digits of another script, which many regex engines call \\d",
        templates=lambda prefix: (
            *_inside(_SCRIPTS)(prefix),
            *(prefix + 32 * chr(code_point) for code_point in (0x0661, 0xFF11, 0x0967, 0x1D7CF)),
            *_inside("\u00b2\u00bd\u2460\u216b")(prefix),
        ),
    ),
    InvalidSidClass(
        name="non-ascii-letters", group="alphabet", reason="full-width, Cyrillic or accented letters",
        templates=lambda prefix: (
            *_inside("\uff41\uff21\u0430\u0410\u00e1\u0431\u0435\u0421")(prefix),
            prefix + "\uff41" * 32,
            prefix + "\u0430" * 32,
        ),
    ),
    InvalidSidClass(
        name="nul-inside", group="alphabet", reason="a NUL character, at which C strings end",
        templates=_of("<P>{15}\0{16}", "<P>\0{31}", "<P>{32}\0x", "<P>\0{32}", "<A>\0<B>{31}"),
    ),
    InvalidSidClass(
        name="control-character", group="alphabet", reason="a control character among the digits",
        templates=_within("\x01\x07\x08\x1b\x7f\x80\x9f"),
    ),
    InvalidSidClass(
        name="invisible-character", group="alphabet", reason="a character that takes no space on the screen",
        templates=_within("\u200b\u200d\u2060\u00ad\u200e\u200f\u202e\u0301\ufe0f"),
    ),
    InvalidSidClass(
        name="invisible-besides", group="length",
        reason="all the right characters, and one among them that takes no space on the screen",
        templates=_of("<P>{16}\u200b{16}", "<P>{1}\u2060{31}", "<P>{31}\u00ad{1}"),
    ),
    InvalidSidClass(
        name="percent-literal", group="alphabet",
        reason="a percent-escape that decoding once has left standing",
        templates=_of("<P>%61{31}", "<P>%61{29}", "<P>{31}%61", "<P>{32}%00", "<P>{32}%0A", "<P>%2561{31}",
        "<P>%{31}"),
    ),
    InvalidSidClass(
        name="leading-character", group="anchoring", reason="something stands before the SID",
        templates=lambda prefix: (char + prefix + "{32}" for char in "xX0a-_/.:\"'(<{=,#\\\u200b"),
    ),
    InvalidSidClass(
        name="trailing-character", group="anchoring",
        reason="something that is no digit stands behind the SID",
        templates=lambda prefix: (prefix + "{32}" + char for char in "xXg-_/.:\"')>}=,;#$\\\u200b"),
    ),
    InvalidSidClass(
        name="embedded", group="anchoring", reason="a SID stands somewhere within a longer text",
        templates=_of(
            "/Services/<P>{32}", "<P>{32}/Configuration", '"<P>{32}"', "sid=<P>{32}", "xx<P>{32}xx",
            "[<P>{32}]",
            "https://conversations.twilio.com/v1/Services/<P>{32}/Configuration",
            "the service <P>{32} of ours",
        ),
    ),
    InvalidSidClass(
        name="two-joined", group="anchoring", reason="two SIDs where there is to be one",
        templates=_of("<P>{32}<P>{32}", "<P>{32},<P>{32}", "<P>{32} <P>{32}", "<P>{32}|<P>{32}",
        "<P>{32};<P>{32}"),
    ),
    InvalidSidClass(
        name="other-line", group="anchoring", reason="a SID is one line of several: ^ and $ match at each",
        templates=_of(
            "<P>{32}\nx", "x\n<P>{32}", "x\n<P>{32}\nx", "<P>{32}\n<P>{32}", "<P>{32}\r\nx", "<P>{32}\rx",
            "<P>{32}\u2028x",
        ),
    ),
    InvalidSidClass(
        name="prefix-later", group="anchoring",
        reason="34 characters, but the prefix is not at the beginning",
        templates=_of("0<P>{31}", "00<P>{30}", "0{15}<P>{16}", "0{30}<P>{1}"),
    ),
    InvalidSidClass(
        name="blank-around", group="blanks", reason="spaces or tabs around the SID", templates=_around((" ",
        "  ", "\t"))
    ),
    InvalidSidClass(
        name="newline-around", group="blanks",
        reason="a line break, before which $ matches in most regex engines",
        templates=_around(("\n", "\r\n", "\r", "\n\n")),
    ),
    InvalidSidClass(
        name="unicode-blank-around", group="blanks", reason="blanks beyond ASCII, which some trim",
        templates=_around(("\u00a0", "\u2028", "\u2029", "\u3000", "\u0085", "\u2003", "\u202f")),
    ),
    InvalidSidClass(
        name="control-around", group="blanks",
        reason="NUL, byte order mark and controls, which some trim like blanks",
        templates=_around(("\0", "\ufeff", "\x0b", "\x0c", "\x1c", "\x1f")),
    ),
    InvalidSidClass(name="empty", group="empty", reason="no character at all", templates=_of("")),
)  # fmt: skip

#: Every class of invalid SIDs, by name, in the order of the groups.
INVALID_SID_CLASSES: Mapping[str, InvalidSidClass] = MappingProxyType({each.name: each for each in _CLASSES})


def _check_prefix(prefix: str) -> None:
    if not isinstance(prefix, str) or not re.fullmatch(r"[A-Z]{2}", prefix):
        raise InvalidArgument(f"{prefix=} is not two capital ASCII letters")


def _check_option(name: str, value: str, options: object) -> None:
    if value not in get_args(options):
        raise InvalidArgument(f"{name}={value!r} is none of {', '.join(get_args(options))}")

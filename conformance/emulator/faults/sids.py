"""Mistakes in matching and keeping SIDs. Each can be made in either parameter."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import quote_plus

from conformance.emulator.alterations import Fault, Install, fault, rules_of
from conformance.emulator.behaviour import Behaviour
from conformance.emulator.fields import SidField
from conformance.emulator.messages import ApiError

Alter = Callable[[SidField], None]


@dataclass(frozen=True, slots=True)
class SidFault:
    """A mistake in one SID, before it is known in which.

    Attributes:
        name: Its name, after that of the SID.
        aspects: The rules that it breaks, the most direct one first: a word is what stands after the SID's
            name in the rule's id; a word with a hyphen is an id.
        text: What goes wrong, in one sentence.
        alter: Makes the mistake in a SID.
        values: Values to post one after the other; `{p}` stands for the prefix, `{q}` for the other SID's,
            `{hex}` for 32 hexadecimal digits of all kinds.
    """

    name: str
    aspects: str
    text: str
    alter: Alter
    values: tuple[str, ...]


HEX = "0123456789abcdefABCDEF9876543210"


def matches(pattern: str, *, flags: int = 0, how: str = "fullmatch") -> Alter:
    """Return a mistake: another pattern is matched, in which `{p}` stands for the prefix."""

    def alter(sid: SidField) -> None:
        compiled = re.compile(pattern.replace("{p}", sid.prefix), flags)
        match = getattr(compiled, how)
        sid.matches = lambda text: match(text) is not None

    return alter


def also_matches(rewrite: Callable[[str], str], *, keep_rewritten: bool = False) -> Alter:
    """Return a mistake: a text is matched as if it had been rewritten."""

    def alter(sid: SidField) -> None:
        matches, keep = sid.matches, sid.keep
        sid.matches = lambda text: matches(text) or matches(rewrite(text))
        if keep_rewritten:
            sid.keep = lambda text: keep(rewrite(text))

    return alter


def refuses(condition: Callable[[str], object]) -> Alter:
    """Return a mistake: SIDs are refused where the condition holds for their hexadecimal digits."""

    def alter(sid: SidField) -> None:
        inner = sid.matches
        sid.matches = lambda text: inner(text) and not condition(text[2:])

    return alter


def keeps(change: Callable[[str], str | None]) -> Alter:
    """Return a mistake: something else is kept than what was sent."""

    def alter(sid: SidField) -> None:
        sid.keep = change

    return alter


def _unchecked(sid: SidField) -> None:
    sid.matches = bool


def _either_prefix(sid: SidField) -> None:
    matches(r"(?:IS|MG)[0-9a-fA-F]{32}")(sid)


def _read_as_number(sid: SidField) -> None:
    def is_number(text: str) -> bool:
        try:
            return text.startswith(sid.prefix) and len(text) == 34 and int(text[2:], 16) >= 0
        except ValueError:
            return False

    sid.matches = is_number


def _empty_clears(sid: SidField) -> None:
    inner = sid.validate
    sid.validate = lambda text: inner(text) if text else None


def _malformed_clears(sid: SidField) -> None:
    inner = sid.matches
    sid.matches = lambda text: True
    sid.keep = lambda text: text if inner(text) else None


def _answers_200(sid: SidField) -> None:
    sid.malformed = lambda: ApiError(200, 20001, "refused")


def _hyphenated(text: str) -> str:
    return f"{text[:10]}-{text[10:14]}-{text[14:18]}-{text[18:22]}-{text[22:]}"


F = SidFault

# fmt: off
SID_FAULTS: tuple[SidFault, ...] = (
    # Prefix
    F("accepts-anything", "prefix length alphabet anchoring strictness echo",
      "Any text but the empty one is kept.", _unchecked, ("banana",)),
    F("accepts-either-prefix", "prefix", "The prefix of the other SID passes too.", _either_prefix,
      ("{q}{hex}",)),
    F("accepts-any-prefix", "prefix", "Any two capital letters pass as prefix.",
      matches("[A-Z]{2}[0-9a-fA-F]{32}"), ("AC{hex}",)),
    F("accepts-lower-case-prefix", "prefix", "The whole pattern ignores case, the prefix too.",
      matches("{p}[0-9a-f]{32}", flags=re.IGNORECASE), ("is{hex}", "mg{hex}")),
    F("accepts-swapped-prefix", "prefix", "The prefix is a class of characters, in any order.",
      matches("[{p}]{2}[0-9a-fA-F]{32}"), ("SI{hex}", "GM{hex}")),
    F("accepts-missing-prefix", "prefix", "The prefix may be left out.", matches("(?:{p})?[0-9a-fA-F]{32}"),
      ("{hex}",)),
    F("accepts-other-first-letter", "prefix", "Only the second letter of the prefix is looked at.",
      lambda sid: matches(f"[A-Z]{sid.prefix[1]}[0-9a-fA-F]{{32}}")(sid), ("XS{hex}", "XG{hex}")),
    F("accepts-bare-length", "prefix alphabet", "Only the length is checked.",
      lambda sid: setattr(sid, "matches", lambda text: len(text) == 34), ("zz{hex}",)),
    F("refused-with-200", "prefix length alphabet anchoring strictness",
      "A refusal is answered with status 200.", _answers_200,
      ("banana",)),
    # Length
    F("accepts-any-length", "length", "Any number of digits passes.", matches("{p}[0-9a-fA-F]*"),
      ("{p}abc",)),
    F("accepts-one-digit-less", "length", "One digit may be missing.", matches("{p}[0-9a-fA-F]{31,32}"),
      ("{p}0123456789abcdefABCDEF987654321",)),
    F("accepts-one-digit-more", "length", "There may be one digit more.", matches("{p}[0-9a-fA-F]{32,33}"),
      ("{p}{hex}0",)),
    F("accepts-longer", "length", "The number of digits has no upper bound.", matches("{p}[0-9a-fA-F]{32,}"),
      ("{p}{hex}{hex}",)),
    F("accepts-shorter", "length", "The number of digits has no lower bound.",
      matches("{p}[0-9a-fA-F]{1,32}"), ("{p}0",)),
    F("accepts-hyphens", "length", "Hyphens are taken out, as of a UUID.",
      also_matches(lambda text: text.replace("-", ""), keep_rewritten=True),
      ("{p}01234567-89ab-cdef-ABCD-EF9876543210",)),
    F("truncates", "length anchoring strictness",
      "A text of more than 34 characters is cut to 34 before it is matched.",
      also_matches(lambda text: text[:34], keep_rewritten=True), ("{p}{hex}ff",)),
    # Alphabet
    F("accepts-all-letters", "alphabet", "Any letter passes for a digit.", matches("{p}[0-9a-zA-Z]{32}"),
      ("{p}0123456789abcdefghijklmnopqrstuv",)),
    F("accepts-word-characters", "alphabet", r"Digits are matched with \w.", matches(r"{p}\w{32}"),
      ("{p}0123456789abcdef_0123456789abcdé",)),
    F("accepts-g", "alphabet", "The class of digits ends at g.", matches("{p}[0-9a-gA-G]{32}"),
      ("{p}g123456789abcdefABCDEF9876543210",)),
    F("accepts-range-0-to-f", "alphabet", "The class of digits is one range, from 0 to f.",
      matches("{p}[0-f]{32}"), ("{p}:;<=>?@G[]^_`def0123456789abcdef",)),
    F("accepts-digits-of-any-script", "alphabet", r"Decimal digits are matched with \d.",
      matches(r"{p}[\da-fA-F]{32}"), ("{p}\u0661123456789abcdefABCDEF9876543210",)),
    F("accepts-any-characters", "alphabet", "Any 32 characters pass.", matches("{p}.{32}"),
      ("{p}!123456789abcdefABCDEF98765432 0",)),
    F("accepts-blanks", "alphabet", "Blanks among the digits are skipped, as bytes.fromhex does.",
      matches("{p}[0-9a-fA-F ]{32}"), ("{p}01234567 89abcdefABCDEF987654321",)),
    F("reads-as-number", "alphabet", "The digits are read by int(), which takes signs and underscores.",
      _read_as_number, ("{p}0x23456789abcdefABCDEF9876543210", "{p}0_23456789abcdefABCDEF9876543210")),
    F("checks-only-the-first-digit", "alphabet", "Only the first character after the prefix is looked at.",
      matches("{p}[0-9a-fA-F].{31}"), ("{p}0zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz",)),
    F("malformed-clears", "alphabet prefix length anchoring strictness",
      "A value that does not match the pattern sets the SID to null, with 200.", _malformed_clears,
      ("{p}{hex}", "{p}zzz")),
    # Anchoring
    F("ignores-rest", "anchoring length strictness echo",
      "What follows a SID is ignored, for want of an end anchor.",
      matches("{p}[0-9a-fA-F]{32}", how="match"), ("{p}{hex}xyz",)),
    F("ignores-beginning", "anchoring strictness echo",
      "What precedes a SID is ignored, for want of a start anchor.",
      matches(r"{p}[0-9a-fA-F]{32}\Z", how="search"), ("xyz{p}{hex}",)),
    F("searches", "anchoring length strictness echo", "A SID anywhere in the text will do.",
      matches("{p}[0-9a-fA-F]{32}", how="search"), ("x{p}{hex}y",)),
    F("matches-one-line", "anchoring strictness echo", "Anchors match at every line.",
      matches("^{p}[0-9a-fA-F]{32}$", flags=re.MULTILINE, how="search"), ("{p}{hex}\nDROP", "x\n{p}{hex}")),
    F("stops-at-nul", "anchoring strictness", "Everything after a NUL is ignored.",
      also_matches(lambda text: text.partition("\0")[0], keep_rewritten=True), ("{p}{hex}\0x",)),
    # Acceptance
    F("refuses-upper-case", "accept", "Upper-case digits are refused.",
      refuses(lambda digits: digits != digits.lower()), ("{p}ABCDEF0123456789ABCDEF0123456789",)),
    F("refuses-lower-case", "accept", "Lower-case digits are refused.",
      refuses(lambda digits: digits != digits.upper()), ("{p}abcdef0123456789abcdef0123456789",)),
    F("refuses-mixed-case", "accept", "Digits of both cases in one SID are refused.",
      refuses(lambda digits: digits not in (digits.lower(), digits.upper())), ("{p}{hex}",)),
    F("refuses-decimal-digits-only", "accept", "A SID without a letter after its prefix is refused.",
      refuses(str.isdigit), ("{p}01234567890123456789012345678901",)),
    F("refuses-letters-only", "accept", "A SID without a decimal digit is refused.", refuses(str.isalpha),
      ("{p}abcdefabcdefabcdefabcdefabcdefab",)),
    F("refuses-leading-zero", "accept", "A SID whose first digit is zero is refused.",
      refuses(lambda digits: digits.startswith("0")), ("{p}{hex}",)),
    F("refuses-f", "accept", "The class of digits ends at e.", refuses(lambda digits: "f" in digits.lower()),
      ("{p}{hex}",)),
    # Echo
    F("echo-truncated", "echo response-schema",
      "The database column cuts the SID after 32 characters.", keeps(lambda text: text[:32]),
      ("{p}{hex}",)),
    F("echo-without-prefix", "echo response-schema",
      "The prefix is lost.", keeps(lambda text: text[2:]), ("{p}{hex}",)),
    F("echo-without-leading-zeros", "echo verbatim response-schema", "The digits are kept as a number.",
      keeps(lambda text: f"{text[:2]}{int(text[2:], 16):x}"), ("{p}{hex}",)),
    F("echo-hyphenated", "echo response-schema",
      "The digits are kept as a UUID.", keeps(_hyphenated), ("{p}{hex}",)),
    F("echo-lower-case-prefix", "echo verbatim response-schema",
      "The whole SID is kept in lower case.", keeps(str.lower),
      ("{p}{hex}",)),
    F("echo-with-newline", "echo strictness",
      "The pattern ends in $, so that a line break at the end passes, and is kept.",
      matches("^{p}[0-9a-fA-F]{32}$", how="match"), ("{p}{hex}\n",)),
    F("echo-null", "echo", "A value that was set comes back as null.",
      keeps(lambda text: None), ("{p}{hex}",)),
    F("echo-masked", "echo response-schema", "All but the last digits are starred out.",
      keeps(lambda text: text[:2] + "*" * 28 + text[-4:]), ("{p}{hex}",)),
    # Verbatim
    F("echo-lower-case", "verbatim", "The digits are kept in lower case.",
      keeps(lambda text: text[:2] + text[2:].lower()), ("{p}{hex}",)),
    F("echo-upper-case", "verbatim", "The digits are kept in upper case.", keeps(str.upper), ("{p}{hex}",)),
    # Strictness
    F("empty-clears", "strictness", "An empty value clears the SID.", _empty_clears, ("{p}{hex}", "")),
    F("trims-blanks", "strictness", "Blanks around a value are trimmed.",
      also_matches(lambda text: text.strip(" \t\r\n"), keep_rewritten=True), (" {p}{hex}", "{p}{hex}\n")),
)
# fmt: on

_SIDS = {
    "chat-service-sid": ("DefaultChatServiceSid", "IS", "MG"),
    "messaging-service-sid": ("DefaultMessagingServiceSid", "MG", "IS"),
}


def _altered(parameter: str, alter: Alter) -> Install:
    def install(behaviour: Behaviour) -> None:
        alter(behaviour.sids[parameter])

    return install


def _in_both_sids() -> Iterator[Fault]:
    for sid, (parameter, prefix, other) in _SIDS.items():
        for row in SID_FAULTS:
            values = [value.format(p=prefix, q=other, hex=HEX) for value in row.values]
            yield fault(
                name=f"{sid}-{row.name}",
                rules=rules_of(sid, row.aspects),
                group="sids",
                text=f"{parameter}: {row.text}",
                install=_altered(parameter, row.alter),
                witness=[f"{parameter}={quote_plus(value)}" for value in values],
            )


ALL: tuple[Fault, ...] = tuple(_in_both_sids())

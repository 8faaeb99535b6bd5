"""Named classes of texts that are not ISO 8601-1 durations.

A class is `looser` where another reader accepts a member of it: ISO 8601-2 (signs, weeks among other units), XML Schema
(a leading minus, blanks around), RFC 3339 appendix A (any case), java.time.Duration (any case, signs, `PT5.S`), the
alternative format of ISO 8601-1 5.5.2.4, or a form that trims its values. All of these readers refuse the members of
the other classes.

A parser that overlooks the mistake in a text mostly finds a length of ten minutes or more in it. So it accepts the text
even for a timer with a minimum, and the mistake shows.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from hypothesis import strategies as st

from conformance_strategies._build import Recipe, check_names, strategy
from conformance_strategies._templates import Field, Template, number

__all__ = ["INVALID_DURATION_CLASSES", "InvalidDurationClass", "invalid_durations"]

DurationGroup = Literal[
    "structure", "order", "repeated-designator", "designators", "digits", "signs", "fractions", "case",
    "inner-blanks",
    "anchoring", "blanks", "foreign", "encodings", "sizes", "empty",
]  # fmt: skip

#: The greatest number of bytes that one member reads.
INVALID_DURATION_SIZE = 14


def _repeated(text: str) -> Field:
    """Return a field of long runs of a text, in characters. Python's `int` does not read 4,301 digits."""
    return Field(
        text * (1000 // len(text)),
        lambda source: text * (source.choice((1000, 4301, 10_000, 20_000)) // len(text)),
    )


def _digits_from(zero: int) -> str:
    return "".join(chr(zero + digit) for digit in range(10))


#: The fields by name: numbers of each unit (`s` is for clocks), numbers in other scripts, and long runs.
_FIELDS: Mapping[str, Field] = {
    "Y": number(1, 9), "O": number(1, 11), "W": number(1, 9), "D": number(1, 29), "H": number(1, 99),
    "M": number(10, 999), "S": number(600, 99_999), "s": number(10, 59), "e": number(3, 9),
    "m": number(600_000, 999_999),
    "full_width": number(10, 999, _digits_from(0xFF10)), "arabic": number(10, 999, _digits_from(0x0660)),
    "devanagari": number(10, 999, _digits_from(0x0966)),
    "nines": _repeated("9"), "letters": _repeated("A"), "components": _repeated("10M"),
    "designators": _repeated("P"), "times": _repeated("T"),
    "blanks": _repeated(" "),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class InvalidDurationClass:
    """A class of texts that make the same mistake, and so are not ISO 8601-1 durations.

    Attributes:
        name: Kebab-case, unique in `INVALID_DURATION_CLASSES`.
        group: The part of a duration that is wrong. "blanks" has blanks around it, "inner-blanks" blanks within it.
        reason: The reason why such a text is not a duration, in one line.
        looser: Whether another published reading, or a form that trims values, accepts a member.
        templates: The texts, simplest first. `{M}` stands for a number of minutes, for example.
    """

    name: str
    group: DurationGroup
    reason: str
    looser: bool
    templates: tuple[str, ...]

    def examples(self) -> tuple[str, ...]:
        """Return one member for each template, the same every time, simplest first."""
        return tuple(Template(text, _FIELDS).example() for text in self.templates)

    def strategy(self) -> st.SearchStrategy[str]:
        """Generates members, which shrink to the first example."""
        return invalid_durations(classes=(self.name,))

    def recipe(self) -> Recipe[str]:
        """Return the recipe of `strategy`."""
        templates = [Template(text, _FIELDS) for text in self.templates]
        return lambda source: source.choice(templates).fill(source)


def invalid_durations(*, classes: Collection[str] | None = None) -> st.SearchStrategy[str]:
    """Generates texts that are not ISO 8601-1 durations.

    Args:
        classes: Names from `INVALID_DURATION_CLASSES` to draw from; all of them by default.

    Raises:
        InvalidArgument: When a class is unknown or there is none.
    """
    names = check_names("classes", classes, INVALID_DURATION_CLASSES)
    recipes = [INVALID_DURATION_CLASSES[name].recipe() for name in names]
    return strategy(
        invalid_durations,
        lambda source: source.choice(recipes)(source),
        INVALID_DURATION_SIZE,
        classes=classes,
    )


def _row(
    group: DurationGroup, name: str, reason: str, *templates: str, looser: bool = False
) -> InvalidDurationClass:
    return InvalidDurationClass(name=name, group=group, reason=reason, looser=looser, templates=templates)


def _around(*blanks: str) -> Iterable[str]:
    for blank in blanks:
        yield from ("PT{M}M" + blank, blank + "PT{M}M", blank + "PT{M}M" + blank)


_CLASSES = (
    # structure
    _row("structure", "missing-time-designator", "hours and seconds follow T",
         "P{H}H", "P{S}S", "P{H}H{M}M", "P{D}D{H}H", "P10H", "P10S"),
    _row("structure", "missing-period-designator", "a duration begins with P",
         "{M}M", "T{M}M", "{S}S", "T{S}S", "{D}D", "{H}H{M}M", "{D}DT{H}H"),
    _row("structure", "missing-unit", "every number has a designator behind it",
         "PT{M}", "PT{S}", "P{M}", "PT{H}H{M}", "PT{M}M0", "P{D}DT{H}"),
    _row("structure", "missing-number", "every designator has a number before it",
         "PTM", "PTS", "PD", "PTH{M}M", "PT{M}MS", "P{D}DTM", "PDT{M}M"),
    _row("structure", "no-components", "at least one component is required", "PT", "P"),
    _row("structure", "trailing-time-designator", "T stands only before a component of time",
         "P{D}DT", "PT{M}MT", "P{Y}YT", "P{W}WT", "P{Y}Y{D}DT"),
    _row("structure", "text", "words", "banana", "null", "true", "none", "undefined", "NaN", "never",
         "P banana"),
    # order
    _row("order", "time-out-of-order", "hours, minutes and seconds come in this order",
         "PT{S}S{M}M", "PT{M}M{H}H", "PT{S}S{H}H", "PT10S10M", "PT1S1H"),
    _row("order", "date-out-of-order", "years, months and days come in this order",
         "P{D}D{Y}Y", "P{D}D{O}M", "P{O}M{Y}Y", "P{D}D{W}W"),
    _row("order", "time-before-date", "the date part comes first",
         "PT{H}H{D}D", "PT{M}M{D}D", "PT{M}MP{D}D", "T{M}MP{D}D"),
    # repeated designators
    _row("repeated-designator", "repeated-unit", "a unit is said once",
         "PT{M}M{M}M", "PT{S}S{S}S", "PT{H}H{H}H", "P{D}D{D}D", "P{W}W{W}W", "P{Y}Y{Y}Y"),
    _row("repeated-designator", "repeated-time-designator", "T is written once",
         "PTT{M}M", "PT{H}HT{M}M", "P{D}DT{H}HT{M}M", "P{D}DT{H}DT{H}H"),
    _row("repeated-designator", "repeated-period-designator", "P is written once",
         "PPT{M}M", "PP{D}D", "P{D}DP{D}D", "PT{M}MPT{M}M"),
    # designators
    _row("designators", "unit-words", "a designator is one letter",
         "PT{M}MIN", "PT{M}Minutes", "P{M}MIN", "PT{S}SEC", "PT{H}HOUR", "P{D}DAYS", "P{D}days", "PT{m}MS"),
    _row("designators", "foreign-letter", "there is no such designator",
         "PT{M}X", "PT{M}N", "PT{S}F", "PT{H}Q", "P{D}B", "DT{M}M", "XT{M}M", "RT{M}M"),
    _row("designators", "date-unit-in-time", "years, weeks and days come before T", "PT{D}D", "PT{W}W",
         "PT{Y}Y"),
    _row("designators", "look-alike-designator",
         "a designator is another character that looks like the letter",
         "\u0420T{M}M", "P\u0422{M}M", "PT{M}\u041c", "\uff30\uff34{M}\uff2d", "P\uff34{M}M",
         "P\uff34\uff11M",
         "PT{M}\u039c", "PT{M}\u2133"),
    # digits
    _row("digits", "full-width-digits", "digits are ASCII", "PT{full_width}M", "PT1{full_width}M"),
    _row("digits", "arabic-indic-digits", "digits are ASCII", "PT{arabic}M", "PT1{arabic}M",
         "PT\u06f1\u06f0M"),
    _row("digits", "devanagari-digits", "digits are ASCII", "PT{devanagari}M", "PT1{devanagari}M"),
    _row("digits", "other-numerals", "superscripts, fractions and numerals in one sign are no digits",
         "PT1\u00b2M", "PT\u00b9\u2070M", "PT\u00bdH", "PT\u2469M", "PT\u2169M", "PT\u5341M"),
    _row("digits", "hexadecimal", "numbers are decimal", "PT0x{M}M", "PT0x10S", "PT0xFFFS", "PTFFFS",
         "PT0b1111M", "PT0o17M"),
    _row("digits", "exponent", "numbers have no exponent", "PT1e{e}S", "PT1E{e}S", "PT1e+{e}S", "P1e0D",
         "PT6.0E{e}S"),
    _row("digits", "digit-grouping", "digits are not grouped",
         "PT1_000S", "PT1'000S", "PT1 000S", "PT1,000,000S", "PT1.000.000S", "PT1,000.5S", "PT1\u202f000S"),
    _row("digits", "not-finite", "NaN and infinity are no numbers",
         "PTNaNS", "PTInfinityS", "PTinfS", "PT\u221eS", "PINFD", "PTNaNM"),
    _row("digits", "arithmetic", "a number is digits, not a sum", "PT1/2H", "PT{M}/1M", "PT{M}*2M",
         "PT5+{M}M"),
    # signs
    _row("signs", "double-sign", "two signs", "--PT{M}M", "++PT{M}M", "-+PT{M}M", "PT--{M}M", "PT+-{M}M"),
    _row("signs", "misplaced-sign", "a sign stands behind a number or a designator it cannot go with",
         "PT{M}-M", "PT{M}M-", "P-T{M}M", "P+T{M}M", "PT-M", "PT{M}+M"),
    _row("signs", "unicode-sign", "a minus or plus beyond ASCII", "\u2212PT{M}M", "PT\u2212{M}M",
         "\uff0bPT{M}M", "\u2013PT{M}M"),
    _row("signs", "leading-plus", "no sign; java.time takes it", "+PT{M}M", "+P{D}D", looser=True),
    _row("signs", "leading-minus", "no sign; ISO 8601-2, XML Schema and java.time take it",
         "-PT{M}M", "-P{D}D", "-PT{S}S", "-P{Y}Y", looser=True),
    _row("signs", "inner-sign", "no sign; ISO 8601-2 and java.time take one on a component",
         "PT+{M}M", "PT-{M}M", "-PT-{M}M", "P{D}DT-{H}H", "PT{H}H-{M}M", "P+{D}D", looser=True),
    # fractions
    _row("fractions", "fraction-before-last", "only the last component may have a fraction",
         "PT{H}.5H{M}M", "PT1.5H30M", "PT{H},5H{M}M", "P{D}.5DT{H}H", "PT{M}.5M{s}S", "P{Y}.5Y{O}M"),
    _row("fractions", "two-separators", "a fraction has one separator",
         "PT{M}..5M", "PT{M}.5.5M", "PT{M},5,5M", "PT{M}.,5M", "PT{S}.5.5S"),
    _row("fractions", "missing-integer-digits", "a digit stands before the separator",
         "PT.5H", "P.5D", "PT,5H", "P,5W", "PT.5M", "PT.5S"),
    _row("fractions", "missing-fraction-digits", "a digit stands behind the separator",
         "PT{M}.M", "PT{M},M", "PT1.M", "PT{H}.H", "P{D}.D", "PT.S", "PT.M"),
    _row("fractions", "missing-fraction-digits-of-seconds",
         "a digit stands behind the separator; java.time wants none",
         "PT{S}.S", "PT{S},S", "PT5.S", "PT{M}M{s}.S", looser=True),
    _row("fractions", "dangling-fraction", "a fraction belongs to a number", "PT{M}M.5", "PT{S}S.5",
         "P.T{M}M", "PT{M}M,"),
    _row("fractions", "foreign-decimal-separator", "the separator is a comma or a full stop",
         "PT{M}:5M", "PT{M};5M", "PT{M}'5M", "PT{M}\u066b5M", "PT{M}\u00b75M", "PT{M}\uff0e5M"),
    # case
    _row("case", "lower-case", "designators are capitals; RFC 3339 and java.time take either case",
         "pt{M}m", "PT{M}m", "Pt{M}M", "pT{M}M", "p{D}d", "P{D}d", "PT{H}h{M}m", looser=True),
    # blanks within
    _row("inner-blanks", "blank-inside", "blanks stand nowhere",
         "P T{M}M", "PT {M}M", "PT{M} M", "PT{H}H {M}M", "P{D}D T{H}H", "P{D} D", "P {D}D", "PT1 0M",
         "P\tT{M}M", "PT{M}\nM",
         "PT\u00a0{M}M", "PT{M}\u2028M", "PT\u3000{M}M"),
    # anchoring
    _row("anchoring", "leading-character", "something stands before the duration",
         "xPT{M}M", "0PT{H}H{M}M", "=P{D}D", "/PT{S}S", ".PT{H}H", "timer: P{D}DT{H}H", "xP{W}W",
         "xPT{M}M{s}S"),
    _row("anchoring", "trailing-character", "something stands behind the duration",
         "PT{M}Mx", "PT{H}H{M}M;", "P{D}D.", "PT{S}SZ", "PT{H}H$", "P{D}DT{H}H and more", "P{W}Wx",
         "PT{M}M{s}Sx"),
    _row("anchoring", "quoted", "quotes and brackets are no part of it", '"PT{M}M"', "'PT{M}M'", "[PT{M}M]",
         "(PT{M}M)"),
    _row("anchoring", "other-line", "the duration is one line of several: ^ and $ match at each",
         "PT{M}M\nx", "x\nPT{M}M", "x\nPT{M}M\nx", "PT{M}M\nPT{M}M", "PT{M}M\r\nx", "PT{M}M\u2028x"),
    _row("anchoring", "two-durations", "two where there is to be one",
         "PT{M}M,PT{M}M", "PT{M}M PT{M}M", "PT{M}M;PT{M}M", "PT{M}M|PT{M}M"),
    # foreign notations
    _row("foreign", "bare-number", "a number without unit",
         "{S}", "{S}.0", "0{S}", "{m}", "6e2", "+{S}", "-{S}", "0x258"),
    _row("foreign", "number-with-suffix", "the notation of Go, systemd and many configuration files",
         "{M}m", "{S}s", "{H}h", "{M}min", "{H}h{M}m", "{m}ms", "{D}d", "{M}m0s"),
    _row("foreign", "words-with-numbers", "as a person would say it",
         "{M} minutes", "{M} min", "ten minutes", "{H} hour", "{D} day 00:10:00", "INTERVAL '{M}' MINUTE"),
    _row("foreign", "clock-time", "a time of day", "00:{s}:00", "{s}:00", "0:{s}:00.000", "1.00:{s}:00",
         "T00:{s}:00"),
    _row("foreign", "json-value", "JSON within the form", '{"seconds": {S}}', "[{S}]", '"{S}"',
         '{"minutes":{M}}'),
    _row("foreign", "cron", "a schedule", "*/{s} * * * *", "@every {M}m", "@hourly", "0 0 * * *"),
    _row("foreign", "repeating-interval", "a repeating interval holds a duration, but is none",
         "R3/PT{M}M", "R/PT{M}M", "R3/2026-01-01T00:00:00Z/PT{M}M"),
    _row("foreign", "interval", "an interval has two ends",
         "PT{M}M/PT20M", "2026-01-01T00:00:00Z/PT{M}M", "PT{M}M/2026-01-01T00:00:00Z",
         "2026-01-01/2026-01-02",
         "PT{M}M--PT{M}M"),
    _row("foreign", "timestamp", "a point in time", "2026-01-01T00:{s}:00Z", "2026-01-01",
         "20260101T00{s}00Z",
         "@1767225600", "Thu, 01 Jan 2026 00:{s}:00 GMT"),
    _row("foreign", "malformed-alternative-format", "neither the designator form nor the alternative one",
         "P0000-00-00T00:{s}", "P0000-13-00T00:00:00", "P0000-00-00 00:{s}:00", "P0001-01-01T00:10:00Z",
         "P0001-01-01T00:10:00+05:30", "P10T10", "P19T10:00", "P2003T10", "P2003-W10-1T10", "P99T23"),
    _row("foreign", "alternative-format", "the alternative format takes an agreement of the parties",
         "P0000-00-00T00:{s}:00", "P0000-00-01T00:00:00", "P00000000T00{s}00", "P0003-06-04T12:30:05",
         "P0000-000T00:{s}:00", "P0001-01-01T00:{s}:00", looser=True),
    _row("foreign", "weeks-among-others", "weeks stand alone; ISO 8601-2 lets them be one unit of several",
         "P{W}W{D}D", "P{Y}Y{W}W", "P{W}WT{H}H", "P{O}M{W}W", looser=True),
    # encodings
    _row("encodings", "nul-inside", "a NUL character, at which C strings end",
         "PT{M}M\0x", "PT{M}\0M", "PT\0{M}M", "P\0T{M}M", "PT{M}M\0PT{M}M"),
    _row("encodings", "control-character", "a control character inside", "PT\x01{M}M", "PT{M}\x1bM",
         "PT{M}\x7fM", "PT{M}\x08M"),
    _row("encodings", "zero-width-character", "a character that takes no space on the screen",
         "PT{M}\u200bM", "\u200bPT{M}M", "PT{M}M\u200b", "PT\u200d{M}M", "P\u2060T{M}M", "PT\u00ad{M}M",
         "P\ufeffT{M}M"),
    _row("encodings", "bidirectional-mark", "a mark of writing direction", "\u200ePT{M}M", "\u200fPT{M}M",
         "\u202ePT{M}M",
         "PT{M}M\u200e", "PT\u2066{M}\u2069M"),
    _row("encodings", "combining-character", "an accent on a letter or digit", "PT{M}M\u0301", "P\u0301T{M}M",
         "PT{M}\u20e3M",
         "PT{M}M\ufe0f"),
    _row("encodings", "percent-literal", "a percent-escape that decoding once has left standing",
         "PT%31%30M", "%50T{M}M", "PT{M}%4D", "PT{M}M%00", "PT{M}M%0A", "PT%2531%2530M"),
    _row("encodings", "html-entity", "a character reference", "&#80;T{M}M", "PT&#49;&#48;M", "PT{M}M&nbsp;",
         "&quot;PT{M}M&quot;"),
    _row("encodings", "backslash-escape", "an escape of a programming language",
         "\\u0050T{M}M", "PT{M}M\\n", "PT{M}M\\x00", "PT{M}M\\", "\\PT{M}M"),
    _row("encodings", "replacement-character", "what a decoder leaves of bytes that are not UTF-8",
         "PT{M}M\ufffd", "PT\ufffd{M}M"),
    # sizes
    _row("sizes", "long-number-without-unit", "thousands of digits, and no unit", "PT{nines}", "P{nines}",
         "{nines}", "PT{nines}."),
    _row("sizes", "long-repetition", "thousands of components or designators", "PT{components}",
         "{designators}T{M}M", "P{times}{M}M"),
    _row("sizes", "long-text", "thousands of letters or blanks", "{letters}", "PT{M}{letters}",
         "PT{M}M{letters}", "P{blanks}T{M}M"),
    # blanks around
    _row("blanks", "blank-around", "spaces or tabs around; XML Schema passes over them", *_around(" ", "\t",
         "  "), looser=True),
    _row("blanks", "newline-around", "line breaks around; $ matches before one in most regex engines",
         *_around("\n", "\r\n", "\r"), looser=True),
    _row("blanks", "unicode-blank-around", "blanks beyond ASCII around; some forms trim them",
         *_around("\u00a0", "\u2028", "\u3000", "\u0085", "\u2003"), looser=True),
    _row("blanks", "control-around",
         "NUL, byte order mark or controls around; some forms trim them like blanks",
         *_around("\0", "\ufeff", "\x0b", "\x0c", "\x1f"), looser=True),
    _row("empty", "empty", "no character at all; some forms take it for absent", "", looser=True),
)  # fmt: skip

#: Every class of invalid durations, by name, in the order of the groups.
INVALID_DURATION_CLASSES: Mapping[str, InvalidDurationClass] = MappingProxyType(
    {each.name: each for each in _CLASSES}
)

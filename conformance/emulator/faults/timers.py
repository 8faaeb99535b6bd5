"""Mistakes in reading, checking and keeping timers. Each can be made in either timer."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import quote_plus

from conformance.emulator import dialects
from conformance.emulator.alterations import Fault, Install, Step, fault, rules_of
from conformance.emulator.behaviour import Behaviour
from conformance.emulator.faults import timer_mistakes as mistakes
from conformance.emulator.fields import TimerField


@dataclass(frozen=True, slots=True)
class TimerFault:
    """A mistake in one timer, before it is known in which.

    Attributes:
        name: Its name, after that of the timer.
        aspects: The rules that it breaks, the most direct one first: a word is what stands after the timer's
            name in the rule's id; a word with a hyphen is an id.
        text: What goes wrong, in one sentence.
        alter: Makes the mistake in a timer.
        values: Values to post one after the other; `{minimum}`, `{minutes}`, `{below}` and `{above}` stand
            for the least seconds and minutes, and one second less and more.
    """

    name: str
    aspects: str
    text: str
    alter: Callable[[TimerField], None]
    values: tuple[str, ...]
    closed_only: bool = False
    """Whether only the closed timer can have it: the inactive one is not judged beyond 15 days."""


F = TimerFault

# fmt: off
TIMER_FAULTS: tuple[TimerFault, ...] = (
    # Syntax: text that is a duration by no reading
    F("accepts-anything", "syntax minimum strictness echo",
      "Any text is kept unread.", mistakes.unchecked, ("banana",)),
    F("accepts-leading-p", "syntax minimum strictness echo",
      "Any text that begins with P will do.", mistakes.starts_with_p,
      ("Pbanana",)),
    F("ignores-rest", "syntax strictness echo",
      "What follows a duration is ignored, for want of an end anchor.",
      mistakes.also_reads(mistakes.prefix), ("PT10Mabc", "PT10M0")),
    F("ignores-beginning", "syntax minimum strictness echo",
      "What precedes a duration is ignored, for want of a start anchor.",
      mistakes.also_reads(mistakes.suffix), ("xPT10M",)),
    F("accepts-bare-designators", "syntax", "P and PT pass, every component being optional.",
      mistakes.bare_designators, ("PT", "P")),
    F("accepts-trailing-t", "syntax", "A T without a time after it passes.",
      mistakes.also_reads(lambda text: text.removesuffix("T")), ("P1DT",)),
    F("accepts-any-order", "syntax strictness", "Components may come in any order.",
      lambda timer: mistakes.also_measures(timer, mistakes.any_order), ("PT10S10M", "P1DT1S1H")),
    F("accepts-repeated-components", "syntax strictness", "A component may come twice; the last counts.",
      lambda timer: mistakes.also_measures(timer, mistakes.last_of_repeated), ("PT10M10M",)),
    F("accepts-missing-t", "syntax", "Hours and seconds pass without the T before them.",
      mistakes.also_reads(lambda text: re.sub(r"\AP([0-9]+D)?(?=[0-9]+[HS])", r"P\1T", text)),
      ("P600S", "P10H")),
    F("accepts-missing-p", "syntax", "The P may be left out.", mistakes.also_reads(lambda text: "P" + text),
      ("T10M",)),
    F("accepts-repeated-p", "syntax", "The P is stripped however often it comes.",
      mistakes.also_reads(lambda text: "P" + text.lstrip("P")), ("PPT10M",)),
    F("accepts-digits-of-any-script", "syntax",
      r"Digits are matched with \d, which takes those of any script.",
      mistakes.also_reads(mistakes.decimal_digits), ("PT\uff11\uff10M", "PT\u0661\u0660M")),
    F("accepts-exponents", "syntax", "Numbers are read as floats, exponents included.",
      mistakes.also_reads(mistakes.exponent), ("PT1e3S",)),
    F("accepts-hexadecimal", "syntax", "Hexadecimal numbers with the prefix 0x are read.",
      mistakes.also_reads(mistakes.hexadecimal), ("PT0x258S",)),
    F("accepts-underscores", "syntax", "Numbers are read by int(), which takes underscores.",
      mistakes.also_reads(lambda text: re.sub("(?<=[0-9])_(?=[0-9])", "", text)), ("PT1_000S",)),
    F("accepts-inner-blanks", "syntax strictness", "Blanks are taken out wherever they stand.",
      mistakes.also_reads(lambda text: text.replace(" ", ""), keep_rewritten=True), ("PT 10 M",)),
    F("accepts-no-break-spaces", "strictness", "White space of any script is trimmed.",
      mistakes.also_reads(lambda text: text.strip("\u00a0\u2003\u3000\ufeff"), keep_rewritten=True),
      ("\u00a0PT10M",)),
    F("accepts-fractions-anywhere", "syntax strictness",
      "A fraction is taken on any component, not only the lowest.",
      lambda timer: mistakes.also_measures(timer, mistakes.fraction_anywhere), ("PT1.5H30M",)),
    F("accepts-half-fractions", "syntax strictness",
      "A fraction may lack the digits on either side of its point.",
      mistakes.also_reads(lambda text: re.sub(r"\.(?![0-9])", "", re.sub(r"(?<![0-9])\.", "0.", text))),
      ("PT20.M", "PT.5H")),
    F("accepts-date-units-after-t", "syntax", "Days and weeks pass after the T.",
      mistakes.also_reads(lambda text: re.sub(r"\APT(?=[0-9]+[YWD]\Z)", "P", text)), ("PT1D", "PT1W")),
    F("accepts-clock-times", "syntax", "hh:mm:ss passes.", mistakes.also_reads(mistakes.clock),
      ("00:10:00",)),
    F("accepts-bare-seconds", "syntax", "A bare number passes as seconds.",
      mistakes.also_reads(lambda text: f"PT{text}S"), ("600",)),
    F("accepts-missing-unit", "syntax", "The last number may lack its unit.",
      mistakes.also_reads(lambda text: text + "S"), ("PT600",)),
    F("accepts-words", "syntax", "A number of minutes in words passes.", mistakes.also_reads(mistakes.words),
      ("10 minutes",)),
    F("accepts-spelt-units", "syntax", "Letters after a unit are skipped.",
      mistakes.also_reads(lambda text: re.sub("(?<=[HMS])[a-z]+", "", text)), ("PT10Minutes",)),
    F("accepts-intervals", "syntax", "The last part of an ISO 8601 interval passes as a duration.",
      mistakes.also_reads(lambda text: text.rpartition("/")[2]), ("R3/PT10M", "PT10M/PT20M")),
    F("stops-at-nul", "syntax strictness", "Everything after a NUL is ignored.",
      mistakes.also_reads(lambda text: text.partition("\0")[0], keep_rewritten=True), ("PT10M\0x",)),
    F("accepts-quotes", "syntax", "Quotation marks around a value are taken off.",
      mistakes.also_reads(lambda text: text.strip("\"'"), keep_rewritten=True), ('"PT10M"',)),
    F("parsed-by-isodate", "syntax minimum notation strictness echo",
      "isodate reads the value, its leniencies included.",
      mistakes.reads_with(dialects.isodate_seconds), ("P1DT", "PT1.5H30M")),
    F("parsed-by-moment", "syntax strictness",
      "A text that cannot be read counts as zero, and zero disables the timer.",
      dialects.like_moment, ("10M", "banana")),
    F("parsed-by-luxon", "syntax notation strictness",
      "Every component may be missing, all of them too, as in luxon's pattern.",
      mistakes.reads_with(dialects.luxon_seconds), ("P1DT",)),
    F("parsed-in-a-loop", "syntax notation strictness",
      "The parser takes components in a loop, as Go's sosodev/duration does.",
      mistakes.reads_with(dialects.go_seconds), ("PT10M10M", "PT10S10M", "PTT10M")),
    # Minimum: durations that are too short
    F("minimum-unchecked", "minimum strictness",
      "The minimum is not checked.", mistakes.at_least(lambda minimum: -1e99),
      ("PT{below}S", "PT1S")),
    F("minimum-one-second-less", "minimum", "The minimum is one second less.",
      mistakes.at_least(lambda minimum: minimum - 1), ("PT{below}S",)),
    F("minimum-halved", "minimum", "The minimum is half of what it should be.",
      mistakes.at_least(lambda minimum: minimum // 2), ("PT{below}S",)),
    F("minimum-rounds", "minimum", "The length is rounded to whole seconds before it is compared.",
      mistakes.measures(mistakes.rounded), ("PT{below}.5S",)),
    F("minimum-in-microseconds", "minimum", "The length is rounded to microseconds before it is compared.",
      mistakes.measures(mistakes.microseconds), ("PT{below}.9999999S",)),
    F("minimum-in-floats", "minimum", "The length is a float.", mistakes.measures(mistakes.as_float),
      ("PT{below}.999999999999999999S",)),
    F("minimum-rounds-up-to-minutes", "minimum", "The length is rounded up to whole minutes.",
      mistakes.measures(mistakes.rounded_up_to_minutes), ("PT{below}S",)),
    F("minimum-of-minutes-only", "minimum", "The minimum is checked only where minutes are given.",
      mistakes.seconds_component_unchecked, ("PT{below}S",)),
    F("minimum-compared-as-text", "minimum boundary accept notation",
      "The value is compared with the minimum as text.",
      mistakes.as_text, ("PT{below}S", "PT59S")),
    F("minimum-ignores-sign", "minimum syntax strictness", "A negative duration counts as a positive one.",
      mistakes.also_reads(lambda text: text.replace("-", "")), ("-PT10M", "PT-10M")),
    F("minimum-clamps", "minimum strictness", "A duration that is too short is raised to the minimum.",
      mistakes.too_short_is_minimum, ("PT{below}S",)),
    F("minimum-clears", "minimum strictness", "A duration that is too short clears the timer.",
      mistakes.too_short_is_null, ("PT{below}S",)),
    F("minimum-reads-thousands", "minimum", "A comma before three digits is taken for a thousands separator.",
      mistakes.measures(mistakes.thousands), ("PT1,000S",)),
    # Boundary: the minimum itself and just above
    F("minimum-exclusive", "boundary", "The minimum itself is refused.",
      mistakes.at_least(lambda minimum: minimum + 1e-9), ("PT{minutes}M", "PT{minimum}S")),
    F("minimum-one-second-more", "boundary", "The minimum is one second more.",
      mistakes.at_least(lambda minimum: minimum + 1), ("PT{minimum}S",)),
    F("minimum-one-minute-more", "boundary", "The minimum is one minute more.",
      mistakes.at_least(lambda minimum: minimum + 60), ("PT{above}S",)),
    F("minimum-of-the-minutes-component", "boundary accept notation",
      "Only the minutes are compared with the minimum.",
      mistakes.minutes_component, ("PT{minimum}S",)),
    F("minimum-of-the-largest-component", "boundary accept notation",
      "Only the largest component is compared with the minimum.",
      mistakes.measures(mistakes.largest_component_only), ("PT0H{minutes}M",)),
    # Acceptance
    F("refuses-hours", "accept boundary notation",
      "Hours are unknown.", mistakes.refuses(lambda text: "H" in text), ("PT1H",)),
    F("refuses-days", "accept boundary notation",
      "Days are unknown.", mistakes.refuses(lambda text: "D" in text), ("P1D",)),
    F("refuses-seconds", "accept boundary notation",
      "Seconds are unknown.", mistakes.refuses(lambda text: "S" in text),
      ("PT601S",)),
    F("refuses-mixed-units", "accept boundary notation", "Only one component is taken.",
      mistakes.refuses(lambda text: len(mistakes.components(text)) > 1), ("PT1H30M",)),
    F("refuses-time-after-days", "accept boundary notation", "A time after days is not taken.",
      mistakes.refuses(lambda text: "T" in text and not text.startswith("PT")), ("P1DT12H",)),
    F("refuses-three-digits", "accept boundary notation", "A number has at most two digits.",
      mistakes.refuses(lambda text: re.search("[0-9]{3}", text)), ("PT100H",)),
    F("refuses-carry-over", "accept boundary notation", "Minutes and seconds stop at 59, hours at 23.",
      mistakes.refuses(mistakes.carries_over), ("PT90M", "PT600S")),
    F("refuses-leading-zeros", "accept boundary notation", "A number may not begin with a zero.",
      mistakes.refuses(lambda text: re.search(r"(?<![0-9.,])0[0-9]", text)), ("PT010M",)),
    F("refuses-zero-components", "accept boundary notation", "A component may not be zero.",
      mistakes.refuses(lambda text: re.search("(?<![0-9.,])0+[A-Z](?!$)|[A-Z]0+[A-Z]$", text[1:])),
      ("PT0H10M",)),
    F("refuses-skipped-units", "accept boundary notation",
      "Units may not be skipped, as in RFC 3339's grammar.",
      mistakes.refuses(lambda text: re.search(r"H[0-9]+S|Y[0-9]+D", text)), ("PT1H1S",)),
    F("reads-octal", "accept boundary notation", "A number that begins with a zero is octal.",
      mistakes.measures(mistakes.octal), ("PT08M", "PT010M")),
    F("overflows-milliseconds", "accept notation",
      "The length in milliseconds overflows 32 bits after 24 days.",
      mistakes.measures(mistakes.milliseconds_in_32_bits), ("P25D",), closed_only=True),
    F("overflows-seconds", "accept notation", "The length in seconds overflows 16 bits after nine hours.",
      mistakes.measures(mistakes.seconds_in_16_bits), ("PT10H",)),
    F("reads-time-of-day", "accept notation",
      "Whole days are dropped from the length, as timedelta.seconds does.",
      mistakes.measures(mistakes.time_of_day_only), ("P1D",)),
    F("at-most-a-day", "accept notation", "More than a day is refused.",
      lambda timer: mistakes.also_needs(timer, lambda length: length <= 86400), ("P2D",)),
    F("at-most-a-week", "accept notation", "More than a week is refused.",
      lambda timer: mistakes.also_needs(timer, lambda length: length <= 604800), ("P10D",)),
    F("at-most-eight-characters", "accept boundary notation",
      "A text of more than eight characters is refused.",
      mistakes.refuses(lambda text: len(text) > 8), ("PT1H30M10S",)),
    # Echo
    F("echo-of-whole-minutes", "echo notation",
      "The seconds are lost.", mistakes.keeps(mistakes.minutes_only),
      ("PT630S",)),
    F("echo-without-days", "echo notation timer-representation",
      "Whole days are lost.", mistakes.keeps(mistakes.without_days),
      ("P1DT1H",)),
    F("echo-of-whole-days", "echo notation",
      "Above a day the rest is lost.", mistakes.keeps(mistakes.whole_days),
      ("P1DT12H",)),
    F("echo-clamped", "echo notation",
      "More than a day is kept as one day.", mistakes.keeps(mistakes.at_most_a_day),
      ("P2D",)),
    F("echo-constant", "echo notation", "Whatever is sent, the minimum is kept.",
      lambda timer: setattr(timer, "keep", lambda text, length: f"PT{timer.minimum // 60}M"), ("PT1H",)),
    F("echo-truncated", "echo notation timer-representation",
      "The database column cuts the text after six characters.",
      mistakes.keeps(lambda text, length: text[:6]), ("PT1H30M",)),
    F("echo-padded", "echo timer-representation", "The database column pads the text with blanks.",
      mistakes.keeps(lambda text, length: text.ljust(20)), ("PT10M",)),
    F("echo-with-newline", "echo strictness",
      "The pattern ends in $, so that a line break at the end passes, and is kept.",
      mistakes.also_reads(lambda text: text.removesuffix("\n")), ("PT10M\n",)),
    F("echo-without-t", "echo notation timer-representation", "The T is lost, and minutes become months.",
      mistakes.keeps(lambda text, length: text.replace("T", "")), ("PT10M",)),
    F("echo-null", "echo notation",
      "A value that was set comes back as null.", mistakes.keeps(lambda text, length: None),
      ("PT10M",)),
    F("echo-of-first-component", "echo notation timer-representation", "Only the first component is kept.",
      mistakes.keeps(lambda text, length: re.sub(r"\A(PT?[0-9.,]+[A-Z]).*\Z", r"\1", text)), ("PT1H30M",)),
    F("cuts-fractions-of-seconds", "notation", "Fractions of a second are cut off.",
      mistakes.keeps(lambda text, length: re.sub(r"[.,][0-9]+(?=S)", "", text)), ("PT610.5S",)),
    # Notation: what ISO 8601-1 has and other notations lack
    F("refuses-weeks", "notation", "Weeks are unknown.", mistakes.refuses(lambda text: "W" in text),
      ("P1W",)),
    F("refuses-years", "notation", "Years are unknown.", mistakes.refuses(lambda text: "Y" in text),
      ("P1Y",)),
    F("refuses-months", "notation", "Months are unknown.",
      mistakes.refuses(lambda text: "M" in text.partition("T")[0]), ("P1M",)),
    F("refuses-fractions", "notation", "Fractions are unknown.",
      mistakes.refuses(lambda text: not mistakes.without_fractions(text)), ("PT20.5M",)),
    F("refuses-comma", "notation", "A comma before the fraction is unknown.",
      mistakes.refuses(lambda text: "," in text), ("PT20,5M",)),
    F("refuses-fractions-of-minutes", "notation", "Only seconds may have a fraction.",
      mistakes.refuses(lambda text: re.search(r"[.,][0-9]+[^S0-9]", text)), ("PT20.5M",)),
    F("at-most-30-characters", "notation", "A text of more than 30 characters is refused.",
      mistakes.refuses(lambda text: len(text) > 30), ("PT" + "0" * 40 + "600S",)),
    F("dialect-java", "notation strictness",
      "Read as java.time.Duration does: no weeks, months or years, any case.",
      mistakes.reads_with(dialects.java_seconds), ("P1W", "pt10m")),
    F("dialect-xsd", "notation strictness",
      "Read as xsd:duration: no weeks, fractions of seconds only, blanks trimmed.",
      dialects.like_xsd, ("P1W", " PT10M")),
    F("dialect-php", "notation strictness",
      "Read as PHP's DateInterval does: no fractions, weeks beside days.",
      mistakes.reads_with(dialects.php_seconds), ("PT20.5M", "P1W1D")),
    F("dialect-temporal", "notation strictness",
      "Read as JavaScript's Temporal does: fractions of time only, any case.",
      mistakes.reads_with(dialects.temporal_seconds), ("P1.5D", "pt10m")),
    F("dialect-rfc3339", "accept notation strictness",
      "Read as RFC 3339's grammar has it: no skipped units, no fractions.",
      mistakes.reads_with(dialects.rfc3339_seconds), ("PT1H1S",)),
    # Strictness: what only looser readings take
    F("accepts-lower-case", "strictness", "Designators may be lower case.", mistakes.also_reads(str.upper),
      ("pt10m",)),
    F("accepts-plus", "strictness", "A leading plus sign is taken.",
      mistakes.also_reads(lambda text: text.removeprefix("+")), ("+PT10M",)),
    F("accepts-weeks-beside-days", "strictness", "Weeks may stand beside other units, as in ISO 8601-2.",
      mistakes.also_reads(mistakes.weeks_as_days), ("P1W1D",)),
    F("accepts-any-zero", "strictness", "A zero of any spelling is kept.", mistakes.zero_of_any_spelling,
      ("P0D", "PT0M")),
    F("empty-clears", "strictness", "An empty value clears the timer.", mistakes.empty_is_null, ("",)),
    F("trims-blanks", "strictness", "Blanks around a value are trimmed.",
      mistakes.also_reads(lambda text: text.strip(" \t\r\n"), keep_rewritten=True), (" PT10M", "PT10M\n")),
    F("accepts-point-without-fraction", "strictness", "A point without digits after it is taken on seconds.",
      mistakes.also_reads(lambda text: re.sub(r"\.(?=S\Z)", "", text)), ("PT610.S",)),
)
# fmt: on


@dataclass(frozen=True, slots=True)
class CheckedElsewhere:
    """A mistake in one timer that depends on more than its value; `install` takes the parameter's name."""

    name: str
    aspects: str
    text: str
    install: Callable[[str], Install]
    values: tuple[str, ...]
    beside: str = ""


ELSEWHERE = (
    CheckedElsewhere(
        "refused-with-200",
        "syntax minimum strictness",
        "A refusal is answered with status 200.",
        mistakes.refused_with_200,
        ("banana",),
    ),
    CheckedElsewhere(
        "syntax-unchecked-when-set",
        "syntax minimum strictness echo",
        "Only the first value that the timer ever gets is read.",
        lambda parameter: mistakes.skips_when_set(parameter, "syntax"),
        ("PT10M", "banana"),
    ),
    CheckedElsewhere(
        "minimum-unchecked-when-set",
        "minimum strictness",
        "The minimum is checked only on the first value that the timer ever gets.",
        lambda parameter: mistakes.skips_when_set(parameter, "minimum"),
        ("PT10M", "PT1S"),
    ),
    CheckedElsewhere(
        "minimum-unchecked-beside-others",
        "minimum strictness",
        "The minimum is checked only where the parameter comes alone.",
        mistakes.minimum_unchecked_beside_others,
        ("PT1S",),
        beside="&DefaultChatServiceSid=IS" + "a" * 32,
    ),
)

_TIMERS = {"inactive-timer": ("DefaultInactiveTimer", 60), "closed-timer": ("DefaultClosedTimer", 600)}


def _forms(parameter: str, minimum: int, values: tuple[str, ...], beside: str = "") -> tuple[Step, ...]:
    return tuple(
        Step(
            f"{parameter}="
            + quote_plus(
                value.format(minimum=minimum, minutes=minimum // 60, below=minimum - 1, above=minimum + 1)
            )
            + beside
        )
        for value in values
    )


def _altered(parameter: str, alter: Callable[[TimerField], None]) -> Install:
    def install(behaviour: Behaviour) -> None:
        alter(behaviour.timers[parameter])

    return install


def _in_both_timers() -> Iterator[Fault]:
    for timer, (parameter, minimum) in _TIMERS.items():
        for row in TIMER_FAULTS:
            if row.closed_only and timer != "closed-timer":
                continue
            yield fault(
                name=f"{timer}-{row.name}",
                rules=rules_of(timer, row.aspects),
                group="timers",
                text=f"{parameter}: {row.text}",
                install=_altered(parameter, row.alter),
                witness=_forms(parameter, minimum, row.values),
            )
        for other in ELSEWHERE:
            yield fault(
                name=f"{timer}-{other.name}",
                rules=rules_of(timer, other.aspects),
                group="timers",
                text=f"{parameter}: {other.text}",
                install=other.install(parameter),
                witness=_forms(parameter, minimum, other.values, other.beside),
            )


ALL: tuple[Fault, ...] = (
    *_in_both_timers(),
    # As many months as minutes are long enough for the inactive timer in either reading.
    Fault(
        name="closed-timer-months-as-minutes",
        rule="closed-timer-notation",
        group="timers",
        text="DefaultClosedTimer: Months are read as minutes, the T being ignored.",
        install=_altered("DefaultClosedTimer", mistakes.measures(mistakes.months_as_minutes)),
        witness=(Step("DefaultClosedTimer=P1M"),),
    ),
)

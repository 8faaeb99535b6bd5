"""Rules about the two timers: a value must be a duration, be long enough, and come back as it was set."""

from collections.abc import Iterator, Mapping, Sequence

from conformance.model import CLOSED, INACTIVE, TIMERS, Aspect, Field, InputClass, Rule
from conformance.oracle.decisions import decide_timer
from conformance.oracle.durations import DAY
from conformance.oracle.mismatches import Proof
from conformance.rules.evidence import NOT_SHOWN, accepts, proved, refuses
from conformance.rules.probes import DOCUMENT, by_turns, joined, value_class
from conformance.rules.rows import must, should
from conformance.rules.timer_values import AT_MINIMUM, BELOW, OVERFLOWING, accepted, notations
from conformance_strategies import INVALID_DURATION_CLASSES, durations, durations_near, invalid_durations

_ERRORS = {
    INACTIVE: "https://www.twilio.com/docs/api/errors/50375 and 50379",
    CLOSED: "https://www.twilio.com/docs/api/errors/50376 and 50380",
}

_WORDS = {
    "carry-over-of-all-units": "numbers far beyond the next unit, such as PT1H121M",
    "long-fraction-of-a-unit": "a long decimal fraction of each unit",
    "padded": "with leading zeros, up to lengths around powers of two",
    "powers-of-two": "numbers at powers of two, and 2,147,483 seconds, around 2 to the 31 milliseconds",
    "seconds-of-all-digits": "many distinct numbers of seconds, with every digit at every place",
    "carry-over": "numbers beyond the next unit, such as PT90M",
    "fraction": "a decimal fraction",
    "fraction-comma": "a decimal fraction after a comma",
    "fraction-point": "a decimal fraction after a full stop",
    "leading-zeros": "numbers with leading zeros",
    "long-fraction": "a decimal fraction of many digits",
    "many-zeros": "numbers with dozens of leading zeros",
    "mixed": "several units",
    "very-long": "lengths that overflow 32 bits in milliseconds, or 16 in minutes, or of weeks at least",
    "skipping": "several units, with one between them left out",
    "tiny": "a small fraction",
    "zero-components": "components that are zero",
}
"""What a notation is called in the reason of its input class; the others are called by their names."""


# By input class, the strategies' classes that it joins: a parser gets all of them wrong, or none.
_TOGETHER = {
    "foreign-digits": ("full-width-digits", "arabic-indic-digits", "devanagari-digits", "other-numerals"),
    "number-syntax": ("hexadecimal", "not-finite", "arithmetic"),
    "signs": ("double-sign", "misplaced-sign", "unicode-sign"),
    "separators": ("two-separators", "dangling-fraction", "foreign-decimal-separator"),
    "other-notations": ("interval", "repeating-interval", "timestamp", "cron", "json-value"),
    "control-characters": ("nul-inside", "control-character"),
    "invisible-characters": (
        "zero-width-character",
        "bidirectional-mark",
        "combining-character",
        "replacement-character",
    ),
    "escapes": ("percent-literal", "html-entity", "backslash-escape"),
    "long": ("long-number-without-unit", "long-repetition", "long-text"),
}


_WHOLE = frozenset(
    {
        "carry-over-of-all-units",
        "long-fraction-of-a-unit",
        "padded",
        "powers-of-two",
        "seconds-of-all-digits",
        "trailing-character",  # one alternative of a pattern may lack its end
    }
)
"""Classes of which the standard profile sends every value."""

_FIRST = {"missing-unit": ("PT600",)}
"""
Examples to send before those of the strategies, by class.

A target that reads a number without a unit as seconds would refuse PT10 for its length. 600 seconds are long enough.
"""

_COMMON = frozenset(
    {
        "bare-number",
        "blank-inside",
        "foreign-digits",
        "leading-minus",
        "missing-period-designator",
        "missing-time-designator",
        "missing-unit",
        "newline-around",
        "no-components",
        "trailing-character",
    }
)
"""Classes of invalid durations that many implementers take; the others are rare, as `InputClass` says."""

_RARE = frozenset(
    {
        "below-leading-zeros",
        "below-long-fraction",
        "below-long-fraction-of-a-unit",
        "below-minutes",
        "below-mixed",
        "below-padded",
        "below-seconds-of-all-digits",
        "below-tiny",
        "carry-over-of-all-units",
        "minimum-leading-zeros",
        "minimum-zero-components",
        "powers-of-two",
        "seconds-of-all-digits",
        "very-long",
    }
)
"""Classes of valid durations, and of too short ones, in whose notations few implementers make a mistake."""


def _refused(timer: Field, claim: str) -> tuple[InputClass, ...]:
    """Return the classes of invalid durations whose first example is decided on by this claim, such as `syntax`."""
    names = [
        name
        for name, each in INVALID_DURATION_CLASSES.items()
        if decide_timer(each.examples()[0], timer.minimum).claim == claim
    ]
    return tuple(_invalid_class(timer, group, parts) for group, parts in joined(names, _TOGETHER).items())


def _invalid_class(timer: Field, name: str, parts: Sequence[str]) -> InputClass:
    """Return one input class for several of the strategies': the first example of each, then the second."""
    classes = [INVALID_DURATION_CLASSES[part] for part in parts]
    examples = [*_FIRST.get(name, ()), *by_turns(each.examples() for each in classes)]
    if name == "long":
        first, *others = OVERFLOWING[timer.minimum]
        # Digits without a unit come soon: patterns backtrack on them.
        examples = [first, examples[0], *others, *examples[1:]]
    return value_class(
        timer,
        f"timer/{name}",
        "; ".join(each.reason for each in classes),
        examples,
        lambda: invalid_durations(classes=parts),
        rare=name not in _COMMON,
        whole=name in _WHOLE,
    )


def _by_notation(
    timer: Field, kind: str, reason: str, values: Mapping[str, Sequence[str]]
) -> Iterator[InputClass]:
    """Yield the classes of the values of one kind, given by their notations; `kind` is the beginning of their names."""
    for notation, texts in values.items():
        yield value_class(
            timer,
            f"timer/{kind}{notation}",
            f"{reason}: {_WORDS.get(notation, notation)}",
            texts,
            rare=f"{kind}{notation}" in _RARE,
            whole=notation in _WHOLE,
        )


def _rules(timer: Field) -> Iterator[Rule]:
    index = 0 if timer is INACTIVE else 1
    below = {name: values[index] for name, values in BELOW.items()}
    at_minimum = {name: values[index : index + 1] for name, values in AT_MINIMUM.items()}
    minimum = timer.minimum
    words = "1 minute" if timer is INACTIVE else "10 minutes"
    ceiling = (15 if timer is INACTIVE else 30) * DAY
    common = (
        "seconds",
        "minutes",
        "hours",
        "days",
        "mixed",
        "carry-over",
        "leading-zeros",
        "zero-components",
    )
    yield must(
        f"{timer.slug}-syntax",
        f"A {timer.parameter} that no reading of ISO 8601 durations parses is refused.",
        f"{DOCUMENT}: ISO8601 duration; {_ERRORS[timer]}; ISO 8601-1:2019 5.5.2",
        *_refused(timer, "syntax"),
        aspect=Aspect.SYNTAX,
        field=timer,
        evidence=refuses("syntax", timer),
    )
    yield must(
        f"{timer.slug}-minimum",
        f"A {timer.parameter} shorter than {words} is refused, however it is spelled.",
        f"{DOCUMENT}: minimum {words}; {_ERRORS[timer]}",
        *_by_notation(timer, "below-", "shorter than the minimum", below),
        value_class(
            timer,
            "timer/below",
            "just below the minimum, in any unit and mix of units",
            ("PT59.999S" if timer is INACTIVE else "PT9M59.999S",),
            lambda: durations_near(minimum, side="below"),
            rare=True,
        ),
        *_refused(timer, "minimum"),
        aspect=Aspect.CONTENT,
        field=timer,
        evidence=refuses("minimum", timer),
    )
    yield must(
        f"{timer.slug}-boundary",
        f"A {timer.parameter} of exactly {words}, or just above, is accepted, however it is spelled.",
        f"{DOCUMENT}: minimum {words}; {_ERRORS[timer]}: greater or equal",
        *_by_notation(timer, "minimum-", "exactly the minimum", at_minimum),
        value_class(
            timer,
            "timer/at-minimum",
            "exactly the minimum, in any unit and mix of units",
            ("PT0H0M60S" if timer is INACTIVE else "PT0H9M60S",),
            lambda: durations_near(minimum, side="at"),
            rare=True,
        ),
        value_class(
            timer,
            "timer/above-minimum",
            "just above the minimum",
            ("PT1M1S", "PT61S") if timer is INACTIVE else ("PT10M1S", "PT601S"),
            lambda: durations_near(minimum, side="above"),
        ),
        aspect=Aspect.ACCEPTANCE,
        field=timer,
        evidence=accepts("boundary", timer, "no value at the minimum was accepted"),
    )
    yield must(
        f"{timer.slug}-accept",
        f"A {timer.parameter} that every reading parses and finds long enough is accepted.",
        f"{DOCUMENT}; {_ERRORS[timer]}: PT10M and P1D are good examples",
        *_by_notation(timer, "", "long enough", accepted(timer)),
        value_class(
            timer,
            "timer/any-length",
            "any length up to a month, in the notations that every reading knows",
            ("PT18M37S",),
            lambda: durations(min_value=minimum, max_value=ceiling, notations=common),
            rare=True,
        ),
        aspect=Aspect.ACCEPTANCE,
        field=timer,
        evidence=accepts("accept", timer, "no update of this timer was accepted"),
    )
    yield must(
        f"{timer.slug}-echo",
        f"A {timer.parameter} that was accepted comes back as the same length, without blanks.",
        f"{DOCUMENT}: {timer.attribute}",
        value_class(
            timer,
            "timer/echo",
            "values that a normalising target is likely to rewrite",
            (
                "PT75M",
                "PT3601S",
                "PT36H",
                "P1DT1S",
                "PT1H1M1S",
                "PT601S",
                "PT86399S",
                "P13DT59M",
                "PT999M",
                "PT0H61M",
            ),
            lambda: durations(min_value=minimum, max_value=ceiling, notations=common),
        ),
        aspect=Aspect.ECHO,
        field=timer,
        evidence=proved(Proof.ECHOED, NOT_SHOWN, timer),
    )
    yield should(
        f"{timer.slug}-notation",
        f"A {timer.parameter} in any notation of ISO 8601-1 is accepted, and comes back as the same length.",
        f"{DOCUMENT}: ISO8601 duration; ISO 8601-1:2019 5.5.2.3, weeks, years, months, decimal fractions",
        *_by_notation(timer, "", "a notation of ISO 8601-1 that some parsers lack", notations(timer)),
        value_class(
            timer,
            "timer/any-notation",
            "any length up to a month, in every notation of ISO 8601-1",
            ("PT12.25H",),
            lambda: durations(min_value=minimum, max_value=ceiling),
        ),
        aspect=Aspect.ACCEPTANCE,
        field=timer,
        evidence=accepts("notation", timer, "no value in such a notation was accepted"),
    )
    yield should(
        f"{timer.slug}-strictness",
        f"A {timer.parameter} that is a duration only by a looser reading than ISO 8601-1 is refused.",
        f"{DOCUMENT}: ISO8601 duration; ISO 8601-1:2019 5.5.2",
        *_refused(timer, "strictness"),
        value_class(
            timer,
            "timer/other-zeros",
            "zero, other than the PT0S of the support article",
            ("PT0M", "P0D", "PT0H0M0S", "P0W", "P0Y", "PT0.0S", "PT00S", "P0DT0S", "PT0H"),
            rare=True,
        ),
        aspect=Aspect.ACCEPTANCE,
        field=timer,
        evidence=refuses("strictness", timer),
    )


RULES = tuple(rule for timer in TIMERS for rule in _rules(timer))

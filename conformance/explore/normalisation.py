"""Finds the rule behind echoes: of many rules, from plain to elaborate, the one that explains most of them."""

from collections.abc import Callable, Sequence
from decimal import ROUND_DOWN, ROUND_HALF_UP, Context, Decimal, localcontext
from itertools import chain
from types import EllipsisType

from conformance.explore.notations import nominal_seconds
from conformance.explore.values import Answer, CounterExample, Normalisation
from conformance.oracle.decisions import BLANKS
from conformance.oracle.durations import DAY, read

Rule = Callable[[str], str | EllipsisType | None]
"""The echo of a text; `...` where the rule says nothing, as of a month in days."""

SHOWN = 5
"""Counter-examples that are kept."""

LONGEST = 200
"""The most characters of a text that is compared; longer ones show nothing new."""


def _plain(number: Decimal) -> str:
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _parts(seconds: Decimal, *units: tuple[str, int]) -> str:
    """Return a length in the given units, the greatest first, and in seconds; units of none are left out."""
    date = time = ""
    for letter, size in units:
        count, seconds = divmod(seconds, size)
        part = f"{_plain(count)}{letter}" if count else ""
        date, time = (date + part, time) if letter in "WD" else (date, time + part)
    if seconds:
        time += f"{_plain(seconds)}S"
    return f"P{date}T{time}" if time else f"P{date}" if date else "PT0S"


_HOURS = (("H", 3600), ("M", 60))


def _in_full(seconds: Decimal) -> str:
    days, rest = divmod(seconds, DAY)
    hours, rest = divmod(rest, 3600)
    minutes, rest = divmod(rest, 60)
    return f"P0Y0M{_plain(days)}DT{_plain(hours)}H{_plain(minutes)}M{_plain(rest)}S"


_FORMS: tuple[tuple[str, Callable[[Decimal], str]], ...] = (
    ("hours", lambda seconds: _parts(seconds, *_HOURS)),
    ("days", lambda seconds: _parts(seconds, ("D", DAY), *_HOURS)),
    ("weeks and days", lambda seconds: _parts(seconds, ("W", 7 * DAY), ("D", DAY), *_HOURS)),
    (
        "whole weeks",
        lambda seconds: (
            f"P{_plain(seconds // (7 * DAY))}W"
            if seconds and not seconds % (7 * DAY)
            else _parts(seconds, ("D", DAY), *_HOURS)
        ),
    ),
    ("minutes", lambda seconds: _parts(seconds, ("M", 60))),
    ("total-seconds", lambda seconds: f"PT{_plain(seconds)}S"),
    (
        "total-seconds with a decimal",
        lambda seconds: f"PT{_plain(seconds)}S" if seconds % 1 else f"PT{seconds:.1f}S",
    ),
    ("every component", _in_full),
)
"""Canonical spellings, named by the greatest unit that they use."""

_EXACT = Context(prec=400)
_PRECISIONS: tuple[tuple[str, str, str], ...] = tuple(
    (f", {word} to {unit}", exponent, rounding)
    for unit, exponent in (("seconds", "1"), ("milliseconds", "0.001"), ("microseconds", "0.000001"))
    for word, rounding in (("truncated", ROUND_DOWN), ("rounded", ROUND_HALF_UP))
)


def _canonical(form: Callable[[Decimal], str], exponent: str = "", rounding: str = ROUND_DOWN) -> Rule:
    def rule(text: str) -> str | EllipsisType:
        length = next(iter(read(text.strip(BLANKS)).values()), None)
        if length is None or length.low != length.high or length.low < 0:
            return ...  # a month or a year has no one canonical length
        with localcontext(_EXACT):
            seconds = length.low if not exponent else length.low.quantize(Decimal(exponent), rounding)
            return form(seconds)

    return rule


def _canonical_if_whole(form: Callable[[Decimal], str]) -> Rule:
    canonical = _canonical(form)

    def rule(text: str) -> str | EllipsisType:
        lengths = read(text.strip(BLANKS)).values()
        whole = all(length.low == length.high == length.low.to_integral_value() for length in lengths)
        return canonical(text) if lengths and whole else text  # type: ignore[return-value]  # it never says null

    return rule


_RULES: tuple[tuple[str, Rule], ...] = (
    ("verbatim", lambda text: text),
    ("trimmed", lambda text: text.strip(BLANKS)),
    ("upper-cased", lambda text: text.upper()),
    ("trimmed and upper-cased", lambda text: text.strip(BLANKS).upper()),
    *((name, _canonical(form)) for name, form in _FORMS),
    *(
        (f"{name}, other than fractions, months and years", _canonical_if_whole(form))
        for name, form in _FORMS
    ),
    *(
        (name + how, _canonical(form, exponent, rounding))
        for how, exponent, rounding in _PRECISIONS
        for name, form in _FORMS
    ),
)


def normalisation(answers: Sequence[Answer]) -> Normalisation:
    """Return the rule that explains most echoes of accepted values; of several that explain as many, the plainest."""
    pairs = [
        (answer.text, answer.echo) for answer in answers if answer.accepted and len(answer.text) <= LONGEST
    ]
    if not pairs:
        return Normalisation(rule="unknown", agreement=0.0, echoes=0)
    best: tuple[float, str, list[CounterExample]] | None = None
    for name, rule in chain(_of_these(pairs), _RULES):
        said = [(sent, echo, rule(sent)) for sent, echo in pairs]
        wrong = [
            CounterExample(sent=sent, echo=echo, expected=expected)
            for sent, echo, expected in said
            if expected is not ... and expected != echo
        ]
        # An echo on which a rule says nothing is half unexplained.
        cost = len(wrong) + sum(expected is ... for *_, expected in said) / 2
        if best is None or cost < best[0]:
            best = (cost, name, wrong)
    assert best is not None
    _, name, wrong = best
    agreement = 1 - len(wrong) / len(pairs)
    return Normalisation(
        rule=name if agreement > 0.5 else "no known rule",
        agreement=agreement,
        echoes=len(pairs),
        counter_examples=tuple(sorted(wrong, key=lambda each: (len(each.sent), each.sent))[:SHOWN]),
    )


def _of_these(pairs: Sequence[tuple[str, str | None]]) -> list[tuple[str, Rule]]:
    """Return rules that depend on the echoes: always the same, nothing, or cut after so many characters."""
    echoes = {echo for _, echo in pairs}
    first = pairs[0][1]
    if len(echoes) == 1 and len(pairs) > 1:
        name = "nothing comes back" if first is None else f"always {first}"
        return [(name, lambda text: first)]
    changed = {sent: echo for sent, echo in pairs if sent != echo}
    nothing = next(iter(changed.values()), None)
    if len(set(changed.values())) == 1 and nominal_seconds(nothing or "PT0S") == 0:
        name = f"verbatim, but {nothing or 'null'} for what is taken for a zero"
        return [_RULES[0], (name, lambda text: changed.get(text, text))]
    longest = max(len(echo or "") for echo in echoes)
    if longest < max(len(sent) for sent, _ in pairs):
        return [_RULES[0], (f"cut after {longest} characters", lambda text: text[:longest])]
    return []

"""Rules about the two SIDs: they must match the documented pattern, and come back as they were set."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from hypothesis.strategies import SearchStrategy, just

from conformance.http import update
from conformance.model import SIDS, Aspect, Evidence, Field, InputClass, Probe, Rule, Situation
from conformance.oracle.mismatches import Proof
from conformance.rules.evidence import accepts, proved, refuses
from conformance.rules.probes import DOCUMENT, by_turns, joined, sid_for, single, value_class, value_probe
from conformance.rules.rows import must, should
from conformance_strategies import INVALID_SID_CLASSES, invalid_sids, sids

_SPELLINGS = {
    "lower-case": ("0123456789abcdef0123456789abcdef", "deadbeefdeadbeefdeadbeef00000001"),
    "upper-case": ("0123456789ABCDEF0123456789ABCDEF", "DEADBEEFDEADBEEFDEADBEEF00000001"),
    "mixed-case": ("0123456789abcdefABCDEF0123456789", "aAbBcCdDeEfF0123456789aAbBcCdDeE"),
    "digits": ("01234567890123456789012345678901", "10000000000000000000000000000000"),
    "letters": ("abcdefabcdefabcdefabcdefabcdefab", "ABCDEFABCDEFABCDEFABCDEFABCDEFAB"),
    "extremes": ("0" * 32, "f" * 32, "F" * 32, "9" * 32, "1e" + "9" * 30),
}

FIVE = ("lower-case", "upper-case", "mixed-case", "digits", "letters")
"""The spellings with which a run finds out whether the target accepts SIDs of unknown services."""


def unprovisioned(target_field: Field) -> Mapping[str, str]:
    """Return well-formed SIDs that hardly any service has, one for each spelling in `FIVE`."""
    return {name: target_field.prefix + _SPELLINGS[name][0] for name in FIVE}


def _well_formed(target_field: Field, name: str, digits: Sequence[str]) -> InputClass:
    values = tuple(target_field.prefix + each for each in digits)

    def examples(situation: Situation) -> Sequence[Probe]:
        known = situation.sids.get(target_field.parameter)
        return [value_probe(target_field, value) for value in (values if known is None else sorted(known))]

    return InputClass(f"sid/{name}", f"matches the pattern, in {name.replace('-', ' ')}", examples)


def _echo(target_field: Field) -> InputClass:
    return _well_formed(
        target_field, "echo", ("AbCdEf0123456789aBcDeF9876543210", "00112233445566778899aabbccddeeff")
    )


def _any(target_field: Field) -> InputClass:
    def strategy(situation: Situation) -> SearchStrategy[Probe]:
        known = situation.sids.get(target_field.parameter)
        if known is None:
            return sids(target_field.prefix).map(lambda value: value_probe(target_field, value))
        return just(value_probe(target_field, min(known, default=target_field.prefix + "a" * 32)))

    cls = _well_formed(target_field, "any", ("a" * 32,))
    return replace(cls, reason="matches the pattern", strategy=strategy)


_TOGETHER = {
    "control-characters": ("nul-inside", "control-character", "invisible-character"),
    "number-syntax": ("number-syntax", "percent-literal"),
    "punctuation": ("uuid", "punctuation"),
    "non-ascii": ("non-ascii-digits", "non-ascii-letters"),
    "too-short": ("one-short", "short", "bare-prefix"),
    "too-long": ("one-long", "long"),
}
"""By input class, the strategies' classes that it joins: a check gets all of them wrong, or none."""


_COMMON = frozenset(
    {
        "letter-beyond-f",
        "lower-case-prefix",
        "missing-prefix",
        "newline-around",
        "other-service-prefix",
        "too-long",
        "too-short",
        "trailing-character",
        "wrong-letters",
    }
)
"""Classes of malformed SIDs that many implementers take; the others are rare, as `InputClass` says."""


def _refused(target_field: Field, *wanted: str) -> tuple[InputClass, ...]:
    names = [name for name, each in INVALID_SID_CLASSES.items() if each.group in wanted]
    groups = joined(names, _TOGETHER)
    return tuple(_invalid_class(target_field, group, parts) for group, parts in groups.items())


def _invalid_class(target_field: Field, name: str, parts: Sequence[str]) -> InputClass:
    classes = [INVALID_SID_CLASSES[part] for part in parts]
    # A prefix with one wrong letter also catches a check of the other letter alone.
    first = ("X" + target_field.prefix[1] + "a" * 32,) if name == "wrong-letters" else ()
    return value_class(
        target_field,
        f"sid/{name}",
        "; ".join(each.reason for each in classes),
        (*first, *by_turns(each.examples(target_field.prefix) for each in classes)),
        lambda: invalid_sids(target_field.prefix, classes=parts),
        rare=name not in _COMMON,
    )


_DIGITS = "0123456789abcdefABCDEF"

EDGES = "gG`@/:"
"""The characters just outside the hexadecimal digits, at each edge of `0-9`, `A-F` and `a-f`."""

_ROUNDS = (0, 3, 1, 4, 2, 5)
"""By how much each round moves on in `EDGES`: any three positions in a row see all of them in two rounds."""


def latin_square(number: int) -> str:
    """
    Return 32 hexadecimal digits: one row of a Latin square of all 22.

    Rows 0 to 21 together have every digit at every position, once. The step from one position to the next is coprime
    with 22, so a row does not read like a sequence.
    """
    return "".join(_DIGITS[(number + 7 * position) % len(_DIGITS)] for position in range(32))


def outside(number: int) -> str:
    """Return 32 characters with one wrong one: at position `number`, each of `EDGES` in six rounds."""
    turn, position = divmod(number, 32)
    digits = latin_square(number)
    return digits[:position] + EDGES[(position + _ROUNDS[turn]) % len(EDGES)] + digits[position + 1 :]


_HYPHENS = tuple(latin_square(each)[:each] + "-" + latin_square(each)[each + 1 :] for each in (16, 8, 12, 20))
"""32 characters with a hyphen where a UUID has one after as many digits."""


_TWICE = outside(4)[:16] + outside(20)[16:]
"""32 characters with two wrong ones, in different halves."""


def _every_position(target_field: Field) -> InputClass:
    # The middle comes first: a check that overlooks one character seldom overlooks the first.
    order = sorted(range(32 * len(_ROUNDS)), key=lambda number: (number // 32, (number + 16) % 32))
    return value_class(
        target_field,
        "sid/every-position",
        "each character just outside the hexadecimal digits, at every position",
        [target_field.prefix + each for each in (*_HYPHENS[:1], *map(outside, order), _TWICE, *_HYPHENS[1:])],
        whole=True,
    )


def _lengths(target_field: Field) -> InputClass:
    lengths = (66, 290, 18, 258, 65_570, 130, 35, 33, 32, 64, 128, 256, 512)
    return value_class(
        target_field,
        "sid/lengths",
        "lengths at and around powers of two, the prefix counted or not, or the right one and a power of two more",
        [target_field.prefix + (latin_square(length) * 2_049)[: length - 2] for length in lengths],
        rare=True,
        whole=True,
    )


def _of_this_run(target_field: Field) -> InputClass:
    """Return the class of SIDs that the target knows as others: the account's own, and that of the other setting."""

    def examples(situation: Situation) -> Sequence[Probe]:
        other = next(each for each in SIDS if each is not target_field)
        held = sid_for(other, situation, "beef")
        # The accounts take turns, and the first of these is sent by the second account: so each sends its own.
        accounts = (*situation.account_sids[1:], *situation.account_sids[:1])
        own = [value_probe(target_field, each) for each in accounts]
        if held is None:
            return own
        return [single(update((other.parameter, held)), update((target_field.parameter, held))), *own]

    return InputClass(
        "sid/of-this-run",
        "a SID that the target knows, but of another kind: the account's, or the other service's",
        examples,
        rare=True,
        whole=True,
    )


_UNKNOWN = "no SID that was sent was accepted and shown; a target that knows its own services alone needs one by name"


def _verbatim(about: Field) -> Evidence:
    """Return the evidence that an answer was the first to show a SID with letters of both cases after its prefix."""
    shown = proved(Proof.ECHOED, _UNKNOWN, about)
    return Evidence(
        _UNKNOWN,
        lambda reply: (
            shown.seen(reply)
            and all(
                re.search(letters, dict(reply.form or ()).get(about.parameter, "")[2:])
                for letters in ("[a-f]", "[A-F]")
            )
        ),
    )


_DESIGNED = {"prefix": (_of_this_run,), "length": (_lengths,), "alphabet": (_every_position,)}


def _rules(target_field: Field) -> Iterator[Rule]:
    slug, parameter, prefix = target_field.slug, target_field.parameter, target_field.prefix
    pattern = f"{DOCUMENT}: length 34, ^{prefix}[0-9a-fA-F]{{32}}$"
    # Even a careless target checks the prefix. One that does not will check nothing else, so this claim comes first.
    for group, aspect, statement in (
        ("prefix", Aspect.SYNTAX, f"that does not begin with {prefix}"),
        ("length", Aspect.CONTENT, "that is not 34 characters long"),
        ("alphabet", Aspect.CONTENT, "with anything but ASCII hexadecimal digits after the prefix"),
        ("anchoring", Aspect.CONTENT, "that only contains a SID"),
    ):
        yield must(
            f"{slug}-{group}",
            f"A {parameter} {statement} is refused.",
            pattern,
            *_refused(target_field, group),
            *(each(target_field) for each in _DESIGNED.get(group, ())),
            aspect=aspect,
            field=target_field,
            evidence=refuses(group, target_field),
        )
    yield must(
        f"{slug}-accept",
        f"A {parameter} that matches the pattern is accepted, unless the target refuses unknown services.",
        pattern,
        *(_well_formed(target_field, name, digits) for name, digits in _SPELLINGS.items()),
        replace(
            _well_formed(target_field, "every-digit", [latin_square(row) for row in range(len(_DIGITS))]),
            whole=True,
        ),
        _any(target_field),
        aspect=Aspect.ACCEPTANCE,
        field=target_field,
        evidence=accepts("accept", target_field, _UNKNOWN),
    )
    yield must(
        f"{slug}-echo",
        f"A {parameter} that was accepted comes back without blanks, equal but for the case of digits.",
        f"{DOCUMENT}: {target_field.attribute}",
        _echo(target_field),
        aspect=Aspect.ECHO,
        field=target_field,
        evidence=proved(Proof.ECHOED, _UNKNOWN, target_field),
    )
    yield should(
        f"{slug}-verbatim",
        f"A {parameter} that was accepted comes back in the case it was sent in.",
        f"{DOCUMENT}: SIDs are opaque identifiers",
        _echo(target_field),
        aspect=Aspect.CONSISTENCY,
        field=target_field,
        evidence=_verbatim(target_field),
    )
    yield should(
        f"{slug}-strictness",
        f"An empty {parameter}, or one with blanks around it, is refused.",
        f"{pattern}; some frameworks trim",
        *_refused(target_field, "blanks", "empty"),
        aspect=Aspect.ACCEPTANCE,
        field=target_field,
        evidence=refuses("strictness", target_field),
    )


RULES = tuple(rule for target_field in SIDS for rule in _rules(target_field))

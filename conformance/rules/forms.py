"""Rules about several parameters in one form: any subset, any order, and all or nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from itertools import combinations, permutations

from hypothesis.strategies import SearchStrategy

from conformance.http import EMPTY, Exchange, Pairs, Request, update
from conformance.model import (
    BY_PARAMETER,
    CHAT,
    CLOSED,
    INACTIVE,
    MESSAGING,
    PARAMETERS,
    SIDS,
    TIMERS,
    Aspect,
    Evidence,
    Field,
    InputClass,
    Probe,
    Situation,
    Violation,
)
from conformance.oracle.decisions import Answer, decide_value
from conformance.oracle.mismatches import Kind
from conformance.rules.evidence import is_accepted, object_in, proved
from conformance.rules.probes import DOCUMENT, LONG_CLOSED, example_probes, look, sid_for, single
from conformance.rules.rows import must
from conformance_strategies import forms

GOOD_FORMS = "form/subset"
"""The input class of updates that must be accepted."""


def pairs_for(situation: Situation, index: int = 0) -> Pairs:
    """Return all four parameters in the order of the document's table, with valid values that differ for each index."""
    values = {
        CHAT: sid_for(CHAT, situation, f"c{index:x}"),
        MESSAGING: sid_for(MESSAGING, situation, f"d{index:x}"),
        INACTIVE: f"PT{20 + index}M7S",
        CLOSED: f"P{16 + index % 12}DT{1 + index}M",
    }
    return tuple((each.parameter, value) for each, value in values.items() if value is not None)


def other_pairs(situation: Situation, pairs: Iterable[tuple[str, str]]) -> Pairs:
    """Return the same parameters, without undocumented ones, with valid values that a run sends in nothing else."""
    names = dict(pairs)
    return tuple(pair for pair in pairs_for(situation, 7) if pair[0] in names)


def _subsets(situation: Situation) -> Sequence[Probe]:
    pairs = pairs_for(situation, 1)
    first, *others = [update(*subset) for size in (2, 4, 3, 1) for subset in combinations(pairs, size)]
    return [single(each, context=(LONG_CLOSED,)) for each in (first, *_full_blocks(situation), *others)]


def _full_blocks(situation: Situation) -> Sequence[Request]:
    """Return forms of 64 and 128 bytes: what reads a body in blocks may lose the last byte of a full one."""
    sid = sid_for(MESSAGING, situation, "b10c")
    of_64 = update((INACTIVE.parameter, "PT13H13M3S"), (CLOSED.parameter, "P1DT13H13M13S"))
    if sid is None:
        return [of_64]
    timers = (INACTIVE.parameter, "PT13H14M13S"), (CLOSED.parameter, "P13DT13H13M13S")
    return [of_64, update((MESSAGING.parameter, sid), *timers)]


def _orders(situation: Situation) -> Sequence[Probe]:
    pairs = pairs_for(situation, 2)
    return [single(update(*order)) for order in reversed(list(permutations(pairs)))]


_INVALID = {
    INACTIVE: ("PT17S", "banana"),
    CLOSED: ("PT7M", "PT10"),
    CHAT: ("IS123", "MG" + "b" * 32),
    MESSAGING: ("MGxyz", "IS" + "b" * 32),
}


def _beside_valid(bad: Field, situation: Situation) -> Sequence[Probe]:
    """Return forms with one invalid parameter after or before valid ones. None of their values may be written."""
    at = list(_INVALID).index(bad)
    probes = []
    for value in _INVALID[bad]:
        valid = tuple(pair for pair in pairs_for(situation, 8 + at) if pair[0] != bad.parameter)
        invalid = (bad.parameter, value)
        probes += [
            single(update(*form), look(bad), context=(LONG_CLOSED,))
            for form in ((*valid, invalid), (invalid, *valid), (valid[0], invalid), (invalid, valid[-1]))
        ]
    # A quick run sends the first form alone: it reads the settings now and then anyway.
    return [replace(probes[0], steps=probes[0].steps[:1]), *probes[1:]]


def _two_invalid(situation: Situation) -> Sequence[Probe]:
    """Return forms with exactly two invalid parameters, in both orders, or one beside a repeated or an equal one."""
    probes = []
    for number, (one, other) in enumerate(combinations(_INVALID, 2)):
        first, second = ((each.parameter, _INVALID[each][number % 2]) for each in (one, other))
        others = [pair for pair in pairs_for(situation, 12 + number) if pair[0] not in (first[0], second[0])]
        good = others[:1]  # none where both are timers, and the target knows no SID
        probes += [update(first, second), update(second, *good, first)]
    for number, (bad, other) in enumerate(permutations(_INVALID, 2)):
        invalid = (bad.parameter, _INVALID[bad][number % 2])
        repeated = [pair for pair in pairs_for(situation, 12 + number) if pair[0] == other.parameter] * 2
        probes.append(update(*repeated, invalid) if number % 2 else update(invalid, *repeated))
    exchanged = [(CHAT.parameter, MESSAGING.prefix + "b" * 32), (MESSAGING.parameter, CHAT.prefix + "c" * 32)]
    probes += [update(*exchanged), update(*exchanged[::-1])]
    for names, value in (
        (TIMERS, "PT59S"),
        (TIMERS, "PT5M"),
        (SIDS, CHAT.prefix + "5a" * 16),
        (SIDS, MESSAGING.prefix + "5b" * 16),
    ):
        same = [(each.parameter, value) for each in names]
        probes += [update(*same), update(*same[::-1])]
    return [
        *(single(each, context=(LONG_CLOSED,)) for each in probes),
        *(_beside_unchanged(bad, situation) for bad in _INVALID),
    ]


def _beside_unchanged(bad: Field, situation: Situation) -> Probe:
    """Return an invalid parameter beside valid ones that are in force: a target may find nothing to check there."""
    valid = [pair for pair in pairs_for(situation, 27) if pair[0] != bad.parameter]
    return single(update(*valid), update(*valid, (bad.parameter, _INVALID[bad][1])))


def _equal(situation: Situation) -> Sequence[Probe]:
    """Return forms in which two settings have the same value, or the same but for the prefix or the spelling."""
    sids = [(each.parameter, sid_for(each, situation, "5a3eDe9b")) for each in (CHAT, MESSAGING)]
    known = tuple((name, value) for name, value in sids if value is not None)
    timers = (
        ((INACTIVE.parameter, "PT20M"), (CLOSED.parameter, "PT20M")),
        ((CLOSED.parameter, "PT31M"), (INACTIVE.parameter, "PT31M")),
        ((INACTIVE.parameter, "PT32M"), (CLOSED.parameter, "PT1920S")),
        ((INACTIVE.parameter, "PT33M"), (CLOSED.parameter, "PT66M")),
        ((INACTIVE.parameter, "PT34M"), (CLOSED.parameter, "P1DT34M")),
    )
    return [
        *([single(update(*known)), single(update(*known[::-1], *timers[4]))] if len(known) > 1 else []),
        *(single(update(*pairs)) for pairs in timers),
    ]


def _drawn(situation: Situation, *, valid: bool) -> SearchStrategy[Probe]:
    """Return the strategy of forms; SIDs that the target accepts stand in place of those that it may refuse."""

    def probe(pairs: Pairs) -> Probe:
        fitted = []
        for name, value in pairs:
            known = situation.sids.get(name)
            well_formed = (
                known is not None and decide_value(BY_PARAMETER[name], value).answer is Answer.ACCEPT
            )
            if not well_formed:
                fitted.append((name, value))
            elif known:
                fitted.append((name, min(known)))
        return single(update(*fitted), context=(LONG_CLOSED,))

    return forms(valid=valid).map(lambda form: probe(form.pairs))


_SEVERAL = Evidence(
    "no update of several parameters was accepted",
    lambda reply: is_accepted(reply) and len(dict(reply.form or ())) > 1 and object_in(reply) is not None,
)


def _is_in_order(pairs: Pairs) -> bool:
    places = [PARAMETERS.index(name) for name, _ in pairs if name in PARAMETERS]
    return places == sorted(places)


def _is_refused(exchange: Exchange, last: Exchange) -> bool:
    request = exchange.request
    own = request.auth.valid and request.account == last.request.account
    return exchange.refused and request.method == "POST" and own


REFUSED_WRITES = "rejected-update-changes-nothing"

RULES = (
    must(
        "any-subset",
        "Any subset of valid parameters is accepted in one update.",
        f"{DOCUMENT}: every parameter is optional; the example request sends all four",
        InputClass("form/documented", "the documented example request", example_probes),
        InputClass(
            GOOD_FORMS,
            "every subset of the four parameters",
            _subsets,
            strategy=lambda situation: _drawn(situation, valid=True),
        ),
        InputClass(
            "form/equal",
            "two settings with the same value, but for the prefix or the spelling",
            _equal,
            whole=True,
        ),
        group="forms",
        aspect=Aspect.ACCEPTANCE,
        evidence=_SEVERAL,
    ),
    must(
        "parameter-order",
        "The order of the parameters changes neither whether they are accepted nor what is stored.",
        f"{DOCUMENT}; the vendor's clients send them in different orders",
        InputClass("form/order", "every order of the four parameters", _orders),
        group="forms",
        aspect=Aspect.ACCEPTANCE,
        evidence=Evidence(
            "no update of several parameters in another order than that of the document was accepted",
            lambda reply: _SEVERAL.seen(reply) and not _is_in_order(reply.form or ()),
        ),
    ),
    must(
        REFUSED_WRITES,
        "After a refused update every setting is as it was.",
        "RFC 9110 15.5: the request failed; a 4xx that wrote would be neither refused nor accepted",
        *(
            InputClass(
                f"form/invalid-{bad.slug}",
                f"an invalid {bad.parameter} after or before valid parameters",
                partial(_beside_valid, bad),
            )
            for bad in _INVALID
        ),
        InputClass(
            "form/two-invalid",
            "two invalid parameters, or one beside a repeated one, an equal one, or what is in force already",
            _two_invalid,
            whole=True,
        ),
        InputClass(
            "form/one-invalid",
            "forms with at least one invalid parameter; an update after each shows the settings",
            lambda situation: (single(EMPTY),),
            strategy=lambda situation: _drawn(situation, valid=False),
        ),
        group="state",
        aspect=Aspect.STATE,
        evidence=proved(Kind.REFUSED, "no setting that a run had set was shown after a refused update"),
        culprit=_is_refused,
    ),
)


def several_refused(violation: Violation) -> Violation:
    """Return the violation that good updates are refused one after the other, and not only at the same moment."""
    return replace(violation, rule="any-subset")

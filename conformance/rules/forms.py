"""Rules about parameters together: any subset, any order, and all or nothing."""

from collections.abc import Iterator, Sequence
from itertools import combinations, permutations

from conformance_strategies import forms
from hypothesis.strategies import SearchStrategy

from conformance.model import (
    BY_PARAMETER,
    CHAT,
    CLOSED,
    EXAMPLE,
    INACTIVE,
    MESSAGING,
    InputClass,
    Level,
    Pairs,
    Probe,
    Rule,
    Situation,
    update,
)
from conformance.oracle import Answer, decide_value
from conformance.rules.probes import LONG_CLOSED, look, sid_for, single

_DOCUMENT = "https://www.twilio.com/docs/conversations-classic/api/configuration-resource"


def pairs_for(situation: Situation, index: int = 0) -> Pairs:
    """All four parameters with valid values of their own for each index, in the order of the document's table."""
    values = {
        CHAT: sid_for(CHAT, situation, f"c{index:x}"),
        MESSAGING: sid_for(MESSAGING, situation, f"d{index:x}"),
        INACTIVE: f"PT{20 + index}M7S",
        CLOSED: f"P{16 + index % 12}DT{1 + index}M",
    }
    return tuple((each.parameter, value) for each, value in values.items() if value is not None)


def _subsets(situation: Situation) -> Sequence[Probe]:
    pairs = pairs_for(situation, 1)
    return [
        single(update(*subset), context=(LONG_CLOSED,))
        for size in (4, 2, 3, 1)
        for subset in combinations(pairs, size)
    ]


def _example(situation: Situation) -> Sequence[Probe]:
    known = [(name, value) for name, value in EXAMPLE.items() if value in situation.sids.get(name, {value})]
    return [single(update(*known))]


def _orders(situation: Situation) -> Sequence[Probe]:
    pairs = pairs_for(situation, 2)
    return [single(update(*order)) for order in reversed(list(permutations(pairs)))]


_INVALID = {
    INACTIVE: ("banana", "PT17S"),
    CLOSED: ("PT10", "PT7M"),
    CHAT: ("IS123", "MG" + "b" * 32),
    MESSAGING: ("MGxyz", "IS" + "b" * 32),
}


def _beside_valid(situation: Situation) -> Iterator[Probe]:
    """One invalid parameter among valid ones, first and last; then an update that shows what was written."""
    for at, (bad, values) in enumerate(_INVALID.items()):
        before, attempted = pairs_for(situation, 3 + at), pairs_for(situation, 8 + at)
        valid = tuple(pair for pair in attempted if pair[0] != bad.parameter)
        for value in values:
            invalid = (bad.parameter, value)
            for form in ((invalid, *valid), (*valid, invalid), (valid[0], invalid), (invalid, valid[-1])):
                yield single(update(*before), update(*form), look(bad))


def _drawn(situation: Situation, *, valid: bool) -> SearchStrategy[Probe]:
    """Forms as the strategies draw them, with the SIDs that the target takes in place of those it may refuse."""

    def probe(pairs: Pairs) -> Probe:
        fitted = []
        for name, value in pairs:
            known = situation.sids.get(name)
            well_formed = known is not None and decide_value(BY_PARAMETER[name], value).answer is Answer.ACCEPT
            if not well_formed:
                fitted.append((name, value))
            elif known:
                fitted.append((name, min(known)))
        return single(update(*fitted), context=(LONG_CLOSED,))

    return forms(valid=valid).map(lambda form: probe(form.pairs))


RULES = (
    Rule(
        id="any-subset",
        group="forms",
        level=Level.MUST,
        statement="Any subset of valid parameters is accepted in one update.",
        source=f"{_DOCUMENT}: every parameter is optional; the example request sends all four",
        classes=(
            InputClass(id="form/documented", reason="the documented example request", examples=_example),
            InputClass(
                id="form/subset",
                reason="every subset of the four parameters",
                examples=_subsets,
                strategy=lambda situation: _drawn(situation, valid=True),
            ),
        ),
    ),
    Rule(
        id="parameter-order",
        group="forms",
        level=Level.MUST,
        statement="The order of the parameters changes neither whether they are accepted nor what is stored.",
        source=f"{_DOCUMENT}; the vendor's clients send them in different orders",
        classes=(InputClass(id="form/order", reason="every order of the four parameters", examples=_orders),),
    ),
    Rule(
        id="rejected-update-changes-nothing",
        group="state",
        level=Level.MUST,
        statement="After a refused update every setting is as it was.",
        source="RFC 9110 15.5: the request failed; a 4xx that wrote would be neither refused nor accepted",
        classes=(
            InputClass(
                id="form/invalid-beside-valid",
                reason="one invalid parameter first or last among valid ones",
                examples=lambda situation: tuple(_beside_valid(situation)),
                strategy=lambda situation: _drawn(situation, valid=False),
            ),
        ),
    ),
)

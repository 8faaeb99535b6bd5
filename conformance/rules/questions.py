"""
Questions that tell which rule a counterexample breaks, where several rules would explain it.

A good value can be refused for its own sake, or for the order of the form it came in; a setting that is no longer the
same can have been lost, reset, or only not shown. What the same target does with a request that differs in nothing
else tells. Each question is a generator: it yields requests, is sent what came of them, and returns the id of the rule
that is broken, or an empty text where the answer says nothing. So rules still send nothing themselves.
"""

import html
import re
from collections.abc import Generator, Iterator
from dataclasses import replace
from itertools import chain, islice, permutations
from urllib.parse import unquote

from conformance.http import NOT_ACCEPTABLE, Pairs, encode_form, update
from conformance.model import (
    BY_PARAMETER,
    FIELDS,
    PARAMETERS,
    Aspect,
    Level,
    Rule,
    Violation,
    shown_by,
    shown_of,
)
from conformance.oracle.decisions import Answer, decide_value, is_right, length_of
from conformance.rules.acceptance import is_acceptable
from conformance.rules.case import Asking, Case, Instead, Question, Requests, Seen
from conformance.rules.catalogue import BY_ID, CATALOGUE
from conformance.rules.controls import is_overridden, without_accept
from conformance.rules.forms import other_pairs, pairs_for
from conformance.rules.probes import ordinary

_ORDERS = 3
"""Other orders of the parameters that are tried."""

_LOST = ("previous-value", "missing", "changed", "swapped", "accepted")
"""Outcomes that a parameter which was not read would have."""


def culprit(case: Case) -> Asking:
    """Ask without a request that must change nothing: where the violation is gone then, the request has caused it."""
    last = case.exchanges[-1]
    refused = case.violation.outcome == "refused" and is_acceptable(last.request)
    failing = refused or case.aspect is Aspect.WIRE
    of_state = case.about is not None and case.aspect in _OF_STATE
    # What is in force does not matter to any other claim: an earlier request can only have harmed the connection.
    claimed = failing or of_state or case.aspect in _OF_ANSWERS
    if not (case.is_stable and claimed) or case.violation.outcome == "foreign-value":
        return ""
    for rule in CATALOGUE:
        if rule.culprit is None or of_state == (rule.aspect is Aspect.WIRE):
            continue
        places = [index for index, each in enumerate(case.exchanges[:-1]) if rule.culprit(each, last)]
        if of_state:
            # What came before the setting was set cannot have changed it.
            places = [index for index in places if index > case.written]
        if not places:
            continue
        without = tuple(each for index, each in enumerate(case.requests) if index not in places)
        if failing:
            # A failure that comes now and then, or after any request, comes after an ordinary one, too.
            harmless = tuple(
                ordinary(each) if index in places else each for index, each in enumerate(case.requests)
            )
            seen = yield harmless
            if case.is_gone(seen) or (seen is None and case.is_minimal):
                return rule.id
        elif case.is_minimal or without in case.failed or case.is_gone((yield without)):
            innocent = of_state and (yield from _is_kept_after(case, places[-1]))
            return "omitted-parameters-kept" if innocent else rule.id
    return ""


def _is_kept_after(case: Case, place: int) -> Generator[Requests, Seen | None, bool]:
    """Whether a read right after a request still shows the setting, so that the last update is what changes it."""
    if case.read is None or case.last.method != "POST" or case.violation.outcome in _WRITTEN:
        return False
    assert case.about is not None  # nothing else can have been kept
    # Where no update before says what the setting was, the answer to the request itself may.
    is_told = case.written < 0 and case.about.attribute in (shown_by(case.exchanges[place]) or {})
    if case.written < 0 and not is_told:
        return False
    seen = yield (*case.requests[: place + 1], case.read, *case.requests[place + 1 :])
    if seen is None or case.is_gone(seen):
        return False
    (now, _), (then, _) = seen[place + 1], seen[place]
    return shown_of(now, case.about) == shown_of(then, case.about) if is_told else case.is_kept(now)


_OF_STATE = (
    Aspect.STATE,
    Aspect.CONSISTENCY,
    Aspect.CREDENTIALS,
    Aspect.METHOD,
    Aspect.REPRESENTATION,  # of a value that comes back, which an earlier request may have written
)
_OF_ANSWERS = (Aspect.METHOD, Aspect.STATUS, Aspect.REPRESENTATION, Aspect.CONSISTENCY)
_WRITTEN = ("written", "foreign-value", "invalid-value")
"""Outcomes that say whose value is there now."""


def served(case: Case) -> Asking:
    """Ask for application/json: where that is served, `Accept: */*` is the cause, which every request carries."""
    wrong = case.exchanges[-1].status == NOT_ACCEPTABLE or case.violation.rule in ("media-type", "json-body")
    if wrong and not case.last.headers:
        seen = yield case.instead(replace(case.last, headers=(("Accept", "application/json"),)))
        return "accept-header" if case.is_gone(seen) else ""
    return ""


def ordered(case: Case) -> Asking:
    """Ask in other orders of the same parameters: one may do no harm, or harm another parameter."""
    about_own, outcome = is_about_own(case.violation), case.violation.outcome
    lost = about_own or outcome == "accepted"
    if case.violation.rule == "idempotence":
        return ""  # in another order it is another request
    if len(case.pairs) < 2 or not (lost or outcome == "refused"):
        return ""
    if outcome not in ("refused", *_LOST) or case.last.body != encode_form(case.pairs):
        return ""
    is_read = True
    if outcome == "accepted":
        seen = yield case.instead(replace(case.last, body=encode_form(_valid(case, case.pairs, 10))))
        # Where a valid value in its place is lost, the invalid one was never read.
        is_read = seen is None or not any(map(is_about_own, seen[-1][1]))
    found = ""
    for index, order in enumerate(_other_orders(case.pairs), 11):
        last = replace(case.last, body=encode_form(order if is_read else _valid(case, order, index)))
        # What is in force already cannot be seen to be lost. What the last place loses, the first one may keep.
        other = update(*_valid(case, order[::-1], 20 + index), account=last.account)
        before = (other,) if about_own or not is_read else ()
        seen = yield (*before, *case.instead(last))
        if seen is None or not case.is_gone(seen):
            continue
        harmed = [each for each in seen[-1][1] if is_about_own(each) or each.outcome == "accepted"]
        if outcome == "accepted" and any(each.outcome == "accepted" for each in harmed):
            continue  # the form is taken in any order: another of its values was named for it
        if not harmed:
            return "parameter-order"
        if all(each.field != case.violation.field for each in harmed):
            found = "any-subset"
    return found


def _valid(case: Case, pairs: Pairs, index: int) -> Pairs:
    """Return the same parameters with valid values that differ for each index."""
    valid = dict(pairs_for(case.situation, index))
    return tuple((name, valid.get(name, value)) for name, value in pairs)


def _other_orders(pairs: Pairs) -> Iterator[Pairs]:
    places = {name: place for place, name in enumerate(PARAMETERS)}
    documented = sorted(pairs, key=lambda pair: places.get(pair[0], len(places)))
    first = tuple(documented), tuple(sorted(pairs))
    # Of many parameters there are more orders than could be listed.
    orders = chain(first, islice(permutations(pairs), 1 + _ORDERS))
    yield from islice(dict.fromkeys(order for order in orders if order != pairs), _ORDERS)


def beside_others(case: Case) -> Asking:
    """Ask beside the other parameters: a value that is accepted there is refused for being sent without them."""
    rule = BY_ID[case.violation.rule]
    if case.violation.outcome != "refused" or rule.aspect is not Aspect.ACCEPTANCE or rule.field is None:
        return ""
    if len(case.pairs) > 1:  # none of them was refused alone, or the counterexample would be smaller
        return "any-subset"
    # A target that refuses every SID by itself may take one beside the other parameters.
    some = replace(case.situation, sids={name: sids for name, sids in case.situation.sids.items() if sids})
    for others in dict.fromkeys(pairs_for(situation, 7) for situation in (case.situation, some)):
        beside = {**dict(others), **dict(case.pairs)}
        seen = yield case.instead(replace(case.last, body=encode_form(tuple(beside.items()))))
        if case.is_gone(seen):
            return "any-subset"
    return ""


def in_force(case: Case) -> Asking:
    """Ask with other values in force: an update that is accepted then is refused for setting what is there already."""
    again = len(case.requests) > 1 and case.requests[-2] == case.last and case.exchanges[-2].accepted
    claimed = case.violation.rule == "idempotence"
    if case.violation.outcome != "refused" or not (again or claimed):
        return ""
    # Each by itself, for a target may refuse several together.
    others = other_pairs(case.situation, case.pairs)
    seen = yield (*(update(pair, account=case.last.account) for pair in others), case.last)
    if case.is_gone(seen):
        return "idempotence"
    refused = (each.rule for each in seen[-1][1] if each.outcome == "refused") if seen and claimed else ()
    return next(iter(refused), "")


def sent_plainly(case: Case) -> Asking:
    """Ask as most clients do, by the same form: where that does better, the peculiar way is not understood."""
    if not case.pairs or not case.last.auth.valid:
        return ""
    state = case.aspect is Aspect.STATE
    about_value = state or is_about_own(case.violation) or case.violation.outcome in ("accepted", "refused")
    about_answer = case.aspect in (Aspect.REPRESENTATION, Aspect.STATUS)
    ways = [
        (rule, plain)
        for rule in CATALOGUE
        if rule.control is not None and (plain := rule.control(case.last)) is not None
    ]
    must_be_refused = case.violation.outcome == "accepted" and BY_ID[case.violation.rule].level is Level.MUST
    for rule, plain in ways:
        # It must be refused in whatever way it is sent; but a form that is not read at all is refused for nothing.
        if must_be_refused and rule.level is Level.SHOULD and not (yield from _is_unread(case)):
            continue
        own = case.violation.rule == rule.id
        if not (own or about_value or (about_answer and _names_answers(rule))):
            continue
        seen = yield case.instead(plain)
        if case.is_gone(seen):
            return rule.id
        unasked = seen is None and not case.has_failed
        guessed = unasked and len(ways) == 1 and is_about_own(case.violation) and case.comes_back
        if guessed and is_acceptable(case.last):
            return rule.id  # The budget is spent; but what was sent plainly has come back.
        if seen is not None and own:
            return next((each.rule for each in seen[-1][1] if case.is_same(each)), "")
    return ""


def _is_unread(case: Case) -> Generator[Requests, Seen | None, bool]:
    """Whether a form leaves in force all that an update before it sets, of what the form itself sets."""
    others = other_pairs(case.situation, case.pairs)
    if not others:
        return False
    seen = yield (update(*others, account=case.last.account), case.last)
    return seen is not None and all(
        is_right(BY_PARAMETER[name], value, shown_of(seen[-1][0], BY_PARAMETER[name]))
        for name, value in others
    )


def _names_answers(rule: Rule) -> bool:
    """Whether a rule about a peculiar way of sending is the name for a wrong answer to it; a SHOULD is for a 406."""
    return rule.level is Level.MUST or rule.control is without_accept


def decoded_again(case: Case) -> Asking:
    """
    Ask whether a decoder has changed the text, and not the setting's own parser.

    Escapes that are no part of a form are resolved; a NUL ends the values of settings of both kinds; or an undocumented
    parameter does harm only with the odd characters that it has.
    """
    if case.violation.outcome == "accepted" and len(case.pairs) == 1:
        ((name, value),) = case.pairs
        if is_decoded_good(name, value):
            # A target that looks at nothing takes whatever the escape stands for.
            seen = yield case.instead(replace(case.last, body=encode_form(((name, f"{value}x"),))))
            return "form-decoding" if seen and seen[-1][0].refused else ""
    plain = tuple(
        (name, value) if name in PARAMETERS or re.fullmatch("[ -~]*", name + value) else ("Unknown", "1")
        for name, value in case.pairs
    )
    if plain != case.pairs and case.violation.outcome in _LOST:
        seen = yield case.instead(replace(case.last, body=encode_form(plain)))
        if case.is_gone(seen):
            return "form-decoding"
    if case.violation.outcome == "accepted" and len(case.pairs) == 1 and "\0" in case.pairs[0][1]:
        ((name, value),) = case.pairs
        seen = yield case.instead(replace(case.last, body=encode_form(((name, value.replace("\0", "x")),))))
        if seen is not None and seen[-1][0].accepted:
            return ""  # A target that does not look at what is there takes a NUL as well.
        kind = {each.parameter: each.kind for each in FIELDS}
        for name, value in pairs_for(case.situation, 7):
            if kind[name] != kind.get(case.pairs[0][0]):
                seen = yield (update((name, value + "\0x"), account=case.last.account),)
                return "form-decoding" if seen and seen[-1][0].accepted else ""
    shown = shown_by(case.exchanges[-1]) or {}
    for name, value in case.pairs:
        if name in BY_PARAMETER and shown.get(BY_PARAMETER[name].attribute) in _resolved(value):
            return "form-decoding"
    return ""


_ESCAPE = re.compile(r"(?:\\|%)u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})")


def _resolved(value: str) -> set[str]:
    """Return what decoders make of a value that have no business with a form."""
    escapes = _ESCAPE.sub(lambda match: chr(int(match[1] or match[2], 16)), value)
    return {unquote(value), html.unescape(value), escapes} - {value}


def is_decoded_good(name: str, value: str) -> bool:
    """Whether a decoder that has no business with a form makes a good value of this one."""
    about = BY_PARAMETER.get(name)
    return about is not None and any(
        decide_value(about, text).answer is Answer.ACCEPT for text in _resolved(value)
    )


def overridden(case: Case) -> Asking:
    """Ask without the header that asks for a method: a value that is refused then was written in another way."""
    if case.violation.outcome != "accepted" or not (case.last.auth.valid and is_overridden(case.last)):
        return ""
    seen = yield case.instead(replace(case.last, headers=()))
    return "unvalidated-write" if case.is_gone(seen) else ""


def stale(case: Case) -> Asking:
    """Ask with another value before: the answer shows the value before, or always the same one."""
    sent = dict(case.pairs)
    if case.violation.rule != "last-write-wins" or case.about is None or case.about.parameter not in sent:
        return ""
    name, about = case.about.parameter, case.about
    other = dict(other_pairs(case.situation, case.pairs)).get(name, sent[name])
    if other == sent[name]:
        return ""
    seen = yield (update((name, other), account=case.last.account), case.last)
    if seen is None or not any(is_about_own(each) and each.field == about.attribute for each in seen[-1][1]):
        return ""
    replaced, kept = (is_right(about, other, shown_of(exchange, about)) for exchange, _ in seen)
    # Where another value is shown, and then neither, it was the value before by chance; so it was where the value was
    # there before the run.
    by_chance = replaced or shown_of(case.exchanges[-1], about) == case.found(about)
    return f"{about.slug}-echo" if by_chance and not kept else ""


def undone(case: Case) -> Asking:
    """Ask by GET whether a value was lost, or only not shown, or whether an update of other settings has reset it."""
    lost = case.aspect is Aspect.STATE and case.violation.outcome not in _WRITTEN
    if not lost or case.last.method != "POST":
        return ""
    if case.violation.was_null and case.has_failed and not case.is_stable:
        return "read-after-write"  # Later, the same requests keep what is set: the first update was lost.
    if not case.is_stable or case.read is None or case.written < 0:
        return ""
    place = case.written + 1
    then, *others = case.requests[place:]
    # What is lost in the meantime is lost before the next request, so the read waits in its place.
    later = (replace(case.read, after=then.after), replace(then, after=0.0))
    seen = yield (*case.requests[:place], *later, *others, case.read)
    if seen is None:
        return ""
    between, after = case.is_kept(seen[place][0]), case.is_kept(seen[-1][0])
    return "omitted-parameters-kept" if between and not after else "read-after-write"


def lost_or_unshown(case: Case) -> Asking:
    """Ask by an update of another setting: its answer, too, shows what was lost before a read, or by it."""
    about = case.about
    if case.aspect is not Aspect.CONSISTENCY or case.last.method != "GET" or about is None:
        return ""
    others = [pair for pair in pairs_for(case.situation, 7) if pair[0] != about.parameter]
    other = update(*others[:1], account=case.last.account)
    for requests in (case.requests[:-1], case.requests) if others else ():
        if (seen := (yield (*requests, other))) is None:
            return ""
        for each in seen[-1][1]:
            if BY_ID[each.rule].aspect is Aspect.STATE and each.field == case.violation.field:
                return Instead(each, [exchange for exchange, _ in seen])
    return ""


def in_any_notation(case: Case) -> Asking:
    """Ask in the two notations that everybody knows: a timer that is refused there, too, is refused for its length."""
    open_notation = case.violation.outcome == "refused" and BY_ID[case.violation.rule].level is Level.SHOULD
    if not open_notation or case.about is None or case.about.kind != "timer" or len(case.pairs) != 1:
        return ""
    length = length_of(dict(case.pairs).get(case.about.parameter, ""))
    if length is None or length.low != length.high or length.low % 1 or length.low < 60:
        return ""
    minutes, seconds = divmod(int(length.low), 60)
    known = [f"PT{minutes}M{seconds}S" if seconds else f"PT{minutes}M", f"PT{int(length.low)}S"]
    found: Instead | str = ""
    for value in known:
        plain = replace(case.last, body=encode_form(((case.about.parameter, value),)))
        found = _instead((yield case.instead(plain)), "refused")
        if not found:
            break
    return found


def taken_plainly(case: Case) -> Asking:
    """Ask by a plain update: a bad value that is taken from it, too, was not written for its disguise."""
    if case.violation.outcome not in _WRITTEN:
        return ""
    disguised = [each for each in case.requests if each.intends and each.auth.valid and each.method != "GET"]
    if not disguised:
        return ""
    plain = update(*disguised[-1].intends, account=disguised[-1].account)
    return _instead((yield (plain,)), "accepted")


def _instead(seen: Seen | None, outcome: str) -> Instead | str:
    """Return what was just seen as a counterexample, where its last answer shows an outcome; else an empty text."""
    found = [each for each in seen[-1][1] if each.outcome == outcome] if seen else []
    return Instead(found[0], [exchange for exchange, _ in seen or ()]) if found else ""


def is_about_own(violation: Violation) -> bool:
    """Whether the answer to an update does not show what was sent."""
    return BY_ID[violation.rule].aspect is Aspect.ECHO


QUESTIONS: tuple[Question, ...] = (
    served,
    taken_plainly,
    culprit,
    in_force,
    decoded_again,
    overridden,
    sent_plainly,
    stale,
    ordered,
    beside_others,
    undone,
    lost_or_unshown,
    in_any_notation,
)
"""In the order in which they are asked: the first that names a rule ends it."""

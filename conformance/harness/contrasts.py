"""
Which rule a witness breaks, where several would explain it: asks the target a few questions more.

A good value can be refused for its own sake, or for the order, the spelling or the media type of the form it came
in; a setting that is not what it was can have been lost, reset, or only not shown. What the same target does with
a request that differs in nothing else tells.
"""

import html
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice, permutations
from math import inf
from urllib.parse import unquote

from conformance.harness.session import Session
from conformance.http import Exchange, Pairs, Request, encode_form, update
from conformance.model import BY_PARAMETER, FIELDS, PARAMETERS, TIMERS, Field, Level, Violation, shown_by
from conformance.oracle.decisions import Answer, FormDecision, decide
from conformance.oracle.durations import Length
from conformance.oracle.expected_state import is_right
from conformance.rules.acceptance import peculiarity
from conformance.rules.forms import pairs_for

_UNSET: Mapping[str, Sequence[Length | None]] = {each.parameter: [None] for each in TIMERS}
"""No timer that another could be too short for."""

Requests = tuple[Request, ...]
Seen = list[tuple[Exchange, list[Violation]]]

_ORDERS = 3
"""Other orders of the parameters that are tried."""

_LOST = ("previous-value", "missing", "changed", "swapped", "accepted")
"""Outcomes that a parameter which was not read would have."""

_ABOUT_VALUE = ("-accept", "-boundary", "-notation")
"""How the ids of rules end that have a value accepted."""

_FAILED = frozenset({"no-server-error", "every-request-answered", "framing"})
"""Rules that any request breaks when it fails."""

_UNDONE = frozenset({"omitted-parameters-kept", "read-after-write"})


def is_about_own(violation: Violation) -> bool:
    """Whether the answer to an update does not show what was sent; what it shows instead can differ each time."""
    return violation.rule.endswith("-echo") or violation.rule in ("last-write-wins", "idempotence")


class Blame:
    """
    Finds the rule that a stable witness breaks, and tells the violation as that rule's.

    Args:
        session: the run.
        violation: what the witness shows.
        exchanges: the witness; its last exchange shows it.
        ask: sends requests; returns what was seen, or None when the budget does not allow for them.
        is_same: whether a violation is the one in question.
    """

    def __init__(
        self,
        session: Session,
        violation: Violation,
        exchanges: Sequence[Exchange],
        ask: Callable[[Requests], Seen | None],
        is_same: Callable[[Violation], bool],
    ) -> None:
        self._session = session
        self._violation = violation
        self._requests = tuple(each.request for each in exchanges)
        *self._before, self._answer = exchanges
        self._ask = ask
        self._is_same = is_same

    def violation(self) -> Violation:
        """The violation of the rule to blame."""
        questions = (
            self._acceptable,
            self._usable,
            self._ordered,
            self._beside_others,
            self._spelled,
            self._decoded_again,
            self._stale,
            self._undone,
        )
        rule = next((rule for question in questions if (rule := question())), self._violation.rule)
        moved = replace(self._violation, rule=rule)
        constant = moved != self._violation and rule.endswith("-echo")
        return replace(moved, outcome="changed") if constant else moved

    @property
    def _last(self) -> Request:
        return self._requests[-1]

    @property
    def _pairs(self) -> Pairs:
        return (self._last.form() or ()) if self._last.method == "POST" else ()

    def _without(self, last: Request) -> Seen | None:
        """What is seen with another last request; None when that shows the same, or is not known."""
        seen = self._ask((*self._requests[:-1], last))
        if seen is None or any(self._is_same(each) for each in seen[-1][1]):
            return None
        return seen

    def _acceptable(self) -> str | None:
        """Accept: */*, which every request carries, is to blame when application/json is served."""
        wrong = self._answer.status == 406 or self._violation.rule in ("media-type", "json-body")
        if wrong and not self._last.headers:
            asked = replace(self._last, headers=(("Accept", "application/json"),))
            return "accept-header" if self._without(asked) else None
        return None

    def _usable(self) -> str | None:
        """A request fails, or a good one is refused, and only after one that was rightly not answered with 200."""
        refused = self._violation.outcome == "refused" and _is_good(self._last)
        after = any(each.status != 200 and not _is_good(each.request) for each in self._before)
        return "stays-usable" if after and (refused or self._violation.rule in _FAILED) else None

    def _beside_others(self) -> str | None:
        """Not the value is to blame, when it is accepted beside the other parameters."""
        if self._violation.outcome != "refused" or not self._violation.rule.endswith(_ABOUT_VALUE):
            return None
        if len(self._pairs) > 1:  # none of them was refused alone, or the witness would be smaller
            return "any-subset"
        beside = {**dict(pairs_for(self._session.situation, 7)), **dict(self._pairs)}
        seen = self._without(replace(self._last, body=encode_form(tuple(beside.items()))))
        return "any-subset" if seen and seen[-1][0].status == 200 else None

    def _ordered(self) -> str | None:
        """Another order of the same parameters: one that does no harm, or one that harms another parameter."""
        lost = is_about_own(self._violation) or self._violation.outcome == "accepted"
        if self._violation.rule == "idempotence":
            return None  # in another order it is another request
        if len(self._pairs) < 2 or not (lost or self._violation.outcome == "refused"):
            return None
        if self._violation.outcome not in ("refused", *_LOST) or self._last.body != encode_form(self._pairs):
            return None
        found = None
        for order in self._other_orders():
            if seen := self._without(replace(self._last, body=encode_form(order))):
                if not any(is_about_own(each) or each.outcome == "accepted" for each in seen[-1][1]):
                    return "parameter-order"
                found = "any-subset"
        return found

    def _other_orders(self) -> Iterator[Pairs]:
        documented = sorted(self._pairs, key=lambda pair: (pair[0] not in PARAMETERS, _place(pair[0])))
        first = tuple(documented), tuple(sorted(self._pairs))
        # Of many parameters there are more orders than could be listed.
        orders = chain(first, islice(permutations(self._pairs), 1 + _ORDERS))
        yield from islice(dict.fromkeys(order for order in orders if order != self._pairs), _ORDERS)

    def _spelled(self) -> str | None:
        """The same value, sent as most clients do."""
        pairs, last = self._pairs, self._last
        if not pairs or not (is_about_own(self._violation) or self._violation.outcome == "accepted"):
            return None
        rule = peculiarity(last)
        plain = Request(body=encode_form(pairs), account=last.account)
        if rule is None and b"+" in (last.body or b""):
            rule, plain = "form-decoding", replace(last, body=(last.body or b"").replace(b"+", b"%20"))
        return rule if rule is not None and self._without(plain) else None

    def _decoded_again(self) -> str | None:
        """
        What a decoder has done to the text, and not the setting's own parser.

        Escapes that were escaped come back resolved; or a NUL ends the values of settings of both kinds.
        """
        if self._violation.outcome == "accepted" and len(self._pairs) == 1 and "\0" in self._pairs[0][1]:
            kind = {each.parameter: each.kind for each in FIELDS}
            for name, value in pairs_for(self._session.situation, 7):
                if kind[name] != kind.get(self._pairs[0][0]):
                    seen = self._ask((replace(update((name, value + "\0x")), account=self._last.account),))
                    return "form-decoding" if seen and seen[-1][0].status == 200 else None
        shown = shown_by(self._answer) or {}
        for name, value in self._pairs:
            again = {unquote(value), html.unescape(value)} - {value}
            if name in BY_PARAMETER and shown.get(BY_PARAMETER[name].attribute) in again:
                return "form-decoding"
        return None

    def _stale(self) -> str | None:
        """Whether an answer shows the value before, or always the same."""
        if self._violation.rule != "last-write-wins" or len(self._pairs) != 1:
            return None
        ((name, value),) = self._pairs
        about = BY_PARAMETER[name]
        echo = f"{about.slug}-echo"
        # What was there before anything was sent, or came instead of the first that was, was never a value before.
        found = self._session.ledgers[self._last.account].settings[about.attribute].found
        never = self._shown(self._answer, about) == found
        if not never and self._first(echo) >= self._first(self._violation.rule):
            return None
        other = dict(pairs_for(self._session.situation, 7)).get(name, value)
        if other == value:
            return None
        seen = self._ask((replace(update((name, other)), account=self._last.account), self._last))
        return None if seen and is_right(about, other, self._shown(seen[-1][0], about)) else echo

    def _shown(self, exchange: Exchange, about: Field) -> str | None:
        return (shown_by(exchange) or {}).get(about.attribute)

    def _first(self, rule: str) -> float:
        """The number of the request that first broke a rule; infinite where none has."""
        candidates = self._session.candidates.values()
        return min((each.exchange.number for each in candidates if each.violation.rule == rule), default=inf)

    def _undone(self) -> str | None:
        """Tell what was lost, or only not shown, from what an update of other settings reset: GET knows."""
        reader = self._session.reader
        if self._violation.rule not in _UNDONE or len(self._requests) != 2:
            return None
        if reader is None or reader.method != "GET":
            return None
        first, last = self._requests
        read = replace(reader, account=first.account)
        seen = self._ask((first, read, last, read))
        about = next((each for each in FIELDS if each.attribute == self._violation.field), None)
        sent = dict(first.form() or ()).get(about.parameter) if about else None
        if seen is None or about is None or sent is None:
            return None
        between, after = (is_right(about, sent, self._shown(seen[index][0], about)) for index in (1, 3))
        return "omitted-parameters-kept" if between and not after else "read-after-write"


def decided(request: Request) -> FormDecision | None:
    """What a target is to do with an update, whatever is set; None for what is no update by a form."""
    form = request.form() if request.method == "POST" and not request.query else None
    return None if form is None else decide(form, lengths=_UNSET)


def _is_good(request: Request) -> bool:
    """Whether a request is an update that must be accepted."""
    decision = decided(request) if request.auth.valid else None
    return decision is not None and decision.answer is Answer.ACCEPT and decision.level is Level.MUST


def _place(name: str) -> int:
    return PARAMETERS.index(name) if name in PARAMETERS else 0

"""
Compares two recordings of the same steps; sends nothing.

A difference is reported once, at the step that makes it. The settings that it leaves behind differ in later answers,
too. That is no further difference until both sides show the same value of the setting, or both accept a new one.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from enum import IntEnum
from typing import Any, NamedTuple

from conformance.fidelity.outcome import ABSENT, Answer, Outcome
from conformance.fidelity.recording import Recording, Taken
from conformance.fidelity.script import Part, Step
from conformance.http import Request, parameters_of
from conformance.model import BY_ATTRIBUTE, BY_PARAMETER, CHAT, Field
from conformance.oracle.decisions import Answer as Decided
from conformance.oracle.decisions import decide_value, is_right

MASK = "{token}"
"""What a recording has in place of a token."""


class Kind(IntEnum):
    """The kinds of differences, the most harmful one first."""

    ACCEPT = 1
    """One side takes what the other does not."""
    STATE = 2
    """What is kept, or whose it is, differs."""
    CODE = 3
    """The status or the code of the error differs."""
    SPELLING = 4
    """The same thing is written in another way: a length, a type, a header, a member that is there or not."""
    MESSAGE = 5
    """The message of an error has another wording. It is compared only where the user asks for it."""


USUAL = tuple(kind for kind in Kind if kind is not Kind.MESSAGE)
"""The kinds that are compared unless the user names others."""

Facts = frozenset[tuple[int, str]]
"""Facts of a recording: the number of a step, and a name as in `Difference`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One fact in which two answers to the same step differ."""

    kind: Kind
    name: str
    """The fact: `answer`, `status`, `code`, an attribute, a header, or another member."""
    reference: str
    candidate: str
    at: int
    """The place of the step in the comparison, from 0."""
    culprit: int
    """The place of the step whose request explains it; `at` where no earlier one does."""


class Pair(NamedTuple):
    """The two answers to one step."""

    reference: Taken
    candidate: Taken

    @property
    def step(self) -> Step:
        """The step."""
        return self.reference.step


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What two recordings of the same steps differ in. The four counts are of steps, and never summed."""

    pairs: tuple[Pair, ...]
    differences: tuple[Difference, ...]
    alike: int
    different: int
    unsettled: int
    """Steps to which the reference itself gives one answer and then another."""
    not_comparable: int
    """Steps of which an answer was masked or cut, or before which the settings are not known."""
    unserved: int
    """Steps that the reference does not have."""


def key_of(step: Step) -> tuple[Any, ...]:
    """Return what identifies a step: all that it sends, but not where it is sent to."""
    request = step.request
    form = request.form()
    return (
        request.method,
        form or request.body or b"",
        request.content_type if request.body else None,
        request.headers,
        request.query,
        request.auth,
        request.account,
        request.chunked,
        request.by_hand,
    )


def pairs_of(reference: Recording, candidate: Recording) -> tuple[list[Pair], int, int]:
    """
    Return the steps that both recordings have, in their order, and for each recording how many others it has.

    Steps that put settings in force are not counted.
    """
    ours, theirs = [[key_of(step) for step in each.steps] for each in (reference, candidate)]
    blocks: Sequence[tuple[int, int, int]] = [(0, 0, len(ours))]
    if ours != theirs:
        numbers: dict[Any, int] = {}  # they are compared faster than the keys
        one, other = ([numbers.setdefault(key, len(numbers)) for key in keys] for keys in (ours, theirs))
        blocks = SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks()
    pairs = [
        Pair(*both)
        for first, second, size in blocks
        for both in zip(reference.taken[first:][:size], candidate.taken[second:][:size], strict=True)
    ]
    matched = {id(taken) for pair in pairs for taken in pair}
    alone = [
        sum(id(each) not in matched and each.step.part not in (Part.GUARD, Part.STATE) for each in side.taken)
        for side in (reference, candidate)
    ]
    return pairs, alone[0], alone[1]


def compare(
    reference: Recording,
    candidate: Recording,
    doubted: Facts = frozenset(),
    *,
    kinds: Collection[Kind] = USUAL,
    unserved: int = 0,
) -> Comparison:
    """
    Compare two recordings.

    Args:
        reference: The recording that is right by definition.
        candidate: The other one.
        doubted: Facts that the reference has shown in one way and then in another: see `disagreements`.
        kinds: The kinds of differences to find; all but the wording of messages are found in any case.
        unserved: How many further steps there are that the reference does not have.
    """
    pairs, missing, extra = pairs_of(reference, candidate)
    walk = _Walk(pairs, has_messages=Kind.MESSAGE in kinds)
    before = [0, 0]
    for place, pair in enumerate(pairs):
        for side, first, taken in zip((reference, candidate), before, pair, strict=True):
            walk.skip(side.taken[first : taken.number - 1])
        before = [taken.number for taken in pair]
        walk.take(place)
    walk.end()
    found = [each for each in walk.found if facts_of(pairs, each).isdisjoint(doubted)]
    different = {each.culprit for each in found}
    unsettled = {each.culprit for each in walk.found} - different
    unclear = walk.unclear - different - unsettled
    return Comparison(
        pairs=tuple(pairs),
        differences=tuple(found),
        alike=len(pairs) - len(different) - len(unclear) - len(unsettled),
        different=len(different),
        unsettled=len(unsettled),
        not_comparable=len(unclear) + missing,
        unserved=unserved + extra,
    )


def facts_of(pairs: Sequence[Pair], difference: Difference) -> Facts:
    """Return the facts that a difference rests on, as the reference shows them."""
    return frozenset(
        (pairs[place].reference.number, difference.name) for place in (difference.at, difference.culprit)
    )


def disagreements(reference: Recording, again: Recording, kinds: Collection[Kind] = USUAL) -> Facts:
    """Return the facts in which two recordings of the same steps differ, both of which are of the same target."""
    itself = compare(reference, again, kinds=kinds)
    return frozenset().union(*(facts_of(itself.pairs, each) for each in itself.differences))


@dataclass(slots=True)
class _Known:
    """What is known of one setting of one account, on both sides."""

    is_alike: bool = False
    """Whether both sides are known to hold the same value, or two values whose difference was reported."""
    reported: tuple[Any, Any] | None = None
    """The values of the difference that was reported last, while answers still show it."""
    sent: list[tuple[int, str]] = field(default_factory=list)
    """The values that were sent since both sides were last seen alike, with their steps."""


class _Walk:
    """Goes through the pairs in order, and keeps what each side holds."""

    def __init__(self, pairs: Sequence[Pair], *, has_messages: bool) -> None:
        self._has_messages = has_messages
        self.found: list[Difference] = []
        self.unclear: set[int] = set()
        """The places of steps that cannot be compared."""
        self._pairs = pairs
        self._known: dict[tuple[int, str], _Known] = {}
        self._codes: dict[tuple[str, str], list[tuple[int, str, str]]] = {}
        """Of steps with different statuses, by these: the place, and the codes of both sides."""

    def skip(self, alone: Sequence[Taken]) -> None:
        """Note that one side was sent further steps: what these set, the other side may not hold."""
        for each in alone:
            self._lose(each.step.request, list(_sent(each.step.request)))

    def take(self, place: int) -> None:
        """Compare the two answers to one step."""
        pair = self._pairs[place]
        ours, theirs = (taken.outcome for taken in pair)
        request = pair.step.request
        sent = list(_sent(request))
        for each, value in sent:
            self._of(request, each.attribute).sent.append((place, value))
        if ours.masked or theirs.masked:
            self.unclear.add(place)
            self._lose(request, sent)
            return
        if ours.answer is not theirs.answer:
            one_takes = Answer.ACCEPTED in (ours.answer, theirs.answer)
            kind = Kind.ACCEPT if one_takes else Kind.CODE
            self._report(place, kind, "answer", _answer(ours), _answer(theirs))
            self._lose(request, sent)
            return
        if ours.status != theirs.status:
            self._report(place, Kind.CODE, "status", ours.status, theirs.status)
            codes = self._codes.setdefault((ours.status, theirs.status), [])
            codes.append((place, ours.code, theirs.code))
        elif ours.form.get("body") == theirs.form.get("body"):  # what is no object has no code
            self._code(place, ours.code, theirs.code)
        if self._has_messages and ours.message != theirs.message:
            self._report(place, Kind.MESSAGE, "wording", ours.message, theirs.message)
        if ours.settings is not None and theirs.settings is not None:
            form = request.form() if request.method == "POST" else None
            written = {BY_PARAMETER[name].attribute for name, _ in form or () if name in BY_PARAMETER}
            self._settings(place, request, ours.settings, theirs.settings, written)
        elif ours.answer is not Answer.REFUSED and request.method == "POST":
            self._lose(request, sent)
        self._form(place, request, ours, theirs)

    def end(self) -> None:
        """Tell codes that differ where the status does, unless that status always comes with a code of its own."""
        for codes in self._codes.values():
            if any(one == other != ABSENT for _, one, other in codes):
                for each in codes:
                    self._code(*each)

    def _code(self, place: int, ours: str, theirs: str) -> None:
        if ours != theirs:
            self._report(place, Kind.CODE, "code", ours, theirs)

    def _of(self, request: Request, attribute: str) -> _Known:
        return self._known.setdefault((request.account, attribute), _Known())

    def _lose(self, request: Request, sent: Sequence[tuple[Field, str]]) -> None:
        """Note that the sides may hold different values from now on, which is no difference of later answers."""
        for each, _ in sent:
            known = self._of(request, each.attribute)
            known.is_alike, known.reported = False, None

    def _settings(
        self,
        place: int,
        request: Request,
        ours: Mapping[str, Any],
        theirs: Mapping[str, Any],
        written: set[str],
    ) -> None:
        for attribute, about in BY_ATTRIBUTE.items():
            known = self._of(request, attribute)
            one, other = ours.get(attribute, ABSENT), theirs.get(attribute, ABSENT)
            if MASK in str(one) or MASK in str(other):
                self.unclear.add(place)
                continue
            is_new = known.is_alike or attribute in written or _is_no_value(about, one, other)
            if one == other:
                known.is_alike, known.reported = True, None
            elif not is_new:
                if known.reported is None and len(known.sent) == 0:
                    self.unclear.add(place)
                continue
            elif known.reported != (one, other):
                kind = Kind.SPELLING if _same(about, one, other) else Kind.STATE
                culprit = self._culprit(known.sent, about, (one, other), place)
                self._report(place, kind, attribute, _written(one), _written(other), culprit)
                known.is_alike, known.reported = True, (one, other)
            known.sent.clear()

    def _culprit(
        self, sent: Sequence[tuple[int, str]], about: Field, shown: tuple[Any, Any], place: int
    ) -> int:
        """
        Return the place of the step that sent a value that is shown; `place` where none did.

        Of several steps the one is returned that the sides answered otherwise, else one that was not accepted, else
        one that sent the very text, else the last.
        """
        texts = [each for each in shown if isinstance(each, str) and each != ABSENT]
        matching = []
        for at, value in sent:
            if any(is_right(about, value, each) for each in texts):
                one, other = (taken.outcome.answer for taken in self._pairs[at])
                matching.append((one is not other, one is not Answer.ACCEPTED, value in texts, at))
        return max(matching, default=(place,))[-1]

    def _form(self, place: int, request: Request, ours: Outcome, theirs: Outcome) -> None:
        chat = self._known.get((request.account, CHAT.attribute))
        is_other_body = ours.form.get("body") != theirs.form.get("body")
        for name in dict.fromkeys([*ours.form, *theirs.form]):
            one, other = ours.form.get(name, ABSENT), theirs.form.get(name, ABSENT)
            if one == other or (
                name == "links" and chat is not None and (chat.reported or not chat.is_alike)
            ):
                continue
            if name in OF_A_STATUS and ours.status != theirs.status:
                continue
            if name not in ("body", *_HEADERS) and is_other_body and not name.startswith("access-control-"):
                continue  # it differs with the body
            kind = Kind.STATE if name == "account_sid" and {one, other}.isdisjoint(_FORMS) else Kind.SPELLING
            self._report(place, kind, name, one, other)

    def _report(
        self, place: int, kind: Kind, name: str, ours: str, theirs: str, culprit: int | None = None
    ) -> None:
        self.found.append(
            Difference(
                kind=kind,
                name=name,
                reference=ours,
                candidate=theirs,
                at=place,
                culprit=place if culprit is None else culprit,
            )
        )


_HEADERS = frozenset({"allow", "www-authenticate", "location", "auth token"})
"""What an answer has beside its body, and beside the headers of CORS."""

OF_A_STATUS = frozenset({"allow", "www-authenticate"})
"""Headers that belong to a status: where that differs, they differ with it."""

_FORMS = frozenset({ABSENT, "null", "the account in another case"})
"""What an account's SID can be shown as without being another one."""


def _sent(request: Request) -> Iterator[tuple[Field, str]]:
    for name, value in parameters_of(request):
        if name in BY_PARAMETER:
            yield BY_PARAMETER[name], value


def _answer(outcome: Outcome) -> str:
    code = f", code {outcome.code}" if outcome.code != ABSENT else ""
    return f"{outcome.answer} ({outcome.status}{code})"


def _written(shown: Any) -> str:
    """Return what is shown of a setting, visible where it is empty."""
    return "null" if shown is None else '""' if shown == "" else str(shown)


def _is_no_value(about: Field, *shown: Any) -> bool:
    """Whether the setting can never have had one of the values, whatever was set before."""
    return any(
        each is not None
        and each != ABSENT
        and (not isinstance(each, str) or decide_value(about, each).answer is Decided.REJECT)
        for each in shown
    )


def _same(about: Field, one: Any, other: Any) -> bool:
    """Whether two values are spellings of one: durations of the same length, say, or null and absent."""
    empty = (None, ABSENT)
    if one in empty or other in empty:
        return one in empty and other in empty
    both = isinstance(one, str) and isinstance(other, str)
    return both and is_right(about, one, other) and is_right(about, other, one)

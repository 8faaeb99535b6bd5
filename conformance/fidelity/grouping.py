"""
Says of each difference which side is as the document demands, and groups those of one cause; sends nothing.

Where a side breaks a rule, the attribution room says what the cause is. Where the document allows what both sides do,
the cause is made here: it is the claim on which the document is silent.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from conformance.fidelity import outcome
from conformance.fidelity.comparing import OF_A_STATUS, Comparison, Difference, Kind, Pair
from conformance.fidelity.judged import Judged, Judgement
from conformance.fidelity.outcome import ABSENT
from conformance.fidelity.script import Step
from conformance.http import Pairs, decode_form, parameters_of
from conformance.model import BY_ATTRIBUTE, BY_PARAMETER, Aspect, Level, Violation
from conformance.oracle.decisions import Answer
from conformance.rules import BY_ID


class Document(StrEnum):
    """Which side is as the document says."""

    REFERENCE = "the reference is right"
    CANDIDATE = "the candidate is right"
    BOTH = "the document allows both"
    NEITHER = "both are wrong"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The differences of one cause."""

    kind: Kind
    """The most harmful of their kinds."""
    cause: str
    document: Document
    level: Level | None
    """The level of the rule that is broken; None where the document allows both."""
    rules: tuple[str, ...]
    """The ids of the rules that are broken, the one of the first difference first."""
    differences: tuple[Difference, ...]
    """In the order of the steps."""
    identities: tuple[tuple[tuple[str, str, str], ...], ...]
    """For each difference, the rule, input class and outcome by which a file of known deviations may name it."""


@dataclass(frozen=True, slots=True)
class _Placed:
    """One difference beside the document."""

    difference: Difference
    ours: Violation | None
    theirs: Violation | None
    cause: str
    rules: tuple[str, ...] = ()
    """The ids of the rules that the cause breaks, the one that explains the difference first."""

    @property
    def document(self) -> Document:
        """Which side is right."""
        if self.ours is not None and self.theirs is not None:
            return Document.NEITHER
        if self.theirs is not None:
            return Document.REFERENCE
        return Document.BOTH if self.ours is None else Document.CANDIDATE


def group(compared: Comparison, reference: Judged, candidate: Judged) -> list[Group]:
    """
    Return the differences of a comparison in groups, the most harmful first, given the judgements on each side.

    Where the candidate accepts no update at all, that is the one cause of all that it refuses, and of how it does so.
    """
    updates = [pair.candidate.outcome.answer for pair in compared.pairs if pair.step.request.method == "POST"]
    refused = () if outcome.Answer.ACCEPTED in updates else (Kind.ACCEPT, Kind.CODE)
    groups: dict[tuple[Document | None, str], list[_Placed]] = {}
    for difference in compared.differences:
        placed = _place(difference, compared, reference, candidate)
        name = (None, "refused") if difference.kind in refused else (placed.document, placed.cause)
        groups.setdefault(name, []).append(placed)
    _join(groups, compared)
    return sorted(
        (_group(each, compared) for each in groups.values()),
        key=lambda each: (each.kind, each.document is Document.BOTH, each.differences[0].at),
    )


def _join(groups: dict[tuple[Document | None, str], list[_Placed]], compared: Comparison) -> None:
    """
    Add a group that breaks no rule to groups that do, where each of its differences belongs to one of these.

    The rules report a wrong setting once; later answers that show it again break no rule. A status that is wrong in
    some answers may stand in others, too, of which the document says nothing. And a side that refuses what it must
    accept also refuses like values on which the document is silent, or refuses them with another of the codes that both
    have: it gives another reason.
    """
    ours, theirs = ({each.outcome.code for each in side} for side in zip(*compared.pairs, strict=True))
    codes = ours & theirs
    homes: dict[tuple[object, ...], list[_Placed]] = {}
    for (document, _), members in groups.items():
        for each in [] if document is Document.BOTH else members:
            for key in _keys(each, compared, codes):
                homes.setdefault(key, members)
    for name, members in list(groups.items()):
        found = [
            home
            for each in (members if name[0] is Document.BOTH else ())
            if (home := next((homes[key] for key in _keys(each, compared, codes) if key in homes), None))
            is not None
        ]
        if len(found) == len(members):
            for each, home in zip(members, found, strict=True):
                home.append(each)
            del groups[name]


def _keys(placed: _Placed, compared: Comparison, codes: set[str]) -> Iterator[tuple[object, ...]]:
    """
    Yield what a difference has in common with others of its cause, the most telling first.

    Both sides answer with each of `codes`, though not to the same requests.
    """
    kind, name = placed.difference.kind, placed.difference.name
    if kind in (Kind.STATE, Kind.SPELLING):
        yield kind, name
    if name == "status":
        yield name, placed.difference.reference, placed.difference.candidate
    is_reason = name == "code" and {placed.difference.reference, placed.difference.candidate} <= codes
    for parameter in _sent(placed, compared):
        if kind is Kind.ACCEPT:
            yield parameter, _way(placed.difference)
        if kind is Kind.ACCEPT or is_reason:
            yield parameter, "code"


def _sent(placed: _Placed, compared: Comparison) -> list[str]:
    """Return the parameters in the request that makes a difference, whatever its media type is."""
    request = compared.pairs[placed.difference.culprit].step.request
    pairs = decode_form(request.body or b"") if request.auth.valid else ()
    return [name for name, _ in pairs if name in BY_PARAMETER]


def _form_of(answer: str, step: Step) -> Pairs:
    """Return the parameters of a plain update that was refused; none of any other request."""
    return (step.request.form() or ()) if answer.startswith("refused") and step.request.auth.valid else ()


def _way(difference: Difference) -> str:
    """Return what the candidate does with what the reference treats the other way."""
    return "accepted" if difference.candidate.startswith("accepted") else "refused"


def _group(placed: Sequence[_Placed], compared: Comparison) -> Group:
    in_order = sorted(placed, key=lambda each: each.difference.at)
    ordered = sorted(placed, key=lambda each: (each.difference.kind, each.difference.culprit))
    rules = tuple(dict.fromkeys(rule for each in ordered for rule in each.rules))
    levels = {BY_ID[rule].level for rule in rules}
    sides = {each.document for each in ordered} - {Document.BOTH}
    return Group(
        kind=ordered[0].difference.kind,
        cause=next((each.cause for each in ordered if each.rules), ordered[0].cause),
        document=sides.pop() if len(sides) == 1 else Document.NEITHER if sides else Document.BOTH,
        level=Level.MUST if Level.MUST in levels else Level.SHOULD if levels else None,
        rules=rules,
        differences=tuple(each.difference for each in in_order),
        identities=tuple(_identities(each, compared) for each in in_order),
    )


def _identities(placed: _Placed, compared: Comparison) -> tuple[tuple[str, str, str], ...]:
    difference = placed.difference
    cls = compared.pairs[difference.culprit].step.cls.split("+")[0]
    broken = [
        (each.rule, each.cls, each.outcome) for each in (placed.theirs, placed.ours) if each is not None
    ]
    return (*broken, (f"compare-{difference.kind.name.lower()}", cls, difference.name))


def _place(difference: Difference, compared: Comparison, reference: Judged, candidate: Judged) -> _Placed:
    at = [compared.pairs[place] for place in dict.fromkeys((difference.at, difference.culprit))]
    step, about = at[-1].step, BY_ATTRIBUTE.get(difference.name)
    sides = (reference, candidate)

    def judgements(pairs: Iterable[Pair]) -> Iterator[list[Judgement]]:
        """Yield what the rules say of the answers of each side."""
        for judged, answers in zip(sides, zip(*pairs, strict=True), strict=True):
            yield [judged.steps[taken.number] for taken in answers]

    ours, theirs = judgements(at)
    mine, yours = (list(_fitting(difference, step.rule, side)) for side in (ours, theirs))
    if not mine and not yours and about is not None and (later := list(_while_shown(difference, compared))):
        mine, yours = (list(_fitting(difference, step.rule, side))[:1] for side in judgements(later))
    same = set(map(_shown, mine)) & set(map(_shown, yours))
    first, second = (
        next((each for each in side if _shown(each) not in same), None) for side in (mine, yours)
    )
    if difference.kind is Kind.ACCEPT:
        # What one value is refused for by itself explains why the whole is refused.
        first, second = (
            next(
                (judged.refused[each] for each in _form_of(answer, step) if each in judged.refused), violation
            )
            for judged, violation, answer in zip(
                sides, (first, second), (difference.reference, difference.candidate), strict=True
            )
        )
    for judged, violation in ((candidate, second), (reference, first)):
        if violation is not None:
            attribution = judged.attribution(violation)
            root = attribution.consequence_of or violation.rule
            fits = [BY_ID[each].aspect in _FITTING[difference.kind] for each in (violation.rule, root)]
            if fits == [True, False]:
                # What comes back of a value is no reason to take it, and the like.
                cause = f"{BY_ID[violation.rule].family}: {violation.outcome}"
                return _Placed(difference, first, second, cause, (violation.rule, root))
            # What is kept breaks several rules; a refusal is one of a value, whatever it is sent with.
            both = (root, violation.rule) if about is not None else (root,)
            return _Placed(difference, first, second, attribution.cause, both)
    return _Placed(difference, None, None, _open_cause(difference, step, ours[0], theirs[0]))


def _shown(violation: Violation) -> tuple[str, str, str]:
    return violation.rule, violation.outcome, violation.observed


_TAKEN = [each for each in Aspect if each < Aspect.ECHO and each is not Aspect.REPRESENTATION]
_FITTING = {
    Kind.ACCEPT: _TAKEN,
    Kind.CODE: _TAKEN,
    Kind.STATE: range(Aspect.ECHO, Aspect.CONSISTENCY + 1),
    Kind.SPELLING: range(Aspect.REPRESENTATION, Aspect.CONSISTENCY + 1),
    Kind.MESSAGE: (),
}
"""The aspects of rules that a difference of each kind can break: no form of an answer refuses, say."""


def _while_shown(difference: Difference, compared: Comparison) -> Iterator[Pair]:
    """Yield the steps after a difference of a setting, until an update sends it again: a rule may report it later."""
    parameter = BY_ATTRIBUTE[difference.name].parameter
    account = compared.pairs[difference.at].step.request.account
    for pair in compared.pairs[difference.at + 1 :]:
        request = pair.step.request
        if request.account == account:
            if request.method == "POST" and any(name == parameter for name, _ in parameters_of(request)):
                return
            yield pair


def _fitting(difference: Difference, rule: str, side: Sequence[Judgement]) -> Iterator[Violation]:
    """
    Yield the violations of one side that may be the difference, those about its very field first.

    The rule is the one that the step is sent for.
    """
    violations = [each for judgement in side for each in judgement.violations]
    about = BY_ATTRIBUTE.get(difference.name)
    name = difference.name.lower().removeprefix("member ")
    names = {name, about.parameter.lower() if about is not None else name}
    # The status of an answer is not the member of an error that repeats it.
    own = [each for each in violations if (each.field or "").lower() in names and difference.name != "status"]
    yield from own
    if about is None or not own:
        yield from (each for each in violations if each not in own and _explains(each, difference, rule))


def _explains(violation: Violation, difference: Difference, rule: str) -> bool:
    """Whether a violation that is about no field, or about another one, may be the difference."""
    broken = BY_ID[violation.rule]
    if broken.aspect not in _FITTING[difference.kind] and violation.rule != rule:
        return False
    if difference.name in ("answer", "status"):
        return (violation.field or "").lower() not in OF_A_STATUS
    if violation.field is not None:
        return False
    if difference.name in BY_ATTRIBUTE:
        return broken.group != "errors"
    return difference.name == "code" or (
        difference.name == "body" and broken.aspect in (Aspect.REPRESENTATION, Aspect.CONSISTENCY)
    )


def _open_cause(difference: Difference, step: Step, ours: Judgement, theirs: Judgement) -> str:
    """Return the cause of a difference that breaks no rule: on what the document is silent, and which way it goes."""
    about = BY_ATTRIBUTE.get(difference.name)
    if about is not None:
        return f"{about.kind}s {'spelled' if difference.kind is Kind.SPELLING else 'kept'} otherwise"
    if difference.kind is Kind.ACCEPT:
        return f"{_taken(step, ours, theirs)}: {_way(difference)}"
    if difference.kind is Kind.MESSAGE:
        return f"wording, of {_taken(step, ours, theirs)}"
    name = difference.name
    for prefix, whole in (("access-control-", "access-control headers"), ("member ", "further members")):
        if name.startswith(prefix):
            name = whole
    if ABSENT in (difference.reference, difference.candidate):
        return f"{name}: {'added' if difference.reference == ABSENT else 'left out'}"
    return f"{name}: another one, of {' and '.join(sorted({ours.kind, theirs.kind}))}"


def _taken(step: Step, ours: Judgement, theirs: Judgement) -> str:
    """Return what one side takes and the other does not: a claim of the document's, or a way of sending."""
    request = step.request
    if request.method != "POST":
        return "reads" if request.method in ("GET", "HEAD") else "other methods"
    if request.query:
        return "a query"
    for judgement in (ours, theirs):
        decision = judgement.decision
        if decision is not None and decision.answer is Answer.OPEN:
            first = decision.causes[0]
            return f"{first.field.kind if first.field else 'form'}-{first.claim}"
    if step.rule and BY_ID[step.rule].aspect is Aspect.WIRE:
        return "unusual requests"  # such a rule only demands that they are answered
    return BY_ID[step.rule].family if step.rule else step.cls

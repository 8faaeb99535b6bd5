"""
Decides whether a target must accept or refuse an input, from the document and the readings of ISO 8601.

`decide` judges a whole form; `decide_timer` and `decide_sid` judge one value. Each answer comes with its level, the
claim that it rests on, and the reason. Inputs on which the document is silent are open. All functions are pure.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal
from enum import StrEnum
from functools import lru_cache

from conformance.http import Pairs
from conformance.model import BY_PARAMETER, CLOSED, INACTIVE, Field, Level
from conformance.oracle.durations import DAY, EXACT, Length, read

MUST_ACCEPT_SECONDS = 30 * DAY
"""The greatest length that a target must accept. The document has no maximum; a fair target may have one above this."""
MUST_ACCEPT_CHARACTERS = 20
"""The greatest number of characters in such a value."""
SHOULD_SECONDS = 366 * DAY
"""The greatest length that a target should accept: one year, which may be a leap year."""
SHOULD_CHARACTERS = 64
"""The greatest number of characters in such a value."""

BLANKS = "".join(chr(code) for code in range(0x10000) if code <= 0x20 or chr(code).isspace()) + "\ufeff"
"""Characters that common trimming functions remove: white space, all controls (Java), the BOM (ECMAScript)."""


class Answer(StrEnum):
    """What the target must do with an input; OPEN where it may accept or refuse it."""

    ACCEPT = "accept"
    REJECT = "reject"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Decision:
    """An answer on one input, with its level, the claim that it rests on, and the reason."""

    answer: Answer
    level: Level
    claim: str
    """The claim about a value, such as `syntax` or `minimum`, or about a form: `empty`, `repeated`, `unknown`."""
    reason: str
    field: Field | None = None


def _accept(level: Level, claim: str, reason: str) -> Decision:
    return Decision(Answer.ACCEPT, level, claim, reason)


def _reject(level: Level, claim: str, reason: str) -> Decision:
    return Decision(Answer.REJECT, level, claim, reason)


def _open(claim: str, reason: str, field: Field | None = None) -> Decision:
    return Decision(Answer.OPEN, Level.MUST, claim, reason, field)


def is_zero(text: str) -> bool:
    """Whether any reading parses the text as a duration of length zero."""
    return any(length.low == 0 == length.high for length in read(text).values())


def decide_timer(text: str, minimum: int) -> Decision:
    """Decide on one timer value, after form decoding. The minimum is in seconds."""
    core = text.strip(BLANKS)
    if not core:
        return _reject(Level.SHOULD, "strictness", "an empty value is no duration")
    if core != text:
        inner = decide_timer(core, minimum)
        if inner.answer is Answer.REJECT:
            return inner
        return _reject(Level.SHOULD, "strictness", "blanks around a duration are no part of it")
    if text == "PT0S":
        return _open("minimum", "below the minimum, yet a support article says it disables the timer")
    lengths = read(text)
    if is_zero(text):
        return _reject(Level.SHOULD, "strictness", "a zero other than PT0S is below the minimum")
    reaching = [length for length in lengths.values() if length.high >= minimum]
    if not reaching:
        if lengths:
            return _reject(Level.MUST, "minimum", f"shorter than the minimum of {minimum} s by every reading")
        return _reject(Level.MUST, "syntax", "no reading of ISO 8601 durations parses it")
    literal = lengths.get("iso8601-1")
    if literal is None:
        if min(length.low for length in reaching) > SHOULD_SECONDS:
            return _open("strictness", "a looser reading takes it, for over a year")
        return _reject(Level.SHOULD, "strictness", f"not ISO 8601-1, though {', '.join(lengths)} parses it")
    if literal.low < minimum:
        if literal.high >= minimum:
            return _open("minimum", "it may or may not reach the minimum")
        return _reject(Level.SHOULD, "strictness", "shorter than the minimum as ISO 8601-1 reads it")
    if (
        {"xsd", "java"} <= lengths.keys()
        and literal.high <= MUST_ACCEPT_SECONDS
        and len(text) <= MUST_ACCEPT_CHARACTERS
        and not literal.fraction
    ):
        if literal.low <= minimum + 1:
            return _accept(Level.MUST, "boundary", f"it reaches the minimum of {minimum} s by every reading")
        return _accept(Level.MUST, "accept", "every reading parses it and it is long enough")
    if literal.high > SHOULD_SECONDS or len(text) > SHOULD_CHARACTERS:
        return _open("notation", "no maximum is documented, and none is excluded")
    return _accept(Level.SHOULD, "notation", "ISO 8601-1 has this notation, though some readings do not")


def decide_sid(text: str, prefix: str) -> Decision:
    """Decide on one SID, after form decoding, by its documented pattern. The prefix is `IS` or `MG`."""
    core = text.strip(BLANKS)
    if not core:
        return _reject(Level.SHOULD, "strictness", "an empty value is no SID")
    if re.fullmatch(prefix + "[0-9a-fA-F]{32}", core):
        if core != text:
            return _reject(Level.SHOULD, "strictness", "blanks around a SID are no part of it")
        return _accept(Level.MUST, "accept", f"it matches ^{prefix}[0-9a-fA-F]{{32}}$")
    if not re.fullmatch(prefix + "[0-9a-fA-F]*", core) and contains_sid(core, prefix):
        return _reject(Level.MUST, "anchoring", "a SID is all of the value, not a part of it")
    if not core.startswith(prefix):
        return _reject(Level.MUST, "prefix", f"it does not begin with {prefix}")
    if len(core) != 34:
        return _reject(Level.MUST, "length", f"it has {len(core)} characters, not 34")
    return _reject(Level.MUST, "alphabet", "it has a character that is no ASCII hexadecimal digit")


def contains_sid(text: str, prefix: str) -> bool:
    """Whether a text is a SID with these two letters, or has one in it."""
    return re.search(prefix + "[0-9a-fA-F]{32}", text) is not None


def decide_value(target_field: Field, text: str) -> Decision:
    """Decide on one value of one setting."""
    # A run asks about the same values again and again. A long one is not worth the memory of keeping it.
    return (_decide_again if len(text) <= 64 else _decide_value)(target_field, text)


def _decide_value(target_field: Field, text: str) -> Decision:
    if target_field.kind == "timer":
        decision = decide_timer(text, target_field.minimum)
    else:
        decision = decide_sid(text, target_field.prefix)
    return Decision(decision.answer, decision.level, decision.claim, decision.reason, target_field)


_decide_again = lru_cache(4096)(_decide_value)


def must_be_refused(decisions: Sequence[Decision]) -> bool:
    """Whether none of the values of one parameter may be accepted."""
    return all(each.answer is Answer.REJECT and each.level is Level.MUST for each in decisions)


EMPTY_UPDATE = Decision(
    Answer.ACCEPT, Level.SHOULD, "empty", "every parameter is optional, so none need be sent"
)


@dataclass(frozen=True, slots=True)
class FormDecision:
    """The decision on a whole form, with the decisions on its parameters that lead to it."""

    answer: Answer
    level: Level
    causes: tuple[Decision, ...]


Lengths = Mapping[str, Sequence[Length | None]]
"""By timer parameter, the lengths that may be in force, None for an unset timer; absent if not known."""

UNSET: Lengths = {each.parameter: [None] for each in (INACTIVE, CLOSED)}
"""Neither timer is set, so neither can be too short beside the other."""


def decide(
    pairs: Pairs,
    *,
    known_sids: Mapping[str, frozenset[str] | None] | None = None,
    lengths: Lengths | None = None,
    least_ratio: int = 2,
) -> FormDecision:
    """
    Decide on a whole form.

    Args:
        pairs: The decoded parameters, in order.
        known_sids: By parameter, the only SIDs that the target accepts; None or absent where it accepts any.
        lengths: What is known of the timers in force.
        least_ratio: The least ratio of the closed timer to the inactive one. Where it is smaller, the form is open.
    """
    decisions = []
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    for name, sent in values.items():
        target_field = BY_PARAMETER.get(name)
        if target_field is None:
            decisions.append(_open("unknown", "an unknown parameter"))
            continue
        own = [decide_value(target_field, value) for value in sent]
        if len(own) > 1:
            # A 4xx is right in any case, a 200 only where the target may accept one of the values.
            repeated = _open("repeated", "a repeated parameter", target_field)
            decisions.append(own[0] if must_be_refused(own) else repeated)
            continue
        decision = own[0]
        only = (known_sids or {}).get(name)
        if decision.answer is Answer.ACCEPT and only is not None and sent[0] not in only:
            decision = _open(
                "accept", "the target may refuse SIDs of services it does not know", target_field
            )
        decisions.append(decision)
    if not decisions:
        return FormDecision(EMPTY_UPDATE.answer, EMPTY_UPDATE.level, (EMPTY_UPDATE,))
    for answer, level in (
        (Answer.REJECT, Level.MUST),
        (Answer.REJECT, Level.SHOULD),
        (Answer.OPEN, Level.MUST),
    ):
        causes = tuple(each for each in decisions if each.answer is answer and each.level is level)
        if causes:
            return FormDecision(answer, level, causes)
    if not _closed_outlasts_inactive(values, lengths or {}, Decimal(least_ratio)):
        cause = _open("interplay", "some would refuse a closed timer shorter than inactive")
        return FormDecision(cause.answer, cause.level, (cause,))
    level = Level.SHOULD if any(each.level is Level.SHOULD for each in decisions) else Level.MUST
    return FormDecision(Answer.ACCEPT, level, tuple(each for each in decisions if each.level is level))


def _closed_outlasts_inactive(values: Mapping[str, Sequence[str]], current: Lengths, ratio: Decimal) -> bool:
    """Whether the update leaves the closed timer that many times the inactive one, so that no fair target objects."""
    if not (INACTIVE.parameter in values or CLOSED.parameter in values):
        return True
    after: dict[str, Sequence[Length | None]] = {}
    for timer in (INACTIVE, CLOSED):
        if timer.parameter in values:
            after[timer.parameter] = [length_of(values[timer.parameter][0])]
        elif timer.parameter in current:
            after[timer.parameter] = current[timer.parameter]
        else:
            return False
    return all(
        inactive is None or closed is None or EXACT.multiply(inactive.high, ratio) <= closed.low
        for inactive in after[INACTIVE.parameter]
        for closed in after[CLOSED.parameter]
    )


def length_of(text: str) -> Length | None:
    """Return the length by the first reading that parses the text; None where none does, and for a length of zero."""
    length = next(iter(read(text.strip(BLANKS)).values()), None)
    return None if length is None or length.high == 0 else length


_ROUGH = Context(Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[])
"""Rounds, and takes lengths of any size."""


def same_length(sent: str, shown: str) -> bool:
    """
    Whether two texts may be spellings of the same length.

    A target may keep years and months as a fixed number of days, and may count 360 days to the year. It may not show
    them where none were sent: nobody knows how many days they are.
    """
    if sent == shown:
        return True
    ours, theirs = read(sent.strip(BLANKS)).values(), [*read(shown).values()]
    widen = re.search("[0-9][YM]", sent.upper().partition("T")[0]) is not None
    if not widen:
        theirs = [each for each in theirs if each.low == each.high]
    return any(
        (
            Length(_ROUGH.divide(_ROUGH.multiply(one.low, Decimal(360)), Decimal(365)), one.high)
            if widen and one.low > 0
            else one
        ).overlaps(other)
        for one in ours
        for other in theirs
    )


def _apart(one: Decimal, other: Decimal) -> Decimal:
    return EXACT.abs(EXACT.subtract(one, other))


def lost_fraction(sent: str, shown: str) -> bool:
    """Whether a value with a fraction came back less than one second off: the target may keep whole seconds only."""
    ours, theirs = length_of(sent), length_of(shown)
    return (
        ours is not None
        and theirs is not None
        and ours.fraction
        and max(_apart(ours.low, theirs.low), _apart(ours.high, theirs.high)) < 1
    )


def is_right(target_field: Field, sent: str | None, shown: str | None) -> bool:
    """Whether the shown value is the sent one, or another spelling of it."""
    # Every answer is compared with all that must not be shown. Long values are not worth the memory of keeping them.
    is_short = len(sent or "") + len(shown or "") <= 128
    return (_is_right_again if is_short else _is_right)(target_field, sent, shown)


def _is_right(target_field: Field, sent: str | None, shown: str | None) -> bool:
    if sent is None:
        return shown is None
    if target_field.kind == "sid":
        core, prefix = sent.strip(BLANKS), target_field.prefix
        spelled = shown is not None and shown.lower() == core.lower()
        # A prefix that was right must come back right.
        return spelled and ((shown or "").startswith(prefix) or not core.startswith(prefix))
    if is_zero(sent.strip(BLANKS)):
        return shown is None or is_zero(shown) or shown in ("P", "PT")
    return shown is not None and frozenset(BLANKS).isdisjoint(shown) and same_length(sent, shown)


_is_right_again = lru_cache(4096)(_is_right)

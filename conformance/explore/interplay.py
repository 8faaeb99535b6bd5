"""Finds out how the two timers depend on each other, and whether a zero is accepted."""

from collections.abc import Sequence

from conformance.explore.dialects import DIALECTS
from conformance.explore.identification import Window
from conformance.explore.prober import Prober
from conformance.explore.values import Answer, Boundary, Remark, Taken
from conformance.model import CLOSED, INACTIVE, TIMERS, Field

LONGER = (INACTIVE.parameter, "P2D")
SHORTER = (CLOSED.parameter, "P1D")


def order_matters(prober: Prober) -> tuple[bool | None, Remark]:
    """Return whether the closed timer must not be shorter than the inactive one; None where both orders are refused."""
    matters: bool | None
    if prober.submit((LONGER, SHORTER))[CLOSED.slug].accepted:
        matters = False
        text = (
            "The closed timer may be shorter than the inactive one; "
            "a closed timer of a day beside an inactive timer of two is accepted."
        )
    elif prober.submit(((INACTIVE.parameter, "P1D"), (CLOSED.parameter, "P2D")))[CLOSED.slug].accepted:
        matters = True
        text = "The closed timer may not be shorter than the inactive one: that is refused, the reverse is accepted."
    else:
        matters = None
        text = (
            "It is unknown whether the closed timer may be shorter: one and two days are refused either way."
        )
    return matters, Remark(topic="order", text=text, evidence=_form(LONGER, SHORTER))


def needs_company(prober: Prober) -> list[Remark]:
    """
    Find each timer that is refused alone; from then on the other timer is sent along with it.

    Call it when a form of both timers was accepted.
    """
    remarks = []
    for field, (name, text) in ((INACTIVE, LONGER), (CLOSED, SHORTER)):
        other, usual = (CLOSED, SHORTER[1]) if field is INACTIVE else (INACTIVE, LONGER[1])
        if prober.submit(((name, text),))[field.slug].accepted:
            continue
        company = (other.parameter, prober.before(other) or usual)
        prober.beside(field, (company,))
        summary = (
            f"Alone it is refused, even {text}; {_form(company)[0]} was sent along with all that follows."
        )
        remarks.append(Remark(topic=f"company-{field.slug}", text=summary, evidence=_form((name, text))))
    return remarks


def _form(*pairs: tuple[str, str]) -> tuple[str, ...]:
    return ("&".join(f"{name}={value}" for name, value in pairs),)


ZEROS = ("PT0S", "PT0M", "P0D")


def zeros(prober: Prober, field: Field) -> Remark:
    """Return whether a zero is accepted, and how it reads back."""
    answers = [prober.ask(field, text) for text in ZEROS]
    accepted = [answer for answer in answers if answer.accepted]
    if not accepted:
        text = "No zero is accepted: the timer cannot be disabled by one."
    else:
        refused = ", ".join(each.text for each in answers if not each.accepted)
        others = f"; {refused} refused" if refused else ""
        shown = ", ".join(
            f"{each.text} reads back as {'null' if each.echo is None else each.echo}" for each in accepted
        )
        text = f"A zero is accepted although it is below the minimum: {shown}{others}."
    return Remark(topic=f"zero-{field.slug}", text=text, evidence=tuple(answer.text for answer in answers))


def dependence(prober: Prober, field: Field, least: Boundary) -> Remark | None:
    """Return whether the other timer in a form changes the answer to a value; None where no value is known."""
    other = next(each for each in TIMERS if each is not field)
    accepted = {answer.text: answer for answer in prober.answers(other) if answer.accepted}
    partner = next((accepted[text] for text in ("PT720H", "P30D", "P1D") if text in accepted), None)
    texts = [text for text in (least.refused, least.accepted) if text is not None]
    if partner is None or not texts:
        return None
    changed = []
    for text in texts:
        alone = prober.ask(field, text)
        beside = prober.submit(((field.parameter, text), (other.parameter, partner.text)))[field.slug]
        if alone.accepted != beside.accepted:
            changed.append(
                f"{text} is {alone.taken} alone and {beside.taken} beside {other.parameter}={partner.text}"
            )
    summary = f"It does not matter whether {other.parameter} is sent as well."
    if changed:
        summary = f"It matters whether {other.parameter} is sent: {'; '.join(changed)}."
    return Remark(topic=f"dependence-{field.slug}", text=summary, evidence=tuple(texts))


def compare(timers: Sequence[Sequence[Answer]], windows: Sequence[Window]) -> tuple[bool, Remark | None]:
    """
    Return whether both timers answer the same values alike, as far as the answers show.

    Args:
        timers: The answers about each of the two.
        windows: The lengths that each accepts. A value that is too short or too long for one, in whatever dialect,
            is not compared.
    """
    answered = (Taken.ACCEPTED, Taken.REFUSED)
    one, other = (
        {each.text: each.accepted for each in answers if each.taken in answered} for answers in timers
    )
    common = sorted(
        (text for text in one.keys() & other.keys() if _fits(text, windows)),
        key=lambda each: (len(each), each),
    )
    if not common:
        return True, None
    apart = [text for text in common if one[text] != other[text]]
    count = f"{len(common)} values that are long enough for both were sent to both timers"
    if not apart:
        return True, Remark(topic="reading", text=f"{count}: each is answered alike.", evidence=())
    first = apart[0]
    taken = next(field for field, answers in zip(TIMERS, (one, other), strict=True) if answers[first])
    text = f"{count}: one timer alone accepts {len(apart)} of them, such as {first!r} ({taken.parameter})."
    return False, Remark(topic="reading", text=text, evidence=tuple(apart[:5]))


def _fits(text: str, windows: Sequence[Window]) -> bool:
    """Whether every dialect that reads a text finds its length accepted by both timers."""
    for dialect in DIALECTS:
        length = dialect.read(text)
        if length is None or length.low.is_infinite() or (dialect.name == "moment" and not length.high):
            continue  # moment makes a zero of whatever it cannot read
        if not all(window.least <= length.low and length.high <= window.greatest for window in windows):
            return False
    return True

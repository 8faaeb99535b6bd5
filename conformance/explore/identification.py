"""
Finds the dialect that explains a target's answers, with few probes.

Every candidate predicts whether a text is accepted. The next probe is the text whose answer is expected to tell most
about the candidates (mutual information). Each answer may contradict the right candidate with a small chance, so that
a target that departs a little from a dialect is still placed next to it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from math import ceil, log2

from conformance.explore.dialects import DIALECTS, Dialect
from conformance.explore.values import Answer, Disagreement, Identification, Taken
from conformance.oracle.durations import Length

LIMIT = 25
"""Probes that are chosen, at most."""

ODD = 0.02
"""Chance that a candidate is right and a single answer is odd nevertheless."""

ENOUGH = 1e-6
"""The leader counts as named when less than this is left for all other candidates."""

LONGEST = 64
"""Characters of a text beyond which its length may decide, not its notation."""


@dataclass(frozen=True, slots=True)
class Window:
    """The lengths in seconds that are known to be accepted, and those that are known to be refused."""

    refused_below: Decimal
    """Nothing of this length or shorter is accepted."""
    least: Decimal
    greatest: Decimal
    """Some notation accepts nothing longer. Such a cap does not depend on the dialect."""
    zero: bool | None = None
    """Whether any zero is accepted; None while it is not known."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A dialect, and whether the target takes a zero for a value of its own."""

    dialect: Dialect
    zero: bool

    def predicts(self, text: str, window: Window) -> bool | None:
        """Return whether a text is accepted; None where neither the dialect nor the window says."""
        length = _length(self.dialect, text)
        if length is None:
            return False
        if length.low == Decimal("Infinity"):
            return True
        if length.low == 0 == length.high:
            return None if text == "PT0S" else self.zero
        if length.low == 0 and self.zero:  # a length that may count as zero, as months of isodate do
            return None
        if length.high <= window.refused_below:
            return False
        return True if length.low >= window.least and length.high <= window.greatest else None


@lru_cache(maxsize=10_000)  # two candidates for each dialect ask, and two timers
def _length(dialect: Dialect, text: str) -> Length | None:
    return dialect.read(text)


CANDIDATES = tuple(Candidate(dialect, zero) for dialect in DIALECTS for zero in (False, True))

_TEMPLATES = (
    "PT{M}M", "PT{S}S", "P{D}D", "P{W}W", "P{O}M", "P{Y}Y", "P{Y}Y{D}D", "PT{H}H{S}S", "P{D}DT{H}H", "P{W}W{D}D",
    "P{Y}Y{W}W", "pt{M}m", "PT{M}m", "p{D}d", "+PT{M}M", "-PT-{M}M", "PT+{M}M", "P{D}DT-1H", "P{D}DT+1H",
    "PT{M}.5M", "PT{M},5M", "PT{H}.5H{M}M", "PT{S}.5S", "PT{S},5S", "P{D}.5D", "P{D},5D", "P{W}.5W", "P{Y}.5Y",
    "PT{S}.1234567891S", "PT{S}.123456789S", "PT{S}.S", "PT.9999H", "P.9999W", "PT{M}.M", "P{D}DT", "PT{M}M{M}M",
    "PT{S}S{M}M", "P{D}D{W}W", "PTT{M}M", "PPT{M}M", "P{D}DT{H}HT{M}M", " PT{M}M", "PT{M}M ", "PT{M}M\n", "PT{M}M\r\n",
    "\nPT{M}M", "PT{M}M\u00a0", "{M}M", "P{S}S", "{m}", "00:{C}:00", "{D}.00:00:00", "banana", "PT", "P",
    "P0000-00-01T00:10:00",
    "P0001-00-04T00:00:00", "P0001-02-03T04:05:06", "P00010203T040506", "R3/PT{M}M", "PT{M}M/PT{M}M", "PT{M}M,",
    "PT{M}MPT{M}M", "P2003T10", "P10T10", "PT1e9S", "P{W}WT", "PT{H}H1.5M30S", "PT{M}M0.5S", "PT\uff13\uff10M",
    "--PT{M}M", "PT{D}D", "PT {M}M", "PT" + "0" * 13 + "{S}S", "PT" + "0" * 21 + "{S}S",
)  # fmt: skip
"""Texts on which dialects differ. The numbers are filled in so that every reading is long enough."""


def pool(least: Decimal) -> tuple[str, ...]:
    """Return the texts to choose probes from, for a target that accepts nothing shorter than so many seconds."""
    seconds = max(1800, 2 * ceil(least))
    numbers = {
        "S": seconds,
        "M": ceil(seconds / 60),
        "H": ceil(seconds / 3600) + 1,
        "D": ceil(seconds / 86_400) + 1,
        "W": ceil(seconds / 604_800),
        "O": ceil(seconds / (28 * 86_400)),
        "Y": ceil(seconds / (365 * 86_400)),
        "m": seconds * 1000,
        "C": 30,
    }
    return tuple(dict.fromkeys(template.format(**numbers) for template in _TEMPLATES))


@dataclass(frozen=True, slots=True)
class Course:
    """The number of probes that were sent, and after how many of them the dialect was named."""

    requests: int
    named_after: int


def probe(ask: Callable[[str], Answer], window: Window) -> Course:
    """Ask for the texts that tell the candidates apart best, until one is left or the limit is reached."""
    belief = {index: _prior(candidate, window) for index, candidate in enumerate(CANDIDATES)}
    predictions = {
        text: [candidate.predicts(text, window) for candidate in CANDIDATES] for text in pool(window.least)
    }
    leaders: list[tuple[tuple[str, str], float]] = []
    while len(leaders) < LIMIT and predictions:
        shares = _by_dialect(belief)
        if leaders and 1 - max(shares.values()) < ENOUGH:
            break
        text = max(predictions, key=lambda each: _information(belief, predictions[each]))
        predicted = predictions.pop(text)
        accepted = ask(text).accepted
        for index, prediction in enumerate(predicted):
            belief[index] *= 0.5 if prediction is None else 1 - ODD if prediction == accepted else ODD
        total = sum(belief.values())
        belief = {index: share / total for index, share in belief.items()}
        leaders.append(max(_by_dialect(belief).items(), key=lambda item: item[1]))
    last = leaders[-1][0] if leaders else ("", "")
    named = len(leaders)
    while named > 1 and leaders[named - 2][0] == last and leaders[named - 2][1] > 1 - ODD:
        named -= 1
    return Course(len(leaders), named)


def _prior(candidate: Candidate, window: Window) -> float:
    share = 1 / len(CANDIDATES)
    return share if window.zero in (None, candidate.zero) else share * ODD


def _by_dialect(belief: dict[int, float]) -> dict[tuple[str, str], float]:
    shares: dict[tuple[str, str], float] = {}
    for index, share in belief.items():
        dialect = CANDIDATES[index].dialect
        key = (dialect.name, dialect.variant)
        shares[key] = shares.get(key, 0.0) + share
    return shares


def _information(belief: dict[int, float], predicted: Sequence[bool | None]) -> float:
    """Return how many bits the answer to a text is expected to tell about the candidates."""
    overall = noise = 0.0
    for share, each in zip(belief.values(), predicted, strict=True):
        overall += share * (0.5 if each is None else 1 - ODD if each else ODD)
        noise += share * (1.0 if each is None else _NOISE)
    return _entropy(overall) - noise


def _entropy(chance: float) -> float:
    return -sum(share * log2(share) for share in (chance, 1 - chance) if share > 0)


_NOISE = _entropy(ODD)
"""The bits by which the answer to a text may be odd, where a candidate predicts it."""


def identify(answers: Iterable[Answer], window: Window, course: Course) -> Identification:
    """Return the dialect that agrees best with all answers about one timer; `course` is what `probe` has returned."""
    asked = [each for each in answers if len(each.text) <= LONGEST and each.taken is not Taken.IGNORED]
    scored = []
    for order, candidate in enumerate(CANDIDATES):
        judged = [
            (answer, predicted)
            for answer in asked
            if (predicted := candidate.predicts(answer.text, window)) is not None
        ]
        wrong = [(answer, predicted) for answer, predicted in judged if answer.accepted != predicted]
        agreement = 1 - len(wrong) / len(judged) if judged else 0.0
        # A candidate that is silent on what others predict has explained less.
        scored.append((agreement, len(judged), -order, candidate, wrong))
    scored.sort(key=lambda each: each[:3], reverse=True)
    agreement, probes, _, best, wrong = scored[0]
    if not probes or not any(answer.accepted for answer in asked):
        return Identification(
            name="", variant="", exact=False, agreement=0.0, probes=0, requests=course.requests, named_after=0
        )
    others: dict[str, float] = {}
    for share, _, _, candidate, _ in scored:
        if candidate.dialect.name != best.dialect.name:
            others.setdefault(candidate.dialect.name, share)
    return Identification(
        name=best.dialect.name,
        variant=best.dialect.variant,
        exact=not wrong,
        agreement=agreement,
        probes=probes,
        requests=course.requests,
        named_after=course.named_after,
        disagreements=tuple(
            Disagreement(text=answer.text, predicted=predicted, accepted=answer.accepted)
            for answer, predicted in sorted(wrong, key=lambda each: (len(each[0].text), each[0].text))
        ),
        others=tuple(list(others.items())[:3]),
    )

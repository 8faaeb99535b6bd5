"""
A model of one account's settings that predicts every representation.

For each setting it keeps the *set* of values that would be right: a timeout, a repeated parameter or concurrent
writers leave several. Beside them it keeps the suspects: values that were sent but must not be there. An answer is
compared with both. The comparison says what differs, as a `Mismatch`, and what the answer has proved, as `Proof`s.
Which rule a mismatch breaks is for `conformance.rules.state` to say.

A mismatch is reported once. Then both what was seen and what was sent count as right, so that one mistake of the
target's is not found again in the next answer under another name.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import product

from conformance.http import SAFE_METHODS, Exchange, Request, parameters_of
from conformance.model import BY_PARAMETER, CLOSED, FIELDS, Field, Level
from conformance.oracle.canaries import Canaries
from conformance.oracle.decisions import (
    BLANKS,
    Answer,
    decide_sid,
    decide_value,
    is_right,
    length_of,
    lost_fraction,
    must_be_refused,
)
from conformance.oracle.durations import Length, read
from conformance.oracle.foreign import answer_of_another, foreign_writer
from conformance.oracle.mismatches import Comparison, Kind, Mismatch, Proof
from conformance.oracle.proofs import proofs_of
from conformance.oracle.setting import REMEMBERED, Setting

_COMPARED = 64
"""Characters of a value by which it is known again. A target may be sent a million."""


def states_of(accounts: Sequence[str], *, is_partial: bool = False) -> list["ExpectedState"]:
    """Return the models of the accounts with these SIDs; nothing is known of their settings yet."""
    states = [ExpectedState(sid=sid, is_partial=is_partial) for sid in accounts]
    for state in states:
        state.others = tuple(other for other in states if other is not state)
        state.canaries.others = tuple(other.canaries for other in state.others)
    return states


def record_together(
    states: Sequence["ExpectedState"], seen: Sequence[tuple[Exchange, Mapping[str, str | None] | None]]
) -> None:
    """Record exchanges of several accounts at the same time, each with the settings that its answer shows."""
    for account, state in enumerate(states):
        state.record_together([each for each in seen if each[0].request.account == account])
    if any(exchange.is_lost for exchange, _ in seen):
        forget(*states)


def forget(*states: "ExpectedState") -> None:
    """Record that the target, or its proxy, may have been started again, and may have lost any setting."""
    for state in states:
        for setting in state.settings.values():
            setting.right = None
        state.last_safe = state.last_read = None


@dataclass(slots=True)
class ExpectedState:
    """The model of one account; `others` are the models of the other accounts of the run."""

    settings: dict[str, Setting] = field(
        default_factory=lambda: {each.attribute: Setting(each) for each in FIELDS}
    )
    sid: str = ""
    """The account's SID; empty where it is not known."""
    others: tuple["ExpectedState", ...] = ()
    is_partial: bool = False
    """Whether it takes in the requests of one counterexample alone: what was in force before them is not known."""
    sent_below: set[Decimal] = field(default_factory=set)
    """Lengths below a minimum that this run sent, in seconds."""
    attempted: set[tuple[str, str]] = field(default_factory=set)
    """The parameters that this run sent, with the beginnings of their values."""
    last_safe: Exchange | None = None
    """The last request with a safe method since the answer to a POST was seen."""
    last_read: Exchange | None = None
    """The last GET, where nothing that may have written came after it."""
    last_update: Exchange | None = None
    last_was_right: bool = False
    """Whether the answer to it showed what was predicted."""
    explanation: Kind | None = None
    """The kind that explained the last unexpected change of a setting. It explains the next one, too."""
    canaries: Canaries = field(default_factory=Canaries)
    is_random: bool = False
    """Whether reads differ though nothing was written: then nothing that is shown says anything."""

    def lengths(self) -> Mapping[str, list[Length | None]]:
        """Return, by timer parameter, the lengths that the value in force may have."""
        return {
            each.about.parameter: [None if text is None else length_of(text) for text in each.right]
            for each in self.settings.values()
            if each.about.kind == "timer" and each.right is not None
        }

    def current(self) -> dict[str, str | None]:
        """Return, by attribute, the settings that are known for certain."""
        return {
            name: setting.right[0]
            for name, setting in self.settings.items()
            if setting.right is not None and len(setting.right) == 1
        }

    def record(self, exchange: Exchange) -> None:
        """Record what an exchange may have written, before its answer's representation is compared."""
        request = exchange.request
        form = request.form() if request.method == "POST" else None
        sent = [(name, value) for name, value in (*(form or ()), *request.intends) if name in BY_PARAMETER]
        self.expect(request, exchange)
        forbidden = _must_not_write(exchange)
        if request.method != "HEAD":
            self.last_read = exchange if request.method == "GET" and request.auth.valid else None
        if forbidden is Kind.SAFE:
            self.last_safe = exchange
        if forbidden is not None:
            self._suspect(exchange, sent, forbidden)
        elif form is None or request.intends:
            self._lenient(exchange, sent)
        else:
            self._write(exchange, sent, certain=exchange.accepted)
        if exchange.is_lost:
            forget(self, *self.others)

    def expect(self, request: Request, exchange: Exchange | None = None) -> None:
        """
        Record what a request sends: from now on an answer may show it, rightly or wrongly.

        There may be no exchange yet.
        """
        for name, value in parameters_of(request):
            self.attempted.add((name, value[:_COMPARED]))
            about = BY_PARAMETER.get(name)
            length = length_of(value) if about is not None and about.kind == "timer" else None
            if about is not None and length is not None and length.high < about.minimum:
                self.sent_below.add(length.low)
        if request.auth.valid:
            self.canaries.expect(request, exchange)

    def is_foreign(self, about: Field, value: str | None) -> bool:
        """Whether another account was sent a value, and this one was not."""
        sent = (about.parameter, (value or "")[:_COMPARED])
        is_theirs = sent not in self.attempted and any(sent in other.attempted for other in self.others)
        return value is not None and is_theirs

    def is_new(self, attribute: str | None, exchange: Exchange) -> bool:
        """Whether no update had set a setting before an exchange, or any where `attribute` names none."""
        named = self.settings.get(attribute or "")
        settings = self.settings.values() if named is None else (named,)
        return all(each.first is None or each.first >= exchange.number for each in settings)

    def beside(self) -> "ExpectedState":
        """Return the model for one of several updates at the same time: it does not know the values in force."""
        return ExpectedState(
            sid=self.sid,
            others=self.others,
            canaries=self.canaries,
            sent_below=self.sent_below,
            attempted=self.attempted,
            is_random=self.is_random,
        )

    def record_together(self, seen: Sequence[tuple[Exchange, Mapping[str, str | None] | None]]) -> None:
        """
        Record updates that were sent at the same time: whichever came last is right.

        Each comes with the settings that its answer shows. A value that its own answer does not show cannot be lost.
        """
        values: dict[str, list[str]] = {}
        certain: dict[str, bool] = {}
        unknown: set[str] = set()
        for exchange, shown in seen:
            for name, value in _form(exchange) if _must_not_write(exchange) is None else ():
                about = BY_PARAMETER[name]
                back = shown is None or is_right(about, value, shown.get(about.attribute))
                if must_be_refused([decide_value(about, value)]) or (exchange.accepted and not back):
                    unknown.add(name)
                    continue
                values.setdefault(name, []).append(value)
                certain[name] = certain.get(name, False) or exchange.accepted
                self._setting(name).write(exchange)
        for name, sent in values.items():
            setting = self._setting(name)
            before = () if certain[name] or setting.right is None else setting.right
            setting.right, setting.seen = (*before, *sent), False
            setting.contested = True
        for name in unknown:
            self._setting(name).right = None
        for exchange, _ in seen:
            self.expect(exchange.request, exchange)
            if (forbidden := _must_not_write(exchange)) is not None:
                self._suspect(exchange, _form(exchange), forbidden)

    def _suspect(self, exchange: Exchange, sent: Iterable[tuple[str, str]], forbidden: Kind) -> None:
        """Record for every account what a request that must not write has sent; an intruder belongs to no account."""
        elsewhere = forbidden if forbidden is Kind.UNAUTHORISED else Kind.FOREIGN
        for state, (name, value) in product((self, *self.others), sent):
            about = state.settings[BY_PARAMETER[name].attribute]
            about.suspect(value, forbidden if state is self else elsewhere, exchange)

    def _setting(self, parameter: str) -> Setting:
        return self.settings[BY_PARAMETER[parameter].attribute]

    def _write(self, exchange: Exchange, form: Iterable[tuple[str, str]], *, certain: bool) -> None:
        sent: dict[str, list[str]] = {}
        for name, value in form:
            sent.setdefault(name, []).append(value)
        decided = {
            name: [decide_value(BY_PARAMETER[name], value) for value in values]
            for name, values in sent.items()
        }
        # A form that had to be refused may have been refused, if with a wrong status: then it has written nothing.
        certain = certain and not any(map(must_be_refused, decided.values()))
        for name, values in sent.items():
            setting = self._setting(name)
            setting.write(exchange)
            setting.seen = False
            decisions = decided[name]
            allowed: list[str | None] = []
            for value, decision in zip(values, decisions, strict=True):
                if decision.answer is Answer.REJECT and decision.level is Level.MUST:
                    if len(values) > 1:
                        setting.suspect(value, Kind.REPEATED, exchange)
                elif value.strip(BLANKS):
                    allowed.append(value)
                else:  # an empty value that was taken may clear, or do nothing
                    allowed += [None, *(setting.right or ())]
            if not allowed:  # accepted in error: anything may be there now
                setting.right = None
            elif certain or setting.right is None:
                setting.right = tuple(dict.fromkeys(allowed)) if certain else None
            else:
                setting.right = tuple(dict.fromkeys((*setting.right, *allowed)))

    def _lenient(self, exchange: Exchange, pairs: Iterable[tuple[str, str]]) -> None:
        """Record a request that is no plain update: a target may ignore, refuse or accept it, but must validate it."""
        for name, value in pairs:
            setting = self._setting(name)
            if decide_value(setting.about, value).answer is Answer.REJECT:
                setting.suspect(value, Kind.UNVALIDATED, exchange)
            elif setting.right is not None:
                setting.right = (*setting.right, value)
        if exchange.request.method == "DELETE":
            for setting in self.settings.values():
                setting.right = None if setting.right is None else (*setting.right, None)

    def compare(
        self, exchange: Exchange, shown: Mapping[str, str | None], account_sid: object = None
    ) -> Comparison:
        """
        Compare the settings that a 2xx answer shows with the prediction, then take what was seen for right.

        The exchange was recorded already. `account_sid` is that of the account whose settings it says they are.
        """
        if self.is_random:
            return Comparison()
        other = next((each for each in self.others if each.sid and each.sid == account_sid), None)
        foreign = answer_of_another(self.settings, other.settings, exchange, shown) if other else ()
        if foreign:
            return Comparison(foreign)
        by_post = exchange.request.method == "POST"
        form = (exchange.request.form() or ()) if by_post else ()
        mismatches: list[Mismatch] = []
        proofs: set[tuple[Proof | Kind, Field]] = set()
        for name, value in shown.items():
            setting = self.settings[name]
            sent = [each for parameter, each in form if parameter == setting.about.parameter]
            if setting.writer is None:
                setting.found = value
            right = setting.matches(value)
            if not right:
                mismatches += self._explain(exchange, setting, shown, sent, other)
            elif setting.writer is None and value is not None:
                # Nobody wrote it in this run. A value that was accepted in error is a matter of the rule that says so.
                mismatches += self._malformed(setting, value, ())
            if right:
                there = [other.settings[name] for other in self.others]
                found = proofs_of(exchange, setting, value, sent, self.last_update, self.last_safe, there)
                proofs |= {(proof, setting.about) for proof in found}
            if by_post:
                self._adopt(setting, value, sent)
            elif setting.right is None:
                setting.right, setting.seen = (value,), True
            setting.looked, setting.last = True, value
        if by_post:
            self.last_safe = None
            self.last_update = exchange
            self.last_was_right = not mismatches
        return Comparison(tuple(mismatches), frozenset(proofs))

    def _adopt(self, setting: Setting, value: str | None, sent: Sequence[str]) -> None:
        """Bring what is known of a setting up to date with the value that the answer to an update shows."""
        right = setting.matches(value)
        if setting.shown is not None and setting.shown != value:
            setting.former = [*setting.former[-REMEMBERED:], setting.shown]
        if sent and setting.right is not None and right:
            setting.kept = value
        if sent:
            new = right and setting.right is not None and setting.looked and value != setting.last
            setting.ours = value if new or (right and value == setting.ours) else None
        elif not right:
            setting.ours = None
        if setting.right is None or len(setting.right) > 1 or not right:
            # One answer may be wrong, or a step behind: then what was right before is right the next time.
            before = () if right or setting.right is None else tuple(sent) or setting.right
            setting.right, setting.seen = tuple(dict.fromkeys((value, *before))), True
        setting.shown = value
        setting.contested = False
        setting.suspects = []
        setting.sent = sent[-1] if sent else setting.sent

    # Mismatches

    def _explain(
        self,
        exchange: Exchange,
        setting: Setting,
        shown: Mapping[str, str | None],
        sent: Sequence[str],
        other: "ExpectedState | None",
    ) -> Iterator[Mismatch]:
        """Explain a wrong value; `other` is the other account whose settings the answer says it shows."""
        about, value = setting.about, shown[setting.about.attribute]
        malformed = () if value is None or len(sent) > 1 else tuple(self._malformed(setting, value, sent))
        yield from malformed
        if sent:
            kind, outcome, earlier = self._explain_own(exchange, setting, value, sent)
            if kind is Kind.ECHO:
                setting.wrong = None if self.is_partial else value
                outcome = "malformed" if malformed else outcome
            yield Mismatch(
                kind=kind,
                outcome=outcome,
                about=about,
                shown=value,
                expected=setting.right or (),
                sent=sent[-1],
                was_null=setting.looked and setting.last is None,
                related=() if earlier is None else (earlier,),
            )
        elif not malformed:
            swapped = value is not None and self._swapped(setting, value)
            if swapped and self._is_misplaced(exchange, shown, value):
                return  # the value was sent for another setting, which reports it
            taken = any(each.exchange.accepted and each.value == value for each in setting.suspects)
            if taken and exchange.request.method != "POST":
                return  # that it was accepted is reported already
            kind, outcome, suspect = self._explain_other(exchange, setting, value)
            # That nothing is shown says nothing of another account: a mock shows none to all.
            theirs = other.settings[about.attribute] if other is not None and value is not None else None
            if theirs is not None and theirs.matches(value):
                kind, outcome = Kind.FOREIGN, "foreign-value"
            if suspect is None and about.parameter in dict(exchange.request.intends):
                return  # what becomes of a value that is sent in no plain update is open
            first_lost = value is None and setting.found is None and not setting.former
            others = {each for each in (setting.writer, suspect) if each is not None and each is not exchange}
            yield Mismatch(
                kind=kind,
                outcome=outcome,
                about=about,
                shown=value,
                expected=setting.right or (),
                was_null=setting.looked and (first_lost or (setting.right == (None,) and bool(suspect))),
                related=tuple(sorted(others, key=lambda each: each.number)),
            )

    def _malformed(self, setting: Setting, value: str, sent: Sequence[str]) -> Iterator[Mismatch]:
        """Yield why a value cannot be one of the setting; nothing where what was sent explains it."""
        about = setting.about
        attempted = (about.parameter, value[:_COMPARED]) in self.attempted or self.is_foreign(about, value)
        if attempted or any(value.strip(BLANKS) == each.strip(BLANKS) for each in sent):
            return
        if about.kind == "sid":
            if decide_sid(value, about.prefix).answer is not Answer.ACCEPT:
                yield Mismatch(kind=Kind.PATTERN, outcome="pattern", about=about, shown=value)
        elif not read(value):
            yield Mismatch(kind=Kind.LENGTH, outcome="unparsable", about=about, shown=value)
        elif self._is_below(about, value):
            yield Mismatch(kind=Kind.LENGTH, outcome="below-minimum", about=about, shown=value)

    def _is_below(self, about: Field, value: str) -> bool:
        """Whether a timer is shorter than its minimum, and not because this run sent it."""
        length = length_of(value)
        if length is None:  # a support article has zero disable the inactive timer, no other
            return about is CLOSED
        return length.high < about.minimum and length.low not in self.sent_below

    def _explain_own(
        self, exchange: Exchange, setting: Setting, value: str | None, sent: Sequence[str]
    ) -> tuple[Kind, str, Exchange | None]:
        about, last = setting.about, self.last_update
        if len(sent) > 1:
            suspected = any(suspect.value == value for suspect in setting.suspects)
            return Kind.REPEATED, "invalid-value" if suspected else "neither-value", None
        for suspect in setting.suspects[::-1]:
            elsewhere = suspect.exchange is exchange  # the same request says it in another place
            if suspect.value == value and (elsewhere or value != setting.shown):
                written = "foreign-value" if suspect.kind is Kind.FOREIGN else "written"
                return suspect.kind, written, None if elsewhere else suspect.exchange
        if self.last_was_right and last is not None and last.request == exchange.request:
            return Kind.IDEMPOTENCE, "changed", last
        if value is None:
            return Kind.ECHO, "missing", None
        was_right = setting.sent and is_right(about, setting.sent, value)
        former = value != setting.wrong and (value == setting.shown or was_right)
        decision = decide_value(about, sent[0])
        certain = decision.answer is Answer.ACCEPT and decision.level is Level.MUST
        if certain and value != setting.kept and not former and self._swapped(setting, value):
            return Kind.ECHO, "swapped", None
        if value.strip(BLANKS) != value:
            return Kind.ECHO, "blank", None
        if former and (certain or Kind.PREVIOUS in setting.explained):
            setting.explained.add(Kind.PREVIOUS)
            return Kind.PREVIOUS, "previous-value", None
        if self._foreign_writer(setting, value) is not None:
            return Kind.FOREIGN, "foreign-value", None
        if about.kind == "timer":
            if lost_fraction(sent[0], value):
                return Kind.NOTATION, "fraction-lost", None
            if length_of(sent[0]) is not None and decision.answer is Answer.OPEN:
                return Kind.NOTATION, "changed", None
        return Kind.ECHO, "changed", None

    def _explain_other(
        self, exchange: Exchange, setting: Setting, value: str | None
    ) -> tuple[Kind, str, Exchange | None]:
        if exchange.request.method != "POST":
            if value is not None and (writer := self._foreign_writer(setting, value)) is not None:
                return Kind.FOREIGN, "foreign-value", writer
            if self.explanation is not None and self.explanation in setting.explained:
                return self.explanation, "reset" if value is None else "changed", None
            return Kind.READ, "stale" if value in setting.former else "different", None
        # The last one; but sooner one that was answered as if it had written.
        latest_first = setting.suspects[::-1]
        for suspect in sorted(latest_first, key=lambda each: not each.exchange.accepted):
            own = suspect.exchange.request.account == exchange.request.account
            if (
                (own and value is None and self.explanation is None)
                or suspect.value == value
                or is_right(setting.about, suspect.value, value)
            ):
                written = "foreign-value" if suspect.kind is Kind.FOREIGN else "written"
                return suspect.kind, "cleared" if value is None else written, suspect.exchange
        if value is not None and (writer := self._foreign_writer(setting, value)) is not None:
            return Kind.FOREIGN, "foreign-value", writer
        outcome = "reset" if value is None else "previous-value" if value in setting.former else "changed"
        if setting.about.kind == "sid" and self.is_foreign(setting.about, value):
            return Kind.FOREIGN, "foreign-value", None
        if self.explanation is not None:
            setting.explained.add(self.explanation)
            return self.explanation, outcome, None
        if setting.contested:
            return Kind.CONCURRENT, "lost", None
        if self.last_safe:
            return Kind.SAFE, outcome, self.last_safe
        self.explanation = Kind.LOST if outcome == "previous-value" else Kind.OMITTED
        setting.explained.add(self.explanation)
        return self.explanation, outcome, None

    def _swapped(self, setting: Setting, value: str) -> bool:
        """Whether a value is that of another setting."""
        return any(
            value in (other.right or ()) and not setting.matches(value)
            for other in self.settings.values()
            if other is not setting
        )

    def _is_misplaced(self, exchange: Exchange, shown: Mapping[str, str | None], value: str | None) -> bool:
        """Whether this very update has sent a value for another setting, which does not show it."""
        return any(
            sent == value and name in BY_PARAMETER and shown.get(BY_PARAMETER[name].attribute) != value
            for name, sent in exchange.request.form() or ()
        )

    def _foreign_writer(self, setting: Setting, value: str) -> Exchange | None:
        return foreign_writer(
            setting, value, [other.settings[setting.about.attribute] for other in self.others]
        )


def _must_not_write(exchange: Exchange) -> Kind | None:
    """Return why an exchange must not have written what its request sends; None where it may have."""
    if not exchange.request.auth.valid:
        return Kind.UNAUTHORISED
    if exchange.request.method in SAFE_METHODS:
        return Kind.SAFE
    return Kind.REFUSED if exchange.unwritten else None


def _form(exchange: Exchange) -> Iterator[tuple[str, str]]:
    """Yield the known parameters of an exchange's form, with their values."""
    return ((name, value) for name, value in exchange.request.form() or () if name in BY_PARAMETER)

"""
The ledger: a model of one account's settings that predicts every representation.

For each setting it keeps the *set* of values that would be right (a timeout, a repeated parameter or concurrent
writers leave several), and the suspects: values that were sent but must not be there. When an answer shows
something else, the suspects say which rule was broken. A mismatch is reported once; then what was seen is adopted.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from conformance.http import Exchange
from conformance.model import BY_PARAMETER, CLOSED, FIELDS, Field, Level, Violation
from conformance.oracle.decisions import (
    BLANKS,
    Answer,
    decide_sid,
    decide_value,
    is_zero,
    length_of,
    lost_fraction,
    same_length,
)
from conformance.oracle.durations import Length, read

_REMEMBERED = 32
"""How many former values and suspects are kept for each setting: older ones explain nothing any more."""

CONCURRENT = "concurrent-writers"

_BLANKS = frozenset(BLANKS)

MALFORMED = "malformed"
"""The outcome of an echo that is no value of the setting at all."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """A value that must not be there, and the rule that is broken when it is."""

    value: str
    rule: str
    exchange: Exchange


@dataclass(slots=True)
class Setting:
    """What is known of one setting."""

    about: Field
    right: tuple[str | None, ...] | None = None
    """The values that would be right; None while nothing is known."""
    seen: bool = False
    """Whether `right` is what was seen, and not what was sent: it is right again to the letter."""
    shown: str | None = None
    """The value last shown by the answer to a POST."""
    found: str | None = None
    """The value shown before this run had sent any."""
    kept: str | None = None
    """The value last shown that was right for what had been sent."""
    former: list[str] = field(default_factory=list)
    suspects: list[Suspect] = field(default_factory=list)
    writer: Exchange | None = None
    contested: bool = False
    """Whether concurrent writers left it."""
    told: set[str] = field(default_factory=set)
    """Rules that explained it before."""
    sent: str | None = None
    """The value of the last update that was accepted, before the present one."""

    def matches(self, value: str | None) -> bool:
        """Whether a shown value is right."""
        if self.right is None or (self.seen and value in self.right):
            return True
        return any(is_right(self.about, sent, value) for sent in self.right)

    def suspect(self, value: str, rule: str, exchange: Exchange) -> None:
        """Remember a value that must not be shown, unless it is right anyway."""
        if self.right is None or not self.matches(value):
            self.suspects = [*self.suspects[-_REMEMBERED:], Suspect(value, rule, exchange)]


def is_right(target_field: Field, sent: str | None, shown: str | None) -> bool:
    """Whether what is shown is what was sent, or another spelling of it."""
    if sent is None:
        return shown is None
    if target_field.kind == "sid":
        core, prefix = sent.strip(BLANKS), target_field.prefix
        spelled = shown is not None and shown.lower() == core.lower()
        return spelled and (shown or "").startswith(prefix) >= core.startswith(prefix)
    if is_zero(sent.strip(BLANKS)):
        return shown is None or is_zero(shown) or shown in ("P", "PT")
    return shown is not None and not _has_blanks(shown) and same_length(sent, shown)


def _has_blanks(text: str) -> bool:
    return not _BLANKS.isdisjoint(text)


@dataclass(slots=True)
class Ledger:
    """The model of one account; `others` are the ledgers of the other accounts of the run."""

    settings: dict[str, Setting] = field(
        default_factory=lambda: {each.attribute: Setting(each) for each in FIELDS}
    )
    others: tuple["Ledger", ...] = ()
    sent_below: set[Decimal] = field(default_factory=set)
    """Lengths below a minimum that this run sent, in seconds."""
    last_safe: Exchange | None = None
    """The last request with a safe method since a POST's answer was seen."""
    last_update: Exchange | None = None
    last_was_right: bool = False
    """Whether the answer to it showed what was predicted."""
    blamed: str = ""
    """The rule that explained why a setting is not what it was: the same goes on until another is proven."""

    def lengths(self) -> Mapping[str, list[Length | None]]:
        """By timer parameter, what the current value may be."""
        return {
            each.about.parameter: [None if text is None else length_of(text) for text in each.right]
            for each in self.settings.values()
            if each.about.kind == "timer" and each.right is not None
        }

    def current(self) -> dict[str, str | None]:
        """By attribute, the settings that are known for certain."""
        return {
            name: setting.right[0]
            for name, setting in self.settings.items()
            if setting.right is not None and len(setting.right) == 1
        }

    def record(self, exchange: Exchange, *, authorised: bool) -> None:
        """Take in what an exchange may have written, before its answer's representation is compared."""
        request = exchange.request
        status = exchange.status
        form = request.form() if request.method == "POST" else None
        for name, value in (*(form or ()), *request.intends):
            each = BY_PARAMETER.get(name)
            if each is not None and each.kind == "timer":
                length = length_of(value)
                if length is not None and length.high < each.minimum:
                    self.sent_below.add(length.low)
        if not authorised:
            for name, value in (*(form or ()), *request.intends):
                if name in BY_PARAMETER:
                    self._setting(name).suspect(value, "credentials-required", exchange)
        elif request.method in ("GET", "HEAD", "OPTIONS"):
            self.last_safe = exchange
            for name, value in request.intends:
                self._setting(name).suspect(value, "safe-methods", exchange)
        elif form is None or request.intends:
            self._lenient(exchange, (*(form or ()), *request.intends))
        elif exchange.unwritten:
            for name, value in form:
                if name in BY_PARAMETER:
                    self._setting(name).suspect(value, "rejected-update-changes-nothing", exchange)
        else:
            self._write(exchange, form, certain=status is not None and 200 <= status < 300)

    def record_together(
        self, exchanges: Sequence[Exchange], shown: Sequence[Mapping[str, str | None] | None]
    ) -> None:
        """
        Take in updates that were sent at the same time: whichever came last is right.

        Args:
            exchanges: the updates and their answers.
            shown: the settings that each answer shows; what its own answer does not show was never there to be lost.
        """
        values: dict[str, list[str]] = {}
        certain: dict[str, bool] = {}
        for exchange, own in zip(exchanges, shown, strict=True):
            accepted = exchange.status is not None and 200 <= exchange.status < 300
            for name, value in exchange.request.form() or ():
                if name in BY_PARAMETER and not exchange.unwritten:
                    about = BY_PARAMETER[name]
                    if accepted and own is not None and not is_right(about, value, own.get(about.attribute)):
                        self._setting(name).right = None
                        continue
                    values.setdefault(name, []).append(value)
                    certain[name] = certain.get(name, False) or accepted
                    self._setting(name).writer = exchange
        for name, sent in values.items():
            setting = self._setting(name)
            before = () if certain[name] or setting.right is None else setting.right
            setting.right, setting.seen = (*before, *sent), False
            setting.contested = True

    def _setting(self, parameter: str) -> Setting:
        return self.settings[BY_PARAMETER[parameter].attribute]

    def _write(self, exchange: Exchange, form: Iterable[tuple[str, str]], *, certain: bool) -> None:
        sent: dict[str, list[str]] = {}
        for name, value in form:
            if name in BY_PARAMETER:
                sent.setdefault(name, []).append(value)
        for name, values in sent.items():
            setting = self._setting(name)
            setting.writer = exchange
            setting.seen = False
            decisions = [decide_value(setting.about, value) for value in values]
            allowed: list[str | None] = []
            for value, decision in zip(values, decisions, strict=True):
                if decision.answer is Answer.REJECT and decision.level is Level.MUST:
                    if len(values) > 1:
                        setting.suspect(value, "repeated-parameters", exchange)
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
        """A request that is no plain update: it may be ignored, refused or taken, but never taken unvalidated."""
        for name, value in pairs:
            if name not in BY_PARAMETER:
                continue
            setting = self._setting(name)
            decision = decide_value(setting.about, value)
            if decision.answer is Answer.REJECT:
                setting.suspect(value, "unvalidated-write", exchange)
            elif exchange.unwritten:
                setting.suspect(value, "rejected-update-changes-nothing", exchange)
            elif setting.right is not None:
                setting.right = (*setting.right, value)
        if exchange.request.method == "DELETE" and not exchange.unwritten:
            for setting in self.settings.values():
                setting.right = None if setting.right is None else (*setting.right, None)

    def compare(self, exchange: Exchange, shown: Mapping[str, str | None]) -> Iterator[Violation]:
        """
        Compare a representation with the prediction; report what differs, then adopt what was seen.

        Args:
            exchange: a 200 answer, already recorded.
            shown: the settings it shows, by attribute; attributes that are no string or null are left out.
        """
        by_post = exchange.request.method == "POST"
        repeated = _repeated(exchange)
        right = True
        for name, value in shown.items():
            setting = self.settings[name]
            if setting.writer is None:
                setting.found = value
            if not setting.matches(value):
                right = False
                yield from self._explain(exchange, setting, value, repeated)
            elif (
                # Nobody wrote it in this run. What was accepted in error is told by the rule that says so.
                setting.writer is None
                and value is not None
                and (malformed := self._malformed(setting, value)) is not None
            ):
                yield malformed
            if by_post:
                if setting.shown is not None and setting.shown != value:
                    setting.former = [*setting.former[-_REMEMBERED:], setting.shown]
                sent = dict(exchange.request.form() or ()).get(setting.about.parameter)
                if sent is not None and setting.right is not None and setting.matches(value):
                    setting.kept = value
                if setting.right is None or len(setting.right) > 1 or not setting.matches(value):
                    setting.right, setting.seen = (value,), True
                setting.shown = value
                setting.contested = False
                setting.suspects = []
                setting.sent = setting.sent if sent is None else sent
            elif setting.right is None:
                setting.right, setting.seen = (value,), True
        if by_post:
            self.last_safe = None
            self.last_update = exchange
            self.last_was_right = right

    def _explain(
        self, exchange: Exchange, setting: Setting, value: str | None, repeated: frozenset[str]
    ) -> Iterator[Violation]:
        target_field = setting.about
        expected = " or ".join("null" if each is None else _short(each) for each in setting.right or ())
        related: tuple[Exchange, ...] = ()
        form = exchange.request.form() if exchange.request.method == "POST" else None
        sent = dict(form or ()).get(target_field.parameter)
        malformed = None if value is None else self._malformed(setting, value)
        if malformed is not None and self._is_trace(setting, value, sent):
            malformed = None
        if malformed is not None:
            yield malformed
            if sent is None:
                return
        if sent is not None:
            rule, outcome = self._explain_own(exchange, setting, value, sent, repeated)
            if malformed is not None and rule.endswith("-echo"):
                outcome = MALFORMED
            what = f"{target_field.parameter}={_short(sent)} was accepted, but the answer shows another value"
            if rule == "idempotence" and self.last_update is not None:
                related = (self.last_update,)
            if outcome == "blank":
                expected = f"{_short(sent.strip(BLANKS))}, or a refusal"
        else:
            rule, outcome, suspect = self._explain_other(exchange, setting, value)
            related = tuple(
                each for each in (setting.writer, suspect) if each is not None and each is not exchange
            )
            what = f"{target_field.attribute} was not sent, yet it is no longer what it was"
        yield Violation(
            rule=rule,
            outcome=outcome,
            # What was written matters for an echo; for what stays or goes, only whose setting it is.
            cls="" if rule.startswith(target_field.slug) else f"setting/{target_field.slug}",
            field=target_field.attribute,
            summary=what,
            expected=f"{target_field.attribute}: {expected}",
            observed=f"{target_field.attribute}: {'null or absent' if value is None else _short(value)}",
            related=tuple(sorted(related, key=lambda each: each.number)),
        )

    def _malformed(self, setting: Setting, value: str) -> Violation | None:
        """Why a value can be no setting at all, whatever was sent."""
        about = setting.about
        if about.kind == "sid":
            if decide_sid(value, about.prefix).answer is Answer.ACCEPT:
                return None
            rule, outcome, expected = (
                "response-schema",
                "pattern",
                f"{about.prefix} and 32 hexadecimal digits",
            )
        elif not read(value):
            rule, outcome, expected = "timer-representation", "unparsable", "an ISO 8601 duration"
        elif self._is_below(about, value):
            rule, outcome, expected = "timer-representation", "below-minimum", f"at least {about.minimum} s"
        else:
            return None
        return Violation(
            rule=rule,
            outcome=outcome,
            field=about.attribute,
            summary=f"{about.attribute} comes back as what it can never be",
            expected=f"{about.attribute}: {expected}",
            observed=f"{about.attribute}: {_short(value)}",
        )

    def _is_below(self, about: Field, value: str) -> bool:
        """Whether a timer is shorter than its minimum, and not because this run sent it."""
        length = length_of(value)
        if length is None:  # a support article has zero disable the inactive timer, no other
            return about is CLOSED
        return length.high < about.minimum and length.low not in self.sent_below

    def _is_trace(self, setting: Setting, value: str | None, sent: str | None) -> bool:
        """Whether a malformed value is explained by what was sent: with its blanks, or by what must not be there."""
        return value is not None and (
            (sent is not None and value.strip(BLANKS) == sent.strip(BLANKS))
            or any(suspect.value == value for suspect in setting.suspects)
        )

    def _explain_own(
        self, exchange: Exchange, setting: Setting, value: str | None, sent: str, repeated: frozenset[str]
    ) -> tuple[str, str]:
        target_field = setting.about
        echo = f"{target_field.slug}-echo"
        last = self.last_update
        if target_field.parameter in repeated:
            suspected = any(suspect.value == value for suspect in setting.suspects)
            return "repeated-parameters", "invalid-value" if suspected else "neither-value"
        if self.last_was_right and last is not None and last.request == exchange.request:
            return "idempotence", "changed"
        if value is None:
            return echo, "missing"
        if value != setting.kept and self._swapped(setting, value):
            return echo, "swapped"
        if value.strip(BLANKS) != value:
            return echo, "blank"
        decision = decide_value(target_field, sent)
        certain = decision.answer is Answer.ACCEPT and decision.level is Level.MUST
        former = value == setting.shown or (setting.sent and is_right(target_field, setting.sent, value))
        if former and (certain or "last-write-wins" in setting.told):
            setting.told.add("last-write-wins")
            return "last-write-wins", "previous-value"
        if self._elsewhere(setting, value):
            return "accounts-apart", "foreign-value"
        if target_field.kind == "timer":
            length = length_of(sent)
            if lost_fraction(sent, value):
                return f"{target_field.slug}-notation", "fraction-lost"
            if length is not None and decision.answer is Answer.OPEN:
                return f"{target_field.slug}-notation", "changed"
        return echo, "changed"

    def _explain_other(
        self, exchange: Exchange, setting: Setting, value: str | None
    ) -> tuple[str, str, Exchange | None]:
        if exchange.request.method != "POST":
            if value is not None and self._elsewhere(setting, value):
                return "accounts-apart", "foreign-value", self._foreign_writer(setting)
            if self.blamed in setting.told:
                return self.blamed, "reset" if value is None else "changed", None
            return "read-reflects-writes", "stale" if value in setting.former else "different", None
        for suspect in reversed(setting.suspects):
            if (
                (value is None and not self.blamed)
                or suspect.value == value
                or is_right(setting.about, suspect.value, value)
            ):
                return suspect.rule, "cleared" if value is None else "written", suspect.exchange
        if value is not None:
            if self._swapped(setting, value):
                return f"{setting.about.slug}-echo", "swapped", None
            if self._elsewhere(setting, value):
                return "accounts-apart", "foreign-value", self._foreign_writer(setting)
        outcome = "reset" if value is None else "previous-value" if value in setting.former else "changed"
        if self.blamed:
            setting.told.add(self.blamed)
            return self.blamed, outcome, None
        if setting.contested:
            return CONCURRENT, "lost", None
        if self.last_safe is not None:
            return "safe-methods", outcome, self.last_safe
        self.blamed = "read-after-write" if outcome == "previous-value" else "omitted-parameters-kept"
        setting.told.add(self.blamed)
        return self.blamed, outcome, None

    def _swapped(self, setting: Setting, value: str) -> bool:
        """Whether a value is that of another setting."""
        return any(
            value in (other.right or ()) and not setting.matches(value)
            for other in self.settings.values()
            if other is not setting
        )

    def _elsewhere(self, setting: Setting, value: str) -> bool:
        """Whether a value was last written for another account, and was not this one's since."""
        about = setting.about
        writers = [other.settings[about.attribute].writer for other in self.others]
        written = setting.writer.number if setting.writer else 0
        return value != setting.shown and any(
            is_right(about, sent, value)
            for writer in writers
            if writer is not None
            and (value not in setting.former or writer.number > written)
            and (sent := dict(writer.request.form() or ()).get(about.parameter))
        )

    def _foreign_writer(self, setting: Setting) -> Exchange | None:
        return next(
            (
                other.settings[setting.about.attribute].writer
                for other in self.others
                if other.settings[setting.about.attribute].writer is not None
            ),
            None,
        )


def _repeated(exchange: Exchange) -> frozenset[str]:
    names = [name for name, _ in exchange.request.form() or ()]
    return frozenset(name for name in names if names.count(name) > 1)


def _short(text: str) -> str:
    return repr(text) if len(text) <= 80 else f"{text[:60]!r} and {len(text) - 60} more characters"

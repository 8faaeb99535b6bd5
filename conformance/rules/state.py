"""Rules about state: which settings an update changes, and which it must leave alone."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from conformance.http import EMPTY, READ, Exchange, Pairs, Request, encode_form, update
from conformance.model import (
    BY_PARAMETER,
    CHAT,
    CLOSED,
    INACTIVE,
    MESSAGING,
    SIDS,
    Aspect,
    Evidence,
    InputClass,
    Level,
    Probe,
    Rule,
    Situation,
    Violation,
    shortened,
)
from conformance.oracle.decisions import BLANKS, Answer, decide_value, is_right
from conformance.oracle.mismatches import Kind, Mismatch, Proof
from conformance.rules.evidence import NOT_SHOWN, is_accepted, proved
from conformance.rules.forms import pairs_for
from conformance.rules.probes import DOCUMENT, LONG_CLOSED, SHORT_INACTIVE, single
from conformance.rules.reply import Reply

_BROKEN = {
    Kind.PREVIOUS: "last-write-wins",
    Kind.REPEATED: "repeated-parameters",
    Kind.IDEMPOTENCE: "idempotence",
    Kind.LOST: "read-after-write",
    Kind.OMITTED: "omitted-parameters-kept",
    Kind.READ: "read-reflects-writes",
    Kind.FOREIGN: "accounts-apart",
    Kind.CONCURRENT: "concurrent-writers",
    Kind.SAFE: "safe-methods",
    Kind.REFUSED: "rejected-update-changes-nothing",
    Kind.UNAUTHORISED: "credentials-required",
    Kind.UNVALIDATED: "unvalidated-write",
    Kind.PATTERN: "response-schema",
    Kind.LENGTH: "timer-representation",
}
"""The rule that each kind of mismatch breaks. For any other kind the id is the setting's slug and the kind."""


def check_state(reply: Reply) -> Iterator[Violation]:
    """Judge whether a representation shows what the expected state predicts."""
    shown = reply.shown if reply.authorised and reply.request.method in ("POST", "GET") else None
    if shown is None or not (reply.represents or any(shown.values())):
        return
    comparison = reply.state.compare(reply.exchange, shown)
    reply.proofs.update(comparison.proofs)
    for mismatch in comparison.mismatches:
        yield violation_of(mismatch)
    if reply.request.method != "POST":
        return
    sent = dict(reply.request.form() or ())
    for each in SIDS:
        value, back = sent.get(each.parameter), shown.get(each.attribute)
        if (
            value is not None
            and back is not None
            and back != value
            and back.lower() == value.lower()
            and decide_value(each, value).answer is Answer.ACCEPT
        ):
            yield Violation(
                rule=f"{each.slug}-verbatim",
                outcome="case-changed",
                field=each.attribute,
                summary=f"{each.parameter} comes back in another case",
                expected=f"{each.attribute}: {value}",
                observed=f"{each.attribute}: {back}",
            )


def violation_of(mismatch: Mismatch) -> Violation:
    """The violation that a mismatch is, with the rule that it breaks."""
    about, kind = mismatch.about, mismatch.kind
    own = kind not in _BROKEN
    return Violation(
        rule=f"{about.slug}-{kind}" if own else _BROKEN[kind],
        outcome=mismatch.outcome,
        # An echo depends on the value, so its input class counts. A lost setting does not: the setting counts.
        cls="" if own else f"setting/{about.slug}",
        field=about.attribute,
        summary=_summary(mismatch),
        expected=f"{about.attribute}: {_expected(mismatch)}",
        observed=f"{about.attribute}: {'null or absent' if mismatch.shown is None else _quoted(mismatch.shown)}",
        related=mismatch.related,
        was_null=mismatch.was_null,
    )


def _summary(mismatch: Mismatch) -> str:
    about, sent = mismatch.about, mismatch.sent
    if mismatch.kind in (Kind.PATTERN, Kind.LENGTH):
        return f"{about.attribute} comes back as a value that it can never have"
    if sent is None:
        return f"{about.attribute} was not sent, yet it is no longer the same"
    said = f"{about.parameter}={_quoted(sent)} was accepted"
    if mismatch.shown == sent:
        return f"{said}, and comes back as it was sent"
    return f"{said}, but {'none' if mismatch.shown is None else 'another value'} is shown"


def _expected(mismatch: Mismatch) -> str:
    if mismatch.kind is Kind.PATTERN:
        return f"{mismatch.about.prefix} and 32 hexadecimal digits"
    if mismatch.kind is Kind.LENGTH:
        minimum = mismatch.outcome == "below-minimum"
        return f"at least {mismatch.about.minimum} s" if minimum else "an ISO 8601 duration"
    if mismatch.outcome == "blank" and mismatch.sent is not None:
        return f"{_quoted(mismatch.sent.strip(BLANKS))}, or a refusal"
    values = [each for each in mismatch.expected if each != mismatch.shown]
    return " or ".join("null" if each is None else _quoted(each) for each in values) or "a refusal"


def _quoted(text: str) -> str:
    return shortened(repr(text), 80)


def mixed_up(reply: Reply, broken: Collection[str]) -> Iterator[Violation]:
    """
    Yield a violation where the answer to one of several concurrent updates does not show what that update has set.

    Args:
        reply: The answer.
        broken: The ids of the rules that the target is known to break. Some of them explain such an answer.
    """
    shown = reply.shown if reply.represents else None
    for name, value in reply.form or ():
        about = BY_PARAMETER[name]
        back = (shown or {}).get(about.attribute)
        explained = {f"{about.slug}-{Kind.ECHO}", _BROKEN[Kind.PREVIOUS]}.intersection(broken)
        # An absent attribute does not show a value of another update.
        if (
            shown is not None
            and about.attribute in shown
            and not explained
            and not is_right(about, value, back)
        ):
            yield Violation(
                rule=_BROKEN[Kind.CONCURRENT],
                outcome="mixed-up",
                cls=f"setting/{about.slug}",
                field=about.attribute,
                summary="the answer to one of several concurrent updates does not show what it has set",
                expected=f"{about.attribute}: {value}",
                observed=f"{about.attribute}: {back}",
            )


def unsteady(first: Exchange) -> Violation:
    """The violation that two reads with no write between them show different settings."""
    return Violation(
        rule=_BROKEN[Kind.SAFE],
        outcome="unsteady",
        field=None,
        summary="two reads with no write between them show different settings",
        expected="the settings that the first read shows",
        observed="other settings",
        related=(first,),
    )


def is_concurrent(violation: Violation) -> bool:
    """Whether a violation shows only where updates are sent at the same moment."""
    return violation.rule == _BROKEN[Kind.CONCURRENT]


def locked_out(violation: Violation) -> Violation:
    """The same violation as one of concurrent writers: a good update was refused beside others at the same moment."""
    return replace(violation, rule=_BROKEN[Kind.CONCURRENT])


def _is_safe(exchange: Exchange, last: Exchange) -> bool:
    # Where only the same read shows the change, nothing says that a safe request wrote it.
    return exchange.request.method in ("GET", "HEAD", "OPTIONS") and exchange.request != last.request


def _is_of_another_account(exchange: Exchange, last: Exchange) -> bool:
    return exchange.request.account != last.request.account


_NOT_KEPT = "no value that this run had set was shown again by a later update"


def _each(situation: Situation, index: int) -> tuple[Request, ...]:
    """An update of each setting by itself, all with values not seen before."""
    return tuple(update(pair) for pair in pairs_for(situation, index))


def _omitted(situation: Situation) -> Sequence[Probe]:
    everything = update(*pairs_for(situation, 20))
    return [
        single(everything, *_each(situation, 21)),
        single(everything, *reversed(_each(situation, 22)), *_each(situation, 23)),
        *(
            single(everything, one, another)
            for one in _each(situation, 24)
            for another in _each(situation, 25)
        ),
    ]


def _last_wins(situation: Situation) -> Sequence[Probe]:
    one, other = update(*pairs_for(situation, 26)), update(*pairs_for(situation, 27))
    return [
        single(one, other, one),
        *(
            single(first, second, first)
            for first, second in zip(_each(situation, 28), _each(situation, 29), strict=True)
        ),
        single(
            *(update((INACTIVE.parameter, f"PT{seconds}S")) for seconds in (61, 3600, 62, 5999, 63)),
            context=(LONG_CLOSED,),
        ),
    ]


def _fresh(situation: Situation) -> Sequence[Probe]:
    """Updates on one connection, and looks at them on others."""
    everything = Request(body=encode_form(pairs_for(situation, 30)))
    looks = [Request(body=encode_form((pair,)), fresh=True) for pair in pairs_for(situation, 31)]
    return [
        single(everything, looks[-1]),
        single(everything, *looks),
        single(Request(body=everything.body, fresh=True), update(SHORT_INACTIVE)),
    ]


def _kept(situation: Situation) -> Sequence[Probe]:
    """An update, and a look at it some seconds later, in the last account: other probes use that one least."""
    account = situation.accounts - 1
    before = Request(body=encode_form(pairs_for(situation, 32)), account=account)
    return [Probe(steps=(before, replace(update(SHORT_INACTIVE), account=account)), pause=2.0)]


def _reads(situation: Situation) -> Sequence[Probe]:
    return [
        single(update(*pairs_for(situation, 33)), READ, READ),
        *(single(each, READ) for each in _each(situation, 34)),
        single(update(*pairs_for(situation, 35)), Request(method="GET", content_type=None, fresh=True)),
    ]


def _safe(situation: Situation) -> Sequence[Probe]:
    """Safe methods, some with parameters that a careless router takes for an update; then a look."""
    wanted: Pairs = ((INACTIVE.parameter, "PT33M3S"),)
    query = encode_form(wanted).decode()
    before = update(*pairs_for(situation, 36))
    plain = [Request(method=method, content_type=None) for method in ("GET", "HEAD", "OPTIONS")]
    queried = [replace(request, query=query, intends=wanted) for request in plain]
    # These have connections of their own: a server that leaves the content unread may take it for the next request.
    filled = [
        replace(update(*wanted), method=request.method, intends=wanted, fresh=True) for request in plain[:2]
    ]
    return [
        single(before, *queried[:2], *filled, update(LONG_CLOSED)),
        *(single(before, request, update(LONG_CLOSED)) for request in (*plain, *queried, *filled)),
    ]


def _twice(situation: Situation) -> Sequence[Probe]:
    return [
        single(update(*pairs_for(situation, 37)), update(*pairs_for(situation, 37)), update(SHORT_INACTIVE)),
        *(single(each, each, each) for each in _each(situation, 38)),
    ]


def _two_accounts(situation: Situation) -> Sequence[Probe]:
    if situation.accounts < 2:
        return ()

    def of(account: int, *pairs: tuple[str, str]) -> Request:
        return Request(body=encode_form(pairs), account=account)

    mine, theirs = pairs_for(situation, 39), pairs_for(situation, 40)
    # A form that names the other account has an unknown parameter, or is a way to write to that account.
    named = [
        of(0, (INACTIVE.parameter, "PT17M17S"), ("AccountSid", sid)) for sid in situation.account_sids[1:2]
    ]
    return [
        single(of(0, *mine), of(1, *theirs), READ, of(0, SHORT_INACTIVE), *named, of(1, LONG_CLOSED)),
        *(
            single(of(0, *mine), of(1, *theirs), of(0, one), of(1, other), of(0, LONG_CLOSED))
            for one, other in zip(pairs_for(situation, 41), pairs_for(situation, 42), strict=True)
        ),
    ]


def _concurrent(situation: Situation) -> Sequence[Probe]:
    """One concurrent writer for each setting, and two updates that show whether all writes were kept."""
    return [
        probe
        for turn in range(6)
        for probe in (
            Probe(steps=_each(situation, 43 + turn), together=True),
            single(update(SHORT_INACTIVE), update(LONG_CLOSED)),
        )
    ]


def _empty(situation: Situation) -> Sequence[Probe]:
    before = update(*pairs_for(situation, 50))
    return [single(before, EMPTY), single(before, Request(body=None, content_type=None))]


_BAD = (
    (INACTIVE.parameter, "PT59S"),
    (CLOSED.parameter, "PT9M"),
    (CHAT.parameter, "IS0"),
    (MESSAGING.parameter, "x"),
)


def _machine(situation: Situation, receive: Callable[[Probe], None]) -> type[RuleBasedStateMachine]:
    """
    A Hypothesis state machine of updates, refusals, reads and repetitions, on one or several connections.

    It hands over each sequence when it is complete, since the requests must not depend on the answers.
    """

    class Updates(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.steps: list[Request] = []

        @rule(index=st.integers(51, 147), subset=st.integers(1, 15), fresh=st.booleans())
        def update(self, index: int, subset: int, fresh: bool) -> None:
            pairs = pairs_for(situation, index)
            chosen = tuple(pair for bit, pair in enumerate(pairs) if subset >> bit & 1) or pairs[:1]
            self.steps.append(Request(body=encode_form(chosen), fresh=fresh))

        @rule(bad=st.sampled_from(_BAD), index=st.integers(51, 147), first=st.booleans())
        def refused(self, bad: tuple[str, str], index: int, first: bool) -> None:
            valid = tuple(pair for pair in pairs_for(situation, index) if pair[0] != bad[0])[:2]
            self.steps.append(update(*((bad, *valid) if first else (*valid, bad))))

        @rule()
        def empty(self) -> None:
            self.steps.append(EMPTY)

        @rule()
        def read(self) -> None:
            self.steps.append(READ)

        @precondition(lambda self: bool(self.steps))
        @rule()
        def repeat(self) -> None:
            self.steps.append(self.steps[-1])

        def teardown(self) -> None:
            if self.steps:
                receive(single(*self.steps, update(SHORT_INACTIVE)))

    return Updates


RULES = (
    Rule(
        id="omitted-parameters-kept",
        group="state",
        level=Level.MUST,
        aspect=Aspect.STATE,
        evidence=proved(Proof.KEPT, _NOT_KEPT),
        statement="A parameter that is not sent keeps its value.",
        source=f"{DOCUMENT}: every parameter is optional, and the update is partial",
        classes=(
            InputClass(
                id="state/omitted", reason="all four set, then each updated by itself", examples=_omitted
            ),
            InputClass(
                id="state/sequence",
                reason="sequences of updates, refusals and reads",
                examples=lambda situation: [single(_each(situation, 49)[0], READ, EMPTY)],
                machine=_machine,
            ),
        ),
    ),
    Rule(
        id="last-write-wins",
        group="state",
        level=Level.MUST,
        aspect=Aspect.ECHO,
        evidence=proved(Proof.REPLACED, NOT_SHOWN),
        statement="The answer to an update shows the value just sent, whatever was there before.",
        source=DOCUMENT,
        classes=(
            InputClass(
                id="state/a-b-a", reason="one value, another, and the first again", examples=_last_wins
            ),
        ),
    ),
    Rule(
        id="read-after-write",
        group="state",
        level=Level.MUST,
        aspect=Aspect.STATE,
        evidence=proved(Proof.KEPT, _NOT_KEPT),
        statement="Later answers to updates still show what was written.",
        source=DOCUMENT,
        classes=(
            InputClass(
                id="state/several-connections",
                reason="write on one connection, look on another",
                examples=_fresh,
            ),
            InputClass(
                id="state/kept-for-seconds", reason="write, and look some seconds later", examples=_kept
            ),
        ),
    ),
    Rule(
        id="read-reflects-writes",
        group="state",
        level=Level.SHOULD,
        aspect=Aspect.CONSISTENCY,
        evidence=proved(Proof.READ_BACK, "no GET showed a value that this run had set"),
        statement="GET shows what was written.",
        source="The vendor's OpenAPI, FetchConfiguration; the resource's document describes POST alone",
        classes=(InputClass(id="state/read", reason="write, then GET", examples=_reads),),
    ),
    Rule(
        id="safe-methods",
        group="state",
        level=Level.MUST,
        aspect=Aspect.STATE,
        evidence=proved(Proof.AFTER_SAFE, _NOT_KEPT),
        culprit=_is_safe,
        statement="GET and HEAD change nothing.",
        source="RFC 9110 9.2.1",
        classes=(
            InputClass(
                id="state/safe-methods", reason="GET, HEAD and OPTIONS between two updates", examples=_safe
            ),
        ),
    ),
    Rule(
        id="idempotence",
        group="state",
        level=Level.MUST,
        aspect=Aspect.ECHO,
        evidence=proved(Proof.REPEATED, "no update that was sent twice showed what it had set"),
        statement="The same update sent again is accepted again and changes nothing.",
        source=f"{DOCUMENT}: what is there already can be set again",
        classes=(InputClass(id="state/same-twice", reason="the same body twice", examples=_twice),),
    ),
    Rule(
        id="accounts-apart",
        group="state",
        needs_accounts=2,
        level=Level.MUST,
        aspect=Aspect.STATE,
        evidence=proved(Proof.APART, "two accounts that both keep what they are sent were not seen"),
        culprit=_is_of_another_account,
        statement="An update changes the settings of its own account alone.",
        source=f"{DOCUMENT}: account-level settings, of the account responsible",
        classes=(InputClass(id="state/two-accounts", reason="two accounts in turn", examples=_two_accounts),),
    ),
    Rule(
        id="concurrent-writers",
        group="state",
        level=Level.MUST,
        aspect=Aspect.STATE,
        evidence=proved(Proof.TOGETHER, "no value that concurrent updates had set was ever shown"),
        statement="Concurrent updates of different settings are all kept.",
        source=f"{DOCUMENT}: parameters that are not sent keep their values, whoever else is writing",
        classes=(
            InputClass(
                id="state/concurrent",
                reason="four concurrent writers, one for each setting",
                examples=_concurrent,
            ),
        ),
    ),
    Rule(
        id="empty-update",
        group="state",
        level=Level.SHOULD,
        aspect=Aspect.ACCEPTANCE,
        evidence=Evidence(
            "no update without parameters was accepted", lambda reply: is_accepted(reply, "empty")
        ),
        statement="An update without parameters is answered with 200 and changes nothing.",
        source=f"{DOCUMENT}: no parameter is required; https://www.twilio.com/docs/api/errors/20161 speaks against it",
        classes=(InputClass(id="state/empty-update", reason="no parameter at all", examples=_empty),),
    ),
)

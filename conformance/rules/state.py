"""Rules about state: which settings an update changes, and which it must leave alone."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from functools import partial

from conformance.http import EMPTY, READ, SAFE_METHODS, Exchange
from conformance.model import (
    BY_PARAMETER,
    SIDS,
    Aspect,
    Evidence,
    Field,
    InputClass,
    Level,
    Violation,
    shortened,
)
from conformance.oracle.decisions import BLANKS, Answer, decide_value, is_right
from conformance.oracle.expected_state import ExpectedState
from conformance.oracle.mismatches import Kind, Mismatch, Proof
from conformance.rules import sequences
from conformance.rules.evidence import NOT_SHOWN, is_accepted, proved
from conformance.rules.probes import DOCUMENT, single
from conformance.rules.reply import Reply
from conformance.rules.rows import row
from conformance.rules.wording import describe

CONCURRENT = "concurrent-writers"

_BROKEN = {
    Kind.PREVIOUS: "last-write-wins",
    Kind.REPEATED: "repeated-parameters",
    Kind.IDEMPOTENCE: "idempotence",
    Kind.LOST: "read-after-write",
    Kind.OMITTED: "omitted-parameters-kept",
    Kind.READ: "read-reflects-writes",
    Kind.FOREIGN: "accounts-apart",
    Kind.CONCURRENT: CONCURRENT,
    Kind.SAFE: "safe-methods",
    Kind.REFUSED: "rejected-update-changes-nothing",
    Kind.UNAUTHORISED: "credentials-required",
    Kind.UNVALIDATED: "unvalidated-write",
    Kind.PATTERN: "response-schema",
    Kind.LENGTH: "timer-representation",
}
"""The rule that each kind of mismatch breaks. For any other kind the id is the setting's slug and the kind."""

_WRITERS = {
    Kind.SAFE: "a request with a safe method",
    Kind.REFUSED: "a refused update",
    Kind.UNAUTHORISED: "a request without the account's own credentials",
}
"""What has written, in words, where it must not write."""


def check_state(reply: Reply) -> Iterator[Violation]:
    """Judge whether a representation shows what the expected state predicts."""
    shown = reply.shown if reply.authorised and reply.request.method in ("POST", "GET") else None
    if shown is None or not (reply.represents or any(shown.values())):
        return
    comparison = reply.state.compare(reply.exchange, shown, reply.owner)
    reply.proofs.update(comparison.proofs)
    for mismatch in comparison.mismatches:
        yield violation_of(mismatch)
    if reply.request.method != "POST":
        return
    sent = dict(reply.form or ())
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


def check_apart(reply: Reply) -> Iterator[Violation]:
    """Judge whether an answer holds a value of another account, anywhere in its headers or body."""
    shown = {(value or "").lower() for value in (reply.shown or {}).values()}
    for sid, writer in reply.state.canaries.foreign(reply.exchange):
        # What the settings themselves show is compared with the expected state, but for updates at the same time.
        if reply.exchange.together or sid.lower() not in shown:
            yield Violation(
                rule=_BROKEN[Kind.FOREIGN],
                outcome="foreign-value",
                field=None,
                summary="an answer holds a SID of another account",
                expected="no value of another account",
                observed=f"{sid}, which another account has set",
                related=(writer,),
            )
            return


def violation_of(mismatch: Mismatch) -> Violation:
    """Return a mismatch as a violation of the rule that it breaks."""
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
    if mismatch.kind is Kind.FOREIGN:
        return f"{about.attribute} shows what was sent for another account"
    if writer := _WRITERS.get(mismatch.kind):
        return f"{writer} has changed {about.attribute}"
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


def beside_updates(
    reply: Reply, state: ExpectedState, beside: Sequence[Exchange], doubtful: Collection[str]
) -> Iterator[Violation]:
    """
    Yield the violations that only an answer to one of several requests at the same time can show.

    Args:
        reply: The answer, to one of the updates or to a read at the same time.
        state: What was expected of its account before them.
        beside: All exchanges of that time.
        doubtful: The ids of rules that the target breaks, or is not seen to keep. Some explain such an answer.
    """
    yield from _mixed_up(reply, doubtful)
    yield from _never_in_force(reply, state, beside, doubtful)


def _mixed_up(reply: Reply, doubtful: Collection[str]) -> Iterator[Violation]:
    """Yield a violation where the answer to a concurrent update does not show what that update has set."""
    shown = reply.shown if reply.represents else None
    for name, value in reply.form or ():
        about = BY_PARAMETER[name]
        back = (shown or {}).get(about.attribute)
        if decide_value(about, value).answer is not Answer.ACCEPT:
            continue  # what becomes of a value that was accepted in error is open
        explained = {f"{about.slug}-{Kind.ECHO}", _BROKEN[Kind.PREVIOUS]}.intersection(doubtful)
        # An absent attribute does not show a value of another update.
        if (
            shown is not None
            and about.attribute in shown
            and not explained
            and not is_right(about, value, back)
        ):
            foreign = reply.state.is_foreign(about, back)
            yield Violation(
                rule=_BROKEN[Kind.FOREIGN if foreign else Kind.CONCURRENT],
                outcome="foreign-value" if foreign else "mixed-up",
                cls=f"setting/{about.slug}",
                field=about.attribute,
                summary="the answer to one of several concurrent updates does not show what it has set",
                expected=f"{about.attribute}: {value}",
                observed=f"{about.attribute}: {back}",
            )


def _never_in_force(
    reply: Reply, state: ExpectedState, beside: Sequence[Exchange], doubtful: Collection[str]
) -> Iterator[Violation]:
    """Yield a violation where an answer beside concurrent updates shows a setting as no update has left it."""
    is_read = reply.request.method == "GET"
    kind = Kind.READ if is_read else Kind.CONCURRENT
    explained = {_BROKEN[each] for each in ((kind,) if is_read else (Kind.OMITTED, Kind.LOST))}
    if explained.intersection(doubtful):
        return
    if is_read and reply.authorised and reply.exchange.refused:
        yield _beside(reply, kind, "refused", None, "200", f"status {reply.exchange.status}")
    if not reply.represents:
        return
    own = {name for name, _ in reply.form or ()}
    for name, back in (reply.shown or {}).items():
        setting = state.settings[name]
        about = setting.about
        if setting.right is None or about.parameter in own or setting.matches(back):
            continue
        written = [
            value
            for each in beside
            if each.request.account == reply.request.account or not each.request.auth.valid
            for parameter, value in each.request.form() or ()
            if parameter == about.parameter
            # A value that was accepted in error is the finding of another rule.
            if each.accepted
            or (each.request.auth.valid and decide_value(about, value).answer is not Answer.REJECT)
        ]
        if f"{about.slug}-{Kind.ECHO}" not in doubtful and not any(
            is_right(about, each, back) for each in written
        ):
            is_foreign = state.is_foreign(about, back)
            yield _beside(
                reply,
                Kind.FOREIGN if is_foreign else kind,
                "foreign-value" if is_foreign else "never-in-force",
                about,
                f"{name}: {' or '.join(map(str, (*setting.right, *written)))}",
                f"{name}: {back}",
                was_null=setting.right == (None,),
            )


def _beside(
    reply: Reply,
    kind: Kind,
    outcome: str,
    about: Field | None,
    expected: str,
    observed: str,
    *,
    was_null: bool = False,
) -> Violation:
    """Return the violation that an answer beside concurrent updates of its account fits none of them."""
    return Violation(
        rule=_BROKEN[kind],
        outcome=outcome,
        cls=f"setting/{about.slug}" if about else "",
        field=about.attribute if about else None,
        summary=f"the answer to {describe(reply.request)}, beside updates of its account, fits none of them",
        expected=expected,
        observed=observed,
        was_null=was_null,
    )


def unsteady(first: Exchange) -> Violation:
    """Return the violation that two reads with no write between them show different settings."""
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
    """Return the violation as one of concurrent writers, since a good update was refused beside others."""
    return replace(violation, rule=_BROKEN[Kind.CONCURRENT])


def _is_safe(exchange: Exchange, last: Exchange) -> bool:
    # Where only the same read shows the change, nothing says that a safe request wrote it. What is turned away is no
    # read: `credentials-required` answers for that.
    request = exchange.request
    return request.method in SAFE_METHODS and request != last.request and request.auth.valid


def _is_of_another_account(exchange: Exchange, last: Exchange) -> bool:
    # A request without good credentials is of no account: `credentials-required` answers for it.
    return exchange.request.auth.valid and exchange.request.account != last.request.account


_NOT_KEPT = "no value that this run had set was shown again by a later update"

_must, _should = partial(row, Level.MUST, group="state"), partial(row, Level.SHOULD, group="state")

RULES = (
    _must(
        "omitted-parameters-kept",
        "A parameter that is not sent keeps its value.",
        f"{DOCUMENT}: every parameter is optional, and the update is partial",
        InputClass("state/omitted", "all four set, then each updated by itself", sequences.omitted),
        InputClass(
            "state/sequence",
            "sequences of updates, refusals and reads: every two kinds of request one after the other",
            lambda situation: [
                single(sequences.each_setting(situation, 49)[0], READ, EMPTY),
                *sequences.tour(situation),
                *sequences.at_odds(),
            ],
            machine=sequences.machine,
            whole=True,
        ),
        aspect=Aspect.STATE,
        evidence=proved(Proof.KEPT, _NOT_KEPT),
    ),
    _must(
        "last-write-wins",
        "The answer to an update shows the value just sent, whatever was there before.",
        DOCUMENT,
        InputClass(
            "state/a-b-a",
            "one value, another, and the first again; two SIDs that a loose comparison takes for one",
            sequences.last_wins,
            whole=True,
        ),
        aspect=Aspect.ECHO,
        evidence=proved(Proof.REPLACED, NOT_SHOWN),
    ),
    _must(
        "read-after-write",
        "Later answers to updates still show what was written.",
        DOCUMENT,
        InputClass("state/several-connections", "write on one connection, read on another", sequences.fresh),
        InputClass("state/kept-for-seconds", "write, and read some seconds later", sequences.kept),
        aspect=Aspect.STATE,
        evidence=proved(Proof.KEPT, _NOT_KEPT),
    ),
    _should(
        "read-reflects-writes",
        "GET shows what was written.",
        "The vendor's OpenAPI, FetchConfiguration; the resource's document describes POST alone",
        InputClass(
            "state/read", "write, then GET, on the same connection and on others", sequences.reads, whole=True
        ),
        aspect=Aspect.CONSISTENCY,
        evidence=proved(Proof.READ_BACK, "no GET showed a value that this run had set"),
    ),
    _must(
        "safe-methods",
        "GET and HEAD change nothing.",
        "RFC 9110 9.2.1",
        InputClass("state/safe-methods", "GET, HEAD and OPTIONS between two updates", sequences.safe),
        aspect=Aspect.STATE,
        evidence=proved(Proof.AFTER_SAFE, _NOT_KEPT),
        culprit=_is_safe,
    ),
    _must(
        "idempotence",
        "The same update sent again is accepted again and changes nothing.",
        f"{DOCUMENT}: nothing forbids an update to the values that are in force",
        InputClass("state/same-twice", "the same body twice", sequences.twice),
        aspect=Aspect.ECHO,
        evidence=proved(Proof.REPEATED, "no update that was sent twice showed what it had set"),
    ),
    _must(
        "accounts-apart",
        "An update changes the settings of its own account alone, and no answer holds another account's.",
        f"{DOCUMENT}: account-level settings, of the account responsible",
        InputClass("state/two-accounts", "two accounts in turn", sequences.two_accounts),
        aspect=Aspect.STATE,
        evidence=proved(Proof.APART, "two accounts that both keep what they are sent were not seen"),
        needs_accounts=2,
        culprit=_is_of_another_account,
    ),
    _must(
        CONCURRENT,
        "Concurrent updates are all kept, and each answer shows what its own update has set.",
        f"{DOCUMENT}: parameters that are not sent keep their values, whoever else is writing",
        InputClass("state/concurrent", "four concurrent writers, one for each setting", sequences.concurrent),
        InputClass(
            "state/crowd",
            "writers of the same and of other settings and accounts, with readers and refused updates",
            sequences.crowded,
            whole=True,
        ),
        aspect=Aspect.STATE,
        evidence=proved(Proof.TOGETHER, "no value that concurrent updates had set was ever shown"),
    ),
    _should(
        "empty-update",
        "An update without parameters is answered with 200 and changes nothing.",
        f"{DOCUMENT}: no parameter is required; https://www.twilio.com/docs/api/errors/20161 speaks against it",
        InputClass("state/empty-update", "no parameter at all", sequences.empty),
        aspect=Aspect.ACCEPTANCE,
        evidence=Evidence(
            "no update without parameters was accepted", lambda reply: is_accepted(reply, "empty")
        ),
    ),
)

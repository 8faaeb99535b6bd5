"""
Proves that evidence is evidence: had its answer been another, the rule would have been seen broken.

    python benchmarks/evidence.py [--variant GLOB]... [--profile PROFILE]

The suite runs against the emulator with each selected variant, by default with none and with every one. When a run
has an exchange that is evidence for a rule, other answers are put in the place of the answer, one after the other, and
the exchange is judged again: by what the run knew just before it. The answers are those that the emulator's faults
make of it, and changes of its status, its settings and its headers. One of them has to break the rule.

A run does more than judge one exchange: it sends each parameter of a refused form alone, and asks questions that tell
which rule is broken (`conformance.rules.questions`). So each refusal is also judged for each parameter alone, and the
questions are asked of a target that answers all their requests well. What preflight or schemathesis judges is left out.
"""

import argparse
import base64
import json
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from unittest import mock

from conformance import emulator
from conformance.emulator.behaviour import PATH, reference
from conformance.emulator.messages import Answer, Call
from conformance.emulator.store import Store
from conformance.exceptions import NotJSON
from conformance.harness.executor import Plan, run
from conformance.harness.judging import Judge
from conformance.http import READ, Exchange, Failure, FailureKind, Response, encode_form, json_of
from conformance.model import FIELDS, Level, Rule, Verdict, Violation
from conformance.oracle.expected_state import ExpectedState
from conformance.rules import CATALOGUE, Reply, judge
from conformance.rules.case import Case
from conformance.rules.questions import QUESTIONS
from conformance.rules.robustness import IMPLEMENTED
from conformance.settings import PROFILES
from conformance.transport.credentials import THROWAWAY, Account
from conformance.transport.target import Target, TargetSettings

_STATUSES = (200, 201, 302, 400, 404, 405, 500)
"""The statuses that an answer gets instead of its own."""

_OTHER = {
    "timer": ("PT47M", "P2D", "PT2S", "x", "P "),
    "sid": ("{prefix}" + "9" * 32, "{prefix}" + "aB" * 16, "x"),
}
"""Values that a setting gets instead of its own, by its kind."""

_HEADERS = ("Content-Type", "WWW-Authenticate", "Allow", "Access-Control-Allow-Credentials")


@dataclass(slots=True)
class Proofs:
    """
    What was seen of each rule in one run.

    Args:
        accounts: The accounts of the run.
    """

    accounts: Sequence[Account]
    broken: dict[str, str] = field(default_factory=dict)
    """By rule, the change of the answer to its evidence that broke it."""
    unbroken: dict[str, Exchange] = field(default_factory=dict)
    """By rule, its evidence, where no change of the answer broke it."""
    recent: deque[Exchange] = field(default_factory=lambda: deque(maxlen=100))
    """The last exchanges before the present one."""

    def is_open(self, rule: Rule) -> bool:
        """Whether the evidence for a rule was not yet seen, and is to be tried."""
        return (
            not rule.package
            and rule is not IMPLEMENTED
            and rule.id not in self.broken
            and rule.id not in self.unbroken
        )

    def see(self, judging: Judge, reply: Reply, before: "Before") -> None:
        """Take in an exchange, after it was judged, with what the run knew before it."""
        for rule in CATALOGUE:
            if self.is_open(rule) and rule.evidence.seen(reply):
                change = self._breaks(rule, judging, reply, before)
                if change:
                    self.broken[rule.id] = change
                else:
                    self.unbroken[rule.id] = reply.exchange
        self.recent.append(reply.exchange)

    def _breaks(self, rule: Rule, judging: Judge, reply: Reply, before: "Before") -> str:
        """The first change of the answer that breaks the rule; empty where none does."""
        assert reply.response is not None
        exchange = replace(reply.exchange, response=reply.response)
        for change, changed in (
            *_by_faults(rule, exchange, self.accounts),
            *_changes(exchange, before),
        ):
            for each in (changed, *_alone(changed)):
                found = before.judged(judging, each)
                if any(violation.rule == rule.id for violation in found) or any(
                    self._is_named(rule, judging, violation, exchange, each) for violation in found
                ):
                    return change
        return ""

    def _is_named(
        self, rule: Rule, judging: Judge, violation: Violation, well: Exchange, changed: Exchange
    ) -> bool:
        """Whether a question names the rule for a violation, where all its requests are answered well."""
        before = [each for each in self.recent if rule.culprit is not None and rule.culprit(each, changed)]
        if (
            rule.culprit is not None
            and violation.outcome != "refused"
            and not violation.cls.startswith("setting/")
        ):
            return False  # no change of the settings, and no failure of a later request
        written = [each for each in violation.related if each is not changed]
        case = Case(
            violation=violation,
            exchanges=(*(before[-1:] or written[-1:]), changed),
            situation=judging.situation,
            reader=READ,
            found=lambda setting: None,
            comes_back=True,
            is_minimal=True,
            is_stable=True,
            has_failed=False,
            failed=(),
            is_same=lambda other: (other.rule, other.field) == (violation.rule, violation.field),
        )
        for question in QUESTIONS:
            asking = question(case)
            named = ""
            try:
                requests = next(asking)
                while True:
                    requests = asking.send([(well, []) for _ in requests])
            except StopIteration as end:
                named = end.value
            if named:
                return bool(named == rule.id)
        return False


def _alone(exchange: Exchange) -> Iterator[Exchange]:
    """A refused update with each of several parameters alone, answered in the same way."""
    pairs = (exchange.request.form() or ()) if exchange.refused and exchange.request.method == "POST" else ()
    for pair in pairs if len(pairs) > 1 else ():
        yield replace(exchange, request=replace(exchange.request, body=encode_form((pair,))))


@dataclass(frozen=True, slots=True)
class Before:
    """What a run knew before it judged an exchange."""

    states: list[ExpectedState]
    refused: frozenset[tuple[str, str]]
    taken: frozenset[tuple[str, str]]
    shown: Response | None
    """The last answer that showed the settings."""

    def judged(self, judging: Judge, exchange: Exchange) -> list[Violation]:
        """Judge another exchange by what the run knew."""
        kept, judging.states = judging.states, copied(self.states)
        try:
            reply = replace(judging.reply(exchange), refused=self.refused, taken=self.taken)
            reply.state.record(reply.exchange)
            return list(judge(reply))
        finally:
            judging.states = kept


def copied(states: Sequence[ExpectedState]) -> list[ExpectedState]:
    """Copy expected states, so that the copies can be changed."""
    copies = [
        replace(
            state,
            sent_below=set(state.sent_below),
            settings={
                name: replace(each, explained=set(each.explained)) for name, each in state.settings.items()
            },
        )
        for state in states
    ]
    for copy in copies:
        copy.others = tuple(other for other in copies if other is not copy)
    return copies


def _by_faults(rule: Rule, exchange: Exchange, accounts: Sequence[Account]) -> Iterator[tuple[str, Exchange]]:
    """The answers that the faults of a rule make of an answer, where they change answers."""
    assert exchange.response is not None
    account = accounts[exchange.request.account]
    login = base64.b64encode(f"{account.user}:{account.token}".encode())
    headers = ((b"authorization", b"Basic " + login), (b"accept", b"*/*"))
    request = exchange.request
    call = Call(request.method, PATH, b"", headers, request.body or b"", "http://emulator.test", None)
    answer = Answer(exchange.response.status, exchange.response.headers, exchange.response.body)
    known = {each.sid or "": each.token for each in accounts}
    for fault in emulator.FAULTS.values():
        if fault.rule != rule.id:
            continue
        behaviour = reference(known, Store(None, known, {}))
        behaviour.finish = lambda call, answer: answer
        fault.install(behaviour)
        try:
            changed = behaviour.finish(call, answer)
        except (LookupError, ValueError):  # made for another kind of answer
            continue
        if changed.wire:
            failure = Failure(FailureKind.FRAMING, changed.wire)
            yield fault.name, replace(exchange, response=None, failure=failure)
        elif changed != answer:
            response = replace(
                exchange.response, status=changed.status, headers=changed.headers, body=changed.body
            )
            yield fault.name, replace(exchange, response=response)


def _changes(exchange: Exchange, before: Before) -> Iterator[tuple[str, Exchange]]:
    """Answers that differ in one place: the status, a setting, another member, a header; or none at all."""
    response = exchange.response
    assert response is not None
    for status in _STATUSES:
        if status == response.status:
            continue
        yield f"status {status}", replace(exchange, response=replace(response, status=status))
    if before.shown is not None:
        yield "the settings instead", replace(exchange, response=before.shown)
        yield from _settings_changed(exchange, before.shown, before.states)
    if response.status == 200:
        yield from _settings_changed(exchange, response, before.states)
    for name, value in (
        ("status", 299),
        ("status", None),
        ("message", None),
        ("code", "x"),
        ("more_info", 1),
    ):
        yield from _member_changed(exchange, response, name, value)
    for name in _HEADERS:
        others = tuple(each for each in response.headers if each[0].lower() != name.lower())
        yield f"no {name}", replace(exchange, response=replace(response, headers=others))
        yield f"odd {name}", replace(exchange, response=replace(response, headers=(*others, (name, "odd"))))
    for kind in (FailureKind.TIMEOUT, FailureKind.FRAMING):
        yield kind, replace(exchange, response=None, failure=Failure(kind, "no answer"))


def _settings_changed(
    exchange: Exchange, response: Response, before: Sequence[ExpectedState]
) -> Iterator[tuple[str, Exchange]]:
    for each in FIELDS:
        former = [value for state in before for value in state.settings[each.attribute].former]
        present = [state.settings[each.attribute].shown for state in before]
        others = [text.format(prefix=each.prefix) for text in _OTHER[each.kind]]
        for value in dict.fromkeys([None, *others, *present, *former[-4:]]):
            yield from _member_changed(exchange, response, each.attribute, value)
        # The value as it is, in the other case.
        yield from _member_changed(exchange, response, each.attribute, str.swapcase)
    for name in ("account_sid", "url", "links"):
        for odd in (None, "", "x", [1], "AC" + "1" * 32, {"service": "x"}):
            yield from _member_changed(exchange, response, name, odd)


def _member_changed(
    exchange: Exchange, response: Response, name: str, value: object
) -> Iterator[tuple[str, Exchange]]:
    try:
        document = json_of(response)
    except NotJSON:
        return
    if not isinstance(document, dict):
        return
    if callable(value):
        value = value(document[name]) if isinstance(document.get(name), str) else None
    body = json.dumps({**document, name: value}).encode()
    yield f"{name} {value!r}", replace(exchange, response=replace(response, body=body))
    if value is None:
        rest = {each: kept for each, kept in document.items() if each != name}
        body = json.dumps(rest).encode()
        yield f"no {name}", replace(exchange, response=replace(response, body=body))


@contextmanager
def _watched(proofs: Proofs) -> Iterator[None]:
    """Show the proofs every exchange that is judged meanwhile."""
    judged = Judge.violations
    shown: list[Response] = []

    def violations(self: Judge, reply: Reply) -> list[Violation]:
        before = Before(
            copied(self.states),
            frozenset(reply.refused),
            frozenset(reply.taken),
            shown[-1] if shown else None,
        )
        found = judged(self, reply)
        proofs.see(self, reply, before)
        if reply.represents and reply.response is not None:
            shown[:] = [reply.response]
        return found

    with mock.patch.object(Judge, "violations", violations):
        yield


def prove(variant: str, profile: str) -> Proofs:
    """
    Run the suite against the emulator with a variant, and break every rule by its evidence.

    Args:
        variant: The name of a variant; empty for none.
        profile: The profile of the run.
    """
    names = (variant,) if variant else ()
    asked = emulator.VARIANTS[variant].accounts if variant else ()
    accounts = tuple(Account(sid, token) for sid, token in asked) or THROWAWAY
    known = {account.sid or "": account.token for account in accounts}
    proofs = Proofs(accounts)
    with emulator.serving(accounts=known, variants=names) as url, _watched(proofs):
        settings = TargetSettings(url=url, accounts=accounts, max_requests=PROFILES[profile])
        with Target(settings) as target:
            report = run(CATALOGUE, target, Plan(profile=profile, fail_on=Level.SHOULD))
    if report.verdict is not Verdict.CONFORMANT:
        raise SystemExit(f"{variant or 'reference'}: {report.verdict}, {report.stopped}")
    return proofs


def main() -> None:
    """Print each rule that was not broken by its evidence, and how many were."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--variant", action="append", metavar="GLOB", help="variants to run; may be repeated")
    parser.add_argument("--profile", choices=["quick", "standard"], default="quick")
    parser.add_argument("--changes", action="store_true", help="print what broke each rule, too")
    chosen = parser.parse_args()
    globs = chosen.variant or ["*"]
    variants = [name for name in emulator.VARIANTS if any(fnmatchcase(name, glob) for glob in globs)]
    unbroken: defaultdict[str, list[str]] = defaultdict(list)
    broken = 0
    for variant in [*([] if chosen.variant else [""]), *variants]:
        proofs = prove(variant, chosen.profile)
        broken += len(proofs.broken)
        for rule, exchange in proofs.unbroken.items():
            unbroken[rule].append(f"{variant or 'reference'} (request {exchange.number})")
        print(f"{variant or 'reference':40} {len(proofs.broken)} broken, {len(proofs.unbroken)} not")
        if chosen.changes:
            for rule, change in proofs.broken.items():
                print(f"    {rule:40} {change[:80]}")
    for rule, where in unbroken.items():
        print(f"NO EVIDENCE for {rule}: {', '.join(where[:5])}{' ...' if len(where) > 5 else ''}")
    print(f"broken by their evidence: {broken} of {broken + sum(map(len, unbroken.values()))}")
    raise SystemExit(bool(unbroken))


if __name__ == "__main__":
    main()

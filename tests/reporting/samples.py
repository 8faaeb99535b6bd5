"""Hand-made runs: one with every verdict and hostile bytes, one without a single finding."""

import base64
import itertools
from dataclasses import replace
from typing import Any

from conformance.http import FORM_MEDIA_TYPE, READ, Exchange, Failure, FailureKind, Request, Response, update
from conformance.model import (
    CLOSED,
    INACTIVE,
    ClassOutcome,
    Finding,
    Level,
    Observation,
    Outcome,
    Report,
    Restore,
    Rule,
    Verdict,
)
from conformance.reporting import ShellAccount, build
from conformance.rules import BY_ID

URL = "http://127.0.0.1:4010/v1/Configuration"
SID = "AC" + "0" * 32
HOSTILE = "\x1b[31m</script><img src=x onerror=alert(1)>&\x00|`\n\u202e\ud800'\"]]>"
HOSTILE_BODY = b"\x1b]0;owned\x07<script>alert(document.domain)</script>\x00\xff\xfe```\n| a | b |"

CORPUS = (
    HOSTILE,
    HOSTILE_BODY.decode("latin-1"),
    "<script>alert(1)</script>",
    "</style></script></title></textarea><script>alert(1)</script>",
    '"><svg onload=alert(1)>',
    "'><img src=x onerror=alert(1)>",
    '" onmouseover=alert(1) autofocus onfocus=alert(1) x="',
    "`onload=alert(1)`",
    "<img src=//192.0.2.1/x srcset=//192.0.2.1/y>",
    "<link rel=stylesheet href=//192.0.2.1/x><style>@import '//192.0.2.1/x';</style>",
    "<base href=//192.0.2.1/><a href=x>x</a>",
    "<meta http-equiv=refresh content='0;url=//192.0.2.1/'>",
    "<iframe srcdoc='<script>parent.alert(1)</script>' src=javascript:alert(1)></iframe>",
    "<object data=javascript:alert(1)><embed src=javascript:alert(1)>",
    "<form action=//192.0.2.1/><button autofocus formaction=javascript:alert(1)>",
    "<video autoplay src=//192.0.2.1/x onerror=alert(1)><details open ontoggle=alert(1)>",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    'https://192.0.2.1/"onclick=alert(1)//',
    "https://192.0.2.1/'><script>alert(1)</script>",
    "{{ 7 * 7 }}{% include 'x' %}${7*7}<%= 7 %>",
    "<!--<script>-->]]><![CDATA[<script>alert(1)</script>",
    "&lt;script&gt;alert(1)&lt;/script&gt;&#60;script&#62;",
    "+ADw-script+AD4-alert(1)+ADw-/script+AD4-",
    "\u2028\u2029\u0085\ufeff\u200b\u202e<\u0000script>alert(1)</script>",
    "\ud83d<script>\udc00alert(1)</script>",
)
"""Texts that would run a script, leave the page or load something, were they ever taken for markup."""

_OUR_OWN = frozenset(
    {"verdict", "level", "fingerprint", "started_at", "state", "id", "rule", "auth", "method"}
)


def hostile(document: Any, shift: int = 0) -> Any:
    """A result document with a text of the corpus in place of every text that a target or a rule may have."""
    corpus = itertools.cycle(CORPUS[shift:] + CORPUS[:shift])

    def turned(value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            return {key: turned(each, key) for key, each in value.items()}
        if isinstance(value, list):
            return [turned(each, name) for each in value]
        if not isinstance(value, str) or name in _OUR_OWN:
            return value
        return (
            base64.b64encode(next(corpus).encode("utf-8", "replace")).decode()
            if name == "body_base64"
            else next(corpus)
        )

    return turned(document)


def exchange(request: Request, body: bytes = b'{"account_sid": null}', **fields: Any) -> Exchange:
    response = Response(
        status=fields.pop("status", 200), headers=(("Content-Type", "application/json"),), body=body
    )
    return Exchange(
        number=fields.pop("number", 1),
        request=request,
        response=response,
        started=0.25,
        elapsed=0.0031,
        url=URL,
        sent_headers=(
            ("Accept", "*/*"),
            ("Authorization", "Basic $(...)"),
            *(() if request.content_type is None else (("Content-Type", FORM_MEDIA_TYPE),)),
        ),
    )


def rule(name: str, group: str, level: Level = Level.MUST, statement: str = "It holds.") -> Rule:
    row = BY_ID[name]
    return replace(row, group=group, level=level, statement=statement, source="RFC 9110 15.5.6", classes=())


def finding(rule: Rule, cls: str, *exchanges: Exchange, **fields: Any) -> Finding:
    given: dict[str, Any] = {
        "outcome": "accepted",
        "field": INACTIVE.parameter,
        "summary": f"{INACTIVE.parameter}: a text that is no duration was accepted",
        "expected": "a 4xx answer",
        "observed": "200",
        "stable": True,
    } | fields
    return Finding(rule=rule.id, level=rule.level, cls=cls, exchanges=exchanges, **given)


def outcome(rule: Rule, verdict: Verdict, *findings: Finding, **fields: Any) -> Outcome:
    classes = tuple(
        ClassOutcome(id=each.cls, reason="a common slip", examples=3, statuses={"200": 2, "timeout": 1})
        for each in findings
    )
    if findings:
        fields.setdefault("evidence", exchange(READ, number=3))
    return Outcome(
        rule=rule, verdict=verdict, examples=3 * len(classes), findings=findings, classes=classes, **fields
    )


def _clean() -> Report:
    rules = [rule("inactive-timer-syntax", "timers"), rule("challenge", "protocol")]
    classes = (ClassOutcome(id="timer/words", reason="a word", examples=12, statuses={"400": 12}),)
    return Report(
        verdict=Verdict.CONFORMANT,
        exit_code=0,
        target="http://127.0.0.1:4010",
        profile="standard",
        seed=0,
        requests=2874,
        started_at="2026-01-02T03:04:05+00:00",
        duration=5.1,
        outcomes=tuple(
            Outcome(rule=each, verdict=Verdict.CONFORMANT, examples=12, classes=classes) for each in rules
        ),
        versions={"twilio-configuration-conformance": "0.1.0", "python": "3.11.7"},
        settings={"fail_on": "must"},
    )


def _deviating() -> Report:
    inactive = rule("inactive-timer-syntax", "timers", statement="Text that no reading parses is refused.")
    closed = rule("closed-timer-syntax", "timers")
    notation = rule("closed-timer-notation", "timers", Level.SHOULD)
    leak = rule("no-leak", "robustness", statement=HOSTILE)
    hang = rule("every-request-answered", "robustness")
    kept = rule("omitted-parameters-kept", "state")
    simple = exchange(update((INACTIVE.parameter, "banana")), number=7)
    longer = exchange(update((INACTIVE.parameter, "PT" + "9" * 400 + "X")), number=8)
    other = exchange(update((CLOSED.parameter, "10 M")), number=9)
    hostile = exchange(Request(body=b"Default=\x00\xff'%\n"), HOSTILE_BODY, number=10, status=500)
    silent = replace(
        exchange(update((CLOSED.parameter, "PT9M")), number=11),
        response=None,
        failure=Failure(FailureKind.TIMEOUT, f"no answer in 10 s {HOSTILE}"),
    )
    sequence = (exchange(update((CLOSED.parameter, "PT1H")), number=12), exchange(READ, number=13))
    return replace(
        _clean(),
        verdict=Verdict.DEVIATION,
        exit_code=1,
        outcomes=(
            outcome(
                inactive,
                Verdict.DEVIATION,
                finding(inactive, "timer/long", longer, count=40),
                finding(inactive, "timer/words", simple, count=2),
            ),
            outcome(closed, Verdict.DEVIATION, finding(closed, "timer/words", other, field=CLOSED.parameter)),
            outcome(
                notation,
                Verdict.NON_STRICT,
                finding(
                    notation,
                    "timer/weeks",
                    other,
                    outcome="refused",
                    summary="P1W was refused",
                    observed="400",
                ),
            ),
            outcome(
                leak,
                Verdict.DEVIATION,
                finding(
                    leak,
                    "wire/bytes",
                    hostile,
                    outcome="leaked",
                    summary=HOSTILE,
                    expected=HOSTILE,
                    observed=HOSTILE * 20,
                ),
            ),
            outcome(
                hang, Verdict.DEVIATION, finding(hang, "timer/short", silent, outcome="timeout", field=None)
            ),
            outcome(
                kept,
                Verdict.UNSTABLE,
                finding(kept, "state/pair", *sequence, outcome="changed", stable=False),
            ),
            outcome(rule("challenge", "protocol"), Verdict.UNDECIDED, reason="no 401 was seen"),
            outcome(rule("accounts-apart", "state"), Verdict.NOT_RUN, reason="there is one account only"),
            outcome(
                rule("resource-links", "response", Level.SHOULD), Verdict.KNOWN, reason=f"waived {HOSTILE}"
            ),
            outcome(rule("resource-url", "response"), Verdict.FIXED, reason="listed as known"),
            outcome(rule("framing", "protocol"), Verdict.ERROR, reason=f"KeyError: {HOSTILE}"),
            outcome(rule("json-body", "response"), Verdict.CONFORMANT),
        ),
        observations=(Observation(topic="normalisation", text=f"PT60S comes back as {HOSTILE}"),),
        restore=Restore(state="restored", unrestorable=("default_closed_timer",)),
        notices=(f"throw-away credentials {HOSTILE}",),
        stopped="the budget of 3,000 requests is used up",
    )


def _unimplemented() -> Report:
    implemented = rule("implemented", "robustness")
    found = finding(
        implemented, "preflight", exchange(update(), status=404), outcome="status-404", field=None
    )
    return replace(
        _clean(),
        verdict=Verdict.UNIMPLEMENTED,
        exit_code=1,
        outcomes=(
            outcome(implemented, Verdict.UNIMPLEMENTED, found),
            outcome(rule("challenge", "protocol"), Verdict.NOT_RUN, reason="the endpoint is not there"),
        ),
    )


def _no_verdict() -> Report:
    return replace(
        _clean(),
        verdict=Verdict.ERROR,
        exit_code=3,
        outcomes=(outcome(rule("challenge", "protocol"), Verdict.NOT_RUN, reason="unreachable"),),
        stopped="the target is unreachable",
    )


def _undecided() -> Report:
    """Most MUST rules without a verdict, and a rule that holds with its evidence."""
    harmless = rule("rejected-update-changes-nothing", "state")
    seen = exchange(update((CLOSED.parameter, "10M")), HOSTILE_BODY, number=17, status=400)
    return replace(
        _clean(),
        verdict=Verdict.UNDECIDED,
        exit_code=3,
        outcomes=(
            Outcome(rule=harmless, verdict=Verdict.CONFORMANT, examples=4, evidence=seen),
            outcome(rule("idempotence", "state"), Verdict.UNDECIDED, reason="no update was accepted"),
            outcome(rule("challenge", "protocol"), Verdict.NOT_RUN, reason="there is no request left"),
            outcome(rule("resource-links", "response", Level.SHOULD), Verdict.CONFORMANT),
        ),
    )


REPORTS = {
    "clean": _clean(),
    "deviating": _deviating(),
    "unimplemented": _unimplemented(),
    "no-verdict": _no_verdict(),
    "undecided": _undecided(),
    "empty": replace(_clean(), outcomes=(), exit_code=5, verdict=Verdict.UNDECIDED),
}
DOCUMENTS = {
    name: build(report, accounts=[ShellAccount(SID, throwaway="t0ken")]) for name, report in REPORTS.items()
}

"""A finding's curl lines, run in a shell while the target still has the fault, show what the finding tells."""

import json
import shutil
import subprocess

import pytest

from conformance import emulator
from conformance.harness.executor import Plan, run
from conformance.http import Exchange
from conformance.model import Level
from conformance.reporting import ShellAccount, build
from conformance.rules import BY_ID
from conformance.transport.credentials import THROWAWAY
from conformance.transport.embedded import Embedded
from conformance.transport.target import Target, TargetSettings

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed"),
]

ACCOUNTS = [ShellAccount(user=account.user, throwaway=account.token) for account in THROWAWAY]

FAULTS = {
    "inactive-timer-accepts-anything": "inactive-timer-syntax",
    "chat-service-sid-accepts-anything": "chat-service-sid-prefix",
    "closed-timer-echo-constant": "closed-timer-echo",
    "omitted-reset": "omitted-parameters-kept",
    "account-sid-cut": "response-schema",
    "password-prefix": "credentials-required",
    "drop-on-signs": "inactive-timer-minimum",
}
"""Of each kind of witness one, and the rule whose inputs show it: values, several requests, credentials, no answer."""


@pytest.mark.parametrize("fault", FAULTS)
def test_curl_shows_the_same(fault: str) -> None:
    rules = [BY_ID[name] for name in dict.fromkeys((FAULTS[fault], emulator.FAULTS[fault].rule))]
    with Embedded(THROWAWAY, faults=[fault]) as embedded:
        with Target(TargetSettings(url=embedded.url(), timeout=2)) as target:
            report = run(rules, target, Plan(profile="quick", fail_on=Level.SHOULD))
        findings = [finding for outcome in report.outcomes for finding in outcome.findings]
        lines = [each["curl"] for each in build(report, accounts=ACCOUNTS)["findings"]]
        assert any(finding.stable and finding.rule == emulator.FAULTS[fault].rule for finding in findings)
        for finding, curl in zip(findings, lines, strict=True):
            *before, last = curl.replace("\\\n", "").splitlines()
            pasted("\n".join(before))
            if finding.stable:
                assert shown(pasted(last), finding.field) == recorded(finding.exchanges[-1], finding.field), (
                    curl
                )


def pasted(lines: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["sh"], input=lines.encode("ascii"), capture_output=True, timeout=60, check=False)


def shown(done: subprocess.CompletedProcess[bytes], field: str | None) -> object:
    """The status that `curl -i` prints, and the value of an attribute; None when curl fails."""
    if done.returncode:
        return None
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    return int(head.split()[1]), attribute(body, field)


def recorded(exchange: Exchange, field: str | None) -> object:
    response = exchange.response
    return response and (response.status, attribute(response.body, field))


def attribute(body: bytes, name: str | None) -> object:
    return json.loads(body).get(name)

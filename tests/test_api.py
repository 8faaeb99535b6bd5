"""What a run leaves behind: every exchange without a token, and commands that reach the target again."""

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from reporting.samples import REPORTS

from conformance.api import archive_of, document_of, judge, select
from conformance.harness.events import ExchangeEnded, on
from conformance.settings import resolve
from conformance.transport.credentials import Account
from conformance.transport.embedded import Embedded

pytestmark = pytest.mark.slow

ACCOUNT = Account("AC" + "5" * 32, "s3cret-t0ken-of-the-user")
ENVIRONMENT = {"TWILIO_ACCOUNT_SID": ACCOUNT.sid or "", "TWILIO_AUTH_TOKEN": ACCOUNT.token}


def test_every_request_of_a_run_is_in_its_archive_and_no_token_is(tmp_path: Path) -> None:
    with Embedded([ACCOUNT], faults=["leak-in-debug-header"]) as emulator:
        flags = {"target": emulator.url(), "profile": "quick", "report_dir": str(tmp_path)}
        settings = resolve(flags, ENVIRONMENT, tmp_path / "none.toml")
        with archive_of(settings, emulator.url()) as archive:
            archived = on(ExchangeEnded, lambda event: archive.add(event.exchange))
            rules = select(["closed-timer-*", "concurrent-writers", "no-leak"])
            report = judge(settings, emulator.url(), rules, archived)
            file = io.BytesIO()
            archive.copy(file)

    entries = json.loads(file.getvalue())["log"]["entries"]
    numbers = sorted(int(entry["comment"].removeprefix("exchange ")) for entry in entries)
    assert numbers == list(range(1, report.requests + 1))
    assert report.requests > 10
    assert "{token}" in json.dumps([entry["response"] for entry in entries])
    assert ACCOUNT.token.encode() not in file.getvalue()


def test_a_group_stands_for_its_rules() -> None:
    assert {rule.group for rule in select(["errors", "json-*"])} == {"errors", "response"}
    assert len(select(["errors"])) == 3


def test_curl_commands_go_through_the_proxy_of_the_run_without_its_password(tmp_path: Path) -> None:
    flags = {"target": "https://127.0.0.1:1", "proxy": "http://me:s3cret@127.0.0.1:3128"}
    settings = resolve(flags, {}, tmp_path / "conformance.toml")
    report = replace(REPORTS["deviating"], target="https://127.0.0.1:1")
    document = document_of(replace(settings, ca_file="my ca.pem"), report)
    (first, *_) = document["findings"]

    path = str(Path("my ca.pem").absolute())
    assert f"--noproxy '' --cacert '{path}' --proxy http://127.0.0.1:3128 " in first["curl"]
    assert f"verify={path!r}, proxy='http://127.0.0.1:3128'" in first["httpx"]
    assert "s3cret" not in json.dumps(document)

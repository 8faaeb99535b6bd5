"""What a run leaves behind besides its result: every exchange, without a token."""

import io
import json
from pathlib import Path

import pytest

from conformance.api import archive_of, judge, select
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
            rules = select(["closed-timer-*", "concurrent-writers", "no-leak"])
            report = judge(settings, emulator.url(), rules, seen=archive.add)
            file = io.BytesIO()
            archive.copy(file)

    entries = json.loads(file.getvalue())["log"]["entries"]
    numbers = sorted(int(entry["comment"].removeprefix("exchange ")) for entry in entries)
    assert numbers == list(range(1, report.requests + 1))
    assert report.requests > 10
    assert "{token}" in json.dumps([entry["response"] for entry in entries])
    assert ACCOUNT.token.encode() not in file.getvalue()

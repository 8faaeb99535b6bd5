"""No output shows a token, whatever the target does with it; nor an Account SID, when these are to be masked."""

import base64
import contextlib
import gzip
import json
import logging
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import hostile
import pytest
from click.testing import CliRunner
from planting import everything, files, readable
from spellings import ACCOUNT, SID, TOKEN, escaped, folded, percent, spellings, told

from conformance.cli import main
from conformance.http import Request, update
from conformance.model import CLOSED, FIELDS
from conformance.reporting import ARCHIVE, OBSERVATIONS, RENDERERS
from conformance.transport.target import Target, TargetSettings

pytestmark = pytest.mark.slow

CREDENTIALS = {"TWILIO_ACCOUNT_SID": SID, "TWILIO_AUTH_TOKEN": TOKEN}
BASIC_VALUE = base64.b64encode(f"{SID}:{TOKEN}".encode()).decode()


def reflecting(connection: hostile.Connection) -> None:
    """Answers, ever in another way, with the credentials that came."""
    for request in connection.requests():
        found = re.search(rb"(?i)authorization: (?:basic|bearer) *(\S+)", request)
        basic = found[1].decode() if found else ""
        with contextlib.suppress(ValueError):
            basic = base64.b64decode(basic).decode("latin-1")
        token = basic.partition(":")[2] or TOKEN
        settings = {each.attribute: token for each in FIELDS}
        document = json.dumps({"account_sid": SID, "token": token, "basic": BASIC_VALUE, **settings}).encode()
        pieces = b"%s\r\n %s" % (token[:13].encode(), token[13:].encode())
        half = len(token) // 2
        turn = len(connection.server.received)
        if turn <= 4:
            connection.answer(document, b"X-Token: " + token.encode())
            continue
        match turn % 9:
            case 0:
                connection.answer(percent(token).encode(), status=b"302 Found")
            case 1:
                connection.answer(
                    b"", b"Location: http://127.0.0.1:9/?t=" + token.encode(), status=b"301 Moved"
                )
            case 2:
                connection.answer(folded(BASIC_VALUE).encode(), status=b"400 Bad Request")
            case 3:
                connection.answer(pieces, status=b"400 Bad Request")
            case 4:
                connection.answer(b'{"message": "%s"}' % escaped(token).encode(), status=b"500 Oh")
            case 5:
                connection.answer(gzip.compress(document), b"Content-Encoding: gzip")
            case 6:
                connection.answer(
                    document, b"X-A: " + token[:half].encode(), b"X-B: " + token[half:].encode()
                )
            case 7:
                connection.send(token.encode() + b" is no HTTP\r\n\r\n")
                return
            case 8:
                connection.send(
                    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + token.encode() + b"\r\n"
                )
                return


def run_against(url: str, where: Path, *arguments: str) -> tuple[int, str, list[str]]:
    """Run the real command; its exit status, all its output, and the token's appearances in a list of processes."""
    kept = {
        key: value for key, value in os.environ.items() if not key.startswith(("TWILIO_", "CONFORMANCE_"))
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "conformance.cli", *arguments, "--target", url, "--timeout", "2"],
        cwd=where,
        env={**kept, **CREDENTIALS, "NO_COLOR": "1", "CONFORMANCE_STATE_DIR": str(where / "state")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    listed = []
    while True:
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                listed += told(path.read_bytes().replace(b"\0", b" ").decode("latin-1"))
        with contextlib.suppress(subprocess.TimeoutExpired):
            output, _ = process.communicate(timeout=0.3)
            return process.returncode, output, listed


class TestReflectingTarget:
    """All outputs of a run are searched."""

    @pytest.mark.parametrize("arguments", [[], ["--json"], ["--mask-accounts"]])
    def test_no_output_of_a_run_shows_the_token(self, tmp_path: Path, arguments: list[str]) -> None:
        with hostile.Hostile(reflecting) as server:
            code, output, listed = run_against(server.url, tmp_path, "run", "--profile", "quick", *arguments)
        assert len(server.received) > 100
        assert code == 1, output
        assert "no-leak" in output
        assert "Traceback" not in output
        assert told(output) == listed == []
        written = files(tmp_path)
        assert {"result.json", "exchanges.har", "report.html", "junit.xml"} <= written.keys()
        assert {name: pieces for name, text in written.items() if (pieces := told(text))} == {}
        if "--mask-accounts" in arguments:
            shown = {name for name, text in {**written, "output": output}.items() if SID in text}
            assert {
                name for name in shown if "/" in name or not re.fullmatch("[0-9a-f]{32}.json", name)
            } == set()
            assert "AC" + "x" * 31 + "1" in written["result.json"]

    def test_what_holds_bodies_is_for_its_owner_alone(self, tmp_path: Path) -> None:
        with hostile.Hostile(reflecting) as server:
            run_against(server.url, tmp_path, "run", "--profile", "quick", "--max-requests", "30")
        written = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert len(written) > 5
        assert {stat.S_IMODE(path.stat().st_mode) for path in written} == {0o600}

    def test_a_masked_finding_can_be_replayed(self, tmp_path: Path) -> None:
        with hostile.Hostile(reflecting) as server:
            run_against(
                server.url, tmp_path, "run", "--only", "no-leak", "--mask-accounts", "--max-requests", "20"
            )
            document = json.loads((tmp_path / "conformance-report" / "result.json").read_text())
            finding = next(each for each in document["findings"] if each["rule"] == "no-leak")
            code, output, _ = run_against(server.url, tmp_path, "replay", finding["fingerprint"])
        assert code in (0, 1), output
        assert SID not in output
        assert told(output) == []
        assert "TWILIO_ACCOUNT_SID" in finding["curl"]

    def test_the_explorer_does_not_show_it_either(self, tmp_path: Path) -> None:
        with hostile.Hostile(reflecting) as server:
            arguments = ["timers", "--max-requests", "40", "--report-dir", str(tmp_path / "there")]
            _, output, listed = run_against(server.url, tmp_path, *arguments)
        assert told(output) == listed == []
        assert {name for name, text in files(tmp_path).items() if told(text)} == set()


def test_no_command_prints_or_writes_a_token_that_is_in_all_that_it_reads(tmp_path: Path) -> None:
    found = everything(tmp_path, ACCOUNT, spellings())
    assert readable(found, TOKEN) == []
    assert {place for texts in found.values() for place in texts} >= {
        *RENDERERS,
        ARCHIVE,
        OBSERVATIONS,
        "timers.json",
    }
    masking = {command for command, texts in found.items() if "{token}" in "".join(texts.values())}
    assert masking >= {
        "run",
        "record",
        "replay",
        "report",
        "merge",
        "matrix",
        "restore",
        "contract diff",
        "explain",
    }


@pytest.mark.parametrize(
    ("name", "value"), [("TWILIO_API_SECRET", TOKEN), ("CONFORMANCE_ACCOUNTS", f"nobody: {TOKEN}")]
)
def test_no_error_shows_the_token_of_a_variable_that_is_malformed(name: str, value: str) -> None:
    done = CliRunner().invoke(main, ["run", "--only", TOKEN], env={name: value})
    assert (done.exit_code, told(done.output)) == (2, [])
    done = CliRunner().invoke(main, ["explain", TOKEN], env={name: value})
    assert "no rule matches '{token}'" in done.output


def test_what_httpcore_logs_holds_no_token(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with (
        hostile.Hostile(reflecting) as server,
        Target(TargetSettings(url=server.url, accounts=(ACCOUNT,))) as target,
    ):
        assert target.leaks(target.send(update((CLOSED.parameter, "PT10M"))))
    assert "receive_response_headers" in caplog.text
    assert told(caplog.text) == []


def test_neither_reprs_nor_exceptions_hold_it() -> None:
    with hostile.Hostile("good") as server:
        settings = TargetSettings(url=server.url, accounts=(ACCOUNT,))
        with Target(settings) as target:
            exchange = target.send(update((CLOSED.parameter, "PT10M")))
            with pytest.raises(ValueError, match="cannot be sent") as caught:
                target.send(Request(headers=(("X-A", "a\r\nb"),)))
    shown = [target, settings, exchange, ACCOUNT, caught.value, target._secrets]
    assert told(repr(shown)) == []

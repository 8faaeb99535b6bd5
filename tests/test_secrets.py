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
import time
from pathlib import Path
from urllib.parse import unquote_to_bytes

import hostile
import pytest

from conformance.http import Request, update
from conformance.model import CLOSED, FIELDS
from conformance.transport.credentials import Account
from conformance.transport.redaction import Secrets, masked
from conformance.transport.target import Target, TargetSettings

pytestmark = pytest.mark.slow

SID = "AC" + "5eeda11ce0" * 3 + "42"
TOKEN = "9f1c07e3b5d84a62" + "c8d1704fe93ab26d"  # of nobody
CREDENTIALS = {"TWILIO_ACCOUNT_SID": SID, "TWILIO_AUTH_TOKEN": TOKEN}
ACCOUNT = Account(SID, TOKEN)


def _percent(text: str) -> str:
    return "".join(f"%{ord(each):02X}" for each in text)


def _escaped(text: str) -> str:
    return "".join(f"\\u{ord(each):04x}" for each in text)


def _folded(text: str, width: int = 20) -> str:
    return "\r\n".join(text[at : at + width] for at in range(0, len(text), width))


BASIC_VALUE = base64.b64encode(f"{SID}:{TOKEN}".encode()).decode()

SPELLINGS = {
    "as it is": TOKEN,
    "in capitals": TOKEN.upper(),
    "percent-encoded": _percent(TOKEN),
    "partly percent-encoded": TOKEN[:5] + _percent(TOKEN[5:9]) + TOKEN[9:],
    "escaped as in JSON": _escaped(TOKEN),
    "as references": "".join(f"&#{ord(each)};" for each in TOKEN),
    "in base64": base64.b64encode(TOKEN.encode()).decode(),
    "as the Basic value": BASIC_VALUE,
    "in the URL-safe base64 of something longer": base64.urlsafe_b64encode(f"??>{TOKEN}".encode()).decode(),
    "in hexadecimal": TOKEN.encode().hex(),
    "on two lines": f"{TOKEN[:13]}\r\n {TOKEN[13:]}",
    "on lines of base64": _folded(BASIC_VALUE),
    "on lines of a quoted-printable text": f"{TOKEN[:13]}=\r\n{TOKEN[13:]}",
    "on lines as in JSON": f"{TOKEN[:13]}\\n{TOKEN[13:]}",
    "in pieces between other text": f"{TOKEN[:12]} and {TOKEN[12:24]} and {TOKEN[24:]}",
    "less its last character": TOKEN[:-1],
    "percent-encoded twice": _percent(_percent(TOKEN)),
    "escaped as in JSON within JSON": json.dumps(_escaped(TOKEN))[1:-1],
    "in hexadecimal with separators": ":".join(re.findall("..", TOKEN.encode().hex())),
    "as a list of characters": json.dumps(list(TOKEN)),
    "as a list of pairs of characters": json.dumps(re.findall("..", TOKEN)),
    "as UTF-16": TOKEN.encode("utf-16-le").decode(),
}


def told(text: str) -> list[str]:
    """What a reader could learn of the token from a text: its pieces, however they are encoded."""
    texts = [text.lower(), unquote_to_bytes(text).decode("latin-1").lower()]
    texts.append(unquote_to_bytes(texts[1]).decode("latin-1"))
    texts.append(re.sub(r"\\\\u00(..)", lambda match: chr(int(match[1], 16)), text).lower())
    for condensed in (re.sub("[^0-9a-z]", "", text.lower()),):
        texts.append(condensed)
        for skip in range(2):
            digits = re.sub("[^0-9a-f]", "", condensed)[skip:]
            texts.append(bytes.fromhex(digits[: len(digits) // 2 * 2]).decode("latin-1"))
    texts += [re.sub(r"\s|\\[nrt]|=\r?\n", "", each) for each in texts]
    texts.append(re.sub(r"\\u00(..)", lambda match: chr(int(match[1], 16)), text).lower())
    texts.append(re.sub(r"&#(\d+);", lambda match: chr(int(match[1])), text).lower())
    for run in re.findall(r"[A-Za-z0-9+/_-]{12,}", re.sub(r"\s|\\[nrt]", "", text)):
        for skip in range(4):
            with contextlib.suppress(ValueError):
                part = run[skip:].translate(str.maketrans("-_", "+/"))
                texts.append(base64.b64decode(part[: len(part) // 4 * 4]).decode("latin-1").lower())
    for run in re.findall(r"(?:[0-9A-Fa-f]{2}){12,}", text):
        texts.append(bytes.fromhex(run).decode("latin-1").lower())
    pieces = [TOKEN[at : at + 12] for at in range(len(TOKEN) - 11)]
    return sorted({piece for piece in pieces if any(piece in each for each in texts)})


class TestRedaction:
    @pytest.mark.parametrize("name", SPELLINGS)
    def test_a_token_is_found_in_every_spelling(self, name: str) -> None:
        text = f"before {SPELLINGS[name]} after"
        assert told(text)
        redacted = Secrets([ACCOUNT], "").redact(text)
        assert told(redacted) == []
        assert redacted.startswith("before ")
        assert redacted.endswith(" after")
        assert Secrets([ACCOUNT], "").redact(text.encode()) == redacted.encode()

    def test_ordinary_text_stays_as_it_is(self) -> None:
        text = '{"a": "%41\\n b", "sid": "IS' + "0" * 32 + '"}\r\n ' + TOKEN[:6]
        assert Secrets([ACCOUNT], "").redact(text) == text

    def test_of_a_token_that_nobody_drew_only_the_whole_is_redacted(self) -> None:
        secrets = Secrets([Account(SID, "configuration-token")], "")
        assert secrets.redact("the configuration of configuration-token") == "the configuration of {token}"
        zeros = Secrets([Account(SID, "0" * 31 + "a")], "")
        assert zeros.redact("IS" + "0" * 32) == "IS" + "0" * 32

    def test_a_megabyte_of_the_token_takes_a_moment(self) -> None:
        began = time.process_time()
        assert told(Secrets([ACCOUNT], "").redact((TOKEN * 8_000)[:250_000])) == []
        assert time.process_time() - began < 5

    def test_sids_are_masked_by_their_number_and_lengths_stay(self) -> None:
        other = Account("AC" + "6" * 32, "t" * 32)
        secrets = Secrets([], "", [ACCOUNT, other])
        text = f'{{"account_sid": "{SID.upper()}", "other": "{_percent(other.user)}"}}'
        one, two = "AC" + "x" * 31 + "1", "AC" + "x" * 31 + "2"
        assert secrets.redact(text) == f'{{"account_sid": "{one}", "other": "{two}"}}'
        assert masked(f"of {SID} and AC{'7' * 32}", [ACCOUNT]) == f"of {one} and AC{'x' * 31}0"


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
                connection.answer(_percent(token).encode(), status=b"302 Found")
            case 1:
                connection.answer(
                    b"", b"Location: http://127.0.0.1:9/?t=" + token.encode(), status=b"301 Moved"
                )
            case 2:
                connection.answer(_folded(BASIC_VALUE).encode(), status=b"400 Bad Request")
            case 3:
                connection.answer(pieces, status=b"400 Bad Request")
            case 4:
                connection.answer(b'{"message": "%s"}' % _escaped(token).encode(), status=b"500 Oh")
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


def files(where: Path) -> dict[str, str]:
    found = {path.name: path.read_bytes().decode("latin-1") for path in where.rglob("*") if path.is_file()}
    for name in [each for each in found if each.endswith((".json", ".har", ".jsonl"))]:
        # Bodies that are no text are kept in base64, of whatever length.
        encoded = re.findall(r'"(?:body_base64|text)": ?"([A-Za-z0-9+/=]+)"', found[name])
        for number, each in enumerate(encoded):
            with contextlib.suppress(ValueError):
                found[f"{name} {number}"] = base64.b64decode(each).decode("latin-1")
    return found


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

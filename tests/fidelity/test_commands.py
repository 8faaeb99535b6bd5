"""`conformance record` and `conformance compare`, from the command line to the exit status."""

import json
import subprocess
from pathlib import Path

import pytest
from command_line import conformance
from gallery.servers import Right, serving

from conformance import emulator
from conformance.transport.credentials import THROWAWAY

pytestmark = pytest.mark.slow

ACCOUNTS = {account.sid or "": account.token for account in THROWAWAY}
TOKEN = "9f1c07e3b5d84a62" + "c8d1704fe93ab26d"  # of nobody


def run(*words: str, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return conformance(cwd, *words, CONFORMANCE_STATE_DIR=str(cwd), **environ)


def test_a_recording_holds_an_emulator_to_it(tmp_path: Path) -> None:
    made = run("record", "--out", "a.jsonl", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    alike = run("compare", "a.jsonl", "emulator", cwd=tmp_path)
    assert alike.returncode == 0, alike.stderr
    assert alike.stdout.endswith("\nalike\n")
    with emulator.serving(accounts=ACCOUNTS, faults=["closed-timer-minimum-one-second-less"]) as url:
        other = run("compare", "a.jsonl", url, "--json", cwd=tmp_path)
    assert other.returncode == 1, other.stderr
    (group,) = json.loads(other.stdout)["groups"]
    assert (group["kind"], group["rules"]) == ("ACCEPT", ["closed-timer-minimum"])
    stale = run("compare", "a.jsonl", "a.jsonl", "--max-age", "0", cwd=tmp_path)
    assert stale.returncode == 0


def test_differences_in_every_step_that_the_document_allows_are_a_verdict_too(tmp_path: Path) -> None:
    """A server that sends no header for browsers differs from the reference emulator in nearly every step."""
    with serving(Right) as url:
        done = run("compare", "emulator", url, "--scope", "documented", "--json", cwd=tmp_path)
    counts = json.loads(done.stdout)["counts"]
    assert counts["different"] > 10 * counts["alike"]
    assert (done.returncode, done.stderr.count("no verdict")) == (0, 0)


@pytest.mark.parametrize(
    ("ends", "status", "says"),
    [
        (("nothing.jsonl", "emulator"), 2, "nothing.jsonl: cannot be read"),
        (("emulator", "http://127.0.0.1:1"), 3, "no verdict: "),
        (("ftp://example.org", "emulator"), 2, "cannot be read"),
        (("https://example.com", "emulator"), 2, "no credentials|--live"),
    ],
)
def test_what_cannot_be_compared_is_said_in_one_line(
    ends: tuple[str, str], status: int, says: str, tmp_path: Path
) -> None:
    done = run("compare", *ends, cwd=tmp_path)
    assert done.returncode == status, done.stdout
    assert any(part in done.stderr for part in says.split("|"))
    assert "Traceback" not in done.stderr


def test_a_token_reaches_no_recording(tmp_path: Path) -> None:
    sid = "AC" + "5eeda11ce0" * 3 + "42"
    with emulator.serving(accounts={sid: TOKEN}, faults=["leak-in-refusals"]) as url:
        done = run(
            "record", "--target", url, "--out", "a.jsonl",
            cwd=tmp_path, TWILIO_ACCOUNT_SID=sid, TWILIO_AUTH_TOKEN=TOKEN,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "a.jsonl").read_text(encoding="utf-8")
    assert TOKEN not in text
    assert sid not in text
    assert '"leaks": true' in text

"""After a run was killed, one command puts back what it had found; everything else it says in one line."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import command_line
import httpx
import pytest
from hostile import Connection, Hostile

from conformance.cli import main
from conformance.commands import restore as command
from conformance.safety.journal import Journal, entries
from conformance.transport.credentials import THROWAWAY
from conformance.transport.embedded import Embedded

pytestmark = pytest.mark.slow

ACCOUNT = THROWAWAY[0]
BEFORE = {
    "default_chat_service_sid": "IS" + "7" * 32,
    "default_messaging_service_sid": "MG" + "7" * 32,
    "default_inactive_timer": "PT7M",
    "default_closed_timer": "PT77M",
}
OTHERS = {
    "DefaultChatServiceSid": "IS" + "8" * 32,
    "DefaultMessagingServiceSid": "MG" + "8" * 32,
    "DefaultInactiveTimer": "PT8M",
    "DefaultClosedTimer": "PT88M",
}


def conformance(state: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The real command; its settings are kept in a directory of the test."""
    return command_line.conformance(state.parent, *arguments, "--state-dir", str(state), **environment)


class Done(NamedTuple):
    """What came of a command."""

    returncode: int
    stdout: str
    stderr: str


Restoring = Callable[..., Done]


@pytest.fixture
def restore(state: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Restoring:
    """`conformance restore`, in this process."""
    monkeypatch.setattr(command, "heed", lambda handler: None)  # the signals of the tests stay theirs
    monkeypatch.chdir(state.parent)
    for name in [name for name in os.environ if name.startswith(("TWILIO_", "CONFORMANCE_"))]:
        monkeypatch.delenv(name)

    def restoring(*arguments: str, **environment: str) -> Done:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as ended:
            main(["restore", *arguments, "--state-dir", str(state)])
        code = ended.value.code
        assert isinstance(code, int)
        return Done(code, *capsys.readouterr())

    return restoring


def settings(url: str, changed: dict[str, str] | None = None) -> dict[str, str | None]:
    """What is set, after a change if one is given."""
    credentials = (ACCOUNT.user, ACCOUNT.token)
    with httpx.Client(base_url=url, auth=credentials, trust_env=False) as client:
        answer = (
            client.post("/v1/Configuration", data=changed) if changed else client.get("/v1/Configuration")
        )
    assert answer.status_code == 200
    return {name: answer.json()[name] for name in BEFORE}


@pytest.fixture
def url() -> Iterator[str]:
    with Embedded(THROWAWAY) as embedded:
        yield embedded.url()


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def left(state: Path, url: str, account: str = ACCOUNT.user) -> Path:
    """A run on the account was killed: its journal is there, and the settings are others now."""
    with Journal(state, url, [account]) as journal:
        journal.keep(0, BEFORE)
    return entries(state)[0]


class TestRestore:
    def test_what_was_left_is_written_back_and_forgotten(
        self, state: Path, url: str, restore: Restoring
    ) -> None:
        settings(url, OTHERS)
        left(state, url)
        done = restore()
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.endswith("restored\n")
        assert settings(url) == BEFORE
        assert list(state.iterdir()) == []

    def test_there_may_be_nothing_to_do(self, state: Path, url: str, restore: Restoring) -> None:
        state.mkdir()
        for arguments in ([], ["--target", url], ["--list"]):
            done = restore(*arguments)
            assert done.returncode == 0
            assert done.stdout.startswith("there is nothing to put back")

    def test_only_one_target_s_can_be_asked_for(self, state: Path, url: str, restore: Restoring) -> None:
        left(state, url)
        done = restore("--target", "http://127.0.0.1:1")
        assert "nothing to put back at http://127.0.0.1:1" in done.stdout
        assert len(entries(state)) == 1
        assert restore("--target", url + "/v1/Configuration").returncode == 0
        assert entries(state) == []

    def test_listing_sends_nothing_and_shows_the_values(self, state: Path, restore: Restoring) -> None:
        left(state, "http://127.0.0.1:1")
        done = restore("--list")
        assert done.returncode == 0
        assert "default_inactive_timer PT7M" in done.stdout
        assert len(entries(state)) == 1

    def test_no_line_shows_a_token_that_a_target_showed_as_a_setting(
        self, state: Path, restore: Restoring
    ) -> None:
        token = "0123456789abcdef0123456789abcdef"
        with Journal(state, "http://localhost:1", [ACCOUNT.user]) as journal:
            journal.keep(0, {**BEFORE, "default_chat_service_sid": f"IS{token}"})
        done = restore("--list", TWILIO_ACCOUNT_SID=ACCOUNT.user, TWILIO_AUTH_TOKEN=token)
        assert done.returncode == 0
        assert token not in done.stdout + done.stderr
        assert "default_chat_service_sid IS{token}" in done.stdout

    def test_what_is_discarded_is_told_so_that_it_can_be_written_by_hand(
        self, state: Path, restore: Restoring
    ) -> None:
        left(state, "http://127.0.0.1:1")
        done = restore("--discard")
        assert done.returncode == 0
        assert "default_closed_timer PT77M" in done.stdout
        assert entries(state) == []

    def test_a_target_that_is_not_there_is_3_and_the_journal_stays(
        self, state: Path, restore: Restoring
    ) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            left(state, f"http://127.0.0.1:{taken.getsockname()[1]}")
            done = restore()
        assert done.returncode == 3
        assert "cannot be reached" in done.stderr
        assert len(entries(state)) == 1

    @pytest.mark.usefixtures("no_waiting")
    def test_a_target_that_dies_of_the_update_is_4_and_that_is_said(
        self, state: Path, restore: Restoring
    ) -> None:
        def play(connection: Connection) -> None:
            for request in connection.requests():
                if request.startswith(b"POST"):
                    connection.server.stop()
                    return
                connection.answer()

        with Hostile(play) as server:
            left(state, server.url)
            done = restore()
        assert done.returncode == 4
        assert "answered until request 1; request 2 got no answer" in done.stderr
        assert len(entries(state)) == 1

    def test_refused_credentials_are_3(self, state: Path, url: str, restore: Restoring) -> None:
        sid = "AC" + "9" * 32
        left(state, url, sid)
        done = restore(TWILIO_ACCOUNT_SID=sid, TWILIO_AUTH_TOKEN="x" * 32)
        assert done.returncode == 3
        assert "refused the credentials" in done.stderr
        assert len(entries(state)) == 1

    def test_credentials_that_are_not_set_are_2(self, state: Path, url: str, restore: Restoring) -> None:
        left(state, url, "AC" + "9" * 32)
        done = restore()
        assert done.returncode == 2
        assert f"no credentials for AC{'9' * 32}" in done.stderr

    def test_a_value_that_the_target_does_not_take_again_is_4_and_the_journal_stays(
        self, state: Path, restore: Restoring
    ) -> None:
        with Embedded(THROWAWAY, faults=["closed-timer-minimum-one-second-more"]) as embedded:
            with Journal(state, embedded.url(), [ACCOUNT.user]) as journal:
                journal.keep(0, {"default_closed_timer": "PT10M", "default_inactive_timer": "PT7M"})
            done = restore()
            assert settings(embedded.url())["default_inactive_timer"] == "PT7M"
        assert done.returncode == 4
        assert "not restored: default_closed_timer" in done.stderr
        assert len(entries(state)) == 1

    def test_a_damaged_journal_is_4_until_it_is_discarded(self, state: Path, restore: Restoring) -> None:
        left(state, "http://127.0.0.1:1").write_bytes(b"{")
        done = restore()
        assert done.returncode == 4
        assert "damaged" in done.stderr
        assert restore("--discard").returncode == 0
        assert entries(state) == []

    def test_a_directory_that_is_not_there_is_2(self, state: Path, restore: Restoring) -> None:
        done = restore("--list")
        assert (done.returncode, done.stdout) == (2, "")
        assert "there is no such directory" in done.stderr

    @pytest.mark.parametrize("name", ["a file", "n" * 300])
    def test_a_directory_that_cannot_be_listed_is_4(self, tmp_path: Path, name: str) -> None:
        (tmp_path / "a file").touch()
        done = conformance(tmp_path / name, "restore")
        assert (done.returncode, done.stdout) == (4, "")
        assert "whether settings are kept there cannot be seen" in done.stderr
        assert done.stderr.count("\n") == 1

    def test_another_name_of_the_target_puts_back_the_same(
        self, state: Path, url: str, restore: Restoring
    ) -> None:
        settings(url, OTHERS)
        left(state, url)
        assert restore("--target", url.replace("127.0.0.1", "LOCALHOST.")).returncode == 0
        assert settings(url) == BEFORE
        assert list(state.iterdir()) == []

    def test_what_was_left_under_two_names_is_put_back_as_it_was_first(
        self, state: Path, url: str, restore: Restoring
    ) -> None:
        settings(url, OTHERS)
        first = left(state, url)
        other = url.replace("127.0.0.1", "localhost")
        with Journal(state / "other", other, [ACCOUNT.user]) as journal:
            journal.keep(0, {"default_inactive_timer": "PT1M"})
        (later,) = entries(state / "other")
        os.utime(first, (1, 1))
        later.rename(state / later.name)
        (state / "other").rmdir()
        assert restore().returncode == 0
        assert settings(url) == BEFORE
        assert list(state.iterdir()) == []

    def test_a_run_at_work_is_left_alone(self, state: Path, url: str, restore: Restoring) -> None:
        left(state, url)
        with Journal(state, url, [ACCOUNT.user]):
            done = restore()
        assert done.returncode == 2
        assert "is at work on the settings of" in done.stderr
        assert len(entries(state)) == 1


class TestRun:
    """What a run makes of a journal, and of another run."""

    def test_a_finished_run_leaves_nothing(self, state: Path, url: str) -> None:
        settings(url, OTHERS)
        done = conformance(state, "run", "--target", url, "--profile", "quick", "--only", "media-type")
        assert done.returncode == 0, done.stdout
        assert list(state.iterdir()) == []

    def test_the_settings_before_the_killed_run_are_put_back_not_those_it_left(
        self, state: Path, url: str
    ) -> None:
        settings(url, OTHERS)
        left(state, url)
        done = conformance(state, "run", "--target", url, "--profile", "quick", "--only", "media-type")
        assert done.returncode == 0, done.stdout
        assert f"`conformance restore --target {url}`" in done.stdout
        assert settings(url) == BEFORE
        assert list(state.iterdir()) == []

    def test_on_a_live_target_that_comes_first(self, state: Path, url: str) -> None:
        left(state, url)
        done = conformance(state, "run", "--target", url, "--live")
        assert (done.returncode, done.stdout) == (2, "")
        assert f"`conformance restore --target {url}`" in done.stderr
        assert done.stderr.count("\n") == 1

    def test_a_second_run_on_an_account_is_refused(self, state: Path, url: str) -> None:
        with Journal(state, url, [ACCOUNT.user]):
            done = conformance(state, "run", "--target", url)
        assert (done.returncode, done.stdout) == (2, "")
        assert f"process {os.getpid()} on " in done.stderr
        assert done.stderr.count("\n") == 1

    def test_so_is_one_under_another_name_of_the_target(self, state: Path, url: str) -> None:
        with Journal(state, url, [ACCOUNT.user]):
            done = conformance(state, "run", "--target", url.replace("127.0.0.1", "localhost"))
        assert (done.returncode, done.stdout) == (2, "")
        assert f"process {os.getpid()} on " in done.stderr

    def test_what_was_left_under_another_name_comes_first(self, state: Path, url: str) -> None:
        left(state, url)
        done = conformance(state, "run", "--target", url.replace("127.0.0.1", "localhost"))
        assert (done.returncode, done.stdout) == (2, "")
        assert f"`conformance restore --target {url}`" in done.stderr
        assert len(entries(state)) == 1

    def test_the_embedded_emulator_needs_no_journal(self, state: Path) -> None:
        assert conformance(state, "run", "--profile", "quick", "--only", "media-type").returncode == 0
        assert not state.exists()

    def test_where_none_can_be_kept_a_line_says_so(self, state: Path, url: str) -> None:
        state.write_text("a file")
        done = conformance(state, "run", "--target", url, "--profile", "quick", "--only", "media-type")
        assert done.returncode == 0
        assert "if this run is killed, nothing can be put back: no journal can be kept" in done.stdout
        live = conformance(state, "run", "--target", url, "--live")
        assert live.returncode == 2
        assert "no journal can be kept" in live.stderr

    def test_no_token_is_in_a_journal(self, state: Path, url: str) -> None:
        settings(url, OTHERS)
        with started(state, url) as process:
            process.kill()
            process.wait()
        (path, *_) = entries(state)
        assert ACCOUNT.token not in path.read_text()


class started:  # noqa: N801  # a context manager, named as a function
    """A run that has kept the settings and begun to write."""

    def __init__(self, state: Path, url: str) -> None:
        command = [sys.executable, "-m", "conformance.cli", "run", "--target", url, "--state-dir", str(state)]
        self._url, self._before = url, settings(url)
        self._process = subprocess.Popen(
            [*command, "--rate", "100"],
            cwd=state.parent,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def __enter__(self) -> subprocess.Popen[bytes]:
        deadline = time.monotonic() + 30
        while settings(self._url) == self._before:
            assert time.monotonic() < deadline
            time.sleep(0.02)  # between looks
        return self._process

    def __exit__(self, *ended: object) -> None:
        self._process.kill()
        self._process.wait()


def test_after_a_kill_one_command_puts_everything_back(state: Path, url: str) -> None:
    settings(url, {name.title().replace("_", ""): value for name, value in BEFORE.items()})
    with started(state, url) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert settings(url) != BEFORE
    assert json.loads(entries(state)[0].read_text())["target"] == url
    assert conformance(state, "restore", "--target", url).returncode == 0
    assert settings(url) == BEFORE
    assert list(state.iterdir()) == []

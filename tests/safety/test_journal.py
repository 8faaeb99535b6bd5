"""Tests of the journal: settings are on disk until they are put back, and a lock keeps two runs off one account."""

import hashlib
import json
import os
import random
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from conformance.exceptions import JournalError, Locked
from conformance.safety.journal import Entry, Journal, entries, read, state_directory, tidy
from conformance.transport.credentials import THROWAWAY

TARGET = "http://127.0.0.1:4007"
ACCOUNTS = ["AC" + "1" * 32, "AC" + "2" * 32]
SETTINGS = {
    "default_inactive_timer": "PT7M",
    "default_closed_timer": "PT77M",
    "default_chat_service_sid": None,
}


def kept(directory: Path) -> Path:
    """Keep one account's settings, put nothing back, and return the journal's file."""
    with Journal(directory, TARGET, ACCOUNTS) as journal:
        journal.keep(0, SETTINGS)
    (path,) = entries(directory)
    return path


class TestKeeping:
    def test_kept_settings_can_be_read_again(self, tmp_path: Path) -> None:
        entry = read(kept(tmp_path))
        assert (entry.target, entry.account, entry.settings) == (TARGET, ACCOUNTS[0], SETTINGS)
        assert f"process {os.getpid()} on " in entry.process
        assert entry.taken.endswith("Z")

    def test_another_run_finds_the_entry(self, tmp_path: Path) -> None:
        kept(tmp_path)
        with Journal(tmp_path, TARGET, ACCOUNTS) as journal:
            found = journal.pending(0)
            assert isinstance(found, Entry)
            assert found.settings == SETTINGS
            assert journal.pending(1) is None

    def test_an_earlier_entry_is_never_overwritten(self, tmp_path: Path) -> None:
        path = kept(tmp_path)
        before = path.read_bytes()
        with Journal(tmp_path, TARGET, ACCOUNTS) as journal:
            journal.keep(0, {"default_inactive_timer": "PT1M"})
        assert path.read_bytes() == before

    def test_dropping_the_entry_leaves_no_file(self, tmp_path: Path) -> None:
        with Journal(tmp_path, TARGET, ACCOUNTS) as journal:
            journal.keep(0, SETTINGS)
            journal.drop(0)
        assert list(tmp_path.iterdir()) == []

    def test_only_the_owner_may_read_the_file(self, tmp_path: Path) -> None:
        path = kept(tmp_path / "made" / "here")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700

    def test_the_file_is_synced_before_it_gets_its_name(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        done: list[str] = []
        sync, replace = os.fsync, Path.replace

        def fsync(number: int) -> None:
            done.append(str(Path(f"/proc/self/fd/{number}").readlink()))
            sync(number)

        def renamed(self: Path, other: Path) -> Path:
            done.append("renamed")
            return replace(self, other)

        monkeypatch.setattr(os, "fsync", fsync)
        monkeypatch.setattr(Path, "replace", renamed)
        kept(tmp_path)
        assert [each == "renamed" for each in done] == [False, True, False]
        assert done[2] == str(tmp_path)

    def test_other_spellings_of_the_default_port_are_the_same_target(self, tmp_path: Path) -> None:
        with Journal(tmp_path, "https://a.test/x", ACCOUNTS) as journal:
            journal.keep(0, SETTINGS)
        with Journal(tmp_path, "https://a.test:443/x", ACCOUNTS) as journal:
            assert journal.pending(0) is not None
        for other in ("https://a.test:444/x", "https://a.test/y", "http://a.test/x"):
            with Journal(tmp_path, other, ACCOUNTS) as journal:
                assert journal.pending(0) is None

    def test_a_run_under_another_name_of_the_target_finds_the_entry(self, tmp_path: Path) -> None:
        path = kept(tmp_path)
        for other in ("http://localhost:4007/", "http://LOCALHOST.:4007", "http://[::1]:4007"):
            with Journal(tmp_path, other, [ACCOUNTS[0].lower()]) as journal:
                found = journal.pending(0)
                assert found is not None
                assert (found.target, found.settings) == (TARGET, SETTINGS)
                journal.keep(0, {"default_inactive_timer": "PT1M"})
        assert entries(tmp_path) == [path]
        with Journal(tmp_path, "http://localhost:4007", ACCOUNTS) as journal:
            journal.drop(0)
        assert entries(tmp_path) == []

    def test_a_name_whose_address_has_changed_is_the_same_target(self, tmp_path: Path) -> None:
        with Journal(tmp_path, "http://emulator.test:4007", ACCOUNTS, ["10.0.0.2 4007 /"]) as journal:
            journal.keep(0, SETTINGS)
        with Journal(tmp_path, "http://emulator.test:4007", ACCOUNTS, ["10.0.0.3 4007 /"]) as journal:
            assert journal.pending(0) is not None

    def test_a_journal_of_the_release_before_is_read(self, tmp_path: Path) -> None:
        path = kept(tmp_path)
        document = json.loads(path.read_text())
        del document["places"], document["version"], document["sha256"]
        digest = hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
        path.write_text(json.dumps({**document, "version": 1, "sha256": digest}))
        with Journal(tmp_path, "http://localhost:4007", ACCOUNTS) as journal:
            found = journal.pending(0)
        assert found is not None
        assert found.settings == SETTINGS

    def test_a_directory_that_cannot_be_listed_is_not_an_empty_one(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(JournalError, match="cannot be seen"):
            entries(tmp_path / "file")
        assert entries(tmp_path / "none") == []

    def test_what_is_no_file_is_not_opened(self, tmp_path: Path) -> None:
        pipe = tmp_path / "pipe.json"
        os.mkfifo(pipe)
        with pytest.raises(JournalError, match="not a regular file"):
            read(pipe)
        with Journal(tmp_path, TARGET, ACCOUNTS) as journal:
            assert journal.pending(0) is None

    def test_a_directory_that_cannot_be_written_is_an_error_with_a_way_out(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(JournalError, match="--state-dir"), Journal(tmp_path / "file", TARGET, ACCOUNTS):
            pass

    def test_journals_are_in_the_directory_for_state_unless_another_is_given(self, tmp_path: Path) -> None:
        assert state_directory(None).name == "twilio-configuration-conformance"
        assert state_directory(tmp_path) == tmp_path


class TestDamage:
    """A journal is read exactly as it was written, or refused: no other settings are ever put back."""

    @pytest.mark.parametrize("text", [b"", b"{}", b"null", b"\xff\xfe", b"[" * 100_000, b'{"version": 1}'])
    def test_a_file_that_is_no_journal_is_refused_in_one_line(self, tmp_path: Path, text: bytes) -> None:
        path = kept(tmp_path)
        path.write_bytes(text)
        with pytest.raises(JournalError, match="damaged") as caught:
            read(path)
        assert "\n" not in str(caught.value)

    def test_a_changed_byte_never_changes_the_settings(self, tmp_path: Path) -> None:
        path = kept(tmp_path)
        good, entry = path.read_bytes(), read(path)
        for position in range(len(good)):
            changed = bytearray(good)
            changed[position] ^= 1 << random.Random(position).randrange(7)
            path.write_bytes(bytes(changed))
            try:
                assert read(path) == entry
            except JournalError:
                continue

    def test_a_file_with_another_name_is_refused(self, tmp_path: Path) -> None:
        path = kept(tmp_path)
        other = path.with_name("0" * 32 + ".json")
        path.rename(other)
        with pytest.raises(JournalError, match="damaged"):
            read(other)

    def test_a_later_version_is_refused(self, tmp_path: Path) -> None:
        path = kept(tmp_path)
        document = json.loads(path.read_text())
        path.write_text(json.dumps({**document, "version": 3}))
        with pytest.raises(JournalError):
            read(path)

    def test_a_file_that_cannot_be_opened_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(JournalError, match="cannot be read"):
            read(tmp_path)


HOLD = (
    "import sys, time; from pathlib import Path; from conformance.safety.journal import Journal\n"
    "with Journal(Path(sys.argv[1]), sys.argv[2], sys.argv[3:]):\n"
    "    print('held', flush=True); time.sleep(60)\n"
)


@contextmanager
def holding(directory: Path, target: str, *accounts: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that has the journal of a target open."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(directory), target, *accounts], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process.stdout:
        try:
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()
            process.wait()


class TestLock:
    """A second run on an account is refused, and names the first."""

    def test_the_refusal_names_the_process_its_start_and_the_account(self, tmp_path: Path) -> None:
        with Journal(tmp_path, TARGET, ACCOUNTS):
            with pytest.raises(Locked) as caught, Journal(tmp_path, TARGET, ACCOUNTS[1:]):
                pass
            assert f"process {os.getpid()} on " in str(caught.value)
            assert ", since 2" in str(caught.value)
            assert ACCOUNTS[1] in str(caught.value)

    def test_another_account_or_another_target_is_not_locked(self, tmp_path: Path) -> None:
        with (
            Journal(tmp_path, TARGET, ACCOUNTS[:1]),
            Journal(tmp_path, TARGET, ACCOUNTS[1:]),
            Journal(tmp_path, TARGET + "/x", ACCOUNTS) as third,
        ):
            assert third.pending(0) is None

    @pytest.mark.parametrize(
        "other", ["http://localhost:4007", "http://LOCALHOST.:4007/", "http://[::1]:4007"]
    )
    def test_another_name_of_the_target_is_locked(self, tmp_path: Path, other: str) -> None:
        with Journal(tmp_path, TARGET, ACCOUNTS), pytest.raises(Locked), Journal(tmp_path, other, ACCOUNTS):
            pass

    @pytest.mark.slow
    def test_another_process_is_kept_off_an_account_at_any_target(self, tmp_path: Path) -> None:
        with holding(tmp_path, "https://a.test", ACCOUNTS[0]), pytest.raises(Locked, match=ACCOUNTS[0]):
            Journal(tmp_path, "https://b.test", ACCOUNTS).__enter__()

    def test_throwaway_accounts_may_be_at_work_at_many_targets(self, tmp_path: Path) -> None:
        names = [account.user for account in THROWAWAY]
        with holding(tmp_path, TARGET, *names), Journal(tmp_path, "http://127.0.0.1:4008", names):
            pass

    def test_a_refused_run_keeps_no_lock(self, tmp_path: Path) -> None:
        with Journal(tmp_path, TARGET, ACCOUNTS[1:]):
            with pytest.raises(Locked), Journal(tmp_path, TARGET, ACCOUNTS):
                pass
            with Journal(tmp_path, TARGET, ACCOUNTS[:1]):
                pass

    @pytest.mark.slow
    def test_a_killed_process_keeps_no_lock(self, tmp_path: Path) -> None:
        with holding(tmp_path, TARGET, *ACCOUNTS) as process:
            with (
                pytest.raises(Locked, match=f"process {process.pid} on"),
                Journal(tmp_path, TARGET, ACCOUNTS),
            ):
                pass
            process.send_signal(signal.SIGKILL)
            process.wait()
        with Journal(tmp_path, TARGET, ACCOUNTS) as journal:
            assert journal.pending(0) is None

    def test_tidying_removes_files_of_ended_processes_and_leaves_held_locks(self, tmp_path: Path) -> None:
        with Journal(tmp_path, TARGET, ACCOUNTS[:1]):
            gone = tmp_path / f"{'0' * 32}.lock"
            gone.touch()
            gone.with_suffix(".owner").touch()
            half = tmp_path / f".{'1' * 32}.json.abcdefgh"
            half.touch()
            tidy(tmp_path)
            assert not half.exists()
            assert not gone.exists()
            assert not gone.with_suffix(".owner").exists()
            with (
                pytest.raises(Locked, match=f"process {os.getpid()} on"),
                Journal(tmp_path, TARGET, ACCOUNTS),
            ):
                pass

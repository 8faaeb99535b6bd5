"""A command that is ended in the middle, or has no room for what it writes, says so and keeps its exit status."""

import base64
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from click.testing import CliRunner
from command_line import (
    REPORTS,
    clean_environment,
    command,
    result,
)

from conformance import api, settings
from conformance.cli import main
from conformance.commands import replay, signals
from conformance.transport.credentials import THROWAWAY, Account
from conformance.transport.embedded import Embedded

pytestmark = pytest.mark.slow

TOKEN = THROWAWAY[0]


def configuration(url: str, account: Account, form: str | None = None) -> dict[str, object]:
    """The settings of an account, after an update if one is given."""
    basic = base64.b64encode(f"{account.sid}:{account.token}".encode()).decode()
    request = Request(  # noqa: S310  # an emulator on loopback
        f"{url}/v1/Configuration",
        data=form.encode() if form else None,
        headers={"Authorization": f"Basic {basic}"},
    )
    with urlopen(request, timeout=10) as response:  # noqa: S310  # an emulator on loopback
        document = json.load(response)
    assert isinstance(document, dict)
    return document


def heed_sigint() -> None:
    """Undo what a shell does to what it runs in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def running(where: Path, url: str) -> Iterator[subprocess.Popen[str]]:
    """A long run that has sent some requests already."""
    process = subprocess.Popen(
        command("run", "--target", url, "--profile", "thorough", "--rate", "150"),
        cwd=where,
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=heed_sigint,  # noqa: PLW1509  # no thread of ours holds a lock by then
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_for_a_write(url: str) -> None:
    """Wait until a run has changed something."""
    deadline = time.monotonic() + 30
    before = configuration(url, TOKEN)
    while configuration(url, TOKEN) == before:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    time.sleep(0.5)


class TestEndedInTheMiddle:
    FORM = (
        f"DefaultInactiveTimer=PT7M&DefaultClosedTimer=PT77M&DefaultChatServiceSid=IS{'7' * 32}"
        f"&DefaultMessagingServiceSid=MG{'7' * 32}"
    )

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    def test_a_signal_ends_the_run_with_130_reports_and_the_settings_of_before(
        self, tmp_path: Path, number: signal.Signals
    ) -> None:
        if signal.getsignal(number) is signal.SIG_IGN:
            pytest.skip("the tests were started so that the signal is ignored, as nohup does")
        with Embedded(THROWAWAY) as embedded:
            url = embedded.url()
            before = configuration(url, TOKEN, self.FORM)
            with running(tmp_path, url) as process:
                wait_for_a_write(url)
                process.send_signal(number)
                output, _ = process.communicate(timeout=30)
            assert process.returncode == 130, output
            assert "Traceback" not in output
            assert configuration(url, TOKEN) == before
        document = result(tmp_path)
        assert (document["exit_code"], document["stopped"]) == (130, "interrupted")
        assert {path.name for path in (tmp_path / "conformance-report").iterdir()} >= REPORTS

    @pytest.mark.parametrize(
        "words",
        [("record", "--out", "x.jsonl", "--target"), ("compare", "emulator")],
        ids=["record", "compare"],
    )
    def test_ctrl_c_in_another_command_says_in_one_line_that_the_settings_are_back(
        self, words: tuple[str, ...], tmp_path: Path
    ) -> None:
        with Embedded(THROWAWAY) as embedded:
            url = embedded.url()
            before = configuration(url, TOKEN, self.FORM)
            process = subprocess.Popen(
                command(*words, url, "--rate", "100"),
                cwd=tmp_path,
                env=clean_environment(),
                stderr=subprocess.PIPE,
                text=True,
                preexec_fn=heed_sigint,  # noqa: PLW1509  # no thread of ours holds a lock by then
            )
            wait_for_a_write(url)
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=30)
            assert (process.returncode, configuration(url, TOKEN)) == (130, before), said
        assert said.splitlines()[-1] == f"conformance: interrupted: the settings are as before at {url}"
        assert not (tmp_path / "x.jsonl").exists()

    def test_a_target_that_is_killed_ends_the_run_without_a_verdict_and_says_at_which_request(
        self, tmp_path: Path
    ) -> None:
        with Embedded(THROWAWAY) as embedded:
            url = embedded.url()
            with running(tmp_path, url) as process:
                wait_for_a_write(url)
                embedded.process.kill()
                output, _ = process.communicate(timeout=60)
        assert process.returncode == 3, output
        assert "Traceback" not in output
        document = result(tmp_path)
        assert document["findings"] == []
        assert "answered until request " in str(document["stopped"])
        # The kill comes while a request waits for its answer, or between two; nobody can tell the first from a crash.
        assert "unanswered" in document or "last request: " in str(document["stopped"])
        assert "\nrestored: the settings" not in output

    def test_a_deviation_found_before_the_target_was_killed_is_told(self, tmp_path: Path) -> None:
        with Embedded(THROWAWAY, faults=["inactive-timer-minimum-unchecked"]) as embedded:
            url = embedded.url()
            with running(tmp_path, url) as process:
                wait_for_a_write(url)
                time.sleep(3)
                embedded.process.kill()
                output, _ = process.communicate(timeout=60)
        assert process.returncode == 1, output
        assert "MUST inactive-timer-minimum" in output

    def test_ctrl_c_in_a_terminal_reaches_the_whole_group_and_is_still_130(self, tmp_path: Path) -> None:
        process = subprocess.Popen(
            command("run", "--profile", "thorough"),
            cwd=tmp_path,
            env=clean_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            preexec_fn=heed_sigint,  # noqa: PLW1509  # no thread of ours holds a lock by then
        )
        timer = threading.Timer(4, lambda: os.killpg(process.pid, signal.SIGINT))
        timer.start()
        output, _ = process.communicate(timeout=60)
        assert process.returncode == 130, output
        assert "Traceback" not in output


@pytest.mark.parametrize(("faults", "code"), [((), 0), (("closed-timer-minimum-one-second-less",), 1)])
def test_a_full_disk_costs_reports_and_not_the_verdict(
    tmp_path: Path, faults: tuple[str, ...], code: int
) -> None:
    def fill() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (16 << 10, 16 << 10))  # no file may grow beyond

    with Embedded(THROWAWAY, faults=faults) as embedded:
        done = subprocess.run(
            command("run", "--target", embedded.url(), "--profile", "quick", "--only", "closed-timer-*"),
            cwd=tmp_path,
            env=clean_environment(),
            capture_output=True,
            text=True,
            check=False,
            preexec_fn=fill,  # no thread of ours holds a lock by then
        )
    assert done.returncode == code, done.stderr
    assert done.stderr.count("\n") == 1
    assert "cannot write reports to conformance-report: File too large (" in done.stderr
    written = {path.name for path in (tmp_path / "conformance-report").iterdir()}
    assert "badge.json" in written
    assert all(name in done.stderr for name in REPORTS - written)


def test_a_disk_without_room_for_any_file_is_no_deviation(tmp_path: Path) -> None:
    done = subprocess.run(
        command("run", "--profile", "quick"),
        cwd=tmp_path,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)),  # as above
    )
    assert done.returncode == 2
    assert "No usable temporary directory found" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a device that is always full")
@pytest.mark.parametrize("options", [(), ("--json",)])
def test_an_output_that_takes_nothing_does_not_change_the_exit_status(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    with Embedded(THROWAWAY) as embedded, Path("/dev/full").open("w") as full:
        done = subprocess.run(
            command(
                "run", "--target", embedded.url(), "--profile", "quick", "--only", "media-type", *options
            ),
            cwd=tmp_path,
            env=clean_environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert done.stderr.endswith("conformance: the run goes on without the summary: No space left on device\n")
    assert "Traceback" not in done.stderr


class TestInterruptedInStartUp:
    """Ctrl-C ends a command with 130 and without a traceback, however early it comes."""

    def test_while_the_program_is_imported(self) -> None:
        code = (
            "import os, signal, sys; sys.argv = ['/bin/conformance', 'rules']; import conformance.cli; "
            "os.kill(os.getpid(), int(signal.SIGINT)); print('went on')"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=False, preexec_fn=heed_sigint
        )
        assert (done.returncode, done.stdout, done.stderr) == (130, "", "")

    def test_while_python_takes_itself_down_it_changes_no_exit_status(self) -> None:
        program = (
            "import os, signal, sys; sys.argv = ['/bin/conformance']; import conformance.commands.signals\n"
            "class Late:\n"
            "    def __del__(self, end=os.kill, own=os.getpid(), by=int(signal.SIGTERM)):\n        end(own, by)\n"
            "late = Late(); sys.exit(7)"
        )
        assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 7

    def test_while_code_is_made_of_text(self, tmp_path: Path) -> None:
        # As a dataclass is; Python would kill itself with SIGINT for a KeyboardInterrupt, though it was caught.
        (tmp_path / "program.py").write_text(
            "import sys\n"
            "from conformance.commands.signals import ENDED, interrupt\n"
            "try:\n    exec('interrupt(15, None)')\n"
            "except KeyboardInterrupt:\n    sys.exit(ENDED)\n"
        )
        found = {**os.environ, "PYTHONPATH": str(tmp_path)}  # PYTHONSAFEPATH may leave the folder out
        done = subprocess.run([sys.executable, "-m", "program"], env=found, check=False)
        assert done.returncode == 130

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    @pytest.mark.parametrize("name", ["run", "timers", "restore", "replay"])
    def test_while_its_settings_are_read(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, number: signal.Signals
    ) -> None:
        def interrupted(*arguments: object) -> None:
            signal.raise_signal(number)

        monkeypatch.setattr(signals, "_left", [])
        monkeypatch.setattr(settings, "resolve", interrupted)
        monkeypatch.chdir(tmp_path)
        before = signal.getsignal(number)
        if name == "replay":
            monkeypatch.setattr(replay, "result_in", interrupted)
        done = CliRunner().invoke(main, [name, *(["abc"] if name == "replay" else [])])
        assert (done.exit_code, done.output) == (130, "")
        assert signal.getsignal(number) == before


def test_an_interrupt_while_reports_are_written_lets_them_be_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As the second of two presses of Ctrl-C does, where the settings were put back between them."""
    document_of = api.document_of

    def interrupted(*arguments: Any) -> Any:
        signal.raise_signal(signal.SIGINT)
        return document_of(*arguments)

    monkeypatch.setattr(signals, "_left", [])
    monkeypatch.setattr(api, "document_of", interrupted)
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["run", "--only", "media-type", "--max-requests", "20"])
    assert done.exit_code == 130
    assert "restored: the settings" in done.output
    assert {path.name for path in (tmp_path / "conformance-report").iterdir()} >= REPORTS


def test_ctrl_c_ends_a_selftest_without_a_traceback(tmp_path: Path) -> None:
    process = subprocess.Popen(
        command("selftest", "--fault", "closed-timer-*", "--fail-fast"),
        cwd=tmp_path,
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=heed_sigint,  # noqa: PLW1509  # no thread of ours holds a lock by then
    )
    assert process.stdout is not None
    process.stdout.readline()  # the first of many is examined, so others are being examined
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (130, "")

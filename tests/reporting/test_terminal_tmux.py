"""What a run prints on a real terminal, as tmux shows it: narrow and wide, with colour and without."""

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.transport.credentials import THROWAWAY
from conformance.transport.embedded import Embedded

TMUX = shutil.which("tmux")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(TMUX is None, reason="there is no tmux on the PATH")]

STYLE = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture(scope="module")
def faulty() -> Iterator[str]:
    with Embedded(
        THROWAWAY, faults=["closed-timer-minimum-one-second-less", "challenge-missing"]
    ) as emulator:
        yield emulator.url()


def _on_a_terminal(directory: Path, url: str, width: int, *environment: str) -> str:
    """The screen and what has scrolled off it when a run has ended, with its styles."""
    socket = f"conformance-{directory.name}"
    run = f"{sys.executable} -m conformance.cli run --only 'c*' --profile quick --target {url}"
    command = f"env -u COLUMNS {' '.join(environment)} {run} ; tmux wait-for -S ended ; sleep 60"
    tmux = [str(TMUX), "-L", socket, "-f", "/dev/null"]
    size = ["-x", str(width), "-y", "50"]
    subprocess.run([*tmux, "new-session", "-d", *size, "-c", str(directory), command], check=True)
    try:
        subprocess.run([*tmux, "wait-for", "ended"], check=True, timeout=60)
        time.sleep(0.2)  # the last bytes are still on their way to the screen
        shown = subprocess.run(
            [*tmux, "capture-pane", "-p", "-e", "-S", "-"], check=True, capture_output=True
        )
    finally:
        subprocess.run([*tmux, "kill-server"], check=False, capture_output=True)
    return shown.stdout.decode().rstrip()


@pytest.mark.parametrize("width", [80, 200])
@pytest.mark.parametrize("coloured", [True, False])
def test_a_run_on_a_terminal(tmp_path: Path, faulty: str, width: int, coloured: bool) -> None:
    environment = ["CONFORMANCE_TARGET=", *([] if coloured else ["NO_COLOR=1"])]
    shown = _on_a_terminal(tmp_path, faulty, width, *environment)
    plain = STYLE.sub("", shown)
    lines = plain.splitlines()

    assert ("\x1b[" in shown) == coloured
    assert max(map(len, lines)) <= width
    assert "MUST closed-timer-minimum  timer/below-seconds" in plain
    # Whatever moved while the run went on has gone.
    assert " of at most " not in plain and "/s · " not in plain
    # Words are not cut at the edge; a curl line is, by the terminal, for it to be copied whole.
    totals = " ".join(" ".join(lines[-1:] if width == 200 else lines[-2:]).split())
    assert re.fullmatch(
        r"MUST \d+ hold, [12] broken, 0 undecided · SHOULD \d+ hold, 0 broken, 1 undecided · "
        r"[\d,]+ requests in [\d.]+ s · seed 0 · deviation",
        totals,
    )
    curl = next(line for line in lines if line.startswith("curl "))
    assert len(curl) == width or curl.endswith("/v1/Configuration")

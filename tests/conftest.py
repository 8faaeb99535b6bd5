"""Shared fixtures: one reference emulator for the whole test run, as a process of its own."""

import gc
import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.transport.credentials import THROWAWAY
from conformance.transport.embedded import Embedded

if sys.dont_write_bytecode:
    # As in many containers. The tests start hundreds of processes, and each would compile the suite anew.
    sys.dont_write_bytecode = False
    sys.pycache_prefix = str(Path(__file__).parents[1] / ".pytest_cache" / "bytecode")
    os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Spare the fast loop the reading of modules that are slow as a whole."""
    slow = re.compile(r"^pytestmark = \[?\s*pytest\.mark\.slow\b", re.MULTILINE)
    if config.option.markexpr == "not slow" and collection_path.name.startswith("test_"):
        return bool(slow.search(collection_path.read_text(encoding="utf-8"))) or None
    return None


def pytest_sessionstart() -> None:
    """Forget what was cached: a tester of mutants runs each session in a fork of a process that has run one before."""
    for name, module in [*sys.modules.items()]:
        for value in vars(module).values() if name.startswith("conformance") else ():
            if callable(forget := getattr(value, "cache_clear", None)):
                forget()


def pytest_collection_finish() -> None:
    """Spare the collector of garbage what was imported: it stays to the end, and is most of what there is."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _state_directory(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Runs keep the settings that they find in the user's directory for state: that of the tests is their own."""
    os.environ["XDG_STATE_HOME"] = str(tmp_path_factory.mktemp("state"))


@pytest.fixture(scope="session")
def emulator_url() -> Iterator[str]:
    """The base URL of a right emulator; whoever writes to it leaves valid settings behind."""
    with Embedded(THROWAWAY) as embedded:
        yield embedded.url()


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run sends some requests only after two seconds; with a target that does not age, it need not wait so long."""
    pause = time.sleep
    # What divides a request into segments is shorter, and stays.
    monkeypatch.setattr(time, "sleep", lambda seconds: pause(min(seconds, 0.02)))


class Clock:
    """Stands for the module `time`: it stands still but for what sleeps, and for what a test adds."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now += max(0.0, seconds)

    def perf_counter(self) -> float:
        """Return the seconds since some moment."""
        return self.now

    monotonic = time = perf_counter


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the suite, which the test controls; that of all else goes on."""
    made = Clock()
    for name, module in list(sys.modules.items()):
        if name.startswith("conformance.") and getattr(module, "time", None) is time:
            monkeypatch.setattr(module, "time", made)
    return made

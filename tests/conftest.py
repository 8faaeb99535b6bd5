"""Shared fixtures: one reference emulator for the whole test run, as a process of its own."""

import os
import tempfile
from collections.abc import Iterator

import pytest

from conformance.transport.credentials import THROWAWAY
from conformance.transport.embedded import Embedded

# Runs keep the settings that they find in the user's directory for state: that of the tests is their own.
_STATE = tempfile.TemporaryDirectory(prefix="conformance-state-")
os.environ["XDG_STATE_HOME"] = _STATE.name


@pytest.fixture(scope="session")
def emulator_url() -> Iterator[str]:
    """The base URL of a right emulator; whoever writes to it leaves valid settings behind."""
    with Embedded(THROWAWAY) as embedded:
        yield embedded.url()

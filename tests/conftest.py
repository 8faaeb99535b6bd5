"""Shared fixtures: one reference emulator for the whole test run, as a process of its own."""

from collections.abc import Iterator

import pytest

from conformance.credentials import THROWAWAY
from conformance.embedded import Embedded


@pytest.fixture(scope="session")
def emulator_url() -> Iterator[str]:
    """The base URL of a right emulator; whoever writes to it leaves valid settings behind."""
    with Embedded(THROWAWAY) as embedded:
        yield embedded.url()

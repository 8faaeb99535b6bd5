"""Fixtures: the result documents of the hand-made runs."""

from typing import Any

import pytest

from .samples import DOCUMENTS


@pytest.fixture(params=sorted(DOCUMENTS))
def document(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The result document of every hand-made run in turn."""
    return DOCUMENTS[request.param]


@pytest.fixture
def deviating() -> dict[str, Any]:
    """The result document with every verdict and with hostile bytes in every text."""
    return DOCUMENTS["deviating"]


@pytest.fixture
def clean() -> dict[str, Any]:
    """The result document without findings."""
    return DOCUMENTS["clean"]

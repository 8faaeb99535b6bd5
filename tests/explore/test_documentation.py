"""The example in docs/explore.md runs as it stands, and gives what it shows."""

import doctest
from pathlib import Path

import pytest

from conformance.transport.credentials import THROWAWAY
from conformance.transport.embedded import Embedded

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parents[2] / "docs" / "explore.md"


def test_the_library_does_what_the_page_shows() -> None:
    with Embedded(THROWAWAY, variants=["dialect-java"]) as emulator:
        text = PAGE.read_text(encoding="utf-8").replace("http://localhost:4007", emulator.url())
        example = doctest.DocTestParser().get_doctest(text, {}, PAGE.name, str(PAGE), 0)
        result = doctest.DocTestRunner().run(example)
    assert result.attempted > 10
    assert result.failed == 0

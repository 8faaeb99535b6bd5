"""What the schemathesis phase leaves in Hypothesis' cache is what Hypothesis would have found out by itself."""

from pathlib import Path

import pytest
from hypothesis import configuration
from hypothesis.internal import charmap

from conformance.harness.schemathesis_phase import cases

pytestmark = pytest.mark.slow


def test_what_utf_8_can_encode_need_not_be_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(configuration, "__hypothesis_home_directory", tmp_path)
    cases(count=1, seed=0)
    left = list(charmap.charmap_file("codec-v2-utf-8").parent.iterdir())
    assert charmap.charmap_file("codec-v2-utf-8") in left
    charmap.intervals_from_codec.cache_clear()
    known = charmap.intervals_from_codec("utf-8")
    for each in left:
        each.unlink()
    charmap.intervals_from_codec.cache_clear()
    found_out = charmap.intervals_from_codec("utf-8")
    assert [each.intervals for each in known] == [each.intervals for each in found_out]

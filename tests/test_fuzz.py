"""Mutated responses and files: a few hundred of what `benchmarks/fuzz.py` tries by the thousand."""

import random
from pathlib import Path

import fuzz_files
import fuzz_responses
import pytest

from conformance.http import Request

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("request_", "draft"), fuzz_responses.corpus())
def test_a_response_that_was_not_mutated_is_judged_conformant(
    request_: Request, draft: fuzz_responses.Draft
) -> None:
    raw = draft.bytes()
    fuzz_responses.contract(request_, raw)
    with fuzz_responses.Harness() as harness:
        assert harness.judge(request_, raw) == []


def test_no_mutated_response_that_breaks_the_contract_is_judged_conformant() -> None:
    """Nor is one that keeps it judged otherwise, and none brings the suite down."""
    assert list(fuzz_responses.fuzz(500, seed=0)) == []


def _shown(**changed: object) -> bytes:
    return fuzz_responses.Draft(document={**fuzz_responses.SHOWN, **changed}).bytes()


CHUNKED = fuzz_responses.Draft(document=fuzz_responses.SHOWN, framing="chunked").bytes()


@pytest.mark.parametrize(
    ("raw", "rule"),
    [
        (CHUNKED + b"\n", "framing"),
        (CHUNKED + CHUNKED, "framing"),
        (CHUNKED.replace(b"0\r\n\r\n", b"0\r\nX: y\n\n"), "framing"),
        (fuzz_responses.HINTS + _shown() + b"x", "framing"),
        (_shown().replace(b"HTTP/1.1", b"HTTP/2.0"), "framing"),
        (_shown().replace(b"\r\nContent-Length", b"\nContent-Length"), "framing"),
        (_shown().replace(b"\r\n\r\n", b"\r\n\n"), "framing"),
        (_shown().replace(b"\r\nContent-Length", b"\r\n folded\r\nContent-Length"), "framing"),
        (_shown().replace(b"\r\n\r\n", b"\r\nContent-Type: text/html\r\n\r\n"), "media-type"),
        (_shown().replace(b": application", b":\xa0application"), "media-type"),
        (_shown().replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n"), "json-body"),
        (_shown(url="http://127.0.0.1/v1/Confi\nguration"), "resource-url"),
    ],
)
def test_what_fuzzing_has_found_in_responses_is_told(raw: bytes, rule: str) -> None:
    with fuzz_responses.Harness() as harness:
        assert rule in harness.judge(fuzz_responses.GOOD, raw)


def test_every_mutated_file_is_read_or_refused_with_one_line(tmp_path: Path) -> None:
    assert list(fuzz_files.fuzz(300, seed=0, directory=tmp_path)) == []


@pytest.mark.parametrize(
    ("kind", "old", "new"),
    [
        ("result", b'"duration_s": 5.1', b'"duration_s": NaN'),
        ("result", b'"duration_s": 5.1', b'"duration_s": 1e999'),
        ("known", b'reason = "it is so"', b"reason = 2030-01-31"),
        ("known", b'reason = "it is so"', b'reason = "it is so"\nexpires = "2030-01-31"'),
        ("known", b'reason = "it is so"', b'reason = "it is so"\nexpires = "2030-13-99"'),
        ("known", b'reason = "it is so"', b"reason = " + b"[" * 3000),
        ("settings", b"seed = 7", b"seed = " + b"[" * 3000),
        ("settings", b"seed = 7", b"seed = " + b"9" * 5000),
        ("known", b'reason = "it is so"', b"reason = " + b"9" * 5000),
        ("result", b'"rule": "', b'"rule": "' + b"x" * 5000),
        ("settings", b"settle = 0.5", b"settle = 1" + b"0" * 400),
        ("settings", b'profile = "quick"', b'profile = "' + b"x" * 100_000 + b'"'),
        ("settings", b"seed = 7", b'"se\\ned" = 7'),
    ],
)
def test_what_fuzzing_has_found_in_files_is_read_or_refused(
    kind: str, old: bytes, new: bytes, tmp_path: Path
) -> None:
    bench = fuzz_files.Bench(tmp_path)
    raw = bench.good[kind].replace(old, new, 1)
    assert raw != bench.good[kind]
    for seed in range(5):  # with one command and another
        assert bench.check(kind, raw, random.Random(seed)) == ""

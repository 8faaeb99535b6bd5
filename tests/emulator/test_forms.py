"""Decoding of forms, as the URL Standard has it."""

import pytest

from conformance.emulator.forms import decode_form


@pytest.mark.parametrize(
    ("body", "pairs"),
    [
        (b"", []),
        (b"a=b", [("a", "b")]),
        (b"a=b&c=d", [("a", "b"), ("c", "d")]),
        (b"&a=b&&c&", [("a", "b"), ("c", "")]),
        (b"a=b=c", [("a", "b=c")]),
        (b"=", [("", "")]),
        (b"a=1+2%2B3", [("a", "1 2+3")]),
        (b"%61=%62", [("a", "b")]),
        (b"a=%2c%2C", [("a", ",,")]),
        (b"a=%&b=%4&c=%zz", [("a", "%"), ("b", "%4"), ("c", "%zz")]),
        (b"a=%FF", [("a", "\ufffd")]),
        (b"a=\xff", [("a", "\ufffd")]),
        (b"a=\xc3\xa9%C3%A9", [("a", "éé")]),
        (b"a=%F0%9F%98", [("a", "\ufffd")]),
        (b"a=%EF%BB%BFb", [("a", "\ufeffb")]),
        (b"a=%00", [("a", "\0")]),
        (b"a=b;c=d", [("a", "b;c=d")]),
        (b"a=%2541", [("a", "%41")]),
        (b"a=1&a=2", [("a", "1"), ("a", "2")]),
    ],
)
def test_forms_are_decoded_as_the_url_standard_has_it(body: bytes, pairs: list[tuple[str, str]]) -> None:
    assert decode_form(body) == pairs

import json
import re
from email import message_from_bytes
from urllib.parse import parse_qsl

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument

from conformance_strategies import (
    FORM_MEDIA_TYPE,
    PARAMETERS,
    WIRE_CLASSES,
    WireClass,
    WireForm,
    decode_form,
    encode_form,
    wire_forms,
)
from strategies.sampling import minimal, sample

CLASSES = pytest.mark.parametrize("wire_class", WIRE_CLASSES.values(), ids=lambda each: each.name)
#: Texts without lone surrogates, which UTF-8 cannot encode.
TEXTS = st.text(st.characters(codec="utf-8"))


@pytest.mark.slow
@settings(deadline=None)
@given(st.lists(st.tuples(TEXTS, TEXTS)))
def test_encoded_pairs_decode_to_themselves(pairs: list[tuple[str, str]]) -> None:
    encoded = encode_form(pairs)
    assert decode_form(encoded) == tuple(pairs)
    assert re.fullmatch(rb"(?:[0-9A-Za-z*._+&=-]|%[0-9A-F]{2})*", encoded)


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([], b""),
        ([("DefaultInactiveTimer", "PT1M")], b"DefaultInactiveTimer=PT1M"),
        ([("a", "b c"), ("d+e", "f&g=h")], b"a=b+c&d%2Be=f%26g%3Dh"),
        ([("~*-._", "\u00e9\0")], b"%7E*-._=%C3%A9%00"),
    ],
)
def test_the_encoding_is_the_canonical_one(pairs: list[tuple[str, str]], expected: bytes) -> None:
    """Examples worked by hand from the WHATWG URL Standard, 5.2."""
    assert encode_form(pairs) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", ()),
        (b"&&a=b&", (("a", "b"),)),
        (b"a", (("a", ""),)),
        (b"=", (("", ""),)),
        (b"a==b=", (("a", "=b="),)),
        (b"a+b=%2B", (("a b", "+"),)),
        (b"a=%&b=%2&c=%zz", (("a", "%"), ("b", "%2"), ("c", "%zz"))),
        (b"a=%ff\xff", (("a", "\ufffd\ufffd"),)),
        (b"a=%C3%A9\xc3\xa9", (("a", "\u00e9\u00e9"),)),
        (b"a=b;c=d", (("a", "b;c=d"),)),
        (b"\xef\xbb\xbfa=b", (("\ufeffa", "b"),)),
    ],
)
def test_any_bytes_decode_as_the_standard_says(body: bytes, expected: tuple[tuple[str, str], ...]) -> None:
    """Examples worked by hand from the WHATWG URL Standard, 5.1."""
    assert decode_form(body) == expected


@pytest.mark.slow
def test_urllib_decodes_ascii_bodies_in_the_same_way() -> None:
    for form in sample(wire_forms(), 300):
        if form.equivalent_to is not None and form.body.isascii():
            assert tuple(parse_qsl(form.body.decode(), keep_blank_values=True)) == form.equivalent_to


@pytest.mark.slow
@CLASSES
def test_a_form_states_the_pairs_it_is_equivalent_to(wire_class: WireClass) -> None:
    for form in [*wire_class.examples(), *sample(wire_class.strategy(), 20)]:
        media_type = (form.content_type or "").lower().replace(" ", "").replace('"', "")
        is_form = media_type in (FORM_MEDIA_TYPE, f"{FORM_MEDIA_TYPE};charset=utf-8")
        assert form.equivalent_to == (decode_form(form.body) if is_form else None)


@CLASSES
def test_content_types_can_be_sent(wire_class: WireClass) -> None:
    """A header value is visible ASCII and blanks (RFC 9110 5.5)."""
    for form in wire_class.examples():
        assert form.content_type is None or re.fullmatch(r"[ -~]*", form.content_type)


@CLASSES
def test_a_class_has_distinct_examples(wire_class: WireClass) -> None:
    examples = wire_class.examples()
    assert len(set(examples)) == len(examples) >= 1
    assert examples == wire_class.examples()


@pytest.mark.slow
@CLASSES
def test_members_shrink_to_the_first_example(wire_class: WireClass) -> None:
    assert minimal(wire_class.strategy()) == wire_class.examples()[0]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["percent-encoded", "partly-percent-encoded"])
def test_percent_encoding_changes_nothing(name: str) -> None:
    """Every form is one of valid pairs in another spelling than the canonical one."""
    for form in sample(WIRE_CLASSES[name].strategy(), 300):
        assert form.equivalent_to is not None
        assert {each for each, _ in form.equivalent_to} <= set(PARAMETERS)
        assert form.body != encode_form(form.equivalent_to)


@pytest.mark.slow
def test_every_character_occurs_percent_encoded() -> None:
    """Those of names and of values, in upper and lower hexadecimal digits."""
    bodies = b"".join(form.body for form in sample(WIRE_CLASSES["partly-percent-encoded"].strategy(), 500))
    for byte in {*b"DefaultInactiveClosedTimer", *b"PT0123456789M"}:
        assert b"%%%02X" % byte in bodies
        assert b"%%%02x" % byte in bodies


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("percent-encoded", b"DefaultInactiveTimer=%50%54%31%30%4D"),
        ("percent-encoded", b"DefaultInactiveTimer=%50%54%31%30%4d"),
        ("plus-sign", b"DefaultInactiveTimer=P+T10M"),
        ("plus-sign", b"DefaultInactiveTimer=%2BPT10M"),
        ("repeated-same-value", b"DefaultInactiveTimer=PT10M&DefaultInactiveTimer=PT10M"),
        ("repeated-different-values", b"DefaultInactiveTimer=PT10M&DefaultInactiveTimer=PT999M"),
        ("repeated-valid-and-invalid", b"DefaultInactiveTimer=PT10M&DefaultInactiveTimer=banana"),
        ("repeated-valid-and-invalid", b"DefaultInactiveTimer=banana&DefaultInactiveTimer=PT10M"),
        ("unknown-alone", b"Unknown=1"),
        ("name-in-other-case", b"defaultinactivetimer=PT10M"),
        ("name-in-other-case", b"Default_Inactive_Timer=banana"),
        ("name-in-other-case", b"default_inactive_timer=PT10M"),
        ("name-with-brackets", b"DefaultInactiveTimer%5B%5D=PT10M"),
        ("empty-body", b""),
        ("empty-pairs", b"&DefaultInactiveTimer=PT10M"),
        ("empty-pairs", b"DefaultInactiveTimer=PT10M&&DefaultClosedTimer=PT1000M"),
        ("no-name", b"="),
        ("no-name", b"=PT10M"),
        ("no-equals-sign", b"DefaultInactiveTimer"),
        ("broken-escape", b"DefaultInactiveTimer=PT10M%"),
        ("broken-escape", b"DefaultInactiveTimer=PT10M%2"),
        ("broken-escape", b"DefaultInactiveTimer=PT10M%zz"),
        ("escaped-invalid-utf-8", b"DefaultInactiveTimer=PT10M%FF"),
        ("escaped-invalid-utf-8", b"DefaultInactiveTimer=%ED%A0%80PT10M"),
        ("raw-invalid-utf-8", b"DefaultInactiveTimer=P\xffT10M"),
        ("nul", b"DefaultInactiveTimer=PT10M%00"),
        ("semicolon-separator", b"DefaultInactiveTimer=PT10M;DefaultClosedTimer=PT1000M"),
    ],
)
def test_an_obvious_body_is_an_example(name: str, body: bytes) -> None:
    assert body in {form.body for form in WIRE_CLASSES[name].examples()}


def test_large_examples_have_the_stated_sizes() -> None:
    values = [
        len(form.equivalent_to[0][1]) for form in WIRE_CLASSES["large-value"].examples() if form.equivalent_to
    ]
    assert {1024, 64 * 1024, 1024 * 1024} <= set(values)
    pairs = [
        len(form.equivalent_to) for form in WIRE_CLASSES["many-parameters"].examples() if form.equivalent_to
    ]
    assert (pairs.count(1000), pairs.count(1100)) == (2, 1)


def test_a_large_form_has_a_legible_repr() -> None:
    assert len(repr(WIRE_CLASSES["large-value"].examples()[2])) < 200


def test_json_and_multipart_bodies_contain_the_pairs() -> None:
    form = WIRE_CLASSES["json-body"].examples()[0]
    assert (json.loads(form.body), form.content_type) == (
        {"DefaultInactiveTimer": "PT10M"},
        "application/json",
    )
    form = WIRE_CLASSES["multipart-body"].examples()[0]
    whole = message_from_bytes(f"Content-Type: {form.content_type}\r\n\r\n".encode() + form.body)
    parts = [part for part in whole.walk() if not part.is_multipart()]
    assert [part.get_param("name", header="content-disposition") for part in parts] == [
        "DefaultInactiveTimer"
    ]
    assert [part.get_payload() for part in parts] == ["PT10M"]


@pytest.mark.slow
def test_media_types_of_every_kind_occur() -> None:
    drawn = {form.content_type for form in sample(wire_forms(), 1000)}
    assert {None, FORM_MEDIA_TYPE, "text/plain", "application/json", "garbage", ""} <= drawn


def test_class_names_are_their_keys_in_kebab_case_with_one_line_reasons() -> None:
    for name, wire_class in WIRE_CLASSES.items():
        assert wire_class.name == name
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name)
        assert re.fullmatch(r".+", wire_class.reason)


def test_every_group_has_a_class() -> None:
    groups = {each.group for each in WIRE_CLASSES.values()}
    assert groups == {
        "encoding", "repeated", "unknown", "empty-pairs", "escapes", "invalid-utf-8", "nul", "size",
        "media-type", "other-media-type"
    }  # fmt: skip


@pytest.mark.parametrize("classes", [[], "nul", ["none"], 3])
def test_wrong_arguments_raise_at_once(classes: object) -> None:
    with pytest.raises(InvalidArgument):
        wire_forms(classes=classes)  # type: ignore[arg-type]  # wrong on purpose


def test_the_repr_is_the_call() -> None:
    assert repr(wire_forms()) == "wire_forms()"
    assert repr(WIRE_CLASSES["nul"].strategy()) == "wire_forms(classes=('nul',))"


@pytest.mark.slow
def test_wire_forms_shrink_to_an_example() -> None:
    assert minimal(wire_forms()) == WIRE_CLASSES["percent-encoded"].examples()[0]
    assert minimal(wire_forms(), lambda form: b"\0" in form.body).body == b"DefaultInactiveTimer=PT10M\0"


@pytest.mark.slow
def test_the_same_seed_draws_the_same_values() -> None:
    assert sample(wire_forms()) == sample(wire_forms())
    assert isinstance(sample(wire_forms(), 1)[0], WireForm)

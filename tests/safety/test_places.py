"""Tests of the places that URLs lead to: two names of one target are known to be one."""

import pytest

from conformance.safety.places import places


def together(*urls_and_addresses: tuple[str, tuple[str, ...]]) -> bool:
    """Whether all of them have a place in common."""
    return bool(set.intersection(*(set(places(*each)) for each in urls_and_addresses)))


HERE = [
    ("http://127.0.0.1:4007", ()),
    ("http://localhost:4007/", ("::1", "127.0.0.1")),
    ("http://localhost.:4007", ()),
    ("http://LOCALHOST:4007", ()),
    ("http://emulator.localhost:4007", ()),
    ("http://[::1]:4007", ("::1",)),
    ("http://[::ffff:127.0.0.1]:4007", ()),
    ("http://127.1:4007", ("127.0.0.1",)),
    ("http://0.0.0.0:4007", ("0.0.0.0",)),  # noqa: S104  # an address to send to
    ("https://alias.test:4007", ("127.0.0.1",)),
]


@pytest.mark.parametrize("other", HERE, ids=[url for url, _ in HERE])
def test_all_names_of_this_machine_are_one_place(other: tuple[str, tuple[str, ...]]) -> None:
    assert together(HERE[0], other)


def test_so_are_all_names_of_a_private_address() -> None:
    assert together(("http://a.test:80/x", ("10.9.8.7", "fd00::7")), ("http://b.test/x/", ("10.9.8.7",)))


def test_spellings_of_a_path_are_one() -> None:
    first, *others = ("http://10.0.0.1/a/b", "http://10.0.0.1//a/./b/", "http://10.0.0.1/%61/b")
    assert all(together((first, ()), (other, ())) for other in others)


@pytest.mark.parametrize(
    "other",
    [
        ("http://127.0.0.1:4008", ()),
        ("http://127.0.0.1:4007/v2", ()),
        ("http://10.9.8.7:4007", ("10.9.8.7",)),
        ("http://public.test:4007", ("8.8.8.8",)),
    ],
)
def test_another_port_path_or_machine_is_another_place(other: tuple[str, tuple[str, ...]]) -> None:
    assert not together(HERE[0], other)


def test_public_names_that_share_addresses_are_not_one_place() -> None:
    assert not together(("https://a.test", ("8.8.8.8",)), ("https://b.test", ("8.8.8.8",)))
    assert together(("https://a.test.", ("8.8.8.8",)), ("https://A.test:443", ("9.9.9.9",)))

"""A document is read from the web as it is, or there is an error that says why not."""

from contextlib import AbstractContextManager

import pytest
from server_side import Connection, Hostile

from conformance.transport import download
from conformance.transport.download import download as downloaded

pytestmark = pytest.mark.slow


def serving(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> AbstractContextManager[Hostile]:
    def play(connection: Connection) -> None:
        for _ in connection.requests():
            connection.answer(body, *headers, status=status)

    return Hostile(play)


def test_it_is_what_the_server_has() -> None:
    with serving(b"{}") as server:
        assert downloaded(f"{server.url}/openapi.json") == b"{}"
        (request,) = server.received
    assert request.startswith(b"GET /openapi.json HTTP/1.1\r\n")
    assert b"authorization" not in request.lower()


@pytest.mark.parametrize("status", [b"404 Not Found", b"302 Found"])
def test_another_status_is_an_error_and_a_redirect_is_not_followed(status: bytes) -> None:
    with serving(b"{}", b"Location: /elsewhere", status=status) as server:
        with pytest.raises(OSError, match=f"^status {status[:3].decode()}$"):
            downloaded(server.url)
        assert len(server.received) == 1


def test_a_document_that_is_too_large_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "_LARGEST", 1_000)
    with serving(b"x" * 1_001) as server, pytest.raises(OSError, match=r"^it has more than 1,000 bytes$"):
        downloaded(server.url)


def test_a_server_that_is_not_there_is_an_error() -> None:
    with serving(b"") as server:
        url = server.url
    with pytest.raises(OSError, match=r"."):
        downloaded(url)


@pytest.mark.parametrize("text", ["ftp://127.0.0.1/openapi.json", "openapi.json", "http://caf\u00e9/"])
def test_a_text_that_is_no_address_of_the_web(text: str) -> None:
    with pytest.raises(ValueError, match=r"^no address of the web: "):
        downloaded(text)

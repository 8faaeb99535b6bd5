"""The emulator's requests, answers and errors, independent of any server's types."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

JSON = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Arrival:
    """What an altered emulator also knows of a request: how it came over its connection.

    Attributes:
        version: The version of HTTP in its request line.
        absolute: Whether its target has the absolute form (RFC 9112 3.2.2).
        pipelined: Whether it was there before the answer to the request before it.
        received: Gives its first 64 KiB as they came; nothing where it came over no connection.
        segments: Gives the number of pieces in which it has come up to now; 1 where it came over no connection.
    """

    version: str = "1.1"
    absolute: bool = False
    pipelined: bool = False
    received: Callable[[], bytes] = bytes
    segments: Callable[[], int] = lambda: 1


@dataclass(frozen=True, slots=True)
class Call:
    """One request, with its whole body."""

    method: str
    path: str
    query: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    base_url: str
    client: tuple[str, int] | None
    arrival: Arrival = field(default=Arrival(), compare=False)

    def header(self, name: bytes) -> str | None:
        """Return a field's value, several lines joined by commas (RFC 9110 5.2), or None without any.

        Args:
            name: The field's name in lower case.
        """
        values = [value for key, value in self.headers if key == name]
        return b", ".join(values).decode("latin-1") if values else None


@dataclass(frozen=True, slots=True)
class Answer:
    """One response. Content-Length is added when it is sent, unless the body goes out chunked."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    chunked: bool = False
    # The name of a treatment of the bytes on the connection (see `wire`); empty for none.
    wire: str = ""


class ApiError(Exception):
    """A request is answered with an error: a status, a code of the vendor's error dictionary, a message."""

    def __init__(self, status: int, code: int, message: str, *headers: tuple[str, str]) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers

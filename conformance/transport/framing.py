"""Finds what is wrong with the framing of an answer that could be read all the same."""

import re
import socket
import ssl
from collections.abc import Mapping

import httpcore

from conformance.transport.connections import Watch

_HEADS = re.compile(
    rb"(HTTP/1\.[01] [0-9]{3}( [\t -~\x80-\xff]*)?\r\n([!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t -~\x80-\xff]*\r\n)*\r\n)+"
)
"""
Any interim responses and the head of the final one (RFC 9112 4 and 5).

The blank before an absent reason phrase may be missing, as many servers leave it off.
"""

_LATER = 5
"""How long a body that must not be there is waited for, in multiples of the time that the head took."""


def misframing(answer: httpcore.Response, method: bytes, watch: Watch) -> str:
    """Return the fault in how an answer is framed that was read to its end, for a person; empty where there is none."""
    headers = {name.lower(): value for name, value in answer.headers}
    if not watch.received:
        return "the answer came before its request was sent, after the end of the previous one"
    if b"transfer-encoding" in headers and b"content-length" in headers:
        return "Content-Length beside Transfer-Encoding (RFC 9112 6.2)"
    end = _end_of_head(watch.beginning)
    if end == 0 and watch.received > len(watch.beginning):
        return ""  # the head is longer than the bytes that are kept
    if not _HEADS.fullmatch(watch.beginning, 0, end):
        return "a status or header line is not spelled as RFC 9112 4 and 5 have it"
    try:
        extra = _surplus(answer, method, headers, watch, end)
    except ValueError:
        return "the chunks are not spelled as RFC 9112 7.1 has it"
    if extra > 0:
        # A client would take the bytes that follow for the next answer, so the connection is not used again.
        answer.extensions["network_stream"].close()
        return f"{extra} or more bytes follow the end of the answer"
    return ""


def _end_of_head(data: bytes) -> int:
    """Return the position behind the head of the final response, which follows any interim ones; 0 without one."""
    end = 0
    while True:
        interim = data[end + 9 : end + 10] == b"1"
        end = data.find(b"\r\n\r\n", end) + 4
        if end < 4:
            return 0
        if not interim:
            return end


def _surplus(
    answer: httpcore.Response, method: bytes, headers: Mapping[bytes, bytes], watch: Watch, end: int
) -> int:
    """Return the number of bytes that came after the end of a response (RFC 9112 6.3); 0 where the end is not known."""
    if method == b"HEAD" or answer.status in (204, 304):
        return watch.received - end or _waiting(
            # A body that must not be there may come a moment later, by the pace at which the head came.
            answer.extensions["network_stream"].get_extra_info("socket"),
            min(0.1, _LATER * watch.taken()) if method == b"HEAD" else 0.0,
        )
    if b"content-length" in headers:
        return watch.received - end - int(headers[b"content-length"])
    if b"transfer-encoding" in headers and watch.received == len(watch.beginning):
        return watch.received - _end_of_chunks(watch.beginning, end)
    return 0


def _end_of_chunks(data: bytes, position: int) -> int:
    """
    Return the position behind a chunked body (RFC 9112 7.1) that begins at a position of a whole answer.

    Raises:
        ValueError: The chunks are not spelled as the RFC has it; a lenient recipient may still have read them.
    """
    while True:
        start = data.index(b"\n", position) + 1
        size = int(data[position:start].partition(b";")[0], 16)
        if size == 0:
            # The search begins at the end of the last chunk's line: without trailers the empty line follows at once.
            return data.index(b"\r\n\r\n", start - 2) + 4
        position = start + size + 2


def _waiting(connection: socket.socket, timeout: float) -> int:
    """Return 1 where a byte can be read within `timeout` seconds, and else 0; the byte stays unread."""
    if isinstance(connection, ssl.SSLSocket):  # nothing can be read from it and left there
        return 0
    try:
        connection.settimeout(timeout)
        return len(connection.recv(1, socket.MSG_PEEK))
    except OSError:  # no byte came in time, or the connection is closed
        return 0

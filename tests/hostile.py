"""
Servers on loopback that are hostile or unusual. A play is the behaviour of a server on one connection.

`with Hostile("reset") as server:` plays on a port of its own at `server.url`;
`python tests/hostile.py reset` does so until it is interrupted, and `--list` names the plays.
"""

import argparse
import base64
import contextlib
import functools
import re
import socket
import threading
import time
import zlib

from server_side import GOOD, PLAYS, Connection, Hostile, Play

__all__ = [
    "BROTLI_BOMB",
    "GOOD",
    "PLAYS",
    "Connection",
    "Hostile",
    "Play",
    "bomb",
    "play",
    "tunnel",
    "verbatim",
]


def play(function: Play) -> Play:
    """Enter a play under its name, with dashes."""
    PLAYS[function.__name__.replace("_", "-")] = function
    return function


def _answers(name: str, body: bytes = GOOD, *headers: bytes, status: bytes = b"200 OK") -> None:
    """Enter a play that gives every request the same well-framed answer."""

    def every(connection: Connection) -> None:
        for _ in connection.requests():
            connection.answer(body, *headers, status=status)

    PLAYS[name] = every


def _sends(name: str, *parts: bytes, then_wait: bool = False) -> None:
    """Enter a play that answers one request with these bytes, and then closes or waits."""

    def once(connection: Connection) -> None:
        next(connection.requests())
        connection.send(*parts)
        if then_wait:
            connection.wait()

    PLAYS[name] = once


def _gzip(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    return packer.compress(data) + packer.flush()


BROTLI_BOMB = base64.b64decode(
    "y///PwAkAOKxQHLv//j//weABEAcFoDu/R////8AkACIwwLQvf/j//8fABIAcVgAuvd//P//A0ACIA4LQPf+j///fwBIAMRh"
    "Aeje//H//w8ACYA4LADd+z/+//8BIAEQhwWge//H//8/ACQA4rAAdO//+P//B4AEQBwWgO79H////wCQAIjDAtC9/8t/8DoA"
    "EgBxWAC62HU="
)
"""A hundred million zeros in 152 bytes."""

_ESCAPE = rb"\u001b]0;owned\u0007\u001b[2J\u202e\u0000"
"""In JSON: set the title of the terminal, clear it, write from right to left, NUL."""

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

# Well framed, with something odd inside.

_answers("good")
_answers("brotli", b"\x0b\x02\x80{}\x03", b"Content-Encoding: br")
_answers("gzip", _gzip(GOOD), b"Content-Encoding: gzip")
_answers("gzip-in-two-members", _gzip(GOOD[:100]) + _gzip(GOOD[100:]), b"Content-Encoding: gzip")
_answers("gzip-and-more", _gzip(GOOD) + b"more", b"Content-Encoding: gzip")
_answers("many-gzip-members", _gzip(b" ") * 40_000, b"Content-Encoding: gzip")
_answers("brotli-bomb", BROTLI_BOMB, b"Content-Encoding: br")
_answers("broken-gzip", _gzip(GOOD)[:-12], b"Content-Encoding: gzip")
_answers("not-gzip", GOOD, b"Content-Encoding: gzip")
_answers("invalid-json", b'{"account_sid": ')
_answers("invalid-utf8", GOOD.replace(b"PT1M", b"\xff\xfe\xc3\x28"))
_answers("huge-json", b'{"pad": "' + b"x" * 900_000 + b'"}')
_answers("deep-nesting", b"[" * 200_000 + b"]" * 200_000)
_answers("million-digits", b'{"status": ' + b"9" * 1_000_000 + b"}")
_answers("many-numbers", b"[" + b"1e9," * 250_000 + b"1]")
_answers("huge-values", GOOD.replace(b"PT1M", b"PT" + b"1" * 900_000 + b"M"))
_answers("escapes-in-values", GOOD.replace(b"PT10M", _ESCAPE).replace(b"http:", _ESCAPE))
_answers(
    "escapes-in-names", GOOD.replace(b"{", b'{"' + _ESCAPE + b'": 1, "links": {"' + _ESCAPE + b'": 2}, ')
)
_answers("escapes-in-media-type", GOOD, b"Content-Type: \x1b[31mtext/html\x1b]0;owned\x07")
_answers("escapes-in-a-refusal", GOOD.replace(b"PT1M", _ESCAPE), status=b"400 Bad Request")
_answers("duplicate-keys", b'{"url": "a", "url": "b"}')
_answers("terminal-escapes", b'"\x1b]0;owned\x07\x1b[2J\x00"', b"X-Escape: \x1b[31mred\x1b]8;;http://x\x07")
_answers("redirect", b"", b"Location: http://127.0.0.1:9/elsewhere", status=b"302 Found")
_answers("redirect-with-escapes", b"", b"Location: http://\x1b[2J/\xe2\x80\xae", status=b"302 Found")
_answers("header-flood", GOOD, *(b"X-%d: %d" % (n, n) for n in range(5_000)))
_answers("huge-header", GOOD, b"X-Huge: " + b"x" * 90_000)
_answers("status-999", status=b"999 Odd")
_answers("no-content", b"", status=b"204 No Content")
_answers("cookie", GOOD, b"Set-Cookie: session=1; Path=/")
_answers("rate-limited", b"", b"Retry-After: 0", status=b"429 Too Many Requests")
_answers("rate-limited-for-an-hour", b"", b"Retry-After: 3600", status=b"429 Too Many Requests")
_answers("unavailable", b"", b"Retry-After: 0", status=b"503 Service Unavailable")
_answers("failing", b"", status=b"503 Service Unavailable")

# Framed wrongly, or not HTTP at all.

_answers("content-length-short", GOOD, b"Content-Length: 10")
_sends("content-length-long", _HEAD, b"Content-Length: 9999\r\n\r\n", GOOD)
_sends("content-length-too-long-to-count", _HEAD, b"Content-Length: ", b"9" * 5000, b"\r\n\r\n", GOOD)
_sends("content-length-negative", _HEAD, b"Content-Length: -1\r\n\r\n", GOOD)
_sends("content-length-twice", _HEAD, b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n", GOOD)
_sends("invalid-chunking", _HEAD, b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", GOOD)
_sends("chunk-too-long", _HEAD, b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}garbage\r\n0\r\n\r\n")
_sends("unknown-transfer-coding", _HEAD, b"Transfer-Encoding: zstd\r\n\r\n", GOOD)
_sends("chunk-of-sixteen-exabytes", _HEAD, b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n", GOOD)
_sends("length-and-chunked", _HEAD, b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
_sends("answers-twice", *(2 * (_HEAD, b"Content-Length: %d\r\n\r\n" % len(GOOD), GOOD)))
_sends("blank-lines-first", b"\r\n" * 5, _HEAD, b"Content-Length: 2\r\n\r\n{}")
_sends("folded-header", _HEAD, b"X-A: 1\r\n  \x1b[2J\r\nContent-Length: 2\r\n\r\n{}")
_sends("escapes-in-the-reason", _HEAD.replace(b"OK", b"\x1b]0;owned\x07"), b"Content-Length: 2\r\n\r\n{}")
_sends("status-000", b"HTTP/1.1 000 Nothing\r\nContent-Length: 0\r\n\r\n")
_sends("status-1000", b"HTTP/1.1 1000 Much\r\nContent-Length: 0\r\n\r\n")
_sends("http-2", b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x80", then_wait=True)
_sends("invalid-status-line", b"HTTP/1.1 abc Fine\r\n\r\n")
_sends("header-injection", _HEAD, b"X-A: 1\rX-B: 2\r\n\r\n", GOOD)
_sends("header-without-name", _HEAD, b": nothing\r\n\r\n", GOOD)
_sends("nul-in-header", _HEAD, b"X-A: \x00\r\n\r\n", GOOD)
_sends(
    "upgrade",
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    then_wait=True,
)
_sends(
    "switched-to-websocket",
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    b"\x81\x05hello" * 1000,
    then_wait=True,
)
_sends("head-then-silence", _HEAD, b"Content-Len", then_wait=True)
_sends("body-then-silence", _HEAD, b"Content-Length: 1000\r\n\r\n{", then_wait=True)
_sends("tls-alert", b"\x15\x03\x01\x00\x02\x02\x46")
_sends("http-0.9", GOOD)
_sends("http-1.0", _HEAD.replace(b"1.1", b"1.0"), b"\r\n", GOOD)
_sends("early-hints", b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n", _HEAD, b"Content-Length: 2\r\n\r\n{}")
_sends("midway", _HEAD, b"Transfer-Encoding: chunked\r\n\r\n5\r\n{", b"")
_sends("empty-reply")


@play
def banner(connection: Connection) -> None:
    """An SSH server: it speaks first, and does not like what it hears."""
    connection.send(b"SSH-2.0-OpenSSH_9.6\r\n")
    connection.stream.recv(1 << 16)


@play
def endless_body(connection: Connection) -> None:
    next(connection.requests())
    connection.send(_HEAD, b"\r\n")
    while True:
        connection.send(b" " * 65536)


@play
def endless_headers(connection: Connection) -> None:
    next(connection.requests())
    connection.send(_HEAD)
    while True:
        connection.send(b"X-More: and more\r\n" * 1000)


@play
def endless_status_line(connection: Connection) -> None:
    next(connection.requests())
    connection.send(b"HTTP/1.1 200 ")
    while True:
        connection.send(b"OK" * 10_000)


@play
def interim_flood(connection: Connection) -> None:
    next(connection.requests())
    while True:
        connection.send(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)


def _floods(name: str, head: bytes, block: bytes) -> None:
    """Enter a play that begins an answer and goes on with a block for ever."""

    def flood(connection: Connection) -> None:
        next(connection.requests())
        connection.send(head)
        while True:
            connection.send(block * 1000)

    PLAYS[name] = flood


_CHUNKED = _HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
_floods("endless-chunks", _CHUNKED, b"1000\r\n" + b" " * 4096 + b"\r\n")
_floods("one-byte-chunks", _CHUNKED, b"1\r\n \r\n")
_floods("endless-chunk-extension", _CHUNKED + b"1;", b"x")
_floods("endless-trailers", _CHUNKED + b"0\r\n", b"X-More: and more\r\n")


@play
def hundred_megabytes(connection: Connection) -> None:
    """A JSON object that is well formed and well framed, and has a hundred million bytes."""
    for _ in connection.requests():
        connection.send(_HEAD, b"Content-Length: 100000000\r\n\r\n", b'{"pad": "')
        for _ in range(99):
            connection.send(b"x" * 1_000_000)
        connection.send(b"x" * (1_000_000 - 11), b'"}')


@play
def answers_twice_in_chunks(connection: Connection) -> None:
    """Leaves a second answer for the next request to find."""
    for _ in connection.requests():
        connection.send(2 * (_CHUNKED + b"%x\r\n%s\r\n0\r\n\r\n" % (len(GOOD), GOOD)))


@play
def interim_drip(connection: Connection) -> None:
    """One interim response after the other, and never the final one."""
    next(connection.requests())
    while True:
        connection.send(b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n")
        time.sleep(0.1)


@play
def tls_drip(connection: Connection) -> None:
    """The beginning of a TLS handshake, one byte at a time."""
    connection.stream.recv(1)
    for byte in b"\x16\x03\x03\x3f\xff\x02\x00\x3f\xfb" + bytes(1_000):
        connection.send(bytes([byte]))
        time.sleep(0.1)


@play
def speaks_first(connection: Connection) -> None:
    """Answers before a request comes, and never again."""
    connection.answer()
    connection.wait()


@play
def refuses_unread(connection: Connection) -> None:
    """Answers and closes without reading the request, so that its writing may fail."""
    connection.answer(b"{}", b"Connection: close", status=b"413 Content Too Large")


@play
def drip(connection: Connection) -> None:
    """One byte at a time, each soon enough to count as a sign of life."""
    next(connection.requests())
    for byte in _HEAD + b"Content-Length: 100000\r\n\r\n" + b" " * 100_000:
        connection.send(bytes([byte]))
        time.sleep(0.1)


@play
def drip_body(connection: Connection) -> None:
    next(connection.requests())
    connection.send(_HEAD, b"Content-Length: 100000\r\n\r\n")
    for _ in range(100_000):
        connection.send(b" ")
        time.sleep(0.1)


@functools.cache
def bomb() -> bytes:
    """A hundred million bytes in a hundred thousand; it takes a while to pack."""
    return _gzip(bytes(100_000_000))


@play
def gzip_bomb(connection: Connection) -> None:
    for _ in connection.requests():
        connection.answer(bomb(), b"Content-Encoding: gzip")


@play
def two_segments(connection: Connection) -> None:
    """Writes head and body apart, as many small servers do."""
    for _ in connection.requests():
        connection.send(_HEAD, b"Content-Length: %d\r\n\r\n" % len(GOOD))
        connection.send(GOOD)


@play
def body_to_head(connection: Connection) -> None:
    """Answers HEAD with a body, in a segment of its own."""
    connection.stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for _ in connection.requests():
        connection.send(_HEAD, b"Content-Length: %d\r\n\r\n" % len(GOOD))
        connection.send(GOOD)


@play
def half_close(connection: Connection) -> None:
    """Ends its side of the connection without an answer, and goes on reading."""
    next(connection.requests())
    connection.stream.shutdown(socket.SHUT_WR)
    connection.wait()


@play
def reset(connection: Connection) -> None:
    next(connection.requests())
    connection.reset()


@play
def reset_midway(connection: Connection) -> None:
    next(connection.requests())
    connection.send(_HEAD, b"Content-Length: 1000\r\n\r\n{")
    time.sleep(0.05)
    connection.reset()


@play
def silent(connection: Connection) -> None:
    """Accepts, reads, never answers."""
    connection.wait()


@play
def deaf(connection: Connection) -> None:
    """Accepts, never reads, never answers."""
    connection.server.stopped.wait()


@play
def closed_silently(connection: Connection) -> None:
    """Closes the connection after each answer and does not say so."""
    next(connection.requests())
    connection.answer()


@play
def closed_in_words(connection: Connection) -> None:
    """Says in its first answer that it closes the connection, and leaves that to the client."""
    next(connection.requests())
    connection.answer(GOOD, b"Connection: close")
    connection.wait()


@play
def continues_for_ever(connection: Connection) -> None:
    """Asks for the rest of the request, and says nothing more."""
    next(connection.requests())
    connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
    connection.wait()


def verbatim(connection: Connection) -> None:
    """Not hostile: answers the first request, or the first after reads, however it is framed."""
    came = b""
    while not _is_whole(came) and (more := connection.stream.recv(1 << 16)):
        came += more
    connection.server.received.append(came)
    connection.answer(GOOD, b"Connection: close")


def _is_whole(came: bytes) -> bool:
    head, gap, body = came.partition(b"\r\n\r\n")
    if head.startswith(b"GET "):
        return _is_whole(body)
    if b"chunked" in head.lower():
        return re.search(rb"\r\n0+\r\n([^\r\n]+\r\n)*\r\n\Z", body) is not None
    length = re.search(rb"(?i)content-length: ([0-9]+)", head)
    return bool(gap) and len(body) >= int(length[1] if length else 0)


@play
def closed_on_reuse(connection: Connection) -> None:
    """Closes the connection when a second request comes, with no answer."""
    requests = connection.requests()
    next(requests)
    connection.answer()
    next(requests, None)


@play
def timed_out_on_reuse(connection: Connection) -> None:
    """Answers the second request of a connection as if it had come too late."""
    requests = connection.requests()
    next(requests)
    connection.answer()
    if next(requests, None):
        connection.answer(b"{}", b"Connection: close", status=b"408 Request Timeout")


@play
def hangs_on_reuse(connection: Connection) -> None:
    requests = connection.requests()
    next(requests)
    connection.answer()
    connection.wait()


@play
def rate_limited_at_first(connection: Connection) -> None:
    """429 to the first four requests: Retry-After in seconds, as a date in the past, left out, and as nonsense."""
    waits = (
        b"Retry-After: 0",
        b"Retry-After: Fri, 31 Dec 1999 23:59:59 GMT",
        b"X-None: 0",
        b"Retry-After: 1 Jan " + b"9" * 30,
    )
    for _ in connection.requests():
        turn = len(connection.server.received)
        if turn <= len(waits):
            connection.answer(b"", waits[turn - 1], status=b"429 Too Many Requests")
        else:
            connection.answer()


@play
def echo(connection: Connection) -> None:
    """Answers with the request as it came, as JSON text."""
    for request in connection.requests():
        connection.answer(request)


def tunnel(connection: Connection) -> None:
    """A proxy, not hostile at all: connects to whatever it is asked for, and passes everything on."""
    authority = next(connection.requests()).split()[1].decode()
    host, _, port = authority.rpartition(":")
    with socket.create_connection((host, int(port))) as upstream:
        connection.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
        threading.Thread(target=_pass_on, args=(upstream, connection.stream), daemon=True).start()
        _pass_on(connection.stream, upstream)


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            sink.sendall(data)


def main() -> None:
    """Play until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("play", nargs="?", default="good", choices=sorted(PLAYS), metavar="PLAY")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--list", action="store_true", help="name the plays")
    arguments = parser.parse_args()
    if arguments.list:
        print("\n".join(sorted(PLAYS)))
        return
    with Hostile(arguments.play, port=arguments.port) as server, contextlib.suppress(KeyboardInterrupt):
        print(server.url, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()

"""
Takes targets away in the middle of runs, each in a manner of its own, and checks that none is accused of it.

    python benchmarks/gone.py [--targets 100] [--seed 0]

A right emulator answers until a random request. From then on a server before it answers in one of many manners: it
refuses the credentials, has moved, takes no updates, is out of service, or is another server. Whatever a run finds then
is a false accusation: each must end without a finding and with exit status 3, or with 0 where it had sent everything.
The exit status is 1 where one does not.
"""

import argparse
import base64
import random
import re
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from between import Ask, between
from click.testing import CliRunner

from conformance.cli import main as command
from conformance.reporting import load
from conformance.transport.credentials import THROWAWAY
from conformance.transport.embedded import Embedded

JSON = "Content-Type: application/json"

Manner = Callable[[bytes, Ask], bytes | None]
"""Answers a request, given as bytes, in place of the emulator; None to close the connection."""


def answer(status: str, body: bytes = b"", *headers: str) -> bytes:
    """Return the bytes of an answer."""
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def always(status: str, body: bytes = b"", *headers: str) -> Manner:
    """Answer every request alike."""
    return lambda request, ask: answer(status, b"" if request.startswith(b"HEAD ") else body, *headers)


def no_updates(status: str) -> Manner:
    """Refuse updates, and go on serving reads."""
    return lambda request, ask: answer(status) if request.startswith(b"POST ") else ask()


def shut_out(account: int, status: str) -> Manner:
    """Refuse one of the accounts, and go on serving the other."""
    name = f"{THROWAWAY[account].user}:".encode()

    def answering(request: bytes, ask: Ask) -> bytes:
        sent = re.search(rb"(?i)authorization: basic ([A-Za-z0-9+/=]+)", request)
        is_shut_out = sent is not None and base64.b64decode(sent[1] + b"==").startswith(name)
        return answer(status, b"{}", JSON, 'WWW-Authenticate: Basic realm="x"') if is_shut_out else ask()

    return answering


def frozen(request: bytes, ask: Ask) -> bytes:
    """Accept what comes, and show the same settings whatever it was."""
    settings = '"default_inactive_timer": "PT1M", "default_closed_timer": "PT10M"'
    body = f'{{"account_sid": "{THROWAWAY[0].sid}", {settings}}}'.encode()
    return ask() if request.startswith(b"HEAD ") else answer("200 OK", body, JSON)


def another_account(request: bytes, ask: Ask) -> bytes:
    """Answer as for another account."""
    name = (THROWAWAY[0].sid or "").encode()
    return ask().replace(name, b"AC" + b"5" * 32)


MANNERS: Mapping[str, Manner] = {
    "revoked": always("401 Unauthorized", b'{"code": 20003}', JSON, 'WWW-Authenticate: Basic realm="x"'),
    "forbidden": always("403 Forbidden", b'{"code": 20403}', JSON),
    "not found": always("404 Not Found", b"<html>no</html>", "Content-Type: text/html"),
    "gone": always("410 Gone"),
    "refuses all": always("400 Bad Request", b"{}", JSON),
    "too many forever": always("429 Too Many Requests"),
    "bad gateway": always("502 Bad Gateway", b"<html>bad</html>", "Content-Type: text/html"),
    "unavailable": always("503 Service Unavailable"),
    "unavailable for an hour": always("503 Service Unavailable", b"", "Retry-After: 3600"),
    "gateway timeout": always("504 Gateway Timeout"),
    "moved": always("301 Moved Permanently", b"", "Location: https://elsewhere.test/"),
    "login": always("302 Found", b"", "Location: /login"),
    "page": always("200 OK", b"<!doctype html><title>hello</title>", "Content-Type: text/html"),
    "another service": always("200 OK", b'{"status": "ok"}', JSON),
    "empty": always("204 No Content"),
    "another account": another_account,
    "revoked for one account": shut_out(1, "401 Unauthorized"),
    "suspended for one account": shut_out(1, "403 Forbidden"),
    "frozen": frozen,
    "half a head": lambda request, ask: b"HTTP/1.1 200 OK\r\nContent-Ty",
    "no updates, 403": no_updates("403 Forbidden"),
    "no updates, 405": no_updates("405 Method Not Allowed"),
    "no updates, 503": no_updates("503 Service Unavailable"),
    "closes": lambda request, ask: None,
    "not HTTP": lambda request, ask: b"220 mail.test ESMTP\r\n",
    "dies": lambda request, ask: (
        None
    ),  # and takes no connection any more, as if it had crashed of this request
    "hangs": lambda request, ask: time.sleep(3),  # the manner itself: longer than the run waits
}


def wrong(url: str, name: str, since: int, seed: int) -> list[str]:
    """Take one target away, and return what is wrong about the run."""

    def play(number: int, request: bytes, ask: Ask) -> bytes | None:
        if number < since:
            return ask()
        if name == "dies":
            server.stop()
        return MANNERS[name](request, ask)

    with tempfile.TemporaryDirectory() as directory, between(url, play) as server:
        options = ["--target", server.url, "--profile", "quick", "--timeout", "0.5", "--max-time", "20"]
        options += ["--seed", str(seed)]
        began = time.monotonic()
        done = CliRunner().invoke(command, ["run", *options, "--report-dir", directory])
        document = load(Path(directory))
    told = [f"{each['rule']} ({each['outcome']})" for each in document["findings"]]
    after = document["requests"] - since
    print(
        f"{name:24} from request {since:3}: exit status {done.exit_code}, {after:3} requests after, "
        f"{time.monotonic() - began:4.0f} s; {document['stopped'] or 'not stopped'}"
    )
    if name == "dies" and "unanswered" not in document:
        told.append("the request that it died of is not shown")
    good = done.exit_code == 3 or (done.exit_code == 0 and after < 8)
    return told + ([] if good else [f"exit status {done.exit_code}"])


def main() -> int:
    """Take targets away, and print the accusations."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--targets", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng, bad = random.Random(options.seed), 0
    names = [list(MANNERS)[index % len(MANNERS)] for index in range(options.targets)]
    for name in names:
        with Embedded(THROWAWAY) as emulator:
            found = wrong(emulator.url(), name, rng.randrange(25, 295), rng.randrange(1 << 16))
        bad += bool(found)
        print(*(f"  accused: {each}" for each in found), sep="\n", end="\n" if found else "", flush=True)
    print(f"{options.targets} targets that went away: {bad} accused")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

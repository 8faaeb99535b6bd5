"""Writes to an emulator that is killed in their midst, and what is there when it is started again."""

import base64
import json
import random
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit

from .serving import PATH, running

ACCOUNTS: Mapping[str, str] = {f"AC{number:032x}": f"token-{number}" for number in range(4)}


@dataclass
class Writer:
    """One client, with an account and a connection of its own, that numbers its updates."""

    account: str
    begun: int = 0
    acknowledged: int = 0
    errors: list[str] = field(default_factory=list)

    def write(self, url: str, until: threading.Event, count: "Counter") -> None:
        """Update all four settings at once, again and again, until the emulator is gone or enough was written."""
        with ExitStack() as stack, suppress(OSError, HTTPException):
            connection = _connect(url)
            stack.callback(connection.close)
            while not until.is_set():
                self.begun += 1
                form = "&".join(f"{name}={value}" for name, value in settings(self.begun).values())
                status, document = _ask(connection, self.account, "POST", form)
                if status != 200 or _number(document) != self.begun:
                    self.errors.append(f"update {self.begun}: {status} {document}")
                    return
                self.acknowledged = self.begun
                count.add()


class Counter:
    """Counts what all writers were told was written, and says when that is enough."""

    def __init__(self, enough: int) -> None:
        self.reached = threading.Event()
        self._enough = enough
        self._lock = threading.Lock()
        self.value = 0

    def add(self) -> None:
        """Count one more."""
        with self._lock:
            self.value += 1
            if self.value >= self._enough:
                self.reached.set()


def settings(number: int) -> dict[str, tuple[str, str]]:
    """By attribute, the parameters and values of an update: each of the four values tells its number."""
    return {
        "default_chat_service_sid": ("DefaultChatServiceSid", f"IS{number:032x}"),
        "default_messaging_service_sid": ("DefaultMessagingServiceSid", f"MG{number:032x}"),
        "default_inactive_timer": ("DefaultInactiveTimer", f"PT{number}H"),
        "default_closed_timer": ("DefaultClosedTimer", f"PT{number}H"),
    }


def write_through_kills(database: Path, *, writes: int, kills: int, seed: int) -> list[str]:
    """
    Have updates written by four clients, and the emulator killed at random moments in between.

    Returns:
        What is not as it should be, one line each; nothing when every acknowledged update was there after each
        kill, and none was half-written.
    """
    writers = [Writer(account) for account in ACCOUNTS]
    moments = sorted(random.Random(seed).sample(range(1, writes), kills))
    done = 0
    problems: list[str] = []
    for moment in [*moments, writes]:
        count = Counter(max(1, moment - done))
        stop = threading.Event()
        with running("--database", str(database), accounts=ACCOUNTS) as emulator:
            threads = [
                threading.Thread(target=each.write, args=(emulator.url, stop, count)) for each in writers
            ]
            for thread in threads:
                thread.start()
            if not count.reached.wait(timeout=300):
                problems.append(f"only {count.value} updates were acknowledged")
            if moment < writes:
                time.sleep(random.Random(f"{seed}:{moment}").random() * 0.01)
                emulator.process.kill()  # SIGKILL, while all four clients go on
            stop.set()
            for thread in threads:
                thread.join()
        done += count.value
        with running("--database", str(database), accounts=ACCOUNTS) as emulator:
            for writer in writers:
                problems += [
                    f"{writer.account}: {each}" for each in (*writer.errors, *_missed(emulator.url, writer))
                ]
    return problems


def _missed(url: str, writer: Writer) -> list[str]:
    """What is wrong with what is there; the writer goes on from that."""
    connection = _connect(url)
    try:
        status, document = _ask(connection, writer.account, "GET", "")
    finally:
        connection.close()
    number = _number(document)
    if status != 200 or number is None:
        return [f"half-written: {document}"]
    if not writer.acknowledged <= number <= writer.begun:
        return [f"update {number} is there, {writer.acknowledged} was acknowledged, {writer.begun} begun"]
    writer.acknowledged = writer.begun = number
    return []


def _number(document: Mapping[str, object]) -> int | None:
    """The number of the update that a representation shows; None when it is of several."""
    timer = document["default_closed_timer"]
    number = 0 if timer is None else int(str(timer)[2:-1])
    expected = {name: value if number else None for name, (_, value) in settings(number).items()}
    return number if all(document[name] == value for name, value in expected.items()) else None


def _connect(url: str) -> HTTPConnection:
    parts = urlsplit(url)
    return HTTPConnection(parts.hostname or "", parts.port, timeout=30)


def _ask(
    connection: HTTPConnection, account: str, method: str, form: str
) -> tuple[int, Mapping[str, object]]:
    credentials = base64.b64encode(f"{account}:{ACCOUNTS[account]}".encode()).decode()
    headers = {
        "Authorization": f"Basic {credentials}",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    connection.request(method, PATH, form.encode(), headers)
    response = connection.getresponse()
    document: Mapping[str, object] = json.loads(response.read())
    return response.status, document

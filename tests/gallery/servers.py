"""Small servers of the resource, on the standard library: a conformant one, and one for each way to go wrong.

Each class is one server. `Right` is conformant and keeps its settings in memory; every other class overrides the
one step in which it differs.
"""

import base64
import json
import random
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import MAX_EMAX, Decimal, localcontext
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import unquote_to_bytes

PATH = "/v1/Configuration"
FORM = "application/x-www-form-urlencoded"
FIRST, SECOND = "ACdecade" + "0" * 25 + "a", "ACdecade" + "0" * 25 + "b"
TOKENS = {FIRST: "f00d" + "0" * 27 + "a", SECOND: "beef" + "0" * 27 + "b"}
"""The throw-away accounts that a run sends on loopback, where it is given none."""

ATTRIBUTES = {
    "DefaultChatServiceSid": "default_chat_service_sid",
    "DefaultMessagingServiceSid": "default_messaging_service_sid",
    "DefaultInactiveTimer": "default_inactive_timer",
    "DefaultClosedTimer": "default_closed_timer",
}
EXAMPLE = {
    "account_sid": "AC" + "a" * 32,
    "default_chat_service_sid": "IS" + "a" * 32,
    "default_messaging_service_sid": "MG" + "a" * 32,
    "default_inactive_timer": "PT1M",
    "default_closed_timer": "PT10M",
    "url": "https://conversations.twilio.com/v1/Configuration",
}

_PATTERNS = {"DefaultChatServiceSid": "IS[0-9a-fA-F]{32}", "DefaultMessagingServiceSid": "MG[0-9a-fA-F]{32}"}
_MINIMUM = {"DefaultInactiveTimer": 60, "DefaultClosedTimer": 600}
_N = "([0-9]+(?:[.,][0-9]+)?)"
_DURATION = re.compile(f"P(?:{_N}W|(?:{_N}Y)?(?:{_N}M)?(?:{_N}D)?(?:T(?:{_N}H)?(?:{_N}M)?(?:{_N}S)?)?)")
_SECONDS = (604_800, 365 * 86_400, 28 * 86_400, 86_400, 3_600, 60, 1)

Settings = dict[str, str | None]


def length(text: str) -> Decimal | None:
    """The shortest length of an ISO 8601-1 duration in seconds, exact; None where the text is no duration."""
    match = _DURATION.fullmatch(text)
    numbers = [part for part in match.groups() if part is not None] if match else []
    if match is None or not numbers or text.endswith("T") or any("." in n or "," in n for n in numbers[:-1]):
        return None
    with localcontext(prec=len(text) + 30, Emax=MAX_EMAX):
        parts = zip(match.groups(), _SECONDS, strict=True)
        return sum((Decimal(n.replace(",", ".")) * unit for n, unit in parts if n), Decimal(0))


def wrong(parameter: str, value: str) -> str:
    """Say what is wrong with a value; an empty text where nothing is."""
    if pattern := _PATTERNS.get(parameter):
        return "" if re.fullmatch(pattern, value) else f"{parameter} is not a SID"
    seconds = length(value)
    if seconds is None:
        return f"{parameter} is not an ISO 8601 duration"
    return "" if seconds >= _MINIMUM[parameter] else f"{parameter} is too short"


class SilentServer(ThreadingHTTPServer):
    """Serves each connection in a thread of its own, and prints nothing."""

    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """Let a connection end that the client has closed."""


class OneAtATime(HTTPServer):
    """Serves one connection at a time, until that connection ends."""

    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """Let a connection end that the client has closed."""


class Right(BaseHTTPRequestHandler):
    """A conformant emulator of the resource."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    serves: ClassVar[type[HTTPServer]] = SilentServer
    kept: ClassVar[dict[str, Settings]]
    """The settings by account. Each server that is started has its own."""
    lock: ClassVar[threading.RLock]

    def __getattr__(self, name: str) -> object:
        if name.startswith("do_"):  # whatever the method
            return self.handle_request
        raise AttributeError(name)

    def log_message(self, *arguments: object) -> None:
        """Print nothing."""

    def handle_request(self) -> None:
        """Read one request, and answer it."""
        self.respond(self.read_body())

    def read_body(self) -> bytes:
        """Read the body, chunked or not."""
        if "chunked" not in self.headers.get("Transfer-Encoding", "").lower():
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            continue
        return body

    def respond(self, body: bytes) -> None:
        """Answer a request that has been read."""
        account = self.account()
        if account is None:
            self.refuse(401, "Authenticate", {"WWW-Authenticate": 'Basic realm="Conversations"'})
        elif self.path.partition("?")[0] != PATH:
            self.refuse(404, "Not found")
        elif self.command in ("GET", "HEAD"):
            with self.lock:
                self.answer(200, self.shown(account))
        elif self.command != "POST":
            self.refuse(405, "Method not allowed", {"Allow": "GET, HEAD, POST"})
        elif body and not self.is_form():
            self.refuse(415, "Not a form")
        else:
            self.respond_to_update(account, self.pairs(body))

    def respond_to_update(self, account: str, pairs: list[tuple[str, str]]) -> None:
        """Write the values of a form, if all of them are right."""
        for name, value in pairs:
            if error := self.wrong(name, value):
                return self.refuse(400, error)
        with self.lock:
            document = self.update(account, {ATTRIBUTES[name]: value for name, value in pairs})
        return self.answer(200, document)

    def credentials(self) -> tuple[str, str]:
        """The user name and the password of the Basic scheme; empty where there are none."""
        scheme, _, encoded = self.headers.get("Authorization", "").partition(" ")
        try:
            decoded = base64.b64decode(encoded.strip(), validate=True).decode()
        except ValueError:
            return "", ""
        user, colon, password = decoded.partition(":")
        return (user, password) if colon and scheme.lower() == "basic" else ("", "")

    def account(self) -> str | None:
        """The account whose credentials were sent; None where they are of no account."""
        user, password = self.credentials()
        return user if user in TOKENS and TOKENS[user] == password else None

    def claimed(self) -> str:
        """The account that the user name says, whatever the password; the first one where it says none."""
        user, _ = self.credentials()
        return user if user in TOKENS else FIRST

    def is_form(self) -> bool:
        """Whether the body is said to be a form."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower() == FORM

    def pairs(self, body: bytes) -> list[tuple[str, str]]:
        """The known parameters of a form with their values, in order."""
        halves = (pair.replace(b"+", b" ").partition(b"=") for pair in body.split(b"&"))
        decoded = (
            tuple(unquote_to_bytes(half).decode("utf-8", "replace") for half in (name, value))
            for name, _, value in halves
        )
        return [(name, value) for name, value in decoded if name in ATTRIBUTES]

    def wrong(self, parameter: str, value: str) -> str:
        """Say what is wrong with a value; an empty text where nothing is."""
        return wrong(parameter, value)

    def settings(self, account: str) -> Settings:
        """What is kept for an account."""
        return self.kept.setdefault(account, dict.fromkeys(ATTRIBUTES.values()))

    def update(self, account: str, values: Mapping[str, str]) -> object:
        """Keep the values; return the document that is answered."""
        self.settings(account).update(values)
        return self.shown(account)

    def shown(self, account: str) -> object:
        """The representation of an account's settings."""
        url = f"http://{self.headers['Host']}{PATH}"
        links = {"webhooks": f"{url}/Webhooks"}
        return {"account_sid": account, **self.settings(account), "url": url, "links": links}

    def refuse(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        """Answer with an error."""
        more = f"https://www.twilio.com/docs/errors/{20_000 + status}"
        error = {"code": 20_000 + status, "message": message, "more_info": more, "status": status}
        self.answer(status, error, headers)

    def answer(self, status: int, document: object, headers: Mapping[str, str] | None = None) -> None:
        """Send a status and a JSON document."""
        self.send(status, json.dumps(document).encode(), headers or {})

    def send(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        """Send an answer that is said to be JSON."""
        self.send_response(status)
        fields = {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}
        for name, value in fields.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


class AlwaysFails(Right):
    """Answers everything with 500."""

    def respond(self, body: bytes) -> None:
        self.answer(500, {"message": "broken", "status": 500})


class AnswersAString(Right):
    """Answers everything with 200 and a JSON string, as a generated stub does."""

    def respond(self, body: bytes) -> None:
        self.answer(200, "do some magic!")


class AnswersTheExample(Right):
    """Answers everything with 200 and the documented example."""

    def respond(self, body: bytes) -> None:
        self.answer(200, EXAMPLE)


class AnswersTheExampleToAccounts(Right):
    """Asks for credentials; answers everything that carries them with 200 and the documented example."""

    def respond(self, body: bytes) -> None:
        if self.account() is None:
            super().respond(body)
        else:
            self.answer(200, EXAMPLE)


class LacksTheSecondAccount(Right):
    """Answers the second account with 404; the first account finds nothing wrong."""

    def respond(self, body: bytes) -> None:
        if self.account() == SECOND:
            self.refuse(404, "Not found")
        else:
            super().respond(body)


class KeepsAnyText(Right):
    """Keeps whatever text is sent for a parameter."""

    def wrong(self, parameter: str, value: str) -> str:
        return ""


class KeepsAnyTextButEmpty(KeepsAnyText):
    """Keeps whatever text is sent for a parameter; an empty value counts as none."""

    def pairs(self, body: bytes) -> list[tuple[str, str]]:
        return [(name, value) for name, value in super().pairs(body) if value]


class AnswersPages(Right):
    """Refuses what is wrong; keeps nothing, and answers the rest with a page that is said to be JSON."""

    def update(self, account: str, values: Mapping[str, str]) -> object:
        return None

    def answer(self, status: int, document: object, headers: Mapping[str, str] | None = None) -> None:
        if status != 200:
            super().answer(status, document, headers)
        else:
            self.send(200, b"<!DOCTYPE html><title>Saved</title>", {})


class ShowsThePreviousSettings(Right):
    """Keeps what an update sends, and answers it with the settings as they were before it."""

    def update(self, account: str, values: Mapping[str, str]) -> object:
        before = self.shown(account)
        super().update(account, values)
        return before


class LeavesBodiesUnread(Right):
    """Answers a request without good credentials before its body is read, and keeps the connection."""

    def handle_request(self) -> None:
        self.respond(b"" if self.account() is None else self.read_body())


class ServesOneConnection(Right):
    """Serves one connection at a time, and keeps it for as long as the client does."""

    serves = OneAtATime


class CreatesAndReplaces(Right):
    """Answers everything with 201, checks nothing, and replaces all settings by what an update sends.

    The settings are those of the account that the user name says, and of the first one where it says none.
    """

    def respond(self, body: bytes) -> None:
        account = self.claimed()
        with self.lock:
            if self.command == "POST":
                self.kept.pop(account, None)
                self.update(account, {ATTRIBUTES[name]: value for name, value in self.pairs(body)})
            self.answer(201, self.shown(account))


class AnswersWhatWasSent(Right):
    """Answers everything with 201 and an object of what was sent, by the names of parameters, as a generic store."""

    def respond(self, body: bytes) -> None:
        self.answer(201, dict(self.pairs(body)))


class ShowsRandomSettings(Right):
    """Refuses what is wrong; shows other valid settings, drawn by chance, in every answer."""

    chance: ClassVar[random.Random] = random.Random(0)

    def settings(self, account: str) -> Settings:
        digits = ["".join(self.chance.choices("0123456789abcdef", k=32)) for _ in range(2)]
        minutes = [self.chance.randint(10, 20_000) for _ in range(2)]
        values = (f"IS{digits[0]}", f"MG{digits[1]}", f"PT{minutes[0]}M", f"PT{minutes[1]}M")
        return dict(zip(ATTRIBUTES.values(), values, strict=True))


class NeverRefuses(Right):
    """Answers everything with 200 and the settings; keeps the values that are right, and ignores all others.

    The settings are those of the account that the user name says, and of the first one where it says none.
    """

    def respond(self, body: bytes) -> None:
        account = self.claimed()
        is_update = self.command == "POST" and self.is_form()
        with self.lock:
            right = [pair for pair in self.pairs(body) if not wrong(*pair)] if is_update else []
            self.answer(200, self.update(account, {ATTRIBUTES[name]: value for name, value in right}))


@contextmanager
def serving(behaviour: type[Right]) -> Iterator[str]:
    """Start a server on a free port of the loopback, with nothing set; give its base URL; end it."""
    handler = type(behaviour.__name__, (behaviour,), {"kept": {}, "lock": threading.RLock()})
    server = behaviour.serves(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

"""
An exchange as a command for a POSIX shell that sends the same bytes again with curl.

Everything the command is made of is either quoted so that no shell expands it, or written as octal escapes for
`printf`; so it is printable ASCII, whatever the bytes were. No line is longer than `LINE` characters: repetitions are
made by the shell, and what is still too long goes on in the next line after a backslash. Tokens never occur: a shell
variable stands for each, except for throw-away ones, which are no secret and become the variable's default.
"""

import math
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, starmap, zip_longest
from urllib.parse import urlsplit

from conformance.http import (
    CONTENT_METHODS,
    FORM_MEDIA_TYPE,
    PLACEHOLDER,
    ByHand,
    Exchange,
    Request,
    with_path,
)
from conformance.reporting.raw import NOT_BY_CURL, login_name, raw_parts

LINE = 500
"""Most characters of a line."""
_CHUNK = 400
"""Most characters of a quoted text on one line; a longer text is quoted in several pieces."""
_ARGUMENT = 100_000
"""Most bytes of a body that is an argument: Linux limits one to 128 KiB, and the shell's printf has no limit."""


@dataclass(frozen=True, slots=True)
class ShellAccount:
    """How a shell spells the credentials of one of the target's accounts."""

    user: str = ""
    """The user name, an Account SID or the SID of an API key; empty means a variable, `$TWILIO_ACCOUNT_SID`."""
    variable: str = ""
    """The variable that holds the token; empty means `TWILIO_AUTH_TOKEN`, then `CONFORMANCE_TOKEN_2` and so on."""
    throwaway: str = ""
    """A token that is public, so that the command works where the variable is not set."""


FILLED_IN = re.compile(rf"\{{({PLACEHOLDER}|basic)\}}")
"""What the target fills in when it authenticates a request: see `conformance.http.Auth`."""


def spelled(name: str, index: int, accounts: Sequence[ShellAccount]) -> tuple[int, ShellAccount, str]:
    """
    Return the account that a placeholder, any but `basic`, is about: its index, its spelling, and the variable for it.

    `index` is that of the account that sends the request.
    """
    name = name.partition("~")[0]
    if name.startswith("other_"):
        index = (index + 1) % max(len(accounts), 2)
    account = accounts[index] if index < len(accounts) else ShellAccount()
    if name.endswith("sid"):
        return index, account, f"CONFORMANCE_SID_{index + 1}" if index else "TWILIO_ACCOUNT_SID"
    own = f"CONFORMANCE_TOKEN_{index + 1}" if index else "TWILIO_AUTH_TOKEN"
    return index, account, account.variable or own


def target_of(exchange: Exchange, url: str) -> str:
    """Return the URL that a request went to; `url` is that of the resource, for an exchange that does not say it."""
    return exchange.url or url + (f"?{exchange.request.query}" if exchange.request.query else "")


def patience_of(exchange: Exchange) -> int:
    """Return the seconds to wait for an answer that did not come in the run; 0 where one came."""
    return max(5, math.ceil(exchange.elapsed)) if exchange.is_timeout else 0


def curl(
    exchanges: Sequence[Exchange],
    *,
    url: str = "",
    accounts: Sequence[ShellAccount] = (),
    options: Sequence[str] = (),
    shared: bool = False,
) -> str:
    """
    Return shell commands that repeat the requests in order; those sent at the same moment run in the background.

    Args:
        exchanges: The requests to repeat; responses and failures only say how long curl should wait.
        url: The URL of the resource, for exchanges that do not say where they were sent.
        accounts: How to spell each account's credentials; missing ones are spelled by variables alone.
        options: Further curl arguments for every request, such as `--cacert` and a path, or `--proxy` and a URL.
        shared: Whether the deviation depends on one connection: then one curl sends every request that reuses it.
    """
    credentials = _Credentials(accounts)
    # The environment may name a proxy, or exempt the target from the one that the run used.
    route = ["--noproxy", "" if "--proxy" in options else "*", *options]
    commands: list[str] = []
    for together, group in groupby(exchanges, key=lambda each: each.together):
        runs: list[list[Exchange]] = []
        for exchange in group:
            if shared and runs and not together:
                runs[-1].append(exchange)
            else:
                runs.append([exchange])
        sent = [
            _raw_command(each, url, credentials, route)
            if any(exchange.request.by_hand in NOT_BY_CURL for exchange in each)
            else _command(
                _transfer(exchange, url, credentials, route, is_apart=bool(place) and exchange.request.fresh)
                for place, exchange in enumerate(each)
            )
            for each in runs
        ]
        sent = [
            f"sleep {each[0].request.after:g}\n{line}" if each[0].request.after else line
            for each, line in zip(runs, sent, strict=True)
        ]
        commands += [*(f"{each} &" for each in sent), "wait"] if together else sent
    return "\n".join([*credentials.comments(), *commands])


class _Expansion(str):
    """A shell expansion; it may stand in double quotes."""

    __slots__ = ()


def quote(text: str) -> str:
    """Return one shell word that stands for the text; what is not printable ASCII becomes a `printf`."""
    if len(text) <= _CHUNK and re.fullmatch(r"[A-Za-z0-9_./:=@%+,-]+", text):
        return text
    return "".join(map(_quoted, pieces_of(text.encode("utf-8", "surrogatepass")))) or "''"


Piece = tuple[bytes, int]
"""Bytes, and how often they are repeated."""

_REPEATED = re.compile(rb"(.{1,40}?)\1{19,}", re.DOTALL)


def pieces_of(raw: bytes) -> Iterator[Piece]:
    """Yield the bytes in pieces, so that what is repeated often is there once."""
    end = 0
    # A large body is searched only where it is worth the seconds that it takes.
    worth = len(raw) > _CHUNK / 2 and (len(raw) < 2**16 or len(zlib.compress(raw, 1)) < len(raw) / 10)
    for match in _REPEATED.finditer(raw) if worth else ():
        if len(match[0]) > _CHUNK / 4:
            if end < match.start():
                yield raw[end : match.start()], 1
            yield match[1], len(match[0]) // len(match[1])
            end = match.end()
    if end < len(raw):
        yield raw[end:], 1


def _quoted(piece: Piece) -> str:
    unit, count = piece
    if count == 1 and _printable(unit):
        return _in_chunks(each.replace("'", "'\\''") for each in _chunks(unit.decode("ascii")))
    return f'"$({_writer([piece])})"'


def _chunks(text: Sequence[str]) -> Iterator[str]:
    """The characters in texts short enough for a line; an apostrophe takes four."""
    chunk: list[str] = []
    size = 0
    for each in text:
        length = 4 if each == "'" else len(each)
        if size + length > _CHUNK:
            yield "".join(chunk)
            chunk, size = [], 0
        chunk.append(each)
        size += length
    yield "".join(chunk)


def _in_chunks(chunks: Iterable[str]) -> str:
    """Return one quoted word, each chunk of which is on a line of its own."""
    return "\\\n".join(f"'{each}'" for each in chunks)


def _writer(pieces: Iterable[Piece]) -> str:
    """The command that writes these bytes."""
    writers = [_printf(unit) if count == 1 else _repeat(unit, count) for unit, count in pieces]
    return writers[0] if len(writers) == 1 else _laid_out(["{", *(f"{each};" for each in writers), "}"])


def _repeat(unit: bytes, count: int) -> str:
    if len(unit) > 1 or unit > b"\x7f":
        return f"{_printf(unit, end='%.0s')} $(seq {count})"
    zeros = f"head -c {count} /dev/zero"
    if unit == b"\0":
        return zeros
    character = unit.decode() if unit.isalnum() else f"'\\{unit[0]:03o}'"
    return f"{zeros} | tr '\\0' {character}"


def _word(*parts: str) -> str:
    """Return one shell word of literal text and expansions."""
    parts = tuple(starmap(_delimited, zip_longest(parts, parts[1:], fillvalue="")))
    literals = "".join(part for part in parts if not isinstance(part, _Expansion))
    plain = _printable(literals.encode("utf-8", "surrogatepass")) and not set(literals) & set("\"$`\\!'")
    if plain and len(literals) <= _CHUNK:
        return f'"{"".join(parts)}"'
    return "".join(f'"{part}"' if isinstance(part, _Expansion) else quote(part) for part in parts if part)


def _delimited(part: str, following: str) -> str:
    """A variable in braces where its name would run into what follows."""
    if isinstance(part, _Expansion) and part[1:].isidentifier() and re.match("[A-Za-z0-9_]", following):
        return _Expansion(f"${{{part[1:]}}}")
    return part


def _printable(raw: bytes) -> bool:
    return all(0x20 <= byte <= 0x7E for byte in raw)


_ESCAPED = tuple(
    chr(byte) if 0x20 <= byte <= 0x7E and chr(byte) not in "\\'%" else f"\\{byte:03o}" for byte in range(256)
)


def _printf(raw: bytes, end: str = "") -> str:
    """The printf that writes these bytes; POSIX leaves a dash in front to be an option, so it is escaped too."""
    first = [f"\\{raw[0]:03o}"] if raw[:1] == b"-" else []
    spelled_out = [*first, *(_ESCAPED[byte] for byte in raw[len(first) :]), end]
    return "printf " + _in_chunks(_chunks(spelled_out))


class _Credentials:
    """Spells credentials, and remembers which variables a reader may not know."""

    def __init__(self, accounts: Sequence[ShellAccount]) -> None:
        self._accounts = accounts
        self._unexplained: dict[str, str] = {}

    def comments(self) -> Iterator[str]:
        """A shell comment for each variable used whose name does not speak for itself."""
        for variable, user in self._unexplained.items():
            yield f"# ${variable}: the token of {user}"

    def arguments(self, request: Request) -> list[str]:
        """The curl arguments that authenticate as the request does."""
        auth = request.auth
        if auth.header is None and auth.scheme == "Basic":
            return ["-u", self._pair(request)]
        separator = ";" if auth.header == "" else ": "  # curl's spelling of an empty header
        parts = self._parts(request)
        return ["-H", _word(f"Authorization{separator}", *parts)] if parts is not None else []

    def line(self, request: Request) -> str:
        """The command that writes the Authorization header; empty where there is none."""
        parts = self._parts(request)
        return f"printf '{login_name(request)}: %s\\r\\n' {_word(*parts)};" if parts is not None else ""

    def _parts(self, request: Request) -> list[str] | None:
        auth = request.auth
        if auth.header is not None:
            return self._fill(auth.header, request)
        return None if auth.scheme is None else [f"{auth.scheme} ", self._basic(request)]

    def _pair(self, request: Request) -> str:
        return _word(*self._fill(request.auth.user, request), ":", *self._fill(request.auth.secret, request))

    def _basic(self, request: Request) -> _Expansion:
        return _Expansion(f"$(printf '%s' {self._pair(request)} | base64 | tr -d '\\n')")

    def _fill(self, template: str, request: Request) -> list[str]:
        parts = FILLED_IN.split(template)
        return [self._value(part, request) if position % 2 else part for position, part in enumerate(parts)]

    def _value(self, name: str, request: Request) -> str:
        if name == "basic":
            return self._basic(request)
        index, account, variable = spelled(name, request.account, self._accounts)
        name, _, place = name.partition("~")
        if name.endswith("sid"):
            spelling = account.user or f"${variable}"
            if name.startswith("digits"):
                return account.user[2:] or _Expansion(f"${{{variable}#??}}")
            if name.startswith("short"):
                return account.user[:-1] or _Expansion(f"${{{variable}%?}}")
            return _changed(spelling, place) if place else account.user or _Expansion(spelling)
        token = f"${variable}"
        if account.throwaway:
            token = f"${{{variable}:-{_default(account.throwaway)}}}"
        elif index:
            self._unexplained[variable] = quote(account.user or "another account")
        if place:
            return _changed(token, place)
        if name in _FILTERS:
            return _Expansion(f"$(printf '%s\\n' \"{token}\" | {_FILTERS[name]})")
        return _Expansion(token)


_FULL_WIDTH = "".join(
    "s/{}/\\{:o}\\{:o}\\{:o}/g;".format(digit, *chr(ord(digit) + 0xFEE0).encode())
    for digit in "0123456789abcdef"
)
_FILTERS = {
    "truncated": "sed 's/.$//'",
    "swapped": "tr 'a-zA-Z' 'A-Za-z'",
    "reversed": "rev",
    "escaped": "tr -d '\\n' | od -An -v -tx1 | tr -d '\\n' | tr -s ' ' '%'",
    "full_width": f"sed \"$(printf '{_FULL_WIDTH}')\"",
}
"""The shell's filters for the placeholders of `conformance.http.Auth` that change a token."""


def _changed(text: str, place: str) -> _Expansion:
    """A text with another character at one place; see `conformance.http.Auth`."""
    program = f'{{n={place}%length($0); print substr($0,1,n) (substr($0,n+1,1)=="1"?2:1) substr($0,n+2)}}'
    return _Expansion(f"$(printf '%s\\n' \"{text}\" | awk '{program}')")


def _default(token: str) -> str:
    return token if re.fullmatch(r"[A-Za-z0-9_.-]+", token) else f"$({_printf(token.encode())})"


def _transfer(
    exchange: Exchange, url: str, credentials: _Credentials, options: Sequence[str], *, is_apart: bool
) -> tuple[list[str], str]:
    """
    Return the arguments of curl for one request, and the command that writes its body to the standard input, `@-`.

    There is no such command where the body is an argument.
    """
    request = exchange.request
    words = ["-i", *map(quote, options)]
    target = target_of(exchange, url)
    if any(bracket in target for bracket in "{}[]"):
        words.append("-g")  # else curl reads them as a pattern of several URLs
    if target.startswith("https:"):
        words.append("--http1.1")  # the version the suite speaks
    if exchange.response is not None and exchange.response.header("content-encoding"):
        words.append("--compressed")
    body = b"" if request.body is None and request.method in CONTENT_METHODS else request.body
    if is_apart:
        # curl does not reuse a connection for a transfer that is told where its own begins.
        words += ["--local-port", "20000-60000"]
    if request.by_hand is ByHand.VERSION:
        words.append("--http1.0")
    elif request.by_hand in (ByHand.ABSOLUTE, ByHand.ASTERISK):
        words += ["--request-target", quote("*" if request.by_hand is ByHand.ASTERISK else target)]
    elif request.is_elsewhere:
        words.append("--path-as-is")
        target = with_path(target, request.by_hand)
    words += [*_method(request.method, body), *_patience(exchange, body), *credentials.arguments(request)]
    words += [word for header in _headers(exchange, body) for word in ("-H", quote(header))]
    source = ""
    if body is not None and _printable(body) and len(body) < _ARGUMENT:
        words += ["--data-raw", "".join(map(_quoted, pieces_of(body))) or "''"]
    elif body is not None:
        source = _writer(pieces_of(body))
        words += ["--data-binary", "@-"]
    return [*words, quote(target)], source


def _command(transfers: Iterable[tuple[list[str], str]]) -> str:
    """One curl that sends the requests in turn, over one connection as long as the target keeps it open."""
    words = ["curl", "-sS"]
    sources: list[str] = []
    for arguments, source in transfers:
        if len(words) > 2:
            words.append("--next")
        words += arguments
        if source:
            if sources:  # curl reads one body from the standard input, further ones from copies of it
                words[len(words) - 1 - words[::-1].index("@-")] = f"@/dev/fd/{len(sources) + 2}"
            sources.append(source)
    command = _laid_out(words)
    for number, source in enumerate(sources):
        inner = command if not number else f"{{ {command}; }} {number + 2}<&0"
        command = _laid_out([f"{source} |", inner])
    return command


def _raw_command(
    exchanges: Sequence[Exchange], url: str, credentials: _Credentials, options: Sequence[str]
) -> str:
    """Bytes that curl cannot make, over one connection that stays open long enough for each answer."""
    words, seconds = ["{"], 1
    for exchange in exchanges:
        writers: list[str] = []
        for head, rest, request in raw_parts(exchange, target_of(exchange, url)):
            if writers and exchange.request.by_hand is ByHand.SEGMENTS:
                writers.append("sleep 1;")
                seconds += 1
            writers += filter(None, (_raw(head), credentials.line(request), _raw(rest)))
        pause = patience_of(exchange) or 1
        if exchange.request.by_hand is ByHand.PIPELINED:
            writers = ["{", *writers, "} | { sleep 1; cat; };"]  # all is written at once
            seconds += 1
        words += [*writers, f"sleep {pause};"]
        seconds += pause
    at = urlsplit(target_of(exchanges[0], url))
    if at.scheme == "https":
        connect = ["openssl s_client -quiet -connect", quote(f"{at.hostname}:{at.port or 443}")]
    else:
        to = quote(f"telnet://{at.hostname}:{at.port or 80}")
        connect = ["curl -s -m", str(seconds), *map(quote, options), to]
    return _laid_out([*words, "} |", *connect])


def _raw(raw: bytes) -> str:
    return _printf(raw).replace("\\015\\012", "\\r\\n") + ";" if raw else ""


def _laid_out(words: Sequence[str]) -> str:
    """The words of a command, on as many lines as it takes."""
    text, column = "", 0
    for word in words:
        first, *others = word.split("\n")
        if text and column + len(first) + 4 > LINE:
            text, column = f"{text} \\\n", 0
        elif text:
            text, column = f"{text} ", column + 1
        text += word
        column = len(others[-1]) if others else column + len(first)
    return text


def _method(method: str, body: bytes | None) -> list[str]:
    if method == "HEAD" and body is None:
        return ["-I"]
    return [] if method == ("GET" if body is None else "POST") else ["-X", quote(method)]


def _patience(exchange: Exchange, body: bytes | None) -> list[str]:
    # Given a body to send, curl does not know that a HEAD is answered without one, and waits for it.
    endless = exchange.request.method == "HEAD" and body is not None
    seconds = patience_of(exchange) or (max(5, math.ceil(exchange.elapsed)) if endless else 0)
    return ["-m", str(seconds)] if seconds else []


def _headers(exchange: Exchange, body: bytes | None) -> Iterator[str]:
    """Header arguments: those of the request, and what keeps curl from adding others of its own."""
    request = exchange.request
    own = {name.lower() for name, _ in request.headers}
    for name, value in request.headers:
        yield _header(name, value)
    if exchange.sent_headers and "accept" not in own:
        accept = next((value for name, value in exchange.sent_headers if name.lower() == "accept"), None)
        if accept is None:
            yield "Accept:"
        elif accept != "*/*":
            yield _header("Accept", accept)
    if request.content_type is not None:
        if body is None or request.content_type != FORM_MEDIA_TYPE:
            yield _header("Content-Type", request.content_type)
    elif body is not None and "content-type" not in own:
        yield "Content-Type:"
    if request.chunked:
        yield f"Transfer-Encoding: {'Chunked' if request.by_hand is ByHand.CODING else 'chunked'}"
    if body is not None and len(body) >= 1024 and "expect" not in own:
        yield "Expect:"  # else curl may ask first whether it may send a large body


def _header(name: str, value: str) -> str:
    return f"{name}: {value}" if value else f"{name};"

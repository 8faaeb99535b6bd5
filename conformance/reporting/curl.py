"""
An exchange as a line for a POSIX shell that sends the same bytes again with curl.

Everything the line is made of is either quoted so that no shell expands it, or written as octal escapes for
`printf`; so the line is printable ASCII, whatever the bytes were. Tokens never occur: a shell variable stands
for each, except for throw-away ones, which are no secret and become the variable's default.
"""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from conformance.http import FORM_MEDIA_TYPE, Exchange, FailureKind, Request


@dataclass(frozen=True, slots=True)
class ShellAccount:
    """How a shell spells the credentials of one of the target's accounts."""

    user: str = ""
    """The user name, an Account SID or the SID of an API key; empty means a variable, `$TWILIO_ACCOUNT_SID`."""
    variable: str = ""
    """The variable that holds the token; empty means `TWILIO_AUTH_TOKEN`, then `CONFORMANCE_TOKEN_2` and so on."""
    throwaway: str = ""
    """A token that is public, so that the line works where the variable is not set."""


def curl(
    exchanges: Sequence[Exchange],
    *,
    url: str = "",
    accounts: Sequence[ShellAccount] = (),
    options: Sequence[str] = (),
) -> str:
    """
    Shell lines that repeat the requests in order, one line each; those sent at the same moment run in the background.

    Args:
        exchanges: what is repeated; responses and failures only tell how long curl should wait.
        url: the resource, for exchanges that do not say where they were sent.
        accounts: how to spell each account's credentials; missing ones are spelled by variables alone.
        options: further curl arguments for every line, such as `--cacert` and a path.
    """
    credentials = _Credentials(accounts)
    lines = []
    for together, group in groupby(exchanges, key=lambda each: each.together):
        sent = [_line(exchange, url, credentials, options) for exchange in group]
        lines += [*(f"{line} &" for line in sent), "wait"] if together else sent
    return "\n".join([*credentials.comments(), *lines])


class _Expansion(str):
    """A shell expansion; it may stand in double quotes."""

    __slots__ = ()


def quote(text: str) -> str:
    """One shell word that stands for the text; what is not printable ASCII becomes a `printf`."""
    if re.fullmatch(r"[A-Za-z0-9_./:=@%+,-]+", text):
        return text
    raw = text.encode("utf-8", "surrogatepass")
    return _single(text) if _printable(raw) else f'"$({_printf(raw)})"'


def _single(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _word(*parts: str) -> str:
    """One shell word out of literal text and expansions."""
    following = (*parts[1:], "")
    parts = tuple(_delimited(part, after) for part, after in zip(parts, following, strict=True))
    literals = "".join(part for part in parts if not isinstance(part, _Expansion))
    if _printable(literals.encode("utf-8", "surrogatepass")) and not set(literals) & set("\"$`\\!'"):
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


def _printf(raw: bytes) -> str:
    """The command that writes these bytes; POSIX leaves a dash in front to be an option, so it is escaped too."""
    first = f"\\{raw[0]:03o}" if raw[:1] == b"-" else ""
    return f"printf '{first}{''.join([_ESCAPED[byte] for byte in raw[len(first) > 0 :]])}'"


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
        if auth.header is not None:
            separator = ": " if auth.header else ";"  # curl's spelling of an empty header
            return ["-H", _word(f"Authorization{separator}", *self._fill(auth.header, request))]
        if auth.scheme is None:
            return []
        if auth.scheme == "Basic":
            return ["-u", self._pair(request)]
        return ["-H", _word(f"Authorization: {auth.scheme} ", self._basic(request))]

    def _pair(self, request: Request) -> str:
        return _word(*self._fill(request.auth.user, request), ":", *self._fill(request.auth.secret, request))

    def _basic(self, request: Request) -> _Expansion:
        return _Expansion(f"$(printf '%s' {self._pair(request)} | base64 | tr -d '\\n')")

    def _fill(self, template: str, request: Request) -> list[str]:
        parts = re.split(r"\{(sid|token|truncated|swapped|other_sid|other_token|basic)\}", template)
        return [self._value(part, request) if position % 2 else part for position, part in enumerate(parts)]

    def _value(self, name: str, request: Request) -> str:
        if name == "basic":
            return self._basic(request)
        index = request.account
        if name.startswith("other_"):
            index = (index + 1) % max(len(self._accounts), 2)
        account = self._accounts[index] if index < len(self._accounts) else ShellAccount()
        if name.endswith("sid"):
            return account.user or _Expansion(
                f"$CONFORMANCE_SID_{index + 1}" if index else "$TWILIO_ACCOUNT_SID"
            )
        variable = account.variable or (f"CONFORMANCE_TOKEN_{index + 1}" if index else "TWILIO_AUTH_TOKEN")
        if account.throwaway:
            token = f"${{{variable}:-{_default(account.throwaway)}}}"
            if name == "swapped":
                return _swapped(token)
            return _Expansion(f'$(t="{token}"; printf \'%s\' "${{t%?}}")' if name == "truncated" else token)
        if index:
            self._unexplained[variable] = quote(account.user or "another account")
        if name == "swapped":
            return _swapped(f"${variable}")
        return _Expansion(f"${{{variable}%?}}" if name == "truncated" else f"${variable}")


def _swapped(token: str) -> _Expansion:
    return _Expansion(f"$(printf '%s' \"{token}\" | tr 'a-zA-Z' 'A-Za-z')")


def _default(token: str) -> str:
    return token if re.fullmatch(r"[A-Za-z0-9_.-]+", token) else f"$({_printf(token.encode())})"


def _line(exchange: Exchange, url: str, credentials: _Credentials, options: Sequence[str]) -> str:
    request = exchange.request
    words = ["curl", "-sS", "-i", *map(quote, options)]
    target = exchange.url or url + (f"?{request.query}" if request.query else "")
    if any(bracket in target for bracket in "{}[]"):
        words.append("-g")  # else curl reads them as a pattern of several URLs
    if target.startswith("https:"):
        words.append("--http1.1")  # the version the suite speaks
    if exchange.response is not None and exchange.response.header("content-encoding"):
        words.append("--compressed")
    # RFC 9110 8.6: where content is anticipated, its absence is said by Content-Length: 0.
    body = b"" if request.body is None and request.method in ("POST", "PUT", "PATCH") else request.body
    words += [*_method(request.method, body), *_patience(exchange, body), *credentials.arguments(request)]
    words += [word for header in _headers(exchange, body) for word in ("-H", quote(header))]
    source = ""
    if body is not None and _printable(body) and len(body) < 100_000:
        words += ["--data-raw", _single(body.decode("ascii"))]
    elif body is not None:
        # Linux limits one argument to 128 KiB; a shell's own printf has no limit.
        source = f"{_printf(body)} | "
        words += ["--data-binary", "@-"]
    return source + " ".join([*words, quote(target)])


def _method(method: str, body: bytes | None) -> list[str]:
    if method == "HEAD" and body is None:
        return ["-I"]
    return [] if method == ("GET" if body is None else "POST") else ["-X", quote(method)]


def _patience(exchange: Exchange, body: bytes | None) -> list[str]:
    timed_out = exchange.failure is not None and exchange.failure.kind is FailureKind.TIMEOUT
    # Given a body to send, curl does not know that a HEAD is answered without one, and waits for it.
    if timed_out or (exchange.request.method == "HEAD" and body is not None):
        return ["-m", str(max(5, math.ceil(exchange.elapsed)))]
    return []


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
        yield "Transfer-Encoding: chunked"
    if body is not None and len(body) >= 1024 and "expect" not in own:
        yield "Expect:"  # else curl may ask first whether it may send a large body


def _header(name: str, value: str) -> str:
    return f"{name}: {value}" if value else f"{name};"

"""An exchange as lines of Python that send the same bytes again with httpx."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby, pairwise
from urllib.parse import urlsplit

from conformance.http import ByHand, Exchange, Request
from conformance.reporting.curl import FILLED_IN, ShellAccount, patience_of, pieces_of, spelled, target_of
from conformance.reporting.raw import login_name, raw_parts

_IMPORTS = (
    *(f"import {name}" for name in ("base64", "os", "socket", "ssl", "time")),
    "from concurrent.futures import ThreadPoolExecutor",
)
_BASIC = 'def basic(user, secret):\n    return base64.b64encode(f"{user}:{secret}".encode()).decode()\n\n'
_CHANGED = (
    'lambda text, place: "".join('
    '"12"[each == "1"] if at == place % len(text) else each for at, each in enumerate(text))'
)
_OF_TOKEN = {
    "escaped": 'lambda token: "".join(f"%{byte:02x}" for byte in token.encode())',
    "full_width": 'lambda token: token.translate({digit: digit + 0xFEE0 for digit in b"0123456789abcdef"})',
}
"""Python for the placeholders that change each character of a token, as `conformance.transport.credentials` has it."""
_PRINT = "print(answer.status_code, answer.headers, answer.text)"


def httpx_snippet(
    exchanges: Sequence[Exchange],
    *,
    url: str = "",
    accounts: Sequence[ShellAccount] = (),
    options: Sequence[str] = (),
) -> str:
    """Return Python that repeats the requests in order and prints the answers; the arguments are those of `curl()`."""
    names: dict[str, str] = {}
    if any(each.request.by_hand for each in exchanges):
        return _over_socket(exchanges, url, accounts, names)
    sent: list[str] = []
    for together, group in groupby(exchanges, key=lambda each: each.together):
        several = list(group)
        calls = [", ".join(_arguments(each, target_of(each, url), accounts, names)) for each in several]
        if several[0].request.after:
            sent.append(f"time.sleep({several[0].request.after:g})")
        if together:
            submitted = ", ".join(f"pool.submit(client.request, {call})" for call in calls)
            sent += ["with ThreadPoolExecutor() as pool:", f"    sent = [{submitted}]"]
            sent += ["for each in sent:", "    answer = each.result()", f"    {_PRINT}"]
        else:
            sent += [line for call in calls for line in (f"answer = client.request({call})", _PRINT)]
    given = dict(pairwise(options))
    settings: dict[str, str | int | None] = {"verify": given.get("--cacert"), "proxy": given.get("--proxy")}
    settings["timeout"] = max(map(patience_of, exchanges), default=0)
    client = ["trust_env=False", *(f"{name}={value!r}" for name, value in settings.items() if value)]
    return _program([f"with httpx.Client({', '.join(client)}) as client:", *_indented(sent)], names, "httpx")


def _program(lines: Sequence[str], names: dict[str, str], package: str = "") -> str:
    body = [*(f"{name} = {value}" for name, value in names.items()), *lines]
    text = _BASIC * any("basic(" in line for line in lines) + "\n".join(body)
    imports = [line for line in _IMPORTS if re.search(rf"\b{line.split()[-1]}[.(]", text)]
    if package:
        imports += [*[""] * bool(imports), f"import {package}"]
    return "\n".join([*imports, "", text])


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def _over_socket(
    exchanges: Sequence[Exchange], url: str, accounts: Sequence[ShellAccount], names: dict[str, str]
) -> str:
    """Python that writes the requests to a socket, since no client's library writes them so."""
    at = urlsplit(target_of(exchanges[0], url))
    port = at.port or (443 if at.scheme == "https" else 80)
    lines = [f"connection = socket.create_connection(({at.hostname!a}, {port}), 10)"]
    if at.scheme == "https":
        wrapped = f"ssl.create_default_context().wrap_socket(connection, server_hostname={at.hostname!a})"
        lines.append(f"connection = {wrapped}")
    for exchange in exchanges:
        parts: list[str] = []
        for head, rest, request in raw_parts(exchange, target_of(exchange, url)):
            login = _authorization(request, partial(_text, request=request, accounts=accounts, names=names))
            if parts and request.by_hand is ByHand.SEGMENTS:
                lines += [*_sending(parts), "time.sleep(1)"]
                parts.clear()
            parts += [
                f"{head!r}",
                *([f'("{login_name(request)}: " + {login} + "\\r\\n").encode()'] if login else []),
                f"{rest!r}",
            ]
        lines += [*_sending(parts), "time.sleep(1)", "print(connection.recv(65536).decode())"]
    return _program(lines, names)


def _sending(parts: Sequence[str]) -> list[str]:
    added = _indented(f"{'+ ' if number else ''}{part}" for number, part in enumerate(parts))
    return ["connection.sendall(", *added, ")"]


def _arguments(
    exchange: Exchange, target: str, accounts: Sequence[ShellAccount], names: dict[str, str]
) -> Iterator[str]:
    request, auth = exchange.request, exchange.request.auth
    yield from (f'"{request.method}"', ascii(target))
    if request.body is not None:
        parts = [f"{unit!r}{f' * {count}' * (count > 1)}" for unit, count in pieces_of(request.body)]
        content = " + ".join(parts) or "b''"
        yield f"content={f'iter([{content}])' if request.chunked else content}"
    headers: list[tuple[str, str]] = []
    text = partial(_text, request=request, accounts=accounts, names=names)
    if auth.header is None and auth.scheme == "Basic":
        yield f"auth=({text(auth.user)}, {text(auth.secret)})"
    elif value := _authorization(request, text):
        headers.append(("Authorization", value))
    if request.content_type is not None:
        headers.append(("Content-Type", ascii(request.content_type)))
    # httpx encodes text as ASCII; bytes go out as they are.
    headers += [(name, repr(each if each.isascii() else each.encode())) for name, each in request.headers]
    if headers:
        yield f"headers=[{', '.join(f'({name!a}, {value})' for name, value in headers)}]"


def _authorization(request: Request, text: Callable[[str], str]) -> str:
    """A Python expression of the value of the Authorization header; empty where there is none."""
    auth = request.auth
    if auth.header is None and auth.scheme is None:
        return ""
    value = text(f"{auth.scheme} {{basic}}" if auth.header is None else auth.header)
    if "{basic}" in value:
        value += f".replace('{{basic}}', basic({text(auth.user)}, {text(auth.secret)}))"
    return value


def _text(template: str, request: Request, accounts: Sequence[ShellAccount], names: dict[str, str]) -> str:
    """Return a Python expression for a template of credentials, in which `{basic}` stays as it is."""
    parts = FILLED_IN.split(template)
    parts[::2] = [each.replace("{", "{{").replace("}", "}}") for each in parts[::2]]
    for place, name in enumerate(parts[1::2]):
        parts[2 * place + 1] = (
            "{{basic}}" if name == "basic" else f"{{{_name(name, request, accounts, names)}}}"
        )
    return parts[1][1:-1] if parts[::2] == ["", ""] and "{{" not in parts[1] else f"f{''.join(parts)!a}"


def _name(name: str, request: Request, accounts: Sequence[ShellAccount], names: dict[str, str]) -> str:
    index, account, variable = spelled(name, request.account, accounts)
    name, _, place = name.partition("~")
    kind, default = ("sid", account.user) if name.endswith("sid") else ("token", account.throwaway)
    known = ascii(default) if kind == "sid" else f'os.environ.get("{variable}", {default!a})'
    own = f"{kind}_{index + 1}" if index else kind
    names[own] = known if default else f'os.environ["{variable}"]'
    if place:
        names["changed"] = _CHANGED
        return f"changed({own}, {place})"
    if name in _OF_TOKEN:
        names[name] = _OF_TOKEN[name]
        return f"{name}({own})"
    return own + {
        "truncated": "[:-1]",
        "swapped": ".swapcase()",
        "reversed": "[::-1]",
        "digits_of_sid": "[2:]",
        "short_sid": "[:-1]",
    }.get(name, "")

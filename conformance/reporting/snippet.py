"""An exchange as lines of Python that send the same bytes again with httpx."""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from conformance.http import Auth, Exchange, FailureKind, Request
from conformance.reporting.curl import ShellAccount

_PRINT = "print(answer.status_code, answer.headers, answer.text)"


def httpx_snippet(
    exchanges: Sequence[Exchange],
    *,
    url: str = "",
    accounts: Sequence[ShellAccount] = (),
    ca_file: str = "",
) -> str:
    """
    Python that repeats the requests in order and prints the answers.

    Args:
        exchanges: what is repeated; responses and failures only tell how long httpx should wait.
        url: the resource, for exchanges that do not say where they were sent.
        accounts: how to spell each account's credentials; missing ones are read from the environment.
        ca_file: certificates to trust, PEM; empty for the usual ones.
    """
    names = _Names(accounts)
    sent: list[str] = []
    at_once = any(exchange.together for exchange in exchanges)
    for together, group in groupby(exchanges, key=lambda each: each.together):
        calls = [_arguments(exchange, url, names) for exchange in group]
        sent += _at_once(calls) if together else [line for call in calls for line in _in_turn(call)]
    patience = max((each.elapsed for each in exchanges if _timed_out(each)), default=0)
    options = [
        "trust_env=False",
        *([f"verify={ca_file!r}"] if ca_file else []),
        *([f"timeout={max(5, round(patience + 0.5))}"] if patience else []),
    ]
    imports = [
        name for name in ("base64", "os") if any(f"{name}." in each for each in [*sent, *names.lines()])
    ]
    return "\n".join(
        [
            *(f"import {name}" for name in imports),
            *(["from concurrent.futures import ThreadPoolExecutor"] if at_once else []),
            *([""] if imports or at_once else []),
            "import httpx",
            "",
            *names.lines(),
            f"with httpx.Client({', '.join(options)}) as client:",
            *(f"    {line}" for line in sent),
        ]
    )


def _timed_out(exchange: Exchange) -> bool:
    return exchange.failure is not None and exchange.failure.kind is FailureKind.TIMEOUT


class _Names:
    """Spells credentials as Python names, and remembers which were used."""

    def __init__(self, accounts: Sequence[ShellAccount]) -> None:
        self._accounts = accounts
        self._used: dict[str, str] = {}

    def lines(self) -> list[str]:
        """The assignments of the names that were used."""
        return [f"{name} = {value}" for name, value in self._used.items()]

    def text(self, template: str, auth: Auth, account: int) -> str:
        """A Python expression of the text that a template stands for."""
        parts = re.split(r"\{(sid|token|truncated|swapped|other_sid|other_token|basic)\}", template)
        literal = "".join(parts[::2])
        names = [self._name(name, auth, account) for name in parts[1::2]]
        if not literal and len(names) == 1:
            return names[0]
        spelled = [
            ascii(part) if position % 2 == 0 else names[position // 2] for position, part in enumerate(parts)
        ]
        return " + ".join(part for part in spelled if part != "''") or "''"

    def _name(self, name: str, auth: Auth, account: int) -> str:
        if name == "basic":
            return self.basic(auth, account)
        if name == "truncated":
            return f"{self._name('token', auth, account)}[:-1]"
        if name == "swapped":
            return f"{self._name('token', auth, account)}.swapcase()"
        if name.startswith("other_"):
            account = (account + 1) % max(len(self._accounts), 2)
        shown = self._accounts[account] if account < len(self._accounts) else ShellAccount()
        suffix = f"_{account + 1}" if account else ""
        if name.endswith("sid"):
            sid = f"CONFORMANCE_SID{suffix}" if account else "TWILIO_ACCOUNT_SID"
            return self._use(f"sid{suffix}", ascii(shown.user) if shown.user else f'os.environ["{sid}"]')
        variable = shown.variable or (f"CONFORMANCE_TOKEN{suffix}" if account else "TWILIO_AUTH_TOKEN")
        default = f'os.environ.get("{variable}", {shown.throwaway!a})'
        return self._use(f"token{suffix}", default if shown.throwaway else f'os.environ["{variable}"]')

    def _use(self, name: str, value: str) -> str:
        self._used[name] = value
        return name

    def basic(self, auth: Auth, account: int) -> str:
        """A Python expression of the base64 of user name and password."""
        pair = self.text(f"{auth.user}:{auth.secret}", auth, account)
        return f"base64.b64encode(({pair}).encode()).decode()"


def _in_turn(call: str) -> Iterator[str]:
    yield f"answer = client.request({call})"
    yield _PRINT


def _at_once(calls: Sequence[str]) -> Iterator[str]:
    yield f"with ThreadPoolExecutor({len(calls)}) as pool:"
    yield "    sent = ["
    yield from (f"        pool.submit(client.request, {call})," for call in calls)
    yield "    ]"
    yield "for each in sent:"
    yield "    answer = each.result()"
    yield f"    {_PRINT}"


def _arguments(exchange: Exchange, url: str, names: _Names) -> str:
    request = exchange.request
    target = exchange.url or url + (f"?{request.query}" if request.query else "")
    arguments = [f'"{request.method}"', ascii(target)]
    if request.body is not None:
        half = len(request.body) // 2
        parts = (request.body[:half], request.body[half:])
        arguments.append(f"content={f'iter({parts!r})' if request.chunked else repr(request.body)}")
    headers = list(_headers(request, names))
    if headers:
        arguments.append(f"headers=[{', '.join(headers)}]")
    if request.auth.header is None and request.auth.scheme == "Basic":
        pair = (
            names.text(each, request.auth, request.account)
            for each in (request.auth.user, request.auth.secret)
        )
        arguments.append(f"auth=({', '.join(pair)})")
    return ", ".join(arguments)


def _headers(request: Request, names: _Names) -> Iterator[str]:
    auth = request.auth
    if auth.header is not None:
        yield f'("Authorization", {names.text(auth.header, auth, request.account)})'
    elif auth.scheme not in (None, "Basic"):
        yield f'("Authorization", {f"{auth.scheme} "!a} + {names.basic(auth, request.account)})'
    if request.content_type is not None:
        yield f'("Content-Type", {request.content_type!a})'
    for name, value in request.headers:
        # httpx encodes text as ASCII; bytes go out as they are.
        yield f"({name!a}, {ascii(value) if value.isascii() else repr(value.encode())})"

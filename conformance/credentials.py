"""Credentials: whose they are, and every spelling in which a token must not show up again."""

import base64
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import AnyStr
from urllib.parse import quote, unquote_to_bytes

from conformance.model import Auth, Exchange

_SHORT = 8
"""Shorter tokens occur in ordinary text: they are redacted as whole words only, and never taken for leaks."""

_PLACEHOLDER = re.compile(r"\{(sid|token|truncated|swapped|other_sid|other_token)\}")


@dataclass(frozen=True, slots=True)
class Account:
    """
    Credentials of one account.

    Args:
        sid: The Account SID; None when only an API key is known.
        token: The Auth Token, or the API key's secret; never shown.
        username: The API key's SID, when it is sent in place of the Account SID.
    """

    sid: str | None
    token: str = field(repr=False)
    username: str | None = None

    @property
    def user(self) -> str:
        """The user name of the Basic scheme."""
        return self.username or self.sid or ""


THROWAWAY = (
    Account("AC" + "decade" + "0" * 25 + "a", "f00d" + "0" * 27 + "a"),
    Account("AC" + "decade" + "0" * 25 + "b", "beef" + "0" * 27 + "b"),
)
"""Public credentials for targets on loopback that take any; they open nothing."""


def authorization(auth: Auth, account: Account, other: Account | None) -> tuple[str, str] | None:
    """
    The value of the Authorization header (RFC 7617), and the same with its placeholders left as they are.

    Raises:
        ValueError: The template names another account, and there is none.
    """
    if auth.header is None and auth.scheme is None:
        return None
    values = {
        "sid": account.user,
        "token": account.token,
        "truncated": account.token[:-1],
        "swapped": account.token.swapcase(),
    }
    if other is not None:
        values |= {"other_sid": other.user, "other_token": other.token}

    def value(match: re.Match[str]) -> str:
        if match[1] not in values:
            raise ValueError(f"{match[0]} needs a second account")
        return values[match[1]]

    header = f"{auth.scheme} {{basic}}" if auth.header is None else auth.header
    pair = f"{auth.user}:{auth.secret}"
    basic = base64.b64encode(_PLACEHOLDER.sub(value, pair).encode()).decode()
    return _PLACEHOLDER.sub(value, header).replace("{basic}", basic), header.replace("{basic}", pair)


class Secrets:
    """
    The accounts' tokens in every spelling in which they could show up.

    Args:
        accounts: Whose tokens.
        public: Text that any answer may hold; a token that is part of it cannot be told from it.
    """

    def __init__(self, accounts: Iterable[Account], public: str) -> None:
        self._spellings = [_spellings(account) for account in accounts if account.token]
        said = "\n".join([public, *(f"{account.sid}\n{account.username}" for account in accounts)])
        self._telling = [
            [spelling.encode() for spelling in spellings]
            for spellings in self._spellings
            if len(spellings[0]) >= _SHORT and spellings[0] not in said
        ]
        every = sorted({each for spellings in self._spellings for each in spellings}, key=len, reverse=True)
        pattern = "|".join(
            re.escape(each) if len(each) >= _SHORT else rf"(?<!\w){re.escape(each)}(?!\w)" for each in every
        )
        self._text = re.compile(pattern or r"(?!)")
        self._bytes = re.compile((pattern or r"(?!)").encode())

    def redact(self, data: AnyStr) -> AnyStr:
        """The same text or bytes with `{token}` in place of every token."""
        if isinstance(data, bytes):
            return self._bytes.sub(b"{token}", data)
        return self._text.sub("{token}", data)

    def leaks(self, exchange: Exchange) -> bool:
        """Whether the answer holds a token that the request did not hold outside its credentials."""
        if exchange.response is None:
            return False
        response, request = exchange.response, exchange.request
        headers = "\n".join([value for _, value in response.headers]).encode("latin-1")
        for spellings in self._telling:
            if any(each in response.body or each in headers for each in spellings):
                asked = (request.body or b"") + b"\n" + request.query.encode()
                asked += b"\n" + unquote_to_bytes(asked)
                if not any(each in asked for each in spellings):
                    return True
        return False


def _spellings(account: Account) -> list[str]:
    """A token as it is, percent-encoded, as in JSON, and as in the base64 of anything that holds it."""
    token = account.token
    found = [token, quote(token, safe=""), json.dumps(token)[1:-1]]
    raw = token.encode()
    if len(raw) >= _SHORT:
        for shift in range(3):  # the three ways in which it can lie across groups of three bytes
            encoded = base64.b64encode(bytes(shift) + raw).decode()
            found.append(encoded[-(-shift * 8 // 6) : (shift + len(raw)) * 8 // 6])
    else:
        found.append(base64.b64encode(f"{account.user}:{token}".encode()).decode().rstrip("="))
    return list(dict.fromkeys(found))

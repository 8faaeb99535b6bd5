"""Credentials: whose they are, and how a request carries them."""

import base64
import re
from dataclasses import dataclass, field

from conformance.http import Auth

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

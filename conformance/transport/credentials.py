"""Accounts with their credentials, and the Authorization header that carries them."""

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
        sid: The Account SID; None where only an API key is known.
        token: The Auth Token, or the secret of the API key. No output may show it.
        username: The SID of the API key that is sent in place of the Account SID; None to send the Account SID.
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
"""Made-up, public credentials for targets on loopback, which accept any; they open nothing."""


def authorization(auth: Auth, account: Account, other: Account | None) -> tuple[str, str] | None:
    """
    Return the value of the Authorization header (RFC 7617), and the same with placeholders in place of secrets.

    None where the template sends no credentials.

    Args:
        auth: The template.
        account: The account whose credentials fill it in.
        other: The next account; None where there is none.

    Raises:
        ValueError: The template names the next account, and there is none.
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

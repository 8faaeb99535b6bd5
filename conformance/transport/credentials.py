"""Accounts with their credentials, from the environment alone, and the Authorization header that carries them."""

import base64
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from conformance.exceptions import ConfigurationError
from conformance.http import PLACEHOLDER, Auth

_PLACEHOLDER = re.compile(rf"\{{({PLACEHOLDER})\}}")

OF_TOKEN: Mapping[str, Callable[[str], str]] = {
    "truncated": lambda token: token[:-1],
    "swapped": str.swapcase,
    "reversed": lambda token: token[::-1],
    "escaped": lambda token: "".join(f"%{byte:02x}" for byte in token.encode()),
    "full_width": lambda token: token.translate({digit: digit + 0xFEE0 for digit in b"0123456789abcdef"}),
}
"""By placeholder of `conformance.http.Auth`, the function that changes the token."""


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


def secret(accounts: Iterable[Account]) -> list[Account]:
    """Return the accounts whose tokens are secret: all but the throw-away ones."""
    return [account for account in accounts if account not in THROWAWAY]


ACCOUNT_SID = "AC[0-9a-fA-F]{32}"
"""A pattern of the SID of an account."""

SET_BOTH = "set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN"
SET_KEY = "TWILIO_API_KEY and TWILIO_API_SECRET"
"""Parts of messages that say which variables to set."""


def accounts_from(environ: Mapping[str, str]) -> tuple[Account, ...]:
    """
    Return the accounts that the environment names, each SID once.

    The account of TWILIO_ACCOUNT_SID or TWILIO_API_KEY comes before those of CONFORMANCE_ACCOUNTS.

    Raises:
        ConfigurationError: A variable is malformed, or one of a pair is missing.
    """
    sid = environ.get("TWILIO_ACCOUNT_SID", "")
    token = environ.get("TWILIO_AUTH_TOKEN", "")
    key = environ.get("TWILIO_API_KEY", "")
    secret = environ.get("TWILIO_API_SECRET", "")
    if sid.startswith("SK"):
        raise ConfigurationError(f"TWILIO_ACCOUNT_SID holds an API key; set {SET_KEY} instead")
    if sid and not re.fullmatch(ACCOUNT_SID, sid):
        raise ConfigurationError(
            "TWILIO_ACCOUNT_SID is not an Account SID: set it to AC and 32 hexadecimal digits"
        )
    found = []
    if key or secret:
        if not (key and secret):
            raise ConfigurationError(f"only one of {SET_KEY} is set; set both or neither")
        if not re.fullmatch("SK[0-9a-fA-F]{32}", key):
            raise ConfigurationError(
                "TWILIO_API_KEY is not an API key: set it to SK and 32 hexadecimal digits"
            )
        found.append(Account(sid or None, _token("TWILIO_API_SECRET", secret), key))
    elif sid or token:
        if not (sid and token):
            raise ConfigurationError(
                f"only one of TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN is set; {SET_BOTH}"
            )
        found.append(Account(sid, _token("TWILIO_AUTH_TOKEN", token)))
    entries = [entry.strip() for entry in environ.get("CONFORMANCE_ACCOUNTS", "").split(",")]
    for number, entry in enumerate(filter(None, entries), 1):
        where = f"CONFORMANCE_ACCOUNTS: entry {number}"
        sid, _, token = entry.partition(":")
        if not (re.fullmatch(ACCOUNT_SID, sid) and token):
            raise ConfigurationError(f"{where} is not an Account SID, a colon and its Auth Token")
        found.append(Account(sid, _token(where, token)))
    by_sid: dict[str | None, Account] = {}
    for account in found:
        by_sid.setdefault(account.sid, account)
    return tuple(by_sid.values())


def _token(where: str, token: str) -> str:
    """Return a token; refuse it where no header can carry it (RFC 7617 2 forbids control characters)."""
    if re.search(r"[\x00-\x1f\x7f]", token):
        raise ConfigurationError(
            f"{where}: the token holds a control character, perhaps a line end; remove it"
        )
    try:
        token.encode("latin-1")
    except UnicodeEncodeError:
        raise ConfigurationError(
            f"{where}: the token holds a character outside ISO 8859-1; copy it again"
        ) from None
    return token


def with_one_changed(text: str, place: int) -> str:
    """Return a text with another character at one place, counted from 0; a place beyond the end is counted on."""
    place %= max(len(text), 1)
    return text[:place] + ("1" if text[place : place + 1] != "1" else "2") + text[place + 1 :]


def authorization(auth: Auth, account: Account, other: Account | None) -> tuple[str, str] | None:
    """
    Return the value of the Authorization header (RFC 7617), and the same with placeholders in place of secrets.

    None where the template sends no credentials. `other` is the next account; None where there is none.

    Raises:
        ValueError: The template names the next account, and there is none.
    """
    if auth.header is None and auth.scheme is None:
        return None
    values = {
        "sid": account.user,
        "token": account.token,
        "digits_of_sid": account.user[2:],
        "short_sid": account.user[:-1],
        **{name: change(account.token) for name, change in OF_TOKEN.items()},
    }
    if other is not None:
        values |= {"other_sid": other.user, "other_token": other.token}

    def value(match: re.Match[str]) -> str:
        name, changed, place = match[1].partition("~")
        if name not in values:
            raise ValueError(f"{match[0]} needs a second account")
        return with_one_changed(values[name], int(place)) if changed else values[name]

    header = f"{auth.scheme} {{basic}}" if auth.header is None else auth.header
    pair = f"{auth.user}:{auth.secret}"
    basic = base64.b64encode(_PLACEHOLDER.sub(value, pair).encode()).decode()
    return _PLACEHOLDER.sub(value, header).replace("{basic}", basic), header.replace("{basic}", pair)

"""Passwords and user names that are nearly right."""

import re
import unicodedata
from collections.abc import Callable
from functools import reduce
from urllib.parse import unquote

from conformance.emulator.alterations import WITNESS_ACCOUNTS, Fault, Install, Step, fault
from conformance.emulator.behaviour import Behaviour, parse_credentials
from conformance.emulator.faults import credential_mistakes as logins
from conformance.emulator.messages import Call

SID, TOKEN = next(iter(WITNESS_ACCOUNTS.items()))
A = "DefaultInactiveTimer=PT1H"


def _without_place(text: str, place: int) -> str:
    return text[:place] + text[place + 1 :]


def _difference(token: str, sent: str) -> int:
    return reduce(lambda sum_, pair: sum_ ^ ord(pair[0]) ^ ord(pair[1]), zip(token, sent, strict=True), 0)


def _named(read: Callable[[str], str]) -> Install:
    """Return a mistake: the account of refused credentials is found by a changed user name."""

    def account(behaviour: Behaviour, call: Call) -> str | None:
        name, password = parse_credentials(call) or ("", "")
        return read(name) if password and behaviour.accounts.get(read(name)) == password else None

    return logins.credentials(account)


def _of_any_kind(behaviour: Behaviour, call: Call) -> str | None:
    """Find the account by the digits of the user name."""
    name, password = parse_credentials(call) or ("", "")
    named = "AC" + name[2:] if re.match("[A-Z]{2}", name) else ""
    return named if password and behaviour.accounts.get(named) == password else None


def _by_token(behaviour: Behaviour, call: Call) -> str | None:
    """Find the account by the token alone."""
    _, password = parse_credentials(call) or ("", "")
    return next((name for name, token in behaviour.accounts.items() if token == password), None)


def _by_beginning(behaviour: Behaviour, call: Call) -> str | None:
    """Find the account by the beginning of its SID."""
    name, password = parse_credentials(call) or ("", "")
    known = (sid for sid, token in behaviour.accounts.items() if sid.startswith(name) and token == password)
    return next(known, None) if len(name) > len(SID) // 2 else None


def _of_user_name(behaviour: Behaviour, call: Call) -> str | None:
    """Let the user name pass for the token."""
    name, password = parse_credentials(call) or ("", "")
    return name if name in behaviour.accounts and name == password else None


def _fault(name: str, text: str, install: Install, credentials: str) -> Fault:
    return fault(
        name, "credentials-required", "near-credentials", text, install, [Step(A, credentials=credentials)]
    )


def _password(name: str, text: str, passes: Callable[[str, str], bool], sent: str) -> Fault:
    """Return a fault: a password passes where the function of token and password says so."""
    install = logins.passwords(lambda token, sent: token is not None and passes(token, sent))
    return _fault(f"password-{name}", text, install, f"{SID}:{sent}")


# fmt: off
ALL: tuple[Fault, ...] = (
    _password("first-character-unchecked", "A token is compared from its second character on.",
      lambda token, sent: bool(sent) and token[1:] == sent[1:], "x" + TOKEN[1:]),
    _password("last-character-unchecked", "A token is compared up to the character before its last.",
      lambda token, sent: bool(sent) and token[:-1] == sent[:-1], TOKEN[:-1] + "x"),
    _password("middle-unchecked", "Only the first and the last eight characters of a token are compared.",
      lambda token, sent: len(token) == len(sent) and (token[:8], token[-8:]) == (sent[:8], sent[-8:]),
      TOKEN[:12] + "xx" + TOKEN[14:]),
    _password("character-between-blocks-unchecked",
      "A token is compared in blocks of sixteen characters, and the one between two blocks is skipped.",
      lambda token, sent: len(token) == len(sent) and _without_place(token, 16) == _without_place(sent, 16),
      TOKEN[:16] + "x" + TOKEN[17:]),
    _password("differences-cancel",
      "Differences of characters are gathered by exclusive or, so that two equal ones cancel each other.",
      lambda token, sent: len(token) == len(sent) and not _difference(token, sent),
      TOKEN[1] + TOKEN[0] + TOKEN[2:]),
    _password("percent-decoded", "A password is percent-decoded, as in a URL.",
      lambda token, sent: unquote(sent) == token, f"%{ord(TOKEN[0]):02x}{TOKEN[1:]}"),
    _password("blanks-dropped", "Blanks within a password are dropped.",
      lambda token, sent: sent.replace(" ", "") == token, f"{TOKEN[:10]} {TOKEN[10:]}"),
    _password("up-to-nul", "A password ends at a NUL.",
      lambda token, sent: sent.partition("\0")[0] == token, TOKEN + "\0x"),
    _password("up-to-line-end", "Only the first line of a password is read.",
      lambda token, sent: sent.partition("\n")[0] == token, TOKEN + "\nx"),
    _password("folded", "A password is brought into compatible form (NFKC), so that full-width letters pass.",
      lambda token, sent: unicodedata.normalize("NFKC", sent) == token,
      chr(ord(TOKEN[0]) + 0xFEE0) + TOKEN[1:]),
    _fault("user-name-followed-by-blanks", "Blanks behind a user name are dropped.", _named(str.rstrip),
      f"{SID} :{TOKEN}"),
    _fault("user-name-with-domain", "A user name ends at an @ sign.",
      _named(lambda name: name.partition("@")[0]), f"{SID}@example.com:{TOKEN}"),
    _fault("user-name-shortened", "A user name passes that is the beginning of a SID.",
      logins.credentials(_by_beginning), f"{SID[:-1]}:{TOKEN}"),
    _fault("user-name-of-another-kind", "Of a user name only the digits are looked at, whatever kind of SID it is.",
      logins.credentials(_of_any_kind), f"SK{SID[2:]}:{TOKEN}"),
    _fault("user-name-ignored", "The account is found by its token alone.", logins.credentials(_by_token),
      f":{TOKEN}"),
    _fault("password-equal-to-user-name", "An account's SID passes for its token.",
      logins.credentials(_of_user_name), f"{SID}:{SID}"),
)
# fmt: on

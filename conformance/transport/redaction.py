"""Redaction: every spelling in which a token, or an Account SID that is to be masked, must not show up."""

import base64
import re
from collections.abc import Iterable
from typing import AnyStr
from urllib.parse import quote

from conformance.http import Exchange
from conformance.transport.credentials import Account

_SHORT = 8
"""Shorter tokens occur in ordinary text: they are redacted as whole words only, and never taken for leaks."""

_DRAWN = 24
_STRIDE = 4
_DISTINCT = 5
"""A token of so many letters and digits was drawn at random. Pieces of one are redacted too: those of a little more
than `_SHORT` characters, so many of them different."""

_URL_SAFE = str.maketrans("+/", "-_")

# How a text may spell a character: percent-encoded, escaped as in JSON, as a reference as in HTML. White space, and
# what stands for a line end, is left out, so that what is in pieces on several lines is put together.
_SPELLED = re.compile(
    r"%([0-9A-Fa-f]{2})|\\u([0-9A-Fa-f]{4})|&#[xX]([0-9A-Fa-f]{1,5});|&#([0-9]{1,6});"
    r"|\\([\"\\/])|\\[nrt]|[=\\]\r?\n|\s+"
)


def _character(match: re.Match[str]) -> str:
    hexadecimal = match[1] or match[2] or match[3]
    if hexadecimal or match[4]:
        character = chr(int(hexadecimal, 16) if hexadecimal else int(match[4]))
        return "" if character.isspace() else character
    return match[5] or ""


def _plain(text: str) -> str:
    return _SPELLED.sub(_character, text)


class _Hidden:
    """Something that no text may show, in any of its spellings; of what is random enough, no piece either."""

    def __init__(self, spellings: Iterable[str], instead: str, *, pieces: bool) -> None:
        plain = dict.fromkeys(_plain(each).lower() for each in spellings)
        self._whole = sorted(plain, key=len, reverse=True)
        self._all = "\n".join(plain)
        self._instead = instead
        self._pieces = pieces
        telling = set(self._whole)
        if pieces:
            # Of every piece a little longer than this, one of these is a part.
            telling |= {
                each[at : at + _SHORT] for each in plain for at in range(0, len(each) - _SHORT + 1, _STRIDE)
            }
        self._telling = [each for each in telling if each in self._whole or self._is_random(each)]

    def is_in(self, plain: str) -> bool:
        """Whether a text, plain and in lower case, shows it."""
        return any(each in plain for each in self._telling)

    def hide(self, text: str) -> str:
        """The text with something else in its place."""
        characters, starts, ends = self._spelled(text)
        plain = "".join(characters)
        parts, done, at = [], 0, 0
        while at < len(plain):
            size = self._size(plain, at)
            if not size:
                at += 1
                continue
            parts += [text[done : starts[at]], self._instead]
            done = ends[at + size - 1]
            at += size
        return "".join([*parts, text[done:]])

    @staticmethod
    def _spelled(text: str) -> tuple[list[str], list[int], list[int]]:
        """The characters of a text, each with where its spelling begins and ends."""
        characters: list[str] = []
        starts: list[int] = []
        ends: list[int] = []

        def add(character: str, start: int, end: int) -> None:
            if character:
                lower = character.lower()
                characters.append(lower if len(lower) == 1 else character)
                starts.append(start)
                ends.append(end)

        done = 0
        for match in _SPELLED.finditer(text):
            for at in range(done, match.start()):
                add(text[at], at, at + 1)
            add(_character(match), *match.span())
            done = match.end()
        for at in range(done, len(text)):
            add(text[at], at, at + 1)
        return characters, starts, ends

    def _size(self, plain: str, at: int) -> int:
        """How many characters from here on are to be hidden."""
        for each in self._whole:
            if plain.startswith(each, at):
                return len(each)
        size = _SHORT
        if not self._pieces or at + size > len(plain) or plain[at : at + size] not in self._all:
            return 0
        while at + size < len(plain) and plain[at : at + size + 1] in self._all:
            size += 1
        return size if self._is_random(plain[at : at + size]) else 0

    @staticmethod
    def _is_random(text: str) -> bool:
        return len(set(text)) >= _DISTINCT


class Secrets:
    """
    The accounts' tokens, and their SIDs where these are to be masked, in every spelling in which they could show up.

    Args:
        accounts: Whose tokens.
        public: Text that any answer may hold; a token that is part of it cannot be told from it.
        masked: Whose SIDs are masked.
    """

    def __init__(self, accounts: Iterable[Account], public: str, masked: Iterable[Account] = ()) -> None:
        accounts = [account for account in accounts if account.token]
        spellings = [_spellings(account) for account in accounts]
        self._text = [
            _Hidden(
                [each for each in every if len(each) >= _SHORT], "{token}", pieces=_is_random(account.token)
            )
            for account, every in zip(accounts, spellings, strict=True)
        ]
        for number, account in enumerate(masked, 1):
            for name in filter(None, (account.sid, account.username)):
                self._text.append(_Hidden(_encoded(name), _mask(name, number), pieces=False))
        said = "\n".join([public, *(f"{account.sid}\n{account.username}" for account in accounts)])
        self._telling = [
            [_plain(spelling.encode().decode("latin-1")) for spelling in every]
            for account, every in zip(accounts, spellings, strict=True)
            if len(account.token) >= _SHORT and account.token not in said
        ]
        short = [each for every in spellings for each in every if len(each) < _SHORT]
        self._short = re.compile("|".join(rf"(?<!\w){re.escape(each)}(?!\w)" for each in short) or r"(?!)")

    def redact(self, data: AnyStr) -> AnyStr:
        """The same text or bytes with `{token}` in place of every token, and every SID masked that is to be."""
        if isinstance(data, bytes):
            return self._redacted(data.decode("latin-1")).encode("latin-1")
        return self._redacted(data)

    def leaks(self, exchange: Exchange) -> bool:
        """Whether the answer holds a token that the request did not hold outside its credentials."""
        if exchange.response is None or not self._telling:
            return False
        response, request = exchange.response, exchange.request
        headers = "\n".join([value for _, value in response.headers])
        answer = _plain(f"{headers}\n{response.body.decode('latin-1')}")
        for spellings in self._telling:
            if any(each in answer for each in spellings):
                asked = _plain(f"{(request.body or b'').decode('latin-1')}\n{request.query}")
                if not any(each in asked for each in spellings):
                    return True
        return False

    def _redacted(self, text: str) -> str:
        text = self._short.sub("{token}", text)
        if len(text) < _SHORT:
            return text
        plain = _plain(text).lower()
        for hidden in self._text:
            if hidden.is_in(plain):
                text = hidden.hide(text)
        return text


def masked(text: str, accounts: Iterable[Account]) -> str:
    """A line of ours with every SID of an account or an API key masked, those of known accounts by their number."""
    numbers = {
        name.lower(): number
        for number, account in enumerate(accounts, 1)
        for name in (account.sid, account.username)
        if name
    }
    return re.sub(
        r"\b(?:AC|SK)[0-9a-fA-F]{32}\b",
        lambda match: _mask(match[0], numbers.get(match[0].lower(), 0)),
        text,
    )


def _is_random(token: str) -> bool:
    """Whether a token is one that was drawn, so that no piece of it occurs in ordinary text."""
    return len(token) >= _DRAWN and token.isalnum() and any(each.isdigit() for each in token)


def _mask(name: str, number: int) -> str:
    """As long as what it stands for, so that lengths stay right; the same for one account everywhere."""
    return f"{name[:2]}{number:x>{len(name) - 2}}"


def _spellings(account: Account) -> list[str]:
    """A token as it is, in UTF-8, in hexadecimal digits, and as in the base64 of anything that holds it."""
    token = account.token
    if len(token.encode()) >= _SHORT:
        return _encoded(token)
    basic = base64.b64encode(f"{account.user}:{token}".encode()).decode().rstrip("=")
    return list(dict.fromkeys([token, quote(token, safe=""), basic]))


def _encoded(text: str) -> list[str]:
    raw = text.encode()
    found = [text, raw.decode("latin-1"), raw.hex()]
    for shift in range(3):  # the three ways in which it can lie across groups of three bytes
        encoded = base64.b64encode(bytes(shift) + raw).decode()
        part = encoded[-(-shift * 8 // 6) : (shift + len(raw)) * 8 // 6]
        found += [part, part.translate(_URL_SAFE)]
    return list(dict.fromkeys(found))

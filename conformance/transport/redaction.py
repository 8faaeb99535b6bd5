"""
Takes tokens, and Account SIDs where they are masked, out of all output, in whatever spelling they stand there.

A server may echo a token percent-encoded, escaped as in JSON or HTML, in hexadecimal digits, in base64, in pieces on
several lines, or cut. It may do so up to three times over, as in JSON within JSON. A token that was drawn at random is
also found with other signs between its characters or hexadecimal digits, such as the quotes and commas of a list.

What is not found: a token in reverse, encrypted, compressed within the body, or in an encoding that is not named here.
"""

import base64
import re
from collections.abc import Callable, Iterable, Sequence
from typing import AnyStr, NamedTuple
from urllib.parse import quote

from conformance.http import Exchange
from conformance.transport.credentials import Account

_SHORT = 8
"""The length, in characters, from which a token is redacted inside words. Shorter ones occur in ordinary text."""

_DRAWN = 24
"""The length, in letters and digits, from which a token was surely drawn at random. Its pieces are redacted too."""

_STRIDE = 4
"""Characters between the pieces that are searched for first. A piece of `_SHORT + _STRIDE` contains one of them."""

_DISTINCT = 5
"""The number of different characters that a piece must have to be redacted: `00000000` occurs in ordinary text."""

_LAYERS = 3
"""Encodings, one within the other, that are taken off."""

_URL_SAFE = str.maketrans("+/", "-_")

# The spellings of one character: percent-encoded, escaped as in JSON, a reference as in HTML. White space and escaped
# line ends count as no character, so that a token in pieces on several lines is found as a whole.
_SPELLED = re.compile(
    r"%([0-9A-Fa-f]{2})|\\u([0-9A-Fa-f]{4})|&#[xX]([0-9A-Fa-f]{1,5});|&#([0-9]{1,6});"
    r"|\\([\"\\/])|\\[nrt]|[=\\]\r?\n|\s+"
)


def _character(match: re.Match[str]) -> str:
    """Return the character that a match of `_SPELLED` stands for; empty for white space and line ends."""
    hexadecimal = match[1] or match[2] or match[3]
    if hexadecimal or match[4]:
        character = chr(int(hexadecimal, 16) if hexadecimal else int(match[4]))
        return "" if character.isspace() else character
    return match[5] or ""


def _plain(text: str) -> str:
    """Return a text with every spelling replaced by the character that it stands for."""
    for _ in range(_LAYERS):
        before, text = text, _SPELLED.sub(_character, text)
        if text == before:
            break
    return text


def _condensed(plain: str) -> str:
    return re.sub("[^0-9a-z]", "", plain)


class _Read(NamedTuple):
    """The characters of a text as they are read, and the positions where each begins and ends in the text."""

    characters: list[str]
    starts: Sequence[int]
    ends: Sequence[int]

    def condensed(self) -> "_Read":
        """Leave only letters and digits."""
        kept = [at for at, each in enumerate(self.characters) if each.isascii() and each.isalnum()]
        return _Read(
            [self.characters[at] for at in kept],
            [self.starts[at] for at in kept],
            [self.ends[at] for at in kept],
        )


class _Hidden:
    """
    A secret that no text may show.

    Args:
        spellings: The encodings of the secret.
        instead: The text to put in its place.
        pieces: Whether to hide pieces of the secret too.
    """

    def __init__(self, spellings: Iterable[str], instead: str, *, pieces: bool) -> None:
        plain = dict.fromkeys(_plain(each).lower() for each in spellings)
        self._whole = sorted(plain, key=len, reverse=True)
        self._all = "\n".join(plain)
        self._instead = instead
        self._pieces = pieces
        # A token that nobody drew may well stand in ordinary text, with other signs between its letters.
        self._condensed = [each for each in self._whole if pieces and len(each) >= _DRAWN and each.isalnum()]
        searched = set(self._whole)
        if pieces:
            searched |= {
                each[at : at + _SHORT] for each in plain for at in range(0, len(each) - _SHORT + 1, _STRIDE)
            }
        self._searched = [each for each in searched if each in self._whole or self._is_random(each)]

    def is_in(self, plain: str, condensed: str) -> bool:
        """Whether a text, plain and in lower case, shows the secret; `condensed` are its letters and digits."""
        return any(each in plain for each in self._searched) or self._is_scattered(condensed)

    def _is_scattered(self, condensed: str) -> bool:
        return any(each in condensed for each in self._condensed)

    def hide(self, text: str) -> str:
        """Return a text with the secret replaced wherever it stands."""
        text = self._replaced(text, self._read(text), self._size)
        read = self._read(text).condensed()
        return (
            self._replaced(text, read, self._scattered)
            if self._is_scattered("".join(read.characters))
            else text
        )

    def _replaced(self, text: str, read: _Read, size_at: Callable[[str, int], int]) -> str:
        plain, starts, ends = "".join(read.characters), read.starts, read.ends
        parts, done, at = [], 0, 0
        while at < len(plain):
            size = size_at(plain, at)
            if not size:
                at += 1
                continue
            parts += [text[done : starts[at]], self._instead]
            done = ends[at + size - 1]
            at += size
        return "".join([*parts, text[done:]])

    @classmethod
    def _read(cls, text: str) -> _Read:
        """Read a text, with up to `_LAYERS` encodings taken off."""
        read = _Read(list(text), range(len(text)), range(1, len(text) + 1))
        for _ in range(_LAYERS):
            characters, starts, ends = cls._spelled("".join(read.characters))
            if len(characters) == len(read.characters):
                return read._replace(characters=characters)
            read = _Read(characters, [read.starts[at] for at in starts], [read.ends[at - 1] for at in ends])
        return read

    @staticmethod
    def _spelled(text: str) -> _Read:
        """Return the characters of a text, and the positions where the spelling of each begins and ends."""
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
        return _Read(characters, starts, ends)

    def _scattered(self, condensed: str, at: int) -> int:
        """Return the number of letters and digits at a position that are the secret."""
        return next((len(each) for each in self._condensed if condensed.startswith(each, at)), 0)

    def _size(self, plain: str, at: int) -> int:
        """Return the number of characters at a position that must be hidden."""
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
    The secrets of a run: tokens, and the SIDs that are masked.

    Args:
        accounts: The accounts whose tokens are secret.
        public: A text that any answer may contain. A token that is part of it is never reported as a leak.
        masked: The accounts whose SIDs are masked.
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
        known = "\n".join([public, *(f"{account.sid}\n{account.username}" for account in accounts)])
        self._leaking = [
            [_plain(spelling.encode().decode("latin-1")) for spelling in every]
            for account, every in zip(accounts, spellings, strict=True)
            if len(account.token) >= _SHORT and account.token not in known
        ]
        short = [each for every in spellings for each in every if len(each) < _SHORT]
        self._short = re.compile("|".join(rf"(?<!\w){re.escape(each)}(?!\w)" for each in short) or r"(?!)")

    def redact(self, data: AnyStr) -> AnyStr:
        """Return a text, or bytes, with `{token}` in place of every token, and with masked SIDs."""
        if isinstance(data, bytes):
            return self._redacted(data.decode("latin-1")).encode("latin-1")
        return self._redacted(data)

    def leaks(self, exchange: Exchange) -> bool:
        """Whether the response contains a token that the body, path and parameters of the request did not."""
        if exchange.response is None or not self._leaking:
            return False
        response, request = exchange.response, exchange.request
        headers = "\n".join([value for _, value in response.headers])
        answer = _plain(f"{headers}\n{response.body.decode('latin-1')}")
        for spellings in self._leaking:
            if any(each in answer for each in spellings):
                asked = _plain(f"{(request.body or b'').decode('latin-1')}\n{request.query}")
                if not any(each in asked for each in spellings):
                    return True
        return False

    def _redacted(self, text: str) -> str:
        text = self._short.sub("{token}", text)
        if len(text) < _SHORT or not self._text:
            return text
        plain = _plain(text).lower()
        condensed = _condensed(plain)
        for hidden in self._text:
            if hidden.is_in(plain, condensed):
                text = hidden.hide(text)
        return text


def masked(text: str, accounts: Iterable[Account]) -> str:
    """Return a line with every SID of an account or API key masked; the mask of a known account is its number."""
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
    """Whether a token was drawn at random, so that no piece of it occurs in ordinary text."""
    return len(token) >= _DRAWN and token.isalnum() and any(each.isdigit() for each in token)


def _mask(name: str, number: int) -> str:
    """Return the mask of a SID: its prefix and the account's number, in the length of the SID."""
    return f"{name[:2]}{number:x>{len(name) - 2}}"


def _spellings(account: Account) -> list[str]:
    """Return the encodings of a token; of a short one only those that are whole words."""
    token = account.token
    if len(token.encode()) >= _SHORT:
        return _encoded(token)
    basic = base64.b64encode(f"{account.user}:{token}".encode()).decode().rstrip("=")
    return list(dict.fromkeys([token, quote(token, safe=""), basic]))


def _encoded(text: str) -> list[str]:
    """Return a text as it is, its UTF-8 read as ISO 8859-1, in hexadecimal digits, and as parts of base64 texts."""
    raw = text.encode()
    found = [text, raw.decode("latin-1"), raw.hex()]
    for shift in range(3):  # base64 encodes groups of three bytes, of which the text may begin at any
        encoded = base64.b64encode(bytes(shift) + raw).decode()
        part = encoded[-(-shift * 8 // 6) : (shift + len(raw)) * 8 // 6]
        found += [part, part.translate(_URL_SAFE)]
    return list(dict.fromkeys(found))

"""
Removes tokens from all output, and Account SIDs where they are masked, however they are spelled.

A server may echo a token percent-encoded, escaped as in JSON or HTML, in hexadecimal digits, in base64, in pieces on
several lines, or cut. It may do so up to three times over, as in JSON within JSON. A token that was drawn at random is
also found with other signs between its characters or hexadecimal digits, such as the quotes and commas of a list, and
split over the values of an object. `docs/how-to-live-account.md` says exactly what is found and what is not.
"""

import base64
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import AnyStr
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

_LAYERS = 5
"""Encodings, one within the other, that are taken off: three, the JSON of an answer, and that of a file."""

_SIGNS = re.compile('[^0-9A-Za-z"]+|"[^"]*":|"')
"""What stands between the pieces of a token that is split: signs, and the names of an object's members."""

_URL_SAFE = str.maketrans("+/", "-_")

# The spellings of one character: percent-encoded, escaped as in JSON, a reference as in HTML. White space and escaped
# line ends count as no character, so that a token in pieces on several lines is found as a whole.
_ESCAPED = re.compile(
    r"%([0-9A-Fa-f]{2})|\\u([0-9A-Fa-f]{4})|&#[xX]([0-9A-Fa-f]{1,5});|&#([0-9]{1,6});|\\([\"\\/])|\\[nrt]"
)
_LINE_END = re.compile(r"[=\\]\r?\n")
_SPELLED = re.compile(rf"{_ESCAPED.pattern}|{_LINE_END.pattern}|\s+")


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
        # Three quick searches: `_SPELLED` would be asked at every character. This takes the most time of judging.
        before, text = text, _ESCAPED.sub(_character, "".join(_LINE_END.sub("", text).split()))
        if text == before:
            break
    return text


class _View:
    """
    A text with one layer of encodings taken off, and where each of its characters stands in the original.

    A match of `spelled` stands for one character, or for none. `below` is the view that the text is of; None where it
    is the original.
    """

    def __init__(
        self,
        text: str,
        spelled: re.Pattern[str],
        character: Callable[[re.Match[str]], str],
        below: "_View | None" = None,
    ) -> None:
        parts, done, size = [], 0, 0
        # Each pair of positions, in this text and in `text`, begins a run of characters that are the same in both.
        self._here, self._there = [0], [0]
        self._wide: dict[int, int] = {}  # where spelled characters end, here and there
        self._below = below
        for match in spelled.finditer(text):
            start, end = match.span()
            found = character(match)
            parts += [text[done:start], found]
            size += start - done + len(found)
            if found:
                self._wide[size] = end
            self._here.append(size)
            self._there.append(end)
            done = end
        self.changed = done > 0
        # The lower case of this letter alone is two characters.
        self.text = "".join([*parts, text[done:]]).replace("\u0130", "i").lower()

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return where in the original the characters between two positions begin and end."""
        first, last = self._read(start), self._wide.get(end) or self._read(end - 1) + 1
        return self._below.span(first, last) if self._below else (first, last)

    def _read(self, at: int) -> int:
        known = bisect_right(self._here, at) - 1
        return self._there[known] + at - self._here[known]


def _viewed(text: str) -> _View:
    """Return the view of a text with up to `_LAYERS` encodings taken off."""
    view = _View(text, _SPELLED, _character)
    for _ in range(_LAYERS - 1):
        if not view.changed:
            break
        view = _View(view.text, _SPELLED, _character, view)
    return view


def _places(part: str, text: str) -> Iterator[int]:
    at = text.find(part)
    while at >= 0:
        yield at
        at = text.find(part, at + len(part))


class _Hidden:
    """A secret that no text may show, in any of its spellings, or in pieces: another text is put in its place."""

    def __init__(self, spellings: Iterable[str], instead: str, *, pieces: bool) -> None:
        whole = dict.fromkeys(_plain(each).lower() for each in spellings)
        self.instead = instead
        self._whole = sorted(whole, key=len, reverse=True)
        self._all = "\n".join(whole)
        # A token that was not drawn at random may occur in ordinary text, with other signs between its letters.
        self._was_drawn = pieces and any(len(each) >= _DRAWN and each.isalnum() for each in self._whole)
        self._pieces = {
            piece
            for each in whole
            for at in range(0, len(each) - _SHORT + 1, _STRIDE)
            if pieces and len(set(piece := each[at : at + _SHORT])) >= _DISTINCT
        }

    def scattered(self, condensed: str) -> Iterator[tuple[int, int]]:
        """Yield where the secret, or a long piece of it, begins and ends in the letters and digits of a text."""
        if self._was_drawn:
            yield from self._pieces_in(condensed, _SHORT + _STRIDE)

    def found(self, plain: str) -> Iterator[tuple[int, int]]:
        """Yield where the secret, and each piece of it, begins and ends in a plain text in lower case."""
        for each in self._whole:
            for at in _places(each, plain):
                yield at, at + len(each)
        yield from self._pieces_in(plain, _SHORT)

    def _pieces_in(self, text: str, least: int) -> Iterator[tuple[int, int]]:
        done = 0
        for at in sorted(at for each in self._pieces for at in _places(each, text)):
            start, end = at, at + _SHORT
            if end <= done:
                continue
            while end < len(text) and text[start : end + 1] in self._all:
                end += 1
            while start and text[start - 1 : end] in self._all:
                start -= 1
            done = end
            if end - start >= least:
                yield start, end


class Secrets:
    """
    The secrets of a run: tokens, and the SIDs that are masked.

    A token that is part of the public text is never reported as a leak: any answer may contain that.
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
            (
                [_plain(spelling.encode().decode("latin-1")) for spelling in every],
                [spelling for spelling in every if _is_random(account.token) and spelling.isalnum()],
            )
            for account, every in zip(accounts, spellings, strict=True)
            if len(account.token) >= _SHORT and account.token not in known
        ]
        short = [each for every in spellings for each in every if len(each) < _SHORT]
        self._short = (
            re.compile("|".join(rf"(?<!\w){re.escape(each)}(?!\w)" for each in short)) if short else None
        )

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
        names, values = zip(*response.headers, strict=True) if response.headers else ((), ())
        answer = _bare([response.reason, *names, *values, response.body.decode("latin-1")])
        shown = [each for each in self._leaking if _is_in(each, answer)]
        if not shown:
            return False
        asked = _bare([(request.body or b"").decode("latin-1"), request.query])
        return not all(_is_in(each, asked) for each in shown)

    def _redacted(self, text: str) -> str:
        if self._short:
            text = self._short.sub("{token}", text)
        if len(text) < _SHORT or not self._text:
            return text
        view = _viewed(text)
        spans = [
            (*view.span(*each), hidden.instead) for hidden in self._text for each in hidden.found(view.text)
        ]
        condensed = _SIGNS.sub("", view.text)
        scattered = [(*each, hidden.instead) for hidden in self._text for each in hidden.scattered(condensed)]
        if scattered:
            letters = _View(view.text, _SIGNS, lambda _: "", view)
            spans += [(*letters.span(start, end), instead) for start, end, instead in scattered]
        parts, done = [], 0
        for start, end, instead in sorted(spans, key=lambda span: (span[0], -span[1])):
            if start >= done:
                parts += [text[done:start], instead]
            done = max(done, end)
        return "".join([*parts, text[done:]])


def _bare(texts: Iterable[str]) -> tuple[str, str]:
    """Return texts as one, with encodings taken off, and the same without what may stand between pieces of a token."""
    plain = _plain("\n".join(texts))
    return plain, _SIGNS.sub("", plain)


def _is_in(spellings: tuple[Sequence[str], Sequence[str]], bare: tuple[str, str]) -> bool:
    return any(each in text for every, text in zip(spellings, bare, strict=True) for each in every)


def masked(text: str, accounts: Iterable[Account]) -> str:
    """Return a line with every SID of an account or API key masked; the mask of a known account is its number."""
    numbers = {
        name.lower(): number
        for number, account in enumerate(accounts, 1)
        for name in (account.sid, account.username)
        if name
    }
    return re.sub(
        r"\b(?:AC|SK)[0-9a-fA-F]{32}\b", lambda match: _mask(match[0], numbers.get(match[0].lower(), 0)), text
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

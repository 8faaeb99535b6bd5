"""A token in the spellings in which the suite promises to find it, and what a reader could still learn of it."""

import base64
import contextlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from html import unescape
from itertools import product
from urllib.parse import unquote_to_bytes

from conformance.transport.credentials import Account

SID = "AC" + "5eeda11ce0" * 3 + "42"
TOKEN = "9f1c07e3b5d84a62" + "c8d1704fe93ab26d"  # of nobody
ACCOUNT = Account(SID, TOKEN)


def percent(text: str) -> str:
    """Percent-encode every character."""
    return "".join(f"%{ord(each):02X}" for each in text)


def escaped(text: str) -> str:
    """Escape every character as in JSON."""
    return "".join(f"\\u{ord(each):04x}" for each in text)


def referred(text: str) -> str:
    """Write every character as a reference, as in HTML."""
    return "".join(f"&#{ord(each)};" for each in text)


def folded(text: str, width: int = 20) -> str:
    """Cut a text into lines."""
    return "\r\n".join(text[at : at + width] for at in range(0, len(text), width))


def pieces(text: str, size: int) -> list[str]:
    """Cut a text into pieces."""
    return [text[at : at + size] for at in range(0, len(text), size)]


_LAYERS: Mapping[str, Callable[[str], str]] = {
    "percent-encoded": percent,
    "escaped as in JSON": escaped,
    "as references": referred,
    "as in JSON, in JSON": lambda text: json.dumps(escaped(text))[1:-1],
}


def _plain(token: str, sid: str) -> Iterator[tuple[str, str]]:
    raw, pair = token.encode(), f"{sid}:{token}".encode()
    yield "as it is", token
    yield "in capitals", token.upper()
    yield "in hexadecimal", raw.hex()
    yield "in capital hexadecimal", raw.hex().upper()
    yield "in base64", base64.b64encode(raw).decode()
    yield "as the Basic value", base64.b64encode(pair).decode()
    yield (
        "in the URL-safe base64 of something longer",
        base64.urlsafe_b64encode(f"??>{token}".encode()).decode(),
    )


def spellings(token: str = TOKEN, sid: str = SID) -> dict[str, str]:
    """Return some 150 texts that spell a token out, by the names of the spellings."""
    plain = dict(_plain(token, sid))
    found = dict(plain)
    for (layer, around), (name, text) in product(_LAYERS.items(), plain.items()):
        found[f"{name}, {layer}"] = around(text)
    for (one, inner), (two, outer) in product(_LAYERS.items(), repeat=2):
        if "as in JSON, in JSON" not in (one, two):
            found[f"{one}, then {two}"] = outer(inner(token))
    for layers in product((percent, escaped, referred), repeat=3):
        text = token
        for around in layers:
            text = around(text)
        found[" and ".join(each.__name__ for each in layers)] = text
    for size, sign in product((1, 2, 3, 4, 8), (":", " ", "-", ", ", "','", " + ", "\\n")):
        found[f"{size} a piece, with {sign}"] = sign.join(pieces(token, size))
    for sign in (":", " ", "-", ", 0x", "','"):
        if "0x" not in sign:  # the x is no sign
            found[f"in hexadecimal with {sign}"] = sign.join(pieces(token.encode().hex(), 2))
    for size in (1, 2, 4, 8):
        found[f"a list of pieces of {size}"] = json.dumps(pieces(token, size))
        members = {f"part{number}": each for number, each in enumerate(pieces(token, size))}
        found[f"members of {size} each"] = json.dumps(members)
        found[f"members of {size} each, on lines"] = json.dumps(members, indent=1)
        found[f"members of {size} each, in JSON"] = json.dumps(json.dumps(members))
    for width in (6, 13, 20):
        found[f"on lines of {width}"] = folded(token, width)
        found[f"on lines of {width} in JSON"] = "\\n".join(pieces(token, width))
        found[f"on lines of {width} of base64"] = folded(plain["as the Basic value"], width)
        found[f"on quoted-printable lines of {width}"] = "=\r\n".join(pieces(token, width))
        found[f"on folded header lines of {width}"] = "\r\n ".join(pieces(token, width))
    found["partly percent-encoded"] = token[:5] + percent(token[5:9]) + token[9:]
    found["in pieces between other text"] = f"{token[:12]} and {token[12:24]} and {token[24:]}"
    found["less its last character"] = token[:-1]
    found["less its first characters"] = token[7:]
    found["as UTF-16"] = token.encode("utf-16-le").decode()
    found["as UTF-16, the other way round"] = token.encode("utf-16-be").decode()
    found["as UTF-32"] = token.encode("utf-32-le").decode()
    return found


def told(text: str, token: str = TOKEN) -> list[str]:
    """Return the pieces of a token, of 12 characters, that a reader could learn from a text."""
    texts = [text.lower()]
    for _ in range(4):
        text = unquote_to_bytes(text.encode("utf-8", "surrogatepass")).decode("latin-1")
        text = re.sub(r"\\*\\u([0-9a-fA-F]{4})", lambda match: chr(int(match[1], 16)), text)
        text = re.sub(r"\s|\\+[nrt]|=\r?\n", "", unescape(text))
        texts.append(text.lower())
    for condensed in (
        re.sub("[^0-9a-z]", "", re.sub(names, "", texts[-1])) for names in (r'\\*"\w*\\*":', "$^")
    ):
        texts.append(condensed)
        for skip in range(2):
            digits = re.sub("[^0-9a-f]", "", condensed)[skip:]
            texts.append(bytes.fromhex(digits[: len(digits) // 2 * 2]).decode("latin-1").lower())
    for run in re.findall(r"[A-Za-z0-9+/_-]{12,}", text):
        for skip in range(4):
            with contextlib.suppress(ValueError):  # it is no base64
                part = run[skip:].translate(str.maketrans("-_", "+/"))
                texts.append(base64.b64decode(part[: len(part) // 4 * 4]).decode("latin-1").lower())
    runs = re.findall(r"(?:[0-9A-Fa-f]{2}){12,}", text)
    texts += [bytes.fromhex(run).decode("latin-1").lower() for run in runs]
    known = {token[at : at + 12] for at in range(len(token) - 11)}
    return sorted(piece for piece in known if any(piece in each for each in texts))

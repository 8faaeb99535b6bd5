"""Mistakes in decoding forms that show in some spellings of some bytes alone."""

import re
from urllib.parse import unquote_to_bytes

from conformance.emulator.alterations import Fault, Install, Step, fault
from conformance.emulator.behaviour import Behaviour
from conformance.emulator.faults import protocol_mistakes as forms
from conformance.emulator.faults.hidden.combinations import (
    UNREAD_CHAT,
    UNREAD_CLOSED,
    UNREAD_INACTIVE,
    unread,
)
from conformance.emulator.faults.hidden.occasions import only, post
from conformance.emulator.faults.protocol import ALPHABET, SYNTAX
from conformance.emulator.forms import Pairs, decode_form, decode_text
from conformance.emulator.messages import Call

A = "DefaultInactiveTimer=PT1H"


def _bytes(body: bytes, pattern: bytes, replacement: bytes) -> Pairs:
    return decode_form(re.sub(pattern, replacement, body))


def _percent_u(body: bytes) -> Pairs:
    """Decode %u0050, as unescape() of JavaScript does."""
    return _bytes(body, rb"%u00([0-9a-fA-F]{2})", rb"%\1")


def _overlong(body: bytes) -> Pairs:
    """Decode ASCII that UTF-8 spells in two bytes instead of one."""
    spelled = re.compile(rb"%[cC]([01])%([89abAB])([0-9a-fA-F])")

    def short(match: re.Match[bytes]) -> bytes:
        return b"%%%02x" % (int(match[1]) << 6 | int(match[2] + match[3], 16) & 0x3F)

    return decode_form(spelled.sub(short, body))


def _lower_case_in_names(body: bytes) -> Pairs:
    """Know hexadecimal digits in upper case only, in names."""
    sequences = [sequence.partition(b"=") for sequence in body.split(b"&") if sequence]
    return [
        (decode_text(re.sub(rb"%(?=[0-9a-f]?[a-f])", b"%25", name)), decode_text(value))
        for name, _, value in sequences
    ]


def _eight_escapes(body: bytes) -> Pairs:
    """Decode the first eight escapes of a value."""

    def decoded(value: bytes) -> str:
        parts = value.split(b"%", 9)
        return decode_text(b"%".join(parts[:9])) + (
            f"%{parts[9].decode('latin-1')}" if len(parts) > 9 else ""
        )

    sequences = [sequence.partition(b"=") for sequence in body.split(b"&") if sequence]
    return [(decode_text(name), decoded(value)) for name, _, value in sequences]


def _in_blocks(body: bytes) -> Pairs:
    """Decode a form in blocks of 64 bytes; an escape across their boundary stays."""
    blocks = [body[at : at + 64] for at in range(0, len(body), 64)]
    kept = [re.sub(rb"%(?![0-9a-fA-F]{2})", b"%25", block) for block in blocks]
    return decode_form(b"".join(kept))


def _name_takes_next(body: bytes) -> Pairs:
    """Let a name without an equals sign take the next pair for its value."""
    return _bytes(body, rb"(?:(?<=&)|\A)([^=&]+)&([^=&]+)=", rb"\1=\2%3D")


def _nul_in_name_ends(body: bytes) -> Pairs:
    """Stop at a name that holds a NUL."""
    pairs = decode_form(body)
    ends = [index for index, (name, _) in enumerate(pairs) if "\0" in name]
    return pairs[: ends[0]] if ends else pairs


def _names_encoded(call: Call) -> bool:
    return post(call) and re.search(rb"(?:\A|&)[^=&]*%", call.body) is not None


def _broken_escape(call: Call) -> bool:
    return post(call) and re.search(rb"%(?![0-9a-fA-F]{2})", call.body) is not None


def _not_utf_8(call: Call) -> bool:
    try:
        unquote_to_bytes(call.body).decode()
    except UnicodeDecodeError:
        return post(call)
    return False


def _empty_pair(call: Call) -> bool:
    return post(call) and b"&&" in call.body


def _unread(*parameters: str) -> Install:
    def install(behaviour: Behaviour) -> None:
        unread(behaviour, *parameters)

    return install


def _fault(name: str, rules: str, text: str, install: Install, *witness: str | Step) -> Fault:
    return fault(name, rules, "encodings", text, install, witness)


# fmt: off
ALL: tuple[Fault, ...] = (
    _fault("percent-u-decoded", f"form-decoding {SYNTAX} {ALPHABET}",
      "An escape such as %u0050 is decoded, as by JavaScript's unescape().", forms.decodes(_percent_u),
      "DefaultInactiveTimer=%u0050T1H"),
    _fault("overlong-utf-8-decoded", f"form-decoding {SYNTAX} {ALPHABET}",
      "ASCII that is spelled in two bytes of UTF-8 is decoded.", forms.decodes(_overlong),
      "DefaultInactiveTimer=%C1%90T1H"),
    _fault("lower-case-escapes-in-names-undecoded", "form-decoding",
      "In names, escapes with lower-case digits are not decoded.", forms.decodes(_lower_case_in_names),
      "Default%49nactive%54imer=PT1H&DefaultC%6cosedTimer=P1D"),
    _fault("ninth-escape-undecoded", "form-decoding", "The first eight escapes of a value are decoded.",
      forms.decodes(_eight_escapes), "DefaultInactiveTimer=%50%54%30%30%30%30%30%30%31H"),
    _fault("escape-across-blocks-undecoded", "form-decoding",
      "A form is decoded in blocks of 64 bytes, and an escape across their boundary stays.",
      forms.decodes(_in_blocks), f"DefaultClosedTimer=P1D&x={'y' * 16}&DefaultInactiveTimer=%50T1H"),
    _fault("name-without-equals-takes-next", "form-decoding last-write-wins",
      "A name without an equals sign takes the next pair for its value.", forms.decodes(_name_takes_next),
      f"x&{A}"),
    _fault("nul-in-name-ends-form", "form-decoding last-write-wins", "A form ends at a name that holds a NUL.",
      forms.decodes(_nul_in_name_ends), f"x%00=y&{A}"),
    _fault("encoded-names-unread", f"form-decoding unvalidated-write {UNREAD_INACTIVE}",
      "Where a name has an escape the validator does not find it, and the inactive timer is kept unread.",
      only(_names_encoded, _unread("DefaultInactiveTimer")), "Default%49nactiveTimer=banana"),
    _fault("broken-escape-skips-validation", f"form-decoding {UNREAD_CLOSED}",
      "A form with a broken escape is read by a lenient parser, which keeps the closed timer unread.",
      only(_broken_escape, _unread("DefaultClosedTimer")), "x=100%&DefaultClosedTimer=banana"),
    _fault("empty-pair-skips-validation", f"form-decoding {UNREAD_CHAT}",
      "A form with an empty pair is read by a lenient parser, which keeps the chat service unread.",
      only(_empty_pair, _unread("DefaultChatServiceSid")), f"{A}&&DefaultChatServiceSid=banana"),
    _fault("invalid-utf-8-skips-validation", f"form-decoding unvalidated-write {UNREAD_INACTIVE}",
      "A form that is not UTF-8 is read as Latin-1 by older code, which keeps the inactive timer unread.",
      only(_not_utf_8, _unread("DefaultInactiveTimer")), "x=%FF&DefaultInactiveTimer=banana"),
)
# fmt: on

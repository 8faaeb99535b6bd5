"""`application/x-www-form-urlencoded`, decoded as the URL Standard has it (url.spec.whatwg.org 5.1)."""

from urllib.parse import unquote_to_bytes

Pairs = list[tuple[str, str]]


def decode_form(body: bytes) -> Pairs:
    """Return the name-value pairs of a form body, in the order in which they were sent.

    Empty sequences between `&` are skipped, `+` is a blank, a broken escape stands literally, and bytes
    that are not UTF-8 become U+FFFD. No input is refused.
    """
    pairs: Pairs = []
    for sequence in body.split(b"&"):
        if sequence:
            name, _, value = sequence.partition(b"=")
            pairs.append((decode_text(name), decode_text(value)))
    return pairs


def decode_text(encoded: bytes) -> str:
    """Return one name or value, percent-decoded and read as UTF-8."""
    return unquote_to_bytes(encoded.replace(b"+", b" ")).decode("utf-8", "replace")

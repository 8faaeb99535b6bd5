"""Reads a document from the web; nothing is sent but the request for it."""

import httpcore

_LARGEST = 50_000_000
"""Bytes; the vendor's own document of all Conversations has under one million."""
_PATIENCE = dict.fromkeys(("connect", "read", "write", "pool"), 30.0)
"""Seconds."""


def download(url: str) -> bytes:
    """
    Return the content at an address. Redirects are not followed, and no proxy of the environment is used.

    Raises:
        OSError: There is no such content, or it is too large.
        ValueError: The text is no address.
    """
    if not url.isascii():
        raise ValueError("no address of the web: it has a character beyond ASCII")
    content = bytearray()
    try:
        with httpcore.stream("GET", url, extensions={"timeout": _PATIENCE}) as response:
            if response.status != 200:
                raise OSError(f"status {response.status}")
            for chunk in response.iter_stream():
                content += chunk
                if len(content) > _LARGEST:
                    raise OSError(f"it has more than {_LARGEST:,} bytes")
    except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError) as error:
        raise OSError(str(error) or type(error).__name__) from None
    except httpcore.UnsupportedProtocol as error:
        raise ValueError(f"no address of the web: {error}") from None
    return bytes(content)

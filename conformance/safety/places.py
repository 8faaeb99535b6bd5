"""Decides whether two URLs may lead to one target, so that two runs that name it differently do not collide."""

import ipaddress
import posixpath
import socket
from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

from conformance.transport.connections import are_private, host_of

_HERE = "this machine"
"""Stands for every address of this machine: a server usually listens on all of them."""

_PORTS = {"http": 80, "https": 443}


def places(url: str, addresses: Sequence[str]) -> tuple[str, ...]:
    """
    Return the places that a base URL leads to. Two URLs with a place in common may lead to the same settings.

    A place has an address, a port and a path. Where the host is neither this machine nor private, its name stands for
    the address: many names share the addresses of a public service. The IP addresses of the host may be unknown.
    """
    parts, host = urlsplit(url), host_of(url)
    port = parts.port or _PORTS.get(parts.scheme, 0)
    path = posixpath.normpath(f"/{unquote(parts.path).strip('/')}")
    if host == "localhost" or host.endswith(".localhost"):  # loopback by RFC 6761 6.3
        addresses = ("127.0.0.1",)
    elif not addresses and _is_address(host):
        addresses = (host,)
    where = {_HERE if _is_here(each) else each if are_private([each]) else host for each in addresses}
    return tuple(sorted(f"{each} {port} {path}" for each in where or {host}))


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_here(address: str) -> bool:
    """Whether an address is one of this machine's."""
    plain = ipaddress.ip_address(address)
    plain = getattr(plain, "ipv4_mapped", None) or plain
    if plain.is_loopback or plain.is_unspecified:
        return True
    if not are_private([address]):
        return False
    try:
        family = socket.AF_INET if plain.version == 4 else socket.AF_INET6
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((str(plain), 9))  # it sends nothing; it chooses the address to send from
            return ipaddress.ip_address(probe.getsockname()[0]) == plain
    except OSError:
        return False

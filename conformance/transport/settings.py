"""The settings of a target: how to reach it, and how many requests to send."""

from dataclasses import dataclass, field

from conformance.transport.credentials import THROWAWAY, Account

TIME_TO_PUT_BACK = 60.0
"""
Seconds that a run may take longer because settings are put back, and that it waits meanwhile where the target asks.

An outage of half a minute fits in. A limited rate has its time besides.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetSettings:
    """
    The settings of a `Target`.

    Args:
        url: The base URL, without `/v1/Configuration`.
        accounts: The accounts whose credentials are sent, the main one first.
        timeout: Seconds that one exchange may take, from connecting to the last byte.
        max_body: The greatest number of bytes of a body that are read, before and after decoding.
        max_requests: The greatest number of requests, without the reserve; None for no limit.
        reserve: The number of further requests, for `send(..., reserve=True)` alone.
        rate: The greatest number of requests per second; None for no limit.
        patience: Seconds that the run may wait, in all, because the target asks for it.
        max_time: Seconds within which requests may be sent; the reserve has `TIME_TO_PUT_BACK` more. None for no limit.
        refusals: The greatest number of requests that may end with 429 after the last try.
        seed: The seed of the jitter in waits.
        ca_file: The file of trusted certificates, in PEM; None for those that are usual here.
        addresses: The addresses of the host to connect to, without another look-up; None to look it up each time.
        proxy: The URL of a proxy; None for none. Proxies that the environment names are never used.
        by_hand: Whether requests may be written by hand.
    """

    url: str
    accounts: tuple[Account, ...] = THROWAWAY
    timeout: float = 10.0
    max_body: int = 1 << 20
    max_requests: int | None = None
    reserve: int = 8
    rate: float | None = None
    patience: float = 300.0
    max_time: float | None = None
    refusals: int = 3
    seed: int = 0
    ca_file: str | None = None
    addresses: tuple[str, ...] | None = None
    proxy: str | None = field(default=None, repr=False)  # it may hold a password
    by_hand: bool = True

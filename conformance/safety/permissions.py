"""Permissions: a run changes settings on another machine only where its user allows that."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from conformance.exceptions import ConfigurationError
from conformance.transport.connections import are_private, host_of
from conformance.transport.credentials import Account

_VENDOR = "twilio.com"
_VENDOR_PROFILE, _VENDOR_RATE = "quick", 1.0
"""The profile and the requests per second at twilio.com, unless the user chooses others."""


def is_vendor(url: str) -> bool:
    """Whether a URL names the vendor's own service, in any spelling and whatever addresses the name has here."""
    host = host_of(url)
    return host == _VENDOR or host.endswith(f".{_VENDOR}")


def refuse_public(url: str, addresses: Sequence[str], proxied: bool) -> None:
    """
    Refuse a target that is neither loopback nor private.

    Raises:
        ConfigurationError: It is not, as far as its addresses tell.
    """
    # A name without an address is reported when the run connects. Behind a proxy it may still have one.
    if is_vendor(url) or ((addresses or proxied) and not are_private(addresses)):
        raise ConfigurationError(
            f"{host_of(url)} is neither loopback nor private, and a run changes the settings "
            "of the account; add --live if the account is there for tests"
        )


def limit_vendor(
    url: str,
    values: dict[str, Any],
    given: Mapping[str, str],
    accounts: Sequence[Account],
    *,
    endless: Collection[str],
) -> None:
    """
    For twilio.com, require --i-own, and put into the settings the quick profile at 1 request per second as defaults.

    Raises:
        ConfigurationError: An account is not said to be the user's own, or the run would have no end.
    """
    host, vendor = host_of(url), is_vendor(url)
    owned = {sid.lower() for sid in values["i_own"]}
    if vendor or (owned and values["live"]):
        for account in accounts:
            if account.sid is None:
                raise ConfigurationError(
                    f"{account.user} is an API key: set TWILIO_ACCOUNT_SID too, to the account of the key"
                )
            if account.sid.lower() not in owned:
                raise ConfigurationError(
                    f"a run changes the settings of {account.sid} on {host}: if it is your own, and there for "
                    "tests, add --i-own and its SID"
                )
    if vendor:
        if "profile" not in given:
            values["profile"] = _VENDOR_PROFILE
        if "rate" not in given:
            values["rate"] = _VENDOR_RATE
        if values["profile"] in endless and "max_requests" not in given:
            raise ConfigurationError(
                f"the profile {values['profile']} has no end: add --max-requests for {host}"
            )

"""
The reference emulator as a test double, for the tests of an application.

In pytest the fixture `conformance_emulator` has one. Elsewhere:

    from conformance.testing import emulator

    with emulator() as double:
        configure_my_application(double.url, double.account_sid, double.auth_token)
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from conformance.emulator.control import Control, Received
from conformance.emulator.server import controlled
from conformance.transport.credentials import THROWAWAY

__all__ = ["Double", "Received", "emulator"]


@dataclass(frozen=True, slots=True)
class Double:
    """A running emulator, and what a test may ask of it."""

    url: str
    """The base URL, without `/v1/Configuration`."""
    account_sid: str
    auth_token: str
    """The credentials of the account that a test uses where it needs only one."""
    accounts: dict[str, str]
    """The tokens of all accounts, by SID."""
    control: Control

    @property
    def requests(self) -> tuple[Received, ...]:
        """The requests since the last `reset`, oldest first; at most 1,000."""
        return tuple(self.control.requests)

    @property
    def state(self) -> dict[str, str | None]:
        """The values of the account `account_sid`, by attribute."""
        return self.control.state()[self.account_sid]

    def reset(self) -> None:
        """Unset every value; forget the requests, and the failures to come."""
        self.control.reset()

    def seed(self, account_sid: str | None = None, **values: str | None) -> None:
        """
        Set values of an account by their attributes, such as `default_closed_timer="PT10M"`.

        Args:
            account_sid: The account; without it, `account_sid` of this emulator.
            values: The values; None unsets one. What is left out stays as it is.

        Raises:
            BadSeed: An account or an attribute is unknown, or a value would be refused. Nothing was set.
        """
        self.control.seed({account_sid or self.account_sid: values})

    def fail_next(self, fault: str | None = None, *, status: int | None = None, times: int = 1) -> None:
        """
        Answer the next requests as an implementation with a mistake would, or with an error.

        Args:
            fault: The name of a fault; `conformance serve --list-faults` has them.
            status: The status of an error, from 400 to 599, given instead of a fault.
            times: The number of requests.

        Raises:
            EmulatorError: There is no such fault, or the arguments do not fit together.
        """
        self.control.fail_next(fault, status=status, times=times)


@contextmanager
def emulator() -> Iterator[Double]:
    """Serve an emulator on a free port of loopback, from a thread of this process, for use in a `with` statement."""
    accounts = {account.user: account.token for account in THROWAWAY}
    with controlled(accounts) as (url, control):
        sid, token = next(iter(accounts.items()))
        yield Double(url=url, account_sid=sid, auth_token=token, accounts=accounts, control=control)

"""The mistakes of `protocol` that concern credentials, as functions."""

import base64
import binascii
from collections.abc import Callable

from conformance.emulator.alterations import Install
from conformance.emulator.behaviour import Behaviour, parse_credentials, unauthorized
from conformance.emulator.messages import ApiError, Call

# From the account's token (None for an unknown account) and the password that was sent.
Check = Callable[[str | None, str], bool]


def passwords(check: Check) -> Install:
    """Return a mistake: another check of passwords. An unknown account that passes it counts as the first one."""

    def install(behaviour: Behaviour) -> None:
        def authenticate(call: Call) -> str:
            name, password = parse_credentials(call) or ("", "")
            if not name or not check(behaviour.accounts.get(name), password):
                raise unauthorized("Authenticate")
            return name if name in behaviour.accounts else next(iter(behaviour.accounts))

        behaviour.authenticate = authenticate

    return install


def credentials(read: Callable[[Behaviour, Call], str | None]) -> Install:
    """Return a mistake: `read` gives the account of refused credentials, or None where they stay refused."""

    def install(behaviour: Behaviour) -> None:
        inner = behaviour.authenticate

        def authenticate(call: Call) -> str:
            try:
                return inner(call)
            except ApiError:
                account = read(behaviour, call)
                if account is None:
                    raise
                return account

        behaviour.authenticate = authenticate

    return install


def first_account(behaviour: Behaviour) -> str:
    """Return the first account."""
    return next(iter(behaviour.accounts))


def missing(behaviour: Behaviour, call: Call) -> str | None:
    """Treat a request without credentials as one of the first account."""
    return None if call.header(b"authorization") else first_account(behaviour)


def any_token(behaviour: Behaviour, call: Call) -> str | None:
    """Let every account's token pass for every account."""
    name, password = parse_credentials(call) or ("", "")
    return name if name in behaviour.accounts and password in behaviour.accounts.values() else None


def swapped(behaviour: Behaviour, call: Call) -> str | None:
    """Let user name and password change places."""
    password, name = parse_credentials(call) or ("", "")
    return name if password and behaviour.accounts.get(name) == password else None


def up_to_second_colon(behaviour: Behaviour, call: Call) -> str | None:
    """Split at every colon and use the first two parts."""
    name, password = parse_credentials(call) or ("", "")
    return name if password and behaviour.accounts.get(name) == password.partition(":")[0] else None


def other_scheme(behaviour: Behaviour, call: Call) -> str | None:
    """Let a Bearer token pass that is an account's token, or its SID."""
    scheme, _, value = (call.header(b"authorization") or "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    owners = [name for name, token in behaviour.accounts.items() if value in (name, token)]
    return owners[0] if owners else None


def trimmed(behaviour: Behaviour, call: Call) -> str | None:
    """Trim blanks around user name and password."""
    name, password = (part.strip() for part in parse_credentials(call) or ("", ""))
    return name if password and behaviour.accounts.get(name) == password else None


def undecodable(behaviour: Behaviour, call: Call) -> str | None:
    """Let credentials pass that cannot be decoded, the exception being swallowed."""
    scheme, _, value = (call.header(b"authorization") or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        return None if b":" in base64.b64decode(value, validate=True) else first_account(behaviour)
    except binascii.Error:
        return first_account(behaviour)


def name_of_any_case(behaviour: Behaviour, call: Call) -> str | None:
    """Compare user name and password in lower case."""
    name, password = parse_credentials(call) or ("", "")
    for account, token in behaviour.accounts.items():
        if (account.lower(), token.lower()) == (name.lower(), password.lower()):
            return account
    return None


def unauthenticated(*methods: str) -> Install:
    """Return a mistake: some methods need no credentials."""
    return credentials(lambda behaviour, call: first_account(behaviour) if call.method in methods else None)


def writes_before_credentials(behaviour: Behaviour) -> None:
    """Write an update before the credentials are refused."""
    inner = behaviour.authenticate

    def authenticate(call: Call) -> str:
        try:
            return inner(call)
        except ApiError:
            name, _ = parse_credentials(call) or ("", "")
            if call.method == "POST" and name in behaviour.accounts:
                values = behaviour.collect(behaviour.pairs(call))
                behaviour.store.update(name, behaviour.validate(name, values))
            raise

    behaviour.authenticate = authenticate


def unauthorized_as(
    status: int, *headers: tuple[str, str], when: Callable[[Call], object] | None = None
) -> Install:
    """Return a mistake: refused credentials get another status, or other headers."""

    def install(behaviour: Behaviour) -> None:
        inner = behaviour.authenticate

        def authenticate(call: Call) -> str:
            try:
                return inner(call)
            except ApiError as error:
                if when is not None and not when(call):
                    raise
                raise ApiError(status, error.code, error.message, *headers) from None

        behaviour.authenticate = authenticate

    return install


def scheme_must(condition: Callable[[str], bool]) -> Install:
    """Return a mistake: only schemes in certain letters are known."""

    def install(behaviour: Behaviour) -> None:
        inner = behaviour.authenticate

        def authenticate(call: Call) -> str:
            if not condition((call.header(b"authorization") or "").partition(" ")[0]):
                raise unauthorized("Authentication Error - No credentials provided")
            return inner(call)

        behaviour.authenticate = authenticate

    return install

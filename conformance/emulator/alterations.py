"""What can be built into the emulator: faults, each of which breaks one rule, and legal variants.

A fault is as small as the mistake of an implementer: everything else stays right. A variant breaks no rule at
all; it decides otherwise where the document is silent. Either replaces stages of a `Behaviour`, and carries
requests that show it: at least one is answered otherwise than by the reference.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from conformance.emulator.behaviour import FORM, Behaviour

Level = Literal["MUST", "SHOULD"]
Install = Callable[[Behaviour], None]

_TIMER_RULES: Mapping[str, Level] = {
    "syntax": "MUST",
    "minimum": "MUST",
    "boundary": "MUST",
    "accept": "MUST",
    "echo": "MUST",
    "notation": "SHOULD",
    "strictness": "SHOULD",
}
_SID_RULES: Mapping[str, Level] = {
    "prefix": "MUST",
    "length": "MUST",
    "alphabet": "MUST",
    "anchoring": "MUST",
    "accept": "MUST",
    "echo": "MUST",
    "verbatim": "SHOULD",
    "strictness": "SHOULD",
}

# How sure the rule is that a fault breaks: MUST by the document or an RFC, SHOULD by its literal reading.
RULES: Mapping[str, Level] = {
    **{
        f"{timer}-{rule}": _TIMER_RULES[rule]
        for timer in ("inactive-timer", "closed-timer")
        for rule in _TIMER_RULES
    },
    **{
        f"{sid}-{rule}": _SID_RULES[rule]
        for sid in ("chat-service-sid", "messaging-service-sid")
        for rule in _SID_RULES
    },
    "any-subset": "MUST",
    "parameter-order": "MUST",
    "accepted-status": "MUST",
    "refusal-status": "SHOULD",
    "media-type": "MUST",
    "json-body": "MUST",
    "response-schema": "MUST",
    "timer-representation": "MUST",
    "account-sid": "MUST",
    "account-sid-present": "SHOULD",
    "resource-url": "MUST",
    "resource-links": "SHOULD",
    "documented-headers": "MUST",
    "omitted-parameters-kept": "MUST",
    "rejected-update-changes-nothing": "MUST",
    "last-write-wins": "MUST",
    "read-after-write": "MUST",
    "read-reflects-writes": "SHOULD",
    "idempotence": "MUST",
    "accounts-apart": "MUST",
    "concurrent-writers": "MUST",
    "safe-methods": "MUST",
    "empty-update": "SHOULD",
    "credentials-required": "MUST",
    "credentials-status": "SHOULD",
    "challenge": "MUST",
    "scheme-case": "MUST",
    "media-type-case": "MUST",
    "charset-parameter": "SHOULD",
    "accept-header": "MUST",
    "chunked-body": "MUST",
    "form-decoding": "MUST",
    "allow-header": "MUST",
    "framing": "MUST",
    "repeated-parameters": "MUST",
    "unvalidated-write": "MUST",
    "implemented": "MUST",
    "no-server-error": "MUST",
    "every-request-answered": "MUST",
    "no-leak": "MUST",
    "stays-usable": "MUST",
    "error-envelope": "SHOULD",
    "error-status": "SHOULD",
    "error-types": "SHOULD",
    "read-response": "SHOULD",
}

# Who sends the requests that show an alteration, unless they say otherwise: the first.
WITNESS_ACCOUNTS: Mapping[str, str] = {
    "AC" + "0123456789abcdef" * 2: "firstAccountsToken0123456789",
    "AC" + "fedcba9876543210" * 2: "secondAccountsToken987654321",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One request of those that show an alteration: a form posted with good credentials by default.

    Attributes:
        body: The body's text, sent as UTF-8.
        method: The method.
        path: The path, with its query.
        account: Which of `WITNESS_ACCOUNTS` sends it, from 0.
        credentials: User name and password, sent instead of the account's; empty for no Authorization header.
        headers: Fields sent besides, or instead of those of the same name.
        chunked: Whether the body is sent with chunked transfer coding.
        after: How many seconds to wait before.
        beside: Requests that are sent at the same time.
    """

    body: str = ""
    method: str = "POST"
    path: str = "/v1/Configuration"
    account: int = 0
    credentials: str | None = None
    headers: tuple[tuple[str, str], ...] = (("Content-Type", FORM),)
    chunked: bool = False
    after: float = 0.0
    beside: tuple["Step", ...] = ()


@dataclass(frozen=True, slots=True)
class Fault:
    """A mistake that can be built into the emulator.

    Attributes:
        name: Its name, in kebab-case.
        rule: The rule it breaks most directly.
        group: The area it lies in.
        text: What an implementation with it does wrong, in one sentence.
        install: Builds it into a behaviour.
        witness: Requests of which at least one is answered otherwise than by the reference.
    """

    name: str
    rule: str
    group: str
    text: str
    install: Install
    witness: tuple[Step, ...]

    @property
    def level(self) -> Level:
        """How sure the rule is that it breaks."""
        return RULES[self.rule]


@dataclass(frozen=True, slots=True)
class Variant:
    """A legal choice where the document is silent, otherwise described as a fault is; it breaks no rule."""

    name: str
    group: str
    text: str
    install: Install
    witness: tuple[Step, ...]

    @property
    def level(self) -> Literal["open"]:
        """The level of what the document leaves open."""
        return "open"

    @property
    def rule(self) -> None:
        """No rule is broken."""
        return None


def steps(witness: Sequence[str | Step]) -> tuple[Step, ...]:
    """Return requests of which plain texts are forms to post."""
    return tuple(Step(item) if isinstance(item, str) else item for item in witness)

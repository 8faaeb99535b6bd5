"""The catalogue: every rule, from the modules that have the rows."""

from collections.abc import Mapping
from types import MappingProxyType

from conformance.model import Rule
from conformance.rules import (
    acceptance,
    credentials,
    errors,
    forms,
    openapi,
    protocol,
    response,
    robustness,
    sdk,
    sids,
    state,
    timers,
)

CATALOGUE: tuple[Rule, ...] = tuple(
    rule
    for module in (
        timers,
        sids,
        forms,
        acceptance,
        response,
        state,
        credentials,
        protocol,
        robustness,
        errors,
        openapi,
        sdk,
    )
    for rule in module.RULES
)
"""Every rule, in the order of the reports."""

BY_ID: Mapping[str, Rule] = MappingProxyType({rule.id: rule for rule in CATALOGUE})
